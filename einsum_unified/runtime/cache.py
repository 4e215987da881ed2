"""The caches of plans: by a call's arguments as written, then by their meaning, then for any sizes.

The first key has the arguments' values and the type, shape and dtype of each operand, in one flat tuple,
which is the fastest to hash. A call that is not found there is looked up by its meaning: equation, `Options`
reduced to those that matter, and signatures. So ``optimize=True`` and ``optimize="auto"`` are two keys of one
executable. `functools.lru_cache` bounds both levels and makes them safe under threads. The second key has
the table of adapters, too: a call that began before an adapter was registered leaves no plan to later calls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from einsum_unified.adapter import Backend, registry
from einsum_unified.adapter.dispatch import (
    PACKAGES,
    backend_for,
    backend_of,
    default_backend,
    forget_classes,
    root_of,
)
from einsum_unified.adapter.registry import Table
from einsum_unified.binding.bound import Bound
from einsum_unified.dtypes import WEAK
from einsum_unified.errors import EinsumError, OperandTypeError
from einsum_unified.language.equation import is_long, parse, size_of_equation
from einsum_unified.language.letters import unnamed
from einsum_unified.language.sublists import Sublists, sublists_of
from einsum_unified.memory import charge, forget_all, forgets, size_of, size_of_class
from einsum_unified.planning.stored import Densities
from einsum_unified.planning.strategy import AUTO, Strategy
from einsum_unified.runtime.executable import Executable
from einsum_unified.runtime.generic import Call, Family, Generic, Magnitudes, Programs, ones_of
from einsum_unified.runtime.options import DEFAULT, DEFAULT_OPTIMIZE, Options
from einsum_unified.runtime.out import check_out
from einsum_unified.runtime.planner import current, make_executable
from einsum_unified.runtime.preparing import is_faithful
from einsum_unified.runtime.signature import Signature, Unprepared, is_plain
from einsum_unified.wording import class_name, listed

_TRIES = 16
"""The number of calls with the same sizes after which a plan for exactly these sizes is made."""


Sized = tuple[Callable[..., Any], Bound, tuple[int, ...]]
"""A generic program with its sizes filled in, the equation it is for, and the sizes of the labels."""


class Entry:
    """The program for a key of the first cache: at first perhaps a generic one."""

    # Of the class until they change: most entries are used once.
    _left = _TRIES
    _executable: Executable | None = None
    _filled: tuple[Any, Any, Any, Backend] | None = None

    def __init__(self, table: Table, key: tuple[Any, ...], generic: Sized | None) -> None:
        # All its programs are of one table of adapters, and so is what fills `out=`.
        self._table, self._key, self._generic = table, key, generic
        if generic is None:
            self._settle()

    @property
    def executable(self) -> Executable:
        """The executable for exactly these sizes. It is made now if there was only the generic program."""
        if self._executable is None:
            self._executable = _exact(self._table, *self._key)
        return current(self._executable)

    def prepared(self, operands: Sequence[Any]) -> Sequence[Any]:
        """Return the operands as `executable` takes them."""
        return operands

    def run(self, *operands: Any) -> Any:
        """Run the generic program, until these sizes have come so often that they earn their own plan."""
        self._left -= 1
        if self._left < 0 or self._generic is None:
            return self._settle()(*operands)
        return self._generic[0](*operands)

    def _settle(self) -> Callable[..., Any]:
        # It hides the method of the class. A bound method in its place would be a cycle of references, and
        # entries for new shapes come faster than Python collects cycles.
        run: Callable[..., Any] = self.executable.run
        self.run = run  # type: ignore[method-assign]
        return run

    def backend_to_fill(self, out: Any) -> Backend:
        """Return the adapter that can fill ``out=``; raises the errors of `check_out`."""
        if self._filled is not None:
            cls, shape, dtype, backend = self._filled
            if type(out) is cls and out.shape == shape and out.dtype == dtype and backend.hint(out) is None:
                return backend
        shape, dtype, backend, table, lasting = self._result()
        check_out(out, shape, dtype, backend, table)
        if lasting and type(out) in self._key[4::3]:  # of no other class does a cache hold an instance's
            self._filled = type(out), out.shape, out.dtype, backend
        return backend

    def _result(self) -> tuple[tuple[int, ...] | None, str, Backend, Table, bool]:
        """Return the result's shape, if known, its dtype, adapter, table, and whether these never change."""
        if self._generic is not None and self._executable is None:
            _, bound, sizes = self._generic
            backend = backend_for(self._key[4::3], self._table)
            return tuple([sizes[label] for label in bound.output]), bound.dtype, backend, self._table, True
        found = self.executable
        return found.bound.shape, found.bound.dtype, found.backend, found.table, found.settings is None


class Converted(Entry):
    """The entry for a key with classes of arrays that NumPy turns into its own, such as `numpy.matrix`.

    It runs the entry for the arrays that come of it.
    """

    def __init__(self, entry: Entry, places: tuple[int, ...]) -> None:
        self._entry, self._places = entry, places

    @property
    def executable(self) -> Executable:
        """The executable for the converted operands."""
        return self._entry.executable

    def prepared(self, operands: Sequence[Any]) -> Sequence[Any]:
        """Convert the operands that are not plain arrays."""
        xs = list(operands)
        for place in self._places:
            xs[place] = np.asarray(xs[place])
        return xs

    def run(self, *operands: Any) -> Any:
        """Convert the operands, and run."""
        return self._entry.run(*self.prepared(operands))

    def backend_to_fill(self, out: Any) -> Backend:
        """Return the adapter that can fill ``out=``; raises the errors of `check_out`."""
        return self._entry.backend_to_fill(out)


def _look_up(*key: Any) -> Entry:
    """Return the program for a call: equation, optimize, dtype, strict; type, shape, dtype of each operand.

    The equation is text, or `flat_sublists`. Raises the errors of `einsum`, and `Unprepared` for arguments
    that this cache may not hold.
    """
    equation, optimize, dtype = key[:3]
    if type(equation) is tuple:
        equation = sublists_of(equation, (len(key) - 4) // 3)
        key = equation, *key[1:]
    elif type(equation) is not str:
        raise Unprepared
    classes = key[4::3]
    if is_long(equation) or (dtype is not None and not _is_plain_dtype(dtype, classes)):
        raise Unprepared
    size = 0 if optimize is DEFAULT_OPTIMIZE else _size_of_strategy(optimize)
    table = registry.table
    places = _converted(table, classes)
    if places:
        flat = list(key[4:])
        for place in places:
            flat[3 * place] = np.ndarray
        charge(_ENTRY)
        return Converted(look_up(*key[:4], *flat), places)
    try:
        generic = _generic(table, key)
    except (AttributeError, TypeError, ValueError):  # a size that is not a number, or an unknown rank
        generic = None
    charge(_ENTRY + size)
    return Entry(table, key, generic)


def _size_of_strategy(optimize: Any) -> int:
    """Return the size of a value of ``optimize=`` in a key; raises `Unprepared` if no cache may hold it."""
    if isinstance(optimize, Strategy):
        if optimize.optimizer is not None:  # it may be random or have state
            raise Unprepared
        optimize = optimize.path
    size = size_of(optimize)
    if size is None:
        raise Unprepared
    return size


def _places_to_convert(table: Table, classes: tuple[type, ...]) -> tuple[int, ...]:
    """Return the operands that NumPy has to turn into arrays, of the same shape and dtype.

    Raises `Unprepared` if there is more to do: their values may decide about shape and dtype.
    """
    places = []
    for place, cls in enumerate(classes):
        if cls is not np.ndarray and cls not in WEAK and backend_of(cls, table=table) is default_backend():
            if not is_faithful(cls):
                raise Unprepared
            places.append(place)
    charge(sum(map(size_of_class, classes)))
    return tuple(places)


def _exact(
    table: Table, equation: str | Sublists, optimize: Any, dtype: Any, strict: Any, *flat: Any
) -> Executable:
    signatures: tuple[Signature, ...] = tuple(zip(flat[::3], flat[1::3], flat[2::3], strict=True))
    if not all(map(is_plain, signatures)):
        raise Unprepared
    options = Options.of(optimize, dtype, strict=strict)
    if len(signatures) > 2 and options.strategy == AUTO and _may_be_sparse(signatures, table):
        raise Unprepared  # this key lacks the densities, which only the operands tell
    return _by_meaning(equation, options, signatures, (), table)


def _generic(table: Table, key: tuple[Any, ...]) -> Sized | None:
    """Return the generic program for a call; None if there is none."""
    shapes = [*map(tuple, key[5::3])]
    ranks = tuple(map(len, shapes))
    family: Family = _families(table, key[:4], key[4::3], key[6::3], ranks)
    programs = family.programs or family.start()
    if programs is None:
        return None
    found = programs.read(sum(shapes, ()))
    if found is None:  # an axis broadcasts, or there is an error
        ones = ones_of(programs.bound.terms, shapes)
        family = _families(table, key[:4], key[4::3], key[6::3], ranks, ones)
        programs = family.programs or family.start()
        found = programs.read(sum(shapes, ())) if programs is not None and ones is not None else None
        if programs is None or found is None:
            return None
    of, sizes = found
    program: Generic | None = _generics(programs, of)
    if program is None:
        return None
    return program.sized(sizes) if program.labels else program.run, programs.bound, sizes


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


def _family_and_charge(table: Table, call: Call, *operands: Any) -> Family:
    charge(size_of_equation(call[0]) + _ENTRY * 4)
    return Family(table, call, *operands)


def _generic_and_charge(programs: Programs, of: Magnitudes) -> Generic | None:
    charge(_ENTRY * 8)
    return programs.make(of)


def _new_caches() -> tuple[Any, ...]:
    return (
        lru_cache(maxsize=4096)(_look_up),
        lru_cache(maxsize=4096)(_make_and_charge),
        lru_cache(maxsize=8)(_make_and_charge),
        lru_cache(maxsize=512)(_family_and_charge),
        lru_cache(maxsize=2048)(_generic_and_charge),
        lru_cache(maxsize=1024)(_places_to_convert),
    )


# Replaced as a whole, never cleared: other threads may be inside a look-up.
look_up, _executables, _long_executables, _families, _generics, _converted = _new_caches()

_ENTRY = 1024
"""The estimated bytes of an entry in the first cache, and of what a plan holds for each operand."""


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
    """Forget all plans, paths, equations and classes of operands, to free memory or to measure planning.

    This is not needed for anything else: the caches hold at most some thousand plans and about 128 MB.
    """
    forget_all()
    forget_classes(known_by_example=True)


@forgets
def _forget() -> None:
    global look_up, _executables, _long_executables, _families, _generics, _converted
    look_up, _executables, _long_executables, _families, _generics, _converted = _new_caches()
