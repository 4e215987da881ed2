"""The comments that suppress findings: ``# noqa``, ``# noqa: EU101, EU103``."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable

from einsum_unified.lint.rules import is_chosen

_NOQA = re.compile(r"#\s*noqa(?P<codes>\s*:\s*[A-Z]+[0-9]+(?:[\s,]+[A-Z]+[0-9]+)*)?(?![\w-])", re.IGNORECASE)


def silenced(text: str) -> dict[int, tuple[str, ...]]:
    r"""Return line → the codes that its comment suppresses; "" means all codes.

    >>> silenced("f()  # noqa\ng()  # noqa: E501,EU101\nh('# noqa')")
    {1: ('',), 2: ('E501', 'EU101')}
    """
    if "noqa" not in text.lower():
        return {}
    found: dict[int, tuple[str, ...]] = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            match = _NOQA.search(token.string) if token.type == tokenize.COMMENT else None
            if match:
                codes = re.findall(r"[A-Z]+[0-9]+", (match["codes"] or "").upper())
                found[token.start[0]] = tuple(codes) or ("",)
    except (tokenize.TokenError, SyntaxError):  # some source that the parser accepts the tokenizer does not
        pass
    return found


def is_silenced(code: str, lines: Iterable[int], comments: dict[int, tuple[str, ...]]) -> bool:
    """Whether a comment on one of the lines suppresses a code."""
    return any(is_chosen(code, comments.get(line, ())) for line in lines)
