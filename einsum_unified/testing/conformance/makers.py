"""How operands of each library are made, read and differentiated: `Library`, and the table of those known."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from einsum_unified.adapter import Backend, dispatch
from einsum_unified.dtypes import kind_of, name_of
from einsum_unified.testing.conformance.cases import corpus, numpy_dtype

Gradients = Callable[[Callable[..., Any], Sequence[Any]], Sequence[Any]]
"""``gradients(function, tensors)``: the derivatives of a function, which returns a 0-d tensor."""


@dataclass(frozen=True)
class Library:
    """What the kit has to know of an array library."""

    name: str
    adapter: Backend
    asarray: Callable[[Any], Any] | None = None
    """NumPy array → tensor of the array's dtype; the adapter's own way if None."""
    gradients: Gradients | None = None
    read: Callable[[Any], Any] | None = None
    """Result → NumPy array; the adapter's `to_numpy` if None."""
    gaps: Mapping[str, str] = field(default_factory=dict)
    """What is lacking beyond what the adapter declares."""
    registered: bool = True
    """Whether `einsum_unified.einsum` finds the adapter by itself."""

    @property
    def dtype(self) -> str:
        """The dtype of cases where none in particular is meant."""
        return "float64" if self.lacks("float32") else "float32"

    def lacks(self, dtype: str) -> bool:
        """Whether the adapter says that it cannot compute with a dtype."""
        known = self.adapter.capabilities.dtypes
        return self.adapter.dtype_from_name(dtype) is None or (known is not None and dtype not in known)

    def example(self) -> Any:
        """Return some tensor."""
        return self.tensor(np.ones(2, self.dtype))

    def tensor(self, array: Any) -> Any:
        """Return a NumPy array as a tensor of the library, in the same dtype."""
        array = np.array(array)  # so that a tensor that shares its memory can be written to
        if self.asarray is not None:
            return self.asarray(array)
        return self.adapter.asarray(array, array, self.adapter.dtype_from_name(array.dtype.name))

    def numpy(self, x: Any) -> Any:
        """Return a tensor's values."""
        return np.asarray((self.read or self.adapter.to_numpy)(x))


def library_of(name: str) -> Library:
    """Return the library of a name: one with an adapter here, a plugin's, or an array API namespace.

    Raises ImportError, or `BackendError`, if it cannot be imported, and ValueError if it is no array library.

    >>> library_of("numpy").tensor(np.ones(2, "int8"))
    array([1, 1], dtype=int8)
    """
    if name in SPECIAL:
        return SPECIAL[name]()
    if name in dispatch.FRAMEWORKS:
        return _by_adapter(name, dispatch.load(name))
    plugin = dispatch.plugin(name)
    return _by_namespace(name) if plugin is None else _by_adapter(name, plugin)


def _by_adapter(name: str, adapter: Backend) -> Library:
    return Library(name, adapter, gradients=adapter.capabilities.about.differentiate)


def _by_namespace(name: str) -> Library:
    """Return the library of a namespace of the array API standard, as dispatch finds its adapter."""
    module = importlib.import_module(name)
    try:
        array = module.asarray(np.ones(2, np.float32))
        adapter = dispatch.backend_of(type(array), array)
    except (AttributeError, TypeError) as error:
        raise ValueError(f"{name} has no asarray as in the array API standard ({error})") from None
    if adapter is None:
        raise ValueError(f"there is no adapter for the arrays of {name}")
    return Library(name, adapter)


# --- libraries whose operands are made in a way of their own ------------------------------------------------


def _dask() -> Library:
    da = importlib.import_module("dask.array")
    return Library("dask", dispatch.load("dask"), lambda x: da.from_array(x, chunks=2))


def _autograd() -> Library:
    """Boxes as they are while something is differentiated."""
    tracer, core = (importlib.import_module(f"autograd.{name}") for name in ("tracer", "core"))

    def box(x: Any) -> Any:
        return tracer.new_box(x, 0, core.VJPNode.new_root())

    return Library("autograd", dispatch.load("autograd"), box, _autograd_gradients)


def _autograd_gradients(function: Callable[..., Any], xs: Sequence[Any]) -> Sequence[Any]:
    autograd = importlib.import_module("autograd")
    found: Sequence[Any] = autograd.grad(function, tuple(range(len(xs))))(*[x._value for x in xs])
    return found


def _keras() -> Library:
    """Variables, on the backend that ``KERAS_BACKEND`` or Keras' configuration says."""
    keras = importlib.import_module("keras")
    name = keras.backend.backend()

    adapter = dispatch.load(name)

    def variable(x: Any) -> Any:
        return keras.Variable(x, dtype=x.dtype.name, trainable=False)

    def read(x: Any) -> Any:
        return adapter.to_numpy(x.value if isinstance(x, keras.Variable) else x)

    gaps = dict.fromkeys(("out", "views"), "a variable's value is replaced, never written to")
    dtypes = {name for case in corpus() for name in case.features() if kind_of(name)}
    for dtype in sorted(dtypes):
        if not _makes(variable, dtype):
            gaps[dtype] = f"Keras makes no variables of this dtype on {name}"
    return Library(f"keras on {name}", adapter, variable, read=read, gaps=gaps)


def _makes(variable: Callable[[Any], Any], dtype: str) -> bool:
    """Whether a variable of a dtype can be made; one of 32 bits where 64 are switched off counts as made."""
    try:
        found = name_of(variable(np.ones(2, numpy_dtype(dtype))).value.dtype)
    except Exception:  # as each of Keras' backends likes
        return False
    return found in (dtype, dtype.replace("64", "32").replace("128", "64"))


def _pint() -> Library:
    """Quantities of one unit, through NumPy's ``__array_function__``."""
    pint = importlib.import_module("pint")
    unit = pint.UnitRegistry()
    adapter = importlib.import_module("einsum_unified.backends.array_function").adapter_of(unit.Quantity)
    return Library(
        "pint", adapter, lambda x: unit.Quantity(x, "m"), read=lambda x: getattr(x, "magnitude", x)
    )


def _ndonnx() -> Library:
    """Arrays that are graphs of what to compute; NumPy does not read them by itself."""
    return replace(_by_namespace("ndonnx"), read=lambda x: x.unwrap_numpy())


SPECIAL: dict[str, Callable[[], Library]] = {
    "dask": _dask,
    "autograd": _autograd,
    "keras": _keras,
    "pint": _pint,
    "ndonnx": _ndonnx,
}
