"""`computed_once`: a property that is computed at its first use and kept in the object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class computed_once(Generic[T]):  # noqa: N801 - a decorator
    """Make a method without arguments a property that is computed once for each object.

    It has no lock. `functools.cached_property` has one on Python 3.10 and 3.11, for all objects together, and
    a fork while another thread holds it leaves it locked in the child. Two threads may compute one value.

    >>> class Square:
    ...     side = 3
    ...     @computed_once
    ...     def area(self):
    ...         print("computing")
    ...         return self.side**2
    >>> square = Square()
    >>> square.area, square.area
    computing
    (9, 9)
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self.compute = compute
        self.name = compute.__name__
        self.__doc__ = compute.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> computed_once[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> computed_once[T] | T:
        """Return the value. From then on Python finds it in the object's ``__dict__`` first."""
        if instance is None:
            return self
        value: T
        value = instance.__dict__[self.name] = self.compute(instance)
        return value
