document.documentElement.classList.add("scripts");
const data = JSON.parse(document.getElementById("data").textContent);
const short = v => v == null ? "–" : v.toFixed(3);
const percent = v => v == null || isNaN(v) ? "–" : (100 * v).toPrecision(v < 0.1 ? 2 : 3).replace(/\.?0+$/, "") + " %";
const svgNames = "http://www.w3.org/2000/svg";

// element makes an element of SVG.
function element(name, attributes, text) {
  const e = document.createElementNS(svgNames, name);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  if (text !== undefined) e.textContent = text;
  return e;
}

// unpack is a packed column as a typed array; undefined numbers are NaN.
function unpack(p) {
  const raw = atob(p.b), bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  if (p.k === "share") return Float32Array.from(new Uint16Array(bytes.buffer), v => v === 65535 ? NaN : v / 65534);
  return new {u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, i32: Int32Array, f32: Float32Array}[p.k](bytes.buffer);
}

// sort orders the rows of a table by what value says of each; undefined values stay last.
function sort(table, head, value, descending) {
  const body = table.tBodies[0], rows = [...body.rows];
  const known = v => v !== null && v !== "" && !(typeof v === "number" && isNaN(v));
  rows.sort((a, b) => {
    const x = value(a), y = value(b);
    if (!known(x) || !known(y)) return known(y) - known(x);
    return (descending ? -1 : 1) * (x < y ? -1 : x > y ? 1 : 0);
  });
  rows.forEach(r => body.append(r));
  for (const th of table.tHead.rows[0].cells) th.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", descending ? "descending" : "ascending");
}

// sorts lets the buttons in the head of a table sort it, by data-v of a cell where it has one: a number, or text where
// the head says data-text. value may say what a head sorts by instead. kept remembers the order for a table that is drawn
// again, and gives it to the new one.
function sorts(table, value, kept = {}) {
  [...table.tHead.rows[0].cells].forEach((th, i) => {
    const button = th.querySelector("button");
    if (!button) return;
    const of = row => {
      const cell = row.cells[i], v = cell.dataset.v ?? cell.textContent;
      return "text" in th.dataset ? v.toLowerCase() : v === "" ? null : +v;
    };
    const by = descending => { Object.assign(kept, {head: i, descending}); sort(table, th, (value && value(th)) || of, descending); };
    button.addEventListener("click", () => by("text" in th.dataset ? th.getAttribute("aria-sort") === "ascending" : th.getAttribute("aria-sort") !== "descending"));
    if (kept.head === i) by(kept.descending);
  });
}
for (const table of document.querySelectorAll("table[data-sorts]")) sorts(table);

// save hands out a text as a file.
function save(name, kind, text) {
  const a = document.createElement("a");
  a.href = URL.createObjectURL(new Blob([text], {type: kind}));
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 1000);
}

// field is a value in CSV; what a spreadsheet would take for a formula is text there too.
function field(v) {
  const s = v == null || (typeof v === "number" && isNaN(v)) ? "" : String(v);
  const t = typeof v !== "number" && /^[=+\-@\t\r]/.test(s) ? "'" + s : s;
  return /[",\n\r]/.test(t) ? '"' + t.replace(/"/g, '""') + '"' : t;
}

// asCSV is the text of a table of columns.
function asCSV(t) {
  const columns = t.columns.map(c => c.k ? unpack(c) : c), lines = [t.heads.map(field).join(",")];
  for (let i = 0; i < columns[0].length; i++) {
    lines.push(columns.map((c, k) => field(c instanceof Float32Array ? +c[i].toPrecision(t.columns[k].k === "share" ? 4 : 7) : c[i])).join(","));
  }
  return lines.join("\n") + "\n";
}

const looks = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "opacity", "font-size", "font-family"];

// asSVG is the text of a drawing as a file of its own, as it looks now.
function asSVG(svg) {
  const copy = svg.cloneNode(true), from = [...svg.querySelectorAll("*")];
  copy.setAttribute("xmlns", svgNames);
  [...copy.querySelectorAll("*")].forEach((e, i) => {
    const s = getComputedStyle(from[i]);
    for (const k of looks) e.style[k] = s[k];
  });
  return new XMLSerializer().serializeToString(copy);
}

// saves puts under a figure's box the buttons that save it; table gives its numbers, and may be missing.
function saves(box, name, table) {
  const line = document.createElement("div"), file = name.replace(/[^\p{L}\p{N}._-]+/gu, "-");
  line.className = "save";
  const button = (label, what, act) => {
    const b = document.createElement("button");
    b.type = "button";
    b.textContent = label;
    b.setAttribute("aria-label", what + ": " + name);
    b.addEventListener("click", act);
    line.append(b);
  };
  button("SVG", "save as SVG", () => save(file + ".svg", "image/svg+xml", asSVG(box.querySelector("svg"))));
  if (table) button("CSV", "save the numbers as CSV", () => save(file + ".csv", "text/csv", asCSV(table())));
  box.append(line);
}
for (const box of document.querySelectorAll("[data-figure]")) {
  const name = box.dataset.figure, has = data && data.figures && data.figures[name];
  saves(box, name, has ? () => has : null);
}
