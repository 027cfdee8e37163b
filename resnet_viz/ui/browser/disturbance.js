// Sliders and a box to drag over the picture; the answers move while they move.
//
// data: {serial, values, picture, small, side, alt, hint, sliders: [{name, title, low, high, step, neutral, unit, explained}],
//        answers: [{title, headline, words, caution, unlike, rows: [{label, share, was, first}]}]}
// Every change is reported as the state "wanted" = {serial, <slider name>: value, box: [left, top, right, bottom] | null}.
// One report is under way at a time: the next one leaves when the answer to the last has come, with what is wanted by then.

const shown = new WeakMap();
const PATIENCE_MS = 3000;   // after which an answer is no longer waited for: the page may have been drawn anew meanwhile

export default function ({ data, parentElement, setStateValue }) {
  const live = shown.get(parentElement) ?? make(parentElement, data);
  live.send = (wanted) => setStateValue("wanted", wanted);
  draw(live, data);
  if (data.serial >= live.serial) {
    live.waiting = false;
    if (live.changed) report(live);
  }
}

function make(parent, data) {
  const root = element("div", { class: "live" }, parent);
  const look = element("div", { class: "look" }, root);
  const frame = element("div", { class: "frame" }, look);
  const image = element("img", {}, frame);
  const cover = element("div", { class: "cover" }, frame);
  cover.tabIndex = 0;
  cover.setAttribute("role", "group");
  cover.setAttribute("aria-label", "Covered part: arrow keys move it, with Shift they resize it, Delete takes it away");
  element("div", { class: "hint" }, look, data.hint);
  const answers = element("div", { class: "answers" }, root);
  const controls = element("div", { class: "controls" }, root);
  const sliders = element("div", { class: "sliders" }, controls);
  const live = { root, frame, image, cover, answers, rows: new Map(), values: {}, box: data.values.box ?? null,
    serial: data.serial, waiting: false, changed: false };
  for (const slider of data.sliders) live.rows.set(slider.name, makeSlider(live, slider, sliders, data.values[slider.name]));
  const coverButton = element("button", {}, controls, "Cover a part");
  const reset = element("button", {}, controls, "Put everything back");
  for (const button of [coverButton, reset]) button.type = "button";
  coverButton.onclick = () => { live.box = [0.35, 0.35, 0.65, 0.65]; changed(live); live.cover.focus(); };
  reset.onclick = () => {
    live.box = null;
    for (const { slider, input } of live.rows.values()) { input.value = slider.neutral; live.values[slider.name] = slider.neutral; }
    changed(live);
  };
  drag(live);
  keys(live);
  shown.set(parent, live);
  place(live);
  return live;
}

function makeSlider(live, slider, parent, value) {
  const row = element("label", { class: "row" }, parent);
  row.title = `${slider.title}: ${slider.unit} ${slider.explained}`;
  element("span", {}, row, slider.title);
  const input = element("input", {}, row);
  Object.assign(input, { type: "range", min: slider.low, max: slider.high, step: slider.step, value });
  const output = element("output", {}, row);
  live.values[slider.name] = Number(input.value);
  input.oninput = () => { live.values[slider.name] = Number(input.value); changed(live); };
  return { slider, input, output };
}

function say(live) {
  for (const { slider, input, output } of live.rows.values()) {
    output.textContent = `${input.value.replace("-", "−")}${slider.unit === "°" ? "" : "\u00a0"}${slider.unit}`;
    input.setAttribute("aria-valuetext", `${output.textContent} ${slider.explained}`);
  }
}

function changed(live) {
  place(live);
  live.changed = true;
  if (!live.waiting || performance.now() - live.sentAt > PATIENCE_MS) report(live);
}

function report(live) {
  live.changed = false;
  live.waiting = true;
  live.sentAt = performance.now();
  live.serial += 1;
  live.send({ serial: live.serial, ...live.values, box: live.box });
}

// The box

function place(live) {
  say(live);
  live.cover.hidden = !live.box;
  if (!live.box) return;
  const [left, top, right, bottom] = live.box.map((edge) => 100 * edge);
  Object.assign(live.cover.style, { left: `${left}%`, top: `${top}%`, width: `${right - left}%`, height: `${bottom - top}%` });
}

const within = (value, low = 0, high = 1) => Math.min(high, Math.max(low, value));

function drag(live) {
  const at = (event) => {
    const { left, top, width, height } = live.frame.getBoundingClientRect();
    return [within((event.clientX - left) / width), within((event.clientY - top) / height)];
  };
  let from = null, old = null;
  live.frame.onpointerdown = (event) => {
    if (event.button) return;
    from = at(event);
    old = event.target === live.cover ? live.box : null;   // inside: it is moved; outside: a new one is drawn
    live.frame.setPointerCapture(event.pointerId);
  };
  live.frame.onpointermove = (event) => {
    if (!from) return;
    const [x, y] = at(event);
    live.box = old ? moved(old, x - from[0], y - from[1])
      : [Math.min(x, from[0]), Math.min(y, from[1]), Math.max(x, from[0]), Math.max(y, from[1])];
    changed(live);
  };
  live.frame.onpointerup = live.frame.onpointercancel = () => {
    const [left, top, right, bottom] = live.box ?? [0, 0, 1, 1];
    if (from && !old && Math.min(right - left, bottom - top) < 0.02) { live.box = null; changed(live); }   // a click takes it away
    from = null;
  };
}

function moved([left, top, right, bottom], x, y) {
  const across = within(x, -left, 1 - right), down = within(y, -top, 1 - bottom);
  return [left + across, top + down, right + across, bottom + down];
}

function keys(live) {
  live.cover.onkeydown = (event) => {
    const [x, y] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
    if (event.key === "Delete" || event.key === "Backspace") live.box = null;
    else if (!x && !y) return;
    else if (event.shiftKey) {
      const [left, top, right, bottom] = live.box;
      live.box = [left, top, within(right + 0.03 * x, left + 0.03), within(bottom + 0.03 * y, top + 0.03)];
    } else live.box = moved(live.box, 0.03 * x, 0.03 * y);
    event.preventDefault();
    changed(live);
  };
}

// The answers

function draw(live, data) {
  live.image.src = data.picture;
  live.image.alt = data.alt;
  live.image.classList.toggle("small", data.small);
  while (live.answers.children.length > data.answers.length) live.answers.lastChild.remove();
  data.answers.forEach((answer, number) => fill(live.answers.children[number] ?? makeAnswer(live.answers), answer));
}

function makeAnswer(parent) {
  const answer = element("section", {}, parent);
  for (const name of ["title", "headline", "words", "caution", "bars"]) element("div", { class: name }, answer);
  answer.children[1].setAttribute("aria-live", "polite");
  return answer;
}

function fill(section, answer) {
  const [title, headline, words, caution, bars] = section.children;
  title.textContent = answer.title;
  headline.textContent = answer.headline;
  words.textContent = answer.words;
  caution.textContent = answer.caution;
  caution.classList.toggle("unlike", answer.unlike);
  while (bars.children.length > answer.rows.length) bars.lastChild.remove();
  answer.rows.forEach(({ label, share, was, first }, number) => {
    const bar = bars.children[number] ?? makeBar(bars);
    const [name, track, text] = bar.children;
    bar.classList.toggle("first", first);
    name.textContent = name.title = label;
    track.children[0].style.width = `${100 * share}%`;
    track.children[1].style.left = `calc(${100 * was}% - 1px)`;
    text.textContent = share > 0 && share < 0.0005 ? "<0.1\u00a0%" : `${(100 * share).toFixed(1)}\u00a0%`;
  });
}

function makeBar(parent) {
  const bar = element("div", { class: "bar" }, parent);
  element("span", {}, bar);
  const track = element("span", { class: "track" }, bar);
  element("span", { class: "fill" }, track);
  element("span", { class: "was" }, track);
  element("span", {}, bar);
  return bar;
}
