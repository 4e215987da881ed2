"""What torch traces: torch.compile, torch.export, torch.fx, torch.jit, fake and meta tensors, subclasses.

The reference is eager `einsum` on the same operands where a compiled call is compared to its own eager self,
and `torch.einsum` or NumPy in float64 for values.
"""

from __future__ import annotations

import copy
import pickle
import shutil
import subprocess
import sys
import warnings
from typing import ClassVar

import numpy as np
import pytest
from conftest import slow

from einsum_unified import EinsumError, OperandError, OperandTypeError, einsum, einsum_plan

BACKENDS = [
    slow("eager"),  # the first half of aot_eager
    "aot_eager",
    pytest.param(
        "inductor",
        marks=[
            pytest.mark.slow,
            pytest.mark.skipif(shutil.which("g++") is None, reason="inductor needs a C++ compiler"),
        ],
    ),
]

# Equation and shapes; 0 stands for the batch size.
BATCHED = [
    ("bij->bji", [(0, 3, 4)]),
    ("bij->b", [(0, 3, 4)]),
    ("bii->bi", [(0, 3, 3)]),
    ("b,b->", [(0,), (0,)]),
    ("bi,bi->b", [(0, 3), (0, 3)]),
    ("bi,bj->bij", [(0, 3), (0, 4)]),
    ("bi,bj->ij", [(0, 3), (0, 4)]),
    ("bij,jk->bik", [(0, 3, 4), (4, 5)]),
    ("bij,bjk->bik", [(0, 3, 4), (0, 4, 5)]),
    ("bhid,bhjd->bhij", [(0, 2, 3, 4), (0, 2, 3, 4)]),
    ("...i,ij->...j", [(0, 2, 3), (3, 4)]),
    ("bij,cj->bci", [(0, 3, 4), (2, 1)]),
    ("bi,ij,jk->bk", [(0, 3), (3, 4), (4, 5)]),
    ("ba,bc,bd->bacd", [(0, 3), (0, 4), (0, 2)]),
    ("bij,bjk,bkl->bil", [(0, 3, 4), (0, 4, 5), (0, 5, 2)]),
    ("bi,ij,jk,bk->b", [(0, 3), (3, 4), (4, 5), (0, 5)]),
]
ids = [equation for equation, _ in BATCHED]
# One of each kind: a view, a sum, a product of matrices with and without batch, broadcasting, several steps.
KINDS = ("bii->bi", "bi,bj->ij", "bij,bjk->bik", "...i,ij->...j", "bij,cj->bci", "bij,bjk,bkl->bil")
batched = pytest.mark.parametrize(("equation", "shapes"), BATCHED, ids=ids)


@pytest.fixture(autouse=True)
def _fresh(torch):
    torch._dynamo.reset()
    torch.manual_seed(0)


def sized(shapes, batch: int):
    import torch

    return [torch.randn([batch if n == 0 else n for n in shape], dtype=torch.float64) for shape in shapes]


def gradients(torch, result, operands):
    leaves = [x for x in operands if isinstance(x, torch.Tensor) and x.requires_grad]
    return torch.autograd.grad(result.abs().square().sum(), leaves) if leaves else ()


# --- torch.compile --------------------------------------------------------------------------------


def real(*shape):
    import torch

    return torch.randn(shape, dtype=torch.float64, requires_grad=True)


CALLS = {
    "one operand": lambda: (lambda x: einsum("ij->j", x), [real(2, 3)]),
    "a view": lambda: (lambda x: einsum("...ij->...ji", x), [real(2, 3, 4)]),
    "a diagonal": lambda: (lambda x: einsum("bii->bi", x), [real(2, 3, 3)]),
    "two operands": lambda: (lambda x, y: einsum("ij,jk->ik", x, y), [real(2, 3), real(3, 4)]),
    "no arrow": lambda: (lambda x, y: einsum("ij,jk", x, y), [real(2, 3), real(3, 4)]),
    "bytes": lambda: (lambda x, y: einsum(b"ij,jk", x, y), [real(2, 3), real(3, 4)]),
    "a list": lambda: (lambda x, y: einsum("ij,jk", [x, y]), [real(2, 3), real(3, 4)]),
    "size 1": lambda: (lambda x, y: einsum("ij,jk->ik", x, y), [real(2, 1), real(3, 4)]),
    "ellipsis": lambda: (lambda x, y: einsum("...i,i...->...", x, y), [real(2, 4, 3), real(3, 4)]),
    "three": lambda: (lambda *xs: einsum("ij,jk,kl->il", *xs), [real(2, 3), real(3, 4), real(4, 2)]),
    "four": lambda: (
        lambda *xs: einsum("ij,jk,kl,li->", *xs),
        [real(2, 3), real(3, 4), real(4, 5), real(5, 2)],
    ),
    "five": lambda: (
        lambda *xs: einsum("ij,jk,kl,lm,mi->jl", *xs),
        [real(2, 3), real(3, 4), real(4, 5), real(5, 6), real(6, 2)],
    ),
    "mixed dtypes": lambda: (lambda x, y: einsum("ij,jk", x, y.float()), [real(2, 3), real(3, 4)]),
    "interleaved": lambda: (lambda x, y: einsum(x, [0, 1], y, [1, 2], [0, 2]), [real(2, 3), real(3, 4)]),
    "named labels": lambda: (
        lambda x, y: einsum(x, ["row", ...], y, ["column", ...], ["row", "column"]),
        [real(2, 3), real(4, 3)],
    ),
    "dtype=": lambda: (
        lambda x, y: einsum("ij,jk", x.float(), y.float(), dtype="float64"),
        [real(2, 3), real(3, 4)],
    ),
    "NumPy's dtype": lambda: (lambda x: einsum("ij->i", x.float(), dtype=np.float64), [real(2, 3)]),
    "complex": lambda: (lambda x, y: einsum("ij,jk", x, y, dtype="complex128"), [real(2, 3), real(3, 4)]),
    "a path": lambda: (
        lambda *xs: einsum("ij,jk,kl->il", *xs, optimize=["einsum_path", (0, 2), (0, 1)]),
        [real(2, 3), real(3, 4), real(4, 2)],
    ),
    "hints=": lambda: (lambda x, y: einsum("ij,jk", x, y, hints={"i": 3}), [real(2, 3), real(3, 4)]),
    "a number": lambda: (lambda x: einsum("ij,->i", x, 2.5), [real(2, 3)]),
    "a nested list": lambda: (lambda x: einsum("ij,j->i", x, [1.0, 2, 3]), [real(2, 3)]),
    "a NumPy array": lambda: (lambda x: einsum("ij,j->i", x, np.arange(3)), [real(2, 3)]),
}


# Inductor says of any program with complex numbers, once a process, that it leaves them to eager operations.
@pytest.mark.filterwarnings("ignore:Torchinductor does not support code generation for complex:UserWarning")
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("call", CALLS)
def test_compile_in_one_graph_forward_and_backward(torch, call: str, backend: str):
    function, operands = CALLS[call]()
    want = function(*operands)
    compiled = torch.compile(function, fullgraph=True, backend=backend)
    got = compiled(*operands)
    torch.testing.assert_close(got, want)
    for ours, eager in zip(gradients(torch, got, operands), gradients(torch, want, operands), strict=True):
        torch.testing.assert_close(ours, eager)


@pytest.mark.parametrize("dtype", ["int8", "bool", "float16", "bfloat16", "complex64"])
def test_compile_keeps_the_dtype(torch, dtype: str):
    x = torch.ones(2, 3).to(getattr(torch, dtype))
    compiled = torch.compile(lambda x: einsum("ij,kj->ik", x, x), fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x), einsum("ij,kj->ik", x, x))
    assert compiled(x).dtype == x.dtype


def test_compile_einsum_itself(torch):
    compiled = torch.compile(einsum, fullgraph=True, backend="aot_eager")
    x, y = sized([(2, 3), (3, 4)], 0)
    torch.testing.assert_close(compiled("ij,jk->ik", x, y), x @ y)
    torch.testing.assert_close(compiled("ij,jk->ki", x, y), (x @ y).T)


def test_compile_fills_out(torch):
    def function(x, y, out):
        einsum("ij,jk->ik", x, y, out=out)
        return out + 1

    x, y = sized([(2, 3), (3, 4)], 0)
    out = torch.zeros(2, 4, dtype=torch.float64)
    compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x, y, out), x @ y + 1)
    torch.testing.assert_close(out, x @ y)


def test_compile_a_function_of_numpy_arrays(torch):
    x, y = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    compiled = torch.compile(lambda x, y: einsum("ij,jk->ik", x, y) + 1, fullgraph=True, backend="aot_eager")
    got = compiled(x, y)
    assert type(got) is np.ndarray
    np.testing.assert_array_equal(got, x @ y + 1)


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: einsum("ij,jk", [x, y]),
        lambda x, y: einsum(x, [0, 1], y, [1, 2]),
        lambda x, y: einsum(x, ["row", ...], y.T, ["column", ...], ["row", "column"]),
        lambda x, y: einsum("ij,jk,->ik", x, y, 1.0),
        lambda x, y: einsum("ij,jk,k->ik", x, y, [1.0, 1.0, 1.0, 1.0]),
        lambda x, y: einsum_plan_of_numpy(x, y),
    ],
)
def test_a_compiled_function_of_numpy_arrays_gives_one_as_an_eager_one_does(torch, function):
    x, y = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    assert type(function(x, y)) is np.ndarray
    got = torch.compile(function, fullgraph=True, backend="aot_eager")(x, y)
    assert type(got) is np.ndarray
    np.testing.assert_array_equal(got, x @ y)


einsum_plan_of_numpy = einsum_plan("ij,jk->ik", (2, 3), (3, 4))


def test_beside_a_tensor_a_numpy_array_gives_a_tensor_in_a_compiled_function(torch):
    x = torch.ones(2, 3, dtype=torch.float64)
    compiled = torch.compile(lambda x, y: einsum("ij,jk", [x, y]), fullgraph=True, backend="aot_eager")
    assert isinstance(compiled(x, np.ones((3, 4))), torch.Tensor)


PLANS = {
    "for these tensors": lambda x, y: einsum_plan("bij,jk->bik", x, y),
    "for any batch": lambda x, y: einsum_plan("bij,jk->bik", (None, 3, 4), y),
    "for shapes alone": lambda x, y: einsum_plan("bij,jk->bik", (None, 3, 4), (4, 5)),
    "in a dtype": lambda x, y: einsum_plan("bij,jk->bik", (None, 3, 4), (4, 5), dtype=np.float64),
    "for named labels": lambda x, y: einsum_plan(
        (None, 3, 4), ["batch", ..., 0], (4, 5), [0, 1], ["batch", ..., 1]
    ),
}


@pytest.mark.parametrize(
    ("plan", "of"),
    [*((plan, "a tensor") for plan in PLANS), *(slow(plan, "a parameter") for plan in PLANS)],
)
def test_compile_the_call_of_a_plan(torch, plan: str, of: str):
    x, y = sized([(2, 3, 4), (4, 5)], 0)
    plan = PLANS[plan](x, y)
    y = torch.nn.Parameter(y) if of == "a parameter" else y
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", module="torch", category=DeprecationWarning)
        compiled = torch.compile(lambda x, y: plan(x, y), fullgraph=True, backend="aot_eager")
        torch.testing.assert_close(compiled(x, y), x @ y)
        if plan.bound.unknown:
            (x,) = sized([(7, 3, 4)], 0)
            torch.testing.assert_close(compiled(x, y), x @ y)


def test_compile_a_plan_itself(torch):
    x, y = sized([(2, 3), (3, 4)], 0)
    compiled = torch.compile(einsum_plan("ij,jk->ik", (2, 3), (3, 4)), fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x, y), x @ y)


def test_two_plans_in_one_function_are_kept_apart(torch):
    x, y = sized([(2, 3), (3, 4)], 0)
    plans = [einsum_plan(f"ij,jk->{output}", (2, 3), (3, 4)) for output in ("ik", "ki")]
    compiled = torch.compile(lambda plan, x, y: plan(x, y), fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(plans[0], x, y), x @ y)
    torch.testing.assert_close(compiled(plans[1], x, y), (x @ y).T)


def test_a_plan_says_in_our_words_that_shapes_are_wrong_while_compiling(torch):
    plan = einsum_plan("bij,jk->bik", (None, 3, 4), (4, 5))
    compiled = torch.compile(lambda x, y: plan(x, y), fullgraph=True, backend="aot_eager")
    with pytest.raises(Exception, match="the operands do not have the shapes of the plan"):
        compiled(*sized([(2, 3, 6), (6, 5)], 0))


def test_compile_a_plan_that_fills_out(torch):
    plan = einsum_plan("ij,jk->ik", (2, 3), (3, 4))
    x, y = sized([(2, 3), (3, 4)], 0)
    out = torch.zeros(2, 4, dtype=torch.float64)

    def function(x, y, out):
        plan(x, y, out=out)
        return out + 1

    compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x, y, out), x @ y + 1)


@pytest.mark.parametrize("numbers", [(0.5, 0.25, 3.0), (2, 3, 5), (True, False)])
@pytest.mark.parametrize("dynamic", [slow(True), None])
def test_a_python_number_may_change_between_calls(torch, numbers, dynamic):
    (x,) = sized([(2, 3)], 0)
    function = lambda x, s: einsum("ij,->ij", x.float(), s)  # noqa: E731
    compiled = torch.compile(function, fullgraph=True, dynamic=dynamic, backend="aot_eager")
    for number in numbers:
        torch.testing.assert_close(compiled(x, number), x.float() * number)  # weak: it stays float32


@pytest.mark.parametrize("dtype", ["int8", "int32", "bool", "float16"])
def test_a_number_not_known_yet_promotes_as_python_numbers_do(torch, dtype: str):
    x = torch.ones(4, 3).to(getattr(torch, dtype))
    function = lambda x: (einsum("ij,->ij", x, x.shape[0]), einsum("ij,->ij", x, x.shape[0] / 2))  # noqa: E731
    compiled = torch.compile(function, fullgraph=True, dynamic=True, backend="aot_eager")
    for got, want in zip(compiled(x), (x * 4, x * 2.0), strict=True):
        assert got.dtype == want.dtype
        torch.testing.assert_close(got, want)


def test_a_size_is_an_operand(torch):
    compiled = torch.compile(lambda x: einsum("ij,->ij", x, x.shape[0]), fullgraph=True, backend="aot_eager")
    for batch in (2, 3, 5):
        (x,) = sized([(batch, 3)], 0)
        torch.testing.assert_close(compiled(x), x * batch)


def test_the_value_of_a_tensor_is_an_operand(torch):
    function = lambda x: einsum("ij,->ij", x, x.sum().item())  # noqa: E731
    with torch._dynamo.config.patch(capture_scalar_outputs=True):
        compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
        for _ in range(2):
            (x,) = sized([(2, 3)], 0)
            torch.testing.assert_close(compiled(x), x * x.sum())


@pytest.mark.parametrize(
    "equation", ["bi,ij,jk->bk", "bij,bjk,bkl->bil", "bi,bi->b", "bij,bjk->bik", "b,b->"]
)
@pytest.mark.parametrize("batches", [slow((0, 1, 2, 3)), slow((1, 0, 2, 3)), (2, 3, 1, 0)])
def test_batches_of_none_and_of_one(torch, equation: str, batches):
    compiled = torch.compile(lambda *xs: einsum(equation, *xs), fullgraph=True, backend="aot_eager")
    for batch in batches:
        operands = sized(dict(BATCHED)[equation], batch)
        # sized() has 0 stand for the batch; a batch of none is what it gives then, too
        torch.testing.assert_close(compiled(*operands), torch.einsum(equation, *operands))


# torch.func.hessian has functions of torch's own that are deprecated.
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
@pytest.mark.parametrize(
    "transform",
    [
        lambda torch, f: torch.vmap(f, in_dims=(0, None)),
        slow(lambda torch, f: torch.vmap(torch.vmap(f, in_dims=(0, None)), in_dims=(0, None))),
        lambda torch, f: torch.func.grad(lambda x, y: f(x, y).sin().sum()),
        lambda torch, f: torch.func.jacrev(f),
        slow(lambda torch, f: torch.func.hessian(lambda x, y: f(x, y).sin().sum())),
        lambda torch, f: lambda x, y: torch.func.jvp(lambda x: f(x, y), (x,), (x.cos(),))[1],
    ],
    ids=["vmap", "nested vmap", "grad", "jacrev", "hessian", "jvp"],
)
def test_transforms_inside_a_compiled_function(torch, transform):
    x, y = sized([(2, 5, 3), (3, 4)], 0)
    ours = transform(torch, lambda x, y: einsum("...j,jk->...k", x, y))
    theirs = transform(torch, lambda x, y: torch.einsum("...j,jk->...k", x, y))
    compiled = torch.compile(lambda x, y: ours(x, y), fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x, y), theirs(x, y))


FIRST = """
import warnings, torch, einsum_unified
warnings.simplefilter("error")
warnings.filterwarnings("ignore", module="torch")
call = lambda x, y: einsum_unified.einsum("ij,jk->ik", x, y)
function = torch.compile(call, fullgraph=True, backend="aot_eager")
with torch.{mode}():
    print(function(torch.ones(2, 3), torch.ones(3, 4)).sum().item())
"""


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["inference_mode", "no_grad", "enable_grad"])
def test_the_first_call_of_a_process_may_be_compiled(torch, mode: str):
    done = subprocess.run(
        [sys.executable, "-c", FIRST.format(mode=mode)], capture_output=True, text=True, timeout=120
    )
    assert (done.stdout, done.returncode) == ("24.0\n", 0), done.stderr


@pytest.mark.slow
def test_the_library_may_be_imported_before_torch(torch):
    code = FIRST.format(mode="no_grad").replace(
        "warnings, torch, einsum_unified", "einsum_unified, warnings, torch"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.returncode) == ("24.0\n", 0), done.stderr


@pytest.mark.parametrize(
    ("equation", "shapes"), [call if call[0] in KINDS else slow(*call) for call in BATCHED], ids=ids
)
@pytest.mark.parametrize("dynamic", [slow(True), None])
def test_five_batch_sizes_compile_at_most_twice(torch, equation: str, shapes, dynamic):
    counter = torch._dynamo.testing.CompileCounterWithBackend("aot_eager")
    compiled = torch.compile(
        lambda *xs: einsum(equation, *xs), fullgraph=True, dynamic=dynamic, backend=counter
    )
    for batch in (7, 9, 11, 13, 17):
        operands = sized(shapes, batch)
        torch.testing.assert_close(compiled(*operands), torch.einsum(equation, *operands))
    assert counter.frame_count <= (1 if dynamic else 2)


def test_a_batch_of_one_after_others_is_right(torch):
    compiled = torch.compile(lambda x, y: einsum("bi,bj->bij", x, y), fullgraph=True, backend="aot_eager")
    for first, second in [(7, 7), (9, 9), (1, 9), (9, 1), (1, 1)]:
        x = torch.randn(first, 3, dtype=torch.float64)
        y = torch.randn(second, 4, dtype=torch.float64)
        torch.testing.assert_close(compiled(x, y), x[:, :, None] * y[:, None])


@pytest.mark.parametrize(
    ("equation", "shapes", "says"),
    [
        ("ij,jk->", [(2, 3), (4, 5)], "label 'j' is 3 in operand 0 but 4 in operand 1"),
        ("ij->", [(2, 3, 4)], "operand 0 has 3 axes but its subscripts 'ij' name 2"),
        ("ij->k", [(2, 3)], "label 'k'"),
    ],
)
def test_errors_have_our_text_while_compiling(torch, equation: str, shapes, says: str):
    operands = sized(shapes, 0)
    with pytest.raises(EinsumError) as eager:
        einsum(equation, *operands)
    assert says in str(eager.value)
    compiled = torch.compile(lambda *xs: einsum(equation, *xs), fullgraph=True, backend="aot_eager")
    with pytest.raises(Exception, match=r"EquationError|OperandError") as caught:
        compiled(*operands)
    assert str(eager.value).splitlines()[0] in str(caught.value)


def test_hints_that_are_not_a_mapping_are_our_error_while_compiling(torch):
    compiled = torch.compile(lambda x: einsum("ij->i", x, hints=[("i", 3)]), fullgraph=True, backend="eager")
    with pytest.raises(Exception, match=r"PathError.* is not a mapping of labels to sizes"):
        compiled(torch.ones(2, 3))


# --- torch.export, torch.fx, torch.jit ------------------------------------------------------------


@batched
@pytest.mark.parametrize("strict", [False, slow(True)])
def test_export_for_any_batch(torch, equation: str, shapes, strict: bool):
    class Model(torch.nn.Module):
        def forward(self, *xs):
            return einsum(equation, *xs)

    batch = torch.export.Dim("batch")
    dynamic = tuple({n: batch for n, size in enumerate(shape) if size == 0} or None for shape in shapes)
    program = torch.export.export(Model(), tuple(sized(shapes, 3)), dynamic_shapes=(dynamic,), strict=strict)
    for size in (2, 3, 8):
        operands = sized(shapes, size)
        torch.testing.assert_close(program.module()(*operands), torch.einsum(equation, *operands))


def test_export_holds_only_operations_of_torch(torch):
    class Model(torch.nn.Module):
        def forward(self, x, y):
            return einsum("bij,bjk->bik", x, y)

    batch = {0: torch.export.Dim("batch")}
    operands = tuple(sized([(0, 3, 4), (0, 4, 5)], 7))
    program = torch.export.export(Model(), operands, dynamic_shapes=(batch, batch))
    targets = [node.target for node in program.graph.nodes if node.op == "call_function"]
    assert targets
    assert all(str(target).startswith("aten.") for target in targets)


def test_export_two_batches_that_have_to_be_the_same(torch):
    class Model(torch.nn.Module):
        def forward(self, x, y):
            return einsum("bi,bi->b", x, y)

    dims = ({0: torch.export.Dim("one")}, {0: torch.export.Dim("other")})
    with pytest.raises(Exception, match=r"one = other|other = one"):
        torch.export.export(Model(), tuple(sized([(0, 3), (0, 3)], 7)), dynamic_shapes=dims)


def test_export_sizes_that_depend_on_data(torch):
    class Model(torch.nn.Module):
        def forward(self, x, mask, y):
            return einsum("bi,ij->bj", x[mask], y)

    x, y = sized([(6, 3), (3, 4)], 0)
    mask = torch.tensor([True, False, True, True, False, False])
    program = torch.export.export(Model(), (x, mask, y))
    torch.testing.assert_close(program.module()(x, ~mask, y), x[~mask] @ y)
    none = torch.zeros(6, dtype=torch.bool)
    assert program.module()(x, none, y).shape == (0, 4)


UNBACKED = {
    "bi,bi->b": lambda x: (x, x),
    "bi,bj->bij": lambda x: (x, x),
    "bi,bj->ij": lambda x: (x, x),
    "bij,bjk->bik": lambda x: (x[:, None], x[:, :, None]),
    "bi,bi,bi->i": lambda x: (x, x, x),
    "bi->ib": lambda x: (x,),
}


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("equation", UNBACKED)
def test_export_several_operands_whose_size_depends_on_data(torch, equation: str, strict: bool):
    class Model(torch.nn.Module):
        def forward(self, x, mask):
            return einsum(equation, *UNBACKED[equation](x[mask]))

    (x,) = sized([(6, 3)], 0)
    mask = torch.tensor([True, False, True, True, False, False])
    program = torch.export.export(Model(), (x, mask), strict=strict)
    for some in (mask, ~mask, mask & False, torch.arange(6) == 1):
        want = torch.einsum(equation, *UNBACKED[equation](x[some]))
        torch.testing.assert_close(program.module()(x, some), want)


@pytest.mark.parametrize("strict", [False, True])
def test_export_a_number_made_of_a_size(torch, strict: bool):
    class Model(torch.nn.Module):
        def forward(self, q, k):
            return einsum("bid,bjd,,->bij", q, k, q.shape[1] ** -0.5, k.shape[1])

    length = {1: torch.export.Dim("length")}
    operands = tuple(sized([(2, 5, 3), (2, 5, 3)], 0))
    program = torch.export.export(Model(), operands, dynamic_shapes=(length, length), strict=strict)
    q, k = sized([(2, 7, 3), (2, 7, 3)], 0)
    torch.testing.assert_close(program.module()(q, k), q @ k.mT * 7**0.5)


@pytest.mark.parametrize("strict", [False, True])
def test_export_the_call_of_a_plan_with_a_weight(torch, strict: bool):
    plan = einsum_plan("bij,jk->bik", (None, 3, 4), (4, 5))

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.randn(4, 5, dtype=torch.float64))

        def forward(self, x):
            return plan(x, self.weight)

    model, batch = Model(), {0: torch.export.Dim("batch")}
    program = torch.export.export(model, tuple(sized([(2, 3, 4)], 0)), dynamic_shapes=(batch,), strict=strict)
    (x,) = sized([(6, 3, 4)], 0)
    torch.testing.assert_close(program.module()(x), x @ model.weight)


@batched
def test_make_fx_with_symbolic_sizes(torch, equation: str, shapes):
    from torch.fx.experimental.proxy_tensor import make_fx

    graph = make_fx(lambda *xs: einsum(equation, *xs), tracing_mode="symbolic")(*sized(shapes, 11))
    for size in (3, 5, 13):
        operands = sized(shapes, size)
        torch.testing.assert_close(graph(*operands), torch.einsum(equation, *operands))


class Projection:
    """Makes a module that torch.fx can trace."""

    def __new__(cls):
        import torch

        class Module(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.weight = torch.nn.Parameter(torch.randn(3, 4, dtype=torch.float64))

            def forward(self, x):
                return einsum("...i,ij->...j", x, self.weight, optimize="greedy") + 1

        return Module()


def test_symbolic_trace_notes_the_call(torch):
    module = Projection()
    traced = torch.fx.symbolic_trace(module)
    calls = [node for node in traced.graph.nodes if node.op == "call_function" and node.target is einsum]
    assert [(node.args[0], dict(node.kwargs)) for node in calls] == [
        ("...i,ij->...j", {"optimize": "greedy"})
    ]
    for shape in [(2, 3), (5, 2, 3)]:
        (x,) = sized([shape], 0)
        torch.testing.assert_close(traced(x), x @ module.weight + 1)
    again = pickle.loads(pickle.dumps(traced))
    torch.testing.assert_close(again(x), traced(x))


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: einsum(x, [0, 1], y, [1, 2], [0, 2]),
        lambda x, y: einsum("ij,jk", [x, y]),
        lambda x, y: einsum("ij,jk->ik", x, y, dtype="float64", hints={"i": 9}),
    ],
)
def test_symbolic_trace_of_every_form_of_a_call(torch, function):
    traced = torch.fx.symbolic_trace(function)
    x, y = sized([(2, 3), (3, 4)], 0)
    torch.testing.assert_close(traced(x, y), x @ y)


def test_symbolic_trace_notes_the_call_of_a_plan(torch):
    plan = einsum_plan("bij,jk->bik", (None, 3, 4), (4, 5))
    traced = torch.fx.symbolic_trace(lambda x, y: plan(x, y))
    traced = pickle.loads(pickle.dumps(traced))
    for batch in (2, 7):
        x, y = sized([(batch, 3, 4), (4, 5)], 0)
        torch.testing.assert_close(traced(x, y), x @ y)
    with pytest.raises(
        OperandError, match=r"operand 0: planned for shape \(\?, 3, 4\), given shape \(2, 3, 6\)"
    ):
        traced(*sized([(2, 3, 6), (6, 5)], 0))


@batched
def test_jit_trace_runs_at_the_traced_size(torch, equation: str, shapes):
    function = lambda *xs: einsum(equation, *xs)  # noqa: E731 - a def would be one function for all
    with warnings.catch_warnings():
        # torch.jit is deprecated, and says that sizes become constants: they do.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        traced = torch.jit.trace(function, tuple(sized(shapes, 5)))
        operands = sized(shapes, 5)
        torch.testing.assert_close(traced(*operands), torch.einsum(equation, *operands))


# --- tensors without data, and tensors of other classes -------------------------------------------


@batched
def test_fake_and_meta_tensors_give_shapes(torch, equation: str, shapes):
    from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode

    want = torch.einsum(equation, *sized(shapes, 5)).shape
    with FakeTensorMode():
        fake = einsum(equation, *sized(shapes, 5))
    assert isinstance(fake, FakeTensor)
    assert fake.shape == want
    meta = einsum(equation, *[x.to("meta") for x in sized(shapes, 5)])
    assert (meta.device.type, meta.shape) == ("meta", want)


def test_a_parameter_gets_its_gradient(torch):
    weight = torch.nn.Parameter(torch.ones(3, 4))
    result = einsum("bi,ij->bj", torch.ones(2, 3), weight)
    assert type(result) is torch.Tensor
    result.sum().backward()
    assert (weight.grad == 2).all()


def test_a_subclass_is_returned_and_sees_every_operation(torch):
    class Logged(torch.Tensor):
        seen: ClassVar[list[str]] = []

        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            cls.seen.append(getattr(func, "__name__", str(func)))
            return super().__torch_function__(func, types, args, kwargs)

    x = torch.randn(2, 3).as_subclass(Logged)
    result = einsum("ij,jk->ik", x, torch.ones(3, 4))
    assert type(result) is Logged
    assert "matmul" in Logged.seen
    torch.testing.assert_close(
        result.as_subclass(torch.Tensor), x.as_subclass(torch.Tensor) @ torch.ones(3, 4)
    )


def test_an_object_with_torch_function_is_left_to_itself(torch):
    class Deferred:
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return func, args

    func, args = einsum("ij,jk->ik", Deferred(), torch.ones(3, 4))
    assert func is torch.einsum
    assert args[0] == "ab,bc->ac"  # in letters that torch knows


@pytest.fixture
def mesh(torch, tmp_path):
    import torch.distributed as dist
    from torch.distributed.device_mesh import init_device_mesh

    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    yield init_device_mesh("cpu", (1,))
    dist.destroy_process_group()


@pytest.mark.parametrize("equation", ["bij,bjk->bik", "bij,bjk->ik", "bij,bjk->bki", "bij,bjk->b"])
def test_a_dtensor_stays_one(torch, mesh, equation: str):
    from torch.distributed.tensor import DTensor, Shard, distribute_tensor

    x, y = sized([(4, 3, 2), (4, 2, 5)], 0)
    result = einsum(equation, *(distribute_tensor(t, mesh, [Shard(0)]) for t in (x, y)))
    assert isinstance(result, DTensor)
    torch.testing.assert_close(result.full_tensor(), torch.einsum(equation, x, y))


@pytest.mark.parametrize("equation", ["bij,jk->bik", "bij,jk,kl->bil"])
def test_a_dtensor_beside_replicated_ones(torch, mesh, equation: str):
    from torch.distributed.tensor import DTensor, Replicate, Shard, distribute_tensor

    operands = sized([(4, 3, 2), (2, 5), (5, 3)], 0)[: equation.count(",") + 1]
    placed = [
        distribute_tensor(x, mesh, [Shard(0) if n == 0 else Replicate()]) for n, x in enumerate(operands)
    ]
    result = einsum(equation, *placed)
    assert isinstance(result, DTensor)
    torch.testing.assert_close(result.full_tensor(), torch.einsum(equation, *operands))


# --- modes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64", "int64", "complex64"])
@pytest.mark.parametrize(
    "equation",
    ["ij->ji", "ij->i", "ii", "i,i->", "i,i->i", "i,j->ij", "ij,ij->i", "ij,ij->j", "ij,ji->", "ij,jk->ik",
     "bij,bjk->bik", "bij,bij->b", "ij,jk,kl->il", "ij,ij,ij->i", "ij,->ij"],
)  # fmt: skip
def test_autocast_gives_the_dtype_that_torch_gives(torch, equation: str, dtype: str):
    explicit = equation if "->" in equation else f"{equation}->"
    operands = [
        torch.ones([3] * len(t)).to(getattr(torch, dtype)) for t in explicit.split("->")[0].split(",")
    ]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got, want = einsum(equation, *operands), torch.einsum(explicit, *operands)
    assert got.dtype == want.dtype
    torch.testing.assert_close(got, want)


@pytest.mark.parametrize("shapes", [((1, 1), (1,)), ((2, 1), (1,)), ((1, 3), (3,))])
def test_autocast_of_axes_of_size_1(torch, shapes):
    operands = [torch.ones(shape) for shape in shapes]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert einsum("ij,j->i", *operands).dtype == torch.einsum("ij,j->i", *operands).dtype


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("equation", ["ij,jk->ik", "ij,ij->i", "ij,jk,kl->il"])
def test_a_dtype_that_was_asked_for_goes_before_autocast(torch, equation: str, compiled: bool):
    operands = [x.float() + 1e-3 for x in sized([(3, 3)] * (equation.count(",") + 1), 0)]
    function = lambda *xs: einsum(equation, *xs, dtype="float32")  # noqa: E731
    run = torch.compile(function, fullgraph=True, backend="aot_eager") if compiled else function
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = run(*operands)
        assert einsum(equation, *operands, dtype="bfloat16").dtype is torch.bfloat16
    assert got.dtype is torch.float32
    torch.testing.assert_close(got, torch.einsum(equation, *operands))


def test_compiled_autocast(torch):
    def function(x, y):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return einsum("ij,jk->ik", x, y)

    x, y = torch.randn(2, 3), torch.randn(3, 4)
    compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
    assert compiled(x, y).dtype is torch.bfloat16
    torch.testing.assert_close(compiled(x, y), function(x, y))


@pytest.mark.parametrize("mode", ["inference_mode", "no_grad"])
def test_without_gradients(torch, mode: str):
    x = torch.ones(2, 3, requires_grad=True)
    with getattr(torch, mode)():
        result = einsum("ij,kj->ik", x, x)
    assert not result.requires_grad
    assert result.is_inference() is (mode == "inference_mode")


# --- plans for any size ---------------------------------------------------------------------------


def test_a_plan_for_any_batch_runs_on_torch(torch):
    plan = einsum_plan("bij,jk->bik", torch.ones(2, 3, 4), (4, 5))
    open_plan = einsum_plan("bij,jk->bik", (None, 3, 4), torch.ones(4, 5))
    assert (plan.bound.unknown, open_plan.bound.unknown) == ((), (0,))
    for batch in (1, 2, 7):
        x = torch.ones(batch, 3, 4)
        torch.testing.assert_close(open_plan(x, torch.ones(4, 5)), torch.full((batch, 3, 5), 4.0))
    with pytest.raises(OperandError, match="operand 0: planned for"):
        open_plan(torch.ones(2, 3, 6), torch.ones(6, 5))


def test_a_number_of_a_tracer_beside_no_tensor_is_an_error(torch):
    from torch.fx.experimental.proxy_tensor import make_fx

    with pytest.raises(OperandTypeError, match="operand 0 is a SymInt, but no operand is a tensor"):
        make_fx(lambda x: x * einsum(",->", x.shape[0], 2), tracing_mode="symbolic")(torch.ones(5, 3))


def test_a_symbol_is_never_kept(torch):
    from torch.fx.experimental.proxy_tensor import make_fx

    from einsum_unified import cache_info

    seen = []

    def function(x, y):
        before = cache_info().currsize
        result = einsum("bi,ij->bj", x, y)
        seen.append(cache_info().currsize - before)
        return result

    make_fx(function, tracing_mode="symbolic")(*sized([(0, 3), (3, 4)], 11))
    assert seen == [0]


def test_a_traced_program_is_for_tensors_only(torch):
    traced = torch.fx.symbolic_trace(lambda x: einsum("ij->ji", x))
    with pytest.raises(OperandTypeError):
        copy.deepcopy(traced)({})
