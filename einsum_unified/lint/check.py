"""`check`: apply every rule to the calls of a source, and locate each remark in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from einsum_unified.errors import EquationError
from einsum_unified.lint.axes import pattern_remarks
from einsum_unified.lint.calls import Call, calls_of
from einsum_unified.lint.equations import equation_remarks, malformed
from einsum_unified.lint.libraries import NUMPY, OPTIMIZED, PORTABLE, CallForm, LibraryEinsum
from einsum_unified.lint.patterns import PatternError
from einsum_unified.lint.portability import refusals
from einsum_unified.lint.rules import Remark
from einsum_unified.lint.source import Place, Source, parse
from einsum_unified.lint.suppress import is_silenced, silenced

_NAMED = re.compile("einsum|einops")  # the full name of every checked function contains one of them


@dataclass(frozen=True)
class Finding:
    """A rule that a call breaks, and its place in the source."""

    code: str
    message: str
    places: tuple[Place, ...]
    """The places in the source; the first one is reported."""
    equation: str
    marks: tuple[int, ...]
    """The positions in the equation."""
    function: str
    notes: tuple[str, ...]
    source_line: str

    @property
    def line(self) -> int:
        """The reported line, counted from 1."""
        return self.places[0].line

    @property
    def column(self) -> int:
        """The reported column in characters, counted from 1."""
        return self.places[0].column


def check(source: Source | str | bytes, portable: bool = False) -> list[Finding]:
    r"""Return the findings in a source, in order; raises `UnreadableError` if it is not valid Python.

    With ``portable``, these include equations that the called library accepts but NumPy, torch, TensorFlow
    or JAX would refuse.

    >>> for finding in check("import numpy as np\nnp.einsum('ij,jk->iz', a, b)"):
    ...     print(finding.line, finding.column, finding.code, finding.message)
    2 20 EU002 output label 'z' occurs in no operand
    """
    if not isinstance(source, Source):
        source = parse(source)
    if not _NAMED.search(source.text):
        return []
    comments = silenced(source.text)
    found = {}
    for call in calls_of(source.tree):
        for remark in _remarks(call, portable):
            finding = _finding(remark, call, source)
            lines = {finding.line, call.node.lineno, call.node.end_lineno or 0, *_last_lines(call)}
            if not is_silenced(finding.code, lines, comments):
                found[finding.places, finding.code, finding.message] = finding
    return sorted(found.values(), key=lambda finding: (*finding.places[0], finding.code))


def _remarks(call: Call, portable: bool) -> Iterator[Remark]:
    if call.misplaced:
        where = {0: "first", -1: "last"}.get(call.function.at, "second")
        what = "equation" if call.function.form is CallForm.EQUATION else "pattern"
        said = f"{call.function.name} takes the {what} as its {where} argument"
        yield Remark("EU008", said, [0])
        return
    try:
        if call.function.form is not CallForm.EQUATION:
            yield from pattern_remarks(call)
            return
        yield from equation_remarks(call)
        yield from refusals(call, _libraries(call, portable))
    except EquationError as error:
        yield malformed(error)
    except PatternError as error:
        yield Remark("EU001", str(error), error.marks)


def _libraries(call: Call, portable: bool) -> list[LibraryEinsum]:
    if not portable:
        return [call.library]
    own = call.library is OPTIMIZED
    return [OPTIMIZED if own and library is NUMPY else library for library in PORTABLE]


def _finding(remark: Remark, call: Call, source: Source) -> Finding:
    if remark.node is not None:
        places = [source.start(remark.node)]
    elif remark.marks:
        places = call.text.places(source, remark.marks)
    else:
        places = [source.start(call.node)]
    return Finding(
        remark.code,
        remark.message,
        tuple(places),
        call.text.value,
        tuple(remark.marks),
        call.function.name,
        tuple(remark.notes),
        source.lines[places[0].line - 1],
    )


def _last_lines(call: Call) -> set[int]:
    """Return the last lines of an equation's literals: a comment cannot stand within a literal."""
    return {piece.node.end_lineno or 0 for piece in call.text.pieces}
