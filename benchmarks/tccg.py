"""The 49 contractions of the Tensor Contraction Code Generator's benchmark (HPAC/tccg).

They come from quantum chemistry: tensors with up to six axes, all of the same size. A good einsum computes
each as one matrix product with as few transposes as possible. So the time is also divided by the time of one
product of two contiguous matrices with the same number of multiplications.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from rich.table import Table

from benchmarks.cases import Case, Job, Settings, by, geometric_mean, worst
from benchmarks.contenders import Framework, contenders, operands, time_calls
from benchmarks.tables import number, table

# C-A-B for C = A·B, as the benchmark's authors write them.
PATTERNS: dict[str, str] = {
    "ccsd": """
        ij-ik-kj ij-ikl-ljk ij-kil-lkj ijk-ikl-lj ijk-il-jlk ijk-ilk-jl ijk-ilk-lj ijk-ilmk-mjl
        ijkl-imjn-lnkm ijkl-imjn-nlmk ijkl-imkn-jnlm ijkl-imkn-njml ijkl-imln-jnkm ijkl-imln-njmk
        ijkl-imnj-nlkm ijkl-imnk-njml ijkl-minj-nlmk ijkl-mink-jnlm ijkl-minl-njmk""",
    "ao2mo": "aqrs-pa-pqrs abrs-qb-aqrs abcs-rc-abrs",
    "intensli": """
        abj-bka-kj ajb-kba-jk abjc-cbka-kj ajbc-ckba-jk abjc-kbac-jk abjcd-dkbac-jk adbjc-cbdka-kj
        ajbdc-ckbad-jk""",
    "ccsd_t": """
        abcijk-ijma-mkbc abcijk-ijmb-mkac abcijk-ijmc-mkab abcijk-ikma-mjbc abcijk-ikmb-mjac
        abcijk-ikmc-mjab abcijk-jkma-mibc abcijk-jkmb-miac abcijk-jkmc-miab abcijk-eiab-jkec
        abcijk-eiac-jkeb abcijk-eibc-jkea abcijk-ejab-ikec abcijk-ejac-ikeb abcijk-ejbc-ikea
        abcijk-ekab-ijec abcijk-ekac-ijeb abcijk-ekbc-ijea""",
    "transC": "abc-bk-akc",
}
MEBIBYTES = (1, 4, 16)
TARGET_GROUP = "4 MiB"
"""The size for which there are targets."""

_PLAIN_MEBIBYTES = 4
"""Up to this size numpy.einsum without optimize= is timed, too; it takes seconds per call."""


def equations() -> list[str]:
    """Return the contractions as equations.

    >>> len(equations()), equations()[1]
    (49, 'ikl,ljk->ij')
    """
    found = []
    for pattern in " ".join(PATTERNS.values()).split():
        result, left, right = pattern.split("-")
        found.append(f"{left},{right}->{result}")
    return found


def extent(equation: str, mebibytes: int) -> int:
    """Return the greatest size of all labels for which the largest tensor fits, in float32.

    >>> extent("ik,kj->ij", 4), extent("ijma,mkbc->abcijk", 4)
    (1024, 10)
    """
    rank = max(map(len, equation.replace("->", ",").split(",")))
    size = 1
    while (size + 1) ** rank * 4 <= mebibytes * 2**20:
        size += 1
    return size


def product_shapes(equation: str, size: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the shapes of the operands of the equal matrix product.

    >>> product_shapes("ijma,mkbc->abcijk", 10)
    ((1000, 10), (10, 1000))
    """
    left, right, result = map(set, equation.replace("->", ",").split(","))
    m, n, k = (size ** len(x) for x in (left & result, right & result, left & right - result))
    return (m, k), (k, n)


def jobs(settings: Settings) -> list[Job]:
    """Return a job for each contraction, size and framework."""
    sizes = (4,) if settings.quick else MEBIBYTES
    return [
        Job(
            f"{framework.name} {equation} {mebibytes} MiB",
            partial(_run, settings, framework, equation, mebibytes),
        )
        for framework in settings.frameworks
        for mebibytes in sizes
        for equation in equations()
    ]


def _run(settings: Settings, framework: Framework, equation: str, mebibytes: int) -> list[Case]:
    size = extent(equation, mebibytes)
    shapes = [(size,) * len(term) for term in equation.split("->")[0].split(",")]
    tensors = operands(framework, shapes)
    libraries = ("opt_einsum", "cotengra") if settings.everything else ("opt_einsum",)
    is_numpy = framework.name == "numpy"
    calls = contenders(
        framework, equation, tensors, libraries, partial(np.einsum, optimize=True) if is_numpy else None
    )
    calls["matmul"] = partial(framework.matmul, *operands(framework, product_shapes(equation, size), seed=1))
    if is_numpy and mebibytes <= _PLAIN_MEBIBYTES and not settings.quick:
        calls["plain"] = partial(np.einsum, equation, *tensors)
    values = time_calls(calls, settings.effort._replace(rounds=3 if settings.quick else 5))
    return [Case("tccg", "time, µs", framework.name, f"{mebibytes} MiB", equation, str(shapes), values)]


def tables(cases: list[Case]) -> list[Table]:
    """Return a table of the means for each framework and size, and of each framework's worst equations."""
    return [_means(cases), *(_worst(name, own) for name, own in by(cases, "framework").items())]


_RATIOS = (
    ("ours", "native"),
    ("ours", "plain"),
    ("ours", "matmul"),
    ("native", "matmul"),
    ("plain", "matmul"),
    ("opt_einsum", "matmul"),
    ("cotengra", "matmul"),
)


def _means(cases: list[Case]) -> Table:
    columns = [f"{above}/{below}" for above, below in _RATIOS]
    made = table("TCCG: geometric mean (worst)", ["framework", "largest", *columns], left=2)
    for framework, own in by(cases, "framework").items():
        for group, sized in by(own, "group").items():
            made.add_row(framework, group, *(_mean_and_worst(sized, *ratio) for ratio in _RATIOS))
    return made


def _mean_and_worst(cases: list[Case], above: str, below: str) -> str:
    mean = geometric_mean(case.ratio(above, below) for case in cases)
    return "–" if mean is None else f"{mean:.2f} ({worst(cases, above, below)[0][0]:.2f})"


def _worst(framework: str, cases: list[Case], count: int = 8) -> Table:
    made = table(
        f"TCCG: the {count} worst over native, {framework}",
        ["equation", "largest", "ours/native", "ours/matmul", "native/matmul"],
        left=2,
    )
    for ratio, case in worst(cases, "ours", "native")[:count]:
        over = [case.ratio(name, "matmul") for name in ("ours", "native")]
        made.add_row(case.name, case.group, number(ratio), *map(number, over))
    return made
