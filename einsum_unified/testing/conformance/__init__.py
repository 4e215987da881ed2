"""The conformance kit: a corpus of calls that tests whether an array library follows the rules.

Use `ConformanceSuite` in a library's tests, or ``einsum-unified conformance`` in a shell.
"""

from einsum_unified.testing.conformance.cases import Argument, Case, corpus, rows
from einsum_unified.testing.conformance.makers import Library, library_of
from einsum_unified.testing.conformance.runner import Outcome, run, run_case
from einsum_unified.testing.conformance.suite import ConformanceSuite

__all__ = [
    "Argument",
    "Case",
    "ConformanceSuite",
    "Library",
    "Outcome",
    "corpus",
    "library_of",
    "rows",
    "run",
    "run_case",
]
