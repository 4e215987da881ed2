"""A child of a fork works, whatever other threads of its parent were in the middle of."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sources import MODULES
from toys import install_library, install_plugin

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

PREPARED = """
import os, signal, sys, threading, time, traceback, warnings
warnings.simplefilter("ignore")  # Python 3.12 warns of every fork in a process with threads
import numpy as np
from einsum_unified import Plan, einsum, einsum_plan, register_backend

x = np.full((2, 2), 3.0)

def check(seconds=10):
    "Fork; the child must end by itself."
    child = os.fork()
    if not child:
        try:
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            assert status == 0, f"the child ended with status {status}"
            return
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    sys.exit("the child hangs")

def in_thread(function, *arguments):
    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    return thread

class Slow:
    "Makes the import of a module take a while, so that a fork falls into it."
    def __init__(self, name):
        self.name, self.met = name, threading.Event()

    def find_spec(self, name, path, target=None):
        if name == self.name and not self.met.is_set():
            self.met.set()
            time.sleep(0.5)

def slowly(name):
    slow = Slow(name)
    sys.meta_path.insert(0, slow)
    return slow.met
"""


def run(code: str, *folders: Path) -> str:
    """Run code after `PREPARED`; return what it prints."""
    path = os.pathsep.join([*map(str, folders), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-c", PREPARED + code],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip()


PLANNING = """
sys.setswitchinterval(1e-6)

def work(first=0x3400):
    a, b, c, d = map(chr, range(first, first + 4))
    assert (einsum(f"{a}{b},{b}{c},{c}{d}->{a}{d}", x, x, x, optimize="greedy") == x @ x @ x).all()

def plan(first):
    while True:
        first += 1
        work(first)

work()
for number in range(3):
    in_thread(plan, 0x4E00 + 4000 * number)
"""


without_gil = pytest.mark.xfail(
    not getattr(sys, "_is_gil_enabled", lambda: True)(),
    reason="without the GIL a fork leaves any functools.lru_cache locked that other threads use",
    strict=False,
)


@without_gil
def test_a_fork_while_other_threads_plan():
    """h5py/h5py#2064: `functools.cached_property` has a lock on Python 3.10 and 3.11."""
    run(PLANNING + "for _ in range(60): check()")


@without_gil
@pytest.mark.slow
def test_many_forks_while_other_threads_plan():
    """h5py/h5py#2064, as above."""
    run(PLANNING + "for _ in range(600): check()")


def test_a_fork_while_other_threads_register_adapters():
    code = """
from einsum_unified.adapter.dispatch import load
sys.setswitchinterval(1e-6)
adapter = load("numpy")

class Array(np.ndarray):
    pass

def work():
    register_backend(Array, adapter, replace=True)
    assert einsum("ij->", x.view(Array)) == 12

def register():
    while True:
        register_backend(Array, adapter, replace=True)

for _ in range(3):
    in_thread(register)
for _ in range(10):
    check()
"""
    run(code)


@pytest.mark.parametrize(
    ("module", "call"),
    [
        ("opt_einsum.paths", 'einsum("ij,jk,kl->il", x, x, x, optimize="greedy")'),
        ("einsum_unified.backends.numpy", 'einsum("ij,jk->ik", x, x)'),
        ("einsum_unified.show.steps", "plan.steps"),
        ("einsum_unified.show.table", "plan.explain()"),
        ("einsum_unified.show.picture.svg", "plan.to_svg()"),
        ("einsum_unified.show.page.document", "plan.to_html()"),
        ("einsum_unified.show.python_code", "plan.to_python()"),
        ("einsum_unified.show.data", "Plan.from_dict(plan.to_dict())"),
    ],
)
def test_a_fork_while_another_thread_imports_what_is_imported_when_needed(module: str, call: str):
    """iloveitaly/celery-healthcheck#45: the child hangs when it imports the same module."""
    plan = 'plan = einsum_plan("ij->ji", (2, 3))' if call.startswith(("plan", "Plan")) else ""
    run(f"""
{plan}
def work():
    return {call}

met = slowly({module!r})
thread = in_thread(work)
assert met.wait(10)
check()
thread.join()
""")


CALL = """
import toylib
toy = toylib.Toy(x)

def work():
    assert einsum("ij->", toy).values == 12

"""


def test_a_fork_while_another_thread_imports_a_plugin(tmp_path: Path):
    """iloveitaly/celery-healthcheck#45, for the adapter of a framework."""
    install_library(tmp_path)
    install_plugin(tmp_path, "import time\ntime.sleep(0.5)")
    code = """
thread = in_thread(work)
while "toylib_einsum" not in sys.modules:
    time.sleep(0.001)
check()
thread.join()
"""
    run(CALL + code, tmp_path)


def test_a_plugin_may_fork_while_it_is_imported(tmp_path: Path):
    install_library(tmp_path)
    install_plugin(tmp_path, "import os\nif not os.fork(): os._exit(0)\nassert os.wait()[1] == 0")
    run(CALL + "start = time.monotonic(); work(); assert time.monotonic() - start < 30; check()", tmp_path)


def test_a_fork_does_not_wait_for_ever():
    code = """
from einsum_unified import forks
forks._LONGEST = 0.2
held = threading.Event()

def block():
    with forks.forks_wait():
        held.set()
        time.sleep(60)

def work():
    with forks.forks_wait():  # the child has forgotten the other thread, and can fork
        assert (einsum("ij,jk,kl->il", x, x, x) == x @ x @ x).all()
    start = time.monotonic()
    if not os.fork(): os._exit(0)
    assert time.monotonic() - start < 0.15

in_thread(block)
held.wait()
start = time.monotonic()
check()
assert time.monotonic() - start >= 0.2
check()  # the gate is open again
"""
    run(code)


@pytest.mark.parametrize("name", MODULES)
def test_no_module_has_a_lock_that_a_fork_may_find_locked(name: str):
    locks = {"Lock", "RLock", "Condition", "Semaphore", "Event", "Barrier", "cached_property"}
    names = {node.id for node in ast.walk(MODULES[name]) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(MODULES[name]) if isinstance(node, ast.Attribute)}
    allowed = {"forks": {"RLock"}, "adapter/registry": {"RLock"}}
    assert names & locks == allowed.get(name, set())
