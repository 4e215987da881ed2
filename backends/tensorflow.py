"""The adapter for TensorFlow tensors, variables and indexed slices, eager and in `tf.function`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext

from einsum_unified.adapter import About, Adapter, Capabilities, Costs, Form, Term, letters, one_place
from einsum_unified.dtypes import kind_of

_WIDER = {
    "bool": "float32",
    **dict.fromkeys(("int4", "uint4", "int8", "uint8", "int16", "uint16"), "int32"),
    **dict.fromkeys(("uint32", "uint64"), "int64"),  # wraps around; the cast back makes it unsigned
    # On CPUs, TensorFlow's kernels accumulate float16 and bfloat16 in the same dtype.
    **dict.fromkeys(("float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"), "float32"),
}

_NUMBERS = {
    np.dtype(dtype.as_numpy_dtype).char: dtype for dtype in (tf.bool, tf.int64, tf.float64, tf.complex128)
}
"""TensorFlow's dtypes of Python's numbers, by the character of NumPy's dtype."""
_INT32 = 2**31 - 1
# Dtypes that TensorFlow can cast only to and from a few others → the dtype to cast through.
_THROUGH = {
    **dict.fromkeys(("float8_e4m3fn", "float8_e5m2"), tf.float32),
    **dict.fromkeys(("int4", "uint4"), tf.int32),
}


def _derivatives(function: Callable[..., Any], xs: Sequence[Any]) -> Sequence[Any]:
    with tf.GradientTape() as tape:
        tape.watch(xs)
        value = function(*xs)
    found: Sequence[Any] = tape.gradient(value, xs)
    return found


_same_device = one_place(lambda x: x.device or None)


class TensorFlowAdapter(Adapter):
    """Calls TensorFlow's generated operations (``tf.raw_ops``).

    In eager mode they take half the time of `tf.transpose`, `tf.matmul` and the others, whose type-based
    dispatch has crashed when several threads used it.
    """

    name = "tensorflow"
    capabilities = Capabilities(
        arithmetic=_WIDER,
        movement={"int4": "int32", "uint4": "int32"},
        dtypes=frozenset({*_WIDER, "int32", "int64", "float32", "float64", "complex64", "complex128"}),
        devices=True,
        deferred=True,
        broadcast_runs=4,
        turns=True,
        about=About(
            symbolic_sizes="tf.function, also of unknown rank; XLA",
            gradients="GradientTape, vectorized_map",
            compilers="tf.function, XLA, SavedModel, tf.data",
            tested="CPU; not GPU or TPU",
            differentiate=_derivatives,
        ),
        # Eager calls cost more than small operands do.
        costs=Costs(
            call=10_000,
            view=8_000,
            native=15_000,
            native_factor=1.2,
            turned_left=0.3,
            scalar=0.15,
            product=100,
        ),
    )

    def form(self, cls: type) -> Form | None:
        """Convert variables and indexed slices; leave ragged and sparse tensors to TensorFlow's einsum."""
        if issubclass(cls, tf.Tensor):
            return Form.TENSOR
        if issubclass(cls, (tf.RaggedTensor, tf.SparseTensor)):
            return Form.NATIVE
        # Keras' variables have __tf_tensor__.
        if issubclass(cls, (tf.Variable, tf.IndexedSlices)) or hasattr(cls, "__tf_tensor__"):
            return Form.ARRAY
        return None

    def dtype_from_name(self, name: str) -> Any:
        """Return the dtype that TensorFlow calls by this name."""
        try:
            return tf.as_dtype(name)
        except TypeError:
            return None

    def hint(self, x: Any) -> tuple[str, str] | None:
        """Return the kind of a ragged, sparse or quantised tensor, and the call that makes it dense."""
        if isinstance(x, tf.RaggedTensor):
            return "ragged", "x.to_tensor()"
        if isinstance(x, tf.SparseTensor):
            return "sparse", "tf.sparse.to_dense(x)"
        if isinstance(x, tf.Tensor) and x.dtype.is_quantized:
            return "quantised", "tf.quantization.dequantize(x, low, high)"
        return None

    @staticmethod
    def asarray(x: Any, like: Any, dtype: Any) -> Any:
        """Convert a variable, indexed slices or a NumPy array in its own dtype, then cast."""
        if isinstance(x, np.ndarray) and not x.dtype.isnative:
            x = x.astype(x.dtype.newbyteorder("="))
        elif isinstance(x, np.ndarray) and x.dtype == object:  # Python integers beyond 64 bits
            x = x.astype(np.float64)
        if isinstance(like, tf.Tensor) and tf.executing_eagerly():
            return _eager(x, like.device, dtype)
        with tf.device((like.device if isinstance(like, tf.Tensor) else None) or None):
            tensor = tf.convert_to_tensor(x)
            return tensor if dtype in (None, tensor.dtype) else adapter.cast(tensor, dtype)

    def to_numpy(self, x: Any) -> Any:
        """Return a NumPy array; bfloat16 and float8 become float32, 4-bit integers int32."""
        name = x.dtype.name
        if name in _WIDER and name != "float16" and kind_of(name) == "float":
            x = tf.cast(x, tf.float32)
        return (tf.cast(x, tf.int32) if name in self.capabilities.movement else x).numpy()

    @staticmethod
    def same_device(*xs: Any) -> None:
        """Raise if eager tensors are on different devices; tensors of a graph are placed later."""
        if xs[0].device:
            _same_device(*xs)

    def static_size(self, size: Any) -> Any:
        """Return an integer or None, also for the ``Dimension`` objects of TensorFlow 1."""
        value = getattr(size, "value", size)
        return value if value is None else int(value)

    @staticmethod
    def size(x: Any, axis: int) -> Any:
        """Return the size from the shape if known, else a tensor that has it when the graph runs."""
        known = x.shape[axis]
        return tf.shape(x, out_type=tf.int64)[axis] if known is None else known

    @staticmethod
    def common_size(*sizes: Any) -> Any:
        """Return the size that is not 1; if several such sizes differ, `broadcast_to` will raise."""
        common = sizes[0]
        for other in sizes[1:]:
            common = tf.where(common == 1, tf.cast(other, tf.int64), common)
        return common

    @staticmethod
    def broadcast_to(x: Any, shape: tuple[Any, ...]) -> Any:
        """Repeat axes of size 1; if there are none, nothing is copied."""
        # `BroadcastArgs` raises if sizes differ; XLA's `BroadcastTo` alone would repeat size 2 to get 4.
        sizes = tf.shape(x, out_type=tf.int64)
        target = tf.raw_ops.BroadcastArgs(s0=sizes, s1=tf.cast(_shape(shape), tf.int64))
        return tf.raw_ops.BroadcastTo(input=x, shape=target)

    @staticmethod
    def agree(x: Any, shape: tuple[Any, ...]) -> Any:
        """Compare sizes under XLA, whose batched products accept any; TensorFlow's own products raise."""
        if not _in_xla():
            return x
        sizes = tf.shape(x, out_type=tf.int64)
        with tf.control_dependencies(
            [tf.raw_ops.BroadcastArgs(s0=sizes, s1=tf.cast(_shape(shape), tf.int64))]
        ):
            return tf.identity(x)

    @staticmethod
    def ranked(x: Any, rank: int) -> Any:
        """Check the rank when the graph runs, and set it in the graph."""
        return tf.ensure_shape(x, [None] * rank)

    @staticmethod
    def cast(x: Any, dtype: Any) -> Any:
        """Cast; integers wrap around."""
        for name in (x.dtype.name, dtype.name):
            if name in _THROUGH:
                x = tf.raw_ops.Cast(x=x, DstT=_THROUGH[name])
        return tf.raw_ops.Cast(x=x, DstT=dtype)

    @staticmethod
    def transpose(x: Any, axes: tuple[int, ...]) -> Any:
        """Permute axes."""
        return tf.raw_ops.Transpose(x=x, perm=_vector(axes))

    @staticmethod
    def reshape(x: Any, shape: tuple[Any, ...]) -> Any:
        """Reshape in C order."""
        try:
            return tf.raw_ops.Reshape(tensor=x, shape=_vector(shape))
        except TypeError:  # a tensor cannot be looked up
            # A single unknown size can be written as -1, so the shape is still a constant.
            numbers = tuple([size if isinstance(size, int) else -1 for size in shape])
            known = numbers.count(-1) == 1 and 0 not in numbers
            return tf.raw_ops.Reshape(tensor=x, shape=_vector(numbers) if known else _shape(shape))

    @staticmethod
    def diagonal(x: Any, axis1: int, axis2: int) -> Any:
        """Move the two axes to the end, and take the diagonal of the matrices that they form."""
        is_open = x.shape[axis1] is None or x.shape[axis2] is None
        if is_open:
            x = _square(x, axis1, axis2)
        rest = tuple(axis for axis in range(len(x.shape)) if axis not in (axis1, axis2))
        if axis2 != axis1 + 1 or axis2 != len(x.shape) - 1:
            x = adapter.transpose(x, (*rest, axis1, axis2))
        dtype = x.dtype
        if dtype.name in _THROUGH:
            wider = adapter.cast(x, _THROUGH[dtype.name])
            return adapter.cast(tf.raw_ops.MatrixDiagPart(input=wider), dtype)
        if is_open and _in_xla():
            return _strided_diagonal(x)
        return tf.raw_ops.MatrixDiagPart(input=x)

    @staticmethod
    def sum(x: Any, axes: tuple[int, ...]) -> Any:
        """Sum over axes."""
        return tf.raw_ops.Sum(input=x, axis=_vector(axes))

    sum_products = sum  # noqa: A003 - the protocol's name

    @staticmethod
    def dot(a: Any, b: Any, turned_a: int = 0, turned_b: int = 0) -> Any:
        """Multiply matrices; `MatMul` takes up to twice as long as `BatchMatMulV2` for turned ones."""
        if turned_a or turned_b:
            return adapter.matmul(a, b, turned_a, turned_b)
        return tf.raw_ops.MatMul(a=a, b=b)

    @staticmethod
    def matmul(a: Any, b: Any, turned_a: int = 0, turned_b: int = 0) -> Any:
        """Multiply batches of matrices."""
        if a.dtype.is_complex:  # the flags would conjugate
            a, b = (_turned(x) if turned else x for x, turned in ((a, turned_a), (b, turned_b)))
            return tf.raw_ops.BatchMatMulV2(x=a, y=b)
        return tf.raw_ops.BatchMatMulV2(x=a, y=b, adj_x=bool(turned_a), adj_y=bool(turned_b))

    @staticmethod
    def multiply(a: Any, b: Any) -> Any:
        """Multiply elementwise."""
        return tf.raw_ops.Mul(x=a, y=b)

    def native(self, terms: Sequence[Term], output: Term) -> Callable[..., Any]:
        """Return ``tf.einsum``, or for two operands its single operation, which takes half the time."""
        if ... not in output and any(... in term for term in terms):
            return _summed(self.native(terms, (..., *output)), len(output))
        equation = letters(terms, output)
        whole = partial(tf.einsum, equation)
        if len(terms) != 2 or any(... in term for term in (*terms, output)):
            return whole

        def contract(*operands: Any) -> Any:
            if not isinstance(operands[0], tf.Tensor):  # ragged, sparse
                return whole(*operands)
            return tf.raw_ops.Einsum(inputs=operands, equation=equation)

        return contract

    def finish(self, run: Callable[..., Any], classes: Sequence[type]) -> Callable[..., Any]:
        """Mark the program so that AutoGraph leaves it alone: it would warn of the missing source file."""
        # The public tf.autograph.experimental.do_not_convert costs 2 µs a call. If a future TensorFlow
        # ignores this attribute, the program still runs.
        run.autograph_info__ = {}  # type: ignore[attr-defined]
        return run


def _eager(x: Any, device: str, dtype: Any) -> Any:
    """Convert a variable, indexed slices or a NumPy array to an eager tensor on a device.

    A Python number is converted faster than an array, and a device is rarely to be changed: its context takes
    as long as an operation.
    """
    if isinstance(x, np.ndarray):
        number = None if x.ndim else _NUMBERS.get(x.dtype.char)
        tensor = tf.constant(x) if number is None else tf.constant(x.item(), number)
    else:
        tensor = tf.convert_to_tensor(x)
    if tensor.device != device:
        with tf.device(device):
            tensor = tf.identity(tensor)
    return tensor if dtype in (None, tensor.dtype) else adapter.cast(tensor, dtype)


@lru_cache(maxsize=1024)
def _vector(numbers: tuple[int, ...]) -> Any:
    """Return integers as a cached constant: making one in each call takes as long as the operation."""
    vector = np.array(numbers, np.int64 if max(numbers, default=0) > _INT32 else np.int32)
    with tf.init_scope(), tf.device("CPU:0"):  # outside of any graph that is being traced
        constant = tf.constant(vector)
    return constant if hasattr(constant, "numpy") else vector


def _in_xla() -> bool:
    return bool(GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph()))


def _shape(sizes: tuple[Any, ...]) -> Any:
    """Return a shape as a vector; it is a constant if all sizes are known before the graph runs."""
    try:
        return _vector(sizes)
    except TypeError:  # a tensor cannot be looked up
        return tf.stack([tf.cast(size, tf.int64) for size in sizes])


def _square(x: Any, axis1: int, axis2: int) -> Any:
    """Make the graph fail if matrices are not square when it runs: `MatrixDiagPart` would accept them."""
    sizes = adapter.size(x, axis1), adapter.size(x, axis2)
    with tf.control_dependencies([_equal(*(tf.cast(n, tf.int64) for n in sizes))]):
        square = tf.identity(x)
    known = next((n for n in sizes if isinstance(n, int)), None)
    square.set_shape([known if axis in (axis1, axis2) else n for axis, n in enumerate(x.shape)])
    return square


def _summed(contract: Callable[..., Any], kept: int) -> Callable[..., Any]:
    """Sum the axes of an ellipsis, all but the last ``kept``: ``tf.einsum`` refuses to leave them out."""

    def contract_and_sum(*operands: Any) -> Any:
        product = contract(*operands)
        return tf.raw_ops.Sum(input=product, axis=tf.range(tf.rank(product) - kept))

    return contract_and_sum


def _strided_diagonal(x: Any) -> Any:
    """Return the diagonal of square matrices as a slice with a step over their fused rows.

    The second derivative of `MatrixDiagPart` computes a shape at run time, which XLA does not support.
    """
    *rest, n = [adapter.size(x, axis) for axis in range(len(x.shape) - 1)]
    diagonals = adapter.reshape(x, (*rest, n * n))[..., :: n + 1]
    diagonals.set_shape(x.shape[:-1])
    return diagonals


def _equal(m: Any, n: Any) -> Any:
    """Return an operation that fails unless two sizes are the same."""
    if _in_xla():  # XLA drops assertions, but checks a reshape when it compiles
        return tf.raw_ops.Reshape(tensor=tf.fill([m], 0), shape=[n])
    return tf.debugging.assert_equal(m, n, "a label is repeated within an operand, with different sizes")


def _turned(x: Any) -> Any:
    axes = tuple(range(len(x.shape)))
    return adapter.transpose(x, (*axes[:-2], axes[-1], axes[-2]))


adapter = TensorFlowAdapter()
