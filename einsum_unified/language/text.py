"""Split an equation that is text into its terms, and find the place of each term and label.

The grammar is::

    equation = terms [ "->" term ]
    terms    = term { "," term }
    term     = { label | "..." }          at most one "..." in a term
    label    = an ASCII letter or digit, "_", or another character from U+00A1 on, but not U+00AD

ASCII whitespace is dropped everywhere. Characters are compared by code point: two that look the same, or that
Unicode calls equivalent, are two labels. Invisible ones are labels too, since `opt_einsum.get_symbol` and so
the programs that number labels with it give every character from U+00C0 on. Messages spell them out.
"""

from __future__ import annotations

import re
import unicodedata

from einsum_unified.errors import EquationError
from einsum_unified.language.labels import Span, Term

_BLANKS = " \t\n\r\v\f"
_WHITESPACE = dict.fromkeys(map(ord, _BLANKS))
_GRAMMAR = frozenset(",.->")

_SEPARATOR = re.compile(rf",|-[{_BLANKS}]*>")
_LABEL = re.compile(rf"\.[{_BLANKS}]*\.[{_BLANKS}]*\.|[^{_BLANKS}]")


def split(text: str) -> tuple[tuple[Term, ...], Term | None]:
    """Return the terms of the operands, and the output's term or None; raises `EquationError`.

    >>> split("i j, j...")
    ((('i', 'j'), ('j', Ellipsis)), None)
    """
    compact = text.translate(_WHITESPACE)
    _check_characters(text, set(compact))
    left, arrow, right = compact.partition("->")
    if "-" in left or ">" in left or "-" in right or ">" in right:
        _raise_for_arrow(text)
    if "," in right:
        headline = "the output has a comma, but there is only one output"
        raise EquationError.of(headline, text, [text.index(",", text.index(">"))], rule="one output")
    terms = left.split(",")
    inputs = tuple(_term(text, n, term, f"term {n}") for n, term in enumerate(terms))
    return inputs, _term(text, len(terms), right, "the output") if arrow else None


def spans(text: str) -> list[Span]:
    """Return the place of each term in a text, and of its labels; the output comes last if there is one.

    >>> spans(" ij , ...k")
    [Span(start=1, stop=4, labels=(1, 2)), Span(start=6, stop=10, labels=(6, 9))]
    """
    found = []
    start = 0
    ends = [(separator.start(), separator.end()) for separator in _SEPARATOR.finditer(text)]
    for stop, following in [*ends, (len(text), len(text))]:
        labels = tuple(label.start() for label in _LABEL.finditer(text, start, stop))
        found.append(Span(labels[0] if labels else stop, stop, labels))
        start = following
    return found


def _term(text: str, number: int, term: str, what: str) -> Term:
    if "." not in term:
        return tuple(term)
    before, _, after = term.partition("...")
    if "." not in before + after:
        return (*before, ..., *after)
    span = spans(text)[number]
    if "." in term.replace("...", ""):
        marks = [p for p in range(span.start, span.stop) if text[p] == "."]
        raise EquationError.of(f"{what} has a '.' that is not part of '...'", text, marks, rule="ellipsis")
    marks = [p for p in span.labels if text[p] == "."]
    raise EquationError.of(f"{what} has more than one '...'", text, marks, rule="one ellipsis")


def _check_characters(text: str, characters: set[str]) -> None:
    """Raise for the first character that is neither a label nor one of ``,.->``."""
    wrong = {c for c in characters if not _is_label(c) and c not in _GRAMMAR}
    if not wrong:
        return
    position = next(p for p, c in enumerate(text) if c in wrong)
    c = text[position]
    code = f"U+{ord(c):04X} {unicodedata.name(c, '')}".rstrip()
    if c.isprintable():
        headline = f"{c!r} is not a label"
        note = "labels are letters, digits, '_' and non-ASCII symbols; other punctuation is reserved"
    else:
        headline = f"{code} is neither a label nor whitespace that is dropped"
        note = "only space, tab, newline, carriage return, vertical tab and form feed are dropped"
    raise EquationError.of(headline, text, [position], [note], rule="characters")


def _is_label(c: str) -> bool:
    if c.isascii():
        return c.isalnum() or c == "_"
    return c >= "\u00c0" or c.isprintable()  # not control characters, NO-BREAK SPACE, SOFT HYPHEN


def _raise_for_arrow(text: str) -> None:
    marks = [p for p, c in enumerate(text) if c in "->"]
    arrows = text.translate(_WHITESPACE).count("->")
    headline = "more than one '->'" if arrows > 1 else "'-' and '>' may only be used together, as '->'"
    raise EquationError.of(headline, text, marks, rule="arrow")
