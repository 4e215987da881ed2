"""Records calls in graphs of `torch.fx.symbolic_trace`, and as single nodes in those of `torch.compile`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.overrides import handle_torch_function

from einsum_unified.binding.call import KEYWORDS, check_keywords


def record(
    einsum: Callable[..., Any], equation: Any, operands: Sequence[Any], options: Mapping[str, Any]
) -> Any:
    """Record the call of `einsum` itself: proxies have no shapes, so planning is left to the graph."""
    check_keywords(options, KEYWORDS, "einsum")
    return handle_torch_function(einsum, _flat((equation, *operands)), equation, *operands, **options)


def _flat(xs: Sequence[Any]) -> list[Any]:
    return [item for x in xs for item in (x if isinstance(x, (list, tuple)) else (x,))]


def record_plan(run: Callable[..., Any], recipe: Sequence[Any], operands: Sequence[Any], out: Any) -> Any:
    """Record the call together with the recipe, from which the plan can be made again."""
    options = {} if out is None else {"out": out}
    return handle_torch_function(run, [*operands, out], *recipe, *operands, **options)


def leave_whole(*functions: Callable[..., Any]) -> None:
    """Make TorchDynamo treat calls of these functions as single graph nodes; later stages trace into them."""
    for function in functions:
        torch.compiler.allow_in_graph(function)  # type: ignore[no-untyped-call]
