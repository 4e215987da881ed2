"""Peak memory of contractions for which an einsum was reported to take far more than needed.

The peak counts all memory that a call allocates, including its result but not its operands.
"""

from __future__ import annotations

import tracemalloc
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from rich.table import Table

from benchmarks.best_paths import best, peak, plans
from benchmarks.cases import Case, Job, Settings, by
from benchmarks.contenders import Framework, able, operands
from benchmarks.tables import number, table
from benchmarks.timing import Call
from einsum_unified import einsum

Shapes = tuple[tuple[int, ...], ...]


class Trap(NamedTuple):
    """A contraction and the place where it was reported."""

    source: str
    equation: str
    shapes: Shapes
    plain: bool = True
    """Whether numpy.einsum without optimize= finishes in reasonable time."""


def _cores(count: int, batch: tuple[int, ...]) -> Trap:
    """Return a contraction of small matrices with three common labels, and a tensor with an axis for each.

    If they are contracted one by one with the tensor, the first result has 2**(count - 1) elements for each
    element of the batch; if they are grouped in halves, all results are small.
    """
    axes = "ijklmnopqrstuvwxyz"[:count]
    terms = [f"abc{axis}" for axis in axes]
    equation = ",".join([*terms, f"{axes}h"]) + "->abch"
    return Trap("opt_einsum #133", equation, ((*batch, 2),) * count + ((2,) * (count + 1),), False)


TRAPS = (
    Trap("pytorch #114943", "ij,jk,kl,jk->il", ((200, 200),) * 4, False),
    Trap("cupy #4834", "ab,cbe,ae->ac", ((20000, 100), (20, 100, 100), (20000, 100)), False),
    Trap("cupynumeric #1070", "ki,k,kj,k->ij", ((10000, 100), (10000,)) * 2),
    _cores(12, (4, 10, 10)),
    Trap("batch on one side", "bij,jk->bik", ((64, 128, 128), (128, 128))),
    Trap("batch of size 1", "bij,bjk->bik", ((64, 128, 128), (1, 128, 128))),
)


def jobs(settings: Settings) -> list[Job]:
    """Return a job for each trap on NumPy and torch; TensorFlow does not report its CPU memory."""
    return [
        Job(f"{framework.name} {trap.source}", partial(_run, framework, trap))
        for framework in settings.frameworks
        if framework.name in _PEAKS
        for trap in TRAPS
    ]


def _run(framework: Framework, trap: Trap) -> list[Case]:
    tensors = operands(framework, trap.shapes)
    calls: dict[str, Call | None] = {
        "ours": partial(einsum, trap.equation, *tensors),
        "native": partial(framework.einsum, trap.equation, *tensors),
    }
    if framework.name == "numpy":
        calls["native"] = partial(np.einsum, trap.equation, *tensors, optimize=True)
        calls["plain"] = partial(np.einsum, trap.equation, *tensors) if trap.plain else None
    values: dict[str, float | None] = {
        name: call and _PEAKS[framework.name](call) for name, call in able(calls).items()
    }
    values["best path"] = peak(best(plans(trap.equation, trap.shapes))) * 4  # float32
    return [
        Case("memory", "peak, bytes", framework.name, trap.source, trap.equation, str(trap.shapes), values)
    ]


def numpy_peak(call: Call) -> int:
    """Return the peak of the bytes that a call holds; NumPy reports its arrays to tracemalloc."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        result = call()
        _, most = tracemalloc.get_traced_memory()
        del result
        return most - before
    finally:
        tracemalloc.stop()


def torch_peak(call: Call) -> int:
    """Return the peak of the bytes that a call holds, from the profiler's list of allocations."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        result = call()
    del result
    events: list[Any] = profiler.profiler.kineto_results.events()
    held = most = 0
    # Python's sort is stable: events in the same nanosecond keep their order.
    for event in sorted((x for x in events if x.name() == "[memory]"), key=lambda x: x.start_ns()):
        held += event.nbytes()
        most = max(most, held)
    return most


_PEAKS = {"numpy": numpy_peak, "torch": torch_peak}


def tables(cases: list[Case]) -> list[Table]:
    """Return a table for each framework, in MiB."""
    return [_table(framework, own) for framework, own in by(cases, "framework").items()]


def _table(framework: str, cases: list[Case]) -> Table:
    names = list(dict.fromkeys(name for case in cases for name in case.values))
    made = table(f"Peak memory beyond the operands, {framework}, MiB", ["from", "equation", *names], left=1)
    for case in cases:
        values = [case.values.get(name) for name in names]
        made.add_row(case.group, case.name, *(number(x and x / 2**20) for x in values))
    return made
