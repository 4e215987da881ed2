"""The default path of 9 to 16 operands: its FLOPs over the best known path's, and the time to find it."""

from __future__ import annotations

import importlib
import time
from functools import partial
from itertools import repeat
from statistics import median

from rich.table import Table

from benchmarks.best_paths import plans
from benchmarks.cases import Case, Job, Settings, Values, by, geometric_mean, worst
from benchmarks.tables import number, table
from benchmarks.tensor_networks import Network, random_network
from einsum_unified import Plan, clear_cache, einsum_plan
from einsum_unified.planning.path import find_path, forget_paths
from einsum_unified.planning.strategy import AUTO

FLOPS, SEARCH = "default path, FLOPs", "search for the default path, ms"
DEAR, CHEAP = "10⁵ FLOPs and more", "fewer FLOPs"

_OPERANDS = range(9, 17)
_TRIES = 3
_TRIALS = 32


def jobs(settings: Settings) -> list[Job]:
    """Return a job for each network: with and without hyperedges, as many of each number of operands."""
    each = 4 if settings.quick else 14
    found = [
        random_network(operands, hyper, seed)
        for hyper in (False, True)
        for operands in _OPERANDS
        for seed in range(each)
    ]
    return [Job(f"{network.kind} of {len(network.terms)}", partial(_run, network)) for network in found]


def _run(network: Network) -> list[Case]:
    ours = einsum_plan(network.equation, *network.shapes)
    others = {**plans(network.equation, network.shapes, ["dp"]), "cotengra": _cotengra(network)}
    greedy = einsum_plan(network.equation, *network.shapes, optimize="greedy")
    found: dict[str, Plan | None] = {"ours": ours, "greedy": greedy, **others}
    flops: Values = {name: None if plan is None else plan.flops for name, plan in found.items()}
    least = min(x for x in flops.values() if x is not None)
    measured: dict[str, Values] = {FLOPS: {**flops, "best": least}, SEARCH: {"ours": _search(network)}}
    group = f"{network.kind}, {DEAR if least >= 10**5 else CHEAP}"
    return [
        Case("paths", measure, "numpy", group, network.equation, str(network.shapes), values)
        for measure, values in measured.items()
    ]


def _cotengra(network: Network) -> Plan | None:
    """Return the plan along the best path of many trials of cotengra's hyper-optimizer, each refined."""
    try:
        cotengra = importlib.import_module("cotengra")
    except ImportError:
        return None
    optimizer = cotengra.HyperOptimizer(
        methods=["greedy", "labels"],
        max_repeats=_TRIALS,
        minimize="flops",
        reconf_opts={},
        optlib="random",
        parallel=False,
        progbar=False,
    )
    path = cotengra.array_contract_path(
        [tuple(term) for term in network.terms],
        tuple(network.output),
        shapes=network.shapes,
        optimize=optimizer,
    )
    return einsum_plan(network.equation, *network.shapes, optimize=[tuple(step) for step in path])


def _search(network: Network) -> float:
    """Return the ms for the search, without what follows it in planning."""
    bound = einsum_plan(network.equation, *network.shapes).bound
    taken = []
    for _ in repeat(None, _TRIES):
        forget_paths()
        start = time.process_time()
        find_path(bound.reduced(), bound.output, bound.sizes, AUTO)
        taken.append((time.process_time() - start) * 1e3)
    clear_cache()
    return min(taken)


def tables(cases: list[Case]) -> list[Table]:
    """Return a table of the groups, and one of the worst paths."""
    columns = ["networks", "number", "ours: mean", "worst", "greedy: mean", "worst", "dp: mean", "worst"]
    columns += ["cotengra: mean", "worst", "search, ms: median", "most"]
    made = table("Default path of 9 to 16 operands: FLOPs over the best known", columns)
    for group, own in by(cases, "group").items():
        flops = [case for case in own if case.measure == FLOPS]
        row = []
        for name in ("ours", "greedy", "dp", "cotengra"):
            ratios = [ratio for ratio, _ in worst(flops, name, "best")]
            mean = geometric_mean(ratios)
            row += [f"{mean:.3f}", f"{ratios[0]:.2f}"] if mean else ["–", "–"]
        taken = [case.values["ours"] or 0.0 for case in own if case.measure == SEARCH]
        made.add_row(group, str(len(flops)), *row, number(median(taken)), number(max(taken)))
    return [made, _worst([case for case in cases if case.measure == FLOPS])]


def _worst(cases: list[Case], count: int = 5) -> Table:
    made = table("Default paths: the worst", ["equation", "group", "FLOPs, ours", "best", "ratio"], left=0)
    for ratio, case in worst(cases, "ours", "best")[:count]:
        flops = [number(case.values[name]) for name in ("ours", "best")]
        made.add_row(case.name, case.group, *flops, f"{ratio:.3f}")
    return made
