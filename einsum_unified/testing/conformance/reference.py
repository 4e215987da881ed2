"""The expected value of a case, computed without this library: a sum over all values of all labels.

``result[output] = sum over the other labels of the product of operand[its labels]``, in 64 bits, with NumPy's
indexing, product and sum. It uses neither this library's parser nor a path, matmul or lowering.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from einsum_unified.testing.conformance.cases import numpy_dtype

_EPS = {
    "float16": 2.0**-10,
    "bfloat16": 2.0**-7,
    "complex32": 2.0**-10,
    "float32": 2.0**-23,
    "complex64": 2.0**-23,
    "float8_e4m3fn": 2.0**-3,
    "float8_e5m2": 2.0**-2,
}
"""dtype → distance from 1 to the next number, the unit of tolerances; 2**-52 for others. It is for a bound
by theory, whereas `einsum_unified.testing.check.RTOL` is a default for any call."""


@dataclass(frozen=True)
class Expected:
    """The expected values, and the tolerance for each."""

    values: Any
    tolerance: Any

    def difference(self, got: Any) -> str:
        """Describe the first difference of an array from the expected values; "" if it agrees with them."""
        if got.shape != self.values.shape:
            return f"the shape is {got.shape}, not {self.values.shape}"
        with np.errstate(invalid="ignore", over="ignore"):
            near = abs(got - self.values) <= self.tolerance if self.tolerance is not None else False
        right = near | (got == self.values) | (_is_nan(got) & _is_nan(self.values))
        if right.all():
            return ""
        index = tuple(int(i) for i in np.argwhere(~right)[0])
        return f"element {list(index)} is {got[index]}, not {self.values[index]}"


def expected(means: str, arrays: Sequence[Any], dtype: str) -> Expected:
    """Return the expected result of an explicit equation in a dtype.

    >>> expected("ij->j", [np.array([[100, 1], [100, 2]])], "int8").values
    array([-56,   3], dtype=int8)
    """
    if dtype == "bool":
        return Expected(contract(means, [(x != 0).astype(np.int64) for x in arrays]) > 0, None)
    if "int" in dtype:
        return Expected(
            contract(means, [x.astype(np.int64) for x in arrays]).astype(numpy_dtype(dtype)), None
        )
    wide = [x.astype(np.complex128 if "complex" in x.dtype.name else np.float64) for x in arrays]
    values = contract(means, wide)
    return Expected(values, _tolerance(means, wide, _EPS.get(dtype, 2.0**-52)))


def _tolerance(means: str, arrays: Sequence[Any], eps: float) -> Any:
    """Return 0 if sums are exact in the dtype in any order, else a few roundings of the sum of magnitudes.

    Half precision is summed in float32, so that only products and results are rounded; other dtypes are
    summed in their own precision.
    """
    inputs, output = means.split("->")
    axes = _axes(inputs.split(","), arrays)
    finite = [np.where(np.isfinite(x), abs(x), 0) for x in arrays]
    whole = all((x == np.round(x)).all() for x in arrays)
    # No partial sum exceeds the product of the greatest elements times the number of products.
    sizes = dict(sorted(axes, key=lambda axis: axis[1]))  # label → its greatest size
    greatest = math.prod(2 * float(x.max(initial=1)) for x in finite) * math.prod(
        max(n, 1) for n in sizes.values()
    )
    if whole and greatest <= 1 / eps:
        return 0.0
    terms = math.prod(max(n, 1) for label, n in sizes.items() if label not in output)
    roundings = len(arrays) + 1 + (terms / 2 if eps < 1e-6 else 0)
    return roundings * eps * contract(means, finite)


def contract(means: str, arrays: Sequence[Any]) -> Any:
    """Return the sum of products in the dtype of the arrays; axes of size 1 broadcast."""
    inputs, output = means.split("->")
    terms = inputs.split(",")
    sizes: dict[str, int] = {}
    for label, size in _axes(terms, arrays):
        sizes[label] = size if sizes.get(label, 1) == 1 else sizes[label]
    # Other labels of size 1 need no axis: before NumPy 2 an array has at most 32.
    space = [*output, *[label for label, size in sizes.items() if label not in output and size != 1]]
    slices = tuple(slice(sizes[label]) for label in space)
    grids = dict(zip(space, np.ogrid[slices], strict=True)) if space else {}
    total: Any = np.ones([sizes[label] for label in space], np.result_type(*arrays))
    with np.errstate(invalid="ignore", over="ignore"):
        for term, x in zip(terms, arrays, strict=True):
            # An axis of size 1 is always read at index 0.
            total = total * x[tuple(grids.get(a, 0) % max(n, 1) for a, n in zip(term, x.shape, strict=True))]
        return np.asarray(total.sum(axis=tuple(range(len(output), len(space))), dtype=total.dtype))


def _axes(terms: Sequence[str], arrays: Sequence[Any]) -> list[tuple[str, int]]:
    """Return the label and the size of every axis."""
    return [pair for term, x in zip(terms, arrays, strict=True) for pair in zip(term, x.shape, strict=True)]


def gradient(means: str, arrays: Sequence[Any], weights: Any, number: int) -> Any:
    """Return the derivative of ``(weights * einsum(...)).sum()`` with respect to operand ``number``.

    The result is linear in each operand, so the derivative with respect to an element is the result for that
    element being 1 and all others 0.
    """
    found = np.zeros(arrays[number].shape)
    for index in np.ndindex(found.shape):
        unit = np.zeros(found.shape)
        unit[index] = 1
        found[index] = (weights * contract(means, [*arrays[:number], unit, *arrays[number + 1 :]])).sum()
    return found


def widened(x: Any) -> Any:
    """Return an array in the 64-bit dtype of its kind, so that ml_dtypes' dtypes can be compared."""
    name = x.dtype.name
    if name in ("bool", "uint64", "int64", "object"):
        return x
    return x.astype(np.complex128 if "complex" in name else np.float64 if "float" in name else np.int64)


def _is_nan(x: Any) -> Any:
    return np.not_equal(x, x)
