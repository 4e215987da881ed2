"""Operands that are no plain arrays or tensors: as the framework has them, or a precise error."""

from __future__ import annotations

import array
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from conftest import spelled
from frameworks import numpy_dtype

from einsum_unified import EinsumError, OperandError, OperandTypeError, einsum, einsum_plan

A = np.arange(6.0).reshape(2, 3) - 2
B = np.arange(12.0).reshape(3, 4) - 5


# --- NumPy ------------------------------------------------------------------------------------------


class Subclass(np.ndarray):
    """An array with a name of its own."""


def test_a_subclass_of_ndarray_is_an_array():
    result = einsum("ij,jk->ik", A.view(Subclass), B.view(Subclass))
    np.testing.assert_array_equal(result, A @ B)
    np.testing.assert_array_equal(einsum("ij->ji", A.view(Subclass)), A.T)


def test_a_memory_map_is_read_and_its_view_shares_its_memory(tmp_path):
    mapped = np.memmap(tmp_path / "a", dtype="float64", mode="w+", shape=(2, 3))
    mapped[:] = A
    np.testing.assert_array_equal(einsum("ij,jk->ik", mapped, B), A @ B)
    view = einsum("ij->ji", mapped)
    assert np.shares_memory(view, mapped)
    view[0, 0] = 9
    assert mapped[0, 0] == 9


def test_a_memory_map_may_be_out(tmp_path):
    mapped = np.memmap(tmp_path / "a", dtype="float64", mode="w+", shape=(2, 4))
    assert einsum("ij,jk->ik", A, B, out=mapped) is mapped
    np.testing.assert_array_equal(mapped, A @ B)


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # numpy.matrix itself
def test_a_matrix_does_not_stay_two_dimensional():
    matrix = np.matrix(A)
    assert einsum("ij->i", matrix).shape == (2,)
    np.testing.assert_array_equal(einsum("ij,ij->ij", matrix, matrix), A * A)


def test_a_mask_that_hides_something_is_warned_of_at_the_caller_s_line():
    masked = np.ma.masked_array(A, mask=A > 0)
    with pytest.warns(UserWarning, match="mask") as caught:
        result = einsum("ij->i", masked)
    np.testing.assert_array_equal(result, A.sum(1))
    assert [warning.filename for warning in caught] == [__file__]
    assert (
        caught[0].lineno
        == test_a_mask_that_hides_something_is_warned_of_at_the_caller_s_line.__code__.co_firstlineno + 3
    )


def test_a_mask_is_warned_of_at_every_operand_s_place_and_call():
    masked = np.ma.masked_array(A, mask=A > 0)
    for _ in range(2):
        with pytest.warns(UserWarning, match="mask"):
            result = einsum("ij,jk->ik", masked, B)
        with pytest.warns(UserWarning, match="mask"):
            einsum("jk,ij->ik", B, masked)
    np.testing.assert_array_equal(result, A @ B)


def test_a_mask_that_hides_nothing_is_no_matter():
    np.testing.assert_array_equal(einsum("ij->i", np.ma.masked_array(A)), A.sum(1))
    np.testing.assert_array_equal(einsum("ij->i", np.ma.masked_array(A, mask=False)), A.sum(1))


def test_a_record_s_field_and_a_char_array_are_told_apart():
    record = np.rec.fromarrays([A, A], names="x,y")
    np.testing.assert_array_equal(einsum("ij->ji", record.x), A.T)
    with pytest.raises(OperandTypeError, match="which is not numeric"):
        einsum("ij->ji", record)


@pytest.mark.parametrize("dtype", ["float32", "int8", "bool", "complex64", "bfloat16"])
def test_a_numpy_scalar_is_an_array_without_axes(dtype):
    scalar = numpy_dtype(dtype).type(1)
    result = einsum("i,->i", A[0].astype(numpy_dtype(dtype)), scalar)
    assert result.dtype == numpy_dtype(dtype)
    np.testing.assert_array_equal(result.astype(complex), (A[0] != 0) if dtype == "bool" else A[0])


# --- what only gives an array -----------------------------------------------------------------------


class Column:
    """Like a column of a data frame: nothing but ``__array__``."""

    def __init__(self, values):
        self.values = np.asarray(values)

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype=dtype)


def test_an_object_with_only_an_array_method_counts_as_numpy_array(framework):
    a = framework.tensor(A, "float32")
    result = einsum("ij,j->i", a, Column([1.0, 2.0, 3.0]))
    assert type(result) is type(a)
    assert framework.dtype(result) == "float64"
    np.testing.assert_array_equal(framework.numpy(result), A @ [1, 2, 3])
    np.testing.assert_array_equal(framework.numpy(einsum("j,ij->i", Column([1, 2, 3]), a)), A @ [1, 2, 3])


def test_an_object_with_only_an_array_method_goes_alone_too():
    result = einsum("i,i->", Column([1.0, 2.0]), Column([3.0, 4.0]))
    assert type(result) is np.float64
    assert result == 11


@pytest.mark.parametrize(
    ("operand", "dtype"),
    [
        (array.array("d", [1, 2, 3]), "float64"),
        (array.array("b", [1, 2, 3]), "int8"),
        (memoryview(array.array("f", [1, 2, 3])), "float32"),
        (memoryview(bytes([1, 2, 3])), "uint8"),
    ],
    ids=["doubles", "bytes", "view of floats", "view of bytes"],
)
def test_buffers_of_the_standard_library_count_as_numpy_arrays(framework, operand, dtype):
    result = einsum("i,i->i", framework.tensor(np.array([2, 1, 0]), dtype), operand)
    assert framework.dtype(result) == dtype
    assert framework.numpy(result).tolist() == [2, 2, 0]
    alone = einsum("i->", operand)
    assert alone == 6
    assert alone.dtype == dtype


@pytest.mark.parametrize(
    "operand", ["text", b"bytes", {1, 2}, {1: 2}, object(), None, iter([1])], ids=spelled
)
def test_an_operand_that_is_not_an_array_is_named(framework, operand):
    name = type(operand).__name__
    with pytest.raises(OperandTypeError, match=f"operand 1 is an? {name}, which is not an array"):
        einsum("i,i->", framework.tensor(np.ones(3)), operand)


# --- PyTorch ----------------------------------------------------------------------------------------


def test_torch_subclasses_keep_their_class(torch):
    class Named(torch.Tensor):
        pass

    a, b = torch.tensor(A).as_subclass(Named), torch.tensor(B)
    for equation, operands in (("ij,jk->ik", (a, b)), ("jk,ij->ik", (b, a)), ("ij->ji", (a,)), ("ij->", (a,)),
                               ("ij,jk,kl->il", (a, b, b.T)), ("ij,j->ij", (a, np.ones(3)))):  # fmt: skip
        result = einsum(equation, *operands)
        own = torch.einsum(equation, *[torch.as_tensor(x) for x in operands])
        assert type(result) is type(own) is Named
        torch.testing.assert_close(result, own)


def test_a_torch_function_of_a_subclass_sees_the_operations(torch):
    seen = []

    class Logged(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            seen.append(func.__name__)
            return super().__torch_function__(func, types, args, kwargs or {})

    result = einsum("ij,jk->ik", torch.tensor(A).as_subclass(Logged), torch.tensor(B))
    assert type(result) is Logged
    assert any("matmul" in name or "einsum" in name or "bmm" in name for name in seen)


def test_a_parameter_gets_its_gradient_and_gives_a_tensor(torch):
    weight = torch.nn.Parameter(torch.tensor(B))
    result = einsum("ij,jk->ik", torch.tensor(A), weight)
    assert type(result) is torch.Tensor
    result.sum().backward()
    np.testing.assert_array_equal(weight.grad, A.T @ np.ones((2, 4)))


class Wrapped:
    """No tensor: an object that takes over torch's functions."""

    calls: list[str] = []  # noqa: RUF012 - a log for all of them

    def __init__(self, value):
        self.value = value

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        cls.calls.append(func.__name__)
        plain = [x.value if isinstance(x, cls) else x for x in args]
        return cls(func(*plain, **(kwargs or {})))


def test_an_object_with_a_torch_function_is_handed_torch_s_einsum(torch):
    Wrapped.calls.clear()
    result = einsum("βα,αγ->βγ", Wrapped(torch.tensor(A)), torch.tensor(B))
    assert type(result) is Wrapped
    assert Wrapped.calls == ["einsum"]
    np.testing.assert_array_equal(result.value, A @ B)
    np.testing.assert_array_equal(
        einsum("ji,ij->", torch.tensor(A.T.copy()), Wrapped(torch.tensor(A))).value, (A * A).sum()
    )


def test_an_object_with_a_torch_function_raises_its_own_errors(torch):
    class Stubborn:
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            raise LookupError("not in this house")

    with pytest.raises(LookupError, match="not in this house"):
        einsum("i,i->", Stubborn(), torch.ones(2))


def test_a_fake_tensor_gives_a_fake_tensor_of_the_right_shape(torch):
    from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode

    with FakeTensorMode():
        a, b = torch.empty(2, 3, dtype=torch.bfloat16), torch.empty(3, 4, dtype=torch.bfloat16)
        result = einsum("ij,jk->ki", a, b)
        assert isinstance(result, FakeTensor)
        assert tuple(result.shape) == (4, 2)
        assert result.dtype is torch.bfloat16


def test_meta_tensors_give_shape_dtype_and_device(torch):
    a, b = torch.ones(2, 3, device="meta"), torch.ones(3, 4, device="meta", dtype=torch.float64)
    result = einsum("ij,jk->ki", a, b)
    assert (result.device.type, tuple(result.shape), result.dtype) == ("meta", (4, 2), torch.float64)
    assert einsum("ii->i", torch.ones(3, 3, device="meta")).device.type == "meta"
    assert einsum("ij,j->i", a, np.ones(3, "float32")).device.type == "meta"


def test_requires_grad_is_carried_and_nothing_is_detached(torch):
    a, b = torch.tensor(A, requires_grad=True), torch.tensor(B)
    for result in (einsum("ij,jk->ik", a, b), einsum("ij->ji", a), einsum("ij,j->i", a, np.ones(3)),
                   einsum("ij,->ij", a, 2.0), einsum("ij->", a, dtype="float32")):  # fmt: skip
        assert result.requires_grad
    assert not einsum("ij,jk->ik", a.detach(), b).requires_grad


def test_no_grad_and_inference_mode_hold(torch):
    a = torch.tensor(A, requires_grad=True)
    with torch.no_grad():
        assert not einsum("ij,ij->", a, a).requires_grad
    with torch.inference_mode():
        inside = torch.tensor(A)
        result = einsum("ij,jk->ik", inside, torch.tensor(B))
        assert result.is_inference()
        assert einsum("ij->ji", inside).is_inference()
    np.testing.assert_array_equal(result, A @ B)


def test_conjugate_and_negative_views_are_read_right(torch):
    a = torch.tensor(A + 1j)
    np.testing.assert_array_equal(einsum("ij,kj->ik", a, a.conj()), (A + 1j) @ (A - 1j).T)
    np.testing.assert_array_equal(einsum("ij->ji", a.conj()).resolve_conj(), (A - 1j).T)
    np.testing.assert_array_equal(einsum("ij->", a.conj().imag), (-np.ones((2, 3))).sum())


def test_out_under_a_gradient_is_torch_s_own_error(torch):
    a, out = torch.tensor(A, requires_grad=True), torch.zeros(2, 4, dtype=torch.float64)
    out = torch.zeros(2, 4, dtype=torch.float64, requires_grad=True)
    with pytest.raises(RuntimeError, match="requires grad"):
        einsum("ij,jk->ik", a, torch.tensor(B), out=out)
    assert out.detach().tolist() == np.zeros((2, 4)).tolist()


def torch_specials(torch) -> dict:
    """Operands of shape (3, 3) or (2, 2 and 1, 3), with the call that makes each dense."""
    square = torch.tensor(np.arange(9.0).reshape(3, 3)).float()
    return {
        "sparse": (square.to_sparse(), "x.to_dense()"),
        "csr": (square.to_sparse_csr(), "x.to_dense()"),
        "quantised": (torch.quantize_per_tensor(square, 0.5, 0, torch.qint8), "x.dequantize()"),
        "nested": (
            torch.nested.nested_tensor([torch.ones(2, 3), torch.ones(1, 3)]),
            "torch.nested.to_padded_tensor(x, 0.0)",
        ),
    }


torch_warns = pytest.mark.filterwarnings(
    "ignore:Sparse CSR tensor support is in beta:UserWarning",
    "ignore:The PyTorch API of nested tensors is in prototype:UserWarning",
    "ignore:.*quantize:UserWarning",
    "ignore:.*quantize:DeprecationWarning",
)


@torch_warns
@pytest.mark.parametrize(
    ("name", "equation"),
    [("sparse", "ij,k->ijk"), ("csr", "ij,k->ijk"), ("quantised", "ij->i"), ("nested", "bij->bji")],
)
def test_what_torch_cannot_contract_comes_with_the_call_that_makes_it_dense(torch, name, equation):
    operand, call = torch_specials(torch)[name]
    with pytest.raises(OperandTypeError, match=r"operand 0 .*torch cannot contract") as caught:
        einsum(equation, operand, *[torch.ones(2)] * equation.count(","))
    assert str(caught.value).endswith(f"make it dense first: {call}")
    assert caught.value.__cause__ is not None


@torch_warns
@pytest.mark.parametrize("name", ["sparse", "csr"])
def test_sparse_times_dense_is_torch_s_own_product(torch, name):
    operand, _ = torch_specials(torch)[name]
    dense = torch.ones(3, 2)
    np.testing.assert_array_equal(einsum("ij,jk->ik", operand, dense), torch.mm(operand, dense))


@torch_warns
def test_a_second_operand_is_named_by_its_number(torch):
    operand, call = torch_specials(torch)["quantised"]
    with pytest.raises(OperandTypeError, match="operand 1 ") as caught:
        einsum("ij,jk->ik", torch.ones(2, 3), operand)
    assert call in str(caught.value)


@torch_warns
def test_the_call_that_is_named_works(torch):
    operand, call = torch_specials(torch)["nested"]
    dense = eval(call, {"torch": torch, "x": operand})
    np.testing.assert_array_equal(einsum("bij->bi", dense), [[3, 3], [3, 0]])
    operand, call = torch_specials(torch)["quantised"]
    np.testing.assert_array_equal(einsum("ij->j", eval(call, {"x": operand})), [9, 12, 15])
    operand, call = torch_specials(torch)["csr"]
    np.testing.assert_array_equal(einsum("ij->j", eval(call, {"x": operand})), [9, 12, 15])


@torch_warns
def test_an_equation_that_does_not_fit_a_special_tensor_is_still_an_einsum_error(torch):
    for operand, _ in torch_specials(torch).values():
        with pytest.raises(OperandError, match="the equation has 2 terms but 1 operand was given"):
            einsum("ij,jk->ik", operand)
        with pytest.raises(EinsumError, match="occurs in no operand"):
            einsum("ij->iz", operand)


# --- TensorFlow -------------------------------------------------------------------------------------


def test_a_variable_gives_a_tensor_and_its_gradient(tf):
    weight = tf.Variable(B)
    with tf.GradientTape() as tape:
        result = einsum("ij,jk->ik", tf.constant(A), weight)
    assert isinstance(result, tf.Tensor)
    np.testing.assert_array_equal(result, A @ B)
    np.testing.assert_array_equal(tape.gradient(result, weight), A.T @ np.ones((2, 4)))


def test_a_variable_alone_gives_a_tensor_not_itself(tf):
    weight = tf.Variable(A)
    for equation, expected in (("ij->ij", A), ("ij->ji", A.T), ("ij->", A.sum())):
        result = einsum(equation, weight)
        assert isinstance(result, tf.Tensor)
        np.testing.assert_array_equal(result, expected)
    result = einsum("ij->ij", weight)
    weight.assign_add(A)
    np.testing.assert_array_equal(result, A)


def test_a_variable_beside_numbers_and_lists_stays_in_tensorflow(tf):
    weight = tf.Variable([1.0, 2.0])
    with tf.GradientTape(persistent=True) as tape:
        results = [einsum("i,->i", weight, 2.0), einsum("i,i->i", weight, [2, 2]), einsum(weight, [0]) * 2]
    for result in results:
        assert isinstance(result, tf.Tensor)
        np.testing.assert_array_equal(tape.gradient(result, weight), [2, 2])


def test_indexed_slices_are_made_whole(tf):
    slices = tf.IndexedSlices(tf.constant(A), tf.constant([0, 2]), tf.constant([3, 3]))
    whole = np.stack([A[0], np.zeros(3), A[1]])
    np.testing.assert_array_equal(einsum("ij,jk->ik", slices, tf.constant(B)), whole @ B)
    np.testing.assert_array_equal(einsum("ij->j", slices), whole.sum(0))


@pytest.mark.parametrize("jit", [False, True])
def test_a_tf_function_with_known_shapes_is_traced(tf, jit):
    @tf.function(jit_compile=jit)
    def product(a, b):
        return einsum("ij,jk->ki", a, b)

    np.testing.assert_array_equal(product(tf.constant(A), tf.constant(B)), (A @ B).T)
    assert product.get_concrete_function(tf.constant(A), tf.constant(B)).output_shapes == [4, 2]


@pytest.mark.parametrize(
    "shapes",
    [([None, 3], [3, None]), ([None, None], [None, None]), ([2, 3], [None, 4]), (None, [3, 4]), (None, None)],
    ids=str,
)
@pytest.mark.parametrize("equation", ["ij,jk->ik", "βα,αγ->βγ", "ij,jk", " i j , j k -> i k "])
def test_a_tf_function_with_unknown_sizes_or_ranks_is_traced_once(tf, shapes, equation):
    traced = []

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.float64) for shape in shapes])
    def product(a, b):
        traced.append(a)
        return einsum(equation, a, b)

    np.testing.assert_array_equal(product(A, B), A @ B)
    np.testing.assert_array_equal(product(A[:, :3], B), A @ B)
    assert len(traced) == 1


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [("ij->ji", [(2, 3)]), ("ij->i", [(2, 3)]), ("ii->", [(3, 3)]),
     ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]),
     ("bij,bjk->bik", [(2, 2, 3), (2, 3, 2)]), ("i,j->ij", [(2,), (3,)]), ("ij,ij->ij", [(2, 3), (2, 3)])],
    ids=str,
)  # fmt: skip
def test_every_kind_of_equation_runs_with_unknown_sizes(tf, equation, shapes):
    arrays = [np.arange(float(np.prod(shape))).reshape(shape) for shape in shapes]
    function = tf.function(
        lambda *xs: einsum(equation, *xs),
        input_signature=[tf.TensorSpec([None] * len(shape), tf.float64) for shape in shapes],
    )
    np.testing.assert_array_equal(function(*arrays), np.einsum(equation, *arrays))


@pytest.mark.parametrize("dtype", ["bool", "int8", "float16", "bfloat16"])
def test_dtypes_hold_with_unknown_sizes_too(tf, dtype):
    @tf.function(input_signature=[tf.TensorSpec([None, None], dtype)] * 2)
    def product(a, b):
        return einsum("ij,jk->ik", a, b)

    ones = tf.cast(tf.ones((2, 2)), dtype)
    result = product(ones, ones)
    assert result.dtype.name == dtype
    assert tf.cast(result, tf.float32).numpy().tolist() == ([[1, 1]] * 2 if dtype == "bool" else [[2, 2]] * 2)


def test_errors_are_found_while_tracing(tf):
    signature = [tf.TensorSpec([None, 3]), tf.TensorSpec([4, None])]
    product = tf.function(lambda a, b: einsum("ij,jk->ik", a, b), input_signature=signature, autograph=False)
    with pytest.raises(OperandError, match="label 'j' is 3 in operand 0 but 4 in operand 1") as caught:
        product.get_concrete_function()
    assert "operand 0 'ij': shape (?, 3), tensorflow.float32" in str(caught.value)


def test_an_error_in_a_tf_function_keeps_its_class(tf):
    @tf.function(input_signature=[tf.TensorSpec([None, 3]), tf.TensorSpec([4, None])])
    def product(a, b):
        return einsum("ij,jk->ik", a, b)

    with pytest.raises(OperandError, match="label 'j' is 3 in operand 0 but 4 in operand 1"):
        product.get_concrete_function()


def test_a_gradient_goes_through_a_tf_function(tf):
    weight = tf.Variable(B)

    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            loss = einsum("ij,jk->", x, weight)
        return tape.gradient(loss, weight)

    np.testing.assert_array_equal(step(tf.constant(A)), A.T @ np.ones((2, 4)))


def test_ragged_and_sparse_tensors_come_with_the_call_that_makes_them_dense(tf):
    ragged = tf.ragged.constant([[1.0, 2.0], [3.0]])
    sparse = tf.sparse.from_dense([[1.0, 2.0], [3.0, 0.0]])
    for operand, name, call in (
        (ragged, "RaggedTensor", "x.to_tensor()"),
        (sparse, "SparseTensor", "tf.sparse.to_dense(x)"),
    ):
        with pytest.raises(OperandTypeError, match=f"operand 0 is a .* tensorflow {name}") as caught:
            einsum("ij,jk->ik", operand, tf.ones((2, 2)))
        assert call in str(caught.value)
        assert caught.value.__cause__ is not None
        np.testing.assert_array_equal(einsum("ij->j", eval(call, {"tf": tf, "x": operand})), [4, 2])


# --- options beside what only the framework may know ------------------------------------------------

ASKED = {"dtype": "float64", "out": np.zeros((2, 2))}


@torch_warns
@pytest.mark.parametrize("option", ASKED)
@pytest.mark.parametrize("name", ["quantised", "nested", "jagged"])
def test_dtype_and_out_are_refused_beside_what_is_special_to_torch(torch, name, option):
    nested = [torch.ones(2, 3), torch.ones(1, 3)]
    specials = {
        **torch_specials(torch),
        "jagged": (torch.nested.nested_tensor(nested, layout=torch.jagged), ""),
    }
    special, call = specials[name]
    call = call or torch_specials(torch)["nested"][1]
    value = torch.zeros(3, 3) if option == "out" else ASKED[option]
    term = "ij" if name == "quantised" else "bij"
    kind = "nested" if name == "jagged" else name
    what = f"a {kind} torch {type(special).__name__}"
    says = f"{what}, which cannot be combined with dtype= or out=\n  make it dense first"
    with pytest.raises(OperandTypeError, match=f"^operand 0 is {says}: {re.escape(call)}$"):
        einsum(f"{term},jk->ik", special, torch.ones(3, 3), **{option: value})
    with pytest.raises(OperandTypeError, match=f"^operand 1 is {says}: {re.escape(call)}$"):
        einsum(f"jk,{term}->ik", torch.ones(3, 3), special, **{option: value})
    if option == "out":
        assert not value.any()


@torch_warns
@pytest.mark.parametrize("name", ["sparse", "csr"])
def test_dtype_and_out_go_with_products_of_torchs_sparse_matrices(torch, name):
    operand, _ = torch_specials(torch)[name]
    dense, out = torch.ones(3, 2), torch.full((3, 2), -1.0)
    want = np.arange(9.0).reshape(3, 3) @ np.ones((3, 2))
    result = einsum("ij,jk->ik", operand, dense, dtype="float64")
    assert result.dtype is torch.float64
    np.testing.assert_array_equal(result, want)
    assert einsum("ij,jk->ik", operand, dense, out=out) is out
    np.testing.assert_array_equal(out, want)


def tensorflow_specials(tf) -> dict:
    return {
        "ragged": (tf.ragged.constant([[1.0, 2.0], [3.0]]), "RaggedTensor", "x.to_tensor()"),
        "sparse": (tf.sparse.eye(2), "SparseTensor", "tf.sparse.to_dense(x)"),
        "quantised": (
            tf.quantization.quantize(tf.ones((2, 2)), -1.0, 1.0, tf.qint8).output,
            "EagerTensor",
            "tf.quantization.dequantize(x, low, high)",
        ),
    }


@pytest.mark.parametrize("option", ASKED)
@pytest.mark.parametrize("name", ["ragged", "sparse", "quantised"])
def test_dtype_and_out_are_refused_beside_what_is_special_to_tensorflow(tf, name, option):
    special, cls, call = tensorflow_specials(tf)[name]
    for number, operands in enumerate([(special, tf.ones((2, 2))), (tf.ones((2, 2)), special)]):
        with pytest.raises(OperandTypeError) as caught:
            einsum("ij,jk->ik", *operands, **{option: ASKED[option]})
        assert str(caught.value).splitlines() == [
            f"operand {number} is a {name} tensorflow {cls}, which cannot be combined with dtype= or out=",
            f"  make it dense first: {call}",
        ]
    assert not ASKED["out"].any()


@pytest.mark.parametrize("option", ASKED)
def test_dtype_and_out_are_refused_beside_an_object_with_a_torch_function(torch, option):
    Wrapped.calls.clear()
    with pytest.raises(OperandTypeError, match=r"^dtype= and out= need dense tensors$"):
        einsum("ij,jk->ik", Wrapped(torch.ones(2, 2)), torch.ones(2, 2), **{option: ASKED[option]})
    assert Wrapped.calls == []


def test_what_is_wrong_with_another_operand_is_said_beside_a_sparse_tensor(torch):
    sparse = torch.eye(3, dtype=torch.int8).to_sparse()
    with pytest.raises(OperandError, match="operand 1 has the Python int 300, which int8 cannot hold"):
        einsum("ij,->ij", sparse, 300)


@torch_warns
@pytest.mark.parametrize("name", ["sparse", "csr"])
def test_a_sparse_tensor_is_named_also_where_others_are_dense(torch, name):
    special, call = torch_specials(torch)[name]
    with pytest.raises(OperandTypeError, match=r"^operand 1 is a sparse torch Tensor") as caught:
        einsum("j,ii->ij", torch.ones(2), special)
    assert str(caught.value).endswith(f"make it dense first: {call}")


@torch_warns
@pytest.mark.parametrize("name", ["sparse", "csr"])
def test_a_plan_that_cannot_run_on_a_sparse_tensor_says_what_to_do(torch, name):
    plan = einsum_plan("ij,k->ijk", torch.ones(3, 3), torch.ones(1))
    assert plan(torch.ones(3, 3), torch.ones(1)).tolist() == np.ones((3, 3, 1)).tolist()
    for out in (None, torch.zeros(3, 3, 1)):
        with pytest.raises(
            OperandTypeError, match=r"operand 0 is a sparse .*torch cannot contract\n.*to_dense"
        ):
            plan(torch_specials(torch)[name][0], torch.ones(1), out=out)


@pytest.mark.parametrize("name", ["ragged", "sparse", "quantised"])
def test_strict_holds_for_what_only_tensorflow_can_contract(tf, name):
    special, *_ = tensorflow_specials(tf)[name]
    with pytest.raises(EinsumError, match="rule 'explicit output': write ij,jk->ik"):
        einsum("ij,jk", special, tf.ones((2, 2)), strict=True)
    with pytest.raises(EinsumError, match="rule 'no lone sums'"):
        einsum("ij,jk->i", special, tf.ones((2, 2)), strict=True)


@torch_warns
def test_an_unknown_keyword_is_named_beside_what_is_special(torch, tf):
    specials = [
        special for special, *_ in (*torch_specials(torch).values(), *tensorflow_specials(tf).values())
    ]
    for special in (*specials, Wrapped(torch.ones(2, 2))):
        with pytest.raises(TypeError, match=r"unknown keyword 'precision'; known: optimize, dtype, out, "):
            einsum("ij,jk->ik", special, special, precision="highest")


# --- two frameworks, two devices ----------------------------------------------------------------------


def test_two_tensor_frameworks_are_told_apart_wherever_they_stand(torch, tf):
    tensors = [torch.ones(2), torch.nn.Parameter(torch.ones(2))], [tf.ones(2), tf.Variable([1.0, 1.0])]
    for a in tensors[0]:
        for b in tensors[1]:
            for operands in ([a, b], [b, a], [2.0, a, np.ones(2), b]):
                equation = ",".join("" if isinstance(x, float) else "i" for x in operands)
                with pytest.raises(
                    OperandTypeError, match=r"operand \d is a \w+ \w+ but operand \d a \w+ \w+: convert"
                ):
                    einsum(equation, *operands)


def test_a_numpy_array_goes_to_the_tensors_device(torch):
    meta = torch.ones(2, 3, device="meta")
    assert einsum("ij,j->i", meta, np.ones(3)).device.type == "meta"
    assert einsum("ij,->ij", meta, 2.0).device.type == "meta"


def test_tensors_on_different_torch_devices_are_an_error(torch):
    for a, b in (
        (torch.ones(2), torch.ones(2, device="meta")),
        (torch.ones(2, device="meta"), torch.tensor(1.0)),
    ):
        with pytest.raises(OperandTypeError, match=f"{a.device} and {b.device}"):
            einsum("i,...->i", a, b)


@pytest.mark.slow
def test_tensors_on_different_tensorflow_devices_are_an_error(tf):
    code = """
import numpy as np, tensorflow as tf
from einsum_unified import OperandTypeError, einsum
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
with tf.device("CPU:0"):
    a = tf.ones((2, 3))
with tf.device("CPU:1"):
    b = tf.ones((3, 2))
    c = einsum("ij,jk->ik", b, np.ones((3, 2), "float32").T)
print(c.device)
try:
    einsum("ij,jk->ik", a, b)
except OperandTypeError as error:
    print(error)
"""
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    place = "/job:localhost/replica:0/task:0/device:CPU:"
    assert run.stdout.splitlines() == [
        f"{place}1",
        f"tensors are on different devices: {place}0 and {place}1",
    ], run.stderr


def test_a_keras_variable_stays_in_tensorflow(tf):
    variable = tf.keras.Variable(A)
    with tf.GradientTape() as tape:
        result = einsum("ij->ji", variable)
    assert isinstance(result, tf.Tensor)
    np.testing.assert_array_equal(tape.gradient(result, variable.value), np.ones((2, 3)))


def test_a_dataset_is_no_array(tf):
    with pytest.raises(OperandTypeError, match="operand 0 is a tensorflow _RangeDataset"):
        einsum("i->i", tf.data.Dataset.range(3))


def test_two_special_frameworks_are_named_before_what_is_dense(torch, tf):
    sparse = tf.sparse.from_dense([[1.0, 2.0], [3.0, 0.0]])
    with pytest.raises(
        OperandTypeError, match="operand 0 is a tensorflow SparseTensor but operand 1 a torch Tensor"
    ):
        einsum("ij,j->i", sparse, torch.ones(2))


@torch_warns
def test_a_jagged_tensor_comes_with_the_call_that_makes_it_dense(torch):
    jagged = torch.nested.nested_tensor([torch.ones(2, 3), torch.ones(1, 3)], layout=torch.jagged)
    with pytest.raises(OperandTypeError, match="make it dense first"):
        einsum("bij,jk->bik", jagged, torch.ones(3, 2))


# --- Python objects -------------------------------------------------------------------------------


@pytest.mark.parametrize("equation", ["a,a,b,b->", "a,a,b,b,c,c->", "ab,ab,c,c->", "a,a,bc,bc->"])
def test_objects_stay_python_objects_beyond_64_bits(equation: str):
    terms = equation.split("->")[0].split(",")
    operands = [np.full((2,) * len(term), 2**40 + 3, object) for term in terms]
    result = einsum(equation, *operands)
    pairs = len(set(equation) - set(",->"))
    assert type(result) is int
    assert result == (2**40 + 3) ** len(terms) * 2**pairs
