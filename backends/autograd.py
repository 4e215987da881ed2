"""The adapter for HIPS autograd: the boxes around arrays that are being differentiated."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.numpy.numpy_boxes import ArrayBox

from einsum_unified.backend import Capabilities, Form, NumPyLikeAdapter


class AutogradAdapter(NumPyLikeAdapter):
    """``autograd.numpy`` does the work."""

    name = "autograd"
    capabilities = Capabilities(
        arithmetic={"float16": "float32"},
        gaps={"out": "what is written into an array cannot be differentiated"},
    )

    def form(self, cls: type) -> Form | None:
        """Boxes of arrays, also of Python's numbers, which are made arrays."""
        return Form.ARRAY if issubclass(cls, ArrayBox) else None

    def asarray(self, x: Any, like: Any, dtype: Any) -> Any:
        """Leave arrays and boxes what they are: ``autograd.numpy`` takes both."""
        if isinstance(x, np.ndarray):
            return np.asarray(x, dtype)
        if not anp.ndim(x):
            x = anp.array(x)
        return x if dtype is None or x.dtype == dtype else self.cast(x, dtype)

    def to_numpy(self, x: Any) -> Any:
        """Take arrays out of their boxes."""
        while isinstance(x, ArrayBox):
            x = x._value
        return np.asarray(x)

    def cast(self, x: Any, dtype: Any) -> Any:
        """Multiply by 1 where that converts: unlike ``astype``, it has all derivatives, complex ones too."""
        wider = np.result_type(x.dtype, dtype) == dtype
        return anp.multiply(x, np.ones((), dtype)) if wider else x.astype(dtype)


adapter = AutogradAdapter(anp)
