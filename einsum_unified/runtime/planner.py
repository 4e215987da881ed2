"""Make an `Executable`: parse, choose the adapter, bind, find a path, lower, compile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from einsum_unified.adapter import Backend
from einsum_unified.adapter.dispatch import backend_for
from einsum_unified.adapter.registry import Table
from einsum_unified.binding.bind import bind
from einsum_unified.binding.bound import Bound
from einsum_unified.binding.strict import check_operands
from einsum_unified.language.equation import parse
from einsum_unified.language.sublists import Sublists
from einsum_unified.planning.lowering import lower
from einsum_unified.planning.path import find_path
from einsum_unified.planning.steps import Path
from einsum_unified.planning.stored import Densities, find_sparse_path
from einsum_unified.planning.strategy import Strategy
from einsum_unified.program.compiler import Compiled, compile_program
from einsum_unified.program.primitives import Program
from einsum_unified.runtime.executable import Executable
from einsum_unified.runtime.options import Options
from einsum_unified.runtime.settings import Settings, settings_for
from einsum_unified.runtime.signature import Signature, operand_of

_RENEWED = 16
"""The number of other settings for which an executable is kept."""


def make_executable(
    equation: str | Sublists,
    options: Options,
    signatures: tuple[Signature, ...],
    densities: Densities,
    table: Table,
    path: Path | None = None,
) -> Executable:
    """Return the executable for operands of these signatures, with the adapters of a table.

    With a ``path`` it is that for a path that was found before.

    It runs on operands of any densities; for those that are given its path is the cheapest. It depends on
    nothing else but its `settings`, so it can be cached: see `current`. Raises the errors of
    `einsum`, and `Unprepared` for operands that have to be turned into arrays first.
    """
    parsed = parse(equation)
    classes = [cls for cls, _, _ in signatures]
    backend = backend_for(classes, table)
    operands = [operand_of(signature, backend, table) for signature in signatures]
    settings = settings_for(operands, backend, options.dtype)  # read before anything depends on them
    bound = bind(parsed, operands, backend, options.dtype, dict(options.hints))
    if options.strict:
        check_operands(bound, backend)
    path = path or _path(bound, options.strategy, densities)
    if options.keywords:
        backend = backend.configured(dict(options.keywords))
    program = lower(bound, path, backend.capabilities)
    run, source, _ = compiled(program, backend, options, classes, settings)
    return Executable(
        parsed, options, signatures, table, backend, bound, path, program, source, run, settings, densities
    )


def compiled(
    program: Program,
    backend: Backend,
    options: Options,
    classes: Sequence[type],
    settings: Settings | None = None,
    *,
    sizes_given: bool = False,
) -> Compiled:
    """Return the compiled program, which ignores autocast if the options have a dtype."""
    checked = settings.checked if settings is not None else None
    found = compile_program(program, backend, classes, checked, sizes_given)
    if options.dtype is None or not backend.capabilities.autocast:
        return found
    return found._replace(run=_exactly(found.run, backend))


def current(executable: Executable) -> Executable:
    """Return the executable for the framework's present settings: itself, or the same call planned again."""
    settings = executable.settings
    if settings is None:
        return executable
    now = settings.read()
    if now == settings.planned:
        return executable
    found = executable.renewed.get(now)
    if found is None:
        asked = executable.equation.key, executable.options, executable.signatures, executable.densities
        made = make_executable(*asked, executable.table, executable.path)
        if len(executable.renewed) >= _RENEWED - 1:
            executable.renewed.clear()
        # They share the plans of all values, also that of the first: no switch back makes it again.
        executable.renewed[settings.planned] = executable
        found = executable.renewed[now] = replace(made, renewed=executable.renewed)
    return found


def _path(bound: Bound, strategy: Strategy, densities: Densities) -> Path:
    if bound.unranked:
        return (tuple(range(len(bound.operands))),)
    sizes = tuple(map(int, bound.sizes))
    if densities:
        return find_sparse_path(bound.reduced(), bound.output, sizes, densities)
    return find_path(bound.reduced(), bound.output, sizes, strategy)


def _exactly(run: Any, adapter: Backend) -> Any:
    declared: Any = adapter  # only adapters with the capability `autocast` have `exactly`
    return declared.exactly(run)
