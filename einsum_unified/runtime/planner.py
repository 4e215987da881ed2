"""Make an `Executable`: parse, choose the adapter, bind, find a path, lower, compile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from einsum_unified.adapter import Backend
from einsum_unified.adapter.dispatch import backend_for
from einsum_unified.binding.bind import bind
from einsum_unified.binding.bound import Bound
from einsum_unified.binding.strict import check_operands
from einsum_unified.language.equation import parse
from einsum_unified.language.sublists import Sublists
from einsum_unified.planning.lowering import lower
from einsum_unified.planning.path import Path, Strategy, find_path
from einsum_unified.program.compiler import Compiled, compile_program
from einsum_unified.program.primitives import Program
from einsum_unified.runtime.executable import Executable
from einsum_unified.runtime.options import Options
from einsum_unified.runtime.signature import Signature, operand_of


def make_executable(
    equation: str | Sublists, options: Options, signatures: tuple[Signature, ...]
) -> Executable:
    """Return the executable for operands of these signatures. It depends on nothing else, and can be cached.

    Raises the errors of `einsum`, and `Unprepared` for operands that have to be turned into arrays first.
    """
    parsed = parse(equation)
    classes = [cls for cls, _, _ in signatures]
    backend = backend_for(classes)
    operands = [operand_of(signature, backend) for signature in signatures]
    bound = bind(parsed, operands, backend, options.dtype, dict(options.hints))
    if options.strict:
        check_operands(bound, backend)
    path = _path(bound, options.strategy)
    if options.keywords:
        backend = backend.configured(dict(options.keywords))
    program = lower(bound, path, backend.capabilities)
    run, source, _ = compiled(program, backend, options, classes)
    return Executable(parsed, options, signatures, backend, bound, path, program, source, run)


def compiled(
    program: Program,
    backend: Backend,
    options: Options,
    classes: Sequence[type],
    *,
    sizes_given: bool = False,
) -> Compiled:
    """Return the compiled program, which ignores autocast if the options have a dtype."""
    found = compile_program(program, backend, classes, sizes_given=sizes_given)
    if options.dtype is None or not backend.capabilities.autocast:
        return found
    return found._replace(run=_exactly(found.run, backend))


def _path(bound: Bound, strategy: Strategy) -> Path:
    """Return the path that a strategy finds for a bound equation."""
    if bound.unranked:
        return (tuple(range(len(bound.operands))),)
    return find_path(bound.reduced(), bound.output, tuple(map(int, bound.sizes)), strategy)


def _exactly(run: Any, adapter: Backend) -> Any:
    declared: Any = adapter  # only adapters with the capability `autocast` have `exactly`
    return declared.exactly(run)
