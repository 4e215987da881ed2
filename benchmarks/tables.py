"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table

from benchmarks.cases import Case, geometric_mean

MISSING = "–"


def number(x: float | None) -> str:
    """Return a number with about three significant digits, or a dash for None.

    >>> number(1234.5), number(0.12345), number(12.345), number(None)
    ('1,234', '0.123', '12.3', '–')
    """
    if x is None:
        return MISSING
    if abs(x) >= 100:
        return f"{x:,.0f}"
    return f"{x:.3g}" if abs(x) < 1 else f"{x:.{1 if abs(x) >= 10 else 2}f}"


def table(title: str, columns: Sequence[str], left: int = 1) -> Table:
    """Return an empty table whose first ``left`` columns are flush left and the others flush right."""
    made = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for position, column in enumerate(columns):
        made.add_column(column, justify="left" if position < left else "right", no_wrap=True)
    return made


def ratio_table(title: str, cases: list[Case], ratio: tuple[str, str], mean_of: tuple[str, str]) -> Table:
    """Return a table with a row for each case, a column for each contender, and the ratio of two of them.

    The last row has the geometric means of each contender's ratio to the second of the two, over the cases
    whose attribute ``mean_of[0]`` is ``mean_of[1]``.
    """
    names = list(dict.fromkeys(name for case in cases for name in case.values))
    made = table(title, ["equation", "", *names, "/".join(ratio)], left=2)
    for case in cases:
        values = [number(case.values.get(name)) for name in names]
        made.add_row(case.name, case.group, *values, number(case.ratio(*ratio)))
    meant = [case for case in cases if getattr(case, mean_of[0]) == mean_of[1]]
    means = [geometric_mean(case.ratio(name, ratio[1]) for case in meant) for name in names]
    made.add_section()
    made.add_row(
        f"geometric mean over {ratio[1]}",
        mean_of[1],
        *map(number, means),
        number(means[names.index(ratio[0])]),
    )
    return made
