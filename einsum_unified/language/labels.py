"""Labels and terms: the words of an equation."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

from einsum_unified.wording import quoted

Label = Hashable
Term = tuple[Label, ...]
"""The labels of one operand, with `Ellipsis` for "..."."""


class Span(NamedTuple):
    """The place of a term in the text of an equation."""

    start: int
    stop: int
    labels: tuple[int, ...]
    """The position of each label, in order; "..." has the position of its first dot."""


def spelled(labels: Term, sublists: bool) -> str:
    """Return the labels of a term in the notation of the call: ``ij``, or ``[0, 1]`` for sublists."""
    if sublists:
        return f"[{', '.join('...' if label is ... else quoted(label) for label in labels)}]"
    return "".join("..." if label is ... else str(label) for label in labels)


def in_words(labels: Sequence[Label], number: int) -> str:
    """Return the phrase for a label in messages; the ``labels`` end with one `Ellipsis` for each of its axes.

    >>> in_words(["i", ..., ...], 0), in_words(["i", ..., ...], 1)
    ("label 'i'", "axis -2 of '...'")
    """
    label = labels[number]
    return f"axis {number - len(labels)} of '...'" if label is ... else f"label {quoted(label)}"
