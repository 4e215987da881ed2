"""`Executable`: an equation compiled for operands of certain types, shapes and dtypes. Caches hold it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from einsum_unified.adapter import Backend
from einsum_unified.adapter.registry import Table
from einsum_unified.binding.bound import Bound
from einsum_unified.language.equation import Equation
from einsum_unified.planning.steps import Path
from einsum_unified.planning.stored import Densities
from einsum_unified.program.primitives import Program
from einsum_unified.runtime.options import Options
from einsum_unified.runtime.settings import Settings
from einsum_unified.runtime.signature import Signature


@dataclass(frozen=True, eq=False, repr=False)
class Executable:
    """A compiled program and everything it was made from. It does not hold tensors."""

    equation: Equation
    options: Options
    signatures: tuple[Signature, ...]
    """The signatures of the operands it can run on as they are; empty if it has to be made again for any."""
    table: Table
    """The adapters when it was made; ``out=`` is looked up among them too."""
    backend: Backend
    bound: Bound
    path: Path
    """The contraction path: for each step the positions of the operands that it takes off the list."""
    program: Program
    source: str
    """The text of the compiled program."""
    run: Callable[..., Any]
    """The compiled program: a function of the operands, which checks nothing but the settings."""
    settings: Settings | None = None
    """The settings of the framework that it was made under, if it depends on any."""
    densities: Densities = ()
    """The densities of the operands by which the path was found; empty if they do not matter."""
    renewed: dict[Any, Executable] = field(default_factory=dict)
    """The same for all values of these settings so far, by value; there are few. All of them share it."""
