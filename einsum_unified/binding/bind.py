"""Bind an `Equation` to operands: number the labels, find the size of each, expand ellipses, choose a dtype.

`bind` looks at shapes and dtypes, never at data. An unknown size becomes a `Size`.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

from einsum_unified.adapter import Backend, Shape
from einsum_unified.binding.bound import Bound
from einsum_unified.binding.label_sizes import Hints, LabelSizes, operand_notes, same
from einsum_unified.binding.operand import Operand
from einsum_unified.binding.result_dtype import result_dtype
from einsum_unified.errors import OperandError
from einsum_unified.language.equation import Equation
from einsum_unified.language.labels import Label, spelled
from einsum_unified.language.mistakes import look_alikes, names
from einsum_unified.wording import counted, in_digits, quoted


def bind(
    equation: Equation,
    operands: Sequence[Operand],
    backend: Backend,
    dtype: Any = None,
    hints: Hints = MappingProxyType({}),
) -> Bound:
    """Check operands against an equation and each other, and expand the ellipses.

    Raises `OperandError` for a wrong count, rank or size, and `OperandTypeError` for a dtype that cannot be
    used.
    """
    _check_count(equation, operands)
    operands = [_ranked(term, operand) for term, operand in zip(equation.inputs, operands, strict=True)]
    for number, operand in enumerate(operands):
        _check_rank(equation, number, operand, operands)
        _check_repeats(equation, number, operand, operands, backend)
    terms, output, labels = _expand(equation, operands)
    found = LabelSizes(equation, operands, terms, labels, backend, hints)
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
    were = "was" if given == 1 else "were"
    headline = f"the equation has {counted(terms, 'term')} but {counted(given, 'operand')} {were} given"
    marks = [equation.start(given)] if given < terms else []  # the first term without an operand
    notes = operand_notes(equation, operands, range(min(terms, given)))
    notes += look_alikes(equation.text).values()
    raise OperandError.of(headline, equation.text, marks, notes, rule="operand count")


def _ranked(term: tuple[Label, ...], operand: Operand) -> Operand:
    """Take an unknown number of axes from the term, unless the term has an ellipsis."""
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
    least = "at least " if ... in term else ""
    subscripts = f"its subscripts {equation.shown(number)} name {least}{named}"
    headline = f"operand {number} has {counted(rank, 'axis')} but {subscripts}"
    notes = operand_notes(equation, operands, [number])
    mistakes = names(equation.written(), number, rank) or look_alikes(equation.text).values()
    if mistakes:
        notes += mistakes
    elif rank > named:
        notes.append(f"to allow further axes, write '...': {_with_ellipsis(equation, number)}")
    raise OperandError.of(headline, equation.text, [equation.start(number)], notes, rule="number of axes")


def _with_ellipsis(equation: Equation, number: int) -> str:
    text = spelled((..., *equation.inputs[number]), equation.sublists)
    return text if equation.sublists else repr(text)


def _check_repeats(
    equation: Equation, number: int, operand: Operand, operands: Sequence[Operand], backend: Backend
) -> None:
    """Raise if a label repeated within one operand has different sizes: a diagonal does not broadcast."""
    term = equation.inputs[number]
    if operand.shape is None or len(set(term)) == len(term):
        return
    for label, sizes in _axes_by_label(term, operand.shape).items():
        known = [size for size in sizes if size is not None]
        other = next((size for size in known if not same(known[0], size, backend)), None)
        if other is not None:
            headline = (
                f"label {quoted(label)} is repeated in operand {number} "
                f"with sizes {in_digits(known[0])} and {in_digits(other)}"
            )
            notes = [
                *operand_notes(equation, operands, [number]),
                "a diagonal needs equal sizes: 1 does not broadcast here",
            ]
            marks = equation.find(number, label)
            raise OperandError.of(headline, equation.text, marks, notes, rule="diagonal")


def _axes_by_label(term: tuple[Any, ...], shape: Shape) -> dict[Any, list[int | None]]:
    """Return the sizes of the axes of each label but the ellipsis, in order."""
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
    """Return terms and output as numbers of labels, and the labels in that order.

    Labels are numbered by first occurrence, ellipsis axes last. The ellipsis of an operand of unknown rank
    adds no axes.
    """
    numbers: dict[Any, int] = {}
    dots = ... in equation.output  # perhaps only there: it has no axes then
    for term in equation.inputs:
        for label in term:
            if label is ...:
                dots = True
            elif label not in numbers:
                numbers[label] = len(numbers)
    if not dots:
        numbered = [tuple([numbers[label] for label in term]) for term in (*equation.inputs, equation.output)]
        return tuple(numbered[:-1]), numbered[-1], tuple(numbers)
    extra = [
        len(x.shape) - len(term) + 1 if ... in term and x.shape is not None else 0
        for term, x in zip(equation.inputs, operands, strict=True)
    ]
    most = max(extra)  # an equation has at least one term
    ellipsis = range(len(numbers), len(numbers) + most)

    def expand(term: tuple[Any, ...], count: int) -> tuple[int, ...]:
        axes = ellipsis[most - count :]  # aligned at the right, as NumPy broadcasts
        return tuple(n for label in term for n in (axes if label is ... else (numbers[label],)))

    terms = tuple(expand(term, count) for term, count in zip(equation.inputs, extra, strict=True))
    return terms, expand(equation.output, most), (*numbers, *[...] * most)
