"""The memory that all caches of the package may hold together, and how they are emptied.

Each cache is a `functools.lru_cache`, which bounds the number of its entries. It also charges the estimated
size of each new entry here. When the sum passes `BUDGET`, all caches are emptied, and filled again by the
calls that follow. Entries that have been dropped meanwhile count too, so the caches hold less than the sum.
There is no lock: caches are replaced as a whole, and a charge that is lost between two threads is small.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

BUDGET = 128 * 2**20
"""The estimated bytes that caches may hold together."""

_Forget = TypeVar("_Forget", bound=Callable[[], None])
_forget: list[Callable[[], None]] = []
_charged = 0

_SCALARS = frozenset((str, bytes, int, float, complex, bool, type(None), type(...)))
_CONTAINERS = frozenset((tuple, frozenset))


def forgets(function: _Forget) -> _Forget:
    """Call a function whenever caches are emptied; use it as a decorator."""
    _forget.append(function)
    return function


def charge(size: int) -> None:
    """Add the size of a new entry of a cache; empty all caches if they hold too much."""
    global _charged
    _charged += size
    if _charged > BUDGET:
        forget_all()


def forget_all() -> None:
    """Empty all caches."""
    global _charged
    _charged = 0
    for forget in _forget:
        forget()


def is_lasting(cls: type) -> bool:
    """Whether a class is kept alive by its module: caches may hold it for nothing.

    >>> is_lasting(int), is_lasting(type("Local", (), {}))
    (True, False)
    """
    found: Any = sys.modules.get(str(cls.__module__))
    for name in cls.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is cls


def size_of_class(cls: type) -> int:
    """Return about how many bytes the caches keep alive with a class: none if its module does."""
    return 0 if is_lasting(cls) else 2000 + sum(map(sys.getsizeof, vars(cls).values()))


def size_of(value: Any) -> int | None:
    """Return about how many bytes a value of Python's own types holds; None if it contains any other object.

    Nobody can tell how much memory another object keeps alive: no cache may hold it for long.

    >>> size_of("i") < 100, size_of(("row", 2)) < 300, size_of("i" * 10**6) > 10**6, size_of(object())
    (True, True, True, None)
    """
    total, todo = 0, [value]
    while todo:
        item = todo.pop()
        cls = type(item)
        if cls in _CONTAINERS:
            todo += item
        elif cls not in _SCALARS and cls.__module__ != "numpy":
            return None
        total += sys.getsizeof(item)
        if total > BUDGET:
            return total
    return total
