"""Every error of the library, and the one place where their messages are built.

::

    EinsumError (ValueError)
    ├── EquationError       the equation itself is wrong
    ├── OperandError        the operands do not fit the equation or each other
    ├── PathError           optimize= is no path or strategy
    ├── OperandTypeError    (also a TypeError) an operand's type or dtype cannot be used
    └── BackendError        an adapter cannot be loaded or registered

The wording is the same for every framework.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_WINDOW = 72  # characters of a long equation that a message shows


class EinsumError(ValueError):
    """Base of all errors raised here: ``except EinsumError`` catches every one.

    >>> import numpy as np, einsum_unified
    >>> try:
    ...     einsum_unified.einsum("ij->j", np.ones(3))
    ... except einsum_unified.EinsumError as error:
    ...     print(type(error).__name__)
    OperandError
    """


# TensorFlow's AutoGraph re-raises what is raised in a tf.function: errors with this very constructor in
# their own class, others as a StagingError.
EinsumError.__init__ = Exception.__init__  # type: ignore[method-assign]


class EquationError(EinsumError):
    """The equation is wrong whatever the operands are.

    >>> import numpy as np, einsum_unified
    >>> einsum_unified.einsum("ij,jk->iz", np.ones((2, 3)), np.ones((3, 4)))
    Traceback (most recent call last):
    einsum_unified.errors.EquationError: output label 'z' occurs in no operand
        ij,jk->iz
                ^
      to add an axis, reshape the result, or give an operand of ones with subscripts 'z'
    """


class OperandError(EinsumError):
    """The operands do not fit the equation, or not each other.

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
    """``optimize=`` names no strategy, or the path it gives does not fit the operands.

    >>> import numpy as np, einsum_unified
    >>> x = np.ones(2)
    >>> einsum_unified.einsum("i,i,i->", x, x, x, optimize=[(0, 3), (0, 1)])
    Traceback (most recent call last):
    einsum_unified.errors.PathError: step 0, (0, 3), names operand 3 but 3 operands are left (0 to 2)
    """


class OperandTypeError(EinsumError, TypeError):
    """An operand has a type, dtype or device that cannot be used, alone or beside the others.

    >>> import numpy as np, einsum_unified
    >>> einsum_unified.einsum("i,i->", np.ones(2), {"a": 1})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    einsum_unified.errors.OperandTypeError: operand 1 is a dict, which is no array of a known library
      known: ...numpy...; others can be added with einsum_unified.register_backend
    """


class BackendError(EinsumError):
    """An adapter cannot be loaded, or lacks a part of the protocol.

    >>> import einsum_unified
    >>> einsum_unified.register_backend("mylib.Array", object())
    Traceback (most recent call last):
    einsum_unified.errors.BackendError: the adapter for 'mylib.Array' lacks: adapter_api, asarray,
    broadcast_to, capabilities, cast, configured, contiguous, copy_into, diagonal, dot, dtype_from_name,
    finish, form, hint, matmul, multiply, name, native, reshape, result_type, same_device, same_size,
    size, static_size, sum, sum_products, to_numpy, transpose
    """


def message(
    headline: str,
    text: str = "",
    marks: Sequence[int] = (),
    notes: Iterable[str] = (),
) -> str:
    """Return a headline, the equation with carets under ``marks``, and indented notes."""
    lines = [headline]
    if text:
        lines += _with_carets(text, marks)[: 2 if marks else 1]
    lines += [f"  {note}" for note in notes]
    return "\n".join(lines)


def _with_carets(text: str, marks: Sequence[int]) -> list[str]:
    """Show the equation in one line of bounded width, a caret under each mark that is visible."""
    first = min(marks, default=0)
    start = 0 if len(text) <= _WINDOW else max(0, min(first - 8, len(text) - _WINDOW))
    stop = min(len(text), start + _WINDOW)
    lead, tail = "…" if start else "", "…" if stop < len(text) else ""
    # What would break the line or hide itself is shown as one blank, so that carets stay in place.
    shown = "".join(c if c.isprintable() else " " for c in text[start:stop])
    columns = {mark - start for mark in marks if start <= mark <= stop}
    carets = "".join("^" if column in columns else " " for column in range(stop - start + 1))
    return [f"    {lead}{shown}{tail}", f"    {' ' * len(lead)}{carets}".rstrip()]


def clipped(items: Sequence[str], limit: int = 8) -> list[str]:
    """Return the lines, or the first ``limit`` of them and a count of the rest."""
    if len(items) <= limit:
        return list(items)
    return [*items[:limit], f"… and {len(items) - limit} more"]


def article(noun: str) -> str:
    """Return a noun with its article.

    >>> article("ndarray"), article("dict")
    ('an ndarray', 'a dict')
    """
    return f"{'an' if noun[0].lower() in 'aeiou' or noun.startswith('nd') else 'a'} {noun}"


def quoted(label: object) -> str:
    """Return a label as messages show it: of bounded length."""
    text = repr(label)
    return text if len(text) <= 40 else f"{text[:38]}…{text[-1]}"
