"""The legs of scripts/matrix cover what pyproject.toml declares."""

from __future__ import annotations

import re
import runpy
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MATRIX = runpy.run_path(str(ROOT / "scripts" / "matrix"))
LEGS = {leg.name: leg for leg in MATRIX["LEGS"]}
DECLARED = (ROOT / "pyproject.toml").read_text("utf-8")


def names(requirements: list[str]) -> set[str]:
    return {re.match(r"[\w.-]+", each)[0].removesuffix("-cpu") for each in requirements}


@pytest.mark.parametrize("versions", ["oldest", "newest"])
def test_each_library_with_an_extra_has_a_leg_with_its_oldest_and_its_newest_version(versions):
    extras = re.search(r"\[project.optional-dependencies\]\n(.*?)\ntest = ", DECLARED, re.DOTALL)[1]
    libraries = {each.split(">=")[0].partition("[")[0] for each in re.findall(r'"([^"]*)"', extras)}
    legs = [leg for leg in LEGS.values() if leg.versions == versions]
    tried = set().union(*(names(MATRIX["packages"](leg)) for leg in legs))
    assert libraries - tried == {"cupy"}  # which needs a GPU


def test_each_python_since_the_declared_one_has_a_leg():
    (oldest,) = re.findall(r'requires-python = ">=3\.(\d+)"', DECLARED)
    # `.ci/run` has Python 3.11, and all libraries.
    tried = {leg.python for leg in LEGS.values() if not leg.python.endswith("t")}
    assert tried | {"3.11"} == {f"3.{n}" for n in range(int(oldest), 15)}


@pytest.mark.parametrize("version", ["3.13t", "3.14t"])
def test_a_python_without_the_gil_has_a_leg_in_which_no_extension_turns_the_gil_on(
    version, monkeypatch, tmp_path
):
    (leg,) = (leg for leg in LEGS.values() if leg.python == version)
    ran = []

    def run(command, **settings):
        ran.append((command, settings))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setenv("PYENV_ROOT", str(pyenv(tmp_path, f"{version[:-1]}.5t")))
    monkeypatch.setattr(subprocess, "run", run)
    assert MATRIX["run"](leg, []) == 0
    command, settings = ran[-1]
    assert "pytest" in command
    assert settings["env"]["PYTHON_GIL"] == "0"
    assert not [each for each in MATRIX["packages"](leg) if each.startswith("playwright")]


def pyenv(folder: Path, *versions: str) -> Path:
    for version in versions:
        (folder / "versions" / version / "bin").mkdir(parents=True)
        (folder / "versions" / version / "bin" / "python").touch()
    return folder


@pytest.mark.parametrize(
    ("version", "found"),
    [("3.13", "3.13.5"), ("3.13t", "3.13.5t"), ("3.14", "3.14.0rc1"), ("3.14t", "3.14t-dev"), ("3.1", None)],
)
def test_a_python_without_the_gil_is_not_taken_for_one_with_it(version, found, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    made = pyenv(tmp_path, "3.13.5", "3.13.5t", "3.14.0rc1", "3.14t-dev")
    monkeypatch.setenv("PYENV_ROOT", str(made))
    assert MATRIX["python"](version) == (found and str(made / "versions" / found / "bin" / "python"))


def test_the_oldest_versions_are_those_that_are_declared():
    for leg in LEGS.values():
        for package in MATRIX["packages"](leg):
            if "==" in package:
                assert leg.versions == "oldest"
                assert f'"{package.replace("==", ">=")}' in DECLARED
    assert MATRIX["packages"](LEGS["numpy-oldest"])[0] == "numpy==1.26"


def test_a_leg_whose_python_is_missing_is_not_run_and_says_so(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert MATRIX["run"](LEGS["numpy-3.12"], []) == MATRIX["NOT_RUN"]
    assert capsys.readouterr().err == "numpy-3.12: there is no Python 3.12 here\n"
