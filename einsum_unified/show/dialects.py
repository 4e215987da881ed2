"""How each framework spells the operations of a program: templates of its calls, and its dtypes.

Code can be written for a framework that is not installed. So its dtypes are repeated here instead of taken
from its adapter, which imports the framework; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from einsum_unified.adapter import ArrayAPIAdapter
from einsum_unified.adapter.numpy_dtypes import NARROW
from einsum_unified.dtypes import STANDARD

ML_DTYPES = frozenset(set(NARROW) - {"float16"})
"""The dtypes that NumPy and JAX get from the package ml_dtypes."""
_LONG = ("longdouble", "clongdouble", "float96", "float128", "complex192", "complex256")

_TORCH = {
    "bool": "float32",
    "uint16": "int32",
    **dict.fromkeys(("uint32", "uint64"), "int64"),
    "complex32": "complex64",
    **dict.fromkeys(
        ("float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu"), "float32"
    ),
}
_TENSORFLOW = {
    "bool": "float32",
    **dict.fromkeys(("int8", "uint8", "int16", "uint16"), "int32"),
    **dict.fromkeys(("uint32", "uint64"), "int64"),
    **dict.fromkeys(("float16", "bfloat16"), "float32"),
}
_JAX = {
    "bool": "float32",
    **dict.fromkeys(("int2", "int4"), "int32"),
    **dict.fromkeys(("uint2", "uint4"), "uint32"),
    **dict.fromkeys(
        ("float8_e3m4", "float8_e4m3", "float8_e4m3b11fnuz", "float8_e4m3fn", "float8_e4m3fnuz",
         "float8_e5m2", "float8_e5m2fnuz"),
        "float32",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Dialect:
    """How a framework spells operations. In the templates ``{x}`` is a tensor and ``{y}`` a second one."""

    head: str
    """The line above the function: its import."""
    calls: dict[str, str]
    """Name of a primitive's function → template of the call."""
    dtype: str
    """Template of a dtype; ``{name}`` is its name."""
    dtypes: frozenset[str]
    """The names of the framework's dtypes."""
    arithmetic: Mapping[str, str]
    """Dtype → the dtype in which its products and sums are computed."""
    size: str = "{x}.shape[{axis}]"
    first: str = ""
    """The first line of the function, if it needs one."""


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
        STANDARD | {"float16", "object", *_LONG} | ML_DTYPES,
        NARROW,
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
        STANDARD | {"float16", "bfloat16", *_TORCH},
        _TORCH,
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
        STANDARD | {"float16", "bfloat16"},
        _TENSORFLOW,
        "tf.shape({x})[{axis}]",
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
        STANDARD | {"float16", "bfloat16", *_JAX},
        _JAX,
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
        STANDARD,
        ArrayAPIAdapter.capabilities.arithmetic,
        first="xp = {x}.__array_namespace__()",
    ),
}
"""Name → dialect, for the frameworks that code can be written for."""
