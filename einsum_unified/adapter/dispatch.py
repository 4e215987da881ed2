"""Find the adapter for operands by their types, with the tables of `frameworks` and `registry`.

A class is looked up in this order:

1. classes that were found before;
2. registered classes, by the class or its qualified name, then by each of its bases (nothing is imported);
3. the root package of the class or of one of its bases, first among the libraries that have an adapter here,
   then among the installed plugins;
4. the special methods of the class: ``__array_namespace__``, which gives the class's own functions, then
   ``__torch_function__``, ``__jax_array__``, ``__array_function__``.

An adapter is loaded, and its framework imported, when the first operand of that framework is met.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib.machinery import PathFinder
from typing import Any

import numpy as np

from einsum_unified.adapter import Backend, Recorder, registry
from einsum_unified.adapter.frameworks import ADVICE, RECORDERS, TORCH_RECORDER
from einsum_unified.adapter.frameworks import FRAMEWORKS as FRAMEWORKS  # also imported from here
from einsum_unified.adapter.registry import Table, qualified
from einsum_unified.dtypes import WEAK
from einsum_unified.errors import BackendError, OperandTypeError
from einsum_unified.forks import forks_wait
from einsum_unified.memory import charge, forgets, is_lasting, size_of_class
from einsum_unified.wording import LONGEST_NAME, LONGEST_REASON, article, class_name, clipped, quoted

PACKAGES = {package: name for name, framework in FRAMEWORKS.items() for package in framework.packages}
_METHODS = {framework.method: name for name, framework in FRAMEWORKS.items() if framework.method}
_SYMBOLS = {cls: kind for framework in FRAMEWORKS.values() for cls, kind in framework.symbols.items()}

_STANDARD_FUNCTIONS = ("asarray", "astype", "broadcast_to", "matmul", "multiply", "permute_dims", "reshape",
                       "result_type", "sum")  # fmt: skip
_ARRAY_API = "einsum_unified.backends.array_api"
_ARRAY_FUNCTION = "einsum_unified.backends.array_function"

_FOUND = 1024  # the greatest number of classes remembered


@cache
def load(name: str) -> Backend:
    """Return the adapter, from this package, for a framework; imports the framework.

    Raises `BackendError` if the framework cannot be imported, or if another module has its name.
    """
    if is_namesake(name):
        module = sys.modules[name]
        where = getattr(module, "__file__", None) or ", ".join(getattr(module, "__path__", ()))
        headline = f"the module {name!r} is not the library: it has no {FRAMEWORKS[name].einsum}"
        raise BackendError.of(headline, notes=[f"rename {where}, or run in another folder"])
    try:
        module = _module(FRAMEWORKS[name].adapter)
    except (KeyboardInterrupt, MemoryError, RecursionError):  # the user's, or the program's own state
        raise
    except BaseException as error:  # a broken installation may raise anything, SystemExit too
        note = f'try: pip install "einsum-unified[{name}]"'
        if getattr(error, "name", None) == "einsum_unified.backends":
            note = "einsum_unified/backends must be a symbolic link, which is missing: see CONTRIBUTING.md"
        reason = str(error) if isinstance(error, Exception) else registry.shown(error)
        headline = f"the adapter for {name} failed to load: {clipped(reason, LONGEST_REASON)}"
        raise BackendError.of(headline, notes=[note]) from error
    adapter: Backend = module.adapter
    return adapter


def _module(name: str) -> Any:
    with forks_wait():
        return importlib.import_module(name)


def recorder_for(operands: Iterable[Any]) -> Recorder | None:
    """Return the recorder for placeholder operands, also those inside a list; None if there are none."""
    for x in operands:
        for item in x if isinstance(x, (list, tuple)) else (x,):
            for base in type(item).__mro__:
                if qualified(base) in RECORDERS:
                    recorder: Recorder = _module(RECORDERS[qualified(base)])
                    return recorder
    return None


def symbol_type(cls: type) -> type | None:
    """Return the Python type of a tracer's symbolic number (int for torch.SymInt); None for other classes."""
    return _SYMBOLS.get(qualified(cls))


def leave_whole(*functions: Callable[..., Any]) -> None:
    """Make torch.compile treat calls of these functions as single graph nodes."""
    _module(TORCH_RECORDER).leave_whole(*functions)


def default_backend() -> Backend:
    """Return the adapter for operands that are not tensors of any framework: NumPy's."""
    return load("numpy")


def installed() -> list[str]:
    """Return the installed frameworks whose tensors can be made from arrays, without importing them."""
    return [name for name, framework in FRAMEWORKS.items() if framework.made and is_installed(name)]


def usable() -> list[str]:
    """Return those of `installed` that are not other modules with the name of a framework; imports them."""
    return [name for name in installed() if not is_namesake(name)]


def is_installed(name: str) -> bool:
    """Whether a framework can be imported, as far as one can tell without importing it.

    A folder of its name without modules does not count, although Python can import that, too.
    """
    if name in sys.modules:
        module = sys.modules[name]
        spec = getattr(module, "__spec__", None)
        if module is None or spec is None:
            return module is not None
    else:
        spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is not None:
        return spec is not None
    _, *parts, _ = FRAMEWORKS[name].einsum.split(".")  # mlx.core.einsum: mlx has no __init__.py
    inner = f"{name}.{parts[0]}" if parts else name
    return bool(parts) and PathFinder.find_spec(inner, spec.submodule_search_locations) is not None


def is_namesake(name: str) -> bool:
    """Whether the module with a framework's name is another one, without that einsum; imports the module.

    Such a module may lie in the working directory, which Python searches first.
    """
    module, _, function = FRAMEWORKS[name].einsum.rpartition(".")
    try:
        return not hasattr(_module(module), function)
    except ModuleNotFoundError as error:  # such as dask.array in another dask
        missing = error.name or ""
        return missing != name and f"{module}.".startswith(f"{missing}.")
    except (Exception, SystemExit):  # a broken installation may raise anything: `load` says so
        return False


def backend_of(cls: type, example: Any = None, table: Table | None = None) -> Backend | None:
    """Return the adapter for operands of a class, or None; ``table`` is by default the present one.

    A class that is known only by ``__array_namespace__`` gives its functions through an array, the
    ``example``. Without an example, and if none was seen before, the answer for such a class is None.
    """
    table = table or registry.table
    try:
        return table.found[cls]
    except KeyError:
        if len(table.found) >= _FOUND:
            table.found.clear()  # a program may make any number of classes
        adapter = _find(cls, table.entries, example)
        if adapter is not None:  # None may change once a framework is imported
            table.found[cls] = adapter
            charge(size_of_class(cls))
        return adapter


@forgets
def forget_classes(known_by_example: bool = False) -> None:
    """Forget the classes that nothing else may keep alive.

    Those that may be known by an example are kept unless asked for: the call that goes on may just have met
    the example.
    """
    table = registry.table
    for cls in list(table.found):
        by_example = _has(cls, "__array_namespace__") and not issubclass(cls, np.ndarray)
        if not is_lasting(cls) and (known_by_example or not by_example):
            table.found.pop(cls, None)


def _find(cls: type, entries: Mapping[type | str, str | Backend], example: Any) -> Backend | None:
    for base in cls.__mro__:
        entry = entries.get(base) or entries.get(qualified(base))
        if isinstance(entry, str) and _overrides(cls, base, FRAMEWORKS[entry].overriding):
            break  # the special methods decide
        if entry is not None:
            return load(entry) if isinstance(entry, str) else entry
    roots = list(dict.fromkeys(map(root_of, cls.__mro__)))
    for root in roots:
        if root in PACKAGES and not is_namesake(PACKAGES[root]):
            return load(PACKAGES[root])
    plugin = registry.plugin(*(root for root in roots if root != registry.EVERY_CLASS))
    return _by_special_methods(cls, example) if plugin is None else plugin


def _overrides(cls: type, base: type, method: str | None) -> bool:
    return method is not None and getattr(cls, method, None) is not getattr(base, method, None)


def root_of(cls: type) -> str:
    """Return the root package of a class."""
    return str(cls.__module__).partition(".")[0]  # may be None in a class made by hand


def _has(cls: type, method: str) -> bool:
    return getattr(cls, method, None) is not None  # a class sets it to None to opt out


def _by_special_methods(cls: type, example: Any) -> Backend | None:
    """Return the adapter for a class that has a special method of a framework or standard."""
    if any(qualified(base) in RECORDERS for base in cls.__mro__):
        return None  # placeholders have such methods, but are not tensors
    # A subclass of NumPy's array inherits NumPy's namespace, but may need functions of its own.
    if _has(cls, "__array_namespace__") and not issubclass(cls, np.ndarray):
        if example is None:
            return None
        return _of_standard(cls, example)
    for method, name in _METHODS.items():
        if _has(cls, method) and name in sys.modules:
            return load(name)
    if _has(cls, "__array_function__"):
        adapter: Backend = _module(_ARRAY_FUNCTION).adapter_of(cls)
        return adapter
    return None


def _of_standard(cls: type, example: Any) -> Backend:
    shown = f"__array_namespace__ of {qualified(cls)!r}"
    try:
        namespace = example.__array_namespace__()
    except (MemoryError, RecursionError):
        raise
    except Exception as error:
        raise BackendError(f"{shown} failed: {quoted(error, LONGEST_REASON)}") from error
    missing = [name for name in _STANDARD_FUNCTIONS if not hasattr(namespace, name)]
    if missing:
        raise BackendError(f"{shown} returned {quoted(namespace)}, which lacks: {', '.join(missing)}")
    adapter: Backend = _module(_ARRAY_API).adapter_of(namespace)
    return adapter


def backend_for(classes: Sequence[type], table: Table | None = None) -> Backend:
    """Return the adapter for operands of all these classes; ``table`` is by default the present one.

    Python numbers can be mixed with any operands, NumPy arrays with tensors of any one framework. Raises
    `OperandTypeError` for a class without an adapter, and for tensors of two frameworks.
    """
    table = table or registry.table
    chosen = default = default_backend()
    first = 0
    for number, cls in enumerate(classes):
        adapter = chosen if cls in WEAK else backend_of(cls, table=table)
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
    return f"{adapter.name} {class_name(cls)}"


def _unknown(number: int, cls: type) -> OperandTypeError:
    root = root_of(cls)
    if root == registry.EVERY_CLASS:
        registry.plugin(root)  # which raises an error if there is one
    shown = clipped(root, LONGEST_NAME)
    name = class_name(cls) if root == registry.EVERY_CLASS else f"{shown} {class_name(cls)}"
    known = f"known: {', '.join(_names())}; others can be added with einsum_unified.register_backend"
    notes = [ADVICE[root], known] if root in ADVICE else [known]
    headline = f"operand {number} is {article(name)}, which is not an array of a known library"
    return OperandTypeError.of(headline, notes=notes)


def _names() -> Iterable[str]:
    """Return the libraries whose arrays are accepted: installed, registered, or with a plugin."""
    added = {entry.name for entry in registry.table.entries.values() if not isinstance(entry, str)}
    present = filter(is_installed, FRAMEWORKS)
    return sorted({*present, *added, *registry.plugins()})


def describe(x: Any) -> str:
    """Return a name for an operand in messages, such as "torch Tensor" or "tensorflow RaggedTensor"."""
    adapter = backend_of(type(x))
    return _shown(type(x), adapter) if adapter else class_name(type(x))
