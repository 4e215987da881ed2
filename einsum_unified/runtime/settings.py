"""`Settings`: the settings of a framework that a plan depends on, such as torch's default dtype.

A cached plan may be used after such a setting has changed. So a program first compares them with those from
planning, and raises `StalePlan`; the runtime then makes the plan again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from einsum_unified import dtypes
from einsum_unified.adapter import Backend
from einsum_unified.binding.operand import Operand


class StalePlan(Exception):  # noqa: N818 - not an error: the plan is made again
    """Raised by a program that was planned under other settings of the framework."""


class Settings(NamedTuple):
    """How to read the settings that a plan depends on, and their values when it was made."""

    read: Callable[[], Any]
    planned: Any

    def checked(self, run: Callable[..., Any]) -> Callable[..., Any]:
        """Return a program that raises `StalePlan` if a setting has another value than when planned."""
        read, planned = self

        def checked(*operands: Any) -> Any:
            if read() != planned:
                raise StalePlan
            return run(*operands)

        return checked


def settings_for(operands: Sequence[Operand], backend: Backend, dtype: Any) -> Settings | None:
    """Return the present settings that a plan for these operands and ``dtype=`` depends on; None for none."""
    names = [operand.dtype for operand in operands if not operand.weak]
    if dtype is not None:
        try:
            names.append(dtypes.name_of(dtype))
        except TypeError:  # binding raises the error
            return None
    weak = [operand.weak for operand in operands if operand.weak]
    read = backend.settings(tuple(dict.fromkeys(names)), tuple(dict.fromkeys(weak)))
    return None if read is None else Settings(read, read())
