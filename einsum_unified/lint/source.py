"""A source file: its text, its syntax tree, and the places of the characters of its string literals."""

from __future__ import annotations

import ast
import re
import stat
import warnings
from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache
from importlib.util import decode_source
from pathlib import Path
from typing import NamedTuple

LARGEST = 10_000_000
"""Files with more bytes are not read: a syntax tree takes a hundred times as much memory."""

_GAP = re.compile(r"(?:[ \t\f\n]|\\\n|#[^\n]*)*")
_OPENING = re.compile(r"(?P<prefix>[A-Za-z]{0,2})(?P<quote>'''|\"\"\"|'|\")")
_PLAIN = re.compile(r"[^\\'\"]+")
_ESCAPE = re.compile(
    r"\\(?P<one>[0-7]{1,3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}]*\}|[\\'\"abfnrtv])"
)


class UnreadableError(Exception):
    """A file cannot be read, or is not valid Python."""


class Place(NamedTuple):
    """A place in a file: line and column, counted from 1, the column in characters."""

    line: int
    column: int


class Source:
    r"""The text of a file and its syntax tree.

    >>> source = Source("print('α',\n  x)")
    >>> source.start(source.tree.body[0].value.args[1])
    Place(line=2, column=3)
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = _parsed(text)
        self.lines = text.split("\n")  # as the parser counts them: a form feed does not end a line
        self._starts = [0]
        for line in self.lines:
            self._starts.append(self._starts[-1] + len(line) + 1)

    def start(self, node: ast.expr | ast.keyword) -> Place:
        """Return the place where a node begins."""
        return self._place(self._offset(node.lineno, node.col_offset))

    def places(self, literal: ast.Constant, indices: Iterable[int]) -> list[Place]:
        r"""Return the places of characters of a string literal's value, by their index in the value.

        For an index beyond the value, and in f-strings, it is the beginning of the literal.

        >>> source = Source(r"'i\tj' 'k'")
        >>> [place.column for place in source.places(source.tree.body[0].value, range(4))]
        [2, 3, 5, 9]
        """
        assert isinstance(literal.value, str)
        assert literal.end_lineno is not None
        assert literal.end_col_offset is not None
        start = self._offset(literal.lineno, literal.col_offset)
        stop = self._offset(literal.end_lineno, literal.end_col_offset)
        offsets = _value_offsets(self.text[start:stop])
        if len(offsets) != len(literal.value):
            offsets = []
        return [self._place(start + (offsets[n] if n < len(offsets) else 0)) for n in indices]

    def _offset(self, line: int, byte: int) -> int:
        text = self.lines[line - 1]
        column = byte if text.isascii() else len(text.encode()[:byte].decode())
        return self._starts[line - 1] + column

    def _place(self, offset: int) -> Place:
        line = bisect_right(self._starts, offset)
        return Place(line, offset - self._starts[line - 1] + 1)


def read(path: Path) -> Source:
    """Read a file; raises `UnreadableError`, with a message in one line, if it is not Python source."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableError("is not a regular file")
        if status.st_size > LARGEST:
            raise UnreadableError(f"has more than {LARGEST:,} bytes")
        return parse(path.read_bytes())
    except OSError as error:
        raise UnreadableError(error.strerror or type(error).__name__) from None


def parse(source: bytes | str) -> Source:
    """Decode and parse source as Python does; raises `UnreadableError` if it is not valid Python."""
    try:
        return Source(decode_source(source) if isinstance(source, bytes) else source)
    except UnicodeError as error:
        raise UnreadableError(f"cannot be decoded: {error}") from None
    except SyntaxError as error:
        where = f"line {error.lineno}: " if error.lineno else ""
        raise UnreadableError(f"is not valid Python: {where}{error.msg}") from None
    except (LookupError, ValueError) as error:  # a codec that does not produce text; a null character
        raise UnreadableError(f"is not valid Python: {error}") from None
    except (RecursionError, MemoryError):
        raise UnreadableError("is nested too deeply to be parsed") from None


def _parsed(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # warnings about escapes and about `is` with a literal are not for this linter
        return ast.parse(text)


@lru_cache(maxsize=8)
def _value_offsets(text: str) -> list[int]:
    """Return the offset of each character of a value in its source: one or several adjacent literals."""
    offsets: list[int] = []
    at = 0
    while at < len(text) and (opening := _OPENING.match(text, at)):
        prefix, quote = opening["prefix"].lower(), opening["quote"]
        if "f" in prefix:
            return []
        at = opening.end()
        while at < len(text) and not text.startswith(quote, at):
            at = _step(text, at, "r" in prefix, offsets)
        at = _skip_gap(text, at + len(quote))
    return offsets


def _skip_gap(text: str, at: int) -> int:
    gap = _GAP.match(text, at)
    return gap.end() if gap else at


def _step(text: str, at: int, raw: bool, offsets: list[int]) -> int:
    """Append the offsets of the value's next characters, from ``at``, and return the offset after them."""
    if plain := _PLAIN.match(text, at):
        offsets += range(at, plain.end())
        return plain.end()
    if text[at] != "\\":
        offsets.append(at)
        return at + 1
    escape = None if raw else _ESCAPE.match(text, at)
    if escape:
        offsets.append(at)
        return escape.end()
    if raw or text[at + 1 : at + 2] != "\n":  # an unknown escape is kept as it is
        offsets += [at, at + 1]
    return at + 2
