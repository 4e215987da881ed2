"""Compare our einsum with a library's own on the same tensors: first the results, then the times."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from einsum_unified.adapter import dispatch
from einsum_unified.api import einsum
from einsum_unified.commands.terminal import one_line
from einsum_unified.commands.timing import Call, Tick, medians
from einsum_unified.plan import Plan
from einsum_unified.testing.check import RTOL, greatest_difference, to_framework

OWN = {name: framework.einsum for name, framework in dispatch.FRAMEWORKS.items() if framework.made}
"""Library → its own einsum, by its qualified name."""

_LOOP = "numpy.einsum"
_MOST_LOOPED = 10**10
"""FLOPs above which numpy.einsum without optimize, one nested loop, is left out: it takes over 10 seconds."""

_ACCURATE = 10_000
"""Products in a sum up to which the usual tolerance holds; rounding errors grow with their square root."""

_OURS = "ours"


@dataclass(frozen=True)
class Comparison:
    """The comparison of ours with a library's own einsum; seconds are None for a call that was not timed."""

    library: str
    own: str
    """The name of the library's function."""
    ours_seconds: float | None = None
    own_seconds: float | None = None
    note: str = ""
    wrong: bool = False
    """Whether the results differ, or ours failed and the library's own did not."""


def contest(
    name: str, plan: Plan, optimize: Any, arrays: Sequence[Any], seconds: float, tick: Tick
) -> list[Comparison]:
    """Compare ours with each variant of a library's own einsum, and time all of them together."""
    try:
        adapter = dispatch.load(name)
        module, _, function = OWN[name].rpartition(".")
        own = getattr(importlib.import_module(module), function)
        tensors = [to_framework(x, adapter) for x in arrays]
    except Exception as error:  # a broken installation, or a missing dtype
        return [Comparison(name, "", note=one_line(error))]
    equation = plan.equation.text
    raw: dict[str, Call] = {_OURS: partial(einsum, equation, *tensors, optimize=optimize)}
    if name == "numpy":
        raw |= {f"{_LOOP}, optimize=True": partial(own, equation, *tensors, optimize=True)}
    raw |= {OWN[name]: partial(own, equation, *tensors)}
    results, notes = _results(raw, adapter, int(plan.figures()["naive_flops"]))
    wait = adapter.capabilities.about.wait
    calls = {call: _finished(raw[call], wait) for call in results}
    taken = medians(calls, seconds, tick) if calls else {}
    rows = []
    for rival in [call for call in raw if call != _OURS]:
        failed = _OURS in notes and rival in results
        differs = "" if {_OURS, rival} - {*results} else _difference(results[_OURS], results[rival], plan)
        note = f"ours: {notes[_OURS]}" if _OURS in notes else notes.get(rival, differs)
        rows.append(
            Comparison(name, rival, taken.get(_OURS), taken.get(rival), note, failed or bool(differs))
        )
    return rows


def _results(calls: dict[str, Call], adapter: Any, looped: int) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the result of each call, or a note if it was left out or raised an error."""
    results, notes = {}, {}
    for name, call in calls.items():
        if name == _LOOP and looped > _MOST_LOOPED:
            notes[name] = f"left out: a loop of {looped:.0e} FLOPs"
            continue
        try:
            results[name] = np.asarray(adapter.to_numpy(call()))
        except Exception as error:
            # Libraries raise anything for equations or dtypes that they do not support.
            notes[name] = f"{type(error).__name__}: {one_line(error)}"
    return results, notes


def _difference(ours: Any, own: Any, plan: Plan) -> str:
    """Return a note by how much results differ; "" if they agree within the tolerance of the dtype."""
    if ours.shape != own.shape:
        return f"differs: the shapes are {ours.shape} and {own.shape}"
    ours, own = (x.astype(np.float64) if x.dtype == object else x for x in (ours, own))
    difference = greatest_difference(ours, own)
    usual = RTOL.get(plan.bound.dtype, 0.0)
    summed = math.prod(map(int, plan.bound.sizes)) / max(ours.size, 1)
    scale = float(np.max(np.abs(own), initial=0, where=np.isfinite(own)))
    if difference <= usual * max(1.0, math.sqrt(summed / _ACCURATE)) * scale:
        return ""
    return f"differs by {difference:.1e}; the greatest element is {scale:.1e}"


# --- waiting for results --------------------------------------------------------------------------


def _finished(call: Call, wait: Callable[[Any], object] | None) -> Call:
    return call if wait is None else lambda: wait(call())
