"""The cost of primitives on a framework, in nanoseconds: a model that ranks the lowerings of a pair.

The figures were fitted on one x86 core. Only their ratios matter: how many multiplications take as long as
copying one element, or as one call. `benchmarks/tccg.py` measures how good the ranking is.
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
    """Nanoseconds for a call, for an element of 4 bytes, or for a multiplication with its addition."""

    call: float = 500.0
    """A call of a primitive that computes."""
    view: float = 150.0
    """A call of a transpose or reshape that copies nothing."""
    copied: float = 0.15
    """Copying an element, if the innermost axis stays innermost."""
    run: float = 3.5
    """Starting each contiguous run of such a copy."""
    gathered: float = 0.9
    """Copying an element, if another axis becomes innermost: reads stride through memory."""
    paged: float = 2.0
    """The same, if each read is on another page of memory."""
    product: float = 35.0
    """Starting each matrix product of a batch."""
    multiplication: Mapping[str, float] = _FLOATS
    """Dtype → a multiplication in a matrix product."""
    scalar: float = 0.6
    """A multiplication in a matrix product of any other dtype: a plain loop."""
    small: int = 10**6
    """Products of up to this number of multiplications need no packing: BLAS has kernels for them."""
    packed: float = 0.1
    """Packing an element of the left matrix, if that has few columns: BLAS copies it into blocks first."""
    packed_right: float = 0.3
    """Packing an element of the right matrix, if that has few rows."""
    turned: float = 0.5
    """Extra cost of packing an element of the right matrix, if its contracted axis is the innermost."""
    turned_left: float = 0.0
    """Slowdown of a product, as a fraction, if the contracted axis of its left matrix is the outermost."""
    ragged: float = 1.0
    """Penalty for rows whose length is not a multiple of a 64-byte vector: multiplies the unused fraction."""
    spilled: float = 0.1
    """An element of a result that is too large for the cache: BLAS goes over it twice."""
    elementwise: float = 0.25
    """An element of an elementwise multiply and of the sum that follows it."""
    native: float | None = None
    """A call of the framework's own einsum with two operands; None if it is never used for a step."""
    native_factor: float = 1.0
    """The time of the framework's einsum without the call, relative to that of our primitives."""
    native_loops: Mapping[str, float] | None = None
    """Dtype → a multiplication in the framework's einsum, if that is a plain loop. It is not used for other
    dtypes. None if it uses matrix products as we do, for all dtypes."""
    native_run: float = 10.0
    """Starting the innermost of its loops."""
    integer: float = 0.01
    """A multiplication in a kernel for narrow integers (`Capabilities.integers`)."""
    integer_size: int = 16
    """Matrices with fewer rows or columns do not use that kernel."""

    def copy(self, elements: float, run: float, stride: float, dtype: str) -> float:
        """Return the cost of a copy whose contiguous runs have ``run`` elements each.

        ``stride`` is the stride, in elements of the source, of the copy's innermost axis.
        """
        bytes_ = itemsize(dtype)
        if run > 1:
            return elements * bytes_ / 4 * self.copied + elements / run * self.run
        return elements * (self.paged if stride * bytes_ >= _PAGE else self.gathered) * max(bytes_ / 4, 0.5)

    def matmul(
        self, products: float, m: float, k: float, n: float, dtype: str, turned: tuple[bool, bool]
    ) -> float:
        """Return the cost of ``products`` products of an m × k by a k × n matrix.

        The flags ``turned`` are True for a matrix whose rows and columns are exchanged in memory.
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
