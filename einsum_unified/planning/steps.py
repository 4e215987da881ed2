"""`Step`: one entry of a path, with its labels and costs.

A path is a list of steps. A step has the positions of one or two operands that it takes out of the list of
operands; its result is appended to the end of that list (the convention of opt_einsum and NumPy).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from math import inf
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
    return tuple(each_step(terms, output, sizes, path))


def each_step(
    terms: Sequence[Sequence[int]], output: Sequence[int], sizes: Sequence[int], path: Path
) -> Iterator[Step]:
    """Yield the steps that `steps` returns, for callers that may need only the first ones."""
    live = [tuple(dict.fromkeys(term)) for term in terms]
    counts = Counter(label for term in live for label in term)
    counts.update(set(output))
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
        yield Step(step, inputs, kept if live else tuple(output), flops, elements)
        live.append(kept)


def cost_and_peak(
    terms: Sequence[Sequence[int]],
    output: Sequence[int],
    sizes: Sequence[int],
    path: Path,
    most: float = inf,
    labels: float = inf,
) -> tuple[float, float]:
    """Return the FLOPs of a path and, for equal FLOPs, the number of elements of its largest intermediate.

    Both are infinite if the path has more FLOPs than ``most``, or more ``labels`` in all steps together.
    """
    flops = largest = last = 0
    for step in each_step(terms, output, sizes, path):
        flops, largest, last = flops + step.flops, max(largest, last), step.elements
        labels -= sum(map(len, step.inputs))
        if flops > most or labels < 0:
            return inf, inf
    return flops, largest


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


def pairwise(path: Path, operands: int) -> Path:
    """Split steps of three and more operands into pairs, from left to right.

    >>> pairwise(((0, 1, 2),), 3)
    ((0, 1), (0, 1))
    """
    pairs: list[tuple[int, ...]] = []
    for step in path:
        first, *rest = sorted(step)
        pairs.append((first, *rest[:1]))
        operands -= len(rest[:1])
        for gone, position in enumerate(rest[1:], 2):
            pairs.append((position - gone, operands - 1))  # the last operand is the result of the step so far
            operands -= 1
    return tuple(pairs)


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
