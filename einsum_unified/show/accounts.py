"""Exact counts of the FLOPs and bytes of each instruction of a program.

* **FLOPs** are multiplications and additions: the product of an m × k and a k × n matrix has 2·m·k·n, an
  elementwise product has one for each element of the result, and a sum one for each element that is summed.
* **Bytes read** count each element of each operand once; axes that repeat the same memory count once.
* **Bytes written** count the elements of the result. Views read and write nothing.
* **A copy** only moves data: a transpose or reshape that is not a view, a change of dtype or of layout.

Work inside a call of the framework (copies for its BLAS, a fused compilation) is not counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from einsum_unified.adapter import Capabilities
from einsum_unified.binding.bound import Bound
from einsum_unified.dtypes import itemsize
from einsum_unified.language.sizes import Reading
from einsum_unified.planning.lowering import operands
from einsum_unified.program import primitives as p
from einsum_unified.program.primitives import Instruction, Program
from einsum_unified.program.values import Value
from einsum_unified.show.figures import Figure
from einsum_unified.show.label_names import label_name, label_sizes

_ZERO = Figure()

Matrices = tuple[Figure, Figure, Figure, Figure]


@dataclass(frozen=True)
class Work:
    """The work of one instruction."""

    kind: str
    """``view``, ``copy``, ``sum``, ``matmul``, ``multiply``, ``einsum`` (the framework's) or ``check``."""
    shape: tuple[int, ...]
    """The shape of its result; an unknown size is an `einsum_unified.language.sizes.Size`."""
    flops: Figure = _ZERO
    read: Figure = _ZERO
    """Bytes read."""
    written: Figure = _ZERO
    """Bytes written."""
    matrices: Matrices | None = None
    """For a matmul: the number of products in the batch, m, k and n."""


@dataclass(frozen=True)
class Account:
    """The work of each instruction of a program, and the program's peak memory."""

    works: tuple[Work, ...]
    peak: Figure
    """Bytes of intermediates and result, without operands, when they are greatest with the assumed sizes."""


class Ledger:
    """The values of a program's registers, and the counts of their elements, bytes and FLOPs."""

    def __init__(self, bound: Bound, program: Program, capabilities: Capabilities) -> None:
        self.bound, self.program = bound, program
        self.values = program.values(operands(bound), capabilities.views)

    def name(self, reading: Reading) -> str:
        """Return the name of the label whose size can be read at some places."""
        operand, axis = reading[0]
        return label_name(self.bound, self.bound.terms[operand][axis])

    def elements(self, shape: Sequence[int]) -> Figure:
        """Return the number of elements of a shape."""
        return Figure.product(shape, self.name)

    def bytes_of(self, x: Value) -> Figure:
        """Return the bytes of memory of a value; axes that repeat the same memory count once."""
        own = [size for size, stride in zip(x.shape, x.strides, strict=True) if stride or size == 1]
        return self.elements(own) * itemsize(x.dtype)

    def work(self, instruction: Instruction) -> Work:
        """Return the work of an instruction."""
        if isinstance(instruction, p.Check):
            return Work("check", ())
        made = self.values[instruction.target]
        if made.view:
            return Work("view", made.shape)
        sources = [self.values[register] for register in instruction.sources]
        read = sum((self.bytes_of(self.values[register]) for register in instruction.read), _ZERO)
        kind, flops, matrices = self._computing(instruction, sources, made)
        return Work(kind, made.shape, flops, read, self.bytes_of(made), matrices)

    def _computing(
        self, instruction: Instruction, sources: Sequence[Value], made: Value
    ) -> tuple[str, Figure, Matrices | None]:
        """Return the kind of an instruction that does not make a view, its FLOPs and its matrix sizes."""
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
    """Return the account of a program on C-contiguous operands, for which it was planned."""
    ledger = Ledger(bound, program, capabilities)
    return Account(tuple(map(ledger.work, program.instructions)), _peak(ledger))


def _peak(ledger: Ledger) -> Figure:
    """Return the peak of the bytes that intermediates and result take, with the assumed sizes."""
    hints, until = label_sizes(ledger.bound), _lifetimes(ledger)
    made = [
        (number, max(until[instruction.target], number), ledger.bytes_of(ledger.values[instruction.target]))
        for number, instruction in enumerate(ledger.program.instructions)
        if instruction.target in until
    ]
    changes: Counter[int] = Counter()
    for first, last, figure in made:
        size = figure.at(hints)
        changes[first] += size
        changes[last + 1] -= size
    held = list(accumulate(changes[number] for number in range(len(ledger.program.instructions))))
    if not any(held):
        return _ZERO
    moment = held.index(max(held))
    return Figure.sum(figure for first, last, figure in made if first <= moment <= last)


def _lifetimes(ledger: Ledger) -> dict[int, int]:
    """Return register → the last instruction that needs its memory, for all registers but views."""
    program = ledger.program
    owners = {register: register for register in range(program.operands)}
    for instruction in program.instructions:
        if not isinstance(instruction, p.Check):
            view = ledger.values[instruction.target].view
            owners[instruction.target] = owners[instruction.sources[0]] if view else instruction.target
    ends = program.last_uses()
    until: dict[int, int] = {}
    for register, owner in owners.items():
        until[owner] = max(until.get(owner, -1), ends.get(register, -1))
    return until
