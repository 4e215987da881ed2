"""The whole picture of a plan: title, equation, steps, totals, and the description for screen readers."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from html import escape
from xml.etree.ElementTree import Element, tostring

from einsum_unified.adapter import Backend
from einsum_unified.binding.bound import Bound
from einsum_unified.planning.steps import Step
from einsum_unified.printable import plain
from einsum_unified.program.primitives import Program
from einsum_unified.show.picture import diagram, palette
from einsum_unified.show.picture import steps as drawing
from einsum_unified.show.picture.canvas import box, group, length, word
from einsum_unified.show.picture.text import amount, cut
from einsum_unified.show.picture.tree import Tree, cost
from einsum_unified.show.picture.wiring import wiring
from einsum_unified.show.picture.words import description
from einsum_unified.show.summary import unknown_lines
from einsum_unified.show.table import Explanation

_PAD = 16
_NARROWEST, _WIDEST = 380, 520
"""Width of the text in pixels; an equation with many rails may be wider."""

_LINES, _COLUMNS = 200, 400
"""The maximum size of the text below the picture in a notebook."""

_TITLE = 200
"""The maximum number of columns of the picture's title."""


def to_svg(bound: Bound, program: Program, backend: Backend, steps: Sequence[Step]) -> str:
    """Return the picture of a plan."""
    found = diagram.layout(wiring(bound))
    listing = None
    if not bound.unranked:
        listing = drawing.listing(Tree(Explanation(bound, program, backend.capabilities, steps)))
    notes = _notes(listing)
    lines = [length(note, "small") + 1 for note in notes]
    wanted = max(listing.width if listing else 0, *lines, _NARROWEST - 2 * _PAD)
    width = max(min(wanted, _WIDEST - 2 * _PAD), found.width)

    root = Element("svg")
    _heading(root, width, bound.equation.with_output(), f"{backend.name}, {bound.dtype}")
    y = 84.0
    diagram.draw(root, found, _PAD + (width - found.width) / 2, y)
    y += found.height + 24
    word(root, _PAD, y, diagram.legend(found.wiring), "small dim", width)
    y += 14
    if listing:
        y += 8
        drawing.draw(root, listing, _PAD, y, width)
        y += sum(listing.heights())
    for note in notes:
        y += 16
        word(root, _PAD, y, note, "small dim", width)
    _finish(root, width + 2 * _PAD, y + _PAD)
    words = description(found.wiring, listing, notes)
    return _named(root, f"einsum {bound.equation.with_output()}", words)


def _heading(root: Element, width: float, text: str, framework: str) -> None:
    part = group(root, "heading")
    word(part, _PAD, 30, text, "head ink", width)
    word(part, _PAD, 48, framework, "small dim", width)


def _notes(listing: drawing.Listing | None) -> list[str]:
    """Return the lines below the steps."""
    if listing is None:
        return ["steps and sizes are known only at run time"]
    tree, explanation = listing.tree, listing.tree.explanation
    lines = []
    for name, works in (("before the steps", explanation.ready), ("after the steps", explanation.finish)):
        costs = cost(works)
        if costs.read.terms or costs.flops.terms:
            lines.append(f"{name}: {amount(costs.flops)} FLOPs, {drawing.moved(costs)}")
    everything = cost(explanation.account.works)
    if any(tree.hides(row.node) for row in tree.rows):
        count = f"{len(tree.expanded)} of {len(explanation.steps)}"
        lines.append(f"{count} steps have their own row; cheap ones are grouped")
    return [
        *lines,
        f"total FLOPs: {amount(everything.flops)}; one nested loop: {amount(explanation.naive())}",
        f"total bytes: {drawing.moved(everything)}",
        f"peak memory: {amount(explanation.account.peak)} B",
        *(line.strip() for line in unknown_lines(explanation.bound)),
    ]


def _finish(root: Element, width: float, height: float) -> None:
    """Give the picture its size, background and style."""
    w, h = round(width), round(height)
    # In the style sheet, not in an attribute: pages with a content security policy ignore style attributes.
    name, rules = palette.sheet(narrowest=w * 2 // 3)
    ground = Element("g")
    box(ground, 0.5, 0.5, w - 1, h - 1, "ground", 8)
    root.insert(0, ground[0])
    style = Element("style")
    style.text = rules
    root.insert(0, style)
    root.attrib |= {
        "xmlns": "http://www.w3.org/2000/svg",
        "class": f"einsum-picture {name}",
        "width": f"{w}",
        "height": f"{h}",
        "viewBox": f"0 0 {w} {h}",
        "role": "img",
    }


def _named(root: Element, title: str, words: str) -> str:
    """Return the picture as text, with a title and a description whose ids occur in this picture only."""
    texts = {"title": plain(cut(title, _TITLE)), "desc": plain(words)}
    own = sha256("".join((tostring(root, "unicode"), *texts.values())).encode()).hexdigest()[:12]
    for place, (tag, text) in enumerate(texts.items()):
        made = Element(tag, {"id": f"einsum-{own}-{tag}"})
        made.text = text
        root.insert(place, made)
    root.set("aria-labelledby", " ".join(f"einsum-{own}-{tag}" for tag in texts))
    return tostring(root, "unicode")


def to_html(svg: str, text: str) -> str:
    """Return HTML for a notebook: the picture, and below it the listing, which can be unfolded."""
    lines = text.split("\n")
    # Not `first_lines`: the last line says how to see the rest.
    shown = [cut(plain(line), _COLUMNS) for line in lines[:_LINES]]
    if len(lines) > _LINES:
        shown.append(f"… and {len(lines) - _LINES:,} more lines: print(plan)")
    listing = escape("\n".join(shown))
    return (
        f'<div style="overflow-x:auto">{svg}</div>\n'
        f'<details><summary>As text</summary><pre style="overflow-x:auto">{listing}</pre></details>'
    )
