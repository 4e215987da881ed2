"""The adapter for NumPy arrays, ml_dtypes' dtypes included."""

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
"""Up to so many elements of both operands a copy for BLAS costs more than it saves."""


class NumPyAdapter(NumPyLikeAdapter):
    """Members are NumPy's own functions where these do the very thing."""

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

    def form(self, cls: type) -> Form | None:
        """Arrays are handed on as they are; subclasses were made plain arrays before."""
        return Form.TENSOR if cls is np.ndarray else None

    @staticmethod
    def asarray(x: Any, like: Any, dtype: Any) -> Any:
        """Make an array; a Python int too large for the dtype is an OverflowError of NumPy's."""
        return np.asarray(x, dtype)

    @staticmethod
    def cast(x: Any, dtype: Any) -> Any:
        """Convert; integers wrap around, floats too large become inf without a warning."""
        if dtype.itemsize >= x.dtype.itemsize:
            return x.astype(dtype)
        with np.errstate(over="ignore"):
            return x.astype(dtype)

    transpose: Any = staticmethod(np.ndarray.transpose)  # a view
    reshape: Any = staticmethod(np.ndarray.reshape)  # a view where the strides allow it

    @staticmethod
    def diagonal(x: Any, axis1: int, axis2: int) -> Any:
        """Return a view that is writeable if the array is; ``numpy.diagonal`` gives a read-only one."""
        view = x.diagonal(0, axis1, axis2)
        if x.flags.writeable:
            view.setflags(True)
        return view

    @staticmethod
    def sum(x: Any, axes: tuple[int, ...]) -> Any:
        """Sum in the array's own dtype, for bool any-of; in C order."""
        dtype = x.dtype
        total = _reduce(x, axes, dtype if dtype.isnative else dtype.newbyteorder("="))
        if type(total) is not np.ndarray:
            return _boxed(total)
        return total if total.ndim < 2 else np.ascontiguousarray(total)

    sum_products = sum  # noqa: A003 - the protocol's name
    # Copies what BLAS cannot take, and costs half of numpy.dot and a third of numpy.matmul.
    dot: Any = staticmethod(np.ndarray.dot)

    @staticmethod
    def matmul(a: Any, b: Any) -> Any:
        """Multiply, copying first what BLAS cannot take: NumPy would drop to a scalar loop."""
        if a.size + b.size > _SMALL:
            a, b = _for_blas(a), _for_blas(b)
        return np.matmul(a, b, order="C")

    @staticmethod
    def matmul_into(a: Any, b: Any, shape: tuple[int, ...], axes: tuple[int, ...]) -> Any:
        """Multiply into a new array whose axes are permuted: BLAS writes rows that are apart."""
        dtype = a.dtype if a.dtype.isnative else a.dtype.newbyteorder("=")
        out = np.empty(shape, dtype)
        np.matmul(_for_blas(a), _for_blas(b), out=out.transpose(axes))
        return out

    @staticmethod
    def multiply(a: Any, b: Any) -> Any:
        """Multiply elementwise, in C order."""
        return _boxed(np.multiply(a, b, order="C"))

    contiguous: Any = staticmethod(np.ascontiguousarray)

    def native(self, terms: Sequence[Term], output: Term) -> Callable[..., Any]:
        """Leave it to ``numpy.einsum``, which is faster in an order of its own; then in C order."""
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
    """Return a Python object, which NumPy makes of a 0-d object array, as such an array again."""
    return x if isinstance(x, (np.generic, np.ndarray)) else np.array(x, object)


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


adapter = NumPyAdapter(np)
