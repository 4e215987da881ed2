"""Every way to multiply a pair gives the same values, and the choice among them is bounded and sane."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from einsum_unified import einsum, einsum_plan
from einsum_unified.adapter import Capabilities
from einsum_unified.adapter.costs import Costs
from einsum_unified.adapter.dispatch import load
from einsum_unified.planning.builder import Builder
from einsum_unified.planning.candidates import MultiplyAndSum, NativeStep
from einsum_unified.planning.labelled import Labelled
from einsum_unified.planning.lowering import lower
from einsum_unified.planning.matrix_products import MatrixProduct
from einsum_unified.planning.pair import Candidate, Pair, cheapest
from einsum_unified.program.compiler import compile_program
from einsum_unified.program.primitives import (
    Cast,
    Dot,
    IntegerDot,
    MatMul,
    MatMulInto,
    Multiply,
    Native,
    Reshape,
    Transpose,
)

# The rest of the TCCG benchmark (HPAC/tccg) differs from these in the order of kept labels only.
EQUATIONS = [
    "ik,kj->ij", "ikl,ljk->ij", "kil,lkj->ij", "ilk,jl->ijk", "ilmk,mjl->ijk", "imjn,lnkm->ijkl",
    "imnj,nlkm->ijkl", "minl,njmk->ijkl", "pa,pqrs->aqrs", "qb,aqrs->abrs", "rc,abrs->abcs", "bka,kj->abj",
    "kba,jk->ajb", "cbka,kj->abjc", "dkbac,jk->abjcd", "cbdka,kj->adbjc", "ijma,mkbc->abcijk",
    "jkmb,miac->abcijk", "ekbc,ijea->abcijk", "bk,akc->abc",
    # batches, in all orders
    "bij,bjk->bik", "ijb,bjk->kbi", "jbi,kjb->ikb", "bhid,bhjd->bhij", "bihd,bjhd->bhij", "hbid,bjdh->hibj",
    "bij,jk->bik", "ij,bjk->ikb", "abij,bjk->akib", "xayb,yxbc->bca",
    # vectors, rows times rows, nothing kept, many contracted
    "i,i->", "ij,j->i", "i,ij->j", "ij,ij->", "ij,ji->", "ij,ij->i", "ij,ij->j", "bi,bij->bj", "bij,bj->bi",
    "ijk,ijk->j", "ijk,jki->", "ijk,kj->ji", "abc,acb->a", "abcd,cbad->bd",
]  # fmt: skip


def arrays(text: str, size: int) -> list[np.ndarray]:
    """Small integers, exact in every order of summing; all sizes different."""
    rng = np.random.default_rng(len(text))
    labels = sorted(set(text) - set(",->"))
    sizes = {label: size + n for n, label in enumerate(labels)}
    terms = text.split("->")[0].split(",")
    return [rng.integers(-3, 4, [sizes[label] for label in term]).astype("float64") for term in terms]


def every_way(plan: Any, capabilities: Capabilities | None = None) -> list[tuple[Candidate, Any]]:
    """Each candidate of a plan of two operands, with the program that uses it."""
    capabilities = capabilities or plan.backend.capabilities
    found: list[Candidate] = []

    def look(candidates):
        found[:] = candidates
        return cheapest(candidates)

    lower(plan.bound, plan.path, capabilities, look)
    return [(way, lower(plan.bound, plan.path, capabilities, lambda _, way=way: way)) for way in found]


@pytest.mark.parametrize("size", [1, 2, 7])
@pytest.mark.parametrize("text", EQUATIONS)
def test_every_way_gives_numpys_values(framework, text: str, size: int):
    if size > 2 and len(set(text) - set(",->")) > 5:
        size = 3  # 11**6 elements would take seconds
    operands = arrays(text, size)
    want = np.einsum(text, *operands, optimize=True)
    tensors = [framework.tensor(x, "float32") for x in operands]
    plan = einsum_plan(text, *tensors)
    ways = every_way(plan)
    labels = [label for term in plan.bound.terms for label in set(term)]
    summed = {x for x in labels if labels.count(x) > 1 and plan.bound.sizes[x] > 1} - set(plan.bound.output)
    assert len(ways) > 1 if summed else not ways  # a contraction over size 1 is an outer product
    for way, program in ways or [(None, plan.program)]:
        result = framework.numpy(compile_program(program, plan.backend)[0](*tensors))
        assert result.shape == want.shape, way
        assert (result == want).all(), way


@pytest.mark.parametrize("text", EQUATIONS)
def test_every_way_takes_operands_of_any_layout(mutable, text: str):
    operands = [np.asfortranarray(x) for x in arrays(text, 2)]
    want = np.einsum(text, *operands, optimize=True)
    if mutable.name == "numpy":
        # Rows apart, and backwards: BLAS takes neither.
        tensors = [np.repeat(x, 2, axis=-1)[..., ::-2] for x in operands]
        tensors = [x[..., ::-1] for x in tensors]
        want = np.einsum(text, *tensors, optimize=True)
    else:
        tensors = [mutable.module.from_numpy(x) for x in operands]
    plan = einsum_plan(text, *tensors)
    for way, program in every_way(plan):
        result = mutable.numpy(compile_program(program, plan.backend)[0](*tensors))
        assert (result == want).all(), way


@pytest.mark.parametrize("dtype", ["int64", "complex64", "float16", "int8", "bool"])
@pytest.mark.parametrize("text", ["ij,jk->ik", "bij,bkj->kbi", "ij,ij->j", "ikl,ljk->ji", "ij,ij->"])
def test_every_way_keeps_the_dtype(framework, text: str, dtype: str):
    tensors = [framework.tensor(x, dtype) for x in arrays(text, 5)]
    operands = [framework.numpy(x) for x in tensors]
    if dtype == "complex64":
        tensors = [framework.tensor(x + 2j * x[::-1], "complex64") for x in operands]
        operands = [framework.numpy(x) for x in tensors]
    want = np.einsum(text, *operands)
    want = want.astype("int8") if dtype == "int8" else want
    plan = einsum_plan(text, *tensors)
    for way, program in every_way(plan):
        result = compile_program(program, plan.backend)[0](*tensors)
        assert framework.dtype(result) == dtype, way
        assert (framework.numpy(result) == want).all(), way


def test_the_ways_are_of_all_kinds(framework):
    ways = [way for text in EQUATIONS for way, _ in every_way(
        einsum_plan(text, *[framework.tensor(x) for x in arrays(text, 2)]))]  # fmt: skip
    products = [way for way in ways if isinstance(way, MatrixProduct)]
    assert any(way.swapped for way in products)
    assert any(way.left.loops or way.right.loops for way in products)
    assert any(way.left.copied for way in products)
    assert any(isinstance(way, MultiplyAndSum) for way in ways)
    assert any(isinstance(way, NativeStep) for way in ways) is (framework.name != "torch")
    assert any(way.order for way in products) is (framework.name == "numpy")


def test_planning_looks_at_a_bounded_number_of_ways():
    labels = "abcdefghijklmnop"
    for shift in range(1, 8):
        mixed = "".join(labels[(n * 5 + shift) % 16] for n in range(16))
        text = f"{labels}x,{mixed[:8]}x{mixed[8:]}yz->{labels[::3]}zy"
        assert len(every_way(einsum_plan(text, (2,) * 17, (2,) * 19))) <= 128


LARGEST = 2**62
"""A size near the greatest that is accepted. No float holds the product of twenty."""


@pytest.mark.parametrize("dtype", ["float32", "int8", "int32", "object", "float16", "bool"])
@pytest.mark.parametrize("empty", [False, True])
def test_sizes_beyond_what_a_float_holds_can_be_planned(dtype: str, empty: bool):
    spelled = {"i": "abcdefghijklmnopqrst", "j": "ABCDEFGHIJKLMNOPQRST", "k": "αβγδεζηθικλμνξοπρστυ"}
    if empty:  # rows and columns, but not what is summed
        spelled |= {"i": "a", "k": "α"}
    for text in ["ij,jk->ik"] if empty else ["ij,jk->ik", "ij,ij->", "ij,ij->j", "ij,kj->ki"]:
        sides = text.split("->")[0].split(",")
        sizes = {label: 0 if empty and label != "j" else LARGEST for label in spelled}
        shapes = [tuple(sizes[label] for label in term for _ in spelled[label]) for term in sides]
        equation = "".join(spelled.get(c, c) for c in text)
        assert einsum_plan(equation, *shapes, dtype=dtype).bound.dtype == dtype


def test_sizes_beyond_all_measure_can_be_planned():
    many = "fghijklmnopqrstuvwxyz"
    plan = einsum_plan(f"ab{many}d,b{many}de->ae", (1, *(LARGEST,) * 22, 10**9), (*(LARGEST,) * 22, 10**9, 0))
    assert plan.bound.sizes[plan.bound.output[1]] == 0


# --- views, and the calls that they take -----------------------------------------------------------


class EveryProduct:
    """Stands for all products of a pair: calls ``look`` with each before it writes the cheapest way."""

    cost = 0.0

    def __init__(
        self, ways: Sequence[Candidate], look: Callable[[MatrixProduct, Pair, Builder], None]
    ) -> None:
        self.ways, self.look = ways, look

    def write(self, pair: Pair, builder: Builder) -> Labelled:
        for way in self.ways:
            if isinstance(way, MatrixProduct):
                self.look(way, pair, replace(builder, instructions=[]))
        return cheapest(self.ways).write(pair, builder)


DECLARED = {
    "nothing": Capabilities(),
    "views": Capabilities(views=True, vectors=True),
    "one batch axis": Capabilities(views=True, vectors=True, batch_axes=1),
    "two batch axes": Capabilities(views=True, batch_axes=2),
    "turns": Capabilities(turns=True),
    "into": Capabilities(views=True, vectors=True, into=True),
}
MORE = ["ab,bc,cd,de->ae", "ij,jk,kl,lm,mi->", "bij,bjk,bkl->bil", "ea,fb,abcd,gc,hd->efgh", "ij,ik,il->jkl",
        "kib,kjb->bij", "kb,kjb->bj", "kbi,kb->ib", "k,kij->ij", "iij,jk->ik"]  # fmt: skip


@pytest.mark.parametrize("capabilities", DECLARED.values(), ids=list(DECLARED))
@pytest.mark.parametrize("text", [*EQUATIONS, *MORE])
def test_as_many_views_are_counted_as_are_written(text: str, capabilities: Capabilities):
    counted = []

    def look(way: MatrixProduct, pair: Pair, builder: Builder) -> None:
        way.write(pair, builder)
        written = [type(instruction) for instruction in builder.instructions]
        assert way.views == written.count(Transpose) + written.count(Reshape), (way, written)
        assert {*written} <= {Transpose, Reshape, Dot, MatMul, MatMulInto}
        counted.append(way)

    labels = sorted(set(text) - set(",->"))
    for sizes in ([2] * len(labels), [3 + n % 3 for n in range(len(labels))]):
        size = dict(zip(labels, sizes, strict=True))
        shapes = [tuple(size[label] for label in term) for term in text.split("->")[0].split(",")]
        plan = einsum_plan(text, *shapes)
        lower(plan.bound, plan.path, capabilities, lambda ways: EveryProduct(ways, look))
    assert counted


@pytest.mark.parametrize("declared", [name for name, x in DECLARED.items() if x.views])
@pytest.mark.parametrize("text", [*EQUATIONS, *MORE])
def test_operands_that_are_not_copied_have_a_layout_that_blas_takes(text: str, declared: str):
    def look(way: MatrixProduct, pair: Pair, builder: Builder) -> None:
        *matrices, _ = way.matrices(pair, builder)
        for side, x in zip((way.left, way.right), matrices, strict=True):
            steps = [step for size, step in zip(x.shape[-2:], x.strides[-2:], strict=True) if size > 1]
            one_vector = len(x.shape) < 3 and len(steps) == 1  # BLAS takes its stride
            assert side.copied or not steps or 1 in steps or one_vector, (way, x)

    labels = sorted(set(text) - set(",->"))
    size = {label: 2 + n for n, label in enumerate(labels)}
    shapes = [tuple(size[label] for label in term) for term in text.split("->")[0].split(",")]
    plan = einsum_plan(text, *shapes)
    lower(plan.bound, plan.path, DECLARED[declared], lambda ways: EveryProduct(ways, look))


def test_the_frameworks_own_einsum_never_costs_less_than_its_call():
    costs = Costs(native=1000.0)
    for text in EQUATIONS:
        plan = einsum_plan(text, *arrays(text, 2))
        for capabilities in (Capabilities(costs=costs), Capabilities(costs=costs, turns=True)):
            ways = [way for way, _ in every_way(plan, capabilities) if isinstance(way, NativeStep)]
            assert all(way.cost > costs.native for way in ways), text


@pytest.mark.parametrize("turn", [False, True])
@pytest.mark.parametrize("function", ["matmul", "matmul_into"])
def test_blas_gets_only_layouts_that_it_takes(monkeypatch, function: str, turn: bool):
    """NumPy multiplies anything else in a scalar loop, axes that repeat the same memory (stride 0) too."""
    adapter = load("numpy")
    x = np.arange(3.0 * 40 * 80).reshape(3, 40, 80) % 7
    layouts = [
        x[:, :, :40],
        x[:, :, ::2],
        x[:, ::-1, :40],
        x[:, :, 39::-1],
        np.broadcast_to(x[:, :1, :40], (3, 40, 40)),
        np.broadcast_to(x[:, :, :1], (3, 40, 40)),
        np.broadcast_to(x[0, 0, 0], (3, 40, 40)),
        np.broadcast_to(x[0, :, :40], (3, 40, 40)),
    ]
    handed = []
    multiply = np.matmul
    monkeypatch.setattr(np, "matmul", lambda *xs, **options: handed.extend(xs) or multiply(*xs, **options))
    for y in layouts:
        y = y.swapaxes(1, 2) if turn else y
        into = [(3, 40, 40), (0, 1, 2)] if function == "matmul_into" else []
        assert (getattr(adapter, function)(y, x[:, :, :40], *into) == multiply(y, x[:, :, :40])).all()
        given = handed[-2]
        rows, columns = (stride // y.itemsize for stride in given.strides[1:])
        assert (columns == 1 and rows >= 40) or (rows == 1 and columns >= 40), y.strides
    assert np.may_share_memory(handed[0], x)  # what lies right is not copied


# --- promised layout ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["bka,kj->abj", "pa,pqrs->aqrs", "qb,qars->bars", "ijb,bjk->bik", "imnj,nlkm->ijkl", "bihd,bjhd->bhij"],
)
def test_every_way_to_batch_left_right_is_c_contiguous(mutable, text: str):
    tensors = [mutable.tensor(x) for x in arrays(text, 3)]
    plan = einsum_plan(text, *tensors)
    for way, program in every_way(plan):
        result = compile_program(program, plan.backend)[0](*tensors)
        assert result.is_contiguous() if mutable.name == "torch" else result.flags.c_contiguous, way


# --- what is chosen -------------------------------------------------------------------------------


def kinds(text: str, *operands) -> list[type]:
    return [type(instruction) for instruction in einsum_plan(text, *operands).program.instructions]


def test_no_large_product_is_made_only_to_be_summed(torch):
    small, large = (torch.empty((2, n), device="meta") for n in (2**20, 2**22))
    assert Multiply in kinds("ij,ij->j", small, small)
    assert Multiply not in kinds("ij,ij->j", large, large)


def test_an_operand_that_is_a_matrix_in_memory_is_not_copied():
    assert set(kinds("abk,kcd->abcd", (20, 30, 40), (40, 50, 6))) <= {Reshape, Dot, MatMul}
    assert kinds("ki,kj->ij", (300, 200), (300, 100)) == [Transpose, Dot]


def test_a_kept_label_is_looped_over_where_that_saves_a_copy():
    # 'bda' has d in the middle: for each b the rest is a matrix, and only that is multiplied.
    found = kinds("bda,dc->bac", (64, 64, 64), (64, 64))
    assert found == [Transpose, MatMul]


def test_a_product_can_be_written_in_the_order_of_the_output():
    assert MatMulInto in kinds("pa,pqrs->aqrs", (32, 32), (32, 32, 32, 32))


@pytest.mark.parametrize(("dtype", "native"), [("int64", True), ("int32", True), ("float64", False)])
def test_numpys_loops_multiply_large_wide_integers(dtype: str, native: bool):
    x = np.ones((200, 200), dtype)
    way = cheapest([way for way, _ in every_way(einsum_plan("ij,jk->ik", x, x))])
    assert isinstance(way, NativeStep) is native


@pytest.mark.parametrize("output", ["il", "li"])
def test_numpys_loops_multiply_every_step_and_write_the_last_in_the_order_of_the_output(output: str):
    x, y, z = (np.random.default_rng(n).integers(-(2**40), 2**40, (120, 120)) for n in range(3))
    plan = einsum_plan(f"ij,jk,kl->{output}", x, y, z)
    assert [type(instruction) for instruction in plan.program.instructions] == [Native, Native]
    want = x @ y @ z  # modulo 2**64, as here
    np.testing.assert_array_equal(plan(x, y, z), want if output == "il" else want.T)


# --- integers in floats ---------------------------------------------------------------------------


GREATEST = {"int8": -128, "uint8": 255, "int16": -(2**15), "uint16": 2**16 - 1}


@pytest.mark.parametrize("dtype", GREATEST)
@pytest.mark.parametrize("length", [1, 2, 257, 258, 259, 1023, 1024, 1025, 2**18, 2**21, 2**21 + 1])
def test_the_greatest_integers_wrap_around_as_numpys_do(mutable, dtype: str, length: int):
    x = np.full(length, GREATEST[dtype], dtype)
    want = np.array(length * GREATEST[dtype] ** 2, dtype=object) % 2 ** (8 * x.itemsize)
    tensor = mutable.tensor(x, dtype)
    plan = einsum_plan("ai,ib->ab", tensor[None], tensor[:, None])
    for way, program in every_way(plan):
        result = mutable.numpy(compile_program(program, plan.backend)[0](tensor[None], tensor[:, None]))
        assert int(result[0, 0]) % 2 ** (8 * x.itemsize) == want, way


@pytest.mark.parametrize(
    ("dtype", "length", "floats"),
    [
        ("int8", 1024, "float32"),  # 1024 * 128**2 == 2**24
        ("int8", 1025, "float64"),
        ("uint8", 258, "float32"),  # 258 * 255**2 < 2**24 < 259 * 255**2
        ("uint8", 259, "float64"),
        ("int16", 64, "float64"),
        ("uint16", 2**21, "float64"),
        ("uint16", 2**21 + 65, None),
        ("bool", 2**25, "float32"),
        ("int32", 4, None),
        ("float16", 4, None),
    ],
)
def test_floats_are_used_only_where_every_sum_is_exact(dtype: str, length: int, floats: str | None):
    plan = einsum_plan("ai,ib->ab", (64, length), (length, 64), dtype=dtype)
    exact = {way.dtype for way, _ in every_way(plan) if isinstance(way, MatrixProduct)} - {None}
    assert exact == ({floats} if floats else set())


@pytest.mark.parametrize(
    ("dtype", "floats", "back"),
    # Back by way of integers that hold every sum.
    [("int8", "float32", ["int32"]), ("uint8", "float32", ["int32"]), ("int16", "float64", ["int64"]),
     ("bool", "float32", [])],
)  # fmt: skip
def test_large_products_of_narrow_integers_go_through_floats_on_numpy(dtype: str, floats: str, back: list):
    x = np.ones((256, 256), dtype)
    casts = [i.dtype for i in einsum_plan("ij,jk->ik", x, x).program.instructions if isinstance(i, Cast)]
    assert casts == [floats, floats, *back, dtype]


def test_torchs_kernel_for_int8_is_used_where_there_is_one(torch, monkeypatch):
    adapter = load("torch")
    x = torch.randint(-128, 128, (300, 300), dtype=torch.int8)
    want = x.long() @ x.long()
    assert IntegerDot in kinds("ij,jk->ik", x, x)
    assert torch.equal(adapter.integer_dot(x, x).long(), want)
    assert torch.equal(einsum("ij,jk->ik", x, x), want.to(torch.int8))
    for a in (x[:1].expand(300, 300), x[:, :1].expand(300, 300), x.t(), x[::3, ::3]):
        assert torch.equal(adapter.integer_dot(a, a.t()).long(), a.long() @ a.t().long())
    # Under vmap, and if torch should drop it, a public way stands behind it.
    batched = torch.vmap(lambda a: einsum("ij,jk->ik", a, x))(torch.stack([x, x]))
    assert torch.equal(batched[1], want.to(torch.int8))
    for private in ("_int_mm", "_is_wrapped"):
        monkeypatch.setattr(f"einsum_unified.backends.torch.{private}", None)
        assert torch.equal(adapter.integer_dot(x, x).long(), want)


def test_torch_still_has_its_kernel_for_int8(torch):
    """If this fails, int8 products on torch have become slow, not wrong."""
    module = import_module("einsum_unified.backends.torch")
    assert module._int_mm is not None
    assert module._is_wrapped is not None


def test_small_products_of_integers_stay_integers():
    x = np.ones((2, 2), "int8")
    assert kinds("ij,jk->ik", x, x) == [Dot]


def test_random_narrow_integers_agree_with_wide_ones(mutable):
    rng = np.random.default_rng(0)
    for dtype in ("int8", "uint8", "int16", "uint16"):
        info = np.iinfo(dtype)
        a, b = (rng.integers(info.min, info.max, (100, 100), dtype="int64", endpoint=True) for _ in "ab")
        got = einsum("ij,jk->ki", mutable.tensor(a, dtype), mutable.tensor(b, dtype))
        assert mutable.dtype(got) == dtype
        assert (mutable.numpy(got) == np.einsum("ij,jk->ki", a, b).astype(dtype)).all()


# --- capabilities ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "capabilities",
    [Capabilities(), Capabilities(views=True), Capabilities(views=True, batch_axes=1)],
    ids=["nothing", "views", "one batch axis"],
)
def test_an_adapter_that_declares_little_gets_plain_calls(capabilities: Capabilities):
    a, b = arrays("bij,kjb->ikb", 2)
    program = lower(einsum_plan("bij,kjb->ikb", a, b).bound, ((0, 1),), capabilities)
    assert {type(instruction) for instruction in program.instructions} <= {Transpose, Reshape, MatMul}
    run, *_ = compile_program(program, load("numpy"))
    assert (run(a, b) == np.einsum("bij,kjb->ikb", a, b)).all()
