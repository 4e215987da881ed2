"""Make compilers that read Python run our functions instead of reading them.

The first stage of `torch.compile`, TorchDynamo, reads Python bytecode. It cannot read a planner, and would
gain nothing from it. So a call of `einsum` or of a plan becomes one operation in its graph; later stages run
that operation on tensors without data, and see only the matrix products. TensorFlow's AutoGraph would rewrite
our source. To prevent both, this module sets attributes that these compilers look for on functions, which
does not import any framework.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from einsum_unified.adapter.dispatch import leave_whole
from einsum_unified.api import einsum
from einsum_unified.plan import Plan
from einsum_unified.runtime.run import run_as_planned

_NUMPYS = (np.ndarray, np.generic, int, float, complex, list, tuple, str, bytes, type(...), type(None))
"""Types of the arguments, labels included, of a call whose operands are NumPy arrays."""


def einsum_in_graph(equation: Any, *operands: Any, hint_items: Any = None, **options: Any) -> Any:
    """Call `einsum`; this function is the operation in the graph."""
    if hint_items is not None:
        options["hints"] = dict(hint_items)
    return einsum(equation, *operands, **options)


def _leave_whole() -> bool:
    leave_whole(einsum_in_graph, run_as_planned)
    return True


def _recipe(plan: Plan) -> Any:
    return plan.recipe(literal=True)


# TorchDynamo runs these two while tracing: `torch.compiler.assume_constant_result` sets the same attribute.
_leave_whole._dynamo_marked_constant = True  # type: ignore[attr-defined]
_recipe._dynamo_marked_constant = True  # type: ignore[attr-defined]


def _traced(equation: Any, *operands: Any, hints: Any = None, **options: Any) -> Any:
    """Replacement for `einsum` that TorchDynamo reads."""
    _leave_whole()
    if isinstance(equation, bytes):  # a graph cannot hold bytes
        equation = equation.decode()
    if isinstance(hints, Mapping):  # nor a mapping with arbitrary keys
        options["hint_items"] = tuple(hints.items())
    elif hints is not None:
        options["hints"] = hints
    return _like(einsum_in_graph(equation, *operands, **options), (equation, *operands))


def _traced_plan(plan: Plan, *operands: Any, out: Any = None) -> Any:
    """Replacement for the call of a plan that TorchDynamo reads."""
    _leave_whole()
    return _like(run_as_planned(*_recipe(plan), *operands, out=out), operands)


def _like(result: Any, arguments: Any) -> Any:
    """Return the result as a NumPy array if the operands were: in a graph they are tensors."""
    items = [x for each in arguments for x in (each if isinstance(each, (list, tuple)) else (each,))]
    arrays = any(isinstance(x, np.ndarray) for x in items)
    return result.numpy() if arrays and all(isinstance(x, _NUMPYS) for x in items) else result


def mark(*others: Callable[..., Any]) -> None:
    """Mark `einsum`, the call of a plan, and other functions that tracers meet.

    TorchDynamo then reads `_traced` instead of `einsum`, also for ``torch.compile(einsum)`` itself.
    TensorFlow's AutoGraph leaves all these functions as they are: none of them depends on values of tensors.
    """
    for function, traced in ((einsum, _traced), (Plan.__call__, _traced_plan)):
        marks = {
            "_torchdynamo_inline": traced,
            "_torchdynamo_orig_callable": traced,
            "_torchdynamo_wrapper_id": id(function),
        }
        for name, value in marks.items():
            setattr(function, name, value)
    for each in (einsum, Plan.__call__, *others):
        each.autograph_info__ = {}  # type: ignore[attr-defined]
