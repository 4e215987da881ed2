"""The dtype of a result: the operands' dtype, the one they promote to, or ``dtype=``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from einsum_unified import dtypes
from einsum_unified.adapter import Backend
from einsum_unified.binding.operand import Operand
from einsum_unified.errors import OperandTypeError
from einsum_unified.wording import LONGEST_TERM, numbered_lines, quoted


def result_dtype(operands: Sequence[Operand], backend: Backend, dtype: Any = None) -> str:
    """Return the name of the dtype to compute in and to return.

    Raises `OperandTypeError` for a dtype that is not numeric or that the framework lacks, for dtypes that
    do not promote, and for a ``dtype=`` that cannot hold an operand's values (complex to real, float to
    int, any number to bool).
    """
    for number, operand in enumerate(operands):
        _check_dtype(number, operand, backend)
    strong = tuple(dict.fromkeys(operand.dtype for operand in operands if not operand.weak))
    weak = tuple(dict.fromkeys(operand.weak for operand in operands if operand.weak))
    if dtype is not None:
        return _asked_dtype(dtype, operands, backend)
    if len(strong) == 1 and not weak:
        return strong[0]
    if not strong:  # nothing but Python numbers: NumPy arrays
        return backend.result_type(tuple(operand.dtype for operand in operands), ())
    try:
        name = backend.result_type(strong, weak)
        if backend.dtype_from_name(name) is None:
            raise OperandTypeError(f"the operands promote to {name}, which {backend.name} does not have")
        return name
    except OperandTypeError as error:
        notes = numbered_lines(range(len(operands)), lambda n: f"operand {n}: {operands[n]}")
        raise OperandTypeError.of(str(error), notes=notes) from None


def _check_dtype(number: int, operand: Operand, backend: Backend) -> None:
    if operand.weak:
        return
    if not dtypes.kind_of(operand.dtype):
        raise OperandTypeError(
            f"operand {number} has dtype {operand.library}.{operand.dtype}, which is not numeric"
        )
    own_gap = operand.library == backend.name and operand.dtype in backend.capabilities.gaps
    if own_gap or not _has(backend, operand.dtype):
        dtype = f"{operand.library}.{operand.dtype}"
        headline = f"operand {number} has dtype {dtype}, which {backend.name} cannot compute with"
        raise OperandTypeError.of(headline, notes=_gap(backend, operand.dtype))


def _gap(backend: Backend, name: str) -> list[str]:
    """Return the adapter's reason for lacking a dtype, if it gives one."""
    reason = backend.capabilities.gaps.get(name)
    return [] if reason is None else [f"{name}: {reason}"]


def _has(backend: Backend, name: str) -> bool:
    known = backend.capabilities.dtypes
    return (known is None or name in known) and backend.dtype_from_name(name) is not None


def _asked_dtype(dtype: Any, operands: Sequence[Operand], backend: Backend) -> str:
    try:
        name = dtypes.name_of(dtype)
    except TypeError:  # not a dtype at all
        name = ""
    # For NumPy arrays an adapter may map the name to a dtype of fewer bits: dtype= must not.
    if not dtypes.kind_of(name) or not _has(backend, name) or name in backend.capabilities.gaps:
        headline = f"dtype={quoted(dtype, LONGEST_TERM)} is not a dtype that {backend.name} can compute with"
        raise OperandTypeError.of(headline, notes=_gap(backend, name))
    rank = dtypes.KINDS.index
    for number, operand in enumerate(operands):
        kind = operand.weak.__name__ if operand.weak else dtypes.kind_of(operand.dtype)
        if rank(kind) > rank(dtypes.kind_of(name)):
            note = "cast the operand first if its values may change"
            headline = f"dtype={name} cannot hold the values of operand {number}, which is {kind} ({operand})"
            raise OperandTypeError.of(headline, notes=[note])
    return name
