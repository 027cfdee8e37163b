// A heat map of layers by steps whose node and readout outlive its data: the server sends new columns, the person keeps the cell.
//
// Data arrive as bytes (see gradient_map.py): uint32 length of a JSON head, the head padded to 4 bytes, then of every column
// its first and last step (int32), then the values, layer by layer, as uint16 codes of their logarithm.
// Drawn on a canvas; labels and cursor are SVG, so that they follow the theme's variables by themselves.

const ZERO = 0, UNKNOWN = 65535, CODES = 65533;      // 1 ... 65534: from the head's `low` to its `high` power of ten
const BOTTOM = 22, NARROW = 560;                     // pixels under the map for the axis; a narrower map has smaller labels
const maps = new WeakMap();                          // shadow root -> HeatMap
const groups = new Map();                            // name -> maps that share the cell under the mouse
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const grouped = (value) => value.toLocaleString("en-GB");

function valueText(value) {
  if (Number.isNaN(value)) return "not known";
  if (value === 0) return "exactly 0";
  if (value >= 1e-3 && value < 1e4) return value >= 1000 ? grouped(Math.round(value)) : String(Number(value.toPrecision(3)));
  return value.toExponential(1).replace("e+", "e").replaceAll("-", "\u2212");
}

function decode(bytes) {
  const { head, buffer, start } = unpack(bytes), side = 4 * head.columns;
  head.first = new Int32Array(buffer, start, head.columns);
  head.last = new Int32Array(buffer, start + side, head.columns);
  head.codes = new Uint16Array(buffer, start + 2 * side, head.columns * head.layers.length);
  return head;
}

class HeatMap {
  constructor(home, style, table) {
    this.home = home;
    this.table = table;                              // 256 colours, "rrggbb" one after another
    this.at = null;                                  // the cell of the readout: {step, row}
    this.updates = 0;
    element("style", {}, home, style);
    this.root = element("section", { class: "map" }, home);
    const header = element("header", {}, this.root);
    this.title = element("h3", {}, header);
    this.scale = element("div", { class: "scale", "aria-hidden": "true" }, header);
    this.bar = element("canvas", { width: 256, height: 1 }, this.scale);
    this.ends = element("div", {}, this.scale);
    this.said = element("div", { class: "said", "aria-hidden": "true" }, this.root);
    this.plot = element("div", { class: "plot", tabindex: "0", role: "img" }, this.root);
    this.canvas = element("canvas", {}, this.plot);
    this.svg = shape("svg", { "aria-hidden": "true" }, this.plot);
    this.frame = shape("g", {}, this.svg);
    this.cursor = shape("g", { class: "cursor" }, this.svg);
    const foot = element("footer", {}, this.root);
    this.caption = element("span", {}, foot);
    element("span", {}, foot, "step");
    this.spoken = element("div", { class: "spoken", "aria-live": "polite" }, this.root);
    this.paintBar();
    this.listen();
    this.sizes = new ResizeObserver(() => { this.said.style.minHeight = ""; this.draw(); });
    this.sizes.observe(this.plot);
  }

  colour(index) {
    const value = parseInt(this.table.slice(6 * index, 6 * index + 6), 16);
    return [value >> 16, (value >> 8) & 255, value & 255, 255];
  }

  paintBar() {
    const context = this.bar.getContext("2d"), image = context.createImageData(256, 1);
    for (let i = 0; i < 256; i++) image.data.set(this.colour(i), 4 * i);
    context.putImageData(image, 0, 0);
  }

  show(data) {
    this.data = data;
    this.updates += 1;
    if (this.group !== data.group) this.join(data.group);
    this.title.textContent = data.title;
    element("small", {}, this.title, data.reading);
    this.caption.textContent = data.caption;
    this.ends.replaceChildren();
    for (const text of data.ticks) element("span", {}, this.ends, text);
    this.plot.setAttribute("aria-label", data.alt);
    this.paint();
    this.draw();
  }

  join(group) {
    this.leave();
    this.group = group;
    if (!groups.has(group)) groups.set(group, new Set());
    groups.get(group).add(this);
  }

  leave() { groups.get(this.group)?.delete(this); }

  remove() {
    this.leave();
    this.sizes.disconnect();
    maps.delete(this.home);
    this.root.remove();
  }

  value(row, column) {
    const code = this.data.codes[row * this.data.columns + column];
    if (code === ZERO || code === UNKNOWN) return code === ZERO ? 0 : NaN;
    return 10 ** (this.data.low + ((code - 1) / CODES) * (this.data.high - this.data.low));
  }

  // one pixel a cell; drawn larger later, column by column
  paint() {
    const { columns, layers, range } = this.data;
    const [low, high] = range.map(Math.log10);
    this.cells = new OffscreenCanvas(Math.max(columns, 1), layers.length);
    const context = this.cells.getContext("2d"), image = context.createImageData(Math.max(columns, 1), layers.length);
    for (let row = 0; row < layers.length; row++) {
      for (let column = 0; column < columns; column++) {
        const value = this.value(row, column);
        const share = value === 0 ? 0 : clamp((Math.log10(value) - low) / (high - low), 0, 1);
        image.data.set(Number.isNaN(value) ? [128, 128, 128, 255] : this.colour(Math.round(share * 255)), 4 * (row * columns + column));
      }
    }
    context.putImageData(image, 0, 0);
  }

  // ------------------------------------------------------------ drawing

  measure() {
    const wide = this.plot.clientWidth, narrow = wide < NARROW, layers = this.data.layers.length;
    const longest = Math.max(...this.data.layers.map((name) => name.length));
    const large = parseFloat(getComputedStyle(this.root).fontSize) / 14;      // whoever presents has larger letters
    const left = Math.min(longest * (narrow ? 5.2 : 6.6) * large + 12, 0.35 * wide);
    const rowHeight = layers <= 24 ? (narrow ? 13 : 16) * large : Math.max(4, 384 / layers);
    const height = Math.round(rowHeight * layers), width = Math.max(wide - left - 6, 40);
    const end = Math.max(this.data.x_end, 1);
    this.place = { wide, narrow, large, bottom: Math.round(BOTTOM * large), left, rowHeight, height, width, x: (step) => left + (step / end) * width, end };
    return this.place;
  }

  edge(column) {
    const { first, last, columns, every } = this.data;
    return column < columns ? (column === 0 ? 0 : first[column]) : Math.min(last[columns - 1] + every, this.data.x_end);
  }

  draw() {
    if (!this.data || !this.plot.clientWidth) return;
    const place = this.measure(), { left, width, height, wide, bottom } = place, ratio = window.devicePixelRatio || 1;
    this.root.classList.toggle("narrow", place.narrow);
    this.plot.style.height = `${height + bottom}px`;
    Object.assign(this.canvas.style, { left: `${left}px`, top: "0px", width: `${width}px`, height: `${height}px` });
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.svg.setAttribute("width", wide);
    this.svg.setAttribute("height", height + bottom);
    const context = this.canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    const pixel = (step) => Math.round((place.x(step) - left) * ratio);
    for (let column = 0; column < this.data.columns; column++) {
      const from = pixel(this.edge(column)), to = Math.max(pixel(this.edge(column + 1)), from + 1);
      context.drawImage(this.cells, column, 0, 1, this.data.layers.length, from, 0, to - from, this.canvas.height);
    }
    this.drawFrame(place);
    this.drawCursor();
    Object.assign(this.root.dataset, { updates: String(this.updates), columns: String(this.data.columns), xEnd: String(this.data.x_end) });
  }

  drawFrame({ left, width, height, rowHeight, narrow, large, bottom, x, end }) {
    this.frame.replaceChildren();
    const done = x(this.edge(this.data.columns));
    if (done < left + width - 1) shape("rect", { class: "unknown", x: done, y: 0, width: left + width - done, height }, this.frame);
    const every = Math.ceil(((narrow ? 11 : 13) * large) / rowHeight), rows = this.data.layers.length;
    this.data.layers.forEach((name, row) => {
      if (row % every && row !== rows - 1) return;
      if (row !== rows - 1 && (rows - 1 - row) < every) return;             // the last one has its place
      shape("text", { x: left - 6, y: (row + 0.5) * rowHeight, dy: "0.34em", "text-anchor": "end" }, this.frame, name);
    });
    shape("line", { class: "base", x1: left, x2: left + width, y1: height + 0.5, y2: height + 0.5 }, this.frame);
    const wanted = end / Math.max(2, Math.floor(width / (90 * large))), power = 10 ** Math.floor(Math.log10(wanted));
    const step = Math.max(1, power * [1, 2, 3, 4, 5, 10].find((m) => m * power >= wanted * 0.999));
    for (let value = 0; value <= end; value += step) {
      const at = Math.round(x(value)) + 0.5;
      shape("line", { class: "base", x1: at, x2: at, y1: height, y2: height + 4 }, this.frame);
      const last = value + step > end && at > left + width - 24 * large;
      shape("text", { x: last ? left + width : at, y: height + bottom - 5, "text-anchor": last ? "end" : "middle" }, this.frame, grouped(value));
    }
  }

  columnAt(step) {
    let low = 0, high = this.data.columns - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.edge(middle) <= step) low = middle; else high = middle - 1;
    }
    return low;
  }

  words(row, column) {
    const { first, last, per_epoch, layers } = this.data;
    const when = first[column] === last[column] ? `step ${grouped(first[column])}` : `steps ${grouped(first[column])} to ${grouped(last[column])}`;
    const epoch = per_epoch ? ` (epoch ${grouped(Math.floor((last[column] - 1) / per_epoch) + 1)})` : "";
    return [`${layers[row]}, layer ${row + 1} of ${layers.length}, ${when}${epoch}: `, valueText(this.value(row, column))];
  }

  drawCursor() {
    this.said.style.minHeight = `${this.said.offsetHeight}px`;   // a shorter text must not pull the map up under the mouse
    this.cursor.replaceChildren();
    this.said.replaceChildren();
    this.root.dataset.cell = "";
    if (!this.at || !this.data.columns) return void this.said.append(this.data.rest);
    const { x, height, rowHeight, left, width } = this.place;
    const column = this.columnAt(this.at.step), from = x(this.edge(column)), to = x(this.edge(column + 1));
    const middle = (from + to) / 2;
    for (const inner of ["", "inner"]) shape("line", { class: inner, x1: middle, x2: middle, y1: 0, y2: height }, this.cursor);
    const row = this.data.layers.indexOf(this.at.layer);
    if (row < 0) return void this.said.append(`no layer ${this.at.layer} here`);
    const wide = Math.max(to - from, 6);
    for (const inner of ["", "inner"]) {
      shape("rect", { class: inner, x: clamp(middle - wide / 2, left, left + width - wide), y: row * rowHeight, width: wide, height: Math.max(rowHeight, 4) }, this.cursor);
    }
    const [words, value] = this.words(row, column);
    this.said.append(words);
    element("b", {}, this.said, value);
    Object.assign(this.root.dataset, { cell: `${this.data.layers[row]} ${this.data.first[column]}`, value: String(this.value(row, column)) });
  }

  // ------------------------------------------------------------ hands

  point(at) {
    for (const map of this.group ? groups.get(this.group) : [this]) {
      if (!map.data || !map.place) continue;
      map.at = at;
      map.drawCursor();
    }
  }

  under(event) {
    const box = this.plot.getBoundingClientRect(), { left, width, rowHeight, end } = this.place;
    const row = clamp(Math.floor((event.clientY - box.top) / rowHeight), 0, this.data.layers.length - 1);
    return { step: clamp((event.clientX - box.left - left) / width, 0, 1) * end, layer: this.data.layers[row] };
  }

  listen() {
    this.plot.addEventListener("pointermove", (event) => { if (this.place) this.point(this.under(event)); });
    this.plot.addEventListener("pointerdown", (event) => { if (this.place) this.point(this.under(event)); });
    this.plot.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") this.point(null); });
    this.plot.addEventListener("blur", () => this.point(null));
    this.plot.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    if (!this.place || !this.data.columns) return;
    const { layers, columns, first } = this.data;
    const row = this.at ? Math.max(layers.indexOf(this.at.layer), 0) : 0;
    const column = this.at ? this.columnAt(this.at.step) : columns - 1;
    const far = event.ctrlKey || event.altKey ? 10 : 1, none = this.at ? 0 : 1;
    const to = (r, c) => {
      const [here, there] = [clamp(r, 0, layers.length - 1), clamp(c, 0, columns - 1)];
      this.point({ step: first[there], layer: layers[here] });
      this.spoken.textContent = this.words(here, there).join("");
    };
    const actions = {
      ArrowLeft: () => to(row, column - (none ? 0 : far)), ArrowRight: () => to(row, column + (none ? 0 : far)),
      ArrowUp: () => to(row - (none ? 0 : far), column), ArrowDown: () => to(row + (none ? 0 : far), column),
      Home: () => to(row, 0), End: () => to(row, columns - 1), PageUp: () => to(0, column), PageDown: () => to(layers.length - 1, column),
      Escape: () => this.point(null),
    };
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  }
}

function mount(style, table) {
  return ({ data, parentElement }) => {
    if (!maps.has(parentElement)) maps.set(parentElement, new HeatMap(parentElement, style, table));
    const map = maps.get(parentElement);
    map.show(decode(data));
    return () => map.remove();
  };
}

// The code travels once a page in a component of its own; every map's own script is a few lines that wait for it.
export default function ({ data }) {
  arrived(data.version, mount(data.style, data.table));
}
