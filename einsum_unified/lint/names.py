"""The meaning of names: the scopes of a module, the bindings in them, and the calls in each scope.

Nothing is imported. A name is known if it can only mean one thing; other names are ignored.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

_RAISES = re.compile(r"(?:assert_?)?raises(?:_?regexp?)?", re.IGNORECASE)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_IMPORTERS = ("pytest.importorskip", "importlib.import_module")
_DEPTH = 10  # of aliases of aliases

Binding = str | ast.expr | None
"""The full name of an import, the expression of an assignment, or None for anything else."""


@dataclass(frozen=True, eq=False)
class Scope:
    """A module, class, function or comprehension, and the bindings of its names."""

    parent: Scope | None = None
    is_class: bool = False
    bindings: defaultdict[str, list[Binding]] = field(default_factory=lambda: defaultdict(list))
    stars: list[str] = field(default_factory=list)
    """Modules from which all names are imported: ``from module import *``."""
    elsewhere: set[str] = field(default_factory=set)
    """Names declared global or nonlocal."""

    def bind(self, name: str, binding: Binding) -> None:
        """Record a binding of a name here, or in all enclosing scopes if declared global or nonlocal."""
        scopes = self.enclosing() if name in self.elsewhere else [self]
        for scope in scopes:
            scope.bindings[name].append(binding if scope is self else None)

    def enclosing(self) -> list[Scope]:
        """Return the scopes around this one, from the nearest outwards."""
        found, scope = [], self.parent
        while scope is not None:
            found.append(scope)
            scope = scope.parent
        return found

    def lookup(self, name: str) -> tuple[list[Binding], Scope]:
        """Return the bindings of a name in the nearest scope that has any, and that scope."""
        for scope in [self, *(scope for scope in self.enclosing() if not scope.is_class)]:
            if name in scope.bindings:
                return scope.bindings[name], scope
        return [], self


@dataclass(frozen=True)
class Site:
    """A call and its scope."""

    call: ast.Call
    scope: Scope


def find_calls(tree: ast.Module) -> list[Site]:
    r"""Return the calls of a module in order, except those that a test expects to raise.

    >>> tree = ast.parse("f(g())\nwith pytest.raises(ValueError):\n    h()")
    >>> [ast.unparse(site.call) for site in find_calls(tree)]
    ['f(g())', 'g()', 'pytest.raises(ValueError)']
    """
    calls: list[Site] = []
    todo: list[tuple[ast.AST, Scope]] = [(tree, Scope())]
    while todo:  # without recursion: sources may be nested deeply
        node, scope = todo.pop()
        if isinstance(node, ast.Call):
            calls.append(Site(node, scope))
        children = list(_children(node, scope))
        todo += reversed(children)
    return calls


def _children(node: ast.AST, scope: Scope) -> Iterator[tuple[ast.AST, Scope]]:
    """Yield the parts of a node, each with its scope, and record the node's bindings."""
    if isinstance(node, _FUNCTIONS):
        yield from _function(node, scope)
    elif isinstance(node, ast.ClassDef):
        scope.bind(node.name, None)
        yield from ((part, scope) for part in [*node.decorator_list, *node.bases, *node.keywords])
        inner = Scope(scope, is_class=True)
        yield from ((part, inner) for part in node.body)
    elif isinstance(node, _COMPREHENSIONS):
        inner = Scope(scope)
        yield from ((part, inner) for part in ast.iter_child_nodes(node))
    elif isinstance(node, ast.Call) and _expects_error(node):
        yield node.func, scope
    elif isinstance(node, (ast.With, ast.AsyncWith)) and any(
        _expects_error(item.context_expr) for item in node.items
    ):
        yield from ((item, scope) for item in node.items)
    else:
        skipped = _bind(node, scope)
        yield from ((part, scope) for part in ast.iter_child_nodes(node) if part not in skipped)


def _function(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scope: Scope
) -> Iterator[tuple[ast.AST, Scope]]:
    arguments = node.args
    inner = Scope(scope)
    outer: list[ast.AST | None] = [*arguments.defaults, *arguments.kw_defaults]
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    for argument in [*every, arguments.vararg, arguments.kwarg]:
        if argument is not None:
            inner.bind(argument.arg, None)
    if not isinstance(node, ast.Lambda):
        scope.bind(node.name, None)
        outer += node.decorator_list
    yield from ((part, scope) for part in outer if part is not None)
    body = [node.body] if isinstance(node, ast.Lambda) else node.body
    yield from ((part, inner) for part in body)


def _expects_error(node: ast.expr) -> bool:
    """Whether it is ``pytest.raises(...)``, ``self.assertRaises(...)`` or similar."""
    if not isinstance(node, ast.Call):
        return False
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    return bool(_RAISES.fullmatch(name))


def _bind(node: ast.AST, scope: Scope) -> list[ast.AST]:
    """Record the bindings of a node, and return the parts of it that need no further visit."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            root = alias.name.partition(".")[0]
            scope.bind(alias.asname or root, alias.name if alias.asname else root)
    elif isinstance(node, ast.ImportFrom):
        _bind_from(node, scope)
    elif isinstance(node, (ast.Global, ast.Nonlocal)):
        scope.elsewhere.update(node.names)
    elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        scope.bind(node.id, None)
    elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
        scope.bind(node.name, None)
    elif isinstance(node, ast.MatchMapping) and node.rest:
        scope.bind(node.rest, None)
    elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = [target for target in targets if isinstance(target, ast.Name)]
        for name in names:
            scope.bind(name.id, node.value)
        return [*names]
    return []


def _bind_from(node: ast.ImportFrom, scope: Scope) -> None:
    for alias in node.names:
        known = not node.level and node.module
        if alias.name != "*":
            scope.bind(alias.asname or alias.name, f"{node.module}.{alias.name}" if known else None)
        elif known:
            scope.stars.append(node.module or "")


def meanings(node: ast.expr, scope: Scope, depth: int = _DEPTH) -> set[str]:
    r"""Return the full names that an expression such as ``np.einsum`` may have; none if they are uncertain.

    >>> tree = ast.parse("import jax.numpy as jnp\ncontract = jnp.einsum\ncontract('ii', x)")
    >>> (site,) = find_calls(tree)
    >>> meanings(site.call.func, site.scope)
    {'jax.numpy.einsum'}
    """
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    attributes.reverse()
    if isinstance(node, ast.Call):
        return {".".join([name, *attributes]) for name in _imported_by(node, scope, depth)}
    if not isinstance(node, ast.Name) or not depth:
        return set()
    bindings, where = scope.lookup(node.id)
    if not bindings:
        scopes = [scope, *scope.enclosing()]
        return {".".join([star, node.id, *attributes]) for inner in scopes for star in inner.stars}
    names = {binding for binding in bindings if isinstance(binding, str)}
    others = [b for b in bindings if not isinstance(b, str) and not _is_none(b)]
    if len(others) == 1 and others[0] is not None:
        aliased = meanings(others[0], where, depth - 1)
        names = names | aliased if aliased else set()
    elif others:
        return set()
    return {".".join([name, *attributes]) for name in names}


def _is_none(binding: Binding) -> bool:
    """Whether it is ``np = None``, which sources use when an import fails."""
    return isinstance(binding, ast.Constant) and binding.value is None


def _imported_by(call: ast.Call, scope: Scope, depth: int) -> set[str]:
    """Return the module that a call such as ``pytest.importorskip("torch")`` returns."""
    if not depth or not call.args or not isinstance(call.args[0], ast.Constant):
        return set()
    if meanings(call.func, scope, depth - 1) & set(_IMPORTERS):
        return {str(call.args[0].value)}
    return set()
