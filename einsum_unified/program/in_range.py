"""`in_range`: the check of Python integers that a program makes when it runs."""

from __future__ import annotations

from typing import Any

from einsum_unified import dtypes
from einsum_unified.errors import OperandError


def in_range(x: Any, operand: int, dtype: str) -> None:
    """Raise `OperandError` unless Python's integers fit the integer dtype they are taken for."""
    if not hasattr(x, "size"):  # a number that a tracer does not know yet
        return
    low, high = dtypes.integer_range(dtype)
    if x.size and (x.min() < low or x.max() > high):
        worst = x.min() if x.min() < low else x.max()
        raise OperandError(
            f"operand {operand} has the Python int {worst}, which {dtype} cannot hold ({low} to {high})"
        )
