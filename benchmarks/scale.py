"""The time to plan thousands of operands with empty caches, and how it grows with their number.

The time is that of a whole first call: reading the equation, binding, path, lowering, compiling, running.
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from rich.table import Table

from benchmarks.cases import Case, Job, Settings, by
from benchmarks.tables import number, table
from einsum_unified import clear_cache, einsum

SECONDS, EXPONENT = "first call, s", "exponent"
COUNTS = (2500, 5000, 10_000, 20_000)
MOST = f"{COUNTS[-1]:,}"

Network = tuple[list[list[int]], list[int]]


def _chain(count: int) -> Network:
    return [[n, n + 1] for n in range(count)], [0, count]


def _tree(count: int) -> Network:
    """Return a binary tree: each operand has a label in common with its parent and with both children."""
    terms: list[list[int]] = [[] for _ in range(count)]
    for n in range(1, count):
        terms[n].append(n)
        terms[(n - 1) // 2].append(n)
    return terms, []


def _star(count: int) -> Network:
    return [[0, n + 1] for n in range(count)], []


def _hubs(count: int) -> Network:
    """Return operands with one of eight labels that many have, and a label that the first operand has."""
    return [list(range(8)), *([n % 8, 8 + n] for n in range(count - 1))], []


def _forwards(count: int) -> list[tuple[int, int]]:
    return [(0, 1), *((0, left - 1) for left in range(count - 1, 1, -1))]


def _in_rounds(count: int) -> list[tuple[int, int]]:
    return [(0, 1)] * (count - 1)


CASES: dict[str, tuple[Callable[[int], Network], Any, bool]] = {
    "chain": (_chain, "auto", True),
    "chain, interleaved": (_chain, "auto", False),
    'chain, "greedy"': (_chain, "greedy", True),
    "chain, path from left to right": (_chain, _forwards, True),
    "chain, path in rounds": (_chain, _in_rounds, True),
    "chain, no path": (_chain, False, True),
    "tree": (_tree, "auto", True),
    "one label in all": (_star, "auto", True),
    "eight labels in many": (_hubs, "auto", True),
    "vectors": (lambda count: ([[0]] * count, [0]), "auto", True),
    "scalars": (lambda count: ([[]] * count, []), "auto", True),
}
"""Name → the network of a number of operands, ``optimize=`` or a function for it, and whether it is text."""


def jobs(settings: Settings) -> list[Job]:
    """Return one job for each network."""
    counts = COUNTS[:2] if settings.quick else COUNTS
    return [Job(name, partial(_run, name, counts)) for name in CASES]


def _run(name: str, counts: tuple[int, ...]) -> list[Case]:
    found = []
    for count in counts:
        values: dict[str, float | None] = {"ours": _seconds(name, count)}
        found.append(Case("scale", SECONDS, "numpy", f"{count:,}", name, "", values))
    first, last = (case.values["ours"] or 0.0 for case in (found[0], found[-1]))
    exponent = math.log(last / first) / math.log(counts[-1] / counts[0])
    return [*found, Case("scale", EXPONENT, "numpy", "", name, "", {"ours": exponent})]


def _seconds(name: str, count: int) -> float:
    """Return the CPU seconds of a first call; all sizes are 2."""
    network, optimize, text = CASES[name]
    terms, output = network(count)
    operands = [np.full((2,) * len(term), 0.5 ** len(term)) for term in terms]
    arguments: list[Any] = [x for pair in zip(operands, terms, strict=True) for x in pair]
    arguments.append(output)
    if text:
        arguments = [f"{','.join(map(_letters, terms))}->{_letters(output)}", *operands]
    how = optimize(count) if callable(optimize) else optimize
    clear_cache()
    gc.collect()
    start = time.process_time()
    einsum(*arguments, optimize=how)
    return time.process_time() - start


def _letters(labels: list[int]) -> str:
    """Return labels as Chinese and Korean characters, of which there are enough."""
    return "".join(chr(0x4E00 + n if n < 20_000 else 0xAC00 + n - 20_000) for n in labels)


def tables(cases: list[Case]) -> list[Table]:
    """Return one table: a row for each network, a column for each number of operands."""
    counts = list(dict.fromkeys(case.group for case in cases if case.measure == SECONDS))
    made = table("Operands: seconds of the first call", ["network", *counts, EXPONENT])
    for name, own in by(cases, "name").items():
        made.add_row(name, *(number(case.values["ours"]) for case in own))
    return [made]
