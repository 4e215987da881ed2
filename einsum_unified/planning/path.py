"""Find the order of pairwise contractions that ``optimize=`` asks for.

A path that is returned consists of pairs: a step of more operands, which to NumPy and opt_einsum means a
nested loop over all labels, is replaced by the cheapest pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from einsum_unified.errors import PathError
from einsum_unified.language.equation import LONG
from einsum_unified.memory import charge, forgets
from einsum_unified.planning.opt_einsum import search_of
from einsum_unified.planning.search import best, within
from einsum_unified.planning.steps import Path, Terms, forwards, linear, peak, steps
from einsum_unified.planning.strategy import Strategy, step_of
from einsum_unified.wording import counted, quoted

_GREEDY = ("greedy", "eager", "opportunistic")

_LIMITED_GREEDY = 128
"""Up to this number of operands opt_einsum's greedy search gets a limit: 0.1 s, and cubic in the number."""


def find_path(terms: Terms, output: tuple[int, ...], sizes: tuple[int, ...], how: Strategy) -> Path:
    """Return the path for operands with these labels: pairs, and steps of one operand if asked for.

    Raises `PathError` if an explicit path does not fit the number of operands, and if no path is found that
    keeps the limit.

    >>> find_path(((0, 1), (1, 2), (2, 3)), (0, 3), (9, 9, 9, 2), Strategy())
    ((1, 2), (0, 1))
    """
    if how.optimizer is not None and len(terms) > 2:
        return _find(terms, output, sizes, how)  # it may be random or have state, so never cache it
    if sum(map(len, terms)) > LONG:
        return _find(terms, output, sizes, how)  # only a few long plans are kept, with their paths
    return _find_cached(terms, output, sizes, how)


def _find(terms: Terms, output: tuple[int, ...], sizes: tuple[int, ...], how: Strategy) -> Path:
    if how.name == "explicit":
        _check_fits(how.path, len(terms))
        return in_pairs(how.path, terms, output, sizes) if len(terms) > 1 else ((0,),)
    if len(terms) <= 2 or how.name == "none":
        return forwards(len(terms))
    if how.limit is not None:
        return _within(terms, output, sizes, how, how.limit)
    if how.name == "auto":
        return best(terms, output, sizes)
    return in_pairs(_asked(terms, output, sizes, how), terms, output, sizes)


def _find_and_charge(terms: Terms, output: tuple[int, ...], sizes: tuple[int, ...], how: Strategy) -> Path:
    charge(1000 + 300 * len(terms) + 20 * sum(map(len, terms)))  # once for the search's `Found`, too
    return _find(terms, output, sizes, how)


def _new_cache() -> Callable[..., Path]:
    return lru_cache(maxsize=1024)(_find_and_charge)


# Replaced as a whole, never cleared: other threads may be inside a look-up.
_find_cached = _new_cache()


@forgets
def forget_paths() -> None:
    """Forget all paths."""
    global _find_cached
    _find_cached = _new_cache()


def _check_fits(path: Path, operands: int) -> None:
    left = operands
    for number, step in enumerate(path):
        wrong = [position for position in step if not 0 <= position < left]
        if wrong:
            remain = f"{counted(left, 'operand')} {'is' if left == 1 else 'are'} left (0 to {left - 1})"
            raise PathError(f"step {number}, {quoted(step)}, names operand {quoted(wrong[0])} but {remain}")
        left -= len(step) - 1
    if left != 1:
        raise PathError(f"the path leaves {left} operands; one must remain")


def _asked(terms: Terms, output: tuple[int, ...], sizes: tuple[int, ...], how: Strategy) -> Path:
    """Return the path that a strategy of opt_einsum or a user's optimizer finds."""
    search = how.optimizer or search_of(how.name)
    inputs = [frozenset(term) for term in terms]
    # opt_einsum's dynamic programming takes a size of 0 for "no path found".
    at_least_one = {label: max(size, 1) for label, size in enumerate(sizes)}
    try:
        found = search(inputs, frozenset(output), at_least_one, how.limit)
    except RecursionError:  # a RuntimeError that says nothing about paths
        raise
    except RuntimeError as error:  # raised if the limit rules out every path
        raise PathError(f"optimize={how.name!r} found no path: {error}") from error
    if not isinstance(found, Iterable):
        raise PathError(f"the optimizer {how.name} returned {quoted(found)}, not a path")
    path = tuple(step_of(n, step) for n, step in enumerate(found))
    _check_fits(path, len(terms))
    return path


# --- limits and pairs -----------------------------------------------------------------------------


def _within(terms: Terms, output: tuple[int, ...], sizes: tuple[int, ...], how: Strategy, limit: int) -> Path:
    """Return the path of a strategy if it keeps its limit, else one that does."""
    try:
        if how.name == "auto":
            paths = [best(terms, output, sizes)]
        elif how.name in _GREEDY and len(terms) > _LIMITED_GREEDY:
            paths = []
        else:
            paths = [in_pairs(_asked(terms, output, sizes, how), terms, output, sizes, limit)]
    except PathError:
        if how.optimizer is not None:
            raise
        paths = []
    if paths and peak(steps(terms, output, sizes, paths[0])) <= limit:
        return paths[0]
    path, largest = within(terms, output, sizes, limit, paths)
    if largest > limit:
        raise PathError(
            f"optimize=({how.name!r}, {limit}): no order of pairs was found whose intermediates have at most "
            f"{counted(limit, 'element')}; the best has one of {largest}"
        )
    return path


def in_pairs(
    path: Path, terms: Terms, output: tuple[int, ...], sizes: tuple[int, ...], limit: int | None = None
) -> Path:
    """Return a path with each step of three or more operands replaced by pairs: the cheapest that are found.

    With a limit, they are pairs that keep it, if such are found.

    >>> in_pairs(((0, 1, 2),), ((0, 1), (1, 2), (2, 3)), (0, 3), (9, 9, 9, 2))
    ((1, 2), (0, 1))
    """
    if all(len(step) <= 2 for step in path):
        return tuple(tuple(sorted(step)) for step in path)
    live = list(range(len(terms)))
    found: list[list[int]] = []
    for step, made in zip(path, steps(terms, output, sizes, path), strict=True):
        taken = [live.pop(position) for position in sorted(step, reverse=True)][::-1]
        pairs: Path = (tuple(range(len(step))),)
        if len(step) > 2:
            inputs = tuple(made.inputs[step.index(position)] for position in sorted(step))
            if limit is None:
                pairs = best(inputs, made.output, sizes)
            else:
                pairs, _ = within(inputs, made.output, sizes, limit, [])
        for pair in pairs:
            found.append([taken.pop(position) for position in sorted(pair, reverse=True)])
            taken.append(len(terms) + len(found) - 1)
        live += taken
    return linear(found, len(terms))
