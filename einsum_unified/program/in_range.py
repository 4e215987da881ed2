"""`in_range`: the run-time check that Python integers fit a dtype."""

from __future__ import annotations

from typing import Any

from einsum_unified import dtypes
from einsum_unified.errors import OperandError
from einsum_unified.wording import in_digits


def in_range(x: Any, operand: int, dtype: str) -> None:
    """Raise `OperandError` unless Python integers fit the integer dtype to which they are converted."""
    if not hasattr(x, "size"):  # a tracer's symbolic number
        return
    low, high = dtypes.integer_range(dtype)
    if x.size and (x.min() < low or x.max() > high):
        worst = x.min() if x.min() < low else x.max()
        raise OperandError(
            f"operand {operand} has the Python int {in_digits(int(worst))}, "
            f"which {dtype} cannot hold ({low} to {high})"
        )
