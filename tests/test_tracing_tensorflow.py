"""What TensorFlow traces: tf.function, XLA, tf.data, SavedModel, vectorized_map; and Keras' models.

The reference is `numpy.einsum` in float64.
"""

from __future__ import annotations

import itertools
import logging
import os
import subprocess
import sys

import numpy as np
import pytest
from conftest import slow

from einsum_unified import OperandError, OperandTypeError, cache_info, einsum, einsum_path, einsum_plan

CASES = [
    ("ij->ji", [(2, 3)]),
    ("ij->i", [(2, 3)]),
    ("ii->i", [(3, 3)]),
    ("iij->j", [(2, 2, 3)]),
    ("i,i->", [(3,), (3,)]),
    ("i,j->ij", [(2,), (3,)]),
    ("ij,jk->ik", [(2, 3), (3, 4)]),
    ("bij,bjk->bik", [(2, 3, 4), (2, 4, 5)]),
    ("bhid,bhjd->bhij", [(2, 2, 3, 4), (2, 2, 5, 4)]),
    ("abc,bcd->ad", [(2, 3, 4), (3, 4, 2)]),
    ("...i,ij->...j", [(2, 2, 3), (3, 4)]),
    ("...ij,...jk->...ik", [(2, 1, 2, 3), (4, 3, 2)]),
    ("...i->i", [(2, 2, 3)]),
    ("bi,ij,jk->bk", [(2, 3), (3, 4), (4, 5)]),
    ("ab,bc,cd,de->ae", [(2, 3), (3, 4), (4, 2), (2, 3)]),
]
cases = pytest.mark.parametrize(("equation", "shapes"), CASES, ids=[equation for equation, _ in CASES])


def arrays(shapes):
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape) for shape in shapes]


def reference(equation: str, operands):
    return np.einsum(equation, *operands, optimize=True)  # without it NumPy does not drop an ellipsis


def assert_right(result, equation: str, operands):
    np.testing.assert_allclose(result, reference(equation, operands), rtol=1e-12, atol=1e-12)


# --- tf.function ----------------------------------------------------------------------------------


@cases
@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_every_size_known(tf, equation: str, shapes, jit_compile: bool):
    function = tf.function(lambda *xs: einsum(equation, *xs), jit_compile=jit_compile)
    operands = arrays(shapes)
    assert_right(function(*map(tf.constant, operands)), equation, operands)


@cases
@pytest.mark.parametrize("jit_compile", [False, slow(True)], ids=["graph", "xla"])
def test_one_size_unknown_in_each_place(tf, equation: str, shapes, jit_compile: bool):
    operands = arrays(shapes)
    places = [(number, axis) for number, shape in enumerate(shapes) for axis in range(len(shape))]
    for number, axis in places:
        open_shapes = [list(shape) for shape in shapes]
        open_shapes[number][axis] = None
        specs = [tf.TensorSpec(shape, tf.float64) for shape in open_shapes]
        function = tf.function(
            lambda *xs: einsum(equation, *xs), input_signature=specs, jit_compile=jit_compile
        )
        assert_right(function(*operands), equation, operands)


@cases
@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_no_size_known(tf, equation: str, shapes, jit_compile: bool):
    operands = arrays(shapes)
    specs = [tf.TensorSpec([None] * len(shape), tf.float64) for shape in shapes]
    function = tf.function(lambda *xs: einsum(equation, *xs), input_signature=specs, jit_compile=jit_compile)
    assert_right(function(*operands), equation, operands)
    assert function.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("equation", [eq for eq, _ in CASES])
def test_unknown_rank(tf, equation: str):
    operands = arrays(dict(CASES)[equation])
    specs = [tf.TensorSpec(None, tf.float64) for _ in operands]
    function = tf.function(lambda *xs: einsum(equation, *xs), input_signature=specs)
    assert_right(function(*operands), equation, operands)


LEFT_OUT = {
    "...i->i": [(2, 3, 4)],
    "i...->i": [(2, 3, 4)],
    "...->": [(2, 3)],
    "...ii->i": [(2, 3, 3)],
    "...ij,jk->ik": [(5, 2, 3), (3, 4)],
    "...i,...i->": [(2, 3, 4), (4,)],
    "...ij,...jk,...kl->li": [(5, 2, 3), (3, 4), (4, 2)],
}


@pytest.mark.parametrize("equation", LEFT_OUT)
@pytest.mark.parametrize("ranked", [0, 1], ids=["no rank", "one rank"])
def test_an_ellipsis_that_the_output_leaves_out_is_summed_for_an_unknown_rank_too(
    tf, equation: str, ranked: int
):
    """NumPy and TensorFlow refuse it, although it is unambiguous: numpy/numpy#9984."""
    operands = arrays(LEFT_OUT[equation])
    given = len(operands) > 1 and ranked
    specs = [tf.TensorSpec(x.shape if given and n else None, tf.float64) for n, x in enumerate(operands)]
    function = tf.function(lambda *xs: einsum(equation, *xs), input_signature=specs)
    np.testing.assert_allclose(function(*operands), np.einsum(equation, *operands, optimize=True), rtol=1e-12)
    assert function.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("dtype", ["bool", "int8", "float16", "bfloat16", "complex64"])
def test_such_a_sum_is_in_the_dtype_of_the_operand(tf, dtype: str):
    x = tf.cast(tf.constant([[1, 0, 3], [4, 0, 6]]), dtype)
    function = tf.function(lambda x: einsum("...i->i", x), input_signature=[tf.TensorSpec(None, x.dtype)])
    assert function(x).dtype == x.dtype
    want = [True, False, True] if dtype == "bool" else [5, 0, 9]
    assert tf.cast(function(x), tf.complex64).numpy().tolist() == want


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk->ik", [(2, 1), (3, 4)]),
        ("ii->i", [(3, 3)]),
        ("ij,jk,kl->il", [(2, 3), (1, 4), (4, 2)]),
        ("i,i->i", [(0,), (1,)]),
    ],
)
@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_a_term_without_an_ellipsis_fixes_an_unknown_number_of_axes(tf, equation, shapes, jit_compile: bool):
    operands = arrays(shapes)
    specs = [tf.TensorSpec(None, tf.float64) for _ in operands]
    function = tf.function(lambda *xs: einsum(equation, *xs), input_signature=specs, jit_compile=jit_compile)
    np.testing.assert_allclose(function(*operands), einsum(equation, *operands), rtol=1e-12)
    assert function.get_concrete_function().output_shapes.rank == len(equation.split("->")[1])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"not compatible with expected shape"):
        function(*(x[None] for x in operands))


def test_a_plan_for_a_number_of_axes_reads_tensors_that_do_not_tell_theirs(tf):
    plan = einsum_plan("ij,j->i", (None, None), (3,))
    spec = [tf.TensorSpec(None, tf.float64)]
    function = tf.function(lambda x: plan(x, np.ones(3)), input_signature=spec)
    np.testing.assert_array_equal(function(np.ones((2, 3))), [3, 3])


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk->ik", [(2, 1), (3, 4)]),
        ("ij,jk->ik", [(2, 3), (1, 4)]),
        ("ij,ij->ij", [(1, 3), (2, 1)]),
        ("i,i->", [(1,), (3,)]),
        ("i,i->", [(1,), (1,)]),
        ("i,i->i", [(1,), (0,)]),
        ("i,i,i->", [(1,), (3,), (1,)]),
        ("bij,bjk->bik", [(1, 2, 3), (4, 3, 2)]),
        ("ii,i->i", [(1, 1), (3,)]),
        ("...i,...i->...", [(1, 3), (2, 4, 1)]),
        ("ij,jk->ik", [(0, 3), (3, 0)]),
        ("ij,jk->ik", [(2, 0), (0, 3)]),
    ],
)
@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_size_1_broadcasts_at_run_time_too(tf, equation: str, shapes, jit_compile: bool):
    operands = arrays(shapes)
    want = einsum(equation, *operands)
    # What is known changes what is traced; XLA compiles that for the sizes of the call.
    for known in itertools.product([False] if jit_compile else [False, True], repeat=len(shapes)):
        specs = [
            tf.TensorSpec(shape if keep else [None] * len(shape), tf.float64)
            for shape, keep in zip(shapes, known, strict=True)
        ]
        function = tf.function(
            lambda *xs: einsum(equation, *xs), input_signature=specs, jit_compile=jit_compile
        )
        np.testing.assert_allclose(function(*operands), want, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int64", "float16", "bfloat16", "complex64"])
def test_every_dtype_with_unknown_sizes(tf, dtype: str):
    values = tf.cast(tf.constant([[1, 0, 2], [2, 1, 1]]), dtype)
    specs = [tf.TensorSpec([None, None], dtype)] * 2
    function = tf.function(lambda x, y: einsum("ij,kj->ik", x, y), input_signature=specs)
    result = function(values, values)
    assert result.dtype.name == dtype
    want = np.array([[5, 4], [4, 6]])
    np.testing.assert_array_equal(
        tf.cast(result, tf.complex64), want.astype(bool) if dtype == "bool" else want
    )


def test_many_batch_sizes_take_one_trace(tf):
    equation, shapes = "bij,bjk,kl->bil", [(0, 3, 4), (0, 4, 5), (5, 2)]
    signature = [tf.TensorSpec([n or None for n in shape], tf.float64) for shape in shapes]
    fixed = tf.function(lambda *xs: einsum(equation, *xs), input_signature=signature)
    relaxed = tf.function(lambda *xs: einsum(equation, *xs), reduce_retracing=True)
    for batch in range(1, 7):
        operands = arrays([tuple(n or batch for n in shape) for shape in shapes])
        assert_right(fixed(*operands), equation, operands)
        assert_right(relaxed(*map(tf.constant, operands)), equation, operands)
    assert fixed.experimental_get_tracing_count() == 1
    # TensorFlow relaxes a size when it has seen two.
    assert relaxed.experimental_get_tracing_count() == 2


def test_the_static_shape_of_a_result_is_as_known_as_can_be(tf):
    seen = []

    @tf.function(input_signature=[tf.TensorSpec([None, 2, 3, 4]), tf.TensorSpec([None, 2, 5, 4])])
    def function(x, y):
        result = einsum("bhid,bhjd->bhij", x, y)
        seen.append(result.shape.as_list())
        return result

    function.get_concrete_function()
    assert seen == [[None, 2, 3, 5]]


def test_a_plan_is_kept_for_unknown_sizes(tf):
    einsum_plan("bij->bji", (1, 2, 3))  # the adapters are loaded
    spec = tf.TensorSpec([None, 3, 5], tf.float64)
    for _ in range(2):
        before = cache_info()
        tf.function(lambda x: einsum("bij->bji", x), input_signature=[spec]).get_concrete_function()
    assert cache_info().hits > before.hits
    assert cache_info().currsize == before.currsize


def test_hints_choose_the_path(tf):
    shapes = (None, 10), (10, 10), (10, None)
    few, many = (einsum_plan("ij,jk,kl->il", *shapes, hints={"i": n, "l": 50}).path for n in (1, 1000))
    assert (few, many) == (((0, 1), (0, 1)), ((1, 2), (0, 1)))
    default = einsum_path("ij,jk,kl->il", *shapes)[1]
    assert "unknown sizes: planned with i = 6, l = 6" in default


FORMS = {
    "text": lambda x, y: einsum("ij,jk->ik", x, y),
    "interleaved": lambda x, y: einsum(x, ["i", "j"], y, ["j", "k"], ["i", "k"]),
    "bytes": lambda x, y: einsum(b"ij,jk->ik", x, y),
    "a list": lambda x, y: einsum("ij,jk->ik", [x, y]),
    "a number": lambda x, y: einsum("ij,jk,->ik", x, y, 1.0),
    "NumPy": lambda x, y: einsum("ij,jk->ik", x, np.arange(12.0).reshape(3, 4)),
    "a path": lambda x, y: einsum("ij,jk,->ik", x, y, 1, optimize=[(0, 1), (0, 1)]),
    "hints": lambda x, y: einsum("ij,jk->ik", x, y, hints={"i": 30}),
    "dtype": lambda x, y: einsum("ij,jk->ik", x, y, dtype="float64"),
    "a plan": lambda x, y: einsum_plan("ij,jk->ik", x, y)(x, y),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_call_without_a_word_of_autograph(tf, form: str):
    said = []
    handler = logging.Handler()
    handler.emit = said.append
    tf.get_logger().addHandler(handler)
    specs = [tf.TensorSpec([None, 3], tf.float64), tf.TensorSpec([3, 4], tf.float64)]
    x, y = np.ones((2, 3)), np.arange(12.0).reshape(3, 4)
    try:
        np.testing.assert_array_equal(tf.function(FORMS[form], input_signature=specs)(x, y), x @ y)
    finally:
        tf.get_logger().removeHandler(handler)
    assert said == []


# --- what is wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("equation", "shapes", "says"),
    [
        ("ij,jk->", [(None, 3), (4, None)], "label 'j' is 3 in operand 0 but 4 in operand 1"),
        ("ij->", [(None, 3, 4)], "operand 0 has 3 axes but its subscripts 'ij' name 2"),
        ("iji->", [(2, None, 3)], "label 'i' is repeated in operand 0 with sizes 2 and 3"),
        (
            "...i,...->",
            [(3, None, 2), (4, None)],
            r"axis -2 of '\.\.\.' is 3 in operand 0 but 4 in operand 1",
        ),
    ],
)
def test_errors_that_are_certain_are_raised_while_tracing(tf, equation: str, shapes, says: str):
    specs = [tf.TensorSpec(shape, tf.float64) for shape in shapes]
    function = tf.function(lambda *xs: einsum(equation, *xs), input_signature=specs)
    with pytest.raises(OperandError, match=says):
        function.get_concrete_function()


@pytest.mark.parametrize("known", [0, 1])
@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_a_size_that_is_not_the_known_one_is_an_error_of_tensorflow(tf, jit_compile: bool, known: int):
    sizes = [(2,), (2,)]
    sizes[known] = (4,)
    specs = [tf.TensorSpec([4] if n == known else [None], tf.float64) for n in range(2)]
    function = tf.function(lambda *xs: einsum("i,i->i", *xs), input_signature=specs, jit_compile=jit_compile)
    with pytest.raises((tf.errors.InvalidArgumentError, ValueError)):
        function(*arrays(sizes))


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk->ik", [(2, 3), (4, 5)]),
        ("i,i->i", [(2,), (3,)]),
        ("i,i->", [(0,), (3,)]),
        ("i,i->i", [(4,), (2,)]),  # XLA would repeat one
        ("i,i->i", [(2,), (4,)]),
        ("ii->i", [(2, 3)]),
        ("ii->", [(3, 2)]),
        ("ii->i", [(1, 3)]),
        ("ijk,jkl->il", [(2, 2, 6), (3, 4, 2)]),  # 2 · 6 = 3 · 4
        ("bij,bjk->bik", [(2, 3, 4), (3, 4, 5)]),
        ("...i,...i->...", [(2, 3), (4, 3)]),
    ],
)
@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_an_error_that_shows_only_at_run_time_is_one_of_tensorflow(tf, equation, shapes, jit_compile: bool):
    specs = [tf.TensorSpec([None] * len(shape), tf.float64) for shape in shapes]
    function = tf.function(lambda *xs: einsum(equation, *xs), input_signature=specs, jit_compile=jit_compile)
    with pytest.raises((tf.errors.InvalidArgumentError, ValueError)) as caught:
        function(*arrays(shapes))
    assert not isinstance(caught.value, OperandError)
    with pytest.raises(OperandError):
        einsum(equation, *map(tf.constant, arrays(shapes)))


@pytest.mark.parametrize(
    ("equation", "known", "given"),
    [
        # A size that is left over would take up what the known ones do not.
        ("aba->ab", (2, None, None), (2, 1, 4)),
        ("aba->ab", (None, None, 2), (4, 1, 2)),
        ("aab->b", (3, None, None), (3, 6, 2)),
        ("aa->", (None, 3), (1, 3)),
        ("aaa->a", (None, None, None), (2, 2, 1)),
        ("aabb->ab", (None, 2, None, 3), (1, 2, 3, 3)),
        # The number of elements does not show it here.
        ("bdd->bd", (None, None, None), (0, 0, 1)),
        ("bdd->bd", (None, None, None), (0, 2, 3)),
        ("dd->d", (0, None), (0, 1)),
    ],
)
@pytest.mark.parametrize("dtype", ["float64", "int8"])
@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_a_diagonal_of_what_turns_out_not_to_be_square_is_an_error(
    tf, equation, known, given, dtype: str, jit_compile: bool
):
    spec = [tf.TensorSpec(known, dtype)]
    function = tf.function(lambda x: einsum(equation, x), input_signature=spec, jit_compile=jit_compile)
    with pytest.raises(tf.errors.InvalidArgumentError):
        function(tf.ones(given, dtype))


@pytest.mark.parametrize(
    ("equation", "known", "shape"),
    [
        ("aba->ab", (2, None, None), (2, 3, 2)),
        ("aab->b", (None, 3, None), (3, 3, 2)),
        ("aaa->a", (None, None, None), (2, 2, 2)),
        ("aabb->ab", (None, 2, None, 3), (2, 2, 3, 3)),
        ("bdd->bd", (None, None, None), (0, 2, 2)),
        ("bdd->bd", (None, None, None), (2, 0, 0)),
        ("dd->d", (None, None), (1, 1)),
    ],
)
@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_a_diagonal_whose_size_is_known_at_run_time_or_half(tf, equation, known, shape, jit_compile: bool):
    spec = [tf.TensorSpec(known, tf.float64)]
    function = tf.function(lambda x: einsum(equation, x), input_signature=spec, jit_compile=jit_compile)
    operands = arrays([shape])
    assert_right(function(*operands), equation, operands)
    if equation == "aba->ab":
        assert function.get_concrete_function().output_shapes.as_list() == [2, None]


# --- around a graph -------------------------------------------------------------------------------


def test_a_variable_whose_batch_is_not_known(tf):
    variable = tf.Variable(np.ones((2, 3)), shape=tf.TensorShape([None, 3]))
    function = tf.function(lambda y: einsum("bi,ij->bj", variable, y))
    for batch in (2, 5):
        variable.assign(np.ones((batch, 3)))
        np.testing.assert_array_equal(function(tf.ones((3, 4), tf.float64)), np.full((batch, 4), 3))


def test_indexed_slices(tf):
    def function(values, indices, weight):
        slices = tf.IndexedSlices(values, indices, dense_shape=tf.constant([4, 3]))
        return einsum("ij,jk->ik", slices, weight)

    dense = np.zeros((4, 3))
    dense[[1, 3]] = 1
    arguments = tf.ones((2, 3), tf.float64), tf.constant([1, 3]), tf.ones((3, 2), tf.float64)
    for run in (function, tf.function(function)):
        np.testing.assert_array_equal(run(*arguments), dense @ np.ones((3, 2)))


@pytest.mark.parametrize("equation", ["i,i->", "i,ij->j", "i,ij,jk->k", "i,j->ij", "i->i"])
def test_vectorized_map(tf, equation: str):
    rows = arrays([(5, 3)])[0]
    others = arrays([(3,), (3, 2), (2, 4)])
    rest = {"i,i->": others[:1], "i,ij->j": others[1:2], "i,ij,jk->k": others[1:], "i,j->ij": others[:1]}
    rest = rest.get(equation, [])
    got = tf.vectorized_map(lambda row: einsum(equation, row, *map(tf.constant, rest)), tf.constant(rows))
    np.testing.assert_allclose(got, [reference(equation, [row, *rest]) for row in rows], rtol=1e-12)


def test_map_of_tf_data_with_a_last_batch_that_is_smaller(tf):
    rows, weight = arrays([(7, 3), (3, 4)])
    data = tf.data.Dataset.from_tensor_slices(rows).batch(3).map(lambda x: einsum("bi,ij->bj", x, weight))
    assert data.element_spec.shape.as_list() == [None, 4]
    np.testing.assert_allclose(np.concatenate(list(data)), rows @ weight, rtol=1e-12)


def test_a_saved_model_takes_any_batch(tf, tmp_path):
    class Model(tf.Module):
        def __init__(self):
            super().__init__()
            self.weight = tf.Variable(arrays([(3, 4)])[0])

        @tf.function(input_signature=[tf.TensorSpec([None, None, 3], tf.float64)])
        def __call__(self, x):
            scores = einsum("bid,bjd->bij", x, x)
            return einsum("bij,bjd,de->bie", scores, x, self.weight)

    model = Model()
    tf.saved_model.save(model, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    for batch, length in [(2, 5), (1, 1), (3, 2)]:
        (x,) = arrays([(batch, length, 3)])
        want = reference("bid,bjd,bje,ef->bif", [x, x, x, model.weight.numpy()])
        np.testing.assert_allclose(loaded(x), want, rtol=1e-10)


def test_a_plan_for_any_batch_runs_eagerly_and_in_a_graph(tf):
    plan = einsum_plan("bij,jk->bik", (None, 3, 4), tf.ones((4, 5), tf.float64))
    function = tf.function(plan, input_signature=[tf.TensorSpec([None, 3, 4], tf.float64),
                                                  tf.TensorSpec([4, 5], tf.float64)])  # fmt: skip
    for batch in (1, 6):
        operands = arrays([(batch, 3, 4), (4, 5)])
        for run in (plan, function):
            assert_right(run(*map(tf.constant, operands)), "bij,jk->bik", operands)


# --- Keras ----------------------------------------------------------------------------------------

KERAS = """
import sys
import keras
import numpy as np
from einsum_unified import EinsumError, einsum, einsum_path, einsum_plan

keras.utils.set_random_seed(0)


class Attention(keras.layers.Layer):
    def build(self, shape):
        self.weight = self.add_weight(shape=(3, shape[-1], 4))

    def call(self, x):
        q, k, v = (einsum("bsd,de->bse", x, self.weight[n]) for n in range(3))
        return einsum("bij,bje->bie", keras.ops.softmax(einsum("bie,bje->bij", q, k)), v)


inputs = keras.Input((None, 5))
hidden = Attention()(inputs)
pooled = einsum("bse,ek->bk", hidden, np.full((4, 2), 0.1, "float32"))
assert pooled.shape == (None, 2) and pooled.dtype == "float32"
outputs = einsum(pooled, ["batch", "class"], 2.0, [], ["batch", "class"], optimize="greedy")
assert einsum("bi,bj->ij", [pooled, pooled]).shape == (2, 2)

# Keras would try 83 in the place of each None.
open_ends = keras.Input((None, 4))
assert einsum("bij,bjk->bik", open_ends, open_ends).shape == (None, None, 4)
assert einsum("bij,cj->bci", open_ends, np.ones((1, 4), "float32")).shape == (None, 1, None)
assert einsum("bij,bij->i", open_ends, np.ones((1, 5, 4), "float32")).shape == (5,)

plan = einsum_plan("bij->bji", (None, None, 4))
assert plan(open_ends).shape == (None, 4, None)
assert einsum_plan("bij->bji", open_ends).bound.unknown == (0, 1)
assert einsum_plan("bij,->bij", open_ends, keras.KerasTensor(())).bound.shapes[1] == ()
assert einsum_path("bij,bjk->bik", open_ends, open_ends)[0] == ["einsum_path", (0, 1)]
variable = keras.Variable(np.ones((4, 2), "float32"))
assert tuple(einsum_plan("ij,jk->ik", (3, 4), (4, 2))(np.ones((3, 4), "float32"), variable).shape) == (3, 2)

for call in [
    lambda x: einsum("bij->bji", x, hints={"b": 9}),
    lambda x: einsum(x, ["batch", "i", "j"], ["batch", "j", "i"], hints={"batch": 9, "j": 2}),
    lambda x: einsum("...j->j...", x, hints={...: 9}),
    lambda x: einsum("bij->bji", x, dtype=np.float32),
    lambda x: einsum("bij,j->bji", x, [1.0, 2.0, 3.0, 4.0], dtype="float32"),
    lambda x: einsum("bij,bik,->bjk", x, x, 2, optimize=[(0, 2), (0, 1)]),
    lambda x: einsum("bij,bik,->bjk", x, x, 2, optimize=("greedy", 1000)),
    lambda x: einsum_plan("bij,bik,->bjk", (None, 3, 4), (None, 3, 4), ())(x, x, 2),
]:
    x = keras.Input((3, 4))
    small = keras.Model(x, call(x))
    small.save(sys.argv[1])
    again = keras.models.load_model(sys.argv[1])
    values = np.arange(24, dtype="float32").reshape(2, 3, 4)
    want = keras.ops.convert_to_numpy(call(keras.ops.convert_to_tensor(values)))
    assert tuple(n or 2 for n in small.output_shape) == want.shape
    for each in (small, again):
        np.testing.assert_allclose(each.predict(values, verbose=0), want, rtol=1e-5)

for wrong, error in [
    (lambda: einsum("bse,ek->bk", hidden, np.ones((3, 2))), "label 'e' is 4 in operand 0 but 3 in operand 1"),
    (lambda: einsum("bs->b", hidden), "operand 0 has 3 axes but its subscripts 'bs' name 2"),
    (lambda: einsum("bse->b", hidden, out=np.ones(3)), "out= cannot be filled"),
    (lambda: plan(open_ends, out=np.ones(3)), "out= cannot be filled"),
    (lambda: plan(keras.Input((3, 5))), "the operands do not have the shapes of the plan"),
    (lambda: einsum("bse->b", hidden, dtype="nonsense"), "dtype='nonsense' is not a dtype"),
    (lambda: einsum("bse->b", hidden, dtype="int32"), "dtype=int32 cannot hold the values of operand 0"),
    (lambda: einsum("bse->b", hidden, hints={"z": 2}), "hints: the equation has no label 'z'"),
    (lambda: einsum("bse->b", hidden, optimize="nonsense"), "optimize='nonsense' is not a strategy"),
]:
    try:
        wrong()
    except EinsumError as caught:
        assert str(caught).startswith(error), caught
    else:
        raise AssertionError("no error")

model = keras.Model(inputs, outputs)
model.compile(keras.optimizers.Adam(0.05), "mse")
rng = np.random.default_rng(0)
x, y = rng.standard_normal((24, 6, 5)).astype("float32"), np.ones((24, 2), "float32")
losses = model.fit(x, y, epochs=8, batch_size=7, verbose=0).history["loss"]
assert losses[-1] < losses[0] / 2, losses

model.save(sys.argv[1])
loaded = keras.models.load_model(sys.argv[1], custom_objects={"Attention": Attention})
for shape in [(1, 3, 5), (4, 2, 5)]:
    x = rng.standard_normal(shape).astype("float32")
    np.testing.assert_allclose(loaded.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5)
print("trained", keras.backend.backend())
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "torch", "jax"])
def test_a_keras_model_is_built_trained_and_loaded(tf, torch, backend: str, tmp_path):
    # Keras picks its backend once for a process.
    done = subprocess.run(
        [sys.executable, "-c", KERAS, str(tmp_path / "model.keras")],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert done.stdout.endswith(f"trained {backend}\n"), done.stderr[-3000:]


def test_a_keras_tensor_and_a_number_of_axes_that_do_not_fit(tf):
    import keras

    with pytest.raises(OperandError, match="operand 0 has 2 axes but its subscripts 'i' name 1"):
        einsum("i->", keras.Input((3,)))
    with pytest.raises(OperandTypeError, match="out= cannot be filled: keras KerasTensors are symbolic"):
        einsum("ij->", keras.Input((3,)), out=np.ones(()))
