"""What a plan says of itself: figures counted by hand, views that are views, code that runs without us."""

from __future__ import annotations

import itertools
import re
from contextlib import nullcontext

import numpy as np
import pytest
from conftest import available, installed_module, require
from frameworks import FRAMEWORKS

from einsum_unified import OperandTypeError, einsum, einsum_plan
from einsum_unified.adapter import Capabilities
from einsum_unified.adapter.dispatch import load
from einsum_unified.program.primitives import Cast, Multiply, Program, Transpose
from einsum_unified.program.values import Value
from einsum_unified.show.accounts import Ledger, account
from einsum_unified.show.dialects import DIALECTS
from einsum_unified.show.figures import Figure
from einsum_unified.testing.gallery import GALLERY


def accounted(plan):
    return account(plan.bound, plan.program, plan.backend.capabilities)


def row(plan, number: int) -> list[str]:
    """The cells of the row of a step."""
    (line,) = [line for line in str(plan).splitlines() if re.match(rf"\s+{number}  ", line)]
    return re.split(r"\s{2,}", line.strip())


# --- figures --------------------------------------------------------------------------------------


def test_a_matrix_product_is_counted_by_hand():
    plan = einsum_plan("ij,jk->ik", (2, 3), (3, 4))
    # 2·4 results of 3 products and 3 additions; 6 + 12 elements of 8 bytes read, 8 written.
    assert row(plan, 0) == ["0", "ij,jk->ik", "matmul 2×3×4", "48", "144", "64", "0"]


def test_a_batch_is_counted_by_hand():
    plan = einsum_plan("bij,bjk->bik", (5, 2, 3), (5, 3, 4), dtype="float32")
    assert row(plan, 0) == ["0", "bij,bjk->bik", "matmul 2×3×4, 5 of them", "240", "360", "160", "0"]


def test_a_sum_an_outer_product_and_a_view_are_counted_by_hand():
    total = einsum_plan("ij->i", (2, 3))
    (work,) = accounted(total).works
    assert (work.kind, int(work.flops), int(work.read), int(work.written)) == ("sum", 6, 48, 16)
    outer = accounted(einsum_plan("i,j->ij", (2,), (3,)))
    work = next(work for work in outer.works if work.kind == "multiply")
    assert (int(work.flops), int(work.read), int(work.written)) == (6, 16 + 24, 48)
    (view,) = accounted(einsum_plan("ij->ji", (2, 3))).works
    assert (view.kind, int(view.read), int(view.written)) == ("view", 0, 0)


def test_a_copy_is_counted_as_one():
    # Fusing c and d of the second operand in another order than it has them moves all of it.
    plan = einsum_plan("abcd,dcae->bea", (2, 3, 4, 5), (5, 4, 2, 6))
    copies = [work for work in accounted(plan).works if work.kind == "copy"]
    assert row(plan, 0)[-1] == str(len(copies))
    for work in copies:
        assert int(work.read) == int(work.written) == 8 * int(np.prod(work.shape))


def test_the_naive_cost_is_one_loop_over_all_labels():
    text = str(einsum_plan("ij,jk,kl->il", (2, 3), (3, 4), (4, 5)))
    assert "one nested loop: 360 FLOPs" in text  # 2·3·4·5 times two products and an addition


def test_the_most_held_at_a_time_counts_intermediates_and_result():
    plan = einsum_plan("ij,jk,kl->il", (2, 3), (3, 4), (4, 5), optimize=[(0, 1), (0, 1)])
    assert int(accounted(plan).peak) == 8 * (2 * 4 + 2 * 5)
    chain = einsum_plan("ij,jk,kl,lm->im", (9, 2), (2, 2), (2, 2), (2, 2), optimize=[(0, 1), (0, 2), (0, 1)])
    assert int(accounted(chain).peak) == 8 * (9 * 2 + 9 * 2)  # each step's operand goes when it is used


def test_memory_is_held_as_long_as_any_view_of_it_is_used():
    instructions = (
        Cast(1, (0,), "float32"),  # 400 bytes
        Transpose(2, (1,), (1, 0)),  # a view: it takes no memory, and the cast is held for it
        Cast(3, (0,), "float64"),  # 800
        Multiply(4, (3, 2)),  # 800: the most is held here
        Transpose(5, (4,), (1, 0)),
    )
    plan = einsum_plan("ij->ji", (10, 10))
    program = Program(1, instructions, 5)
    assert int(account(plan.bound, program, plan.backend.capabilities).peak) == 400 + 800 + 800
    # Without views each transpose is a copy; what it was made from goes.
    assert int(account(plan.bound, program, Capabilities()).peak) == 400 + 800 + 800


def test_a_result_that_is_a_view_is_held_once():
    plan = einsum_plan("abk,kc->cba", (4, 5, 3), (3, 7))
    assert accounted(plan).works[-1].kind == "view"
    assert int(accounted(plan).peak) == 8 * 4 * 5 * 7


def test_sizes_that_are_not_known_stay_in_the_figures():
    plan = einsum_plan("bij,jk->bik", (None, 2, 3), (3, 4))
    assert row(plan, 0)[2:] == ["matmul 2×3×4, b of them", "48·b", "48·b + 96", "64·b", "0"]
    for batch in (1, 7):
        known = einsum_plan("bij,jk->bik", (batch, 2, 3), (3, 4))
        for name in ("flops", "read", "written"):
            of_any, of_one = (
                sum((getattr(work, name) for work in accounted(p).works), Figure()) for p in (plan, known)
            )
            assert of_any.at({"b": batch}) == int(of_one)


@pytest.mark.parametrize("picture", GALLERY, ids=lambda picture: picture.equation)
@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_what_is_called_a_view_shares_memory_and_what_is_called_a_copy_does_not(name: str, picture):
    framework = next(cls for cls in FRAMEWORKS if cls.name == name)
    tensors = [available(framework).tensor(x) for x in picture.operands()]
    plan = einsum_plan(picture.equation, *tensors)
    assert_views(plan, tensors, load(name))


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("abcd,dcae->bea", [(2, 3, 4, 5), (5, 4, 2, 6)]),
        ("iij,jk->ik", [(3, 3, 4), (4, 2)]),
        ("ba,cb,dc->ad", [(2, 3), (4, 2), (5, 4)]),
        ("ijkl,lm->mkji", [(2, 3, 4, 5), (5, 6)]),
        ("aXbc,cd->bXad", [(2, 1, 3, 4), (4, 5)]),
    ],
)
def test_views_of_harder_programs(equation: str, shapes):
    arrays = [np.ones(shape) for shape in shapes]
    assert_views(einsum_plan(equation, *arrays), arrays, load("numpy"))


def assert_views(plan, tensors, backend):
    """Run a program instruction by instruction and see which results share memory with their source."""
    registers = dict(enumerate(tensors))
    for instruction, work in zip(plan.program.instructions, accounted(plan).works, strict=True):
        if instruction.target < 0 or instruction.function == "unbox":
            continue
        sources = [registers[register] for register in instruction.sources]
        values = instruction.arguments()
        if "dtype" in values:
            values["dtype"] = backend.dtype_from_name(values["dtype"])
        if instruction.function == "native":
            made = backend.native(**values)(*sources)
        else:
            made = getattr(backend, instruction.function)(*sources, *values.values())
        registers[instruction.target] = made
        assert tuple(made.shape) == tuple(work.shape)
        arrays = [backend.to_numpy(x) for x in (made, *sources)]
        if arrays[0].size > 1:
            shares = any(np.may_share_memory(arrays[0], other) for other in arrays[1:])
            assert shares == (work.kind == "view"), instruction
        assert int(work.written) == (0 if work.kind == "view" else arrays[0].nbytes), instruction


# --- the listing ----------------------------------------------------------------------------------


def test_repr_is_one_line_and_print_is_explain():
    plan = einsum_plan("ij,jk,kl->il", (2, 3), (3, 4), (4, 5))
    assert "\n" not in repr(plan)
    assert str(plan) == plan.explain()


def test_the_listing_names_how_the_path_was_found():
    shapes = (2, 3), (3, 4), (4, 5)
    equation = "ij,jk,kl->il"
    assert "path: cheapest of several searches: (" in str(einsum_plan(equation, *shapes))
    assert "path: greedy: (" in str(einsum_plan(equation, *shapes, optimize="greedy"))
    assert "path: from left to right: (" in str(einsum_plan(equation, *shapes, optimize=False))
    assert "path: given: (0, 2), (0, 1)" in str(
        einsum_plan(equation, *shapes, optimize=["einsum_path", (0, 2), (0, 1)])
    )


def test_the_totals_are_the_sums_of_the_rows():
    plan = einsum_plan("ii,ij,kj,kl->l", (5, 5), (5, 3), (4, 3), (4, 2))
    lines = [line.split() for line in str(plan).splitlines()]
    start, end = (n for n, cells in enumerate(lines) if cells and set(cells[0]) == {"-"})
    total = lines[end + 1]
    assert total[0] == "total"
    for column in range(1, 5):
        figures = [int(cells[column - 5].replace(",", "")) for cells in lines[start + 1 : end]]
        assert sum(figures[-len(figures) :]) == int(total[column].replace(",", ""))


# --- code -----------------------------------------------------------------------------------------


def tensor_of(backend: str):
    if backend == "jax":
        jax = installed_module("jax")
        return jax.numpy.asarray
    if backend == "array_api":
        return installed_module("array_api_strict").asarray
    framework = available(next(cls for cls in FRAMEWORKS if cls.name == backend))
    return framework.tensor


@pytest.mark.parametrize("backend", DIALECTS)
@pytest.mark.parametrize("picture", GALLERY, ids=lambda picture: picture.equation)
def test_the_code_of_every_picture_runs_on_its_framework(picture, backend: str):
    operands = [np.asarray(x) for x in picture.operands()]
    want = np.asarray(picture.reference(*operands))
    text = einsum_plan(picture.equation, *operands).to_python(backend)
    assert "einsum" not in re.sub(r"#.*", "", text)
    with in_64_bits(backend):
        got = np.asarray(contract(text)(*map(tensor_of(backend), operands)))
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("backend", [name for name in DIALECTS if name != "array_api"])
def test_dtypes_are_computed_in_code_as_the_adapter_computes_them(backend: str):
    installed_module(backend)
    dialect, declared = DIALECTS[backend], load(backend).capabilities
    of_code = {name: dialect.arithmetic.get(name, name) for name in dialect.dtypes}
    assert of_code == {name: declared.arithmetic.get(name, name) for name in dialect.dtypes}
    if declared.dtypes is not None:
        assert dialect.dtypes <= declared.dtypes


def in_64_bits(backend: str):
    return installed_module("jax").enable_x64(True) if backend == "jax" else nullcontext()


def contract(text: str):
    for library in re.findall(r"^import (\w+)", text, re.MULTILINE):
        require(library)
    namespace: dict = {}
    exec(compile(text, "pasted", "exec"), namespace)
    return namespace["contract"]


@pytest.mark.parametrize("backend", DIALECTS)
def test_the_code_of_a_plan_for_any_batch_runs_for_each(backend: str):
    shapes = (None, 3, 4), (None, 4, 5), (5, 6)
    text = einsum_plan("bij,bjk,kl->bil", *shapes, dtype="float32").to_python(backend)
    for batch in (1, 5):
        arrays = [np.ones(shape, "float32") for shape in [(batch, 3, 4), (batch, 4, 5), (5, 6)]]
        got = np.asarray(contract(text)(*map(tensor_of(backend), arrays)))
        np.testing.assert_allclose(got, np.full((batch, 3, 6), 20.0))


@pytest.mark.parametrize("dtype", ["bool", "int8", "float16", "uint16"])
@pytest.mark.parametrize("backend", ["numpy", "torch", "tensorflow", "jax"])
def test_the_code_keeps_the_dtype_and_wraps_around_as_einsum_does(backend: str, dtype: str):
    x = np.full((3, 40), 5).astype(dtype)
    tensor = tensor_of(backend)(x)
    text = einsum_plan("ij,kj->ik", (3, 40), (3, 40), dtype=dtype).to_python(backend)
    got, want = contract(text)(tensor, tensor), einsum("ij,kj->ik", tensor, tensor)
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(np.asarray(got), np.asarray(want))


@pytest.mark.parametrize("backend", DIALECTS)
def test_the_code_takes_python_numbers_that_were_planned_for(backend: str):
    text = einsum_plan("i,->i", np.arange(3, dtype="float32"), 2.5).to_python(backend)
    got = contract(text)(tensor_of(backend)(np.arange(3, dtype="float32")), 2.5)
    np.testing.assert_array_equal(np.asarray(got), np.array([0, 2.5, 5], "float32"))


HOSTILE = ["a\u2028b", "'''", 'x"""\nimport os', "#\n__import__('os')", "\\", "{x}", "\u202e"]


@pytest.mark.parametrize("label", HOSTILE)
def test_nothing_of_a_label_becomes_code(label: str):
    x = np.ones((2, 3))
    plan = einsum_plan(x, [label, 0], x, [label, 1], [0, 1])
    for backend in DIALECTS:
        lines = plan.to_python(backend).splitlines()
        code = "\n".join(re.sub(r"#.*", "", line) for line in lines)
        assert "os" not in re.sub(r"transpose|numpy", "", code)
        assert all(line.isascii() for line in lines)
    got = contract(plan.to_python("numpy"))(x, x)
    np.testing.assert_array_equal(got, x.T @ x)


def test_an_unknown_backend_is_named_with_those_there_are():
    plan = einsum_plan("ij->ji", (2, 3))
    with pytest.raises(OperandTypeError, match="backend='cobol'; choose from numpy, torch"):
        plan.to_python("cobol")


def test_figures_are_polynomials():
    b, s = Figure.of_label("b"), Figure.of_label("s")
    assert str((b + Figure.of(2)) * (s + Figure.of(3))) == "b·s + 3·b + 2·s + 6"
    for m, n in itertools.product((0, 1, 5), repeat=2):
        assert ((b + Figure.of(2)) * s).at({"b": m, "s": n}) == (m + 2) * n
    with pytest.raises(ValueError, match="b is not a number until its sizes are known"):
        int(b)


def test_shapes_in_the_code_are_written_as_python_writes_them():
    code = einsum_plan("bk,kn->bn", (None, 1024), (1024, 2048)).to_python()
    assert "# a0: (b, 1024) float64" in code
    assert "# a1: (1024, 2048) float64" in code
    assert "1,024" not in code


# --- sizes that only some operands give, and labels of any kind ------------------------------------


@pytest.mark.parametrize(
    ("equation", "shapes", "dtype"),
    [
        ("bij,bjk->bik", [(8, 2, 3), (None, 3, 4)], "float16"),
        ("i,i->i", [(3,), (None,)], "int8"),
        ("ii,i->i", [(None, None), (3,)], "float32"),
        ("bi,bj->bij", [(None, 2), (7, 3)], "bfloat16"),
        ("ij,jk->ik", [(None, 3), (None, 4)], "float32"),
    ],
)
def test_a_plan_of_a_framework_that_compares_sizes_late_shows_everything(tf, equation, shapes, dtype):
    plans = []

    @tf.function(input_signature=[tf.TensorSpec(shape, dtype) for shape in shapes])
    def trace(x, y):
        plans.append(einsum_plan(equation, x, y))
        return x

    trace.get_concrete_function()
    (plan,) = plans
    assert "peak memory" in plan.explain()
    assert plan.figures()["steps"]
    assert plan.to_python("tensorflow").startswith("import tensorflow as tf")
    assert plan.to_svg().startswith("<svg")
    assert plan.to_html().startswith("<!DOCTYPE html>")
    named = set(re.findall(r"[a-z]", str(plan.figures()["totals"]["flops"])))
    (line,) = [line for line in plan.explain().splitlines() if "unknown sizes" in line]
    assert named <= set(re.findall(r"\b([a-z]) =", line))


@pytest.mark.parametrize("path", [[], [(0,)], [(0,), (0,)]])
def test_a_path_of_one_operand_is_one_step(path):
    plan = einsum_plan("ij->ji", (2, 3), optimize=path)
    assert plan.path == ((0,),)
    assert "view" in plan.explain()
    assert plan.to_svg().startswith("<svg")
    assert plan(np.ones((2, 3))).shape == (3, 2)


def test_a_diagonal_of_one_operand_is_shown_as_it_is_written():
    for equation in ("ii->i", "ii->", "i...i->..."):
        (step,) = einsum_plan(equation, (3, 3)).figures()["steps"]
        assert step["labels"] == equation.replace("...", "")


def test_figures_of_interleaved_labels_can_be_told_from_numbers():
    plan = einsum_plan((None, None), [0, 1], (None, None), [1, "1"], [0, "1"])
    assert plan.figures()["totals"]["flops"] == "2·['1']·[0]·[1]"
    assert "unknown sizes: planned with [0] = 6, [1] = 6, ['1'] = 6" in plan.explain()


def test_labels_that_look_alike_are_told_apart():
    class Axis:
        def __repr__(self) -> str:
            return "Axis"

    one, other = Axis(), Axis()
    flops = einsum_plan((None, None), [one, other], []).figures()["totals"]["flops"]
    assert flops == "[Axis#0]·[Axis#1]"
    long = ["x" * 50 + "a", "x" * 50 + "b"]
    assert len(set(einsum_plan((None, None), long, []).figures()["totals"]["flops"].split("·"))) == 2


def test_axes_of_an_ellipsis_that_are_not_known_are_named_one_by_one():
    assert "unknown sizes: planned with ...0 = 6, ...1 = 6" in einsum_plan("...->...", (None, None)).explain()


def test_labels_never_break_a_line_of_the_listing_nor_reach_the_terminal_raw():
    class Axis:
        def __repr__(self) -> str:
            return "a\n\x1b[31mb"

    for label in ("a\nb\x1b[31m", Axis()):
        text = einsum_plan((None, 3), [label, 0], (3,), [0], [label]).explain()
        assert all(line.isprintable() for line in text.split("\n"))
        assert len(text.split("\n")) == len(einsum_plan("ij,j->i", (None, 3), (3,)).explain().split("\n"))


# --- what code can be written for ------------------------------------------------------------------


@pytest.mark.parametrize("backend", DIALECTS)
def test_the_code_takes_a_python_number_that_comes_first(backend: str):
    text = einsum_plan(",i->i", 2.5, np.arange(3, dtype="float32")).to_python(backend)
    got = contract(text)(2.5, tensor_of(backend)(np.arange(3, dtype="float32")))
    np.testing.assert_array_equal(np.asarray(got), np.array([0, 2.5, 5], "float32"))


@pytest.mark.parametrize(
    ("backend", "dtype"),
    [("torch", "longdouble"), ("torch", "object"), ("jax", "clongdouble"), ("tensorflow", "object"),
     ("array_api", "float16"), ("array_api", "bfloat16")],
)  # fmt: skip
def test_no_code_is_written_with_a_dtype_that_the_framework_lacks(backend: str, dtype: str):
    with pytest.raises(OperandTypeError, match=f"for {backend}: it does not have the dtype"):
        einsum_plan("ij,jk->ik", (2, 3), (3, 4), dtype=dtype).to_python(backend)


def test_the_code_for_numpy_imports_what_gives_it_a_dtype():
    ml_dtypes = installed_module("ml_dtypes")
    x = np.full((3, 4), 1.5, ml_dtypes.bfloat16)
    text = einsum_plan("ij,kj->ik", x, x).to_python()
    assert text.startswith("import ml_dtypes")
    assert contract(text)(x, x).dtype == x.dtype
    assert "ml_dtypes" not in einsum_plan("ij,kj->ik", (3, 4), (3, 4)).to_python()


def test_memory_that_axes_repeat_is_read_once():
    plan = einsum_plan("ij->ji", (3, 4))
    ledger = Ledger(plan.bound, plan.program, plan.backend.capabilities)
    assert int(ledger.bytes_of(Value((3, 4), (0, 1), "float32", True))) == 4 * 4
    assert int(ledger.bytes_of(Value((3, 4), (4, 1), "float32", False))) == 12 * 4


def test_a_converted_operand_is_read_once_and_the_tensor_that_gives_its_device_not_at_all(torch):
    tensor, array = torch.ones(100, 100), np.ones((100, 3), "float32")
    conversion, product = einsum_plan("ij,jk->ik", tensor, array).figures()["steps"]
    assert conversion["bytes_read"] == 4 * 300
    assert (
        product["bytes_read"] == 4 * (100 * 100 + 300) + 4 * 300
    )  # the last to bring the product to C order
    alone = einsum_plan("i,->i", np.ones(10**6), 2).figures()["totals"]
    assert alone["bytes_read"] == 8 + 8 * (10**6 + 1)
