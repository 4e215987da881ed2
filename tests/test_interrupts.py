"""Ctrl-C at any moment leaves the library usable, and the next call right."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from toys import install_library, install_plugin

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no timer that sends a signal")

PREPARED = """
import random, signal, sys, time, traceback
import numpy as np
from einsum_unified import cache_info, clear_cache, einsum, einsum_plan, forks, register_backend
from einsum_unified.adapter import dispatch, registry

x = np.arange(4.0).reshape(2, 2)
armed = False
random.seed(0)

def interrupt(number, frame):
    if armed:
        raise KeyboardInterrupt

signal.signal(signal.SIGALRM, interrupt)

def interrupted(work, longest):
    "Call a function, with Ctrl-C after a random time; whether that came before its end."
    global armed
    try:
        armed = True
        signal.setitimer(signal.ITIMER_REAL, random.uniform(2e-5, longest))
        try:
            work()
        finally:
            armed = False
            signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        return True
    return False

def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start

def try_out(work, check, rounds=60):
    longest = min(seconds(work) for _ in range(5))
    count = tries = 0
    while count < rounds:
        tries += 1
        assert tries < 20 * rounds, f"only {count} of {tries} calls could be interrupted"
        count += interrupted(work, longest)
        assert not forks._inside and not registry._loading and not registry.table.loans
        check()
"""


def run(code: str, *folders: Path) -> None:
    path = os.pathsep.join([*map(str, folders), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-c", PREPARED + code],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_planning_can_be_interrupted():
    code = """
def work():
    clear_cache()
    check()

def check():
    assert (einsum("ij,jk,kl,lm,mn->in", x, x, x, x, x) == x @ x @ x @ x @ x).all()
    assert (einsum_plan("ij,kj->ik", x, x)(x, x) == x @ x.T).all()
    assert (einsum([[1, 2], [3, 4]], [0, 1], [1], dtype="int64") == [4, 6]).all()
    assert cache_info().currsize

try_out(work, check)
"""
    run(code)


def test_registering_can_be_interrupted(tmp_path: Path):
    """No plan of the adapter before stays in use, and no adapter stays on loan."""
    install_library(tmp_path)
    install_plugin(tmp_path)
    code = """
from toylib import Toy
from toylib_einsum import ToyAdapter

class Noting(ToyAdapter):
    def multiply(self, a, b):
        used.append(self)
        return super().multiply(a, b)

adapters, used = [Noting(), Noting()], []

def work():
    adapters.reverse()
    register_backend(Toy, adapters[0], replace=True)
    with registry.registered(list, adapters[1], clear_cache):
        check()

def check():
    used.clear()
    assert (einsum("i,j->ij", Toy([1, 2]), Toy([3, 4])).values == [[3, 4], [6, 8]]).all()
    assert used == [registry.table.registered[Toy]]

register_backend(Toy, adapters[0])
try_out(work, check, rounds=300)
"""
    run(code, tmp_path)


def test_the_first_import_of_an_adapter_can_be_interrupted(tmp_path: Path):
    install_library(tmp_path)
    install_plugin(tmp_path, "import time\nfor _ in range(20): time.sleep(1e-4)")
    code = """
import toylib
toy = toylib.Toy(x)

def work():
    sys.modules.pop("toylib_einsum", None)
    registry.table.found.clear()
    clear_cache()
    check()

def check():
    assert (einsum("ij,jk->ik", toy, x).values == x @ x).all()

try_out(work, check)
"""
    run(code, tmp_path)


@pytest.mark.parametrize(
    ("module", "call"),
    [
        ("opt_einsum", 'assert (einsum("ij,jk,kl->il", x, x, x) == x @ x @ x).all()'),
        ("einsum_unified.backends", 'assert (einsum("ij,jk->ik", x, x) == x @ x).all()'),
        ("einsum_unified.show", 'assert "multiply" in einsum_plan("i,j->ij", (2,), (3,)).explain()'),
    ],
)
def test_the_first_import_of_what_is_imported_when_needed_can_be_interrupted(module: str, call: str):
    code = f"""
def work():
    for name in [name for name in sys.modules if name.startswith({module!r})]:
        del sys.modules[name]
    dispatch.load.cache_clear()
    registry.table.found.clear()
    clear_cache()
    check()

def check():
    {call}

try_out(work, check, rounds=20)
"""
    run(code)
