"""What primitives cost on a framework: a model in nanoseconds, to rank the lowerings of a pair.

The figures were fitted on one x86 core and stand for ratios, not for times: what counts is how many
multiplications a copied element is worth, and how many a call. `benchmarks/tccg.py` measures how well
the ranking does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from einsum_unified.dtypes import itemsize

_FLOATS = {"float32": 0.02, "float64": 0.04, "complex64": 0.08, "complex128": 0.16}
_CACHE = 2**19
_PAGE = 4096
_VECTOR = 64
_TURNED = 14.0


class Costs(NamedTuple):
    """Nanoseconds a call, an element of 4 bytes, or a multiplication with its addition."""

    call: float = 500.0
    """A primitive that computes."""
    view: float = 150.0
    """A transpose or reshape that moves nothing."""
    copied: float = 0.15
    """An element of a copy whose innermost axis stays the innermost."""
    run: float = 3.5
    """The start of each contiguous run of such a copy."""
    gathered: float = 0.9
    """An element of a copy whose innermost axis changes: reads stride through memory."""
    paged: float = 2.0
    """The same where each read is on another page."""
    product: float = 35.0
    """The start of each matrix product of a batch."""
    multiplication: Mapping[str, float] = _FLOATS
    """In a matrix product, by dtype."""
    scalar: float = 0.6
    """In a matrix product of a dtype that is not in `multiplication`: a plain loop."""
    small: int = 10**6
    """Products of up to so many multiplications need no packing: BLAS has kernels for them."""
    packed: float = 0.1
    """An element of the left matrix, which BLAS copies into blocks first, if it has few columns."""
    packed_right: float = 0.3
    """The same of the right matrix, if it has few rows."""
    turned: float = 0.5
    """What that costs more if the contracted axis is the innermost."""
    turned_left: float = 0.0
    """How much slower a product is whose left matrix has the contracted axis outermost."""
    ragged: float = 1.0
    """How much the rest counts by which the last vector of 64 bytes of each row is not full."""
    spilled: float = 0.1
    """An element of a product too large for the cache, which BLAS goes over twice."""
    elementwise: float = 0.25
    """An element of a multiply, or of the sum over it."""
    native: float | None = None
    """A call of the framework's own einsum of two operands; None if it is never used for a step."""
    native_factor: float = 1.0
    """How much slower it is than our way without the calls."""
    native_loops: Mapping[str, float] | None = None
    """A multiplication in it by dtype, where it loops; it is used for no others. None if it multiplies
    matrices as we do, for all dtypes."""
    native_run: float = 10.0
    """The start of the innermost of its loops."""
    integer: float = 0.01
    """A multiplication in a kernel for narrow integers (`Capabilities.integers`)."""
    integer_size: int = 16
    """Matrices with fewer rows or columns are not worth that kernel."""

    def copy(self, elements: float, run: float, stride: float, dtype: str) -> float:
        """Return the cost of a copy that keeps runs of so many elements together.

        ``stride`` is that of the copy's innermost axis in what is copied.
        """
        bytes_ = itemsize(dtype)
        if run > 1:
            return elements * bytes_ / 4 * self.copied + elements / run * self.run
        return elements * (self.paged if stride * bytes_ >= _PAGE else self.gathered) * max(bytes_ / 4, 0.5)

    def matmul(
        self, products: float, m: float, k: float, n: float, dtype: str, turned: tuple[bool, bool]
    ) -> float:
        """Return the cost of ``products`` products of an m × k by a k × n matrix.

        ``turned`` tells for each whether its rows and columns are exchanged in memory.
        """
        each = self.multiplication.get(dtype)
        if each is None:
            return products * (self.product + m * k * n * self.scalar)
        size = itemsize(dtype) / 4
        lanes = max(_VECTOR // itemsize(dtype), 1)
        vector = m <= 1 or n <= 1  # another kernel, which takes either order
        ragged = 1.0 if vector else -n % lanes / n
        if m <= 1 and n <= 1 < products:  # batches of rows times columns suit no kernel
            ragged = 4.0
        work = m * k * n * each * (1 + self.ragged * ragged) * (1 + self.turned_left * turned[0])
        turned_right = turned[1] and not vector
        if m * k * n <= self.small:
            return products * (self.product + work * (1 + turned_right * _TURNED / (m or 1)))
        left, right = self.packed * m / (m + k), self.packed_right * n / (n + k) + self.turned * turned_right
        work += size * k * (m * left + n * right)
        if m * n * size * 4 > _CACHE:
            work += size * m * n * self.spilled
        return products * (self.product + work)
