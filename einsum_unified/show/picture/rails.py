"""`Rail`: the line of a label between operands and result; `columns` puts rails side by side.

Rails at different heights share a column, so that a long chain is as narrow as a short one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SIGN = 12
"""Distance of the Σ of a summed label below the last join of its rail."""

_SWAPS = 12
"""Above this number columns are not reordered: the time for that is cubic in the number of columns."""


@dataclass(frozen=True)
class Rail:
    """The vertical line of a label, with the heights where lines from the left and the right join it."""

    label: int
    left: tuple[float, ...]
    right: tuple[float, ...]
    """Empty for a summed label."""
    summed: bool
    goes_on: bool = False
    """Whether the label is summed and also occurs in operands that are not shown."""

    @property
    def top(self) -> float:
        """The height of the upper end."""
        return min((*self.left, *self.right))

    @property
    def bottom(self) -> float:
        """The height of the lower end: at the Σ if there is one."""
        return max((*self.left, *self.right)) + (SIGN if self.summed else 0)


Column = list[Rail]


def columns(rails: Sequence[Rail], apart: float) -> list[Column]:
    """Put the rails into few columns that cross few lines.

    >>> chain = [Rail(n, (20.0 * n, 20.0 * n + 10), (), True) for n in range(9)]
    >>> [[rail.label for rail in column] for column in columns(chain, apart=8)]
    [[0, 2, 4, 6, 8], [1, 3, 5, 7]]
    """
    found: list[Column] = []
    for rail in sorted(rails, key=lambda rail: rail.top):
        free = (column for column in found if column[-1].bottom + apart <= rail.top)
        column = next(free, None)
        if column is None:
            found.append([rail])
        else:
            column.append(rail)
    return _untangled(found) if len(found) <= _SWAPS else found


def _untangled(found: list[Column]) -> list[Column]:
    """Swap neighbouring columns as long as that reduces the number of crossings."""
    order, better = list(found), True
    while better:
        better = False
        for n in range(len(order) - 1):
            a, b = order[n], order[n + 1]
            if _crossings(b, a) < _crossings(a, b):
                order[n], order[n + 1], better = b, a, True
    return order


def _crossings(a: Column, b: Column) -> int:
    """Count the lines that cross a rail when column a is to the left of b."""
    left = sum(one.top < y < one.bottom for one in a for other in b for y in other.left)
    return left + sum(one.top < y < one.bottom for one in b for other in a for y in other.right)
