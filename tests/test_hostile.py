"""Hostile labels, equations, options and operands: readable errors, and caches of bounded bytes."""

from __future__ import annotations

import gc
import sys
import time
import tracemalloc
import weakref
from enum import Enum

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from einsum_unified import (
    EinsumError,
    EquationError,
    OperandError,
    OperandTypeError,
    PathError,
    clear_cache,
    einsum,
    einsum_path,
    einsum_plan,
    memory,
)

X = np.arange(6.0).reshape(2, 3)


class Raises:
    """An object whose repr raises."""

    def __repr__(self):
        raise RuntimeError("no repr")


class Huge:
    """An object whose repr is huge and would colour a terminal."""

    def __repr__(self):
        return "\x1b[31m" * 10**5


class Payload:
    """A label that holds a megabyte."""

    def __init__(self):
        self.held = np.ones(2**17)


def deep(depth, make=tuple):
    nested = make()
    for _ in range(depth):
        nested = make((nested,))
    return nested


def shared(depth):
    nested = (1,)
    for _ in range(depth):
        nested = (nested, nested)
    return nested


def message(call, *classes):
    """Return the message of the error that a call raises, which a person can read in any terminal."""
    with pytest.raises(classes or EinsumError) as caught:
        call()
    text = str(caught.value)
    assert len(text) <= 4000
    assert text.replace("\n", "").isprintable()
    assert max(map(len, text.split("\n"))) <= 1000
    return text


# --- labels -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "label",
    [
        10**5000,
        -(10**5000),
        "x" * 10**5,
        "\ud800",
        "\x1b[31m",
        Raises(),
        Huge(),
        deep(99),
        frozenset([deep(50)]),
    ],
    ids=["digits", "negative", "long", "surrogate", "escape", "raises", "huge", "deep", "set"],
)
def test_any_hashable_label_works_and_is_shown_short(label):
    assert (einsum(X, [label, "j"], ["j", label]) == X.T).all()
    message(lambda: einsum(X, [label, "j"], np.ones(5), [label]), OperandError)
    message(lambda: einsum(X, [label, "j"], ["k"]), EquationError)
    plan = einsum_plan(X, [label, "j"], ["j", label])
    assert str(plan).replace("\n", "").isprintable()
    assert len(repr(plan)) < 1000


def test_an_integer_of_5000_digits_is_counted_since_python_does_not_write_it():
    text = message(lambda: einsum(X, [10**5000, 1], np.ones(5), [10**5000]))
    assert text.startswith("label <integer of about 5001 digits> is 2 in operand 0 but 5 in operand 1\n")


@pytest.mark.parametrize("label", [deep(101), deep(10**6), shared(40)], ids=["101", "million", "shared"])
def test_a_label_that_python_cannot_hash_in_time_or_at_all_is_refused(label):
    """Python's hash of a million nested tuples overflows the C stack."""
    message(lambda: einsum(X, [label, 0]), EquationError)


def test_labels_whose_class_raises_are_refused():
    class Unequal:
        def __hash__(self):
            return 1

        def __eq__(self, other):
            raise ZeroDivisionError

    class Unhashable:
        def __hash__(self):
            raise KeyError("hash")

    class Unordered:
        def __lt__(self, other):
            raise OSError

    assert "cannot be compared" in message(lambda: einsum(X, [Unequal(), Unequal()]), EquationError)
    assert "is not hashable" in message(lambda: einsum(X, [Unhashable(), 1]), EquationError)
    assert "cannot be sorted" in message(lambda: einsum(X, [Unordered(), Unordered()]), EquationError)


@pytest.mark.parametrize("labels", [[frozenset([2]), frozenset([1])], [float("nan"), 1.0]])
def test_labels_that_compare_but_have_no_order_need_an_output(labels):
    assert "cannot be sorted" in message(lambda: einsum(X, labels), EquationError)
    assert (einsum(X, labels, labels[::-1]) == X.T).all()


def test_a_numpy_scalar_may_stand_beside_a_tuple():
    labels = [np.int64(3), ()]  # their comparison is an array
    assert (einsum(X, labels, labels[::-1]) == X.T).all()
    assert (einsum(X, labels, [np.int64(3)]) == X.sum(1)).all()
    message(lambda: einsum(X, labels, [(), 5, np.int64(3)]), EquationError)
    message(lambda: einsum(X, labels, np.ones(2), labels[:1], [()], strict=True, out=X), EinsumError)
    message(lambda: einsum(X, labels, X, labels, labels[1:], strict=True, dtype="int8"), EinsumError)


def test_labels_that_are_objects_have_values_like_any_others():
    class Axis(Enum):
        ROW, COLUMN = 0, 1

    row, column = Payload(), Axis.COLUMN
    for _ in range(2):
        assert (einsum(X, [row, column], X, [row, Axis.ROW], [column, Axis.ROW]) == X.T @ X).all()
    text = message(lambda: einsum(X, [row, column], np.ones(5), [column], []), OperandError)
    assert text.startswith("label <Axis.COLUMN: 1> is 3 in operand 0 but 5 in operand 1\n")
    text = message(lambda: einsum(X, [0, row], X, [0, column], [0], strict=True), EquationError)
    assert "test_hostile.Payload" in text
    assert "strict: label" in text
    assert einsum_plan(X, [row, column], [column]).equation.inputs == ((row, column),)


# --- operands ----------------------------------------------------------------------------------------


def test_lists_nested_too_deeply_or_in_themselves_are_refused():
    itself = [1.0]
    itself.append(itself)
    for nested in (deep(65, list), deep(10**5, list), itself, deep(10**5)):
        text = message(lambda nested=nested: einsum("i->", nested), OperandError)
        assert text.startswith("operand 0 is a list nested more than 64 deep")
    values = 1.0
    for _ in range(32):
        values = [values]
    assert einsum("...->", values) == 1.0


def test_a_deep_list_in_the_place_of_labels_or_options_is_refused():
    nested = deep(10**5, list)
    message(lambda: einsum(X, [nested, 0]), EquationError)
    message(lambda: einsum("ij->", X, hints=nested), PathError)
    message(lambda: einsum("ij->", X, strict=nested), TypeError)
    message(lambda: einsum("ij->", X, dtype=nested), OperandTypeError)


# --- options -----------------------------------------------------------------------------------------

VALUES = [
    0,
    3,
    "",
    "x" * 10**6,
    "\x1b[31m\ud800",
    [],
    np.ones(3),
    Raises(),
    Huge(),
    10**5000,
    1.5,
    [[]],
    object,
]


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_a_wrong_value_of_an_option_is_shown_short(value):
    assert message(lambda: einsum("ij->", X, hints=value), PathError).startswith("hints=")
    if not (isinstance(value, int) and value in (0, 1)):
        message(lambda: einsum("ij->", X, strict=value), TypeError)
    if value is not object:
        message(lambda: einsum("ij->", X, dtype=value), OperandTypeError)
        message(lambda: einsum_plan("ij->", (2, 3), dtype=value), OperandTypeError)


@pytest.mark.parametrize(
    "name",
    [
        "f\ud800",
        "float\ud800",
        "float32\ud800",
        "int" + "9" * 5000,
        "f8,(",
        "(",
        "f4," * 10**4,
        "float999",
        "٣",
        "",
    ],
    ids=lambda name: ascii(name)[:12],
)
def test_a_text_that_is_not_a_dtype_is_refused(framework, name):
    tensor = framework.tensor(X.astype("float32"))
    text = message(lambda: einsum("ij->", tensor, dtype=name), OperandTypeError)
    assert text.startswith("dtype='")


def test_sizes_that_no_array_can_have_are_refused():
    assert "has a size above 9223372036854775807" in message(
        lambda: einsum_plan("i->", (10**400,)), OperandError
    )
    assert "<integer of about 5001 digits>" in message(lambda: einsum_plan("i->", (10**5000,)), OperandError)
    assert "negative" in message(lambda: einsum_plan("i->", (-(10**5000),)), OperandError)
    large = message(
        lambda: einsum_plan("ij,jk,k->i", (2, 3), (3, None), (None,), hints={"k": 10**400}), PathError
    )
    assert (
        large
        == "hints: the size of 'k' is <integer of about 401 digits>; the largest size is 9223372036854775807"
    )
    assert einsum_path("ij,jk,k->i", (2, 3), (3, None), (None,), hints={"k": 2**63 - 1})


@pytest.mark.parametrize(
    "value",
    [
        Raises(), Huge(), deep(5000, list), deep(5000), "\ud800" * 10**5, 10**5000, ("greedy", Raises()),
        ("greedy", 10**5000), [(0, 10**5000), (0, 1)], [(0, Raises())], [(0,) * 10**5], [deep(5000)], {},
    ],
    ids=range(13),
)  # fmt: skip
def test_a_wrong_optimize_is_shown_short(value):
    message(lambda: einsum("ij,jk,kl->il", X, X.T, X, optimize=value), PathError)


def test_an_unknown_keyword_is_shown_short():
    assert message(lambda: einsum("i->", X[0], **{"\x1b" * 10**5: 1}), TypeError).startswith(
        "einsum() got an unknown"
    )


# --- long messages -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        lambda: einsum("i" * 10**5, X),
        lambda: einsum("," * 10**4, *[1.0] * 5),
        lambda: einsum(",".join(["ij"] * 10**4), *[X] * (10**4 - 1)),
        lambda: einsum("ij->" + "k" * 10**5, X),
        lambda: einsum("." * 10**5, X),
        lambda: einsum("->" * 10**4, X),
        lambda: einsum("\u202e" * 10**4, X),
        lambda: einsum(X, list(range(10**4)), [0]),
        lambda: einsum(X, [0, 1], hints={"x" * 10**5: 3}),
        lambda: einsum_plan("i", (2,) * 10**4),
        lambda: einsum("i->", type("\n" * 10**4, (), {})()),
        lambda: einsum("i->", type("", (), {})()),
        lambda: einsum("i->", [type("\x1b" * 10**4, (), {})()]),
    ],
)
def test_a_message_is_short_and_quick_however_long_the_arguments(call):
    start = time.process_time()
    message(call)
    assert time.process_time() - start < 20  # a hang, not a speed: the longest takes a part of a second


# --- memory ------------------------------------------------------------------------------------------


def held(make, calls):
    """Return the bytes that some calls leave in caches."""
    clear_cache()
    gc.collect()
    tracemalloc.start()
    for number in range(calls):
        make(number)
    gc.collect()
    bytes_held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return bytes_held


class Text(str):
    """An equation that holds a megabyte."""


class Name:
    """A dtype that holds a megabyte."""

    name = "float64"

    def __init__(self):
        self.held = np.ones(2**17)


def of_text_with_payload(number):
    text = Text("ij->j" + " " * number)
    text.held = np.ones(2**17)
    einsum(text, X)


frees_classes = pytest.mark.skipif(
    sys.version_info < (3, 14) and not getattr(sys, "_is_gil_enabled", lambda: True)(),
    reason="Python 3.13 without the GIL keeps all classes, once a thread was started",
)


def of_class_with_payload(number):
    cls = type("Local", (np.ndarray,), {"held": np.ones(2**17)})
    einsum("ij->j", X.view(cls))


@pytest.mark.parametrize(
    "make",
    [
        lambda n: einsum(X, [Payload(), row := Payload()], [row]),
        lambda n: einsum(X, [str(n) * 2**20, 0], [0]),
        lambda n: einsum(X, [(str(n) * 2**20,), 0], [0]),
        lambda n: einsum(X, [(1 << 2**23) + n, -1], [-1]),
        lambda n: einsum(X, [frozenset(range(n, n + 2**14)), 0], [0]),
        lambda n: einsum("ij->j" + " " * (2**20 + n), X),
        lambda n: einsum("ij->j" + " " * n, X, dtype=Name()),
        lambda n: einsum(X, [str(n) * 2**20, "j"], ["j"], hints={str(n) * 2**20: 3}),
        of_text_with_payload,
        pytest.param(of_class_with_payload, marks=frees_classes),
    ],
    ids=[
        "objects",
        "text",
        "tuples",
        "integers",
        "sets",
        "equations",
        "dtypes",
        "hints",
        "subclass",
        "classes",
    ],
)
def test_caches_hold_a_bounded_number_of_bytes(monkeypatch, make):
    monkeypatch.setattr(memory, "BUDGET", 4 * 2**20)
    assert held(make, 24) < 8 * 2**20  # of 24 MB and more


def test_plans_are_charged_about_what_they_hold():
    def plan(number):
        einsum("ij,jk,kl->il", np.ones((number + 1, 2)), np.ones((2, 3)), np.ones((3, 2)), optimize=False)

    plan(10**4)
    before = memory._charged
    real = held(plan, 200)
    charged = memory._charged
    assert before > 0
    assert real / 2 < charged < real * 8


@frees_classes
def test_clear_cache_frees_equations_labels_and_classes():
    label = frozenset(["label"])  # unlike tuples of constants, nothing else holds it
    cls = type("Local", (np.ndarray,), {})
    einsum(X, [label, 0], [0])
    einsum("ij->j", X.view(cls))
    einsum(X.view(cls), [0, 1])
    einsum_plan("ij->i", X.view(cls))
    references = weakref.ref(label), weakref.ref(cls)
    del label, cls
    gc.collect()
    assert None not in [reference() for reference in references]
    clear_cache()
    gc.collect()
    assert [reference() for reference in references] == [None, None]


class Refuses:
    """An element that cannot be multiplied."""

    def __mul__(self, other):
        raise KeyError("no product")


def test_an_error_that_is_gone_holds_no_operands():
    """Also one of a framework: after running out of memory, the operands must be freed at once."""

    class Held(np.ndarray):
        pass

    def fail(call):
        operand = np.full((2, 3), Refuses()).view(Held)
        with pytest.raises((EinsumError, KeyError)):
            call(operand)
        return weakref.ref(operand)

    gc.collect()
    gc.disable()
    try:
        for call in (
            lambda x: einsum("i->", x),
            lambda x: einsum("ij,jk", x, np.ones((5, 5))),
            lambda x: einsum("ij->", x, {}),
            lambda x: einsum("ij->i", x, out=np.ones(7)),
            lambda x: einsum(x, [0, 1], [2]),
            lambda x: einsum("ij,k->ijk", x, x[0]),
            lambda x: einsum("ij,ij->ij", x, x, out=np.empty((2, 3), object)),
        ):
            assert fail(call)() is None
    finally:
        gc.enable()


# --- anything ----------------------------------------------------------------------------------------

CHARACTERS = "abij01_ ,.->\t\n…→，\u200b\u202e\u0301\ud800\x00\x1b\x9b\xa0({;'\"\\é文\U0010ffff\u3164"
LABELS = [0, 1, "i", "j", ..., 10**5000, "x" * 1000, "\ud800", (1, 2), deep(5000), frozenset([1]), 1.5,
          None, True, Raises(), Huge(), [1], {}, np.int64(3), b"b", object(), int, "i j"]  # fmt: skip
OPERANDS = [np.ones(()), np.ones(2), X, np.ones((1,) * 60), 1.0, [1, 2], [[1], [2, 3]], deep(5000, list), {},
            "x", None, Raises(), np.array(["a"]), np.zeros(2, [("a", "f4")]), object, (1.0, 2.0)]  # fmt: skip
sublists = st.lists(st.sampled_from(LABELS), max_size=3) | st.sampled_from(
    ["ij", b"ij", {1}, 3, deep(5000, list)]
)
operands = st.sampled_from(OPERANDS)
options = st.fixed_dictionaries(
    {},
    optional={
        "dtype": st.sampled_from(
            ["float32", "f\ud800", "int" + "9" * 5000, "(", Raises(), Huge(), {}, int, dict]
        ),
        "hints": st.sampled_from(
            [{}, {"i": 3}, {"i": 10**400}, {"i": Raises()}, 0, "x", np.ones(3), Raises(), Huge()]
        ),
        "strict": st.sampled_from([True, None, 10**5000, Raises(), Huge()]),
        "\x1b[31m": st.just(1),
    },
)
calls = st.tuples(st.text(CHARACTERS, max_size=14), operands, operands) | st.tuples(
    operands, sublists, operands, sublists, sublists
)


@settings(max_examples=300, deadline=2000)
@given(calls, options)
def test_any_call_works_or_raises_a_readable_error(call, options):
    try:
        einsum(*call, **options)
    except (EinsumError, TypeError) as error:
        text = str(error)
        assert len(text) <= 4000
        assert text.replace("\n", "").isprintable()
