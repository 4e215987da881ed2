"""Words for messages: counts and lists, texts of limited length, carets under a text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, islice
from math import log10
from typing import Any

from einsum_unified.printable import cells, escaped, is_mark, plain

LONGEST_NAME = 40
"""The number of characters of a label or another name that messages show."""
LONGEST_TERM = 60
"""The number of characters of an operand's subscripts that messages show."""
LONGEST_REASON = 300
"""The number of characters of another library's error that messages show."""
LONGEST_LINE = 1000
"""The number of characters of a line of a message; usual lines are shorter since their parts are cut."""
_WINDOW = 72
"""The number of characters of a long text that are shown above carets."""
_BITS = 128
"""The number of bits of integers that are written in digits."""
_BRACKETS: dict[type, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    dict: ("{", "}"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
}


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


def quoted(value: object, most: int = LONGEST_NAME) -> str:
    """Return the repr of a label or another value in at most ``most`` characters, on one printable line.

    Long text, big integers and deep or long containers are cut before they are written; a repr that raises is
    replaced. The closing quote is kept.

    >>> quoted("i"), quoted(3), quoted("channels", most=6), quoted(10**5000)
    ("'i'", '3', "'cha…'", '<integer of about 5001 digits>')
    >>> quoted([0, [1, [2, [3, [4]]]]]), quoted(("row", 1)), quoted({"b": 0}), quoted(set())
    ('[0, [1, [2, […]]]]', "('row', 1)", "{'b': 0}", 'set()')
    """
    text = _written(value, most)
    shown = plain(text[: most + 1])
    if len(shown) <= most:
        return shown
    closing = text[-1] if text[-1] in "'\")]}>" else ""
    return f"{shown[: most - 1 - len(closing)]}…{closing}"


def class_name(cls: type, most: int = LONGEST_NAME) -> str:
    r"""Return the name of a class in at most ``most`` characters, on one printable line.

    >>> class_name(int), class_name(type("Matrix\nProduct", (), {}))
    ('int', 'Matrix\\nProduct')
    """
    return clipped(escaped(clipped(cls.__name__ or "?", most)), most)


def in_digits(value: object) -> str:
    """Return a size or another number as text: Python writes integers only up to 4300 digits.

    >>> in_digits(12), in_digits(-(10**5000))
    ('12', '<integer of about 5001 digits>')
    """
    return _integer(value) if isinstance(value, int) else clipped(escaped(_guarded(str, value)), LONGEST_NAME)


def _integer(value: int) -> str:
    bits = value.bit_length()
    return int.__repr__(value) if bits <= _BITS else f"<integer of about {int(bits * log10(2)) + 1} digits>"


def _written(value: object, most: int, depth: int = 4) -> str:
    """Return a repr that is a little longer than ``most`` characters at the most."""
    if isinstance(value, (str, bytes)) and type(value).__repr__ in (str.__repr__, bytes.__repr__):
        # One character of the source is at least one of the repr. Both ends: the repr's quote depends on all.
        text: Any = value
        return repr(text if len(text) <= 2 * most else text[:most] + text[-most:])
    if type(value) is int:
        return _integer(value)
    brackets = _BRACKETS.get(type(value))
    if brackets is None or not value:
        return _guarded(repr, value)
    opening, closing = brackets
    if depth == 1:
        return f"{opening}…{closing}"
    container: Any = value
    shown = islice(container.items() if isinstance(value, dict) else container, most // 3 + 1)
    if isinstance(value, dict):
        written = [": ".join([_written(x, most, depth - 1) for x in pair]) for pair in shown]
    else:
        written = [_written(x, most, depth - 1) for x in shown]
    comma = "," if type(value) is tuple and len(written) == 1 else ""
    return f"{opening}{', '.join(written)}{comma}{closing}"


def _guarded(write: Callable[[object], str], value: object) -> str:
    try:
        return str.__str__(write(value))
    except Exception as error:  # a class may raise anything, and nested objects RecursionError
        return f"<{class_name(type(value), 20)}, whose {write.__name__} raises {class_name(type(error), 20)}>"


def first_lines(lines: Sequence[str], most: int = 8) -> list[str]:
    """Return all lines, or the first ``most`` and a count of the rest.

    >>> first_lines(["one", "two", "three"], most=2)
    ['one', 'two', '… and 1 more']
    """
    return numbered_lines(range(len(lines)), lines.__getitem__, most)


def numbered_lines(numbers: Sequence[int], line: Callable[[int], str], most: int = 8) -> list[str]:
    """Return the line of each number, or of the first ``most`` and a count of the rest.

    >>> numbered_lines(range(20_000), lambda n: f"operand {n}", most=2)
    ['operand 0', 'operand 1', '… and 19998 more']
    """
    rest = [f"… and {len(numbers) - most} more"] if len(numbers) > most else []
    return [*map(line, numbers[:most]), *rest]


def bounded(text: str, lines: int = 60, most: int = LONGEST_LINE) -> str:
    r"""Return a message that a person can read: printable, of a limited number of lines of limited length.

    Of many lines the first and the last stay: TensorFlow puts a traceback before a message.

    >>> print(bounded("a\x1b\ntwo three\nfour\nfive\nsix", lines=4, most=12))
    a\x1b
    two three
    … and 1 more
    five
    six
    """
    if len(text) <= most and text.isprintable():
        return text
    found = text.split("\n")
    if len(found) > lines:
        half = lines // 2
        found = [*found[:half], f"… and {len(found) - 2 * half} more", *found[-half:]]
    return "\n".join([_line(line, most) for line in found])


def _line(text: str, most: int) -> str:
    return clipped(escaped(clipped(text, most)), most)


# --- carets ---------------------------------------------------------------------------------------


def pointed(text: str, marks: Sequence[int]) -> list[str]:
    r"""Return a text as an indented line, and below it a line with carets under each mark.

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
    # Only the interleaved form has brackets. Its names keep their marks, which take no column.
    shown = cells(text[start:stop], names="[" in text)
    line = f"    {lead}{''.join(shown)}{tail}"
    if not marks:
        return [line]
    columns = [*accumulate([0 if is_mark(cell[0]) else len(cell) for cell in shown], initial=0)]
    carets = [" "] * (columns[-1] + 1)
    for mark in marks:
        if start <= mark < stop:
            here, after = columns[mark - start], columns[mark - start + 1]
            carets[here:after] = "^" * (after - here)
        elif mark == len(text) == stop:
            carets[-1] = "^"
    return [line, f"    {' ' * len(lead)}{''.join(carets)}".rstrip()]
