"""`Adapter`: the members of the protocol that most libraries have alike, to derive an adapter from."""

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


class Adapter:
    """A base for adapters of immutable tensors on one device, all sizes known.

    A derived class adds ``name`` and the members that are abstract here: `form`, `dtype_from_name`,
    `asarray`, `cast`, `transpose`, `reshape`, `sum`, `matmul`, `multiply`; and whatever else the library
    does otherwise. `einsum_unified.adapter.Backend` describes each member.

    A compiled program calls the members as they are: where a function of the library does the very thing,
    ``transpose = staticmethod(library.permute)`` saves a call.

    >>> from einsum_unified.adapter import ADAPTER_API, Adapter
    >>> Adapter.adapter_api == ADAPTER_API
    True
    """

    adapter_api = ADAPTER_API
    name: str
    capabilities = Capabilities()

    def configured(self, options: Mapping[str, Any]) -> Backend:
        """There are no further keywords."""
        return self

    @abstractmethod
    def form(self, cls: type) -> Form | None:
        """Return what operands of a class are."""
        raise NotImplementedError

    @abstractmethod
    def dtype_from_name(self, name: str) -> Any:
        """Return the dtype of a name."""
        raise NotImplementedError

    def result_type(self, names: Sequence[str], weak: Sequence[type]) -> str:
        """Promote on the lattice that torch and JAX share."""
        return dtypes.beside(dtypes.promote(*names), weak, self.name)

    def hint(self, x: Any) -> tuple[str, str] | None:
        """All tensors are dense."""
        return None

    @abstractmethod
    def asarray(self, x: Any, like: Any, dtype: Any) -> Any:
        """Make a tensor."""
        raise NotImplementedError

    def to_numpy(self, x: Any) -> Any:
        """Ask NumPy."""
        return np.asarray(x)

    def same_device(self, *xs: Any) -> None:
        """There is one device."""

    def static_size(self, size: Any) -> Any:
        """All sizes are known."""
        return int(size)

    def same_size(self, m: Any, n: Any) -> bool:
        """Compare two numbers."""
        return bool(m == n)

    def size(self, x: Any, axis: int) -> Any:
        """Read it from the shape."""
        return x.shape[axis]

    def broadcast_to(self, x: Any, shape: tuple[Any, ...]) -> Any:
        """Repeat axes: this has to be written if sizes may be unknown while a plan is made."""
        raise NotImplementedError

    @abstractmethod
    def cast(self, x: Any, dtype: Any) -> Any:
        """Convert."""
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
        """Take a diagonal by a step over the fused axes: what slices can do."""
        axes = tuple([axis for axis in range(len(x.shape)) if axis not in (axis1, axis2)])
        n = self.size(x, axis1)
        x = self.transpose(x, (*axes, axis1, axis2))
        flat = self.reshape(x, (*[self.size(x, axis) for axis in range(len(axes))], n * n))
        return flat[..., :: n + 1]

    @abstractmethod
    def sum(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Sum."""
        raise NotImplementedError

    def sum_products(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Sum like anything else."""
        return self.sum(x, axes)

    def dot(self, a: Any, b: Any) -> Any:
        """Multiply matrices as one batch."""
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
        """How a tensor lies in memory is the library's own matter."""
        return x

    def native(self, terms: Sequence[Term], output: Term) -> Callable[..., Any]:
        """The library has no einsum."""
        raise OperandTypeError(f"{self.name} has no einsum of its own")

    def finish(self, run: Callable[..., Any], classes: Sequence[type]) -> Callable[..., Any]:
        """Leave it as it is."""
        return run

    def copy_into(self, out: Any, x: Any) -> None:
        """Tensors are immutable."""
        raise OperandTypeError(f"out= cannot be filled: {self.name} tensors are immutable")
