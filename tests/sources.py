"""The sources of the package as syntax trees, for the tests that read them."""

from __future__ import annotations

import ast
from pathlib import Path

import einsum_unified

CORE = Path(einsum_unified.__file__).parent
MODULES = {
    path.relative_to(CORE).with_suffix("").as_posix(): ast.parse(path.read_text("utf-8"))
    for path in sorted(CORE.rglob("*.py"))
    if path.relative_to(CORE).parts[0] != "backends"
}
"""The modules of the core by their paths, such as "planning/path"; the adapters are not among them."""


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
