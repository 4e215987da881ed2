"""The rules by their codes, and what a check has to say before it has a place in a file."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """A rule: what it is called, how bad it is (error, warning or note), and what it finds."""

    code: str
    name: str
    level: str
    summary: str


_TABLE = (
    # The call fails whatever the operands are.
    ("EU001", "malformed-equation", "error", "the equation or einops pattern cannot be read"),
    ("EU002", "unknown-output-label", "error", "an output label occurs in no operand"),
    ("EU003", "repeated-output-label", "error", "a label is repeated in the output"),
    ("EU004", "operand-count", "error", "the call has more or fewer operands than the equation has terms"),
    ("EU005", "one-sided-axis", "error", "an axis of an einops pattern is on one side only"),
    ("EU006", "axis-size", "error", "a size is given for no axis of the einops pattern, or is lacking"),
    ("EU007", "unknown-reduction", "error", "einops.reduce is told a reduction that it does not know"),
    ("EU008", "equation-place", "error", "the equation is not where the function looks for it"),
    ("EU009", "strict-refusal", "error", "strict=True, in the call itself, refuses the equation"),
    # It runs, but probably does not do what is meant.
    ("EU101", "lonely-label", "warning", "a label occurs once, beside other operands, and is summed away"),
    ("EU102", "near-duplicate", "warning", "two names of an einops pattern differ by one letter"),
    ("EU103", "implicit-output", "note", "the output is left out"),
    ("EU104", "implicit-transpose", "warning", "the output is left out and has another order than appears"),
    ("EU105", "lonely-label-in-total", "note", "as EU101, in a sum over everything"),
    # The library that is called refuses it, though another takes it.
    ("EU201", "label-refused", "error", "a label that the library does not take"),
    ("EU202", "too-many-labels", "error", "more labels, or greater integers, than the library has letters"),
    ("EU203", "no-sublists", "error", "the interleaved form on a library without it"),
    ("EU204", "white-space-refused", "error", "white space that the library does not take"),
    (
        "EU205",
        "ellipsis-left-out",
        "warning",
        "'...' is left out of the output where the library refuses that",
    ),
    ("EU206", "implicit-ellipses", "error", "the output is left out beside several '...' on TensorFlow"),
    ("EU207", "unknown-keyword", "error", "a keyword that the library's einsum does not take"),
    # It works, slowly.
    ("EU301", "no-path", "warning", "numpy.einsum of three or more operands without optimize="),
)
RULES = {code: Rule(code, *rest) for code, *rest in _TABLE}

MOST_MARKS = 8
"""Places that a remark points at."""
MOST_NAMES = 6
"""Labels or axes that a remark names; it counts the rest."""


@dataclass(frozen=True)
class Remark:
    """What a check says: where in the equation (``marks``), or else at which node of the source."""

    code: str
    message: str
    marks: Sequence[int] = ()
    notes: Sequence[str] = ()
    node: ast.expr | ast.keyword | None = None


def is_chosen(code: str, chosen: Iterable[str]) -> bool:
    """Whether a code, or the beginning of one, is among those chosen.

    >>> is_chosen("EU101", ["EU1"]), is_chosen("EU101", ["EU102"])
    (True, False)
    """
    return code.startswith(tuple(chosen))
