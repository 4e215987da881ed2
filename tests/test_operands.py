"""`bind`: an equation with shapes and dtypes, and every way in which operands do not fit it."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pytest

from einsum_unified import OperandError, OperandTypeError, einsum
from einsum_unified.adapter import Form
from einsum_unified.adapter.dispatch import load
from einsum_unified.binding.bind import bind
from einsum_unified.binding.bound import Bound
from einsum_unified.binding.operand import Operand
from einsum_unified.binding.result_dtype import result_dtype
from einsum_unified.language.equation import parse
from einsum_unified.language.sizes import DEFAULT_HINT, Size
from einsum_unified.language.sublists import Sublists
from einsum_unified.program.in_range import in_range

NUMPY = load("numpy")


def operand(*shape, dtype: str = "float64") -> Operand:
    return Operand(shape, dtype, "numpy", Form.TENSOR)


def weak(cls: type) -> Operand:
    dtype = {bool: "bool", int: "int64", float: "float64", complex: "complex128"}[cls]
    return Operand((), dtype, "python", Form.ARRAY, cls)


def bound(text: str | Sublists, *shapes) -> Bound:
    return bind(parse(text), [operand(*shape) for shape in shapes], NUMPY)


# --- labels and sizes -----------------------------------------------------------------------------


def test_labels_are_numbered_by_first_occurrence_and_sized():
    got = bound("kj,ji->ik", (2, 3), (3, 4))
    assert got.terms == ((0, 1), (1, 2))
    assert got.output == (2, 0)
    assert got.sizes == (2, 3, 4)
    assert got.labels == ("k", "j", "i")
    assert got.dtype == "float64"
    assert got.shapes == ((2, 3), (3, 4))
    assert (got.unknown, got.unranked) == ((), False)


def test_a_bound_equation_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        bound("i", (2,)).dtype = "int8"


@pytest.mark.parametrize(
    ("text", "shapes", "sizes"),
    [
        ("i,i->i", [(1,), (3,)], (3,)),
        ("i,i->i", [(3,), (1,)], (3,)),
        ("i,i->", [(1,), (0,)], (0,)),
        ("i,i->", [(0,), (1,)], (0,)),
        ("i,i,i", [(1,), (1,), (1,)], (1,)),
        ("ij,ji", [(1, 5), (1, 4)], (4, 5)),
        ("->", [()], ()),
    ],
)
def test_size_1_gives_way_to_any_other(text: str, shapes: list, sizes: tuple):
    assert bound(text, *shapes).sizes == sizes


def test_axes_that_broadcast_are_left_out_of_the_reduced_terms():
    assert bound("ij,jj->i", (2, 1), (3, 3)).reduced() == ((0,), (1,))


@pytest.mark.parametrize(
    ("text", "shapes", "terms", "output", "sizes"),
    [
        ("...i->...", [(2, 3, 4)], ((1, 2, 0),), (1, 2), (4, 2, 3)),
        ("i...,...->i...", [(2, 3), (5, 1)], ((0, 2), (1, 2)), (0, 1, 2), (2, 5, 3)),
        ("...,...->", [(), (3,)], ((), (0,)), (), (3,)),
        ("i...j->j...i", [(2, 3)], ((0, 1),), (1, 0), (2, 3)),
        ("i->...i", [(2,)], ((0,),), (0,), (2,)),
        ("...a,...b->a", [(7, 2), (6, 1, 3)], ((3, 0), (2, 3, 1)), (0,), (2, 3, 6, 7)),
    ],
)
def test_ellipsis_axes_align_at_the_right(text: str, shapes: list, terms, output, sizes):
    got = bound(text, *shapes)
    assert (got.terms, got.output, got.sizes) == (terms, output, sizes)


def test_ellipsis_axes_come_after_the_named_labels():
    assert bound("i...", (2, 3, 4)).labels == ("i", ..., ...)


def test_a_clash_within_the_ellipsis_names_the_axis_from_the_right():
    with pytest.raises(OperandError, match=r"axis -2 of '\.\.\.' is 3 in operand 0 but 5 in operand 1"):
        bound("i...,...", (2, 3, 4), (5, 4))


def test_a_number_of_axes_that_is_not_known_leaves_nothing_to_plan():
    items = [Operand(None, "float64", "numpy", Form.TENSOR), operand(3)]
    got = bind(parse("...i,i->"), items, NUMPY)
    assert got.unranked
    assert (got.terms, got.output, got.sizes, got.shapes, got.dtype) == ((), (), (), (), "float64")
    assert (got.equation, got.operands, got.labels) == (parse("...i,i->"), tuple(items), ("i",))


def test_a_label_may_be_repeated_in_an_operand_of_unknown_rank():
    assert bind(parse("i...i->..."), [Operand(None, "float64", "numpy", Form.TENSOR)], NUMPY).unranked


def test_a_term_without_an_ellipsis_gives_an_unknown_number_of_axes():
    got = bind(parse("ij,j->i"), [Operand(None, "float64", "numpy", Form.TENSOR), operand(3)], NUMPY)
    assert [(x.shape, x.assumed) for x in got.operands] == [((None, None), True), ((3,), False)]
    assert (got.unranked, got.unknown, got.sizes[1]) == (False, (0,), 3)


def test_a_size_that_is_known_elsewhere_is_known():
    got = bind(parse("i,i->"), [operand(None), operand(3)], NUMPY)
    assert (got.sizes, got.shapes, got.unknown) == ((3,), ((3,), (3,)), ())


def test_size_1_elsewhere_says_nothing():
    got = bind(parse("i,i->"), [operand(1), operand(None)], NUMPY)
    size = Size.read([(1, 0)], DEFAULT_HINT)
    assert (got.sizes, got.shapes, got.unknown) == ((size,), ((1,), (size,)), (0,))
    assert got.reduced() == ((), (0,))


def test_a_size_is_read_where_it_first_occurs():
    got = bind(parse("ij,jk,kj"), [operand(2, 1), operand(None, 4), operand(4, None)], NUMPY)
    size = Size.read([(1, 0)], DEFAULT_HINT)
    assert (got.sizes, got.shapes) == ((2, size, 4), ((2, 1), (size, 4), (4, size)))


def test_sizes_that_cannot_be_compared_are_read_in_each_operand():
    deferred = copy.copy(NUMPY)
    deferred.capabilities = dataclasses.replace(NUMPY.capabilities, deferred=True)
    got = bind(parse("i,i,j,j"), [operand(None), operand(None), operand(None), operand(3)], deferred)
    first, second, third = (Size.read([(number, 0)], DEFAULT_HINT) for number in range(3))
    assert got.sizes == (Size.read([(0, 0), (1, 0)], DEFAULT_HINT), 3)
    assert got.shapes == ((first,), (second,), (third,), (3,))


class Symbol(str):
    """A size as a tracer has it: not a number, but the tracer may know that it is the same as one."""

    known = {"three": 3, "also three": 3, "one": 1}  # noqa: RUF012 - never changed


class Tracing(type(NUMPY)):
    """NumPy's adapter with sizes that are symbols."""

    def same_size(self, m, n):
        return Symbol.known.get(m, m) == Symbol.known.get(n, n)


TRACING = Tracing(np)


THREE, ALSO, ONE, OTHER = map(Symbol, ("three", "also three", "one", "other"))
FIRST, SECOND = (Size.read([(number, 0)], DEFAULT_HINT) for number in range(2))


@pytest.mark.parametrize(
    ("given", "size", "shapes"),
    [
        ([THREE, 3], 3, (3, 3)),
        ([3, THREE], 3, (3, 3)),
        ([THREE, ALSO, 3], 3, (3, 3, 3)),
        ([THREE, 3, ALSO], 3, (3, 3, 3)),
        ([THREE, 3, 1, 3], 3, (3, 3, 1, 3)),
        ([ONE, 3], 3, (1, 3)),
        ([3, ONE], 3, (3, 1)),
        ([ONE, OTHER], SECOND, (1, SECOND)),
        ([ONE, 1], 1, (1, 1)),
        ([OTHER, None], FIRST, (FIRST, FIRST)),
        ([None, OTHER], SECOND, (SECOND, SECOND)),
        ([None, THREE, 3], 3, (3, 3, 3)),
    ],
    ids=str,
)
def test_a_symbol_that_is_a_number_gives_way_to_it(given, size: int, shapes):
    got = bind(parse(",".join("i" * len(given)) + "->"), [operand(x) for x in given], TRACING)
    assert got.sizes == (size,)
    assert type(got.sizes[0]) is type(size)
    assert got.shapes == tuple((shape,) for shape in shapes)


def test_two_symbols_of_one_number_are_read_in_one_place():
    got = bind(parse("i,i,i->"), [operand(1), operand(THREE), operand(ALSO)], TRACING)
    (size,) = got.sizes
    assert got.shapes == ((1,), (size,), (size,))
    assert size.readings in [(((1, 0),),), (((2, 0),),)]


@pytest.mark.parametrize(
    ("given", "one", "other"),
    [
        ([THREE, 4], 0, 1),
        ([4, THREE], 0, 1),
        ([THREE, OTHER], 0, 1),
        ([THREE, 3, 4], 1, 2),
        ([1, OTHER, 3], 1, 2),
    ],
    ids=str,
)
def test_a_symbol_that_is_another_number_is_a_clash(given, one: int, other: int):
    with pytest.raises(OperandError) as caught:
        bind(parse(",".join("i" * len(given)) + "->"), [operand(x) for x in given], TRACING)
    says = f"label 'i' is {given[one]} in operand {one} but {given[other]} in operand {other}"
    assert str(caught.value).splitlines()[0] == says


def test_a_diagonal_of_a_symbol_and_its_number_has_that_size():
    assert bind(parse("ii->i"), [operand(THREE, 3)], TRACING).shapes == ((3, 3),)
    assert bind(parse("ii->i"), [operand(3, THREE)], TRACING).shapes == ((3, 3),)
    with pytest.raises(OperandError, match="repeated in operand 0 with sizes three and 4"):
        bind(parse("ii->i"), [operand(THREE, 4)], TRACING)


def test_hints_are_the_sizes_to_plan_with():
    got = bind(parse("...i,j->"), [operand(None, None), operand(None)], NUMPY, hints={"i": 7, ...: 9})
    assert list(map(int, got.sizes)) == [7, DEFAULT_HINT, 9]


def test_sizes_that_are_known_are_checked_beside_unknown_ones():
    items = [operand(None, 2), operand(None, 3)]
    with pytest.raises(OperandError, match="label 'j' is 2 in operand 0 but 3 in operand 1"):
        bind(parse("ij,ij->"), items, NUMPY)


def test_a_diagonal_with_an_unknown_size_is_not_refused():
    for shape in ((None, 3), (3, None)):
        got = bind(parse("ii->i"), [operand(*shape)], NUMPY)
        assert (got.sizes, got.shapes, got.unknown) == ((3,), ((3, 3),), ())


# --- what does not fit ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shapes", "lines"),
    [
        (
            "ij,jk->ik",
            [(2, 3)],
            [
                "the equation has 2 terms but 1 operand was given",
                "    ij,jk->ik",
                "       ^",
                "  operand 0 'ij': shape (2, 3), numpy.float64",
            ],
        ),
        (
            "i->",
            [(2,), (3,), ()],
            [
                "the equation has 1 term but 3 operands were given",
                "    i->",
                "  operand 0 'i': shape (2,), numpy.float64",
            ],
        ),
        ("i", [], ["the equation has 1 term but 0 operands were given", "    i", "    ^"]),
        ("", [], ["the equation has 1 term but 0 operands were given"]),
    ],
)
def test_a_wrong_count_points_at_the_first_term_without_an_operand(text: str, shapes: list, lines: list):
    with pytest.raises(OperandError) as caught:
        bound(text, *shapes)
    assert str(caught.value).splitlines() == lines


@pytest.mark.parametrize(
    ("text", "shapes", "lines"),
    [
        (
            "ij,j->i",
            [(2, 3), ()],
            [
                "operand 1 has 0 axes but its subscripts 'j' name 1",
                "    ij,j->i",
                "       ^",
                "  operand 1 'j': shape (), numpy.float64",
            ],
        ),
        (
            " i -> i",
            [(2, 3)],
            [
                "operand 0 has 2 axes but its subscripts 'i' name 1",
                "     i -> i",
                "     ^",
                "  operand 0 'i': shape (2, 3), numpy.float64",
                "  to allow further axes, write '...': '...i'",
            ],
        ),
        (
            "i...j->ij",
            [(2,)],
            [
                "operand 0 has 1 axis but its subscripts 'i...j' name at least 2",
                "    i...j->ij",
                "    ^",
                "  operand 0 'i...j': shape (2,), numpy.float64",
            ],
        ),
        (
            "ij→ji",
            [(2, 3)],
            [
                "operand 0 has 2 axes but its subscripts 'ij→ji' name 5",
                "    ij→ji",
                "    ^",
                "  operand 0 'ij→ji': shape (2, 3), numpy.float64",
                "  '→' is a label here: the arrow is '->'",
            ],
        ),
        (
            Sublists(((0,), (1,)), None),
            [(2,), (2, 3)],
            [
                "operand 1 has 2 axes but its subscripts [1] name 1",
                "    [0], [1]",
                "         ^",
                "  operand 1 [1]: shape (2, 3), numpy.float64",
                "  to allow further axes, write '...': [..., 1]",
            ],
        ),
    ],
)
def test_a_wrong_rank_points_at_the_term(text, shapes: list, lines: list):
    with pytest.raises(OperandError) as caught:
        bound(text, *shapes)
    assert str(caught.value).splitlines() == lines


@pytest.mark.parametrize(
    ("text", "shapes", "lines"),
    [
        (
            "ij,jk->ik",
            [(2, 3), (4, 5)],
            [
                "label 'j' is 3 in operand 0 but 4 in operand 1",
                "    ij,jk->ik",
                "     ^ ^",
                "  operand 0 'ij': shape (2, 3), numpy.float64",
                "  operand 1 'jk': shape (4, 5), numpy.float64",
            ],
        ),
        (  # the size 1 in operand 0 is not what clashes
            "i,i,i->",
            [(1,), (3,), (2,)],
            [
                "label 'i' is 3 in operand 1 but 2 in operand 2",
                "    i,i,i->",
                "      ^ ^",
                "  operand 1 'i': shape (3,), numpy.float64",
                "  operand 2 'i': shape (2,), numpy.float64",
            ],
        ),
        (
            "i,i->",
            [(0,), (2,)],
            [
                "label 'i' is 0 in operand 0 but 2 in operand 1",
                "    i,i->",
                "    ^ ^",
                "  operand 0 'i': shape (0,), numpy.float64",
                "  operand 1 'i': shape (2,), numpy.float64",
            ],
        ),
        (
            "a...,...b->",
            [(9, 4, 3), (2, 3, 8)],
            [
                "axis -2 of '...' is 4 in operand 0 but 2 in operand 1",
                "    a...,...b->",
                "     ^   ^",
                "  operand 0 'a...': shape (9, 4, 3), numpy.float64",
                "  operand 1 '...b': shape (2, 3, 8), numpy.float64",
            ],
        ),
        (
            "...a,b...ca->",
            [(4, 3), (8, 4, 6, 2)],
            [
                "label 'a' is 3 in operand 0 but 2 in operand 1",
                "    ...a,b...ca->",
                "       ^      ^",
                "  operand 0 '...a': shape (4, 3), numpy.float64",
                "  operand 1 'b...ca': shape (8, 4, 6, 2), numpy.float64",
            ],
        ),
        (
            Sublists((("row", 10), (10,)), ()),
            [(2, 3), (4,)],
            [
                "label 10 is 3 in operand 0 but 4 in operand 1",
                "    ['row', 10], [10] -> []",
                "            ^     ^",
                "  operand 0 ['row', 10]: shape (2, 3), numpy.float64",
                "  operand 1 [10]: shape (4,), numpy.float64",
            ],
        ),
    ],
)
def test_clashing_sizes_name_both_operands_and_point_at_both_places(text, shapes: list, lines: list):
    with pytest.raises(OperandError) as caught:
        bound(text, *shapes)
    assert str(caught.value).splitlines() == lines


@pytest.mark.parametrize(
    ("text", "shape", "label", "sizes", "carets"),
    [
        ("ii->i", (2, 3), "i", (2, 3), "^^"),
        ("ii", (1, 3), "i", (1, 3), "^^"),  # 1 against n is not a diagonal
        ("i...i", (2, 5, 4), "i", (2, 4), "^   ^"),
        ("...aba", (5, 2, 9, 3), "a", (2, 3), "   ^ ^"),
        ("aa...bb", (2, 2, 7, 3, 4), "b", (3, 4), "     ^^"),
    ],
)
def test_a_diagonal_needs_equal_sizes(text: str, shape: tuple, label: str, sizes: tuple, carets: str):
    with pytest.raises(OperandError) as caught:
        bound(text, shape)
    assert str(caught.value).splitlines() == [
        f"label '{label}' is repeated in operand 0 with sizes {sizes[0]} and {sizes[1]}",
        f"    {text}",
        f"    {carets}",
        f"  operand 0 '{text.partition('->')[0]}': shape {shape}, numpy.float64",
        "  a diagonal needs equal sizes: 1 does not broadcast here",
    ]


def test_a_long_list_of_operands_is_clipped_in_a_message():
    with pytest.raises(OperandError) as caught:
        bound("i," * 20 + "i", *[(2,)] * 20)
    assert str(caught.value).splitlines()[-2:] == [
        "  operand 7 'i': shape (2,), numpy.float64",
        "  … and 12 more",
    ]


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (operand(2, 3, dtype="int8"), "shape (2, 3), numpy.int8"),
        (operand(5), "shape (5,), numpy.float64"),
        (operand(), "shape (), numpy.float64"),
        (operand(None, 3), "shape (?, 3), numpy.float64"),
        (Operand(None, "float32", "tensorflow", Form.TENSOR), "shape unknown, tensorflow.float32"),
        (weak(float), "shape (), Python float"),
    ],
)
def test_an_operand_is_shown_by_shape_and_dtype(item: Operand, text: str):
    assert str(item) == text


def test_the_message_of_a_clash_names_the_frameworks_dtypes(framework):
    a, b = framework.tensor(np.ones((2, 3)), "float32"), framework.tensor(np.ones((4, 5)), "int32")
    with pytest.raises(OperandError) as caught:
        einsum("ij,jk->ik", a, b)
    assert str(caught.value) == (
        "label 'j' is 3 in operand 0 but 4 in operand 1\n    ij,jk->ik\n     ^ ^\n"
        f"  operand 0 'ij': shape (2, 3), {framework.name}.float32\n"
        f"  operand 1 'jk': shape (4, 5), {framework.name}.int32"
    )


# --- the dtype of the result ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operands", "dtype"),
    [
        ([operand(dtype="int8")], "int8"),
        ([operand(dtype="int8"), operand(dtype="uint8")], "int16"),
        ([operand(dtype="float32"), weak(float)], "float32"),
        ([operand(dtype="float32"), weak(complex)], "complex64"),
        ([operand(dtype="bool"), weak(bool)], "bool"),
        ([weak(int), weak(float)], "float64"),
        ([weak(bool)], "bool"),
    ],
)
def test_without_being_asked_operands_promote(operands: list, dtype: str):
    assert result_dtype(operands, NUMPY) == dtype


@pytest.mark.parametrize(
    "asked",
    ["float32", np.float32, np.dtype("float32"), "numpy.float32"],
    ids=["name", "type", "dtype", "path"],
)
def test_dtype_may_be_given_in_any_spelling(asked):
    assert result_dtype([operand(dtype="int64"), weak(int)], NUMPY, asked) == "float32"


@pytest.mark.parametrize(
    ("operands", "asked", "headline"),
    [
        (
            [operand(2, dtype="complex64")],
            "float64",
            "dtype=float64 cannot hold the values of operand 0, which is complex "
            "(shape (2,), numpy.complex64)",
        ),
        (
            [operand(2, dtype="int8"), operand(2, dtype="float16")],
            int,
            "dtype=int64 cannot hold the values of operand 1, which is float (shape (2,), numpy.float16)",
        ),
        (
            [operand(2, dtype="uint8")],
            "bool",
            "dtype=bool cannot hold the values of operand 0, which is int (shape (2,), numpy.uint8)",
        ),
        (
            [weak(float)],
            "int32",
            "dtype=int32 cannot hold the values of operand 0, which is float (shape (), Python float)",
        ),
    ],
)
def test_dtype_must_hold_the_operands_values(operands: list, asked, headline: str):
    with pytest.raises(OperandTypeError) as caught:
        result_dtype(operands, NUMPY, asked)
    assert str(caught.value) == f"{headline}\n  cast the operand first if its values may change"


@pytest.mark.parametrize("asked", ["nonsense", "datetime64[s]", np.str_, np.floating, object, 3])
def test_dtype_must_be_one_to_compute_with(tf, asked):
    with pytest.raises(OperandTypeError, match="is not a dtype that tensorflow can compute with"):
        einsum("i->", tf.ones(2), dtype=asked)


@pytest.mark.parametrize(
    ("x", "dtype"),
    [
        (np.array(["a"]), "str32"),
        (np.zeros(1, "M8[s]"), "datetime64[s]"),
        (np.zeros(1, "m8[s]"), "timedelta64[s]"),
    ],
    ids=["str", "datetime", "timedelta"],
)
def test_operands_must_be_numbers(x: np.ndarray, dtype: str):
    with pytest.raises(OperandTypeError) as caught:
        einsum("i,i->", np.ones(1), x)
    assert str(caught.value) == f"operand 1 has dtype numpy.{dtype}, which is not numeric"


@pytest.mark.parametrize("dtype", ["object", "longdouble"])
def test_a_dtype_that_the_framework_lacks_names_the_operand(torch, dtype: str):
    x = np.ones(2, dtype)
    with pytest.raises(OperandTypeError) as caught:
        einsum("i,i->", torch.ones(2), x)
    assert str(caught.value) == f"operand 1 has dtype numpy.{x.dtype.name}, which torch cannot compute with"


def test_dtypes_that_do_not_promote_list_the_operands(tf):
    with pytest.raises(OperandTypeError) as caught:
        einsum("i,i->", tf.ones(2, tf.uint64), tf.ones(2, tf.int32))
    assert str(caught.value) == (
        "uint64 and int32 do not promote to a common dtype: cast an operand, or give dtype=\n"
        "  operand 0: shape (2,), tensorflow.uint64\n"
        "  operand 1: shape (2,), tensorflow.int32"
    )


# --- Python integers in a narrow dtype ------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "dtype", "span"),
    [(128, "int8", "-128 to 127"), (-129, "int8", "-128 to 127"), (-1, "uint8", "0 to 255")],
)
def test_a_python_integer_must_fit_the_dtype_it_is_taken_for(framework, value: int, dtype: str, span: str):
    x = framework.tensor(np.ones(2), dtype)
    with pytest.raises(OperandError) as caught:
        einsum("i,->i", x, value)
    assert str(caught.value) == f"operand 1 has the Python int {value}, which {dtype} cannot hold ({span})"


def test_in_range_takes_the_whole_range_and_nothing():
    in_range(np.array([-128, 127]), 0, "int8")
    in_range(np.array([], int), 0, "int8")
    with pytest.raises(OperandError, match="Python int 200"):
        in_range(np.array([1, 200, 3]), 0, "int8")
