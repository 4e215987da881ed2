"""`plan_steps`: the steps of a plan with the FLOPs of the table, and with equations that can be run.

They are for programs that contract on their own, as some do with the list that ``numpy.einsum_path`` returns
for ``einsum_call=True``.
"""

from __future__ import annotations

from collections.abc import Sequence

from einsum_unified.adapter import Capabilities
from einsum_unified.binding.bound import Bound
from einsum_unified.language.letters import LETTERS, symbol
from einsum_unified.planning.steps import Path, Step, steps
from einsum_unified.program.primitives import Program
from einsum_unified.show.label_names import label_sizes
from einsum_unified.show.table import Explanation, total


def plan_steps(bound: Bound, path: Path, program: Program, capabilities: Capabilities) -> tuple[Step, ...]:
    """Return the steps of a plan; none if an operand's number of axes is unknown."""
    if bound.unranked:
        return ()
    found = steps(bound.reduced(), bound.output, tuple(map(int, bound.sizes)), path)
    explanation, sizes = Explanation(bound, program, capabilities, found), label_sizes(bound)
    flops = [total(works, "flops").at(sizes) for works in explanation.products]
    equations = _equations(bound, found)
    return tuple(step._replace(flops=flops[n], equation=equations[n]) for n, step in enumerate(found))


def _equations(bound: Bound, found: Sequence[Step]) -> list[str]:
    """Return the equation of each step; an operand has all its axes there, also those that broadcast."""
    live = list(bound.terms)
    letters = _letters(bound)
    texts = []
    for step in found:
        terms = [live[position] for position in step.positions]
        for position in sorted(step.positions, reverse=True):
            live.pop(position)
        live.append(step.output)
        labels = dict.fromkeys(label for term in (*terms, step.output) for label in term)
        names = letters or {label: symbol(n) for n, label in enumerate(labels)}
        *inputs, output = ["".join([names[label] for label in term]) for term in (*terms, step.output)]
        texts.append(f"{','.join(inputs)}->{output}")
    return texts


def _letters(bound: Bound) -> dict[int, str] | None:
    """Return a letter for each label, its own if it is one; None if there are more labels than letters."""
    if len(bound.labels) > LETTERS:
        return None
    letters = [symbol(n) for n in range(LETTERS)]
    own = {n: label for n, label in enumerate(bound.labels) if isinstance(label, str) and label in letters}
    free = iter([letter for letter in letters if letter not in own.values()])
    return {n: own[n] if n in own else next(free) for n in range(len(bound.labels))}
