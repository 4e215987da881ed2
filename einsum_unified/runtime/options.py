"""`Options`: the keywords of a call, checked and hashable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Number
from types import MappingProxyType, NoneType
from typing import Any

import numpy as np

from einsum_unified import dtypes
from einsum_unified.adapter import Backend
from einsum_unified.binding.call import check_strict
from einsum_unified.computed import computed_once
from einsum_unified.language.labels import Label
from einsum_unified.planning import strategy as strategies
from einsum_unified.planning.strategy import AUTO, Strategy
from einsum_unified.runtime.signature import Signature, Unprepared, sizes_of

Keywords = tuple[tuple[str, Any], ...]
"""Keywords that only the framework knows, such as ``precision``, with their values."""


DEFAULT_OPTIMIZE = "auto"


@dataclass(frozen=True)
class Options:
    """The keywords of a call, checked and hashable; without ``out=``, which does not change a program."""

    strategy: Strategy = AUTO
    """The parsed value of ``optimize=``."""
    dtype: Any = None
    """The value of ``dtype=``."""
    hints: tuple[tuple[Label, int], ...] = ()
    """Expected sizes of labels whose sizes are unknown while a plan is made."""
    strict: bool = False
    keywords: Keywords = ()
    dtype_class: type = NoneType
    """The class of the value of ``dtype=``: ``tf.float32 == 1``."""

    @classmethod
    def of(
        cls,
        optimize: Any = DEFAULT_OPTIMIZE,
        dtype: Any = None,
        hints: tuple[tuple[Label, int], ...] = (),
        strict: Any = False,
        keywords: Mapping[str, Any] = MappingProxyType({}),
    ) -> Options:
        """Check the values of a call's keywords; ``hints`` is a result of `check_hints`.

        Raises `PathError` for ``optimize=``, TypeError for ``strict=``.
        """
        strict = check_strict(strict)
        if dtype is None and not hints and not strict and not keywords and optimize is DEFAULT_OPTIMIZE:
            return DEFAULT
        return cls(strategies.strategy(optimize), dtype, hints, strict, tuple(keywords.items()), type(dtype))

    def __hash__(self) -> int:
        return self._hash

    @computed_once
    def _hash(self) -> int:
        return hash((self.strategy, self.dtype, self.hints, self.strict, self.keywords))

    def reduced(self, signatures: Sequence[Signature], backend: Backend) -> Options:
        """Return options with the same effect on these operands, with as few as possible set.

        So calls share one executable if they differ only in options without effect.

        >>> import numpy as np
        >>> from einsum_unified.adapter.dispatch import default_backend
        >>> vector = (np.ndarray, (3,), np.dtype("float64"))
        >>> asked = Options.of("greedy", "float64", (("i", 5),))
        >>> asked.reduced([vector, vector], default_backend()) == Options()
        True
        """
        options = self
        if self._has_one_order(len(signatures)):
            options = replace(options, strategy=AUTO)
        if self.hints and all(_is_known(shape) for _, shape, _ in signatures):
            options = replace(options, hints=())
        # Where autocast exists, dtype= turns it off.
        if self.dtype is not None and not backend.capabilities.autocast and self._has_dtype(signatures):
            options = replace(options, dtype=None, dtype_class=NoneType)
        return options

    def _has_one_order(self, operands: int) -> bool:
        """Whether any strategy finds the same path, and an explicit path is that one."""
        if self.strategy.name == "explicit":
            return operands in (1, 2) and self.strategy.path == (tuple(range(operands)),)
        return operands <= 2

    def _has_dtype(self, signatures: Sequence[Signature]) -> bool:
        """Whether all operands have the dtype in ``dtype=``, Python numbers the one that NumPy gives them."""
        try:
            asked = dtypes.name_of(self.dtype)
        except TypeError:  # binding raises the error
            return False
        return all(dtypes.name_of(dtype) == asked for _, _, dtype in signatures)


DEFAULT = Options()

_DTYPES = (NoneType, str, type, np.dtype)
"""The usual classes of values of ``dtype=``; none of these values is a number."""


def distinct(optimize: Any, dtype: Any, strict: Any) -> tuple[Any, Any, bool]:
    """Return three options as keys, in which only values of the same meaning are equal.

    Otherwise a value that is refused would be accepted once an equal one is in the cache: ``1 == True``, and
    TensorFlow's dtypes are equal to integers. Raises the errors of `Options.of`, and `Unprepared` for a
    number in the place of a dtype.
    """
    # The usual classes come first: `isinstance` takes long with an abstract class such as Number.
    if not isinstance(dtype, _DTYPES) and isinstance(dtype, (Number, np.bool_)):
        raise Unprepared
    if strict is not False:
        strict = check_strict(strict)
    return strategies.distinct(optimize), dtype, strict


def _is_known(shape: Any) -> bool:
    sizes = sizes_of(shape)
    return sizes is not None and all(type(size) is int for size in sizes)
