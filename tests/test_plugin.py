"""The plugin of examples/plugin, built and installed as a user would, in an environment of its own."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PLUGIN = ROOT / "examples" / "plugin"

CALL = """
import sys
from einsum_unified import einsum
assert not any(name.startswith("toyarrays") for name in sys.modules)
from toyarrays import toy
assert "toyarrays.einsum" not in sys.modules
x, y = toy([[1.0, 2.0], [3.0, 4.0]]), toy([1, 10])
result = einsum("ij,j->i", x, y)
assert "toyarrays.einsum" in sys.modules
print(type(result).__name__, result.dtype.name, result.tolist())
"""


def run(*command: object, cwd: Path) -> str:
    done = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory) -> Path:
    """An interpreter in a fresh environment with the wheels of the library and of the plugin."""
    place = tmp_path_factory.mktemp("plugin")
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", place, ROOT, PLUGIN, cwd=place)
    venv.create(place / "environment", with_pip=True)
    found = place / "environment" / "bin" / "python"
    wheels = sorted(place.glob("*.whl"))
    assert len(wheels) == 2
    run(found, "-m", "pip", "install", "-c", ROOT / "constraints.txt", *wheels, "pytest", cwd=place)
    return found


@pytest.mark.slow
def test_an_installed_plugin_is_loaded_when_an_array_of_its_library_shows_up(python: Path, tmp_path: Path):
    assert run(python, "-c", CALL, cwd=tmp_path) == "Toy float64 [21.0, 43.0]\n"


@pytest.mark.slow
def test_an_installed_plugin_passes_the_kit_by_its_three_lines(python: Path, tmp_path: Path):
    tests = PLUGIN / "tests"
    # The options of this repository are not the plugin's.
    options = ["-q", "-p", "no:cacheprovider", "-o", "addopts=", "--rootdir", tests]
    text = run(python, "-m", "pytest", *options, tests, cwd=tmp_path)
    assert " passed" in text
    assert "failed" not in text


@pytest.mark.slow
def test_an_installed_plugin_passes_the_kit_from_the_command_line(python: Path, tmp_path: Path):
    text = run(python, "-m", "einsum_unified", "conformance", "--backend", "toyarrays", cwd=tmp_path)
    assert "declared gap" in text
