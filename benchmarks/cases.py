"""`Case`: a measurement of all contenders; and `Settings`, the options of a run."""

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
    """A measurement. ``values`` has a number for each contender, or None if it cannot do the case."""

    part: str
    measure: str
    """The measured quantity with its unit: "time, µs", "peak, bytes", ..."""
    framework: str
    group: str
    name: str
    """The equation, or another name."""
    shapes: str
    values: Values = field(hash=False)

    def ratio(self, above: str, below: str) -> float | None:
        """Return the ratio of two contenders; None if either has no value."""
        over, under = self.values.get(above), self.values.get(below)
        return None if over is None or not under else over / under


@dataclass(frozen=True)
class Settings:
    """The options of a run."""

    frameworks: tuple[Framework, ...]
    quick: bool = False
    everything: bool = False

    @property
    def effort(self) -> Effort:
        """How long to measure."""
        return Effort(3, 0.01) if self.quick else STEADY


class Job(NamedTuple):
    """A piece of a part's work: one step of the progress bar."""

    label: str
    run: Callable[[], list[Case]]


class Part(Protocol):
    """The functions of each part's module: the work, and the tables of its results."""

    def jobs(self, settings: Settings) -> list[Job]:
        """Return the work."""
        ...

    def tables(self, cases: list[Case]) -> list[Table]:
        """Return tables of this part's results."""
        ...


def geometric_mean(numbers: Iterable[float | None]) -> float | None:
    """Return the geometric mean of the numbers that are not None.

    >>> geometric_mean([2.0, None, 8.0])
    4.0
    """
    logs = [math.log(x) for x in numbers if x]
    return math.exp(math.fsum(logs) / len(logs)) if logs else None


def by(cases: Iterable[Case], attribute: str) -> dict[Any, list[Case]]:
    """Return attribute value → cases, in the order of the first case of each group."""
    groups: dict[Any, list[Case]] = {}
    for case in cases:
        groups.setdefault(getattr(case, attribute), []).append(case)
    return groups


def worst(cases: Iterable[Case], above: str, below: str) -> list[tuple[float, Case]]:
    """Return the ratios with their cases, the greatest first."""
    found = [(ratio, case) for case in cases if (ratio := case.ratio(above, below)) is not None]
    return sorted(found, key=lambda pair: -pair[0])
