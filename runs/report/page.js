// dots draws the means and intervals of a metric on one axis.
function dots(table, of) {
  let low = Infinity, high = -Infinity;
  for (const v of Object.values(of)) for (const x of v) if (x != null) { low = Math.min(low, x); high = Math.max(high, x); }
  if (!(low < high)) { low = Math.min(0, low); high = Math.max(1, high); }
  const ends = table.querySelectorAll(".ends span");
  ends[0].textContent = +low.toPrecision(3);
  ends[1].textContent = +high.toPrecision(3);
  const x = v => 5 + 100 * (v - low) / (high - low);
  for (const row of table.tBodies[0].rows) {
    const v = of[row.dataset.label], cell = row.querySelector(".dot"), ctl = row.classList.contains("control") ? " ctl" : "";
    cell.replaceChildren();
    if (!v) continue;
    const svg = element("svg", {viewBox: "0 0 110 18"});
    if (v[1] != null) svg.append(element("line", {class: "ci" + ctl, x1: x(v[1]), x2: x(v[2]), y1: 9, y2: 9}));
    svg.append(element("circle", {class: "pt" + ctl, cx: x(v[0]), cy: 9, r: 3.5}));
    cell.append(svg);
  }
}

for (const [id, set] of Object.entries(data.sets)) {
  const card = document.getElementById(id), table = card.querySelector("[data-table]");
  const main = card.querySelector("[data-main]").closest("th");
  const choose = card.querySelector("[data-metric]"), names = new Set();
  for (const of of Object.values(set.metrics)) for (const name of Object.keys(of)) names.add(name);
  for (const name of names) choose.add(new Option(name, name, false, name === "auroc"));
  let shown = "auroc";
  const value = row => (set.metrics[row.dataset.label][shown] || [null])[0];
  const lower = name => /^fpr|_seconds$|brier|log_loss|peak|^davies/.test(name);
  const rank = () => {
    sort(table, main, value, !lower(shown));
    let n = 0;
    for (const row of table.tBodies[0].rows) row.cells[0].textContent = value(row) == null ? "–" : ++n;
  };
  choose.addEventListener("change", () => {
    shown = choose.value;
    const of = {};
    for (const row of table.tBodies[0].rows) {
      const v = set.metrics[row.dataset.label][shown];
      row.querySelector(".main").textContent = short(v && v[0]);
      row.cells[3].textContent = "";
      row.cells[5].textContent = v && v[1] != null ? short(v[1]) + "–" + short(v[2]) : "–";
      if (v) of[row.dataset.label] = v;
    }
    main.querySelector("button").textContent = shown;
    dots(table, of);
    rank();
  });
  sorts(table, th => th === main ? value : null);
  card.querySelector("[data-filter]").addEventListener("input", e => {
    const text = e.target.value.toLowerCase();
    for (const row of table.tBodies[0].rows) row.hidden = !row.dataset.label.toLowerCase().includes(text);
  });
}

for (const card of document.querySelectorAll("[data-explorer]")) {
  const set = data.sets[card.dataset.explorer], at = name => card.querySelector(`[data-${name}]`);
  for (const c of set.curves) at("model").add(new Option(c.label));
  const update = () => {
    const i = +at("rate").value, fpr = Math.pow(10, -4 + i / 30), tpr = set.curves[at("model").selectedIndex].tpr[i] / 1000;
    const share = Math.min(1, Math.max(0, at("prevalence").value / 100)), flagged = share * tpr + (1 - share) * fpr;
    const out = {fpr: percent(fpr), tpr: percent(tpr), precision: flagged > 0 ? percent(share * tpr / flagged) : "–",
      alerts: Math.round(at("day").value * flagged).toLocaleString("en")};
    for (const [name, text] of Object.entries(out)) card.querySelector(`[data-out=${name}]`).textContent = text;
    at("rate").setAttribute("aria-valuetext", out.fpr);
  };
  for (const name of ["model", "rate", "day", "prevalence"]) at(name).addEventListener("input", update);
  update();
}

// Of a long page the first screen is laid out at once, and the rest a card at a time when the browser is idle.
addEventListener("load", () => {
  const rest = [...document.querySelectorAll(".card")];
  const later = f => window.requestIdleCallback ? requestIdleCallback(f, {timeout: 100}) : setTimeout(f);
  const next = () => {
    const card = rest.shift();
    if (!card) return;
    card.style.contentVisibility = "visible";
    later(next);
  };
  later(next);
});
