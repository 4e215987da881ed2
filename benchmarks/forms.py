"""The time of calls in other forms than text and tensors: sublists, numbers, lists, subclasses, ``out=``.

Native gets the same arguments if it takes them. If not, it gets tensors that were made before, or text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from rich.table import Table

from benchmarks.cases import Case, Job, Settings, by
from benchmarks.contenders import Framework, able, operands, time_calls
from benchmarks.tables import ratio_table
from benchmarks.timing import Call
from einsum_unified import einsum

GROUP = "4×4"

_EQUATION, _SCALED = "ij,jk->ik", "ij,->ij"

Pair = tuple[Call, Call]
"""A call of ours, and the native one."""


class _Tagged(np.ndarray[Any, Any]):
    """A subclass of NumPy's array that only adds attributes, as several libraries have."""


def jobs(settings: Settings) -> list[Job]:
    """Return a job for each form and framework."""
    return [
        Job(f"{framework.name} {name}", partial(_run, settings, framework, name, pair))
        for framework in settings.frameworks
        for name, pair in _forms(framework)
    ]


def _run(settings: Settings, framework: Framework, name: str, pair: Pair) -> list[Case]:
    ours, native = pair
    values = time_calls(able({"ours": ours, "native": native}), settings.effort)
    return [Case("forms", "time, µs", framework.name, GROUP, name, "", values)]


def _forms(framework: Framework) -> Iterator[tuple[str, Pair]]:
    a, b = operands(framework, ((4, 4), (4, 4)), "float64")
    array, lists = np.asarray(a), np.asarray(a).tolist()
    number = framework.tensor(np.asarray(2.5))
    native = framework.einsum
    on_numpy, on_torch = framework.name == "numpy", framework.name == "torch"

    def pair(ours: tuple[Any, ...], taken: bool, other: tuple[Any, ...] = (_EQUATION, a, b)) -> Pair:
        return partial(einsum, *ours), partial(native, *(ours if taken else other))

    sublists = a, [0, 1], b, [1, 2], [0, 2]
    yield "sublists", pair(sublists, on_numpy or on_torch)
    yield "sublists without output", pair(sublists[:-1], on_numpy or on_torch)
    yield "sublists of text", pair((a, ("i", "j"), b, ("j", "k"), ("i", "k")), False)
    yield "list of operands", pair((_EQUATION, [a, b]), on_torch)
    yield "Python float", pair((_SCALED, a, 2.5), on_numpy, (_SCALED, a, number))
    yield "NumPy float", pair((_SCALED, a, np.float64(2.5)), not on_torch, (_SCALED, a, number))
    yield "nested list", pair((_EQUATION, lists, b), on_numpy)
    yield "path", _with_path(framework, a, b)
    yield from _own_forms(framework, a, b)
    if on_numpy:
        yield "two nested lists", pair((_EQUATION, lists, lists), True)
        yield "numpy.matrix", pair((_EQUATION, a.view(np.matrix), b), True)
        yield "subclass", pair((_EQUATION, a.view(_Tagged), b), True)
        yield "three of a subclass", pair(("ij,ij,ij->i", *[a.view(_Tagged)] * 3), True)
        yield "MaskedArray without a mask", pair((_EQUATION, np.ma.asarray(a), b), True)
    else:
        yield "NumPy array", pair((_EQUATION, array, b), not on_torch)


def _with_path(framework: Framework, a: Any, b: Any) -> Pair:
    path = [(1, 2), (0, 1)]
    equation = "ij,jk,kl->il"
    ours = partial(einsum, equation, a, b, a, optimize=path)
    if framework.name == "numpy":
        return ours, partial(framework.einsum, equation, a, b, a, optimize=["einsum_path", *path])
    return ours, partial(framework.einsum, equation, a, b, a)


def _own_forms(framework: Framework, a: Any, b: Any) -> Iterator[tuple[str, Pair]]:
    """Return the forms that only a framework has: ``out=``, and its own classes beside tensors."""
    native: Callable[..., Any] = framework.einsum
    out = framework.tensor(np.empty((4, 4)))
    if framework.name == "numpy":
        yield (
            "out=",
            (partial(einsum, _EQUATION, a, b, out=out), partial(native, _EQUATION, a, b, out=out)),
        )
    if framework.name == "torch":
        import torch

        yield (
            "out=",
            (partial(einsum, _EQUATION, a, b, out=out), lambda: out.copy_(native(_EQUATION, a, b))),
        )
        tagged = a.as_subclass(type("Tagged", (torch.Tensor,), {}))
        yield "subclass", (partial(einsum, _EQUATION, tagged, b), partial(native, _EQUATION, tagged, b))
    if framework.name == "tensorflow":
        import tensorflow as tf

        variable = tf.Variable(a)
        yield "Variable", (partial(einsum, _EQUATION, variable, b), partial(native, _EQUATION, variable, b))


def tables(cases: list[Case]) -> list[Table]:
    """Return a table of all forms for each framework."""
    return [
        ratio_table(f"Other forms of a call, {framework}, µs", own, ("ours", "native"), ("group", GROUP))
        for framework, own in by(cases, "framework").items()
    ]
