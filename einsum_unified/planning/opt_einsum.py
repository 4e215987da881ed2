"""The searches of opt_einsum. Only this module uses opt_einsum.

It is imported when it is needed: the default does without it for up to eight operands, and
its import takes a third of the time to import the package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from einsum_unified.errors import BackendError
from einsum_unified.forks import forks_wait
from einsum_unified.planning.steps import Path


def search_of(name: str) -> Callable[..., Any]:
    """Return the function with a name; raises KeyError."""
    search: Callable[..., Any] = _opt_einsum().paths.get_path_fn(name)
    return search


def greedy(
    terms: Sequence[frozenset[int]], output: Iterable[int], sizes: Sequence[int], cost: Any = "memory-removed"
) -> Path:
    """Return the path of greedy search with a heuristic cost of pairs, by name or as a function."""
    at_least_one = {label: max(size, 1) for label, size in enumerate(sizes)}
    found = _opt_einsum().paths.greedy(terms, frozenset(output), at_least_one, cost_fn=cost)
    return tuple(map(tuple, found))


def installed() -> bool:
    """Whether opt_einsum can be imported."""
    try:
        _opt_einsum()
    except BackendError:
        return False
    return True


def _opt_einsum() -> Any:
    try:
        with forks_wait():
            import opt_einsum
    except ImportError as error:
        headline = f"strategies by name, and the default for nine or more operands, need opt_einsum: {error}"
        notes = ["try: pip install opt_einsum", "or say the order: optimize=False is from left to right"]
        raise BackendError.of(headline, notes=notes) from error
    return opt_einsum
