"""`Pair`: two values to contract, with their labels classified; `Candidate`: a way to contract them.

The labels of a pair are

* *batch*: both values have it, and it is needed later;
* *contracted*: both values have it, and it is not needed later;
* *left*, *right*: only one value has it; it is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import prod
from typing import NamedTuple, Protocol, TypeVar

from einsum_unified.language.sizes import broadcast
from einsum_unified.planning.builder import Builder
from einsum_unified.planning.labelled import Labelled
from einsum_unified.program.values import members

_HUGE = 10**9
_MOST = 1e90


class Pair(NamedTuple):
    """Two values to contract, and their labels by class."""

    a: Labelled
    b: Labelled
    batch: tuple[int, ...]
    contracted: tuple[int, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    sizes: dict[int, int]
    output: tuple[int, ...] | None
    """The order of the result if this is the last step, else None."""
    contiguous: bool
    """Whether the result must be C-contiguous: the output has batch, left, right labels in this order."""
    volumes: dict[int, float]
    """The sizes for a cost: floats, which are fast to multiply, with a limit."""

    @classmethod
    def of(cls, a: Labelled, b: Labelled, kept: set[int], output: tuple[int, ...] | None) -> Pair:
        """Classify the labels of two values."""
        in_a, in_b = members(a.labels), members(b.labels)
        both = [label for label in a.labels if label in in_b]
        batch = tuple([label for label in both if label in kept])
        contracted = tuple([label for label in both if label not in kept])
        left = tuple([label for label in a.labels if label not in in_b])
        right = tuple([label for label in b.labels if label not in in_a])
        sizes = dict(zip(a.labels, a.shape, strict=True))
        for label, size in zip(b.labels, b.shape, strict=True):
            sizes[label] = broadcast(sizes.get(label, 1), size)
        contiguous = output is not None and output == (
            *_among(batch, output),
            *_among(left, output),
            *_among(right, output),
        )
        volumes = {label: float(min(size, _HUGE)) for label, size in sizes.items()}
        return cls(a, b, batch, contracted, left, right, sizes, output, contiguous, volumes)

    @property
    def broadcasts(self) -> bool:
        """Whether a batch axis may have size 1 at run time in one value, and another size in the other."""
        return any(self.sizes[label] != x.size(label) for label in self.batch for x in (self.a, self.b))

    @property
    def larger(self) -> Labelled:
        """The operand with more elements."""
        return self.a if self.a.elements >= self.b.elements else self.b

    def size(self, labels: Sequence[int]) -> int:
        """Return the product of the labels' sizes."""
        return prod([self.sizes[label] for label in labels])

    def volume(self, labels: Iterable[int]) -> float:
        """Return the product of the labels' sizes for a cost, as a float with a limit: it cannot overflow."""
        total, volumes = 1.0, self.volumes
        for label in labels:
            total *= volumes[label]
        return total if total < _MOST else _MOST

    def shape(self, labels: Sequence[int]) -> tuple[int, ...]:
        """Return the labels' sizes."""
        return tuple([self.sizes[label] for label in labels])


def _among(labels: tuple[int, ...], output: tuple[int, ...]) -> Sequence[int]:
    """Return labels in the order of the output."""
    if len(labels) < 2:
        return labels
    wanted = members(labels)
    return [label for label in output if label in wanted]


class Candidate(Protocol):
    """A way to contract a pair."""

    @property
    def cost(self) -> float:
        """The estimated time in nanoseconds, by `Costs`."""
        ...

    def write(self, pair: Pair, builder: Builder) -> Labelled:
        """Append its instructions, and return the result."""
        ...


Choice = Callable[[Sequence[Candidate]], Candidate]
Some = TypeVar("Some", bound=Candidate)


def cheapest(candidates: Sequence[Some]) -> Some:
    """Return the candidate with the least cost, the first of equal ones."""
    return min(candidates, key=lambda candidate: candidate.cost)
