"""`Size`: the size of an axis that is known only when a program runs, with a hint for planning.

While a graph is traced, or a plan is made for any batch, some sizes are unknown. Planning needs numbers to
compare costs, but the program must not contain those numbers. A `Size` is an integer, the hint, that also
says where in the operands the program reads the real size.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeGuard

DEFAULT_HINT = 6
"""The hint for an unknown size when the call gives none (``docs/compilers.md`` explains the value)."""

Place = tuple[int, int]
"""The number of an operand, and one of its axes."""

Reading = tuple[Place, ...]
"""The places of one label's axes. The size is read from all of them: each is 1 or the label's size."""


class Size(int):
    """A product of a known number and of sizes read when the program runs.

    As an integer it is that number times the hints. Two sizes are equal only if the same places are read for
    them; equal hints are not enough.

    >>> batch = Size.read(((0, 0),), hint=4)
    >>> batch * 3, 3 * batch == batch * 3, batch == 4, batch == 1
    (Size(12), True, False, False)
    """

    known: int
    """The factor that is known."""
    readings: tuple[Reading, ...]
    """The factors to read, sorted."""

    @classmethod
    def read(cls, reading: Iterable[Place], hint: int) -> Size:
        """Return the size that is read at these places."""
        return cls._of(hint, 1, (tuple(reading),))

    @classmethod
    def _of(cls, value: int, known: int, readings: tuple[Reading, ...]) -> Size:
        size = cls(value)
        size.known, size.readings = known, readings
        return size

    def __mul__(self, other: int) -> int:
        if not isinstance(other, int):
            return NotImplemented
        if other == 0:
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
    """Whether a size is a plain number: neither None nor a `Size`."""
    return size is not None and not isinstance(size, Size)


def broadcast(m: int, n: int) -> int:
    """Return the size that two sizes of one label broadcast to: one is or may be 1, or both are the same.

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
