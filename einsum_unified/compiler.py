"""Compile a `Program` to one straight-line Python function, as attrs and dataclasses make methods.

Only register numbers and the names of adapter functions enter the text; everything else, such as a dtype
or the sizes of a reshape, reaches it as an object by the name of a constant. Nothing of an equation does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from types import CodeType
from typing import Any

from einsum_unified.operands import in_range
from einsum_unified.primitives import Backend, Instruction, Program

_OWN = {"in_range": in_range, "unbox": lambda x: x[()] if hasattr(x, "shape") else x}


def compile_program(program: Program, backend: Backend) -> tuple[Callable[..., Any], str]:
    """Return the function that runs a program with an adapter's functions, and its text."""
    constants: dict[str, Any] = {}
    names = {register: f"a{register}" for register in range(program.operands)}
    free: list[str] = []
    last_use = _last_uses(program)
    lines = []
    for number, instruction in enumerate(program.instructions):
        call = _call(instruction, names, constants, backend)
        # A name is used again once its value is dead: that frees the value's memory, too.
        free += [
            names.pop(register)
            for register in dict.fromkeys(instruction.sources)
            if register >= program.operands and last_use[register] == number
        ]
        if instruction.target < 0:
            lines.append(f"    {call}")
            continue
        if instruction.target == program.result:
            lines.append(f"    return {call}")
            break
        name = free.pop() if free else f"t{sum(n.startswith('t') for n in names.values())}"
        names[instruction.target] = name
        lines.append(f"    {name} = {call}")
    else:
        lines.append(f"    return {names[program.result]}")
    parameters = ", ".join(f"a{n}" for n in range(program.operands))
    source = "\n".join([f"def run({parameters}):", *lines])
    return _evaluated(source, program, backend, constants), _shown(source, constants)


def _last_uses(program: Program) -> dict[int, int]:
    uses = {source: n for n, instruction in enumerate(program.instructions) for source in instruction.sources}
    return {**uses, program.result: len(program.instructions)}


def _call(
    instruction: Instruction, names: dict[int, str], constants: dict[str, Any], backend: Backend
) -> str:
    arguments = [names[register] for register in instruction.sources]
    for field, value in instruction.arguments().items():
        if field == "dtype" and instruction.function not in _OWN:
            value = backend.dtype_from_name(str(value))
        constant = _constant(value, constants)
        arguments.append(constant if field != "equation" else f"{field}={constant}")
    return f"{instruction.function}({', '.join(arguments)})"


def _constant(value: Any, constants: dict[str, Any]) -> str:
    for name, known in constants.items():
        if known is value or (isinstance(value, tuple) and known == value):
            return name
    name = f"c{len(constants)}"
    constants[name] = value
    return name


def _shown(source: str, constants: dict[str, Any]) -> str:
    """Return the text with integers in the place of their constants, as people want to read it."""
    numbers = {name: repr(x) for name, x in constants.items() if isinstance(x, (int, tuple))}
    return re.sub(r"\bc\d+\b", lambda found: numbers.get(found[0], found[0]), source)


@lru_cache(maxsize=512)
def _code(source: str) -> CodeType:
    """Compile a text; sizes are not in it, so the same steps on other sizes need no compiling."""
    return compile(source, "<einsum_unified plan>", "exec")


def _evaluated(
    source: str, program: Program, backend: Backend, constants: dict[str, Any]
) -> Callable[..., Any]:
    functions = {
        i.function: _OWN.get(i.function) or getattr(backend, i.function) for i in program.instructions
    }
    namespace: dict[str, Any] = {**functions, **constants}
    exec(_code(source), namespace)
    return backend.finish(namespace["run"])
