"""Turn an equation, as text or as sublists, into an `Equation`.

Grammar of the text, after ASCII whitespace is dropped::

    equation = terms [ "->" term ]
    terms    = term { "," term }
    term     = { label | "..." }          at most one "..." in a term
    label    = a Unicode letter or digit, "_", or a non-ASCII symbol

The interleaved form ``einsum(x, [0, 1], y, [1, 2], [0, 2])`` has sublists of any hashables for
terms, with `Ellipsis` for "...". Parsing takes time linear in the length and looks at no operand.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from einsum_unified.errors import EquationError, message, quoted
from einsum_unified.language.labels import Label, Term, spelled
from einsum_unified.language.sublists import Sublists, spell

LONG = 4096
"""Texts above this length (characters) and sublists above this many labels are cached only few at a time."""

_SHOWN = 60  # characters of a term in a message

_WHITESPACE = dict.fromkeys(map(ord, " \t\n\r\v\f"))
# Letters of Arabic and other scripts that are classed as invisible "format" characters but are drawn.
_DRAWN_FORMAT = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2")
_GRAMMAR = frozenset(",.->")


@dataclass(frozen=True)
class Equation:
    """A parsed equation: which labels each operand has, and which the result has.

    >>> equation = parse("ij, jk")
    >>> print(equation, equation.inputs, equation.output, equation.explicit)
    ij, jk (('i', 'j'), ('j', 'k')) ('i', 'k') False
    """

    text: str
    """The equation as it was written (the interleaved form spelled out): what messages point into."""
    inputs: tuple[Term, ...]
    output: Term
    explicit: bool
    """Whether the output was written (``->``), not derived."""
    sublists: bool = False
    """Whether it was given in the interleaved form."""

    def __str__(self) -> str:
        return self.text

    def find(self, term: int, label: Label) -> list[int]:
        """Return the positions in ``text`` of a label in a term; the output is term ``len(inputs)``."""
        if self.sublists:
            positions, _ = spell(self._sublists())[1][term]
            labels = (*self.inputs, self.output)[term]
            return [p for p, found in zip(positions, labels, strict=True) if found == label]
        start, stop = _span(self.text, term)
        if label is ...:
            return [self.text.index(".", start, stop)]
        return [p for p in range(start, stop) if self.text[p] == label]

    def start(self, term: int) -> int:
        """Return the position in ``text`` where a term begins."""
        return spell(self._sublists())[1][term][1] if self.sublists else _span(self.text, term)[0]

    def subscripts(self, term: int) -> str:
        """Return a term as text: ``"ij"``, or ``"[0, 1]"`` for the interleaved form."""
        labels = self.output if term == len(self.inputs) else self.inputs[term]
        return spelled(labels, self.sublists)

    def shown(self, term: int) -> str:
        """Return a term as messages show it, clipped: ``'ij'`` in quotes, or ``[0, 1]``."""
        text = self.subscripts(term)
        text = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
        return text if self.sublists else repr(text)

    def with_output(self) -> str:
        """Return the text, with its output where that was left out.

        >>> parse("ij,jk").with_output()
        'ij,jk->ik'
        """
        if self.explicit:
            return self.text
        arrow = " -> " if self.sublists else "->"
        return f"{self.text}{arrow}{self.subscripts(len(self.inputs))}"

    @property
    def key(self) -> str | Sublists:
        """What parses to this equation: its text, or its sublists."""
        return self._sublists() if self.sublists else self.text

    def _sublists(self) -> Sublists:
        return Sublists(self.inputs, self.output if self.explicit else None)


def parse(equation: str | Sublists) -> Equation:
    """Parse an equation, cached by the text (or sublists) alone.

    >>> parse(" b i ..., b j -> ... i j ").output
    (Ellipsis, 'i', 'j')
    >>> parse("ij,jk->ijj")
    Traceback (most recent call last):
    einsum_unified.errors.EquationError: label 'j' is repeated in the output
        ij,jk->ijj
                ^^
      to put values on a diagonal, multiply with an identity: an operand np.eye(n) with the two labels
    """
    return _parse_long(equation) if is_long(equation) else _parse_short(equation)


def is_long(equation: str | Sublists) -> bool:
    """Whether an equation is so long that only a few such are kept in caches."""
    if isinstance(equation, str):
        return len(equation) > LONG
    return sum(map(len, equation.inputs)) + len(equation.inputs) > LONG


def _parse(equation: str | Sublists) -> Equation:
    if isinstance(equation, str):
        return _parse_text(equation)
    return _parse_sublists(equation)


_parse_short = lru_cache(maxsize=1024)(_parse)
_parse_long = lru_cache(maxsize=4)(_parse)


# --- text ---------------------------------------------------------------------------------------


def _parse_text(text: str) -> Equation:
    compact = text.translate(_WHITESPACE)
    _check_characters(text, set(compact))
    left, arrow, right = compact.partition("->")
    if "-" in left or ">" in left or "-" in right or ">" in right:
        _raise_for_arrow(text)
    if "," in right:
        comma = text.index(",", text.index(">"))
        raise EquationError(message("the output has a comma, but there is only one output", text, [comma]))
    inputs = tuple(_term(text, n, term) for n, term in enumerate(left.split(",")))
    if not arrow:
        return Equation(text, inputs, implicit_output(inputs), explicit=False)
    equation = Equation(text, inputs, _term(text, len(inputs), right), explicit=True)
    _check_output(equation)
    return equation


def _term(text: str, number: int, term: str) -> Term:
    if "." not in term:
        return tuple(term)
    before, dots, after = term.partition("...")
    if dots and "." not in before + after:
        return (*before, ..., *after)
    start, stop = _span(text, number)
    marks = [p for p in range(start, stop) if text[p] == "."]
    what = "the output" if 0 <= text.find("-") < start else f"term {number}"
    if not dots or "." in term.replace("...", ""):
        raise EquationError(message(f"a '.' in {what} that is no part of '...'", text, marks))
    raise EquationError(message(f"{what} has more than one '...'", text, marks[::3]))


def _check_characters(text: str, characters: set[str]) -> None:
    """Raise for the first character that is neither a label nor grammar."""
    wrong = {c for c in characters if not _is_label(c) and c not in _GRAMMAR}
    if not wrong:
        return
    position = next(p for p, c in enumerate(text) if c in wrong)
    c = text[position]
    code = f"U+{ord(c):04X} {unicodedata.name(c, '')}".rstrip()
    if c.isascii() and c.isprintable():
        headline = f"{c!r} is no label"
        note = "labels are letters, digits, '_' and non-ASCII symbols; other punctuation is reserved"
    else:
        headline = f"{code} is neither a label nor whitespace that is dropped"
        note = "dropped are space, tab, newline, carriage return, vertical tab and form feed"
    raise EquationError(message(headline, text, [position], [note]))


def _is_label(c: str) -> bool:
    if c.isascii():
        return c.isalnum() or c == "_"
    # Invisible: white space, control, format (zero-width, direction) characters, half a surrogate pair.
    invisible = c.isspace() or unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zs", "Zl", "Zp")
    return not invisible or c in _DRAWN_FORMAT


def _raise_for_arrow(text: str) -> None:
    marks = [p for p, c in enumerate(text) if c in "->"]
    arrows = text.translate(_WHITESPACE).count("->")
    headline = "more than one '->'" if arrows > 1 else "'-' and '>' stand only together, as '->'"
    raise EquationError(message(headline, text, marks))


def _span(text: str, term: int) -> tuple[int, int]:
    """Return where the text of a term begins, white space left out, and ends."""
    arrow = text.find("-")
    end = len(text) if arrow < 0 else arrow
    start = 0
    for _ in range(term):
        comma = text.find(",", start, end)
        if comma < 0:  # it is the output
            start, end = text.index(">") + 1, len(text)
            break
        start = comma + 1
    stop = text.find(",", start, end)
    stop = end if stop < 0 else stop
    while start < stop and ord(text[start]) in _WHITESPACE:
        start += 1
    return start, stop


# --- sublists -----------------------------------------------------------------------------------


def _parse_sublists(sublists: Sublists) -> Equation:
    inputs, output = sublists.inputs, sublists.output
    text, spans = spell(sublists)
    terms = [*inputs, *([] if output is None else [output])]
    for n, (term, (positions, _)) in enumerate(zip(terms, spans, strict=True)):
        if sum(label is ... for label in term) > 1:
            what = "the output" if n == len(inputs) else f"term {n}"
            marks = [p for label, p in zip(term, positions, strict=True) if label is ...]
            raise EquationError(message(f"{what} has more than one '...'", text, marks))
    if output is None:
        return Equation(text, inputs, implicit_output(inputs, text), explicit=False, sublists=True)
    equation = Equation(text, inputs, output, explicit=True, sublists=True)
    _check_output(equation)
    return equation


# --- both ---------------------------------------------------------------------------------------


def implicit_output(inputs: tuple[Term, ...], text: str = "") -> Term:
    """Return the output that is meant when none is written.

    These are the ellipsis axes first, then the labels that occur exactly once, sorted by value
    (a character's is its code point).
    """
    counts = Counter(chain.from_iterable(inputs))
    ellipsis = (...,) if counts.pop(..., 0) else ()
    once = [label for label, count in counts.items() if count == 1]
    try:
        return (*ellipsis, *sorted(once))  # type: ignore[type-var]
    except TypeError:
        note = "write the output as the last argument"
        headline = "the labels cannot be sorted, so there is no implicit output"
        raise EquationError(message(headline, text, [], [note])) from None


def _check_output(equation: Equation) -> None:
    output, number = equation.output, len(equation.inputs)
    known = set(chain.from_iterable(equation.inputs))
    for label in output:
        if label is not ... and label not in known:
            name = quoted(label)
            note = f"to add an axis, reshape the result, or give an operand of ones with subscripts {name}"
            marks = equation.find(number, label)
            raise EquationError(
                message(f"output label {name} occurs in no operand", equation.text, marks, [note])
            )
    if len(set(output)) == len(output):
        return
    label = next(label for label, count in Counter(output).items() if count > 1)
    note = "to put values on a diagonal, multiply with an identity: an operand np.eye(n) with the two labels"
    marks = equation.find(number, label)
    raise EquationError(
        message(f"label {quoted(label)} is repeated in the output", equation.text, marks, [note])
    )
