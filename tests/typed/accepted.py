"""Calls that type checkers accept, and the types that they find: for mypy --strict and for pyright."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
import torch
from numpy import typing as npt
from numpy.typing import NDArray
from typing_extensions import assert_type

from einsum_unified import Plan, einsum, einsum_path, einsum_plan
from einsum_unified.typing import DTypeLike, Hints, Optimize

T = TypeVar("T")
Array = TypeVar("Array", NDArray[Any], torch.Tensor)

x: NDArray[np.float64] = np.ones((2, 3))
single: NDArray[np.float32] = np.ones((2, 3), np.float32)
byte: NDArray[np.int8] = np.ones((2, 3), np.int8)
t = torch.ones(2, 3)
j = jnp.ones((2, 3))

# --- wrappers -------------------------------------------------------------------------------------


def anything(x: T, y: T) -> T:
    return einsum("ij,jk->ik", x, y)


def anything_listed(x: T, y: T) -> T:
    return einsum("ij,jk->ik", [x, y])


def anything_interleaved(x: T, y: T) -> T:
    return einsum(x, [0, 1], y, [1, 2], [0, 2])


def either(x: Array, y: Array) -> Array:
    return einsum("ij,jk->ik", x, y)


def arrays(x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
    return einsum("ij,jk->ik", x, y)


def arrays_of_any_dtype(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return einsum("ij,jk->ik", x, y)


def tensors(q: torch.Tensor, k: torch.Tensor, optimize: Optimize = "auto") -> torch.Tensor:
    return einsum("bhid,bhjd->bhij", q, k, optimize=optimize)


def scaled(x: torch.Tensor, y: torch.Tensor, scale: float) -> torch.Tensor:
    return einsum("ij,jk,->ik", x, y, scale)


def weighted(plan: Plan, x: torch.Tensor, weights: NDArray[np.float32]) -> torch.Tensor:
    return plan(x, weights)


def in_dtype(x: NDArray[Any], dtype: npt.DTypeLike) -> NDArray[Any]:
    return einsum("ij->ji", x, dtype=dtype)


def forwarded(equation: str, *operands: T) -> T:
    return einsum(equation, *operands)


def planned(equation: str, x: T, dtype: DTypeLike | None = None, hints: Hints | None = None) -> T:
    return einsum_plan(equation, (2, 3), dtype=dtype, hints=hints)(x)


# --- NumPy arrays in, NumPy arrays out ------------------------------------------------------------

assert_type(einsum("ij,kj->ik", x, x), NDArray[np.float64])
assert_type(einsum("ij->i", byte), NDArray[np.int8])
assert_type(einsum("ij,kj->ik", [x, x]), NDArray[np.float64])
assert_type(einsum(b"ij,kj->ik", x, x, optimize="greedy", strict=True), NDArray[np.float64])
assert_type(einsum(x, [0, 1], x, [2, 1], [0, 2]), NDArray[np.float64])
assert_type(einsum(x, ["row", ...], [...]), NDArray[np.float64])
assert_type(einsum(x, range(2), np.arange(2)), NDArray[np.float64])
assert_type(einsum(x, [0, 1], 2.0, [], [0, 1]), NDArray[Any])
assert_type(einsum("ij->i", x, out=np.empty(2)), NDArray[np.float64])
assert_type(einsum("ij->i", x, dtype="complex128"), NDArray[Any])
assert_type(einsum("ij->i", byte, dtype=np.int32), NDArray[Any])
assert_type(einsum("ij->i", byte, dtype=np.dtype("int32"), out=np.empty(2, np.int32)), NDArray[Any])
assert_type(einsum("ij,->ij", x, 2.5), NDArray[Any])
assert_type(einsum(",", 2, 3.5), NDArray[Any])
assert_type(einsum("ij->i", [[1, 2], [3, 4]]), NDArray[Any])
assert_type(einsum_plan("ij->i", (2, 3))(x), NDArray[Any])

# --- tensors in, tensors out ----------------------------------------------------------------------

assert_type(einsum("ij,kj->ik", t, t), torch.Tensor)
assert_type(einsum("ij,kj->ik", [t, t]), torch.Tensor)
assert_type(einsum("ij,kj->ik", (t, t)), torch.Tensor)
assert_type(einsum("ij->i", t, dtype=torch.float64), torch.Tensor)
assert_type(einsum("ij->i", t, out=torch.empty(2)), torch.Tensor)
assert_type(einsum(t, [0, 1], t, [2, 1], [0, 2]), torch.Tensor)
assert_type(einsum("ij,kj->ik", t, x), torch.Tensor)
assert_type(einsum("ij,kj->ik", x, t), torch.Tensor)
assert_type(einsum("ij,->ij", t, 0.5), torch.Tensor)
assert_type(einsum("ij,kj->ik", t, [[1.0, 2.0, 3.0]]), torch.Tensor)
assert_type(einsum("ij,kj,->ik", t, t, 0.5), torch.Tensor)
assert_type(einsum("ij,kj,j->ik", x, t, t), torch.Tensor)
assert_type(einsum("ij,kj,j->ik", t, x, t), torch.Tensor)
assert_type(einsum(t, [0, 1], x, [2, 1], [0, 2]), torch.Tensor)
assert_type(einsum(2.0, [], t, [0, 1], [0, 1]), torch.Tensor)
assert_type(einsum("ij,kj->ik", j, j, precision="highest"), jax.Array)
assert_type(einsum("ij,kj->ik", j, j, preferred_element_type=jnp.float32), jax.Array)
assert_type(einsum_plan("ij->i", (2, 3))(t), torch.Tensor)
assert_type(einsum_plan("ij->i", (2, 3))(t, out=torch.empty(2)), torch.Tensor)

# --- what optimize= takes -------------------------------------------------------------------------

search: Callable[..., Any] = lambda inputs, output, sizes, limit: [(0, 1)]  # noqa: E731
choices: list[Optimize] = [True, None, "dp", ("greedy", 100), ["einsum_path", (0, 1)], [(0, 1)], search]
assert_type(
    einsum_plan("ij,kj->ik", x, (4, None), optimize=True, hints={"k": np.int64(4), ...: 2}, strict=np.True_),
    Plan,
)
assert_type(einsum_path("ij,kj->ik", x, x, optimize="optimal"), tuple[list[Any], str])
scores = partial(einsum, "ij,kj->ik", optimize="greedy")
