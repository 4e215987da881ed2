"""Run calls with sparse, ragged, nested, quantised or similar operands on the framework's own einsum.

If that cannot contract them, the error names the call that makes them dense.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from einsum_unified import dtypes
from einsum_unified.adapter import Backend, Form
from einsum_unified.adapter.dispatch import backend_of, describe
from einsum_unified.adapter.registry import Table
from einsum_unified.binding.bind import bind
from einsum_unified.binding.bound import Bound
from einsum_unified.binding.operand import Operand
from einsum_unified.errors import EinsumError, OperandError, OperandTypeError
from einsum_unified.language.equation import Equation
from einsum_unified.language.letters import numbered
from einsum_unified.wording import class_name


def is_native(operands: Sequence[Any], table: Table) -> Backend | None:
    """Return the backend of the first operand that only the framework's own einsum may support, or None."""
    for x in operands:
        backend = backend_of(type(x), table=table)
        if backend is None:  # a tracer's number
            continue
        if backend.form(type(x)) is Form.NATIVE or not _is_plain(x, backend):
            return backend
    return None


def _is_plain(x: Any, backend: Backend) -> bool:
    try:
        numeric = bool(dtypes.kind_of(dtypes.name_of(x.dtype)))
        if numeric and all(isinstance(size, int) for size in x.shape):
            return True
        return not backend.hint(x)
    except ValueError:  # TensorFlow's shape of unknown rank
        return True
    except (AttributeError, RuntimeError):  # torch's nested tensors raise when asked for a shape
        return False


def run_native(
    equation: Equation, operands: Sequence[Any], backend: Backend, cause: Exception | None = None
) -> Any:
    """Contract such operands with the framework's own einsum.

    If that fails, raises `OperandTypeError` with the call that makes them dense.
    """
    if len(operands) != len(equation.inputs):
        kinds = [class_name(type(x)) for x in operands]
        bind(equation, [Operand(None, kind, backend.name, Form.NATIVE) for kind in kinds], backend)
    try:
        return backend.native(*numbered(equation.inputs, equation.output))(*operands)
    except (MemoryError, RecursionError):
        raise
    except Exception as error:
        _check_sizes(equation, operands, backend)
        special = _special(operands, backend, f"which {backend.name} cannot contract")
        if special is None:
            raise
        try:
            raise special from (cause or error)
        finally:
            del special, cause  # their tracebacks lead to this frame: a cycle would keep the operands alive


def _check_sizes(equation: Equation, operands: Sequence[Any], backend: Backend) -> None:
    """Raise `OperandError` if that is what is wrong, for operands whose shapes and dtypes can be told."""
    try:
        shapes = [tuple(map(int, x.shape)) for x in operands]
        names = [dtypes.name_of(x.dtype) for x in operands]
        given = zip(shapes, names, strict=True)
        bind(equation, [Operand(shape, name, backend.name, Form.TENSOR) for shape, name in given], backend)
    except OperandError:
        raise
    except Exception:  # a special shape or dtype, of which the caller tells
        return


def run_special(bound: Bound, operands: Sequence[Any], backend: Backend, cause: Exception) -> Any:
    """Contract operands of numeric dtypes, some of which are sparse, after their program has failed.

    They are promoted as the program does. If the framework cannot contract them either, raises
    `OperandTypeError` with the call that makes them dense.
    """
    if bound.unranked:
        return run_native(bound.equation, operands, backend, cause)
    dtype = backend.dtype_from_name(bound.dtype)
    wide = backend.dtype_from_name(backend.capabilities.arithmetic.get(bound.dtype, bound.dtype))
    forms = [operand.form for operand in bound.operands]
    like = next(x for x, form in zip(operands, forms, strict=True) if form is Form.TENSOR)
    try:
        xs = [
            backend.cast(x if form is Form.TENSOR else backend.asarray(x, like, dtype), wide)
            for x, form in zip(operands, forms, strict=True)
        ]
        return backend.cast(backend.native(*numbered(bound.terms, bound.output))(*xs), dtype)
    except (MemoryError, RecursionError):
        raise
    except Exception as error:
        special = _special(operands, backend, f"which {backend.name} cannot contract")
        if special is None:
            raise
        try:
            raise special from (cause if isinstance(error, EinsumError) else error)
        finally:
            del special, cause


def check_options(operands: Sequence[Any], backend: Backend, dtype: Any, out: Any) -> None:
    """Raise `OperandTypeError` if dtype= or out= is given with such operands."""
    if dtype is not None or out is not None:
        rest = "which cannot be combined with dtype= or out="
        raise _special(operands, backend, rest) or OperandTypeError("dtype= and out= need dense tensors")


def hint_of(x: Any, backend: Backend) -> tuple[str, str] | None:
    """Return an adapter's `hint` for an operand; None also for an operand that it cannot examine."""
    try:
        return backend.hint(x)
    except Exception:  # a tracer refuses some questions in its own way
        return None


def _special(operands: Sequence[Any], backend: Backend, rest: str) -> OperandTypeError | None:
    """Return the error that names the first sparse, ragged, ... operand and the call that makes it dense."""
    for number, x in enumerate(operands):
        hint = hint_of(x, backend)
        if hint is not None:
            kind, call = hint
            headline = f"operand {number} is a {kind} {describe(x)}, {rest}"
            return OperandTypeError.of(headline, notes=[f"make it dense first: {call}"])
    return None
