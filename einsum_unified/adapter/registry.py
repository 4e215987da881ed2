"""The adapters that come from elsewhere: registered for a class, or in an installed plugin. All are checked.

A plugin is an entry point of the group ``einsum_unified.backends``; it is named after the root package of its
library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from threading import RLock, get_ident
from types import ModuleType
from typing import TYPE_CHECKING, Any

from einsum_unified.adapter import ADAPTER_API, Backend, Capabilities
from einsum_unified.adapter.frameworks import FRAMEWORKS
from einsum_unified.errors import BackendError, EinsumError, warn
from einsum_unified.forks import during, forks_wait
from einsum_unified.wording import LONGEST_REASON, article, class_name, counted, quoted

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "einsum_unified.backends"
EVERY_CLASS = "builtins"
"""The root package of `object`, from which each class is derived."""

BUILTIN: dict[type | str, str] = {
    cls: name for name, framework in FRAMEWORKS.items() for cls in framework.classes
}


@dataclass(frozen=True, eq=False)
class Loan:
    """An adapter that is used for a class inside a ``with`` block only."""

    key: type | str
    adapter: Backend


@dataclass(frozen=True, eq=False)
class Table:
    """The adapters of classes, and the classes found with them.

    It is replaced as a whole, under the lock. A call reads `table` once and uses that throughout, so that
    another thread cannot replace an adapter in the middle of it.
    """

    registered: Mapping[type | str, str | Backend]
    loans: tuple[Loan, ...] = ()
    entries: Mapping[type | str, str | Backend] = field(init=False)
    """The registered adapters, and before them those on loan."""
    found: dict[type, Backend] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lent = {loan.key: loan.adapter for loan in self.loans}
        object.__setattr__(self, "entries", {**self.registered, **lent})


table = Table(BUILTIN)
"""The current table; `register` replaces it."""
_lock = RLock()  # which a signal's handler may take again

Forget = Callable[[], None]
"""A function that forgets what was made with an earlier table."""


# --- registered adapters --------------------------------------------------------------------------


def register(key: type | str, adapter: Backend, replace: bool, forget: Forget) -> None:
    """Register an adapter for a class, given as an object or by its qualified name, and its subclasses."""
    if not isinstance(key, (str, type)):
        raise BackendError(f"an adapter is registered for a class or a qualified name, not for {quoted(key)}")
    name = qualified(key)
    _check(adapter, f"the adapter for {name!r}")
    with forks_wait(), _lock:
        others = {known: entry for known, entry in table.registered.items() if not _same(known, key)}
        if not replace and len(others) < len(table.registered):
            raise BackendError(f"{name!r} already has an adapter; pass replace=True to replace it")
        _entry_points.cache_clear()
        _replace_table(Table({**others, key: adapter}, table.loans), forget)


def _replace_table(new: Table, forget: Forget) -> None:
    """Replace the table; the new one does not know which classes were found before, and which were not."""
    global table
    forget()  # before it too: Ctrl-C may come between the last two lines
    try:
        table = new
    finally:
        forget()


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
def registered(key: type | str, adapter: Backend, forget: Forget) -> Iterator[None]:
    """Use an adapter for a class inside a ``with`` block only, in all threads.

    Several threads may do so at once. If they do so for one class, the last adapter is used.
    """
    _check(adapter, f"the adapter for {qualified(key)!r}")
    loan = Loan(key, adapter)
    try:
        with forks_wait(), _lock:
            _replace_table(Table(table.registered, (*table.loans, loan)), forget)
        yield
    finally:
        try:
            _end(loan, forget)
        except KeyboardInterrupt:  # it must not leave the adapter in use
            _end(loan, forget)
            raise


def _end(loan: Loan, forget: Forget) -> None:
    with forks_wait(), _lock:
        others = tuple(other for other in table.loans if other is not loan)
        _replace_table(Table(table.registered, others), forget)


# --- plugins --------------------------------------------------------------------------------------


def plugins() -> dict[str, str]:
    """Return the adapters of installed plugins: root package of the library → module and object."""
    return {point.name: _rivals(point.name)[0].value for point in _entry_points()}


def plugin(*roots: str) -> Backend | None:
    """Return the adapter of a plugin for the first of these root packages that has one, or None."""
    for root in roots:
        rivals = _rivals(root)
        if len(rivals) > 1:
            used, *others = map(_origin, rivals)
            warn(
                f"{counted(len(rivals), 'plugin')} have an adapter for {root!r}: {used} is used, "
                f"{' and '.join(others)} not; uninstall all but one, or choose with register_backend"
            )
        if rivals:
            return _load_plugin(rivals[0])
    return None


def _rivals(root: str) -> list[EntryPoint]:
    """Return the plugins for a root package; the first is used.

    They are sorted by distribution, because Python lists them in the order of folders and files.
    """
    points = {point.value: point for point in _entry_points() if point.name == root}
    return sorted(points.values(), key=_origin)


def _origin(point: EntryPoint) -> str:
    """Return the distribution that a plugin is from, and its module and object."""
    name = "an unknown distribution" if point.dist is None else f"{point.dist.name} {point.dist.version}"
    return f"{name} ({point.value})"


@lru_cache(maxsize=1)
def _entry_points() -> tuple[EntryPoint, ...]:
    with forks_wait():
        from importlib.metadata import entry_points  # takes as long to import as the whole package
    try:
        return tuple(entry_points(group=GROUP))  # reads every installed package's metadata: milliseconds
    except Exception as error:
        headline = f"the list of installed packages, some of which may be plugins, is broken: {shown(error)}"
        raise BackendError(headline) from error


_loading: set[tuple[int, str]] = set()
"""The plugins that are being imported, each with the thread that does so."""


def _load_plugin(point: EntryPoint) -> Backend:
    name = f"the adapter plugin {point.name!r} ({point.value})"
    if point.name == EVERY_CLASS:
        raise BackendError(
            f"{name} would be for every class, because each is derived from builtins.object: "
            "a plugin has the name of the root package of its library"
        )
    loading = (get_ident(), point.value)
    if loading in _loading:
        raise BackendError(f"{name} calls einsum with arrays of its own library while it is imported")
    try:
        with during(_loading, loading), forks_wait():
            adapter: Backend = point.load()
    except KeyboardInterrupt:  # the user's
        raise
    except BaseException as error:  # SystemExit too: a plugin may not end the program
        raise BackendError(f"{name} failed to load: {shown(error)}") from error
    _check(adapter, name)
    return adapter


def shown(error: BaseException) -> str:
    """Return an exception of somebody else's code as a message shows it."""
    if isinstance(error, EinsumError):
        return error.headline
    return quoted(error, LONGEST_REASON)


# --- checks ---------------------------------------------------------------------------------------


def _check(adapter: Any, name: str) -> None:
    """Raise `BackendError` unless an adapter has all members of the protocol, in the current version."""
    try:
        problem = _problem(adapter)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a property may raise anything
        raise BackendError(f"{name} is broken: {shown(error)}") from error
    if problem is not None:
        raise BackendError(f"{name} {problem}")


def _problem(adapter: Any) -> str | None:
    if isinstance(adapter, type):
        return f"is the class {class_name(adapter)}: pass an instance of it"
    version = getattr(adapter, "adapter_api", ADAPTER_API)
    if version != ADAPTER_API:
        return f"is written for version {quoted(version)} of the protocol, not {ADAPTER_API}"
    members = {name: getattr(adapter, name) for name in _members() if hasattr(adapter, name)}
    if not members:
        meant = isinstance(adapter, ModuleType) and hasattr(adapter, "adapter")
        hint = f": did you mean {adapter.__name__}:adapter?" if meant else ""
        return f"is {article(class_name(type(adapter)))}, which has no member of an adapter{hint}"
    missing = sorted(name for name in _members() if name not in members or _is_unwritten(members[name]))
    if missing:
        return f"lacks: {', '.join(missing)}"
    if not isinstance(members["capabilities"], Capabilities):
        return f"has capabilities of the wrong type: {quoted(members['capabilities'])}"
    wrong = sorted(set(members) - {"adapter_api", "name", "capabilities"})
    wrong = [name for name in wrong if not callable(members[name])]
    if wrong:
        return f"has members that cannot be called: {', '.join(wrong)}"
    return None


def _is_unwritten(member: Any) -> bool:
    """Whether a member is an abstract method of `Adapter` that was not overridden."""
    return getattr(member, "__isabstractmethod__", False) is True


def _members() -> set[str]:
    methods = {name for name in vars(Backend) if not name.startswith("_")}
    return methods | set(Backend.__annotations__)
