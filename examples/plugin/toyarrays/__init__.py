"""A toy array library: immutable arrays of a few dtypes, with its own names for everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Kind:
    """The type of an array's elements."""

    name: str
    """The name of the dtype in NumPy and other libraries."""


KINDS = {name: Kind(name) for name in ("bool", "int64", "float32", "float64", "complex64", "complex128")}
"""All kinds by name."""


class Toy:
    """An immutable array. That NumPy stores its values is an implementation detail."""

    def __init__(self, values: Any, kind: Kind) -> None:
        self._values = np.asarray(values, kind.name)
        self._values.setflags(write=False)
        self.dtype = kind

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the axes."""
        return self._values.shape

    def tolist(self) -> Any:
        """Return nested lists of Python numbers."""
        return self._values.tolist()

    def converted(self, kind: Kind) -> Toy:
        """Return the values converted to another kind."""
        return Toy(self._values.astype(kind.name), kind)

    def permuted(self, order: Sequence[int]) -> Toy:
        """Return the array with its axes in another order."""
        return Toy(self._values.transpose(order), self.dtype)

    def refolded(self, shape: Sequence[int]) -> Toy:
        """Return the elements in another shape."""
        return Toy(self._values.reshape(shape), self.dtype)

    def every(self, step: int) -> Toy:
        """Return every ``step``-th element along the last axis."""
        return Toy(self._values[..., ::step], self.dtype)

    def stretched(self, shape: Sequence[int]) -> Toy:
        """Return the array broadcast to a shape: axes of size 1 are repeated."""
        return Toy(np.broadcast_to(self._values, shape), self.dtype)

    def total(self, axes: Sequence[int]) -> Toy:
        """Return the sum over axes."""
        return Toy(self._values.sum(axis=tuple(axes)), self.dtype)

    def times(self, other: Toy) -> Toy:
        """Multiply arrays of the same kind elementwise; axes of size 1 broadcast."""
        return Toy(self._values * other._values, self.dtype)

    def product(self, other: Toy) -> Toy:
        """Multiply matrices, or batches of matrices, of the same kind."""
        return Toy(self._values @ other._values, self.dtype)


def toy(values: Any) -> Toy:
    """Make an array from a NumPy array or nested lists, of the kind of their elements."""
    array = np.asarray(values)
    return Toy(array, KINDS[array.dtype.name])
