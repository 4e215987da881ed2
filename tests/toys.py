"""A small array library with a plugin, installed in a folder as files of text, for processes of their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

LIBRARY = """
import numpy as np

class Toy:
    dtype = "float64"
    def __init__(self, values):
        self.values = np.asarray(values, float)
        self.shape = self.values.shape
"""

ADAPTER = """
from einsum_unified.adapter import Adapter, Capabilities, Form
from {name} import Toy

class ToyAdapter(Adapter):
    name = "{name}"
    capabilities = Capabilities(dtypes=frozenset({{"float64"}}))
    def form(self, cls): return Form.TENSOR if issubclass(cls, Toy) else None
    def dtype_from_name(self, name): return "float64" if name == "float64" else None
    def asarray(self, x, like, dtype): return Toy(x)
    def to_numpy(self, x): return x.values
    def cast(self, x, dtype): return x
    def transpose(self, x, axes): return Toy(x.values.transpose(axes))
    def reshape(self, x, shape): return Toy(x.values.reshape(shape))
    def diagonal(self, x, axis1, axis2): return Toy(x.values.diagonal(0, axis1, axis2))
    def sum(self, x, axes): return Toy(x.values.sum(axes))
    def matmul(self, a, b): return Toy(a.values @ b.values)
    def multiply(self, a, b): return Toy(a.values * b.values)

adapter = ToyAdapter()
"""


def install_library(folder: Path, name: str = "toylib") -> None:
    """Write a module with the class `Toy`."""
    (folder / f"{name}.py").write_text(LIBRARY)


def install_plugin(
    folder: Path,
    before: str = "",
    *,
    distribution: str = "toylib-einsum",
    module: str = "toylib_einsum",
    value: str = "",
    roots: Sequence[str] = ("toylib",),
    adapter: str = ADAPTER.format(name="toylib"),
) -> None:
    """Write a module with an adapter for `toylib.Toy`, and the metadata of an installed distribution with it.

    The module runs the code ``before`` first.
    """
    (folder / f"{module}.py").write_text(before + "\n" + adapter)
    metadata = folder / f"{distribution}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    entries = "".join(f"{root} = {value or f'{module}:adapter'}\n" for root in roots)
    (metadata / "entry_points.txt").write_text(f"[einsum_unified.backends]\n{entries}")
