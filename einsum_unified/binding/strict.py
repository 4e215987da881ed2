"""``strict=True``: three things that einsum allows, and that are often slips, are refused.

* *explicit output*: the output may not be left out.
* *no broadcasting*: an axis of size 1 may not stand for a greater one.
* *no lone sums*: a label of one operand only may not be summed, as a mistyped one would be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from einsum_unified.adapter import Backend
from einsum_unified.binding.bound import Bound
from einsum_unified.errors import EquationError, OperandError, clipped, message, quoted
from einsum_unified.language.equation import Equation
from einsum_unified.language.labels import Label

_OFFERED = 120
"""The longest equation, in characters, that is offered in full."""


def check_equation(equation: Equation) -> None:
    """Raise `EquationError` for what is to be seen without operands.

    >>> from einsum_unified.language.equation import parse
    >>> check_equation(parse("ij,jk->ik"))
    >>> check_equation(parse("ij,jl->i"))
    Traceback (most recent call last):
    einsum_unified.errors.EquationError: strict: label 'l' occurs in operand 1 only, and is summed
        ij,jl->i
            ^
      rule 'no lone sums': keep it in the output, or sum it beforehand
    """
    if not equation.explicit:
        text = equation.with_output()
        offer = f"write {text}" if len(text) <= _OFFERED else "write '->' and the labels of the result"
        note = f"rule 'explicit output': {offer}"
        raise EquationError(
            message("strict: the output is left out", equation.text, [len(equation.text)], [note])
        )
    # How many axes an ellipsis has, if any, only operands tell.
    terms = [[label for label in term if label is not ...] for term in equation.inputs]
    _check_sums(equation, terms, equation.output, lambda label: label)


def check_operands(bound: Bound, backend: Backend) -> None:
    """Raise `EquationError` or `OperandError` for what is to be seen with operands, where sizes are known."""
    check_equation(bound.equation)
    _check_sums(bound.equation, bound.terms, bound.output, lambda label: bound.labels[label])
    ones, others = _sizes(bound, backend)
    for label, number in ones.items():
        if label in others:
            _raise_broadcast(bound, label, number, *others[label])


def _sizes(bound: Bound, backend: Backend) -> tuple[dict[int, int], dict[int, tuple[int, Any]]]:
    """Return of each label the first operand that has size 1 there, and the first with another size.

    A symbol of torch's while it traces is known not to be 1: it compiles anew for 1.
    """
    ones: dict[int, int] = {}
    others: dict[int, tuple[int, Any]] = {}
    for number, (term, operand) in enumerate(zip(bound.terms, bound.operands, strict=False)):
        for label, size in zip(term, operand.shape or (), strict=True):
            if size is None:
                continue
            if size == 1 if type(size) is int else backend.same_size(size, 1):
                ones.setdefault(label, number)
            else:
                others.setdefault(label, (number, size))
    return ones, others


def _check_sums(
    equation: Equation,
    terms: Sequence[Iterable[Any]],
    output: Sequence[Any],
    name: Callable[[Any], Label],
) -> None:
    operands: dict[Any, list[int]] = {}
    for number, term in enumerate(terms):
        for label in dict.fromkeys(term):
            operands.setdefault(label, []).append(number)
    for label, (number, *others) in operands.items():
        if others or label in output:
            continue
        named = name(label)
        what = "an axis of '...'" if named is ... else f"label {quoted(named)}"
        headline = f"strict: {what} occurs in operand {number} only, and is summed"
        note = "rule 'no lone sums': keep it in the output, or sum it beforehand"
        raise EquationError(message(headline, equation.text, equation.find(number, named), [note]))


def _raise_broadcast(bound: Bound, label: int, number: int, other: int, size: Any) -> None:
    equation, name = bound.equation, bound.labels[label]
    what = f"axis {label - len(bound.labels)} of '...'" if name is ... else f"label {quoted(name)}"
    headline = f"strict: {what} is 1 in operand {number} but {size} in operand {other}"
    pair = sorted((number, other))
    notes = clipped([f"operand {n} {equation.shown(n)}: {bound.operands[n]}" for n in pair])
    notes.append("rule 'no broadcasting': give both the same size")
    marks = [mark for n in pair for mark in equation.find(n, name)]
    raise OperandError(message(headline, equation.text, marks, notes))
