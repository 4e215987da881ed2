"""The command ``conformance``: run the conformance kit and print a table."""

from __future__ import annotations

import argparse
import importlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from operator import attrgetter
from typing import Any

from einsum_unified.adapter import dispatch
from einsum_unified.commands.command import Command, MisuseError, argument
from einsum_unified.commands.request import library_named
from einsum_unified.commands.tables import print_table
from einsum_unified.commands.terminal import one_line
from einsum_unified.printable import json_text, shown
from einsum_unified.testing.conformance.cases import Case, corpus, rows
from einsum_unified.testing.conformance.makers import SPECIAL, Library, library_of
from einsum_unified.testing.conformance.runner import Outcome
from einsum_unified.testing.conformance.runner import run as run_cases
from einsum_unified.wording import article, counted, quoted


def run(asked: argparse.Namespace) -> int:
    """Run the cases and print the results; return 1 if a case failed, else 0."""
    cases = _chosen(asked.row, asked.case)
    function = None if asked.callable is None else _function(asked.callable)
    library = _library(asked.backend, asked.callable)
    outcomes = run_cases(library, cases, function)
    if asked.json:
        print(json_text([asdict(outcome) for outcome in outcomes], indent=1))
    else:
        _print(asked.callable or library.name, outcomes)
    return int(any(outcome.status == "failed" for outcome in outcomes))


def _chosen(row: int | None, text: str | None) -> list[Case]:
    if row is not None and row not in rows():
        raise MisuseError("--row", f"{row} is not a row of the rules, which are 1 to {max(rows())}")
    cases = [case for case in corpus() if row in (None, case.row) and (text or "") in case.id]
    if not cases:
        raise MisuseError("--case", f"no case has {quoted(text)} in its id")
    return cases


def _function(spelled: str) -> Callable[..., Any]:
    module, colon, name = spelled.partition(":")
    if not (module and colon and name):
        raise MisuseError(
            "--callable", f"{quoted(spelled)} is not of the form MODULE:NAME, such as torch:einsum"
        )
    try:
        found = attrgetter(name)(importlib.import_module(module))
    except Exception as error:  # whatever a module raises when it is imported
        raise MisuseError("--callable", f"cannot import {quoted(spelled)}: {one_line(error)}") from error
    if not callable(found):
        raise MisuseError(
            "--callable", f"{quoted(spelled)} is {article(type(found).__name__)}, which cannot be called"
        )
    function: Callable[..., Any] = found
    return function


def _library(backend: str | None, spelled: str | None) -> Library:
    """Return the library named ``backend``, or else the package of the function."""
    if backend is not None:
        return library_named(backend)
    if spelled is None:
        raise MisuseError("--backend", "needed unless --callable is given")
    try:
        return library_of(spelled.partition(":")[0].partition(".")[0])
    except Exception as error:  # whatever a module raises when it is imported
        why = f"{one_line(error)}; name the library whose tensors it takes with --backend NAME"
        raise MisuseError("--callable", why) from error


# --- the table ------------------------------------------------------------------------------------------


def _print(name: str, outcomes: Sequence[Outcome]) -> None:
    found = [row for row in rows() if any(outcome.row == row for outcome in outcomes)]
    lines = [
        _line(str(row), what, [o for o in outcomes if o.row == row])
        for row, what in rows().items()
        if row in found
    ]
    title = f"einsum_unified: conformance of {name}"
    counts = ("passed", "failed", "gaps")
    print_table(title, ("row", "what", *counts), lines, whole=("row", *counts))
    failed = [outcome for outcome in outcomes if outcome.status == "failed"]
    if failed:
        print("\nfailed:")
    for outcome in failed:
        print(shown(f"  {outcome.id}: {outcome.reason}"))
    gaps = Counter((outcome.feature, outcome.reason) for outcome in outcomes if outcome.status == "gap")
    if gaps:
        print("\ndeclared gaps:")
    for (feature, reason), count in gaps.items():
        print(shown(f"  {feature}: {reason} ({counted(count, 'case')})"))
    statuses = Counter(outcome.status for outcome in outcomes)
    print(
        f"\n{name}: {statuses['passed']} of {counted(len(outcomes), 'case')} passed, "
        f"{statuses['failed']} failed, {counted(statuses['gap'], 'declared gap')}"
    )


def _line(row: str, what: str, outcomes: Sequence[Outcome]) -> list[str]:
    counts = Counter(outcome.status for outcome in outcomes)
    return [row, what, *(str(counts[status] or "") for status in ("passed", "failed", "gap"))]


COMMAND = Command(
    name="conformance",
    help="run the conformance kit on a library or function",
    description="""\
Run the cases of the conformance kit, and print how many pass for each row of the rules.

The exit status is 1 if any case fails.""",
    examples="""\
examples:
  einsum-unified conformance --backend torch
  einsum-unified conformance --callable torch:einsum --row 10
  einsum-unified conformance --callable opt_einsum:contract --backend numpy
  KERAS_BACKEND=torch einsum-unified conformance --backend keras --case diagonals --json""",
    arguments=(
        argument(
            "--backend",
            metavar="NAME",
            help=f"the library: {', '.join(dict.fromkeys([*dispatch.FRAMEWORKS, *SPECIAL]))}, "
            "one with a plugin, or any namespace that follows the array API standard",
        ),
        argument(
            "--callable",
            metavar="MODULE:NAME",
            help="call this function, on tensors of its own package or of --backend, instead of ours",
        ),
        argument("--row", type=int, metavar="N", help="only cases for this row of the rules"),
        argument("--case", metavar="TEXT", help="only cases whose id contains this text"),
        argument("--json", action="store_true", help="print the outcome of each case as JSON"),
    ),
    run=run,
)
