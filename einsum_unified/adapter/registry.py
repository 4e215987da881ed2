"""The adapters that come from elsewhere: registered for a class, or in an installed plugin. All are checked.

A plugin is an entry point of the group ``einsum_unified.backends``; it is named after the root package of its
library.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from einsum_unified.adapter import ADAPTER_API, Backend, Capabilities
from einsum_unified.adapter.frameworks import FRAMEWORKS
from einsum_unified.errors import BackendError
from einsum_unified.wording import LONGEST_REASON, class_name, quoted

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "einsum_unified.backends"

BUILTIN: dict[type | str, str] = {
    cls: name for name, framework in FRAMEWORKS.items() for cls in framework.classes
}


@dataclass(frozen=True)
class Table:
    """The adapters of classes, and the classes found with them; it is replaced as a whole, under the lock."""

    entries: Mapping[type | str, str | Backend]
    found: dict[type, Backend] = field(default_factory=dict)


table = Table(BUILTIN)
"""The current table; `register` replaces it."""
_lock = threading.Lock()


# --- registered adapters --------------------------------------------------------------------------


def register(key: type | str, adapter: Backend, replace: bool) -> None:
    """Register an adapter for a class, given as an object or by its qualified name, and its subclasses."""
    global table
    if not isinstance(key, (str, type)):
        raise BackendError(f"an adapter is registered for a class or a qualified name, not for {quoted(key)}")
    shown = qualified(key)
    _check(adapter, f"the adapter for {shown!r}")
    with _lock:
        others = {known: entry for known, entry in table.entries.items() if not _same(known, key)}
        if not replace and len(others) < len(table.entries):
            raise BackendError(f"{shown!r} already has an adapter; pass replace=True to replace it")
        # A new table: it forgets which classes were found before, and which were not.
        table = Table({**others, key: adapter})
        _entry_points.cache_clear()


def qualified(key: type | str) -> str:
    """Return the qualified name of a class.

    >>> qualified(int), qualified("numpy.ndarray")
    ('builtins.int', 'numpy.ndarray')
    """
    return key if isinstance(key, str) else f"{key.__module__}.{key.__qualname__}"


def _same(a: type | str, b: type | str) -> bool:
    """Whether two keys mean the same class. Different classes may have the same name."""
    return a is b or ((isinstance(a, str) or isinstance(b, str)) and qualified(a) == qualified(b))


@contextmanager
def registered(key: type | str, adapter: Backend) -> Iterator[None]:
    """Use an adapter for a class inside a ``with`` block only. Not safe while other threads register."""
    global table
    _check(adapter, f"the adapter for {qualified(key)!r}")
    with _lock:
        before = table
        table = Table({**before.entries, key: adapter})
    try:
        yield
    finally:
        with _lock:
            table = before


# --- plugins --------------------------------------------------------------------------------------


def plugins() -> dict[str, str]:
    """Return the adapters of installed plugins: root package of the library → module and object."""
    return {point.name: point.value for point in _entry_points()}


def plugin(*roots: str) -> Backend | None:
    """Return the adapter of the first plugin for one of these root packages; None if there is none."""
    for point in _entry_points():
        if point.name in roots:
            return _load_plugin(point)
    return None


@lru_cache(maxsize=1)
def _entry_points() -> tuple[EntryPoint, ...]:
    from importlib.metadata import entry_points  # takes as long to import as the whole package

    return tuple(entry_points(group=GROUP))  # reads every installed package's metadata: milliseconds


def _load_plugin(point: EntryPoint) -> Backend:
    shown = f"the adapter plugin {point.name!r} ({point.value})"
    try:
        adapter: Backend = point.load()
    except (Exception, SystemExit) as error:
        raise BackendError(f"{shown} failed to load: {quoted(error, LONGEST_REASON)}") from error
    _check(adapter, shown)
    return adapter


# --- checks ---------------------------------------------------------------------------------------


def _check(adapter: Any, shown: str) -> None:
    """Raise `BackendError` unless an adapter has all members of the protocol, in the current version."""
    if isinstance(adapter, type):
        raise BackendError(f"{shown} is the class {class_name(adapter)}: pass an instance of it")
    version = getattr(adapter, "adapter_api", ADAPTER_API)
    if version != ADAPTER_API:
        raise BackendError(
            f"{shown} is written for version {quoted(version)} of the protocol, not {ADAPTER_API}"
        )
    try:
        members = {name: getattr(adapter, name) for name in _members() if hasattr(adapter, name)}
    except Exception as error:  # a property may raise anything
        raise BackendError(f"{shown} is broken: {quoted(error, LONGEST_REASON)}") from error
    missing = sorted(name for name in _members() if name not in members or _is_unwritten(members[name]))
    if missing:
        raise BackendError(f"{shown} lacks: {', '.join(missing)}")
    if not isinstance(members["capabilities"], Capabilities):
        raise BackendError(f"{shown} has capabilities of the wrong type: {quoted(members['capabilities'])}")
    wrong = sorted(set(members) - {"adapter_api", "name", "capabilities"})
    wrong = [name for name in wrong if not callable(members[name])]
    if wrong:
        raise BackendError(f"{shown} has members that cannot be called: {', '.join(wrong)}")


def _is_unwritten(member: Any) -> bool:
    """Whether a member is an abstract method of `Adapter` that was not overridden."""
    return getattr(member, "__isabstractmethod__", False) is True


def _members() -> set[str]:
    methods = {name for name in vars(Backend) if not name.startswith("_")}
    return methods | set(Backend.__annotations__)
