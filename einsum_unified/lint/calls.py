"""Find the einsum calls whose equation is certain from the source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from einsum_unified.language.sublists import Sublists
from einsum_unified.lint.libraries import FUNCTIONS, NUMPY, OPTIMIZED, OURS, CallForm, Function, LibraryEinsum
from einsum_unified.lint.names import Scope, Site, find_calls, meanings
from einsum_unified.lint.texts import Text, resolve, spell

_EQUATION_NAMES = re.compile(r"eq|sub|expr|pattern|form|spec|str", re.IGNORECASE)


@dataclass(frozen=True)
class Call:
    """A call of a known function with a known equation."""

    node: ast.Call
    scope: Scope
    function: Function
    library: LibraryEinsum
    text: Text
    """The equation; an interleaved call's sublists as messages write them."""
    sublists: Sublists | None = None
    operands: int | None = None
    """The number of operands that are passed; None if it is unknown."""
    misplaced: bool = False
    """Whether the equation is not the argument that the function takes as the equation."""

    def keyword(self, name: str) -> ast.expr | None:
        """Return the value of a keyword argument that the call writes out; None without it."""
        return next((keyword.value for keyword in self.node.keywords if keyword.arg == name), None)

    @property
    def is_open(self) -> bool:
        """Whether the call also passes unknown keywords: ``**options``."""
        return any(keyword.arg is None for keyword in self.node.keywords)


def calls_of(tree: ast.Module) -> Iterator[Call]:
    r"""Yield the calls of known functions with a known equation, in order.

    >>> tree = ast.parse("import numpy as np\nnp.einsum('ij,jk->ik', a, b)")
    >>> [(call.function.name, call.text.value, call.operands) for call in calls_of(tree)]
    [('numpy.einsum', 'ij,jk->ik', 2)]
    """
    for site in find_calls(tree):
        function = _function(site)
        call = function and _call(site, function)
        if call:
            yield call


def _function(site: Site) -> Function | None:
    names = meanings(site.call.func, site.scope)
    found = [FUNCTIONS[name] for name in names if name in FUNCTIONS]
    if len(found) != len(names) or len({(function.form, function.at) for function in found}) != 1:
        return None
    if len(found) == 1:
        return found[0]
    # `try: import cupy as xp` and `except ImportError: import numpy as xp`: only rules for any library.
    return Function("einsum", LibraryEinsum("any"), found[0].form, found[0].at)


def _call(site: Site, function: Function) -> Call | None:
    node, at = site.call, function.at
    starred = any(isinstance(argument, ast.Starred) for argument in node.args)
    library = _library(site, function)
    if starred and (at > 0 or not node.args or isinstance(node.args[at], ast.Starred)):
        return None
    if not -1 <= at < len(node.args):
        return _with_keyword(site, function, library)
    if not node.args:
        return None
    text = resolve(node.args[at], site.scope)
    if text is None:
        return _interleaved(site, function, library) or _misplaced(site, function, library)
    operands = None if starred else _count(site, function, library)
    return Call(node, site.scope, function, library, text, operands=operands)


def _library(site: Site, function: Function) -> LibraryEinsum:
    if function.library is not NUMPY:
        return function.library
    optimize = [keyword.value for keyword in site.call.keywords if keyword.arg in ("optimize", None)]
    is_off = optimize and isinstance(optimize[0], ast.Constant) and optimize[0].value is False
    return OPTIMIZED if (optimize and not is_off) or not function.contracts else NUMPY


def _with_keyword(site: Site, function: Function, library: LibraryEinsum) -> Call | None:
    """Return a call such as ``rearrange(x, pattern="a b -> b a")``."""
    for keyword in site.call.keywords:
        text = resolve(keyword.value, site.scope) if keyword.arg == "pattern" else None
        if text:
            return Call(site.call, site.scope, function, library, text)
    return _misplaced(site, function, library)


def _count(site: Site, function: Function, library: LibraryEinsum) -> int | None:
    operands = site.call.args[1:] if function.at == 0 else site.call.args[:-1]
    if len(operands) != 1 or not library.lists:
        return len(operands)
    (only,) = operands  # perhaps a list of all operands
    if library is OURS and not function.contracts and isinstance(only, ast.Tuple):
        return None  # perhaps a shape
    if not isinstance(only, (ast.List, ast.Tuple)):
        return None
    numbers = all(isinstance(item, (ast.Constant, ast.List, ast.Tuple)) for item in only.elts)
    starred = any(isinstance(item, ast.Starred) for item in only.elts)
    return None if starred or numbers else len(only.elts)


def _interleaved(site: Site, function: Function, library: LibraryEinsum) -> Call | None:
    arguments = site.call.args
    if function.form is not CallForm.EQUATION or len(arguments) < 2:
        return None
    if _may_be_text(arguments[0]) and len(arguments) < 4:
        return None  # probably an unknown equation with lists of numbers as operands
    end = len(arguments) // 2 * 2
    spelled = spell(arguments[1:end:2], arguments[-1] if len(arguments) > end else None)
    if spelled is None:
        return None
    text, sublists = spelled
    return Call(site.call, site.scope, function, library, text, sublists)


def _may_be_text(node: ast.expr) -> bool:
    """Guess whether an unknown first argument is an equation rather than an operand."""
    name = getattr(node, "attr", getattr(node, "id", ""))
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", "")
        return name in ("format", "join", "replace", "strip")
    return isinstance(node, (ast.JoinedStr, ast.BinOp, ast.Subscript)) or bool(_EQUATION_NAMES.search(name))


def _misplaced(site: Site, function: Function, library: LibraryEinsum) -> Call | None:
    """Return a call with a text that looks like an equation in the wrong place among the arguments."""
    if len(site.call.args) < 2:
        return None
    for argument in site.call.args:
        text = None if isinstance(argument, ast.Starred) else resolve(argument, site.scope)
        if text and "->" in text.value:
            return Call(site.call, site.scope, function, library, text, misplaced=True)
    return None
