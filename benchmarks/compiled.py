"""Compiled calls: compilations for five batch sizes, time to the first result, and time of later calls.

Ours and the framework's own einsum are compared in the framework's compiler::

    python -m benchmarks.compiled
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
import torch
from rich.console import Console
from rich.table import Table
from torch._dynamo.testing import CompileCounterWithBackend

from benchmarks.one_thread import limit_frameworks  # first: it sets variables that libraries read only once
from einsum_unified import einsum

CASES: dict[str, list[tuple[int, ...]]] = {
    "bij,jk->bik": [(0, 32, 32), (32, 32)],
    "bhid,bhjd->bhij": [(0, 4, 32, 16), (0, 4, 32, 16)],
    "bi,ij,jk->bk": [(0, 32), (32, 32), (32, 32)],
    "ba,bc,bd,acde->be": [(0, 8), (0, 8), (0, 8), (8, 8, 8, 8)],
}
"""Equation → shapes, with 0 for the batch size."""

BATCHES = (8, 16, 24, 32, 48)
_ROUNDS = 200


def _shapes(equation: str, batch: int) -> list[list[int]]:
    return [[n or batch for n in shape] for shape in CASES[equation]]


def torch_compiled(function: Callable[..., Any], equation: str) -> tuple[int, float, Callable[[], Any]]:
    """Return the number of compilations by inductor, the seconds to the first result, and a compiled call."""
    torch._dynamo.reset()
    counter = CompileCounterWithBackend("inductor")
    compiled = torch.compile(lambda *xs: function(equation, *xs), backend=counter)
    operands = [[torch.randn(shape) for shape in _shapes(equation, batch)] for batch in BATCHES]
    return _called(compiled, operands, lambda: counter.frame_count)


def tf_compiled(function: Callable[..., Any], equation: str) -> tuple[int, float, Callable[[], Any]]:
    """Return the same for ``tf.function`` with an unknown batch size, with its number of traces."""
    specs = [tf.TensorSpec([n or None for n in shape]) for shape in CASES[equation]]
    compiled = tf.function(lambda *xs: function(equation, *xs), input_signature=specs)
    operands = [[tf.random.normal(shape) for shape in _shapes(equation, batch)] for batch in BATCHES]
    return _called(compiled, operands, compiled.experimental_get_tracing_count)


def _called(
    compiled: Callable[..., Any], operands: Sequence[Sequence[Any]], count: Callable[[], int]
) -> tuple[int, float, Callable[[], Any]]:
    begin = time.perf_counter()
    compiled(*operands[0])
    first = time.perf_counter() - begin
    for xs in operands:
        compiled(*xs)
    return count(), first, lambda: compiled(*operands[0])


def _interleaved(calls: Sequence[Callable[[], Any]]) -> list[float]:
    """Return the minimum time of each call in µs, measured in turns."""
    least = [float("inf")] * len(calls)
    for _ in range(_ROUNDS):
        for n, call in enumerate(calls):
            begin = time.perf_counter()
            call()
            least[n] = min(least[n], (time.perf_counter() - begin) * 1e6)
    return least


def main() -> None:
    """Print our and the native figures side by side."""
    limit_frameworks()
    torch._inductor.config.force_disable_caches = True
    table = Table("compiler", "equation", "compilations", "first, s", "call, µs", title="ours / native")
    for compiler, compiled, native in (
        ("torch.compile", torch_compiled, torch.einsum),
        ("tf.function", tf_compiled, tf.einsum),
    ):
        for equation in CASES:
            # The first compilation in a process also loads the compiler and builds its headers.
            compiled(native, "ba,bc,bd,acde->be")
            (count, first, call), (other, began, its) = compiled(einsum, equation), compiled(native, equation)
            ours, theirs = _interleaved([call, its])
            figures = f"{count} / {other}", f"{first:.2f} / {began:.2f}", f"{ours:.0f} / {theirs:.0f}"
            table.add_row(compiler, equation, *figures)
    Console().print(table)


if __name__ == "__main__":
    main()
