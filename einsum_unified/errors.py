"""The errors of the library. Each has its parts as attributes and a message made from them.

::

    EinsumError (ValueError)
    ├── EquationError       the equation itself is wrong
    ├── OperandError        the operands do not fit the equation or each other
    ├── PathError           optimize= is not a path or strategy
    ├── OperandTypeError    (also a TypeError) an operand's type or dtype cannot be used
    └── BackendError        an adapter, or opt_einsum, cannot be loaded; an adapter cannot be registered

The wording is the same for every framework.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Sequence
from typing import TypeVar

from einsum_unified.wording import bounded, pointed

_Error = TypeVar("_Error", bound="EinsumError")  # typing.Self needs Python 3.11


class EinsumError(ValueError):
    """Base of all errors raised here: ``except EinsumError`` catches every one.

    >>> import numpy as np, einsum_unified
    >>> try:
    ...     einsum_unified.einsum("ij,jk->iz", np.ones((2, 3)), np.ones((3, 4)))
    ... except einsum_unified.EinsumError as error:
    ...     print(error.rule, error.equation, error.marks)
    output label ij,jk->iz (8,)
    """

    equation: str = ""
    """The equation as written; the interleaved form is spelled out."""
    marks: tuple[int, ...] = ()
    """The positions in ``equation`` that are wrong: the message has a caret under each."""
    notes: tuple[str, ...] = ()
    """The last lines of the message."""
    rule: str = ""
    """The name of the broken rule, which does not change with the wording; ``docs/errors.md`` lists them."""

    _headline: str | None = None

    @property
    def headline(self) -> str:
        """The first line of the message, or all of the message if the error has no other parts."""
        return str(self) if self._headline is None else self._headline

    def __str__(self) -> str:
        return bounded(super().__str__())

    @classmethod
    def of(  # noqa: PYI019
        cls: type[_Error],
        headline: str,
        equation: str = "",
        marks: Sequence[int] = (),
        notes: Iterable[str] = (),
        rule: str = "",
    ) -> _Error:
        """Return an error with these parts and with the message made from them."""
        headline, notes = bounded(headline), tuple(map(bounded, notes))
        lines = [headline, *(pointed(equation, marks) if equation else ()), *(f"  {note}" for note in notes)]
        error = cls("\n".join(lines))
        error._headline, error.equation, error.rule = headline, equation, rule
        error.marks, error.notes = tuple(marks), notes
        return error


# TensorFlow's AutoGraph raises errors from a tf.function again: in their own class if they have exactly this
# constructor, else as a StagingError. Therefore the parts are not arguments of the constructor.
EinsumError.__init__ = Exception.__init__  # type: ignore[method-assign]


class EquationError(EinsumError):
    """The equation is wrong for any operands.

    >>> import numpy as np, einsum_unified
    >>> einsum_unified.einsum("ij,jk->iz", np.ones((2, 3)), np.ones((3, 4)))
    Traceback (most recent call last):
    einsum_unified.errors.EquationError: output label 'z' occurs in no operand
        ij,jk->iz
                ^
      to add an axis, reshape the result, or give an operand of ones with subscripts 'z'
    """


class OperandError(EinsumError):
    """The operands do not fit the equation or each other.

    >>> import numpy as np, einsum_unified
    >>> a, b = np.ones((2, 3), "float32"), np.ones((4, 5), "float32")
    >>> einsum_unified.einsum("ij,jk->ik", a, b)
    Traceback (most recent call last):
    einsum_unified.errors.OperandError: label 'j' is 3 in operand 0 but 4 in operand 1
        ij,jk->ik
         ^ ^
      operand 0 'ij': shape (2, 3), numpy.float32
      operand 1 'jk': shape (4, 5), numpy.float32
    """


class PathError(EinsumError):
    """``optimize=`` is not a strategy, or its path does not fit the operands.

    >>> import numpy as np, einsum_unified
    >>> x = np.ones(2)
    >>> einsum_unified.einsum("i,i,i->", x, x, x, optimize=[(0, 3), (0, 1)])
    Traceback (most recent call last):
    einsum_unified.errors.PathError: step 0, (0, 3), names operand 3 but 3 operands are left (0 to 2)
    """


class OperandTypeError(EinsumError, TypeError):
    """An operand has a type, dtype or device that cannot be used, or not together with the others.

    >>> import numpy as np, einsum_unified
    >>> einsum_unified.einsum("i,i->", np.ones(2), {"a": 1})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    einsum_unified.errors.OperandTypeError: operand 1 is a dict, which is not an array of a known library
      known: ...numpy...; others can be added with einsum_unified.register_backend
    """


class BackendError(EinsumError):
    """An adapter cannot be loaded, or lacks a part of the protocol; or opt_einsum is needed and missing.

    >>> import einsum_unified
    >>> einsum_unified.register_backend("mylib.Array", object())
    Traceback (most recent call last):
    einsum_unified.errors.BackendError: the adapter for 'mylib.Array' is an object, which has no member of an
    adapter
    """


def warn(text: str) -> None:
    """Warn, at the first frame outside the library."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("einsum_unified."):
        frame, level = frame.f_back, level + 1
    warnings.warn(text, UserWarning, stacklevel=level)
