"""The default search for a path, and the search for one that keeps a limit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import inf
from typing import Any

from einsum_unified.memory import forgets
from einsum_unified.planning.network import Effort, Exhausted, Network, cheapest_order, pairs_of
from einsum_unified.planning.opt_einsum import greedy, installed
from einsum_unified.planning.refine import Contraction
from einsum_unified.planning.steps import Path, Terms, backwards, cost_and_peak, forwards, linear

_GREEDY_PAIRS = 100_000
"""The greatest number of operand pairs with a common label for which the default searches: some µs each."""

_LIMITED_PAIRS = 1_000_000
"""The same for a search that has to keep a limit: without greedy's path it might fail."""

_FEW = 5
"""Up to this number of operands, to try all orders takes less time than greedy search."""

_EVERY_ORDER = 8
"""Up to this number the default tries all orders: a few milliseconds."""

_REFINED = 16
"""Up to this number it refines the paths of greedy searches, for as long as the work is worth."""

_LIMITED = 1000
"""Up to this number a path that exceeds a limit is refined."""

_WORTH = 10**5
"""The FLOPs above which ten milliseconds of planning are worth the time."""

_TEN_MS = 30_000
"""The effort of ten milliseconds."""

_LEAST = 300
"""The effort for a few parts of four or five operands: a tenth of a millisecond."""

_TURNS = 32
"""A path is not compared if its steps handle each label more often than this, on average over the labels."""

_SEARCHES = 8
"""How often the default searches for one equation with ever new sizes, before it reuses paths found."""


@dataclass
class Found:
    """The paths that searches found for operands with these labels, of any sizes; at most `_SEARCHES`."""

    terms: Terms
    output: tuple[int, ...]
    paths: tuple[Path, ...] = ()

    def add(self, path: Path) -> None:
        """Keep a path. If two threads add at the same time, one path may be lost; it is found again."""
        self.paths = (*self.paths, path)[:_SEARCHES]


def _new_cache() -> Callable[[Terms, tuple[int, ...]], Found]:
    return lru_cache(maxsize=1024)(Found)


# Replaced as a whole, never cleared: other threads may be inside a look-up.
_found = _new_cache()


@forgets
def forget_found() -> None:
    """Forget the paths found for other sizes."""
    global _found
    _found = _new_cache()


# --- the default ----------------------------------------------------------------------------------


def best(terms: Terms, output: tuple[int, ...], sizes: tuple[int, ...]) -> Path:
    """Return the path with the fewest FLOPs that searches find; of equal ones that of the smallest peak.

    If every call has new sizes, searching would cost more time than it saves. After `_SEARCHES` searches the
    paths found for other sizes are tried instead.
    """
    count = len(terms)
    if count <= 2:
        return forwards(count)
    if count > _REFINED:
        return _cheapest(terms, output, sizes, _simple(terms, output, sizes))
    network = Network.of(terms, output, sizes)
    if count <= _FEW:
        return every_order(network)
    found = _found(terms, output)
    if len(found.paths) < _SEARCHES or (count <= _EVERY_ORDER and not installed()):
        path = every_order(network) if count <= _EVERY_ORDER else _refined(network)
        found.add(path)
        return path
    trees = [Contraction(network, path) for path in (*_simple(terms, output, sizes), *found.paths)]
    return min(trees, key=Contraction.key).path()


def every_order(network: Network) -> Path:
    """Return the cheapest path of all."""
    tree = cheapest_order(network, network.terms, network.output, Effort(inf))[1]
    count, found = len(network.terms), []

    def number(tree: Any) -> int:
        if isinstance(tree, int):
            return tree
        found.append((number(tree[0]), number(tree[1])))
        return count + len(found) - 1

    number(tree)
    return linear(found, count)


def _refined(network: Network) -> Path:
    """Return the cheapest path that can be found with the effort that the cheapest simple path is worth."""
    count, sets, output = len(network.terms), network.sets(), network.labels_of(network.output)

    def tree(cost: Any = "memory-removed") -> Contraction:
        return Contraction(network, greedy(sets, output, network.sizes, cost))

    simple = [tree(), Contraction(network, forwards(count)), Contraction(network, backwards(count))]
    start = min(simple, key=Contraction.key)
    effort = _effort(start.cost)
    if effort.pairs < _TEN_MS:
        return refine([start], effort).path()
    return refine([start, tree(_ratio), tree(_removed)], effort).path()


def refine(trees: Sequence[Contraction], effort: Effort) -> Contraction:
    """Refine trees of one network as far as the effort allows, and return the cheapest."""
    network = trees[0].network
    try:
        for tree in sorted(trees, key=Contraction.key):
            tree.refine(effort)
        if pairs_of(len(network.terms)) <= effort.pairs:
            return Contraction(network, every_order(network))
    except Exhausted:
        pass
    return min(trees, key=Contraction.key)


def _effort(flops: int) -> Effort:
    """Return the effort that is worth its time: 10 ms at `_WORTH`, 22 ms at ten times that, at most 0.3 s.

    Below `_WORTH` it falls faster than the FLOPs, so that planning takes no longer than lowering does.
    """
    worth = min(flops, 30**3 * _WORTH) / _WORTH
    return Effort(max(_LEAST, _TEN_MS * min(worth**1.5, worth ** (1 / 3))))


def _ratio(size12: int, size1: int, size2: int, *_: Any) -> float:
    """Return a cost for greedy search: small if the result is small compared with the operands."""
    return size12 / (size1 + size2)


def _removed(size12: int, size1: int, size2: int, *_: Any) -> int:
    """Return a cost for greedy search: small if large operands go."""
    return size12 - 4 * (size1 + size2)


# --- simple paths ---------------------------------------------------------------------------------


def _simple(
    terms: Terms, output: Sequence[int], sizes: Sequence[int], most: int = _GREEDY_PAIRS
) -> list[Path]:
    """Return greedy's path, left to right and right to left; only left to right for more pairs than most."""
    count = len(terms)
    if _pairs(terms) > most:
        return [forwards(count)]
    # People often write operands in a good order, or in its reverse.
    return [greedy(list(map(frozenset, terms)), output, sizes), forwards(count), backwards(count)]


def _cheapest(terms: Terms, output: Sequence[int], sizes: Sequence[int], paths: Sequence[Path]) -> Path:
    """Return the cheapest of some paths, the first of equal ones.

    Of those after the first, the costs of the steps are added up only as long as the path may be the
    cheapest: left to right, thousands of operands can have intermediates of thousands of labels.
    """
    best, *others = paths
    if not others:
        return best
    least = cost_and_peak(terms, output, sizes, best)
    for path in others:
        found = cost_and_peak(terms, output, sizes, path, least[0], _turns(terms))
        if found < least:
            best, least = path, found
    return best


def _turns(terms: Terms) -> int:
    """Return the most labels that all steps of a path may have together if it is compared with others."""
    return _TURNS * sum(map(len, terms))


def _pairs(terms: Terms) -> int:
    counts = Counter(label for term in terms for label in term)
    return sum(count * (count - 1) // 2 for count in counts.values())


# --- limits ---------------------------------------------------------------------------------------


def within(
    terms: Terms, output: Sequence[int], sizes: Sequence[int], limit: int, paths: Sequence[Path]
) -> tuple[Path, int]:
    """Return a path whose intermediates keep a limit, if one is found, and the elements of the largest.

    If none of the given paths keeps the limit, they and the simple ones are refined. The result of the last
    step is no intermediate. The path that is found for up to ten operands is the cheapest that keeps the
    limit; for more operands it may be missed.
    """
    count = len(terms)
    if count <= _EVERY_ORDER:
        network = Network.of(terms, output, sizes, limit)
        tree = Contraction(network, every_order(network))
        return tree.path(), tree.peak
    paths = [*paths, *_simple(terms, output, sizes, _LIMITED_PAIRS), backwards(count)]
    if count > _LIMITED:
        most = [inf, *[_turns(terms)] * len(paths)]
        costs = [cost_and_peak(terms, output, sizes, path, labels=most[n]) for n, path in enumerate(paths)]
        flops, largest = min(costs, key=lambda cost: (max(cost[1], limit), cost[0]))
        return paths[costs.index((flops, largest))], int(largest)
    network = Network.of(terms, output, sizes, limit)
    trees = [Contraction(network, path) for path in paths]
    if min(tree.peak for tree in trees) > limit:
        trees = [refine(trees, Effort(10 * _TEN_MS))]
    tree = min(trees, key=Contraction.key)
    return tree.path(), tree.peak
