"""Generic plans: one program for calls that differ only in the sizes of their operands.

A `Family` is a group of such calls: same equation, options, and type, dtype and number of axes of each
operand. Its programs take sizes as arguments. There is one program for each `Magnitudes` of sizes, so that
path and lowering stay near the best ones. A program is right for all sizes of these magnitudes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from math import prod
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from einsum_unified.adapter import Backend
from einsum_unified.adapter.dispatch import backend_for
from einsum_unified.adapter.registry import Table
from einsum_unified.binding.bind import bind
from einsum_unified.binding.bound import Bound
from einsum_unified.binding.strict import check_operands
from einsum_unified.errors import EinsumError
from einsum_unified.language.equation import parse
from einsum_unified.language.sizes import Size
from einsum_unified.language.sublists import Sublists
from einsum_unified.planning.lowering import lower
from einsum_unified.planning.path import find_path
from einsum_unified.planning.steps import Path
from einsum_unified.runtime.options import Options
from einsum_unified.runtime.planner import compiled
from einsum_unified.runtime.settings import settings_for
from einsum_unified.runtime.signature import Unprepared, operand_of

Magnitudes = tuple[int, ...]
"""For each label its size if that is 0 or 1, else the number of a range of sizes.

The range of a size is its number of bits: {2, 3}, {4, ..., 7}, {8, ..., 15}, ... A path depends on these, a
lowering only on two such ranges together; and if the product of all sizes is small, on none (`_ANY`).
"""

Call = tuple[str | Sublists, Any, Any, bool]
"""The equation, ``optimize=``, ``dtype=`` and ``strict=`` of a call."""

Ones = tuple[tuple[bool, ...], ...]
"""For each axis of each operand whether its size is 1 although the size of its label is not."""

_ANY = -1
"""The range of all sizes from 2 on, where the product of a call's sizes is small: any lowering is fast."""

_SMALL = 2**15
"""The greatest such product. It is for one or two operands, since more have a path."""

_MIDDLE = 12
"""The binary logarithm of the product of sizes for which a program for such sizes is planned."""

_MOST_PROGRAMS = 32
"""The greatest number of programs of a family."""

_MOST_AXES = 64
"""The greatest number of axes of all operands together: reading their sizes has to be quick."""


class Generic(NamedTuple):
    """A program that takes the sizes of ``labels`` before the operands."""

    run: Callable[..., Any]
    labels: tuple[int, ...]

    def sized(self, sizes: Sequence[int]) -> Callable[..., Any]:
        """Return the function of the operands for these sizes of all labels."""
        return partial(self.run, *[sizes[label] for label in self.labels])


class Family:
    """Calls that differ only in the sizes of their operands."""

    def __init__(
        self,
        table: Table,
        call: Call,
        classes: tuple[type, ...],
        dtypes: tuple[Any, ...],
        ranks: tuple[int, ...],
        ones: Ones | None = None,
    ) -> None:
        self._table = table
        self._call = call
        self._operands = classes, dtypes, ranks
        self._ones = ones or tuple((False,) * rank for rank in ranks)
        self._met = False
        self._refused = False
        self.programs: Programs | None = None
        """Its programs, once they have been started."""

    def start(self) -> Programs | None:
        """Return its programs from the second call on: the first one is better planned for its own sizes.

        It has none if its calls have an error, their path depends on more than magnitudes (a limit, stored
        elements), their dtype on a setting, or if the framework compiles a program for each shape anyway.
        """
        if self._met and not self._refused:
            try:
                self.programs = self._made()
            except (EinsumError, Unprepared):
                self._refused = True
        self._met = True
        return self.programs

    def _made(self) -> Programs:
        equation, optimize, dtype, strict = self._call
        classes, dtypes, ranks = self._operands
        backend = backend_for(classes, self._table)
        declared = backend.capabilities
        options = Options.of(optimize, dtype, strict=strict)
        by_size = options.strategy.limit is not None or (declared.sparse and len(ranks) > 2)
        if by_size or not declared.generic or not 0 < sum(ranks) <= _MOST_AXES:
            raise Unprepared
        shapes = [(None,) * rank for rank in ranks]
        operands = [operand_of(x, backend, self._table) for x in zip(classes, shapes, dtypes, strict=True)]
        if settings_for(operands, backend, dtype) is not None:
            raise Unprepared
        bound = bind(parse(equation), operands, backend, dtype)
        return Programs(bound, options, backend, classes, self._ones)


class Programs:
    """The generic programs of a family; ``bound`` is its equation with all sizes unknown."""

    def __init__(
        self, bound: Bound, options: Options, backend: Backend, classes: tuple[type, ...], ones: Ones
    ) -> None:
        self.bound = bound
        self._options, self._backend, self._classes, self._ones = options, backend, classes, ones
        self._places = _places(bound.terms, ones)
        self._take, self._expand = _reading(bound.terms, ones, self._places)
        self._traced = any(cls is not np.ndarray for cls in classes)
        self._small = _SMALL if len(bound.terms) <= 2 else -1
        self._any = (_ANY,) * len(self._places)
        self._reduced = _reduced(bound.terms, ones)
        self._lowered: dict[tuple[Path, Magnitudes], Generic] = {}

    def read(self, axes: tuple[Any, ...]) -> tuple[Magnitudes, tuple[int, ...]] | None:
        """Return magnitudes and sizes of the labels for the sizes of all axes; None if they do not fit.

        It runs at each call with new sizes, therefore it has no loop in Python.
        """
        if self._traced and {*map(type, axes)} != {int}:
            return None  # a tracer's size may be a tensor
        sizes = self._take(axes)
        if self._expand(sizes) != axes:
            return None
        if prod(sizes) > self._small:
            return tuple(map(int.bit_length, sizes)), sizes
        if 0 in sizes or 1 in sizes:
            return tuple([size if size < 2 else _ANY for size in sizes]), sizes
        return self._any, sizes

    def path(self, of: Magnitudes) -> Path:
        """Return the path for sizes of these magnitudes; raises `PathError`."""
        return find_path(self._reduced, self.bound.output, _typical(of), self._options.strategy)

    def make(self, of: Magnitudes) -> Generic | None:
        """Return the program for sizes of these magnitudes; None if there is an error for them."""
        try:
            key = self.path(of), tuple(map(_doubled, of))
            found = self._lowered.get(key)
            if found is None:
                found = self._lower(*key)
                if len(self._lowered) >= _MOST_PROGRAMS:
                    self._lowered.clear()  # perhaps while another thread is here
                self._lowered[key] = found
            return found
        except EinsumError:
            return None

    def _lower(self, path: Path, of: Magnitudes) -> Generic:
        bound = self._sized(_typical_doubled(of))
        if self._options.strict:
            check_operands(bound, self._backend)
        program = lower(bound, path, self._backend.capabilities)
        run, _, given = compiled(program, self._backend, self._options, self._classes, sizes_given=True)
        return Generic(run, tuple(self._places.index(place) for (place,) in given))

    def _sized(self, hints: Sequence[int]) -> Bound:
        """Return the bound equation with a `Size` for each size that is not 0 or 1."""
        sizes = tuple(
            hint if hint < 2 else Size.read([place], hint)
            for place, hint in zip(self._places, hints, strict=True)
        )
        shapes = tuple(
            tuple(1 if one else sizes[label] for label, one in zip(term, ones, strict=True))
            for term, ones in zip(self.bound.terms, self._ones, strict=True)
        )
        operands = [x._replace(shape=shape) for x, shape in zip(self.bound.operands, shapes, strict=True)]
        return replace(self.bound, operands=tuple(operands), sizes=sizes, shapes=shapes)


def ones_of(terms: Sequence[Sequence[int]], shapes: Sequence[Sequence[int]]) -> Ones | None:
    """Return the axes of size 1 whose label has another size elsewhere.

    Returns None if the operand has that label again with another size: a diagonal does not broadcast.

    >>> ones_of([(0, 1), (1, 2)], [(2, 1), (3, 1)])
    ((False, True), (False, False))
    >>> ones_of([(0, 0)], [(2, 1)])
    """
    axes = [
        [*zip(term, shape, [n] * len(term), strict=True)]
        for n, (term, shape) in enumerate(zip(terms, shapes, strict=True))
    ]
    longer = {label for label, size, _ in chain(*axes) if size != 1}
    own = {(label, n) for label, size, n in chain(*axes) if size != 1}
    ones = tuple(tuple(size == 1 and label in longer for label, size, _ in operand) for operand in axes)
    mixed = any(
        one and (label, n) in own
        for operand, flags in zip(axes, ones, strict=True)
        for (label, _, n), one in zip(operand, flags, strict=True)
    )
    return None if mixed else ones


# --- sizes ----------------------------------------------------------------------------------------


def _typical(of: Magnitudes) -> tuple[int, ...]:
    """Return the sizes to plan a path with: the middle of each range.

    >>> _typical((0, 1, 2, 3, 4)), _typical((_ANY, _ANY, 0))
    ((0, 1, 3, 6, 11), (64, 64, 0))
    """
    return tuple([_middle(bits, bits - 0.5, of) for bits in of])


def _doubled(bits: int) -> int:
    """Return the number of a range that is two ranges of `Magnitudes` together: {4, ..., 15}, ..."""
    return bits if bits < 2 else (bits + 3) // 2


def _typical_doubled(of: Magnitudes) -> tuple[int, ...]:
    """Return the sizes to plan a lowering with: the middle of each pair of ranges.

    >>> _typical_doubled((0, 1, 2, 3, 4))
    (0, 1, 2, 8, 32)
    """
    return tuple([_middle(number, 2 * number - 3, of) for number in of])


def _middle(number: int, bits: float, of: Magnitudes) -> int:
    if number == _ANY:
        bits = max(_MIDDLE // of.count(_ANY), 1)
    return number if number in (0, 1) else round(2**bits)


def _reduced(terms: Sequence[Sequence[int]], ones: Ones) -> tuple[tuple[int, ...], ...]:
    """Return the labels of each operand, each once, without those of axes that broadcast."""
    return tuple(
        tuple(dict.fromkeys(label for label, one in zip(term, broadcast, strict=True) if not one))
        for term, broadcast in zip(terms, ones, strict=True)
    )


def _places(terms: Sequence[Sequence[int]], ones: Ones) -> list[tuple[int, int]]:
    """Return for each label the first of its axes, as operand and number, that does not broadcast."""
    found: dict[int, tuple[int, int]] = {}
    for operand, (term, broadcast) in enumerate(zip(terms, ones, strict=True)):
        for axis, (label, one) in enumerate(zip(term, broadcast, strict=True)):
            if not one:
                found.setdefault(label, (operand, axis))
    return [found[label] for label in sorted(found)]


Taking = Callable[[tuple[Any, ...]], tuple[Any, ...]]


def _reading(
    terms: Sequence[Sequence[int]], ones: Ones, places: Sequence[tuple[int, int]]
) -> tuple[Taking, Taking]:
    """Return functions from all axes of all operands to the sizes of the labels, and back.

    Axes that broadcast are taken as those of one further label.
    """
    start = [sum(map(len, terms[:operand])) for operand in range(len(terms))]
    given = [start[operand] + axis for operand, axis in places]
    broadcast = [*chain(*ones)]
    if True in broadcast:
        given.append(broadcast.index(True))
    labels = [len(places) if one else label for label, one in zip(chain(*terms), broadcast, strict=True)]
    return _taking(given), _taking(labels)


def _taking(places: Sequence[int]) -> Taking:
    """Return a function that takes the items of a tuple at these places."""
    if len(places) == 1:
        (place,) = places
        return lambda items: (items[place],)
    return itemgetter(*places)
