"""The interleaved form, ``einsum(x, [0, 1], y, [1, 2], [0, 2])``: sublists of any hashable labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from numbers import Number
from typing import Any

import numpy as np

from einsum_unified.errors import EquationError
from einsum_unified.language.labels import Span, Term
from einsum_unified.wording import article, quoted

_PLAIN = (int, str)
_LARGEST = 2**53
"""Larger numbers are kept as they are: they may have any number of digits."""


@dataclass(frozen=True)
class Sublists:
    """The interleaved form without its operands; it is hashable, so that it can be the key of a cache."""

    inputs: tuple[Term, ...]
    output: Term | None

    @property
    def terms(self) -> tuple[Term, ...]:
        """The terms of the operands, then the term of the output if there is one."""
        return self.inputs if self.output is None else (*self.inputs, self.output)


def to_sublists(inputs: Sequence[Any], output: Any) -> Sublists:
    """Return the sublists of an interleaved call as a hashable key.

    Raises `EquationError` if one is not a list or tuple, or has a label that is not hashable.
    """
    terms = tuple(_sublist(f"the sublist of operand {n}", x) for n, x in enumerate(inputs))
    return Sublists(terms, None if output is None else _sublist("the output's sublist", output))


def _sublist(what: str, labels: Any) -> Term:
    if getattr(labels, "ndim", None) == 1 and hasattr(labels, "tolist"):
        labels = labels.tolist()  # an array of integers, which NumPy and torch accept
    if isinstance(labels, (str, bytes)) or not isinstance(labels, Sequence):
        raise EquationError(f"{what} is {article(type(labels).__name__)}, not a list or tuple of labels")
    for label in labels:
        if hasattr(label, "__array__") and not isinstance(label, np.generic):
            # Many hash by identity: equal values would be different labels, and caches would hold arrays.
            raise EquationError(
                f"a label in {what} is {article(type(label).__name__)}: give plain values, such as int(x)"
            )
        try:
            hash(label)
        except TypeError:
            raise EquationError(f"label {quoted(label)} in {what} is not hashable") from None
    return tuple([label if type(label) in _PLAIN else _distinct(label) for label in labels])


def _distinct(label: Any) -> Any:
    """Return an integer for a number that is equal to one.

    True, 1 and 1.0 are one label, and equal keys of the caches. Which of them a plan shows and saves must not
    depend on the call that made it.
    """
    if not isinstance(label, (Number, np.bool_)):
        return label
    value: Any = getattr(label, "real", label)
    try:
        whole = int(value) if abs(value) < _LARGEST else value
    except (TypeError, ArithmeticError):  # a signaling NaN
        return label
    return whole if whole == label else label


def check_ellipses(sublists: Sublists) -> None:
    """Raise `EquationError` for a sublist with more than one `Ellipsis`."""
    for n, term in enumerate(sublists.terms):
        if sum(label is ... for label in term) > 1:
            what = "the output" if n == len(sublists.inputs) else f"term {n}"
            text, spans = spell(sublists)
            marks = [p for label, p in zip(term, spans[n].labels, strict=True) if label is ...]
            raise EquationError.of(f"{what} has more than one '...'", text, marks, rule="one ellipsis")


def separator(term: int, inputs: int) -> str:
    """Return the text before a term: before the first, the output (number ``inputs``), or another.

    >>> separator(0, 2), separator(1, 2), separator(2, 2)
    ('', ', ', ' -> ')
    """
    if term == 0:
        return ""
    return " -> " if term == inputs else ", "


def spell(sublists: Sublists) -> tuple[str, list[Span]]:
    """Return the interleaved form as text, and the place of each term in it.

    >>> spell(Sublists(((0, ...), (10,)), (10,)))[0]
    '[0, ...], [10] -> [10]'
    """
    text: list[str] = []
    spans: list[Span] = []
    at = 0
    for n, term in enumerate(sublists.terms):
        before = separator(n, len(sublists.inputs))
        words = ["..." if label is ... else quoted(label) for label in term]
        start = at + len(before)
        # A label follows the opening bracket, or the previous label and ", ".
        *labels, _ = accumulate((len(word) + 2 for word in words), initial=start + 1)
        text += [before, "[", ", ".join(words), "]"]
        at = start + sum(map(len, text[-3:]))
        spans.append(Span(start, at, tuple(labels)))
    return "".join(text), spans
