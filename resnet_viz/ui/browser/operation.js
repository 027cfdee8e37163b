// One operation of a network on a few numbers: a window moves under the mouse, by play or by arrow keys, both ways.
//
// All numbers and sentences come from the server (ui/operations.py, described); here only the products under the window are
// multiplied. A rest of the window is reported as trigger "rested" (its place in reading order), a dragged crop of the
// picture as "moved" ([top, left] of the map's outputs).

const SPEEDS = [1500, 900, 500, 250, 120];   // milliseconds a step
const LARGEST = 46, READABLE = 24, GAP = 1;  // pixels of a cell; smaller than READABLE only its colour is shown
const shown = new WeakMap();
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const minus = (text) => text.replace("-", "\u2212");

// in a cell: whole numbers as they are, others with two digits
function brief(value) {
  if (value === null) return "\u2212\u221e";
  if (Number.isInteger(value)) return minus(String(value));
  if (Math.abs(value) > 0.9 && Math.abs(Math.abs(value) - 1) < 0.005) return minus(value.toPrecision(3));   // 0.997 is not 1
  return minus(Math.abs(value) < 0.005 ? "\u22480" : Math.abs(value) < 10 ? String(Number(value.toFixed(Math.abs(value) < 1 ? 2 : 1))) : value.toFixed(0));
}

export default function ({ data, parentElement, setTriggerValue }) {
  const machine = shown.get(parentElement) ?? new Machine(parentElement);
  shown.set(parentElement, machine);
  machine.report = setTriggerValue;
  if (machine.data?.digest === data.digest) return;   // only the place of rest changed, which this machine reported itself
  machine.take(data);
}

// ---------------------------------------------------------------- a matrix of coloured cells

class Matrix {
  constructor(parent, title, note, rows, columns, side) {
    this.figure = element("figure", {}, parent);
    this.caption = element("figcaption", {}, this.figure, title);
    const label = note ? `${title}, ${note}` : title;
    if (note) element("small", {}, this.caption, ` ${note}`);
    this.rows = rows;
    this.columns = columns;
    this.side = side;
    this.node = element("div", { class: "matrix", role: "img", "aria-label": label }, this.figure);
    this.node.style.gridTemplate = `repeat(${rows}, ${side}px) / repeat(${columns}, ${side}px)`;
    this.cells = Array.from({ length: rows * columns }, () => element("i", {}, this.node));
    this.node.style.fontSize = `${clamp(side * 0.34, 9, 15)}px`;
  }

  fill(values, colours, limit) {   // values row by row; null stands for minus infinity
    this.cells.forEach((cell, i) => {
      const value = values[i], part = value === null ? 0 : clamp(value / (limit || 1), -1, 1);
      const index = Math.round((part + 1) / 2 * (colours.length - 1));
      cell.style.background = colours[index];
      cell.style.color = Math.abs(part) > 0.62 ? "#fff" : "#111";
      cell.textContent = this.side >= READABLE ? brief(value) : "";
      cell.title = brief(value);
    });
  }

  frame() {
    this.ring = element("b", { class: "ring" }, this.node);
    return this;
  }

  surround(top, left, height, width) {
    const step = this.side + GAP;
    Object.assign(this.ring.style, { top: `${top * step}px`, left: `${left * step}px`,
                                     height: `${height * step - GAP}px`, width: `${width * step - GAP}px` });
  }

  at(event) {   // row and column under the mouse
    const box = this.node.getBoundingClientRect();
    return [clamp(Math.floor((event.clientY - box.top) / box.height * this.rows), 0, this.rows - 1),
            clamp(Math.floor((event.clientX - box.left) / box.width * this.columns), 0, this.columns - 1)];
  }
}

// ---------------------------------------------------------------- the machine

class Machine {
  constructor(parent) {
    this.root = element("section", { class: "operation" }, parent);
    this.bar = element("div", { class: "bar" }, this.root);
    this.play = element("button", { type: "button", class: "play" }, this.bar, "Play");
    this.play.onclick = () => this.toggle();
    element("button", { type: "button", "aria-label": "One step back", title: "One step back" }, this.bar, "\u25c0").onclick = () => this.go(-1);
    element("button", { type: "button", "aria-label": "One step on", title: "One step on" }, this.bar, "\u25b6").onclick = () => this.go(1);
    const label = element("label", {}, this.bar, "Speed");
    this.speed = element("input", { type: "range", min: 0, max: SPEEDS.length - 1, value: 2 }, label);
    this.speed.oninput = () => this.timer && (this.stop(), this.toggle());
    this.hint = element("span", {}, this.bar, "Point at a cell of the input or of the output; arrow keys move, space plays.");
    this.stage = element("div", { class: "stage", tabindex: 0, role: "group" }, this.root);
    this.stage.onkeydown = (event) => this.key(event);
    this.said = element("output", { class: "said" }, this.root);
    let width = 0;
    new ResizeObserver(() => {
      if (this.data && Math.abs(width - this.root.clientWidth) > 2) { width = this.root.clientWidth; this.build(); }
    }).observe(this.root);
  }

  take(data) {
    this.stop();
    this.data = data;
    this.rows = data.output.length;
    this.columns = data.output[0].length;
    this.place = clamp(data.at, 0, this.rows * this.columns - 1);
    this.build();
  }

  // -------------------------------------------------- what stands where

  sizes() {
    const { inputs, window: [high, wide], parts, factors, patch } = this.data, room = this.root.clientWidth;
    const across = inputs[0][0].length, down = inputs[0].length, narrow = room < 700, many = inputs.length > 1;
    const middle = wide * ((factors ? 1 : 0) + (patch ? 1 : 0));
    const total = across + (across === wide && down === 1 ? 0 : middle) + (parts ? this.columns : 0) + this.columns;
    let side = narrow ? Math.floor((room - 8) / Math.max(across, this.columns)) - GAP : Math.floor((room - 190) / total) - GAP;
    if (!narrow && across === wide && down === 1) side = Math.floor((room - 60) / Math.max(across, this.columns)) - GAP;
    side = clamp(side, 9, LARGEST);
    if (many) side = Math.min(side, narrow ? 14 : LARGEST, Math.max(12, Math.floor(430 / (down * inputs.length))));
    const inner = many ? clamp(Math.floor(down * side / high) - GAP, 12, LARGEST) : side;
    const fits = Math.floor((room - 60) / (narrow ? Math.max(wide, 1) : middle || 1)) - GAP;
    const beside = Math.floor((room - side * across - 90) / middle) - GAP;   // on a phone too, kernel and products beside the input
    return { side, inner: Math.min(inner, narrow && many && beside >= READABLE ? beside : fits), last: many ? Math.min(LARGEST, Math.floor(side * 1.5)) : side };
  }

  build() {
    const { data } = this, { inputs, names, window: [high, wide], factors, parts, limits, colours } = data;
    const { side, inner, last } = this.sizes();
    this.stage.replaceChildren();
    this.marker = false;
    this.stage.setAttribute("aria-label", `${data.title}: arrow keys move the window, space plays`);
    const lying = inputs[0].length === 1 && wide === inputs[0][0].length && factors;   // a row of numbers: its factors below it
    const channels = element("div", { class: lying ? "channels lying" : "channels" }, this.stage);
    this.views = names.map((name, c) => {
      const row = element("div", { class: "channel" }, channels), view = {};
      if (c < inputs.length) {
        view.input = this.matrix(row, "Input", inputs.length > 1 ? name : data.sizes.input, inputs[c], side, limits.inputs).frame();
        this.mark(view.input);
        this.both(view.input, (place) => this.under(place));
        if (factors) {
          if (data.signs.times) element("span", { class: "sign" }, row, data.signs.times);
          view.factor = new Matrix(row, data.factor, null, high, wide, inner);
        }
        if (data.patch) {
          element("span", { class: "sign" }, row, factors ? "=" : "\u2192");
          view.patch = new Matrix(row, data.patch, null, high, wide, inner);
        }
      } else {
        row.classList.add("rest");
        element("span", { class: "note" }, row, name);
      }
      if (parts) {
        element("span", { class: "sign" }, row, "\u2192");
        view.part = this.matrix(row, "Share", c < inputs.length ? name : null, parts[c], side, limits.outputs).frame();
        this.both(view.part, (place) => place);
      }
      return view;
    });
    if (data.curve) this.curve();
    const end = element("div", { class: "end" }, this.stage);
    if (data.picture) this.thumbnail(end);
    const result = element("div", { class: "channel" }, end);
    element("span", { class: "sign" }, result, data.signs.gives);
    this.output = this.matrix(result, "Output", data.sizes.output, data.output, last, limits.outputs).frame();
    this.output.node.setAttribute("aria-label", data.alt);
    this.both(this.output, (place) => place);
    this.draw();
  }

  matrix(parent, title, note, values, side, limit) {
    const made = new Matrix(parent, title, note, values.length, values[0].length, side);
    made.fill(values.flat(), this.data.colours, limit);
    return made;
  }

  mark(matrix) {   // padding and what no window reaches
    const [above, below, left, right] = this.data.padding, [rows, columns] = this.data.unused;
    matrix.cells.forEach((cell, i) => {
      const y = Math.floor(i / matrix.columns), x = i % matrix.columns;
      const outside = y < above || y >= matrix.rows - below || x < left || x >= matrix.columns - right;
      cell.classList.toggle("padding", outside);
      cell.classList.toggle("unused", y >= matrix.rows - rows || x >= matrix.columns - columns);
    });
  }

  both(matrix, placeOf) {   // the mouse over a cell moves the window to it
    matrix.node.classList.add("pick");
    matrix.node.onpointermove = matrix.node.onpointerdown = (event) => {
      this.stop();
      this.fed = matrix === this.output || this.views.some((view) => view.part === matrix) ? null : matrix.at(event);
      const place = placeOf(matrix.at(event));
      if (place) this.to(place[0] * this.columns + place[1]);
    };
    matrix.node.onpointerleave = () => { this.fed = null; this.draw(); };
  }

  under([y, x]) {   // the output whose window has this cell nearest to its middle; null where no window has it
    const { places, window: [high, wide] } = this.data;
    let best = null, least = Infinity;
    places.forEach(([top, left], place) => {
      if (y < top || y >= top + high || x < left || x >= left + wide) return;
      const far = Math.abs(top + (high - 1) / 2 - y) + Math.abs(left + (wide - 1) / 2 - x);
      if (far < least - 1e-9 || (far < least + 1e-9 && place === this.place)) [best, least] = [place, far];
    });
    if (best === null) { this.unreached = true; this.draw(); return null; }
    return [Math.floor(best / this.columns), best % this.columns];
  }

  // -------------------------------------------------- moving

  to(place, resting = true) {
    this.unreached = false;
    this.place = place;
    this.draw();
    clearTimeout(this.rest);
    if (resting) this.rest = setTimeout(() => this.root.isConnected && this.report("rested", this.place), 500);
  }

  go(by) {
    this.stop();
    const count = this.rows * this.columns;
    this.to((this.place + by + count) % count);
  }

  toggle() {
    if (this.timer) { this.stop(); this.to(this.place); return; }
    this.play.textContent = "Pause";
    this.timer = setInterval(() => {
      if (!this.root.isConnected) return this.stop();
      this.to((this.place + 1) % (this.rows * this.columns), false);
    }, SPEEDS[this.speed.value]);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.play.textContent = "Play";
  }

  key(event) {
    const row = Math.floor(this.place / this.columns), column = this.place % this.columns;
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (event.target !== this.stage) return;
    if (step) {
      this.stop();
      this.to(clamp(row + step[0], 0, this.rows - 1) * this.columns + clamp(column + step[1], 0, this.columns - 1));
    } else if (event.key === " ") this.toggle();
    else if (event.key === "Home") this.go(-this.place);
    else if (event.key === "End") this.go(this.rows * this.columns - 1 - this.place);
    else return;
    event.preventDefault();
  }

  // -------------------------------------------------- drawing

  draw() {
    const { data, place } = this, [top, left] = data.places[place], [high, wide] = data.window;
    const row = Math.floor(place / this.columns), column = place % this.columns;
    this.views.forEach((view, c) => {
      if (view.input) this.fillWindow(view, c, top, left, high, wide);
      view.part?.surround(row, column, 1, 1);
    });
    this.output.surround(row, column, 1, 1);
    const fed = (i) => this.fed && data.window[0] * data.window[1] < data.inputs[0].flat().length && sees(data.places[i], data.window, this.fed);
    this.output.cells.forEach((cell, i) => cell.classList.toggle("fed", Boolean(fed(i))));
    if (this.marker) this.pin(data.inputs[0][top][left]);
    this.said.setAttribute("aria-live", this.timer ? "off" : "polite");
    this.said.replaceChildren();
    if (this.unreached) this.said.textContent = "No window reaches this cell: the floor in the output's size leaves it unused.";
    else {
      element("strong", {}, this.said, data.labels?.length ? `${data.labels[place]}: ` : `Row ${row}, column ${column}: `);
      this.said.append(data.said[place]);
    }
  }

  fillWindow(view, c, top, left, high, wide) {
    const { data } = this, factors = data.factors?.[data.factors.length > 1 ? this.place : 0][c].flat();
    const patch = [];
    for (let y = top; y < top + high; y++) patch.push(...data.inputs[c][y].slice(left, left + wide));
    view.input.surround(top, left, high, wide);
    view.factor?.fill(factors, data.colours, data.limits.factors);
    view.patch?.fill(factors ? patch.map((value, i) => value * factors[i]) : patch, data.colours, factors ? data.limits.products : data.limits.inputs);
    if (data.most) {   // the pooling's winner
      const most = Math.max(...patch.map((value) => value ?? -Infinity));
      view.patch.cells.forEach((cell, i) => cell.classList.toggle("most", patch[i] === most));
    }
  }

  // -------------------------------------------------- the picture that the crop is taken from

  thumbnail(parent) {
    const { src, alt, box, high, wide, outputs, shape: [rows, columns] } = this.data.picture;
    const figure = element("figure", {}, parent);
    element("figcaption", {}, figure, "Picture").append(element("small", {}, null, " drag the square"));
    const side = clamp(Math.floor(this.root.clientWidth * 0.17), 140, 224);
    const thumb = element("div", { class: "thumb", tabindex: 0, role: "group", "aria-label": "Crop: arrow keys move it" }, figure);
    const image = element("img", { src, alt, draggable: "false" }, thumb);
    const scale = side / Math.max(high, wide);
    Object.assign(image.style, { width: `${wide * scale}px`, height: `${high * scale}px` });
    const square = element("b", {}, thumb), at = [...outputs];
    const put = () => Object.assign(square.style, {
      top: `${at[0] / rows * 100}%`, left: `${at[1] / columns * 100}%`,
      height: `${box[0] / rows * 100}%`, width: `${box[1] / columns * 100}%`,
    });
    const move = (y, x) => {
      at[0] = clamp(Math.round(y), 0, rows - box[0]);
      at[1] = clamp(Math.round(x), 0, columns - box[1]);
      put();
    };
    const follow = (event) => {
      const place = thumb.getBoundingClientRect();
      move((event.clientY - place.top) / place.height * rows - box[0] / 2, (event.clientX - place.left) / place.width * columns - box[1] / 2);
    };
    thumb.onpointerdown = (event) => { thumb.setPointerCapture(event.pointerId); follow(event); };
    thumb.onpointermove = (event) => event.buttons && follow(event);
    thumb.onpointerup = () => this.report("moved", [...at]);
    thumb.onkeydown = (event) => {
      const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
      if (!step) return;
      event.preventDefault();
      move(at[0] + step[0], at[1] + step[1]);
      clearTimeout(this.dragging);
      this.dragging = setTimeout(() => this.report("moved", [...at]), 400);
    };
    put();
  }

  // -------------------------------------------------- the curve of an activation

  curve() {
    const { x, y, slope, low, high, names } = this.data.curve, wide = clamp(this.root.clientWidth - 20, 240, 380), tall = 230;
    const figure = element("figure", {}, this.stage);
    element("figcaption", {}, figure, names.of);
    const svg = shape("svg", { width: wide, height: tall, role: "img", "aria-label": names.alt }, figure);
    const right = (value) => (value - x[0]) / (x[x.length - 1] - x[0]) * wide;
    const up = (value) => tall - 16 - (value - low) / (high - low) * (tall - 26);
    shape("line", { class: "axis", x1: 0, x2: wide, y1: up(0), y2: up(0) }, svg);
    shape("line", { class: "axis", x1: right(0), x2: right(0), y1: 8, y2: tall - 16 }, svg);
    for (const tick of [-6, -3, 3, 6]) shape("text", { x: right(tick), y: up(0) + 14, "text-anchor": tick === 6 ? "end" : tick === -6 ? "start" : "middle" }, svg, minus(String(tick)));
    for (const tick of low < -0.9 ? [1, -1] : [1]) shape("text", { x: right(0) - 5, y: up(tick) + 4, "text-anchor": "end" }, svg, minus(String(tick)));
    const path = (values, name) => shape("path", { class: name, d: values.map((value, i) => `${i ? "L" : "M"}${right(x[i]).toFixed(1)} ${up(value).toFixed(1)}`).join("") }, svg);
    path(slope, "slope");
    path(y, "of");
    shape("text", { class: "of", x: 0, y: 12 }, svg, names.legend);
    shape("text", { class: "slope", x: 0, y: 28 }, svg, "its slope");
    const tangent = shape("line", { class: "tangent" }, svg);
    const below = shape("circle", { class: "slope", r: 4 }, svg), dot = shape("circle", { r: 6 }, svg);
    const words = element("div", { class: "note" }, figure);
    const at = (value) => clamp(Math.round((value - x[0]) / (x[1] - x[0])), 0, x.length - 1);
    this.marker = true;
    this.pin = (value) => {
      const i = at(value), beyond = value < x[0] || value > x[x.length - 1];
      for (const node of [tangent, below, dot]) node.style.display = beyond ? "none" : "";
      Object.entries({ cx: right(x[i]), cy: up(y[i]) }).forEach(([name, place]) => dot.setAttribute(name, place));
      Object.entries({ cx: right(x[i]), cy: up(slope[i]) }).forEach(([name, place]) => below.setAttribute(name, place));
      const reach = 1.6;
      Object.entries({ x1: right(x[i] - reach), x2: right(x[i] + reach), y1: up(y[i] - reach * slope[i]), y2: up(y[i] + reach * slope[i]) })
        .forEach(([name, place]) => tangent.setAttribute(name, place));
      words.textContent = beyond ? "This number lies beyond the curve that is drawn."
        : minus(`x = ${x[i].toFixed(2)}: `) + minus(`${y[i].toFixed(3)}`) + `, slope ${minus(slope[i].toFixed(3))}`;
    };
    svg.onpointermove = (event) => {
      const box = svg.getBoundingClientRect();
      this.stop();
      this.pin(x[0] + (event.clientX - box.left) / box.width * (x[x.length - 1] - x[0]));
    };
    svg.onpointerleave = () => this.draw();
  }
}

function sees([top, left], [high, wide], [y, x]) {
  return y >= top && y < top + high && x >= left && x < left + wide;
}
