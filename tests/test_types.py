"""What type checkers make of calls: `typed/accepted.py` holds types, `typed/refused.py` mistakes."""

from __future__ import annotations

import subprocess
import sys
import typing
from pathlib import Path
from typing import Any

import pytest
from conftest import require

import einsum_unified
from einsum_unified import typing as types
from einsum_unified.planning.strategy import strategy

ROOT = Path(__file__).parents[1]
TYPED = ROOT / "tests" / "typed"


def checked(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize("command", [("mypy", "--strict"), ("pyright",)], ids=lambda command: command[0])
def test_type_checkers_find_these_types_and_these_mistakes(command: tuple[str, ...]):
    require(command[0])
    done = checked(*command, str(TYPED))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("command", [("mypy", "--strict"), ("pyright",)], ids=lambda command: command[0])
def test_type_checkers_object_where_a_type_is_another_one(tmp_path, command: tuple[str, ...]):
    require(command[0])
    wrong = TYPED.joinpath("accepted.py").read_text("utf-8").replace("byte), NDArray[np.int8]", "byte), Any")
    tmp_path.joinpath("wrong.py").write_text(wrong, "utf-8")
    done = checked(*command, str(tmp_path))
    assert done.returncode == 1
    assert "wrong.py" in done.stdout


def test_every_strategy_that_is_typed_is_known():
    names = typing.get_args(types.Strategy)
    assert len(names) == len({strategy(name).name for name in names}) == 13


def test_the_typed_keywords_are_those_of_einsum():
    kwdefaults: Any = einsum_unified.einsum.__kwdefaults__
    framework = set(types.FrameworkKeywords.__annotations__)
    assert {*kwdefaults, *framework} == {*types.DTypeKeywords.__annotations__, "out"}


def test_the_names_of_the_types_can_be_imported():
    assert sorted(types.__all__) == types.__all__
    assert all(hasattr(types, name) for name in types.__all__)
