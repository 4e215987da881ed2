"""Text for terminals: only characters that their encoding has, and errors in one line."""

from __future__ import annotations

import codecs
import io
import os
import sys

_LACKING = "einsum_unified.lacking"
_PLAIN = {"×": "x", "·": "*", "µ": "u", "…": "...", "–": "-", "✓": "+", "✗": "-"}


def one_line(error: BaseException) -> str:
    r"""Return the message of an error in one line.

    >>> one_line(ValueError("no such file\n  try another"))
    'no such file; try another'
    """
    try:
        said = str(error)
    except Exception:  # classes of users may fail here, too
        said = ""
    return "; ".join(line.strip() for line in said.splitlines() if line.strip()) or type(error).__name__


def prepare_streams() -> None:
    """Replace characters that the encoding of the output lacks with plainer ones, or with escapes.

    If there is no stderr, text written to it is discarded.
    """
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    codecs.register_error(_LACKING, _plainer)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_LACKING)


def _plainer(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_PLAIN.get(c) or ascii(c)[1:-1] for c in lacking), error.end
