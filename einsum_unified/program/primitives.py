"""The instructions of a `Program`, which an adapter's functions carry out.

A program works on numbered registers. The operands are registers 0 to n - 1; each instruction reads
some and writes one new. An instruction's class name, in lower case, is the adapter's function.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar, NamedTuple

from einsum_unified.language.letters import Term


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
class Ranked(Instruction):
    """Leave a tensor as it is, unless its number of axes turns out to be another one."""

    function = "ranked"
    rank: int


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

    def arguments(self) -> dict[str, Any]:
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
    """Leave it to the framework's own einsum."""

    function = "native"
    terms: tuple[Term, ...]
    """Labels as integers, from 0 in the order in which they occur."""
    output: Term


class Program(NamedTuple):
    """Instructions in order; the first ``operands`` registers are the operands."""

    operands: int
    instructions: tuple[Instruction, ...]
    result: int
    ends: tuple[int, ...] = ()
    """How many instructions come up to the end of making operands ready, and of each step."""
