"""`to_python`: a plan as the text of a function in plain calls of a framework, without this library.

The text is made of our own words, numbers and dtypes' names. Of an equation only a comment has something, as
`ascii` writes it: nothing of it can end the line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from einsum_unified import primitives as p
from einsum_unified.backend import Capabilities
from einsum_unified.errors import OperandTypeError
from einsum_unified.explain.accounts import account, label_name
from einsum_unified.explain.figures import Figure
from einsum_unified.lowering import lower
from einsum_unified.operands import Bound
from einsum_unified.path import Path
from einsum_unified.primitives import Instruction
from einsum_unified.sizes import Size

_FLOAT8 = ("float8_e4m3fn", "float8_e5m2")
_COUNTED = {"bool": "float32", **dict.fromkeys(_FLOAT8, "float32")}


@dataclass(frozen=True)
class Dialect:
    """How a framework writes what a program does. In the templates ``{x}`` is a tensor, ``{y}`` another."""

    head: str
    """What stands above the function."""
    calls: dict[str, str]
    """A primitive's function → its text."""
    dtype: str
    """A dtype, by its name ``{name}``."""
    size: str = "{x}.shape[{axis}]"
    first: str = ""
    """The first line of the function, if it needs one."""
    arithmetic: tuple[tuple[str, str], ...] = tuple(_COUNTED.items())
    """Dtypes whose products and sums are made in another."""


_METHODS = {"matmul": "{x} @ {y}", "multiply": "{x} * {y}"}

DIALECTS = {
    "numpy": Dialect(
        "import numpy as np",
        {
            **_METHODS,
            "transpose": "np.transpose({x}, {axes})",
            "reshape": "np.reshape({x}, {shape})",
            "diagonal": "np.diagonal({x}, axis1={axis1}, axis2={axis2})",
            "sum": "np.sum({x}, axis={axes}, dtype={x}.dtype)",
            "cast": "{x}.astype({dtype})",
            "asarray": "np.asarray({x}, {dtype})",
            "broadcast_to": "np.broadcast_to({x}, {shape})",
            "contiguous": "np.ascontiguousarray({x})",
        },
        'np.dtype("{name}")',
        arithmetic=(*_COUNTED.items(), ("float16", "float32"), ("bfloat16", "float32")),
    ),
    "torch": Dialect(
        "import torch",
        {
            **_METHODS,
            "transpose": "torch.permute({x}, {axes})",
            "reshape": "torch.reshape({x}, {shape})",
            "diagonal": "torch.diagonal({x}, dim1={axis1}, dim2={axis2})",
            "sum": "torch.sum({x}, {axes}, dtype={x}.dtype)",
            "cast": "{x}.to({dtype})",
            "asarray": "torch.as_tensor({x}, dtype={dtype})",
            "broadcast_to": "{x}.expand({shape})",
            "contiguous": "{x}.contiguous()",
        },
        "torch.{name}",
        arithmetic=(
            *_COUNTED.items(),
            *((name, "int64") for name in ("uint16", "uint32", "uint64")),
            ("complex32", "complex64"),
        ),
    ),
    "tensorflow": Dialect(
        "import tensorflow as tf",
        {
            "transpose": "tf.transpose({x}, {axes})",
            "reshape": "tf.reshape({x}, {shape})",
            "diagonal": "tf.linalg.diag_part(tf.transpose({x}, {last}))",
            "sum": "tf.reduce_sum({x}, {axes})",
            "cast": "tf.cast({x}, {dtype})",
            "asarray": "tf.cast({x}, {dtype})",
            "broadcast_to": "tf.broadcast_to({x}, {shape})",
            "contiguous": "{x}",
            "matmul": "tf.matmul({x}, {y})",
            "multiply": "tf.multiply({x}, {y})",
        },
        "tf.{name}",
        "tf.shape({x})[{axis}]",
        arithmetic=(
            *_COUNTED.items(),
            *((name, "int32") for name in ("int8", "uint8", "int16", "uint16")),
            *((name, "int64") for name in ("uint32", "uint64")),
            ("float16", "float32"),
            ("bfloat16", "float32"),
        ),
    ),
    "jax": Dialect(
        "import jax.numpy as jnp",
        {
            **_METHODS,
            "transpose": "jnp.transpose({x}, {axes})",
            "reshape": "jnp.reshape({x}, {shape})",
            "diagonal": "jnp.diagonal({x}, axis1={axis1}, axis2={axis2})",
            "sum": "jnp.sum({x}, axis={axes}, dtype={x}.dtype)",
            "cast": "{x}.astype({dtype})",
            "asarray": "jnp.asarray({x}, {dtype})",
            "broadcast_to": "jnp.broadcast_to({x}, {shape})",
            "contiguous": "{x}",
        },
        'jnp.dtype("{name}")',
    ),
    "array_api": Dialect(
        "",
        {
            "transpose": "xp.permute_dims({x}, {axes})",
            "reshape": "xp.reshape({x}, {shape})",
            "diagonal": "xp.reshape(xp.permute_dims({x}, {last}), {flat})[..., :: {step}]",
            "sum": "xp.sum({x}, axis={axes}, dtype={x}.dtype)",
            "cast": "xp.astype({x}, {dtype})",
            "asarray": "xp.asarray({x}, dtype={dtype})",
            "broadcast_to": "xp.broadcast_to({x}, {shape})",
            "contiguous": "{x}",
            "matmul": "xp.matmul({x}, {y})",
            "multiply": "xp.multiply({x}, {y})",
        },
        "xp.{name}",
        first="xp = a0.__array_namespace__()",
    ),
}
"""The frameworks that code can be written for."""


def to_python(bound: Bound, path: Path, backend: str) -> str:
    """Return the text of a module with one function, ``contract``.

    Raises `OperandTypeError` for a backend that code cannot be written for, or a plan without known ranks.
    """
    if backend not in DIALECTS:
        raise OperandTypeError(
            f"no code can be written for backend={backend!r}; there are: {', '.join(DIALECTS)}"
        )
    if bound.unranked:
        raise OperandTypeError("no code can be written before the numbers of axes are known")
    dialect = DIALECTS[backend]
    return _Text(bound, path, dialect).module()


class _Text:
    """Writes the lines of the function."""

    def __init__(self, bound: Bound, path: Path, dialect: Dialect) -> None:
        self.bound, self.dialect = bound, dialect
        capabilities = Capabilities(arithmetic=dict(dialect.arithmetic), views=True)
        self.program = lower(bound, path, capabilities)
        self.works = account(bound, self.program, capabilities).works
        self.names = {n: f"a{n}" for n in range(self.program.operands)}
        self.shapes = dict(enumerate(bound.shapes))

    def module(self) -> str:
        """Return head, signature, and a line for each instruction."""
        parameters = ", ".join(self.names.values())
        lines = [self.dialect.first] if self.dialect.first else []
        for number, shape in self.shapes.items():
            lines.append(f"# a{number}: {self.shown(shape)} {self.bound.operands[number].dtype}")
        for instruction, work in zip(self.program.instructions, self.works, strict=True):
            lines += self.lines(instruction, work.shape)
        lines.append(f"return {self.names[self.program.result]}")
        title = f"# {ascii(self.bound.equation.text)[1:-1]}"
        head = [self.dialect.head, "", ""] if self.dialect.head else []
        body = [f"    {line}" for line in lines]
        return "\n".join([*head, title, f"def contract({parameters}):", *body]) + "\n"

    def lines(self, instruction: Instruction, shape: tuple[int, ...]) -> list[str]:
        """Return the line of an instruction, with the shape of what it makes as a comment."""
        if instruction.target < 0:
            return []
        source = instruction.sources[0]
        if isinstance(instruction, (p.Unbox, p.Agree, p.Ranked)):  # operands are what was planned for
            self.names[instruction.target] = self.names[source]
            return []
        name = f"t{instruction.target}"
        text = self.call(instruction)
        self.names[instruction.target], self.shapes[instruction.target] = name, shape
        return [f"{name} = {text}  # {self.shown(shape)}"]

    def call(self, instruction: Instruction) -> str:
        """Return the text of a call."""
        calls = self.dialect.calls
        x, *others = (self.names[register] for register in instruction.sources)
        values: dict[str, Any] = {"x": x, "y": others[0] if others else ""}
        if isinstance(instruction, (p.Cast, p.AsArray)):
            values["dtype"] = self.dialect.dtype.format(name=instruction.dtype)
            return calls["asarray" if isinstance(instruction, p.AsArray) else "cast"].format(**values)
        if isinstance(instruction, p.Diagonal):
            values |= self.diagonal(instruction)
        elif isinstance(instruction, (p.Reshape, p.BroadcastTo)):
            values["shape"] = self.shape(instruction.shape)
        elif isinstance(instruction, (p.Sum, p.Transpose)):
            values["axes"] = instruction.axes
        names = {"dot": "matmul", "sum_products": "sum"}
        return calls[names.get(instruction.function, instruction.function)].format(**values)

    def diagonal(self, instruction: p.Diagonal) -> dict[str, str]:
        """Return what the ways to take a diagonal need."""
        shape = self.shapes[instruction.sources[0]]
        gone = instruction.axis1, instruction.axis2
        rest = [axis for axis in range(len(shape)) if axis not in gone]
        n = shape[gone[0]]
        flat = (*[shape[axis] for axis in rest], n * n)
        step = f"{self.size(n)} + 1" if isinstance(n, Size) else str(n + 1)
        return {"axis1": str(gone[0]), "axis2": str(gone[1]), "last": str((*rest, *gone)),
                "flat": self.shape(flat), "step": step}  # fmt: skip

    def shape(self, shape: Sequence[int]) -> str:
        """Return a shape as code, sizes that are not known as what reads them."""
        sizes = [self.size(size) for size in shape]
        return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"

    def size(self, size: int) -> str:
        """Return a size as code."""
        if not isinstance(size, Size):
            return str(size)
        places = [reading[0] for reading in size.readings]
        factors = [self.dialect.size.format(x=f"a{operand}", axis=axis) for operand, axis in places]
        return " * ".join(factors if size.known == 1 else [*factors, str(size.known)])

    def shown(self, shape: Sequence[int]) -> str:
        """Return a shape for a comment."""
        sizes = [ascii(Figure.of_size(size, self.label).text(separator=""))[1:-1] for size in shape]
        return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"

    def label(self, reading: Sequence[tuple[int, int]]) -> str:
        operand, axis = reading[0]
        return label_name(self.bound, self.bound.terms[operand][axis])
