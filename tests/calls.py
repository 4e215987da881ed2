"""Random einsum calls for hypothesis, and the reference they are compared with.

The reference knows no path, no matmul and no lowering: it writes the sum out over the whole space of
labels, ``result[output] = sum over the other labels of the product of operand[its labels]``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from frameworks import Framework
from hypothesis import strategies as st

LABELS = "ijkßλ"
MIXED = ("bool", "int8", "uint8", "int32", "int64", "float16", "bfloat16", "float32", "float64", "complex64",
         "complex128")  # fmt: skip


@dataclass
class Call:
    terms: list[list[Any]]  # of labels, `...` for the ellipsis
    output: list[Any] | None
    arrays: list[np.ndarray]  # small whole numbers, int64
    dtypes: list[str] = field(default_factory=list)
    spaces: str = ""
    interleaved: bool = False

    @property
    def equation(self) -> str:
        sides = [",".join(self._term(term) for term in self.terms)]
        if self.output is not None:
            sides.append(self._term(self.output))
        return f"{self.spaces}->{self.spaces}".join(sides)

    def _term(self, term: list[Any]) -> str:
        return self.spaces.join("..." if label is ... else label for label in term)

    def arguments(self, tensors: list[Any]) -> list[Any]:
        if not self.interleaved:
            return [self.equation, *tensors]
        pairs = [x for pair in zip(tensors, self.terms, strict=True) for x in pair]
        return pairs if self.output is None else [*pairs, self.output]


@st.composite
def calls(draw: st.DrawFn, most: int = 5) -> Call:
    """One to five operands; repeats, ellipses, sizes 0 and 1 against n, output written or not."""
    sizes = {label: draw(st.sampled_from([2, 3, 1, 2, 0])) for label in LABELS}
    extra = draw(st.lists(st.sampled_from([2, 1, 3]), max_size=2))
    terms, arrays = [], []
    for _ in range(draw(st.integers(1, most))):
        term: list[Any] = draw(st.lists(st.sampled_from(LABELS), max_size=3))
        ones = draw(st.sets(st.sampled_from(LABELS), max_size=1))
        shape = [1 if label in ones else sizes[label] for label in term]
        if draw(st.integers(0, 3)) == 0:
            position = draw(st.integers(0, len(term)))
            axes = extra[len(extra) - draw(st.integers(0, len(extra))) :]
            axes = [draw(st.sampled_from([size, size, 1])) for size in axes]
            term.insert(position, ...)
            shape[position:position] = axes
        terms.append(term)
        values = st.integers(-2, 2)
        flat = draw(st.lists(values, min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
        arrays.append(np.array(flat, dtype=np.int64).reshape(shape))
    known = sorted({label for term in terms for label in term if label is not ...})
    output = None
    if draw(st.booleans()):
        output = draw(st.lists(st.sampled_from(known), unique=True)) if known else []
        if draw(st.booleans()):
            output.insert(draw(st.integers(0, len(output))), ...)
    dtypes = [draw(st.sampled_from(MIXED))] * len(terms)
    if draw(st.booleans()):
        dtypes = [draw(st.sampled_from(MIXED)) for _ in terms]
    if "float16" in dtypes:
        # -1 is 255 in uint8, and 255 * 255 * 2 is more than float16 holds: inf would be right there.
        arrays = [abs(x) if name == "uint8" else x for x, name in zip(arrays, dtypes, strict=True)]
    spaces = draw(st.sampled_from(["", " ", "\t\n"]))
    return Call(terms, output, arrays, dtypes, spaces, draw(st.booleans()))


def reference(call: Call, arrays: list[np.ndarray]) -> np.ndarray:
    """Return the sum in the dtype of ``arrays``."""
    extra = max(
        [array.ndim - len(term) + 1 for term, array in zip(call.terms, arrays, strict=True) if ... in term]
        or [0]
    )
    dots = [f"...{n}" for n in range(extra)]

    def expanded(term: list[Any], rank: int | None = None) -> list[str]:
        count = extra if rank is None else rank - len(term) + 1
        return [x for label in term for x in (dots[extra - count :] if label is ... else [label])]

    terms = [expanded(term, array.ndim) for term, array in zip(call.terms, arrays, strict=True)]
    sizes: dict[str, int] = {}
    for term, array in zip(terms, arrays, strict=True):
        for label, size in zip(term, array.shape, strict=True):
            sizes[label] = size if sizes.get(label, 1) == 1 else sizes[label]
    if call.output is None:
        counts = Counter(label for term in call.terms for label in term)
        output = dots + sorted(label for label in counts if label is not ... and counts[label] == 1)
    else:
        output = expanded(call.output)
    space = [*output, *(label for label in sizes if label not in output)]
    grids = (
        dict(zip(space, np.ogrid[tuple(slice(sizes[label]) for label in space)], strict=True))
        if space
        else {}
    )
    total = np.ones([sizes[label] for label in space], dtype=np.result_type(*arrays))
    for term, array in zip(terms, arrays, strict=True):
        total = (
            total * array[tuple(grids[label] % size for label, size in zip(term, array.shape, strict=True))]
        )
    return np.asarray(total.sum(axis=tuple(range(len(output), len(space))), dtype=total.dtype))


def check(framework: Framework, call: Call, result: Any, dtype: str) -> None:
    """Compare a result in ``dtype`` with the reference, exactly for integers and bool."""
    got = framework.numpy(result)
    arrays = [as_held(array, name) for array, name in zip(call.arrays, call.dtypes, strict=True)]
    if dtype == "bool":
        want = reference(call, [(array != 0).astype(np.int64) for array in arrays]) > 0
    elif "int" in dtype:
        want = reference(call, [array.astype(np.int64) for array in arrays]).astype(dtype)
    else:
        want = reference(call, [array.astype(np.complex128) for array in arrays])
    assert got.shape == want.shape
    if "float" in dtype or "complex" in dtype:
        # The rounding of one product and one sum in the dtype, of terms all of one sign.
        scale = reference(call, [abs(array).astype(np.float64) for array in arrays])
        eps = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23, "complex64": 2.0**-23}.get(
            dtype, 2.0**-52
        )
        assert (abs(got - want) <= 4 * len(arrays) * eps * scale).all(), (got, want)
    else:
        assert (got == want).all(), (got, want)


def as_held(array: np.ndarray, dtype: str) -> np.ndarray:
    """Whole numbers from -2 to 2 as a dtype holds them: wrapped around in unsigned ones, 0 or 1 in bool."""
    if dtype == "bool":
        return (array != 0).astype(np.int64)
    return array.astype(dtype).astype(np.int64) if dtype.startswith("uint") else array
