"""Choose the order of pairwise contractions. Only this module uses opt_einsum.

A path is a list of steps. A step has the positions of the operands that it takes out of the list of operands;
its result is appended to the end of that list (the convention of opt_einsum and NumPy).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from math import inf, nan
from numbers import Number, Real
from operator import index
from typing import Any, NamedTuple

import numpy as np

from einsum_unified.errors import BackendError, PathError
from einsum_unified.forks import forks_wait
from einsum_unified.language.equation import LONG
from einsum_unified.memory import charge, forgets
from einsum_unified.wording import counted

Path = tuple[tuple[int, ...], ...]
Terms = tuple[tuple[int, ...], ...]

_GREEDY_PAIRS = 100_000
"""The greatest number of operand pairs with a common label for which the default searches: some µs each."""

_EXACT_OPERANDS = 5
"""Up to this number of operands the default also searches all orders (a millisecond)."""

_DP_OPERANDS = 8
"""Up to this number it tries dynamic programming, also with outer products (3**8 pairs, some ms)."""

_SPARSE_OPERANDS = 12
"""Up to this number it tries that without outer products, for large work if few operands share labels."""

_BRANCH_OPERANDS = 16
"""Up to this number it also tries the path that takes the cheapest of all products in each step (some ms)."""

_WORTH = 10**5
"""The FLOPs above which ten milliseconds of planning are worth the time."""

_TURNS = 32
"""A path is not compared if its steps handle each label more often than this, on average over the labels."""

_SEARCHES = 8
"""How often the default searches for one equation with ever new sizes, before it reuses paths found."""


_NAMES = ("auto", "auto-hq", "optimal", "dp", "greedy", "random-greedy", "branch-all", "branch-2", "branch-1")
"""The strategies that messages name; opt_einsum has a few more."""


@dataclass(frozen=True)
class Strategy:
    """A checked and hashable value of ``optimize=``."""

    name: str = "auto"
    """A strategy of opt_einsum, "auto" (our default), "none" (left to right), or "explicit" (a path)."""
    path: Path = ()
    limit: int | None = None
    """The greatest number of elements of an intermediate, if the strategy respects a limit."""
    optimizer: Any = None
    """A user's `opt_einsum.paths.PathOptimizer`."""


AUTO = Strategy()
"""The cheapest path that several searches find."""


def strategy(optimize: Any) -> Strategy:
    """Check a value of ``optimize=``.

    Raises `PathError` unless it is a bool, None, name, ``(name, limit)``, path or `PathOptimizer`.

    >>> strategy(True).name, strategy(None).name, strategy(("greedy", 1000)).limit
    ('auto', 'none', 1000)
    >>> strategy(["einsum_path", (0, 1), (0, 1)]).path
    ((0, 1), (0, 1))
    """
    if optimize is None:
        return Strategy("none")
    # Not only True and False: a value equal to them finds their plans in the cache.
    if isinstance(optimize, (Number, np.bool_)) and optimize in (0, 1):
        return Strategy("auto" if optimize else "none")
    if isinstance(optimize, str):
        return Strategy(_name(optimize))
    if callable(optimize) and not isinstance(optimize, type):
        return Strategy(type(optimize).__name__, optimizer=optimize)
    if isinstance(optimize, (list, tuple)):
        return _from_items(list(optimize))
    raise PathError(
        f"optimize={optimize!r} is not a bool, None, strategy name, (name, limit), path or PathOptimizer"
    )


def _from_items(items: list[Any]) -> Strategy:
    named = bool(items) and isinstance(items[0], str)
    if named and items[0] != "einsum_path" and len(items) == 2:
        return Strategy(_name(items[0]), limit=_limit(items[1]))
    if named and items[0] == "einsum_path":
        items = items[1:]
    return Strategy("explicit", tuple(_step(n, step) for n, step in enumerate(items)))


def _name(name: str) -> str:
    if name.lower() in _NAMES:
        return name.lower()  # without opt_einsum: two operands do not need it
    try:
        _search_of(name)
    except KeyError:
        known = ", ".join(_NAMES)
        raise PathError(f"optimize={name!r} is not a strategy; known strategies include: {known}") from None
    return name.lower()


def _search_of(name: str) -> Callable[..., Any]:
    """Return opt_einsum's function with a name; raises KeyError."""
    search: Callable[..., Any] = _opt_einsum().paths.get_path_fn(name)
    return search


def _opt_einsum() -> Any:
    """Import opt_einsum: two operands do not need it, and it is a third of the time to import the package."""
    try:
        with forks_wait():
            import opt_einsum
    except ImportError as error:
        headline = f"three or more operands need opt_einsum, which finds their order: {error}"
        notes = ["try: pip install opt_einsum", "or say the order: optimize=False is from left to right"]
        raise BackendError.of(headline, notes=notes) from error
    return opt_einsum


def _limit(limit: Any) -> int | None:
    if limit is None:
        return None
    number = float(limit) if isinstance(limit, Real) and not isinstance(limit, bool) else nan
    if not number >= 0:
        raise PathError(f"the limit of optimize=(name, limit) is {limit!r}, not a number of elements")
    return None if number == inf else int(number)


def _step(number: int, step: Any) -> tuple[int, ...]:
    try:
        positions = tuple(_position(position) for position in step)
    except TypeError:
        raise PathError(f"step {number} of the path is {step!r}, not a tuple of operand positions") from None
    if not positions or len(set(positions)) < len(positions):
        raise PathError(f"step {number} of the path, {positions}, must name different operands, at least one")
    return positions


def _position(position: Any) -> int:
    """Return an integer. 1.0 is accepted, since as a key it finds the plans of 1 in the cache."""
    if isinstance(position, float) and position.is_integer():
        return int(position)
    return index(position)


def find_path(terms: Terms, output: tuple[int, ...], sizes: tuple[int, ...], how: Strategy) -> Path:
    """Return the path for operands with these labels.

    Raises `PathError` if an explicit path does not fit the number of operands.

    >>> find_path(((0, 1), (1, 2), (2, 3)), (0, 3), (9, 9, 9, 2), Strategy())
    ((1, 2), (0, 1))
    """
    if len(terms) <= 2 and how.name != "explicit":
        return (tuple(range(len(terms))),)
    if how.optimizer is not None:
        return _search(terms, output, sizes, how)  # it may be random or have state, so never cache it
    if sum(map(len, terms)) > LONG:
        return _find(terms, output, sizes, how)  # only a few long plans are kept, with their paths
    return _find_cached(terms, output, sizes, how)


def _find(terms: Terms, output: tuple[int, ...], sizes: tuple[int, ...], how: Strategy) -> Path:
    if how.name == "explicit":
        _check_fits(how.path, len(terms))
        return how.path if len(terms) > 1 else ((0,),)
    if how.name == "none":
        return (tuple(range(len(terms))),)
    if how.name == "auto":
        return _best(terms, output, sizes, how.limit)
    return _search(terms, output, sizes, how)


@dataclass
class Found:
    """The paths that searches found for operands with these labels, of any sizes; at most `_SEARCHES`."""

    terms: Terms
    output: tuple[int, ...]
    paths: tuple[Path, ...] = ()

    def add(self, path: Path) -> None:
        """Keep a path. If two threads add at the same time, one path may be lost; it is found again."""
        self.paths = (*self.paths, path)[:_SEARCHES]


def _new_caches() -> tuple[Callable[..., Path], Callable[[Terms, tuple[int, ...]], Found]]:
    return lru_cache(maxsize=1024)(_find_and_charge), lru_cache(maxsize=1024)(Found)


def _find_and_charge(terms: Terms, output: tuple[int, ...], sizes: tuple[int, ...], how: Strategy) -> Path:
    charge(1000 + 300 * len(terms) + 20 * sum(map(len, terms)))  # once for `Found`, too
    return _find(terms, output, sizes, how)


# Replaced as a whole, never cleared: other threads may be inside a look-up.
_find_cached, _found = _new_caches()


@forgets
def forget_paths() -> None:
    """Forget all paths."""
    global _find_cached, _found
    _find_cached, _found = _new_caches()


def pairwise(path: Path, operands: int) -> Path:
    """Split steps of three and more operands into pairs, from left to right.

    >>> pairwise(((0, 1, 2),), 3)
    ((0, 1), (0, 1))
    """
    pairs: list[tuple[int, ...]] = []
    for step in path:
        first, *rest = sorted(step)
        pairs.append((first, *rest[:1]))
        operands -= len(rest[:1])
        for gone, position in enumerate(rest[1:], 2):
            pairs.append((position - gone, operands - 1))  # the last operand is the result of the step so far
            operands -= 1
    return tuple(pairs)


def _check_fits(path: Path, operands: int) -> None:
    left = operands
    for number, step in enumerate(path):
        wrong = [position for position in step if not 0 <= position < left]
        if wrong:
            remain = f"{counted(left, 'operand')} {'is' if left == 1 else 'are'} left (0 to {left - 1})"
            raise PathError(f"step {number}, {step}, names operand {wrong[0]} but {remain}")
        left -= len(step) - 1
    if left != 1:
        raise PathError(f"the path leaves {left} operands; one must remain")


def _search(terms: Terms, output: tuple[int, ...], sizes: tuple[int, ...], how: Strategy) -> Path:
    search = how.optimizer or _search_of(how.name)
    inputs = [frozenset(term) for term in terms]
    # opt_einsum's dynamic programming takes a size of 0 for "no path found".
    at_least_one = {label: max(size, 1) for label, size in enumerate(sizes)}
    try:
        found = search(inputs, frozenset(output), at_least_one, how.limit)
    except RuntimeError as error:  # raised if the limit rules out every path
        raise PathError(f"optimize={how.name!r} found no path: {error}") from error
    if not isinstance(found, Iterable):
        raise PathError(f"the optimizer {how.name} returned {found!r}, not a path")
    path = tuple(_step(n, step) for n, step in enumerate(found))
    _check_fits(path, len(terms))
    return path


def _best(terms: Terms, output: tuple[int, ...], sizes: tuple[int, ...], limit: int | None) -> Path:
    """Return the cheapest of greedy's path, left to right, right to left, and what searches find.

    opt_einsum's own "auto" is often far from the best path if labels occur in more than two operands. If
    every call has new sizes, searching would cost more time than it saves. After `_SEARCHES` searches the
    paths found for other sizes are tried instead.
    """
    count = len(terms)
    forwards = (tuple(range(count)),)
    if _pairs(terms) > _GREEDY_PAIRS:
        return forwards
    cost = partial(_cost_and_size, terms, output, sizes)
    greedy = _search(terms, output, sizes, Strategy("greedy", limit=limit))
    if limit is not None:
        return greedy
    # People often write operands in a good order, or in its reverse.
    backwards = tuple((n - 1, n) for n in range(count - 1, 0, -1))
    best, flops = _cheapest([greedy, forwards, backwards], cost, _TURNS * sum(map(len, terms)))
    searches = _searches(terms, flops)
    if not searches:
        return best
    found = _found(terms, output)
    if len(found.paths) >= _SEARCHES:
        return min([best, *found.paths], key=cost)
    best = min([best, *(_search(terms, output, sizes, how) for how in searches)], key=cost)
    found.add(best)
    return best


def _cheapest(
    paths: Sequence[Path], cost: Callable[..., tuple[float, float]], labels: int
) -> tuple[Path, float]:
    """Return the cheapest of some paths, the first of equal ones, and its FLOPs.

    Of those after the first, the costs of the steps are added up only as long as the path may be the
    cheapest: left to right, thousands of operands can have intermediates of thousands of labels.
    """
    best, least = paths[0], cost(paths[0])
    for path in paths[1:]:
        found = cost(path, least[0], labels)
        if found < least:
            best, least = path, found
    return best, least[0]


def _cost_and_size(
    terms: Terms,
    output: tuple[int, ...],
    sizes: tuple[int, ...],
    path: Path,
    most: float = inf,
    labels: float = inf,
) -> tuple[float, float]:
    """Return the FLOPs of a path and, for equal FLOPs, the number of elements of its largest intermediate.

    Both are infinite if the path has more FLOPs than ``most``, or more ``labels`` in all steps together.
    """
    flops = elements = 0
    for step in each_step(terms, output, sizes, path):
        flops, elements = flops + step.flops, max(elements, step.elements)
        labels -= sum(map(len, step.inputs))
        if flops > most or labels < 0:
            return inf, inf
    return flops, elements


def _searches(terms: Terms, cost: float) -> list[Strategy]:
    """Return the searches that are worth their time, if the best simple path has this cost in FLOPs."""
    if len(terms) <= _DP_OPERANDS:
        # They count only multiplications, not additions, so neither is always better by our FLOPs.
        dp = [Strategy("dp"), Strategy("dp", optimizer=_opt_einsum().DynamicProgramming(search_outer=True))]
        return [*dp, Strategy("optimal")] if len(terms) <= _EXACT_OPERANDS else dp
    if cost <= _WORTH or len(terms) > _BRANCH_OPERANDS:
        return []
    sparse = len(terms) <= _SPARSE_OPERANDS and _pairs(terms) <= 2 * len(terms)
    return [Strategy("branch-1"), *([Strategy("dp")] if sparse else [])]


def _pairs(terms: Terms) -> int:
    counts = Counter(label for term in terms for label in term)
    return sum(count * (count - 1) // 2 for count in counts.values())


class Step(NamedTuple):
    """One pairwise contraction (or one operand on its own) of a path."""

    positions: tuple[int, ...]
    """The positions of the operands that it takes out of the list."""
    inputs: tuple[tuple[int, ...], ...]
    output: tuple[int, ...]
    flops: int
    """Multiplications, and additions if a label is summed: one multiply-add counts 2."""
    elements: int
    """The number of elements of the result."""


def steps(
    terms: Sequence[Sequence[int]], output: Sequence[int], sizes: Sequence[int], path: Path
) -> tuple[Step, ...]:
    """Return the steps of a path, on the distinct labels of each operand."""
    return tuple(each_step(terms, output, sizes, path))


def each_step(
    terms: Sequence[Sequence[int]], output: Sequence[int], sizes: Sequence[int], path: Path
) -> Iterator[Step]:
    """Yield the steps that `steps` returns, for callers that may need only the first ones."""
    live = [tuple(dict.fromkeys(term)) for term in terms]
    counts: dict[int, int] = dict.fromkeys(output, 1)
    for label in (label for term in live for label in term):
        counts[label] = counts.get(label, 0) + 1
    for step in pairwise(path, len(terms)):
        inputs = tuple(live[position] for position in step)
        for position in sorted(step, reverse=True):
            live.pop(position)
        labels = tuple(dict.fromkeys(label for term in inputs for label in term))
        for label in (label for term in inputs for label in term):
            counts[label] -= 1
        kept = tuple(label for label in labels if counts[label])
        for label in kept:
            counts[label] += 1
        volume, elements = _product(labels, sizes), _product(kept, sizes)
        summed = len(kept) < len(labels)
        flops = volume * (len(inputs) - 1 + summed)
        yield Step(step, inputs, kept if live else tuple(output), flops, elements)
        live.append(kept)


def _product(labels: Iterable[int], sizes: Sequence[int]) -> int:
    total = 1
    for label in labels:
        total *= sizes[label]
    return total
