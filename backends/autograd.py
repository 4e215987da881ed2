"""The adapter for HIPS autograd: the boxes around arrays that are being differentiated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.numpy.numpy_boxes import ArrayBox

from einsum_unified.backend import Adapter, Capabilities, Form
from einsum_unified.dtypes import promote


class AutogradAdapter(Adapter):
    """``autograd.numpy`` does the work."""

    name = "autograd"
    capabilities = Capabilities(
        arithmetic={"float16": "float32"},
        gaps={"out": "what is written into an array cannot be differentiated"},
    )

    def form(self, cls: type) -> Form | None:
        """Boxes of arrays, also of Python's numbers, which have no shape until they are made arrays."""
        return Form.ARRAY if issubclass(cls, ArrayBox) else None

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
        return str(np.result_type(dtype, *[cls() for cls in weak]).name)

    def asarray(self, x: Any, like: Any, dtype: Any) -> Any:
        """Leave arrays and boxes what they are: ``autograd.numpy`` takes both."""
        if isinstance(x, np.ndarray):
            return np.asarray(x, dtype)
        x = x if hasattr(x, "shape") else anp.array(x)
        return x if dtype is None or x.dtype == dtype else x.astype(dtype)

    def to_numpy(self, x: Any) -> Any:
        """Take arrays out of their boxes."""
        while isinstance(x, ArrayBox):
            x = x._value
        return np.asarray(x)

    def broadcast_to(self, x: Any, shape: tuple[Any, ...]) -> Any:
        """Repeat axes of size 1."""
        return anp.broadcast_to(x, shape)

    def cast(self, x: Any, dtype: Any) -> Any:
        """Convert."""
        return x.astype(dtype)

    def transpose(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Permute axes."""
        return anp.transpose(x, axes)

    def reshape(self, x: Any, shape: tuple[Any, ...]) -> Any:
        """Reshape."""
        return anp.reshape(x, shape)

    def sum(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Sum in the array's own dtype."""
        total = anp.sum(x, axis=axes)
        return total if total.dtype == x.dtype else total.astype(x.dtype)

    def matmul(self, a: Any, b: Any) -> Any:
        """Multiply batches of matrices."""
        return anp.matmul(a, b)

    def multiply(self, a: Any, b: Any) -> Any:
        """Multiply elementwise."""
        return anp.multiply(a, b)

    def native(self, *operands: Any, equation: str) -> Any:
        """Leave it to ``autograd.numpy.einsum``."""
        return anp.einsum(equation, *operands)


adapter = AutogradAdapter()
