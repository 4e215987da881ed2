"""Tools for testing code that uses einsum on several frameworks."""

from einsum_unified.testing.check import Report, Result, check_einsum

__all__ = ["Report", "Result", "check_einsum"]
