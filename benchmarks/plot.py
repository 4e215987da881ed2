"""The picture: the time of each case divided by the framework's own time, with a panel for each framework."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.cases import Case, by
from benchmarks.overhead import SMALL
from benchmarks.tccg import TARGET_GROUP

_PARTS = ("overhead", "attention", "tccg")
_STYLES = {"ours": ("#0b6e99", "o", 26), "opt_einsum": ("#d08b2c", "|", 40), "cotengra": ("#8a8a8a", "|", 40)}
"""Colour, marker and its size of the contenders that are drawn; the last is drawn on top."""


_TICKS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)


def shown(cases: list[Case]) -> list[Case]:
    """Return the cases of the picture."""
    return [
        case for case in cases if case.part in _PARTS and (case.part != "tccg" or case.group == TARGET_GROUP)
    ]


def draw(path: Path, cases: list[Case], about: dict[str, Any]) -> None:
    """Draw the ratios of all cases to a PNG file. Raises ImportError without matplotlib."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    panels = by(shown(cases), "framework")
    if not panels:
        return
    rows = _rows(shown(cases))
    figure, axes = pyplot.subplots(
        1, len(panels), figsize=(3.2 * len(panels) + 3.4, 0.155 * len(rows) + 1.6), sharey=True, squeeze=False
    )
    for axis, (framework, own) in zip(axes[0], panels.items(), strict=True):
        _panel(axis, framework, own, rows)
    axes[0][0].set_yticks(range(len(rows)), [_label(row) for row in rows], fontsize=6.5, family="monospace")
    axes[0][0].set_ylim(len(rows) - 0.3, -0.7)
    handles, names = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, names, loc="lower center", ncols=len(names), frameon=False, fontsize=8)
    figure.suptitle("Time over the framework's own einsum (left of the line: faster)", fontsize=10)
    figure.text(0.01, 0.004, f"{about['date']}, {about['cpu']}, one thread", fontsize=6, color="#666666")
    figure.tight_layout(rect=(0, 0.025, 1, 0.99))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


Row = tuple[str, str, str]


def _row(case: Case) -> Row:
    return case.part, case.group, case.name


def _label(row: Row) -> str:
    part, group, name = row
    return name if part == "tccg" or group == SMALL else f"{name}  {group}"


def _rows(cases: list[Case]) -> list[Row]:
    """Return a row for each equation, part by part."""
    found = dict.fromkeys(_row(case) for case in cases)
    return sorted(found, key=lambda row: _PARTS.index(row[0]))


def _panel(axis: Any, framework: str, cases: list[Case], rows: list[Row]) -> None:
    from matplotlib.ticker import FixedLocator, NullLocator

    places = {row: place for place, row in enumerate(rows)}
    axis.axvline(1, color="#333333", linewidth=0.8)
    for place, row in enumerate(rows[1:], 1):
        if row[0] != rows[place - 1][0]:
            axis.axhline(place - 0.5, color="#bbbbbb", linewidth=0.6)
    for name, (color, marker, size) in reversed(_STYLES.items()):
        points = [(ratio, places[_row(case)]) for case in cases if (ratio := case.ratio(name, "native"))]
        if points:
            axis.scatter(*zip(*points, strict=True), s=size, c=color, marker=marker, label=name, zorder=3)
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(FixedLocator(_TICKS))
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_title(
        "numpy (attention, tccg: optimize=True)" if framework == "numpy" else framework, fontsize=9
    )
    axis.grid(axis="both", color="#e6e6e6", linewidth=0.5)
    axis.tick_params(axis="x", labelsize=7)
    axis.set_axisbelow(True)
