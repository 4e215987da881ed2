"""Array libraries beside the frameworks, as tests see them; apart from the adapters, like `frameworks`."""

from __future__ import annotations

from typing import Any

import numpy as np
from calls import Call, calls, check
from frameworks import Framework, numpy_dtype, widened
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from einsum_unified import einsum

_INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
STANDARD = ("bool", *_INTEGERS, "float32", "float64", "complex64", "complex128")


class Dask(Framework):
    """In chunks that do not line up."""

    name = "dask"
    dtypes = (*STANDARD, "float16", "bfloat16")

    def tensor(self, array, dtype=None):
        import dask.array as da

        array = np.asarray(array)
        array = array if dtype is None else array.astype(numpy_dtype(dtype))
        # The first axes of an operand start with a chunk of 1, so borders do not line up.
        chunks = [
            (1, size - 1) if size > 1 and not axis else (size,) for axis, size in enumerate(array.shape)
        ]
        return da.from_array(array, chunks=tuple(chunks))

    def numpy(self, x):
        return widened(np.asarray(x.compute(scheduler="sync")))

    def dtype(self, x):
        return x.dtype.name


class MLX(Framework):
    name = "mlx"
    dtypes = ("bool", *_INTEGERS, "float16", "bfloat16", "float32", "float64", "complex64")

    def tensor(self, array, dtype=None):
        import mlx.core as mx

        array = np.asarray(array)
        name = array.dtype.name if dtype is None else dtype
        made = mx.array(array.astype("float32" if name == "bfloat16" else name))
        return made.astype(getattr(mx, "bool_" if name == "bool" else name))

    def numpy(self, x):
        import mlx.core as mx

        return widened(np.array(x.astype(mx.float32) if x.dtype == mx.bfloat16 else x))

    def dtype(self, x):
        return str(x.dtype).removeprefix("mlx.core.")


class Sparse(Framework):
    name = "sparse"
    dtypes = (*STANDARD, "float16")

    def tensor(self, array, dtype=None):
        array = np.asarray(array)
        return self.module.COO.from_numpy(array if dtype is None else array.astype(dtype))

    def numpy(self, x):
        return widened(x.todense())

    def dtype(self, x):
        return x.dtype.name


class Autograd(Framework):
    """Boxes as they are made for a gradient."""

    name = "autograd"
    dtypes = ("float32", "float64", "complex64", "complex128", "float16")

    def tensor(self, array, dtype=None):
        from autograd.tracer import new_box

        array = np.asarray(array)
        return new_box(array if dtype is None else array.astype(dtype), 0, _Root())

    def numpy(self, x):
        return widened(np.asarray(x._value))

    def dtype(self, x):
        return x.dtype.name


class _Root:
    def __init__(self, *args: Any) -> None: ...

    @classmethod
    def new_root(cls, *args: Any) -> _Root:
        return cls()


class Strict(Framework):
    name = "array_api_strict"
    dtypes = STANDARD

    def tensor(self, array, dtype=None):
        array = np.asarray(array)
        return self.module.asarray(array if dtype is None else array.astype(dtype))

    def numpy(self, x):
        return widened(np.asarray(x))

    def dtype(self, x):
        return str(x.dtype).rpartition(".")[2]


class Ndonnx(Framework):
    name = "ndonnx"
    # ndonnx 0.23 adds up uint64 in float64: ndonnx.sum of 2**64 - 1 alone is 0.
    dtypes = (*[dtype for dtype in STANDARD[:-2] if dtype != "uint64"], "float16")

    def tensor(self, array, dtype=None):
        array = np.asarray(array)
        return self.module.asarray(array if dtype is None else array.astype(dtype))

    def numpy(self, x):
        return widened(x.unwrap_numpy())

    def dtype(self, x):
        return str(x.dtype)


class Pint(Framework):
    name = "pint"
    dtypes = (*STANDARD, "float16")

    def __init__(self) -> None:
        super().__init__()
        self.registry = self.module.UnitRegistry()

    def tensor(self, array, dtype=None):
        array = np.asarray(array)
        return self.registry.Quantity(array if dtype is None else array.astype(dtype), "metre")

    def numpy(self, x):
        return widened(np.asarray(x.magnitude))

    def dtype(self, x):
        return x.dtype.name


def agree_on_random_calls(library: Framework, examples: int) -> None:
    """Compare random calls, of operands of one dtype, with the sum over all labels."""

    # The same calls in each run: an error that a new call finds in a library is not due to a change here.
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(call=calls(most=4), dtype=st.sampled_from(library.dtypes))
    def compare(call: Call, dtype: str) -> None:
        call.dtypes = [dtype] * len(call.arrays)
        if dtype == "float16":  # 255, which is -1 in uint8, would be too much
            call.arrays = [np.clip(array, -2, 2) for array in call.arrays]
        tensors = [library.tensor(array, dtype) for array in call.arrays]
        result = einsum(*call.arguments(tensors))
        assert library.dtype(result) == dtype
        check(library, call, result, dtype)

    compare()
