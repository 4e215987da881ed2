"""What each instruction of a program computes and moves: exact counts, by carrying shapes and strides along.

* **FLOPs** are multiplications and additions: a product of an m × k by a k × n matrix has 2·m·k·n, an
  elementwise product one for each element of the result, a sum one for each element that is summed.
* **Bytes read** are those of each operand's elements, once; axes that repeat the same memory are read once.
* **Bytes written** are those of the result's elements. Views read and write nothing.
* **A copy** only moves: a transpose or reshape that is no view, a change of dtype or of layout.

What a framework does inside of one call (copies for its BLAS, a fused compilation) is not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from einsum_unified.adapter import Capabilities
from einsum_unified.binding.bound import Bound
from einsum_unified.dtypes import itemsize
from einsum_unified.language.sizes import Reading, broadcast
from einsum_unified.planning.values import Value, dense
from einsum_unified.program import primitives as p
from einsum_unified.program.primitives import Instruction, Program
from einsum_unified.show.figures import Figure
from einsum_unified.show.labels import label_name, label_sizes

_ZERO = Figure()


@dataclass(frozen=True)
class Work:
    """What one instruction does."""

    kind: str
    """``view``, ``copy``, ``sum``, ``matmul``, ``multiply``, ``einsum`` (the framework's) or ``check``."""
    shape: tuple[int, ...]
    """Of what it makes; `einsum_unified.language.sizes.Size` where that is not known."""
    flops: Figure = _ZERO
    read: Figure = _ZERO
    """Bytes."""
    written: Figure = _ZERO
    """Bytes."""
    matrices: tuple[Figure, Figure, Figure, Figure] | None = None
    """Of a matmul: products in the batch, m, k, n."""


@dataclass(frozen=True)
class Account:
    """The work of a program, instruction by instruction, and the most memory it holds at a time."""

    works: tuple[Work, ...]
    peak: Figure
    """Bytes of intermediates and result that are held at a time, operands aside: by the hints."""


class Ledger:
    """Registers as values, whose memory each is, and the work done so far."""

    def __init__(self, bound: Bound, program: Program, capabilities: Capabilities) -> None:
        self.bound, self.program, self.capabilities = bound, program, capabilities
        self.values = {
            n: Value(n, term, shape, dense(shape), operand.dtype)
            for n, (term, shape, operand) in enumerate(
                zip(bound.terms, bound.shapes, bound.operands, strict=True)
            )
        }
        self.owners = {n: n for n in self.values}

    def name(self, reading: Reading) -> str:
        """Return the label whose size is read at some places."""
        operand, axis = reading[0]
        return label_name(self.bound, self.bound.terms[operand][axis])

    def elements(self, shape: Sequence[int]) -> Figure:
        """Return how many elements a shape has."""
        return Figure.product(shape, self.name)

    def bytes_of(self, x: Value) -> Figure:
        """Return the bytes of the memory that a value's elements take."""
        own = [size for size, stride in zip(x.shape, x.strides, strict=True) if stride or size == 1]
        return self.elements(own) * itemsize(x.dtype)

    def view(self, source: Value, target: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Work:
        """Note that a register is a view of another's memory."""
        self.values[target] = Value(target, (), shape, strides, source.dtype)
        self.owners[target] = self.owners[source.register]
        return Work("view", shape)

    def make(self, kind: str, sources: Sequence[Value], target: int, shape: tuple[int, ...], dtype: str,
             flops: Figure = _ZERO, matrices: Any = None) -> Work:  # fmt: skip
        """Note that a register has memory of its own, made from others."""
        made = Value(target, (), shape, dense(shape), dtype)
        self.values[target], self.owners[target] = made, target
        read = _ZERO
        for source in sources:
            read = read + self.bytes_of(source)
        return Work(kind, shape, flops, read, self.bytes_of(made), matrices)


def account(bound: Bound, program: Program, capabilities: Capabilities) -> Account:
    """Return what a program does on operands as they were planned: C-contiguous."""
    ledger = Ledger(bound, program, capabilities)
    works = tuple(_work(instruction, ledger) for instruction in program.instructions)
    return Account(works, _peak(ledger))


def _peak(ledger: Ledger) -> Figure:
    """Return the bytes that the registers hold, operands aside, when these are most."""
    program, bound = ledger.program, ledger.bound
    ends = {source: n for n, instruction in enumerate(program.instructions) for source in instruction.sources}
    ends[program.result] = len(program.instructions)
    until: dict[int, int] = {}  # memory is held as long as any view of it is used
    for register, owner in ledger.owners.items():
        until[owner] = max(until.get(owner, -1), ends.get(register, -1))
    hints = label_sizes(bound)
    gone: dict[int, list[Figure]] = {}
    peak, size_of_peak, held = _ZERO, 0, _ZERO
    for number, instruction in enumerate(program.instructions):
        for figure in gone.pop(number - 1, []):
            held = held + figure * -1
        target = instruction.target
        if target >= program.operands and ledger.owners[target] == target:
            figure = ledger.bytes_of(ledger.values[target])
            held = held + figure
            gone.setdefault(max(until[target], number), []).append(figure)
        if held.at(hints) > size_of_peak:
            peak, size_of_peak = held, held.at(hints)
    return peak


def _work(instruction: Instruction, ledger: Ledger) -> Work:
    sources = [ledger.values[register] for register in instruction.sources]
    if isinstance(instruction, (p.InRange, p.SameDevice)):
        return Work("check", ())
    if isinstance(instruction, (p.Sum, p.Dot, p.IntegerDot, p.MatMulInto, p.Multiply, p.Native)):
        return _computing(instruction, sources, ledger)
    return _moving(instruction, sources[0], ledger)


# --- what moves -----------------------------------------------------------------------------------


def _moving(instruction: Instruction, x: Value, ledger: Ledger) -> Work:
    target, views = instruction.target, ledger.capabilities.views
    if isinstance(instruction, (p.Cast, p.AsArray)):
        return ledger.make("copy", [x], target, x.shape, instruction.dtype)
    if isinstance(instruction, p.Reshape):
        strides = _reshaped(x, instruction.shape) if views else dense(instruction.shape)
        if strides is not None:
            return ledger.view(x, target, instruction.shape, strides)
        return ledger.make("copy", [x], target, instruction.shape, x.dtype)
    if isinstance(instruction, p.Contiguous):
        lies = x.strides == dense(x.shape)
        return ledger.view(x, target, x.shape, x.strides) if lies else _copied(x, target, x.shape, ledger)
    shape, strides = _rearranged(instruction, x)
    if views or isinstance(instruction, (p.Agree, p.Ranked, p.Unbox)):
        return ledger.view(x, target, shape, strides)
    return _copied(x, target, shape, ledger)


def _copied(x: Value, target: int, shape: tuple[int, ...], ledger: Ledger) -> Work:
    return ledger.make("copy", [x], target, shape, x.dtype)


def _rearranged(instruction: Instruction, x: Value) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return shape and strides of a view."""
    if isinstance(instruction, p.Transpose):
        axes = instruction.axes
        return tuple([x.shape[axis] for axis in axes]), tuple([x.strides[axis] for axis in axes])
    if isinstance(instruction, p.Diagonal):
        gone = instruction.axis1, instruction.axis2
        rest = [axis for axis in range(len(x.shape)) if axis not in gone]
        shape = (*[x.shape[axis] for axis in rest], x.shape[gone[0]])
        return shape, (*[x.strides[axis] for axis in rest], x.strides[gone[0]] + x.strides[gone[1]])
    if isinstance(instruction, p.BroadcastTo) and not isinstance(instruction, p.Agree):
        pairs = zip(x.shape, instruction.shape, x.strides, strict=True)
        return instruction.shape, tuple([step if n == m else 0 for n, m, step in pairs])
    return x.shape, x.strides


def _reshaped(x: Value, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the strides of a reshape that is a view; None if it takes a copy.

    Axes of the old shape that fuse in memory are one run; the new ones have to split runs, not join them.
    """
    old = [(n, step) for n, step in zip(x.shape, x.strides, strict=True) if n != 1]
    runs: list[tuple[int, int]] = []
    for size, step in old:
        if runs and runs[-1][1] == size * step:
            runs[-1] = (runs[-1][0] * size, step)
        else:
            runs.append((size, step))
    todo = list(reversed(runs))
    strides: list[int] = []
    left, step = todo.pop() if todo else (1, 1)  # elements of the run that are still to be split
    for position, n in enumerate(shape):
        if n == 1:
            strides.append(0)
            continue
        rest = list(shape[position + 1 :])
        taken, inner = n, 1
        while taken != left and rest:
            inner *= rest[0]
            taken *= rest.pop(0)
        if taken != left:
            return None
        strides.append(step * inner)
        left, step = (todo.pop() if todo else (1, 1)) if inner == 1 else (inner, step)
    return tuple(strides)


# --- what computes --------------------------------------------------------------------------------


def _computing(instruction: Instruction, sources: Sequence[Value], ledger: Ledger) -> Work:
    target, x = instruction.target, sources[0]
    if isinstance(instruction, p.Sum):
        shape = tuple([n for axis, n in enumerate(x.shape) if axis not in instruction.axes])
        return ledger.make("sum", sources, target, shape, x.dtype, ledger.elements(x.shape))
    if isinstance(instruction, p.Multiply):
        shape = _broadcast(x.shape, sources[1].shape)
        return ledger.make("multiply", sources, target, shape, x.dtype, ledger.elements(shape))
    if isinstance(instruction, p.Native):
        return _einsum(instruction, sources, ledger)
    return _matmul(instruction, sources, ledger)


def _matmul(instruction: Instruction, sources: Sequence[Value], ledger: Ledger) -> Work:
    a, b = sources
    turned = getattr(instruction, "turned_a", 0), getattr(instruction, "turned_b", 0)
    left = _matrix(a.shape, turned[0], (1,))
    right = _matrix(b.shape, turned[1], (), (1,))
    batch = _broadcast(a.shape[:-2], b.shape[:-2])
    rows = left[:1] if len(a.shape) > 1 else ()
    columns = right[1:] if len(b.shape) > 1 else ()
    shape = (*batch, *rows, *columns)
    if isinstance(instruction, p.MatMulInto):
        shape = instruction.shape
    sizes = [ledger.elements(part) for part in (batch, left[:1], left[1:], right[1:])]
    flops = 2 * (sizes[0] * sizes[1] * sizes[2] * sizes[3])
    dtype = "int32" if isinstance(instruction, p.IntegerDot) else a.dtype
    matrices = sizes[0], sizes[1], sizes[2], sizes[3]
    return ledger.make("matmul", sources, instruction.target, shape, dtype, flops, matrices)


def _matrix(
    shape: tuple[int, ...], turned: int, before: tuple[int, ...], after: tuple[int, ...] = ()
) -> tuple[int, ...]:
    """Return rows and columns; a vector is a row on the left and a column on the right."""
    matrix = shape[-2:] if len(shape) > 1 else (*before, *shape, *after)
    return matrix[::-1] if turned else matrix


def _einsum(instruction: p.Native, sources: Sequence[Value], ledger: Ledger) -> Work:
    sizes: dict[object, int] = {}
    for term, x in zip(instruction.terms, sources, strict=True):
        for label, n in zip(term, x.shape, strict=True):
            sizes[label] = broadcast(sizes.get(label, 1), n)
    each = 2 if set(sizes) - set(instruction.output) else 1
    flops = each * ledger.elements(tuple(sizes.values()))
    shape = tuple([sizes[label] for label in instruction.output])
    return ledger.make("einsum", sources, instruction.target, shape, sources[0].dtype, flops)


def _broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    rank = max(len(a), len(b))
    pairs = zip((1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b, strict=True)
    return tuple([broadcast(m, n) for m, n in pairs])
