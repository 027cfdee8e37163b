// Walls of the same tiles side by side: hover or the arrow keys mark a tile in all of them, a click or Enter picks it.
//
// Data arrive as bytes (ui/walls.py, packed): uint32 length of a JSON head, the head, then one PNG a wall, in which a
// tile's pixel is one pixel. They are enlarged here, by whole multiples of the screen's own pixels, so that they stay
// sharp; only tiles that are larger than their place are shrunk. A pick reports the tile's place as trigger "picked".

const shown = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const wall = shown.get(parentElement) ?? make(parentElement);
  wall.pick = (place) => setTriggerValue("picked", place);
  const length = new DataView(data.buffer, data.byteOffset).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(data.subarray(4, 4 + length)));
  wall.chosen = head.chosen;
  if (wall.head?.digest === head.digest) return mark(wall);
  wall.head = head;
  wall.at = null;
  let start = 4 + length;
  const files = head.walls.map(({ bytes }) => new Blob([data.slice(start, (start += bytes))], { type: "image/png" }));
  const turn = (wall.turn = (wall.turn ?? 0) + 1);
  Promise.all(files.map((file) => createImageBitmap(file))).then((pictures) => {
    if (turn !== wall.turn) return;   // newer data came meanwhile
    wall.pictures?.forEach((picture) => picture.close());
    wall.pictures = pictures;
    build(wall);
    draw(wall);
  });
}

function make(parent) {
  const walls = document.createElement("div");
  walls.className = "walls";
  const words = document.createElement("output");
  parent.append(walls, words);
  const wall = { walls, words, at: null };
  shown.set(parent, wall);
  new ResizeObserver(() => wall.pictures && draw(wall)).observe(walls);
  return wall;
}

function build(wall) {
  const { head } = wall;
  wall.walls.style.setProperty("--most", `${head.most}px`);
  wall.figures = head.walls.map(({ title, alt }, number) => {
    const figure = document.createElement("figure");
    const caption = document.createElement("figcaption");
    caption.textContent = title;
    const box = document.createElement("div");
    box.className = "box";
    const canvas = document.createElement("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", alt);
    const chosen = document.createElement("i"), under = document.createElement("i");
    chosen.className = "chosen";
    under.className = "under";
    box.append(canvas, chosen, under);
    figure.append(caption, box);
    const place = (event) => placeAt(wall, canvas, event);
    box.onpointermove = (event) => look(wall, place(event));
    box.onpointerleave = () => look(wall, null);
    box.onclick = (event) => { const at = place(event); if (at !== null) wall.pick(at); };
    if (number === 0) keyboard(wall, box);
    return { figure, canvas, chosen, under };
  });
  wall.walls.replaceChildren(...wall.figures.map(({ figure }) => figure));
}

function keyboard(wall, box) {   // one stop of the Tab key for all walls: the arrow keys go from tile to tile
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", wall.head.label);
  box.onfocus = () => { if (box.matches(":focus-visible")) look(wall, wall.at ?? wall.chosen ?? 0); };
  box.onblur = () => look(wall, null);
  box.onkeydown = (event) => {
    const { columns, names } = wall.head, at = wall.at ?? wall.chosen ?? 0;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    if (step) look(wall, Math.min(Math.max(at + step, 0), names.length - 1));
    else if (event.key === "Enter" || event.key === " ") wall.pick(at);
    else return;
    event.preventDefault();
  };
}

function placeAt({ head }, canvas, event) {
  const { left, top, width } = canvas.getBoundingClientRect();
  const { stepX, stepY } = canvas.grid, scale = canvas.width / width;
  const column = Math.floor((event.clientX - left) * scale / stepX), row = Math.floor((event.clientY - top) * scale / stepY);
  const at = row * head.columns + column;
  return column >= 0 && column < head.columns && row >= 0 && at < head.names.length ? at : null;
}

function look(wall, at) {
  wall.at = at;
  mark(wall);
}

function mark(wall) {
  if (!wall.figures) return;
  for (const { canvas, chosen, under } of wall.figures) {
    ring(chosen, canvas, wall.chosen, wall.head.columns);
    ring(under, canvas, wall.at, wall.head.columns);
  }
  wall.words.textContent = wall.at === null ? wall.head.hint : wall.head.names[wall.at];
}

function ring(mark, canvas, at, columns) {
  mark.hidden = at === null || at === undefined;
  if (mark.hidden || !canvas.grid) return;
  const { stepX, stepY, wide, high, ratio } = canvas.grid;
  Object.assign(mark.style, {
    left: `${((at % columns) * stepX) / ratio}px`, top: `${(Math.floor(at / columns) * stepY) / ratio}px`,
    width: `${wide / ratio}px`, height: `${high / ratio}px`,
  });
}

function draw(wall) {
  const { columns, names, tile: [width, height] } = wall.head, ratio = window.devicePixelRatio || 1;
  const gapOf = (side) => Math.min(Math.max(1, Math.round(side / 8)), Math.round(6 * ratio));
  wall.figures.forEach(({ figure, canvas }, number) => {
    const room = Math.floor(figure.clientWidth * ratio);
    const fits = (scale) => columns * (width * scale + gapOf(width * scale)) - gapOf(width * scale) <= room;
    let scale = Math.max(1, Math.floor(room / (columns * width)));
    while (scale > 1 && !fits(scale)) scale -= 1;
    while (!fits(scale) && width * scale > 1) scale *= 0.97;
    const wide = Math.max(1, Math.floor(width * scale)), high = Math.max(1, Math.round(wide * height / width)), gap = gapOf(wide);
    const grid = { wide, high, ratio, stepX: wide + gap, stepY: high + gap };
    canvas.grid = grid;
    canvas.width = columns * grid.stepX - gap;
    canvas.height = Math.ceil(names.length / columns) * grid.stepY - gap;
    canvas.style.width = `${canvas.width / ratio}px`;
    canvas.style.height = `${canvas.height / ratio}px`;
    const pen = canvas.getContext("2d");
    pen.imageSmoothingEnabled = wide < width;
    for (let at = 0; at < names.length; at += 1) {
      const column = at % columns, row = Math.floor(at / columns);
      pen.drawImage(wall.pictures[number], column * width, row * height, width, height, column * grid.stepX, row * grid.stepY, wide, high);
    }
  });
  mark(wall);
}
