"""`Bound`: an equation with the shapes and dtypes of its operands, all checked."""

from __future__ import annotations

from dataclasses import dataclass

from einsum_unified.binding.operand import Operand
from einsum_unified.computed import computed_once
from einsum_unified.language.equation import Equation
from einsum_unified.language.labels import Label
from einsum_unified.language.sizes import Size


@dataclass(frozen=True)
class Bound:
    """An equation with the shapes and dtypes of its operands, all checked."""

    equation: Equation
    operands: tuple[Operand, ...]
    terms: tuple[tuple[int, ...], ...]
    """Labels of each operand as integers, ellipsis axes included. Empty if `unranked`."""
    output: tuple[int, ...]
    sizes: tuple[int, ...]
    """Size of each label after broadcasting; an operand may have size 1 instead. Empty if `unranked`."""
    shapes: tuple[tuple[int, ...], ...]
    """Shape of each operand, with a `Size` for each unknown size. Empty if `unranked`."""
    labels: tuple[Label, ...]
    """The label of each integer; `Ellipsis` for each axis of an ellipsis, leftmost first."""
    dtype: str
    """Name of the result's dtype; operands are cast to it before anything is summed."""
    unranked: bool = False
    """Whether an operand's number of axes is known only when the framework runs."""

    @property
    def unknown(self) -> tuple[int, ...]:
        """The labels whose sizes are known only when the program runs."""
        return tuple(label for label, size in enumerate(self.sizes) if isinstance(size, Size))

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The result's shape; None if a size is known only when the program runs."""
        return None if self.unknown else tuple([self.sizes[label] for label in self.output])

    @computed_once
    def loose(self) -> frozenset[int]:
        """The labels with an axis of unknown size, even if another operand gives the label's size."""
        return frozenset(
            label
            for term, operand in zip(self.terms, self.operands, strict=True)
            for label, size in zip(term, operand.shape or (), strict=True)
            if size is None
        )

    def reduced(self) -> tuple[tuple[int, ...], ...]:
        """Return each operand's labels, each once, without labels of axes that broadcast."""
        return tuple(
            [self._reduced(term, shape) for term, shape in zip(self.terms, self.shapes, strict=True)]
        )

    def _reduced(self, term: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
        if 1 in shape:
            term = tuple([n for n, size in zip(term, shape, strict=True) if not self.broadcasts(n, size)])
        return tuple(dict.fromkeys(term))

    def broadcasts(self, label: int, size: int) -> bool:
        """Whether an axis of this size is broadcast: it is 1 but the label's size is not."""
        return size == 1 and self.sizes[label] != 1
