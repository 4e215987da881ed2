"""`Tree`: the steps of a plan as rows and lanes, drawn like a history of commits.

Each operand and each step has its own row, and a step is below its operands. A step continues in the lane of
the operand that needs more lanes; the other operand's lane is further right. So a chain takes two lanes, and
a tree of n operands at most log2(n) + 1. If there are too many steps to look at, each cheap part is one row.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from einsum_unified.computed import computed_once
from einsum_unified.show.accounts import Work
from einsum_unified.show.figures import Figure
from einsum_unified.show.label_names import label_sizes
from einsum_unified.show.picture.wiring import OPERANDS
from einsum_unified.show.table import Explanation, total

_EXPANDED = 15
"""The number of steps that are shown of a tree with too many operands."""


@dataclass(frozen=True)
class Cost:
    """The FLOPs of a part of the tree, and the bytes it reads and writes."""

    flops: Figure
    read: Figure
    written: Figure


FREE = Cost(Figure(), Figure(), Figure())


def cost(works: Sequence[Work]) -> Cost:
    """Return the cost of some instructions together."""
    return Cost(total(works, "flops"), total(works, "read"), total(works, "written"))


@dataclass(frozen=True)
class Row:
    """An operand, a step, or a part of the tree that is drawn as one row."""

    node: int
    lane: int
    sources: tuple[int, ...]
    """The numbers of the rows that a step joins."""


class Tree:
    """The operands and steps of a plan as numbered nodes: first the operands, then the steps in order."""

    def __init__(self, explanation: Explanation) -> None:
        self.explanation, self.operands = explanation, len(explanation.bound.operands)
        live = list(range(self.operands))
        self.sources: list[tuple[int, ...]] = [()] * self.operands
        for step in explanation.steps:
            self.sources.append(tuple(live[position] for position in step.positions))
            for position in sorted(step.positions, reverse=True):
                live.pop(position)
            live.append(len(self.sources) - 1)
        self.costs = [*[FREE] * self.operands, *map(cost, explanation.products)]

    @property
    def root(self) -> int:
        """The last step."""
        return len(self.sources) - 1

    @computed_once
    def hints(self) -> dict[str, int]:
        """Label name → size that is assumed for it when costs are compared."""
        return label_sizes(self.explanation.bound)

    @computed_once
    def flops(self) -> list[int]:
        """The FLOPs of each node, with the assumed sizes."""
        return [one.flops.at(self.hints) for one in self.costs]

    @computed_once
    def bottleneck(self) -> int | None:
        """The step with the most FLOPs; None if there is only one step, or no FLOPs."""
        most = max(range(len(self.flops)), key=self.flops.__getitem__)
        return most if len(self.explanation.steps) > 1 and self.flops[most] else None

    def share(self, node: int) -> float:
        """Return the share of a row in all FLOPs, from 0 to 1."""
        everything = sum(self.flops)
        return sum(self.flops[n] for n in self.part(node)) / everything if everything else 0.0

    def hides(self, node: int) -> bool:
        """Whether the row of a node represents all nodes below it, too."""
        return bool(self.sources[node]) and node not in self.expanded

    def part(self, node: int) -> list[int]:
        """Return the nodes that a row represents, in ascending order."""
        if not self.hides(node):
            return [node]
        found, queue = [], [node]
        while queue:
            found.append(queue.pop())
            queue += self.sources[found[-1]]
        return sorted(found)

    @computed_once
    def expanded(self) -> frozenset[int]:
        """The steps with their own row: all, or some from the last one downwards, where most FLOPs are."""
        if len(self.sources) <= 2 * OPERANDS:  # twice, because a path may have steps of one operand
            return frozenset(range(self.operands, len(self.sources)))
        below = list(self.flops)
        for node, sources in enumerate(self.sources):
            below[node] += sum(below[source] for source in sources)
        queue, found = [(-below[self.root], -self.root)], set[int]()
        while queue and len(found) < _EXPANDED:
            node = -heapq.heappop(queue)[1]
            found.add(node)
            for source in self.sources[node]:
                if self.sources[source]:
                    heapq.heappush(queue, (-below[source], -source))
        return frozenset(found)

    @computed_once
    def rows(self) -> tuple[Row, ...]:
        """The rows from top to bottom."""
        rows: list[Row] = []
        last: dict[int, int] = {}
        for node, lane in self._walk(self.root, 0):
            last[node] = len(rows)
            sources = self.sources[node] if node in self.expanded else ()
            rows.append(Row(node, lane, tuple(last[source] for source in sources)))
        return tuple(rows)

    def _walk(self, node: int, lane: int) -> Iterator[tuple[int, int]]:
        """Yield nodes with their lanes, each node after its sources."""
        if node in self.expanded:
            for n, source in enumerate(sorted(self.sources[node], key=self._breadth, reverse=True)):
                yield from self._walk(source, lane + n)
        yield node, lane

    def _breadth(self, node: int) -> tuple[int, int, int]:
        lanes, depth = self._needs[node]
        return lanes, depth, -node

    @computed_once
    def _needs(self) -> list[tuple[int, int]]:
        """For each node, the number of lanes it takes and its depth in steps."""
        needs: list[tuple[int, int]] = []
        for node, sources in enumerate(self.sources):
            if node not in self.expanded:
                needs.append((1, 0))
                continue
            lanes = sorted((needs[source][0] for source in sources), reverse=True)
            depth = max(needs[source][1] for source in sources)
            needs.append((max(n + lane for n, lane in enumerate(lanes)), depth + 1))
        return needs
