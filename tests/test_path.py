"""The order of contractions: every way to ask for one, what is refused, and what it costs."""

from __future__ import annotations

import sys
import tracemalloc
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from math import prod

import numpy as np
import opt_einsum
import pytest
from conftest import spelled

import einsum_unified
from einsum_unified import PathError, einsum, einsum_path
from einsum_unified.memory import forget_all
from einsum_unified.planning import path as module
from einsum_unified.planning import search as searches
from einsum_unified.planning.path import find_path, in_pairs
from einsum_unified.planning.steps import Step, forwards, steps
from einsum_unified.planning.strategy import Strategy, strategy

NAMES = (
    "auto",
    "auto-hq",
    "optimal",
    "branch-all",
    "branch-2",
    "branch-1",
    "greedy",
    "eager",
    "opportunistic",
    "dp",
    "dynamic-programming",
    "random-greedy",
    "random-greedy-128",
)

TEXT = "ij,jk,kl,lm->im"
ARRAYS = [np.arange(float(m * n)).reshape(m, n) % 5 for m, n in ((2, 3), (3, 4), (4, 5), (5, 2))]
WANT = ARRAYS[0] @ ARRAYS[1] @ ARRAYS[2] @ ARRAYS[3]


class FromTheRight(opt_einsum.paths.PathOptimizer):
    def __call__(self, inputs, output, size_dict, memory_limit=None):
        return [(n - 2, n - 1) for n in range(len(inputs), 1, -1)]


def str_of_type(x) -> str:
    return type(x).__name__


def same_path(inputs, output, size_dict, memory_limit=None):
    return [(0, 1)] * (len(inputs) - 1)


# --- optimize= ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "optimize",
    [
        True,
        False,
        None,
        *NAMES,
        "AUTO",
        ("greedy", None),
        ("greedy", 100),
        ["dp", 1e9],
        ("optimal", 10**6),
        ("auto", 50),
        [(0, 1), (0, 1), (0, 1)],
        ["einsum_path", (0, 1), (0, 1), (0, 1)],
        ("einsum_path", (1, 2), (0, 2, 1)),
        [(0, 1, 2, 3)],
        [[3, 0, 2, 1]],
        [(0,), (0, 1), (0, 1), (1, 0)],
        [(np.int64(2), np.int64(3)), (0, 1), (0, 1)],
        FromTheRight(),
        same_path,
        opt_einsum.RandomGreedy(max_repeats=4),
        opt_einsum.DynamicProgramming(minimize="size"),
        opt_einsum.BranchBound(nbranch=2),
    ],
    ids=spelled,
)
def test_every_way_to_ask_for_a_path_gives_the_same_values(framework, optimize):
    result = einsum(TEXT, *map(framework.tensor, ARRAYS), optimize=optimize)
    assert (framework.numpy(result) == WANT).all()


def test_every_strategy_name_of_opt_einsum_is_tried_above():
    assert set(NAMES) >= set(opt_einsum.paths._PATH_OPTIONS)


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith(("auto", "random"))])
def test_a_named_strategy_gives_opt_einsums_own_path(name: str):
    want, _ = opt_einsum.contract_path(TEXT, *ARRAYS, optimize=name)
    assert einsum_path(TEXT, *ARRAYS, optimize=name)[0] == ["einsum_path", *want]


@pytest.mark.parametrize("optimize", [False, None])
def test_without_optimizing_the_path_goes_from_left_to_right(optimize):
    """numpy/numpy#21380: there the path is one step, which does not say what is run here."""
    assert einsum_path(TEXT, *ARRAYS, optimize=optimize)[0] == ["einsum_path", (0, 1), (0, 2), (0, 1)]


def test_a_limit_reaches_the_search():
    seen = []

    def search(inputs, output, size_dict, memory_limit=None):
        seen.append((inputs, output, size_dict, memory_limit))
        return [(0, 1), (0, 1)]

    terms = ((0, 1), (1, 2), (2,))
    find_path(terms, (0,), (2, 0, 4), Strategy("mine", limit=7, optimizer=search))
    assert seen == [([{0, 1}, {1, 2}, {2}], {0}, {0: 2, 1: 1, 2: 4}, 7)]


def test_a_limit_keeps_intermediates_small():
    shapes = [(2, 30), (30, 3), (3, 30), (30, 2)]
    path, _ = einsum_path("ab,bc,cd,de->ae", *shapes, optimize=("greedy", 6))
    got = steps(((0, 1), (1, 2), (2, 3), (3, 4)), (0, 4), (2, 30, 3, 30, 2), tuple(path[1:]))
    assert max(step.elements for step in got) <= 6


# --- limits ---------------------------------------------------------------------------------------


def orders(count: int):
    """Return every path of pairs."""
    if count == 1:
        yield ()
    for pair in combinations(range(count), 2):
        for rest in orders(count - 1):
            yield (pair, *rest)


def cost_and_largest(terms, output, sizes, path) -> tuple[int, int]:
    """Return the FLOPs and the elements of the largest result of any step but the last."""
    found = steps(terms, output, sizes, path)
    return sum(step.flops for step in found), max((step.elements for step in found[:-1]), default=0)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("name", ["auto", "greedy", "dp", "optimal", "branch-1", "random-greedy"])
def test_a_limit_is_kept_wherever_some_order_keeps_it(seed: int, name: str):
    """dgasmith/opt_einsum#133, numpy/numpy#11825: a limit led to a step that took 156 GiB, or for ever."""
    terms, output, sizes = random_network(seed, 5)
    every = [cost_and_largest(terms, output, sizes, path) for path in orders(5)]
    tried = 0
    for limit in sorted({largest for _, largest in every}):
        path = find_path(tuple(terms), output, sizes, Strategy(name, limit=limit))
        cost, largest = cost_and_largest(terms, output, sizes, path)
        assert largest <= limit
        if name == "auto":
            assert cost == min(flops for flops, most in every if most <= limit)
        tried += 1
    assert tried
    least = min(largest for _, largest in every)
    if least > 1:
        with pytest.raises(PathError) as caught:
            find_path(tuple(terms), output, sizes, Strategy(name, limit=least - 1))
        assert str(caught.value) == (
            f"optimize=({name!r}, {least - 1}): no order of pairs was found whose intermediates have at most "
            f"{least - 1} element{'s' * (least > 2)}; the best has one of {least}"
        )


@pytest.mark.parametrize("operands", [9, 12, 16, 30])
@pytest.mark.parametrize("optimize", ["auto", "greedy", "branch-1"])
def test_a_limit_is_kept_by_more_operands(operands: int, optimize: str):
    cores = tuple((0, label) for label in range(2, operands + 1))
    terms = (*cores, tuple(range(2, min(operands, 13) + 1)))
    sizes = (50, 1, *[2] * operands)
    free = find_path(terms, (0,), sizes, Strategy("explicit", forwards(len(terms))))
    assert cost_and_largest(terms, (0,), sizes, free)[1] > 50 * 2**8 - 1
    path = find_path(terms, (0,), sizes, Strategy(optimize, limit=50 * 2**11))
    assert cost_and_largest(terms, (0,), sizes, path)[1] <= 50 * 2**11


def test_a_limit_is_kept_beyond_the_pairs_that_are_searched():
    terms = ((0, 1), *[(1,)] * 499, (0,))
    assert searches._pairs(terms) > searches._GREEDY_PAIRS
    sizes = (30, 5)
    path = find_path(terms, (), sizes, Strategy(limit=150))
    assert cost_and_largest(terms, (), sizes, path)[1] <= 150
    assert cost_and_largest(terms, (), sizes, find_path(terms, (), sizes, Strategy(limit=30)))[1] <= 30
    terms = ((0, 1), *[(0, 1, 2)] * 500)
    with pytest.raises(PathError, match="at most 4 elements; the best has one of"):
        find_path(terms, (), (2, 5, 7), Strategy(limit=4))


@pytest.mark.parametrize("optimize", ["greedy", "auto", "branch-1"])
def test_a_limit_for_hundreds_of_operands(optimize: str):
    terms = tuple((n, n + 1) for n in range(300))
    sizes = tuple(2 + n % 5 for n in range(301))
    path = find_path(terms, (0, 300), sizes, Strategy(optimize, limit=36))
    assert len(path) == 299
    assert cost_and_largest(terms, (0, 300), sizes, path)[1] <= 36


def test_the_last_result_is_not_limited():
    assert einsum_path("i,j,k->ijk", (9,), (9,), (2,), optimize=("greedy", 18))[0][1:] in (
        [(0, 2), (0, 1)],
        [(1, 2), (0, 1)],
    )


def test_an_optimizer_can_have_a_limit():
    terms, output, sizes = random_network(3, 5)
    every = [cost_and_largest(terms, output, sizes, path) for path in orders(5)]
    limit = min(largest for _, largest in every)
    for optimizer in (FromTheRight(), opt_einsum.BranchBound(), opt_einsum.DynamicProgramming()):
        how = strategy((optimizer, limit))
        path = find_path(tuple(terms), output, sizes, how)
        assert cost_and_largest(terms, output, sizes, path)[1] <= limit


def peak_bytes(call) -> int:
    call()
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_limit_saves_memory():
    """dgasmith/opt_einsum#133: all operands in one step, then from left to right: fifty times the memory."""
    text = "ai,bi,ci,di,ei,fi,abcdef->"
    arrays = [np.ones((9, 20)) for _ in range(6)] + [np.ones([9] * 6)]
    free = peak_bytes(lambda: einsum(text, *arrays))
    for optimize in (("greedy", 9**5 * 20), ("optimal", 9**5 * 20), ("dp", 9**5 * 20), ("auto", 9**5 * 20)):
        path, _ = einsum_path(text, *[x.shape for x in arrays], optimize=optimize)
        assert all(len(step) == 2 for step in path[1:])
        assert peak_bytes(lambda how=optimize: einsum(text, *arrays, optimize=how)) <= 9**5 * 20 * 8 * 2
    # NumPy's path under a limit has a step of all operands, a loop over all labels. Here it is pairs, too.
    given = ["einsum_path", tuple(range(7))]
    assert peak_bytes(lambda: einsum(text, *arrays, optimize=given)) <= free * 1.1


@pytest.mark.parametrize(
    "limit",
    [10**400, -(10**400), 10**5000, 0, 0.5, -1, -2.0, float("nan"), True, False, np.True_, "9", b"9", 1j,
     Decimal(9), [9], (9,), object()],
    ids=str_of_type,
)  # fmt: skip
@pytest.mark.parametrize("name", ["greedy", "auto", "dp", same_path])
def test_what_is_not_a_number_of_elements_is_no_limit(limit, name):
    for call in (einsum, einsum_path):
        with pytest.raises(PathError, match=r"^the limit of optimize=\(name, limit\) is ") as caught:
            call(TEXT, *ARRAYS, optimize=(name, limit))
        assert len(str(caught.value)) < 400


def test_an_optimizer_object_is_asked_each_time():
    asked = []

    def search(inputs, output, size_dict, memory_limit=None):
        asked.append(len(inputs))
        return same_path(inputs, output, size_dict)

    for _ in range(3):
        einsum(TEXT, *ARRAYS, optimize=search)
    assert asked == [4, 4, 4]


@pytest.mark.parametrize("terms", [((0, 1),), ((0, 1), (1, 2))])
def test_an_optimizer_is_not_asked_where_there_is_one_order_only(terms):
    path = find_path(terms, (0,), (2, 3, 4), Strategy("mine", optimizer=lambda *args: pytest.fail("asked")))
    assert path == (tuple(range(len(terms))),)


@pytest.mark.parametrize(("labels", "kept"), [(module.LONG, 1), (module.LONG + 1, 0)])
def test_paths_of_equations_up_to_a_length_are_kept(labels: int, kept: int):
    module.forget_paths()
    terms = (tuple(range(labels - 2)), (0,), (1,))
    path = find_path(terms, (), (1,) * labels, Strategy("none"))
    assert path == ((0, 1), (0, 1))
    assert module._find_cached.cache_info()[2:] == (1024, kept)


@pytest.mark.parametrize(
    ("optimize", "want"),
    [
        (True, Strategy()),
        ("auto", Strategy()),
        (None, Strategy("none")),
        (False, Strategy("none")),
        # A value equal to a valid one finds its plans in the cache, so it must be valid, too.
        (1 + 0j, Strategy()),
        (Fraction(0), Strategy("none")),
        (Decimal(1), Strategy()),
        ([(0.0, True)], Strategy("explicit", ((0, 1),))),
        ("DP", Strategy("dp")),
        (("greedy", 10.0), Strategy("greedy", limit=10)),
        (("greedy", 1), Strategy("greedy", limit=1)),
        (("greedy", float("inf")), Strategy("greedy")),
        (("greedy", np.float32(10)), Strategy("greedy", limit=10)),
        ([], Strategy("explicit")),
        (["einsum_path"], Strategy("explicit")),
        ([(0, 1)], Strategy("explicit", ((0, 1),))),
        ([[np.int32(0), 1]], Strategy("explicit", ((0, 1),))),
    ],
    ids=str,
)
def test_a_strategy_is_what_optimize_asks_for(optimize, want: Strategy):
    assert strategy(optimize) == want
    assert hash(strategy(optimize)) == hash(want)


def test_an_optimizer_names_itself():
    assert strategy(FromTheRight()).name == "FromTheRight"


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("optimize", "text"),
    [
        (
            "fastest",
            "optimize='fastest' is not a strategy; known strategies include: auto, auto-hq, optimal, dp",
        ),
        (("fastest", 5), "optimize='fastest' is not a strategy"),
        (3.5, "optimize=3.5 is not a bool, None, strategy name, (name, limit), path or PathOptimizer"),
        ({"greedy"}, "optimize={'greedy'} is not a bool, None, strategy name"),
        (
            ("greedy", "many"),
            "the limit of optimize=(name, limit) is 'many', not a number of elements",
        ),
        (("greedy", 0), "the limit of optimize=(name, limit) is 0, not a number of elements"),
        (("greedy", -1), "the limit of optimize=(name, limit) is -1, not"),
        (("greedy", True), "the limit of optimize=(name, limit) is True, not"),
        ([(0, 1), 5, (0, 1)], "step 1 of the path is 5, not a tuple of operand positions"),
        ([(0, "a")], "step 0 of the path is (0, 'a'), not a tuple of operand positions"),
        (["greedy"], "step 0 of the path is 'greedy', not a tuple of operand positions"),
        ([(0, 1), ()], "step 1 of the path, (), must name different operands, at least one"),
        ([(1, 1)], "step 0 of the path, (1, 1), must name different operands, at least one"),
        ([(0, 4)], "step 0, (0, 4), names operand 4 but 4 operands are left (0 to 3)"),
        ([(0, 1), (-1, 0)], "step 1, (-1, 0), names operand -1 but 3 operands are left (0 to 2)"),
        ([(0, 1), (0, 1), (0, 2)], "step 2, (0, 2), names operand 2 but 2 operands are left (0 to 1)"),
        ([(0, 1)], "the path leaves 3 operands; one must remain"),
        ([(0, 1, 2)], "the path leaves 2 operands; one must remain"),
        ([], "the path leaves 4 operands; one must remain"),
    ],
    ids=str,
)
def test_an_error_says_why_a_value_is_not_a_path(optimize, text: str):
    with pytest.raises(PathError) as caught:
        einsum(TEXT, *ARRAYS, optimize=optimize)
    assert str(caught.value).startswith(text)


def test_a_path_for_other_operands_is_refused_also_for_one_and_two():
    with pytest.raises(PathError, match="names operand 1 but 1 operand is left"):
        einsum("i->", np.ones(2), optimize=[(0, 1)])
    with pytest.raises(PathError, match="the path leaves 2 operands"):
        einsum("i,i->", np.ones(2), np.ones(2), optimize=[])


def test_the_path_of_an_optimizer_is_checked():
    with pytest.raises(PathError, match="names operand 9 but 4 operands are left"):
        einsum(TEXT, *ARRAYS, optimize=lambda *args: [(0, 9)])
    with pytest.raises(PathError, match="the path leaves 4 operands"):
        einsum(TEXT, *ARRAYS, optimize=lambda *args: [])


def test_an_optimizer_that_finds_nothing_is_a_path_error():
    def search(*args):
        raise RuntimeError("no way")

    with pytest.raises(PathError, match=r"^optimize='function' found no path: no way$"):
        einsum(TEXT, *ARRAYS, optimize=search)


def deep(call, frames: int):
    return call() if frames == 0 else deep(call, frames - 1)


def test_a_recursion_error_is_not_taken_for_a_path_that_does_not_exist():
    def search(*args):
        return search(*args)

    with pytest.raises(RecursionError):
        einsum(TEXT, *ARRAYS, optimize=search)
    with pytest.raises(RecursionError):
        einsum(TEXT, *ARRAYS, optimize=(search, 10))


@pytest.mark.parametrize("optimize", ["auto", "dp", "optimal", "branch-1", ("greedy", 20), [(0, 1, 2, 3)]])
def test_close_to_the_end_of_the_stack_there_is_a_result_or_a_recursion_error(optimize):
    limit = sys.getrecursionlimit()
    results = set()
    for frames in range(limit - 200, limit, 3):
        einsum_unified.clear_cache()
        try:
            deep(lambda: einsum(TEXT, *ARRAYS, optimize=optimize), frames)
            results.add("value")
        except RecursionError:
            results.add("RecursionError")
    assert "RecursionError" in results


# --- the default ----------------------------------------------------------------------------------


def path_cost(terms, output, sizes, path) -> int:
    return sum(step.flops for step in steps(terms, output, sizes, path))


def random_network(
    seed: int, operands: int
) -> tuple[list[tuple[int, ...]], tuple[int, ...], tuple[int, ...]]:
    """Labels in one to four operands each, hyperedges among them."""
    rng = np.random.default_rng(seed)
    labels = operands + 2
    terms = [
        tuple(int(n) for n in rng.choice(labels, rng.integers(1, 4), replace=False)) for _ in range(operands)
    ]
    used = sorted({n for term in terms for n in term})
    output = tuple(n for n in used if rng.random() < 0.2)
    return terms, output, tuple(int(n) for n in rng.integers(2, 9, labels))


@pytest.mark.parametrize("operands", range(3, 17))
@pytest.mark.parametrize("seed", range(8))
def test_the_default_never_costs_more_than_greedy_or_dp(seed: int, operands: int):
    terms, output, sizes = random_network(100 * operands + seed, operands)
    costs = {
        name: path_cost(terms, output, sizes, find_path(tuple(terms), output, sizes, Strategy(name)))
        for name in ("auto", "greedy", "dp")
    }
    # Up to eight operands it tries all orders. For more it searches as long as the work is worth.
    most = 1 if operands <= 8 or costs["auto"] < 10**5 else 1.05
    if operands <= 8 or costs["auto"] >= 10**5:
        assert costs["auto"] <= most * min(costs["greedy"], costs["dp"])
    assert costs["auto"] <= costs["greedy"]


@pytest.mark.parametrize("operands", [3, 4, 5, 6])
@pytest.mark.parametrize("seed", range(8))
def test_the_default_is_the_best_order_of_few_operands(seed: int, operands: int):
    terms, output, sizes = random_network(1000 * operands + seed, operands)
    found = find_path(tuple(terms), output, sizes, Strategy())
    every = [path_cost(terms, output, sizes, path) for path in orders(operands)]
    assert path_cost(terms, output, sizes, found) == min(every)


@pytest.mark.parametrize("operands", [6, 9])
def test_ever_new_sizes_are_not_searched_for_ever(operands: int, monkeypatch):
    calls = []
    for name in ("every_order", "_refined"):
        search = getattr(searches, name)
        monkeypatch.setattr(
            searches, name, lambda network, search=search: calls.append(network) or search(network)
        )
    module.forget_paths()
    terms, output = tuple((n, n + 1) for n in range(operands)), (0, operands)
    for size in range(2, 40):
        sizes = (size, 40 - size, size + 1, *[7] * (operands - 2))
        found = find_path(terms, output, sizes, Strategy())
        assert path_cost(terms, output, sizes, found) <= path_cost(terms, output, sizes, forwards(operands))
    assert len(calls) == searches._SEARCHES


def test_more_operands_are_searched_if_few_share_labels_and_it_is_worth_it():
    chain = tuple((n, n + 1) for n in range(10))
    rng = np.random.default_rng(1)
    large = tuple(int(n) for n in rng.integers(50, 300, 11))
    costs = {
        name: path_cost(chain, (0, 10), large, find_path(chain, (0, 10), large, Strategy(name)))
        for name in ("auto", "dp", "greedy")
    }
    assert costs["auto"] == costs["dp"] < costs["greedy"]
    small = tuple(min(n, 3) for n in large)
    assert find_path(chain, (0, 10), small, Strategy()) == find_path(
        chain, (0, 10), small, Strategy("greedy")
    )


@pytest.mark.parametrize("operands", [9, 40])
def test_the_default_for_many_operands_is_no_worse_than_greedy_or_the_order_they_are_in(operands: int):
    terms, output, sizes = random_network(operands, operands)
    costs = [
        path_cost(terms, output, sizes, find_path(tuple(terms), output, sizes, Strategy(name)))
        for name in ("auto", "greedy", "none")
    ]
    assert costs[0] <= min(costs[1:])


def test_the_order_that_operands_are_written_in_competes_with_greedy():
    # A chain of matrices of which only the first is small: greedy starts elsewhere.
    terms = tuple((n, n + 1) for n in range(20))
    sizes = (1, *[3] * 19, 50)
    costs = {
        name: path_cost(terms, (0, 20), sizes, find_path(terms, (0, 20), sizes, Strategy(name)))
        for name in ("auto", "greedy", "none")
    }
    assert costs["auto"] <= min(costs["greedy"], costs["none"])
    assert costs["auto"] == sum(2 * sizes[n] * sizes[n + 1] for n in range(1, 20))  # vector times matrix


def test_many_small_tensors_on_a_large_one_need_no_large_intermediate():
    cores = tuple((0, 1, 2, label) for label in range(3, 15))
    terms = (*cores, tuple(range(3, 16)))
    sizes = (4, 10, 10, *[2] * 13)
    output = (0, 1, 2, 15)
    found = steps(terms, output, sizes, find_path(terms, output, sizes, Strategy()))
    assert max(step.elements for step in found) <= 4 * 10 * 10 * 2**8


def test_sizes_seen_before_do_not_matter_until_there_were_many():
    labels = ((0, 1, 4), (1, 2, 5), (2, 3, 6), (3, 0, 7), (4, 5, 6, 7), (0, 2))
    rng = np.random.default_rng(7)
    sizes = [tuple(int(n) for n in rng.integers(2, 40, 8)) for _ in range(8)]
    module.forget_paths()
    together = [find_path(labels, (1, 3), some, Strategy()) for some in sizes]
    for some, found in zip(sizes, together, strict=True):
        module.forget_paths()
        assert find_path(labels, (1, 3), some, Strategy()) == found


def test_the_paths_kept_for_other_sizes_are_few_also_under_threads():
    forget_all()
    terms, output = tuple((n, n + 1) for n in range(6)), (0, 6)
    with ThreadPoolExecutor(8) as pool:
        sizes = [(n % 7 + 2, n % 5 + 2, n + 2, n % 3 + 2, 2, 3, 4) for n in range(200)]
        list(pool.map(lambda some: find_path(terms, output, some, Strategy()), sizes))
    assert len(searches._found(terms, output).paths) == searches._SEARCHES
    forget_all()
    assert searches._found(terms, output).paths == ()


def test_the_default_is_deterministic():
    paths = {tuple(einsum_path(TEXT, *ARRAYS, optimize="auto")[0]) for _ in range(3)}
    assert len(paths) == 1


@pytest.mark.parametrize("optimize", ["auto", "dp", "greedy", "optimal"])
def test_a_size_of_zero_does_not_hinder_the_search(optimize: str):
    result = einsum("ij,jk,kl->il", np.ones((2, 0)), np.ones((0, 3)), np.ones((3, 4)), optimize=optimize)
    assert result.shape == (2, 4)
    assert not result.any()


@pytest.mark.parametrize("operands", [1, 2])
def test_one_and_two_operands_are_one_step(operands: int):
    terms = ((0,),) * operands
    for name in ("auto", "none", "greedy"):
        assert find_path(terms, (), (3,), Strategy(name)) == (tuple(range(operands)),)


# --- pairs ----------------------------------------------------------------------------------------


def run_in_pairs(text: str, arrays: list[np.ndarray], path: tuple[tuple[int, ...], ...]) -> np.ndarray:
    """Contract by `numpy.einsum` as the pairs say, keeping every label that is needed later."""
    left, output = text.split("->")
    live = list(zip(left.split(","), arrays, strict=True))
    for pair in path:
        assert len(pair) <= 2
        taken = [live[position] for position in pair]
        live = [item for n, item in enumerate(live) if n not in pair]
        later = set(output).union(*(term for term, _ in live))
        kept = "".join(sorted(later & set("".join(term for term, _ in taken))))
        kept = kept if live else output
        equation = ",".join(term for term, _ in taken) + "->" + kept
        live.append((kept, np.einsum(equation, *(x for _, x in taken), optimize=False)))
    assert len(live) == 1
    return live[0][1]


@pytest.mark.parametrize(
    "path",
    [
        ((0, 1, 2, 3, 4),),
        ((0, 2, 4), (0, 1, 2)),
        ((4, 1, 3), (2, 0, 1)),
        ((0, 1), (0, 1, 2, 3)),
        ((1, 2, 3, 4), (0, 1)),
        ((0, 1, 3, 4), (1, 0)),
        ((0,), (0, 2, 3), (2, 1, 0)),
        ((3, 4), (0, 2), (0, 1, 2)),
        ((0, 1), (0, 1), (0, 1), (0, 1)),
    ],
    ids=str,
)
def test_steps_of_many_operands_are_run_in_pairs_with_the_same_result(path):
    text = "ab,bc,cd,da,ae->e"
    rng = np.random.default_rng(1)
    size = dict(zip("abcde", (2, 3, 4, 2, 3), strict=True))
    arrays = [rng.integers(-3, 4, [size[c] for c in term]).astype(float) for term in text[:-3].split(",")]
    want = np.einsum(text, *arrays, optimize=False)
    pairs = tuple(einsum_path(text, *arrays, optimize=path)[0][1:])
    assert sum(len(pair) - 1 for pair in pairs) == len(arrays) - 1
    assert (run_in_pairs(text, arrays, pairs) == want).all()
    assert (einsum(text, *arrays, optimize=path) == want).all()
    # NumPy and opt_einsum run the same pairs.
    assert (np.einsum(text, *arrays, optimize=["einsum_path", *pairs]) == want).all()
    assert (opt_einsum.contract(text, *arrays, optimize=pairs) == want).all()


@pytest.mark.parametrize(
    ("path", "operands", "pairs"),
    [
        (((0, 1),), 2, ((0, 1),)),
        (((1, 0),), 2, ((0, 1),)),
        (((0,), (1, 0)), 2, ((0,), (0, 1))),
        (((2, 0, 1),), 3, ((1, 2), (0, 1))),
        (((1, 2, 3),), 4, ((2, 3), (1, 2))),
        (((0, 1, 2, 3),), 4, ((2, 3), (1, 2), (0, 1))),
        (((0, 1, 2), (0, 1)), 4, ((1, 2), (0, 2), (0, 1))),
    ],
    ids=str,
)
def test_a_step_of_many_operands_is_split_into_the_cheapest_pairs(path, operands: int, pairs):
    # A chain of matrices, the last of which has one column: from right to left it is matrix times vector.
    terms = tuple((n, n + 1) for n in range(operands))
    if len(path) == 2 and len(path[0]) == 3:
        terms = (*terms[:2], (2, operands), (operands,))
    sizes = (*[9] * operands, 1)
    assert in_pairs(path, terms, (0,), sizes) == pairs


# --- costs ----------------------------------------------------------------------------------------


def test_steps_have_labels_flops_and_elements():
    got = steps(((0, 1), (1, 2), (2, 3)), (0, 3), (10, 2, 30, 4), ((1, 2), (0, 1)))
    assert got == (
        Step((1, 2), ((1, 2), (2, 3)), (1, 3), 2 * 2 * 30 * 4, 2 * 4),
        Step((0, 1), ((0, 1), (1, 3)), (0, 3), 2 * 10 * 2 * 4, 10 * 4),
    )


@pytest.mark.parametrize(
    ("terms", "output", "flops"),
    [
        ([(0, 1)], (0, 1), 0),  # a view
        ([(0, 1)], (0,), 6),  # additions
        ([(0,), (1,)], (0, 1), 6),  # multiplications
        ([(0, 1), (0, 1)], (), 12),  # both
        ([(0, 0)], (0,), 0),  # a diagonal
    ],
)
def test_flops_are_multiplications_and_additions(terms, output, flops: int):
    assert path_cost(terms, output, (2, 3), (tuple(range(len(terms))),)) == flops


@pytest.mark.parametrize("seed", range(5))
def test_flops_are_those_of_opt_einsum_where_every_step_is_a_pair(seed: int):
    terms, output, sizes = random_network(seed, 5)
    # opt_einsum does not sum a label before the product that only one operand has.
    counts = Counter(n for term in terms for n in term)
    output = tuple(n for n in counts if n in output or counts[n] == 1)
    text = ",".join("".join("abcdefg"[n] for n in term) for term in terms)
    text += "->" + "".join("abcdefg"[n] for n in output)
    shapes = [tuple(sizes[n] for n in term) for term in terms]
    path, info = opt_einsum.contract_path(text, *shapes, shapes=True, optimize="greedy")
    assert path_cost(terms, output, sizes, tuple(path)) == info.opt_cost


def test_the_elements_of_a_step_are_the_product_of_its_sizes():
    terms, output, sizes = random_network(3, 6)
    path = find_path(tuple(terms), output, sizes, Strategy("greedy"))
    for step in steps(terms, output, sizes, path):
        assert step.elements == prod(sizes[n] for n in step.output)
