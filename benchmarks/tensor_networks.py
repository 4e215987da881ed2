"""Tensor networks to plan: random ones, chains, rings, grids and trees; all are seeded."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import combinations

import opt_einsum

Edge = tuple[int, ...]
"""The numbers of the operands that share a label."""


@dataclass(frozen=True)
class Network:
    """An equation with sizes."""

    kind: str
    terms: tuple[str, ...]
    output: str
    sizes: dict[str, int]

    @property
    def equation(self) -> str:
        """The equation."""
        return ",".join(self.terms) + "->" + self.output

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """The shapes of the operands."""
        return [tuple(self.sizes[label] for label in term) for term in self.terms]

    def of_size(self, size: int) -> Network:
        """Return the same network with one size for all labels."""
        return Network(self.kind, self.terms, self.output, dict.fromkeys(self.sizes, size))


def _network(kind: str, operands: int, edges: list[Edge], open_labels: int, rng: random.Random) -> Network:
    """Return a network with one label for each edge; ``open_labels`` of these are kept in the output."""
    terms = [""] * operands
    for number, edge in enumerate(edges):
        for operand in edge:
            terms[operand] += opt_einsum.get_symbol(number)
    labels = [opt_einsum.get_symbol(number) for number in range(len(edges))]
    shuffled = ["".join(rng.sample(term, len(term))) for term in terms]
    output = "".join(rng.sample(labels, min(open_labels, len(labels))))
    return Network(kind, tuple(shuffled), output, {label: rng.randint(2, 8) for label in labels})


def random_network(operands: int, hyper: bool, seed: int) -> Network:
    """Return a connected network: a random tree, further edges, and labels in the output.

    With ``hyper`` it has hyperedges: labels of three or more operands, or of two operands and the output.
    """
    rng = random.Random(f"{operands} {hyper} {seed}")
    edges: list[Edge] = [(rng.randrange(n), n) for n in range(1, operands)]
    for _ in range(rng.randint(0, operands // 2 + 1)):
        edges.append(tuple(rng.sample(range(operands), 2)))
    if hyper:
        for _ in range(rng.randint(1, 3)):
            edges.append(tuple(rng.sample(range(operands), rng.randint(3, min(operands, 6)))))
        return _network("hyperedges", operands, edges, rng.randint(0, 3), rng)
    ends = rng.sample(range(operands), rng.randint(0, 3))
    network = _network("pairs", operands, [*edges, *((end,) for end in ends)], 0, rng)
    output = "".join(opt_einsum.get_symbol(len(edges) + n) for n in range(len(ends)))
    return Network("pairs", network.terms, output, network.sizes)


def chain(operands: int, seed: int) -> Network:
    """Return a product of matrices."""
    edges: list[Edge] = [(0,), *((n, n + 1) for n in range(operands - 1)), (operands - 1,)]
    network = _network("chain", operands, edges, 0, random.Random(f"chain {operands} {seed}"))
    ends = opt_einsum.get_symbol(0) + opt_einsum.get_symbol(operands)
    return Network("chain", network.terms, ends, network.sizes)


def ring(operands: int, seed: int) -> Network:
    """Return the trace of a product of matrices."""
    edges: list[Edge] = [(n, (n + 1) % operands) for n in range(operands)]
    return _network("ring", operands, edges, 0, random.Random(f"ring {operands} {seed}"))


def grid(rows: int, columns: int, seed: int) -> Network:
    """Return a grid of operands in which neighbours share a label."""
    places = [(row, column) for row in range(rows) for column in range(columns)]
    edges: list[Edge] = [
        (m, n)
        for (m, a), (n, b) in combinations(enumerate(places), 2)
        if abs(a[0] - b[0]) + abs(a[1] - b[1]) == 1
    ]
    return _network("grid", len(places), edges, 0, random.Random(f"grid {rows} {columns} {seed}"))


def tree(operands: int, seed: int) -> Network:
    """Return a binary tree; each leaf has a label in the output."""
    edges: list[Edge] = [((n - 1) // 2, n) for n in range(1, operands)]
    leaves: list[Edge] = [(n,) for n in range(operands // 2, operands)]
    network = _network("tree", operands, edges + leaves, 0, random.Random(f"tree {operands} {seed}"))
    output = "".join(opt_einsum.get_symbol(len(edges) + n) for n in range(len(leaves)))
    return Network("tree", network.terms, output, network.sizes)


def networks(quick: bool) -> list[Network]:
    """Return the measured networks; the random ones cycle through several numbers of operands."""
    small, larger = (30, 8) if quick else (200, 40)
    found = [random_network(3 + seed % 6, hyper, seed) for hyper in (False, True) for seed in range(small)]
    found += [random_network(9 + seed % 4, hyper, seed) for hyper in (False, True) for seed in range(larger)]
    for seed in range(2 if quick else 5):
        found += [shape(operands, seed) for shape in (chain, ring, tree) for operands in (4, 6, 8, 10, 12)]
        found += [grid(rows, columns, seed) for rows, columns in ((2, 2), (2, 3), (2, 4), (3, 3), (3, 4))]
    return found
