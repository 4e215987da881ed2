"""The adapter for MLX arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import prod
from typing import Any

import mlx.core as mx
import numpy as np

from einsum_unified.adapter import About, Adapter, Capabilities, Form, Term, letters, numpy_dtypes
from einsum_unified.dtypes import INTEGERS, name_of

_FLOATS = ("float16", "bfloat16", "float32", "float64", "complex64")
_ELEMENTS = 2**20
"""The number of elementwise products of integers made at a time. MLX may hold about ten such arrays."""


def _derivatives(function: Callable[..., Any], xs: Sequence[Any]) -> Sequence[Any]:
    found = mx.grad(function, list(range(len(xs))))(*xs)
    return found if isinstance(found, (list, tuple)) else [found]


class MLXAdapter(Adapter):
    """MLX has matrix products of floats only; integer ones are computed as elementwise products and sums."""

    name = "mlx"
    capabilities = Capabilities(
        # Kernels may accumulate float16 and bfloat16 in the same dtype.
        arithmetic={"bool": "float32", "float16": "float32", "bfloat16": "float32"},
        dtypes=frozenset(("bool", *INTEGERS, *_FLOATS)),
        gaps={"out": "arrays are immutable", "complex128": "MLX has complex64 only"},
        about=About(
            gradients="mx.grad, mx.vmap",
            compilers="mx.compile",
            tested="CPU on Linux; not Apple silicon",
            wait=mx.eval,
            differentiate=_derivatives,
        ),
    )

    def form(self, cls: type) -> Form | None:
        """Accept MLX arrays, which have a single class."""
        return Form.TENSOR if issubclass(cls, mx.array) else None

    def dtype_from_name(self, name: str) -> Any:
        """Return the attribute of ``mlx.core`` of that name, if it is a dtype."""
        dtype = getattr(mx, "bool_" if name == "bool" else name, None)
        return dtype if isinstance(dtype, mx.Dtype) else None

    def asarray(self, x: Any, like: Any, dtype: Any) -> Any:
        """Convert to an array; bfloat16, which NumPy lacks, by way of float32."""
        name = x.dtype.name if dtype is None else name_of(dtype)
        plain = numpy_dtypes.dtype_from_name(name) if name != "bfloat16" else np.dtype(np.float32)
        x = np.ascontiguousarray(x, plain).reshape(x.shape)  # NumPy casts, but makes 0-d arrays 1-d
        return mx.array(x, self.dtype_from_name(plain.name)).astype(self.dtype_from_name(name))

    def to_numpy(self, x: Any) -> Any:
        """Return a NumPy array; bfloat16 becomes float32."""
        return np.array(x.astype(mx.float32) if x.dtype == mx.bfloat16 else x)

    def broadcast_to(self, x: Any, shape: tuple[Any, ...]) -> Any:
        """Repeat axes of size 1."""
        return mx.broadcast_to(x, shape)

    def cast(self, x: Any, dtype: Any) -> Any:
        """Cast to another dtype."""
        return x.astype(dtype)

    def transpose(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Permute axes."""
        return mx.transpose(x, axes)

    def reshape(self, x: Any, shape: tuple[Any, ...]) -> Any:
        """Reshape in C order."""
        return mx.reshape(x, shape)

    def diagonal(self, x: Any, axis1: int, axis2: int) -> Any:
        """Take a diagonal."""
        return mx.diagonal(x, 0, axis1, axis2)

    def sum(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Sum in the array's own dtype; empty arrays apart, since MLX loops forever over some of them."""
        if not x.size:
            return mx.zeros([n for axis, n in enumerate(x.shape) if axis not in axes], x.dtype)
        return mx.sum(x, axes).astype(x.dtype)

    def matmul(self, a: Any, b: Any) -> Any:
        """Multiply batches of matrices."""
        if mx.issubdtype(a.dtype, mx.inexact):
            return mx.matmul(a, b)
        return _integer_product(a, b)

    def multiply(self, a: Any, b: Any) -> Any:
        """Multiply elementwise."""
        return mx.multiply(a, b)

    def native(self, terms: Sequence[Term], output: Term) -> Callable[..., Any]:
        """Return ``mlx.core.einsum`` for the equation."""
        return partial(mx.einsum, letters(terms, output))


def _integer_product(a: Any, b: Any) -> Any:
    """Multiply and sum elementwise, in parts of the contracted axis whose products fit in the cache."""
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    shape = (*lead, a.shape[-2], b.shape[-1])
    step = max(_ELEMENTS // max(prod(shape), 1), 1)
    total = mx.zeros(shape, a.dtype)
    for start in range(0, a.shape[-1], step):
        products = a[..., start : start + step, None] * b[..., None, start : start + step, :]
        total = total + mx.sum(products, -2).astype(a.dtype)
    return total


adapter = MLXAdapter()
