// A column of strips, one a layer: its name, what there is of it, and as many of its maps as fit the width.
//
// Data arrive as bytes (ui/feature_maps_network.py, packed): uint32 length of a JSON head, the head, then one PNG a strip,
// its tiles in one row, a cell a pixel. A click on a map or on a layer's name reports "strip,tile" as trigger "picked".

const SIDE = 64, DOT = 14, NARROW = 560;   // css pixels: of a map, of a map of one cell, of a page that is too narrow for two columns
const shown = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const all = shown.get(parentElement) ?? make(parentElement);
  all.pick = (strip, tile) => setTriggerValue("picked", `${strip},${tile}`);
  const length = new DataView(data.buffer, data.byteOffset).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(data.subarray(4, 4 + length)));
  if (all.head?.digest === head.digest) return;
  all.head = head;
  let start = 4 + length;
  const files = head.strips.map(({ bytes }) => new Blob([data.slice(start, (start += bytes))], { type: "image/png" }));
  const turn = (all.turn = (all.turn ?? 0) + 1);
  Promise.all(files.map((file) => createImageBitmap(file))).then((pictures) => {
    if (turn !== all.turn) return;   // newer data came meanwhile
    all.pictures?.forEach((picture) => picture.close());
    all.pictures = pictures;
    build(all);
    draw(all);
  });
}

function make(parent) {
  const place = document.createElement("div"), words = document.createElement("output");
  place.className = "strips";
  parent.append(place, words);
  const all = { place, words };
  shown.set(parent, all);
  new ResizeObserver(() => all.pictures && draw(all)).observe(place);
  return all;
}

function build(all) {
  all.rows = all.head.strips.map(({ title, line, alt, names }, number) => {
    const strip = document.createElement("div"), words = document.createElement("div"), box = document.createElement("div");
    const name = document.createElement(names.length ? "button" : "b"), small = document.createElement("small");
    const canvas = document.createElement("canvas"), ring = document.createElement("i");
    strip.className = "strip";
    name.textContent = title;
    small.textContent = line;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", alt);
    ring.hidden = true;
    words.append(name, small);
    box.append(canvas, ring);
    strip.append(words, box);
    const row = { strip, canvas, ring };
    if (names.length) {
      box.className = "box";
      name.onclick = () => all.pick(number, -1);
      box.onpointermove = (event) => look(all, row, number, tileAt(row, event));
      box.onpointerleave = () => look(all, row, number, null);
      box.onclick = (event) => { const tile = tileAt(row, event); if (tile !== null) all.pick(number, tile); };
    }
    return row;
  });
  all.place.replaceChildren(...all.rows.map(({ strip }) => strip));
  all.words.textContent = all.head.hint;
}

function tileAt({ canvas, grid }, event) {
  const tile = Math.floor((event.clientX - canvas.getBoundingClientRect().left) * grid.ratio / grid.step);
  return tile >= 0 && tile < grid.count ? tile : null;
}

function look(all, { ring, grid }, number, tile) {
  ring.hidden = tile === null;
  if (tile !== null) Object.assign(ring.style, { left: `${tile * grid.step / grid.ratio}px`, top: "0", width: `${grid.wide / grid.ratio}px`,
                                                 height: `${grid.high / grid.ratio}px` });
  all.words.textContent = tile === null ? all.head.hint : `${all.head.strips[number].title}, ${all.head.strips[number].names[tile]}`;
}

function draw(all) {
  const ratio = window.devicePixelRatio || 1;
  all.place.classList.toggle("narrow", all.place.clientWidth < NARROW);
  all.rows.forEach((row, number) => {
    const { tile: [width, height], count } = all.head.strips[number], aim = (width === 1 ? DOT : SIDE) * ratio;
    const scale = Math.max(width, height) <= aim ? Math.floor(aim / Math.max(width, height)) : aim / Math.max(width, height);
    const wide = Math.round(width * scale), high = Math.round(height * scale), gap = Math.round((width === 1 ? 2 : 5) * ratio);
    const room = row.canvas.parentElement.clientWidth * ratio, fits = Math.max(1, Math.min(count, Math.floor((room + gap) / (wide + gap))));
    row.grid = { ratio, wide, high, step: wide + gap, count: fits };
    row.canvas.width = fits * (wide + gap) - gap;
    row.canvas.height = high;
    row.canvas.style.width = `${row.canvas.width / ratio}px`;
    row.canvas.style.height = `${high / ratio}px`;
    const pen = row.canvas.getContext("2d");
    pen.imageSmoothingEnabled = scale < 1;
    for (let at = 0; at < fits; at += 1) pen.drawImage(all.pictures[number], at * width, 0, width, height, at * row.grid.step, 0, wide, high);
  });
}
