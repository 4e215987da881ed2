"""From a bound equation to primitives: which instructions there are, and what they compute."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from einsum_unified import EinsumError, OperandError, einsum, einsum_plan
from einsum_unified.adapter import Capabilities
from einsum_unified.language.equation import parse
from einsum_unified.language.letters import in_letters
from einsum_unified.language.sublists import Sublists
from einsum_unified.planning.lowering import lower
from einsum_unified.program.primitives import (
    AsArray,
    Cast,
    Diagonal,
    Dot,
    InRange,
    MatMul,
    MatMulInto,
    Multiply,
    Native,
    Program,
    Reshape,
    SameDevice,
    Sum,
    SumProducts,
    Transpose,
    Unbox,
)


def program(text: str, *operands, **options) -> Program:
    return einsum_plan(text, *operands, **options).program


def kinds(text: str, *operands, **options) -> list[type]:
    return [type(instruction) for instruction in program(text, *operands, **options).instructions]


def array(*shape) -> np.ndarray:
    return np.random.default_rng(sum(shape)).integers(-4, 5, shape).astype(float)


# --- which instructions ---------------------------------------------------------------------------


PRODUCTS = {Dot, MatMul, MatMulInto}


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("ij,jk->ik", [(20, 30), (30, 40)]),
        ("ij,jk->ki", [(20, 30), (30, 40)]),
        ("bij,bjk->bik", [(5, 20, 30), (5, 30, 40)]),
        ("bhid,bhjd->bhij", [(2, 3, 40, 50), (2, 3, 60, 50)]),
        ("...ij,...jk->...ik", [(5, 20, 30), (5, 30, 40)]),
        ("ijb,bjk->kbi", [(20, 30, 5), (5, 30, 40)]),
        ("ij,kj->ik", [(20, 30), (40, 30)]),
    ],
)
def test_a_contraction_of_two_is_one_product_of_matrices(mutable, text: str, shapes: list):
    found = kinds(text, *[mutable.tensor(array(*shape)) for shape in shapes])
    assert len([kind for kind in found if kind in PRODUCTS]) == 1
    assert not {Multiply, SumProducts, Native} & set(found)


@pytest.mark.parametrize("text", ["i,i->", "ij,ij->"])
def test_a_product_with_nothing_kept_is_one_of_vectors(mutable, text: str):
    x = mutable.tensor(array(*[20] * len(text.split(",")[0])))
    found = kinds(text, x, x)
    assert found.count(Dot) == 1
    assert not {MatMul, Multiply, SumProducts} & set(found)


def test_rows_times_rows_are_multiplied_and_summed_or_looped_over(torch):
    assert kinds("bi,bi->b", torch.ones((50, 30)), torch.ones((50, 30)))[-2:] == [Multiply, SumProducts]
    assert kinds("bi,bi->b", (300, 300), (300, 300)) in ([Native], [Reshape, Reshape, MatMul, Reshape])


def test_small_eager_operands_take_the_fewest_calls(tf):
    x = tf.ones((4, 4))
    for text in ("ij,kj->ik", "ij,ij->", "ij,ji->", "ij,jk->ki"):
        calls = [kind for kind in kinds(text, x, x) if kind is not SameDevice]
        assert len(calls) <= 2, text
    assert kinds("ij,jk->ki", x, x)[1:] == [Dot]
    # A product and a transpose are two calls, the framework's own einsum is one.
    batch = tf.ones((4, 4, 4, 4))
    assert kinds("abij,abjk->baik", batch, batch)[1:] == [Native]


@pytest.mark.parametrize("count", [3, 4, 5])
def test_a_chain_is_a_product_a_step(count: int):
    text = ",".join("abcdef"[n : n + 2] for n in range(count))
    assert kinds(text, *[(2, 2)] * count).count(Dot) == count - 1


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("i,j->ij", [(2,), (3,)]),
        ("ij,ij->ij", [(2, 3), (2, 3)]),
        ("ij,j->ji", [(2, 3), (3,)]),
        (",ij->ji", [(), (2, 3)]),
        ("i,i->i", [(1,), (3,)]),
    ],
)
def test_an_einsum_that_sums_nothing_is_one_multiply(text: str, shapes: list):
    found = kinds(text, *shapes)
    assert found.count(Multiply) == 1
    assert MatMul not in found
    assert not {Sum, SumProducts} & set(found)


@pytest.mark.parametrize(
    ("text", "shapes", "want"),
    [
        ("ij,jk->ik", [(2, 3), (3, 4)], [Dot]),
        ("i,ij->j", [(2,), (2, 3)], [Dot]),
        ("bij,bjk->bik", [(5, 2, 3), (5, 3, 4)], [MatMul]),
        ("abij,abjk->abik", [(5, 6, 2, 3), (5, 6, 3, 4)], [MatMul]),
        ("ij->", [(2, 3)], [Sum]),
        ("ij->j", [(2, 3)], [Sum]),
        ("ij->ji", [(2, 3)], [Transpose]),
        ("ii->i", [(3, 3)], [Diagonal]),
        ("ii", [(3, 3)], [Diagonal, Sum]),
        ("iji->ij", [(3, 2, 3)], [Diagonal, Transpose]),
        ("iiii->i", [(3, 3, 3, 3)], [Diagonal] * 3),
        ("ij,ij->ij", [(2, 3), (2, 3)], [Multiply]),
        ("->", [()], [Unbox]),
        ("i,i->", [(3,), (3,)], [Dot]),
        (",->", [(), ()], [Multiply]),
    ],
)
def test_instructions_that_would_do_nothing_are_left_out(text: str, shapes: list, want: list):
    assert kinds(text, *shapes) == want


def test_the_identity_is_a_view_not_the_operand_itself(torch):
    x = array(2, 3)
    assert program("ij->ij", x).instructions == (Transpose(1, (0,), (0, 1)),)
    for operand in (x, torch.ones((2, 3))):
        result = einsum("ij->ij", operand)
        assert result is not operand
        result[0, 0] = 99
        assert operand[0, 0] == 99


def test_an_immutable_operand_may_be_the_result(tf):
    x = tf.ones((2, 3))
    assert program("ij->ij", x).instructions == ()
    assert einsum("ij->ij", x) is x


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("abij,abjk->abik", [(2, 3, 4, 5), (2, 3, 5, 6)]),
        ("abij,abjk->baik", [(2, 3, 4, 5), (2, 3, 5, 6)]),
        ("aij,ajkl->ailk", [(2, 3, 4), (2, 4, 5, 6)]),
        ("aji,kja->aik", [(2, 3, 4), (5, 3, 2)]),
        ("xbi,bxj->xbij", [(2, 3, 4), (3, 2, 5)]),
    ],
)
def test_batch_left_right_comes_out_in_one_piece(text: str, shapes: list):
    arrays = [array(*shape) for shape in shapes]
    result = einsum(text, *arrays)
    assert (result == np.einsum(text, *arrays, optimize=False)).all()
    assert result.flags.c_contiguous


def test_another_order_of_the_output_takes_a_transpose_at_the_end():
    assert kinds("ijk,kl->lij", (20, 30, 40), (40, 50))[-1] is Transpose


# --- one operand without a sum --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("ijk->kij", (2, 3, 4)),
        ("iij->ji", (2, 2, 3)),
        ("ijij->ji", (2, 3, 2, 3)),
        ("iii->i", (2, 2, 2)),
        ("...->...", (2, 3)),
        ("i...->...i", (2, 3)),
    ],
)
def test_one_operand_without_a_sum_has_only_views(torch, text: str, shape: tuple):
    x = array(*shape)
    assert set(kinds(text, x)) <= {Transpose, Diagonal}
    assert np.shares_memory(einsum(text, x), x)
    tensor = torch.ones(shape)
    assert einsum(text, tensor).untyped_storage().data_ptr() == tensor.untyped_storage().data_ptr()


@pytest.mark.parametrize("writeable", [True, False])
@pytest.mark.parametrize("text", ["ij->ji", "ii->i", "ij->ij"])
def test_a_view_is_writeable_if_the_operand_is(text: str, writeable: bool):
    x = array(3, 3)
    x.flags.writeable = writeable
    assert einsum(text, x).flags.writeable is writeable


# --- values ---------------------------------------------------------------------------------------

EQUATIONS = [
    # broadcasting of size 1
    ("ij,jk->ik", [(2, 1), (3, 4)]),
    ("ij,jk->ik", [(2, 3), (1, 4)]),
    ("ij,ij->", [(1, 3), (2, 1)]),
    ("ij,jk,kl->il", [(2, 1), (1, 3), (3, 1)]),
    ("i,i,i->", [(1,), (3,), (1,)]),
    ("i,i->", [(1,), (1,)]),
    ("bij,bjk->bik", [(1, 2, 3), (4, 3, 2)]),
    ("...i,...i->...", [(3, 1, 2), (4, 2)]),
    # size 0
    ("ij,jk->ik", [(2, 0), (0, 4)]),
    ("ij,jk->ik", [(0, 3), (3, 4)]),
    ("i,i->i", [(1,), (0,)]),
    ("ij->i", [(2, 0)]),
    # diagonals
    ("ii,ij->j", [(3, 3), (3, 2)]),
    ("iij,jkk->ik", [(2, 2, 3), (3, 4, 4)]),
    ("iijj->", [(2, 2, 3, 3)]),
    ("ii,ii->i", [(3, 3), (3, 3)]),
    ("iji,jij->ij", [(2, 3, 2), (3, 2, 3)]),
    # labels that only one operand has, and that are summed
    ("ij,k->", [(2, 3), (4,)]),
    ("ij,jk->k", [(2, 3), (3, 4)]),
    ("ij,kl->", [(2, 3), (4, 5)]),
    # many alternating runs of axes: first, second, first, ...
    ("ace,bdf->abcdef", [(2, 3, 2), (3, 2, 2)]),
    ("aceg,bdfh->hgfedcba", [(2, 1, 2, 3), (2, 2, 1, 2)]),
    ("xacx,bxd->axbcd", [(2, 3, 2, 2), (2, 2, 3)]),
    # several steps
    ("ij,jk,kl,lm->im", [(2, 3), (3, 4), (4, 2), (2, 3)]),
    ("ij,ik,il->jkl", [(2, 3), (2, 2), (2, 4)]),
    ("ij,ij,ij->ij", [(2, 3), (2, 3), (2, 3)]),
    ("ij,jk,ki->", [(2, 3), (3, 4), (4, 2)]),
    (",i,->i", [(), (3,), ()]),
    (",,", [(), (), ()]),
    ("a,b,c,d->dbca", [(2,), (3,), (2,), (3,)]),
]


@pytest.mark.parametrize("optimize", ["auto", False])
@pytest.mark.parametrize(("text", "shapes"), EQUATIONS)
def test_results_are_numpys(framework, text: str, shapes: list, optimize):
    arrays = [array(*shape) for shape in shapes]
    got = einsum(text, *map(framework.tensor, arrays), optimize=optimize)
    want = np.einsum(text, *arrays, optimize=False)
    assert framework.numpy(got).shape == want.shape
    assert (framework.numpy(got) == want).all()


def test_an_axis_that_broadcasts_is_dropped_before_the_product():
    assert kinds("ij,jk->ik", (2, 1), (3, 4)) == [Reshape, Sum, Reshape, Multiply]


def test_a_label_of_one_operand_is_summed_before_the_product():
    first, *rest = program("ij,k->i", (2, 3), (4,)).instructions
    assert first == Sum(2, (0,), (1,))
    assert rest[0] == Sum(3, (1,), (0,))


def test_more_alternating_runs_than_tensorflow_broadcasts_are_put_in_order(tf):
    shapes = (2, 1, 2, 1, 2), (2, 2, 1, 2, 1)
    assert kinds("acegi,bdfhj->abcdefghij", *shapes) == [Reshape, Reshape, Multiply]
    tensors = [tf.ones(shape) for shape in shapes]
    assert kinds("acegi,bdfhj->abcdefghij", *tensors)[-2:] == [Multiply, Transpose]
    a, b = array(2, 2, 2, 2), array(2, 2, 2, 2)
    got = einsum("aceg,bdfh->abcdefgh", tf.constant(a), tf.constant(b))
    assert (got.numpy() == np.einsum("aceg,bdfh->abcdefgh", a, b)).all()


@pytest.mark.parametrize(
    ("text", "runs"), [("ac,bd->abcd", 4), ("ace,bd->abcde", 5), ("acx,bdx->abcdx", 5), ("abx,cx->abcx", 3)]
)
def test_axes_are_put_in_order_only_beyond_the_runs_that_can_be_broadcast(text: str, runs: int):
    bound = einsum_plan(text, *[(2,) * len(term) for term in text.split("->")[0].split(",")]).bound
    for most in (runs - 1, runs, runs + 1, None):
        instructions = lower(bound, ((0, 1),), Capabilities(broadcast_runs=most)).instructions
        # A product in another order is brought to that of the output after that.
        assert isinstance(instructions[-1], Transpose) is (most == runs - 1), most


# --- dtypes ---------------------------------------------------------------------------------------


def test_bool_is_cast_back_at_each_step(torch, tf):
    want = [Cast, Cast, Dot, Cast, Cast, Cast, Dot, Cast]
    for x in (torch.ones((9, 9), dtype=torch.bool), tf.ones((9, 9), tf.bool)):
        found = kinds("ij,jk,kl->il", x, x, x, optimize=False)
        assert [Dot if kind is Native else kind for kind in found if kind is not SameDevice] == want


def test_a_count_of_many_trues_stays_true(framework):
    x = framework.tensor(np.ones((300, 300)), "bool")
    result = einsum("ij,jk,kl,lm,mn->in", *[x] * 5)
    assert framework.dtype(result) == "bool"
    assert framework.numpy(result).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_what_is_summed_in_a_wider_dtype_is_cast_back_once_at_the_end(tf, dtype: str):
    x = tf.cast(tf.ones((2, 2)), dtype)
    instructions = [i for i in program("ij,jk,kl->il", x, x, x).instructions if isinstance(i, Cast)]
    assert [i.dtype for i in instructions] == ["float32"] * 3 + [dtype]
    assert isinstance(program("ij,jk,kl->il", x, x, x).instructions[-1], Cast)


def test_operands_are_promoted_before_the_first_sum(framework):
    flags = framework.tensor(np.ones((2, 3)), "bool")
    result = einsum("ij,k->i", flags, framework.tensor(np.ones(1), "float32"))
    assert (framework.numpy(result) == 3).all()  # counted, not any-of


def test_a_dtype_without_kernels_is_moved_in_another(tf):
    x = tf.constant(np.arange(6).reshape(2, 3).astype(ml_dtypes.int4))
    instructions = program("ij->ji", x).instructions
    assert [type(i) for i in instructions] == [Cast, Transpose, Cast]
    assert [i.dtype for i in instructions if isinstance(i, Cast)] == ["int32", "int4"]


def test_numbers_and_arrays_are_made_tensors_of_the_dtype_first(torch):
    x = torch.ones(3, dtype=torch.int8)
    instructions = program("i,,i->i", x, 2, np.ones(3, "int8")).instructions
    assert instructions[:3] == (
        InRange(-1, (1,), 1, "int8"),
        AsArray(3, (1, 0), "int8"),
        AsArray(4, (2, 0), "int8"),
    )


def test_tensors_of_several_operands_must_be_on_one_device(torch):
    x = torch.ones((2, 2))
    assert program("ij,jk,k", x, np.ones((2, 2)), x[0]).instructions[0] == SameDevice(-1, (0, 2))
    assert SameDevice not in kinds("ij,jk", x, np.ones((2, 2)))
    with pytest.raises(EinsumError, match="on different devices: cpu and meta"):
        einsum("ij,jk", x, torch.ones((2, 2), device="meta"))


# --- what only the framework can do ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("equation", "text"),
    [
        (parse("βγ,γ"), "ab,b->a"),
        (parse("ZA->AZ"), "ab->ba"),
        (parse(" ... i -> i "), "...a->a"),
        (parse(Sublists((("row", ...), ("col",)), (..., "col"))), "a...,b->...b"),
        (parse(","), ",->"),
    ],
    ids=str,
)
def test_labels_become_letters_for_the_frameworks_own_einsum(equation, text):
    assert in_letters(equation) == text


def test_letters_run_out_at_52():
    equation = parse("".join(chr(0x4E00 + n) for n in range(52)))
    assert len(set(in_letters(equation).partition("->")[0])) == 52
    with pytest.raises(OperandError, match="at most 52 labels, not 53"):
        in_letters(parse("".join(chr(0x4E00 + n) for n in range(53))))


@pytest.mark.parametrize("shape", [[None, 3], None])
def test_unknown_sizes_and_numbers_of_axes_are_computed_with(tf, shape):
    function = tf.function(
        lambda x: einsum("βi...,i->β", x, tf.ones(3)), input_signature=[tf.TensorSpec(shape)]
    )
    assert (function(tf.ones((2, 3))).numpy() == [3, 3]).all()


def test_unknown_sizes_of_a_narrow_dtype_are_computed_in_a_wider_one(tf):
    @tf.function(input_signature=[tf.TensorSpec([None, 200], tf.int8)])
    def function(x):
        return einsum("ij->i", x)

    result = function(tf.ones((2, 200), tf.int8))
    assert result.dtype is tf.int8
    assert (result.numpy() == np.int8(-56)).all()  # 200 wrapped around


def test_lowering_needs_nothing_of_a_framework():
    bound = einsum_plan("ij,jk->ik", (2, 3), (3, 4)).bound
    assert lower(bound, ((0, 1),), Capabilities()) == Program(2, (Dot(2, (0, 1)),), 2, (0, 1))
