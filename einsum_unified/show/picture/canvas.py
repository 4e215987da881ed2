"""Shapes and text as SVG elements; the standard library's XML writer escapes their contents."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement

from einsum_unified.printable import plain
from einsum_unified.show.picture.palette import ADVANCE, SIZES
from einsum_unified.show.picture.text import cut, width

_COMMON = frozenset("…·×→Σ–")
"""Characters outside ASCII that monospaced fonts have."""

_LONGEST = 2000
"""The maximum length of a tooltip."""


def group(parent: Element, kind: str, whole: str = "", **data: object) -> Element:
    """Return a group for the parts of one thing, with the tooltip ``whole`` and ``data-`` attributes."""
    facts = {f"data-{key}": str(x) for key, x in data.items()}
    made = SubElement(parent, "g", {"class": f"eu-{kind}"} | facts)
    if whole:
        SubElement(made, "title").text = plain(whole[:_LONGEST])
    return made


def box(parent: Element, x: float, y: float, w: float, h: float, kind: str, radius: float = 6) -> None:
    """Draw a rectangle with rounded corners."""
    sides = {"x": x, "y": y, "width": w, "height": h, "rx": radius}
    SubElement(parent, "rect", {"class": _classes(kind)} | {key: _spelled(n) for key, n in sides.items()})


def line(parent: Element, path: Sequence[object], kind: str, dashes: str = "") -> None:
    """Draw a path, given as the letters and numbers of SVG's path syntax."""
    d = " ".join(item if isinstance(item, str) else _spelled(item) for item in path)  # type: ignore[arg-type]
    SubElement(
        parent,
        "path",
        {"d": d, "class": _classes(kind)} | ({"stroke-dasharray": dashes} if dashes else {}),
    )


def dot(parent: Element, x: float, y: float, radius: float, kind: str) -> None:
    """Draw a disc."""
    place = {"cx": x, "cy": y, "r": radius}
    SubElement(parent, "circle", {"class": _classes(kind)} | {key: _spelled(n) for key, n in place.items()})


def word(
    parent: Element, x: float, y: float, text: str, kind: str, room: float, anchor: str = "start"
) -> None:
    """Write one line of text; if ``room`` is too small for it, cut it and show the whole in a tooltip."""
    size = _size(kind)
    whole = plain(text)
    shown = cut(whole, int(room / (size * ADVANCE) + 0.01))
    attributes = {"x": _spelled(x), "y": _spelled(y), "class": _classes(kind)}
    if anchor != "start":
        attributes["text-anchor"] = anchor
    if any(not c.isascii() and c not in _COMMON for c in shown):
        # Another font with other widths may draw it: make it fit.
        attributes |= {
            "textLength": _spelled(width(shown) * size * ADVANCE),
            "lengthAdjust": "spacingAndGlyphs",
        }
    made = SubElement(parent, "text", attributes)
    made.text = shown
    if shown != whole:
        SubElement(made, "title").text = whole[:_LONGEST]


def length(text: str, kind: str) -> float:
    """Return how many pixels wide a text is, with unprintable characters escaped."""
    return width(plain(text)) * _size(kind) * ADVANCE


def _size(kind: str) -> int:
    return next(size for name, size in SIZES.items() if name in kind.split())


def _classes(kind: str) -> str:
    return " ".join(f"eu-{name}" for name in kind.split())


def _spelled(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
