"""The caches of plans: by a call's arguments as written, then by their meaning, then for any sizes.

The first key has the arguments' values and the type, shape and dtype of each operand, in one flat tuple,
which is the fastest to hash. A call that is not found there is looked up by its meaning: equation, `Options`
reduced to those that matter, and signatures. So ``optimize=True`` and ``optimize="auto"`` are two keys of one
executable. `functools.lru_cache` bounds both levels and makes them safe under threads.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from einsum_unified.adapter.dispatch import backend_for
from einsum_unified.errors import OperandTypeError
from einsum_unified.language.equation import is_long
from einsum_unified.language.sublists import Sublists
from einsum_unified.planning.path import forget_paths
from einsum_unified.runtime.executable import Executable
from einsum_unified.runtime.generic import Family, Generic, Programs, ones_of
from einsum_unified.runtime.options import DEFAULT, Options
from einsum_unified.runtime.planner import make_executable
from einsum_unified.runtime.signature import Signature, Unprepared, is_plain

_TRIES = 16
"""The number of calls with the same sizes after which a plan for exactly these sizes is made."""


class Entry:
    """The program for a key of the first cache: at first perhaps a generic one."""

    def __init__(self, key: tuple[Any, ...], generic: Callable[..., Any] | None) -> None:
        self._key, self._generic, self._left = key, generic, _TRIES
        if generic is None:
            self._settle()

    @property
    def executable(self) -> Executable:
        """The executable for exactly these sizes. It is made now if there was only the generic program."""
        return _exact(*self._key)

    def run(self, *operands: Any) -> Any:
        """Run the generic program, until these sizes have come so often that they earn their own plan."""
        self._left -= 1
        if self._left < 0 or self._generic is None:
            return self._settle()(*operands)
        return self._generic(*operands)

    def _settle(self) -> Callable[..., Any]:
        # It hides the method of the class. A bound method in its place would be a cycle of references, and
        # entries for new shapes come faster than Python collects cycles.
        run: Callable[..., Any] = _exact(*self._key).run
        self.run = run  # type: ignore[method-assign]
        return run


def _look_up(*key: Any) -> Entry:
    """Return the program for a call: equation, optimize, dtype, strict; type, shape, dtype of each operand.

    Raises the errors of `einsum`, and `Unprepared` for arguments that this cache may not hold.
    """
    equation, optimize = key[:2]
    if not isinstance(equation, (str, Sublists)) or is_long(equation) or callable(optimize):
        raise Unprepared
    try:
        generic = _generic(key)
    except (AttributeError, TypeError, ValueError):  # a size that is not a number, or an unknown rank
        generic = None
    return Entry(key, generic)


def _exact(equation: Any, optimize: Any, dtype: Any, strict: Any, *flat: Any) -> Executable:
    signatures: tuple[Signature, ...] = tuple(zip(flat[::3], flat[1::3], flat[2::3], strict=True))
    if not all(map(is_plain, signatures)):
        raise Unprepared
    return _by_meaning(equation, Options.of(optimize, dtype, strict=strict), signatures)


def _generic(key: tuple[Any, ...]) -> Callable[..., Any] | None:
    """Return the generic program for a call with its sizes filled in; None if there is none."""
    shapes = key[5::3]
    like = *key[:4], key[4::3], key[6::3], tuple(map(len, shapes))
    family: Family = _families(*like)
    programs = family.programs or family.start()
    if programs is None:
        return None
    found = programs.read(shapes)
    if found is None:  # an axis broadcasts, or there is an error
        ones = ones_of(programs.bound.terms, shapes)
        family = _families(*like, ones)
        programs = family.programs or family.start()
        found = programs.read(shapes) if programs is not None and ones is not None else None
        if programs is None or found is None:
            return None
    program: Generic | None = _generics(programs, found[0])
    return program and program.sized(found[1])


def _by_meaning(equation: str | Sublists, options: Options, signatures: tuple[Signature, ...]) -> Executable:
    """Return the executable for arguments that can be hashed and that a cache may hold."""
    if options is not DEFAULT:
        options = options.reduced(signatures, backend_for([cls for cls, _, _ in signatures]))
    if options.strategy.optimizer is not None:  # it may be random or have state
        return make_executable(equation, options, signatures)
    kept = _long_executables if is_long(equation) else _executables
    found: Executable = kept(equation, options, signatures)
    return found


def executable_for(
    equation: str | Sublists, options: Options, signatures: tuple[Signature, ...]
) -> Executable:
    """Return the executable for prepared operands of these signatures, from the cache if it may be kept.

    Raises the errors of `einsum`.
    """
    kept = _is_hashable((options, signatures)) and all(map(is_plain, signatures))
    try:
        return (_by_meaning if kept else make_executable)(equation, options, signatures)
    except Unprepared:
        names = ", ".join(cls.__name__ for cls, _, _ in signatures)
        raise OperandTypeError(f"operands of these types cannot be planned: {names}") from None


def _is_hashable(x: Any) -> bool:
    try:
        hash(x)
    except (TypeError, ValueError):  # ValueError: TensorFlow's shape of unknown rank
        return False
    return True


def _new_caches() -> tuple[Any, ...]:
    return (
        lru_cache(maxsize=4096)(_look_up),
        lru_cache(maxsize=4096)(make_executable),
        lru_cache(maxsize=8)(make_executable),
        lru_cache(maxsize=512)(Family),
        lru_cache(maxsize=2048)(Programs.make),
    )


# Replaced as a whole, never cleared: other threads may be inside a look-up.
look_up, _executables, _long_executables, _families, _generics = _new_caches()


class CacheInfo(NamedTuple):
    """How many calls found their plan, and how many plans there are."""

    hits: int
    """Calls that found a plan for their arguments."""
    generic: int
    """Calls with new sizes that got a generic plan."""
    misses: int
    """Plans that were made, also generic ones."""
    maxsize: int
    currsize: int


def cache_info() -> CacheInfo:
    """Return the counts of the plan cache.

    >>> import einsum_unified
    >>> einsum_unified.clear_cache()
    >>> einsum_unified.cache_info()
    CacheInfo(hits=0, generic=0, misses=0, maxsize=6152, currsize=0)
    """
    exact = [_executables.cache_info(), _long_executables.cache_info()]
    generic = _generics.cache_info()
    kept = [*exact, generic]
    return CacheInfo(
        look_up.cache_info().hits + sum(info.hits for info in exact),
        generic.hits + generic.misses,
        sum(info.misses for info in kept),
        sum(info.maxsize for info in kept),
        sum(info.currsize for info in kept),
    )


def clear_cache() -> None:
    """Forget all plans and their paths. This is needed only to free memory or to measure planning."""
    global look_up, _executables, _long_executables, _families, _generics
    look_up, _executables, _long_executables, _families, _generics = _new_caches()
    forget_paths()
