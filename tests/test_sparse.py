"""Sparse arrays of pydata/sparse: the result is sparse, nothing is made dense on the way."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from conftest import available, installed_module, slow
from libraries import Sparse, agree_on_random_calls

from einsum_unified import OperandTypeError, cache_info, clear_cache, einsum, einsum_plan
from einsum_unified.planning.stored import estimates, find_sparse_path

RNG = np.random.default_rng(0)
LONG = 10**5


@pytest.fixture
def sparse():
    return installed_module("sparse")


def thin(*shape: int, density: float = 0.3) -> np.ndarray:
    return np.where(RNG.random(shape) < density, RNG.integers(1, 4, shape), 0).astype(float)


@pytest.fixture
def huge(sparse):
    """Two arrays that would take 80 GB if they were dense; many of their elements meet."""
    coords = RNG.integers(0, LONG, (2, 2000))
    coords[1, :100] = coords[0, :100]
    shift = coords.copy()
    shift[1, ::2] = (shift[1, ::2] + 1) % LONG
    return [sparse.COO(c, np.ones(2000), shape=(LONG, LONG)) for c in (coords, shift)]


@pytest.mark.parametrize("examples", [10, slow(40)])
def test_random_calls_agree_with_the_sum_over_all_labels(examples):
    agree_on_random_calls(available(Sparse), examples)


EQUATIONS = [
    ("ij,jk->ik", [(5, 6), (6, 4)]),
    ("ij,jk", [(5, 6), (6, 4)]),
    ("ij,jk->ki", [(5, 6), (6, 4)]),
    ("bij,bjk->bki", [(3, 4, 5), (3, 5, 2)]),
    ("ij,ij->i", [(5, 6), (5, 6)]),
    ("ij,ij->", [(5, 6), (5, 6)]),
    ("i,j->ji", [(5,), (6,)]),
    ("ij->ji", [(5, 6)]),
    ("ij->j", [(5, 6)]),
    ("ij->", [(5, 6)]),
    ("ii->i", [(5, 5)]),
    ("ii", [(5, 5)]),
    ("ij,jk,kl->il", [(5, 6), (6, 4), (4, 3)]),
    ("ij,k->k", [(5, 6), (4,)]),
    ("ij,jk->ik", [(4, 0), (0, 3)]),
]


@pytest.mark.parametrize(("equation", "shapes"), EQUATIONS)
@pytest.mark.parametrize("kind", ["coo", "gcxs", "dok"])
def test_every_format_gives_numpys_values_and_a_sparse_result(sparse, equation, shapes, kind):
    arrays = [thin(*shape) for shape in shapes]
    xs = [sparse.COO.from_numpy(x).asformat(kind) for x in arrays]
    result = einsum(equation, *xs)
    assert isinstance(result, (sparse.COO, sparse.GCXS))
    assert result.fill_value == 0 or not result.ndim  # a number is what its missing elements are
    np.testing.assert_array_equal(result.todense(), np.einsum(equation, *arrays))


def test_formats_go_together_and_products_of_gcxs_stay_so(sparse):
    a, b = thin(5, 6), thin(6, 4)
    x, y = sparse.COO.from_numpy(a), sparse.GCXS.from_numpy(b)
    for one, other in ((x, y), (y.T, x.T)):
        result = einsum("ij,jk->ik", one, other)
        np.testing.assert_array_equal(result.todense(), one.todense() @ other.todense())
    assert isinstance(einsum("ij,jk->ik", sparse.GCXS.from_numpy(a), y), sparse.GCXS)
    assert isinstance(einsum("ij,jk->ik", x, sparse.COO.from_numpy(b)), sparse.COO)


def test_dense_arrays_and_numbers_go_with_sparse_ones(sparse):
    a, b = thin(5, 6), thin(6, 4)
    for operands in ([sparse.COO.from_numpy(a), b, 2], [a, sparse.COO.from_numpy(b), 2.0]):
        result = einsum("ij,jk,->ik", *operands)
        assert isinstance(result, sparse.COO)
        np.testing.assert_array_equal(result.todense(), 2 * a @ b)


@pytest.mark.parametrize(
    ("dtype", "kind"),
    [("int8", "coo"), slow("int8", "gcxs"), slow("uint16", "coo"), ("bool", "coo"), slow("bool", "gcxs"),
     ("float16", "coo"), slow("float32", "gcxs"), slow("complex64", "coo")],
)  # fmt: skip
@pytest.mark.parametrize("equation", ["ij,jk->ik", "ij,ij->i", "ij,ij->", "ij->i", "ij->"])
def test_the_dtype_stays_and_integers_wrap(sparse, equation, kind, dtype):
    x = np.ones((10 if dtype == "float16" else 300, 300), dtype)  # 90000 is too much for that
    x = x if equation != "ij,jk->ik" else np.ones((300, 300), dtype)
    count = x.size if equation.endswith(">") else 300
    y = sparse.COO.from_numpy(x).asformat(kind)
    result = einsum(equation, *[y] * (1 + equation.count(",")))
    assert result.dtype == np.dtype(dtype)
    assert (result.todense() == np.array(count).astype(dtype)).all()


@pytest.mark.parametrize("dtype", ["int64", "uint64"])
def test_the_widest_integers_wrap_too(sparse, dtype):
    x = np.full((3, 2), np.iinfo(dtype).max, dtype)
    for equation in ("ij->j", "ij->", "ij,ij->i"):
        result = einsum(equation, *[sparse.COO.from_numpy(x)] * (1 + equation.count(",")))
        np.testing.assert_array_equal(result.todense(), np.einsum(equation, *[x] * (1 + equation.count(","))))
        assert result.dtype == x.dtype


def test_halves_are_added_up_in_more_than_halves(sparse):
    ones = sparse.COO.from_numpy(np.ones(4096, "float16"))
    assert einsum("i,i->", ones, ones).todense() == 4096  # in halves it sticks at 2048
    assert einsum("i->", ones).dtype == np.float16


# --- nothing is made dense ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "equation",
    ["ij,jk->ik", "ij,kj->ki", "ij,ij->ij", "ij,ij->ji", "ij,ij->i", "ij,ij->", "ij->ji", "ij->i", "ij->",
     "ii->i", "ii"],
)  # fmt: skip
def test_arrays_too_large_to_be_dense_are_contracted(sparse, huge, equation):
    xs = huge[: 1 + equation.count(",")]
    result = einsum(equation, *xs)
    want = sparse.einsum(equation if "->" in equation else f"{equation}->", *xs)
    want = want if want.shape else sparse.COO(np.asarray(want if np.isscalar(want) else want.todense()))
    assert result.shape == want.shape
    assert result.nnz <= want.nnz + 1
    # Arithmetic that needs no array of that size: the sum over everything, weighted by where it stands.
    places = [np.arange(1.0, n + 1) for n in result.shape]
    assert _weighed(result, places) == _weighed(want, places) != 0


def _weighed(x, places) -> float:
    if not x.ndim:
        return float(x.todense())
    return float(sum(x.data * np.prod([p[c] for p, c in zip(places, x.coords, strict=True)], axis=0)))


def test_a_long_batch_is_no_loop_in_python(sparse):
    coords = np.stack([np.arange(LONG), RNG.integers(0, 3, LONG), RNG.integers(0, 3, LONG)])
    x = sparse.COO(coords, np.ones(LONG), shape=(LONG, 3, 3))
    result = einsum("bij,bkj->bik", x, x)  # of each batch's one element: its square on the diagonal
    assert result.nnz == LONG
    assert (result.coords[1] == result.coords[2]).all()
    np.testing.assert_array_equal(einsum("bij,bkj->ik", x, x).todense(), np.diag(np.bincount(coords[1])))


def test_a_product_has_no_elements_that_are_zero_by_structure(sparse):
    a, b = np.diag(np.arange(1.0, 51)), np.diag(np.ones(50))
    assert einsum("ij,jk->ik", *map(sparse.COO.from_numpy, (a, b))).nnz == 50


# --- the order of contraction follows from the stored elements -------------------------------------------


def scattered(sparse, stored: int, *shape: int):
    return sparse.COO(np.stack([RNG.integers(0, n, stored) for n in shape]), np.ones(stored), shape=shape)


@pytest.mark.parametrize("equation", ["ij,i,j->ij", "i,j,ij->ij", "j,ij,i->ji", "i,j,ij->", "i,j,ij->j"])
def test_vectors_scale_a_sparse_matrix_without_their_outer_product(sparse, equation):
    """Dense factors are not multiplied before the sparse operand is: tensorly/tensorly#85."""
    x, u = scattered(sparse, 1000, LONG, LONG), RNG.integers(1, 9, LONG).astype(float)
    terms, output = equation.split("->")
    result = einsum(equation, *[x if len(term) == 2 else u for term in terms.split(",")])
    i, j = x.coords
    want = u[i] * u[j] * x.data
    if len(output) < 2:
        where = j if output else np.zeros_like(j)
        want = np.bincount(where, want, minlength=LONG if output else 1)
        np.testing.assert_array_equal(result.todense(), want if output else want[0])
    else:
        result = result if output == "ij" else result.T
        assert isinstance(result, sparse.COO)
        np.testing.assert_array_equal(result.coords, x.coords)
        np.testing.assert_array_equal(result.data, want)


def test_a_sparse_tensor_meets_its_factor_matrices_one_by_one(sparse):
    """MTTKRP: of three operands the sparse one is in the first product (dgasmith/opt_einsum#113)."""
    x, b, c = scattered(sparse, 2000, 300, 300, 300), RNG.random((300, 16)), RNG.random((300, 16))
    for equation, operands, place in (
        ("abc,bz,cz->az", (x, b, c), 0),
        ("bz,cz,abc->az", (b, c, x), 2),
        ("bz,abc,cz->az", (b, x, c), 1),
    ):
        plan = einsum_plan(equation, *operands)
        assert place in plan.path[0]
        got = plan(*operands).todense()
        i, j, k = x.coords
        want = np.zeros((300, 16))
        np.add.at(want, i, x.data[:, None] * b[j] * c[k])
        np.testing.assert_allclose(got, want, rtol=1e-12)
    assert einsum_plan("bz,cz,abc->az", b, c, x.todense()).path[0] != (0, 2)


def test_a_chain_starts_where_few_elements_are_stored(sparse):
    thick, thin_one = scattered(sparse, 100_000, 1000, 1000), scattered(sparse, 10, 1000, 1000)
    for operands, first in (((thin_one, thick, thick), {0, 1}), ((thick, thick, thin_one), {1, 2})):
        assert {*einsum_plan("ij,jk,kl->il", *operands).path[0]} == first


def test_plans_are_shared_by_operands_of_about_the_same_density(sparse):
    clear_cache()
    operands = [scattered(sparse, n, 100, 100) for n in (100, 90, 110, 120, 95)]
    for x in operands:
        einsum("ij,jk,kl->il", x, x, x)
    assert cache_info().misses == 1
    dense = scattered(sparse, 20_000, 100, 100)
    einsum("ij,jk,kl->il", dense, dense, dense)
    empty = sparse.zeros((100, 100))
    assert einsum("ij,jk,kl->il", empty, empty, empty).nnz == 0
    assert cache_info().misses == 3


def test_a_plan_runs_on_operands_of_any_density(sparse):
    few = [scattered(sparse, 5, 30, 30) for _ in range(3)]
    many = [sparse.COO.from_numpy(thin(30, 30)) for _ in range(3)]
    plan = einsum_plan("ij,jk,kl->il", *few)
    np.testing.assert_array_equal(plan(*many).todense(), np.linalg.multi_dot([x.todense() for x in many]))


def test_asked_for_orders_and_strategies_do_not_depend_on_density(sparse):
    x, u = scattered(sparse, 10, 100, 100), np.ones(100)
    for optimize, path in ((((1, 2), (0, 1)), ((1, 2), (0, 1))), (None, ((0, 1), (0, 1)))):
        plan = einsum_plan("ij,i,j->ij", x, u, u, optimize=optimize)
        assert plan.path == path
        assert "stored" not in plan.explain()
    assert einsum_plan("ij,i,j->ij", (100, 100), (100,), (100,)).path == (
        einsum_plan("ij,i,j->ij", x.todense(), u, u).path
    )
    assert 0 in einsum_plan("ij,i,j->ij", x, (100,), (100,)).path[0]  # shapes count as dense


def test_explain_says_which_densities_chose_the_order(sparse):
    x, u = scattered(sparse, 1000, LONG, LONG), np.ones(LONG)
    text = einsum_plan("ij,i,j->ij", x, u, u).explain()
    assert (
        "  stored: about 1e-7, 1, 1 of the operands' elements; expected multiplications: 1e+03 + 1e+03\n"
        in text
    )


def test_the_expected_elements_are_those_of_evenly_spread_ones(sparse):
    """Arithmetic: 300 × 300 matrices of density 1/100 have 2 700 products of stored elements."""
    sizes, terms = (300, 300, 300), ((0, 1), (1, 2))
    (step,) = estimates(terms, (0, 2), sizes, (2, 2), ((0, 1),))
    a, b = (RNG.random((300, 300)) < 0.01 for _ in range(2))
    products = np.einsum("ij,jk->", a.astype(int), b.astype(int))
    assert step.products == pytest.approx(300**3 * 1e-4)
    assert abs(step.products - products) < 5 * np.sqrt(products) + 600
    stored = np.count_nonzero(a.astype(int) @ b.astype(int))
    assert abs(step.stored - stored) < 0.3 * stored


@pytest.mark.parametrize("seed", range(6))
def test_no_order_is_expected_to_be_cheaper_than_the_one_found(seed):
    rng = np.random.default_rng(seed)
    labels = range(6)
    terms = tuple(tuple(map(int, rng.choice(6, rng.integers(1, 4), replace=False))) for _ in range(4))
    output = tuple(label for label in labels if any(label in term for term in terms) and rng.random() < 0.3)
    sizes = tuple(map(int, rng.integers(2, 1000, 6)))
    densities = tuple(map(int, rng.integers(0, 5, 4)))

    def cost(path) -> float:
        return sum(step.cost for step in estimates(terms, output, sizes, densities, path))

    pairs = [list(combinations(range(n), 2)) for n in (4, 3, 2)]
    least = min(map(cost, product(*pairs)))
    assert cost(find_sparse_path(terms, output, sizes, densities)) <= least * (1 + 1e-9)


def test_many_sparse_operands_are_contracted_from_pair_to_pair(sparse):
    count = 12
    xs = [scattered(sparse, 300, 100, 100) for _ in range(count)]
    letters = "abcdefghijklmnop"
    equation = ",".join(letters[n : n + 2] for n in range(count)) + f"->a{letters[count]}"
    result = einsum(equation, *xs)
    np.testing.assert_allclose(result.todense(), np.linalg.multi_dot([x.todense() for x in xs]), rtol=1e-12)


@pytest.mark.parametrize("kind", ["coo", "gcxs", "dok"])
def test_a_diagonal_keeps_what_its_missing_elements_are(sparse, kind):
    x = sparse.COO.from_numpy(np.arange(18.0).reshape(3, 2, 3), fill_value=4.0).asformat(kind)
    result = einsum("iji->ji", x)
    assert result.fill_value == 4
    np.testing.assert_array_equal(result.todense(), np.einsum("iji->ji", np.arange(18.0).reshape(3, 2, 3)))


# --- what is missing is not 0 -------------------------------------------------------------------------


def test_arrays_whose_missing_elements_are_not_0_are_summed_and_turned(sparse):
    x = sparse.COO.from_numpy(thin(5, 5)) + 1
    assert x.fill_value == 1
    for equation in ("ij->ji", "ij->i", "ij->", "ii->i", "ii->"):
        np.testing.assert_array_equal(einsum(equation, x).todense(), np.einsum(equation, x.todense()))


def test_products_of_them_name_the_call_that_helps(sparse):
    x, b = sparse.COO.from_numpy(thin(5, 5)) + 1, thin(5, 4)
    for equation in ("ij,jk->ik", "ij,ij->ij"):
        with pytest.raises(OperandTypeError) as caught:
            einsum(equation, x, sparse.COO.from_numpy(thin(5, 5)))
        assert str(caught.value) == (
            "operand 0 is a 1.0-filled sparse COO, which sparse cannot contract\n"
            "  make it dense first: x.todense()"
        )
    np.testing.assert_array_equal(
        einsum("ij,jk->ik", x.todense(), sparse.COO.from_numpy(b)).todense(), x.todense() @ b
    )


def test_a_sum_over_everything_goes_into_the_next_product(sparse):
    a, b = thin(5, 6), thin(4)
    x, y = map(sparse.COO.from_numpy, (a, b))
    for total in (einsum("ij->", x), sparse.sum(x)):
        np.testing.assert_array_equal(einsum(",k->k", total, y).todense(), a.sum() * b)
    assert einsum("ij,k->", x, y).todense() == a.sum() * b.sum()


# --- arrays of other libraries -------------------------------------------------------------------------


def test_scipys_matrices_come_with_what_to_do(sparse):
    scipy_sparse = installed_module("scipy.sparse")
    a, b = thin(5, 6), thin(6, 4)
    for made in (scipy_sparse.csr_array(a), scipy_sparse.coo_matrix(a)):
        with pytest.raises(
            OperandTypeError, match=r"operand 0 is a scipy c\w+, which is not an array"
        ) as caught:
            einsum("ij,jk->ik", made, b)
        assert "pass sparse.COO(x), or x.toarray()" in str(caught.value)
        np.testing.assert_array_equal(einsum("ij,jk->ik", sparse.COO(made), b).todense(), a @ b)
        np.testing.assert_array_equal(einsum("ij,jk->ik", made.toarray(), b), a @ b)


def test_out_is_refused(sparse):
    x = sparse.COO.from_numpy(np.ones(3))
    with pytest.raises(OperandTypeError, match="sparse tensors are immutable"):
        einsum("i->i", x, out=x)
