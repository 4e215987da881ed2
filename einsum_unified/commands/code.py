"""The command ``code``: print an equation as a function that consists of plain framework calls."""

from __future__ import annotations

import argparse

from einsum_unified.commands.command import Command, MisuseError, argument
from einsum_unified.commands.request import SHAPES, call_arguments, plan
from einsum_unified.commands.terminal import one_line
from einsum_unified.errors import OperandTypeError
from einsum_unified.show.dialects import DIALECTS


def run(asked: argparse.Namespace) -> int:
    """Print the code and return 0."""
    made = plan(asked, dtype=asked.dtype or ("float64" if asked.backend == "numpy" else "float32"))
    try:
        print(made.to_python(asked.backend), end="")
    except OperandTypeError as error:
        raise MisuseError("--dtype", one_line(error)) from error
    return 0


COMMAND = Command(
    name="code",
    help="print an equation as a function of plain framework calls",
    description=f"""\
Print the code of a function that computes an equation, on operands of the given shapes, with plain calls of a
framework. The code does not need this library, and the framework need not be installed.

{SHAPES}""",
    examples="""\
examples:
  einsum-unified code "bhid,bhjd->bhij" 2x8x128x64 2x8x128x64 --backend torch
  einsum-unified code "bij,jk->bik" "?x3x4" 4x5""",
    arguments=(
        *call_arguments("float64 for numpy and float32 for others"),
        argument("--backend", choices=DIALECTS, default="numpy", help="the default is numpy"),
    ),
    run=run,
)
