"""The program ``einsum-unified``: its parser, and how it ends."""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import textwrap
from collections.abc import Sequence
from typing import Any, NoReturn

from einsum_unified import __version__
from einsum_unified.commands import backends, bench, code, conformance, demo, explain, lint
from einsum_unified.commands.arguments import MisuseError
from einsum_unified.commands.terminal import prepare_streams, printable

_DESCRIPTION = """\
See what an einsum does, what it costs and what runs, and find mistakes before it does.

The exit status is 2 for misuse and 130 after Ctrl-C; each command's help says what else it may be."""
_EXAMPLES = """\
examples:
  einsum-unified explain "bhid,bhjd->bhij" 2x8x128x64 2x8x128x64
  einsum-unified explain --help"""


class Help(argparse.RawDescriptionHelpFormatter):
    """Fills paragraphs, but for those with indented lines: examples."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        paragraphs = text.split("\n\n")
        return "\n\n".join(p if "\n  " in p else textwrap.fill(p, width) for p in paragraphs) + "\n"


class Parser(argparse.ArgumentParser):
    """argparse's, whose errors are one line, and which takes ``-2x3`` for an argument, not an option."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(formatter_class=Help, **settings)

    def error(self, message: str) -> NoReturn:
        """Print a line and exit."""
        self.exit(2, f"{self.prog}: error: {printable(message)}\n")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse; argparse takes what has a space for no option, and whoever reads shapes strips it."""
        given = sys.argv[1:] if args is None else args
        spaced = [f" {text}" if re.match(r"-[0-9>]", text) else text for text in given]
        return super().parse_known_args(spaced, namespace)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 0 if all is well, 1 if something is not, 2 for misuse."""
    parser = Parser(prog="einsum-unified", description=_DESCRIPTION, epilog=_EXAMPLES)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands", required=True)
    for command in (explain, code, bench, backends, demo, lint, conformance):
        command.add(commands)
    asked = parser.parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow logs its start-up otherwise
    try:
        return int(asked.run(asked))
    except MisuseError as error:
        sys.stderr.write(f"einsum-unified {asked.command}: error: {printable(str(error))}\n")
        return 2


def program() -> NoReturn:
    """Run the command of ``sys.argv`` and exit; an interrupt or a reader that leaves is no error."""
    prepare_streams()
    try:
        status = main()
        print(end="", flush=True)
    except KeyboardInterrupt:
        status = 128 + signal.SIGINT
    except BrokenPipeError:
        # What is still to be flushed goes nowhere: https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 128 + 13
    sys.exit(status)
