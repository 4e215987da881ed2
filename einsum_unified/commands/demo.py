"""The command ``demo``: run the gallery on every installed framework and print which results agree."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np

from einsum_unified.adapter import dispatch
from einsum_unified.api import einsum
from einsum_unified.commands.command import Command
from einsum_unified.commands.tables import print_table
from einsum_unified.errors import EinsumError
from einsum_unified.printable import shown
from einsum_unified.testing import check_einsum
from einsum_unified.testing.check import RTOL, to_framework
from einsum_unified.testing.gallery import GALLERY, MISTAKE, Picture

_COLOURS = {"✓": "green", "✗": "red"}


def run(asked: argparse.Namespace) -> int:
    """Print the table for the installed frameworks; return 1 if anything disagrees."""
    return compare(dispatch.usable())


def compare(frameworks: Sequence[str]) -> int:
    """Print the gallery's table and return the exit status: 0 if every framework agrees everywhere."""
    header = ["operation", "equation", "shape", *frameworks]
    rows = [_row(picture, frameworks) for picture in GALLERY]
    mistake, text = _mistake(frameworks)
    rows.append(mistake)
    print_table("einsum_unified: the gallery", header, rows, lambda cell: _COLOURS.get(cell[:1], ""))
    print(shown(f"\nThe mistake reads:\n\n{text}\n"))
    cells = [cell for row in rows for cell in row[3:]]
    agree = sum(cell.startswith("✓") for cell in cells)
    print(f"{agree} of {len(cells)} results agree ({len(rows)} operations on {', '.join(frameworks)}).")
    return 0 if agree == len(cells) else 1


def _row(picture: Picture, frameworks: Sequence[str]) -> list[str]:
    operands = picture.operands()
    want = np.asarray(picture.reference(*operands))
    shape = "×".join(map(str, want.shape)) or "scalar"
    cells = [_agreement(picture.equation, operands, want, framework) for framework in frameworks]
    return [picture.operation, picture.equation, shape, *cells]


def _agreement(equation: str, operands: list[Any], want: Any, framework: str) -> str:
    try:
        # The gallery has float32 operands, too.
        report = check_einsum(equation, operands, want, frameworks=[framework], rtol=RTOL["float32"])
    except (AssertionError, EinsumError) as error:
        return f"✗ {str(error).splitlines()[0]}"
    return f"✓ {report.results[0].difference:.0e}"


def _mistake(frameworks: Sequence[str]) -> tuple[list[str], str]:
    """Return the row of the equation with a mistake: every framework must raise the same error."""
    equation, shapes = MISTAKE
    texts = [_error(equation, shapes, framework) for framework in frameworks]
    cells = ["✓ same error" if text and text == texts[0] else f"✗ {text}" for text in texts]
    return ["a mistake", equation, "error", *cells], texts[0]


def _error(equation: str, shapes: Sequence[tuple[int, ...]], framework: str) -> str:
    try:
        backend = dispatch.load(framework)
        einsum(equation, *(to_framework(np.ones(shape, "float32"), backend) for shape in shapes))
    except EinsumError as error:
        return f"{type(error).__name__}: {error}".replace(f"{framework}.", "")
    return ""


COMMAND = Command(
    name="demo",
    help="run well-known operations on every installed library",
    description="""\
Run well-known operations as einsum on every installed library, compare each with
NumPy's own function, and print a table.

The exit status is 1 if anything disagrees.""",
    examples="example:\n  einsum-unified demo",
    arguments=(),
    run=run,
)
