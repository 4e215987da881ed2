"""Read the arguments of a call: its equation as text or sublists, its operands or shapes, its keywords."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any

import numpy as np

from einsum_unified.adapter import Backend
from einsum_unified.dtypes import WEAK
from einsum_unified.errors import EquationError, PathError
from einsum_unified.language.equation import parse
from einsum_unified.language.labels import Label
from einsum_unified.language.sublists import Sublists, to_sublists
from einsum_unified.wording import article, quoted

KEYWORDS = ("optimize", "dtype", "out", "hints", "strict")
"""The keywords that `einsum` takes on every framework."""


def arguments(
    equation: Any, operands: Sequence[Any], shapes: bool = False
) -> tuple[str | Sublists, list[Any]]:
    """Return the equation as text or sublists, and the operands, from any form of a call.

    With ``shapes`` a tuple of integers is a shape, never a list of operands. Raises `EquationError` for an
    equation that is neither UTF-8 bytes, text nor sublists.
    """
    if isinstance(equation, bytes):
        try:
            equation = equation.decode()
        except UnicodeDecodeError as error:
            raise EquationError(
                f"the equation is bytes that are not UTF-8, at position {error.start}"
            ) from None
    if not isinstance(equation, str):
        return _interleaved((equation, *operands))
    if (
        len(operands) == 1
        and not (shapes and is_shape(operands[0]))
        and _is_operand_list(operands[0], equation)
    ):
        return equation, list(operands[0])
    return equation, list(operands)


def _is_operand_list(x: Any, equation: str) -> bool:
    """Whether the only operand is a list of operands, not a nested list of numbers or a shape."""
    if not isinstance(x, (list, tuple)):
        return False
    return len(parse(equation).inputs) > 1 or any(not isinstance(item, (*WEAK, list, tuple)) for item in x)


def is_shape(x: Any) -> bool:
    """Whether an argument of `einsum_plan` is a shape: a tuple of integers or None, also the empty one."""
    return isinstance(x, tuple) and all(isinstance(size, (int, np.integer, NoneType)) for size in x)


def _interleaved(items: Sequence[Any]) -> tuple[Sublists, list[Any]]:
    """Split an interleaved call, ``operand, sublist, ..., [output sublist]``."""
    # An array in the place of the first sublist: the caller forgot the equation or misplaced it.
    if len(items) == 1 or getattr(items[1], "ndim", 1) != 1:
        kind = article(type(items[0]).__name__)
        raise EquationError(f"the equation is {kind}, not text, and no sublist follows it")
    end = len(items) // 2 * 2
    output = items[-1] if len(items) > end else None
    return to_sublists(items[1:end:2], output), list(items[:end:2])


def check_keywords(
    given: Mapping[str, Any], known: Sequence[str], function: str, backend: Backend | None = None
) -> None:
    """Raise TypeError for a keyword that neither ``known`` nor the backend's own options contain."""
    options = backend.capabilities.options if backend else frozenset()
    known = (*known, *sorted(options))
    name = next((name for name in given if name not in known), None)
    if name is not None:
        raise TypeError(f"{function}() got an unknown keyword {name!r}; known: {', '.join(known)}")


def check_hints(hints: Any, equation: str | Sublists) -> tuple[tuple[Label, int], ...]:
    """Check the hints for unknown sizes, and return them in a form that can be hashed.

    Raises `PathError` unless they map labels of the equation to positive integers.
    """
    if hints is None:
        return ()
    if not isinstance(hints, Mapping):
        raise PathError(f"hints={hints!r} is not a mapping of labels to sizes, such as {{'b': 32}}")
    labels = dict.fromkeys(label for term in parse(equation).inputs for label in term)
    checked = {}
    for key, size in hints.items():
        label, name = (..., "'...'") if key in (..., "...") else (key, quoted(key))
        if label not in labels:
            known = ", ".join("'...'" if known is ... else quoted(known) for known in labels)
            raise PathError(f"hints: the equation has no label {name}; it has: {known or 'none'}")
        if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1:
            raise PathError(f"hints: the size of {name} is {size!r}, not a positive integer")
        checked[label] = int(size)
    return tuple(checked.items())


def check_strict(strict: Any) -> bool:
    """Return ``strict=`` as a bool; raises a TypeError for anything else."""
    if strict is False or strict is True:
        return strict
    if not isinstance(strict, np.bool_):
        raise TypeError(f"strict={strict!r} is neither True nor False")
    return bool(strict)
