"""Which size to assume for an unknown one: how much costlier paths are than those for the real size.

Random networks of three to six operands have one label of unknown size, which is kept in the output like a
batch. Their paths are planned with each hint, and their FLOPs are counted at each real size::

    python -m benchmarks.hints
"""

from __future__ import annotations

import random
from math import exp, log
from statistics import fmean

from rich.console import Console
from rich.table import Table

from einsum_unified.language.sizes import DEFAULT_HINT
from einsum_unified.planning.path import find_path
from einsum_unified.planning.steps import Terms, steps
from einsum_unified.planning.strategy import Strategy

HINTS = (1, 2, 4, DEFAULT_HINT, 8, 16, 32)
REAL = tuple(2**n for n in range(11))
SMALL = 8
_NETWORKS = 400


def regrets(count: int = _NETWORKS) -> dict[tuple[int, int], list[float]]:
    """Return (hint, real size) → FLOPs divided by the fewest FLOPs that any hint or real size leads to."""
    rng = random.Random(1)
    found: dict[tuple[int, int], list[float]] = {(hint, real): [] for hint in HINTS for real in REAL}
    for _ in range(count):
        terms, output, sizes = _network(rng)
        batch = rng.choice(terms[0])
        output = tuple(sorted({*output, batch}))
        planned = {
            size: find_path(terms, output, _with(sizes, batch, size), Strategy()) for size in {*HINTS, *REAL}
        }
        for real in REAL:
            at = _with(sizes, batch, real)
            flops = {
                size: sum(s.flops for s in steps(terms, output, at, path)) for size, path in planned.items()
            }
            for hint in HINTS:
                found[hint, real].append(flops[hint] / min(flops.values()))
    return found


def _network(rng: random.Random) -> tuple[Terms, tuple[int, ...], tuple[int, ...]]:
    count = rng.randint(3, 6)
    labels = range(rng.randint(count, 2 * count))
    terms: list[list[int]] = [[] for _ in range(count)]
    for label in labels:
        for term in rng.sample(terms, rng.choice((1, 2, 2, 2, 3))):
            term.append(label)
    if not all(terms):
        return _network(rng)
    output = tuple(label for label in labels if rng.random() < 0.3)
    return tuple(map(tuple, terms)), output, tuple(2 ** rng.randint(1, 8) for _ in labels)


def _with(sizes: tuple[int, ...], label: int, size: int) -> tuple[int, ...]:
    return (*sizes[:label], size, *sizes[label + 1 :])


def main() -> None:
    """Print the geometric means, for small and for large batches."""
    found = regrets()
    table = Table("hint", f"batch of 1 to {SMALL}", f"batch of {2 * SMALL} to {REAL[-1]}", "worst")
    for hint in HINTS:
        means = [
            exp(fmean(log(x) for real in reals for x in found[hint, real]))
            for reals in ([n for n in REAL if n <= SMALL], [n for n in REAL if n > SMALL])
        ]
        largest = max(x for real in REAL for x in found[hint, real])
        table.add_row(str(hint), *(f"{mean:.3f}" for mean in means), f"{largest:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
