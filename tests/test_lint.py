"""Linting: faults found where they are, nothing in clean code, every format, hostile files."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
import yaml

import einsum_unified.lint
from einsum_unified.__main__ import main
from einsum_unified.language.equation import parse as parse_equation
from einsum_unified.lint import RULES, UnreadableError, check, libraries
from einsum_unified.lint.axes import REDUCTIONS
from einsum_unified.lint.patterns import PatternError
from einsum_unified.lint.patterns import parse as parse_pattern
from einsum_unified.lint.source import Source
from einsum_unified.lint.texts import spell

ROOT = Path(__file__).parents[1]
DATA = Path(__file__).parent / "data"
IMPORTS = """\
import einops, numpy as np, torch, tensorflow as tf, jax.numpy as jnp, opt_einsum as oe, einsum_unified
from einops import rearrange, reduce, repeat
from einsum_unified import einsum
"""
MARK = re.compile(r"«(EU\d+)»")


def planted(text: str) -> tuple[str, list[tuple[str, int, int]]]:
    """Take the marks out of a text, and return code, line and column of each."""
    faults = []
    lines = text.split("\n")
    for n, line in enumerate(lines):
        while match := MARK.search(line):
            faults.append((match[1], n + 1, match.start() + 1))
            line = line[: match.start()] + line[match.end() :]
        lines[n] = line
    return "\n".join(lines), faults


def found(text: str, **options: bool) -> list[tuple[str, int, int]]:
    return [(finding.code, finding.line, finding.column) for finding in check(text, **options)]


def codes(text: str, **options: bool) -> list[str]:
    return [finding.code for finding in check(IMPORTS + text, **options)]


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


# --- what is found --------------------------------------------------------------------------------


def test_planted_faults_are_found_exactly_where_they_are():
    text, faults = planted((DATA / "lint_faults.txt").read_text())
    assert len(faults) >= 20
    assert sorted(found(text)) == sorted(faults)


def test_code_that_only_looks_faulty_has_no_findings():
    assert check((DATA / "lint_clean.txt").read_text()) == []


def sections() -> dict[str, str]:
    """The sections of the documentation, by code."""
    text = (ROOT / "docs" / "lint-rules.md").read_text()
    return {match[1]: match[2] for match in re.finditer(r"### (EU\d+)(.*?)(?=\n##|\Z)", text, re.DOTALL)}


def test_the_table_of_the_documentation_is_that_of_the_code():
    text = (ROOT / "docs" / "lint-rules.md").read_text()
    rows = re.findall(r"^\| \[(EU\d+)\]\(#([^)]*)\) \| (.*?) \| (.*?) \| (.*) \|$", text, re.MULTILINE)
    assert rows == [
        (r.code, f"{r.code.lower()}-{r.name}", r.name, r.level, r.summary) for r in RULES.values()
    ]
    assert list(sections()) == list(RULES)
    assert all(text.startswith(f" {RULES[code].name}\n") for code, text in sections().items())


@pytest.mark.parametrize("code", RULES)
def test_the_bad_examples_of_a_rule_have_it_alone_and_the_good_ones_nothing(code: str):
    bad, good = re.search(r"```py\n# bad\n(.*)# good\n(.*)```", sections()[code], re.DOTALL).groups()
    calls = len(ast.parse(bad).body)
    assert codes(bad) == [code] * calls
    assert calls
    assert codes(good) == []


PATTERNS = [
    ("rearrange(x, 'a b')", "rearrange(x, 'a b -> b a')"),
    ("rearrange(x, 'a -> b -> a')", "rearrange(x, 'a->a')"),
    ("rearrange(x, 'a (b (c)) -> a b c')", "rearrange(x, '(a b) -> a b', a=2)"),
    ("rearrange(x, 'a b) -> a b')", "rearrange(x, 'a () -> a')"),
    ("rearrange(x, 'a .. -> a ..')", "rearrange(x, 'a ... -> ... a')"),
    ("rearrange(x, '... a ... -> a ...')", "rearrange(x, 'a b ... -> (a ...) b')"),
    ("rearrange(x, '(a ...) -> a ...')", "rearrange(x, 'a ... -> (a ...)')"),
    ("rearrange(x, 'a 2 -> a 2')", "rearrange(x, 'a 1 -> a 1')"),
    ("rearrange(x, 'a a -> a')", "einops.einsum(x, 'a a -> a')"),
    ("rearrange(x, '_a b -> b _a')", "rearrange(x, 'a_a b -> b a_a')"),
    ("rearrange(x, '2a b -> b 2a')", "rearrange(x, 'a2 b -> b a2')"),
    ("rearrange(x, 'a;b -> b a')", "rearrange(x, 'α b -> b α')"),
    ("reduce(x, 'a -> a 3', 'sum')", "reduce(x, 'a 3 -> a', 'sum')"),
    ("repeat(x, 'a 3 -> a')", "repeat(x, 'a -> a 3')"),
    ("repeat(x, 'a -> a 0')", "repeat(x, 'a -> a 1')"),
    ("einops.einsum(x, '(a b) -> a')", "einops.einsum(x, 'a b -> a')"),
    ("einops.einsum(x, 'a 3 -> a')", "einops.einsum(x, 'a _ -> a _')"),
    ("einops.einsum(x, 'a b -> a a')", "einops.einsum(x, '(a) b -> a b')"),
]


@pytest.mark.parametrize(("bad", "good"), PATTERNS)
def test_a_pattern_is_malformed_exactly_if_einops_says_so(bad: str, good: str):
    import einops

    assert set(codes(bad)) == {"EU001"}
    assert codes(good) == []
    names = {"einops": einops, **{f.__name__: f for f in (einops.rearrange, einops.reduce, einops.repeat)}}
    with pytest.raises((einops.EinopsError, ValueError, NotImplementedError)) as caught:
        eval(bad, {**names, "x": np.ones((2, 2))})
    assert "Wrong shape" not in str(caught.value)
    for shape in [(2,), (2, 2), (2, 1), (2, 3), (2, 2, 2)]:
        try:
            eval(good, {**names, "x": np.ones(shape)})
            break
        except (einops.EinopsError, ValueError, RuntimeError):
            continue
    else:
        pytest.fail("einops refuses it, too")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("rearrange(x, 'a ... -> a')", ["EU005"]),
        ("repeat(x, 'a -> a ...')", ["EU005"]),
        ("reduce(x, 'a -> a b', 'sum')", ["EU005"]),
        ("reduce(x, 'a ... -> a', 'sum')", []),
        ("rearrange(x, '(a b) -> a b')", ["EU006"]),
        ("rearrange(x, '(a b 2) -> a b', a=2)", ["EU001"]),
        ("reduce(x, '(a 2) -> a', 'sum')", []),
        ("rearrange(tensor=x, pattern='a -> a a')", ["EU001"]),
        ("rearrange('a b -> b a', x)", ["EU008"]),
        ("reduce(x, 'a -> ', reduction='total')", ["EU007"]),
        ("reduce(x, 'a ->', how)", []),
        ("reduce(x, 'chanel channels width -> width', 'sum')", []),
        ("reduce(x, 'b channel chanel -> b', 'sum')", ["EU102"]),
        ("einops.einsum(x, y, 'b chan, chan -> b chans')", ["EU002", "EU102"]),
        ("einops.einsum(x, y, 'a b, c d -> a d')", ["EU101"]),
        ("einops.einsum(x, y, 'a b, b d ->')", ["EU105"]),
        ("einops.einsum(x, 'a b, b d -> a d')", ["EU004"]),
        ("einops.einsum(x, y, 'a\\tb, b -> a')", ["EU204"]),
        ("einops.einsum(x, 'a b -> b a', optimize=True)", ["EU207"]),
        (f"einops.einsum(x, '{' '.join(f'a{n}' for n in range(53))} -> a0')", ["EU202"]),
        ("import einops.layers.torch as l\nl.Rearrange('a b -> (a c)')", ["EU005"]),
        ("from einops.layers.keras import Reduce\nReduce('a b -> a', 'avg')", ["EU007"]),
    ],
)
def test_a_call_of_einops(source: str, expected: list[str]):
    assert sorted(codes(source)) == expected


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("einops.einsum(x, 'i j -> i', a)", "einops.einsum takes the pattern as its last argument"),
        ("rearrange('a b -> b a', x)", "einops.rearrange takes the pattern as its second argument"),
        ("np.einsum(a, 'ij,jk->ik', b)", "numpy.einsum takes the equation as its first argument"),
    ],
)
def test_the_remark_on_a_misplaced_text_names_the_right_place(source: str, said: str):
    (finding,) = check(IMPORTS + source)
    assert (finding.code, finding.message) == ("EU008", said)
    assert finding.column == source.index("'") + 1 + len("'")


def test_a_size_for_a_name_like_one_of_the_pattern_says_so():
    (finding,) = check(IMPORTS + "repeat(x, 'batch h w -> batch h w chanel', channel=3)")
    assert (finding.code, finding.notes) == ("EU006", ("'channel' and 'chanel' differ by one letter",))
    (finding,) = check(IMPORTS + "repeat(x, 'batch h w -> batch h w chanel', depth=3)")
    assert (finding.code, finding.notes) == ("EU006", ())


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("einsum('ij,jk', a, b, strict=True)", ["EU009"]),
        ("einsum('kj,ji', a, b, strict=True)", ["EU009"]),
        ("einsum('', a, strict=True)", ["EU009"]),
        ("einsum('ij,jk->i', a, b, strict=True)", ["EU009"]),
        ("einsum('ij,ik->', a, b, strict=True)", ["EU009"]),
        ("einsum('ij->i', a, strict=True)", ["EU009"]),
        ("einsum(a, [0, 1], [0], strict=True)", ["EU009"]),
        ("einsum(a, [0, 1], strict=True)", ["EU009"]),
        ("einsum_unified.einsum_plan('ij,jk', (2, 3), (3, 4), strict=True)", ["EU009"]),
        ("einsum('ij,jk->i', a, b, c, strict=True)", ["EU004", "EU009"]),
        ("einsum('ij,jk->ik', a, b, strict=True)", []),
        ("einsum('ij->i', a, strict=False)", []),
        ("einsum('ij,jk', a, b, strict=strict)", ["EU103"]),
        ("np.einsum('ij->i', a, strict=True)", ["EU207"]),
    ],
)
def test_what_a_strict_call_refuses_is_an_error(source: str, expected: list[str]):
    assert sorted(codes(source)) == expected
    assert all(RULES[code].level == "error" for code in expected if code != "EU103")


def test_the_place_of_what_a_strict_call_refuses_is_in_its_equation():
    assert found(IMPORTS + "einsum('ij,jk', a, b, strict=True)")[0][2] == len("einsum('ij,jk")
    assert found(IMPORTS + "einsum('ij,jk->i', a, b, strict=True)")[0][2] == len("einsum('ij,jk")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("tf.keras.ops.einsum('ij,jk->iz', a, b)", ["EU002"]),
        ("np.einsum('ij,jk->ik', a, b, *c)", []),
        ("np.einsum('ij,jk->ik', a, b, c)", ["EU004"]),
        ("np.einsum('ij->ji')", ["EU004"]),
        ("np.einsum('ij->ji', [[1, 2], [3, 4]])", []),
        ("einsum('i,i->', [1, 2])", []),  # it may be a nested list; the call says so itself
        ("torch.einsum('ij,jk->ik', [a, b, c])", ["EU004"]),
        ("torch.einsum('ij,jk->ik', [a, *b])", []),
        ("einsum_unified.einsum_plan('ij,jk->ik', (2, 3))", []),
        ("einsum_unified.einsum_plan('ij,jk->ik', (2, 3), (3, 4), (4, 5))", ["EU004"]),
        ("oe.contract_expression('ij,jk->iz', (2, 3), (3, 4))", ["EU002"]),
        ("np.einsum_path('ij,jk,kl->il', a, b, c)", []),
        ("np.einsum('ij,jk,kl->il', a, b, c, optimize=False)", ["EU301"]),
        ("np.einsum('ij,jk,kl->il', a, b, c, **options)", []),
        ("np.einsum('ij,kj->i', a, b)", ["EU101"]),
        ("np.einsum('ij->i', a)", []),
        ("np.einsum('iji->i', a)", []),
        ("np.einsum('i...', a)", ["EU104"]),
        ("np.einsum('i...,...->...', a, b)", ["EU101"]),
        ("np.einsum('ii', a)", ["EU103"]),
        ("np.einsum('', a)", ["EU103"]),
        ("np.einsum(a, [1, 0])", ["EU104"]),
        ("np.einsum(a, [0, 1], b, [1, 2], [0, 3])", ["EU002"]),
        ("np.einsum(a, [0, 1], b, [2, 3], [0, 3])", ["EU101"]),
        ("oe.contract(a, ['i', 'j'], ['j', 'i'])", []),
        ("np.einsum(a, ['i', 'j'], ['j', 'i'])", ["EU202"]),
        ("np.einsum(a, [0, -1], [-1, 0])", ["EU202"]),
        ("einsum(a, [0, x], [x, 0])", []),
        ("np.einsum('ij->ji', a, optmize=True)", ["EU207"]),
        ("tf.einsum('ij->ji', a, name='t')", []),
        ("jnp.einsum('ij->ji', a, precision='high')", []),
        ("jnp.einsum('ij\\n->ji', a)", ["EU204"]),
        ("tf.einsum('...i,...i', a, b)", ["EU206"]),
        ("import keras\nkeras.ops.einsum('ij->jk', a)", ["EU002"]),
        (
            "try:\n    import cupy as xp\nexcept ImportError:\n    import numpy as xp\nxp.einsum('i->ii', a)",
            ["EU003"],
        ),
        ("np.einsum('i\\u200bj->ij', a)", ["EU001", "EU201"]),
        ("np.einsum('i\\xa0j->ij', a)", ["EU001"]),
        ("import einsum_unified\neinsum_unified.einsum('i\\u200b->i\\u200b', a)", ["EU001"]),
        ("import einsum_unified\neinsum_unified.einsum('…i->i…', a)", ["EU001"]),
    ],
)
def test_a_call_of_an_einsum(source: str, expected: list[str]):
    assert codes(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "import numpy\nnumpy.einsum('i->ii', a)",
        "import numpy as xyz\nxyz.einsum('i->ii', a)",
        "from numpy import einsum as es\nes('i->ii', a)",
        "from numpy import *\neinsum('i->ii', a)",
        "import jax\njax.numpy.einsum('i->ii', a)",
        "from jax import numpy as jnp\njnp.einsum('i->ii', a)",
        "import tensorflow.compat.v2 as tf\ntf.einsum('i->ii', a)",
        "def f():\n    import torch\n    def g():\n        torch.einsum('i->ii', a)",
        "try:\n    import torch\nexcept ImportError:\n    torch = None\ntorch.einsum('i->ii', a)",
        "import pytest\ntorch = pytest.importorskip('torch')\ntorch.einsum('i->ii', a)",
        "import numpy as np\ndot = np.einsum\ndot('i->ii', a)",
        "import numpy as np\nEQ: str = 'i->' 'ii'\ndef f(): np.einsum(EQ, a)",
        "import numpy as np\ndef f():\n    i = 'i'\n    return [np.einsum(f'{i}->' + i + i, x) for x in y]",
        "import numpy as np\nclass A:\n    def f(self): return lambda: np.einsum('i->ii', self)",
        "import numpy as np\nmatch x:\n    case [y]:\n        np.einsum('i->ii', y)",
        "import numpy as np\nasync def f():\n    async with g() as h:\n        await np.einsum('i->ii', h)",
        "import numpy as np\nnp.einsum(np.einsum('i->ii', a), [0], [0])",
    ],
)
def test_a_function_and_its_equation_are_known_by_whatever_name(source: str):
    assert [code for code, *_ in found(source)] == ["EU003"]


# --- what the libraries refuse --------------------------------------------------------------------


def refused(library: libraries.Library) -> dict[str, bool]:
    """What the facts of a library say about calls with a property each."""
    return {
        "greek": library.letters,
        "tab": bool(re.search(library.blanks, "i\tj->ij")),
        "arrow": bool(re.search(library.blanks, "ij- >ji")),
        "dots": bool(re.search(library.blanks, "i. ..->...i")),
        "ellipsis": library.keeps_ellipsis,
        "ellipses": library.one_implicit_ellipsis,
        "sublists": not library.sublists,
        "integers": library.letters,
        "list": not library.lists,
        "keyword": library.keywords is not None,
    }


def calls(x) -> dict[str, tuple]:
    return {
        "greek": ("αβ->βα", x),
        "tab": ("i\tj->ij", x),
        "arrow": ("ij- >ji", x),
        "dots": ("i. ..->...i", x),
        "ellipsis": ("...i->i", x),
        "ellipses": ("...i,...i", x, x),
        "sublists": (x, [0, 1], [1, 0]),
        "integers": (x, [0, 52], [52, 0]),
        "list": ("ij,jk->ik", [x, x]),
    }


@pytest.mark.parametrize("name", ["numpy", "optimized", "torch", "tensorflow", "opt_einsum"])
def test_a_library_refuses_what_the_linter_says_it_does(name: str, request):
    import opt_einsum

    x = np.ones((2, 2))
    if name in ("torch", "tensorflow"):
        module = request.getfixturevalue({"torch": "torch", "tensorflow": "tf"}[name])
        x, function = module.ones((2, 2)), module.einsum
    elif name == "opt_einsum":
        function = opt_einsum.contract
    else:
        function = lambda *args, **options: np.einsum(*args, optimize=name == "optimized", **options)  # noqa: E731
    facts = refused(getattr(libraries, name.upper()))
    if name == "opt_einsum":
        facts.pop("keyword")
    fails = {}
    for key, arguments in calls(x).items():
        try:
            function(*arguments)
            fails[key] = False
        except Exception:  # each library has its own
            fails[key] = True
    if "keyword" in facts:
        with pytest.raises(TypeError):
            function("ij->ji", x, nonsense=1)
        fails["keyword"] = True
    if not facts["sublists"]:
        assert fails == facts
    else:  # without sublists their integers do not matter
        assert {**fails, "integers": True} == facts


def test_jax_refuses_what_the_linter_says_it_does():
    jnp = pytest.importorskip("jax.numpy")
    facts, x = refused(libraries.JAX), jnp.ones((2, 2))
    for key, arguments in calls(x).items():
        try:
            jnp.einsum(*arguments)
            assert not facts[key], key
        except (ValueError, TypeError):
            assert facts[key], key


def test_einops_knows_the_reductions_that_the_linter_knows():
    import einops

    for name in REDUCTIONS:
        values = np.ones((2, 2), bool if name in ("any", "all") else float)
        assert einops.reduce(values, "a b -> a", name).shape == (2,)
    with pytest.raises(einops.EinopsError):
        einops.reduce(values, "a b -> a", "average")


@pytest.mark.parametrize("name", sorted(libraries.FUNCTIONS))
def test_a_function_that_is_looked_for_exists(name: str):
    root = name.partition(".")[0]
    missing = {"cupy", "einops.layers.oneflow", "einops.layers.paddle"}
    if any(name.startswith(module) for module in missing):
        assert importlib.util.find_spec("cupy") is None or root != "cupy"
        return
    module, _, attribute = name.rpartition(".")
    pytest.importorskip(root)
    if name.startswith("einops.layers."):
        pytest.importorskip(name.split(".")[2])
    if name == "opt_einsum.contract.contract" or module == "opt_einsum.contract":
        holder = importlib.import_module("opt_einsum.contract")  # hidden by the function of its name
        assert callable(
            getattr(sys.modules["opt_einsum.contract"], attribute, getattr(holder, attribute, None))
        )
        return
    holder = importlib.import_module(root)
    for part in module.split(".")[1:]:
        path = f"{getattr(holder, '__name__', root)}.{part}"
        holder = getattr(holder, part, None) or importlib.import_module(path)
    assert callable(getattr(holder, attribute))


def test_portable_reports_what_any_library_refuses():
    source = "oe.contract('αβ->βα', a)\neinsum('...i->i', a)\ntorch.einsum(a, [0, 1], [1, 0])\n"
    source += "einsum('i\\n->i', a)"
    assert codes(source) == []
    findings = check(IMPORTS + source, portable=True)
    assert [finding.code for finding in findings] == ["EU201", "EU205", "EU203", "EU204"]
    assert findings[0].message == "labels 'α' and 'β', which numpy, torch and tensorflow refuse"
    assert findings[2].message == "the interleaved form, which tensorflow refuses"
    assert check(IMPORTS + "np.einsum('ij,jk->ik', a, b)", portable=True) == []


# --- where it is ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        "np.einsum('ij->«EU002»z', a)",
        "np.einsum(r'ij->«EU002»z', a)",
        "np.einsum(U'ij->«EU002»z', a)",
        r"np.einsum('\x69\u006a\N{LATIN SMALL LETTER K}->\151«EU002»z', a)",
        "np.einsum('ij' \"->\" '''«EU002»z''', a)",
        "np.einsum('ij->' # a comment with ' in it\n    '«EU002»z', a)",
        "np.einsum('''ij->\\\n«EU002»z''', a)",
        "einsum('''\n    ij\n    ->«EU002»z\n''', a)",
        "αβγ = 1; np.einsum('ij->«EU002»z', a)",
        "EQ = 'ij->' + '«EU002»z'\nnp.einsum(EQ, a)",
        "np.einsum(«EU002»f'ij->z', a)",  # within f-strings the place is unknown
        "left = 'ij->«EU002»z'\nnp.einsum(f'{left}', a)",
        "np.einsum(a, [0, 1], [«EU002»2])",
        "np.einsum(\n    a,\n    [0, 1],\n    [\n        «EU002»2])",
        "if a:\n\tnp.einsum('ij->«EU002»z', a)",
        "np.einsum('ij,«EU004»jk->ik', a)",
    ],
)
def test_the_column_is_that_of_the_character_in_the_source(source: str):
    text, faults = planted(IMPORTS + source)
    assert found(text) == faults


@pytest.mark.parametrize("at", [3, 71, 72, 73, 150, 2999])
def test_a_fault_in_a_long_equation_is_found_where_it_is(at: int):
    letters = "".join(chr(0x4E00 + n) for n in range(3000))
    equation = letters[:at] + ";" + letters[at:]
    text = f"import jax.numpy as jnp\njnp.einsum({equation!r}, a)"
    assert found(text) == [("EU001", 2, 13 + at)]
    for n in (0, 1500, 2999):
        output = letters[:n] + "é" + letters[n:]
        text = f"import jax.numpy as jnp\njnp.einsum({letters + '->' + output!r}, a)"
        assert found(text) == [("EU002", 2, 13 + 3002 + n)]


def test_sublists_are_spelled_as_the_parser_does():
    for source in ["[0, 1], [1, 2], [0, 2]", "[], ['a', ...], []", "[True, -3], [None, 2], []"]:
        *inputs, output = ast.parse(source).body[0].value.elts
        for last in (output, None):
            spelled = spell(inputs, last)
            if spelled is None:
                assert "None" in source
                continue
            text, sublists = spelled
            assert text.value == parse_equation(sublists).text


def test_windows_line_ends_and_form_feeds_do_not_move_lines():
    source = b"import numpy as np\r\n\x0c\r\nnp.einsum('ij->z', a)\r\n"
    assert [(f.line, f.column) for f in check(source)] == [(3, 16)]
    assert [(f.line, f.column) for f in check(b"\xef\xbb\xbf" + source)] == [(3, 16)]
    latin = "# coding: latin-1\nimport numpy as np\né = np.einsum('ij->z', a)".encode("latin-1")
    assert [(f.line, f.column) for f in check(latin)] == [(3, 20)]


# --- silence --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("comment", "silent"),
    [
        ("# noqa", True),
        ("#NOQA", True),
        ("# noqa: EU003", True),
        ("# noqa:E501,EU003", True),
        ("# noqa: EU002 EU003  because", True),
        ("# noqa: EU0", True),
        ("# why  # noqa: eu003", True),
        ("# noqa: EU002", False),
        ("# noqa: E501", False),
        ("# noqa-not", False),
        ("# noqable", False),
        ("", False),
    ],
)
def test_a_comment_silences_the_codes_it_names(comment: str, silent: bool):
    assert codes(f"np.einsum('i->ii', a)  {comment}") == ([] if silent else ["EU003"])


def test_a_comment_counts_on_the_ends_of_the_call_and_not_within_texts_or_on_other_lines():
    call = "np.einsum({0}\n    '''i->\n  ii''', {1}\n    a,\n){2}\n{3}"
    for silenced, comments in [
        (True, ["# noqa", "", "", ""]),
        (False, ["", "", "", "# noqa"]),
        (True, ["", "# noqa", "", ""]),
        (True, ["", "", "# noqa", ""]),
    ]:
        assert ("EU003" not in codes(call.format(*comments))) is silenced
    assert codes("np.einsum('i->ii', '# noqa')") == ["EU003"]


# --- the command ----------------------------------------------------------------------------------

FAULT = "import numpy as np\n\nx = 1, np.einsum('''ij,\\\njk->iz''', a, b)\n"


def test_text_shows_file_line_column_and_carets(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "model.py", FAULT + "y = np.einsum('ij,kl->il', a, b)\n")
    assert main(["lint", "model.py"]) == 1
    assert capsys.readouterr().out == (
        "model.py:4:6: EU002 output label 'z' occurs in no operand\n"
        "    jk->iz''', a, b)\n"
        "         ^\n"
        "    ij,jk->iz\n"
        "            ^\n"
        "  to add an axis, reshape the result, or give an operand of ones with subscripts 'z'\n"
        "model.py:5:17: EU101 labels 'j' and 'k' occur once each and are summed away\n"
        "    y = np.einsum('ij,kl->il', a, b)\n"
        "                    ^ ^\n"
        "  if intended, sum that operand first; if not, a label is misspelt or missing in the output\n"
        "2 findings in 1 of 1 file\n"
    )


def test_clean_files_are_status_0(tmp_path, capsys):
    write(tmp_path / "a.py", "import numpy as np\nnp.einsum('ij->ji', a)\n")
    write(tmp_path / "b.txt", FAULT)
    assert main(["lint", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "no findings in 1 file\n"


def test_json_has_everything(tmp_path, capsys):
    file = write(tmp_path / "model.py", FAULT)
    bad = write(tmp_path / "bad.py", "def")
    assert main(["lint", str(tmp_path), "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document == {
        "version": 1,
        "files": 2,
        "findings": [
            {
                "path": file.as_posix(),
                "line": 4,
                "column": 6,
                "code": "EU002",
                "name": "unknown-output-label",
                "level": "error",
                "message": "output label 'z' occurs in no operand",
                "notes": [
                    "to add an axis, reshape the result, or give an operand of ones with subscripts 'z'"
                ],
                "function": "numpy.einsum",
                "equation": "ij,jk->iz",
                "marks": [8],
            }
        ],
        "unreadable": [{"path": bad.as_posix(), "message": document["unreadable"][0]["message"]}],
    }
    assert document["unreadable"][0]["message"].startswith("is not valid Python: line 1: ")


def test_github_gets_one_command_a_line_with_its_escapes(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "100%,a:b.py", FAULT + "np.einsum('ij,jk', a, b)")
    assert main(["lint", ".", "--format", "github"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "::error file=100%25%2Ca%3Ab.py,line=4,col=6,title=EU002::output label 'z' occurs in no operand%0A"
        "to add an axis, reshape the result, or give an operand of ones with subscripts 'z'",
        "::notice file=100%25%2Ca%3Ab.py,line=5,col=16,title=EU103::the output is left out%0A"
        "it is '->ik': write it out",
    ]


def test_sarif_has_the_structure_that_the_standard_requires(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a file.py", FAULT)
    write(tmp_path / "bad.py", "def")
    assert main(["lint", "a file.py", str(tmp_path / "bad.py"), "--format", "sarif"]) == 1
    log = json.loads(capsys.readouterr().out)
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"]
    assert [rule["id"] for rule in driver["rules"]] == list(RULES)
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"]
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
    (result,) = run["results"]
    assert result["message"]["text"].startswith("output label 'z'")
    assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "EU002"
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "a%20file.py"},
                "region": {"startLine": 4, "startColumn": 6, "endColumn": 7},
            }
        }
    ]
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    (notification,) = invocation["toolExecutionNotifications"]
    uri = notification["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == (tmp_path / "bad.py").as_uri()
    assert notification["level"] == "error"


def test_rules_are_selected_and_ignored_by_code_or_its_beginning(tmp_path, capsys):
    source = "import numpy as np\nnp.einsum('ij,jk,kl', a, b, c)\nnp.einsum('i->ii', a)"
    file = str(write(tmp_path / "a.py", source))

    def reported(*options: str) -> list[str]:
        main(["lint", file, "--format", "json", *options])
        return [finding["code"] for finding in json.loads(capsys.readouterr().out)["findings"]]

    assert reported() == ["EU301", "EU103", "EU003"]
    assert reported("--select", "EU1,EU301") == ["EU301", "EU103"]
    assert reported("--ignore", "eu1, EU3") == ["EU003"]
    assert reported("--select", "EU1", "--ignore", "EU103") == []
    assert main(["lint", file, "--select", "EU2"]) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.py"], "argument PATH: no such path: 'nowhere.py'"),
        (["n" * 300], "argument PATH: no such path: 'nnn"),
        ([".", "--select", "EU9"], "argument --select: no such rule: 'EU9'"),
        ([".", "--ignore", ""], "argument --ignore: no such rule: ''"),
        ([".", "--format", "xml"], "argument --format: invalid choice: 'xml'"),
        ([], "the following arguments are required: PATH"),
    ],
)
def test_misuse_is_status_2_and_names_the_argument(arguments, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        main(["lint", *arguments])
    assert caught.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert said in line


BAD_FILES = {
    "binary": (b"\x7fELF\x02\x01\x00\x00" * 9, "is not valid Python: "),
    "null": (b"x = 1\0\n", "is not valid Python: "),
    "syntax": (b"x = 1\ndef f(:\n", "is not valid Python: line 2: "),
    "utf8": (b"x = '\xff'\n", "is not valid Python: invalid or missing encoding declaration"),
    "utf8 below": (b"\n\n\nx = '\xff'\n", "cannot be decoded: 'utf-8' codec can't decode byte 0xff"),
    "coding": (b"# coding: nonsense\n", "is not valid Python: "),
    "hex": (b"# coding: hex\nx = 1\n", "is not valid Python: "),
    "brackets": (b"x = " + b"(" * 9999 + b")" * 9999, "is not valid Python: "),
    "minus": (b"x = " + b"-" * 100_000 + b"1", "is nested too deeply to be parsed"),
    "branches": (b"if a: pass\n" + b"elif a: pass\n" * 50_000, "is nested too deeply to be parsed"),
    "digits": (b"x = " + b"1" * 10_000, "is not valid Python: "),
    "huge": (b"x = 1\n" * 2_000_000, "has more than 10,000,000 bytes"),
}


def test_a_bad_file_is_one_line_on_stderr_while_the_others_go_on(tmp_path):
    for name, (data, _) in BAD_FILES.items():
        write(tmp_path / f"{name}.py", data)
    write(tmp_path / "zero.py", FAULT)  # the last one
    # In a process of its own: a parser that overflows its stack takes the process along.
    done = subprocess.run(
        [sys.executable, "-m", "einsum_unified", "lint", "."], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1
    lines = dict(line.split(": ", 1) for line in done.stderr.splitlines())
    assert set(lines) == {f"'{name}.py'" for name in BAD_FILES}
    for name, (_, said) in BAD_FILES.items():
        assert said in lines[f"'{name}.py'"]
    assert done.stdout.startswith("zero.py:4:6: EU002")
    assert done.stdout.endswith("\n1 finding in 1 of 13 files; 12 could not be read\n")


def test_a_file_that_cannot_be_opened_is_a_line_on_stderr(tmp_path, capsys):
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "link.py").symlink_to("nowhere")
    (tmp_path / "folder.py").mkdir()
    assert main(["lint", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert out == "no findings in 0 of 2 files; 2 could not be read\n"
    assert sorted(line.rpartition(": ")[2] for line in err.splitlines()) == [
        "No such file or directory",
        "is not a regular file",
    ]


def test_names_of_files_may_be_anything(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "\x1b[31m\n.py", FAULT)
    write(Path(os.fsdecode(b"\xff.py")), FAULT)
    for style in ("text", "json", "github", "sarif"):
        command = [sys.executable, "-m", "einsum_unified", "lint", ".", "--format", style]
        done = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"})
        assert (done.returncode, done.stderr) == (1, b"")
        if style == "text":
            assert b"\x1b" not in done.stdout
            assert done.stdout.count(b"EU002") == 2
            assert done.stdout.splitlines()[0].startswith(b"\\x1b[31m\\n.py:4:6: EU002")
        elif style == "github":
            assert len(done.stdout.splitlines()) == 2


HOSTILE = (
    "::error::x",
    "a\n::error::b",
    "##[error]c",
    "##vso[task.complete]d",
    "\x1b[31m",
    "\u202ee",
    "\x85f",
)


def _linted(folder: Path, style: str, encoding: str = "utf-8") -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "einsum_unified", "lint", ".", "--format", style]
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    return subprocess.run(command, cwd=folder, capture_output=True, env=environment)


def _is_a_command(line: str) -> bool:
    """Whether a service that runs tests would obey a line; GitHub's trims it first."""
    return line.strip().startswith("::") or re.search(r"##(\[|vso\[)", line) is not None


@pytest.mark.parametrize("style", ["text", "json", "sarif"])
def test_nothing_of_a_file_or_its_name_is_a_command_or_a_control_character(style, tmp_path):
    """google/osv-scanner#2925: names of files reached the log of a service that obeys its lines."""
    for name in HOSTILE:
        write(
            tmp_path / f"{name}.py", FAULT + 'np.einsum("""\n::error::->""", x)\nnp.einsum("##[error]", x)\n'
        )
        write(tmp_path / f"{name}-bad.py", "x = \u202e")
    done = _linted(tmp_path, style)
    lines = (done.stdout + done.stderr).decode("utf-8").split("\n")
    assert [line for line in lines if _is_a_command(line) or not line.isprintable()] == []
    assert done.stderr.count(b"is not valid Python") == len(HOSTILE)
    if style == "text":
        assert done.stdout.count(b"EU002") == len(HOSTILE)
        return
    text = done.stdout.decode("ascii")
    paths = re.findall(r'"path": "(.*)"' if style == "json" else r'"uri": "(.*)"', text)
    names = {unquote(path) if style == "sarif" else json.loads(f'"{path}"') for path in paths}
    assert names == {f"{name}{end}.py" for name in HOSTILE for end in ("", "-bad")}


def test_carets_are_right_below_what_would_be_a_command(tmp_path):
    write(tmp_path / "a.py", 'import numpy as np\nnp.einsum("""\n::error::->""", x)\n')
    assert _linted(tmp_path, "text").stdout.decode().splitlines()[1:3] == ['   |::error::->""", x)', "    ^"]


def test_github_gets_one_command_a_finding_whatever_the_file_is_called(tmp_path):
    for name in HOSTILE:
        write(tmp_path / f"{name}.py", FAULT)
        write(tmp_path / f"{name}-bad.py", "x = \u202e")
    lines = _linted(tmp_path, "github").stdout.decode("utf-8").split("\n")
    assert lines.pop() == ""
    assert len(lines) == 2 * len(HOSTILE)
    for line in lines:
        assert line.isprintable()
        assert re.fullmatch(r"::error file=[^:,]*\.py(,line=4,col=6,title=EU002)?::[^\n]*", line)
    assert any(line.startswith("::error file=a%0A%3A%3Aerror%3A%3Ab.py,") for line in lines)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp949", "utf-8"])
@pytest.mark.parametrize("style", ["text", "json", "github", "sarif"])
def test_names_that_are_not_utf_8_can_be_printed_everywhere(style, encoding, tmp_path):
    """freedomofpress/dangerzone#768: UnicodeEncodeError when such a name was printed."""
    write(tmp_path / os.fsdecode(b"\xff.py"), FAULT)
    write(tmp_path / os.fsdecode(b"\xff\xfe.py"), "(")
    write(tmp_path / "ü×.py", FAULT)
    done = _linted(tmp_path, style, encoding)
    assert b"Traceback" not in done.stderr
    text = done.stdout.decode(encoding)
    if style in ("json", "sarif"):  # parsers of other languages refuse lone surrogates
        json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8")
        assert {"json": r"\\udcff.py", "sarif": "%FF.py"}[style] in text
    else:
        assert r"\udcff.py" in text


def test_a_directory_that_may_not_be_looked_into_stops_nothing(tmp_path, monkeypatch, capsys):
    write((tmp_path / "a").mkdir() or tmp_path / "a" / "x.py", FAULT)
    stat = os.stat

    def refuse(path, **options):
        if str(path).endswith("pyvenv.cfg"):
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, **options)

    monkeypatch.setattr(os, "stat", refuse)
    assert main(["lint", str(tmp_path)]) == 1
    assert "EU002" in capsys.readouterr().out


def test_directories_are_searched_but_for_hidden_ones_and_environments(tmp_path, capsys):
    for name in ("a", ".git", "venv", "__pycache__", "node_modules"):
        write((tmp_path / name).mkdir() or tmp_path / name / "x.py", FAULT)
    write(tmp_path / "venv" / "pyvenv.cfg", "")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    assert main(["lint", str(tmp_path), str(tmp_path / "a" / "x.py")]) == 1
    assert capsys.readouterr().out.endswith("1 finding in 1 of 1 file\n")
    assert main(["lint", str(tmp_path / "venv")]) == 1
    capsys.readouterr()


# --- hostile sources ------------------------------------------------------------------------------


def test_nothing_of_a_source_is_imported_or_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "numpy.py", "raise SystemExit('imported')")
    source = (
        "import this_is_nowhere, numpy as np\nopen('made', 'w')\nnp.einsum(f'{open(\"made\", \"w\")}', a)\n"
    )
    write(tmp_path / "a.py", source + "np.einsum('{open(0)}->', a)\n")
    assert main(["lint", "a.py"]) == 1
    assert "EU001 '{' is not a label" in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.py", "numpy.py"]


@pytest.mark.slow
def test_a_megabyte_of_equation_is_read_in_seconds(capsys, tmp_path):
    start = time.monotonic()
    terms = "ij," * 350_000
    sources = {
        "terms": f"np.einsum({terms + 'jk->ik'!r}, *a)",
        "fault": f"np.einsum({terms + 'jk->iz'!r}, *a)",
        "letters": f"oe.contract({''.join(map(chr, range(0x4E00, 0x9000))) * 50 + '->'!r}, *a)",
        "dots": f"np.einsum({'.' * 1_000_000!r}, *a)",
        "blanks": f"np.einsum({' ' * 1_000_000 + chr(9)!r}, *a)",
        "lonely": f"oe.contract({','.join(map(chr, range(0x4E00, 0x9000))) + '->'!r}, *a)",
        "names": f"einops.einsum(*a, {' '.join(f'name{n}x' for n in range(90_000)) + ' ->'!r})",
        "brackets": f"rearrange(x, {'(a b) ' * 150_000 + '->'!r})",
        "doubled": "a = 'i' * 2\nb0 = 'ijklmnop'\n" + "".join(f"b{n + 1} = b{n} + b{n}\n" for n in range(40)),
        "sublists": f"np.einsum(a, [{'0, ' * 100_000}], [0])",
    }
    sources["doubled"] += "np.einsum(b40, a)"
    write(tmp_path / "short.py", IMPORTS + "np.einsum('ij->i', a)")
    for name, source in sources.items():
        check(IMPORTS + source)
        assert time.monotonic() - start < 60, name
    file = write(tmp_path / "long.py", IMPORTS + sources["fault"])
    assert main(["lint", str(file)]) == 1
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) < 200 + len(str(file))
    assert f"long.py:4:{11 + 1 + 3 * 350_000 + 5}: EU002" in out


def test_names_bound_in_circles_end():
    names = "".join(f"n{n} = n{(n + 1) % 30}\n" for n in range(30)) * 3
    assert codes(names + "n0.einsum('i->ii', a)\nnp.einsum(n0, a)\nn0('i->ii')") == []
    assert codes("x = x + x\nnp.einsum(x, a)\neq = f'{eq}'\nnp.einsum(eq, a)") == []


@pytest.mark.parametrize("deep", ["x" + ".x" * 100_000, "x = 'a'" + " + 'a'" * 100_000, "x" + "()" * 100_000])
def test_what_python_before_3_11_parses_is_walked_or_refused(deep, tmp_path):
    source = f"import numpy as np\nnp.einsum('i->ii', a)\n{deep}\n"
    file = write(tmp_path / "a.py", source)
    command = [sys.executable, "-m", "einsum_unified", "lint", str(file)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert ("EU003" in done.stdout) is (sys.version_info < (3, 11))
    assert ("is nested too deeply to be parsed" in done.stderr) is (sys.version_info >= (3, 11))


def test_deep_nesting_that_python_parses_is_walked():
    deep = "x = np.einsum('i->ii', a)" + " + 1" * 900
    blocks = "".join(f"{' ' * n}if a:\n" for n in range(90)) + " " * 90 + "np.einsum('i->ii', a)"
    assert codes(deep) == codes(blocks) == ["EU003"]
    assert codes("np.einsum(" + "'i' + " * 900 + "'->ii', a)") == ["EU003"]


def test_source_that_is_not_python_is_an_error_of_its_own():
    for source in ("def", b"\xff", "\ud800", "x\0"):
        with pytest.raises(UnreadableError):
            check(source)


def test_every_place_of_a_long_malformed_equation_is_found():
    equation = f".{'i' * 200}.{'i' * 200}."  # more than a message shows
    (finding,) = check(f"import numpy as np\nnp.einsum('{equation}', x)")
    assert finding.code == "EU001"
    assert finding.marks == (0, 201, 402)
    assert [place.column for place in finding.places] == [12, 213, 414]


def test_a_pattern_error_has_its_place():
    with pytest.raises(PatternError, match="'\\(' is not closed") as caught:
        parse_pattern("a (b -> a b")
    assert caught.value.marks == [2]


def test_places_of_a_literal_are_those_of_its_characters():
    text = (
        r"'''a\q\
b''' R'\n' 'é\'\"' # x"
        + "\n"
    )
    source = Source(f"(\n{text})")
    node = source.tree.body[0].value
    assert node.value == "a\\qb\\né'\""
    assert [source.lines[p.line - 1][p.column - 1] for p in source.places(node, range(9))] == list(
        "a\\qb\\né\\\\"
    )


# --- over other code ------------------------------------------------------------------------------


def test_this_project_has_no_errors(capsys):
    # Tests call what is wrong on purpose, mostly where an error is expected; all else is clean.
    folders = [
        str(ROOT / name) for name in ("einsum_unified", "backends", "examples", "benchmarks", "scripts")
    ]
    status = main(["lint", *folders, "--ignore", "EU103,EU104,EU105,EU3"])
    assert (status, capsys.readouterr().out[:11]) == (0, "no findings")
    main(["lint", str(ROOT), "--format", "json"])
    document = json.loads(capsys.readouterr().out)
    assert document["files"] > 90
    assert document["unreadable"] == []


@pytest.mark.parametrize("name", ["opt_einsum", "einops"])
def test_the_sources_and_tests_of_other_libraries_have_no_errors(name: str, capsys):
    folder = Path(importlib.util.find_spec(name).origin).parent
    main(["lint", str(folder), "--format", "json"])
    document = json.loads(capsys.readouterr().out)
    assert document["files"] > 15
    assert document["unreadable"] == []
    assert [finding for finding in document["findings"] if finding["level"] == "error"] == []


@pytest.mark.slow
def test_the_sources_and_tests_of_numpy_have_no_errors(capsys):
    main(["lint", str(Path(np.__file__).parent), "--format", "json"])
    document = json.loads(capsys.readouterr().out)
    assert document["files"] > 300
    assert document["unreadable"] == []
    assert any("test_einsum.py" in finding["path"] for finding in document["findings"])
    assert [finding for finding in document["findings"] if finding["level"] == "error"] == []


# --- what is written about it ---------------------------------------------------------------------


def test_each_example_of_the_help_runs(tmp_path, monkeypatch, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["lint", "--help"])
    assert caught.value.code == 0
    commands = re.findall(r"^  einsum-unified (lint .*)$", capsys.readouterr().out, re.MULTILINE)
    assert len(commands) == 3
    monkeypatch.chdir(tmp_path)
    for name in ("src", "tests"):
        write((tmp_path / name).mkdir() or tmp_path / name / "a.py", FAULT)
    for command in commands:
        assert main(command.split()) == 1
        out, err = capsys.readouterr()
        assert "EU002" in out
        assert err == ""


def test_the_example_of_the_documentation_is_what_is_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shown = re.search(r"```\n(model\.py.*?)```", (ROOT / "docs" / "lint-rules.md").read_text(), re.DOTALL)[1]
    lines = [
        "import numpy as np",
        *[""] * 11,
        "def f(q, k, bias):",
        shown.splitlines()[1].removeprefix("    "),
    ]
    write(tmp_path / "model.py", "\n".join(lines))
    assert main(["lint", "."]) == 1
    printed = capsys.readouterr().out
    assert printed.replace("1 of 1 file", "1 of 23 files") == shown


def test_the_pre_commit_hook_runs(tmp_path):
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert hook["id"] in (ROOT / "docs" / "lint-rules.md").read_text()
    assert hook["language"] == "python"
    program, *arguments = hook["entry"].split()
    assert program == "python"
    file = write(tmp_path / "a.py", FAULT)
    done = subprocess.run([sys.executable, *arguments, str(file)], capture_output=True, text=True)
    assert done.returncode == 1
    assert "EU002" in done.stdout


def test_the_linter_is_exported():
    assert sorted(einsum_unified.lint.__all__) == ["Finding", "RULES", "Rule", "UnreadableError", "check"]
