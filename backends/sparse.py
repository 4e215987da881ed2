"""The adapter for pydata/sparse arrays. Results are sparse, too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import prod
from typing import Any

import numpy as np
import sparse

from einsum_unified.adapter import About, ArrayAPIAdapter, Capabilities, Form, Term, letters
from einsum_unified.dtypes import STANDARD

_ELEMENTS = 2000
"""The number of result elements that ``tensordot`` visits in the time that it saves on one product."""


class SparseAdapter(ArrayAPIAdapter):
    """Derived from `ArrayAPIAdapter`, since sparse nearly follows the standard."""

    capabilities = Capabilities(
        arithmetic={"bool": "float32", "float16": "float32"},
        dtypes=STANDARD | {"float16"},
        pairs=True,
        sparse=True,
        gaps={"out": "arrays are immutable"},
        about=About(tested="COO, GCXS, DOK with the Numba backend"),
    )

    def form(self, cls: type) -> Form | None:
        """Accept COO and GCXS; convert other formats (DOK), which cannot compute, to COO."""
        if issubclass(cls, (sparse.COO, sparse.GCXS)):
            return Form.TENSOR
        return Form.ARRAY if issubclass(cls, sparse.SparseArray) else None

    def hint(self, x: Any) -> tuple[str, str] | None:
        """Call an array whose missing elements are not 0 e.g. "1.0-filled": it has to be made dense."""
        fill = getattr(x, "fill_value", 0)
        return None if fill == 0 or not x.ndim else (f"{fill}-filled", "x.todense()")

    def asarray(self, x: Any, like: Any, dtype: Any) -> Any:
        """Convert to COO, which stores the elements that are not 0."""
        if isinstance(x, np.ndarray):
            return sparse.COO.from_numpy(np.asarray(x, dtype))
        return x.asformat("coo").astype(x.dtype if dtype is None else dtype)

    def to_numpy(self, x: Any) -> Any:
        """Convert to a dense array."""
        return np.asarray(x.todense())

    def same_device(self, *xs: Any) -> None:
        """Accept all arrays: there is one device."""

    def cast(self, x: Any, dtype: Any) -> Any:
        """Cast to another dtype."""
        return x.astype(dtype)

    def density(self, x: Any) -> float:
        """Return the fraction of the elements that are stored."""
        return float(x.nnz / x.size) if x.size else 1.0

    def diagonal(self, x: Any, axis1: int, axis2: int) -> Any:
        """Select the stored elements of a diagonal.

        `sparse.diagonal` before 0.19 fails on GCXS and forgets the fill value.
        """
        x = x.asformat("coo")
        axes = [axis for axis in range(x.ndim) if axis not in (axis1, axis2)] + [axis1]
        on = x.coords[axis1] == x.coords[axis2]
        shape = tuple([x.shape[axis] for axis in axes])
        return sparse.COO(x.coords[axes][:, on], x.data[on], shape, fill_value=x.fill_value)

    def sum(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Sum integers in int64: sparse refuses axes whose size does not fit into the integer dtype."""
        wide = x.astype(np.int64) if x.dtype.kind in "iu" else x
        return _array(sparse.sum(wide, axis=axes)).astype(x.dtype)

    def matmul(self, a: Any, b: Any) -> Any:
        """Multiply batches of matrices, also an empty one."""
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        if 0 in batch:
            return sparse.zeros((*batch, a.shape[-2], b.shape[-1]), dtype=a.dtype)
        return sparse.matmul(a, b)

    def native(self, terms: Sequence[Term], output: Term) -> Callable[..., Any]:
        """Multiply as matrices if the operands have enough elements for that, else element by element."""
        by_element = partial(sparse.einsum, letters(terms, output))
        contract: Callable[..., Any] = by_element
        if len(terms) == 2 and not any(... in term for term in terms):
            contract = _product(terms[0], terms[1], output, by_element)
        return lambda *operands: _array(contract(*operands)).astype(operands[0].dtype)


def _array(x: Any) -> Any:
    """Return a result as an array: before sparse 0.19 one without axes is a number of NumPy."""
    return x if isinstance(x, sparse.SparseArray) else sparse.COO.from_numpy(np.asarray(x))


def _product(
    left: Term, right: Term, output: Term, by_element: Callable[..., Any]
) -> Callable[[Any, Any], Any]:
    """Return a function that uses ``multiply`` or ``tensordot``, or ``by_element`` if needed or faster.

    ``tensordot`` visits all elements of the result. ``by_element`` (``sparse.einsum``) visits only the
    products of stored elements, but takes four times as long for each.
    """
    summed = [label for label in left if label in right]
    kept = [label for label in (*left, *right) if label not in summed]
    if len(kept) != len(output) or set(kept) != set(output):
        return by_element  # batches, or diagonals
    order = [kept.index(label) for label in output]
    if not left or not right:  # for 0-d operands the fill value is the number itself
        return lambda a, b: sparse.permute_dims(sparse.multiply(a, b), order)
    if not summed or not kept:
        return by_element
    axes = [[term.index(label) for label in summed] for term in (left, right)]

    def contract(a: Any, b: Any) -> Any:
        contracted = prod([a.shape[axis] for axis in axes[0]])
        if a.size * b.size > _ELEMENTS * contracted * a.nnz * b.nnz:
            return by_element(a, b)
        return sparse.permute_dims(sparse.tensordot(a, b, axes), order)

    return contract


adapter = SparseAdapter(sparse)
