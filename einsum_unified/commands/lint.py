"""The command ``lint PATH...``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from einsum_unified.lint.check import check
from einsum_unified.lint.files import python_files
from einsum_unified.lint.report import FORMATS, Results
from einsum_unified.lint.rules import RULES, is_chosen
from einsum_unified.lint.source import UnreadableError, read

_DESCRIPTION = """\
Look for mistakes in the einsum equations and einops patterns of Python files: what cannot work, what is
probably a typo, what the called library refuses. Nothing is imported or run.

The rules are in docs/lint-rules.md; a comment `# noqa: EU101` silences one on its line.

The exit status is 0 if nothing is found, 1 if something is or a file cannot be read, 2 for misuse."""
_EXAMPLES = """\
examples:
  einsum-unified lint src tests
  einsum-unified lint . --ignore EU103,EU3
  einsum-unified lint src --select EU0 --format sarif"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to a program's."""
    parser = commands.add_parser(
        "lint",
        help="look for mistakes in the equations of Python files",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
    )
    parser.add_argument("paths", metavar="PATH", nargs="+", type=_path, help="a file or directory")
    codes = "separated by commas; the beginning of a code stands for all such"
    parser.add_argument("--select", metavar="CODES", type=_codes, help=f"report these rules only, {codes}")
    parser.add_argument(
        "--ignore", metavar="CODES", type=_codes, default=[], help="do not report these rules"
    )
    parser.add_argument("--format", choices=FORMATS, default="text", help="text is the default")
    parser.add_argument(
        "--portable",
        action="store_true",
        help="report what NumPy, torch, TensorFlow or JAX refuses, whichever is called",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Lint the paths, print what is found, and return the exit status."""
    results = Results()

    def fail(path: Path, why: str) -> None:
        results.failures.append((path, why))
        _write(sys.stderr, f"{str(path)!r}: {why}\n")

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
    _write(sys.stdout, FORMATS[options.format](results))
    return 1 if results.findings or results.failures else 0


def _path(text: str) -> str:
    if not os.path.exists(text):  # unlike pathlib's, no error for a name that is too long
        raise argparse.ArgumentTypeError(f"no such path: {text!r}")
    return text


def _codes(text: str) -> Sequence[str]:
    codes = [code.strip().upper() for code in text.split(",")]
    for code in codes:
        if not code or not any(is_chosen(known, [code]) for known in RULES):
            raise argparse.ArgumentTypeError(f"no such rule: {code!r}; known are {', '.join(RULES)}")
    return codes


def _write(stream: TextIO, text: str) -> None:
    """Write what the stream's encoding may lack as escapes."""
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
