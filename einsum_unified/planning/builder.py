"""Write a program's instructions, keeping track of the values they make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from einsum_unified.adapter import Capabilities
from einsum_unified.language.letters import numbered
from einsum_unified.language.sizes import broadcast
from einsum_unified.planning.values import Value, dense
from einsum_unified.program.primitives import (
    Agree,
    BroadcastTo,
    Cast,
    Contiguous,
    Diagonal,
    Dot,
    Instruction,
    IntegerDot,
    MatMul,
    MatMulInto,
    Multiply,
    Native,
    Ranked,
    Reshape,
    Sum,
    Transpose,
)


@dataclass
class Writer:
    """Appends instructions; leaves out those that would do nothing."""

    capabilities: Capabilities
    registers: int
    dtype: str
    """Of the result, to which operands have been cast."""
    instructions: list[Instruction] = field(default_factory=list)

    def cast(self, x: Value, dtype: str) -> Value:
        """Change the dtype."""
        if x.dtype == dtype:
            return x
        register = self.make(Cast(self.registers, (x.register,), dtype))
        return Value(register, x.labels, x.shape, _compact(x), dtype)

    def ranked(self, x: Value, rank: int) -> Value:
        """Have it said when the program runs if the number of axes is another one."""
        return replace(x, register=self.make(Ranked(self.registers, (x.register,), rank)))

    def transpose(self, x: Value, labels: Sequence[int]) -> Value:
        """Bring the axes to the order of labels."""
        return self.permute(x, tuple(map(x.labels.index, labels)))

    def permute(self, x: Value, axes: tuple[int, ...]) -> Value:
        """Bring the axes to an order."""
        if axes == tuple(range(len(axes))):
            return x
        x = self._for_movement(x)
        register = self.make(Transpose(self.registers, (x.register,), axes))
        shape = tuple([x.shape[axis] for axis in axes])
        views = self.capabilities.views
        strides = tuple([x.strides[axis] for axis in axes]) if views else dense(shape)
        return Value(register, tuple([x.labels[axis] for axis in axes]), shape, strides, x.dtype)

    def reshape(
        self,
        x: Value,
        labels: tuple[int, ...],
        shape: tuple[int, ...],
        strides: tuple[int, ...] | None = None,
    ) -> Value:
        """Reshape; ``labels`` are those of the new axes, -1 for what has none."""
        if shape == x.shape:
            return Value(x.register, labels, shape, x.strides, x.dtype)
        x = self._for_movement(x)
        register = self.make(Reshape(self.registers, (x.register,), shape))
        return Value(register, labels, shape, strides or dense(shape), x.dtype)

    def without(self, x: Value, axes: Sequence[int]) -> Value:
        """Drop axes of size 1."""
        rest = [axis for axis in range(len(x.labels)) if axis not in axes]
        labels, shape, strides = (tuple([of[n] for n in rest]) for of in (x.labels, x.shape, x.strides))
        return self.reshape(x, labels, shape, strides)

    def broadcast(self, x: Value, shape: tuple[int, ...]) -> Value:
        """Repeat axes that turn out to have size 1 when the program runs."""
        if shape == x.shape:
            return x
        x = self._for_movement(x)
        register = self.make(BroadcastTo(self.registers, (x.register,), shape))
        return Value(register, x.labels, shape, dense(shape), x.dtype)

    def agree(self, x: Value, shape: tuple[int, ...]) -> Value:
        """Have it said when the program runs if axes cannot broadcast to a shape."""
        if shape == x.shape:
            return x
        register = self.make(Agree(self.registers, (x.register,), shape))
        return Value(register, x.labels, x.shape, x.strides, x.dtype)

    def diagonal(self, x: Value, label: int) -> Value:
        """Take the diagonal over the first two axes of a label; it becomes the last axis."""
        axis1 = x.labels.index(label)
        axis2 = x.labels.index(label, axis1 + 1)
        x = self._for_movement(x)
        register = self.make(Diagonal(self.registers, (x.register,), axis1, axis2))
        rest = [axis for axis in range(len(x.labels)) if axis not in (axis1, axis2)]
        labels = (*(x.labels[axis] for axis in rest), label)
        shape = (*(x.shape[axis] for axis in rest), x.shape[axis1])
        strides = (*(x.strides[axis] for axis in rest), x.strides[axis1] + x.strides[axis2])
        return Value(register, labels, shape, strides if self.capabilities.views else dense(shape), x.dtype)

    def sum(self, x: Value, labels: Iterable[int], kind: type[Sum] = Sum) -> Value:
        """Sum over labels."""
        gone = set(labels)
        axes = tuple([axis for axis, label in enumerate(x.labels) if label in gone])
        if not axes:
            return x
        x = self._for_arithmetic(x)
        register = self.make(kind(self.registers, (x.register,), axes))
        rest = [axis for axis in range(len(x.labels)) if axis not in axes]
        return self._computed(register, tuple(x.labels[n] for n in rest), tuple(x.shape[n] for n in rest), x)

    def matmul(
        self,
        a: Value,
        b: Value,
        turned: tuple[bool, bool] = (False, False),
        dtype: str | None = None,
        order: tuple[int, ...] | None = None,
    ) -> Value:
        """Multiply matrices; those ``turned`` have rows and columns exchanged.

        With a ``dtype`` the product is made in that, and cast back. With an ``order`` it is written so that
        the result's axes are these of the product.
        """
        a, b = (self.cast(x, dtype) if dtype else self._for_arithmetic(x) for x in (a, b))
        rows = a.shape[-2 + turned[0] : len(a.shape) - 1 + turned[0]] if len(a.shape) > 1 else ()
        columns = b.shape[-1 - turned[1] : len(b.shape) - turned[1]] if len(b.shape) > 1 else ()
        lead = tuple(broadcast(m, n) for m, n in _paired(a.shape[:-2], b.shape[:-2]))
        shape = (*lead, *rows, *columns)
        sources = (a.register, b.register)
        if order is not None:
            shape = tuple(shape[axis] for axis in order)
            axes = tuple(order.index(axis) for axis in range(len(order)))
            register = self.make(MatMulInto(self.registers, sources, shape, axes))
        else:
            kind = MatMul if len(shape) > 2 else Dot
            register = self.make(kind(self.registers, sources, *map(int, turned)))
        product = self._computed(register, (-1,) * len(shape), shape, a)
        return self._narrowed(product, dtype) if dtype else product

    def integer_dot(self, a: Value, b: Value) -> Value:
        """Multiply two matrices of narrow integers in int32, and cast back."""
        register = self.make(IntegerDot(self.registers, (a.register, b.register)))
        shape = (a.shape[0], b.shape[1])
        return self.cast(Value(register, (-1, -1), shape, dense(shape), "int32"), self.dtype)

    def multiply(self, a: Value, b: Value, labels: tuple[int, ...]) -> Value:
        """Multiply elementwise."""
        a, b = self._for_arithmetic(a), self._for_arithmetic(b)
        register = self.make(Multiply(self.registers, (a.register, b.register)))
        shape = tuple(broadcast(m, n) for m, n in _paired(a.shape, b.shape))
        return self._computed(register, labels, shape, a)

    def native(
        self,
        xs: Sequence[Value],
        terms: Sequence[Sequence[Any]],
        output: Sequence[Any],
        shape: tuple[int, ...] | None,
    ) -> Value:
        """Leave it to the framework's own einsum; without a shape the number of axes is unknown."""
        xs = [self._for_arithmetic(x) for x in xs]
        register = self.make(Native(self.registers, tuple(x.register for x in xs), *numbered(terms, output)))
        if shape is None:
            return self._computed(register, (), (), xs[0])
        return self._computed(register, tuple(output), shape, xs[0])

    def contiguous(self, x: Value) -> Value:
        """Copy what does not lie in C order."""
        if not self.capabilities.views or _is_dense(x):
            return x
        register = self.make(Contiguous(self.registers, (x.register,)))
        return Value(register, x.labels, x.shape, dense(x.shape), x.dtype)

    def check(self, instruction: Instruction) -> None:
        """Append an instruction that makes nothing."""
        self.instructions.append(instruction)

    def make(self, instruction: Instruction) -> int:
        """Append an instruction that makes a value."""
        self.instructions.append(instruction)
        self.registers += 1
        return instruction.target

    def _for_arithmetic(self, x: Value) -> Value:
        return self.cast(x, self.capabilities.arithmetic.get(self.dtype, self.dtype))

    def _for_movement(self, x: Value) -> Value:
        # A value that has been cast for arithmetic can be moved as it is.
        return self.cast(x, self.capabilities.movement.get(x.dtype, x.dtype))

    def _computed(self, register: int, labels: tuple[int, ...], shape: tuple[int, ...], like: Value) -> Value:
        x = Value(register, labels, shape, dense(shape), like.dtype)
        return self.cast(x, self.dtype) if self.dtype in self.capabilities.restored else x

    def _narrowed(self, x: Value, dtype: str) -> Value:
        """Cast a sum of integers, exact in a float dtype, to the integers it wraps around to.

        From float straight to a narrow integer C leaves undefined what becomes of what does not fit.
        """
        if self.dtype != "bool":
            x = self.cast(x, "int32" if dtype == "float32" else "int64")
        return self.cast(x, self.dtype)


def _paired(a: tuple[int, ...], b: tuple[int, ...]) -> list[tuple[int, int]]:
    """Return sizes that meet when shapes broadcast."""
    rank = max(len(a), len(b))
    return list(zip((1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b, strict=True))


def _compact(x: Value) -> tuple[int, ...]:
    """Return the strides of a copy in the order of memory."""
    axes = sorted(range(len(x.shape)), key=lambda axis: -x.strides[axis])
    steps = dict(zip(axes, dense([x.shape[axis] for axis in axes]), strict=True))
    return tuple(steps[axis] for axis in range(len(axes)))


def _is_dense(x: Value) -> bool:
    return all(
        stride == step or size == 1
        for size, stride, step in zip(x.shape, x.strides, dense(x.shape), strict=True)
    )
