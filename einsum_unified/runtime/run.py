"""Run an `Executable`: fill ``out=``, and handle what a compiled program raises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from einsum_unified.adapter import Form, StalePlan
from einsum_unified.adapter.dispatch import recorder_for
from einsum_unified.binding.arrays import prepared
from einsum_unified.binding.bound import Bound
from einsum_unified.binding.operand import shown_shape
from einsum_unified.errors import EinsumError, OperandError
from einsum_unified.language.sublists import Sublists
from einsum_unified.planning.path import Path
from einsum_unified.runtime.cache import clear_cache, executable_for
from einsum_unified.runtime.executable import Executable
from einsum_unified.runtime.native import run_native
from einsum_unified.runtime.options import Keywords, Options
from einsum_unified.runtime.out import check_out, check_shape
from einsum_unified.runtime.signature import matches, prepared_signatures


class Recipe(NamedTuple):
    """What makes a plan again for other operands: `run_as_planned` takes these in front of the operands."""

    equation: str | Sublists
    shapes: tuple[Any, ...]
    path: Path
    dtype: Any
    keywords: Keywords
    strict: bool

    def options(self) -> Options:
        """Return what such a plan asks for."""
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
    """Contract operands, of any framework, as the plan of a `Recipe` says."""
    recipe = Recipe(equation, shapes, path, dtype, keywords, strict)
    recorder = recorder_for(operands)
    if recorder is not None:
        return recorder.record_plan(run_as_planned, recipe, operands, out)
    xs, classes = prepared(operands)
    executable = executable_for(equation, recipe.options(), prepared_signatures(xs, classes))
    check_planned(shapes, executable.bound)
    return execute(executable, xs, out)


def check_planned(shapes: Sequence[Any], bound: Bound) -> None:
    """Raise `OperandError` unless operands have the shapes that were planned, None standing for any size."""
    notes = [
        f"operand {n}: planned for {shown_shape(shape)}, given {operand}"
        for n, (shape, operand) in enumerate(zip(shapes, bound.operands, strict=True))
        if not matches(shape, operand.shape)
    ]
    if notes:
        headline = "the operands do not have the shapes of the plan"
        raise OperandError.of(headline, bound.equation.text, (), notes, rule="shapes of the plan")


def execute(executable: Executable, operands: Sequence[Any], out: Any = None) -> Any:
    """Run an executable on operands that fit it."""
    if out is not None:
        check_out(out, executable.bound, executable.backend)
    try:
        result = executable.run(*operands)
    except Exception as error:
        result = rescue(executable, operands, error)
    if out is None:
        return result
    if executable.bound.unknown:  # now they are
        check_shape(out, tuple(result.shape))
    executable.backend.copy_into(out, result)
    return out


def _renewed(stale: Executable) -> Executable:
    """Return an executable for the present setting of the framework."""
    asked = stale.equation.key, stale.options, stale.signatures
    found = executable_for(*asked)
    if found is stale:  # else it was made for the present setting, after a call that came before this one
        clear_cache()
        found = executable_for(*asked)
    return found


def rescue(executable: Executable, operands: Sequence[Any], error: Exception) -> Any:
    """Handle an exception of a compiled program.

    An executable that was made under another setting of the framework is made anew; special tensors (sparse,
    nested) go to the framework's own einsum; tensors on different devices get our error. Anything else is
    raised again.
    """
    if isinstance(error, StalePlan):
        return _renewed(executable).run(*operands)
    if isinstance(error, EinsumError):
        raise error
    if not any(executable.backend.hint(x) for x in operands):
        forms = [operand.form for operand in executable.bound.operands]
        tensors = [x for x, form in zip(operands, forms, strict=True) if form is Form.TENSOR]
        if len(tensors) > 1:
            executable.backend.same_device(*tensors)
        raise error
    return run_native(executable.equation, operands, executable.backend, error)
