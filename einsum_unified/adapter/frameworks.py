"""The frameworks by name: where the adapter of each is, and by which classes its tensors are known.

Nothing is imported to look at these tables. They hold what has to be known before an adapter is loaded; all
else about a framework stands in the module of its adapter. There are exceptions, which tests compare with the
adapters or the frameworks themselves:

* `show/dialects.py`, since code can be written for a framework that is not installed;
* `lint/libraries.py`, what einsums refuse, also of libraries without an adapter;
* `testing/conformance/makers.py`, how the kit makes operands, also of libraries without an adapter;
* the project's own tests: what they trust must not be what they test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Framework:
    """Where an adapter is, and which operands are its framework's. Classes are qualified names."""

    adapter: str
    """The module that has it as ``adapter``."""
    einsum: str
    """The framework's own einsum, by its qualified name."""
    classes: tuple[str, ...] = ()
    """Classes that are the adapter's, and those derived from them."""
    packages: tuple[str, ...] = ()
    """Root packages all of whose classes are for the adapter to judge."""
    method: str | None = None
    """The special method by which other classes say that they work with the framework."""
    symbols: Mapping[str, type] = field(default_factory=dict)
    """Classes of numbers that a tracer does not know yet, and the Python type that each counts as."""
    made: bool = True
    """Whether tensors can be made of any array; autograd's exist only while something is differentiated."""


FRAMEWORKS = {
    "numpy": Framework(
        "einsum_unified.backends.numpy", "numpy.einsum", classes=("numpy.ndarray", "numpy.generic")
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
"""The frameworks whose adapters come with the library, by their root package, in the order of lists."""

TORCH_RECORDER = "einsum_unified.backends.recorders.torch"
_KERAS_RECORDER = "einsum_unified.backends.recorders.keras"

RECORDERS = {
    "torch.fx.proxy.Proxy": TORCH_RECORDER,
    "keras.src.backend.common.keras_tensor.KerasTensor": _KERAS_RECORDER,
    "keras.src.backend.common.variables.Variable": _KERAS_RECORDER,
}
"""Placeholder classes by qualified name, and the module that records calls of them. Keras has no adapter: its
tensors are those of the framework below it."""

ADVICE = {
    "pandas": "hand over its values: x.to_numpy()",
    "polars": "hand over its values: x.to_numpy()",
    "pyarrow": "hand over its values: x.to_numpy()",
    "xarray": "hand over its values: x.data",
    "scipy": 'pip install "einsum-unified[sparse]" and hand over sparse.COO(x), or x.toarray()',
    "PIL": "hand over numpy.asarray(x)",
}
"""Root packages of other libraries whose objects people take for arrays, and what to do with these."""
