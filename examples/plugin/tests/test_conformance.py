"""The adapter follows all rules of einsum_unified."""

from toyarrays import toy
from toyarrays.einsum import adapter

from einsum_unified.testing.conformance import ConformanceSuite


class TestToyArrays(ConformanceSuite):  # noqa: D101
    adapter = adapter
    asarray = toy
