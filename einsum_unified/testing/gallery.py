"""The gallery: well-known operations as einsum, each with operands and the equivalent NumPy function.

The demo, the examples and the tests take their equations from here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Picture:
    """An operation: its equation, the shapes and dtypes of its operands, and an equivalent function."""

    operation: str
    equation: str
    shapes: tuple[tuple[int, ...], ...]
    reference: Callable[..., Any]
    """Takes the NumPy operands and returns the expected result; written without einsum."""
    dtypes: tuple[str, ...] = ()
    """The dtype of each operand; if empty, all are float64."""

    def operands(self) -> list[Any]:
        """Return seeded random NumPy operands: normally distributed, or integers from -9 to 9."""
        random = np.random.default_rng(0)
        dtypes = self.dtypes or ("float64",) * len(self.shapes)
        return [
            random.integers(-9, 10, shape).astype(dtype)
            if dtype.startswith("int")
            else random.standard_normal(shape).astype(dtype)
            for shape, dtype in zip(self.shapes, dtypes, strict=True)
        ]


def _bilinear(a: Any, w: Any, b: Any) -> Any:
    out = np.zeros((a.shape[0], w.shape[0]))
    for i, j, k, m in np.ndindex(a.shape[0], w.shape[0], a.shape[1], b.shape[1]):
        out[i, j] += a[i, k] * w[j, k, m] * b[i, m]
    return out


def _half_bilinear(a: Any, w: Any) -> Any:
    out = np.zeros((a.shape[0], w.shape[0], w.shape[2]))
    for i, j, k, m in np.ndindex(a.shape[0], *w.shape):
        out[i, j, m] += a[i, k] * w[j, k, m]
    return out


_S2, _S3 = (2, 2), (2, 2, 2)
_HEADS, _WEIGHTS = (2, 8, 10, 2), (2, 8, 10, 10)  # batch, heads, sequence, ...
_ONE, _EIGHT = (2, 128, 512), (2, 8, 128, 64)

GALLERY: tuple[Picture, ...] = (
    Picture("transpose", "ij->ji", (_S2,), np.transpose),
    Picture("transpose", "ijk->kji", (_S3,), np.transpose),
    Picture("transpose", "ijk->jik", (_S3,), lambda x: np.transpose(x, (1, 0, 2))),
    Picture("trace", "ii", (_S2,), np.trace),
    Picture("sum of all", "ij->", (_S2,), np.sum),
    Picture("sum of rows", "ij->i", (_S2,), lambda x: x.sum(1)),
    Picture("sum of columns", "ij->j", (_S2,), lambda x: x.sum(0)),
    Picture("matrix × vector", "ij,j->i", ((2, 3), (3,)), np.dot),
    Picture("matrix × column", "ij,jk->ik", ((2, 3), (3, 1)), np.matmul, ("int64", "int64")),
    Picture("matrix × matrix", "ik,kj->ij", ((2, 3), (3, 2)), np.matmul),
    Picture("matrix × transposed", "ij,kj->ik", ((2, 3), (4, 3)), lambda a, b: a @ b.T),
    Picture("inner product", "i,i->", ((3,), (3,)), np.dot),
    Picture("inner product", "ij,ij->", ((2, 3), (2, 3)), lambda a, b: (a * b).sum()),
    Picture("outer product", "i,j->ij", ((2,), (3,)), np.outer),
    Picture("outer product", "i,j->ji", ((2,), (3,)), lambda a, b: b[:, None] * a),
    Picture("Hadamard product", "ij,ij->ij", (_S2, _S2), np.multiply),
    Picture("Hadamard product", "ij,ij->ji", (_S2, _S2), lambda a, b: (a * b).T),
    Picture("batched matmul", "ijk,ikl->ijl", ((2, 1, 2), (2, 2, 3)), np.matmul),
    Picture(
        "batched matrix × vector",
        "BNi,Bi->BN",
        ((3, 3, 3), (3, 3)),
        lambda a, b: (a @ b[:, :, None])[:, :, 0],
        ("float64", "int64"),
    ),
    Picture(
        "batched outer of sums",
        "Bkj,Bl->Bjl",
        ((3, 3, 3), (3, 1)),
        lambda a, b: a.sum(1)[:, :, None] * b[:, None, :],
        ("float32", "int64"),
    ),
    Picture("bilinear", "ik,jkl,il->ij", ((2, 3), (4, 3, 5), (2, 5)), _bilinear),
    Picture("bilinear, one side", "ik,jkl->ijl", ((2, 3), (4, 3, 5)), _half_bilinear),
    Picture("attention: projection", "ijk,kl->ijl", ((2, 10, 16), (16, 16)), np.matmul),
    Picture("attention: split heads", "ijkl->ikjl", ((2, 10, 8, 2),), lambda x: x.transpose(0, 2, 1, 3)),
    Picture("attention: scores", "ijkl,ijml->ijkm", (_HEADS, _HEADS), lambda q, k: q @ k.swapaxes(2, 3)),
    Picture(
        "attention: values",
        "ijkl,ijlm->ikjm",
        (_WEIGHTS, _HEADS),
        lambda p, v: (p @ v).transpose(0, 2, 1, 3),
    ),
    Picture(
        "attention, one head: scores",
        "b i d , b j d -> b i j",
        (_ONE, _ONE),
        lambda q, k: q @ k.swapaxes(1, 2),
    ),
    Picture("attention, one head: values", "b i j , b j d -> b i d", ((2, 128, 128), _ONE), np.matmul),
    Picture(
        "attention, eight heads: scores",
        "b h i d , b h j d -> b h i j",
        (_EIGHT, _EIGHT),
        lambda q, k: q @ k.swapaxes(2, 3),
    ),
    Picture(
        "attention, eight heads: values",
        "b h i j , b h j d -> b h i d",
        ((2, 8, 128, 128), _EIGHT),
        np.matmul,
    ),
)

MISTAKE = ("ij,kj->ik", ((2, 3), (3, 4)))
"""An equation with shapes that do not fit: ``j`` has size 3 in one operand and size 4 in the other."""
