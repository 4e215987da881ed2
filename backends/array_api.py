"""Adapters for libraries that are known only by following the Python array API standard."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from einsum_unified.backend import ArrayAPIAdapter, Backend


@lru_cache(maxsize=64)
def adapter_of(namespace: Any) -> Backend:
    """Return the adapter for the arrays of a namespace: one for each, by which they are told apart."""
    return ArrayAPIAdapter(namespace)
