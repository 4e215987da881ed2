"""Puts calls into graphs of torch: of `torch.fx.symbolic_trace` and, as one operation, of `torch.compile`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.overrides import handle_torch_function

from einsum_unified.arguments import KEYWORDS, check_keywords


def record(
    einsum: Callable[..., Any], equation: Any, operands: Sequence[Any], options: Mapping[str, Any]
) -> Any:
    """Note the call itself: proxies have no shapes, and the graph is to do all that `einsum` does."""
    check_keywords(options, KEYWORDS, "einsum")
    return handle_torch_function(einsum, _flat((equation, *operands)), equation, *operands, **options)


def _flat(xs: Sequence[Any]) -> list[Any]:
    return [item for x in xs for item in (x if isinstance(x, (list, tuple)) else (x,))]


def leave_whole(function: Callable[..., Any]) -> None:
    """Let TorchDynamo take calls of a function as single operations, which the stages after it trace."""
    torch.compiler.allow_in_graph(function)  # type: ignore[no-untyped-call]
