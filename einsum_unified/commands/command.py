"""`Command`: the name, arguments, help and function of a subcommand."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Argument:
    """An argument of a command: an option if its name begins with a dash."""

    name: str
    settings: Mapping[str, Any]
    """The keywords of argparse's ``add_argument``."""

    @property
    def is_option(self) -> bool:
        """Whether it is optional and is given by name."""
        return self.name.startswith("-")

    @property
    def takes_value(self) -> bool:
        """Whether another word follows the option."""
        return self.settings.get("action") != "store_true"


def argument(name: str, **settings: Any) -> Argument:
    """Return an argument with these keywords of ``add_argument``.

    >>> argument("--json", action="store_true", help="print the figures as JSON").takes_value
    False
    """
    return Argument(name, settings)


@dataclass(frozen=True)
class Command:
    """A subcommand of the program."""

    name: str
    help: str
    """Its line in the list of commands."""
    description: str
    examples: str
    """Shown after the arguments, without changes."""
    arguments: tuple[Argument, ...]
    run: Callable[[argparse.Namespace], int]
    """Executes the command and returns the exit status."""


class MisuseError(Exception):
    """A command was called with a wrong argument; the message names it as the help does.

    >>> print(MisuseError("--row", "99 is not a row of the rules"))
    argument --row: 99 is not a row of the rules
    """

    def __init__(self, argument: str, why: str) -> None:
        super().__init__(f"argument {argument}: {why}")
