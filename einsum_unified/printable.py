"""Make text from users safe to print: without invisible characters, stray marks or commands."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

_COMMAND_AT_START = re.compile("^( *):(?=:)", re.MULTILINE)
"""The beginning of GitHub's ``::error::``, which may be indented."""
_COMMAND = re.compile(r"##(?=\[|vso\[|teamcity\[)")
"""The beginning of GitHub's ``##[error]``, Azure's ``##vso[...]`` and TeamCity's ``##teamcity[...]``."""
_SURROGATE = re.compile("[\ud800-\udfff]")


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


def shown(text: str) -> str:
    r"""Return lines with unprintable characters escaped, in which services that run tests read no commands.

    Such services take lines of a log for commands: GitHub those that begin with ``::``, even if indented.
    Here a bar takes the place of the last blank of an indentation, so that carets in the next line stay
    right, and a character of other commands is spelled out.

    >>> print(shown("::error::x.py:1: \u202e\n    ::debug::\n    ^"))
    \x3a:error::x.py:1: \u202e
       |::debug::
        ^
    """
    text = _COMMAND.sub(r"#\\x23", escaped(text, newlines=True))
    return _COMMAND_AT_START.sub(lambda found: f"{found[1][:-1]}|:" if found[1] else r"\x3a", text)


def json_text(data: Any, indent: int) -> str:
    r"""Return data as JSON of ASCII characters alone, in which services that run tests read no commands.

    Lone surrogates, as in a file's name that is not UTF-8, are spelled out: many readers of JSON refuse them.

    >>> json_text(["\u202e ##[error]", "\udcff"], indent=0)
    '[\n"\\u202e #\\u0023[error]",\n"\\\\udcff"\n]'
    """
    return json.dumps(_without_surrogates(data), indent=indent).replace("##", r"#\u0023")


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


def _without_surrogates(data: Any) -> Any:
    if isinstance(data, dict):
        return {_without_surrogates(key): _without_surrogates(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_without_surrogates(each) for each in data]
    return _SURROGATE.sub(lambda found: _escape(found[0]), data) if isinstance(data, str) else data


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
