"""`Case`: one thing measured, for every contender; and `Settings`, what a run was asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from rich.table import Table

from benchmarks.contenders import Framework
from benchmarks.timing import STEADY, Effort

Values = dict[str, "float | None"]


@dataclass(frozen=True)
class Case:
    """One thing measured. ``values`` is a number for each contender, None for one that cannot do it."""

    part: str
    measure: str
    """What the numbers are, with their unit: "time, µs", "peak, bytes", ..."""
    framework: str
    group: str
    name: str
    """The equation, or what stands for it."""
    shapes: str
    values: Values = field(hash=False)

    def ratio(self, above: str, below: str) -> float | None:
        """Return the ratio of two contenders, None if either is missing."""
        over, under = self.values.get(above), self.values.get(below)
        return None if over is None or not under else over / under


@dataclass(frozen=True)
class Settings:
    """What a run was asked for."""

    frameworks: tuple[Framework, ...]
    quick: bool = False
    everything: bool = False

    @property
    def effort(self) -> Effort:
        """How long to time."""
        return Effort(3, 0.01) if self.quick else STEADY


class Job(NamedTuple):
    """A piece of a part's work, short enough for a step of the progress bar."""

    label: str
    run: Callable[[], list[Case]]


class Part(Protocol):
    """What each part's module has: the work, and tables of what came out."""

    def jobs(self, settings: Settings) -> list[Job]:
        """Return the work."""
        ...

    def tables(self, cases: list[Case]) -> list[Table]:
        """Return tables of this part's results."""
        ...


def geometric_mean(numbers: Iterable[float | None]) -> float | None:
    """Return the geometric mean of those that are there.

    >>> geometric_mean([2.0, None, 8.0])
    4.0
    """
    logs = [math.log(x) for x in numbers if x]
    return math.exp(math.fsum(logs) / len(logs)) if logs else None


def by(cases: Iterable[Case], attribute: str) -> dict[Any, list[Case]]:
    """Return cases sorted into groups, which stand in the order of their first case."""
    groups: dict[Any, list[Case]] = {}
    for case in cases:
        groups.setdefault(getattr(case, attribute), []).append(case)
    return groups


def worst(cases: Iterable[Case], above: str, below: str) -> list[tuple[float, Case]]:
    """Return ratios with their cases, the greatest first."""
    found = [(ratio, case) for case in cases if (ratio := case.ratio(above, below)) is not None]
    return sorted(found, key=lambda pair: -pair[0])
