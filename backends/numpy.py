"""The adapter for NumPy arrays, also with the dtypes of ml_dtypes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from einsum_unified.adapter import (
    About,
    Capabilities,
    Costs,
    Form,
    NumPyLikeAdapter,
    Term,
    letters,
    numpy_dtypes,
)
from einsum_unified.errors import OperandError

_reduce = np.add.reduce
_SMALL = 256
"""For operands with up to this number of elements together, a copy for BLAS costs more than it saves."""


class NumPyAdapter(NumPyLikeAdapter):
    """Uses NumPy's own functions as members where they do exactly what a member must do."""

    name = "numpy"
    capabilities = Capabilities(
        # float16 has no BLAS, and its sums accumulate in float16 except along the last axis.
        arithmetic=numpy_dtypes.NARROW,
        out=True,
        views=True,
        scalars=True,
        vectors=True,
        into=True,
        objects=True,
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

    def form(self, cls: type) -> Form | None:
        """Accept plain arrays; the core has converted subclasses before."""
        return Form.TENSOR if cls is np.ndarray else None

    @staticmethod
    def asarray(x: Any, like: Any, dtype: Any) -> Any:
        """Convert to an array; NumPy raises OverflowError for a Python int that the dtype cannot hold."""
        return np.asarray(x, dtype)

    @staticmethod
    def cast(x: Any, dtype: Any) -> Any:
        """Cast; integers wrap around, floats that are too large become inf without a warning."""
        if dtype.itemsize >= x.dtype.itemsize:
            return x.astype(dtype)
        with np.errstate(over="ignore"):
            return x.astype(dtype)

    transpose: Any = staticmethod(np.ndarray.transpose)  # a view
    reshape: Any = staticmethod(np.ndarray.reshape)  # a view where the strides allow it

    @staticmethod
    def diagonal(x: Any, axis1: int, axis2: int) -> Any:
        """Return a view that is writeable if the array is; that of ``numpy.diagonal`` is read-only."""
        view = x.diagonal(0, axis1, axis2)
        if x.flags.writeable:
            view.setflags(True)
        return view

    @staticmethod
    def sum(x: Any, axes: tuple[int, ...]) -> Any:
        """Sum in the array's own dtype (any-of for bool); the result is in C order."""
        dtype = x.dtype
        total = _reduce(x, axes, dtype if dtype.isnative else dtype.newbyteorder("="))
        if type(total) is not np.ndarray:
            return _boxed(total)
        return total if total.ndim < 2 else np.ascontiguousarray(total)

    sum_products = sum  # noqa: A003 - the protocol's name
    # It copies operands that BLAS cannot take. A call costs half of numpy.dot and a third of numpy.matmul.
    dot: Any = staticmethod(np.ndarray.dot)

    @staticmethod
    def matmul(a: Any, b: Any) -> Any:
        """Multiply; first copy operands that BLAS cannot take, for which NumPy would use a scalar loop."""
        if a.size + b.size > _SMALL:
            a, b = _for_blas(a), _for_blas(b)
        return np.matmul(a, b, order="C")

    @staticmethod
    def matmul_into(a: Any, b: Any, shape: tuple[int, ...], axes: tuple[int, ...]) -> Any:
        """Multiply into a permuted view of a new array: BLAS can write rows that are not adjacent."""
        dtype = a.dtype if a.dtype.isnative else a.dtype.newbyteorder("=")
        out = np.empty(shape, dtype)
        np.matmul(_for_blas(a), _for_blas(b), out=out.transpose(axes))
        return out

    @staticmethod
    def object_product(a: Any, b: Any) -> Any:
        """Multiply arrays of objects; NumPy's own product of several matrices goes on after an exception."""
        if a.ndim < 3 and b.ndim < 3:
            return _boxed(np.matmul(a, b))
        if not a.shape[-1]:
            return np.zeros(
                (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1]), object
            )
        total = a[..., 0, None] * b[..., 0, None, :]
        for k in range(1, a.shape[-1]):
            np.add(total, a[..., k, None] * b[..., k, None, :], out=total)
        return total

    @staticmethod
    def multiply(a: Any, b: Any) -> Any:
        """Multiply elementwise, in C order."""
        return _boxed(np.multiply(a, b, order="C"))

    contiguous: Any = staticmethod(np.ascontiguousarray)

    def native(self, terms: Sequence[Term], output: Term) -> Callable[..., Any]:
        """Call ``numpy.einsum``; it is fastest if it chooses the order, so copy to C order afterwards."""
        equation = letters(terms, output)

        def contract(*operands: Any) -> Any:
            result = np.einsum(equation, *operands)
            ordered = not isinstance(result, np.ndarray) or result.ndim < 2
            return result if ordered else np.ascontiguousarray(result)

        return contract

    def copy_into(self, out: Any, x: Any) -> None:
        """Fill an array."""
        if not out.flags.writeable:
            raise OperandError("out= is read-only")
        np.copyto(out, x, casting="equiv")


def _boxed(x: Any) -> Any:
    """Return a 0-d object array for a Python object: NumPy unboxes results of dtype object."""
    return x if isinstance(x, (np.generic, np.ndarray)) else np.array(x, object)


def _for_blas(x: Any) -> Any:
    """Return the array, or a copy, with strides that BLAS accepts: one of the last two axes is contiguous."""
    rows, columns = x.shape[-2:]
    across, along = x.strides[-2:]
    size = x.itemsize
    if (along == size and across >= columns * size and across % size == 0) or (
        across == size and along >= rows * size and along % size == 0
    ):
        return x
    return np.ascontiguousarray(x)


adapter = NumPyAdapter(np)
