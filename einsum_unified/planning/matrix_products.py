"""The ways to contract a pair by one (batched) matrix product.

The usual way is TTGT (transpose, transpose, GEMM, transpose): bring the operands into the orders
``(*batch, left, contracted)`` and ``(*batch, contracted, right)``. An operand that does not lie like this in
memory is copied. Instead, some of its kept labels can be *looped*: they become batch axes, along which the
other operand broadcasts, and the rest of the operand is a matrix without a copy (loops over GEMM). Both ways
are compared by P. Springer and P. Bientinesi, "Design of a high-performance GEMM-like tensor-tensor
multiplication", 2018. Each candidate has a cost by `Costs`; a pair has a few dozen candidates at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, combinations
from math import prod
from typing import NamedTuple

from einsum_unified.adapter import Capabilities
from einsum_unified.adapter.costs import Costs
from einsum_unified.dtypes import itemsize
from einsum_unified.planning.builder import Builder
from einsum_unified.planning.labelled import Labelled
from einsum_unified.planning.pair import Pair
from einsum_unified.program.values import members

_LOOPED_RUNS = 3
"""The number of runs of labels that are tried as loops, one or two at a time. It limits the candidates."""


@dataclass
class Side:
    """How one operand becomes matrices. Its axes are batch, loops, fused kept and fused contracted labels."""

    of: Arrangement
    loops: tuple[int, ...]
    kept: tuple[int, ...]
    contracted: tuple[int, ...]
    kept_first: bool
    copied: bool
    turned: bool
    """Whether the contracted axis is the innermost in memory."""
    cost: float
    counted: dict[int, tuple[int, int]] = field(default_factory=dict, repr=False)
    """The results of `views`, by number of loops."""

    # `MatrixProduct.matrices` writes instructions by these methods, and `views` counts the instructions.

    def labels(self, left: bool) -> tuple[int, ...]:
        """Return its labels in order, before axes are fused, as the left or the right matrix."""
        batch = (*self.of.batch, *self.loops)
        if self._kept_first(left):
            return (*batch, *self.kept, *self.contracted)
        return (*batch, *self.contracted, *self.kept)

    def axes(self, left: bool, loops: int) -> list[tuple[int, ...]]:
        """Return the labels of each axis: one label, several fused labels, or none for an axis of size 1.

        ``loops`` is the number of loops of the other operand. If there are batch axes, this operand has an
        axis of size 1 for each of these loops.
        """
        if self.vector(loops):
            return [self.contracted]
        axes = [self.kept, self.contracted] if self._kept_first(left) else [self.contracted, self.kept]
        if not self.of.batch and not self.loops:
            return axes
        own, others = _single(self.loops), [()] * loops
        batch = [*_single(self.of.batch), *(own if left else others), *(others if left else own)]
        return [*([_joined(batch)] if self.of.capabilities.batch_axes == 1 else batch), *axes]

    def vector(self, loops: int) -> bool:
        """Whether it is multiplied as a vector, without an axis for its kept labels."""
        return not (self.kept or loops or self.loops or self.of.batch) and self.of.vectors

    def splits(self, loops: int) -> bool:
        """Whether its axis in the product is not the axis of exactly one label."""
        return len(self.kept) != 1 and not self.vector(loops)

    def exchanged(self, left: bool, loops: int) -> bool:
        """Whether rows and columns must be exchanged, by a flag of the product or by an instruction."""
        return self._kept_first(left) != left and not self.vector(loops)

    def views(self, loops: int) -> tuple[int, int]:
        """Return the number of instructions that make its matrices, as the right and as the left one.

        The results are kept, since there are many more products than sides.
        """
        found = self.counted.get(loops)
        if found is None:
            fuses = _fuses(self.axes(True, loops))
            right = self._moves(False, loops) + fuses
            # Where products exchange rows and columns by a flag, a matrix is the same on both sides.
            left = right if self.of.capabilities.turns else self._moves(True, loops) + fuses
            found = self.counted[loops] = right, left
        return found

    def _moves(self, left: bool, loops: int) -> int:
        exchanges = not self.of.capabilities.turns and self.exchanged(left, loops)
        return (self.labels(left) != self.of.x.labels) + exchanges

    def _kept_first(self, left: bool) -> bool:
        # A view can have either order; a copy is made in the chosen order.
        return self.kept_first if self.copied or self.of.capabilities.turns else left


def _single(labels: Sequence[int]) -> list[tuple[int, ...]]:
    """Return a separate axis for each label."""
    return [(label,) for label in labels]


def _joined(axes: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    """Return the labels of several axes together."""
    return tuple(chain.from_iterable(axes))


def _fuses(axes: Sequence[tuple[int, ...]]) -> bool:
    """Whether a reshape is needed from one axis for each label to these axes."""
    return {*map(len, axes)} != {1}


class MatrixProduct(NamedTuple):
    """A matrix product of the operands, in this order or swapped."""

    swapped: bool
    batch: tuple[int, ...]
    left: Side
    right: Side
    dtype: str | None
    """The float dtype in which a product of integers is exact; None for the dtype of the operands."""
    order: tuple[int, ...] | None
    """The order in which the product's axes are written; None for the order that it has by itself."""
    cost: float
    views: int
    """The number of transposes and reshapes that `write` appends in addition to the product."""

    def write(self, pair: Pair, builder: Builder) -> Labelled:
        """Make both operands matrices, multiply them, and label the axes of the product."""
        a, b, turned = self.matrices(pair, builder)
        return self.labelled(builder.matmul(a, b, turned, self.dtype, self.order), pair, builder)

    def matrices(self, pair: Pair, builder: Builder) -> tuple[Labelled, Labelled, tuple[bool, bool]]:
        """Return both operands as matrices, and for each whether its rows and columns are exchanged."""
        x, y = (pair.b, pair.a) if self.swapped else (pair.a, pair.b)
        a, turned_a = _as_matrices(x, self.left, True, len(self.right.loops), builder)
        b, turned_b = _as_matrices(y, self.right, False, len(self.left.loops), builder)
        return a, b, (turned_a, turned_b)

    @property
    def labels(self) -> tuple[int, ...]:
        """The labels of the product."""
        groups = _groups(self.batch, self.left, self.right)
        return _joined([groups[axis] for axis in self.order or range(len(groups))])

    def labelled(self, product: Labelled, pair: Pair, builder: Builder) -> Labelled:
        """Split the fused axes of the product, and label its axes."""
        labels = self.labels
        return builder.reshape(product, labels, pair.shape(labels))

    def calls(self, pair: Pair, capabilities: Capabilities) -> float:
        """Return the part of the cost that the calls themselves take, without computing and copying."""
        result = _result_call(pair, self.labels, capabilities)
        return _calls_cost(self.views, capabilities.costs) + result


def _as_matrices(x: Labelled, side: Side, left: bool, loops: int, builder: Builder) -> tuple[Labelled, bool]:
    """Return an operand as matrices, and whether their rows and columns are still exchanged."""
    x = builder.transpose(x, side.labels(left))
    axes = side.axes(left, loops)
    if _fuses(axes):
        size = dict(zip(x.labels, x.shape, strict=True))
        shape = tuple([prod([size[label] for label in axis]) for axis in axes])
        x = builder.reshape(x, (-1,) * len(axes), shape)
    exchanged = side.exchanged(left, loops)
    if not exchanged or builder.capabilities.turns:
        return x, exchanged
    *batch, rows, columns = range(len(axes))
    return builder.permute(x, (*batch, columns, rows)), False


def matrix_products(
    pair: Pair, capabilities: Capabilities, dtype: str, exact: str | None
) -> Iterator[MatrixProduct]:
    """Return the candidates, which compute in ``dtype``; ``exact`` is the same if integers are cast to it."""
    for batch in _batches(pair):
        for contracted in _orders(pair):
            lefts = Arrangement(pair, pair.a, pair.left, batch, contracted, capabilities).sides()
            rights = Arrangement(pair, pair.b, pair.right, batch, contracted, capabilities).sides()
            for left in lefts:
                for right in rights:
                    yield from _products(pair, batch, left, right, capabilities, dtype, exact)


def _batches(pair: Pair) -> Sequence[tuple[int, ...]]:
    """Return the orders of the batch labels: that of the output, and that of the larger operand in memory."""
    if len(pair.batch) < 2:
        return (pair.batch,)
    found = pair.larger.in_memory(pair.batch)
    if pair.output is None:
        return (found,)
    own = members(pair.batch)
    wanted = tuple([label for label in pair.output if label in own])
    return (found,) if found == wanted else (wanted, found)


def _orders(pair: Pair) -> Sequence[tuple[int, ...]]:
    """Return the orders of the contracted labels: those in which they lie in the operands' memory."""
    if len(pair.contracted) < 2:
        return (pair.contracted,)
    one, other = pair.a.in_memory(pair.contracted), pair.b.in_memory(pair.contracted)
    return (one,) if one == other else (one, other)


class Arrangement(NamedTuple):
    """An operand of a pair, and the orders of batch and contracted labels that its matrices must have."""

    pair: Pair
    x: Labelled
    kept: tuple[int, ...]
    batch: tuple[int, ...]
    contracted: tuple[int, ...]
    capabilities: Capabilities

    @property
    def vectors(self) -> bool:
        """Whether vectors are multiplied as vectors: not for dtype object, whose product is not an array."""
        return self.capabilities.vectors and self.x.dtype != "object"

    def sides(self) -> list[Side]:
        """Return the ways to make matrices of it: as a whole, and with loops if they save time."""
        most = self.capabilities.batch_axes
        view = self.view(())
        if view:
            # With loops over all kept labels but the innermost, each product fits in the cache.
            outer = self.x.in_memory(self.kept)[:-1] if most is None and self.capabilities.views else ()
            looped = self.view(outer) if outer else None
            return [view, looped] if looped else [view]
        kept = self.x.in_memory(self.kept)
        return [self.copied(kept, True), self.copied(kept, False), *self._looped()]

    def _looped(self) -> list[Side]:
        """Return the views with loops over one run of labels; if there are none, those over two runs."""
        most = self.capabilities.batch_axes
        if most is not None and len(self.batch) >= most:
            return []
        runs = self.x.runs(self.kept)[:_LOOPED_RUNS]
        for count in (1, 2) if most is None or most > 1 else (1,):
            found = [self.view(_joined(some)) for some in combinations(runs, count)]
            if any(found):
                return [view for view in found if view is not None]
        return []

    def view(self, loops: tuple[int, ...]) -> Side | None:
        """Return the matrices that need no copy, with these loops; None if there are none."""
        x, contracted, looped = self.x, self.contracted, members(loops)
        rest = x.in_memory([label for label in self.kept if label not in looped])
        lead = (*self.batch, *loops)
        if not self.capabilities.views:
            for kept_first in (True, False):
                first, second = (rest, contracted) if kept_first else (contracted, rest)
                if x.labels == (*lead, *first, *second):
                    return Side(self, loops, rest, contracted, kept_first, False, kept_first, 0.0)
            return None
        if self.capabilities.batch_axes is not None and len(lead) > 1 and x.fused(lead) is None:
            return None
        outer, inner = x.fused(rest), x.fused(contracted)
        if outer is None or inner is None or (outer > 1 and inner > 1):
            return None  # BLAS takes only matrices in which one axis has stride 1
        if lead and inner > 1 and self.pair.size(rest) == 1:
            return None  # and in batches only vectors of stride 1
        return Side(self, loops, rest, contracted, True, False, inner == 1, 0.0)

    def copied(self, kept: tuple[int, ...], kept_first: bool) -> Side:
        """Return the matrices made by a copy, with the contracted axis last or first."""
        first, second = (kept, self.contracted) if kept_first else (self.contracted, kept)
        cost = _copy(self.pair, self.x.memory, (*self.batch, *first, *second), self.capabilities.costs)
        return Side(self, (), kept, self.contracted, kept_first, True, kept_first, cost)


def _copy(pair: Pair, before: Sequence[int], after: Sequence[int], costs: Costs) -> float:
    """Return the cost of copying from one order of labels in memory to another."""
    same = 0
    while same < len(before) and before[-1 - same] == after[-1 - same]:
        same += 1
    run = pair.volume(before[len(before) - same :])
    stride = pair.volume(before[before.index(after[-1]) + 1 :]) if after else 1.0
    return costs.copy(pair.volume(before), run, stride, pair.a.dtype)


def _products(
    pair: Pair,
    batch: tuple[int, ...],
    left: Side,
    right: Side,
    capabilities: Capabilities,
    dtype: str,
    exact: str | None,
) -> Iterator[MatrixProduct]:
    """Return the product of two sides, and the product of the swapped sides."""
    if capabilities.batch_axes is not None and left.loops and right.loops:
        return
    costs = capabilities.costs
    loops = len(left.loops), len(right.loops)
    products = pair.volume((*batch, *left.loops, *right.loops))
    m, n, k = pair.volume(left.kept), pair.volume(right.kept), pair.volume(left.contracted)
    moved = left.cost + right.cost
    if exact:
        elements = pair.volume(pair.a.labels) + pair.volume(pair.b.labels) + 2 * products * m * n
        moved += 2 * costs.call + elements * costs.elementwise * itemsize(exact) / 4
    splits = _splits(batch, left, right, capabilities)
    left_views, right_views = left.views(loops[1]), right.views(loops[0])
    for swapped, a, b, rows, columns, a_views, b_views in (
        (False, left, right, m, n, left_views, right_views),
        (True, right, left, n, m, right_views, left_views),
    ):
        views = splits + a_views[True] + b_views[False]
        cost = costs.matmul(products, rows, k, columns, dtype, (not a.turned, b.turned)) + moved
        cost += _calls_cost(views, costs)
        labels = (*batch, *a.loops, *b.loops, *a.kept, *b.kept)
        order = _order(pair, batch, a, b) if capabilities.into and pair.output != labels else None
        if order is not None:
            cost += products * m * n * itemsize(dtype) / 4 * costs.copied
        else:
            cost += result_cost(pair, labels, capabilities)
        yield MatrixProduct(swapped, batch, a, b, exact, order, cost, views)


def _splits(batch: tuple[int, ...], left: Side, right: Side, capabilities: Capabilities) -> bool:
    """Whether the product has axes that a reshape must split or drop."""
    if capabilities.batch_axes == 1 and len(batch) + len(left.loops) + len(right.loops) > 1:
        return True
    return left.splits(len(right.loops)) or right.splits(len(left.loops))


def _groups(batch: tuple[int, ...], left: Side, right: Side) -> list[tuple[int, ...]]:
    """Return the labels of each axis of a product whose batch axes are not fused."""
    return [*_single((*batch, *left.loops, *right.loops)), left.kept, right.kept]


def _order(pair: Pair, batch: tuple[int, ...], left: Side, right: Side) -> tuple[int, ...] | None:
    """Return the axes of a batched product in the order of the output; None if that splits fused axes."""
    if not pair.contiguous or pair.output is None or not (batch or left.loops or right.loops):
        return None
    groups = _groups(batch, left, right)
    place = {label: n for n, label in enumerate(pair.output)}
    order = sorted(range(len(groups)), key=lambda axis: place[groups[axis][0]] if groups[axis] else -1)
    in_order = _joined([groups[axis] for axis in order]) == pair.output
    return tuple(order) if in_order and order != sorted(order) else None


def _calls_cost(views: int, costs: Costs) -> float:
    """Return the cost of the calls of a product and of ``views`` transposes and reshapes."""
    return costs.call + costs.view * views


def result_cost(pair: Pair, labels: tuple[int, ...], capabilities: Capabilities) -> float:
    """Return the cost of bringing a result into the order of the output."""
    copied = pair.contiguous or not capabilities.views
    if pair.output is None or pair.output == labels:
        return 0.0
    copy = _copy(pair, labels, pair.output, capabilities.costs) if copied else 0.0
    return _result_call(pair, labels, capabilities) + copy


def _result_call(pair: Pair, labels: tuple[int, ...], capabilities: Capabilities) -> float:
    """Return the cost of the call alone that brings a result into the order of the output."""
    if pair.output is None or pair.output == labels:
        return 0.0
    return capabilities.costs.call if pair.contiguous or not capabilities.views else capabilities.costs.view
