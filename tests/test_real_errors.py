"""Exceptions of the framework, or of the operands' own arithmetic, reach the caller as they are."""

from __future__ import annotations

import gc
import weakref
from contextlib import suppress
from decimal import Context, Decimal, InvalidOperation, localcontext
from fractions import Fraction

import numpy as np
import pytest
from conftest import installed_module

from einsum_unified import OperandTypeError, clear_cache, einsum, einsum_path, einsum_plan
from einsum_unified.adapter.dispatch import load


class Boom(Exception):  # noqa: N818
    """Stands for whatever goes wrong inside a framework."""


def boom(*args, **kwargs):
    raise Boom("the real one")


# --- tracers ----------------------------------------------------------------------------------------

JAX_TRANSFORMS = {
    "eager": lambda jax, f, x: f(x),
    "jit": lambda jax, f, x: jax.jit(f)(x),
    "vmap": lambda jax, f, x: jax.vmap(f)(x[None]),
    "grad": lambda jax, f, x: jax.grad(lambda x: f(x).sum())(x),
    "jvp": lambda jax, f, x: jax.jvp(f, (x,), (x,)),
    "eval_shape": lambda jax, f, x: jax.eval_shape(f, x),
    "make_jaxpr": lambda jax, f, x: jax.make_jaxpr(f)(x),
    "jit of vmap of grad": lambda jax, f, x: jax.jit(jax.vmap(jax.grad(lambda x: f(x).sum())))(x[None]),
    "scan": lambda jax, f, x: jax.lax.scan(lambda y, _: (f(y), None), x, None, 2),
    "checkpoint": lambda jax, f, x: jax.checkpoint(f)(x),
}


@pytest.mark.parametrize("transform", JAX_TRANSFORMS)
@pytest.mark.parametrize("other", ["a tensor", "an array"])
def test_jaxs_own_error_is_not_hidden_by_the_look_at_devices(transform: str, other: str, monkeypatch):
    jax = installed_module("jax")
    x = jax.numpy.ones((3, 3))
    second = (lambda y: y) if other == "a tensor" else (lambda y: np.ones((3, 3), "float32"))
    monkeypatch.setattr(type(load("jax")), "native", lambda self, terms, output: boom)
    clear_cache()
    with pytest.raises(Boom, match="the real one"):
        JAX_TRANSFORMS[transform](jax, lambda y: einsum("ij,jk->ik", y, second(y)), x)
    clear_cache()


TORCH_TRANSFORMS = {
    "eager": lambda torch, f, x: f(x, x),
    "meta": lambda torch, f, x: f(x.to("meta"), x.to("meta")),
    "vmap": lambda torch, f, x: torch.vmap(f)(x[None], x[None]),
    "grad": lambda torch, f, x: torch.func.grad(lambda x, y: f(x, y).sum())(x, x),
    "fx": lambda torch, f, x: torch.fx.symbolic_trace(f)(x, x),
    "fake": lambda torch, f, x: _fake(torch, f, x),
    "make_fx": lambda torch, f, x: _made(torch, f, x),
}


def _fake(torch, f, x):
    from torch._subclasses.fake_tensor import FakeTensorMode

    mode = FakeTensorMode()
    return f(mode.from_tensor(x), mode.from_tensor(x))


def _made(torch, f, x):
    from torch.fx.experimental.proxy_tensor import make_fx

    return make_fx(f, tracing_mode="symbolic")(x, x)


@pytest.mark.parametrize("transform", TORCH_TRANSFORMS)
def test_torchs_own_error_comes_through_its_tracers(torch, transform: str, monkeypatch):
    monkeypatch.setattr(type(load("torch")), "dot", staticmethod(boom))
    clear_cache()
    with pytest.raises(Boom, match=r"^the real one$"):
        TORCH_TRANSFORMS[transform](torch, lambda x, y: einsum("ij,jk->ik", x, y), torch.ones(3, 3))
    clear_cache()


def test_fake_tensors_beside_real_ones_raise_torchs_own_error(torch):
    from torch._subclasses.fake_tensor import FakeTensorMode

    fake, real = FakeTensorMode().from_tensor(torch.ones(3, 3)), torch.ones(3, 3)
    with pytest.raises(AssertionError, match="Please convert all Tensors to FakeTensors first"):
        einsum("ij,jk->ik", fake, real)


@pytest.mark.parametrize("traced", [False, True])
def test_tensorflows_own_error_comes_through(tf, traced: bool, monkeypatch):
    monkeypatch.setattr(type(load("tensorflow")), "dot", staticmethod(boom))
    clear_cache()
    call = lambda x: einsum("ij,kj->ik", x, x)  # noqa: E731
    with pytest.raises(Boom, match="the real one"):
        (tf.function(call) if traced else call)(tf.ones((5, 70)))
    clear_cache()


def test_mlx_and_dask_raise_their_own_errors(monkeypatch):
    mx, da = installed_module("mlx.core"), installed_module("dask.array")
    for name, member, x in (("mlx", "matmul", mx.ones((3, 3))), ("dask", "native", da.ones((3, 3)))):
        monkeypatch.setattr(type(load(name)), member, boom)
        clear_cache()
        with pytest.raises(Boom):
            einsum("ij,jk->ik", x, x)
    clear_cache()


@pytest.mark.parametrize("member", ["hint", "same_device"])
@pytest.mark.parametrize(
    "broken", [ValueError("no answer"), TypeError("no answer"), Boom("no answer")], ids=repr
)
def test_a_member_that_fails_while_an_exception_is_examined_does_not_hide_it(member, broken, monkeypatch):
    mx = installed_module("mlx.core")
    adapter = type(load("mlx"))

    def fails(*args):
        raise broken

    monkeypatch.setattr(adapter, "matmul", boom)
    clear_cache()
    x = mx.ones((3, 3))
    with pytest.raises(Boom, match="the real one"):
        einsum("ij,jk->ik", x, x)
    monkeypatch.setattr(adapter, member, fails)
    with pytest.raises(Boom, match="the real one"):
        einsum("ij,jk->ik", x, x)
    clear_cache()


# --- exceptions do not keep operands alive ------------------------------------------------------------

BAD_CALLS = {
    "devices": lambda torch, x: einsum("i,i->", x, torch.ones(7, device="meta")),
    "devices, hints": lambda torch, x: einsum("i,i->", x, torch.ones(7, device="meta"), hints={"i": 3}),
    "devices, plan": lambda torch, x: einsum_plan("i,i->", x, x)(x, torch.ones(7, device="meta")),
    "devices, out": lambda torch, x: einsum("i,i->", x, x, out=torch.ones((), device="meta")),
    "sizes": lambda torch, x: einsum("i,i->", x, torch.ones(6)),
    "a number": lambda torch, x: einsum("i,->i", x.to(torch.int8), 2**40),
    "nested": lambda torch, x: einsum("bij,j->bi", _nested(torch), x),
    "quantised": lambda torch, x: einsum("i,i->", x, torch.quantize_per_tensor(x, 1, 0, torch.qint8)),
}


def _nested(torch):
    return torch.nested.nested_tensor([torch.ones(2, 7), torch.ones(1, 7)])


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors is in prototype:UserWarning")
@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("call", BAD_CALLS)
def test_no_cycle_of_references_keeps_the_operands_of_a_failed_call(torch, call: str):
    x = torch.ones(7)
    alive = weakref.ref(x)
    gc.collect()
    gc.disable()
    try:
        try:
            BAD_CALLS[call](torch, x)
        except (TypeError, ValueError):
            pass
        else:
            pytest.fail("the call did not raise")
        del x
        assert alive() is None
    finally:
        gc.enable()


def test_no_cycle_of_references_keeps_the_operands_of_an_exception_of_their_own():
    class Weak(Raising):
        pass

    x = objects(Weak, (3,))
    alive = weakref.ref(x[0])
    gc.collect()
    gc.disable()
    try:
        with suppress(Boom):
            einsum("i,i->", x, x)
        del x
        assert alive() is None
    finally:
        gc.enable()


# --- operands without a shape -------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors is in prototype:UserWarning")
def test_a_nested_tensor_cannot_be_planned_for_and_the_error_says_so(torch):
    """Torch says "Internal error: NestedTensorImpl doesn't support sizes": pytorch/pytorch#132111."""
    nested, dense = _nested(torch), torch.ones(7)
    plan = einsum_plan("bij,j->bi", (2, 2, 7), dense)
    for call in (einsum_plan, einsum_path):
        with pytest.raises(OperandTypeError) as caught:
            call("bij,j->bi", nested, dense)
        assert str(caught.value).splitlines() == [
            "operand 0 is a nested torch Tensor, which has no shape or dtype to plan for",
            "  make it dense first: torch.nested.to_padded_tensor(x, 0.0)",
        ]
        with pytest.raises(OperandTypeError, match="operand 1 is a nested torch Tensor"):
            call("j,bij->bi", (7,), nested)
    with pytest.raises(OperandTypeError, match="operand 0 is a nested torch Tensor"):
        plan(nested, dense)


def test_an_object_without_a_shape_cannot_be_planned_for(torch):
    class Logs:
        @classmethod
        def __torch_function__(cls, function, types, args=(), kwargs=None):
            return function.__name__

    assert einsum("i->i", Logs()) == "einsum"
    for call in (lambda: einsum_plan("i->i", Logs()), lambda: einsum_plan("i->i", (2,))(Logs())):
        with pytest.raises(
            OperandTypeError, match=r"^operand 0 is a torch Logs, which has no shape or dtype"
        ):
            call()


# --- arithmetic of objects ----------------------------------------------------------------------------


class Raising:
    """A number whose product raises, or whose sum does."""

    wrong = Boom
    product, total = True, True

    def __mul__(self, other):
        type(self).calls = getattr(type(self), "calls", 0) + 1
        if self.product:
            raise self.wrong("product")
        return self

    def __add__(self, other):
        type(self).calls = getattr(type(self), "calls", 0) + 1
        if self.total:
            raise self.wrong("sum")
        return self

    __rmul__, __radd__ = __mul__, __add__


def objects(cls: type, shape: tuple[int, ...], order: str = "C"):
    found = np.empty(shape, object, order=order)
    for index in np.ndindex(*shape):
        found[index] = cls()
    return found


PRODUCTS = {
    "ij,jk->ik": [(3, 4), (4, 5)],
    "ij,kj->ik": [(3, 4), (5, 4)],
    "ij,j->i": [(3, 4), (4,)],
    "i,ij->j": [(3,), (3, 4)],
    "i,i->": [(4,), (4,)],
    "ij,ij->": [(3, 4), (3, 4)],
    "ij,ij->i": [(3, 4), (3, 4)],
    "bi,bi->b": [(3, 4), (3, 4)],
    "bij,bjk->bik": [(2, 3, 4), (2, 4, 5)],
    "bij,jk->bik": [(2, 3, 4), (4, 5)],
    "bij,bjk->ikb": [(2, 3, 4), (2, 4, 5)],
    "aibj,ajbk->abik": [(2, 3, 2, 4), (2, 4, 2, 5)],
    "aijb,jkab->kiab": [(2, 3, 4, 2), (4, 5, 2, 2)],
    "ij,jk,kl->il": [(3, 4), (4, 5), (5, 2)],
    "...ij,jk->...ik": [(2, 2, 3, 4), (4, 5)],
}
SUMS = {"ii": [(3, 3)], "ij->i": [(3, 4)], "ij->j": [(3, 4)], "ij->": [(3, 4)], "iij->j": [(3, 3, 2)]}


@pytest.mark.parametrize("wrong", [Boom, ZeroDivisionError, KeyboardInterrupt, AttributeError, ValueError])
@pytest.mark.parametrize("equation", PRODUCTS)
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_exception_of_the_objects_own_product_comes_through_at_once(equation, wrong, order):
    """NumPy's products go on after it, and raise SystemError: numpy/numpy#29688."""
    cls = type("Wrong", (Raising,), {"wrong": wrong})
    xs = [objects(cls, shape, order) for shape in PRODUCTS[equation]]
    for call in (einsum, einsum_plan(equation, *xs)):
        cls.calls = 0
        with pytest.raises(wrong, match=r"^product$") as caught:
            call(*([equation] if call is einsum else []), *xs)
        assert caught.value.__cause__ is None
        assert cls.calls == 1  # no further product was tried


@pytest.mark.parametrize("equation", [*PRODUCTS, *SUMS])
def test_an_exception_of_the_objects_own_sum_comes_through_at_once(equation: str):
    cls = type("Wrong", (Raising,), {"product": False})
    xs = [objects(cls, shape) for shape in {**PRODUCTS, **SUMS}[equation]]
    with pytest.raises(Boom, match=r"^sum$") as caught:
        einsum(equation, *xs)
    assert caught.value.__cause__ is None
    result = einsum(equation, *[np.ones(x.shape, int) for x in xs])
    out = np.full(np.shape(result), None, object)
    with pytest.raises(Boom, match=r"^sum$"):
        einsum(equation, *xs, out=out)
    assert (out == None).all()  # noqa: E711 - elementwise


@pytest.mark.parametrize("equation", [*PRODUCTS, *SUMS])
@pytest.mark.parametrize("kind", [int, Fraction, Decimal])
def test_products_of_objects_are_exact(equation: str, kind: type):
    random = np.random.default_rng(0)
    arrays = [random.integers(-(10**6), 10**6, shape) for shape in {**PRODUCTS, **SUMS}[equation]]
    want = np.einsum(equation, *arrays)
    xs = [np.vectorize(lambda n: kind(int(n)), otypes=[object])(x) for x in arrays]
    results = [einsum(equation, *xs), einsum(equation, *arrays, dtype="object")]
    results.append(einsum(equation, *xs, out=np.empty(want.shape, object)))
    for result in results:
        assert np.shape(result) == want.shape
        assert (np.asarray(result, object) == want).all()
    assert {type(x) for x in np.asarray(results[0], object).flat} == {kind}


def test_a_sum_over_nothing_is_0_also_for_batches_of_objects():
    for equation, shapes in (("ij,jk->ik", [(2, 0), (0, 3)]), ("bij,bjk->bik", [(4, 2, 0), (4, 0, 3)])):
        result = einsum(equation, *[np.empty(shape, object) for shape in shapes])
        assert result.tolist() == np.zeros(result.shape, int).tolist()


def test_decimals_own_exceptions_come_through():
    x = np.array([[Decimal("1e10"), Decimal(1)]] * 2, object)
    with localcontext(Context(Emax=15)), pytest.raises(ArithmeticError) as caught:
        einsum("ij,jk->ik", x, x)
    assert type(caught.value).__module__ == "decimal"
    with pytest.raises(InvalidOperation):
        einsum(
            "bij,bjk->bik",
            np.full((2, 2, 2), Decimal("sNaN"), object),
            np.full((2, 2, 2), Decimal(1), object),
        )


def test_objects_that_do_not_multiply_say_so():
    x, y = np.full((2, 2), "a", object), np.full((2, 2), None, object)
    with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for \*|can't multiply sequence"):
        einsum("ij,jk->ik", x, y)
    stamps = np.array([[np.timedelta64(123, "s")], [np.timedelta64(321, "s")]], object)
    with pytest.raises(TypeError, match="multiply"):
        einsum("ij,jk->ik", np.zeros((2, 2), complex), stamps)
