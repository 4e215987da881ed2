"""`Signature`: the properties of an operand that a plan depends on: type, shape and dtype, never data."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10
from types import NoneType
from typing import Any

import numpy as np

from einsum_unified import dtypes
from einsum_unified.adapter import Backend, Form
from einsum_unified.adapter.dispatch import backend_of, default_backend, describe
from einsum_unified.adapter.registry import Table
from einsum_unified.binding.operand import Operand
from einsum_unified.errors import OperandTypeError
from einsum_unified.planning.stored import SPARSEST, Densities
from einsum_unified.wording import article

Signature = tuple[type, Any, Any]
"""Type, shape and dtype of an operand."""

_PLAIN = (int, NoneType)


class Unprepared(Exception):  # noqa: N818 - not an error: the caller then goes the slow way
    """Raised if operands have to be inspected or converted before they can be planned for."""


def signatures_of(operands: Sequence[Any]) -> tuple[Signature, ...]:
    """Return type, shape and dtype of operands that have them."""
    return tuple([(type(x), x.shape, x.dtype) for x in operands])


def prepared_signatures(
    xs: Sequence[Any], classes: Sequence[type], numbers: Sequence[int] | None = None
) -> tuple[Signature, ...]:
    """Return the signatures of operands that `prepared` returned, with their classes.

    Raises `OperandTypeError` for an operand whose shape or dtype cannot be read, such as torch's nested
    tensors. It is named by its number; ``numbers`` are those of the operands, if not from 0.
    """
    try:
        return tuple([(cls, x.shape, x.dtype) for x, cls in zip(xs, classes, strict=True)])
    except (AttributeError, NotImplementedError, RuntimeError) as error:
        raise _unreadable(xs, numbers or range(len(xs))) or error from error


def _unreadable(xs: Sequence[Any], numbers: Sequence[int]) -> OperandTypeError | None:
    """Return the error for the first operand whose shape or dtype cannot be read."""
    for number, x in zip(numbers, xs, strict=True):
        try:
            _ = x.shape, x.dtype
        except (AttributeError, NotImplementedError, RuntimeError):
            backend = backend_of(type(x))
            hint = backend.hint(x) if backend is not None else None
            kind = f"{hint[0]} {describe(x)}" if hint else describe(x)
            notes = [f"make it dense first: {hint[1]}"] if hint else []
            headline = f"operand {number} is {article(kind)}, which has no shape or dtype to plan for"
            return OperandTypeError.of(headline, notes=notes)
    return None


def densities_of(xs: Sequence[Any], backend: Backend, table: Table) -> Densities:
    """Return the powers of ten of the operands' densities; none if they are dense, or have one order only.

    Whatever is not an array of the backend counts as dense, also a shape.
    """
    if len(xs) < 3 or not backend.capabilities.sparse:
        return ()
    density = backend.density  # type: ignore[attr-defined] # adapters with the capability `sparse` have it
    known = [density(x) if backend_of(type(x), table=table) is backend else 1.0 for x in xs]
    powers = tuple([min(round(-log10(density)), SPARSEST) if density > 0 else SPARSEST for density in known])
    return powers if any(powers) else ()


def sizes_of(shape: Any) -> tuple[Any, ...] | None:
    """Return the sizes of a shape; None if even their number is unknown."""
    try:
        return tuple(shape)
    except ValueError:  # TensorFlow's shape of unknown rank
        return None


def is_plain(signature: Signature) -> bool:
    """Whether all sizes are integers or None: a tracer's sizes may be tensors, which caches must not hold."""
    return all(type(size) in _PLAIN for size in sizes_of(signature[1]) or ())


def matches(planned: Any, given: Any) -> bool:
    """Whether a shape is the planned one, in which None matches any size.

    >>> matches((None, 3), (2, 3)), matches((2, 3), (2, 4)), matches(None, (2,))
    (True, False, False)
    """
    if planned is None or given is None:
        return planned is given
    return len(planned) == len(given) and all(m in (None, n) for m, n in zip(planned, given, strict=True))


def operand_of(signature: Signature, backend: Backend, table: Table) -> Operand:
    """Return the `Operand` for a signature, as an adapter sees it.

    Raises `Unprepared` if the adapter cannot use operands of this class without conversion.
    """
    cls, shape, dtype = signature
    if cls in dtypes.WEAK:
        return Operand(shape, dtypes.name_of(dtype), "python", Form.ARRAY, cls)
    if cls is np.ndarray:
        form = Form.TENSOR if backend is default_backend() else Form.ARRAY
        return Operand(shape, dtypes.name_of(dtype), default_backend().name, form)
    known = backend.form(cls) if backend_of(cls, table=table) is backend else None
    if known is None or known is Form.NATIVE:
        raise Unprepared
    sizes = sizes_of(shape)
    if sizes is not None:
        sizes = tuple([size if type(size) in _PLAIN else backend.static_size(size) for size in sizes])
    return Operand(sizes, dtypes.name_of(dtype), backend.name, known)
