"""The targets, and the table of those that are met."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from rich.table import Table

from benchmarks import networks, overhead, scale, shapes, startup, tccg
from benchmarks.cases import Case, geometric_mean
from benchmarks.tables import MISSING, table

_SHORT = 2.0
"""A native call of fewer µs is so short that the ratio of another call to it says little."""

Value = Callable[[Case], "float | None"]
Statistic = Callable[[Sequence[float]], "float | None"]


def over(name: str) -> Value:
    """Return a function of a case: our value divided by another contender's."""
    return lambda case: case.ratio("ours", name)


def ours(case: Case) -> float | None:
    """Return our value."""
    return case.values["ours"]


def over_best(case: Case) -> float | None:
    """Return our value divided by native's, with or without ``optimize=True``, whichever is less."""
    mine, others = case.values["ours"], [case.values.get(name) for name in ("native", shapes.OPTIMIZED)]
    least = min((other for other in others if other), default=None)
    return None if mine is None or least is None else mine / least


def over_long_calls(case: Case) -> float | None:
    """Return `over_best` for native calls of 2 µs or more."""
    native = case.values["native"]
    return over_best(case) if native is not None and native >= _SHORT else None


def beyond_short_calls(case: Case) -> float | None:
    """Return our value minus native's for native calls under 2 µs."""
    mine, native = case.values["ours"], case.values["native"]
    return None if mine is None or native is None or native >= _SHORT else mine - native


def beyond_numpy(case: Case) -> float | None:
    """Return our value minus NumPy's."""
    mine, other = case.values["ours"], case.values["numpy"]
    return None if mine is None or other is None else mine - other


@dataclass(frozen=True)
class Target:
    """A statistic of some cases, and its greatest acceptable value on each framework."""

    what: str
    part: str
    statistic: Statistic
    value: Value
    aims: dict[str, float]
    group: str = ""
    """Text that the group of the cases must contain."""
    name: str = ""
    """The name of the case, if it is only one."""
    measure: str = ""

    def measured(self, cases: list[Case], framework: str) -> float | None:
        """Return the statistic; None if there are no such cases."""
        values = [self.value(case) for case in cases if case.framework == framework and self._holds(case)]
        there = [value for value in values if value is not None]
        return self.statistic(there) if there else None

    def _holds(self, case: Case) -> bool:
        return (
            case.part == self.part
            and self.group in case.group
            and self.name in ("", case.name)
            and self.measure in ("", case.measure)
        )


def _aims(
    numpy: float | None, torch: float | None, tensorflow: float | None, jax: float | None = None
) -> dict[str, float]:
    aims = {"numpy": numpy, "torch": torch, "tensorflow": tensorflow, "jax": jax}
    return {name: aim for name, aim in aims.items() if aim is not None}


def _on_numpy(aim: float) -> dict[str, float]:
    return {"numpy": aim}


_SET, _TCCG = overhead.SMALL, tccg.TARGET_GROUP
_NATIVE, _MATMUL = over("native"), over("matmul")

TARGETS = (
    Target(
        "15 small equations over native, mean",
        "overhead",
        geometric_mean,
        _NATIVE,
        _aims(1.0, 0.5, 0.85, 0.15),
        _SET,
    ),
    Target("15 small equations over native, worst", "overhead", max, _NATIVE, _aims(1.3, 0.9, 1.05), _SET),
    Target("other forms of a call over native, worst", "forms", max, _NATIVE, _aims(1.5, 1.0, 1.0)),
    Target(
        "TCCG over one equal matmul, mean", "tccg", geometric_mean, _MATMUL, _aims(1.18, 1.15, None), _TCCG
    ),
    Target("TCCG over native, mean", "tccg", geometric_mean, _NATIVE, _aims(0.9, 0.8, 0.95), _TCCG),
    Target("TCCG over native, worst", "tccg", max, _NATIVE, _aims(1.1, 1.1, 1.1), _TCCG),
    Target(
        "bij,bjk->bik, 32 × 64×64, over native",
        "overhead",
        max,
        _NATIVE,
        _aims(0.2, 1.0, 1.0),
        "32 × 64×64",
    ),
    Target(
        "ab,bc,cd,de->ae, 4×4, over native",
        "overhead",
        max,
        _NATIVE,
        _aims(1.2, 0.2, 0.7),
        _SET,
        name="ab,bc,cd,de->ae",
    ),
    Target("int8 ij,jk->ik, 256×256, over native", "overhead", max, _NATIVE, _aims(0.2, 0.5, None), "int8"),
    Target(
        "networks of 3–8, FLOPs over best known, worst",
        "networks",
        max,
        over("best"),
        _on_numpy(1.05),
        networks.SMALL,
        measure=networks.FLOPS,
    ),
    Target(
        "networks of 3–8, planning, median, ms",
        "networks",
        median,
        ours,
        _on_numpy(5),
        networks.SMALL,
        measure=networks.PLANNING,
    ),
    Target(
        "new shapes over native, mean",
        "shapes",
        geometric_mean,
        over_best,
        _aims(1.0, 1.0, 0.9),
        measure=shapes.TIME,
    ),
    Target(
        "new shapes over native, worst",
        "shapes",
        max,
        over_long_calls,
        _aims(2.0, 1.2, 1.1),
        measure=shapes.TIME,
    ),
    Target(
        "new shapes beyond native under 2 µs, worst, µs",
        "shapes",
        max,
        beyond_short_calls,
        _on_numpy(6),
        measure=shapes.TIME,
    ),
    Target("growth after many new shapes, MB", "shapes", max, ours, _aims(10, 10, 10), measure=shapes.GROWTH),
    Target("import beyond NumPy's, ms", "startup", max, beyond_numpy, _on_numpy(15), measure=startup.IMPORT),
    Target(
        "cold plan of two operands, median, µs", "startup", median, ours, _on_numpy(90), measure=startup.PLAN
    ),
    Target(
        "cold plan of two operands, worst, µs", "startup", max, ours, _on_numpy(300), measure=startup.PLAN
    ),
    Target(
        f"{scale.MOST} operands, first call, worst, s",
        "scale",
        max,
        ours,
        _on_numpy(5),
        scale.MOST,
        measure=scale.SECONDS,
    ),
    Target(
        "growth with the operands, exponent, worst",
        "scale",
        max,
        ours,
        _on_numpy(1.2),
        measure=scale.EXPONENT,
    ),
)

Outcome = dict[str, "str | float | bool"]


def outcomes(cases: list[Case]) -> list[Outcome]:
    """Return the measured value of each target, for the JSON file."""
    found: list[Outcome] = []
    for target in TARGETS:
        for framework, aim in target.aims.items():
            measured = target.measured(cases, framework)
            if measured is not None:
                found.append(
                    {
                        "what": target.what,
                        "framework": framework,
                        "measured": float(f"{measured:.4g}"),
                        "aimed": aim,
                        "met": measured <= aim,
                    }
                )
    return found


def summary(cases: list[Case]) -> Table:
    """Return the table of targets: the measured value, the target, and whether it is met."""
    frameworks = list(_aims(0, 0, 0, 0))
    made = table("Aims", ["what", *frameworks])
    for target in TARGETS:
        made.add_row(target.what, *(_cell(target, cases, framework) for framework in frameworks))
    return made


def _cell(target: Target, cases: list[Case], framework: str) -> str:
    measured = target.measured(cases, framework)
    if measured is None:
        return MISSING
    aim = target.aims.get(framework)
    if aim is None:
        return f"{measured:.2f}, no aim"
    met = "[green]met[/]" if measured <= aim else "[red]missed[/]"
    return f"{measured:.3g} {'≤' if measured <= aim else '>'} {aim:g} {met}"
