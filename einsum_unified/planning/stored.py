"""Choose the order of contraction by the elements that sparse operands store.

An operand's density is the fraction of its elements that it stores. The densities of intermediates are
estimated as if stored elements were spread evenly and independently: a product stores an element where both
operands do, and a sum where any of its terms is stored. For matrix products this is the average-case
estimator (E_ac) in J. Sommer et al., "MNC: Structure-Exploiting Sparsity Estimation for Matrix Expressions",
SIGMOD 2019.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from math import expm1, log1p
from typing import NamedTuple

from einsum_unified.planning.path import find_path
from einsum_unified.planning.steps import Path, Terms, backwards, forwards
from einsum_unified.planning.strategy import AUTO

_EXACT_OPERANDS = 8
"""Up to this number of operands all orders are searched: 3**8 / 2 pairs of intermediates, some 20 ms."""

_GREEDY_OPERANDS = 64
"""Up to this number the cheapest pair is taken in each step: 64**2 pairs, some 10 ms."""

_MOST = 1e200

Densities = tuple[int, ...]
"""For each operand the power of ten of its density: about ``10**-n`` of its elements are stored."""

SPARSEST = 18
"""The greatest power that is told apart. It bounds the number of plans for operands of the same shapes."""


class Estimate(NamedTuple):
    """The expected work of a step on stored elements."""

    products: float
    """Pairs of stored elements that are multiplied."""
    stored: float
    """The elements that the result stores."""
    cost: float
    """Multiplications, additions if a label is summed, and elements read and written."""


class _Value(NamedTuple):
    """An operand or intermediate: its labels, and its density."""

    labels: frozenset[int]
    density: float


def find_sparse_path(
    terms: Terms, output: tuple[int, ...], sizes: tuple[int, ...], densities: Densities
) -> Path:
    """Return the cheapest path for operands of these densities, instead of that for dense operands.

    >>> terms, output, sizes = ((0, 1), (0,), (1,)), (0, 1), (1000, 1000)
    >>> find_sparse_path(terms, output, sizes, (6, 0, 0)), find_sparse_path(terms, output, sizes, (0, 2, 3))
    (((0, 2), (0, 1)), ((1, 2), (0, 1)))
    """
    network = _Network(terms, output, sizes, densities)
    count = len(terms)
    if count <= _EXACT_OPERANDS:
        return network.best()
    found = [find_path(terms, output, sizes, AUTO), forwards(count), backwards(count)]
    if count <= _GREEDY_OPERANDS:
        found.append(network.greedy())
    return min(found, key=lambda path: sum(step.cost for step in network.steps(path)))


def estimates(
    terms: Terms, output: tuple[int, ...], sizes: tuple[int, ...], densities: Densities, path: Path
) -> tuple[Estimate, ...]:
    """Return the expected work of each step of a path.

    >>> first, last = estimates(((0, 1), (0,), (1,)), (0, 1), (1000, 1000), (6, 0, 0), ((0, 1), (0, 1)))
    >>> first.products, last.products
    (1.0, 1.0)
    """
    return tuple(_Network(terms, output, sizes, densities).steps(path))


class _Network:
    """Operands with their densities, after labels that only one of them has are summed."""

    def __init__(
        self, terms: Terms, output: tuple[int, ...], sizes: tuple[int, ...], densities: Densities
    ) -> None:
        self.sizes = sizes
        self.needed = Counter(output)
        for term in terms:
            self.needed.update(set(term))
        self.values = []
        for term, power in zip(terms, densities, strict=True):
            labels = frozenset(label for label in term if self.needed[label] > 1 or label in output)
            summed = self._volume(label for label in set(term) - labels)
            self.values.append(_Value(labels, _any(10.0**-power, summed)))
        self.needed = Counter(output)
        for value in self.values:
            self.needed.update(value.labels)

    def best(self) -> Path:
        """Return the best path of all, found for ever larger sets of operands."""
        everything = (1 << len(self.values)) - 1
        outside = [self._needed_outside(some) for some in range(everything + 1)]
        tree: dict[int, tuple[float, _Value, tuple[int, ...]]] = {
            1 << n: (0.0, value, ()) for n, value in enumerate(self.values)
        }
        for some in range(1, everything + 1):  # each part of a set is a smaller integer
            for part in _halves(some):
                (cost, a, _), (more, b, _) = tree[part], tree[some ^ part]
                value, step = self._contract(a, b, outside[some])
                total = cost + more + step.cost
                if some not in tree or total < tree[some][0]:
                    tree[some] = (total, value, (part, some ^ part))
        return _as_path({some: parts for some, (_, _, parts) in tree.items()}, len(self.values))

    def greedy(self) -> Path:
        """Return the path that takes the cheapest pair in each step."""
        live = dict(enumerate(self.values))
        needed = self.needed.copy()
        costs = {pair: self._cost(live, pair, needed) for pair in combinations(live, 2)}
        path = []
        for new in range(len(live), 2 * len(live) - 1):
            pair = min(costs, key=costs.__getitem__)
            order = sorted(live)
            path.append((order.index(pair[0]), order.index(pair[1])))
            a, b = live.pop(pair[0]), live.pop(pair[1])
            needed.subtract((*a.labels, *b.labels))
            live[new] = self._contract(a, b, +needed)[0]
            needed.update(live[new].labels)
            costs = {other: cost for other, cost in costs.items() if not {*other} & {*pair}}
            costs |= {(old, new): self._cost(live, (old, new), needed) for old in live if old != new}
        return tuple(path)

    def steps(self, path: Path) -> Iterator[Estimate]:
        """Return the estimates of a path's steps."""
        live, needed = list(self.values), self.needed.copy()
        for step in path:
            taken = [live.pop(position) for position in sorted(step, reverse=True)]
            if len(taken) == 2:
                b, a = taken
                needed.subtract((*a.labels, *b.labels))
                value, estimate = self._contract(a, b, +needed)
                needed.update(value.labels)
                taken = [value]
                yield estimate
            live += taken

    def _contract(self, a: _Value, b: _Value, needed: Iterable[int]) -> tuple[_Value, Estimate]:
        labels = a.labels | b.labels
        kept = labels.intersection(needed)
        density = a.density * b.density
        products = self._volume(labels) * density
        value = _Value(kept, _any(density, self._volume(labels - kept)))
        stored = self._stored(value)
        cost = products * (1 + (len(kept) < len(labels))) + self._stored(a) + self._stored(b) + stored
        return value, Estimate(products, stored, cost)

    def _cost(self, live: dict[int, _Value], pair: tuple[int, int], needed: Counter[int]) -> float:
        a, b = live[pair[0]], live[pair[1]]
        own = Counter((*a.labels, *b.labels))
        kept = [label for label, count in own.items() if needed[label] > count]
        return self._contract(a, b, kept)[1].cost

    def _needed_outside(self, some: int) -> frozenset[int]:
        """Return the labels that are needed when a set of operands is contracted."""
        inside: Counter[int] = Counter()
        for n, value in enumerate(self.values):
            if some >> n & 1:
                inside.update(value.labels)
        return frozenset(label for label, count in self.needed.items() if count > inside[label])

    def _volume(self, labels: Iterable[int]) -> float:
        total = 1.0
        for label in labels:
            total = min(total * self.sizes[label], _MOST)
        return total

    def _stored(self, value: _Value) -> float:
        return self._volume(value.labels) * value.density


def _any(density: float, count: float) -> float:
    """Return the probability that any of ``count`` elements is stored."""
    if count == 1 or density >= 1:
        return min(density, 1.0) if count else 0.0
    return -expm1(count * log1p(-density))


def _halves(some: int) -> Iterator[int]:
    """Return one of each two parts that make up a set; sets are integers, with a bit for each member."""
    part = (some - 1) & some
    while part > some ^ part:
        yield part
        part = (part - 1) & some


def _as_path(parts: Mapping[int, Sequence[int]], count: int) -> Path:
    """Return a path, which names positions in the list of operands that are left, for a tree of sets."""
    live = [1 << n for n in range(count)]
    path: list[tuple[int, ...]] = []

    def contract(some: int) -> None:
        if not parts[some]:
            return
        for part in sorted(parts[some]):
            contract(part)
        positions = sorted(live.index(part) for part in parts[some])
        for position in reversed(positions):
            live.pop(position)
        live.append(some)
        path.append(tuple(positions))

    contract((1 << count) - 1)
    return tuple(path)
