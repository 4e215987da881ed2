"""Operands, steps and their costs as text, for `Plan` and `einsum_path`."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from einsum_unified.binding.bound import Bound
from einsum_unified.forks import forks_wait
from einsum_unified.language.labels import spelled
from einsum_unified.planning.steps import Path, Step
from einsum_unified.planning.stored import Densities, estimates
from einsum_unified.printable import plain
from einsum_unified.show.label_names import unknown_sizes

_FLOAT = 10**300


def operand_lines(bound: Bound) -> list[str]:
    """Return a line for each operand: number, subscripts, shape, dtype."""
    return [f"  operand {n} {bound.equation.shown(n)}: {x}" for n, x in enumerate(bound.operands)]


def unknown_lines(bound: Bound) -> list[str]:
    """Return a line with the sizes that were assumed for unknown ones; no line if all sizes are known."""
    hints = [f"{name} = {size}" for name, size in unknown_sizes(bound).items()]
    return [f"  unknown sizes: planned with {', '.join(hints)}"] if hints else []


def stored_lines(bound: Bound, densities: Densities, path: Path) -> list[str]:
    """Return a line with the densities by which a path was chosen; no line if they did not matter."""
    if not densities:
        return []
    found = estimates(bound.reduced(), bound.output, tuple(map(int, bound.sizes)), densities, path)
    stored = ", ".join(f"1e-{power}" if power else "1" for power in densities)
    products = " + ".join(f"{step.products:.1g}" for step in found)
    return [f"  stored: about {stored} of the operands' elements; expected multiplications: {products}"]


def path_summary(bound: Bound, steps: Sequence[Step]) -> str:
    """Return the summary that `einsum_path` gives: the totals, then one line for each step."""
    if bound.unranked:
        rest = "left to the framework: the numbers of axes are known only at run time"
        return f"  Complete contraction:  {plain(bound.equation.with_output())}\n  {rest}"
    labels = {label for term in bound.terms for label in term}
    naive = prod(map(int, bound.sizes)) * (len(bound.terms) - 1 + (len(labels) > len(bound.output)))
    flops = sum(step.flops for step in steps)
    scaling = [len({label for term in step.inputs for label in term}) for step in steps]
    largest = max((step.elements for step in steps), default=1)
    rule = "-" * 80
    head = [
        f"  Complete contraction:  {bound.equation.with_output()}",
        f"         Naive scaling:  {len(labels)}",
        f"     Optimized scaling:  {max(scaling, default=0)}",
        f"      Naive FLOP count:  {_scientific(naive, 3)}",
        f"  Optimized FLOP count:  {_scientific(flops, 3)}",
        f"   Theoretical speedup:  {_ratio(naive, flops)}",
        f"  Largest intermediate:  {_scientific(largest, 3)} elements",
        *(f"     {line}" for line in unknown_lines(bound)),
        rule,
        f"{'scaling':<10}{'operands':<12}{'contraction':<36}{'FLOPs':>10}{'elements':>12}",
        rule,
    ]
    rows = [_row(bound, step, scale) for step, scale in zip(steps, scaling, strict=True)]
    return "\n".join(map(plain, head + rows))


def _row(bound: Bound, step: Step, scale: int) -> str:
    text = contraction(bound, step)
    flops, elements = _scientific(step.flops, 1), _scientific(step.elements, 1)
    return f"{scale:>7}   {step.positions!s:<12}{text:<36}{flops:>10}{elements:>12}"


def _scientific(number: int, digits: int) -> str:
    """Return an exact integer in scientific notation; it may be too large for a float."""
    with forks_wait():
        from decimal import Decimal  # seldom needed, and slow to import

    return f"{number:.{digits}e}" if number < _FLOAT else f"{Decimal(number):.{digits}e}"


def _ratio(naive: int, flops: int) -> str:
    """Return naive FLOPs divided by optimized FLOPs."""
    with forks_wait():
        from decimal import Decimal

    ratio = Decimal(naive) / Decimal(flops) if flops else Decimal(1)
    return f"{ratio:.3f}" if ratio < 10**9 else f"{ratio:.3e}"


def contraction(bound: Bound, step: Step) -> str:
    """Return the labels that go into a step and come out of it: "ij,jk->ik"."""
    # With one operand the step includes taking diagonals; with several, these are taken before the steps.
    inputs = bound.terms if len(bound.terms) == 1 else step.inputs
    terms = [subscripts(bound, term) for term in (*inputs, step.output)]
    return f"{','.join(terms[:-1])}->{terms[-1]}"


def subscripts(bound: Bound, labels: Sequence[int]) -> str:
    """Return labels in the equation's notation; all axes of an ellipsis together are ``...``."""
    names = [bound.labels[label] for label in labels]
    once = [name for n, name in enumerate(names) if name is not ... or names[n - 1 : n] != [...]]
    return spelled(tuple(once), bound.equation.sublists)
