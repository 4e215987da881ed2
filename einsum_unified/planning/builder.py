"""`Builder`: appends the instructions of a program, and labels the axes of the values that they make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from einsum_unified.adapter import Capabilities
from einsum_unified.language.equation import Equation
from einsum_unified.language.letters import numbered
from einsum_unified.planning.labelled import Labelled
from einsum_unified.program.primitives import (
    Agree,
    BroadcastTo,
    Cast,
    Check,
    Contiguous,
    Diagonal,
    Dot,
    Instruction,
    IntegerDot,
    MatMul,
    MatMulInto,
    Multiply,
    Native,
    ObjectProduct,
    Ranked,
    Reshape,
    Sum,
    Transpose,
)
from einsum_unified.program.values import Value, broadcast_shapes, members


@dataclass
class Builder:
    """Appends instructions, except those that would change nothing."""

    capabilities: Capabilities
    registers: int
    dtype: str
    """The dtype of the result, to which the operands have been cast."""
    instructions: list[Instruction] = field(default_factory=list)

    def make(
        self, kind: type[Instruction], sources: Sequence[Labelled], labels: tuple[int, ...], *arguments: Any
    ) -> Labelled:
        """Append an instruction of a kind with its arguments, and return the value that it makes."""
        instruction = kind(self.registers, tuple([x.register for x in sources]), *arguments)
        return self._append(instruction, instruction.result(sources, self.capabilities.views), labels)

    def check(self, kind: type[Check], sources: Sequence[Labelled], *arguments: Any) -> None:
        """Append an instruction that only checks and makes no value."""
        self.instructions.append(kind(-1, tuple([x.register for x in sources]), *arguments))

    def cast(self, x: Labelled, dtype: str) -> Labelled:
        """Change the dtype."""
        return x if x.dtype == dtype else self.make(Cast, [x], x.labels, dtype)

    def ranked(self, x: Labelled, rank: int) -> Labelled:
        """Check the number of axes at run time."""
        return self.make(Ranked, [x], x.labels, rank)

    def transpose(self, x: Labelled, labels: Sequence[int]) -> Labelled:
        """Bring the axes into the order of ``labels``."""
        if x.labels == labels:
            return x
        return self.permute(x, x.axes(labels))

    def permute(self, x: Labelled, axes: tuple[int, ...]) -> Labelled:
        """Bring the axes into the order of ``axes``."""
        if axes == tuple(range(len(axes))):
            return x
        return self.make(Transpose, [self._for_movement(x)], tuple([x.labels[axis] for axis in axes]), axes)

    def reshape(self, x: Labelled, labels: tuple[int, ...], shape: tuple[int, ...]) -> Labelled:
        """Reshape; ``labels`` are the labels of the new axes, -1 for an axis without a label."""
        if shape == x.shape:
            return Labelled.of(x, x.register, labels)
        return self.make(Reshape, [self._for_movement(x)], labels, shape)

    def without(self, x: Labelled, axes: Sequence[int]) -> Labelled:
        """Drop axes of size 1."""
        gone = members(axes)
        rest = [axis for axis in range(len(x.labels)) if axis not in gone]
        labels, shape = (tuple([of[axis] for axis in rest]) for of in (x.labels, x.shape))
        return self.reshape(x, labels, shape)

    def broadcast(self, x: Labelled, shape: tuple[int, ...]) -> Labelled:
        """Repeat axes whose size is 1 at run time."""
        return x if shape == x.shape else self.make(BroadcastTo, [self._for_movement(x)], x.labels, shape)

    def agree(self, x: Labelled, shape: tuple[int, ...]) -> Labelled:
        """Check at run time that the axes broadcast to a shape."""
        return x if shape == x.shape else self.make(Agree, [x], x.labels, shape)

    def diagonal(self, x: Labelled, label: int) -> Labelled:
        """Take the diagonal over the first two axes of a label. The diagonal becomes the last axis."""
        axis1 = x.labels.index(label)
        axis2 = x.labels.index(label, axis1 + 1)
        rest = [other for axis, other in enumerate(x.labels) if axis not in (axis1, axis2)]
        return self.make(Diagonal, [self._for_movement(x)], (*rest, label), axis1, axis2)

    def sum(self, x: Labelled, labels: Iterable[int], kind: type[Sum] = Sum) -> Labelled:
        """Sum over labels."""
        gone = set(labels)
        if not gone:
            return x
        axes = tuple([axis for axis, label in enumerate(x.labels) if label in gone])
        if not axes:
            return x
        rest = tuple([label for label in x.labels if label not in gone])
        return self._restored(self.make(kind, [self._for_arithmetic(x)], rest, axes))

    def matmul(
        self,
        a: Labelled,
        b: Labelled,
        turned: tuple[bool, bool] = (False, False),
        dtype: str | None = None,
        order: tuple[int, ...] | None = None,
    ) -> Labelled:
        """Multiply matrices; ``turned`` says for each whether its rows and columns are exchanged.

        With a ``dtype`` the product is computed in that dtype, and cast back. With an ``order`` the result
        has the axes of the product in that order.
        """
        if dtype:
            a, b = self.cast(a, dtype), self.cast(b, dtype)
        else:
            a, b = self._for_arithmetic(a), self._for_arithmetic(b)
        rank = max(len(a.shape), len(b.shape))
        # A vector has no rows on the left, and no columns on the right.
        axes = rank if rank > 2 else len(a.shape) + len(b.shape) - 2
        if self.dtype == "object" and self.capabilities.objects:
            product = self._product(ObjectProduct, a, b, axes)
            return product if order is None else self.contiguous(self.permute(product, order))
        if order is not None:
            lead = broadcast_shapes(a.shape[:-2], b.shape[:-2])
            own = (*lead, a.shape[-2], b.shape[-1])
            places = tuple(sorted(range(rank), key=order.__getitem__))
            product = self._product(MatMulInto, a, b, rank, tuple([own[axis] for axis in order]), places)
        elif rank > 2:
            product = self._product(MatMul, a, b, rank, *map(int, turned))
        else:
            product = self._product(Dot, a, b, axes, *map(int, turned))
        return self._narrowed(product, dtype) if dtype else self._restored(product)

    def integer_dot(self, a: Labelled, b: Labelled) -> Labelled:
        """Multiply two matrices of narrow integers in int32, and cast back."""
        return self.cast(self._product(IntegerDot, a, b, 2), self.dtype)

    def multiply(self, a: Labelled, b: Labelled, labels: tuple[int, ...]) -> Labelled:
        """Multiply elementwise."""
        sources = self._for_arithmetic(a), self._for_arithmetic(b)
        return self._restored(self.make(Multiply, sources, labels))

    def native(self, a: Labelled, b: Labelled, output: tuple[int, ...]) -> Labelled:
        """Contract a pair by the framework's own einsum."""
        xs = self._for_arithmetic(a), self._for_arithmetic(b)
        return self._restored(self.make(Native, xs, output, *numbered([a.labels, b.labels], output)))

    def native_of_any_rank(self, xs: Sequence[Labelled], equation: Equation) -> Labelled:
        """Contract operands of unknown rank by the framework's own einsum."""
        xs = [self._for_arithmetic(x) for x in xs]
        terms, output = numbered(equation.inputs, equation.output)
        instruction = Native(self.registers, tuple([x.register for x in xs]), terms, output)
        made = Value((), (), xs[0].dtype, False)  # its axes are unknown
        return self._restored(self._append(instruction, made, ()))

    def contiguous(self, x: Labelled) -> Labelled:
        """Copy a value that is not in C order."""
        return x if not self.capabilities.views or x.dense else self.make(Contiguous, [x], x.labels)

    def _append(self, instruction: Instruction, made: Value, labels: tuple[int, ...]) -> Labelled:
        self.instructions.append(instruction)
        self.registers += 1
        return Labelled.of(made, instruction.target, labels)

    def _product(
        self, kind: type[Instruction], a: Labelled, b: Labelled, axes: int, *arguments: Any
    ) -> Labelled:
        return self.make(kind, (a, b), (-1,) * axes, *arguments)

    def _for_arithmetic(self, x: Labelled) -> Labelled:
        return self.cast(x, self.capabilities.arithmetic.get(self.dtype, self.dtype))

    def _for_movement(self, x: Labelled) -> Labelled:
        # A value that has already been cast for arithmetic needs no other cast.
        return self.cast(x, self.capabilities.movement.get(x.dtype, x.dtype))

    def _restored(self, x: Labelled) -> Labelled:
        """Cast a computed value back to a dtype of `Capabilities.restored`."""
        return self.cast(x, self.dtype) if self.dtype in self.capabilities.restored else x

    def _narrowed(self, x: Labelled, dtype: str) -> Labelled:
        """Cast a sum of integers, exact in a float dtype, to the integer dtype; it wraps around there.

        It is cast to a wide integer first: C does not define a cast from float to an integer dtype that
        cannot hold the value.
        """
        if self.dtype != "bool":
            x = self.cast(x, "int32" if dtype == "float32" else "int64")
        return self.cast(x, self.dtype)
