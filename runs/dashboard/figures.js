// Drawings: each fills a box with SVG at the width that the box has, and says its numbers as a table.

const whole = new Intl.NumberFormat("en");
function amount(v) {
  if (v == null) return "–";
  for (const [of, name] of [[1e12, "TB"], [1e9, "GB"], [1e6, "MB"], [1e3, "kB"]]) if (v >= of) return +(v / of).toPrecision(3) + " " + name;
  return Math.round(v) + " B";
}
const figure3 = v => v == null ? "–" : Math.abs(v) >= 1e5 || v !== 0 && Math.abs(v) < 1e-3 ? v.toExponential(2) : whole.format(+v.toPrecision(4));
const written = (key, v) => key.startsWith("bytes") ? amount(v) : figure3(v);
const pad = n => String(n).padStart(2, "0");
const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

// moment writes a time or a row.
function moment(at, short) {
  if (at == null) return "–";
  if (data.axis.rows) return (short ? "" : "row ") + whole.format(at + 1);
  const t = new Date(at), clock = pad(t.getUTCHours()) + ":" + pad(t.getUTCMinutes()) + (data.axis.step < 60000 ? ":" + pad(t.getUTCSeconds()) : "");
  return short ? clock : `${t.getUTCDate()} ${months[t.getUTCMonth()]} ${t.getUTCFullYear()} ${clock}`;
}

// exactly writes the time of one flow to the second, or its row.
const exactly = at => at == null ? "–" : data.axis.rows ? moment(at) : `${new Date(at).getUTCDate()} ${months[new Date(at).getUTCMonth()]} ${new Date(at).toISOString().slice(11, data.axis.step < 10000 ? 23 : 19)}`;

const lengths = [1, 5, 10, 50, 100, 500, 1000, 5000, 15000, 30000, 60000, 300000, 900000, 1800000, 3600000, 7200000, 10800000, 21600000, 43200000,
  86400000, 2 * 86400000, 7 * 86400000, 14 * 86400000, 30 * 86400000, 91 * 86400000, 365 * 86400000];

// momentTicks are places of the axis between two bins with what to write there.
function momentTicks(from, to, most) {
  const a = edge(from), b = edge(to), out = [];
  let every = data.axis.rows ? Math.max(1, round125((b - a) / most)) : lengths.find(l => (b - a) / l <= most) || lengths.at(-1) * Math.ceil((b - a) / most / lengths.at(-1));
  for (let at = Math.ceil(a / every) * every; at <= b; at += every) {
    const t = new Date(at);
    out.push([at, data.axis.rows ? whole.format(at) : at % 86400000 === 0 ? `${t.getUTCDate()} ${months[t.getUTCMonth()]}` : every < 60000 ?
      `${pad(t.getUTCHours())}:${pad(t.getUTCMinutes())}:${pad(t.getUTCSeconds())}` : `${pad(t.getUTCHours())}:${pad(t.getUTCMinutes())}`]);
  }
  return out;
}

function round125(v) {
  const p = 10 ** Math.floor(Math.log10(Math.max(v, 1e-300)));
  return [1, 2, 5, 10].map(m => m * p).find(w => w >= v * (1 - 1e-9));
}
function ticks(top, n) {
  const step = round125(top / n), out = [];
  for (let v = 0; v <= top * (1 + 1e-9); v += step) out.push(v);
  return out;
}

// drawing is an empty SVG of a box's width.
function drawing(box, height, label) {
  const w = Math.max(220, Math.floor(box.wide || box.clientWidth || 600)), svg = element("svg", {viewBox: `0 0 ${w} ${height}`, role: "img", "aria-label": label});
  svg.w = w;
  return svg;
}

// hint shows what a drawing has to say of the place that the pointer is at.
function hint(svg, says) {
  const title = element("title", {});
  svg.prepend(title);
  svg.addEventListener("pointermove", e => { const r = svg.getBoundingClientRect(), f = svg.w / r.width; title.textContent = says((e.clientX - r.left) * f, (e.clientY - r.top) * f); });
}
const isolate = s => "\u2068" + s + "\u2069"; // a text of either direction does not turn those beside it
const texts = (svg, x, y, anchor, s, attrs = {}) => svg.append(element("text", {x, y, "text-anchor": anchor, ...attrs}, s));
const lineOf = (svg, cls, x1, y1, x2, y2) => svg.append(element("line", {class: cls, x1, y1, x2, y2}));
const f1 = v => v.toFixed(1);

const pen = document.createElement("canvas").getContext("2d");
pen.font = "11.5px " + getComputedStyle(document.body).fontFamily;
const widths = new Map();
function textWidth(s) {
  let w = widths.get(s);
  if (w === undefined) {
    if (widths.size > 5000) widths.clear();
    widths.set(s, w = pen.measureText(s).width);
  }
  return w;
}

// clipped is a text of at most some pixels.
function clipped(s, px) {
  const chars = [...s];
  if (textWidth(s) <= px) return s;
  while (chars.length > 1 && textWidth(chars.join("") + "…") > px) chars.length -= Math.max(1, Math.floor(chars.length / 20));
  return chars.join("") + "…";
}

// steps is an outline of bins.
function steps(values, x, y, base) {
  let d = `M${f1(x(0))} ${f1(base)}`;
  values.forEach((v, i) => { d += `V${f1(y(v))}H${f1(x(i + 1))}`; });
  return d + `V${f1(base)}Z`;
}

function timeAxis(svg, x, from, to, y) {
  const anchorOf = (p, s) => p + textWidth(s) / 2 + 2 > svg.w ? "end" : p - textWidth(s) / 2 < 2 ? "start" : "middle";
  let last = -1e9;
  for (const [at, s] of momentTicks(from, to, Math.max(2, Math.floor(svg.w / 90)))) {
    const p = x((at - data.axis.start) / data.axis.step);
    if (p - last < s.length * 7 + 6) continue;
    last = p;
    lineOf(svg, "grid", p, y - 4, p, y);
    texts(svg, f1(p), y + 14, anchorOf(p, s), s);
  }
}

// band draws flows and marked ones over time; onrange is told the bins that are chosen, null for all.
function band2(box, v, range, log, onrange) {
  const h = 170, svg = drawing(box, h, "flows over time" + (range ? ", chosen " + moment(edge(range[0])) + " to " + moment(edge(range[1])) : "")), n = data.axis.bins;
  const left = 44, right = 8, base = h - 22, top = Math.max(1, ...v.n, ...(v.p || []).map(Math.ceil));
  const x = b => left + (svg.w - left - right) * b / n, y = c => base - (base - 10) * (log ? Math.log1p(c) / Math.log1p(top) : c / top);
  for (const t of log ? [0, 1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7].filter(t => t <= top) : ticks(top, 4)) { lineOf(svg, "grid", left, y(t), svg.w - right, y(t)); if (t % 1 === 0) texts(svg, left - 6, y(t) + 4, "end", short3(t)); }
  svg.append(element("path", {class: "flow", d: steps(v.n, x, y, base)}));
  if (data.mark) svg.append(element("path", {class: "hit", d: steps(v.m, x, y, base)}));
  if (v.p) svg.append(element("path", {class: "wasline", d: "M" + v.p.map((c, i) => f1(x(i + 0.5)) + " " + f1(y(c))).join("L")}));
  timeAxis(svg, x, 0, n, base);
  const sel = element("g", {});
  svg.append(sel);
  const show = r => {
    sel.replaceChildren();
    if (!r) return;
    sel.append(element("rect", {class: "sel", x: x(r[0]), width: Math.max(1, x(r[1]) - x(r[0])), y: 6, height: base - 6}));
    for (const e of r) sel.append(element("line", {class: "edge", x1: x(e), x2: x(e), y1: 6, y2: base}));
  };
  show(range);
  svg.classList.add("brush");
  svg.setAttribute("tabindex", "0");
  svg.setAttribute("role", "application");
  svg.setAttribute("aria-roledescription", "time filter");
  svg.setAttribute("aria-description", "Arrows move the chosen time, with shift they change its end, Escape takes it away.");
  const at = e => { const r = svg.getBoundingClientRect(); return Math.min(n, Math.max(0, ((e.clientX - r.left) * svg.w / r.width - left) / (svg.w - left - right) * n)); };
  let from = null, chosen = range;
  svg.addEventListener("pointerdown", e => { if (e.button === 0) { from = at(e); svg.setPointerCapture(e.pointerId); } });
  svg.addEventListener("pointermove", e => {
    if (from === null) return;
    const b = at(e);
    chosen = [Math.floor(Math.min(from, b)), Math.min(n, Math.max(Math.floor(Math.min(from, b)) + 1, Math.ceil(Math.max(from, b))))];
    show(chosen);
  });
  const done = e => {
    if (from === null) return;
    const moved = Math.abs(at(e) - from) * (svg.w - left - right) / n > 3;
    from = null;
    onrange(moved ? chosen : null);
  };
  svg.addEventListener("pointerup", done);
  svg.addEventListener("pointercancel", done);
  svg.addEventListener("keydown", e => {
    const d = {ArrowLeft: -1, ArrowRight: 1}[e.key], part = Math.max(1, Math.round(n / 48));
    if (e.key === "Escape" && range) { e.preventDefault(); return onrange(null); }
    if (!d) return;
    e.preventDefault();
    let [a, b] = range || [d > 0 ? 0 : n - 4 * part, d > 0 ? 4 * part : n];
    if (range && e.shiftKey) b = Math.min(n, Math.max(a + 1, b + d * part));
    else if (range) { const w = b - a; a = Math.min(n - w, Math.max(0, a + d * part)); b = a + w; }
    onrange([Math.max(0, a), Math.min(n, b)]);
  });
  box.prepend(svg);
}
const short3 = v => v >= 1e9 ? +(v / 1e9).toPrecision(3) + "G" : v >= 1e6 ? +(v / 1e6).toPrecision(3) + "M" : v >= 1e4 ? +(v / 1e3).toPrecision(3) + "k" : whole.format(+v.toPrecision(3));

// volume draws bytes out and in over time.
function volume(box, v, range) {
  const h = 170, svg = drawing(box, h, "bytes over time, out and in"), [from, to] = range || [0, data.axis.bins];
  const out = v.out && v.out.slice(from, to), back = v.in && v.in.slice(from, to), base = h - 22, left = 58;
  const all = [...(out || []), ...(back || [])], top = Math.max(10, ...all), low = Math.min(top / 10, Math.max(1, Math.min(...all.filter(c => c > 0)) / 2));
  const x = b => left + (svg.w - left - 8) * (b - from) / (to - from), y = c => base - (base - 10) * Math.log(Math.max(low, c) / low) / Math.log(top / low);
  const every = Math.ceil(Math.log10(top / low) / 5);
  for (let e = Math.ceil(Math.log10(low)); e <= Math.log10(top); e += every) { lineOf(svg, "grid", left, y(10 ** e), svg.w - 8, y(10 ** e)); texts(svg, left - 6, y(10 ** e) + 4, "end", amount(10 ** e)); }
  for (const [values, cls] of [[out, "sup"], [back, "sdn"]]) if (values) {
    svg.append(element("path", {class: cls, d: values.map((c, i) => `${i ? "" : "M" + f1(x(from)) + " " + f1(y(c))}V${f1(y(c))}H${f1(x(from + i + 1))}`).join("")}));
  }
  timeAxis(svg, x, from, to, base);
  box.prepend(svg);
}

// bars draws levels with their flows, marked ones among them, and what the profile would have.
function bars(box, f, label, chosen, onchoose) {
  const rows = f.top, high = 23, svg = drawing(box, Math.max(1, rows.length) * high + 4, label);
  const nameWidth = Math.min(svg.w * 0.4, 20 + Math.max(20, ...rows.map(r => textWidth("✱ " + r.name) - (data.profile ? 0 : textWidth("✱ "))))), numbers = 14 + Math.max(20, ...rows.map(r => textWidth(written2(r))));
  const expected = r => data.profile && f.p ? r.p / f.p * f.n : 0, top = Math.max(1, ...rows.map(r => Math.max(r.n, expected(r))));
  const w = Math.max(20, svg.w - nameWidth - numbers - 8), x = c => nameWidth + w * c / top;
  rows.forEach((r, i) => {
    const on = chosen && chosen.includes(r.name), fresh = data.profile && f.p && !r.p;
    const says = `${r.name}: ${whole.format(r.n)} flows` + (data.mark ? `, ${whole.format(r.m)} ${data.mark}s` : "") +
      (data.profile && f.p ? fresh ? ", never in the profile" : `, ${whole.format(Math.round(expected(r)))} by the profile's share` : "");
    const g = element("g", {class: "choice" + (chosen && !on ? " off" : ""), tabindex: 0, role: "button", "aria-pressed": !!on, "aria-label": says, transform: `translate(0 ${i * high + 2})`});
    g.append(element("title", {}, isolate(says)), element("rect", {class: "ring", x: 1, y: 0, width: svg.w - 2, height: high - 2, rx: 4}));
    g.append(element("text", {class: "name", x: 6, y: 15}, isolate(clipped((fresh ? "✱ " : "") + r.name, nameWidth - 14))));
    g.append(element("rect", {class: "flow", x: nameWidth, y: 4, width: f1(Math.max(r.n ? 1 : 0, x(r.n) - nameWidth)), height: 13, rx: 2}));
    if (r.m) g.append(element("rect", {class: "hit", x: nameWidth, y: 4, width: f1(Math.max(1, x(r.m) - nameWidth)), height: 13, rx: 2}));
    if (data.profile && f.p) g.append(element("line", {class: "was", x1: f1(x(expected(r))), x2: f1(x(expected(r))), y1: 1, y2: 20}));
    g.append(element("text", {x: svg.w - 4, y: 15, "text-anchor": "end"}, written2(r)));
    const act = () => onchoose(r.name);
    g.addEventListener("click", act);
    g.addEventListener("keydown", e => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); act(); } });
    svg.append(g);
  });
  svg.setAttribute("role", "group");
  box.prepend(svg);
}
const written2 = r => data.mark ? `${short3(r.m)} / ${short3(r.n)}` : short3(r.n);

// scores draws how many flows have which score.
function scores(box, c, s, onrange) {
  const h = 170, svg = drawing(box, h, "flows by score"), n = c.n.length, base = h - 22, left = 44, top = Math.log1p(Math.max(1, ...c.n));
  const x = b => left + (svg.w - left - 10) * b / n, y = v => base - (base - 10) * Math.log1p(v) / top, scale = data.score.scale;
  for (let t = 1; Math.log1p(t) <= top; t *= 10) { lineOf(svg, "grid", left, y(t), svg.w - 10, y(t)); texts(svg, left - 6, y(t) + 4, "end", short3(t)); }
  svg.append(element("path", {class: "flow", d: steps(c.n, x, y, base)}), element("path", {class: "hit", d: steps(c.m, x, y, base)}));
  const place = v => x(n * (signedLog(v) - scale.low) / (scale.high - scale.low));
  if (data.score.limit != null) lineOf(svg, "mark", place(data.score.limit), 8, place(data.score.limit), base);
  if (s) svg.append(element("rect", {class: "sel", x: s[0] == null ? left : place(s[0]), width: Math.max(1, (s[1] == null ? svg.w - 10 : place(s[1])) - (s[0] == null ? left : place(s[0]))), y: 6, height: base - 6}));
  const taken = [];
  for (const k of [0, 5, 1, 2, 3, 4]) { // the ends first, and between them what fits
    const label = figure3(+valueOf(scale, Math.round((NONE - 1) * k / 5)).toPrecision(2)), p = x(n * k / 5), wide = textWidth(label);
    const from = k === 0 ? p : k === 5 ? p - wide : p - wide / 2;
    if (taken.some(t => from < t[1] + 8 && from + wide > t[0] - 8)) continue;
    taken.push([from, from + wide]);
    texts(svg, f1(p), h - 6, k === 0 ? "start" : k === 5 ? "end" : "middle", label);
  }
  box.prepend(svg);
}

// statuses draws a category by time: the tint is the number of flows, the number in a cell the share that is marked.
function statuses(box, h, label) {
  const high = 20, svg = drawing(box, h.rows.length * high + 24, label), left = Math.min(svg.w * 0.3, 14 + Math.max(...h.rows.map(textWidth)));
  const w = (svg.w - left - 4) / h.wide, top = Math.log1p(Math.max(1, ...h.n)), x = b => left + (svg.w - left - 4) * b / data.axis.bins;
  h.rows.forEach((name, r) => {
    svg.append(element("text", {class: "name", x: 2, y: r * high + 14}, isolate(clipped(name, left - 10))));
    for (let k = 0; k < h.wide; k++) {
      const n = h.n[r * h.wide + k], m = h.m[r * h.wide + k];
      if (!n) continue;
      svg.append(element("rect", {class: "cool", x: f1(left + k * w), y: r * high, width: f1(Math.max(1, w - 1)), height: high - 1, "fill-opacity": (0.06 + 0.5 * Math.log1p(n) / top).toFixed(2)}));
      const share = Math.round(100 * m / n), says = share === 100 ? "all" : share;
      if (m && w > textWidth(String(says)) + 2) texts(svg, f1(left + k * w + w / 2 - 0.5), r * high + 14, "middle", says, {class: share >= 50 ? "name much" : "name"});
      else if (m) svg.append(element("rect", {class: "hit", x: f1(left + k * w), y: f1(r * high + (high - 1) * (1 - m / n)), width: f1(Math.max(1, w / 3)), height: f1((high - 1) * m / n)}));
    }
  });
  timeAxis(svg, x, 0, data.axis.bins, h.rows.length * high + 4);
  hint(svg, (x, y) => {
    const r = Math.floor(y / high), k = Math.floor((x - left) / w), n = h.n[r * h.wide + k];
    return x > left && k < h.wide && r < h.rows.length && n ? `${isolate(h.rows[r])}, ${moment(edge(Math.ceil(k * data.axis.bins / h.wide)))}: ${whole.format(n)} flows` +
      (data.mark ? `, ${whole.format(h.m[r * h.wide + k])} ${data.mark}s` : "") : "";
  });
  box.prepend(svg);
}

// scatter draws flows by two numbers on logarithmic scales, marked ones on top.
function scatter(box, h) {
  const height = 250, svg = drawing(box, height, `${h.y} against ${h.x}`), left = 62, base = height - 40, rows = sizes.y, top = Math.log1p(Math.max(1, ...h.n));
  const w = (svg.w - left - 8) / h.wide, high = (base - 8) / rows;
  const axis = (key, vertical) => {
    const s = data.nums[numAt(key)].scale;
    let last = -1e9;
    for (const v of [0, 1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12]) {
      const f = (signedLog(v) - s.low) / (s.high - s.low);
      if (f < -1e-9 || f > 1) continue;
      const p = vertical ? base - (base - 8) * f : left + (svg.w - left - 8) * f, label = written(key, v);
      if (Math.abs(p - last) < (vertical ? 16 : label.length * 7 + 10)) continue;
      last = p;
      if (vertical) { lineOf(svg, "grid", left, p, svg.w - 8, p); texts(svg, left - 6, Math.max(12, p + 4), "end", label); }
      else { lineOf(svg, "grid", p, 8, p, base); texts(svg, f1(p), base + 15, p > svg.w - 30 ? "end" : "middle", label); }
    }
  };
  axis(h.x, false);
  axis(h.y, true);
  // cells of one tint are one shape: thousands of shapes take longer to make than all flows to count
  const flow = {}, hit = {}, tint = v => Math.round(12 * v) / 12, cell = (w, high) => `h${f1(w)}v${f1(high)}h${f1(-w)}Z`, whole1 = cell(w, high), inner = cell(0.6 * w, 0.6 * high);
  const at = (n, of) => Array.from({length: n}, (_, i) => f1(of(i))), xs = at(h.wide, i => left + i * w), ys = at(rows, i => base - (i + 1) * high);
  const xs2 = at(h.wide, i => left + (i + 0.2) * w), ys2 = at(rows, i => base - (i + 0.8) * high), add = (of, v, d) => { of[v] = (of[v] || "") + d; };
  for (let i = 0; i < h.n.length; i++) if (h.n[i]) {
    const k = i % h.wide, r = (i - k) / h.wide;
    add(flow, 0.15 + 0.75 * tint(Math.log1p(h.n[i]) / top), `M${xs[k]} ${ys[r]}${whole1}`);
    if (h.m[i]) add(hit, 0.35 + 0.6 * tint(h.m[i] / h.n[i]), `M${xs2[k]} ${ys2[r]}${inner}`);
  }
  for (const [cls, of] of [["flow", flow], ["hit", hit]]) for (const v in of) svg.append(element("path", {class: cls, d: of[v], style: `fill-opacity:${(+v).toFixed(2)}`}));
  hint(svg, (x, y) => {
    const i = Math.floor((base - y) / high) * h.wide + Math.floor((x - left) / w);
    return x > left && x < left + h.wide * w && h.n[i] ? `${whole.format(h.n[i])} flows` + (data.mark ? `, ${whole.format(h.m[i])} ${data.mark}s` : "") : "";
  });
  texts(svg, left + (svg.w - left) / 2, height - 6, "middle", `${data.nums[numAt(h.y)].title} against ${data.nums[numAt(h.x)].title}`);
  box.prepend(svg);
}

// matrix draws correlations: orange above 0, blue below.
function matrix(box, c) {
  const k = c.keys.length, left = Math.min(130, box.wide * 0.3), svg = drawing(box, k * 26 + 28, "correlations of the numbers"), w = (svg.w - left - 4) / k;
  c.keys.forEach((name, i) => {
    svg.append(element("text", {class: "name", x: 2, y: i * 26 + 17}, isolate(clipped(name, left - 6))));
    svg.append(element("text", {x: f1(left + i * w + w / 2), y: k * 26 + 16, "text-anchor": "middle"}, isolate(clipped(name, w - 4))));
    for (let j = 0; j < k; j++) {
      const r = c.r[i * k + j], cell = element("rect", {x: f1(left + j * w), y: i * 26, width: f1(w - 2), height: 24, rx: 3, fill: r < 0 ? "#0072b2" : "#e69f00", "fill-opacity": r === -2 ? 0 : (0.65 * Math.abs(r)).toFixed(2)});
      cell.append(element("title", {}, isolate(`${c.keys[i]} and ${c.keys[j]}`)));
      svg.append(cell);
      texts(svg, f1(left + j * w + w / 2 - 1), i * 26 + 16, "middle", r === -2 ? "–" : w > 40 ? r.toFixed(2) : r.toFixed(1), {class: "name"});
    }
  });
  box.prepend(svg);
}

// cells are where land is, in cells of 2.5 degrees from 180° W and 80° N to 57.5° S; from Natural Earth, public domain.
const cells = "AAAAEz/P//8ABwAAAADAAAAAAAABKZAP//8AAAAA4AH4AAAAAAADwDQAP/8AAAAGAH/4AIAAgEABfG/gHwH////mHf//9/gA+AAAK8TH4Af//gH6FAAAAAAADAAAAAPB4D" +
  "+/+ALAAAAAAAAAAP////UcHwCAD3/////////+A////8BgDgAAPn////////74AeB//+B6AAAAPn///////4CAAIAf//h+AAACFP///////gOAAAAP//7/gAANH///////" +
  "/wMAAAAH////wAAD/////////wAAAAAD///04AAD/////////wAAAAAD///8AAAB//X3/////gAAAAAD///wAAAB6+Dv/////EAAAAAD///gAAAPhvbz////8IAAAAAB//" +
  "/AAAAPAp/z///+IIAAAAAB///AAAAA8Af/////EwAAAAAAf/+AAAAH8AP/////BAAAAAAAX/4AAAAP/uv/////gAAAAAAAP8EAAAAP///v////gAAAAAAAD4EAAAA///3z" +
  "////AAAAAAAAB4AAAAA///3+H//+gAAAAAAAA4gAAAB///7/D+fgAAAAAAAAA9gYAAA///7+B8PQAAAAAAAAAHgAAAB///94B4HggAAAAAAAAA4AAAB////gAwHwwAAAAA" +
  "AAAAAoAAA///+QAwFgAAAAAAAAAAF/AAAf///wAAEAIAAAAAAAAAB/gAAPv//wAICAAAAAAAAAAAB/8AAAD//gAAGGAAAAAAAAAAD/8AAAD//AAADOAAAAAAAAAAD//AAA" +
  "D/+AAADOjAAAAAAAAAD//4AAD/8AAABAg8AAAAAAAAD//8AAB/8AAAAgAeAAAAAAAAD//8AAB/8AAAABoIAAAAAAAAB//4AAB/8AAAAAAAAAAAAAAAB//wAAB/8QAAAADA" +
  "AAAAAAAABgAAAAAAcwAAAAfkAAAAAAAAAP/wAAB/wwAAAAf+AAAAAAAAAP/wAAB/xgAAAD//AAAAAAAAAP/AAAA/xgAAAH//AAAAAAAAAP+AAAA/gAAAAH//gAAAAAAAAf" +
  "8AAAAfgAAAAD//gAAAAAAAAf8AAAAfAAAAAD//gAAAAAAAAf4AAAAcAAAAADw/gAAAAAAAAfgAAAAAAAAAAAAPAAAAAAAAAfAAAAAAAAAAAAACACAAAAAAA8AAAAAAAAAA" +
  "AAACAEAAAAAAAcAAAAAAAAAAAAAAAIAAAAAAA4AAAAAAAAAAAAAAAQAAAAAAA4AAAAAAAAAAAAAAAAAAAAAAAwgAAAAAAAAAAAAAAAAAAAAAAYAAAAAAAAAAAAAAAAAAAA" +
  "AAAAAAAAAAAAAAAAAAAA";
function land(x, y) {
  const raw = atob(cells);
  let d = "";
  for (let row = 0; row < 55; row++) for (let k = 0, from = -1; k <= 144; k++) {
    const at = row * 144 + k, on = k < 144 && raw.charCodeAt(at >> 3) >> 7 - (at & 7) & 1, lat = 80 - 2.5 * row;
    if (on && from < 0) from = k;
    if (!on && from >= 0) { d += `M${f1(x(2.5 * from - 180))} ${f1(y(lat))}H${f1(x(2.5 * k - 180))}V${f1(y(lat - 2.1))}H${f1(x(2.5 * from - 180))}Z`; from = -1; }
  }
  return d;
}

// map draws countries as circles at their middles, on land.
function map(box, f, chosen, onchoose) {
  const svg = drawing(box, Math.round(Math.max(220, box.wide) * 0.46), "flows by country"), h = svg.viewBox.baseVal.height;
  const x = lon => (lon + 180) / 360 * svg.w, y = lat => h - (lat + 58) / 138 * h, said = [], top = Math.max(1, ...f.top.map(r => r.n));
  for (let lon = -150; lon < 180; lon += 30) lineOf(svg, "grid", x(lon), 0, x(lon), h);
  for (let lat = -30; lat < 78; lat += 30) lineOf(svg, "grid", 0, y(lat), svg.w, y(lat));
  svg.append(element("path", {class: "land", d: land(x, y)}));
  for (const r of [...f.top].sort((a, b) => b.n - a.n)) {
    const p = data.places[r.name];
    if (!p || !r.n) continue;
    const says = `${p.name}: ${whole.format(r.n)} flows` + (data.mark ? `, ${whole.format(r.m)} ${data.mark}s` : ""), radius = 3 + 15 * Math.sqrt(r.n / top);
    const g = element("g", {class: "choice" + (chosen && !chosen.includes(r.name) ? " off" : ""), tabindex: 0, role: "button", "aria-pressed": !!(chosen && chosen.includes(r.name)), "aria-label": says});
    g.append(element("title", {}, says), element("circle", {class: "flow", cx: f1(x(p.lon)), cy: f1(y(p.lat)), r: f1(radius)}), element("circle", {class: "ring", cx: f1(x(p.lon)), cy: f1(y(p.lat)), r: f1(radius + 2)}));
    if (r.m) g.append(element("circle", {class: "hit", cx: f1(x(p.lon)), cy: f1(y(p.lat)), r: f1(radius * Math.sqrt(r.m / r.n)), "pointer-events": "none"}));
    const at = [x(p.lon) + radius + 4, y(p.lat) + 4], wide = textWidth(p.name);
    if (at[0] + wide < svg.w && !said.some(o => Math.abs(o[1] - at[1]) < 14 && at[0] < o[0] + o[2] && o[0] < at[0] + wide)) {
      said.push([...at, wide]);
      g.append(element("text", {class: "name", x: f1(at[0]), y: f1(at[1])}, p.name));
    }
    g.addEventListener("click", () => onchoose(r.name));
    g.addEventListener("keydown", e => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); onchoose(r.name); } });
    svg.append(g);
  }
  svg.setAttribute("role", "group");
  box.prepend(svg);
}

// panels draws how each number spreads, the marked flows over the others, each by its own total; the profile as a line.
function panels(box, list) {
  const across = Math.max(1, Math.floor(box.wide / 230)), high = 104, svg = drawing(box, Math.ceil(list.length / across) * high, "distributions of numbers"), wide = svg.w / across;
  list.forEach((c, i) => {
    const d = data.nums[i], left = i % across * wide, above = Math.floor(i / across) * high, base = above + 78, w = wide - 16, n = c.n.length, rest = c.n.map((v, k) => v - c.m[k]);
    const shares = values => { const t = values.reduce((a, b) => a + b, 0); return t ? values.map(v => Math.sqrt(v / t)) : null; };
    const drawn = [["flow", shares(rest)], ["hit part", shares(c.m)], ["wasline", data.profile ? shares(c.p) : null]].filter(([, s]) => s), top = Math.max(1e-9, ...drawn.flatMap(([, s]) => s));
    svg.append(element("text", {class: "name", x: f1(left), y: above + 12}, isolate(clipped(d.title, w))));
    for (const [cls, s] of drawn) svg.append(element("path", {class: cls, d: steps(s, k => left + w * k / n, v => base - 58 * v / top, base)}));
    const low = written(d.key, valueOf(d.scale, 0)), highest = written(d.key, valueOf(d.scale, NONE - 1));
    texts(svg, f1(left), base + 15, "start", low);
    if (textWidth(low) + textWidth(highest) + 10 < w) texts(svg, f1(left + w), base + 15, "end", highest);
  });
  box.prepend(svg);
}

// continuation draws the end of a series and what comes.
function continuation(box, counts, a, label) {
  const show = Math.max(3 * a.held, 48), from = Math.max(a.from, a.to - show), past = counts.slice(from, a.to), end = a.to + a.held;
  const h = 190, svg = drawing(box, h, label), left = 48, base = h - 22, at0 = v => Math.max(0, v);
  const top = Math.max(1, ...past, ...a.smooth.mean, ...a.naive.mean, ...a.smooth.high.map(v => Math.min(v, 3 * Math.max(1, ...past))));
  const x = b => left + (svg.w - left - 8) * (b - from) / (end - from), y = v => base - (base - 10) * Math.min(top, at0(v)) / top;
  for (const t of ticks(top, 4)) { lineOf(svg, "grid", left, y(t), svg.w - 8, y(t)); texts(svg, left - 6, y(t) + 4, "end", short3(t)); }
  const path = (values, b0) => "M" + values.map((v, i) => f1(x(b0 + i + 0.5)) + " " + f1(y(v))).join("L");
  svg.append(element("path", {class: "nextband", d: path(a.smooth.high, a.to) + "L" + a.smooth.low.map((v, i) => f1(x(a.to + i + 0.5)) + " " + f1(y(v))).reverse().join("L") + "Z"}));
  svg.append(element("path", {class: "past", d: path(past, from)}), element("path", {class: "plain2", d: path(a.naive.mean, a.to)}), element("path", {class: "next", d: path(a.smooth.mean, a.to)}));
  lineOf(svg, "mark", x(a.to), 8, x(a.to), base);
  timeAxis(svg, x, from, end, base);
  box.prepend(svg);
}
