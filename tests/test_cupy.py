"""CuPy arrays. These tests are skipped, with the reason, without CuPy or a GPU."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from einsum_unified import OperandTypeError, einsum

RNG = np.random.default_rng(0)


@pytest.fixture
def cupy():
    if find_spec("cupy") is None:
        pytest.skip("cupy is not installed")
    import cupy

    if not cupy.is_available():
        pytest.skip("cupy finds no GPU")
    return cupy


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk->ik", [(2, 3), (3, 4)]),
        ("bij,bjk->bki", [(2, 2, 3), (2, 3, 2)]),
        ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]),
        ("ii->i", [(3, 3)]),
        ("ij->", [(2, 3)]),
        ("i,j->ji", [(2,), (3,)]),
    ],
)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64", "int8", "int64", "bool"])
def test_values_and_dtypes_are_numpys(cupy, equation, shapes, dtype):
    arrays = [RNG.integers(0, 4, shape).astype(dtype) for shape in shapes]
    result = einsum(equation, *map(cupy.asarray, arrays))
    assert isinstance(result, cupy.ndarray)
    assert result.dtype == dtype
    np.testing.assert_array_equal(cupy.asnumpy(result), np.einsum(equation, *arrays))


def test_numpy_arrays_and_numbers_go_to_the_gpu(cupy):
    x = cupy.ones((2, 3))
    result = einsum("ij,j,->i", x, np.arange(3.0), 2)
    assert isinstance(result, cupy.ndarray)
    assert result.device == x.device
    np.testing.assert_array_equal(cupy.asnumpy(result), [6, 6])


def test_out_is_filled(cupy):
    x, out = cupy.ones((2, 3)), cupy.zeros(2)
    assert einsum("ij->i", x, out=out) is out
    np.testing.assert_array_equal(cupy.asnumpy(out), [3, 3])


def test_a_transpose_is_a_view(cupy):
    x = cupy.zeros((2, 3))
    einsum("ij->ji", x)[...] = 1
    assert float(x.sum()) == 6


def test_arrays_on_two_gpus_are_refused(cupy):
    if cupy.cuda.runtime.getDeviceCount() < 2:
        pytest.skip("there is one GPU")
    with cupy.cuda.Device(1):
        other = cupy.ones(3)
    with pytest.raises(OperandTypeError, match="tensors are on different devices"):
        einsum("i,i->", cupy.ones(3), other)
