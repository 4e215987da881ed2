"""Streams of calls with ever new sizes, from empty caches, as in programs whose sizes change all the time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
from rich.table import Table

from benchmarks import one_thread
from benchmarks.cases import Case, Job, Settings, by
from benchmarks.contenders import FRAMEWORKS, Framework, able
from benchmarks.tables import number, ratio_table, table
from benchmarks.timing import Call, compare
from einsum_unified import clear_cache, einsum

TIME, GROWTH = "time of a call, µs", "growth of the process, MB"
OPTIMIZED = "optimize=True"

Shapes = tuple[tuple[int, ...], ...]

_CALLS, _FEW_CALLS = 300, 60
_DISTINCT, _MANY_DISTINCT = 10**5, 10**6
_FIRST = 100
"""The number of calls before the size of the process is read: they load what the framework loads late."""


class Stream(NamedTuple):
    """Calls of one equation; ``sizes`` returns the labels' sizes of each call, in alphabetical order."""

    group: str
    equation: str
    sizes: Callable[[Random, int], tuple[int, ...]]

    def shapes(self, calls: int) -> list[Shapes]:
        """Return the shapes of the operands of each call; all calls have different ones."""
        return list(islice(self._distinct(), calls))

    def _distinct(self) -> Iterator[Shapes]:
        random, seen, step = Random(self.equation), set(), 0
        terms = self.equation.split("->")[0].split(",")
        labels = sorted({*self.equation} - {*",->"})
        while True:
            size = dict(zip(labels, self.sizes(random, step), strict=True))
            shapes = tuple(tuple(size[label] for label in term) for term in terms)
            if shapes not in seen:
                seen.add(shapes)
                yield shapes
            step += 1


def _small(random: Random, count: int, most: int = 12) -> tuple[int, ...]:
    return tuple(random.randint(2, most) for _ in range(count))


def _length(random: Random) -> int:
    return random.randint(1, 512)


STREAMS = (
    # One new token attends to a cache of keys and values that grows by one token a call.
    Stream("growing keys", "bhqd,bhkd->bhqk", lambda random, n: (1, 64, 8, 17 + n, 1)),
    Stream("growing keys", "bhqk,bhkd->bhqd", lambda random, n: (1, 64, 8, 17 + n, 1)),
    Stream("growing keys", "bqhd,bkhd->bhqk", lambda random, n: (1, 64, 8, 17 + n, 1)),
    Stream("growing keys", "bhd,bhsd->bhs", lambda random, n: (2, 32, 8, 17 + n)),
    Stream("growing keys", "bhs,bhsd->bhd", lambda random, n: (2, 32, 8, 17 + n)),
    Stream("ragged lengths", "btd,de->bte", lambda random, n: (1, 64, 64, _length(random))),
    Stream("ragged lengths", "btd,bt->bd", lambda random, n: (4, 32, _length(random))),
    Stream("ragged lengths", "qd,kd->qk", lambda random, n: (16, _length(random), _length(random))),
    Stream("sampled rows", "nd,d->n", lambda random, n: (16, random.randint(1, 4096))),
    Stream("sampled rows", "nd,nd->n", lambda random, n: (16, random.randint(1, 4096))),
    Stream("sampled rows", "ni,ij->nj", lambda random, n: (16, 32, random.randint(1, 4096))),
    Stream("last batches", "bij,jk->bik", lambda random, n: (random.randint(1, 2000), 8, 8, 8)),
    Stream("last batches", "bi,bj->bij", lambda random, n: (random.randint(1, 2000), 8, 8)),
    Stream("small matrices", "ij,jk->ik", lambda random, n: _small(random, 3)),
    Stream("small matrices", "ij,kj->ik", lambda random, n: _small(random, 3)),
    Stream("small matrices", "ij,j->i", lambda random, n: _small(random, 2, 40)),
    Stream("small matrices", "ij,ij->ij", lambda random, n: _small(random, 2, 40)),
    Stream("small matrices", "ij,ij->", lambda random, n: _small(random, 2, 40)),
    Stream("transposes", "ij->ji", lambda random, n: _small(random, 2, 40)),
    Stream("transposes", "bhsd->bshd", lambda random, n: _small(random, 4)),
    Stream("sums", "ij->i", lambda random, n: _small(random, 2, 40)),
    Stream("sums", "ij->j", lambda random, n: _small(random, 2, 40)),
    Stream("sums", "ij->", lambda random, n: _small(random, 2, 40)),
    Stream("traces", "ii->", lambda random, n: (2 + n,)),
    Stream("traces", "ii->i", lambda random, n: (2 + n,)),
    Stream("vectors", "i,i->", lambda random, n: (2 + n,)),
    Stream("vectors", "i,j->ij", lambda random, n: _small(random, 2, 40)),
    Stream("batches of matrices", "bij,bjk->bik", lambda random, n: _small(random, 4)),
    Stream("batches of matrices", "bhid,bhjd->bhij", lambda random, n: _small(random, 5)),
    Stream("three operands", "ij,jk,kl->il", lambda random, n: (8, 2 + n % 29, random.randint(2, 40), 8)),
    Stream("three operands", "i,ij,j->", lambda random, n: _small(random, 2, 40)),
    Stream("three operands", "bi,ijk,bj->bk", lambda random, n: (random.randint(1, 64), 6, 6, 2 + n % 13)),
)  # fmt: skip

_GROWING = Stream("", "ij,jk->ik", lambda random, n: (2 + n % 997, 3, 2 + n // 997))


def jobs(settings: Settings) -> list[Job]:
    """Return a job for each stream and framework, and one for the growth of the process."""
    calls = _FEW_CALLS if settings.quick else _CALLS
    distinct = _MANY_DISTINCT if settings.everything else _DISTINCT
    streams = [
        Job(f"{framework.name} {stream.equation}", partial(_run, settings, framework, stream, calls))
        for framework in settings.frameworks
        for stream in STREAMS
    ]
    growths = [
        Job(f"{framework.name} growth", partial(_growth, framework.name, distinct))
        for framework in settings.frameworks
    ]
    return streams + growths


def _run(settings: Settings, framework: Framework, stream: Stream, calls: int) -> list[Case]:
    shapes = stream.shapes(calls)
    operands = _operands(framework, shapes)
    functions: dict[str, Callable[..., Any]] = {"ours": einsum, "native": framework.einsum}
    if framework.name == "numpy" and len(shapes[0]) > 1:
        functions[OPTIMIZED] = partial(np.einsum, optimize=True)
    for xs in (operands[0], operands[-1]):
        able({name: partial(function, stream.equation, *xs) for name, function in functions.items()})
    whole: dict[str, Call] = {
        name: partial(_calls, function, stream.equation, operands) for name, function in functions.items()
    }
    whole["ours"] = partial(_cold_calls, stream.equation, operands)
    taken: dict[str, float | None] = {
        name: total / calls for name, total in compare(whole, settings.effort).items()
    }
    return [Case("shapes", TIME, framework.name, stream.group, stream.equation, f"{calls} calls", taken)]


def _cold_calls(equation: str, operands: list[tuple[Any, ...]]) -> None:
    clear_cache()
    _calls(einsum, equation, operands)


def _calls(function: Callable[..., Any], equation: str, operands: list[tuple[Any, ...]]) -> None:
    for xs in operands:
        function(equation, *xs)


def _operands(framework: Framework, shapes: list[Shapes]) -> list[tuple[Any, ...]]:
    """Return the operands of each call. On NumPy and torch they are views of one array for each operand."""
    random = np.random.default_rng(0)
    most = [max(int(np.prod(shape)) for shape in of) for of in zip(*shapes, strict=True)]
    memory = [framework.tensor(random.standard_normal(count, "float32")) for count in most]
    return [
        tuple(
            framework.reshape(flat[: int(np.prod(shape))], shape)
            for flat, shape in zip(memory, own, strict=True)
        )
        for own in shapes
    ]


# --- memory ---------------------------------------------------------------------------------------


def _growth(framework: str, distinct: int) -> list[Case]:
    """Return how much a fresh process with an untouched allocator grows."""
    program = f"from benchmarks import shapes; print(shapes.growth({framework!r}, {distinct}))"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    printed = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment
    ).stdout
    grown = float(printed.split()[-1])
    return [Case("shapes", GROWTH, framework, "", _GROWING.equation, f"{distinct:,} shapes", {"ours": grown})]


def growth(name: str, distinct: int) -> float:
    """Return the MB by which this process grows through calls of one equation with distinct shapes."""
    framework = FRAMEWORKS[name]()
    one_thread.limit_frameworks()
    flat = framework.tensor(np.ones(10**4, "float32"))
    before = 0.0
    for n in range(distinct):
        i, j, k = _GROWING.sizes(Random(), n)
        a, b = framework.reshape(flat[: i * j], (i, j)), framework.reshape(flat[: j * k], (j, k))
        einsum(_GROWING.equation, a, b)
        if n == _FIRST:
            before = _resident()
    return _resident() - before


def _resident() -> float:
    """Return the MB of this process that are in memory, as Linux counts them."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def tables(cases: list[Case]) -> list[Table]:
    """Return a table of the streams for each framework, and one of the growth."""
    made = [
        ratio_table(f"Ever new shapes, {framework}, {TIME}", own, ("ours", "native"), ("part", "shapes"))
        for framework, own in by([case for case in cases if case.measure == TIME], "framework").items()
    ]
    grown = table("Growth of the process", ["framework", "equation", "", "MB"], left=3)
    for case in cases:
        if case.measure == GROWTH:
            grown.add_row(case.framework, case.name, case.shapes, number(case.values["ours"]))
    return [*made, grown]
