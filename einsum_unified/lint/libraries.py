"""The functions whose calls are checked, and the peculiarities of each library's einsum.

A test compares these facts with the libraries themselves.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

_BLANKS = r"[\t\n\r\v\f]"
_SPLIT = r"(?<=\.) +(?=\.)|(?<=-) +(?=>)"  # "..." and "->" with a space within


class CallForm(enum.Enum):
    """The arguments of a function: where its equation is, and whether it is an einops pattern."""

    EQUATION = enum.auto()
    """An equation, then the operands; or operands and sublists, alternating."""
    NAMED = enum.auto()
    """The operands, then a pattern: ``einops.einsum``."""
    REARRANGE = enum.auto()
    REDUCE = enum.auto()
    REPEAT = enum.auto()


@dataclass(frozen=True)
class LibraryEinsum:
    """The peculiarities of a library's einsum; the defaults are for an unknown library."""

    name: str
    letters: bool = False
    """Whether labels can only be a–z and A–Z, and integers from 0 to 51."""
    sublists: bool = True
    """Whether it has the interleaved form."""
    lists: bool = False
    """Whether all operands can be passed as one list."""
    blanks: str = r"(?!)"
    """A regular expression for the white space that it refuses."""
    keeps_ellipsis: bool = False
    """Whether an ellipsis in a term must also be in the output."""
    one_implicit_ellipsis: bool = False
    """Whether the output must be written out if several operands have an ellipsis."""
    keywords: frozenset[str] | None = None
    """All keywords that einsum takes; None if they are unknown."""
    wants_path: bool = False
    """Whether it contracts any number of operands in one loop unless ``optimize`` is given."""


NUMPY = LibraryEinsum(
    "numpy",
    letters=True,
    blanks=f"{_BLANKS}|{_SPLIT}",
    keeps_ellipsis=True,
    keywords=frozenset({"out", "optimize", "dtype", "order", "casting"}),
    wants_path=True,
)
OPTIMIZED = replace(NUMPY, blanks=_BLANKS, keeps_ellipsis=False, wants_path=False)
"""NumPy with ``optimize=``, which follows other rules."""
TORCH = LibraryEinsum(
    "torch",
    letters=True,
    lists=True,
    blanks=f"{_BLANKS}|{_SPLIT}",
    keywords=frozenset(),
)
TENSORFLOW = LibraryEinsum(
    "tensorflow",
    letters=True,
    sublists=False,
    blanks=_BLANKS,
    keeps_ellipsis=True,
    one_implicit_ellipsis=True,
    keywords=frozenset({"optimize", "name"}),
)
JAX = LibraryEinsum("jax", blanks=_BLANKS)
OPT_EINSUM = LibraryEinsum("opt_einsum", blanks=_BLANKS)
EINOPS = LibraryEinsum("einops", keywords=frozenset())
OURS = LibraryEinsum("einsum_unified", lists=True)

PORTABLE = (NUMPY, TORCH, TENSORFLOW, JAX)
"""The libraries on which a portable equation must work."""


@dataclass(frozen=True)
class Function:
    """A function whose calls are checked."""

    name: str
    library: LibraryEinsum
    form: CallForm = CallForm.EQUATION
    at: int = 0
    """The position of the equation among the arguments; -1 for the last."""

    @property
    def contracts(self) -> bool:
        """Whether it is an einsum itself, not a planner or another related function."""
        return self.name.endswith(".einsum")


def _equations(library: LibraryEinsum, *names: str) -> list[Function]:
    return [Function(name, library) for name in names]


_EINOPS = [
    Function(f"einops.{module}{name}", EINOPS, form, at)
    for module in ("", "einops.")
    for name, form, at in [
        ("einsum", CallForm.NAMED, -1),
        ("rearrange", CallForm.REARRANGE, 1),
        ("reduce", CallForm.REDUCE, 1),
        ("repeat", CallForm.REPEAT, 1),
    ]
]
_LAYERS = [
    Function(f"einops.layers.{module}.{name}", EINOPS, form, 0)
    for module in ("torch", "tensorflow", "keras", "paddle", "oneflow")
    for name, form in [("Rearrange", CallForm.REARRANGE), ("Reduce", CallForm.REDUCE)]
]
_FOUND = [
    *_equations(NUMPY, "numpy.einsum", "numpy.einsum_path"),
    *_equations(TORCH, "torch.einsum", "torch.functional.einsum"),
    *_equations(TENSORFLOW, "tensorflow.einsum", "tensorflow.linalg.einsum"),
    *_equations(TENSORFLOW, "tensorflow.compat.v1.einsum", "tensorflow.compat.v2.einsum"),
    *_equations(JAX, "jax.numpy.einsum", "jax.numpy.einsum_path"),
    *_equations(OPT_EINSUM, *(f"opt_einsum.contract{end}" for end in ("", "_path", "_expression"))),
    *_equations(OPT_EINSUM, *(f"opt_einsum.contract.contract{end}" for end in ("", "_path", "_expression"))),
    *_equations(OURS, *(f"einsum_unified.{name}" for name in ("einsum", "einsum_plan", "einsum_path"))),
    *_equations(OURS, *(f"einsum_unified.api.{name}" for name in ("einsum", "einsum_plan", "einsum_path"))),
    *(
        Function(f"{name}.einsum", LibraryEinsum(name))
        for name in ("cupy", "dask.array", "keras.ops", "mlx.core", "autograd.numpy", "sparse")
    ),
    Function("tensorflow.keras.ops.einsum", LibraryEinsum("keras.ops")),
    *_EINOPS,
    *_LAYERS,
]
FUNCTIONS = {function.name: function for function in _FOUND}
