"""The results of a run as a file: the date, the machine, the versions, every case, and the summary."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.cases import Case
from benchmarks.targets import outcomes

_PACKAGES = (
    "einsum-unified",
    "numpy",
    "torch",
    "tensorflow",
    "tensorflow-cpu",
    "jax",
    "opt_einsum",
    "einops",
    "einx",
    "cotengra",
)


def machine() -> dict[str, Any]:
    """Return the date, the processor, and the versions of all compared packages."""
    return {
        "date": date.today().isoformat(),
        "cpu": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {"python": platform.python_version(), **_versions()},
    }


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def save(path: Path, cases: list[Case], about: dict[str, Any]) -> None:
    """Write a JSON file with one line for each case, so that diff can compare two runs."""
    head = json.dumps({**about, "summary": outcomes(cases)}, ensure_ascii=False, indent=1)
    lines = ",\n".join("  " + json.dumps(_rounded(case), ensure_ascii=False) for case in cases)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{head[:-2]},\n "cases": [\n{lines}\n ]\n}}\n', encoding="utf-8")


def _rounded(case: Case) -> dict[str, Any]:
    values = {name: value and float(f"{value:.5g}") for name, value in case.values.items()}
    return {**asdict(case), "values": values}


def load(path: Path) -> tuple[list[Case], dict[str, Any]]:
    """Read a file that `save` wrote."""
    read = json.loads(path.read_text(encoding="utf-8"))
    cases = [Case(**case) for case in read.pop("cases")]
    del read["summary"]
    return cases, read
