"""Threads that call, plan, register adapters and clear the caches at the same time, without the GIL too."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pytest

from einsum_unified import cache_info, clear_cache, einsum, einsum_plan, register_backend
from einsum_unified.adapter import Adapter, Capabilities, Form, dispatch, registry
from einsum_unified.testing.conformance import Library, corpus, run


class Made:
    """An array that remembers which adapter has made it; None if the user has."""

    dtype = "float64"

    def __init__(self, values, maker=None) -> None:
        self.values = np.asarray(values, float)
        self.shape, self.maker = self.values.shape, maker


class Maker(Adapter):
    """An adapter that refuses what another has made."""

    capabilities = Capabilities(dtypes=frozenset({"float64"}), out=True)

    def __init__(self, name: str, kind: type[Made] = Made) -> None:
        self.name, self.kind = name, kind

    def _made(self, function, *xs):
        assert {x.maker for x in xs} <= {None, self.name}
        return self.kind(function(*(x.values for x in xs)), self.name)

    def form(self, cls):
        return Form.TENSOR if issubclass(cls, self.kind) else None

    def dtype_from_name(self, name):
        return "float64" if name == "float64" else None

    def asarray(self, x, like, dtype):
        return self.kind(x, self.name)

    def to_numpy(self, x):
        return x.values

    def cast(self, x, dtype):
        return x

    def transpose(self, x, axes):
        return self._made(lambda values: values.transpose(axes), x)

    def reshape(self, x, shape):
        return self._made(lambda values: values.reshape(shape), x)

    def diagonal(self, x, axis1, axis2):
        return self._made(lambda values: values.diagonal(0, axis1, axis2), x)

    def sum(self, x, axes):
        return self._made(lambda values: values.sum(axes), x)

    def matmul(self, a, b):
        return self._made(np.matmul, a, b)

    def multiply(self, a, b):
        return self._made(np.multiply, a, b)

    def copy_into(self, out, x):
        assert x.maker == self.name
        out.values[...] = x.values


def in_threads(*works: Callable[[], object], seconds: float = 1.0) -> None:
    """Call functions again and again, each in a thread of its own; raise the first exception of any."""
    failures: list[BaseException] = []
    start, end = threading.Barrier(len(works)), time.monotonic() + seconds

    def repeat(work: Callable[[], object]) -> None:
        start.wait()
        try:
            while time.monotonic() < end and not failures:
                work()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=repeat, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


@pytest.fixture(autouse=True)
def frequent_switches(monkeypatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "table", registry.table)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)
    clear_cache()


A, B = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)


def call(cls: type[Made]) -> None:
    assert (einsum("ij,jk->ik", cls(A), cls(B)).values == A @ B).all()


def call_with_array(cls: type[Made]) -> None:
    assert (einsum("ij,jk->ik", A, cls(B)).values == A @ B).all()


def call_with_out(cls: type[Made]) -> None:
    out = cls(np.zeros((4, 2)))
    assert einsum("ij,jk->ki", cls(A), cls(B), out=out) is out
    assert (out.values == (A @ B).T).all()


def call_with_options(cls: type[Made]) -> None:
    result = einsum("ij,jk,kl->il", cls(A), cls(B), cls(B.T), optimize="greedy", dtype="float64")
    assert (result.values == A @ B @ B.T).all()


def call_plan(cls: type[Made]) -> None:
    plan = einsum_plan("ij,jk->ik", cls(A), (3, 4))
    out = cls(np.zeros((2, 4)))
    plan(cls(A), cls(B), out=out)
    assert (out.values == A @ B).all()
    assert (plan(A, B) == A @ B).all()


CALLS = [call, call_with_array, call_with_out, call_with_options, call_plan]


@pytest.mark.parametrize("work", CALLS)
def test_an_adapter_is_replaced_while_other_threads_call(work):
    cls = type("Array", (Made,), {})
    makers = [Maker("first", cls), Maker("second", cls)]
    register_backend(cls, makers[0])

    def replace() -> None:
        makers.reverse()
        register_backend(cls, makers[0], replace=True)

    in_threads(replace, *[partial(work, cls)] * 3)
    # No plan of the other adapter is left.
    assert einsum("ij,jk->ik", cls(A), cls(B)).maker == makers[0].name


@pytest.mark.slow
def test_an_adapter_is_replaced_while_other_threads_call_for_long():
    cls = type("Array", (Made,), {})
    makers = [Maker("first", cls), Maker("second", cls)]
    register_backend(cls, makers[0])

    def replace() -> None:
        makers.reverse()
        register_backend(cls, makers[0], replace=True)

    in_threads(replace, clear_cache, *(partial(work, cls) for work in CALLS), seconds=25)


def test_a_plan_goes_on_with_the_adapter_it_was_made_with():
    cls = type("Array", (Made,), {})
    register_backend(cls, Maker("first", cls))
    plan = einsum_plan("ij,jk->ik", cls(A), cls(B))
    register_backend(cls, Maker("second", cls), replace=True)
    assert plan(cls(A), cls(B), out=cls(np.zeros((2, 4)))).maker is None
    assert plan(cls(A), cls(B)).maker == "first"
    assert einsum("ij,jk->ik", cls(A), cls(B)).maker == "second"


def test_many_adapters_are_registered_at_once():
    classes = [type(f"Array{n}", (Made,), {}) for n in range(64)]
    works = [iter(classes[n::4]) for n in range(4)]

    def register(left: Iterator[type[Made]]) -> None:
        for cls in left:  # all of them, however long that takes on a busy machine
            register_backend(cls, Maker(cls.__name__, cls))
            call(cls)

    in_threads(*(partial(register, work) for work in works))
    assert [dispatch.backend_of(cls).name for cls in classes] == [cls.__name__ for cls in classes]


def test_equal_and_different_equations_are_planned_while_caches_are_cleared():
    numbers = iter(range(10**6))

    def new() -> None:
        first = 0x4E00 + next(numbers) * 3 % 15000
        i, j, k = map(chr, range(first, first + 3))
        assert (einsum(f"{i}{j},{j}{k}->{k}{i}", A, B) == (A @ B).T).all()

    def same() -> None:
        assert (einsum("ij,jk,kl->il", A, B, B.T) == A @ B @ B.T).all()
        assert einsum_plan("ij,jk->ik", A, B).flops == 48

    def clear() -> None:
        clear_cache()
        info = cache_info()
        assert info.currsize <= info.maxsize

    in_threads(new, new, same, same, clear)


def test_the_kit_runs_in_several_threads():
    library = Library("made", Maker("made"), Made, registered=False)  # registered for each case only
    assert dispatch.backend_of(Made) is None
    outcomes = []
    cases = [case for case in corpus() if "warns" not in case.expect][::40]

    def work() -> None:
        outcomes.extend(run(library, cases=cases))

    in_threads(*[work] * 3)
    assert [outcome.reason for outcome in outcomes if outcome.status == "failed"] == []
    assert len(outcomes) >= 3 * len(cases)
    assert dispatch.backend_of(Made) is None


def test_an_adapter_on_loan_leaves_no_plan_behind_and_no_registration_is_lost():
    cls = type("Array", (Made,), {})
    other = type("Other", (Made,), {})
    first, second = Maker("first", cls), Maker("second", cls)
    one, two = (registry.registered(cls, maker, clear_cache) for maker in (first, second))
    one.__enter__()
    two.__enter__()
    register_backend(other, Maker("other", other))
    assert einsum("ij->ji", cls(A)).maker == "second"
    one.__exit__(None, None, None)
    assert einsum("ij->ji", cls(A)).maker == "second"
    two.__exit__(None, None, None)
    with pytest.raises(TypeError, match="which is not an array of a known library"):
        einsum("ij->ji", cls(A))
    assert einsum("ij->ji", other(A)).maker == "other"
