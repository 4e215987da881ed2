"""Spell an equation in the letters that every framework's own einsum knows."""

from __future__ import annotations

from collections.abc import Sequence

from einsum_unified.errors import OperandError
from einsum_unified.language.equation import Equation

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


LETTERS = len(_LETTERS)
"""How many labels can be spelled."""


def in_letters(equation: Equation) -> str:
    """Return an equation with its output written and its labels replaced by a–z and A–Z.

    >>> from einsum_unified.language.equation import parse
    >>> in_letters(parse("β γ, γ"))
    'ab,b->a'
    """
    return spelled_in_letters((*equation.inputs, equation.output))


def spelled_in_letters(terms: Sequence[Sequence[object]]) -> str:
    """Return terms, the output last, with labels replaced; raises `OperandError` if letters run out."""
    labels = dict.fromkeys(label for term in terms for label in term if label is not ...)
    if len(labels) > LETTERS:
        raise OperandError(
            f"sizes that are known only at run time go with at most {LETTERS} labels, not {len(labels)}"
        )
    names: dict[object, str] = {**dict(zip(labels, _LETTERS, strict=False)), ...: "..."}
    texts = ["".join(names[label] for label in term) for term in terms]
    return f"{','.join(texts[:-1])}->{texts[-1]}"
