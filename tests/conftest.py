"""The frameworks that tests run on; a missing one skips by name, or fails where all are promised."""

from __future__ import annotations

import gc
import os
import re
from importlib import import_module
from importlib.util import find_spec
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Four devices to spread arrays over, and no look for others.
os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=4")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
# Arrays of tests are small, and two processes run them: threads would wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from browser import _tab as _tab  # fixtures
from browser import browser as browser
from browser import tab as tab
from frameworks import FRAMEWORKS, Framework
from hypothesis import settings
from seconds import Seconds

# How long an example takes depends on what else the machine does.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


# Type checkers read these files; not all of them would run.
collect_ignore = ["typed"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seconds-by-file", action="store_true", help="print processor time by file of tests")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Seconds())


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Share the tests by file or class, but those of sparse go to one process: it compiles what they call."""
    if config.getvalue("dist") != "loadscope":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "sparse" if "sparse" in nodeid.lower() else super()._split_scope(nodeid)

    return Scheduling(config, log)


@pytest.fixture(scope="module", autouse=True)
def _quick_collections() -> None:
    """Let garbage collection leave out what is there before a file: frameworks have many objects."""
    gc.freeze()


@pytest.fixture(params=FRAMEWORKS, ids=lambda cls: cls.name)
def framework(request: pytest.FixtureRequest) -> Framework:
    return available(request.param)


@pytest.fixture(params=FRAMEWORKS[:2], ids=lambda cls: cls.name)
def mutable(request: pytest.FixtureRequest) -> Framework:
    """The frameworks whose tensors can be written to."""
    return available(request.param)


@pytest.fixture
def torch():
    return available(FRAMEWORKS[1]).module


@pytest.fixture
def tf():
    return available(FRAMEWORKS[2]).module


def available(cls: type[Framework]) -> Framework:
    require(cls.name)
    return cls()


def installed_module(name: str) -> Any:
    """Import a library, for a test or a whole file of them; missing, they skip or fail as above."""
    require(name.partition(".")[0])
    module = import_module(name)
    if name == "jax" and not hasattr(module, "enable_x64"):  # older versions have it elsewhere
        module.enable_x64 = import_module("jax.experimental").enable_x64
    return module


def slow(*values: Any) -> Any:
    """Return a parameter whose tests are slow ones: another like it is tested in every run."""
    return pytest.param(*values, marks=pytest.mark.slow)


_LONGEST_ID = 60


def pytest_make_parametrize_id(val: Any) -> str | None:
    """Cut long texts, such as messages, in the ids of tests; pytest numbers ids that are equal after that."""
    return _cut(val) if isinstance(val, str) else None


def _cut(text: str) -> str:
    text = text.encode("utf-8", "backslashreplace").decode()  # lone surrogates cannot be sent to a process
    return text if len(text) <= _LONGEST_ID else f"{text[:_LONGEST_ID]}..."


def spelled(value: Any) -> str:
    """Return the text of a value, without a memory address: each process has to collect the same tests."""
    return _cut(re.sub(r" at 0x[0-9a-f]+", "", str(value)))


def require(name: str) -> None:
    if find_spec(name) is None:
        if os.environ.get("EINSUM_UNIFIED_REQUIRE_ALL"):
            pytest.fail(f"{name} is not installed")
        pytest.skip(f"{name} is not installed", allow_module_level=True)
