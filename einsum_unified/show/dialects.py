"""How frameworks write what a program does: templates of their calls, and their dtypes."""

from __future__ import annotations

from dataclasses import dataclass

from einsum_unified.adapter.numpy_dtypes import NARROW

_STANDARD = frozenset(
    ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
     "float32", "float64", "complex64", "complex128")
)  # fmt: skip
"""The array API standard's dtypes, which every framework has."""
ML_DTYPES = frozenset(set(NARROW) - {"float16"})
"""Those that NumPy and JAX have from the package ml_dtypes."""
_LONG = ("longdouble", "clongdouble", "float96", "float128", "complex192", "complex256")

_FLOAT8 = ("float8_e4m3fn", "float8_e5m2")
_COUNTED = {"bool": "float32", **dict.fromkeys(_FLOAT8, "float32")}


@dataclass(frozen=True)
class Dialect:
    """How a framework writes what a program does. In the templates ``{x}`` is a tensor, ``{y}`` another."""

    head: str
    """What stands above the function."""
    calls: dict[str, str]
    """A primitive's function → its text."""
    dtype: str
    """A dtype, by its name ``{name}``."""
    dtypes: frozenset[str]
    """The names that it has."""
    size: str = "{x}.shape[{axis}]"
    first: str = ""
    """The first line of the function, if it needs one."""
    arithmetic: tuple[tuple[str, str], ...] = tuple(_COUNTED.items())
    """Dtypes whose products and sums are made in another."""


_METHODS = {"matmul": "{x} @ {y}", "multiply": "{x} * {y}"}

DIALECTS = {
    "numpy": Dialect(
        "import numpy as np",
        {
            **_METHODS,
            "transpose": "np.transpose({x}, {axes})",
            "reshape": "np.reshape({x}, {shape})",
            "diagonal": "np.diagonal({x}, axis1={axis1}, axis2={axis2})",
            "sum": "np.sum({x}, axis={axes}, dtype={x}.dtype)",
            "cast": "{x}.astype({dtype})",
            "asarray": "np.asarray({x}, {dtype})",
            "broadcast_to": "np.broadcast_to({x}, {shape})",
            "contiguous": "np.ascontiguousarray({x})",
        },
        'np.dtype("{name}")',
        _STANDARD | {"float16", "object", *_LONG} | ML_DTYPES,
        arithmetic=(*_COUNTED.items(), ("float16", "float32"), ("bfloat16", "float32")),
    ),
    "torch": Dialect(
        "import torch",
        {
            **_METHODS,
            "transpose": "torch.permute({x}, {axes})",
            "reshape": "torch.reshape({x}, {shape})",
            "diagonal": "torch.diagonal({x}, dim1={axis1}, dim2={axis2})",
            "sum": "torch.sum({x}, {axes}, dtype={x}.dtype)",
            "cast": "{x}.to({dtype})",
            "asarray": "torch.as_tensor({x}, dtype={dtype})",
            "broadcast_to": "{x}.expand({shape})",
            "contiguous": "{x}.contiguous()",
        },
        "torch.{name}",
        _STANDARD | {"float16", "bfloat16", "complex32", *_FLOAT8, "float8_e4m3fnuz", "float8_e5m2fnuz"},
        arithmetic=(
            *_COUNTED.items(),
            *((name, "int64") for name in ("uint16", "uint32", "uint64")),
            ("complex32", "complex64"),
        ),
    ),
    "tensorflow": Dialect(
        "import tensorflow as tf",
        {
            "transpose": "tf.transpose({x}, {axes})",
            "reshape": "tf.reshape({x}, {shape})",
            "diagonal": "tf.linalg.diag_part(tf.transpose({x}, {last}))",
            "sum": "tf.reduce_sum({x}, {axes})",
            "cast": "tf.cast({x}, {dtype})",
            "asarray": "tf.cast({x}, {dtype})",
            "broadcast_to": "tf.broadcast_to({x}, {shape})",
            "contiguous": "{x}",
            "matmul": "tf.matmul({x}, {y})",
            "multiply": "tf.multiply({x}, {y})",
        },
        "tf.{name}",
        _STANDARD | {"float16", "bfloat16"},
        "tf.shape({x})[{axis}]",
        arithmetic=(
            *_COUNTED.items(),
            *((name, "int32") for name in ("int8", "uint8", "int16", "uint16")),
            *((name, "int64") for name in ("uint32", "uint64")),
            ("float16", "float32"),
            ("bfloat16", "float32"),
        ),
    ),
    "jax": Dialect(
        "import jax.numpy as jnp",
        {
            **_METHODS,
            "transpose": "jnp.transpose({x}, {axes})",
            "reshape": "jnp.reshape({x}, {shape})",
            "diagonal": "jnp.diagonal({x}, axis1={axis1}, axis2={axis2})",
            "sum": "jnp.sum({x}, axis={axes}, dtype={x}.dtype)",
            "cast": "{x}.astype({dtype})",
            "asarray": "jnp.asarray({x}, {dtype})",
            "broadcast_to": "jnp.broadcast_to({x}, {shape})",
            "contiguous": "{x}",
        },
        'jnp.dtype("{name}")',
        _STANDARD | {"float16"} | ML_DTYPES,
    ),
    "array_api": Dialect(
        "",
        {
            "transpose": "xp.permute_dims({x}, {axes})",
            "reshape": "xp.reshape({x}, {shape})",
            "diagonal": "xp.reshape(xp.permute_dims({x}, {last}), {flat})[..., :: {step}]",
            "sum": "xp.sum({x}, axis={axes}, dtype={x}.dtype)",
            "cast": "xp.astype({x}, {dtype})",
            "asarray": "xp.asarray({x}, dtype={dtype})",
            "broadcast_to": "xp.broadcast_to({x}, {shape})",
            "contiguous": "{x}",
            "matmul": "xp.matmul({x}, {y})",
            "multiply": "xp.multiply({x}, {y})",
        },
        "xp.{name}",
        _STANDARD,
        first="xp = {x}.__array_namespace__()",
    ),
}
"""The frameworks that code can be written for."""
