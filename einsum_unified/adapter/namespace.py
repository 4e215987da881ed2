"""`NamespaceAdapter`: the functions that have the same names in NumPy and in the array API standard."""

from __future__ import annotations

from typing import Any

from einsum_unified.adapter.base import Adapter


class NamespaceAdapter(Adapter):
    """The part of an adapter that is the same for every namespace of array functions."""

    namespace: Any
    """The module or object that has the functions."""

    def broadcast_to(self, x: Any, shape: tuple[Any, ...]) -> Any:
        """Repeat axes of size 1."""
        return self.namespace.broadcast_to(x, shape)

    def reshape(self, x: Any, shape: tuple[Any, ...]) -> Any:
        """Reshape in C order."""
        return self.namespace.reshape(x, shape)

    def sum(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Sum in the array's own dtype, which the function would widen; for bool this is any-of."""
        return self.namespace.sum(x, axis=axes, dtype=x.dtype)

    def matmul(self, a: Any, b: Any) -> Any:
        """Multiply batches of matrices."""
        return self.namespace.matmul(a, b)

    def multiply(self, a: Any, b: Any) -> Any:
        """Multiply elementwise."""
        return self.namespace.multiply(a, b)
