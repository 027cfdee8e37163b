// One channel of a residual block by numbers: the place under the mouse, and how every operation's number comes there.
//
// data: see ui/residual_block.py, described. Every step has its whole map; here windows of three by three are cut out of
// them, and the numbers of the middle are put into words. A rest is reported as trigger "rested": the place in reading order.

const SPEEDS = [1200, 600, 250];
const SIDE = 3;                           // cells of a window
const blocks = new WeakMap();
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

function brief(value) {                   // in a cell
  const text = Math.abs(value) < 0.005 ? (value === 0 ? "0" : "\u22480") : Math.abs(value) < 10 ? value.toFixed(2) : value.toFixed(Math.abs(value) < 100 ? 1 : 0);
  return text.replace("-", "\u2212");
}

function exact(value) {                   // in a sum
  return Number(value.toPrecision(3)).toString().replace("-", "\u2212");
}

function inside(value) {                  // behind a sign
  return value < 0 ? `(${exact(value)})` : exact(value);
}

export default function ({ data, parentElement, setTriggerValue }) {
  const block = blocks.get(parentElement) ?? new Block(parentElement);
  blocks.set(parentElement, block);
  block.report = setTriggerValue;
  if (block.data?.digest !== data.digest) block.take(data);   // else only the place of rest changed, reported from here
}

class Window {
  constructor(parent, title, note, side) {
    this.figure = element("figure", {}, parent);
    const caption = element("figcaption", {}, this.figure, title);
    element("small", {}, caption, note);
    this.side = side;
    this.node = element("div", { class: "grid", role: "img", "aria-label": `${title}, ${note}` }, this.figure);
    this.node.style.gridTemplateColumns = `repeat(${side}, var(--cell))`;
    this.cells = Array.from({ length: side * side }, () => element("i", {}, this.node));
    if (side === SIDE) this.cells[(side * side - 1) / 2].classList.add("middle");
    this.words = element("p", {}, this.figure);
  }

  fill(values, palette, limit) {          // null is outside of the map
    this.cells.forEach((cell, i) => {
      const value = values[i], part = value === null ? 0 : clamp(value / limit, -1, 1);
      cell.className = `${value === null ? "outside" : ""}${i === 4 && this.side === SIDE ? " middle" : ""}`;
      cell.style.background = value === null ? "" : palette[Math.round((part + 1) / 2 * (palette.length - 1))];
      cell.style.color = Math.abs(part) > 0.62 ? "#fff" : "#111";
      cell.textContent = value === null ? "" : brief(value);
    });
  }
}

class Block {
  constructor(parent) {
    this.root = element("section", { class: "block-lesson" }, parent);
    const bar = element("div", { class: "bar" }, this.root);
    this.play = element("button", { type: "button", class: "play" }, bar, "Play");
    this.play.onclick = () => this.toggle();
    this.faster = element("button", { type: "button", "aria-label": "Speed" }, bar, "1\u00d7");
    this.pace = 1;
    this.faster.onclick = () => {
      this.pace = (this.pace + 1) % SPEEDS.length;
      this.faster.textContent = ["\u00bd\u00d7", "1\u00d7", "2\u00d7"][this.pace];
      if (this.timer) { this.stop(); this.toggle(); }
    };
    element("span", {}, bar, "Point at the picture or at a map; arrow keys move, space plays.");
    this.stage = element("div", { class: "stage", tabindex: 0, role: "group" }, this.root);
    this.stage.onkeydown = (event) => this.key(event);
    this.said = element("output", { class: "said" }, this.root);
  }

  take(data) {
    this.stop();
    this.data = data;
    this.at = clamp(data.at, 0, data.rows * data.columns - 1);
    this.stage.replaceChildren();
    this.stage.setAttribute("aria-label", `${data.title}: arrow keys move the place, space plays`);
    this.maps = [];
    const overview = element("div", { class: "overview" }, this.stage);
    this.image(overview, data.picture.name, data.picture.src, data.picture.alt);
    for (const [name, step] of Object.entries(data.overview)) this.map(overview, name, step);
    this.shown = [];
    this.way(this.stage, "F(x): what the layers work out", data.layers, "F");
    const below = element("div", { class: "below" }, this.stage);
    this.way(below, data.around_title, data.around, data.skip ? "x" : "x off");
    this.way(below, data.sum_title, data.end, "H");
    this.draw();
  }

  // ------------------------------------------------------------ the picture and whole maps

  image(parent, name, src, alt) {
    const figure = element("figure", {}, parent);
    element("figcaption", {}, figure, name);
    const frame = element("div", { class: "whole" }, figure);
    element("img", { src, alt, draggable: "false" }, frame);
    this.follow(frame);
  }

  map(parent, name, step) {
    const { rows, columns, values } = step, figure = element("figure", {}, parent);
    element("figcaption", {}, figure, name);
    const frame = element("div", { class: "whole" }, figure);
    const canvas = element("canvas", { width: columns, height: rows, role: "img", "aria-label": step.alt }, frame);
    const image = new ImageData(columns, rows), { palette } = this.data;
    values.forEach((value, i) => {
      const colour = palette[Math.round((clamp(value / step.limit, -1, 1) + 1) / 2 * (palette.length - 1))];
      image.data.set([1, 3, 5].map((k) => parseInt(colour.slice(k, k + 2), 16)).concat(255), 4 * i);
    });
    canvas.getContext("2d").putImageData(image, 0, 0);
    this.follow(frame);
  }

  follow(frame) {
    const ring = element("b", {}, frame), { rows, columns } = this.data;
    ring.style.width = `${100 / columns}%`;
    ring.style.height = `${100 / rows}%`;
    this.maps.push(ring);
    frame.onpointermove = frame.onpointerdown = (event) => {
      const box = frame.getBoundingClientRect();
      const row = Math.floor((event.clientY - box.top) / box.height * rows), column = Math.floor((event.clientX - box.left) / box.width * columns);
      this.stop();
      this.to(clamp(row, 0, rows - 1) * columns + clamp(column, 0, columns - 1));
    };
  }

  // ------------------------------------------------------------ one way through the block

  way(parent, title, steps, kind) {
    const way = element("div", { class: `way ${kind}` }, parent);
    element("h4", {}, way, title);
    const row = element("div", { class: "row" }, way);
    steps.forEach((step, i) => {
      if (step.sign) element("span", { class: "sign" }, row, step.sign);
      if (step.conv) {
        const kernel = new Window(row, "kernel", `of channel ${step.conv.source}`, step.conv.size);
        kernel.figure.classList.add("kernel", `of-${step.conv.size}`);
        kernel.fill(step.conv.kernel, this.data.palette, step.conv.limit);
        element("span", { class: "sign" }, row, "=");
      }
      this.shown.push({ step, before: steps[i - 1], window: new Window(row, step.title, step.note, SIDE) });
    });
  }

  value(step, row, column) {
    if (row < 0 || column < 0 || row >= step.rows || column >= step.columns) return null;
    return step.values[row * step.columns + column];
  }

  draw() {
    const { data } = this, row = Math.floor(this.at / data.columns), column = this.at % data.columns;
    this.maps.forEach((ring) => { ring.style.left = `${100 * column / data.columns}%`; ring.style.top = `${100 * row / data.rows}%`; });
    const middle = {};
    for (const { step, before, window } of this.shown) {
      const [y, x] = [row * step.scale, column * step.scale], values = [];
      for (let i = -1; i <= 1; i++) for (let j = -1; j <= 1; j++) values.push(this.value(step, y + i, x + j));
      window.fill(values, data.palette, step.limit);
      const here = values[4], came = before ? this.value(before, row * before.scale, column * before.scale) : null;
      window.words.textContent = this.words(step, here, came, y * step.columns + x);
      if (step.role) middle[step.role] = here;
    }
    this.said.setAttribute("aria-live", this.timer ? "off" : "polite");
    this.said.replaceChildren();
    element("strong", {}, this.said, `Row ${row}, column ${column}: `);
    const total = data.skip ? `H(x) = F(x) + x = ${exact(middle.F)} + ${inside(middle.x)} = ${exact(middle.sum)}`
      : `the skip is off, H(x) = F(x) = ${exact(middle.F)} instead of ${exact(middle.F)} + ${inside(middle.x)} = ${exact(middle.F + middle.x)}`;
    this.said.append(`${total}${middle.after === undefined ? "." : `; after ${data.activation} ${exact(middle.after)}.`}`);
  }

  words(step, here, came, at) {
    if (step.conv) {
      const share = step.conv.share[at], rest = here - share - step.conv.bias;
      const parts = [`patch \u00d7 kernel ${exact(share)}`];
      if (step.conv.others) parts.push(`${step.conv.others === 1 ? "the other channel" : `${step.conv.others} other channels`} ${inside(rest)}`);
      if (step.conv.bias) parts.push(`bias ${inside(step.conv.bias)}`);
      return `${parts.join(" + ")} = ${exact(here)}`;
    }
    if (step.norm) {
      const { mean, deviation, scale, shift } = step.norm;
      return `(${exact(came)} \u2212 ${inside(mean)}) / ${exact(deviation)} \u00b7 ${inside(scale)} + ${inside(shift)} = ${exact(here)}`;
    }
    if (step.kind === "activation") return step.name === "ReLU" ? `max(0, ${exact(came)}) = ${exact(here)}` : `${step.name}(${exact(came)}) = ${exact(here)}`;
    return exact(here);
  }

  // ------------------------------------------------------------ moving

  to(place, resting = true) {
    this.at = place;
    this.draw();
    clearTimeout(this.rest);
    if (resting) this.rest = setTimeout(() => this.root.isConnected && this.report("rested", this.at), 500);
  }

  toggle() {
    if (this.timer) { this.stop(); this.to(this.at); return; }
    this.play.textContent = "Pause";
    this.timer = setInterval(() => {
      if (!this.root.isConnected) return this.stop();
      this.to((this.at + 1) % (this.data.rows * this.data.columns), false);
    }, SPEEDS[this.pace]);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.play.textContent = "Play";
  }

  key(event) {
    if (event.target !== this.stage) return;
    const { rows, columns } = this.data, row = Math.floor(this.at / columns), column = this.at % columns;
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (step) {
      this.stop();
      this.to(clamp(row + step[0], 0, rows - 1) * columns + clamp(column + step[1], 0, columns - 1));
    } else if (event.key === " ") this.toggle();
    else return;
    event.preventDefault();
  }
}
