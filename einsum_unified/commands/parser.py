"""The parser of the program: a subcommand for each `Command`; options may stand anywhere among arguments."""

from __future__ import annotations

import argparse
import re
import shutil
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from einsum_unified.commands.command import Command
from einsum_unified.printable import shown

_NOT_AN_OPTION = re.compile(r"-[0-9>]")
"""The beginning of a shape with a negative size, or of an equation with one operand."""

_HELP = {"-h": False, "--help": False}
"""The options that argparse adds to each command; they take no value."""


class Parser(argparse.ArgumentParser):
    """An argparse parser that prints errors in one line, and shows examples without refilling them."""

    def __init__(self, description: str, examples: str, **settings: Any) -> None:
        super().__init__(
            description=_filled(description),
            epilog=examples,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **settings,
        )

    def error(self, message: str) -> NoReturn:
        """Print the error in one line and exit with status 2."""
        self.exit(2, shown(f"{self.prog}: error: {message}\n"))

    def add_commands(self, commands: Iterable[Command]) -> None:
        """Add a subcommand for each command; parsing stores the name of the called one as ``command``."""
        found = self.add_subparsers(
            dest="command", metavar="COMMAND", title="commands", required=True, parser_class=_CommandParser
        )
        for command in commands:
            found.add_parser(command.name, help=command.help, command=command)


class _CommandParser(Parser):
    """The parser of a command."""

    def __init__(self, command: Command, **settings: Any) -> None:
        super().__init__(command.description, command.examples, **settings)
        for argument in command.arguments:
            self.add_argument(argument.name, **argument.settings)
        options = {each.name: each.takes_value for each in command.arguments if each.is_option}
        self._takes_value = {**_HELP, **options}
        self._takes_words = len(options) < len(command.arguments)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse, and refuse unknown arguments here, so that the error has the command's name."""
        known, unknown = super().parse_known_args(self._sorted(args or []), namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return known, unknown

    def _sorted(self, given: Sequence[str]) -> list[str]:
        """Return a command's options first, then ``--`` and its other arguments.

        argparse itself would take arguments such as ``-2x3`` and ``->`` for options, and would not accept
        options between the SHAPEs.
        """
        options: list[str] = []
        words: list[str] = []
        todo = iter(given)
        for text in todo:
            if text == "--":
                words += todo
            elif text == "-" or not text.startswith("-") or _NOT_AN_OPTION.match(text):
                words.append(text)
            else:
                value = next(todo, None) if self._is_followed_by_value(text) else None
                if value is None:
                    options.append(text)
                elif _NOT_AN_OPTION.match(value):
                    options.append(f"{text}={value}")
                else:
                    options += [text, value]
        return [*options, *(["--"] if words and self._takes_words else []), *words]

    def _is_followed_by_value(self, text: str) -> bool:
        """Whether the next word is the value of this option, which may be abbreviated but must be known."""
        begun, equals, _ = text.partition("=")
        names = [name for name in self._takes_value if name.startswith(begun)]
        if not names:
            self.error(f"unrecognized arguments: {text}")
        return not equals and self._takes_value[begun if begun in names else names[0]]


def _filled(text: str) -> str:
    """Fill paragraphs to the width that argparse uses."""
    width = max(shutil.get_terminal_size().columns - 2, 11)
    return "\n\n".join(textwrap.fill(paragraph, width) for paragraph in text.split("\n\n"))
