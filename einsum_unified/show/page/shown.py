"""Untrusted text made safe to show: labels may be any object, and equations may have any length."""

from __future__ import annotations

from einsum_unified.binding.bound import Bound
from einsum_unified.printable import plain
from einsum_unified.show.label_names import written_names
from einsum_unified.wording import clipped

LONGEST_LABEL = 12
LONGEST_TEXT = 240


def shown(text: str, most: int = LONGEST_TEXT) -> str:
    r"""Return a text clipped to ``most`` characters, with unprintable ones escaped: it can always be encoded.

    Unprintable are control characters, lone surrogates, and characters that change the direction of writing.

    >>> print(shown("a\u202eb\ud800"), shown("abcdef", most=4))
    a\u202eb\ud800 abc…
    """
    return plain(clipped(text, most))


def shown_labels(bound: Bound) -> tuple[str, ...]:
    """Return the names of the labels on the page: those of the picture, clipped to a smaller length."""
    return tuple(clipped(name, LONGEST_LABEL) for name in written_names(bound))
