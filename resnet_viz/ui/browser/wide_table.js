// A table with brackets in its cells. data: {label, head: [cell], rows: [[cell]], marked}; cells as in wide_table.py.

export default function ({ data, parentElement }) {
  let frame = parentElement.querySelector(".frame");
  if (!frame) {
    frame = document.createElement("div");
    frame.className = "frame";
    frame.setAttribute("role", "region");
    frame.tabIndex = 0;   // so that the arrow keys scroll it
    parentElement.appendChild(frame);
  }
  frame.setAttribute("aria-label", data.label);
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  data.head.forEach((cell, column) => head.appendChild(make("th", cell, column, data.marked)).setAttribute("scope", "col"));
  const body = table.createTBody();
  for (const cells of data.rows) {
    const row = body.insertRow();
    let column = 0;
    for (const cell of cells) {
      const made = make(column ? "td" : "th", cell, column, data.marked);
      if (!column) made.setAttribute("scope", "row");
      row.appendChild(made);
      column += cell.span ?? 1;
    }
  }
  frame.replaceChildren(table);
  const marked = head.cells[data.marked];   // undefined where none is
  if (marked && frame.dataset.marked !== String(data.marked)) frame.scrollLeft = marked.offsetLeft - head.cells[0].offsetWidth - 8;
  frame.dataset.marked = data.marked;
}

function make(tag, cell, column, marked) {
  const made = document.createElement(tag);
  if (typeof cell === "string") cell = { text: cell };
  if (cell.span) made.colSpan = cell.span;
  made.className = [cell.right && "right", cell.strong && "strong", cell.bracket && "block", cell.lines && "lined", cell.span > 1 && "wide",
    marked !== null && column === marked && !(cell.span > 1) && "marked"].filter(Boolean).join(" ");
  if (cell.bracket) made.appendChild(bracket(cell));
  else made.appendChild(line("span", cell.text ?? ""));
  if (cell.note) made.appendChild(line("small", cell.note));
  for (const [text, note] of cell.lines ?? []) {
    made.appendChild(line("div", text));
    if (note) made.appendChild(line("small", note));
  }
  return made;
}

function bracket(cell) {
  const whole = line("div", "");
  whole.className = "bracket";
  const lines = line("div", "");
  lines.className = "lines";
  cell.bracket.forEach((text) => lines.appendChild(line("div", text)));
  whole.append(lines, line("span", cell.times));
  return whole;
}

function line(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}
