"""Work and memory grow in proportion to the number of operands, labels and steps.

No test here measures time: they count calls, comparisons and bytes, for one size and for twice that.
``python -m benchmarks scale`` has the seconds.
"""

from __future__ import annotations

import re
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from math import prod
from typing import Any

import numpy as np
import pytest

from einsum_unified import PathError, Plan, cache_info, clear_cache, einsum, einsum_path, einsum_plan
from einsum_unified.language.sizes import Size
from einsum_unified.planning.lowering import lower
from einsum_unified.program.values import dense

TWICE = 2.2
"""The greatest acceptable ratio of the work for twice the size: twice, and some more for sorting."""


def chain(count: int) -> tuple[list[list[int]], list[int]]:
    return [[n, n + 1] for n in range(count)], [0, count]


def tree(count: int) -> tuple[list[list[int]], list[int]]:
    terms: list[list[int]] = [[] for _ in range(count)]
    for n in range(1, count):
        terms[n].append(n)
        terms[(n - 1) // 2].append(n)
    return terms, []


NETWORKS: dict[str, Callable[[int], tuple[list[list[int]], list[int]]]] = {
    "chain": chain,
    "tree": tree,
    "one label in all": lambda count: ([[0, n + 1] for n in range(count)], []),
    "vectors": lambda count: ([[0]] * count, [0]),
    "scalars": lambda count: ([[]] * count, []),
}


def forwards(count: int) -> list[tuple[int, int]]:
    return [(0, 1), *((0, left - 1) for left in range(count - 1, 1, -1))]


def in_rounds(count: int) -> list[tuple[int, int]]:
    return [(0, 1)] * (count - 1)


def spelled(labels: list[int]) -> str:
    return "".join(chr(0x4E00 + label) for label in labels)


def arguments(network: str, count: int, text: bool = True, size: int | None = 2) -> list[Any]:
    """The equation of a network, and operands, or shapes if the size is unknown."""
    terms, output = NETWORKS[network](count)
    if size is None:  # the size of every third label is unknown
        operands: list[Any] = [tuple(None if label % 3 == 0 else 2 for label in term) for term in terms]
    else:
        operands = [np.full((size,) * len(term), 0.5) for term in terms]
    if text:
        return [f"{','.join(map(spelled, terms))}->{spelled(output)}", *operands]
    return [*(x for pair in zip(operands, terms, strict=True) for x in pair), output]


def calls(function: Callable[[], Any]) -> int:
    """The number of calls, of Python's functions and of C's, that a call makes."""
    count = 0

    def counting(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counting)
    try:
        function()
    finally:
        sys.setprofile(before)
    return count


# --- many operands --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("network", "optimize", "text"),
    [
        *((network, "auto", True) for network in NETWORKS),
        ("chain", "auto", False),
        ("tree", "greedy", False),
        ("chain", forwards, True),
        ("one label in all", in_rounds, True),
        ("vectors", in_rounds, False),
        ("chain", False, True),
    ],
    ids=lambda value: value.__name__ if callable(value) else str(value),
)
def test_the_calls_of_a_first_call_grow_with_the_operands(network: str, optimize: Any, text: bool):
    def first(count: int) -> int:
        call = arguments(network, count, text)
        how = optimize(count) if callable(optimize) else optimize
        clear_cache()
        return calls(lambda: einsum(*call, optimize=how))

    first(20)  # imports and other things that happen once
    assert first(600) <= TWICE * first(300)


def test_a_chain_of_thousands_of_operands_is_multiplied_right():
    matrices = list(np.random.default_rng(0).normal(size=(2000, 2, 2)) / 2)
    terms, output = chain(2000)
    want = np.eye(2)
    for x in matrices:
        want = want @ x
    for optimize in ("auto", "greedy", in_rounds(2000), False):
        got = einsum(
            *(x for pair in zip(matrices, terms, strict=True) for x in pair), output, optimize=optimize
        )
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=0)


# --- many labels ----------------------------------------------------------------------------------


class Counted(int):
    """A label that counts how often it is hashed and compared."""

    count = 0

    def __eq__(self, other: object) -> bool:
        Counted.count += 1
        return int.__eq__(self, other)

    def __hash__(self) -> int:
        Counted.count += 1
        return int.__hash__(self)


def shuffled(labels: list[int], seed: int = 0) -> list[int]:
    return np.random.default_rng(seed).permutation(labels).tolist()


def wide(rank: int) -> dict[str, list[list[int]]]:
    """Terms with many labels, the output last: batch, contracted, left and right labels in some order."""
    every = list(range(rank))
    return {
        "matrices": [every, every[rank // 2 :] + [n + rank for n in every], [n + rank for n in every]],
        "batch": [shuffled(every), shuffled(every, 1), shuffled(every, 2)[::2]],
        "shuffled": [
            shuffled(every),
            shuffled([n + rank // 2 for n in every], 1),
            shuffled([*range(rank // 2), *range(rank, rank + rank // 2)], 2),
        ],
        "outer": [every, [n + rank for n in every], shuffled(list(range(2 * rank)))],
        "sum": [every, every[::2]],
        "transpose": [every, shuffled(every)],
    }


@pytest.mark.parametrize("size", [1, 2, None], ids=["ones", "twos", "unknown"])
@pytest.mark.parametrize("kind", wide(4))
def test_the_comparisons_of_labels_grow_with_the_labels(kind: str, size: int | None):
    def lowered(rank: int) -> int:
        *terms, output = wide(rank)[kind]
        shapes = [(size,) * len(term) for term in terms]
        plan = einsum_plan(*(x for pair in zip(shapes, terms, strict=True) for x in pair), output)
        bound = replace(
            plan.bound,
            terms=tuple(tuple(map(Counted, term)) for term in plan.bound.terms),
            output=tuple(map(Counted, plan.bound.output)),
        )
        Counted.count = 0
        assert lower(bound, plan.path, plan.backend.capabilities) == plan.program
        return Counted.count

    assert 0 < lowered(400) <= TWICE * lowered(200)


def test_the_memory_of_strides_of_unknown_sizes_grows_with_the_axes():
    def taken(rank: int) -> int:
        shape = [Size.read([(0, axis)], hint=1) for axis in range(rank)]
        tracemalloc.start()
        strides = dense(shape)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert strides[0].readings == tuple(((0, axis),) for axis in range(1, rank))
        return found

    # 8 times as many axes; lists of all factors would take 64 times as much. What one size takes differs by a
    # half from call to call, because memory that was freed is used again.
    assert taken(3200) <= 16 * taken(400)


def test_a_product_of_thousands_of_unknown_sizes_is_compiled():
    # Python's compiler calls itself for each factor of `n0 * n1 * ...`.
    groups = [list(range(start, start + 1000)) for start in range(0, 4000, 1000)]
    terms = [*groups, [3999, 4000]]
    output = [*range(3999), 4000]
    shapes = [(None,) * len(term) for term in terms]
    plan = einsum_plan(*(x for pair in zip(shapes, terms, strict=True) for x in pair), output, optimize=False)
    sizes: dict[str, int] = dict.fromkeys(re.findall(r"^ *(n\d+) = size", plan.source, re.MULTILINE), 2)
    assert len(sizes) == 4001
    for name, factors in re.findall(r"^ *(p\d+) = (.*)$", plan.source, re.MULTILINE):
        assert factors.count("*") < 100
        sizes[name] = prod(sizes[factor] for factor in factors.split(" * "))
    (rows,) = re.findall(r"reshape\(t0, \(n\d+, (p\d+[^,]*)\)\)", plan.source)
    assert prod(sizes[factor] for factor in rows.split(" * ")) == 2**3999


# --- plans as data --------------------------------------------------------------------------------


def data(terms: list[list[int]], output: list[int], size: int | None, path: Any = None) -> dict[str, Any]:
    return {
        "schema": 1,
        "equation": f"{','.join(map(spelled, terms))}->{spelled(output)}",
        "shapes": [[size] * len(term) for term in terms],
        "dtypes": ["float64"] * len(terms),
        "path": [list(range(len(terms)))] if path is None else path,
        "dtype": None,
        "strict": False,
    }


@cache
def hostile() -> dict[str, dict[str, Any]]:
    vectors = [[n] for n in range(1000)]
    return {
        "a long output": data(vectors, list(range(1000)), 1),
        "a long output of unknown sizes": data(vectors, list(range(1000)), None),
        "labels that are summed last": data([*vectors, *vectors], [], 2),
        "many diagonals": data([[n // 2 for n in range(1000)]], [], 2),
        "one label many times": data([[0] * 1000], [0], None),
    }


@pytest.mark.parametrize("name", hostile())
def test_data_with_too_many_labels_in_its_steps_is_refused_before_it_is_planned(name: str):
    before = cache_info().misses
    says = "the steps have more than 100,000 labels together, the most for [12],000 axes"
    with pytest.raises(PathError, match=says):
        Plan.from_dict(hostile()[name])
    assert cache_info().misses == before


def test_the_bound_on_labels_grows_with_the_axes():
    terms, output = chain(4000)
    # 32 labels for each of 8,000 axes; each step has two labels of a chain that are open meanwhile.
    plan = Plan.from_dict(data(terms, output, 2, in_rounds(4000)))
    assert len(plan.steps) == 3999


def test_ellipses_count_with_all_their_axes():
    terms = ",".join(["..."] * 40)
    many = {**data([[0]] * 40, [], 2), "equation": f"{terms}->...", "shapes": [[2] * 1000] * 40}
    # 39 steps with twice 1,000 labels are fewer than 32 for each of 40,000 axes.
    assert Plan.from_dict(many).bound.terms[0] == tuple(range(1000))
    outer = {**data([[0]], [], 2), "equation": "...", "shapes": [[2] * 1024]}
    assert Plan.from_dict(outer).bound.output == tuple(range(1024))


@pytest.mark.parametrize(
    "path", [[[0, 1], [0, 5]], [[0, 0]], [[]], [[0, 1]]], ids=["beyond", "twice", "none", "short"]
)
def test_a_path_that_does_not_fit_is_refused_as_such(path: list[list[int]]):
    with pytest.raises(PathError, match=r"path|operand"):
        Plan.from_dict(data([[0, 1], [1, 2], [2, 3]], [0, 3], 2, path))


# --- showing --------------------------------------------------------------------------------------

SHOWN: dict[str, Callable[[Plan], Any]] = {
    "explain": Plan.explain,
    "to_svg": Plan.to_svg,
    "to_html": Plan.to_html,
    "to_python": Plan.to_python,
    "to_dict": Plan.to_dict,
    "figures": Plan.figures,
    "steps": lambda plan: plan.steps,
}


@pytest.mark.parametrize("size", [2, None], ids=["known", "unknown"])
@pytest.mark.parametrize("show", SHOWN)
def test_what_is_shown_grows_with_the_steps(show: str, size: int | None):
    def shown(count: int) -> tuple[int, int]:
        plan = einsum_plan(*arguments("chain", count, size=size))
        text = str(SHOWN[show](plan))
        return calls(lambda: SHOWN[show](plan)), len(text)

    (few, short), (many, long) = shown(120), shown(240)
    assert many <= TWICE * few
    assert long <= TWICE * short


def test_the_picture_of_many_operands_is_not_larger_than_that_of_some():
    few, many = (len(einsum_plan(*arguments("tree", count)).to_svg()) for count in (200, 800))
    assert many < 1.2 * few


def test_the_table_of_a_path_grows_with_the_steps():
    few, many = (calls(lambda c=count: einsum_path(*arguments("chain", c))) for count in (200, 400))
    assert many <= TWICE * few
