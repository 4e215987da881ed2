"""Adapters for classes known only by NumPy's ``__array_function__`` protocol, such as quantities with units.

NumPy's own functions do the work, which hand it over to the class: what it knows of them is what it can do.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from einsum_unified.adapter import About, Backend, Capabilities, Form, NumPyLikeAdapter, numpy_dtypes


@lru_cache(maxsize=64)
def adapter_of(cls: type) -> Backend:
    """Return the adapter for a class, the same for all that come from one package."""
    return _of_package(cls.__module__.partition(".")[0])


@lru_cache(maxsize=64)
def _of_package(name: str) -> Backend:
    return ArrayFunctionAdapter(name)


class ArrayFunctionAdapter(NumPyLikeAdapter):
    """The adapter for classes of a package: objects with ``shape``, ``dtype`` and ``astype``."""

    capabilities = Capabilities(
        arithmetic=numpy_dtypes.NARROW,
        gaps={"out": "what is written into such an array is for its class to say"},
        about=About(tested="pint"),
    )

    def __init__(self, name: str) -> None:
        super().__init__(np)
        self.name = name

    def form(self, cls: type) -> Form | None:
        """Objects may wrap a plain number, which has no shape: `asarray` has to see them."""
        return Form.ARRAY if hasattr(cls, "__array_function__") else None

    def asarray(self, x: Any, like: Any, dtype: Any) -> Any:
        """Leave arrays what they are: the class says what a NumPy array is beside its own."""
        if type(x) is np.ndarray:
            return np.asarray(x, dtype)
        if not hasattr(x, "shape"):
            x = np.multiply(x, np.ones((), bool))  # now it wraps an array
        return x if dtype is None or x.dtype == dtype else x.astype(dtype)

    def matmul(self, a: Any, b: Any) -> Any:
        """Multiply batches of matrices, if their elements may be multiplied: see below."""
        self.multiply(a[..., :0, :0], b[..., :0, :0])
        return np.matmul(a, b)

    def multiply(self, a: Any, b: Any) -> Any:
        """Multiply by the operator: with pint it alone refuses degrees Celsius, that have no product."""
        return b * a if isinstance(a, np.ndarray) else a * b
