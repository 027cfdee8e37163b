// Losses over a plane of weights: surfaces that turn together, or seen from above, and the cross-section through the networks.
//
// data: see drawing/landscape.py. Keys: arrows turn a surface. New numbers come while it is looked at: turn and tilt stay.

const views = new WeakMap();            // parent element -> View
const LEVELS = 22;                      // colours from above: few enough that their borders read as contour lines
const [GUESSED, NUMBER, LOST, FAR] = [0, 1, 2, 3];    // what is known of a point; too far from any known one: not drawn
const GREY = [128, 128, 128];
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

function number(value) {
  if (!Number.isFinite(value)) return "∞";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e5 || size < 1e-3)) return value.toExponential(1).replace("e+", "e").replaceAll("-", "\u2212");
  return value.toLocaleString("en-GB", { maximumSignificantDigits: 3 }).replace("-", "\u2212");
}

function steps(low, high, log) {        // round numbers on an axis
  if (log) {
    const all = [];
    for (let e = Math.floor(Math.log10(low)); e <= Math.log10(high); e++) all.push(10 ** e, 2 * 10 ** e, 5 * 10 ** e);
    const found = all.filter((value) => value >= low * 0.999 && value <= high * 1.001);
    return found.length > 7 ? found.filter((value) => Math.abs(Math.log10(value) % 1) < 1e-6) : found;
  }
  const rough = (high - low) / 4, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= rough * 0.999), found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high * 1.0001; i++) found.push(i * step || 0);
  return found;
}

function write(pen, text, x, y, colour, align = "center", halo = null) {
  pen.textAlign = align;
  pen.textBaseline = "middle";
  if (halo) { pen.strokeStyle = halo; pen.lineWidth = 4; pen.strokeText(text, x, y); }
  pen.fillStyle = colour;
  pen.fillText(text, x, y);
}

function trace(pen, points, colour, width, dash = []) {
  pen.setLineDash(dash);
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.beginPath();
  points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  pen.stroke();
  pen.setLineDash([]);
}

function dot(pen, [x, y], colour, ring, radius) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fillStyle = colour;
  pen.fill();
  pen.strokeStyle = ring;
  pen.lineWidth = 1.5;
  pen.stroke();
}

class View {
  constructor(home) {
    this.home = home;
    this.turn = 0.7;
    this.tilt = 0.78;
    this.root = element("div", { class: "landscape" }, home);
    this.row = element("div", { class: "row" }, this.root);
    this.hint = element("div", { class: "hint" }, this.root);
    this.below = element("section", { class: "below" }, this.root);
    this.title = element("h3", {}, this.below, "Straight through the middle");
    this.legend = element("div", { class: "legend" }, this.below);
    this.slices = element("canvas", { role: "img" }, this.below);
    this.sheets = [];
    this.sizes = new ResizeObserver(() => this.draw());
    this.sizes.observe(this.root);
  }

  show(data) {
    this.data = data;
    while (this.sheets.length > data.panels.length) this.sheets.pop().section.remove();
    while (this.sheets.length < data.panels.length) this.sheets.push(this.sheet());
    const surface = data.seen === "surface";
    data.panels.forEach((panel, i) => {
      const sheet = this.sheets[i];
      Object.assign(sheet, { panel });
      sheet.title.textContent = panel.title;
      sheet.canvas.setAttribute("aria-label", panel.alt);
      sheet.canvas.classList.toggle("turns", surface);
      sheet.canvas.tabIndex = surface ? 0 : -1;
      sheet.at = null;
      sheet.said.textContent = "\u00a0";
    });
    this.root.classList.toggle("one", data.panels.length < 2);
    const turned = data.panels.length > 1 ? "Drag to turn both" : "Drag to turn it";
    this.hint.textContent = `${surface ? `${turned}, or use the arrow keys. ` : ""}Point at a place to read it.`;
    this.draw();
  }

  sheet() {
    const section = element("section", {}, this.row);
    const made = { section, title: element("h3", {}, section), canvas: element("canvas", { role: "img" }, section), said: element("div", { class: "said", "aria-live": "polite" }, section) };
    const { canvas } = made;
    canvas.addEventListener("pointerdown", (event) => {
      if (this.data.seen !== "surface") return;
      made.from = [event.clientX, event.clientY];
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (made.from) {
        this.rotate((event.clientX - made.from[0]) * 0.008, (event.clientY - made.from[1]) * 0.006);
        made.from = [event.clientX, event.clientY];
        return;
      }
      const box = canvas.getBoundingClientRect();
      this.point(made, event.clientX - box.left, event.clientY - box.top);
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { made.from = null; });
    canvas.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: [-0.12, 0], ArrowRight: [0.12, 0], ArrowUp: [0, -0.08], ArrowDown: [0, 0.08] }[event.key];
      if (!by || this.data.seen !== "surface") return;
      event.preventDefault();
      this.rotate(...by);
    });
    return made;
  }

  rotate(turn, tilt) {
    this.turn -= turn;
    this.tilt = clamp(this.tilt + tilt, 0.12, 1.3);
    this.draw();
  }

  point(sheet, x, y) {
    let best = 30 ** 2, found = null;
    for (const spot of sheet.spots ?? []) {
      const far = (spot.x - x) ** 2 + (spot.y - y) ** 2;
      if (far < best) [best, found] = [far, spot];
    }
    if (found?.i === sheet.at?.i && found?.j === sheet.at?.j) return;
    sheet.at = found;
    sheet.said.textContent = found ? this.words(sheet.panel, found.i, found.j) : "\u00a0";
    this.draw();
  }

  words(panel, i, j) {
    const where = `${this.data.names[0]} ${number(panel.x[j])}, ${this.data.names[1]} ${number(panel.y[i])}`;
    if ([GUESSED, FAR].includes(panel.known[i][j])) return `${where}: not computed yet`;
    const right = panel.accuracy[i][j] === null ? "" : `, ${(100 * panel.accuracy[i][j]).toFixed(1)} % right`;
    if (panel.known[i][j] === LOST) return `${where}: the loss is no finite number${right}`;
    return `${where}: loss ${number(panel.loss[i][j])}${right}`;
  }

  theme() {
    const style = getComputedStyle(this.root), parse = (text) => (text.match(/[\d.]+/g) || [0, 0, 0]).slice(0, 3).map(Number);
    const ink = parse(style.color), ground = parse(style.backgroundColor);
    const mix = (share) => `rgb(${ground.map((value, i) => Math.round(value + (ink[i] - value) * share)).join(" ")})`;
    const table = this.data.table.match(/.{6}/g).map((hex) => [0, 2, 4].map((k) => parseInt(hex.slice(k, k + 2), 16)));
    const dark = isDark(this.root);
    return { ground, ink: mix(1), paper: mix(0), soft: mix(0.62), faint: mix(0.14), table, colours: this.data.colours[dark ? 1 : 0],
      type: 0.8 * parseFloat(style.fontSize), font: style.fontFamily };
  }

  begin(canvas, ratio, most) {
    const width = canvas.clientWidth, height = Math.round(clamp(width * ratio, 180, most)), dense = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * dense) || canvas.height !== Math.round(height * dense)) {
      [canvas.width, canvas.height] = [Math.round(width * dense), Math.round(height * dense)];
      canvas.style.height = `${height}px`;
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = `${this.ink.type}px ${this.ink.font}`;
    pen.lineJoin = pen.lineCap = "round";
    return { pen, width, height, big: this.ink.type / 12 };
  }

  share(value) {                        // of the height, 0..1
    const [low, high] = this.data.range;
    if (!this.data.log) return clamp((value - low) / (high - low), 0, 1);
    return clamp(Math.log(Math.max(value, 1e-9) / low) / Math.log(high / low), 0, 1);
  }

  colour(share) { return this.ink.table[Math.round(share * (this.ink.table.length - 1))]; }

  draw() {
    if (!this.data || !this.root.clientWidth) return;
    this.ink = this.theme();
    Object.assign(this.root.dataset, { turn: this.turn.toFixed(3), tilt: this.tilt.toFixed(3) });
    this.root.classList.toggle("narrow", this.root.clientWidth < 720);
    for (const sheet of this.sheets) (this.data.seen === "surface" ? this.surface(sheet) : this.above(sheet));
    this.section();
  }

  // a value anywhere between the points of the grid
  between(panel, x, y) {
    const along = (axis, value) => clamp((value - axis[0]) / (axis.at(-1) - axis[0]) * (axis.length - 1), 0, axis.length - 1);
    const u = along(panel.x, x), v = along(panel.y, y), j = Math.min(Math.floor(u), panel.x.length - 2), i = Math.min(Math.floor(v), panel.y.length - 2);
    const [a, b] = [u - j, v - i], s = (di, dj) => (panel.known[i + di][j + dj] === LOST ? 1 : this.share(panel.loss[i + di][j + dj]));
    return (1 - b) * ((1 - a) * s(0, 0) + a * s(0, 1)) + b * ((1 - a) * s(1, 0) + a * s(1, 1));
  }

  surface(sheet) {
    const { panel, canvas } = sheet, single = this.data.panels.length < 2;
    const { pen, width, height } = this.begin(canvas, single ? 0.5 : 0.8, single ? 540 : 520);
    const scale = Math.min(width * 0.31, height * 0.315), [cos, sin] = [Math.cos(this.turn), Math.sin(this.turn)];
    const [flat, steep] = [Math.sin(this.tilt), Math.cos(this.tilt)];
    const place = (u, v, rise) => {     // u, v in -1..1, rise in 0..1
      const far = u * sin + v * cos;
      return [width / 2 + (u * cos - v * sin) * scale, height * 0.5 - far * flat * scale - (rise - 0.4) * steep * scale * 1.25, far];
    };
    const part = (axis, value) => 2 * (value - axis[0]) / (axis.at(-1) - axis[0]) - 1;
    const us = panel.x.map((value) => part(panel.x, value)), vs = panel.y.map((value) => part(panel.y, value));
    const rise = panel.loss.map((row, i) => row.map((value, j) => (panel.known[i][j] === LOST ? 1 : this.share(value))));
    const corner = rise.map((row, i) => row.map((value, j) => place(us[j], vs[i], value)));
    sheet.spots = corner.flatMap((row, i) => row.map(([x, y], j) => ({ x, y, i, j })));
    this.posts(pen, place);
    const squares = [];
    for (let i = 0; i < vs.length - 1; i++) for (let j = 0; j < us.length - 1; j++) {
      const four = [[i, j], [i, j + 1], [i + 1, j + 1], [i + 1, j]];
      squares.push({ far: corner[i][j][2] + corner[i + 1][j + 1][2], four, i, j });
    }
    squares.sort((a, b) => b.far - a.far);
    const mesh = `rgb(${this.ink.ground.join(" ")} / 0.25)`, [row, column] = panel.middle;
    for (const { four, i, j } of squares) {
      const kinds = four.map(([a, b]) => panel.known[a][b]), lost = kinds.includes(LOST), guessed = kinds.includes(GUESSED);
      if (kinds.includes(FAR)) continue;
      const mean = four.reduce((sum, [a, b]) => sum + rise[a][b], 0) / 4, shade = lost ? GREY : this.colour(mean);
      pen.fillStyle = `rgb(${shade.join(" ")} / ${guessed ? 0.3 : 1})`;
      pen.strokeStyle = guessed ? pen.fillStyle : mesh;
      pen.lineWidth = 0.7;
      pen.beginPath();
      four.forEach(([a, b], k) => { const [x, y] = corner[a][b]; if (k) pen.lineTo(x, y); else pen.moveTo(x, y); });
      pen.closePath();
      pen.fill();
      if (!guessed) pen.stroke();
      for (const [edge, at] of [[[[row, j], [row, j + 1]], row], [[[i, column], [i + 1, column]], column]]) {   // the two lines through the network
        const touches = edge[0][0] === edge[1][0] ? i === at || i + 1 === at : j === at || j + 1 === at;
        if (touches && edge.every(([a, b]) => panel.known[a][b] === NUMBER)) trace(pen, edge.map(([a, b]) => corner[a][b]), this.ink.paper, 2);
      }
    }
    if (panel.known.some((row) => row.includes(FAR))) {                // while it fills: the two lines alone
      for (const cells of [panel.x.map((_, j) => [row, j]), panel.y.map((_, i) => [i, column])]) {
        const points = cells.filter(([i, j]) => panel.known[i][j] === NUMBER).map(([i, j]) => corner[i][j]);
        trace(pen, points, this.ink.ink, 2);
      }
    }
    this.path(pen, panel, (x, y) => place(part(panel.x, x), part(panel.y, y), this.between(panel, x, y)));
    dot(pen, corner[row][column], this.ink.colours[1], this.ink.paper, 5);
    if (sheet.at) dot(pen, corner[sheet.at.i][sheet.at.j], this.ink.paper, this.ink.ink, 4);
    this.edges(pen, place, panel);
  }

  posts(pen, place) {                   // the upright at the far corner, with the losses on it
    const corners = [[-1, -1], [-1, 1], [1, 1], [1, -1]].map(([u, v]) => [u * 1.03, v * 1.03]);
    const [u, v] = corners.reduce((best, one) => (place(...one, 0)[0] < place(...best, 0)[0] ? one : best));
    trace(pen, [place(u, v, 0), place(u, v, 1)], this.ink.soft, 1);
    const [low, high] = this.data.range;
    for (const value of steps(low, high, this.data.log)) {
      const [x, y] = place(u, v, this.share(value));
      trace(pen, [[x - 4, y], [x, y]], this.ink.soft, 1);
      write(pen, number(value), x - 7, y, this.ink.soft, "right", this.ink.paper);
    }
    const [x, y] = place(u, v, 1);
    write(pen, this.data.log ? "loss (log scale)" : "loss", Math.max(x - 60, 2), Math.max(y - 16 * this.ink.type / 12, 8), this.ink.soft, "left", this.ink.paper);
  }

  edges(pen, place, panel) {
    const near = Math.cos(this.turn) > 0 ? -1 : 1, side = Math.sin(this.turn) > 0 ? -1 : 1, { soft, paper } = this.ink;
    const [first, second] = this.data.names, { x, y } = panel;
    for (const [u, v, text] of [[-0.9, near * 1.13, number(x[0])], [0, near * 1.22, first], [0.9, near * 1.13, number(x.at(-1))],
      [side * 1.13, -0.9, number(y[0])], [side * 1.22, 0, second], [side * 1.13, 0.9, number(y.at(-1))]]) {
      const [px, py] = place(u, v, 0);
      write(pen, text, px, py, soft, "center", paper);
    }
  }

  path(pen, panel, place) {
    if (!panel.path) return;
    const points = panel.path.x.map((x, k) => place(x, panel.path.y[k]));
    trace(pen, points, this.ink.paper, 5);
    trace(pen, points, this.ink.colours[1], 2.5);
    points.forEach((point) => dot(pen, point, this.ink.colours[1], this.ink.paper, 3.5));
    panel.path.labels.forEach((text, k) => { if (text) write(pen, text, points[k][0] + 8, points[k][1] - 10, this.ink.ink, "left", this.ink.paper); });
  }

  above(sheet) {
    const { panel, canvas } = sheet, single = this.data.panels.length < 2;
    const { pen, width, height, big } = this.begin(canvas, single ? 0.5 : 0.74, single ? 520 : 470);
    const side = Math.min(height - 46 * big, width - 110 * big), wide = single ? Math.min(width - 110 * big, side * 1.5) : side;
    const left = Math.max(48 * big, (width - wide) / 2 - 20 * big), top = 8;
    const across = 220, down = Math.round(across * side / wide), small = (sheet.small ??= document.createElement("canvas"));
    [small.width, small.height] = [across, down];
    const image = new ImageData(across, down), { x, y } = panel;
    for (let b = 0; b < down; b++) for (let a = 0; a < across; a++) {
      const u = x[0] + (x.at(-1) - x[0]) * (a + 0.5) / across, v = y.at(-1) - (y.at(-1) - y[0]) * (b + 0.5) / down;
      const share = this.between(panel, u, v), step = Math.floor(share * (LEVELS - 1e-6)) / (LEVELS - 1);
      const kind = this.nearest(panel, u, v), shade = kind === LOST ? GREY : this.colour(step);
      image.data.set([...shade, kind === FAR ? 0 : kind === GUESSED ? 90 : 255], 4 * (b * across + a));
    }
    small.getContext("2d").putImageData(image, 0, 0);
    pen.drawImage(small, left, top, wide, side);
    const px = (value) => left + (value - x[0]) / (x.at(-1) - x[0]) * wide, py = (value) => top + side - (value - y[0]) / (y.at(-1) - y[0]) * side;
    sheet.spots = y.flatMap((v, i) => x.map((u, j) => ({ x: px(u), y: py(v), i, j })));
    for (const value of [x[0], 0, x.at(-1)]) write(pen, number(value), px(value), top + side + 12 * big, this.ink.soft);
    for (const value of [y[0], 0, y.at(-1)]) write(pen, number(value), left - 6, clamp(py(value), top + 6, top + side - 6), this.ink.soft, "right");
    write(pen, `${this.data.names[0]} →`, left + wide, top + side + 28 * big, this.ink.soft, "right");
    write(pen, `↑ ${this.data.names[1]}`, left, top + side + 28 * big, this.ink.soft, "left");
    this.scale(pen, left + wide + 12 * big, top, side, big);
    this.path(pen, panel, (u, v) => [px(u), py(v)]);
    dot(pen, [px(0), py(0)], this.ink.colours[1], this.ink.paper, 5);
    if (sheet.at) dot(pen, [px(x[sheet.at.j]), py(y[sheet.at.i])], this.ink.paper, this.ink.ink, 4);
  }

  scale(pen, left, top, height, big) {  // what the colours mean
    for (let k = 0; k < LEVELS; k++) {
      pen.fillStyle = `rgb(${this.colour(k / (LEVELS - 1)).join(" ")})`;
      pen.fillRect(left, top + height * (1 - (k + 1) / LEVELS), 10 * big, height / LEVELS + 0.5);
    }
    for (const value of steps(...this.data.range, this.data.log)) write(pen, number(value), left + 14 * big, clamp(top + height * (1 - this.share(value)), top + 6, top + height - 6), this.ink.soft, "left");
  }

  nearest(panel, x, y) {
    const along = (axis, value) => clamp(Math.round((value - axis[0]) / (axis.at(-1) - axis[0]) * (axis.length - 1)), 0, axis.length - 1);
    return panel.known[along(panel.y, y)][along(panel.x, x)];
  }

  section() {                           // the two lines through each network, on common axes
    const { panels, level, names } = this.data, lines = panels.flatMap((panel, k) => {
      const [row, column] = panel.middle, colour = this.ink.colours[k % 2 === 0 && panels.length > 1 ? 1 : 0];
      return [[panel.x, panel.x.map((_, j) => [row, j]), []], [panel.y, panel.y.map((_, i) => [i, column]), [6, 4]]].map(([axis, cells, dash], direction) => ({
        name: `${panel.title}, along ${names[direction]}`, colour, dash,
        points: axis.map((at, n) => [at, cells[n]]).filter(([, [i, j]]) => panel.known[i][j] === NUMBER).map(([at, [i, j]]) => [at, panel.loss[i][j]]) }));
    });
    this.legend.replaceChildren(...lines.map((line) => {
      const entry = element("span");
      element("i", { style: `color: ${line.colour}`, ...(line.dash.length ? { class: "dashed" } : {}) }, entry);
      entry.append(line.name);
      return entry;
    }));
    this.slices.setAttribute("aria-label", `The loss on the lines through the middle. ${panels.map((panel) => panel.alt).join(" ")}`);
    const { pen, width, height, big } = this.begin(this.slices, 0.2, 230), box = { left: 46 * big, top: 14, right: width - 12, bottom: height - 30 * big };
    const axes = panels.flatMap((panel) => [panel.x, panel.y]), [from, to] = [Math.min(...axes.map((a) => a[0])), Math.max(...axes.map((a) => a.at(-1)))];
    const x = (value) => box.left + (value - from) / (to - from) * (box.right - box.left), y = (value) => box.bottom - this.share(value) * (box.bottom - box.top);
    for (const value of steps(...this.data.range, this.data.log)) {
      trace(pen, [[box.left, y(value)], [box.right, y(value)]], this.ink.faint, 1);
      write(pen, number(value), box.left - 6, y(value), this.ink.soft, "right");
    }
    for (const value of [from, from / 2, 0, to / 2, to]) write(pen, number(value), clamp(x(value), box.left, box.right - 8), box.bottom + 12 * big, this.ink.soft);
    trace(pen, [[x(0), box.top], [x(0), box.bottom]], this.ink.faint, 1);
    if (level.at > this.data.range[0] && level.at < this.data.range[1]) {
      trace(pen, [[box.left, y(level.at)], [box.right, y(level.at)]], this.ink.soft, 1, [2, 4]);
      write(pen, level.name, box.right - 2, y(level.at) - 8, this.ink.soft, "right", this.ink.paper);
    }
    for (const line of lines) trace(pen, line.points.map(([at, value]) => [x(at), y(value)]), line.colour, 2.2, line.dash);
  }

  remove() {
    this.sizes.disconnect();
    views.delete(this.home);
    this.root.remove();
  }
}

export default function ({ data, parentElement }) {
  if (!views.has(parentElement)) views.set(parentElement, new View(parentElement));
  const view = views.get(parentElement);
  view.show(data);
  return () => view.remove();
}
