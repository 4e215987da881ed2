"""Classes known by ``__array_function__`` alone: quantities of pint, and one made here."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import available, installed_module
from libraries import Pint, agree_on_random_calls

from einsum_unified import OperandError, OperandTypeError, einsum
from einsum_unified.adapter.dispatch import backend_of

RNG = np.random.default_rng(0)
A, B = RNG.integers(-3, 4, (2, 3)).astype(float), RNG.integers(-3, 4, (3, 4)).astype(float)


@pytest.fixture(scope="module")
def ureg():
    return installed_module("pint").UnitRegistry()


def test_random_calls_agree_with_the_sum_over_all_labels():
    agree_on_random_calls(available(Pint), 60)


def test_units_multiply(ureg):
    result = einsum("ij,jk->ik", A * ureg.newton, B * ureg.metre)
    assert isinstance(result, ureg.Quantity)
    assert result.units == ureg.newton * ureg.metre
    np.testing.assert_array_equal(result.magnitude, A @ B)
    np.testing.assert_array_equal(result.to("kilojoule").magnitude, A @ B / 1000)


def test_units_of_three_operands_multiply(ureg):
    result = einsum("ij,jk,k->i", A * ureg.kg, B * ureg.metre, np.ones(4) / ureg.second**2)
    np.testing.assert_array_equal(result.to("newton").magnitude, A @ B @ np.ones(4))


@pytest.mark.parametrize("equation", ["ij->ij", "ij->ji", "ij->i", "ij->", "ij->j"])
def test_an_einsum_without_products_keeps_the_unit(ureg, equation):
    result = einsum(equation, A * ureg.metre)
    assert result.units == ureg.metre
    np.testing.assert_array_equal(result.magnitude, np.einsum(equation, A))


@pytest.mark.parametrize("equation", ["ii->i", "ii", "iij->j"])
def test_a_diagonal_keeps_the_unit(ureg, equation):
    x = RNG.integers(-3, 4, (3,) * len(equation.split("->")[0])).astype(float)
    result = einsum(equation, x * ureg.metre)
    assert result.units == ureg.metre
    np.testing.assert_array_equal(result.magnitude, np.einsum(equation, x))


def test_an_operand_without_a_unit_is_a_factor(ureg):
    for operands in ([A * ureg.metre, B], [A, B * ureg.metre]):
        result = einsum("ij,jk,->ik", *operands, 2)
        assert result.units == ureg.metre
        np.testing.assert_array_equal(result.magnitude, 2 * A @ B)
    result = einsum("ij,j->i", A * ureg.metre, [1, 2, 3])
    assert result.units == ureg.metre
    np.testing.assert_array_equal(result.magnitude, A @ [1, 2, 3])


def test_a_quantity_that_is_one_number_has_no_axes(ureg):
    result = einsum(",i->i", 3.0 * ureg.metre, np.arange(3.0) * ureg.second)
    assert result.units == ureg.metre * ureg.second
    np.testing.assert_array_equal(result.magnitude, [0, 3, 6])
    assert einsum(",->", 3 * ureg.metre, 2 * ureg.metre) == 6 * ureg.metre**2
    with pytest.raises(OperandError, match="operand 0 has 0 axes but its subscripts 'i' name 1"):
        einsum("i->", 3.0 * ureg.metre)


def test_units_that_are_compatible_are_not_converted(ureg):
    result = einsum("i,i->", np.ones(3) * ureg.metre, np.ones(3) * ureg.km)
    assert result.to("metre**2").magnitude == pytest.approx(3000)


def test_a_unit_with_an_offset_raises_pints_own_error(ureg):
    error = installed_module("pint").OffsetUnitCalculusError
    with pytest.raises(error):
        einsum("i,i->", ureg.Quantity(np.ones(3), "degC"), np.ones(3) * ureg.metre)
    for b in (B * ureg.metre, B):  # numpy.einsum, numpy.matmul and numpy.multiply let these through
        for equation in ("ij,jk->ik", "ij,kl->ijkl"):
            with pytest.raises(error):
                einsum(equation, ureg.Quantity(A, "degC"), b)
        with pytest.raises(error):
            einsum("jk,ij->ik", b, ureg.Quantity(A, "degC"))
    assert einsum("i->", ureg.Quantity(np.ones(3), "delta_degC")).units == ureg.delta_degC


def test_quantities_of_two_registries_raise_pints_own_error(ureg):
    other = installed_module("pint").UnitRegistry()
    with pytest.raises(ValueError, match="different registries"):
        einsum("i,i->", np.ones(3) * ureg.metre, np.ones(3) * other.metre)


@pytest.mark.parametrize("dtype", ["int8", "int64", "bool", "float16", "float32", "complex64"])
def test_the_dtype_stays_and_integers_wrap(ureg, dtype):
    x = np.ones((300, 300), dtype)
    for equation, operands in [("ij,jk->ik", (x, x)), ("ij->i", (x,)), ("ij,ij->i", (x, x))]:
        result = einsum(equation, *[ureg.Quantity(y, "metre") for y in operands])
        assert result.dtype == np.dtype(dtype)
        total = np.array(300).astype(dtype)  # 44 in int8, True in bool
        assert (result.magnitude == total).all()


def test_dtype_is_asked_for_as_anywhere(ureg):
    assert einsum("i,i->", np.ones(3, "int8") * ureg.metre, np.ones(3), dtype="float32").dtype == np.float32


def test_out_is_refused(ureg):
    x = np.ones(3) * ureg.metre
    with pytest.raises(OperandTypeError, match="pint tensors are immutable"):
        einsum("i->i", x, out=x)


# --- a class of our own ---------------------------------------------------------------------------


class Logged(np.lib.mixins.NDArrayOperatorsMixin):
    """An array that records the functions that are called on it."""

    def __init__(self, array, calls: list[str]) -> None:
        self.array = np.asarray(array)
        self.calls = calls

    shape = property(lambda self: self.array.shape)
    dtype = property(lambda self: self.array.dtype)

    def __getitem__(self, key):
        return Logged(self.array[key], self.calls)

    def astype(self, dtype):
        return Logged(self.array.astype(dtype), self.calls)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        self.calls.append(ufunc.__name__)
        return Logged(getattr(ufunc, method)(*map(_plain, inputs), **kwargs), self.calls)

    def __array_function__(self, function, types, args, kwargs):
        self.calls.append(function.__name__)
        return Logged(function(*map(_plain, args), **kwargs), self.calls)


def _plain(x):
    return x.array if isinstance(x, Logged) else x


@pytest.mark.parametrize(
    ("equation", "operands"),
    [
        ("ij,jk->ki", [A, B]),
        ("ij,jk->", [A, B]),
        ("ii->i", [B[:, :3]]),
        ("i,j->ij", [A[0], B[:, 0]]),
        ("ij->j", [A]),
    ],
)
def test_a_class_of_ones_own_is_handed_to_numpys_functions(equation, operands):
    calls: list[str] = []
    result = einsum(equation, *[Logged(x, calls) for x in operands])
    assert isinstance(result, Logged)
    assert set(calls) <= {"transpose", "reshape", "matmul", "multiply", "sum"}
    assert calls
    np.testing.assert_array_equal(result.array, np.einsum(equation, *operands))


def test_it_goes_by_the_name_of_its_package(ureg):
    adapter = backend_of(Logged)
    assert adapter.name == Logged.__module__.partition(".")[0]
    assert backend_of(type("Sub", (Logged,), {})) is adapter
    with pytest.raises(
        OperandTypeError, match=r"Logged but operand 1 a pint \w*Quantity: convert one of them"
    ):
        einsum("i,i->", Logged(np.ones(3), []), np.ones(3) * ureg.metre)


class Metres(np.ndarray):
    """An array derived from NumPy's that has a unit: like astropy's and unyt's."""

    def __array_finalize__(self, parent):
        self.power = getattr(parent, "power", 1)

    def __array_function__(self, function, types, args, kwargs):
        return super().__array_function__(function, types, args, kwargs)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        plain = [np.asarray(x) for x in inputs]
        result = np.asarray(getattr(ufunc, method)(*plain, **kwargs)).view(Metres)
        powers = [x.power for x in inputs if isinstance(x, Metres)]
        result.power = sum(powers) if ufunc in (np.multiply, np.matmul) else powers[0]
        return result


def test_an_array_derived_from_numpys_that_overrides_its_functions_keeps_what_it_knows():
    x, y = np.ones((2, 3)).view(Metres), np.ones((3, 4)).view(Metres)
    result = einsum("ij,jk->ik", x, y)
    assert type(result) is Metres
    assert result.power == 2
    np.testing.assert_array_equal(np.asarray(result), np.full((2, 4), 3.0))
    assert einsum("ij->ji", x).power == 1
    assert einsum("ij,j->i", x, np.ones(3)).power == 1


@pytest.mark.parametrize("cls", [np.matrix, np.memmap, np.ma.MaskedArray, np.recarray])
def test_numpys_own_derived_arrays_are_numpys(cls):
    assert backend_of(cls).name == "numpy"
