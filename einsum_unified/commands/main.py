"""The program ``einsum-unified``: its parser, and how it ends."""

from __future__ import annotations

import argparse
import errno
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


_NO_OPTION = re.compile(r"-[0-9>]")
"""How arguments begin that are no options: a shape of a negative size, an equation of one operand."""


class Help(argparse.RawDescriptionHelpFormatter):
    """Fills paragraphs, but for those with indented lines: examples."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        paragraphs = text.split("\n\n")
        return "\n\n".join(p if "\n  " in p else textwrap.fill(p, width) for p in paragraphs) + "\n"


class Parser(argparse.ArgumentParser):
    """argparse's, whose errors are one line; a command's options may stand anywhere among its arguments."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(formatter_class=Help, **settings)

    def error(self, message: str) -> NoReturn:
        """Print a line and exit."""
        self.exit(2, f"{self.prog}: error: {printable(message)}\n")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse, and refuse what is left: the parser of a command says so in its name."""
        given = sys.argv[1:] if args is None else args
        texts = given if self._subparsers else self._sorted(given)
        known, unknown = super().parse_known_args(texts, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return known, unknown

    def _sorted(self, given: Sequence[str]) -> list[str]:
        """Return a command's options, then ``--`` and its other arguments, among them ``-2x3`` and ``->``."""
        options: list[str] = []
        others: list[str] = []
        todo = iter(given)
        for text in todo:
            if text == "--":
                others += todo
            elif text == "-" or not text.startswith("-") or _NO_OPTION.match(text):
                others.append(text)
            else:
                value = next(todo, None) if self._wants_value(text) else None
                joined = value is not None and _NO_OPTION.match(value)
                options += [f"{text}={value}"] if joined else [text] if value is None else [text, value]
        return [*options, *(["--"] if others and self._get_positional_actions() else []), *others]

    def _wants_value(self, text: str) -> bool:
        """Whether an option, perhaps abbreviated, is followed by its value; it must be known."""
        actions = self._option_string_actions
        begins = [action for name, action in actions.items() if name.startswith(text.partition("=")[0])]
        if not begins:
            self.error(f"unrecognized arguments: {text}")
        return actions.get(text, begins[0]).nargs != 0 and "=" not in text


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
        if sys.stdout is None:
            raise OSError(errno.EBADF, "standard output is closed")
        status = main()
        print(end="", flush=True)
    except KeyboardInterrupt:
        status = 128 + signal.SIGINT
    except BrokenPipeError:
        _drop_output()
        status = 128 + 13
    except OSError as error:
        if error.filename is not None:
            raise  # no failure to write output, as on a disk that is full
        _drop_output()
        sys.stderr.write(f"einsum-unified: error: {printable(str(error.strerror or error))}\n")
        status = 1
    sys.exit(status)


def _drop_output() -> None:
    """Let what is still to be flushed go nowhere, as in https://docs.python.org/3/library/signal.html#note-on-sigpipe."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
