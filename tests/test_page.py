"""The page of a plan: one file that needs nothing else, and a stepper that lights what is multiplied.

What the stepper shows is compared, in a real browser, with loops over all labels and with NumPy.
"""

from __future__ import annotations

import itertools
import re
from math import prod
from pathlib import Path

import numpy as np
import pytest
from colours import contrast
from conftest import slow

from einsum_unified import einsum_plan
from einsum_unified.show.page.lessons import lessons, small_sizes
from einsum_unified.show.page.shown import shown

ROOT = Path(__file__).parents[1]

STRANGE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</script><script>alert(2)//",
    "<!--",
    "'&amp;",
    "\ud800",
    "\u202eright to left",
    "a\x00\x1b\n",
    "x" * 500,
]
"""Labels of somebody who means no good."""


def strange_plan():
    a, b = STRANGE[:5], STRANGE[3:]
    return einsum_plan(
        np.ones((1,) * len(a)), a, np.ones((1,) * len(b)), b, [STRANGE[0], STRANGE[7], "\u2028"][:2]
    )


def chain(operands: int):
    letters = [chr(ord("a") + n) if n < 26 else chr(ord("A") + n - 26) for n in range(operands + 1)]
    return einsum_plan(",".join(map("".join, itertools.pairwise(letters))), *[(20, 20)] * operands)


# --- what is on the board -------------------------------------------------------------------------


def board(plan):
    return lessons(plan.bound, plan.steps)


def test_sizes_up_to_four_are_shown_as_they_are_and_greater_ones_as_three():
    (lesson,) = board(einsum_plan("ij,jk->ik", (2, 1000), (1000, 4)))
    assert lesson.sizes == {0: 2, 1: 3, 2: 4}
    assert [tensor.shape for tensor in lesson.operands] == [(2, 3), (3, 4)]
    assert lesson.note == "Shown with i=2, j=3, k=4; the plan has i=2, j=1,000, k=4."


@pytest.mark.parametrize(
    ("terms", "output"),
    [
        ([tuple(range(10))], ()),
        ([(0, 1, 2), (3, 4, 5), (6, 7, 8)], tuple(range(9))),
        ([(n, n + 1) for n in range(12)], (0, 12)),
        ([(0,) * 9, (0, 1)], (1, 0)),
        ([(n,) for n in range(24)], ()),
    ],
)
def test_every_tensor_and_the_work_fit_on_the_board(terms, output):
    sizes = small_sizes(terms, output, [100] * 30)
    assert prod(sizes.values()) <= 2000
    assert all(prod(sizes[label] for label in term) <= 64 for term in [*terms, output])
    assert max(sizes.values()) > 1 or terms[0] == (0,) * 9


def test_axes_that_broadcast_and_empty_axes_stay_so():
    (lesson,) = board(einsum_plan("ij,ij->i", (5, 1), (1, 0)))
    assert [tensor.shape for tensor in lesson.operands] == [(3, 1), (1, 0)]
    assert lesson.operands[1].values == ()


def test_sizes_that_are_not_known_are_shown_as_any():
    (lesson,) = board(einsum_plan("bi->b", (None, 2)))
    assert lesson.note == "Shown with b=3, i=2; the plan has b=any, i=2."


def test_the_numbers_of_operands_and_of_rows_differ():
    lesson = board(einsum_plan("bij,bjk,kl->bil", (2, 3, 3), (2, 3, 3), (3, 3)))[0]
    blocks = [block for x in lesson.operands for block in np.array(x.values).reshape(-1, 3, 3)]
    rows = [tuple(row) for block in blocks for row in block]
    assert len({block.tobytes() for block in blocks}) == len(blocks) == 5
    assert all(len({tuple(row) for row in block}) == 3 for block in blocks)
    assert {n for row in rows for n in row} <= set(range(1, 12))


def test_up_to_two_operands_are_one_lesson_and_more_have_one_a_step():
    assert [len(board(chain(n))) for n in (1, 2, 3, 6, 7, 40)] == [1, 1, 3, 6, 6, 30]
    whole, first, last = board(einsum_plan("ij,jk,kl->il", (2, 3), (3, 4), (4, 5), optimize=[(0, 1), (0, 1)]))
    assert (whole.title, first.title, last.title) == (
        "the whole equation",
        "step 0: ij,jk->ik",
        "step 1: kl,ik->il",
    )
    assert [x.name for x in (*first.operands, first.output)] == ["a0", "a1", "s0"]
    assert [x.name for x in (*last.operands, last.output)] == ["a2", "s0", "out"]


def test_the_page_says_which_parts_are_left_out():
    assert "7 operands are too many to show at once" in chain(7).to_html()
    assert "Only the first 30 of 39 steps are shown." in chain(40).to_html()
    many = einsum_plan(np.ones((1,) * 30), list(range(30)), [0])
    assert "More than 24 labels" in many.to_html()


# --- the file -------------------------------------------------------------------------------------


def test_the_page_has_the_figures_of_the_printed_plan():
    plan = einsum_plan("ij,jk,kl->il", (2, 3), (3, 4), (4, 5))
    page, text = plan.to_html(), str(plan)
    row = re.search(r"<tr><td>1</td>.*?</tr>", page)[0]
    printed = next(line for line in text.splitlines() if line.startswith("     1  "))
    assert re.findall(r"<td>(.*?)</td>", row.replace("&gt;", ">")) == re.split(r"\s{2,}", printed.strip())
    for line in ("one nested loop: 360 FLOPs", "peak memory: 144 bytes of intermediates and result"):
        assert line in page
        assert line in text
    assert plan.source.rstrip() in page


def test_the_page_refers_to_nothing_outside():
    for plan in (chain(2), chain(8), strange_plan()):
        page = plan.to_html()
        assert set(re.findall(r"\w+://[^\s\"'<]*", page)) <= {"http://www.w3.org/2000/svg"}
        own = re.sub(r'(?s)<script type="application/json".*?</script>', "", page)
        assert not re.search(r"<[^>]*\b(src|href)=", own)
        assert "@import" not in page
        assert "url(" not in page


def test_the_policy_lets_only_the_pages_own_script_run():
    page = chain(2).to_html()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="(.*?)"', page)[1]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert re.fullmatch(r"'sha256-[\w+/]{43}='", rules["script-src"])
    assert "unsafe" not in policy
    assert "innerHTML" not in page
    assert "eval(" not in page


def test_labels_never_reach_the_page_as_html():
    page = strange_plan().to_html()
    assert page.count("<script") == page.count("</script") == 2
    assert "<img" not in page
    assert "<!--" not in page
    assert "\u202e" not in page
    assert page.encode() == page.encode("utf-8", "strict")


def test_a_text_is_clipped_and_what_is_not_printable_escaped():
    assert shown("a\x00b\u2028\ud800") == r"a\x00b\u2028\ud800"
    assert shown("x" * 300) == "x" * 239 + "…"


def test_the_page_is_written_to_a_file_as_utf8(tmp_path):
    plan = einsum_plan("αβ,βγ", (2, 3), (3, 4))
    page = plan.to_html(tmp_path / "page.html")
    assert page == plan.to_html(str(tmp_path / "other.html")) == plan.to_html()
    assert (tmp_path / "page.html").read_bytes() == page.encode()
    with pytest.raises(OSError, match="missing"):
        plan.to_html(tmp_path / "missing" / "page.html")


def test_a_plan_for_unknown_numbers_of_axes_has_no_stepper(tf):
    seen = []

    @tf.function(input_signature=[tf.TensorSpec(None, tf.float32)], autograph=False)
    def record(x):
        seen.append(einsum_plan("...i->...", x).to_html())
        return x

    record.get_concrete_function()
    assert "The numbers of axes are known only at run time" in seen[0]
    assert 'id="stepper"' not in seen[0]


# --- in a browser ---------------------------------------------------------------------------------


@pytest.fixture
def visit(tab, tmp_path):
    """Open the page of a plan; afterwards it has said nothing on the console and asked for nothing else."""
    said, asked, opened = [], [], []
    file = tmp_path / "page.html"
    heard = {
        "console": lambda message: said.append(message.text),
        "pageerror": lambda error: said.append(str(error)),
        "dialog": lambda dialog: (said.append(dialog.message), dialog.dismiss()),
        "request": lambda request: asked.append(request.url),
    }

    def open_page(plan, width=1280, color_scheme="light", page=tab):
        plan.to_html(file)
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=color_scheme)
        for event, hear in heard.items():
            page.on(event, hear)
        opened.append(page)
        page.goto(file.as_uri())
        return page

    yield open_page
    (page,) = opened
    for event, hear in heard.items():
        page.remove_listener(event, hear)
    assert said == []
    assert asked == [file.as_uri()]


EQUATIONS = {
    # equation, shapes, terms letter by letter, sizes on the board
    "matmul": ("ij,jk->ik", [(2, 3), (3, 4)], "ij jk ik", {"i": 2, "j": 3, "k": 4}),
    "batch": ("bij,bjk->bik", [(9, 2, 3), (9, 3, 9)], "bij bjk bik", {"b": 2, "i": 2, "j": 3, "k": 3}),
    "diagonal": ("ii->i", [(9, 9)], "ii i", {"i": 3}),
    "trace": ("ii", [(3, 3)], "ii ", {"i": 3}),
    "three": ("ij,jk,kl->li", [(2, 3), (3, 2), (2, 9)], "ij jk kl li", {"i": 2, "j": 3, "k": 2, "l": 3}),
    "broadcast": (
        "...ij,...jk->...ik",
        [(5, 2, 3), (1, 3, 2)],
        "eij ejk eik",
        {"e": 2, "i": 2, "j": 3, "k": 2},
    ),
    "size 1": ("ij,ij->i", [(2, 1), (1, 3)], "ij ij i", {"i": 2, "j": 3}),
    "nothing": ("ij,jk->ik", [(2, 0), (0, 3)], "ij jk ik", {"i": 2, "j": 0, "k": 3}),
    "four axes": (
        "abcd,de->eabc",
        [(4, 4, 4, 4), (4, 4)],
        "abcd de eabc",
        {"a": 2, "b": 2, "c": 4, "d": 4, "e": 2},
    ),
}

MOUSE = ("matmul", "trace", "three")
"""Where a plain run moves the mouse, too, which takes the same way as the keyboard once a cell is chosen."""

READ = """() => ({
  tensors: [...document.querySelectorAll(".tensor")].map((figure) =>
    [...figure.querySelectorAll("td.cell")].map((cell) => ({
      index: cell.dataset.index === "" ? [] : cell.dataset.index.split(",").map(Number),
      value: Number(cell.textContent),
      lit: ["used", "now", "chosen"].filter((name) => cell.classList.contains(name)),
    }))),
  ...Object.fromEntries(["loops", "written", "one"].map((name) =>
    [name, document.getElementById(`stepper-${name}`).textContent])),
})"""


class Seen:
    """What the page shows, and what loops over all labels say that it has to."""

    def __init__(self, page, name):
        self.page = page
        self.equation, shapes, terms, self.sizes = EQUATIONS[name]
        *self.terms, self.output = terms.split(" ")
        self.shapes = [
            tuple(1 if size == 1 else self.sizes[label] for label, size in zip(term, shape, strict=True))
            for term, shape in zip(self.terms, shapes, strict=True)
        ]
        self.summed = sorted(set("".join(self.terms)) - set(self.output), key="".join(self.terms).index)
        tensors = page.evaluate(READ)["tensors"]
        self.values = [
            np.array([cell["value"] for cell in cells]).reshape(shape)
            for cells, shape in zip(tensors, [*self.shapes, self.over(self.output)], strict=True)
        ]

    def over(self, labels):
        return tuple(self.sizes[label] for label in labels)

    def cells(self):
        return list(itertools.product(*map(range, self.over(self.output))))

    def places(self, cell):
        """For each product of a cell of the result, where it reads the operands."""
        found = []
        for inner in itertools.product(*map(range, self.over(self.summed))):
            at = dict(zip([*self.output, *self.summed], [*cell, *inner], strict=True))
            found.append([
                tuple(0 if size == 1 else at[label] for label, size in zip(term, shape, strict=True))
                for term, shape in zip(self.terms, self.shapes, strict=True)
            ])  # fmt: skip
        return found

    def lit(self, shown, name):
        tensors = shown["tensors"]
        return [{tuple(cell["index"]) for cell in cells if name in cell["lit"]} for cells in tensors]

    def check(self, cell, term=0):
        """What is lit and written for a cell of the result is right."""
        shown, places = self.page.evaluate(READ), self.places(cell)
        operands = range(len(self.terms))
        assert self.lit(shown, "used") == [*({place[n] for place in places} for n in operands), set()]
        assert self.lit(shown, "now") == [*({places[term][n]} if places else set() for n in operands), set()]
        assert self.lit(shown, "chosen") == [*(set() for _ in operands), {cell}]
        self.check_loops(shown["loops"], cell)
        self.check_sum(shown["written"], cell, places)
        one = shown["one"]
        if len(places) > 1:
            numbers = [int(self.values[n][places[term][n]]) for n in operands]
            assert one.startswith(f"product {term + 1} of {len(places)}, ")
            assert one.split(" = ")[-1] == str(prod(numbers))
            assert "·".join(map(str, numbers)) in one

    def check_loops(self, text, cell):
        names = {label: "...0" if label not in self.equation else label for label in self.sizes}
        kept = ", ".join(f"{names[label]}={n}" for label, n in zip(self.output, cell, strict=True))
        ranges = [f"=0..{n - 1}" if n else " of size 0" for n in self.over(self.summed)]
        parts = [names[label] + of for label, of in zip(self.summed, ranges, strict=True)]
        sums = "sum over " + ", ".join(parts) if parts else "no sum"
        assert text == "; ".join(filter(None, [kept, sums]))

    def check_sum(self, text, cell, places):
        """The sum in letters, in numbers and its value say the same."""
        name, letters, *numbers, value = text.split(" = ")
        assert name.strip() == "out" + (f"[{','.join(map(str, cell))}]" if cell else "")
        assert int(value) == self.values[-1][cell] == np.einsum(self.equation, *self.values[:-1])[cell]
        if not places:
            assert letters.strip() == "an empty sum"
            return
        called = [
            "·".join(f"a{n}[{','.join(map(str, index))}]" for n, index in enumerate(place))
            for place in places
        ]
        assert letters.strip() == " + ".join(called)
        if numbers:
            factors = [[int(x) for x in part.split("·")] for part in numbers[0].strip().split(" + ")]
            assert factors == [[self.values[n][i] for n, i in enumerate(place)] for place in places]
            assert sum(map(prod, factors)) == int(value)


@pytest.mark.parametrize("name", EQUATIONS)
def test_the_keyboard_lights_what_is_multiplied_for_every_cell(visit, name):
    seen = Seen(visit(einsum_plan(EQUATIONS[name][0], *EQUATIONS[name][1])), name)
    keyboard = seen.page.keyboard
    assert (seen.values[-1] == np.einsum(seen.equation, *seen.values[:-1])).all()
    seen.page.locator("td.chosen").focus()
    keyboard.press("End")
    seen.check(seen.cells()[-1])
    keyboard.press("Home")
    for cell in seen.cells():
        seen.check(cell)
        keyboard.press("ArrowRight")


@pytest.mark.parametrize("name", [*MOUSE, *(slow(name) for name in EQUATIONS if name not in MOUSE)])
def test_the_mouse_lights_what_is_multiplied_for_every_cell(visit, name):
    seen = Seen(visit(einsum_plan(EQUATIONS[name][0], *EQUATIONS[name][1])), name)
    cells = seen.page.locator(".output td.cell")
    for n, cell in enumerate(seen.cells()):
        cells.nth(n).hover()
        seen.check(cell)
    seen.page.mouse.move(0, 0)
    seen.check(seen.cells()[0])  # where it was
    cells.last.click()
    seen.page.mouse.move(0, 0)
    seen.check(seen.cells()[-1])


def test_the_documentation_shows_what_the_page_writes(visit):
    text = (ROOT / "docs" / "explain.md").read_text("utf-8")
    example = re.search(r"```\n(out\[0,1\].*?)```", text, re.DOTALL)[1]
    seen = Seen(visit(einsum_plan("ij,jk->ik", (2, 3), (3, 4))), "matmul")
    seen.page.locator("td.chosen").focus()
    seen.page.keyboard.press("ArrowRight")
    assert seen.page.evaluate(READ)["written"].split() == example.split()


def test_up_and_down_move_by_rows_and_stop_at_the_edge(visit):
    seen = Seen(visit(einsum_plan("ij,jk->ik", (2, 3), (3, 4))), "matmul")
    seen.page.locator("td.chosen").focus()
    moves = ["Up", "Down", "Right", "Down", "Up", "Left", "Left"]
    cells = [(0, 0), (1, 0), (1, 1), (1, 1), (0, 1), (0, 0), (0, 0)]
    for key, cell in zip(moves, cells, strict=True):
        seen.page.keyboard.press(f"Arrow{key}")
        seen.check(cell)


@pytest.mark.parametrize("name", ["matmul", "batch", "trace", "three", "size 1"])
def test_every_product_of_a_sum_can_be_reached(visit, name):
    seen = Seen(visit(einsum_plan(EQUATIONS[name][0], *EQUATIONS[name][1])), name)
    seen.page.locator("td.chosen").focus()
    seen.page.keyboard.press("End")
    cell = seen.cells()[-1]
    for term in range(len(seen.places(cell))):
        seen.check(cell, term)
        seen.page.keyboard.press("PageDown")
    seen.check(cell, len(seen.places(cell)) - 1)
    seen.page.locator("#stepper-term").focus()
    seen.page.keyboard.press("Home")
    seen.check(cell, 0)
    seen.page.keyboard.press("ArrowRight")
    seen.check(cell, 1)
    seen.page.locator(".summand").first.click()
    seen.check(cell, 0)


def test_everything_is_reached_by_the_tab_key_and_the_buttons(visit):
    seen = Seen(visit(einsum_plan("ij,jk,kl->li", (2, 3), (3, 2), (2, 9))), "three")
    names = []
    for _ in range(12):
        seen.page.keyboard.press("Tab")
        names.append(seen.page.evaluate("document.activeElement.id || document.activeElement.className"))
    wanted = ["stepper-lesson", "cell chosen", "stepper-previous", "stepper-next", "stepper-term"]
    assert [name for name in names if name in wanted][:5] == wanted
    for cell in seen.cells()[1:]:
        seen.page.get_by_role("button", name="Next cell").press("Enter")
        seen.check(cell)
    seen.page.get_by_role("button", name="Next cell").press("Enter")
    seen.check(seen.cells()[-1])
    seen.page.get_by_role("button", name="Previous cell").click()
    seen.check(seen.cells()[-2])


def test_a_step_can_be_chosen(visit):
    plan = einsum_plan("ij,jk,kl->il", (2, 3), (3, 4), (4, 5), optimize=[(0, 1), (0, 1)])
    page = visit(plan)
    page.get_by_label("On the board").select_option(label="step 1: kl,ik->il")
    tensors = page.evaluate(READ)["tensors"]
    kl, ik, il = (
        np.array([cell["value"] for cell in cells]).reshape(shape)
        for cells, shape in zip(tensors, [(4, 3), (2, 4), (2, 3)], strict=True)
    )
    assert (il == np.einsum("kl,ik->il", kl, ik)).all()
    assert page.locator(".tensor .name").all_text_contents() == ["a2", "s0", "out"]


def test_a_long_sum_is_written_in_part_around_the_product_that_is_shown(visit):
    page = visit(einsum_plan("ijkl,ijkl->", (2, 2, 3, 3), (2, 2, 3, 3)))
    page.locator("td.chosen").focus()
    for _ in range(9):
        page.keyboard.press("PageDown")
    written = page.text_content("#stepper-written")
    assert written.count("…") == 4  # two gaps in each of two lines
    assert "product 10 of 36" in page.text_content("#stepper-one")


def test_a_result_without_cells_says_so(visit):
    page = visit(einsum_plan("ij,jk->ik", (0, 3), (3, 4)))
    assert page.text_content("#stepper-loops") == "The result has no cells: a size is 0."
    assert not page.get_by_role("button", name="Next cell").is_visible()


def test_labels_of_strangers_are_shown_as_text(visit):
    page = visit(strange_plan())
    assert page.locator("script").count() == 2
    assert page.locator("img").count() == 0
    names = page.locator(".tensor figcaption .label").all_text_contents()
    # As in the equation above, where they are in quotes.
    assert {"'<script>al…", "'\"><img src…", "'</script><…", "'<!--'", r"'\ud800'", r"'\u202erigh…"} <= set(
        names
    )
    assert page.title().startswith("['<script>alert(1)</script>', ")


def test_without_script_there_is_all_but_the_stepper(browser, visit):
    page = browser.new_page(java_script_enabled=False)
    visit(einsum_plan("ij,jk->ik", (2, 3), (3, 4)), page=page)
    assert page.get_by_role("cell", name="matmul 2×3×4").is_visible()
    assert page.get_by_text("def run(a0, a1):").is_visible()
    assert page.locator("noscript").is_visible()
    assert page.locator("svg").first.is_visible()
    assert not page.locator("#stepper").is_visible()


def test_the_parts_of_the_page_have_names_and_places(visit):
    page = visit(einsum_plan("ij,jk->ik", (2, 3), (3, 4)))
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.get_by_role("heading", level=1).text_content() == "ij,jk->ik"
    for name in ("The picture", "Cell by cell", "Step by step", "The code that runs"):
        assert page.get_by_role("heading", name=name, level=2).count() == 1
    for role in ("main", "banner", "contentinfo", "grid"):
        assert page.get_by_role(role).count() == 1
    assert page.get_by_role("gridcell", name="out[0,0] = ").count() == 1
    assert page.locator("#stepper-written").get_attribute("aria-live") == "polite"


# --- how it lies ----------------------------------------------------------------------------------

TEXTS = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const hidden = "script, style, noscript, option, title, desc";
    if (!node.data.trim() || node.parentElement.closest(hidden)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const rect of range.getClientRects()) {
      let [left, top, right, bottom] = [rect.left, rect.top, rect.right, rect.bottom];
      for (let box = node.parentElement; box; box = box.parentElement) {
        if (getComputedStyle(box).overflowX === "visible") continue;
        const edge = box.getBoundingClientRect();
        [left, right] = [Math.max(left, edge.left), Math.min(right, edge.right)];
        [top, bottom] = [Math.max(top, edge.top), Math.min(bottom, edge.bottom)];
      }
      if (right - left > 1 && bottom - top > 1) found.push([node.data.trim(), left, top, right, bottom]);
    }
  }
  return found;
}"""

PLANS = {
    "small": lambda: einsum_plan("ij,jk->ik", (2, 3), (3, 4)),
    "big": lambda: einsum_plan(
        "...abij,...jk,kl,abl->...iab", (9, 50, 60, 70, 80), (1, 80, 90), (90, 20), (50, 60, 20)
    ),
    "strange": strange_plan,
}


def overlapping(texts) -> list[tuple[str, str]]:
    """Texts whose boxes share more than the two pixels by which lines of letters may touch."""
    boxes = np.array([text[1:] for text in texts])
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = np.triu((high - low > 2).all(-1), 1)
    return [(texts[m][0], texts[n][0]) for m, n in np.argwhere(shared)]


@pytest.mark.parametrize("scheme", ["light", slow("dark")])
@pytest.mark.parametrize("width", [1280, slow(400), 360])
@pytest.mark.parametrize("name", PLANS)
def test_nothing_overlaps_and_nothing_is_cut_off(visit, name, width, scheme):
    page = visit(PLANS[name](), width, color_scheme=scheme)
    wide, height = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    )
    assert wide == width
    texts = page.evaluate(TEXTS)
    assert len(texts) > 40
    assert overlapping(texts) == []
    assert all(left >= 8 and right <= width - 8 for _, left, _, right, _ in texts)
    edges = [{"x": x, "y": 0, "width": 8, "height": height} for x in (0, width - 8)]
    before = [page.screenshot(full_page=True, clip=edge) for edge in edges]
    page.evaluate("document.body.style.visibility = 'hidden'")
    assert [page.screenshot(full_page=True, clip=edge) for edge in edges] == before


def test_texts_that_overlap_are_found(visit):
    page = visit(PLANS["small"]())
    page.evaluate("document.querySelector('h2').style.marginTop = '-70px'")
    assert overlapping(page.evaluate(TEXTS))


# --- its colours ----------------------------------------------------------------------------------

RAILS = """() => Object.fromEntries([...document.querySelectorAll(".eu-rail")].map((rail) => [
  rail.querySelector("title").textContent.split(":")[0],
  getComputedStyle(rail.querySelector("circle")).stroke,
]))"""

NAMES = """() => [...document.querySelectorAll("#stepper .label")].map((label) =>
  [label.textContent, getComputedStyle(label).color])"""

INKS = """() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const over = ([r, g, b, a = 1], below) => [r, g, b].map((x, n) => Math.round(a * x + (1 - a) * below[n]));
  const hex = (colour) => "#" + colour.slice(0, 3).map((x) => x.toString(16).padStart(2, "0")).join("");
  const below = (box) => (box.parentElement ? behind(box.parentElement) : [255, 255, 255]);
  const behind = (box) => over(parts(getComputedStyle(box).backgroundColor), below(box));
  return [...document.body.querySelectorAll("*")]
    .filter((box) => !box.closest("svg, script, noscript") && box.checkVisibility())
    .filter((box) => [...box.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
    .map((box) => [box.textContent, hex(parts(getComputedStyle(box).color)), hex(behind(box))]);
}"""

COLOURED = {
    "steps": lambda: einsum_plan("bij,bjk,kl->bil", (2, 3, 4), (2, 4, 3), (3, 2)),
    # More labels are summed than there are hues.
    "many labels": lambda: einsum_plan("abcdefgh,bcdefgi->ahi", (2,) * 8, (2,) * 7),
    # Labels that are summed come in another order in the picture, which shows the first axes of an operand.
    "hidden axes": lambda: einsum_plan("abcdefghijklmnopqrstu,vu->vt", (1,) * 21, (2, 1)),
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", COLOURED)
def test_a_label_has_one_colour_in_the_picture_and_on_the_board(visit, name, scheme):
    page = visit(COLOURED[name](), color_scheme=scheme)
    rails, names = page.evaluate(RAILS), page.evaluate(NAMES)
    assert len(rails) >= 5
    assert len(set(rails.values())) >= 3
    assert set(rails) <= {label for label, _ in names}
    assert [(label, colour) for label, colour in names if rails.get(label, colour) != colour] == []
    for label in {label for label, _ in names}:
        assert len({colour for other, colour in names if other == label}) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_stands_out_from_what_is_behind_it(visit, scheme):
    page = visit(COLOURED["many labels"](), color_scheme=scheme)
    page.locator("td.chosen").focus()
    page.keyboard.press("ArrowRight")
    inks = page.evaluate(INKS)
    assert len(inks) > 100
    assert len({ground for _, _, ground in inks}) >= 5
    assert [(text, ink, ground) for text, ink, ground in inks if contrast(ink, ground) < 4.5] == []
