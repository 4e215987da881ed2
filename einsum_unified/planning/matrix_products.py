"""The ways to make a pair one matrix product.

The usual one is TTGT (transpose, transpose, GEMM, transpose): bring the operands to
``(*batch, left, contracted)`` and ``(*batch, contracted, right)``. An operand that does not lie so in memory
is copied, unless some of its kept labels are *looped*: made batch axes that the other operand broadcasts
against, so that what remains of it is a matrix where it lies (loops over GEMM; both are compared by
P. Springer and P. Bientinesi, "Design of a high-performance GEMM-like tensor-tensor multiplication", 2018).
Each choice has a cost by `Costs`; a pair has at most some dozens of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import prod
from typing import NamedTuple

from einsum_unified.adapter import Capabilities
from einsum_unified.adapter.costs import Costs
from einsum_unified.dtypes import integer_range, itemsize
from einsum_unified.language.sizes import is_known
from einsum_unified.planning.builder import Writer
from einsum_unified.planning.pair import Pair
from einsum_unified.planning.values import Value

_LOOPED_RUNS = 3
"""Up to so many runs of labels are tried as loops, one or two at a time: that bounds the candidates."""

# Greatest sums of products of integers that floats hold exactly: every partial sum is an integer below.
_EXACT = {"float32": 2**24, "float64": 2**53}
_UNBOUNDED = 2**38
"""No axis is longer whose size is not known: so many integers fit no memory."""


class Side(NamedTuple):
    """How one operand becomes matrices: its axes are batch, loops, and two fused: kept and contracted."""

    loops: tuple[int, ...]
    kept: tuple[int, ...]
    contracted: tuple[int, ...]
    kept_first: bool
    copied: bool
    turned: bool
    """Whether the contracted axis is the innermost in memory."""
    cost: float


class MatrixProduct(NamedTuple):
    """A matrix product of the operands, or of the operands the other way round."""

    swapped: bool
    batch: tuple[int, ...]
    left: Side
    right: Side
    dtype: str | None
    """Floats in which a product of integers is exact; None for the dtype of the operands."""
    order: tuple[int, ...] | None
    """Axes of the product in the order in which it is written; None if that is their own."""
    cost: float

    def write(self, pair: Pair, writer: Writer) -> Value:
        """Bring both operands to matrices, multiply, and give the axes of the product their labels."""
        a, b, turned = self.matrices(pair, writer)
        return self.labelled(writer.matmul(a, b, turned, self.dtype, self.order), pair, writer)

    def matrices(self, pair: Pair, writer: Writer) -> tuple[Value, Value, tuple[bool, bool]]:
        """Bring both operands to matrices; tell for each whether its rows and columns are exchanged."""
        x, y = (pair.b, pair.a) if self.swapped else (pair.a, pair.b)
        a, turned_a = self._matrices(pair, x, self.left, self.right, writer)
        b, turned_b = self._matrices(pair, y, self.right, self.left, writer)
        return a, b, (turned_a, turned_b)

    def labelled(self, product: Value, pair: Pair, writer: Writer) -> Value:
        """Give the axes of the product their labels."""
        groups = _groups(self.batch, self.left, self.right)
        labels = sum((groups[axis] for axis in self.order or range(len(groups))), ())
        return writer.reshape(product, labels, pair.shape(labels))

    def _matrices(self, pair: Pair, x: Value, side: Side, other: Side, writer: Writer) -> tuple[Value, bool]:
        is_left = side is self.left
        turns = writer.capabilities.turns
        # A view can be seen either way; a copy is made in the order that was chosen.
        kept_first = side.kept_first if side.copied or turns else is_left
        first, second = (side.kept, side.contracted) if kept_first else (side.contracted, side.kept)
        x = writer.transpose(x, (*self.batch, *side.loops, *first, *second))
        batched = self.batch or side.loops or other.loops
        if batched or side.kept or not _vectors(pair, writer.capabilities):
            shape = (*self._lead(pair, x, side, other, writer), pair.size(first), pair.size(second))
        else:
            shape = (pair.size(side.contracted),)
        x = writer.reshape(x, (-1,) * len(shape), shape)
        turned = kept_first != is_left and len(shape) > 1
        if turned and not turns:
            axes = tuple(range(len(shape)))
            return writer.permute(x, (*axes[:-2], axes[-1], axes[-2])), False
        return x, turned

    def _lead(self, pair: Pair, x: Value, side: Side, other: Side, writer: Writer) -> tuple[int, ...]:
        """Return the sizes of the batch axes, with 1 for the loops of the other operand."""
        own, others = pair.shape(side.loops), (1,) * len(other.loops)
        loops = (*own, *others) if side is self.left else (*others, *own)
        if not self.batch and not own:
            return ()
        lead = (*map(x.size, self.batch), *loops)
        return (prod(lead),) if writer.capabilities.batch_axes == 1 else lead


def matrix_products(
    pair: Pair, capabilities: Capabilities, dtype: str, exact: str | None
) -> Iterator[MatrixProduct]:
    """Return the products to choose from, computed in ``dtype``, which is ``exact`` if integers are cast."""
    orders = [x.in_memory(pair.contracted) for x in (pair.a, pair.b)]
    batches = [pair.larger.in_memory(pair.batch)]
    if pair.output is not None:
        batches.insert(0, tuple(label for label in pair.output if label in pair.batch))
    for batch in dict.fromkeys(batches):
        for contracted in dict.fromkeys(orders):
            lefts = _Sides(pair, pair.a, pair.left, batch, contracted, capabilities).all()
            rights = _Sides(pair, pair.b, pair.right, batch, contracted, capabilities).all()
            for left in lefts:
                for right in rights:
                    yield from _products(pair, batch, left, right, capabilities, dtype, exact)


class _Sides(NamedTuple):
    """An operand, and the orders of labels in which it is to become matrices."""

    pair: Pair
    x: Value
    kept: tuple[int, ...]
    batch: tuple[int, ...]
    contracted: tuple[int, ...]
    capabilities: Capabilities

    def all(self) -> list[Side]:
        """Return the ways to see it as matrices: as a whole, and with loops if these save time."""
        most = self.capabilities.batch_axes
        view = self.view(())
        if view:
            # Loops over all but the innermost label make products that BLAS multiplies in the cache.
            outer = self.x.in_memory(self.kept)[:-1] if most is None and self.capabilities.views else ()
            looped = self.view(outer) if outer else None
            return [view, looped] if looped else [view]
        copies = [self.copied(kept_first) for kept_first in (True, False)]
        if most is not None and len(self.batch) >= most:
            return copies
        runs = self.x.runs(self.kept)[:_LOOPED_RUNS]
        for count in (1, 2)[:most]:
            views = [self.view(sum(some, ())) for some in combinations(runs, count)]
            if any(views):
                return [*copies, *filter(None, views)]
        return copies

    def view(self, loops: tuple[int, ...]) -> Side | None:
        """Return how it is seen as matrices without a copy; None if it cannot be."""
        x, contracted = self.x, self.contracted
        rest = x.in_memory([label for label in self.kept if label not in loops])
        lead = (*self.batch, *loops)
        if not self.capabilities.views:
            for kept_first in (True, False):
                first, second = (rest, contracted) if kept_first else (contracted, rest)
                if x.labels == (*lead, *first, *second):
                    return Side(loops, rest, contracted, kept_first, False, kept_first, 0.0)
            return None
        if self.capabilities.batch_axes is not None and len(lead) > 1 and x.fused(lead) is None:
            return None
        outer, inner = x.fused(rest), x.fused(contracted)
        if outer is None or inner is None or (outer > 1 and inner > 1):
            return None  # BLAS takes matrices of which one axis has stride 1
        if lead and inner > 1 and self.pair.size(rest) == 1:
            return None  # and in batches vectors of stride 1 only
        return Side(loops, rest, contracted, True, False, inner == 1, 0.0)

    def copied(self, kept_first: bool) -> Side:
        """Return how it is copied: with the contracted axis last, or first."""
        x, rest = self.x, self.x.in_memory(self.kept)
        first, second = (rest, self.contracted) if kept_first else (self.contracted, rest)
        cost = _copy(self.pair, x.memory, (*self.batch, *first, *second), self.capabilities.costs)
        return Side((), rest, self.contracted, kept_first, True, kept_first, cost)


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
    """Return the product of two sides, and that of the operands the other way round."""
    if capabilities.batch_axes is not None and left.loops and right.loops:
        return
    costs = capabilities.costs
    products = pair.volume((*batch, *left.loops, *right.loops))
    m, n, k = pair.volume(left.kept), pair.volume(right.kept), pair.volume(left.contracted)
    moved = left.cost + right.cost + calls_cost(pair, batch, left, right, capabilities)
    if exact:
        elements = pair.volume(pair.a.labels) + pair.volume(pair.b.labels) + 2 * products * m * n
        moved += 2 * costs.call + elements * costs.elementwise * itemsize(exact) / 4
    for swapped in (False, True):
        a, b = (right, left) if swapped else (left, right)
        rows, columns = (n, m) if swapped else (m, n)
        cost = costs.matmul(products, rows, k, columns, dtype, (not a.turned, b.turned)) + moved
        groups = _groups(batch, a, b)
        order = _order(pair, groups) if capabilities.into else None
        if order is not None:
            cost += products * m * n * itemsize(dtype) / 4 * costs.copied
        else:
            cost += result_cost(pair, sum(groups, ()), capabilities)
        yield MatrixProduct(swapped, batch, a, b, exact, order, cost)


def _groups(batch: tuple[int, ...], left: Side, right: Side) -> list[tuple[int, ...]]:
    """Return the labels of each axis of a product."""
    single = [(label,) for label in (*batch, *left.loops, *right.loops)]
    return [*single, left.kept, right.kept]


def _order(pair: Pair, groups: list[tuple[int, ...]]) -> tuple[int, ...] | None:
    """Return the axes of a batched product in the order of the output, if that leaves fused axes whole."""
    if not pair.contiguous or pair.output is None or len(groups) < 3 or pair.output == sum(groups, ()):
        return None
    place = {label: n for n, label in enumerate(pair.output)}
    order = sorted(range(len(groups)), key=lambda axis: place[groups[axis][0]] if groups[axis] else -1)
    in_order = sum((groups[axis] for axis in order), ()) == pair.output
    return tuple(order) if in_order and order != sorted(order) else None


def calls_cost(
    pair: Pair, batch: tuple[int, ...], left: Side, right: Side, capabilities: Capabilities
) -> float:
    """Return the cost of the calls themselves, by a count of those that a program will have."""
    views = 0
    for x, side in ((pair.a, left), (pair.b, right)):
        first, second = (side.kept, side.contracted) if side.kept_first else (side.contracted, side.kept)
        views += x.labels != (*batch, *side.loops, *first, *second)
        single = len(side.contracted) == 1 and (len(side.kept) == 1 or (not side.kept and not batch))
        views += not single or (not side.kept and not _vectors(pair, capabilities))
    longest, shortest = max(len(left.kept), len(right.kept)), min(len(left.kept), len(right.kept))
    vectors = _vectors(pair, capabilities) and not (batch or left.loops or right.loops)
    views += longest > 1 or (shortest == 0 and not vectors)
    return capabilities.costs.call + capabilities.costs.view * views


def _vectors(pair: Pair, capabilities: Capabilities) -> bool:
    """Whether a vector is multiplied as it is: not with objects, where the product is no array any more."""
    return capabilities.vectors and pair.a.dtype != "object"


def result_cost(pair: Pair, labels: tuple[int, ...], capabilities: Capabilities) -> float:
    """Return the cost of bringing a result to the order it has to have."""
    if pair.output is None or pair.output == labels:
        return 0.0
    if capabilities.views and not pair.contiguous:
        return capabilities.costs.view
    return capabilities.costs.call + _copy(pair, labels, pair.output, capabilities.costs)


class IntegerProduct(NamedTuple):
    """A product of two matrices by a kernel for narrow integers."""

    product: MatrixProduct
    cost: float

    def write(self, pair: Pair, writer: Writer) -> Value:
        """Bring both operands to matrices and multiply them."""
        a, b, _ = self.product.matrices(pair, writer)
        return self.product.labelled(writer.integer_dot(a, b), pair, writer)


def integer_products(
    pair: Pair, capabilities: Capabilities, products: Sequence[MatrixProduct]
) -> Iterator[IntegerProduct]:
    """Return the products of two matrices that there is a kernel of narrow integers for.

    It is for matrices known to be large: some kernels read beyond those with one row.
    """
    if pair.a.dtype not in capabilities.integers or pair.b.dtype != pair.a.dtype:
        return
    if not all(map(is_known, pair.sizes.values())):
        return
    costs = capabilities.costs
    for x in products:
        m, n, k = pair.volume(x.left.kept), pair.volume(x.right.kept), pair.volume(x.left.contracted)
        if min(m, n, k) >= costs.integer_size and not (x.batch or x.left.loops or x.right.loops):
            saved = costs.matmul(1, m, k, n, pair.a.dtype, (False, False)) - m * k * n * costs.integer
            yield IntegerProduct(x, x.cost - saved + costs.call + m * n * costs.elementwise)


def exact_float(pair: Pair, capabilities: Capabilities) -> str | None:
    """Return the floats in which a product of narrow integers is exact, or None.

    The largest partial sum is that of ``k`` products of the largest value with itself: with int8,
    ``k * 2**14``, which float32 holds exactly up to ``k = 1024``. All sums below are integers that floats
    hold too, so no rounding happens in whatever order BLAS adds. Bools need no bound: a sum of numbers
    that are not negative is never rounded to 0.
    """
    dtype = pair.a.dtype
    if dtype not in capabilities.exact or pair.b.dtype != dtype:
        return None
    if dtype == "bool":
        return "float32"
    least, greatest = integer_range(dtype)
    summed = prod([size if is_known(size) else _UNBOUNDED for size in pair.shape(pair.contracted)])
    bound = summed * max(-least, greatest) ** 2
    return next((floats for floats, most in _EXACT.items() if bound <= most), None)
