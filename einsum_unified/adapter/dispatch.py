"""Find the adapter for operands by their types, with the tables of `frameworks`.

A class is looked up in this order:

1. classes that were found before;
2. registered classes, by the class or its qualified name, then by each of its bases (nothing is imported);
3. the root package of the class or of one of its bases, first among the libraries that have an adapter here,
   then among the entry points of the group ``einsum_unified.backends``, which are named after root packages;
4. the special methods of the class: ``__torch_function__``, ``__jax_array__``, ``__array_namespace__``,
   ``__array_function__``.

An adapter is loaded, and its framework imported, when the first operand of that framework is met.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from einsum_unified.adapter import ADAPTER_API, Backend, Capabilities, Recorder
from einsum_unified.adapter.frameworks import ADVICE, RECORDERS, TORCH_RECORDER
from einsum_unified.adapter.frameworks import FRAMEWORKS as FRAMEWORKS  # also imported from here
from einsum_unified.dtypes import WEAK
from einsum_unified.errors import BackendError, OperandTypeError
from einsum_unified.wording import article

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "einsum_unified.backends"

_BUILTIN: dict[type | str, str] = {
    cls: name for name, framework in FRAMEWORKS.items() for cls in framework.classes
}
_PACKAGES = {package: name for name, framework in FRAMEWORKS.items() for package in framework.packages}
_METHODS = {framework.method: name for name, framework in FRAMEWORKS.items() if framework.method}
_SYMBOLS = {cls: kind for framework in FRAMEWORKS.values() for cls, kind in framework.symbols.items()}

_STANDARD_FUNCTIONS = ("asarray", "astype", "broadcast_to", "matmul", "multiply", "permute_dims", "reshape",
                       "result_type", "sum")  # fmt: skip
_ARRAY_API = "einsum_unified.backends.array_api"
_ARRAY_FUNCTION = "einsum_unified.backends.array_function"


@dataclass(frozen=True)
class _Registry:
    """An immutable table and the classes found with it so far. It is replaced as a whole, under the lock."""

    entries: Mapping[type | str, str | Backend]
    found: dict[type, Backend] = field(default_factory=dict)


_FOUND = 1024  # the greatest number of classes remembered

_registry = _Registry(_BUILTIN)
_lock = threading.Lock()


def register(key: type | str, adapter: Backend, replace: bool) -> None:
    """Register an adapter for a class, given as an object or by its qualified name, and its subclasses."""
    global _registry
    if not isinstance(key, (str, type)):
        raise BackendError(f"an adapter is registered for a class or a qualified name, not for {key!r}")
    shown = _qualified(key)
    _check(adapter, f"the adapter for {shown!r}")
    with _lock:
        others = {known: entry for known, entry in _registry.entries.items() if not _same(known, key)}
        if not replace and len(others) < len(_registry.entries):
            raise BackendError(f"{shown!r} already has an adapter; pass replace=True to replace it")
        # A new registry: it forgets which classes were found before, and which were not.
        _registry = _Registry({**others, key: adapter})
        _entry_points.cache_clear()


def _qualified(key: type | str) -> str:
    return key if isinstance(key, str) else f"{key.__module__}.{key.__qualname__}"


def _same(a: type | str, b: type | str) -> bool:
    """Whether two keys mean the same class. Different classes may have the same name."""
    return a is b or ((isinstance(a, str) or isinstance(b, str)) and _qualified(a) == _qualified(b))


def _check(adapter: Any, shown: str) -> None:
    """Raise `BackendError` unless an adapter has all members of the protocol, in the current version."""
    if isinstance(adapter, type):
        raise BackendError(f"{shown} is the class {adapter.__name__}: pass an instance of it")
    version = getattr(adapter, "adapter_api", ADAPTER_API)
    if version != ADAPTER_API:
        raise BackendError(f"{shown} is written for version {version!r} of the protocol, not {ADAPTER_API}")
    try:
        members = {name: getattr(adapter, name) for name in _members() if hasattr(adapter, name)}
    except Exception as error:  # a property may raise anything
        raise BackendError(f"{shown} is broken: {error!r}") from error
    missing = sorted(name for name in _members() if name not in members or _is_unwritten(members[name]))
    if missing:
        raise BackendError(f"{shown} lacks: {', '.join(missing)}")
    if not isinstance(members["capabilities"], Capabilities):
        raise BackendError(f"{shown} has capabilities of the wrong type: {members['capabilities']!r}")
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


@cache
def load(name: str) -> Backend:
    """Return the adapter, from this package, for a framework; imports the framework.

    Raises `BackendError` if the framework cannot be imported.
    """
    try:
        module = importlib.import_module(FRAMEWORKS[name].adapter)
    except Exception as error:  # a broken installation may raise anything
        note = f'try: pip install "einsum-unified[{name}]"'
        if getattr(error, "name", None) == "einsum_unified.backends":
            note = "einsum_unified/backends must be a symbolic link, which is missing: see CONTRIBUTING.md"
        headline = f"the adapter for {name} failed to load: {error}"
        raise BackendError.of(headline, notes=[note]) from error
    adapter: Backend = module.adapter
    return adapter


def recorder_for(operands: Iterable[Any]) -> Recorder | None:
    """Return the recorder for placeholder operands, also those inside a list; None if there are none."""
    for x in operands:
        for item in x if isinstance(x, (list, tuple)) else (x,):
            for base in type(item).__mro__:
                if _qualified(base) in RECORDERS:
                    recorder: Recorder = importlib.import_module(RECORDERS[_qualified(base)])
                    return recorder
    return None


def symbol_type(cls: type) -> type | None:
    """Return the Python type of a tracer's symbolic number (int for torch.SymInt); None for other classes."""
    return _SYMBOLS.get(_qualified(cls))


def leave_whole(*functions: Callable[..., Any]) -> None:
    """Make torch.compile treat calls of these functions as single graph nodes."""
    importlib.import_module(TORCH_RECORDER).leave_whole(*functions)


def default_backend() -> Backend:
    """Return the adapter for operands that are not tensors of any framework: NumPy's."""
    return load("numpy")


def installed() -> list[str]:
    """Return the installed frameworks whose tensors can be made from arrays, without importing them."""
    return [name for name, framework in FRAMEWORKS.items() if framework.made and _can_be_imported(name)]


def _can_be_imported(name: str) -> bool:
    if name in sys.modules:
        return sys.modules[name] is not None
    return importlib.util.find_spec(name) is not None


def backend_of(cls: type, example: Any = None) -> Backend | None:
    """Return the adapter for operands of a class, or None.

    A class that is known only by ``__array_namespace__`` gives its functions through an array, the
    ``example``. Without an example, and if none was seen before, the answer for such a class is None.
    """
    registry = _registry
    try:
        return registry.found[cls]
    except KeyError:
        if len(registry.found) >= _FOUND:
            registry.found.clear()  # a program may make any number of classes
        adapter = _find(cls, registry.entries, example)
        if adapter is not None:  # None may change once a framework is imported
            registry.found[cls] = adapter
        return adapter


def _find(cls: type, entries: Mapping[type | str, str | Backend], example: Any) -> Backend | None:
    for base in cls.__mro__:
        entry = entries.get(base) or entries.get(_qualified(base))
        if entry == "numpy" and _overrides_functions(cls, base):
            break  # such as an array with units, which a plain array would lose; NumPy's functions keep them
        if entry is not None:
            return load(entry) if isinstance(entry, str) else entry
    roots = list(dict.fromkeys(map(_root, cls.__mro__)))
    for root in roots:
        if root in _PACKAGES:
            return load(_PACKAGES[root])
    for point in _entry_points():
        if point.name in roots:
            return _load_plugin(point)
    return _by_special_methods(cls, example)


def _overrides_functions(cls: type, base: type) -> bool:
    function = "__array_function__"
    return getattr(cls, function, None) is not getattr(base, function, None)


def _root(cls: type) -> str:
    return str(cls.__module__).partition(".")[0]  # may be None in a class made by hand


def _has(cls: type, method: str) -> bool:
    return getattr(cls, method, None) is not None  # a class sets it to None to opt out


def _by_special_methods(cls: type, example: Any) -> Backend | None:
    """Return the adapter for a class that has a special method of a framework or standard."""
    if any(_qualified(base) in RECORDERS for base in cls.__mro__):
        return None  # placeholders have such methods, but are not tensors
    for method, name in _METHODS.items():
        if _has(cls, method) and name in sys.modules:
            return load(name)
    # A subclass of NumPy's array inherits NumPy's namespace, but may need functions of its own.
    if _has(cls, "__array_namespace__") and not issubclass(cls, np.ndarray):
        if example is None:
            return None
        return _of_standard(cls, example)
    if _has(cls, "__array_function__"):
        adapter: Backend = importlib.import_module(_ARRAY_FUNCTION).adapter_of(cls)
        return adapter
    return None


def _of_standard(cls: type, example: Any) -> Backend:
    shown = f"__array_namespace__ of {_qualified(cls)!r}"
    try:
        namespace = example.__array_namespace__()
    except Exception as error:
        raise BackendError(f"{shown} failed: {error!r}") from error
    missing = [name for name in _STANDARD_FUNCTIONS if not hasattr(namespace, name)]
    if missing:
        raise BackendError(f"{shown} returned {namespace!r}, which lacks: {', '.join(missing)}")
    adapter: Backend = importlib.import_module(_ARRAY_API).adapter_of(namespace)
    return adapter


@lru_cache(maxsize=1)
def _entry_points() -> tuple[EntryPoint, ...]:
    from importlib.metadata import entry_points  # takes as long to import as the whole package

    return tuple(entry_points(group=GROUP))  # reads every installed package's metadata: milliseconds


def _load_plugin(point: EntryPoint) -> Backend:
    shown = f"the adapter plugin {point.name!r} ({point.value})"
    try:
        adapter: Backend = point.load()
    except (Exception, SystemExit) as error:
        raise BackendError(f"{shown} failed to load: {error!r}") from error
    _check(adapter, shown)
    return adapter


def backend_for(classes: Sequence[type]) -> Backend:
    """Return the adapter for operands of all these classes.

    Python numbers can be mixed with any operands, NumPy arrays with tensors of any one framework. Raises
    `OperandTypeError` for a class without an adapter, and for tensors of two frameworks.
    """
    chosen = default = default_backend()
    first = 0
    for number, cls in enumerate(classes):
        adapter = chosen if cls in WEAK else backend_of(cls)
        if adapter is None:
            raise _unknown(number, cls)
        if adapter is chosen or adapter is default:
            continue
        if chosen is not default:
            raise OperandTypeError(
                f"operand {first} is a {_shown(classes[first], chosen)} but operand {number} a "
                f"{_shown(cls, adapter)}: convert one of them"
            )
        chosen, first = adapter, number
    return chosen


def _shown(cls: type, adapter: Backend) -> str:
    return f"{adapter.name} {cls.__name__}"


def _unknown(number: int, cls: type) -> OperandTypeError:
    root = _root(cls)
    name = cls.__name__ if root == "builtins" else f"{root} {cls.__name__}"
    known = f"known: {', '.join(_names())}; others can be added with einsum_unified.register_backend"
    notes = [ADVICE[root], known] if root in ADVICE else [known]
    headline = f"operand {number} is {article(name)}, which is not an array of a known library"
    return OperandTypeError.of(headline, notes=notes)


def _names() -> Iterable[str]:
    """Return the libraries whose arrays are accepted: installed, registered, or with a plugin."""
    added = {entry.name for entry in _registry.entries.values() if not isinstance(entry, str)}
    present = filter(_can_be_imported, FRAMEWORKS)
    return sorted({*present, *added, *(point.name for point in _entry_points())})


def describe(x: Any) -> str:
    """Return a name for an operand in messages, such as "torch Tensor" or "tensorflow RaggedTensor"."""
    adapter = backend_of(type(x))
    return _shown(type(x), adapter) if adapter else type(x).__name__


# --- for the conformance kit and the command line -------------------------------------------------


def plugins() -> dict[str, str]:
    """Return the adapters of installed plugins: root package of the library → module and object."""
    return {point.name: point.value for point in _entry_points()}


def plugin(name: str) -> Backend | None:
    """Return the adapter of an installed plugin by its library's root package; None if there is none."""
    for point in _entry_points():
        if point.name == name:
            return _load_plugin(point)
    return None


@contextmanager
def registered(key: type | str, adapter: Backend) -> Iterator[None]:
    """Use an adapter for a class inside a ``with`` block only. Not safe while other threads register."""
    global _registry
    _check(adapter, f"the adapter for {_qualified(key)!r}")
    with _lock:
        before = _registry
        _registry = _Registry({**before.entries, key: adapter})
    try:
        yield
    finally:
        with _lock:
            _registry = before
