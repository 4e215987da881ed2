"""Products of narrow integers: by a kernel for them, or exactly in a float dtype."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import NamedTuple

from einsum_unified.adapter import Capabilities
from einsum_unified.dtypes import integer_range
from einsum_unified.language.sizes import is_known
from einsum_unified.planning.builder import Builder
from einsum_unified.planning.labelled import Labelled
from einsum_unified.planning.matrix_products import MatrixProduct
from einsum_unified.planning.pair import Pair

# The greatest integers up to which floats hold all integers, and so every partial sum, exactly.
_EXACT = {"float32": 2**24, "float64": 2**53}
_UNBOUNDED = 2**38
"""The assumed greatest length of an axis of unknown size: more integers fit in no memory."""


class IntegerProduct(NamedTuple):
    """A product of two matrices by a kernel for narrow integers."""

    product: MatrixProduct
    cost: float

    def write(self, pair: Pair, builder: Builder) -> Labelled:
        """Make both operands matrices, and multiply them."""
        a, b, _ = self.product.matrices(pair, builder)
        return self.product.labelled(builder.integer_dot(a, b), pair, builder)


def integer_products(
    pair: Pair, capabilities: Capabilities, products: Sequence[MatrixProduct]
) -> Iterator[IntegerProduct]:
    """Return the products of two matrices that a kernel for narrow integers can compute.

    Only large matrices of known sizes use it: some kernels read out of bounds on matrices with one row.
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
    """Return the float dtype in which a product of narrow integers is exact, or None.

    The largest partial sum has ``k`` products of the largest value with itself: for int8 ``k * 2**14``, which
    float32 holds exactly up to ``k = 1024``. Floats hold every integer below exactly, so nothing is rounded,
    whatever the order in which BLAS adds. Bools need no bound: a sum of nonnegative numbers is never rounded
    to 0.
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
