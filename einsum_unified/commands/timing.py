"""Time several functions in turns, with a progress bar."""

from __future__ import annotations

import importlib.util
import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from statistics import median
from typing import Any

Call = Callable[[], Any]
Tick = Callable[[float], object]
"""Called with the seconds that have passed since the last such call."""

_ROUND = 0.01
"""Seconds for which a function is called in each round; at least one call."""


def medians(calls: Mapping[str, Call], seconds: float, tick: Tick) -> dict[str, float]:
    """Return the median seconds per call of each function; the first calls are not counted.

    The functions take turns, round by round, in an order that is reversed each time, so that a slow moment of
    the machine affects all of them. A function whose first call takes longer than ``seconds`` is called only
    once, and the time of that call is returned.
    """
    taken = {name: [_elapsed(call, 1)] for name, call in calls.items()}
    repeats = {name: math.ceil(_ROUND / max(once, 1e-7)) for name, (once,) in taken.items()}
    turns = [name for name, (once,) in taken.items() if once < seconds]
    for name in turns:
        taken[name].clear()
    start = now = time.perf_counter()
    while turns and now - start < seconds:
        for name in turns:
            taken[name].append(_elapsed(calls[name], repeats[name]) / repeats[name])
        turns.reverse()
        last, now = now, time.perf_counter()
        tick(now - last)
    return {name: median(each) for name, each in taken.items()}


def _elapsed(call: Call, repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return time.perf_counter() - start


@contextmanager
def progress(seconds: float) -> Iterator[Callable[[str], Tick]]:
    """Show a progress bar on stderr while the block runs, if stderr is a terminal and rich is installed.

    Yields a function that takes a description of the current work and returns the `Tick` for the bar.
    """
    if not sys.stderr.isatty() or importlib.util.find_spec("rich") is None:
        yield lambda what: lambda passed: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=seconds)

        def begin(what: str) -> Tick:
            bar.update(task, description=what)
            return lambda passed: bar.update(task, advance=passed)

        yield begin
