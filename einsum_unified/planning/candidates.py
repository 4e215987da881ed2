"""Contract two values: the ways to multiply them and sum labels that are not needed later; the cheapest one.

If there are labels to contract, the ways are matrix products (`matrix_products`, `integer_products`), an
elementwise product with a sum, and the framework's own einsum. If there are none, it is an elementwise
product.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from einsum_unified.adapter import Capabilities
from einsum_unified.dtypes import itemsize
from einsum_unified.language.letters import LETTERS
from einsum_unified.planning.builder import Builder
from einsum_unified.planning.integer_products import exact_float, integer_products
from einsum_unified.planning.labelled import Labelled
from einsum_unified.planning.matrix_products import MatrixProduct, matrix_products, result_cost
from einsum_unified.planning.pair import Candidate, Choice, Pair, cheapest
from einsum_unified.program.primitives import SumProducts
from einsum_unified.program.values import members

_SUMMED = 2**22
"""The greatest number of elements of an elementwise product that is summed afterwards: it takes memory."""

_NATIVE_LABELS = 8
"""The greatest number of labels in a step for the framework's own einsum. Frameworks have various limits."""


def contract(
    a: Labelled,
    b: Labelled,
    kept: set[int],
    output: tuple[int, ...] | None,
    builder: Builder,
    choose: Choice = cheapest,
) -> Labelled:
    """Multiply two values and sum the labels that are not kept; ``output`` is given in the last step only."""
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
    """Contract the pair by the framework, which knows best how its tensors are stored."""
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
    """An elementwise product, then a sum: for batches of vectors, which suit no matrix product."""

    labels: tuple[int, ...]
    cost: float

    def write(self, pair: Pair, builder: Builder) -> Labelled:
        """Multiply in the order in which the operand with all labels lies in memory, and sum."""
        return builder.sum(_outer(pair, self.labels, builder), pair.contracted, SumProducts)


def _sums(pair: Pair, capabilities: Capabilities, dtype: str) -> Iterator[MultiplyAndSum]:
    """Return it only if the elementwise product is not larger than an operand."""
    for x, missing in ((pair.a, pair.right), (pair.b, pair.left)):
        if not missing and x.elements <= _SUMMED:
            labels = x.memory
            costs = capabilities.costs
            cost = 2 * costs.call + pair.volume(x.labels) * costs.elementwise * max(itemsize(dtype) / 4, 1)
            gone = members(pair.contracted)
            kept = tuple(label for label in labels if label not in gone)
            yield MultiplyAndSum(labels, cost + result_cost(pair, kept, capabilities))
            return


class NativeStep(NamedTuple):
    """The framework's own einsum of the two operands."""

    output: tuple[int, ...]
    cost: float

    def write(self, pair: Pair, builder: Builder) -> Labelled:
        """Append the instruction."""
        return builder.native(pair.a, pair.b, self.output)


def _natives(
    pair: Pair, capabilities: Capabilities, dtype: str, products: Sequence[MatrixProduct]
) -> Iterator[NativeStep]:
    costs = capabilities.costs
    if costs.native is None or len(pair.sizes) > _NATIVE_LABELS or pair.broadcasts:
        return
    output = (*pair.batch, *pair.left, *pair.right) if pair.output is None else pair.output
    if costs.native_loops is None:
        # It transposes and multiplies matrices as our primitives do, without loops, but in one call.
        usual = cheapest([x for x in products if not x.left.loops and not x.right.loops])
        work = usual.cost - usual.calls(pair, capabilities)
        yield NativeStep(output, costs.native + costs.native_factor * work)
    elif dtype in costs.native_loops:
        inner = pair.volume(pair.larger.memory[-1:])
        rate = costs.native_loops[dtype] + costs.native_run / (inner or 1.0)
        yield NativeStep(output, costs.native + pair.volume(pair.sizes) * rate)


# --- without a sum --------------------------------------------------------------------------------


def _outer(pair: Pair, labels: tuple[int, ...], builder: Builder) -> Labelled:
    """Multiply elementwise, with the axes of both in the order of ``labels``, and size 1 for missing ones."""
    a, b = pair.a, pair.b
    in_a, in_b = members(a.labels), members(b.labels)
    owners = [(label in in_a, label in in_b) for label in labels]
    most = builder.capabilities.broadcast_runs
    if most is not None and sum(1 for _ in groupby(owners)) > most:
        labels = tuple(sorted(labels, key=lambda label: (label not in in_a, label not in in_b)))
    return builder.multiply(_spread(a, labels, builder), _spread(b, labels, builder), labels)


def _spread(x: Labelled, labels: tuple[int, ...], builder: Builder) -> Labelled:
    """Bring axes into the order of ``labels``; after the first axis, labels that are missing get size 1."""
    own = members(x.labels)
    x = builder.transpose(x, [label for label in labels if label in own])
    size = dict(zip(x.labels, x.shape, strict=True))
    first = next((n for n, label in enumerate(labels) if label in size), len(labels))
    return builder.reshape(x, labels[first:], tuple([size.get(label, 1) for label in labels[first:]]))
