"""Pictures of plans: what is joined to what, exact figures, text of strangers, colours that can be read."""

from __future__ import annotations

import itertools
import math
import random
import re
import runpy
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from colours import contrast

from einsum_unified import clear_cache, einsum_plan
from einsum_unified.show.picture.palette import DARK, LIGHT
from einsum_unified.show.picture.rails import Rail, columns
from einsum_unified.show.picture.tree import Tree
from einsum_unified.show.table import Explanation, kind, total
from einsum_unified.testing.gallery import GALLERY

ROOT = Path(__file__).parents[1]
SVG = "{http://www.w3.org/2000/svg}"


def drawn(plan) -> ElementTree.Element:
    return ElementTree.fromstring(plan.to_svg())


def parts(root, kind: str) -> list[ElementTree.Element]:
    return [part for part in root.iter(f"{SVG}g") if part.get("class") == f"eu-{kind}"]


def texts(root) -> list[str]:
    return [text.text for text in root.iter(f"{SVG}text")]


def axes(part) -> list[list[str]]:
    """Label and size of each row of a box."""
    return [texts(axis) for axis in parts(part, "axis")]


def boxes(plan) -> tuple[list, list]:
    """The rows of the operands, and of the result."""
    root = drawn(plan)
    (result,) = parts(root, "result")
    return [axes(part) for part in parts(root, "operand")], axes(result)


def heights(root, label: int) -> list[float]:
    """At what heights the axes of a label are."""
    rows = [axis for axis in parts(root, "axis") if axis.get("data-label") == str(label)]
    return sorted(float(row.find(f"{SVG}text").get("y")) - 4.5 for row in rows)


def dots(rail) -> list[float]:
    """At what heights something joins a rail; the disc that a Σ stands on is larger."""
    return sorted(float(c.get("cy")) for c in rail.iter(f"{SVG}circle") if c.get("r") == "3.5")


def rows(plan) -> list[str]:
    """What each row of the tree says in a sentence."""
    return [part.find(f"{SVG}title").text for part in parts(drawn(plan), "row")]


def chain(n: int, size=lambda i: 2 + i % 3) -> list:
    pairs = [((size(i), size(i + 1)), [i, i + 1]) for i in range(n)]
    return [*itertools.chain.from_iterable(pairs), [0, n]]


def star(n: int) -> list:
    pairs = [((4, 5), ["hub", i]) for i in range(n)]
    return [*itertools.chain.from_iterable(pairs), list(range(min(n, 6)))]


def network(n: int, seed: int) -> list:
    """Operands that are connected as a tree and by some more labels."""
    choose = random.Random(seed)
    terms: list[list[int]] = [[] for _ in range(n)]
    labels = itertools.count()
    for i in range(1, n):
        for j in {choose.randrange(i) for _ in range(1 + choose.randrange(2))}:
            label = next(labels)
            terms[i].append(label)
            terms[j].append(label)
    pairs = [((2,) * len(term), term) for term in terms]
    return [*itertools.chain.from_iterable(pairs), terms[-1][:1]]


# --- the equation ---------------------------------------------------------------------------------


def test_boxes_have_the_axes_of_operands_and_result_in_order():
    operands, result = boxes(einsum_plan("bij,kb->kib", (2, 3, 1024), (5, 2)))
    assert operands == [[["b", "2"], ["i", "3"], ["j", "1,024"]], [["k", "5"], ["b", "2"]]]
    assert result == [["k", "5"], ["i", "3"], ["b", "2"]]


def test_operands_are_numbered_and_one_without_axes_is_a_number():
    root = drawn(einsum_plan("i,->", (3,), ()))
    first, second = parts(root, "operand")
    assert texts(first) == ["0", "i", "3"]
    assert texts(second) == ["1", "a number"]
    assert texts(parts(root, "result")[0]) == ["result", "a number"]


def test_sizes_that_are_not_known_are_question_marks():
    operands, result = boxes(einsum_plan("bi,i->b", (None, 3), (3,)))
    assert operands == [[["b", "?"], ["i", "3"]], [["i", "3"]]]
    assert result == [["b", "?"]]


def test_axes_of_an_ellipsis_have_their_place_and_those_that_broadcast_tell():
    operands, result = boxes(einsum_plan("...i,...i->...", (5, 1, 2), (7, 2)))
    assert operands == [[["...0", "5"], ["...1", "1→7"], ["i", "2"]], [["...1", "7"], ["i", "2"]]]
    assert result == [["...0", "5"], ["...1", "7"]]


def test_an_axis_that_broadcasts_has_a_hollow_dot():
    root = drawn(einsum_plan("ij,ij->ij", (2, 1), (2, 3)))
    hollow = {
        rail.get("data-label"): sum("eu-hollow" in c.get("class") for c in rail.iter(f"{SVG}circle"))
        for rail in parts(root, "rail")
    }
    assert hollow == {"0": 0, "1": 1}


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk->ik", [(2, 3), (3, 4)]),
        ("bhid,bhjd->bhij", [(2, 3, 4, 5)] * 2),
        ("ii", [(3, 3)]),
        ("iji,jkk->k", [(3, 2, 3), (2, 4, 4)]),
        ("ijk->kji", [(2, 3, 4)]),
        ("i,j->ij", [(2,), (3,)]),
        ("ij->", [(2, 3)]),
        ("ab,bc,cd,de,ef->fa", [(2, 2)] * 5),
    ],
)
def test_a_rail_joins_all_axes_of_its_label_and_no_other(equation: str, shapes):
    plan = einsum_plan(equation, *shapes)
    root = drawn(plan)
    rails = {int(rail.get("data-label")): rail for rail in parts(root, "rail")}
    assert set(rails) == set(itertools.chain.from_iterable(plan.bound.terms))
    for label, rail in rails.items():
        assert dots(rail) == heights(root, label)
        uses = sum(term.count(label) for term in plan.bound.terms)
        assert len(dots(rail)) == uses + (label in plan.bound.output)


def test_what_is_summed_has_a_sigma_a_colour_and_a_word_and_what_is_kept_has_none():
    root = drawn(einsum_plan("bij,bjk->bik", (2, 3, 4), (2, 4, 5)))
    for rail in parts(root, "rail"):
        summed = rail.get("data-label") == "2"
        assert (rail.get("data-summed") == "yes") is summed
        assert texts(rail) == (["Σ"] if summed else [])
        assert ("eu-hue0" in ElementTree.tostring(rail, "unicode")) is summed
        assert rail.find(f"{SVG}title").text.endswith("multiplied and summed" if summed else "kept")
    assert "Σ: summed over j" in texts(root)


def test_no_line_from_the_left_lies_on_one_from_the_right():
    for seed in range(20):
        root = drawn(einsum_plan(*network(12, seed)))
        left = {y for part in parts(root, "operand") for y in _rows(part)}
        right = {y for part in parts(root, "result") for y in _rows(part)}
        assert not left & right


def _rows(part) -> set[float]:
    return {float(axis.find(f"{SVG}text").get("y")) for axis in parts(part, "axis")}


def test_rails_in_one_column_are_apart():
    choose = random.Random(0)
    for _ in range(50):
        rails = [
            Rail(n, tuple(choose.sample(range(0, 2000, 22), choose.randrange(1, 4))), (), True)
            for n in range(30)
        ]
        found = columns(rails, apart=11)
        assert sorted(rail.label for column in found for rail in column) == list(range(30))
        for column in found:
            for above, below in itertools.pairwise(sorted(column, key=lambda rail: rail.top)):
                assert below.top - above.bottom >= 11


def test_a_chain_of_thirty_has_no_more_columns_than_one_of_five():
    for n in (5, 30):
        rails = parts(drawn(einsum_plan(*chain(n))), "rail")
        assert len(rails) == n + 1
        assert len({c.get("cx") for rail in rails for c in rail.iter(f"{SVG}circle")}) == 3


# --- the steps ------------------------------------------------------------------------------------


def test_the_figures_of_steps_are_those_counted_by_hand():
    plan = einsum_plan("bij,bjk,kl->bil", (32, 10, 20), (32, 20, 30), (30, 4))
    # 2·(32·20)·30·4 FLOPs; 32·20·30 + 30·4 elements of 8 bytes in, 32·20·4 out.
    first = "step 0  bjk,kl->bjl: matmul 640×30×4, 153,600 FLOPs, 154,560 bytes read, 20,480 bytes written"
    second = "step 1  bij,bjl->bil: matmul 10×20×4, 32 of them, 51,200 FLOPs, "
    assert rows(plan)[2] == f"{first}, most: 75% of FLOPs"
    assert rows(plan)[4] == f"{second}71,680 bytes read, 10,240 bytes written, 25% of FLOPs"
    assert rows(plan)[:2] == ["operand 1  bjk: 32×20×30", "operand 2  kl: 30×4"]
    shown = texts(parts(drawn(plan), "row")[2])
    assert shown == [
        "step 0  bjk,kl->bjl",
        "32×20×4",
        "153,600 FLOPs, matmul 640×30×4",
        "154,560 B read, 20,480 B written",
        "most: 75% of FLOPs",
    ]


@pytest.mark.parametrize("picture", GALLERY, ids=lambda picture: picture.equation)
def test_the_figures_of_the_gallery_are_those_of_the_listing(picture):
    plan = einsum_plan(picture.equation, *picture.shapes, dtype=None)
    explanation = Explanation(plan.bound, plan.program, plan.backend.capabilities, plan.steps)
    steps = [part for part in parts(drawn(plan), "row") if part.get("data-step")]
    for part, works in zip(steps, explanation.products, strict=True):
        flops, read, written = (str(total(works, name)) for name in ("flops", "read", "written"))
        sentence = part.find(f"{SVG}title").text
        assert f"{kind(works)}, {flops} FLOPs, {read} bytes read, {written} bytes written" in sentence


def test_the_step_of_most_flops_is_marked_by_a_word_a_colour_and_its_size():
    # 2·9·9·2, 2·9·2·5 and 2·9·5·3 from left to right
    path = [(0, 1), (0, 2), (0, 1)]
    plan = einsum_plan("ab,bc,cd,de->ae", (9, 9), (9, 2), (2, 5), (5, 3), optimize=path)
    loud = [part for part in parts(drawn(plan), "row") if "eu-loud" in ElementTree.tostring(part, "unicode")]
    assert [part.get("data-step") for part in loud] == ["0"]
    assert [text for text in texts(drawn(plan)) if "most: " in text] == ["most: 42% of FLOPs"]  # 324 / 774


def test_one_step_and_steps_without_flops_are_no_bottleneck():
    for call in (["ij,jk->ik", (2, 3), (3, 4)], ["ij->ji", (2, 3)], ["ij->i", (2, 3)]):
        svg = einsum_plan(*call).to_svg()
        assert "most: " not in svg
        assert 'eu-loud"' not in svg


def test_symbolic_sizes_stay_symbols_and_the_bottleneck_is_found_by_the_hints():
    for hint, most in ((1, 0), (10**6, 1)):
        plan = einsum_plan(
            "si,ij,jk->sk", (None, 64), (64, 64), (64, 8), hints={"s": hint}, optimize=[(1, 2), (0, 1)]
        )
        sentences = [row for row in rows(plan) if row.startswith("step")]
        assert "65,536 FLOPs" in sentences[0]  # 2·64·64·8
        assert "1,024·s FLOPs, 512·s + 4,096 bytes read, 64·s bytes written" in sentences[1]
        assert ["most: " in row for row in sentences] == [most == 0, most == 1]
        assert "s×8" in texts(drawn(plan))
        assert f"unknown sizes: planned with s = {hint}" in texts(drawn(plan))


def test_the_tree_draws_no_lane_over_a_row():
    choose = random.Random(1)
    for _ in range(100):
        n = choose.randrange(1, 31)
        path = [tuple(choose.sample(range(left), 2)) for left in range(n, 1, -1)] or [(0,)]
        plan = einsum_plan(*chain(n), optimize=path)
        tree = Tree(Explanation(plan.bound, plan.program, plan.backend.capabilities, plan.steps))
        assert [row.node for row in tree.rows].count(tree.root) == 1
        assert len(tree.rows) == n + len(plan.steps)
        assert max(row.lane for row in tree.rows) <= math.log2(n)
        for at, row in enumerate(tree.rows):
            for source in row.sources:
                lane = tree.rows[source].lane
                assert source < at
                assert all(other.lane != lane for other in tree.rows[source + 1 : at])


def test_a_chain_from_left_to_right_takes_two_lanes():
    plan = einsum_plan(*chain(30), optimize=False)
    tree = Tree(Explanation(plan.bound, plan.program, plan.backend.capabilities, plan.steps))
    assert {row.lane for row in tree.rows} == {0, 1}


# --- many and unknown -----------------------------------------------------------------------------


@pytest.mark.parametrize("n", range(1, 31))
def test_up_to_thirty_operands_are_all_shown(n: int):
    for call in (chain(n), star(n), network(n, n)):
        plan = einsum_plan(*call)
        root = drawn(plan)
        assert [part.get("data-operand") for part in parts(root, "operand")] == [str(i) for i in range(n)]
        steps = [part.get("data-step") for part in parts(root, "row") if part.get("data-step")]
        assert sorted(map(int, steps)) == list(range(len(plan.steps)))
        assert "more" not in "".join(texts(root))


@pytest.mark.parametrize("call", [chain(31), chain(500), star(300), network(500, 0)], ids=len)
def test_more_operands_are_collapsed_with_a_note_and_all_figures_are_in_the_rows(call):
    plan = einsum_plan(*call)
    n = len(plan.bound.operands)
    began = time.process_time()
    svg = plan.to_svg()
    assert time.process_time() - began < 2  # a tenth of it on an idle machine
    assert len(svg) < 150_000
    root = ElementTree.fromstring(svg)
    assert len(parts(root, "operand")) == 8
    assert f"and {n - 8} more operands" in texts(root)
    flops = [int(x.replace(",", "")) for row in rows(plan) for x in re.findall(r"([\d,]+) FLOPs, ", row)]
    explanation = Explanation(plan.bound, plan.program, plan.backend.capabilities, plan.steps)
    steps = list(itertools.chain.from_iterable(explanation.products))
    assert sum(flops) == int(total(steps, "flops"))
    counted = [re.match(r"(\d+) operands|(operand)", row) for row in rows(plan)]
    hidden = [part for part in parts(root, "row") if part.get("data-steps")]
    alone = [part for part in hidden if texts(part)[0].startswith("step")]  # of two operands
    assert sum(int(found[1] or 1) for found in counted if found) + 2 * len(alone) == n
    assert sum("most: " in row for row in rows(plan)) == 1


def test_of_many_axes_the_first_are_shown():
    root = drawn(einsum_plan((2,) * 300, list(range(300)), (2,) * 300, list(range(300)), [299, *range(200)]))
    assert [len(parts(part, "axis")) for part in parts(root, "operand")] == [15, 15]
    assert texts(root).count("285 more axes") == 2
    assert "186 more axes" in texts(root)


def test_numbers_that_nobody_reads_are_rounded_also_beyond_what_python_writes():
    plan = einsum_plan(*chain(300, lambda i: 10**18), optimize=False)
    assert any("e+54" in text for text in texts(drawn(plan)))  # 2·10^54 of one step
    assert "one nested loop: 3.000e+5420 FLOPs" in plan.explain()  # 300·(10^18)^301


def test_without_known_numbers_of_axes_there_is_the_equation_and_a_note(tf):
    plans = []

    @tf.function(input_signature=[tf.TensorSpec(None), tf.TensorSpec((4, 2, 3))])
    def call(a, b):
        plans.append(einsum_plan("...j,...jk->...k", a, b))
        return plans[0](a, b)

    call.get_concrete_function()
    root = drawn(plans[0])
    assert [axes(part) for part in parts(root, "operand")] == [
        [["...", "any"], ["j", "?"]],
        [["...", "1 axis"], ["j", "2"], ["k", "3"]],
    ]
    assert axes(parts(root, "result")[0]) == [["...", "any"], ["k", "3"]]
    summed = {rail.get("data-label"): rail.get("data-summed") for rail in parts(root, "rail")}
    assert summed == {"0": "no", "1": "yes", "2": "no"}
    assert "steps and sizes are known only at run time" in texts(root)
    assert "<svg" in plans[0]._repr_html_()


# --- text of strangers ----------------------------------------------------------------------------


class Shown:
    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


HOSTILE = [
    '<script>alert("x")</script>',
    "\"'><svg onload=alert(1)>",
    "]]>",
    "--><!--",
    "&amp;&#0;",
    "</title></style><script>",
    "\x00\x01\x0b\x1b\x7f\x85\ufffe\uffff",
    "\ud800",
    "\u202eright to left\u2066\u200b",
    "\n\r\t\u2028",
    "e" + "\u0301" * 100,
    "long " * 1000,
    "{}%s\\",
    "עברית العربية 日本語 🎉",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("label", [str, Shown], ids=["text", "repr"])
def test_labels_stay_text(text: str, label):
    name = label(text)
    plan = einsum_plan((2, 3), ["a", name], (3, 4), [name, "b"], ["a", "b"])
    root = drawn(plan)  # it is well-formed
    calm = drawn(einsum_plan((2, 3), ["a", "c"], (3, 4), ["c", "b"], ["a", "b"]))
    ignored = f"{SVG}title"  # the whole of what is clipped
    tags = [[e.tag for e in tree.iter() if e.tag != ignored] for tree in (root, calm)]
    assert tags[0] == tags[1]
    assert {key for e in root.iter() for key in e.attrib} <= ATTRIBUTES
    everything = "".join(root.itertext())
    assert all(c.isprintable() or c == "\n" for c in everything)
    assert len(plan.to_svg()) < 100_000
    if text.isprintable() and "\u0301" not in text:
        assert repr(name)[:10] in everything


ATTRIBUTES = {
    *(
        "class",
        "d",
        "x",
        "y",
        "width",
        "height",
        "rx",
        "cx",
        "cy",
        "r",
        "transform",
        "viewBox",
        "style",
        "id",
    ),
    *("role", "aria-labelledby", "text-anchor", "textLength", "lengthAdjust", "stroke-dasharray"),
    *("data-label", "data-summed", "data-operand", "data-step", "data-steps"),
}


@pytest.mark.parametrize(
    "call", [chain(1), chain(9), chain(60), star(9), ["ij,ij->ij", (2, 1), (2, 3)]], ids=len
)
def test_a_picture_runs_nothing_and_fetches_nothing(call):
    svg = einsum_plan(*call).to_svg()
    root = ElementTree.fromstring(svg)
    names = {e.tag.removeprefix(SVG) for e in root.iter()}
    assert names <= {"svg", "title", "desc", "style", "rect", "g", "path", "circle", "text"}
    assert {key for e in root.iter() for key in e.attrib} <= ATTRIBUTES
    assert svg.count("http") == 1  # the name space
    assert not re.search(r"url\(|@import|href|javascript", svg)


def test_clipped_text_is_whole_in_its_title():
    equation = ",".join(f"{chr(97 + i)}{chr(98 + i)}" for i in range(25)) + "->az"
    head = parts(drawn(einsum_plan(equation, *[(2, 2)] * 25)), "heading")[0].find(f"{SVG}text")
    assert head.text.endswith("…")
    assert equation.startswith(head.text[:-1])
    assert head.find(f"{SVG}title").text == equation


# --- as a document --------------------------------------------------------------------------------


def test_the_picture_is_read_out_in_words():
    root = drawn(einsum_plan("ij,jk->ik", (2, 3), (3, 4)))
    named = [root.find(f".//*[@id='{name}']") for name in root.get("aria-labelledby").split()]
    assert root.get("role") == "img"
    assert [element.tag for element in named] == [f"{SVG}title", f"{SVG}desc"]
    assert named[0].text == "einsum ij,jk->ik"
    assert named[1].text == (
        "Operand 0 has axes i of size 2 and j of size 3. Operand 1 has axes j of size 3 and k of size 4. "
        "Summed over j. The result has axes i of size 2 and k of size 4. 1 step. "
        "Step 0  ij,jk->ik: matmul 2×3×4, 48 FLOPs, 144 bytes read, 64 bytes written. "
        "Total FLOPs: 48; one nested loop: 48. Total bytes: 144 B read, 64 B written. "
        "Peak memory: 64 B."
    )


def test_pictures_in_one_document_do_not_disturb_each_other():
    plans = [einsum_plan(p.equation, *p.shapes) for p in GALLERY]
    ids = [{e.get("id") for e in drawn(plan).iter() if e.get("id")} for plan in plans]
    different = {plan.to_svg(): own for plan, own in zip(plans, ids, strict=True)}
    assert len(set().union(*different.values())) == sum(map(len, different.values()))
    style = drawn(plans[0]).find(f"{SVG}style").text
    scope = drawn(plans[0]).get("class").split()[1]
    selectors = re.findall(r"^([^@{}\n]+)\{", style, re.MULTILINE)
    assert len(selectors) > 50
    assert all(selector == f".{scope}" or f".{scope} " in selector for selector in selectors)


def test_a_path_with_thousands_of_steps_of_one_operand_is_collapsed_too():
    plan = einsum_plan("i,i,i->i", (3,), (3,), (3,), optimize=[*[(0,)] * 3000, (0, 1, 2)])
    assert len(plan.to_svg()) < 150_000
    assert "of 3002 steps have their own row" in plan.to_svg()


def test_the_same_plan_is_the_same_text_in_every_process():
    code = (
        "from einsum_unified import einsum_plan as p;"
        "print(p('ab,bc,...c,dd->a...', (2, 3), (3, 4), (5, 4), (6, 6)).to_svg())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8",
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    clear_cache()
    assert runs[0] == runs[1]
    assert runs[0].startswith("<svg ")


def test_a_picture_is_written_to_a_file(tmp_path):
    plan = einsum_plan("βλ,λμ->βμ", (2, 3), (3, 4))
    for file in (tmp_path / "one.svg", str(tmp_path / "two.svg")):
        svg = plan.to_svg(file)
        assert Path(file).read_bytes().decode("utf-8") == svg
    with pytest.raises(FileNotFoundError):
        plan.to_svg(tmp_path / "none" / "one.svg")


def test_a_notebook_shows_picture_and_listing():
    plan = einsum_plan("ij,jk->ik", (2, 3), (3, 4))
    seen = Reader()
    seen.feed(plan._repr_html_())
    assert plan.to_svg() in plan._repr_html_()
    assert seen.listing == plan.explain()
    assert len(einsum_plan(*chain(500))._repr_html_()) < 150_000


class Reader(HTMLParser):
    """Reads what stands in <pre>."""

    listing, inside = "", False

    def handle_starttag(self, tag, attrs):
        self.inside = tag == "pre"

    def handle_data(self, data):
        self.listing += data if self.inside else ""

    def handle_endtag(self, tag):
        self.inside = False


def test_the_pictures_of_the_documents_are_what_is_drawn_now(tmp_path):
    made = runpy.run_path(str(ROOT / "scripts" / "make_pictures.py"))
    made["main"](tmp_path)
    names = [path.name for path in tmp_path.iterdir()]
    assert names
    for name in names:
        kept = ROOT / "docs" / "images" / name
        assert kept.read_bytes() == (tmp_path / name).read_bytes(), "run python scripts/make_pictures.py"


# --- colours --------------------------------------------------------------------------------------


def test_contrast_is_counted_as_the_guidelines_do():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # a well-known pair


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_text_and_lines_stand_out_from_what_is_behind_them(palette):
    for ground in (palette.ground, palette.box):
        for text in (palette.ink, palette.dim, palette.loud):
            assert contrast(text, ground) >= 4.5
    for hue in (*palette.hues, palette.line):  # lines, behind a Σ, and names of labels on a page
        assert contrast(hue, palette.ground) >= 4.5
    assert contrast(palette.lit_ink, palette.lit) >= 4.5
    for line in (palette.line, palette.edge, palette.loud):
        assert contrast(line, palette.ground) >= 3
    assert contrast(palette.line, palette.track) >= 3
    assert contrast(palette.loud, palette.track) >= 3


# --- in a browser ---------------------------------------------------------------------------------

FLAWS = """svg => {
  const outer = svg.getBoundingClientRect(), found = []
  const texts = [...svg.querySelectorAll("text")].filter(t => t.textContent)
  const boxes = texts.map(t => [t.firstChild.data, t.getBoundingClientRect()])
  boxes.forEach(([text, a], n) => {
    if (a.left < outer.left || a.right > outer.right || a.top < outer.top || a.bottom > outer.bottom)
      found.push("outside: " + text)
    for (const [other, b] of boxes.slice(n + 1))
      if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)
        found.push(text + " over " + other)
  })
  return [texts.length, found]
}"""

CALLS = {
    "gallery": [[picture.equation, *picture.shapes] for picture in GALLERY],
    "chains": [chain(n) for n in (*range(1, 12), 20, 30, 31, 100)],
    "stars": [star(n) for n in (*range(1, 12), 20, 30, 31)],
    "networks": [network(n, n) for n in (6, 12, 20, 30, 60)],
    "others": [
        ["bsi,ij,jk->bsk", (None, None, 64), (64, 64), (64, 8)],
        ["...ij,...jk->...ik", (5, 1, 2, 3), (7, 3, 4)],
        [(10**18,) * 30, list(range(30)), (10**18,) * 30, list(range(29, -1, -1)), [3]],
        *[[(2, 3), ["a", text], (3, 4), [text, "b"], ["b", text, "a"]] for text in HOSTILE],
    ],
}


@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("name", CALLS)
def test_all_text_is_in_the_picture_and_none_over_another(tab, name: str, width: int):
    tab.set_viewport_size({"width": width, "height": 800})
    tab.set_content("".join(einsum_plan(*call)._repr_html_() for call in CALLS[name]))
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    pictures = tab.query_selector_all("svg")
    assert len(pictures) == len(CALLS[name])
    for picture in pictures:
        texts, flaws = picture.evaluate(FLAWS)
        assert texts > 8
        assert flaws == []


@pytest.mark.parametrize(
    ("system", "page", "palette"),
    [
        ("light", "", LIGHT),
        ("dark", "", DARK),
        ("light", 'data-jp-theme-light="false"', DARK),
        ("dark", 'data-jp-theme-light="true"', LIGHT),
        ("light", 'data-theme="dark"', DARK),
        ("light", 'class="vscode-dark"', DARK),
    ],
)
def test_colours_follow_the_page_and_else_the_system(tab, system: str, page: str, palette):
    tab.emulate_media(color_scheme=system)
    svg = einsum_plan("ij,jk->ik", (2, 3), (3, 4)).to_svg()
    tab.set_content(f"<!doctype html><body {page}>{svg}")
    colours = tab.evaluate(
        "['ground', 'ink', 'dot.eu-hue0'].map(x => getComputedStyle(document.querySelector('.eu-' + x)).fill)"
    )
    found = ["#" + "".join(f"{int(n):02x}" for n in re.findall(r"\d+", colour)) for colour in colours]
    assert found == [palette.ground, palette.ink, palette.hues[0]]


def test_a_hostile_label_does_not_run_in_a_browser(tab):
    names = [text for text in HOSTILE if "<" in text or ">" in text]
    for text in (*names, "<img src=x onerror=window.ran=1>"):
        name = Shown(text)
        tab.set_content(einsum_plan((2, 3), ["a", name], (3, 4), [name, "b"])._repr_html_())
        assert tab.query_selector_all("script, img") == []
        assert tab.evaluate("document.querySelectorAll('svg').length") == 1
        assert tab.evaluate("window.ran") is None
