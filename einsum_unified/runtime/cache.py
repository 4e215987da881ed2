"""The caches of executables, on two levels: by a call's arguments as written, then by their meaning.

The first key has the arguments' values and the type, shape and dtype of each operand, in one flat tuple,
which is the fastest to hash. A call that is not found there is looked up by its meaning: equation, `Options`
reduced to those that matter, and signatures. So ``optimize=True`` and ``optimize="auto"`` are two keys of one
executable. `functools.lru_cache` bounds both levels and makes them safe under threads. The second key has
the table of adapters, too: a call that began before an adapter was registered leaves no plan to later calls.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from einsum_unified.adapter import registry
from einsum_unified.adapter.dispatch import backend_for
from einsum_unified.adapter.registry import Table
from einsum_unified.errors import OperandTypeError
from einsum_unified.language.equation import is_long
from einsum_unified.language.sublists import Sublists
from einsum_unified.planning.path import forget_paths
from einsum_unified.planning.stored import Densities
from einsum_unified.planning.strategy import AUTO
from einsum_unified.runtime.executable import Executable
from einsum_unified.runtime.options import DEFAULT, Options
from einsum_unified.runtime.planner import current, make_executable
from einsum_unified.runtime.signature import Signature, Unprepared, is_plain


def _look_up(equation: Any, optimize: Any, dtype: Any, strict: Any, *flat: Any) -> Executable:
    """Return the executable for type, shape, dtype, type, shape, dtype, ... of the operands.

    Raises the errors of `einsum`, and `Unprepared` for arguments that this cache may not hold.
    """
    if not isinstance(equation, (str, Sublists)) or is_long(equation):
        raise Unprepared
    options = Options.of(optimize, dtype, strict=strict)
    if options.strategy.optimizer is not None:  # it may be random or have state
        raise Unprepared
    signatures: tuple[Signature, ...] = tuple(zip(flat[::3], flat[1::3], flat[2::3], strict=True))
    if not all(map(is_plain, signatures)):
        raise Unprepared
    table = registry.table
    if len(signatures) > 2 and options.strategy == AUTO and _may_be_sparse(signatures, table):
        raise Unprepared  # this key lacks the densities, which only the operands tell
    return _by_meaning(equation, options, signatures, (), table)


def _may_be_sparse(signatures: tuple[Signature, ...], table: Table) -> bool:
    return backend_for([cls for cls, _, _ in signatures], table).capabilities.sparse


def _by_meaning(
    equation: str | Sublists,
    options: Options,
    signatures: tuple[Signature, ...],
    densities: Densities,
    table: Table,
) -> Executable:
    """Return the executable for arguments that can be hashed and that a cache may hold."""
    if options is not DEFAULT:
        options = options.reduced(signatures, backend_for([cls for cls, _, _ in signatures], table))
    if options.strategy.optimizer is not None:  # it may be random or have state
        return make_executable(equation, options, signatures, densities, table)
    kept = _long_executables if is_long(equation) else _executables
    return current(kept(equation, options, signatures, densities, table))


def executable_for(
    equation: str | Sublists,
    options: Options,
    signatures: tuple[Signature, ...],
    densities: Densities = (),
    table: Table | None = None,
) -> Executable:
    """Return the executable for prepared operands of these signatures, from the cache if it may be kept.

    ``densities`` count if a path is searched for. ``table`` has the adapters; by default it is the present
    one. Raises the errors of `einsum`.
    """
    if options.strategy != AUTO:
        densities = ()
    kept = _is_hashable((options, signatures)) and all(map(is_plain, signatures))
    try:
        return (_by_meaning if kept else make_executable)(
            equation, options, signatures, densities, table or registry.table
        )
    except Unprepared:
        names = ", ".join(cls.__name__ for cls, _, _ in signatures)
        raise OperandTypeError(f"operands of these types cannot be planned: {names}") from None


def _is_hashable(x: Any) -> bool:
    try:
        hash(x)
    except (TypeError, ValueError):  # ValueError: TensorFlow's shape of unknown rank
        return False
    return True


def _new_caches() -> tuple[Any, Any, Any]:
    return (
        lru_cache(maxsize=4096)(_look_up),
        lru_cache(maxsize=4096)(make_executable),
        lru_cache(maxsize=8)(make_executable),
    )


# Replaced as a whole, never cleared: other threads may be inside a look-up.
look_up, _executables, _long_executables = _new_caches()


class CacheInfo(NamedTuple):
    """Calls that found their plan, plans that were made, and the limit and present number of plans kept."""

    hits: int
    misses: int
    maxsize: int
    currsize: int


def cache_info() -> CacheInfo:
    """Return the counts of the plan cache.

    >>> import einsum_unified
    >>> einsum_unified.clear_cache()
    >>> einsum_unified.cache_info()
    CacheInfo(hits=0, misses=0, maxsize=4104, currsize=0)
    """
    infos = [_executables.cache_info(), _long_executables.cache_info()]
    hits = look_up.cache_info().hits + sum(info.hits for info in infos)
    return CacheInfo(
        hits,
        sum(info.misses for info in infos),
        sum(info.maxsize for info in infos),
        sum(info.currsize for info in infos),
    )


def clear_cache() -> None:
    """Forget all plans and their paths. This is needed only to free memory or to measure planning."""
    global look_up, _executables, _long_executables
    look_up, _executables, _long_executables = _new_caches()
    forget_paths()
