"""`Contraction`: a path as a tree, whose parts are replaced by the cheapest order of their operands.

This is the subtree reconfiguration of tensor network contraction. Each set of operands whose product is an
intermediate is a node of the tree; the node is that set as a bit mask, and so are the operands, its leaves.
"""

from __future__ import annotations

from collections.abc import Sequence

from einsum_unified.planning.network import Effort, Network, Tree, cheapest_order, pairs_of
from einsum_unified.planning.steps import Path, linear

WIDTH = 8
"""The number of operands of a part: 3025 pairs, a millisecond. Twelve would take a hundred times as long."""

_PARTS = 4
"""The number of parts for which the effort must be enough."""


class Contraction:
    """A tree of products of pairs; `refine` makes it cheaper."""

    def __init__(self, network: Network, path: Path) -> None:
        self.network = network
        self.operands = [1 << n for n in range(len(network.terms))]
        self.labels = dict(zip(self.operands, network.terms, strict=True))
        self.holders = _holders(network.terms)
        self.halves: dict[int, tuple[int, int]] = {}
        self.costs: dict[int, int] = {}
        live = list(self.operands)
        for step in path:
            taken = [live.pop(position) for position in sorted(step, reverse=True)]
            live.append(self._join(taken[1], taken[0]) if len(taken) == 2 else taken[0])

    @property
    def cost(self) -> int:
        """The FLOPs, and for intermediates above the network's limit `Network.excess`."""
        return sum(self.costs.values())

    @property
    def peak(self) -> int:
        """The number of elements of the largest intermediate."""
        inner = [node for node in self.halves if not self._is_last(node)]
        return max((self.network.volume(self.labels[node]) for node in inner), default=0)

    def key(self) -> tuple[int, int]:
        """Return cost and peak: the tree with the least is the best."""
        return self.cost, self.peak

    def path(self) -> Path:
        """Return the path; the steps of a part follow each other, so that few intermediates wait."""
        found, open_nodes = [], [max(self.halves, default=0)]  # the last node has all operands
        while open_nodes:
            node = open_nodes.pop()
            if node in self.halves:
                found.append(node)
                open_nodes += self.halves[node]
        numbers = {operand: n for n, operand in enumerate(self.operands)}
        numbers.update({node: len(numbers) + n for n, node in enumerate(reversed(found))})
        pairs = [[numbers[x] for x in self.halves[node]] for node in reversed(found)]
        return linear(pairs, len(self.operands))

    def refine(self, effort: Effort) -> None:
        """Replace parts by their cheapest order until none gets cheaper; raises `Exhausted` before that.

        The parts are smaller if the effort is only enough for few of them.
        """
        width = WIDTH
        while width > 3 and _PARTS * pairs_of(width) > effort.pairs:
            width -= 1
        tried: set[tuple[int, ...]] = set()
        while self._refined_one(effort, width, tried):
            pass

    def _refined_one(self, effort: Effort, width: int, tried: set[tuple[int, ...]]) -> bool:
        """Replace the first part that has a cheaper order, that of the most expensive node first."""
        for node in sorted(self.halves, key=lambda node: (-self.costs[node], node)):
            leaves, inner = self._part(node, width)
            key = tuple(sorted(leaves))
            if len(leaves) < 3 or key in tried:
                continue
            tried.add(key)
            own = self.labels[node]
            cost, tree = cheapest_order(self.network, [self.labels[leaf] for leaf in leaves], own, effort)
            last = 0 if self._is_last(node) else self.network.excess(own)
            if cost + last < sum(self.costs[x] for x in inner):
                for x in inner:
                    del self.halves[x], self.costs[x]
                self._put(tree, leaves)
                return True
        return False

    def _part(self, node: int, width: int) -> tuple[list[int], list[int]]:
        """Return the leaves and the inner nodes of the part below a node, grown where it costs most."""
        leaves, inner = list(self.halves[node]), [node]
        while len(leaves) < width:
            inside = [x for x in leaves if x in self.halves]
            if not inside:
                break
            most = max(inside, key=lambda x: (self.costs[x], x))
            leaves.remove(most)
            inner.append(most)
            leaves += self.halves[most]
        return leaves, inner

    def _put(self, tree: Tree, leaves: Sequence[int]) -> int:
        if isinstance(tree, int):
            return leaves[tree]
        return self._join(self._put(tree[0], leaves), self._put(tree[1], leaves))

    def _join(self, a: int, b: int) -> int:
        """Add the product of two nodes."""
        node = a | b
        first, second = self.labels[a], self.labels[b]
        own, shared = first | second, first & second & ~self.network.output
        while shared:
            label = shared & -shared
            shared ^= label
            if not self.holders[label] & ~node:
                own ^= label
        self.labels[node], self.halves[node] = own, (a, b)
        excess = 0 if self._is_last(node) else self.network.excess(own)
        self.costs[node] = self.network.flops(first, second, own) + excess
        return node

    def _is_last(self, node: int) -> bool:
        return node.bit_count() == len(self.operands)


def _holders(terms: Sequence[int]) -> dict[int, int]:
    """Return for each label, as a bit, the operands that have it."""
    found: dict[int, int] = {}
    for number, term in enumerate(terms):
        while term:
            label = term & -term
            term ^= label
            found[label] = found.get(label, 0) | 1 << number
    return found
