// A picture's way into a network: a card a step, each with the picture as it is then and how its values are spread.
// data: {id, recipe, original: {src, width, height}, steps: [{name, shape, type}], normal: {mean, std, limit},
//        spread, frames: [{window: [left, top, width, height], mirrored, src, between: spread, spread, said}], at, table}
// spread: {counts: [3][bins], ends: [3][least, most]} of the bytes before ToTensor, a channel each
// The films are drawn here at the browser's own speed; the frame where it rests goes to the server as `at`.

const LINES = ["#D55E00", "#009E73", "#0072B2"];
const EVERY_MS = 1200;
const SIDE = 224;

export default function ({ data, parentElement, setStateValue }) {
  let root = parentElement.querySelector(".steps");
  if (!root) {
    root = element("div", { class: "steps" });
    parentElement.append(root);
    root.picture = {};
  }
  const dark = isDark(document.querySelector(".stApp") || document.body);
  if (root.shown === data.id && root.dark === dark) return () => clearInterval(root.timer);
  clearInterval(root.timer);
  root.shown = data.id;
  root.dark = dark;
  root.replaceChildren();
  const state = { data, frame: Math.min(data.at, data.frames.length - 1), report: setStateValue, root, images: new Map() };
  if (data.frames.length > 1) controls(state);
  state.said = element("p", { class: "said", role: "status" }, root);
  const row = element("div", { class: "cards" }, root);
  state.cards = data.steps.map((step) => card(step, row));
  go(state, state.frame, false);
  return () => clearInterval(root.timer);
}

function controls(state) {
  const { root, data } = state;
  const bar = element("div", { class: "bar" }, root);
  const button = (label, text, act) => {
    const made = element("button", { type: "button", "aria-label": label, title: label }, bar, text);
    made.onclick = act;
    return made;
  };
  button("One back", "‹", () => go(state, state.frame - 1));
  state.play = button("Play", "▶", () => play(state));
  button("One on", "›", () => go(state, state.frame + 1));
  state.slider = element("input", { type: "range", min: 0, max: data.frames.length - 1, "aria-label": "Draw" }, bar);
  state.slider.oninput = () => go(state, Number(state.slider.value));
  state.label = element("span", { class: "label" }, bar);
}

function play(state) {
  const running = state.root.dataset.playing === "true";
  clearInterval(state.root.timer);
  state.root.dataset.playing = String(!running);
  state.play.textContent = running ? "▶" : "❚❚";
  if (!running) state.root.timer = setInterval(() => go(state, (state.frame + 1) % state.data.frames.length, true, true), EVERY_MS);
  else rest(state);
}

function go(state, frame, report = true, playing = false) {
  const { data, root } = state;
  state.frame = (frame + data.frames.length) % data.frames.length;
  root.dataset.frame = state.frame;
  const now = data.frames[state.frame];
  if (state.slider) {
    state.slider.value = state.frame;
    state.label.textContent = `draw ${state.frame + 1} of ${data.frames.length}`;
    state.slider.setAttribute("aria-valuetext", `${state.label.textContent}: ${now.said}`);
  }
  state.said.textContent = now.said;
  draw(state, now);
  if (report && !playing) {
    clearTimeout(root.soon);
    root.soon = setTimeout(() => rest(state), 300);      // while a hand still moves the slider, the server need not know
  }
}

function rest(state) { state.report("at", state.frame); }

function card(step, row) {
  const box = element("figure", { class: "card" }, row);
  element("h3", {}, box, step.name);
  const canvas = element("canvas", { width: 2 * SIDE, height: 2 * SIDE, role: "img" }, box);
  const text = element("figcaption", {}, box);
  element("div", { class: "shape" }, text, `${step.shape}  ${step.type}`);
  const range = element("div", { class: "range" }, text);
  const chart = shape("svg", { viewBox: "0 0 200 74", class: "chart", role: "img" }, box);
  return { canvas, range, chart, step };
}

// an image by its address, decoded once
function image(state, src) {
  if (!state.images.has(src)) {
    const made = new Image();
    state.images.set(src, new Promise((done) => { made.onload = () => done(made); made.src = src; }));
  }
  return state.images.get(src);
}

async function draw(state, now) {
  const { data, cards } = state;
  const [original, cut] = await Promise.all([image(state, data.original.src), image(state, now.src)]);
  if (data.frames[state.frame] !== now) return;          // another frame came meanwhile
  const training = data.recipe === "training";
  whole(cards[0].canvas, original, data.original, now.window);
  if (training) flat(cards[1].canvas, cut, false);
  else whole(cards[1].canvas, original, data.original, now.window, true);
  flat(cards[2].canvas, cut, now.mirrored);
  const pixels = read(cards[2].canvas);
  planes(cards[3].canvas, pixels, (value) => [value, value, value], state.root.dark);
  const { mean, std, limit } = data.normal;
  const signed = (value, channel) => ((value / 255 - mean[channel]) / std[channel]) / limit;
  planes(cards[4].canvas, pixels, (value, channel) => diverging(data.table, signed(value, channel)), state.root.dark);
  const plain = (value) => value;
  const axes = [
    [plain, data.spread, 0, 255], [plain, now.between, 0, 255], [plain, now.spread, 0, 255],
    [(value) => value / 255, now.spread, 0, 1],
    [(value, channel) => (value / 255 - mean[channel]) / std[channel], now.spread, -limit, limit],
  ];
  cards.forEach((one, i) => {
    const ends = drawSpread(one.chart, ...axes[i]);
    one.range.textContent = `from ${ends[0]} to ${ends[1]}`;
    one.canvas.setAttribute("aria-label", `${one.step.name}: ${one.step.shape}, ${one.range.textContent}`);
  });
}

// the original, what is left out darkened; with `squeezed` alone it is the resized picture with its crop
function whole(canvas, original, size, window, resized = false) {
  const paper = canvas.getContext("2d"), side = canvas.width;
  const scale = (resized ? 0.86 : 1) * side / Math.max(size.width, size.height);
  const wide = size.width * scale, high = size.height * scale;
  const left = (side - wide) / 2, top = (side - high) / 2;
  paper.clearRect(0, 0, side, side);
  paper.imageSmoothingEnabled = size.width > 64;
  paper.drawImage(original, left, top, wide, high);
  const [x, y, w, h] = [left + window[0] * scale, top + window[1] * scale, window[2] * scale, window[3] * scale];
  paper.fillStyle = "rgb(0 0 0 / 0.55)";
  paper.beginPath();
  paper.rect(left, top, wide, high);
  paper.rect(x, y, w, h);
  paper.fill("evenodd");
  paper.lineWidth = 6;
  paper.strokeStyle = "#FFFFFF";
  paper.strokeRect(x + 3, y + 3, Math.max(0, w - 6), Math.max(0, h - 6));
  paper.lineWidth = 2;
  paper.strokeStyle = "#0072B2";
  paper.strokeRect(x + 3, y + 3, Math.max(0, w - 6), Math.max(0, h - 6));
}

function flat(canvas, picture, mirrored) {
  const paper = canvas.getContext("2d", { willReadFrequently: true });
  paper.setTransform(mirrored ? -1 : 1, 0, 0, 1, mirrored ? canvas.width : 0, 0);
  paper.drawImage(picture, 0, 0, canvas.width, canvas.height);
  paper.setTransform(1, 0, 0, 1, 0, 0);
}

function read(canvas) {
  const small = element("canvas", { width: SIDE, height: SIDE });
  const paper = small.getContext("2d", { willReadFrequently: true });
  paper.drawImage(canvas, 0, 0, SIDE, SIDE);
  return paper.getImageData(0, 0, SIDE, SIDE).data;
}

// the three channels as pictures of their own, red and green above blue
function planes(canvas, pixels, colour, dark) {
  const paper = canvas.getContext("2d"), gap = 6, half = canvas.width / 2;
  paper.clearRect(0, 0, canvas.width, canvas.height);
  const plane = element("canvas", { width: SIDE, height: SIDE }), ink = plane.getContext("2d");
  for (let channel = 0; channel < 3; channel++) {
    const out = ink.createImageData(SIDE, SIDE);
    for (let i = 0; i < SIDE * SIDE; i++) {
      const [r, g, b] = colour(pixels[4 * i + channel], channel);
      out.data.set([r, g, b, 255], 4 * i);
    }
    ink.putImageData(out, 0, 0);
    paper.drawImage(plane, (channel % 2) * (half + gap / 2), Math.floor(channel / 2) * (half + gap / 2), half - gap / 2, half - gap / 2);
  }
  paper.fillStyle = dark ? "#E6E9EB" : "#1F2428";
  paper.font = "26px sans-serif";
  ["red above left", "green above right", "blue below"].forEach((line, i) => paper.fillText(line, half + 16, half + 60 + 40 * i));
}

function diverging(table, value) {
  const at = 3 * Math.max(0, Math.min(254, Math.round(127 + 127 * value)));
  return [table[at], table[at + 1], table[at + 2]];
}

// three lines of counts over their values; returns the ends in words
function drawSpread(chart, value, { counts, ends }, low, high) {
  const width = 256 / counts[0].length, most = Math.max(1, ...counts.flat());
  const place = (v) => 4 + 192 * (v - low) / (high - low);
  chart.replaceChildren();
  shape("line", { x1: 4, x2: 196, y1: 58, y2: 58, class: "axis" }, chart);
  if (low < 0) shape("line", { x1: place(0), x2: place(0), y1: 4, y2: 58, class: "axis" }, chart);
  counts.forEach((channel, c) => {
    const points = channel.map((count, i) => `${place(value((i + 0.5) * width, c)).toFixed(1)},${(58 - 52 * count / most).toFixed(1)}`);
    shape("polyline", { points: points.join(" "), stroke: LINES[c], class: "line" }, chart);
  });
  for (const [v, anchor] of [[low, "start"], [high, "end"], ...(low < 0 ? [[0, "middle"]] : [])])
    shape("text", { x: place(v), y: 71, "text-anchor": anchor }, chart, number(v));
  chart.setAttribute("aria-label", "How many pixels have which value in red, green and blue");
  return [number(Math.min(...ends.map((pair, c) => value(pair[0], c)))), number(Math.max(...ends.map((pair, c) => value(pair[1], c))))];
}

function number(value) {
  return (Number.isInteger(value) ? String(value) : value.toFixed(2)).replace("-", "−");
}
