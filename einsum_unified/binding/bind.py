"""Bind an `Equation` to operands: labels as integers with one size each, ellipses expanded, one dtype.

`bind` looks at shapes and dtypes, never at data. A size that is not known yet becomes a `Size`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from einsum_unified.adapter import Backend, Shape
from einsum_unified.binding.bound import Bound
from einsum_unified.binding.operand import Operand
from einsum_unified.binding.result_dtype import result_dtype
from einsum_unified.errors import OperandError, clipped, message, quoted
from einsum_unified.language.equation import Equation
from einsum_unified.language.labels import Label, spelled
from einsum_unified.language.sizes import DEFAULT_HINT, Place, Size

Hints = Mapping[Label, int]
"""For labels, `...` included, what to plan with where their sizes are not known."""


def bind(
    equation: Equation,
    operands: Sequence[Operand],
    backend: Backend,
    dtype: Any = None,
    hints: Hints = MappingProxyType({}),
) -> Bound:
    """Check operands against an equation and each other, and expand the ellipses.

    Raises `OperandError` for a wrong count, rank or size, `OperandTypeError` for dtypes.
    """
    _check_count(equation, operands)
    operands = [_ranked(term, operand) for term, operand in zip(equation.inputs, operands, strict=True)]
    for number, operand in enumerate(operands):
        _check_rank(equation, number, operand, operands)
        _check_repeats(equation, number, operand, operands, backend)
    terms, output, labels = _expand(equation, operands)
    found = _Sizes(equation, operands, terms, labels, backend, hints)
    sizes = found.all()
    result = result_dtype(operands, backend, dtype)
    if any(operand.shape is None for operand in operands):
        return Bound(equation, tuple(operands), (), (), (), (), labels, result, unranked=True)
    shapes = found.shapes(sizes)
    return Bound(equation, tuple(operands), terms, output, sizes, shapes, labels, result)


# --- counts, ranks and sizes --------------------------------------------------------------------


def _check_count(equation: Equation, operands: Sequence[Operand]) -> None:
    terms, given = len(equation.inputs), len(operands)
    if terms == given:
        return
    headline = (
        f"the equation has {terms} {'term' if terms == 1 else 'terms'} "
        f"but {given} {'operand was' if given == 1 else 'operands were'} given"
    )
    # The first term without an operand, or the end of the last term that has one.
    marks = [equation.start(given)] if given < terms else []
    raise OperandError(
        message(headline, equation.text, marks, _notes(equation, operands, range(min(terms, given))))
    )


def _ranked(term: tuple[Label, ...], operand: Operand) -> Operand:
    """Take from the term, unless that has an ellipsis, a number of axes that is not known otherwise."""
    if operand.shape is not None or ... in term:
        return operand
    return operand._replace(shape=(None,) * len(term), assumed=True)


def _check_rank(equation: Equation, number: int, operand: Operand, operands: Sequence[Operand]) -> None:
    if operand.shape is None:
        return
    term, rank = equation.inputs[number], len(operand.shape)
    named = len(term) - (... in term)
    if rank == named or (rank > named and ... in term):
        return
    axes = f"{rank} {'axis' if rank == 1 else 'axes'}"
    least = "at least " if ... in term else ""
    headline = f"operand {number} has {axes} but its subscripts {equation.shown(number)} name {least}{named}"
    notes = _notes(equation, operands, [number])
    if "→" in equation.text:
        notes.append("'→' is a label here: the arrow is '->'")
    elif rank > named:
        notes.append(f"to let further axes through, write '...': {_with_ellipsis(equation, number)}")
    raise OperandError(message(headline, equation.text, [equation.start(number)], notes))


def _with_ellipsis(equation: Equation, number: int) -> str:
    text = spelled((..., *equation.inputs[number]), equation.sublists)
    return text if equation.sublists else repr(text)


def _check_repeats(
    equation: Equation, number: int, operand: Operand, operands: Sequence[Operand], backend: Backend
) -> None:
    """Within one operand a repeated label is a diagonal: no broadcasting there."""
    term = equation.inputs[number]
    if operand.shape is None or len(set(term)) == len(term):
        return
    for label, sizes in _axes_by_label(term, operand.shape).items():
        known = [size for size in sizes if size is not None]
        other = next((size for size in known if not _same(known[0], size, backend)), None)
        if other is not None:
            headline = (
                f"label {quoted(label)} is repeated in operand {number} with sizes {known[0]} and {other}"
            )
            notes = [
                *_notes(equation, operands, [number]),
                "a diagonal needs equal sizes: 1 does not broadcast here",
            ]
            raise OperandError(message(headline, equation.text, equation.find(number, label), notes))


def _axes_by_label(term: tuple[Any, ...], shape: Shape) -> dict[Any, list[int | None]]:
    """Return the sizes of each named label's axes, in order."""
    dots = term.index(...) if ... in term else len(term)
    after = len(term) - dots - 1
    axes = [*zip(term[:dots], shape[:dots], strict=True)]
    if after > 0:
        axes += zip(term[dots + 1 :], shape[len(shape) - after :], strict=True)
    found: dict[Any, list[int | None]] = {}
    for label, size in axes:
        found.setdefault(label, []).append(size)
    return found


Expanded = tuple[tuple[tuple[int, ...], ...], tuple[int, ...], tuple[Label, ...]]


def _expand(equation: Equation, operands: Sequence[Operand]) -> Expanded:
    """Return terms, output and labels, these numbered by first occurrence, ellipsis axes last.

    An operand of unknown rank contributes no ellipsis axes here.
    """
    numbers: dict[Any, int] = {}
    for term in equation.inputs:
        for label in term:
            if label is not ...:
                numbers.setdefault(label, len(numbers))
    extra = [
        len(x.shape) - len(term) + 1 if ... in term and x.shape is not None else 0
        for term, x in zip(equation.inputs, operands, strict=True)
    ]
    most = max(extra, default=0)
    ellipsis = range(len(numbers), len(numbers) + most)

    def expand(term: tuple[Any, ...], count: int) -> tuple[int, ...]:
        axes = ellipsis[most - count :]  # aligned at the right, as NumPy broadcasts
        return tuple(n for label in term for n in (axes if label is ... else (numbers[label],)))

    terms = tuple(expand(term, count) for term, count in zip(equation.inputs, extra, strict=True))
    return terms, expand(equation.output, most), (*numbers, *[...] * most)


class _Sizes(NamedTuple):
    """Finds the one size of each label, and what is not known of the operands' shapes."""

    equation: Equation
    operands: Sequence[Operand]
    terms: Sequence[Sequence[int]]
    labels: Sequence[Label]
    backend: Backend
    hints: Hints

    def all(self) -> tuple[int, ...]:
        """Return the size of each label; size 1 gives way to any other, also to 0."""
        places: list[dict[int, Any]] = [{} for _ in self.labels]
        for number, (term, operand) in enumerate(zip(self.terms, self.operands, strict=True)):
            for axis, label in enumerate(term if operand.shape is not None else ()):
                size = operand.shape[axis]  # type: ignore[index]
                if number not in places[label] or places[label][number][1] is None:
                    places[label][number] = axis, size
        return tuple(self._size(label, axes) for label, axes in enumerate(places))

    def _size(self, label: int, axes: dict[int, tuple[int, Any]]) -> int:
        """Return a label's size from its axis and size in each operand that has it."""
        first: tuple[int, Any] | None = None
        unknown: list[Place] = []
        for number, (axis, size) in axes.items():
            if size is None:
                unknown.append((number, axis))
            elif _same(size, 1, self.backend):
                continue
            elif first is None:
                first = number, size
            elif not _same(first[1], size, self.backend):
                _raise_sizes(self.equation, self.operands, self.terms, label, first[0], number)
            elif type(first[1]) is not int:  # a tracer's symbol, which may be the same as a number
                first = number, size
        if first is not None and type(first[1]) is int:
            return first[1]
        if first is not None:
            unknown.insert(0, (first[0], axes[first[0]][0]))
        if not unknown:
            return 1
        # Where sizes can be compared beforehand they are the same, and one place is enough.
        reading = unknown if self.backend.capabilities.deferred else unknown[:1]
        return Size.read(reading, self._hint(label))

    def _hint(self, label: int) -> int:
        return self.hints.get(self.labels[label], DEFAULT_HINT)

    def shapes(self, sizes: Sequence[int]) -> tuple[tuple[int, ...], ...]:
        """Return the operands' shapes in known numbers and `Size`s."""
        return tuple(
            shape if all(type(size) is int for size in shape) else self._shape(number, shape, sizes)
            for number, shape in enumerate(operand.shape or () for operand in self.operands)
        )

    def _shape(self, number: int, shape: Shape, sizes: Sequence[int]) -> tuple[int, ...]:
        term = self.terms[number]
        found: dict[int, int] = {}
        for axis, (label, size) in enumerate(zip(term, shape, strict=True)):
            # The axes of one label within one operand have one size: no broadcasting there.
            if type(size) is int:
                found[label] = size
            elif size is not None and _same(size, 1, self.backend):
                found[label] = 1
            elif self.backend.capabilities.deferred:
                found.setdefault(label, Size.read([(number, axis)], self._hint(label)))
            else:
                found.setdefault(label, sizes[label])
        return tuple([found[label] for label in term])


def _same(m: Any, n: Any, backend: Backend) -> bool:
    return m == n if type(m) is type(n) is int else backend.same_size(m, n)


def _raise_sizes(
    equation: Equation,
    operands: Sequence[Operand],
    terms: Sequence[Sequence[int]],
    label: int,
    one: int,
    other: int,
) -> None:
    shown = _expand(equation, operands)[2]
    named = shown[label] is not ...
    what = f"label {quoted(shown[label])}" if named else f"axis {label - len(shown)} of '...'"
    sizes = [
        next(
            size
            for axis, size in zip(terms[n], operands[n].shape or (), strict=True)
            if axis == label and size is not None
        )
        for n in (one, other)
    ]
    headline = f"{what} is {sizes[0]} in operand {one} but {sizes[1]} in operand {other}"
    marks = []
    for n in (one, other):
        marks += equation.find(n, shown[label])  # an axis of the ellipsis points at its dots
    raise OperandError(message(headline, equation.text, marks, _notes(equation, operands, [one, other])))


def _notes(equation: Equation, operands: Sequence[Operand], numbers: Sequence[int]) -> list[str]:
    return clipped([f"operand {n} {equation.shown(n)}: {operands[n]}" for n in numbers])
