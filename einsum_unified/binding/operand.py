"""`Operand`: the properties of an operand that planning uses."""

from __future__ import annotations

from typing import NamedTuple

from einsum_unified.adapter import Form, Shape
from einsum_unified.wording import in_digits, in_tuple

_AXES = 64
"""The number of axes that messages show."""


class Operand(NamedTuple):
    """The properties of an operand that planning uses: never its data."""

    shape: Shape | None
    dtype: str
    library: str
    form: Form
    weak: type | None = None
    """The Python type of a number or of the numbers in a nested list; None for an array or tensor."""
    assumed: bool = False
    """True if the number of axes is unknown and was taken from the term."""

    def __str__(self) -> str:
        dtype = f"Python {self.weak.__name__}" if self.weak else f"{self.library}.{self.dtype}"
        return f"{shown_shape(self.shape)}, {dtype}"


def shown_shape(shape: Shape | None) -> str:
    """Return a shape as messages show it.

    >>> shown_shape((None, 3)), shown_shape((2,)), shown_shape(None)
    ('shape (?, 3)', 'shape (2,)', 'shape unknown')
    """
    if shape is None:
        return "shape unknown"
    sizes = ["?" if size is None else in_digits(size) for size in shape[:_AXES]]
    rest = [f"… {len(shape) - _AXES} more"] if len(shape) > _AXES else []
    return f"shape {in_tuple([*sizes, *rest])}"
