"""What the library promises beside values: what it imports, exports, keeps, and that threads may share it."""

from __future__ import annotations

import ast
import gc
import inspect
import operator
import os
import re
import subprocess
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from conftest import require
from sources import CORE, MODULES, imported

import einsum_unified
from einsum_unified import cache_info, clear_cache, einsum, register_backend
from einsum_unified.adapter import dispatch
from einsum_unified.adapter import registry as adapters
from einsum_unified.adapter.dispatch import load

ADAPTERS = {
    name: ast.parse(Path(CORE.parent, "backends", f"{name}.py").read_text("utf-8"))
    for name in (*dispatch.FRAMEWORKS, "array_function")
}
PROTOCOL = next(
    n for n in MODULES["adapter/protocol"].body if isinstance(n, ast.ClassDef) and n.name == "Backend"
)
HEAVY = (*sorted({*dispatch.FRAMEWORKS} - {"numpy"}), "keras", "backends", "rich", "einops")


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    return done.stdout.strip()


# --- what is imported when ------------------------------------------------------------------------


def test_importing_the_package_loads_no_framework():
    code = f"import sys, einsum_unified; print(sorted(set({HEAVY}) & set(sys.modules)))"
    assert run_python(code) == "[]"


def test_using_numpy_loads_no_other_framework():
    code = f"""
import sys, numpy as np
from einsum_unified import einsum, einsum_path, einsum_plan
x = np.ones((3, 3))
einsum("ij,jk,kl->il", x, x, x); einsum(x, [0, 1], 2.0, []); einsum_path("ij,jk", x, x)
print(einsum_plan("ij,jk", (2, 3), (3, 4)) and sorted(set({HEAVY}) & set(sys.modules)))
try:
    einsum("i->", {{}})
except TypeError:
    print(sorted(set({HEAVY}) & set(sys.modules)))
"""
    assert run_python(code).split("\n") == ["[]", "[]"]


@pytest.mark.parametrize(
    ("used", "others"), [("torch", {"tensorflow", "jax", "backends"}), ("tensorflow", {"torch", "backends"})]
)
def test_using_one_framework_loads_no_other(request, used: str, others: set):
    request.getfixturevalue({"torch": "torch", "tensorflow": "tf"}[used])
    code = f"""
import sys, {used}
before = set(sys.modules)
from einsum_unified import einsum
einsum("i,i->", {used}.ones(3), {used}.ones(3))
print(sorted({others!r} & set(sys.modules) - before))
"""
    assert run_python(code).split("\n")[-1] == "[]"


def test_adapters_live_in_the_package_and_nowhere_else(framework):
    assert type(load(framework.name)).__module__ == f"einsum_unified.backends.{framework.name}"
    assert (
        run_python("import einsum_unified.backends.numpy, sys; print('backends' in sys.modules)") == "False"
    )


# --- what is exported -----------------------------------------------------------------------------


def test_all_is_what_it_is():
    assert sorted(einsum_unified.__all__) == [
        "BackendError",
        "CacheInfo",
        "EinsumError",
        "EquationError",
        "OperandError",
        "OperandTypeError",
        "PathError",
        "Plan",
        "cache_info",
        "clear_cache",
        "einsum",
        "einsum_path",
        "einsum_plan",
        "register_backend",
    ]


@pytest.mark.parametrize("name", einsum_unified.__all__)
def test_every_public_name_has_a_docstring(name: str):
    summary = inspect.cleandoc(getattr(einsum_unified, name).__doc__).splitlines()[0]
    assert summary.endswith((".", ":"))
    assert len(summary) > 20


@pytest.mark.parametrize("name", [*MODULES, *(f"backends.{name}" for name in ADAPTERS)])
def test_every_module_has_a_docstring(name: str):
    tree = ADAPTERS[name.removeprefix("backends.")] if name.startswith("backends.") else MODULES[name]
    assert ast.get_docstring(tree)


def test_every_error_is_an_einsum_error_and_a_value_error():
    errors = [getattr(einsum_unified, name) for name in einsum_unified.__all__ if name.endswith("Error")]
    assert len(errors) == 6
    assert all(issubclass(error, (einsum_unified.EinsumError, ValueError)) for error in errors)
    assert issubclass(einsum_unified.OperandTypeError, TypeError)


# --- what is named where ---------------------------------------------------------------------------


def strings(tree: ast.Module) -> set[str]:
    """Words in string constants that are no docstrings: those stand as expressions."""
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return {n.value for n in texts if id(n) not in docs}


# lint names what the sources that it reads call, dialects how code is written, makers how operands are made.
NAMING = {"adapter/frameworks", "show/dialects", "testing/conformance/makers"}
NAMING |= {name for name in MODULES if name.startswith("lint/")}


@pytest.mark.parametrize("name", sorted(set(MODULES) - NAMING))
def test_frameworks_are_named_in_one_table_only(name: str):
    named = {s for s in strings(MODULES[name]) if (set(dispatch.FRAMEWORKS) - {"numpy"}) & set(s.split("."))}
    assert named == set()


def test_every_framework_has_an_adapter_of_its_name_and_an_extra_that_installs_it():
    project = Path(CORE.parent, "pyproject.toml").read_text("utf-8")
    extras = re.findall(r"^(\w+) = \[", project.partition("[project.optional-dependencies]")[2], re.MULTILINE)
    for name, framework in dispatch.FRAMEWORKS.items():
        assert framework.adapter == f"einsum_unified.backends.{name}"
        assert name in [*extras, "numpy"]
        assert framework.einsum.partition(".")[0] == name


def test_the_version_is_the_projects():
    project = Path(CORE.parent, "pyproject.toml").read_text("utf-8")
    assert re.findall(r'^version = "(.*)"', project, re.MULTILINE) == [einsum_unified.__version__]


# --- adapters -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ADAPTERS)
def test_an_adapter_imports_the_core_a_little_numpy_and_its_framework(name: str):
    allowed = {
        "einsum_unified",  # Dask's chunks go through einsum again
        "einsum_unified.adapter",
        "einsum_unified.errors",
        "einsum_unified.dtypes",
        "numpy",
        name,
    }
    modules = {module for module, _ in imported(ADAPTERS[name])}
    modules = {module for module in modules if module.partition(".")[0] not in sys.stdlib_module_names}
    own = (f"{name}.", f"einsum_unified.backends.{name}_")  # the second are further modules of the adapter
    assert {module for module in modules if not module.startswith(own)} <= allowed


OPTIONAL = ("matmul_into", "integer_dot", "object_product", "common_size", "agree", "ranked", "exactly",
            "density")  # fmt: skip
"""What an adapter has if its capabilities say so."""


def adapter_class(tree: ast.Module) -> ast.ClassDef:
    """Return the class that ends with "Adapter"."""
    (found,) = [n for n in tree.body if isinstance(n, ast.ClassDef) and n.name.endswith("Adapter")]
    return found


def public_names(tree: ast.Module) -> list[str]:
    names = []
    for node in adapter_class(tree).body:
        if isinstance(node, ast.FunctionDef):
            names.append(node.name)
        elif isinstance(node, ast.AnnAssign):
            names.append(ast.unparse(node.target))
        elif isinstance(node, ast.Assign):
            names += [ast.unparse(target) for target in node.targets]
    return [name for name in names if not name.startswith("_")]


@pytest.mark.parametrize("name", ADAPTERS)
def test_all_adapters_have_the_names_of_the_protocol_in_its_order(name: str):
    members = [n.target.id for n in PROTOCOL.body if isinstance(n, ast.AnnAssign)]
    members += [n.name for n in PROTOCOL.body if isinstance(n, ast.FunctionDef)]
    names = public_names(ADAPTERS[name])
    own = [name for name in names if name not in OPTIONAL]
    assert own == [member for member in members if member in names]
    assert len(own) > 2


@pytest.mark.parametrize("name", dispatch.FRAMEWORKS)
def test_an_adapter_is_an_object_at_the_end_of_its_module(name: str):
    tree = ADAPTERS[name]
    cls = adapter_class(tree)
    assert {base.id.endswith("Adapter") for base in cls.bases} == {True}
    assert ast.unparse(tree.body[-1]).startswith(f"adapter = {cls.name}(")


@pytest.mark.parametrize(
    ("equation", "shapes", "function"),
    [
        ("ij,jk->ik", [(3, 3), (3, 3)], {"numpy": "ndarray.dot", "torch": "matmul"}),
        ("ij->ji", [(2, 3)], {"numpy": "ndarray.transpose", "torch": "permute"}),
        ("i,j->ij", [(2,), (3,)], {"numpy": "ndarray.reshape", "torch": "reshape"}),
    ],
)
def test_a_compiled_plan_calls_the_frameworks_own_functions(
    mutable, equation: str, shapes: list, function: dict[str, str]
):
    plan = einsum_unified.einsum_plan(equation, *(mutable.tensor(np.ones(shape)) for shape in shapes))
    wanted = operator.attrgetter(function[mutable.name])(mutable.module)
    assert any(called is wanted for called in plan.executable.run.__globals__.values())


@pytest.mark.parametrize("name", ["numpy", "torch", "tensorflow"])
def test_an_adapter_has_the_optional_members_that_its_capabilities_promise(name: str):
    require(name)
    names = public_names(ADAPTERS[name])
    assert ("matmul_into" in names) is load(name).capabilities.into
    assert ("integer_dot" in names) is bool(load(name).capabilities.integers)
    assert ("object_product" in names) is load(name).capabilities.objects
    assert ("common_size" in names) is ("agree" in names) is load(name).capabilities.deferred


@pytest.mark.parametrize("name", ADAPTERS)
def test_all_adapters_have_the_signatures_of_the_protocol(name: str):
    wanted = {n.name: ast.unparse(n.args) for n in PROTOCOL.body if hasattr(n, "args")}
    functions = [n for n in adapter_class(ADAPTERS[name]).body if isinstance(n, ast.FunctionDef)]
    static = {
        n.name: "self, " for n in functions if [*map(ast.unparse, n.decorator_list)] == ["staticmethod"]
    }
    found = {n.name: static.get(n.name, "") + ast.unparse(n.args) for n in functions}
    if name == "tensorflow":
        flags = ", turned_a: int=0, turned_b: int=0"
        wanted = {key: value + flags * (key in ("dot", "matmul")) for key, value in wanted.items()}
    # A member may also be a function of the framework itself.
    functions = {key: value for key, value in wanted.items() if key in found}
    assert len(functions) > 1
    public = {key: value for key, value in found.items() if not key.startswith("_")}
    assert {key: value for key, value in public.items() if key not in OPTIONAL} == functions


# --- what is kept ---------------------------------------------------------------------------------


def test_the_cache_holds_no_tensor(framework):
    x = framework.tensor(np.ones((2, 3)))
    einsum("ij,ij->i", x, x)
    einsum(x, [0, 1], 2.0, [], [1])
    plan = einsum_unified.einsum_plan("ij->", x)
    plan(x)
    gone = weakref.ref(x)
    del x
    gc.collect()
    assert gone() is None


def test_the_cache_holds_no_array_in_a_list_and_no_out():
    class Array(np.ndarray):
        """An array that can be referred to weakly, as NumPy's own can."""

    x, out = np.ones(3).view(Array), np.zeros(()).view(Array)
    einsum("i,i->", [x, x])
    einsum("i->", x, out=out)
    references = [weakref.ref(x), weakref.ref(out)]
    del x, out
    gc.collect()
    assert [reference() for reference in references] == [None, None]


def test_the_cache_stays_bounded():
    clear_cache()
    limit = 4096
    x = np.ones(1)
    for n in range(limit + 50):
        einsum(f"{chr(0x4E00 + n)}->", x)
    assert cache_info().currsize == limit
    clear_cache()


# --- threads --------------------------------------------------------------------------------------


def mixed_calls(frameworks: list) -> list[tuple]:
    """Calls of many equations on many frameworks: arguments, framework, what NumPy gives."""
    rng = np.random.default_rng(0)
    found = []
    for text, shapes in [
        ("ij,jk->ik", [(2, 3), (3, 4)]),
        ("bij,bjk->bki", [(2, 2, 3), (2, 3, 2)]),
        ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]),
        ("ii->i", [(3, 3)]),
        ("i,i->", [(5,), (5,)]),
        ("...i,i->...", [(2, 2, 3), (3,)]),
        ("i,j->ji", [(2,), (3,)]),
    ]:
        arrays = [rng.integers(-3, 4, shape).astype(float) for shape in shapes]
        want = np.einsum(text, *arrays, optimize=False)
        for framework in frameworks:
            found.append(((text, *map(framework.tensor, arrays)), framework, want))
    return found


def all_frameworks() -> list:
    import conftest

    return [conftest.available(cls) for cls in conftest.FRAMEWORKS]


def in_threads(work, threads: int = 16) -> None:
    start = threading.Barrier(threads)

    def run(number: int) -> None:
        start.wait()
        work(number)

    with ThreadPoolExecutor(threads) as pool:
        for future in [pool.submit(run, number) for number in range(threads)]:
            future.result()


@pytest.fixture
def frequent_switches():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("frequent_switches")
def test_sixteen_threads_agree_on_a_thousand_mixed_calls_each():
    calls = mixed_calls(all_frameworks())
    clear_cache()

    def work(number: int) -> None:
        for n in range(1000):
            arguments, framework, want = calls[(n * 7 + number) % len(calls)]
            assert (framework.numpy(einsum(*arguments)) == want).all()
            if n % 100 == number:
                clear_cache()

    in_threads(work)


@pytest.mark.usefixtures("frequent_switches")
def test_adapters_are_registered_while_other_threads_call(monkeypatch):
    monkeypatch.setattr(adapters, "table", adapters.table)
    calls = mixed_calls(all_frameworks())
    classes = [type(f"Array{n}", (), {}) for n in range(40)]

    def work(number: int) -> None:
        if number < 4:
            for cls in classes[number::4]:
                register_backend(cls, load("numpy"))
            return
        for n in range(100):
            arguments, framework, want = calls[(n + number) % len(calls)]
            assert (framework.numpy(einsum(*arguments)) == want).all()

    in_threads(work)
    assert all(dispatch.backend_of(cls) is load("numpy") for cls in classes)
    assert dispatch.backend_of(np.ndarray) is import_module("einsum_unified.backends.numpy").adapter


@pytest.mark.usefixtures("frequent_switches")
def test_one_plan_is_called_by_many_threads(framework):
    a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    plan = einsum_unified.einsum_plan(
        "ij,jk,kl->il", framework.tensor(a), framework.tensor(b), framework.tensor(b.T)
    )

    def work(number: int) -> None:
        for n in range(50):
            scale = number * 100 + n
            result = plan(framework.tensor(a * scale), framework.tensor(b), framework.tensor(b.T))
            assert (framework.numpy(result) == scale * (a @ b @ b.T)).all()

    in_threads(work)
