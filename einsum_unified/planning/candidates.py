"""Multiply two values and sum what is needed no more: the ways to do it, and the cheapest of them.

With labels to contract it is a matrix product (`matrix_products`), or an elementwise product and a sum, or
the framework's own einsum; without, an elementwise product.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from einsum_unified.adapter import Capabilities
from einsum_unified.dtypes import itemsize
from einsum_unified.language.letters import LETTERS
from einsum_unified.planning.builder import Builder
from einsum_unified.planning.matrix_products import (
    MatrixProduct,
    exact_float,
    integer_products,
    matrix_products,
    result_cost,
)
from einsum_unified.planning.pair import Candidate, Choice, Pair, cheapest
from einsum_unified.planning.values import Labelled
from einsum_unified.program.primitives import SumProducts

_SUMMED = 2**22
"""Up to so many elements an elementwise product may be made only to be summed: it takes memory."""

_NATIVE_LABELS = 8
"""Up to so many labels a step may go to the framework's own einsum, whose limits differ."""


def contract(
    a: Labelled,
    b: Labelled,
    kept: set[int],
    output: tuple[int, ...] | None,
    builder: Builder,
    choose: Choice = cheapest,
) -> Labelled:
    """Multiply two values and sum what is not kept; ``output`` is given at the last step."""
    pair = Pair.of(a, b, kept, output)
    if builder.capabilities.pairs and len(pair.sizes) <= LETTERS:
        return _whole(pair, builder)
    if not pair.contracted:
        return _outer(pair, pair.output or (*a.labels, *pair.right), builder)
    value = choose(candidates(pair, builder.capabilities)).write(pair, builder)
    if pair.contiguous and output is not None:
        value = builder.contiguous(builder.transpose(value, output))
    return value


def _whole(pair: Pair, builder: Builder) -> Labelled:
    """Leave it to the framework, that knows best how to go about its tensors."""
    labels = pair.output or (*pair.batch, *pair.left, *pair.right)
    return builder.native(pair.a, pair.b, labels)


def candidates(pair: Pair, capabilities: Capabilities) -> list[Candidate]:
    """Return the ways to multiply a pair that has labels to contract."""
    arithmetic = capabilities.arithmetic.get(pair.a.dtype, pair.a.dtype)
    products = list(matrix_products(pair, capabilities, arithmetic, None))
    found: list[Candidate] = [*products, *_sums(pair, capabilities, arithmetic)]
    found += _natives(pair, capabilities, arithmetic, products)
    exact = exact_float(pair, capabilities)
    if exact is not None:
        found += matrix_products(pair, capabilities, exact, exact)
    return [*found, *integer_products(pair, capabilities, products)]


# --- other ways -----------------------------------------------------------------------------------


class MultiplyAndSum(NamedTuple):
    """An elementwise product, then a sum: for rows times rows, where a matrix product is a vector product."""

    labels: tuple[int, ...]
    cost: float

    def write(self, pair: Pair, builder: Builder) -> Labelled:
        """Multiply in the order of memory, and sum."""
        return builder.sum(_outer(pair, self.labels, builder), pair.contracted, SumProducts)


def _sums(pair: Pair, capabilities: Capabilities, dtype: str) -> Iterator[MultiplyAndSum]:
    """Offer it only where the product is no larger than an operand."""
    for x, missing in ((pair.a, pair.right), (pair.b, pair.left)):
        if not missing and x.elements <= _SUMMED:
            labels = x.memory
            costs = capabilities.costs
            cost = 2 * costs.call + pair.volume(x.labels) * costs.elementwise * max(itemsize(dtype) / 4, 1)
            kept = tuple(label for label in labels if label not in pair.contracted)
            yield MultiplyAndSum(labels, cost + result_cost(pair, kept, capabilities))
            return


class NativeStep(NamedTuple):
    """The framework's own einsum of the two operands."""

    output: tuple[int, ...]
    cost: float

    def write(self, pair: Pair, builder: Builder) -> Labelled:
        """Leave it to that."""
        return builder.native(pair.a, pair.b, self.output)


def _natives(
    pair: Pair, capabilities: Capabilities, dtype: str, products: Sequence[MatrixProduct]
) -> Iterator[NativeStep]:
    costs = capabilities.costs
    if costs.native is None or len(pair.sizes) > _NATIVE_LABELS or pair.broadcasts:
        return
    output = (*pair.batch, *pair.left, *pair.right) if pair.output is None else pair.output
    if costs.native_loops is None:
        # It transposes and multiplies matrices as we do, without loops, in one call.
        usual = cheapest([x for x in products if not x.left.loops and not x.right.loops])
        work = usual.cost - usual.calls(pair, capabilities)
        yield NativeStep(output, costs.native + costs.native_factor * work)
    elif dtype in costs.native_loops:
        inner = pair.volume(pair.larger.memory[-1:])
        rate = costs.native_loops[dtype] + costs.native_run / (inner or 1.0)
        yield NativeStep(output, costs.native + pair.volume(pair.sizes) * rate)


# --- without a sum --------------------------------------------------------------------------------


def _outer(pair: Pair, labels: tuple[int, ...], builder: Builder) -> Labelled:
    """Multiply elementwise, both brought to an order of labels with 1 for the axes that they lack."""
    a, b = pair.a, pair.b
    owners = [(label in a.labels, label in b.labels) for label in labels]
    most = builder.capabilities.broadcast_runs
    if most is not None and sum(1 for _ in groupby(owners)) > most:
        labels = tuple(sorted(labels, key=lambda label: (label not in a.labels, label not in b.labels)))
    return builder.multiply(_spread(a, labels, builder), _spread(b, labels, builder), labels)


def _spread(x: Labelled, labels: tuple[int, ...], builder: Builder) -> Labelled:
    """Bring an operand's axes to the order of ``labels``, with 1 for those it lacks behind its first."""
    x = builder.transpose(x, [label for label in labels if label in x.labels])
    size = dict(zip(x.labels, x.shape, strict=True))
    first = next((n for n, label in enumerate(labels) if label in size), len(labels))
    return builder.reshape(x, labels[first:], tuple([size.get(label, 1) for label in labels[first:]]))
