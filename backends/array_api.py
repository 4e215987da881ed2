"""Adapters for libraries that are known only because they follow the Python array API standard."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from einsum_unified.adapter import ArrayAPIAdapter, Backend


@dataclass(frozen=True)
class _Namespace:
    """A namespace as a key of a cache, compared by identity: it may be an object that cannot be hashed."""

    functions: Any

    def __hash__(self) -> int:
        return id(self.functions)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Namespace) and other.functions is self.functions


def adapter_of(namespace: Any) -> Backend:
    """Return the adapter for the arrays of a namespace, always the same one for the same namespace."""
    return _adapter(_Namespace(namespace))


@lru_cache(maxsize=64)
def _adapter(key: _Namespace) -> Backend:
    return ArrayAPIAdapter(key.functions)
