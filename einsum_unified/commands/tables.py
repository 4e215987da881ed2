"""Tables on the terminal: drawn by rich if it is installed (the ``cli`` extra), else plain columns."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Collection, Sequence

from einsum_unified.printable import shown


def print_table(
    title: str,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    colour: Callable[[str], str] = lambda cell: "",
    whole: Collection[str] = (),
) -> None:
    """Print a table; ``colour`` returns the style of a cell, ``whole`` has the columns that must not wrap."""
    title, rows = shown(title), [[shown(cell) for cell in row] for row in rows]
    if importlib.util.find_spec("rich") is None:
        print(title)
        widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
        for row in [header, ["-" * width for width in widths], *rows]:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title), header_style="bold")
    for name in header:
        table.add_column(name, no_wrap=name in whole, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell, style=colour(cell)) for cell in row))
    Console().print(table)
