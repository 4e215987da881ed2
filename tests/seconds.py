"""Processor time of the tests: a table by file, and a budget that fails the run when it is exceeded.

Processor time counts this process and those that it has waited for, whatever else the machine does.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

BUDGET = "EINSUM_UNIFIED_CPU_BUDGET"
"""The variable with the seconds that a run may take."""


def processor_seconds() -> float:
    return sum(os.times()[:4])


class Seconds:
    """The plugin, in each process that runs tests and in the one that waits for these."""

    def __init__(self) -> None:
        self.files: Counter[str] = Counter()
        self.said = ""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        start = processor_seconds()
        try:
            return (yield)
        finally:
            self.files[item.nodeid.partition("::")[0]] += processor_seconds() - start

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.files.update(getattr(node, "workeroutput", {}).get("seconds", {}))

    @pytest.hookimpl(trylast=True)  # when the processes of xdist have ended
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["seconds"] = dict(self.files)
            return
        total, budget = processor_seconds(), float(os.environ.get(BUDGET, "inf"))
        self.said = f"{total:.0f} s of processor time"
        if total > budget:
            self.said += f", which is more than {BUDGET}={budget:.0f}"
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any, config: pytest.Config) -> None:
        if config.option.seconds_by_file:
            terminalreporter.write_line(table(self.files))
        terminalreporter.write_line(self.said)


def table(files: Counter[str]) -> str:
    """Return a table in Markdown, the slowest files first; those below a second are one row."""
    rows = [(name, seconds) for name, seconds in files.most_common() if seconds >= 1]
    rest = len(files) - len(rows), sum(files.values()) - sum(seconds for _, seconds in rows)
    lines = [f"| `{name}` | {seconds:.0f} |" for name, seconds in rows]
    return "\n".join(["| file | seconds |", "|---|---|", *lines, f"| {rest[0]} more files | {rest[1]:.0f} |"])
