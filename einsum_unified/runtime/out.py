"""Check ``out=`` before anything is computed, so that an error leaves it unchanged."""

from __future__ import annotations

from typing import Any

from einsum_unified import dtypes
from einsum_unified.adapter import Backend
from einsum_unified.adapter.dispatch import backend_of, describe
from einsum_unified.adapter.registry import Table
from einsum_unified.binding.operand import shown_shape
from einsum_unified.errors import OperandError, OperandTypeError
from einsum_unified.wording import article


def check_out(out: Any, shape: tuple[Any, ...] | None, dtype: str, backend: Backend, table: Table) -> None:
    """Raise `OperandTypeError` or `OperandError` unless ``out`` can take a result of this shape and dtype.

    The shape is None if it is unknown before the result is there.
    """
    if not backend.capabilities.out:
        raise OperandTypeError(f"out= cannot be filled: {backend.name} tensors are immutable")
    if backend_of(type(out), table=table) is not backend:
        raise OperandTypeError(
            f"out= is {article(describe(out))} but the result is a tensor of {backend.name}"
        )
    hint = backend.hint(out)
    if hint is not None:
        raise OperandTypeError(f"out= is a {hint[0]} {describe(out)}, which cannot be filled")
    if shape is not None:
        check_shape(out, shape)
    if dtypes.name_of(out.dtype) != dtype:
        raise OperandTypeError(f"out= has dtype {dtypes.name_of(out.dtype)} but the result has dtype {dtype}")


def check_shape(out: Any, shape: tuple[Any, ...]) -> None:
    """Raise `OperandError` unless ``out`` has the result's shape."""
    if tuple(out.shape) != shape:
        raise OperandError(
            f"out= has {shown_shape(tuple(out.shape))} but the result has {shown_shape(shape)}"
        )
