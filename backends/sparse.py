"""The adapter for pydata/sparse arrays: the result is sparse, too."""

from __future__ import annotations

from typing import Any

import numpy as np
import sparse

from einsum_unified.backend import About, ArrayAPIAdapter, Capabilities, Form
from einsum_unified.backend.array_api import STANDARD


class SparseAdapter(ArrayAPIAdapter):
    """It nearly follows the array API standard."""

    capabilities = Capabilities(
        arithmetic={"bool": "float32", "float16": "float32"},
        dtypes=STANDARD | {"float16"},
        gaps={"out": "arrays are immutable"},
        about=About(tested="COO, GCXS, DOK with the Numba backend"),
    )

    def form(self, cls: type) -> Form | None:
        """COO and GCXS compute; other formats (DOK) are for building, and are made COO."""
        if issubclass(cls, (sparse.COO, sparse.GCXS)):
            return Form.TENSOR
        return Form.ARRAY if issubclass(cls, sparse.SparseArray) else None

    def hint(self, x: Any) -> tuple[str, str] | None:
        """Products are of arrays whose missing elements are 0."""
        fill = getattr(x, "fill_value", 0)
        return None if fill == 0 else (f"{fill}-filled", "x.todense()")

    def asarray(self, x: Any, like: Any, dtype: Any) -> Any:
        """Store what is not 0."""
        if isinstance(x, np.ndarray):
            return sparse.COO.from_numpy(np.asarray(x, dtype))
        return x.asformat("coo").astype(x.dtype if dtype is None else dtype)

    def to_numpy(self, x: Any) -> Any:
        """Store the zeros, too."""
        return np.asarray(x.todense())

    def same_device(self, *xs: Any) -> None:
        """There is one device."""

    def cast(self, x: Any, dtype: Any) -> Any:
        """Convert."""
        return x.astype(dtype)

    def diagonal(self, x: Any, axis1: int, axis2: int) -> Any:
        """Take a diagonal."""
        return sparse.diagonal(x, 0, axis1, axis2)

    def matmul(self, a: Any, b: Any) -> Any:
        """Multiply batches of matrices, also an empty one."""
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        if 0 in batch:
            return sparse.zeros((*batch, a.shape[-2], b.shape[-1]), dtype=a.dtype)
        return sparse.matmul(a, b)

    def native(self, *operands: Any, equation: str) -> Any:
        """Leave it to ``sparse.einsum``."""
        return sparse.einsum(equation, *operands)


adapter = SparseAdapter(sparse)
