"""Turn operands that are not a framework's tensors into NumPy arrays.

These are Python numbers, nested lists, and objects that only NumPy understands, such as `array.array`.
"""

from __future__ import annotations

import array
from collections.abc import Sequence
from typing import Any

import numpy as np

from einsum_unified.adapter import Backend, Form, registry
from einsum_unified.adapter.dispatch import backend_for, backend_of, default_backend, symbol_type
from einsum_unified.adapter.registry import Table
from einsum_unified.dtypes import WEAK, Symbol
from einsum_unified.errors import OperandError, OperandTypeError, warn
from einsum_unified.wording import LONGEST_NAME, article, class_name, clipped

_AXES = 64
"""The greatest number of axes that NumPy's arrays have."""


def prepared(operands: Sequence[Any], table: Table | None = None) -> tuple[tuple[Any, ...], tuple[type, ...]]:
    """Return operands with lists and numbers turned into arrays, and the class that each counts as.

    ``table`` has the adapters; by default it is the present one. Raises `OperandTypeError` unless one adapter
    can use all of them.
    """
    table = table or registry.table
    pairs = [prepare(x, number, table) for number, x in enumerate(operands)]
    classes = tuple([cls for _, cls in pairs])
    backend = backend_for(classes, table)
    for number, (x, cls) in enumerate(pairs):
        if isinstance(x, Symbol) and backend is default_backend():
            raise OperandTypeError(
                f"operand {number} is a {class_name(type(x.value))}, but no operand is a tensor"
            )
        if cls not in WEAK and cls is not np.ndarray and backend.form(cls) is None:
            raise OperandTypeError(
                f"operand {number} is {article(f'{backend.name} {class_name(cls)}')}, which is not a tensor"
            )
    return tuple([x for x, _ in pairs]), classes


def prepare(x: Any, number: int, table: Table | None = None) -> tuple[Any, type]:
    """Return an operand that is not a framework's tensor as a NumPy array, and the class it counts as.

    The class is bool, int, float or complex for Python's numbers and nested lists of them, else
    `numpy.ndarray`. A tracer's number becomes a `Symbol`. Any other object, such as a tensor, is returned
    unchanged with its own class.
    """
    cls = type(x)
    if cls in WEAK:
        return np.asarray(x), cls
    if isinstance(x, (list, tuple, range)):
        return nested(x, number)
    kind = symbol_type(cls)
    if kind is not None:
        return Symbol(x, np.dtype(kind)), kind
    backend = backend_of(cls, x, table)
    if backend is default_backend():
        return _plain_array(x), np.ndarray
    if backend is not None:
        return _shaped(x, backend), cls
    if isinstance(x, WEAK):  # for example an IntEnum
        return np.asarray(x), _weak_base(cls)
    if isinstance(x, (array.array, memoryview)) or _is_only_array_like(cls):
        return np.asarray(x), np.ndarray
    return x, cls


def _shaped(x: Any, backend: Backend) -> Any:
    """Convert ``x`` with its adapter if it is not a tensor yet and has no ``shape``."""
    if backend.form(type(x)) is not Form.ARRAY or hasattr(x, "shape"):
        return x
    return backend.asarray(x, x, None)


def _plain_array(x: Any) -> Any:
    if isinstance(x, np.ma.MaskedArray) and np.ma.is_masked(x):
        warn("the mask of a MaskedArray is ignored by einsum")
    return np.asarray(x)


def _is_only_array_like(cls: type) -> bool:
    """Whether a class converts to NumPy arrays and has no protocol of an array library of its own."""
    claims = ("__array_namespace__", "__array_function__", "__torch_function__", "__dlpack__")
    return hasattr(cls, "__array__") and not any(hasattr(cls, claim) for claim in claims)


def nested(x: Any, number: int) -> tuple[Any, type]:
    """Return nested lists as an array, and the class that it counts as; raises the errors of `prepare`."""
    leaves = _leaf_types(x, number)
    foreign = [cls for cls in leaves if not issubclass(cls, (*WEAK, np.ndarray, np.generic))]
    if foreign:
        root = clipped(str(foreign[0].__module__).partition(".")[0], LONGEST_NAME)
        name = f"{root} {class_name(foreign[0])}".removeprefix("builtins ")
        headline = f"operand {number} is {article(class_name(type(x)))} that holds {article(name)}"
        note = (
            "a list may hold only Python numbers and NumPy arrays; join tensors with their framework's stack"
        )
        raise OperandTypeError.of(headline, notes=[note])
    try:
        values = np.asarray(x)
    except ValueError:
        raise OperandError(f"operand {number} is a nested list whose rows differ in length") from None
    if any(issubclass(cls, (np.ndarray, np.generic)) for cls in leaves):
        return values, np.ndarray
    return values, max(leaves, key=WEAK.index, default=float)


def _leaf_types(x: Any, number: int) -> list[type]:
    """Return the types found in nested lists; raises `OperandError` if they are too deep for an array."""
    types: dict[type, None] = {}
    level = [x]
    for _ in range(_AXES):
        inner: dict[int, Any] = {}  # a list that occurs several times is visited once
        for items in level:
            inner.update((id(item), item) for item in items if isinstance(item, (list, tuple)))
            types.update(dict.fromkeys(type(item) for item in items if not isinstance(item, (list, tuple))))
        level = list(inner.values())
        if not level:
            break
    else:
        note = f"NumPy's arrays have at most {_AXES} axes; the list may contain itself"
        raise OperandError.of(f"operand {number} is a list nested more than {_AXES} deep", notes=[note])
    return [_weak_base(cls) for cls in types]


def _weak_base(cls: type) -> type:
    if issubclass(cls, np.generic):
        return cls
    return next((base for base in WEAK if issubclass(cls, base)), cls)
