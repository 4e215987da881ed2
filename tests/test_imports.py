"""Imports point one way: each folder of the package lists what it may import."""

from __future__ import annotations

import ast

import pytest
from sources import CORE, MODULES, imported

from einsum_unified.adapter import dispatch

ADAPTERS = {
    path.relative_to(CORE).with_suffix("").as_posix(): ast.parse(path.read_text("utf-8"))
    for path in sorted(CORE.joinpath("backends").glob("**/*.py"))
}

MAY_IMPORT = {
    "computed": (),
    "forks": (),
    "memory": (),
    "printable": (),
    "typing": (),
    "wording": ("printable",),
    "errors": ("wording",),
    "dtypes": ("errors", "wording"),
    "language": ("errors", "memory", "printable", "wording"),
    "adapter": ("dtypes", "errors", "forks", "language", "memory", "wording"),
    "binding": ("adapter", "computed", "dtypes", "errors", "language", "wording"),
    "program": ("adapter", "dtypes", "errors", "language", "memory", "wording"),
    "planning": ("adapter", "binding", "computed", "dtypes", "errors", "forks", "language", "memory",
                 "program", "wording"),
    "runtime": ("adapter", "binding", "computed", "dtypes", "errors", "language", "memory", "planning",
                "program", "wording"),
    "show": ("adapter", "binding", "computed", "dtypes", "errors", "forks", "language", "planning",
             "printable", "program", "wording"),
    "plan": ("adapter", "binding", "dtypes", "errors", "forks", "language", "planning", "printable",
             "program", "runtime", "show", "typing", "wording"),
    "api": ("adapter", "binding", "dtypes", "errors", "language", "memory", "plan", "runtime", "show",
            "typing"),
    "tracing": ("adapter", "api", "plan", "runtime"),
    "__init__": ("api", "errors", "plan", "runtime", "tracing"),
    # Tools beside the way of a call.
    "testing": ("adapter", "api", "dtypes", "errors", "memory", "wording"),
    "lint": ("binding", "errors", "language", "printable", "wording"),
    "commands": ("adapter", "api", "binding", "dtypes", "errors", "lint", "plan", "planning", "printable",
                 "runtime", "show", "testing", "wording"),
    "__main__": ("commands",),
    "backends": ("adapter", "dtypes", "errors"),
    # They bind operands to record a call, and run it later.
    "backends/recorders": ("adapter", "binding", "dtypes", "errors", "language", "planning", "runtime"),
}  # fmt: skip
"""Folder, or module that stands beside the folders → those whose modules it may import, beside its own."""

EXCEPTIONS = {
    "backends/dask": "__init__",  # a chunk is contracted by `einsum`
    "backends/recorders/keras": "__init__",  # a recorded call runs `einsum`
    "commands/main": "__init__",  # the version
}
"""Modules that import one thing more."""


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
    recorders = "backends/recorders"
    return recorders if name.startswith(recorders) else name.partition("/")[0]


def imports_of(name: str) -> set[str]:
    """The other folders that a module imports from."""
    found = {folder(target) for target in targets({**MODULES, **ADAPTERS}[name])}
    return found - {folder(name), EXCEPTIONS.get(name)}


def test_every_folder_says_what_it_may_import():
    assert {folder(name) for name in (*MODULES, *ADAPTERS)} == set(MAY_IMPORT)


@pytest.mark.parametrize("name", [*MODULES, *ADAPTERS])
def test_a_module_imports_what_its_folder_may(name: str):
    assert imports_of(name) <= set(MAY_IMPORT[folder(name)])


@pytest.mark.parametrize("place", MAY_IMPORT)
def test_a_folder_may_import_only_what_it_does(place: str):
    modules = [name for name in (*MODULES, *ADAPTERS) if folder(name) == place]
    assert set().union(*map(imports_of, modules)) == set(MAY_IMPORT[place])


def test_no_folder_may_import_one_that_may_import_it():
    done: set[str] = set()
    while len(done) < len(MAY_IMPORT):
        ready = {name for name in MAY_IMPORT if name not in done and set(MAY_IMPORT[name]) <= done}
        assert ready, set(MAY_IMPORT) - done
        done |= ready


def test_the_imports_of_the_modules_have_no_cycle():
    graph = {name: targets(tree) - {name} for name, tree in MODULES.items()}
    done: set[str] = set()
    while len(done) < len(graph):
        ready = {name for name in graph if name not in done and graph[name] <= done}
        assert ready, {name: graph[name] - done for name in graph if name not in done}
        done |= ready


def test_only_exceptions_import_the_public_package():
    importers = {name for name, tree in {**MODULES, **ADAPTERS}.items() if "__init__" in targets(tree)}
    assert importers == set(EXCEPTIONS)


@pytest.mark.parametrize("name", MODULES)
def test_the_core_imports_no_adapter_and_no_framework(name: str):
    roots = {module.partition(".")[0] for module, _ in imported(MODULES[name])}
    assert not roots & {*dispatch.FRAMEWORKS, "backends"} - {"numpy"}
    assert not [target for target in targets(MODULES[name]) if folder(target) == "backends"]


def test_only_one_module_uses_opt_einsum():
    users = [name for name, tree in MODULES.items() if any(m == "opt_einsum" for m, _ in imported(tree))]
    assert users == ["planning/opt_einsum"]
