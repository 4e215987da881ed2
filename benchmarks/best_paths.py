"""The best known path of a contraction: the cheapest result of several searches, by this package's FLOPs."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence

import opt_einsum

from einsum_unified import Plan, einsum_plan

Shapes = Sequence[tuple[int, ...]]
Search = Callable[[str, Shapes], "Sequence[Sequence[int]]"]


def _opt_einsum(name: str) -> Search:
    def search(equation: str, shapes: Shapes) -> Sequence[Sequence[int]]:
        return opt_einsum.contract_path(equation, *shapes, shapes=True, optimize=name)[0]  # type: ignore[no-any-return]

    return search


def _cotengra(equation: str, shapes: Shapes) -> Sequence[Sequence[int]]:
    left, output = equation.split("->")
    array_contract_path = importlib.import_module("cotengra").array_contract_path
    inputs = [tuple(term) for term in left.split(",")]
    return array_contract_path(inputs, tuple(output), shapes=shapes, optimize="optimal")  # type: ignore[no-any-return]


SEARCHES: dict[str, tuple[Search, int]] = {
    "dp": (_opt_einsum("dp"), 16),
    "optimal": (_opt_einsum("optimal"), 8),
    "cotengra": (_cotengra, 14),
    "random-greedy": (_opt_einsum("random-greedy-128"), 60),
}
"""Name → search, and the number of operands up to which it takes only seconds."""

EXACT = ("dp", "optimal", "cotengra")


def plans(equation: str, shapes: Shapes, names: Sequence[str] = tuple(SEARCHES)) -> dict[str, Plan | None]:
    """Return search → plan along its path; None if it is not installed or there are too many operands."""
    found: dict[str, Plan | None] = {}
    for name in names:
        search, most = SEARCHES[name]
        found[name] = None
        if len(shapes) <= most:
            try:
                path = search(equation, shapes)
            except ImportError:
                continue
            found[name] = einsum_plan(equation, *shapes, optimize=[tuple(step) for step in path])
    return found


def best(found: dict[str, Plan | None]) -> Plan:
    """Return the plan with the fewest FLOPs; of equal ones, the one with the smallest intermediates."""
    return min((plan for plan in found.values() if plan is not None), key=lambda x: (x.flops, peak(x)))


def peak(plan: Plan) -> int:
    """Return the number of elements of the largest result of a step."""
    return max(step.elements for step in plan.steps)
