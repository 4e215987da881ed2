"""Number the labels of an equation; spell it in a–z and A–Z, which every framework's own einsum accepts."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase, ascii_uppercase
from types import EllipsisType
from typing import Any

from einsum_unified.errors import OperandError
from einsum_unified.language.equation import Equation
from einsum_unified.language.sublists import Sublists

_LETTERS = ascii_lowercase + ascii_uppercase

LETTERS = len(_LETTERS)
"""The number of labels that can be spelled."""

Term = tuple[int | EllipsisType, ...]
"""The labels of an operand or of the output as integers, with `...` for an ellipsis."""


def symbol(number: int) -> str:
    """Return a letter for a number: a–z, A–Z, then others, which not every framework's own einsum accepts.

    >>> symbol(0), symbol(51), symbol(52)
    ('a', 'Z', 'À')
    """
    if number < LETTERS:
        return _LETTERS[number]
    code = number + 140  # as opt_einsum's get_symbol numbers them
    return chr(code if code < 0xD800 else code + 0x800)  # without surrogates


def numbered(terms: Sequence[Sequence[Any]], output: Sequence[Any]) -> tuple[tuple[Term, ...], Term]:
    """Return terms and output with integers as labels, numbered from 0 by first occurrence.

    >>> numbered(["βγ", "γα"], "βα")
    (((0, 1), (1, 2)), (0, 2))
    """
    labels = dict.fromkeys(label for term in (*terms, output) for label in term if label is not ...)
    numbers: dict[Any, int | EllipsisType] = {label: number for number, label in enumerate(labels)}
    numbers[...] = ...
    *inputs, last = [tuple([numbers[label] for label in term]) for term in (*terms, output)]
    return tuple(inputs), last


def letters(terms: Sequence[Term], output: Term) -> str:
    """Return the equation, in a–z and A–Z, of terms and output that `numbered` returned.

    Raises `OperandError` for too many labels.

    >>> letters([(0, 1), (1, 2)], (0, 2))
    'ab,bc->ac'
    """
    most = max([label for term in (*terms, output) for label in term if label is not ...], default=-1) + 1
    if most > LETTERS:
        raise OperandError(
            f"these operands need an equation in the letters a–z, A–Z: at most {LETTERS} labels, not {most}"
        )
    texts = ["".join(["..." if label is ... else _LETTERS[label] for label in term]) for term in terms]
    last = "".join(["..." if label is ... else _LETTERS[label] for label in output])
    return f"{','.join(texts)}->{last}"


def unnamed(equation: Equation) -> Sublists:
    """Return an equation with an explicit output and with integers as labels, for caches to hold.

    >>> from einsum_unified.language.sublists import to_sublists
    >>> from einsum_unified.language.equation import parse
    >>> unnamed(parse(to_sublists([["β", "γ"], ["γ"]], None)))
    Sublists(inputs=((0, 1), (1,)), output=(0,))
    """
    return Sublists(*numbered(equation.inputs, equation.output))


def in_letters(equation: Equation) -> str:
    """Return an equation with an explicit output and with its labels replaced by a–z and A–Z.

    >>> from einsum_unified.language.equation import parse
    >>> in_letters(parse("β γ, γ"))
    'ab,b->a'
    """
    return letters(*numbered(equation.inputs, equation.output))
