"""``strict=True`` refuses three things that einsum allows but that are often mistakes.

* *explicit output*: the output may not be left out.
* *no broadcasting*: an axis of size 1 may not meet a greater one.
* *no lone sums*: a label that only one operand has may not be summed; it may be mistyped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from einsum_unified.adapter import Backend
from einsum_unified.binding.bound import Bound
from einsum_unified.binding.label_sizes import axes_of_labels, disagreement, same
from einsum_unified.errors import EquationError
from einsum_unified.language.equation import Equation
from einsum_unified.language.labels import Label
from einsum_unified.wording import quoted

_OFFERED = 120
"""The length, in characters, up to which a message suggests the whole equation."""


def check_equation(equation: Equation) -> None:
    """Raise `EquationError` for a rule that the equation alone breaks.

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
        end = len(equation.text)
        raise _refusal("the output is left out", equation, [end], offer, rule="explicit output")
    # The number of axes of an ellipsis is known only with operands.
    terms = [[label for label in term if label is not ...] for term in equation.inputs]
    _check_sums(equation, terms, equation.output, lambda label: label)


def check_operands(bound: Bound, backend: Backend) -> None:
    """Raise `EquationError` or `OperandError` for a rule that is broken with these operands.

    Unknown sizes are not checked.
    """
    check_equation(bound.equation)
    _check_sums(bound.equation, bound.terms, bound.output, lambda label: bound.labels[label])
    for label, axes in enumerate(axes_of_labels(bound.terms, bound.operands, len(bound.labels))):
        _check_broadcast(
            bound, label, {n: size for n, (_, size) in axes.items() if size is not None}, backend
        )


def _check_broadcast(bound: Bound, label: int, sizes: dict[int, Any], backend: Backend) -> None:
    """Raise if a label has size 1 in one operand and another size in a second one.

    A size that torch traces as a symbol is not 1: torch compiles again for 1.
    """
    one = next((n for n, size in sizes.items() if same(size, 1, backend)), None)
    other = next((n for n, size in sizes.items() if not same(size, 1, backend)), None)
    if one is not None and other is not None:
        raise disagreement(
            bound.equation,
            bound.operands,
            bound.labels,
            label,
            {one: 1, other: sizes[other]},
            rule="no broadcasting",
            prefix="strict: ",
            notes=["rule 'no broadcasting': give both the same size"],
        )


def _check_sums(
    equation: Equation,
    terms: Sequence[Iterable[Any]],
    output: Sequence[Any],
    name: Callable[[Any], Label],
) -> None:
    operands: dict[Any, list[int]] = {}
    kept = set(output)  # NumPy's scalars cannot be compared with tuples
    for number, term in enumerate(terms):
        for label in dict.fromkeys(term):
            operands.setdefault(label, []).append(number)
    kept = set(output)
    for label, (number, *others) in operands.items():
        if others or label in kept:
            continue
        named = name(label)
        what = "an axis of '...'" if named is ... else f"label {quoted(named)}"
        problem = f"{what} occurs in operand {number} only, and is summed"
        marks = equation.find(number, named)
        way_out = "keep it in the output, or sum it beforehand"
        raise _refusal(problem, equation, marks, way_out, rule="no lone sums")


def _refusal(problem: str, equation: Equation, marks: list[int], way_out: str, rule: str) -> EquationError:
    return EquationError.of(f"strict: {problem}", equation.text, marks, [f"rule {rule!r}: {way_out}"], rule)
