// The matrix of who is taken for whom: rows are what a picture is, columns what the network says; moment by moment where
// a run kept its counts. Hover or the arrow keys name a cell, a click or Enter picks it.
//
// Data arrive as bytes (drawing/errors.py, matrix): uint32 length of a JSON head, the head padded to 4 bytes, then the
// arrays that head.arrays describes. Triggers: "picked" [true, answered] by the numbers of the classes, "frame" after rest.

const REST = 500, TICK = 350;   // milliseconds
const NAMED = 40;               // classes with their names beside the matrix
const matrices = new WeakMap();
const percent = (share) => `${(100 * share).toFixed(1)}\u202f%`;
const whole = (number) => number.toLocaleString("en-GB");

function decode(bytes) {
  const packed = unpack(bytes), { head } = packed;
  for (const [name, described] of Object.entries(head.arrays)) head[name] = arrayOf(packed, described);
  return head;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const matrix = matrices.get(parentElement) ?? make(parentElement);
  const head = decode(data);
  matrix.pick = ([row, column]) => setTriggerValue("picked", [head.numbers[row], head.numbers[column]]);
  matrix.tell = (frame) => setTriggerValue("frame", frame);
  if (matrix.head?.digest !== head.digest) {
    matrix.frame = head.frame;
    matrix.at = null;
  }
  matrix.head = head;
  matrix.bar.hidden = head.when.length < 2;
  matrix.range.max = head.when.length - 1;
  show(matrix, matrix.frame);
  return () => stop(matrix);
}

function make(parent) {
  const root = element("div", { class: "confusion" }, parent);
  const bar = element("div", { class: "bar" }, root);
  const button = element("button", { type: "button" }, bar);
  button.textContent = "Play";
  const range = element("input", { type: "range", min: 0, "aria-label": "Moment of the training" }, bar);
  const moment = element("output", {}, bar);
  const box = element("div", { class: "box", tabindex: 0, role: "group",
                                 "aria-label": "Confusion matrix: arrow keys move, Enter picks a cell" }, root);
  const canvas = element("canvas", { role: "img" }, box);
  const words = element("output", { class: "words" }, root);
  const matrix = { root, bar, button, range, moment, box, canvas, words, at: null, playing: null };
  matrices.set(parent, matrix);
  range.oninput = () => { stop(matrix); show(matrix, Number(range.value)); rest(matrix); };
  button.onclick = () => (matrix.playing ? stop(matrix) : play(matrix));
  box.onpointermove = (event) => look(matrix, cellAt(matrix, event));
  box.onpointerleave = () => look(matrix, null);
  box.onclick = (event) => { const cell = cellAt(matrix, event); if (cell) matrix.pick(cell); };
  box.onblur = () => look(matrix, null);
  box.onkeydown = (event) => keyboard(matrix, event);
  new ResizeObserver(() => matrix.head && draw(matrix)).observe(root);
  return matrix;
}

function play(matrix) {
  if (matrix.frame === matrix.head.when.length - 1) show(matrix, 0);
  matrix.button.textContent = "Pause";
  matrix.playing = setInterval(() => {
    show(matrix, matrix.frame + 1);
    if (matrix.frame === matrix.head.when.length - 1) { stop(matrix); rest(matrix); }
  }, TICK);
}

function stop(matrix) {
  clearInterval(matrix.playing);
  if (matrix.playing) rest(matrix);
  matrix.playing = null;
  matrix.button.textContent = "Play";
}

function rest(matrix) {   // the server hears of a moment only when it stays: for the link, the words and the pictures
  clearTimeout(matrix.resting);
  matrix.resting = setTimeout(() => matrix.tell(matrix.frame), REST);
}

function keyboard(matrix, event) {
  const last = matrix.head.classes.length - 1, [row, column] = matrix.at ?? matrix.head.picked ?? [0, 0];
  const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
  if (step) look(matrix, [row + step[0], column + step[1]].map((place) => Math.min(Math.max(place, 0), last)));
  else if (event.key === "Enter" || event.key === " ") matrix.pick([row, column]);
  else return;
  event.preventDefault();
}

function cellAt({ canvas, grid, head }, event) {
  const { left, top } = canvas.getBoundingClientRect();
  const column = Math.floor((event.clientX - left - grid.left) / grid.cell), row = Math.floor((event.clientY - top - grid.top) / grid.cell);
  const inside = (place) => place >= 0 && place < head.classes.length;
  return inside(row) && inside(column) ? [row, column] : null;
}

function look(matrix, cell) {
  if (String(matrix.at) === String(cell)) return;
  matrix.at = cell;
  draw(matrix);
}

function show(matrix, frame) {
  const { head } = matrix;
  matrix.frame = Math.min(frame, head.when.length - 1);
  matrix.range.value = matrix.frame;
  const share = percent(head.right[matrix.frame] / head.all[matrix.frame]);
  matrix.moment.textContent = `${head.when[matrix.frame]}: ${share} of ${whole(head.all[matrix.frame])} right`;
  matrix.range.setAttribute("aria-valuetext", matrix.moment.textContent);
  draw(matrix);
}

const countOf = ({ head, frame }, row, column) => head.counts[(frame * head.classes.length + row) * head.classes.length + column];
const sumOf = ({ head, frame }, row) => head.sums[frame * head.classes.length + row];

function value(matrix, row, column) {
  const count = countOf(matrix, row, column), sum = sumOf(matrix, row);
  return matrix.head.rates ? (sum ? count / sum : 0) : count;
}

function written(value, rates) {
  if (!value) return "";
  return rates ? (value < 0.005 ? "<1" : (100 * value).toFixed(0)) : whole(value);
}

// The deepest orange is the largest mistake, the deepest blue all of a row (of counts: the most right answers)
function ends(matrix) {
  const count = matrix.head.classes.length;
  let wrong = 0, right = matrix.head.rates ? 1 : 0;
  for (let row = 0; row < count; row += 1)
    for (let column = 0; column < count; column += 1) {
      const found = value(matrix, row, column);
      if (row === column) right = Math.max(right, found); else wrong = Math.max(wrong, found);
    }
  return { wrong, right };
}

function lay({ root, head, canvas }, pen, style) {
  const count = head.classes.length, named = count <= NAMED, ratio = window.devicePixelRatio || 1;
  const room = Math.max(240, root.clientWidth), font = Math.min(14, Math.max(9, room / (named ? 3 * count : 40)));
  pen.font = `${font}px ${style.fontFamily}`;
  const widest = named ? Math.max(...head.classes.map((name) => pen.measureText(name).width)) : 0;
  const label = Math.min(widest + 8, room * 0.26, 150);
  const cell = Math.max(2, Math.floor(Math.min(60, (room - label - 2) / count)));
  const upright = widest > cell - 6;
  const grid = { cell, label, font, named, upright, left: Math.ceil(label), top: named ? Math.ceil(upright ? label : font + 10) : 0 };
  const width = grid.left + cell * count + 2, height = grid.top + cell * count + 2;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  return grid;
}

function cut(pen, text, width) {
  if (pen.measureText(text).width <= width) return text;
  let kept = text;
  while (kept.length > 1 && pen.measureText(`${kept}\u2026`).width > width) kept = kept.slice(0, -1);
  return `${kept}\u2026`;
}

function draw(matrix) {
  const { head, canvas, root } = matrix, style = getComputedStyle(root), pen = canvas.getContext("2d");
  const grid = (matrix.grid = lay(matrix, pen, style)), ink = style.color, limit = ends(matrix);
  if (grid.named) names(matrix, pen, grid, style);
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.font = `${Math.min(15, Math.max(8, grid.cell * 0.34))}px ${style.fontFamily}`;
  head.classes.forEach((_, row) => head.classes.forEach((_, column) => {
    const number = value(matrix, row, column), right = row === column, end = right ? limit.right : limit.wrong;
    const strength = end ? number / end : 0, left = grid.left + column * grid.cell, top = grid.top + row * grid.cell;
    const gap = grid.cell > 8 ? 1 : 0;
    pen.globalAlpha = 0.05;
    pen.fillStyle = ink;
    pen.fillRect(left, top, grid.cell - gap, grid.cell - gap);
    pen.globalAlpha = strength;
    pen.fillStyle = head.colours[right ? 0 : 1];
    pen.fillRect(left, top, grid.cell - gap, grid.cell - gap);
    pen.globalAlpha = 1;
    const text = written(number, head.rates);
    if (grid.cell >= 17 && text && pen.measureText(text).width < grid.cell - 2) {
      pen.fillStyle = strength > 0.5 ? "#fff" : ink;
      pen.fillText(text, left + grid.cell / 2, top + grid.cell / 2 + 1);
    }
  }));
  for (const [cell, colour, width] of [[head.picked, style.getPropertyValue("--st-primary-color") || ink, 3], [matrix.at, ink, 2]]) {
    if (!cell) continue;
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.strokeRect(grid.left + cell[1] * grid.cell, grid.top + cell[0] * grid.cell, grid.cell - 1, grid.cell - 1);
  }
  canvas.setAttribute("aria-label", head.words[matrix.frame]);
  matrix.words.textContent = said(matrix, limit);
}

function names(matrix, pen, grid, style) {
  pen.font = `${grid.font}px ${style.fontFamily}`;
  matrix.head.classes.forEach((name, place) => {
    const text = cut(pen, name, grid.label - 8), middle = (place + 0.5) * grid.cell;
    const bold = (on) => { pen.font = `${on ? 600 : 400} ${grid.font}px ${style.fontFamily}`; pen.fillStyle = style.color; };
    bold(matrix.at?.[0] === place);
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    pen.fillText(text, grid.left - 6, grid.top + middle);
    bold(matrix.at?.[1] === place);
    pen.save();
    pen.translate(grid.left + middle, grid.top - 6);
    if (grid.upright) pen.rotate(-Math.PI / 2);
    pen.textAlign = grid.upright ? "left" : "center";
    pen.textBaseline = grid.upright ? "middle" : "bottom";
    pen.fillText(grid.upright ? text : name, 0, 0);
    pen.restore();
  });
}

function said(matrix, limit) {
  const { head } = matrix;
  if (!matrix.at) {
    const end = head.rates ? percent(limit.wrong) : whole(limit.wrong);
    return `Rows: what it is. Columns: what the network says. Blue is right, orange is wrong; the deepest orange is ${end}${head.rates ? " of a row; numbers in %" : ""}. Click a cell for more.`;
  }
  const [row, column] = matrix.at, count = countOf(matrix, row, column), sum = sumOf(matrix, row);
  const share = sum ? ` (${percent(count / sum)})` : "";
  return row === column ? `${head.classes[row]} recognised: ${whole(count)} of ${whole(sum)}${share}`
    : `${head.classes[row]} taken for ${head.classes[column]}: ${whole(count)} of ${whole(sum)}${share}`;
}
