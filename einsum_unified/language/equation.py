"""Turn an equation, as text or as sublists, into an `Equation`.

The grammar of the text is in `einsum_unified.language.text`. The interleaved form
``einsum(x, [0, 1], y, [1, 2], [0, 2])`` has lists of hashable labels as terms, with `Ellipsis` for "...".
Parsing takes time linear in the length of the equation and does not look at operands.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from operator import lt
from typing import Any

from einsum_unified.errors import EquationError
from einsum_unified.language.labels import Label, Span, Term, spelled
from einsum_unified.language.mistakes import look_alikes, names
from einsum_unified.language.sublists import Sublists, check_ellipses, spell
from einsum_unified.language.text import spans, split
from einsum_unified.memory import charge, forgets
from einsum_unified.wording import LONGEST_TERM, clipped, quoted

LONG = 4096
"""Longer texts (in characters) and sublists (in labels) have a cache of their own, which keeps only a few."""


@dataclass(frozen=True)
class Equation:
    """A parsed equation: which labels each operand has, and which the result has.

    >>> equation = parse("ij, jk")
    >>> print(equation, equation.inputs, equation.output, equation.explicit)
    ij, jk (('i', 'j'), ('j', 'k')) ('i', 'k') False
    """

    text: str
    """The equation as written, or the interleaved form spelled out. Messages quote it."""
    inputs: tuple[Term, ...]
    output: Term
    explicit: bool
    """True if the equation has an output (``->``), False if the output was derived."""
    sublists: bool = False
    """Whether it was given in the interleaved form."""

    def __str__(self) -> str:
        return self.text

    def find(self, term: int, label: Label) -> list[int]:
        """Return each position in ``text`` of a label of a term; term ``len(inputs)`` is the output."""
        labels = (*self.inputs, self.output)[term]
        positions = self._spans()[term].labels
        # By hash first: a NumPy scalar compared with a tuple gives an array.
        same = {label}
        return [p for p, found in zip(positions, labels, strict=True) if found in same]

    def start(self, term: int) -> int:
        """Return the position in ``text`` where a term begins."""
        return self._spans()[term].start

    def subscripts(self, term: int) -> str:
        """Return a term as text: ``"ij"``, or ``"[0, 1]"`` for the interleaved form."""
        labels = self.output if term == len(self.inputs) else self.inputs[term]
        return spelled(labels, self.sublists)

    def shown(self, term: int) -> str:
        """Return a term as messages show it, shortened if long: ``'ij'`` in quotes, or ``[0, 1]``."""
        if not self.sublists:
            return quoted(self.subscripts(term), LONGEST_TERM + 2)
        return clipped(self.subscripts(term), LONGEST_TERM)

    def written(self) -> list[str | None]:
        """Return the terms as they are written, with white space; none for the interleaved form.

        The output is the last one, None if it is left out.
        """
        if self.sublists:
            return []
        terms: list[str | None] = [self.text[span.start : span.stop] for span in self._spans()]
        return terms if self.explicit else [*terms, None]

    def with_output(self) -> str:
        """Return the text, and add the output if it was left out.

        >>> parse("ij,jk").with_output()
        'ij,jk->ik'
        """
        if self.explicit:
            return self.text
        arrow = " -> " if self.sublists else "->"
        return f"{self.text}{arrow}{self.subscripts(len(self.inputs))}"

    @property
    def key(self) -> str | Sublists:
        """The text or the sublists that `parse` turns into this equation."""
        if not self.sublists:
            return self.text
        return Sublists(self.inputs, self.output if self.explicit else None)

    def _spans(self) -> list[Span]:
        """Return the place of each term in ``text``; computed on demand, since only messages need it."""
        return spans(self.key) if isinstance(self.key, str) else spell(self.key)[1]


def parse(equation: str | Sublists) -> Equation:
    """Parse an equation; results are cached by the text (or sublists) alone.

    >>> parse(" b i ..., b j -> ... i j ").output
    (Ellipsis, 'i', 'j')
    >>> parse("ij,jk->ijj")
    Traceback (most recent call last):
    einsum_unified.errors.EquationError: label 'j' is repeated in the output
        ij,jk->ijj
                ^^
      to put values on a diagonal, multiply by an identity matrix: np.eye(n) with the two labels
    """
    if isinstance(equation, Sublists) and equation.size is None:
        return _parse(equation)
    parsed: Equation = (_parse_long if is_long(equation) else _parse_short)(equation)
    return parsed


def is_long(equation: str | Sublists) -> bool:
    """Whether an equation belongs in the small caches for long equations (see `LONG`)."""
    if isinstance(equation, str):
        return len(equation) > LONG
    return sum(map(len, equation.inputs)) + len(equation.inputs) > LONG


def size_of_equation(equation: str | Sublists) -> int:
    """Return about how many bytes a parsed equation holds, without those of labels that are objects."""
    if isinstance(equation, str):
        return 500 + sys.getsizeof(equation) + 16 * len(equation) + 64 * equation.count(",")
    return 500 + (equation.size or 0) + 64 * sum(len(term) + 1 for term in equation.inputs)


def _parse(equation: str | Sublists) -> Equation:
    sublists = isinstance(equation, Sublists)
    if isinstance(equation, Sublists):
        check_ellipses(equation)
        text, (inputs, output) = spell(equation)[0], (equation.inputs, equation.output)
    else:
        text, (inputs, output) = equation, split(equation)
    if output is None:
        return Equation(text, inputs, implicit_output(inputs, text), explicit=False, sublists=sublists)
    parsed = Equation(text, inputs, output, explicit=True, sublists=sublists)
    _check_output(parsed)
    return parsed


def _parse_and_charge(equation: str | Sublists) -> Equation:
    charge(size_of_equation(equation))
    return _parse(equation)


def _new_caches() -> tuple[Any, Any]:
    return lru_cache(maxsize=1024)(_parse_and_charge), lru_cache(maxsize=4)(_parse_and_charge)


# Replaced as a whole, never cleared: other threads may be inside a look-up.
_parse_short, _parse_long = _new_caches()


@forgets
def _forget() -> None:
    global _parse_short, _parse_long
    _parse_short, _parse_long = _new_caches()


def implicit_output(inputs: tuple[Term, ...], text: str = "") -> Term:
    """Return the output of an equation that does not name one.

    It has the axes of the ellipsis first, then the labels that occur exactly once, sorted (characters by
    code point).
    """
    counts = Counter(chain.from_iterable(inputs))
    ellipsis = (...,) if counts.pop(..., 0) else ()
    once = [label for label, count in counts.items() if count == 1]
    try:
        ordered: list[Any] = sorted(once)
        if not all(map(lt, ordered, ordered[1:])):  # sets and NaN have no order, but can be compared
            raise TypeError
        return (*ellipsis, *ordered)
    except Exception:  # a class may raise anything
        note = "write the output as the last argument"
        headline = "the labels cannot be sorted, so there is no implicit output"
        raise EquationError.of(headline, text, [], [note], rule="implicit output") from None


def _check_output(equation: Equation) -> None:
    output, number = equation.output, len(equation.inputs)
    known = set(chain.from_iterable(equation.inputs))
    for label in output:
        if label is not ... and label not in known:
            name = quoted(label)
            note = f"to add an axis, reshape the result, or give an operand of ones with subscripts {name}"
            notes = look_alikes(equation.text).values() or [note]
            headline = f"output label {name} occurs in no operand"
            marks = equation.find(number, label)
            raise EquationError.of(headline, equation.text, marks, notes, rule="output label")
    if len(set(output)) == len(output):
        return
    label = next(label for label, count in Counter(output).items() if count > 1)
    headline = f"label {quoted(label)} is repeated in the output"
    note = "to put values on a diagonal, multiply by an identity matrix: np.eye(n) with the two labels"
    notes = names(equation.written(), number) or look_alikes(equation.text).values() or [note]
    raise EquationError.of(
        headline, equation.text, equation.find(number, label), notes, rule="repeated output"
    )
