"""The `Backend` protocol: the members an adapter has. Versioned by `ADAPTER_API`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from einsum_unified.adapter.capabilities import Capabilities, Form
from einsum_unified.language.letters import Term

Shape = tuple[Any, ...]
"""The sizes of the axes: integers, symbols of a tracer, or None for a size that is unknown until run time."""

ADAPTER_API = 2
"""The version of the protocol. An adapter gives the version it was written for in ``adapter_api``."""


@runtime_checkable
class Backend(Protocol):
    """The members of an adapter. Any object that has them, also a module, is an adapter.

    Tensors are typed `Any`; they need only ``shape`` and ``dtype``. Dtypes are the library's own objects,
    except where a docstring speaks of names ("float32"). Axes are integers from 0. A shape holds integers, or
    values that `size` returned for sizes that are unknown until run time. Arguments are passed by position,
    and were checked before: shapes and dtypes fit. Errors of the library reach the user unchanged.

    `einsum_unified.adapter.Adapter` has defaults for most members.
    """

    adapter_api: int
    """The `ADAPTER_API` that the adapter was written for. Other versions are refused."""
    name: str
    """The library's name in messages."""

    @property
    def capabilities(self) -> Capabilities:
        """The properties of the library that the planner needs. A plain attribute is enough."""
        ...

    def configured(self, options: Mapping[str, Any]) -> Backend:
        """Return the adapter for calls with the keywords ``options``, which ``capabilities.options`` names.

        The returned adapter is kept in plans; the values of the options are hashable. Raises
        `OperandTypeError` for a value that the library cannot use.
        """
        ...

    def form(self, cls: type) -> Form | None:
        """Return how the adapter treats operands of a class; None if it cannot use them."""
        ...

    def dtype_from_name(self, name: str) -> Any:
        """Return the library's dtype with a name; None if it has no such dtype."""
        ...

    def result_type(self, names: Sequence[str], weak: Sequence[type]) -> str:
        """Return the name of the dtype to which operands promote: dtypes by name, and Python numbers.

        ``weak`` has the types of the Python numbers: bool, int, float or complex. Raises `OperandTypeError`
        if there is no rule.
        """
        ...

    def settings(self, names: Sequence[str], weak: Sequence[type]) -> Callable[[], Any] | None:
        """Return a function that reads the library's settings on which a plan for these operands depends.

        None means that there are none, and costs nothing. ``names`` has the operands' dtypes and that of
        ``dtype=``, ``weak`` the types of the Python numbers. A plan depends on a setting if `result_type`,
        `dtype_from_name` or `capabilities` answers otherwise under it. The function is called in each call of
        a plan; if its value, which must be hashable, is not the one from planning, the call is planned again.
        """
        ...

    def hint(self, x: Any) -> tuple[str, str] | None:
        """Return None for a dense tensor, else its kind and a call that makes it dense.

        For example ``("sparse", "x.to_dense()")``. Messages show both.
        """
        ...

    def asarray(self, x: Any, like: Any, dtype: Any) -> Any:
        """Return an operand or NumPy array as a tensor with a dtype, on the device of ``like``.

        ``x`` is an operand whose `form` is ``ARRAY``, or a `numpy.ndarray` of any shape and numeric dtype;
        its dtype is object if it holds integers beyond 64 bits. Values change only as `cast` would change
        them. With ``dtype=None`` the operand keeps its dtype.
        """
        ...

    def to_numpy(self, x: Any) -> Any:
        """Return the tensor's values as a NumPy array. Only tests and comparisons use it, not einsum."""
        ...

    def same_device(self, *xs: Any) -> None:
        """Raise `OperandTypeError` if the tensors are on different devices."""
        ...

    def static_size(self, size: Any) -> Any:
        """Return an entry of a shape as an integer; a symbol of a tracer is returned unchanged.

        None means that the size is unknown, even as a symbol.
        """
        ...

    def same_size(self, m: Any, n: Any) -> bool:
        """Return whether two entries of shapes are equal; at least one of them is a tracer's symbol.

        If this is unknown, the answer is True, but False where one of the entries is the number 1.
        """
        ...

    def size(self, x: Any, axis: int) -> Any:
        """Return the size of an axis at run time, as a value that `reshape` accepts in a shape."""
        ...

    def broadcast_to(self, x: Any, shape: tuple[Any, ...]) -> Any:
        """Return the tensor with its axes of size 1 repeated to a shape; raises if any other size differs."""
        ...

    def cast(self, x: Any, dtype: Any) -> Any:
        """Return the tensor in another dtype. Integers wrap around; as bool, nonzero values are True."""
        ...

    def transpose(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Return the tensor with its axes permuted, as ``numpy.transpose`` does."""
        ...

    def reshape(self, x: Any, shape: tuple[Any, ...]) -> Any:
        """Return the tensor in another shape, in C order. The shape has integers and values of `size`."""
        ...

    def diagonal(self, x: Any, axis1: int, axis2: int) -> Any:
        """Return the diagonal over two axes of equal size. They go; the diagonal is the last axis."""
        ...

    def sum(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Return the sum over axes, in the tensor's dtype (any-of for bool). An empty sum is 0."""
        ...

    def sum_products(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Return the sum over axes of a tensor of products, in the dtype that `matmul` would have given."""
        ...

    def dot(self, a: Any, b: Any) -> Any:
        """Return the product of two matrices, in their dtype.

        Shapes (m, k) and (k, n) give (m, n). With ``capabilities.vectors`` an operand may be a vector. With
        ``capabilities.turns`` two flags may follow: 1 for an operand whose rows and columns are exchanged.
        """
        ...

    def matmul(self, a: Any, b: Any) -> Any:
        """Return the matrix products over the last two axes; the other axes broadcast.

        Shapes (..., m, k) and (..., k, n) give (..., m, n), in the dtype of both. Flags as for `dot`.
        """
        ...

    def multiply(self, a: Any, b: Any) -> Any:
        """Return the elementwise product, in the dtype of both. Axes of size 1 broadcast."""
        ...

    def contiguous(self, x: Any) -> Any:
        """Return the tensor in C order, copied if necessary."""
        ...

    def native(self, terms: Sequence[Term], output: Term) -> Callable[..., Any]:
        """Return the library's own einsum for one equation: a function of the operands.

        It is called once, when a program is compiled; do all preparation here. Labels are integers, numbered
        from 0 in order of first occurrence: terms ``((0, 1), (1, 2))`` and output ``(0, 2)`` are a matrix
        product, which `einsum_unified.adapter.letters` spells "ab,bc->ac". A term may contain ``...``.
        """
        ...

    def finish(self, run: Callable[..., Any], classes: Sequence[type]) -> Callable[..., Any]:
        """Return the function to call for a compiled program: ``run`` itself, marked, or wrapped (jit).

        ``run`` takes operands of these classes, and checks nothing but the `settings` that it depends on. A
        compiler must trace it again when one of them has changed.
        """
        ...

    def copy_into(self, out: Any, x: Any) -> None:
        """Copy the result ``x`` into ``out``, which has the same shape and dtype.

        Raises `OperandTypeError` or `OperandError` if ``out`` cannot be filled, and leaves ``out`` unchanged.
        """
        ...


class Recorder(Protocol):
    """Records calls with placeholder objects (fx proxies, Keras tensors) in a graph instead of computing."""

    def record(
        self, einsum: Callable[..., Any], equation: Any, operands: Sequence[Any], options: Mapping[str, Any]
    ) -> Any:
        """Return a placeholder for the result of ``einsum(equation, *operands, **options)``."""
        ...

    def record_plan(
        self, run: Callable[..., Any], recipe: Sequence[Any], operands: Sequence[Any], out: Any
    ) -> Any:
        """Return a placeholder for the result of a plan: of ``run(*recipe, *operands, out=out)``.

        A recipe is a tuple (equation, shapes, path, dtype, keywords, strict). It consists of text, numbers,
        None, and tuples of these.
        """
        ...
