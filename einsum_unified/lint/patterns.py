"""The grammar of einops' patterns.

::

    pattern = side { "," side } "->" side      commas only for einsum
    side    = { axis | "(" { axis } ")" }
    axis    = name | number | "..."            at most one "..." on a side
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from einsum_unified.wording import LONGEST_NAME, clipped

_TOKEN = re.compile(r" +|\.\.\.|\w+|.", re.DOTALL)


class PatternError(Exception):
    """A pattern is malformed; ``marks`` are the wrong positions."""

    def __init__(self, message: str, marks: list[int]) -> None:
        super().__init__(message)
        self.marks = marks


@dataclass(frozen=True)
class PatternAxis:
    """An axis as written, its position, and the number of its pair of brackets on its side, or None."""

    name: str
    at: int
    group: int | None

    @property
    def is_number(self) -> bool:
        """Whether it is a size instead of a name."""
        return self.name.isdecimal()


@dataclass(frozen=True)
class Pattern:
    """A pattern's inputs and its output.

    >>> pattern = parse("b (h w) -> b h w")
    >>> [[axis.name for axis in side] for side in (*pattern.inputs, pattern.output)]
    [['b', 'h', 'w'], ['b', 'h', 'w']]
    """

    inputs: tuple[tuple[PatternAxis, ...], ...]
    output: tuple[PatternAxis, ...]

    def axes(self) -> list[PatternAxis]:
        """Return every axis, repeated as often as it occurs."""
        return [axis for side in (*self.inputs, self.output) for axis in side]


def parse(text: str, einsum: bool = False) -> Pattern:
    """Parse a pattern of ``einops.einsum`` or of the other functions; raises `PatternError`.

    Other white space counts as spaces.

    >>> parse("b c) -> b c")
    Traceback (most recent call last):
    einsum_unified.lint.patterns.PatternError: ')' has no matching '('
    """
    text = re.sub(r"\s", " ", text)
    arrows = [match.start() for match in re.finditer("->", text)]
    if len(arrows) != 1:
        said = "more than one '->'" if arrows else "the pattern has no '->'"
        raise PatternError(said, arrows or [max(len(text.rstrip()) - 1, 0)])
    (arrow,) = arrows
    inputs = []
    at = 0
    for side in text[:arrow].split(",") if einsum else [text[:arrow]]:
        inputs.append(_side(side, at, einsum, is_output=False))
        at += len(side) + 1
    return Pattern(tuple(inputs), _side(text[arrow + 2 :], arrow + 2, einsum, is_output=True))


def _side(text: str, start: int, einsum: bool, is_output: bool) -> tuple[PatternAxis, ...]:
    axes: list[PatternAxis] = []
    opened: int | None = None
    groups = 0
    for match in _TOKEN.finditer(text):
        token, at = match[0], start + match.start()
        if token == "(":
            if opened is not None:
                raise PatternError("brackets within brackets", [opened, at])
            opened, groups = at, groups + 1
        elif token == ")":
            if opened is None:
                raise PatternError("')' has no matching '('", [at])
            if einsum and sum(axis.group == groups for axis in axes) != 1:
                raise PatternError("einops.einsum does not join or split axes", [opened, at])
            opened = None
        elif not token.isspace():
            _check_axis(token, at, einsum)
            axes.append(PatternAxis(token, at, None if opened is None else groups))
    if opened is not None:
        raise PatternError("'(' is not closed", [opened])
    _check_side(axes, einsum, is_output)
    return tuple(axes)


def _check_axis(token: str, at: int, einsum: bool) -> None:
    if token == "...":
        return
    if token == ".":
        raise PatternError("a '.' that is not part of '...'", [at])
    if not re.match(r"\w", token):
        raise PatternError(f"{token!r} has no meaning in a pattern", [at])
    if token.isdecimal():
        if einsum:
            raise PatternError("einops.einsum takes names, not numbers", [at])
        if len(token) < 10 and int(token) == 0:
            raise PatternError("an axis of size 0", [at])
        return
    if token == "_" and einsum:
        return
    name = repr(clipped(token, LONGEST_NAME))
    if not token.isidentifier():
        raise PatternError(f"{name} is not an axis name: it begins with a digit", [at])
    if token.startswith("_") or token.endswith("_"):
        raise PatternError(f"{name} begins or ends with '_', which einops refuses", [at])


def _check_side(axes: list[PatternAxis], einsum: bool, is_output: bool) -> None:
    dots = [axis for axis in axes if axis.name == "..."]
    if len(dots) > 1:
        raise PatternError("more than one '...' on a side", [axis.at for axis in dots])
    if dots and dots[0].group is not None and not (is_output and not einsum):
        raise PatternError("'...' in brackets", [dots[0].at])
    if einsum and not is_output:
        return
    seen: dict[str, int] = {}
    for axis in axes:
        if axis.name in seen and not axis.is_number and (not einsum or axis.name != "_"):
            said = f"{clipped(axis.name, LONGEST_NAME)!r} occurs twice on one side"
            raise PatternError(said, [seen[axis.name], axis.at])
        seen[axis.name] = axis.at
