"""What labels are called where a plan is shown.

There are two kinds of names. In a figure such as ``2·i·[0] + 1`` names stand beside numbers and dots, so each
is unique and none looks like a number: `label_name`. In a picture a name stands alone, beside the equation,
so it is written as it is there: `written_names`. (What messages call a label is `language.labels.in_words`.)
"""

from __future__ import annotations

from einsum_unified.binding.bound import Bound
from einsum_unified.language.sizes import is_known
from einsum_unified.printable import plain
from einsum_unified.wording import quoted


def label_name(bound: Bound, label: int) -> str:
    """Return the name of a label, which no other label of the equation has, and which is no number.

    Letters are called what they are, an axis of an ellipsis by its place in it; of the interleaved form, text
    that could be a variable is called what it is, and anything else stands in brackets: ``[0]``, ``['a b']``.
    """
    name = bound.labels[label]
    if name is ...:
        return f"...{label - bound.labels.index(...)}"
    if isinstance(name, str) and (not bound.equation.sublists or (name.isidentifier() and len(name) <= 40)):
        return plain(name)
    text = plain(quoted(name))
    # Other objects may look alike, and so may long texts that are clipped.
    alone = type(name) in (int, str) and len(repr(name)) <= 40
    return f"[{text}]" if alone else f"[{text}#{label}]"


def written_names(bound: Bound) -> tuple[str, ...]:
    """Return each label as the equation writes it; an axis of an ellipsis is called by its place in it.

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
    """Return the size of each label by its name, of those that are not known what they were planned as."""
    return {label_name(bound, label): int(size) for label, size in enumerate(bound.sizes)}


def unknown_sizes(bound: Bound) -> dict[str, int]:
    """Return the labels that figures may be of, and what they were planned as.

    A framework that compares sizes only when it runs has figures of a label that another operand tells, too:
    its axis may have size 1.
    """
    found = set(bound.unknown)
    for term, shape in zip(bound.terms, bound.shapes, strict=True):
        found.update(label for label, size in zip(term, shape, strict=True) if not is_known(size))
    return {label_name(bound, label): int(bound.sizes[label]) for label in sorted(found)}
