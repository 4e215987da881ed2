"""Calls in other forms than text and plain tensors find their plans, and give what they gave without."""

from __future__ import annotations

import copy
import gc
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from frameworks import Framework
from libraries import MLX, Autograd, Dask, Strict

from einsum_unified import (
    EinsumError,
    OperandError,
    OperandTypeError,
    cache_info,
    clear_cache,
    einsum,
    register_backend,
)
from einsum_unified.adapter import Form, dispatch, registry
from einsum_unified.runtime import cache, preparing

A, B = np.arange(12.0).reshape(3, 4) - 5, np.arange(20.0).reshape(4, 5) / 4


class Tagged(np.ndarray[Any, Any]):
    """As scikit-fem's DiscreteField and pyscf's NPArrayWithTag: an array with attributes of its own."""


class OwnShape(np.ndarray[Any, Any]):
    """It tells a shape that NumPy's conversion does not give."""

    @property
    def shape(self) -> Any:  # type: ignore[override]
        return (*super().shape, 1)


class OwnAttributes(np.ndarray[Any, Any]):
    def __getattribute__(self, name: str) -> Any:
        return (7,) if name == "shape" else super().__getattribute__(name)


class Scaled(np.float64):
    pass


class Convertible:
    """Only NumPy's conversion tells its dtype, and tells another one at every call."""

    shape, dtype = (2,), np.dtype("float64")

    def __init__(self) -> None:
        self.calls = 0

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        self.calls += 1
        return np.full(2, self.calls, "float32" if self.calls % 2 else "int64")


Arguments = Callable[[Any, Any], tuple[Any, ...]]

FORMS: dict[str, tuple[Arguments, Any]] = {
    "sublists": (lambda a, b: (a, [0, 1], b, [1, 2], [2, 0]), (A @ B).T),
    "tuples of text": (lambda a, b: (a, ("i", "j"), b, ("j", "k"), ("i", "k")), A @ B),
    "ranges": (lambda a, b: (a, range(2), b, range(1, 3), [0, 2]), A @ B),
    "no output": (lambda a, b: (a, [5, 3], b, [3, 4]), (A @ B).T),
    "dots": (lambda a, b: (a, [..., 0], b, [0, 1], [..., 1]), A @ B),
    "one operand": (lambda a, b: (a, [0, 1], [1, 0]), A.T),
    "one operand, no output": (lambda a, b: (a, [1, 0]), A.T),
    "labels of other types": (lambda a, b: (a, [1.0, 2], b, [2, 3.0], [1, 3]), A @ B),
    "sublists that are arrays": (lambda a, b: (a, np.arange(2), b, [1, 2], [0, 2]), A @ B),
    "list of operands": (lambda a, b: ("ij,jk->ik", [a, b]), A @ B),
    "tuple of one operand": (lambda a, b: ("ij->ji", (a,)), A.T),
    "bytes": (lambda a, b: (b"ij,jk->ik", a, b), A @ B),
    "float": (lambda a, b: ("ij,->ij", a, 2.5), A * 2.5),
    "int": (lambda a, b: (",ij->ji", 2, a), (A * 2).T),
    "bool": (lambda a, b: (",ij->ij", True, a), A),
    "NumPy's float": (lambda a, b: ("ij,->ij", a, np.float64(2.5)), A * 2.5),
    "list": (lambda a, b: ("ij,j->i", a, [1, 2, 3, 4]), A @ [1, 2, 3, 4]),
    "nested list": (lambda a, b: ("ij,jk->ik", A.tolist(), b), A @ B),
    "list of ints and floats": (lambda a, b: ("ij,j->i", a, [1, 2.5, 3, True]), A @ [1, 2.5, 3, 1]),
    "list of arrays": (lambda a, b: ("ij,jk->ik", list(A), b), A @ B),
    "range": (lambda a, b: ("ij,j->i", a, range(4)), A @ range(4)),
    "sublists with a number": (lambda a, b: (a, [0, 1], 2.5, [], [0, 1]), A * 2.5),
    "array beside": (lambda a, b: ("ij,jk->ik", A, b), A @ B),
}


def result_of(call: Callable[[], Any], framework: Framework) -> Any:
    """Return values, dtype, class, or the error."""
    try:
        result = call()
    except (EinsumError, TypeError) as error:
        return type(error), str(error)
    return framework.numpy(result).tolist(), framework.dtype(result), type(result)


@pytest.mark.parametrize("name", FORMS)
def test_a_form_gives_the_same_at_every_call(framework: Framework, name):
    form, expected = FORMS[name]
    args = form(framework.tensor(A), framework.tensor(B))
    clear_cache()
    first = einsum(*args)
    np.testing.assert_allclose(framework.numpy(first), expected, rtol=1e-6)
    for _ in range(3):
        again = einsum(*args)
        np.testing.assert_array_equal(framework.numpy(again), framework.numpy(first))
        assert (framework.dtype(again), type(again)) == (framework.dtype(first), type(first))


@pytest.mark.parametrize("library", [MLX, Autograd, Dask, Strict], ids=lambda library: library.name)
def test_a_form_gives_the_same_on_other_libraries(library: type[Framework]):
    pytest.importorskip(library().module.__name__)
    other = library()
    for name, (form, expected) in FORMS.items():
        args = form(other.tensor(A, "float32"), other.tensor(B, "float32"))
        if name in ("array beside", "nested list", "list of arrays", "NumPy's float"):
            args = tuple(x.astype("float32") if isinstance(x, (np.ndarray, np.generic)) else x for x in args)
        clear_cache()
        results = [result_of(lambda args=args: einsum(*args), other) for _ in range(3)]
        assert results[0] == results[1] == results[2], name
        if not isinstance(results[0][0], type):
            np.testing.assert_allclose(results[0][0], expected, rtol=1e-5)


QUICK = [name for name in FORMS if name not in ("labels of other types", "sublists that are arrays")]


@pytest.mark.parametrize("name", QUICK)
def test_a_form_finds_its_plan_without_the_slow_way(framework: Framework, name, monkeypatch):
    """cirq's 13,000 interleaved calls went the whole way at each call."""
    args = FORMS[name][0](framework.tensor(A), framework.tensor(B))
    einsum(*args)
    monkeypatch.setattr("einsum_unified.api._einsum_slowly", lambda *args: pytest.fail("the slow way"))
    hits, misses = cache_info().hits, cache_info().misses
    einsum(*args)
    assert (cache_info().hits, cache_info().misses) == (hits + 1, misses)


@pytest.mark.parametrize(
    "x",
    [
        A.view(Tagged),
        A.view(np.matrix),
        np.ma.asarray(A),
        np.float64(3),
        np.int8(3),
        Scaled(3.0),
        np.bool_(True),
        A.view(np.recarray),
    ],
    ids=lambda x: type(x).__name__,
)
def test_classes_of_numpy_find_their_plans(x, monkeypatch):
    equation = "ij,jk->ik" if np.ndim(x) else ",jk->jk"
    expected = np.einsum(equation, np.asarray(x), B)
    clear_cache()
    assert type(einsum(equation, x, B)) is np.ndarray
    monkeypatch.setattr("einsum_unified.api._einsum_slowly", lambda *args: pytest.fail("the slow way"))
    hits, misses = cache_info().hits, cache_info().misses
    result = einsum(equation, x, B)
    assert (cache_info().hits, cache_info().misses) == (hits + 1, misses)
    np.testing.assert_allclose(result, expected)
    assert (type(result), result.dtype) == (np.ndarray, expected.dtype)


def test_new_sizes_in_any_form_reach_generic_plans(framework: Framework):
    for form in (
        lambda x: (x, [0, 1], x, [2, 1], [0, 2]),
        lambda x: ("ij,kj->ik", [x, x]),
        lambda x: (",ij->ij", 2.5, x),
        lambda x: ("ij,j->i", x, [1.5] * x.shape[1]),
    ):
        clear_cache()
        for n in (40, 41, 42, 43):
            x = framework.tensor(np.ones((n, n)))
            assert einsum(*form(x)).shape[0] == n
        assert cache_info().generic == 3
        assert cache_info().misses == 2


@pytest.mark.parametrize("cls", [Tagged, np.matrix])
def test_new_sizes_of_subclasses_reach_generic_plans(cls):
    clear_cache()
    for n in (40, 41, 42, 43):
        x = np.ones((n, n)).view(cls)
        np.testing.assert_array_equal(einsum("ij,jk->ik", x, x), np.full((n, n), float(n)))
    assert (cache_info().generic, cache_info().misses) == (3, 2)


@pytest.mark.parametrize("cls", [OwnShape, OwnAttributes])
def test_a_shape_that_a_class_makes_up_is_not_believed(cls):
    for n in (2, 3, 2, 3):
        x = np.arange(float(n)).view(cls)
        np.testing.assert_array_equal(einsum("i,i->i", x, np.ones(n)), np.arange(float(n)))
    with pytest.raises(OperandError, match="label 'i'"):
        einsum("i,i->i", np.ones(4).view(cls), np.ones(3))


def test_what_only_conversion_tells_is_asked_at_every_call():
    x = Convertible()
    assert [einsum("i->i", x).dtype.name for _ in range(4)] == ["float32", "int64"] * 2
    assert x.calls == 4


# --- out= -----------------------------------------------------------------------------------------


def test_out_makes_no_plan_again(monkeypatch):
    out = np.empty((3, 5))
    einsum("ij,jk->ik", A, B, out=out)
    einsum("ij,jk->ik", A, B, out=out)
    for name in ("_exact", "check_out"):
        monkeypatch.setattr(cache, name, lambda *args: pytest.fail("again"))
    out[:] = 0
    assert einsum("ij,jk->ik", A, B, out=out) is out
    np.testing.assert_allclose(out, A @ B)


@pytest.mark.parametrize("cls", [np.ndarray, Tagged, np.matrix])
def test_out_is_filled_from_new_sizes_without_a_plan_for_each(cls):
    clear_cache()
    for n in (40, 41, 42, 43):
        x, out = np.ones((n, n)).view(cls), np.zeros((n, n))
        assert einsum("ij,jk->ik", x, x, out=out) is out
        np.testing.assert_array_equal(out, np.full((n, n), float(n)))
    assert (cache_info().generic, cache_info().misses) == (3, 2)


BAD_OUTS = {
    "shape": lambda n: np.zeros((n, n + 1)),
    "dtype": lambda n: np.zeros((n, n), "float32"),
    "shape and dtype": lambda n: np.zeros((n + 1, n), "float32"),
    "class": lambda n: [[0.0] * n] * n,
    "read-only": lambda n: np.broadcast_to(np.zeros(n), (n, n)),
}


@pytest.mark.parametrize("name", BAD_OUTS)
def test_an_out_that_does_not_fit_is_refused_as_on_a_first_call(name):
    """On an exact plan that has filled another, and on a generic plan: the same words, nothing written."""

    def message(n: int) -> str:
        x, out = np.ones((n, n)), BAD_OUTS[name](n)
        with pytest.raises((OperandError, OperandTypeError)) as caught:
            einsum("ij,jk->ik", x, x, out=out)
        assert not np.any(out)
        return str(caught.value)

    clear_cache()
    first = message(40)
    x = np.ones((40, 40))
    einsum("ij,jk->ik", x, x, out=np.empty((40, 40)))
    assert message(40) == first
    for n in (41, 42):
        einsum("ij,jk->ik", np.ones((n, n)), np.ones((n, n)))
    clear_cache_message = message(43)  # on a generic plan
    clear_cache()
    assert message(43) == clear_cache_message


@pytest.fixture
def default_dtype(torch):
    """Set torch's default dtype by name; afterwards it is as it was."""
    before = torch.get_default_dtype()
    yield lambda name: torch.set_default_dtype(getattr(torch, name))
    torch.set_default_dtype(before)


def test_out_follows_a_switch_of_the_default_dtype(torch, default_dtype):
    """With a Python float the result's dtype is the default one, which may change between calls."""
    x = torch.arange(3)
    for name in ("float32", "float64", "float32"):
        default_dtype(name)
        out = torch.empty(3, dtype=getattr(torch, name))
        np.testing.assert_array_equal(einsum("i,->i", x, 2.5, out=out).numpy(), [0, 2.5, 5])
        wrong = torch.empty(3, dtype=torch.float64 if name == "float32" else torch.float32)
        with pytest.raises(OperandTypeError, match="out= has dtype"):
            einsum("i,->i", x, 2.5, out=wrong)


# --- what must not be confused ----------------------------------------------------------------------


def test_a_mask_warns_at_every_call_and_its_absence_never():
    masked = np.ma.masked_array([1.0, 2.0], mask=[True, False])
    einsum("i,i->i", np.ma.asarray([1.0, 2.0]), np.ones(2))
    for _ in range(3):
        with pytest.warns(UserWarning, match="mask of a MaskedArray is ignored") as caught:
            einsum("i,i->i", masked, np.ones(2))
        assert len(caught) == 1
        assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        einsum("i,i->i", np.ma.asarray([1.0, 2.0]), np.ones(2))


def test_numbers_are_weak_and_their_subclasses_and_arrays_are_not(framework: Framework):
    x = framework.tensor(np.ones(2), "float32")
    weak = framework.dtype(einsum("i,->i", x, 2.5))
    for _ in range(2):
        for number, dtype in ((2.5, weak), (np.float32(2.5), "float32"), ([2.5, 2.5], weak)):
            equation = "i,i->i" if isinstance(number, list) else "i,->i"
            assert framework.dtype(einsum(equation, x, number)) == dtype
    assert weak == "float32"
    assert einsum("i,->i", np.ones(2, "float32"), np.float64(2.5)).dtype == "float64"


def test_an_interleaved_call_is_not_taken_for_a_tuple_before_an_array():
    """The first operand may equal the sublists of another call."""
    x = np.array([0, 1])
    assert einsum(x, (0,), x, (0,), ()) == 1
    np.testing.assert_array_equal(einsum(((0, 1), (0, 1)), x), [[0, 1], [0, 1]])
    np.testing.assert_array_equal(einsum(((0,), (0,), (5,)), x), [[0], [0], [5]])


def test_labels_that_are_equal_are_one_label_before_and_after_each_other():
    for label in (1, True, 1.0, 1, np.int64(1)):
        np.testing.assert_array_equal(einsum(A, [0, label], A, [0, 1], [label]), (A * A).sum(0))
        with pytest.raises(OperandError, match="label 0 is 3 in operand 0 but 4 in operand 1"):
            einsum(A, [0, label], B, [0, 2], [label])


def test_labels_that_cannot_be_hashed_or_compared_are_refused_as_before():
    class Odd:
        def __hash__(self) -> int:
            return hash(0)

        def __eq__(self, other: object) -> bool:
            raise ZeroDivisionError

    einsum(A, [0, 1], [1, 0])
    for labels, message in (
        ([Odd(), 0], "labels cannot be compared"),
        ([[], 0], "is not hashable"),
        ("ij", "not a list or tuple of labels"),
    ):
        for _ in range(2):
            with pytest.raises(EinsumError, match=message):
                einsum(A, labels, [0])


def test_a_path_as_list_finds_the_plan_of_the_tuple(monkeypatch):
    x = np.eye(3)
    path = ["einsum_path", (0, 1), (0, 1)]
    first = einsum("ij,jk,kl->il", x, x, x, optimize=path)
    monkeypatch.setattr("einsum_unified.api._einsum_slowly", lambda *args: pytest.fail("the slow way"))
    np.testing.assert_array_equal(einsum("ij,jk,kl->il", x, x, x, optimize=path), first)
    einsum("ij,jk,kl->il", x, x, x, optimize=tuple(path))


@pytest.mark.parametrize(
    "args",
    [
        ("ij,jk->ik", A, [[1.0, 2.0], [3.0]]),
        ("ij,jk->ik", A, [[1.0, "x"], [3.0, 4.0]]),
        ("ij,jk->ik", [A, A]),
        ("ij,jk->ik", [A]),
        ("ij,->ij", A, "2"),
        ("ij,->ij", A, None),
        ("ij,j->i", A.view(Tagged), np.ones(3)),
        (A, [0, 1], A, [1, 2], [0, 2]),
        (A, [0, 1], 2.5, [0]),
        (A, [0, 1], [0, 0]),
        (A, [0, 1, 2]),
        (A, [0, 1], A),
        (A,),
        (b"ij,\xff", A, B),
        ("ij->j", np.float64(1)),
    ],
)
def test_errors_are_the_same_at_every_call(args):
    """Also after calls in the same form without an error."""
    messages = set()
    for warm in (False, True, True):
        if warm:
            einsum(A, [0, 1], B, [1, 2], [0, 2])
            einsum("ij,j->i", A.view(Tagged), np.ones(4))
            einsum("ij,jk->ik", A, B.tolist())
        else:
            clear_cache()
        with pytest.raises(EinsumError) as caught:
            einsum(*args)
        messages.add((type(caught.value), str(caught.value)))
    assert len(messages) == 1


@pytest.mark.parametrize("strict", [1, "yes", None, 0])
def test_what_equals_true_is_not_strict_in_any_form(strict):
    for true in (True, False):
        einsum(A, [0, 1], B, [1, 2], [0, 2], strict=true)
    with pytest.raises(TypeError, match="neither True nor False"):
        einsum(A, [0, 1], B, [1, 2], [0, 2], strict=strict)


def test_a_list_that_contains_itself_is_refused_at_once():
    endless: list[Any] = []
    endless += [endless] * 1000
    with pytest.raises(OperandError, match="nested more than 64 deep"):
        einsum("i,i->i", np.ones(1000), endless)


def test_sparse_tensors_go_to_their_framework_in_every_form(torch):
    x = torch.eye(3).to_sparse()
    for _ in range(2):
        result = einsum(x, [0, 1], torch.ones(3, 2), [1, 2], [0, 2])
        np.testing.assert_array_equal(result.to_dense().numpy(), np.ones((3, 2)))


# --- caches ---------------------------------------------------------------------------------------------


def test_classes_are_forgotten_with_the_caches():
    cls = type("Local", (np.ndarray,), {})
    dead = weakref.ref(cls)
    einsum("ij,jk->ik", A.view(cls), B)
    einsum(A.view(cls), [0, 1], B, [1, 2], [0, 2])
    out = np.empty((3, 5))
    einsum("ij,jk->ik", A.view(cls), B, out=out.view(cls))
    del cls
    clear_cache()
    gc.collect()
    assert dead() is None


def test_a_registered_adapter_is_used_from_the_next_call_on(monkeypatch):
    monkeypatch.setattr(registry, "table", registry.table)
    calls = (("ij,jk->ik", A.view(Tagged), B), (A.view(Tagged), [0, 1], B, [1, 2], [0, 2]))
    assert [type(einsum(*args)) for args in calls] == [np.ndarray] * 2
    keeping = copy.copy(dispatch.load("numpy"))
    keeping.form = lambda cls: Form.TENSOR  # subclasses stay what they are
    register_backend(Tagged, keeping)
    assert [type(einsum(*args)) for args in calls] == [Tagged] * 2
    clear_cache()


def test_what_preparing_takes_is_remembered_by_class():
    clear_cache()
    for _ in range(3):
        einsum("ij,->ij", A.view(Tagged), 2.5)
    info = preparing._preparations.cache_info()
    assert (info.hits, info.misses) == (2, 1)
