"""Text and numbers in a form that fits into its place in a picture."""

from __future__ import annotations

import unicodedata

from einsum_unified.forks import forks_wait
from einsum_unified.printable import is_mark
from einsum_unified.show.figures import Figure

_EXACT = 10**12
"""Numbers from this one on are written in scientific notation."""


def width(text: str) -> int:
    """Return how many columns of a monospaced font a text takes.

    >>> width("ij"), width("轴"), width("é")
    (2, 2, 1)
    """
    if text.isascii():
        return len(text)
    return sum(_width(c) for c in text)


def _width(c: str) -> int:
    if is_mark(c):
        return 0
    return 2 if unicodedata.east_asian_width(c) in "WF" else 1


def cut(text: str, columns: int) -> str:
    """Return a text that takes at most ``columns`` columns, with an ellipsis in place of the rest.

    >>> cut("rows", 4), cut("columns", 4), cut("轴轴轴", 4)
    ('rows', 'col…', '轴…')
    """
    if len(text) <= columns and width(text) <= columns:
        return text
    taken, end = 1, 0
    for c in text:
        taken += _width(c)
        if taken > columns:
            break
        end += 1
    return f"{text[:end]}…"


def number(n: int) -> str:
    """Return a number in readable form: with separators, or in scientific notation if it is very large.

    >>> number(33554432), number(2**60)
    ('33,554,432', '1.153e+18')
    """
    if n < _EXACT:
        return f"{n:,}"
    with forks_wait():
        from decimal import Decimal  # seldom needed, and slow to import

    return f"{Decimal(n):.3e}"


def amount(figure: Figure) -> str:
    """Return a figure in readable form.

    >>> amount(Figure.of(2**60)), amount(Figure.of_label("b") * 1000 + Figure.of(1))
    ('1.153e+18', '1,000·b + 1')
    """
    return " + ".join(_term(labels, n) for labels, n in figure.terms) or "0"


def _term(labels: tuple[str, ...], n: int) -> str:
    return "·".join([*([number(n)] if n != 1 or not labels else []), *labels])
