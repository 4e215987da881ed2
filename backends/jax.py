"""The adapter for JAX arrays and tracers. Eager calls run a plan as one compiled function."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from einsum_unified.adapter import (
    About,
    ArrayAPIAdapter,
    Backend,
    Capabilities,
    Form,
    Term,
    letters,
    one_place,
)
from einsum_unified.dtypes import INTEGERS, integer_range, is_narrow, kind_of, name_of, no_promotion
from einsum_unified.errors import OperandError, OperandTypeError

_WIDE = ("int64", "uint64", "float64", "complex128")
_NARROW = {
    **dict.fromkeys(("int2", "int4"), "int32"),
    **dict.fromkeys(("uint2", "uint4"), "uint32"),
    **dict.fromkeys(
        ("float8_e3m4", "float8_e4m3", "float8_e4m3b11fnuz", "float8_e4m3fn", "float8_e4m3fnuz",
         "float8_e5m2", "float8_e5m2fnuz"),
        "float32",
    ),
}  # fmt: skip
_ACCUMULATED = {"float16": jnp.float32, "bfloat16": jnp.float32}
_DTYPES = frozenset(
    ("bool", *INTEGERS, *_NARROW, "float16", "bfloat16", "float32", "float64", "complex64", "complex128")
)

_SETTLED = _DTYPES - {*_WIDE}
"""Dtypes that are the same under all settings."""

_capabilities = Capabilities(
    arithmetic={"bool": "float32", **_NARROW},
    dtypes=_DTYPES,
    pairs=True,
    options=frozenset({"precision", "preferred_element_type"}),
    gaps={"out": "arrays are immutable"},
    about=About(
        symbolic_sizes="jax.export",
        gradients="grad, jvp, jacfwd, hessian, vmap",
        compilers="jax.jit; eager calls are compiled, too",
        tested="CPU, also as four devices (sharding, shard_map); not on GPU or TPU",
        wait=jax.block_until_ready,
        differentiate=lambda function, xs: jax.grad(function, tuple(range(len(xs))))(*xs),
    ),
)
_without_x64 = replace(
    _capabilities,
    gaps={
        **_capabilities.gaps,
        **dict.fromkeys(_WIDE, 'needs jax.config.update("jax_enable_x64", True)'),
    },
)


def _place(x: Any) -> Any:
    """Return the devices that an array was put on; JAX moves all other arrays, and tracers."""
    if isinstance(x, jax.core.Tracer):
        return None
    return x.devices() if getattr(x, "committed", False) else None


class JAXAdapter(ArrayAPIAdapter):
    """Contracts each pair of operands by one ``dot_general``, which XLA lays out and partitions itself."""

    def __init__(self, precision: Any = None, preferred: Any = None) -> None:
        super().__init__(jnp)
        self.precision = precision
        self.preferred = preferred

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        """No 64-bit dtypes without ``jax_enable_x64``; bools are counted in the preferred dtype, if any."""
        found = _capabilities if jax.config.read("jax_enable_x64") else _without_x64
        if self.preferred is None:
            return found
        arithmetic = {name: wider for name, wider in found.arithmetic.items() if name != "bool"}
        return replace(found, arithmetic=arithmetic, restored=frozenset())

    def configured(self, options: Mapping[str, Any]) -> Backend:
        """Accept the keywords of ``jax.numpy.einsum``: ``precision`` and ``preferred_element_type``."""
        precision, preferred = options.get("precision"), options.get("preferred_element_type")
        x = jax.ShapeDtypeStruct((1, 1), jnp.float32)
        try:
            preferred = None if preferred is None else jnp.dtype(preferred)
            jax.eval_shape(lambda x: jnp.matmul(x, x, precision=precision), x)
        except Exception as error:
            # The repr of another object may raise or be huge.
            given = ", ".join(
                f"{name}={value!r}" if isinstance(value, str) else f"{name}= a {type(value).__name__}"
                for name, value in options.items()
            )
            raise OperandTypeError(f"jax cannot compute with {given}: {error}") from error
        return JAXAdapter(precision, preferred)

    def form(self, cls: type) -> Form | None:
        """Accept arrays and tracers; leave sparse ones to JAX; convert objects with ``__jax_array__``."""
        if issubclass(cls, (jax.Array, jax.core.Tracer)):
            return Form.TENSOR
        if _is_sparse(cls):
            return Form.NATIVE
        return Form.ARRAY if hasattr(cls, "__jax_array__") else None

    def dtype_from_name(self, name: str) -> Any:
        """Return a dtype; without ``jax_enable_x64``, the 32-bit one that JAX uses instead of 64 bits."""
        dtype = getattr(jnp, "bool_" if name == "bool" else name, None) if name in _DTYPES else None
        return None if dtype is None else jax.dtypes.canonicalize_dtype(dtype)

    def result_type(self, names: Sequence[str], weak: Sequence[type]) -> str:
        """Promote as ``jax.numpy.result_type`` does."""
        try:
            dtype = jnp.result_type(*map(self.dtype_from_name, names), *[cls() for cls in weak])
        except ValueError:
            others = [*names, *[f"a Python {cls.__name__}" for cls in weak]]
            # Narrow dtypes promote with nothing else: they are named first.
            others.sort(key=lambda name: not is_narrow(name))
            raise no_promotion(others[0], others[1]) from None
        return name_of(dtype)

    def settings(self, names: Sequence[str], weak: Sequence[type]) -> Callable[[], Any] | None:
        """Promotion depends on ``numpy_dtype_promotion``, and on ``jax_enable_x64`` as all 64-bit dtypes do.

        `jax.jit` traces a program again, and so compares them, when either has changed.
        """
        return _settings if weak or len(names) > 1 or not _SETTLED.issuperset(names) else None

    def hint(self, x: Any) -> tuple[str, str] | None:
        """Return the call that makes a sparse array (BCOO, BCSR) dense."""
        return ("sparse", "x.todense()") if _is_sparse(type(x)) else None

    def asarray(self, x: Any, like: Any, dtype: Any) -> Any:
        """Convert to an array; raises if an integer does not fit into 32 bits without ``jax_enable_x64``."""
        if not isinstance(x, np.ndarray):
            return jnp.asarray(x, dtype)
        if x.dtype == object:  # Python integers beyond 64 bits
            x = x.astype(np.float64)
        if x.size and kind_of(x.dtype.name) == kind_of(dtype.name) == "int":
            low, high = integer_range(dtype.name)
            if not low <= x.min() <= x.max() <= high and x.dtype.itemsize > dtype.itemsize:
                raise OperandError(
                    f"a NumPy array of {x.dtype.name} has values that {dtype.name} cannot hold: "
                    'jax.config.update("jax_enable_x64", True) enables 64 bits in JAX'
                )
        return jnp.asarray(x.astype(dtype))

    same_device: Any = staticmethod(one_place(_place, lambda devices: ", ".join(sorted(map(str, devices)))))

    def static_size(self, size: Any) -> Any:
        """Return symbols of ``jax.export`` unchanged."""
        return int(size) if isinstance(size, (int, np.integer)) else size

    def cast(self, x: Any, dtype: Any) -> Any:
        """Cast; integers wrap around."""
        return lax.convert_element_type(x, dtype)

    def transpose(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Permute axes."""
        return lax.transpose(x, axes)

    def diagonal(self, x: Any, axis1: int, axis2: int) -> Any:
        """Take a diagonal."""
        return jnp.diagonal(x, 0, axis1, axis2)

    def sum(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Sum in the array's own dtype, or in the preferred one."""
        return jnp.sum(x, axes, dtype=self.preferred or x.dtype)

    def matmul(self, a: Any, b: Any) -> Any:
        """Multiply batches of matrices; float16 and bfloat16 are accumulated in float32."""
        wider = self._accumulator(a, b)
        product = jnp.matmul(a, b, precision=self.precision, preferred_element_type=wider)
        return self._rounded(product, a, b)

    def multiply(self, a: Any, b: Any) -> Any:
        """Multiply elementwise."""
        if self.preferred is not None:
            a, b = self.cast(a, self.preferred), self.cast(b, self.preferred)
        return jnp.multiply(a, b)

    def native(self, terms: Sequence[Term], output: Term) -> Callable[..., Any]:
        """Contract two operands by a single ``dot_general``, sparse ones by JAX's einsum for them."""
        dense = self._native(terms, output)

        def contract(*operands: Any) -> Any:
            if any(_is_sparse(type(x)) for x in operands):
                from jax.experimental.sparse import sparsify  # which made the operands

                einsum = partial(jnp.einsum, letters(terms, output), precision=self.precision)
                return sparsify(einsum)(*operands)
            return dense(*operands)

        return contract

    def _native(self, terms: Sequence[Term], output: Term) -> Callable[..., Any]:
        if len(terms) != 2 or any(... in term for term in terms):
            return partial(jnp.einsum, letters(terms, output), precision=self.precision)
        left, right = terms
        if {*left, *right} == set(output):
            return lambda a, b: self.multiply(_spread(a, left, output), _spread(b, right, output))
        batch = [label for label in left if label in right and label in output]
        contracted = [label for label in left if label in right and label not in output]
        numbers = [(_axes(labels, left), _axes(labels, right)) for labels in (contracted, batch)]
        made = [*batch, *[label for label in (*left, *right) if label not in (*batch, *contracted)]]
        order = _axes(output, made)

        def contract(a: Any, b: Any) -> Any:
            if a.dtype != b.dtype:  # an intermediate has the preferred dtype
                a, b = (self.cast(x, jnp.result_type(a, b)) for x in (a, b))
            wider = self._accumulator(a, b)
            product = lax.dot_general(
                a, b, (numbers[0], numbers[1]), precision=self.precision, preferred_element_type=wider
            )
            return lax.transpose(self._rounded(product, a, b), order)

        return contract

    def finish(self, run: Callable[..., Any], classes: Sequence[type]) -> Callable[..., Any]:
        """Compile the program, inlined in outer traces; not for NumPy arrays, whose values are checked."""
        if self.preferred is not None:
            run = _in_dtype(run, self.preferred)
        plain = all(self.form(cls) is Form.TENSOR for cls in classes)
        return jax.jit(run, inline=True) if plain else run

    def _accumulator(self, a: Any, b: Any) -> Any:
        return self.preferred or _ACCUMULATED.get(str(jnp.result_type(a, b)))

    def _rounded(self, product: Any, a: Any, b: Any) -> Any:
        return product if self.preferred is not None else self.cast(product, jnp.result_type(a, b))


def _is_sparse(cls: type) -> bool:
    """Whether a class is BCOO, BCSR or the like, without importing their module, which takes long."""
    module = sys.modules.get("jax.experimental.sparse")
    return module is not None and issubclass(cls, module.JAXSparse)


def _axes(labels: Sequence[Any], term: Sequence[Any]) -> list[int]:
    return [term.index(label) for label in labels]


def _spread(x: Any, term: Term, output: Term) -> Any:
    """Bring an operand's axes to the order of ``output``, with axes of size 1 for labels that it lacks."""
    x = lax.transpose(x, [term.index(label) for label in output if label in term])
    return lax.expand_dims(x, [axis for axis, label in enumerate(output) if label not in term])


_config: Any = jax.config  # its types leave out the flags


def _settings() -> tuple[bool, str]:
    return _config.jax_enable_x64, _config.jax_numpy_dtype_promotion


def _in_dtype(run: Callable[..., Any], dtype: Any) -> Callable[..., Any]:
    return lambda *operands: lax.convert_element_type(run(*operands), dtype)


adapter = JAXAdapter()
