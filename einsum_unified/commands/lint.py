"""The command ``lint``: find mistakes in the equations of Python files."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from einsum_unified.commands.command import Command, argument
from einsum_unified.lint.check import check
from einsum_unified.lint.files import python_files
from einsum_unified.lint.report import FORMATS, Results
from einsum_unified.lint.rules import RULES, is_chosen
from einsum_unified.lint.source import UnreadableError, read
from einsum_unified.printable import escaped, shown


def run(options: argparse.Namespace) -> int:
    """Check the files, print the findings, and return the exit status."""
    results = Results()

    def fail(path: Path, why: str) -> None:
        results.failures.append((path, why))
        sys.stderr.write(shown(f"{str(path)!r}: {escaped(why)}\n"))

    def failed(error: OSError) -> None:
        fail(Path(error.filename), error.strerror or type(error).__name__)

    chosen = [c for c in RULES if options.select is None or is_chosen(c, options.select)]
    chosen = [c for c in chosen if not is_chosen(c, options.ignore)]
    for path in python_files(options.paths, failed):
        results.files += 1
        try:
            found = check(read(path), options.portable)
        except UnreadableError as error:
            fail(path, str(error))
            results.unread += 1
            continue
        results.findings += [(path, finding) for finding in found if finding.code in chosen]
    sys.stdout.write(FORMATS[options.format](results))
    return 1 if results.findings or results.failures else 0


def _path(text: str) -> str:
    if not os.path.exists(text):  # unlike pathlib's, it raises no error for a name that is too long
        raise argparse.ArgumentTypeError(f"no such path: {text!r}")
    return text


def _codes(text: str) -> Sequence[str]:
    codes = [code.strip().upper() for code in text.split(",")]
    for code in codes:
        if not code or not any(is_chosen(known, [code]) for known in RULES):
            raise argparse.ArgumentTypeError(f"no such rule: {code!r}; the rules are {', '.join(RULES)}")
    return codes


_CODES = "separated by commas; the beginning of a code selects all codes that begin so"

COMMAND = Command(
    name="lint",
    help="find mistakes in the equations of Python files",
    description="""\
Find mistakes in the einsum equations and einops patterns of Python files: calls that cannot work, probable
typos, and equations that the called library refuses. Nothing is imported or run.

docs/lint-rules.md describes the rules. A comment `# noqa: EU101` suppresses a rule on its line.

The exit status is 0 if nothing is found, 1 if something is found or a file cannot be read, 2 for misuse.""",
    examples="""\
examples:
  einsum-unified lint src tests
  einsum-unified lint . --ignore EU103,EU3
  einsum-unified lint src --select EU0 --format sarif""",
    arguments=(
        argument("paths", metavar="PATH", nargs="+", type=_path, help="a file or directory"),
        argument("--select", metavar="CODES", type=_codes, help=f"report these rules only, {_CODES}"),
        argument("--ignore", metavar="CODES", type=_codes, default=[], help="do not report these rules"),
        argument("--format", choices=FORMATS, default="text", help="text is the default"),
        argument(
            "--portable",
            action="store_true",
            help="report what any of NumPy, torch, TensorFlow and JAX refuses, whichever library is called",
        ),
    ),
    run=run,
)
