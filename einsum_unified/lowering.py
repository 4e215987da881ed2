"""Lower a `Bound` equation and its path to a `Program` of framework-free primitives.

Each operand is first simplified: axes that broadcast are dropped, diagonals taken, labels that occur
nowhere else summed. Then each step of the path multiplies two operands, whose labels are

* *batch*: in both, and needed later;
* *contracted*: in both, and needed no more;
* *left*, *right*: kept labels that only one of them has.

Labels to contract make it a matmul, transposed and reshaped to ``(*batch, left, contracted) @
(*batch, contracted, right)`` (TTGT: transpose, transpose, GEMM, transpose); none, a multiply.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from math import prod

from einsum_unified import dtypes
from einsum_unified.equation import Equation
from einsum_unified.errors import OperandError
from einsum_unified.operands import Bound, Operand
from einsum_unified.path import Path, pairwise
from einsum_unified.primitives import (
    AsArray,
    Capabilities,
    Cast,
    Diagonal,
    Form,
    InRange,
    Instruction,
    MatMul,
    Multiply,
    Native,
    Program,
    Reshape,
    SameDevice,
    Sum,
    Transpose,
    Unbox,
)

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Value:
    """What a register holds: one label an axis, its size, and the dtype."""

    register: int
    labels: tuple[int, ...]
    shape: tuple[int, ...]
    dtype: str


@dataclass
class _Writer:
    """Appends instructions and keeps track of the values they make; leaves out those that do nothing."""

    capabilities: Capabilities
    registers: int
    dtype: str
    instructions: list[Instruction] = field(default_factory=list)

    def cast(self, x: Value, dtype: str) -> Value:
        if x.dtype == dtype:
            return x
        register = self._write(Cast(self.registers, (x.register,), dtype))
        return replace(x, register=register, dtype=dtype)

    def transpose(self, x: Value, labels: Sequence[int]) -> Value:
        axes = tuple(x.labels.index(label) for label in labels)
        if axes == tuple(range(len(axes))):
            return x
        x = self._for_movement(x)
        register = self._write(Transpose(self.registers, (x.register,), axes))
        return Value(register, tuple(labels), tuple(x.shape[axis] for axis in axes), x.dtype)

    def reshape(self, x: Value, labels: tuple[int, ...], shape: tuple[int, ...]) -> Value:
        """Reshape; ``labels`` are those of the new axes, -1 for what has none."""
        if shape == x.shape:
            return replace(x, labels=labels)
        x = self._for_movement(x)
        return Value(self._write(Reshape(self.registers, (x.register,), shape)), labels, shape, x.dtype)

    def diagonal(self, x: Value, label: int) -> Value:
        axis1 = x.labels.index(label)
        axis2 = x.labels.index(label, axis1 + 1)
        x = self._for_movement(x)
        register = self._write(Diagonal(self.registers, (x.register,), axis1, axis2))
        rest = [axis for axis in range(len(x.labels)) if axis not in (axis1, axis2)]
        labels = (*(x.labels[axis] for axis in rest), label)
        shape = (*(x.shape[axis] for axis in rest), x.shape[axis1])
        return Value(register, labels, shape, x.dtype)

    def sum(self, x: Value, labels: Iterable[int]) -> Value:
        axes = tuple(axis for axis, label in enumerate(x.labels) if label in set(labels))
        if not axes:
            return x
        x = self._for_arithmetic(x)
        register = self._write(Sum(self.registers, (x.register,), axes))
        rest = [axis for axis in range(len(x.labels)) if axis not in axes]
        labels = tuple(x.labels[axis] for axis in rest)
        return self._restored(Value(register, labels, tuple(x.shape[axis] for axis in rest), x.dtype))

    def matmul(self, a: Value, b: Value) -> Value:
        a, b = self._for_arithmetic(a), self._for_arithmetic(b)
        register = self._write(MatMul(self.registers, (a.register, b.register)))
        labels, shape = (*a.labels[:-1], b.labels[-1]), (*a.shape[:-1], b.shape[-1])
        return self._restored(Value(register, labels, shape, a.dtype))

    def multiply(self, a: Value, b: Value, labels: tuple[int, ...]) -> Value:
        a, b = self._for_arithmetic(a), self._for_arithmetic(b)
        register = self._write(Multiply(self.registers, (a.register, b.register)))
        shape = tuple(n if m == 1 else m for m, n in zip(a.shape, b.shape, strict=True))
        return self._restored(Value(register, labels, shape, a.dtype))

    def native(self, xs: Sequence[Value], equation: str) -> Value:
        xs = [self._for_arithmetic(x) for x in xs]
        register = self._write(Native(self.registers, tuple(x.register for x in xs), equation))
        return Value(register, (), (), xs[0].dtype)

    def check(self, instruction: Instruction) -> None:
        """Append an instruction that makes nothing."""
        self.instructions.append(instruction)

    def make(self, instruction: Instruction) -> int:
        """Append any other instruction."""
        return self._write(instruction)

    def _for_arithmetic(self, x: Value) -> Value:
        return self.cast(x, self.capabilities.arithmetic.get(self.dtype, self.dtype))

    def _for_movement(self, x: Value) -> Value:
        # A value that has been cast for arithmetic can be moved as it is.
        return self.cast(x, self.capabilities.movement.get(x.dtype, x.dtype))

    def _restored(self, x: Value) -> Value:
        return self.cast(x, self.dtype) if self.dtype in self.capabilities.restored else x

    def _write(self, instruction: Instruction) -> int:
        self.instructions.append(instruction)
        self.registers += 1
        return instruction.target


def lower(bound: Bound, path: Path, capabilities: Capabilities) -> Program:
    """Return the program that computes a bound equation along a path."""
    writer = _Writer(capabilities, len(bound.operands), bound.dtype)
    inputs = _tensors(bound, writer)
    if bound.symbolic:
        return _lower_native(bound, inputs, writer)
    live = _simplified(bound, inputs, writer)
    needed = Counter(label for value in live for label in value.labels)
    needed.update(bound.output)
    for step in pairwise(path, len(live)):
        taken = [live.pop(position) for position in sorted(step, reverse=True)]
        if len(taken) == 2:
            b, a = taken
            needed.subtract((*a.labels, *b.labels))
            kept = {label for label in (*a.labels, *b.labels) if needed[label]}
            taken = [_contract(a, b, kept, None if live else bound.output, writer)]
            needed.update(taken[0].labels)
        live += taken
    return _finished(bound, live[0], writer)


def _tensors(bound: Bound, writer: _Writer) -> list[Value]:
    """Make every operand a tensor of the result's dtype: nothing is summed before that."""
    forms = [operand.form for operand in bound.operands]
    tensors = tuple(n for n, form in enumerate(forms) if form is Form.TENSOR)
    if writer.capabilities.devices and len(tensors) > 1:
        writer.check(SameDevice(-1, tensors))
    values = []
    for number, operand in enumerate(bound.operands):
        # Axes of unknown size are only handed on to the framework's own einsum.
        labels = () if bound.symbolic else bound.terms[number]
        shape = () if bound.symbolic else operand.shape or ()
        value = Value(number, labels, shape, operand.dtype)  # type: ignore[arg-type]
        if operand.form is Form.ARRAY:
            value = _as_array(number, operand, value, tensors, bound.dtype, writer)
        values.append(writer.cast(value, bound.dtype))
    return values


def _as_array(
    number: int, operand: Operand, value: Value, tensors: tuple[int, ...], dtype: str, writer: _Writer
) -> Value:
    if operand.weak is int and dtypes.kind_of(dtype) == "int":
        writer.check(InRange(-1, (number,), number, dtype))
    like = tensors[0] if tensors else number
    register = writer.make(AsArray(writer.registers, (number, like), dtype))
    return replace(value, register=register, dtype=dtype)


def _simplified(bound: Bound, inputs: Sequence[Value], writer: _Writer) -> list[Value]:
    """Drop broadcast axes, take diagonals, and sum the labels that occur in one operand only."""
    values = []
    for value in inputs:
        # Where others have more, size 1 is no label of this operand: what remains is an outer product.
        axes = [axis for axis, label in enumerate(value.labels) if value.shape[axis] == bound.sizes[label]]
        value = writer.reshape(
            value, tuple(value.labels[axis] for axis in axes), tuple(value.shape[axis] for axis in axes)
        )
        while len(set(value.labels)) < len(value.labels):
            value = writer.diagonal(value, next(x for x, count in Counter(value.labels).items() if count > 1))
        values.append(value)
    occurs = Counter(label for value in values for label in value.labels)
    occurs.update(bound.output)
    return [writer.sum(value, [label for label in value.labels if occurs[label] == 1]) for value in values]


def _finished(bound: Bound, value: Value, writer: _Writer) -> Program:
    value = writer.transpose(value, bound.output)
    value = writer.cast(value, bound.dtype)
    if writer.capabilities.scalars and not value.labels:
        value = replace(value, register=writer.make(Unbox(writer.registers, (value.register,))))
    elif writer.capabilities.views and value.register < len(bound.operands):
        # The result is a view, as with every other equation of one operand, not the operand itself.
        axes = tuple(range(len(value.labels)))
        value = replace(value, register=writer.make(Transpose(writer.registers, (value.register,), axes)))
    return Program(len(bound.operands), tuple(writer.instructions), value.register)


# --- one step -----------------------------------------------------------------------------------


def _contract(a: Value, b: Value, kept: set[int], output: tuple[int, ...] | None, writer: _Writer) -> Value:
    """Multiply two operands and sum what is needed no more; ``output`` is given at the last step."""
    if all(label in kept for label in a.labels if label in b.labels):
        return _outer(a, b, output, writer)
    batch = tuple(label for label in a.labels if label in b.labels and label in kept)
    left = tuple(label for label in a.labels if label not in b.labels)
    right = tuple(label for label in b.labels if label not in a.labels)
    if output is not None:
        # Within each group the result's order, and the operands such that it comes out in one piece.
        groups = [tuple(label for label in output if label in group) for group in (batch, left, right)]
        if output == (*groups[0], *groups[1], *groups[2]):
            batch, left, right = groups
        elif output == (*groups[0], *groups[2], *groups[1]):
            a, b, (batch, right, left) = b, a, groups
    larger = a if prod(a.shape) >= prod(b.shape) else b
    contracted = tuple(
        label for label in larger.labels if label in a.labels and label in b.labels and label not in kept
    )
    product = writer.matmul(
        _matrices(a, batch, left, contracted, writer), _matrices(b, batch, contracted, right, writer)
    )
    size = dict(zip((*a.labels, *b.labels), (*a.shape, *b.shape), strict=True))
    labels = (*batch, *left, *right)
    return writer.reshape(product, labels, tuple(size[label] for label in labels))


def _matrices(
    x: Value, batch: tuple[int, ...], rows: tuple[int, ...], columns: tuple[int, ...], writer: _Writer
) -> Value:
    """Bring an operand to ``(*batch, rows, columns)``, rows and columns each fused to one axis."""
    x = writer.transpose(x, (*batch, *rows, *columns))
    first, second = len(batch), len(batch) + len(rows)
    shape = (*x.shape[:first], prod(x.shape[first:second]), prod(x.shape[second:]))
    return writer.reshape(x, (*batch, -1, -1), shape)


def _outer(a: Value, b: Value, output: tuple[int, ...] | None, writer: _Writer) -> Value:
    """Multiply elementwise, both brought to the result's order with 1 for the axes that they lack."""
    labels = (
        output if output is not None else (*a.labels, *(label for label in b.labels if label not in a.labels))
    )
    owners = [(label in a.labels, label in b.labels) for label in labels]
    most = writer.capabilities.broadcast_runs
    if most is not None and sum(1 for _ in groupby(owners)) > most:
        labels = tuple(sorted(labels, key=lambda label: (label not in a.labels, label not in b.labels)))
    return writer.multiply(_spread(a, labels, writer), _spread(b, labels, writer), labels)


def _spread(x: Value, labels: tuple[int, ...], writer: _Writer) -> Value:
    """Bring an operand's axes to the order of ``labels``, with 1 for those it lacks."""
    x = writer.transpose(x, [label for label in labels if label in x.labels])
    size = dict(zip(x.labels, x.shape, strict=True))
    return writer.reshape(x, labels, tuple(size.get(label, 1) for label in labels))


# --- what only the framework can do ---------------------------------------------------------------


def _lower_native(bound: Bound, inputs: Sequence[Value], writer: _Writer) -> Program:
    """Leave sizes that are not known yet to the framework's own einsum."""
    equation = bound.equation
    text = in_letters(equation)
    if bound.terms and ... not in equation.output and any(... in term for term in equation.inputs):
        # TensorFlow does not sum an ellipsis away; its axes as labels it does.
        text = _spelled_out((*bound.terms, bound.output))
    value = writer.cast(writer.native(inputs, text), bound.dtype)
    return Program(len(bound.operands), tuple(writer.instructions), value.register)


def in_letters(equation: Equation) -> str:
    """Return an equation with its output written and its labels replaced by a–z and A–Z.

    >>> from einsum_unified.equation import parse
    >>> in_letters(parse("β γ, γ"))
    'ab,b->a'
    """
    return _spelled_out((*equation.inputs, equation.output))


def _spelled_out(terms: Sequence[Sequence[object]]) -> str:
    labels = dict.fromkeys(label for term in terms for label in term if label is not ...)
    if len(labels) > len(_LETTERS):
        raise OperandError(
            f"sizes that are known only at run time go with at most {len(_LETTERS)} labels, not {len(labels)}"
        )
    names: dict[object, str] = {**dict(zip(labels, _LETTERS, strict=False)), ...: "..."}
    texts = ["".join(names[label] for label in term) for term in terms]
    return f"{','.join(texts[:-1])}->{texts[-1]}"
