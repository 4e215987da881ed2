"""Adapters for classes known only by NumPy's ``__array_function__`` protocol, such as quantities with units.

The adapter calls NumPy's functions, and NumPy passes each call on to the class. So an einsum works if the
class supports these functions.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from einsum_unified.adapter import About, Backend, Capabilities, Form, NumPyLikeAdapter, numpy_dtypes


def adapter_of(cls: type) -> Backend:
    """Return the adapter for a class. All classes of a package have the same adapter."""
    return _of_package(cls.__module__.partition(".")[0])


@lru_cache(maxsize=64)
def _of_package(name: str) -> Backend:
    return ArrayFunctionAdapter(name)


class ArrayFunctionAdapter(NumPyLikeAdapter):
    """The adapter for classes of one package, whose objects have ``shape``, ``dtype`` and ``astype``."""

    capabilities = Capabilities(
        arithmetic=numpy_dtypes.NARROW,
        gaps={"out": "only the class knows how to write into its arrays"},
        about=About(tested="pint"),
    )

    def __init__(self, name: str) -> None:
        super().__init__(np)
        self.name = name

    def form(self, cls: type) -> Form | None:
        """Convert all objects by `asarray`: one may wrap a plain number, which has no shape."""
        return Form.ARRAY if hasattr(cls, "__array_function__") else None

    def asarray(self, x: Any, like: Any, dtype: Any) -> Any:
        """Keep NumPy arrays and the class's own as they are: the class decides how they combine."""
        if type(x) is np.ndarray:
            return np.asarray(x, dtype)
        if not hasattr(x, "shape"):
            x = np.multiply(x, np.ones((), bool))  # makes it wrap an array
        return x if dtype is None or x.dtype == dtype else x.astype(dtype)

    def matmul(self, a: Any, b: Any) -> Any:
        """Multiply batches of matrices; a product of empty ones raises if `multiply` refuses the elements."""
        self.multiply(a[..., :0, :0], b[..., :0, :0])
        return np.matmul(a, b)

    def multiply(self, a: Any, b: Any) -> Any:
        """Multiply with ``*``: only this operator refuses pint's degrees Celsius, which have no product."""
        return b * a if isinstance(a, np.ndarray) else a * b
