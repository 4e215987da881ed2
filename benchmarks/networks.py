"""Paths of tensor networks: the cost of ours compared with the best known, and the time to find them."""

from __future__ import annotations

import time
from functools import partial
from itertools import repeat
from statistics import median

import numpy as np
import opt_einsum
from rich.table import Table

from benchmarks.best_paths import EXACT, best, peak, plans
from benchmarks.cases import Case, Job, Settings, Values, by, geometric_mean, worst
from benchmarks.tables import number, table
from benchmarks.tensor_networks import Network, networks
from benchmarks.timing import Call
from einsum_unified import clear_cache, einsum, einsum_plan

FLOPS, PEAK = "path, FLOPs", "largest intermediate, bytes"
PLANNING, TOTAL = "planning, ms", "1 cold and 10 warm calls, ms"
SMALL, LARGER = "3–8 operands", "9–12 operands"

_TRIES = 3
_WARM_CALLS = 10


def jobs(settings: Settings) -> list[Job]:
    """Return a job for each network."""
    return [
        Job(f"{network.kind} of {len(network.terms)}", partial(_run, network))
        for network in networks(settings.quick)
    ]


def _run(network: Network) -> list[Case]:
    ours = einsum_plan(network.equation, *network.shapes)
    others = plans(network.equation, network.shapes, EXACT)
    found = {"ours": ours, **others}
    known = best(found)
    flops: Values = {name: None if plan is None else plan.flops for name, plan in found.items()}
    cases = [
        _case(FLOPS, network, {**flops, "best": known.flops}),
        _case(PEAK, network, {"ours": peak(ours) * 8, "best": peak(known) * 8}),  # float64
        _case(PLANNING, network, {"ours": _planning(network)}),
    ]
    if len(network.terms) <= 8:  # numpy.einsum may take minutes for larger ones
        cases.append(_case(TOTAL, network, _totals(network)))
    return cases


def _case(measure: str, network: Network, values: Values) -> Case:
    group = f"{network.kind}, {SMALL if len(network.terms) <= 8 else LARGER}"
    return Case("networks", measure, "numpy", group, network.equation, str(network.shapes), values)


def _planning(network: Network) -> float:
    """Return the ms for planning with empty caches."""

    def plan() -> None:
        clear_cache()
        einsum_plan(network.equation, *network.shapes)

    return min(_ms(plan) for _ in repeat(None, _TRIES))


def _totals(network: Network) -> Values:
    """Return the ms for a cold call and ten warm ones with all sizes 2, so that planning dominates."""
    small = network.of_size(2)
    arrays = [np.ones(shape) for shape in small.shapes]
    contenders: dict[str, Call] = {
        "ours": partial(einsum, small.equation, *arrays),
        "opt_einsum": partial(opt_einsum.contract, small.equation, *arrays),
        "numpy": partial(np.einsum, small.equation, *arrays, optimize=True),
    }
    least: Values = {}
    for _ in range(_TRIES):
        for name, call in contenders.items():
            clear_cache()
            taken = _ms(lambda call=call: [call() for _ in range(1 + _WARM_CALLS)])  # type: ignore[misc]
            least[name] = min(taken, least.get(name) or taken)
    return least


def _ms(call: Call) -> float:
    start = time.process_time()
    call()
    return (time.process_time() - start) * 1e3


def tables(cases: list[Case]) -> list[Table]:
    """Return tables of the paths, of the times to find them, and of the worst paths."""
    return [_paths(cases), _times(cases), _worst(cases)]


def _of(cases: list[Case], measure: str) -> list[Case]:
    return [case for case in cases if case.measure == measure]


def _paths(cases: list[Case]) -> Table:
    columns = [
        "networks",
        "number",
        "FLOPs over best: mean",
        "worst",
        "share above 1.05",
        "peak over best: mean",
        "worst",
    ]
    made = table("Paths: ours over the best known", columns)
    for group, own in by(cases, "group").items():
        flops, peaks = _of(own, FLOPS), _of(own, PEAK)
        ratios = [ratio for ratio, _ in worst(flops, "ours", "best")]
        above = sum(ratio > 1.05 for ratio in ratios) / len(ratios)
        means = [geometric_mean(case.ratio("ours", "best") for case in some) for some in (flops, peaks)]
        most = worst(peaks, "ours", "best")[0][0]
        row = [f"{means[0]:.3f}", f"{ratios[0]:.3f}", f"{above:.1%}", f"{means[1]:.3f}", f"{most:.2f}"]
        made.add_row(group, str(len(flops)), *row)
    return made


def _times(cases: list[Case]) -> Table:
    columns = ["networks", "planning, ms: median", "most", "11 calls: ours/opt_einsum", "ours/numpy"]
    made = table("Planning with empty caches; one cold and ten warm calls on size 2, geometric mean", columns)
    for group, own in by(cases, "group").items():
        taken = [case.values["ours"] or 0.0 for case in _of(own, PLANNING)]
        totals = _of(own, TOTAL)
        ratios = [
            geometric_mean(case.ratio("ours", name) for case in totals) for name in ("opt_einsum", "numpy")
        ]
        made.add_row(group, number(median(taken)), number(max(taken)), *map(number, ratios))
    return made


def _worst(cases: list[Case], count: int = 8) -> Table:
    made = table("Paths: the worst", ["equation", "group", "FLOPs, ours", "best", "ratio"], left=0)
    for ratio, case in worst(_of(cases, FLOPS), "ours", "best")[:count]:
        flops = [number(case.values[name]) for name in ("ours", "best")]
        made.add_row(case.name, case.group, *flops, f"{ratio:.3f}")
    return made
