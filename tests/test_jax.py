"""JAX's arrays and tracers: jit, derivatives, vmap, sharding, export, options, 32 and 64 bits.

The reference is NumPy in float64, or JAX's own function where derivatives and dtypes are its own.
"""

from __future__ import annotations

import itertools
import pickle
import subprocess
import sys

import numpy as np
import pytest
from conftest import installed_module, slow

from einsum_unified import (
    OperandError,
    OperandTypeError,
    PathError,
    cache_info,
    clear_cache,
    einsum,
    einsum_plan,
)
from einsum_unified.adapter.dispatch import load

jax = installed_module("jax")
jnp = jax.numpy

CALLS = [
    ("ij->ji", [(2, 3)]),
    ("ij->i", [(2, 3)]),
    ("ii->i", [(3, 3)]),
    ("iji->j", [(3, 2, 3)]),
    ("i,i->", [(4,), (4,)]),
    ("i,j->ji", [(2,), (3,)]),
    ("ij,ij->ij", [(2, 3), (2, 3)]),
    ("ij,jk->ki", [(2, 3), (3, 4)]),
    ("bij,bjk->bik", [(5, 2, 3), (5, 3, 4)]),
    ("bhid,bhjd->bhij", [(2, 2, 3, 4), (2, 2, 5, 4)]),
    ("ij,kj->ik", [(2, 1), (4, 3)]),
    ("...ij,jk->...ik", [(2, 2, 3), (3, 4)]),
    ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]),
    ("ab,bc,cd,de->ae", [(2, 3), (3, 4), (4, 5), (5, 2)]),
    ("ij,ij,ij->", [(2, 3), (2, 3), (2, 3)]),
    (",i,->i", [(), (3,), ()]),
]
calls = pytest.mark.parametrize(("equation", "shapes"), CALLS, ids=[equation for equation, _ in CALLS])


def arrays(shapes):
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape) for shape in shapes]


def expected(equation: str, operands):
    """Size 1 broadcasts on a contracted label, which numpy.einsum takes without ``optimize``."""
    return np.einsum(equation, *operands)


def close(got, want, rtol=1e-5):
    scale = np.abs(want).max(initial=1.0)
    np.testing.assert_allclose(np.asarray(got), want, rtol=rtol, atol=rtol * scale)


# --- values ---------------------------------------------------------------------------------------


@calls
def test_eager_calls(equation: str, shapes):
    operands = arrays(shapes)
    result = einsum(equation, *map(jnp.asarray, operands))
    assert isinstance(result, jax.Array)
    assert result.dtype == jnp.float32
    close(result, expected(equation, operands))


@calls
def test_jit_of_a_call(equation: str, shapes):
    operands = arrays(shapes)
    compiled = jax.jit(lambda *xs: einsum(equation, *xs))
    close(compiled(*map(jnp.asarray, operands)), expected(equation, operands))


@calls
def test_calls_in_64_bits(equation: str, shapes):
    operands = arrays(shapes)
    with jax.enable_x64(True):
        result = einsum(equation, *map(jnp.asarray, operands))
        assert result.dtype == jnp.float64
        close(result, expected(equation, operands), 1e-12)


def primitives(jaxpr) -> list[str]:
    """The names of what runs: since 0.12 JAX shows a function to be inlined as such, and inlines it later."""
    found = []
    for equation in jaxpr.eqns:
        inlined = equation.params["jaxpr"] if equation.params.get("inline") else None
        found += [equation.primitive.name] if inlined is None else primitives(inlined)
    return found


def test_a_traced_call_is_what_would_be_written_by_hand():
    jaxpr = jax.make_jaxpr(lambda x, y: einsum("bij,bjk->bik", x, y))(
        jnp.ones((5, 2, 3)), jnp.ones((5, 3, 4))
    )
    assert primitives(jaxpr) == ["dot_general"]


def test_a_pair_is_one_dot_general_whatever_its_labels():
    x, y = jnp.ones((2, 3, 4, 5)), jnp.ones((5, 4, 2, 6))
    names = primitives(jax.make_jaxpr(lambda x, y: einsum("abcd,dcae->bea", x, y))(x, y))
    assert names.count("dot_general") == 1
    assert set(names) <= {"dot_general", "transpose"}


def test_an_eager_call_is_compiled_once():
    clear_cache()
    x = jnp.ones((7, 7))
    plan = einsum_plan("ij,jk->ik", x, x)
    for _ in range(5):
        plan(x, x)
        einsum("ij,jk->ik", x, x)
    assert plan.executable.run._cache_size() == 1
    assert (cache_info().hits, cache_info().misses) == (5, 1)


def test_a_plan_is_called_with_jax_arrays():
    plan = einsum_plan("ij,jk,kl->il", (2, 3), (3, 4), (4, 2))
    operands = arrays([(2, 3), (3, 4), (4, 2)])
    result = plan(*map(jnp.asarray, operands))
    assert isinstance(result, jax.Array)
    close(result, expected("ij,jk,kl->il", operands))


# --- dtypes ---------------------------------------------------------------------------------------

DTYPES = ("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "float16", "bfloat16", "float32",
          "complex64")  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
def test_one_dtype_in_the_same_out(dtype: str):
    values = np.arange(12).reshape(3, 4) % 5
    want = np.einsum("ij,kj->ik", values, values)
    x = jnp.asarray(values).astype(dtype)
    result = einsum("ij,kj->ik", x, x)
    assert result.dtype == x.dtype
    want = (want > 0) if dtype == "bool" else want
    np.testing.assert_array_equal(np.asarray(result).astype(complex), want.astype(complex))


_INTEGERS = ["int8", "uint8", "int16", "int4", "uint4", *(["int2"] if hasattr(jnp, "int2") else [])]


@pytest.mark.parametrize("dtype", _INTEGERS)
def test_integers_wrap_around(dtype: str):
    info = jnp.iinfo(dtype)
    x = jnp.full((3, 5), info.max, dtype)
    result = einsum("ij,kj->ik", x, x)
    total = 5 * int(info.max) ** 2
    want = (total - int(info.min)) % 2**info.bits + int(info.min)
    assert result.dtype == x.dtype
    assert set(np.asarray(result).astype(int).ravel().tolist()) == {want}


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(DTYPES, 2)))
def test_mixed_dtypes_promote_as_jax_promotes(one: str, other: str):
    x, y = jax.ShapeDtypeStruct((2, 3), one), jax.ShapeDtypeStruct((3, 2), other)
    result = jax.eval_shape(lambda x, y: einsum("ij,jk->ik", x, y), x, y)  # which compiles nothing
    assert result.dtype == jnp.result_type(one, other)


@pytest.mark.parametrize(("one", "other"), list(itertools.pairwise(DTYPES)))
def test_mixed_dtypes_are_multiplied_in_the_promoted_one(one: str, other: str):
    result = einsum("ij,jk->ik", jnp.full((2, 3), 1, one), jnp.full((3, 2), 2, other))
    assert result.dtype == jnp.result_type(one, other)
    assert (np.asarray(result) == 6).all()


@pytest.mark.parametrize("dtype", [*DTYPES[1:], "bool"])
@pytest.mark.parametrize("number", [True, 2, 2.5, 2j], ids=repr)
def test_a_number_beside_is_weak_as_in_jaxs_own_product(dtype: str, number):
    x = jax.ShapeDtypeStruct((3,), dtype)
    ours = jax.eval_shape(lambda x: einsum("i,->i", x, number), x)
    assert ours.dtype == jax.eval_shape(lambda x: x * number, x).dtype


@pytest.mark.parametrize("number", [True, 2, 2.5, 2j], ids=repr)
def test_a_number_beside_is_a_factor(number):
    for dtype in ("bool", "int32", "bfloat16"):
        x = jnp.asarray([0, 1, 1], dtype)
        result = einsum("i,->i", x, number)
        assert result.dtype == (x * number).dtype
        assert (np.asarray(result) == np.asarray(x * number)).all()


@pytest.mark.parametrize("dtype", ["float8_e4m3fn", "float8_e5m2"])
def test_float8_goes_through_float32(dtype: str):
    x = jnp.asarray([0.5, 1, 2], dtype)
    result = einsum("i,i->", x, x)
    assert result.dtype == x.dtype
    assert float(result) == float(jnp.asarray(5.25, jnp.float32).astype(dtype))


def test_float8_promotes_with_nothing_else():
    with pytest.raises(OperandTypeError, match="float8_e4m3fn and float32 do not promote"):
        einsum("i,i->", jnp.ones(3, "float8_e4m3fn"), jnp.ones(3))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("equation", ["i,i->", "ji,ki->jk", "i->", "i,i,i->"])
def test_halves_are_added_up_in_float32(dtype: str, equation: str):
    terms = equation.split("->")[0].split(",")
    xs = [jnp.ones((4096,) if len(term) == 1 else (2, 4096), dtype) for term in terms]
    assert (np.asarray(einsum(equation, *xs)).astype(float) == 4096).all()


def test_keys_of_random_numbers_are_no_numbers():
    with pytest.raises(OperandTypeError, match="which is not numeric"):
        einsum("i->i", jax.random.split(jax.random.key(0), 3))


# --- NumPy beside, 32 and 64 bits -----------------------------------------------------------------


def test_numpy_arrays_join_and_stay_in_32_bits_unless_64_are_enabled():
    x, y = jnp.ones((2, 3)), np.ones((3, 2))
    clear_cache()
    assert einsum("ij,jk->ik", x, y).dtype == jnp.float32
    assert einsum("ij,jk->ik", y, x[:, :2]).shape == (3, 2)
    clear_cache()
    with jax.enable_x64(True):
        assert einsum("ij,jk->ik", x, y).dtype == jnp.float64
    clear_cache()


def test_a_call_that_was_planned_with_other_bits_is_planned_anew():
    x, y = jnp.ones(3), np.ones(3)
    clear_cache()
    for _ in range(2):
        assert einsum("i,i->", x, y).dtype == jnp.float32
        assert einsum("i,->i", jnp.ones(3, "int32"), 2.5).dtype == jnp.float32
        with jax.enable_x64(True):
            assert einsum("i,i->", x, y).dtype == jnp.float64
            assert einsum("i,->i", jnp.ones(3, "int32"), 2.5).dtype == jnp.float64


@pytest.fixture
def switch():
    """Turn 64 bits on and off as programs do, for the whole process; afterwards it is as it was."""
    before = jax.config.read("jax_enable_x64")
    yield lambda on: jax.config.update("jax_enable_x64", on)
    jax.config.update("jax_enable_x64", before)
    clear_cache()


def counted(call) -> tuple[int, int]:
    """Hits and misses of a call; the counts start again where all plans were forgotten."""
    before = cache_info()
    call()
    after = cache_info()
    return after.hits - before.hits, after.misses - before.misses


def test_after_a_switch_of_bits_the_second_call_finds_its_plan(switch):
    x, y = jnp.ones(3), np.ones(3)
    clear_cache()
    assert einsum("i,i->", x, y).dtype == jnp.float32
    switch(True)
    assert einsum("i,i->", x, y).dtype == jnp.float64  # made anew
    for _ in range(3):
        assert counted(lambda: einsum("i,i->", x, y)) == (1, 0)
    assert einsum("i,i->", x, y).dtype == jnp.float64


def test_a_plan_from_before_a_switch_of_bits_uses_the_one_made_since_and_forgets_no_other(switch):
    x, y, z = jnp.ones(3), np.ones(3), np.ones((2, 3))
    clear_cache()
    plan = einsum_plan("i,i->", x, y)
    assert plan(x, y).dtype == jnp.float32
    switch(True)
    assert plan(x, y).dtype == jnp.float64
    einsum("ij->i", z)
    for _ in range(3):
        assert counted(lambda: plan(x, y))[1] == 0
        assert counted(lambda: einsum("ij->i", z)) == (1, 0)
    assert plan(x, y).dtype == einsum("i,i->", x, y).dtype == jnp.float64
    assert einsum("i,i->", x, y) == plan(x, y) == 3
    switch(False)
    assert plan(x, y).dtype == jnp.float32


def test_several_plans_from_before_a_switch_of_bits_are_each_made_anew_once(switch):
    x, y = jnp.ones(3), np.ones(3)
    clear_cache()
    plans = [einsum_plan(equation, x, y) for equation in ("i,i->", "i,i->i", "i,j->ij")]
    switch(True)
    for plan in plans:
        assert plan(x, y).dtype == jnp.float64
    assert cache_info().currsize == len(plans)  # none was forgotten when another was made anew
    for plan in plans * 2:
        assert counted(lambda plan=plan: plan(x, y))[1] == 0


@pytest.mark.parametrize("dtype", ["int64", "float64"])
def test_an_array_of_64_bits_is_not_cut_off_when_these_are_disabled(dtype: str):
    with jax.enable_x64(True):
        x = jnp.asarray([[2**40, 1]], dtype)
    clear_cache()
    with pytest.raises(OperandTypeError, match=rf"operand 0 has dtype jax.{dtype}.*\n.*jax_enable_x64"):
        einsum("ij,kj->ik", x, x)
    with jax.enable_x64(True):
        assert einsum("ij,kj->ik", x[:, :1], x[:, 1:]).tolist() == [[2**40]]


def test_an_integer_that_32_bits_cannot_hold_is_an_error():
    x = jnp.ones(2, "int32")
    assert einsum("i,i->", x, np.array([1, 2**31 - 3])) == 2**31 - 2
    with pytest.raises(OperandError, match="int64 has values that int32 cannot hold"):
        einsum("i,i->", x, np.array([1, 2**40]))
    with pytest.raises(OperandError, match="operand 1 has the Python int"):
        einsum("i,->i", x, 2**40)


@pytest.mark.parametrize("dtype", ["float64", "int64", "complex128", np.float64])
def test_a_dtype_of_64_bits_is_refused_unless_enabled(dtype):
    with pytest.raises(OperandTypeError, match=r"is not a dtype that jax can compute with\n.*jax_enable_x64"):
        einsum("i->i", jnp.ones(3, "int8"), dtype=dtype)
    with jax.enable_x64(True):
        assert einsum("i->i", jnp.ones(3, "int8"), dtype=dtype).dtype == jnp.dtype(dtype)


SWITCHED_ON = """
import jax, jax.numpy as jnp, numpy as np
jax.config.update("jax_enable_x64", True)
from einsum_unified import einsum
x = np.full((2, 2), 2**40)
print(einsum("ij,jk->ik", jnp.asarray(x[:1] // 2**39), x).dtype, einsum("ij,->", jnp.ones((2, 2)), 2.5).dtype)
print(einsum("ij,jk->ik", jnp.asarray(x // 2**39), x).tolist())
"""


def test_a_process_in_64_bits():
    done = subprocess.run([sys.executable, "-c", SWITCHED_ON], capture_output=True, text=True, timeout=120)
    assert done.stdout == f"int64 float64\n{[[2 * 2 * 2**40] * 2] * 2}\n", done.stderr


# --- derivatives ----------------------------------------------------------------------------------


@calls
def test_gradients_are_jaxs_own(equation: str, shapes):
    with jax.enable_x64(True):
        xs = [jnp.asarray(x) for x in arrays(shapes)]
        numbers = tuple(range(len(xs)))
        # Compiled as one: each operation alone would be compiled for its shapes.
        ours = jax.jit(jax.grad(lambda *xs: jnp.sin(einsum(equation, *xs)).sum(), numbers))(*xs)
        theirs = jax.jit(jax.grad(lambda *xs: jnp.sin(jnp.einsum(equation, *xs)).sum(), numbers))(*xs)
        for one, other in zip(ours, theirs, strict=True):
            close(one, np.asarray(other), 1e-12)


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [call if call[0] in ("ii->i", "ij,jk->ki", "ij,kj->ik", ",i,->i") else slow(*call) for call in CALLS],
)
def test_forward_mode_and_second_derivatives_check_out_numerically(equation: str, shapes):
    from jax.test_util import check_grads

    with jax.enable_x64(True):
        xs = [jnp.asarray(x) for x in arrays(shapes)]
        check_grads(lambda *xs: einsum(equation, *xs), xs, order=2, modes=("fwd", "rev"))


def test_jacfwd_jacrev_and_hessian():
    with jax.enable_x64(True):
        a, x = jnp.asarray(arrays([(3, 3)])[0]), jnp.arange(1.0, 4.0)
        form = lambda x: einsum("i,ij,j->", x, a, x)  # noqa: E731
        close(jax.jacfwd(form)(x), np.asarray((a + a.T) @ x), 1e-12)
        close(jax.jacrev(form)(x), np.asarray((a + a.T) @ x), 1e-12)
        close(jax.hessian(form)(x), np.asarray(a + a.T), 1e-12)


def test_the_gradient_of_a_complex_product_is_jaxs_convention():
    x, y = jnp.asarray([1 + 2j, 3 - 1j]), jnp.asarray([2 - 1j, 1j])
    ours = jax.grad(lambda x: einsum("i,i->", x, y).real, holomorphic=False)(x)
    close(ours, np.asarray(jax.grad(lambda x: jnp.vdot(y.conj(), x).real)(x)))


# --- vmap and control flow ------------------------------------------------------------------------


@pytest.mark.parametrize("axes", [(0, 0), (0, None), (None, 1), (1, 0)])
def test_vmap_over_mixed_axes(axes):
    batch = 4
    shapes = [(2, 3), (3, 5)]
    full = [
        list(shape) if axis is None else [*shape[:axis], batch, *shape[axis:]]
        for shape, axis in zip(shapes, axes, strict=True)
    ]
    x, y = (jnp.asarray(array) for array in arrays(full))
    mapped = jax.vmap(lambda x, y: einsum("ij,jk->ik", x, y), axes)(x, y)
    for n in range(batch):
        one, other = (
            v if axis is None else jnp.take(v, n, axis) for v, axis in zip((x, y), axes, strict=True)
        )
        close(mapped[n], np.asarray(one @ other))


def test_vmap_of_vmap_and_of_a_gradient():
    x, y = (jnp.asarray(array) for array in arrays([(2, 3, 4), (2, 3, 4)]))
    dots = jax.vmap(jax.vmap(lambda x, y: einsum("i,i->", x, y)))(x, y)
    close(dots, np.einsum("abi,abi->ab", x, y))
    slopes = jax.vmap(jax.grad(lambda x, y: einsum("ai,ai->", x, y)))(x, y)
    close(slopes, np.asarray(y))


def test_scan_checkpoint_and_eval_shape():
    x, y = (jnp.asarray(array) for array in arrays([(3, 3), (5, 3)]))
    step = jax.checkpoint(lambda carry, v: (einsum("ij,j->i", x, carry) + v, einsum("i,i->", carry, v)))
    last, dots = jax.lax.scan(step, jnp.zeros(3), y)
    carry, want = np.zeros(3), []
    for v in np.asarray(y):
        want.append(carry @ v)
        carry = np.asarray(x) @ carry + v
    close(last, carry)
    close(dots, np.array(want))
    shape = jax.eval_shape(lambda x: einsum("ij,kj->ik", x, x), jax.ShapeDtypeStruct((7, 2), jnp.int8))
    assert (shape.shape, shape.dtype) == ((7, 7), jnp.int8)


# --- several devices ------------------------------------------------------------------------------


@pytest.fixture
def mesh():
    assert jax.device_count() == 4
    names = ("data", "model")
    if not hasattr(jax.sharding, "AxisType"):  # older versions have only this one
        return jax.make_mesh((2, 2), names)
    return jax.make_mesh((2, 2), names, axis_types=(jax.sharding.AxisType.Auto,) * 2)


def test_sharded_operands_give_a_sharded_result(mesh):
    spec = jax.sharding.PartitionSpec
    x, y = arrays([(8, 6), (6, 4)])
    sharded = jax.device_put(x, jax.NamedSharding(mesh, spec("data", None)))
    weights = jax.device_put(y, jax.NamedSharding(mesh, spec(None, "model")))
    result = einsum("ij,jk->ik", sharded, weights)
    close(result, x @ y)
    assert result.sharding.is_equivalent_to(jax.NamedSharding(mesh, spec("data", "model")), 2)
    compiled = jax.jit(lambda x, y: einsum("ij,jk->ik", x, y))(sharded, weights)
    assert compiled.sharding.is_equivalent_to(result.sharding, 2)


def test_a_contracted_axis_may_be_sharded(mesh):
    spec = jax.sharding.PartitionSpec
    x, y, z = arrays([(8, 6), (6, 4), (4, 2)])
    left = jax.device_put(x, jax.NamedSharding(mesh, spec("data", "model")))
    right = jax.device_put(y, jax.NamedSharding(mesh, spec("model", None)))
    close(einsum("ij,jk,kl->il", left, right, jnp.asarray(z)), x @ y @ z)


def test_shard_map(mesh):
    spec = jax.sharding.PartitionSpec
    x, y = arrays([(8, 6), (6, 4)])

    def partial(x, y):
        return jax.lax.psum(einsum("ij,jk->ik", x, y), "model")

    shard_map = getattr(jax, "shard_map", None) or installed_module("jax.experimental.shard_map").shard_map
    mapped = shard_map(
        partial,
        mesh=mesh,
        in_specs=(spec("data", "model"), spec("model", None)),
        out_specs=spec("data", None),
    )
    close(mapped(jnp.asarray(x), jnp.asarray(y)), x @ y)
    close(jax.jit(mapped)(jnp.asarray(x), jnp.asarray(y)), x @ y)


def test_arrays_put_on_different_devices_are_an_error_that_names_them():
    one, other = jax.devices()[:2]
    x, y = jax.device_put(jnp.ones(3), one), jax.device_put(jnp.ones(3), other)
    with pytest.raises(OperandTypeError, match=r"^tensors are on different devices: .*0 and .*1$"):
        einsum("i,i->", x, y)
    assert einsum("i,i->", y, jnp.ones(3)).devices() == {other}
    assert einsum("i,i->", y, np.ones(3)).devices() == {other}


# --- export ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("equation", "specs"),
    [
        ("bij->bji", ["b, 3, 4"]),
        ("bii->b", ["b, 3, 3"]),
        ("bi,bi->b", ["b, 3", "b, 3"]),
        ("bi,bj->ij", ["b, 3", "b, 4"]),
        ("bij,bjk->bik", ["b, 3, 4", "b, 4, 5"]),
        ("bij,jk,kl->bil", ["b, 3, 4", "4, 5", "5, 2"]),
        ("bsi,ij,jk,bsk->b", ["b, s, 4", "4, 5", "5, 2", "b, s, 2"]),
        ("...i,ij->...j", ["b, s, 3", "3, 4"]),
    ],
)
def test_export_with_a_symbolic_batch(equation: str, specs):
    pytest.importorskip("jax.export")  # JAX 0.5 imports it only if asked, and it needs absl-py there
    scope = jax.export.SymbolicScope()
    symbolic = [jax.ShapeDtypeStruct(jax.export.symbolic_shape(s, scope=scope), jnp.float32) for s in specs]
    exported = jax.export.export(jax.jit(lambda *xs: einsum(equation, *xs)))(*symbolic)
    for batch in (1, 2, 7):
        sizes = {"b": batch, "s": batch + 1}
        shapes = [[sizes.get(n.strip()) or int(n) for n in spec.split(",")] for spec in specs]
        operands = arrays(shapes)
        close(exported.call(*[jnp.asarray(x, jnp.float32) for x in operands]), expected(equation, operands))


def test_two_symbols_of_one_label_are_a_mismatch_while_exporting():
    pytest.importorskip("jax.export")  # JAX 0.5 imports it only if asked, and it needs absl-py there
    scope = jax.export.SymbolicScope()
    x, y = (
        jax.ShapeDtypeStruct(jax.export.symbolic_shape(f"{name}, 3", scope=scope), jnp.float32)
        for name in "bc"
    )
    with pytest.raises(OperandError, match="label 'i' is b in operand 0 but c in operand 1"):
        jax.export.export(jax.jit(lambda x, y: einsum("ij,ij->i", x, y)))(x, y)


# --- errors and options ---------------------------------------------------------------------------


def test_a_mismatch_is_said_while_tracing_in_our_words():
    with pytest.raises(OperandError, match=r"^label 'j' is 3 in operand 0 but 4 in operand 1\n"):
        jax.jit(lambda x, y: einsum("ij,jk", x, y))(jnp.ones((2, 3)), jnp.ones((4, 5)))


@pytest.mark.parametrize("precision", ["highest", "float32", jax.lax.Precision.HIGH, ("default", "highest")])
def test_precision_reaches_every_product(precision):
    x = jnp.ones((3, 3))
    jaxpr = jax.make_jaxpr(lambda x: einsum("ij,jk,kl->il", x, x, x, precision=precision))(x)
    theirs = jax.make_jaxpr(lambda x: jnp.einsum("ij,jk->ik", x, x, precision=precision))(x)
    (wanted,) = {str(e.params["precision"]) for e in _dots(theirs.jaxpr)}
    found = [str(e.params["precision"]) for e in _dots(jaxpr.jaxpr)]
    assert found == [wanted] * 2


def _dots(jaxpr):
    for equation in jaxpr.eqns:
        if equation.primitive.name == "dot_general":
            yield equation
        for value in equation.params.values():
            if hasattr(value, "jaxpr"):
                yield from _dots(value.jaxpr)


@pytest.mark.parametrize(
    "equation", ["ij,kj->ik", "ij,ij->i", "ij->i", "ij,ij->ij", "ij,kj,kl->il", "i...->..."]
)
def test_preferred_element_type_is_what_sums_are_made_in(equation: str):
    terms = equation.split("->")[0].split(",")
    xs = [jnp.full((4, 4), 100, jnp.int8) for _ in terms]
    result = einsum(equation, *xs, preferred_element_type=jnp.int32)
    assert result.dtype == jnp.int32
    np.testing.assert_array_equal(result, np.einsum(equation, *[np.asarray(x, np.int64) for x in xs]))


@pytest.mark.parametrize("equation", ["ij,jk->ik", "ij,ij->i", "ij->i", "ij,jk,kl->il"])
def test_bools_are_counted_in_the_preferred_element_type(equation: str):
    xs = [jnp.ones((3, 3), bool) for _ in equation.split("->")[0].split(",")]
    result = einsum(equation, *xs, preferred_element_type="int32")
    assert result.dtype == jnp.int32
    np.testing.assert_array_equal(result, np.einsum(equation, *[np.ones((3, 3), int) for _ in xs]))


@pytest.mark.parametrize("options", [{"precision": "foo"}, {"preferred_element_type": "nonsense"}])
def test_values_that_jax_does_not_know_are_our_error(options):
    with pytest.raises(OperandTypeError, match="jax cannot compute with "):
        einsum("i,i->", jnp.ones(2), jnp.ones(2), **options)


def test_a_plan_with_jaxs_own_keywords_is_not_kept_without_them():
    x = jnp.ones((2, 3), "int8")
    plan = einsum_plan("ij,ij->", x, x, preferred_element_type="int32")
    for keep in (plan.to_dict, plan.to_python, lambda: pickle.dumps(plan)):
        with pytest.raises(PathError, match="a plan made with jax's own preferred_element_type= cannot be"):
            keep()


def test_preferred_element_type_of_halves():
    x = jnp.full((2, 3), 300, jnp.float16)
    assert einsum("ij,kj->ik", x, x, preferred_element_type="float32").tolist() == [[270000.0] * 2] * 2
    assert einsum("ij,kj->ik", x, x).tolist() == [[float("inf")] * 2] * 2


def test_options_are_part_of_a_plan_and_of_the_cache():
    x = jnp.ones((3, 3), jnp.int8)
    plan = einsum_plan("ij,jk->ik", x, x, preferred_element_type="int32")
    assert plan(x, x).dtype == jnp.int32
    assert einsum("ij,jk->ik", x, x).dtype == jnp.int8
    assert einsum("ij,jk->ik", x, x, preferred_element_type="int32").dtype == jnp.int32


def test_a_plan_keeps_its_keywords_for_operands_of_another_dtype_and_size():
    plan = einsum_plan("ij,jk->ik", jnp.ones((2, 3), "int8"), (None, None), preferred_element_type="int32")
    for dtype, columns in (("int8", 2), ("int16", 2), ("uint8", 5)):
        x, y = jnp.full((2, 3), 100, dtype), jnp.full((3, columns), 100, dtype)
        assert plan(x, y).dtype == jnp.int32
        assert plan(x, y).tolist() == [[3 * 100 * 100] * columns] * 2


def test_unknown_keywords_name_those_of_jax_too_and_others_do_not_have_them():
    known = "optimize, dtype, out, hints, strict, precision, preferred_element_type"
    with pytest.raises(TypeError, match=f"unknown keyword 'casting'; known: {known}$"):
        einsum("i->", jnp.ones(2), casting="safe")
    with pytest.raises(
        TypeError, match=r"unknown keyword 'precision'; known: optimize, dtype, out, hints, strict$"
    ):
        einsum("i->", np.ones(2), precision="highest")


def test_out_is_refused():
    with pytest.raises(OperandTypeError, match="out= cannot be filled: jax tensors are immutable"):
        einsum("i->i", jnp.ones(2), out=np.ones(2))


class Converts:
    """An object that JAX converts to an array, as flax and Keras have."""

    def __init__(self, value) -> None:
        self.value = value

    def __jax_array__(self):
        return self.value


def test_an_object_that_converts_is_an_operand():
    x = Converts(jnp.arange(3.0))
    assert einsum("i,i->", x, jnp.ones(3)) == 3
    assert einsum("i,i->", x, np.ones(3)) == 3
    assert isinstance(einsum("i->i", x), jax.Array)


def test_the_adapter_is_found_for_arrays_and_tracers():
    found = []
    jax.jit(lambda x: found.append(einsum_plan("i->", x).backend) or x)(jnp.ones(2))
    assert found == [load("jax")]


@pytest.mark.parametrize("operands", ["bool", "float32"])
def test_a_dtype_may_be_given_as_jax_spells_it(operands):
    clear_cache()
    x = jnp.ones((2, 2), operands)
    for _ in range(2):
        assert einsum("ij,jk->ik", x, x, dtype=jnp.float32).dtype == "float32"
    assert einsum_plan("ij->i", x, dtype=jnp.float32)(x).dtype == "float32"


# --- sparse arrays -----------------------------------------------------------------------------------------


@pytest.fixture
def bcoo():
    """A sparse matrix, and the same values as a NumPy array."""
    sparse = pytest.importorskip("jax.experimental.sparse")
    array = np.array([[0, 1, 0, 2], [3, 0, 0, 0], [0, 0, 4, 5]], "float32")
    return sparse.BCOO.fromdense(jnp.asarray(array)), array


@pytest.mark.parametrize(
    "equation", ["ij,j->i", "ij,jk->ik", "ki,ij->kj", "ij,ij->", "ij->i", "ij->ji", "ij,->ij", "i,ij,j->"]
)
def test_what_jax_can_contract_of_sparse_arrays_is_contracted(bcoo, equation):
    x, array = bcoo
    sizes = {"i": 3, "j": 4, "k": 2}
    terms = equation.partition("->")[0].split(",")
    others = [np.ones([sizes[n] for n in term], "float32") * 2 for term in terms if term != "ij"]
    place = terms.index("ij")
    given = [x] * terms.count("ij") + [jnp.asarray(other) for other in others]
    plain = [array] * terms.count("ij") + others
    if place:
        given, plain = ([xs[1], xs[0], *xs[2:]] for xs in (given, plain))
    result = einsum(equation, *given)
    want = np.einsum(equation, *plain)
    np.testing.assert_array_equal(result.todense() if hasattr(result, "todense") else result, want)


def test_sparse_arrays_are_traced_and_differentiated(bcoo):
    x, array = bcoo
    y = np.arange(4, dtype="float32")
    np.testing.assert_array_equal(jax.jit(lambda x: einsum("ij,j->i", x, y))(x), array @ y)
    np.testing.assert_array_equal(jax.grad(lambda y: einsum("ij,j->", x, y))(y), array.sum(0))


def test_a_sparse_array_that_jax_cannot_contract_names_the_way_out(bcoo):
    x, array = bcoo
    with pytest.raises(OperandTypeError) as caught:
        einsum("ij,i->ij", x, jnp.ones(3))
    assert str(caught.value) == (
        "operand 0 is a sparse jax BCOO, which jax cannot contract\n  make it dense first: x.todense()"
    )
    np.testing.assert_array_equal(einsum("ij,i->ij", x.todense(), jnp.ones(3)), array)
    with pytest.raises(OperandTypeError, match=r"cannot be combined with dtype= or out=\n.*x\.todense\(\)"):
        einsum("ij,j->i", x, jnp.ones(4), dtype="float32")


def test_a_wrong_size_is_told_also_beside_a_sparse_array(bcoo):
    with pytest.raises(OperandError, match="label 'j' is 4 in operand 0 but 5 in operand 1"):
        einsum("ij,j->i", bcoo[0], jnp.ones(5))
