"""``python -m benchmarks [PART ...]``: measure, and print tables and the targets that are met."""

from __future__ import annotations

import argparse
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks import one_thread  # isort: skip - before NumPy

if __name__ == "__main__":
    one_thread.keep_memory()

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import attention, forms, memory, networks, overhead, paths, scale, shapes, startup, tccg
from benchmarks.cases import Case, Settings, by
from benchmarks.contenders import FRAMEWORKS, installed
from benchmarks.plot import draw
from benchmarks.record import load, machine, save
from benchmarks.targets import summary

PARTS: dict[str, ModuleType] = {
    "overhead": overhead,
    "forms": forms,
    "tccg": tccg,
    "networks": networks,
    "paths": paths,
    "attention": attention,
    "memory": memory,
    "startup": startup,
    "scale": scale,
    "shapes": shapes,
}


def main() -> None:
    """Run the parts that were asked for."""
    asked = _arguments()
    console = Console()
    if not console.is_terminal:
        console.width = 150  # a file or pipe has room for whole tables
    if asked.load:
        cases, about = load(asked.load)
    else:
        settings = Settings(installed(asked.frameworks), asked.quick, asked.all)
        one_thread.limit_frameworks()
        about = {**machine(), "quick": asked.quick}
        cases = _measured(list(dict.fromkeys(asked.parts)), settings, console)
    _print(console, cases, about)
    if asked.json:
        save(asked.json, cases, about)
    if asked.plot:
        draw(asked.plot, cases, about)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Time einsum_unified and others."
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; default: all")
    parser.add_argument("--frameworks", nargs="+", choices=FRAMEWORKS, default=list(FRAMEWORKS))
    parser.add_argument("--quick", action="store_true", help="fewer and smaller cases, fewer rounds")
    parser.add_argument("--all", action="store_true", help="also contenders that take long: cotengra in tccg")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every case and the summary")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the ratios to a PNG")
    parser.add_argument("--load", type=Path, metavar="FILE", help="print and draw what --json wrote; no run")
    asked = parser.parse_args()
    asked.parts = asked.parts or list(PARTS)
    unknown = [part for part in asked.parts if part not in PARTS]
    if unknown:
        parser.error(f"unknown part {unknown[0]!r} (of {', '.join(PARTS)})")
    return asked


def _measured(parts: list[str], settings: Settings, console: Console) -> list[Case]:
    cases: list[Case] = []
    columns = (TextColumn("{task.description:<50}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    # Automatic redrawing would run in a thread of this process, whose time would be counted.
    with Progress(*columns, console=console, auto_refresh=False) as progress:
        for part in parts:
            jobs = PARTS[part].jobs(settings)
            task = progress.add_task(part, total=len(jobs))
            if not console.is_terminal:
                console.print(f"{part}: {len(jobs)} cases")
            for job in jobs:
                progress.update(task, description=f"{part}: {job.label}", refresh=True)
                cases += job.run()
                progress.advance(task)
            progress.update(task, description=part, refresh=True)
    return cases


def _print(console: Console, cases: list[Case], about: dict[str, Any]) -> None:
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    console.print(f"\n{about['date']}, {about['cpu']}, {about['cores']} cores, one thread\n{versions}\n")
    for part, own in by(cases, "part").items():
        for table in PARTS[part].tables(own):
            console.print(table)
    console.print(summary(cases))


if __name__ == "__main__":
    main()
