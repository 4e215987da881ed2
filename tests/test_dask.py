"""Dask arrays: lazy, chunk by chunk, whatever the chunks are of; against NumPy, and Dask's own einsum."""

from __future__ import annotations

import os
import pickle
import warnings
from math import prod

import numpy as np
import pytest
from conftest import available, installed_module
from libraries import Dask, agree_on_random_calls

from einsum_unified import EinsumError, OperandError, OperandTypeError, einsum, einsum_plan

RNG = np.random.default_rng(0)


@pytest.fixture
def da():
    installed_module("dask")
    return installed_module("dask.array")


@pytest.fixture
def nothing_computes(da):
    """Fail whatever is computed within."""
    import dask

    def scheduler(*args, **kwargs):
        raise AssertionError("something was computed")

    with dask.config.set(scheduler=scheduler):
        yield


def whole_numbers(*shape: int) -> np.ndarray:
    return RNG.integers(-3, 4, shape).astype(float)


def tasks(x) -> int:
    return len(dict(x.__dask_graph__()))


def chunk_bytes(x) -> int:
    return prod(x.chunksize) * x.dtype.itemsize


def own(da, equation: str, *operands):
    """The result of Dask's own einsum, without its warnings about chunks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return da.einsum(equation, *operands)


# --- values -----------------------------------------------------------------------------------------


def test_random_calls_agree_with_the_sum_over_all_labels():
    agree_on_random_calls(available(Dask), 60)


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk->ik", [(6, 7), (7, 5)]),
        ("ij,jk", [(6, 7), (7, 5)]),
        ("bij,bjk->bki", [(4, 3, 5), (4, 5, 2)]),
        ("...ij,...jk->...ik", [(3, 4, 5), (2, 1, 5, 3)]),
        ("ij,jk,kl,lm->im", [(6, 5), (5, 4), (4, 3), (3, 7)]),
        ("ii->i", [(7, 7)]),
        ("ii", [(7, 7)]),
        ("iji->ji", [(5, 4, 5)]),
        ("ij->ji", [(5, 4)]),
        ("ij->", [(5, 4)]),
        ("i,i->", [(9,), (9,)]),
        ("i,j->ji", [(9,), (4,)]),
        ("ij,kj->ik", [(4, 1), (3, 5)]),
        ("ij,jk->ik", [(4, 0), (0, 3)]),
        (",ij->ij", [(), (4, 5)]),
    ],
)
@pytest.mark.parametrize("chunks", [2, 3, -1])
def test_every_kind_of_equation_has_numpys_values_whatever_the_chunks(da, equation, shapes, chunks):
    arrays = [whole_numbers(*shape) for shape in shapes]
    result = einsum(equation, *[da.from_array(x, chunks=chunks) for x in arrays])
    want = np.einsum(equation, *arrays)
    assert isinstance(result, da.Array)
    assert result.shape == want.shape
    np.testing.assert_array_equal(result.compute(), want)


@pytest.mark.parametrize(("rows", "columns"), [((3, 3, 1), (2, 5)), ((7,), (1, 6)), ((1,) * 7, (7,))])
def test_chunks_that_do_not_line_up_are_cut_to_fit(da, rows, columns):
    a, b, square = whole_numbers(4, 7), whole_numbers(7, 5), whole_numbers(7, 7)
    result = einsum(
        "ij,jk->ik", da.from_array(a, chunks=((2, 2), rows)), da.from_array(b, chunks=(columns, 5))
    )
    np.testing.assert_array_equal(result.compute(), a @ b)
    crooked = da.from_array(square, chunks=(rows, columns))
    np.testing.assert_array_equal(einsum("ii->i", crooked).compute(), np.diag(square))
    np.testing.assert_array_equal(einsum("ii", crooked).compute(), np.trace(square))


def test_integers_wrap_and_bools_are_any_of_across_chunks(da):
    a = np.full((3, 10), 100, "int8")
    b = np.full((10, 2), 7, "int8")
    result = einsum("ij,jk->ik", da.from_array(a, chunks=3), da.from_array(b, chunks=4))
    assert result.dtype == result.compute().dtype == np.int8
    np.testing.assert_array_equal(result.compute(), np.full((3, 2), 7000).astype("int8"))
    mask = np.eye(5, dtype=bool)
    result = einsum("ij,jk->ik", da.from_array(mask, chunks=2), da.from_array(mask, chunks=2))
    assert result.compute().dtype == bool
    np.testing.assert_array_equal(result.compute(), mask)
    np.testing.assert_array_equal(einsum("ij->i", da.from_array(mask, chunks=2)).compute(), np.ones(5, bool))


def test_halves_are_added_up_in_more_than_halves(da):
    ones = da.ones(4096, chunks=100, dtype="float16")
    assert einsum("i,i->", ones, ones).compute() == 4096  # in halves it sticks at 2048
    assert einsum("i->", ones).compute() == 4096
    assert einsum("i,i->", ones, ones).dtype == np.float16


def test_dtypes_promote_as_numpys(da):
    for a, b in [("int8", "uint8"), ("int32", "float32"), ("float16", "float32"), ("bool", "int16")]:
        x, y = da.ones(3, chunks=2, dtype=a), da.ones(3, chunks=2, dtype=b)
        assert einsum("i,i->i", x, y).compute().dtype == np.result_type(a, b)
    assert einsum("i,->i", da.ones(3, chunks=2, dtype="float32"), 2.5).dtype == np.float32
    assert einsum("i->i", da.ones(3, chunks=2, dtype="int8"), dtype="float64").compute().dtype == np.float64


def test_numpy_arrays_and_numbers_go_with_dask(da):
    a, b = whole_numbers(4, 6), whole_numbers(6, 3)
    for operands in ([da.from_array(a, chunks=2), b], [a, da.from_array(b, chunks=2)]):
        result = einsum("ij,jk,->ik", *operands, 2)
        assert isinstance(result, da.Array)
        np.testing.assert_array_equal(result.compute(), 2 * a @ b)


# --- nothing early ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("nothing_computes")
def test_nothing_is_computed_while_a_graph_is_made(da):
    a = da.ones((6, 7), chunks=2)
    for equation, operands in [
        ("ij,jk->ik", (a, a.T)),
        ("ij,kj,kl->il", (a, a, a)),
        ("ij->", (a,)),
        ("ii->i", (a[:, :6],)),
        ("ij,j->", (a, np.ones(7))),
        ("i,j->ij", (a[0], a[0])),
    ]:
        assert isinstance(einsum(equation, *operands), da.Array)
        einsum_plan(equation, *operands)


def test_chunks_are_made_when_it_is_computed_and_as_often_as_by_dasks_own_einsum(da):
    made = []

    def block(x):
        made.append(x.shape)
        return x

    def how_often(function) -> int:
        made.clear()
        a = da.ones((4, 4), chunks=2).map_blocks(block, dtype=float, meta=np.empty((0, 0)))
        result = function("ij,jk->ik", a, da.ones((4, 4), chunks=2))
        assert made == []
        np.testing.assert_array_equal(result.compute(scheduler="sync"), np.full((4, 4), 4.0))
        return len(made)

    assert how_often(einsum) <= how_often(da.einsum)


def test_out_is_refused(da):
    x = da.ones(3, chunks=2)
    with pytest.raises(OperandTypeError, match="dask tensors are immutable"):
        einsum("i->i", x, out=x)


# --- chunks -----------------------------------------------------------------------------------------


def test_an_outer_product_of_large_chunks_has_chunks_of_dasks_size(da):
    x = da.ones(100_000, chunks=100_000)
    result = einsum("i,j->ij", x, x)
    assert 2**24 < chunk_bytes(result) <= 2**27  # array.chunk-size is 128 MiB
    matrix = da.ones((50_000, 100), chunks=(25_000, 100))
    assert chunk_bytes(einsum("ij,kj->ik", matrix, matrix)) <= 2**27


def test_chunks_follow_the_configured_size(da):
    import dask

    x = da.ones(1000, chunks=1000)
    with dask.config.set({"array.chunk-size": "64 KiB"}):
        result = einsum("i,j->ij", x, x)
    assert chunk_bytes(result) <= 2**16
    np.testing.assert_array_equal(result.compute(), np.ones((1000, 1000)))


def test_a_contraction_of_batches_of_four_axes_each_stays_under_the_limit(da):
    x = da.ones((1024, 16, 16, 16, 16), chunks=(256, 8, 8, 8, 8))
    result = einsum("aijkl,amnop->ijklmnop", x, x)
    assert result.chunksize == (8,) * 8  # 128 MiB, with the chunks that the operands have
    assert result.npartitions <= own(da, "aijkl,amnop->ijklmnop", x, x).npartitions


def test_labels_that_operands_share_count_once_for_the_size_of_a_chunk(da):
    z = da.ones((40000, 2, 10, 2, 10), chunks=(40000, 1, 5, 2, 10))
    x = da.ones((2, 10, 10), chunks=(2, 10, 10))
    result = einsum("abcde,bfc,dfe->acef", z, x, x)
    assert result.npartitions <= 4
    assert chunk_bytes(result) <= 2**27


def test_small_chunks_of_an_outer_product_stay_as_they_are(da):
    x = da.ones(200, chunks=10)
    assert einsum("i,j->ij", x, x).numblocks == (20, 20)


@pytest.mark.parametrize(
    ("equation", "shapes", "chunks"),
    [
        ("ij,jk->ik", [(60, 200), (200, 60)], [(30, 7), (11, 60)]),
        ("bij,bjk->bik", [(20, 30, 40), (20, 40, 50)], [(3, 7, 40), (5, 11, 50)]),
        ("ij,jk,kl->il", [(20, 20)] * 3, [(3, 7), (5, 5), (20, 4)]),
        ("i,j->ij", [(200,), (200,)], [(10,), (10,)]),
    ],
)
def test_there_are_no_more_tasks_than_dasks_own_einsum_makes(da, equation, shapes, chunks):
    xs = [da.ones(shape, chunks=chunk) for shape, chunk in zip(shapes, chunks, strict=True)]
    assert tasks(einsum(equation, *xs)) <= tasks(own(da, equation, *xs))


def test_chunks_that_do_not_line_up_add_no_more_than_their_borders(da):
    a, b = da.ones((4, 1000), chunks=(4, 7)), da.ones((1000, 4), chunks=(11, 4))
    borders = {*np.cumsum(a.chunks[1]), *np.cumsum(b.chunks[0])}
    # Each part is cut from either operand and multiplied; the tree adds a third, and its leaves.
    assert tasks(einsum("ij,jk->ik", a, b)) < 8 * len(borders) + sum(x.npartitions for x in (a, b))
    assert einsum("ij,jk->ik", a, b).npartitions == 1


def test_a_contracted_label_is_never_gathered_in_one_chunk(da):
    a = da.ones((4, 1000), chunks=(4, 10))
    b = da.ones((1000, 4), chunks=(1000, 4))  # one chunk, which is cut like the other operand's
    result = einsum("ij,jk->ik", a, b)
    contracted = [
        layer for name, layer in result.__dask_graph__().layers.items() if "contract_chunks" in name
    ]
    assert len(contracted) == 1
    assert len(contracted[0]) == 100  # one product for each chunk of the label
    assert result.compute().tolist() == [[1000.0] * 4] * 4


# --- unknown sizes ----------------------------------------------------------------------------------


@pytest.fixture
def chosen(da):
    """Rows of an array chosen by their values, so that nobody knows how many: and the same in NumPy."""
    array = whole_numbers(10, 6)
    x = da.from_array(array, chunks=(4, 3))
    return x[x[:, 0] > -2], array[array[:, 0] > -2]


def test_sizes_that_nobody_knows_yet_go_through(chosen, da):
    x, array = chosen
    assert np.isnan(x.shape[0])
    b = whole_numbers(6, 4)
    for equation, others in [
        ("ij,jk->ik", [b]),
        ("ij,jk->ki", [b]),
        ("ij->j", []),
        ("ij->", []),
        ("ij,jk,kl->il", [b, b.T]),
    ]:
        result = einsum(equation, x, *[da.from_array(y, chunks=2) for y in others])
        np.testing.assert_array_equal(result.compute(), np.einsum(equation, array, *others))
    np.testing.assert_array_equal(einsum("ij,ik->jk", x, x).compute(), array.T @ array)
    np.testing.assert_array_equal(
        einsum("ij,k->ik", x[:, :1], np.ones(3)).compute(), array[:, :1].repeat(3, 1)
    )


def test_an_axis_that_broadcasts_goes_beside_sizes_that_nobody_knows(chosen, da):
    x, array = chosen
    np.testing.assert_array_equal(
        einsum("ij,kj->ik", x[:, :1], da.ones((2, 6), chunks=3)).compute(),
        6 * array[:, :1].repeat(2, 1),
    )


def test_unknown_chunks_that_meet_others_name_the_call_that_helps(chosen, da):
    x, array = chosen
    with pytest.raises(OperandError, match=r"(?s)chunks of unknown sizes.*x.compute_chunk_sizes\(\)"):
        einsum("ij,ik->jk", x, da.ones((len(array), 3), chunks=(2, 3)))
    known = x.compute_chunk_sizes()
    np.testing.assert_array_equal(
        einsum("ij,ik->jk", known, da.ones((len(array), 3), chunks=(2, 3))).compute(),
        array.T @ np.ones((len(array), 3)),
    )


def test_chunks_of_unknown_sizes_that_turn_out_to_differ_do_not_broadcast(da):
    x = da.arange(4, chunks=2)
    one, two = x[da.asarray(np.array([True, False, True, True])).rechunk(2)], x[x >= 0]
    with pytest.raises(OperandError, match="chunks of a label have 1 and 2 elements on its axis"):
        einsum("i,i->", one, two).compute()
    assert einsum("i,i->", one, one).compute() == 0 + 4 + 9


# --- chunks of other kinds ----------------------------------------------------------------------------


def test_chunks_of_sparse_arrays_stay_sparse(da):
    sparse = installed_module("sparse")
    array = np.where(RNG.random((20, 20)) < 0.1, 1.0, 0.0)
    x = da.from_array(array, chunks=7).map_blocks(sparse.COO)
    for equation in ("ij,jk->ik", "ij,kj->ki"):
        result = einsum(equation, x, x)
        assert isinstance(result._meta, sparse.COO)
        computed = result.compute()
        assert isinstance(computed, sparse.COO)
        np.testing.assert_array_equal(computed.todense(), np.einsum(equation, array, array))
    np.testing.assert_array_equal(einsum("ii->i", x).compute().todense(), np.diag(array))


def test_sparse_chunks_are_multiplied_before_dense_ones_are(da):
    """Only computing would count stored elements, so a density is guessed (tensorly/tensorly#85)."""
    sparse = installed_module("sparse")
    array, vector = np.where(RNG.random((200, 200)) < 0.01, 1.0, 0.0), np.arange(200.0)
    x = da.from_array(array, chunks=70).map_blocks(sparse.COO)
    u = da.from_array(vector, chunks=70)
    assert einsum_plan("i,j,ij->ij", u, u, x).path[0] != (0, 1)
    for equation in ("ij,i,j->ij", "i,j,ij->j"):
        operands = [x if len(term) == 2 else u for term in equation.partition("->")[0].split(",")]
        computed = einsum(equation, *operands).compute()
        assert isinstance(computed, sparse.COO)
        want = np.einsum(equation, *[array if op is x else vector for op in operands])
        np.testing.assert_allclose(computed.todense(), want, rtol=1e-12)


def test_chunks_of_jax_arrays_stay_with_jax(da):
    jnp = installed_module("jax.numpy")
    array = whole_numbers(6, 6).astype("float32")
    x = da.from_array(array, chunks=4).map_blocks(jnp.asarray, dtype=array.dtype, meta=jnp.zeros((0, 0)))
    computed = einsum("ij,jk->ik", x, x).compute(scheduler="sync")
    np.testing.assert_array_equal(np.asarray(computed), array @ array)


# --- graphs -----------------------------------------------------------------------------------------


def test_the_same_call_has_the_same_keys(da):
    def keys():
        x = da.ones((6, 6), chunks=2)
        result = einsum("ij,jk,kk->ik", x, x, np.eye(6))
        return sorted(map(str, result.__dask_graph__())), result.name

    assert keys() == keys()
    x = da.ones((6, 6), chunks=2)
    assert einsum("ij,jk->ik", x, x).name != einsum("ij,jk->ki", x, x).name


def test_a_graph_is_pickled_by_pickle_itself(da):
    a = whole_numbers(6, 6)
    result = einsum("ij,jk->ik", da.from_array(a, chunks=4), da.from_array(a, chunks=3))
    again = pickle.loads(pickle.dumps(result))
    np.testing.assert_array_equal(again.compute(), a @ a)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_two_worker_processes_share_a_contraction(da):
    distributed = installed_module("distributed")
    a, b, c = whole_numbers(120, 90), whole_numbers(90, 100), whole_numbers(100, 40)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        xs = [da.from_array(x, chunks=(30, 35)) for x in (a, b, c)]
        result = einsum("ij,jk,kl->li", *xs).persist()
        distributed.wait(result)
        holders = {worker for workers in client.who_has(result).values() for worker in workers}
        assert len(holders) == 2
        assert len(set(client.run(os.getpid).values())) == 2
        np.testing.assert_array_equal(result.compute(), (a @ b @ c).T)
        wrong = einsum("ij,jk->ik", xs[0], xs[1].map_blocks(lambda x: x[:-1], dtype=float))
        with pytest.raises(EinsumError, match=r"label 'b' is \d+ in operand 0 but \d+ in operand 1"):
            wrong.compute()  # an error of a worker comes back as it is
