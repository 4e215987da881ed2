"""How `torch.compile` sees `einsum`: one operation of its graph, traced further by running it.

Its first stage, TorchDynamo, reads Python bytecode. It cannot read a planner, and has nothing to gain from
it. So a call is put into its graph as it is; the stages that follow run it on tensors without data, and see
only the matrix products that it makes. Nothing of that needs torch to be there when this is imported: the
marks are attributes, which TorchDynamo looks for on functions that it meets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from einsum_unified.api import einsum
from einsum_unified.dispatch import load


def einsum_in_graph(equation: Any, *operands: Any, hints: Any = None, **options: Any) -> Any:
    """Call `einsum`; this is what the graph holds."""
    return einsum(equation, *operands, hints=dict(hints) if hints else None, **options)


def _leave_whole() -> bool:
    load("torch").leave_whole(einsum_in_graph)  # type: ignore[attr-defined]
    return True


# Run, and not read, while a function is traced: what `torch.compiler.assume_constant_result` sets.
_leave_whole._dynamo_marked_constant = True  # type: ignore[attr-defined]


def _traced(equation: Any, *operands: Any, hints: Any = None, **options: Any) -> Any:
    """What TorchDynamo reads in the place of `einsum`."""
    _leave_whole()
    return einsum_in_graph(equation, *operands, hints=tuple(hints.items()) if hints else None, **options)


def _replace(function: Callable[..., Any], traced: Callable[..., Any]) -> None:
    """Let TorchDynamo read another function, also for ``torch.compile(function)`` itself."""
    marks = {
        "_torchdynamo_inline": traced,
        "_torchdynamo_orig_callable": traced,
        "_torchdynamo_wrapper_id": id(function),
    }
    for name, value in marks.items():
        setattr(function, name, value)


_replace(einsum, _traced)
