"""The caches of executables, on two levels: by a call's arguments as written, then by their meaning.

The first key has the arguments' values and the type, shape and dtype of each operand, in one flat tuple,
which is the fastest to hash. A call that is not found there is looked up by its meaning: equation, `Options`
reduced to those that matter, and signatures. So ``optimize=True`` and ``optimize="auto"`` are two keys of one
executable. `functools.lru_cache` bounds both levels and makes them safe under threads. The second key has
the table of adapters, too: a call that began before an adapter was registered leaves no plan to later calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

from einsum_unified.adapter import registry
from einsum_unified.adapter.dispatch import PACKAGES, backend_for, forget_classes, root_of
from einsum_unified.adapter.registry import Table
from einsum_unified.errors import EinsumError, OperandTypeError
from einsum_unified.language.equation import is_long, parse, size_of_equation
from einsum_unified.language.letters import unnamed
from einsum_unified.language.sublists import Sublists
from einsum_unified.memory import charge, forget_all, forgets, size_of, size_of_class
from einsum_unified.planning.stored import Densities
from einsum_unified.planning.strategy import AUTO, Strategy
from einsum_unified.runtime.executable import Executable
from einsum_unified.runtime.options import DEFAULT, Options
from einsum_unified.runtime.planner import current, make_executable
from einsum_unified.runtime.signature import Signature, Unprepared, is_plain
from einsum_unified.wording import class_name, listed


def _look_up(equation: Any, optimize: Any, dtype: Any, strict: Any, *flat: Any) -> Executable:
    """Return the executable for type, shape, dtype, type, shape, dtype, ... of the operands.

    Raises the errors of `einsum`, and `Unprepared` for arguments that this cache may not hold.
    """
    if type(equation) is not str or is_long(equation) or not _is_plain_dtype(dtype, flat[::3]):
        raise Unprepared
    options = Options.of(optimize, dtype, strict=strict)
    size = size_of(optimize.path if isinstance(optimize, Strategy) else optimize)
    if options.strategy.optimizer is not None or size is None:  # the first may be random or have state
        raise Unprepared
    signatures: tuple[Signature, ...] = tuple(zip(flat[::3], flat[1::3], flat[2::3], strict=True))
    if not all(map(is_plain, signatures)):
        raise Unprepared
    table = registry.table
    if len(signatures) > 2 and options.strategy == AUTO and _may_be_sparse(signatures, table):
        raise Unprepared  # this key lacks the densities, which only the operands tell
    charge(_ENTRY + size)
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
    whole: bool = False,
) -> Executable:
    """Return the executable for prepared operands of these signatures, from the cache if it may be kept.

    ``densities`` count if a path is searched for. ``table`` has the adapters; by default it is the present
    one. If a label is an object, whose size nobody knows, the executable has integers in place of the labels;
    but not if it has to be ``whole``, for a plan that shows them. Raises the errors of `einsum`.
    """
    if options.strategy != AUTO:
        densities = ()
    plain = all(map(is_plain, signatures)) and _is_hashable((options, signatures))
    try:
        asked = options, signatures, densities, table or registry.table
        if not plain or not _is_plain_dtype(options.dtype, [cls for cls, _, _ in signatures]):
            return make_executable(equation, *asked)
        if not isinstance(equation, Sublists) or equation.size is not None:
            return _by_meaning(equation, *asked)
        if not (whole or options.strict or options.hints):
            with suppress(EinsumError):  # it would name integers
                return _by_meaning(unnamed(parse(equation)), *asked)
        return make_executable(equation, *asked)
    except Unprepared:
        names = listed([class_name(cls) for cls, _, _ in signatures], most=8)
        raise OperandTypeError(f"operands of these types cannot be planned: {names}") from None


def _is_plain_dtype(dtype: Any, classes: Sequence[type]) -> bool:
    """Whether a cache may hold a value of ``dtype=``: a small one, or an object of a library of arrays."""
    if dtype is None or isinstance(dtype, type) or size_of(dtype) is not None:
        return True
    root = root_of(type(dtype))
    return root in PACKAGES or root in map(root_of, classes)


def _is_hashable(x: Any) -> bool:
    try:
        hash(x)
    except (TypeError, ValueError):  # ValueError: TensorFlow's shape of unknown rank
        return False
    return True


def _make_and_charge(
    equation: str | Sublists,
    options: Options,
    signatures: tuple[Signature, ...],
    densities: Densities,
    table: Table,
) -> Executable:
    made = make_executable(equation, options, signatures, densities, table)
    labels = sum(map(len, made.equation.inputs)) + len(made.equation.output)
    classes = sum(size_of_class(cls) for cls in {cls for cls, _, _ in signatures})
    charge(size_of_equation(equation) + _ENTRY * (8 + len(signatures)) + 200 * labels + classes)
    return made


def _new_caches() -> tuple[Any, Any, Any]:
    return (
        lru_cache(maxsize=4096)(_look_up),
        lru_cache(maxsize=4096)(_make_and_charge),
        lru_cache(maxsize=8)(_make_and_charge),
    )


# Replaced as a whole, never cleared: other threads may be inside a look-up.
look_up, _executables, _long_executables = _new_caches()

_ENTRY = 1024
"""The estimated bytes of an entry in the first cache, and of what a plan holds for each operand."""


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
    """Forget all plans, paths, equations and classes of operands, to free memory or to measure planning.

    This is not needed for anything else: the caches hold at most some thousand plans and about 128 MB.
    """
    forget_all()
    forget_classes(known_by_example=True)


@forgets
def _forget() -> None:
    global look_up, _executables, _long_executables
    look_up, _executables, _long_executables = _new_caches()
