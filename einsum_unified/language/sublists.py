"""The interleaved form, ``einsum(x, [0, 1], y, [1, 2], [0, 2])``: sublists of any hashable labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain
from numbers import Number
from typing import Any

import numpy as np

from einsum_unified.errors import EquationError
from einsum_unified.language.labels import Span, Term
from einsum_unified.memory import size_of
from einsum_unified.wording import LONGEST_REASON, article, class_name, quoted

_DEEPEST = 100
"""The number of tuples inside each other that a label may be."""
_TUPLES, _MOST = 10**4, 10**7
"""The numbers of tuples and of items in a label, each counted as often as it occurs."""
_SEQUENCES = frozenset((list, tuple, range))
_SIMPLE = frozenset((int, str, type(...)))

_PLAIN = (int, str)
_LARGEST = 2**53
"""Larger numbers are kept as they are: they may have any number of digits."""


@dataclass(frozen=True)
class Sublists:
    """The interleaved form without its operands; it is hashable, so that it can be the key of a cache."""

    inputs: tuple[Term, ...]
    output: Term | None
    size: int | None = field(init=False, repr=False, compare=False)
    """About how many bytes the labels hold; None if one is an object, whose size nobody knows."""

    @property
    def terms(self) -> tuple[Term, ...]:
        """The terms of the operands, then the term of the output if there is one."""
        return self.inputs if self.output is None else (*self.inputs, self.output)

    def __post_init__(self) -> None:
        sizes = [size_of(label) for term in self.terms for label in term]
        known = [size for size in sizes if size is not None]
        object.__setattr__(self, "size", sum(known) if len(known) == len(sizes) else None)


def to_sublists(inputs: Sequence[Any], output: Any) -> Sublists:
    """Return the sublists of an interleaved call as a hashable key.

    Raises `EquationError` if one is not a list or tuple, or has a label that is not hashable.
    """
    terms = tuple(_sublist(f"the sublist of operand {n}", x) for n, x in enumerate(inputs))
    found = Sublists(terms, None if output is None else _sublist("the output's sublist", output))
    try:
        # Labels of a class may raise when they are compared, with each other or an ellipsis.
        _ = [label == ... for label in dict.fromkeys(chain.from_iterable(found.terms))]
    except Exception as error:
        raise EquationError(f"the labels cannot be compared: {quoted(error, LONGEST_REASON)}") from error
    return found


def flat_sublists(sublists: Sequence[Any]) -> tuple[Any, ...]:
    """Return the sublists of an interleaved call as a tuple that is quickly made, for a key of a cache.

    Raises ValueError unless all labels are text, integers or `...`, the integers not bool: others may raise
    when they are hashed, or be equal to one of these. The tuple begins with a class: no operand equals it.

    >>> flat_sublists([[0, 1], range(1, 3), (0, 2)])[1:]
    ((0, 1), (1, 2), (0, 2))
    >>> flat_sublists([[0], [True]])
    Traceback (most recent call last):
    ValueError: rare labels
    """
    if not (_SEQUENCES.issuperset(map(type, sublists)) and _SIMPLE.issuperset(map(type, chain(*sublists)))):
        raise ValueError("rare labels")
    return (Sublists, *map(tuple, sublists))


def sublists_of(flat: tuple[Any, ...], operands: int) -> Sublists:
    """Return the sublists from which `flat_sublists` made a tuple; the output may be one more."""
    terms = flat[1:]
    return Sublists(terms[:operands], terms[operands] if len(terms) > operands else None)


def _sublist(what: str, labels: Any) -> Term:
    if getattr(labels, "ndim", None) == 1 and hasattr(labels, "tolist"):
        labels = labels.tolist()  # an array of integers, which NumPy and torch accept
    if isinstance(labels, (str, bytes)) or not isinstance(labels, Sequence):
        raise EquationError(f"{what} is {article(class_name(type(labels)))}, not a list or tuple of labels")
    for label in labels:
        if hasattr(label, "__array__") and not isinstance(label, np.generic):
            # Many hash by identity: equal values would be different labels, and caches would hold arrays.
            raise EquationError(
                f"a label in {what} is {article(class_name(type(label)))}: give plain values, such as int(x)"
            )
        if isinstance(label, (tuple, frozenset)):
            _check_nesting(label, what)
        try:
            hash(label)
        except Exception:  # also RecursionError
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


def _check_nesting(label: Any, what: str) -> None:
    """Raise for a label that Python could hash only with a crash, or not within a lifetime."""
    level, items, tuples = [label], 0, 0
    for _ in range(_DEEPEST):
        inner: list[Any] = []
        for container in level:
            items += len(container)
            inner += [x for x in container if isinstance(x, (tuple, frozenset))]
            if items > _MOST or tuples + len(inner) > _TUPLES:
                raise EquationError(f"a label in {what} has more than {_TUPLES} tuples or {_MOST} items")
        if not inner:
            return
        level, tuples = inner, tuples + len(inner)
    raise EquationError(f"a label in {what} is nested more than {_DEEPEST} deep")


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
