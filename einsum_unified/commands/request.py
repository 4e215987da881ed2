"""The arguments EQUATION SHAPE... and their options, which several commands share, and the plan for them."""

from __future__ import annotations

import argparse
import importlib.util
import re
from typing import Any

from einsum_unified import dtypes
from einsum_unified.adapter import dispatch
from einsum_unified.binding.arrays import prepared
from einsum_unified.commands.command import Argument, MisuseError, argument
from einsum_unified.commands.terminal import one_line
from einsum_unified.errors import (
    BackendError,
    EinsumError,
    EquationError,
    OperandError,
    OperandTypeError,
    PathError,
)
from einsum_unified.plan import Plan
from einsum_unified.planning.strategy import strategy
from einsum_unified.runtime.options import Options
from einsum_unified.show.dialects import ML_DTYPES
from einsum_unified.testing.conformance.cases import numpy_dtype
from einsum_unified.testing.conformance.makers import Library, library_of
from einsum_unified.wording import quoted

SHAPES = "A shape is written 2x8x128x64, with ? for an unknown size (?x64), or scalar for no axes."

Shape = tuple[int | None, ...]

_SIZE = re.compile(r"[0-9]+|\?")
_DIGITS = 18
"""Any number with up to this many digits fits into 64 bits."""

_BLANK = dict.fromkeys(map(ord, "\t\n\r\v\f"), " ")

_ARGUMENTS: dict[type[EinsumError], str] = {
    EquationError: "EQUATION",
    OperandError: "SHAPE",
    PathError: "--optimize",
    OperandTypeError: "--dtype",
    BackendError: "--optimize",  # for want of opt_einsum: the library is loaded before
}
"""Error class of planning → the argument that causes it."""


def call_arguments(default_dtype: str, default: str | None = None) -> tuple[Argument, ...]:
    """Return EQUATION, SHAPE, ``--dtype`` and ``--optimize``; ``default_dtype`` is for the help text."""
    about = f"the dtype of the operands; the default is {default_dtype}"
    return (
        argument("equation", metavar="EQUATION", type=_equation, help='the equation, such as "ij,jk->ik"'),
        argument("shapes", metavar="SHAPE", nargs="+", type=shape, help="the shape of each operand"),
        argument("--dtype", metavar="D", type=dtype, default=default, help=about),
        argument(
            "--optimize",
            metavar="O",
            type=_optimize,
            default="auto",
            help="how to find the path: auto (the default), none (left to right), or opt_einsum's "
            "optimal, dp, greedy, random-greedy, branch-2, ...",
        ),
    )


# --- reading --------------------------------------------------------------------------------------


def shape(text: str) -> Shape:
    """Return the shape that a text describes.

    >>> shape("2x?x64"), shape("5"), shape("scalar")
    ((2, None, 64), (5,), ())
    """
    text = text.strip()
    if text == "scalar":
        return ()
    sizes = text.replace("×", "x").split("x")
    for size in sizes:
        if re.fullmatch(r"-[0-9]+", size):
            raise argparse.ArgumentTypeError(f"{quoted(text)} is not a shape: {quoted(size)} is negative")
        if not _SIZE.fullmatch(size):
            raise argparse.ArgumentTypeError(
                f"{quoted(text)} is not a shape: write whole numbers or ?, joined by x, or scalar"
            )
        if len(size) > _DIGITS:
            raise argparse.ArgumentTypeError(
                f"{quoted(text)} is not a shape: a size has at most {_DIGITS} digits"
            )
    return tuple(None if size == "?" else int(size) for size in sizes)


def dtype(text: str) -> str:
    """Return the name of a dtype that all frameworks share."""
    name = dtypes.name_of(text)
    if not dtypes.kind_of(name):
        raise argparse.ArgumentTypeError(
            f"{quoted(text)} is not a numeric dtype such as float32, bfloat16 or int8"
        )
    return name


def _equation(text: str) -> str:
    return text.strip().translate(_BLANK)  # white space has no meaning, and line breaks would split messages


def _optimize(text: str) -> str | None:
    if text.lower() == "none":
        return None
    try:
        strategy(text)
    except (PathError, BackendError) as error:
        raise argparse.ArgumentTypeError(str(error).removeprefix("optimize=")) from None
    return text


# --- planning -------------------------------------------------------------------------------------


def plan(asked: argparse.Namespace, backend: str = "numpy", dtype: str | None = None) -> Plan:
    """Return the plan for the equation and shapes that were asked for, on a library's tensors.

    If neither ``dtype`` nor ``--dtype`` is given, the tensors are float64 on NumPy, as in `einsum_plan`, and
    float32 on other libraries. Raises `MisuseError` that names the wrong argument.
    """
    example = _tensor(library_named(backend), dtype or asked.dtype)
    signatures = tuple((type(example), shape, example.dtype) for shape in asked.shapes)
    try:
        return Plan.of(asked.equation, Options.of(asked.optimize), signatures)
    except EinsumError as error:
        argument = next(name for cls, name in _ARGUMENTS.items() if isinstance(error, cls))
        said = str(error)
        if argument == "EQUATION" and asked.equation.endswith("-"):
            said += "\n  quote the equation: the shell treats > as a redirection"
        raise MisuseError(argument, said) from error


def library_named(name: str) -> Library:
    """Return a library by name; raises `MisuseError` if it is unknown or cannot be imported."""
    try:
        return library_of(name)
    except Exception as error:  # importing a module may raise anything
        check_known(name)
        raise MisuseError("--backend", one_line(error)) from error


def check_known(name: str) -> None:
    """Raise `MisuseError` if a library has no built-in adapter and cannot be found; nothing is imported."""
    if name not in dispatch.FRAMEWORKS and not (name.isidentifier() and importlib.util.find_spec(name)):
        known = ", ".join(dispatch.FRAMEWORKS)
        raise MisuseError(
            "--backend", f"there is no library {quoted(name)}; libraries with an adapter: {known}"
        )


def _tensor(library: Library, name: str | None) -> Any:
    """Return an example tensor of a library in a dtype: plans are made for its class."""
    adapter = library.adapter
    name = name or ("float64" if adapter is dispatch.default_backend() else library.dtype)
    numpy_dtype(name)  # imports ml_dtypes for a dtype of that package: only then do libraries support it
    if library.lacks(name):
        extra = name in ML_DTYPES and adapter is dispatch.default_backend()
        missing = extra and importlib.util.find_spec("ml_dtypes") is None
        hint = "; it needs ml_dtypes: pip install ml_dtypes" if missing else ""
        raise MisuseError("--dtype", f"{library.name} cannot compute with dtype {quoted(name)}{hint}")
    try:
        example = library.example()
        if dispatch.recorder_for([example]) is not None:
            example = example.value  # plans treat a variable of Keras as the tensor in it
        made = adapter.cast(example, adapter.dtype_from_name(name))
        (tensor,), _ = prepared([made])
    except Exception as error:  # each library raises its own errors
        raise MisuseError(
            "--dtype", f"{library.name} cannot make a tensor of {name}: {one_line(error)}"
        ) from error
    found = dtypes.name_of(tensor.dtype)
    if found != name:
        raise MisuseError(
            "--dtype", f"{library.name}, as it is configured here, makes {found} instead of {name}"
        )
    return tensor
