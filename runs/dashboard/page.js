// The page: what is shown is a state, the state is the URL's hash, and every chart is drawn from the view of the state.

const $ = id => document.getElementById(id);

// make makes an element of HTML with attributes and children; texts stay texts.
function make(name, attributes = {}, ...children) {
  const e = document.createElement(name);
  for (const [k, v] of Object.entries(attributes)) {
    if (k.startsWith("on")) e.addEventListener(k.slice(2), v);
    else if (v === true) e.setAttribute(k, "");
    else if (v !== false && v != null) e.setAttribute(k, v);
  }
  e.append(...children);
  return e;
}
const named = text => make("bdi", {}, text);
const lowered = d => d.title.charAt(0).toLowerCase() + d.title.slice(1);

// fresh is the state without filters.
const fresh = () => ({time: null, levels: {}, score: null, mark: "", sign: "", x: data.nums.length ? data.nums[0].key : "",
  y: data.nums.length ? data.nums[Math.min(1, data.nums.length - 1)].key : "", sort: data.score ? "score" : "time", offset: 0});

function query(s) {
  const q = new URLSearchParams(), d = fresh();
  if (s.time) q.set("time", s.time.join(","));
  for (const [key, names] of Object.entries(s.levels)) for (const name of names) q.append(key, name);
  if (s.score) q.set("score", s.score.map(v => v == null ? "" : v).join(","));
  for (const key of ["mark", "sign", "x", "y", "sort", "offset"]) if (s[key] !== d[key]) q.set(key, s[key]);
  return q;
}

// read is the state of a query; what does not fit the flows is left out.
function read(text) {
  const s = fresh(), q = new URLSearchParams(text), two = key => (q.get(key) || "").split(",");
  const time = two("time").map(Number);
  if (time.length === 2 && time.every(Number.isFinite) && time[0] < time[1]) s.time = time;
  const score = two("score").map(v => v === "" ? null : +v);
  if (data.score && score.length === 2 && score.some(v => v != null) && score.every(v => v == null || Number.isFinite(v))) s.score = score;
  for (const d of data.dims) if (q.has(d.key)) s.levels[d.key] = q.getAll(d.key).slice(0, 100);
  if (data.mark && ["yes", "no"].includes(q.get("mark"))) s.mark = q.get("mark");
  if (data.signs.includes(q.get("sign"))) s.sign = q.get("sign");
  for (const key of ["x", "y"]) if (numAt(q.get(key)) >= 0) s[key] = q.get(key);
  if (data.score && ["score", "time"].includes(q.get("sort"))) s.sort = q.get("sort");
  if (/^\d{1,9}$/.test(q.get("offset") || "")) s.offset = +q.get("offset");
  return s;
}

let state = read(location.hash.slice(1)), shown = null, asked = 0;

// obtain is the view of a state: counted here, or by the server.
async function obtain(s) {
  if (query(s).size === 0 && data.first) return data.first;
  if (!data.served) return count(await load(), s);
  const answer = await fetch("view?" + query(s));
  if (!answer.ok) throw new Error((await answer.json()).error || answer.statusText);
  return answer.json();
}

async function refresh() {
  const mine = ++asked, began = performance.now();
  let v;
  try { v = await obtain(state); } catch (e) {
    $("chips").replaceChildren(make("span", {class: "bad"}, "No view: " + e.message));
    return;
  }
  if (mine !== asked) return; // a later one is on its way
  shown = v;
  const counted = performance.now();
  draw(v);
  window.took = {count: counted - began, all: performance.now() - began};
}

// change shows another state, as a step of the browser's history.
function change(part) {
  state = {...state, offset: 0, ...part};
  const text = query(state).toString();
  history.pushState(null, "", text ? "#" + text : location.pathname + location.search);
  return refresh();
}
addEventListener("popstate", () => { state = read(location.hash.slice(1)); refresh(); });

function toggle(key, name) {
  const now = state.levels[key] || [], next = now.includes(name) ? now.filter(n => n !== name) : [...now, name], levels = {...state.levels, [key]: next};
  if (!next.length) delete levels[key];
  return change({levels});
}
const setBins = r => change({time: r && !(r[0] <= 0 && r[1] >= data.axis.bins) ? [edge(r[0]), edge(r[1])] : null});

// cards are the charts: where they stand, what they say, how they are drawn and what their numbers are.
const cards = [];
function card(row, id, title, note, drawn, table, empty) {
  const box = make("div", {class: "figure"}), says = make("p", {class: "note"}), none = make("p", {class: "empty", hidden: true}), extra = make("div", {class: "tools"});
  const section = make("section", {class: "card", id}, make("h2", {}, title), says, extra, none, box);
  row.append(section);
  const it = {id, section, box, says, extra, none, note, drawn, table, empty, title};
  if (drawn) finish(it);
  cards.push(it);
  return it;
}

// finish puts the means to save a figure under it, and its numbers as a table.
function finish(it) {
  saves(it.box, it.title, () => it.table(shown));
  const details = make("details", {class: "plain"}, make("summary", {}, "As a table"));
  details.addEventListener("toggle", () => { if (details.open) fill(it); });
  it.details = details;
  it.box.append(details);
}
function fill(it) {
  const t = it.table(shown), rows = t.columns[0].map((_, i) => make("tr", {}, ...t.columns.map((c, k) => make(k ? "td" : "th", k ? {} : {scope: "row"}, typeof c[i] === "string" ? named(c[i]) : c[i] == null ? "–" : figure3(c[i])))));
  const table = make("table", {}, make("caption", {class: "visually"}, it.title), make("thead", {}, make("tr", {}, ...t.heads.map((h, k) => make("th", {class: k ? "" : "left", scope: "col"}, named(h))))), make("tbody", {}, ...rows.slice(0, 600)));
  it.details.querySelector(".scroll")?.remove();
  it.details.append(make("div", {class: "scroll"}, table));
}

function paint(it, v) {
  const why = it.empty && it.empty(v);
  it.none.hidden = !why;
  it.section.classList.toggle("void", !!why);
  it.none.textContent = why || "";
  it.box.hidden = !!why;
  it.extra.hidden = !!why;
  it.says.textContent = why ? "" : typeof it.note === "function" ? it.note(v) : it.note;
  if (why || !it.drawn) return;
  const old = it.box.querySelector(":scope > svg"), focus = old && old.contains(document.activeElement) ? [...old.querySelectorAll("[tabindex]")].indexOf(document.activeElement) : null;
  old?.remove();
  it.drawn(it.box, v);
  if (focus !== null) { const svg = it.box.querySelector(":scope > svg"); (focus < 0 ? svg : [...svg.querySelectorAll("[tabindex]")][focus] || svg).focus(); }
  if (it.details && it.details.open) fill(it);
}

const capital = s => s.charAt(0).toUpperCase() + s.slice(1);
const nothing = v => v.kept || v.of === 0 ? "" : "No flow passes the filters: take one of the chips above away.";
const lacking = (what, how) => () => `The data has no ${what}. ${how}`;
const marks = data.mark ? data.mark + "s" : "";
const counts = list => ({heads: ["name", "flows", ...(data.mark ? [marks] : []), ...(data.profile ? ["profile"] : [])],
  columns: [list.map(r => r.name), list.map(r => r.n), ...(data.mark ? [list.map(r => r.m)] : []), ...(data.profile ? [list.map(r => r.p)] : [])]});
const moments = (from, n) => Array.from({length: n}, (_, i) => data.axis.rows ? edge(from + i) + 1 : new Date(edge(from + i)).toISOString());
const over = data.axis.rows ? "in the order of rows" : "over time", axisName = data.axis.rows ? "row" : "time";

function build() {
  const root = $("cards"), row = cls => root.appendChild(make("div", {class: cls}));
  const timeBox = $("time"), time = {id: "time", section: timeBox.closest("section"), box: timeBox, title: "Traffic " + over, says: $("time-note"), none: make("p"), extra: make("div"),
    note: v => `Flows per ${width()}${data.mark ? `, ${marks} among them in orange` : ""}${v.time.p ? "; dashed: the profile at this time of day" : ""}. Drag to choose a time, or use the arrow keys; a click takes it away.`
      + (data.axis.rows ? " The data has no time: the axis is the order of its rows." : ""),
    drawn: (box, v) => band2(box, v.time, bins(state), tall.checked, setBins), table: v => ({heads: [axisName, "flows", ...(data.mark ? [marks] : []), ...(v.time.p ? ["profile"] : [])], columns: [moments(0, data.axis.bins), v.time.n, ...(data.mark ? [v.time.m] : []), ...(v.time.p ? [v.time.p] : [])]})};
  timeBox.replaceChildren();
  const tall = make("input", {type: "checkbox", onchange: () => paint(time, shown)});
  timeBox.before(make("label", {class: "check"}, tall, " logarithmic"));
  finish(time);
  cards.push(time);
  const two = row("grid2");
  const volumes = card(two, "volume", "Volume, in and out", "Bytes per " + width() + " of the chosen time, on a logarithmic scale.", (box, v) => volume(box, v.time, bins(state)),
    v => { const [a, b] = bins(state) || [0, data.axis.bins], names = ["out", "in"].filter(k => v.time[k]); return {heads: [axisName, ...names.map(k => "bytes " + k)], columns: [moments(a, b - a), ...names.map(k => v.time[k].slice(a, b))]}; },
    v => data.lacks.includes("bytes") ? lacking("column of bytes", "A data config names columns; src_bytes and dst_bytes are known names.")() : nothing(v));
  volumes.extra.replaceWith(volumes.extra = make("div", {class: "legend"}, ...[["out", "ksup", "out, from source to destination"], ["in", "ksdn", "in, back"]].filter(([k]) => numAt("bytes " + k) >= 0)
    .map(([, c, t]) => make("span", {}, make("i", {class: c}), t))));
  card(two, "signs", "Signs of anomalies", v => `Flows in which a sign is above 0${data.mark ? ", " + marks + " in orange" : ""}; choose one to see its flows.`,
    (box, v) => bars(box, {top: v.signs, n: v.kept, p: v.profile}, "signs of anomalies", state.sign ? [state.sign] : null, name => change({sign: state.sign === name ? "" : name})), v => counts(v.signs),
    () => data.signs.length ? "" : "No column of signs, such as wrong fragments, urgent packets or failed logins, is above 0 in any flow.");
  const dims = row("grid3");
  const others = {proto: "protocols", service: "services", state: "connection status", class: "labels", src: "source addresses", dst: "destination addresses"};
  for (const key of ["proto", "service", "state", "class", "src", "dst"]) {
    const d = data.dims[dimAt(key)], title = d ? key === "src" ? "Most active sources" : key === "dst" ? "Most targeted destinations" : d.title : {proto: "Protocol", service: "Service", state: "Connection status", class: "Label", src: "Most active sources", dst: "Most targeted destinations"}[key];
    card(dims, "dim-" + key, title, v => { const f = v.dims[key]; return `${data.mark ? capital(marks) + " / flows" : "Flows"} of column ${d.column}, ${whole.format(f.levels)} value${f.levels === 1 ? "" : "s"}${f.levels > f.top.length ? `, ${f.top.length} shown` : ""}; choose to filter${data.profile && key !== "class" ? "; the line is the profile's share, ✱ was never in it" : ""}.`; },
      (box, v) => bars(box, key === "class" ? {...v.dims[key], p: 0} : v.dims[key], title, state.levels[key], name => toggle(key, name)), v => counts(v.dims[key].top),
      v => !d ? lacking(key === "class" ? "labels" : "column of " + others[key], key === "class" ? "label: in a data config says where they are." : "A data config names columns.")() : v.dims[key].n ? "" : nothing(v) || "No flow passes the other filters.");
  }
  const pair = row("grid2"), st = data.dims[["state", "proto", "service", "class"].map(dimAt).find(k => k >= 0)];
  card(pair, "status", (st ? st.title : "Connection status") + " " + over, data.mark ? `The tint is the number of flows, the number the per cent of them that are ${marks}.` : "The tint is the number of flows.",
    (box, v) => statuses(box, v.status, "categories over time"),
    v => { const h = v.status, at = h.n.map((_, i) => i).filter(i => h.n[i]); return {heads: [st.title, axisName, "flows", marks || "marked"], columns: [at.map(i => h.rows[Math.floor(i / h.wide)]), at.map(i => moments(Math.ceil(i % h.wide * data.axis.bins / h.wide), 1)[0]), at.map(i => h.n[i]), at.map(i => h.m[i])]}; },
    v => !st ? lacking("column of categories", "A data config names columns.")() : nothing(v));
  card(pair, "score", "Scores", v => `Flows by the score of ${data.score.model}${data.score.limit != null ? `, threshold ${figure3(data.score.limit)} dashed` : ", which left no threshold"}; both axes are logarithmic. Bounds are set above, under "Add a filter".`,
    (box, v) => scores(box, v.score, state.score), v => ({heads: ["score from", "flows", marks], columns: [v.score.n.map((_, i) => valueOf(data.score.scale, Math.round((NONE - 1) * i / sizes.score))), v.score.n, v.score.m]}),
    () => data.score ? "" : "No model has scored these flows: name a cell of a run with --run RUN/CELL.");
  const pair2 = row("grid2");
  const scattered = card(pair2, "scatter", "Scatter", `Both on logarithmic scales${data.mark ? `, ${marks} in orange` : ""}.`, (box, v) => scatter(box, v.scatter),
    v => { const h = v.scatter, at = h.n.map((_, i) => i).filter(i => h.n[i]), of = (key, k, n) => valueOf(data.nums[numAt(key)].scale, Math.round((NONE - 1) * k / n)); return {heads: [h.x + " from", h.y + " from", "flows", marks || "marked"], columns: [at.map(i => of(h.x, i % h.wide, h.wide)), at.map(i => of(h.y, Math.floor(i / h.wide), sizes.y)), at.map(i => h.n[i]), at.map(i => h.m[i])]}; },
    v => data.nums.length ? nothing(v) : lacking("columns of numbers", "")());
  for (const key of ["x", "y"]) {
    const choose = make("select", {onchange: () => change({[key]: choose.value})}, ...data.nums.map(d => make("option", {value: d.key}, d.title)));
    scattered.extra.append(make("label", {}, key === "x" ? "across" : "up", choose));
    scattered[key] = choose;
  }
  card(pair2, "numbers", "Correlations", v => `Pearson's, of logarithms, over ${whole.format(v.numbers.n)} flows with all of the numbers.`, (box, v) => matrix(box, v.numbers),
    v => { const c = v.numbers, k = c.keys.length; return {heads: ["", ...c.keys], columns: [c.keys, ...c.keys.map((_, j) => c.keys.map((_, i) => c.r[i * k + j] === -2 ? null : c.r[i * k + j]))]}; },
    v => v.numbers ? nothing(v) : "The data has fewer than two numbers.");
  if (dimAt("country") >= 0 || dimAt("src") >= 0) card(root, "map", "Countries", v => { const f = v.dims.country, none = f.top.find(r => r.name === "–"); return `Of the other end of each flow, by the prefixes given; the area is the number of flows${data.mark ? `, orange the share of ${marks}` : ""}.${none ? ` ${whole.format(none.n)} flows have addresses of no prefix, such as private ones.` : ""}`; },
    (box, v) => map(box, v.dims.country, state.levels.country, name => toggle("country", name)), v => counts(v.dims.country.top),
    () => dimAt("country") < 0 ? "No map: give a CSV file of prefixes and countries with --countries FILE, such as a line 192.0.2.0/24,NL." : "");
  for (const [id, key, peer, title, says] of [["from", "src", "dst", "What sources do", "A scan shows as many destinations or services"], ["to", "dst", "src", "Who is targeted", "A flood shows as many flows of few services"]]) {
    card(root, id, title, `Hosts with the most ${marks || "flows"} that pass all filters. ${says}.`, null, null, v => dimAt(key) < 0 ? lacking(others[key], "What hosts do needs addresses.")() : nothing(v)).rows =
      v => hostTable(v[id], key, peer === "dst" ? "destinations" : "sources");
  }
  card(root, "spread", "Numbers and host features", v => `Where the values of each number are, on a logarithmic scale from its lowest to its highest; heights are roots of shares${data.mark ? `, ${marks} in orange over the other flows, each by its own total` : ""}${data.profile ? "; dashed: the profile" : ""}.`, (box, v) => panels(box, v.spread),
    v => ({heads: ["number", "from", "flows", marks || "marked", ...(data.profile ? ["profile"] : [])], columns: [v.spread.flatMap((c, i) => c.n.map(() => data.nums[i].title)), v.spread.flatMap((c, i) => c.n.map((_, k) => valueOf(data.nums[i].scale, Math.round((NONE - 1) * k / sizes.spread)))), v.spread.flatMap(c => c.n), v.spread.flatMap(c => c.m), ...(data.profile ? [v.spread.flatMap(c => c.p)] : [])]}),
    v => data.nums.length ? nothing(v) : lacking("columns of numbers", "")());
  const next = row("grid2");
  for (const [key, title] of [["n", "Forecast of flows"], ...(data.mark ? [["m", `Forecast of ${marks}`]] : [])]) {
    card(next, "ahead-" + key, title, v => { const a = v.ahead[key], e = a.error, better = e.smooth.mae < e.naive.mae; return `Per ${width()}, after the chosen time, with a band of 95 %. ${a.period > 1 ? `A season of ${a.period} bins.` : "No season found."} Held out, the last ${a.held} bins: mean error ${figure3(e.smooth.mae)} by Holt–Winters, ${figure3(e.naive.mae)} by the naive forecast${better ? "" : ", which is no worse"}; ${Math.round(100 * e.smooth.coverage)} % lay within the band.`; },
      (box, v) => continuation(box, v.time[key], v.ahead[key], title), v => { const a = v.ahead[key]; return {heads: [axisName, "Holt-Winters", "low", "high", "naive"], columns: [moments(a.to, a.held), a.smooth.mean, a.smooth.low, a.smooth.high, a.naive.mean]}; },
      v => v.ahead[key] ? "" : "Fewer than 16 bins of time: nothing can be continued. Choose a longer time.");
    cards.at(-1).extra.replaceWith(cards.at(-1).extra = make("div", {class: "legend"}, make("span", {}, make("i", {class: "ksup"}), "Holt–Winters"), make("span", {}, make("i", {class: "dash"}), "seasonal naive: the last season again")));
  }
  if (data.profile) card(root, "shift", "Against the profile", v => `Values whose share of the flows differs most from ${data.profile.name} (${whole.format(data.profile.n)} benign flows${data.profile.days ? ` of ${data.profile.days} days` : ""}); z above 3 is more than chance, if flows were independent.`, null, null,
    v => v.shift && v.shift.length ? "" : "No value's share differs from the profile's by more than chance.").rows = v => shiftTable(v.shift);
  const log = card(root, "log", data.mark ? capital(marks) : "Flows", v => `${whole.format(v.flows.total)} ${data.mark ? marks + " pass" : "flows pass"} the filters, ${state.sort === "score" ? "highest score" : "latest"} first. Open one for its reasons and the flows beside it in time.`, null, null,
    v => v.flows.total ? "" : data.mark ? `No ${data.mark} passes the filters.` : nothing(v));
  log.rows = v => logTable(v.flows);
  if (data.score) log.extra.append(make("label", {}, "order", log.order = make("select", {onchange: e => change({sort: e.target.value})}, make("option", {value: "score"}, "highest score"), make("option", {value: "time"}, "latest"))));
}
const width = () => { const s = data.axis.step; return data.axis.rows ? plural(s, "row") : s % 86400000 === 0 ? plural(s / 86400000, "day") : s % 3600000 === 0 ? plural(s / 3600000, "hour") : s % 60000 === 0 ? plural(s / 60000, "minute") : s % 1000 === 0 ? plural(s / 1000, "second") : s + " ms"; };
const plural = (n, word) => n === 1 ? word : whole.format(n) + " " + word + "s";

// tableOf is a table whose heads sort; the order of a name stays when the table is made again.
const orders = {};
function tableOf(name, heads, rows) {
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...heads.map(([text, cls]) => make("th", {scope: "col", class: cls === "num" ? "" : "left", ...(cls === "num" ? {} : {"data-text": true})}, make("button", {type: "button"}, text))))), make("tbody", {}, ...rows));
  sorts(table, null, orders[name] = orders[name] || {});
  return make("div", {class: "scroll"}, table);
}
const cellOf = (v, text) => make("td", {"data-v": v == null ? "" : v}, text);

function hostTable(list, key, peers) {
  return tableOf(key, [["host", ""], ["flows", "num"], ...(data.mark ? [[marks, "num"]] : []), [peers, "num"], ["services", "num"], ["bytes out", "num"], ["bytes in", "num"]],
    list.map(h => make("tr", {}, make("th", {scope: "row", class: "name"}, make("button", {class: "link", type: "button", onclick: () => toggle(key, h.name)}, named(h.name))),
      ...[h.n, ...(data.mark ? [h.m] : []), h.peers, h.services].map(n => cellOf(n, whole.format(n))), cellOf(h.out, numAt("bytes out") < 0 ? "–" : amount(h.out)), cellOf(h.in, numAt("bytes in") < 0 ? "–" : amount(h.in)))));
}
function shiftTable(list) {
  const share = v => (100 * v).toFixed(v < 0.1 ? 2 : 1) + " %";
  return tableOf("shift", [["column", ""], ["value", ""], ["share", "num"], ["in the profile", "num"], ["flows", "num"], ["z", "num"]],
    list.map(s => make("tr", {}, make("th", {scope: "row"}, data.dims[dimAt(s.dim)].title), make("td", {class: "left name"}, make("button", {class: "link", type: "button", onclick: () => toggle(s.dim, s.name)}, named(s.name)), s.was ? "" : make("span", {class: "tag warn"}, "new")),
      cellOf(s.share, share(s.share)), cellOf(s.was, share(s.was)), cellOf(s.n, whole.format(s.n)), cellOf(s.z, s.z.toFixed(1)))));
}

const logged = () => data.dims.map((d, k) => [d, k]).filter(([d]) => d.key !== "country");
const amounts = () => data.nums.slice(0, 2).map((d, k) => [d, k]);
function flowRow(r, first, cls) {
  return make("tr", {class: cls || ""}, make("th", {scope: "row", class: "when"}, first), ...logged().map(([, k]) => make("td", {class: "left name", title: r.dims[k]}, named(r.dims[k]))),
    ...amounts().map(([d, k]) => cellOf(r.nums[k], written(d.key, r.nums[k]))), ...(data.score ? [cellOf(r.score, figure3(r.score))] : []));
}
const flowHeads = () => [[axisName, ""], ...logged().map(([d]) => [lowered(d), ""]), ...amounts().map(([d]) => [d.title, "num"]), ...(data.score ? [["score", "num"]] : [])];

function logTable(f) {
  const page = make("div", {class: "pager"}, make("button", {type: "button", disabled: !state.offset, onclick: () => change({offset: Math.max(0, state.offset - sizes.page)})}, "earlier"),
    make("button", {type: "button", disabled: state.offset + sizes.page >= f.total, onclick: () => change({offset: state.offset + sizes.page})}, "later"),
    make("span", {class: "soft"}, `${whole.format(state.offset + 1)} to ${whole.format(state.offset + f.rows.length)} of ${whole.format(f.total)}`));
  return make("div", {}, tableOf("log", flowHeads(), f.rows.map(r => flowRow(r, make("button", {class: "link", type: "button", "data-flow": r.i, onclick: () => openFlow(r.i)}, exactly(r.at))))), page);
}

// openFlow shows one flow in the drawer.
async function openFlow(i, same) {
  const box = $("drawer");
  same = same === undefined ? dimAt("src") >= 0 : same;
  let flows, detail;
  if (data.served) {
    const answer = await fetch(`flow?i=${i}&same=${same}`);
    if (!answer.ok) return;
    ({near: flows, detail} = await answer.json());
  } else {
    flows = near(await load(), i, same);
    detail = data.details && data.details[i];
  }
  const r = flows.find(f => f.i === i), said = detail && detail.reasons && detail.reasons.length, values = detail ? detail.values : [...data.dims.map((d, k) => [lowered(d), r.dims[k]]), ...data.nums.map((d, k) => [d.title, written(d.key, r.nums[k])])];
  const children = [make("button", {class: "close", type: "button", onclick: () => box.close()}, "close"), make("h2", {id: "drawer-title"}, exactly(r.at)),
    make("p", {class: "note"}, r.flag & 1 ? `${data.mark}${data.score ? `: score ${figure3(r.score)}${data.score.limit != null ? `, threshold ${figure3(data.score.limit)}` : ""}` : ""}` : `no ${data.mark || "alarm"}${data.score ? `: score ${figure3(r.score)}` : ""}`, detail && detail.where ? [" · ", detail.where].join("") : "")];
  children.push(make("h3", {}, "Reasons"));
  if (said) children.push(make("div", {class: "scroll"}, make("table", {}, make("thead", {}, make("tr", {}, make("th", {class: "left"}, "column"), make("th", {}, "share of the score"), make("th", {}, "actual"), make("th", {}, "expected"))),
    make("tbody", {}, ...detail.reasons.map(x => make("tr", {}, make("th", {scope: "row", class: "name"}, named(x.name)), make("td", {}, Math.round(100 * x.share) + " %"), make("td", {class: "name"}, named(x.actual)), make("td", {class: "name"}, named(x.usual))))))));
  children.push(make("p", {class: "note"}, detail && detail.why || (data.score ? "Reasons were looked up for the highest alarms only; a served dashboard (--serve) has them for every flow." : "Without a model (--run RUN/CELL) there are no reasons.")));
  children.push(make("h3", {}, "Beside it in " + axisName));
  if (dimAt("src") >= 0) children.push(make("p", {class: "note"}, make("button", {type: "button", onclick: () => openFlow(i, !same)}, same ? "of the same source; show all" : "of all sources; show the same")));
  children.push(make("div", {class: "scroll"}, make("table", {}, make("thead", {}, make("tr", {}, ...flowHeads().map(([t, c]) => make("th", {scope: "col", class: c === "num" ? "" : "left"}, t)))),
    make("tbody", {}, ...flows.map(f => flowRow(f, exactly(f.at) + (f.flag & 1 ? " ●" : ""), f.i === i ? "here" : ""))))));
  if (data.mark) children.push(make("p", {class: "note"}, "● is " + (data.mark === "alarm" ? "an alarm." : "labelled an attack.")));
  children.push(make("h3", {}, "The flow"), make("dl", {class: "values"}, ...values.map(([k, v]) => make("div", {}, make("dt", {}, named(k)), make("dd", {}, named(v))))));
  box.replaceChildren(...children);
  if (!box.open) box.showModal();
}
$("drawer").addEventListener("click", e => { if (e.target === $("drawer")) $("drawer").close(); });

// chips say what the filters are, each with a button that takes it away.
function chips(v) {
  const out = [make("span", {}, make("b", {id: "kept"}, whole.format(v.kept)), ` of ${whole.format(v.of)} flows` + (data.mark ? `, ${whole.format(v.marked)} ${marks}` : ""))];
  const chip = (text, part) => out.push(make("button", {type: "button", "aria-label": "take away the filter " + text, onclick: () => change(part)}, named(text), " ×"));
  if (state.time) { const b = bins(state); chip(`${moment(edge(b[0]))} – ${moment(edge(b[1]) - (data.axis.rows ? 1 : 0))}`, {time: null}); }
  for (const [key, names] of Object.entries(state.levels)) for (const name of names) {
    const rest = names.filter(n => n !== name), levels = {...state.levels, [key]: rest};
    if (!rest.length) delete levels[key];
    chip(lowered(data.dims[dimAt(key)]) + " " + name, {levels});
  }
  if (state.score) chip(state.score[1] == null ? `score ≥ ${figure3(state.score[0])}` : state.score[0] == null ? `score ≤ ${figure3(state.score[1])}` : `score ${figure3(state.score[0])} – ${figure3(state.score[1])}`, {score: null});
  if (state.mark) chip(state.mark === "yes" ? marks : "no " + marks, {mark: ""});
  if (state.sign) chip(state.sign + " above 0", {sign: ""});
  if (out.length > 2) out.push(make("button", {type: "button", onclick: () => change(fresh())}, "clear all"));
  if (data.of > data.n) out.push(make("span", {class: "soft"}, `a sample of ${whole.format(data.n)} of ${whole.format(data.of)} flows: counts are the sample's; --serve counts all`));
  again($("chips"), () => $("chips").replaceChildren(...out));
}

// again makes the contents of a box anew; the focus stays at the same button, or at the last.
function again(box, make) {
  const at = box.contains(document.activeElement) ? [...box.querySelectorAll("button")].indexOf(document.activeElement) : -1;
  make();
  if (at < 0) return;
  const now = [...box.querySelectorAll("button")];
  (now[Math.min(at, now.length - 1)] || $("filters").querySelector("summary")).focus({preventScroll: true});
}

// draw draws the cards that can be seen at once, and the others after a breath; what is read of the layout is read first.
function draw(v) {
  const first = [], rest = [], mine = asked;
  for (const it of cards) {
    it.box.hidden = false;
    const r = it.section.getBoundingClientRect();
    it.seen = r.bottom > 0 && r.top < innerHeight;
    it.box.wide = Math.max(220, it.section.clientWidth - inset);
    (it.seen ? first : rest).push(it);
  }
  chips(v);
  const part = list => {
    for (const it of list) {
      paint(it, v);
      if (it.rows) again(it.box, () => it.box.replaceChildren(...(it.box.hidden ? [] : [it.rows(v)])));
      if (it.order) it.order.value = state.sort;
      for (const key of ["x", "y"]) if (it[key]) it[key].value = state[key];
    }
  };
  part(first);
  settled = new Promise(done => setTimeout(() => { if (mine === asked) part(rest); done(); }));
  $("low").value = state.score && state.score[0] != null ? state.score[0] : "";
  $("high").value = state.score && state.score[1] != null ? state.score[1] : "";
  $("mark").value = state.mark;
}
let settled = Promise.resolve(), inset = innerWidth > 820 ? 42 : 30;

function forms() {
  for (const d of data.dims) $("add-dim").append(make("option", {value: d.key}, d.title));
  for (const e of document.querySelectorAll(".needs-score")) e.hidden = !data.score;
  for (const e of document.querySelectorAll(".needs-mark")) e.hidden = !data.mark;
  $("mark").options[1].textContent = marks + " only";
  $("mark").options[2].textContent = "no " + marks;
  const offer = () => { const f = shown && shown.dims[$("add-dim").value]; $("add-levels").replaceChildren(...(f ? f.top.map(r => make("option", {value: r.name})) : [])); };
  $("add-dim").addEventListener("change", offer);
  $("add-level").addEventListener("focus", offer);
  $("adds").addEventListener("submit", e => {
    e.preventDefault();
    const key = $("add-dim").value, name = $("add-level").value, d = data.dims[dimAt(key)];
    if (!d || !name) return;
    const known = !d.levels || d.levels.includes(name);
    $("add-says").textContent = known ? "" : `no flow has the ${lowered(d)} ${name}`;
    if (known && !(state.levels[key] || []).includes(name)) { $("add-level").value = ""; toggle(key, name); }
  });
  const bounds = () => { const v = ["low", "high"].map(id => $(id).value === "" ? null : +$(id).value); change({score: v.every(x => x == null) ? null : v}); };
  $("low").addEventListener("change", bounds);
  $("high").addEventListener("change", bounds);
  $("mark").addEventListener("change", () => change({mark: $("mark").value}));
}

if (data.n || data.of) {
  build();
  forms();
  refresh().then(() => { if (!data.served && "requestIdleCallback" in window) requestIdleCallback(() => load()); });
  let waiting = 0, was = innerWidth;
  addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(() => { if (innerWidth !== was && shown) { was = innerWidth; inset = innerWidth > 820 ? 42 : 30; draw(shown); } }, 150); });
}
