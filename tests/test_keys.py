"""Values that are equal and mean different things: what is accepted does not depend on the caches."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import einsum_unified
from einsum_unified import EquationError, OperandTypeError, PathError, clear_cache, einsum, einsum_plan

TEXT = "ij,jk,kl->il"
SHAPES = ((2, 3), (3, 4), (4, 5))


@pytest.fixture(autouse=True)
def empty_caches():
    clear_cache()
    yield
    clear_cache()


def operands(framework):
    return [framework.tensor(np.ones(shape)) for shape in SHAPES]


@pytest.mark.parametrize(
    ("accepted", "refused"),
    [
        (("greedy", 100), ("greedy", Decimal(100))),
        (("greedy", 1000), ("greedy", 1000 + 0j)),
        (("dp", 100), ("dp", Decimal("1E2"))),
        (((0, 1), (0, 1)), ((0, 1 + 0j), (0, 1))),
        (((0, 1), (0, 1)), ((0, 1), (Fraction(0), 1))),
        (((0, 1), (0, 1)), ((0, Decimal(1)), (0, 1))),
        (("einsum_path", (0, 1), (0, 1)), ("einsum_path", (0, 1), (0j, 1))),
    ],
    ids=repr,
)
def test_a_refused_path_is_refused_also_after_an_equal_one(framework, accepted, refused):
    assert accepted == refused
    assert hash(accepted) == hash(refused)
    xs = operands(framework)
    for _ in range(2):
        for call in (einsum, einsum_plan):
            with pytest.raises(PathError):
                call(TEXT, *xs, optimize=refused)
        einsum(TEXT, *xs, optimize=accepted)
        einsum_plan(TEXT, *xs, optimize=accepted)


def test_a_bool_is_no_limit_also_after_the_limit_of_one(framework):
    xs = [framework.tensor(np.ones(1)) for _ in range(3)]
    einsum("i,i,i->", *xs, optimize=("greedy", 1))
    for limit in (True, np.True_, 1 + 0j, Decimal(1)):
        with pytest.raises(PathError, match=r"^the limit of optimize="):
            einsum("i,i,i->", *xs, optimize=("greedy", limit))


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("equal", [1, 1.0, np.int64(1), np.float64(1), 1 + 0j, Fraction(1), Decimal(1)])
def test_a_number_equal_to_true_is_accepted_before_and_after_it(equal, first: bool):
    xs = [np.ones(shape) for shape in SHAPES]
    for optimize in (True, equal) if first else (equal, True):
        assert einsum(TEXT, *xs, optimize=optimize).shape == (2, 5)


@pytest.mark.parametrize("strict", [1, 1.0, np.int8(1), 0, 0.0, 1 + 0j])
def test_a_number_is_not_strict_also_after_the_equal_bool(strict):
    xs = [np.ones(shape) for shape in SHAPES]
    for _ in range(2):
        with pytest.raises(TypeError, match="is neither True nor False"):
            einsum(TEXT, *xs, strict=strict)
        with pytest.raises(TypeError, match="is neither True nor False"):
            einsum_plan(TEXT, *xs, strict=strict)
        einsum(TEXT, *xs, strict=bool(strict))


@pytest.mark.parametrize("name", ["float64", "float32", "complex128", "int32"])
def test_a_number_is_no_dtype_also_after_a_dtype_that_is_equal(framework, name: str):
    """TensorFlow's dtypes are equal to integers, and have their hashes: ``tf.float32 == 1``."""
    dtype = framework.tensor(np.ones(1), name).dtype
    xs = [framework.tensor(np.ones(shape, bool)) for shape in SHAPES]
    einsum(TEXT, *xs, dtype=dtype)
    einsum_plan(TEXT, *xs, dtype=dtype)
    for number in (hash(dtype), 1, True, np.int64(1), 1.0, 2, 3, 18):
        with pytest.raises(OperandTypeError, match=r"^dtype=.* is not a dtype that"):
            einsum(TEXT, *xs, dtype=number)
        with pytest.raises(OperandTypeError, match=r"^dtype=.* is not a dtype that"):
            einsum_plan(TEXT, *xs, dtype=number)


@pytest.mark.parametrize("size", [True, 5.0, 5 + 0j, Decimal(5), np.float64(5)], ids=repr)
def test_a_hint_is_an_integer_also_after_an_equal_one(size):
    shapes = ((None, 2), (2, 30), (30, 4))
    einsum_plan(TEXT, *shapes, hints={"i": 5})
    einsum_plan(TEXT, *shapes, hints={"i": 1})
    with pytest.raises(PathError, match="not a positive integer"):
        einsum_plan(TEXT, *shapes, hints={"i": size})


LABELS = (True, 1, 1.0, 1 + 0j, np.int64(1), np.float32(1), np.True_, Fraction(1), Decimal(1))


@pytest.mark.parametrize("before", [None, *LABELS], ids=repr)
@pytest.mark.parametrize("label", LABELS, ids=repr)
def test_labels_that_are_equal_are_the_same_label_and_shown_as_the_integer(label, before):
    x = np.arange(6.0).reshape(2, 3)
    if before is not None:
        einsum(x, [0, before], [before])
        einsum_plan((2, 3), [0, before], [before])
    assert einsum(x, [0, label], [1]).tolist() == [3, 5, 7]
    plan = einsum_plan((2, 3), [0, label], [1.0])
    assert plan.equation.text == "[0, 1] -> [1]"
    assert plan.to_dict()["equation"] == {"inputs": [[0, 1]], "output": [1]}
    assert einsum_plan((None, 3), [label, 2], [1], hints={label: 7}).steps[0].elements == 7
    with pytest.raises(EquationError, match=r"label 1 "):
        einsum(x, [0, 2], [label])


@pytest.mark.parametrize("label", [0.5, float("inf"), 1e300, 2**70, 1j, Decimal("1e999999"), Decimal("sNaN")])
def test_other_numbers_stay_the_labels_that_they_are(label):
    if isinstance(label, Decimal) and label.is_snan():
        with pytest.raises(EquationError, match="not hashable"):
            einsum(np.ones(2), [label], [])
        return
    assert einsum(np.ones(2), [label], []) == 2
    assert einsum_plan((2,), [label], []).equation.inputs == ((label,),)


@pytest.mark.parametrize("error", [RecursionError("deep"), MemoryError("full")])
def test_a_stack_or_memory_that_is_full_is_not_a_missing_package(monkeypatch, error):
    def failing(name):
        raise error

    einsum_unified.adapter.dispatch.load.cache_clear()
    try:
        with monkeypatch.context() as patched:
            patched.setattr(einsum_unified.adapter.dispatch.importlib, "import_module", failing)
            with pytest.raises(type(error), match=str(error)):
                einsum_unified.adapter.dispatch.load("torch")
    finally:
        einsum_unified.adapter.dispatch.load.cache_clear()


@pytest.mark.parametrize("optimize", [[(0, 1), (0, 1)], [[1, 2], [0, 1]], ("greedy", 100.0)], ids=repr)
def test_a_graph_records_the_value_as_it_was_given(optimize):
    torch = pytest.importorskip("torch")

    def contract(a, b, c):
        return einsum(TEXT, a, b, c, optimize=optimize)

    traced = torch.fx.symbolic_trace(contract)
    (given,) = [node.kwargs["optimize"] for node in traced.graph.nodes if "optimize" in node.kwargs]
    assert type(given) is not einsum_unified.planning.strategy.Strategy
    xs = [torch.ones(shape) for shape in SHAPES]
    assert traced(*xs).tolist() == contract(*xs).tolist()
