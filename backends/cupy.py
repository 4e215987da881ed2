"""The adapter for CuPy arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cupy
import numpy as np

from einsum_unified.backend import ArrayAPIAdapter, Capabilities, Form
from einsum_unified.backend.array_api import STANDARD
from einsum_unified.dtypes import promote


class CuPyAdapter(ArrayAPIAdapter):
    """CuPy has NumPy's functions, and those of the array API standard under their own names or NumPy's."""

    capabilities = Capabilities(
        arithmetic={"bool": "float32"},  # cuBLAS adds up float16 in float32 by itself
        dtypes=STANDARD | {"float16"},
        out=True,
        views=True,
        devices=True,
    )

    def form(self, cls: type) -> Form | None:
        """Arrays; CuPy's sparse matrices are none."""
        return Form.TENSOR if issubclass(cls, cupy.ndarray) else None

    def dtype_from_name(self, name: str) -> Any:
        """Find NumPy's dtypes."""
        return np.dtype(name) if name in (self.capabilities.dtypes or ()) else None

    def result_type(self, names: Sequence[str], weak: Sequence[type]) -> str:
        """Promote as NumPy does, and where it has no rule, on the shared lattice."""
        try:
            dtype = np.result_type(*names)
        except TypeError:
            dtype = np.dtype(promote(*names))
        return str(np.result_type(dtype, *[cls() for cls in weak]).name)

    def asarray(self, x: Any, like: Any, dtype: Any) -> Any:
        """Copy an array to the device of ``like``."""
        with cupy.cuda.Device(like.device.id) if isinstance(like, cupy.ndarray) else cupy.cuda.Device():
            return cupy.asarray(np.asarray(x, dtype))

    def to_numpy(self, x: Any) -> Any:
        """Copy it to the host."""
        return cupy.asnumpy(x)

    def cast(self, x: Any, dtype: Any) -> Any:
        """Convert."""
        return x.astype(dtype)

    def transpose(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Return a view."""
        return cupy.transpose(x, axes)

    def diagonal(self, x: Any, axis1: int, axis2: int) -> Any:
        """Return a view."""
        return cupy.diagonal(x, 0, axis1, axis2)

    def contiguous(self, x: Any) -> Any:
        """Copy if need be."""
        return cupy.ascontiguousarray(x)

    def native(self, *operands: Any, equation: str) -> Any:
        """Leave it to ``cupy.einsum``."""
        return cupy.einsum(equation, *operands)

    def copy_into(self, out: Any, x: Any) -> None:
        """Fill an array."""
        out[...] = x


adapter = CuPyAdapter(cupy)
