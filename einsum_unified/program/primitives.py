"""The instructions of a `Program`, which an adapter's functions carry out.

A program works on numbered registers. The operands are registers 0 to n - 1; each instruction reads
some and writes one new. An instruction names the adapter's function, and tells what it makes of values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, NamedTuple

from einsum_unified.language.letters import Term
from einsum_unified.language.sizes import broadcast
from einsum_unified.program.values import Value, broadcast_shapes, compact, dense, reshaped


@dataclass(eq=False, repr=False)
class Instruction:
    """Read the registers ``sources``, write the register ``target``.

    The methods that a dataclass would generate for each of them are here once: generating them is most of
    what it takes to import the package.
    """

    function: ClassVar[str]
    target: int
    sources: tuple[int, ...]

    def arguments(self) -> dict[str, Any]:
        """Return what the adapter's function takes after the sources."""
        return {f.name: getattr(self, f.name) for f in fields(self)[2:]}

    def result(self, sources: Sequence[Value], views: bool) -> Value:
        """Return what it makes of values, on a framework with or without views (`Capabilities.views`).

        >>> Transpose(1, (0,), (1, 0)).result([Value((2, 3), (3, 1), "float32", False)], views=True)
        Value(shape=(3, 2), strides=(1, 3), dtype='float32', view=True)
        """
        raise NotImplementedError(f"{type(self).__name__} makes nothing")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({values})"


class Check(Instruction):
    """Look at registers, and make nothing."""


@dataclass(eq=False, repr=False)
class InRange(Check):
    """Check that Python integers fit the integer dtype they are taken for."""

    function = "in_range"
    operand: int
    dtype: str


class SameDevice(Check):
    """Check that tensors are on one device."""

    function = "same_device"


# --- what moves -----------------------------------------------------------------------------------


@dataclass(eq=False, repr=False)
class Cast(Instruction):
    """Change the dtype."""

    function = "cast"
    dtype: str

    def result(self, sources: Sequence[Value], views: bool) -> Value:
        """Return a copy in the order of memory."""
        x = sources[0]
        return Value(x.shape, compact(x.shape, x.strides), self.dtype, False)


class AsArray(Cast):
    """Make an operand a tensor of a dtype; the second source gives the device."""

    function = "asarray"


class Movement(Instruction):
    """Show the elements with another shape and other strides: a view, or a copy where there are no views."""

    def result(self, sources: Sequence[Value], views: bool) -> Value:
        """Return the view, or a copy in C order."""
        shape, strides = self.seen(sources[0])
        return Value(shape, strides if views else dense(shape), sources[0].dtype, views)

    def seen(self, x: Value) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return shape and strides of the view."""
        raise NotImplementedError


@dataclass(eq=False, repr=False)
class Transpose(Movement):
    """Permute axes."""

    function = "transpose"
    axes: tuple[int, ...]

    def seen(self, x: Value) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Permute both."""
        return tuple([x.shape[axis] for axis in self.axes]), tuple([x.strides[axis] for axis in self.axes])


@dataclass(eq=False, repr=False)
class Diagonal(Movement):
    """Take the diagonal over two axes; it becomes the last axis."""

    function = "diagonal"
    axis1: int
    axis2: int

    def seen(self, x: Value) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Step along both axes at a time."""
        rest = [axis for axis in range(len(x.shape)) if axis not in (self.axis1, self.axis2)]
        step = x.strides[self.axis1] + x.strides[self.axis2]
        shape = (*[x.shape[axis] for axis in rest], x.shape[self.axis1])
        return shape, (*[x.strides[axis] for axis in rest], step)


@dataclass(eq=False, repr=False)
class BroadcastTo(Movement):
    """Repeat axes that turn out to have size 1."""

    function = "broadcast_to"
    shape: tuple[int, ...]

    def seen(self, x: Value) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Repeat axes of size 1; a size that is not known yet is taken to be the other one already."""
        grown = tuple([1 if size == 1 else new for size, new in zip(x.shape, self.shape, strict=True)])
        steps = x.strides if grown == x.shape else compact(grown, x.strides)
        repeated = zip(grown, self.shape, steps, strict=True)
        return self.shape, tuple([step if size == new else 0 for size, new, step in repeated])


@dataclass(eq=False, repr=False)
class Reshape(Instruction):
    """Fuse, split, add or drop axes."""

    function = "reshape"
    shape: tuple[int, ...]

    def result(self, sources: Sequence[Value], views: bool) -> Value:
        """Return a view where the strides allow it; without views every tensor is dense, and so allows it."""
        strides = reshaped(sources[0], self.shape) if views else dense(self.shape)
        view = strides is not None
        return Value(self.shape, dense(self.shape) if strides is None else strides, sources[0].dtype, view)


@dataclass(eq=False, repr=False)
class Contiguous(Instruction):
    """Lay out in C order."""

    function = "contiguous"

    def result(self, sources: Sequence[Value], views: bool) -> Value:
        """Return the value itself if it lies so, else a copy."""
        x = sources[0]
        return Value(x.shape, dense(x.shape), x.dtype, x.dense)


# --- what leaves a tensor as it is ----------------------------------------------------------------


class Same(Instruction):
    """Return the tensor as it is."""

    def result(self, sources: Sequence[Value], views: bool) -> Value:
        """Return the same value."""
        x = sources[0]
        return Value(x.shape, x.strides, x.dtype, True)


@dataclass(eq=False, repr=False)
class Ranked(Same):
    """Leave a tensor as it is, unless its number of axes turns out to be another one."""

    function = "ranked"
    rank: int


@dataclass(eq=False, repr=False)
class Agree(Same):
    """Leave axes as they are that broadcast by themselves, unless they turn out not to."""

    function = "agree"
    shape: tuple[int, ...]


class Unbox(Same):
    """Make a 0-d array a scalar."""

    function = "unbox"


# --- what computes --------------------------------------------------------------------------------


@dataclass(eq=False, repr=False)
class Sum(Instruction):
    """Sum over axes."""

    function = "sum"
    axes: tuple[int, ...]

    def result(self, sources: Sequence[Value], views: bool) -> Value:
        """Drop the axes."""
        x = sources[0]
        return _new(tuple([size for axis, size in enumerate(x.shape) if axis not in self.axes]), x.dtype)


class SumProducts(Sum):
    """Sum products over axes."""

    function = "sum_products"


class Multiply(Instruction):
    """Multiply elementwise."""

    function = "multiply"

    def result(self, sources: Sequence[Value], views: bool) -> Value:
        """Broadcast."""
        a, b = sources
        return _new(broadcast_shapes(a.shape, b.shape), a.dtype)


class ProductSizes(NamedTuple):
    """The sizes of products of matrices, each as a shape: a vector has no rows, or no columns."""

    batch: tuple[int, ...]
    rows: tuple[int, ...]
    inner: tuple[int, ...]
    columns: tuple[int, ...]


class Product(Instruction):
    """Multiply matrices, or vectors."""

    @property
    def turned(self) -> tuple[bool, bool]:
        """Whether rows and columns of each operand are exchanged."""
        return False, False

    def sizes(self, sources: Sequence[Value]) -> ProductSizes:
        """Return the sizes of what it multiplies: m × k by k × n, in a batch.

        >>> a, b = (Value(shape, (1,) * len(shape), "float32", False) for shape in [(7, 2, 3), (7, 4, 3)])
        >>> MatMul(2, (0, 1), turned_b=1).sizes([a, b])
        ProductSizes(batch=(7,), rows=(2,), inner=(3,), columns=(4,))
        """
        a, b = [x.shape for x in sources]
        turned_a, turned_b = self.turned
        # A vector on the left is one row, and on the right one column, that the result does not have.
        rows, inner = (a[-2:-1], a[-1:]) if not turned_a else (a[-1:], a[-2:-1])
        columns = () if len(b) == 1 else b[-2:-1] if turned_b else b[-1:]
        return ProductSizes(broadcast_shapes(a[:-2], b[:-2]), rows, inner, columns)

    def result(self, sources: Sequence[Value], views: bool) -> Value:
        """Return batch, rows and columns."""
        batch, rows, _, columns = self.sizes(sources)
        return _new((*batch, *rows, *columns), sources[0].dtype)


@dataclass(eq=False, repr=False)
class Dot(Product):
    """Multiply two matrices, or vectors; 1 for an operand whose rows and columns are exchanged."""

    function = "dot"
    turned_a: int = 0
    turned_b: int = 0

    @property
    def turned(self) -> tuple[bool, bool]:
        """Return the flags."""
        return bool(self.turned_a), bool(self.turned_b)

    def arguments(self) -> dict[str, Any]:
        """Return the flags, if one is set."""
        return super().arguments() if self.turned_a or self.turned_b else {}


class MatMul(Dot):
    """Multiply batches of matrices over the last two axes; the axes before broadcast."""

    function = "matmul"


@dataclass(eq=False, repr=False)
class MatMulInto(Product):
    """Multiply batches of matrices, the result laid out in C order with its axes permuted."""

    function = "matmul_into"
    shape: tuple[int, ...]
    """Of the result."""
    axes: tuple[int, ...]
    """For each axis of the product, its place in the result."""

    def result(self, sources: Sequence[Value], views: bool) -> Value:
        """Return the shape that is given."""
        return _new(self.shape, sources[0].dtype)


class IntegerDot(Product):
    """Multiply two matrices of a narrow integer dtype, in int32."""

    function = "integer_dot"

    def result(self, sources: Sequence[Value], views: bool) -> Value:
        """Return int32."""
        _, rows, _, columns = self.sizes(sources)
        return _new((*rows, *columns), "int32")


@dataclass(eq=False, repr=False)
class Native(Instruction):
    """Leave it to the framework's own einsum."""

    function = "native"
    terms: tuple[Term, ...]
    """Labels as integers, from 0 in the order in which they occur."""
    output: Term

    def sizes(self, sources: Sequence[Value]) -> dict[object, int]:
        """Return the size of each label, if the numbers of axes are known."""
        sizes: dict[object, int] = {}
        for term, x in zip(self.terms, sources, strict=True):
            for label, size in zip(term, x.shape, strict=True):
                sizes[label] = broadcast(sizes.get(label, 1), size)
        return sizes

    def result(self, sources: Sequence[Value], views: bool) -> Value:
        """Return the sizes of the output's labels."""
        sizes = self.sizes(sources)
        return _new(tuple([sizes[label] for label in self.output]), sources[0].dtype)


def _new(shape: tuple[int, ...], dtype: str) -> Value:
    """Return what has been computed: it lies in C order."""
    return Value(shape, dense(shape), dtype, False)


# --- programs -------------------------------------------------------------------------------------


class Program(NamedTuple):
    """Instructions in order; the first ``operands`` registers are the operands."""

    operands: int
    instructions: tuple[Instruction, ...]
    result: int
    ends: tuple[int, ...] = ()
    """How many instructions come up to the end of making operands ready, and of each step.

    Running it needs none of this; the table of a plan (`einsum_unified.show.table`) has a row for each."""

    def values(self, operands: Sequence[Value], views: bool) -> dict[int, Value]:
        """Return what each register holds: the operands, and what the instructions make of them.

        >>> program = Program(1, (Transpose(1, (0,), (1, 0)), Sum(2, (1,), (0,))), 2)
        >>> [x.shape for x in program.values([Value((2, 3), (3, 1), "float32", False)], True).values()]
        [(2, 3), (3, 2), (2,)]
        """
        values = dict(enumerate(operands))
        for instruction in self.instructions:
            if not isinstance(instruction, Check):
                sources = [values[register] for register in instruction.sources]
                values[instruction.target] = instruction.result(sources, views)
        return values
