"""`Value`: shape, strides and dtype of a tensor. `Instruction.result` returns the value of its result.

Strides count elements. The stride of an axis of size 1 has no meaning; it is computed as for longer axes.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from einsum_unified.language.sizes import broadcast

FEW = 16
"""Up to this number of axes or labels, looking through a tuple is faster than making a set."""


@dataclass
class Value:
    """Shape, strides and dtype of the tensor in a register.

    Operands are assumed to be C-contiguous, since strides are not part of the cache's key. For other operands
    the same program gives the same results, with a copy more or less. A value is never
    changed. It is not frozen, because planning makes one for each instruction, and making a frozen one takes
    three times as long.
    """

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: str
    view: bool
    """Whether it shares memory with the first source of the instruction that makes it."""

    @property
    def dense(self) -> bool:
        """Whether its elements are in C order without gaps.

        >>> Value((2, 3), (3, 1), "float32", False).dense, Value((2, 3), (1, 2), "float32", False).dense
        (True, False)
        """
        step = 1
        for size, stride in zip(reversed(self.shape), reversed(self.strides), strict=True):
            if stride != step and size != 1:
                return False
            step *= size
        return True


def members(items: Sequence[int]) -> Container[int]:
    """Return axes or labels in a form in which finding one does not take longer the more they are."""
    return items if len(items) <= FEW else frozenset(items)


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
    """Return the strides of a tensor without gaps, with its axes in the same order in memory as ``strides``.

    >>> compact((2, 3, 4), (1, 100, 10))
    (1, 8, 2)
    """
    axes = sorted(range(len(shape)), key=lambda axis: -strides[axis])
    steps = dict(zip(axes, dense([shape[axis] for axis in axes]), strict=True))
    return tuple([steps[axis] for axis in range(len(axes))])


def reshaped(x: Value, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the strides of a reshape that is a view; None if it needs a copy.

    Axes that follow each other in memory without a gap are one run. A view can split runs, but not join them.

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
    """Return the size and stride of each run, from the outermost to the innermost."""
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
