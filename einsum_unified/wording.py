"""Words for messages: counts and lists, texts of limited length, carets under a text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from einsum_unified.printable import blanked

LONGEST_NAME = 40
"""The number of characters of a label or another name that messages show."""
LONGEST_TERM = 60
"""The number of characters of an operand's subscripts that messages show."""
_WINDOW = 72
"""The number of characters of a long text that are shown above carets."""


# --- words ----------------------------------------------------------------------------------------


def article(noun: str) -> str:
    """Return a noun with "a" or "an".

    >>> article("ndarray"), article("dict")
    ('an ndarray', 'a dict')
    """
    return f"{'an' if noun[0].lower() in 'aeiou' or noun.startswith('nd') else 'a'} {noun}"


def numbered(count: int, noun: str) -> str:
    """Return a noun in the singular or the plural.

    >>> numbered(1, "axis"), numbered(2, "axis"), numbered(0, "operand")
    ('axis', 'axes', 'operands')
    """
    if count == 1:
        return noun
    return f"{noun[:-2]}es" if noun.endswith("is") else f"{noun}s"


def counted(count: int, noun: str, number: Callable[[int], str] = str) -> str:
    """Return a count with its noun; ``number`` writes the count.

    >>> counted(1, "operand"), counted(3, "operand")
    ('1 operand', '3 operands')
    """
    return f"{number(count)} {numbered(count, noun)}"


def listed(words: Iterable[str], most: int | None = None) -> str:
    """Return words as a list in a sentence: all, or the first ``most`` and a count of the rest.

    >>> listed("ijk"), listed("ijkl", most=2)
    ('i, j and k', 'i, j and 2 more')
    """
    words = list(words)
    if most is not None and len(words) > most:
        words = [*words[:most], f"{len(words) - most} more"]
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def in_tuple(items: Sequence[str]) -> str:
    """Return texts as Python writes a tuple of them.

    >>> in_tuple(["2", "3"]), in_tuple(["2"]), in_tuple([])
    ('(2, 3)', '(2,)', '()')
    """
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"


# --- lengths --------------------------------------------------------------------------------------


def clipped(text: str, most: int) -> str:
    """Return a text of at most ``most`` characters, with an ellipsis for the rest.

    >>> clipped("rows", 4), clipped("columns", 4)
    ('rows', 'col…')
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"


def quoted(label: object, most: int = LONGEST_NAME) -> str:
    """Return the repr of a label in at most ``most`` characters; its closing quote is kept.

    >>> quoted("i"), quoted(3), quoted("channels", most=6)
    ("'i'", '3', "'cha…'")
    """
    text = repr(label)
    return text if len(text) <= most else f"{text[: most - 2]}…{text[-1]}"


def first_lines(lines: Sequence[str], most: int = 8) -> list[str]:
    """Return all lines, or the first ``most`` and a count of the rest.

    >>> first_lines(["one", "two", "three"], most=2)
    ['one', 'two', '… and 1 more']
    """
    if len(lines) <= most:
        return list(lines)
    return [*lines[:most], f"… and {len(lines) - most} more"]


# --- carets ---------------------------------------------------------------------------------------


def pointed(text: str, marks: Sequence[int]) -> list[str]:
    r"""Return a text as an indented line, and below it a line with a caret under each mark.

    Without marks there is no second line. A long text is cut to a window around the first mark, with carets
    only under the marks in it. A mark may be just after the end of the text.

    >>> print(*pointed("ij,jk->iz", [8]), sep="\n")
        ij,jk->iz
                ^
    """
    first = min(marks, default=0)
    start = max(0, min(first - 8, len(text) - _WINDOW))
    stop = min(len(text), start + _WINDOW)
    lead, tail = "…" if start else "", "…" if stop < len(text) else ""
    shown = f"    {lead}{blanked(text[start:stop])}{tail}"
    if not marks:
        return [shown]
    columns = {mark - start for mark in marks if start <= mark < stop or mark == len(text) == stop}
    carets = "".join("^" if column in columns else " " for column in range(stop - start + 1))
    return [shown, f"    {' ' * len(lead)}{carets}".rstrip()]
