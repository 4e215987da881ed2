"""`lessons`: the equation, or its steps, on tensors that are small enough for a board.

A lesson holds what the stepper draws: terms, shapes and numbers of the operands, and which labels are kept
and which summed. The sums themselves the stepper works out.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

from einsum_unified.binding.bound import Bound
from einsum_unified.language.sizes import is_known
from einsum_unified.planning.path import Step
from einsum_unified.show.page.shown import shown, shown_labels
from einsum_unified.show.summary import contraction

LARGEST, TYPICAL = 4, 3
"""The largest size of a label that is shown as it is, and what stands for greater ones."""
BLOCKS = 2
"""The largest size of one that numbers matrices: all but the last two of a tensor's labels."""
CELLS = 64
"""The most cells of a tensor."""
PRODUCTS = 2000
"""The most products of all sums together."""
OPERANDS = 6
"""The most operands that are shown at once."""
STEPS = 30
"""The most steps that there are lessons of."""
LABELS = 24
"""The most labels of a lesson."""


class Tensor(NamedTuple):
    """An operand, or the result, which has no values yet."""

    name: str
    term: tuple[int, ...]
    shape: tuple[int, ...]
    values: tuple[int, ...] = ()
    """In the order of C."""


class Lesson(NamedTuple):
    """An equation with small operands."""

    title: str
    note: str
    """The sizes it is shown with, and those of the plan."""
    sizes: dict[int, int]
    """Of each label."""
    kept: tuple[int, ...]
    summed: tuple[int, ...]
    operands: tuple[Tensor, ...]
    output: Tensor

    def data(self) -> dict[str, Any]:
        """Return the lesson for JSON."""
        tensors = {"operands": [x._asdict() for x in self.operands], "output": self.output._asdict()}
        return {**self._asdict(), **tensors}


def lessons(bound: Bound, steps: Sequence[Step]) -> list[Lesson]:
    """Return the lesson of the equation, if it has few operands, and of its steps, if there are several."""
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
    """Return a lesson for each step, on what the steps before it left."""
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
    """Return a lesson; None if it has more labels than anybody could follow."""
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
    """Return an operand with numbers from 1 to 11, in another order for each.

    11 is prime, and no size: rows and matrices differ.
    """
    stride, start = (1, 3, 4, 2, 5, 7)[number], 3 * number
    values = tuple((start + stride * n) % 11 + 1 for n in range(prod(shape)))
    return Tensor(name, term, shape, values)


def _note(bound: Bound, small: dict[int, int], reduced: bool) -> str:
    """Return what sizes are shown, and what they are in the plan if others."""
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
        note += " Before the steps diagonals are taken, and axes of size 1 that broadcast left out."
    return note if small else ""


def _planned(size: int) -> str:
    return f"{size:,}" if is_known(size) else "any"


# --- sizes ----------------------------------------------------------------------------------------


def small_sizes(
    terms: Sequence[tuple[int, ...]], output: tuple[int, ...], sizes: Sequence[int]
) -> dict[int, int]:
    """Return sizes of the labels with which every tensor, and the work, fit on a board.

    What is too large shrinks label by label: the largest first, of equal ones the last.

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
