"""`Network`: operands as bit masks of labels, and the cheapest order of a few of them.

Sets of labels and of operands are integers with a bit for each member, so that the union of two sets, or what
they share, is a single operation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf, prod
from typing import Union

Tree = Union[int, "tuple[Tree, Tree]"]
"""The number of an operand, or the two trees whose results are multiplied."""


class Exhausted(Exception):  # noqa: N818 - not an error: the search ends with the best it has found
    """Raised if a search has used up its effort."""


@dataclass
class Effort:
    """The work that a search may still do, in pairs of operands to look at, each a third of a microsecond.

    It is counted, not timed, so that a search finds the same path every time.
    """

    pairs: float

    def spend(self, pairs: int) -> None:
        """Take pairs off; raises `Exhausted` if fewer are left."""
        if pairs > self.pairs:
            raise Exhausted
        self.pairs -= pairs


@dataclass
class Network:
    """Operands with their labels. A label that only one of them has is summed before, and left out here."""

    terms: tuple[int, ...]
    """The labels of each operand."""
    output: int
    """The labels of the result."""
    sizes: tuple[int, ...]
    """The size of each label, by the number of its bit."""
    limit: float = inf
    """The greatest number of elements of an intermediate: a result of any step but the last."""
    fine: int = 0
    """The cost of each element of an intermediate above the limit: more than any path has FLOPs."""
    volumes: dict[int, int] = field(default_factory=dict)
    """Labels → the product of their sizes, as far as it was needed so far."""

    @classmethod
    def of(
        cls,
        terms: Sequence[Sequence[int]],
        output: Sequence[int],
        sizes: Sequence[int],
        limit: int | None = None,
    ) -> Network:
        """Return the network of operands with these labels.

        >>> Network.of([(0, 1), (1, 2)], (2,), (9, 5, 4)).terms  # without label 0
        (2, 6)
        """
        occurs = Counter(label for term in terms for label in set(term))
        occurs.update(set(output))
        masks = tuple([sum([1 << n for n in set(term) if occurs[n] > 1]) for term in terms])
        some = tuple([max(int(size), 1) for size in sizes])  # if a size is 0, every order costs nothing
        kept = sum([1 << n for n in set(output)])
        if limit is None:
            return cls(masks, kept, some)
        return cls(masks, kept, some, limit, 2 * len(masks) * prod(some) + 1)

    def labels_of(self, mask: int) -> list[int]:
        """Return the labels of a mask as their numbers."""
        return [label for label in range(mask.bit_length()) if mask >> label & 1]

    def sets(self) -> list[frozenset[int]]:
        """Return the labels of each operand as opt_einsum takes them."""
        return [frozenset(self.labels_of(term)) for term in self.terms]

    def volume(self, labels: int) -> int:
        """Return the product of the sizes of labels."""
        found = self.volumes.get(labels)
        if found is None:
            found, left = 1, labels
            while left:
                low = left & -left
                found *= self.sizes[low.bit_length() - 1]
                left ^= low
            self.volumes[labels] = found
        return found

    def flops(self, a: int, b: int, kept: int) -> int:
        """Return the FLOPs of the product of operands with labels ``a`` and ``b``, of which some are kept."""
        both = a | b
        return self.volume(both) * (1 if both == kept else 2)

    def excess(self, labels: int) -> int:
        """Return the cost of an intermediate for being above the limit; 0 for one that is not."""
        size = self.volume(labels)
        return size * self.fine if size > self.limit else 0


def pairs_of(operands: int) -> int:
    """Return the number of pairs at which `cheapest_order` looks: all splits of all sets of operands.

    >>> pairs_of(3), pairs_of(8)
    (6, 3025)
    """
    return int((3**operands - 2 ** (operands + 1) + 1) // 2)


def cheapest_order(network: Network, operands: Sequence[int], kept: int, effort: Effort) -> tuple[int, Tree]:
    """Return the cost and the tree of the cheapest order of a few operands, found by all their subsets.

    ``operands`` has the labels of each, and ``kept`` are those needed afterwards. The cost is the FLOPs, and
    for intermediates above the limit `Network.excess`. Of orders with the same cost it takes one with the
    smallest largest intermediate. Raises `Exhausted` if that is more than the effort.

    >>> network = Network.of([(0, 1), (1, 2), (2, 3)], (0, 3), (9, 9, 9, 2))
    >>> cheapest_order(network, network.terms, network.output, Effort(100))
    (648, (0, (1, 2)))
    """
    count, every = len(operands), (1 << len(operands)) - 1
    effort.spend(pairs_of(count))
    labels = _labels(operands, kept)
    volume, volumes = network.volume, network.volumes
    costs: list[float] = [0] * (every + 1)
    peaks, halves = [0] * (every + 1), [0] * (every + 1)
    for subset in range(3, every + 1):
        rest = subset & (subset - 1)  # its first operand is always in the other half
        if not rest:
            continue
        own = labels[subset]
        size = volumes.get(own) or volume(own)
        best, peak, half = inf, 0, 0
        part = rest
        while part:
            other = subset ^ part
            cost = costs[part] + costs[other] + size
            if cost <= best:
                both = labels[part] | labels[other]
                if both != own:
                    cost += 2 * (volumes.get(both) or volume(both)) - size
                largest = peaks[part] if peaks[part] > peaks[other] else peaks[other]
                if cost < best or (cost == best and largest < peak):
                    best, peak, half = cost, largest, part
            part = (part - 1) & rest
        costs[subset], halves[subset] = best, half
        if subset != every:
            costs[subset] += network.excess(own)
            peaks[subset] = max(peak, size)
    return int(costs[every]), _tree(every, halves)


def _labels(operands: Sequence[int], kept: int) -> list[int]:
    """Return the labels of the product of each subset of operands."""
    every = (1 << len(operands)) - 1
    union = [0] * (every + 1)
    for subset in range(1, every + 1):
        low = subset & -subset
        union[subset] = union[subset ^ low] | operands[low.bit_length() - 1]
    labels = [union[subset] & (kept | union[every ^ subset]) for subset in range(every + 1)]
    for number, own in enumerate(operands):
        labels[1 << number] = own
    return labels


def _tree(subset: int, halves: Sequence[int]) -> Tree:
    half = halves[subset]
    if not half:
        return subset.bit_length() - 1
    return _tree(subset ^ half, halves), _tree(half, halves)
