"""The time before the first result: the import, and planning with empty caches."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from functools import partial
from statistics import median

from rich.table import Table

from benchmarks.cases import Case, Job, Settings
from benchmarks.tables import number, table
from einsum_unified import clear_cache, einsum_plan

IMPORT, PLAN = "import, ms", "cold plan of two operands, µs"

EQUATIONS: dict[str, tuple[str, str]] = {
    "ij,jk->ik": ("ij", "jk"),
    "i,i->": ("i", "i"),
    "bhid,bhjd->bhij": ("bhid", "bhjd"),
    "ijma,mkbc->abcijk": ("ijma", "mkbc"),
    "bij,kj->ikb": ("bij", "kj"),
}

_PROGRAM = "import time; start = time.process_time(); import {}; print((time.process_time() - start) * 1e3)"


def jobs(settings: Settings) -> list[Job]:
    """Return one job for the imports, and one for each equation."""
    plans = [
        Job(f"plan {equation}", partial(_plan, equation, terms, 50 if settings.quick else 300))
        for equation, terms in EQUATIONS.items()
    ]
    return [Job("imports", partial(_imports, 9 if settings.quick else 21)), *plans]


def _imports(rounds: int) -> list[Case]:
    """Return the CPU ms of the imports, in fresh interpreters that take turns."""
    modules = {"ours": "einsum_unified", "numpy": "numpy"}
    taken: dict[str, list[float]] = {name: [] for name in modules}
    # With bytecode, as for an installed package; the first round writes it.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(rounds + 1):
        for name, module in modules.items():
            command = [sys.executable, "-c", _PROGRAM.format(module)]
            printed = subprocess.run(
                command, check=True, capture_output=True, text=True, env=environment
            ).stdout
            taken[name].append(float(printed))
    values: dict[str, float | None] = {name: median(times[1:]) for name, times in taken.items()}
    return [Case("startup", IMPORT, "numpy", "import", "import", "", values)]


def _plan(equation: str, terms: tuple[str, str], count: int) -> list[Case]:
    """Return the median time of planning over different shapes."""
    times = []
    for n in range(count):
        sizes = {label: 2 + (n * (position + 3)) % 97 for position, label in enumerate("".join(terms))}
        shapes = [tuple(sizes[label] for label in term) for term in terms]
        clear_cache()
        start = time.process_time()
        einsum_plan(equation, *shapes)
        times.append((time.process_time() - start) * 1e6)
    return [Case("startup", PLAN, "numpy", "plan", equation, "", {"ours": median(times)})]


def tables(cases: list[Case]) -> list[Table]:
    """Return one table of all cases."""
    made = table("Start", ["what", "", "ours", "numpy"], left=2)
    for case in cases:
        made.add_row(case.measure, case.name, *(number(case.values.get(name)) for name in ("ours", "numpy")))
    return [made]
