"""Bind an `Equation` to operands: every check that needs an operand happens here, and only here.

`bind` looks at shapes and dtypes, never at data, and gives a `Bound`: labels as integers with one
size each, ellipses expanded, the dtype of the result.
"""

from __future__ import annotations

import array
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from einsum_unified import dtypes
from einsum_unified.equation import Equation, spelled
from einsum_unified.errors import EquationError, OperandError, OperandTypeError, clipped, message, quoted
from einsum_unified.primitives import Backend, Form, Shape

WEAK = (bool, int, float, complex)
"""Python's numbers: beside an array their type is only a kind, as in the framework's own ``x * 2``."""


@dataclass(frozen=True)
class Operand:
    """What planning knows of one operand: never its data."""

    shape: Shape | None
    dtype: str
    library: str
    form: Form
    weak: type | None = None
    """The Python type of a number, or of the numbers of a nested list."""

    def __str__(self) -> str:
        dtype = f"Python {self.weak.__name__}" if self.weak else f"{self.library}.{self.dtype}"
        if self.shape is None:
            return f"shape unknown, {dtype}"
        sizes = ", ".join("?" if size is None else str(size) for size in self.shape)
        return f"shape ({sizes}{',' if len(self.shape) == 1 else ''}), {dtype}"


@dataclass(frozen=True)
class Bound:
    """An equation with the shapes and dtypes of its operands, all checked."""

    equation: Equation
    operands: tuple[Operand, ...]
    terms: tuple[tuple[int, ...], ...]
    """Labels of each operand as integers, ellipsis axes included; empty if `symbolic`."""
    output: tuple[int, ...]
    sizes: tuple[int, ...]
    """Size of each label, broadcasting done; an operand may have size 1 instead."""
    names: tuple[str, ...]
    """How each label is shown."""
    dtype: str
    """Name of the result's dtype, to which operands are cast before anything is summed."""
    symbolic: bool = False
    """Whether a size, or a number of axes, is known only when the framework runs."""


def bind(equation: Equation, operands: Sequence[Operand], backend: Backend, dtype: Any = None) -> Bound:
    """Check operands against an equation and each other, and expand the ellipses.

    Raises `OperandError` for a wrong count, rank or size, `OperandTypeError` for dtypes.
    """
    _check_count(equation, operands)
    for number, operand in enumerate(operands):
        _check_rank(equation, number, operand, operands)
        _check_repeats(equation, number, operand, operands)
    terms, output, names = _expand(equation, operands)
    sizes = _sizes(equation, operands, terms)
    result = result_dtype(operands, backend, dtype)
    if any(operand.shape is None or None in operand.shape for operand in operands):
        return Bound(equation, tuple(operands), (), (), (), (), result, symbolic=True)
    return Bound(equation, tuple(operands), terms, output, sizes, names, result)


# --- counts, ranks and sizes --------------------------------------------------------------------


def _check_count(equation: Equation, operands: Sequence[Operand]) -> None:
    terms, given = len(equation.inputs), len(operands)
    if terms == given:
        return
    headline = (
        f"the equation has {terms} {'term' if terms == 1 else 'terms'} "
        f"but {given} {'operand was' if given == 1 else 'operands were'} given"
    )
    # The first term without an operand, or the end of the last term that has one.
    marks = [equation.start(given)] if given < terms else []
    raise OperandError(message(headline, equation.text, marks, _notes(equation, operands, range(min(terms, given)))))


def _check_rank(equation: Equation, number: int, operand: Operand, operands: Sequence[Operand]) -> None:
    if operand.shape is None:
        return
    term, rank = equation.inputs[number], len(operand.shape)
    named = len(term) - (... in term)
    if rank == named or (rank > named and ... in term):
        return
    axes = f"{rank} {'axis' if rank == 1 else 'axes'}"
    least = "at least " if ... in term else ""
    headline = f"operand {number} has {axes} but its subscripts {equation.shown(number)} name {least}{named}"
    notes = _notes(equation, operands, [number])
    if "→" in equation.text:
        notes.append("'→' is a label here: the arrow is '->'")
    elif rank > named:
        notes.append(f"to let further axes through, write '...': {_with_ellipsis(equation, number)}")
    raise OperandError(message(headline, equation.text, [equation.start(number)], notes))


def _with_ellipsis(equation: Equation, number: int) -> str:
    text = spelled((..., *equation.inputs[number]), equation.sublists)
    return text if equation.sublists else repr(text)


def _check_repeats(equation: Equation, number: int, operand: Operand, operands: Sequence[Operand]) -> None:
    """Within one operand a repeated label is a diagonal: no broadcasting there."""
    term = equation.inputs[number]
    if operand.shape is None or len(set(term)) == len(term):
        return
    for label, sizes in _axes_by_label(term, operand.shape).items():
        known = sorted({size for size in sizes if size is not None})
        if len(known) > 1:
            headline = f"label {quoted(label)} is repeated in operand {number} with sizes {known[0]} and {known[1]}"
            notes = [*_notes(equation, operands, [number]), "a diagonal needs equal sizes: 1 does not broadcast here"]
            raise OperandError(message(headline, equation.text, equation.find(number, label), notes))


def _axes_by_label(term: tuple[Any, ...], shape: Shape) -> dict[Any, list[int | None]]:
    """Return the sizes of each named label's axes, in order."""
    dots = term.index(...) if ... in term else len(term)
    after = len(term) - dots - 1
    axes = [*zip(term[:dots], shape[:dots], strict=True)]
    if after > 0:
        axes += zip(term[dots + 1 :], shape[len(shape) - after :], strict=True)
    found: dict[Any, list[int | None]] = {}
    for label, size in axes:
        found.setdefault(label, []).append(size)
    return found


Expanded = tuple[tuple[tuple[int, ...], ...], tuple[int, ...], tuple[str, ...]]


def _expand(equation: Equation, operands: Sequence[Operand]) -> Expanded:
    """Number the labels by first occurrence, those of the ellipsis axes after them, leftmost first.

    An operand of unknown rank contributes no ellipsis axes here.
    """
    numbers: dict[Any, int] = {}
    for term in equation.inputs:
        for label in term:
            if label is not ...:
                numbers.setdefault(label, len(numbers))
    extra = [
        len(x.shape) - len(term) + 1 if ... in term and x.shape is not None else 0
        for term, x in zip(equation.inputs, operands, strict=True)
    ]
    most = max(extra, default=0)
    ellipsis = range(len(numbers), len(numbers) + most)

    def expand(term: tuple[Any, ...], count: int) -> tuple[int, ...]:
        axes = ellipsis[most - count :]  # aligned at the right, as NumPy broadcasts
        return tuple(n for label in term for n in (axes if label is ... else (numbers[label],)))

    terms = tuple(expand(term, count) for term, count in zip(equation.inputs, extra, strict=True))
    names = [quoted(label) for label in numbers] + [f"axis {n - most} of '...'" for n in range(most)]
    return terms, expand(equation.output, most), tuple(names)


def _sizes(equation: Equation, operands: Sequence[Operand], terms: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """Return one size for each label; size 1 gives way to any other, also to 0."""
    sizes: dict[int, int] = {}
    first: dict[int, int] = {}
    for number, (term, operand) in enumerate(zip(terms, operands, strict=True)):
        if operand.shape is None:
            continue
        for label, size in zip(term, operand.shape, strict=True):
            known = sizes.get(label)
            if size is None or (known is not None and size in (1, known)):
                continue
            if known not in (None, 1):
                _raise_sizes(equation, operands, terms, label, first[label], number)
            sizes[label], first[label] = size, number
    return tuple(sizes.get(label, 1) for label in range(max(sizes, default=-1) + 1))


def _raise_sizes(
    equation: Equation,
    operands: Sequence[Operand],
    terms: Sequence[Sequence[int]],
    label: int,
    one: int,
    other: int,
) -> None:
    name = _expand(equation, operands)[2][label]
    what = f"label {name}" if not name.endswith("'...'") else name
    sizes = [operands[n].shape[terms[n].index(label)] for n in (one, other)]  # type: ignore[index]
    headline = f"{what} is {sizes[0]} in operand {one} but {sizes[1]} in operand {other}"
    marks = []
    for n in (one, other):
        axis = terms[n].index(label)
        labels = equation.inputs[n]
        # An axis of the ellipsis points at its dots; a named label stands for itself.
        dots = labels.index(...) if ... in labels else len(labels)
        extra = len(terms[n]) - len(labels)
        shown = labels[axis] if axis < dots else ... if axis <= dots + extra else labels[axis - extra]
        marks += equation.find(n, shown)
    raise OperandError(message(headline, equation.text, marks, _notes(equation, operands, [one, other])))


def _notes(equation: Equation, operands: Sequence[Operand], numbers: Sequence[int]) -> list[str]:
    return clipped([f"operand {n} {equation.shown(n)}: {operands[n]}" for n in numbers])


# --- dtypes -------------------------------------------------------------------------------------


def result_dtype(operands: Sequence[Operand], backend: Backend, dtype: Any = None) -> str:
    """Return the name of the dtype that is computed in and returned.

    Raises `OperandTypeError` for dtypes that are no numbers, that the framework lacks, that do not
    promote, or that ``dtype=`` would cut off (complex to real, float to int, any number to bool).
    """
    for number, operand in enumerate(operands):
        _check_dtype(number, operand, backend)
    strong = tuple(dict.fromkeys(operand.dtype for operand in operands if not operand.weak))
    weak = tuple(dict.fromkeys(operand.weak for operand in operands if operand.weak))
    if dtype is not None:
        return _asked_dtype(dtype, operands, backend)
    if len(strong) == 1 and not weak:
        return strong[0]
    if not strong:  # nothing but Python numbers: NumPy arrays
        return backend.result_type(tuple(operand.dtype for operand in operands), ())
    try:
        return backend.result_type(strong, weak)
    except OperandTypeError as error:
        notes = clipped([f"operand {n}: {operand}" for n, operand in enumerate(operands)])
        raise OperandTypeError(message(str(error), notes=notes)) from None


def _check_dtype(number: int, operand: Operand, backend: Backend) -> None:
    if operand.weak:
        return
    if not dtypes.kind_of(operand.dtype):
        raise OperandTypeError(f"operand {number} has dtype {operand.library}.{operand.dtype}, which is no number")
    if not _has(backend, operand.dtype):
        raise OperandTypeError(
            f"operand {number} has dtype {operand.library}.{operand.dtype}, with which {backend.name} cannot compute"
        )


def _has(backend: Backend, name: str) -> bool:
    known = backend.capabilities.dtypes
    return (known is None or name in known) and backend.dtype_from_name(name) is not None


def _asked_dtype(dtype: Any, operands: Sequence[Operand], backend: Backend) -> str:
    try:
        name = dtypes.name_of(dtype)
    except TypeError:
        name = ""
    if not dtypes.kind_of(name) or not _has(backend, name):
        raise OperandTypeError(f"dtype={dtype!r} is no dtype that {backend.name} can compute with")
    rank = dtypes.KINDS.index
    for number, operand in enumerate(operands):
        kind = operand.weak.__name__ if operand.weak else dtypes.kind_of(operand.dtype)
        if rank(kind) > rank(dtypes.kind_of(name)):
            note = "cast the operand first if that is meant"
            headline = f"dtype={name} would cut off operand {number}, which is {kind} ({operand})"
            raise OperandTypeError(message(headline, notes=[note]))
    return name


# --- what is no tensor --------------------------------------------------------------------------


def prepare(x: Any, number: int) -> tuple[Any, type]:
    """Return an operand that is no framework's tensor as a NumPy array, and the class it counts as.

    The class is bool, int, float or complex for Python's numbers and nested lists of them, else
    `numpy.ndarray`; anything that is not for NumPy comes back as it is.
    """
    if isinstance(x, (np.ndarray, np.generic)):
        return _plain_array(x), np.ndarray
    if isinstance(x, WEAK):
        return np.asarray(x), next(cls for cls in WEAK if isinstance(x, cls))
    if isinstance(x, (list, tuple)):
        return _nested(x, number)
    if isinstance(x, (array.array, memoryview)) or _is_only_array_like(type(x)):
        return np.asarray(x), np.ndarray
    return x, type(x)


def _plain_array(x: Any) -> Any:
    if isinstance(x, np.ma.MaskedArray) and np.ma.is_masked(x):
        # 1 is here, then prepare, einsum's slow path, einsum, the caller.
        warnings.warn("the mask of a MaskedArray is ignored by einsum", UserWarning, stacklevel=5)
    return np.asarray(x)


def _is_only_array_like(cls: type) -> bool:
    """Whether a class gives a NumPy array and claims to be no array library of its own."""
    claims = ("__array_namespace__", "__array_function__", "__torch_function__", "__dlpack__")
    return hasattr(cls, "__array__") and not any(hasattr(cls, claim) for claim in claims)


def _nested(x: Any, number: int) -> tuple[Any, type]:
    leaves = _leaf_types(x)
    foreign = [cls for cls in leaves if not issubclass(cls, (*WEAK, np.ndarray, np.generic))]
    if foreign:
        name = f"{foreign[0].__module__.partition('.')[0]} {foreign[0].__name__}".removeprefix("builtins ")
        raise OperandTypeError(
            message(
                f"operand {number} is a {type(x).__name__} that holds a {name}",
                notes=["lists hold Python numbers or NumPy arrays; stack tensors with their framework's stack"],
            )
        )
    try:
        values = np.asarray(x)
    except ValueError:
        raise OperandError(f"operand {number} is a nested list whose rows differ in length") from None
    if any(issubclass(cls, (np.ndarray, np.generic)) for cls in leaves):
        return values, np.ndarray
    return values, max(leaves, key=WEAK.index, default=float)


def _leaf_types(x: Any) -> list[type]:
    """Return the types found in nested lists; each list is visited once, so one that holds itself ends."""
    types: dict[type, None] = {}
    seen: set[int] = set()
    todo = [x]
    while todo:
        items = todo.pop()
        if id(items) in seen:
            continue
        seen.add(id(items))
        todo += [item for item in items if isinstance(item, (list, tuple))]
        types.update(dict.fromkeys(type(item) for item in items if not isinstance(item, (list, tuple))))
    return [_weak_base(cls) for cls in types]


def _weak_base(cls: type) -> type:
    if issubclass(cls, np.generic):
        return cls
    return next((base for base in WEAK if issubclass(cls, base)), cls)


def in_range(x: Any, operand: int, dtype: str) -> None:
    """Raise `OperandError` unless Python's integers fit the integer dtype they are taken for."""
    low, high = dtypes.integer_range(dtype)
    if x.size and (x.min() < low or x.max() > high):
        worst = x.min() if x.min() < low else x.max()
        raise OperandError(f"operand {operand} has the Python int {worst}, which {dtype} cannot hold ({low} to {high})")


def check_keywords(unknown: dict[str, Any], known: Sequence[str], function: str) -> None:
    """Raise TypeError, naming what is known, if keywords were given that are not."""
    if unknown:
        name = next(iter(unknown))
        raise TypeError(f"{function}() got an unknown keyword {name!r}; known are: {', '.join(known)}")


def interleaved(arguments: Sequence[Any]) -> tuple[list[Any], list[Any], Any]:
    """Split the arguments of an interleaved call into operands, their sublists and the output's or None."""
    if len(arguments) == 1:
        raise EquationError(f"the equation is a {type(arguments[0]).__name__}, not text, and no sublist follows it")
    pairs = len(arguments) // 2
    output = arguments[-1] if len(arguments) % 2 else None
    return list(arguments[: 2 * pairs : 2]), list(arguments[1 : 2 * pairs : 2]), output
