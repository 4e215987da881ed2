"""Every Python block of README and docs runs; what a block prints is the block of text below it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import available
from frameworks import FRAMEWORKS
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

from einsum_unified.adapter import registry as adapters

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PRINTED = re.compile(r"```python\n(?P<code>(?:(?!```).*\n)*)```\n\n```\n(?P<text>(?:(?!```).*\n)*)```")


@pytest.fixture(autouse=True)
def _all_frameworks(monkeypatch):
    monkeypatch.setattr(adapters, "table", adapters.table)  # what documents register goes again
    for cls in FRAMEWORKS:
        available(cls)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_code_of_a_document_runs_and_prints_what_it_shows(path, capsys):
    document = Sybil(parsers=[PythonCodeBlockParser()], path=str(ROOT)).parse(path)
    shown = {match["code"].strip(): match["text"] for match in PRINTED.finditer(path.read_text())}
    for example in document.examples():
        example.evaluate()
        printed = capsys.readouterr().out
        expected = shown.pop(example.parsed.strip(), None)
        assert expected is None or printed == expected
    assert not shown


def test_documents_link_only_to_files_that_exist():
    for path in [*DOCUMENTS, ROOT / "CONTRIBUTING.md", ROOT / "benchmarks" / "README.md"]:
        for target in re.findall(r"\]\(([^)#]+)\)", path.read_text()):
            if target.startswith("https://"):
                continue
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


def test_the_readme_gives_the_two_commands_that_continuous_integration_runs():
    readme, ci = (ROOT / "README.md").read_text(), (ROOT / ".ci" / "run").read_text()
    assert 'pip install -e ".[cli]" && python -m einsum_unified demo\n' in readme
    command = 'pip install -e ".[test]" -c constraints.txt && pytest\n'
    assert command in readme
    assert command in ci
