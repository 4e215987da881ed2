"""``python -m benchmarks.detection``: the cost of finding an adapter, with all loaded or for a new class."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from benchmarks import one_thread  # isort: skip - before NumPy

import numpy as np
from rich.console import Console

from benchmarks.tables import table
from benchmarks.timing import compare
from einsum_unified import einsum, register_backend
from einsum_unified.adapter import dispatch, registry
from einsum_unified.errors import EinsumError

_ARRAYS = {"jax": "jax.numpy", "mlx": "mlx.core", "dask": "dask.array", "autograd": "autograd.numpy"}
"""Library → the module with its arrays if that is not the root package; imported before the adapter."""

_X = np.ones((4, 4))
CALLS: dict[str, Callable[[], Any]] = {
    "ij->ji": lambda: einsum("ij->ji", _X),
    "ij,jk->ik": lambda: einsum("ij,jk->ik", _X, _X),
    "ij,jk,kl->il": lambda: einsum("ij,jk,kl->il", _X, _X, _X),
}


def main() -> None:
    """Time repeated calls with one adapter and with all, and the first call with a new class."""
    one_thread.limit_frameworks()
    console = Console()
    alone = compare(CALLS)
    took = {name: _load(name) for name in dispatch.FRAMEWORKS}
    loaded = [name for name, time_ in took.items() if time_ is not None]
    for n in range(100):
        register_backend(f"library{n}.Array", dispatch.load("numpy"))
    together = compare(CALLS)
    columns = ["equation", "NumPy's adapter", f"{len(loaded)} adapters and 100 more"]
    hot = table("Hot path on NumPy, µs", columns)
    for name in CALLS:
        hot.add_row(name, f"{alone[name]:.2f}", f"{together[name]:.2f}")
    console.print(hot)
    adapters = table("Loading an adapter, its library being imported, ms", ["library", "once"])
    for name in loaded:
        adapters.add_row(name, f"{took[name]:.2f}")
    console.print(adapters)
    cold = table("A class not seen before, ms", ["class", "first call", "second class"])
    cold.add_row("derived from numpy.ndarray", *_first(lambda cls: np.ones((2, 2)).view(cls), (np.ndarray,)))
    cold.add_row("of no library: the error", *_first(lambda cls: cls(), ()))
    console.print(cold)


def _load(name: str) -> float | None:
    """Return the ms for loading an adapter; None if its library is not installed."""
    try:
        importlib.import_module(_ARRAYS.get(name, name))
    except ImportError:
        return None
    start = time.process_time()
    dispatch.load(name)
    return (time.process_time() - start) * 1e3


def _first(make: Callable[[type], Any], bases: tuple[type, ...]) -> list[str]:
    """Return the times of calls with two new classes; the first call reads the entry points."""
    registry._entry_points.cache_clear()
    return [_time(make(type(f"Array{n}", bases, {}))) for n in range(2)]


def _time(x: Any) -> str:
    start = time.process_time()
    with suppress(EinsumError):
        einsum("ij->ji", x)
    return f"{(time.process_time() - start) * 1e3:.2f}"


if __name__ == "__main__":
    main()
