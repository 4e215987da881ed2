"""The support matrix: each library passes the whole kit, and the page says what the kit finds."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from conftest import require

ROOT = Path(__file__).parents[1]
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "make_support.py"))
ROWS = SCRIPT["ROWS"]
PAGE = (ROOT / "docs" / "support.md").read_text("utf-8").splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title)
def test_a_library_passes_the_kit_and_the_page_has_its_figures(row):
    require(row.backend)
    require(dict(row.environment).get("KERAS_BACKEND", row.backend))
    found = SCRIPT["find"](row)
    assert [f"{o['id']}: {o['reason']}" for o in found.outcomes if o["status"] == "failed"] == []
    assert found.count("passed") > 600  # a page of nothing but gaps would be true, too
    others = tuple(f"| {other.title} |" for other in ROWS if other is not row)
    lines = [line for line in PAGE if not line.startswith(others)]
    assert lines == SCRIPT["page"]([found]).splitlines(), "run python scripts/make_support.py"


def test_the_page_has_the_libraries_in_their_order():
    table = [line for line in PAGE[: PAGE.index("## Tested on")] if line.startswith("| ")]
    assert [line.split(" | ")[0].removeprefix("| ") for line in table] == [
        *("adapter", *(row.title for row in ROWS))
    ]
