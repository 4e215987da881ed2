"""`Adapter`: a base class with the members of the protocol that are the same for most libraries."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from einsum_unified import dtypes
from einsum_unified.adapter.capabilities import Capabilities, Form
from einsum_unified.adapter.protocol import ADAPTER_API, Backend
from einsum_unified.errors import OperandTypeError
from einsum_unified.language.letters import Term


def one_place(place: Callable[[Any], Any], shown: Callable[[Any], str] = str) -> Callable[..., None]:
    """Return the member `same_device` for a library whose tensors are where ``place(x)`` says.

    A place of None means that the tensor may be used anywhere. ``shown`` writes a place for the message.

    >>> from types import SimpleNamespace as Tensor
    >>> same_device = one_place(lambda x: x.device)
    >>> same_device(Tensor(device="cpu"), Tensor(device=None), Tensor(device="gpu"))
    Traceback (most recent call last):
    einsum_unified.errors.OperandTypeError: tensors are on different devices: cpu and gpu
    """

    def same_device(x: Any, *others: Any) -> None:
        first = place(x)
        for y in others:  # a plain loop, because every call of `einsum` runs it
            if place(y) != first:
                break
        else:
            return
        places = [found for found in map(place, (x, *others)) if found is not None]
        for found in places:
            if found != places[0]:
                raise OperandTypeError(
                    f"tensors are on different devices: {shown(places[0])} and {shown(found)}"
                )

    return same_device


class Adapter:
    """A base class for adapters. Its defaults suit immutable tensors on one device, with all sizes known.

    A derived class adds ``name`` and the members that are abstract here: `form`, `dtype_from_name`,
    `asarray`, `cast`, `transpose`, `reshape`, `sum`, `matmul`, `multiply`. It overrides each other member
    whose default does not suit its library. `einsum_unified.adapter.Backend` describes every member.

    A compiled program calls the members directly. If a function of the library does exactly what a member
    must do, make it the member: ``transpose = staticmethod(library.permute)`` saves a Python call.

    >>> from einsum_unified.adapter import ADAPTER_API, Adapter
    >>> Adapter.adapter_api == ADAPTER_API
    True
    """

    adapter_api = ADAPTER_API
    name: str
    capabilities = Capabilities()

    def configured(self, options: Mapping[str, Any]) -> Backend:
        """Return the adapter itself: there are no further keywords."""
        return self

    @abstractmethod
    def form(self, cls: type) -> Form | None:
        """Return the `Form` of operands of a class."""
        raise NotImplementedError

    @abstractmethod
    def dtype_from_name(self, name: str) -> Any:
        """Return the dtype with a name."""
        raise NotImplementedError

    def result_type(self, names: Sequence[str], weak: Sequence[type]) -> str:
        """Promote on the lattice that torch and JAX share."""
        return dtypes.beside(dtypes.promote(*names), weak, self.name)

    def settings(self, names: Sequence[str], weak: Sequence[type]) -> Callable[[], Any] | None:
        """Return None: plans do not depend on settings of the library."""
        return None

    def hint(self, x: Any) -> tuple[str, str] | None:
        """Return None: all tensors are dense."""
        return None

    @abstractmethod
    def asarray(self, x: Any, like: Any, dtype: Any) -> Any:
        """Convert an operand to a tensor."""
        raise NotImplementedError

    def to_numpy(self, x: Any) -> Any:
        """Convert with ``numpy.asarray``."""
        return np.asarray(x)

    def same_device(self, *xs: Any) -> None:
        """Accept all tensors: there is one device."""

    def static_size(self, size: Any) -> Any:
        """Return the size as an integer: all sizes are known."""
        return int(size)

    def same_size(self, m: Any, n: Any) -> bool:
        """Compare two numbers."""
        return bool(m == n)

    def size(self, x: Any, axis: int) -> Any:
        """Return the size from the tensor's shape."""
        return x.shape[axis]

    def broadcast_to(self, x: Any, shape: tuple[Any, ...]) -> Any:
        """Must be overridden if sizes may be unknown while a plan is made; otherwise it is never called."""
        raise NotImplementedError

    @abstractmethod
    def cast(self, x: Any, dtype: Any) -> Any:
        """Cast to another dtype."""
        raise NotImplementedError

    @abstractmethod
    def transpose(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Permute axes."""
        raise NotImplementedError

    @abstractmethod
    def reshape(self, x: Any, shape: tuple[Any, ...]) -> Any:
        """Reshape."""
        raise NotImplementedError

    def diagonal(self, x: Any, axis1: int, axis2: int) -> Any:
        """Fuse the two axes and take every (n + 1)th element: this needs only slices."""
        axes = tuple([axis for axis in range(len(x.shape)) if axis not in (axis1, axis2)])
        n = self.size(x, axis1)
        x = self.transpose(x, (*axes, axis1, axis2))
        flat = self.reshape(x, (*[self.size(x, axis) for axis in range(len(axes))], n * n))
        return flat[..., :: n + 1]

    @abstractmethod
    def sum(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Sum over axes."""
        raise NotImplementedError

    def sum_products(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Sum as `sum` does."""
        return self.sum(x, axes)

    def dot(self, a: Any, b: Any) -> Any:
        """Multiply two matrices with `matmul`."""
        return self.matmul(a, b)

    @abstractmethod
    def matmul(self, a: Any, b: Any) -> Any:
        """Multiply batches of matrices."""
        raise NotImplementedError

    @abstractmethod
    def multiply(self, a: Any, b: Any) -> Any:
        """Multiply elementwise."""
        raise NotImplementedError

    def contiguous(self, x: Any) -> Any:
        """Return the tensor as it is: the library decides how it lies in memory."""
        return x

    def native(self, terms: Sequence[Term], output: Term) -> Callable[..., Any]:
        """Raise: the library has no einsum of its own."""
        raise OperandTypeError(f"{self.name} has no einsum of its own")

    def finish(self, run: Callable[..., Any], classes: Sequence[type]) -> Callable[..., Any]:
        """Return the program unchanged."""
        return run

    def copy_into(self, out: Any, x: Any) -> None:
        """Raise: tensors are immutable."""
        raise OperandTypeError(f"out= cannot be filled: {self.name} tensors are immutable")
