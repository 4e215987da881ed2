"""The command ``backends``: the libraries with an adapter, which of them are here, and what they can do."""

from __future__ import annotations

import argparse
import importlib.util
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from typing import Any

from einsum_unified.adapter import Backend, dispatch
from einsum_unified.commands.command import Command, argument
from einsum_unified.commands.tables import print_table
from einsum_unified.commands.terminal import one_line

_OTHERS = """
Beside these, whatever follows the array API standard or has __array_function__ needs no adapter."""

_DTYPES = ("float16", "bfloat16", "float8_e4m3fn", "complex64", "int8", "uint16", "bool")
"""Those that not every library has."""


@dataclass(frozen=True)
class Found:
    """What there is to tell of a library."""

    name: str
    adapter: str
    """``built in``, or where a plugin has it."""
    installed: bool
    version: str | None = None
    error: str | None = None
    """Why it cannot be imported."""
    views: bool = False
    """Whether a result may share memory with an operand."""
    out: bool = False
    autocast: bool = False
    unknown_sizes: bool = False
    """Whether a graph may be made before sizes are known."""
    keywords: tuple[str, ...] = ()
    """Of the library's own einsum, that ours takes."""
    dtypes: tuple[str, ...] = ()
    """Of a few that not every library can compute with."""


def run(asked: argparse.Namespace) -> int:
    """Print the list; return 1 if a library that is installed cannot be imported."""
    found = libraries()
    if asked.json:
        print(json.dumps([asdict(library) for library in found], indent=1))
    else:
        header = ("library", "version", "adapter", "can")
        print_table("einsum_unified: libraries with an adapter", header, [_row(library) for library in found])
        print(_OTHERS)
    return int(any(library.error is not None for library in found))


def libraries() -> list[Found]:
    """Return what there is to tell of each library with an adapter here or an installed plugin."""
    distributions = packages_distributions()
    adapters = {**dispatch.plugins(), **dict.fromkeys(dispatch.FRAMEWORKS, "built in")}
    names = dict.fromkeys([*dispatch.FRAMEWORKS, *adapters])
    return [_library(name, adapters[name], distributions) for name in names]


def _library(name: str, adapter: str, distributions: Mapping[str, Sequence[str]]) -> Found:
    if importlib.util.find_spec(name) is None:
        return Found(name, adapter, installed=False)
    known = _version(name, distributions.get(name, ()))
    try:
        backend = dispatch.load(name) if name in dispatch.FRAMEWORKS else dispatch.plugin(name)
        return Found(name, adapter, True, known, **_capabilities(backend))
    except (Exception, SystemExit) as error:  # whatever a broken installation raises
        return Found(name, adapter, True, known, error=one_line(error))


def _version(name: str, distributions: Sequence[str]) -> str | None:
    """Return the version of the distribution of a package's name, or else of one that has the package."""
    for distribution in (name, *distributions):  # Python 3.10 finds few of the latter
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
    help="list the libraries with an adapter, and what they can do",
    description="""\
List the array libraries that have an adapter: whether they are installed, in which version, where the adapter
comes from, and what they can do. Those that are installed are imported.

The exit status is 1 if one that is installed cannot be imported.""",
    examples="""\
examples:
  einsum-unified backends
  einsum-unified backends --json""",
    arguments=(argument("--json", action="store_true", help="print the list as JSON"),),
    run=run,
)
