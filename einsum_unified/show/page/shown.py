"""Texts of strangers, made fit to be shown: labels may be any object, equations of any length."""

from __future__ import annotations

from einsum_unified.language.labels import Label
from einsum_unified.show.printable import plain

LONGEST_LABEL = 12
LONGEST_TEXT = 240


def shown(text: str, most: int = LONGEST_TEXT) -> str:
    r"""Return a text that is clipped, with what is not printable as escapes: it can always be encoded.

    Control characters, lone surrogates and those that turn the direction of writing are not printable.

    >>> print(shown("a\u202eb\ud800"), shown("abcdef", most=4))
    a\u202eb\ud800 abc…
    """
    clipped = text if len(text) <= most else f"{text[: most - 1]}…"
    return plain(clipped)


def shown_labels(labels: tuple[Label, ...]) -> tuple[str, ...]:
    """Return the names of labels; an axis of an ellipsis has its place in it.

    >>> shown_labels(("i", 7, ("x", 1), ..., ...))
    ('i', '7', "('x', 1)", '…0', '…1')
    """
    first = labels.index(...) if ... in labels else 0
    return tuple(
        f"…{n - first}"
        if label is ...
        else shown(label if isinstance(label, str) else repr(label), LONGEST_LABEL)
        for n, label in enumerate(labels)
    )
