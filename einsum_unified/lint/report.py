"""Findings as text for people, and as JSON, SARIF and GitHub's workflow commands for machines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from einsum_unified.lint.check import Finding
from einsum_unified.lint.rules import RULES
from einsum_unified.printable import escaped, json_text, shown
from einsum_unified.wording import counted, pointed

VERSION = 1
"""The version of the JSON format."""

_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"
_GITHUB = {"error": "error", "warning": "warning", "note": "notice"}


@dataclass
class Results:
    """The findings by file, the files that could not be read with the reason, and the number of files."""

    findings: list[tuple[Path, Finding]] = field(default_factory=list)
    failures: list[tuple[Path, str]] = field(default_factory=list)
    files: int = 0
    unread: int = 0
    """The number of files that could not be read."""


# --- text -----------------------------------------------------------------------------------------


def text(results: Results) -> str:
    """Return each finding with its source line and carets below the wrong places, and last the count."""
    blocks = [_block(path, finding) for path, finding in results.findings]
    count, files = len(results.findings), len({path for path, _ in results.findings})
    where = counted(results.files, "file")
    lacking = f"; {results.unread} could not be read" if results.unread else ""
    if not count:
        some = f"{results.files - results.unread} of " if results.unread else ""
        return f"no findings in {some}{where}{lacking}\n"
    return "\n".join([*blocks, f"{counted(count, 'finding')} in {files} of {where}{lacking}\n"])


def _block(path: Path, finding: Finding) -> str:
    headline = f"{escaped(str(path))}:{finding.line}:{finding.column}: {finding.code} {finding.message}"
    columns = [place.column - 1 for place in finding.places if place.line == finding.line]
    lines = pointed(finding.source_line, columns)
    if finding.equation and not _is_in_sight(finding):
        lines += pointed(finding.equation, finding.marks)
    return shown("\n".join([headline, *lines, *(f"  {note}" for note in finding.notes)]))


def _is_in_sight(finding: Finding) -> bool:
    """Whether the source line contains the equation unchanged, or the finding does not mark the equation."""
    return finding.equation in finding.source_line or not finding.marks


# --- for machines ---------------------------------------------------------------------------------


def as_json(results: Results) -> str:
    """Return all findings and failures as JSON."""
    document = {
        "version": VERSION,
        "files": results.files,
        "findings": [
            {
                "path": path.as_posix(),
                "line": finding.line,
                "column": finding.column,
                "code": finding.code,
                "name": RULES[finding.code].name,
                "level": RULES[finding.code].level,
                "message": finding.message,
                "notes": list(finding.notes),
                "function": finding.function,
                "equation": finding.equation,
                "marks": list(finding.marks),
            }
            for path, finding in results.findings
        ],
        "unreadable": [{"path": path.as_posix(), "message": why} for path, why in results.failures],
    }
    return json_text(document, indent=2) + "\n"


def github(results: Results) -> str:
    """Return GitHub's workflow commands, which annotate the lines of a pull request.

    Line breaks and per cent signs of messages are escaped as these commands require, and other characters
    that cannot be printed are spelled out.
    """
    lines = []
    for path, finding in results.findings:
        level = _GITHUB[RULES[finding.code].level]
        where = f"file={_property(path.as_posix())},line={finding.line},col={finding.column}"
        said = _escaped("\n".join([finding.message, *finding.notes]))
        lines.append(f"::{level} {where},title={finding.code}::{said}\n")
    for path, why in results.failures:
        lines.append(f"::error file={_property(path.as_posix())}::{_escaped(why)}\n")
    return "".join(lines)


def _escaped(text: str) -> str:
    return escaped(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def sarif(results: Results) -> str:
    """Return SARIF 2.1.0, which code hosts and editors read."""
    codes = list(RULES)
    rules = [
        {
            "id": rule.code,
            "name": "".join(word.capitalize() for word in rule.name.split("-")),
            "shortDescription": {"text": rule.summary},
            "defaultConfiguration": {"level": rule.level},
        }
        for rule in RULES.values()
    ]
    run = {
        "tool": {"driver": {"name": "einsum_unified lint", "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(path, finding, codes) for path, finding in results.findings],
        "invocations": [
            {
                "executionSuccessful": not results.failures,
                "toolExecutionNotifications": [
                    {"level": "error", "message": {"text": escaped(why)}, "locations": [_location(path)]}
                    for path, why in results.failures
                ],
            }
        ],
    }
    return json_text({"$schema": _SARIF, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _result(path: Path, finding: Finding, codes: Sequence[str]) -> dict[str, Any]:
    region = {"startLine": finding.line, "startColumn": finding.column, "endColumn": finding.column + 1}
    return {
        "ruleId": finding.code,
        "ruleIndex": codes.index(finding.code),
        "level": RULES[finding.code].level,
        "message": {"text": escaped("\n".join([finding.message, *finding.notes]), newlines=True)},
        "locations": [_location(path, region)],
    }


def _location(path: Path, region: dict[str, int] | None = None) -> dict[str, Any]:
    name = path.as_posix().encode("utf-8", "surrogateescape")
    uri = f"file://{quote(name)}" if path.is_absolute() else quote(name)
    physical: dict[str, Any] = {"artifactLocation": {"uri": uri}}
    if region:
        physical["region"] = region
    return {"physicalLocation": physical}


FORMATS: dict[str, Callable[[Results], str]] = {
    "text": text,
    "json": as_json,
    "github": github,
    "sarif": sarif,
}
