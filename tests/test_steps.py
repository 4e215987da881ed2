"""`Plan.steps`: the work of the table, step by step, in equations that other programs can run."""

from __future__ import annotations

import numpy as np
import opt_einsum
import pytest

from einsum_unified import Plan, einsum_path, einsum_plan

# Equations with shapes: sums of labels that one operand has, diagonals, broadcasting, hyperedges, ellipses.
CASES = [
    ("nlp,nlq->l", (4, 3, 5), (4, 3, 6)),
    ("nlp,nlq,lx->lx", (4, 3, 5), (4, 3, 6), (3, 2)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 5)),
    ("iij,kj->i", (4, 4, 5), (3, 5)),
    ("iij->i", (4, 4, 5)),
    ("ij->ji", (4, 5)),
    ("ij->", (4, 5)),
    ("i,j->ij", (4,), (5,)),
    ("i,j,k->", (4,), (5,), (3,)),
    ("ij,ik->ijk", (4, 5), (1, 6)),
    ("ij,ik,jx->kx", (4, 5), (1, 6), (5, 2)),
    ("ij,jk,ik->", (4, 5), (1, 6), (4, 1)),
    ("...ij,...jk->...ik", (7, 2, 3), (3, 4)),
    ("...i,...i,...j->...j", (7, 2, 3), (2, 3), (7, 1, 5)),
    ("αβ,βγ,γ->α", (2, 3), (3, 4), (4,)),
    ("ab,bc,bd,be,f->acde", (2, 3), (3, 2), (3, 4), (3, 2), (5,)),
    ("ab,ab,ab,b->a", (4, 5), (4, 5), (4, 5), (5,)),
    ("a,a,a,a,a,a,a,a,a->a", *[(3,)] * 9),
    ("ab,bc,cd,da,aabb->", (2, 3), (3, 4), (4, 5), (5, 2), (2, 2, 3, 3)),
    ("i,i->", (1,), (1,)),
    ("ij,jk->ik", (0, 3), (3, 4)),
]


def operands(shapes) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.integers(-3, 4, shape).astype(float) for shape in shapes]


def run(steps, arrays):
    """Contract as programs do with numpy.einsum_path's list, each step by `numpy.einsum`."""
    live = list(arrays)
    for step in steps:
        taken = [live[position] for position in step.positions]
        live = [x for n, x in enumerate(live) if n not in step.positions]
        live.append(np.einsum(step.equation, *taken))
    (result,) = live
    return result


@pytest.mark.parametrize("optimize", ["auto", None, "greedy", "dp"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_the_steps_compute_the_result(case, optimize):
    """pyscf/pyscf#3083, pymc-devs/pytensor#1892, qiboteam/qibo#1870: NumPy 2.4 changed its list of steps."""
    text, *shapes = case
    arrays = operands(shapes)
    plan = einsum_plan(text, *shapes, optimize=optimize)
    want = np.einsum("ab,bc,c->a" if text.startswith("α") else text, *arrays)
    got = run(plan.steps, arrays)
    assert got.shape == want.shape
    assert (got == want).all()
    assert tuple(step.positions for step in plan.steps) == plan.path


@pytest.mark.parametrize("optimize", ["auto", None, "greedy"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_steps_and_flops_are_those_of_the_table(case, optimize):
    text, *shapes = case
    plan = einsum_plan(text, *shapes, optimize=optimize)
    figures = plan.figures()
    rows = [row for row in figures["steps"] if row["step"] is not None]
    assert [row["flops"] for row in rows] == [step.flops for step in plan.steps]
    assert figures["totals"]["flops"] == plan.flops == sum(step.flops for step in plan.steps)


def test_flops_are_those_of_sums_before_products():
    """The table had 2 020 000, `Plan.flops` 200 000 000."""
    plan = einsum_plan("nlp,nlq->l", (100, 100, 100), (100, 100, 100))
    # Sums over p and q, and then 100 scalar products of vectors of 100.
    assert plan.flops == 100**3 + 100**3 + 2 * 100 * 100
    summary = einsum_path("nlp,nlq->l", (100, 100, 100), (100, 100, 100))[1]
    assert "Optimized FLOP count:  2.020e+06" in summary


# Axes of size 1 that products would sum over are dropped.
SUMMED = [case for case in CASES if (1,) not in case]


@pytest.mark.parametrize("case", SUMMED, ids=lambda case: case[0])
def test_what_is_planned_for_the_search_costs_what_runs(case):
    """The FLOPs that searches compare are those of the table, but for products with one multiplication."""
    from einsum_unified.planning.steps import steps

    text, *shapes = case
    plan = einsum_plan(text, *shapes)
    modelled = steps(plan.bound.reduced(), plan.bound.output, plan.bound.sizes, plan.path)
    for step, model in zip(plan.steps, modelled, strict=True):
        assert model.flops <= step.flops <= 2 * model.flops


def test_an_unknown_size_counts_as_its_hint():
    plan = einsum_plan("bi,ij,jk->bk", (None, 3), (3, 4), (4, 5), hints={"b": 10}, optimize=None)
    assert [step.flops for step in plan.steps] == [2 * 10 * 3 * 4, 2 * 10 * 4 * 5]


def test_an_equation_of_many_labels_has_letters_in_each_step():
    terms = [(n, n + 1) for n in range(60)]
    interleaved = [x for n, term in enumerate(terms) for x in ((2, 2), term)]
    plan = einsum_plan(*interleaved, [0, 60])
    arrays = operands([(2, 2)] * 60)
    assert all(step.equation.isascii() for step in plan.steps)
    want = np.linalg.multi_dot(arrays)
    np.testing.assert_allclose(run(plan.steps, arrays), want, rtol=1e-12)


def test_labels_of_any_kind_get_letters():
    plan = einsum_plan((2, 3), ["row", ("x", 1)], (3, 4), [("x", 1), "b"], ["row", "b"])
    assert [step.equation for step in plan.steps] == ["ac,cb->ab"]


# NumPy and opt_einsum have other rules for the others.
MANY = [case for case in CASES if len(case) > 3 and case[0].isascii() and "." not in case[0]]


@pytest.mark.parametrize("case", MANY, ids=lambda case: case[0])
@pytest.mark.parametrize("optimize", [None, [("all",)], ("greedy", 1000), "branch-1"], ids=str)
def test_numpy_and_opt_einsum_run_the_pairs_of_a_plan(case, optimize):
    """numpy/numpy#21380: a step of all operands is a loop over all labels there, 500 times as long."""
    text, *shapes = case
    arrays = operands(shapes)
    if optimize == [("all",)]:
        optimize = [tuple(range(len(arrays)))]
    plan = einsum_plan(text, *shapes, optimize=optimize)
    assert all(len(step) == 2 for step in plan.path if len(step) != 1)
    assert [tuple(step) for step in plan.to_dict()["path"]] == list(plan.path)
    assert plan.recipe(literal=True).path == plan.path
    assert Plan.from_dict(plan.to_dict()).path == plan.path
    want = np.einsum(text, *arrays)
    assert (np.einsum(text, *arrays, optimize=["einsum_path", *plan.path]) == want).all()
    if (1, 6) not in shapes:  # opt_einsum does not broadcast
        assert (opt_einsum.contract(text, *arrays, optimize=plan.path) == want).all()
