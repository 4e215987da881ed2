"""The frameworks as tests see them: how to make a tensor, read one back, and each one's own dtypes.

Deliberately apart from the adapters: what tests trust must not be what they test.
"""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import Any

import ml_dtypes
import numpy as np

from einsum_unified.adapter import dispatch


class Framework:
    name: str
    #: Every numeric dtype that this framework can hold and compute with or convert, by name.
    dtypes: tuple[str, ...]

    def __init__(self) -> None:
        self.module: Any = importlib.import_module(self.name)

    def __repr__(self) -> str:
        return self.name

    def tensor(self, array: Any, dtype: str | None = None) -> Any:
        raise NotImplementedError

    def numpy(self, x: Any) -> np.ndarray:
        """Values as float64, complex128, int64, uint64 or bool."""
        raise NotImplementedError

    def dtype(self, x: Any) -> str:
        raise NotImplementedError


_COMMON = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16",
           "bfloat16", "float32", "float64", "complex64", "complex128", "float8_e4m3fn",
           "float8_e5m2")  # fmt: skip


class NumPy(Framework):
    name = "numpy"
    dtypes = (*_COMMON, "int4", "uint4", "float8_e4m3fnuz", "float8_e4m3b11fnuz", "longdouble", "clongdouble")

    def tensor(self, array, dtype=None):
        array = np.asarray(array)
        return array if dtype is None else array.astype(numpy_dtype(dtype))

    def numpy(self, x):
        return widened(np.asarray(x))

    def dtype(self, x):
        return {"float128": "longdouble", "complex256": "clongdouble"}.get(x.dtype.name, x.dtype.name)


class Torch(Framework):
    name = "torch"
    dtypes = (*_COMMON, "complex32", "float8_e4m3fnuz", "float8_e5m2fnuz")

    def tensor(self, array, dtype=None):
        array = np.asarray(array)
        tensor = self.module.tensor(array.tolist(), dtype=getattr(self.module, array.dtype.name)).reshape(
            array.shape
        )
        return tensor if dtype is None else tensor.to(getattr(self.module, dtype))

    def numpy(self, x):
        x = x.detach().resolve_conj()
        if x.dtype.is_complex:
            return x.to(self.module.complex128).numpy()
        return (x.to(self.module.float64) if x.dtype.is_floating_point else x).numpy()

    def dtype(self, x):
        return str(x.dtype).removeprefix("torch.")


class TensorFlow(Framework):
    name = "tensorflow"
    dtypes = (*_COMMON, "int4", "uint4")

    def tensor(self, array, dtype=None):
        array = np.asarray(array)
        if dtype is None:
            return self.module.constant(array)
        if dtype in ("int4", "uint4"):
            return self.module.constant(array.astype(numpy_dtype(dtype)))
        return self.module.cast(self.module.constant(array), dtype)

    def numpy(self, x):
        return widened(x.numpy())

    def dtype(self, x):
        return x.dtype.name


FRAMEWORKS = (NumPy, Torch, TensorFlow)


KNOWN = ", ".join(sorted(name for name in dispatch.FRAMEWORKS if find_spec(name)))
"""The libraries that messages name here: those that are installed."""


def numpy_dtype(name: str) -> np.dtype:
    return np.dtype(getattr(ml_dtypes, name, name))


def widened(array: np.ndarray) -> np.ndarray:
    """The same values in the widest dtype of their kind."""
    name = array.dtype.name
    if name in ("bool", "int64", "uint64", "object"):
        return array
    if "complex" in name:
        return array.astype(np.complex128)
    return array.astype(np.float64 if "float" in name else np.int64)


def rule(promote: Any, *dtypes: Any) -> Any:
    """What a framework's own table says of dtypes; None where it says that it has no rule."""
    try:
        return promote(*dtypes)
    except (TypeError, RuntimeError):  # NumPy's and torch's way of saying so
        return None
