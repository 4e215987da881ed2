"""NumPy's dtypes and their promotion, for the adapters of all libraries that use NumPy's dtypes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from einsum_unified.dtypes import promote

NARROW = {
    **dict.fromkeys(
        ("float16", "bfloat16", "float8_e3m4", "float8_e4m3", "float8_e4m3b11fnuz", "float8_e4m3fn",
         "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu", "float6_e2m3fn",
         "float6_e3m2fn", "float4_e2m1fn"),
        "float32",
    ),
    **dict.fromkeys(("int4", "uint4", "int2", "uint2"), "int32"),
}  # fmt: skip
"""`Capabilities.arithmetic` for NumPy's kernels: they lack these dtypes, or accumulate in them."""


def dtype_from_name(name: str) -> Any:
    """Return the dtype with a name, also one of ml_dtypes if that is imported; None if there is none.

    >>> dtype_from_name("float32"), dtype_from_name("str32")
    (dtype('float32'), None)
    """
    try:
        return np.dtype(name)
    except TypeError:
        extra = getattr(sys.modules.get("ml_dtypes"), name, None)
        return None if extra is None else np.dtype(extra)


def result_type(names: Sequence[str], weak: Sequence[type]) -> str:
    """Promote as ``numpy.result_type`` and ``x * 2.5`` do; where NumPy has no rule, on the shared lattice.

    >>> result_type(("int32", "float32"), ()), result_type(("float32",), (float,))
    ('float64', 'float32')
    """
    try:
        dtype = np.result_type(*map(dtype_from_name, names))
    except TypeError:  # ml_dtypes' dtypes with wide integers, float16 with bfloat16
        dtype = dtype_from_name(promote(*names))
    for cls in weak:
        # Multiply to find the dtype: numpy.result_type gives another one for ml_dtypes' dtypes.
        dtype = (np.zeros(1, dtype) * cls()).dtype
    return str(dtype.name)
