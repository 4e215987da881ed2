"""Notes for errors, if an equation looks as if its writer meant something else."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import islice

from einsum_unified.printable import cells, is_mark
from einsum_unified.wording import quoted

_ARROWS = frozenset("→⇒⟶⟹↦➔➜")
_SIGNS = {"...": "ellipsis", ",": "comma", ".": "dot", "-": "hyphen", ">": "greater-than sign", "->": "arrow"}
_SHOWN = 3
"""The number of characters, and of names, that a note shows."""
_OPERANDS = ("x", "y", "z")
_LONGEST_CALL = 100
"""The number of characters of a whole call that a note shows."""


def look_alikes(text: str) -> dict[str, str]:
    r"""Return label → note for labels that look like a sign of the grammar, like white space or nothing.

    >>> look_alikes("…i → …"), look_alikes("ij")
    ({'…': "'…' is a label here: the ellipsis is '...'", '→': "'→' is a label here: the arrow is '->'"}, {})
    >>> look_alikes("i\u3000j")["\u3000"]
    "'\\u3000' (IDEOGRAPHIC SPACE) is a label here: only ASCII white space is dropped"
    """
    if text.isascii():
        return {}
    notes = ((c, _look_alike(c)) for c in dict.fromkeys(text) if not c.isascii())
    return dict(islice(((c, note) for c, note in notes if note), _SHOWN))


def _look_alike(c: str) -> str:
    sign = "->" if c in _ARROWS else unicodedata.normalize("NFKC", c)
    if sign in _SIGNS:
        return f"{quoted(c)} is a label here: the {_SIGNS[sign]} is {sign!r}"
    name = unicodedata.name(c, "")
    what = f"{quoted(c)} ({name})" if name else quoted(c)
    if c.isspace():
        return f"{what} is a label here: only ASCII white space is dropped"
    if is_mark(c):
        return f"{what} is a label of its own here, also after a letter"
    return "" if cells(c) == [c] else f"{what} is a label here"


def names(terms: Sequence[str | None], number: int, axes: int | None = None) -> list[str]:
    r"""Return notes if a term looks like names with white space between them, one for each of ``axes`` axes.

    ``terms`` are the terms as they are written, last the output, or None if it is left out.

    >>> print(*names(["batch i", "i j", "batch j"], 0, axes=2), sep="\n")
    white space does not separate names: each character is a label
    write a letter for each axis, or lists of names: einsum(x, ['batch', 'i'], y, ['i', 'j'], ['batch', 'j'])
    >>> names(["batch i", "i j", "batch j"], 1, axes=2), names(["ij", "jk", "ik"], 0, axes=2)
    ([], [])
    """
    words = (terms[number] or "").split() if terms else []
    if len(words) < 2 or max(map(len, words)) < 2 or axes not in (None, len(words)):
        return []
    call = f"x, {_names(words[:_SHOWN])}, ..."
    *inputs, output = [None if term is None else _names(term.split()) for term in terms]
    if len(inputs) <= len(_OPERANDS):
        pairs = [f"{x}, {labels}" for x, labels in zip(_OPERANDS, inputs, strict=False)]
        whole = ", ".join([*pairs, *([] if output is None else [output])])
        call = whole if len(whole) <= _LONGEST_CALL else call
    return [
        "white space does not separate names: each character is a label",
        f"write a letter for each axis, or lists of names: einsum({call})",
    ]


def _names(words: list[str]) -> str:
    return f"[{', '.join('...' if word == '...' else quoted(word) for word in words)}]"
