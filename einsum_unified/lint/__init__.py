"""Find mistakes in the einsum equations and einops patterns of Python source, without importing it.

::

    source (bytes) ─► Source ─► Call, … ─► Remark, … ─► Finding, …
            source.py    calls.py     equations.py   check.py
                         (names.py,   portability.py (suppress.py)
                          texts.py)   patterns.py
"""

from einsum_unified.lint.check import Finding, check
from einsum_unified.lint.rules import RULES, Rule
from einsum_unified.lint.source import UnreadableError

__all__ = ["RULES", "Finding", "Rule", "UnreadableError", "check"]
