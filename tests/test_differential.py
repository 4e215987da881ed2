"""Random calls on every framework against a sum written out over all labels."""

from __future__ import annotations

import os

import numpy as np
import pytest
from calls import Call, calls, check
from frameworks import Framework, numpy_dtype, rule
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from einsum_unified import PathError, einsum

CASES = int(os.environ.get("EINSUM_UNIFIED_CASES", "400"))
OPTIMIZE = ("auto", True, False, None, "greedy", "optimal", "dp", "branch-2", ("greedy", 8))

every = settings(
    max_examples=CASES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.slow
@settings(every, max_examples=4 * CASES)
@given(call=calls(), optimize=st.sampled_from(OPTIMIZE))
def test_four_times_as_many_random_calls_agree(framework: Framework, call: Call, optimize):
    agree(framework, call, optimize)


@every
@given(call=calls(), optimize=st.sampled_from(OPTIMIZE))
def test_random_calls_agree_with_the_sum_over_all_labels(framework: Framework, call: Call, optimize):
    agree(framework, call, optimize)


def agree(framework: Framework, call: Call, optimize) -> None:
    tensors = [framework.tensor(array, dtype) for array, dtype in zip(call.arrays, call.dtypes, strict=True)]
    try:
        result = einsum(*call.arguments(tensors), optimize=optimize)
    except PathError as error:
        # A limit that no order keeps is refused; `test_path` compares that with all orders.
        if not isinstance(optimize, tuple) or "no order of pairs was found" not in str(error):
            raise
        return
    check(framework, call, result, promoted(framework, call.dtypes))
    assert framework.dtype(result) == promoted(framework, call.dtypes)


def promoted(framework: Framework, names: list[str]) -> str:
    """What the framework's own table says; where NumPy has no rule, and on TensorFlow, torch's."""
    if framework.name == "numpy":
        own = rule(np.result_type, *map(numpy_dtype, names))
        if own is not None:
            return own.name
        # It has none for bfloat16 beside int32 or float16: integers give way, two halves need float32.
        floats = [name for name in names if "float" in name or "complex" in name]
        return np.result_type(
            *map(numpy_dtype, floats if "float16" not in floats else ["float32", *set(floats) - {"bfloat16"}])
        ).name
    torch = pytest.importorskip(
        "torch", reason="torch is not installed: its promotion table is the reference"
    )
    dtype = getattr(torch, names[0])
    for name in names[1:]:
        dtype = torch.promote_types(dtype, getattr(torch, name))
    return str(dtype).removeprefix("torch.")
