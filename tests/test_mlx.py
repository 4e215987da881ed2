"""MLX arrays: dtypes, integers, its transformations, streams; against NumPy and MLX's own functions."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from conftest import available, installed_module
from libraries import MLX, agree_on_random_calls

from einsum_unified import OperandTypeError, einsum

RNG = np.random.default_rng(0)


@pytest.fixture
def mx():
    installed_module("mlx")
    return installed_module("mlx.core")


def whole_numbers(*shape: int, dtype: str = "float32") -> np.ndarray:
    return RNG.integers(-3, 4, shape).astype(dtype)


def test_random_calls_agree_with_the_sum_over_all_labels():
    agree_on_random_calls(available(MLX), 150)


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk->ik", [(2, 3), (3, 4)]),
        ("bij,bjk->bki", [(2, 2, 3), (2, 3, 2)]),
        ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]),
        ("i,j->ji", [(2,), (3,)]),
        ("i,i->", [(4,), (4,)]),
    ],
)
def test_values_are_those_of_mlxs_own_einsum(mx, equation, shapes):
    xs = [mx.array(whole_numbers(*shape)) for shape in shapes]
    result = einsum(equation, *xs)
    assert isinstance(result, mx.array)
    np.testing.assert_array_equal(np.array(result), np.array(mx.einsum(equation, *xs)))


# --- dtypes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"])
@pytest.mark.parametrize(
    ("equation", "shapes"),
    [("ij,jk->ik", [(3, 50), (50, 2)]), ("bij,jk->bik", [(2, 3, 5), (5, 4)]), ("ij->i", [(3, 400)]),
     ("bij,bjk->bik", [(2, 3, 5), (2, 5, 4)]), ("ij,ij->ij", [(3, 4), (3, 4)])],
)  # fmt: skip
def test_integers_of_every_width_wrap_around_as_numpys_do(mx, equation, shapes, dtype):
    info = np.iinfo(dtype)
    arrays = [RNG.integers(info.min, info.max, shape, dtype, endpoint=True) for shape in shapes]
    result = einsum(equation, *map(mx.array, arrays))
    assert result.dtype == getattr(mx, dtype)
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(
            np.array(result), np.einsum(equation, *arrays, dtype=dtype, casting="unsafe")
        )


def test_a_long_sum_of_integers_is_made_in_parts(mx):
    k = 3 * 2**20 + 1
    result = einsum("i,i->", mx.full((k,), 3, mx.int64), mx.full((k,), 5, mx.int64))
    assert result.item() == 15 * k


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [("ij,jk->ik", [(200, 5000), (5000, 200)]), ("bij,bjk->bik", [(64, 60, 300), (64, 300, 60)])],
)
def test_products_of_integers_take_no_memory_for_all_of_them(mx, equation, shapes):
    a, b = (mx.array(whole_numbers(*shape, dtype="int32")) for shape in shapes)
    mx.eval(a, b)
    before = mx.get_active_memory()
    mx.reset_peak_memory()
    result = einsum(equation, a, b)
    mx.eval(result)
    # All products at the same time would take 800 MB, and 276 MB.
    assert mx.get_peak_memory() - before < 150e6
    want = np.einsum(equation, np.array(a, float), np.array(b, float), optimize=True)
    np.testing.assert_array_equal(np.array(result), want)


def test_bools_are_any_of(mx):
    a, b = RNG.random((20, 30)) < 0.1, RNG.random((30, 10)) < 0.1
    result = einsum("ij,jk->ik", mx.array(a), mx.array(b))
    assert result.dtype == mx.bool_
    np.testing.assert_array_equal(np.array(result), a @ b)
    assert einsum("i->", mx.ones(300, dtype=mx.bool_)).item() is True


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_halves_are_added_up_in_more_than_halves(mx, dtype):
    ones = mx.ones((4096,), dtype=getattr(mx, dtype))
    for equation, operands in (("i,i->", (ones, ones)), ("i->", (ones,)), ("i,i,i->", (ones,) * 3)):
        result = einsum(equation, *operands)
        assert result.dtype == ones.dtype
        assert result.item() == 4096  # in halves it sticks at 2048, and 256


@pytest.mark.parametrize("dtype", ["float64", "complex64"])
def test_wide_floats_and_complex_numbers_go_through(mx, dtype):
    a, b = whole_numbers(3, 4, dtype=dtype), whole_numbers(4, 2, dtype=dtype)
    a = a * (1 + 2j) if dtype == "complex64" else a + 2.0**-40
    result = einsum("ij,jk->ki", *(mx.array(x, getattr(mx, dtype)) for x in (a, b)))
    assert result.dtype == getattr(mx, dtype)
    np.testing.assert_array_equal(np.array(result), (a @ b).T)


def test_numpy_arrays_numbers_and_lists_go_with_it(mx):
    a, b = whole_numbers(2, 3), whole_numbers(3, 4)
    for operands in ([mx.array(a), b, 2], [a, mx.array(b), 2.0], [mx.array(a), b.tolist(), 2]):
        result = einsum("ij,jk,->ik", *operands)
        assert isinstance(result, mx.array)
        assert result.dtype == mx.float32
        np.testing.assert_array_equal(np.array(result), 2 * a @ b)
    half = np.ones(3, ml_dtypes.bfloat16)
    assert einsum("i,i->i", mx.ones(3, dtype=mx.bfloat16), half).dtype == mx.bfloat16
    assert einsum("i,->i", mx.ones(3, dtype=mx.int8), 2.5).dtype == mx.float32
    assert einsum("i,->i", mx.ones(3), 1j).dtype == mx.complex64


def test_numpys_complex128_is_not_cut_off(mx):
    with pytest.raises(OperandTypeError, match="complex128, which mlx cannot compute with") as caught:
        einsum("i,i->i", mx.ones(3), np.ones(3, complex))
    assert "MLX has complex64 only" in str(caught.value)


def test_dtype_and_out_are_as_anywhere(mx):
    x = mx.ones(300, dtype=mx.int8)
    assert einsum("i->", x, dtype="int32").item() == 300
    assert einsum("i->", x, dtype=mx.float16).dtype == mx.float16
    with pytest.raises(OperandTypeError, match="mlx tensors are immutable"):
        einsum("i->i", x, out=x)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_sums_over_nothing_are_0_also_of_turned_arrays(mx, shape):
    x = mx.zeros(shape)
    for _ in range(20):  # MLX's own sum would sometimes not come to an end
        assert einsum("ij->", mx.transpose(x)).item() == 0
        assert einsum("ij->i", mx.transpose(x)).shape == shape[1:]
        assert einsum("ij,kj->ik", x, x).shape == (shape[0],) * 2
    assert einsum("iij->j", mx.zeros((3, 3, 0))).shape == (0,)


# --- transformations --------------------------------------------------------------------------------


def test_gradients_are_those_of_mlxs_own_einsum(mx):
    a, b = mx.array(whole_numbers(3, 4)), mx.array(whole_numbers(4, 2))
    for argnum in (0, 1):
        ours, own = (
            mx.grad(lambda a, b, call=call: (call("ij,jk->ik", a, b) ** 2).sum(), argnum)(a, b)
            for call in (einsum, mx.einsum)
        )
        np.testing.assert_allclose(np.array(ours), np.array(own), rtol=1e-5)
    square = mx.array(whole_numbers(3, 3))
    np.testing.assert_array_equal(np.array(mx.grad(lambda x: einsum("ii->", x))(square)), np.eye(3))
    np.testing.assert_array_equal(
        np.array(mx.grad(lambda s: einsum(",ij->", s, a))(mx.array(1.0))), np.array(a).sum()
    )
    second = mx.grad(lambda x: mx.grad(lambda x: einsum("i,i,i->", x, x, x))(x).sum())
    np.testing.assert_allclose(np.array(second(mx.array([1.0, 2.0]))), [6, 12])


def test_tangents_go_forward(mx):
    a, b = mx.array(whole_numbers(3, 4)), mx.array(whole_numbers(4, 2))
    _, (tangent,) = mx.jvp(lambda a: einsum("ij,jk->ik", a, b), [a], [mx.ones((3, 4))])
    np.testing.assert_array_equal(np.array(tangent), np.ones((3, 4)) @ np.array(b))


@pytest.mark.parametrize("dtype", ["float32", "int32", "bool"])
def test_vmap_adds_an_axis(mx, dtype):
    a, b = RNG.integers(0, 3, (5, 3, 4)).astype(dtype), RNG.integers(0, 3, (4, 2)).astype(dtype)
    result = mx.vmap(lambda x: einsum("ij,jk->ki", x, mx.array(b)))(mx.array(a))
    np.testing.assert_array_equal(np.array(result), (a @ b).transpose(0, 2, 1))


def test_compiled_functions_give_the_same(mx):
    a, b = whole_numbers(3, 4), whole_numbers(4, 4)
    product = mx.compile(lambda a, b: einsum("ij,jk,kk->ik", a, b, b))
    for n in (1, 2):
        want = np.einsum("ij,jk,kk->ik", n * a, b, b)
        np.testing.assert_array_equal(np.array(product(mx.array(n * a), mx.array(b))), want)


def test_the_default_stream_is_where_it_runs(mx):
    a, b = whole_numbers(3, 4), whole_numbers(4, 2)
    with mx.stream(mx.new_stream(mx.cpu)):
        result = einsum("ij,jk->ik", mx.array(a), mx.array(b))
    np.testing.assert_array_equal(np.array(result), a @ b)
