"""Find the size of each label from the sizes of its axes; make the error if they differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from einsum_unified.adapter import Backend, Shape
from einsum_unified.binding.operand import Operand
from einsum_unified.errors import OperandError
from einsum_unified.language.equation import Equation
from einsum_unified.language.labels import Label, in_words
from einsum_unified.language.sizes import DEFAULT_HINT, Place, Size
from einsum_unified.wording import in_digits, numbered_lines

Hints = Mapping[Label, int]
"""Label, or `...`, → the size to plan with if it is unknown."""

Axes = dict[int, tuple[int, Any]]
"""Operand → one axis of a label and its size; the size is None or a tracer's symbol if unknown."""


def axes_of_labels(terms: Sequence[Sequence[int]], operands: Sequence[Operand], labels: int) -> list[Axes]:
    """Return for each label one axis in each operand that has it: the first of known size, else the first.

    If a number of axes is unknown (`Bound.unranked`) there are no terms, and the result has no axes.
    """
    found: list[Axes] = [{} for _ in range(labels)]
    for number, (term, operand) in enumerate(zip(terms, operands, strict=False)):
        for axis, (label, size) in enumerate(zip(term, operand.shape or (), strict=False)):
            if number not in found[label] or found[label][number][1] is None:
                found[label][number] = axis, size
    return found


def _known_sizes(
    terms: Sequence[Sequence[int]], operands: Sequence[Operand], labels: int
) -> tuple[int, ...] | None:
    """Return the size of each label; None if a size is unknown or if sizes differ, except for 1."""
    sizes = [1] * labels
    for term, operand in zip(terms, operands, strict=False):
        for label, size in zip(term, operand.shape or (), strict=False):
            if type(size) is not int or size != sizes[label] != 1 != size:
                return None
            if size != 1:
                sizes[label] = size
    return tuple(sizes)


class LabelSizes(NamedTuple):
    """Finds the size of each label, and a `Size` for each unknown size in the operands' shapes."""

    equation: Equation
    operands: Sequence[Operand]
    terms: Sequence[Sequence[int]]
    labels: Sequence[Label]
    backend: Backend
    hints: Hints

    def all(self) -> tuple[int, ...]:
        """Return the size of each label; size 1 broadcasts to any other size, also to 0."""
        known = _known_sizes(self.terms, self.operands, len(self.labels))
        if known is not None:
            return known
        found = axes_of_labels(self.terms, self.operands, len(self.labels))
        return tuple(self._size(label, axes) for label, axes in enumerate(found))

    def _size(self, label: int, axes: Axes) -> int:
        """Return a label's size from its axis and size in each operand that has it."""
        first: tuple[int, Any] | None = None
        unknown: list[Place] = []
        for number, (axis, size) in axes.items():
            if size is None:
                unknown.append((number, axis))
            elif same(size, 1, self.backend):
                continue
            elif first is None:
                first = number, size
            elif not same(first[1], size, self.backend):
                sizes = {first[0]: first[1], number: size}
                raise disagreement(self.equation, self.operands, self.labels, label, sizes, rule="sizes")
            elif type(first[1]) is not int:  # a tracer's symbol; the other size may be a number
                first = number, size
        if first is not None and type(first[1]) is int:
            return first[1]
        if first is not None:
            unknown.insert(0, (first[0], axes[first[0]][0]))
        if not unknown:
            return 1
        # If the framework compares sizes while tracing they are the same, and one place is enough.
        reading = unknown if self.backend.capabilities.deferred else unknown[:1]
        return Size.read(reading, self._hint(label))

    def _hint(self, label: int) -> int:
        return self.hints.get(self.labels[label], DEFAULT_HINT)

    def shapes(self, sizes: Sequence[int]) -> tuple[tuple[int, ...], ...]:
        """Return the operands' shapes, with a `Size` for each unknown size."""
        shapes = [operand.shape or () for operand in self.operands]
        return tuple(
            [
                shape if {*map(type, shape)} <= {int} else self._shape(number, shape, sizes)
                for number, shape in enumerate(shapes)
            ]
        )

    def _shape(self, number: int, shape: Shape, sizes: Sequence[int]) -> tuple[int, ...]:
        term = self.terms[number]
        found: dict[int, int] = {}
        for axis, (label, size) in enumerate(zip(term, shape, strict=True)):
            # The axes of one label within one operand have one size: they do not broadcast.
            if type(size) is int:
                found[label] = size
            elif size is not None and same(size, 1, self.backend):
                found[label] = 1
            elif self.backend.capabilities.deferred:
                found.setdefault(label, Size.read([(number, axis)], self._hint(label)))
            else:
                found.setdefault(label, sizes[label])
        return tuple([found[label] for label in term])


def same(m: Any, n: Any, backend: Backend) -> bool:
    """Whether two sizes are known to be the same; the adapter compares a tracer's symbols."""
    return m == n if type(m) is type(n) is int else backend.same_size(m, n)


# --- errors ---------------------------------------------------------------------------------------


def disagreement(
    equation: Equation,
    operands: Sequence[Operand],
    labels: Sequence[Label],
    label: int,
    sizes: Mapping[int, Any],
    rule: str,
    prefix: str = "",
    notes: Iterable[str] = (),
) -> OperandError:
    """Return the error for a label that has two sizes; ``sizes`` maps the two operands to them."""
    (one, m), (other, n) = sizes.items()
    which = f"{in_digits(m)} in operand {one} but {in_digits(n)} in operand {other}"
    headline = f"{prefix}{in_words(labels, label)} is {which}"
    pair = sorted(sizes)
    # An axis of the ellipsis points at its dots.
    marks = [mark for number in pair for mark in equation.find(number, labels[label])]
    notes = [*operand_notes(equation, operands, pair), *notes]
    return OperandError.of(headline, equation.text, marks, notes, rule)


def operand_notes(equation: Equation, operands: Sequence[Operand], numbers: Sequence[int]) -> list[str]:
    """Return a line for each of these operands, with its subscripts, shape and dtype."""
    return numbered_lines(numbers, lambda n: f"operand {n} {equation.shown(n)}: {operands[n]}")
