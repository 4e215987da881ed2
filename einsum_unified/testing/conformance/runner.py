"""Run cases of the corpus on a library, with `einsum_unified.einsum` or a function called like it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

import einsum_unified.testing.conformance.reference as reference
from einsum_unified import dtypes
from einsum_unified.adapter import dispatch, registry
from einsum_unified.api import einsum
from einsum_unified.errors import OperandTypeError
from einsum_unified.memory import forget_all
from einsum_unified.testing.conformance.cases import (
    PECULIAR,
    Argument,
    Case,
    argument_of,
    corpus,
    numpy_dtype,
)
from einsum_unified.testing.conformance.makers import Library, library_of
from einsum_unified.wording import clipped

_LONGEST_REASON = 200
"""The number of characters of a framework's message that a reason shows."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of a case."""

    id: str
    row: int
    status: str
    """``passed``, ``failed`` or ``gap``."""
    reason: str = ""
    """Why it failed, or why the library lacks the needed feature, in one line."""
    feature: str = ""
    """The missing feature if the status is ``gap``."""


class Failure(Exception):  # noqa: N818 - of a case, not of the kit
    """A result is wrong; the message says how."""


def run(
    library: str | Library, cases: Iterable[Case] | None = None, function: Callable[..., Any] | None = None
) -> list[Outcome]:
    """Run some cases, or the whole corpus if None, on a library.

    A ``function`` is called instead of `einsum_unified.einsum`. Because it has its own errors, any exception
    counts as the expected error.

    >>> outcomes = run("numpy")
    >>> {outcome.status for outcome in outcomes if outcome.row == 3}
    {'passed'}
    """
    library = library_of(library) if isinstance(library, str) else library
    return [run_case(case, library, function) for case in (corpus() if cases is None else cases)]


def run_case(case: Case, library: Library, function: Callable[..., Any] | None = None) -> Outcome:
    """Run one case on a library."""
    if library.dtype != "float32":
        case = case.with_dtype(library.dtype)
    lacking = _lacking(case, library)
    with warnings.catch_warnings(record=True) as caught, _in_use(library):
        warnings.simplefilter("always")
        try:
            if lacking is None:
                _Run(case, library, function).check(caught)
            elif function is None or lacking[0] == "out":
                _Run(case, library, function).check_gap(lacking[0])
        except Failure as failure:
            return Outcome(case.id, case.row, "failed", str(failure))
    if lacking is not None:
        return Outcome(case.id, case.row, "gap", lacking[1], lacking[0])
    return Outcome(case.id, case.row, "passed")


def _in_use(library: Library) -> AbstractContextManager[None]:
    """Let `einsum` find the adapter for the duration of the block if only the kit knows it."""
    if library.registered:
        return nullcontext()
    x, table = library.example(), registry.table
    # The kit's own in another thread may end before this one does.
    if not table.loans and dispatch.backend_of(type(x), x, table) is library.adapter:
        return nullcontext()
    return registry.registered(type(x), library.adapter, forget_all)


def _lacking(case: Case, library: Library) -> tuple[str, str] | None:
    """Return the first feature that a case needs and the library lacks, and the reason."""
    gaps = {**library.adapter.capabilities.gaps, **library.gaps}
    for feature in case.features():
        if feature in gaps:
            return feature, gaps[feature]
        reason = _no_dtype(feature, library) if dtypes.kind_of(feature) else _no_feature(feature, library)
        if reason:
            return feature, reason
    results = case.expect.get("dtype", [])
    if not isinstance(results, str) and results and all(map(library.lacks, results)):
        return results[0], _no_dtype(results[0], library)
    return None


def _no_dtype(name: str, library: Library) -> str:
    if numpy_dtype(name) is None:
        return "making these operands needs ml_dtypes"
    return f"{library.adapter.name} cannot compute with this dtype" if library.lacks(name) else ""


def _no_feature(feature: str, library: Library) -> str:
    if feature == "gradients":
        return "" if library.gradients else "the kit does not test derivatives of this library"
    return (
        "" if getattr(library.adapter.capabilities, feature, True) else f"capabilities.{feature} is not set"
    )


class _Run:
    """One case on one library: makes the operands, calls einsum, and checks the outcome."""

    def __init__(self, case: Case, library: Library, function: Callable[..., Any] | None) -> None:
        self.case = case
        self.library = library
        self.own = function is None
        self.function = function or einsum

    def check(self, caught: list[warnings.WarningMessage]) -> None:
        """Raise `Failure` unless the outcome is as expected."""
        self.make()
        try:
            result = self._call()
        except Exception as error:
            self._check_error(error)
        else:
            try:
                self._check_result(result, caught)
            except Failure:
                raise
            except Exception as error:
                raise Failure(f"the result cannot be checked: {_line(error)}") from error
        self._check_untouched()

    def check_gap(self, feature: str) -> None:
        """Raise `Failure` unless asking for the missing feature raises an error."""
        if feature == "out":
            self.make()
            self._expect_refusal(lambda: self._call())
        elif dtypes.kind_of(feature) and feature not in self.library.gaps:
            x = self.library.example()
            self._expect_refusal(lambda: self.function("i->", x, dtype=feature))

    def _expect_refusal(self, call: Callable[[], Any]) -> None:
        try:
            call()
        except Exception as error:
            if self.own and not isinstance(error, OperandTypeError):
                raise Failure(f"the missing feature raises {_line(error)}, not OperandTypeError") from None
        else:
            raise Failure("the feature declared as missing raises no error")

    # --- the call ---------------------------------------------------------------------------------------

    def make(self) -> None:
        """Make the operands and ``out=``."""
        case = self.case
        with np.errstate(all="ignore"):
            self.arrays = [None if _is_python(x) else x.array(n) for n, x in enumerate(case.operands)]
        try:
            self.operands = [self._made(x, n) for n, x in enumerate(case.operands)]
            self.options = dict(case.options)
            if "out" in self.options:
                self.options["out"] = self._out(self.options["out"])
        except Exception as error:
            raise Failure(f"an operand cannot be made: {_line(error)}") from error

    def _made(self, x: Argument, number: int) -> Any:
        if _is_python(x):
            return x.python()
        array = self.arrays[number]
        return self.library.tensor(array) if x.kind == "tensor" else PECULIAR[x.kind](array)

    def _out(self, item: Any) -> Any:
        if "operand" in item:
            return self.operands[item["operand"]]
        spec = argument_of(item)
        return spec.python() if _is_python(spec) else self.library.tensor(_ones(spec))

    def _call(self) -> Any:
        return self.function(*self.case.arguments(self.operands), **self.options)

    # --- errors -----------------------------------------------------------------------------------------

    def _check_error(self, error: Exception) -> None:
        wanted = self.case.expect.get("error")
        if wanted is None:
            raise Failure(f"raises {_line(error)}") from error
        if not self.own:
            return
        if type(error).__name__ != wanted:
            raise Failure(f"raises {_line(error)}, not {wanted}") from error
        for text in self.case.expect["says"]:
            text = text.replace("{library}", self.library.adapter.name)
            if text not in str(error):
                raise Failure(f"the error message {str(error)!r} does not contain {text!r}")

    def _check_untouched(self) -> None:
        """Check that operands, and out= after an error, are unchanged, if tensors can be written to."""
        written = {"filled", "view"} & set(self.case.expect)
        if written or not self.library.adapter.capabilities.out:
            return
        for number, spec in enumerate(self.case.operands):
            if spec.kind == "tensor" and _differs(
                self.library.numpy(self.operands[number]), self.arrays[number]
            ):
                raise Failure(f"operand {number} has been changed")
        out = self.case.options.get("out")
        if out is None or "error" not in self.case.expect or _is_python(argument_of(out)):
            return
        if _differs(self.library.numpy(self.options["out"]), _ones(argument_of(out))):
            raise Failure("out= has been changed before an error")

    # --- results ----------------------------------------------------------------------------------------

    def _check_result(self, result: Any, caught: list[warnings.WarningMessage]) -> None:
        expect = self.case.expect
        if "error" in expect:
            raise Failure(f"raises no error; expected {expect['error']} {expect['says'][:1]}")
        self._check_type(result)
        dtype = self._dtype()
        try:
            found = dtypes.name_of(result.dtype)
        except (AttributeError, TypeError):
            raise Failure(f"the result, a {type(result).__name__}, has no dtype") from None
        if found != dtype:
            raise Failure(f"the dtype is {found}, not {dtype}")
        self._check_values(result, dtype)
        if "warns" in expect and not any(expect["warns"] in str(w.message) for w in caught):
            raise Failure(f"there is no warning: {expect['warns']}")
        if expect.get("scalar") and not isinstance(result, np.generic):
            raise Failure(f"the result is a {type(result).__name__}, not a scalar")
        if expect.get("contiguous") and self.library.adapter.contiguous(result) is not result:
            raise Failure("the result is not C-contiguous")
        if expect.get("filled") and result is not self.options["out"]:
            raise Failure("the returned array is not out=")
        if expect.get("twice") and _differs(self._read(self._call()), self._read(result)):
            raise Failure("the same call gives another result")
        if expect.get("view"):
            self._check_view(result)
        if expect.get("gradients"):
            self._check_gradients(result)

    def _check_type(self, result: Any) -> None:
        """Check that the result belongs to the library if an operand does, and to NumPy otherwise."""
        classes = [
            type(x)
            for x, spec in zip(self.operands, self.case.operands, strict=True)
            if spec.kind == "tensor"
        ]
        adapter = self.library.adapter
        if isinstance(result, np.generic):
            right = adapter.capabilities.scalars or not classes
        elif classes:
            right = type(result) in classes or dispatch.backend_of(type(result), result) is adapter
        else:
            right = isinstance(result, np.ndarray) or not self.own
        if not right:
            raise Failure(f"the result is a {type(result).__module__}.{type(result).__name__}")

    def _dtype(self) -> str:
        """Return the expected dtype; of several, the one that the library's own promotion table gives."""
        expected = self.case.expect["dtype"]
        if isinstance(expected, str):
            return expected
        strong = [x.dtype for x in self.case.operands if not _is_python(x)]
        weak = [_weak_type(x.python()) for x in self.case.operands if _is_python(x)]
        own = self.library.adapter.result_type(tuple(dict.fromkeys(strong)), tuple(weak))
        if own not in expected:
            raise Failure(f"result_type returns {own}, which is not among {expected}")
        return own

    def _check_values(self, result: Any, dtype: str) -> None:
        arrays = [
            np.asarray(x.python()) if array is None else array
            for x, array in zip(self.case.operands, self.arrays, strict=True)
        ]
        expected = reference.expected(self.case.expect["means"], arrays, dtype)
        difference = expected.difference(reference.widened(self._read(result)))
        if difference:
            raise Failure(difference)

    def _read(self, result: Any) -> Any:
        if any(x.kind == "tensor" for x in self.case.operands):
            return self.library.numpy(result)
        return np.asarray(result)

    def _check_view(self, result: Any) -> None:
        """Check that writing into the result changes the operand."""
        try:
            sevens = np.full(tuple(result.shape), 7, self.library.dtype)
            self.library.adapter.copy_into(result, self.library.tensor(sevens))
        except Exception as error:
            raise Failure(f"the result cannot be written to: {_line(error)}") from error
        if not (self.library.numpy(self.operands[0]) == 7).any():
            raise Failure("the result is not a view of the operand")

    def _check_gradients(self, result: Any) -> None:
        adapter, gradients = self.library.adapter, self.library.gradients
        assert gradients is not None
        means = self.case.expect["means"]
        weights = Argument(shape=tuple(result.shape), dtype=self.library.dtype).array(len(self.operands))
        weighted = adapter.asarray(weights, weights, adapter.dtype_from_name(self.library.dtype))

        def scalar(*xs: Any) -> Any:
            y = adapter.multiply(self.function(*self.case.arguments(xs)), weighted)
            return adapter.sum(y, tuple(range(weights.ndim))) if weights.ndim else y

        try:
            found = gradients(scalar, self.operands)
        except Exception as error:
            raise Failure(f"the gradient raises {_line(error)}") from error
        for number, x in enumerate(found):
            if x is None:
                raise Failure(f"operand {number} has no gradient")
            want = reference.gradient(means, self.arrays, weights, number)
            difference = reference.Expected(want, 1e-5).difference(reference.widened(self.library.numpy(x)))
            if difference:
                raise Failure(f"in the gradient of operand {number} {difference}")


def _is_python(x: Argument) -> bool:
    return x.kind in ("python", "complex")


def _ones(x: Argument) -> Any:
    return np.ones(x.shape, numpy_dtype(x.dtype))


def _weak_type(x: Any) -> type:
    while isinstance(x, list):
        x = x[0]
    return type(x)


def _differs(a: Any, b: Any) -> bool:
    a, b = reference.widened(np.asarray(a)), reference.widened(np.asarray(b))
    return a.shape != b.shape or not ((a == b) | (np.not_equal(a, a) & np.not_equal(b, b))).all()


def _line(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {clipped(lines[0], _LONGEST_REASON)}"
