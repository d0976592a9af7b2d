const table = document.getElementById("features");

// make is an element with a text and attributes.
function make(name, text, attributes) {
  const e = document.createElement(name);
  if (text !== undefined && text !== null) e.textContent = text;
  for (const [k, v] of Object.entries(attributes || {})) e.setAttribute(k, v);
  return e;
}

// say is a number to about four figures.
function say(v) {
  if (v == null) return "–";
  const a = Math.abs(v);
  if (Number.isInteger(v) && a < 1e6 || a >= 1000 && a < 1e6) return Math.round(v).toLocaleString("en");
  if (a >= 1e6 || a < 1e-3) return v.toExponential(2).replace("e+", "e");
  return String(+v.toPrecision(4)).replace("-", "−");
}

// grid is a table of heads and rows, the first cell of each a head.
function grid(heads, rows) {
  const t = make("table"), head = t.createTHead().insertRow(), body = t.createTBody();
  heads.forEach((h, i) => head.append(make("th", h, i ? {} : {class: "left"})));
  for (const r of rows) {
    const row = body.insertRow();
    r.forEach((c, i) => row.append(i ? make("td", c) : make("th", c, {scope: "row"})));
  }
  const box = make("div", null, {class: "scroll"});
  box.append(t);
  return box;
}

// histogram draws the bins of a feature, benign rows over attacks, each by their share.
function histogram(f, name) {
  const w = 520, h = 170, left = 8, base = 146, svg = element("svg", {viewBox: `0 0 ${w} ${h}`, role: "img",
    "aria-label": "histogram of " + name});
  const sides = [["attack", unpack(f.h.a)], ["benign", unpack(f.h.b)]];
  svg.append(element("line", {class: "base", x1: left, x2: w - left, y1: base, y2: base}));
  const n = sides[0][1].length, wide = (w - 2 * left) / n;
  for (const [kind, v] of sides) {
    const sum = v.reduce((a, b) => a + b, 0), top = Math.max(...v);
    if (!sum || !data.labelled && kind === "attack") continue;
    let d = "";
    v.forEach((x, i) => { if (x) d += `M${(left + i * wide).toFixed(1)} ${base}v${(-(base - 10) * Math.sqrt(x / top)).toFixed(1)}h${wide.toFixed(1)}V${base}z`; });
    const p = element("path", {class: kind, d});
    p.append(element("title", {}, kind === "attack" ? "attacks" : data.labelled ? "benign rows" : "rows"));
    svg.append(p);
  }
  const marks = [0, Math.floor(n / 4), Math.floor(n / 2), Math.floor(3 * n / 4), n].filter((k, i, all) => !i || k > all[i - 1]);
  marks.forEach((k, i) => svg.append(element("text", {x: left + k * wide, y: h - 6,
    "text-anchor": i === 0 ? "start" : i === marks.length - 1 ? "end" : "middle"}, f.type === "time" ?
    new Date(1000 * f.h.edges[k]).toISOString().slice(0, 16).replace("T", " ") : say(f.h.edges[k]))));
  return svg;
}

const shares = ["lowest", "1 %", "5 %", "25 %", "median", "75 %", "95 %", "99 %", "highest"];

// open builds what is shown of a feature.
function open(f, name) {
  const panes = make("div", null, {class: "panes"}), first = make("div"), second = make("div");
  panes.append(first, second);
  if (f.h) {
    const box = make("div");
    box.append(histogram(f, name));
    first.append(make("h3", "Histogram"), box,
      make("p", `${f.h.bins} bins (${f.h.rule}${f.h.log ? ", on ln(1+|x|) with the sign" : ""}); heights are square roots of rows.`, {class: "note"}));
    saves(box, name + "-histogram", () => ({heads: ["from", "to", data.labelled ? "benign" : "rows", "attacks"],
      columns: [f.h.edges.slice(0, -1), f.h.edges.slice(1), f.h.b, f.h.a]}));
  }
  const columns = data.labelled && f.q && f.q.length > 2 ? ["all", "benign", "attacks"] : ["all"];
  if (f.q) {
    const line = (label, k) => [label, ...f.q.map(q => say(q[k]))];
    second.append(make("h3", "Moments and quantiles"), grid(["", ...columns], [line("rows", 0), line("mean", 1), line("SD", 2),
      line("skewness", 3), line("excess kurtosis", 4), line("zeros", 5), ...shares.map((s, k) => line(s, 6 + k))]));
  }
  if (f.top && f.top.length) first.append(make("h3", "Commonest values"), grid(data.labelled ? ["value", "benign", "attacks"] : ["value", "rows"],
    f.top.map(t => data.labelled ? [t[0] || "(empty)", say(t[1]), say(t[2])] : [t[0] || "(empty)", say(t[1])])));
  if (f.moved) {
    const m = f.moved;
    const rows = [["stability index", say(m.index)], ["distance of the distributions", say(m.distance)],
      ["missing here, there", m.missing.map(percent).join(", ")]];
    if (m.medians[0] != null) rows.push(["median here, there", m.medians.map(say).join(", ")], ["rows there beyond the range here", say(m.rows)]);
    else rows.push(["levels there that are new", say(m.fresh) + (m.examples.length ? ": " + m.examples.join(", ") : "")], ["levels that are gone", say(m.gone)]);
    second.append(make("h3", "Moved"), grid(["", ""], rows));
  }
  return panes;
}

[...table.tBodies[0].rows].forEach((row, i) => {
  const place = row.querySelector(".name"), name = row.dataset.name;
  const button = make("button", null, {type: "button", "aria-expanded": "false"});
  button.append(...place.childNodes);
  place.append(button);
  let detail = null;
  button.addEventListener("click", () => {
    if (!detail) {
      detail = make("tr", null, {class: "detail", hidden: ""});
      const cell = make("td", null, {colspan: row.cells.length});
      cell.append(open(data.features[i], name));
      detail.append(cell);
      row.detail = detail;
    }
    const shows = detail.hidden || !detail.isConnected;
    row.after(detail);
    detail.hidden = !shows;
    row.classList.toggle("open", shows);
    button.setAttribute("aria-expanded", shows);
  });
});

// details go with their rows when the table is sorted or filtered
function together() {
  for (const row of [...table.tBodies[0].rows]) if (row.detail) row.after(row.detail);
}
[...table.tHead.rows[0].cells].forEach((th, i) => {
  const button = th.querySelector("button");
  if (!button) return;
  button.addEventListener("click", () => {
    const body = table.tBodies[0];
    for (const row of [...body.rows]) if (row.classList.contains("detail")) row.remove();
    const text = "text" in th.dataset;
    sort(table, th, row => { const v = row.cells[i].dataset.v ?? row.cells[i].textContent; return text ? v.toLowerCase() : v === "" ? null : +v; },
      text ? th.getAttribute("aria-sort") === "ascending" : th.getAttribute("aria-sort") !== "descending");
    together();
  });
});
document.querySelector("[data-filter]").addEventListener("input", e => {
  const want = e.target.value.toLowerCase();
  for (const row of table.tBodies[0].rows) {
    if (row.classList.contains("detail")) continue;
    row.hidden = !row.dataset.name.toLowerCase().includes(want);
    if (row.detail && row.hidden) row.detail.hidden = true;
  }
});

// colour is blue for what is below 0, orange above, the ground around 0.
function colour(v) {
  const a = Math.min(1, Math.abs(v));
  return v < 0 ? `rgba(0,114,178,${a.toFixed(2)})` : `rgba(213,94,0,${a.toFixed(2)})`;
}

const place = document.querySelector("[data-map]");
if (place) {
  const select = document.querySelector("[data-measure]"), readout = document.querySelector("[data-readout]");
  data.maps.forEach((m, i) => select.append(make("option", m.name + (m.rows ? `, ${say(m.rows)} rows` : ""), {value: i})));
  const draw = () => {
    const m = data.maps[select.value], r = unpack(m.r), n = m.columns.length, dense = n > 30;
    const t = make("table", null, {class: dense ? "map dense" : "map"}), head = t.createTHead().insertRow();
    head.append(make("th"));
    m.columns.forEach(c => { const th = make("th"); th.append(make("span", c)); head.append(th); });
    const body = t.createTBody();
    m.columns.forEach((c, i) => {
      const row = body.insertRow();
      row.append(make("th", c, {scope: "row", title: c}));
      for (let j = 0; j < n; j++) {
        const raw = r[i * n + j], v = raw === 255 ? null : raw / 127 - 1, cell = row.insertCell();
        if (v !== null && !dense) cell.textContent = v.toFixed(1).replace("0.", ".").replace("-", "−").replace("−.0", ".0");
        if (v !== null) cell.style.background = colour(v);
        if (v !== null && Math.abs(v) > 0.75) cell.style.color = "#fff";
        cell.title = `${c}, ${m.columns[j]}: ${v === null ? "undefined" : v.toFixed(2)}`;
      }
    });
    t.addEventListener("mouseover", e => { if (e.target.title) readout.textContent = e.target.title; });
    place.replaceChildren(t);
  };
  select.addEventListener("change", draw);
  draw();
}
