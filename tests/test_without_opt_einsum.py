"""With NumPy alone the default works up to eight operands: only larger searches and names need opt_einsum."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import opt_einsum
import pytest

import einsum_unified
from einsum_unified import BackendError, PathError, Plan, einsum, einsum_path, einsum_plan
from einsum_unified.commands import demo
from einsum_unified.commands.main import main
from einsum_unified.testing import check_einsum

NINE = "ab,bc,cd,de,ef,fg,gh,hi,ij->aj"
SAYS = "strategies by name, and the default for nine or more operands, need opt_einsum"
A, B, C = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4), np.arange(8.0).reshape(4, 2)


@pytest.fixture(autouse=True)
def _blocked(monkeypatch):
    monkeypatch.setitem(sys.modules, "opt_einsum", None)
    einsum_unified.clear_cache()
    yield
    einsum_unified.clear_cache()


def test_the_package_is_imported_and_called_in_an_environment_that_lacks_it():
    """jcmgray/quimb#3: a package could not be imported where opt_einsum was not installed."""
    code = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "opt_einsum":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocked())
import numpy as np
import einsum_unified, einsum_unified.lint, einsum_unified.testing.conformance
from einsum_unified import einsum
x = np.arange(6.0).reshape(2, 3)
print(einsum("ij->j", x).tolist(), einsum("ij,kj->ik", x, x).tolist())
print((einsum("ij,kj,kl->il", x, x, x) == x @ x.T @ x).all())
try:
    einsum("ij,kj,k->i", x, x, x[:, 0], optimize="greedy")
except einsum_unified.BackendError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    x = A
    assert done.stdout.splitlines() == [
        f"{x.sum(0).tolist()} {(x @ x.T).tolist()}",
        "True",
        f"{SAYS}: No module named 'opt_einsum'",
        "  try: pip install opt_einsum",
        "  or say the order: optimize=False is from left to right",
    ]


@pytest.mark.parametrize("optimize", ["auto", True, "greedy", "DP", ("optimal", 100), False, [(0, 1)]])
def test_up_to_two_operands_need_no_search(optimize):
    np.testing.assert_array_equal(einsum("ij,jk->ik", A, B, optimize=optimize), A @ B)
    if optimize != [(0, 1)]:
        np.testing.assert_array_equal(einsum("ij->j", A, optimize=optimize), A.sum(0))


def test_plans_up_to_two_operands_show_and_save_themselves():
    plan = einsum_plan("ij,jk->ik", (2, 3), (3, 4))
    for made in (plan, Plan.from_dict(plan.to_dict()), pickle.loads(pickle.dumps(plan))):
        np.testing.assert_array_equal(made(A, B), A @ B)
    assert "matmul" in str(plan)
    assert "a0 @ a1" in plan.to_python("numpy")
    assert plan.to_svg().startswith("<svg")
    assert "<html" in plan.to_html()
    assert einsum_path("ij,jk->ik", A, B)[0] == ["einsum_path", (0, 1)]
    check_einsum("ij,jk->ik", [A, B], A @ B, frameworks=["numpy"])


@pytest.mark.parametrize("optimize", [False, None, [(0, 1), (0, 1)], lambda *arguments: [(1, 2), (0, 1)]])
def test_an_order_that_is_given_needs_no_search_either(optimize):
    result = einsum("ij,jk,kl->il", A, B, C, optimize=optimize)
    np.testing.assert_array_equal(result, A @ B @ C)


@pytest.mark.parametrize("optimize", ["auto", True, ("auto", 100), [(0, 1, 2)]])
def test_the_default_needs_no_search_for_few_operands(optimize):
    np.testing.assert_array_equal(einsum("ij,jk,kl->il", A, B, C, optimize=optimize), A @ B @ C)


def test_the_default_needs_none_for_eight_operands_of_ever_new_sizes():
    for size in range(2, 14):
        x = np.full((size, size), 0.5)
        got = einsum("ab,bc,cd,de,ef,fg,gh,hi->ai", *[x] * 8)
        np.testing.assert_allclose(got, np.full((size, size), 0.5**8 * size**7))


@pytest.mark.parametrize(
    ("equation", "optimize"),
    [
        (NINE, "auto"),
        (NINE, True),
        (NINE, ("auto", 100)),
        ("ij,jk,kl->il", "greedy"),
        ("ij,jk,kl->il", ("dp", 100)),
    ],
)
def test_a_search_says_what_to_install(equation: str, optimize):
    """discopy/discopy#596: ModuleNotFoundError from within a contraction did not say so."""
    operands = [np.eye(2)] * (equation.count(",") + 1)
    with pytest.raises(BackendError, match=f"{SAYS}: .*\n  try: pip install opt_einsum\n") as caught:
        einsum(equation, *operands, optimize=optimize)
    assert isinstance(caught.value.__cause__, ImportError)


def test_a_plan_for_nine_operands_that_was_saved_runs():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "opt_einsum", opt_einsum)
        saved = einsum_plan(NINE, *[(2, 2)] * 9).to_dict()
    einsum_unified.clear_cache()
    np.testing.assert_array_equal(Plan.from_dict(saved)(*[np.eye(2)] * 9), np.eye(2))


def test_a_name_that_only_opt_einsum_knows_asks_for_it():
    with pytest.raises(BackendError, match="pip install opt_einsum"):
        einsum("i->", A[0], optimize="random-greedy-128")
    with pytest.raises(PathError):
        einsum("i->", A[0], optimize=7)


def test_commands_run_up_to_eight_operands_and_name_the_option_beyond(capsys, tmp_path):
    (tmp_path / "a.py").write_text("import numpy as np\nnp.einsum('ij,jk,kl->iz', a, b, c)\n")
    assert main(["lint", str(tmp_path)]) == 1
    assert "EU002" in capsys.readouterr().out
    for command in ("explain", "code"):
        assert main([command, "ij,jk,kl->il", "2x3", "3x4", "4x2"]) == 0
        assert main([command, NINE, *["2x2"] * 9]) == 2
        assert f"argument --optimize: {SAYS}" in capsys.readouterr().err
        with pytest.raises(SystemExit) as caught:
            main([command, "i->", "2", "--optimize", "branch-3"])
        assert caught.value.code == 2
        assert "try: pip install opt_einsum" in capsys.readouterr().err


def test_the_demo_needs_no_search(capsys):
    assert demo.compare(["numpy"]) == 0
    assert "✗" not in capsys.readouterr().out
