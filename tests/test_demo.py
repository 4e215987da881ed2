"""The command line: the demo's table, its count and its exit status."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import available, slow
from frameworks import FRAMEWORKS

from einsum_unified.__main__ import main
from einsum_unified.adapter import dispatch
from einsum_unified.commands import demo
from einsum_unified.testing.gallery import GALLERY, Picture

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


@pytest.fixture
def all_frameworks():
    for cls in FRAMEWORKS:
        available(cls)


@pytest.mark.slow
@pytest.mark.usefixtures("all_frameworks")
def test_the_demo_shows_every_picture_agreeing_on_every_framework(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["demo"]) == 0
    text = capsys.readouterr().out
    frameworks = dispatch.installed()
    results = len(frameworks) * (len(GALLERY) + 1)
    assert text.count("✓") == results
    assert (
        f"{results} of {results} results agree ({len(GALLERY) + 1} operations on {', '.join(frameworks)})."
        in text
    )
    assert "label 'j' is 3 in operand 0 but 4 in operand 1" in text


def test_the_demo_runs_without_rich_as_plain_text(capsys, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert demo.compare(["numpy"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "einsum_unified: the gallery"
    assert lines[1].split() == ["operation", "equation", "shape", "numpy"]
    assert "┃" not in "".join(lines)


def test_a_result_that_disagrees_is_shown_and_makes_the_exit_status_1(capsys, monkeypatch):
    wrong = Picture("transpose", "ij->ji", ((2, 2),), lambda x: np.transpose(x) + 1)
    monkeypatch.setattr(demo, "GALLERY", (wrong,))
    assert demo.compare(["numpy"]) == 1
    text = capsys.readouterr().out
    assert "✗" in text
    assert "1 of 2 results agree" in text


def test_an_unknown_command_is_misuse():
    with pytest.raises(SystemExit) as caught:
        main(["dance"])
    assert caught.value.code == 2


def test_the_module_runs_as_a_command():
    done = subprocess.run(
        [sys.executable, "-m", "einsum_unified", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "0.1.0"


@pytest.mark.usefixtures("all_frameworks")
@pytest.mark.parametrize(
    "path",
    [slow(path) if path.stem == "compiled_attention" else path for path in EXAMPLES],
    ids=lambda path: path.stem,
)
def test_an_example_runs_and_prints(path, capsys):
    runpy.run_path(str(path), run_name="__main__")
    assert len(capsys.readouterr().out.splitlines()) >= 5
