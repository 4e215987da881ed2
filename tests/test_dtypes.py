"""Dtypes by name, against the tables of NumPy, torch and ml_dtypes."""

from __future__ import annotations

import itertools

import ml_dtypes
import numpy as np
import pytest

from einsum_unified import OperandTypeError
from einsum_unified.dtypes import KINDS, beside, bits_of, integer_range, is_narrow, kind_of, name_of, promote

INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
FLOATS = ("float16", "bfloat16", "float32", "float64")
COMPLEX = ("complex64", "complex128")
NARROW = ("int4", "uint4", "float8_e4m3fn", "float8_e5m2", "float8_e4m3b11fnuz", "float4_e2m1fn")


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("float32", "float32"),
        ("torch.float32", "float32"),
        (np.float32, "float32"),
        (np.dtype("int8"), "int8"),
        (np.dtype(">i4"), "int32"),
        (bool, "bool"),
        (int, "int64"),
        (float, "float64"),
        (complex, "complex128"),
        (ml_dtypes.bfloat16, "bfloat16"),
        (np.dtype(ml_dtypes.float8_e5m2), "float8_e5m2"),
    ],
)
def test_a_dtype_is_named_from_any_spelling(spec, name: str):
    assert name_of(spec) == name


@pytest.mark.parametrize("name", [*INTEGERS, *FLOATS, *COMPLEX, "bool"])
def test_a_frameworks_own_dtype_has_numpys_name(torch, tf, name: str):
    assert name_of(getattr(torch, name)) == name
    assert name_of(getattr(tf, name)) == name


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (("bool",), "bool"),
        ((*INTEGERS, "int4", "uint4", "int2", "uint2"), "int"),
        ((*FLOATS, "float128", "longdouble", "float8_e4m3fn", "float4_e2m1fn"), "float"),
        ((*COMPLEX, "complex32", "complex256", "clongdouble"), "complex"),
        (("object",), "object"),
        (("str32", "bytes8", "datetime64[ns]", "timedelta64", "void", "qint8", "string", "resource", ""), ""),
    ],
)
def test_the_kind_of_a_dtype_is_known_from_its_name(names: tuple, kind: str):
    assert {kind_of(name) for name in names} == {kind}


@pytest.mark.parametrize("name", INTEGERS)
def test_the_range_of_an_integer_is_numpys(name: str):
    info = np.iinfo(name)
    assert integer_range(name) == (info.min, info.max)


@pytest.mark.parametrize("name", [n for n in ("int2", "int4", "uint2", "uint4") if hasattr(ml_dtypes, n)])
def test_the_range_of_a_small_integer_is_that_of_ml_dtypes(name: str):
    info = ml_dtypes.iinfo(name)
    assert integer_range(name) == (info.min, info.max)


@pytest.mark.parametrize("name", [*INTEGERS, *FLOATS, *COMPLEX, "bool"])
def test_bits_are_eight_times_the_size_of_an_element(name: str):
    dtype = np.dtype(getattr(ml_dtypes, name, name))
    assert bits_of(name) == 8 * dtype.itemsize


@pytest.mark.parametrize("name", NARROW)
def test_dtypes_below_eight_bits_and_floats_of_eight_are_narrow(name: str):
    assert is_narrow(name)


@pytest.mark.parametrize("name", ["bool", "int8", "uint8", "float16", "bfloat16", "complex64"])
def test_ordinary_dtypes_are_not_narrow(name: str):
    assert not is_narrow(name)


RULED_BY_TORCH = [
    *itertools.product(("bool", *INTEGERS[:5], *FLOATS, *COMPLEX), repeat=2),
    *itertools.product(INTEGERS[5:], FLOATS),
    *itertools.product(["complex32"], ("bool", *INTEGERS[:5], *FLOATS, *COMPLEX)),
]


@pytest.mark.parametrize(("a", "b"), RULED_BY_TORCH)
def test_two_dtypes_promote_as_in_torch_where_torch_has_a_rule(torch, a: str, b: str):
    want = str(torch.promote_types(getattr(torch, a), getattr(torch, b))).removeprefix("torch.")
    assert promote(a, b) == promote(b, a) == want


@pytest.mark.parametrize(("a", "b"), list(itertools.combinations(INTEGERS[:7], 2)))
def test_integers_promote_as_in_numpy_as_long_as_that_is_an_integer(a: str, b: str):
    assert promote(a, b) == promote(b, a) == np.promote_types(a, b).name


@pytest.mark.parametrize("unsigned", INTEGERS[5:])
def test_wide_unsigned_integers_give_way_to_complex_but_not_to_bool(unsigned: str):
    assert promote(unsigned, "bool") == promote("bool", unsigned) == unsigned
    assert promote(unsigned, "complex64") == promote("complex64", unsigned) == "complex64"


@pytest.mark.parametrize("signed", INTEGERS[:4])
def test_uint64_promotes_with_no_signed_integer(signed: str):
    message = rf"^(uint64 and {signed}|{signed} and uint64) do not promote to a common dtype: cast an operand"
    with pytest.raises(OperandTypeError, match=message):
        promote("uint64", signed)
    with pytest.raises(OperandTypeError, match=message):
        promote(signed, "uint64")


@pytest.mark.parametrize("other", ["int8", "float16", "float32", "complex64"])
@pytest.mark.parametrize("narrow", NARROW)
def test_a_narrow_dtype_promotes_with_nothing_but_bool_and_itself(narrow: str, other: str):
    with pytest.raises(OperandTypeError, match="do not promote"):
        promote(narrow, other)
    assert promote(narrow, narrow) == narrow
    assert promote(narrow, "bool") == promote("bool", narrow) == narrow


def test_the_order_of_python_numbers_does_not_matter():
    def promoted(name: str, weak: tuple[type, ...]) -> str:
        try:
            return beside(name, weak, "torch")
        except OperandTypeError as error:
            return str(error)

    for name in (*INTEGERS, *FLOATS, *COMPLEX, *NARROW, "bool"):
        for weak in itertools.combinations_with_replacement((bool, int, float, complex), 3):
            orders = {promoted(name, order) for order in itertools.permutations(weak)}
            assert len(orders) == 1, (name, weak)


def test_many_promote_one_after_the_other():
    assert promote("bool", "uint8", "int8", "float16", "bfloat16") == "float32"
    assert promote("int8") == "int8"


def test_kinds_ascend():
    ones = ["bool", "int64", "float64", "complex128"]
    assert [kind_of(name) for name in ones] == list(KINDS[:4])
    assert all(np.promote_types(a, b) == b for a, b in itertools.pairwise(ones))
