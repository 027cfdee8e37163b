// All runs as a table: tick to lay a run's curves over the others, a star, its name to open it; sorted and filtered here.
// data: {label, may, columns: [{key, title, right}], rows: [{ref, name, sub, shown, open, star, marked, colours, dash, cells: {key: {text, value, share}}}]}
// Reports the triggers "shown" (references, in order), "star" ({ref, on}) and "opened" (reference).

const views = new WeakMap();   // shadow root -> {sort, down, filter, data}

export default function ({ data, parentElement, setTriggerValue }) {
  const view = views.get(parentElement) ?? { sort: null, down: true, filter: "" };
  views.set(parentElement, view);
  view.data = data;
  view.send = setTriggerValue;
  if (!view.frame) build(view, parentElement);
  view.search.hidden = data.rows.length < 9;
  view.table.setAttribute("aria-label", data.label);
  view.table.classList.toggle("dark", isDark(view.table));
  draw(view);
}

function build(view, home) {
  view.search = element("input", { type: "search", placeholder: "Find runs by any word", "aria-label": "Find runs by any word" }, home);
  view.search.addEventListener("input", () => { view.filter = view.search.value.toLowerCase(); draw(view); });
  view.frame = element("div", { class: "frame" }, home);
  view.table = element("table", {}, view.frame);
  view.head = element("tr", {}, element("thead", {}, view.table));
  view.body = element("tbody", {}, view.table);
  view.none = element("p", { class: "none" }, home, "No run has these words.");
}

function draw(view) {
  const { data, head, body } = view;
  const root = head.getRootNode(), focus = root.activeElement?.dataset?.id;
  head.replaceChildren();
  element("th", { scope: "col", class: "pick" }, head, "Shown");
  for (const column of [{ key: "name", title: "Run" }, ...data.columns]) {
    const cell = element("th", { scope: "col", class: column.right ? "right" : "" }, head);
    const mine = view.sort === column.key;
    if (mine) cell.setAttribute("aria-sort", view.down ? "descending" : "ascending");
    const button = element("button", { type: "button", "data-id": `sort ${column.key}`, title: "Sort by this" }, cell, column.title + (mine ? (view.down ? " ▾" : " ▴") : ""));
    button.onclick = () => {
      const first = column.key !== "name";          // numbers: the largest first; names: A first
      [view.sort, view.down] = mine ? [view.down === first ? column.key : null, !view.down] : [column.key, first];
      draw(view);
    };
  }
  const rows = sorted(view).filter((row) => !view.filter || words(row).includes(view.filter));
  body.replaceChildren(...rows.map((row) => line(view, row)));
  view.none.hidden = rows.length > 0;
  if (focus) [...root.querySelectorAll("[data-id]")].find((node) => node.dataset.id === focus)?.focus();
}

function words(row) {
  return [row.name, row.sub, row.note, ...Object.values(row.cells).map((cell) => cell.text)].join(" ").toLowerCase();
}

function sorted(view) {
  const value = (row) => (view.sort === "name" ? row.name.toLowerCase() : row.cells[view.sort]?.value ?? null);
  if (!view.sort) return view.data.rows;
  const sign = view.down ? -1 : 1;
  return [...view.data.rows].sort((a, b) => {
    const [p, q] = [value(a), value(b)];
    if (p === null || q === null) return (p === null) - (q === null);   // what was not measured stays below
    return sign * (p < q ? -1 : p > q ? 1 : 0);
  });
}

function line(view, row) {
  const { data } = view;
  const tr = element("tr", { class: [row.shown && "shown", row.open && "open"].filter(Boolean).join(" ") });
  const pick = element("label", {}, element("td", { class: "pick" }, tr));
  const box = element("input", { type: "checkbox", "data-id": `shown ${row.ref}`, "aria-label": `Show the curves of ${row.name}` }, pick);
  box.checked = row.shown;
  box.onchange = () => {
    row.shown = box.checked;
    view.send("shown", data.rows.filter((one) => one.shown).map((one) => one.ref));
  };
  if (row.shown && row.colours.length) pick.append(swatch(row));
  const about = element("th", { scope: "row" }, tr);
  if (row.own) {
    const star = element("button", { type: "button", class: "star", "aria-pressed": row.star, "data-id": `star ${row.ref}`, title: row.star ? "Take the star away" : "Give it a star", "aria-label": `Star for ${row.name}` }, about, row.star ? "★" : "☆");
    star.disabled = !data.may;
    star.onclick = () => view.send("star", { ref: row.ref, on: !row.star });
  }
  const name = element("button", { type: "button", class: "name", "data-id": `open ${row.ref}`, "aria-expanded": row.open }, about, row.name);
  name.onclick = () => view.send("opened", row.open ? "" : row.ref);
  if (row.sub) element("small", {}, about, row.sub);
  for (const column of data.columns) {
    const cell = row.cells[column.key] ?? { text: "" };
    const td = element("td", { class: column.right ? "right" : "" }, tr, cell.text);
    if (cell.share != null) element("i", { style: `width: ${Math.round(100 * cell.share)}%` }, td);
  }
  return tr;
}

function swatch(row) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries({ viewBox: "0 0 34 10", class: "swatch", "aria-hidden": "true" })) svg.setAttribute(name, value);
  svg.style.setProperty("--on-light", row.colours[0]);
  svg.style.setProperty("--on-dark", row.colours[1]);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", "M1 5H33");
  if (row.dash.length) path.setAttribute("stroke-dasharray", row.dash.join(" "));
  svg.append(path);
  return svg;
}
