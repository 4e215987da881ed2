"""`Value`: a tensor without its numbers. An instruction tells what it makes of some (`Instruction.result`).

Strides count elements. A stride of an axis of size 1 means nothing; here it is as if the axis were longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from einsum_unified.language.sizes import broadcast


@dataclass
class Value:
    """Shape, strides and dtype of what a register holds.

    Operands are taken to be C-contiguous: the key of the cache does not know better. With others the same
    program gives the same values, with a copy more or less. Nothing changes a value. That it is not frozen
    is for speed: planning makes one for each instruction, and a frozen one takes three times as long.
    """

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: str
    view: bool
    """Whether it shares the memory of the first source of the instruction that makes it."""

    @property
    def dense(self) -> bool:
        """Whether it lies in C order without gaps.

        >>> Value((2, 3), (3, 1), "float32", False).dense, Value((2, 3), (1, 2), "float32", False).dense
        (True, False)
        """
        step = 1
        for size, stride in zip(reversed(self.shape), reversed(self.strides), strict=True):
            if stride != step and size != 1:
                return False
            step *= size
        return True


def dense(shape: Sequence[int]) -> tuple[int, ...]:
    """Return C-contiguous strides.

    >>> dense((2, 3, 4))
    (12, 4, 1)
    """
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= size
    return tuple(reversed(strides))


def compact(shape: Sequence[int], strides: Sequence[int]) -> tuple[int, ...]:
    """Return the strides of a tensor without gaps, whose axes are in an order in memory given by strides.

    >>> compact((2, 3, 4), (1, 100, 10))
    (1, 8, 2)
    """
    axes = sorted(range(len(shape)), key=lambda axis: -strides[axis])
    steps = dict(zip(axes, dense([shape[axis] for axis in axes]), strict=True))
    return tuple([steps[axis] for axis in range(len(axes))])


def reshaped(x: Value, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the strides that a reshape has as a view; None if it takes a copy.

    Axes that follow each other in memory without a gap are one run. A view can split runs, not join them.

    >>> turned = Value((4, 2, 3), (1, 12, 4), "float32", True)  # the last axis first
    >>> reshaped(turned, (2, 2, 6)), reshaped(turned, (8, 3))
    ((2, 1, 4), None)
    """
    if x.dense or 0 in shape:
        return dense(shape)
    todo, strides = list(shape), []
    size = step = 1
    for size, step in reversed(_runs(x)):
        taken = 1
        while taken != size:
            if not todo:
                return None
            strides.append(step * taken)
            taken *= todo.pop()
    strides += [step * size] * len(todo)  # axes of size 1
    return tuple(reversed(strides))


def _runs(x: Value) -> list[tuple[int, int]]:
    """Return size and stride of each run, the outermost axes first."""
    runs: list[tuple[int, int]] = []
    for size, step in zip(x.shape, x.strides, strict=True):
        if size == 1:
            continue
        if runs and runs[-1][1] == size * step:
            runs[-1] = (runs[-1][0] * size, step)
        else:
            runs.append((size, step))
    return runs


def broadcast_shapes(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that two shapes broadcast to.

    >>> broadcast_shapes((5, 1, 3), (4, 3))
    (5, 4, 3)
    """
    rank = max(len(a), len(b))
    pairs = zip((1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b, strict=True)
    return tuple([broadcast(m, n) for m, n in pairs])
