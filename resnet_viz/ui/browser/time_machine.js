// A film of a training run: all frames arrive at once, so that play, drag and keys move everything at the browser's own speed.
//
// Data arrive as bytes (drawing/time_machine.py, pack): uint32 length of a JSON head, the head padded to 4 bytes, then the
// arrays that head.arrays describes. The server hears of the position only after it came to rest, for the link and the words.

const LEFT = 52, RIGHT = 14, LOSS = 116, MOVED = 78, BETWEEN = 30, TICKS = 22;   // pixels of the time line
const SPEEDS = [2, 5, 10, 20, 40];                                              // frames a second
const ICONS = {   // paths in a box of 16 x 16
  first: "M3 3h2v10H3zM13 3v10L6 8z", back: "M11 3v10L4 8z", play: "M4 2.5v11L13 8z", pause: "M4 3h3v10H4zM9 3h3v10H9z",
  on: "M5 3v10l7-5z", last: "M11 3h2v10h-2zM3 3v10l7-5z",
};
const machines = new WeakMap();
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const percent = (share) => `${(100 * share).toFixed(share < 0.9995 ? 1 : 0)}\u202f%`;
const number = (value, digits = 3) => (Number.isFinite(value) ? value.toPrecision(digits).replace(/e\+?/, "e") : "\u2013");

function decode(bytes) {
  const packed = unpack(bytes), { arrays } = packed.head;
  for (const [name, described] of Object.entries(arrays)) {
    const sides = described.shape;
    arrays[name] = { values: arrayOf(packed, described), sides, each: sides.slice(1).reduce((a, b) => a * b, 1) };
  }
  return packed.head;
}

// what the link asked for; the server does not repeat it, so that all frames need not travel again whenever it changes
function linked(name) {
  const wanted = new URLSearchParams(window.location.search).get(name);
  return /^\d+$/.test(wanted ?? "") ? Number(wanted) : null;
}

const frameOf = (array, frame) => array.values.subarray(frame * array.each, (frame + 1) * array.each);

// ---------------------------------------------------------------- pictures

// one number a colour, as a canvas has it in memory
const ink = (r, g, b) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
const inks = (rgb) => Uint32Array.from({ length: rgb.length / 3 }, (_, i) => ink(rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]));

// tiles side by side at the largest whole multiple of device pixels that fits; colour(tile, y, x) answers an ink
function drawTiles(canvas, count, columns, height, width, colour, most = 1e9) {
  const ratio = window.devicePixelRatio || 1;
  const room = Math.floor(Math.min(canvas.parentElement.clientWidth, most) * ratio);
  let multiple = Math.max(1, Math.floor(room / (columns * width)));
  const gapOf = (m) => (count === 1 ? 0 : clamp(Math.round((m * width) / 8), 1, m * width < 64 ? 8 : 4));
  while (multiple > 1 && columns * (width * multiple + gapOf(multiple)) - gapOf(multiple) > room) multiple -= 1;
  const gap = gapOf(multiple), rows = Math.ceil(count / columns);
  const stepX = width * multiple + gap, stepY = height * multiple + gap;
  const size = { width: columns * stepX - gap, height: rows * stepY - gap };
  for (const side of ["width", "height"]) if (canvas[side] !== size[side]) canvas[side] = size[side];   // emptied by every change
  canvas.style.width = `${canvas.width / ratio}px`;
  const image = new ImageData(canvas.width, canvas.height), out = new Uint32Array(image.data.buffer);
  for (let tile = 0; tile < count; tile++) {
    const left = (tile % columns) * stepX, top = Math.floor(tile / columns) * stepY;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const at = (top + y * multiple) * canvas.width + left + x * multiple;
        out.fill(colour(tile, y, x), at, at + multiple);
      }
      const row = (top + y * multiple) * canvas.width + left;
      for (let below = 1; below < multiple; below++) out.copyWithin(row + below * canvas.width, row, row + width * multiple);
    }
  }
  const pen = canvas.getContext("2d");
  pen.putImageData(image, 0, 0);
  canvas.tiles = { columns, count, stepX: stepX / ratio, stepY: stepY / ratio };
  return { pen, stepX, stepY, gap, multiple };
}

function outline(drawn, canvas, tile, colour) {
  if (tile === null || tile < 0) return;
  const { columns } = canvas.tiles, { pen, stepX, stepY, gap } = drawn;
  const wide = Math.max(2, Math.round(2 * (window.devicePixelRatio || 1)));
  pen.strokeStyle = colour;
  pen.lineWidth = wide;
  const [x, y] = [(tile % columns) * stepX, Math.floor(tile / columns) * stepY];
  pen.strokeRect(x + wide / 2 - 1, y + wide / 2 - 1, stepX - gap - wide + 2, stepY - gap - wide + 2);
}

function tileAt(canvas, event) {
  const box = canvas.getBoundingClientRect(), { columns, count, stepX, stepY } = canvas.tiles;
  const column = Math.floor((event.clientX - box.left) / stepX);
  const tile = Math.floor((event.clientY - box.top) / stepY) * columns + column;
  return column >= 0 && column < columns && tile >= 0 && tile < count ? tile : null;
}

// ---------------------------------------------------------------- the machine

class Machine {
  constructor(home) {
    this.home = home;
    this.frame = 0;
    this.chosen = 0;                  // place of the kernel in the wall
    this.hover = null;
    this.speed = 2;
    this.root = element("section", { class: "machine" }, home);
    this.buildBar();
    this.buildLine();
    this.buildWalls();
    const lower = element("div", { class: "lower" }, this.root);
    this.answers = element("section", { class: "answers" }, lower);
    this.matrix = element("section", { class: "matrix" }, lower);
    this.maps = element("section", { class: "maps" }, this.root);
    this.root.addEventListener("keydown", (event) => {
      if (event.key !== " " || ["BUTTON", "SELECT"].includes(event.target.tagName)) return;
      event.preventDefault();
      this.toggle();
    });
    let width = 0;
    this.sizes = new ResizeObserver(() => {
      if (this.data && width !== this.root.clientWidth) { width = this.root.clientWidth; this.drawAll(); }
    });
    this.sizes.observe(this.root);
  }

  buildBar() {
    const bar = element("div", { class: "bar" }, this.root);
    const button = (label, icon, act) => {
      const made = element("button", { type: "button", "aria-label": label, title: label }, bar);
      shape("path", { d: ICONS[icon] }, shape("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, made));
      made.addEventListener("click", act);
      return made;
    };
    button("First frame", "first", () => { this.stop(); this.to(0); });
    button("One frame back", "back", () => { this.stop(); this.to(this.frame - 1); });
    this.play = button("Play", "play", () => this.toggle());
    this.play.classList.add("play");
    this.playing = element("span", {}, this.play, "Play");
    button("One frame on", "on", () => { this.stop(); this.to(this.frame + 1); });
    button("Last frame", "last", () => { this.stop(); this.to(this.last()); });
    const speeds = element("select", { "aria-label": "Speed" }, bar);
    SPEEDS.forEach((speed, i) => element("option", { value: i }, speeds, `${speed} frames/s`));
    speeds.value = this.speed;
    speeds.addEventListener("change", () => { this.speed = Number(speeds.value); });
    this.readout = element("div", { class: "readout" }, bar);
  }

  buildLine() {
    const line = element("div", { class: "line" }, this.root);
    this.svg = shape("svg", { class: "time", "aria-hidden": "true" }, line);
    this.range = element("input", { type: "range", min: 0, step: 1, "aria-label": "Moment of training" }, line);
    this.range.addEventListener("input", () => { this.stop(); this.to(Number(this.range.value)); });
    const follow = (event) => this.to(Math.round(this.frameAt(event.clientX - this.svg.getBoundingClientRect().left)));
    this.svg.addEventListener("pointerdown", (event) => { this.stop(); this.svg.setPointerCapture(event.pointerId); follow(event); });
    this.svg.addEventListener("pointermove", (event) => { if (this.svg.hasPointerCapture(event.pointerId)) follow(event); });
    this.thinned = element("p", { class: "note thinned" }, line);
  }

  buildWalls() {
    const walls = element("div", { class: "walls" }, this.root);
    this.walls = ["before", "now", "difference"].map((name) => {
      const figure = element("figure", {}, walls);
      const title = element("figcaption", {}, figure, name[0].toUpperCase() + name.slice(1));
      const canvas = element("canvas", { role: "img", tabindex: "0", "data-wall": name }, element("div", { class: "place" }, figure));
      canvas.addEventListener("pointermove", (event) => this.hovering(tileAt(canvas, event)));
      canvas.addEventListener("pointerleave", () => this.hovering(null));
      canvas.addEventListener("click", (event) => this.choose(tileAt(canvas, event)));
      canvas.addEventListener("keydown", (event) => {
        const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.data.columns, ArrowDown: this.data.columns }[event.key];
        if (by === undefined) return;
        event.preventDefault();
        this.choose(clamp(this.chosen + by, 0, this.data.numbers.length - 1));
      });
      return { name, title, canvas };
    });
    this.words = element("p", { class: "words", "aria-live": "polite" }, this.root);
  }

  last() { return this.data.step.length - 1; }

  show(data, send) {
    const old = this.data, ended = old && this.frame === this.last();
    const step = old ? old.step[this.frame] : linked("at");
    const chosen = old && old.layer === data.layer ? old.numbers[this.chosen] : (old ? null : linked("kernel")) ?? data.numbers[data.first];
    this.send = send;
    this.data = data;
    this.diverging = inks(data.arrays.diverging.values);
    this.sequential = inks(data.arrays.sequential.values);
    // while a run goes on, who stands at its end is taken along; everybody else stays where they are
    this.frame = step === null || (ended && !this.timer) ? this.last() : this.nearest(step);
    this.chosen = Math.max(0, data.numbers.indexOf(chosen));
    this.range.max = this.last();
    this.thinned.textContent = data.notes.thinned;
    this.layAnswers();
    this.layMatrix();
    this.layMaps();
    this.drawAll();
  }

  nearest(step) {
    let best = 0;
    this.data.step.forEach((s, i) => { if (Math.abs(s - step) < Math.abs(this.data.step[best] - step)) best = i; });
    return best;
  }

  remove() {
    this.stop();
    clearTimeout(this.telling);
    this.sizes.disconnect();
    machines.delete(this.home);
    this.root.remove();
  }

  // ------------------------------------------------------------ time

  to(frame) {
    const next = clamp(frame, 0, this.last());
    if (next === this.frame) return;
    this.frame = next;
    this.draw();
    this.tell();
  }

  tell() {
    clearTimeout(this.telling);
    if (this.timer) return;                                    // while it plays nobody needs to know where
    this.telling = setTimeout(() => this.send("at", this.data.step[this.frame]), 400);
  }

  toggle() { return this.timer ? this.stop() : this.start(); }

  start() {
    if (this.frame === this.last()) this.to(0);
    clearTimeout(this.telling);
    let next = performance.now() + 1000 / SPEEDS[this.speed];
    const tick = (now) => {
      if (now >= next) {
        next = Math.max(next, now - 1000) + 1000 / SPEEDS[this.speed];
        if (this.frame === this.last()) return this.stop();
        this.to(this.frame + 1);
      }
      this.timer = requestAnimationFrame(tick);
      return null;
    };
    this.timer = requestAnimationFrame(tick);
    this.sayPlaying();
  }

  stop() {
    if (!this.timer) return;
    cancelAnimationFrame(this.timer);
    this.timer = null;
    this.sayPlaying();
    this.tell();
  }

  sayPlaying() {
    const label = this.timer ? "Pause" : "Play";
    this.playing.textContent = label;
    this.play.querySelector("path").setAttribute("d", ICONS[label.toLowerCase()]);
    this.play.setAttribute("aria-label", label);
    this.play.title = label;
    this.root.dataset.playing = String(Boolean(this.timer));
  }

  // ------------------------------------------------------------ drawing

  drawAll() {
    if (!this.root.clientWidth) return;
    this.accent = getComputedStyle(this.root).getPropertyValue("--accent").trim() || "#0072B2";
    this.layLine();
    this.draw();
  }

  draw() {
    const { data, frame } = this;
    this.range.value = frame;
    this.range.setAttribute("aria-valuetext", data.when[frame]);
    this.root.dataset.frame = frame;
    this.root.dataset.step = data.step[frame];
    this.drawReadout();
    this.drawCursor();
    this.drawWalls();
    this.drawAnswers();
    this.drawMatrix();
    this.drawMaps();
  }

  drawReadout() {
    const { data, frame } = this, one = (name) => data.arrays[name].values[frame];
    const parts = [data.when[frame], `step ${data.step[frame].toLocaleString("en-GB")}`,
      `${data.images[frame].toLocaleString("en-GB")} images`, `learning rate ${number(data.lr[frame], 2)}`];
    const first = { epochs: 0, steps: 1, images: 2 }[data.unit];
    parts.unshift(...parts.splice(first, 1));
    if (Number.isFinite(one("train"))) parts.push(`training loss ${number(one("train"))}`);
    if (Number.isFinite(one("accuracy"))) parts.push(`validation ${percent(one("accuracy"))}`);
    this.readout.replaceChildren();
    element("strong", {}, this.readout, parts[0][0].toUpperCase() + parts[0].slice(1));
    element("span", {}, this.readout, ` \u00B7 ${parts.slice(1).join(" \u00B7 ")}`);
  }

  xAt(frame) { return LEFT + (this.width * frame) / Math.max(1, this.last()); }

  frameAt(x) { return clamp(((x - LEFT) / this.width) * this.last(), 0, this.last()); }

  layLine() {
    const { data, svg } = this;
    const total = svg.parentElement.clientWidth;
    this.width = Math.max(total - LEFT - RIGHT, 60);
    svg.replaceChildren();
    svg.setAttribute("width", total);
    const loss = data.arrays.loss_x, bottom = MOVED + BETWEEN + LOSS;
    svg.setAttribute("height", bottom + TICKS + BETWEEN);
    const clip = `past-${Math.random().toString(36).slice(2)}`;
    this.past = shape("rect", { x: 0, y: 0, height: 999, width: 0 }, shape("clipPath", { id: clip }, shape("defs", {}, svg)));
    let top = BETWEEN;
    shape("text", { class: "title", x: LEFT, y: top - 9 }, svg, loss.values.length ? "Loss" : "Loss: nothing was recorded");
    if (loss.values.length) {
      const all = [...data.arrays.loss_y.values, ...data.arrays.val_y.values];
      const scale = this.axis(top, LOSS, Math.min(...all), Math.max(...all));
      const path = this.path(loss.values, data.arrays.loss_y.values, scale);
      shape("path", { class: "future", d: path }, svg);
      shape("path", { class: "past", d: path, "clip-path": `url(#${clip})` }, svg);
      const { val_x: x, val_y: y } = data.arrays;
      if (x.values.length) shape("path", { class: "val", d: this.path(x.values, y.values, scale), "clip-path": `url(#${clip})` }, svg);
      this.key(top - 9, [["training", "past"], ...(x.values.length ? [["validation", "val"]] : [])]);
    }
    top += LOSS + BETWEEN;
    shape("text", { class: "title", x: LEFT, y: top - 9 }, svg, "How far each kernel has moved, in its own length");
    this.layMoved(top);
    this.layTicks(top + MOVED);
    this.cursor = shape("line", { class: "cursor", y1: BETWEEN - 4, y2: top + MOVED + 4 }, svg);
    Object.assign(this.range.style, { marginLeft: `${LEFT - 8}px`, width: `${this.width + 16}px` });
  }

  key(y, entries) {
    let x = LEFT + 46;
    for (const [text, kind] of entries) {
      shape("line", { class: kind, x1: x, x2: x + 18, y1: y - 4, y2: y - 4 }, this.svg);
      shape("text", { x: x + 24, y }, this.svg, text);
      x += 34 + 7 * text.length;
    }
  }

  axis(top, height, low, high) {
    if (!(high > low)) [low, high] = [low - 0.5, low + 0.5];
    const at = (value) => top + height - (height * (value - low)) / (high - low);
    for (const value of [low, (low + high) / 2, high]) {
      shape("line", { class: "grid", x1: LEFT, x2: LEFT + this.width, y1: at(value), y2: at(value) }, this.svg);
      shape("text", { x: LEFT - 8, y: at(value), dy: "0.32em", "text-anchor": "end" }, this.svg, number(value, 2));
    }
    return at;
  }

  path(x, y, scale) {
    let text = "";
    for (let i = 0; i < x.length; i++) if (Number.isFinite(y[i])) text += `${text ? "L" : "M"}${this.xAt(x[i]).toFixed(1)} ${scale(y[i]).toFixed(1)}`;
    return text;
  }

  layMoved(top) {
    const { moved } = this.data.arrays, frames = this.data.step.map((_, i) => i), kernels = this.data.numbers.length;
    const scale = this.axis(top, MOVED, 0, Math.max(...[...moved.values].filter(Number.isFinite), 1e-6));
    this.ways = this.data.numbers.map((_, kernel) => shape("path", { class: "way",
      d: this.path(frames, frames.map((f) => moved.values[f * kernels + kernel]), scale) }, this.svg));
  }

  layTicks(top) {
    let end = -1e9;
    for (const [frame, text] of this.data.ticks) {
      const x = this.xAt(frame), half = 3.6 * text.length;
      shape("line", { class: "tick", x1: x, x2: x, y1: top, y2: top + 4 }, this.svg);
      if (x - half < end + 8) continue;
      shape("text", { x, y: top + 17, "text-anchor": "middle" }, this.svg, text);
      end = x + half;
    }
  }

  drawCursor() {
    const x = this.xAt(this.frame);
    this.cursor.setAttribute("x1", x);
    this.cursor.setAttribute("x2", x);
    this.past.setAttribute("width", x);
  }

  // ------------------------------------------------------------ kernels

  drawWalls() {
    const { data, frame, diverging } = this, { kernels } = data.arrays;
    const colour = data.colour, side = kernels.sides.at(-1), high = kernels.sides.at(-2);
    const size = kernels.each / data.numbers.length, plane = side * high;
    const first = frameOf(kernels, 0), current = frameOf(kernels, frame);
    const limits = data.numbers.map((_, kernel) => {
      if (data.scale === "layer") return 32767;
      let most = 0;
      for (let i = kernel * size; i < (kernel + 1) * size; i++) most = Math.max(most, Math.abs(first[i]), Math.abs(current[i]));
      return most || 1;
    });
    const values = { before: (i) => first[i], now: (i) => current[i], difference: (i) => current[i] - first[i] };
    const channel = (part) => Math.round(127.5 + 127.5 * clamp(part, -1, 1));
    for (const { name, title, canvas } of this.walls) {
      const value = values[name];
      const drawn = drawTiles(canvas, data.numbers.length, data.columns, high, side, (tile, y, x) => {
        const at = tile * size + y * side + x;
        const limit = limits[tile];
        if (!colour) return diverging[Math.round(((clamp(value(at) / limit, -1, 1) + 1) / 2) * 255)];
        return ink(channel(value(at) / limit), channel(value(at + plane) / limit), channel(value(at + 2 * plane) / limit));
      });
      outline(drawn, canvas, this.chosen, this.accent);
      canvas.setAttribute("aria-label", `${title.textContent}: ${data.alt.kernels}`);
    }
    this.walls[1].title.textContent = `Now: ${data.when[frame]}`;
    this.say();
  }

  say() {
    const { data, frame } = this, place = this.hover ?? this.chosen, count = data.numbers.length;
    const { moved, cosine, whole } = data.arrays;
    const now = frameOf(moved, frame);
    let ahead = 0;
    for (let i = 0; i < count; i++) if (now[i] > now[place]) ahead += 1;
    const rank = frame === 0 ? "" : `, number ${ahead + 1} of ${count} by how far it moved`;
    this.words.replaceChildren();
    element("strong", {}, this.words, `Kernel ${data.numbers[place]}`);
    element("span", {}, this.words, ` is ${number(now[place])} times its length away from where it began (cosine ${number(frameOf(cosine, frame)[place])})${rank}.`
      + ` All ${count} together: ${number(whole.values[frame])}.`);
    const way = this.ways[place];
    if (way === this.lit) return;
    this.lit?.setAttribute("class", "way");
    this.lit = way;
    way.setAttribute("class", "way chosen");
    this.svg.insertBefore(way, this.cursor);
  }

  hovering(tile) {
    if (tile === this.hover) return;
    this.hover = tile;
    this.say();
  }

  choose(tile) {
    if (tile === null) return;
    this.chosen = tile;
    this.drawWalls();
    this.drawMaps();
    this.send("kernel", this.data.numbers[tile]);
  }

  // ------------------------------------------------------------ answers

  layAnswers() {
    const { data, answers } = this, { pictures } = data.arrays;
    answers.replaceChildren();
    element("h3", {}, answers, "Ten pictures it never learned from");
    if (data.notes.answers) element("p", { class: "note" }, answers, data.notes.answers);
    const list = element("ul", {}, answers);
    this.cards = Array.from({ length: data.asked }, (_, i) => {
      const card = element("li", {}, list);
      if (pictures) {
        const [, height, width] = pictures.sides, pixels = frameOf(pictures, i);
        const canvas = element("canvas", { role: "img", "aria-label": data.labels ? data.labels[i] : `picture ${i + 1}` }, element("div", { class: "thumb" }, card));
        const own = inks(pixels);
        drawTiles(canvas, 1, 1, height, width, (_t, y, x) => own[y * width + x], 64);
        canvas.style.width = "";
      }
      const side = element("div", { class: "side" }, card);
      element("div", { class: "true" }, side, data.labels ? data.labels[i] : `Picture ${i + 1}`);
      const answer = element("div", { class: "answer" }, side);
      const bars = element("div", { class: "bars", "aria-hidden": "true" }, side);
      const columns = data.bars.map((name) => element("i", { title: name, class: data.labels && name === data.labels[i] ? "right" : "" }, bars));
      return { card, answer, columns };
    });
  }

  drawAnswers() {
    const { data, frame } = this, shares = frameOf(data.arrays.probabilities, frame), classes = data.bars.length;
    let right = 0;
    this.cards.forEach(({ card, answer, columns }, i) => {
      const own = shares.subarray(i * classes, (i + 1) * classes);
      let top = 0;
      own.forEach((share, c) => { if (share > own[top]) top = c; columns[c].style.height = `${Math.max(2, 100 * share)}%`; });
      const hit = data.labels && data.bars[top] === data.labels[i];
      right += Boolean(hit);
      answer.textContent = `${data.labels ? (hit ? "\u2713 " : "\u2717 ") : ""}${data.bars[top]} ${percent(own[top])}`;
      card.classList.toggle("hit", Boolean(hit));
    });
    if (data.labels) this.answers.firstChild.textContent = `Ten pictures it never learned from: ${right} right`;
  }

  layMatrix() {
    const { data, matrix } = this;
    matrix.replaceChildren();
    this.grid = null;
    element("h3", {}, matrix, "Confusion");
    if (data.notes.confusion) { element("p", { class: "note" }, matrix, data.notes.confusion); return; }
    const frame = element("div", { class: "cells" }, matrix);
    const names = data.classes.length <= 20 ? data.classes : [];
    const rows = element("div", { class: "rows", "aria-hidden": "true" }, frame);
    names.forEach((name) => element("span", {}, rows, name));
    const canvas = element("canvas", { role: "img", "data-matrix": "" }, element("div", { class: "place" }, frame));
    const below = element("p", { class: "note" }, matrix, "");
    const told = "Rows: what it is; columns, in the same order: what it was taken for";
    canvas.addEventListener("pointermove", (event) => { const tile = tileAt(canvas, event); below.textContent = tile === null ? told : this.cell(tile); });
    canvas.addEventListener("pointerleave", () => { below.textContent = told; });
    below.textContent = told;
    this.grid = { canvas, rows };
  }

  cell(tile) {
    const { classes, arrays } = this.data, count = classes.length, counts = frameOf(arrays.confusion, this.frame);
    const row = Math.floor(tile / count), sum = counts.subarray(row * count, (row + 1) * count).reduce((a, b) => a + b, 0);
    return `${classes[row]} taken for ${classes[tile % count]}: ${counts[tile]} of ${sum}`;
  }

  drawMatrix() {
    if (!this.grid) return;
    const { data, frame } = this, count = data.classes.length, { confusion } = data.arrays;
    const counts = frameOf(confusion, frame), { canvas, rows } = this.grid;
    const sums = Array.from({ length: count }, (_, row) => counts.subarray(row * count, (row + 1) * count).reduce((a, b) => a + b, 0));
    let right = 0, all = 0;
    for (let row = 0; row < count; row++) { right += counts[row * count + row]; all += sums[row]; }
    drawTiles(canvas, 1, 1, count, count, (_t, y, x) => this.sequential[Math.round(255 * (sums[y] ? counts[y * count + x] / sums[y] : 0))], 300);
    const size = parseFloat(canvas.style.width);
    canvas.tiles = { columns: count, count: count * count, stepX: size / count, stepY: size / count };
    rows.style.height = `${size}px`;
    this.matrix.firstChild.textContent = `Confusion: ${percent(right / all)} of ${all.toLocaleString("en-GB")} right`;
    canvas.setAttribute("aria-label", `Confusion matrix of ${count} classes at ${data.when[frame]}: ${percent(right / all)} of ${all} held-out pictures are right`);
  }

  // ------------------------------------------------------------ feature maps

  layMaps() {
    const { data, maps } = this, { pinned } = data.arrays;
    maps.replaceChildren();
    this.mapWall = null;
    element("h3", {}, maps, data.notes.maps_title);
    if (!data.arrays.maps) { element("p", { class: "note" }, maps, data.notes.maps); return; }
    const row = element("div", { class: "pinned" }, maps);
    const figure = element("figure", { class: "own" }, row);
    const [height, width] = pinned.sides;
    const canvas = element("canvas", { role: "img", "aria-label": `The pinned picture: ${data.picture}` }, element("div", { class: "place" }, figure));
    const own = inks(pinned.values);
    drawTiles(canvas, 1, 1, height, width, (_t, y, x) => own[y * width + x], 150);
    element("figcaption", {}, figure, data.picture);
    const wall = element("canvas", { role: "img", "data-maps": "" }, element("div", { class: "place" }, row));
    wall.addEventListener("click", (event) => this.chooseMap(tileAt(wall, event)));
    element("p", { class: "note" }, maps, data.notes.maps);
    this.mapWall = wall;
  }

  chooseMap(tile) {
    if (tile !== null && this.data.maps_are_kernels) this.choose(this.data.numbers.indexOf(this.data.channels[tile]));
  }

  drawMaps() {
    if (!this.mapWall) return;
    const { data, frame, diverging } = this, { maps, map_of } = data.arrays;
    const moment = map_of.values[frame], places = frameOf(maps, moment), [, count, height, width] = maps.sides;
    const columns = this.root.clientWidth < 640 ? Math.min(count, 4) : Math.min(count, 8);
    const drawn = drawTiles(this.mapWall, count, columns, height, width, (tile, y, x) => diverging[places[(tile * height + y) * width + x]]);
    if (data.maps_are_kernels) outline(drawn, this.mapWall, data.channels.indexOf(data.numbers[this.chosen]), this.accent);
    this.mapWall.setAttribute("aria-label", `${data.notes.maps_title}, ${data.map_moments[moment]}`);
    this.maps.firstChild.textContent = `${data.notes.maps_title}, ${data.map_moments[moment]}`;
  }
}

export default function ({ data, parentElement, setStateValue }) {
  if (!machines.has(parentElement)) machines.set(parentElement, new Machine(parentElement));
  const machine = machines.get(parentElement);
  machine.show(decode(data), setStateValue);
  return () => machine.remove();
}
