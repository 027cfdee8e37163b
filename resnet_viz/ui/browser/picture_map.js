// A map on which every picture has its place: dots or the pictures themselves, wrong answers in orange, class names over the
// middle of each class. The mouse or the arrow keys show a picture, a click or Enter picks it (trigger "picked").
//
// Data arrive as bytes (drawing/errors.py, feature_map): uint32 length of a JSON head, the head padded to 4 bytes, then the
// arrays that head.arrays describes.

const NEAR = 16, EDGE = 34;   // css pixels
const maps = new WeakMap();

function decode(bytes) {
  const packed = unpack(bytes), { head } = packed;
  for (const [name, described] of Object.entries(head.arrays)) head[name] = arrayOf(packed, described);
  return head;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const map = maps.get(parentElement) ?? make(parentElement);
  const head = decode(data), same = map.head?.digest === head.digest;
  map.pick = (place) => setTriggerValue("picked", place);
  map.head = head;
  if (same) return draw(map);
  map.at = null;
  map.atlas = null;
  map.order = Array.from(head.true.keys()).sort((a, b) => head.places[2 * a] - head.places[2 * b]);
  draw(map);
  createImageBitmap(new Blob([head.atlas], { type: "image/jpeg" })).then((atlas) => {
    if (map.head.digest !== head.digest) return;
    map.atlas = atlas;
    draw(map);
  });
}

function make(parent) {
  const root = element("div", { class: "map" }, parent);
  const box = element("div", { class: "box", tabindex: 0, role: "group", "aria-label": "Map of pictures: arrow keys go from left to right, Enter picks" }, root);
  const canvas = element("canvas", { role: "img" }, box);
  const seen = element("div", { class: "seen" }, box);
  seen.hidden = true;
  const large = element("canvas", {}, seen), text = element("div", {}, seen);
  const words = element("output", { class: "words" }, root);
  const map = { root, box, canvas, seen, large, text, words, at: null };
  maps.set(parent, map);
  box.onpointermove = (event) => look(map, nearest(map, event));
  box.onpointerleave = () => look(map, null);
  box.onblur = () => look(map, null);
  box.onclick = (event) => { const place = nearest(map, event); if (place !== null) map.pick(place); };
  box.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step) {
      const { order } = map, place = order.indexOf(map.at ?? map.head.picked ?? order[0]);
      look(map, order[Math.min(Math.max(place + step, 0), order.length - 1)]);
    } else if ((event.key === "Enter" || event.key === " ") && map.at !== null) map.pick(map.at);
    else return;
    event.preventDefault();
  };
  new ResizeObserver(() => map.head && draw(map)).observe(root);
  return map;
}

const xOf = ({ head, wide }, place) => EDGE + head.places[2 * place] * (wide - 2 * EDGE);
const yOf = ({ head, high }, place) => EDGE + (1 - head.places[2 * place + 1]) * (high - 2 * EDGE);

function nearest(map, event) {
  const { left, top } = map.canvas.getBoundingClientRect(), x = event.clientX - left, y = event.clientY - top;
  let best = null, distance = NEAR ** 2;
  for (let place = 0; place < map.head.true.length; place += 1) {
    const found = (xOf(map, place) - x) ** 2 + (yOf(map, place) - y) ** 2;
    if (found < distance) [best, distance] = [place, found];
  }
  return best;
}

function look(map, place) {
  if (map.at === place) return;
  map.at = place;
  draw(map);
}

function tile({ head, atlas }, pen, place, x, y, side) {
  const { tile: size, columns } = head;
  pen.drawImage(atlas, (place % columns) * size, Math.floor(place / columns) * size, size, size, x, y, side, side);
}

function draw(map) {
  const { head, canvas, root } = map, style = getComputedStyle(root), ratio = window.devicePixelRatio || 1;
  map.wide = Math.max(260, root.clientWidth);
  map.high = Math.round(Math.min(640, Math.max(320, map.wide * 0.68)));
  canvas.width = map.wide * ratio;
  canvas.height = map.high * ratio;
  canvas.style.width = `${map.wide}px`;
  canvas.style.height = `${map.high}px`;
  const pen = canvas.getContext("2d"), [chosen, wrong, plain] = head.colours;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  const mistaken = (place) => head.true[place] !== head.answered[place];
  const places = map.order.toSorted((a, b) => mistaken(a) - mistaken(b));   // mistakes above the others
  const small = Math.min(26, Math.max(14, map.wide / 36));
  for (const place of places) {
    const x = xOf(map, place), y = yOf(map, place), colour = mistaken(place) ? wrong : plain;
    if (head.pictures && map.atlas) {
      tile(map, pen, place, x - small / 2, y - small / 2, small);
      if (mistaken(place)) outline(pen, x, y, small / 2, wrong, 2);
    } else {
      pen.globalAlpha = mistaken(place) ? 0.95 : 0.55;
      pen.fillStyle = colour;
      pen.beginPath();
      pen.arc(x, y, mistaken(place) ? 4 : 3, 0, 2 * Math.PI);
      pen.fill();
      pen.globalAlpha = 1;
    }
  }
  if (head.picked !== null) outline(pen, xOf(map, head.picked), yOf(map, head.picked), head.pictures ? small / 2 : 6, chosen, 3);
  classNames(map, pen, style);
  if (map.at !== null) outline(pen, xOf(map, map.at), yOf(map, map.at), head.pictures ? small / 2 : 6, style.color, 2);
  canvas.setAttribute("aria-label", head.alt);
  enlarge(map);
}

function outline(pen, x, y, half, colour, width) {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.strokeRect(x - half, y - half, 2 * half, 2 * half);
}

function classNames(map, pen, style) {
  if (map.head.classes.length > 40) return;
  pen.font = `600 14px ${style.fontFamily}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.lineJoin = "round";
  pen.lineWidth = 4;
  pen.strokeStyle = style.getPropertyValue("--st-background-color") || "#fff";
  pen.fillStyle = style.color;
  map.head.classes.forEach((name, place) => {
    const [x, y] = [map.head.middles[2 * place], map.head.middles[2 * place + 1]];
    if (Number.isNaN(x)) return;
    const half = pen.measureText(name).width / 2 + 4;
    const left = Math.min(Math.max(EDGE + x * (map.wide - 2 * EDGE), half), map.wide - half), top = EDGE + (1 - y) * (map.high - 2 * EDGE);
    pen.strokeText(name, left, top);
    pen.fillText(name, left, top);
  });
}

function enlarge(map) {
  const { head, at, seen, large, text, words } = map;
  seen.hidden = at === null || !map.atlas;
  words.textContent = at === null ? `${head.pictures ? "Pictures in an orange frame" : "Each dot is a picture; orange ones"} got a wrong answer. Touch one to see it in large, click it to look closer.` : head.words[at];
  if (seen.hidden) return;
  large.width = large.height = head.tile;
  tile(map, large.getContext("2d"), at, 0, 0, head.tile);
  text.textContent = head.words[at];
  const x = xOf(map, at), y = yOf(map, at);
  seen.style.left = `${x > map.wide / 2 ? x - 168 : x + 16}px`;
  seen.style.top = `${Math.min(Math.max(0, y - 90), map.high - 200)}px`;
}
