"""Sizes that are not known: `Size`, hints, and plans for any size."""

from __future__ import annotations

import itertools
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from einsum_unified import (
    OperandError,
    PathError,
    Plan,
    cache_info,
    clear_cache,
    einsum,
    einsum_path,
    einsum_plan,
)
from einsum_unified.language.sizes import DEFAULT_HINT, Size, broadcast, is_known

B, C = Size.read([(0, 0)], hint=4), Size.read([(1, 2)], hint=4)


# --- Size -----------------------------------------------------------------------------------------


def test_a_size_counts_as_its_hint():
    assert (int(B), B > 3, B < 5, 2.0 * B, -B, float(B * 3)) == (4, True, True, 8.0, -4, 12.0)


def test_sizes_are_equal_only_if_they_read_the_same():
    assert Size.read([(0, 0)], hint=4) == B
    assert B != C
    assert B != 4
    assert 4 not in (B, C)
    assert Size.read([(0, 0)], hint=1) != 1
    assert (B, 3) != (4, 3)
    assert len({B, C, B * 1, 4}) == 3


def test_sizes_that_differ_in_a_known_factor_are_not_equal():
    # The same number by the hints, and the same places: only what is known differs.
    few, many = Size.read([(0, 0)], hint=6) * 2, Size.read([(0, 0)], hint=4) * 3
    assert int(few) == int(many) == 12
    assert few != many
    assert Size.read([(0, 0)], hint=6) * 2 == few


@given(st.lists(st.sampled_from([B, C, 1, 2, 3]), max_size=6), st.randoms())
def test_products_do_not_depend_on_the_order(factors, random):
    other = random.sample(factors, len(factors))
    assert prod(factors) == prod(other)
    assert int(prod(factors)) == prod(map(int, factors))


def test_products_know_their_factors():
    size = 2 * B * C * 3 * B
    assert (size.known, size.readings) == (6, (((0, 0),), ((0, 0),), ((1, 2),)))
    assert B * 0 == 0 == 0 * B
    assert is_known(B * 0)
    assert not is_known(size)
    assert B * 2.5 == 2.5 * B == 10
    with pytest.raises(TypeError):
        B * None


@pytest.mark.parametrize(
    ("m", "n", "want"),
    [
        (1, 3, 3),
        (3, 1, 3),
        (0, 1, 0),
        (1, 0, 0),
        (1, 1, 1),
        (B, 1, B),
        (1, B, B),
        (B, B, B),
        (B, 3, 3),
        (3, B, 3),
        (B * 3, B * 3, B * 3),
        (B * 3, 1, B * 3),
        (B * 3, 0, 0),
        (B, C, Size.read([(0, 0), (1, 2)], hint=4)),
        (C, B, Size.read([(0, 0), (1, 2)], hint=4)),
    ],
)
def test_what_two_sizes_broadcast_to(m, n, want):
    assert broadcast(m, n) == want


def test_what_is_known_is_a_number():
    assert list(map(is_known, (0, 1, 7, None, B, B * 3, B * 0))) == [
        True,
        True,
        True,
        False,
        False,
        False,
        True,
    ]


# --- hints ----------------------------------------------------------------------------------------


CHAIN = "bi,ij,jk->bk", (None, 100), (100, 100), (100, 100)


@pytest.mark.parametrize(("hint", "path"), [(2, ((0, 1), (0, 1))), (1000, ((1, 2), (0, 1)))])
def test_a_hint_chooses_the_path(hint: int, path):
    equation, *shapes = CHAIN
    plan = einsum_plan(equation, *shapes, hints={"b": hint})
    assert plan.path == path
    # FLOPs by hand: two products of b × 100 × 100, or one of 100**3 and one of b × 100 × 100.
    assert plan.flops == (2 * 2 * hint * 100**2 if path[0] == (0, 1) else 2 * 100**3 + 2 * hint * 100**2)
    assert f"unknown sizes: planned with b = {hint}" in str(plan)
    assert einsum_path(equation, *shapes, hints={"b": hint}, optimize="auto")[0] == ["einsum_path", *path]


def test_without_a_hint_the_default_counts():
    assert einsum_plan("i->", (None,)).flops == DEFAULT_HINT
    assert f"unknown sizes: planned with i = {DEFAULT_HINT}" in einsum_path("ij,jk", (None, 3), (3, 4))[1]


def test_hints_for_an_ellipsis_and_for_any_label():
    plan = einsum_plan("...i,i", (None, None, 3), (3,), hints={"...": 5})
    assert plan.flops == 5 * 5 * 3 * 2
    assert einsum_plan("...i,i", (None, None, 3), (3,), hints={...: 5}).flops == plan.flops
    assert einsum_plan((None, 3), [("batch",), 0], (3,), [0], hints={("batch",): 7}).flops == 7 * 3 * 2


def test_a_hint_for_a_known_size_changes_nothing(framework):
    x = framework.tensor(np.ones((2, 3)))
    assert einsum_plan("ij->", x, hints={"i": 50}).flops == 6
    assert float(einsum("ij->", x, hints={"i": 50, "j": 9})) == 6


def test_plans_with_different_hints_are_kept_apart():
    clear_cache()
    plans = [einsum_plan("ij->j", (None, 3), hints=hints) for hints in (None, {}, {"i": 9}, {"i": 9})]
    assert plans[0].executable is plans[1].executable
    assert plans[2].executable is plans[3].executable
    assert [plan.flops for plan in plans] == [3 * DEFAULT_HINT] * 2 + [27] * 2
    assert cache_info().currsize == 2


@pytest.mark.parametrize(
    ("hints", "says"),
    [
        ({"z": 3}, "hints: the equation has no label 'z'; it has: 'i', 'j'"),
        ({"...": 3}, "hints: the equation has no label '...'; it has: 'i', 'j'"),
        ({("i",): 3}, "hints: the equation has no label"),
        ({"i": 0}, "hints: the size of 'i' is 0, not a positive integer"),
        ({"i": -1}, "hints: the size of 'i' is -1, not a positive integer"),
        ({"i": 2.0}, "hints: the size of 'i' is 2.0, not a positive integer"),
        ({"i": True}, "hints: the size of 'i' is True, not a positive integer"),
        ({"i": None}, "hints: the size of 'i' is None, not a positive integer"),
        ([("i", 3)], r"hints=\[\('i', 3\)\] is not a mapping of labels to sizes, such as {'b': 32}"),
        (7, "hints=7 is not a mapping of labels to sizes"),
    ],
)
def test_bad_hints_are_an_error_also_where_sizes_are_known(framework, hints, says: str):
    x = framework.tensor(np.ones((2, 3)))
    with pytest.raises(PathError, match=says):
        einsum("ij->ji", x, hints=hints)
    with pytest.raises(PathError, match=says):
        einsum_plan("ij->ji", (2, 3), hints=hints)
    with pytest.raises(PathError, match=says):
        einsum_path("ij->ji", x, hints=hints)


# --- plans for any size ---------------------------------------------------------------------------

CASES = [
    ("ij->ji", [(2, 3)]),
    ("ii->i", [(3, 3)]),
    ("iij->", [(2, 2, 3)]),
    ("i,i->", [(3,), (3,)]),
    ("i,j->ji", [(2,), (3,)]),
    ("ij,jk->ik", [(2, 3), (3, 4)]),
    ("ij,kj->ki", [(2, 3), (4, 3)]),
    ("bij,bjk->bik", [(2, 3, 4), (2, 4, 5)]),
    ("bihd,bjhd->bhij", [(2, 3, 2, 4), (2, 5, 2, 4)]),
    ("abcd,cdef->efab", [(2, 3, 4, 2), (4, 2, 3, 2)]),
    ("...i,ij->...j", [(2, 2, 3), (3, 4)]),
    ("...i,...i->...", [(2, 1, 3), (4, 3)]),
    ("bi,ij,bj->b", [(2, 3), (3, 4), (2, 4)]),
    ("ab,bc,cd,da->", [(2, 3), (3, 4), (4, 2), (2, 2)]),
]


@pytest.mark.parametrize(("equation", "shapes"), CASES, ids=[equation for equation, _ in CASES])
@pytest.mark.parametrize("hint", [1, 3, 64])
def test_every_choice_of_unknown_sizes_gives_numpys_values(framework, equation: str, shapes, hint: int):
    rng = np.random.default_rng(0)
    arrays = [rng.integers(-3, 4, shape).astype("float64") for shape in shapes]
    tensors = [framework.tensor(x) for x in arrays]
    labels = {label for label in equation.split("->")[0] if label.isalpha()}
    hints = {**dict.fromkeys(labels, hint), **({"...": hint} if "..." in equation else {})}
    want = np.einsum(equation, *arrays)
    axes = [(n, axis) for n, shape in enumerate(shapes) for axis in range(len(shape))]
    chosen = list(itertools.chain.from_iterable(itertools.combinations(axes, k) for k in (1, 2, len(axes))))
    for some in chosen[:: max(1, len(chosen) // 20)]:
        opened = [
            tuple(None if (n, axis) in some else size for axis, size in enumerate(shape))
            for n, shape in enumerate(shapes)
        ]
        # A tensor says for which framework the plan is; the first operand that is known as a whole.
        whole = next((n for n, shape in enumerate(opened) if None not in shape), None)
        if whole is None and framework.name != "numpy":
            continue
        items = [tensors[n] if n == whole else shape for n, shape in enumerate(opened)]
        plan = einsum_plan(equation, *items, hints=hints)
        np.testing.assert_array_equal(framework.numpy(plan(*tensors)), want)


def test_one_plan_for_many_sizes_makes_no_other(framework):
    weight = framework.tensor(np.ones((4, 5)))
    plan = einsum_plan("bij,jk->bik", (None, 3, 4), weight)
    before = cache_info()
    for batch in range(5):
        assert tuple(plan(framework.tensor(np.ones((batch, 3, 4))), weight).shape) == (batch, 3, 5)
    assert cache_info() == before


def test_a_plan_for_any_size_is_found_where_known_sizes_broadcast(framework):
    y = framework.tensor(np.ones((3, 4)))
    plan = einsum_plan("bij,jk->bik", (None, 2, 1), y)
    before = cache_info()
    for batch in range(3):
        got = plan(framework.tensor(np.ones((batch, 2, 1))), y)
        np.testing.assert_array_equal(framework.numpy(got), np.full((batch, 2, 4), 3))
    assert cache_info() == before


@pytest.mark.parametrize(
    ("equation", "first", "second"),
    [("ij,jk->ik", (2, 1), (3, 4)), ("bi,bi->b", (1, 3), (5, 3)), ("i,i->i", (1,), (0,))],
)
def test_size_1_broadcasts_in_a_plan_for_any_size(framework, equation: str, first, second):
    x, y = np.full(first, 2.0), np.full(second, 3.0)
    plan = einsum_plan(equation, (None,) * x.ndim, (None,) * y.ndim)
    got = framework.numpy(plan(framework.tensor(x), framework.tensor(y)))
    np.testing.assert_array_equal(got, einsum(equation, x, y))


@pytest.mark.parametrize(
    ("equation", "planned", "given", "says"),
    [
        ("ij,jk->ik", [(None, 3), (3, None)], [(2, 4), (4, 5)], "operand 0: planned for shape"),
        ("ij,jk->ik", [(None, None), (None, None)], [(2, 3), (4, 5)], "label 'j' is 3 in operand 0 but 4"),
        # 2 · 6 = 3 · 4: the fused axes would have the same size
        ("ijk,jkl->il", [(None,) * 3] * 2, [(5, 2, 6), (3, 4, 5)], "label 'j' is 2 in operand 0 but 3"),
        ("ii->i", [(None, None)], [(2, 3)], "label 'i' is repeated in operand 0 with sizes 2 and 3"),
        ("ij->ji", [(None, None)], [(2, 3, 4)], "operand 0 has 3 axes"),
    ],
)
def test_shapes_that_do_not_fit_are_our_error(framework, equation: str, planned, given, says: str):
    plan = einsum_plan(equation, *planned)
    with pytest.raises(OperandError, match=says):
        plan(*(framework.tensor(np.ones(shape)) for shape in given))


def test_out_of_a_plan_for_any_size(mutable):
    plan = einsum_plan("bij->bji", mutable.tensor(np.ones((1, 1, 1))))
    assert plan.bound.unknown == ()
    weight = mutable.tensor(np.ones((3, 4)))
    plan = einsum_plan("bi,ij->bj", (None, 3), weight)
    x, out = mutable.tensor(np.ones((2, 3))), mutable.tensor(np.zeros((2, 4)))
    assert plan(x, weight, out=out) is out
    np.testing.assert_array_equal(mutable.numpy(out), np.full((2, 4), 3))
    wrong = mutable.tensor(np.zeros((5, 4)))
    with pytest.raises(OperandError, match=r"out= has shape \(5, 4\) but the result has shape \(2, 4\)"):
        plan(x, weight, out=wrong)
    assert not mutable.numpy(wrong).any()


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "bool"])
def test_integers_wrap_around_exactly_at_any_size(framework, dtype: str):
    # With the size known to be small float32 would be exact; the real one is far beyond that.
    x = framework.tensor(np.full(70_001, 1 if dtype == "bool" else np.iinfo(dtype).max, dtype))
    y = framework.tensor(np.full((1, 70_001), 1 if dtype == "bool" else np.iinfo(dtype).max, dtype))
    plan = einsum_plan("i,ji->j", (None,), (None, None), dtype=dtype)
    got = framework.numpy(plan(x, y))
    total = 70_001 * (1 if dtype == "bool" else int(np.iinfo(dtype).max)) ** 2
    want = np.array([total != 0 if dtype == "bool" else total % 2 ** np.iinfo(dtype).bits])
    np.testing.assert_array_equal(got, want.astype(np.uint64).astype(dtype))


def test_int8_matrices_of_unknown_size(torch):
    # The fast kernel for int8 reads beyond matrices with one row: it is for sizes that are known.
    plan = einsum_plan("ij,jk->ik", torch.ones((64, 64), dtype=torch.int8), (64, None), hints={"k": 512})
    assert "integer_dot" not in plan.source
    assert "integer_dot" in einsum_plan("ij,jk->ik", torch.ones((64, 64), dtype=torch.int8), (64, 512)).source


@pytest.mark.parametrize(
    ("equation", "shape", "hints", "says"),
    [
        ("...i->", (None, 2), {"...": 0}, "hints: the size of '...' is 0, not a positive integer"),
        ("...i->", (None, 2), {...: True}, "hints: the size of '...' is True, not a positive integer"),
        ("...i->", (None, 2), {"z": 1}, "hints: the equation has no label 'z'; it has: '...', 'i'"),
        ("->", (), {"i": 1}, "hints: the equation has no label 'i'; it has: none"),
    ],
)
def test_bad_hints_name_the_ellipsis_and_that_there_are_no_labels(equation, shape, hints, says: str):
    with pytest.raises(PathError) as caught:
        einsum_plan(equation, shape, hints=hints)
    assert str(caught.value) == says


@pytest.mark.parametrize("size", [np.int8(9), np.uint64(9), 9])
def test_a_hint_may_be_numpys_integer(size):
    assert einsum_plan("i->", (None,), hints={"i": size}).flops == 9


def test_a_negative_size_is_named():
    with pytest.raises(OperandError, match=r"operand 0: the shape \(\?, -3\) has a negative size"):
        einsum_plan("ij->", (None, -3))


# --- a size that one operand gives and another does not --------------------------------------------


@pytest.mark.parametrize("through", [lambda plan: plan, lambda plan: Plan.from_dict(plan.to_dict())])
def test_operands_that_do_not_fit_each_other_are_refused_where_one_size_was_known(framework, through):
    plan = through(einsum_plan("bij,ij->b", (None, None, None), (4, 3)))
    x, y = np.ones((5, 4, 3)), np.ones((4, 3))
    assert framework.numpy(plan(framework.tensor(x), framework.tensor(y))).tolist() == [12] * 5
    with pytest.raises(OperandError, match="label 'i' is 2 in operand 0 but 4 in operand 1"):
        plan(framework.tensor(np.ones((5, 2, 6))), framework.tensor(y))


def test_size_1_broadcasts_where_the_other_size_was_known(framework):
    plan = einsum_plan("ij,jk->ik", (None, 3), (None, 4))
    x, y = np.arange(6.0).reshape(2, 3), np.arange(4.0).reshape(1, 4)
    result = plan(framework.tensor(x), framework.tensor(y))
    np.testing.assert_allclose(framework.numpy(result), np.einsum("ij,jk->ik", x, y))
    with pytest.raises(OperandError, match="label 'j' is 3 in operand 0 but 5 in operand 1"):
        plan(framework.tensor(x), framework.tensor(np.ones((5, 4))))
