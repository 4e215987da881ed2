"""Types of a call's arguments, for type checkers and for the signatures of wrappers.

Nothing here is needed to run: the package imports this module only while it is type-checked.

>>> from einsum_unified.typing import Optimize
>>> def contract(a: object, b: object, optimize: Optimize = "auto") -> object: ...
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeAlias, TypedDict

import numpy as np

Numbers: TypeAlias = complex | Sequence["Numbers"]
"""A Python number, or nested lists of numbers."""

Sublist: TypeAlias = list[Any] | tuple[Any, ...]
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
"""The names that ``optimize=`` takes: those of opt_einsum."""

Optimize: TypeAlias = Strategy | bool | list[Any] | tuple[Any, ...] | Callable[..., Any] | None
"""A name, ``(name, limit)``, a path, an `opt_einsum.paths.PathOptimizer`, True, False or None."""

Hints: TypeAlias = Mapping[Any, int]
"""Label (or ``...``) → the size that it is planned with."""


class Tensor(Protocol):
    """An array of any library."""

    @property
    def shape(self) -> Any:
        """The sizes of its axes."""

    @property
    def dtype(self) -> Any:
        """The type of its elements."""


Operand: TypeAlias = Tensor | Numbers


class NamedDType(Protocol):
    """A dtype that tells its name, as TensorFlow's do."""

    @property
    def name(self) -> str:
        """Such as "float32"."""


class SizedDType(Protocol):
    """A dtype that tells its bytes, as torch's do."""

    @property
    def itemsize(self) -> int:
        """Bytes of an element."""


class CountedDType(Protocol):
    """A dtype that tells its bytes, as MLX's do."""

    @property
    def size(self) -> int:
        """Bytes of an element."""


DTypeLike: TypeAlias = str | type[Any] | np.dtype[Any] | NamedDType | SizedDType | CountedDType
"""A dtype of any library, or its name."""


class FrameworkKeywords(TypedDict, total=False):
    """The keywords that are some framework's own: JAX's."""

    precision: Any
    preferred_element_type: Any


class Keywords(FrameworkKeywords, total=False):
    """The keywords of `einsum_unified.einsum` that leave the dtype as it is."""

    optimize: Optimize
    hints: Hints | None
    strict: bool


class DTypeKeywords(Keywords, total=False):
    """The keywords of `einsum_unified.einsum` beside ``out=``."""

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
