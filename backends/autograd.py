"""The adapter for HIPS autograd: the boxes that it puts around arrays while it differentiates."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.numpy.numpy_boxes import ArrayBox

from einsum_unified.adapter import About, Capabilities, Form, NumPyLikeAdapter, numpy_dtypes


class AutogradAdapter(NumPyLikeAdapter):
    """Calls the functions of ``autograd.numpy``."""

    name = "autograd"
    capabilities = Capabilities(
        arithmetic=numpy_dtypes.NARROW,
        gaps={"out": "writing into an array cannot be differentiated"},
        about=About(gradients="grad, jacobian, hessian", tested="boxes inside and outside of grad"),
    )

    def form(self, cls: type) -> Form | None:
        """Accept boxes of arrays, and of Python numbers, which `asarray` converts to arrays."""
        return Form.ARRAY if issubclass(cls, ArrayBox) else None

    def asarray(self, x: Any, like: Any, dtype: Any) -> Any:
        """Keep arrays and boxes as they are: ``autograd.numpy`` takes both."""
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
        """Multiply by 1 if that casts: unlike ``astype`` it has all derivatives, also complex ones."""
        if x.shape == ():
            return _without_axes(self.cast(_with_an_axis(x), dtype))
        wider = np.can_cast(x.dtype, dtype)
        # An axis, since before NumPy 2 the dtype of an array without one does not count.
        return anp.multiply(x, np.ones(1, dtype)) if wider else x.astype(dtype)

    def sum(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Sum in the array's own dtype."""
        kept = tuple([size for axis, size in enumerate(x.shape) if axis not in axes])
        return self.cast(anp.reshape(anp.sum(x, axis=axes, keepdims=True), kept), x.dtype)

    def multiply(self, a: Any, b: Any) -> Any:
        """Multiply elementwise."""
        if a.shape == b.shape == ():
            return _without_axes(anp.multiply(_with_an_axis(a), b))
        return anp.multiply(a, b)


# An operation on 0-d arrays returns a NumPy scalar, and a box cannot hold an integer scalar. So 0-d arrays
# get an axis of size 1 for the operation.


def _with_an_axis(x: Any) -> Any:
    return anp.reshape(x, (1,))


def _without_axes(x: Any) -> Any:
    return anp.reshape(x, ())


adapter = AutogradAdapter(anp)
