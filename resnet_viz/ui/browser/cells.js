// Pictures and maps side by side: the mouse or the arrow keys mark a cell in all maps, and in all pictures what it sees.
//
// Data arrive as bytes (ui/cells.py, packed): uint32 length of a JSON head, the head, then of each panel one PNG, in which
// a cell is a pixel, and the float32 numbers of its cells (none of a picture). What each row and each column sees of the
// picture comes with the head. A click or Enter keeps a cell: its place is reported as trigger "picked".

const shown = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const all = shown.get(parentElement) ?? make(parentElement);
  all.pick = ([row, column]) => setTriggerValue("picked", row * all.head.columns + column);
  const length = new DataView(data.buffer, data.byteOffset).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(data.subarray(4, 4 + length)));
  all.chosen = head.chosen;
  if (all.head?.digest === head.digest) return mark(all);
  all.head = head;
  all.at = null;
  let start = 4 + length;
  const files = [], numbers = [];
  for (const panel of head.panels) {
    files.push(new Blob([data.slice(start, (start += panel.bytes))], { type: "image/png" }));
    numbers.push(panel.numbers ? new Float32Array(data.slice(start, (start += panel.numbers)).buffer) : null);
  }
  const turn = (all.turn = (all.turn ?? 0) + 1);
  Promise.all(files.map((file) => createImageBitmap(file))).then((pictures) => {
    if (turn !== all.turn) return;   // newer data came meanwhile
    all.pictures?.forEach((picture) => picture.close());
    Object.assign(all, { pictures, numbers });
    build(all);
    draw(all);
  });
}

function make(parent) {
  const place = document.createElement("div");
  place.className = "cells";
  const words = document.createElement("output");
  parent.append(place, words);
  const all = { place, words, at: null };
  shown.set(parent, all);
  new ResizeObserver(() => all.pictures && draw(all)).observe(place);
  return all;
}

function build(all) {
  all.place.style.setProperty("--least", `${all.head.least}px`);
  const first = all.numbers.findIndex((values) => values);
  all.figures = all.head.panels.map(({ title, alt }, number) => {
    const figure = document.createElement("figure"), caption = document.createElement("figcaption");
    const box = document.createElement("div"), canvas = document.createElement("canvas"), ring = document.createElement("i");
    caption.textContent = title;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", alt);
    box.className = all.numbers[number] ? "box map" : "box";
    box.append(canvas, ring);
    figure.append(caption, box);
    if (all.numbers[number]) {
      box.onpointermove = (event) => look(all, cellAt(all, canvas, event));
      box.onpointerleave = () => look(all, null);
      box.onclick = (event) => all.pick(cellAt(all, canvas, event));
    }
    if (number === first) keyboard(all, box);
    return { figure, canvas, ring };
  });
  all.place.replaceChildren(...all.figures.map(({ figure }) => figure));
}

function keyboard(all, box) {   // one stop of the Tab key for all maps: the arrow keys go from cell to cell
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", all.head.label);
  box.onblur = () => look(all, null);
  box.onkeydown = (event) => {
    const [row, column] = all.at ?? all.chosen;
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (step) look(all, [within(row + step[0], all.head.rows), within(column + step[1], all.head.columns)]);
    else if (event.key === "Enter" || event.key === " ") all.pick([row, column]);
    else return;
    event.preventDefault();
  };
}

const within = (place, length) => Math.min(Math.max(place, 0), length - 1);

function cellAt({ head }, canvas, event) {
  const { left, top, width, height } = canvas.getBoundingClientRect();
  return [within(Math.floor((event.clientY - top) / height * head.rows), head.rows),
          within(Math.floor((event.clientX - left) / width * head.columns), head.columns)];
}

function look(all, at) {
  all.at = at;
  mark(all);
}

function mark(all) {
  if (!all.figures) return;
  const { head, numbers } = all, [row, column] = all.at ?? all.chosen;
  const [top, bottom] = head.down[row], [left, right] = head.along[column];
  all.figures.forEach(({ canvas, ring }, number) => {
    const box = numbers[number] ? [row / head.rows, (row + 1) / head.rows, column / head.columns, (column + 1) / head.columns]
                                : [top / head.size[0], bottom / head.size[0], left / head.size[1], right / head.size[1]];
    const wide = parseFloat(canvas.style.width), high = parseFloat(canvas.style.height);
    ring.hidden = box[0] === box[1] || box[2] === box[3];
    Object.assign(ring.style, { top: `${box[0] * high}px`, height: `${(box[1] - box[0]) * high}px`,
                                left: `${box[2] * wide}px`, width: `${(box[3] - box[2]) * wide}px` });
  });
  const places = head.panels.flatMap(({ title }, number) => numbers[number] ? [[title, numbers[number][row * head.columns + column]]] : []);
  const said = places.map(([title, value]) => (places.length > 1 ? `${title}: ` : "") + value.toPrecision(3)).join(", ");
  const [high, wide] = head.field, whole = bottom - top === high && right - left === wide;
  all.words.textContent = `Row ${row}, column ${column}: ${said}. It sees ${high} × ${wide} pixels of the picture`
    + (whole ? "." : `, ${bottom - top} × ${right - left} of them inside it; the rest is padding.`);
}

function draw(all) {   // every panel the same size: a whole multiple of the picture's pixels where there is room for it
  const ratio = window.devicePixelRatio || 1;
  all.figures.forEach(({ figure, canvas }, number) => {
    const room = Math.min(figure.clientWidth, 420) * ratio, [high, wide] = all.head.size;
    const scale = room >= wide ? Math.floor(room / wide) : room / wide;
    canvas.width = Math.max(1, Math.round(wide * scale));
    canvas.height = Math.max(1, Math.round(high * scale));
    canvas.style.width = `${canvas.width / ratio}px`;
    canvas.style.height = `${canvas.height / ratio}px`;
    const pen = canvas.getContext("2d");
    pen.imageSmoothingEnabled = all.pictures[number].width > canvas.width;
    pen.drawImage(all.pictures[number], 0, 0, canvas.width, canvas.height);
  });
  mark(all);
}
