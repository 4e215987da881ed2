"""The names of labels where a plan is shown.

There are two kinds of names. A figure such as ``2·i·[0] + 1`` mixes names with numbers and dots, so its names
are unique and do not look like numbers: `label_name`. A picture shows names next to the equation, so it
writes them as the equation does: `written_names`. (Messages use `language.labels.in_words`.)
"""

from __future__ import annotations

from einsum_unified.binding.bound import Bound
from einsum_unified.language.sizes import is_known
from einsum_unified.printable import plain
from einsum_unified.wording import LONGEST_NAME, quoted


def label_name(bound: Bound, label: int) -> str:
    """Return a name for a label that is unique in the equation and does not look like a number.

    A letter is its own name. An axis of an ellipsis is named by its place in it: ``...0``. In the interleaved
    form, text that could name a variable is its own name; other labels are in brackets: ``[0]``, ``['a b']``.
    """
    name = bound.labels[label]
    if name is ...:
        axis = 0  # the axes of an ellipsis follow each other
        while axis < label and bound.labels[label - axis - 1] is ...:
            axis += 1
        return f"...{axis}"
    if isinstance(name, str) and (not bound.equation.sublists or (name.isidentifier() and len(name) <= 40)):
        return plain(name)
    text = plain(quoted(name))
    # Other objects may have equal texts, and so may long texts after clipping.
    alone = type(name) in (int, str) and text == plain(quoted(name, most=2 * LONGEST_NAME)) and text[0] != "<"
    return f"[{text}]" if alone else f"[{text}#{label}]"


def written_names(bound: Bound) -> tuple[str, ...]:
    """Return each label as the equation writes it; an axis of an ellipsis is named by its place in it.

    >>> from einsum_unified import einsum_plan
    >>> written_names(einsum_plan("i...->...i", (2, 3, 4)).bound)
    ('i', '...0', '...1')
    >>> written_names(einsum_plan((2, 3), [0, "a"], [0]).bound)
    ('0', "'a'")
    """
    return tuple(
        plain(quoted(label)) if bound.equation.sublists and label is not ... else label_name(bound, n)
        for n, label in enumerate(bound.labels)
    )


def label_sizes(bound: Bound) -> dict[str, int]:
    """Return label name → size; for an unknown size, the size that was assumed for planning."""
    return {label_name(bound, label): int(size) for label, size in enumerate(bound.sizes)}


def unknown_sizes(bound: Bound) -> dict[str, int]:
    """Return the labels that can occur in figures, each with the size that was assumed for planning.

    With a framework that compares sizes only at run time, these include labels whose size another operand
    fixes: the axis of unknown size may have size 1.
    """
    found = set(bound.unknown)
    for term, shape in zip(bound.terms, bound.shapes, strict=True):
        found.update(label for label, size in zip(term, shape, strict=True) if not is_known(size))
    return {label_name(bound, label): int(bound.sizes[label]) for label in sorted(found)}
