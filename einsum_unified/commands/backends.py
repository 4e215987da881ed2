"""The command ``backends``: which libraries have an adapter, which are installed, and what they support."""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from typing import Any

from einsum_unified.adapter import Backend, dispatch, registry
from einsum_unified.commands.command import Command, argument
from einsum_unified.commands.tables import print_table
from einsum_unified.commands.terminal import one_line
from einsum_unified.printable import json_text

_OTHERS = """
Other libraries work without an adapter if they follow the array API standard or have __array_function__."""

_DTYPES = ("float16", "bfloat16", "float8_e4m3fn", "complex64", "int8", "uint16", "bool")
"""Dtypes that only some libraries have."""


@dataclass(frozen=True)
class Found:
    """The facts about a library that the command prints."""

    name: str
    adapter: str
    """``built in``, or the place of the adapter in a plugin."""
    installed: bool
    version: str | None = None
    error: str | None = None
    """The error if it cannot be imported."""
    views: bool = False
    """Whether a result may share memory with an operand."""
    out: bool = False
    autocast: bool = False
    unknown_sizes: bool = False
    """Whether a graph can be traced with unknown sizes."""
    keywords: tuple[str, ...] = ()
    """Keywords of the library's own einsum that ours accepts, too."""
    dtypes: tuple[str, ...] = ()
    """Those of `_DTYPES` that it can compute with."""


def run(asked: argparse.Namespace) -> int:
    """Print the list; return 1 if an installed library cannot be imported."""
    found = libraries()
    if asked.json:
        print(json_text([asdict(library) for library in found], indent=1))
    else:
        header = ("library", "version", "adapter", "supports")
        print_table("einsum_unified: libraries with an adapter", header, [_row(library) for library in found])
        print(_OTHERS)
    return int(any(library.error is not None for library in found))


def libraries() -> list[Found]:
    """Return the facts about each library with a built-in adapter or an installed plugin."""
    distributions = packages_distributions()
    adapters = {**registry.plugins(), **dict.fromkeys(dispatch.FRAMEWORKS, "built in")}
    names = dict.fromkeys([*dispatch.FRAMEWORKS, *adapters])
    return [_library(name, adapters[name], distributions) for name in names]


def _library(name: str, adapter: str, distributions: Mapping[str, Sequence[str]]) -> Found:
    if not _is_installed(name):
        return Found(name, adapter, installed=False)
    known = _version(name, distributions.get(name, ()))
    try:
        backend = dispatch.load(name) if name in dispatch.FRAMEWORKS else registry.plugin(name)
        return Found(name, adapter, True, known, **_capabilities(backend))
    except (Exception, SystemExit) as error:  # whatever a broken installation raises
        return Found(name, adapter, True, known, error=one_line(error))


def _is_installed(name: str) -> bool:
    if name in dispatch.FRAMEWORKS:
        return dispatch.is_installed(name) and not dispatch.is_namesake(name)
    return importlib.util.find_spec(name) is not None


def _version(name: str, distributions: Sequence[str]) -> str | None:
    """Return the version of the distribution with the package's name, or else of one that contains it."""
    for distribution in (name, *distributions):  # on Python 3.10 few of the others are found
        with suppress(PackageNotFoundError):
            return version(distribution)
    return None


def _capabilities(backend: Backend | None) -> dict[str, Any]:
    assert backend is not None  # it is among the plugins
    declared = backend.capabilities
    dtypes = [
        dtype
        for dtype in _DTYPES
        if backend.dtype_from_name(dtype) is not None
        and (declared.dtypes is None or dtype in declared.dtypes)
    ]
    return {
        "views": declared.views,
        "out": declared.out,
        "autocast": declared.autocast,
        "unknown_sizes": declared.deferred,
        "keywords": tuple(sorted(declared.options)),
        "dtypes": tuple(dtypes),
    }


def _row(library: Found) -> tuple[str, ...]:
    return library.name, library.version or "", library.adapter, _words(library)


def _words(library: Found) -> str:
    if not library.installed:
        return "not installed"
    if library.error is not None:
        return f"broken: {library.error}"
    words = {
        "views": library.views,
        "out=": library.out,
        "autocast": library.autocast,
        "unknown sizes in graphs": library.unknown_sizes,
    }
    keywords = [f"{name}=" for name in library.keywords]
    return ", ".join([*(word for word, has in words.items() if has), *keywords, *library.dtypes])


COMMAND = Command(
    name="backends",
    help="list the libraries with an adapter, and what they support",
    description="""\
List the array libraries that have an adapter: whether they are installed, in which version, where the adapter
comes from, and what they support. Installed libraries are imported.

The exit status is 1 if an installed library cannot be imported.""",
    examples="""\
examples:
  einsum-unified backends
  einsum-unified backends --json""",
    arguments=(argument("--json", action="store_true", help="print the list as JSON"),),
    run=run,
)
