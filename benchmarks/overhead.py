"""The time of a call: small equations, for which overhead dominates the arithmetic, and a few larger ones."""

from __future__ import annotations

from functools import partial

from rich.table import Table

from benchmarks.cases import Case, Job, Settings, by
from benchmarks.contenders import Framework, contenders, operands, time_calls
from benchmarks.tables import ratio_table

Shapes = tuple[tuple[int, ...], ...]

SMALL = "small"
"""The group of cases for the geometric mean and the worst case."""

EQUATIONS: dict[str, Shapes] = {
    "ij->ji": ((4, 4),),
    "ii->i": ((4, 4),),
    "ij->": ((4, 4),),
    "ij->j": ((4, 4),),
    "i,i->": ((4,), (4,)),
    "i,j->ij": ((4,), (4,)),
    "ij,ij->ij": ((4, 4), (4, 4)),
    "ij,j->i": ((4, 4), (4,)),
    "ij,jk->ik": ((4, 4), (4, 4)),
    "ij,kj->ik": ((4, 4), (4, 4)),
    "bij,bjk->bik": ((2, 4, 4), (2, 4, 4)),
    "bhid,bhjd->bhij": ((2, 2, 4, 4), (2, 2, 4, 4)),
    "...ij,jk->...ik": ((2, 4, 4), (4, 4)),
    "ij,jk,kl->il": ((4, 4), (4, 4), (4, 4)),
    "ab,bc,cd,de->ae": ((4, 4), (4, 4), (4, 4), (4, 4)),
}
LARGER: tuple[tuple[str, str, Shapes], ...] = (
    ("32 × 64×64", "bij,bjk->bik", ((32, 64, 64), (32, 64, 64))),
    ("10000 × 3×3", "bij,bjk->bik", ((10000, 3, 3), (10000, 3, 3))),
    ("300×300", "ij,ij->", ((300, 300), (300, 300))),
    ("300×300", "ij,ij->j", ((300, 300), (300, 300))),
    ("300×300", "ij,ij->i", ((300, 300), (300, 300))),
    ("int8 256×256", "ij,jk->ik", ((256, 256), (256, 256))),
)


def jobs(settings: Settings) -> list[Job]:
    """Return a job for each equation and framework."""
    items = [(SMALL, *item) for item in EQUATIONS.items()] + list(LARGER)
    return [
        Job(
            f"{framework.name} {equation} {group}",
            partial(_run, settings, framework, group, equation, shapes),
        )
        for framework in settings.frameworks
        for group, equation, shapes in items
        # TensorFlow does not have integer kernels for matrix products.
        if not (group.startswith("int8") and framework.name == "tensorflow")
    ]


def _run(settings: Settings, framework: Framework, group: str, equation: str, shapes: Shapes) -> list[Case]:
    tensors = operands(framework, shapes, "int8" if group.startswith("int8") else "float32")
    values = time_calls(contenders(framework, equation, tensors), settings.effort)
    return [Case("overhead", "time, µs", framework.name, group, equation, str(shapes), values)]


def tables(cases: list[Case]) -> list[Table]:
    """Return a table of all cases for each framework."""
    return [
        ratio_table(f"Time a call, {framework}, µs", own, ("ours", "native"), ("group", SMALL))
        for framework, own in by(cases, "framework").items()
    ]
