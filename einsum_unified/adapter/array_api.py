"""`ArrayAPIAdapter`: for libraries that follow the Python array API standard; uses only its functions.

https://data-apis.org/array-api/latest/
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from einsum_unified import dtypes
from einsum_unified.adapter.base import one_place
from einsum_unified.adapter.capabilities import Capabilities, Form
from einsum_unified.adapter.namespace import NamespaceAdapter
from einsum_unified.adapter.numpy_dtypes import dtype_from_name


class ArrayAPIAdapter(NamespaceAdapter):
    """The adapter for the arrays of a namespace; also a base for libraries that nearly follow the standard.

    >>> import numpy as np
    >>> from einsum_unified.adapter import ArrayAPIAdapter
    >>> adapter = ArrayAPIAdapter(np)  # NumPy follows the standard
    >>> adapter.name, adapter.reshape(np.ones((2, 3)), (3, 2)).shape
    ('numpy', (3, 2))
    """

    capabilities = Capabilities(
        # The standard does not sum or multiply bools. It has no float16, but many namespaces do.
        arithmetic={"bool": "float32", "float16": "float32"},
        dtypes=dtypes.STANDARD | {"float16"},
        devices=True,
        gaps={"out": "the standard has no function that writes into an existing array"},
    )

    def __init__(self, namespace: Any) -> None:
        self.namespace = namespace
        """The module or object that has the standard's functions."""
        self.name = str(getattr(namespace, "__name__", type(namespace).__module__)).partition(".")[0]

    def form(self, cls: type) -> Form | None:
        """Accept classes that have ``__array_namespace__``, as the standard requires."""
        return Form.TENSOR if hasattr(cls, "__array_namespace__") else None

    def dtype_from_name(self, name: str) -> Any:
        """Return the namespace's attribute of that name; None if it has no such dtype."""
        return getattr(self.namespace, name, None) if dtypes.kind_of(name) else None

    def result_type(self, names: Sequence[str], weak: Sequence[type]) -> str:
        """Promote as the standard defines; integers with floats, left open there, on the shared lattice."""
        try:
            dtype = self.namespace.result_type(*map(self.dtype_from_name, names))
        except (TypeError, ValueError):  # whichever the namespace raises if it has no rule
            return super().result_type(names, weak)
        return dtypes.beside(dtypes.name_of(dtype), weak, self.name)

    def asarray(self, x: Any, like: Any, dtype: Any) -> Any:
        """Convert a NumPy array; NumPy casts it first, since the namespace may lack its dtype."""
        name = x.dtype.name if dtype is None else dtypes.name_of(dtype)
        plain = np.ascontiguousarray(x, dtype_from_name(name)).reshape(x.shape)
        return self.namespace.asarray(plain, device=None if isinstance(like, np.ndarray) else like.device)

    same_device: Any = staticmethod(one_place(attrgetter("device")))

    def cast(self, x: Any, dtype: Any) -> Any:
        """Cast, unless the array has the dtype already."""
        return x if x.dtype == dtype else self.namespace.astype(x, dtype)

    def transpose(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Permute axes."""
        return self.namespace.permute_dims(x, axes)
