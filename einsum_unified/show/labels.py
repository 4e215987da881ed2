"""What labels are called where figures and notes speak of them."""

from __future__ import annotations

from einsum_unified.binding.bound import Bound
from einsum_unified.errors import quoted
from einsum_unified.language.sizes import is_known
from einsum_unified.show.printable import plain


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
