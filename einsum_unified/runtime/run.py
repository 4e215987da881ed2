"""Run an `Executable`: fill ``out=``, and handle exceptions of compiled programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from einsum_unified.adapter import Form, registry
from einsum_unified.adapter.dispatch import recorder_for
from einsum_unified.binding.arrays import prepared
from einsum_unified.binding.bound import Bound
from einsum_unified.binding.operand import shown_shape
from einsum_unified.errors import EinsumError, OperandError
from einsum_unified.language.sublists import Sublists
from einsum_unified.planning.steps import Path
from einsum_unified.runtime.cache import Entry, executable_for
from einsum_unified.runtime.executable import Executable
from einsum_unified.runtime.native import hint_of, run_special
from einsum_unified.runtime.options import Keywords, Options
from einsum_unified.runtime.out import check_out, check_shape
from einsum_unified.runtime.planner import current
from einsum_unified.runtime.settings import StalePlan
from einsum_unified.runtime.signature import matches, prepared_signatures
from einsum_unified.wording import numbered_lines


class Recipe(NamedTuple):
    """The data to make a plan for other operands: the first arguments of `run_as_planned`."""

    equation: str | Sublists
    shapes: tuple[Any, ...]
    path: Path
    dtype: Any
    keywords: Keywords
    strict: bool

    def options(self) -> Options:
        """Return the options of such a plan, with its path as ``optimize=``."""
        optimize = ("einsum_path", *self.path)
        return Options.of(optimize, self.dtype, strict=self.strict, keywords=dict(self.keywords))


def run_as_planned(
    equation: str | Sublists,
    shapes: tuple[Any, ...],
    path: Path,
    dtype: Any,
    keywords: Keywords,
    strict: bool,
    *operands: Any,
    out: Any = None,
) -> Any:
    """Contract operands of any framework with the plan that a `Recipe`'s fields describe."""
    recipe = Recipe(equation, shapes, path, dtype, keywords, strict)
    recorder = recorder_for(operands)
    if recorder is not None:
        return recorder.record_plan(run_as_planned, recipe, operands, out)
    table = registry.table
    xs, classes = prepared(operands, table)
    executable = executable_for(equation, recipe.options(), prepared_signatures(xs, classes), table=table)
    check_planned(shapes, executable.bound)
    return execute(executable, xs, out)


def check_planned(shapes: Sequence[Any], bound: Bound) -> None:
    """Raise `OperandError` unless operands have the planned shapes, in which None matches any size."""
    others = [
        n
        for n, (shape, operand) in enumerate(zip(shapes, bound.operands, strict=True))
        if not matches(shape, operand.shape)
    ]
    if others:
        notes = numbered_lines(
            others, lambda n: f"operand {n}: planned for {shown_shape(shapes[n])}, given {bound.operands[n]}"
        )
        headline = "the operands do not have the shapes of the plan"
        raise OperandError.of(headline, bound.equation.text, (), notes, rule="shapes of the plan")


def execute(executable: Executable, operands: Sequence[Any], out: Any = None) -> Any:
    """Run an executable on operands that fit it, or the one that replaces it under the present settings."""
    executable = current(executable)
    if out is None:
        return _run(executable, operands)
    shape = executable.bound.shape
    check_out(out, shape, executable.bound.dtype, executable.backend, executable.table)
    result = _run(executable, operands)
    if shape is None:  # check_out could not check it
        check_shape(out, tuple(result.shape))
    executable.backend.copy_into(out, result)
    return out


def fill(entry: Entry, operands: Sequence[Any], out: Any) -> Any:
    """Run the entry of a cache, and fill ``out`` with the result."""
    backend = entry.backend_to_fill(out)
    try:
        result = entry.run(*operands)
    except Exception:  # stale settings, or an error that `execute` handles
        return execute(entry.executable, entry.prepared(operands), out)
    shape = tuple(getattr(result, "shape", ()))  # a number of Python, from objects, has none
    if shape != tuple(out.shape):  # it was not known before
        check_shape(out, shape)
    backend.copy_into(out, result)
    return out


def _run(executable: Executable, operands: Sequence[Any]) -> Any:
    try:
        return executable.run(*operands)
    except StalePlan:  # another thread changed a setting in between
        pass
    except Exception as error:
        return rescue(executable, operands, error)
    return _run(current(executable), operands)


def rescue(executable: Executable, operands: Sequence[Any], error: Exception) -> Any:
    """Handle an exception of a compiled program, in the ``except`` clause that caught it.

    If operands are special tensors (sparse, nested), fall back to the framework's own einsum. If tensors are
    on different devices, raise our error for that. Otherwise raise the exception again: nothing that goes
    wrong here may hide it.
    """
    try:
        if isinstance(error, EinsumError):
            raise error
        if any(hint_of(x, executable.backend) for x in operands):
            return run_special(executable.bound, operands, executable.backend, error)
        _check_devices(executable, operands)
        raise error
    finally:
        del error  # its traceback leads to this frame: a cycle would keep the operands alive


def _check_devices(executable: Executable, operands: Sequence[Any]) -> None:
    """Raise our error if tensors are on different devices. A tracer may refuse to say where it is."""
    forms = [operand.form for operand in executable.bound.operands]
    tensors = [x for x, form in zip(operands, forms, strict=True) if form is Form.TENSOR]
    if len(tensors) > 1:
        try:
            executable.backend.same_device(*tensors)
        except EinsumError:
            raise
        except Exception:
            pass  # the caller raises the exception that matters
