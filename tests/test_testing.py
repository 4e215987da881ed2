"""`check_einsum` finds what differs, and says where."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import available
from frameworks import FRAMEWORKS

from einsum_unified import OperandError, OperandTypeError
from einsum_unified.adapter import dispatch
from einsum_unified.dtypes import kind_of
from einsum_unified.testing import check_einsum
from einsum_unified.testing.check import RTOL

A, B = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)


@pytest.fixture(autouse=True)
def _all_frameworks():
    for cls in FRAMEWORKS:
        available(cls)


def test_the_report_is_a_table_with_a_row_for_every_installed_framework():
    report = check_einsum("ij,jk->ik", [A, B], np.matmul)
    assert [r.framework for r in report.results] == dispatch.installed()
    assert str(report).splitlines()[:3] == [
        "ij,jk->ik",
        "framework   shape   dtype    greatest difference",
        "numpy       (2, 4)  float64  0",
    ]


def test_without_an_expected_result_the_frameworks_are_compared_with_each_other():
    report = check_einsum("ij,jk->ik", [A.tolist(), B.tolist()])
    assert all(result.difference == 0 for result in report.results)


def test_a_wrong_element_is_named_with_its_framework_and_both_values():
    wrong = A @ B
    wrong[1, 2] += 1
    with pytest.raises(AssertionError, match=r"numpy: element \(1, 2\) is 80\.0 but 81\.0 is expected"):
        check_einsum("ij,jk->ik", [A, B], wrong)


def test_a_framework_that_gives_other_values_is_named(monkeypatch):
    torch_adapter = dispatch.load("torch")
    broken = torch_adapter.to_numpy
    monkeypatch.setattr(torch_adapter, "to_numpy", lambda x: broken(x) + 1)
    with pytest.raises(AssertionError, match=r"^torch: element \(0, 0\) is 21\.0 but 20\.0"):
        check_einsum("ij,jk->ik", [A, B])


def test_a_wrong_shape_is_named():
    with pytest.raises(AssertionError, match=r"numpy: the shape is \(2, 4\) but \(4, 2\) is expected"):
        check_einsum("ij,jk->ik", [A, B], (A @ B).T)


def test_a_tolerance_decides_what_is_close():
    check_einsum("ij,jk->ik", [A, B], A @ B + 1e-3, atol=1e-2)
    check_einsum("ij,jk->ik", [A, B], (A @ B) * 1.001, rtol=1e-2)
    with pytest.raises(AssertionError):
        check_einsum("ij,jk->ik", [A, B], A @ B + 1e-3, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "float16", "bfloat16", "complex64"])
def test_operands_keep_their_dtype_on_every_framework(dtype):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    dtype = getattr(ml_dtypes, dtype, dtype)
    report = check_einsum("ij->ji", [np.ones((2, 3)).astype(dtype)])
    assert {r.dtype for r in report.results} == {np.dtype(dtype).name}


def test_every_dtype_that_rounds_has_a_tolerance():
    declared = [dispatch.load(name).capabilities.dtypes or () for name in dispatch.installed()]
    rounding = {dtype for dtype in set[str]().union(*declared) if kind_of(dtype) in ("float", "complex")}
    assert "float8_e4m3fn" in rounding
    assert not rounding - set(RTOL)
    assert not {name for name in RTOL if kind_of(name) not in ("float", "complex")}


def test_nan_in_the_same_place_is_no_difference():
    report = check_einsum("i->i", [np.array([1.0, np.nan])], np.array([1.0, np.nan]))
    assert {r.difference for r in report.results} == {0.0}


def test_unsigned_integers_are_compared_without_wrapping_around():
    with pytest.raises(AssertionError, match="element \\(0,\\) is 1 but 2"):
        check_einsum("i->i", [np.array([1], np.uint8)], np.array([2], np.uint8))


def test_errors_of_einsum_come_through():
    with pytest.raises(OperandError, match="label 'j' is 3 in operand 0 but 2 in operand 1"):
        check_einsum("ij,jk->ik", [A, A])


def test_a_dtype_that_a_framework_lacks_is_named():
    with pytest.raises(OperandTypeError, match="torch has no dtype"):
        check_einsum("i->i", [np.ones(2, np.longdouble)], frameworks=["torch"])


def test_an_unknown_framework_is_named():
    with pytest.raises(ValueError, match="'jaxx' is not installed or has no adapter"):
        check_einsum("i->i", [A[0]], frameworks=["jaxx"])
