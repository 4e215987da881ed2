"""`compare`: measure the time per call of several functions, robust against a noisy machine.

The goal is reliable ratios. So the contenders take turns, round by round, in one process, and a slow minute
of the machine affects all of them. Noise only adds time, so the result is the minimum over the rounds, and
there are further rounds as long as any minimum still falls. The clock is the process's CPU time, which
excludes the time of other processes.
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import repeat
from typing import Any, NamedTuple

Call = Callable[[], Any]

_SETTLED = 0.99
"""A round whose time is below this share of the minimum so far causes further rounds."""

_QUIET_ROUNDS = 2
"""The measurement ends after this number of rounds in a row without such a fall."""

_MOST_ROUNDS = 3
"""The maximum number of rounds, as a multiple of the rounds asked for."""

_HOPELESS_SECONDS, _HOPELESS_RATIO, _HOPELESS_ROUNDS = 0.3, 5, 2
"""Seconds per call and ratio to the fastest contender; one slower than both has this number of rounds."""


class Effort(NamedTuple):
    """How long to measure: the minimum number of rounds, and the seconds for each contender in a round."""

    rounds: int = 7
    seconds: float = 0.02


STEADY = Effort()


def compare(contenders: dict[str, Call], effort: Effort = STEADY) -> dict[str, float]:
    """Return the µs per call of each contender.

    >>> sorted(compare({"a": lambda: sum(range(9)), "b": lambda: None}, Effort(2, 1e-4)))
    ['a', 'b']
    """
    with _garbage_kept():
        calls = {name: _calls_a_round(call, effort.seconds) for name, call in contenders.items()}
        least = {name: _seconds(contenders[name], calls[name]) for name in contenders}
        rounds = _rounds(least, effort.rounds)
        quiet = 0
        for number in range(effort.rounds * _MOST_ROUNDS):
            if number >= effort.rounds and quiet >= _QUIET_ROUNDS:
                break
            fell = False
            for name in _order(list(contenders), number):
                if number < rounds[name]:
                    seconds = _seconds(contenders[name], calls[name])
                    fell |= seconds < least[name] * _SETTLED
                    least[name] = min(least[name], seconds)
            quiet = 0 if fell else quiet + 1
    return {name: seconds * 1e6 for name, seconds in least.items()}


def _calls_a_round(call: Call, seconds: float) -> int:
    """Return the number of calls that fill a round, after a first call, which plans and traces."""
    call()
    calls = 1
    while (taken := _elapsed(call, calls)) < seconds / 8:
        calls *= 2
    return max(1, math.ceil(seconds * calls / taken))


def _rounds(seconds: dict[str, float], rounds: int) -> dict[str, int]:
    quickest = min(seconds.values(), default=0.0)
    return {
        name: _HOPELESS_ROUNDS
        if taken > max(_HOPELESS_SECONDS, _HOPELESS_RATIO * quickest)
        else rounds * _MOST_ROUNDS
        for name, taken in seconds.items()
    }


def _order(names: list[str], number: int) -> list[str]:
    """Return a different order for each round, so that a contender does not always follow the same one."""
    first = number // 2 % len(names)
    turned = names[first:] + names[:first]
    return turned[::-1] if number % 2 else turned


def _seconds(call: Call, calls: int) -> float:
    """Return seconds per call; several short calls run once before, to fill the processor's caches."""
    if calls > 1:
        call()
    return _elapsed(call, calls) / calls


def _elapsed(call: Call, calls: int) -> float:
    start = time.process_time()
    for _ in repeat(None, calls):
        call()
    return time.process_time() - start


@contextmanager
def _garbage_kept() -> Iterator[None]:
    """Collect garbage before the block, and not during it."""
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
