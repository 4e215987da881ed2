"""Lower a `Bound` equation and its path to a `Program` of framework-free primitives.

First each operand is simplified: axes of size 1 that broadcast are dropped, and diagonals are taken. Then
each step of the path sums the labels that only one of its operands has and nothing else needs, and contracts
its two operands (`candidates`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence

from einsum_unified import dtypes
from einsum_unified.adapter import Capabilities, Form
from einsum_unified.binding.bound import Bound
from einsum_unified.planning.builder import Builder
from einsum_unified.planning.candidates import contract
from einsum_unified.planning.labelled import Labelled
from einsum_unified.planning.pair import Choice, cheapest
from einsum_unified.planning.steps import Path
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
from einsum_unified.program.values import members

_SCALARS = (Dot, Multiply, Native, Sum)


def lower(bound: Bound, path: Path, capabilities: Capabilities, choose: Choice = cheapest) -> Program:
    """Return the program that computes a bound equation along a path.

    ``choose`` selects one of the ways to contract a pair. All give the same values up to rounding.
    """
    builder = Builder(capabilities, len(bound.operands), bound.dtype)
    inputs = _tensors(bound, builder)
    if bound.unranked:
        return _lower_native(bound, inputs, builder)
    live = _simplified(bound, inputs, builder)
    ends = [len(builder.instructions)]
    given = {value.register for value in live}
    needed = _occurrences(live)
    for label in bound.output:
        needed[label] = needed.get(label, 0) + 1
    output = members(bound.output)
    for step in path:
        taken = [live.pop(position) for position in sorted(step)[::-1]][::-1]
        occurs = _occurrences(taken)
        for label, count in occurs.items():
            needed[label] -= count
        alone = {label for label, count in occurs.items() if count == 1 and not needed[label]}
        for n, value in enumerate(taken):
            if value.register in given:  # an intermediate has neither labels to sum nor axes of other sizes
                reduced = builder.sum(value, [label for label in value.labels if label in alone])
                taken[n] = _agreeing(bound, reduced, output, builder)
        made = taken[0]
        if len(taken) == 2:
            kept = {label for label in occurs if needed[label]}
            made = contract(taken[0], taken[1], kept, None if live else bound.output, builder, choose)
        for label in made.labels:
            needed[label] += 1
        live.append(made)
        ends.append(len(builder.instructions))
    return _finished(bound, live[0], builder)._replace(ends=tuple(ends))


def _tensors(bound: Bound, builder: Builder) -> list[Labelled]:
    """Convert every operand to a tensor of the result's dtype, before anything is summed."""
    given = operands(bound)
    tensors = [n for n, operand in enumerate(bound.operands) if operand.form is Form.TENSOR]
    if builder.capabilities.devices and len(tensors) > 1:
        builder.check(SameDevice, [given[number] for number in tensors])
    values = []
    for number, (operand, value) in enumerate(zip(bound.operands, given, strict=True)):
        if operand.form is Form.ARRAY:
            if operand.weak is int and dtypes.kind_of(bound.dtype) == "int":
                builder.check(InRange, [value], number, bound.dtype)
            like = given[tensors[0]] if tensors else value
            value = builder.make(AsArray, [value, like], value.labels, bound.dtype)
        if operand.assumed:
            value = builder.ranked(value, len(operand.shape or ()))
        values.append(builder.cast(value, bound.dtype))
    return values


def operands(bound: Bound) -> list[Labelled]:
    """Return the values of the operands."""
    # Operands of unknown rank are only passed to the framework's own einsum.
    empty = [()] * len(bound.operands)
    terms, shapes = (empty, empty) if bound.unranked else (bound.terms, bound.shapes)
    axes = zip(bound.operands, terms, shapes, strict=True)
    return [Labelled.operand(n, term, shape, x.dtype) for n, (x, term, shape) in enumerate(axes)]


def _simplified(bound: Bound, inputs: Sequence[Labelled], builder: Builder) -> list[Labelled]:
    """Drop axes that broadcast, and take diagonals."""
    values = []
    idle = _idle(bound)
    for value in inputs:
        if 1 in value.shape:
            # Where other operands have a larger size, an axis of size 1 can go: the product broadcasts.
            axes = [
                n
                for n, label in enumerate(value.labels)
                if label in idle or bound.broadcasts(label, value.shape[n])
            ]
            value = builder.without(value, axes) if axes else value
        if len(set(value.labels)) < len(value.labels):
            value = _diagonal(value, builder)
        values.append(value)
    return values


def _occurrences(values: Sequence[Labelled]) -> dict[int, int]:
    """Return how often each label occurs in values."""
    counts: dict[int, int] = {}
    for value in values:
        for label in value.labels:
            counts[label] = counts.get(label, 0) + 1
    return counts


def _diagonal(value: Labelled, builder: Builder) -> Labelled:
    """Take the diagonals over all axes of each repeated label."""
    counts = Counter(value.labels)
    for _ in range(len(value.labels) - len(counts)):
        repeated = next(label for label in value.labels if counts[label] > 1)
        counts[repeated] -= 1
        value = builder.diagonal(value, repeated)
    return value


def _agreeing(bound: Bound, value: Labelled, output: Container[int], builder: Builder) -> Labelled:
    """Handle axes whose size at run time may be 1, or may differ from the same label elsewhere.

    Axes that will be summed are broadcast to the common size, which is free if they have it already. The
    others are batch axes of every product, and products broadcast them; they only need a check.
    """
    sizes = tuple([bound.sizes[label] for label in value.labels])
    if sizes == value.shape:
        return value
    batch = [label in output for label in value.labels]
    summed = tuple([own if kept else size for own, size, kept in zip(value.shape, sizes, batch, strict=True)])
    return builder.agree(builder.broadcast(value, summed), sizes)


def _idle(bound: Bound) -> set[int]:
    """Return the labels of size 1 that products would sum over; they can be dropped instead."""
    if 1 not in bound.sizes:
        return set()
    ones = {label for label, size in enumerate(bound.sizes) if size == 1} - set(bound.output)
    if not ones:
        return ones
    # If only one operand has the label, it is summed nevertheless: unlike a view, a sum is a new tensor.
    occurs = Counter(label for term in bound.terms for label in set(term))
    return {label for label in ones if occurs[label] > 1}


def _finished(bound: Bound, value: Labelled, builder: Builder) -> Program:
    value = builder.transpose(value, bound.output)
    value = builder.cast(value, bound.dtype)
    if builder.capabilities.scalars and not value.labels and not _is_scalar(bound, builder):
        value = builder.make(Unbox, [value], ())
    elif builder.capabilities.views and value.register < len(bound.operands):
        # Return a view, as every other equation of one operand does, not the operand itself.
        value = builder.make(Transpose, [value], value.labels, tuple(range(len(value.labels))))
    return Program(len(bound.operands), tuple(builder.instructions), value.register)


def _is_scalar(bound: Bound, builder: Builder) -> bool:
    """Whether the last instruction itself returns a scalar; with dtype object this is not certain."""
    last = builder.instructions[-1] if builder.instructions else None
    return isinstance(last, _SCALARS) and bound.dtype != "object"


# --- operands of unknown rank -----------------------------------------------------------------------


def _lower_native(bound: Bound, inputs: Sequence[Labelled], builder: Builder) -> Program:
    """Contract operands of unknown rank by the framework's own einsum."""
    value = builder.cast(builder.native_of_any_rank(inputs, bound.equation), bound.dtype)
    return Program(len(bound.operands), tuple(builder.instructions), value.register)
