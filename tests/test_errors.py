"""The parts of errors: what programs read, beside the message that people read."""

from __future__ import annotations

import copy
import pickle
import re
from pathlib import Path

import numpy as np
import pytest

import einsum_unified
from einsum_unified import EinsumError, EquationError, OperandError, einsum, einsum_plan
from einsum_unified.wording import pointed

DOCUMENT = Path(__file__).parents[1] / "docs" / "errors.md"


class CodedError(EinsumError):
    """An error of somebody's, with a constructor of its own."""

    def __init__(self, *, code: int) -> None:
        super().__init__(f"code {code}")
        self.code = code


def test_a_derived_error_may_have_a_constructor_of_its_own():
    error = CodedError(code=3)
    assert (str(error), error.headline, error.code, error.marks) == ("code 3", "code 3", 3, ())


def ones(*shapes):
    return [np.ones(shape) for shape in shapes]


# Rule, class, equation, marked characters ("^" below them), and a call that breaks the rule.
BROKEN = [
    ("characters", EquationError, "i!j->",
                                  " ^   ", lambda: einsum("i!j->", *ones(2))),
    ("characters", EquationError, "i{j",
                                  " ^ ", lambda: einsum("i{j", *ones(2))),
    ("arrow", EquationError, "ij-j",
                             "  ^ ", lambda: einsum("ij-j", *ones((2, 3)))),
    ("arrow", EquationError, "i->j->i",
                             " ^^ ^^ ", lambda: einsum("i->j->i", *ones(2))),
    ("one output", EquationError, "i,j - > i,j",
                                  "         ^ ", lambda: einsum("i,j - > i,j", *ones(2, 3))),
    ("ellipsis", EquationError, "i, j..",
                                "    ^^", lambda: einsum("i, j..", *ones(2, 3))),
    ("ellipsis", EquationError, "...i. , j",
                                "^^^ ^    ", lambda: einsum("...i. , j", *ones(2, 3))),
    ("one ellipsis", EquationError, "i, ...j.. .",
                                    "   ^   ^   ", lambda: einsum("i, ...j.. .", *ones(2, 3))),
    ("one ellipsis", EquationError, "i->......",
                                    "   ^  ^  ", lambda: einsum("i->......", *ones(2))),
    ("one ellipsis", EquationError, "[0], [..., 1, ...]",
                                    "      ^       ^   ",
                                    lambda: einsum(np.ones(2), [0], np.ones(3), [..., 1, ...])),
    ("implicit output", EquationError, "[0, 'a']",
                                       "        ", lambda: einsum(np.ones((2, 3)), [0, "a"])),
    ("output label", EquationError, "i j->zz",
                                    "     ^^", lambda: einsum("i j->zz", *ones((2, 3)))),
    ("output label", EquationError, "[0, 1] -> [0, 20]",
                                    "              ^  ",
                                    lambda: einsum(np.ones((2, 3)), [0, 1], [0, 20])),
    ("repeated output", EquationError, "ij,jk->iki",
                                       "       ^ ^", lambda: einsum("ij,jk->iki", *ones((2, 3), (3, 4)))),
    ("explicit output", EquationError, "ij,jk ",
                                       "      ^",
                                       lambda: einsum("ij,jk ", *ones((2, 3), (3, 4)), strict=True)),
    ("no lone sums", EquationError, "ij,jll->i",
                                    "    ^^   ",
                                    lambda: einsum("ij,jll->i", *ones((2, 3), (3, 4, 4)), strict=True)),
    ("no broadcasting", OperandError, "ij,jk->ik",
                                      " ^ ^     ",
                                      lambda: einsum("ij,jk->ik", *ones((2, 1), (3, 4)), strict=True)),
    ("operand count", OperandError, "ij, jk , kl",
                                    "         ^ ", lambda: einsum("ij, jk , kl", *ones((2, 3), (3, 4)))),
    ("operand count", OperandError, "ij",
                                    "  ", lambda: einsum("ij", *ones((2, 3), (3, 4)))),
    ("number of axes", OperandError, "ij, jkl",
                                     "    ^  ", lambda: einsum("ij, jkl", *ones((2, 3), (3, 4)))),
    ("diagonal", OperandError, "ij,kkk",
                               "   ^^^", lambda: einsum("ij,kkk", *ones((2, 3), (3, 3, 4)))),
    ("sizes", OperandError, "ij,jk->ik",
                            " ^ ^     ", lambda: einsum("ij,jk->ik", *ones((2, 3), (4, 5)))),
    ("sizes", OperandError, "i...,j,...k->",
                            " ^     ^     ", lambda: einsum("i...,j,...k->", *ones((2, 3), 4, (5, 6)))),
    ("shapes of the plan", OperandError, "ij,jk",
                                         "     ", lambda: einsum_plan("ij,jk", (2, 3), (3, 4))(
                                             *ones((2, 3), (3, 5)))),
]  # fmt: skip
broken = pytest.mark.parametrize(
    ("rule", "cls", "equation", "carets", "call"), BROKEN, ids=[f"{row[0]}: {row[2]}" for row in BROKEN]
)


@broken
def test_an_error_has_its_rule_its_equation_and_the_places_in_it(rule, cls, equation, carets, call):
    with pytest.raises(cls) as caught:
        call()
    error = caught.value
    assert (error.rule, error.equation) == (rule, equation)
    assert error.marks == tuple(n for n, c in enumerate(carets) if c == "^")


@broken
def test_a_message_is_made_of_the_parts(rule, cls, equation, carets, call):
    with pytest.raises(cls) as caught:
        call()
    error = caught.value
    headline, shown, *rest = str(error).split("\n")
    assert headline == error.headline
    assert shown == "    " + equation
    if carets.strip():
        assert rest.pop(0) == f"    {carets}".rstrip()
    assert rest == [f"  {note}" for note in error.notes]
    assert error.args == (str(error),)


@broken
@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_a_copied_or_pickled_error_keeps_message_and_parts(rule, cls, equation, carets, call, again):
    with pytest.raises(cls) as caught:
        call()
    error = again(caught.value)
    assert type(error) is cls
    for name in ("args", "headline", "equation", "marks", "notes", "rule"):
        assert getattr(error, name) == getattr(caught.value, name)


def test_the_rules_are_those_of_the_document():
    rows = re.findall(r"^\| `(.+?)` \| (\w+) \|", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    assert len(rows) == len(set(rows))
    assert {(rule, cls.__name__) for rule, cls, *_ in BROKEN} == set(rows)


def test_the_rules_are_those_in_the_source():
    root = Path(einsum_unified.__file__).parent
    source = "\n".join(path.read_text("utf-8") for path in sorted(root.rglob("*.py")))
    assert set(re.findall(r"\brule=\"(.+?)\"", source)) == {rule for rule, *_ in BROKEN}


def test_an_error_of_one_sentence_has_no_other_parts():
    with pytest.raises(einsum_unified.PathError) as caught:
        einsum("i,i,i->", *ones(2, 2, 2), optimize="nonsense")
    error = caught.value
    assert error.headline == str(error)
    assert (error.equation, error.marks, error.notes, error.rule) == ("", (), (), "")
    assert EinsumError().headline == ""


# --- the window of a long message -----------------------------------------------------------------

# Every character is another one, so that each shows its position.
TEXT = "".join(chr(0x4E00 + n) for n in range(1000))


@pytest.mark.parametrize(
    ("length", "marks", "start", "stop", "carets"),
    [
        # All of it fits.
        (72, [0], 0, 72, [0]),
        (72, [71], 0, 72, [71]),
        (72, [72], 0, 72, [72]),
        (72, [0, 40, 72], 0, 72, [0, 40, 72]),
        # The beginning: there are 8 characters before the first mark, as soon as there can be.
        (73, [0], 0, 72, [0]),
        (300, [0], 0, 72, [0]),
        (300, [8], 0, 72, [8]),
        (300, [9], 1, 73, [9]),
        (300, [3, 71], 0, 72, [3, 71]),
        (300, [3, 72], 0, 72, [3]),
        # The middle.
        (300, [150], 142, 214, [150]),
        (300, [150, 213], 142, 214, [150, 213]),
        (300, [150, 214], 142, 214, [150]),
        (300, [213, 150], 142, 214, [150, 213]),
        # The end: the window is full there, too.
        (73, [72], 1, 73, [72]),
        (73, [73], 1, 73, [73]),
        (300, [236], 228, 300, [236]),
        (300, [237], 228, 300, [237]),
        (300, [299], 228, 300, [299]),
        (300, [300], 228, 300, [300]),
        # More than a window between the marks: the first is shown.
        (300, [0, 299], 0, 72, [0]),
        (300, [100, 299, 300], 92, 164, [100]),
        (1000, [500, 999], 492, 564, [500]),
        # Without marks it is the beginning.
        (72, [], 0, 72, None),
        (300, [], 0, 72, None),
    ],
)
def test_a_long_text_is_shown_around_the_first_mark(length, marks, start, stop, carets):
    text = TEXT[:length]
    shown, *below = pointed(text, marks)
    lead, tail = "…" if start > 0 else "", "…" if stop < length else ""
    assert shown == f"    {lead}{TEXT[start:stop]}{tail}"
    if carets is None:
        assert below == []
        return
    (line,) = below
    assert set(line) == {" ", "^"}
    columns = [column for column, c in enumerate(line) if c == "^"]
    padded = shown + "|"  # a mark may be behind the text
    assert [padded[column] for column in columns] == [(text + "|")[mark] for mark in carets]


def test_an_unprintable_character_is_spelled_out_and_carets_stay_in_place():
    assert pointed("a\u200b\n\x1bb\ud800c", [4, 5, 6]) == [
        r"    a\u200b \x1bb\ud800c",
        "                ^^^^^^^^",
    ]


def test_a_mark_is_spelled_out_in_text_and_stays_on_its_letter_in_names():
    assert pointed("xe\u0301,y", [4]) == [r"    xe\u0301,y", "             ^"]
    assert pointed("['e\u0301'], [0]", [8]) == ["    ['e\u0301'], [0]", "           ^"]
