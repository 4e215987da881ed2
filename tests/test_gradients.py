"""Derivatives of first and second order, forward mode and batching, on torch and TensorFlow.

torch is held to finite differences (`gradcheck`), TensorFlow to torch, whose conventions for complex numbers
differ by a conjugate: a gradient there is with respect to the real and imaginary parts of the operand.
"""

from __future__ import annotations

import numpy as np
import pytest
from conftest import slow

from einsum_unified import einsum

CASES = [
    ("ij->ji", [(2, 3)]),
    ("ii->i", [(3, 3)]),
    ("iij->j", [(2, 2, 3)]),
    ("ij->", [(2, 3)]),
    ("i,i->", [(3,), (3,)]),
    ("i,j->ij", [(2,), (3,)]),
    ("ij,jk->ik", [(2, 3), (3, 2)]),
    ("ij,jk->ki", [(2, 1), (3, 2)]),
    ("ij,ij->i", [(2, 3), (2, 3)]),
    ("ij,ji->", [(2, 3), (3, 2)]),
    ("bij,bjk->bik", [(2, 2, 3), (2, 3, 2)]),
    ("...i,ij->...j", [(2, 1, 3), (3, 2)]),
    ("...ij,...jk->...ik", [(2, 1, 2, 3), (2, 3, 1)]),
    ("ii,ij->j", [(2, 2), (1, 3)]),
    ("bhid,bhjd->bihj", [(1, 2, 2, 2), (1, 2, 3, 2)]),
    ("ij,jk,kl->il", [(2, 3), (3, 2), (2, 2)]),
    ("i,ij,j->", [(2,), (2, 3), (3,)]),
    ("ai,bi,ci->abc", [(2, 2), (1, 2), (2, 1)]),
]
cases = pytest.mark.parametrize(("equation", "shapes"), CASES, ids=[equation for equation, _ in CASES])
DTYPES = pytest.mark.parametrize("dtype", ["float64", "complex128"])


def arrays(shapes, dtype: str):
    rng = np.random.default_rng(sum(map(sum, shapes)))
    parts = [rng.standard_normal((2, *shape)) for shape in shapes]
    return [x[0].astype(dtype) + (1j * x[1] if dtype == "complex128" else 0) for x in parts]


def leaves(torch, shapes, dtype: str):
    return [torch.from_numpy(np.array(x)).requires_grad_() for x in arrays(shapes, dtype)]


# --- torch ----------------------------------------------------------------------------------------


@cases
@DTYPES
def test_gradcheck(torch, equation: str, shapes, dtype: str):
    operands = leaves(torch, shapes, dtype)
    assert torch.autograd.gradcheck(
        lambda *xs: einsum(equation, *xs), operands, check_forward_ad=True, check_batched_grad=True
    )


@cases
@DTYPES
def test_gradgradcheck(torch, equation: str, shapes, dtype: str):
    operands = leaves(torch, shapes, dtype)
    assert torch.autograd.gradgradcheck(lambda *xs: einsum(equation, *xs), operands)


def native(torch, equation: str):
    return lambda *xs: torch.einsum(equation, *xs)


def ours(equation: str):
    return lambda *xs: einsum(equation, *xs)


@cases
def test_torch_func(torch, equation: str, shapes):
    operands = [x.detach() for x in leaves(torch, shapes, "float64")]
    every = tuple(range(len(operands)))

    def derivatives(function):
        def loss(*xs):
            return function(*xs).sin().sum()

        result, pullback = torch.func.vjp(function, *operands)
        return {
            "grad": torch.func.grad(loss, argnums=every)(*operands),
            "vjp": pullback(result.cos()),
            "jvp": torch.func.jvp(function, tuple(operands), tuple(x.cos() for x in operands)),
            "jacrev": torch.func.jacrev(function, argnums=every)(*operands),
            "jacfwd": torch.func.jacfwd(function, argnums=every)(*operands),
            "hessian": torch.func.hessian(loss, argnums=every)(*operands),
        }

    torch.testing.assert_close(derivatives(ours(equation)), derivatives(native(torch, equation)))


@pytest.mark.parametrize(
    ("equation", "shapes", "in_dims"),
    [
        ("ij->ji", [(5, 2, 3)], 0),
        ("ii->i", [(3, 5, 3)], 1),
        ("ij,jk->ik", [(5, 2, 3), (5, 3, 4)], 0),
        ("ij,jk->ik", [(5, 2, 3), (3, 4)], (0, None)),
        ("ij,jk->ik", [(2, 3), (3, 4, 5)], (None, 2)),
        ("ij,jk->ik", [(2, 5, 3), (3, 4, 5)], (1, -1)),
        ("ij,jk,kl->il", [(2, 5, 3), (3, 4), (5, 4, 2)], (1, None, 0)),
        ("...i,ij->...j", [(5, 2, 3), (3, 4)], (0, None)),
        ("ij,jk->ik", [(5, 2, 1), (3, 4)], (0, None)),
    ],
)
@pytest.mark.parametrize("dtype", ["float64", "int8"])
def test_vmap(torch, equation: str, shapes, in_dims, dtype: str):
    operands = [torch.from_numpy(np.random.default_rng(0).integers(-9, 9, s).astype(dtype)) for s in shapes]
    got = torch.vmap(ours(equation), in_dims=in_dims)(*operands)
    dims = in_dims if isinstance(in_dims, tuple) else (in_dims,) * len(operands)
    one_by_one = [
        einsum(equation, *(x if d is None else x.select(d, n) for x, d in zip(operands, dims, strict=True)))
        for n in range(5)
    ]
    torch.testing.assert_close(got, torch.stack(one_by_one))


def test_nested_vmap(torch):
    x, y = torch.randn(2, 5, 3), torch.randn(4, 3)
    inner = torch.vmap(ours("i,i->"), in_dims=(None, 0))  # over the rows of y
    outer = torch.vmap(torch.vmap(inner, in_dims=(0, None)), in_dims=(0, None))  # over both axes of x
    torch.testing.assert_close(outer(x, y), x @ y.T)


def test_gradients_for_each_sample(torch):
    x, weight = torch.randn(5, 3), torch.randn(3, 4)
    each = torch.vmap(torch.func.grad(lambda w, x: einsum("i,ij->", x, w)), in_dims=(None, 0))
    torch.testing.assert_close(each(weight, x), x[:, :, None].expand(5, 3, 4))


# --- TensorFlow -----------------------------------------------------------------------------------


def of_torch(torch, equation: str, shapes, dtype: str):
    """First and second derivatives of a loss by torch.einsum, in TensorFlow's convention."""
    operands = leaves(torch, shapes, dtype)
    loss = torch.einsum(equation, *operands).abs().square().sum()
    first = torch.autograd.grad(loss, operands, create_graph=True)
    second = torch.autograd.grad(sum(g.abs().square().sum() for g in first), operands)
    return [[x.detach().numpy() for x in order] for order in (first, second)]


@cases
@DTYPES
@pytest.mark.parametrize("compiled", [False, slow(True)], ids=["eager", "function"])
def test_gradient_tape(torch, tf, equation: str, shapes, dtype: str, compiled: bool):
    def function(*xs):
        return tf.reduce_sum(tf.square(tf.abs(einsum(equation, *xs))))

    operands = [tf.constant(x) for x in arrays(shapes, dtype)]
    function = tf.function(function) if compiled else function
    with tf.GradientTape() as outer:
        outer.watch(operands)
        with tf.GradientTape() as inner:
            inner.watch(operands)
            loss = function(*operands)
        first = inner.gradient(loss, operands)
        penalty = tf.add_n([tf.reduce_sum(tf.square(tf.abs(g))) for g in first])
    second = outer.gradient(penalty, operands)
    for got, want in zip((first, second), of_torch(torch, equation, shapes, dtype), strict=True):
        for ours, theirs in zip(got, want, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("equation", ["bij,bjk->bik", "bi,ij,jk->bk", "bii->b", "bi,bj->ij"])
def test_gradients_where_sizes_are_known_only_at_run_time(torch, tf, equation: str):
    shapes = dict(
        zip(
            ("bij,bjk->bik", "bi,ij,jk->bk", "bii->b", "bi,bj->ij"),
            ([(2, 3, 4), (1, 4, 5)], [(2, 3), (3, 4), (1, 5)], [(2, 3, 3)], [(1, 3), (2, 4)]),
            strict=True,
        )
    )[equation]
    specs = [tf.TensorSpec([None] * len(shape), tf.float64) for shape in shapes]

    @tf.function(input_signature=specs)
    def gradients(*xs):
        with tf.GradientTape() as tape:
            tape.watch(xs)
            loss = tf.reduce_sum(tf.square(einsum(equation, *xs)))
        return tape.gradient(loss, xs)

    want, _ = of_torch(torch, equation, shapes, "float64")
    for ours, theirs in zip(gradients(*arrays(shapes, "float64")), want, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ii->i", [(3, 3)]),
        ("bii->b", [(2, 3, 3)]),
        ("ii->", [(3, 3)]),
        ("iij->j", [(2, 2, 3)]),
        ("ij,jk->ik", [(2, 3), (3, 4)]),
        ("ij,ij->i", [(2, 3), (1, 3)]),
        ("bij,bjk->bik", [(1, 3, 4), (2, 4, 3)]),
        ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]),
    ],
)
def test_second_order_where_sizes_are_known_only_at_run_time(torch, tf, equation, shapes, jit_compile: bool):
    specs = [tf.TensorSpec([None] * len(shape), tf.float64) for shape in shapes]

    @tf.function(input_signature=specs, jit_compile=jit_compile)
    def derivatives(*xs):
        with tf.GradientTape() as outer:
            outer.watch(xs)
            with tf.GradientTape() as inner:
                inner.watch(xs)
                loss = tf.reduce_sum(tf.square(einsum(equation, *xs)))
            first = inner.gradient(loss, xs)
            penalty = tf.add_n([tf.reduce_sum(tf.square(g)) for g in first])
        return first, outer.gradient(penalty, xs)

    wanted = of_torch(torch, equation, shapes, "float64")
    for got, want in zip(derivatives(*arrays(shapes, "float64")), wanted, strict=True):
        for ours, theirs in zip(got, want, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-10)


@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize("pfor", [False, True])
def test_the_jacobian_of_a_diagonal_whose_size_is_known_only_at_run_time(tf, jit_compile: bool, pfor: bool):
    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.float64)], jit_compile=jit_compile)
    def jacobian(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            result = einsum("ii->i", x)
        return tape.jacobian(result, x, experimental_use_pfor=pfor)

    want = np.zeros((3, 3, 3))
    want[np.arange(3), np.arange(3), np.arange(3)] = 1
    np.testing.assert_array_equal(jacobian(np.ones((3, 3))), want)


def test_a_variable_gets_its_gradient(tf):
    weight = tf.Variable(tf.ones((3, 4)))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(einsum("bi,ij->bj", tf.ones((2, 3)), weight))
    np.testing.assert_array_equal(tape.gradient(loss, weight), np.full((3, 4), 2))


def test_jacobian_hessian_and_forward_mode(tf):
    x, y = (tf.constant(a) for a in arrays([(2, 3), (3, 2)], "float64"))
    with tf.GradientTape() as tape:
        tape.watch(x)
        result = einsum("ij,jk->ik", x, y)
    jacobian = np.einsum("ia,kj->ikaj", np.eye(2), y.numpy().T)
    np.testing.assert_allclose(tape.jacobian(result, x), jacobian)
    with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as accumulator:
        result = einsum("ij,jk->ik", x, y)
    np.testing.assert_allclose(accumulator.jvp(result), np.ones((2, 3)) @ y.numpy())
