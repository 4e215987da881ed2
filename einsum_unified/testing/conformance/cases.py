"""The corpus: calls as data, each with the row of the rules that it tests and the expected outcome.

``corpus.json`` is written by ``scripts/make_corpus.py``; ``docs/conformance.md`` describes the format.
"""

from __future__ import annotations

import array
import importlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from einsum_unified.dtypes import kind_of


@dataclass(frozen=True)
class Argument:
    """An operand as data: a tensor, a NumPy array of some kind, or a Python object."""

    kind: str = "tensor"
    """``tensor``, ``numpy`` or another kind of array (see `PECULIAR`), ``python``, or ``complex``."""
    shape: tuple[int, ...] = ()
    dtype: str = ""
    values: Any = None
    """Nested lists of values, with "nan" and "inf" as text; if None, `numbers` gives the values."""
    fill: float | None = None
    """One value for all elements, instead of ``values``."""
    value: Any = None
    """A Python object, such as a number or a nested list; a complex number as a list of its two parts."""

    def array(self, number: int) -> Any:
        """Return the values as a NumPy array of the dtype, for operand ``number``."""
        dtype = numpy_dtype(self.dtype)
        if self.values is not None:
            return np.array(_unquoted(self.values) if self.dtype[:5] == "float" else self.values, dtype)
        if self.fill is not None:
            return np.full(self.shape, self.fill, dtype)
        return np.asarray(numbers(self.shape, number, self.dtype)).astype(dtype)

    def python(self) -> Any:
        """Return the Python object."""
        return complex(*self.value) if self.kind == "complex" else self.value


@dataclass(frozen=True)
class Case:
    """A call and its expected outcome."""

    id: str
    row: int
    operands: tuple[Argument, ...]
    expect: Mapping[str, Any]
    """``means`` and ``dtype``, or ``error`` and ``says``; docs/conformance.md lists all entries."""
    equation: str | None = None
    sublists: tuple[Any, ...] = ()
    output: Any = None
    together: str = ""
    """``list`` or ``tuple`` if all operands are passed as one."""
    bytes: str = ""
    """The encoding if the equation is passed as bytes."""
    options: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    """Needed features: dtypes, ``out``, ``views``, ``scalars``, ``gradients``, ``empty``, ``nan``."""

    def with_dtype(self, dtype: str) -> Case:
        """Return the case with another dtype in place of float32, unless the case is about certain dtypes."""
        if any(map(kind_of, self.needs)):
            return self
        item = next(item for item in _file()["cases"] if item["id"] == self.id)
        changed = _case(json.loads(json.dumps(item).replace("float32", dtype)))
        return replace(changed, id=self.id)

    def features(self) -> tuple[str, ...]:
        """Return all features that a library needs for the case, including the dtypes of the operands."""
        dtypes = [x.dtype for x in self.operands if kind_of(x.dtype)]
        return tuple(dict.fromkeys([*self.needs, *dtypes]))

    def arguments(self, xs: Sequence[Any]) -> tuple[Any, ...]:
        """Return the positional arguments of the call with these operands."""
        if self.equation is None:
            pairs = [item for pair in zip(xs, map(_labels, self.sublists), strict=True) for item in pair]
            return tuple(pairs if self.output is None else [*pairs, _labels(self.output)])
        equation = self.equation.encode(self.bytes) if self.bytes else self.equation
        if self.together:
            return equation, (list(xs) if self.together == "list" else tuple(xs))
        return equation, *xs


@cache
def corpus() -> tuple[Case, ...]:
    """Return all cases.

    >>> case = corpus()[0]
    >>> case.id, case.operands[0].shape, case.expect["means"]
    ('1/implicit/ij', (2, 3), 'ij->ij')
    """
    return tuple(_case(item) for item in _file()["cases"])


@cache
def rows() -> dict[int, str]:
    """Return number → topic of each row of the rules."""
    return {int(row): what for row, what in _file()["rows"].items()}


@cache
def _file() -> Any:
    return json.loads(files(__package__).joinpath("corpus.json").read_text("utf-8"))


def _case(item: Mapping[str, Any]) -> Case:
    operands = tuple(argument_of(x) for x in item["operands"])
    tuples = {name: tuple(item[name]) for name in ("sublists", "needs") if name in item}
    options = {name: _option(name, x) for name, x in item.get("options", {}).items()}
    return Case(**{**item, **tuples, "operands": operands, "options": options})


def argument_of(item: Mapping[str, Any]) -> Argument:
    """Return an operand from its JSON data."""
    return Argument(**{**item, "shape": tuple(item.get("shape", ()))})


def _option(name: str, x: Any) -> Any:
    if name == "optimize":
        return _tuples(x)
    if name == "hints" and isinstance(x, dict):
        return {(... if label == "..." else label): size for label, size in x.items()}
    return x


def _labels(sublist: Any) -> Any:
    """Return a sublist from its JSON data, where "..." means the ellipsis and a list means a tuple."""
    if not isinstance(sublist, list):
        return sublist
    return [... if label == "..." else _tuples(label) for label in sublist]


def _tuples(x: Any) -> Any:
    return tuple(map(_tuples, x)) if isinstance(x, list) else x


def _unquoted(values: Any) -> Any:
    return [_unquoted(x) for x in values] if isinstance(values, list) else float(values)


# --- values ---------------------------------------------------------------------------------------------


def numbers(shape: Sequence[int], number: int, dtype: str) -> Any:
    """Return the values of an operand by a rule: small integers that every dtype can hold.

    Element n, in C order, of operand k is (n² + 3n + 2k + 1) mod 11 mod 5 − 2, an integer from −2 to 2. An
    unsigned dtype gets the absolute value of this, and bool whether it is positive. The imaginary part of a
    complex number is the value for operand k + 1.

    >>> numbers((2, 3), 0, "int8").tolist(), numbers((3,), 1, "bool").tolist()
    ([[-1, -2, -2], [1, 0, 1]], [True, False, False])
    """
    n = np.arange(math.prod(shape)).reshape(shape)
    x = (n * n + 3 * n + 2 * number + 1) % 11 % 5 - 2
    if dtype == "bool":
        return np.asarray(x > 0)
    if dtype.startswith("u"):
        return abs(x)
    return x + 1j * numbers(shape, number + 1, "int64") if dtype.startswith("complex") else x


def numpy_dtype(name: str) -> Any:
    """Return NumPy's dtype with a name, which may come from ml_dtypes; None if there is none."""
    try:
        return np.dtype(name)
    except TypeError:
        try:
            return np.dtype(getattr(importlib.import_module("ml_dtypes"), name))
        except (ImportError, AttributeError):
            return None


def _strided(x: Any) -> Any:
    wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
    wide[..., ::2] = x
    return wide[..., ::2]


def _read_only(x: Any) -> Any:
    x = x.copy()
    x.flags.writeable = False
    return x


def _masked(x: Any, mask: bool) -> Any:
    return np.ma.MaskedArray(x, np.arange(x.size).reshape(x.shape) == 0 if mask else False)


PECULIAR: dict[str, Callable[[Any], Any]] = {
    "numpy": lambda x: x,
    "scalar": lambda x: x[()],
    "array": lambda x: array.array("f", x.tolist()),
    "memoryview": memoryview,
    "matrix": np.matrix,
    "masked": lambda x: _masked(x, True),
    "unmasked": lambda x: _masked(x, False),
    "fortran": np.asfortranarray,
    "strided": _strided,
    "backwards": lambda x: x[::-1].copy()[::-1],
    "read-only": _read_only,
    "big-endian": lambda x: x.astype(x.dtype.newbyteorder(">")),
}
"""Kinds of arrays in NumPy and Python: kind → function that makes it from a plain NumPy array."""
