"""Texts of strangers, made fit to be shown: labels may be any object, equations of any length."""

from __future__ import annotations

from einsum_unified.binding.bound import Bound
from einsum_unified.printable import plain
from einsum_unified.show.labels import written_names
from einsum_unified.wording import clipped

LONGEST_LABEL = 12
LONGEST_TEXT = 240


def shown(text: str, most: int = LONGEST_TEXT) -> str:
    r"""Return a text that is clipped, with what is not printable as escapes: it can always be encoded.

    Control characters, lone surrogates and those that turn the direction of writing are not printable.

    >>> print(shown("a\u202eb\ud800"), shown("abcdef", most=4))
    a\u202eb\ud800 abc…
    """
    return plain(clipped(text, most))


def shown_labels(bound: Bound) -> tuple[str, ...]:
    """Return what the page calls each label: as the picture, which has more room."""
    return tuple(clipped(name, LONGEST_LABEL) for name in written_names(bound))
