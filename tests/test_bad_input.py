"""Every message in full, the same on every framework; and operands and ``out`` as they were after it.

The table is written as a user would see it: a line with the arguments (a tuple is a float32 tensor of
that shape, anything else is handed on as it is), then the error.
"""

from __future__ import annotations

import ast

import numpy as np
import opt_einsum
import pytest
from conftest import available
from frameworks import FRAMEWORKS, KNOWN, Framework

import einsum_unified
from einsum_unified import EquationError, einsum, einsum_plan

# FW stands for the framework's name. Rows are those of the specification.
MESSAGES = """
# 2: ellipsis

"...i...->i", (2, 3)
EquationError: term 0 has more than one '...'
    ...i...->i
    ^   ^

"ij,...k...->i", (2, 3), (2, 3)
EquationError: term 1 has more than one '...'
    ij,...k...->i
       ^   ^

"...i->...i...", (2, 3)
EquationError: the output has more than one '...'
    ...i->...i...
          ^   ^

"...i->......", (2, 3)
EquationError: the output has more than one '...'
    ...i->......
          ^  ^

"..i->i", (2, 3)
EquationError: term 0 has a '.' that is not part of '...'
    ..i->i
    ^^

"i,....j->i", (2,), (2, 3)
EquationError: term 1 has a '.' that is not part of '...'
    i,....j->i
      ^^^^

"i->.i", (2,)
EquationError: the output has a '.' that is not part of '...'
    i->.i
       ^

"...i,...i->...i", (4, 2, 3), (5, 2, 3)
OperandError: axis -2 of '...' is 4 in operand 0 but 5 in operand 1
    ...i,...i->...i
    ^    ^
  operand 0 '...i': shape (4, 2, 3), FW.float32
  operand 1 '...i': shape (5, 2, 3), FW.float32

"i...,...->...", (3, 4, 2), (5, 2)
OperandError: axis -2 of '...' is 4 in operand 0 but 5 in operand 1
    i...,...->...
     ^   ^
  operand 0 'i...': shape (3, 4, 2), FW.float32
  operand 1 '...': shape (5, 2), FW.float32

"...,i...,...i->i", (1, 5), (3, 2, 5), (2, 4, 3)
OperandError: axis -1 of '...' is 5 in operand 0 but 4 in operand 2
    ...,i...,...i->i
    ^        ^
  operand 0 '...': shape (1, 5), FW.float32
  operand 2 '...i': shape (2, 4, 3), FW.float32

"i...j,jk->i...k", (2, 7, 3), (4, 5)
OperandError: label 'j' is 3 in operand 0 but 4 in operand 1
    i...j,jk->i...k
        ^ ^
  operand 0 'i...j': shape (2, 7, 3), FW.float32
  operand 1 'jk': shape (4, 5), FW.float32

"...ij->i", (2,)
OperandError: operand 0 has 1 axis but its subscripts '...ij' name at least 2
    ...ij->i
    ^
  operand 0 '...ij': shape (2,), FW.float32

# 3: sizes

"ij,jk->ik", (2, 3), (4, 5)
OperandError: label 'j' is 3 in operand 0 but 4 in operand 1
    ij,jk->ik
     ^ ^
  operand 0 'ij': shape (2, 3), FW.float32
  operand 1 'jk': shape (4, 5), FW.float32

"ij,jk->ik", (2, 4), (3, 5)
OperandError: label 'j' is 4 in operand 0 but 3 in operand 1
    ij,jk->ik
     ^ ^
  operand 0 'ij': shape (2, 4), FW.float32
  operand 1 'jk': shape (3, 5), FW.float32

"ij,kj->ik", (2, 3), (3, 4)
OperandError: label 'j' is 3 in operand 0 but 4 in operand 1
    ij,kj->ik
     ^  ^
  operand 0 'ij': shape (2, 3), FW.float32
  operand 1 'kj': shape (3, 4), FW.float32

"ij,jk", (2, 3), (4, 5)
OperandError: label 'j' is 3 in operand 0 but 4 in operand 1
    ij,jk
     ^ ^
  operand 0 'ij': shape (2, 3), FW.float32
  operand 1 'jk': shape (4, 5), FW.float32

"ij,jk,kl->il", (2, 3), (3, 4), (5, 6)
OperandError: label 'k' is 4 in operand 1 but 5 in operand 2
    ij,jk,kl->il
        ^ ^
  operand 1 'jk': shape (3, 4), FW.float32
  operand 2 'kl': shape (5, 6), FW.float32

"ij,jk,jl->", (2, 1), (3, 4), (5, 6)
OperandError: label 'j' is 3 in operand 1 but 5 in operand 2
    ij,jk,jl->
       ^  ^
  operand 1 'jk': shape (3, 4), FW.float32
  operand 2 'jl': shape (5, 6), FW.float32

"i,i->", (0,), (3,)
OperandError: label 'i' is 0 in operand 0 but 3 in operand 1
    i,i->
    ^ ^
  operand 0 'i': shape (0,), FW.float32
  operand 1 'i': shape (3,), FW.float32

"i,i->", (3,), (0,)
OperandError: label 'i' is 3 in operand 0 but 0 in operand 1
    i,i->
    ^ ^
  operand 0 'i': shape (3,), FW.float32
  operand 1 'i': shape (0,), FW.float32

"i i j, j -> i", (2, 2, 3), (4,)
OperandError: label 'j' is 3 in operand 0 but 4 in operand 1
    i i j, j -> i
        ^  ^
  operand 0 'iij': shape (2, 2, 3), FW.float32
  operand 1 'j': shape (4,), FW.float32

"ii,i->i", (2, 2), (3,)
OperandError: label 'i' is 2 in operand 0 but 3 in operand 1
    ii,i->i
    ^^ ^
  operand 0 'ii': shape (2, 2), FW.float32
  operand 1 'i': shape (3,), FW.float32

"αβ,βγ->αγ", (2, 3), (4, 5)
OperandError: label 'β' is 3 in operand 0 but 4 in operand 1
    αβ,βγ->αγ
     ^ ^
  operand 0 'αβ': shape (2, 3), FW.float32
  operand 1 'βγ': shape (4, 5), FW.float32

"ii->i", (1, 3)
OperandError: label 'i' is repeated in operand 0 with sizes 1 and 3
    ii->i
    ^^
  operand 0 'ii': shape (1, 3), FW.float32
  a diagonal needs equal sizes: 1 does not broadcast here

"k,iji->j", (2,), (2, 5, 3)
OperandError: label 'i' is repeated in operand 1 with sizes 2 and 3
    k,iji->j
      ^ ^
  operand 1 'iji': shape (2, 5, 3), FW.float32
  a diagonal needs equal sizes: 1 does not broadcast here

"i...i->i", (2, 9, 3)
OperandError: label 'i' is repeated in operand 0 with sizes 2 and 3
    i...i->i
    ^   ^
  operand 0 'i...i': shape (2, 9, 3), FW.float32
  a diagonal needs equal sizes: 1 does not broadcast here

# 4: repeated labels in the output

"ij->ii", (2, 3)
EquationError: label 'i' is repeated in the output
    ij->ii
        ^^
  to put values on a diagonal, multiply by an identity matrix: np.eye(n) with the two labels

"i,j -> i j i", (2,), (3,)
EquationError: label 'i' is repeated in the output
    i,j -> i j i
           ^   ^
  to put values on a diagonal, multiply by an identity matrix: np.eye(n) with the two labels

# 5: unknown output labels

"ij->iz", (2, 3)
EquationError: output label 'z' occurs in no operand
    ij->iz
         ^
  to add an axis, reshape the result, or give an operand of ones with subscripts 'z'

"ij->J", (2, 3)
EquationError: output label 'J' occurs in no operand
    ij->J
        ^
  to add an axis, reshape the result, or give an operand of ones with subscripts 'J'

",->k", (), ()
EquationError: output label 'k' occurs in no operand
    ,->k
       ^
  to add an axis, reshape the result, or give an operand of ones with subscripts 'k'

# 6: whitespace. What would break the line or hide itself is spelled out.

"ij\\u00a0,jk->ik", (2, 3), (3, 4)
EquationError: U+00A0 NO-BREAK SPACE is neither a label nor whitespace that is dropped
    ij\\xa0,jk->ik
      ^^^^
  only space, tab, newline, carriage return, vertical tab and form feed are dropped

"i\\u200bj->ji", (2, 3)
OperandError: operand 0 has 2 axes but its subscripts 'i\\u200bj' name 3
    i\\u200bj->ji
    ^
  operand 0 'i\\u200bj': shape (2, 3), FW.float32
  '\\u200b' (ZERO WIDTH SPACE) is a label here

"i\\tj\\n\\u2028->ji", (2, 3)
OperandError: operand 0 has 2 axes but its subscripts 'ij\\u2028' name 3
    i j \\u2028->ji
    ^
  operand 0 'ij\\u2028': shape (2, 3), FW.float32
  '\\u2028' (LINE SEPARATOR) is a label here: only ASCII white space is dropped

"…ij,…jk->…ik", (2, 3), (3, 4)
OperandError: operand 0 has 2 axes but its subscripts '…ij' name 3
    …ij,…jk->…ik
    ^
  operand 0 '…ij': shape (2, 3), FW.float32
  '…' is a label here: the ellipsis is '...'

"ij，jk->ik", (2, 3), (3, 4)
OperandError: the equation has 1 term but 2 operands were given
    ij，jk->ik
  operand 0 'ij，jk': shape (2, 3), FW.float32
  '，' is a label here: the comma is ','

"batch i, i j -> batch j", (2, 3), (3, 4)
OperandError: operand 0 has 2 axes but its subscripts 'batchi' name 6
    batch i, i j -> batch j
    ^
  operand 0 'batchi': shape (2, 3), FW.float32
  white space does not separate names: each character is a label
  write a letter for each axis, or lists of names: einsum(x, ['batch', 'i'], y, ['i', 'j'], ['batch', 'j'])

"seq heads -> heads seq", (2, 3)
EquationError: label 'e' is repeated in the output
    seq heads -> heads seq
                  ^     ^
  white space does not separate names: each character is a label
  write a letter for each axis, or lists of names: einsum(x, ['seq', 'heads'], ['heads', 'seq'])

(2, 3), (3, 4), "ij,jk->ik"
EquationError: the equation comes first: einsum('ij,jk->ik', ...)

(2, 3), b"ij->ji"
EquationError: the equation comes first: einsum('ij->ji', ...)

"i\\x00j->ji", (2, 3)
EquationError: U+0000 is neither a label nor whitespace that is dropped
    i\\x00j->ji
     ^^^^
  only space, tab, newline, carriage return, vertical tab and form feed are dropped

# 7: labels

"i;j->ij", (2, 3)
EquationError: ';' is not a label
    i;j->ij
     ^
  labels are letters, digits, '_' and non-ASCII symbols; other punctuation is reserved

"(ij)k->ij", (2, 3)
EquationError: '(' is not a label
    (ij)k->ij
    ^
  labels are letters, digits, '_' and non-ASCII symbols; other punctuation is reserved

"ij->i'", (2, 3)
EquationError: "'" is not a label
    ij->i'
         ^
  labels are letters, digits, '_' and non-ASCII symbols; other punctuation is reserved

"ij>ji", (2, 3)
EquationError: '-' and '>' may only be used together, as '->'
    ij>ji
      ^

"ij-ji", (2, 3)
EquationError: '-' and '>' may only be used together, as '->'
    ij-ji
      ^

"ij=>ji", (2, 3)
EquationError: '=' is not a label
    ij=>ji
      ^
  labels are letters, digits, '_' and non-ASCII symbols; other punctuation is reserved

"ij- ->ji", (2, 3)
EquationError: '-' and '>' may only be used together, as '->'
    ij- ->ji
      ^ ^^

"ij->ji->ij", (2, 3)
EquationError: more than one '->'
    ij->ji->ij
      ^^  ^^

"ij->i,j", (2, 3)
EquationError: the output has a comma, but there is only one output
    ij->i,j
         ^

"ij,jk -> i , k", (2, 3), (3, 4)
EquationError: the output has a comma, but there is only one output
    ij,jk -> i , k
               ^

"ij→ji", (2, 3)
OperandError: operand 0 has 2 axes but its subscripts 'ij→ji' name 5
    ij→ji
    ^
  operand 0 'ij→ji': shape (2, 3), FW.float32
  '→' is a label here: the arrow is '->'

# 8: the interleaved form

(2, 3), [0, 1], (4, 5), [1, 2], [0, 2]
OperandError: label 1 is 3 in operand 0 but 4 in operand 1
    [0, 1], [1, 2] -> [0, 2]
        ^    ^
  operand 0 [0, 1]: shape (2, 3), FW.float32
  operand 1 [1, 2]: shape (4, 5), FW.float32

(2, 3), ["row", "column"], (4,), ["column"]
OperandError: label 'column' is 3 in operand 0 but 4 in operand 1
    ['row', 'column'], ['column']
            ^           ^
  operand 0 ['row', 'column']: shape (2, 3), FW.float32
  operand 1 ['column']: shape (4,), FW.float32

(2, 3, 4), [..., 0], (5, 4), [..., 0], [...]
OperandError: axis -1 of '...' is 3 in operand 0 but 5 in operand 1
    [..., 0], [..., 0] -> [...]
     ^         ^
  operand 0 [..., 0]: shape (2, 3, 4), FW.float32
  operand 1 [..., 0]: shape (5, 4), FW.float32

(2, 3), ["row", "column"], ["x"]
EquationError: output label 'x' occurs in no operand
    ['row', 'column'] -> ['x']
                          ^
  to add an axis, reshape the result, or give an operand of ones with subscripts 'x'

(2, 3), [10, 2], [10, 10]
EquationError: label 10 is repeated in the output
    [10, 2] -> [10, 10]
                ^   ^
  to put values on a diagonal, multiply by an identity matrix: np.eye(n) with the two labels

(2, 3), [..., 0, ...]
EquationError: term 0 has more than one '...'
    [..., 0, ...]
     ^       ^

(2, 3), [..., 0], [0, ..., ...]
EquationError: the output has more than one '...'
    [..., 0] -> [0, ..., ...]
                    ^    ^

(2, 3), [0], [0]
OperandError: operand 0 has 2 axes but its subscripts [0] name 1
    [0] -> [0]
    ^
  operand 0 [0]: shape (2, 3), FW.float32
  to allow further axes, write '...': [..., 0]

(2,), [0], (3,), [1, 2], [0]
OperandError: operand 1 has 1 axis but its subscripts [1, 2] name 2
    [0], [1, 2] -> [0]
         ^
  operand 1 [1, 2]: shape (3,), FW.float32

(2, 3), "ij"
EquationError: the sublist of operand 0 is a str, not a list or tuple of labels

(2, 3), [0, 1], "ij"
EquationError: the output's sublist is a str, not a list or tuple of labels

(2, 3), [0, 1], (4, 5), {1, 2}
EquationError: the sublist of operand 1 is a set, not a list or tuple of labels

(2, 3), [0, [1]]
EquationError: label [1] in the sublist of operand 0 is not hashable

(2, 3), [0, 1], [{}]
EquationError: label {} in the output's sublist is not hashable

b"ij\\xff->ij", (2, 3)
EquationError: the equation is bytes that are not UTF-8, at position 2

# 9: counts, ranks, numbers and lists

"ij,jk->ik", (2, 3)
OperandError: the equation has 2 terms but 1 operand was given
    ij,jk->ik
       ^
  operand 0 'ij': shape (2, 3), FW.float32

"a, b, c, d ->", (2,), (3,)
OperandError: the equation has 4 terms but 2 operands were given
    a, b, c, d ->
          ^
  operand 0 'a': shape (2,), FW.float32
  operand 1 'b': shape (3,), FW.float32

"ij"
OperandError: the equation has 1 term but 0 operands were given
    ij
    ^

"ijk->i", (2, 3)
OperandError: operand 0 has 2 axes but its subscripts 'ijk' name 3
    ijk->i
    ^
  operand 0 'ijk': shape (2, 3), FW.float32

"i->i", (2, 3)
OperandError: operand 0 has 2 axes but its subscripts 'i' name 1
    i->i
    ^
  operand 0 'i': shape (2, 3), FW.float32
  to allow further axes, write '...': '...i'

"i,ij->", (2,), (3,)
OperandError: operand 1 has 1 axis but its subscripts 'ij' name 2
    i,ij->
      ^
  operand 1 'ij': shape (3,), FW.float32

"i, j -> ij", (2,), ()
OperandError: operand 1 has 0 axes but its subscripts 'j' name 1
    i, j -> ij
       ^
  operand 1 'j': shape (), FW.float32

"", (2,)
OperandError: operand 0 has 1 axis but its subscripts '' name 0
  operand 0 '': shape (2,), FW.float32
  to allow further axes, write '...': '...'

"i,j->ij", 2.0, (3,)
OperandError: operand 0 has 0 axes but its subscripts 'i' name 1
    i,j->ij
    ^
  operand 0 'i': shape (), Python float

"ij,jk->ik", (2, 3), [[1, 2], [3, 4]]
OperandError: label 'j' is 3 in operand 0 but 2 in operand 1
    ij,jk->ik
     ^ ^
  operand 0 'ij': shape (2, 3), FW.float32
  operand 1 'jk': shape (2, 2), Python int

"i,ij->", (2,), []
OperandError: operand 1 has 1 axis but its subscripts 'ij' name 2
    i,ij->
      ^
  operand 1 'ij': shape (0,), Python float

"ij,ij->ij", (2, 2), [[1, 2], [3]]
OperandError: operand 1 is a nested list whose rows differ in length

"ij,i->ij", (2, 3), ["a", "b"]
OperandTypeError: operand 1 is a list that holds a str
  a list may hold only Python numbers and NumPy arrays; join tensors with their framework's stack

"i,i->", (2,), [1, None]
OperandTypeError: operand 1 is a list that holds a NoneType
  a list may hold only Python numbers and NumPy arrays; join tensors with their framework's stack

"i,i->", (2,), None
OperandTypeError: operand 1 is a NoneType, which is not an array of a known library
  known: KNOWN; others can be added with einsum_unified.register_backend

"i,i->", "ab", (2,)
OperandTypeError: operand 0 is a str, which is not an array of a known library
  known: KNOWN; others can be added with einsum_unified.register_backend

"i,i->", (2,), {1: 2}
OperandTypeError: operand 1 is a dict, which is not an array of a known library
  known: KNOWN; others can be added with einsum_unified.register_backend
"""


def cases() -> list:
    blocks = [block for block in MESSAGES.strip().split("\n\n") if not block.startswith("# ")]
    pairs = [block.partition("\n")[::2] for block in blocks]
    return [pytest.param(ast.literal_eval(f"({call},)"), text, id=call) for call, text in pairs]


def assert_raises(text: str, function, *arguments, **keywords) -> None:
    """Assert that a call raises this very class with this very message."""
    name, _, message = text.partition(": ")
    with pytest.raises(getattr(einsum_unified, name)) as caught:
        function(*arguments, **keywords)
    assert type(caught.value).__name__ == name
    assert str(caught.value) == message


def filled(framework: Framework, shape: tuple[int, ...], dtype: str = "float32"):
    return framework.tensor(np.arange(1.0, 1.0 + np.prod(shape)).reshape(shape), dtype)


@pytest.mark.parametrize(("arguments", "text"), cases())
def test_the_message_is_the_same_on_every_framework(framework, arguments, text):
    items = [filled(framework, x) if isinstance(x, tuple) else x for x in arguments]
    before = [
        framework.numpy(x).copy() for x, a in zip(items, arguments, strict=True) if isinstance(a, tuple)
    ]
    assert_raises(text.replace("FW", framework.name).replace("KNOWN", KNOWN), einsum, *items)
    after = [framework.numpy(x) for x, a in zip(items, arguments, strict=True) if isinstance(a, tuple)]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("arguments", "text"), cases())
def test_out_is_untouched_after_an_error(framework, arguments, text):
    items = [filled(framework, x) if isinstance(x, tuple) else x for x in arguments]
    out = filled(framework, (2, 2))
    # A tensor that cannot be written to is no reason to hide what is wrong with the equation.
    assert_raises(text.replace("FW", framework.name).replace("KNOWN", KNOWN), einsum, *items, out=out)
    np.testing.assert_array_equal(framework.numpy(out), [[1, 2], [3, 4]])


@pytest.mark.parametrize("before", [0, 1, 50, 71, 72, 500, 100_000])
def test_a_long_equation_is_shown_around_the_mark(framework, before):
    equation = "i" * before + "!" + "j" * 500
    with pytest.raises(einsum_unified.EquationError) as caught:
        einsum(equation, filled(framework, (2,)))
    headline, shown, caret, _ = str(caught.value).splitlines()
    assert headline == "'!' is not a label"
    assert shown.strip(" …") in equation
    assert shown[caret.index("^")] == "!"
    assert caret.strip() == "^"
    assert len(shown) < 80


# --- 9: numbers that the tensor's dtype cannot hold -----------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "number", "text"),
    [
        ("int8", 300, "operand 1 has the Python int 300, which int8 cannot hold (-128 to 127)"),
        ("int8", [1, -129], "operand 1 has the Python int -129, which int8 cannot hold (-128 to 127)"),
        ("uint8", -1, "operand 1 has the Python int -1, which uint8 cannot hold (0 to 255)"),
        ("int32", 2**31, "operand 1 has the Python int 2147483648, "
                         "which int32 cannot hold (-2147483648 to 2147483647)"),
        ("uint16", [65536, 5], "operand 1 has the Python int 65536, which uint16 cannot hold (0 to 65535)"),
        ("int64", 2**70, "operand 1 has the Python int 1180591620717411303424, "
                         "which int64 cannot hold (-9223372036854775808 to 9223372036854775807)"),
    ],
)  # fmt: skip
def test_a_python_int_out_of_range_is_an_error_not_a_wrong_number(framework, dtype, number, text):
    a = filled(framework, (2,), dtype)
    assert_raises(f"OperandError: {text}", einsum, f"i,{'i' * isinstance(number, list)}->i", a, number)
    np.testing.assert_array_equal(framework.numpy(a), [1, 2])


# --- 14: what does not go together ------------------------------------------------------------------


def test_two_frameworks_are_named_with_their_operands(torch, tf):
    a, b = torch.ones(2), tf.ones(2)
    text = "OperandTypeError: operand {} is a {} but operand {} a {}: convert one of them"
    names = "torch Tensor", "tensorflow EagerTensor"
    assert_raises(text.format(0, names[0], 1, names[1]), einsum, "i,i->", a, b)
    assert_raises(text.format(0, names[1], 1, names[0]), einsum, "i,i->", b, a)
    assert_raises(text.format(1, names[1], 2, names[0]), einsum, "i,i,i->", np.ones(2), b, a)
    assert_raises(text.format(1, names[0], 3, names[1]), einsum, ",i,,i->", 2.0, a, 2.0, b)
    np.testing.assert_array_equal(a, [1, 1])
    np.testing.assert_array_equal(b, [1, 1])


def test_two_devices_are_named(torch):
    a, b = torch.ones(2), torch.ones(2, device="meta")
    text = "OperandTypeError: tensors are on different devices: {} and {}"
    assert_raises(text.format("cpu", "meta"), einsum, "i,i->", a, b)
    assert_raises(text.format("meta", "cpu"), einsum, "i,i->", b, a)
    assert_raises(text.format("cpu", "meta"), einsum, "i,i,i->", a, a, b)


@pytest.mark.parametrize(
    ("array", "dtype"),
    [
        (np.array(["a", "b"]), "str32"),
        (np.array(["2020-01-01", "2020-01-02"], "datetime64[D]"), "datetime64[D]"),
        (np.array([1, 2], "timedelta64[s]"), "timedelta64[s]"),
        (np.zeros(2, [("x", "float64")]), "void64"),
    ],
    ids=["text", "date", "duration", "record"],
)
def test_an_array_that_does_not_hold_numbers_is_an_error(framework, array, dtype):
    text = f"OperandTypeError: operand 1 has dtype numpy.{dtype}, which is not numeric"
    before = array.copy()
    assert_raises(text, einsum, "i,i->", filled(framework, (2,)), array)
    assert (array == before).all()


LACKED = [np.array([1, 2], object)]
if np.dtype(np.longdouble).itemsize > 8:  # on some platforms it is float64
    LACKED.append(np.ones(2, np.longdouble))


@pytest.mark.parametrize("array", LACKED, ids=lambda array: array.dtype.name)
@pytest.mark.parametrize("cls", FRAMEWORKS[1:], ids=lambda cls: cls.name)
def test_an_array_of_a_dtype_that_the_tensors_lack_is_an_error(cls, array):
    dtype = f"numpy.{array.dtype.name}"
    text = f"OperandTypeError: operand 1 has dtype {dtype}, which {cls.name} cannot compute with"
    assert_raises(text, einsum, "i,i->", filled(available(cls), (2,)), array)


# --- 11: dtypes without a common one --------------------------------------------------------------------


def assert_do_not_promote(framework: Framework, one: str, other: str) -> None:
    text = (
        f"OperandTypeError: {one} and {other} do not promote to a common dtype: "
        "cast an operand, or give dtype=\n"
        f"  operand 0: shape (2,), {framework.name}.{one}\n"
        f"  operand 1: shape (2,), {framework.name}.{other}"
    )
    operands = [filled(framework, (2,), dtype) for dtype in (one, other)]
    assert_raises(text, einsum, "i,i->", *operands)
    np.testing.assert_array_equal(framework.numpy(operands[0]), [1, 2])


@pytest.mark.parametrize(
    ("one", "other"),
    [("float8_e5m2", "float8_e4m3fn"), ("float8_e4m3fn", "bfloat16"), ("int32", "float8_e4m3fn")],
)
def test_dtypes_that_do_not_promote_are_named_with_a_way_out(framework, one, other):
    assert_do_not_promote(framework, one, other)


@pytest.mark.parametrize(
    ("one", "other"), [("uint64", "int64"), ("int8", "uint64"), ("float32", "float8_e5m2")]
)
@pytest.mark.parametrize("cls", FRAMEWORKS[1:], ids=lambda cls: cls.name)  # NumPy's table has these
def test_dtypes_that_do_not_promote_outside_numpy_are_named_too(cls, one, other):
    assert_do_not_promote(available(cls), one, other)


# --- 16: keywords ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("keyword", "value"), [("casting", "no"), ("order", "C"), ("backend", "numpy")])
def test_an_unknown_keyword_is_a_type_error_that_lists_the_known(framework, keyword, value):
    a, out = filled(framework, (2,)), filled(framework, ())
    with pytest.raises(TypeError) as caught:
        einsum("i->", a, out=out, **{keyword: value})
    known = "optimize, dtype, out, hints, strict"
    assert str(caught.value) == f"einsum() got an unknown keyword {keyword!r}; known: {known}"
    np.testing.assert_array_equal(framework.numpy(out), 1)


@pytest.mark.parametrize(
    ("optimize", "text"),
    [
        ("fast", "optimize='fast' is not a strategy; known strategies include: "
                 "auto, auto-hq, optimal, dp, greedy, random-greedy, branch-all, branch-2, branch-1"),
        (3, "optimize=3 is not a bool, None, strategy name, (name, limit), path or PathOptimizer"),
        ({}, "optimize={} is not a bool, None, strategy name, (name, limit), path or PathOptimizer"),
        (("greedy", -1), "the limit of optimize=(name, limit) is -1, not a number of elements"),
        (("greedy", "all"), "the limit of optimize=(name, limit) is 'all', not a number of elements"),
        ([(0, 3), (0, 1)], "step 0, (0, 3), names operand 3 but 3 operands are left (0 to 2)"),
        ([(0, 1), (0, 2)], "step 1, (0, 2), names operand 2 but 2 operands are left (0 to 1)"),
        ([(0, -1), (0, 1)], "step 0, (0, -1), names operand -1 but 3 operands are left (0 to 2)"),
        ([(0, 1)], "the path leaves 2 operands; one must remain"),
        ([], "the path leaves 3 operands; one must remain"),
        ([(0, 0), (0, 1)], "step 0 of the path, (0, 0), must name different operands, at least one"),
        ([(0, 1), ()], "step 1 of the path, (), must name different operands, at least one"),
        (["einsum_path", "a"], "step 0 of the path is 'a', not a tuple of operand positions"),
        ([(0, 1), 3], "step 1 of the path is 3, not a tuple of operand positions"),
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_optimize_is_a_path_error(framework, optimize, text):
    a = filled(framework, (2,))
    assert_raises(f"PathError: {text}", einsum, "i,i,i->", a, a, a, optimize=optimize)
    np.testing.assert_array_equal(framework.numpy(a), [1, 2])


@pytest.mark.parametrize("dtype", ["float33", "str", 5, np.dtype("datetime64[s]"), "", object], ids=repr)
def test_dtype_must_be_one_that_the_framework_can_compute_with(framework, dtype):
    text = f"OperandTypeError: dtype={dtype!r} is not a dtype that {framework.name} can compute with"
    assert_raises(text, einsum, "i->", filled(framework, (2,)), dtype=dtype)


@pytest.mark.parametrize(
    ("held", "dtype", "kind"),
    [
        ("float32", "int32", "float"),
        ("complex64", "float64", "complex"),
        ("float32", "bool", "float"),
        ("int32", "bool", "int"),
        ("bfloat16", "uint8", "float"),
    ],
)
def test_dtype_must_hold_each_operands_values(framework, held, dtype, kind):
    a, b = filled(framework, (2,), dtype), filled(framework, (2,), held)
    text = (
        f"OperandTypeError: dtype={dtype} cannot hold the values of operand 1, which is {kind} "
        f"(shape (2,), {framework.name}.{held})\n  cast the operand first if its values may change"
    )
    assert_raises(text, einsum, "i,i->", a, b, dtype=dtype)


def test_dtype_must_hold_a_python_number(framework):
    text = (
        "OperandTypeError: dtype=int32 cannot hold the values of operand 1, which is float "
        "(shape (), Python float)\n"
        "  cast the operand first if its values may change"
    )
    assert_raises(text, einsum, "i,->i", filled(framework, (2,), "int32"), 2.5, dtype="int32")


OUT = [
    ((3,), "float32", "OperandError: out= has shape (3,) but the result has shape (2,)"),
    ((2, 1), "float32", "OperandError: out= has shape (2, 1) but the result has shape (2,)"),
    ((), "float32", "OperandError: out= has shape () but the result has shape (2,)"),
    ((2,), "float64", "OperandTypeError: out= has dtype float64 but the result has dtype float32"),
    ((2,), "int32", "OperandTypeError: out= has dtype int32 but the result has dtype float32"),
]


@pytest.mark.parametrize(("shape", "dtype", "text"), OUT)
@pytest.mark.parametrize("equation", ["ij->i", "ij,j->i"])
def test_out_of_another_shape_or_dtype_is_refused_and_untouched(framework, shape, dtype, text, equation):
    if framework.name == "tensorflow":
        text = "OperandTypeError: out= cannot be filled: tensorflow tensors are immutable"
    operands = [filled(framework, (2, 3)), filled(framework, (3,))][: 1 + equation.count(",")]
    out = filled(framework, shape, dtype)
    assert_raises(text, einsum, equation, *operands, out=out)
    np.testing.assert_array_equal(framework.numpy(out), framework.numpy(filled(framework, shape, dtype)))


def test_out_must_be_a_tensor_of_the_result_s_framework(torch, tf):
    numbers = np.ones(2, "float32")
    text = "OperandTypeError: out= is a {} but the result is a tensor of {}"
    assert_raises(text.format("list", "numpy"), einsum, "i->i", numbers, out=[0, 0])
    assert_raises(text.format("torch Tensor", "numpy"), einsum, "i->i", numbers, out=torch.zeros(2))
    assert_raises(text.format("list", "torch"), einsum, "i->i", torch.ones(2), out=[0, 0])
    assert_raises(text.format("numpy ndarray", "torch"), einsum, "i->i", torch.ones(2), out=numbers)
    text = "OperandTypeError: out= cannot be filled: tensorflow tensors are immutable"
    for out in ([0, 0], numbers, torch.zeros(2), tf.zeros(2), tf.Variable([0.0, 0.0])):
        assert_raises(text, einsum, "i->i", tf.ones(2), out=out)
    assert numbers.tolist() == [1, 1]


def test_an_array_that_is_read_only_stays_as_it_was():
    out = np.zeros(2)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        einsum("ij->i", np.ones((2, 3)), out=out)
    assert out.tolist() == [0, 0]


# --- 17: types that only the framework's own einsum may know --------------------------------------------


def test_ragged_and_sparse_tensors_of_tensorflow_come_with_the_call_that_makes_them_dense(tf):
    ragged = tf.ragged.constant([[1.0, 2.0], [3.0]])
    sparse = tf.sparse.from_dense([[1.0, 0.0], [0.0, 2.0]])
    text = "OperandTypeError: operand {} is a {} tensorflow {}, which tensorflow cannot contract\n"
    for x, name, call in (
        (ragged, "RaggedTensor", "x.to_tensor()"),
        (sparse, "SparseTensor", "tf.sparse.to_dense(x)"),
    ):
        kind, note = name.removesuffix("Tensor").lower(), f"  make it dense first: {call}"
        assert_raises(text.format(0, kind, name) + note, einsum, "ij->ji", x)
        assert_raises(text.format(0, kind, name) + note, einsum, "ij,jk->ik", x, tf.ones((2, 3)))
        assert_raises(text.format(1, kind, name) + note, einsum, "ij,jk->ik", np.ones((3, 2)), x)
        assert_raises(text.format(2, kind, name) + note, einsum, ",ij,jk->ik", 2.0, tf.ones((3, 2)), x)


def test_a_tensor_of_text_is_an_error(tf):
    text = "OperandTypeError: operand 0 has dtype tensorflow.string, which is not numeric"
    assert_raises(text, einsum, "i->i", tf.constant(["a"]))


def test_an_object_of_a_known_library_that_is_not_an_array_is_named(torch, tf):
    known = f"\n  known: {KNOWN}; others can be added with einsum_unified.register_backend"
    text = "OperandTypeError: operand 0 is a {}, which is not an array of a known library" + known
    assert_raises(text.format("torch Linear"), einsum, "i->i", torch.nn.Linear(1, 1))
    assert_raises(text.format("tensorflow TensorSpec"), einsum, "i->i", tf.TensorSpec((2,)))


def test_a_path_optimizer_that_fails_says_so_itself(framework):
    class Broken(opt_einsum.paths.PathOptimizer):
        def __call__(self, inputs, output, size_dict, memory_limit=None):
            raise KeyError("my own mistake")

    a = filled(framework, (2,))
    with pytest.raises(KeyError, match="my own mistake"):
        einsum("i,i,i->", a, a, a, optimize=Broken())


@pytest.mark.parametrize("function", [einsum, einsum_plan], ids=lambda function: function.__name__)
@pytest.mark.parametrize("optimize", ["bogus", 3, ("greedy", -1)])
def test_an_error_of_the_equation_comes_before_one_of_the_options(function, optimize):
    x = np.ones((2, 2))
    with pytest.raises(EquationError, match="output label 'z'"):
        function("ij,jk->iz", x, x, optimize=optimize)
    with pytest.raises(TypeError, match="unknown keyword 'foo'"):
        function("ij,jk->ik", x, x, optimize=optimize, foo=1)
