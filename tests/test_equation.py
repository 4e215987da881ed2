"""The grammar: text and sublists to an `Equation`, and every way it can be wrong."""

from __future__ import annotations

import dataclasses
import string
import subprocess
import sys
import unicodedata
from itertools import pairwise

import numpy as np
import opt_einsum
import pytest

from einsum_unified import EquationError, OperandError, einsum
from einsum_unified.language import equation as module
from einsum_unified.language.equation import implicit_output, is_long, parse
from einsum_unified.language.sublists import Sublists, to_sublists


def sublists(*inputs, output=None) -> Sublists:
    return to_sublists(inputs, output)


# --- implicit output ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("ij,jk", "ik"),
        ("ba", "ab"),
        ("aA", "Aa"),  # by code point: capitals first
        ("z9_Z", "9Z_z"),
        ("βa,é", "aéβ"),
        ("ii", ""),
        ("iij", "j"),
        ("i,i", ""),
        ("", ""),
        (",", ""),
        (",,k,", "k"),
    ],
)
def test_implicit_output_is_the_labels_that_occur_once_by_code_point(text: str, output: str):
    parsed = parse(text)
    assert parsed.output == tuple(output)
    assert not parsed.explicit


@pytest.mark.parametrize("text", ["ba...", "...ba", "b...a", "b...,a...", "b,a..."])
def test_implicit_output_has_the_ellipsis_first(text: str):
    assert parse(text).output == (..., "a", "b")


def test_implicit_output_sorts_integer_labels_by_value_not_as_text():
    labels = [30, 100, 9, -1, 27]
    assert parse(sublists(labels)).output == (-1, 9, 27, 30, 100)


def test_implicit_output_sorts_strings_of_any_length():
    assert parse(sublists(["row", "column"])).output == ("column", "row")


def test_implicit_output_needs_labels_that_sort():
    with pytest.raises(EquationError, match="labels cannot be sorted") as caught:
        parse(sublists(["i", 0]))
    assert str(caught.value).splitlines()[1:] == [
        "    ['i', 0]",
        "  write the output as the last argument",
    ]


def test_labels_that_do_not_sort_are_fine_with_the_output_written():
    assert parse(sublists(["i", 0, None], output=[None, "i"])).output == (None, "i")


def test_labels_that_occur_twice_need_not_sort():
    assert implicit_output((("i", 0), (0, "i", None))) == (None,)


# --- terms ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "inputs", "output"),
    [
        ("ij,jk->ik", ["ij", "jk"], "ik"),
        ("->", [""], ""),
        (",->", ["", ""], ""),
        ("i->", ["i"], ""),
        ("iij->ji", ["iij"], "ji"),
        ("_0,0A->A_", ["_0", "0A"], "A_"),
    ],
)
def test_terms_are_tuples_of_characters(text: str, inputs: list[str], output: str):
    parsed = parse(text)
    assert parsed.inputs == tuple(map(tuple, inputs))
    assert (parsed.output, parsed.explicit, parsed.sublists) == (tuple(output), True, False)


@pytest.mark.parametrize(
    ("text", "term"),
    [("...", (...,)), ("a...", ("a", ...)), ("...a", (..., "a")), ("a...b", ("a", ..., "b"))],
)
def test_an_ellipsis_may_be_anywhere_in_a_term(text: str, term: tuple):
    assert parse(f"{text}->{text}").inputs == (term,)
    assert parse(f"{text}->{text}").output == term


def test_an_ellipsis_may_be_in_the_output_only():
    assert parse("ij->...j").output == (..., "j")


@pytest.mark.parametrize("space", [" ", "\t", "\n", "\r\n", "\v", "\f", "  \t\n "])
def test_ascii_whitespace_is_dropped_everywhere(space: str):
    text = space.join(["", *"ij...,j->i...", ""])
    assert "- >" not in text or space == " "
    assert parse(text).inputs == (("i", "j", ...), ("j",))
    assert parse(text).output == ("i", ...)
    assert parse(text).text == text


def test_whitespace_may_split_the_arrow_and_the_dots(framework):
    x = np.arange(6.0).reshape(2, 3)
    result = einsum(" . .\t. i \n-\r> i . . . ", framework.tensor(x))
    assert (framework.numpy(result) == x.T).all()


# --- labels ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "label",
    [
        "ß",
        "λ",
        "文",
        "А",
        "é",
        "٣",
        "𝐀",
        "→",
        "☃",
        "\u0301",
        "\u0600",
        "\u06dd",
        "\ue000",
        "\u0378",
        "\U0010ffff",
    ],
)
def test_unicode_letters_digits_and_symbols_are_labels(label: str):
    x = np.arange(6.0).reshape(2, 3)
    assert (einsum(f"{label}j->j{label}", x) == x.T).all()


@pytest.mark.parametrize("c", ["\xa0", "\xad", "\x85", "\x9b", "\x00", "\x1b", "\x1f", "\x7f"])
def test_invisible_characters_are_refused_by_code_point(c: str):
    with pytest.raises(EquationError) as caught:
        parse(f"i{c}j->ij")
    code = f"U+{ord(c):04X} {unicodedata.name(c, '')}".rstrip()
    headline, text, caret, note = str(caught.value).splitlines()
    assert headline == f"{code} is neither a label nor whitespace that is dropped"
    assert (text, caret) == (f"    i{ascii(c)[1:-1]}j->ij", "     ^^^^")
    assert note == "  only space, tab, newline, carriage return, vertical tab and form feed are dropped"


@pytest.mark.parametrize("c", "!\"#$%&'()*+/:;<=?@[\\]^`{|}~")
def test_other_ascii_punctuation_is_reserved(c: str):
    with pytest.raises(EquationError) as caught:
        parse(f"ij,{c}->i")
    assert str(caught.value) == (
        f"{c!r} is not a label\n    ij,{c}->i\n       ^\n"
        "  labels are letters, digits, '_' and non-ASCII symbols; other punctuation is reserved"
    )


def test_every_label_of_opt_einsum_can_be_used():
    """Also its 140 lone surrogates, white space and direction marks; a chain of 1 500 matrices has some.

    `get_symbol` ends at the last code point.
    """
    last = sys.maxunicode - 2048
    symbols = [opt_einsum.get_symbol(n) for n in range(last + 1)]
    with pytest.raises(ValueError, match="range"):
        opt_einsum.get_symbol(last + 1)
    assert set(symbols) >= set(string.ascii_letters) | set(map(chr, range(0xC0, 0xD800)))
    assert symbols[-1] == chr(sys.maxunicode)
    text = "".join(symbols)
    parsed = parse(f"{text},{text}->{text[::-1]}")
    assert parsed.inputs == (tuple(symbols),) * 2
    assert parsed.output == tuple(reversed(symbols))


def test_a_chain_of_1500_matrices_has_any_label_of_opt_einsum():
    numbers = [n for n in range(9000) if not chr(n + 140).isalnum()][-1501:]  # many of them are invisible
    symbols = [opt_einsum.get_symbol(n) for n in numbers]
    assert {unicodedata.category(c) for c in symbols} >= {"Zs", "Zl", "Zp", "Cf", "Cn"}
    text = ",".join(a + b for a, b in pairwise(symbols)) + f"->{symbols[0]}{symbols[-1]}"
    rotation = np.array([[0.0, -1.0], [1.0, 0.0]])
    assert (einsum(text, *[rotation] * 1500, optimize=False) == np.eye(2)).all()  # 1500 quarter turns


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_characters_that_unicode_calls_equivalent_are_two_labels(form: str):
    a, b = {
        "NFC": ("\u212b", "\u00c5"),
        "NFD": ("\u0374", "\u02b9"),
        "NFKC": ("\uff49", "i"),
        "NFKD": ("ſ", "s"),
    }[form]
    assert unicodedata.normalize(form, a) == unicodedata.normalize(form, b)
    x = np.arange(6.0).reshape(2, 3)
    assert (einsum(f"{a}{b}->{b}{a}", x) == x.T).all()
    assert einsum(f"{a}{a}{b}->{a}", np.ones((2, 2, 3))).tolist() == [3.0, 3.0]


def test_a_chain_of_two_hundred_operands_is_contracted():
    labels = [chr(0x4E00 + n) for n in range(201)]
    text = ",".join(a + b for a, b in pairwise(labels))
    rotation = np.array([[0.0, -1.0], [1.0, 0.0]])
    result = einsum(text, *[rotation] * 200, optimize=False)
    assert (result == np.eye(2)).all()  # 200 quarter turns


# --- what is malformed ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "headline", "carets"),
    [
        ("i->j->k", "more than one '->'", " ^^ ^^"),
        ("->->", "more than one '->'", "^^^^"),
        ("i-j", "'-' and '>' may only be used together, as '->'", " ^"),
        ("i>j", "'-' and '>' may only be used together, as '->'", " ^"),
        ("i>-j", "'-' and '>' may only be used together, as '->'", " ^^"),
        ("i-->j", "'-' and '>' may only be used together, as '->'", " ^^^"),
        ("i->>j", "'-' and '>' may only be used together, as '->'", " ^^^"),
        ("ij->i,j", "the output has a comma, but there is only one output", "     ^"),
        ("i,j -> i , j", "the output has a comma, but there is only one output", "         ^"),
        ("ij,j.k", "term 1 has a '.' that is not part of '...'", "    ^"),
        ("..", "term 0 has a '.' that is not part of '...'", "^^"),
        ("....", "term 0 has a '.' that is not part of '...'", "^^^^"),
        ("i->i.", "the output has a '.' that is not part of '...'", "    ^"),
        ("i,...j...->i", "term 1 has more than one '...'", "  ^   ^"),
        ("......", "term 0 has more than one '...'", "^  ^"),
        ("i...->......i", "the output has more than one '...'", "      ^  ^"),
        ("ij->iz", "output label 'z' occurs in no operand", "     ^"),
        ("ij->i j z", "output label 'z' occurs in no operand", "        ^"),
        ("->z", "output label 'z' occurs in no operand", "  ^"),
        ("ij->jij", "label 'j' is repeated in the output", "    ^ ^"),
        ("i...->... i i", "label 'i' is repeated in the output", "          ^ ^"),
    ],
)
def test_a_malformed_equation_points_at_the_place(text: str, headline: str, carets: str):
    with pytest.raises(EquationError) as caught:
        parse(text)
    assert str(caught.value).splitlines()[:3] == [headline, f"    {text}", f"    {carets}"]


def test_errors_name_the_way_out():
    with pytest.raises(EquationError, match=r"give an operand of ones with subscripts 'z'$"):
        parse("i->z")
    with pytest.raises(EquationError, match=r"an identity matrix: np.eye\(n\) with the two labels$"):
        parse("i->ii")


# --- bytes ----------------------------------------------------------------------------------------


def test_bytes_are_decoded_as_utf8(framework):
    x = np.arange(6.0).reshape(2, 3)
    result = einsum("ßj->jß".encode(), framework.tensor(x))
    assert (framework.numpy(result) == x.T).all()


def test_bytes_that_are_no_utf8_are_refused_with_the_position():
    with pytest.raises(EquationError, match="bytes that are not UTF-8, at position 2"):
        einsum(b"ij\xff", np.ones((2, 2)))


# --- sublists -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("i", "j", "k"),
    [
        (0, 1, 2),
        ("row", "inner", "column"),
        (None, (), frozenset()),
        (("a", 1), ("a", 2), b"x"),
        (np.int64(7), np.float64(0.5), np.str_("s")),
        (object(), int, len),
        ("->", ",", "..."),
    ],
)
def test_any_hashables_are_labels_in_sublists(framework, i, j, k):
    a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    result = einsum(framework.tensor(a), [i, j], framework.tensor(b), (j, k), [k, i])
    assert (framework.numpy(result) == (a @ b).T).all()


def test_labels_that_are_equal_are_one_label():
    x = np.arange(4.0).reshape(2, 2)
    assert einsum(x, [1, np.int64(1)], []) == np.trace(x)
    assert einsum(x, [1.0, True], []) == np.trace(x)


def test_the_text_for_dots_is_an_ordinary_label_beside_ellipsis():
    parsed = parse(sublists(["...", ...], output=[..., "..."]))
    assert parsed.output == (..., "...")


def test_sublists_are_spelled_out_for_messages():
    parsed = parse(sublists([0, ...], ["row", "->"], output=["row", ...]))
    assert str(parsed) == "[0, ...], ['row', '->'] -> ['row', ...]"
    assert parsed.sublists
    assert parsed.subscripts(1) == parsed.shown(1) == "['row', '->']"
    assert parsed.subscripts(2) == "['row', ...]"


@pytest.mark.parametrize(
    ("inputs", "output", "lines"),
    [
        ([[..., 0, ...]], None, ["term 0 has more than one '...'", "    [..., 0, ...]", "     ^       ^"]),
        (
            [[0]],
            [..., ...],
            ["the output has more than one '...'", "    [0] -> [..., ...]", "            ^    ^"],
        ),
        (
            [[0, 1], [10]],
            [0, 0],
            ["label 0 is repeated in the output", "    [0, 1], [10] -> [0, 0]", "                     ^  ^"],
        ),
        (
            [["a"]],
            ["a", "bc"],
            ["output label 'bc' occurs in no operand", "    ['a'] -> ['a', 'bc']", "                   ^"],
        ),
    ],
)
def test_malformed_sublists_point_at_the_place(inputs, output, lines):
    with pytest.raises(EquationError) as caught:
        parse(sublists(*inputs, output=output))
    assert str(caught.value).splitlines()[:3] == lines


@pytest.mark.parametrize("wrong", ["ij", b"ij", 5, None, {0, 1}, {0: 1}, iter([0])])
def test_a_sublist_is_a_list_or_tuple(wrong):
    with pytest.raises(EquationError) as caught:
        to_sublists([[0], wrong], None)
    kind = "an int" if wrong == 5 else f"a {type(wrong).__name__}"
    assert str(caught.value) == f"the sublist of operand 1 is {kind}, not a list or tuple of labels"


def test_the_output_of_sublists_is_a_list_too():
    with pytest.raises(EquationError, match="the output's sublist is an int, not a list or tuple"):
        to_sublists([[0]], 0)


def test_a_label_must_be_hashable():
    with pytest.raises(EquationError, match=r"^label \[1\] in the sublist of operand 0 is not hashable$"):
        to_sublists([[0, [1]]], None)


def test_a_tensor_is_no_label(framework):
    x = framework.tensor(np.arange(3))
    with pytest.raises(
        EquationError, match=r"a label in the sublist of operand 0 is an? .*: give plain values"
    ):
        einsum(x, [x[0] if framework.name != "numpy" else x], [])


def test_a_label_with_a_long_repr_is_clipped():
    parsed = parse(sublists(["x" * 1000], output=[]))
    assert len(str(parsed)) < 60
    assert "…" in str(parsed)


# --- positions ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [" ij , jkj ->  ik", "ij,jkj->ik", "\tij,\njkj-\n>ik "])
def test_find_gives_the_places_of_a_label_in_one_term(text: str):
    parsed = parse(text)
    places = [parsed.find(term, "j") for term in range(3)]
    assert [len(found) for found in places] == [1, 2, 0]
    assert all(text[p] == "j" for found in places for p in found)
    assert places[0][0] < text.index(",") < places[1][0]
    assert parsed.find(2, "i") == [text.rindex("i")]


def test_find_gives_the_first_dot_of_an_ellipsis():
    assert parse("i..., j . . .->...").find(1, ...) == [8]
    assert parse("i..., j . . .->...").find(2, ...) == [15]


def test_find_gives_the_places_in_sublists():
    parsed = parse(sublists([0, ...], [10, 0], output=[10]))
    assert str(parsed) == "[0, ...], [10, 0] -> [10]"
    assert [parsed.find(0, 0), parsed.find(0, ...), parsed.find(1, 0), parsed.find(2, 10)] == [
        [1],
        [4],
        [15],
        [22],
    ]


def test_start_gives_where_a_term_begins():
    assert [parse(" ij , jk -> k").start(n) for n in range(3)] == [1, 6, 12]
    assert [parse(",,->").start(n) for n in range(4)] == [0, 1, 2, 4]
    assert [parse(sublists([0, 1], [], output=[1])).start(n) for n in range(3)] == [0, 8, 14]


def test_shown_quotes_a_term_and_clips_it():
    parsed = parse("i...," + "j" * 100 + "->i")
    assert [parsed.shown(0), parsed.shown(2)] == ["'i...'", "'i'"]
    assert parsed.shown(1) == repr("j" * 59 + "…")
    assert parsed.subscripts(1) == "j" * 100


# --- the dataclass and its caches -----------------------------------------------------------------


def test_an_equation_is_frozen_hashable_and_prints_itself_back():
    parsed = parse(" i j -> j i ")
    assert str(parsed) == " i j -> j i "
    assert parsed == dataclasses.replace(parsed)
    assert hash(parsed) == hash(dataclasses.replace(parsed))
    with pytest.raises(dataclasses.FrozenInstanceError):
        parsed.text = "x"


def test_a_text_is_parsed_once():
    assert parse("ab,bc->ac") is parse("ab,bc->ac")
    assert parse(sublists([0], output=[])) is parse(sublists([0], output=[]))


def test_only_a_few_long_equations_are_kept():
    assert module._parse_short.cache_info().maxsize == 1024
    assert module._parse_long.cache_info().maxsize == 4
    for n in range(6):
        parse(" " * (module.LONG + n) + "i")
    assert module._parse_long.cache_info().currsize == 4
    for n in range(1100):
        parse(f"i{chr(0x4E00 + n)}->i")
    assert module._parse_short.cache_info().currsize == 1024


@pytest.mark.parametrize(
    ("equation", "long"),
    [
        ("i" * module.LONG, False),
        ("i" * (module.LONG + 1), True),
        (Sublists(((0,) * (module.LONG - 1),), None), False),
        (Sublists(((0,) * module.LONG,), None), True),
        (Sublists(((),) * (module.LONG + 1), None), True),
    ],
    ids=["text", "long text", "sublist", "long sublist", "many sublists"],
)
def test_length_is_counted_in_characters_or_labels(equation, long: bool):
    assert is_long(equation) is long


# --- hostile --------------------------------------------------------------------------------------

HOSTILE = """
import numpy as np
from einsum_unified import EquationError, OperandError, einsum
n = 1_000_000
texts = [c * (n // len(c)) for c in (",", ".", "...", "->", "-", ">", " ", "a", "a,", "...,", "!", "(", "\\0",
         "\\ufeff", "a->", ",->", "->,", "é", ". ")]
texts += ["a->" + "a" * n, "->" + "a" * n, "a," * (n // 2) + "->z", "a," * (n // 2) + "->,", "a," * (n // 2) +
          "....", "a" * n + "!", "a->" + " " * n + "z", "".join(map(chr, range(0x4E00, 0x9FFF))) * 50]
for text in texts:
    try:
        einsum(text, np.ones(3))
    except (EquationError, OperandError) as error:
        assert len(str(error)) < 1000
    else:
        raise SystemExit(text[:20])
for labels in (list(range(n)), [0] * n, [...] * n):
    for output in ([], [0] * n):
        try:
            einsum(np.ones(3), labels, output)
        except (EquationError, OperandError) as error:
            assert len(str(error)) < 1000
        else:
            raise SystemExit(str(labels[:9]))
print("done")
"""


@pytest.mark.slow
def test_hostile_equations_of_a_million_characters_end_in_a_short_error():
    done = subprocess.run(
        [sys.executable, "-c", HOSTILE], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.stdout == "done\n", done.stderr


def test_a_wrong_count_for_a_long_equation_points_at_the_first_term_without_an_operand():
    with pytest.raises(OperandError) as caught:
        einsum("ab," * 1000 + "ab", np.ones((2, 2)), np.ones((2, 2)))
    text, caret = str(caught.value).splitlines()[1:3]
    assert text.startswith("    ab,ab,ab,")
    assert text.endswith("…")
    assert caret == "    " + " " * 6 + "^"
