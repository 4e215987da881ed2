"""Equations in the source: their text, and the place that each character comes from."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from einsum_unified.errors import EinsumError
from einsum_unified.language.sublists import Sublists, separator, to_sublists
from einsum_unified.lint.names import Scope
from einsum_unified.lint.source import Place, Source
from einsum_unified.wording import quoted

_MOST_PIECES = 1000
_MOST_NAMES = 10  # in a chain of names, each assigned to the next
_LONGEST = 20_000_000  # names may double a text again and again


@dataclass(frozen=True)
class Piece:
    """A part of a text and the node that it comes from."""

    node: ast.expr
    length: int
    literal: bool
    """Whether the node is a string literal with these characters; if not, all have the place of the node."""


@dataclass(frozen=True)
class Text:
    """A text and the pieces of source that it is made of."""

    value: str
    pieces: tuple[Piece, ...]

    def places(self, source: Source, indices: Sequence[int]) -> list[Place]:
        """Return the places of characters in the source."""
        found = []
        for index in indices:
            piece, within = self._piece(index)
            if piece.literal and isinstance(piece.node, ast.Constant):
                found += source.places(piece.node, [within])
            else:
                found.append(source.start(piece.node))
        return found

    def _piece(self, index: int) -> tuple[Piece, int]:
        """Return the piece that contains a character, and the character's index in that piece."""
        for piece in self.pieces:
            if index < piece.length:
                return piece, index
            index -= piece.length
        return self.pieces[0], 0


def resolve(node: ast.expr, scope: Scope) -> Text | None:
    r"""Return the text of an expression if it is certain: literals, also joined, named or in f-strings.

    >>> from einsum_unified.lint.names import find_calls
    >>> tree = ast.parse("left = 'ij'\nf(left + f',j->{left}')")
    >>> (site,) = find_calls(tree)
    >>> resolve(site.call.args[0], site.scope).value
    'ij,j->ij'
    """
    todo = [_Part(node, scope)]
    values: list[str] = []
    pieces: list[Piece] = []
    length = 0
    while todo:
        part = todo.pop()
        parts = _parts(part)
        if parts is None or len(pieces) >= _MOST_PIECES or length > _LONGEST:
            return None
        if isinstance(part.node, ast.Constant):
            values.append(str(part.node.value))
            length += len(values[-1])
            pieces.append(Piece(part.within or part.node, len(values[-1]), literal=part.within is None))
        todo += reversed(parts)
    return Text("".join(values), tuple(pieces)) if pieces else None


class _Part(NamedTuple):
    """A part of an expression that is still to be resolved."""

    node: ast.expr
    scope: Scope
    depth: int = 0
    """The number of names through which it was reached."""
    within: ast.JoinedStr | None = None
    """The f-string around it; not every version of Python records places within f-strings."""


def _parts(part: _Part) -> list[_Part] | None:
    """Return the parts of an expression: none for a literal, and None for one that may be anything."""
    node = part.node
    if isinstance(node, ast.Constant):
        return [] if isinstance(node.value, str) else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [part._replace(node=node.left), part._replace(node=node.right)]
    if isinstance(node, ast.JoinedStr):
        return [part._replace(node=value, within=node) for value in node.values]
    if isinstance(node, ast.FormattedValue) and node.conversion == -1 and node.format_spec is None:
        return [part._replace(node=node.value)]
    if isinstance(node, ast.Name) and part.depth < _MOST_NAMES:
        bindings, where = part.scope.lookup(node.id)
        if len(bindings) == 1 and isinstance(bindings[0], ast.expr):
            return [_Part(bindings[0], where, part.depth + 1)]
    return None


def spell(inputs: Sequence[ast.expr], output: ast.expr | None) -> tuple[Text, Sublists] | None:
    """Return the sublists of an interleaved call, and their text in messages; None if not all are literal.

    >>> x, y = ast.parse("[0, 1], [1]").body[0].value.elts
    >>> spell([x, y], None)[0].value
    '[0, 1], [1]'
    """
    terms = [*inputs, *([] if output is None else [output])]
    pieces: list[tuple[str, ast.expr]] = []
    labels: list[list[Any]] = []
    for n, term in enumerate(terms):
        if not isinstance(term, (ast.List, ast.Tuple)):
            return None
        pieces.append((separator(n, len(inputs)), term))
        labels.append([])
        for k, element in enumerate(term.elts):
            label = _label(element)
            if label is None:
                return None
            labels[-1].append(label)
            pieces.append((", " if k else "[", term))
            pieces.append(("..." if label is ... else quoted(label), element))
        pieces.append(("]" if term.elts else "[]", term))
    try:
        sublists = to_sublists(labels[: len(inputs)], None if output is None else labels[-1])
    except EinsumError:
        return None
    value = "".join(text for text, _ in pieces)
    return Text(value, tuple(Piece(node, len(text), literal=False) for text, node in pieces)), sublists


def _label(node: ast.expr) -> Any:
    """Return a label that is a literal, or None."""
    if isinstance(node, ast.Constant) and not isinstance(node.value, (bytes, float, complex)):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        operand = node.operand
        if isinstance(operand, ast.Constant) and type(operand.value) is int:
            return -operand.value
    return Ellipsis if isinstance(node, ast.Name) and node.id == "Ellipsis" else None
