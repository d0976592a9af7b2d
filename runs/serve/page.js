const at = id => document.getElementById(id);
let token = "", models = [], model = null, last = 0, seen = [], timer = 0;

// ask asks this server; what is no success throws its text and path.
async function ask(path, body) {
  const head = token ? {Authorization: "Bearer " + token} : {};
  if (body !== undefined) head["Content-Type"] = "application/json";
  const r = await fetch(path, {method: body === undefined ? "GET" : "POST", headers: head, body});
  const v = await r.json();
  if (r.ok) return v;
  const e = new Error(v.error);
  e.status = r.status;
  e.path = v.path || "";
  throw e;
}

const digits = v => v == null ? "–" : Math.abs(v) >= 1e6 || v !== 0 && Math.abs(v) < 1e-4 ? v.toExponential(3) : String(+v.toPrecision(6));

const small = v => v == null ? "–" : String(+v.toPrecision(3)); // a p-value

// cell adds a cell of text to a row.
function cell(row, text, kind, value) {
  const td = row.insertCell();
  td.textContent = text;
  if (kind) td.className = kind;
  if (value !== undefined) td.dataset.v = value ?? "";
  return td;
}

async function start() {
  try {
    models = (await ask("/v1/models")).models;
  } catch (e) {
    at("locked").hidden = e.status !== 401;
    at("says").textContent = e.status === 401 ? "No answer without the token." : "The server does not answer: " + e.message;
    return;
  }
  at("locked").hidden = true;
  at("model").replaceChildren(...models.map(m => new Option(m.name, m.name)));
  const wanted = new URLSearchParams(location.hash.slice(1)).get("model");
  if (models.some(m => m.name === wanted)) at("model").value = wanted;
  await choose();
  clearTimeout(timer);
  follow();
}

// choose builds the form of the model that is chosen.
async function choose() {
  model = await ask("/v1/models/" + encodeURIComponent(at("model").value));
  at("which").textContent = `${model.model} trained on ${model.data}, version ${model.version.slice(0, 12)}`;
  at("threshold").value = "";
  at("threshold").placeholder = model.threshold == null ? "none" : digits(model.threshold);
  const depends = {none: "", request: " A score depends on the other records of the request.",
    trace: ` It scores traces: give the records of one ${model.window ? model.window.key.join(" and ") : "entity"} in order, as JSON.`};
  at("inputnote").textContent = `${model.columns.length} columns; an empty field is missing.` + depends[model.context];
  at("form").replaceChildren(...model.columns.map((c, i) => {
    const label = document.createElement("label"), name = document.createElement("span"), input = document.createElement("input");
    name.textContent = c.name + (c.nullable ? "" : " *");
    input.name = c.name;
    input.required = !c.nullable;
    input.autocomplete = "off";
    if (c.type === "number") input.inputMode = "decimal";
    input.value = c.usual ?? (c.type === "number" ? "0" : "");
    if (c.type === "time") input.placeholder = "2026-01-31T12:00:00Z";
    if (c.type === "address") input.placeholder = "192.0.2.1";
    label.append(name, input);
    if (c.categories) {
      const list = document.createElement("datalist");
      list.id = "levels" + i;
      list.append(...c.categories.map(l => new Option(l)));
      input.setAttribute("list", list.id);
      input.value = c.usual ?? c.categories[0];
      label.append(list);
    }
    return label;
  }));
  at("json").value = JSON.stringify(record(), null, 1);
  at("says").textContent = "Fill in a record and score it.";
  at("doubts").replaceChildren();
  at("why").hidden = at("several").hidden = true;
}

// record is the form as a record.
function record() {
  const out = {};
  for (const c of model.columns) {
    const text = at("form").elements[c.name].value.trim();
    const number = c.type === "number" || c.type === "time" && /^[0-9.]+$/.test(text);
    out[c.name] = text === "" ? null : number && !isNaN(+text) ? +text : text;
  }
  return out;
}

// score asks for records and shows what comes.
async function score(records) {
  const body = {model: model.name, records, reasons: 8};
  if (at("threshold").value !== "") body.threshold = +at("threshold").value;
  for (const e of at("form").elements) e.classList.remove("odd");
  let a;
  try {
    a = await ask("/v1/predict", JSON.stringify(body));
  } catch (e) {
    at("says").textContent = (e.path ? e.path.split("/").slice(3).map(decode).join("/") + " " : "") + e.message + ".";
    at("doubts").replaceChildren();
    at("why").hidden = at("several").hidden = true;
    const field = at("form").elements[decode(e.path.split("/")[3] || "")];
    if (field) { field.classList.add("odd"); field.focus(); }
    return;
  }
  const n = a.predictions.length, alarms = a.predictions.filter(p => p.anomaly).length;
  if (n === 0) at("says").textContent = "There were no records.";
  else if (n === 1) one(a.predictions[0], a);
  else at("says").textContent = `${alarms} of ${n} predictions are anomalies, above the threshold ${digits(a.threshold)}.`;
  if (n !== 1) { at("why").hidden = true; at("doubts").replaceChildren(); }
  at("several").hidden = n < 2;
  if (n > 1) many(a);
  follow();
}

const decode = s => s.replace(/~1/g, "/").replace(/~0/g, "~");

function one(p, a) {
  const side = p.score > a.threshold ? "above" : "not above";
  at("says").textContent = p.anomaly == null ? `The score is ${digits(p.score)}; the model has no threshold.`
    : `${p.anomaly ? "An anomaly" : "No anomaly"}: the score is ${digits(p.score)}, ${side} the threshold ${digits(a.threshold)}.`;
  const doubts = [];
  if (p.p_value != null) doubts.push(`Of benign records held out in training, a share of ${small(p.p_value)} scored as high (conformal p\u2011value).`);
  if (p.unknown) doubts.push(`The model has not met this ${p.unknown.join(", ")}.`);
  at("doubts").replaceChildren(...doubts.map(d => { const li = document.createElement("li"); li.textContent = d; return li; }));
  const rows = (p.reasons || []).map(r => {
    const tr = document.createElement("tr"), th = document.createElement("th");
    th.textContent = r.feature;
    tr.append(th);
    const share = cell(tr, percent(r.share)), bar = document.createElement("span");
    bar.className = "share";
    bar.style.width = Math.max(1, Math.round(80 * r.share)) + "px";
    share.prepend(bar);
    cell(tr, r.actual ?? "–", "left");
    cell(tr, r.usual ?? "–", "left");
    cell(tr, digits(r.prepared));
    cell(tr, digits(r.expected));
    return tr;
  });
  at("reasons").tBodies[0].replaceChildren(...rows);
  at("way").textContent = a.why || "";
  at("why").hidden = rows.length === 0 && !a.why;
}

function many(a) {
  const shown = a.predictions.slice(0, 500);
  at("severalnote").textContent = `threshold ${digits(a.threshold)}` + (shown.length < a.predictions.length ? `; the first ${shown.length} of ${a.predictions.length}` : "");
  at("predictions").tBodies[0].replaceChildren(...shown.map((p, i) => {
    const tr = document.createElement("tr"), th = document.createElement("th");
    th.textContent = p.unit || i + 1;
    th.dataset.v = i;
    tr.append(th);
    cell(tr, digits(p.score), "main", p.score);
    cell(tr, p.anomaly == null ? "–" : p.anomaly ? "anomaly" : "no anomaly", p.anomaly ? "bad" : "");
    cell(tr, small(p.p_value), "", p.p_value);
    cell(tr, p.reasons && p.reasons[0] ? p.reasons[0].feature : "–", "left");
    return tr;
  }));
}

// follow asks for new alerts now and every few seconds.
async function follow() {
  clearTimeout(timer);
  try {
    const fresh = (await ask("/v1/alerts?limit=100&after=" + last)).alerts;
    for (const a of fresh) last = Math.max(last, a.seq);
    seen = fresh.concat(seen).slice(0, 100);
    at("alertnote").textContent = seen.length === 0 ? "None yet. What scores above its threshold is listed here." : `The last ${seen.length}, newest first.`;
    if (fresh.length > 0) {
      at("alerts").tBodies[0].replaceChildren(...seen.map(a => {
        const tr = document.createElement("tr");
        cell(tr, a.time ? a.time.slice(0, 19).replace("T", " ") : "–", "left");
        cell(tr, a.model, "left");
        cell(tr, digits(a.score), "main");
        cell(tr, digits(a.threshold));
        cell(tr, small(a.p_value));
        cell(tr, a.cause === "none" ? "–" : a.cause, "left");
        cell(tr, a.entity || Object.entries(a.record || {}).map(([k, v]) => `${k} ${v}`).join(" · "), "left record");
        return tr;
      }));
    }
  } catch (e) {
    at("alertnote").textContent = "Alerts cannot be had: " + e.message;
  }
  timer = setTimeout(follow, document.hidden ? 15000 : 3000);
}

at("form").addEventListener("submit", e => { e.preventDefault(); at("json").value = JSON.stringify(record(), null, 1); score([record()]); });
at("send").addEventListener("click", () => {
  let v;
  try { v = JSON.parse(at("json").value); } catch (e) { at("says").textContent = "The text is no JSON: " + e.message; return; }
  score(Array.isArray(v) ? v : Array.isArray(v.records) ? v.records : [v]);
});
at("unlock").addEventListener("submit", e => { e.preventDefault(); token = at("token").value; start(); });
at("model").addEventListener("change", () => { location.hash = "model=" + at("model").value; choose(); });
start();
