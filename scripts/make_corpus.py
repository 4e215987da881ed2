"""Write the corpus of the conformance kit: `python scripts/make_corpus.py [FILE]`.

The tables below state, for each row of the rules, the meaning of each call, or its error. They are written by
hand and do not use the library. A test checks that the corpus in the package is the output of this script.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parents[1] / "einsum_unified" / "testing" / "conformance" / "corpus.json"

ROWS = {
    1: "the output left out",
    2: "ellipsis",
    3: "size 1 on a named label",
    4: "repeated labels",
    5: "unknown output labels",
    6: "white space",
    7: "labels",
    8: "interleaved form, lists of operands, bytes",
    9: "operands beside tensors, counts, empty axes",
    10: "one dtype in, the same out",
    11: "mixed dtypes",
    12: "dtypes that kernels lack",
    13: "accuracy of halves",
    14: "NumPy arrays beside tensors",
    15: "views, scalars, order in memory",
    16: "keywords",
    17: "special types",
    18: "gradients",
    19: "NaN, inf, determinism",
    20: "errors",
}

INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
FLOATS = ("float16", "bfloat16", "float32", "float64")
COMPLEX = ("complex64", "complex128")
DTYPES = ("bool", *INTEGERS, *FLOATS, *COMPLEX)
NARROW = ("float8_e4m3fn", "float8_e5m2", "int4", "uint4")

CASES: list[dict[str, Any]] = []


# --- how a case is written down -----------------------------------------------------------------------


def t(shape: tuple[int, ...], dtype: str = "float32", **how: Any) -> dict[str, Any]:
    """A tensor of the library; a rule gives its values unless ``values`` or ``fill`` does."""
    return {"shape": list(shape), "dtype": dtype, **how}


def v(values: Any, dtype: str = "float32", kind: str = "tensor") -> dict[str, Any]:
    """A tensor, or another kind of array, with these values."""
    shape, inner = [], values
    while isinstance(inner, list):
        shape.append(len(inner))
        inner = inner[0] if inner else None
    return {"shape": shape, "dtype": dtype, "values": values, **({} if kind == "tensor" else {"kind": kind})}


def n(shape: tuple[int, ...], dtype: str = "float32", **how: Any) -> dict[str, Any]:
    """A NumPy array."""
    return {"kind": "numpy", **t(shape, dtype, **how)}


def p(value: Any) -> dict[str, Any]:
    """A Python number, a nested list of numbers, or an object that is not a valid operand."""
    if isinstance(value, complex):
        return {"kind": "complex", "value": [value.real, value.imag]}
    return {"kind": "python", "value": value}


def means(equation: str, dtype: str | list[str] = "float32", **more: Any) -> dict[str, Any]:
    """The explicit equation with the same result; of several dtypes, the library's own table gives the right one."""
    return {"means": equation, "dtype": dtype, **more}


def error(name: str, *says: str) -> dict[str, Any]:
    """The class of an error and texts in its message."""
    return {"error": name, "says": list(says)}


def add(
    row: int,
    topic: str,
    call: Any,
    operands: list[Any],
    expect: dict[str, Any],
    *,
    tag: str = "",
    needs: tuple[str, ...] = (),
    options: dict[str, Any] | None = None,
    **how: Any,
) -> None:
    """Add a case. ``call`` is an equation as text, or a list of sublists that ends with the output's or None."""
    items = [t(x) if isinstance(x, tuple) else x for x in operands]
    text = call if isinstance(call, str) else json.dumps(call)
    shown = text if len(text) <= 48 else f"{text[:45]}..."
    name = f"{row}/{topic}/{shown.encode('unicode_escape').decode()}{f' {tag}' if tag else ''}"
    same = sum(c["id"] == name or c["id"].startswith(f"{name} #") for c in CASES)
    case: dict[str, Any] = {"id": f"{name} #{same + 1}" if same else name, "row": row}
    if isinstance(call, str):
        case["equation"] = call
    else:
        case["sublists"] = call[:-1]
        if call[-1] is not None:
            case["output"] = call[-1]
    case |= {**how, "operands": items}
    if options:
        case["options"] = options
    wanted = _needs(items, options or {}, expect, needs)
    if wanted:
        case["needs"] = wanted
    case["expect"] = expect
    CASES.append(case)


def _needs(
    operands: list[Any], options: dict[str, Any], expect: dict[str, Any], more: tuple[str, ...]
) -> list[str]:
    """Return the features that a case needs, except float32: libraries without it use another dtype instead."""
    asked = options.get("dtype") if expect.get("error") is None else None
    out = options.get("out")
    dtypes = [x.get("dtype") for x in operands]
    dtypes += [expect.get("dtype") if isinstance(expect.get("dtype"), str) else None, asked]
    dtypes.append(out.get("dtype") if isinstance(out, dict) else None)
    found = [name for name in dtypes if name in (*DTYPES, *NARROW) and name != "float32"]
    if out is not None and "nothing is written" not in more:
        found.append("out")
    if any(0 in x.get("shape", ()) for x in operands):
        found.append("empty")
    return [name for name in dict.fromkeys([*found, *more]) if name != "nothing is written"]


# --- 1: the output left out -----------------------------------------------------------------------------

for equation, shapes, meaning in [
    ("ij", [(2, 3)], "ij->ij"),
    ("ba", [(2, 3)], "ba->ab"),
    ("cab", [(2, 3, 4)], "cab->abc"),
    ("aB", [(2, 3)], "ab->ba"),  # by code point: capitals first
    ("Ab", [(2, 3)], "ab->ab"),
    ("a1", [(2, 3)], "ab->ba"),  # digits before letters
    ("9A", [(2, 3)], "ab->ab"),
    ("a_", [(2, 3)], "ab->ba"),  # '_' between capitals and small letters
    ("Z_", [(2, 3)], "ab->ab"),
    ("βα", [(2, 3)], "ba->ab"),
    ("éz", [(2, 3)], "ab->ba"),
    ("ii", [(3, 3)], "ii->"),
    ("iij", [(3, 3, 2)], "iij->j"),
    ("jii", [(2, 3, 3)], "jii->j"),
    ("iijj", [(2, 2, 3, 3)], "iijj->"),
    ("...", [(2, 3)], "ab->ab"),
    ("i...", [(2, 3, 4)], "iab->abi"),
    ("...ba", [(2, 3, 4)], "cba->cab"),
    ("b...a", [(2, 3, 4)], "bca->cab"),
    ("i...i", [(3, 2, 3)], "iai->a"),
    ("ij,jk", [(2, 3), (3, 4)], "ij,jk->ik"),
    ("kj,ji", [(2, 3), (3, 4)], "kj,ji->ik"),
    ("ij,ij", [(2, 3), (2, 3)], "ij,ij->"),
    ("i,j", [(2,), (3,)], "i,j->ij"),
    ("j,i", [(2,), (3,)], "j,i->ij"),
    ("i,i,i", [(3,), (3,), (3,)], "i,i,i->"),
    ("ij,jk,kl", [(2, 3), (3, 4), (4, 2)], "ij,jk,kl->il"),
    ("bB,Ba", [(2, 3), (3, 4)], "bc,ca->ab"),
    ("bij,bjk", [(2, 2, 3), (2, 3, 2)], "bij,bjk->ik"),
    ("...ij,...jk", [(2, 2, 3), (2, 3, 2)], "aij,ajk->aik"),
    ("j...,...i", [(2, 3), (3, 4)], "ja,ai->aij"),
    ("...i,i", [(2, 3), (3,)], "ai,i->a"),
    ("ii,j", [(2, 2), (3,)], "ii,j->j"),
    ("ab,ba", [(2, 3), (3, 2)], "ab,ba->"),
]:
    add(1, "implicit", equation, list(shapes), means(meaning))

for labels, shapes, meaning in [
    ([[0, 1]], [(2, 3)], "ab->ab"),
    ([[1, 0]], [(2, 3)], "ba->ab"),
    ([[10, 9]], [(2, 3)], "ba->ab"),  # by value, not as text
    ([[1000, 27]], [(2, 3)], "ba->ab"),
    ([[3, -1]], [(2, 3)], "ba->ab"),
    ([[2.5, 0.5]], [(2, 3)], "ba->ab"),
    ([["row", "column"]], [(2, 3)], "ba->ab"),
    ([[100, 9], [50, 8]], [(2, 3), (3, 2)], "db,ca->abcd"),
    ([[30, 5], [5, 29]], [(2, 3), (3, 4)], "ba,ac->cb"),
    ([[7, 7]], [(3, 3)], "aa->"),
    ([["...", 1, 0]], [(2, 3, 4)], "cba->cab"),
]:
    add(1, "implicit sublists", [*labels, None], list(shapes), means(meaning))

# --- 2: ellipsis ----------------------------------------------------------------------------------------

for equation, shapes, meaning in [
    ("...->...", [(2, 3)], "ab->ab"),
    ("...->...", [()], "->"),
    ("i...->...i", [(2, 3, 4)], "iab->abi"),
    ("...i->i...", [(2, 3, 4)], "abi->iab"),
    ("i...j->j...i", [(2, 3, 4, 2)], "iabj->jabi"),
    ("...i->i...", [(3,)], "i->i"),  # no axes at all
    ("...ij->...", [(2, 3)], "ij->"),
    ("...ij->...ji", [(2, 3, 4)], "aij->aji"),
    ("...i->...", [(2, 3, 4)], "abi->ab"),
    ("...ii->...i", [(2, 3, 3)], "aii->ai"),
    ("...ii->...", [(2, 3, 3)], "aii->a"),
    ("i...i->...i", [(3, 2, 3)], "iai->ai"),
    ("i...->i", [(2, 3, 4)], "iab->i"),  # left out of the output: summed
    ("...i->i", [(2, 4, 3)], "abi->i"),
    ("...->", [(2, 3)], "ab->"),
    ("ij->...ij", [(2, 3)], "ij->ij"),  # only in the output: stands for nothing
    ("i,j->j...i", [(2,), (3,)], "i,j->ji"),
    ("...,...->...", [(), (3,)], ",a->a"),
    ("...,...->...", [(2, 1), (1, 3)], "ab,ab->ab"),
    ("...,...->...", [(2, 3), (3,)], "ab,b->ab"),
    ("...i,...i->...i", [(2, 3), (3,)], "ai,i->ai"),
    ("...i,...i->...", [(2, 3), (3,)], "ai,i->a"),
    ("...i,...i->i", [(1, 3), (4, 3)], "ai,ai->i"),
    ("...i,i->...", [(2, 2, 3), (3,)], "abi,i->ab"),
    ("...i,i->...", [(0, 3), (3,)], "ai,i->a"),
    ("...ij,...jk->...ik", [(2, 3), (3, 4)], "ij,jk->ik"),
    ("...ij,...jk->...ik", [(2, 2, 3), (3, 4)], "aij,jk->aik"),
    ("...ij,...jk->...ik", [(4, 1, 2, 3), (2, 3, 2)], "abij,bjk->abik"),
    ("...ij,...jk->ik", [(2, 2, 3), (2, 3, 2)], "aij,ajk->ik"),
    ("...ij,jk->ik...", [(2, 2, 3), (3, 4)], "aij,jk->ika"),
    ("i...,i...->...", [(2, 1, 3), (2, 4, 1)], "iab,iab->ab"),
    ("i...,i...->...", [(2,), (2, 4, 3)], "i,iab->ab"),
    ("i...,...j->i...j", [(2, 3), (3, 4)], "ia,aj->iaj"),
    ("i...,...j->j...i", [(2, 3), (2, 3, 4)], "ib,abj->jabi"),
    ("...i,...i,...->...", [(3, 2), (2,), (4, 1)], "bi,i,ab->ab"),
    ("...a,...b,...c->...abc", [(2, 2), (2,), (1, 3)], "da,b,dc->dabc"),
    ("b...,b...,b...->b...", [(2, 3), (2,), (1, 3)], "ba,b,ba->ba"),
    ("i...j->...ji", [(2, 1, 3, 1, 2, 2)], "iabcdj->abcdji"),
]:
    add(2, "ellipsis", equation, list(shapes), means(meaning))

for equation, shapes, cls, says in [
    ("...i...->i", [(2, 3)], "EquationError", "term 0 has more than one '...'"),
    ("ij,...k...->i", [(2, 3), (2, 3)], "EquationError", "term 1 has more than one '...'"),
    ("...i->...i...", [(2, 3)], "EquationError", "the output has more than one '...'"),
    ("..i->i", [(2, 3)], "EquationError", "term 0 has a '.' that is not part of '...'"),
    ("i,....j->i", [(2,), (2, 3)], "EquationError", "term 1 has a '.' that is not part of '...'"),
    ("i->.i", [(2,)], "EquationError", "the output has a '.' that is not part of '...'"),
    ("...i,...i->...i", [(4, 2, 3), (5, 2, 3)], "OperandError", "axis -2 of '...' is 4 in operand 0 but 5 in operand 1"),
    ("...,i...,...i->i", [(1, 5), (3, 2, 5), (2, 4, 3)], "OperandError", "axis -1 of '...' is 5 in operand 0 but 4 in operand 2"),
    ("...ij->i", [(2,)], "OperandError", "operand 0 has 1 axis but its subscripts '...ij' name at least 2"),
]:  # fmt: skip
    add(2, "ellipsis errors", equation, list(shapes), error(cls, says))

# --- 3: size 1 on a named label ---------------------------------------------------------------------------

for equation, shapes in [
    ("ij,jk->ik", [(2, 1), (3, 4)]),  # contracted
    ("ij,jk->ik", [(2, 3), (1, 4)]),
    ("ij,jk->ik", [(2, 1), (1, 4)]),
    ("ij,ij->ij", [(2, 1), (1, 3)]),  # kept
    ("ij,ij->ji", [(2, 1), (1, 3)]),
    ("ij,ij->i", [(2, 1), (1, 3)]),
    ("ij,ij->", [(1, 3), (2, 1)]),
    ("ij,i->ij", [(2, 3), (1,)]),
    ("ij,i->j", [(2, 3), (1,)]),
    ("bij,bjk->bik", [(1, 2, 3), (4, 3, 2)]),  # batch
    ("bij,bjk->bik", [(4, 2, 3), (1, 3, 2)]),
    ("bij,bjk->bik", [(4, 2, 1), (1, 3, 2)]),
    ("bij,bjk->ik", [(1, 2, 3), (4, 3, 2)]),
    ("i,i->", [(1,), (4,)]),
    ("i,i->i", [(4,), (1,)]),
    ("i,i->i", [(1,), (1,)]),
    ("i,i,i->i", [(1,), (3,), (1,)]),
    ("i,i,i->", [(1,), (1,), (3,)]),
    ("ij,j,ij->i", [(2, 1), (3,), (1, 3)]),
    ("ij,jk,kl->il", [(2, 1), (3, 1), (4, 2)]),
    ("i,i->i", [(1,), (0,)]),  # against no element at all
    ("i,i->", [(1,), (0,)]),
    ("ij,jk->ik", [(2, 1), (0, 4)]),
    ("ij,jk->ik", [(0, 3), (1, 4)]),
    ("ii,i->i", [(1, 1), (3,)]),
    ("ii,i->", [(1, 1), (3,)]),
    ("ii,ij->ij", [(3, 3), (1, 2)]),
]:
    add(
        3,
        "size one",
        equation,
        list(shapes),
        means(equation),
        tag="x".join(str(list(s)) for s in shapes).replace(" ", ""),
    )

for equation, shapes, says in [
    ("ii->i", [(1, 3)], "label 'i' is repeated in operand 0 with sizes 1 and 3"),
    ("ii->", [(3, 1)], "label 'i' is repeated in operand 0 with sizes 3 and 1"),
    ("k,iji->j", [(2,), (2, 5, 3)], "label 'i' is repeated in operand 1 with sizes 2 and 3"),
    ("i...i->i", [(2, 4, 3)], "label 'i' is repeated in operand 0 with sizes 2 and 3"),
    ("i,i->", [(0,), (3,)], "label 'i' is 0 in operand 0 but 3 in operand 1"),
    ("i,i->i", [(2,), (3,)], "label 'i' is 2 in operand 0 but 3 in operand 1"),
    ("ij,jk,jl->", [(2, 1), (3, 4), (5, 6)], "label 'j' is 3 in operand 1 but 5 in operand 2"),
]:
    add(3, "sizes that differ", equation, list(shapes), error("OperandError", says))

# --- 4: repeated labels -----------------------------------------------------------------------------------

for equation, shapes in [
    ("ii->i", [(3, 3)]),
    ("ii->", [(3, 3)]),
    ("iii->i", [(3, 3, 3)]),
    ("iii->", [(3, 3, 3)]),
    ("iiii->", [(2, 2, 2, 2)]),
    ("iij->ij", [(3, 3, 2)]),
    ("iij->ji", [(3, 3, 2)]),
    ("iij->j", [(3, 3, 2)]),
    ("iij->i", [(3, 3, 2)]),
    ("iji->j", [(3, 2, 3)]),
    ("iji->ij", [(3, 2, 3)]),
    ("jii->ij", [(2, 3, 3)]),
    ("iijj->ij", [(2, 2, 3, 3)]),
    ("iijj->ji", [(2, 2, 3, 3)]),
    ("ijij->ij", [(2, 3, 2, 3)]),
    ("ijij->ji", [(2, 3, 2, 3)]),
    ("ijji->ij", [(2, 3, 3, 2)]),
    ("ijjki->k", [(2, 3, 3, 4, 2)]),
    ("ii->i", [(0, 0)]),
    ("ii->", [(0, 0)]),
    ("ii->i", [(1, 1)]),
    ("ii,ij->j", [(3, 3), (3, 2)]),
    ("ii,ii->i", [(3, 3), (3, 3)]),
    ("ii,jj->ij", [(2, 2), (3, 3)]),
    ("ii,jj->", [(2, 2), (3, 3)]),
    ("iij,jkk->ik", [(2, 2, 3), (3, 4, 4)]),
    ("ij,ijj,ii->j", [(2, 3), (2, 3, 3), (2, 2)]),
    ("bii,bij->bj", [(2, 3, 3), (2, 3, 2)]),
    ("i,ij->ij", [(3,), (3, 3)]),
]:
    add(4, "diagonals", equation, list(shapes), means(equation))

for equation, shapes, label in [
    ("i->ii", [(3,)], "i"),
    ("ij->ii", [(2, 3)], "i"),
    ("ij,jk->ijj", [(2, 3), (3, 4)], "j"),
    ("i,j -> i j i", [(2,), (3,)], "i"),
]:
    says = (
        f"label '{label}' is repeated in the output",
        "to put values on a diagonal, multiply by an identity matrix",
    )
    add(4, "repeated in the output", equation, list(shapes), error("EquationError", *says))

# --- 5: unknown output labels -----------------------------------------------------------------------------

for equation, shapes, label in [
    ("ij->iz", [(2, 3)], "z"),
    ("->i", [()], "i"),
    ("ij->J", [(2, 3)], "J"),  # small and capital letters are different labels
    (",->k", [(), ()], "k"),
    ("ij,jk->iq", [(2, 3), (3, 4)], "q"),
    ("...->x...", [(2, 3)], "x"),
    ("ij->λ", [(2, 3)], "λ"),
]:
    says = (f"output label '{label}' occurs in no operand", "to add an axis, reshape the result")
    add(5, "unknown", equation, list(shapes), error("EquationError", *says))
add(5, "unknown", [[0, 1], [2]], [(2, 3)], error("EquationError", "output label 2 occurs in no operand"))
add(
    5,
    "unknown",
    [["row", "column"], ["x"]],
    [(2, 3)],
    error("EquationError", "output label 'x' occurs in no operand"),
)

# --- 6: white space -----------------------------------------------------------------------------------------

for equation in [
    " ij,jk->ik ",
    "i j , j k -> i k",
    "ij,jk - > ik",
    "\tij,\n jk\r\n->\v\fik\n",
    "ij,jk-\n>ik",
    " ij , j\tk ",
    "\n    ij,\n    jk\n    -> ik\n",
    "ij,\tjk\t->\tik",
]:
    add(6, "dropped", equation, [(2, 3), (3, 4)], means("ij,jk->ik"))
add(6, "dropped", ". . . i -> i .\t..", [(2, 3)], means("ai->ia"))
add(6, "dropped", " ", [()], means("->"))
add(6, "dropped", " , -> ", [(), ()], means(",->"))
add(6, "dropped", " ii\n", [(3, 3)], means("ii->"))
for equation, says in [
    ("i\u00a0j->ji", "U+00A0 NO-BREAK SPACE is neither a label nor whitespace that is dropped"),
    ("i\u00adj->ji", "U+00AD SOFT HYPHEN is neither a label nor whitespace that is dropped"),
    ("i\u0085j->ji", "U+0085 is neither a label nor whitespace that is dropped"),
    ("i\x00j->ji", "U+0000 is neither a label nor whitespace that is dropped"),
]:
    add(6, "other blanks", equation, [(2, 3)], error("EquationError", says))
for equation, says in [
    ("i\u200bj->ji", r"'\u200b' (ZERO WIDTH SPACE) is a label here"),
    ("i\u2028j->ji", r"'\u2028' (LINE SEPARATOR) is a label here: only ASCII white space is dropped"),
    ("i\u3000j->ji", r"'\u3000' (IDEOGRAPHIC SPACE) is a label here: only ASCII white space is dropped"),
    ("i\ufeffj->ji", r"'\ufeff' (ZERO WIDTH NO-BREAK SPACE) is a label here"),
]:
    add(6, "blank labels", equation, [(2, 3)], error("OperandError", says))

# --- 7: labels ----------------------------------------------------------------------------------------------

for equation, meaning in [
    ("αβ,βγ->αγ", "ab,bc->ac"),
    ("IJ,JK->IK", "ij,jk->ik"),
    ("aA,Ab->ab", "ac,cb->ab"),  # small and capital letters are different labels
    ("01,12->02", "ab,bc->ac"),
    ("_x,xy->_y", "ab,bc->ac"),
    ("行列,列数->行数", "ab,bc->ac"),
    ("ßé,éñ->ßñ", "ab,bc->ac"),
    ("жя,яю->жю", "ab,bc->ac"),
    ("àè,èì->àì", "ab,bc->ac"),
    ("∑∂,∂∇->∑∇", "ab,bc->ac"),
    ("😀🎉,🎉🚀->😀🚀", "ab,bc->ac"),
    ("א0,0ב->אב", "ab,bc->ac"),
    ("٠١,١٢->٠٢", "ab,bc->ac"),  # digits of another script
    ("\U00020000\U00020001,\U00020001z->\U00020000z", "ab,bc->ac"),
]:
    add(7, "any letter", equation, [(2, 3), (3, 4)], means(meaning))

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN"
# Labels beyond 52 are spelled from U+0100 on, as opt_einsum's get_symbol does; most axes have size 1.
MANY = "".join(chr(0x0100 + number) for number in range(40))
add(
    7,
    "forty labels",
    ",".join(MANY[k : k + 4] for k in range(0, 40, 4)) + "->" + MANY[1] + MANY[38],
    [(1, 2, 1, 1), *[(1, 1, 1, 1)] * 8, (1, 1, 3, 1)],
    means(",".join(LETTERS[k : k + 4] for k in range(0, 40, 4)) + "->" + LETTERS[1] + LETTERS[38]),
)
add(
    7,
    "thirty operands",
    ",".join(f"{chr(0x4E00 + k)}" for k in range(30)) + "->",
    [(2,), (2,), *[(1,)] * 28],
    means(",".join(LETTERS[:30]) + "->"),
)
for character in "!'(*+/;=@[\\^{|~":
    quote = '"' if character == "'" else "'"
    shown = "\\\\" if character == "\\" else character
    add(
        7,
        "reserved",
        f"i{character}->i",
        [(2, 3)],
        error("EquationError", f"{quote}{shown}{quote} is not a label"),
    )
for equation, shapes, cls, says in [
    ("ij>ji", [(2, 3)], "EquationError", "'-' and '>' may only be used together, as '->'"),
    ("ij-ji", [(2, 3)], "EquationError", "'-' and '>' may only be used together, as '->'"),
    ("ij- ->ji", [(2, 3)], "EquationError", "'-' and '>' may only be used together, as '->'"),
    ("ij->ji->ij", [(2, 3)], "EquationError", "more than one '->'"),
    ("ij->i,j", [(2, 3)], "EquationError", "the output has a comma, but there is only one output"),
    ("ij→ji", [(2, 3)], "OperandError", "'→' is a label here: the arrow is '->'"),
]:
    add(7, "grammar", equation, list(shapes), error(cls, says))

# --- 8: interleaved form, lists of operands, bytes ------------------------------------------------------------

for labels, shapes, meaning in [
    ([[0, 1], [0, 1]], [(2, 3)], "ab->ab"),
    ([[0, 1], [1, 0]], [(2, 3)], "ab->ba"),
    ([[0, 1], []], [(2, 3)], "ab->"),
    ([[0, 0], [0]], [(3, 3)], "aa->a"),
    ([[0, 1], [1, 2], [0, 2]], [(2, 3), (3, 4)], "ab,bc->ac"),
    ([[0, 1], [1, 2], [2, 0]], [(2, 3), (3, 4)], "ab,bc->ca"),
    ([[0, 1], [1, 2], None], [(2, 3), (3, 4)], "ab,bc->ac"),
    ([["row", "column"], ["column"]], [(2, 3)], "ab->b"),
    ([["b", "i", "j"], ["b", "j", "k"], ["b", "i", "k"]], [(2, 2, 3), (2, 3, 2)], "bij,bjk->bik"),
    ([["", "a b"], ["a b", "->"], ["", "->"]], [(2, 3), (3, 4)], "ab,bc->ac"),  # any text, also no letters
    ([[[0, 1], "x"], ["x", None], [None, [0, 1]]], [(2, 3), (3, 4)], "ab,bc->ca"),  # tuples, None
    ([[1.5, -2], [-2, 1.5]], [(2, 3)], "ab->ba"),
    ([[1000000, 52], [52, 53], [1000000, 53]], [(2, 3), (3, 4)], "ab,bc->ac"),
    ([["...", 0], [0, "..."]], [(2, 3, 4)], "abc->cab"),
    ([["...", 0, 1], ["...", 1, 2], ["...", 0, 2]], [(2, 2, 3), (3, 4)], "dab,bc->dac"),
    ([["...", 0], ["...", 0], [0]], [(2, 3), (2, 3)], "ab,ab->b"),
    ([[0, "..."], None], [(2, 3)], "ab->ba"),
    ([[0, 1], ["...", 0, 1]], [(2, 3)], "ab->ab"),
    ([[0, 1], [1], [1, 2], [2, 0]], [(2, 3), (3,), (3, 4)], "ab,b,bc->ca"),
    ([[0], [1], [1, 0]], [(2,), (3,)], "a,b->ba"),
    ([[], []], [()], "->"),
]:
    add(8, "sublists", labels, list(shapes), means(meaning))
for labels, shapes, cls, says in [
    ([[0, 1], [1, 2], [0, 2]], [(2, 3), (4, 5)], "OperandError", "label 1 is 3 in operand 0 but 4 in operand 1"),
    ([["row", "column"], ["column"], None], [(2, 3), (4,)], "OperandError", "label 'column' is 3 in operand 0 but 4 in operand 1"),
    ([["...", 0], ["...", 0], ["..."]], [(2, 3, 4), (5, 4)], "OperandError", "axis -1 of '...' is 3 in operand 0 but 5 in operand 1"),
    ([[10, 2], [10, 10]], [(2, 3)], "EquationError", "label 10 is repeated in the output"),
    ([["...", 0, "..."], None], [(2, 3)], "EquationError", "term 0 has more than one '...'"),
    ([["...", 0], [0, "...", "..."]], [(2, 3)], "EquationError", "the output has more than one '...'"),
    ([[0], [0]], [(2, 3)], "OperandError", "operand 0 has 2 axes but its subscripts [0] name 1"),
    ([[0], [1, 2], [0]], [(2,), (3,)], "OperandError", "operand 1 has 1 axis but its subscripts [1, 2] name 2"),
    (["ij", None], [(2, 3)], "EquationError", "the sublist of operand 0 is a str, not a list or tuple of labels"),
    ([[0, 1], "ij"], [(2, 3)], "EquationError", "the output's sublist is a str, not a list or tuple of labels"),
    ([[0, "a"], None], [(2, 3)], "EquationError", ""),  # without an order of labels there is no implicit output
]:  # fmt: skip
    add(8, "sublists errors", labels, list(shapes), error(cls, *filter(None, [says])))
for together in ("list", "tuple"):
    add(
        8,
        "operands in one",
        "ij,jk->ik",
        [(2, 3), (3, 4)],
        means("ij,jk->ik"),
        tag=together,
        together=together,
    )
    add(
        8,
        "operands in one",
        "ij,jk,kl",
        [(2, 3), (3, 4), (4, 2)],
        means("ij,jk,kl->il"),
        tag=together,
        together=together,
    )
    add(8, "operands in one", "ij->ji", [(2, 3)], means("ij->ji"), tag=together, together=together)
add(
    8,
    "operands in one",
    "ij,jk->ik",
    [(2, 3)],
    error("OperandError", "the equation has 2 terms but 1 operand was given"),
    tag="too few",
    together="list",
)
add(8, "bytes", "ij,jk->ik", [(2, 3), (3, 4)], means("ij,jk->ik"), bytes="utf-8")
add(8, "bytes", "αβ,βγ", [(2, 3), (3, 4)], means("ab,bc->ac"), bytes="utf-8")
add(8, "bytes", "...i->i...", [(2, 3)], means("ai->ia"), bytes="utf-8")
add(
    8,
    "bytes",
    "ijÿ->ij",
    [(2, 3)],
    error("EquationError", "the equation is bytes that are not UTF-8, at position 2"),
    bytes="latin-1",
)

# --- 9: operands beside tensors, counts, empty axes -----------------------------------------------------------

for dtype, value, result in [
    ("float32", 2, "float32"),
    ("float32", 2.5, "float32"),
    ("float32", True, "float32"),
    ("float32", -1, "float32"),
    ("float32", 1j, "complex64"),
    ("float64", 2.5, "float64"),
    ("float64", 1j, "complex128"),
    ("float16", 2.5, "float16"),
    ("bfloat16", 2.5, ["bfloat16", "float32"]),  # NumPy, with ml_dtypes, gives float32
    ("float16", 1j, ["complex64", "complex32"]),
    ("int8", 3, "int8"),
    ("int32", -2, "int32"),
    ("uint8", 2, "uint8"),
    ("int32", True, "int32"),
    ("int32", 2.5, ["float32", "float64"]),
    ("int64", 0.5, ["float32", "float64"]),
    ("int32", 2j, ["complex64", "complex128"]),
    ("bool", True, "bool"),
    ("bool", 2, ["int32", "int64"]),
    ("bool", 0.5, ["float32", "float64"]),
    ("complex64", 2.5, "complex64"),
    ("complex64", 1j, "complex64"),
    ("complex128", 2, "complex128"),
]:
    add(
        9,
        "numbers",
        "ij,->ij",
        [t((2, 3), dtype), p(value)],
        means("ij,->ij", result),
        tag=f"{dtype} x {value}",
    )
for equation, operands, meaning in [
    (",ij->ji", [p(2.5), (2, 3)], ",ij->ji"),
    (",i,->i", [p(2), (3,), p(0.5)], ",i,->i"),
    ("i,->", [(3,), p(3)], "i,->"),
    ("ij,i->j", [(2, 3), p([2, -1])], "ij,i->j"),
    ("ij,jk->ik", [(2, 3), p([[1, 2], [0, 1], [2, -1]])], "ij,jk->ik"),
    ("ij,j->i", [(2, 3), p([0.5, 1.5, 2])], "ij,j->i"),
    ("ij,ij->ij", [p([[1, 2, 0], [3, 1, 1]]), (2, 3)], "ij,ij->ij"),
]:
    add(9, "numbers", equation, operands, means(meaning))
add(9, "numbers", [[0, 1], [], [1, 0]], [(2, 3), p(2)], means("ab,->ba"))
for dtype, value, result in [
    ("int8", [1, 2], "int8"),
    ("int32", [3, -4], "int32"),
    ("float16", [1, 2], "float16"),
    ("float16", [0.5, 2.0], "float16"),
    ("int32", [0.5, 2.0], ["float32", "float64"]),
]:
    add(9, "lists", "i,i->i", [t((2,), dtype), p(value)], means("i,i->i", result), tag=f"{dtype} x {value}")
for equation, values, meaning, result in [
    ("i,i", [[1, 2], [3, 4]], "i,i->", "int64"),
    (",", [2, 2.5], ",->", "float64"),
    ("ij->ji", [[[1.5, 2.0], [3.0, 4.0]]], "ij->ji", "float64"),
]:
    add(9, "alone they are NumPy's", equation, [p(x) for x in values], means(meaning, result))
for equation, shapes in [
    ("", [()]),
    ("->", [()]),
    (",", [(), ()]),
    (",->", [(), ()]),
    (",,->", [(), (), ()]),
    (",i->i", [(), (3,)]),
    ("ij,->ji", [(2, 3), ()]),
    ("i,,i->", [(3,), (), (3,)]),
]:
    add(9, "no axes", equation, list(shapes), means(equation if "->" in equation else f"{equation}->"))
for equation, shapes in [
    ("i->", [(0,)]),
    ("i->i", [(0,)]),
    ("ij->i", [(2, 0)]),
    ("ij->j", [(2, 0)]),
    ("ij->ji", [(2, 0)]),
    ("i,i->", [(0,), (0,)]),
    ("i,i->i", [(0,), (0,)]),
    ("i,j->ij", [(0,), (3,)]),
    ("ij,jk->ik", [(2, 0), (0, 4)]),
    ("ij,jk->ik", [(0, 3), (3, 4)]),
    ("bij,bjk->bik", [(0, 2, 3), (0, 3, 2)]),
    ("bij,bjk->bik", [(2, 2, 0), (2, 0, 3)]),
    ("ij,jk,kl->il", [(2, 3), (3, 0), (0, 2)]),
    ("ij,i->j", [(0, 3), (0,)]),
]:
    add(
        9,
        "empty axes",
        equation,
        list(shapes),
        means(equation),
        tag="x".join(str(list(s)) for s in shapes).replace(" ", ""),
    )
for dtype in ("bool", "int32", "float64", "complex64"):
    add(
        9,
        "empty axes",
        "ij,jk->ik",
        [t((2, 0), dtype), t((0, 3), dtype)],
        means("ij,jk->ik", dtype),
        tag=dtype,
    )
for equation, operands, says in [
    ("ij,jk->ik", [(2, 3)], "the equation has 2 terms but 1 operand was given"),
    ("i->", [(2,), (3,)], "the equation has 1 term but 2 operands were given"),
    ("a, b, c, d ->", [(2,), (3,)], "the equation has 4 terms but 2 operands were given"),
    ("ij", [], "the equation has 1 term but 0 operands were given"),
    ("", [], "the equation has 1 term but 0 operands were given"),
    ("ijk->i", [(2, 3)], "operand 0 has 2 axes but its subscripts 'ijk' name 3"),
    ("i->i", [(2, 3)], "operand 0 has 2 axes but its subscripts 'i' name 1"),
    ("i->i", [(2, 3)], "to allow further axes, write '...': '...i'"),
    ("i,ij->", [(2,), (3,)], "operand 1 has 1 axis but its subscripts 'ij' name 2"),
    ("i, j -> ij", [(2,), ()], "operand 1 has 0 axes but its subscripts 'j' name 1"),
    ("", [(2,)], "operand 0 has 1 axis but its subscripts '' name 0"),
    ("i,j->ij", [p(2.0), (3,)], "operand 0 has 0 axes but its subscripts 'i' name 1"),
    ("ij,jk->ik", [(2, 3), p([[1, 2], [3, 4]])], "label 'j' is 3 in operand 0 but 2 in operand 1"),
    ("ij,ij->ij", [(2, 2), p([[1, 2], [3]])], "operand 1 is a nested list whose rows differ in length"),
    (
        "i,i->i",
        [t((2,), "int8"), p([1, -129])],
        "operand 1 has the Python int -129, which int8 cannot hold (-128 to 127)",
    ),
    (
        "i,->i",
        [t((2,), "uint8"), p(-1)],
        "operand 1 has the Python int -1, which uint8 cannot hold (0 to 255)",
    ),
    (
        "i,->i",
        [t((2,), "int32"), p(2**31)],
        "operand 1 has the Python int 2147483648, which int32 cannot hold",
    ),
]:
    add(9, "counts and ranks", equation, operands, error("OperandError", says))
for equation, operands, says in [
    ("ij,i->ij", [(2, 3), p(["a", "b"])], "operand 1 is a list that holds a str"),
    ("i,i->", [(2,), p([1, None])], "operand 1 is a list that holds a NoneType"),
    ("i,i->", [(2,), p(None)], "operand 1 is a NoneType, which is not an array of a known library"),
    ("i,i->", [p("ab"), (2,)], "operand 0 is a str, which is not an array of a known library"),
    ("i,i->", [(2,), p({"1": 2})], "operand 1 is a dict, which is not an array of a known library"),
]:
    add(9, "no operands", equation, operands, error("OperandTypeError", says))

# --- 10: one dtype in, the same out ---------------------------------------------------------------------------

for dtype in (*DTYPES, *NARROW):
    for equation, shapes in [
        ("ij->ji", [(2, 3)]),
        ("ij->", [(2, 3)]),
        ("ii->i", [(3, 3)]),
        ("ij,jk->ik", [(2, 3), (3, 4)]),
        ("bij,bjk->bki", [(2, 2, 3), (2, 3, 2)]),
        ("ij,ij->ij", [(2, 3), (2, 3)]),
    ]:
        add(10, "dtypes", equation, [t(s, dtype) for s in shapes], means(equation, dtype), tag=dtype)

for equation, values, dtype in [
    ("i->", [[100, 100, 100]], "int8"),  # 300 wraps around to 44
    ("i,i->", [[100, 100], [2, 2]], "int8"),
    ("ij,jk->ik", [[[100, 27]], [[2], [3]]], "int8"),
    ("i,i->i", [[100, -128], [2, -1]], "int8"),
    ("i->", [[200, 100]], "uint8"),
    ("ij,jk->ik", [[[200, 255]], [[2], [255]]], "uint8"),
    ("i,i->", [[30000, 30000], [2, 1]], "int16"),
    ("i,i->", [[60000, 60000], [2, 1]], "uint16"),
    ("i,i->", [[2**31 - 1, 5], [2, 3]], "int32"),
    ("i->", [[2**31 - 1, 1]], "int32"),
    ("i,i->", [[2**32 - 1, 7], [3, 5]], "uint32"),
    ("i,i->", [[2**62, 5], [4, 3]], "int64"),
    ("ij,jk->ik", [[[2**62, 3]], [[2], [5]]], "int64"),
    ("i,i->", [[2**63, 7], [3, 5]], "uint64"),
    ("i->", [[2**53, 1]], "int64"),  # beyond what float64 holds
    ("i,j,k->ijk", [[100], [100], [3]], "int8"),
]:
    add(10, "wraps around", equation, [v(x, dtype) for x in values], means(equation, dtype), tag=dtype)

for equation, values in [
    ("ij,jk->ik", [[[True, False], [False, False]], [[True, True], [False, True]]]),
    ("i,i->", [[True, True, False], [False, True, True]]),
    ("i,i->", [[True, False], [False, True]]),
    ("i->", [[False, False]]),
    ("i->", [[True, True]]),
    ("i,j,k->", [[True, True], [True, False], [True, True]]),
    ("ij,jk,kl->il", [[[True, True]], [[True, False], [False, True]], [[True], [True]]]),
]:
    add(10, "any of ands", equation, [v(x, "bool") for x in values], means(equation, "bool"))
add(
    10,
    "any of ands",
    "ij,jk->ik",
    [t((2, 300), "bool", fill=1), t((300, 2), "bool", fill=1)],
    means("ij,jk->ik", "bool"),
    tag="300 terms",
)
add(
    10,
    "any of ands",
    "ij,jk,kl,lm->im",
    [t((2, 8), "bool", fill=1), *[t((8, 8), "bool", fill=1)] * 2, t((8, 2), "bool", fill=1)],
    means("ij,jk,kl,lm->im", "bool"),
)
for equation, operands, dtype in [
    ("i->", [v([100, 100, 100], "int8")], "int32"),
    ("i->", [v([100, 100, 100], "int8")], "int64"),
    ("i,i->", [v([100, 100], "int8"), v([2, 3], "int8")], "int16"),
    ("ij->ji", [t((2, 3), "int32")], "float32"),  # also where the result could be a view
    ("ii->i", [t((3, 3), "int16")], "int32"),
    ("ij->ij", [t((2, 3))], "float64"),
    ("ij,jk->ik", [(2, 3), (3, 4)], "float64"),
    ("ij,jk->ik", [(2, 3), (3, 4)], "complex64"),
    ("ij,jk->ik", [t((2, 3), "float64"), t((3, 4), "float64")], "float32"),
    ("ij,jk->ik", [t((2, 3), "bool"), t((3, 4), "bool")], "int32"),  # counts
    ("ij->", [t((2, 3), "bool")], "int64"),
    ("ij,ij->ij", [t((2, 3), "float16"), t((2, 3), "float16")], "float32"),
    ("ij,jk,kl->il", [t((2, 3), "int8"), t((3, 4), "int8"), t((4, 2), "int8")], "int32"),
]:
    add(10, "dtype=", equation, operands, means(equation, dtype), tag=f"to {dtype}", options={"dtype": dtype})

# --- 11: mixed dtypes -----------------------------------------------------------------------------------------

# On these all tables agree.
for one, other, result in [
    ("float16", "float32", "float32"),
    ("float32", "float64", "float64"),
    ("bfloat16", "float32", "float32"),
    ("float16", "bfloat16", "float32"),
    ("int8", "int16", "int16"),
    ("int8", "int32", "int32"),
    ("int32", "int64", "int64"),
    ("uint8", "int8", "int16"),
    ("uint8", "int32", "int32"),
    ("uint8", "uint16", "uint16"),
    ("uint16", "int32", "int32"),
    ("uint32", "int8", "int64"),
    ("bool", "int8", "int8"),
    ("bool", "uint8", "uint8"),
    ("bool", "float16", "float16"),
    ("bool", "float32", "float32"),
    ("bool", "complex64", "complex64"),
    ("int8", "float32", "float32"),
    ("int8", "float64", "float64"),
    ("float32", "complex64", "complex64"),
    ("float64", "complex64", "complex128"),
    ("complex64", "complex128", "complex128"),
]:
    add(
        11,
        "promotion",
        "ij,jk->ik",
        [t((2, 3), one), t((3, 2), other)],
        means("ij,jk->ik", result),
        tag=f"{one} x {other}",
    )
    if result in ("float32", "int32", "complex64"):
        add(
            11,
            "promotion",
            "ij,ij->ij",
            [t((2, 3), other), t((2, 3), one)],
            means("ij,ij->ij", result),
            tag=f"{other} x {one}",
        )
# On these they differ; the library's own table is right.
for one, other, results in [
    ("int32", "float32", ["float32", "float64"]),
    ("int64", "float32", ["float32", "float64"]),
    ("uint8", "float16", ["float16", "float32"]),
    ("int16", "float16", ["float16", "float32"]),
    ("int32", "float16", ["float16", "float64"]),
    ("int32", "complex64", ["complex64", "complex128"]),
    ("int64", "bfloat16", ["bfloat16", "float32", "float64"]),
    ("float16", "complex64", ["complex64"]),
]:
    add(
        11,
        "own table",
        "ij,jk->ik",
        [t((2, 3), one), t((3, 2), other)],
        means("ij,jk->ik", results),
        tag=f"{one} x {other}",
    )
    add(
        11,
        "own table",
        "i,i->",
        [t((3,), other), t((3,), one)],
        means("i,i->", results),
        tag=f"{other} x {one}",
    )
# A bool operand beside numbers is counted, whatever the order of contraction.
for dtype in ("int8", "int32", "float32", "float64", "complex64"):
    add(
        11,
        "bools are counted",
        "ij,k->k",
        [t((2, 3), "bool", fill=1), t((2,), dtype)],
        means("ij,k->k", dtype),
        tag=dtype,
    )
    add(
        11,
        "bools are counted",
        "ij,jk,l->il",
        [t((2, 3), "bool", fill=1), t((3, 2), "bool", fill=1), t((2,), dtype)],
        means("ij,jk,l->il", dtype),
        tag=dtype,
    )
add(
    11,
    "promoted first",
    "i,i,j->j",
    [v([100, 100], "int8"), v([2, 2], "int8"), t((2,), "int32")],
    means("i,i,j->j", "int32"),
)
add(11, "promoted first", "i,j->j", [v([100, 100], "int8"), t((2,), "float32")], means("i,j->j", "float32"))
add(
    11,
    "promoted first",
    "i,i,j->j",
    [v([200, 200], "uint8"), v([2, 2], "uint8"), t((2,), "int16")],
    means("i,i,j->j", "int16"),
)
for one, other in [("float8_e5m2", "float8_e4m3fn"), ("float8_e4m3fn", "bfloat16")]:
    add(
        11,
        "no promotion",
        "i,i->",
        [t((2,), one), t((2,), other)],
        error("OperandTypeError", f"{one} and {other} do not promote to a common dtype"),
        tag=f"{one} x {other}",
    )

# --- 12: dtypes that kernels lack -----------------------------------------------------------------------------

for dtype in ("bool", "int8", "uint8", "int16", "uint16", "uint32", "uint64", "float16", "bfloat16", *NARROW):
    for equation, shapes in [
        ("ij,jk,kl->il", [(2, 2), (2, 2), (2, 2)]),
        ("bij,bj,b->i", [(2, 2, 3), (2, 3), (2,)]),
    ]:
        add(12, "chains", equation, [t(s, dtype) for s in shapes], means(equation, dtype), tag=dtype)

# --- 13: accuracy of halves -----------------------------------------------------------------------------------

for dtype in ("float16", "bfloat16"):
    for equation, shapes in [
        ("i->", [(4096,)]),
        ("ij->i", [(2, 4096)]),
        ("ij->j", [(4096, 2)]),
        ("i,i->", [(4096,), (4096,)]),
        ("ij,jk->ik", [(2, 4096), (4096, 2)]),
        ("bi,bi->b", [(2, 4096), (2, 4096)]),
        ("bij,bj->bi", [(2, 2, 4096), (2, 4096)]),
    ]:
        add(
            13,
            "4096 ones",
            equation,
            [t(s, dtype, fill=1) for s in shapes],
            means(equation, dtype),
            tag=dtype,
        )
    add(
        13,
        "4096 tenths",
        "i,i->",
        [t((4096,), dtype, fill=0.1), t((4096,), dtype, fill=0.7)],
        means("i,i->", dtype),
        tag=dtype,
    )
    add(
        13,
        "three operands",
        "ij,jk,kl->il",
        [t((1, 64), dtype, fill=0.5), t((64, 64), dtype, fill=0.5), t((64, 1), dtype, fill=0.5)],
        means("ij,jk,kl->il", dtype),
        tag=dtype,
    )
for dtype in ("float32", "float64"):
    add(
        13,
        "4096 tenths",
        "i,i->",
        [t((4096,), dtype, fill=0.1), t((4096,), dtype, fill=0.7)],
        means("i,i->", dtype),
        tag=dtype,
    )

# --- 14: NumPy arrays beside tensors --------------------------------------------------------------------------

for equation, operands, result in [
    ("ij,jk->ik", [t((2, 3)), n((3, 4))], "float32"),
    ("ij,jk->ik", [n((2, 3)), t((3, 4))], "float32"),
    ("i,i->", [n((3,)), t((3,))], "float32"),
    (",i->i", [n(()), t((3,))], "float32"),
    ("ij,jk,kl->il", [n((2, 3)), t((3, 4)), n((4, 2))], "float32"),
    ("ij,jk,kl->il", [n((2, 3)), n((3, 4)), t((4, 2))], "float32"),
    ("ij,jk->ik", [t((2, 3)), n((3, 4), "float64")], "float64"),  # its dtype counts
    ("ij,jk->ik", [n((2, 3)), t((3, 4), "float64")], "float64"),
    ("i,i->i", [t((3,)), n((3,), "complex64")], "complex64"),  # no imaginary part is dropped
    ("i,i->i", [t((3,)), n((3,), "int8")], "float32"),
    ("i,i->i", [t((3,)), n((3,), "bool")], "float32"),
    ("i,i->i", [t((3,)), n((3,), "float16")], "float32"),
    ("i,i->i", [t((3,), "int32"), n((3,), "bool")], "int32"),
    ("i,i->i", [t((3,), "int32"), n((3,), "int8")], "int32"),
    ("i,i->i", [t((3,), "int8"), n((3,), "uint8")], "int16"),
    ("i,i->i", [t((2,), "int32"), v([2**40, 3], "int64", "numpy")], "int64"),  # nothing wraps
    ("i,i->i", [t((2,), "int32"), v([2.5, 0.5], "float64", "numpy")], "float64"),  # nothing is cut
    ("i,i->i", [t((3,), "bool"), n((3,), "bool")], "bool"),
    ("i,i->i", [t((3,), "float16"), n((3,), "float16")], "float16"),
    ("i,i->i", [t((3,), "bfloat16"), n((3,), "bfloat16")], "bfloat16"),
    ("ij,->ji", [t((2, 3)), n(())], "float32"),
    ("i,,i->", [t((3,)), p(2), n((3,))], "float32"),
    ("i,i,->i", [n((3,)), t((3,)), p(0.5)], "float32"),
    ("ij,j->i", [t((2, 3)), n((1,))], "float32"),
]:
    add(
        14,
        "NumPy arrays",
        equation,
        operands,
        means(equation.replace("...", "a"), result),
        tag=" x ".join(f"{x.get('kind', 'tensor')} {x.get('dtype', '')}".strip() for x in operands),
    )
add(14, "NumPy arrays", [[0, 1], [1, 2], [2, 0]], [n((2, 3)), (3, 4)], means("ab,bc->ca"))
add(
    14, "NumPy arrays", "ij,jk->ik", [n((2, 3)), (3, 4)], means("ij,jk->ik"), tag="in a list", together="list"
)
add(
    14,
    "NumPy errors",
    "ij,jk->ik",
    [(2, 3), n((4, 5))],
    error(
        "OperandError",
        "label 'j' is 3 in operand 0 but 4 in operand 1",
        "operand 0 'ij': shape (2, 3), {library}.float32",
        "operand 1 'jk': shape (4, 5), numpy.float32",
    ),
)
add(
    14,
    "NumPy errors",
    "i,i->",
    [(2,), v(["a", "b"], "str", "numpy")],
    error("OperandTypeError", "operand 1 has dtype numpy.str32, which is not numeric"),
    tag="text",
)

# --- 15: views, scalars, order in memory ----------------------------------------------------------------------

for equation, shape in [
    ("ij->ij", (2, 3)),
    ("ij->ji", (2, 3)),
    ("ijk->kij", (2, 3, 4)),
    ("ii->i", (3, 3)),
    ("iij->ji", (3, 3, 2)),
    ("iji->ij", (3, 2, 3)),
    ("iijj->ij", (2, 2, 3, 3)),
    ("iii->i", (3, 3, 3)),
]:
    add(15, "views", equation, [shape], means(equation, view=True), needs=("views",))
add(15, "views", "...i->i...", [(2, 3, 4)], means("abi->iab", view=True), needs=("views",))
add(15, "views", "i...i->i...", [(3, 2, 3)], means("iai->ia", view=True), needs=("views",))
add(15, "views", [[0, 1], [1, 0]], [(2, 3)], means("ab->ba", view=True), needs=("views",))
for equation, shapes in [
    ("", [()]),
    ("i->", [(3,)]),
    ("ii", [(3, 3)]),
    ("i,i->", [(3,), (3,)]),
    (",->", [(), ()]),
    ("ij,jk,ki->", [(2, 3), (3, 4), (4, 2)]),
]:
    meaning = {"": "->", "ii": "ii->"}.get(equation, equation)
    add(15, "scalars", equation, list(shapes), means(meaning, scalar=True), needs=("scalars",))
for equation, shapes in [
    ("ij,jk->ik", [(2, 3), (3, 4)]),
    ("ji,kj->ik", [(3, 2), (4, 3)]),
    ("bij,bjk->bik", [(2, 2, 3), (2, 3, 2)]),
    ("ijb,jkb->bik", [(2, 3, 2), (3, 4, 2)]),
    ("abi,bj->abij", [(2, 3, 2), (3, 4)]),
    ("i,j->ij", [(3,), (4,)]),
    ("ij,ij->ij", [(2, 3), (2, 3)]),
    ("ijk->ij", [(2, 3, 4)]),
    ("kij->ij", [(4, 2, 3)]),
]:
    add(15, "C-contiguous", equation, list(shapes), means(equation, contiguous=True), needs=("views",))

# --- 16: keywords ---------------------------------------------------------------------------------------------

CHAIN = [(2, 3), (3, 4), (4, 2), (2, 3)]
for optimize in [
    True,
    False,
    None,
    "auto",
    "auto-hq",
    "optimal",
    "dp",
    "greedy",
    "eager",
    "branch-all",
    "branch-2",
    "branch-1",
    "random-greedy",
    ["greedy", 100],
    [[0, 1], [0, 1], [0, 1]],
    [[1, 2], [0, 2], [0, 1]],
    ["einsum_path", [0, 1], [1, 2], [0, 1]],
    [[0, 1, 2, 3]],
]:
    add(
        16,
        "optimize=",
        "ij,jk,kl,lm->im",
        list(CHAIN),
        means("ij,jk,kl,lm->im"),
        tag=json.dumps(optimize),
        options={"optimize": optimize},
    )
for optimize in (True, "greedy", [[0]], False):
    add(
        16,
        "optimize=",
        "ij->j",
        [(2, 3)],
        means("ij->j"),
        tag=json.dumps(optimize),
        options={"optimize": optimize},
    )
for hints in ({"b": 32}, {"i": 3, "k": 100}, {"...": 7}):
    equation, meaning = ("...bij,bjk->...bik", "bij,bjk->bik")
    add(
        16,
        "hints=",
        equation,
        [(2, 2, 3), (2, 3, 2)],
        means(meaning),
        tag=json.dumps(hints),
        options={"hints": hints},
    )
for keyword in ("casting", "order", "backend"):
    add(
        16,
        "unknown",
        "i->",
        [(2,)],
        error(
            "TypeError",
            f"einsum() got an unknown keyword '{keyword}'; known: optimize, dtype, out, hints",
        ),
        tag=keyword,
        options={keyword: "C"},
    )
THREE = [(2,), (2,), (2,)]
for optimize, says in [
    ("fast", "optimize='fast' is not a strategy; known strategies include:"),
    (3, "optimize=3 is not a bool, None, strategy name, (name, limit), path or PathOptimizer"),
    ([[0, 3], [0, 1]], "step 0, (0, 3), names operand 3 but 3 operands are left (0 to 2)"),
    ([[0, -1], [0, 1]], "step 0, (0, -1), names operand -1 but 3 operands are left (0 to 2)"),
    ([[0, 1]], "the path leaves 2 operands; one must remain"),
    ([], "the path leaves 3 operands; one must remain"),
    ([[0, 0], [0, 1]], "step 0 of the path, (0, 0), must name different operands, at least one"),
]:
    add(
        16,
        "optimize= errors",
        "i,i,i->",
        list(THREE),
        error("PathError", says),
        tag=json.dumps(optimize),
        options={"optimize": optimize},
    )
for hints, says in [
    (3, "hints=3 is not a mapping of labels to sizes"),
    ({"z": 3}, "hints: the equation has no label 'z'"),
    ({"i": 0}, "hints: the size of 'i' is 0, not a positive integer"),
]:
    add(
        16,
        "hints= errors",
        "i,i->",
        [(2,), (2,)],
        error("PathError", says),
        tag=json.dumps(hints),
        options={"hints": hints},
    )
for dtype in ("float33", "str", ""):
    add(
        16,
        "dtype= errors",
        "i->",
        [(2,)],
        error("OperandTypeError", f"dtype={dtype!r} is not a dtype that"),
        tag=dtype,
        options={"dtype": dtype},
    )
for held, dtype, kind in [
    ("float32", "int32", "float"),
    ("complex64", "float32", "complex"),
    ("float32", "bool", "float"),
    ("int32", "bool", "int"),
    ("float16", "uint8", "float"),
]:
    add(
        16,
        "dtype= errors",
        "i,i->",
        [t((2,), dtype), t((2,), held)],
        error(
            "OperandTypeError",
            f"dtype={dtype} cannot hold the values of operand 1, which is {kind}",
            "cast the operand first if its values may change",
        ),
        tag=f"{held} to {dtype}",
        options={"dtype": dtype},
    )
for equation, shapes, shape in [
    ("ij->ji", [(2, 3)], (3, 2)),
    ("ij->i", [(2, 3)], (2,)),
    ("ij->", [(2, 3)], ()),
    ("ii->i", [(3, 3)], (3,)),
    ("ij,jk->ik", [(2, 3), (3, 4)], (2, 4)),
    ("ij,jk->ki", [(2, 3), (3, 4)], (4, 2)),
    ("bij,bjk->bik", [(2, 2, 3), (2, 3, 2)], (2, 2, 2)),
    ("ij,ij->ij", [(2, 1), (1, 3)], (2, 3)),
    ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)], (2, 2)),
]:
    add(16, "out=", equation, list(shapes), means(equation, filled=True), options={"out": t(shape)})
for dtype in ("int8", "float16", "bool", "complex64", "float64"):
    add(
        16,
        "out=",
        "ij,jk->ik",
        [t((2, 3), dtype), t((3, 4), dtype)],
        means("ij,jk->ik", dtype, filled=True),
        tag=dtype,
        options={"out": t((2, 4), dtype)},
    )
add(
    16,
    "out=",
    "ij->i",
    [t((2, 3), "int8")],
    means("ij->i", "int32", filled=True),
    tag="with dtype=",
    options={"out": t((2,), "int32"), "dtype": "int32"},
)
for equation, shapes in [
    ("ij->ji", [(3, 3)]),
    ("ij,jk->ik", [(3, 3), (3, 3)]),
    ("ij,jk,kl->il", [(3, 3), (3, 3), (3, 3)]),
    ("ij,ij->ij", [(3, 3), (3, 3)]),
]:
    add(
        16,
        "out= is an operand",
        equation,
        list(shapes),
        means(equation, filled=True),
        options={"out": {"operand": 0}},
    )
for shape, dtype, cls, says in [
    ((3,), "float32", "OperandError", "out= has shape (3,) but the result has shape (2,)"),
    ((2, 1), "float32", "OperandError", "out= has shape (2, 1) but the result has shape (2,)"),
    ((), "float32", "OperandError", "out= has shape () but the result has shape (2,)"),
    ((2,), "float64", "OperandTypeError", "out= has dtype float64 but the result has dtype float32"),
    ((2,), "int32", "OperandTypeError", "out= has dtype int32 but the result has dtype float32"),
]:
    add(
        16,
        "out= errors",
        "ij,j->i",
        [(2, 3), (3,)],
        error(cls, says),
        tag=f"{list(shape)} {dtype}",
        options={"out": t(shape, dtype)},
    )
add(
    16,
    "out= errors",
    "i->i",
    [(2,)],
    error("OperandTypeError", "out= is a list but the result is a tensor of {library}"),
    tag="list",
    options={"out": p([0, 0])},
)

# --- 17: special types ----------------------------------------------------------------------------------------

for kind in (
    "matrix",
    "scalar",
    "array",
    "memoryview",
    "fortran",
    "strided",
    "backwards",
    "read-only",
    "big-endian",
    "unmasked",
):
    shape = () if kind == "scalar" else (3,) if kind in ("array", "memoryview", "backwards") else (3, 3)
    equation = {0: "ij,->ji", 1: "ij,j->i", 2: "ij,jk->ik"}[len(shape)]
    add(
        17,
        f"NumPy {kind}",
        equation,
        [(2, 3), {"kind": kind, "shape": list(shape), "dtype": "float32"}],
        means(equation),
    )
add(
    17,
    "NumPy masked",
    "ij,jk->ik",
    [(2, 3), {"kind": "masked", "shape": [3, 2], "dtype": "float32"}],
    means("ij,jk->ik", warns="the mask of a MaskedArray is ignored by einsum"),
)
add(
    17,
    "NumPy masked",
    "ij->ji",
    [{"kind": "masked", "shape": [3, 2], "dtype": "float32"}],
    means("ij->ji", warns="the mask of a MaskedArray is ignored by einsum"),
)
add(
    17,
    "dates",
    "i,i->",
    [(2,), v(["2020-01-01", "2020-01-02"], "datetime64[D]", "numpy")],
    error("OperandTypeError", "operand 1 has dtype numpy.datetime64[D], which is not numeric"),
)

# --- 18: gradients --------------------------------------------------------------------------------------------

for equation, shapes in [
    ("ij->ji", [(2, 3)]),
    ("ij->i", [(2, 3)]),
    ("ij->", [(2, 3)]),
    ("ii->i", [(3, 3)]),
    ("ii->", [(3, 3)]),
    ("i,i->", [(3,), (3,)]),
    ("i,j->ij", [(2,), (3,)]),
    ("ij,jk->ik", [(2, 3), (3, 4)]),
    ("ij,jk->ki", [(2, 3), (3, 4)]),
    ("bij,bjk->bik", [(2, 2, 3), (2, 3, 2)]),
    ("ij,ij->ij", [(2, 3), (2, 3)]),
    ("ij,ij->i", [(2, 1), (1, 3)]),
    ("bij,bjk->bik", [(1, 2, 3), (2, 3, 2)]),
    ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]),
    ("iij,jk->ik", [(2, 2, 3), (3, 2)]),
    ("ij,k->i", [(2, 3), (4,)]),
]:
    add(18, "gradients", equation, list(shapes), means(equation, gradients=True), needs=("gradients",))

# --- 19: NaN, inf, determinism --------------------------------------------------------------------------------

for equation, values in [
    ("i->", [["nan", 1.0]]),
    ("ij->i", [[["nan", 1.0], [2.0, 3.0]]]),
    ("i->", [["inf", 1.0]]),
    ("i->", [["inf", "-inf"]]),
    ("i,i->", [["nan", 1.0], [2.0, 3.0]]),
    ("i,i->i", [["inf", 1.0, "nan"], [2.0, 3.0, 4.0]]),
    ("i,i->i", [["inf", "-inf", 1.0], [0.0, 2.0, 3.0]]),
    ("ij,jk->ik", [[["nan", 1.0], [2.0, 3.0]], [[1.0, 2.0], [3.0, 4.0]]]),
    ("ij,jk->ik", [[["inf", 1.0], [2.0, 3.0]], [[1.0, -2.0], [3.0, 4.0]]]),
    ("ij->ji", [[["nan", "inf"], ["-inf", 0.0]]]),
]:
    add(19, "not finite", equation, [v(x) for x in values], means(equation), needs=("nan",))
for equation, shapes in [
    ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]),
    ("ij,jk,kl,lm->im", list(CHAIN)),
    ("ij,jk,ki->", [(2, 3), (3, 4), (4, 2)]),
]:
    add(19, "the same twice", equation, [t(s, fill=0.1) for s in shapes], means(equation, twice=True))

# --- 20: errors -----------------------------------------------------------------------------------------------

for equation, operands, cls, says in [
    (
        "ij,jk->ik",
        [(2, 3), (4, 5)],
        "OperandError",
        "label 'j' is 3 in operand 0 but 4 in operand 1\n"
        "    ij,jk->ik\n"
        "     ^ ^\n"
        "  operand 0 'ij': shape (2, 3), {library}.float32\n"
        "  operand 1 'jk': shape (4, 5), {library}.float32",
    ),
    (
        "ij,jk->ik",
        [(2, 4), (3, 5)],
        "OperandError",
        "label 'j' is 4 in operand 0 but 3 in operand 1\n    ij,jk->ik\n     ^ ^",
    ),
    (
        "ij,jk,kl->il",
        [(2, 3), (3, 4), (5, 6)],
        "OperandError",
        "label 'k' is 4 in operand 1 but 5 in operand 2\n    ij,jk,kl->il\n        ^ ^",
    ),
    (
        "i i j, j -> i",
        [(2, 2, 3), (4,)],
        "OperandError",
        "label 'j' is 3 in operand 0 but 4 in operand 1\n    i i j, j -> i\n        ^  ^",
    ),
    (
        "...i,...i->...i",
        [(4, 2, 3), (5, 2, 3)],
        "OperandError",
        "axis -2 of '...' is 4 in operand 0 but 5 in operand 1\n    ...i,...i->...i\n    ^    ^",
    ),
    (
        "ii->i",
        [(1, 3)],
        "OperandError",
        "label 'i' is repeated in operand 0 with sizes 1 and 3\n    ii->i\n    ^^\n"
        "  operand 0 'ii': shape (1, 3), {library}.float32\n"
        "  a diagonal needs equal sizes: 1 does not broadcast here",
    ),
    (
        "ij->ii",
        [(2, 3)],
        "EquationError",
        "label 'i' is repeated in the output\n    ij->ii\n        ^^\n"
        "  to put values on a diagonal, multiply by an identity matrix: np.eye(n) with the two labels",
    ),
    (
        "ij->iz",
        [(2, 3)],
        "EquationError",
        "output label 'z' occurs in no operand\n    ij->iz\n         ^\n"
        "  to add an axis, reshape the result, or give an operand of ones with subscripts 'z'",
    ),
    (
        "i;j->ij",
        [(2, 3)],
        "EquationError",
        "';' is not a label\n    i;j->ij\n     ^\n"
        "  labels are letters, digits, '_' and non-ASCII symbols; other punctuation is reserved",
    ),
    (
        "ij->ji->ij",
        [(2, 3)],
        "EquationError",
        "more than one '->'\n    ij->ji->ij\n      ^^  ^^",
    ),
    (
        "ij,jk->ik",
        [(2, 3)],
        "OperandError",
        "the equation has 2 terms but 1 operand was given\n    ij,jk->ik\n       ^\n"
        "  operand 0 'ij': shape (2, 3), {library}.float32",
    ),
    (
        "ijk->i",
        [(2, 3)],
        "OperandError",
        "operand 0 has 2 axes but its subscripts 'ijk' name 3\n    ijk->i\n    ^\n"
        "  operand 0 'ijk': shape (2, 3), {library}.float32",
    ),
    (
        "i->i",
        [(2, 3)],
        "OperandError",
        "operand 0 has 2 axes but its subscripts 'i' name 1\n    i->i\n    ^\n"
        "  operand 0 'i': shape (2, 3), {library}.float32\n"
        "  to allow further axes, write '...': '...i'",
    ),
    (
        "ij,jk->ik",
        [(2, 3), p([[1, 2], [3, 4]])],
        "OperandError",
        "  operand 0 'ij': shape (2, 3), {library}.float32\n  operand 1 'jk': shape (2, 2), Python int",
    ),
    (
        "i,i->",
        [t((2,), "int32"), t((3,), "int32")],
        "OperandError",
        "  operand 0 'i': shape (2,), {library}.int32\n  operand 1 'i': shape (3,), {library}.int32",
    ),
]:
    add(20, "messages", equation, operands, error(cls, says))
add(
    20,
    "messages",
    [[0, 1], [1, 2], [0, 2]],
    [(2, 3), (4, 5)],
    error(
        "OperandError",
        "label 1 is 3 in operand 0 but 4 in operand 1\n    [0, 1], [1, 2] -> [0, 2]\n        ^    ^\n"
        "  operand 0 [0, 1]: shape (2, 3), {library}.float32\n"
        "  operand 1 [1, 2]: shape (4, 5), {library}.float32",
    ),
)
add(
    20,
    "the equation comes first",
    "ij,jk->ii",
    [(2, 3), (4, 5)],
    error("EquationError", "label 'i' is repeated in the output"),
)
add(
    20,
    "out= is untouched",
    "ij,jk->ik",
    [(2, 3), (4, 5)],
    error("OperandError", "label 'j' is 3 in operand 0 but 4 in operand 1"),
    options={"out": t((2, 5))},
    needs=("nothing is written",),
)
add(
    20,
    "out= is untouched",
    "ij->ii",
    [(2, 3)],
    error("EquationError", "label 'i' is repeated in the output"),
    options={"out": t((2, 2))},
    needs=("nothing is written",),
)


# --- the file -------------------------------------------------------------------------------------------------


def text() -> str:
    """Return the corpus as JSON with one case per line."""
    rows = ",\n".join(f"  {json.dumps(str(row))}: {json.dumps(what)}" for row, what in ROWS.items())
    lines = ",\n".join(f"  {json.dumps(case, ensure_ascii=True)}" for case in CASES)
    return f'{{"rows": {{\n{rows}\n}}, "cases": [\n{lines}\n]}}\n'


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else CORPUS).write_text(text(), encoding="utf-8")
