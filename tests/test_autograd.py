"""HIPS autograd: derivatives against those of ``autograd.numpy.einsum`` and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import available, installed_module
from libraries import Autograd, agree_on_random_calls

from einsum_unified import OperandTypeError, einsum

RNG = np.random.default_rng(0)


@pytest.fixture
def autograd():
    return installed_module("autograd")


@pytest.fixture
def anp(autograd):
    return installed_module("autograd.numpy")


def differences(function, x: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """The gradient of a scalar function by central differences."""
    found = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        away = np.zeros_like(x)
        away[index] = step
        found[index] = (function(x + away) - function(x - away)) / (2 * step)
    return found


def test_random_calls_agree_with_the_sum_over_all_labels():
    agree_on_random_calls(available(Autograd), 60)


EQUATIONS = [
    ("ij,jk->ik", [(2, 3), (3, 4)]),
    ("ij,jk", [(2, 3), (3, 4)]),
    ("bij,bjk->bki", [(2, 2, 3), (2, 3, 2)]),
    ("i,i->", [(4,), (4,)]),
    ("i,j->ji", [(4,), (3,)]),
    ("ij->ji", [(2, 3)]),
    ("ij->j", [(2, 3)]),
    ("ij->", [(2, 3)]),
    ("...ij,...jk->...ik", [(3, 2, 3), (3, 3, 2)]),
    ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]),
    ("ij,ij,ij->i", [(2, 3), (2, 3), (2, 3)]),
]


@pytest.mark.parametrize(("equation", "shapes"), EQUATIONS)
def test_gradients_are_those_of_autograds_own_einsum(autograd, anp, equation, shapes):
    arrays = [RNG.normal(size=shape) for shape in shapes]
    weights = RNG.normal(size=np.einsum(equation, *arrays).shape)
    for number in range(len(arrays)):
        ours, own = (
            autograd.grad(lambda *xs, call=call: anp.sum(weights * call(equation, *xs) ** 2), number)(*arrays)
            for call in (einsum, anp.einsum)
        )
        np.testing.assert_allclose(ours, own, rtol=1e-12)


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        *EQUATIONS,
        ("ii->i", [(3, 3)]),
        ("ii", [(3, 3)]),
        ("iij->ji", [(3, 3, 2)]),
        ("iji->j", [(3, 2, 3)]),
        ("ijj,i->i", [(2, 3, 3), (2,)]),
        ("iii->i", [(3, 3, 3)]),
        ("ij,kj->ik", [(2, 1), (3, 4)]),
        ("bij,bjk->bik", [(1, 2, 3), (4, 3, 2)]),
        ("...i,i->...", [(2, 2, 3), (3,)]),
        ("...,...->...", [(2, 3), (3,)]),
    ],
)
def test_gradients_are_those_of_finite_differences(autograd, anp, equation, shapes):
    arrays = [RNG.normal(size=shape) for shape in shapes]
    weights = RNG.normal(size=np.einsum(equation, *arrays).shape)
    for number, x in enumerate(arrays):

        def loss(x, number=number, call=einsum):
            return anp.sum(weights * call(equation, *arrays[:number], x, *arrays[number + 1 :]))

        want = differences(lambda x, loss=loss: loss(x, call=np.einsum), x)
        np.testing.assert_allclose(autograd.grad(loss)(x), want, atol=1e-7)


def test_second_derivatives_are_those_of_arithmetic(autograd):
    a, x = RNG.normal(size=(3, 3)), RNG.normal(size=3)
    form = lambda x: einsum("i,ij,j->", x, a, x)  # noqa: E731
    np.testing.assert_allclose(autograd.grad(form)(x), (a + a.T) @ x)
    np.testing.assert_allclose(autograd.hessian(form)(x), a + a.T, atol=1e-12)
    np.testing.assert_allclose(autograd.jacobian(lambda x: einsum("ij,j->i", a, x))(x), a)
    np.testing.assert_allclose(
        autograd.hessian_tensor_product(form)(x, np.ones(3)), (a + a.T) @ np.ones(3), atol=1e-12
    )


def test_elementwise_gradients_and_vector_products_go_through(autograd):
    x, a = RNG.normal(size=4), RNG.normal(size=(2, 4))
    np.testing.assert_allclose(autograd.elementwise_grad(lambda x: einsum("i,i->i", x, x))(x), 2 * x)
    product, value = autograd.make_vjp(lambda x: einsum("ij,j->i", a, x))(x)
    np.testing.assert_allclose(value, a @ x)
    np.testing.assert_allclose(product(np.array([1.0, 2.0])), a.T @ [1, 2])


def test_forward_mode_goes_through_casts_too(autograd):
    x, a = RNG.normal(size=4).astype("float32"), RNG.normal(size=(2, 4))
    value, tangent = autograd.make_jvp(lambda x: einsum("ij,j->i", a, x))(x)(np.ones(4, "float32"))
    np.testing.assert_allclose(value, a @ x)
    np.testing.assert_allclose(tangent, a.sum(1))
    np.testing.assert_allclose(
        autograd.make_jvp(lambda x: einsum(",i->i", x, a[0]))(2.0)(1.0)[1], a[0]
    )  # a Python number is a box without a shape


def test_a_checkpoint_computes_it_again(autograd):
    a, x = RNG.normal(size=(3, 3)), RNG.normal(size=3)
    step = autograd.checkpoint(lambda x: einsum("ij,j->i", a, x))
    np.testing.assert_allclose(autograd.grad(lambda x: step(x).sum())(x), a.sum(0))


def test_a_python_number_is_differentiated(autograd):
    x = RNG.normal(size=3)
    assert autograd.grad(lambda s: einsum(",i->", s, x))(2.0) == pytest.approx(x.sum())
    assert autograd.grad(lambda s: einsum(",->", s, s))(3.0) == pytest.approx(6)
    assert autograd.grad(lambda s: einsum("->", s) * 2)(3.0) == 2
    result = autograd.grad(lambda x: einsum("i,->", x, 2.5))(x)
    np.testing.assert_array_equal(result, [2.5] * 3)


def test_numpy_arrays_beside_boxes_are_constants(autograd):
    a, x = np.arange(6).reshape(2, 3), RNG.normal(size=3)  # integers
    np.testing.assert_allclose(autograd.grad(lambda x: einsum("ij,j->", a, x))(x), a.sum(0))
    mask = np.array([True, False, True])
    np.testing.assert_allclose(autograd.grad(lambda x: einsum("i,i->", x, mask))(x), [1, 0, 1])


@pytest.mark.filterwarnings("error")
def test_complex_gradients_follow_autograds_convention(autograd, anp):
    a = RNG.normal(size=(2, 3)) + 1j * RNG.normal(size=(2, 3))
    for x in (RNG.normal(size=3) + 1j * RNG.normal(size=3), RNG.normal(size=3)):  # also a real one beside it
        ours, own = (
            autograd.grad(lambda x, call=call: anp.sum(anp.abs(call("ij,j->i", a, x)) ** 2))(x)
            for call in (einsum, anp.einsum)
        )
        np.testing.assert_allclose(ours, own)
        assert ours.dtype == x.dtype


def test_dtypes_of_gradients_are_those_of_autograds_own_einsum(autograd, anp):
    x = np.ones(3, "float32")
    for other in (np.ones(3, "float32"), np.ones(3, "float64"), np.ones(3, "int8")):
        ours, own = (
            autograd.grad(lambda x, other=other, call=call: call("i,i->", x, other))(x).dtype
            for call in (einsum, anp.einsum)
        )
        assert ours == own  # float64 beside float64: autograd does not cast back
    values = []
    autograd.grad(lambda x: values.append(einsum("i,i->i", x, x)) or values[0].sum())(x)
    assert values[0].dtype == np.float32
    half = np.full(4096, 1, "float16")
    sums = []
    autograd.grad(lambda x: sums.append(einsum("i,i->", x, x)) or sums[0])(half)
    assert sums[0]._value == 4096  # halves would stick at 2048


def test_autograds_wrapper_of_lists_is_not_a_tensor(autograd):
    with pytest.raises(OperandTypeError, match="operand 0 is an autograd SequenceBox, which is not a tensor"):
        autograd.grad(lambda xs: einsum("i->", xs))([1.0, 2.0])


def test_writing_into_an_array_is_refused(autograd):
    out = np.zeros(3)
    with pytest.raises(OperandTypeError, match="autograd tensors are immutable"):
        autograd.grad(lambda x: einsum("i->i", x, out=out).sum())(np.ones(3))
