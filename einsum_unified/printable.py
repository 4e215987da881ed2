"""Make text from users safe to print: without invisible characters, line breaks or stray marks."""

from __future__ import annotations

import unicodedata


def escaped(text: str, newlines: bool = False) -> str:
    r"""Return text with unprintable characters escaped; ``newlines=True`` keeps newlines.

    Escaped are control characters, characters that change the direction of writing, and lone surrogates,
    which cannot be encoded. Use it for sentences and names of files. Combining marks are kept: Thai and
    decomposed Vietnamese have several on a letter.

    >>> print(escaped("a\x1b[31m\ud800\nb", newlines=True))
    a\x1b[31m\ud800
    b
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or (newlines and c == "\n") else _escape(c) for c in text)


def plain(text: str) -> str:
    r"""Return text as `escaped` does, and also escape marks without a letter or after another mark.

    Use it for equations and labels, where each mark is a label of its own.

    >>> print(plain("a\x00\u202e\ud800b"), plain("x\u0300\u0300") == "x\u0300\\u0300")
    a\x00\u202e\ud800b True
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_spelled(c, before) for before, c in zip(("", *text), text, strict=False))


def blanked(text: str) -> str:
    r"""Return text with a blank for each unprintable character, so that the others keep their positions.

    >>> blanked("i\u200bj\n,k")
    'i j ,k'
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def is_mark(c: str) -> bool:
    """Whether a character combines with the one before it."""
    return unicodedata.category(c).startswith("M")


def _spelled(c: str, before: str) -> str:
    alone = is_mark(c) and (not before.strip() or is_mark(before))
    return c if c.isprintable() and not alone else _escape(c)


def _escape(c: str) -> str:
    return c.encode("unicode_escape").decode("ascii")
