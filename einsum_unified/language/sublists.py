"""The interleaved form, ``einsum(x, [0, 1], y, [1, 2], [0, 2])``: sublists of any hashable labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from einsum_unified.errors import EquationError, article, quoted
from einsum_unified.language.labels import Term


@dataclass(frozen=True)
class Sublists:
    """The interleaved form, apart from its operands: hashable, so that it can be a cache's key."""

    inputs: tuple[Term, ...]
    output: Term | None


def to_sublists(inputs: Sequence[Any], output: Any) -> Sublists:
    """Return the sublists of an interleaved call as a hashable key.

    Raises `EquationError` when one is no list or tuple, or has a label that is not hashable.
    """
    terms = tuple(_sublist(f"the sublist of operand {n}", x) for n, x in enumerate(inputs))
    return Sublists(terms, None if output is None else _sublist("the output's sublist", output))


def _sublist(what: str, labels: Any) -> Term:
    if getattr(labels, "ndim", None) == 1 and hasattr(labels, "tolist"):
        labels = labels.tolist()  # an array of integers, as NumPy and torch take
    if isinstance(labels, (str, bytes)) or not isinstance(labels, Sequence):
        raise EquationError(f"{what} is {article(type(labels).__name__)}, not a list or tuple of labels")
    for label in labels:
        if hasattr(label, "__array__") and not isinstance(label, np.generic):
            # Many hash by identity: equal values would be different labels, and caches would hold them.
            raise EquationError(
                f"a label in {what} is {article(type(label).__name__)}: give plain values, as int(x)"
            )
        try:
            hash(label)
        except TypeError:
            raise EquationError(f"label {quoted(label)} in {what} is not hashable") from None
    return tuple(labels)


def spell(sublists: Sublists) -> tuple[str, list[tuple[list[int], int]]]:
    """Return the interleaved form as text, and of each term the labels' positions and its own."""
    pieces: list[str] = []
    spans: list[tuple[list[int], int]] = []
    at = 0
    output = sublists.output
    for n, term in enumerate([*sublists.inputs, *([] if output is None else [output])]):
        separator = "" if n == 0 else " -> " if n == len(sublists.inputs) else ", "
        at += len(separator)
        start, words, positions = at, [], []
        for label in term:
            word = "..." if label is ... else quoted(label)
            words.append(word)
            positions.append(at + 1)
            at += len(word) + 2
        at = start + len(", ".join(words)) + 2
        pieces += [separator, "[", ", ".join(words), "]"]
        spans.append((positions, start))
    return "".join(pieces), spans
