"""Make text from users safe to print: without invisible characters, line breaks or stray marks."""

from __future__ import annotations

import re
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
    r"""Return text as `escaped` does, and also escape what `cells` does: blank letters and stray marks.

    Use it for equations and labels, where each mark is a label of its own.

    >>> print(plain("a\x00\u202e\ud800b"), plain("x\u0300\u0300") == "x\u0300\\u0300")
    a\x00\u202e\ud800b True
    """
    return text if text.isascii() and text.isprintable() else "".join(_cells(text))


def cells(text: str, names: bool = False) -> list[str]:
    r"""Return what to show for each character of an equation, on one line: itself, a blank, or its escape.

    White space that equations drop is a blank. Escaped are unprintable characters, letters that look like a
    blank, and marks; with ``names`` only marks without a letter or after another mark.

    >>> print(cells("i\u200bj\n\u0301\u3164"))
    ['i', '\\u200b', 'j', ' ', '\\u0301', '\\u3164']
    """
    shown = _cells(text) if names else [_cell(c, "") for c in text]
    return [" " if c in _DROPPED else cell for c, cell in zip(text, shown, strict=True)]


def is_mark(c: str) -> bool:
    """Whether a character combines with the one before it."""
    return unicodedata.category(c).startswith("M")


_DROPPED = frozenset(" \t\n\r\v\f")
_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_INVISIBLE_MARKS = re.compile("[\u034f\u17b4\u17b5\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")


def _cells(text: str) -> list[str]:
    return [_cell(c, before) for before, c in zip(("", *text), text, strict=False)]


def _cell(c: str, before: str) -> str:
    stray = is_mark(c) and (not before.isalnum() or bool(_INVISIBLE_MARKS.match(c)))
    return c if c.isprintable() and not stray and c not in _BLANK_LETTERS else _escape(c)


def _escape(c: str) -> str:
    return c.encode("unicode_escape").decode("ascii")
