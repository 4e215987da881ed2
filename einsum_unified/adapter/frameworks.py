"""The frameworks by name: the module of each adapter, and the classes of its tensors.

These tables can be read without importing a framework. They hold only the facts that are needed before an
adapter is loaded; everything else about a framework is in the module of its adapter. The exceptions below are
checked by tests against the adapters or the frameworks:

* `show/dialects.py`, because code can be written for a framework that is not installed;
* `lint/libraries.py`, the limits of each library's einsum, also of libraries without an adapter;
* `testing/conformance/makers.py`, how the kit makes operands, also for libraries without an adapter;
* the extras in ``pyproject.toml``, which an installer reads: each is named after its framework;
* the project's own tests, which must not rely on the tables that they test.

Two lists only choose what to show. `commands/backends.py` shows some dtypes (``_DTYPES``);
``scripts/make_support.py`` has a column for each dtype of ``DTYPES`` and a row for each of ``ROWS``, also for
configurations of a framework and for libraries without an adapter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Framework:
    """The module of an adapter, and the classes of its operands. Classes are given by qualified name."""

    adapter: str
    """The module whose attribute ``adapter`` is the adapter."""
    einsum: str
    """The qualified name of the framework's own einsum."""
    classes: tuple[str, ...] = ()
    """Classes that the adapter handles, with their subclasses."""
    packages: tuple[str, ...] = ()
    """Root packages: the adapter decides about each class in them."""
    method: str | None = None
    """The special method that marks other classes as usable with the framework."""
    overriding: str | None = None
    """The special method by which a class derived from one of ``classes`` brings functions of its own."""
    symbols: Mapping[str, type] = field(default_factory=dict)
    """Classes of a tracer's symbolic numbers → the Python type that each stands for."""
    made: bool = True
    """Whether tensors can be made from arrays. Those of autograd exist only during differentiation."""


FRAMEWORKS = {
    "numpy": Framework(
        "einsum_unified.backends.numpy",
        "numpy.einsum",
        classes=("numpy.ndarray", "numpy.generic"),
        overriding="__array_function__",  # such as an array with units, which a plain array would lose
    ),
    "torch": Framework(
        "einsum_unified.backends.torch",
        "torch.einsum",
        classes=("torch.Tensor",),
        method="__torch_function__",
        symbols={"torch.SymInt": int, "torch.SymFloat": float, "torch.SymBool": bool},
    ),
    "tensorflow": Framework(
        "einsum_unified.backends.tensorflow",
        "tensorflow.einsum",
        # The common bases of tensors and variables, and of IndexedSlices, RaggedTensor and SparseTensor.
        classes=(
            "tensorflow.python.types.core.Tensor",
            "tensorflow.python.framework.composite_tensor.CompositeTensor",
        ),
        overriding="__array_namespace__",  # such as deepmd-kit's arrays, which would become plain tensors
    ),
    "jax": Framework(
        "einsum_unified.backends.jax",
        "jax.numpy.einsum",
        packages=("jax", "jaxlib"),
        method="__jax_array__",
    ),
    "mlx": Framework("einsum_unified.backends.mlx", "mlx.core.einsum", packages=("mlx",)),
    "cupy": Framework("einsum_unified.backends.cupy", "cupy.einsum", packages=("cupy",)),
    "dask": Framework("einsum_unified.backends.dask", "dask.array.einsum", packages=("dask",)),
    "sparse": Framework("einsum_unified.backends.sparse", "sparse.einsum", packages=("sparse",)),
    "autograd": Framework(
        "einsum_unified.backends.autograd", "autograd.numpy.einsum", packages=("autograd",), made=False
    ),
}
"""The frameworks with an adapter in this package, by root package, in the order in which they are listed."""

TORCH_RECORDER = "einsum_unified.backends.recorders.torch"
_KERAS_RECORDER = "einsum_unified.backends.recorders.keras"

RECORDERS = {
    "torch.fx.proxy.Proxy": TORCH_RECORDER,
    "keras.src.backend.common.keras_tensor.KerasTensor": _KERAS_RECORDER,
    "keras.src.backend.common.variables.Variable": _KERAS_RECORDER,
}
"""Placeholder classes by qualified name → the module that records calls with them. Keras has no adapter,
because its tensors are those of its backend."""

ADVICE = {
    "pandas": "pass its values: x.to_numpy()",
    "polars": "pass its values: x.to_numpy()",
    "pyarrow": "pass its values: x.to_numpy()",
    "xarray": "pass its values: x.data",
    "scipy": 'pip install "einsum-unified[sparse]" and pass sparse.COO(x), or x.toarray()',
    "PIL": "pass numpy.asarray(x)",
}
"""Root packages of libraries whose objects are often mistaken for arrays → what to pass instead."""
