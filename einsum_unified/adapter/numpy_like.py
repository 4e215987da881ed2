"""`NumPyLikeAdapter`: for libraries that have NumPy's functions under NumPy's names, and NumPy's dtypes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from einsum_unified.adapter.namespace import NamespaceAdapter
from einsum_unified.adapter.numpy_dtypes import dtype_from_name, result_type
from einsum_unified.language.letters import Term, letters


class NumPyLikeAdapter(NamespaceAdapter):
    """A base class for adapters of namespaces like NumPy's.

    A derived class adds ``name``, `form` and `asarray`, and overrides each member that its library does
    differently.

    >>> import numpy as np
    >>> NumPyLikeAdapter(np).sum(np.ones((2, 3), "int8"), (0,))
    array([2, 2, 2], dtype=int8)
    """

    def __init__(self, namespace: Any) -> None:
        self.namespace = namespace
        """The module or object that has the functions."""

    def dtype_from_name(self, name: str) -> Any:
        """Return NumPy's dtype with a name, or that of ml_dtypes if ml_dtypes is imported."""
        return dtype_from_name(name)

    def result_type(self, names: Sequence[str], weak: Sequence[type]) -> str:
        """Promote as NumPy does; where it has no rule, on the lattice that torch and JAX share."""
        return result_type(names, weak)

    def cast(self, x: Any, dtype: Any) -> Any:
        """Cast to another dtype."""
        return x.astype(dtype)

    def transpose(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Permute axes."""
        return self.namespace.transpose(x, axes)

    def native(self, terms: Sequence[Term], output: Term) -> Callable[..., Any]:
        """Return the namespace's ``einsum`` for the equation."""
        return partial(self.namespace.einsum, letters(terms, output))
