"""Attention: scores, weighted sum and projection of a transformer's layer, forward and with gradients."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from rich.table import Table

from benchmarks.cases import Case, Job, Settings, by
from benchmarks.contenders import Framework, able, operands, time_calls
from benchmarks.tables import ratio_table
from benchmarks.timing import Call
from einsum_unified import einsum

HEADS, TOKENS, WIDTH = 12, 512, 64
MODEL = HEADS * WIDTH
FORWARD, GRADIENTS = "forward", "with gradients"

Function = Callable[..., Any]
Shapes = tuple[tuple[int, ...], tuple[int, ...]]


def _equations(batch: int) -> dict[str, Shapes]:
    token = (batch, HEADS, TOKENS, WIDTH)
    return {
        "bhid,bhjd->bhij": (token, token),
        "bhij,bhjd->bhid": ((batch, HEADS, TOKENS, TOKENS), token),
        "bnd,dhe->bhne": ((batch, TOKENS, MODEL), (MODEL, HEADS, WIDTH)),
    }


def by_hand(framework: Framework, equation: str) -> Function:
    """Return a function that computes the equation as one would by hand, with the framework's matmul."""
    matmul, transpose, reshape = framework.matmul, framework.transpose, framework.reshape

    def project(x: Any, weight: Any) -> Any:
        batch, tokens, width = x.shape
        flat = matmul(reshape(x, (batch * tokens, width)), reshape(weight, (width, -1)))
        return transpose(reshape(flat, (batch, tokens, *weight.shape[1:])), (0, 2, 1, 3))

    def score(query: Any, key: Any) -> Any:
        return matmul(query, transpose(key, (0, 1, 3, 2)))

    return {"bhid,bhjd->bhij": score, "bhij,bhjd->bhid": matmul, "bnd,dhe->bhne": project}[equation]


def _torch_gradients(function: Function, tensors: list[Any], seed: Any) -> Call:
    import torch

    tensors = [x.detach().requires_grad_() for x in tensors]
    return lambda: torch.autograd.grad(function(*tensors), tensors, seed)


def _tensorflow_gradients(function: Function, tensors: list[Any], seed: Any) -> Call:
    import tensorflow as tf

    def call() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            result = function(*tensors)
        return tape.gradient(result, tensors, output_gradients=seed)

    return call


_GRADIENTS = {"torch": _torch_gradients, "tensorflow": _tensorflow_gradients}


def jobs(settings: Settings) -> list[Job]:
    """Return a job for each framework, equation and direction."""
    batch = 1 if settings.quick else 8
    return [
        Job(
            f"{framework.name} {equation} {direction}",
            partial(_run, settings, framework, equation, shapes, direction),
        )
        for framework in settings.frameworks
        for direction in (FORWARD, GRADIENTS)
        if direction == FORWARD or framework.name in _GRADIENTS
        for equation, shapes in _equations(batch).items()
    ]


def _run(
    settings: Settings, framework: Framework, equation: str, shapes: Shapes, direction: str
) -> list[Case]:
    functions = _functions(framework, equation)
    tensors = operands(framework, shapes)
    forward = able({name: partial(function, *tensors) for name, function in functions.items()})
    calls = forward
    if direction == GRADIENTS:
        seed = functions["ours"](*tensors)
        calls = {name: _GRADIENTS[framework.name](f, tensors, seed) for name, f in functions.items()}
    values = time_calls(calls, settings.effort)
    return [Case("attention", "time, µs", framework.name, direction, equation, str(shapes), values)]


def _functions(framework: Framework, equation: str) -> dict[str, Function]:
    native = partial(framework.einsum, equation)
    functions: dict[str, Function] = {
        "ours": partial(einsum, equation),
        "native": native,
        "matmul": by_hand(framework, equation),
    }
    if framework.name == "numpy":
        functions["native"], functions["plain"] = partial(np.einsum, equation, optimize=True), native
    return functions


def tables(cases: list[Case]) -> list[Table]:
    """Return a table for each framework and direction."""
    return [
        ratio_table(
            f"Attention, {framework}, {direction}, µs", some, ("ours", "native"), ("group", direction)
        )
        for framework, own in by(cases, "framework").items()
        for direction, some in by(own, "group").items()
    ]
