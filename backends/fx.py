"""Notes calls in the graphs of `torch.fx.symbolic_trace`, whose proxies have no shape, dtype or value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch.overrides import handle_torch_function


def record(
    einsum: Callable[..., Any], equation: Any, operands: Sequence[Any], options: Mapping[str, Any]
) -> Any:
    """Note the call itself: the graph calls ``einsum``, with everything that it does for real operands."""
    return handle_torch_function(einsum, _flat((equation, *operands)), equation, *operands, **options)


def _flat(xs: Sequence[Any]) -> list[Any]:
    return [item for x in xs for item in (x if isinstance(x, (list, tuple)) else (x,))]
