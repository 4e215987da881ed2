"""What names mean: the scopes of a module, what is bound in them, and the calls they hold.

Nothing is imported. A name is known if it can only mean one thing; whatever else is left alone.
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
"""The full name of what was imported, the expression that was assigned, or None: anything."""


@dataclass(frozen=True, eq=False)
class Scope:
    """A module, class, function or comprehension, and what its names were bound to."""

    parent: Scope | None = None
    is_class: bool = False
    bindings: defaultdict[str, list[Binding]] = field(default_factory=lambda: defaultdict(list))
    stars: list[str] = field(default_factory=list)
    """Modules all of whose names were imported."""
    elsewhere: set[str] = field(default_factory=set)
    """Names declared global or nonlocal."""

    def bind(self, name: str, binding: Binding) -> None:
        """Note that a name is bound here, or where a declaration says."""
        scopes = self.enclosing() if name in self.elsewhere else [self]
        for scope in scopes:
            scope.bindings[name].append(binding if scope is self else None)

    def enclosing(self) -> list[Scope]:
        """Return the scopes around this one, the nearest first."""
        found, scope = [], self.parent
        while scope is not None:
            found.append(scope)
            scope = scope.parent
        return found

    def lookup(self, name: str) -> tuple[list[Binding], Scope]:
        """Return what a name was bound to, and in which scope: the nearest that binds it."""
        for scope in [self, *(scope for scope in self.enclosing() if not scope.is_class)]:
            if name in scope.bindings:
                return scope.bindings[name], scope
        return [], self


@dataclass(frozen=True)
class Site:
    """A call and the scope that it stands in."""

    call: ast.Call
    scope: Scope


def find_calls(tree: ast.Module) -> list[Site]:
    r"""Return the calls of a module in order, but for those that a test says will raise.

    >>> tree = ast.parse("f(g())\nwith pytest.raises(ValueError):\n    h()")
    >>> [ast.unparse(site.call) for site in find_calls(tree)]
    ['f(g())', 'g()', 'pytest.raises(ValueError)']
    """
    calls: list[Site] = []
    todo: list[tuple[ast.AST, Scope]] = [(tree, Scope())]
    while todo:  # no recursion: sources may be nested deeply
        node, scope = todo.pop()
        if isinstance(node, ast.Call):
            calls.append(Site(node, scope))
        children = list(_children(node, scope))
        todo += reversed(children)
    return calls


def _children(node: ast.AST, scope: Scope) -> Iterator[tuple[ast.AST, Scope]]:
    """Yield the parts of a node, each with its scope, and note what the node binds."""
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
    """Whether it is ``pytest.raises(...)``, ``self.assertRaises(...)`` or the like."""
    if not isinstance(node, ast.Call):
        return False
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    return bool(_RAISES.fullmatch(name))


def _bind(node: ast.AST, scope: Scope) -> list[ast.AST]:
    """Note what a node binds, and return those of its parts that are thereby done."""
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
    r"""Return the full names that an expression such as ``np.einsum`` may mean; none if it may be anything.

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
    """Whether it is ``np = None``, which is there for when an import fails."""
    return isinstance(binding, ast.Constant) and binding.value is None


def _imported_by(call: ast.Call, scope: Scope, depth: int) -> set[str]:
    """Return the module that ``pytest.importorskip("torch")`` and its like give."""
    if not depth or not call.args or not isinstance(call.args[0], ast.Constant):
        return set()
    if meanings(call.func, scope, depth - 1) & set(_IMPORTERS):
        return {str(call.args[0].value)}
    return set()
