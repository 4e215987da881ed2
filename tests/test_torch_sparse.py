"""Sparse tensors of torch, of every layout: contracted from their stored elements, or refused by name."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from conftest import installed_module

from einsum_unified import OperandTypeError, einsum, einsum_plan

RNG = np.random.default_rng(0)
SIZES = {"i": 4, "j": 6, "k": 2, "l": 8, "b": 4}

pytestmark = pytest.mark.filterwarnings("ignore:Sparse .* tensor support is in beta:UserWarning")


@pytest.fixture
def torch():
    return installed_module("torch")


def thin(*shape: int, density: float = 0.5) -> np.ndarray:
    return np.where(RNG.random(shape) < density, RNG.integers(1, 5, shape), 0).astype(float)


def laid_out(torch, array: np.ndarray, layout: str):
    x = torch.tensor(array)
    return {
        "coo": x.to_sparse,
        "csr": x.to_sparse_csr,
        "csc": x.to_sparse_csc,
        "bsr": lambda: x.to_sparse_bsr((2, 2)),
    }[layout]()


def arrays_for(equation: str) -> list[np.ndarray]:
    terms = equation.partition("->")[0].split(",")
    return [thin(*[4 if len(set(term)) < len(term) else SIZES[n] for n in term]) for term in terms]


def dense(x) -> np.ndarray:
    return x.to_dense().numpy()


def outcome(*arguments):
    """The result, or the error that refuses operands."""
    try:
        return einsum(*arguments)
    except OperandTypeError as error:
        return error


MATRICES = ["ij,j->i", "ij,i->j", "j,ij->i", "ij,jk->ik", "ij,kj->ik", "ij,ik->jk", "ki,ij->kj",
            "ij,ij->", "ij,ij->ij", "ij,ij->ji", "ij,ij->i", "ij->", "ij->i", "ij->j", "ij->ji", "ij->ij",
            "ii->i", "ii->", "ij,i->ij", "ij,j->ij", "ij,->ij", "ij,jk,kl->il", "ij,j,i->", "ij,i,j->ij",
            "i,j,ij->ij"]  # fmt: skip
BATCHES = ["bij,bjk->bik", "bij,bj->bi", "bij,bkj->bik", "bij,bi->bij", "bij,bij->b", "bij->bi", "bij->jb",
           "bij,jk->bik", "ij,bjk->bik", "bij,ij->b", "bij,b->ij", "iij->j"]  # fmt: skip


def sparse_operands(torch, equation: str, arrays, layout: str, every: bool) -> list:
    terms = equation.partition("->")[0].split(",")
    longest = max(map(len, terms))
    first = next(n for n, term in enumerate(terms) if len(term) == longest)
    least = 1 if layout == "coo" else 2
    return [
        laid_out(torch, array, layout)
        if n == first or (every and len(term) >= least)
        else torch.tensor(array)
        for n, (term, array) in enumerate(zip(terms, arrays, strict=True))
    ]


@pytest.mark.parametrize("every", [False, True], ids=["one", "all"])
@pytest.mark.parametrize("layout", ["coo", "csr", "csc", "bsr"])
@pytest.mark.parametrize("equation", MATRICES)
def test_matrices_of_every_layout_are_contracted(torch, equation, layout, every):
    """Since torch 1.0 `torch.einsum` refuses sparse operands (pytorch/pytorch#16070)."""
    arrays = arrays_for(equation)
    result = einsum(equation, *sparse_operands(torch, equation, arrays, layout, every))
    np.testing.assert_array_equal(dense(result), np.einsum(equation, *arrays))
    assert result.dtype is torch.float64


@pytest.mark.parametrize("every", [False, True], ids=["one", "all"])
@pytest.mark.parametrize("equation", BATCHES)
def test_batches_of_sparse_matrices_are_contracted(torch, equation, every):
    """Batched products of two sparse operands: pytorch/pytorch#72065."""
    arrays = arrays_for(equation)
    result = einsum(equation, *sparse_operands(torch, equation, arrays, "coo", every))
    np.testing.assert_array_equal(dense(result), np.einsum(equation, *arrays))


def test_a_batch_of_csr_matrices_is_contracted(torch):
    array = np.zeros((3, 4, 6))
    for matrix in array:  # CSR wants as many elements in each matrix of a batch
        matrix.reshape(-1)[RNG.permutation(24)[:10]] = RNG.integers(1, 5, 10)
    x, b = torch.tensor(array).to_sparse_csr(), thin(3, 6, 2)
    result = einsum("bij,bjk->bik", x, torch.tensor(b))
    np.testing.assert_array_equal(dense(result), array @ b)
    np.testing.assert_array_equal(dense(einsum("bij->ib", x)), array.sum(2).T)


@pytest.mark.parametrize("seed", range(4))
def test_random_equations_are_right_or_refused(torch, seed):
    """`torch.mul` drops elements where a sparse operand broadcasts: pytorch/pytorch#188900."""
    rng = np.random.default_rng(seed)
    refused = 0
    for _ in range(60):
        sizes = dict(zip("abcd", rng.choice([0, 1, 2, 3, 4], 4, p=[0.03, 0.1, 0.3, 0.3, 0.27]), strict=True))
        terms = ["".join(rng.choice(list("abcd"), rng.integers(1, 4))) for _ in range(rng.integers(1, 4))]
        known = sorted(set("".join(terms)))
        output = "".join(rng.permutation(known)[: rng.integers(0, len(known) + 1)])
        dtype = rng.choice(["float64", "float32", "int64", "int8", "bool"])
        arrays = [(rng.integers(0, 3, [sizes[n] for n in term]) % 2).astype(dtype) for term in terms]
        layouts = [rng.choice(["coo", "csr", "csc"] if len(term) == 2 else ["coo"]) for term in terms]
        operands = [
            laid_out(torch, array, layout) if rng.random() < 0.6 else torch.tensor(array)
            for array, layout in zip(arrays, layouts, strict=True)
        ]
        equation = ",".join(terms) + "->" + output
        result = outcome(equation, *operands)
        if isinstance(result, OperandTypeError):
            assert "make it dense first: x.to_dense()" in str(result)
            assert any(x.layout is torch.strided for x in operands)
            refused += 1
            continue
        want = np.einsum(equation, *[array.astype(int) for array in arrays])
        np.testing.assert_array_equal(dense(result), want.astype(dtype), err_msg=equation)
        assert str(result.dtype) == f"torch.{dtype}"
    assert refused < 15


@pytest.mark.parametrize("equation", ["i,j->ij", "ij,k->ijk", "ij,jk->ijk", "bij,bk->bijk"])
def test_an_outer_product_with_a_dense_tensor_names_the_way_out(torch, equation):
    """`torch.einsum` gives wrong values: pytorch/pytorch#188900, pytorch/pytorch#116633."""
    a, b = arrays_for(equation)
    with pytest.raises(OperandTypeError) as caught:
        einsum(equation, laid_out(torch, a, "coo"), torch.tensor(b))
    assert str(caught.value) == (
        "operand 0 is a sparse torch Tensor, which torch cannot contract\n  make it dense first: x.to_dense()"
    )
    both = einsum(equation, laid_out(torch, a, "coo"), laid_out(torch, b, "coo"))
    np.testing.assert_array_equal(dense(both), np.einsum(equation, a, b))


def test_what_is_sparse_stays_sparse_and_sums_with_dense_tensors_are_dense(torch):
    x, y = thin(4, 6), thin(4, 6)
    for layout, kind in itertools.product(["csr", "csc", "coo"], ["same", "dense"]):
        a = laid_out(torch, x, layout)
        b = laid_out(torch, y, layout) if kind == "same" else torch.tensor(y)
        assert einsum("ij,ij->ij", a, b).layout is a.layout
        assert einsum("ij->ji", a).layout is a.layout
        assert einsum("ij,ij->i", a, b).layout is (torch.sparse_coo if kind == "same" else torch.strided)
        assert einsum("ij,ij->", a, b).layout is torch.strided
        assert einsum("ij->i", a).layout is torch.sparse_coo
    assert einsum("ij->ji", laid_out(torch, x, "bsr")).layout is torch.sparse_coo


def test_nothing_of_the_size_of_all_elements_is_made(torch):
    size = 10**6
    indices = torch.tensor(RNG.integers(0, size, (2, 500)))
    ones = torch.ones(500, dtype=torch.float64)
    x = torch.sparse_coo_tensor(indices, ones, (size, size), check_invariants=True).coalesce()
    u = torch.arange(1.0, size + 1, dtype=torch.float64)
    i, j = x.indices()
    for equation, operands, want in (
        ("ij,ij->ij", (x, x), x.values() ** 2),
        ("ij,i->ij", (x, u), x.values() * u[i]),
        ("ij,i,j->ij", (x, u, u), x.values() * (u[i] * u[j])),
    ):
        result = einsum(equation, *operands).coalesce()
        assert torch.equal(result.indices(), x.indices())
        torch.testing.assert_close(result.values(), want)
    assert einsum("ij,kj->ik", x, x)._nnz() >= 500
    assert math.isclose(einsum("ij,ij->", x, x), float((x.values() ** 2).sum()))


# --- gradients ------------------------------------------------------------------------------------------


DIFFERENTIATED = ["ij,j->i", "ij,i->j", "ij,jk->ik", "ij,ik->jk", "ij,ij->", "ij,ij->ij", "ij,ij->i", "ij->",
                  "ij->i", "ij->ji", "ij,i->ij", "ij,j->ij", "ij,i,j->ij", "bij,bjk->bik", "bij,bj->bi",
                  "ii->i"]  # fmt: skip
CSR_DIFFERENTIATED = ["ij,j->i", "ij,ik->jk", "ij,ij->", "ij,ij->ij", "ij->i", "ij->ji", "ij,i->ij"]


@pytest.mark.parametrize("every", [False, True], ids=["one", "all"])
@pytest.mark.parametrize("equation", DIFFERENTIATED)
def test_gradients_are_those_of_dense_tensors(torch, equation, every):
    """Those of `torch.mul` with a dense operand that broadcasts, and of `torch.sum`, fail for COO."""
    arrays = arrays_for(equation)
    operands = [x.requires_grad_() for x in sparse_operands(torch, equation, arrays, "coo", every)]
    plain = [torch.tensor(array, requires_grad=True) for array in arrays]
    weights = torch.tensor(RNG.random(np.einsum(equation, *arrays).shape))
    result = einsum(equation, *operands)
    ((result.to_dense() if result.layout is not torch.strided else result) * weights).sum().backward()
    (einsum(equation, *plain) * weights).sum().backward()
    for x, y, array in zip(operands, plain, arrays, strict=True):
        found = x.grad.to_dense() if x.grad.layout is not torch.strided else x.grad
        stored = array != 0 if x.layout is not torch.strided else np.ones_like(array, bool)
        np.testing.assert_allclose(found.numpy()[stored], y.grad.numpy()[stored], rtol=1e-12)


@pytest.mark.parametrize("equation", CSR_DIFFERENTIATED)
def test_csr_has_gradients_too(torch, equation):
    arrays = arrays_for(equation)
    operands = [x.requires_grad_() for x in sparse_operands(torch, equation, arrays, "csr", False)]
    plain = [torch.tensor(array, requires_grad=True) for array in arrays]
    result = einsum(equation, *operands)
    (result.to_dense() if result.layout is not torch.strided else result).sum().backward()
    einsum(equation, *plain).sum().backward()
    for x, y, array in zip(operands, plain, arrays, strict=True):
        found = x.grad.to_dense() if x.grad.layout is not torch.strided else x.grad
        stored = array != 0 if x.layout is not torch.strided else np.ones_like(array, bool)
        np.testing.assert_allclose(found.numpy()[stored], y.grad.numpy()[stored], rtol=1e-12)


# --- dtypes and options ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["int8", "int32", "bool"])
def test_sums_keep_the_dtype_and_wrap(torch, dtype):
    array = np.ones((300, 2), dtype)
    x = laid_out(torch, array, "coo")
    for equation, count in (("ij->", 600), ("ij->j", 300), ("ij,ij->", 600), ("ij,ij->j", 300)):
        result = einsum(equation, *[x] * (1 + equation.count(",")))
        assert str(result.dtype) == f"torch.{dtype}"
        assert (dense(result) == np.array(count).astype(dtype)).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_halves_are_added_up_in_more_than_halves(torch, dtype):
    x = torch.ones(1, 4096, dtype=getattr(torch, dtype))
    for operands in ((x.to_sparse(), x), (x.to_sparse(), x.to_sparse())):
        for equation in ("ij,ij->", "ij,ij->i"):
            result = einsum(equation, *operands)
            assert str(result.dtype) == f"torch.{dtype}"
            assert result.to_dense().item() == 4096  # in halves it sticks at 2048


def test_promotion_numbers_and_arrays_are_as_beside_dense_tensors(torch):
    array = thin(4, 6)
    x = torch.tensor(array, dtype=torch.float32).to_sparse()
    result = einsum("ij,ij->", x, array)
    assert result.dtype is torch.float64
    assert result.item() == (array**2).sum()
    assert einsum("ij,ij,->i", x, x, 2).dtype is torch.float32
    asked = einsum("ij,ij->i", x, x, dtype="float64")
    assert asked.dtype is torch.float64
    np.testing.assert_array_equal(dense(asked), (array**2).sum(1))
    other = thin(1, 6)  # size 1 broadcasts
    np.testing.assert_array_equal(
        dense(einsum("ij,ij->ij", x, torch.tensor(other))), np.einsum("ij,kj->ij", array, other)
    )
    np.testing.assert_array_equal(dense(einsum("i...,i...->...", x, x)), (array**2).sum(0))


def test_out_takes_a_dense_result_only(torch):
    array = thin(4, 6)
    x, out = torch.tensor(array).to_sparse(), torch.full((4, 6), -1.0, dtype=torch.float64)
    with pytest.raises(OperandTypeError, match=r"^out= is dense but the result is a sparse torch Tensor$"):
        einsum("ij,ij->ij", x, x, out=out)
    assert (out == -1).all()
    total = torch.zeros(4, dtype=torch.float64)
    assert einsum("ij,ij->i", x, torch.tensor(array), out=total) is total
    np.testing.assert_array_equal(total, (array**2).sum(1))


def test_a_plan_runs_on_sparse_tensors(torch):
    array = thin(4, 4)
    plan = einsum_plan("ii->i", torch.tensor(array))
    np.testing.assert_array_equal(dense(plan(laid_out(torch, array, "csr"))), np.diag(array))


def test_a_hybrid_tensor_comes_with_the_call_that_makes_it_dense(torch):
    with pytest.raises(OperandTypeError, match=r"^operand 0 is a sparse torch .*\n.*x.to_dense\(\)$"):
        einsum("ii->", torch.tensor(thin(4, 4)).to_sparse(1))
