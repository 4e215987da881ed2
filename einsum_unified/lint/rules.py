"""The rules by code, and `Remark`: the result of a check before it has a place in a file."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from einsum_unified.wording import counted, listed, numbered


@dataclass(frozen=True)
class Rule:
    """A rule: its code and name, its level (error, warning or note), and a summary of what it finds."""

    code: str
    name: str
    level: str
    summary: str


_TABLE = (
    # The call fails for any operands.
    ("EU001", "malformed-equation", "error", "the equation or einops pattern cannot be read"),
    ("EU002", "unknown-output-label", "error", "an output label occurs in no operand"),
    ("EU003", "repeated-output-label", "error", "a label is repeated in the output"),
    ("EU004", "operand-count", "error", "the call has more or fewer operands than the equation has terms"),
    ("EU005", "one-sided-axis", "error", "an axis of an einops pattern is on one side only"),
    ("EU006", "axis-size", "error",
     "a size of an einops pattern is missing, or is given for an unknown axis"),
    ("EU007", "unknown-reduction", "error", "einops.reduce does not have the reduction"),
    ("EU008", "equation-place", "error", "the equation is in the wrong place among the arguments"),
    ("EU009", "strict-refusal", "error", "strict=True, in the call itself, refuses the equation"),
    # The call runs, but probably does not do what is intended.
    ("EU101", "lonely-label", "warning",
     "a label occurs once, in one of several operands, and is summed away"),
    ("EU102", "near-duplicate", "warning", "two names of an einops pattern differ by one letter"),
    ("EU103", "implicit-output", "note", "the output is left out"),
    ("EU104", "implicit-transpose", "warning",
     "the output is left out, and its labels are in another order than in the terms"),
    ("EU105", "lonely-label-in-total", "note", "like EU101, in a sum over everything"),
    # The called library refuses the equation, although others accept it.
    ("EU201", "label-refused", "error", "a label that the library does not take"),
    ("EU202", "too-many-labels", "error",
     "more labels, or larger integers, than the library has letters for"),
    ("EU203", "no-sublists", "error", "the interleaved form with a library that does not have it"),
    ("EU204", "white-space-refused", "error", "white space that the library does not take"),
    ("EU205", "ellipsis-left-out", "warning", "'...' is left out of the output, which the library refuses"),
    ("EU206", "implicit-ellipses", "error",
     "the output is left out although several operands have '...', on TensorFlow"),
    ("EU207", "unknown-keyword", "error", "a keyword that the library's einsum does not take"),
    # The call works, but slowly.
    ("EU301", "no-path", "warning", "numpy.einsum of three or more operands without optimize="),
)  # fmt: skip
RULES = {code: Rule(code, *rest) for code, *rest in _TABLE}

MOST_MARKS = 8
"""The maximum number of places that a remark marks."""
MOST_NAMES = 6
"""The maximum number of labels or axes that a remark names; it counts the others."""


@dataclass(frozen=True)
class Remark:
    """The result of a check, at positions ``marks`` of the equation, or else at a node of the source."""

    code: str
    message: str
    marks: Sequence[int] = ()
    notes: Sequence[str] = ()
    node: ast.expr | ast.keyword | None = None


def wrong_count(what: str, terms: int, given: int, mark: int, notes: Sequence[str] = ()) -> Remark:
    """Return the remark on a call with more or fewer operands than its equation or pattern has terms.

    >>> wrong_count("equation", terms=2, given=1, mark=0).message
    'the equation has 2 terms but the call 1 operand'
    """
    message = f"the {what} has {counted(terms, 'term')} but the call {counted(given, 'operand')}"
    return Remark("EU004", message, [mark], notes)


def lonely(kind: str, one: str, names: Sequence[str], marks: Sequence[int], total: bool) -> Remark:
    """Return the remark on labels or axes that occur once and are summed away.

    ``kind`` and ``one`` say in the message and in its note what they are; ``total`` is whether everything is
    summed.

    >>> lonely("label", "a label", ["'i'", "'k'"], [0, 3], total=False).message
    "labels 'i' and 'k' occur once each and are summed away"
    """
    happens = "occurs once and is summed away" if len(names) == 1 else "occur once each and are summed away"
    message = f"{numbered(len(names), kind)} {listed(names, MOST_NAMES)} {happens}"
    note = f"if intended, sum that operand first; if not, {one} is misspelt or missing in the output"
    return Remark("EU105" if total else "EU101", message, marks, [note])


def is_chosen(code: str, chosen: Iterable[str]) -> bool:
    """Whether one of the chosen codes, or beginnings of codes, matches a code.

    >>> is_chosen("EU101", ["EU1"]), is_chosen("EU101", ["EU102"])
    (True, False)
    """
    return code.startswith(tuple(chosen))
