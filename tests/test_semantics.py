"""The meaning of an equation, row by row of the specification, on every framework.

Expected values are NumPy's in float64, or plain arithmetic.
"""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise

import numpy as np
import opt_einsum
import pytest
from conftest import spelled
from frameworks import Framework

import einsum_unified
from einsum_unified import EinsumError, EquationError, OperandError, OperandTypeError, einsum, einsum_path


def numbers(*shape: int) -> np.ndarray:
    """Whole numbers from -3 to 4, no two neighbours alike: sums and products of them are exact."""
    count = int(np.prod(shape))
    return ((np.arange(count) * 5 + 2) % 8 - 3.0).reshape(shape)


def tensors(framework: Framework, *shapes: tuple[int, ...], dtype: str = "float64") -> list:
    return [framework.tensor(numbers(*shape), dtype) for shape in shapes]


def assert_equal(framework: Framework, result, expected) -> None:
    got, expected = framework.numpy(result), np.asarray(expected)
    assert got.shape == expected.shape
    np.testing.assert_array_equal(got, expected)


# --- 1: implicit output -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("equation", "numpy_equation"),
    [
        ("ij", "ij->ij"),
        ("ba", "ba->ab"),
        ("aB", "aB->Ba"),  # by code point: capitals first
        ("a1", "ab->ba"),  # digits before letters
        ("a_", "ab->ba"),
        ("βα", "ba->ab"),
        ("éz", "ba->ab"),
        ("ii", "ii->"),
        ("i...", "i...->...i"),
        ("b...a", "b...a->...ab"),
        ("...ba", "...ba->...ab"),
    ],
)
def test_labels_that_occur_once_are_the_output_sorted_by_code_point(framework, equation, numpy_equation):
    a = numbers(3, 3)
    assert_equal(framework, einsum(equation, framework.tensor(a)), np.einsum(numpy_equation, a))


@pytest.mark.parametrize(
    ("equation", "numpy_equation", "shapes"),
    [
        ("ij,jk", "ij,jk->ik", [(2, 3), (3, 4)]),
        ("kj,ji", "kj,ji->ik", [(2, 3), (3, 4)]),
        ("ij,ij", "ij,ij->", [(2, 3), (2, 3)]),
        ("i,i,i", "i,i,i->", [(3,), (3,), (3,)]),
        ("ij,jk,kl", "ij,jk,kl->il", [(2, 3), (3, 4), (4, 5)]),
        ("...ij,...jk", "aij,ajk->aik", [(5, 2, 3), (5, 3, 4)]),
        ("j...,...i", "ja,ai->aij", [(2, 3), (3, 4)]),
        ("bB,Ba", "bB,Ba->ab", [(2, 3), (3, 4)]),
    ],
)
def test_a_label_that_occurs_in_two_terms_is_summed(framework, equation, numpy_equation, shapes):
    expected = np.einsum(numpy_equation, *[numbers(*shape) for shape in shapes])
    assert_equal(framework, einsum(equation, *tensors(framework, *shapes)), expected)


@pytest.mark.parametrize("labels", [[10, 9], [1000, 27], [3, -1], [2.5, 0.5], ["row", "column"]])
def test_labels_of_sublists_sort_by_value(framework, labels):
    a = numbers(2, 3)
    assert_equal(framework, einsum(framework.tensor(a), labels), a.T)


def test_forty_integer_labels_sort_by_value_not_as_text(framework):
    a, b = numbers(2, 3), numbers(2, 3)
    # Labels 11 to 29 in between are axes of size 1, which NumPy drops for the comparison.
    ones = list(range(10, 48))
    result = einsum(
        framework.tensor(a),
        [100, 9],
        framework.tensor(np.ones([1] * 6)),
        ones[:6],
        framework.tensor(b),
        [50, 8],
    )
    expected = np.einsum("ab,cd->dbca", a, b).reshape(3, 3, *[1] * 6, 2, 2)
    assert_equal(framework, result, expected)


# --- 2: ellipsis --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("equation", "shapes", "numpy_equation", "numpy_shapes"),
    [
        ("...->...", [(2, 3)], "ab->ab", None),
        ("i...->...i", [(2, 3, 4)], "iab->abi", None),
        ("i...j->j...i", [(2, 3, 4, 2)], "iabj->jabi", None),
        ("...i->i...", [(3,)], "i->i", None),  # no axes at all
        ("...ij->...", [(2, 3)], "ij->", None),
        ("...,...->...", [(), (3,)], ",a->a", None),
        ("...i,...i->...i", [(2, 3), (3,)], "ai,i->ai", None),
        ("...ij,...jk->...ik", [(5, 1, 2, 3), (4, 3, 2)], "abij,bjk->abik", [(5, 4, 2, 3), (4, 3, 2)]),
        ("...,...->...", [(2, 1), (1, 3)], "ab,ab->ab", [(2, 3), (2, 3)]),
        ("i...,i...->...", [(2, 1, 3), (2, 5, 1)], "iab,iab->ab", [(2, 5, 3), (2, 5, 3)]),
        ("i...,i...->...", [(2,), (2, 5, 3)], "i,iab->ab", None),
        ("...i,...i,...->...", [(3, 2), (2,), (4, 1)], "bi,i,ab->ab", [(3, 2), (2,), (4, 3)]),
        ("ij->...ij", [(2, 3)], "ij->ij", None),  # only in the output: stands for nothing
        ("i,j->j...i", [(2,), (3,)], "i,j->ji", None),
        ("...i->i", [(2, 4, 3)], "abi->i", None),  # left out of the output: summed
        ("...i,...i->i", [(1, 3), (4, 3)], "ai,ai->i", [(4, 3), (4, 3)]),
        ("...->", [(2, 3)], "ab->", None),
        ("...i,i->...", [(0, 3), (3,)], "ai,i->a", None),
    ],
)
def test_an_ellipsis_broadcasts_aligned_at_the_right(
    framework, equation, shapes, numpy_equation, numpy_shapes
):
    arrays = [numbers(*shape) for shape in shapes]
    whole = [np.broadcast_to(a, s) for a, s in zip(arrays, numpy_shapes or shapes, strict=True)]
    result = einsum(equation, *[framework.tensor(a) for a in arrays])
    assert_equal(framework, result, np.einsum(numpy_equation, *whole))


def test_an_ellipsis_of_many_axes_keeps_their_order(framework):
    a = numbers(2, 1, 3, 1, 2, 2)
    assert_equal(framework, einsum("i...j->...ji", framework.tensor(a)), np.einsum("iabcdj->abcdji", a))


@pytest.mark.parametrize("equation", ["......i->i", "...i...->i", "...i->...i..."])
def test_a_term_has_one_ellipsis_at_most(framework, equation):
    with pytest.raises(EquationError, match=r"has more than one '\.\.\.'"):
        einsum(equation, *tensors(framework, (2, 3)))


# --- 3: size 1 on a named label -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("equation", "shapes", "full"),
    [
        ("ij,jk->ik", [(2, 1), (3, 4)], [(2, 3), (3, 4)]),  # contracted
        ("ij,jk->ik", [(2, 3), (1, 4)], [(2, 3), (3, 4)]),
        ("ij,jk->ik", [(2, 1), (1, 4)], None),
        ("ij,ij->ij", [(2, 1), (1, 3)], [(2, 3), (2, 3)]),  # kept
        ("bij,bjk->bik", [(1, 2, 3), (4, 3, 2)], [(4, 2, 3), (4, 3, 2)]),  # batch
        ("i,i->", [(1,), (5,)], [(5,), (5,)]),
        ("i,i,i->i", [(1,), (3,), (1,)], [(3,), (3,), (3,)]),
        ("ij,j,ij->i", [(2, 1), (3,), (1, 3)], [(2, 3), (3,), (2, 3)]),
        ("i,i->i", [(1,), (0,)], [(0,), (0,)]),  # against no element at all
        ("i,i->", [(1,), (0,)], [(0,), (0,)]),
        ("ij,jk->ik", [(2, 1), (0, 4)], [(2, 0), (0, 4)]),
        ("ii,i->i", [(1, 1), (3,)], [None, (3,)]),
    ],
)
def test_size_one_broadcasts_against_the_same_label_elsewhere(framework, equation, shapes, full):
    arrays = [numbers(*shape) for shape in shapes]
    result = einsum(equation, *[framework.tensor(a) for a in arrays])
    if equation == "ii,i->i":
        expected = arrays[0][0, 0] * arrays[1]
    else:
        whole = [np.broadcast_to(a, s) for a, s in zip(arrays, full or shapes, strict=True)]
        expected = np.einsum(equation, *whole)
    assert_equal(framework, result, expected)


def test_size_one_does_not_broadcast_on_a_diagonal(framework):
    with pytest.raises(OperandError, match="a diagonal needs equal sizes"):
        einsum("ii->i", *tensors(framework, (1, 3)))


# --- 4: repeated labels -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ii->i", [(3, 3)]),
        ("ii->", [(3, 3)]),
        ("iii->i", [(3, 3, 3)]),
        ("iiii->", [(2, 2, 2, 2)]),
        ("iij->ij", [(3, 3, 2)]),
        ("iji->j", [(3, 2, 3)]),
        ("jii->ij", [(2, 3, 3)]),
        ("iijj->ij", [(2, 2, 3, 3)]),
        ("ijij->ji", [(2, 3, 2, 3)]),
        ("ijjki->k", [(2, 3, 3, 4, 2)]),
        ("ii->i", [(0, 0)]),
        ("ii,ij->j", [(3, 3), (3, 2)]),
        ("iij,jkk->ik", [(2, 2, 3), (3, 4, 4)]),
        ("ij,ijj,ii->j", [(2, 3), (2, 3, 3), (2, 2)]),
        ("ii,jj->ij", [(2, 2), (3, 3)]),
        ("...ii->...i", [(2, 3, 3)]),
        ("i...i->...", [(3, 2, 3)]),
    ],
)
def test_a_label_repeated_in_one_term_is_a_diagonal_or_trace(framework, equation, shapes):
    expected = np.einsum(equation, *[numbers(*shape) for shape in shapes])
    assert_equal(framework, einsum(equation, *tensors(framework, *shapes)), expected)


def test_a_label_repeated_in_the_output_is_an_error_that_names_the_way_out(framework):
    with pytest.raises(EquationError, match=r"repeated in the output(.|\n)*np\.eye\(n\)"):
        einsum("i->ii", *tensors(framework, (3,)))


def test_the_way_out_puts_values_on_a_diagonal(framework):
    a, eye = framework.tensor(numbers(3)), framework.tensor(np.eye(3))
    assert_equal(framework, einsum("i,ij->ij", a, eye), np.diag(numbers(3)))


# --- 5: unknown output label --------------------------------------------------------------------


@pytest.mark.parametrize("equation", ["ij->iz", "->i", "ij->I"])
def test_an_output_label_must_occur_in_an_operand(framework, equation):
    with pytest.raises(EquationError, match=r"output label '.' occurs in no operand"):
        einsum(equation, *tensors(framework, (2, 3) if "j" in equation else ()))


# --- 6: whitespace ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "equation",
    [
        " ij,jk->ik ",
        "i j , j k -> i k",
        "ij,jk - > ik",
        "\tij,\n jk\r\n->\v\fik\n",
        "ij,jk-\n>ik",
        " ij , j\tk ",
    ],
)
def test_all_ascii_whitespace_is_dropped(framework, equation):
    result = einsum(equation, *tensors(framework, (2, 3), (3, 4)))
    assert_equal(framework, result, numbers(2, 3) @ numbers(3, 4))


def test_whitespace_within_an_ellipsis_is_dropped(framework):
    assert_equal(framework, einsum(". . . i -> i .\t..", *tensors(framework, (2, 3))), numbers(2, 3).T)


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("\u00a0", r"U\+00A0 NO-BREAK SPACE"),
        ("\u00ad", r"U\+00AD SOFT HYPHEN"),
        ("\x1c", r"U\+001C"),
        ("\x85", r"U\+0085"),
    ],
)
def test_other_whitespace_is_an_error_that_names_the_code_point(framework, character, name):
    with pytest.raises(EquationError, match=name):
        einsum(f"i{character}j->ji", *tensors(framework, (2, 3)))


@pytest.mark.parametrize("label", ["\u200b", "\u3000", "\u2028", "\ufeff", "\u202e", "\ud800", "\U000e0001"])
def test_whitespace_from_u_00c0_on_is_a_label_and_the_error_spells_it_out(framework, label):
    tensors_of_three = tensors(framework, (2, 3, 4))
    assert_equal(
        framework, einsum(f"i{label}j->{label}ji", *tensors_of_three), numbers(2, 3, 4).transpose(1, 2, 0)
    )
    with pytest.raises(OperandError) as caught:
        einsum(f"i{label}j->ji", *tensors(framework, (2, 3)))
    assert str(caught.value).isascii()
    assert f"{label!a}" in caught.value.notes[1]
    assert "is a label here" in caught.value.notes[1]


# --- 7: labels ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "labels",
    ["ijk", "IJK", "012", "_9z", "αβγ", "жщю", "行列積", "אבג", "∂∇∫", "😀😁😂", "ſßẞ", "²½Ⅷ", "aAª"],
)
def test_a_label_is_any_letter_digit_or_symbol(framework, labels):
    i, j, k = labels
    result = einsum(f"{i}{j},{j}{k}->{i}{k}", *tensors(framework, (2, 3), (3, 4)))
    assert_equal(framework, result, numbers(2, 3) @ numbers(3, 4))


def test_there_is_no_limit_on_the_number_of_labels(framework):
    names = [opt_einsum.get_symbol(n) for n in range(301)]
    terms = ",".join(a + b for a, b in pairwise(names))
    swap = np.array([[0.0, 1], [1, 0]])
    result = einsum(
        f"{terms}->{names[0]}{names[-1]}", *[framework.tensor(swap)] * 299, framework.tensor(swap + 1)
    )
    assert_equal(framework, result, swap @ (swap + 1))


@pytest.mark.parametrize("character", list("!\"#$%&'()*+/:;<=?@[\\]^`{|}~"))
def test_ascii_punctuation_is_reserved(framework, character):
    with pytest.raises(EquationError, match="is not a label"):
        einsum(f"i{character}->i{character}", *tensors(framework, (2, 3)))


# --- 8: interleaved form, lists of operands, bytes ------------------------------------------------


@pytest.mark.parametrize(
    "labels",
    ["ijk", (0, 1, 2), (51, 52, 5300), ("batch", "row", "column"), ((0, 1), (0, 2), (1, 1)),
     (True, None, "x"), (frozenset({1}), 2.5, int)],
)  # fmt: skip
def test_sublists_hold_any_hashable_labels(framework, labels):
    i, j, k = labels
    a, b = tensors(framework, (2, 3), (3, 4))
    assert_equal(framework, einsum(a, [i, j], b, (j, k), [i, k]), numbers(2, 3) @ numbers(3, 4))


@pytest.mark.parametrize("output", [[[..., 0, 2]], []])
def test_sublists_take_an_ellipsis(framework, output):
    a, b = tensors(framework, (5, 2, 3), (3, 4))
    assert_equal(framework, einsum(a, [..., 0, 1], b, [1, 2], *output), numbers(5, 2, 3) @ numbers(3, 4))


def test_an_empty_output_sublist_sums_everything(framework):
    assert_equal(framework, einsum(framework.tensor(numbers(2, 3)), [0, 1], []), numbers(2, 3).sum())


def test_labels_that_cannot_be_sorted_need_an_output(framework):
    (a,) = tensors(framework, (2, 3))
    assert_equal(framework, einsum(a, [0, "x"], ["x", 0]), numbers(2, 3).T)
    with pytest.raises(EquationError, match="the labels cannot be sorted, so there is no implicit output"):
        einsum(a, [0, "x"])


@pytest.mark.parametrize("kind", [list, tuple])
def test_operands_may_come_in_one_list(framework, kind):
    operands = kind(tensors(framework, (2, 3), (3, 4)))
    assert_equal(framework, einsum("ij,jk->ik", operands), numbers(2, 3) @ numbers(3, 4))
    assert_equal(framework, einsum("ij->ji", kind(operands[:1])), numbers(2, 3).T)


def test_an_equation_may_be_bytes(framework):
    assert_equal(framework, einsum("βα->αβ".encode(), *tensors(framework, (2, 3))), numbers(2, 3).T)


# --- 9: operands beside tensors -----------------------------------------------------------------


@pytest.mark.parametrize("number", [2, 2.5, -1, True, 0])
def test_a_python_number_is_an_operand_without_axes(framework, number):
    (a,) = tensors(framework, (2, 3))
    assert_equal(framework, einsum("ij,->ij", a, number), numbers(2, 3) * number)
    assert_equal(framework, einsum(",ij->", number, a), number * numbers(2, 3).sum())


def test_a_python_complex_makes_the_result_complex(framework):
    assert_equal(framework, einsum("ij,->ij", *tensors(framework, (2, 3)), 2 - 1j), numbers(2, 3) * (2 - 1j))


@pytest.mark.parametrize("dtype", ["float16", "float32", "int8", "int32"])
def test_nested_lists_of_numbers_are_weak_beside_a_tensor(framework, dtype):
    a = framework.tensor(numbers(2, 3), dtype)
    result = einsum("ij,jk->ik", a, [[1, 0], [2, 1], [0, (3)]])
    assert framework.dtype(result) == dtype
    assert_equal(framework, result, numbers(2, 3) @ np.array([[1, 0], [2, 1], [0, 3]]))


def test_lists_and_numbers_alone_are_numpy_arrays():
    result = einsum("ij,j->i", [[1, 2], [3, 4]], (1, 10))
    assert isinstance(result, np.ndarray)
    assert result.tolist() == [21, 43]
    assert result.dtype == np.int64
    assert einsum(",->", 2, 2.5) == 5.0


def test_operands_may_have_no_axes(framework):
    a, b = framework.tensor(3.0), framework.tensor(np.array([1.0, 2.0]))
    assert_equal(framework, einsum("", a), 3.0)
    assert_equal(framework, einsum("->", a), 3.0)
    assert_equal(framework, einsum(",", a, a), 9.0)
    assert_equal(framework, einsum(",->", a, a), 9.0)
    assert_equal(framework, einsum(",,->", a, a, a), 27.0)
    assert_equal(framework, einsum(",i->i", a, b), [3.0, 6.0])


@pytest.mark.parametrize("equation", ["", "i->i", "->", ","])
def test_no_operand_at_all_is_an_error(equation):
    with pytest.raises(OperandError, match="0 operands were given"):
        einsum(equation)


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij->i", [(2, 0)]),
        ("ij->", [(0, 3)]),
        ("ij->j", [(2, 0)]),
        ("ij->ji", [(0, 3)]),
        ("ii->", [(0, 0)]),
        ("ij,jk->ik", [(2, 0), (0, 4)]),
        ("ij,jk->ik", [(0, 3), (3, 4)]),
        ("bij,bjk->bik", [(0, 2, 3), (0, 3, 4)]),
        ("i,j->ij", [(0,), (3,)]),
        ("ij,jk,kl->il", [(2, 3), (3, 0), (0, 4)]),
        ("ij,ij->", [(0, 0), (0, 0)]),
    ],
)
def test_a_sum_over_nothing_is_zero(framework, equation, shapes):
    expected = np.einsum(equation, *[numbers(*shape) for shape in shapes])
    assert_equal(framework, einsum(equation, *tensors(framework, *shapes)), expected)


# --- 10: one dtype in, the same out ---------------------------------------------------------------


@pytest.mark.parametrize("equation", ["ij->", "ij->i", "ij->ji", "ii->", "ii->i", "ij,jk->ik", "ij,ij->ij"])
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int16", "int32", "int64", "float16", "bfloat16",
                                   "float32", "complex64"])  # fmt: skip
def test_the_dtype_of_the_operands_is_that_of_the_result(framework, equation, dtype):
    a = framework.tensor(np.ones((2, 2)), dtype)
    result = einsum(equation, *[a] * (1 + equation.count(",")))
    assert framework.dtype(result) == dtype


@pytest.mark.parametrize(
    ("equation", "values", "expected"),
    [
        ("i->", [[100, 100]], -56),  # 200 - 256
        ("i,i->", [[100, 100], [2, 1]], 44),  # 300 - 256
        ("i,i->i", [[100, 16], [2, 16]], [-56, 0]),
        ("i,j,k->", [[127], [127], [127]], 127),  # 127**3 = 2048383 = 127 modulo 256
        ("i->", [[-128, -1]], 127),
    ],
)
def test_int8_wraps_around(framework, equation, values, expected):
    result = einsum(equation, *[framework.tensor(np.array(v), "int8") for v in values])
    assert framework.dtype(result) == "int8"
    assert_equal(framework, result, expected)


@pytest.mark.parametrize("equation", ["ij,jk->ik", "ij,jk->", "ij,kj->ki", "ij,ij->ij", "ij,ik->jk"])
def test_bool_is_any_of_ands(framework, equation):
    a = np.array([[True, False, True], [False, False, True], [False, False, False]])
    b = np.array([[False, False, True], [True, True, True], [False, True, False]])
    result = einsum(equation, framework.tensor(a), framework.tensor(b))
    assert framework.dtype(result) == "bool"
    assert_equal(framework, result, np.einsum(equation, a.astype(int), b.astype(int)) > 0)


@pytest.mark.parametrize("optimize", ["auto", False, "greedy"])
def test_bool_holds_in_a_chain_whose_count_would_overflow_float32(framework, optimize):
    # 64**23 ways lead from one end to the other: infinitely many for float32, and inf * 0 is NaN.
    full, last = np.ones((64, 64), bool), np.ones((64, 64), bool)
    last[:, 0] = False
    operands = [*[framework.tensor(full)] * 23, framework.tensor(last)]
    terms = [[n, n + 1] for n in range(24)]
    pairs = [x for pair in zip(operands, terms, strict=True) for x in pair]
    assert_equal(framework, einsum(*pairs, [0, 24], optimize=optimize), last)


def test_dtype_sets_what_is_computed_in_and_returned(framework):
    a = framework.tensor(np.array([100, 100, 100]), "int8")
    for dtype in ("int64", "float64", "complex64"):
        result = einsum("i,i->", a, a, dtype=dtype)
        assert framework.dtype(result) == dtype
        assert_equal(framework, result, 30000)


def test_a_count_of_bools_is_one_dtype_away(framework):
    a = framework.tensor(np.ones((3, 5), bool))
    assert_equal(framework, einsum("ij->i", a), [True] * 3)
    assert_equal(framework, einsum("ij->i", a, dtype="int64"), [5, 5, 5])


@pytest.mark.parametrize("equation", ["ij->ji", "ij->ij", "ii->i", "...->..."])
def test_dtype_is_honoured_where_the_result_is_a_view(framework, equation):
    a = framework.tensor(numbers(3, 3), "float32")
    result = einsum(equation, a, dtype="float64")
    assert framework.dtype(result) == "float64"
    assert_equal(framework, result, np.einsum(equation, numbers(3, 3)))


@pytest.mark.parametrize("spell", ["name", "numpy", "own", "type"])
def test_dtype_may_be_a_name_or_any_framework_s_object(framework, spell):
    own = {"numpy": np.float64, "torch": "float64", "tensorflow": "float64"}[framework.name]
    spec = {"name": "float64", "numpy": np.dtype("float64"), "type": float,
            "own": getattr(framework.module, own) if isinstance(own, str) else own}[spell]  # fmt: skip
    result = einsum("ij->i", framework.tensor(numbers(2, 3), "float32"), dtype=spec)
    assert framework.dtype(result) == "float64"


# --- 11: mixed dtypes -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("equation", "shapes", "expected"),
    [
        ("ij,j->i", [(2, 3), (3,)], [3, 3]),
        ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)], [[12, 12], [12, 12]]),
        ("ij,k->k", [(2, 3), (4,)], [6, 6, 6, 6]),  # the operand of bools is summed on its own
        ("ii,k->k", [(3, 3), (2,)], [3, 3]),
    ],
)
@pytest.mark.parametrize("dtype", ["float16", "float32", "int8", "complex64"])
@pytest.mark.parametrize("optimize", ["auto", False])
def test_a_bool_operand_beside_numbers_is_counted(framework, equation, shapes, expected, dtype, optimize):
    *bools, last = [np.ones(shape) for shape in shapes]
    operands = [*[framework.tensor(a, "bool") for a in bools], framework.tensor(last, dtype)]
    result = einsum(equation, *operands, optimize=optimize)
    assert framework.dtype(result) == dtype
    assert_equal(framework, result, expected)


def test_all_operands_are_promoted_before_the_first_partial_sum(framework):
    narrow, wide = framework.tensor(np.full((2, 3), 100), "int8"), framework.tensor(np.array([1]), "int32")
    assert_equal(framework, einsum("ij,k->i", narrow, wide), [300, 300])
    assert_equal(framework, einsum("ij,ij,k->", narrow, narrow, wide), 60000)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("float32", "float64", "float64"),
        ("int8", "uint8", "int16"),
        ("int32", "int64", "int64"),
        ("bool", "uint8", "uint8"),
        ("float32", "complex64", "complex64"),
        ("float64", "complex64", "complex128"),
        ("int8", "float32", "float32"),
        ("bfloat16", "float32", "float32"),
    ],
)
def test_mixed_dtypes_promote(framework, one, other, expected):
    a, b = framework.tensor(numbers(2, 3) + 3, one), framework.tensor(numbers(3, 4) + 3, other)
    result = einsum("ij,jk->ik", a, b)
    assert framework.dtype(result) == framework.dtype(einsum("jk,ij->ik", b, a)) == expected
    held = [
        (x + 3) != 0 if name == "bool" else x + 3
        for x, name in [(numbers(2, 3), one), (numbers(3, 4), other)]
    ]
    assert_equal(framework, result, held[0].astype(float) @ held[1].astype(float))


# --- 12: dtypes that the kernel lacks -------------------------------------------------------------


@pytest.mark.parametrize(
    "dtype", ["uint16", "uint32", "uint64", "int16", "uint8", "float8_e5m2", "bfloat16", "float16"]
)
def test_every_dtype_can_be_contracted(framework, dtype):
    a, b = np.array([[1.0, 2, 0], [3, 1, 1]]), np.array([[1.0, 0], [0, 1], [2, 1]])
    result = einsum("ij,jk->ik", framework.tensor(a, dtype), framework.tensor(b, dtype))
    assert framework.dtype(result) == dtype
    assert_equal(framework, result, a @ b)


# --- 13: accuracy -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("i,i->", [(4096,), (4096,)]),
        ("ij,j->i", [(2, 4096), (4096,)]),
        ("ij,jk->ik", [(2, 4096), (4096, 3)]),
        ("bij,bjk->bik", [(2, 2, 4096), (2, 4096, 2)]),
        ("i->", [(4096,)]),
        ("ij->j", [(4096, 2)]),
        ("ij->i", [(2, 4096)]),
        ("ij->", [(64, 64)]),
        ("i,i,i->", [(4096,)] * 3),
        ("i,j->", [(64,), (64,)]),
    ],
)
def test_a_sum_of_4096_halves_is_4096(framework, equation, shapes, dtype):
    result = einsum(equation, *[framework.tensor(np.ones(shape), dtype) for shape in shapes])
    assert framework.dtype(result) == dtype
    got = framework.numpy(result)
    np.testing.assert_array_equal(got, np.full(got.shape, 4096.0))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_accuracy_is_not_below_the_framework_s_own_matmul(framework, dtype):
    rng = np.random.default_rng(7)
    a, b = [framework.tensor(rng.uniform(0, 1, shape), dtype) for shape in [(32, 2048), (2048, 32)]]
    exact = framework.numpy(a) @ framework.numpy(b)
    product = framework.numpy(framework.module.matmul(a, b))
    own = np.abs(framework.numpy(framework.tensor(product, dtype)) - exact).max()
    ours = np.abs(framework.numpy(einsum("ij,jk->ik", a, b)) - exact).max()
    # Twice: where both round once, the order of a sum may decide which way.
    assert ours <= 2 * own + 1e-12


# --- 14: mixed frameworks -------------------------------------------------------------------------


def test_numpy_arrays_go_with_tensors_of_any_one_framework(framework):
    a, b = numbers(2, 3), numbers(3, 4)
    for operands in ([framework.tensor(a), b], [a, framework.tensor(b)]):
        result = einsum("ij,jk->ik", *operands)
        assert type(result) is type(framework.tensor(a))
        assert_equal(framework, result, a @ b)


def test_the_dtype_of_a_numpy_array_counts(framework):
    a = framework.tensor(numbers(2, 3), "float32")
    assert framework.dtype(einsum("ij,ij->ij", a, numbers(2, 3))) == "float64"
    assert framework.dtype(einsum("ij,ij->ij", a, numbers(2, 3).astype("float32"))) == "float32"
    assert framework.dtype(einsum("ij,ij->ij", a, numbers(2, 3).astype("int8"))) == "float32"


def test_nothing_is_lost_of_a_numpy_array(framework):
    ones = framework.tensor(np.ones(2), "int32")
    assert_equal(framework, einsum("i,i->i", ones, np.array([2**40, -(2**40)])), [2**40, -(2**40)])
    assert_equal(
        framework, einsum("i,i->i", framework.tensor(np.ones(1), "float32"), np.array([2.7 + 1j])), [2.7 + 1j]
    )
    assert_equal(framework, einsum("i,->", framework.tensor(np.ones(1), "float64"), np.array(2.7)), 2.7)


def test_tensors_of_two_frameworks_are_an_error_that_names_both(torch, tf):
    for a, b, names in (
        (torch.ones(2), tf.ones(2), "operand 0 is a torch Tensor but operand 1 a tensorflow EagerTensor"),
        (tf.ones(2), torch.ones(2), "operand 0 is a tensorflow EagerTensor but operand 1 a torch Tensor"),
    ):
        with pytest.raises(TypeError, match=names):
            einsum("i,i->", a, b)
        with pytest.raises(TypeError, match=r"operand 1 is a .* but operand 2 a"):
            einsum("i,i,i->", np.ones(2), a, b)


def test_different_devices_are_an_error_that_names_them(torch):
    with pytest.raises(OperandTypeError, match="tensors are on different devices: cpu and meta"):
        einsum("i,i->", torch.ones(2), torch.ones(2, device="meta"))


# --- 15: views, scalars, memory order -----------------------------------------------------------------


def address(framework: Framework, x) -> int:
    if framework.name == "torch":
        return x.untyped_storage().data_ptr()
    while x.base is not None:
        x = x.base
    return x.__array_interface__["data"][0]


VIEWS = ["ij->ji", "ij->ij", "ij", "...->...", "...j->j...", "ii->i", " ii -> i "]


@pytest.mark.parametrize("equation", VIEWS)
def test_without_a_sum_the_result_is_a_view(mutable, equation):
    a = mutable.tensor(numbers(3, 3))
    result = einsum(equation, a)
    assert result is not a
    assert address(mutable, result) == address(mutable, a)
    result[...] = 7
    assert (mutable.numpy(a) == 7).sum() == mutable.numpy(result).size


@pytest.mark.parametrize("equation", ["iij->ji", "iji->ij", "iijj->ij", "ijk->kji", "i...i->...i"])
def test_diagonals_among_more_axes_are_views_too(mutable, equation):
    a = mutable.tensor(numbers(3, 3, 3, 3) if equation in ("iijj->ij", "i...i->...i") else numbers(3, 3, 3))
    assert address(mutable, einsum(equation, a)) == address(mutable, a)


@pytest.mark.parametrize("equation", VIEWS)
@pytest.mark.parametrize("writeable", [True, False])
def test_a_view_is_writeable_exactly_if_the_input_is(equation, writeable):
    a = numbers(3, 3)
    a.flags.writeable = writeable
    assert einsum(equation, a).flags.writeable is writeable


@pytest.mark.parametrize("equation", ["", "i->", "ij->", "ii", "i,i->", "ij,ji", ",->"])
@pytest.mark.parametrize("dtype", ["float32", "int8", "bool", "complex128"])
def test_a_result_without_axes_is_a_numpy_scalar(equation, dtype):
    terms = equation.partition("->")[0].split(",")
    result = einsum(equation, *[np.ones([2] * len(term), dtype) for term in terms])
    assert type(result) is np.dtype(dtype).type


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk->ik", [(2, 3), (3, 4)]),
        ("ij,kj->ik", [(2, 3), (4, 3)]),
        ("ji,jk->ik", [(3, 2), (3, 4)]),
        ("bij,bjk->bik", [(5, 2, 3), (5, 3, 4)]),
        ("ibj,jbk->bik", [(2, 5, 3), (3, 5, 4)]),
        ("bcij,cbjk->bcik", [(5, 2, 2, 3), (2, 5, 3, 4)]),
        ("abc,cd->abd", [(2, 3, 4), (4, 5)]),
        ("bac,dc->abd", [(2, 3, 4), (5, 4)]),
        ("i,j->ij", [(2,), (3,)]),
        ("ij,kl->ijkl", [(2, 3), (4, 5)]),
        ("bi,bj->bij", [(2, 3), (2, 4)]),
        ("ij,ij->ij", [(2, 3), (2, 3)]),
        ("ij,j->ij", [(2, 3), (3,)]),
        ("ij,j->i", [(2, 3), (3,)]),
        ("bij,bj->bi", [(4, 2, 3), (4, 3)]),
        ("ijk->ik", [(2, 3, 4)]),
        ("ijk->jk", [(2, 3, 4)]),
        ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 5)]),
        ("bij,bjk,bkl->bil", [(2, 2, 3), (2, 3, 4), (2, 4, 5)]),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int32", "float16"])
def test_output_in_the_order_batch_left_right_is_c_contiguous(mutable, equation, shapes, turned, dtype):
    operands = [mutable.tensor(numbers(*shape), dtype) for shape in shapes]
    if turned:  # the same shapes, the memory the other way round
        operands = [mutable.tensor(numbers(*shape).T, dtype).T if len(shape) == 2 else
                    einsum("abc->cba", mutable.tensor(numbers(*shape[::-1]), dtype)) if len(shape) == 3 else x
                    for shape, x in zip(shapes, operands, strict=True)]  # fmt: skip
    result = einsum(equation, *operands)
    assert result.is_contiguous() if mutable.name == "torch" else result.flags.c_contiguous


# --- 16: keywords -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "optimize",
    ["auto", "auto-hq", "optimal", "dp", "greedy", "random-greedy", "branch-all", "branch-2", "branch-1",
     "dynamic-programming", "eager", True, False, None, ("greedy", 100), ("optimal", 8.0),
     [(0, 1), (0, 1), (0, 1)], ["einsum_path", (0, 1, 2, 3)], ["einsum_path", (1, 3), (0, 1, 2)],
     ((0, 1), (0, 1), (0, 1)),
     opt_einsum.DynamicProgramming(), opt_einsum.RandomGreedy(max_repeats=2)],
    ids=spelled,
)  # fmt: skip
def test_every_way_to_optimize_gives_the_same_values(framework, optimize):
    shapes = [(2, 3), (3, 4), (4, 5), (5, 2)]
    result = einsum("ij,jk,kl,lm->im", *tensors(framework, *shapes), optimize=optimize)
    assert_equal(framework, result, np.linalg.multi_dot([numbers(*shape) for shape in shapes]))


@pytest.mark.parametrize("optimize", [True, "greedy", [(0,)], False])
def test_optimize_is_taken_with_one_operand_too(framework, optimize):
    result = einsum("ij->j", *tensors(framework, (2, 3)), optimize=optimize)
    assert_equal(framework, result, numbers(2, 3).sum(0))


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk->ik", [(2, 3), (3, 4)]),
        ("ij->ji", [(2, 3)]),
        ("ij->", [(2, 3)]),
        ("ij,jk,kl->li", [(2, 3), (3, 4), (4, 5)]),
    ],
)
def test_out_is_filled_and_returned(mutable, equation, shapes):
    expected = np.einsum(equation, *[numbers(*shape) for shape in shapes])
    out = mutable.tensor(np.full(expected.shape, np.nan))
    assert einsum(equation, *tensors(mutable, *shapes), out=out) is out
    assert_equal(mutable, out, expected)


def test_out_may_have_any_strides(mutable):
    whole = mutable.tensor(np.zeros((8, 4)))
    einsum("ij,jk->ki", *tensors(mutable, (2, 3), (3, 4)), out=whole[::2, ::2])
    expected = np.zeros((8, 4))
    expected[::2, ::2] = (numbers(2, 3) @ numbers(3, 4)).T
    assert_equal(mutable, whole, expected)


@pytest.mark.parametrize(
    ("equation", "others"),
    [
        ("ij,jk->ik", 1),
        ("jk,ij->ik", 1),
        ("ij,ij->ij", 1),
        ("ij,ij->ji", 1),
        ("ij,jk,kl->il", 2),
        ("ij->ij", 0),
        ("ij->ji", 0),
    ],
)
def test_out_may_be_an_operand(mutable, equation, others):
    a, b = numbers(5, 5), numbers(5, 5).T + 1
    out = mutable.tensor(a.copy())
    einsum(equation, out, *[mutable.tensor(b)] * others, out=out)
    assert_equal(mutable, out, np.einsum(equation, a, *[b] * others))


def test_out_may_overlap_an_operand_in_part(mutable):
    whole = numbers(9, 8)
    held = mutable.tensor(whole.copy())
    einsum("ij,jk->ik", held[:8], mutable.tensor(np.eye(8)[::-1].copy()), out=held[1:])
    assert_equal(mutable, held[1:], whole[:8, ::-1])


@pytest.mark.parametrize("size", [7, 100])
def test_out_may_overlap_the_view_that_the_result_would_be(mutable, size):
    whole = numbers(size, size)
    turned, moved, line = (mutable.tensor(whole.copy()) for _ in range(3))
    einsum("ij->ji", turned[1:], out=turned[:, :-1])
    assert_equal(mutable, turned[:, :-1], whole[1:].T)
    einsum("ij->ij", moved[:-1], out=moved[1:])
    assert_equal(mutable, moved[1:], whole[:-1])
    einsum("ii->i", line, out=line[0])
    assert_equal(mutable, line[0], np.diag(whole))


def test_out_is_refused_where_tensors_are_immutable(tf):
    with pytest.raises(TypeError, match="out= cannot be filled: tensorflow tensors are immutable"):
        einsum("ij->ji", tf.ones((2, 3)), out=tf.ones((3, 2)))


# --- 17: special types (a file of their own has the rest) -----------------------------------------------


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # numpy.matrix itself
def test_subclasses_and_variables_are_handled_as_tensors(framework):
    operand = {
        "numpy": np.matrix,
        "torch": lambda array: framework.module.nn.Parameter(framework.tensor(array)),
        "tensorflow": lambda array: framework.module.Variable(array),
    }[framework.name](numbers(2, 3))
    assert_equal(framework, einsum("ij->ji", operand), numbers(2, 3).T)


# --- 18: gradients --------------------------------------------------------------------------------------

DIFFERENTIATED = [
    ("ij,jk->ik", [(2, 3), (3, 4)]),
    ("bij,bjk->bki", [(2, 2, 3), (2, 3, 4)]),
    ("ij,ij->", [(2, 3), (2, 3)]),
    ("i,j->ji", [(2,), (3,)]),
    ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]),
    ("ik,jkl,il->ij", [(2, 3), (4, 3, 5), (2, 5)]),
    ("ij->ji", [(2, 3)]),
    ("ij->", [(2, 3)]),
    ("ii->i", [(3, 3)]),
    ("...ij,...jk->...ik", [(5, 2, 3), (3, 4)]),
]


def seeded(seed: int, shape, dtype: str) -> np.ndarray:
    rng = np.random.default_rng(seed)
    real = rng.standard_normal(shape)
    return real + 1j * rng.standard_normal(shape) if dtype.startswith("complex") else real


@pytest.mark.parametrize(("equation", "shapes"), DIFFERENTIATED)
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_torch_gradients_are_those_of_its_own_einsum(torch, equation, shapes, dtype):
    def gradients(function):
        xs = [torch.tensor(seeded(n, s, dtype), requires_grad=True) for n, s in enumerate(shapes)]
        y = function(equation, *xs)
        return torch.autograd.grad(y, xs, torch.tensor(seeded(9, tuple(y.shape), dtype)))

    for ours, own in zip(gradients(einsum), gradients(torch.einsum), strict=True):
        torch.testing.assert_close(ours, own)


@pytest.mark.parametrize(("equation", "shapes"), [*DIFFERENTIATED[:6], *DIFFERENTIATED[-1:]])
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_tensorflow_gradients_are_those_of_its_own_einsum(tf, equation, shapes, dtype):
    xs = [tf.constant(seeded(n, s, dtype)) for n, s in enumerate(shapes)]

    def gradients(function):
        with tf.GradientTape() as tape:
            tape.watch(xs)
            y = function(equation, *xs)
        return tape.gradient(y, xs, tf.constant(seeded(9, tuple(y.shape), dtype)))

    for ours, own in zip(gradients(einsum), gradients(tf.einsum), strict=True):
        np.testing.assert_allclose(ours.numpy(), own.numpy(), rtol=1e-12)


def test_tensorflow_differentiates_views_and_diagonals(tf):
    x, weights = tf.constant(numbers(3, 3)), numbers(3)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        diagonal, turned = einsum("ii->i", x), einsum("ij->ji", x)
    np.testing.assert_array_equal(tape.gradient(diagonal, x, tf.constant(weights)), np.diag(weights))
    np.testing.assert_array_equal(tape.gradient(turned, x, x), numbers(3, 3).T)


@pytest.mark.parametrize(("equation", "shapes"), DIFFERENTIATED[:6])
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_torch_second_derivatives_are_right(torch, equation, shapes, dtype):
    xs = [torch.tensor(seeded(n, s, dtype), requires_grad=True) for n, s in enumerate(shapes)]
    assert torch.autograd.gradcheck(lambda *xs: einsum(equation, *xs), xs)
    assert torch.autograd.gradgradcheck(lambda *xs: einsum(equation, *xs), xs)


def test_tensorflow_second_derivatives_are_right(tf):
    x = tf.constant([1.0, 2.0, 3.0], tf.float64)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = einsum("i,i,i->", x, x, x)
        first = inner.gradient(y, x)
    np.testing.assert_allclose(first, [3.0, 12.0, 27.0])
    np.testing.assert_allclose(outer.gradient(first, x), [6.0, 12.0, 18.0])


@pytest.mark.parametrize(("equation", "shapes"), DIFFERENTIATED)
@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")  # torch.func.jvp itself
def test_torch_forward_mode_is_that_of_its_own_einsum(torch, equation, shapes):
    xs = tuple(torch.tensor(seeded(n, s, "float64")) for n, s in enumerate(shapes))
    tangents = tuple(torch.tensor(seeded(n + 5, s, "float64")) for n, s in enumerate(shapes))
    ours = torch.func.jvp(lambda *xs: einsum(equation, *xs), xs, tangents)
    own = torch.func.jvp(lambda *xs: torch.einsum(equation, *xs), xs, tangents)
    torch.testing.assert_close(ours, own)


def test_tensorflow_forward_mode_is_right(tf):
    x, t = tf.constant(numbers(2, 3)), tf.constant(numbers(3, 2).T.copy())
    with tf.autodiff.ForwardAccumulator(x, t) as accumulator:
        y = einsum("ij,kj->ik", x, x)
    expected = numbers(2, 3) @ numbers(3, 2) + (numbers(2, 3) @ numbers(3, 2)).T
    np.testing.assert_allclose(accumulator.jvp(y), expected)


@pytest.mark.parametrize(("equation", "shapes"), DIFFERENTIATED)
def test_torch_vmap_is_that_of_its_own_einsum(torch, equation, shapes):
    xs = [torch.tensor(seeded(n, (3, *s), "float64")) for n, s in enumerate(shapes)]
    ours = torch.vmap(lambda *xs: einsum(equation, *xs))(*xs)
    torch.testing.assert_close(ours, torch.vmap(lambda *xs: torch.einsum(equation, *xs))(*xs))


def test_tensorflow_vectorized_map_is_right(tf):
    a, b = numbers(5, 2, 3), numbers(5, 3, 4)
    result = tf.vectorized_map(lambda xs: einsum("ij,jk->ik", *xs), (tf.constant(a), tf.constant(b)))
    np.testing.assert_array_equal(result, a @ b)


# --- 19: NaN, inf, and which association --------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # NumPy says so of inf * 0 in a matmul
def test_nan_and_inf_go_through_a_product(framework):
    a, b = np.array([[1.0, np.nan], [np.inf, 2.0]]), np.array([[1.0, 2.0], [3.0, 4.0]])
    expected = np.array([[np.nan, np.nan], [np.inf, np.inf]])
    assert_equal(framework, einsum("ij,jk->ik", framework.tensor(a), framework.tensor(b)), expected)


def test_the_default_order_is_deterministic(framework):
    rng = np.random.default_rng(3)
    operands = [framework.tensor(rng.standard_normal((4, 4, 4))) for _ in range(6)]
    equation = "abc,cde,efg,ghi,ijk,kla->bdfhjl"
    results = []
    for _ in range(2):
        einsum_unified.clear_cache()
        results.append(framework.numpy(einsum(equation, *operands)).tobytes())
    assert results[0] == results[1]


def test_the_default_order_does_not_depend_on_the_hashes_of_labels():
    code = (
        "import numpy as np, einsum_unified as e\n"
        "x = np.ones((3, 3, 3))\n"
        "labels = [['a', 'b', 'c'], ['c', 'd', 'e'], ['e', 'f', 'a'], ['f', 'g', 'h'], ['h', 'd', 'g']]\n"
        "pairs = [p for labels in labels for p in (x, labels)]\n"
        "print(e.einsum_plan(*pairs, ['b']).path)"
    )
    paths = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(paths) == 1
    assert paths.pop().startswith("((")


def test_the_order_can_be_read_and_given_back(framework):
    operands = tensors(framework, (2, 3), (3, 4), (4, 5))
    path, _ = einsum_path("ij,jk,kl->il", *operands, optimize="auto")
    expected = np.linalg.multi_dot([numbers(2, 3), numbers(3, 4), numbers(4, 5)])
    assert_equal(framework, einsum("ij,jk,kl->il", *operands, optimize=path), expected)


# --- 20: errors (a file of their own has every message) -------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "cls", "base"),
    [
        (["ij->ii", (2, 3)], EquationError, ValueError),
        (["ij,jk->ik", (2, 3), (4, 5)], OperandError, ValueError),
        (["ij,jk->ik", (2, 3)], OperandError, ValueError),
        (["ij,->i", (2, 3), object()], OperandTypeError, TypeError),
        (["ij,->i", (2, 3), "text"], OperandTypeError, ValueError),
    ],
)
def test_errors_are_einsum_errors_and_what_python_calls_them(framework, arguments, cls, base):
    operands = [framework.tensor(numbers(*x)) if isinstance(x, tuple) else x for x in arguments[1:]]
    with pytest.raises(cls) as caught:
        einsum(arguments[0], *operands)
    assert isinstance(caught.value, EinsumError)
    assert isinstance(caught.value, base)
