"""Draw a `Tree`: lanes on the left, and beside them the description and cost of each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from einsum_unified.binding.bound import Bound
from einsum_unified.show.figures import Figure
from einsum_unified.show.label_names import written_names
from einsum_unified.show.picture.canvas import box, dot, group, length, line, word
from einsum_unified.show.picture.text import amount, number
from einsum_unified.show.picture.tree import Cost, Row, Tree
from einsum_unified.show.summary import contraction, subscripts
from einsum_unified.show.table import kind
from einsum_unified.wording import counted

_LANE = 16
_GAP = 14
"""Space between lanes and text."""
_OPERAND, _STEP, _BARLESS = 24, 62, 52
"""Heights of rows."""
_BETWEEN = 16
"""Space between two texts in a line."""


@dataclass(frozen=True)
class Caption:
    """The text beside a row: lines, each with a text on the left and one on the right."""

    head: tuple[str, str]
    lines: tuple[tuple[str, str], ...] = ()
    whole: str = ""
    """The whole caption as one sentence."""


def caption(tree: Tree, node: int) -> Caption:
    """Return the caption of a node."""
    bound, part = tree.explanation.bound, tree.part(node)
    if not tree.sources[node]:
        shape = _shape(bound, bound.terms[node], bound.shapes[node])
        text = f"operand {node}  {subscripts(bound, bound.terms[node])}"
        return Caption((text, shape), whole=f"{text}: {shape}")
    costs = tree.costs[node]
    steps = [n - tree.operands for n in part if tree.sources[n]]
    step = tree.explanation.steps[node - tree.operands]
    if len(steps) > 1:
        costs = total_cost(tree, part)
        what = f"{counted(len(steps), 'step', number)} up to step {steps[-1]}"
        text = f"{counted(len(part) - len(steps), 'operand', number)}  ->{subscripts(bound, step.output)}"
    else:
        what = kind(tree.explanation.products[node - tree.operands])
        text = f"step {steps[-1]}  {contraction(bound, step)}"
    shape = _shape(bound, step.output, [bound.sizes[label] for label in step.output])
    share = _share(tree, node)
    if tree.bottleneck in part:
        share = f"most: {share}" if len(steps) == 1 else f"with most: {share}"
    lines = ((f"{amount(costs.flops)} FLOPs, {what}", ""), (moved(costs), share))
    exact = f"{costs.flops} FLOPs, {costs.read} bytes read, {costs.written} bytes written"
    return Caption((text, shape), lines, f"{text}: {what}, {exact}, {share}".removesuffix(", "))


def _share(tree: Tree, node: int) -> str:
    share = tree.share(node)
    if len(tree.explanation.steps) == 1:
        return ""
    return f"{'<1%' if 0 < share < 0.01 else f'{share:.0%}'} of FLOPs"


def total_cost(tree: Tree, part: Sequence[int]) -> Cost:
    """Return the cost of some nodes together."""
    flops, read, written = (
        Figure.sum(getattr(tree.costs[node], name) for node in part) for name in ("flops", "read", "written")
    )
    return Cost(flops, read, written)


def moved(costs: Cost) -> str:
    """Return the bytes read and written as text."""
    return f"{amount(costs.read)} B read, {amount(costs.written)} B written"


def _shape(bound: Bound, labels: Sequence[int], sizes: Sequence[int]) -> str:
    names = written_names(bound)
    known = set(labels).difference(bound.unknown)
    shown = [
        number(n) if label in known or n == 1 else names[label]
        for label, n in zip(labels, sizes, strict=True)
    ]
    return "×".join(shown) or "a number"


@dataclass(frozen=True)
class Listing:
    """The rows of a tree with their captions."""

    tree: Tree
    captions: tuple[Caption, ...]

    @property
    def indent(self) -> float:
        """Width of the lanes."""
        return _LANE * max(row.lane for row in self.tree.rows) + 6 + _GAP

    @property
    def width(self) -> float:
        """Width of the longest line."""
        heads = [_wanted(one.head, "word") for one in self.captions]
        lines = [_wanted(pair, "small") for one in self.captions for pair in one.lines]
        return self.indent + max(*heads, *lines, 0)

    def heights(self) -> list[float]:
        """Return the height of each row."""
        step = _STEP if len(self.tree.explanation.steps) > 1 else _BARLESS
        return [step if self.tree.sources[row.node] else _OPERAND for row in self.tree.rows]


def _wanted(pair: tuple[str, str], size: str) -> float:
    left, right = (length(text, size) for text in pair)
    return left + 1 + (_BETWEEN + right + 1 if right else 0)


def listing(tree: Tree) -> Listing:
    """Return the rows of a tree with their captions."""
    return Listing(tree, tuple(caption(tree, row.node) for row in tree.rows))


def draw(parent: Element, found: Listing, x: float, y: float, width: float) -> None:
    """Draw a tree with its upper left corner at a place."""
    tops, heights = [y], found.heights()
    for height in heights:
        tops.append(tops[-1] + height)
    places = [(x + 6 + row.lane * _LANE, top + 12) for row, top in zip(found.tree.rows, tops, strict=False)]
    tree = group(parent, "tree")
    for row, place in zip(found.tree.rows, places, strict=True):
        for source in row.sources:
            _joined(tree, places[source], place)
    for row, place, text in zip(found.tree.rows, places, found.captions, strict=True):
        _row(tree, found.tree, row, place, text, x + found.indent, x + width)


def _joined(tree: Element, source: tuple[float, float], place: tuple[float, float]) -> None:
    (x, y), (to_x, to_y) = source, place
    if x == to_x:
        line(tree, ["M", x, y, "V", to_y], "line")
    else:  # down its own lane, then around the corner
        line(tree, ["M", x, y, "V", to_y - 8, "Q", x, to_y, x - 8, to_y, "H", to_x], "line")


def _row(
    tree: Element, facts: Tree, row: Row, place: tuple[float, float], text: Caption, x: float, end: float
) -> None:
    step = row.node - facts.operands
    data = {"operand": row.node} if step < 0 else {"steps" if facts.hides(row.node) else "step": step}
    part = group(tree, "row", text.whole, **data)
    loud = facts.bottleneck in facts.part(row.node)
    _knot(part, facts, row, place, "loud" if loud else "")
    y = place[1] + 4.5
    _line(part, text.head, x, end, y, "word ink", "word dim")
    for n, pair in enumerate(text.lines):
        _line(part, pair, x, end, y + 16 + 14 * n, "small dim", f"small {'loud' if loud else 'dim'}")
    if step >= 0 and len(facts.explanation.steps) > 1:
        share = facts.share(row.node)
        box(part, x, y + 36, end - x, 3, "track", 1.5)
        if share:
            box(part, x, y + 36, max((end - x) * share, 2), 3, f"bar {'loud' if loud else ''}", 1.5)


def _knot(part: Element, facts: Tree, row: Row, place: tuple[float, float], loud: str) -> None:
    x, y = place
    if row.node < facts.operands:
        box(part, x - 4.5, y - 4.5, 9, 9, "box", 2)
    elif facts.hides(row.node):
        for ring in (6, 3):
            dot(part, x, y, ring, f"dot hollow {loud}")
    else:
        dot(part, x, y, 6 if loud else 4.5, f"dot {loud}")


def _line(
    part: Element, pair: tuple[str, str], x: float, end: float, y: float, left: str, right: str
) -> None:
    """Write two texts in a line; the right one gets at most half of the width."""
    size = min(length(pair[1], right) + 1, (end - x) / 2) if pair[1] else 0
    word(part, x, y, pair[0], left, end - x - (size + _BETWEEN if size else 0))
    if pair[1]:
        word(part, end, y, pair[1], right, size, "end")
