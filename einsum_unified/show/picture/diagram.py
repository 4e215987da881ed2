"""Draw a `Wiring`: operands on the left, a rail for each label, the result on the right.

Axes lie on a grid, the result's half a row lower, so that lines from the left and the right never coincide.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element

from einsum_unified.computed import computed_once
from einsum_unified.show.picture import palette
from einsum_unified.show.picture.canvas import box, dot, group, length, line, word
from einsum_unified.show.picture.rails import Column, Rail, columns
from einsum_unified.show.picture.wiring import Axis, Box, Wiring
from einsum_unified.wording import listed

_GRID = 11
_ROW = 2 * _GRID
_STRIP = 10
"""Space on both sides of an operand's number."""
_SUM_PITCH, _KEPT_PITCH = 19, 11
"""Distance between columns of rails; rails that end in a Σ need more room."""
_GAP = 16
"""Space between boxes and rails."""
_MARGIN = 9
"""Space in a box on both sides of its text."""


@dataclass(frozen=True)
class _Placed:
    """An axis of a box and its height."""

    axis: Axis
    y: float


@dataclass(frozen=True)
class Layout:
    """The places of the parts of an equation, measured from its upper left corner."""

    wiring: Wiring
    operands: tuple[tuple[_Placed, ...], ...]
    result: tuple[_Placed, ...]
    sums: list[Column]
    keeps: list[Column]

    @computed_once
    def strip(self) -> float:
        """Width of the part of an operand's box that contains its number."""
        return max(length(one.number, "word") for one in self.wiring.operands) + 2 * _STRIP

    @computed_once
    def left(self) -> float:
        """Width of the operands."""
        return max(_width(one) + (self.strip if one.number else 0) for one in self.wiring.operands)

    @computed_once
    def right(self) -> float:
        """Width of the result."""
        return max(_width(self.wiring.result), length("result", "small") + 2 * _MARGIN)

    @computed_once
    def width(self) -> float:
        """Width of the whole equation."""
        rails = _SUM_PITCH * len(self.sums) + _KEPT_PITCH * len(self.keeps)
        return self.left + self.right + rails + 2 * _GAP

    @computed_once
    def height(self) -> float:
        """Height of the whole equation."""
        signs = [rail.bottom + 8 for column in self.sums for rail in column]
        return max(self.operands[-1][-1].y + _GRID, self.result[-1].y + _GRID, *signs, 0)

    def columns(self) -> list[tuple[float, Rail]]:
        """Return the horizontal place of each rail: summed labels are on the left, kept ones on the right."""
        x, found = self.left + _GAP, []
        for pitch, group_of in ((_SUM_PITCH, self.sums), (_KEPT_PITCH, self.keeps)):
            for column in group_of:
                found += [(x + pitch / 2, rail) for rail in column]
                x += pitch
        return found


def layout(wiring: Wiring) -> Layout:
    """Return the places of an equation's boxes and rails."""
    y, operands = 0, []
    for one in wiring.operands:
        operands.append(_stacked(one, y))
        y += _ROW * len(one.axes) + _GRID
    result = _result(wiring, operands, y - _GRID)
    rails = [_rail_of(wiring, label, operands, result) for label in wiring.shown]
    sums = columns([rail for rail in rails if rail.summed], apart=_GRID)
    keeps = columns([rail for rail in rails if not rail.summed], apart=_ROW)
    return Layout(wiring, tuple(operands), result, sums, keeps)


def _rail_of(
    wiring: Wiring, label: int, operands: list[tuple[_Placed, ...]], result: tuple[_Placed, ...]
) -> Rail:
    left = [rows for rows in operands if any(label in row.axis.labels for row in rows)]
    summed = label in wiring.summed
    goes_on = summed and not wiring.operands[-1].number and left[-1] is operands[-1]
    rows = [row for rows in (left[:-1] if goes_on else left) for row in rows]
    return Rail(label, _heights(rows, label), _heights(result, label), summed, goes_on)


def _stacked(one: Box, y: float) -> tuple[_Placed, ...]:
    return tuple(_Placed(axis, y + _GRID + n * _ROW) for n, axis in enumerate(one.axes))


def _result(wiring: Wiring, operands: list[tuple[_Placed, ...]], height: float) -> tuple[_Placed, ...]:
    """Centre the result vertically on the operands' axes that are joined to it."""
    kept = [label for axis in wiring.result.axes for label in axis.labels]
    joined = [row.y for rows in operands for row in rows if set(row.axis.labels) & set(kept)]
    own = _ROW * len(wiring.result.axes)
    middle = (min(joined) + max(joined)) / 2 if joined else height / 2
    top = min(max(middle - own / 2, 0), max(height - own, 0))
    return _stacked(wiring.result, top // _GRID * _GRID + _GRID / 2)


def _heights(rows: tuple[_Placed, ...] | list[_Placed], label: int) -> tuple[float, ...]:
    return tuple(row.y for row in rows if label in row.axis.labels)


def _width(one: Box) -> float:
    return max(_text_width(axis) for axis in one.axes) + 2 * _MARGIN + 1


def _text_width(axis: Axis) -> float:
    return length(f"{axis.name}  {axis.size}", "word") if axis.size else length(axis.name, "small")


# --- drawing --------------------------------------------------------------------------------------


def draw(parent: Element, found: Layout, x: float, y: float) -> None:
    """Draw an equation with its upper left corner at a place."""
    picture = group(parent, "equation")
    picture.set("transform", f"translate({x:.1f} {y:.1f})")
    rails = found.columns()
    styles = _styles(found)
    edge = found.width - found.right
    # These lines come first: the rails must be in front of lines that only cross them.
    for place, rail in rails:
        for height in rail.left:
            line(picture, ["M", found.left, height, "H", place], f"line {styles[rail.label][0]}")
        for height in rail.right:
            line(picture, ["M", place, height, "H", edge], "line")
    for place, rail in rails:
        _rail(picture, found, place, rail, *styles[rail.label])
    for one, rows in zip(found.wiring.operands, found.operands, strict=True):
        _operand(picture, found, one, rows)
    _answer(picture, found, edge)


def _styles(found: Layout) -> dict[int, tuple[str, str]]:
    """Return the class and the dashes of each label's rail."""
    styles = {label: palette.rail(n) for n, label in enumerate(found.wiring.coloured)}
    return {label: styles.get(label, ("", "")) for label in found.wiring.shown}


def _rail(picture: Element, found: Layout, x: float, rail: Rail, hue: str, dashes: str) -> None:
    name = found.wiring.names[rail.label]
    summed = f"sum {hue}" if rail.summed else ""
    whole = f"{name}: {'multiplied and summed' if rail.summed else 'kept'}"
    part = group(picture, "rail", whole, label=rail.label, summed="yes" if rail.summed else "no")
    if rail.bottom > rail.top:
        path = ["M", x, rail.top, "V", rail.bottom]
        line(part, path, "gap")
        line(part, path, f"line {summed}", dashes)
    rows = [row for rows in found.operands for row in rows if rail.label in row.axis.labels]
    hollow = {row.y for row in rows if row.axis.broadcasts}
    for y in (*rail.left, *rail.right):
        dot(part, x, y, 3.5, f"dot {hue} {'hollow' if y in hollow else ''}")
    if rail.summed:
        dot(part, x, rail.bottom, 6.5, f"dot {hue}")
        word(part, x, rail.bottom + 4, "…" if rail.goes_on else "Σ", "small sign", 12, "middle")


def _operand(picture: Element, found: Layout, one: Box, rows: tuple[_Placed, ...]) -> None:
    top, height = rows[0].y - _GRID, _ROW * len(rows)
    if not one.number:
        part = group(picture, "more")
        box(part, 0, top, found.left, height, "box")
        word(part, _MARGIN, top + 15, one.axes[0].name, "small dim", found.left - 2 * _MARGIN)
        return
    part = group(picture, "operand", operand=one.number)
    box(part, 0, top, found.left, height, "box")
    word(part, found.strip / 2, top + height / 2 + 4.5, one.number, "word dim", found.strip, "middle")
    line(part, ["M", found.strip, top, "v", height], "line edge")
    _axes(part, found, rows, found.strip, found.left)


def _answer(picture: Element, found: Layout, x: float) -> None:
    top = found.result[0].y - _GRID
    part = group(picture, "result")
    box(part, x, top, found.right, _ROW * len(found.result), "box")
    word(part, x + found.right / 2, top - 6, "result", "small dim", found.right, "middle")
    _axes(part, found, found.result, x, x + found.right)


def _axes(part: Element, found: Layout, rows: tuple[_Placed, ...], x: float, end: float) -> None:
    """Write a name and a size in each row of a box."""
    for row in rows:
        axis = row.axis
        if len(axis.labels) != 1 or axis.rest:
            word(part, x + _MARGIN, row.y + 4, axis.name, "small dim", end - x - 2 * _MARGIN)
            continue
        cell = group(part, "axis", _told(found.wiring, axis), label=axis.labels[0])
        size = length(axis.size, "word") + 1
        word(cell, x + _MARGIN, row.y + 4.5, axis.name, "word ink", end - x - 2 * _MARGIN - size)
        word(cell, end - _MARGIN, row.y + 4.5, axis.size, "word dim", size, "end")


def _told(wiring: Wiring, axis: Axis) -> str:
    name, size = wiring.names[axis.labels[0]], axis.size
    if axis.broadcasts:
        return f"{name}: size 1, broadcast to {size[2:]}"
    return f"{name}: {'unknown size' if size == '?' else f'size {size}'}"


def legend(wiring: Wiring) -> str:
    """Explain in words the signs Σ, … and 1→n, as far as they occur."""
    names = [wiring.names[label] for label in sorted(wiring.summed)]
    summed = f"Σ: summed over {listed(names)}" if names else "nothing is summed"
    axes = [axis for one in wiring.operands for axis in one.axes]
    goes_on = "" if wiring.operands[-1].number else "; …: also in operands not shown"
    repeats = "; 1→n: size 1, broadcast to n" if any(axis.broadcasts for axis in axes) else ""
    return f"{goes_on}{repeats}; {summed}".removeprefix("; ")
