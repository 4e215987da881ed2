"""What an adapter declares of its library, as data: what a planner has to know, and what is lacking."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from einsum_unified.adapter.costs import Costs


class Form(Enum):
    """What an adapter says of a class of operands."""

    TENSOR = "the framework's own tensor: handed to its functions as it is"
    ARRAY = "made into a tensor by `asarray` first (a variable, a subclass, a NumPy array)"
    NATIVE = "only the framework's own einsum may know what to do with it (ragged, sparse)"


@dataclass(frozen=True)
class About:
    """What people and tools want to know of an adapter, and planning does not."""

    symbolic_sizes: str = ""
    """Where sizes may be unknown while a graph is made."""
    gradients: str = ""
    """What takes derivatives of a call."""
    compilers: str = ""
    """What compiles a call."""
    tested: str = ""
    """On what it is tested, and on what it is not."""
    wait: Callable[[Any], object] | None = None
    """What waits until a result is computed, where a call returns before: for benchmarks."""
    differentiate: Callable[[Callable[..., Any], Sequence[Any]], Sequence[Any]] | None = None
    """What returns the derivatives of a function of tensors, whose result is 0-d: for the conformance kit."""


@dataclass(frozen=True)
class Capabilities:
    """What a planner has to know of a framework, as data. Dtypes are names."""

    arithmetic: Mapping[str, str] = field(default_factory=dict)
    """dtype → the wider one in which matmul, multiply and sum are computed: the framework's kernels
    lack it, or add up in it with less accuracy than it has."""
    movement: Mapping[str, str] = field(default_factory=dict)
    """dtype → the one in which transpose, reshape and diagonal are done, where kernels are lacking."""
    restored: frozenset[str] = frozenset({"bool"})
    """dtypes of `arithmetic` to which each partial result is cast back at once: a count of Trues
    carried on would overflow."""
    dtypes: frozenset[str] | None = None
    """The dtypes that can be computed with; None for whatever has a numeric kind."""
    out: bool = False
    """Whether tensors are mutable, so that ``out=`` can be filled."""
    views: bool = False
    """Whether transposes are views, so that a result must not be the very operand."""
    devices: bool = False
    """Whether tensors of several devices exist and must not meet."""
    broadcast_runs: int | None = None
    """How many alternating runs of axes, of both, of the left or of the right operand only, multiply can
    broadcast; None for any number."""
    scalars: bool = False
    """Whether a 0-d result is unboxed into the framework's scalar."""
    vectors: bool = False
    """Whether dot takes vectors."""
    turns: bool = False
    """Whether dot and matmul take matrices whose rows and columns are exchanged, by a flag for each."""
    batch_axes: int | None = None
    """How many batch axes matmul multiplies without a copy; None for any number."""
    into: bool = False
    """Whether there is ``matmul_into(a, b, shape, axes)``, a matmul that writes its result permuted."""
    integers: frozenset[str] = frozenset()
    """Dtypes of which there is ``integer_dot(a, b)``, a product of two matrices in int32."""
    exact: frozenset[str] = frozenset()
    """Integer dtypes whose products are computed in floats where that is exact and faster."""
    deferred: bool = False
    """Whether sizes may be unknown while a graph is made, so that no two can be compared before it runs.

    Then there are ``common_size(*sizes)``: the one that is not 1, of sizes that `size` returned;
    ``agree(x, shape)``: the tensor as it is, but an error when it runs and cannot broadcast to a shape; and
    ``ranked(x, rank)``: the tensor, but an error when it runs and has another number of axes."""
    autocast: bool = False
    """Whether a context may have the library compute in another dtype than that of the operands.

    Then there is ``exactly(run)``: a compiled program as it runs where ``dtype=`` was given."""
    pairs: bool = False
    """Whether ``native`` contracts any two operands better than the primitives do: each step is its."""
    options: frozenset[str] = frozenset()
    """Further keywords of `einsum_unified.einsum` that are the library's own (``precision``)."""
    gaps: Mapping[str, str] = field(default_factory=dict)
    """What the library cannot do, and why: feature → reason. The conformance kit shows these as gaps and
    tests that they are errors; its documentation lists the features."""
    about: About = field(default_factory=About)
    """For the support matrix, benchmarks and the conformance kit."""
    costs: Costs = field(default_factory=Costs)
    """What the planner ranks lowerings by."""
