"""The text of a compiled plan: a straight line of the adapter's calls, with nothing of the equation."""

from __future__ import annotations

import ast
import gc
import re
import weakref
from itertools import pairwise

import numpy as np
import pytest

from einsum_unified import einsum, einsum_plan
from einsum_unified.adapter.dispatch import load
from einsum_unified.program.compiler import compile_program
from einsum_unified.program.primitives import (
    AsArray,
    Cast,
    InRange,
    MatMul,
    Multiply,
    Program,
    Reshape,
    Sum,
    Transpose,
)

FUNCTIONS = {
    "asarray",
    "cast",
    "contiguous",
    "diagonal",
    "dot",
    "in_range",
    "integer_dot",
    "matmul",
    "matmul_into",
    "multiply",
    "native",
    "object_product",
    "reshape",
    "same_device",
    "sum",
    "sum_products",
    "transpose",
    "unbox",
}

HOSTILE = (
    "'); import os; os._exit(1); ('",
    '"""',
    "\\",
    "\n    raise SystemExit\n",
    "a0",
    "t0",
    "run",
    "matmul",
    "\u202e",
    "#",
    "{0}",
    "__import__('os')",
)


def names_in(source: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}


# --- what is in the text --------------------------------------------------------------------------


def test_nothing_of_the_labels_is_in_the_text():
    arrays = [np.arange(4.0).reshape(2, 2)] * (len(HOSTILE) - 1)
    pairs = pairwise(HOSTILE)
    arguments = [x for array, labels in zip(arrays, pairs, strict=True) for x in (array, labels)]
    plan = einsum_plan(*arguments, [HOSTILE[0], HOSTILE[-1]])
    assert names_in(plan.source) <= {f"a{n}" for n in range(11)} | FUNCTIONS | {f"t{n}" for n in range(11)}
    constants = [n.value for n in ast.walk(ast.parse(plan.source)) if isinstance(n, ast.Constant)]
    assert all(type(value) is int for value in constants)
    want = np.linalg.matrix_power(arrays[0], len(arrays))
    assert (einsum(*arguments, [HOSTILE[0], HOSTILE[-1]]) == want).all()


@pytest.mark.parametrize("labels", ["ij", "ßλ", "文字", "\u0301\u0600", "𝐀𝐁", "_9"])
def test_the_text_is_the_same_whatever_the_labels_are(labels: str):
    i, j = labels
    plan = einsum_plan(f"{i}{j},{j}k...->{i}k...", (2, 3), (3, 4, 5), dtype="int8")
    same = einsum_plan("xy,yz...->xz...", (2, 3), (3, 4, 5), dtype="int8")
    assert plan.source == same.source
    assert plan.source.isascii()


@pytest.mark.parametrize(
    ("text", "shapes", "dtypes"),
    [
        ("ij,jk,kl->li", [(2, 3), (3, 4), (4, 5)], ["float32"] * 3),
        ("iij,...k,k->j", [(2, 2, 3), (5, 4), (1,)], ["bool", "int8", "float16"]),
        ("ab,bc,ca,ab->", [(2, 2)] * 4, ["uint8"] * 4),
        ("ij->ji", [(2, 3)], ["bool"]),
        ("i->", [(3,)], ["complex64"]),
    ],
)
def test_a_body_is_assignments_of_calls_on_registers_integers_and_constants(framework, text, shapes, dtypes):
    tensors = [framework.tensor(np.ones(s), dtype) for s, dtype in zip(shapes, dtypes, strict=True)]
    (function,) = ast.parse(einsum_plan(text, *tensors).source).body
    assert [a.arg for a in function.args.args] == [f"a{n}" for n in range(len(shapes))]
    for line in function.body:
        assert isinstance(line, (ast.Assign, ast.Expr, ast.Return))
        assert isinstance(line.value, ast.Call)
        assert re.sub(r"(?<=^native)\d+$", "", line.value.func.id) in FUNCTIONS
        assert not line.value.keywords
        for node in line.value.args:
            assert re.fullmatch(r"[atc]\d+|\d+|\((\d+, ?)*\d*\)", ast.unparse(node))
    assert isinstance(function.body[-1], ast.Return)


def test_sizes_that_are_read_are_names_and_products_of_names(mutable):
    weight = mutable.tensor(np.ones((8, 16, 32)), "float32")
    plan = einsum_plan("βσhd,hdc->βσc", (None, None, 8, 16), weight)
    (function,) = ast.parse(plan.source).body
    texts = [ast.unparse(line) for line in function.body]
    reads = [text for text in texts if text.startswith("n")]
    assert reads == ["n0 = size(a0, 0)", "n1 = size(a0, 1)"]
    for line in function.body:
        for node in line.value.args:
            assert re.fullmatch(r"[atc]\d+|\d+|\(((n\d+|\d+)( \* (n\d+|\d+))*(, )?)*\)", ast.unparse(node))


def test_only_what_the_function_needs_is_in_its_namespace():
    plan = einsum_plan("ij,jk->ik", np.ones((2, 3), "float16"), np.ones((3, 4), "float16"))
    backend = load("numpy")
    assert plan.executable.run.__globals__["dot"] is backend.dot
    names = {name for name in plan.executable.run.__globals__ if not name.startswith("__")}
    assert names == {"cast", "dot", "c0", "c1"}
    assert {str(plan.executable.run.__globals__[c]) for c in ("c0", "c1")} == {"float16", "float32"}


# --- registers ------------------------------------------------------------------------------------


def source_of(operands: int, result: int, *instructions) -> str:
    return compile_program(Program(operands, instructions, result), load("numpy"))[1]


def test_a_name_is_used_again_when_its_value_is_dead():
    source = source_of(
        1, 4, Sum(1, (0,), (0,)), Reshape(2, (1,), (3, 1)), Transpose(3, (2,), (1, 0)), Multiply(4, (3, 3))
    )
    assert source.splitlines()[1:] == [
        "    t0 = sum(a0, (0,))",
        "    t0 = reshape(t0, (3, 1))",
        "    t0 = transpose(t0, (1, 0))",
        "    return multiply(t0, t0)",
    ]


def test_a_name_is_not_used_again_while_its_value_is_needed():
    source = source_of(
        2, 5, Transpose(2, (0,), (1, 0)), Transpose(3, (1,), (1, 0)), MatMul(4, (3, 2)), MatMul(5, (2, 4))
    )
    assert source.splitlines()[1:] == [
        "    t0 = transpose(a0, (1, 0))",
        "    t1 = transpose(a1, (1, 0))",
        "    t1 = matmul(t1, t0)",
        "    return matmul(t0, t1)",
    ]


def test_a_name_is_free_once_though_its_value_is_read_twice():
    program = Program(
        1, (Transpose(1, (0,), (1, 0)), Multiply(2, (1, 1)), Sum(3, (0,), (0,)), MatMul(4, (3, 2))), 4
    )
    run, source, _ = compile_program(program, load("numpy"))
    assert source.splitlines()[1:] == [
        "    t0 = transpose(a0, (1, 0))",
        "    t0 = multiply(t0, t0)",
        "    t1 = sum(a0, (0,))",
        "    return matmul(t1, t0)",
    ]
    x = np.arange(9.0).reshape(3, 3)
    assert (run(x) == x.sum(0) @ (x.T * x.T)).all()


def test_operands_are_never_overwritten():
    plan = einsum_plan("ab,bc,cd,de,ef->fa", *[(3, 3)] * 5)
    targets = [line.split(" = ")[0].strip() for line in plan.source.splitlines() if " = " in line]
    assert targets
    assert all(target.startswith("t") for target in targets)


def test_a_long_chain_needs_few_names():
    text = ",".join(f"{chr(0x4E00 + n)}{chr(0x4E01 + n)}" for n in range(60))
    plan = einsum_plan(text, *[(2, 2)] * 60, optimize=False)
    assert len({name for name in names_in(plan.source) if name.startswith("t") and name[1:].isdigit()}) <= 2


def test_a_program_without_instructions_returns_the_operand():
    run, source, _ = compile_program(Program(2, (), 1), load("numpy"))
    assert source == "def run(a0, a1):\n    return a1"
    assert run("first", "second") == "second"


def test_other_sizes_need_no_compiling():
    plans = [einsum_plan("abk,kcd->abcd", (n, 2, 3), (3, n, 4)) for n in (5, 6)]
    codes = [plan.executable.run.__code__ for plan in plans]
    assert codes[0] is codes[1]
    assert "5" in plans[0].source
    assert "6" in plans[1].source
    assert [
        plan(np.ones((n, 2, 3)), np.ones((3, n, 4))).shape[0] for plan, n in zip(plans, (5, 6), strict=True)
    ] == [5, 6]


# --- constants ------------------------------------------------------------------------------------


def test_a_dtype_is_a_constant_that_is_used_again():
    source = source_of(2, 4, Cast(2, (0,), "float32"), Cast(3, (1,), "float32"), MatMul(4, (2, 3)))
    assert source.splitlines()[1:] == [
        "    t0 = cast(a0, c0)",
        "    t1 = cast(a1, c0)",
        "    return matmul(t0, t1)",
    ]


def test_checks_write_no_register():
    source = source_of(1, 1, InRange(-1, (0,), 0, "int8"), AsArray(1, (0, 0), "int8"))
    assert source.splitlines()[1:] == ["    in_range(a0, 0, c1)", "    return asarray(a0, a0, c2)"]


def test_the_equation_for_the_framework_is_a_constant_too(tf):
    sources = []

    @tf.function(input_signature=[tf.TensorSpec(None)])
    def function(x):
        result = einsum("ß...λ,ß...λ->ß...", x, x)
        sources.append(result.graph.get_operations()[-1].type)
        return result

    assert (function(tf.ones((2, 3))).numpy() == [3, 3]).all()
    assert sources == ["Einsum"]


def test_a_program_that_is_dropped_is_freed_at_once():
    """It is no part of a cycle, which would live until Python looks for cycles."""
    program = Program(1, (Transpose(1, (0,), (1, 0)),), 1)
    run = compile_program(program, load("numpy")).run
    gone = weakref.ref(run)
    gc.disable()
    try:
        del run
        assert gone() is None
    finally:
        gc.enable()
