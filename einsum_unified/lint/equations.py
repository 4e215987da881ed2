"""The remarks about einsum equations and their calls that hold for every library."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from einsum_unified.binding.strict import check_equation
from einsum_unified.errors import EquationError
from einsum_unified.language.equation import Equation, parse
from einsum_unified.language.mistakes import look_alikes
from einsum_unified.lint.calls import Call
from einsum_unified.lint.libraries import OURS
from einsum_unified.lint.rules import MOST_MARKS, Remark, lonely, wrong_count
from einsum_unified.wording import LONGEST_NAME, clipped, quoted


def equation_remarks(call: Call) -> Iterator[Remark]:
    """Yield remarks that hold for every library; raises `EquationError` if the equation cannot be read."""
    equation = parse(call.text.value if call.sublists is None else call.sublists)
    yield from _look_alikes(equation)
    yield from _operand_count(call, equation)
    refused = list(_strict(call, equation))
    yield from refused
    if not refused:
        yield from _lonely_labels(equation)
        yield from _implicit_output(call, equation)
    yield from _path(call, equation)


_CODES = {
    "output label": "EU002",
    "repeated output": "EU003",
    "explicit output": "EU009",
    "no lone sums": "EU009",
}
"""Rule of the parser or of ``strict=True`` → code; every other rule has the code EU001."""


def malformed(error: EquationError) -> Remark:
    """Turn an error of the parser into a remark.

    >>> try:
    ...     parse("ij->k")
    ... except EquationError as error:
    ...     remark = malformed(error)
    >>> remark.code, remark.message, remark.marks
    ('EU002', "output label 'k' occurs in no operand", (4,))
    """
    code = _CODES.get(error.rule, "EU001")
    return Remark(code, error.headline, error.marks[:MOST_MARKS], error.notes)


def _look_alikes(equation: Equation) -> Iterator[Remark]:
    """Find labels that are hardly meant as such: invisible ones, and those that look like a sign."""
    if not equation.sublists:
        for label, note in look_alikes(equation.text).items():
            marks = [n for n, c in enumerate(equation.text) if c == label]
            yield Remark("EU001", note, marks[:MOST_MARKS])


def _operand_count(call: Call, equation: Equation) -> Iterator[Remark]:
    count, terms = call.operands, len(equation.inputs)
    if count is None or count == terms:
        return
    mark = equation.start(min(count, terms - 1))
    notes = []
    if count == 1 and isinstance(call.node.args[1], (ast.List, ast.Tuple)):
        notes = [f"{call.function.name} takes operands as separate arguments: write *operands for a list"]
    yield wrong_count("equation", terms, count, mark, notes)


def _strict(call: Call, equation: Equation) -> Iterator[Remark]:
    """Find what the call itself forbids with ``strict=True``."""
    asked = call.keyword("strict")
    if call.library is not OURS or not isinstance(asked, ast.Constant) or asked.value is not True:
        return
    try:
        check_equation(equation)
    except EquationError as error:
        remark = malformed(error)
        last = max(len(equation.text.rstrip()) - 1, 0)
        yield replace(remark, marks=[min(mark, last) for mark in remark.marks])


def _lonely_labels(equation: Equation) -> Iterator[Remark]:
    """Find labels that are summed within one of several operands: most of them are typos."""
    if not equation.explicit or sum(map(bool, equation.inputs)) < 2:
        return  # with one operand such a sum is intended
    counts = Counter(chain.from_iterable(equation.inputs))
    counts.update(equation.output)
    counts.pop(..., 0)
    once = {label: n for n, term in enumerate(equation.inputs) for label in term if counts.get(label) == 1}
    if once:
        some = list(once.items())[:MOST_MARKS]
        marks = [mark for label, term in some for mark in equation.find(term, label)]
        yield lonely("label", "a label", [*map(quoted, once)], marks, total=not equation.output)


def _implicit_output(call: Call, equation: Equation) -> Iterator[Remark]:
    several = sum(... in term for term in equation.inputs) > 1
    if equation.explicit or (several and call.library.one_implicit_ellipsis):
        return  # with several ellipses another rule reports that the library refuses it
    appear = dict.fromkeys(chain.from_iterable(equation.inputs))
    kept = set(equation.output)
    sublists = equation.sublists
    meant = clipped(equation.subscripts(len(equation.inputs)), LONGEST_NAME)
    way = f"the last argument {meant}" if sublists else f"'->{meant}'"
    mark = [] if sublists else [max(len(equation.text.rstrip()) - 1, 0)]
    if [label for label in appear if label in kept] == list(equation.output):
        yield Remark("EU103", "the output is left out", mark, [f"it is {way}: write it out"])
    else:
        note = f"its labels are sorted, so it is {way}: write out the output that you mean"
        yield Remark("EU104", "the output is left out and reorders the labels", mark, [note])


def _path(call: Call, equation: Equation) -> Iterator[Remark]:
    if not call.library.wants_path or not call.function.contracts or len(equation.inputs) < 3:
        return
    everywhere = set.intersection(*map(set, equation.inputs)).union(equation.output)
    if everywhere.issuperset(chain.from_iterable(equation.inputs)):
        return  # no order of contraction saves anything
    said = f"numpy.einsum contracts {len(equation.inputs)} operands in one loop over all labels"
    note = "optimize=True contracts them pairwise, which is usually much faster"
    yield Remark("EU301", said, notes=[note])
