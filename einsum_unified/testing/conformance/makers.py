"""`Library`: how to make, read and differentiate tensors of a library; and the known libraries."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from einsum_unified.adapter import Backend, dispatch, registry
from einsum_unified.dtypes import kind_of, name_of
from einsum_unified.testing.conformance.cases import corpus, numpy_dtype

Gradients = Callable[[Callable[..., Any], Sequence[Any]], Sequence[Any]]
"""``gradients(function, tensors)``: the derivatives of a function that returns a 0-d tensor."""


@dataclass(frozen=True)
class Library:
    """The functions and facts that the kit needs for an array library."""

    name: str
    adapter: Backend
    asarray: Callable[[Any], Any] | None = None
    """NumPy array → tensor with the same dtype; if None, the adapter's `asarray`."""
    gradients: Gradients | None = None
    read: Callable[[Any], Any] | None = None
    """Result → NumPy array; if None, the adapter's `to_numpy`."""
    gaps: Mapping[str, str] = field(default_factory=dict)
    """Missing feature → reason, in addition to the gaps that the adapter declares."""
    registered: bool = True
    """Whether `einsum_unified.einsum` finds the adapter without help."""

    @property
    def dtype(self) -> str:
        """The dtype for cases that are not about certain dtypes."""
        return "float64" if self.lacks("float32") else "float32"

    def lacks(self, dtype: str) -> bool:
        """Whether the adapter declares that it cannot compute with a dtype."""
        known = self.adapter.capabilities.dtypes
        return self.adapter.dtype_from_name(dtype) is None or (known is not None and dtype not in known)

    def example(self) -> Any:
        """Return an example tensor."""
        return self.tensor(np.ones(2, self.dtype))

    def tensor(self, array: Any) -> Any:
        """Return a NumPy array as a tensor of the library with the same dtype."""
        array = np.array(array)  # a copy, so that a tensor that shares its memory is writable
        if self.asarray is not None:
            return self.asarray(array)
        return self.adapter.asarray(array, array, self.adapter.dtype_from_name(array.dtype.name))

    def numpy(self, x: Any) -> Any:
        """Return a tensor as a NumPy array."""
        return np.asarray((self.read or self.adapter.to_numpy)(x))


def library_of(name: str) -> Library:
    """Return a library by name: one with a built-in adapter, a plugin's, or an array API namespace.

    Raises ImportError or `BackendError` if it cannot be imported, ValueError if it is not an array library.

    >>> library_of("numpy").tensor(np.ones(2, "int8"))
    array([1, 1], dtype=int8)
    """
    if name in SPECIAL:
        return SPECIAL[name]()
    if name in dispatch.FRAMEWORKS:
        return _by_adapter(name, dispatch.load(name))
    plugin = registry.plugin(name)
    return _by_namespace(name) if plugin is None else _by_adapter(name, plugin)


def _by_adapter(name: str, adapter: Backend) -> Library:
    return Library(name, adapter, gradients=adapter.capabilities.about.differentiate)


def _by_namespace(name: str) -> Library:
    """Return the library of an array API namespace, with the adapter that dispatch finds for its arrays."""
    module = importlib.import_module(name)
    try:
        array = module.asarray(np.ones(2, np.float32))
        adapter = dispatch.backend_of(type(array), array)
    except (AttributeError, TypeError) as error:
        raise ValueError(f"{name} has no asarray like the array API standard's ({error})") from None
    if adapter is None:
        raise ValueError(f"there is no adapter for the arrays of {name}")
    return Library(name, adapter)


# --- libraries that need a special way to make operands -----------------------------------------------------


def _dask() -> Library:
    adapter = dispatch.load("dask")
    da = importlib.import_module("dask.array")
    return Library("dask", adapter, lambda x: da.from_array(x, chunks=2))


def _autograd() -> Library:
    """Return autograd with its boxes: the tensors that functions receive during differentiation."""
    tracer, core = (importlib.import_module(f"autograd.{name}") for name in ("tracer", "core"))

    def box(x: Any) -> Any:
        return tracer.new_box(x, 0, core.VJPNode.new_root())

    return Library("autograd", dispatch.load("autograd"), box, _autograd_gradients)


def _autograd_gradients(function: Callable[..., Any], xs: Sequence[Any]) -> Sequence[Any]:
    autograd = importlib.import_module("autograd")
    found: Sequence[Any] = autograd.grad(function, tuple(range(len(xs))))(*[x._value for x in xs])
    return found


def _keras() -> Library:
    """Return Keras with its variables, on the backend set by ``KERAS_BACKEND`` or Keras' configuration."""
    keras = importlib.import_module("keras")
    name = keras.backend.backend()

    adapter = dispatch.load(name)

    def variable(x: Any) -> Any:
        return keras.Variable(x, dtype=x.dtype.name, trainable=False)

    def read(x: Any) -> Any:
        return adapter.to_numpy(x.value if isinstance(x, keras.Variable) else x)

    gaps = dict.fromkeys(("out", "views"), "a variable's value is replaced, never modified")
    dtypes = {name for case in corpus() for name in case.features() if kind_of(name)}
    for dtype in sorted(dtypes):
        if not _makes(variable, dtype):
            gaps[dtype] = f"Keras cannot make variables of this dtype on {name}"
    return Library(f"keras on {name}", adapter, variable, read=read, gaps=gaps)


def _makes(variable: Callable[[Any], Any], dtype: str) -> bool:
    """Whether a variable of a dtype can be made; 32 bits count, too, where 64 bits are disabled."""
    try:
        found = name_of(variable(np.ones(2, numpy_dtype(dtype))).value.dtype)
    except Exception:  # each of Keras' backends raises its own errors
        return False
    return found in (dtype, dtype.replace("64", "32").replace("128", "64"))


def _pint() -> Library:
    """Return pint with quantities in one unit, which dispatch through NumPy's ``__array_function__``."""
    pint = importlib.import_module("pint")
    unit = pint.UnitRegistry()
    adapter = importlib.import_module("einsum_unified.backends.array_function").adapter_of(unit.Quantity)
    return Library(
        "pint", adapter, lambda x: unit.Quantity(x, "m"), read=lambda x: getattr(x, "magnitude", x)
    )


def _ndonnx() -> Library:
    """Return ndonnx, whose arrays are graphs of computations that NumPy cannot read directly."""
    return replace(_by_namespace("ndonnx"), read=lambda x: x.unwrap_numpy())


SPECIAL: dict[str, Callable[[], Library]] = {
    "dask": _dask,
    "autograd": _autograd,
    "keras": _keras,
    "pint": _pint,
    "ndonnx": _ndonnx,
}
