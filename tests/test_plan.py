"""`Plan`: called again, with other frameworks and dtypes, printed; and the cache of plans."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from einsum_unified import (
    OperandError,
    OperandTypeError,
    PathError,
    Plan,
    api,
    cache_info,
    clear_cache,
    einsum,
    einsum_plan,
)
from einsum_unified.language import equation as equation_module
from einsum_unified.runtime import cache as runtime_cache
from einsum_unified.runtime.options import Options

A, B = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)


# --- called ---------------------------------------------------------------------------------------


def test_a_plan_of_shapes_is_called_on_any_framework(framework):
    plan = einsum_plan("ij,jk->ki", (2, 3), (3, 4))
    result = plan(framework.tensor(A), framework.tensor(B))
    assert (framework.numpy(result) == (A @ B).T).all()
    assert framework.dtype(result) == "float64"


@pytest.mark.parametrize("dtype", ["float32", "int8", "bool", "complex64"])
def test_a_plan_is_called_with_other_dtypes(framework, dtype: str):
    plan = einsum_plan("ij,jk->ik", framework.tensor(A), framework.tensor(B))
    a, b = framework.tensor(np.ones((2, 3)), dtype), framework.tensor(np.ones((3, 4)), dtype)
    result = plan(a, b)
    assert framework.dtype(result) == dtype
    assert (framework.numpy(result) == (1 if dtype == "bool" else 3)).all()


def test_a_plan_takes_lists_and_numbers_of_its_shapes():
    plan = einsum_plan("ij,,jk->ik", (2, 3), (), (3, 4))
    assert (plan(A.tolist(), 2, B) == 2 * (A @ B)).all()


def test_a_plan_of_sublists_is_called_on_any_framework(framework):
    plan = einsum_plan(A, ["row", 0], B, [0, "column"], ["column", "row"])
    assert (framework.numpy(plan(framework.tensor(A), framework.tensor(B))) == (A @ B).T).all()
    implicit = einsum_plan(A, [0, 1], B, [1, 2])
    assert (framework.numpy(implicit(framework.tensor(A), framework.tensor(B))) == A @ B).all()


def test_another_framework_goes_the_path_of_the_plan(torch):
    plan = einsum_plan("ij,jk,kl->il", *[(2, 2)] * 3, optimize=[(0, 2), (0, 1)])
    for x in (np.ones((2, 2), "float32"), torch.ones((2, 2))):
        assert (np.asarray(plan(x, x, x)) == 4).all()
    assert plan.path == ((0, 2), (0, 1))


def test_the_dtype_that_was_asked_for_holds_for_other_operands_too(framework):
    plan = einsum_plan("ij->i", (2, 200), dtype="int32")
    result = plan(framework.tensor(np.ones((2, 200)), "int8"))
    assert framework.dtype(result) == "int32"
    assert (framework.numpy(result) == 200).all()


def test_a_plan_fills_out(torch):
    plan = einsum_plan("ij,jk->ik", (2, 3), (3, 4))
    out = np.zeros((2, 4))
    assert plan(A, B, out=out) is out
    assert (out == A @ B).all()
    tensor = torch.zeros((2, 4), dtype=torch.float64)
    assert plan(torch.tensor(A), torch.tensor(B), out=tensor) is tensor
    assert (tensor.numpy() == A @ B).all()


def test_shapes_that_were_not_planned_are_an_error(framework):
    plan = einsum_plan("ij,jk->ik", (2, 3), (3, 4))
    with pytest.raises(OperandError) as caught:
        plan(framework.tensor(np.ones((7, 3))), framework.tensor(B))
    assert str(caught.value).splitlines() == [
        "the operands do not have the shapes of the plan",
        "    ij,jk->ik",
        f"  operand 0: planned for shape (2, 3), given shape (7, 3), {framework.name}.float64",
    ]


def test_shapes_that_clash_are_an_error_of_the_equation():
    plan = einsum_plan("ij,jk->ik", (2, 3), (3, 4))
    with pytest.raises(OperandError, match="label 'j' is 5 in operand 0 but 3 in operand 1"):
        plan(np.ones((2, 5)), B)
    with pytest.raises(OperandError, match="the equation has 2 terms but 1 operand was given"):
        plan(A)
    with pytest.raises(OperandTypeError, match="operand 1 is a dict"):
        plan(A, {})


def test_a_broadcast_axis_is_another_shape():
    plan = einsum_plan("i,i->i", (3,), (3,))
    with pytest.raises(OperandError, match="do not have the shapes of the plan"):
        plan(np.ones(1), np.ones(3))


def test_a_plan_made_by_an_optimizer_keeps_its_path():
    plan = einsum_plan("i,i,i->", (2,), (2,), (2,), optimize=lambda *args: [(0, 2), (0, 1)])
    assert plan.path == ((0, 2), (0, 1))
    assert plan([1, 2], [3, 4], [5, 6]) == 1 * 3 * 5 + 2 * 4 * 6


# --- shown ----------------------------------------------------------------------------------------


def test_a_plan_prints_operands_steps_and_code():
    plan = einsum_plan("ij,jk,kl->il", (10, 2), (2, 30), (30, 4), dtype="float32")
    assert str(plan) == (
        "ij,jk,kl->il  on numpy, float32\n"
        "  operand 0 'ij': shape (10, 2), numpy.float32\n"
        "  operand 1 'jk': shape (2, 30), numpy.float32\n"
        "  operand 2 'kl': shape (30, 4), numpy.float32\n"
        "  step  labels     kind           FLOPs  bytes read  bytes written  copies\n"
        "  ------------------------------------------------------------------------\n"
        "     0  jk,kl->jl  matmul 2×30×4    480         720             32       0\n"
        "     1  ij,jl->il  matmul 10×2×4    160         112            160       0\n"
        "  ------------------------------------------------------------------------\n"
        "                   total            640         832            192       0\n"
        "  path: cheapest of several searches: (1, 2), (0, 1)\n"
        "  one nested loop: 7,200 FLOPs\n"
        "  peak memory: 192 bytes of intermediates and result\n"
        "  def run(a0, a1, a2):\n"
        "      t0 = dot(a1, a2)\n"
        "      return dot(a0, t0)"
    )


def test_a_plan_of_a_framework_prints_its_name_and_dtypes(framework):
    plan = einsum_plan("ij->j", framework.tensor(np.ones((2, 3)), "float32"))
    lines = str(plan).splitlines()
    assert lines[0] == f"ij->j  on {framework.name}, float32"
    assert lines[1] == f"  operand 0 'ij': shape (2, 3), {framework.name}.float32"


def test_labels_of_several_characters_are_printed_apart():
    text = str(einsum_plan((2, 3), ["row", "inner"], (3, 4), ["inner", "column"]))
    assert "  0  ['row', 'inner'],['inner', 'column']->['column', 'row']  matmul 2×3×4 " in text


def test_numbers_of_several_digits_are_printed_apart():
    text = str(einsum_plan((2, 3), [100, 200], (3, 4), [200, 300]))
    assert "  0  [100, 200],[200, 300]->[100, 300]  matmul 2×3×4 " in text


def test_axes_of_an_ellipsis_are_printed_as_dots():
    assert "  0  ...i->...  sum " in str(einsum_plan("...i->...", (2, 5, 3)))


def test_a_plan_is_short_in_a_console(framework):
    plan = einsum_plan("ij,j->i", framework.tensor(A), framework.tensor(A[0]))
    assert repr(plan) == f"<Plan 'ij,j->i' for (2, 3), (3,) on {framework.name}, float64>"


def test_flops_and_steps_are_those_counted_by_hand():
    plan = einsum_plan("ij,jk,k->i", (2, 3), (3, 4), (4,), optimize=[(1, 2), (0, 1)])
    assert plan.path == ((1, 2), (0, 1))
    assert [step.flops for step in plan.steps] == [2 * 3 * 4, 2 * 2 * 3]
    assert [step.elements for step in plan.steps] == [3, 2]
    assert plan.flops == 24 + 12


def test_a_broadcast_axis_costs_nothing_in_the_operand_that_has_it_once():
    assert einsum_plan("ij,j->ij", (2, 1), (3,)).flops == 6
    assert einsum_plan("i,i->i", (1,), (5,)).flops == 5


def test_a_view_costs_nothing():
    assert einsum_plan("iij->ji", (2, 2, 3)).flops == 0


def test_a_plan_is_frozen_and_its_own_key():
    plan = einsum_plan("i->", (2,))
    with pytest.raises(dataclasses.FrozenInstanceError):
        plan.path = ()
    assert {plan: 1}[plan] == 1


def test_a_plan_for_an_unknown_number_of_axes_has_no_steps(tf):
    signature = (tf.Tensor, tf.TensorShape(None), tf.float32)
    plan = Plan.of("...j->j", Options(), (signature,))
    assert plan.bound.unranked
    assert (plan.steps, plan.flops) == ((), 0)
    assert "return native0(a0)" in str(plan)
    assert "shape unknown, tensorflow.float32" in str(plan)


# --- the cache ------------------------------------------------------------------------------------


def counted(call) -> tuple[int, int]:
    before = cache_info()
    call()
    after = cache_info()
    return after.hits - before.hits, after.misses - before.misses


def test_the_same_call_is_planned_once(framework):
    a, b = framework.tensor(A), framework.tensor(B)
    clear_cache()
    assert counted(lambda: einsum("ij,jk->ik", a, b)) == (0, 1)
    for _ in range(3):
        assert counted(lambda: einsum("ij,jk->ik", framework.tensor(A + 1), b)) == (1, 0)


@pytest.mark.parametrize(
    "change",
    [
        lambda a: einsum("ij->j", a),
        lambda a: einsum("ij->i", a[:1]),
        lambda a: einsum("ij->i", a.astype("float32")),
        lambda a: einsum("ij->i", a, dtype="complex64"),
    ],
    ids=["equation", "shape", "dtype", "dtype="],
)
def test_a_change_of_anything_is_planned_anew(change):
    clear_cache()
    einsum("ij->i", A)
    assert counted(lambda: change(A))[1] == 1


def test_another_order_of_three_operands_is_planned_anew():
    clear_cache()
    einsum("i,i,i->", A[0], A[0], A[0])
    for optimize in ("greedy", False, [(0, 1), (0, 1)], ("auto", 100)):
        assert counted(lambda asked=optimize: einsum("i,i,i->", A[0], A[0], A[0], optimize=asked)) == (0, 1)


@pytest.mark.parametrize(
    ("equation", "operands", "options"),
    [
        ("ij->i", 1, {}),
        ("ij,ij->i", 2, {}),
        ("ij,ij,ij->i", 3, {}),
        ("ij,ij->i", 2, {"optimize": "greedy", "dtype": "complex64", "strict": True}),
    ],
)
def test_a_call_seen_before_is_one_look_up(framework, monkeypatch, equation, operands, options):
    clear_cache()
    xs = [framework.tensor(A)] * operands
    einsum(equation, *xs, **options)
    before = runtime_cache.look_up.cache_info()
    monkeypatch.setattr(api, "_einsum_slowly", None)
    result = einsum(equation, *[framework.tensor(A)] * operands, **options)
    after = runtime_cache.look_up.cache_info()
    assert (after.hits - before.hits, after.misses - before.misses) == (1, 0)
    np.testing.assert_allclose(framework.numpy(result), np.einsum(equation, *[A] * operands))


SAME = {
    "plan after call": lambda: einsum_plan("ij,jk->ik", A, B),
    "shapes": lambda: einsum_plan("ij,jk->ik", (2, 3), (3, 4)),
    "optimize=True": lambda: einsum("ij,jk->ik", A, B, optimize=True),
    "another order of two": lambda: einsum("ij,jk->ik", A, B, optimize="greedy"),
    "left to right": lambda: einsum("ij,jk->ik", A, B, optimize=False),
    "a path of one step": lambda: einsum("ij,jk->ik", A, B, optimize=[(0, 1)]),
    "hints for known sizes": lambda: einsum("ij,jk->ik", A, B, hints={"i": 7}),
    "the operands' own dtype": lambda: einsum("ij,jk->ik", A, B, dtype="float64"),
    "dtype and path": lambda: einsum_plan("ij,jk->ik", A, B, dtype=np.float64, optimize="dp"),
    "list of operands": lambda: einsum("ij,jk->ik", [A, B]),
    "bytes": lambda: einsum(b"ij,jk->ik", A, B),
}


@pytest.mark.parametrize("call", SAME.values(), ids=SAME)
def test_one_plan_serves_calls_that_ask_for_the_same_in_other_words(call):
    clear_cache()
    einsum("ij,jk->ik", A, B)
    assert counted(call) == (1, 0)
    assert counted(call) == (1, 0)


def test_a_plan_called_with_another_dtype_shares_its_plan_with_a_call():
    clear_cache()
    a, b = A.astype("float32"), B.astype("float32")
    plan = einsum_plan("ij,jk->ik", A, B)
    assert counted(lambda: plan(a, b)) == (0, 1)
    assert counted(lambda: einsum("ij,jk->ik", a, b)) == (1, 0)


@pytest.mark.parametrize("path", [[(0,)], [(0, 1), (0, 1)], [(0, 2)], [(1,), (1,)]])
def test_a_path_that_does_not_fit_two_operands_is_an_error_though_their_plan_is_known(path):
    einsum("ij,jk->ik", A, B)
    with pytest.raises(PathError):
        einsum("ij,jk->ik", A, B, optimize=path)


def test_dtype_is_not_dropped_where_it_turns_autocast_off(torch):
    a, b = torch.ones((2, 3)), torch.ones((3, 4))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert einsum("ij,jk->ik", a, b).dtype is torch.bfloat16
        assert einsum("ij,jk->ik", a, b, dtype="float32").dtype is torch.float32


def test_a_plan_remembers_what_was_asked_for_though_another_shares_its_code():
    plain, asked = einsum_plan("ij->i", A), einsum_plan("ij->i", A, dtype="float64")
    assert plain.executable is asked.executable
    ones = np.ones((2, 3), "float32")
    assert plain(ones).dtype == "float32"
    assert asked(ones).dtype == "float64"


@pytest.mark.parametrize("strict", [1, 0, "yes", None])
def test_strict_is_checked_also_where_its_plan_is_in_the_cache(strict):
    for known in (True, False):
        einsum("ij,jk->ik", A, B, strict=known)
    with pytest.raises(TypeError, match="neither True nor False"):
        einsum("ij,jk->ik", A, B, strict=strict)


def test_clear_cache_forgets_and_starts_counting_again():
    einsum("ij->i", A)
    clear_cache()
    info = cache_info()
    assert (info.hits, info.misses, info.currsize) == (0, 0, 0)
    assert info.maxsize == 4096 + 8 + 2048
    assert runtime_cache.look_up.cache_info()[:] == (0, 0, 4096, 0)


def test_the_cache_is_bounded_also_for_long_equations():
    clear_cache()
    for n in range(20):
        einsum(" " * (5000 + n) + "i->", np.ones(1))
    assert cache_info().currsize == 8
    clear_cache()


def kept() -> tuple[int, ...]:
    """How many executables caches hold: by what is written, by what that means, and for long equations."""
    caches = (runtime_cache.look_up, runtime_cache._executables, runtime_cache._long_executables)
    return tuple(cache.cache_info().currsize for cache in caches)


LONG = " " * equation_module.LONG + "i->"


@pytest.mark.parametrize(
    ("call", "long"),
    [
        (lambda: einsum(LONG, A[0]), True),
        (lambda: einsum(LONG.encode(), A[0]), True),
        (lambda: einsum(LONG[1:], A[0]), True),
        (lambda: einsum(LONG[2:], A[0]), True),
        (lambda: einsum(LONG[3:], A[0]), False),
        (lambda: einsum_plan(LONG, A[0]), True),
        (lambda: einsum_plan(LONG[3:], A[0]), False),
    ],
    ids=["text", "bytes", "two more", "one more", "of the limit", "plan", "plan of the limit"],
)
def test_a_long_equation_is_kept_among_the_few_long_ones_and_nowhere_else(call, long: bool):
    clear_cache()
    assert call() is not None
    *others, found = kept()
    assert (found, sum(others) > 0) == (1, False) if long else (0, True)
    clear_cache()


def test_a_long_equation_is_planned_once_and_forgotten_after_eight_others():
    clear_cache()
    x = A[0]
    einsum("i->", x)
    assert counted(lambda: einsum(LONG, x)) == (0, 1)
    assert counted(lambda: einsum(LONG, x)) == (1, 0)
    for n in range(1, 9):
        einsum(" " * n + LONG, x)
    assert counted(lambda: einsum(LONG, x)) == (0, 1)
    assert counted(lambda: einsum("i->", x)) == (1, 0)
    clear_cache()


def test_the_plan_of_an_optimizer_is_not_cached():
    clear_cache()
    einsum("i,i,i->", A[0], A[0], A[0], optimize=lambda *args: [(0, 1), (0, 1)])
    assert cache_info().currsize == 0
    plan = Plan.of("i,i,i->", Options.of(lambda *args: [(0, 1), (0, 1)]), ((np.ndarray, (3,), A.dtype),) * 3)
    assert plan.path == ((0, 1), (0, 1))
    assert cache_info().currsize == 0


def test_an_optimizer_is_asked_at_each_call():
    asked = []

    def search(inputs, output, sizes, memory_limit):
        asked.append(inputs)
        return [(0, 1), (0, 1)]

    for n in range(1, 4):
        einsum("i,i,i->", A[0], A[0], A[0], optimize=search)
        assert len(asked) == n


def test_an_error_is_not_cached():
    clear_cache()
    for _ in range(2):
        with pytest.raises(OperandError):
            einsum("ij->i", A[0])
    assert cache_info().currsize == 0
