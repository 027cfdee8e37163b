// A line chart whose node, zoom and readout outlive its data: the server sends new arrays every second, the person keeps the view.
//
// Data arrive as bytes (see live_chart.py): uint32 length of a JSON head, the head padded to 4 bytes, then for every line
// its x and its y as float32. Drawn as SVG: crisp at every density, and colours follow the theme's variables by themselves.

const MARGIN = { top: 10, right: 14, bottom: 24, left: 52 };
const charts = new WeakMap();          // shadow root -> Chart
const groups = new Map();              // name -> charts that share the x view and the readout
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

// ---------------------------------------------------------------- numbers

function ticksOf(low, high, count, least = 0) {
  const step = Math.max(roundUp((high - low) / Math.max(count, 1)), least);
  const out = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) out.push(i * step || 0);   // -0 is 0
  const enough = out.length >= 2 || count >= 8 || step === least;      // one tick alone says no scale
  return enough ? { values: out, step } : ticksOf(low, high, count + 2, least);
}

// the next round number that is not below the value
function roundUp(value, ladder = [1, 2, 5, 10]) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ladder.find((m) => m * power >= value * 0.999);
}

function logTicksOf(low, high, count) {
  const from = Math.floor(Math.log10(low)), to = Math.ceil(Math.log10(high));
  const decades = Math.log10(high / low);
  if (decades < 0.5) return ticksOf(low, high, count);
  const every = Math.max(1, Math.ceil(decades / Math.max(count, 1)));
  const parts = decades < 1 ? [1, 2, 3, 4, 5, 6, 8] : decades < 2.5 ? [1, 2, 5] : [1];
  const out = [];
  for (let e = from; e <= to; e++) {
    if (e % every === 0) for (const m of parts) out.push(m * 10 ** e);
  }
  return { values: out.filter((v) => v >= low * 0.9999 && v <= high * 1.0001), step: null };
}

function grouped(value, digits) {
  return value.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function scientific(value, digits) {
  return value.toExponential(digits).replace("e+", "e").replaceAll("-", "\u2212");
}

function tickText(value, step, percent) {
  if (percent) return grouped(value * 100, step ? clamp(-Math.floor(Math.log10(step * 100) + 1e-9), 0, 4) : 0) + "\u202f%";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e7) {
    return scientific(value, step && step < size ? clamp(Math.ceil(Math.log10(size / step) - 1e-9), 0, 2) : 0);
  }
  return grouped(value, step ? clamp(-Math.floor(Math.log10(step) + 1e-9), 0, 6) : clamp(-Math.floor(Math.log10(size) + 1e-9), 0, 6));
}

function valueText(value, percent) {
  if (!Number.isFinite(value)) return "not a number";
  if (percent) return grouped(value * 100, 1) + "\u202f%";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return scientific(value, 1);
  return grouped(value, size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : size >= 0.1 || size === 0 ? 3 : 4);
}

// the index of the value nearest to `at` in ascending `xs`; with `before`, the last one not beyond it (-1: none)
function indexAt(xs, at, before) {
  let low = 0, high = xs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (xs[middle] <= at) low = middle + 1; else high = middle;
  }
  if (before || low === 0) return before ? low - 1 : 0;
  return low < xs.length && xs[low] - at < at - xs[low - 1] ? low : low - 1;
}

function decode(bytes) {
  const { head, buffer, start } = unpack(bytes);
  let at = start;
  for (const line of head.lines) {
    line.x = new Float32Array(buffer, at, line.points);
    line.y = new Float32Array(buffer, at + 4 * line.points, line.points);
    at += 8 * line.points;
  }
  return head;
}

// ---------------------------------------------------------------- the chart

class Chart {
  constructor(home, style) {
    this.home = home;
    this.hidden = new Set();
    this.view = null;                 // null: follow the data; else {x: [a, b], y: [c, d]}
    this.at = null;                   // x of the readout, in data units
    this.updates = 0;
    element("style", {}, home, style);
    this.root = element("section", { class: "chart" }, home);
    const head = element("header", {}, this.root);
    this.title = element("h3", {}, head);
    this.legend = element("div", { class: "legend", role: "group", "aria-label": "Lines: press to show or hide" }, head);
    const stage = element("div", { class: "stage" }, this.root);
    this.plot = element("div", { class: "plot", tabindex: "0", role: "img" }, stage);
    this.reset = element("button", { type: "button", class: "reset" }, stage, "Reset zoom");
    this.reset.addEventListener("click", () => this.unzoom());
    this.svg = shape("svg", { "aria-hidden": "true" }, this.plot);
    const clip = `clip-${Math.random().toString(36).slice(2)}`;
    this.clip = shape("rect", {}, shape("clipPath", { id: clip }, shape("defs", {}, this.svg)));
    this.layers = {};
    for (const name of ["grid", "events", "lines", "dots", "cursor"]) {
      this.layers[name] = shape("g", { class: name, ...(name === "lines" ? { "clip-path": `url(#${clip})` } : {}) }, this.svg);
    }
    this.box = shape("rect", { class: "box", visibility: "hidden" }, this.svg);
    this.empty = element("div", { class: "empty" }, this.plot);
    const foot = element("footer", {}, this.root);
    this.caption = element("span", { class: "caption" }, foot);
    this.xLabel = element("span", { class: "x-label" }, foot);
    this.spoken = element("div", { class: "spoken", "aria-live": "polite" }, this.root);
    this.listen();
    this.sizes = new ResizeObserver(() => this.draw());
    this.sizes.observe(this.plot);
  }

  show(data, send) {
    this.send = send;
    this.data = data;
    this.updates += 1;
    if (this.group !== data.group) this.join(data.group);
    this.title.textContent = data.title;
    if (data.y_label) element("small", {}, this.title, data.y_label);
    this.xLabel.textContent = data.x_label;
    this.caption.textContent = data.caption;
    this.empty.textContent = data.lines.some((line) => line.points) ? "" : data.empty;
    this.plot.setAttribute("aria-label", data.alt);
    this.plot.style.height = `${data.height}px`;
    this.drawLegend();
    this.draw();
  }

  join(group) {
    this.leave();
    this.group = group;
    if (!group) return;
    if (!groups.has(group)) groups.set(group, new Set());
    const other = [...groups.get(group)].find((chart) => chart.view);
    groups.get(group).add(this);
    if (other) this.view = { x: other.view.x, y: null };
  }

  leave() { groups.get(this.group)?.delete(this); }

  remove() {
    this.leave();
    this.sizes.disconnect();
    charts.delete(this.home);
    this.root.remove();
  }

  companions() { return this.group ? [...groups.get(this.group)] : [this]; }

  shown() { return this.data.lines.filter((line) => line.points > 0 && !this.hidden.has(line.name)); }

  // ------------------------------------------------------------ ranges

  fullX() {
    let low = Infinity, high = -Infinity;
    for (const chart of this.companions()) {
      for (const line of chart.data ? chart.data.lines : []) {
        if (!line.points) continue;
        low = Math.min(low, line.x[0]);
        high = Math.max(high, line.x[line.points - 1]);
      }
    }
    if (low > high) return [0, this.data.x_end || 1];
    // the axis grows in steps up to the planned end, so that the picture does not crawl with every update
    const end = this.data.x_end;
    if (low >= 0 && low < 0.2 * Math.max(high, end || 0)) low = 0;
    if (end && end > high) high = Math.min(end, Math.max(roundUp(1.2 * high, [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10]), roundUp(end / 50)));
    return high > low ? [low, high] : [low - 0.5, low + 0.5];
  }

  fitY([a, b]) {
    const log = this.data.log_y;
    let low = Infinity, high = -Infinity;
    for (const line of this.shown()) {
      for (let i = 0; i < line.points; i++) {
        const y = line.y[i];
        if (line.x[i] < a || line.x[i] > b || !Number.isFinite(y) || (log && y <= 0)) continue;
        if (y < low) low = y;
        if (y > high) high = y;
      }
    }
    if (low > high) return log ? [0.1, 1] : [0, 1];
    if (log) return low === high ? [low / 2, high * 2] : [low / (high / low) ** 0.06, high * (high / low) ** 0.06];
    // noise must not fill the chart: at least a tenth of the height, of a share a fifth of the whole
    const least = this.view ? 0 : this.data.percent ? 0.2 : 0.1 * Math.abs(high);
    if (high - low < least) [low, high] = [Math.min(low, (low + high - least) / 2), Math.max(high, (low + high + least) / 2)];
    if (this.data.percent) low = Math.max(low, 0);
    const space = (high - low || Math.abs(high) || 1) * 0.07;
    const floor = low >= 0 && low < 0.4 * high ? 0 : low >= 0 ? Math.max(0, low - space) : low - space;
    const roof = this.data.percent && high <= 1 ? Math.min(1, high + space) : high + space;
    return [floor, roof];
  }

  range() {
    if (!this.view) { const x = this.fullX(); return { x, y: this.fitY(x) }; }
    if (!this.view.y) this.view.y = this.fitY(this.view.x);
    return this.view;
  }

  zoom(x, y = null) {
    const [low, high] = this.fullX();
    const least = (high - low) * 1e-5;
    if (!(x[1] - x[0] > least)) return;
    for (const chart of this.companions()) chart.view = { x, y: chart === this ? y : null };
    this.after();
  }

  unzoom() {
    for (const chart of this.companions()) chart.view = null;
    this.after();
  }

  after() {
    for (const chart of this.companions()) {
      if (!chart.data) continue;
      chart.draw();
      chart.tell();
    }
  }

  // where points were left out, the server is asked for the detail of the part in view
  tell() {
    if (!this.send || !this.data.thinned) return;
    clearTimeout(this.telling);
    this.telling = setTimeout(() => this.send("view", this.view ? this.view.x : null), 250);
  }

  pan(dx, dy) {
    const { x, y } = this.range();
    const scale = this.scales();
    const shiftX = (dx / scale.width) * (x[1] - x[0]);
    const to = [x[0] - shiftX, x[1] - shiftX];
    if (!dy) return this.zoom(to, this.view ? y : null);
    const yOf = (pixel) => scale.yInverse(scale.top + pixel);
    return this.zoom(to, [yOf(scale.height - dy), yOf(-dy)]);
  }

  wheel(at, factor) {
    const [a, b] = this.range().x, [low, high] = this.fullX();
    const x = [at - (at - a) * factor, at + (b - at) * factor];
    if (factor > 1 && x[0] <= low && x[1] >= high) return this.unzoom();
    return this.zoom([Math.max(x[0], low - (high - low) * 0.02), Math.min(x[1], high + (high - low) * 0.02)]);
  }

  scales() {
    const { x, y } = this.range();
    const log = this.data.log_y;
    const width = Math.max(this.plot.clientWidth - MARGIN.left - MARGIN.right, 40);
    const height = Math.max(this.data.height - MARGIN.top - MARGIN.bottom, 40);
    const turn = log ? Math.log10 : (v) => v;
    const back = log ? (v) => 10 ** v : (v) => v;
    const [low, high] = [turn(y[0]), turn(y[1])];
    return {
      width, height, left: MARGIN.left, top: MARGIN.top,
      x: (v) => MARGIN.left + ((v - x[0]) / (x[1] - x[0])) * width,
      y: (v) => MARGIN.top + height - ((turn(v) - low) / (high - low)) * height,
      xInverse: (pixel) => x[0] + ((pixel - MARGIN.left) / width) * (x[1] - x[0]),
      yInverse: (pixel) => back(low + ((MARGIN.top + height - pixel) / height) * (high - low)),
    };
  }

  // ------------------------------------------------------------ drawing

  draw() {
    if (!this.data || !this.plot.clientWidth) return;
    const scale = this.scales();
    this.scale = scale;
    this.dark = isDark(this.plot);
    this.svg.setAttribute("width", this.plot.clientWidth);
    this.svg.setAttribute("height", this.data.height);
    for (const [name, value] of Object.entries({ x: scale.left, y: scale.top - 4, width: scale.width, height: scale.height + 5 })) {
      this.clip.setAttribute(name, value);
    }
    this.drawGrid(scale);
    this.drawEvents(scale);
    this.drawLevels(scale);
    this.drawLines(scale);
    this.drawCursor();
    this.reset.classList.toggle("on", Boolean(this.view));
    this.reset.tabIndex = this.view ? 0 : -1;
    Object.assign(this.root.dataset, {
      zoomed: String(Boolean(this.view)), updates: String(this.updates),
      x: this.range().x.join(" "), y: this.range().y.join(" "),
    });
  }

  drawGrid(scale) {
    const layer = this.layers.grid;
    layer.replaceChildren();
    const { x, y } = this.range();
    const bottom = scale.top + scale.height;
    const count = clamp(Math.round(scale.height / 48), 2, 8);
    if (this.empty.textContent) return this.drawBase(scale, bottom);
    const vertical = this.data.log_y ? logTicksOf(y[0], y[1], count) : ticksOf(y[0], y[1], count);
    for (const value of vertical.values) {
      const at = Math.round(scale.y(value)) + 0.5;
      shape("line", { x1: scale.left, x2: scale.left + scale.width, y1: at, y2: at }, layer);
      shape("text", { x: scale.left - 9, y: at, dy: "0.32em", "text-anchor": "end" }, layer,
        tickText(value, vertical.step, this.data.percent));
    }
    const isWhole = (line) => !line.points || (Number.isInteger(line.x[0]) && Number.isInteger(line.x[line.points - 1]));
    const whole = this.data.lines.every(isWhole);
    const horizontal = ticksOf(x[0], x[1], Math.max(2, Math.floor(scale.width / 84)), whole ? 1 : 0);   // no step 1.2
    this.drawBase(scale, bottom);
    for (const value of horizontal.values) {
      const at = Math.round(scale.x(value)) + 0.5;
      shape("line", { class: "base", x1: at, x2: at, y1: bottom, y2: bottom + 4 }, layer);
      const text = shape("text", { x: at, y: bottom + 18, "text-anchor": "middle" }, layer, tickText(value, horizontal.step, false));
      if (at + text.textContent.length * 3.6 > this.plot.clientWidth) text.setAttribute("text-anchor", "end");
    }
  }

  drawBase(scale, bottom) {
    shape("line", { class: "base", x1: scale.left, x2: scale.left + scale.width, y1: bottom + 0.5, y2: bottom + 0.5 }, this.layers.grid);
  }

  drawEvents(scale) {
    const layer = this.layers.events;
    layer.replaceChildren();
    let free = -Infinity;
    for (const event of this.data.events) {
      const at = Math.round(scale.x(event.x)) + 0.5;
      if (at < scale.left || at > scale.left + scale.width) continue;
      const mark = shape("g", {}, layer);
      shape("title", {}, mark, event.text);
      shape("line", { x1: at, x2: at, y1: scale.top, y2: scale.top + scale.height }, mark);
      const wide = event.text.length * 6.4 + 8;
      if (at < free) continue;                                  // a label would lie on its neighbour: the mark alone stays
      const left = at + wide > scale.left + scale.width;
      shape("text", { x: left ? at - 5 : at + 5, y: scale.top + 9, "text-anchor": left ? "end" : "start" }, mark, event.text);
      free = at + wide;
    }
  }

  drawLevels(scale) {
    if (this.empty.textContent) return;
    for (const level of this.data.levels) {
      const at = Math.round(scale.y(level.y)) + 0.5;
      if (!(at > scale.top && at < scale.top + scale.height)) continue;
      shape("line", { x1: scale.left, x2: scale.left + scale.width, y1: at, y2: at }, this.layers.events);
      shape("text", { x: scale.left + scale.width - 4, y: at - 5, "text-anchor": "end" }, this.layers.events, level.text);
    }
  }

  drawLines(scale) {
    const layer = this.layers.lines, dots = this.layers.dots;
    layer.replaceChildren();
    dots.replaceChildren();
    const [a, b] = this.range().x;
    const order = { raw: 0, smooth: 1, points: 2 };
    for (const line of [...this.shown()].sort((p, q) => order[p.style] - order[q.style])) {
      const from = Math.max(indexAt(line.x, a, true), 0), to = Math.min(indexAt(line.x, b, true) + 2, line.points);
      const path = this.pathOf(line, from, to, scale);
      const colour = line.colours[this.dark ? 1 : 0];
      const drawn = shape("path", { class: line.style, d: path.line, stroke: colour }, layer);
      if (line.dash.length) drawn.setAttribute("stroke-dasharray", line.dash.join(" "));
      const spacing = scale.width / Math.max(to - from, 1);      // pixels a point: dense lines turn pale, dense markers go
      if (line.style === "raw") drawn.style.opacity = clamp(0.12 + 0.18 * spacing, 0.24, 0.45);
      Object.assign(drawn.dataset, {
        line: line.name, style: line.style, points: line.points, total: line.total,
        lastX: line.x[line.points - 1], last: line.y[line.points - 1],
      });
      const end = line.points - 1, endY = scale.y(line.y[end]);
      if (line.style === "points" && spacing > 9) {
        shape("path", { class: "halo", d: path.dots }, dots);
        shape("path", { class: "dots", d: path.dots, stroke: colour }, dots);
      } else if (line.style !== "raw" && line.x[end] <= b && endY >= scale.top && endY <= scale.top + scale.height) {
        shape("circle", { class: "tip", r: 3.5, fill: colour, cx: scale.x(line.x[end]), cy: endY }, dots);
      }
    }
  }

  pathOf(line, from, to, scale) {
    const log = this.data.log_y, [a, b] = this.range().x, bottom = scale.top + scale.height;
    let path = "", dots = "", pen = "M";
    for (let i = from; i < to; i++) {
      const value = line.y[i];
      if (!Number.isFinite(value) || (log && value <= 0)) { pen = "M"; continue; }
      const px = scale.x(line.x[i]).toFixed(1), py = clamp(scale.y(value), -1e4, 1e4).toFixed(1);
      path += `${pen}${px} ${py}`;
      if (line.style === "points" && line.x[i] >= a && line.x[i] <= b && py >= scale.top - 1 && py <= bottom + 1) dots += `M${px} ${py}h0`;
      pen = "L";
    }
    return { line: path, dots };
  }

  // ------------------------------------------------------------ legend and readout

  drawLegend() {
    const names = [...new Set(this.data.lines.map((line) => line.name))];
    const signature = JSON.stringify(this.data.lines.map((line) => [line.name, line.style, line.colours, line.dash]));
    if (signature !== this.signature) {
      this.signature = signature;
      this.entries = new Map();
      this.legend.replaceChildren();
      for (const name of names) {
        const line = this.data.lines.findLast((one) => one.name === name);
        const button = element("button", { type: "button", "aria-pressed": "true" }, this.legend);
        const key = shape("svg", { class: "key", width: 22, height: 10, "aria-hidden": "true" }, button);
        const stroke = shape("path", { d: "M1 5H21", class: line.style === "points" ? "points" : "smooth" }, key);
        if (line.dash.length) stroke.setAttribute("stroke-dasharray", line.dash.join(" "));
        if (line.style === "points") shape("circle", { cx: 11, cy: 5, r: 3.5 }, key);
        element("span", { class: "name" }, button, name);
        const value = element("span", { class: "value" }, button);
        button.addEventListener("click", () => this.toggle(name));
        this.entries.set(name, { button, value, key, line });
      }
    }
    const dark = isDark(this.plot);
    for (const [name, entry] of this.entries) {
      entry.key.style.color = entry.line.colours[dark ? 1 : 0];
      entry.button.setAttribute("aria-pressed", String(!this.hidden.has(name)));
    }
  }

  toggle(name) {
    if (!this.hidden.delete(name)) this.hidden.add(name);
    if (this.view) this.view.y = null;
    this.drawLegend();
    this.draw();
  }

  // the x that the readout snaps to: of the line with most points
  snapped() {
    const dense = this.shown().reduce((best, line) => (!best || line.points > best.points ? line : best), null);
    return dense && this.at !== null ? dense.x[indexAt(dense.x, this.at, false)] : null;
  }

  readout(at) {
    const found = [];
    for (const line of this.shown()) {
      const index = at === null ? line.points - 1 : indexAt(line.x, at, line.style === "points");
      if (index >= 0) found.push({ line, x: line.x[index], y: line.y[index] });
    }
    return found;
  }

  drawCursor() {
    const layer = this.layers.cursor, scale = this.scale;
    layer.replaceChildren();
    const at = this.snapped();
    const found = this.readout(at);
    for (const [name, entry] of this.entries) {
      const own = found.filter((one) => one.line.name === name);
      const main = own.find((one) => one.line.style !== "raw") || own[0];
      const raw = own.find((one) => one.line.style === "raw" && one !== main);
      entry.value.textContent = main ? valueText(main.y, this.data.percent) : "\u2013";
      if (raw) element("small", {}, entry.value, `raw ${valueText(raw.y, this.data.percent)}`);
    }
    this.root.dataset.readout = at === null ? "" : String(at);
    if (at === null) return;
    const px = Math.round(scale.x(at)) + 0.5;
    if (px < scale.left - 1 || px > scale.left + scale.width + 1) return;
    shape("line", { x1: px, x2: px, y1: scale.top, y2: scale.top + scale.height }, layer);
    for (const { line, x, y } of found) {
      if (!Number.isFinite(y) || line.style === "raw") continue;
      shape("circle", { r: 4.5, cx: scale.x(x), cy: clamp(scale.y(y), 0, 1e4), fill: line.colours[this.dark ? 1 : 0] }, layer);
    }
    const label = tickText(at, Number.isInteger(at) ? 1 : Math.abs(at) / 1000 || 1, false);
    const wide = label.length * 7 + 14;
    const middle = clamp(px, scale.left + wide / 2 - 8, scale.left + scale.width + 10 - wide / 2);
    shape("rect", { class: "chip", x: middle - wide / 2, y: scale.top + scale.height + 4, width: wide, height: 19, rx: 4 }, layer);
    shape("text", { x: middle, y: scale.top + scale.height + 18, "text-anchor": "middle" }, layer, label);
  }

  point(at) {
    for (const chart of this.companions()) {
      if (!chart.data || !chart.scale) continue;
      chart.at = at;
      chart.drawCursor();
    }
  }

  speak() {
    const at = this.snapped();
    if (at === null) return;
    const said = this.readout(at).filter((one) => one.line.style !== "raw")
      .map((one) => `${one.line.name} ${valueText(one.y, this.data.percent)}`);
    this.spoken.textContent = `${this.data.x_label} ${tickText(at, 1, false)}: ${said.join(", ")}`;
  }

  // ------------------------------------------------------------ hands

  listen() {
    const plot = this.plot;
    plot.addEventListener("pointerdown", (event) => this.press(event));
    plot.addEventListener("pointermove", (event) => this.move(event));
    plot.addEventListener("pointerup", (event) => this.release(event));
    plot.addEventListener("pointercancel", () => this.drop());
    plot.addEventListener("pointerleave", () => { if (!this.drag) this.point(null); });
    plot.addEventListener("dblclick", () => this.unzoom());
    plot.addEventListener("keydown", (event) => this.key(event));
    plot.addEventListener("blur", () => this.point(null));
    plot.addEventListener("wheel", (event) => {
      // the page must stay scrollable: the wheel is ours with Ctrl, or once the chart was clicked
      if (!this.data || !(event.ctrlKey || event.metaKey || this.home.activeElement === plot)) return;
      event.preventDefault();
      this.wheel(this.scale.xInverse(this.place(event).x), Math.exp(clamp(event.deltaY, -100, 100) * 0.003));
    }, { passive: false });
  }

  place(event) {
    const box = this.plot.getBoundingClientRect();
    const { left, top, width, height } = this.scale;
    return { x: clamp(event.clientX - box.left, left, left + width), y: clamp(event.clientY - box.top, top, top + height) };
  }

  press(event) {
    if (event.button !== 0 || !this.scale) return;
    this.drag = { from: this.place(event), pan: event.shiftKey, last: { x: event.clientX, y: event.clientY }, moved: false };
    this.plot.setPointerCapture(event.pointerId);
  }

  move(event) {
    if (!this.scale) return;
    const here = this.place(event);
    if (!this.drag) return void this.point(this.scale.xInverse(here.x));
    const { from, pan, last } = this.drag;
    if (Math.hypot(here.x - from.x, here.y - from.y) > 4) this.drag.moved = true;
    if (pan) {
      this.pan(event.clientX - last.x, event.clientY - last.y);
      this.drag.last = { x: event.clientX, y: event.clientY };
    } else if (this.drag.moved) {
      const tall = Math.abs(here.y - from.y) > 20;              // a flat drag means: this stretch of x, all of y
      const box = { x: Math.min(from.x, here.x), width: Math.abs(here.x - from.x),
        y: tall ? Math.min(from.y, here.y) : this.scale.top, height: tall ? Math.abs(here.y - from.y) : this.scale.height };
      for (const [name, value] of Object.entries(box)) this.box.setAttribute(name, value);
      this.box.setAttribute("visibility", "visible");
      this.drag.box = tall ? box : { ...box, flat: true };
    }
  }

  release(event) {
    const drag = this.drag;
    this.drop();
    if (drag && !drag.moved) this.point(this.scale.xInverse(this.place(event).x));
    if (!drag || drag.pan || !drag.box || drag.box.width < 8) return;
    const { x, y, width, height, flat } = drag.box;
    this.zoom([this.scale.xInverse(x), this.scale.xInverse(x + width)],
      flat ? null : [this.scale.yInverse(y + height), this.scale.yInverse(y)]);
  }

  drop() {
    this.drag = null;
    this.box.setAttribute("visibility", "hidden");
  }

  key(event) {
    if (!this.data || !this.scale || !this.shown().length) return;
    const [a, b] = this.range().x;
    const dense = this.shown().reduce((best, line) => (line.points > best.points ? line : best));
    const index = this.at === null ? indexAt(dense.x, b, true) : indexAt(dense.x, this.at, false);
    const to = (i) => { this.point(dense.x[clamp(i, 0, dense.points - 1)]); this.speak(); };
    const far = event.ctrlKey || event.altKey ? 10 : 1;
    const middle = this.snapped() ?? (a + b) / 2;
    const actions = {
      ArrowLeft: () => (event.shiftKey ? this.pan(40, 0) : to(index - (this.at === null ? 0 : far))),
      ArrowRight: () => (event.shiftKey ? this.pan(-40, 0) : to(index + far)),
      Home: () => to(0), End: () => to(dense.points - 1),
      "+": () => this.wheel(middle, 0.7), "=": () => this.wheel(middle, 0.7), "-": () => this.wheel(middle, 1 / 0.7),
      0: () => this.unzoom(), Escape: () => { this.unzoom(); this.point(null); },
    };
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  }
}

function mount(style) {
  return ({ data, parentElement, setStateValue }) => {
    if (!charts.has(parentElement)) charts.set(parentElement, new Chart(parentElement, style));
    const chart = charts.get(parentElement);
    chart.show(decode(data), setStateValue);
    return () => chart.remove();
  };
}

// The code travels once a page in a component of its own; every chart's own script is a few lines that wait for it.
export default function ({ data }) {
  arrived(data.version, mount(data.style));
}
