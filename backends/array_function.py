"""Adapters for classes known only by NumPy's ``__array_function__`` protocol, such as quantities with units.

NumPy's own functions do the work, which hand it over to the class: what it knows of them is what it can do.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from einsum_unified.backend import Adapter, Backend, Capabilities, Form
from einsum_unified.dtypes import promote


@lru_cache(maxsize=64)
def adapter_of(cls: type) -> Backend:
    """Return the adapter for a class, the same for all that come from one package."""
    return _of_package(cls.__module__.partition(".")[0])


@lru_cache(maxsize=64)
def _of_package(name: str) -> Backend:
    return ArrayFunctionAdapter(name)


class ArrayFunctionAdapter(Adapter):
    """The adapter for classes of a package."""

    capabilities = Capabilities(
        arithmetic={"float16": "float32"},
        gaps={"out": "what is written into such an array is for its class to say"},
    )

    def __init__(self, name: str) -> None:
        self.name = name

    def form(self, cls: type) -> Form | None:
        """Objects are handed to NumPy's functions as they are."""
        return Form.TENSOR if hasattr(cls, "__array_function__") else None

    def dtype_from_name(self, name: str) -> Any:
        """Find NumPy's dtypes."""
        try:
            return np.dtype(name)
        except TypeError:
            return None

    def result_type(self, names: Sequence[str], weak: Sequence[type]) -> str:
        """Promote as NumPy does, and where it has no rule, on the shared lattice."""
        try:
            dtype = np.result_type(*names)
        except TypeError:
            dtype = np.dtype(promote(*names))
        for cls in weak:
            dtype = np.result_type(dtype, cls())
        return str(dtype.name)

    def asarray(self, x: Any, like: Any, dtype: Any) -> Any:
        """Leave it a NumPy array: the class says what that is beside its own."""
        return np.asarray(x, dtype)

    def broadcast_to(self, x: Any, shape: tuple[Any, ...]) -> Any:
        """Repeat axes of size 1."""
        return np.broadcast_to(x, shape)

    def cast(self, x: Any, dtype: Any) -> Any:
        """Convert."""
        return x.astype(dtype)

    def transpose(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Permute axes."""
        return np.transpose(x, axes)

    def reshape(self, x: Any, shape: tuple[Any, ...]) -> Any:
        """Reshape."""
        return np.reshape(x, shape)

    def sum(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Sum in the array's own dtype."""
        total = np.sum(x, axis=axes)
        return total if total.dtype == x.dtype else total.astype(x.dtype)

    def matmul(self, a: Any, b: Any) -> Any:
        """Multiply batches of matrices."""
        return np.matmul(a, b)

    def multiply(self, a: Any, b: Any) -> Any:
        """Multiply elementwise."""
        return np.multiply(a, b)

    def native(self, *operands: Any, equation: str) -> Any:
        """Leave it to ``numpy.einsum``."""
        return np.einsum(equation, *operands)
