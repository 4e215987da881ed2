"""Mistakes that type checkers find: each line with a comment is an error to mypy --strict and to pyright."""

# pyright: reportUnnecessaryTypeIgnoreComment=error

from __future__ import annotations

import numpy as np
import torch

from einsum_unified import einsum, einsum_path, einsum_plan

x = np.ones((2, 3))
t = torch.ones(2, 3)

einsum("ij->i", x, optimise=True)  # type: ignore[call-overload]
einsum("ij->i", x, optimize="gredy")  # type: ignore[call-overload]
einsum("ij->i", x, optimize=3.5)  # type: ignore[call-overload]
einsum("ij->i", x, dtype=3.5)  # type: ignore[call-overload]
einsum("ij->i", t, dtype=3.5)  # type: ignore[call-overload]
einsum("ij->i", t, hints=["i"])  # type: ignore[call-overload]
einsum("ij->i", t, hints={"i": "many"})  # type: ignore[dict-item]
einsum("ij->i", t, strict="yes")  # type: ignore[call-overload]
einsum("ij->i", t, order="C")  # type: ignore[call-overload]
einsum(x, "ij->i")  # type: ignore[call-overload]
einsum_plan("ij->i", (2, 3), optimise=True)  # type: ignore[call-arg]
einsum_plan("ij->i", (2, 3), dtype=3.5)  # type: ignore[arg-type]
einsum_plan("ij->i", (2, 3), optimize="gredy")  # type: ignore[arg-type]
einsum_path("ij->i", x, dtype="float32")  # type: ignore[arg-type]
einsum_path("ij->i", x, optimize="gredy")  # type: ignore[arg-type]
einsum_plan("ij->i", (2, 3))(t, optimize=True)  # type: ignore[call-overload]
