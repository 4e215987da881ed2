"""The forms of a call, and operands that are no framework's tensors."""

from __future__ import annotations

import array
import enum

import numpy as np
import pytest

from einsum_unified import BackendError, EquationError, OperandError, OperandTypeError, einsum, einsum_plan
from einsum_unified.binding.arrays import prepare
from einsum_unified.binding.call import arguments, check_keywords, is_shape
from einsum_unified.dtypes import WEAK
from einsum_unified.language.sublists import Sublists

X = np.arange(6.0).reshape(2, 3)
Y = np.arange(12.0).reshape(3, 4)


# --- forms of a call ------------------------------------------------------------------------------


def test_text_and_operands_come_back_as_they_are():
    key, operands = arguments("ij,jk", (X, Y))
    assert key == "ij,jk"
    assert [x is y for x, y in zip(operands, (X, Y), strict=True)] == [True, True]


def test_bytes_become_text():
    assert arguments(b"ij", (X,))[0] == "ij"


@pytest.mark.parametrize("kind", [list, tuple])
def test_one_list_of_operands_is_taken_apart(framework, kind):
    a, b = framework.tensor(X), framework.tensor(Y)
    assert (framework.numpy(einsum("ij,jk->ik", kind([a, b]))) == X @ Y).all()
    assert (framework.numpy(einsum("ij->ji", kind([a]))) == X.T).all()


def test_nested_lists_of_numbers_are_one_operand():
    assert einsum("ij->", [[1, 2], [3, 4]]) == 10
    assert einsum("i->", [1, 2, 3]) == 6
    assert einsum("i->", (1, 2, 3)) == 6


def test_a_tuple_of_integers_is_a_shape_for_a_plan_and_two_operands_for_a_call():
    assert einsum(",->", (2, 3)) == 6
    assert einsum("i,->i", ((2, 3), 4)).tolist() == [8, 12]
    with pytest.raises(OperandError, match="the equation has 2 terms but 1 operand was given"):
        einsum_plan(",->", (2, 3))
    assert einsum_plan("ij->", (2, 3)).bound.operands[0].shape == (2, 3)


def test_a_list_with_an_array_in_it_is_a_list_of_operands():
    for items in ([X, [1, 2]], [[1, 2], X]):
        with pytest.raises(OperandError, match="the equation has 1 term but 2 operands were given"):
            einsum("ij->", items)


def test_a_list_of_nested_lists_is_taken_apart_for_two_terms():
    assert einsum("i,i->", [[1, 2], [3, 4]]) == 1 * 3 + 2 * 4


def test_the_interleaved_form_is_split():
    key, operands = arguments(X, ([0, 1], Y, [1, 2], [2, 0]))
    assert key == Sublists(((0, 1), (1, 2)), (2, 0))
    assert operands[0] is X
    assert operands[1] is Y


@pytest.mark.parametrize("dtype", ["int64", "uint8", "int16"])
def test_a_sublist_may_be_an_array_of_integers(framework, dtype: str):
    rows, columns, output = (np.array(labels, dtype) for labels in ([0, 1], [1, 2], [2, 0]))
    assert arguments(X, (rows, Y, columns, output))[0] == Sublists(((0, 1), (1, 2)), (2, 0))
    x, y = framework.tensor(X), framework.tensor(Y)
    assert (framework.numpy(einsum(x, rows, y, columns, output)) == (X @ Y).T).all()
    assert all(type(label) is int for label in arguments(X, (rows,))[0].inputs[0])


def test_a_sublist_may_be_a_tensor_of_torch(torch):
    rows = torch.tensor([0, 1])
    assert (
        einsum(torch.tensor(X), rows, torch.tensor(Y), [1, 2], torch.tensor([2, 0])).numpy() == (X @ Y).T
    ).all()


@pytest.mark.parametrize("labels", [np.array(0), np.zeros((1, 2), int), {0: 1}, "ij", b"ij", {0, 1}, 5])
def test_a_sublist_that_is_no_sequence_of_labels_is_named(labels):
    article = "an" if isinstance(labels, (np.ndarray, int)) else "a"
    says = f"the sublist of operand 1 is {article} {type(labels).__name__}, not a list or tuple of labels"
    with pytest.raises(EquationError, match=says):
        einsum(X, [0, 1], Y, labels)


def test_the_interleaved_form_may_leave_the_output_out():
    key, _ = arguments(X, ([0, 1], Y, [1, 2]))
    assert key == Sublists(((0, 1), (1, 2)), None)


def test_the_interleaved_form_takes_lists_and_numbers_as_operands():
    assert einsum([1, 2, 3], [0], 2.0, [], []) == 12.0


@pytest.mark.parametrize("alone", [X, 5, None, [1, 2], {"i": 0}])
def test_an_operand_alone_is_no_call(alone):
    with pytest.raises(EquationError) as caught:
        einsum(alone)
    kind = {"ndarray": "an ndarray", "int": "an int"}.get(type(alone).__name__, f"a {type(alone).__name__}")
    assert str(caught.value) == f"the equation is {kind}, not text, and no sublist follows it"


def test_an_equation_that_is_not_text_is_named_before_an_array():
    with pytest.raises(
        EquationError, match=r"^the equation is a NoneType, not text, and no sublist follows it$"
    ):
        einsum(None, X)


@pytest.mark.parametrize(
    ("x", "is_one"),
    [
        ((), True),
        ((2, 3), True),
        ((np.int64(2), 3), True),
        ([2, 3], False),
        ((2.0, 3), False),
        ((None, 3), True),
        (np.ones(2), False),
    ],
)
def test_a_shape_is_a_tuple_of_integers_or_none(x, is_one: bool):
    assert is_shape(x) is is_one


# --- keywords -------------------------------------------------------------------------------------


def test_an_unknown_keyword_is_a_type_error_that_lists_the_known():
    with pytest.raises(TypeError) as caught:
        einsum("ij->ji", X, order="C")
    known = "optimize, dtype, out, hints, strict"
    assert str(caught.value) == f"einsum() got an unknown keyword 'order'; known: {known}"


def test_no_unknown_keyword_is_no_error():
    check_keywords({}, ("dtype",), "einsum")
    with pytest.raises(TypeError, match="f\\(\\) got an unknown keyword 'a'; known: b, c"):
        check_keywords({"a": 1}, ("b", "c"), "f")


# --- numbers and lists ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "cls", "dtype"),
    [
        (True, bool, "bool"),
        (3, int, "int64"),
        (2.5, float, "float64"),
        (1j, complex, "complex128"),
        ([1, 2], int, "int64"),
        ((True, False), bool, "bool"),
        ([[1, 2.5]], float, "float64"),
        ([1, True, 1j], complex, "complex128"),
        ([], float, "float64"),
        ([[], []], float, "float64"),
        (enum.IntEnum("E", {"A": 4}).A, int, "int64"),
    ],
)
def test_python_numbers_and_lists_of_them_are_weak(x, cls: type, dtype: str):
    got, kind = prepare(x, 0)
    assert kind is cls
    assert kind in WEAK
    assert isinstance(got, np.ndarray)
    assert got.dtype.name == dtype


@pytest.mark.parametrize(
    "x",
    [
        np.float32(2),
        np.ones(2),
        np.ma.masked_array([1.0, 2.0]),
        [np.float32(1), 2],
        [np.float64(1), 2],
        [[1j], [np.complex128(1)]],
        [np.bool_(True), False],
        [np.ones(2), np.zeros(2)],
        array.array("d", [1, 2]),
        memoryview(b"ab"),
    ],
    ids=lambda x: type(x).__name__,
)
def test_arrays_and_lists_with_numpy_values_are_numpy_arrays(x):
    got, cls = prepare(x, 0)
    assert cls is np.ndarray
    assert type(got) is np.ndarray
    assert (got == np.asarray(x)).all()


def test_an_object_that_only_gives_an_array_is_a_numpy_array():
    class Wrapped:
        def __array__(self, dtype=None, copy=None):
            return X

    got, cls = prepare(Wrapped(), 0)
    assert cls is np.ndarray
    assert (got == X).all()
    assert einsum("ij->", Wrapped(), dtype=float) == X.sum()


def test_an_array_of_another_library_is_not_turned_into_numpys():
    class Claims:
        def __array__(self, dtype=None, copy=None):
            raise AssertionError

        def __array_namespace__(self):
            raise AssertionError

    with pytest.raises(BackendError, match=r"^__array_namespace__ of '.*Claims' failed: AssertionError"):
        prepare(Claims(), 0)


def test_a_tensor_comes_back_as_it_is(torch):
    x = torch.ones(2)
    assert prepare(x, 0)[0] is x
    assert prepare(x, 0)[1] is torch.Tensor


@pytest.mark.parametrize(
    ("x", "held"),
    [(["a"], "a list that holds a str"), (([None],), "a tuple that holds a NoneType"), ([{}], "a dict")],
)
def test_a_list_of_anything_else_is_a_type_error(x, held: str):
    with pytest.raises(OperandTypeError, match=f"^operand 3 is .*{held}"):
        prepare(x, 3)


def test_what_a_list_holds_is_named_by_the_root_of_its_module(tf):
    with pytest.raises(OperandTypeError, match=r"^operand 0 is a list that holds a tensorflow \w+\n"):
        prepare([tf.ones(2)], 0)


def test_a_list_of_tensors_as_one_operand_names_the_way_out(torch):
    with pytest.raises(OperandTypeError) as caught:
        einsum("ij,j->i", [torch.ones(2), torch.ones(2)], torch.ones(2))
    assert str(caught.value) == (
        "operand 0 is a list that holds a torch Tensor\n"
        "  a list may hold only Python numbers and NumPy arrays; join tensors with their framework's stack"
    )


@pytest.mark.parametrize("x", [[[1, 2], [3]], [[1], 2], [np.ones(2), np.ones(3)]])
def test_rows_of_different_length_are_an_error(x):
    with pytest.raises(OperandError, match=r"^operand 1 is a nested list whose rows differ in length$"):
        prepare(x, 1)


def test_a_list_that_holds_itself_is_an_error():
    loop: list = [1]
    loop.append(loop)
    with pytest.raises(OperandError, match="may contain itself"):
        einsum("i->", loop)


def test_a_mask_that_is_dropped_is_warned_of():
    x = np.ma.masked_array([1.0, 2.0], mask=[True, False])
    with pytest.warns(UserWarning, match="^the mask of a MaskedArray is ignored by einsum$"):
        assert einsum("i->", x) == 3.0
    assert einsum("i->", np.ma.masked_array([1.0, 2.0])) == 3.0  # no mask, no warning
