#!/usr/bin/env python3
"""Write ``docs/support.md``: what each library supports, as adapters declare and the conformance kit finds.

The slow tests of ``tests/test_support.py`` compare the page with the kit's findings, one library per test.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "support.md"

_INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
_FLOATS = ("float16", "bfloat16", "float32", "float64")
DTYPES = ("bool", *_INTEGERS, *_FLOATS, "complex64", "complex128", "float8_e4m3fn", "float8_e5m2")


@dataclass(frozen=True)
class Row:
    """A row of the page: a library, perhaps in a certain configuration."""

    title: str
    backend: str
    """The library's name in the kit."""
    package: str
    """The distribution whose version is shown."""
    environment: tuple[tuple[str, str], ...] = ()
    tested: str = ""
    """The tested platforms, if they differ from those that the adapter declares."""


KERAS = "CPU: variables, layers, functional models"

ROWS = (
    Row("NumPy", "numpy", "numpy"),
    Row("PyTorch", "torch", "torch"),
    Row("TensorFlow", "tensorflow", "tensorflow_cpu"),
    Row("JAX", "jax", "jax"),
    Row("JAX, 64 bits", "jax", "jax", (("JAX_ENABLE_X64", "1"),)),
    Row("MLX", "mlx", "mlx"),
    Row("Dask", "dask", "dask"),
    Row("pydata/sparse", "sparse", "sparse"),
    Row("autograd", "autograd", "autograd"),
    Row("Keras on TensorFlow", "keras", "keras", (("KERAS_BACKEND", "tensorflow"),), KERAS),
    Row("Keras on torch", "keras", "keras", (("KERAS_BACKEND", "torch"),), KERAS),
    Row("Keras on JAX", "keras", "keras", (("KERAS_BACKEND", "jax"),), KERAS),
    Row("array-api-strict", "array_api_strict", "array_api_strict"),
    Row("ndonnx", "ndonnx", "ndonnx"),
    Row("pint", "pint", "Pint"),
)

HEAD = """# What is supported where

Made by `python scripts/make_support.py` from what the adapters declare and what the
[conformance kit](conformance.md) finds; continuous integration fails if it is out of date. A declared gap is
a feature that a library lacks, in which case the kit tests that asking for it is an error, or a feature that
the kit does not test. A gap never counts as passed.

"""

TAIL = """## Sparse tensors

* **pydata/sparse** (0.16 and later; COO, GCXS, DOK): every equation; results are sparse, and the order
  follows from the stored elements. Also as chunks of Dask arrays.
* **torch** (COO, CSR, CSC, BSR, BSC, and batches): all but outer products with dense tensors, and hybrid
  tensors. Gradients are those that torch has: for COO, and for CSR matrices.
* **JAX** (BCOO, BCSR): what JAX's einsum supports for them.
* **TensorFlow's `SparseTensor` and SciPy's matrices**: an error that names the call that helps.

## Not run by the kit

* **CuPy**: its tests run on machines with a GPU and are skipped on others, such as continuous integration's.
* **CUDA tensors of torch** use the torch adapter, in which only int8 products depend on the CPU; they are not
  tested.
* **`DTensor`** also uses the torch adapter. It is tested on a mesh of one process (gloo), replicated and
  sharded, but not on several processes.
* **Tensors on GPUs and TPUs** of TensorFlow and JAX are not tested; TensorFlow's float16 and bfloat16 are
  computed in float32 on every device.
* **Keras' symbolic tensors** become operations of a functional model; the tests of tracing cover them on each
  backend of Keras.
"""

DECLARED = """
import json, sys
from einsum_unified.testing.conformance import library_of
c = library_of(sys.argv[1]).adapter.capabilities
print(json.dumps({"out": c.out, "views": c.views, "native": bool(c.pairs or c.costs.native is not None),
                  "gaps": dict(c.gaps),
                  "about": {name: x for name, x in vars(c.about).items() if isinstance(x, str)}}))
"""


@dataclass(frozen=True)
class Found:
    """The adapter's declarations and the kit's outcomes for a row."""

    row: Row
    declared: dict[str, Any]
    outcomes: list[dict[str, Any]]

    def count(self, status: str) -> int:
        """Return the number of cases with a status."""
        return sum(outcome["status"] == status for outcome in self.outcomes)

    def has(self, dtype: str) -> bool:
        """Whether all cases of a dtype passed; the kit has the same cases for each dtype."""
        own = [o for o in self.outcomes if o["id"].startswith("10/dtypes/") and o["id"].split()[-1] == dtype]
        return bool(own) and all(outcome["status"] == "passed" for outcome in own)

    def gaps(self) -> dict[str, tuple[str, int]]:
        """Return missing feature → reason and number of cases."""
        found: dict[str, tuple[str, int]] = {}
        for outcome in self.outcomes:
            if outcome["status"] == "gap":
                reason, count = found.get(outcome["feature"], (outcome["reason"], 0))
                found[outcome["feature"]] = reason, count + 1
        return found


def find(row: Row) -> Found:
    """Ask the adapter and run the kit, each library in a process of its own."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **dict(row.environment)}

    def output(*command: str) -> str:
        done = subprocess.run(
            [sys.executable, *command], capture_output=True, text=True, env=environment, cwd=ROOT
        )
        if done.returncode not in (0, 1):  # 1: cases failed, which the page is to show
            sys.exit(f"{row.title}: {done.stderr[-2000:]}")
        return done.stdout

    declared = json.loads(output("-c", DECLARED, row.backend).splitlines()[-1])
    outcomes = json.loads(output("-m", "einsum_unified", "conformance", "--backend", row.backend, "--json"))
    return Found(row, declared, outcomes)


def page(found: Sequence[Found]) -> str:
    """Return the text of the page."""
    versions = dict(
        line.split("==") for line in (ROOT / "constraints.txt").read_text().split() if "==" in line
    )
    lines = [*_matrix(found, versions), *_dtypes(found), *_gaps(found)]
    return HEAD + "\n".join(lines) + "\n" + TAIL


def _matrix(found: Sequence[Found], versions: dict[str, str]) -> list[str]:
    lines = _table(
        "adapter", "version", "passed", "failed", "gaps", "`out=`", "views", "own kernel", "unknown sizes",
        "gradients", "compilers",
    )  # fmt: skip
    for one in found:
        about = one.declared["about"]
        counts = [one.count(status) for status in ("passed", "failed", "gap")]
        flags = ["yes" if one.declared[name] else "–" for name in ("out", "views", "native")]
        texts = [about[name] or "–" for name in ("symbolic_sizes", "gradients", "compilers")]
        lines.append(_row(one.row.title, versions[one.row.package], *counts, *flags, *texts))
    lines += [
        "",
        "*Own kernel*: a step of a contraction may go to the library's own einsum or `dot_general`.",
        "",
    ]
    lines += ["## Tested on", "", *_table("adapter", "")]
    return [
        *lines,
        *[_row(one.row.title, one.row.tested or one.declared["about"]["tested"] or "CPU") for one in found],
        "",
    ]


def _dtypes(found: Sequence[Found]) -> list[str]:
    lines = ["## Dtypes", "", *_table("", *[f"`{dtype}`" for dtype in DTYPES])]
    for one in found:
        lines.append(_row(one.row.title, *["✓" if one.has(dtype) else "–" for dtype in DTYPES]))
    return [*lines, ""]


def _gaps(found: Sequence[Found]) -> list[str]:
    lines = ["## Declared gaps", "", *_table("adapter", "feature", "cases", "why")]
    for one in found:
        for feature, (reason, count) in sorted(one.gaps().items()):
            lines.append(_row(one.row.title, f"`{feature}`", count, reason))
    return [*lines, ""]


def _table(*columns: str) -> list[str]:
    return [_row(*columns), "|" + "---|" * len(columns)]


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # of processes that are waited for
        PAGE.write_text(page(list(pool.map(find, ROWS))), "utf-8")
