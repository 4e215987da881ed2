"""Find the Python files in the paths that a user names."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

_SKIPPED = {"__pycache__", "node_modules", "site-packages"}


def python_files(paths: Iterable[str], failed: Callable[[OSError], None]) -> Iterator[Path]:
    """Yield each file once: the named files, and the ``*.py`` files below the named directories, sorted.

    Hidden directories and virtual environments below these are left out; links to directories are not
    followed. ``failed`` is called with the error of each directory that cannot be read.
    """
    seen: set[Path] = set()
    for name in paths:
        path = Path(name)
        for file in _walk(path, failed) if os.path.isdir(path) else [path]:
            key = Path(os.path.abspath(file))
            if key not in seen:
                seen.add(key)
                yield file


def _walk(top: Path, failed: Callable[[OSError], None]) -> Iterator[Path]:
    for directory, below, files in os.walk(top, onerror=failed):
        below[:] = sorted(name for name in below if not _is_skipped(Path(directory, name)))
        for name in sorted(files):
            if name.endswith(".py"):
                yield Path(directory, name)


def _is_skipped(path: Path) -> bool:
    # os.path, unlike pathlib, returns False for paths without permission instead of raising an error.
    return path.name.startswith(".") or path.name in _SKIPPED or os.path.exists(path / "pyvenv.cfg")
