"""The adapter for CuPy arrays."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import cupy
import numpy as np

from einsum_unified.adapter import About, Capabilities, Form, NumPyLikeAdapter, one_place
from einsum_unified.dtypes import STANDARD


class CuPyAdapter(NumPyLikeAdapter):
    """CuPy has NumPy's functions under NumPy's names."""

    name = "cupy"
    capabilities = Capabilities(
        arithmetic={"bool": "float32"},  # cuBLAS accumulates float16 in float32 by itself
        dtypes=STANDARD | {"float16"},
        out=True,
        views=True,
        devices=True,
        about=About(
            tested="nowhere yet: its tests need a GPU",
            wait=lambda x: cupy.cuda.get_current_stream().synchronize(),
        ),
    )

    def form(self, cls: type) -> Form | None:
        """Accept arrays, but not CuPy's sparse matrices."""
        return Form.TENSOR if issubclass(cls, cupy.ndarray) else None

    def asarray(self, x: Any, like: Any, dtype: Any) -> Any:
        """Copy an array to the device of ``like``."""
        with like.device if isinstance(like, cupy.ndarray) else cupy.cuda.Device():
            return cupy.asarray(np.asarray(x, dtype))

    def to_numpy(self, x: Any) -> Any:
        """Copy the array to the host."""
        return cupy.asnumpy(x)

    same_device: Any = staticmethod(one_place(attrgetter("device")))

    def diagonal(self, x: Any, axis1: int, axis2: int) -> Any:
        """Return a view."""
        return cupy.diagonal(x, 0, axis1, axis2)

    def contiguous(self, x: Any) -> Any:
        """Copy if necessary."""
        return cupy.ascontiguousarray(x)

    def copy_into(self, out: Any, x: Any) -> None:
        """Fill an array."""
        out[...] = x


adapter = CuPyAdapter(cupy)
