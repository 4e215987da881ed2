"""`plain`: strangers' text with nothing in it that hides, breaks a line or runs out of its place."""

from __future__ import annotations

import unicodedata


def plain(text: str) -> str:
    r"""Return text with what is not printable spelled out: also what XML forbids or turns lines around.

    So are marks that stand alone or pile up on another.

    >>> print(plain("a\x00\u202e\ud800b"), plain("x\u0300\u0300") == "x\u0300\\u0300")
    a\x00\u202e\ud800b True
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_spelled(c, before) for before, c in zip(("", *text), text, strict=False))


def _spelled(c: str, before: str) -> str:
    alone = is_mark(c) and (not before.strip() or is_mark(before))
    return c if c.isprintable() and not alone else c.encode("unicode_escape").decode("ascii")


def is_mark(c: str) -> bool:
    """Whether a character combines with the one before it."""
    return unicodedata.category(c).startswith("M")
