// A film of numbers: every frame was computed on the server, the browser moves through them at its own speed.
//
// data: see drawing/player.py. Keys: the slider's own (arrows, Home, End, page keys); the space bar anywhere plays and pauses.
// When the film comes to rest, its frame is told to the server, so that link and formula can have it.

const players = new WeakMap();          // shadow root -> Player
const SPEEDS = [0.5, 1, 2, 4];
const REST = 250;                       // ms without a change until the server hears of the frame
const MESH = 34;                        // squares along each side of a surface
const LEVELS = 18;                      // colours from above: few enough that their borders read as contour lines
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const at = (list, frame) => list[Math.min(frame, list.length - 1)];

function number(value) {
  if (!Number.isFinite(value)) return "∞";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e5 || size < 1e-3)) return value.toExponential(1).replace("e+", "e").replaceAll("-", "\u2212");
  return value.toLocaleString("en-GB", { maximumSignificantDigits: 4 }).replace("-", "\u2212");
}

function ticks(low, high, count) {
  const found = evenly(low, high, count);
  return found.length > 2 || count > 8 ? found : ticks(low, high, count + 2);
}

function evenly(low, high, count) {
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= rough * 0.999);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) found.push(i * step || 0);
  return found;
}

function powers(low, high) {
  const found = [], first = Math.ceil(Math.log10(low) - 1e-9), last = Math.floor(Math.log10(high) + 1e-9);
  const every = Math.max(1, Math.ceil((last - first) / 6));
  for (let e = first; e <= last; e += every) found.push(10 ** e);
  if (found.length > 2) return found;
  const between = [];                                              // under three decades: 1, 2, 5
  for (let e = first - 1; e <= last; e++) between.push(10 ** e, 2 * 10 ** e, 5 * 10 ** e);
  return between.filter((value) => value >= low && value <= high);
}

// ---------------------------------------------------------------- one canvas, sized to its column

class Sheet {
  constructor(player, home, panel) {
    this.player = player;
    this.panel = panel;
    this.canvas = element("canvas", { role: "img", "aria-label": panel.alt }, home);
  }

  begin(ratio) {
    const width = this.canvas.clientWidth, height = Math.round(clamp(width * ratio, 190, 560));
    const dense = window.devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(width * dense) || this.canvas.height !== Math.round(height * dense)) {
      this.canvas.width = Math.round(width * dense);
      this.canvas.height = Math.round(height * dense);
      this.canvas.style.height = `${height}px`;
    }
    const pen = this.canvas.getContext("2d");
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = `${this.player.type}px ${this.player.font}`;
    pen.lineJoin = pen.lineCap = "round";
    return { pen, width, height, big: this.player.type / 12, ...this.player.theme };
  }
}

function label(pen, text, x, y, colour, align = "center", base = "middle", halo = null) {
  pen.textAlign = align;
  pen.textBaseline = base;
  if (halo) { pen.strokeStyle = halo; pen.lineWidth = 4; pen.strokeText(text, x, y); }
  pen.fillStyle = colour;
  pen.fillText(text, x, y);
}

function trace(pen, points, colour, halo, width = 2.5, dash = []) {
  pen.setLineDash(dash);
  for (const [style, wide] of halo ? [[halo, width + 3], [colour, width]] : [[colour, width]]) {
    pen.strokeStyle = style;
    pen.lineWidth = wide;
    pen.beginPath();
    points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    pen.stroke();
  }
  pen.setLineDash([]);
}

// the steps of a path, where they lie far enough apart to be told from each other
function steps(pen, points, colour, ring) {
  let last = null;
  for (const point of points.slice(0, -1)) {
    if (last && Math.hypot(point[0] - last[0], point[1] - last[1]) < 9) continue;
    dot(pen, point, colour, ring, 2);
    last = point;
  }
}

function dot(pen, [x, y], colour, ring, radius = 5.5) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fillStyle = colour;
  pen.fill();
  pen.strokeStyle = ring;
  pen.lineWidth = radius > 3 ? 2 : 1;
  pen.stroke();
}

function axes(pen, box, panel, x, y, ink) {
  const rows = panel.log ? powers(...panel.y) : ticks(...panel.y, Math.max(2, Math.round(box.height / 55)));
  const columns = panel.log_x ? powers(...panel.x) : ticks(...panel.x, Math.max(2, Math.round(box.width / (80 * box.big))));
  pen.lineWidth = 1;
  for (const value of rows) {
    pen.strokeStyle = ink.faint;
    pen.beginPath(); pen.moveTo(box.left, y(value)); pen.lineTo(box.left + box.width, y(value)); pen.stroke();
    label(pen, number(value), box.left - 7, y(value), ink.soft, "right");
  }
  for (const value of columns) {
    pen.strokeStyle = ink.faint;
    pen.beginPath(); pen.moveTo(x(value), box.top + box.height); pen.lineTo(x(value), box.top + box.height + 4); pen.stroke();
    label(pen, number(value), x(value), box.top + box.height + 13 * box.big, ink.soft);
  }
  label(pen, panel.x_label, box.left + box.width, box.top + box.height + 29 * box.big, ink.soft, "right");
  label(pen, panel.y_label, 2, 8, ink.soft, "left");
}

function boxOf(width, height, big) {
  return { left: 52 * big, top: 22 * big, width: width - 52 * big - 12, height: height - 60 * big, big };
}

function scales(panel, box) {
  const of = ([low, high], log) => (log ? [Math.log10(low), Math.log10(high)] : [low, high]);
  const [x0, x1] = of(panel.x, panel.log_x), [y0, y1] = of(panel.y, panel.log);
  const x = (v) => box.left + (((panel.log_x ? Math.log10(v) : v) - x0) / (x1 - x0)) * box.width;
  const y = (v) => box.top + box.height - clamp(((panel.log ? Math.log10(Math.max(v, 1e-300)) : v) - y0) / (y1 - y0), -9, 9) * box.height;
  return { x, y };
}

function within(pen, box, paint) {
  pen.save();
  pen.beginPath();
  pen.rect(box.left - 1, box.top - 1, box.width + 2, box.height + 2);
  pen.clip();
  paint();
  pen.restore();
}

// ---------------------------------------------------------------- a loss over two weights

class Plane extends Sheet {
  constructor(player, home, panel) {
    super(player, home, panel);
    this.turn = 0.65;
    this.tilt = 0.62;
    if (panel.seen !== "surface") return;
    this.canvas.classList.add("turns");
    this.canvas.tabIndex = 0;
    element("div", { class: "hint" }, home, "Drag to turn it, or use the arrow keys.");
    this.canvas.addEventListener("pointerdown", (event) => { this.from = [event.clientX, event.clientY]; this.canvas.setPointerCapture(event.pointerId); });
    this.canvas.addEventListener("pointermove", (event) => {
      if (!this.from) return;
      this.rotate((event.clientX - this.from[0]) * 0.008, (event.clientY - this.from[1]) * 0.006);
      this.from = [event.clientX, event.clientY];
    });
    for (const end of ["pointerup", "pointercancel"]) this.canvas.addEventListener(end, () => { this.from = null; });
    this.canvas.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: [-0.12, 0], ArrowRight: [0.12, 0], ArrowUp: [0, -0.08], ArrowDown: [0, 0.08] }[event.key];
      if (!by) return;
      event.preventDefault();
      this.rotate(...by);
    });
  }

  rotate(turn, tilt) {
    this.turn -= turn;
    this.tilt = clamp(this.tilt + tilt, 0.12, 1.2);
    this.draw(this.player.frame);
  }

  value(six, x, y) { return six[0] * x * x + six[1] * x * y + six[2] * y * y + six[3] * x + six[4] * y + six[5]; }

  level(value) {
    const [low, high] = this.panel.range, share = Math.sqrt(clamp((value - low) / (high - low), 0, 1));
    return this.panel.seen === "surface" ? share : Math.floor(share * (LEVELS - 1e-6)) / (LEVELS - 1);
  }

  colour(level) {
    const { ground, ink, table } = this.player.theme;
    if (!this.panel.grey) return table[Math.round(level * (table.length - 1))];
    const share = 0.04 + 0.5 * level;
    return ground.map((value, i) => Math.round(value + (ink[i] - value) * share));
  }

  draw(frame) {
    if (!this.canvas.clientWidth) return;
    if (this.panel.seen === "surface") this.drawSurface(frame); else this.drawAbove(frame);
  }

  drawAbove(frame) {
    const { pen, width, height, big, groundText, faint, soft } = this.begin(0.68);
    const panel = this.panel, box = boxOf(width, height, big), { x, y } = scales(panel, box), six = at(panel.six, frame);
    const across = 240, down = Math.round(across * box.height / box.width);
    const small = (this.small ??= document.createElement("canvas"));
    [small.width, small.height] = [across, down];
    const image = new ImageData(across, down);
    for (let j = 0; j < down; j++) for (let i = 0; i < across; i++) {
      const u = panel.x[0] + (panel.x[1] - panel.x[0]) * (i + 0.5) / across, v = panel.y[1] - (panel.y[1] - panel.y[0]) * (j + 0.5) / down;
      const [r, g, b] = this.colour(this.level(this.value(six, u, v)));
      image.data.set([r, g, b, 255], 4 * (j * across + i));
    }
    small.getContext("2d").putImageData(image, 0, 0);
    pen.drawImage(small, box.left, box.top, box.width, box.height);
    axes(pen, box, panel, x, y, { faint, soft });
    within(pen, box, () => panel.paths.forEach((path) => {
      const points = path.x.slice(0, frame + 1).map((value, i) => [x(clamp(value, -1e4, 1e4)), y(path.y[i])]);
      trace(pen, points, this.player.colour(path.colour), groundText);
      steps(pen, points, this.player.colour(path.colour), groundText);
      dot(pen, points.at(-1), this.player.colour(path.colour), groundText);
    }));
  }

  drawSurface(frame) {
    const { pen, width, height, groundText, inkText, soft } = this.begin(0.72);
    const panel = this.panel, six = at(panel.six, frame), [low, high] = panel.range;
    const scale = Math.min(width * 0.33, height * 0.38), [cos, sin] = [Math.cos(this.turn), Math.sin(this.turn)];
    const [flat, steep] = [Math.sin(this.tilt), Math.cos(this.tilt)];
    const place = (u, v, value) => {                 // u, v in -1..1
      const rise = clamp((value - low) / (high - low), 0, 1), far = u * sin + v * cos;
      return [width / 2 + (u * cos - v * sin) * scale, height * 0.51 - far * flat * scale - (rise - 0.45) * steep * scale * 1.1, far];
    };
    const real = (share, [from, to]) => from + (to - from) * (share + 1) / 2;
    const worth = (u, v) => this.value(six, real(u, panel.x), real(v, panel.y));
    const corners = [];
    for (let j = 0; j <= MESH; j++) for (let i = 0; i <= MESH; i++) {
      const u = 2 * i / MESH - 1, v = 2 * j / MESH - 1;
      corners.push(place(u, v, worth(u, v)));
    }
    const squares = [];
    for (let j = 0; j < MESH; j++) for (let i = 0; i < MESH; i++) {
      const four = [j * (MESH + 1) + i, j * (MESH + 1) + i + 1, (j + 1) * (MESH + 1) + i + 1, (j + 1) * (MESH + 1) + i].map((k) => corners[k]);
      squares.push([four[0][2] + four[2][2], four, worth(2 * (i + 0.5) / MESH - 1, 2 * (j + 0.5) / MESH - 1)]);
    }
    squares.sort((a, b) => b[0] - a[0]);
    const mesh = `rgb(${this.player.theme.ground.join(" ")} / 0.22)`;
    for (const [, four, value] of squares) {
      const colour = `rgb(${this.colour(this.level(value)).join(" ")})`;
      pen.fillStyle = colour;
      pen.strokeStyle = mesh;
      pen.lineWidth = 0.7;
      pen.beginPath();
      four.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
      pen.closePath();
      pen.fill();
      pen.stroke();
    }
    this.drawEdges(pen, place, worth, soft);
    const share = (value, [from, to]) => clamp(2 * (value - from) / (to - from) - 1, -1, 1);
    for (const path of panel.paths) {
      const points = path.x.slice(0, frame + 1).map((value, i) => {
        const [u, v] = [share(value, panel.x), share(path.y[i], panel.y)];
        return place(u, v, worth(u, v));
      });
      trace(pen, points, this.player.colour(path.colour), groundText);
      steps(pen, points, this.player.colour(path.colour), groundText);
      dot(pen, points.at(-1), this.player.colour(path.colour), groundText, 6.5);
    }
    label(pen, panel.z_label, 2, 10, inkText, "left");
  }

  drawEdges(pen, place, worth, soft) {
    const near = (Math.cos(this.turn) > 0 ? -1 : 1), side = (Math.sin(this.turn) > 0 ? -1 : 1);
    const { x, y, x_label, y_label } = this.panel;
    const low = this.panel.range[0], halo = this.player.theme.groundText;
    for (const [u, v, text] of [[-0.85, near * 1.12, number(x[0])], [0, near * 1.28, x_label], [0.85, near * 1.12, number(x[1])],
      [side * 1.14, -0.85, number(y[0])], [side * 1.24, 0, y_label], [side * 1.14, 0.85, number(y[1])]]) {
      const [px, py] = place(u, v, low);
      label(pen, text, px, py, soft, "center", "middle", halo);
    }
  }
}

// ---------------------------------------------------------------- lines with what moves on them

class Lines extends Sheet {
  draw(frame) {
    if (!this.canvas.clientWidth) return;
    const { pen, width, height, big, groundText, faint, soft, inkText } = this.begin(this.panel.ratio);
    const panel = this.panel, box = boxOf(width, height, big), { x, y } = scales(panel, box);
    axes(pen, box, panel, x, y, { faint, soft });
    within(pen, box, () => {
      for (const line of panel.lines) {
        const now = panel.cursor ? at(panel.cursor, frame) : Infinity;
        const points = line.x.map((value, i) => [value, line.y[i]]).filter(([value, height]) => (!line.grows || value <= now + 1e-9) && Number.isFinite(height));
        const drawn = points.map(([u, v]) => [x(u), y(v)]);
        if (line.grows && !line.scatter) {                            // what is to come, faintly
          pen.globalAlpha = 0.22;
          trace(pen, line.x.map((u, i) => [x(u), y(line.y[i])]), this.player.colour(line.colour), null, 2);
          pen.globalAlpha = 1;
        }
        if (!drawn.length) continue;
        if (line.scatter) { drawn.forEach((point) => dot(pen, point, this.player.colour(line.colour), groundText, line.scatter)); continue; }
        trace(pen, drawn, this.player.colour(line.colour), null, line.dashed ? 1.5 : 2.5, line.dashed ? [5, 4] : []);
        if (line.grows) dot(pen, drawn.at(-1), this.player.colour(line.colour), groundText, 4.5);
      }
      for (const piece of panel.pieces ? at(panel.pieces, frame) : []) {
        trace(pen, [[x(piece.from[0]), y(piece.from[1])], [x(piece.to[0]), y(piece.to[1])]], this.player.colour(piece.colour), null, 2, piece.dashed ? [5, 4] : []);
      }
    });
    if (panel.cursor && panel.rule) {
      const here = x(at(panel.cursor, frame));
      trace(pen, [[here, box.top], [here, box.top + box.height]], soft, null, 1, [3, 3]);
    }
    for (const point of panel.dots ? at(panel.dots, frame) : []) {
      const place = [x(point.at[0]), y(point.at[1])];
      dot(pen, place, this.player.colour(point.colour), groundText);
      if (!point.text) continue;
      const right = point.at[0] >= 0;                                // outside of the curve, under its tangent
      label(pen, point.text, clamp(place[0] + (right ? 14 : -14), 70, width - 70), place[1] + 10, inkText, right ? "left" : "right", "middle", groundText);
    }
  }
}

// ---------------------------------------------------------------- bars

class Bars {
  constructor(player, home, panel) {
    Object.assign(this, { player, panel });
    const table = element("div", { class: "bars", role: "img", "aria-label": panel.alt }, home);
    const zero = 100 * (0 - panel.range[0]) / (panel.range[1] - panel.range[0]);
    this.rows = panel.names.map((name) => {
      const row = { name: element("span", { class: "name", title: name }, table, name), bar: element("div", { class: "bar", style: `--zero: ${zero}%` }, table) };
      row.fill = element("i", {}, row.bar);
      row.value = element("span", { class: "value" }, table);
      return row;
    });
  }

  draw(frame) {
    const { range, values, marks, colours } = this.panel, now = at(values, frame);
    const share = (value) => 100 * (clamp(value, ...range) - range[0]) / (range[1] - range[0]);
    this.rows.forEach((row, i) => {
      const [from, to] = [share(0), share(now[i])].sort((a, b) => a - b);
      row.fill.style.left = `${from}%`;
      row.fill.style.width = `${to - from}%`;
      row.fill.style.background = this.player.colour(now[i] < 0 ? colours[1] : colours[0]);
      row.value.textContent = number(now[i]);
      row.name.classList.toggle("marked", Boolean(marks) && at(marks, frame) === i);
    });
  }
}

// ---------------------------------------------------------------- numbers through a chain of functions, and slopes back

class Graph {
  constructor(player, home, panel) {
    Object.assign(this, { player, panel });
    const row = element("div", { class: "graph", role: "img", "aria-label": panel.alt }, home);
    this.nodes = [];
    this.links = [];
    panel.nodes.forEach((node, i) => {
      if (i) {
        const link = element("div", { class: "link" }, row);
        const forward = element("div", { class: "arrow" }, link, "→");
        const slope = element("div", { class: "slope" }, link), back = element("div", { class: "arrow" }, link, "←");
        this.links.push({ forward, slope, back });
      }
      const box = element("div", { class: "node" }, row);
      element("div", { class: "rule" }, box, node.rule);
      this.nodes.push({ box, value: element("b", {}, box), back: element("div", { class: "back" }, box) });
    });
  }

  draw(frame) {
    const last = this.nodes.length - 1, gone = frame - last;       // links that the gradient has crossed
    const root = this.player.root;
    root.style.setProperty("--forward", this.player.colour(0));
    root.style.setProperty("--back", this.player.colour(1));
    this.nodes.forEach((node, i) => {
      const reached = frame >= i, returned = gone >= 0 && last - i <= gone;
      node.value.textContent = reached ? number(this.panel.nodes[i].value) : "";
      node.back.textContent = returned ? `${this.panel.nodes[i].slope} = ${number(this.panel.nodes[i].back)}` : "";
      node.back.className = returned ? "back on-back" : "back";
      node.box.className = `node${gone <= 0 && frame === i ? " now-forward" : ""}${gone > 0 && last - i === gone ? " now-back" : ""}`;
    });
    this.links.forEach((link, i) => {
      const crossed = gone > 0 && last - i <= gone;
      link.forward.classList.toggle("on-forward", frame > i);
      link.back.classList.toggle("on-back", crossed);
      link.slope.textContent = crossed ? `× ${number(this.panel.links[i].slope)}` : this.panel.links[i].rule;
      link.slope.className = crossed ? "slope on-back" : "slope";
    });
  }
}

// ---------------------------------------------------------------- small matrices of numbers, in rows and columns

class Cells {
  constructor(player, home, panel) {
    Object.assign(this, { player, panel });
    const [high, wide] = panel.sides;
    const table = element("div", { class: "cells", role: "img", "aria-label": panel.alt }, home);
    table.style.gridTemplateColumns = `max-content repeat(${panel.columns.length}, max-content)`;
    element("span", {}, table);
    for (const name of panel.columns) element("span", { class: "name" }, table, name);
    this.rows = panel.rows.map((name) => {
      const row = [element("span", { class: "name" }, table, name)], cells = [];
      for (const _ of panel.columns) {
        const matrix = element("div", { class: "matrix" }, table);
        matrix.style.gridTemplateColumns = `repeat(${wide}, 1fr)`;
        for (let i = 0; i < high * wide; i++) cells.push(element("i", {}, matrix));
        row.push(matrix);
      }
      return { row, cells };
    });
  }

  draw(frame) {
    const { values, marks, limit, palette } = this.panel, now = at(values, frame), marked = marks ? at(marks, frame) : -1;
    this.rows.forEach(({ row, cells }, r) => {
      row.forEach((node) => node.classList.toggle("dim", marked >= 0 && marked !== r));
      cells.forEach((cell, i) => {
        const value = now[r][i], part = value === null ? 0 : clamp(value / limit, -1, 1);
        cell.textContent = value === null ? "" : Number.isInteger(value) ? number(value) : value.toFixed(2).replace("-", "\u2212");
        cell.style.background = value === null ? "" : palette[Math.round((part + 1) / 2 * (palette.length - 1))];
        cell.style.color = Math.abs(part) > 0.62 ? "#fff" : "#111";
      });
    });
  }
}

// ---------------------------------------------------------------- one picture, and the others that come with it

class Pictures extends Sheet {
  constructor(player, home, panel) {
    super(player, home, panel);
    this.image = new Image();
    this.image.onload = () => this.draw(player.frame);
    this.image.src = panel.src;
  }

  draw(frame) {
    if (!this.canvas.clientWidth || !this.image.complete) return;
    const { pen, width, height, big, soft } = this.begin(this.panel.ratio), { side, across } = this.panel;
    const [first, ...others] = at(this.panel.shown, frame), gap = 3, top = 20 * big, room = height - top - 4;
    const put = (place, x, y, size) => pen.drawImage(this.image, (place % across) * side, Math.floor(place / across) * side, side, side, x, y, size, size);
    pen.imageSmoothingEnabled = false;
    const large = Math.min(room, width * 0.34), left = large + 22 * big;
    label(pen, this.panel.names[0], 3, 8 * big, soft, "left");
    label(pen, this.panel.names[1], left, 8 * big, soft, "left");
    put(first, 3, top, large - 3);
    pen.strokeStyle = this.player.colour(0);
    pen.lineWidth = 3;
    pen.strokeRect(3, top, large - 3, large - 3);
    let columns = 1;
    const size = (count) => Math.min((width - left) / count, room / Math.ceil(others.length / count));
    while (size(columns + 1) > size(columns)) columns += 1;
    const tile = Math.min(Math.floor(size(columns)), large * 0.62);
    others.forEach((place, i) => put(place, left + (i % columns) * tile, top + Math.floor(i / columns) * tile, tile - gap));
  }
}

const KINDS = { plane: Plane, lines: Lines, bars: Bars, graph: Graph, cells: Cells, pictures: Pictures };

// ---------------------------------------------------------------- the player

class Player {
  constructor(home) {
    this.home = home;
    this.speed = 1;
    this.root = element("div", { class: "player" }, home);
    const hands = element("div", { class: "hands", role: "group", "aria-label": "Move through the film" }, this.root);
    this.button(hands, "|◀", "Back to the start", () => this.go(0));
    this.button(hands, "◀", "One back", () => this.go(this.frame - 1));
    this.play = this.button(hands, "Play", null, () => this.toggle());
    this.play.className = "play";
    this.button(hands, "▶", "One on", () => this.go(this.frame + 1));
    this.slider = element("input", { type: "range", min: 0, step: 1 }, hands);
    this.slider.addEventListener("input", () => this.go(Number(this.slider.value)));
    this.where = element("span", { class: "where" }, hands);
    this.faster = this.button(hands, "1×", "Speed", () => {
      this.speed = SPEEDS[(SPEEDS.indexOf(this.speed) + 1) % SPEEDS.length];
      this.faster.textContent = `${this.speed}×`;
    });
    this.said = element("div", { class: "said" }, this.root);
    this.panels = element("div", { class: "panels" }, this.root);
    this.spoken = element("div", { class: "spoken", "aria-live": "polite" }, this.root);
    this.root.addEventListener("keydown", (event) => {
      if (event.key !== " " || event.target.tagName === "BUTTON") return;
      event.preventDefault();
      this.toggle();
    });
    this.sizes = new ResizeObserver(() => { this.resize(); });
    this.sizes.observe(this.root);
  }

  button(parent, text, title, act) {
    const made = element("button", { type: "button", ...(title ? { title, "aria-label": title } : {}) }, parent, text);
    made.addEventListener("click", act);
    return made;
  }

  show(film, tell) {
    this.tell = tell;
    const before = this.film?.id, ground = this.dark;
    this.film = film;
    this.readTheme();
    if (before === film.id && ground === this.dark) return this.draw();
    this.slider.max = film.frames - 1;
    this.slider.setAttribute("aria-label", film.slider);
    this.panels.replaceChildren();
    this.drawn = film.panels.map((panel) => this.panel(panel));
    this.frame = clamp(this.timer || before === film.id ? this.frame : film.at, 0, film.frames - 1);
    this.resize();
  }

  panel(panel) {
    const home = element("section", { class: panel.place }, this.panels);
    if (panel.title) element("h3", {}, home, panel.title);
    const named = (panel.paths ?? panel.lines ?? []).filter((line) => line.name);
    if (named.length > 1 || panel.legend) {
      const legend = element("div", { class: "legend" }, home);
      for (const line of named) {
        const entry = element("span", {}, legend);
        element("i", { style: `color: ${this.colour(line.colour)}`, ...(line.dashed ? { class: "dashed" } : {}) }, entry);
        entry.append(line.name);
      }
    }
    return new KINDS[panel.kind](this, home, panel);
  }

  readTheme() {
    const style = getComputedStyle(this.root), parse = (text) => (text.match(/[\d.]+/g) || [0, 0, 0]).slice(0, 3).map(Number);
    const probe = element("span", { style: "color: var(--st-background-color)" }, this.root);
    const ink = parse(style.color), ground = parse(getComputedStyle(probe).color);
    probe.remove();
    const mix = (share) => `rgb(${ground.map((value, i) => Math.round(value + (ink[i] - value) * share)).join(" ")})`;
    const table = this.film.table.match(/.{6}/g).map((hex) => [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16)));
    this.theme = { ink, ground, inkText: mix(1), groundText: mix(0), soft: mix(0.62), faint: mix(0.14), table };
    this.dark = ground[0] + ground[1] + ground[2] < 384;
    this.font = style.fontFamily;
    this.type = 0.8 * parseFloat(style.fontSize);            // follows the page: large for a projector
  }

  colour(index) { return this.film.colours[this.dark ? 1 : 0][index]; }

  resize() {
    if (this.film) this.readTheme();                           // the page's type may have grown with it
    this.root.classList.toggle("narrow", this.root.clientWidth < 720);
    this.draw();
  }

  go(frame) {
    this.stop();
    this.frame = clamp(frame, 0, this.film.frames - 1);
    this.draw();
    this.spoken.textContent = at(this.film.said, this.frame);
    this.rest();
  }

  toggle() {
    if (this.timer) { this.stop(); this.draw(); this.rest(); return; }
    if (this.frame >= this.film.frames - 1) this.frame = 0;
    const tick = () => {
      this.frame += 1;
      if (this.frame >= this.film.frames - 1) return this.go(this.film.frames - 1);
      this.draw();
      this.timer = setTimeout(tick, this.film.every / this.speed);
    };
    this.timer = setTimeout(tick, this.film.every / this.speed);
    this.draw();
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = null;
  }

  rest() {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.tell("at", this.frame), REST);
  }

  draw() {
    if (!this.film) return;
    const said = at(this.film.said, this.frame), where = at(this.film.labels, this.frame);
    this.play.textContent = this.timer ? "Pause" : "Play";
    this.slider.value = this.frame;
    this.slider.setAttribute("aria-valuetext", where);
    this.where.textContent = where;
    this.said.textContent = said;
    Object.assign(this.root.dataset, { frame: this.frame, playing: String(Boolean(this.timer)), film: this.film.id });
    this.drawn.forEach((one) => one.draw(this.frame));
  }

  remove() {
    this.stop();
    clearTimeout(this.resting);
    this.sizes.disconnect();
    players.delete(this.home);
    this.root.remove();
  }
}

export default function ({ data, parentElement, setStateValue }) {
  if (!players.has(parentElement)) players.set(parentElement, new Player(parentElement));
  const player = players.get(parentElement);
  player.show(data, setStateValue);
  return () => player.remove();
}
