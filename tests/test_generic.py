"""Calls with ever new sizes: generic plans give the values, dtypes, views and errors of other plans."""

from __future__ import annotations

import random
import tracemalloc
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from frameworks import Framework
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from libraries import MLX, Autograd, Dask, Sparse, Strict

from einsum_unified import EinsumError, cache_info, clear_cache, einsum, einsum_plan
from einsum_unified.runtime.generic import Programs

EQUATIONS = (
    "ij->ji", "ij->i", "ij->", "ii->i", "ii", "iji->j", "i,i->", "i,j->ij", "ij,jk->ik", "ij,kj->ik",
    "bij,bjk->bik", "bhid,bhjd->bhij", "ij,ij->ij", "ij,ij->", "ijk,ik->ij", "ii,ij->j", "ij,jk,kl->il",
    "i,ij,j->", "ij,jk,ki->", "ab,cb,dc,ad->bd", "i...,i...->...", "...ij,...jk->...ik", "...i->...",
    ",ij->ij",
)  # fmt: skip
SIZES = (2, 3, 1, 0, 5, 17, 40)
DTYPES = ("float32", "float64", "int32", "int8", "complex64", "bool")


@dataclass
class Step:
    """A call of the sequence: its operands' shapes; whether sizes disagree."""

    shapes: list[tuple[int, ...]]
    dtype: str
    wrong: bool


@st.composite
def sequences(draw: st.DrawFn) -> tuple[str, list[Step]]:
    equation = draw(st.sampled_from(EQUATIONS))
    terms = [list(term.replace("...", "#")) for term in equation.split("->")[0].split(",")]
    labels = sorted({label for term in terms for label in term} - {"#"})
    steps = []
    few = [draw(st.sampled_from(SIZES)) for _ in labels]
    for _ in range(draw(st.integers(2, 7))):
        again = draw(st.integers(0, 2))
        sizes = {
            label: few[n] if not again else draw(st.sampled_from(SIZES)) for n, label in enumerate(labels)
        }
        dots = draw(st.lists(st.sampled_from(SIZES[:4]), max_size=2))
        shapes = []
        for term in terms:
            one = draw(st.sampled_from([None, None, None, *labels])) if len(set(term)) == len(term) else None
            shape: list[int] = []
            for label in term:
                shape += dots if label == "#" else [1 if label == one else sizes[label]]
            shapes.append(tuple(shape))
        wrong = draw(st.integers(0, 5)) == 0 and any(shapes)
        if wrong:
            number = draw(st.sampled_from([n for n, shape in enumerate(shapes) if shape]))
            axis = draw(st.integers(0, len(shapes[number]) - 1))
            shapes[number] = (*shapes[number][:axis], 23, *shapes[number][axis + 1 :])
        steps.append(Step(shapes, draw(st.sampled_from(DTYPES[: draw(st.integers(1, len(DTYPES)))])), wrong))
    return equation, steps


def drive(framework: Framework, equation: str, steps: list[Step]) -> None:
    """Call each step on fresh caches, then all in a row: every outcome is the same, and that of NumPy."""
    draw = np.random.default_rng(0)
    calls = []
    for step in steps:
        arrays = [draw.integers(-2, 3, shape) for shape in step.shapes]
        dtype = step.dtype if step.dtype in framework.dtypes else "float32"
        calls.append((arrays, [framework.tensor(array.astype(dtype)) for array in arrays]))
    fresh = []
    for _, tensors in calls:
        clear_cache()
        fresh.append(outcome(framework, equation, tensors))
    clear_cache()
    for (arrays, tensors), want in zip(calls, fresh, strict=True):
        got = outcome(framework, equation, tensors)
        if isinstance(want, str):
            assert got == want
            continue
        assert not isinstance(got, str), got
        assert (got.shape, framework.dtype(got)) == (want.shape, framework.dtype(want))
        np.testing.assert_array_equal(framework.numpy(got), framework.numpy(want))
        if framework.dtype(got) != "bool":
            exact = np.einsum(equation, *arrays, optimize=True)
            if framework.dtype(got) == "int8":
                exact = exact.astype(np.int8)
            np.testing.assert_array_equal(framework.numpy(got), exact)


def outcome(framework: Framework, equation: str, tensors: list[Any]) -> Any:
    try:
        return einsum(equation, *tensors)
    except EinsumError as error:
        return f"{type(error).__name__}: {error}"


def drawn(examples: int) -> Any:
    return settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@drawn(100)
@given(sequence=sequences())
def test_sequences_of_calls_of_any_sizes(framework: Framework, sequence):
    drive(framework, *sequence)


@pytest.mark.slow
@drawn(600)
@given(sequence=sequences())
def test_many_sequences_of_calls_of_any_sizes(framework: Framework, sequence):
    drive(framework, *sequence)


@pytest.mark.parametrize("library", [MLX, Autograd, Dask, Sparse, Strict], ids=lambda cls: cls.name)
@drawn(30)
@given(sequence=sequences())
def test_sequences_on_other_libraries(library: type[Framework], sequence):
    pytest.importorskip(library.name, reason="the library is not installed")
    drive(library(), *sequence)


# --- which plan a call gets -----------------------------------------------------------------------


def test_the_first_call_gets_an_exact_plan_the_next_sizes_a_generic_one(framework: Framework):
    clear_cache()
    seen = []
    for n in (2, 3, 4, 5, 5, 4):
        einsum("ij,jk->ik", *(framework.tensor(np.ones((n, n), np.float32)) for _ in "ab"))
        info = cache_info()
        seen.append((info.hits, info.generic, info.misses))
    assert seen == [(0, 0, 1), (0, 1, 2), (0, 2, 2), (0, 3, 2), (1, 3, 2), (2, 3, 2)]


def test_sizes_that_come_again_and_again_earn_their_own_plan():
    clear_cache()
    xs = np.arange(6).reshape(2, 3), np.arange(12).reshape(3, 4)
    einsum("ij,jk->ik", xs[1].T, xs[0].T)
    made = []
    for _ in range(40):
        np.testing.assert_array_equal(einsum("ij,jk->ik", *xs), xs[0] @ xs[1])
        made.append(cache_info().misses)
    assert Counter(made).keys() == {2, 3}  # that of the first call and the generic one; then its own
    assert made == sorted(made)
    assert made[8] == 2


def test_a_program_serves_the_sizes_of_its_magnitudes():
    """One program for all small sizes; large ones have some more, and so has each pattern of 0 and 1."""
    clear_cache()
    for n in range(2, 30):
        einsum("ij,jk->ik", np.ones((n, 5)), np.ones((5, 7)))
    assert cache_info().misses == 2
    einsum("ij,jk->ik", np.ones((1, 5)), np.ones((5, 7)))
    einsum("ij,jk->ik", np.ones((0, 5)), np.ones((5, 7)))
    assert cache_info().misses == 4
    for n in range(2000, 2100):
        einsum("ij,jk->ik", np.ones((n, 5)), np.ones((5, 7)))
    assert cache_info().misses == 6  # 2 048 is the border of two ranges


def test_a_path_with_a_limit_is_found_for_the_exact_sizes():
    clear_cache()
    for n in range(2, 8):
        xs = [np.ones((n, n))] * 3
        einsum("ij,jk,kl->il", *xs, optimize=("greedy", 60))
    assert cache_info().generic == 0


def test_jax_has_exact_plans_only():
    jnp = pytest.importorskip("jax.numpy", reason="jax is not installed")
    clear_cache()
    for n in range(2, 6):
        assert einsum("ij,j->i", jnp.ones((2, n)), jnp.ones(n)).tolist() == [n, n]
    assert cache_info()[:3] == (0, 0, 4)


def test_a_diagonal_never_broadcasts(framework: Framework):
    for n in range(3, 8):  # the first ones teach the family
        assert einsum("ii->i", framework.tensor(np.ones((n, n)))).shape == (n,)
    for n in (3, 4, 5, 6):
        with pytest.raises(EinsumError, match=f"label 'i' is repeated in operand 0 with sizes 1 and {n}"):
            einsum("ii->i", framework.tensor(np.ones((1, n))))
    for n in (3, 4, 5, 6):
        with pytest.raises(EinsumError, match=f"label 'i' is repeated in operand 0 with sizes 1 and {n}"):
            einsum("ii,i->i", framework.tensor(np.ones((1, n))), framework.tensor(np.ones(n)))


def test_strict_refuses_what_broadcasts_also_with_new_sizes():
    for n in range(3, 8):
        einsum("ij,ij->ij", np.ones((2, n)), np.ones((2, n)), strict=True)
    for n in range(3, 8):
        with pytest.raises(EinsumError, match="rule 'no broadcasting'"):
            einsum("ij,ij->ij", np.ones((2, n)), np.ones((2, 1)), strict=True)


def test_a_view_is_a_view_with_new_sizes():
    for n in range(2, 6):
        x = np.zeros((n, 3))
        view = einsum("ij->ji", x)
        view[0, 1] = 5
        assert x[1, 0] == 5


def test_out_is_filled_with_new_sizes():
    for n in range(2, 6):
        x, out = np.ones((n, 3)), np.empty((n, n))
        assert einsum("ij,kj->ik", x, x, out=out) is out
        assert (out == 3).all()


def test_a_call_with_out_is_one_hit():
    a, out = np.ones((3, 3)), np.empty((3, 3))
    clear_cache()
    for _ in range(5):
        einsum("ij,jk->ik", a, a, out=out)
    info = cache_info()
    assert (info.hits, info.misses) == (4, 1)


def test_dtype_is_kept_with_new_sizes(framework: Framework):
    for n in range(2, 6):
        x = framework.tensor(np.ones((n, 3), np.int32))
        assert framework.dtype(einsum("ij,kj->ik", x, x, dtype="float64")) == "float64"


def test_the_error_of_an_operand_comes_with_new_sizes(torch):
    """Special tensors and other devices are found when a program fails, also a generic one."""
    for n in range(2, 6):
        einsum("ij,jk->ik", torch.ones(n, 3), torch.ones(3, n))
    with pytest.raises(EinsumError, match="tensors are on different devices: cpu and meta"):
        einsum("ij,jk->ik", torch.ones(7, 3), torch.ones(3, 7, device="meta"))


def test_a_plan_that_was_interrupted_is_made_again(monkeypatch: pytest.MonkeyPatch):
    from einsum_unified.runtime import generic

    clear_cache()
    xs = [(np.ones((n, 3)), np.ones((3, n))) for n in (2, 4, 5)]
    einsum("ij,jk->ik", *xs[0])
    with monkeypatch.context() as patch:
        patch.setattr(generic, "lower", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            einsum("ij,jk->ik", *xs[1])
    for a, b in xs:
        np.testing.assert_array_equal(einsum("ij,jk->ik", a, b), a @ b)
    assert cache_info().generic == 3  # the call that was interrupted counts


def _interrupt(*args: Any) -> Any:
    raise KeyboardInterrupt


def test_another_thread_may_drop_a_generic_plan_that_was_just_made(monkeypatch: pytest.MonkeyPatch):
    """When a family has too many plans they are dropped, perhaps while another thread makes one."""

    class Dropped(dict[Any, Any]):
        def __setitem__(self, key: Any, value: Any) -> None:
            super().__setitem__(key, value)
            self.clear()

    made = Programs.__init__

    def dropping(self: Programs, *arguments: Any) -> None:
        made(self, *arguments)
        self._lowered = Dropped()

    monkeypatch.setattr(Programs, "__init__", dropping)
    clear_cache()
    for size in (3, 5, 7):
        assert einsum("ij,j->i", np.ones((size, 2)), np.ones(2)).tolist() == [2.0] * size
    assert cache_info().generic > 0


def test_many_shapes_take_bounded_memory():
    """The caches are full after some thousand shapes; the next 30 000 make the process no larger."""
    draw = random.Random(0)
    x = np.ones(10**6)

    def many(count: int) -> None:
        for _ in range(count):
            m, n = draw.randint(2, 900), draw.randint(2, 900)
            einsum("ij->ji", x[: m * n].reshape(m, n))

    many(6000)
    tracemalloc.start()
    many(6000)  # those before are not known to tracemalloc: they are replaced here
    before = tracemalloc.get_traced_memory()[0]
    many(30_000)
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert after - before < 1_000_000


@pytest.mark.parametrize("operands", range(3, 9))
def test_the_path_of_a_generic_plan_is_near_the_best_one(operands: int):
    """FLOPs on random networks with ever new sizes, over those of dynamic programming for the exact sizes."""
    from opt_einsum.testing import rand_equation

    from einsum_unified.adapter import registry
    from einsum_unified.runtime import cache

    draw, ratios = random.Random(operands), []
    for seed in range(10):
        clear_cache()
        equation, _, sizes = rand_equation(operands, 2, n_out=1, seed=seed, return_size_dict=True)
        terms = equation.split("->")[0].split(",")
        for _ in range(3):
            drawn = {label: round(2 ** draw.uniform(1, 5)) for label in sizes}
            shapes = [tuple(drawn[label] for label in term) for term in terms]
            call = equation, "auto", None, False
            operand = (np.ndarray,) * operands, (np.dtype(float),) * operands
            family = cache._families(registry.table, call, *operand, tuple(map(len, terms)))
            programs = family.programs or family.start() or family.start()
            found = programs.read(sum(shapes, ()))
            path = programs.path(found[0])
            flops = einsum_plan(equation, *shapes, optimize=path).flops
            ratios.append(flops / einsum_plan(equation, *shapes, optimize="dp").flops)
    assert np.exp(np.log(ratios).mean()) <= 1.3
    assert max(ratios) <= 2
