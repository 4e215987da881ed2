"""The command ``bench``: time our einsum and the library's own einsum on the same tensors."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from einsum_unified.adapter import dispatch
from einsum_unified.commands.command import Command, MisuseError, argument
from einsum_unified.commands.contest import OWN, Comparison, contest
from einsum_unified.commands.request import SHAPES, call_arguments, check_known, library_named, plan
from einsum_unified.commands.tables import print_table
from einsum_unified.commands.timing import progress
from einsum_unified.dtypes import itemsize, kind_of
from einsum_unified.plan import Plan
from einsum_unified.wording import clipped

_MOST_BYTES = 4 * 2**30
"""The maximum size of operands, intermediates and result together."""

_MOST_AXES = 64

_FIGURES = ("ours", "its own", "ratio")

_NOTE = 60
"""The maximum length of a note in the table."""


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text.strip()!r} is not a number of seconds from 0 to 3600")
    return seconds


def run(asked: argparse.Namespace) -> int:
    """Print the table; return 1 if our result is wrong or our call fails."""
    made = plan(asked)
    _check_affordable(made)
    names = _names(asked.backend)
    arrays = list(_arrays(asked.shapes, made.bound.operands[0].dtype))
    rows: list[Comparison] = []
    with progress(asked.seconds * len(names)) as begin:
        for name in names:
            rows += contest(name, made, asked.optimize, arrays, asked.seconds, begin(name))
    shapes = ["x".join(map(str, x.shape)) or "scalar" for x in arrays]
    title = "  ".join([asked.equation, *shapes, made.bound.dtype])
    header = ("library", "its own einsum", *_FIGURES, "")
    print_table(title, header, [_cells(row) for row in rows], whole=_FIGURES)
    return int(any(row.wrong for row in rows))


def _names(asked: Sequence[str] | None) -> list[str]:
    """Return the libraries to run; raises `MisuseError` if one that was asked for cannot be imported."""
    if asked is None:
        return dispatch.usable()
    for name in asked:
        if name not in OWN:
            check_known(name)
            raise MisuseError("--backend", f"{name} has no einsum of its own; choose from {', '.join(OWN)}")
        library_named(name)
    return list(dict.fromkeys(asked))


def _check_affordable(made: Plan) -> None:
    if made.bound.unknown:
        raise MisuseError("SHAPE", "a benchmark needs every size; ? is not a size")
    if any(len(x.shape or ()) > _MOST_AXES for x in made.bound.operands):
        raise MisuseError("SHAPE", f"NumPy's arrays have at most {_MOST_AXES} axes")
    operands = sum(math.prod(map(int, x.shape or ())) * itemsize(x.dtype) for x in made.bound.operands)
    needed = operands + int(made.figures()["peak_bytes"])
    if needed > _MOST_BYTES:
        raise MisuseError(
            "SHAPE",
            f"operands, intermediates and result take {needed / 2**30:,.1f} GiB, "
            f"more than the limit of {_MOST_BYTES // 2**30} GiB",
        )


def _arrays(shapes: Sequence[Any], dtype: str) -> Iterator[Any]:
    """Yield random arrays: normally distributed, or small integers for other dtypes."""
    random = np.random.default_rng(0)
    wanted = dispatch.default_backend().dtype_from_name(dtype)
    for shape in shapes:
        if kind_of(dtype) in ("float", "complex"):
            values = random.standard_normal(shape, np.float32)
            parts = 1j * random.standard_normal(shape, np.float32) if kind_of(dtype) == "complex" else 0
            yield np.asarray(values + parts).astype(wanted)
        else:
            yield np.asarray(random.integers(0, 2 if dtype == "bool" else 4, shape)).astype(wanted)


# --- the table ------------------------------------------------------------------------------------


def _cells(row: Comparison) -> tuple[str, ...]:
    ours, own = row.ours_seconds, row.own_seconds
    ratio = "" if ours is None or own is None else _ratio(ours / own)
    return (row.library, row.own, _time(ours), _time(own), ratio, clipped(row.note, _NOTE))


def _ratio(value: float) -> str:
    """Return a ratio with two significant digits.

    >>> _ratio(0.000561), _ratio(0.914), _ratio(1.25), _ratio(123.4)
    ('0.00056', '0.91', '1.2', '123')
    """
    return f"{value:.{max(1 - math.floor(math.log10(value)), 0)}f}"


def _time(seconds: float | None) -> str:
    """Return a time with three significant digits and a suitable unit.

    >>> _time(0.0123456), _time(2.5e-7), _time(12.0), _time(None)
    ('12.3 ms', '0.250 µs', '12.0 s', '')
    """
    if seconds is None:
        return ""
    unit, name = next((u, n) for u, n in ((1, "s"), (1e-3, "ms"), (1e-6, "µs")) if seconds >= u or n == "µs")
    value = seconds / unit
    digits = 2 - int(math.log10(value)) if value >= 1 else 3
    return f"{value:.{max(digits, 0)}f} {name}"


COMMAND = Command(
    name="bench",
    help="compare the time of an equation with the libraries' own einsum",
    description=f"""\
Time einsum_unified.einsum and the libraries' own einsum on the same random tensors. Results are compared
first, then the two take turns. The table shows the median time of a call, and the ratio of ours to the
library's: below 1 ours is faster.

{SHAPES} Here all sizes must be known.

The exit status is 1 if results differ, or if ours fails and the library's own does not.""",
    examples="""\
examples:
  einsum-unified bench "bhid,bhjd->bhij" 2x8x128x64 2x8x128x64 --backend numpy
  einsum-unified bench "ij,jk->ik" 40x50 50x60 --dtype float64 --seconds 0.2""",
    arguments=(
        *call_arguments("float32", default="float32"),
        argument(
            "--backend",
            metavar="B",
            action="append",
            help="a library; may be repeated; the default is all installed libraries",
        ),
        argument(
            "--seconds",
            metavar="S",
            type=_seconds,
            default=1.0,
            help="how long to time each library; the default is 1",
        ),
    ),
    run=run,
)
