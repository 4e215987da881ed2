"""`ConformanceSuite`: the corpus as tests for pytest, one a case, for an adapter of your own."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

from einsum_unified.testing.conformance.cases import Case, corpus
from einsum_unified.testing.conformance.makers import Library
from einsum_unified.testing.conformance.runner import run_case


class ConformanceSuite:
    """Derive a class from it whose name begins with ``Test``; pytest runs a test for each case.

    ::

        class TestMine(ConformanceSuite):
            adapter = mine.adapter
            asarray = mine.asarray

    What the adapter declares as lacking (``capabilities.gaps``, ``dtypes``, ``out``, ...) is skipped with a
    reason that begins with "declared gap:". The adapter need not be registered.
    """

    adapter: ClassVar[Any]
    """The adapter: a module, or any object, with the members of `einsum_unified.adapter.Backend`."""
    asarray: ClassVar[Any] = None
    """A function of a NumPy array that returns your tensor of its values and dtype; the adapter's if None."""
    gradients: ClassVar[Any] = None
    """``gradients(function, tensors)``: the derivatives of a function that returns a 0-d tensor."""

    @classmethod
    @cache
    def library(cls) -> Library:
        """Return what the kit has to know of your library."""
        # Through the class, not through an instance: a plain function stays one.
        return Library(cls.adapter.name, cls.adapter, cls.asarray, cls.gradients, registered=False)

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Make a test for each case: pytest calls this."""
        if "case" in metafunc.fixturenames:
            metafunc.parametrize("case", corpus(), ids=[case.id for case in corpus()])

    def test_conformance(self, case: Case) -> None:
        """Run a case."""
        import pytest

        outcome = run_case(case, self.library())
        if outcome.status == "gap":
            pytest.skip(f"declared gap: {outcome.feature}: {outcome.reason}")
        assert outcome.status == "passed", f"{outcome.id}: {outcome.reason}"
