"""`lessons`: the equation, or each of its steps, on tensors small enough to be shown cell by cell.

A lesson holds what the stepper draws: the terms, shapes and values of the operands, and which labels are kept
and which are summed. The stepper computes the sums itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

from einsum_unified.binding.bound import Bound
from einsum_unified.language.sizes import is_known
from einsum_unified.planning.steps import Step
from einsum_unified.show.page.shown import shown, shown_labels
from einsum_unified.show.summary import contraction

LARGEST, TYPICAL = 4, 3
"""The largest size that is shown unchanged, and the size that replaces larger ones."""
BLOCKS = 2
"""The largest size of a label other than a tensor's last two, which are the rows and columns of matrices."""
CELLS = 64
"""The maximum number of cells of a tensor."""
PRODUCTS = 2000
"""The maximum number of products in all sums together."""
OPERANDS = 6
"""The maximum number of operands that are shown at once."""
STEPS = 30
"""The maximum number of steps that have lessons."""
LABELS = 24
"""The maximum number of labels of a lesson."""


class Tensor(NamedTuple):
    """An operand with its values, or the result, whose values the stepper computes."""

    name: str
    term: tuple[int, ...]
    shape: tuple[int, ...]
    values: tuple[int, ...] = ()
    """In C order; empty for the result."""


class Lesson(NamedTuple):
    """An equation with small operands."""

    title: str
    note: str
    """The sizes in this lesson, and the sizes of the plan if they differ."""
    sizes: dict[int, int]
    """Label → size in this lesson."""
    kept: tuple[int, ...]
    summed: tuple[int, ...]
    operands: tuple[Tensor, ...]
    output: Tensor

    def data(self) -> dict[str, Any]:
        """Return the lesson as data for JSON."""
        tensors = {"operands": [x._asdict() for x in self.operands], "output": self.output._asdict()}
        return {**self._asdict(), **tensors}


def lessons(bound: Bound, steps: Sequence[Step]) -> list[Lesson]:
    """Return a lesson on the whole equation, unless it has many operands, and on each of several steps."""
    found: list[Lesson | None] = []
    if len(bound.terms) <= OPERANDS:
        names = [f"a{n}" for n in range(len(bound.terms))]
        found.append(
            _lesson(bound, names, bound.terms, bound.shapes, "out", bound.output, "the whole equation")
        )
    if len(bound.terms) > 2:
        found += _steps(bound, steps[:STEPS])
    return [lesson for lesson in found if lesson is not None]


def _steps(bound: Bound, steps: Sequence[Step]) -> list[Lesson | None]:
    """Return a lesson for each step; its operands are those that the earlier steps left."""
    live = [f"a{n}" for n in range(len(bound.terms))]
    found = []
    for number, step in enumerate(steps):
        names = [live[position] for position in step.positions]
        for position in sorted(step.positions, reverse=True):
            live.pop(position)
        live.append(f"s{number}" if live else "out")
        shapes = [[bound.sizes[label] for label in term] for term in step.inputs]
        title = f"step {number}: {shown(contraction(bound, step), 60)}"
        found.append(_lesson(bound, names, step.inputs, shapes, live[-1], step.output, title))
    return found


def _lesson(
    bound: Bound,
    names: Sequence[str],
    terms: Sequence[tuple[int, ...]],
    shapes: Sequence[Sequence[int]],
    result: str,
    output: tuple[int, ...],
    title: str,
) -> Lesson | None:
    """Return a lesson; None if it has more labels than a reader could follow."""
    if max(len(set().union(*terms)), *map(len, terms)) > LABELS:
        return None
    small = small_sizes(terms, output, bound.sizes)
    operands = []
    for number, (name, term, shape) in enumerate(zip(names, terms, shapes, strict=True)):
        axes = zip(term, shape, strict=True)
        kept = tuple(1 if bound.broadcasts(label, size) else small[label] for label, size in axes)
        operands.append(_operand(number, name, term, kept))
    tensor = Tensor(result, output, tuple(small[label] for label in output))
    summed = tuple(label for label in small if label not in output)
    note = _note(bound, small, reduced=terms is not bound.terms and bound.reduced() != bound.terms)
    return Lesson(title, note, small, output, summed, tuple(operands), tensor)


def _operand(number: int, name: str, term: tuple[int, ...], shape: tuple[int, ...]) -> Tensor:
    """Return an operand with values from 1 to 11, in a different order for each operand.

    11 is prime and larger than any size, so that rows and matrices differ.
    """
    stride, start = (1, 3, 4, 2, 5, 7)[number], 3 * number
    values = tuple((start + stride * n) % 11 + 1 for n in range(prod(shape)))
    return Tensor(name, term, shape, values)


def _note(bound: Bound, small: dict[int, int], reduced: bool) -> str:
    """Return a note on the sizes that are shown, and on those of the plan if they differ."""
    names = shown_labels(bound)
    here = ", ".join(f"{names[label]}={size}" for label, size in small.items())
    planned = ", ".join(f"{names[label]}={_planned(bound.sizes[label])}" for label in small)
    same = all(size == bound.sizes[label] for label, size in small.items())
    note = (
        f"Shown with the sizes of the plan: {here}."
        if same
        else f"Shown with {here}; the plan has {planned}."
    )
    if reduced:
        note += " Before the steps, diagonals are taken and broadcast axes of size 1 are dropped."
    return note if small else ""


def _planned(size: int) -> str:
    return f"{size:,}" if is_known(size) else "any"


# --- sizes ----------------------------------------------------------------------------------------


def small_sizes(
    terms: Sequence[tuple[int, ...]], output: tuple[int, ...], sizes: Sequence[int]
) -> dict[int, int]:
    """Return sizes of the labels that are small enough for every tensor and all sums to be shown.

    A tensor that is too large shrinks one label at a time: the largest first, the last of equal ones.

    >>> small_sizes([(0, 1), (1, 2)], (0, 2), (2, 1000, 1000))
    {0: 2, 1: 3, 2: 3}
    >>> small_sizes([(0, 1, 2, 3, 4)], (), (9, 9, 9, 9, 9))
    {0: 2, 1: 2, 2: 2, 3: 3, 4: 2}
    """
    used = tuple(dict.fromkeys(label for term in terms for label in term))
    tensors = (*terms, output)
    outer = {label for term in tensors for label in term[:-2]}
    small = {label: int(sizes[label]) if sizes[label] <= LARGEST else TYPICAL for label in used}
    small |= {label: min(small[label], BLOCKS) for label in used if label in outer}
    for labels, most in [*((term, CELLS) for term in tensors), (used, PRODUCTS)]:
        while prod(small[label] for label in labels) > most:
            last = max(enumerate(labels), key=lambda entry: (small[entry[1]], entry[0]))[1]
            small[last] -= 1
    return small
