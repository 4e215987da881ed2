"""Settings of a framework that change a dtype or an error: a plan made before does not outlive them."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest
from conftest import installed_module, slow

from einsum_unified import (
    OperandTypeError,
    cache_info,
    clear_cache,
    einsum,
    einsum_plan,
    register_backend,
)
from einsum_unified.adapter import Form, NumPyLikeAdapter
from einsum_unified.adapter import registry as adapters
from einsum_unified.adapter.dispatch import load
from einsum_unified.runtime.run import execute
from einsum_unified.runtime.settings import Settings


@pytest.fixture(autouse=True)
def no_plans():
    clear_cache()
    yield
    clear_cache()


# --- torch ------------------------------------------------------------------------------------------


@pytest.fixture
def default_dtype(torch):
    """Set torch's default dtype by name; afterwards it is as it was."""
    before = torch.get_default_dtype()
    yield lambda name: torch.set_default_dtype(getattr(torch, name))
    torch.set_default_dtype(before)


FLOATS = ("float32", "float64", "bfloat16", "float16", "float32")


@pytest.mark.filterwarnings("ignore:ComplexHalf support is experimental")
@pytest.mark.parametrize("dtype", ["bool", "int8", "int32", "int64", "float32", "bfloat16", "complex64"])
@pytest.mark.parametrize("number", [2.5, 1j, 2, True])
def test_a_python_number_counts_as_in_torchs_own_product_under_each_default(
    torch, default_dtype, dtype: str, number
):
    """Torch's rule for numbers beside integers: pytorch/pytorch#41263 documents it."""
    x = torch.ones(3, dtype=getattr(torch, dtype))
    plan = einsum_plan("i,->i", x, number)
    for name in FLOATS:
        default_dtype(name)
        want = (x * number).dtype
        assert einsum("i,->i", x, number).dtype == plan(x, number).dtype == want
        assert einsum("i,->i", x, number, dtype="complex128").dtype == torch.complex128


def test_out_takes_the_dtype_of_the_present_default(torch, default_dtype):
    x = torch.arange(3)
    plan = einsum_plan("i,->i", x, 2.5)
    for name in FLOATS:
        default_dtype(name)
        out = torch.empty(3, dtype=getattr(torch, name))
        for call in (lambda out: einsum("i,->i", x, 2.5, out=out), lambda out: plan(x, 2.5, out=out)):
            assert call(out) is out
            assert out.tolist() == [0, 2.5, 5]
        other = torch.empty(3, dtype=torch.complex64)
        with pytest.raises(
            OperandTypeError, match=f"out= has dtype complex64 but the result has dtype {name}"
        ):
            plan(x, 2.5, out=other)


def test_a_list_of_numbers_is_as_weak_under_each_default(torch, default_dtype):
    x = torch.arange(3)
    for name in FLOATS:
        default_dtype(name)
        assert einsum("i,i->i", x, [0.5, 1, 2]).dtype == getattr(torch, name)
        assert einsum("i,i->i", x, np.ones(3, "float32")).dtype == torch.float32


def test_a_switch_of_the_default_forgets_no_plan_and_makes_each_once(torch, default_dtype):
    x, unconcerned = torch.arange(3), torch.ones(3)
    plan = einsum_plan("i,->i", x, 2.5)
    einsum("i,i->", unconcerned, unconcerned)
    made: list[int] = []
    adapter = load("torch")
    original = type(adapter).result_type

    def counted(self, names, weak):
        made.append(len(names))
        return original(self, names, weak)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(adapter), "result_type", counted)
        for _ in range(3):
            for name in ("float64", "float32"):
                default_dtype(name)
                assert plan(x, 2.5).dtype == einsum("i,->i", x, 2.5).dtype == getattr(torch, name)
    assert len(made) == 1  # for float64: that for float32 was there already
    before = cache_info()
    einsum("i,i->", unconcerned, unconcerned)
    assert (cache_info().hits - before.hits, cache_info().misses) == (1, before.misses)


def test_a_plan_keeps_its_path_across_a_switch(torch, default_dtype):
    xs = [torch.ones((2, 3), dtype=torch.int32), torch.ones((3, 4), dtype=torch.int32), 2.5]
    plan = einsum_plan("ij,jk,->ik", *xs, optimize=("einsum_path", (0, 1), (0, 1)))
    default_dtype("float64")
    assert plan(*xs).dtype == torch.float64
    first, renewed = plan.executable.renewed.values()
    assert first is plan.executable
    assert renewed.path == plan.path == ((0, 1), (0, 1))


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk->ik", [(2, 3), (3, 4)]),
        ("ij,ij->", [(2, 3), (2, 3)]),
        ("ij->i", [(2, 3)]),
        ("i,j->ij", [(2,), (3,)]),
    ],
)
@pytest.mark.parametrize("planned_inside", [False, True])
def test_a_plan_from_inside_or_outside_of_autocast_serves_both(
    torch, equation: str, shapes, planned_inside: bool
):
    xs = [torch.ones(shape) for shape in shapes]
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=planned_inside):
        plan = einsum_plan(equation, *xs)
        einsum(equation, *xs)
    assert einsum(equation, *xs).dtype == plan(*xs).dtype == torch.float32
    with torch.autocast("cpu", dtype=torch.bfloat16):
        want = torch.einsum(equation, *xs).dtype
        assert einsum(equation, *xs).dtype == plan(*xs).dtype == want


def test_the_default_device_does_not_move_a_result(torch):
    x = torch.arange(3)
    with torch.device("meta"):
        for other in (2.5, np.float64(2.5)):
            assert einsum("i,->i", x, other).device.type == "cpu"


# --- JAX --------------------------------------------------------------------------------------------


@pytest.fixture
def jax():
    return installed_module("jax")


@pytest.mark.parametrize("dtype", ["float64", "int64", "uint64", "complex128"])
def test_an_array_of_64_bits_is_not_cut_after_the_switch_either(jax, dtype: str):
    """Code that JAX itself had compiled before a switch gave wrong dtypes: jax-ml/jax#5532."""
    with jax.enable_x64(True):
        x = jax.numpy.ones((2, 3), dtype)
        plan = einsum_plan("ij,kj->ik", x, x)
        assert einsum("ij,kj->ik", x, x).dtype == plan(x, x).dtype == dtype
    for call in (plan, lambda *xs: einsum("ij,kj->ik", *xs), jax.jit(lambda *xs: einsum("ij,kj->ik", *xs))):
        with pytest.raises(
            OperandTypeError, match=rf"operand 0 has dtype jax\.{dtype}, which jax cannot compute"
        ):
            call(x, x)
    with jax.enable_x64(True):
        assert einsum("ij,kj->ik", x, x).dtype == plan(x, x).dtype == dtype


def test_dtype_float64_is_refused_after_the_switch_too(jax):
    x = jax.numpy.ones(3, "float32")
    with jax.enable_x64(True):
        plan = einsum_plan("i->i", x, dtype="float64")
        assert einsum("i->i", x, dtype="float64").dtype == plan(x).dtype == "float64"
    for call in (plan, lambda x: einsum("i->i", x, dtype="float64")):
        with pytest.raises(
            OperandTypeError, match=r"dtype='float64' is not a dtype that jax can compute with"
        ):
            call(x)


@pytest.mark.parametrize(
    ("one", "other"), [("int32", "uint32"), ("int32", "float32"), ("bfloat16", "float16")]
)
def test_dtypes_promote_as_jax_does_it_with_as_many_bits_as_there_are(jax, one: str, other: str):
    x, y = jax.numpy.ones(3, one), jax.numpy.ones(3, other)
    plan = einsum_plan("i,i->i", x, y)
    for on in (False, True, False):
        with jax.enable_x64(on):
            want = (x * y).dtype
            assert einsum("i,i->i", x, y).dtype == plan(x, y).dtype == want
            assert jax.jit(lambda x, y: einsum("i,i->i", x, y))(x, y).dtype == want


def test_strict_promotion_refuses_what_was_planned_without_it(jax):
    x, y = jax.numpy.ones(3, "int32"), jax.numpy.ones(3, "float32")
    plan = einsum_plan("i,i->", x, y)
    for _ in range(2):
        assert einsum("i,i->", x, y).dtype == einsum("i,->i", x, 2.5).dtype == "float32"
        with jax.numpy_dtype_promotion("strict"):
            for call in (plan, lambda *xs: einsum("i,i->", *xs), jax.jit(lambda *xs: einsum("i,i->", *xs))):
                with pytest.raises(
                    OperandTypeError, match="int32 and float32 do not promote to a common dtype"
                ):
                    call(x, y)
            with pytest.raises(OperandTypeError, match="int32 and a Python float do not promote"):
                einsum("i,->i", x, 2.5)
            assert einsum("i,->i", y, 2.5).dtype == (y * 2.5).dtype
            assert einsum("i,i->", x, y, dtype="float32") == 3


@pytest.mark.parametrize("equation", ["ij,j->ij", "bij,jk->bik", "i,j->ij", ",ij->ij", "ij,ij,j->", "ii->i"])
def test_under_strict_promotion_of_ranks_and_dtypes_a_plan_runs_as_ever(jax, equation: str):
    xs = [np.ones((2,) * len(term), "float32") for term in equation.split("->")[0].split(",")]
    want = np.einsum(equation, *xs)
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        for operands in (map(jax.numpy.asarray, xs), [jax.numpy.asarray(xs[0]), *xs[1:]]):
            np.testing.assert_array_equal(einsum(equation, *operands), want)


def test_a_plan_computes_with_the_present_precision(jax):
    x = jax.numpy.ones((3, 3))
    for precision in (None, "highest", None):
        with jax.default_matmul_precision(precision):
            ours, theirs = (
                jax.make_jaxpr(lambda x, f=f: f("ij,jk->ik", x, x))(x) for f in (einsum, jax.numpy.einsum)
            )
            used = [[e.params.get("precision") for e in found.eqns if e.primitive.name == "dot_general"]
                    for found in (ours, theirs)]  # fmt: skip
            assert used[1] in ([], used[0])
            assert len(used[0]) == 1
            assert ("HIGHEST" in str(used[0])) is (precision == "highest")


def test_threads_may_have_different_settings(jax):
    x, y = jax.numpy.ones(3, "int32"), jax.numpy.ones(3, "uint32")
    plan = einsum_plan("i,i->", x, y)
    wrong: list[str] = []

    def work(on: bool) -> None:
        with jax.enable_x64(on):
            for _ in range(30):
                found = {str(einsum("i,i->", x, y).dtype), str(plan(x, y).dtype)}
                wrong.extend(found - {"int64" if on else "int32"})

    threads = [threading.Thread(target=work, args=(n % 2 == 0,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# --- settings that change nothing ---------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["all", slow("legacy")])
def test_numpys_behaviour_in_tensorflow_changes_no_dtype(tf, mode: str):
    """The setting cannot be taken back, so a process of its own has it."""
    code = f"""
import numpy as np, tensorflow as tf
from einsum_unified import clear_cache, einsum
x, h = tf.constant([1, 2, 3]), tf.constant([1, 2, 3], tf.float16)
spec = tf.TensorSpec([None, 3], tf.float32)
graph = tf.function(lambda x: einsum("ij,kj->ik", x, x), input_signature=[spec])
def found():
    results = [einsum("i,->i", x, 2.5), einsum("i,i->", x, h), einsum("i,i->i", h, np.ones(3)),
               einsum("ii->i", tf.ones((3, 3))), graph(tf.ones((2, 3)))]
    return [(y.dtype.name, y.numpy().tolist()) for y in results]
before = found()
tf.experimental.numpy.experimental_enable_numpy_behavior(dtype_conversion_mode={mode!r})
after = found()
clear_cache()
assert before == after == found(), (before, after, found())
print([name for name, _ in before])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.stdout == "['float32', 'float16', 'float64', 'float32', 'float32']\n", done.stderr


@pytest.mark.parametrize("floatx", ["float64", "float16"])
def test_keras_floatx_does_not_change_the_dtype_of_its_tensors(floatx: str):
    keras = installed_module("keras")
    before = keras.config.floatx()
    x = keras.Variable(np.ones((2, 3), "float32"), dtype="float32", trainable=False)
    try:
        for name in (before, floatx):
            keras.config.set_floatx(name)
            assert "float32" in str(einsum("ij->i", x).dtype)
            assert einsum("ij,->i", keras.KerasTensor((2, 3), "float32"), 2.5).dtype == "float32"
    finally:
        keras.config.set_floatx(before)


def test_a_scope_of_keras_autocast_casts_variables_in_every_call():
    keras = installed_module("keras")
    from keras.src.backend.common.variables import AutocastScope

    x = keras.Variable(np.ones((2, 3), "float32"), dtype="float32")
    for _ in range(2):
        assert "float32" in str(einsum("ij,kj->ik", x, x).dtype)
        with AutocastScope("bfloat16"):
            assert "bfloat16" in str(einsum("ij,kj->ik", x, x).dtype)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int32", "float16", "float32"])
def test_numpys_strict_error_state_changes_no_exact_result(dtype: str):
    random = np.random.default_rng(0)
    x = random.integers(0, 2 if dtype == "bool" else 100, (40, 40)).astype(dtype)
    equations = ("ij,jk->ik", "ij,ij->", "ij->i", "bi,bi->b")
    operands = [[x] * (equation.count(",") + 1) for equation in equations]
    want = [einsum(equation, *xs) for equation, xs in zip(equations, operands, strict=True)]
    with np.errstate(all="raise"):
        for again in range(2):
            got = [einsum(equation, *xs) for equation, xs in zip(equations, operands, strict=True)]
            for one, other in zip(got, want, strict=True):
                np.testing.assert_array_equal(one, other)
                assert one.dtype == dtype
            if not again:
                clear_cache()


def test_dasks_configuration_counts_when_a_call_is_made():
    dask, da = installed_module("dask"), installed_module("dask.array")
    x = da.ones(400, chunks=200)
    plan = einsum_plan("i,j->ij", x, x)
    for size in ("128MiB", "8kiB", "128MiB"):
        with dask.config.set({"array.chunk-size": size}):
            one, other = einsum("i,j->ij", x, x), plan(x, x)
        assert one.chunks == other.chunks
        assert (max(one.chunks[0]) < 200) is (size == "8kiB")


# --- an adapter of one's own --------------------------------------------------------------------------


class Kept:
    """An array of a library with a setting: the dtype of integers times floats."""

    default = "float32"

    def __init__(self, values) -> None:
        self.values = np.asarray(values)

    shape = property(lambda self: self.values.shape)
    dtype = property(lambda self: self.values.dtype)


class KeptAdapter(NumPyLikeAdapter):
    name = "kept"
    read = 0

    def __init__(self) -> None:
        super().__init__(np)

    def form(self, cls):
        return Form.ARRAY if issubclass(cls, Kept) else None

    def result_type(self, names, weak):
        return Kept.default if float in weak else super().result_type(names, weak)

    def settings(self, names, weak):
        def read():
            self.read += 1
            return Kept.default

        return read if float in weak else None

    def asarray(self, x, like, dtype):
        return np.asarray(x.values if isinstance(x, Kept) else x, dtype)


@pytest.fixture
def kept(monkeypatch):
    monkeypatch.setattr(adapters, "table", adapters.table)
    monkeypatch.setattr(Kept, "default", "float32")
    adapter = KeptAdapter()
    register_backend(Kept, adapter)
    return adapter


def test_an_adapter_declares_what_its_plans_depend_on(kept, monkeypatch):
    x = Kept([1, 2, 3])
    plan = einsum_plan("i,->i", x, 2.5)
    for name in ("float32", "float64", "float16", "float32"):
        monkeypatch.setattr(Kept, "default", name)
        assert einsum("i,->i", x, 2.5).dtype == plan(x, 2.5).dtype == name


def test_only_calls_that_depend_on_a_setting_ask_for_it(kept):
    x = Kept([1, 2, 3])
    einsum("i,i->", x, x)
    einsum("i,->i", x, 2)
    assert kept.read == 0
    einsum("i,->i", x, 2.5)
    assert kept.read > 0


def test_a_setting_that_changes_while_a_call_begins_is_read_again(kept, monkeypatch):
    """As when another thread changes it between our look at it and the program's own."""
    x = Kept([1, 2, 3])
    plan = einsum_plan("i,->i", x, 2.5)
    answers = iter(["float32", "float64", "float64", "float64"])  # ours, the program's, ours again, ...
    monkeypatch.setattr(Kept, "default", "float64")
    stale = plan.executable
    read = lambda: next(answers, "float64")  # noqa: E731
    asked = replace(
        stale, settings=Settings(read, "float32"), run=Settings(read, "float32").checked(stale.run)
    )
    assert execute(asked, [np.asarray([1, 2, 3]), np.asarray(2.5)]).dtype == "float64"


def test_an_error_after_a_switch_does_not_speak_of_the_stale_plan(kept, monkeypatch):
    x = Kept([1, 2, 3])
    plan = einsum_plan("i,->i", x, 2.5)
    monkeypatch.setattr(Kept, "default", "nonsense")
    for call in (plan, lambda *xs: einsum("i,->i", *xs)):
        with pytest.raises(
            OperandTypeError, match="the operands promote to nonsense, which kept does not"
        ) as caught:
            call(x, 2.5)
        assert "StalePlan" not in repr([caught.value.__context__, caught.value.__cause__])


def test_plans_for_ever_new_settings_are_not_all_kept(kept, monkeypatch):
    x, now = Kept([1, 2, 3]), [0]
    monkeypatch.setattr(KeptAdapter, "settings", lambda self, names, weak: lambda: now[0])
    clear_cache()
    plan = einsum_plan("i,->i", x, 2.5)
    for now[0] in range(100):
        assert plan(x, 2.5).dtype == "float32"
    assert len(plan.executable.renewed) <= 16
