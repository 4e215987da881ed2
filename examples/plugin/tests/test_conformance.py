"""The adapter does all that einsum_unified promises."""

from einsum_unified.testing.conformance import ConformanceSuite
from toyarrays import toy
from toyarrays.einsum import adapter


class TestToyArrays(ConformanceSuite):  # noqa: D101
    adapter = adapter
    asarray = toy
