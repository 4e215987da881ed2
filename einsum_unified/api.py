"""The public functions: `einsum`, `einsum_plan`, `einsum_path`, `register_backend`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import is_
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, overload

import numpy as np

from einsum_unified import dtypes
from einsum_unified.adapter import Backend, dispatch, registry
from einsum_unified.adapter.dispatch import backend_for
from einsum_unified.adapter.registry import Table
from einsum_unified.binding.arrays import prepared
from einsum_unified.binding.call import (
    KEYWORDS,
    LARGEST,
    arguments,
    check_hints,
    check_keywords,
    check_strict,
    is_shape,
    simple_arguments,
)
from einsum_unified.binding.operand import shown_shape
from einsum_unified.binding.strict import check_equation
from einsum_unified.errors import OperandError
from einsum_unified.language.equation import parse
from einsum_unified.memory import forget_all
from einsum_unified.plan import Plan
from einsum_unified.runtime import cache
from einsum_unified.runtime.native import check_options, is_native, run_native
from einsum_unified.runtime.options import DEFAULT_OPTIMIZE, Options, distinct
from einsum_unified.runtime.preparing import prepared_quickly
from einsum_unified.runtime.run import execute, fill, rescue
from einsum_unified.runtime.settings import StalePlan
from einsum_unified.runtime.signature import Unprepared, densities_of, prepared_signatures
from einsum_unified.show.summary import path_summary

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import Unpack

    from einsum_unified.typing import (
        DTypeKeywords,
        DTypeLike,
        FrameworkKeywords,
        Hints,
        Keywords,
        Numbers,
        Optimize,
        Sublist,
        Tensor,
    )

_SLOWLY = (AttributeError, TypeError, ValueError, RuntimeError, LookupError, Unprepared)
"""Errors of a look-up after which the slow way prepares the operands, or raises our error.

Among the values' errors are ours. The most frequent is the first, since a number has no shape.
"""


Scalar = TypeVar("Scalar", bound=np.generic)
Kind = TypeVar("Kind", bound="Tensor")
T = TypeVar("T")

# For type checkers, in this order: an equation with NumPy arrays of one dtype; with NumPy arrays and numbers;
# with a tensor and one of these; with tensors of one class; with arguments typed by a wrapper's TypeVar; then
# the same for the interleaved form. There is no overload that returns Any for operands of several classes:
# with it mypy would infer Any for plain `np.ndarray`, too.


@overload
def einsum(
    equation: str | bytes,
    /,
    *operands: NDArray[Scalar] | list[NDArray[Scalar]] | tuple[NDArray[Scalar], ...],
    out: NDArray[Scalar] | None = None,
    **options: Unpack[Keywords],
) -> NDArray[Scalar]: ...
@overload
def einsum(
    equation: str | bytes,
    /,
    *operands: NDArray[Any] | Numbers | Sequence[NDArray[Any] | Numbers],
    out: NDArray[Any] | None = None,
    **options: Unpack[DTypeKeywords],
) -> NDArray[Any]: ...
@overload
def einsum(
    equation: str | bytes,
    first: Kind,
    second: NDArray[Any] | Numbers,
    /,
    *,
    out: Kind | None = None,
    **options: Unpack[DTypeKeywords],
) -> Kind: ...
@overload
def einsum(
    equation: str | bytes,
    first: NDArray[Any] | Numbers,
    second: Kind,
    /,
    *,
    out: Kind | None = None,
    **options: Unpack[DTypeKeywords],
) -> Kind: ...
@overload
def einsum(
    equation: str | bytes,
    first: Kind,
    second: Kind,
    third: NDArray[Any] | Numbers,
    /,
    *,
    out: Kind | None = None,
    **options: Unpack[DTypeKeywords],
) -> Kind: ...
@overload
def einsum(
    equation: str | bytes,
    first: Kind,
    second: NDArray[Any] | Numbers,
    third: Kind,
    /,
    *,
    out: Kind | None = None,
    **options: Unpack[DTypeKeywords],
) -> Kind: ...
@overload
def einsum(
    equation: str | bytes,
    first: NDArray[Any] | Numbers,
    second: Kind,
    third: Kind,
    /,
    *,
    out: Kind | None = None,
    **options: Unpack[DTypeKeywords],
) -> Kind: ...
@overload
def einsum(
    equation: str | bytes,
    /,
    *operands: Kind | list[Kind] | tuple[Kind, ...],
    out: Kind | None = None,
    **options: Unpack[DTypeKeywords],
) -> Kind: ...
@overload
def einsum(  # type: ignore[overload-overlap] # a text counts as a sequence of numbers below
    equation: str | bytes,
    operands: list[T] | tuple[T, ...],
    /,
    *,
    out: T | None = None,
    **options: Unpack[DTypeKeywords],
) -> T: ...
@overload
def einsum(  # type: ignore[overload-overlap] # a text counts as a sequence of numbers below
    equation: str | bytes, /, *operands: T, out: T | None = None, **options: Unpack[DTypeKeywords]
) -> T: ...
@overload
def einsum(
    operand: NDArray[Scalar],
    sublist: Sublist,
    /,
    *rest: NDArray[Scalar] | Sublist,
    out: NDArray[Scalar] | None = None,
    **options: Unpack[Keywords],
) -> NDArray[Scalar]: ...
@overload
def einsum(
    operand: NDArray[Any] | Numbers,
    sublist: Sublist,
    /,
    *rest: NDArray[Any] | Numbers | Sublist,
    out: NDArray[Any] | None = None,
    **options: Unpack[DTypeKeywords],
) -> NDArray[Any]: ...
@overload
def einsum(
    first: Kind,
    sublist: Sublist,
    second: NDArray[Any] | Numbers,
    sublist_of_second: Sublist,
    output: Sublist = ...,
    /,
    *,
    out: Kind | None = None,
    **options: Unpack[DTypeKeywords],
) -> Kind: ...
@overload
def einsum(
    first: NDArray[Any] | Numbers,
    sublist: Sublist,
    second: Kind,
    sublist_of_second: Sublist,
    output: Sublist = ...,
    /,
    *,
    out: Kind | None = None,
    **options: Unpack[DTypeKeywords],
) -> Kind: ...
@overload
def einsum(
    operand: Kind,
    sublist: Sublist,
    /,
    *rest: Kind | Sublist,
    out: Kind | None = None,
    **options: Unpack[DTypeKeywords],
) -> Kind: ...
@overload
def einsum(
    operand: T,
    sublist: Sublist,
    /,
    *rest: T | Sublist,
    out: T | None = None,
    **options: Unpack[DTypeKeywords],
) -> T: ...
def einsum(
    equation: Any,
    *operands: Any,
    optimize: Any = "auto",
    dtype: Any = None,
    out: Any = None,
    hints: Mapping[Any, Any] | None = None,
    strict: bool | np.bool_ = False,
    **options: Any,
) -> Any:
    """Contract operands of any one framework as an equation says: Einstein's summation.

    >>> import numpy as np
    >>> a, b = np.arange(6).reshape(2, 3), np.arange(12).reshape(3, 4)
    >>> einsum("ij,jk->ik", a, b)
    array([[20, 23, 26, 29],
           [56, 68, 80, 92]])
    >>> float(einsum("ii", np.eye(3)))  # default output: labels that occur once, sorted; here there are none
    3.0
    >>> einsum("...ij->...ji", np.ones((5, 2, 3))).shape
    (5, 3, 2)
    >>> einsum(a, ["row", "column"], ["column"])  # interleaved: operand, labels, ..., output's labels
    array([3, 5, 7])

    Args:
        equation: terms of labels joined by ``,`` and, after ``->``, those of the output. A label is any
            letter or digit, ``_`` or non-ASCII character; ``...`` means any number of further axes, which
            broadcast; ASCII whitespace is dropped; bytes are decoded as UTF-8. In the interleaved form
            this is the first operand, and after each operand comes a list of hashable labels.
        *operands: tensors of one framework, or NumPy arrays, Python numbers and nested lists of numbers,
            which may be mixed with them. A single list of operands is unpacked. An axis of size 1
            broadcasts to the size of its label in other operands.
        optimize: the order in which three or more operands are contracted. "auto" or True: the cheapest
            order that several searches find; any name opt_einsum knows ("optimal", "greedy", "dp", ...);
            (name, greatest number of elements of an intermediate), which is kept or refused; a path, with or
            without a leading "einsum_path", whose steps of many operands become pairs; an
            `opt_einsum.paths.PathOptimizer`; False or None: from left to right.
        dtype: dtype to compute in and return, as the framework's object, NumPy's, or a name. Default:
            the dtype of the operands, or the one that the framework promotes theirs to.
        out: a NumPy array or torch tensor of the result's shape and dtype, which is filled and
            returned. It may overlap the operands.
        hints: expected sizes for labels whose size is unknown while a graph is traced, for example
            ``{"b": 32}`` for a batch; the key ``...`` is for the axes of an ellipsis. Default: 6. Hints
            influence only the order of contraction: the result is right for any size.
        strict: True refuses three things that are often mistakes: an output that is left out, an axis of
            size 1 that broadcasts, and a label that occurs in only one operand and is summed.
        **options: further keywords of a framework's own einsum: ``precision`` and
            ``preferred_element_type`` with JAX's arrays.

    Returns:
        A tensor of the operands' framework, on their device. With one operand and nothing to sum it is
        a view on NumPy and torch. A 0-d result is a scalar on NumPy.

    Raises:
        EquationError: the equation is malformed, or refused by ``strict``.
        OperandError: count, ranks or sizes do not fit; ``out`` has another shape; ``strict`` refuses sizes.
        OperandTypeError: an operand is not a tensor, operands are from two frameworks or on two devices, or
            a dtype cannot be used.
        PathError: ``optimize`` is not a strategy or path, or no path keeps its limit; ``hints`` does not map
            labels to sizes.
            All these are `EinsumError`, a ValueError.
        TypeError: an unknown keyword.

    """
    if options or hints is not None:
        return _einsum_slowly(equation, operands, optimize, dtype, out, hints, strict, options)
    try:
        how = optimize
        if optimize is not DEFAULT_OPTIMIZE or dtype is not None or strict is not False:
            how, dtype, strict = distinct(optimize, dtype, strict)  # 1 == True would be the same key
        count = len(operands)
        if count == 2:  # the most frequent counts are unrolled
            a, b = operands
            found = cache.look_up(
                equation, how, dtype, strict, type(a), a.shape, a.dtype, type(b), b.shape, b.dtype
            )
        elif count == 1:
            (a,) = operands
            found = cache.look_up(equation, how, dtype, strict, type(a), a.shape, a.dtype)
        elif type(equation) is str:
            key: list[Any] = [equation, how, dtype, strict]
            for x in operands:
                key += type(x), x.shape, x.dtype
            found = cache.look_up(*key)
        else:  # perhaps sublists: an exception takes longer
            found = None
    except _SLOWLY:
        found = None
    if found is None:
        other = _found_in_other_form(equation, operands, optimize, dtype, strict)
        if other is None:
            return _einsum_slowly(equation, operands, optimize, dtype, out, hints, strict, options)
        found, operands = other  # type: ignore[assignment] # a list now
    if out is not None:
        return fill(found, operands, out)
    try:
        return found.run(*operands)
    except StalePlan:
        pass
    except Exception as error:
        return rescue(found.executable, found.prepared(operands), error)
    return execute(found.executable, found.prepared(operands))


def _found_in_other_form(
    equation: Any, operands: Sequence[Any], optimize: Any, dtype: Any, strict: Any
) -> tuple[cache.Entry, Sequence[Any]] | None:
    """Return the entry of the cache and the prepared operands for a call that is not text with arrays.

    Returns None if the call has to go the slow way.
    """
    try:
        how = optimize
        if optimize is not DEFAULT_OPTIMIZE or dtype is not None or strict is not False:
            how, dtype, strict = distinct(optimize, dtype, strict)
        text, given = equation, operands
        if type(equation) is not str or len(operands) == 1:
            text, given = simple_arguments(equation, operands)
        xs, key = prepared_quickly(given, registry.table)
        if text is equation and given is operands and all(map(is_, xs, given)):
            return None  # it was looked up as it is
        return cache.look_up(text, how, dtype, strict, *key), xs
    except _SLOWLY:
        return None


def _einsum_slowly(
    equation: Any,
    operands: Sequence[Any],
    optimize: Any,
    dtype: Any,
    out: Any,
    hints: Any,
    strict: Any,
    options: Mapping[str, Any],
) -> Any:
    """Handle calls whose equation, operands or options have to be prepared first."""
    recorder = dispatch.recorder_for((equation, *operands))
    if recorder is not None:
        known = {"optimize": optimize, "dtype": dtype, "out": out, "hints": hints, "strict": strict}
        given = {name: x for name, x in known.items() if x is not (einsum.__kwdefaults__ or {})[name]}
        return recorder.record(einsum, equation, operands, {**given, **options})
    key, operands = arguments(equation, operands)
    checked, strict = check_hints(hints, key), check_strict(strict)
    table = registry.table
    xs, classes = prepared(operands, table)
    target = backend_for(classes, table)
    check_keywords(options, KEYWORDS, "einsum", target)
    parsed = parse(key)
    backend = is_native(xs, table)
    if backend is not None:
        check_options(xs, backend, dtype, out)
        if strict:
            check_equation(parsed)
        return run_native(parsed, xs, backend.configured(options) if options else backend)
    asked = Options.of(optimize, dtype, checked, strict, options)
    densities = densities_of(xs, target, table)
    found = cache.executable_for(key, asked, prepared_signatures(xs, classes), densities, table)
    return execute(found, xs, out)


def einsum_plan(
    equation: Any,
    *operands_or_shapes: Any,
    optimize: Optimize = "auto",
    dtype: DTypeLike | None = None,
    hints: Hints | None = None,
    strict: bool | np.bool_ = False,
    **options: Unpack[FrameworkKeywords],
) -> Plan:
    """Plan a contraction once, to call it many times or to see what will run.

    >>> plan = einsum_plan("ij,jk,kl->il", (10, 2), (2, 30), (30, 4))
    >>> print(plan)
    ij,jk,kl->il  on numpy, float64
      operand 0 'ij': shape (10, 2), numpy.float64
      operand 1 'jk': shape (2, 30), numpy.float64
      operand 2 'kl': shape (30, 4), numpy.float64
      step  labels     kind           FLOPs  bytes read  bytes written  copies
      ------------------------------------------------------------------------
         0  jk,kl->jl  matmul 2×30×4    480       1,440             64       0
         1  ij,jl->il  matmul 10×2×4    160         224            320       0
      ------------------------------------------------------------------------
                       total            640       1,664            384       0
      path: cheapest of several searches: (1, 2), (0, 1)
      one nested loop: 7,200 FLOPs
      peak memory: 384 bytes of intermediates and result
      def run(a0, a1, a2):
          t0 = dot(a1, a2)
          return dot(a0, t0)
    >>> import numpy as np
    >>> plan(np.ones((10, 2)), np.ones((2, 30)), np.ones((30, 4))).shape
    (10, 4)
    >>> any_batch = einsum_plan("bij,jk->bik", (None, 3, 4), (4, 5))
    >>> [any_batch(np.ones((b, 3, 4)), np.ones((4, 5))).shape for b in (1, 7)]
    [(1, 3, 5), (7, 3, 5)]

    Args:
        equation: as for `einsum`, also interleaved.
        *operands_or_shapes: operands or shapes. A shape is a tuple of integers, with None for an unknown
            size. It is planned like the first operand that is an array or tensor; if there is none, as a
            NumPy array in ``dtype`` or float64.
        optimize: as for `einsum`.
        dtype: as for `einsum`.
        hints: as for `einsum`.
        strict: as for `einsum`; the plan also refuses later operands that would broadcast.
        **options: as for `einsum`.

    Returns:
        A `Plan`, to be called with operands of these shapes from any framework.

    Raises:
        The errors of `einsum`; TypeError for an unknown keyword.

    """
    key, items = arguments(equation, operands_or_shapes, shapes=True)
    table = registry.table
    placeholders = [_placeholder_shape(x, table) for x in items]
    items = [x if shape is None else shape for x, shape in zip(items, placeholders, strict=True)]
    checked, strict = check_hints(hints, key), check_strict(strict)
    numbers = [n for n, x in enumerate(items) if not is_shape(x)]
    xs, classes = prepared([items[n] for n in numbers], table)
    signatures = dict(zip(numbers, prepared_signatures(xs, classes, numbers), strict=True))
    # A shape is planned like the first tensor or array.
    first = next((s for s in signatures.values() if s[0] not in dtypes.WEAK), None)
    cls, _, like = first or (np.ndarray, (), _default_dtype(dtype))
    for n, x in enumerate(items):
        if n not in signatures:
            signatures[n] = (cls, _checked_shape(x, n), like)
    target = backend_for([cls, *classes], table)
    check_keywords(options, ("optimize", "dtype", "hints", "strict"), "einsum_plan", target)
    parse(key)  # an error of the equation comes before one of the options
    asked = Options.of(optimize, dtype, checked, strict, options)
    densities = densities_of(items, target, table)
    return Plan.of(key, asked, tuple(signatures[n] for n in range(len(items))), densities, table)


def einsum_path(
    equation: Any,
    *operands_or_shapes: Any,
    optimize: Optimize = "greedy",
    hints: Hints | None = None,
    **unknown: NoReturn,
) -> tuple[list[Any], str]:
    """Return the contraction path and a printable summary, as ``numpy.einsum_path`` does.

    >>> path, summary = einsum_path("ij,jk,kl->il", (10, 2), (2, 30), (30, 4))
    >>> path
    ['einsum_path', (1, 2), (0, 1)]
    >>> print(summary)
      Complete contraction:  ij,jk,kl->il
             Naive scaling:  4
         Optimized scaling:  3
          Naive FLOP count:  7.200e+03
      Optimized FLOP count:  6.400e+02
       Theoretical speedup:  11.250
      Largest intermediate:  4.000e+01 elements
    --------------------------------------------------------------------------------
    scaling   operands    contraction                              FLOPs    elements
    --------------------------------------------------------------------------------
          3   (1, 2)      jk,kl->jl                              4.8e+02     8.0e+00
          3   (0, 1)      ij,jl->il                              1.6e+02     4.0e+01

    Args:
        equation: as for `einsum`, also interleaved.
        *operands_or_shapes: operands of any framework, or shapes: tuples of integers, with None for an
            unknown size.
        optimize: as for `einsum`; the default is NumPy's.
        hints: as for `einsum`.

    Returns:
        The path, as a list that starts with "einsum_path" and that ``optimize=`` accepts; and the summary,
        in which FLOPs are multiplications and additions.

    Raises:
        The errors of `einsum`; TypeError for an unknown keyword.

    """
    if unknown:
        check_keywords(unknown, ("optimize", "hints"), "einsum_path")
    plan = einsum_plan(equation, *operands_or_shapes, optimize=optimize, hints=hints)
    return ["einsum_path", *plan.path], path_summary(plan.bound, plan.steps)


def register_backend(key: type | str, adapter: Backend, *, replace: bool = False) -> None:
    """Use an adapter for operands of a class, or of a class by its qualified name ("mylib.core.Array").

    The adapter is a module or any object with the members of `einsum_unified.adapter.Backend`. It also
    serves derived classes. Registering is safe while other threads call `einsum`.

    Raises `BackendError` if the adapter lacks a member or is for another version of the protocol, or if the
    class has an adapter already and ``replace`` is False.
    """
    registry.register(key, adapter, replace, forget_all)


def _placeholder_shape(x: Any, table: Table) -> tuple[int | None, ...] | None:
    """Return the shape of a placeholder (Keras tensor, fx proxy) without an adapter, None for all else."""
    if dispatch.recorder_for((x,)) is None or dispatch.backend_of(type(x), table=table) is not None:
        return None
    shape = getattr(x, "shape", None)
    return shape if is_shape(shape) else None


def _checked_shape(shape: Sequence[Any], number: int) -> tuple[int | None, ...]:
    if any(size is not None and size < 0 for size in shape):
        raise OperandError(f"operand {number}: the {shown_shape(tuple(shape))} has a negative size")
    if any(size is not None and size > LARGEST for size in shape):
        raise OperandError(f"operand {number}: the {shown_shape(tuple(shape))} has a size above {LARGEST}")
    return tuple(None if size is None else int(size) for size in shape)


def _default_dtype(dtype: Any) -> Any:
    """Return the dtype for planning without operands: ``dtype=`` if NumPy has it, else float64."""
    try:
        return np.dtype(
            float if dtype is None else dispatch.default_backend().dtype_from_name(dtypes.name_of(dtype))
        )
    except Exception:  # binding raises the error
        return np.dtype(float)
