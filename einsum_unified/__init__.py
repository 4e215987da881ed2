"""One einsum for NumPy, PyTorch, TensorFlow, JAX and any array library: one meaning, one set of errors."""

from einsum_unified import tracing
from einsum_unified.api import einsum, einsum_path, einsum_plan, register_backend
from einsum_unified.errors import (
    BackendError,
    EinsumError,
    EquationError,
    OperandError,
    OperandTypeError,
    PathError,
)
from einsum_unified.plan import Plan
from einsum_unified.runtime.cache import CacheInfo, cache_info, clear_cache

__version__ = "0.1.0"

tracing.mark(einsum_plan, einsum_path)

__all__ = [
    "BackendError",
    "CacheInfo",
    "EinsumError",
    "EquationError",
    "OperandError",
    "OperandTypeError",
    "PathError",
    "Plan",
    "cache_info",
    "clear_cache",
    "einsum",
    "einsum_path",
    "einsum_plan",
    "register_backend",
]
