"""`document`: a plan as one self-contained HTML file that needs no network.

The standard library's templates, with `html.escape` on all inserted text, are enough for one page layout. A
template engine would be a dependency for everybody who opens a notebook.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import sha256
from html import escape, unescape
from importlib.resources import files
from string import Template

from einsum_unified.binding.bound import Bound
from einsum_unified.forks import forks_wait
from einsum_unified.show.page.lessons import LABELS, OPERANDS, STEPS, lessons
from einsum_unified.show.page.shown import shown, shown_labels
from einsum_unified.show.picture.palette import colour, variables
from einsum_unified.show.picture.wiring import wiring
from einsum_unified.show.summary import operand_lines, unknown_lines
from einsum_unified.show.table import HEADER, Explanation
from einsum_unified.wording import first_lines

_UNRANKED = "The numbers of axes are known only at run time: the steps are left to the framework."
LONGEST_CELL = 80
LONG_TITLE = 60
_STYLES = re.compile(r"<style\b[^>]*>(.*?)</style>", re.DOTALL)


def document(
    bound: Bound, library: str, explanation: Explanation | None, algorithm: str, code: str, picture: str
) -> str:
    """Return the page of a plan; it has no steps if ``explanation`` is None: numbers of axes are unknown."""
    style = f"{variables()}\n{_resource('page.css')}"
    script = _resource("stepper.js")
    drawing = re.sub(r"^(<\?xml.*?\?>|<!DOCTYPE[^>]*>|\s)*", "", picture, flags=re.DOTALL)
    # Unlike a style element of HTML, one inside SVG is not raw text: entities in it are decoded.
    styles = [style, *map(unescape, _STYLES.findall(drawing))]
    return Template(_resource("page.html")).substitute(
        policy=_policy(script, styles),
        title=_text(bound.equation.text),
        length="long" if len(bound.equation.text) > LONG_TITLE else "short",
        style=style,
        where=_text(f"on {library}, {bound.dtype}"),
        operands=_items(first_lines([*operand_lines(bound), *unknown_lines(bound)])),
        picture=drawing,
        stepper=_stepper(bound, explanation, script),
        steps=_paragraph(_UNRANKED) if explanation is None else _steps(explanation, algorithm),
        code=escape(code),
    )


@cache
def _resource(name: str) -> str:
    with forks_wait():  # `files` imports what it needs
        return files("einsum_unified.show.page").joinpath(name).read_text("utf-8")


def _policy(script: str, styles: Iterable[str]) -> str:
    """Return a content security policy that allows only this script and these styles, and loads nothing."""
    allowed = " ".join(dict.fromkeys(map(_hash, styles)))
    rules = (f"script-src {_hash(script)}", f"style-src {allowed}", "base-uri 'none'", "form-action 'none'")
    return "; ".join(("default-src 'none'", *rules))


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


# --- parts ----------------------------------------------------------------------------------------


def _stepper(bound: Bound, explanation: Explanation | None, script: str) -> str:
    if explanation is None:
        return _paragraph(_UNRANKED)
    found = lessons(bound, explanation.steps)
    if not found:
        return _paragraph(f"More than {LABELS} labels are too many to step through.")
    data = {
        "labels": shown_labels(bound),
        "colours": _colours(bound),
        "lessons": [lesson.data() for lesson in found],
    }
    stepper = Template(_resource("stepper.html")).substitute(lessons=_json(data), script=script)
    return stepper + "".join(map(_paragraph, _left_out(bound)))


def _colours(bound: Bound) -> list[str]:
    """Return the CSS variable with each label's colour: the colour of its rail in the picture."""
    order = {label: n for n, label in enumerate(wiring(bound).coloured)}
    return [colour(order.get(label)) for label in range(len(bound.labels))]


def _left_out(bound: Bound) -> list[str]:
    """Return notes about the parts that the stepper does not show."""
    count, steps = len(bound.operands), len(bound.operands) - 1
    notes = [f"{count} operands are too many to show at once: only the steps are shown."] * (count > OPERANDS)
    return [*notes, *([f"Only the first {STEPS} of {steps} steps are shown."] if steps > STEPS else [])]


def _steps(explanation: Explanation, algorithm: str) -> str:
    """Return the table of `print(plan)` and the notes below it."""
    head = "".join(f'<th scope="col">{_text(name)}</th>' for name in HEADER)
    body = "\n".join(f"<tr>{_cells(row)}</tr>" for row in explanation.rows())
    return (
        '<div class="scroll" tabindex="0" role="region" aria-labelledby="steps-title"><table class="steps">\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n"
        f"<tfoot><tr>{_cells(explanation.totals())}</tr></tfoot>\n</table></div>\n<ul>{_items(explanation.notes(algorithm))}</ul>"
    )


def _cells(row: Sequence[str]) -> str:
    return "".join(f"<td>{escape(shown(cell, LONGEST_CELL))}</td>" for cell in row)


def _items(lines: Iterable[str]) -> str:
    return "".join(f"<li>{_text(line)}</li>" for line in lines)


def _paragraph(text: str) -> str:
    return f"<p>{_text(text)}</p>"


# --- text -----------------------------------------------------------------------------------------


def _text(text: str) -> str:
    """Return untrusted text escaped for HTML."""
    return escape(shown(text.strip()))


def _json(data: object) -> str:
    """Return JSON without characters that could end its element or be read as HTML."""
    text = json.dumps(data, separators=(",", ":"))  # ASCII: other characters are written as \\u....
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
