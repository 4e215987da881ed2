"""The command line: ``python -m einsum_unified`` with ``demo``, ``conformance`` or ``lint``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from einsum_unified import __version__, demo
from einsum_unified.lint import command as lint
from einsum_unified.testing.conformance import command as conformance


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 0 if all is well, 1 if something is not, 2 for misuse."""
    parser = argparse.ArgumentParser(prog="python -m einsum_unified", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    shown = commands.add_parser(
        "demo",
        help="run the gallery on every framework that is installed",
        description="Run well-known operations as einsum on every installed framework, compare each with "
        "NumPy's own function, and print a table; exit status 1 if anything disagrees.",
    )
    shown.set_defaults(run=lambda asked: demo.run())
    conformance.add(commands)
    lint.add(commands)
    asked = parser.parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow logs its start-up otherwise
    return int(asked.run(asked))


if __name__ == "__main__":
    sys.exit(main())
