"""Time functions beside each other, while a bar tells how far it is."""

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
"""Is told the seconds that have passed since it was told last."""

_ROUND = 0.01
"""Seconds that a function has in a round, if one call takes less."""


def medians(calls: Mapping[str, Call], seconds: float, tick: Tick) -> dict[str, float]:
    """Return the median seconds a call of each function, all having been called before.

    They take turns, round by round, in an order that is reversed each time: a slow moment of the machine hits
    them all. One whose single call takes longer than that is called once.
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
    """Show a bar on stderr while the block runs, if that is a terminal and rich is there.

    Gives a function of what is being done, which returns what tells the bar of seconds that passed.
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
