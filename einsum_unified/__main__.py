"""The command line: ``python -m einsum_unified demo``, ``python -m einsum_unified lint PATH...``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from einsum_unified import __version__, demo
from einsum_unified.lint.command import add as add_lint


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 0 if all is well, 1 if results disagree, 2 for misuse."""
    parser = argparse.ArgumentParser(prog="python -m einsum_unified", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser(
        "demo",
        help="run the gallery on NumPy and on torch and TensorFlow if they are installed",
        description="Run well-known operations as einsum on every installed framework, compare each with "
        "NumPy's own function, and print a table; exit status 1 if anything disagrees.",
    )
    add_lint(commands)
    options = parser.parse_args(arguments)
    if "run" in options:
        return int(options.run(options))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow logs its start-up otherwise
    return demo.run()


if __name__ == "__main__":
    sys.exit(main())
