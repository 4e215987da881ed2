"""What once went wrong, in the words of a caller."""

from __future__ import annotations

import gc
import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import opt_einsum
import pytest
from frameworks import Framework

import einsum_unified
from einsum_unified import (
    BackendError,
    OperandError,
    OperandTypeError,
    PathError,
    einsum,
    einsum_path,
    einsum_plan,
    register_backend,
)
from einsum_unified.adapter import dispatch
from einsum_unified.adapter import registry as adapters
from einsum_unified.dtypes import promote
from einsum_unified.planning import path as path_module
from einsum_unified.runtime.executable import Executable

X = np.arange(6.0).reshape(2, 3)


def test_a_variable_stays_with_tensorflow_in_every_form_of_a_call(tf):
    variable = tf.Variable(X)
    for result in (einsum(variable, [0, 1], [0]), einsum("ij,->i", variable, 2.0)):
        assert isinstance(result, tf.Tensor)
    np.testing.assert_array_equal(einsum("ij,->i", variable, 2.0).numpy(), 2 * X.sum(1))


def test_symbolic_tensors_take_every_form_of_a_call(tf):
    @tf.function
    def sums(x):
        return einsum(x, [0, 1], [0]), einsum("ij,->i", x, 2.0), einsum_plan("ij->i", x)(x)

    for result, factor in zip(sums(tf.constant(X)), (1, 2, 1), strict=True):
        np.testing.assert_array_equal(result.numpy(), factor * X.sum(1))


def test_our_errors_keep_their_class_inside_a_tf_function(tf):
    @tf.function
    def wrong(x):
        return einsum("ijk->i", x)

    with pytest.raises(OperandError, match="operand 0 has 2 axes but its subscripts 'ijk' name 3"):
        wrong(tf.constant(X))


def test_a_registered_class_with_an_array_method_is_not_made_a_numpy_array():
    class Mine:
        shape, dtype = (2, 3), np.dtype(float)

        def __array__(self, dtype=None, copy=None):
            raise AssertionError("it was converted")

    class Adapter:
        def __getattr__(self, name):
            if name == "native":
                return lambda terms, output: lambda *operands: ("native", terms, output)
            if name == "form":
                return lambda cls: einsum_unified.adapter.Form.NATIVE
            return getattr(dispatch.load("numpy"), name)

    register_backend(Mine, Adapter())
    assert einsum("ij->i", Mine()) == ("native", ((0, 1),), (0,))


@pytest.mark.parametrize("key", [5, None, ("a", "b")])
def test_an_adapter_is_registered_for_a_class_or_a_name_only(key):
    with pytest.raises(BackendError, match="registered for a class or a qualified name"):
        register_backend(key, dispatch.load("numpy"))


class Named:
    pass


def test_a_class_and_its_name_are_one_registration():
    first, second = dispatch.load("numpy"), dispatch.load("numpy")
    register_backend(Named, first)
    name = f"{Named.__module__}.{Named.__qualname__}"
    with pytest.raises(BackendError, match="already has an adapter; pass replace=True"):
        register_backend(name, second)
    register_backend(name, second, replace=True)
    assert Named not in adapters.table.entries


@pytest.mark.parametrize("operand", [{}, None, object()])
@pytest.mark.parametrize("function", [einsum, einsum_plan, einsum_path])
def test_an_operand_that_is_not_an_array_is_the_same_error_from_every_function(function, operand):
    with pytest.raises(
        OperandTypeError, match=r"operand 0 is an? .*, which is not an array of a known library"
    ):
        function("i->", operand)


def test_a_plan_takes_shapes_beside_scalars_and_matrices():
    assert einsum_plan("i,->i", (3,), np.float64(2)).bound.dtype == "float64"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)  # numpy.matrix is not recommended
        assert einsum_plan("ij,jk->ik", (2, 2), np.matrix([[1, 2], [3, 4]])).bound.dtype == "int64"


@pytest.mark.parametrize(("spec", "name"), [("float", "float64"), ("f8", "float64"), ("half", "float16")])
def test_numpys_other_names_of_dtypes_mean_the_same_everywhere(framework: Framework, spec: str, name: str):
    x = framework.tensor(X, "float16")
    assert framework.dtype(einsum("ij->i", x, dtype=spec)) == name


def test_an_alias_of_a_dtype_goes_with_out_and_with_python_integers():
    out = np.zeros(3)
    assert einsum("i,i->i", X[0], X[0], dtype="float", out=out) is out
    assert einsum("i,->i", np.arange(3), 3, dtype="int").dtype == np.int64


@pytest.mark.parametrize("dtype", [dict, list, 3.5])
def test_a_class_that_is_not_a_dtype_is_refused(dtype):
    with pytest.raises(OperandTypeError, match="is not a dtype that numpy can compute with"):
        einsum("ij->i", X, dtype=dtype)


def test_object_arrays_are_summed_and_multiplied_as_by_numpy():
    x = np.array([Fraction(1, 3), Fraction(1, 6)])
    assert einsum("i->", x) == Fraction(1, 2)
    assert einsum("i,i->", x, x) == Fraction(5, 36)
    np.testing.assert_array_equal(einsum("ij->j", np.array([[1, 2], [3, 4]], object)), [4, 6])


@pytest.mark.parametrize("limit", [float("nan"), -1, "many", True])
def test_a_limit_that_is_no_number_of_elements_is_a_path_error(limit):
    with pytest.raises(PathError, match="not a number of elements"):
        einsum("i,i,i->i", X[0], X[0], X[0], optimize=("greedy", limit))


@pytest.mark.parametrize("limit", [float("inf"), np.int64(100), np.float64(1e6), None])
def test_a_limit_may_be_any_number(limit):
    result = einsum("i,i,i->i", X[0], X[0], X[0], optimize=("greedy", limit))
    np.testing.assert_array_equal(result, X[0] ** 3)


def test_a_step_of_fractions_is_not_cut_to_integers():
    with pytest.raises(PathError, match=r"step 0 of the path is \(0.7, 1.2\)"):
        einsum("i,i,i->i", X[0], X[0], X[0], optimize=[(0.7, 1.2), (0, 1)])


@pytest.mark.parametrize("optimize", [1, 0, np.True_, [np.array([0, 1]), (0, 1)]])
def test_what_equals_a_bool_or_a_step_is_one(optimize):
    np.testing.assert_array_equal(einsum("i,i,i->i", X[0], X[0], X[0], optimize=optimize), X[0] ** 3)


def test_an_optimizer_that_is_a_class_or_returns_nothing_is_a_path_error():
    for optimize in (opt_einsum.RandomGreedy, lambda *arguments: None):
        with pytest.raises(PathError):
            einsum("i,i,i->i", X[0], X[0], X[0], optimize=optimize)


def test_an_optimizer_is_not_asked_about_one_operand():
    np.testing.assert_array_equal(einsum("ij->i", X, optimize=opt_einsum.RandomGreedy()), X.sum(1))


def test_promotion_does_not_depend_on_the_order_of_operands():
    names = ["uint64", "int8", "float32"]
    assert promote(*names) == promote(*reversed(names)) == "float32"
    with pytest.raises(OperandTypeError, match="do not promote"):
        promote("float128", "complex64")


@pytest.mark.parametrize("arguments", [("ij->i",), ("ij,->i", 2.0)])
def test_the_warning_of_a_mask_points_at_the_caller(arguments):
    masked = np.ma.array(X, mask=X > 3)
    with pytest.warns(UserWarning, match="the mask of a MaskedArray is ignored") as caught:
        einsum(arguments[0], masked, *arguments[1:])
    assert caught[0].filename == __file__


def test_a_tuple_of_two_operands_is_a_list_of_operands():
    assert einsum(",->", (2, 3)) == 6


def test_a_blocked_framework_is_not_installed(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    assert "torch" not in dispatch.installed()


def test_an_output_that_is_the_operand_itself_is_filled_right(torch):
    for square in (np.arange(9.0).reshape(3, 3), torch.arange(9.0).reshape(3, 3)):
        einsum("ij->ji", square, out=square)
        np.testing.assert_array_equal(np.asarray(square), np.arange(9.0).reshape(3, 3).T)


def test_an_output_on_another_device_or_read_only_is_refused(torch):
    with pytest.raises(OperandTypeError, match="out= is on meta but the result on cpu"):
        einsum("i->i", torch.ones(3), out=torch.ones(3, device="meta"))
    out = np.zeros(3)
    out.flags.writeable = False
    with pytest.raises(OperandError, match="out= is read-only"):
        einsum("ij->j", X, out=out)


def test_a_path_of_unknown_numbers_of_axes_says_so(tf):
    said = []

    @tf.function(input_signature=[tf.TensorSpec(None, tf.float64)])
    def path(x):
        said.append(einsum_path("...j,kj->...k", x, x)[1])
        return x

    path(tf.constant(X))
    assert "left to the framework" in said[0]


@pytest.mark.parametrize("dtype", [">f4", ">i2", ">c16"])
@pytest.mark.parametrize("equation", ["ij->", "ij->j", "ij,k->ik"])
def test_foreign_byte_order_is_summed(dtype: str, equation: str):
    operands = [X.astype(dtype)] + [np.arange(2).astype(dtype)] * (equation.count(","))
    want = np.einsum(equation, *(x.astype(complex) for x in operands))
    np.testing.assert_array_equal(einsum(equation, *operands), want)


@pytest.mark.parametrize("dtype", [[1], {"a": 1}])
def test_a_dtype_that_is_not_hashable_is_refused(framework: Framework, dtype):
    with pytest.raises(OperandTypeError, match="is not a dtype that"):
        einsum("ij->i", framework.tensor(X), dtype=dtype)


def test_a_quantised_tensor_of_tensorflow_comes_with_its_call(tf):
    x = tf.quantization.quantize(tf.constant(X, tf.float32), 0.0, 6.0, tf.quint8).output
    with pytest.raises(
        OperandTypeError, match=r"operand 0 is a quantised .*\n.*tf\.quantization\.dequantize"
    ):
        einsum("ij,kj->ik", x, x)


def test_the_sizes_of_a_diagonal_are_named_in_the_order_of_the_axes(framework: Framework):
    with pytest.raises(OperandError, match="label 'i' is repeated in operand 0 with sizes 3 and 2"):
        einsum("ii->i", framework.tensor(np.ones((3, 2))))


def test_a_half_too_large_becomes_inf_without_a_warning():
    big = np.full(2, 60000, np.float16)
    assert einsum("i->", big) == np.inf


def test_operands_that_only_tensorflow_knows_are_counted_too(tf):
    ragged = tf.ragged.constant([[1.0], [2.0, 3.0]])
    with pytest.raises(OperandError, match="the equation has 2 terms but 1 operand was given"):
        einsum("ij,jk->ik", ragged)


@pytest.mark.parametrize(("operands", "size"), [(2000, 2), (300, 1000)])
def test_the_cost_of_a_long_chain_is_printed_though_no_float_holds_it(operands: int, size: int):
    labels = [[n, n + 1] for n in range(operands)]
    arguments = [x for term in labels for x in ((size, size), term)]
    summary = einsum_path(*arguments, [0, operands])[1]
    naive = Decimal(size) ** (operands + 1) * operands
    assert f"Naive FLOP count:  {naive:.3e}" in summary


@pytest.mark.filterwarnings("ignore")  # of torch, about its tracing
def test_the_cache_keeps_no_tensor_that_stands_for_a_size_while_torch_traces(torch):
    x = torch.arange(6.0).reshape(2, 3)
    traced = torch.jit.trace(lambda a: einsum("τυ,φυ->τφ", a, a), x)  # an equation of no other test
    assert torch.equal(traced(x), x @ x.T)
    gc.collect()
    kept = [x for x in gc.get_objects() if type(x) is Executable and x.equation.text == "τυ,φυ->τφ"]
    assert all(type(size) is int for each in kept for _, shape, _ in each.signatures for size in shape)


def test_a_network_with_too_many_pairs_is_planned_all_the_same():
    random = np.random.default_rng(0)
    terms = [sorted(random.choice(60, 20, replace=False).tolist()) for _ in range(600)]
    arguments = [x for term in terms for x in ((1,) * 20, term)]
    from_left_to_right = ((0, 1), *((0, left) for left in range(598, 0, -1)))
    assert einsum_plan(*arguments, []).path == from_left_to_right


def test_python_integers_beyond_64_bits_are_numbers(framework: Framework):
    assert einsum(",", 2**70, 2) == 2**71
    assert einsum(",,->", 2**70, 2, 3) == 3 * 2**71
    result = einsum("i,->i", framework.tensor(np.ones(2)), 2**70)
    np.testing.assert_array_equal(framework.numpy(result), np.full(2, 2.0**70))


def test_what_equals_true_means_true_before_and_after_true_was_seen():
    einsum_unified.clear_cache()
    for optimize in (1.0, True, 1.0):
        np.testing.assert_array_equal(einsum("i,i,i->i", *[X[0]] * 3, optimize=optimize), X[0] ** 3)


def test_an_array_of_integers_is_a_sublist_and_a_range_an_operand():
    np.testing.assert_array_equal(einsum(X, np.arange(2), [1, 0]), X.T)
    assert einsum("i->", range(3)) == 3


def test_a_sparse_output_is_refused_before_anything_is_computed(torch):
    with pytest.raises(OperandTypeError, match="out= is a sparse torch Tensor, which cannot be filled"):
        einsum("ij->ij", torch.eye(2), out=torch.eye(2).to_sparse())


@pytest.mark.parametrize("equation", ["...i->i", "i...->i", "...i,...->i"])
def test_an_ellipsis_is_summed_also_where_sizes_are_known_only_at_run_time(tf, equation: str):
    operands = [np.arange(24.0).reshape(2, 3, 4), np.arange(6.0).reshape(2, 3)][: equation.count(",") + 1]
    specs = [tf.TensorSpec([None, *x.shape[1:]], tf.float64) for x in operands]
    result = tf.function(lambda *xs: einsum(equation, *xs), input_signature=specs)(*operands)
    want = {"...i->i": lambda x: x.sum((0, 1)), "i...->i": lambda x: x.sum((1, 2))}.get(equation)
    want = want or (lambda x, y: (x * y[..., None]).sum((0, 1)))
    np.testing.assert_allclose(result.numpy(), want(*operands))


def test_clearing_the_cache_forgets_paths_too_and_long_paths_are_not_kept():
    einsum_plan("ij,jk,kl->il", (2, 3), (3, 4), (4, 5))
    assert path_module._find_cached.cache_info().currsize > 0
    einsum_unified.clear_cache()
    labels = [x for n in range(2100) for x in ((2, 2), [n, n + 1])]
    einsum_plan(*labels, [0, 2100])
    assert path_module._find_cached.cache_info().currsize == 0
