"""Prepare operands quickly, by what is known of their classes, for the look-up of a call's plan.

This gives the same arrays and classes as `binding.arrays`, to which rarer and wrong operands are left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain
from types import WrapperDescriptorType
from typing import Any, NamedTuple

import numpy as np
from numpy import asarray, ndarray

from einsum_unified.adapter import Form
from einsum_unified.adapter.dispatch import backend_of, default_backend, symbol_type
from einsum_unified.adapter.registry import Table
from einsum_unified.binding.arrays import nested
from einsum_unified.dtypes import WEAK
from einsum_unified.memory import charge, forgets, size_of_class

_FEW_AXES, _FEW_LISTS, _FEW_NUMBERS = 8, 256, 10**5
"""The bounds within which lists are searched without a look at those that occur several times."""

_NUMBERS, _LISTS, _NESTED = frozenset(WEAK), frozenset((list, tuple)), frozenset((list, tuple, range))


class Preparation(NamedTuple):
    """How `prepare` handles all operands of a class."""

    counts_as: type
    convert: Callable[[Any], Any] | None
    """The function that turns an operand into an array; None if there is nothing to do."""


def _preparation(cls: type, table: Table) -> Preparation:
    """Return what `prepare` does with operands of a class; raises `LookupError` if that depends on them."""
    backend = None if symbol_type(cls) is not None else backend_of(cls, table=table)
    if backend is default_backend():
        charge(size_of_class(cls))
        if cls is np.ndarray:
            return Preparation(cls, None)
        return Preparation(np.ndarray, _unmasked if issubclass(cls, np.ma.MaskedArray) else np.asarray)
    if backend is not None and (
        backend.form(cls) is Form.TENSOR or (backend.form(cls) is Form.ARRAY and hasattr(cls, "shape"))
    ):
        charge(size_of_class(cls))
        return Preparation(cls, None)
    raise LookupError


def _new_cache() -> Any:
    return lru_cache(maxsize=1024)(_preparation)


# Replaced as a whole, never cleared: other threads may be inside a look-up.
_preparations = _new_cache()


@forgets
def _forget() -> None:
    global _preparations
    _preparations = _new_cache()


def prepared_quickly(operands: Sequence[Any], table: Table) -> tuple[list[Any], list[Any]]:
    """Return what `prepared` does, and in a flat list the class, shape and dtype of each operand.

    Raises any exception if this takes more than the class of each operand tells, or if there is an error.
    """
    xs: list[Any] = []
    flat: list[Any] = []
    for x in operands:
        cls = type(x)
        if cls is ndarray:
            pass
        elif cls in _NUMBERS:
            x = asarray(x)
        elif cls in _NESTED:
            kind = _kind_of_numbers(x)
            x, cls = nested(x, 0) if kind is None else (asarray(x), kind)
        else:
            cls, convert = _preparations(cls, table)
            if convert is not None:
                x = convert(x)
        xs.append(x)
        flat += (cls, x.shape, x.dtype)
    return xs, flat


def is_faithful(cls: type) -> bool:
    """Whether NumPy turns all objects of a class into arrays of the shape and dtype that they tell."""
    base = np.generic if issubclass(cls, np.generic) else np.ndarray
    return (
        issubclass(cls, base)
        and cls.shape is base.shape
        and cls.dtype is base.dtype
        and isinstance(cls.__getattribute__, WrapperDescriptorType)  # not a function written in Python
    )


def _unmasked(x: Any) -> Any:
    if np.ma.getmask(x) is not np.ma.nomask:
        raise LookupError  # `prepare` looks whether to warn
    return np.asarray(x)


def _kind_of_numbers(x: Any) -> type | None:
    """Return what `_nested` does as class, for lists in which all items are lists or of one type of number.

    Returns None for other lists, and if they are deep, or so many that some may occur several times.
    """
    types = {*map(type, x)}
    for _ in range(_FEW_AXES):
        if len(types) != 1:
            return None
        (cls,) = types
        if cls in _NUMBERS:
            return cls
        if cls not in _LISTS or (len(x) > _FEW_LISTS and sum(map(len, x)) > _FEW_NUMBERS):
            return None
        types = {*map(type, chain.from_iterable(x))}
        if types <= _LISTS:
            x = [*chain.from_iterable(x)]
    return None
