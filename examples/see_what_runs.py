"""Plan a linear attention layer from shapes alone: its cost, a picture, a page, and plain torch code.

Run it with ``python examples/see_what_runs.py``: it writes ``attention.svg`` and ``attention.html`` into a
temporary folder. No framework is needed.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp

from einsum_unified import einsum_plan

EQUATION = "bhqd,bhkd,bhkv->bhqv"
HEADS, QUERIES, KEYS, DEPTH = 8, 128, 1024, 64


def main(folder: Path) -> None:
    """Make a plan for any batch size, and show it in every form."""
    shapes = [(None, HEADS, QUERIES, DEPTH), *[(None, HEADS, KEYS, DEPTH)] * 2]
    plan = einsum_plan(EQUATION, *shapes, dtype="float32", hints={"b": 32}, strict=True)
    print(plan)

    in_order = einsum_plan(EQUATION, *shapes, dtype="float32", hints={"b": 32}, optimize=False)
    print(f"\nqueries by keys first would take {in_order.flops / plan.flops:.1f} times the FLOPs\n")

    for write in (plan.to_svg, plan.to_html):
        file = folder / f"attention.{write.__name__.removeprefix('to_')}"
        write(file)
        print(f"wrote {file}")
    print(plan.to_python("torch"))


if __name__ == "__main__":
    main(Path(mkdtemp()))
