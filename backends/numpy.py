"""The adapter for NumPy arrays, ml_dtypes' dtypes included."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from einsum_unified.adapter import ADAPTER_API, About, Backend, Capabilities, Form, numpy_dtypes
from einsum_unified.adapter.costs import Costs
from einsum_unified.errors import OperandError

adapter_api = ADAPTER_API
name = "numpy"
capabilities = Capabilities(
    arithmetic=numpy_dtypes.NARROW,  # float16 has no BLAS, and adds up in float16 but along the last axis
    out=True,
    views=True,
    scalars=True,
    vectors=True,
    into=True,
    exact=frozenset({"bool", "int8", "uint8", "int16", "uint16"}),
    about=About(symbolic_sizes="plans for any batch", tested="CPU; Python 3.11"),
    costs=Costs(
        call=600,
        view=130,
        elementwise=0.4,
        native=1700,
        native_loops={
            **dict.fromkeys(("int8", "uint8", "int16", "uint16"), 0.1),
            **dict.fromkeys(("int32", "uint32"), 0.13),
            **dict.fromkeys(("int64", "uint64"), 0.4),
            "float32": 0.2,
            "float64": 0.25,
            "complex64": 0.6,
            "complex128": 0.8,
        },
    ),
)

_reduce = np.add.reduce
_SMALL = 256
"""Up to so many elements of both operands a copy for BLAS costs more than it saves."""


def configured(options: Mapping[str, Any]) -> Backend:
    """There are no further keywords."""
    return sys.modules[__name__]


def form(cls: type) -> Form | None:
    """Arrays are handed on as they are; subclasses were made plain arrays before."""
    return Form.TENSOR if cls is np.ndarray else None


dtype_from_name = numpy_dtypes.dtype_from_name
result_type = numpy_dtypes.result_type


def hint(x: Any) -> tuple[str, str] | None:
    """All arrays are dense."""
    return None


def asarray(x: Any, like: Any, dtype: Any) -> Any:
    """Make an array; a Python int too large for the dtype is an OverflowError of NumPy's."""
    return np.asarray(x, dtype)


def to_numpy(x: Any) -> Any:
    """Return it as it is."""
    return np.asarray(x)


def same_device(*xs: Any) -> None:
    """There is one device."""


def static_size(size: Any) -> Any:
    """All sizes are known."""
    return int(size)


def same_size(m: Any, n: Any) -> bool:
    """Compare two numbers."""
    return bool(m == n)


def size(x: Any, axis: int) -> Any:
    """Read it from the shape."""
    return x.shape[axis]


def broadcast_to(x: Any, shape: tuple[Any, ...]) -> Any:
    """Return a view."""
    return np.broadcast_to(x, shape)


def cast(x: Any, dtype: Any) -> Any:
    """Convert; integers wrap around, floats too large become inf without a warning."""
    if dtype.itemsize >= x.dtype.itemsize:
        return x.astype(dtype)
    with np.errstate(over="ignore"):
        return x.astype(dtype)


transpose = np.ndarray.transpose  # a view
reshape = np.ndarray.reshape  # a view where the strides allow it


def diagonal(x: Any, axis1: int, axis2: int) -> Any:
    """Return a view that is writeable if the array is; ``numpy.diagonal`` gives a read-only one."""
    view = x.diagonal(0, axis1, axis2)
    if x.flags.writeable:
        view.setflags(True)
    return view


def sum(x: Any, axes: tuple[int, ...]) -> Any:  # noqa: A001 - the protocol's name
    """Sum in the array's own dtype, for bool any-of; in C order."""
    dtype = x.dtype
    total = _reduce(x, axes, dtype if dtype.isnative else dtype.newbyteorder("="))
    if type(total) is not np.ndarray:
        return _boxed(total)
    return total if total.ndim < 2 else np.ascontiguousarray(total)


def _boxed(x: Any) -> Any:
    """Return a Python object, which NumPy makes of a 0-d object array, as such an array again."""
    return x if isinstance(x, (np.generic, np.ndarray)) else np.array(x, object)


sum_products = sum
dot = np.ndarray.dot  # copies what BLAS cannot take, and costs half of numpy.dot and a third of numpy.matmul


def matmul(a: Any, b: Any) -> Any:
    """Multiply, copying first what BLAS cannot take: NumPy would drop to a scalar loop."""
    if a.size + b.size > _SMALL:
        a, b = _for_blas(a), _for_blas(b)
    return np.matmul(a, b, order="C")


def matmul_into(a: Any, b: Any, shape: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    """Multiply into a new array whose axes are permuted: BLAS writes rows that are apart."""
    dtype = a.dtype if a.dtype.isnative else a.dtype.newbyteorder("=")
    out = np.empty(shape, dtype)
    np.matmul(_for_blas(a), _for_blas(b), out=out.transpose(axes))
    return out


def _for_blas(x: Any) -> Any:
    """Return an array whose last two axes have one unit stride and another that BLAS takes."""
    rows, columns = x.shape[-2:]
    across, along = x.strides[-2:]
    size = x.itemsize
    if (along == size and across >= columns * size and across % size == 0) or (
        across == size and along >= rows * size and along % size == 0
    ):
        return x
    return np.ascontiguousarray(x)


def multiply(a: Any, b: Any) -> Any:
    """Multiply elementwise, in C order."""
    return _boxed(np.multiply(a, b, order="C"))


contiguous = np.ascontiguousarray


def native(*operands: Any, equation: str) -> Any:
    """Leave it to ``numpy.einsum``."""
    result = np.einsum(equation, *operands)  # with order="C" it would loop in a slower order
    return np.ascontiguousarray(result) if isinstance(result, np.ndarray) and result.ndim > 1 else result


def finish(run: Callable[..., Any], classes: Sequence[type]) -> Callable[..., Any]:
    """Leave it as it is."""
    return run


def copy_into(out: Any, x: Any) -> None:
    """Fill an array."""
    if not out.flags.writeable:
        raise OperandError("out= is read-only")
    np.copyto(out, x, casting="equiv")
