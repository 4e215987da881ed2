"""The remarks about equations that some libraries accept and others refuse."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice

from einsum_unified.language.equation import Equation, parse
from einsum_unified.language.letters import LETTERS
from einsum_unified.lint.calls import Call
from einsum_unified.lint.libraries import LibraryEinsum
from einsum_unified.lint.rules import MOST_MARKS, MOST_NAMES, Remark
from einsum_unified.wording import listed, numbered

_LETTER = re.compile(r"[a-zA-Z\s,.>-]")


def refusals(call: Call, libraries: Sequence[LibraryEinsum]) -> Iterator[Remark]:
    """Yield remarks on a valid equation that at least one of the libraries refuses."""
    equation = parse(call.text.value if call.sublists is None else call.sublists)
    for check in _CHECKS:
        for remark, refuses in check(equation):
            names = [library.name for library in libraries if refuses(library)]
            if names:
                said = f"{remark.message}, which {listed(names)} refuse{'s' * (len(names) == 1)}"
                yield Remark(remark.code, said, remark.marks, remark.notes)
    yield from keywords(call)


_Checked = Iterator[tuple[Remark, Callable[[LibraryEinsum], bool]]]


def _labels(equation: Equation) -> _Checked:
    if equation.sublists:
        return
    wrong = {c: n for n, c in reversed(list(enumerate(equation.text))) if not _LETTER.match(c)}
    if wrong:
        marks = sorted(wrong.values())
        names = listed([repr(equation.text[mark]) for mark in marks], MOST_NAMES)
        said = f"{numbered(len(marks), 'label')} {names}"
        note = "labels can only be a-z and A-Z there"
        yield Remark("EU201", said, marks[:MOST_MARKS], [note]), lambda library: library.letters


def _integers(equation: Equation) -> _Checked:
    if not equation.sublists:
        return
    labels = dict.fromkeys(chain.from_iterable(equation.inputs))
    wrong = [x for x in labels if x is not ... and not (isinstance(x, int) and 0 <= x < LETTERS)]
    if wrong:
        term = next(n for n, term in enumerate(equation.inputs) if wrong[0] in term)
        marks = equation.find(term, wrong[0])[:1]
        note = f"labels of sublists can only be integers from 0 to {LETTERS - 1} there"
        said = f"label {wrong[0]!r}" if isinstance(wrong[0], int) else "a label that is not an integer"
        yield Remark("EU202", said, marks, [note]), lambda library: library.letters and library.sublists


def _sublists(equation: Equation) -> _Checked:
    if equation.sublists:
        note = "write the equation as text"
        yield Remark("EU203", "the interleaved form", [0], [note]), lambda library: not library.sublists


def _blanks(equation: Equation) -> _Checked:
    if equation.sublists or not re.search(r"\s", equation.text):
        return
    whitespace = [m.start() for m in islice(re.finditer(r"[^\S ]", equation.text), MOST_MARKS)]
    if whitespace:
        said = "white space other than spaces"
        yield Remark("EU204", said, whitespace), lambda library: _refuses(library, equation.text)
        return
    split = [m.start() for m in islice(re.finditer(r"(?<=[-.]) +(?=[>.])", equation.text), MOST_MARKS)]
    if split:
        said = "a space within '->' or '...'"
        yield Remark("EU204", said, split), lambda library: _refuses(library, equation.text)


def _refuses(library: LibraryEinsum, text: str) -> bool:
    return re.search(library.blanks, text) is not None


def _ellipsis(equation: Equation) -> _Checked:
    having = [n for n, term in enumerate(equation.inputs) if ... in term]
    if having and equation.explicit and ... not in equation.output:
        said, note = (
            "'...' left out of the output",
            "unless it has no axes: write '...' in the output, or name its axes",
        )
        marks = equation.find(having[0], ...)
        yield Remark("EU205", said, marks, [note]), lambda library: library.keeps_ellipsis
    if len(having) > 1 and not equation.explicit:
        said = "the output left out although several operands have '...'"
        marks = [mark for n in having[:MOST_MARKS] for mark in equation.find(n, ...)]
        yield Remark("EU206", said, marks), lambda library: library.one_implicit_ellipsis


_CHECKS = (_labels, _integers, _sublists, _blanks, _ellipsis)


def keywords(call: Call) -> Iterator[Remark]:
    """Yield a remark for each keyword that the called einsum does not take."""
    known = call.library.keywords
    if known is None or not call.function.contracts:
        return
    for keyword in call.node.keywords:
        if keyword.arg is not None and keyword.arg not in known:
            notes = [f"it takes {listed(sorted(known), MOST_NAMES)}" if known else "it takes no keywords"]
            said = f"{call.function.name} has no keyword {keyword.arg!r}"
            yield Remark("EU207", said, notes=notes, node=keyword)
