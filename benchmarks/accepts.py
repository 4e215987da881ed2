"""Run the same calls with each library's einsum, and print a Markdown table of what each accepts.

Run it with ``python -m benchmarks.accepts``. Each cell is the dtype of the result, or the type of the error.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import opt_einsum
import tensorflow as tf
import torch

from einsum_unified import einsum

LIBRARIES: dict[str, tuple[Callable[..., Any], Callable[[Any], Any]]] = {
    "numpy": (np.einsum, np.asarray),
    "torch": (torch.einsum, torch.tensor),
    "tf": (tf.einsum, tf.constant),
    "opt_einsum on torch": (opt_einsum.contract, torch.tensor),
    "opt_einsum on tf": (opt_einsum.contract, tf.constant),
    "ours on numpy": (einsum, np.asarray),
    "ours on torch": (einsum, torch.tensor),
    "ours on tf": (einsum, tf.constant),
}

X = np.ones((2, 3))
CALLS: dict[str, tuple[Any, ...]] = {
    "`...i->i`, the ellipsis summed": ("...i->i", X),
    "`...i,...i`, output left out": ("...i,...i", X, X),
    "`ij,ij->ij` on (2, 1), (2, 3)": ("ij,ij->ij", X[:, :1], X),
    "`αβ->βα`": ("αβ->βα", X),
    "a newline in the equation": ("ij\n->ji", X),
    "`einsum(x, [0, 1], [1, 0])`": (X, [0, 1], [1, 0]),
    "`ij,->ij` with 2.5": ("ij,->ij", X, 2.5),
    "int32 × float32": ("ij,kj->ik", X.astype("int32"), X.astype("float32")),
    "int8 matrix product": ("ij,kj->ik", X.astype("int8"), X.astype("int8")),
    "bool matrix product": ("ij,kj->ik", X.astype("bool"), X.astype("bool")),
    "uint16 matrix product": ("ij,kj->ik", X.astype("uint16"), X.astype("uint16")),
    "dot of 4096 float16 ones": ("i,i->", np.ones(4096, "float16"), np.ones(4096, "float16")),
}


def cell(function: Callable[..., Any], tensor: Callable[[Any], Any], call: tuple[Any, ...]) -> str:
    """Return the dtype of a call's result, with the value if it is 0-d, or the type of the error."""
    arguments = [tensor(x) if isinstance(x, np.ndarray) else x for x in call]
    try:
        result = function(*arguments)
    except Exception as error:
        return f"*{type(error).__name__}*"
    dtype = getattr(result.dtype, "name", None) or str(result.dtype).removeprefix("torch.")
    return f"{dtype}, {float(result):.0f}" if len(result.shape) == 0 else dtype


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    print("|", *(f"| {name} " for name in LIBRARIES), "|", sep="")
    print("|---" * (len(LIBRARIES) + 1), "|", sep="")
    for title, call in CALLS.items():
        print(f"| {title} |", " | ".join(cell(*library, call) for library in LIBRARIES.values()), "|")


if __name__ == "__main__":
    main()
