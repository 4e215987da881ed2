"""`explain`: a plan as a table of the work and memory traffic of each step, with totals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from einsum_unified.adapter import Capabilities
from einsum_unified.binding.bound import Bound
from einsum_unified.planning.steps import Step
from einsum_unified.program.primitives import Program
from einsum_unified.show.accounts import Account, Work, account
from einsum_unified.show.figures import Figure
from einsum_unified.show.label_names import label_name
from einsum_unified.show.summary import contraction

_WIDEST = 200
"""The greatest width of a column in characters."""

HEADER = ("step", "labels", "kind", "FLOPs", "bytes read", "bytes written", "copies")


class Explanation:
    """The table of a plan: the work before, in and after the steps, and the notes below the table."""

    def __init__(
        self, bound: Bound, program: Program, capabilities: Capabilities, steps: Sequence[Step]
    ) -> None:
        self.bound, self.steps = bound, steps
        self.account: Account = account(bound, program, capabilities)
        starts = (0, *program.ends)
        self.ready, *self.products, self.finish = [
            self.account.works[start:end]
            for start, end in zip(starts, (*program.ends, len(program.instructions)), strict=True)
        ]
        if len(bound.operands) == 1:  # with one operand, preparing it is the whole work
            self.ready, self.products = (), [(*self.ready, *self.products[0])]

    def rows(self) -> list[tuple[str, ...]]:
        """Return a row for each step, and for preparing operands and finishing the result if that is work."""
        return [
            ("" if number is None else str(number), labels, kind(works), *map(str, _sums(works).values()))
            for number, labels, works in self._lines()
        ]

    def _lines(self) -> list[tuple[int | None, str, Sequence[Work]]]:
        """Return the number, labels and work of each row."""
        lines: list[tuple[int | None, str, Sequence[Work]]] = [(None, "operands", self.ready)]
        for number, (step, works) in enumerate(zip(self.steps, self.products, strict=True)):
            lines.append((number, contraction(self.bound, step), works))
        lines.append((None, "result", self.finish))
        return [line for line in lines if line[0] is not None or _busy(line[2])]

    def totals(self) -> tuple[str, ...]:
        """Return the last row, with the totals."""
        return ("", "", "total", *map(str, _sums(self.account.works).values()))

    def naive(self) -> Figure:
        """Return the FLOPs of one nested loop over all labels: n - 1 products for n operands, and the sum."""
        bound, unknown = self.bound, set(self.bound.unknown)
        known = [int(size) for label, size in enumerate(bound.sizes) if label not in unknown]
        summed = len({label for term in bound.terms for label in term}) > len(bound.output)
        names = [label_name(bound, label) for label in unknown]
        return Figure.monomial(prod(known, start=len(bound.terms) - 1 + summed), names)

    def notes(self, algorithm: str) -> list[str]:
        """Return the notes below the table."""
        return [
            *([f"path: {algorithm}"] if len(self.bound.operands) > 2 else []),
            f"one nested loop: {self.naive()} FLOPs",
            f"peak memory: {self.account.peak} bytes of intermediates and result",
        ]

    def data(self) -> dict[str, Any]:
        """Return rows and totals as JSON data; figures are integers, or text as in `Plan.figures`."""
        steps = [
            {
                "step": number,
                "labels": labels,
                "kind": kind(works, sizes=False),
                "matrices": _matrices(works),
                **_plain(_sums(works)),
            }
            for number, labels, works in self._lines()
        ]
        return {
            "steps": steps,
            "totals": _plain(_sums(self.account.works)),
            **_plain({"naive_flops": self.naive(), "peak_bytes": self.account.peak}),
        }


def explain(
    bound: Bound, program: Program, capabilities: Capabilities, steps: Sequence[Step], algorithm: str
) -> list[str]:
    """Return the lines of the table and the notes below it."""
    if bound.unranked:
        return ["  left to the framework: the numbers of axes are known only at run time"]
    explanation = Explanation(bound, program, capabilities, steps)
    return [
        *_table([HEADER, *explanation.rows(), explanation.totals()]),
        *[f"  {note}" for note in explanation.notes(algorithm)],
    ]


def total(works: Sequence[Work], name: str) -> Figure:
    """Return the sum of the figure ``name``, "flops", "read" or "written", over some works."""
    return Figure.sum(getattr(work, name) for work in works)


def kind(works: Sequence[Work], sizes: bool = True) -> str:
    """Return the kind of a step as text: its matrix product with the sizes, if it has one."""
    kinds = [work.kind for work in works if work.kind not in ("check", "view")]
    computing = [name for name in kinds if name != "copy"]
    text = " and ".join(dict.fromkeys(computing or kinds)) or "view"
    product = next((work.matrices for work in works if work.matrices is not None), None)
    if product is None or not sizes:
        return text
    batch, m, k, n = map(str, product)
    shown = f"matmul {m}×{k}×{n}" + (f", {batch} of them" if batch != "1" else "")
    return text.replace("matmul", shown)


def _matrices(works: Sequence[Work]) -> dict[str, int | str] | None:
    """Return the number of matrix products in a step and their sizes; None without any."""
    found = next((work.matrices for work in works if work.matrices is not None), None)
    return None if found is None else _plain(dict(zip(("count", "m", "k", "n"), found, strict=True)))


def _sums(works: Sequence[Work]) -> dict[str, Figure]:
    """Return the figures of a row in the order of the columns."""
    copies = Figure.of(sum(work.kind == "copy" for work in works))
    return {
        "flops": total(works, "flops"),
        "bytes_read": total(works, "read"),
        "bytes_written": total(works, "written"),
        "copies": copies,
    }


def _plain(figures: Mapping[str, Figure]) -> dict[str, int | str]:
    return {name: int(figure) if figure.written_out else str(figure) for name, figure in figures.items()}


def _busy(works: Sequence[Work]) -> bool:
    return any(work.kind != "check" for work in works)


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return rows as lines: text flush left, numbers flush right; rules enclose the body.

    A cell longer than `_WIDEST` sticks out, so that not every other row becomes as long: the total may be a
    formula of thousands of labels.
    """
    widths = [
        max((len(cell) for cell in column if len(cell) <= _WIDEST), default=0)
        for column in zip(*rows, strict=True)
    ]
    lines = [
        "  "
        + "  ".join(
            cell.ljust(width) if 0 < column < 3 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    rule = "  " + "-" * (sum(widths) + 2 * len(widths) - 2)
    return [lines[0], rule, *lines[1:-1], rule, lines[-1]]
