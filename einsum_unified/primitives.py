"""The instructions of a `Program`, and the `Backend` protocol that carries them out.

A program works on numbered registers. The operands are registers 0 to n - 1; each instruction reads
some and writes one new. An instruction's class name, in lower case, is the adapter's function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

from einsum_unified.costs import Costs

Shape = tuple[Any, ...]
"""Sizes of the axes: integers, a tracer's symbols, None where nothing is known before the program runs."""


class Form(Enum):
    """What an adapter says of a class of operands."""

    TENSOR = "the framework's own tensor: handed to its functions as it is"
    ARRAY = "made into a tensor by `asarray` first (a variable, a subclass, a NumPy array)"
    NATIVE = "only the framework's own einsum may know what to do with it (ragged, sparse)"


@dataclass(frozen=True)
class Capabilities:
    """What a planner has to know of a framework, as data. Dtypes are names."""

    arithmetic: Mapping[str, str] = field(default_factory=dict)
    """dtype → the wider one in which matmul, multiply and sum are computed: the framework's kernels
    lack it, or add up in it with less accuracy than it has."""
    movement: Mapping[str, str] = field(default_factory=dict)
    """dtype → the one in which transpose, reshape and diagonal are done, where kernels are lacking."""
    restored: frozenset[str] = frozenset({"bool"})
    """dtypes of `arithmetic` to which each partial result is cast back at once: a count of Trues
    carried on would overflow."""
    dtypes: frozenset[str] | None = None
    """The dtypes that can be computed with; None for whatever has a numeric kind."""
    out: bool = False
    """Whether tensors are mutable, so that ``out=`` can be filled."""
    views: bool = False
    """Whether transposes are views, so that a result must not be the very operand."""
    devices: bool = False
    """Whether tensors of several devices exist and must not meet."""
    broadcast_runs: int | None = None
    """How many alternating runs of axes, of both, of the left or of the right operand only, multiply can
    broadcast; None for any number."""
    scalars: bool = False
    """Whether a 0-d result is unboxed into the framework's scalar."""
    vectors: bool = False
    """Whether dot takes vectors."""
    turns: bool = False
    """Whether dot and matmul take matrices whose rows and columns are exchanged, by a flag for each."""
    batch_axes: int | None = None
    """How many batch axes matmul multiplies without a copy; None for any number."""
    into: bool = False
    """Whether there is ``matmul_into(a, b, shape, axes)``, a matmul that writes its result permuted."""
    integers: frozenset[str] = frozenset()
    """Dtypes of which there is ``integer_dot(a, b)``, a product of two matrices in int32."""
    exact: frozenset[str] = frozenset()
    """Integer dtypes whose products are computed in floats where that is exact and faster."""
    deferred: bool = False
    """Whether sizes may be unknown while a graph is made, so that no two can be compared before it runs.

    Then there are ``common_size(*sizes)``: the one that is not 1, of sizes that `size` returned; and
    ``agree(x, shape)``: the tensor as it is, but an error when it runs and cannot broadcast to a shape."""
    costs: Costs = field(default_factory=Costs)
    """What the planner ranks lowerings by."""


@runtime_checkable
class Backend(Protocol):
    """What an adapter provides: a module, or any object, with these names.

    Tensors are `Any`, dtypes are the framework's own objects unless called a name.
    """

    name: str
    """The library's name, as messages show it."""
    capabilities: Capabilities

    def form(self, cls: type) -> Form | None:
        """Return what operands of a class are to this adapter; None if it cannot use them."""
        ...

    def dtype_from_name(self, name: str) -> Any:
        """Return the dtype of a name; None if the framework has none of that name."""
        ...

    def result_type(self, names: Sequence[str], weak: Sequence[type]) -> str:
        """Return the name of what dtypes (by name) and Python numbers of types ``weak`` promote to."""
        ...

    def hint(self, x: Any) -> tuple[str, str] | None:
        """Return what a tensor is and the call that makes it dense: ("sparse", "x.to_dense()"); else None."""
        ...

    def asarray(self, x: Any, like: Any, dtype: Any) -> Any:
        """Return a tensor of a dtype, made of an operand or NumPy array, on the device of ``like``."""
        ...

    def to_numpy(self, x: Any) -> Any:
        """Return a NumPy array of the tensor's values (for comparing; never used in an einsum)."""
        ...

    def same_device(self, *xs: Any) -> None:
        """Raise `OperandTypeError` if the tensors are on different devices."""
        ...

    def static_size(self, size: Any) -> Any:
        """Return an entry of a shape as an integer; as it is if that is not known while a graph is traced."""
        ...

    def same_size(self, m: Any, n: Any) -> bool:
        """Return whether two entries of shapes, of which one is a tracer's symbol, are the same number.

        What cannot be told is taken to be the same, but for 1.
        """
        ...

    def size(self, x: Any, axis: int) -> Any:
        """Return the size of an axis when the program runs."""
        ...

    def broadcast_to(self, x: Any, shape: tuple[Any, ...]) -> Any:
        """Return the tensor with axes of size 1 repeated; raises if other sizes differ."""
        ...

    def cast(self, x: Any, dtype: Any) -> Any:
        """Return the tensor in another dtype; integers wrap around, what is not 0 becomes True."""
        ...

    def transpose(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Return the tensor with axes permuted as ``numpy.transpose`` does."""
        ...

    def reshape(self, x: Any, shape: tuple[Any, ...]) -> Any:
        """Return the tensor's elements in C order in another shape, of integers and what `size` returns."""
        ...

    def diagonal(self, x: Any, axis1: int, axis2: int) -> Any:
        """Return the diagonal over two axes, which go; it becomes the last axis."""
        ...

    def sum(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Return the sum over axes, in the dtype of the tensor (any-of for bool)."""
        ...

    def sum_products(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Return the sum over axes of elementwise products, in the dtype that `matmul` would give."""
        ...

    def dot(self, a: Any, b: Any) -> Any:
        """Return the product of matrices, or of vectors too if ``capabilities.vectors``.

        With ``capabilities.turns`` two flags may follow, for operands with rows and columns exchanged.
        """
        ...

    def matmul(self, a: Any, b: Any) -> Any:
        """Return the matrix products over the last two axes; the axes before broadcast. Flags as for dot."""
        ...

    def multiply(self, a: Any, b: Any) -> Any:
        """Return the elementwise product; axes of size 1 broadcast."""
        ...

    def contiguous(self, x: Any) -> Any:
        """Return the tensor in C order, copied if need be."""
        ...

    def native(self, *operands: Any, equation: str) -> Any:
        """Return the framework's own einsum of an explicit equation in the labels a–z A–Z."""
        ...

    def finish(self, run: Callable[..., Any]) -> Callable[..., Any]:
        """Return a compiled program as it is to be called: unchanged, or marked or wrapped (jit)."""
        ...

    def copy_into(self, out: Any, x: Any) -> None:
        """Copy a result into ``out``, which has its shape and dtype."""
        ...


class Recorder(Protocol):
    """What is provided for objects that stand for tensors to come: it notes the call, to be made later."""

    def record(
        self, einsum: Callable[..., Any], equation: Any, operands: Sequence[Any], options: Mapping[str, Any]
    ) -> Any:
        """Return what stands for the result of ``einsum(equation, *operands, **options)``."""
        ...


@dataclass(eq=False, repr=False)
class Instruction:
    """Read the registers ``sources``, write the register ``target``.

    The methods that a dataclass would generate for each of them are here once: generating them is most of
    what it takes to import the package.
    """

    function: ClassVar[str]
    target: int
    sources: tuple[int, ...]

    def arguments(self) -> dict[str, int | str | tuple[int, ...]]:
        """Return what the adapter's function takes after the sources."""
        return {f.name: getattr(self, f.name) for f in fields(self)[2:]}

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({values})"


@dataclass(eq=False, repr=False)
class AsArray(Instruction):
    """Make an operand a tensor of a dtype; the second source gives the device."""

    function = "asarray"
    dtype: str


@dataclass(eq=False, repr=False)
class InRange(Instruction):
    """Check that Python integers fit the integer dtype they are taken for."""

    function = "in_range"
    operand: int
    dtype: str


class SameDevice(Instruction):
    """Check that tensors are on one device."""

    function = "same_device"


@dataclass(eq=False, repr=False)
class Cast(Instruction):
    """Change the dtype."""

    function = "cast"
    dtype: str


@dataclass(eq=False, repr=False)
class Transpose(Instruction):
    """Permute axes."""

    function = "transpose"
    axes: tuple[int, ...]


@dataclass(eq=False, repr=False)
class Reshape(Instruction):
    """Fuse, split, add or drop axes."""

    function = "reshape"
    shape: tuple[int, ...]


@dataclass(eq=False, repr=False)
class BroadcastTo(Instruction):
    """Repeat axes that turn out to have size 1."""

    function = "broadcast_to"
    shape: tuple[int, ...]


class Agree(BroadcastTo):
    """Leave axes as they are that broadcast by themselves, unless they turn out not to."""

    function = "agree"


@dataclass(eq=False, repr=False)
class Diagonal(Instruction):
    """Take the diagonal over two axes; it becomes the last axis."""

    function = "diagonal"
    axis1: int
    axis2: int


@dataclass(eq=False, repr=False)
class Sum(Instruction):
    """Sum over axes."""

    function = "sum"
    axes: tuple[int, ...]


class SumProducts(Sum):
    """Sum products over axes."""

    function = "sum_products"


@dataclass(eq=False, repr=False)
class Dot(Instruction):
    """Multiply two matrices, or vectors; 1 for an operand whose rows and columns are exchanged."""

    function = "dot"
    turned_a: int = 0
    turned_b: int = 0

    def arguments(self) -> dict[str, int | str | tuple[int, ...]]:
        """Return the flags, if one is set."""
        return super().arguments() if self.turned_a or self.turned_b else {}


class IntegerDot(Instruction):
    """Multiply two matrices of a narrow integer dtype, in int32."""

    function = "integer_dot"


class MatMul(Dot):
    """Multiply batches of matrices over the last two axes; the axes before broadcast."""

    function = "matmul"


@dataclass(eq=False, repr=False)
class MatMulInto(Instruction):
    """Multiply batches of matrices, the result laid out in C order with its axes permuted."""

    function = "matmul_into"
    shape: tuple[int, ...]
    """Of the result."""
    axes: tuple[int, ...]
    """For each axis of the product, its place in the result."""


class Multiply(Instruction):
    """Multiply elementwise."""

    function = "multiply"


class Contiguous(Instruction):
    """Lay out in C order."""

    function = "contiguous"


class Unbox(Instruction):
    """Make a 0-d array a scalar."""

    function = "unbox"


@dataclass(eq=False, repr=False)
class Native(Instruction):
    """Leave it to the framework's own einsum, with an explicit equation in its labels."""

    function = "native"
    equation: str


class Program(NamedTuple):
    """Instructions in order; the first ``operands`` registers are the operands."""

    operands: int
    instructions: tuple[Instruction, ...]
    result: int
