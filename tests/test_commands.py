"""The program einsum-unified: what its commands print, what they refuse, and how they end."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import types
from pathlib import Path

import numpy as np
import pytest
from conftest import available, installed_module, require, slow
from frameworks import FRAMEWORKS

import einsum_unified
from einsum_unified import Plan, einsum_plan
from einsum_unified.adapter import dispatch
from einsum_unified.adapter import registry as adapters
from einsum_unified.adapter.frameworks import Framework
from einsum_unified.commands import backends, bench, contest, terminal, timing
from einsum_unified.commands.main import main
from einsum_unified.testing.conformance.cases import corpus

ROOT = Path(__file__).parents[1]
COMMANDS = ("explain", "code", "bench", "backends", "demo", "lint", "conformance")
MATMUL = ["ij,jk->ik", "10x20", "20x30"]


def run(*arguments: str, **options) -> subprocess.CompletedProcess:
    """Run the program in a process of its own."""
    command = [sys.executable, "-m", "einsum_unified", *arguments]
    return subprocess.run(command, capture_output=True, timeout=120, **{"text": True, **options})


def printed(capsys, *arguments: str, status: int = 0) -> str:
    assert main(arguments) == status
    return capsys.readouterr().out


def figures(capsys, *arguments: str) -> dict:
    return json.loads(printed(capsys, "explain", *arguments, "--json"))


# --- explain --------------------------------------------------------------------------------------


def test_explain_prints_the_plan(capsys):
    plan = einsum_plan("bij,jk,kl->bil", (32, 10, 20), (20, 30), (30, 4), optimize="greedy")
    shapes = ["32x10x20", "20x30", "30x4"]
    assert printed(capsys, "explain", "bij,jk,kl->bil", *shapes, "--optimize", "greedy") == f"{plan}\n"


def test_explain_gives_figures_as_integers(capsys):
    found = figures(capsys, *MATMUL)
    assert found["totals"] == {
        "flops": 2 * 10 * 20 * 30,
        "bytes_read": 8 * (10 * 20 + 20 * 30),
        "bytes_written": 8 * 10 * 30,
        "copies": 0,
    }
    (step,) = found["steps"]
    assert step == {
        "step": 0,
        "labels": "ij,jk->ik",
        "kind": "matmul",
        "matrices": {"count": 1, "m": 10, "k": 20, "n": 30},
        **found["totals"],
    }
    assert found["naive_flops"] == 2 * 10 * 20 * 30
    assert found["peak_bytes"] == 8 * 10 * 30
    assert (found["backend"], found["dtype"], found["assumed_sizes"]) == ("numpy", "float64", {})
    assert found["algorithm"] == "cheapest of several searches"
    assert "def run(a0, a1):" in found["code"]


def test_figures_are_in_the_order_and_of_the_shape_that_is_promised(capsys):
    found = figures(capsys, *MATMUL)
    assert list(found) == [
        *("schema", "plan", "backend", "dtype", "assumed_sizes", "steps", "totals", "naive_flops"),
        *("peak_bytes", "algorithm", "code"),
    ]
    assert found["schema"] == 1


def test_figures_are_text_where_sizes_are_not_known(capsys):
    found = figures(capsys, "ij,jk->ik", "?x3", "3x4")
    assert found["totals"]["flops"] == f"{2 * 3 * 4}·i"
    assert found["totals"]["copies"] == 0
    assert found["steps"][0]["matrices"] == {"count": 1, "m": "i", "k": 3, "n": 4}
    assert found["assumed_sizes"] == {"i": 6}
    assert found["plan"]["shapes"] == [[None, 3], [3, 4]]


def test_figures_beyond_64_bits_are_exact(capsys):
    size = 999_999_999_999_999_999
    found = figures(capsys, "ij,jk->ik", f"{size}x{size}", f"{size}x{size}")
    assert found["totals"]["flops"] == 2 * size**3


def test_the_plan_among_the_figures_runs(capsys):
    found = figures(capsys, *MATMUL)
    a, b = np.arange(200.0).reshape(10, 20), np.arange(600.0).reshape(20, 30)
    assert (Plan.from_dict(found["plan"])(a, b) == a @ b).all()


def test_shapes_may_be_scalars_and_vectors_and_have_a_multiplication_sign(capsys):
    text = printed(capsys, "explain", ",i,jk->ijk", "scalar", "5", "2×3")
    assert text == f"{einsum_plan(',i,jk->ijk', (), (5,), (2, 3))}\n"


def test_an_equation_may_begin_with_an_arrow(capsys):
    assert printed(capsys, "explain", "->", "scalar") == f"{einsum_plan('->', ())}\n"


def test_line_breaks_in_an_equation_are_blanks(capsys):
    text = printed(capsys, "explain", "ij,\n\tjk\r->ik", *MATMUL[1:])
    assert text.startswith("ij,  jk ->ik  on numpy")


def test_bytes_are_those_of_the_dtype(capsys):
    totals = figures(capsys, *MATMUL, "--dtype", "float32")["totals"]
    assert (totals["bytes_read"], totals["bytes_written"]) == (4 * 800, 4 * 300)


def test_the_optimizer_decides_the_path(capsys):
    chain = ["ij,jk,kl->il", "10x2", "2x30", "30x4"]
    assert figures(capsys, *chain)["totals"]["flops"] == 2 * (2 * 30 * 4) + 2 * (10 * 2 * 4)
    left = figures(capsys, *chain, "--optimize", "none")
    assert left["totals"]["flops"] == 2 * (10 * 2 * 30) + 2 * (10 * 30 * 4)
    assert left["algorithm"] == "from left to right"


def test_a_plan_for_a_library_is_that_for_its_tensors(capsys, torch):
    x = torch.ones(2, 3)
    text = printed(capsys, "explain", "ij,jk->ik", "2x3", "3x4", "--backend", "torch")
    assert text == f"{einsum_plan('ij,jk->ik', x, (3, 4))}\n"
    assert "on torch, float32" in text


def test_what_a_library_can_do_decides_the_figures(capsys):
    for framework in FRAMEWORKS:
        available(framework)
    numpy = figures(capsys, "ij->ji", "2x3", "--backend", "numpy", "--dtype", "float32")["totals"]
    assert numpy == {"flops": 0, "bytes_read": 0, "bytes_written": 0, "copies": 0}
    tensorflow = figures(capsys, "ij->ji", "2x3", "--backend", "tensorflow")["totals"]
    assert tensorflow == {"flops": 0, "bytes_read": 2 * 3 * 4, "bytes_written": 2 * 3 * 4, "copies": 1}


def test_explain_plans_for_any_library_with_an_adapter(capsys):
    for name in [name for name in dispatch.installed() if name != "numpy"]:
        text = printed(capsys, "explain", "ij,jk->ik", "?x3", "3x4", "--backend", name)
        assert text.startswith(f"ij,jk->ik  on {name}, float32\n")


EVERY = ["array_api_strict", "autograd", "dask", "jax", "keras", "mlx", "ndonnx", "numpy", "pint", "sparse"]
EVERY += ["tensorflow", "torch"]


@pytest.mark.filterwarnings("ignore")  # of libraries, as they are imported
@pytest.mark.parametrize("name", EVERY)
def test_explain_takes_every_library_that_conformance_does(capsys, name):
    require(name)
    text = printed(capsys, "explain", "ij,jk->ik", "2x3", "3x4", "--backend", name)
    assert re.search(r"^  operand 1 'jk': shape \(3, 4\), ", text, re.MULTILINE)


@pytest.mark.parametrize("backend", ["torch", slow("tensorflow"), slow("jax")])
def test_a_plan_for_keras_is_that_for_the_tensors_of_its_backend(backend):
    require("keras")
    require(backend)
    environment = {**os.environ, "KERAS_BACKEND": backend}
    done = run("explain", "ij,jk->ik", "2x3", "3x4", "--backend", "keras", env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"ij,jk->ik  on {backend}, float32\n")


def test_options_stand_anywhere_among_the_shapes(capsys):
    text = printed(capsys, "explain", *MATMUL, "--dtype", "float32")
    for command in (
        ["explain", "--dtype", "float32", *MATMUL],
        ["explain", "ij,jk->ik", "--dty", "float32", "10x20", "20x30"],
        ["explain", "ij,jk->ik", "10x20", "--dtype=float32", "20x30"],
        ["explain", "--dtype", "float32", "--", *MATMUL],
    ):
        assert printed(capsys, *command) == text


def test_names_of_files_may_begin_with_a_dash_and_a_digit(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["explain", *MATMUL, "--svg", "-1.svg"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["-1.svg"]
    capsys.readouterr()
    (tmp_path / "-1.py").write_text("import numpy\nnumpy.einsum('i->z', x)\n")
    for words in (["-1.py"], ["--", "-1.py"], ["--select", "EU0", "-1.py"]):
        assert printed(capsys, "lint", *words, status=1).startswith("-1.py:2:18: EU002")


def test_a_part_of_a_case_may_be_a_negative_number(capsys):
    cases = {case.id for case in corpus() if "-1" in case.id}
    text = printed(capsys, "conformance", "--backend", "numpy", "--case", "-1", "--json")
    assert {outcome["id"] for outcome in json.loads(text)} == cases


def test_an_equation_that_the_shell_has_cut_off_is_to_be_quoted(capsys):
    *_, note = refused(capsys, "explain", "ij,jk-", "2x3", "3x4")
    assert note == "  quote the equation: the shell treats > as a redirection"


def test_explain_writes_page_and_picture_and_says_so(capsys, tmp_path):
    page, picture = tmp_path / "a.html", tmp_path / "a.svg"
    assert main(["explain", *MATMUL, "--html", str(page), "--svg", str(picture), "--json"]) == 0
    out, err = capsys.readouterr()
    json.loads(out)
    assert err == f"wrote {page}\nwrote {picture}\n"
    plan = einsum_plan("ij,jk->ik", (10, 20), (20, 30))
    assert page.read_text("utf-8") == plan.to_html()
    assert picture.read_text("utf-8") == plan.to_svg()


def test_the_name_of_a_file_is_told_without_control_characters(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["explain", *MATMUL, "--svg", "\x1b[31m.svg"]) == 0
    assert capsys.readouterr().err == "wrote \\x1b[31m.svg\n"


# --- code -----------------------------------------------------------------------------------------


def test_code_is_that_of_the_plan(capsys):
    for backend in ("numpy", "torch", "tensorflow", "jax", "array_api"):
        text = printed(capsys, "code", *MATMUL, "--backend", backend)
        plan = einsum_plan(
            "ij,jk->ik", (10, 20), (20, 30), dtype="float64" if backend == "numpy" else "float32"
        )
        assert text == plan.to_python(backend)


@pytest.mark.parametrize(
    ("dtype", "hint"), [("bfloat16", "; it needs ml_dtypes: pip install ml_dtypes"), ("float33", "")]
)
def test_a_dtype_of_ml_dtypes_says_so_where_that_is_not_installed(dtype, hint):
    code = f"""
import sys
sys.modules["ml_dtypes"] = None
from einsum_unified.commands.main import main
sys.exit(main(["code", *{MATMUL}, "--backend", "torch", "--dtype", "{dtype}"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.endswith(f"argument --dtype: numpy cannot compute with dtype '{dtype}'{hint}\n")


def test_ml_dtypes_is_imported_when_a_dtype_is_one_of_its_own():
    done = run("code", *MATMUL, "--backend", "torch", "--dtype", "bfloat16")
    assert "# a0: (10, 20) bfloat16" in done.stdout


def test_code_runs(capsys):
    names: dict = {}
    exec(printed(capsys, "code", "ij,kj->ik", "?x3", "4x3", "--dtype", "float32"), names)
    a, b = np.arange(6, dtype="float32").reshape(2, 3), np.arange(12, dtype="float32").reshape(4, 3)
    assert (names["contract"](a, b) == a @ b.T).all()


# --- bench ----------------------------------------------------------------------------------------


def cells(text: str) -> list[list[str]]:
    """The rows of a table without rich."""
    return [re.split(r"  +", line.strip()) for line in text.splitlines()[3:]]


@pytest.fixture
def plain(monkeypatch):
    """No rich, but everything else that is installed."""
    find = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "rich" else find(name))


@pytest.mark.usefixtures("plain")
def test_bench_times_ours_beside_both_ways_to_call_numpy(capsys):
    rows = cells(printed(capsys, "bench", *MATMUL, "--backend", "numpy", "--seconds", "0.05"))
    assert [row[:2] for row in rows] == [["numpy", "numpy.einsum, optimize=True"], ["numpy", "numpy.einsum"]]
    for row in rows:
        ours, own = (float(cell.split()[0]) for cell in row[2:4])
        units = [cell.split()[1] for cell in row[2:4]]
        assert set(units) <= {"µs", "ms", "s"}
        if units[0] == units[1]:
            assert float(row[4]) == pytest.approx(ours / own, rel=0.055)  # two digits of it, three of both


def test_bench_takes_all_libraries_that_have_an_einsum(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    text = printed(capsys, "bench", "i,i->", "3", "3", "--seconds", "0.01")
    for name in dispatch.installed():
        assert contest.OWN[name] in text


@pytest.mark.usefixtures("plain")
def test_bench_shows_what_the_librarys_own_einsum_refuses(capsys, torch):
    arguments = [*MATMUL, "--dtype", "uint16", "--backend", "torch", "--seconds", "0.01"]
    (row,) = cells(printed(capsys, "bench", *arguments))
    x, y = torch.ones(10, 20, dtype=torch.uint16), torch.ones(20, 30, dtype=torch.uint16)
    with pytest.raises(NotImplementedError) as refused:
        torch.einsum("ij,jk->ik", x, y)
    assert row[0:2] == ["torch", "torch.einsum"]
    assert row[2].endswith("µs")
    assert row[3].startswith(f"NotImplementedError: {str(refused.value)[:20]}")


@pytest.mark.usefixtures("plain")
def test_results_that_differ_are_shown_and_make_the_exit_status_1(capsys, monkeypatch):
    wrong = types.SimpleNamespace(einsum=lambda equation, *xs, **options: 2 * np.einsum(equation, *xs))
    monkeypatch.setitem(sys.modules, "wrong", wrong)
    monkeypatch.setitem(contest.OWN, "torch", "wrong.einsum")
    numpy = dispatch.default_backend()
    monkeypatch.setattr(dispatch, "load", lambda name: numpy)
    text = printed(capsys, "bench", "ij->ij", "2x2", "--backend", "torch", "--seconds", "0", status=1)
    x = np.random.default_rng(0).standard_normal((2, 2), np.float32)
    assert f"differs by {abs(x).max():.1e}; the greatest element is {abs(2 * x).max():.1e}"[:60] in text


@pytest.mark.usefixtures("plain")
def test_a_dtype_that_a_library_lacks_is_said_in_its_row(capsys):
    installed_module("mlx.core")
    text = printed(capsys, "bench", "i->", "3", "--dtype", "complex128", "--backend", "mlx", "--seconds", "0")
    assert cells(text) == [["mlx", "mlx has no dtype complex128"]]


def test_a_nested_loop_without_end_is_left_out():
    plan = einsum_plan("ab,bc,cd,de->ae", *[(200, 200)] * 4)
    x = np.ones((200, 200))
    fast, loop = contest.contest("numpy", plan, "auto", [x] * 4, 0.0, lambda seconds: None)
    assert fast.note == ""
    assert loop.note == f"left out: a loop of {4 * 200**5:.0e} FLOPs"
    assert loop.own_seconds is None


def test_functions_take_turns_and_slow_ones_are_called_once():
    log: list[str] = []

    def call(name: str, seconds: float):
        return lambda: (log.append(name), time.sleep(seconds))

    calls = {"a": call("a", 0.02), "slow": call("slow", 0.3), "b": call("b", 0.02)}
    passed: list[float] = []
    taken = timing.medians(calls, 0.2, passed.append)
    assert log[:3] == ["a", "slow", "b"]
    assert log.count("slow") == 1
    turns = log[3:]
    assert turns[:4] == ["a", "b", "b", "a"]
    assert turns.count("a") == turns.count("b") > 1
    assert 0.02 <= taken["a"] < taken["slow"]
    assert 0.2 <= sum(passed) < 2


def test_ratios_have_two_digits():
    assert [bench._ratio(x) for x in (0.000561, 0.0835, 0.914, 1.25, 12.3, 123.4)] == [
        *("0.00056", "0.084", "0.91", "1.2", "12", "123")
    ]


@pytest.mark.usefixtures("plain")
def test_a_table_without_rich_has_its_title_with_scalars_in_it(capsys):
    text = printed(capsys, "bench", ",i->i", "scalar", "3", "--backend", "numpy", "--seconds", "0")
    assert text.startswith(",i->i  scalar  3  float32\nlibrary")


def test_a_narrow_table_has_its_figures_and_names_whole(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    row = contest.Comparison("numpy", "numpy.einsum, optimize=True", 1.234e-5, 9.876e-5)
    monkeypatch.setattr(bench, "contest", lambda *arguments: [row])
    text = printed(capsys, "bench", *MATMUL, "--backend", "numpy")
    for figure in ("12.3 µs", "98.8 µs", "0.12"):
        assert f" {figure} " in text
    assert "…" not in text


def test_a_library_without_an_einsum_is_not_imported_to_say_so(capsys, monkeypatch, tmp_path):
    (tmp_path / "heavy_library.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    (line,) = refused(capsys, "bench", "i->", "3", "--backend", "heavy_library")
    assert "heavy_library has no einsum of its own; choose from numpy, torch" in line


def test_times_have_three_digits_and_a_unit():
    assert [bench._time(x) for x in (1.234e-8, 1.234e-5, 1.234e-4, 0.01234, 12.34, 1234.0)] == [
        *("0.012 µs", "12.3 µs", "123 µs", "12.3 ms", "12.3 s", "1234 s")
    ]


@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "float16", "bfloat16", "complex64", "complex128", "object"]
)
def test_bench_has_operands_of_any_dtype(capsys, dtype):
    text = printed(capsys, "bench", *MATMUL, "--dtype", dtype, "--backend", "numpy", "--seconds", "0")
    assert dtype in text


def test_a_progress_bar_goes_to_a_terminal_only():
    command = ["bench", "i->", "3", "--backend", "numpy", "--seconds", "0.3"]
    assert run(*command).stderr == ""
    leader, follower = os.openpty()
    arguments = [sys.executable, "-m", "einsum_unified", *command]
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=follower, env={**os.environ, "TERM": "xterm"}
    ) as done:
        os.close(follower)
        shown = b""
        with contextlib.suppress(OSError):  # Linux's way to say that the other side has closed
            while part := os.read(leader, 1024):
                shown += part
        out = done.stdout.read()
    os.close(leader)
    assert b"numpy" in shown
    assert b"%" in shown
    assert b"\x1b" not in out
    assert done.returncode == 0


@pytest.mark.usefixtures("plain")
def test_there_is_no_progress_bar_without_rich(monkeypatch):
    monkeypatch.setattr(sys, "stderr", types.SimpleNamespace(isatty=lambda: True))
    with timing.progress(1.0) as begin:
        begin("numpy")(0.5)


# --- backends -------------------------------------------------------------------------------------


def test_backends_lists_installed_and_broken_libraries(capsys, monkeypatch, tmp_path):
    for framework in FRAMEWORKS:
        available(framework)
    (tmp_path / "cupy").mkdir()
    (tmp_path / "cupy" / "__init__.py").write_text("raise RuntimeError('no GPU \\x1b[31m\\nhere')")
    monkeypatch.syspath_prepend(tmp_path)
    found = {
        library["name"]: library for library in json.loads(printed(capsys, "backends", "--json", status=1))
    }
    assert list(found) == list(dispatch.FRAMEWORKS)
    for name in ("numpy", "torch", "jax"):
        assert found[name]["version"] == sys.modules[name].__version__
        assert found[name]["installed"]
        assert found[name]["error"] is None
    assert found["tensorflow"]["version"] == sys.modules["tensorflow"].__version__
    assert (found["numpy"]["views"], found["tensorflow"]["views"]) == (True, False)
    assert (found["torch"]["out"], found["jax"]["out"]) == (True, False)
    assert (found["torch"]["autocast"], found["numpy"]["autocast"]) == (True, False)
    assert (found["tensorflow"]["unknown_sizes"], found["torch"]["unknown_sizes"]) == (True, False)
    assert found["jax"]["keywords"] == ["precision", "preferred_element_type"]
    assert "bfloat16" in found["torch"]["dtypes"]
    assert "float8_e4m3fn" not in found["mlx"]["dtypes"]
    assert "no GPU" in found["cupy"]["error"]
    monkeypatch.setenv("COLUMNS", "200")
    text = printed(capsys, "backends", status=1)
    assert "broken: the adapter for cupy failed to load: no GPU \\x1b[31m; here" in text
    assert "\x1b" not in text


def test_a_library_that_is_not_installed_is_no_failure(capsys, monkeypatch):
    nosuch = Framework("nowhere", "nosuch.einsum")
    monkeypatch.setattr(dispatch, "FRAMEWORKS", {"numpy": dispatch.FRAMEWORKS["numpy"], "nosuch": nosuch})
    rows = json.loads(printed(capsys, "backends", "--json"))
    assert [(row["name"], row["installed"], row["version"]) for row in rows] == [
        ("numpy", True, np.__version__),
        ("nosuch", False, None),
    ]
    assert "not installed" in printed(capsys, "backends")


def test_a_version_is_found_where_no_package_names_its_distribution(capsys, monkeypatch):
    monkeypatch.setattr(dispatch, "FRAMEWORKS", {"numpy": dispatch.FRAMEWORKS["numpy"]})
    monkeypatch.setattr("einsum_unified.commands.backends.packages_distributions", dict)
    (row,) = json.loads(printed(capsys, "backends", "--json"))
    assert row["version"] == np.__version__


def test_plugins_are_listed_by_where_their_adapter_is(capsys, monkeypatch):
    monkeypatch.setattr(dispatch, "FRAMEWORKS", {"numpy": dispatch.FRAMEWORKS["numpy"]})
    monkeypatch.setattr(adapters, "plugins", lambda: {"sybil": "toy.einsum:adapter"})
    monkeypatch.setattr(adapters, "plugin", lambda name: sys.exit("a plugin may do anything"))
    _, row = json.loads(printed(capsys, "backends", "--json", status=1))
    assert row["adapter"] == "toy.einsum:adapter"
    assert row["error"] == "a plugin may do anything"


# --- misuse ---------------------------------------------------------------------------------------

SIZES = "is not a shape: write whole numbers or ?, joined by x, or scalar"
MISUSE = {
    "explain i-> 2xx3": f"argument SHAPE: '2xx3' {SIZES}",
    "explain i-> x": f"argument SHAPE: 'x' {SIZES}",
    "explain i-> 2.5": f"argument SHAPE: '2.5' {SIZES}",
    "explain i-> 2,3": f"argument SHAPE: '2,3' {SIZES}",
    "explain i-> ٣": f"argument SHAPE: '٣' {SIZES}",
    "explain i-> 2X3\x1b[31m": f"argument SHAPE: '2X3\\x1b[31m' {SIZES}",
    "explain i-> -3": "argument SHAPE: '-3' is not a shape: '-3' is negative",
    "explain ij-> -2x3": "argument SHAPE: '-2x3' is not a shape: '-2' is negative",
    "explain ij-> 2x-3": "argument SHAPE: '2x-3' is not a shape: '-3' is negative",
    f"explain i-> 2x{'9' * 19}": f"SHAPE: '2x{'9' * 19}' is not a shape: a size has at most 18 digits",
    f"explain i-> {'9' * 5000}": "is not a shape: a size has at most 18 digits",
    "explain i->": "the following arguments are required: SHAPE",
    "explain": "the following arguments are required: EQUATION, SHAPE",
    "explain i-> 3 --dtype str": "argument --dtype: 'str' is not a numeric dtype",
    "explain i-> 3 --dtype no\x1bsuch": "argument --dtype: 'no\\x1bsuch' is not a numeric dtype",
    "explain i-> 3 --dtype float33": "argument --dtype: numpy cannot compute with dtype 'float33'",
    "explain i-> 3 --dtype datetime64": "argument --dtype: 'datetime64' is not a numeric dtype",
    "explain i-> 3 --backend nosuch": "there is no library 'nosuch'; libraries with an adapter: numpy",
    "explain i-> 3 --backend .x": "argument --backend: there is no library '.x'",
    "explain i-> 3 --backend json": "argument --backend: json has no asarray like the array API standard",
    "explain i-> 3 --optimize best": "argument --optimize: 'best' is not a strategy; known strategies",
    "explain i-> 3 --html /no/where.html": "argument --html: cannot write '/no/where.html': No such file",
    "explain i-> 3 --svg /": "argument --svg: cannot write '/': Is a directory",
    "explain i-> 3 --col\x1b[31m": "unrecognized arguments: --col\\x1b[31m",
    "conformance --backend numpy --case \x1b[31m": "argument --case: no case has '\\x1b[31m' in its id",
    "explain i-> 3 --colour": "unrecognized arguments: --colour",
    "code i-> 3 --backend foo": "argument --backend: invalid choice: 'foo' (choose from",
    "code i-> 3 --dtype float33": "argument --dtype: numpy cannot compute with dtype 'float33'",
    "bench ij-> ?x3": "argument SHAPE: a benchmark needs every size; ? is not a size",
    "bench i,j->ij 100000 100000": "argument SHAPE: operands, intermediates and result take 37.3 GiB",
    f"bench ...->... {'x'.join('1' * 65)}": "argument SHAPE: NumPy's arrays have at most 64 axes",
    "bench i-> 3 --seconds soon": "argument --seconds: 'soon' is not a number of seconds from 0 to 3600",
    "bench i-> 3 --seconds nan": "argument --seconds: 'nan' is not a number of seconds from 0 to 3600",
    "bench i-> 3 --seconds -1": "argument --seconds: '-1' is not a number of seconds from 0 to 3600",
    "bench i-> 3 --backend autograd": "argument --backend: autograd has no einsum of its own; choose from",
    "bench i-> 3 --backend nosuch": "argument --backend: there is no library 'nosuch'",
    "backends now": "unrecognized arguments: now",
    "": "the following arguments are required: COMMAND",
    "dance": "argument COMMAND: invalid choice: 'dance'",
}  # fmt: skip


def refused(capsys, *arguments: str) -> list[str]:
    """The lines on stderr of a call that is misuse."""
    try:
        status = main(arguments)
    except SystemExit as stop:
        status = stop.code
    assert status == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()


@pytest.mark.parametrize("command", MISUSE)
def test_misuse_is_one_line_that_names_the_argument(command, capsys):
    (line,) = refused(capsys, *[word for word in command.split(" ") if word])
    program, said = line.split(": error: ", 1)
    name = command.split(" ")[0]
    assert program == (f"einsum-unified {name}" if name in COMMANDS else "einsum-unified")
    assert MISUSE[command] in said


def test_a_library_that_is_known_but_not_installed_is_named(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    (line,) = refused(capsys, "explain", "i->", "3", "--backend", "cupy")
    assert line.startswith(
        "einsum-unified explain: error: argument --backend: the adapter for cupy failed to load"
    )
    assert line.endswith('pip install "einsum-unified[cupy]"')


def test_a_dtype_that_a_library_does_not_make_as_it_is_set_up_is_refused(capsys):
    if os.environ.get("JAX_ENABLE_X64"):
        pytest.skip("JAX has 64 bits here")
    installed_module("jax")
    (line,) = refused(capsys, "explain", "i->", "3", "--backend", "jax", "--dtype", "float64")
    assert line.endswith("argument --dtype: jax, as it is configured here, makes float32 instead of float64")


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (
            ["ij->iz", "2x3"],
            ["argument EQUATION: output label 'z' occurs in no operand", "    ij->iz", "         ^"],
        ),
        (
            ["ij,jk->ik", "2x3"],
            ["argument SHAPE: the equation has 2 terms but 1 operand was given", "    ij,jk->ik", "       ^"],
        ),
        (
            ["ij,jk->ik", "2x3", "4x5"],
            ["argument SHAPE: label 'j' is 3 in operand 0 but 4 in operand 1", "    ij,jk->ik", "     ^ ^"],
        ),
        (
            ["i\x1b[31mj->", "3"],
            [
                "argument EQUATION: U+001B is neither a label nor whitespace that is dropped",
                r"    i\x1b[31mj->",
            ],
        ),
        (
            ["i\x9bj->", "3"],
            ["argument EQUATION: U+009B is neither a label nor whitespace that is dropped", r"    i\x9bj->"],
        ),
    ],
)
@pytest.mark.parametrize("command", ["explain", "code", "bench"])
def test_what_is_wrong_with_the_call_is_shown_in_the_equation(command, arguments, lines, capsys):
    found = refused(capsys, command, *arguments)
    assert found[0] == f"einsum-unified {command}: error: {lines[0]}"
    assert found[1 : len(lines)] == lines[1:]
    assert "\x1b" not in "".join(found)


# --- how it ends, and on what it writes -----------------------------------------------------------


def test_an_interrupt_is_quiet_and_status_130():
    code = """
import os, signal, sys, threading
from einsum_unified.commands.main import program
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever starts the tests may ignore it
sys.argv = ["einsum-unified", "bench", "i->", "3", "--backend", "numpy", "--seconds", "60"]
threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
program()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_reader_that_leaves_is_no_error():
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "einsum_unified", "explain", *MATMUL]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b"")


FAULTY = "import numpy as np\nnp.einsum('ij,jk->iz', a, b)\n"
WRITING = ["explain ij,jk->ik 10x20 20x30", "lint a.py", "bench i-> 3 --backend numpy --seconds 0"]


@pytest.mark.parametrize("command", WRITING)
@pytest.mark.parametrize(
    ("redirection", "why"),
    [(">/dev/full", "No space left on device"), (">&-", "standard output is closed")],
)
def test_output_that_cannot_be_written_is_a_line_and_status_1(command, redirection, why, tmp_path):
    (tmp_path / "a.py").write_text(FAULTY)
    done = in_shell(f"einsum-unified {command.replace('>', chr(92) + '>')} {redirection}", tmp_path)
    assert (done.returncode, done.stderr) == (1, f"einsum-unified: error: {why}\n")


def test_without_a_place_for_errors_there_is_output_alone(tmp_path):
    (tmp_path / "a.py").write_text(FAULTY)
    (tmp_path / "b.py").write_text("(")
    done = in_shell("einsum-unified lint a.py b.py 2>&-", tmp_path)
    assert done.returncode == 1
    assert done.stdout.endswith("1 finding in 1 of 2 files; 1 could not be read\n")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_output_is_in_what_the_terminal_can_show(encoding):
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = run("explain", "αj,jk->αk", "?x3", "3x4", text=False, env=environment)
    assert (done.returncode, done.stderr) == (0, b"")
    shown = {"ascii": r"matmul \u03b1x3x4", "latin-1": r"matmul \u03b1×3×4", "utf-8": "matmul α×3×4"}
    assert shown[encoding] in done.stdout.decode(encoding)


@pytest.mark.parametrize(
    "arguments",
    [
        ["explain", "::error::", "2"],
        ["explain", "i->\ni", "2", "--##[error]x"],
        ["explain", "i->", "2", "--x\n::error::\u202e"],
        ["explain", "i->", "2", "--backend", "::error::\udcff"],
        ["explain", "i->", "2", "--svg", "nowhere/\n::error::\udcff"],
        ["explain", "i->\udcff", "2"],
        ["code", "i", "2\n::error::\x1b"],
        ["bench", "i->", "2", "--seconds", "\n::error::"],
        ["conformance", "--backend", "numpy", "--case", "\n::error::"],
        ["conformance", "--callable", "a\n:##[error]"],
        ["lint", "\n::error::\udcff"],
        ["\n::error::"],
    ],
    ids=ascii,
)
@pytest.mark.parametrize("encoding", ["utf-8", slow("ascii"), slow("cp949")])
def test_nothing_of_a_wrong_argument_is_a_command_or_a_control_character(arguments, encoding, tmp_path):
    """EndBug/add-and-commit#776: a service that showed what users had written obeyed a line of it."""
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    arguments = [os.fsencode(argument) for argument in arguments]
    command = [sys.executable, "-m", "einsum_unified", *arguments]
    done = subprocess.run(command, capture_output=True, env=environment, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    lines = done.stderr.decode(encoding).split("\n")
    assert lines[0].startswith("einsum-unified")
    assert [line for line in lines if line.strip().startswith("::") or not line.isprintable()] == []
    assert b"##[" not in done.stderr


def test_what_libraries_say_is_no_command_either(capsys, monkeypatch):
    """Their names, versions and exceptions, in a table with rich and without, and as JSON."""
    said = "no\x1b[31m\u202e\n::error::it\n##[error]"
    found = backends.Found("::debug::", "built in", True, "\udcff", error=said)
    monkeypatch.setattr(backends, "libraries", lambda: [found])
    for options in ([], ["--json"], None):
        if options is None:
            monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        text = printed(capsys, "backends", *(options or []), status=1)
        lines = text.split("\n")
        assert [line for line in lines if line.strip().startswith("::") or not line.isprintable()] == []
        assert "##[" not in text
        text.encode("utf-8")


def test_an_exception_that_has_no_text_is_named():
    class UnspeakableError(Exception):
        def __str__(self):
            raise RuntimeError

    assert terminal.one_line(UnspeakableError()) == "UnspeakableError"


@pytest.mark.parametrize("arguments", [["--help"], ["backends", "--help"], ["lint", "a.py"]])
def test_output_to_a_reader_that_has_left_is_quiet(arguments, tmp_path):
    (tmp_path / "a.py").write_text(FAULTY)
    line = f"(sleep 0.2; exec {sys.executable} -m einsum_unified {' '.join(arguments)}) | true"
    done = subprocess.run(line, shell=True, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert done.stderr == ""


def test_tables_are_in_what_the_terminal_can_show():
    arguments = ["bench", "αj->α", "2x3", "--backend", "numpy", "--seconds", "0"]
    done = run(*arguments, text=False, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, b"")
    assert b" us " in done.stdout


HEAVY = sorted({*dispatch.FRAMEWORKS, "keras"} - {"numpy"})


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["lint", "setup.py"], ["explain", *MATMUL], ["code", *MATMUL, "--backend", "torch"]],
    ids=lambda arguments: arguments[0],
)
def test_no_framework_is_imported_before_it_is_needed(arguments, tmp_path):
    (tmp_path / "setup.py").write_text("import torch\n")
    code = f"""
import atexit, sys
atexit.register(lambda: print(sorted(set({HEAVY}) & set(sys.modules)), file=sys.stderr))
from einsum_unified.commands.main import program
sys.argv = ["einsum-unified", *{arguments}]
program()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "[]\n")


# --- help -----------------------------------------------------------------------------------------


def help_of(*command: str) -> str:
    out = io.StringIO()  # no terminal: 80 columns wide
    with contextlib.redirect_stdout(out), pytest.raises(SystemExit):
        main([*command, "--help"])
    return out.getvalue()


def examples_of(*command: str) -> list[str]:
    """The command lines that a help text ends with."""
    after = re.split(r"^examples?:$", help_of(*command), flags=re.MULTILINE)[1]
    return re.findall(r"^  ((?:[A-Z_]+=\S+ )?einsum-unified .*)$", after, re.MULTILINE)


EXAMPLES = [example for command in ((), *((name,) for name in COMMANDS)) for example in examples_of(*command)]
DIFFERS = (
    "einsum-unified conformance --callable torch:einsum --row 10",
    "einsum-unified conformance --callable opt_einsum:contract --backend numpy",
)
"""Examples that find something: exit status 1."""
TESTED = ("einsum-unified demo",)
"""It takes a minute, and ``test_demo`` runs it."""


@pytest.fixture
def entered(capsys, monkeypatch, folder):
    """Run a line here, in the folder, as far as it needs no shell and no process of its own."""
    monkeypatch.chdir(folder)

    def enter(line: str) -> subprocess.CompletedProcess:
        for library in re.findall(r"--(?:backend|callable) (\w+)", line):
            require(library)
        program, *arguments = shlex.split(line)
        if program != "einsum-unified":  # it sets a variable that libraries read as they are imported
            return in_shell(line, folder)
        try:
            status = main(arguments)
        except SystemExit as stop:
            status = stop.code
        return subprocess.CompletedProcess(line, status, *capsys.readouterr())

    return enter


def in_shell(line: str, folder: Path) -> subprocess.CompletedProcess:
    """Run a line with the program as a module of this Python."""
    line = re.sub(r"(^|(?<= ))einsum-unified ", f"{sys.executable} -m einsum_unified ", line, count=1)
    return subprocess.run(line, shell=True, capture_output=True, text=True, cwd=folder, timeout=300)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Where examples run: lint has something to read there."""
    for name in ("src", "tests"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.py").write_text("import numpy as np\nnp.einsum('ij,jk->ik', a, b)\n")
    return tmp_path


@pytest.mark.filterwarnings("ignore")  # of libraries, as they are imported
@pytest.mark.parametrize(
    "example",
    [slow(line) if "KERAS" in line else line for line in EXAMPLES if line not in TESTED],
    ids=[line for line in EXAMPLES if line not in TESTED],
)
def test_an_example_of_a_help_text_runs(example, entered):
    done = entered(example)
    assert done.returncode == (1 if example in DIFFERS else 0), done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout


@pytest.mark.parametrize("command", [slow("backends"), "conformance --backend numpy --row 4"])
def test_a_command_runs_in_a_process_of_its_own(command, folder):
    """The others do above."""
    done = in_shell(f"einsum-unified {command}", folder)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_a_help_text_ends_with_examples_of_its_command(command):
    examples = examples_of(command)
    assert examples
    assert all(f"einsum-unified {command}" in example for example in examples)
    assert help_of(command).rstrip().endswith(examples[-1])
    lines = help_of(command).splitlines()
    assert max(len(line) for line in lines if "einsum-unified " not in line) <= 80


def test_the_help_lists_the_commands_in_a_line_each_and_has_an_example():
    (listed,) = re.findall(r"^  COMMAND\n((?:    .*\n)*)", help_of(), re.MULTILINE)
    lines = re.findall(r"^    ([a-z]+)\s+(.+)$", listed, re.MULTILINE)
    assert [name for name, _ in lines] == list(COMMANDS)
    assert len(listed.splitlines()) <= len(COMMANDS) + 1  # one name is too long for the column
    assert examples_of()


def test_the_script_that_is_installed_runs(folder):
    script = Path(sys.executable).with_name("einsum-unified")
    assert script.exists(), "pip install -e . makes it"
    done = subprocess.run([script, "explain", *MATMUL], capture_output=True, text=True)
    assert done.stdout == f"{einsum_plan('ij,jk->ik', (10, 20), (20, 30))}\n"
    assert (done.returncode, done.stderr) == (0, "")
    version = subprocess.run([script, "--version"], capture_output=True, text=True)
    assert version.stdout == f"{einsum_unified.__version__}\n"


# --- the page -------------------------------------------------------------------------------------

PAGE = (ROOT / "docs" / "command-line.md").read_text("utf-8")
BLOCKS = re.findall(r"```sh\n((?:(?!```).*\n)*)```\n(?:\n```\n((?:(?!```).*\n)*)```)?", PAGE)
BLOCKS = [(lines, shown) for lines, shown in BLOCKS if "einsum-unified " in lines]


@pytest.mark.filterwarnings("ignore")  # of libraries, as they are imported
@pytest.mark.parametrize(("lines", "shown"), BLOCKS, ids=[lines.splitlines()[0] for lines, _ in BLOCKS])
def test_the_page_shows_the_printed_output(lines, shown, entered):
    text = ""
    for line in [line for line in lines.splitlines() if line.startswith("einsum-unified ")]:
        done = entered(line)
        assert done.returncode == (2 if ": error: " in shown else 0)
        text += done.stderr if done.returncode == 2 else done.stdout
    if shown:
        assert text == shown


def test_the_page_describes_every_command():
    assert re.findall(r"^## `([a-z]+)", PAGE, re.MULTILINE) == list(COMMANDS)
