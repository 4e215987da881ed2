"""Arrays known by ``__array_namespace__`` alone: array_api_strict, ndonnx, and classes made here."""

from __future__ import annotations

import types
import warnings

import numpy as np
import pytest
from conftest import available, installed_module
from libraries import Ndonnx, Strict, agree_on_random_calls

from einsum_unified import BackendError, OperandTypeError, einsum, einsum_plan
from einsum_unified.adapter import registry as adapters
from einsum_unified.adapter.dispatch import backend_of

RNG = np.random.default_rng(0)
A, B = RNG.integers(-3, 4, (2, 3)).astype(float), RNG.integers(-3, 4, (3, 4)).astype(float)


@pytest.fixture
def strict():
    return installed_module("array_api_strict")


@pytest.fixture(params=["oldest", "newest"])
def version(strict, request):
    """Offer only the functions of one version of the standard, without its optional parts."""
    known = installed_module("array_api_strict._flags").supported_versions
    before = strict.get_array_api_strict_flags()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the newest is a draft
        strict.set_array_api_strict_flags(
            api_version=known[0 if request.param == "oldest" else -1],
            boolean_indexing=False,
            data_dependent_shapes=False,
            enabled_extensions=(),
        )
        yield strict
        strict.set_array_api_strict_flags(**before)


@pytest.fixture
def ndonnx():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that onnxruntime would be faster
        return installed_module("ndonnx")


@pytest.fixture
def registry(monkeypatch):
    """A registry that has found nothing yet, and is as it was afterwards."""
    monkeypatch.setattr(adapters, "table", adapters.Table(adapters.BUILTIN))


# --- array_api_strict -------------------------------------------------------------------------------


@pytest.mark.usefixtures("version")
def test_random_calls_agree_with_the_sum_over_all_labels():
    agree_on_random_calls(available(Strict), 60)


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk->ik", [(2, 3), (3, 4)]),
        ("bij,bjk->bki", [(2, 2, 3), (2, 3, 2)]),
        ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]),
        ("ii->i", [(3, 3)]),
        ("ii", [(3, 3)]),
        ("iji->ji", [(3, 2, 3)]),
        ("i,j->ji", [(3,), (2,)]),
        ("...ij,...jk->...ik", [(3, 2, 3), (2, 1, 3, 2)]),
        ("ij->", [(2, 3)]),
        ("ij,jk->ik", [(2, 0), (0, 3)]),
        (",->", [(), ()]),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "int8", "bool", "complex64"])
def test_every_kind_of_equation_runs_on_the_functions_of_the_standard(version, equation, shapes, dtype):
    arrays = [RNG.integers(0, 4, shape).astype(dtype) for shape in shapes]
    result = einsum(equation, *map(version.asarray, arrays))
    assert type(result) is type(version.asarray(1))
    assert result.dtype == getattr(version, dtype)
    np.testing.assert_array_equal(np.asarray(result), np.einsum(equation, *arrays))


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("int8", "uint8", "int16"),
        ("float32", "float64", "float64"),
        ("int64", "float32", "float32"),  # the standard leaves this open
        ("bool", "int8", "int8"),
        ("float64", "complex64", "complex128"),
    ],
)
def test_dtypes_promote_as_the_standard_says_and_beyond_on_the_lattice(version, one, other, both):
    result = einsum("i,i->i", version.ones(2, dtype=getattr(version, one)),
                    version.ones(2, dtype=getattr(version, other)))  # fmt: skip
    assert result.dtype == getattr(version, both)


def test_numpy_arrays_numbers_and_lists_go_with_it(version):
    x = version.asarray(A)
    for operands in ([x, B, 2], [A, version.asarray(B), 2.0], [x, B.tolist(), 2]):
        result = einsum("ij,jk,->ik", *operands)
        assert type(result) is type(x)
        np.testing.assert_array_equal(np.asarray(result), 2 * A @ B)
    assert einsum("i,->i", version.ones(2, dtype=version.float32), 2.5).dtype == version.float32
    assert einsum("i,i->i", version.ones(2, dtype=version.int8), np.ones(2, "int16")).dtype == version.int16


def test_a_numpy_array_of_a_dtype_beyond_the_standard_is_refused(version):
    with pytest.raises(OperandTypeError, match="float16, which array_api_strict cannot compute with"):
        einsum("i,i->", version.ones(2), np.ones(2, "float16"))


def test_dtype_and_out_are_as_anywhere(version):
    x = version.ones(3, dtype=version.int8)
    assert einsum("i->", x, dtype="float64").dtype == version.float64
    assert einsum("i->", x, dtype=version.float64).dtype == version.float64
    with pytest.raises(OperandTypeError, match="array_api_strict tensors are immutable"):
        einsum("i->i", x, out=x)


def test_devices_meet_only_by_name(strict):
    one, two = strict.Device("device1"), strict.Device("device2")
    x = strict.ones((2, 3), device=one)
    result = einsum("ij,jk->ik", x, np.ones((3, 2)))
    assert result.device == one
    assert einsum("ij,->i", x, 2.0).device == one
    with pytest.raises(OperandTypeError, match=r"tensors are on different devices: .*device1.*device2"):
        einsum("ij,j->i", x, strict.ones(3, device=two))


def test_a_plan_is_made_of_arrays_or_shapes(strict):
    plan = einsum_plan("ij,jk->ik", strict.asarray(A), (3, 4))
    np.testing.assert_array_equal(np.asarray(plan(strict.asarray(A), strict.asarray(B))), A @ B)
    assert plan.backend.name == "array_api_strict"


# --- ndonnx -----------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("ndonnx")
def test_random_calls_agree_on_ndonnx_too():
    agree_on_random_calls(available(Ndonnx), 15)


@pytest.mark.filterwarnings("ignore")
def test_a_graph_of_ndonnx_is_made_of_arrays_without_values(ndonnx):
    a = ndonnx.argument(shape=(2, 3), dtype=ndonnx.float32)
    result = einsum("ij,jk->ik", a, np.asarray(B, "float32"))
    assert result.shape == (2, 4)
    model = ndonnx.build({"a": a}, {"result": result})
    session = installed_module("onnx.reference").ReferenceEvaluator(model)
    (found,) = session.run(None, {model.graph.input[0].name: A.astype("float32")})
    np.testing.assert_array_equal(found, A @ B)


@pytest.mark.filterwarnings("ignore")
def test_two_namespaces_are_told_apart_by_both_names(strict, ndonnx):
    with pytest.raises(
        OperandTypeError,
        match=r"operand 0 is an? array_api_strict Array but operand 2 an? ndonnx Array: convert",
    ):
        einsum("i,i,i->", strict.ones(2), np.ones(2), ndonnx.asarray(np.ones(2)))


# --- classes of our own -----------------------------------------------------------------------------


class Wrapped:
    """An array of nobody's library, that has the standard's members alone."""

    def __init__(self, array) -> None:
        self._array = np.asarray(array)

    shape = property(lambda self: self._array.shape)
    dtype = property(lambda self: self._array.dtype)
    device = property(lambda self: "here")

    def __getitem__(self, key):
        return Wrapped(self._array[key])

    def __array_namespace__(self, api_version=None):
        return NAMESPACE


def _wrapped(function):
    def call(*args, **kwargs):
        kwargs.pop("device", None)
        return Wrapped(function(*[x._array if isinstance(x, Wrapped) else x for x in args], **kwargs))

    return call


_FUNCTIONS = ("asarray", "broadcast_to", "matmul", "multiply", "reshape", "sum")
_DTYPES = ("int8", "int64", "float32", "float64", "complex64")
NAMESPACE = types.SimpleNamespace(  # which cannot be hashed
    **{name: _wrapped(getattr(np, name)) for name in _FUNCTIONS},
    astype=_wrapped(np.ndarray.astype),  # NumPy has these two functions since 2.0
    permute_dims=_wrapped(np.transpose),
    **{name: np.dtype(name) for name in _DTYPES},
    result_type=np.result_type,
    __name__="homemade.arrays",
)


@pytest.mark.usefixtures("registry")
def test_a_class_of_ones_own_works_by_its_namespace():
    for equation, arrays in [
        ("ij,jk->ki", [A, B]),
        ("ii->i", [B[:, :3]]),
        ("ij->j", [A]),
        ("i,j->ij", [A[0], A[1]]),
    ]:
        result = einsum(equation, *map(Wrapped, arrays))
        assert isinstance(result, Wrapped)
        np.testing.assert_array_equal(result._array, np.einsum(equation, *arrays))
    np.testing.assert_array_equal(einsum("ij,jk->ik", Wrapped(A), B)._array, A @ B)
    assert backend_of(Wrapped).name == "homemade"
    with pytest.raises(
        OperandTypeError, match=r"dtype homemade\.float16, which homemade cannot compute with"
    ):
        einsum("i->", Wrapped(np.ones(2, "float16")))


@pytest.mark.usefixtures("registry")
def test_classes_of_one_namespace_go_together_and_are_asked_once(monkeypatch):
    asked = []

    class Other(Wrapped):
        def __array_namespace__(self, api_version=None):
            asked.append(self)
            return NAMESPACE

    assert backend_of(Other) is None  # the namespace is known only from an array
    result = einsum("ij,jk->ik", Wrapped(A), Other(B))
    np.testing.assert_array_equal(result._array, A @ B)
    assert backend_of(Other) is backend_of(Wrapped)
    for _ in range(3):
        einsum("ij->ji", Other(B))
    assert len(asked) == 1


@pytest.mark.usefixtures("registry")
def test_a_namespace_that_fails_or_lacks_a_function_is_a_backend_error():
    class Failing(Wrapped):
        def __array_namespace__(self, api_version=None):
            raise RuntimeError("not today")

    class Lacking(Wrapped):
        def __array_namespace__(self, api_version=None):
            return types.SimpleNamespace(sum=np.sum, reshape=np.reshape)

    with pytest.raises(BackendError, match=r"Failing' failed: RuntimeError\('not today'\)") as caught:
        einsum("ij->j", Failing(A))
    assert isinstance(caught.value.__cause__, RuntimeError)
    with pytest.raises(
        BackendError, match=r"Lacking' returned .* which lacks: asarray, astype, broadcast_to, matmul"
    ):
        einsum("ij->j", Lacking(A))
    np.testing.assert_array_equal(einsum("ij->j", Wrapped(A))._array, A.sum(0))  # others go on


# --- classes that have a namespace and belong to a framework, too -----------------------------------------


class ByTorch(Wrapped):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return function.__name__


class ByJAX(Wrapped):
    def __jax_array__(self):
        return installed_module("jax").numpy.asarray(self._array)


class ByNumPy(Wrapped):
    def __array_function__(self, function, types, args, kwargs):
        return function.__name__


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(("cls", "name"), [(ByTorch, "torch"), (ByJAX, "jax"), (ByNumPy, "numpy")])
def test_a_namespace_comes_before_the_other_special_methods_of_a_class(cls: type, name: str):
    installed_module(name)
    for operands in ([cls(A), cls(B)], [cls(A), B]):
        result = einsum("ij,jk->ik", *operands)
        assert type(result) is Wrapped
        np.testing.assert_array_equal(result._array, A @ B)
    assert einsum_plan("ij->j", cls(A)).backend.name == "homemade"


def _holding_a_tensor(tf) -> type:
    kind = tf.experimental.ExtensionType  # which does not read annotations that are text, as they are here
    return type(kind)("Holding", (kind,), {"__annotations__": {"tensor": tf.Tensor}})


@pytest.mark.usefixtures("registry")
def test_an_array_of_tensorflow_with_a_namespace_of_its_own_stays_one(tf):
    """As the class ndtensorflow.ndarray in deepmodeling/deepmd-kit, which is a `CompositeTensor`."""

    class Composite(_holding_a_tensor(tf)):
        shape = property(lambda self: tuple(self.tensor.shape))
        dtype = property(lambda self: self.tensor.dtype)
        device = property(lambda self: "here")

        def __array_namespace__(self, api_version=None):
            return namespace

    def wrapped(function):
        def call(*args, **kwargs):
            plain = [x.tensor if isinstance(x, Composite) else x for x in args]
            return Composite(tf.convert_to_tensor(function(*plain, **kwargs)))

        return call

    namespace = types.SimpleNamespace(
        asarray=wrapped(lambda x, device: x),
        astype=wrapped(tf.cast),
        broadcast_to=wrapped(tf.broadcast_to),
        matmul=wrapped(tf.matmul),
        multiply=wrapped(tf.multiply),
        permute_dims=wrapped(tf.transpose),
        reshape=wrapped(tf.reshape),
        sum=wrapped(lambda x, axis, dtype: tf.reduce_sum(x, axis)),
        result_type=lambda *dtypes: dtypes[0],
        int64=tf.int64,
        float64=tf.float64,
        __name__="composite",
    )
    x, y = Composite(tf.constant(A)), Composite(tf.constant(B))
    for operands in ([x, y], [x, B], [x, y]):
        result = einsum("ij,jk->ik", *operands)
        assert type(result) is Composite
        np.testing.assert_array_equal(result.tensor.numpy(), A @ B)
    assert type(tf.function(lambda x: einsum("ij->ji", x))(x)) is Composite
    assert einsum_plan("ij,jk->ik", x, y).backend.name == "composite"
    with pytest.raises(OperandTypeError, match=r"operand 0 is a composite .* but operand 1 a tensorflow"):
        einsum("ij,jk->ik", x, tf.constant(B))


def test_other_classes_of_tensorflow_and_subclasses_of_tensors_stay_with_their_framework(tf, torch):
    Plain = _holding_a_tensor(tf)

    class Mine(torch.Tensor):
        def __array_namespace__(self, api_version=None):
            return NAMESPACE

    with pytest.raises(OperandTypeError, match="is a tensorflow Holding, which is not a tensor"):
        einsum("ij->j", Plain(tf.constant(A)))
    slices = tf.IndexedSlices(tf.ones((1, 3)), tf.constant([0]), tf.constant([2, 3]))
    assert einsum("ij->j", slices).numpy().tolist() == [1, 1, 1]
    assert type(einsum("ij->j", torch.from_numpy(A).as_subclass(Mine))) is Mine
