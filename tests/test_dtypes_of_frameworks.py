"""Every dtype of every framework: what it promotes to, and what comes out of it.

Integers are compared with Python's own modulo 2**bits; promotion with each framework's own table and,
where that has no rule, with the lattice of JAX, which is written out here.
"""

from __future__ import annotations

from math import prod

import ml_dtypes
import numpy as np
import pytest
from conftest import available
from frameworks import FRAMEWORKS, Framework, NumPy, TensorFlow, Torch, numpy_dtype, rule

from einsum_unified import OperandError, OperandTypeError, einsum

# torch itself warns when it makes its first complex32.
pytestmark = pytest.mark.filterwarnings("ignore:ComplexHalf support is experimental:UserWarning")

HELD = [pytest.param(cls, dtype, id=f"{cls.name}-{dtype}") for cls in FRAMEWORKS for dtype in cls.dtypes]
INTEGERS = [param for param in HELD if "int" in param.values[1]]
TENSORS = pytest.mark.parametrize("cls", FRAMEWORKS[1:], ids=lambda cls: cls.name)


def binary(*shape: int) -> np.ndarray:
    """Zeros and ones: sums of a few products of them are exact in every dtype."""
    return (np.arange(prod(shape)) * 5 % 7 % 3 != 1).astype(float).reshape(shape)


# --- one dtype ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cls", "dtype"), HELD)
@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk->ik", [(2, 3), (3, 4)]),
        ("ij,kj->ki", [(2, 3), (4, 3)]),
        ("ij,j->i", [(2, 3), (3,)]),
        ("i,i->", [(3,), (3,)]),
        ("bij,bjk->bik", [(2, 2, 3), (2, 3, 2)]),
        ("ibj,jbk->bki", [(2, 2, 3), (3, 2, 2)]),
        ("ij->", [(2, 2)]),
        ("ij->j", [(3, 2)]),
        ("ij->i", [(2, 3)]),
        ("ii->i", [(3, 3)]),
        ("ii->", [(3, 3)]),
        ("iji->j", [(2, 3, 2)]),
        ("ij->ji", [(2, 3)]),
        ("ijk->kij", [(2, 3, 2)]),
        ("...->...", [(2, 3)]),
        ("i,j->ij", [(2,), (3,)]),
        ("i,j->ji", [(2,), (3,)]),
        ("ij,ij->ij", [(2, 3), (2, 3)]),
        ("ij,ij->ji", [(2, 1), (2, 3)]),
        ("ij,jk,kl->il", [(2, 2), (2, 2), (2, 2)]),
        ("i,ij,j->", [(2,), (2, 2), (2,)]),
        ("ij,jk->ik", [(2, 0), (0, 3)]),
        (",i->i", [(), (3,)]),
    ],
)
def test_every_dtype_goes_through_every_operation(cls, dtype, equation, shapes):
    framework = available(cls)
    arrays = [binary(*shape) for shape in shapes]
    result = einsum(equation, *[framework.tensor(array, dtype) for array in arrays])
    full = [np.broadcast_to(a, (2, 3)) if equation == "ij,ij->ji" else a for a in arrays]
    expected = np.einsum(equation, *full)
    assert framework.dtype(result) == dtype
    got = framework.numpy(result)
    assert got.shape == expected.shape
    np.testing.assert_array_equal(got, expected > 0 if dtype == "bool" else expected)


def python_ints(shape: tuple[int, ...], bits: int, signed: bool, seed: int) -> np.ndarray:
    """Integers over the whole range of a dtype, its ends included, as an array of Python's."""
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    rng = np.random.default_rng(seed)
    values = [low + int(rng.integers(0, 2**63)) * 2 % (high - low + 1) for _ in range(prod(shape))]
    values[:3] = [high, low, high - 1][: prod(shape)]
    return np.array(values, dtype=object).reshape(shape)


def wrapped(array: np.ndarray, bits: int, signed: bool) -> list:
    half = 2 ** (bits - 1) if signed else 0
    return np.asarray((array + half) % 2**bits - half, object).tolist()


@pytest.mark.parametrize(("cls", "dtype"), INTEGERS)
@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk->ik", [(2, 40), (40, 3)]),
        ("bij,bjk->bik", [(2, 2, 9), (2, 9, 2)]),
        ("ij,j->i", [(2, 40), (40,)]),
        ("ij->i", [(3, 50)]),
        ("ij->j", [(50, 3)]),
        ("ij->", [(9, 9)]),
        ("ii->", [(9, 9)]),
        ("i,j->ij", [(5,), (6,)]),
        ("ij,ij->ij", [(3, 4), (3, 4)]),
        ("ij,jk,kl->il", [(2, 5), (5, 6), (6, 3)]),
        ("ij->ji", [(3, 4)]),
        ("ii->i", [(4, 4)]),
    ],
)
def test_integers_wrap_around_as_python_s_modulo_two_to_the_bits(cls, dtype, equation, shapes):
    framework = available(cls)
    bits, signed = int(dtype.lstrip("uint")), not dtype.startswith("u")
    arrays = [python_ints(shape, bits, signed, seed) for seed, shape in enumerate(shapes)]
    kind = numpy_dtype(dtype if bits >= 8 else "int8")
    result = einsum(equation, *[framework.tensor(array.astype(kind), dtype) for array in arrays])
    assert framework.dtype(result) == dtype
    expected = np.einsum(equation, *arrays, optimize=False)
    assert framework.numpy(result).tolist() == wrapped(expected, bits, signed)


def test_the_greatest_unsigned_numbers_multiply_exactly(framework):
    a = framework.tensor(np.array([2**64 - 1, 2**64 - 2, 2**63], np.uint64))
    b = framework.tensor(np.array([1, 1, 1], np.uint64))
    assert framework.numpy(einsum("i,i->i", a, b)).tolist() == [2**64 - 1, 2**64 - 2, 2**63]
    assert framework.numpy(einsum("i,i->", a, b)).tolist() == (2**64 - 3 + 2**63) % 2**64
    assert framework.numpy(einsum("i,j->ij", a, a)).tolist()[0] == [1, 2, 2**63]


@pytest.mark.parametrize(("cls", "dtype"), [param for param in HELD if "complex" in param.values[1]
                                            or param.values[1] == "clongdouble"])  # fmt: skip
@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk->ik", [(2, 3), (3, 4)]),
        ("bij,bjk->bik", [(2, 2, 3), (2, 3, 2)]),
        ("i,j->ij", [(2,), (3,)]),
        ("ij->", [(2, 3)]),
        ("ii->i", [(3, 3)]),
        ("ij->ji", [(2, 3)]),
        ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]),
    ],
)
def test_complex_numbers_are_neither_cut_nor_conjugated(cls, dtype, equation, shapes):
    framework = available(cls)
    arrays = [binary(*shape) - 2j * binary(*shape[::-1]).T for shape in shapes]
    result = einsum(equation, *[framework.tensor(array, dtype) for array in arrays])
    assert framework.dtype(result) == dtype
    np.testing.assert_array_equal(framework.numpy(result), np.einsum(equation, *arrays))


EPSILON = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23, "float64": 2.0**-52}


@pytest.mark.parametrize("dtype", EPSILON)
@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk->ik", [(4, 1000), (1000, 5)]),
        ("bij,bjk->bik", [(3, 4, 500), (3, 500, 5)]),
        ("ij->i", [(3, 4000)]),
        ("ij->j", [(4000, 3)]),
        ("ijk->j", [(50, 3, 50)]),
        ("ij,ij->", [(60, 60), (60, 60)]),
        ("ij,kj->", [(9, 90), (90, 90)]),
    ],
)
def test_a_long_sum_is_right_to_one_rounding_of_its_dtype(framework, equation, shapes, dtype):
    rng = np.random.default_rng(11)
    operands = [framework.tensor(rng.uniform(0.1, 1, shape) / 16, dtype) for shape in shapes]
    exact = np.einsum(equation, *[framework.numpy(x) for x in operands], optimize=False)
    got = framework.numpy(einsum(equation, *operands))
    # One rounding to float16 or bfloat16; float32 and float64 round at each of the additions.
    steps = 1 if EPSILON[dtype] > 1e-4 else 64
    np.testing.assert_allclose(got, exact, rtol=steps * EPSILON[dtype])


# --- two dtypes -----------------------------------------------------------------------------------

# https://docs.jax.dev/en/latest/jep/9407-type-promotion.html; "-" is no answer
LATTICE = """
        b   u8  u16 u32 u64 i8  i16 i32 i64 bf  f16 f32 f64 c64 c128
b       b   u8  u16 u32 u64 i8  i16 i32 i64 bf  f16 f32 f64 c64 c128
u8          u8  u16 u32 u64 i16 i16 i32 i64 bf  f16 f32 f64 c64 c128
u16             u16 u32 u64 i32 i32 i32 i64 bf  f16 f32 f64 c64 c128
u32                 u32 u64 i64 i64 i64 i64 bf  f16 f32 f64 c64 c128
u64                     u64 -   -   -   -   bf  f16 f32 f64 c64 c128
i8                          i8  i16 i32 i64 bf  f16 f32 f64 c64 c128
i16                             i16 i32 i64 bf  f16 f32 f64 c64 c128
i32                                 i32 i64 bf  f16 f32 f64 c64 c128
i64                                     i64 bf  f16 f32 f64 c64 c128
bf                                          bf  f32 f32 f64 c64 c128
f16                                             f16 f32 f64 c64 c128
f32                                                 f32 f64 c64 c128
f64                                                     f64 c128 c128
c64                                                         c64 c128
c128                                                            c128
"""
LONG = {"b": "bool", "bf": "bfloat16", **{f"u{n}": f"uint{n}" for n in (8, 16, 32, 64)},
        **{f"i{n}": f"int{n}" for n in (8, 16, 32, 64)}, **{f"f{n}": f"float{n}" for n in (16, 32, 64)},
        **{f"c{n}": f"complex{n}" for n in (64, 128)}}  # fmt: skip


def lattice() -> dict[frozenset[str], str | None]:
    header, *rows = [line.split() for line in LATTICE.strip().splitlines()]
    table = {}
    for name, *answers in rows:
        for other, answer in zip(header[-len(answers) :], answers, strict=True):
            table[frozenset((LONG[name], LONG[other]))] = LONG.get(answer)
    return table


JAX = lattice()


def promoted(cls: type[Framework], one: str, other: str) -> str | None:
    """What two dtypes become: by the framework's own table, then the lattice; None if there is no answer."""
    if one == other:
        return one
    if cls is NumPy:
        own = rule(np.result_type, numpy_dtype(one), numpy_dtype(other))
        if own is not None:
            return NumPy().dtype(np.zeros((), own))
    if cls is Torch:
        torch = available(Torch).module
        own = rule(torch.promote_types, getattr(torch, one), getattr(torch, other))
        if own is not None:
            return str(own).removeprefix("torch.")
    if frozenset((one, other)) in JAX:
        return JAX[frozenset((one, other))]
    names = [name for name in (one, other) if name != "bool"]
    if len(names) == 1:
        return names[0]
    if any("float8" in name or "int4" in name for name in names):
        return None
    return next(name for name in names if "complex" in name)  # complex32 beside an unsigned integer


@pytest.mark.parametrize(("cls", "dtype"), HELD)
def test_every_pair_of_dtypes_promotes_as_the_framework_s_own_table(cls, dtype):
    framework = available(cls)
    a, b = np.array([1.0, 1, 0, 1]), np.array([1.0, 0, 1, 1])
    for other in cls.dtypes:
        x, y = framework.tensor(a, dtype), framework.tensor(b, other)
        expected = promoted(cls, dtype, other)
        if expected is None:
            with pytest.raises(OperandTypeError, match="do not promote to a common dtype"):
                einsum("i,i->i", x, y)
            continue
        for result in (einsum("i,i->i", x, y), einsum("i,i->i", y, x)):
            assert (other, framework.dtype(result)) == (other, expected)
            np.testing.assert_array_equal(framework.numpy(result), a * b)


def test_the_lattice_is_that_of_torch_where_torch_has_a_rule(torch):
    for names, expected in JAX.items():
        one, other = (*names, *names)[:2]
        own = rule(torch.promote_types, getattr(torch, one), getattr(torch, other))
        assert own is None or own is getattr(torch, expected)


def test_three_dtypes_promote_to_what_holds_all(framework):
    operands = [framework.tensor(np.ones(2), dtype) for dtype in ("int8", "uint8", "float16")]
    assert framework.dtype(einsum("i,i,i->", *operands)) == "float16"
    operands = [framework.tensor(np.full(1, 200), dtype) for dtype in ("uint8", "int16", "int32")]
    result = einsum("i,i,i->", *operands)
    assert framework.dtype(result) == "int32"
    assert framework.numpy(result) == 200**3


# --- Python numbers -------------------------------------------------------------------------------


def own_dtype(cls: type[Framework], dtype: str, number) -> str | None:
    """The dtype of the framework's own ``x * number``; TensorFlow's is torch's."""
    if cls is NumPy:
        product = rule(np.multiply, np.ones(1, numpy_dtype(dtype)), number)
        return None if product is None else NumPy().dtype(product)
    if dtype in ("int4", "uint4"):
        return {bool: dtype, int: dtype, float: "float32", complex: "complex64"}[type(number)]
    torch = available(Torch).module
    try:
        own = str(torch.result_type(torch.ones(1).to(getattr(torch, dtype)), number)).removeprefix("torch.")
    except RuntimeError:
        return None
    return "complex64" if own == "complex32" and cls is TensorFlow else own  # which has no complex32


@pytest.mark.parametrize(("cls", "dtype"), HELD)
@pytest.mark.parametrize("number", [2.5, 2, 2j, True], ids=repr)
def test_a_python_number_counts_as_in_the_framework_s_own_product(cls, dtype, number):
    framework = available(cls)
    x, expected = framework.tensor(np.array([1.0, 0.0]), dtype), own_dtype(cls, dtype, number)
    if expected is None:
        with pytest.raises(OperandTypeError):
            einsum("i,->i", x, number)
        return
    for result in (
        einsum("i,->i", x, number),
        einsum(",i->i", number, x),
        einsum("i,i->i", x, [number, number]),
        einsum("i,i->i", (number, number), x),
    ):
        assert framework.dtype(result) == expected
        np.testing.assert_array_equal(framework.numpy(result), [number, 0])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_torch_s_own_product_is_what_result_type_says(torch, dtype):
    x = torch.ones(1, dtype=getattr(torch, dtype))
    for number in (2.5, 2, 2j, True):
        assert einsum("i,->i", x, number).dtype is (x * number).dtype


def test_several_python_numbers_count_as_the_widest(framework):
    x = framework.tensor(np.ones(2), "int32")
    assert framework.dtype(einsum("i,,->i", x, 2, True)) == "int32"
    widest = framework.dtype(einsum("i,->i", x, 2.5))
    assert framework.dtype(einsum("i,,->i", x, 2, 2.5)) == widest
    assert framework.numpy(einsum("i,,->i", x, 2, 2.5)).tolist() == [5, 5]


@pytest.mark.parametrize(
    ("cls", "dtype"), [param for param in INTEGERS if param.values[1] not in ("int4", "uint4")]
)
def test_the_greatest_python_int_that_fits_is_taken_and_one_more_refused(cls, dtype):
    framework = available(cls)
    info = np.iinfo(dtype)
    one = framework.tensor(np.array([1]), dtype)
    for number in (int(info.max), int(info.min)):
        assert framework.numpy(einsum("i,->i", one, number)).tolist() == [number]
    for number in (int(info.max) + 1, int(info.min) - 1):
        with pytest.raises(
            OperandError, match=f"operand 1 has the Python int {number}, which {dtype} cannot"
        ):
            einsum("i,->i", one, number)


@TENSORS
def test_float8_and_a_python_complex_do_not_promote(cls):
    framework = available(cls)
    x = framework.tensor(np.ones(1), "float8_e5m2")
    with pytest.raises(OperandTypeError) as caught:
        einsum("i,->i", x, 1j)
    dtype = f"{cls.name}.float8_e5m2"
    headline = (
        f"{dtype} and a Python complex do not promote to a common dtype: cast an operand, or give dtype="
    )
    assert str(caught.value).splitlines()[0] == headline
    assert framework.numpy(einsum("i,->i", x, 1j, dtype="complex64")).tolist() == [1j]


# --- NumPy arrays beside tensors --------------------------------------------------------------------


@TENSORS
@pytest.mark.parametrize("dtype", sorted({*Torch.dtypes, *TensorFlow.dtypes} & {*NumPy.dtypes}))
def test_a_numpy_array_of_every_dtype_keeps_it(cls, dtype):
    framework = available(cls)
    if dtype not in cls.dtypes:
        with pytest.raises(OperandTypeError, match=f"numpy.{dtype}, which {cls.name} cannot compute with"):
            einsum("i,i->i", framework.tensor(np.ones(3, bool)), NumPy().tensor([0, 1, 0], dtype))
        return
    array = NumPy().tensor([0.0, 1.0, 1.0], dtype)
    for tensor in (framework.tensor(np.ones(3), dtype), framework.tensor(np.ones(3), "bool")):
        result = einsum("i,i->i", tensor, array)
        assert type(result) is type(tensor)
        assert framework.dtype(result) == dtype
        np.testing.assert_array_equal(framework.numpy(result), [0, 1, 1])


@TENSORS
@pytest.mark.parametrize(
    ("dtype", "array", "expected"),
    [
        ("int32", np.array([2**40]), "int64"),
        ("int8", np.array([300], np.int16), "int16"),
        ("uint8", np.array([-1], np.int8), "int16"),
        ("int32", np.array([2.7]), "float64"),
        ("int64", np.array([2.75], np.float32), "float32"),
        ("float32", np.array([1.5 + 2j], np.complex64), "complex64"),
        ("float32", np.array([0.1]), "float64"),
        ("float32", np.array([0.1 + 0.1j]), "complex128"),
        ("float16", np.array([1e30], np.float32), "float32"),
        ("bool", np.array([-3], np.int8), "int8"),
        ("int64", np.array([2**63], np.uint64), None),
    ],
)
def test_nothing_of_a_numpy_array_is_lost(cls, dtype, array, expected):
    framework = available(cls)
    one = framework.tensor(np.ones(1), dtype)
    if expected is None:
        with pytest.raises(OperandTypeError, match="do not promote"):
            einsum("i,i->i", one, array)
        return
    result = einsum("i,i->i", one, array)
    assert framework.dtype(result) == expected
    assert framework.numpy(result).tolist() == array.tolist()


@TENSORS
def test_a_numpy_scalar_counts_with_its_dtype_unlike_a_python_number(cls):
    framework = available(cls)
    x = framework.tensor(np.ones(2), "float32")
    assert framework.dtype(einsum("i,->i", x, np.float64(2.5))) == "float64"
    assert framework.dtype(einsum("i,->i", x, np.float16(2.5))) == "float32"
    assert framework.dtype(einsum("i,->i", x, 2.5)) == "float32"
    assert framework.dtype(einsum("i,i->i", x, [np.float64(1), np.float64(2)])) == "float64"


MATRIX = np.arange(12.0).reshape(3, 4) - 5
LAYOUTS = {
    "big-endian float32": MATRIX.astype(">f4"),
    "big-endian int16": MATRIX.astype(">i2"),
    "big-endian complex128": (MATRIX * (1 + 2j)).astype(">c16"),
    "big-endian uint64": (MATRIX**2).astype(">u8"),
    "little-endian float64": MATRIX.astype("<f8"),
    "negative strides": MATRIX[::-1, ::-1],
    "every second column": np.repeat(MATRIX, 2, axis=1)[:, ::2],
    "column-major": np.asfortranarray(MATRIX),
    "one row repeated": np.broadcast_to(MATRIX[0], (3, 4)),
    "read-only": np.frombuffer(MATRIX.tobytes()).reshape(3, 4),
    "not aligned": np.frombuffer(b"x" + MATRIX.tobytes(), offset=1).reshape(3, 4),
    "field of a record": np.rec.fromarrays([MATRIX, MATRIX])["f0"],
    "bfloat16, read-only": np.frombuffer(
        MATRIX.astype(ml_dtypes.bfloat16).tobytes(), ml_dtypes.bfloat16
    ).reshape(3, 4),
    "bfloat16, negative strides": MATRIX.astype(ml_dtypes.bfloat16)[::-1],
    "float8, turned": MATRIX.astype(ml_dtypes.float8_e4m3fn).T.copy().T,
    "bool, read-only": np.broadcast_to(np.array([True, False, True, True]), (3, 4)),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("equation", "second"),
    [("ij,ij->ij", (3, 4)), ("ij,jk->ik", (4, 2)), ("ij,k->ik", (1,)), ("ij,j->ij", (4,))],
)
def test_a_numpy_array_of_any_layout_is_read_right(framework, layout, equation, second):
    array = LAYOUTS[layout]
    before = array.tobytes()
    ones = np.ones(second)
    wide = array.astype(np.complex128 if "complex" in layout else np.float64)
    dtype = "float8_e4m3fn" if "float8" in layout else wide.dtype.name
    tensor = framework.tensor(ones, dtype)
    expected = np.einsum(equation, wide, ones)
    for result in (einsum(equation, array, tensor), einsum(*_turned(equation, tensor, array))):
        np.testing.assert_array_equal(framework.numpy(result), expected)
    assert array.tobytes() == before


def _turned(equation: str, *operands) -> list:
    terms, arrow, output = equation.partition("->")
    return [",".join(terms.split(",")[::-1]) + arrow + output, *operands]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("equation", ["ij->ji", "ij->", "ij->j", "ij,ij->", "ij,kj->ik"])
def test_numpy_itself_reads_any_layout(layout, equation):
    array = LAYOUTS[layout]
    wide = array.astype(np.complex128 if "complex" in layout else np.float64)
    if array.dtype == bool:
        wide = wide > 0
    operands = [array] * (1 + equation.count(","))
    if "uint64" in layout or "float8" in layout:
        operands = [array // array.dtype.type(16) if "uint64" in layout else array * 0 for _ in operands]
        wide = np.asarray(operands[0]).astype(float)
    expected = np.einsum(equation, *[wide] * len(operands))
    np.testing.assert_array_equal(NumPy().numpy(np.asarray(einsum(equation, *operands))), expected)


@TENSORS
@pytest.mark.parametrize("dtype", ["float32", "int8", "bool", "bfloat16", "complex64"])
def test_a_numpy_array_without_axes_or_without_elements_goes_with_tensors(cls, dtype):
    framework = available(cls)
    x = framework.tensor(np.ones(2), dtype)
    assert framework.numpy(einsum("i,->i", x, NumPy().tensor(1.0, dtype))).tolist() == [1, 1]
    empty = einsum("i,ij->ij", x, NumPy().tensor(np.ones((2, 0)), dtype))
    assert framework.numpy(empty).shape == (2, 0)
    assert framework.dtype(empty) == dtype


# --- dtype= ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cls", "dtype"), HELD)
@pytest.mark.parametrize("equation", ["ij,jk->ik", "ij->ji", "ij->i", "ii->i"])
def test_dtype_takes_bools_to_every_dtype(cls, dtype, equation):
    framework = available(cls)
    a = np.array([[True, False], [True, True]])
    result = einsum(equation, *[framework.tensor(a)] * (1 + equation.count(",")), dtype=dtype)
    assert framework.dtype(result) == dtype
    expected = np.einsum(equation, *[a.astype(float)] * (1 + equation.count(",")))
    np.testing.assert_array_equal(framework.numpy(result), expected > 0 if dtype == "bool" else expected)


@pytest.mark.parametrize(
    "dtype", ["float8_e4m3fn", "float8_e5m2", "float16", "bfloat16", "float32", "float64"]
)
@pytest.mark.parametrize("wanted", ["float8_e4m3fn", "float16", "float32", "complex64", "complex128"])
def test_dtype_is_the_way_out_where_dtypes_do_not_promote(framework, dtype, wanted):
    a, b = framework.tensor(binary(2, 3), dtype), framework.tensor(binary(3, 2), "float8_e5m2")
    result = einsum("ij,jk->ik", a, b, dtype=wanted)
    assert framework.dtype(result) == wanted
    np.testing.assert_array_equal(framework.numpy(result), binary(2, 3) @ binary(3, 2))


@pytest.mark.parametrize(("cls", "dtype"), [param for param in HELD if param.values[1] in NumPy.dtypes])
def test_dtype_may_be_numpy_s_object(cls, dtype):
    framework = available(cls)
    result = einsum("i,i->i", *[framework.tensor(np.ones(2), "bool")] * 2, dtype=numpy_dtype(dtype))
    assert framework.dtype(result) == dtype
