"""`Size`: the size of an axis that is known only when a program runs, with a hint for planning.

While a graph is traced, or a plan is made for any batch, some sizes are unknown. Planning needs numbers to
compare costs, but the program must not contain those numbers. A `Size` is an integer, the hint, that also
says where in the operands the program reads the real size.
"""

from __future__ import annotations

from collections.abc import Iterable
from os import urandom
from typing import TypeGuard

DEFAULT_HINT = 6
"""The hint for an unknown size when the call gives none (``docs/compilers.md`` explains the value)."""

Place = tuple[int, int]
"""The number of an operand, and one of its axes."""

Reading = tuple[Place, ...]
"""The places of one label's axes. The size is read from all of them: each is 1 or the label's size."""

_PRIME = 2**127 - 1
_POINT, _BASE = (int.from_bytes(urandom(16), "big") % _PRIME for _ in range(2))


class Size(int):
    """A product of a known number and of sizes read when the program runs.

    As an integer it is that number times the hints. Two sizes are equal only if the same places are read for
    them; equal hints are not enough.

    >>> batch = Size.read(((0, 0),), hint=4)
    >>> batch * 3, 3 * batch == batch * 3, batch == 4, batch == 1
    (Size(12), True, False, False)
    """

    # A tensor of n axes has strides of up to n factors. If each product listed its factors, they would take
    # n**2 in time and memory. So a product refers to what it is the product of, and products are compared by
    # a number: the polynomial whose roots are the factors, at a random point. At such a point polynomials of
    # degree n that differ have the same value with a probability of at most n / 2**126.

    known: int
    """The factor that is known."""
    mark: int
    """The number that stands for the factors to read."""
    parts: tuple[Size, Size] | Reading
    """The two sizes that it is the product of, or the places at which it is read."""

    @classmethod
    def read(cls, reading: Iterable[Place], hint: int) -> Size:
        """Return the size that is read at these places."""
        places = tuple(reading)
        root = 0
        for operand, axis in places:
            root = ((root * _BASE + operand + 1) * _BASE + axis + 1) % _PRIME
        return cls._of(hint, 1, (_POINT - root) % _PRIME, places)

    @classmethod
    def _of(cls, value: int, known: int, mark: int, parts: tuple[Size, Size] | Reading) -> Size:
        size = cls(value)
        size.known, size.mark, size.parts = known, mark, parts
        return size

    @property
    def readings(self) -> tuple[Reading, ...]:
        """The factors to read, sorted."""
        found: list[Reading] = []
        todo: list[Size] = [self]
        while todo:
            parts = todo.pop().parts
            if isinstance(parts[0], Size):
                todo += parts
            else:
                found.append(parts)
        return tuple(sorted(found))

    def __mul__(self, other: int) -> int:
        if not isinstance(other, int):
            return NotImplemented
        if other == 0:
            return 0
        if not isinstance(other, Size):
            return Size._of(int(self) * int(other), self.known * other, self.mark, self.parts)
        mark = self.mark * other.mark % _PRIME
        return Size._of(int(self) * int(other), self.known * other.known, mark, (self, other))

    __rmul__ = __mul__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Size) and (self.known, self.mark, int(self)) == (
            other.known,
            other.mark,
            int(other),
        )

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((self.known, self.mark))

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
