"""The adapter for Dask arrays: pairs are contracted chunk by chunk, lazily, whatever the chunks are of.

Chunks go through `einsum` themselves. Nothing is computed before it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import dask
import dask.array as da
import numpy as np
from dask.utils import parse_bytes

from einsum_unified.backend import Adapter, Capabilities, Form
from einsum_unified.dtypes import promote


class DaskAdapter(Adapter):
    """Contracted labels are summed over within chunks, then over chunks as a tree."""

    name = "dask"
    capabilities = Capabilities(
        arithmetic={"float16": "float32", "bfloat16": "float32"},  # chunks would be rounded before they meet
        pairs=True,
        gaps={"out": "arrays are graphs of what to compute"},
    )

    def form(self, cls: type) -> Form | None:
        """Arrays; dataframes and bags are none."""
        return Form.TENSOR if issubclass(cls, da.Array) else None

    def dtype_from_name(self, name: str) -> Any:
        """Find NumPy's dtypes."""
        try:
            return np.dtype(name)
        except TypeError:
            return None

    def result_type(self, names: Sequence[str], weak: Sequence[type]) -> str:
        """Promote as NumPy does, and where it has no rule, on the shared lattice."""
        try:
            dtype = np.result_type(*names)
        except TypeError:
            dtype = np.dtype(promote(*names))
        return str(np.result_type(dtype, *[cls() for cls in weak]).name)

    def asarray(self, x: Any, like: Any, dtype: Any) -> Any:
        """Make an array of one that is in memory, in chunks of the size Dask prefers."""
        return da.asarray(np.asarray(x, dtype))

    def to_numpy(self, x: Any) -> Any:
        """Compute it."""
        return np.asarray(x.compute())

    def static_size(self, size: Any) -> Any:
        """Return None for sizes that are known when a graph has been computed."""
        return None if size != size else int(size)

    def broadcast_to(self, x: Any, shape: tuple[Any, ...]) -> Any:
        """Repeat axes of size 1."""
        return da.broadcast_to(x, shape)

    def cast(self, x: Any, dtype: Any) -> Any:
        """Convert."""
        return x.astype(dtype)

    def transpose(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Permute axes."""
        return da.transpose(x, axes)

    def reshape(self, x: Any, shape: tuple[Any, ...]) -> Any:
        """Reshape."""
        return da.reshape(x, shape)

    def diagonal(self, x: Any, axis1: int, axis2: int) -> Any:
        """Take a diagonal."""
        return da.diagonal(x, 0, axis1, axis2)

    def sum(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Sum in the array's own dtype."""
        return da.sum(x, axis=axes, dtype=x.dtype)

    def matmul(self, a: Any, b: Any) -> Any:
        """Multiply batches of matrices: only for more labels than an equation can spell."""
        return da.matmul(a, b)

    def multiply(self, a: Any, b: Any) -> Any:
        """Multiply elementwise: only for more labels than an equation can spell."""
        return da.multiply(a, b)

    def native(self, *operands: Any, equation: str) -> Any:
        """Contract two operands chunk by chunk."""
        inputs, output = equation.split("->")
        terms = inputs.split(",")
        xs = _split_to_fit(operands, terms, output)
        # A label whose chunks are several is kept with size 1 a chunk, and summed over afterwards.
        chunks = {
            label: x.numblocks[axis]
            for x, term in zip(xs, terms, strict=True)
            for axis, label in enumerate(term)
        }
        open_ = [label for label in chunks if label not in output and chunks[label] > 1]
        made = (*output, *open_)
        dtype = np.result_type(*xs)
        pairs = [item for x, term in zip(xs, terms, strict=True) for item in (x, tuple(term))]
        products = da.blockwise(
            _contract_chunks,
            made,
            *pairs,
            equation=equation,
            extra=len(open_),
            adjust_chunks=dict.fromkeys(open_, 1),
            concatenate=True,
            dtype=dtype,
            meta=_meta(xs[0], len(made), dtype),
        )
        axes = tuple(range(len(output), len(made)))
        return self.sum(products, axes) if axes else products


def _contract_chunks(*chunks: Any, equation: str, extra: int) -> Any:
    from einsum_unified import einsum

    product = einsum(equation, *chunks)
    if not hasattr(product, "reshape"):
        product = np.asarray(product)
    return product.reshape(product.shape + (1,) * extra)


def _meta(like: Any, rank: int, dtype: Any) -> Any:
    """Return an empty array of the kind that chunks are of."""
    meta = getattr(like, "_meta", None)
    if meta is None or type(meta) is np.ndarray:
        return np.empty((0,) * rank, dtype)
    return da.utils.meta_from_array(meta, ndim=rank, dtype=dtype)


def _split_to_fit(operands: Sequence[Any], terms: Sequence[str], output: str) -> Sequence[Any]:
    """Split kept labels where chunks of the result would be larger than Dask's limit and any operand's.

    A chunk of an outer product is as large as its operands' chunks multiplied.
    """
    largest: dict[str, float] = {}
    for x, term in zip(operands, terms, strict=True):
        for label, sizes in zip(term, x.chunks, strict=True):
            largest[label] = max(largest.get(label, 0), max(sizes, default=0))
    itemsize = np.result_type(*operands).itemsize
    limit = max(
        parse_bytes(dask.config.get("array.chunk-size")) / itemsize,
        *[prod([max(sizes, default=0) for sizes in x.chunks]) for x in operands],
    )
    wanted = {label: largest[label] for label in output}
    if not prod(wanted.values()) > limit:  # also where sizes are not known
        return operands
    while prod(wanted.values()) > limit and max(wanted.values()) > 1:
        label = max(wanted, key=wanted.__getitem__)
        wanted[label] = -(-wanted[label] // 2)
    return [
        x.rechunk(
            {
                axis: tuple(_split(x.chunks[axis], int(wanted[label])))
                for axis, label in enumerate(term)
                if label in wanted and max(x.chunks[axis], default=0) > wanted[label]
            }
        )
        for x, term in zip(operands, terms, strict=True)
    ]


def _split(sizes: Sequence[int], most: int) -> list[int]:
    """Split chunks into ones of at most so many, along the borders they have: nothing is joined."""
    return [part for size in sizes for part in (*[most] * (size // most), size % most) if part]


adapter = DaskAdapter()
