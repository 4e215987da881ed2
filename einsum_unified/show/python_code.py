"""`to_python`: a plan as the code of a function that only calls a framework, not this library.

The code consists of fixed text, numbers and names of dtypes. The equation occurs only in a comment, and is
written with `ascii`, so that no part of it can end the line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from einsum_unified.adapter import Capabilities
from einsum_unified.binding.bound import Bound
from einsum_unified.errors import OperandTypeError
from einsum_unified.language.sizes import Size
from einsum_unified.planning.lowering import lower, operands
from einsum_unified.planning.steps import Path
from einsum_unified.program import primitives as p
from einsum_unified.program.primitives import Instruction
from einsum_unified.show.dialects import DIALECTS, ML_DTYPES, Dialect
from einsum_unified.show.figures import Figure
from einsum_unified.show.label_names import label_name
from einsum_unified.wording import in_tuple, quoted


def to_python(bound: Bound, path: Path, backend: str) -> str:
    """Return the code of a module with one function, ``contract``.

    Raises `OperandTypeError` if there is no dialect for the backend, if it lacks a dtype of the plan, or if
    the plan has operands of unknown rank.
    """
    if backend not in DIALECTS:
        raise OperandTypeError(
            f"cannot write code for backend={quoted(backend)}; choose from {', '.join(DIALECTS)}"
        )
    if bound.unranked:
        raise OperandTypeError("cannot write code for operands with unknown numbers of axes")
    dialect = DIALECTS[backend]
    names = (bound.dtype, *(operand.dtype for operand in bound.operands if not operand.weak))
    lacking = next((name for name in names if name not in dialect.dtypes), None)
    if lacking is not None:
        raise OperandTypeError(f"cannot write code for {backend}: it does not have the dtype {lacking}")
    return _Writer(bound, path, dialect).module()


class _Writer:
    """Writes the lines of the function."""

    def __init__(self, bound: Bound, path: Path, dialect: Dialect) -> None:
        self.bound, self.dialect = bound, dialect
        capabilities = Capabilities(arithmetic=dialect.arithmetic, views=True)
        self.program = lower(bound, path, capabilities)
        values = self.program.values(operands(bound), capabilities.views)
        self.shapes = {register: value.shape for register, value in values.items()}
        self.names = {n: f"a{n}" for n in range(self.program.operands)}

    def module(self) -> str:
        """Return the imports, the signature, and a line for each instruction."""
        parameters = ", ".join(self.names.values())
        lines = [self.first()] if self.dialect.first else []
        for number, operand in enumerate(self.bound.operands):
            lines.append(f"# a{number}: {self.shown(self.shapes[number])} {operand.dtype}")
        for instruction in self.program.instructions:
            lines += self.lines(instruction)
        lines.append(f"return {self.names[self.program.result]}")
        title = f"# {ascii(self.bound.equation.text)[1:-1]}"
        body = [f"    {line}" for line in lines]
        return "\n".join([*self.head(body), title, f"def contract({parameters}):", *body]) + "\n"

    def head(self, body: Sequence[str]) -> list[str]:
        """Return the lines above the function: the imports."""
        if not self.dialect.head:
            return []
        named = any(f'np.dtype("{name}")' in line for line in body for name in ML_DTYPES)
        return [*(["import ml_dtypes  # gives NumPy the dtypes"] if named else []), self.dialect.head, "", ""]

    def first(self) -> str:
        """Return the first line; it takes the namespace from a tensor, because Python numbers have none."""
        tensor = next((n for n, operand in enumerate(self.bound.operands) if not operand.weak), 0)
        return self.dialect.first.format(x=self.names[tensor])

    def lines(self, instruction: Instruction) -> list[str]:
        """Return the line of an instruction, with the shape of its result as a comment."""
        if isinstance(instruction, p.Check):
            return []
        target = instruction.target
        if isinstance(instruction, p.Same):  # the code is for operands as planned, without checks
            self.names[target] = self.names[instruction.sources[0]]
            return []
        text = self.call(instruction)
        self.names[target] = f"t{target}"
        return [f"t{target} = {text}  # {self.shown(self.shapes[target])}"]

    def call(self, instruction: Instruction) -> str:
        """Return the code of a call."""
        calls = self.dialect.calls
        x, *others = (self.names[register] for register in instruction.sources)
        values: dict[str, Any] = {"x": x, "y": others[0] if others else ""}
        if isinstance(instruction, p.Cast):
            values["dtype"] = self.dialect.dtype.format(name=instruction.dtype)
        elif isinstance(instruction, p.Diagonal):
            values |= self.diagonal(instruction)
        elif isinstance(instruction, (p.Reshape, p.BroadcastTo)):
            values["shape"] = self.shape(instruction.shape)
        elif isinstance(instruction, (p.Sum, p.Transpose)):
            values["axes"] = instruction.axes
        names = {"dot": "matmul", "sum_products": "sum"}
        return calls[names.get(instruction.function, instruction.function)].format(**values)

    def diagonal(self, instruction: p.Diagonal) -> dict[str, str]:
        """Return the values that the templates for a diagonal need."""
        shape = self.shapes[instruction.sources[0]]
        gone = instruction.axis1, instruction.axis2
        rest = [axis for axis in range(len(shape)) if axis not in gone]
        n = shape[gone[0]]
        flat = (*[shape[axis] for axis in rest], n * n)
        step = f"{self.size(n)} + 1" if isinstance(n, Size) else str(n + 1)
        return {"axis1": str(gone[0]), "axis2": str(gone[1]), "last": str((*rest, *gone)),
                "flat": self.shape(flat), "step": step}  # fmt: skip

    def shape(self, shape: Sequence[int]) -> str:
        """Return a shape as code; unknown sizes are read from operands."""
        return in_tuple([self.size(size) for size in shape])

    def size(self, size: int) -> str:
        """Return a size as code."""
        if not isinstance(size, Size):
            return str(size)
        places = [reading[0] for reading in size.readings]
        factors = [self.dialect.size.format(x=f"a{operand}", axis=axis) for operand, axis in places]
        return " * ".join(factors if size.known == 1 else [*factors, str(size.known)])

    def shown(self, shape: Sequence[int]) -> str:
        """Return a shape for a comment."""
        figures = [Figure.of_size(size, self.label) for size in shape]
        return in_tuple([_in_ascii(figure.text(separator="")) for figure in figures])

    def label(self, reading: Sequence[tuple[int, int]]) -> str:
        operand, axis = reading[0]
        return label_name(self.bound, self.bound.terms[operand][axis])


def _in_ascii(text: str) -> str:
    """Return text in ASCII with escapes, so that a file with the code can be read in any encoding."""
    return text.encode("ascii", "backslashreplace").decode()
