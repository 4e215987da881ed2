"""`Step`: one entry of a path, with its labels and costs.

A path is a list of steps. A step has the positions of one or two operands that it takes out of the list of
operands; its result is appended to the end of that list (the convention of opt_einsum and NumPy).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

Path = tuple[tuple[int, ...], ...]
Terms = tuple[tuple[int, ...], ...]


class Step(NamedTuple):
    """One pairwise contraction (or one operand on its own) of a path."""

    positions: tuple[int, ...]
    """The positions of the operands that it takes out of the list."""
    inputs: tuple[tuple[int, ...], ...]
    output: tuple[int, ...]
    flops: int
    """Multiplications, and additions if a label is summed: one multiply-add counts 2."""
    elements: int
    """The number of elements of the result."""
    equation: str = ""
    """The step in letters, to run on the operands at its positions as they are; `Plan.steps` has it."""


def steps(
    terms: Sequence[Sequence[int]], output: Sequence[int], sizes: Sequence[int], path: Path
) -> tuple[Step, ...]:
    """Return the steps of a path, on the distinct labels of each operand.

    A label that only one operand of a pair has, and nothing later, is summed before the product.
    """
    live = [tuple(dict.fromkeys(term)) for term in terms]
    counts = Counter(label for term in live for label in term)
    counts.update(set(output))
    found = []
    for step in path:
        inputs = tuple(live[position] for position in step)
        for position in sorted(step, reverse=True):
            live.pop(position)
        for term in inputs:
            counts.subtract(term)
        occurs = Counter(label for term in inputs for label in term)
        kept = tuple(label for label in occurs if counts[label])
        counts.update(kept)
        flops = 0
        if len(inputs) > 1:
            alone = {label for label, count in occurs.items() if count == 1 and not counts[label]}
            flops = sum(_product(term, sizes) for term in inputs if not alone.isdisjoint(term))
            occurs = Counter(label for label in occurs if label not in alone)
        flops += _product(occurs, sizes) * (len(inputs) - 1 + (len(kept) < len(occurs)))
        elements = _product(kept, sizes)
        found.append(Step(step, inputs, kept if live else tuple(output), flops, elements))
        live.append(kept)
    return tuple(found)


def cost_and_peak(
    terms: Sequence[Sequence[int]], output: Sequence[int], sizes: Sequence[int], path: Path
) -> tuple[int, int]:
    """Return the FLOPs of a path and, for equal FLOPs, the number of elements of its largest intermediate."""
    found = steps(terms, output, sizes, path)
    return sum(step.flops for step in found), peak(found)


def peak(found: Sequence[Step]) -> int:
    """Return the number of elements of the largest intermediate: a result of any step but the last."""
    return max((step.elements for step in found[:-1]), default=0)


def forwards(operands: int) -> Path:
    """Return the path from left to right.

    >>> forwards(4), forwards(1)
    (((0, 1), (0, 2), (0, 1)), ((0,),))
    """
    if operands == 1:
        return ((0,),)
    return ((0, 1), *((0, left - 1) for left in range(operands - 1, 1, -1)))


def backwards(operands: int) -> Path:
    """Return the path from right to left.

    >>> backwards(4)
    ((2, 3), (1, 2), (0, 1))
    """
    return tuple((n - 1, n) for n in range(operands - 1, 0, -1))


def linear(ssa: Iterable[Sequence[int]], operands: int) -> Path:
    """Return a path whose results are numbered on from the operands as one of positions in the list.

    >>> linear([(0, 3), (2, 4), (1, 5)], 4)
    ((0, 3), (1, 2), (0, 1))
    """
    live = list(range(operands))
    path = []
    for number, step in enumerate(ssa):
        positions = sorted(bisect_left(live, taken) for taken in step)
        for position in reversed(positions):
            live.pop(position)
        live.append(operands + number)
        path.append(tuple(positions))
    return tuple(path)


def _product(labels: Iterable[int], sizes: Sequence[int]) -> int:
    total = 1
    for label in labels:
        total *= sizes[label]
    return total
