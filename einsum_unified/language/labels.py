"""Labels and terms: the words of an equation."""

from __future__ import annotations

from collections.abc import Hashable

from einsum_unified.errors import quoted

Label = Hashable
Term = tuple[Label, ...]
"""The labels of one operand; `Ellipsis` stands for "..."."""


def spelled(labels: Term, sublists: bool) -> str:
    """Return the labels of a term in the notation they were written in."""
    if sublists:
        return f"[{', '.join('...' if label is ... else quoted(label) for label in labels)}]"
    return "".join("..." if label is ... else str(label) for label in labels)
