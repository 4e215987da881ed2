"""The command ``explain``: the steps of an equation and their cost, as text, JSON, page or picture."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

from einsum_unified.commands.command import Command, MisuseError, argument
from einsum_unified.commands.request import SHAPES, call_arguments, plan
from einsum_unified.plan import Plan
from einsum_unified.printable import escaped, json_text, shown
from einsum_unified.show.label_names import unknown_sizes

SCHEMA = 1
"""The version of the format of ``--json``."""


def run(asked: argparse.Namespace) -> int:
    """Print what was asked for and return 0."""
    made = plan(asked, asked.backend)
    text = json_text(_data(made), indent=1) if asked.json else shown(str(made))
    _write("--html", asked.html, made.to_html)
    _write("--svg", asked.svg, made.to_svg)
    print(text)
    return 0


def _data(made: Plan) -> dict[str, Any]:
    bound = made.bound
    return {
        "schema": SCHEMA,
        "plan": made.to_dict(),
        "backend": made.backend.name,
        "dtype": bound.dtype,
        "assumed_sizes": unknown_sizes(bound),
        **made.figures(),
        "code": made.source,
    }


def _write(option: str, file: str | None, writes: Callable[[str], str]) -> None:
    """Write a file if one was named, and print its name on stderr."""
    if file is None:
        return
    try:
        writes(file)
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        why = getattr(error, "strerror", None) or str(error)
        raise MisuseError(option, f"cannot write {file!r}: {why}") from error
    print(shown(f"wrote {escaped(file)}"), file=sys.stderr)


COMMAND = Command(
    name="explain",
    help="show the steps of an equation, their cost, and what runs",
    description=f"""\
Show how an equation is computed on operands of the given shapes, as print(plan) does: each step with its
operation, its FLOPs, the bytes it reads and writes and its copies, and the code that runs. Only the shapes
are needed; no operands are created.

{SHAPES} With unknown sizes the figures are sums of products of sizes.

--html and --svg also write a page or a picture to a file, whose name is printed on stderr.""",
    examples="""\
examples:
  einsum-unified explain "bhid,bhjd->bhij" 2x8x128x64 2x8x128x64
  einsum-unified explain "bij,jk,kl->bil" "?x10x20" 20x30 30x4 --dtype float32 --optimize greedy
  einsum-unified explain "ij,jk->ik" 10x20 20x30 --html matmul.html --svg matmul.svg
  einsum-unified explain "ij,jk->ik" 10x20 20x30 --json""",
    arguments=(
        *call_arguments("float64 on NumPy, else float32"),
        argument(
            "--backend",
            metavar="B",
            default="numpy",
            help="plan for this library's tensors; it is imported. The default is numpy",
        ),
        argument("--html", metavar="FILE", help="write a page with picture, table and index stepper"),
        argument("--svg", metavar="FILE", help="write the picture"),
        argument("--json", action="store_true", help="print the figures as JSON"),
    ),
    run=run,
)
