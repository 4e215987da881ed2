"""The instructions of a `Program`. Each one is a call of an adapter's function.

A program works on numbered registers. The operands are registers 0 to n - 1; each instruction reads some
registers and writes a new one. An instruction has the name of the adapter's function, and computes the shape,
strides and dtype of its result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from einsum_unified.language.letters import Term
from einsum_unified.language.sizes import broadcast
from einsum_unified.program.values import Value, broadcast_shapes, compact, dense, members, reshaped


@dataclass(eq=False, repr=False)
class Instruction:
    """Read the registers ``sources``, write the register ``target``.

    ``__eq__``, ``__hash__`` and ``__repr__`` are written here once, because generating them for each
    dataclass would take most of the time to import the package.
    """

    function: ClassVar[str]
    target: int
    sources: tuple[int, ...]

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the adapter's function after the sources, by name."""
        arguments = vars(self).copy()
        del arguments["target"], arguments["sources"]
        return arguments

    @property
    def read(self) -> tuple[int, ...]:
        """The registers whose elements are read."""
        return self.sources

    def result(self, sources: Sequence[Value], views: bool) -> Value:
        """Return the value that it makes, on a framework with or without views (`Capabilities.views`).

        >>> Transpose(1, (0,), (1, 0)).result([Value((2, 3), (3, 1), "float32", False)], views=True)
        Value(shape=(3, 2), strides=(1, 3), dtype='float32', view=True)
        """
        raise NotImplementedError(f"{type(self).__name__} makes no value")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({values})"


class Check(Instruction):
    """Check registers; it makes no value."""


@dataclass(eq=False, repr=False)
class InRange(Check):
    """Check that Python integers fit the integer dtype to which they are converted."""

    function = "in_range"
    operand: int
    dtype: str


class SameDevice(Check):
    """Check that all tensors are on the same device."""

    function = "same_device"


# --- moving elements ------------------------------------------------------------------------------


@dataclass(eq=False, repr=False)
class Cast(Instruction):
    """Change the dtype."""

    function = "cast"
    dtype: str

    def result(self, sources: Sequence[Value], views: bool) -> Value:
        """Return a copy whose axes have the same order in memory."""
        x = sources[0]
        return Value(x.shape, compact(x.shape, x.strides), self.dtype, False)


class AsArray(Cast):
    """Convert an operand to a tensor of a dtype, on the device of the second source."""

    function = "asarray"

    @property
    def read(self) -> tuple[int, ...]:
        """The operand alone: nothing is read from the second source."""
        return self.sources[:1]


class Movement(Instruction):
    """Change shape and strides only: the result is a view, or a copy if the framework has no views."""

    def result(self, sources: Sequence[Value], views: bool) -> Value:
        """Return a view, or a copy in C order."""
        shape, strides = self.seen(sources[0])
        return Value(shape, strides if views else dense(shape), sources[0].dtype, views)

    def seen(self, x: Value) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the shape and strides of the view."""
        raise NotImplementedError


@dataclass(eq=False, repr=False)
class Transpose(Movement):
    """Permute axes."""

    function = "transpose"
    axes: tuple[int, ...]

    def seen(self, x: Value) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Permute shape and strides."""
        return tuple([x.shape[axis] for axis in self.axes]), tuple([x.strides[axis] for axis in self.axes])


@dataclass(eq=False, repr=False)
class Diagonal(Movement):
    """Take the diagonal over two axes; it becomes the last axis."""

    function = "diagonal"
    axis1: int
    axis2: int

    def seen(self, x: Value) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Add the strides of both axes: the diagonal steps along both."""
        rest = [axis for axis in range(len(x.shape)) if axis not in (self.axis1, self.axis2)]
        step = x.strides[self.axis1] + x.strides[self.axis2]
        shape = (*[x.shape[axis] for axis in rest], x.shape[self.axis1])
        return shape, (*[x.strides[axis] for axis in rest], step)


@dataclass(eq=False, repr=False)
class BroadcastTo(Movement):
    """Repeat axes whose size is 1, perhaps only at run time."""

    function = "broadcast_to"
    shape: tuple[int, ...]

    def seen(self, x: Value) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Repeat axes of size 1; an unknown size is assumed to be the new size already."""
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
        """Return a view if the strides allow it; without views every tensor is dense, so it does not copy."""
        strides = reshaped(sources[0], self.shape) if views else dense(self.shape)
        view = strides is not None
        return Value(self.shape, dense(self.shape) if strides is None else strides, sources[0].dtype, view)


@dataclass(eq=False, repr=False)
class Contiguous(Instruction):
    """Copy to C order, unless the tensor is in C order."""

    function = "contiguous"

    def result(self, sources: Sequence[Value], views: bool) -> Value:
        """Return the value itself if it is in C order, else a copy."""
        x = sources[0]
        return Value(x.shape, dense(x.shape), x.dtype, x.dense)


# --- returning the same tensor --------------------------------------------------------------------


class Same(Instruction):
    """Return the same tensor."""

    def result(self, sources: Sequence[Value], views: bool) -> Value:
        """Return the same value."""
        x = sources[0]
        return Value(x.shape, x.strides, x.dtype, True)


@dataclass(eq=False, repr=False)
class Ranked(Same):
    """Return the same tensor, but fail at run time if it has another number of axes."""

    function = "ranked"
    rank: int


@dataclass(eq=False, repr=False)
class Agree(Same):
    """Return the same tensor, but fail at run time if it does not broadcast to a shape."""

    function = "agree"
    shape: tuple[int, ...]


class Unbox(Same):
    """Convert a 0-d array to a scalar."""

    function = "unbox"


# --- computing ------------------------------------------------------------------------------------


@dataclass(eq=False, repr=False)
class Sum(Instruction):
    """Sum over axes."""

    function = "sum"
    axes: tuple[int, ...]

    def result(self, sources: Sequence[Value], views: bool) -> Value:
        """Return a value without these axes."""
        x, gone = sources[0], members(self.axes)
        return _new(tuple([size for axis, size in enumerate(x.shape) if axis not in gone]), x.dtype)


class SumProducts(Sum):
    """Sum elementwise products over axes."""

    function = "sum_products"


class Multiply(Instruction):
    """Multiply elementwise."""

    function = "multiply"

    def result(self, sources: Sequence[Value], views: bool) -> Value:
        """Return a value with the broadcast shape."""
        a, b = sources
        return _new(broadcast_shapes(a.shape, b.shape), a.dtype)


class ProductSizes(NamedTuple):
    """The sizes of a batch of matrix products, each as a shape. Vectors have empty rows or columns."""

    batch: tuple[int, ...]
    rows: tuple[int, ...]
    inner: tuple[int, ...]
    columns: tuple[int, ...]


class Product(Instruction):
    """Multiply matrices or vectors."""

    @property
    def turned(self) -> tuple[bool, bool]:
        """For each operand, whether its rows and columns are exchanged."""
        return False, False

    def sizes(self, sources: Sequence[Value]) -> ProductSizes:
        """Return the sizes of the matrices that it multiplies: a batch of m × k by k × n.

        >>> a, b = (Value(shape, (1,) * len(shape), "float32", False) for shape in [(7, 2, 3), (7, 4, 3)])
        >>> MatMul(2, (0, 1), turned_b=1).sizes([a, b])
        ProductSizes(batch=(7,), rows=(2,), inner=(3,), columns=(4,))
        """
        a, b = [x.shape for x in sources]
        turned_a, turned_b = self.turned
        # A vector on the left is a row, on the right a column; the result has no axis for it.
        rows, inner = (a[-1:], a[-2:-1]) if turned_a else (a[-2:-1], a[-1:])
        _, columns = (b[-1:], b[-2:-1]) if turned_b else (b[-2:-1], b[-1:])
        batch = broadcast_shapes(a[:-2], b[:-2])
        return ProductSizes(batch, rows, inner, columns if len(b) > 1 else ())

    def result(self, sources: Sequence[Value], views: bool) -> Value:
        """Return a value with the axes batch, rows, columns."""
        batch, rows, _, columns = self.sizes(sources)
        return _new((*batch, *rows, *columns), sources[0].dtype)


@dataclass(eq=False, repr=False)
class Dot(Product):
    """Multiply two matrices or vectors. A flag is 1 if the operand's rows and columns are exchanged."""

    function = "dot"
    turned_a: int = 0
    turned_b: int = 0

    @property
    def turned(self) -> tuple[bool, bool]:
        """Return the flags."""
        return bool(self.turned_a), bool(self.turned_b)

    def arguments(self) -> dict[str, Any]:
        """Return the flags if at least one is set."""
        return super().arguments() if self.turned_a or self.turned_b else {}


class MatMul(Dot):
    """Multiply batches of matrices over the last two axes; the other axes broadcast."""

    function = "matmul"


@dataclass(eq=False, repr=False)
class MatMulInto(Product):
    """Multiply batches of matrices; the result is in C order after its axes are permuted."""

    function = "matmul_into"
    shape: tuple[int, ...]
    """The shape of the result."""
    axes: tuple[int, ...]
    """For each axis of the product, its position in the result."""

    def result(self, sources: Sequence[Value], views: bool) -> Value:
        """Return a value with the given shape."""
        return _new(self.shape, sources[0].dtype)


class IntegerDot(Product):
    """Multiply two matrices of a narrow integer dtype in int32."""

    function = "integer_dot"

    def result(self, sources: Sequence[Value], views: bool) -> Value:
        """Return a value of dtype int32."""
        _, rows, _, columns = self.sizes(sources)
        return _new((*rows, *columns), "int32")


class ObjectProduct(Product):
    """Multiply two matrices or vectors of Python objects, or batches of matrices."""

    function = "object_product"


@dataclass(eq=False, repr=False)
class Native(Instruction):
    """Contract by the framework's own einsum."""

    function = "native"
    terms: tuple[Term, ...]
    """The labels as integers, numbered from 0 in order of first occurrence."""
    output: Term

    def sizes(self, sources: Sequence[Value]) -> dict[object, int]:
        """Return the size of each label; the ranks must be known."""
        sizes: dict[object, int] = {}
        for term, x in zip(self.terms, sources, strict=True):
            for label, size in zip(term, x.shape, strict=True):
                sizes[label] = broadcast(sizes.get(label, 1), size)
        return sizes

    def result(self, sources: Sequence[Value], views: bool) -> Value:
        """Return a value with the sizes of the output's labels."""
        sizes = self.sizes(sources)
        return _new(tuple([sizes[label] for label in self.output]), sources[0].dtype)


def _new(shape: tuple[int, ...], dtype: str) -> Value:
    """Return a computed value, which is in C order."""
    return Value(shape, dense(shape), dtype, False)


# --- programs -------------------------------------------------------------------------------------


class Program(NamedTuple):
    """Instructions in order. The first ``operands`` registers are the operands."""

    operands: int
    instructions: tuple[Instruction, ...]
    result: int
    ends: tuple[int, ...] = ()
    """The number of instructions up to the end of preparing the operands, and up to the end of each step.

    Only the table of a plan (`einsum_unified.show.table`), which has a row for each, needs this."""

    def values(self, operands: Sequence[Value], views: bool) -> dict[int, Value]:
        """Return the value of each register: of the operands, and of the instructions' results.

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

    def last_uses(self) -> dict[int, int]:
        """Return register → the number of the last instruction that reads it; the result is read at the end.

        >>> Program(1, (Transpose(1, (0,), (1, 0)), Multiply(2, (1, 0))), 2).last_uses()
        {0: 1, 1: 1, 2: 2}
        """
        uses = {
            source: n for n, instruction in enumerate(self.instructions) for source in instruction.sources
        }
        return {**uses, self.result: len(self.instructions)}
