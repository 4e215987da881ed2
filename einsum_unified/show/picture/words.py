"""A plan in sentences, for people who cannot see its picture."""

from __future__ import annotations

from einsum_unified.show.picture.steps import Listing
from einsum_unified.show.picture.text import number
from einsum_unified.show.picture.wiring import Axis, Box, Wiring
from einsum_unified.wording import counted, listed, numbered


def description(wiring: Wiring, listing: Listing | None, notes: list[str]) -> str:
    """Describe the operands, summed labels, result, steps and costs in sentences."""
    sentences = [_box(f"Operand {one.number}", wiring, one) for one in wiring.operands if one.number]
    sentences += [f"{one.axes[0].name.capitalize()}." for one in wiring.operands if not one.number]
    names = [wiring.names[label] for label in wiring.shown if label in wiring.summed]
    sentences.append(f"Summed over {listed(names)}." if names else "Nothing is summed.")
    sentences.append(_box("The result", wiring, wiring.result))
    if listing is not None:
        steps = [
            caption.whole
            for row, caption in zip(listing.tree.rows, listing.captions, strict=True)
            if listing.tree.sources[row.node]
        ]
        sentences.append(f"{counted(len(listing.tree.explanation.steps), 'step', number)}.")
        sentences += [f"{text[0].upper()}{text[1:]}." for text in steps]
    return " ".join([*sentences, *(f"{note[0].upper()}{note[1:]}." for note in notes)])


def _box(what: str, wiring: Wiring, one: Box) -> str:
    if not one.axes[0].labels:
        return f"{what} is a number."
    axes = [_axis(wiring, axis) for axis in one.axes]
    return f"{what} has {numbered(len(axes), 'axis')} {listed(axes)}."


def _axis(wiring: Wiring, axis: Axis) -> str:
    if axis.rest:
        return axis.name
    name = wiring.names[axis.labels[0]]
    if axis.broadcasts:
        return f"{name} of size 1, broadcast"
    return f"{name} of {'unknown size' if axis.size == '?' else f'size {axis.size}'}"
