// The index stepper: shows for a cell of the result which cells are multiplied and summed, and writes out the sum.
// Labels are untrusted text: they become text nodes, never HTML.
"use strict";
{
  const { labels, colours, lessons } = JSON.parse(document.getElementById("stepper-lessons").textContent);
  const part = (name) => document.getElementById(`stepper-${name}`);

  // --- computing ---------------------------------------------------------------------------------

  /** All indices of a shape, the last axis moving fastest. */
  const indices = (shape) =>
    shape.reduce((found, size) => found.flatMap((index) => Array.from({ length: size }, (_, n) => [...index, n])), [[]]);

  /** The place of an index in the list of a tensor's cells. */
  const position = (shape, index) => index.reduce((sum, n, axis) => sum * shape[axis] + n, 0);

  /** The name of a cell: a0[1,2]; the cell of a scalar has no index. */
  const called = (tensor, index) => (index.length ? `${tensor.name}[${index}]` : tensor.name);

  /** The cell of an operand for the loop indices `at`; along an axis of size 1 it is always cell 0. */
  function factor(tensor, at) {
    const index = tensor.term.map((label, axis) => (tensor.shape[axis] === 1 ? 0 : at[label]));
    const cell = position(tensor.shape, index);
    return { cell, name: called(tensor, index), value: tensor.values[cell] };
  }

  /** The products that are summed for a cell of the result: loops over the summed labels. */
  function products(lesson, index) {
    const entries = (names, numbers) => names.map((label, n) => [label, numbers[n]]);
    return indices(lesson.summed.map((label) => lesson.sizes[label])).map((inner) => {
      const at = Object.fromEntries([...entries(lesson.kept, index), ...entries(lesson.summed, inner)]);
      const factors = lesson.operands.map((tensor) => factor(tensor, at));
      return { at, factors, value: factors.reduce((value, { value: own }) => value * own, 1) };
    });
  }

  /** Every cell of the result: its index, its products and their sum. */
  const results = (lesson) =>
    indices(lesson.output.shape).map((index) => {
      const summands = products(lesson, index);
      return { index, summands, value: summands.reduce((sum, { value }) => sum + value, 0) };
    });

  // --- drawing -----------------------------------------------------------------------------------

  function make(tag, name, ...children) {
    const element = document.createElement(tag);
    if (name) element.className = name;
    element.append(...children);
    return element;
  }

  /** A label in the colour of its rail in the picture; a summed label also has a dotted line. */
  function drawLabel(lesson, label) {
    const element = make("span", lesson.summed.includes(label) ? "label summed" : "label", labels[label]);
    element.style.color = `var(--${colours[label]})`;
    return element;
  }

  const joined = (parts, separator) => parts.flatMap((item, n) => (n ? [separator, item] : [item]));

  function heading(scope, span, ...children) {
    const element = make("th", "", ...children);
    element.scope = scope;
    element[scope.startsWith("col") ? "colSpan" : "rowSpan"] = Math.max(span, 1);
    return element;
  }

  function drawCell(tensor, index, values) {
    const cell = make("td", "cell", `${values[position(tensor.shape, index)]}`);
    cell.dataset.index = index.join(",");
    return cell;
  }

  /** The label and numbers of the columns; if there are row labels, two empty cells come first. */
  function drawHead(lesson, label, columns, rows) {
    const corner = () => (rows ? [Object.assign(make("td"), { colSpan: 2 })] : []);
    const numbers = Array.from({ length: columns }, (_, n) => heading("col", 1, `${n}`));
    const name = heading("colgroup", columns, drawLabel(lesson, label));
    return [make("tr", "", ...corner(), name), make("tr", "", ...corner(), ...numbers)];
  }

  /** One block of a tensor: its last two axes as rows and columns, the other axes fixed at `outer`. */
  function drawBlock(lesson, tensor, outer, values) {
    const [rows, columns] = [1, 1, ...tensor.shape].slice(-2);
    const [columnLabel, rowLabel] = tensor.term.slice(-2).reverse();
    const table = make("table", "matrix");
    const fixed = outer.map((n, axis) => make("span", "", drawLabel(lesson, tensor.term[axis]), `=${n}`));
    if (fixed.length) table.append(make("caption", "", ...joined(fixed, ", ")));
    if (columnLabel !== undefined) table.append(...drawHead(lesson, columnLabel, columns, rowLabel !== undefined));
    for (let row = 0; row < rows; row++) {
      const line = make("tr");
      if (rowLabel !== undefined) {
        if (row === 0) line.append(heading("rowgroup", rows, drawLabel(lesson, rowLabel)));
        line.append(heading("row", 1, `${row}`));
      }
      for (let column = 0; column < columns; column++) {
        const index = [...outer, ...[row, column].slice(2 - Math.min(tensor.shape.length, 2))];
        line.append(drawCell(tensor, index, values));
      }
      table.append(line);
    }
    return table;
  }

  /** The figure of a tensor, drawn as blocks, and its cells in order. */
  function drawTensor(lesson, tensor, values) {
    const axes = joined(tensor.term.map((label) => drawLabel(lesson, label)), ", ");
    const blocks = indices(tensor.shape.slice(0, -2)).map((outer) => drawBlock(lesson, tensor, outer, values));
    const name = make("span", "name", tensor.name);
    const caption = make("figcaption", "", name, ...(axes.length ? ["[", ...axes, "]"] : []));
    const body = make("div", "blocks", ...(values.length ? blocks : [make("p", "empty", "no cells")]));
    const figure = make("figure", "tensor", caption, body);
    figure.dataset.name = tensor.name;
    return { figure, cells: [...figure.querySelectorAll(".cell")] };
  }

  /** The loop indices of the cell, and the ranges of the summed labels. */
  function writeLoops(lesson, index) {
    const range = (label) => (lesson.sizes[label] ? `=0..${lesson.sizes[label] - 1}` : " of size 0");
    const kept = lesson.kept.map((label, n) => make("span", "", drawLabel(lesson, label), `=${index[n]}`));
    const summed = lesson.summed.map((label) => make("span", "", drawLabel(lesson, label), range(label)));
    const sums = summed.length ? ["sum over ", ...joined(summed, ", ")] : ["no sum"];
    return [...joined(kept, ", "), ...(kept.length ? ["; "] : []), ...sums];
  }

  /** Which of many summands are written: the first, the last and those near the current one; null for a gap. */
  function written(count, current) {
    const near = (n) => count <= 12 || n < 3 || n === count - 1 || Math.abs(n - current) < 2;
    const kept = Array.from({ length: count }, (_, n) => n).filter(near);
    return kept.flatMap((n, i) => (i && kept[i - 1] !== n - 1 ? [null, n] : [n]));
  }

  /** out[0,2] = a0[0,0]·a1[0,2] + … = 1·3 + … = 13 */
  function writeSum(lesson, result, term) {
    const line = (key) => {
      const texts = written(result.summands.length, term).map((n) => {
        if (n === null) return "…";
        const summand = make("span", n === term ? "summand now" : "summand", result.summands[n].factors.map((x) => x[key]).join("·"));
        summand.dataset.term = n;
        return summand;
      });
      return make("span", "line", "= ", ...(texts.length ? joined(texts, " + ") : ["an empty sum"]), " ");
    };
    const bare = result.summands.length === 1 && lesson.operands.length === 1; // its value is the sum
    return [
      make("span", "line", called(lesson.output, result.index), " "),
      line("name"),
      ...(result.summands.length && !bare ? [line("value")] : []),
      make("span", "line", "= ", make("strong", "", `${result.value}`)),
    ];
  }

  /** The current product on its own. */
  function writeTerm(lesson, result, term) {
    const { at, factors, value } = result.summands[term];
    const where = lesson.summed.map((label) => `${labels[label]}=${at[label]}`).join(", ");
    const [names, numbers] = ["name", "value"].map((key) => factors.map((x) => x[key]).join("·"));
    return `product ${term + 1} of ${result.summands.length}, ${where}: ${joined([names, numbers, ...(factors.length > 1 ? [value] : [])], " = ").join("")}`;
  }

  // --- moving ------------------------------------------------------------------------------------

  /** One lesson: the cell `chosen` stays selected, `hovered` is shown while the pointer is over it. */
  class Board {
    constructor(lesson) {
      this.lesson = lesson;
      this.results = results(lesson);
      this.operands = lesson.operands.map((tensor) => drawTensor(lesson, tensor, tensor.values));
      this.output = drawTensor(lesson, lesson.output, this.results.map(({ value }) => value));
      this.chosen = 0;
      this.hovered = null;
      this.term = 0;
      const sign = (text) => Object.assign(make("span", "sign", text), { ariaHidden: "true" });
      const signed = ({ figure }, n) => make("div", "signed", figure, sign(n === this.operands.length - 1 ? "→" : "·"));
      part("tensors").replaceChildren(...this.operands.map(signed), this.output.figure);
      this.output.figure.classList.add("output");
      for (const table of this.output.figure.querySelectorAll("table")) this.makeGrid(table);
      this.output.cells.forEach((cell, n) => {
        cell.setAttribute("aria-label", `${called(lesson.output, this.results[n].index)} = ${this.results[n].value}`);
        cell.addEventListener("pointerenter", () => this.hover(n));
        cell.addEventListener("click", () => this.choose(n));
      });
      part("note").textContent = lesson.note;
      part("buttons").hidden = this.results.length < 2;
      this.show();
    }

    makeGrid(table) {
      table.setAttribute("role", "grid");
      table.setAttribute("aria-label", "cells of the result");
      table.addEventListener("pointerleave", () => this.hover(null));
      table.addEventListener("keydown", (event) => this.press(event));
    }

    get current() {
      return this.hovered ?? this.chosen;
    }

    hover(n) {
      this.hovered = n;
      this.show();
    }

    /** Select cell number n of the result, if it exists. */
    choose(n, focus = true) {
      if (!this.results[n]) return;
      this.hovered = null;
      this.chosen = n;
      this.show();
      if (focus) this.output.cells[n].focus();
    }

    chooseTerm(n) {
      if (!this.results[this.current].summands[n]) return;
      this.term = n;
      this.show();
    }

    press(event) {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const [at, row, last] = [this.chosen, this.lesson.output.shape.at(-1) ?? 1, this.results.length - 1];
      const cells = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - row, ArrowDown: at + row, Home: 0, End: last };
      const terms = { PageUp: this.term - 1, PageDown: this.term + 1 };
      if (event.key in cells) this.choose(cells[event.key]);
      else if (event.key in terms) this.chooseTerm(terms[event.key]);
      else return;
      event.preventDefault();
    }

    show() {
      const result = this.results[this.current];
      part("controls").hidden = !result;
      if (!result) {
        part("loops").textContent = "The result has no cells: a size is 0.";
        for (const name of ["written", "one"]) part(name).replaceChildren();
        return;
      }
      this.light(result);
      part("loops").replaceChildren(...writeLoops(this.lesson, result.index));
      part("written").replaceChildren(...writeSum(this.lesson, result, this.term));
      const several = result.summands.length > 1;
      part("one").textContent = several ? writeTerm(this.lesson, result, this.term) : "";
      part("one").hidden = part("terms").hidden = !several;
      part("term").max = result.summands.length - 1;
      part("term").value = this.term;
      part("term").setAttribute("aria-valuetext", part("one").textContent);
      // aria-disabled instead of disabled: a disabled button loses the focus.
      part("previous").ariaDisabled = `${!this.results[this.current - 1]}`;
      part("next").ariaDisabled = `${!this.results[this.current + 1]}`;
    }

    /** Highlight the cells of all products, and more strongly those of the current product. */
    light({ summands }) {
      this.operands.forEach(({ cells }, n) => {
        const used = new Set(summands.map(({ factors }) => factors[n].cell));
        const now = summands[this.term]?.factors[n].cell;
        cells.forEach((cell, i) => {
          cell.classList.toggle("used", used.has(i));
          cell.classList.toggle("now", i === now);
        });
      });
      this.output.cells.forEach((cell, i) => {
        cell.classList.toggle("chosen", i === this.current);
        cell.setAttribute("aria-selected", `${i === this.current}`);
        cell.tabIndex = i === this.chosen ? 0 : -1;
      });
    }
  }

  let board;
  const open = (n) => {
    board = new Board(lessons[n]);
  };
  part("lesson").append(...lessons.map(({ title }, n) => new Option(title, n)));
  part("choice").hidden = lessons.length === 1;
  part("lesson").addEventListener("change", (event) => open(event.target.value));
  part("previous").addEventListener("click", () => board.choose(board.chosen - 1, false));
  part("next").addEventListener("click", () => board.choose(board.chosen + 1, false));
  part("term").addEventListener("input", (event) => board.chooseTerm(event.target.valueAsNumber));
  part("written").addEventListener("click", ({ target }) => target.dataset.term && board.chooseTerm(+target.dataset.term));
  document.getElementById("stepper").hidden = false;
  open(0);
}
