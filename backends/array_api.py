"""Adapters for libraries that are known only because they follow the Python array API standard."""

from __future__ import annotations

from typing import Any
from weakref import WeakValueDictionary

from einsum_unified.adapter import ArrayAPIAdapter, Backend

_adapters: WeakValueDictionary[int, Backend] = WeakValueDictionary()
"""Identity of a namespace, which its adapter keeps alive → adapter. A namespace need not be hashable."""


def adapter_of(namespace: Any) -> Backend:
    """Return the adapter for the arrays of a namespace, always the same one for the same namespace."""
    known = _adapters.get(id(namespace))
    return _adapters.setdefault(id(namespace), ArrayAPIAdapter(namespace)) if known is None else known
