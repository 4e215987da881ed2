"""How compilers that read Python see the library: as something to run, not to read.

The first stage of `torch.compile`, TorchDynamo, reads Python bytecode. It cannot read a planner, and has
nothing to gain from it. So a call, of `einsum` or of a plan, is put into its graph as one operation; the
stages that follow run it on tensors without data, and see only the matrix products that it makes.
TensorFlow's AutoGraph would rewrite our source. Nothing of that needs a framework to be there when this is
imported: the marks are attributes that compilers look for on the functions they meet.
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
"""What may be among the arguments of a call, its labels included, that has NumPy arrays for operands."""


def einsum_in_graph(equation: Any, *operands: Any, hint_items: Any = None, **options: Any) -> Any:
    """Call `einsum`; this is what the graph holds."""
    if hint_items is not None:
        options["hints"] = dict(hint_items)
    return einsum(equation, *operands, **options)


def _leave_whole() -> bool:
    leave_whole(einsum_in_graph, run_as_planned)
    return True


def _recipe(plan: Plan) -> Any:
    return plan.recipe(literal=True)


# Run, and not read, while a function is traced: what `torch.compiler.assume_constant_result` sets.
_leave_whole._dynamo_marked_constant = True  # type: ignore[attr-defined]
_recipe._dynamo_marked_constant = True  # type: ignore[attr-defined]


def _traced(equation: Any, *operands: Any, hints: Any = None, **options: Any) -> Any:
    """What TorchDynamo reads in the place of `einsum`."""
    _leave_whole()
    if isinstance(equation, bytes):  # no argument for a graph
        equation = equation.decode()
    if isinstance(hints, Mapping):  # nor is one with any keys
        options["hint_items"] = tuple(hints.items())
    elif hints is not None:
        options["hints"] = hints
    return _like(einsum_in_graph(equation, *operands, **options), (equation, *operands))


def _traced_plan(plan: Plan, *operands: Any, out: Any = None) -> Any:
    """What TorchDynamo reads in the place of the call of a plan."""
    _leave_whole()
    return _like(run_as_planned(*_recipe(plan), *operands, out=out), operands)


def _like(result: Any, arguments: Any) -> Any:
    """Make the result a NumPy array if the operands are: these are tensors in a graph."""
    items = [x for each in arguments for x in (each if isinstance(each, (list, tuple)) else (each,))]
    arrays = any(isinstance(x, np.ndarray) for x in items)
    return result.numpy() if arrays and all(isinstance(x, _NUMPYS) for x in items) else result


def mark(*others: Callable[..., Any]) -> None:
    """Mark `einsum`, the call of a plan, and other functions that tracers meet.

    TorchDynamo reads `_traced` in the place of `einsum`, also for ``torch.compile(einsum)`` itself. None of
    them is rewritten by TensorFlow's AutoGraph: there is nothing in it that depends on values of tensors.
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
