"""The conformance kit: every library passes it, broken adapters do not, and its corpus is as it should be."""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import runpy
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from conftest import available
from frameworks import FRAMEWORKS, rule

from einsum_unified import einsum
from einsum_unified.__main__ import main
from einsum_unified.adapter import Adapter, Capabilities, Form, dispatch
from einsum_unified.testing import conformance
from einsum_unified.testing.conformance import (
    ConformanceSuite,
    Library,
    corpus,
    library_of,
    reference,
    rows,
    run,
    run_case,
)
from einsum_unified.testing.conformance.cases import Case, numbers, numpy_dtype

ROOT = Path(__file__).parents[1]


def needed(name: str) -> None:
    """Skip by name what is missing, or fail where all is promised."""
    if find_spec(name.partition(".")[0]) is None:
        if os.environ.get("EINSUM_UNIFIED_REQUIRE_ALL"):
            pytest.fail(f"{name} is not installed")
        pytest.skip(f"{name} is not installed")


# --- every library passes -------------------------------------------------------------------------


class Known(ConformanceSuite):
    """A library that the kit knows how to make operands of."""

    name: str

    @classmethod
    @cache
    def library(cls) -> Library:
        needed(cls.name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # ndonnx's, that onnxruntime would be faster
            return library_of(cls.name)


class TestNumPy(Known):
    name = "numpy"


def traits(case: Case) -> Iterator[str]:
    """What is peculiar to a case: its table, and the kinds of what goes in and comes out."""
    yield "/".join(case.id.split("/")[:2])
    for x in case.operands:
        yield from (x.kind, x.dtype)
    for words in (case.options, case.needs, case.expect):
        yield from words
    yield from (str(case.expect.get("error")), str(case.expect.get("dtype")))


@cache
def covering() -> tuple[Case, ...]:
    """The cases that have something that none before has: about an eighth of the corpus."""
    found, seen = [], set[str]()
    for case in corpus():
        if not seen.issuperset(traits(case)):
            seen.update(traits(case))
            found.append(case)
    return tuple(found)


class Covered(Known):
    """A part of the cases here, and all of them in ``test_support``, whose tests are slow ones."""

    part = staticmethod(covering)

    def pytest_generate_tests(self, metafunc):
        if "case" in metafunc.fixturenames:
            metafunc.parametrize("case", self.part(), ids=[case.id for case in self.part()])


def first_of_each_table() -> tuple[Case, ...]:
    tables = {case.id.split("/")[1]: case for case in reversed(corpus())}
    return tuple(reversed(tables.values()))


class Compiled(Covered):
    """A library that compiles something for most dtypes and shapes: a smaller part of them."""

    part = staticmethod(first_of_each_table)


class TestTorch(Covered):
    name = "torch"


class TestTensorFlow(Covered):
    name = "tensorflow"


class TestAutograd(Covered):
    name = "autograd"


class TestArrayAPIStrict(Covered):
    name = "array_api_strict"


class TestPint(Covered):
    name = "pint"


class TestMLX(Covered):
    name = "mlx"


class TestJAX(Covered):
    name = "jax"


class TestDask(Covered):
    name = "dask"


class TestSparse(Compiled):
    name = "sparse"


class TestNdonnx(Compiled):
    name = "ndonnx"


def test_the_cases_that_cover_the_corpus_have_everything_that_it_has():
    assert {trait for case in covering() for trait in traits(case)} == {
        trait for case in corpus() for trait in traits(case)
    }
    assert {case.row for case in covering()} == set(rows())
    assert len(covering()) < len(corpus()) / 5


def passes(*command: str) -> Counter:
    """Run the command in a process of its own; return how many cases passed and failed."""
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=900)
    assert done.returncode in (0, 1), done.stderr[-2000:]
    outcomes = json.loads(done.stdout)
    assert [f"{o['id']}: {o['reason']}" for o in outcomes if o["status"] == "failed"] == []
    return Counter(outcome["status"] for outcome in outcomes)


def test_the_oldest_version_of_the_array_api_standard_is_enough():
    needed("array_api_strict")
    code = """
import sys, warnings
import array_api_strict
warnings.simplefilter("ignore")
array_api_strict.set_array_api_strict_flags(api_version="2021.12")
from einsum_unified.__main__ import main
sys.exit(main(["conformance", "--json", "--backend", "array_api_strict"]))
"""
    assert passes("-c", code)["passed"] > 500


# --- the suite ------------------------------------------------------------------------------------


def test_the_kit_is_imported_without_pytest():
    names = "ConformanceSuite, run"
    code = (
        f"import sys; from einsum_unified.testing.conformance import {names}; print('pytest' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


SUITE = """
from einsum_unified.testing.conformance import ConformanceSuite
import numpy as np
from einsum_unified.adapter import dispatch

def same(x):
    return x

class TestNumPy(ConformanceSuite):
    adapter = dispatch.load("numpy")
    asarray = same
"""


def test_three_lines_make_a_test_of_each_case_and_gaps_are_skips(tmp_path):
    (tmp_path / "test_mine.py").write_text(SUITE)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-rs",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            str(tmp_path),
            "-k",
            "diagonals or gradients",
            "test_mine.py",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"},
    )
    assert done.returncode == 0, done.stdout[-2000:]
    gaps = sum("gradients" in case.needs for case in corpus())
    passed = sum("diagonals" in case.id and "gradients" not in case.needs for case in corpus())
    others = len(corpus()) - gaps - passed
    assert f"{passed} passed, {gaps} skipped, {others} deselected" in done.stdout
    assert "declared gap: gradients: the kit does not test derivatives of this library" in done.stdout


@pytest.mark.parametrize("make", [np.asarray, staticmethod(np.asarray), lambda x: np.asarray(x)])
def test_asarray_may_be_any_function(make):
    suite = type("Suite", (ConformanceSuite,), {"adapter": dispatch.load("numpy"), "asarray": make})
    assert suite.library().tensor(np.ones(2)).tolist() == [1, 1]


# --- broken adapters fail -------------------------------------------------------------------------


class Tensor:
    """A tensor whose adapter is not registered: the kit brings it."""

    def __init__(self, x) -> None:
        self.x = np.asarray(x)
        self.shape, self.dtype = self.x.shape, self.x.dtype


class Right(Adapter):
    """An adapter with nothing wrong; those below each have one thing wrong."""

    name = "right"
    capabilities = Capabilities(arithmetic={"bool": "float32", "float16": "float32", "bfloat16": "float32"})

    def form(self, cls):
        return Form.TENSOR if issubclass(cls, Tensor) else None

    def dtype_from_name(self, name):
        return numpy_dtype(name) if "float8" not in name and "int4" not in name else None

    def asarray(self, x, like, dtype):
        return Tensor(np.asarray(x, dtype))

    def to_numpy(self, x):
        return x.x

    def cast(self, x, dtype):
        return Tensor(x.x.astype(dtype))

    def transpose(self, x, axes):
        return Tensor(x.x.transpose(axes))

    def reshape(self, x, shape):
        return Tensor(x.x.reshape(shape))

    def diagonal(self, x, axis1, axis2):
        return Tensor(x.x.diagonal(0, axis1, axis2))

    def sum(self, x, axes):
        return Tensor(x.x.sum(axis=axes, dtype=x.dtype))

    def matmul(self, a, b):
        return Tensor(a.x @ b.x)

    def multiply(self, a, b):
        return Tensor(a.x * b.x)


def outcomes_of(adapter: Adapter, **how) -> list:
    return run(Library(adapter.name, adapter, Tensor, registered=False, **how))


def failed(outcomes: list) -> list[str]:
    return [outcome.id for outcome in outcomes if outcome.status == "failed"]


def test_an_adapter_with_nothing_wrong_passes_without_being_registered():
    outcomes = outcomes_of(Right())
    assert failed(outcomes) == []
    assert Counter(outcome.status for outcome in outcomes)["passed"] > 600
    with pytest.raises(TypeError, match="Tensor"):  # einsum knows nothing of it afterwards
        einsum("i->", Tensor([1.0]))


class TurnsAxesBack(Right):
    def transpose(self, x, axes):
        return Tensor(x.x.transpose(np.argsort(axes)))


class SumsInInt64(Right):
    def sum(self, x, axes):
        return Tensor(x.x.sum(axis=axes))


class SumsTheWrongAxis(Right):
    def sum(self, x, axes):
        return Tensor(x.x.sum(axis=tuple(range(len(axes))), dtype=x.dtype))


class KeepsCountsOfBools(Right):
    capabilities = dataclasses.replace(Right.capabilities, restored=frozenset())

    def cast(self, x, dtype):
        return x if x.dtype.name == "float32" and dtype == np.bool_ else super().cast(x, dtype)


class AddsBoolsModuloTwo(Right):
    capabilities = dataclasses.replace(Right.capabilities, arithmetic={"bool": "int8"}, restored=frozenset())


class MultipliesTheOtherWayRound(Right):
    def matmul(self, a, b):
        return Tensor(b.x.swapaxes(-1, -2) @ a.x.swapaxes(-1, -2))


class PromotesNothing(Right):
    def result_type(self, names, weak):
        return names[0]


class AddsHalvesInHalves(Right):
    capabilities = dataclasses.replace(Right.capabilities, arithmetic={"bool": "float32"})

    def sum(self, x, axes):
        total = np.zeros_like(x.x[(0,) * 0].sum(axis=axes, dtype=x.dtype))
        flat = np.moveaxis(x.x, axes, range(len(axes))).reshape(-1, *total.shape)
        for row in flat:
            total = (total + row).astype(x.dtype)
        return Tensor(total)


class DoesNotBroadcast(Right):
    def multiply(self, a, b):
        if a.shape != b.shape:
            raise ValueError("shapes differ")
        return super().multiply(a, b)


class GivesNumPyArrays(Right):
    def matmul(self, a, b):
        return a.x @ b.x


class TakesTheOtherDiagonal(Right):
    def diagonal(self, x, axis1, axis2):
        return Tensor(np.flip(x.x, axis1).diagonal(0, axis1, axis2))


class DropsImaginaryParts(Right):
    def multiply(self, a, b):
        return Tensor((a.x * b.x).real.astype(a.dtype))


class ClampsIntegers(Right):
    def sum(self, x, axes):
        if x.dtype != np.int8:
            return super().sum(x, axes)
        return Tensor(np.clip(x.x.astype(int).sum(axis=axes), -128, 127).astype(np.int8))


class LosesEmptyAxes(Right):
    def sum(self, x, axes):
        if 0 in x.shape:
            raise ValueError("there is nothing to sum")
        return super().sum(x, axes)


class DeclaresOutButCannot(Right):
    capabilities = dataclasses.replace(Right.capabilities, out=True)

    def copy_into(self, out, x):
        pass


class WritesIntoOperands(Right):
    capabilities = dataclasses.replace(Right.capabilities, out=True)

    def copy_into(self, out, x):
        out.x[...] = x.x

    def multiply(self, a, b):
        result = super().multiply(a, b)
        if a.x.flags.writeable:
            a.x[...] = 0
        return result


BROKEN = Right.__subclasses__()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("cls", BROKEN, ids=lambda cls: cls.__name__)
def test_an_adapter_with_something_wrong_fails(cls):
    library = Library("wrong", cls(), Tensor, registered=False)
    assert any(run_case(case, library).status == "failed" for case in corpus())


def test_at_least_ten_ways_to_be_wrong_are_tried():
    assert len(BROKEN) >= 10


# --- gaps -----------------------------------------------------------------------------------------


def test_a_lacking_feature_is_a_gap_with_its_reason_and_never_passes():
    outcomes = outcomes_of(Right())
    needs = {case.id: set(case.features()) for case in corpus()}
    lacking = {"out", "gradients", "float8_e4m3fn", "float8_e5m2", "int4", "uint4"}
    gaps = [outcome for outcome in outcomes if outcome.status == "gap"]
    assert {gap.feature for gap in gaps} == lacking | {"views", "scalars"}
    assert all(gap.reason for gap in gaps)
    assert not [o.id for o in outcomes if o.status == "passed" and needs[o.id] & lacking]


def test_a_gap_that_the_adapter_declares_has_its_reason():
    class WithoutInt8(Right):
        capabilities = dataclasses.replace(Right.capabilities, gaps={"int8": "eight bits are too few"})

    outcomes = {outcome.id: outcome for outcome in outcomes_of(WithoutInt8())}
    gap = outcomes["10/dtypes/ij->ji int8"]
    assert (gap.status, gap.feature, gap.reason) == ("gap", "int8", "eight bits are too few")


def test_out_that_is_declared_as_lacking_but_taken_in_silence_fails():
    def careless(*arguments, out=None, **options):
        return einsum(*arguments, **options)

    case = next(case for case in corpus() if case.id == "16/out=/ij->i")
    outcome = run_case(case, Library("right", Right(), np.asarray), careless)
    assert (outcome.status, outcome.reason) == ("failed", "the feature declared as missing raises no error")


# --- functions that are called like einsum ----------------------------------------------------------


def disagreements(name: str, function) -> set[str]:
    return set(failed(run(name, function=function)))


def test_numpy_s_own_einsum_differs_where_it_is_known_to():
    found = disagreements("numpy", np.einsum)
    assert "2/ellipsis/...i->i" in found
    assert "7/any letter/\\u03b1\\u03b2,\\u03b2\\u03b3->\\u03b1\\u03b3" in found
    assert "1/implicit/ij,jk" not in found


def test_torch_s_own_einsum_differs_where_it_is_known_to(torch):
    found = disagreements("torch", torch.einsum)
    assert {
        "10/dtypes/ij-> int8",
        "10/dtypes/ij,jk->ik bool",
        "11/promotion/ij,jk->ik float16 x float32",
    } <= found
    assert "2/ellipsis/...i->i" not in found


def test_tensorflow_s_own_einsum_differs_where_it_is_known_to(tf):
    found = disagreements("tensorflow", tf.einsum)
    assert {"3/size one/i,i->i [4]x[1]", "10/dtypes/ij,jk->ik int8", "13/4096 ones/i,i-> float16"} <= found
    assert "4/diagonals/ii->i" not in found


def test_jax_s_own_einsum_takes_a_diagonal_of_1_against_n():
    needed("jax")
    cases = [case for case in corpus() if case.id in ("3/sizes that differ/ii->i", "4/diagonals/ii->i")]
    outcomes = run("jax", cases, importlib.import_module("jax.numpy").einsum)
    assert failed(outcomes) == ["3/sizes that differ/ii->i"]


# --- the corpus -----------------------------------------------------------------------------------


def test_there_are_at_least_four_hundred_cases_and_some_for_every_row():
    assert len(corpus()) >= 400
    counts = Counter(case.row for case in corpus())
    assert sorted(counts) == list(range(1, 21)) == sorted(rows())
    assert min(counts.values()) >= 5


def test_every_case_has_an_id_of_its_own_that_begins_with_its_row():
    ids = [case.id for case in corpus()]
    assert len(set(ids)) == len(ids)
    assert all(case.id.startswith(f"{case.row}/") and case.id.isascii() for case in corpus())


def test_the_corpus_is_what_its_script_makes(tmp_path):
    script = runpy.run_path(str(ROOT / "scripts" / "make_corpus.py"))
    path = Path(conformance.__file__).parent / "corpus.json"
    assert path.read_text("utf-8") == script["text"](), "run python scripts/make_corpus.py"


def test_every_meaning_is_an_explicit_equation_in_letters():
    for case in corpus():
        if "means" in case.expect:
            inputs, output = case.expect["means"].split("->")
            assert inputs.count(",") == len(case.operands) - 1
            assert set(inputs) - {","} <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
            assert set(output) <= set(inputs)
            assert len(set(output)) == len(output)
        else:
            assert case.expect["error"].endswith("Error")


@pytest.mark.parametrize("name", ["numpy", "torch", "jax"])
def test_what_adapters_say_of_mixed_dtypes_is_their_framework_s_own_table(name):
    needed(name)
    module = importlib.import_module({"jax": "jax.numpy"}.get(name, name))
    promote = {"numpy": "result_type", "torch": "promote_types", "jax": "promote_types"}[name]
    adapter = dispatch.load(name)
    tried = 0
    for case in corpus():
        kinds = [x.kind for x in case.operands]
        if isinstance(case.expect.get("dtype"), list) and kinds == ["tensor", "tensor"]:
            names = [x.dtype for x in case.operands]
            own = rule(getattr(module, promote), *map(adapter.dtype_from_name, names))
            if own is not None and not set(names) & set(adapter.capabilities.gaps):
                tried += 1
                assert adapter.result_type(names, ()) == str(own).rpartition(".")[2]
    assert tried >= 6


# --- the reference --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("means", "shapes"),
    [
        ("ij,jk->ik", [(2, 3), (3, 4)]),
        ("bij,bjk->bki", [(2, 2, 3), (2, 3, 2)]),
        ("iij->j", [(3, 3, 2)]),
        ("ij,ij->i", [(2, 1), (1, 3)]),
        ("ij,jk->ik", [(2, 0), (0, 4)]),
        ("i,i->i", [(1,), (0,)]),
        (",->", [(), ()]),
    ],
)
def test_the_reference_is_what_numpy_s_loops_give(means, shapes):
    arrays = [np.asarray(numbers(shape, n, "float64"), float) for n, shape in enumerate(shapes)]
    np.testing.assert_array_equal(
        reference.contract(means, arrays), np.einsum(means, *arrays, optimize=False)
    )


def test_the_reference_wraps_integers_and_takes_any_of_bools():
    hundred = np.full(3, 100, np.int8)
    assert reference.expected("i->", [hundred], "int8").values == 44
    assert reference.expected("i->", [np.array([True, True])], "bool").values.tolist() is True
    assert reference.expected("i->", [np.full(2, 2**63, np.uint64)], "uint64").values == 0


def test_the_derivative_of_the_reference_is_the_transposed_product():
    a, b, weights = numbers((2, 3), 0, "int64"), numbers((3, 4), 1, "int64"), numbers((2, 4), 2, "int64")
    np.testing.assert_array_equal(reference.gradient("ij,jk->ik", [a, b], weights, 0), weights @ b.T)
    np.testing.assert_array_equal(reference.gradient("ij,jk->ik", [a, b], weights, 1), a.T @ weights)


# --- the command line -----------------------------------------------------------------------------


def test_the_command_prints_a_table_by_row_and_the_gaps(capsys, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["conformance", "--backend", "numpy"]) == 0
    text = capsys.readouterr().out
    lines = text.splitlines()
    assert lines[0].endswith("of numpy")
    assert lines[1].split() == ["row", "what", "passed", "failed", "gaps"]
    assert [line.split()[0] for line in lines[3:23]] == [str(row) for row in range(1, 21)]
    assert "  gradients: the kit does not test derivatives of this library (16 cases)" in lines
    assert lines[-1].startswith("numpy: ")
    assert f"of {len(corpus())} cases passed, 0 failed, 16 declared gaps" in lines[-1]


def test_the_command_says_what_failed_and_exits_with_1(capsys):
    assert main(["conformance", "--callable", "numpy:einsum", "--row", "2"]) == 1
    text = capsys.readouterr().out
    assert "failed:" in text
    assert "  2/ellipsis/...i->i: raises ValueError: output" in text


def test_the_command_takes_tensors_of_another_library_for_a_function(capsys):
    arguments = ["--callable", "opt_einsum:contract", "--backend", "numpy", "--case", "1/implicit/ij,jk"]
    assert main(["conformance", *arguments]) == 0
    assert "opt_einsum:contract: 2 of 2 cases passed" in capsys.readouterr().out


def test_the_command_prints_outcomes_as_json(capsys):
    assert main(["conformance", "--backend", "numpy", "--case", "18/gradients/ii->i", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {
            "id": "18/gradients/ii->i",
            "row": 18,
            "status": "gap",
            "reason": "the kit does not test derivatives of this library",
            "feature": "gradients",
        }
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ["--backend", "nosuchlibrary"],
            "--backend: there is no library 'nosuchlibrary'; libraries with an adapter: numpy, ",
        ),
        (["--backend", "json"], "--backend: json has no asarray like the array API standard"),
        (
            ["--callable", "nosuchlibrary:einsum"],
            "--callable: cannot import 'nosuchlibrary:einsum': No module named",
        ),
        (
            ["--callable", "numpy:einsun"],
            "--callable: cannot import 'numpy:einsun': module 'numpy' has no attribute 'einsun'",
        ),
        (["--callable", ".numpy:einsum"], "--callable: cannot import '.numpy:einsum': "),
        (
            ["--backend", ".numpy"],
            "--backend: there is no library '.numpy'; libraries with an adapter: numpy, ",
        ),
        (["--callable", "numpy"], "--callable: 'numpy' is not of the form MODULE:NAME, such as torch:einsum"),
        (["--callable", "numpy:pi"], "--callable: 'numpy:pi' is a float, which cannot be called"),
        (["--callable", "json:dumps"], "--callable: json has no asarray"),
        (["--backend", "numpy", "--row", "21"], "--row: 21 is not a row of the rules, which are 1 to 20"),
        (["--backend", "numpy", "--case", "nothing"], "--case: no case has 'nothing' in its id"),
        ([], "--backend: needed unless --callable is given"),
    ],
)
def test_misuse_is_one_line_that_names_the_argument(capsys, arguments, says):
    assert main(["conformance", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert line.startswith(f"einsum-unified conformance: error: argument {says}")


def test_all_frameworks_are_known_to_the_kit():
    for cls in FRAMEWORKS:
        framework = available(cls)
        x = library_of(framework.name).tensor(np.ones(2, np.float32))
        assert framework.dtype(x) == "float32"
