"""Plugins that collide or break: each test has the whole message. `test_dispatch` has those that work."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from toys import install_library, install_plugin

from einsum_unified import clear_cache
from einsum_unified.adapter import registry

CALL = """
import toylib
import numpy as np
from einsum_unified import einsum
toy = toylib.Toy([[1, 2], [3, 4]])

def call(*operands):
    try:
        print(einsum("ij->ji", *operands).values.tolist())
    except Exception as error:
        print(f"{type(error).__name__}: {error}")

"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Iterator[Path]:
    """A folder of installed packages, and a registry that is as it was afterwards."""
    install_library(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "table", registry.Table(registry.BUILTIN))
    registry._entry_points.cache_clear()
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]
    registry._entry_points.cache_clear()
    clear_cache()


def run(folder: Path, code: str = "call(toy)") -> tuple[str, str]:
    """Run code with the distributions in a folder; return what it prints, and its warnings."""
    importlib.invalidate_caches()
    with redirect_stdout(StringIO()) as printed, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        exec(compile(CALL + code, "<user>", "exec"), {"__name__": "user"})
    assert {warning.filename for warning in caught} <= {"<user>"}
    return printed.getvalue().strip(), "\n".join(str(warning.message) for warning in caught)


def run_apart(folder: Path, code: str) -> str:
    """Run code in a process of its own; return what it prints."""
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, "-c", CALL + code],
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": path},
    ).stdout.strip()


RIGHT = "[[1.0, 3.0], [2.0, 4.0]]"
BROKEN = "BackendError: the adapter plugin 'toylib' (toylib_einsum:adapter)"


def test_a_plugin_is_found(folder: Path):
    install_plugin(folder)
    assert run(folder) == (RIGHT, "")


# --- two plugins ----------------------------------------------------------------------------------


def test_two_plugins_for_one_root_are_reported(folder: Path):
    """PyCQA/flake8#1090: which of two plugins wins depends on the order of files, and nothing says so."""
    install_plugin(folder, "1 / 0", distribution="zebra", module="zebra")
    install_plugin(folder, distribution="aardvark", module="aardvark")
    printed, warned = run(folder)
    assert printed == RIGHT
    assert warned == (
        "2 plugins have an adapter for 'toylib': aardvark 1.0 (aardvark:adapter) is "
        "used, zebra 1.0 (zebra:adapter) not; uninstall all but one, or choose with register_backend"
    )


def test_a_registered_adapter_ends_the_dispute_of_two_plugins(folder: Path):
    install_plugin(folder, "1 / 0", distribution="aardvark", module="aardvark")
    install_plugin(folder, distribution="zebra", module="zebra")
    code = """
import zebra
from einsum_unified import register_backend
register_backend(toylib.Toy, zebra.adapter)
call(toy)
"""
    assert run(folder, code) == (RIGHT, "")


def test_two_distributions_with_one_adapter_are_no_dispute(folder: Path):
    install_plugin(folder)
    install_plugin(folder, distribution="another")
    assert run(folder) == (RIGHT, "")


def test_two_plugins_are_listed_as_the_one_that_is_used(folder: Path):
    install_plugin(folder, "1 / 0", distribution="zebra", module="zebra")
    install_plugin(folder, distribution="aardvark", module="aardvark")
    code = "from einsum_unified.adapter import registry\nprint(registry.plugins())"
    assert run(folder, code) == ("{'toylib': 'aardvark:adapter'}", "")


# --- a plugin for every class ---------------------------------------------------------------------


def test_a_plugin_for_builtins_is_refused_and_gets_no_class_of_another_library(folder: Path):
    install_plugin(folder, roots=["builtins"])
    code = """
call({})
call(toy)
print(einsum("ij->ji", np.eye(2)).tolist(), einsum("i->", memoryview(b"ab")))
"""
    first, second, *known, last = run(folder, code)[0].splitlines()
    assert first == (
        "BackendError: the adapter plugin 'builtins' (toylib_einsum:adapter) would be for every class, "
        "because each is derived from builtins.object: a plugin has the "
        "name of the root package of its library"
    )
    assert second == "OperandTypeError: operand 0 is a toylib Toy, which is not an array of a known library"
    assert len(known) == 1
    assert last == "[[1.0, 0.0], [0.0, 1.0]] 195"


# --- plugins that break ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("1 / 0", "ZeroDivisionError('division by zero')"),
        ("import no_such_module", "ModuleNotFoundError(\"No module named 'no_such_module'\")"),
        ("import sys; sys.exit('usage: toylib')", "SystemExit('usage: toylib')"),
        ("raise SystemExit", "SystemExit()"),
        ("raise GeneratorExit", "GeneratorExit()"),
        ("class Skipped(BaseException): pass\nraise Skipped('no GPU')", "Skipped('no GPU')"),
        ("class E(Exception):\n def __repr__(self): return 1 / 0\nraise E",
         "<E, whose repr raises ZeroDivisionError>"),
        ("raise ValueError('x' * 10**6)", f"ValueError('{'x' * 286}…)"),
        ("import numpy as np, einsum_unified\neinsum_unified.einsum('ij->k', np.eye(2))",
         "output label 'k' occurs in no operand"),
    ],
)  # fmt: skip
def test_whatever_a_plugin_raises_when_it_is_imported_is_an_error_that_names_it(
    folder: Path, code: str, reason: str
):
    """sublimehq/sublime_text#6406: a plugin that calls `sys.exit` ends its host."""
    install_plugin(folder, code)
    printed, _ = run(folder, "call(toy)\ncall(toy)\nprint(einsum('ij->', np.eye(2)))")
    assert printed == f"{BROKEN} failed to load: {reason}\n{BROKEN} failed to load: {reason}\n2.0"


def test_the_users_own_ctrl_c_comes_through(folder: Path):
    install_plugin(folder, "import signal\nsignal.raise_signal(signal.SIGINT)")
    code = """
try:
    call(toy)
except KeyboardInterrupt:
    print("interrupted")
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
call(toy)
"""
    assert run_apart(folder, code) == f"interrupted\n{RIGHT}"


def test_a_plugin_that_needs_itself_while_it_is_imported(folder: Path):
    install_plugin(folder, "import toylib, einsum_unified\neinsum_unified.einsum('i->', toylib.Toy([1, 2]))")
    assert run(folder)[0] == (
        f"{BROKEN} failed to load: the adapter plugin 'toylib' (toylib_einsum:adapter) calls einsum with "
        "arrays of its own library while it is imported"
    )


def test_a_plugin_may_call_einsum_with_other_arrays_or_a_registered_adapter_while_it_is_imported(
    folder: Path,
):
    code = "import numpy as np, einsum_unified\nassert einsum_unified.einsum('i->', np.ones(2)) == 2"
    install_plugin(folder, code)
    module = folder / "toylib_einsum.py"
    tail = "einsum_unified.register_backend(Toy, adapter)\neinsum_unified.einsum('i->', Toy([1, 2]))\n"
    module.write_text(module.read_text() + tail)
    assert run(folder) == (RIGHT, "")


NO_MEMBER = ", which has no member of an adapter"


@pytest.mark.parametrize(
    ("adapter", "value", "reason"),
    [
        ("adapter = 3", "", f"is an int{NO_MEMBER}"),
        ("adapter = None", "", f"is a NoneType{NO_MEMBER}"),
        ("def adapter(): pass", "", f"is a function{NO_MEMBER}"),
        ("adapter = 3", "toylib_einsum", f"is a module{NO_MEMBER}: did you mean toylib_einsum:adapter?"),
        ("other = 3", "toylib_einsum", f"is a module{NO_MEMBER}"),
        ("class adapter: pass", "", "is the class adapter: pass an instance of it"),
        ("class A:\n name = 'toylib'\nadapter = A()", "",
         "lacks: adapter_api, asarray, broadcast_to, capabilities, cast, configured, contiguous, copy_into, "
         "diagonal, dot, dtype_from_name, finish, form, hint, matmul, multiply, native, reshape, "
         "result_type, same_device, same_size, settings, size, static_size, sum, sum_products, to_numpy, "
         "transpose"),
        ("class A:\n def __getattr__(self, name): raise SystemExit(name[:3])\nadapter = A()", "",
         "is broken: SystemExit('ada')"),
        ("adapter = 3", "toylib_einsum:another",
         "failed to load: AttributeError(\"module 'toylib_einsum' has no attribute 'another'\")"),
    ],
)  # fmt: skip
def test_a_plugin_that_is_not_an_adapter_is_refused(folder: Path, adapter: str, value: str, reason: str):
    install_plugin(folder, adapter=adapter, value=value)
    named = f"BackendError: the adapter plugin 'toylib' ({value or 'toylib_einsum:adapter'})"
    assert run(folder, "call(toy)\ncall(np.eye(2), np.eye(2))")[0].splitlines()[0] == f"{named} {reason}"


def test_a_built_in_adapter_that_ends_the_program_does_not(folder: Path):
    """sublimehq/sublime_text#6406, for a framework."""
    (folder / "sparse.py").write_text(
        "class COO: pass\nimport sys\nif 'einsum_unified' in sys.modules: sys.exit(3)"
    )
    code = """
import sys
toy = type("COO", (), {"__module__": "sparse"})()
call(toy)
"""
    assert run_apart(folder, code) == (
        "BackendError: the adapter for sparse failed to load: SystemExit(3)\n"
        '  try: pip install "einsum-unified[sparse]"'
    )


def test_broken_metadata_of_a_package_is_reported(folder: Path):
    metadata = folder / "broken-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_bytes(b"[einsum_unified.backends]\ntoylib = \xff\n")
    assert run(folder, "call(toy)\nprint(einsum('ij->', np.eye(2)))")[0] == (
        "BackendError: the list of installed packages, some of which may be plugins, is broken: "
        "UnicodeDecodeError('utf-8', b'[einsum_unified.backends]\\ntoylib = \\xff\\n', 35, 36, "
        "'invalid start byte')\n2.0"
    )
