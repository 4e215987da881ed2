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
from einsum_unified.language.sublists import Sublists, flat_sublists, to_sublists
from einsum_unified.wording import LONGEST_TERM, article, class_name, in_digits, quoted

KEYWORDS = ("optimize", "dtype", "out", "hints", "strict")
"""The keywords that `einsum` takes on every framework."""

LARGEST = 2**63 - 1
"""The largest size of an axis: no framework counts further."""
_SHOWN = 20
"""The number of labels that a message lists."""


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
    if isinstance(equation, str):
        equation = str.__str__(equation)  # without what a derived class may hold
    else:
        return _interleaved((equation, *operands))
    if (
        len(operands) == 1
        and not (shapes and is_shape(operands[0]))
        and isinstance(operands[0], (list, tuple))
        and _is_operand_list(operands[0], len(parse(equation).inputs) > 1)
    ):
        return equation, list(operands[0])
    return equation, list(operands)


def simple_arguments(equation: Any, operands: Sequence[Any]) -> tuple[str | tuple[Any, ...], Sequence[Any]]:
    """Return what `arguments` does, for a key of a cache: the equation as text or `flat_sublists`.

    It checks nothing. Raises any exception for a call in a form that is rare.
    """
    if isinstance(equation, (str, bytes)):
        equation = equation.decode() if isinstance(equation, bytes) else str.__str__(equation)
        if len(operands) == 1 and _is_operand_list(operands[0], "," in equation):
            operands = operands[0]
        return equation, operands
    if len(operands) % 2:
        return flat_sublists(operands[::2]), (equation, *operands[1::2])
    # The output's sublist is the last.
    return flat_sublists((*operands[::2], operands[-1])), (equation, *operands[1:-1:2])


def _is_operand_list(x: Any, several: bool) -> bool:
    """Whether the only operand is a list of operands, not a nested list of numbers or a shape.

    ``several`` tells whether the equation is for several operands.
    """
    if not isinstance(x, (list, tuple)):
        return False
    return several or any(not issubclass(cls, (*WEAK, list, tuple)) for cls in {*map(type, x)})


def is_shape(x: Any) -> bool:
    """Whether an argument of `einsum_plan` is a shape: a tuple of integers or None, also the empty one."""
    return isinstance(x, tuple) and all(isinstance(size, (int, np.integer, NoneType)) for size in x)


def _interleaved(items: Sequence[Any]) -> tuple[Sublists, list[Any]]:
    """Split an interleaved call, ``operand, sublist, ..., [output sublist]``."""
    # A pattern behind the operands, as einops takes it. Text without its signs may be meant as a sublist.
    last = items[-1].decode(errors="replace") if isinstance(items[-1], bytes) else items[-1]
    if isinstance(last, str) and any(sign in last for sign in ",->"):
        raise EquationError(f"the equation comes first: einsum({quoted(last, LONGEST_TERM)}, ...)")
    # An array in the place of the first sublist: the caller forgot the equation or misplaced it.
    if len(items) == 1 or getattr(items[1], "ndim", 1) != 1:
        kind = article(class_name(type(items[0])))
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
        raise TypeError(f"{function}() got an unknown keyword {quoted(name)}; known: {', '.join(known)}")


def check_hints(hints: Any, equation: str | Sublists) -> tuple[tuple[Label, int], ...]:
    """Check the hints for unknown sizes, and return them in a form that can be hashed.

    Raises `PathError` unless they map labels of the equation to positive integers.
    """
    if hints is None:
        return ()
    if not isinstance(hints, Mapping):
        raise PathError(f"hints={quoted(hints)} is not a mapping of labels to sizes, such as {{'b': 32}}")
    labels = dict.fromkeys(label for term in parse(equation).inputs for label in term)
    checked = {}
    for key, size in hints.items():
        dots = key is ... or (isinstance(key, str) and key == "...")
        label, name = (..., "'...'") if dots else (key, quoted(key))
        if not _is_in(label, labels):
            known = ["'...'" if known is ... else quoted(known) for known in labels]
            shown = ", ".join(known[:_SHOWN]) + ", ..." * (len(known) > _SHOWN)
            raise PathError(f"hints: the equation has no label {name}; it has: {shown or 'none'}")
        if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1:
            raise PathError(f"hints: the size of {name} is {quoted(size)}, not a positive integer")
        if size > LARGEST:
            raise PathError(f"hints: the size of {name} is {in_digits(size)}; the largest size is {LARGEST}")
        checked[label] = int(size)
    return tuple(checked.items())


def _is_in(label: Any, labels: Mapping[Label, None]) -> bool:
    try:
        return label in labels
    except Exception:  # it cannot be hashed or compared
        return False


def check_strict(strict: Any) -> bool:
    """Return ``strict=`` as a bool; raises a TypeError for anything else."""
    if strict is False or strict is True:
        return strict
    if not isinstance(strict, np.bool_):
        raise TypeError(f"strict={quoted(strict)} is neither True nor False")
    return bool(strict)
