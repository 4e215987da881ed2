"""The public functions: `einsum`, `einsum_plan`, `einsum_path`, `register_backend`."""

from __future__ import annotations

import numpy as np
import pytest

import einsum_unified
from einsum_unified import (
    EinsumError,
    EquationError,
    OperandError,
    OperandTypeError,
    PathError,
    Plan,
    einsum,
    einsum_path,
    einsum_plan,
)

A, B, C = (np.arange(float(m * n)).reshape(m, n) % 7 for m, n in ((2, 3), (3, 4), (4, 5)))


# --- einsum ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        lambda a, b: einsum("ij,jk->ik", a, b),
        lambda a, b: einsum("ij,jk", a, b),
        lambda a, b: einsum(b" ij , jk ", a, b),
        lambda a, b: einsum("ij,jk->ik", [a, b]),
        lambda a, b: einsum("ij,jk->ik", (a, b)),
        lambda a, b: einsum(a, [0, 1], b, [1, 2], [0, 2]),
        lambda a, b: einsum(a, [0, 1], b, [1, 2]),
        lambda a, b: einsum(a, ("i", "j"), b, ("j", "k"), ("i", "k")),
        lambda a, b: einsum("ij,jk->ik", a, b, optimize=["einsum_path", (0, 1)]),
        lambda a, b: einsum("ij,jk->ik", a, b, dtype="float64"),
    ],
)
def test_every_form_of_a_call_gives_the_product(framework, call):
    result = call(framework.tensor(A), framework.tensor(B))
    assert (framework.numpy(result) == A @ B).all()


def test_a_result_without_axes_is_a_scalar_of_numpys():
    result = einsum("ij,ij->", A, A)
    assert isinstance(result, np.float64)
    assert result == (A * A).sum()


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_dtype_sets_what_is_computed_in_and_returned(framework, dtype: str):
    x = framework.tensor(np.full((2, 100), 100), "int8")
    result = einsum("ij->i", x, dtype=dtype)
    assert framework.dtype(result) == dtype
    assert (framework.numpy(result) == 10_000).all()


def test_dtype_may_be_the_frameworks_own_object(torch, tf):
    assert einsum("i->", torch.ones(3, dtype=torch.int8), dtype=torch.float32).dtype is torch.float32
    assert einsum("i->", tf.ones(3, tf.int8), dtype=tf.float32).dtype is tf.float32
    assert einsum("i->", np.ones(3, "int8"), dtype=np.dtype("float32")).dtype == np.float32


def test_out_is_filled_and_returned(torch):
    out = np.full((2, 4), 9.0)
    assert einsum("ij,jk->ik", A, B, out=out) is out
    assert (out == A @ B).all()
    tensor = torch.zeros((2, 4), dtype=torch.float64)
    assert einsum("ij,jk->ik", torch.tensor(A), torch.tensor(B), out=tensor) is tensor
    assert (tensor.numpy() == A @ B).all()


def test_out_may_overlap_the_operands():
    x = np.arange(9.0).reshape(3, 3)
    want = x.T @ x
    assert einsum("ki,kj->ij", x, x, out=x) is x
    assert (x == want).all()
    y = np.arange(9.0).reshape(3, 3)
    einsum("ij->ji", y, out=y)
    assert (y == np.arange(9.0).reshape(3, 3).T).all()


@pytest.mark.parametrize(
    ("out", "error", "text"),
    [
        (np.zeros((4, 2)), OperandError, "out= has shape (4, 2) but the result has shape (2, 4)"),
        (np.zeros((2, 4), "f4"), OperandTypeError, "out= has dtype float32 but the result has dtype float64"),
        ([[0.0] * 4] * 2, OperandTypeError, "out= is a list but the result is a tensor of numpy"),
    ],
)
def test_an_out_that_does_not_fit_is_left_as_it_was(out, error, text: str):
    before = np.array(out)
    with pytest.raises(error) as caught:
        einsum("ij,jk->ik", A, B, out=out)
    assert str(caught.value) == text
    assert (np.array(out) == before).all()


def test_an_out_of_another_framework_is_refused(torch):
    with pytest.raises(
        OperandTypeError, match=r"^out= is a torch Tensor but the result is a tensor of numpy$"
    ):
        einsum("ij,jk->ik", A, B, out=torch.zeros((2, 4)))
    with pytest.raises(
        OperandTypeError, match=r"^out= is a numpy ndarray but the result is a tensor of torch$"
    ):
        einsum("ij->ji", torch.tensor(A), out=np.zeros((3, 2)))


def test_immutable_tensors_take_no_out(tf):
    with pytest.raises(OperandTypeError, match="out= cannot be filled: tensorflow tensors are immutable"):
        einsum("ij->ji", tf.constant(A), out=tf.zeros((3, 2), tf.float64))


@pytest.mark.parametrize(
    ("function", "known"),
    [
        (einsum, "optimize, dtype, out, hints, strict"),
        (einsum_plan, "optimize, dtype, hints, strict"),
        (einsum_path, "optimize, hints"),
    ],
)
def test_an_unknown_keyword_is_a_type_error(function, known: str):
    with pytest.raises(TypeError) as caught:
        function("ij->ji", A, casting="safe")
    name = function.__name__
    assert str(caught.value) == f"{name}() got an unknown keyword 'casting'; known: {known}"
    assert not isinstance(caught.value, EinsumError)


@pytest.mark.parametrize("function", [einsum, einsum_plan, einsum_path])
@pytest.mark.parametrize(
    ("error", "arguments", "options"),
    [
        (EquationError, ("ij->z", A), {}),
        (OperandError, ("ij,jk->ik", A, A), {}),
        (OperandTypeError, ("i,i->", np.ones(1), np.array(["a"])), {}),
        (PathError, ("ij->ji", A), {"optimize": "fastest"}),
    ],
)
def test_the_functions_raise_the_same_errors(function, error, arguments, options):
    with pytest.raises(error) as caught:
        function(*arguments, **options)
    assert isinstance(caught.value, ValueError)


# --- einsum_plan ----------------------------------------------------------------------------------


def test_a_plan_is_made_of_shapes_alone():
    plan = einsum_plan("ij,jk,kl->il", (2, 3), (3, 4), (4, 5))
    assert isinstance(plan, Plan)
    assert (plan(A, B, C) == A @ B @ C).all()
    assert plan.bound.dtype == "float64"


@pytest.mark.parametrize("dtype", ["float32", np.int8, "bfloat16", "complex64", bool])
def test_shapes_alone_are_planned_in_the_dtype_asked_for(dtype):
    plan = einsum_plan("i->", (3,), dtype=dtype)
    assert plan.bound.dtype == plan.bound.operands[0].dtype == einsum_unified.dtypes.name_of(dtype)
    assert (plan.path, plan.flops) == (((0,),), 3)


def test_a_dtype_that_numpy_lacks_is_an_error_for_shapes_alone():
    with pytest.raises(OperandTypeError, match="is not a dtype that numpy can compute with"):
        einsum_plan("i->", (3,), dtype="float24")


def test_shapes_beside_operands_are_planned_like_these(framework):
    plan = einsum_plan("ij,jk,->ik", (2, 3), framework.tensor(B, "float32"), ())
    assert plan.backend.name == framework.name
    assert [x.dtype for x in plan.bound.operands] == ["float32"] * 3


def test_a_plan_is_made_of_operands_numbers_and_lists(framework):
    plan = einsum_plan("ij,,j->i", framework.tensor(A), 2.0, [1, 0, 0])
    result = plan(framework.tensor(A), 3.0, [0, 1, 0])
    assert (framework.numpy(result) == 3 * A[:, 1]).all()


def test_a_plan_is_made_of_the_interleaved_form_and_of_a_list():
    assert einsum_plan((2, 3), [0, 1], (3, 4), [1, 2]).bound.output == (0, 2)
    assert einsum_plan("ij,jk", [(2, 3), (3, 4)]).bound.sizes == (2, 3, 4)
    assert einsum_plan("ij,jk", ((2, 3), (3, 4))).bound.sizes == (2, 3, 4)


def test_sizes_may_be_numpys_integers():
    assert einsum_plan("ij->", (np.int64(2), np.uint8(3))).bound.sizes == (2, 3)


def test_a_negative_size_is_an_error():
    with pytest.raises(OperandError, match=r"^operand 1: the shape \(3, -1\) has a negative size$"):
        einsum_plan("i,ij->j", (3,), (3, -1))


def test_the_same_plan_comes_from_the_cache():
    one, other = (einsum_plan("ij,jk", (2, 3), (3, 4)) for _ in range(2))
    assert one.executable is other.executable


def test_no_plan_is_made_of_what_only_the_framework_contracts(tf):
    ragged = tf.ragged.constant([[1.0, 2.0], [3.0]])
    with pytest.raises(OperandTypeError, match=r"^operands of these types cannot be planned: RaggedTensor$"):
        einsum_plan("ij->ji", ragged)


# --- einsum_path ----------------------------------------------------------------------------------


@pytest.mark.parametrize("optimize", ["greedy", "optimal", False, True])
@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 5)]),
        ("ij,jk->ik", [(2, 3), (3, 4)]),
        ("ea,fb,abcd,gc,hd->efgh", [(4, 4), (4, 4), (4, 4, 4, 4), (4, 4), (4, 4)]),
    ],
)
def test_a_path_contracts_to_numpys_result(framework, text: str, shapes: list, optimize):
    arrays = [np.arange(float(np.prod(s))).reshape(s) % 3 for s in shapes]
    tensors = [framework.tensor(x) for x in arrays]
    path, summary = einsum_path(text, *tensors, optimize=optimize)
    assert path[0] == "einsum_path"
    assert summary.startswith(f"  Complete contraction:  {text}\n")
    want = np.einsum(text, *arrays, optimize=False)
    assert (framework.numpy(einsum(text, *tensors, optimize=path)) == want).all()
    assert (np.einsum(text, *arrays, optimize=path) == want).all()  # NumPy takes our path


@pytest.mark.parametrize("text", ["ij,jk,kl->il", "ij,jk,kl"])
def test_a_path_is_found_of_shapes_too(text: str):
    shapes = [(10, 2), (2, 30), (30, 4)]
    arrays = [np.ones(shape) for shape in shapes]
    assert einsum_path(text, *shapes) == einsum_path(text, *arrays)
    assert einsum_path(text, *shapes)[0] == np.einsum_path(text, *arrays)[0]


def test_the_default_is_greedy_as_numpys():
    shapes = [(2, 3), (3, 4), (4, 5)]
    assert einsum_path("ij,jk,kl", *shapes) == einsum_path("ij,jk,kl", *shapes, optimize="greedy")


def test_the_summary_has_the_figures_counted_by_hand():
    _, summary = einsum_path("ij,jk,kl", (10, 2), (2, 30), (30, 4), optimize=[(0, 1), (0, 1)])
    lines = summary.splitlines()
    naive, first, second = 10 * 2 * 30 * 4 * 3, 2 * 10 * 2 * 30, 2 * 10 * 30 * 4
    assert lines[:7] == [
        "  Complete contraction:  ij,jk,kl->il",
        "         Naive scaling:  4",
        "     Optimized scaling:  3",
        f"      Naive FLOP count:  {naive:.3e}",
        f"  Optimized FLOP count:  {first + second:.3e}",
        f"   Theoretical speedup:  {naive / (first + second):.3f}",
        f"  Largest intermediate:  {10 * 30:.3e} elements",
    ]
    assert lines[8].split() == ["scaling", "operands", "contraction", "FLOPs", "elements"]
    assert lines[10].split() == ["3", "(0,", "1)", "ij,jk->ik", "1.2e+03", "3.0e+02"]
    assert lines[11].split() == ["3", "(0,", "1)", "kl,ik->il", "2.4e+03", "4.0e+01"]
    assert len(lines) == 12


def test_the_summary_of_a_view_has_a_speedup_of_one():
    _, summary = einsum_path("ij->ji", (2, 3))
    assert "   Theoretical speedup:  1.000\n" in summary


def test_the_summary_of_sublists_spells_the_output_out():
    _, summary = einsum_path((2, 3), ["row", 0], (3, 4), [0, "column"], ["column", "row"])
    assert (
        summary.splitlines()[0] == "  Complete contraction:  ['row', 0], [0, 'column'] -> ['column', 'row']"
    )
    _, summary = einsum_path((2, 3), [1, 0], (3, 4), [0, 2])
    assert summary.splitlines()[0] == "  Complete contraction:  [1, 0], [0, 2] -> [1, 2]"


def test_a_path_is_a_list_of_tuples_that_optimize_takes():
    path, _ = einsum_path("i,i,i,i->", *[(3,)] * 4, optimize=("optimal", None))
    assert isinstance(path, list)
    assert all(isinstance(step, tuple) for step in path[1:])
    x = np.arange(3.0)
    assert einsum("i,i,i,i->", x, x, x, x, optimize=path) == (x**4).sum()


# --- special operands on the slow way -------------------------------------------------------------


def test_dtype_and_out_go_with_dense_tensors_only(tf):
    ragged = tf.ragged.constant([[1.0, 2.0], [3.0]])
    with pytest.raises(
        OperandTypeError,
        match=r"^operand 0 is a ragged tensorflow RaggedTensor, "
        r"which cannot be combined with dtype= or out=\n",
    ):
        einsum("ij->ji", ragged, dtype="float32")


def test_a_wrong_count_is_told_also_beside_a_sparse_tensor(tf):
    sparse = tf.sparse.from_dense([[1.0, 0.0]])
    with pytest.raises(OperandError, match="the equation has 2 terms but 1 operand was given"):
        einsum("ij,jk->ik", sparse)
    with pytest.raises(OperandTypeError, match=r"make it dense first: tf.sparse.to_dense\(x\)"):
        einsum("ij->ji", sparse)


@pytest.mark.parametrize("text", ["ij,kl->ijkl", "ij,jk->ijk"])
def test_a_sparse_tensor_that_torch_cannot_contract_names_the_way_out(torch, text: str):
    operands = [torch.eye(2).to_sparse()] + [torch.eye(2)] * (text.count(","))
    with pytest.raises(OperandTypeError) as caught:
        einsum(text, *operands)
    assert str(caught.value) == (
        "operand 0 is a sparse torch Tensor, which torch cannot contract\n  make it dense first: x.to_dense()"
    )


def test_an_error_of_the_framework_itself_comes_through(torch):
    class Broken:
        @classmethod
        def __torch_function__(cls, function, types, args=(), kwargs=None):
            raise KeyError(function.__name__)

    with pytest.raises(KeyError, match="einsum"):
        einsum("i,i->", Broken(), torch.ones(2))
