"""Ways to install the package, and where Python and type checkers find it then.

The checkout lies in a folder of the package's name. From the folder above it that folder looks like a
namespace package, which must not be what is imported.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

import pytest
from conftest import require

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PARTS = ("LICENSE", "MANIFEST.in", "README.md", "pyproject.toml",
         "backends", "benchmarks", "einsum_unified", "tests")  # fmt: skip
MODES = {"the default": [], **{mode: ["-C", f"editable_mode={mode}"] for mode in ("compat", "strict")}}
WAYS = [*MODES, "a wheel"]

PROGRAM = """
import einsum_unified
import einsum_unified.backends.numpy as adapter
import numpy as np

print(einsum_unified.__file__)
print(adapter.__file__)
print(einsum_unified.einsum("ij,j->i", np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, 10.0])).tolist())
"""

TYPED = """
import einsum_unified
from einsum_unified.backends.numpy import adapter

reveal_type(einsum_unified.einsum)
reveal_type(adapter.name)
"""


@dataclass(frozen=True)
class Installed:
    """The package in an environment: the interpreter, the checkout, and the folders that must be found."""

    python: Path
    checkout: Path
    package: Path
    adapters: Path


def run(*command: object, cwd: Path, code: int = 0) -> str:
    """Return what a command prints, to both streams; variables of ours do not lead it to this checkout."""
    ours = ("PYTHONPATH", "MYPYPATH", "PYTHONSAFEPATH")
    variables = {name: value for name, value in os.environ.items() if name not in ours}
    done = subprocess.run(
        [*map(str, command)],
        cwd=cwd,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    assert done.returncode == code, done.stdout[-3000:]
    return done.stdout


def copied_checkout(place: Path) -> Path:
    """Return a copy of this checkout, with its link, in a folder of the package's name."""
    checkout = place / "einsum_unified"
    checkout.mkdir()
    for name in PARTS:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, checkout / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(ROOT / name, checkout)
    return checkout


def environment(place: Path) -> Path:
    """Return the interpreter of a new environment, which takes what the package needs from this one."""
    venv.create(place, with_pip=False, symlinks=True)
    python = place / "bin" / "python"
    specs = [find_spec(name) for name in ("numpy", "opt_einsum", "setuptools")]
    folders = {str(Path(spec.origin).parents[1]) for spec in specs if spec and spec.origin}
    (site_packages(python) / "needed.pth").write_text("\n".join(sorted(folders)))
    return python


def site_packages(python: Path) -> Path:
    (folder,) = python.parents[1].glob("lib/python*/site-packages")
    return folder


def pip(*command: object, cwd: Path) -> str:
    return run(sys.executable, "-m", "pip", *command, cwd=cwd)


def install(python: Path, *what: object) -> None:
    """Install nothing but this; one of the same version, which this interpreter may have, does not count."""
    offline = ("--no-deps", "--no-index", "--no-build-isolation", "--ignore-installed")
    pip("--python", python, "install", *offline, *what, cwd=python.parent)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    require("setuptools")
    return copied_checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="module")
def sdist(checkout: Path, tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("sdist")
    build = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
    run(sys.executable, "-c", build, place, cwd=checkout)
    (archive,) = place.iterdir()
    return archive


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "-w", place, checkout, cwd=place)
    (archive,) = place.iterdir()
    return archive


@pytest.fixture(scope="module")
def wheel_of_sdist(sdist: Path, tmp_path_factory) -> Path:
    """Built in an environment that pip makes for it, with no more than pyproject.toml asks for."""
    place = tmp_path_factory.mktemp("wheel-of-sdist")
    pip("wheel", "--no-deps", "-w", place, sdist, cwd=place)
    (archive,) = place.iterdir()
    return archive


@pytest.fixture(scope="module", params=WAYS)
def installed(request: pytest.FixtureRequest, tmp_path_factory) -> Installed:
    """The package, installed in this way, in an environment of its own; beside it lies a checkout."""
    require("setuptools")
    place = tmp_path_factory.mktemp("installed")
    checkout, python = copied_checkout(place), environment(place / "environment")
    if request.param in MODES:
        install(python, "-e", checkout, *MODES[request.param])
        return Installed(python, checkout, checkout / "einsum_unified", checkout / "backends")
    install(python, request.getfixturevalue("wheel_of_sdist"))
    package = site_packages(python) / "einsum_unified"
    return Installed(python, checkout, package, package / "backends")


in_each_mode = pytest.mark.parametrize("installed", MODES, indirect=True)


# --- what Python and type checkers find -----------------------------------------------------------


@pytest.mark.parametrize("start", ["text", "script", "module"])
@pytest.mark.parametrize("place", ["the folder that holds the checkout", "an empty folder"])
def test_python_finds_the_package(installed: Installed, tmp_path: Path, place: str, start: str):
    cwd = tmp_path if place == "an empty folder" else installed.checkout.parent
    (cwd / "program.py").write_text(PROGRAM)
    command = {"text": ["-c", PROGRAM], "script": ["program.py"], "module": ["-m", "program"]}[start]
    package, adapter, result = run(installed.python, *command, cwd=cwd).splitlines()
    # In the strict mode the files that are found are links to those of the checkout.
    assert Path(package).resolve() == installed.package.resolve() / "__init__.py"
    assert Path(adapter).resolve() == installed.adapters.resolve() / "numpy.py"
    assert result == "[21.0, 43.0]"


def test_the_command_is_found(installed: Installed):
    command = installed.python.parent / "einsum-unified"
    assert run(command, "--version", cwd=installed.checkout.parent) == "0.1.0\n"


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_a_type_checker_finds_the_types(installed: Installed, checker: str):
    require(checker)
    holder = installed.checkout.parent
    (holder / "typed.py").write_text(TYPED)
    options: dict[str, list[object]] = {
        "mypy": ["--cache-dir", os.devnull, "--python-executable", installed.python],
        "pyright": ["--outputjson", "--pythonpath", installed.python],
    }
    text = run(sys.executable, "-m", checker, *options[checker], "typed.py", cwd=holder)
    function, name = re.findall(r"(?:Revealed type|Type of .*) is (.*)", text)
    assert "ndarray" in "".join(function)
    assert re.search(r"\bstr\b", "".join(name))


# --- editable installs ----------------------------------------------------------------------------


@in_each_mode
def test_an_editable_install_is_a_path_and_not_an_import_hook(installed: Installed):
    (entry,) = site_packages(installed.python).glob("__editable__*")  # an import hook has a module too
    (folder,) = entry.read_text().splitlines()
    assert (Path(folder) / "einsum_unified" / "__init__.py").is_file()


@in_each_mode
def test_a_file_that_is_changed_is_seen_at_once(installed: Installed):
    file = installed.checkout / "backends" / "__init__.py"
    before = file.read_text()
    file.write_text(before + "\nCHANGED = 42\n")
    show = "from einsum_unified.backends import CHANGED; print(CHANGED)"
    try:
        assert run(installed.python, "-c", show, cwd=installed.python.parent) == "42\n"
    finally:
        file.write_text(before)


@in_each_mode
def test_a_new_file_is_seen_at_once_but_in_the_strict_mode(
    installed: Installed, request: pytest.FixtureRequest
):
    new = installed.checkout / "backends" / "new.py"
    new.write_text("print('found')")
    command = installed.python, "-c", "import einsum_unified.backends.new"
    try:
        if request.node.callspec.params["installed"] == "strict":
            assert "ModuleNotFoundError" in run(*command, cwd=installed.python.parent, code=1)
            install(installed.python, "-e", installed.checkout, *MODES["strict"])
        assert run(*command, cwd=installed.python.parent) == "found\n"
    finally:
        new.unlink()


# --- what is packed -------------------------------------------------------------------------------


def files_of_package(checkout: Path) -> dict[str, bytes]:
    """Return the files of the package, with those that the link leads to, and what they hold."""
    found = {}
    for folder, _, names in os.walk(checkout / "einsum_unified", followlinks=True):
        for file in (Path(folder) / name for name in names):
            found[file.relative_to(checkout).as_posix()] = file.read_bytes()
    return found


@pytest.mark.parametrize("archive", ["wheel", "wheel_of_sdist"])
def test_a_wheel_holds_the_package_and_nothing_else(request, checkout: Path, archive: str):
    with ZipFile(request.getfixturevalue(archive)) as packed:
        held = {name: packed.read(name) for name in packed.namelist()}
        assert not any(entry.external_attr >> 28 == 0o12 for entry in packed.infolist()), "a symbolic link"
    ours = {name: text for name, text in held.items() if ".dist-info/" not in name}
    assert ours == files_of_package(checkout)
    assert "einsum_unified/backends/numpy.py" in ours


def test_an_sdist_holds_the_adapters_once_as_files(sdist: Path, checkout: Path):
    with tarfile.open(sdist) as packed:
        entries = packed.getmembers()
        assert all(entry.isreg() or entry.isdir() for entry in entries)
        held = {
            str(Path(*Path(entry.name).parts[1:])): packed.extractfile(entry).read()
            for entry in entries
            if entry.isreg()
        }
    parts = {Path(name).parts[0] for name in held}
    assert parts == {"LICENSE", "MANIFEST.in", "PKG-INFO", "README.md", "einsum_unified",
                     "einsum_unified.egg-info", "pyproject.toml", "setup.cfg"}  # fmt: skip
    package = {name: text for name, text in held.items() if name.startswith("einsum_unified/")}
    assert package == files_of_package(checkout)


# --- a checkout without symbolic links ------------------------------------------------------------


def test_a_checkout_without_links_says_so_and_git_can_make_them(checkout: Path, tmp_path: Path):
    clone, python = tmp_path / "clone", environment(tmp_path / "environment")
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
    whole = copied_checkout(tmp_path)
    run("git", "init", "-q", cwd=whole)
    run("git", "add", ".", cwd=whole)
    run("git", *who, "commit", "-q", "-m", "all", cwd=whole)
    run("git", "clone", "-q", "-c", "core.symlinks=false", whole, clone, cwd=tmp_path)
    assert (clone / "einsum_unified" / "backends").read_text() == "../backends"

    call = "import numpy, einsum_unified; print(einsum_unified.einsum('i->', numpy.ones(3)))"
    text = run(python, "-c", call, cwd=clone, code=1)
    assert text.endswith(
        "BackendError: the adapter for numpy failed to load: No module named 'einsum_unified.backends'\n"
        "  einsum_unified/backends must be a symbolic link, which is missing: see CONTRIBUTING.md\n"
    )

    way_out = ["git config core.symlinks true", "git checkout -- einsum_unified/backends"]
    assert "\n".join(way_out) + "\n" in (ROOT / "CONTRIBUTING.md").read_text()
    for command in way_out:
        run(*command.split(), cwd=clone)
    assert run(python, "-c", call, cwd=clone) == "3.0\n"
