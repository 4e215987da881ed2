"""Plans as data: JSON and pickle give the same plan again; what is no plan is refused, never executed."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys

import numpy as np
import pytest

from einsum_unified import EinsumError, OperandError, PathError, Plan, einsum, einsum_plan

PLANS = {
    "a product": lambda: einsum_plan("ij,jk->ik", (2, 3), (3, 4)),
    "a view": lambda: einsum_plan("...ij->...ji", (5, 2, 3)),
    "a path": lambda: einsum_plan("ij,jk,kl->il", (2, 3), (3, 4), (4, 5), optimize=[(0, 2), (0, 1)]),
    "any batch": lambda: einsum_plan("bij,jk->bik", (None, 2, 3), (3, 4)),
    "a dtype": lambda: einsum_plan("i->", (3,), dtype="int64"),
    "integers": lambda: einsum_plan("ij,ij->", np.ones((2, 3), "int8"), np.ones((2, 3), "int8")),
    "sublists": lambda: einsum_plan((2, 3), [0, "row"], (3, 4), ["row", ...], [0, ...]),
    "sublists without output": lambda: einsum_plan((2, 3), [0, 1], (3, 4), [1, 2]),
}
plans = pytest.mark.parametrize("make", PLANS.values(), ids=PLANS)


def assert_same(plan: Plan, again: Plan) -> None:
    assert (again.path, again.bound, again.program) == (plan.path, plan.bound, plan.program)
    shapes = [[3 if size is None else size for size in operand.shape] for operand in plan.bound.operands]
    arrays = [
        np.arange(np.prod(shape)).reshape(shape).astype(operand.dtype)
        for shape, operand in zip(shapes, plan.bound.operands, strict=True)
    ]
    np.testing.assert_array_equal(again(*arrays), plan(*arrays))


@plans
def test_a_plan_goes_through_json(make):
    plan = make()
    assert_same(plan, Plan.from_dict(json.loads(json.dumps(plan.to_dict()))))


@plans
def test_a_plan_goes_through_pickle(make):
    plan = make()
    assert_same(plan, pickle.loads(pickle.dumps(plan)))


def test_a_plan_with_any_labels_goes_through_pickle_but_not_through_json():
    plan = einsum_plan((2, 3), [("a", 1), 0], [0, ("a", 1)])
    assert_same(plan, pickle.loads(pickle.dumps(plan)))
    with pytest.raises(PathError, match=r"label \('a', 1\) cannot be kept as data"):
        plan.to_dict()


def test_a_loaded_plan_runs_on_other_frameworks_and_refuses_what_does_not_fit(framework):
    plan = Plan.from_dict(einsum_plan("ij,jk,kl->il", (2, 3), (3, 4), (4, 5)).to_dict())
    arrays = [np.ones(shape) for shape in [(2, 3), (3, 4), (4, 5)]]
    result = plan(*map(framework.tensor, arrays))
    np.testing.assert_array_equal(framework.numpy(result), np.full((2, 5), 12.0))
    with pytest.raises(OperandError, match=r"operand 0: planned for .*\(2, 3\)"):
        plan(*[framework.tensor(x) for x in (np.ones((9, 3)), arrays[1], arrays[2])])


def good() -> dict:
    return einsum_plan("ij,jk,kl->il", (2, 3), (3, 4), (4, 5)).to_dict()


@pytest.mark.parametrize(
    ("entry", "value", "says"),
    [
        ("schema", 2, "of schema 2 cannot be read, only of schema 1"),
        ("schema", True, "of schema True cannot be read"),
        ("equation", 7, "'equation' is neither text nor a mapping of inputs and output"),
        ("equation", {"inputs": [[["x"]]], "output": None}, "cannot be kept as data"),
        ("equation", "ij,jk->", "the equation has 2 terms but 3 operands were given"),
        ("equation", "ij,jk,kl->z", "output label 'z' occurs in no operand"),
        ("shapes", "2,3", "'shapes' is a str, not a list"),
        ("shapes", [[2, 3], [3, 4], [4, -5]], "-5 in 'shapes' is not a size"),
        ("shapes", [[2, 3], [3, 4], [4, 1.5]], "1.5 in 'shapes' is not a size"),
        ("shapes", [[2, 3], [3, 4], [4, 10**30]], "in 'shapes' is not a size"),
        ("shapes", [[2, 3], [9, 4], [4, 5]], "label 'j' is 3 in operand 0 but 9 in operand 1"),
        ("shapes", [[2, 3]], "has 1 shapes but 3 dtypes"),
        ("dtypes", ["float64", "float64", "__import__('os')"], "in 'dtypes' is not a numeric dtype"),
        ("dtypes", ["float64", "float64", "object" * 9], "in 'dtypes' is not a numeric dtype"),
        ("path", [[0, "1"], [0, 1]], "'1' in 'path' is not an operand position"),
        ("path", [[0, 7], [0, 1]], "names operand 7"),
        ("path", 5, "'path' is a int, not a list"),
        ("dtype", "string", "in 'dtype' is not a numeric dtype"),
    ],
)
def test_data_that_is_not_a_plan_is_refused_by_entry(entry: str, value, says: str):
    with pytest.raises(EinsumError) as caught:
        Plan.from_dict({**good(), entry: value})
    assert says in str(caught.value)


def test_entries_that_are_missing_or_too_many_are_named():
    data = good()
    del data["path"]
    with pytest.raises(PathError, match="'path' is missing"):
        Plan.from_dict(data)
    with pytest.raises(PathError, match="'code' is none of them"):
        Plan.from_dict({**good(), "code": "import os"})
    with pytest.raises(PathError, match="must be a mapping, not list"):
        Plan.from_dict([good()])


def test_a_loaded_plan_gives_what_einsum_gives():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 3)), rng.standard_normal((3, 4))
    plan = Plan.from_dict(einsum_plan("ij,jk->ki", x, y).to_dict())
    np.testing.assert_array_equal(plan(x, y), einsum("ij,jk->ki", x, y))


# --- dtypes that NumPy lacks ----------------------------------------------------------------------


LACKING = """
import pickle, sys, warnings, numpy as np, torch
from einsum_unified import OperandTypeError, Plan, einsum_plan
warnings.simplefilter("ignore")
for name in ("bfloat16", "complex32"):
    dtype = getattr(torch, name)
    x, y = torch.ones(2, 3), torch.ones(2, 3, dtype=dtype)
    for plan in (einsum_plan("ij,ij->i", y, y), einsum_plan("ij,ij->i", x, y, dtype=dtype)):
        for again in (Plan.from_dict(plan.to_dict()), pickle.loads(pickle.dumps(plan))):
            assert again.to_dict() == plan.to_dict()
            assert str(again).startswith(f"ij,ij->i  on numpy, {name}"), again
            operands = [y if given == name else x for given in again.to_dict()["dtypes"]]
            result = again(*operands)
            assert (result.dtype, result.tolist()) == (dtype, [3, 3])
    try:
        again(np.ones((2, 3)), np.ones((2, 3)))
    except OperandTypeError as error:
        print(error)
assert "ml_dtypes" not in sys.modules
"""


@pytest.mark.usefixtures("torch")
def test_a_plan_comes_back_as_it_was_where_numpy_lacks_its_dtype():
    done = subprocess.run([sys.executable, "-c", LACKING], capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines() == [
        f"dtype='{dtype}' is not a dtype that numpy can compute with" for dtype in ("bfloat16", "complex32")
    ], done.stderr


# --- data that is not a plan -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "value", "says"),
    [
        ("schema", 10**5000, "<integer of about 5001 digits>"),
        ("schema", np.ones(3), "of schema array"),
        ("schema", [1] * 10**6, "cannot be read"),
        ("strict", 10**5000, "<integer of about 5001 digits> in 'strict'"),
        ("path", [[0, 10**5000]], "<integer of about 5001 digits> in 'path'"),
        ("path", [[0]] * 200_000 + [[0, 1, 2]], "200001 steps in 'path' are too many for 3 operands"),
        ("shapes", [[1] * 10_000, [3, 4], [4, 5]], "10000 axes in 'shapes' are more than any framework has"),
        ("equation", {"inputs": [[10**5000]], "output": None}, "5001 digits> cannot be kept"),
        ("equation", {"inputs": [[np.ones(2)]], "output": None}, "cannot be kept as data"),
        ("equation", {"inputs": [[{"ellipsis": np.ones(2)}]], "output": None}, "cannot be kept as data"),
        *[("dtypes", [name, "float64", "float64"], "in 'dtypes' is not a numeric dtype")
          for name in ("float99", "uint7", "float64\0", "bfloat32", "complex", "floatfloat")],
    ],
    ids=lambda value: str(value)[:20] if isinstance(value, str) else "",
)  # fmt: skip
def test_hostile_data_is_refused_at_once_in_a_short_line(entry, value, says):
    data = {**good(), entry: value}
    with pytest.raises(PathError) as caught:
        Plan.from_dict(data)
    assert says in str(caught.value)
    assert len(str(caught.value)) < 200


def test_an_unknown_entry_is_named_shortly():
    with pytest.raises(PathError) as caught:
        Plan.from_dict({**good(), "x" * 10**6: 1})
    assert len(str(caught.value)) < 200


def test_a_plan_for_unknown_numbers_of_axes_is_neither_pickled_nor_data(tf):
    plans = []

    @tf.function(input_signature=[tf.TensorSpec(None), tf.TensorSpec(None)])
    def trace(x, y):
        plans.append(einsum_plan("...i,...i->...", x, y))
        return x

    trace.get_concrete_function()
    for keep in (pickle.dumps, Plan.to_dict):
        with pytest.raises(PathError, match="an unknown number of axes"):
            keep(plans[0])
