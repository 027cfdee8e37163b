// A network as a drawing and as a table of the same parts: pointing at a box marks its row and the reverse, a click chooses.
//
// Data arrive as the bytes of one JSON document (see architecture_drawing.py). The drawing is SVG text made on the server;
// here it gets titles, the keyboard and its download. Rows of the table are built when they come into view of their level.

const shown = new WeakMap();   // shadow root -> Architecture
const ICONS = {
  size: '<rect x="2" y="1" width="5" height="14"/><rect x="10" y="4" width="13" height="8"/>',
  arc: '<path class="arc" d="M2 15V9A10 7 0 0 1 23 9V15"/>',
  dashed: '<path class="arc dashed" d="M2 15V9A10 7 0 0 1 23 9V15"/>',
  norm: '<g class="norm sDEEP"><rect x="10" y="1" width="5" height="14"/></g>',
  act: '<g class="act sDEEP"><rect x="10" y="1" width="5" height="14"/></g>',
  add: '<g class="add"><circle cx="12.5" cy="8" r="7"/><path class="plus" d="M8.5 8h8m-4-4v8"/></g>',
  many: '<rect class="behind" x="7" y="2" width="11" height="9"/><rect x="4" y="5" width="11" height="9"/>',
};
const MOST = 16000;            // pixels a side that every browser's canvas can hold

const grouped = (number) => number.toLocaleString("en-GB");
const percent = (share) => (share < 0.0001 ? "< 0.01" : share >= 0.0995 ? (share * 100).toFixed(0) : (share * 100).toPrecision(2)) + "\u202f%";

// brings a part of a scrolling box into view without moving the page
function reveal(scroller, node, above = 0, below = 0) {
  const out = scroller.getBoundingClientRect(), at = node.getBoundingClientRect();
  if (at.top < out.top + above) scroller.scrollTop -= out.top + above - at.top + 4;
  else if (at.bottom > out.bottom - below) scroller.scrollTop += Math.min(at.bottom - out.bottom + below + 4, at.top - out.top - above);
  if (at.left < out.left) scroller.scrollLeft -= out.left - at.left + 12;
  else if (at.right > out.right) scroller.scrollLeft += at.right - out.right + 12;
}

class Architecture {
  constructor(home, style) {
    this.open = new Set();
    this.order = null;                                    // {column, down}: null is the network's own order
    this.home = home;
    this.style = element("style", {}, home, style);
    this.colours = element("style", {}, home);
    this.root = element("section", { class: "architecture" }, home);
    const head = element("header", {}, this.root);
    this.title = element("h3", {}, head);
    const tools = element("div", { class: "tools" }, head);
    for (const [kind, save] of [["SVG", () => this.saveSvg()], ["PNG", () => this.savePng()]]) {
      element("button", { type: "button" }, tools, `Download ${kind}`).addEventListener("click", save);
    }
    this.strip = element("div", { class: "strip" }, this.root);
    this.legend = element("div", { class: "legend" }, this.root);
    this.frame = element("div", { class: "frame" }, this.root);
    this.table = element("table", { role: "treegrid" }, this.frame);
    this.spoken = element("div", { class: "spoken", "aria-live": "polite" }, this.root);
    for (const place of [this.strip, this.frame]) {
      place.addEventListener("mouseover", (event) => this.point(this.rowAt(event), place));
      place.addEventListener("mouseleave", () => this.point(null));
      place.addEventListener("click", (event) => this.click(event, place));
      place.addEventListener("keydown", (event) => this.key(event, place));
    }
    this.theme = matchMedia("(prefers-color-scheme: dark)");
    this.paint = () => { this.colours.textContent = this.data.styles[isDark(this.root) ? "dark" : "light"]; };
    this.theme.addEventListener("change", this.paint);
    this.root.addEventListener("pointerenter", this.paint);   // the theme can also be changed in the app's menu
  }

  remove() {
    this.theme.removeEventListener("change", this.paint);
    for (const node of [this.style, this.colours, this.root]) node.remove();
    shown.delete(this.home);
  }

  show(data, send) {
    this.send = send;
    const same = this.data && this.data.digest === data.digest;
    this.data = data;
    this.paint();
    if (same) return;
    const began = performance.now();
    this.rows = data.rows.map((cells) => Object.fromEntries(data.fields.map((field, i) =>
      [field, data.texts.includes(field) ? data.words[cells[i]] : cells[i]])));
    for (const row of this.rows) row.name ||= row.key;
    this.children = this.rows.map(() => []);
    this.rows.forEach((row, id) => { if (row.parent >= 0) this.children[row.parent].push(id); });
    this.longest = Object.fromEntries(data.bars.map((bar) => [bar, Math.max(...data.level.map((id) => this.rows[id][bar]), 1)]));
    this.title.textContent = data.title;
    this.drawStrip();
    this.drawLegend();
    this.drawHead();
    this.drawRows();
    const chosen = this.rows.findIndex((row) => row.key === data.chosen);
    this.mark(chosen >= 0 ? chosen : data.level[0], false);
    Object.assign(this.root.dataset, { digest: data.digest, ms: String(Math.round(performance.now() - began)) });
  }

  // ------------------------------------------------------------ drawing

  drawStrip() {
    this.strip.innerHTML = this.data.svg;
    this.strip.scrollTo(0, 0);
    this.svg = this.strip.firstElementChild;
    this.svg.style.minWidth = `${this.svg.getAttribute("width")}px`;
    this.svg.setAttribute("role", "group");
    this.svg.setAttribute("aria-label", this.data.alt);
    this.boxes = new Map();
    for (const box of this.svg.querySelectorAll(".box[data-row]")) this.enliven(box, [Number(box.dataset.row)]);
    for (const arc of this.svg.querySelectorAll(".arc")) {   // with layers on its way it stands for them
      const id = Number(arc.dataset.row ?? -1);
      if (id < 0 || this.boxes.has(id)) arc.setAttribute("aria-hidden", "true");
      else this.enliven(arc, this.children[this.rows[id].parent].filter((other) => other >= id && !this.boxes.has(other)));
    }
    this.boxes = new Map([...this.boxes].sort(([a], [b]) => a - b));
  }

  enliven(node, ids) {
    const title = document.createElementNS(this.svg.namespaceURI, "title");
    title.textContent = this.describe(this.rows[ids[0]]);
    node.prepend(title);
    node.setAttribute("role", "button");
    node.setAttribute("tabindex", "-1");
    for (const id of ids) this.boxes.set(id, node);
  }

  describe(row) {
    const many = row.count > 1 ? `, ${row.count} times` : "";
    return `${row.name}${many}: ${row.kind}; ${row.input} in, ${row.output} out; ${grouped(row.params)} parameters`;
  }

  drawLegend() {
    this.legend.replaceChildren();
    for (const [look, words] of this.data.legend) {
      const item = element("span", {}, this.legend);
      if (ICONS[look]) item.innerHTML = `<svg viewBox="0 0 25 16" width="25" height="16" aria-hidden="true">${ICONS[look].replace("DEEP", this.data.stages)}</svg>`;
      item.append(words);
    }
  }

  // the drawing as a file of its own: on white ground, for papers and slides
  file() {
    const copy = this.svg.cloneNode(true);
    copy.removeAttribute("style");
    for (const node of copy.querySelectorAll(".hit")) node.remove();
    for (const node of copy.querySelectorAll(".box, .arc, text")) {
      for (const name of ["role", "tabindex", "aria-pressed", "aria-hidden", "data-row"]) node.removeAttribute(name);
      node.classList.remove("chosen", "pointed");
    }
    const style = document.createElementNS(copy.namespaceURI, "style");
    style.textContent = this.data.styles.light;
    const ground = document.createElementNS(copy.namespaceURI, "rect");
    for (const [name, value] of Object.entries({ width: "100%", height: "100%", style: "fill:#fff;stroke:none" })) ground.setAttribute(name, value);
    copy.prepend(style, ground);
    return new XMLSerializer().serializeToString(copy);
  }

  save(blob, ending) {
    const link = element("a", { href: URL.createObjectURL(blob), download: `${this.data.file}.${ending}` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  saveSvg() { this.save(new Blob([this.file()], { type: "image/svg+xml" }), "svg"); }

  async savePng() {
    const [width, height] = ["width", "height"].map((name) => Number(this.svg.getAttribute(name)));
    const scale = Math.min(2, MOST / Math.max(width, height));
    const picture = new Image();
    picture.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(this.file());
    await picture.decode();
    const canvas = element("canvas", { width: Math.round(width * scale), height: Math.round(height * scale) });
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => this.save(blob, "png"), "image/png");
  }

  // ------------------------------------------------------------ table

  drawHead() {
    const line = element("tr", {}, element("thead", {}));
    for (const [field, label, help] of this.data.columns) {
      const cell = element("th", { scope: "col", class: field, title: help, "aria-sort": "none" }, line);
      const button = element("button", { type: "button" }, cell, label);
      button.addEventListener("click", () => this.sort(field));
    }
    this.body = element("tbody");
    const sums = element("tr", {}, element("tfoot"));
    for (const [field] of this.data.columns) {
      const cell = element("td", { class: field }, sums, field === "name" ? "all together" : "");
      if (this.data.bars.includes(field)) this.fillNumber(cell, this.data.totals[field], field);
    }
    this.table.replaceChildren(line.parentElement, this.body, sums.parentElement);
    this.table.setAttribute("aria-label", this.data.alt);
    this.markOrder();
  }

  markOrder() {
    for (const cell of this.table.querySelectorAll("th")) {
      const mine = this.order && cell.classList.contains(this.order.field);
      cell.setAttribute("aria-sort", mine ? (this.order.down ? "descending" : "ascending") : "none");
    }
  }

  // numbers begin with the largest; the third click goes back to the network's own order
  sort(field) {
    const number = this.sortable(field);
    const turns = number ? [true, false] : [false, true];
    const at = this.order && this.order.field === field ? turns.indexOf(this.order.down) + 1 : 0;
    this.order = at < 2 ? { field, down: turns[at] } : null;
    this.markOrder();
    this.drawRows();
    this.frame.scrollTop = 0;
  }

  // what a column is sorted by: the number behind it, else its text
  sortable(field) {
    if (field === "sees") return (row) => Number(row.sees.split(" – ").pop().replaceAll(",", ""));
    if (field === "input" || field === "output" || field === "weight") {
      return (row) => row[field].split(" × ").reduce((product, n) => product * Number(n.replaceAll(",", "")), row[field] ? 1 : 0);
    }
    return typeof this.rows[0][field] === "number" ? (row) => row[field] : null;
  }

  sorted(ids) {
    if (!this.order) return ids;
    const { field, down } = this.order, number = this.sortable(field);
    const compare = number ? (a, b) => number(this.rows[a]) - number(this.rows[b])
      : (a, b) => this.rows[a][field].localeCompare(this.rows[b][field], "en", { numeric: true });
    return [...ids].sort((a, b) => (down ? -1 : 1) * compare(a, b));
  }

  drawRows() {
    this.lines = new Map();
    const all = document.createDocumentFragment();
    const add = (id, depth) => {
      all.append(this.line(id, depth));
      if (this.open.has(this.rows[id].key)) for (const inner of this.sorted(this.children[id])) add(inner, depth + 1);
    };
    for (const id of this.sorted(this.data.level)) add(id, 0);
    this.body.replaceChildren(all);
    this.table.classList.toggle("coarse", ![...this.lines.keys()].some((id) => this.rows[id].kind === "Conv2d"));
    if (this.chosen !== undefined) this.markChosen();
  }

  line(id, depth) {
    const row = this.rows[id], inner = this.children[id].length > 0, open = this.open.has(row.key);
    const line = element("tr", { "data-row": id, tabindex: "-1", "aria-level": depth + 1, ...(inner ? { "aria-expanded": open } : {}) });
    for (const [field] of this.data.columns) {
      const cell = element("td", { class: field }, line);
      if (field === "name") this.fillName(cell, row, inner, open, depth);
      else if (this.data.bars.includes(field)) this.fillBar(cell, row[field], field);
      else { cell.textContent = field === "jump" ? grouped(row[field]) : row[field]; if (field === "kind") cell.title = row[field]; }
    }
    this.lines.set(id, line);
    return line;
  }

  fillName(cell, row, inner, open, depth) {
    const box = element("div", { style: `padding-left:${depth * 1.1}em` }, cell);
    element(inner ? "button" : "span", inner ? { type: "button", class: "turn", tabindex: "-1", "aria-label": open ? "Close" : "Open" } : { class: "turn" }, box);
    element("i", { class: `swatch r${row.shade}` }, box);
    element("span", { class: "text", title: row.name }, box, row.name);
    if (row.count > 1) element("b", {}, box, `× ${row.count}`);
  }

  fillBar(cell, value, field) {
    if (!value) return;
    element("i", { class: "bar", style: `width:${Math.min(100, (100 * value) / this.longest[field])}%` }, cell);
    this.fillNumber(cell, value, field);
  }

  fillNumber(cell, value, field) {
    const mebi = value / 2 ** 20;
    element("span", {}, cell, field !== "activation_bytes" ? grouped(value) : mebi < 0.0005 ? "< 0.001" : mebi.toFixed(3));
    element("small", {}, cell, percent(value / this.data.totals[field]));
  }

  // ------------------------------------------------------------ pointing, choosing

  rowAt(event) {
    const found = event.target.closest("[data-row]");
    return found ? Number(found.dataset.row) : null;
  }

  // the row or box of a part, or of what it is in, or of what is in it
  nearest(places, id) {
    for (let at = id; at >= 0; at = this.rows[at].parent) if (places.has(at)) return places.get(at);
    const inside = (at) => this.children[at].reduce((found, inner) => found ?? places.get(inner) ?? inside(inner), undefined);
    return inside(id);
  }

  point(id, place = null) {
    if (id === this.pointed) return;
    for (const node of this.root.querySelectorAll(".pointed")) node.classList.remove("pointed");
    this.pointed = id;
    if (id === null) return;
    const box = this.nearest(this.boxes, id), line = this.nearest(this.lines, id);
    for (const node of [box, line]) if (node) node.classList.add("pointed");
    if (line && place === this.strip) this.bring(line);
    if (box && place === this.frame) reveal(this.strip, box);
  }

  bring(line) {
    const [head, foot] = [this.table.tHead, this.table.tFoot].map((part) => part.getBoundingClientRect().height);
    const left = this.frame.scrollLeft;
    reveal(this.frame, line, head, foot);
    this.frame.scrollLeft = left;                            // a row is wider than the frame: only its height counts
  }

  click(event, place) {
    const id = this.rowAt(event);
    if (id === null) return;
    if (event.target.closest(".turn") && this.children[id].length) this.turn(id, !this.open.has(this.rows[id].key));
    else this.choose(id, place);
  }

  turn(id, open) {
    this.open[open ? "add" : "delete"](this.rows[id].key);
    this.drawRows();
  }

  choose(id, place) {
    this.mark(id, true, place);
    clearTimeout(this.telling);                              // held arrow keys are told once, at their end
    this.telling = setTimeout(() => this.send("chosen", this.rows[id].key), 120);
  }

  mark(id, focus, place = null) {
    this.chosen = id;
    this.markChosen();
    const box = this.nearest(this.boxes, id), line = this.nearest(this.lines, id);
    const look = () => { if (line) this.bring(line); if (box) reveal(this.strip, box); };
    if (focus) look(); else requestAnimationFrame(look);      // a fresh drawing is laid out once, by the browser
    const node = place === this.strip ? box : place === this.frame ? line : null;
    if (node) node.focus({ preventScroll: true });
    if (focus) this.spoken.textContent = this.describe(this.rows[id]);
  }

  markChosen() {
    const box = this.nearest(this.boxes, this.chosen), line = this.nearest(this.lines, this.chosen);
    for (const [places, one, name] of [[this.boxes, box, "aria-pressed"], [this.lines, line, "aria-selected"]]) {
      for (const node of places.values()) {
        node.classList.toggle("chosen", node === one);
        node.setAttribute(name, String(node === one));
        node.setAttribute("tabindex", node === one ? "0" : "-1");
      }
    }
  }

  key(event, place) {
    if (event.target.closest("th")) return;
    const inStrip = place === this.strip;
    const places = inStrip ? this.boxes : this.lines;
    const ids = [...places.keys()];
    const here = ids.findIndex((id) => places.get(id) === this.nearest(places, this.chosen) && (places.has(this.chosen) ? id === this.chosen : true));
    const to = (index) => this.choose(ids[Math.min(Math.max(index, 0), ids.length - 1)], place);
    const turn = (open) => { this.turn(ids[here], open); this.mark(ids[here], true, place); };
    const inner = !inStrip && this.children[ids[here]]?.length;
    const actions = {
      [inStrip ? "ArrowRight" : "ArrowDown"]: () => to(here + 1),
      [inStrip ? "ArrowLeft" : "ArrowUp"]: () => to(here - 1),
      Home: () => to(0), End: () => to(ids.length - 1),
      Enter: () => to(here), " ": () => to(here),
      ...(inner ? { ArrowRight: () => turn(true), ArrowLeft: () => turn(false) } : {}),
    };
    if (!actions[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    actions[event.key]();
  }
}

function mount(style) {
  return ({ data, parentElement, setStateValue }) => {
    if (!shown.has(parentElement)) shown.set(parentElement, new Architecture(parentElement, style));
    const architecture = shown.get(parentElement);
    architecture.show(JSON.parse(new TextDecoder().decode(data)), setStateValue);
    return () => { architecture.remove(); };
  };
}

// The code travels once a page in a component of its own; the drawing's own script is a few lines that wait for it.
export default function ({ data }) {
  arrived(data.version, mount(data.style));
}
