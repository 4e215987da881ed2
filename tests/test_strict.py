"""``strict=True`` refuses an output left out, size 1 that broadcasts, and sums within one operand."""

from __future__ import annotations

import json
import pickle
import re

import numpy as np
import pytest

from einsum_unified import (
    EinsumError,
    EquationError,
    OperandError,
    Plan,
    cache_info,
    clear_cache,
    einsum,
    einsum_plan,
)

REFUSED = [
    # equation, shapes, rule, headline
    ("ij,jk", [(2, 3), (3, 4)], "explicit output", "strict: the output is left out"),
    ("ij", [(2, 3)], "explicit output", "strict: the output is left out"),
    ("ij,jl->i", [(2, 3), (3, 4)], "no lone sums", "label 'l' occurs in operand 1 only, and is summed"),
    ("ii->", [(3, 3)], "no lone sums", "label 'i' occurs in operand 0 only, and is summed"),
    ("i,->", [(3,), ()], "no lone sums", "label 'i' occurs in operand 0 only, and is summed"),
    ("i...->i", [(2, 3)], "no lone sums", "an axis of '...' occurs in operand 0 only, and is summed"),
    ("...i,...i->i", [(5, 4, 3), (4, 3)], "no lone sums", "an axis of '...' occurs in operand 0 only"),
    ("ij,jk->ik", [(2, 1), (3, 4)], "no broadcasting", "label 'j' is 1 in operand 0 but 3 in operand 1"),
    ("ij,ij->ij", [(2, 3), (1, 3)], "no broadcasting", "label 'i' is 1 in operand 1 but 2 in operand 0"),
    ("...i,...i->...i", [(1, 3), (4, 3)], "no broadcasting", "axis -1 of '...' is 1 in operand 0 but 4"),
]  # fmt: skip

TAKEN = [
    ("ij,jk->ik", [(2, 3), (3, 4)]),
    ("ij,ij->", [(2, 3), (2, 3)]),
    ("ii->i", [(3, 3)]),
    ("ij->ji", [(2, 3)]),
    ("i,->i", [(3,), ()]),
    ("i,j->ij", [(1,), (3,)]),  # size 1 that nothing greater meets
    ("ij,jk->ik", [(2, 1), (1, 4)]),
    ("...i,i->...", [(4, 3), (3,)]),  # axes that an operand does not have are not axes of size 1
    ("i...->i", [(2,)]),  # an ellipsis without axes
    ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 5)]),
]


def arrays(shapes) -> list[np.ndarray]:
    return [np.arange(1.0, 1 + np.prod(shape, dtype=int)).reshape(shape) for shape in shapes]


@pytest.mark.parametrize(("equation", "shapes", "rule", "headline"), REFUSED)
def test_a_refusal_names_its_rule(framework, equation, shapes, rule, headline):
    operands = [framework.tensor(x) for x in arrays(shapes)]
    einsum(equation, *operands)  # well without strict
    with pytest.raises((EquationError, OperandError)) as caught:
        einsum(equation, *operands, strict=True)
    assert headline in str(caught.value)
    assert f"rule '{rule}'" in str(caught.value)
    assert str(caught.value).startswith("strict: ")


@pytest.mark.parametrize(("equation", "shapes"), TAKEN)
def test_what_is_taken_gives_what_numpy_gives(framework, equation, shapes):
    operands = arrays(shapes)
    result = einsum(equation, *map(framework.tensor, operands), strict=True)
    np.testing.assert_allclose(framework.numpy(result), np.einsum(equation, *operands))


def test_the_message_shows_the_place():
    with pytest.raises(OperandError) as caught:
        einsum("ij,jk->ik", np.ones((2, 1)), np.ones((3, 4)), strict=True)
    assert str(caught.value).splitlines() == [
        "strict: label 'j' is 1 in operand 0 but 3 in operand 1",
        "    ij,jk->ik",
        "     ^ ^",
        "  operand 0 'ij': shape (2, 1), numpy.float64",
        "  operand 1 'jk': shape (3, 4), numpy.float64",
        "  rule 'no broadcasting': give both the same size",
    ]


def test_the_message_shows_operands_in_their_order_also_where_the_second_broadcasts():
    with pytest.raises(OperandError) as caught:
        einsum("ij,ij->ij", np.ones((2, 3)), np.ones((1, 3)), strict=True)
    assert str(caught.value).splitlines() == [
        "strict: label 'i' is 1 in operand 1 but 2 in operand 0",
        "    ij,ij->ij",
        "    ^  ^",
        "  operand 0 'ij': shape (2, 3), numpy.float64",
        "  operand 1 'ij': shape (1, 3), numpy.float64",
        "  rule 'no broadcasting': give both the same size",
    ]


@pytest.mark.parametrize(("length", "offered"), [(120, True), (121, False)])
def test_an_equation_of_120_characters_is_offered_in_full(length: int, offered: bool):
    written = "ij,jk" + " " * (length - len("ij,jk->ik"))
    with pytest.raises(EquationError) as caught:
        einsum(written, np.ones((2, 3)), np.ones((3, 4)), strict=True)
    text = f"{written}->ik"
    assert len(text) == length
    assert (f"write {text}" in str(caught.value)) is offered
    assert ("write '->' and the labels of the result" in str(caught.value)) is not offered


def test_an_output_left_out_is_offered():
    with pytest.raises(EquationError, match=r"rule 'explicit output': write ij,jk->ik"):
        einsum("ij,jk", np.ones((2, 3)), np.ones((3, 4)), strict=True)
    with pytest.raises(EquationError, match=r"rule 'explicit output': write \[0, 1\] -> \[0, 1\]"):
        einsum(np.ones((2, 3)), [0, 1], strict=True)


def test_strict_is_nowhere_global():
    x = np.ones((2, 3))
    for _ in range(2):
        with pytest.raises(EinsumError):
            einsum("ij->i", x, strict=True)
        assert einsum("ij->i", x).tolist() == einsum("ij->i", x, strict=False).tolist() == [3, 3]


@pytest.mark.parametrize("optimize", ["auto", False, "greedy", [(0, 1), (0, 1)], ("greedy", 100)])
def test_strict_goes_with_every_way_to_optimize(optimize):
    operands = arrays([(2, 3), (3, 4), (4, 5)])
    result = einsum("ij,jk,kl->il", *operands, optimize=optimize, strict=True)
    np.testing.assert_allclose(result, operands[0] @ operands[1] @ operands[2])
    with pytest.raises(EquationError, match="left out"):
        einsum("ij,jk,kl", *operands, optimize=optimize, strict=True)


def test_a_strict_call_is_planned_once():
    clear_cache()
    x = np.ones((3, 3))
    for _ in range(5):
        einsum("ij,jk->ik", x, x, strict=True)
    assert (cache_info().misses, cache_info().hits) == (1, 4)


def test_strict_goes_with_dtype_out_and_hints():
    x, out = np.ones((3, 3), "float32"), np.zeros((3, 3))
    assert einsum("ij,jk->ik", x, x, dtype="float64", out=out, strict=True) is out
    assert out.tolist() == [[3] * 3] * 3
    with pytest.raises(OperandError):
        einsum("ij,jk->ik", x, x[:1], out=out, hints={"i": 3}, strict=True)
    assert out.tolist() == [[3] * 3] * 3


# --- plans ----------------------------------------------------------------------------------------


def any_batch() -> Plan:
    return einsum_plan("bij,bjk->bik", (None, 2, 3), (None, 3, 4), strict=True)


@pytest.mark.parametrize(
    "through",
    [
        lambda plan: plan,
        lambda plan: pickle.loads(pickle.dumps(plan)),
        lambda plan: Plan.from_dict(json.loads(json.dumps(plan.to_dict()))),
    ],
    ids=["made", "pickled", "as data"],
)
def test_a_strict_plan_refuses_operands_that_broadcast(framework, through):
    plan = through(any_batch())
    assert plan.strict
    one, five, other = (framework.tensor(x) for x in arrays([(1, 2, 3), (5, 2, 3), (5, 3, 4)]))
    expected = np.matmul(*arrays([(5, 2, 3), (5, 3, 4)]))
    np.testing.assert_allclose(framework.numpy(plan(five, other)), expected)
    with pytest.raises(OperandError, match=r"strict: label 'b' is 1 in operand 0 but 5 in operand 1"):
        plan(one, other)
    assert einsum_plan("bij,bjk->bik", (None, 2, 3), (None, 3, 4))(one, other).shape[0] == 5


def test_a_strict_plan_refuses_where_one_size_was_known():
    plan = einsum_plan("ij,jk->ik", (2, None), (3, 4), strict=True)
    with pytest.raises(OperandError, match=r"strict: label 'j' is 1"):
        plan(np.ones((2, 1)), np.ones((3, 4)))


UNKNOWN = [
    # equation, planned shapes, shapes that fit, shapes that broadcast, headline
    ("ij,jk->ik", [(None, None)] * 2, [(2, 3), (3, 4)], [(2, 1), (3, 4)], "label 'j' is 1 in operand 0"),
    ("ij,jk->ik", [(2, None), (None, 4)], [(2, 3), (3, 4)], [(2, 3), (1, 4)], "label 'j' is 1 in operand 1"),
    ("ij,jk->ik", [(2, None), (3, 4)], [(2, 3), (3, 4)], [(2, 1), (3, 4)], "label 'j' is 1 in operand 0"),
    ("bi,bi->b", [(None, 3), (5, 3)], [(5, 3), (5, 3)], [(1, 3), (5, 3)], "label 'b' is 1 in operand 0"),
    ("i,i,i->i", [(None,)] * 3, [(4,)] * 3, [(4,), (4,), (1,)], "label 'i' is 1 in operand 2 but 4"),
    ("i,i,i->i", [(4,), (None,), (4,)], [(4,)] * 3, [(4,), (1,), (4,)], "label 'i' is 1 in operand 1 but 4"),
    ("...i,i->...i", [(None, 3), (None,)], [(2, 3), (3,)], [(2, 3), (1,)], "label 'i' is 1 in operand 1"),
    ("...i,...i->...i", [(None, 3)] * 2, [(4, 3)] * 2, [(4, 3), (1, 3)], "axis -1 of '...' is 1 in"),
    ("i,i->i", [(None,)] * 2, [(0,)] * 2, [(1,), (0,)], "label 'i' is 1 in operand 0 but 0 in operand 1"),
]  # fmt: skip


@pytest.mark.parametrize(("equation", "planned", "fits", "broadcasts", "says"), UNKNOWN)
def test_a_strict_plan_for_unknown_sizes_runs_what_fits_and_refuses_what_broadcasts(
    framework, equation, planned, fits, broadcasts, says
):
    plan, lenient = (einsum_plan(equation, *planned, strict=strict) for strict in (True, False))
    result = plan(*map(framework.tensor, arrays(fits)))
    np.testing.assert_allclose(framework.numpy(result), np.einsum(equation, *arrays(fits)))
    operands = [framework.tensor(x) for x in arrays(broadcasts)]
    for _ in range(2):  # found in a cache or not
        with pytest.raises(OperandError, match=re.escape(f"strict: {says}")):
            plan(*operands)
    np.testing.assert_allclose(framework.numpy(lenient(*operands)), np.einsum(equation, *arrays(broadcasts)))


@pytest.mark.parametrize("dtype", ["float32", "complex64"])
def test_a_strict_plan_is_strict_with_operands_of_another_dtype(framework, dtype: str):
    plan = einsum_plan("ij,jk->ik", (None, None), (None, None), strict=True)
    one, other = (framework.tensor(x, dtype) for x in arrays([(2, 1), (3, 4)]))
    with pytest.raises(OperandError, match="strict: label 'j' is 1 in operand 0 but 3 in operand 1"):
        plan(one, other)


@pytest.mark.parametrize(("equation", "shapes", "rule", "headline"), REFUSED)
def test_einsum_plan_refuses_the_same_from_shapes(equation, shapes, rule, headline):
    with pytest.raises((EquationError, OperandError)) as caught:
        einsum_plan(equation, *shapes, strict=True)
    assert headline in str(caught.value)


def test_data_of_a_plan_says_whether_it_is_strict():
    data = any_batch().to_dict()
    assert data["strict"] is True
    with pytest.raises(EinsumError, match="1 in 'strict' is neither true nor false"):
        Plan.from_dict({**data, "strict": 1})


# --- graphs and special tensors -------------------------------------------------------------------


def test_strict_holds_while_a_graph_is_traced(tf):
    @tf.function
    def lone(x):
        return einsum("ij->i", x, strict=True)

    @tf.function
    def product(x, y):
        return einsum("ij,jk->ik", x, y, strict=True)

    with pytest.raises(EquationError, match="no lone sums"):
        lone(tf.ones((2, 3)))
    assert product(tf.ones((2, 3)), tf.ones((3, 4))).numpy().tolist() == [[3] * 4] * 2


def test_strict_holds_under_torch_compile(torch):
    def product(x, y):
        return einsum("ij,jk->ik", x, y, strict=True)

    compiled = torch.compile(product, fullgraph=True, backend="eager")
    assert compiled(torch.ones(2, 3), torch.ones(3, 4)).tolist() == [[3] * 4] * 2
    with pytest.raises(Exception, match="no broadcasting"):
        compiled(torch.ones(2, 1), torch.ones(3, 4))


def test_strict_holds_for_what_only_the_framework_can_contract(torch):
    x = torch.eye(3).to_sparse()
    assert einsum("ij,jk->ik", x, torch.ones(3, 2), strict=True).shape == (3, 2)
    with pytest.raises(EquationError, match="explicit output"):
        einsum("ij,jk", x, torch.ones(3, 2), strict=True)


def test_strict_holds_under_torch_compile_once_sizes_are_dynamic(torch):
    def product(x, y):
        return einsum("ij,jk->ik", x, y, strict=True)

    compiled = torch.compile(product, fullgraph=True, backend="aot_eager")
    for m, n in ((2, 3), (5, 6), (7, 8)):
        assert compiled(torch.ones(m, n), torch.ones(n, 4)).tolist() == [[n] * 4] * m
    with pytest.raises(Exception, match="no broadcasting"):
        compiled(torch.ones(5, 6), torch.ones(1, 4))


@pytest.mark.parametrize("strict", ["no", 1, None, np.ones(2)])
def test_a_value_of_strict_other_than_true_or_false_is_refused(strict):
    for call in (
        lambda: einsum("i->i", np.ones(2), strict=strict),
        lambda: einsum_plan("i->i", (2,), strict=strict),
    ):
        with pytest.raises(TypeError, match="is neither True nor False"):
            call()


def test_numpys_bools_will_do():
    with pytest.raises(EquationError):
        einsum("ij", np.ones((2, 3)), strict=np.True_)
    assert einsum("ij", np.ones((2, 3)), strict=np.False_).shape == (2, 3)


def test_the_note_on_a_long_equation_is_short():
    with pytest.raises(EquationError) as caught:
        einsum(",".join(["ab"] * 500), *[np.ones((1, 1))] * 500, strict=True)
    assert len(str(caught.value)) < 400
