"""The adapter: the operations that einsum_unified needs, on toy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from einsum_unified.adapter import Adapter, Capabilities, Form
from toyarrays import KINDS, Kind, Toy


class ToyAdapter(Adapter):
    """The adapter of toy arrays; `Adapter` provides the other operations."""

    name = "toyarrays"
    capabilities = Capabilities(
        arithmetic={
            "bool": "float64"
        },  # True + True must be True: bools are summed as float64, and the result is cast back
        dtypes=frozenset(KINDS),
        gaps={"out": "arrays are immutable"},
    )

    def form(self, cls: type) -> Form | None:
        return Form.TENSOR if issubclass(cls, Toy) else None

    def dtype_from_name(self, name: str) -> Any:
        return KINDS.get(name)

    def asarray(self, x: Any, like: Any, dtype: Kind) -> Toy:
        return Toy(x, dtype)

    def to_numpy(self, x: Toy) -> Any:
        return np.array(x.tolist(), x.dtype.name).reshape(x.shape)

    def broadcast_to(self, x: Toy, shape: tuple[Any, ...]) -> Toy:
        return x.stretched(shape)

    def cast(self, x: Toy, dtype: Kind) -> Toy:
        return x.converted(dtype)

    def transpose(self, x: Toy, axes: tuple[int, ...]) -> Toy:
        return x.permuted(axes)

    def reshape(self, x: Toy, shape: tuple[Any, ...]) -> Toy:
        return x.refolded(shape)

    def diagonal(self, x: Toy, axis1: int, axis2: int) -> Toy:
        rest = [axis for axis in range(len(x.shape)) if axis not in (axis1, axis2)]
        n = x.shape[axis1]
        flat = x.permuted([*rest, axis1, axis2]).refolded([*[x.shape[axis] for axis in rest], n * n])
        return flat.every(n + 1)

    def sum(self, x: Toy, axes: tuple[int, ...]) -> Toy:
        return x.total(axes)

    def matmul(self, a: Toy, b: Toy) -> Toy:
        return a.product(b)

    def multiply(self, a: Toy, b: Toy) -> Toy:
        return a.times(b)


adapter = ToyAdapter()
