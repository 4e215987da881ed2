"""How compilers that read Python see the library: as something to run, not to read.

The first stage of `torch.compile`, TorchDynamo, reads Python bytecode. It cannot read a planner, and has
nothing to gain from it. So a call is put into its graph as one operation; the stages that follow run it on
tensors without data, and see only the matrix products that it makes. TensorFlow's AutoGraph would rewrite our
source. Nothing of that needs a framework to be there when this is imported: the marks are attributes that
compilers look for on the functions they meet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from einsum_unified.api import einsum
from einsum_unified.dispatch import leave_whole


def einsum_in_graph(equation: Any, *operands: Any, hints: Any = None, **options: Any) -> Any:
    """Call `einsum`; this is what the graph holds."""
    return einsum(equation, *operands, hints=dict(hints) if hints else None, **options)


def _leave_whole() -> bool:
    leave_whole(einsum_in_graph)
    return True


# Run, and not read, while a function is traced: what `torch.compiler.assume_constant_result` sets.
_leave_whole._dynamo_marked_constant = True  # type: ignore[attr-defined]


def _traced(equation: Any, *operands: Any, hints: Any = None, **options: Any) -> Any:
    """What TorchDynamo reads in the place of `einsum`."""
    _leave_whole()
    if isinstance(equation, bytes):  # no argument for a graph
        equation = equation.decode()
    result = einsum_in_graph(equation, *operands, hints=tuple(hints.items()) if hints else None, **options)
    if operands and all(isinstance(x, np.ndarray) for x in operands):
        return result.numpy()  # NumPy's arrays are tensors in a graph
    return result


def mark(function: Callable[..., Any], *others: Callable[..., Any]) -> None:
    """Mark `einsum`, and other functions that tracers meet.

    TorchDynamo reads `_traced` in the place of `einsum`, also for ``torch.compile(einsum)`` itself. None of
    them is rewritten by TensorFlow's AutoGraph: there is nothing in it that depends on values of tensors.
    """
    marks = {
        "_torchdynamo_inline": _traced,
        "_torchdynamo_orig_callable": _traced,
        "_torchdynamo_wrapper_id": id(function),
    }
    for name, value in marks.items():
        setattr(function, name, value)
    for each in (function, *others):
        each.autograph_info__ = {}  # type: ignore[attr-defined]
