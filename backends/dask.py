"""The adapter for Dask arrays: pairs are contracted chunk by chunk, lazily, whatever the chunks are of.

Chunks go through `einsum` themselves. Nothing is computed before it is asked for.
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
"""Of the chunks along an axis; not a number where that is not known."""
Label = int | EllipsisType
Chunks = Mapping[Label, Sizes]


class DaskAdapter(NumPyLikeAdapter):
    """Contracted labels are summed over within chunks, then over chunks as a tree."""

    name = "dask"
    capabilities = Capabilities(
        arithmetic=numpy_dtypes.NARROW,  # chunks would be rounded before they meet
        pairs=True,
        gaps={"out": "arrays are graphs of what to compute"},
        about=About(
            symbolic_sizes="chunks of unknown sizes",
            compilers="lazy: one graph for all steps",
            tested="threads, and a LocalCluster of two processes; chunks of NumPy and sparse",
            wait=lambda x: x.compute(),
        ),
    )

    def form(self, cls: type) -> Form | None:
        """Arrays; dataframes and bags are none."""
        return Form.TENSOR if issubclass(cls, da.Array) else None

    def asarray(self, x: Any, like: Any, dtype: Any) -> Any:
        """Make an array of one that is in memory, in chunks of the size Dask prefers."""
        return da.asarray(np.asarray(x, dtype))

    def to_numpy(self, x: Any) -> Any:
        """Compute it."""
        return np.asarray(x.compute())

    def static_size(self, size: Any) -> Any:
        """Return None for sizes that are known when a graph has been computed."""
        return None if isnan(size) else int(size)

    def reshape(self, x: Any, shape: tuple[Any, ...]) -> Any:
        """Reshape; where sizes are unknown only axes of size 1 go."""
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
        """Take a diagonal of the chunks on the diagonal."""
        term = [axis1 if axis == axis2 else axis for axis in range(x.ndim)]
        rest = [axis for axis in term if axis != axis1]
        return self.native(*numbered([term], [*rest, axis1]))(x)

    def native(self, terms: Sequence[Term], output: Term) -> Callable[..., Any]:
        """Contract two operands chunk by chunk."""
        return partial(_contract, terms=terms, output=output, equation=letters(terms, output))


def _contract(*operands: Any, terms: Sequence[Term], output: Term, equation: str) -> Any:
    chunks, xs = _aligned(operands, terms, output)
    # A label whose chunks are several is kept with size 1 a chunk, and summed over afterwards.
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
    """Contract a chunk of each operand; ``unsure`` has the labels of axes whose sizes have to be compared."""
    if unsure:
        _check_sizes(chunks, unsure)
    product = einsum(equation, *chunks)
    return product.reshape(product.shape + (1,) * several)


def _check_sizes(chunks: Sequence[Any], unsure: Sequence[Sequence[Label | None]]) -> None:
    """Raise unless labels have one size each: one chunk of several must not broadcast."""
    found: dict[Label, int] = {}
    for x, labels in zip(chunks, unsure, strict=True):
        for label, size in zip(labels, x.shape, strict=True):
            if label is not None and found.setdefault(label, size) != size:
                raise OperandError(f"chunks that meet have {found[label]} and {size} elements along an axis")


def _aligned(operands: Sequence[Any], terms: Sequence[Term], output: Term) -> tuple[Chunks, Sequence[Any]]:
    """Return operands that have the same chunks for the same label, and what these are: cut, never joined."""
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
    """Return the chunks that have all the borders which those of one label have anywhere."""
    unknown = [sizes for sizes in found if not _is_known(sizes)]
    if not unknown:
        return tuple(common_blockdim(found))
    if len(set(map(len, found))) > 1 or (len(unknown) < len(found) and len(found[0]) > 1):
        headline = "chunks of unknown sizes meet others, and nobody can tell whether they line up"
        raise OperandError.of(headline, notes=["try: x.compute_chunk_sizes()"])
    return unknown[0]


def _is_known(sizes: Sizes) -> bool:
    return not isnan(sum(sizes))


def _split_to_fit(chunks: Chunks, operands: Sequence[Any], output: Term) -> Chunks:
    """Split kept labels where chunks of the result would be larger than Dask's limit and any operand's.

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
    """Split chunks evenly into ones of at most so many, along the borders they have."""
    parts = [(size, max(-(-size // most), 1)) for size in sizes]
    return tuple([size // n + (part < size % n) for size, n in parts for part in range(n)])


adapter = DaskAdapter(da)
