"""The frameworks, and the libraries that can compute an einsum on their tensors.

A contender is a function without arguments. The equation is translated to a library's notation here, outside
of the timing; so is the first call of each contender, whose result is compared with ours.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import opt_einsum

from benchmarks.timing import Call, Effort, compare
from einsum_unified import einsum


@dataclass(frozen=True)
class Framework:
    """The functions of a framework that the benchmarks use."""

    name: str
    tensor: Callable[[Any], Any]
    """Make a tensor from a NumPy array."""
    einsum: Callable[..., Any]
    matmul: Callable[[Any, Any], Any]
    transpose: Callable[[Any, tuple[int, ...]], Any]
    reshape: Callable[[Any, tuple[int, ...]], Any]


def _numpy() -> Framework:
    return Framework("numpy", np.ascontiguousarray, np.einsum, np.matmul, np.transpose, np.reshape)


def _torch() -> Framework:
    import torch

    return Framework("torch", torch.tensor, torch.einsum, torch.matmul, torch.permute, torch.reshape)


def _tensorflow() -> Framework:
    import tensorflow as tf

    return Framework("tensorflow", tf.constant, tf.einsum, tf.matmul, tf.transpose, tf.reshape)


def _jax() -> Framework:
    import jax.numpy as jnp

    return Framework("jax", jnp.asarray, jnp.einsum, jnp.matmul, jnp.transpose, jnp.reshape)


FRAMEWORKS: dict[str, Callable[[], Framework]] = {
    "numpy": _numpy,
    "torch": _torch,
    "tensorflow": _tensorflow,
    "jax": _jax,
}


def installed(names: Iterable[str]) -> tuple[Framework, ...]:
    """Return those of the named frameworks that are installed."""
    return tuple(FRAMEWORKS[name]() for name in names if importlib.util.find_spec(name) is not None)


def operands(
    framework: Framework, shapes: Iterable[tuple[int, ...]], dtype: str = "float32", seed: int = 0
) -> list[Any]:
    """Return random tensors: normally distributed, or uniform over all values of an integer dtype."""
    random = np.random.default_rng(seed)
    return [framework.tensor(_array(random, shape, np.dtype(dtype))) for shape in shapes]


def _array(random: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    if dtype.kind == "i":
        bounds = np.iinfo(dtype)
        return random.integers(bounds.min, bounds.max, shape, dtype, endpoint=True)
    return random.standard_normal(shape, "float32").astype(dtype)


# --- libraries ----------------------------------------------------------------------------------

Library = Callable[[str, Sequence[Any]], Call]


def _spaced(equation: str) -> str:
    """Translate an equation to the notation of einops and einx.

    >>> _spaced("...ij,jk->...ik")
    '... i j, j k -> ... i k'
    """
    left, right = equation.split("->")
    terms = [" ".join(term.replace("...", "…")).replace("…", "...") for term in (*left.split(","), right)]
    return ", ".join(terms[:-1]) + " -> " + terms[-1]


def _opt_einsum(equation: str, tensors: Sequence[Any]) -> Call:
    return partial(opt_einsum.contract, equation, *tensors)


def _einops(equation: str, tensors: Sequence[Any]) -> Call:
    einops = importlib.import_module("einops")
    return partial(einops.einsum, *tensors, _spaced(equation))


def _einx(equation: str, tensors: Sequence[Any]) -> Call:
    """Return a call of the einx function for the equation: dot, multiply, sum, or id to transpose."""
    einx = importlib.import_module("einx")
    left, right = equation.split("->")
    if len(tensors) > 1:
        function = einx.dot if set(left) - {",", *right} else einx.multiply
    else:
        function = einx.sum if set(left) - set(right) else einx.id
    return partial(function, _spaced(equation), *tensors)


def _cotengra(equation: str, tensors: Sequence[Any]) -> Call:
    cotengra = importlib.import_module("cotengra")
    return partial(cotengra.einsum, equation, *tensors)


LIBRARIES: dict[str, Library] = {
    "opt_einsum": _opt_einsum,
    "einops": _einops,
    "einx": _einx,
    "cotengra": _cotengra,
}


def contenders(
    framework: Framework,
    equation: str,
    tensors: Sequence[Any],
    libraries: Iterable[str] = tuple(LIBRARIES),
    native: Callable[..., Any] | None = None,
) -> dict[str, Call | None]:
    """Return calls of ours, the framework's own einsum ("native") and the libraries; None if one fails."""
    found: dict[str, Call | None] = {
        "ours": partial(einsum, equation, *tensors),
        "native": partial(native or framework.einsum, equation, *tensors),
    }
    for name in libraries:
        try:
            found[name] = LIBRARIES[name](equation, tensors)
        except ImportError:
            found[name] = None
    return able(found)


def able(contenders: dict[str, Call | None]) -> dict[str, Call | None]:
    """Call each once and replace those that raise by None; "ours" must not raise.

    Raises RuntimeError if one returns other values than ours: the time of a wrong result has no meaning.
    """
    ours = contenders["ours"]
    expected = np.asarray(ours()) if ours is not None else None
    found: dict[str, Call | None] = {}
    for name, call in contenders.items():
        result = None if call is None else _result(call)
        found[name] = call if result is not None else None
        if result is not None and not _close(result, expected):
            raise RuntimeError(f"{name} returns a different result than ours")
    return found


def _result(call: Call) -> Any:
    try:
        return np.asarray(call())
    except Exception:  # libraries raise anything for equations or tensors that they do not support
        return None


def _close(result: Any, expected: Any) -> bool:
    scale = np.abs(expected.astype("float64")).max(initial=0.0)
    return result.shape == expected.shape and bool(
        np.allclose(result, expected, rtol=1e-3, atol=1e-3 * scale)
    )


def time_calls(contenders: dict[str, Call | None], effort: Effort) -> dict[str, float | None]:
    """Return µs per call of each contender; None for contenders that are None."""
    taken = compare({name: call for name, call in contenders.items() if call is not None}, effort)
    return {name: taken.get(name) for name in contenders}
