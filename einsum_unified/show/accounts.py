"""What each instruction of a program computes and moves: exact counts, by the values of its registers.

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

from einsum_unified.adapter import Capabilities
from einsum_unified.binding.bound import Bound
from einsum_unified.dtypes import itemsize
from einsum_unified.language.sizes import Reading
from einsum_unified.planning.lowering import operands
from einsum_unified.program import primitives as p
from einsum_unified.program.primitives import Instruction, Program
from einsum_unified.program.values import Value
from einsum_unified.show.figures import Figure
from einsum_unified.show.labels import label_name, label_sizes

_ZERO = Figure()

Matrices = tuple[Figure, Figure, Figure, Figure]


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
    matrices: Matrices | None = None
    """Of a matmul: products in the batch, m, k, n."""


@dataclass(frozen=True)
class Account:
    """The work of a program, instruction by instruction, and the most memory it holds at a time."""

    works: tuple[Work, ...]
    peak: Figure
    """Bytes of intermediates and result that are held at a time, operands aside: by the hints."""


class Ledger:
    """What the registers of a program hold, and how to count it."""

    def __init__(self, bound: Bound, program: Program, capabilities: Capabilities) -> None:
        self.bound, self.program = bound, program
        self.values = program.values(operands(bound), capabilities.views)

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

    def work(self, instruction: Instruction) -> Work:
        """Return what an instruction does."""
        if isinstance(instruction, p.Check):
            return Work("check", ())
        made = self.values[instruction.target]
        if made.view:
            return Work("view", made.shape)
        sources = [self.values[register] for register in instruction.sources]
        read = sum((self.bytes_of(x) for x in sources), _ZERO)
        kind, flops, matrices = self._computing(instruction, sources, made)
        return Work(kind, made.shape, flops, read, self.bytes_of(made), matrices)

    def _computing(
        self, instruction: Instruction, sources: Sequence[Value], made: Value
    ) -> tuple[str, Figure, Matrices | None]:
        """Return the kind of what is no view, its FLOPs, and the sizes of the matrices that it multiplies."""
        if isinstance(instruction, p.Sum):
            return "sum", self.elements(sources[0].shape), None
        if isinstance(instruction, p.Multiply):
            return "multiply", self.elements(made.shape), None
        if isinstance(instruction, p.Product):
            batch, m, k, n = (self.elements(sizes) for sizes in instruction.sizes(sources))
            return "matmul", 2 * (batch * m * k * n), (batch, m, k, n)
        if isinstance(instruction, p.Native):
            sizes = tuple(instruction.sizes(sources).values())
            summed = len(sizes) > len(made.shape)
            return "einsum", (2 if summed else 1) * self.elements(sizes), None
        return "copy", _ZERO, None


def account(bound: Bound, program: Program, capabilities: Capabilities) -> Account:
    """Return what a program does on operands as they were planned: C-contiguous."""
    ledger = Ledger(bound, program, capabilities)
    return Account(tuple(map(ledger.work, program.instructions)), _peak(ledger))


def _peak(ledger: Ledger) -> Figure:
    """Return the bytes that the registers hold, operands aside, when these are most."""
    program, hints = ledger.program, label_sizes(ledger.bound)
    until = _lifetimes(ledger)
    gone: dict[int, list[Figure]] = {}
    peak, size_of_peak, held = _ZERO, 0, _ZERO
    for number, instruction in enumerate(program.instructions):
        for figure in gone.pop(number - 1, []):
            held = held + figure * -1
        if instruction.target in until:
            figure = ledger.bytes_of(ledger.values[instruction.target])
            held = held + figure
            gone.setdefault(max(until[instruction.target], number), []).append(figure)
        if held.at(hints) > size_of_peak:
            peak, size_of_peak = held, held.at(hints)
    return peak


def _lifetimes(ledger: Ledger) -> dict[int, int]:
    """Return the last instruction that needs the memory of each register, without those that are views."""
    program = ledger.program
    owners = {register: register for register in range(program.operands)}
    for instruction in program.instructions:
        if not isinstance(instruction, p.Check):
            view = ledger.values[instruction.target].view
            owners[instruction.target] = owners[instruction.sources[0]] if view else instruction.target
    ends = {source: n for n, instruction in enumerate(program.instructions) for source in instruction.sources}
    ends[program.result] = len(program.instructions)
    until: dict[int, int] = {}
    for register, owner in owners.items():
        until[owner] = max(until.get(owner, -1), ends.get(register, -1))
    return until
