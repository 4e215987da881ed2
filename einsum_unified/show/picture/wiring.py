"""`Wiring`: which axes of the operands share a label, and which axis of the result they become.

It contains what is shown: if there are too many operands or axes, one more row represents the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from einsum_unified.binding.bound import Bound
from einsum_unified.language.labels import Label
from einsum_unified.language.sizes import Size
from einsum_unified.show.label_names import written_names
from einsum_unified.show.picture.text import cut, number
from einsum_unified.wording import counted, quoted

OPERANDS = 30
"""Up to this number all operands are shown."""

FIRST = 8
"""The number of operands that are shown if there are more than `OPERANDS`."""

AXES = 16
"""The maximum number of rows for the axes of one operand."""

_LONG = 14
"""The maximum width of a label, in columns."""


@dataclass(frozen=True)
class Axis:
    """A row of a box: an axis, or a note in place of several."""

    labels: tuple[int, ...]
    """One label; none for a scalar; several for a row that represents several axes."""
    name: str
    size: str = ""
    broadcasts: bool = False
    """Whether it has size 1 and other operands' axes of this label have a larger size."""
    rest: bool = False
    """Whether the row represents axes or operands that are not shown."""


@dataclass(frozen=True)
class Box:
    """An operand, the result, or the operands that are not shown."""

    number: str
    """The operand's number; empty for the result and for the operands that are not shown."""
    axes: tuple[Axis, ...]


@dataclass(frozen=True)
class Wiring:
    """An equation as boxes with axes; axes with the same label are joined."""

    operands: tuple[Box, ...]
    result: Box
    names: tuple[str, ...]
    """The name of each label."""
    summed: frozenset[int]

    @property
    def shown(self) -> tuple[int, ...]:
        """The labels with a row of their own, in the order of the rows."""
        rows = [axis for box in (*self.operands, self.result) for axis in box.axes if not axis.rest]
        return tuple(dict.fromkeys(label for axis in rows for label in axis.labels))

    @property
    def coloured(self) -> tuple[int, ...]:
        """The summed labels in the order in which they get colours: first those that are shown."""
        shown = [label for label in self.shown if label in self.summed]
        return (*shown, *sorted(self.summed.difference(shown)))


def wiring(bound: Bound) -> Wiring:
    """Return the wiring of an equation.

    >>> from einsum_unified import einsum_plan
    >>> found = wiring(einsum_plan("ij,jk->ik", (2, 3), (3, 4)).bound)
    >>> [[f"{axis.name} {axis.size}" for axis in box.axes] for box in found.operands], found.summed
    ([['i 2', 'j 3'], ['j 3', 'k 4']], frozenset({1}))
    """
    if bound.unranked:
        terms, output, names, sizes, size = _unranked(bound)
    else:
        terms, output, names = bound.terms, bound.output, written_names(bound)
        sizes = [
            [_size(bound, label, n) for label, n in zip(term, shape, strict=True)]
            for term, shape in zip(terms, bound.shapes, strict=True)
        ]
        size = {label: _number(n) for label, n in enumerate(bound.sizes)}
    shown = len(terms) if len(terms) <= OPERANDS else FIRST
    boxes = [
        Box(str(n), _rows([_axis(label, names, size) for label, size in zip(term, sizes[n], strict=True)]))
        for n, term in enumerate(terms[:shown])
    ]
    if shown < len(terms):
        labels = tuple(dict.fromkeys(label for term in terms[shown:] for label in term))
        more = counted(len(terms) - shown, "more operand", number)
        boxes.append(Box("", (Axis(labels, f"and {more}", rest=True),)))
    result = Box("", _rows([_axis(label, names, size[label]) for label in output]))
    summed = frozenset(label for term in terms for label in term).difference(output)
    return Wiring(tuple(boxes), result, names, summed)


def _rows(axes: Sequence[Axis]) -> tuple[Axis, ...]:
    if not axes:
        return (Axis((), "a number"),)
    if len(axes) <= AXES:
        return tuple(axes)
    labels = (label for axis in axes[AXES - 1 :] for label in axis.labels)
    rest = Axis(tuple(dict.fromkeys(labels)), counted(len(axes) - AXES + 1, "more axis", number), rest=True)
    return (*axes[: AXES - 1], rest)


def _axis(label: int, names: Sequence[str], size: str) -> Axis:
    return Axis((label,), cut(names[label], _LONG), size, size.startswith("1→"))


def _size(bound: Bound, label: int, size: int) -> str:
    return f"1→{_number(bound.sizes[label])}" if bound.broadcasts(label, size) else _number(size)


def _number(size: int) -> str:
    return "?" if isinstance(size, Size) else number(size)


def _unranked(bound: Bound) -> tuple[
    tuple[tuple[int, ...], ...], tuple[int, ...], tuple[str, ...], list[list[str]], dict[int, str]
]:  # fmt: skip
    """Return terms, output, names and sizes if an ellipsis represents an unknown number of axes."""
    equation = bound.equation
    labels: dict[Label, int] = {}
    for label in (label for term in equation.inputs for label in term):
        labels.setdefault(label, len(labels))
    spelled = quoted if equation.sublists else str
    names = tuple("..." if label is ... else spelled(label) for label in labels)
    sizes = [
        _around(term, operand.shape) for term, operand in zip(equation.inputs, bound.operands, strict=True)
    ]
    known = dict.fromkeys(labels.values(), "?")
    for term, own in zip(equation.inputs, sizes, strict=True):
        pairs = zip(term, own, strict=True)
        known |= {labels[label]: size for label, size in pairs if size not in ("?", "1")}
    if ... in labels:
        known[labels[...]] = "any"
    return _numbered(equation.inputs, labels), _numbered([equation.output], labels)[0], names, sizes, known


def _numbered(terms: Iterable[Sequence[Label]], labels: dict[Label, int]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(labels[label] for label in term) for term in terms)


def _around(term: Sequence[Label], shape: Sequence[int | None] | None) -> list[str]:
    """Return the sizes of a term's labels as text; the shape may be unknown."""
    if shape is None:
        return ["any" if label is ... else "?" for label in term]
    sizes = ["?" if size is None else _number(size) for size in shape]
    if ... not in term:
        return sizes
    before = list(term).index(...)
    after = len(term) - before - 1
    inner = len(sizes) - before - after
    return [*sizes[:before], counted(inner, "axis"), *sizes[len(sizes) - after :]]
