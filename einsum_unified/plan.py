"""`Plan`: an equation made ready for operands of certain types, shapes and dtypes; and its cache.

The cache's key is the equation, the options, and (type, shape, dtype) of each operand: a plan is right
for exactly those, and holds no tensor. `functools.lru_cache` bounds it and makes it safe under threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType, NoneType
from typing import Any, NamedTuple

import numpy as np

from einsum_unified import dtypes
from einsum_unified.adapter import Backend, Form, StalePlan
from einsum_unified.adapter.dispatch import backend_for, backend_of, default_backend, recorder_for
from einsum_unified.binding.arrays import prepare
from einsum_unified.binding.bind import bind
from einsum_unified.binding.bound import Bound
from einsum_unified.binding.operand import Operand, shown_shape
from einsum_unified.binding.strict import check_operands
from einsum_unified.blueprint import Blueprint, Keywords
from einsum_unified.errors import EinsumError, OperandError, OperandTypeError, article, message
from einsum_unified.language.equation import is_long, parse
from einsum_unified.language.labels import Label
from einsum_unified.language.letters import in_letters
from einsum_unified.language.sublists import Sublists
from einsum_unified.planning.lowering import lower
from einsum_unified.planning.path import Path, Strategy, find_path, forget_paths, strategy
from einsum_unified.program.compiler import compile_program
from einsum_unified.runtime.native import run_native
from einsum_unified.runtime.out import check_out, check_shape

Signature = tuple[type, Any, Any]
"""Type, shape and dtype of an operand."""

Recipe = tuple[str | Sublists, tuple[Any, ...], Path, Any, Keywords, bool]
"""Equation, shapes, path, dtype=, keywords and strict= of a plan."""


class Unprepared(Exception):  # noqa: N818 - no error: it only sends the caller the slow way
    """Raised when operands have to be looked at, or changed, before there can be a plan."""


@dataclass(frozen=True, eq=False, repr=False)
class Plan(Blueprint):
    """An equation ready to be called: with operands of the planned shapes, of any framework.

    ``print(plan)`` lists the operands, the steps with their FLOPs, and the code that runs.

    >>> import numpy as np
    >>> from einsum_unified import einsum_plan
    >>> plan = einsum_plan("ij,jk->ik", (2, 3), (3, 4))
    >>> plan(np.ones((2, 3)), np.ones((3, 4))).shape
    (2, 4)
    """

    run: Callable[..., Any] = field(repr=False)
    """The compiled program: checks nothing."""
    signatures: tuple[Signature, ...] = field(repr=False)

    def __call__(self, *operands: Any, out: Any = None) -> Any:
        """Contract operands of the planned shapes.

        For another framework or dtype the same path is used, through the cache. Raises `OperandError`
        if shapes are not the planned ones, and what `einsum_unified.einsum` raises.
        """
        try:
            known = self._fits(signatures_of(operands))
        except (AttributeError, TypeError, ValueError, RuntimeError):
            known = False
        if known:
            return execute(self, operands, out)
        recorded = recorder_for(operands) is not None
        return run_as_planned(*self.recipe(literal=recorded), *operands, out=out)

    def recipe(self, literal: bool) -> Recipe:
        """Return what makes the plan for other operands; ``literal`` in text and numbers, for graphs."""
        shapes = tuple([operand.shape for operand in self.bound.operands])
        dtype = self.options[1]
        if not literal:
            return self._key(), shapes, self.path, dtype, self.keywords, self.strict
        text = in_letters(self.equation) if self.equation.sublists else self.equation.text
        dtype = None if dtype is None else self.bound.dtype
        return text, shapes, self.path, dtype, self.keywords, self.strict

    def _fits(self, signatures: tuple[Signature, ...]) -> bool:
        """Whether operands are what was planned for, any size being right for one that was not known."""
        if signatures == self.signatures:
            return True
        if not self.bound.loose or self.strict:  # only binding tells what broadcasts
            return False
        for (cls, shape, dtype), (planned_cls, planned, planned_dtype) in zip(
            signatures, self.signatures, strict=True
        ):
            if cls is not planned_cls or dtype != planned_dtype or not _matches(tuple(planned), shape):
                return False
        return self._agree([shape for _, shape, _ in signatures])

    def _agree(self, shapes: Sequence[Any]) -> bool:
        """Whether each label with an axis that was not known has one size: programs do not check that."""
        found: dict[int, Any] = {}
        loose = self.bound.loose
        for term, shape in zip(self.bound.terms, shapes, strict=True):
            for label, size in zip(term, shape, strict=True):
                if label in loose and size is not None and found.setdefault(label, size) != size:
                    return False
        return True

    @classmethod
    def from_dict(cls, data: Any) -> Plan:
        """Return the plan that `to_dict` told of, ready to be called with tensors of any framework.

        Nothing of it is executed; the code is made anew. Raises `PathError` for data that is no plan, and
        the errors of `einsum_unified.einsum` for an equation, shapes or a path that do not go together.
        """
        from einsum_unified.show.data import checked

        read = checked(data)
        return _restored(read.equation, read.shapes, read.dtypes, read.path, read.dtype, read.strict)

    def __reduce__(self) -> tuple[Any, ...]:
        self._check_no_keywords("be pickled")
        self._check_ranked()
        key, shapes, path, *_ = self.recipe(literal=False)
        return _restored, (key, shapes, self._dtypes(), path, self._asked_dtype(), self.strict)


def _restored(
    equation: str | Sublists,
    shapes: Sequence[Any],
    names: Sequence[str],
    path: Path,
    dtype: str | None,
    strict: bool,
) -> Plan:
    """Make a plan again, on NumPy: called with other tensors it is made for these."""
    there = {name: dtypes.stand_in(name, default_backend()) for name in (*names, *([dtype] if dtype else []))}
    signatures = tuple((np.ndarray, tuple(shape), there[n]) for shape, n in zip(shapes, names, strict=True))
    asked = None if dtype is None else there[dtype]
    plan = plan_of(equation, signatures, ("einsum_path", *path), asked, strict=strict)
    if all(dtypes.name_of(found) == name for name, found in there.items()):
        return plan
    # NumPy lacks a dtype: whatever such a plan is called with is planned for, so no signature fits.
    operands = [x._replace(dtype=name) for x, name in zip(plan.bound.operands, names, strict=True)]
    bound = replace(plan.bound, operands=tuple(operands), dtype=dtype or dtypes.promote(*names))
    return replace(plan, bound=bound, options=(plan.options[0], dtype), signatures=())


@lru_cache(maxsize=64)
def strictly(optimize: Any, strict: bool) -> Strategy:
    """Return the strategy that a value of ``optimize=`` asks for, with ``strict=``."""
    return replace(strategy(optimize), strict=strict)


# --- making -------------------------------------------------------------------------------------


def signatures_of(operands: Sequence[Any]) -> tuple[Signature, ...]:
    """Return type, shape and dtype of operands that have them."""
    return tuple([(type(x), x.shape, x.dtype) for x in operands])


def make_plan(
    equation: str | Sublists,
    optimize: Any,
    dtype: Any,
    signatures: tuple[Signature, ...],
    keywords: Keywords = (),
) -> Plan:
    """Return the plan for operands of these signatures; reads nothing else, so it can be cached.

    Raises what is wrong with equation, operands or options, and `Unprepared` for operands that
    `prepare` has to see first.
    """
    if not isinstance(equation, (str, Sublists)):
        raise Unprepared
    parsed = parse(equation)
    classes = [cls for cls, _, _ in signatures]
    backend = backend_for(classes)
    operands = [_operand(signature, backend) for signature in signatures]
    how = optimize if isinstance(optimize, Strategy) else strategy(optimize)
    bound = bind(parsed, operands, backend, dtype, dict(how.hints))
    if how.strict:
        check_operands(bound, backend)
    path = _path(bound, how)
    if keywords:
        backend = backend.configured(dict(keywords))
    program = lower(bound, path, backend.capabilities)
    run, source = compile_program(program, backend, classes)
    if dtype is not None and backend.capabilities.autocast:
        adapter: Any = backend
        run = adapter.exactly(run)
    return Plan(parsed, path, bound, program, backend, source, (optimize, dtype), keywords, run, signatures)


def _operand(signature: Signature, backend: Backend) -> Operand:
    cls, shape, dtype = signature
    if cls in dtypes.WEAK:
        return Operand(shape, dtypes.name_of(dtype), "python", Form.ARRAY, cls)
    if cls is np.ndarray:
        form = Form.TENSOR if backend is default_backend() else Form.ARRAY
        return Operand(shape, dtypes.name_of(dtype), default_backend().name, form)
    known = backend.form(cls) if backend_of(cls) is backend else None
    if known is None or known is Form.NATIVE:
        raise Unprepared
    sizes = _sizes(shape)
    if sizes is not None:
        sizes = tuple([size if type(size) in _PLAIN else backend.static_size(size) for size in sizes])
    return Operand(sizes, dtypes.name_of(dtype), backend.name, known)


def _sizes(shape: Any) -> tuple[Any, ...] | None:
    try:
        return tuple(shape)
    except ValueError:  # TensorFlow's shape of unknown rank
        return None


_PLAIN = (int, NoneType)


def _matches(planned: Any, given: Any) -> bool:
    """Whether sizes are those planned, None standing for any."""
    if planned is None or given is None:
        return planned is given
    return len(planned) == len(given) and all(m in (None, n) for m, n in zip(planned, given, strict=True))


def _path(bound: Bound, how: Strategy) -> Path:
    if bound.unranked:
        return (tuple(range(len(bound.operands))),)
    return find_path(bound.reduced(), bound.output, tuple(map(int, bound.sizes)), how)


def _make_short_plan(equation: str | Sublists, optimize: Any, dtype: Any, *flat: Any) -> Plan:
    """Make a plan from type, shape, dtype, type, shape, dtype, ...: a flat key is hashed faster."""
    signatures: tuple[Signature, ...] = tuple(zip(flat[::3], flat[1::3], flat[2::3], strict=True))
    chosen = optimize.optimizer if isinstance(optimize, Strategy) else optimize
    if callable(chosen) or (isinstance(equation, (str, Sublists)) and is_long(equation)):
        raise Unprepared
    if not all(_is_plain_shape(shape) for _, shape, _ in signatures):
        raise Unprepared
    return make_plan(equation, optimize, dtype, signatures)


def _new_caches() -> tuple[Any, Any, Any]:
    return (
        lru_cache(maxsize=4096)(_make_short_plan),
        lru_cache(maxsize=8)(make_plan),
        lru_cache(maxsize=256)(make_plan),
    )


# Replaced as a whole, never cleared: other threads may be inside a look-up.
cached_plan, _cached_long_plan, _cached_configured_plan = _new_caches()


def prepared(operands: Sequence[Any]) -> tuple[tuple[Any, ...], tuple[type, ...]]:
    """Return operands with lists and numbers made arrays, and the classes they count as.

    Raises `OperandTypeError` unless one adapter can use them all.
    """
    pairs = [prepare(x, number) for number, x in enumerate(operands)]
    classes = tuple([cls for _, cls in pairs])
    backend = backend_for(classes)
    for number, (x, cls) in enumerate(pairs):
        if isinstance(x, dtypes.Symbol) and backend is default_backend():
            raise OperandTypeError(f"operand {number} is a {type(x.value).__name__} beside no tensor")
        if cls not in dtypes.WEAK and cls is not np.ndarray and backend.form(cls) is None:
            raise OperandTypeError(
                f"operand {number} is {article(f'{backend.name} {cls.__name__}')}, which is no tensor"
            )
    return tuple([x for x, _ in pairs]), classes


def prepared_signatures(xs: Sequence[Any], classes: Sequence[type]) -> tuple[Signature, ...]:
    """Return the signatures of what `prepared` returned."""
    return tuple([(cls, x.shape, x.dtype) for x, cls in zip(xs, classes, strict=True)])


def plan_of(
    equation: str | Sublists,
    signatures: tuple[Signature, ...],
    optimize: Any,
    dtype: Any,
    hints: tuple[tuple[Label, int], ...] = (),
    options: Mapping[str, Any] = MappingProxyType({}),
    strict: bool = False,
) -> Plan:
    """Return the plan for prepared operands of these signatures, from the cache where it may be kept."""
    how = strategy(optimize)
    if hints or strict:
        how = replace(how, hints=hints, strict=strict)
    plain = all(_is_plain_shape(shape) for _, shape, _ in signatures)
    keywords = tuple(options.items())
    if how.optimizer is not None or not plain or not _hashable((signatures, dtype, keywords)):
        # An optimizer object may be random or keep a state.
        return make_plan(equation, how, dtype, signatures, keywords)
    try:
        plan: Plan
        if keywords and not is_long(equation):
            plan = _cached_configured_plan(equation, how, dtype, signatures, keywords)
        elif keywords:
            plan = make_plan(equation, how, dtype, signatures, keywords)
        elif is_long(equation):
            plan = _cached_long_plan(equation, how, dtype, signatures)
        else:
            plan = cached_plan(
                equation, how, dtype, *[item for signature in signatures for item in signature]
            )
    except Unprepared:
        names = ", ".join(cls.__name__ for cls, _, _ in signatures)
        raise OperandTypeError(f"no plan can be made for operands of these types: {names}") from None
    return plan


def _is_plain_shape(shape: Any) -> bool:
    """Whether sizes are integers or unknown: tracers have tensors there, which no cache may hold."""
    return all(type(size) in _PLAIN for size in _sizes(shape) or ())


def _hashable(x: Any) -> bool:
    try:
        hash(x)
    except (TypeError, ValueError):
        return False
    return True


# --- running ------------------------------------------------------------------------------------


def run_as_planned(
    equation: str | Sublists,
    shapes: Sequence[Any],
    path: Path,
    dtype: Any,
    keywords: Keywords,
    strict: bool,
    *operands: Any,
    out: Any = None,
) -> Any:
    """Contract operands, of any framework, as the plan of a `Recipe` says."""
    recorder = recorder_for(operands)
    if recorder is not None:
        recipe = equation, shapes, path, dtype, keywords, strict
        return recorder.record_plan(run_as_planned, recipe, operands, out)
    xs, classes = prepared(operands)
    optimize = ("einsum_path", *path)
    signatures = prepared_signatures(xs, classes)
    plan = plan_of(equation, signatures, optimize, dtype, (), dict(keywords), strict)
    check_planned(shapes, plan.bound)
    return execute(plan, xs, out)


def check_planned(shapes: Sequence[Any], bound: Bound) -> None:
    """Raise `OperandError` unless operands have the shapes that were planned, None standing for any."""
    notes = [
        f"operand {n}: planned for {shown_shape(shape)}, given {operand}"
        for n, (shape, operand) in enumerate(zip(shapes, bound.operands, strict=True))
        if not _matches(shape, operand.shape)
    ]
    if notes:
        headline = "the operands do not have the shapes of the plan"
        raise OperandError(message(headline, bound.equation.text, (), notes))


def execute(plan: Plan, operands: Sequence[Any], out: Any = None) -> Any:
    """Run a plan on operands that fit it."""
    if out is not None:
        check_out(out, plan.bound, plan.backend)
    try:
        result = plan.run(*operands)
    except Exception as error:
        result = rescue(plan, operands, error)
    if out is None:
        return result
    if plan.bound.unknown:  # now they are
        check_shape(out, tuple(result.shape))
    plan.backend.copy_into(out, result)
    return out


def rescue(plan: Plan, operands: Sequence[Any], error: Exception) -> Any:
    """Leave operands that a plan failed on to the framework if they are no ordinary tensors; else raise.

    What failed because tensors are on different devices is said in our words. A plan that was made under
    another setting of the framework is made anew.
    """
    if isinstance(error, StalePlan):
        clear_cache()
        optimize, dtype = plan.options
        fresh = make_plan(plan._key(), optimize, dtype, plan.signatures, plan.keywords)
        return fresh.run(*operands)
    if isinstance(error, EinsumError):
        raise error
    if not any(plan.backend.hint(x) for x in operands):
        forms = [operand.form for operand in plan.bound.operands]
        tensors = [x for x, form in zip(operands, forms, strict=True) if form is Form.TENSOR]
        if len(tensors) > 1:
            plan.backend.same_device(*tensors)
        raise error
    return run_native(plan.equation, operands, plan.backend, error)


class CacheInfo(NamedTuple):
    """Hits, misses, greatest and current number of entries of the caches."""

    hits: int
    misses: int
    maxsize: int
    currsize: int


def cache_info() -> CacheInfo:
    """Return the counts of the cache of plans.

    >>> import einsum_unified
    >>> einsum_unified.clear_cache()
    >>> einsum_unified.cache_info()
    CacheInfo(hits=0, misses=0, maxsize=4360, currsize=0)
    """
    caches = (cached_plan, _cached_long_plan, _cached_configured_plan)
    infos = [cache.cache_info() for cache in caches]
    return CacheInfo(*(sum(figures) for figures in zip(*infos, strict=True)))


def clear_cache() -> None:
    """Forget all plans and their paths; only needed to free memory, or to measure planning."""
    global cached_plan, _cached_long_plan, _cached_configured_plan
    cached_plan, _cached_long_plan, _cached_configured_plan = _new_caches()
    forget_paths()
