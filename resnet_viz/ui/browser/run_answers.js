// Ten pictures with their bars, and a confusion matrix. The nodes stay and only their numbers change, so the bars glide.
// This code and the pictures arrive once (run_answers.py); every look sends {kind, run, classes, ...} to `mount`.

const pictures = (globalThis.resnetVizPictures ??= new Map());   // run -> its ten, as data URLs
const views = new Map();               // shadow root -> view
const LEAST = 0.005;                   // lower bars are not seen, and of 1,000 classes there are many

const percent = (p) => (p > 0 && p < 0.005 ? "<1\u202f%" : `${Math.round(100 * p)}\u202f%`);

class Pictures {
  constructor(root) {
    this.root = element("div", { class: "pictures" }, root);
    this.root.setAttribute("role", "img");
    this.cells = [];
  }

  show(data) {
    this.data = data;
    this.root.setAttribute("aria-label", data.alt);
    while (this.cells.length > data.bars.length) this.cells.pop().root.remove();
    while (this.cells.length < data.bars.length) this.cells.push(this.cell());
    const sources = pictures.get(data.run) ?? [];
    data.bars.forEach((bars, index) => this.fill(this.cells[index], bars, data.labels ? data.labels[index] : null, sources[index]));
  }

  cell() {
    const root = element("figure", {}, this.root);
    const stage = element("div", { class: "stage" }, root);
    const image = element("img", {}, stage);
    image.alt = "";
    const svg = shape("svg", { preserveAspectRatio: "none" }, stage);
    return { root, image, svg, bars: new Map(), caption: element("figcaption", {}, root) };
  }

  fill(cell, bars, truth, source) {
    const count = bars.length, best = bars.indexOf(Math.max(...bars));
    const right = truth === null || best === truth, { classes } = this.data;
    cell.image.hidden = !source;
    if (source && cell.image.getAttribute("src") !== source) cell.image.src = source;
    cell.svg.setAttribute("viewBox", `0 0 ${count} 1`);
    bars.forEach((p, index) => this.bar(cell, index, count, p, index === truth || (truth === null && index === best) ? "true" : index === best ? "wrong" : "other"));
    const said = `${classes[best]} ${percent(bars[best])}`;
    cell.caption.replaceChildren();
    element("b", {}, cell.caption, truth === null ? classes[best] : classes[truth]);
    element("span", { class: right ? "" : "wrong" }, cell.caption, right ? ` ${percent(bars[best])}` : ` \u2192 ${said}`);
    const top = bars.map((p, index) => [p, classes[index]]).sort((a, b) => b[0] - a[0]).slice(0, 3);
    cell.root.title = top.map(([p, name]) => `${name} ${percent(p)}`).join("\n");
    Object.assign(cell.root.dataset, { said: classes[best], truth: truth === null ? "" : classes[truth] });
  }

  bar(cell, index, count, p, kind) {
    let bar = cell.bars.get(index);
    if (!bar) {
      if (p < LEAST && kind === "other") return;
      const wide = Math.max(count > 40 ? 1 : 0.8, count / 40);       // at least two pixels of eighty
      bar = shape("rect", { x: index + (1 - wide) / 2, y: 0, width: wide, height: 1 }, cell.svg);
      cell.bars.set(index, bar);
    }
    bar.setAttribute("class", kind);
    bar.style.transform = `scaleY(${p})`;
    if (kind !== "other") cell.svg.append(bar);                       // on top of its neighbours
  }
}

class Confusion {
  constructor(root) {
    this.root = element("div", { class: "confusion" }, root);
    this.rows = element("div", { class: "rows" }, this.root);
    this.image = element("img", {}, this.root);
    this.columns = element("div", { class: "columns" }, this.root);
    this.said = element("div", { class: "said" }, root);
    this.image.addEventListener("pointermove", (event) => this.tell(event));
    this.image.addEventListener("pointerleave", () => this.rest());
  }

  show(data) {
    this.data = data;
    if (this.image.src !== data.src) this.image.src = data.src;
    this.image.alt = data.alt;
    const names = data.classes.length <= 20 ? data.classes : [];
    if (names.join("\n") !== this.names) {
      this.names = names.join("\n");
      for (const side of [this.rows, this.columns]) {
        side.replaceChildren();
        for (const name of names) element("span", {}, side, name).title = name;
      }
    }
    this.rest();
  }

  rest() { this.said.textContent = "Rows: the true class; columns: the answer. Brighter: a larger share of the row."; }

  tell(event) {
    const box = this.image.getBoundingClientRect(), { classes, counts } = this.data, n = classes.length;
    const at = (value, size) => Math.min(n - 1, Math.max(0, Math.floor((value / size) * n)));
    const column = at(event.clientX - box.left, box.width), row = at(event.clientY - box.top, box.height);
    const total = counts[row].reduce((a, b) => a + b, 0);
    const share = total ? ` (${percent(counts[row][column] / total)})` : "";
    this.said.textContent = `${classes[row]} answered as ${classes[column]}: ${counts[row][column].toLocaleString("en-GB")} of ${total.toLocaleString("en-GB")}${share}`;
  }
}

const KINDS = { pictures: Pictures, confusion: Confusion };

function mount(style) {
  return ({ data, parentElement }) => {
    if (!views.has(parentElement)) {
      element("style", {}, parentElement, style);
      views.set(parentElement, new KINDS[data.kind](parentElement));
    }
    views.get(parentElement).show(data);
    return () => { views.delete(parentElement); parentElement.replaceChildren(); };
  };
}

export default function ({ data }) {
  pictures.set(data.run, data.pictures);
  arrived(data.version, mount(data.style));
  for (const view of views.values()) if (view.data?.run === data.run) view.show(view.data);   // they came before their pictures
}
