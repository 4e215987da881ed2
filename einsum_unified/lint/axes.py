"""The remarks about einops patterns and their calls."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, permutations

from einsum_unified.language.letters import LETTERS
from einsum_unified.lint.calls import Call
from einsum_unified.lint.libraries import CallForm
from einsum_unified.lint.patterns import Pattern, PatternAxis, parse
from einsum_unified.lint.portability import keywords
from einsum_unified.lint.rules import MOST_MARKS, MOST_NAMES, Remark, lonely, wrong_count
from einsum_unified.lint.texts import resolve
from einsum_unified.wording import LONGEST_NAME, clipped, listed, numbered

REDUCTIONS = ("min", "max", "sum", "mean", "prod", "any", "all")
_OTHERS = {"tensor", "tensors", "pattern", "reduction"}
_MOST_COMPARED = 200  # names, each with each other


def pattern_remarks(call: Call) -> Iterator[Remark]:
    """Yield all remarks about a pattern and its call; raises `PatternError` if it is malformed."""
    text = call.text.value
    blanks = [match.start() for match in islice(re.finditer(r"[^\S ]", text), MOST_MARKS)]
    if blanks:
        yield Remark("EU204", "white space other than spaces, which einops refuses", blanks)
    einsum = call.function.form is CallForm.NAMED
    pattern = parse(text, einsum)
    if einsum:
        yield from _einsum(call, pattern)
        yield from keywords(call)
        return
    one_sided = list(_one_sided(call.function.form, pattern))
    yield from one_sided
    yield from _sizes(call, pattern, any(remark.code == "EU005" for remark in one_sided))
    if call.function.form is CallForm.REDUCE:
        yield from _reduction(call)
        if not one_sided:
            yield from _near_duplicates(pattern)


# --- einops.einsum --------------------------------------------------------------------------------


def _einsum(call: Call, pattern: Pattern) -> Iterator[Remark]:
    known = {axis.name for side in pattern.inputs for axis in side}
    unknown = [axis for axis in pattern.output if axis.name not in known and axis.name != "..."]
    if unknown:
        yield Remark("EU002", f"output axis {_names(unknown)} is in no operand", _marks(unknown))
    if len(known) > LETTERS:
        yield Remark("EU202", f"einops.einsum takes at most {LETTERS} axes, not {len(known)}", [0])
    terms, count = len(pattern.inputs), call.operands
    if count is not None and count != terms:
        yield wrong_count("pattern", terms, count, mark=0)
    near = list(_near_duplicates(pattern))
    yield from near
    marked = {mark for remark in near for mark in remark.marks}
    if sum(map(bool, pattern.inputs)) > 1:
        yield from _lonely([axis for axis in _once(pattern) if axis.at not in marked], pattern)


def _lonely(once: Sequence[PatternAxis], pattern: Pattern) -> Iterator[Remark]:
    summed = [axis for axis in once if axis not in pattern.output and axis.name != "..."]
    if summed:
        yield lonely("axis", "a name", _quoted(summed), _marks(summed), total=not pattern.output)


# --- rearrange, reduce, repeat --------------------------------------------------------------------


def _one_sided(form: CallForm, pattern: Pattern) -> Iterator[Remark]:
    """Find axes that are on one side only, although the operation cannot add or remove axes."""
    (left,), right = pattern.inputs, pattern.output
    left_names, right_names = ({axis.name for axis in side} for side in (left, right))
    gone = [axis for axis in left if _is_big(axis) or (axis.name not in right_names and axis.name != "1")]
    new = [axis for axis in right if _is_big(axis) or (axis.name not in left_names and axis.name != "1")]
    wrong = {
        CallForm.REARRANGE: gone + new,
        CallForm.REDUCE: new,
        CallForm.REPEAT: gone + [axis for axis in new if axis.name == "..."],
    }[form]
    numbers = [axis for axis in wrong if axis.is_number]
    wrong = [axis for axis in wrong if not axis.is_number]
    if numbers:
        said = f"the size {numbers[0].name} is not allowed there in einops.{form.name.lower()}"
        yield Remark("EU001", said, _marks(numbers))
    if wrong:
        said = f"{numbered(len(wrong), 'axis')} {_names(wrong)} only on one side of '->'"
        pairs = permutations([*gone, *new], 2) if len(gone) + len(new) < _MOST_COMPARED else ()
        yield Remark("EU005", said, _marks(wrong), _near((a.name, b.name) for a, b in pairs))


def _is_big(axis: PatternAxis) -> bool:
    """Whether it is a number other than 1; such an axis never matches one on the other side."""
    return axis.is_number and axis.name.lstrip("0") != "1"


def _sizes(call: Call, pattern: Pattern, incomplete: bool) -> Iterator[Remark]:
    """Compare the given sizes with the axes that need one."""
    axes = {axis.name for axis in pattern.axes()}
    given = {keyword.arg for keyword in call.node.keywords} - {None}
    for keyword in call.node.keywords:
        if keyword.arg and keyword.arg not in axes | _OTHERS:
            said = f"a size is given for {keyword.arg!r}, which is not an axis of the pattern"
            yield Remark(
                "EU006", said, notes=_near((keyword.arg, name) for name in sorted(axes)), node=keyword
            )
            incomplete = True
    if call.is_open or incomplete:
        return
    (left,), right = pattern.inputs, pattern.output
    names = {axis.name for axis in left} | given | {"..."}
    lacking = [axis for axis in right if axis.name not in names and not axis.is_number]
    if call.function.form is CallForm.REPEAT and lacking:
        yield Remark("EU006", f"the new axis {_names(lacking)} needs a size", _marks(lacking))
    groups: dict[int, list[PatternAxis]] = {}
    for axis in left:
        if axis.group is not None and axis.name not in given and not axis.is_number:
            groups.setdefault(axis.group, []).append(axis)
    for unknown in groups.values():
        if len(unknown) > 1:
            said = f"the sizes of {_names(unknown)} are ambiguous: give all but one"
            yield Remark("EU006", said, _marks(unknown))


def _reduction(call: Call) -> Iterator[Remark]:
    at = call.function.at + 1
    node = call.keyword("reduction")
    if node is None and len(call.node.args) > at:
        node = call.node.args[at]
    text = None if node is None or isinstance(node, ast.Starred) else resolve(node, call.scope)
    if text is not None and text.value not in REDUCTIONS:
        said = f"einops.reduce does not have the reduction {clipped(text.value, LONGEST_NAME)!r}"
        yield Remark("EU007", said, notes=[f"it has {listed(REDUCTIONS)}"], node=node)


# --- names ----------------------------------------------------------------------------------------


def _once(pattern: Pattern) -> list[PatternAxis]:
    """Return the axes whose name occurs only once in the whole pattern."""
    counts = Counter(axis.name for axis in pattern.axes())
    return [axis for axis in pattern.axes() if counts[axis.name] == 1 and not axis.is_number]


def _near_duplicates(pattern: Pattern) -> Iterator[Remark]:
    """Find pairs of similar names of which at least one occurs only once; names used twice are intended."""
    first = {axis.name: axis for axis in reversed(pattern.axes())}
    if len(first) > _MOST_COMPARED:
        return
    done: set[frozenset[str]] = set()
    for axis in _once(pattern):
        for other in first.values():
            pair = frozenset({axis.name, other.name})
            if pair not in done and is_near(axis.name, other.name):
                done.add(pair)
                said = f"{axis.name!r} and {other.name!r} differ by one letter: are they one axis?"
                yield Remark("EU102", said, [axis.at, other.at])


def _near(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Return a note on the first pair of similar names, if there is one."""
    near = next(((a, b) for a, b in pairs if is_near(a, b)), None)
    return [f"{near[0]!r} and {near[1]!r} differ by one letter"] if near else []


def is_near(a: str, b: str) -> bool:
    """Whether one name looks like the other misspelt: one letter added or replaced, or two letters swapped.

    Names that differ in a number, in the first letter or in a short word are assumed to differ on purpose.

    >>> is_near("in_dim", "in_dimm"), is_near("chanel", "channel"), is_near("widht", "width")
    (True, True, True)
    >>> is_near("dim1", "dim2"), is_near("q_len", "k_len"), is_near("img_h", "img_w"), is_near("h", "w")
    (False, False, False, False)
    """
    if a == b or min(len(a), len(b)) < 3 or a[0] != b[0] or re.sub(r"\d", "", a) == re.sub(r"\d", "", b):
        return False
    words = list(zip(a.split("_"), b.split("_"), strict=False))
    if a.count("_") == b.count("_") and any(x != y and max(len(x), len(y)) < 3 for x, y in words):
        return False
    same = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    rest_a, rest_b = a[same:], b[same:]
    if len(rest_a) == len(rest_b):
        swapped = rest_a[1::-1] + rest_a[2:] == rest_b
        return rest_a[1:] == rest_b[1:] or swapped
    return rest_a[1:] == rest_b or rest_a == rest_b[1:]


def _names(axes: Sequence[PatternAxis]) -> str:
    return listed(_quoted(axes), MOST_NAMES)


def _quoted(axes: Sequence[PatternAxis]) -> list[str]:
    return [repr(clipped(axis.name, LONGEST_NAME)) for axis in axes]


def _marks(axes: Sequence[PatternAxis]) -> list[int]:
    return [axis.at for axis in axes[:MOST_MARKS]]
