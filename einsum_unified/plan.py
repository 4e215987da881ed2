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
from einsum_unified.arguments import prepare
from einsum_unified.backend import Backend, Form, StalePlan
from einsum_unified.compiler import compile_program
from einsum_unified.dispatch import backend_for, backend_of, default_backend, describe, recorder_for
from einsum_unified.equation import Equation, Label, Sublists, is_long, parse
from einsum_unified.errors import EinsumError, OperandError, OperandTypeError, PathError, article, message
from einsum_unified.letters import in_letters
from einsum_unified.lowering import lower
from einsum_unified.native import run_native
from einsum_unified.operands import Bound, Operand, bind, shown_shape
from einsum_unified.path import Path, Step, Strategy, find_path, forget_paths, pairwise, steps, strategy
from einsum_unified.primitives import Program
from einsum_unified.summary import operand_lines, unknown_lines

Keywords = tuple[tuple[str, Any], ...]

Signature = tuple[type, Any, Any]
"""Type, shape and dtype of an operand."""

Recipe = tuple[str | Sublists, tuple[Any, ...], Path, Any, Keywords]
"""Equation, shapes, path, dtype= and keywords of a plan."""


class Unprepared(Exception):  # noqa: N818 - no error: it only sends the caller the slow way
    """Raised when operands have to be looked at, or changed, before there can be a plan."""


@dataclass(frozen=True, eq=False)
class Plan:
    """An equation ready to be called: with operands of the planned shapes, of any framework.

    ``print(plan)`` lists the operands, the steps with their FLOPs, and the code that runs.

    >>> import numpy as np
    >>> from einsum_unified import einsum_plan
    >>> plan = einsum_plan("ij,jk->ik", (2, 3), (3, 4))
    >>> plan(np.ones((2, 3)), np.ones((3, 4))).shape
    (2, 4)
    """

    equation: Equation
    path: Path
    """The contraction path: for each step the positions of the operands that it takes out of the list."""
    bound: Bound
    program: Program
    backend: Backend
    run: Callable[..., Any] = field(repr=False)
    """The compiled program: checks nothing."""
    source: str = field(repr=False)
    """Its text."""
    signatures: tuple[Signature, ...] = field(repr=False)
    options: tuple[Any, Any] = field(default=("auto", None), repr=False)
    """The values of optimize= and dtype= it was made with."""
    keywords: Keywords = field(default=(), repr=False)
    """The framework's own keywords it was made with."""

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
            return self._key(), shapes, self.path, dtype, self.keywords
        text = in_letters(self.equation) if self.equation.sublists else self.equation.text
        return text, shapes, self.path, None if dtype is None else self.bound.dtype, self.keywords

    def _fits(self, signatures: tuple[Signature, ...]) -> bool:
        """Whether operands are what was planned for, any size being right for one that was not known."""
        if signatures == self.signatures:
            return True
        if not self.bound.unknown:
            return False
        for (cls, shape, dtype), (planned_cls, planned, planned_dtype) in zip(
            signatures, self.signatures, strict=True
        ):
            if cls is not planned_cls or dtype != planned_dtype or not _matches(tuple(planned), shape):
                return False
        return self._agree([shape for _, shape, _ in signatures])

    def _agree(self, shapes: Sequence[Any]) -> bool:
        """Whether each label that was not known has one size: the program does not check that."""
        unknown = set(self.bound.unknown)
        found: dict[int, Any] = {}
        for term, shape in zip(self.bound.terms, shapes, strict=True):
            for label, size in zip(term, shape, strict=True):
                if label in unknown and size is not None and found.setdefault(label, size) != size:
                    return False
        return True

    @property
    def steps(self) -> tuple[Step, ...]:
        """The pairwise contractions, with labels as integers, FLOPs and elements of the result.

        Sizes that are not known count as their hints; without even the number of axes there are none.
        """
        if self.bound.unranked:
            return ()
        return steps(self.bound.reduced(), self.bound.output, tuple(map(int, self.bound.sizes)), self.path)

    @property
    def flops(self) -> int:
        """Multiplications and additions of all steps (`Step.flops`)."""
        return sum(step.flops for step in self.steps)

    def __repr__(self) -> str:
        shapes = ", ".join(str(operand.shape) for operand in self.bound.operands)
        return f"<Plan {self.equation.text!r} for {shapes} on {self.backend.name}, {self.bound.dtype}>"

    def __str__(self) -> str:
        return self.explain()

    def explain(self) -> str:
        """Return what ``print(plan)`` shows: operands, a table of the steps, their cost, and the code.

        FLOPs are multiplications and additions; bytes read and written are those of the operands and
        results of every instruction that is no view (`einsum_unified.explain.accounts` defines them). Where
        sizes are not known the figures are sums of products of them.

        >>> from einsum_unified import einsum_plan
        >>> print(einsum_plan("ij,kj->ik", (2, 3), (4, 3)).explain())
        ij,kj->ik  on numpy, float64
          operand 0 'ij': shape (2, 3), numpy.float64
          operand 1 'kj': shape (4, 3), numpy.float64
          step  labels     kind          FLOPs  bytes read  bytes written  copies
          -----------------------------------------------------------------------
             0  ij,kj->ik  matmul 2×3×4     48         144             64       0
          -----------------------------------------------------------------------
                           total            48         144             64       0
          one nested loop: 48 FLOPs
          most held at a time: 64 bytes of intermediates and result
          def run(a0, a1):
              t0 = transpose(a1, (1, 0))
              return dot(a0, t0)
        """
        from einsum_unified.explain.table import explain  # seldom needed

        title = f"{self.equation.text}  on {self.backend.name}, {self.bound.dtype}"
        return "\n".join(
            [
                title,
                *operand_lines(self.bound),
                *unknown_lines(self.bound),
                *explain(self.bound, self.program, self.backend.capabilities, self.steps, self._algorithm()),
                *self._code(),
            ]
        )

    def to_python(self, backend: str = "numpy") -> str:
        """Return the plan as the text of a function ``contract`` in plain calls of a framework.

        It needs nothing of this library, and checks nothing: it is right for operands of these shapes and
        dtypes, tensors of the framework. ``backend`` is "numpy", "torch", "tensorflow", "jax" or "array_api".
        Raises `OperandTypeError` for another.

        >>> from einsum_unified import einsum_plan
        >>> print(einsum_plan("ij,kj->ik", (2, 3), (4, 3)).to_python("torch"))
        import torch
        <BLANKLINE>
        <BLANKLINE>
        # ij,kj->ik
        def contract(a0, a1):
            # a0: (2, 3) float64
            # a1: (4, 3) float64
            t2 = torch.permute(a1, (1, 0))  # (3, 4)
            t3 = a0 @ t2  # (2, 4)
            return t3
        <BLANKLINE>
        """
        from einsum_unified.explain.source import to_python  # seldom needed

        self._check_no_keywords("be written as code")
        return to_python(self.bound, self.path, backend)

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as words and numbers that JSON can hold, with the version of their format.

        Raises `PathError` for labels that are neither text nor integers.

        >>> from einsum_unified import Plan, einsum_plan
        >>> data = einsum_plan("ij,jk,kl->il", (2, 3), (3, 4), (4, 5)).to_dict()
        >>> data["schema"], data["shapes"], len(data["path"])
        (1, [[2, 3], [3, 4], [4, 5]], 1)
        >>> Plan.from_dict(data)
        <Plan 'ij,jk,kl->il' for (2, 3), (3, 4), (4, 5) on numpy, float64>
        """
        from einsum_unified.explain.data import to_dict  # seldom needed

        self._check_no_keywords("be kept as data")
        shapes = [operand.shape for operand in self.bound.operands]
        dtype = None if self.options[1] is None else dtypes.name_of(self.options[1])
        return to_dict(self.equation, shapes, self._dtypes(), self.path, dtype)

    @classmethod
    def from_dict(cls, data: Any) -> Plan:
        """Return the plan that `to_dict` told of, ready to be called with tensors of any framework.

        Nothing of it is executed; the code is made anew. Raises `PathError` for data that is no plan, and
        the errors of `einsum_unified.einsum` for an equation, shapes or a path that do not go together.
        """
        from einsum_unified.explain.data import checked

        read = checked(data)
        return _restored(read.equation, read.shapes, read.dtypes, read.path, read.dtype)

    def __reduce__(self) -> tuple[Any, ...]:
        self._check_no_keywords("be pickled")
        dtype = None if self.options[1] is None else dtypes.name_of(self.options[1])
        shapes = tuple(operand.shape for operand in self.bound.operands)
        return _restored, (self._key(), shapes, self._dtypes(), self.path, dtype)

    def _check_no_keywords(self, what: str) -> None:
        if self.keywords:
            names = ", ".join(f"{name}=" for name, _ in self.keywords)
            raise PathError(f"a plan made with {names} cannot {what}: that is {self.backend.name}'s own")

    def _dtypes(self) -> tuple[str, ...]:
        return tuple(operand.dtype for operand in self.bound.operands)

    def _algorithm(self) -> str:
        """Return how the path was found, and what it is."""
        optimize = self.options[0]
        how = optimize if isinstance(optimize, Strategy) else strategy(optimize)
        names = {"auto": "cheapest of several searches", "none": "from left to right", "explicit": "given"}
        pairs = pairwise(self.path, len(self.signatures))
        return f"{names.get(how.name, how.name)}: {', '.join(map(str, pairs))}"

    def _code(self) -> list[str]:
        return [f"  {line}" for line in self.source.splitlines()]

    def _key(self) -> str | Sublists:
        equation = self.equation
        if not equation.sublists:
            return equation.text
        return Sublists(equation.inputs, equation.output if equation.explicit else None)


def _restored(
    equation: str | Sublists,
    shapes: Sequence[Any],
    names: Sequence[str],
    path: Path,
    dtype: str | None,
) -> Plan:
    """Make a plan again, on NumPy: called with other tensors it is made for these."""
    known = [default_backend().dtype_from_name(name) or np.dtype(np.float32) for name in names]
    signatures = tuple((np.ndarray, tuple(shape), own) for shape, own in zip(shapes, known, strict=True))
    return plan_of(equation, signatures, ("einsum_path", *path), dtype)


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
    path = _path(bound, how)
    if keywords:
        backend = backend.configured(dict(keywords))
    program = lower(bound, path, backend.capabilities)
    run, source = compile_program(program, backend, classes)
    if dtype is not None and backend.capabilities.autocast:
        adapter: Any = backend
        run = adapter.exactly(run)
    return Plan(parsed, path, bound, program, backend, run, source, signatures, (optimize, dtype), keywords)


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
    if callable(optimize) or (isinstance(equation, (str, Sublists)) and is_long(equation)):
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
) -> Plan:
    """Return the plan for prepared operands of these signatures, from the cache where it may be kept."""
    how = strategy(optimize)
    if hints:
        how = replace(how, hints=hints)
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
    *operands: Any,
    out: Any = None,
) -> Any:
    """Contract operands, of any framework, as the plan of a `Recipe` says."""
    recorder = recorder_for(operands)
    if recorder is not None:
        recipe = equation, shapes, path, dtype, keywords
        return recorder.record_plan(run_as_planned, recipe, operands, out)
    xs, classes = prepared(operands)
    optimize = ("einsum_path", *path)
    signatures = prepared_signatures(xs, classes)
    plan = plan_of(equation, signatures, optimize, dtype, (), dict(keywords))
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
        _check_out(plan, out)
    try:
        result = plan.run(*operands)
    except Exception as error:
        result = rescue(plan, operands, error)
    if out is None:
        return result
    if plan.bound.unknown:  # now they are
        _check_shape(out, tuple(result.shape))
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


def _check_out(plan: Plan, out: Any) -> None:
    """Check everything about ``out=`` before anything is computed, so that an error leaves it as it was."""
    backend, bound = plan.backend, plan.bound
    if not backend.capabilities.out:
        raise OperandTypeError(f"out= cannot be filled: {backend.name} tensors are immutable")
    if backend_of(type(out)) is not backend:
        raise OperandTypeError(f"out= is {article(describe(out))} but the result is of {backend.name}")
    hint = backend.hint(out)
    if hint is not None:
        raise OperandTypeError(f"out= is a {hint[0]} {describe(out)}, which cannot be filled")
    if not bound.unknown:
        _check_shape(out, tuple(bound.sizes[label] for label in bound.output))
    if dtypes.name_of(out.dtype) != bound.dtype:
        raise OperandTypeError(
            f"out= has dtype {dtypes.name_of(out.dtype)} but the result has dtype {bound.dtype}"
        )


def _check_shape(out: Any, shape: tuple[Any, ...]) -> None:
    if tuple(out.shape) != shape:
        raise OperandError(f"out= has shape {tuple(out.shape)} but the result has shape {shape}")


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
