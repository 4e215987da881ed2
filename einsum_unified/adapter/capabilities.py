"""The properties of a library that an adapter declares as data, for the planner and for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from einsum_unified.adapter.costs import Costs


class Form(Enum):
    """How an adapter treats the operands of a class."""

    TENSOR = "the framework's own tensor, passed to its functions as it is"
    ARRAY = "converted to a tensor by `asarray` first (a variable, a subclass, a NumPy array)"
    NATIVE = "left to the framework's own einsum, if that can handle it (ragged, sparse)"


@dataclass(frozen=True)
class About:
    """Information about an adapter for people and tools. Planning does not use it."""

    symbolic_sizes: str = ""
    """The tracers and graphs in which sizes may be unknown ("torch.compile, torch.export")."""
    gradients: str = ""
    """The ways to differentiate a call ("grad, vmap")."""
    compilers: str = ""
    """The compilers that accept a call."""
    tested: str = ""
    """The devices and kinds of tensor that the adapter is tested on, and those that it is not."""
    wait: Callable[[Any], object] | None = None
    """Waits until a result is computed, if calls return before that. Benchmarks use it."""
    differentiate: Callable[[Callable[..., Any], Sequence[Any]], Sequence[Any]] | None = None
    """Takes a function of tensors whose result is 0-d, and these tensors; returns the derivatives. The
    conformance kit uses it."""


@dataclass(frozen=True)
class Capabilities:
    """The properties of a framework that the planner needs, as data. Dtypes are given by name."""

    arithmetic: Mapping[str, str] = field(default_factory=dict)
    """Dtype → the wider dtype in which matmul, multiply and sum are computed, since the framework's kernels
    do not support the first, or accumulate with less accuracy than it has. The result is cast back."""
    movement: Mapping[str, str] = field(default_factory=dict)
    """Dtype → the dtype in which transpose, reshape and diagonal are done, if the first has no kernels."""
    restored: frozenset[str] = frozenset({"bool"})
    """Dtypes of `arithmetic` that are cast back after every step, not only at the end. For bool this is
    needed: counts of True would overflow."""
    dtypes: frozenset[str] | None = None
    """The dtypes that can be computed with; None for every dtype of a numeric kind."""
    out: bool = False
    """Whether tensors are mutable, so that ``out=`` can be filled."""
    views: bool = False
    """Whether transposes, reshapes and diagonals are views. The planner then tracks strides, and an
    equation that changes nothing returns a view, not the operand itself."""
    devices: bool = False
    """Whether tensors may be on different devices. Compiled programs then call ``same_device``."""
    broadcast_runs: int | None = None
    """The number of runs of axes that a broadcasting multiply can take; None for any number. A run is a group
    of neighbouring axes that both operands have, or only the left, or only the right one."""
    scalars: bool = False
    """Whether a 0-d result is returned as the framework's scalar (`numpy.float64`), not as an array."""
    vectors: bool = False
    """Whether ``dot`` also takes vectors."""
    turns: bool = False
    """Whether ``dot`` and ``matmul`` take two flags more: whether the rows and columns of the left matrix are
    exchanged, and those of the right one."""
    batch_axes: int | None = None
    """The number of batch axes that ``matmul`` takes without a copy; None for any number."""
    into: bool = False
    """Whether the adapter has ``matmul_into(a, b, shape, axes)``: it makes an array of that shape, writes the
    product into its transpose by ``axes``, and returns the array."""
    integers: frozenset[str] = frozenset()
    """Dtypes for which the adapter has ``integer_dot(a, b)``, a product of two matrices in int32."""
    objects: bool = False
    """Whether the adapter has ``object_product(a, b)`` for dtype object, in place of ``dot`` and ``matmul``:
    exceptions of the objects' own arithmetic come through it."""
    exact: frozenset[str] = frozenset()
    """Integer dtypes (and bool) whose products are computed in floats where that is exact and faster."""
    deferred: bool = False
    """Whether sizes may be unknown while a graph is made and can be compared only when the graph runs.

    If so, the adapter has three more members. ``common_size(*sizes)`` returns the one that is not 1 among
    sizes that ``size`` returned. ``agree(x, shape)`` returns the tensor, and makes the graph fail if the
    tensor cannot broadcast to that shape. ``ranked(x, rank)`` returns the tensor, and makes the graph fail
    if the tensor has another number of axes."""
    autocast: bool = False
    """Whether the library has a context in which it computes in another dtype than the operands'.

    If so, the adapter has ``exactly(run)``: it returns a compiled program that ignores this context, for
    calls with ``dtype=``."""
    generic: bool = True
    """Whether one compiled program may serve operands of any sizes. False if the library compiles programs
    for each shape anyway (JAX), or if ``finish`` needs the sizes."""
    pairs: bool = False
    """Whether ``native`` contracts any two operands better than the primitives do. Every step with two
    operands then goes to ``native``."""
    sparse: bool = False
    """Whether arrays may store only some of their elements.

    If so, the adapter has ``density(x)``, which returns the fraction of its elements that an array stores,
    known or guessed; it is 1 for a dense array. The order of contraction of three and more operands then
    depends on these fractions."""
    options: frozenset[str] = frozenset()
    """Keywords of the library's own einsum that `einsum_unified.einsum` passes on (``precision``)."""
    gaps: Mapping[str, str] = field(default_factory=dict)
    """Features that the library cannot support: feature → reason. The conformance kit reports these as gaps
    and tests that they raise; ``docs/conformance.md`` lists the features."""
    about: About = field(default_factory=About)
    """Information for the support matrix, benchmarks and the conformance kit."""
    costs: Costs = field(default_factory=Costs)
    """The costs by which the planner ranks lowerings."""
