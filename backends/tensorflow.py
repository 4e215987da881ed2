"""The adapter for TensorFlow tensors, variables and indexed slices, eager and in `tf.function`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from einsum_unified.dtypes import kind_of, promote
from einsum_unified.errors import OperandTypeError
from einsum_unified.primitives import Capabilities, Form

_WIDER = {
    "bool": "float32",
    **dict.fromkeys(("int4", "uint4", "int8", "uint8", "int16", "uint16"), "int32"),
    **dict.fromkeys(("uint32", "uint64"), "int64"),  # wraps around, which the cast back makes unsigned
    # On CPU, TensorFlow's kernels add up float16 and bfloat16 in that dtype.
    **dict.fromkeys(("float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"), "float32"),
}

name = "tensorflow"
capabilities = Capabilities(
    arithmetic=_WIDER,
    movement={"int4": "int32", "uint4": "int32"},
    dtypes=frozenset({*_WIDER, "int32", "int64", "float32", "float64", "complex64", "complex128"}),
    devices=True,
)

_COMPLEX = {"float64": "complex128", "complex128": "complex128"}


def form(cls: type) -> Form | None:
    """Variables and indexed slices convert; ragged and sparse tensors are TensorFlow's own matter."""
    if issubclass(cls, tf.Tensor):
        return Form.TENSOR
    if issubclass(cls, (tf.Variable, tf.IndexedSlices)):
        return Form.ARRAY
    return Form.NATIVE if issubclass(cls, (tf.RaggedTensor, tf.SparseTensor)) else None


def dtype_from_name(name: str) -> Any:
    """Find a dtype by TensorFlow's name for it."""
    try:
        return tf.as_dtype(name)
    except TypeError:
        return None


def result_type(names: Sequence[str], weak: Sequence[type]) -> str:
    """Promote on the lattice of torch and JAX: TensorFlow has no promotion of its own."""
    name = promote(*names)
    for cls in weak:
        name = _beside(name, cls)
    return name


def _beside(name: str, weak: type) -> str:
    """Return what a tensor's dtype becomes beside a Python number: as in torch."""
    kind = kind_of(name)
    if weak is int and kind == "bool":
        return "int64"
    if weak is float and kind in ("bool", "int"):
        return "float32"
    return _COMPLEX.get(name, "complex64") if weak is complex else name


def hint(x: Any) -> str | None:
    """Name the call that makes a ragged or sparse tensor dense."""
    if isinstance(x, tf.RaggedTensor):
        return "x.to_tensor()"
    return "tf.sparse.to_dense(x)" if isinstance(x, tf.SparseTensor) else None


def asarray(x: Any, like: Any, dtype: Any) -> Any:
    """Make a tensor of a variable, indexed slices or a NumPy array, then cast: nothing is cut off."""
    if isinstance(x, np.ndarray) and not x.dtype.isnative:
        x = x.astype(x.dtype.newbyteorder("="))
    with tf.device((like.device if isinstance(like, tf.Tensor) else None) or None):
        return tf.cast(tf.convert_to_tensor(x), dtype)


def to_numpy(x: Any) -> Any:
    """Return a NumPy array; bfloat16 and float8 become float32, 4-bit integers int32."""
    if x.dtype.name in capabilities.arithmetic and kind_of(x.dtype.name) == "float" and x.dtype != tf.float16:
        x = tf.cast(x, tf.float32)
    return (tf.cast(x, tf.int32) if x.dtype.name in capabilities.movement else x).numpy()


def same_device(*xs: Any) -> None:
    """Compare the devices of eager tensors; those of a graph are placed later."""
    first = xs[0].device
    for x in xs:
        if first and x.device and x.device != first:
            raise OperandTypeError(f"tensors are on different devices: {first} and {x.device}")


def cast(x: Any, dtype: Any) -> Any:
    """Convert; integers wrap around."""
    return tf.cast(x, dtype)


def transpose(x: Any, axes: tuple[int, ...]) -> Any:
    """Permute."""
    return tf.transpose(x, axes)


def reshape(x: Any, shape: tuple[int, ...]) -> Any:
    """Reshape."""
    return tf.reshape(x, shape)


def diagonal(x: Any, axis1: int, axis2: int) -> Any:
    """Move the two axes to the end, fuse them, and take every (n + 1)th element: kernels for all dtypes."""
    rest = [axis for axis in range(len(x.shape)) if axis not in (axis1, axis2)]
    n = x.shape[axis1]
    sizes = [x.shape[axis] for axis in rest]
    fused = tf.reshape(tf.transpose(x, [*rest, axis1, axis2]), [*sizes, n * n])
    return tf.gather(fused, range(0, n * n, n + 1), axis=-1)


def sum(x: Any, axes: tuple[int, ...]) -> Any:  # noqa: A001 - the protocol's name
    """Sum."""
    return tf.reduce_sum(x, axes)


def matmul(a: Any, b: Any) -> Any:
    """Multiply matrices, batched if there are more than two axes."""
    return tf.linalg.matmul(a, b)


def multiply(a: Any, b: Any) -> Any:
    """Multiply elementwise."""
    return tf.multiply(a, b)


def native(*operands: Any, equation: str) -> Any:
    """Leave it to ``tf.einsum``."""
    return tf.einsum(equation, *operands)


def finish(run: Callable[..., Any]) -> Callable[..., Any]:
    """Mark it as nothing that AutoGraph converts: it has no source file, of which AutoGraph would warn."""
    # The public tf.autograph.experimental.do_not_convert costs 2 µs a call; without this attribute
    # the program runs all the same.
    run.autograph_info__ = {}  # type: ignore[attr-defined]
    return run


def copy_into(out: Any, x: Any) -> None:
    """Tensors are immutable."""
    raise OperandTypeError("out= cannot be filled: tensorflow tensors are immutable")
