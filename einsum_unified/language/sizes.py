"""`Size`: the size of an axis that is known only when a program runs, planned by a hint.

While a graph is traced, or a plan is made for any batch, some sizes are no numbers yet. Planning needs
numbers to compare costs, the program must not contain them. A `Size` is both: an integer, the hint, and
where in the operands the program reads the real one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeGuard

DEFAULT_HINT = 6
"""What a size that is not known is planned as (``docs/compilers.md`` says why)."""

Place = tuple[int, int]
"""An operand, by its number, and an axis of it."""

Reading = tuple[Place, ...]
"""The places of one label's axes. With several the sizes there may be 1 or the same other number."""


class Size(int):
    """A product of a known number and of sizes read when the program runs.

    As an integer it is the product of the hints. Two are equal only if they read the same: never because
    their hints are.

    >>> batch = Size.read(((0, 0),), hint=4)
    >>> batch * 3, 3 * batch == batch * 3, batch == 4, batch == 1
    (Size(12), True, False, False)
    """

    known: int
    """The factor that is a number."""
    readings: tuple[Reading, ...]
    """The other factors, in order."""

    @classmethod
    def read(cls, reading: Iterable[Place], hint: int) -> Size:
        """Return the size that is read at some places."""
        return cls._of(hint, 1, (tuple(reading),))

    @classmethod
    def _of(cls, value: int, known: int, readings: tuple[Reading, ...]) -> Size:
        size = cls(value)
        size.known, size.readings = known, readings
        return size

    def __mul__(self, other: int) -> int:
        if not isinstance(other, int):
            return NotImplemented
        if not isinstance(other, Size) and other == 0:
            return 0
        readings = other.readings if isinstance(other, Size) else ()
        known = other.known if isinstance(other, Size) else other
        return Size._of(
            int(self) * int(other), self.known * known, tuple(sorted((*self.readings, *readings)))
        )

    __rmul__ = __mul__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Size) and (self.known, self.readings, int(self)) == (
            other.known,
            other.readings,
            int(other),
        )

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((self.known, self.readings))

    def __repr__(self) -> str:
        return f"Size({int(self)})"


def is_known(size: int | None) -> TypeGuard[int]:
    """Whether a size is a number."""
    return size is not None and not isinstance(size, Size)


def broadcast(m: int, n: int) -> int:
    """Return what two sizes that meet broadcast to: one of them is 1, or may be, or both are the same.

    >>> broadcast(1, 3), broadcast(0, 1), broadcast(1, Size.read([(0, 0)], hint=1))
    (3, 0, Size(1))
    >>> broadcast(Size.read([(0, 0)], hint=6), 3), broadcast(Size.read([(0, 0)], 6), Size.read([(1, 0)], 6))
    (3, Size(6))
    """
    if m == 1:
        return n
    if not isinstance(m, Size) or n == 1 or m == n:
        return m
    if not isinstance(n, Size):
        return n
    (one,), (other,) = m.readings, n.readings  # no products: axes that broadcast are never fused
    return Size.read(sorted({*one, *other}), hint=int(m))
