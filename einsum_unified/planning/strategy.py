"""`Strategy`: a checked value of ``optimize=``."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan
from numbers import Number, Real
from operator import index
from typing import Any

import numpy as np

from einsum_unified.errors import PathError
from einsum_unified.planning.opt_einsum import search_of
from einsum_unified.planning.steps import Path
from einsum_unified.wording import quoted

_NAMES = ("auto", "auto-hq", "optimal", "dp", "greedy", "random-greedy", "branch-all", "branch-2", "branch-1")
"""The strategies that messages name; opt_einsum has a few more."""

_LONGEST = 200
"""The number of characters of a refused value that messages show."""


@dataclass(frozen=True)
class Strategy:
    """A checked and hashable value of ``optimize=``."""

    name: str = "auto"
    """A strategy of opt_einsum, "auto" (our default), "none" (left to right), or "explicit" (a path)."""
    path: Path = ()
    limit: int | None = None
    """The greatest number of elements of an intermediate."""
    optimizer: Any = None
    """A user's `opt_einsum.paths.PathOptimizer`."""


AUTO = Strategy()
"""The cheapest path that several searches find."""


def strategy(optimize: Any) -> Strategy:
    """Check a value of ``optimize=``.

    Raises `PathError` unless it is a bool, None, name, path or `PathOptimizer`, or a tuple of a name or
    `PathOptimizer` and a limit.

    >>> strategy(True).name, strategy(None).name, strategy(("greedy", 1000)).limit
    ('auto', 'none', 1000)
    >>> strategy(["einsum_path", (0, 1), (0, 1)]).path
    ((0, 1), (0, 1))
    """
    if isinstance(optimize, Strategy):
        return optimize
    if optimize is None:
        return Strategy("none")
    if isinstance(optimize, (Number, np.bool_)) and optimize in (0, 1):
        return Strategy("auto" if optimize else "none")
    if isinstance(optimize, (list, tuple)):
        return _from_items(list(optimize))
    found = _search(optimize)
    if found is None:
        raise PathError(
            f"optimize={quoted(optimize, _LONGEST)} is not a bool, None, strategy name, (name, limit), path "
            "or PathOptimizer"
        )
    return found


def distinct(optimize: Any) -> Any:
    """Return a value of ``optimize=`` as a key: two that are equal have the same meaning.

    ``1 == True``, so that ``("greedy", True)``, which is refused, is equal to ``("greedy", 1)``. Such a value
    is checked, and its `Strategy` is the key. Raises `PathError` for one that is refused.

    >>> distinct(("greedy", 9)), distinct(1.0)
    (('greedy', 9), Strategy(name='auto', path=(), limit=None, optimizer=None))
    """
    return optimize if _is_plain(optimize) else strategy(optimize)


def _is_plain(optimize: Any) -> bool:
    """Whether a value consists of tuples of text and integers, not of objects that are equal to those."""
    cls = type(optimize)
    if cls is str or cls is bool or optimize is None:
        return True
    if cls is tuple:
        for item in optimize:
            if type(item) is tuple:
                for position in item:
                    if type(position) is not int:
                        return False
            elif type(item) is not str and type(item) is not int:
                return False
        return True
    return False


def _from_items(items: list[Any]) -> Strategy:
    if items and isinstance(items[0], str) and items[0] == "einsum_path":
        items = items[1:]
    elif len(items) == 2:
        found = _search(items[0])
        if found is not None:
            return Strategy(found.name, limit=_limit(items[1]), optimizer=found.optimizer)
    return Strategy("explicit", tuple(step_of(n, step) for n, step in enumerate(items)))


def _search(optimize: Any) -> Strategy | None:
    """Return the strategy for a name or an optimizer; None for anything else."""
    if isinstance(optimize, str):
        return Strategy(_name(optimize))
    if callable(optimize) and not isinstance(optimize, type):
        return Strategy(type(optimize).__name__, optimizer=optimize)
    return None


def _name(name: str) -> str:
    if name.lower() in _NAMES:
        return name.lower()  # without opt_einsum: two operands do not need it
    try:
        search_of(name)
    except KeyError:
        known = ", ".join(_NAMES)
        raise PathError(
            f"optimize={quoted(name, _LONGEST)} is not a strategy; known strategies include: {known}"
        ) from None
    return name.lower()


def _limit(limit: Any) -> int | None:
    if limit is None:
        return None
    try:
        number = float(limit) if isinstance(limit, Real) and not isinstance(limit, bool) else nan
    except OverflowError:  # an integer above all floats
        number = nan
    if not number >= 1:
        raise PathError(
            f"the limit of optimize=(name, limit) is {quoted(limit, _LONGEST)}, not a number of elements"
        )
    return None if number == inf else int(limit)


def step_of(number: int, step: Any) -> tuple[int, ...]:
    """Return a step of a path as a tuple of integers; raises `PathError` if it is none."""
    try:
        positions = tuple(_position(position) for position in step)
    except TypeError:
        raise PathError(
            f"step {number} of the path is {quoted(step, _LONGEST)}, not a tuple of operand positions"
        ) from None
    if not positions or len(set(positions)) < len(positions):
        shown = quoted(positions, _LONGEST)
        raise PathError(f"step {number} of the path, {shown}, must name different operands, at least one")
    return positions


def _position(position: Any) -> int:
    """Return an integer; 1.0 is one, since people compute positions."""
    if isinstance(position, float) and position.is_integer():
        return int(position)
    return index(position)
