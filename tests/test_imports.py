"""Imports point one way: each folder of the package lists what it may import."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import einsum_unified
from einsum_unified.adapter import dispatch

CORE = Path(einsum_unified.__file__).parent
MODULES = {
    path.relative_to(CORE).with_suffix("").as_posix(): ast.parse(path.read_text("utf-8"))
    for path in sorted(CORE.rglob("*.py"))
    if path.relative_to(CORE).parts[0] != "backends"
}
ADAPTERS = {
    path.relative_to(CORE).with_suffix("").as_posix(): ast.parse(path.read_text("utf-8"))
    for path in sorted(CORE.joinpath("backends").glob("**/*.py"))
}

WORDS = ("printable", "wording", "errors")
BOUND = (*WORDS, "dtypes", "language", "adapter", "binding")
PLANNED = (*BOUND, "program", "planning")
MAY_IMPORT = {
    "printable": (),
    "wording": ("printable",),
    "errors": ("wording",),
    "dtypes": ("errors",),
    "language": ("wording", "errors"),
    "adapter": ("wording", "errors", "dtypes", "language"),
    "binding": BOUND,
    "program": ("errors", "dtypes", "language", "adapter"),
    "planning": PLANNED,
    "runtime": PLANNED,
    "show": PLANNED,
    "plan": (*PLANNED, "runtime", "show", "typing"),
    "api": (*PLANNED, "runtime", "show", "plan", "typing"),
    "tracing": ("adapter", "runtime", "plan", "api"),
    "__init__": ("errors", "runtime", "plan", "api", "tracing"),
    "typing": (),
    "__main__": ("commands",),
    # What is built upon the public functions.
    "testing": (*PLANNED, "runtime", "plan", "api"),
    "lint": (*WORDS, "language", "adapter", "binding"),
    "commands": (*PLANNED, "runtime", "show", "plan", "api", "lint", "testing", "__init__"),
    # An adapter needs the protocol; those that record calls for later need more of the core.
    "backends": (*PLANNED, "runtime", "plan", "api", "__init__"),
}  # fmt: skip
"""Folder, or module that stands beside the folders → those whose modules it may import, beside its own."""


def imported(tree: ast.Module) -> list[tuple[str, str]]:
    """Module and name of every import, those in functions included."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            found += [(node.module or "", alias.name) for alias in node.names]
    return found


def targets(tree: ast.Module) -> set[str]:
    """The modules of the package that one imports."""
    found = set()
    for module, item in imported(tree):
        if module.partition(".")[0] == "einsum_unified":
            names = [*module.split(".")[1:], item]
            candidates = ("/".join(names), "/".join(names[:-1]), "/".join([*names[:-1], "__init__"]))
            known = {**MODULES, **ADAPTERS}
            found.add(next(name.lstrip("/") for name in candidates if name.lstrip("/") in known))
    return found


def folder(name: str) -> str:
    return name.partition("/")[0]


def test_every_folder_says_what_it_may_import():
    assert {folder(name) for name in (*MODULES, *ADAPTERS)} == set(MAY_IMPORT)


@pytest.mark.parametrize("name", [*MODULES, *ADAPTERS])
def test_a_module_imports_what_its_folder_may(name: str):
    allowed = {folder(name), *MAY_IMPORT[folder(name)]}
    found = {folder(target) for target in targets({**MODULES, **ADAPTERS}[name])}
    assert found <= allowed


def test_no_folder_may_import_one_that_may_import_it():
    order = list(MAY_IMPORT)
    before = {name: [other for other in allowed if other != name] for name, allowed in MAY_IMPORT.items()}
    done: set[str] = {"__init__"}  # the command line tells the version, Dask's chunks go through einsum again
    while len(done) < len(order):
        ready = [name for name in order if name not in done and set(before[name]) <= done]
        assert ready, set(order) - done
        done.update(ready)


def test_the_imports_of_the_modules_have_no_cycle():
    graph = {name: targets(tree) - {name} for name, tree in MODULES.items()}
    done: set[str] = set()
    while len(done) < len(graph):
        ready = {name for name in graph if name not in done and graph[name] <= done}
        assert ready, {name: graph[name] - done for name in graph if name not in done}
        done |= ready


def test_only_the_command_line_imports_the_public_package():
    importers = [name for name, tree in MODULES.items() if "__init__" in targets(tree)]
    assert importers == ["commands/main"]  # which tells the version


@pytest.mark.parametrize("name", MODULES)
def test_the_core_imports_no_adapter_and_no_framework(name: str):
    roots = {module.partition(".")[0] for module, _ in imported(MODULES[name])}
    assert not roots & {*dispatch.FRAMEWORKS, "backends"} - {"numpy"}
    assert not [target for target in targets(MODULES[name]) if folder(target) == "backends"]


def test_only_the_path_module_uses_opt_einsum():
    users = [name for name, tree in MODULES.items() if any("opt_einsum" in m for m, _ in imported(tree))]
    assert users == ["planning/path"]
