"""Types of a call's arguments, for type checkers and for the signatures of wrappers.

Running code does not need this module: the package imports it only for type checkers.

>>> from einsum_unified.typing import Optimize
>>> def contract(a: object, b: object, optimize: Optimize = "auto") -> object: ...
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol, SupportsIndex, TypeAlias, TypedDict

import numpy as np
from numpy import typing as npt

Numbers: TypeAlias = complex | Sequence["Numbers"]
"""A Python number, or nested lists of numbers."""

Sublist: TypeAlias = list[Any] | tuple[Any, ...] | range | npt.NDArray[np.integer[Any]]
"""The labels of one operand in the interleaved form: hashable objects and `Ellipsis`."""

Strategy: TypeAlias = Literal[
    "auto",
    "auto-hq",
    "optimal",
    "dp",
    "dynamic-programming",
    "greedy",
    "eager",
    "opportunistic",
    "random-greedy",
    "random-greedy-128",
    "branch-all",
    "branch-2",
    "branch-1",
]
"""The names that ``optimize=`` accepts: those of opt_einsum's strategies."""

Optimize: TypeAlias = Strategy | bool | list[Any] | tuple[Any, ...] | Callable[..., Any] | None
"""A name, ``(name, limit)``, a path, an `opt_einsum.paths.PathOptimizer`, True, False or None."""

Hints: TypeAlias = Mapping[Any, SupportsIndex]
"""Label (or ``...``) → the size to plan with if it is unknown."""


class Tensor(Protocol):
    """An array of any library."""

    @property
    def shape(self) -> Any:
        """The sizes of its axes."""

    @property
    def dtype(self) -> Any:
        """The type of its elements."""


class NamedDType(Protocol):
    """A dtype with a name, such as TensorFlow's."""

    @property
    def name(self) -> str:
        """The name, such as "float32"."""


class SizedDType(Protocol):
    """A dtype with its size in bytes, such as torch's."""

    @property
    def itemsize(self) -> int:
        """Bytes of an element."""


class CountedDType(Protocol):
    """A dtype with its size in bytes, such as MLX's."""

    @property
    def size(self) -> int:
        """Bytes of an element."""


DTypeLike: TypeAlias = npt.DTypeLike | NamedDType | SizedDType | CountedDType
"""A dtype of any library, or its name."""


class FrameworkKeywords(TypedDict, total=False):
    """The keywords that only one framework accepts: JAX."""

    precision: Any
    preferred_element_type: Any


class Keywords(FrameworkKeywords, total=False):
    """The keywords of `einsum_unified.einsum` without ``out=`` and ``dtype=``."""

    optimize: Optimize
    hints: Hints | None
    strict: bool | np.bool_


class DTypeKeywords(Keywords, total=False):
    """The keywords of `einsum_unified.einsum` without ``out=``."""

    dtype: DTypeLike | None


__all__ = [
    "DTypeKeywords",
    "DTypeLike",
    "FrameworkKeywords",
    "Hints",
    "Keywords",
    "Numbers",
    "Optimize",
    "Strategy",
    "Sublist",
    "Tensor",
]
