"""`compare`: the time a call of several functions takes, robust against a noisy machine.

Ratios are what is wanted. So the contenders take turns, round by round, in one process; a slow minute of
the machine hits them all. Noise only ever adds time, so the least of the rounds is kept, and there are
more rounds as long as any of these still falls. The clock is the process's CPU time, which other
processes do not add to.
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
"""A round that gets below this share of the least so far asks for further rounds."""

_QUIET_ROUNDS = 2
"""So many rounds in a row without one end the measurement."""

_MOST_ROUNDS = 3
"""Times the rounds asked for: the end in any case."""

_HOPELESS_SECONDS, _HOPELESS_RATIO, _HOPELESS_ROUNDS = 0.3, 5, 2
"""A contender slower than this, and by this ratio than the quickest, has so many rounds only."""


class Effort(NamedTuple):
    """How long to measure: rounds, and seconds that a contender has in each."""

    rounds: int = 7
    seconds: float = 0.02


STEADY = Effort()


def compare(contenders: dict[str, Call], effort: Effort = STEADY) -> dict[str, float]:
    """Return µs a call of each contender.

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
    """Return how many calls fill a round; the first call, which plans and traces, is not counted."""
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
    """Return another order each round, so that nobody always runs after the same contender."""
    first = number // 2 % len(names)
    turned = names[first:] + names[:first]
    return turned[::-1] if number % 2 else turned


def _seconds(call: Call, calls: int) -> float:
    """Return seconds a call; short calls find the processor's caches as they leave them."""
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
    """Collect garbage now and not while timing."""
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
