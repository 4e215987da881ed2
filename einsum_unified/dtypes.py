"""Dtypes by name ("float32"), which is the same for all frameworks, and their promotion.

The core uses only these names; an adapter turns them into its own objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, reduce
from typing import Any, NamedTuple

import numpy as np

from einsum_unified.errors import OperandTypeError
from einsum_unified.wording import class_name, quoted

WEAK = (bool, int, float, complex)
"""Types of Python's numbers. Next to an array only their kind counts, as in the framework's ``x * 2``."""


class Symbol(NamedTuple):
    """A Python number whose value is unknown while a graph is traced, with the attributes of an operand."""

    value: Any
    dtype: Any
    shape: tuple[int, ...] = ()


INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
STANDARD = frozenset(("bool", *INTEGERS, "float32", "float64", "complex64", "complex128"))
"""The dtypes of the array API standard, which every framework has."""

KINDS = ("bool", "int", "float", "complex", "object")
"""Kinds in ascending order: each can hold values of those before it."""

_KINDS = {
    "bool": "bool",
    **dict.fromkeys(INTEGERS, "int"),
    **dict.fromkeys(("float16", "bfloat16", "float32", "float64"), "float"),
    **dict.fromkeys(("complex64", "complex128"), "complex"),
}
"""The kinds of the most frequent dtypes."""

_LONGEST_NAME = 40
"""Names of more characters are no dtype's: the longest is "float8_e4m3b11fnuz"."""
_NUMPY = {np.dtype(code).num: str(np.dtype(code).name) for code in "?bhilqBHILQefdgFDGO"}
"""NumPy's number of each of its own dtypes → name. NumPy puts a name together at each use."""
_SIGNED = {8: "int8", 16: "int16", 32: "int32", 64: "int64"}
_BYTES = {"bool": 1, "complex32": 4, "complex64": 8, "complex128": 16}
_PYTHON = {bool: "bool", int: "int64", float: "float64", complex: "complex128"}
_COMPLEX_OF = {
    "float16": "complex64",
    "bfloat16": "complex64",
    "float32": "complex64",
    "float64": "complex128",
}


def name_of(spec: Any) -> str:
    """Return the name of a dtype given as name, Python type, or any framework's dtype object.

    >>> import numpy as np
    >>> name_of(np.float32), name_of(np.dtype("int8")), name_of(float), name_of("bfloat16")
    ('float32', 'int8', 'float64', 'bfloat16')
    """
    if isinstance(spec, str):
        name = str.__str__(spec).rpartition(".")[2]
        if not name.isascii() or len(name) > _LONGEST_NAME:
            return name
        try:
            return str(np.dtype(name).name)  # "float" and "f8" are "float64" on every framework
        except Exception:  # NumPy parses the text, and raises also SyntaxError and ValueError
            return name
    try:
        return _name_of_object(spec)
    except Exception as error:  # a class may raise anything
        raise TypeError(f"{quoted(spec)} is not a dtype") from error


def _name_of_object(spec: Any) -> str:
    if isinstance(spec, np.dtype):
        return _NUMPY.get(spec.num) or str(spec.name)
    inner = getattr(spec, "dtype", None)  # that of a class such as jax.numpy.float32
    if isinstance(inner, np.dtype) and not hasattr(spec, "shape"):
        return str(inner.name)
    if isinstance(spec, type):
        return _PYTHON.get(spec) or _scalar_name(spec)
    named = getattr(spec, "name", None)  # NumPy, TensorFlow, JAX
    return named if isinstance(named, str) else str(spec).rpartition(".")[2]  # "torch.float32"


def _scalar_name(cls: type) -> str:
    if not issubclass(cls, np.generic):
        raise TypeError(f"{class_name(cls)} is not a dtype")  # numpy.dtype(dict) is object
    return str(np.dtype(cls).name)


def kind_of(name: str) -> str:
    """Return the kind of a dtype: "bool", "int" (unsigned too), "float", "complex" or "object"; else "".

    >>> kind_of("uint8"), kind_of("bfloat16"), kind_of("str32")
    ('int', 'float', '')
    """
    known = _KINDS.get(name)
    if known is not None:
        return known
    if not name.isascii() or len(name) > _LONGEST_NAME:
        return ""
    if name == "clongdouble":
        return "complex"
    stem = name.lstrip("bu").split("_")[0].rstrip("0123456789")
    if stem.startswith("float") or name == "longdouble":
        return "float"
    return stem if stem in ("int", "complex", "object") else ""


def stand_in(name: str, backend: Any) -> Any:
    """Return a backend's dtype object for a name, or for a common dtype of its kind if it lacks that."""
    found = backend.dtype_from_name(name)
    if found is not None:
        return found
    return backend.dtype_from_name({"complex": "complex64", "int": "int64"}.get(kind_of(name), "float32"))


def integer_range(name: str) -> tuple[int, int]:
    """Return the smallest and the greatest value of an integer dtype.

    >>> integer_range("uint8"), integer_range("int4")
    ((0, 255), (-8, 7))
    """
    bits = int(name.lstrip("uint"))
    return (0, 2**bits - 1) if name.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


@lru_cache(maxsize=64)
def itemsize(dtype: str) -> int:
    """Return the bytes of an element; 4-bit dtypes count as one byte, unknown dtypes as four.

    >>> itemsize("float64"), itemsize("int8"), itemsize("bool"), itemsize("object")
    (8, 1, 1, 4)
    """
    if dtype in _BYTES:
        return _BYTES[dtype]
    bits = dtype.split("_")[0].lstrip("abcdefghijklmnopqrstuvwxyz")
    return max(int(bits) // 8, 1) if bits.isdigit() else 4


def promote(*names: str) -> str:
    """Return the dtype that these promote to, on the lattice that torch and JAX share.

    A signed and an unsigned integer give the signed one that holds both; an integer and a float give the
    float; float16 and bfloat16 give float32. Raises `OperandTypeError` if the lattice has no answer (uint64
    with a signed integer, float8 with anything else).
    https://docs.jax.dev/en/latest/jep/9407-type-promotion.html

    >>> promote("uint8", "int8"), promote("int64", "float16"), promote("float16", "bfloat16")
    ('int16', 'float16', 'float32')
    """
    kinds = {kind_of(name) for name in names}
    if kinds & {"float", "complex"} and not any(map(is_narrow, names)):
        # Integers and bool do not count, in any order.
        names = tuple(name for name in names if kind_of(name) not in ("bool", "int"))
    return reduce(_promote_two, names)


def beside(name: str, weak: Sequence[type], library: str, default: str = "float32") -> str:
    """Return the dtype that a dtype and Python numbers of types ``weak`` promote to, as in torch and JAX.

    An integer or bool dtype with a Python float gives ``default``. The order of the numbers does not matter.
    Raises `OperandTypeError` for float8 with a Python complex.

    >>> beside("int8", (int,), "torch"), beside("bool", (int, float), "torch")
    ('int8', 'float32')
    """
    for cls in weak:
        kind = kind_of(name)
        if cls is int and kind == "bool":
            name = "int64"
        elif cls is float and kind in ("bool", "int"):
            name = default
        elif cls is complex and kind != "complex":
            if kind == "float" and is_narrow(name):
                raise no_promotion(f"{library}.{name}", "a Python complex")
            name = _COMPLEX_OF.get(name, _COMPLEX_OF[default])
    return name


def _promote_two(a: str, b: str) -> str:
    if a == b:
        return a
    low, high = sorted((a, b), key=lambda name: KINDS.index(kind_of(name)))
    kinds = kind_of(low), kind_of(high)
    if kinds[0] == "bool":
        return high
    if is_narrow(a) or is_narrow(b):
        raise no_promotion(a, b)
    if kinds in (("int", "float"), ("int", "complex")):
        return high
    if kinds == ("int", "int"):
        return _promote_integers(a, b)
    if kinds == ("float", "complex"):
        return _wider_complex(low, high)
    if {a, b} == {"float16", "bfloat16"}:
        return "float32"
    return max(a, b, key=bits_of)


def _wider_complex(real: str, complex_: str) -> str:
    if complex_ == "complex32" and real == "float16":
        return complex_
    if real not in _COMPLEX_OF:
        raise no_promotion(real, complex_)
    return max(_COMPLEX_OF[real], complex_, key=bits_of)


def _promote_integers(a: str, b: str) -> str:
    if a.startswith("u") == b.startswith("u"):
        return max(a, b, key=bits_of)
    unsigned, signed = sorted((a, b), reverse=True)
    bits = max(2 * bits_of(unsigned), bits_of(signed))
    if bits not in _SIGNED:
        raise no_promotion(a, b)
    return _SIGNED[bits]


def bits_of(name: str) -> int:
    """Return the size in bits, from the name of a dtype.

    >>> bits_of("float8_e4m3fn"), bits_of("complex128"), bits_of("bool")
    (8, 128, 8)
    """
    digits = "".join(c for c in name.split("_")[0] if c.isdigit())
    return int(digits) if digits else 8


def is_narrow(name: str) -> bool:
    """Whether a dtype has fewer than 8 bits or is a float of 8: such dtypes are promoted only on request."""
    return bits_of(name) < 8 or (kind_of(name) == "float" and bits_of(name) == 8)


def no_promotion(a: str, b: str) -> OperandTypeError:
    """Return the error for two dtypes, or a dtype and a Python number, that do not promote."""
    return OperandTypeError(f"{a} and {b} do not promote to a common dtype: cast an operand, or give dtype=")
