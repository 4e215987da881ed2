"""`Labelled`: a value for planning, with its register and a label for each axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from einsum_unified.computed import computed_once
from einsum_unified.program.values import FEW, Value, dense, members


@dataclass
class Labelled(Value):
    """A value, its register, and a label for each axis."""

    register: int
    labels: tuple[int, ...]

    @classmethod
    def of(cls, value: Value, register: int, labels: tuple[int, ...]) -> Labelled:
        """Return a value with a register and labels."""
        return cls(value.shape, value.strides, value.dtype, value.view, register, labels)

    @classmethod
    def operand(cls, register: int, labels: tuple[int, ...], shape: tuple[int, ...], dtype: str) -> Labelled:
        """Return an operand, taken to be C-contiguous."""
        return cls(shape, dense(shape), dtype, False, register, labels)

    def size(self, label: int) -> int:
        """Return the size of a label's axis."""
        return self.shape[self.labels.index(label)]

    def axes(self, labels: Sequence[int]) -> tuple[int, ...]:
        """Return the axes of labels; of a repeated label the first axis."""
        if len(self.labels) <= FEW:
            return tuple(map(self.labels.index, labels))
        places = {label: -axis for axis, label in enumerate(reversed(self.labels), 1 - len(self.labels))}
        return tuple([places[label] for label in labels])

    @property
    def elements(self) -> int:
        """The number of elements."""
        return prod(map(int, self.shape))

    @computed_once
    def memory(self) -> tuple[int, ...]:
        """Its labels in the order of memory, the outermost first."""
        axes = sorted(range(len(self.labels)), key=lambda axis: -self.strides[axis])
        return tuple([self.labels[axis] for axis in axes])

    def in_memory(self, labels: Sequence[int]) -> tuple[int, ...]:
        """Return the given labels in the order of memory."""
        if len(labels) < 2:
            return tuple(labels)
        wanted = members(labels)
        return tuple([label for label in self.memory if label in wanted])

    def fused(self, labels: Sequence[int]) -> int | None:
        """Return the stride of the axis to which labels can be fused; None if fusing them needs a copy.

        Without labels, or if all have size 1, the axis needs no stride, and 0 is returned.

        >>> x = Labelled.operand(0, (0, 1, 2), (2, 3, 4), "float32")
        >>> x.fused((0, 1)), x.fused((1, 2)), x.fused((0, 2)), x.fused((2, 1))
        (4, 1, None, None)
        """
        inner = 0
        for axis in reversed(self.axes(labels)):
            size, stride = self.shape[axis], self.strides[axis]
            if size == 1:
                continue
            if inner == 0:
                first = stride
            elif stride != inner:
                return None
            inner = stride * size
        return first if inner else 0

    def runs(self, labels: Sequence[int]) -> list[tuple[int, ...]]:
        """Return labels in the order of memory, grouped into runs that can be fused without a copy."""
        runs: list[list[int]] = []
        ordered = self.in_memory(labels)
        size = stride = 1
        for label, axis in zip(ordered, self.axes(ordered), strict=True):
            outer, outer_stride, size, stride = size, stride, self.shape[axis], self.strides[axis]
            if runs and (outer == 1 or size == 1 or outer_stride == stride * size):
                runs[-1].append(label)
            else:
                runs.append([label])
        return list(map(tuple, runs))
