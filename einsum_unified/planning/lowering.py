"""Lower a `Bound` equation and its path to a `Program` of framework-free primitives.

Each operand is first simplified: axes that broadcast are dropped, diagonals taken, labels that occur
nowhere else summed. Then each step of the path multiplies two operands (`candidates`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from einsum_unified import dtypes
from einsum_unified.adapter import Capabilities, Form
from einsum_unified.binding.bound import Bound
from einsum_unified.binding.operand import Operand
from einsum_unified.planning.builder import Writer
from einsum_unified.planning.candidates import contract
from einsum_unified.planning.pair import Choice, cheapest
from einsum_unified.planning.path import Path, pairwise
from einsum_unified.planning.values import Value, dense
from einsum_unified.program.primitives import (
    AsArray,
    Dot,
    InRange,
    Multiply,
    Native,
    Program,
    SameDevice,
    Sum,
    Transpose,
    Unbox,
)

_SCALARS = (Dot, Multiply, Native, Sum)


def lower(bound: Bound, path: Path, capabilities: Capabilities, choose: Choice = cheapest) -> Program:
    """Return the program that computes a bound equation along a path.

    Of the ways to multiply a pair, ``choose`` takes one; any gives the same values up to rounding.
    """
    writer = Writer(capabilities, len(bound.operands), bound.dtype)
    inputs = _tensors(bound, writer)
    if bound.unranked:
        return _lower_native(bound, inputs, writer)
    live = _simplified(bound, inputs, writer)
    ends = [len(writer.instructions)]
    needed = Counter(label for value in live for label in value.labels)
    needed.update(bound.output)
    for step in pairwise(path, len(live)):
        taken = [live.pop(position) for position in sorted(step, reverse=True)]
        if len(taken) == 2:
            b, a = taken
            needed.subtract((*a.labels, *b.labels))
            kept = {label for label in (*a.labels, *b.labels) if needed[label]}
            taken = [contract(a, b, kept, None if live else bound.output, writer, choose)]
            needed.update(taken[0].labels)
        live += taken
        ends.append(len(writer.instructions))
    return _finished(bound, live[0], writer)._replace(ends=tuple(ends))


def _tensors(bound: Bound, writer: Writer) -> list[Value]:
    """Make every operand a tensor of the result's dtype: nothing is summed before that."""
    forms = [operand.form for operand in bound.operands]
    tensors = tuple(n for n, form in enumerate(forms) if form is Form.TENSOR)
    if writer.capabilities.devices and len(tensors) > 1:
        writer.check(SameDevice(-1, tensors))
    values = []
    for number, operand in enumerate(bound.operands):
        # Operands of unknown rank are only handed on to the framework's own einsum.
        labels, shape = ((), ()) if bound.unranked else (bound.terms[number], bound.shapes[number])
        value = Value(number, labels, shape, dense(shape), operand.dtype)
        if operand.form is Form.ARRAY:
            value = _as_array(number, operand, value, tensors, bound.dtype, writer)
        if operand.assumed:
            value = writer.ranked(value, len(operand.shape or ()))
        values.append(writer.cast(value, bound.dtype))
    return values


def _as_array(
    number: int, operand: Operand, value: Value, tensors: tuple[int, ...], dtype: str, writer: Writer
) -> Value:
    if operand.weak is int and dtypes.kind_of(dtype) == "int":
        writer.check(InRange(-1, (number,), number, dtype))
    like = tensors[0] if tensors else number
    register = writer.make(AsArray(writer.registers, (number, like), dtype))
    return replace(value, register=register, dtype=dtype)


def _simplified(bound: Bound, inputs: Sequence[Value], writer: Writer) -> list[Value]:
    """Drop axes that broadcast, take diagonals, and sum the labels that occur in one operand only."""
    values = []
    idle = _idle(bound)
    for value in inputs:
        # Where others have more, size 1 is no label of this operand: what remains is an outer product.
        axes = [
            n
            for n, label in enumerate(value.labels)
            if label in idle or bound.broadcasts(label, value.shape[n])
        ]
        value = writer.without(value, axes) if axes else value
        while len(set(value.labels)) < len(value.labels):
            value = writer.diagonal(value, next(x for x, count in Counter(value.labels).items() if count > 1))
        values.append(value)
    occurs = Counter(label for value in values for label in value.labels)
    occurs.update(bound.output)
    values = [writer.sum(value, [label for label in value.labels if occurs[label] == 1]) for value in values]
    return [_agreeing(bound, value, writer) for value in values]


def _agreeing(bound: Bound, value: Value, writer: Writer) -> Value:
    """See to axes that may turn out to have size 1, or another size than elsewhere.

    Those that will be summed are repeated, which costs nothing where they are not 1. The others are batch
    axes of every product, which broadcasts them.
    """
    sizes = tuple([bound.sizes[label] for label in value.labels])
    batch = [label in bound.output for label in value.labels]
    summed = tuple([own if kept else size for own, size, kept in zip(value.shape, sizes, batch, strict=True)])
    return writer.agree(writer.broadcast(value, summed), sizes)


def _idle(bound: Bound) -> set[int]:
    """Return the labels of size 1 that products would sum over: there is nothing to sum."""
    ones = {label for label, size in enumerate(bound.sizes) if size == 1} - set(bound.output)
    if not ones:
        return ones
    # Of one operand alone they are summed all the same: a sum is no view of the operand.
    occurs = Counter(label for term in bound.terms for label in set(term))
    return {label for label in ones if occurs[label] > 1}


def _finished(bound: Bound, value: Value, writer: Writer) -> Program:
    value = writer.transpose(value, bound.output)
    value = writer.cast(value, bound.dtype)
    if writer.capabilities.scalars and not value.labels and not _is_scalar(bound, writer):
        value = replace(value, register=writer.make(Unbox(writer.registers, (value.register,))))
    elif writer.capabilities.views and value.register < len(bound.operands):
        # The result is a view, as with every other equation of one operand, not the operand itself.
        axes = tuple(range(len(value.labels)))
        value = replace(value, register=writer.make(Transpose(writer.registers, (value.register,), axes)))
    return Program(len(bound.operands), tuple(writer.instructions), value.register)


def _is_scalar(bound: Bound, writer: Writer) -> bool:
    """Whether the last instruction returns a scalar by itself; with objects none is sure to."""
    last = writer.instructions[-1] if writer.instructions else None
    return isinstance(last, _SCALARS) and bound.dtype != "object"


# --- what only the framework can do ---------------------------------------------------------------


def _lower_native(bound: Bound, inputs: Sequence[Value], writer: Writer) -> Program:
    """Leave operands of unknown rank to the framework's own einsum."""
    equation = bound.equation
    value = writer.cast(writer.native(inputs, equation.inputs, equation.output, None), bound.dtype)
    return Program(len(bound.operands), tuple(writer.instructions), value.register)
