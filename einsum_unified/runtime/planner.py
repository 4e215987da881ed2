"""Make an `Executable`: parse, choose the adapter, bind, find a path, lower, compile."""

from __future__ import annotations

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
from einsum_unified.planning.path import Path, Strategy, find_path
from einsum_unified.planning.stored import Densities, find_sparse_path
from einsum_unified.program.compiler import compile_program
from einsum_unified.runtime.executable import Executable
from einsum_unified.runtime.options import Options
from einsum_unified.runtime.signature import Signature, operand_of


def make_executable(
    equation: str | Sublists,
    options: Options,
    signatures: tuple[Signature, ...],
    densities: Densities,
    table: Table,
) -> Executable:
    """Return the executable for operands of these signatures, with the adapters of a table.

    It depends on nothing else, and can be cached.

    It runs on operands of any densities; for those that are given its path is the cheapest.

    Raises the errors of `einsum`, and `Unprepared` for operands that have to be turned into arrays first.
    """
    parsed = parse(equation)
    classes = [cls for cls, _, _ in signatures]
    backend = backend_for(classes, table)
    operands = [operand_of(signature, backend, table) for signature in signatures]
    bound = bind(parsed, operands, backend, options.dtype, dict(options.hints))
    if options.strict:
        check_operands(bound, backend)
    path = _path(bound, options.strategy, densities)
    if options.keywords:
        backend = backend.configured(dict(options.keywords))
    program = lower(bound, path, backend.capabilities)
    run, source = compile_program(program, backend, classes)
    if options.dtype is not None and backend.capabilities.autocast:
        run = _exactly(run, backend)
    return Executable(
        parsed, options, signatures, table, backend, bound, path, program, source, run, densities
    )


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
