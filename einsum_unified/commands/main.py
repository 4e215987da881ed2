"""The program ``einsum-unified``: its commands and its exit statuses."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from einsum_unified import __version__
from einsum_unified.commands import backends, bench, code, conformance, demo, explain, lint
from einsum_unified.commands.command import Command, MisuseError
from einsum_unified.commands.parser import Parser
from einsum_unified.commands.terminal import prepare_streams
from einsum_unified.printable import shown

COMMANDS: tuple[Command, ...] = (
    explain.COMMAND,
    code.COMMAND,
    bench.COMMAND,
    backends.COMMAND,
    demo.COMMAND,
    lint.COMMAND,
    conformance.COMMAND,
)

_DESCRIPTION = """\
Show what an einsum computes, what it costs and which code runs, and find mistakes before anything runs.

The exit status is 2 for misuse and 130 after Ctrl-C; the help of each command lists the others."""
_EXAMPLES = """\
examples:
  einsum-unified explain "bhid,bhjd->bhij" 2x8x128x64 2x8x128x64
  einsum-unified explain --help"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 0 for success, 1 if it reports a problem, 2 for misuse."""
    parser = Parser(_DESCRIPTION, _EXAMPLES, prog="einsum-unified")
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_commands(COMMANDS)
    asked = parser.parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow logs its start-up otherwise
    command = next(command for command in COMMANDS if command.name == asked.command)
    try:
        return command.run(asked)
    except MisuseError as error:
        sys.stderr.write(shown(f"einsum-unified {command.name}: error: {error}\n"))
        return 2


def program() -> NoReturn:
    """Run the command of ``sys.argv`` and exit; an interrupt or a closed output pipe prints no traceback."""
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
            raise  # not a failure to write the output, such as a full disk
        _drop_output()
        sys.stderr.write(shown(f"einsum-unified: error: {error.strerror or error}\n"))
        status = 1
    sys.exit(status)


def _drop_output() -> None:
    """Discard output that is still to be flushed; see https://docs.python.org/3/library/signal.html#note-on-sigpipe."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
