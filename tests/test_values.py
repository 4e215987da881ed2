"""What instructions say that they make, beside what NumPy and torch make."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from test_contraction import EQUATIONS, every_way

from einsum_unified import einsum_plan
from einsum_unified.adapter.dispatch import load
from einsum_unified.language.sizes import Size
from einsum_unified.planning.labelled import Labelled
from einsum_unified.planning.lowering import operands
from einsum_unified.program.primitives import (
    BroadcastTo,
    Check,
    Contiguous,
    Diagonal,
    MatMulInto,
    Program,
    Reshape,
    Transpose,
)
from einsum_unified.program.values import Value, dense, reshaped

MORE = [
    "iij,jk->ik", "iji,jk->ik", "ijij,jk->ik", "iiij,jk->ki", "ijk,kk->ji", "iijk,kj->i", "ij,k->", "i,j->ij",
    "ace,bdf->abcdef", "xacx,bxd->axbcd",
]  # fmt: skip


def made(program: Program, tensors: list, backend: Any):
    """Each instruction, and what it made, for all that make anything."""
    registers = dict(enumerate(tensors))
    for instruction in program.instructions:
        if isinstance(instruction, Check) or instruction.function == "unbox":
            continue
        values = instruction.arguments()
        if "dtype" in values:
            values["dtype"] = backend.dtype_from_name(values["dtype"])
        sources = [registers[register] for register in instruction.sources]
        if instruction.function == "native":
            registers[instruction.target] = backend.native(**values)(*sources)
        else:
            registers[instruction.target] = getattr(backend, instruction.function)(*sources, *values.values())
        yield instruction, sources, registers[instruction.target]


def strides_of(x: Any) -> list[int]:
    if isinstance(x, (np.ndarray, np.generic)):
        return [stride // x.itemsize for stride in x.strides]
    return list(x.stride())


@pytest.mark.parametrize("dtype", ["float32", "float16", "bool", "int8"])
@pytest.mark.parametrize("text", [*EQUATIONS, *MORE])
def test_shapes_strides_dtypes_and_views_are_those_that_are_made(mutable, text: str, dtype: str):
    labels = set(text) - set(",->")
    sizes = {label: 3 if len(labels) < 5 else 2 + n % 2 for n, label in enumerate(sorted(labels))}
    shapes = [[sizes[label] for label in term] for term in text.split("->")[0].split(",")]
    tensors = [mutable.tensor(np.ones(shape), dtype) for shape in shapes]
    plan = einsum_plan(text, *tensors)
    for way, program in every_way(plan) or [(None, plan.program)]:
        values = program.values(operands(plan.bound), views=True)
        for instruction, sources, x in made(program, tensors, plan.backend):
            value = values[instruction.target]
            assert tuple(x.shape) == value.shape, (way, instruction)
            assert mutable.dtype(x) == value.dtype, (way, instruction)
            if np.prod(value.shape) > 1:
                shares = np.may_share_memory(plan.backend.to_numpy(x), plan.backend.to_numpy(sources[0]))
                assert shares == value.view, (way, instruction)
            # torch lays out some results of its own as it likes.
            if mutable.name == "numpy" or value.view:
                strides = zip(x.shape, strides_of(x), value.strides, strict=True)
                assert all(real == stride for size, real, stride in strides if size > 1), (way, instruction)


# --- one by one -----------------------------------------------------------------------------------


def value_of(x: np.ndarray) -> Value:
    return Value(x.shape, tuple(strides_of(x)), str(x.dtype), False)


def layouts() -> list[np.ndarray]:
    x = np.arange(48.0).reshape(2, 1, 4, 6)
    turned = x.transpose(3, 0, 2, 1), x.transpose(1, 2, 0, 3)
    return [x, *turned, x[:, :, ::2], x[..., :1], x[:0], x[:, :, :0].T, x[0, 0, 0, 0]]


SHAPES = [
    (48,), (2, 24), (8, 6), (6, 8), (2, 2, 2, 6), (4, 12), (24, 2), (2, 4, 6), (1, 2, 4, 1, 6), (6, 2, 4),
    (6, 2, 2, 2), (3, 2, 2, 4), (24,), (2, 2, 6), (2, 12), (4, 6), (8,), (2, 4), (4, 2), (1, 8), (0,), (0, 7),
    (), (1,), (1, 1),
]  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_reshape_is_a_view_where_numpys_is(shape: tuple[int, ...]):
    for x in layouts():
        if x.size != np.prod(shape):
            continue
        got = x.reshape(shape)
        result = Reshape(1, (0,), shape).result([value_of(x)], views=True)
        assert result.shape == shape
        if x.size != 1:
            assert result.view == (x.size == 0 or np.may_share_memory(got, x))
        strides = zip(shape, strides_of(got), result.strides, strict=True)
        assert all(real == stride for size, real, stride in strides if size > 1 and x.size)


def test_a_reshape_of_sizes_that_are_not_known_is_a_view_if_it_splits_no_run():
    b = Size.read([(0, 0)], hint=6)
    x = Value((b, 2, 3), (6, 3, 1), "float32", False)
    assert reshaped(x, (b * 2, 3)) == (3, 1)
    turned = Transpose(1, (0,), (1, 0, 2)).result([x], views=True)
    assert reshaped(turned, (2, b, 3)) == (3, 6, 1)
    assert reshaped(turned, (b * 2, 3)) is None
    assert reshaped(turned, (2, b * 3)) is None


@pytest.mark.parametrize(("axis1", "axis2"), [(0, 1), (1, 0), (0, 2), (1, 2)])
def test_a_diagonal_steps_along_both_axes(axis1: int, axis2: int):
    x = np.zeros((3, 3, 3, 5)).transpose(2, 0, 1, 3)
    got = x.diagonal(0, axis1, axis2)
    result = Diagonal(1, (0,), axis1, axis2).result([value_of(x)], views=True)
    assert (result.shape, list(result.strides)) == (got.shape, strides_of(got))


@pytest.mark.parametrize(
    ("memory", "asked", "runs"),
    [
        ("abc", "abc", ["abc"]),
        ("abc", "ab", ["ab"]),
        ("abc", "bc", ["bc"]),
        ("abc", "ac", ["a", "c"]),
        ("abc", "cba", ["abc"]),
        ("cab", "abc", ["cab"]),
        ("cab", "bc", ["c", "b"]),
        ("cab", "ac", ["ca"]),
        ("cba", "", []),
    ],
)
def test_labels_that_lie_as_one_axis_are_a_run(memory: str, asked: str, runs: list[str]):
    sizes = {"a": 2, "b": 3, "c": 4}
    array = np.zeros([sizes[label] for label in memory]).transpose(*[memory.index(label) for label in "abc"])
    value = Value(array.shape, tuple(strides_of(array)), "float64", True)
    found = Labelled.of(value, 0, (0, 1, 2)).runs(["abc".index(label) for label in asked])
    assert found == [tuple("abc".index(label) for label in run) for run in runs]


def test_axes_of_size_1_that_are_repeated_have_no_stride():
    x = np.zeros((3, 1, 4))
    for y in (x, x[..., ::2], x.T):
        shape = tuple(5 if size == 1 else size for size in y.shape)
        got = np.broadcast_to(y, shape)
        result = BroadcastTo(1, (0,), shape).result([value_of(y)], views=True)
        assert (result.shape, list(result.strides), result.view) == (got.shape, strides_of(got), True)


def test_axes_that_may_be_repeated_are_taken_to_have_their_size_already():
    own, other = Size.read([(0, 0)], hint=6), Size.read([(1, 0)], hint=6)
    result = BroadcastTo(1, (0,), (other, 4)).result([Value((own, 4), (4, 1), "float32", False)], views=True)
    assert (result.shape, result.strides) == ((other, 4), (4, 1))


def test_without_views_everything_lies_in_c_order():
    x = Value((2, 3, 4), (12, 4, 1), "float32", False)
    turned = Transpose(1, (0,), (2, 0, 1)).result([x], views=False)
    assert (turned.shape, turned.strides, turned.view) == ((4, 2, 3), (6, 3, 1), False)
    assert Reshape(2, (1,), (8, 3)).result([turned], views=False).view


def test_a_product_that_is_written_in_another_order_has_that_shape():
    a, b = (Value(shape, dense(shape), "float32", False) for shape in [(7, 2, 3), (7, 3, 5)])
    result = MatMulInto(2, (0, 1), (2, 7, 5), (1, 0, 2)).result([a, b], views=True)
    backend = load("numpy")
    got = backend.matmul_into(np.ones(a.shape), np.ones(b.shape), (2, 7, 5), (1, 0, 2))
    assert (result.shape, list(result.strides)) == (got.shape, strides_of(got))


def test_a_tensor_in_c_order_is_not_copied_again():
    x = np.zeros((3, 4))
    assert Contiguous(1, (0,)).result([value_of(x)], views=True).view
    assert not Contiguous(1, (0,)).result([value_of(x.T)], views=True).view


def test_a_check_makes_nothing():
    with pytest.raises(NotImplementedError, match="Check makes no value"):
        Check(-1, (0,)).result([value_of(np.zeros(3))], views=True)
