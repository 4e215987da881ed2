"""The adapter for Dask arrays: pairs are contracted lazily, chunk by chunk.

Each product of chunks is a call of `einsum`, so chunks may be arrays of any library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import isnan, prod
from types import EllipsisType
from typing import Any

import dask
import dask.array as da
import numpy as np
from dask.array.core import common_blockdim
from dask.utils import parse_bytes

from einsum_unified import einsum
from einsum_unified.adapter import (
    About,
    Capabilities,
    Form,
    NumPyLikeAdapter,
    Term,
    letters,
    numbered,
    numpy_dtypes,
)
from einsum_unified.errors import OperandError

Sizes = tuple[int, ...]
"""The sizes of the chunks along an axis; NaN for an unknown size."""
Label = int | EllipsisType
Chunks = Mapping[Label, Sizes]

_GUESS = 0.01
"""The density that chunks of sparse arrays are taken to have."""


class DaskAdapter(NumPyLikeAdapter):
    """Contracted labels are summed within chunks first, then over the chunks as a tree."""

    name = "dask"
    capabilities = Capabilities(
        arithmetic=numpy_dtypes.NARROW,  # otherwise results of chunks would be rounded before they are summed
        pairs=True,
        sparse=True,
        gaps={"out": "arrays are task graphs, which cannot be written to"},
        about=About(
            symbolic_sizes="chunks of unknown sizes",
            compilers="lazy: one graph for all steps",
            tested="threads, and a LocalCluster of two processes; chunks of NumPy and sparse",
            wait=lambda x: x.compute(),
        ),
    )

    def form(self, cls: type) -> Form | None:
        """Accept arrays, but not dataframes and bags."""
        return Form.TENSOR if issubclass(cls, da.Array) else None

    def asarray(self, x: Any, like: Any, dtype: Any) -> Any:
        """Convert an array in memory, in chunks of Dask's preferred size."""
        return da.asarray(np.asarray(x, dtype))

    def to_numpy(self, x: Any) -> Any:
        """Compute the array."""
        return np.asarray(x.compute())

    def static_size(self, size: Any) -> Any:
        """Return None for an unknown size, which only computing the graph would give."""
        return None if isnan(size) else int(size)

    def density(self, x: Any) -> float:
        """Return a guess for sparse chunks, whose stored elements only computing the graph would count."""
        return _GUESS if hasattr(x._meta, "nnz") else 1.0

    def reshape(self, x: Any, shape: tuple[Any, ...]) -> Any:
        """Reshape; if sizes are unknown, the core only asks to remove axes of size 1."""
        if not isnan(x.size):
            return da.reshape(x, shape)
        rest, dropped = list(shape), []
        for axis, size in enumerate(x.shape):
            if rest and (size == rest[0] or (isnan(size) and isnan(rest[0]))):
                del rest[0]
            else:
                dropped.append(axis)
        return da.squeeze(x, tuple(dropped))

    def diagonal(self, x: Any, axis1: int, axis2: int) -> Any:
        """Take the diagonals of the chunks that lie on the diagonal."""
        term = [axis1 if axis == axis2 else axis for axis in range(x.ndim)]
        rest = [axis for axis in term if axis != axis1]
        return self.native(*numbered([term], [*rest, axis1]))(x)

    def native(self, terms: Sequence[Term], output: Term) -> Callable[..., Any]:
        """Contract two operands chunk by chunk."""
        return partial(_contract, terms=terms, output=output, equation=letters(terms, output))


def _contract(*operands: Any, terms: Sequence[Term], output: Term, equation: str) -> Any:
    chunks, xs = _aligned(operands, terms, output)
    # A contracted label with several chunks is kept, with size 1 for each chunk, and summed over afterwards.
    several = [label for label, sizes in chunks.items() if label not in output and len(sizes) > 1]
    unsure = {label for label, sizes in chunks.items() if len(sizes) > 1 and not _is_known(sizes)}
    products = da.blockwise(
        _contract_chunks,
        (*output, *several),
        *[item for x, term in zip(xs, terms, strict=True) for item in (x, term)],
        equation=equation,
        several=len(several),
        unsure=[[label if label in unsure else None for label in term] for term in terms] if unsure else [],
        adjust_chunks=dict.fromkeys(several, 1),
        align_arrays=False,
        concatenate=True,
        dtype=xs[0].dtype,
    )
    return adapter.sum(products, tuple(range(len(output), products.ndim))) if several else products


def _contract_chunks(
    *chunks: Any, equation: str, several: int, unsure: Sequence[Sequence[Label | None]]
) -> Any:
    """Contract one chunk of each operand; ``unsure`` has the labels of axes whose sizes must be compared."""
    if unsure:
        _check_sizes(chunks, unsure)
    product = einsum(equation, *chunks)
    return product.reshape(product.shape + (1,) * several)


def _check_sizes(chunks: Sequence[Any], unsure: Sequence[Sequence[Label | None]]) -> None:
    """Raise unless each label has one size: of several chunks, one of size 1 must not broadcast."""
    found: dict[Label, int] = {}
    for x, labels in zip(chunks, unsure, strict=True):
        for label, size in zip(labels, x.shape, strict=True):
            if label is not None and found.setdefault(label, size) != size:
                raise OperandError(f"chunks of a label have {found[label]} and {size} elements on its axis")


def _aligned(operands: Sequence[Any], terms: Sequence[Term], output: Term) -> tuple[Chunks, Sequence[Any]]:
    """Return the chunks of each label, and the operands cut to these chunks. Chunks are never joined."""
    found: dict[Label, list[Sizes]] = {}
    for x, term in zip(operands, terms, strict=True):
        for label, sizes in zip(term, x.chunks, strict=True):
            found.setdefault(label, []).append(sizes)
    chunks = _split_to_fit({label: _common(sizes) for label, sizes in found.items()}, operands, output)
    aligned = []
    for x, term in zip(operands, terms, strict=True):
        new = {
            axis: chunks[label]
            for axis, (label, sizes) in enumerate(zip(term, x.chunks, strict=True))
            if chunks[label] != sizes and _is_known(chunks[label])
        }
        aligned.append(x.rechunk(new) if new else x)
    return chunks, aligned


def _common(found: Sequence[Sizes]) -> Sizes:
    """Return chunks with all borders that the chunks of one label have in any operand."""
    unknown = [sizes for sizes in found if not _is_known(sizes)]
    if not unknown:
        return tuple(common_blockdim(found))
    if len(set(map(len, found))) > 1 or (len(unknown) < len(found) and len(found[0]) > 1):
        headline = "chunks of unknown sizes may not line up with the chunks of another operand"
        raise OperandError.of(headline, notes=["try: x.compute_chunk_sizes()"])
    return unknown[0]


def _is_known(sizes: Sizes) -> bool:
    return not isnan(sum(sizes))


def _split_to_fit(chunks: Chunks, operands: Sequence[Any], output: Term) -> Chunks:
    """Split kept labels if chunks of the result would exceed both Dask's limit and every operand's chunks.

    A chunk of an outer product is as large as its operands' chunks multiplied.
    """
    largest = {label: max(chunks[label], default=0) for label in output}
    if not all(_is_known(chunks[label]) for label in output):
        return chunks
    limits = [prod([max(sizes, default=0) for sizes in x.chunks]) for x in operands if not isnan(x.size)]
    limit = max(*limits, parse_bytes(dask.config.get("array.chunk-size")) / operands[0].dtype.itemsize, 1)
    most = dict(largest)
    while prod(most.values()) > limit and max(most.values()) > 1:
        label = max(most, key=most.__getitem__)
        most[label] = -(-most[label] // 2)
    return {
        label: _split(sizes, most[label]) if most.get(label) != largest.get(label) else sizes
        for label, sizes in chunks.items()
    }


def _split(sizes: Sizes, most: int) -> Sizes:
    """Split chunks evenly into chunks of at most ``most`` elements. Present borders stay."""
    parts = [(size, max(-(-size // most), 1)) for size in sizes]
    return tuple([size // n + (part < size % n) for size, n in parts for part in range(n)])


adapter = DaskAdapter(da)
