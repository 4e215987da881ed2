"""The arguments of a call: which form it has, and operands that are no framework's tensors.

Python numbers, nested lists and what else only NumPy understands become NumPy arrays here.
"""

from __future__ import annotations

import array
import sys
import warnings
from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any

import numpy as np

from einsum_unified.adapter import Backend, Form
from einsum_unified.adapter.dispatch import backend_of, default_backend, symbol_type
from einsum_unified.dtypes import WEAK, Symbol
from einsum_unified.errors import (
    EquationError,
    OperandError,
    OperandTypeError,
    PathError,
    article,
    message,
    quoted,
)
from einsum_unified.language.equation import Label, Sublists, parse, to_sublists

KEYWORDS = ("optimize", "dtype", "out", "hints", "strict")
"""Those of `einsum`, on every framework."""


def arguments(
    equation: Any, operands: Sequence[Any], shapes: bool = False
) -> tuple[str | Sublists, list[Any]]:
    """Return the equation as text or sublists, and the operands, from any of the forms of a call.

    With ``shapes`` a tuple of integers is a shape, never a list of operands.
    """
    if isinstance(equation, bytes):
        try:
            equation = equation.decode()
        except UnicodeDecodeError as error:
            raise EquationError(
                f"the equation is bytes that are no UTF-8, at position {error.start}"
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
    # An array where the first sublist should be: the equation was meant to come first.
    if len(items) == 1 or getattr(items[1], "ndim", 1) != 1:
        kind = article(type(items[0]).__name__)
        raise EquationError(f"the equation is {kind}, not text, and no sublist follows it")
    end = len(items) // 2 * 2
    output = items[-1] if len(items) > end else None
    return to_sublists(items[1:end:2], output), list(items[:end:2])


def check_keywords(
    given: Mapping[str, Any], known: Sequence[str], function: str, backend: Backend | None = None
) -> None:
    """Raise TypeError, naming what is known, if keywords were given that neither we nor the backend know."""
    options = backend.capabilities.options if backend else frozenset()
    known = (*known, *sorted(options))
    name = next((name for name in given if name not in known), None)
    if name is not None:
        raise TypeError(f"{function}() got an unknown keyword {name!r}; known are: {', '.join(known)}")


def check_hints(hints: Any, equation: str | Sublists) -> tuple[tuple[Label, int], ...]:
    """Return the hints for sizes that are not known, checked, in a form that can be hashed.

    Raises `PathError` unless it is a mapping of the equation's labels to positive integers.
    """
    if hints is None:
        return ()
    if not isinstance(hints, Mapping):
        raise PathError(f"hints={hints!r} is no mapping of labels to sizes, such as {{'b': 32}}")
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
    if not isinstance(strict, (bool, np.bool_)):
        raise TypeError(f"strict={strict!r} is neither True nor False")
    return bool(strict)


# --- what is no tensor --------------------------------------------------------------------------


def prepare(x: Any, number: int) -> tuple[Any, type]:
    """Return an operand that is no framework's tensor as a NumPy array, and the class it counts as.

    The class is bool, int, float or complex for Python's numbers and nested lists of them, else
    `numpy.ndarray`; a tracer's number becomes a `Symbol`; anything else that is not for NumPy comes back as
    it is.
    """
    cls = type(x)
    if cls in WEAK:
        return np.asarray(x), cls
    if isinstance(x, (list, tuple, range)):
        return _nested(x, number)
    kind = symbol_type(cls)
    if kind is not None:
        return Symbol(x, np.dtype(kind)), kind
    backend = backend_of(cls, x)
    if backend is default_backend():
        return _plain_array(x), np.ndarray
    if backend is not None:
        return _shaped(x, backend), cls
    if isinstance(x, WEAK):  # an IntEnum, say
        return np.asarray(x), _weak_base(cls)
    if isinstance(x, (array.array, memoryview)) or _is_only_array_like(cls):
        return np.asarray(x), np.ndarray
    return x, cls


def _shaped(x: Any, backend: Backend) -> Any:
    """Return what converts to a tensor as one if it does not look like an array before."""
    if backend.form(type(x)) is not Form.ARRAY or hasattr(x, "shape"):
        return x
    return backend.asarray(x, x, None)


def _plain_array(x: Any) -> Any:
    if isinstance(x, np.ma.MaskedArray) and np.ma.is_masked(x):
        warnings.warn(
            "the mask of a MaskedArray is ignored by einsum", UserWarning, stacklevel=_callers_level()
        )
    return np.asarray(x)


def _callers_level() -> int:
    """Return the stacklevel, counted from the caller of this, of the first frame outside the library."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("einsum_unified."):
        frame, level = frame.f_back, level + 1
    return level


def _is_only_array_like(cls: type) -> bool:
    """Whether a class gives a NumPy array and claims to be no array library of its own."""
    claims = ("__array_namespace__", "__array_function__", "__torch_function__", "__dlpack__")
    return hasattr(cls, "__array__") and not any(hasattr(cls, claim) for claim in claims)


def _nested(x: Any, number: int) -> tuple[Any, type]:
    leaves = _leaf_types(x)
    foreign = [cls for cls in leaves if not issubclass(cls, (*WEAK, np.ndarray, np.generic))]
    if foreign:
        name = f"{foreign[0].__module__.partition('.')[0]} {foreign[0].__name__}".removeprefix("builtins ")
        raise OperandTypeError(
            message(
                f"operand {number} is a {type(x).__name__} that holds {article(name)}",
                notes=[
                    "lists hold Python numbers or NumPy arrays; stack tensors with their framework's stack"
                ],
            )
        )
    try:
        values = np.asarray(x)
    except ValueError:
        raise OperandError(f"operand {number} is a nested list whose rows differ in length") from None
    if any(issubclass(cls, (np.ndarray, np.generic)) for cls in leaves):
        return values, np.ndarray
    return values, max(leaves, key=WEAK.index, default=float)


def _leaf_types(x: Any) -> list[type]:
    """Return the types found in nested lists; each list is visited once, so one that holds itself ends."""
    types: dict[type, None] = {}
    seen: set[int] = set()
    todo = [x]
    while todo:
        items = todo.pop()
        if id(items) in seen:
            continue
        seen.add(id(items))
        todo += [item for item in items if isinstance(item, (list, tuple))]
        types.update(dict.fromkeys(type(item) for item in items if not isinstance(item, (list, tuple))))
    return [_weak_base(cls) for cls in types]


def _weak_base(cls: type) -> type:
    if issubclass(cls, np.generic):
        return cls
    return next((base for base in WEAK if issubclass(cls, base)), cls)
