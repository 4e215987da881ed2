"""The `Backend` protocol: the members an adapter has. Versioned by `ADAPTER_API`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from einsum_unified.adapter.capabilities import Capabilities, Form
from einsum_unified.language.letters import Term

Shape = tuple[Any, ...]
"""Sizes of the axes: integers, a tracer's symbols, None where nothing is known before the program runs."""

ADAPTER_API = 2
"""The version of the protocol; an adapter says in ``adapter_api`` which one it was written for."""


@runtime_checkable
class Backend(Protocol):
    """What an adapter provides: a module, or any object, with these names.

    Tensors are `Any` and need ``shape``, ``dtype`` and nothing else. Dtypes are the library's own objects
    unless called a name ("float32"). Axes are integers from 0. A shape holds integers, or what `size`
    returned where a size is known only when the program runs. Arguments come by position; they fit each
    other, all having been checked before. Whatever the library raises comes through to the user.

    `einsum_unified.adapter.Adapter` has a default for most of them.
    """

    adapter_api: int
    """The `ADAPTER_API` that the adapter was written for; another one than ours is refused."""
    name: str
    """The library's name, as messages show it."""

    @property
    def capabilities(self) -> Capabilities:
        """What the planner has to know of the library; an attribute will do."""
        ...

    def configured(self, options: Mapping[str, Any]) -> Backend:
        """Return the adapter for calls with further keywords, those named in ``capabilities.options``.

        It is part of a plan, which is kept: the values are hashable. Raises `OperandTypeError` for a value
        that the library cannot use.
        """
        ...

    def form(self, cls: type) -> Form | None:
        """Return what operands of a class are to this adapter; None if it cannot use them."""
        ...

    def dtype_from_name(self, name: str) -> Any:
        """Return the dtype of a name; None if the library has none of that name."""
        ...

    def result_type(self, names: Sequence[str], weak: Sequence[type]) -> str:
        """Return the name of what dtypes (by name) and Python numbers of types ``weak`` promote to.

        ``weak`` holds bool, int, float and complex. Raises `OperandTypeError` where there is no rule.
        """
        ...

    def hint(self, x: Any) -> tuple[str, str] | None:
        """Return what a tensor is and the call that makes it dense: ("sparse", "x.to_dense()"); else None."""
        ...

    def asarray(self, x: Any, like: Any, dtype: Any) -> Any:
        """Return a tensor of a dtype, made of an operand or NumPy array, on the device of ``like``.

        ``x`` is what `form` called an ``ARRAY``, or a `numpy.ndarray` of any shape and numeric dtype, of
        Python objects too where integers go beyond 64 bits. Values are cut off as little as a cast does.
        Without a dtype (None) the one that the operand has is kept.
        """
        ...

    def to_numpy(self, x: Any) -> Any:
        """Return a NumPy array of the tensor's values (for comparing; never used in an einsum)."""
        ...

    def same_device(self, *xs: Any) -> None:
        """Raise `OperandTypeError` if the tensors are on different devices."""
        ...

    def static_size(self, size: Any) -> Any:
        """Return an entry of a shape as an integer; as it is if that is not known while a graph is traced.

        None stands for a size of which nothing is known, not even as a symbol.
        """
        ...

    def same_size(self, m: Any, n: Any) -> bool:
        """Return whether two entries of shapes, of which one is a tracer's symbol, are the same number.

        What cannot be told is taken to be the same, but for 1.
        """
        ...

    def size(self, x: Any, axis: int) -> Any:
        """Return the size of an axis when the program runs: something that `reshape` takes in a shape."""
        ...

    def broadcast_to(self, x: Any, shape: tuple[Any, ...]) -> Any:
        """Return the tensor with axes of size 1 repeated; raises if other sizes differ."""
        ...

    def cast(self, x: Any, dtype: Any) -> Any:
        """Return the tensor in another dtype; integers wrap around, what is not 0 becomes True."""
        ...

    def transpose(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Return the tensor with axes permuted as ``numpy.transpose`` does."""
        ...

    def reshape(self, x: Any, shape: tuple[Any, ...]) -> Any:
        """Return the tensor's elements in C order in another shape, of integers and what `size` returns."""
        ...

    def diagonal(self, x: Any, axis1: int, axis2: int) -> Any:
        """Return the diagonal over two axes of one size, which go; it becomes the last axis."""
        ...

    def sum(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Return the sum over axes, in the dtype of the tensor (any-of for bool); over nothing it is 0."""
        ...

    def sum_products(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Return the sum over axes of elementwise products, in the dtype that `matmul` would give."""
        ...

    def dot(self, a: Any, b: Any) -> Any:
        """Return the product of matrices, or of vectors too if ``capabilities.vectors``, in their dtype.

        Shapes (m, k) and (k, n) give (m, n). With ``capabilities.turns`` two flags may follow, for operands
        with rows and columns exchanged.
        """
        ...

    def matmul(self, a: Any, b: Any) -> Any:
        """Return the matrix products over the last two axes; the axes before broadcast. Flags as for dot.

        Shapes (..., m, k) and (..., k, n) give (..., m, n), in the dtype of both.
        """
        ...

    def multiply(self, a: Any, b: Any) -> Any:
        """Return the elementwise product, in the dtype of both; axes of size 1 broadcast."""
        ...

    def contiguous(self, x: Any) -> Any:
        """Return the tensor in C order, copied if need be."""
        ...

    def native(self, terms: Sequence[Term], output: Term) -> Callable[..., Any]:
        """Return the library's own einsum of one equation: a function of the operands.

        It is asked for once, when a program is compiled, so what can be prepared is prepared here. Labels
        are integers, from 0 in the order in which they occur: ``(((0, 1), (1, 2)), (0, 2))`` is a matrix
        product, which `einsum_unified.adapter.letters` spells "ab,bc->ac". A term may hold ``...``.
        """
        ...

    def finish(self, run: Callable[..., Any], classes: Sequence[type]) -> Callable[..., Any]:
        """Return a compiled program as it is to be called: unchanged, or marked or wrapped (jit).

        ``run`` takes operands of these classes and checks nothing.
        """
        ...

    def copy_into(self, out: Any, x: Any) -> None:
        """Copy a result into ``out``, which has its shape and dtype.

        Raises `OperandTypeError` or `OperandError` if it cannot be filled, and then leaves it as it was.
        """
        ...


class StalePlan(Exception):  # noqa: N818 - no error: the plan is made anew
    """Raised by a program that was compiled under another setting of the library: it is planned again."""


class Recorder(Protocol):
    """What is provided for objects that stand for tensors to come, or that wrap them: it takes the call."""

    def record(
        self, einsum: Callable[..., Any], equation: Any, operands: Sequence[Any], options: Mapping[str, Any]
    ) -> Any:
        """Return what stands for the result of ``einsum(equation, *operands, **options)``."""
        ...

    def record_plan(
        self, run: Callable[..., Any], recipe: Sequence[Any], operands: Sequence[Any], out: Any
    ) -> Any:
        """Return what stands for the result of a plan: of ``run(*recipe, *operands, out=out)``.

        A recipe is text, numbers, None, and tuples of these: equation, shapes, path, dtype,
        keywords, strict.
        """
        ...
