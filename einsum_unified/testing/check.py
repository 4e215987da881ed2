"""`check_einsum`: run an equation on every installed framework and compare the results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from einsum_unified import dtypes
from einsum_unified.adapter import Backend, dispatch
from einsum_unified.api import einsum
from einsum_unified.errors import OperandTypeError
from einsum_unified.wording import quoted

_FLOAT8 = ("float8_e3m4", "float8_e4m3", "float8_e4m3b11fnuz", "float8_e4m3fn", "float8_e4m3fnuz",
           "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu")  # fmt: skip
RTOL = {
    **dict.fromkeys(_FLOAT8, 0.25),
    **dict.fromkeys(("float16", "complex32"), 1e-2),
    "bfloat16": 4e-2,
    **dict.fromkeys(("float32", "complex64"), 1e-5),
    **dict.fromkeys(("float64", "complex128", "float128", "complex256"), 1e-10),
}
"""dtype → relative tolerance, a default for sums of usual lengths; 0 for other dtypes. The conformance kit
knows the terms of each sum and bounds its error by theory: `einsum_unified.testing.conformance.reference`."""


@dataclass(frozen=True)
class Result:
    """The result of one framework."""

    framework: str
    shape: tuple[int, ...]
    dtype: str
    difference: float
    """Greatest absolute difference from the expected result."""


@dataclass(frozen=True)
class Report:
    """The results of all frameworks; ``print`` shows them as a table."""

    equation: str
    results: tuple[Result, ...]

    def __str__(self) -> str:
        rows = [("framework", "shape", "dtype", "greatest difference")]
        rows += [(r.framework, str(r.shape), r.dtype, f"{r.difference:.3g}") for r in self.results]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
        ]
        return "\n".join([self.equation, *(line.rstrip() for line in lines)])


def check_einsum(
    equation: str,
    operands: Sequence[Any],
    expected: Any | Callable[..., Any] | None = None,
    *,
    frameworks: Sequence[str] | None = None,
    rtol: float | None = None,
    atol: float = 0.0,
) -> Report:
    """Run an equation on every installed framework and compare the results with the expected one.

    >>> import numpy as np
    >>> a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    >>> print(check_einsum("ij,jk->ik", [a, b], np.matmul, frameworks=["numpy"]))
    ij,jk->ik
    framework  shape   dtype    greatest difference
    numpy      (2, 4)  float64  0

    Args:
        equation: the equation, as text.
        operands: NumPy arrays or nested lists; they are converted to each framework's own tensors.
        expected: an array, or a function that takes the NumPy operands and returns an array; if None, the
            result of the first framework, which is NumPy unless ``frameworks`` begins with another one.
        frameworks: names of the frameworks; if None, all installed ones that have the operands' dtypes.
        rtol: relative tolerance; if None, the default for the result's dtype, `RTOL`: 0 for integers and
            bool.
        atol: absolute tolerance; if 0, ``rtol`` times the greatest expected absolute value.

    Returns:
        A `Report` with one `Result` for each framework.

    Raises:
        AssertionError: a result is wrong; the message names the framework and the first wrong element.
        EinsumError: `einsum` raised this error on a framework.
        ValueError: a framework has no adapter or is not installed.
    """
    arrays = [np.asarray(x) for x in operands]
    want = expected(*arrays) if callable(expected) else expected
    results: list[Result] = []
    for name in _chosen(frameworks, arrays):
        backend = dispatch.load(name)
        tensor = einsum(equation, *(to_framework(x, backend) for x in arrays))
        got = np.asarray(backend.to_numpy(tensor))
        want = np.asarray(got if want is None else want)
        dtype = dtypes.name_of(tensor.dtype)
        results.append(Result(name, got.shape, dtype, greatest_difference(got, want)))
        tolerance = RTOL.get(dtype, 0.0) if rtol is None else rtol
        _compare(Report(equation, tuple(results)), name, got, want, tolerance, atol)
    return Report(equation, tuple(results))


def _chosen(frameworks: Sequence[str] | None, arrays: Sequence[Any]) -> Sequence[str]:
    if frameworks is None:
        names = {array.dtype.name for array in arrays}
        return [name for name in dispatch.usable() if all(map(dispatch.load(name).dtype_from_name, names))]
    installed = dispatch.installed()
    unknown = [name for name in frameworks if name not in installed]
    if unknown:
        raise ValueError(
            f"{quoted(unknown[0])} is not installed or has no adapter; installed are {', '.join(installed)}"
        )
    return frameworks


def to_framework(array: Any, backend: Backend) -> Any:
    """Return a NumPy array as a tensor of a framework, in the same dtype.

    Raises `OperandTypeError` if the framework does not have the dtype.
    """
    dtype = backend.dtype_from_name(array.dtype.name)
    if dtype is None:
        raise OperandTypeError(f"{backend.name} has no dtype {array.dtype.name}")
    return backend.asarray(array, array, dtype)


def greatest_difference(got: Any, want: Any) -> float:
    """Return the greatest absolute difference between two arrays; infinite if their shapes differ."""
    if got.shape != want.shape:
        return float("inf")
    if got.dtype == bool and want.dtype == bool:
        return float((got != want).any())
    both_nan = np.isnan(got) & np.isnan(want)
    return float(np.max(np.where(both_nan, 0, np.abs(_wide(got) - _wide(want))), initial=0))


def _wide(x: Any) -> Any:
    # Unsigned and narrow integers would wrap around when subtracted.
    return x if x.dtype.kind in "fcO" else x.astype(np.float64)


def _compare(report: Report, name: str, got: Any, want: Any, rtol: float, atol: float) -> None:
    if got.shape != want.shape:
        raise AssertionError(f"{name}: the shape is {got.shape} but {want.shape} is expected\n{report}")
    scale = float(np.max(np.abs(_wide(want)), initial=0, where=np.isfinite(want)))
    close = np.isclose(got, want, rtol=rtol, atol=atol or rtol * scale, equal_nan=True)
    if not close.all():
        index = tuple(int(i) for i in np.argwhere(~close)[0])
        raise AssertionError(
            f"{name}: element {index} is {got[index]} but {want[index]} is expected\n{report}"
        )
