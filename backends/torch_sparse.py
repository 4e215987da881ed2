"""Contract torch's sparse tensors of any layout by hand: `torch.einsum` cannot, or gives wrong values.

A sparse tensor is a table here: for each stored element the index of each label, and the value. So diagonals,
transposes and sums are choices of rows and columns, and a product of two tables is a join. A product with a
dense tensor that sums labels is one matrix product, `torch.sparse.mm`, of a table whose labels are fused to
rows and columns. A batch label is part of both: the matrix is block-diagonal. Values come from
differentiable functions of torch.

* An operand alone, sparse operands only, and an elementwise product give a sparse tensor: CSR or CSC if the
  operand is one and the result has two axes, else COO.
* A sum over labels of products with a dense tensor gives a dense one, as torch's own products do.
* An outer product with a dense tensor is refused: it would be dense, and larger than both.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import prod
from typing import NamedTuple

import torch
from torch import Tensor

from einsum_unified.adapter import letters, numbered
from einsum_unified.errors import OperandTypeError

Term = tuple[int, ...]

_HALVES = (torch.float16, torch.bfloat16)
_COMPRESSED = (torch.sparse_csr, torch.sparse_csc)


class _Table(NamedTuple):
    """The stored elements of a sparse tensor. An index may occur several times; the values add up."""

    labels: Term
    indices: Tensor
    """A row for each label, a column for each element."""
    values: Tensor

    def rows(self, labels: Sequence[int]) -> Tensor:
        return self.indices[[self.labels.index(label) for label in labels]]

    def keep(self, labels: Sequence[int]) -> _Table:
        """Sum over all labels but these."""
        return _Table(tuple(labels), self.rows(labels), self.values)


class _Dense(NamedTuple):
    """A dense tensor with a label for each axis."""

    labels: Term
    tensor: Tensor


_Part = _Table | _Dense


def contract(terms: Sequence[Term], output: Term, operands: Sequence[Tensor]) -> Tensor:
    """Contract operands, at least one of which is sparse.

    Raises `OperandTypeError`, or torch's own error, if torch has no function for that.
    """
    sizes: dict[int, int] = {}
    for term, x in zip(terms, operands, strict=True):
        for label, size in zip(term, x.shape, strict=True):
            sizes[label] = size if sizes.get(label, 1) == 1 else sizes[label]
    parts = [_part(term, x, sizes) for term, x in zip(terms, operands, strict=True)]
    parts = [_summed(part, _needed(parts, [part], output)) for part in parts]
    while len(parts) > 1:
        pairs = [(a, b, _needed(parts, [a, b], output)) for a, b in combinations(parts, 2)]
        a, b, needed = min(pairs, key=lambda pair: _rank(pair[0], pair[1], pair[2], sizes))
        parts = [part for part in parts if part is not a and part is not b]
        parts.append(_product(a, b, needed, sizes))
    (result,) = parts
    if isinstance(result, _Dense):
        return result.tensor.permute([result.labels.index(label) for label in output])
    layout = next(x.layout for x in operands if x.layout is not torch.strided)
    return _tensor(result, output, sizes, layout)


def _part(term: Term, x: Tensor, sizes: dict[int, int]) -> _Part:
    """Return an operand without axes that broadcast and with each label once."""
    own = [label for label, size in zip(term, x.shape, strict=True) if size == sizes[label]]
    labels = tuple(dict.fromkeys(own))
    if x.dtype in _HALVES:
        x = x.to(torch.float32)  # sums of halves would be rounded to halves
    if x.layout is torch.strided:
        ones = [axis for axis, label in enumerate(term) if label not in labels]
        x = x.squeeze(ones) if ones else x
        return _Dense(labels, torch.einsum(letters(*numbered([own], labels)), x))
    if x.dense_dim():
        raise OperandTypeError("a hybrid tensor stores dense blocks")
    x = (x if x.layout is torch.sparse_coo else x.to_sparse()).coalesce()
    first = [term.index(label) for label in labels]
    indices, values = x.indices(), x.values()
    if len(labels) < len(own):  # a diagonal
        on = (indices == indices[[term.index(label) for label in term]]).all(0)
        indices, values = indices[:, on], values[on]
    return _Table(labels, indices[first], values)


def _needed(parts: Sequence[_Part], taken: Sequence[_Part], output: Term) -> set[int]:
    """Return the labels that the output or other operands have."""
    return {*output, *[n for part in parts if not any(part is x for x in taken) for n in part.labels]}


def _summed(part: _Part, needed: set[int]) -> _Part:
    """Sum the labels that nothing else has."""
    kept = tuple([label for label in part.labels if label in needed])
    if isinstance(part, _Table):
        return part.keep(kept) if kept else _Dense((), _total(part))
    axes = [axis for axis, label in enumerate(part.labels) if label not in needed]
    tensor = part.tensor
    return _Dense(kept, torch.sum(tensor, axes, dtype=tensor.dtype)) if axes else part


def _rank(a: _Part, b: _Part, needed: set[int], sizes: dict[int, int]) -> tuple[bool, bool, int]:
    """Order pairs: those that are refused come last, then those without a common label, then larger ones."""
    result = {*a.labels, *b.labels} & needed
    held = [prod([sizes[n] for n in x.labels if n in result]) for x in (a, b) if isinstance(x, _Dense)]
    refused = {isinstance(a, _Table), isinstance(b, _Table)} == {True, False} and _is_outer(a, b, needed)
    return refused, not {*a.labels} & {*b.labels}, max(held, default=1)


def _is_outer(a: _Part, b: _Part, needed: set[int]) -> bool:
    """Whether a product of a sparse and a dense operand would hold all elements of both many times."""
    left, right = {*a.labels}, {*b.labels}
    return bool(left - right and right - left) and (left if isinstance(a, _Table) else right) <= needed


def _product(a: _Part, b: _Part, needed: set[int], sizes: dict[int, int]) -> _Part:
    if isinstance(a, _Dense) and isinstance(b, _Dense):
        kept = tuple(dict.fromkeys([n for n in (*a.labels, *b.labels) if n in needed]))
        return _Dense(kept, torch.einsum(letters(*numbered([a.labels, b.labels], kept)), a.tensor, b.tensor))
    if isinstance(a, _Table) and isinstance(b, _Table):
        return _sparse_product(a, b, needed)
    if _is_outer(a, b, needed):
        raise OperandTypeError("an outer product with a dense tensor would be dense")
    if isinstance(a, _Dense):
        a, b = b, a
    return _mixed(a, b, needed, sizes)  # type: ignore[arg-type] # one of each kind


def _mixed(table: _Table, dense: _Dense, needed: set[int], sizes: dict[int, int]) -> _Part:
    """Multiply a sparse by a dense operand: elementwise, or as one matrix product."""
    kept = [label for label in table.labels if label in needed]
    shared = [label for label in table.labels if label in dense.labels]
    rest = [label for label in dense.labels if label not in shared]
    tensor = dense.tensor.permute([dense.labels.index(label) for label in (*shared, *rest)])
    if len(kept) == len(table.labels) and not rest:
        values = table.values * (tensor[tuple(table.rows(shared))] if shared else tensor)
        return _Table(table.labels, table.indices, values)
    rows, columns, others = ([sizes[n] for n in labels] for labels in (kept, shared, rest))
    fused = torch.stack([_fused(table.rows(kept), rows), _fused(table.rows(shared), columns)])
    matrix = _coo(fused, table.values, (prod(rows), prod(columns)))
    product = torch.sparse.mm(matrix, tensor.reshape(prod(columns), prod(others)))
    return _Dense((*kept, *rest), product.reshape((*rows, *others)))


def _fused(indices: Tensor, sizes: Sequence[int]) -> Tensor:
    """Return the index of several axes that are fused to one."""
    total = torch.zeros_like(indices[0]) if len(indices) else indices.new_zeros(indices.shape[1])
    for index, size in zip(indices, sizes, strict=True):
        total = total * size + index
    return total


def _sparse_product(a: _Table, b: _Table, needed: set[int]) -> _Table:
    """Multiply two sparse operands: join their elements with equal indices of the labels that both have."""
    shared = [label for label in a.labels if label in b.labels]
    kept = [label for label in a.labels if label in needed]
    rest = [label for label in b.labels if label not in shared]
    joined, different = _numbers(torch.cat([a.rows(shared), b.rows(shared)], 1))
    left, right = joined[: len(a.values)], joined[len(a.values) :]
    partners = torch.bincount(right, minlength=different)
    first = torch.cumsum(partners, 0) - partners
    # Each element of a is repeated for each of its partners, which follow each other in the sorted b.
    repeats = partners[left]
    from_a = torch.repeat_interleave(repeats)
    within = torch.arange(len(from_a), device=left.device) - (torch.cumsum(repeats, 0) - repeats)[from_a]
    from_b = torch.argsort(right)[first[left][from_a] + within]
    indices = torch.cat([a.rows(kept)[:, from_a], b.rows(rest)[:, from_b]])
    return _Table((*kept, *rest), indices, a.values[from_a] * b.values[from_b])


def _numbers(indices: Tensor) -> tuple[Tensor, int]:
    """Number the different columns of a matrix of indices; also return how many there are."""
    if not indices.numel():
        return indices.new_zeros(indices.shape[1]), 1
    different, numbers = torch.unique(indices, dim=1, return_inverse=True)
    return numbers, different.shape[1]


def _coo(indices: Tensor, values: Tensor, shape: Sequence[int]) -> Tensor:
    # The indices are those of tensors that torch has made. Without this word on checks it warns.
    return torch.sparse_coo_tensor(indices, values, tuple(shape), check_invariants=False).coalesce()


def _total(table: _Table) -> Tensor:
    return torch.sum(table.values, dtype=table.values.dtype)


def _tensor(table: _Table, labels: Sequence[int], sizes: dict[int, int], layout: torch.layout) -> Tensor:
    """Return a sparse tensor with these axes; a dense one if there are none."""
    if not labels:
        return _total(table)
    shape = [sizes[label] for label in labels]
    x = _coo(table.rows(labels), table.values, shape)
    return x.to_sparse(layout=layout) if layout in _COMPRESSED and len(shape) == 2 else x
