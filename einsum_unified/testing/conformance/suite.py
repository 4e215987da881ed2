"""`ConformanceSuite`: the corpus as pytest tests of an adapter, one test for each case."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

from einsum_unified.testing.conformance.cases import Case, corpus
from einsum_unified.testing.conformance.makers import Library
from einsum_unified.testing.conformance.runner import run_case


class ConformanceSuite:
    """Base class for the tests of an adapter: derive a class from it, and pytest runs a test for each case.

    ::

        class TestMine(ConformanceSuite):
            adapter = mine.adapter
            asarray = mine.asarray

    The name of the class must begin with ``Test``. Cases that need a feature which the adapter declares as
    missing (``capabilities.gaps``, ``dtypes``, ``out``, ...) are skipped with a reason that begins with
    "declared gap:". The adapter need not be registered.
    """

    adapter: ClassVar[Any]
    """The adapter: a module, or any object, with the members of `einsum_unified.adapter.Backend`."""
    asarray: ClassVar[Any] = None
    """NumPy array → your tensor with the same values and dtype; if None, the adapter's `asarray`."""
    gradients: ClassVar[Any] = None
    """``gradients(function, tensors)``: the derivatives of a function that returns a 0-d tensor."""

    @classmethod
    @cache
    def library(cls) -> Library:
        """Return the `Library` that the kit runs the cases on."""
        # Read from the class, not from an instance: a function in the class would become a method.
        return Library(cls.adapter.name, cls.adapter, cls.asarray, cls.gradients, registered=False)

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Make a test for each case; pytest calls this."""
        if "case" in metafunc.fixturenames:
            metafunc.parametrize("case", corpus(), ids=[case.id for case in corpus()])

    def test_conformance(self, case: Case) -> None:
        """Run a case; skip it if it needs a missing feature."""
        import pytest

        outcome = run_case(case, self.library())
        if outcome.status == "gap":
            pytest.skip(f"declared gap: {outcome.feature}: {outcome.reason}")
        assert outcome.status == "passed", f"{outcome.id}: {outcome.reason}"
