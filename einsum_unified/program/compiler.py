"""Compile a `Program` to one straight-line Python function, as attrs and dataclasses make methods.

The source text contains only register numbers, names of adapter functions and names of constants. Everything
else, such as a dtype or the sizes of a reshape, is an object to which a constant's name refers. No text of an
equation enters the source.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType
from typing import Any, NamedTuple

from einsum_unified.adapter import Backend
from einsum_unified.language.sizes import Reading, Size, is_known
from einsum_unified.memory import charge, forgets
from einsum_unified.program.in_range import in_range
from einsum_unified.program.primitives import Instruction, Native, Program
from einsum_unified.wording import in_tuple

_OWN = {"in_range": in_range, "unbox": lambda x: x[()] if hasattr(x, "shape") else x}

_FACTORS = 100
"""The greatest number of factors in an expression. Python's compiler calls itself for each of them."""


_SHORT = 1000
"""The greatest number of characters of a short source: 512 of them and their code take 3 MB at most."""


class Compiled(NamedTuple):
    """A compiled program."""

    run: Callable[..., Any]
    """The function of the operands; before them it takes the ``sizes``."""
    source: str
    sizes: tuple[Reading, ...]
    """The sizes that are given and not read, in the order of the parameters."""


def compile_program(
    program: Program,
    backend: Backend,
    classes: Sequence[type] = (),
    checked: Callable[[Callable[..., Any]], Callable[..., Any]] | None = None,
    sizes_given: bool = False,
) -> Compiled:
    """Return the function that runs a program with an adapter's functions.

    ``classes`` are the classes of the operands; an adapter may finish the function differently for them.
    ``checked`` adds a check to the function before that. With ``sizes_given`` the function takes the unknown
    sizes as arguments, and does not read them from operands.
    """
    body = _Body(backend, sizes_given)
    names = {register: f"a{register}" for register in range(program.operands)}
    free: list[str] = []
    made = 0
    last_use = program.last_uses()
    for number, instruction in enumerate(program.instructions):
        call = body.call(instruction, names)
        # Names are reused once their value is not needed any more: this also frees the value's memory.
        free += [
            names.pop(register)
            for register in dict.fromkeys(instruction.sources)
            if register >= program.operands and last_use[register] == number
        ]
        if instruction.target < 0:
            body.lines.append(call)
            continue
        if instruction.target == program.result:
            body.lines.append(f"return {call}")
            break
        if free:
            name = free.pop()
        else:
            name = f"t{made}"
            made += 1
        names[instruction.target] = name
        body.lines.append(f"{name} = {call}")
    else:
        body.lines.append(f"return {names[program.result]}")
    given = tuple(body.sizes) if sizes_given else ()
    parameters = ", ".join([*map(body.sizes.__getitem__, given), *(f"a{n}" for n in range(program.operands))])
    source = "\n    ".join([f"def run({parameters}):", *body.lines])
    run = _evaluated(source, body)
    finished = backend.finish(checked(run) if checked else run, classes)
    return Compiled(finished, _shown(source, body.constants), given)


@dataclass
class _Body:
    """The lines of the function, and the objects that its names refer to."""

    backend: Backend
    sizes_given: bool
    lines: list[str] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)
    named: dict[Any, str] = field(default_factory=dict)
    """The name of each constant: of a tuple by its value, of any other object by its identity."""
    functions: dict[str, Any] = field(default_factory=dict)
    natives: int = 0
    """The number of names for the framework's own einsum so far."""
    sizes: dict[Reading, str] = field(default_factory=dict)
    """The names of the sizes that the lines have used so far."""
    products: int = 0
    """The number of names for parts of long products of sizes so far."""

    def call(self, instruction: Instruction, names: dict[int, str]) -> str:
        """Return the text of the call that executes an instruction."""
        arguments = [names[register] for register in instruction.sources]
        if isinstance(instruction, Native):
            return f"{self._native(instruction)}({', '.join(arguments)})"
        for name, value in instruction.arguments().items():
            if name == "dtype" and instruction.function not in _OWN:
                value = self.backend.dtype_from_name(str(value))
            arguments.append(self._shape(value) if isinstance(value, tuple) else self._constant(value))
        return f"{self._function(instruction.function)}({', '.join(arguments)})"

    def _function(self, name: str) -> str:
        self.functions[name] = _OWN.get(name) or getattr(self.backend, name)
        return name

    def _native(self, instruction: Native) -> str:
        """Return a name for the framework's own einsum of one equation; the adapter makes it here, once."""
        name = f"native{self.natives}"
        self.natives += 1
        self.functions[name] = self.backend.native(instruction.terms, instruction.output)
        return name

    def _constant(self, value: Any) -> str:
        # An id is not taken by another object meanwhile, because `constants` keeps this one alive.
        key = value if isinstance(value, tuple) else id(value)
        name = self.named.get(key)
        if name is None:
            name = self.named[key] = f"c{len(self.constants)}"
            self.constants[name] = value
        return name

    def _shape(self, shape: tuple[int, ...]) -> str:
        """Return the name of a constant if all sizes are known, else the text of a tuple."""
        if all(map(is_known, shape)):
            return self._constant(shape)
        return in_tuple([self._size(size) for size in shape])

    def _size(self, size: int) -> str:
        if not isinstance(size, Size):
            return self._constant(size)
        factors = [self._read(reading) for reading in size.readings]
        return self._product(factors if size.known == 1 else [*factors, self._constant(size.known)])

    def _product(self, factors: list[str]) -> str:
        """Return the text of a product; a long one has lines of its own, since Python limits nesting."""
        while len(factors) > _FACTORS:
            name = f"p{self.products}"
            self.products += 1
            self.lines.append(f"{name} = {' * '.join(factors[:_FACTORS])}")
            factors = [name, *factors[_FACTORS:]]
        return " * ".join(factors)

    def _read(self, reading: Reading) -> str:
        """Return the name of a size; if it is not given, add a line that reads it before its first use."""
        if reading not in self.sizes and self.sizes_given:
            self.sizes[reading] = f"n{len(self.sizes)}"
        elif reading not in self.sizes:
            calls = [
                f"{self._function('size')}(a{operand}, {self._constant(axis)})" for operand, axis in reading
            ]
            single = len(calls) == 1
            value = calls[0] if single else f"{self._function('common_size')}({', '.join(calls)})"
            self.sizes[reading] = f"n{len(self.sizes)}"
            self.lines.append(f"{self.sizes[reading]} = {value}")
        return self.sizes[reading]


def _shown(source: str, constants: dict[str, Any]) -> str:
    """Return the source with integers instead of the names of constants, for people to read."""
    numbers = {name: repr(x) for name, x in constants.items() if isinstance(x, (int, tuple))}
    return re.sub(r"\bc\d+\b", lambda found: numbers.get(found[0], found[0]), source)


def _compiled(source: str) -> CodeType:
    return compile(source, "<einsum_unified plan>", "exec")


def _compiled_and_charged(source: str) -> CodeType:
    charge(1000 + 4 * len(source))
    return _compiled(source)


# A source has no sizes in it, so the same steps with other sizes are not compiled again. Compiling a short
# one takes a quarter of the time to make a plan, and depends on nothing else: short ones are never forgotten.
_short_code = lru_cache(maxsize=512)(_compiled)
_long_code = lru_cache(maxsize=512)(_compiled_and_charged)


@forgets
def _forget() -> None:
    global _long_code
    _long_code = lru_cache(maxsize=512)(_compiled_and_charged)


def _code(source: str) -> CodeType:
    return _short_code(source) if len(source) <= _SHORT else _long_code(source)


def _evaluated(source: str, body: _Body) -> Callable[..., Any]:
    namespace: dict[str, Any] = {**body.functions, **body.constants}
    exec(_code(source), namespace)
    # Without its own name: with it, the function and its globals would be a cycle, which outlives the plan.
    run: Callable[..., Any] = namespace.pop("run")
    return run
