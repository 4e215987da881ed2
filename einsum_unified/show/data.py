"""A plan as data: everything needed to make it again, as text and numbers that JSON can hold.

The data is never executed. It is checked first, and data that does not describe a plan is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from einsum_unified.errors import PathError
from einsum_unified.language.equation import Equation, parse
from einsum_unified.language.sublists import Sublists
from einsum_unified.planning.steps import Path, each_step, pairwise
from einsum_unified.wording import class_name, quoted

SCHEMA = 1
"""The version of the format; data of another version is refused."""

_LARGEST = 2**63 - 1
_AXES = 1024
_LABELS, _TURNS = 100_000, 32
"""The most labels in all steps together: the first number, or the second one for each axis of an operand."""
_DTYPE = re.compile(
    r"bool|object|u?int(2|4|8|16|32|64)|b?float16|float(32|64|96|128)|float[468]_e[0-9]m[0-9][a-z0-9]{0,6}"
    r"|complex(32|64|128|192|256)|c?longdouble"
)
_ELLIPSIS = {"ellipsis": True}


@dataclass(frozen=True)
class PlanData:
    """The checked contents of a plan's data."""

    equation: str | Sublists
    shapes: tuple[tuple[int | None, ...], ...]
    dtypes: tuple[str, ...]
    """The names of the operands' dtypes."""
    path: Path
    dtype: str | None
    """The dtype asked for with ``dtype=``."""
    strict: bool


def to_dict(
    equation: Equation,
    shapes: Sequence[Any],
    dtypes: Sequence[str],
    path: Path,
    dtype: str | None,
    strict: bool,
) -> dict[str, Any]:
    """Return a plan's data.

    Raises `PathError` for labels other than text and integers, which JSON cannot hold unchanged.
    """
    return {
        "schema": SCHEMA,
        "equation": _sublists(equation) if equation.sublists else equation.text,
        "shapes": [list(shape) for shape in shapes],
        "dtypes": list(dtypes),
        "path": [list(step) for step in path],
        "dtype": dtype,
        "strict": strict,
    }


def _sublists(equation: Equation) -> dict[str, Any]:
    def spelled(term: Sequence[Any]) -> list[Any]:
        return [_ELLIPSIS if label is ... else _plain(label) for label in term]

    output = spelled(equation.output) if equation.explicit else None
    return {"inputs": [spelled(term) for term in equation.inputs], "output": output}


def _plain(label: Any) -> Any:
    if isinstance(label, str) or (type(label) is int and abs(label) <= _LARGEST):
        return label
    raise PathError(f"label {quoted(label)} cannot be kept as data: only text and integer labels can")


# --- reading --------------------------------------------------------------------------------------


def checked(data: Any) -> PlanData:
    """Check a plan's data and return its contents; raises `PathError` that names the wrong entry."""
    if not isinstance(data, Mapping):
        raise PathError(f"plan data must be a mapping, not {class_name(type(data))}")
    wanted = ("schema", "equation", "shapes", "dtypes", "path", "dtype", "strict")
    missing = [name for name in wanted if name not in data]
    unknown = [name for name in data if name not in wanted]
    if missing or unknown:
        raise PathError(f"plan data must have the entries {', '.join(wanted)}; {_odd(missing, unknown)}")
    if type(data["schema"]) is not int or data["schema"] != SCHEMA:
        raise PathError(
            f"plan data of schema {quoted(data['schema'])} cannot be read, only of schema {SCHEMA}"
        )
    shapes = tuple(_shape(shape) for shape in _list(data["shapes"], "shapes"))
    dtypes = tuple(_dtype(name, "dtypes") for name in _list(data["dtypes"], "dtypes"))
    if len(shapes) != len(dtypes):
        raise PathError(f"plan data has {len(shapes)} shapes but {len(dtypes)} dtypes")
    path = tuple(_step(step) for step in _list(data["path"], "path"))
    if len(path) > 2 * len(shapes):  # one step for each operand alone, and the steps that join operands
        raise PathError(f"plan data: {len(path)} steps in 'path' are too many for {len(shapes)} operands")
    dtype = None if data["dtype"] is None else _dtype(data["dtype"], "dtype")
    if not isinstance(data["strict"], bool):
        raise PathError(f"plan data: {quoted(data['strict'])} in 'strict' is neither true nor false")
    equation = _equation(data["equation"])
    _check_labels(parse(equation), shapes, path)
    return PlanData(equation, shapes, dtypes, path, dtype, data["strict"])


def _check_labels(equation: Equation, shapes: Sequence[Sequence[Any]], path: Path) -> None:
    """Raise `PathError` if the steps have too many labels: planning takes time and memory for each of them.

    A short text can ask for many: n vectors, multiplied from left to right, have n**2 / 2. A diagonal counts
    as a step, and a step of three or more operands as its pairs from left to right. Terms and paths that do
    not fit the operands pass, because planning raises their errors.
    """
    if len(equation.inputs) != len(shapes):
        return
    axes = [len(s) - len(t) + 1 if ... in t else 0 for t, s in zip(equation.inputs, shapes, strict=True)]
    spelled = [_expanded(term, count) for term, count in zip(equation.inputs, axes, strict=True)]
    numbers: dict[Any, int] = {}
    terms = [[numbers.setdefault(label, len(numbers)) for label in term] for term in spelled]
    output = [numbers[label] for label in _expanded(equation.output, max(axes))]
    count = sum(map(len, terms))
    most = max(_LABELS, _TURNS * count)
    left = most - sum(len(term) * (len(term) - len(set(term))) for term in terms)
    try:
        for step in each_step(terms, output, [1] * count, pairwise(path, len(terms))):
            left -= sum(map(len, step.inputs))
            if left < 0:
                break
    except (IndexError, ValueError):
        return
    if left < 0:
        raise PathError(
            f"plan data: the steps have more than {most:,} labels together, the most for {count:,} axes"
        )


def _expanded(term: Sequence[Any], axes: int) -> list[Any]:
    """Return a term with a label of its own for each axis of an ellipsis, aligned at the right."""
    return [x for label in term for x in ([(..., n) for n in range(-axes, 0)] if label is ... else [label])]


def _odd(missing: Sequence[str], unknown: Sequence[Any]) -> str:
    if missing:
        return f"{missing[0]!r} is missing"
    return f"{quoted(unknown[0])} is none of them"


def _list(value: Any, name: str) -> Sequence[Any]:
    if not isinstance(value, (list, tuple)):
        raise PathError(f"plan data: {name!r} is a {class_name(type(value))}, not a list")
    return value


def _shape(value: Any) -> tuple[int | None, ...]:
    if len(_list(value, "shapes")) > _AXES:
        raise PathError(f"plan data: {len(value)} axes in 'shapes' are more than any framework has")
    for size in value:
        if size is not None and (type(size) is not int or not 0 <= size <= _LARGEST):
            raise PathError(f"plan data: {quoted(size)} in 'shapes' is not a size")
    return tuple(value)


def _dtype(value: Any, name: str) -> str:
    if not isinstance(value, str) or not _DTYPE.fullmatch(value):
        raise PathError(f"plan data: {quoted(value)} in {name!r} is not a numeric dtype")
    return value


def _step(value: Any) -> tuple[int, ...]:
    for position in _list(value, "path"):
        if type(position) is not int or not 0 <= position <= _LARGEST:
            raise PathError(f"plan data: {quoted(position)} in 'path' is not an operand position")
    return tuple(value)


def _equation(value: Any) -> str | Sublists:
    if isinstance(value, str):
        return value
    if not isinstance(value, Mapping) or set(value) != {"inputs", "output"}:
        raise PathError("plan data: 'equation' is neither text nor a mapping of inputs and output")
    inputs = tuple(_term(term) for term in _list(value["inputs"], "inputs"))
    return Sublists(inputs, None if value["output"] is None else _term(value["output"]))


def _term(value: Any) -> tuple[Any, ...]:
    return tuple(... if _is_ellipsis(label) else _plain(label) for label in _list(value, "equation"))


def _is_ellipsis(label: Any) -> bool:
    return isinstance(label, Mapping) and len(label) == 1 and label.get("ellipsis") is True
