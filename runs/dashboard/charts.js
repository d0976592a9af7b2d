// The numbers of each chart, from the counts of engine.js.

const dimTally = (c, k, own) => tally(c, coded(c, "dim" + k, data.dims[k].levels.length, c.dims[k]), own ? 1 << firstDim + k : 0);

// first are the first of some places in an order, all sorted where there are few.
function first(at, count, order) {
  if (at.length <= 4 * count) return at.sort(order).slice(0, count);
  const out = [];
  for (const i of at) {
    if (out.length === count && order(i, out[count - 1]) >= 0) continue;
    let k = out.length;
    while (k > 0 && order(i, out[k - 1]) < 0) k--;
    out.splice(k, 0, i);
    out.length = Math.min(out.length, count);
  }
  return out;
}

function facet(d, t, s) {
  const out = {levels: 0, n: 0, p: 0, top: []}, at = [], hosts = ["src", "dst", "country"].includes(d.key);
  for (let i = 0; i < d.levels.length; i++) {
    if (t.n[i]) { out.levels++; at.push(i); }
    out.n += t.n[i];
    out.p += t.p[i];
  }
  const top = first(at, d.key === "country" ? at.length : sizes.levels, (a, b) => hosts && t.m[b] - t.m[a] || t.n[b] - t.n[a] || a - b);
  for (const text of s.levels[d.key] || []) {
    const i = d.levels.indexOf(text);
    if (i >= 0 && !top.includes(i)) top.push(i);
  }
  out.top = top.map(i => ({name: d.levels[i], n: t.n[i], m: t.m[i], p: t.p[i]}));
  return out;
}

// shifts are the levels whose shares differ most from the profile's, by the test of two proportions.
function shifts(tallies) {
  const out = [];
  data.dims.forEach((d, k) => {
    if (d.key === "class" || d.key === "part") return;
    const t = tallies[k], n = t.n.reduce((a, b) => a + b, 0), p = t.p.reduce((a, b) => a + b, 0);
    if (!n || !p) return;
    d.levels.forEach((name, i) => {
      const a = t.n[i] / n, b = t.p[i] / p, pooled = (t.n[i] + t.p[i]) / (n + p);
      const z = (a - b) / Math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / p));
      if (Math.abs(z) > 3) out.push({dim: d.key, name, share: a, was: b, z, n: t.n[i]});
    });
  });
  return out.sort((a, b) => Math.abs(b.z) - Math.abs(a.z)).slice(0, sizes.shifts);
}

// grouped is the places of the flows of each level of a category, level after level.
function grouped(c, k) {
  const name = "rows" + k;
  if (!c.places[name]) {
    const codes = c.dims[k], start = new Int32Array(data.dims[k].levels.length + 1), rows = new Int32Array(c.own);
    for (let i = 0; i < c.own; i++) start[codes[i] + 1]++;
    for (let v = 1; v < start.length; v++) start[v] += start[v - 1];
    const next = start.slice();
    for (let i = 0; i < c.own; i++) rows[next[codes[i]]++] = i;
    c.places[name] = {start, rows};
  }
  return c.places[name];
}

// hosts are those with the most marked flows and then the most flows, and what they did.
function hosts(c, key, peer) {
  const k = dimAt(key);
  if (k < 0) return [];
  const names = data.dims[k].levels, t = dimTally(c, k, false), at = [], {start, rows} = grouped(c, k), {miss} = c;
  for (let i = 0; i < names.length; i++) if (t.n[i]) at.push(i);
  const p = dimAt(peer), s = dimAt("service"), up = numAt("bytes out"), down = numAt("bytes in"), seen = dim => dim < 0 ? null : new Uint8Array(data.dims[dim].levels.length);
  const peers = seen(p), services = seen(s), {dims} = c, sent = up < 0 ? null : bytes(c, up), back = down < 0 ? null : bytes(c, down);
  return first(at, sizes.hosts, (a, b) => t.m[b] - t.m[a] || t.n[b] - t.n[a] || a - b).map((host, r) => {
    const h = {name: names[host], n: t.n[host], m: t.m[host], p: 0, peers: 0, services: 0, out: 0, in: 0};
    for (let j = start[host]; j < start[host + 1]; j++) {
      const i = rows[j];
      if (miss[i]) continue;
      if (peers && peers[dims[p][i]] !== r + 1) { peers[dims[p][i]] = r + 1; h.peers++; }
      if (services && services[dims[s][i]] !== r + 1) { services[dims[s][i]] = r + 1; h.services++; }
      if (sent) h.out += sent[i];
      if (back) h.in += back[i];
    }
    return h;
  });
}

// bytes is the values of a number of each flow.
function bytes(c, k) {
  const name = "bytes" + k;
  if (!c.places[name]) {
    const out = c.places[name] = new Float64Array(c.own), codes = c.nums[k], values = c.values[k];
    for (let i = 0; i < c.own; i++) out[i] = values[codes[i]];
  }
  return c.places[name];
}

// products is sums of the numbers' codes and of their products over some flows with all numbers: whole numbers, exact.
// Flows are taken in blocks that stay near the processor, and products three at a time.
function products(c, rows, m) {
  const cols = c.measured, k = cols.length, block = 1024, values = cols.map(() => new Float64Array(block)), at = new Int32Array(block);
  const out = {n: 0, sums: new Float64Array(k), products: new Float64Array(k * (k + 3))}, {whole} = c;
  for (let j = 0; j < m;) {
    let n = 0;
    for (; j < m && n < block; j++) { at[n] = rows[j]; n += whole[rows[j]]; }
    for (let a = 0; a < k; a++) {
      const codes = cols[a], v = values[a];
      let sum = 0;
      for (let i = 0; i < n; i++) { const x = codes[at[i]]; sum += x; v[i] = x; }
      out.sums[a] += sum;
    }
    for (let a = 0; a < k; a++) for (let b = a; b < k; b += 3) {
      const x = values[a], y0 = values[b], y1 = values[Math.min(b + 1, k - 1)], y2 = values[Math.min(b + 2, k - 1)];
      let s0 = 0, s1 = 0, s2 = 0;
      for (let i = 0; i < n; i++) { const v = x[i]; s0 += v * y0[i]; s1 += v * y1[i]; s2 += v * y2[i]; }
      const o = a * (k + 3) + b;
      out.products[o] += s0;
      out.products[o + 1] += s1;
      out.products[o + 2] += s2;
    }
    out.n += n;
  }
  return out;
}

function correlations(c) {
  const keys = [...data.nums.map(d => d.title), ...(data.score ? ["score"] : [])], k = keys.length, {kept, lost, n: passed} = c.sides[0];
  if (k < 2) return null;
  let of;
  if (c.own - passed < passed) {
    c.all = c.all || products(c, Int32Array.from({length: c.own}, (_, i) => i), c.own);
    const less = products(c, lost, c.own - passed);
    of = {n: c.all.n - less.n, sums: c.all.sums.map((v, i) => v - less.sums[i]), products: c.all.products.map((v, i) => v - less.products[i])};
  } else of = products(c, kept, passed);
  const n = of.n, r = [], cov = (a, b) => of.products[a * (k + 3) + b] - of.sums[a] * of.sums[b] / n;
  for (let i = 0; i < k; i++) for (let j = 0; j < k; j++) {
    const va = cov(i, i), vb = cov(j, j);
    r.push(va > n && vb > n ? cov(Math.min(i, j), Math.max(i, j)) / Math.sqrt(va * vb) : -2);
  }
  return {keys, n, r};
}

// ranked is the places of the flows that the list is of, the highest score first.
function ranked(c) {
  if (!c.places.ranked) {
    const {score, flag, own} = c, start = new Int32Array(NONE + 2), rank = i => score[i] === NONE ? NONE : NONE - 1 - score[i];
    let n = 0;
    for (let i = 0; i < own; i++) if (!data.mark || flag[i] & 1) { start[rank(i) + 1]++; n++; }
    for (let v = 1; v < start.length; v++) start[v] += start[v - 1];
    const out = c.places.ranked = new Int32Array(n);
    for (let i = 0; i < own; i++) if (!data.mark || flag[i] & 1) out[start[rank(i)]++] = i;
  }
  return c.places.ranked;
}

// list is a page of the marked flows that are kept, of all kept ones where nothing is ever marked.
function list(c, s, total) {
  const {miss, flag, own} = c, from = s.offset || 0, found = [];
  let before = 0;
  const take = i => { if (before++ >= from) found.push(i); };
  if (s.sort === "time" || !data.score) {
    for (let i = own - 1; i >= 0 && found.length < sizes.page; i--) if (!miss[i] && (!data.mark || flag[i] & 1)) take(i);
  } else for (const i of ranked(c)) {
    if (found.length === sizes.page) break;
    if (!miss[i]) take(i);
  }
  return {total, rows: found.map(i => record(c, i))};
}

// record is one flow as the table shows it.
function record(c, i) {
  return {i, at: c.at[i] === NOWHERE ? null : data.axis.start + c.at[i] * data.unit, flag: c.flag[i],
    dims: data.dims.map((d, k) => d.levels[c.dims[k][i]]), nums: data.nums.map((d, k) => valueOf(d.scale, c.nums[k][i])),
    score: data.score ? valueOf(data.score.scale, c.score[i]) : null};
}

// near is the flows before and after one, all or those of the same source.
function near(c, i, same) {
  const k = dimAt("src"), fits = j => !same || k < 0 || c.dims[k][j] === c.dims[k][i], before = [], after = [];
  for (let j = i - 1; j >= 0 && before.length < 8; j--) if (fits(j)) before.unshift(record(c, j));
  for (let j = i + 1; j < c.own && after.length < 8; j++) if (fits(j)) after.push(record(c, j));
  return [...before, record(c, i), ...after];
}

// count is the view of a state. What is not asked for is not counted, and what was counted of the same filters is kept.
function count(c, s) {
  filter(c, s);
  const v = {}, range = bins(s), lazy = (name, make, of = name) => Object.defineProperty(v, name, {enumerable: true, configurable: true, get() {
    filter(c, s);
    const value = of in c.done ? c.done[of] : c.done[of] = make();
    Object.defineProperty(v, name, {enumerable: true, value});
    return value;
  }});
  if (!c.coded.flag) c.coded.flag = {codes: c.flag, size: 4, all: []};
  const of = counted(c, 0, c.coded.flag), total = bits => of.reduce((sum, n, f) => sum + ((f & bits) === bits ? n : 0), 0), kept = c.sides[0].n;
  Object.assign(v, {kept, of: c.own, marked: total(1), attacks: total(2), hits: total(3), profile: c.sides[1].n});
  const each = () => c.done.each || (c.done.each = data.dims.map((d, k) => dimTally(c, k, true)));
  lazy("time", () => series(c));
  lazy("dims", () => Object.fromEntries(data.dims.map((d, k) => [d.key, facet(d, each()[k], s)])));
  if (data.score) lazy("score", () => binned(tally(c, coded(c, "score", sizes.score + 1, c.score, places(c, sizes.score)), bitScore)));
  lazy("signs", () => signs(c));
  const st = ["state", "proto", "service", "class"].map(dimAt).find(k => k >= 0);
  if (st !== undefined) lazy("status", () => statusOf(c, st));
  const x = numAt(s.x), y = numAt(s.y);
  if (x >= 0 && y >= 0) lazy("scatter", () => scatterOf(c, s, x, y), "scatter " + x + " " + y);
  lazy("numbers", () => correlations(c));
  lazy("spread", () => c.nums.map((codes, k) => binned(tally(c, coded(c, "num" + k, sizes.spread + 1, codes, places(c, sizes.spread))))));
  lazy("from", () => hosts(c, "src", "dst"));
  lazy("to", () => hosts(c, "dst", "src"));
  lazy("shift", () => data.profile ? shifts(each()) : null);
  lazy("flows", () => list(c, s, data.mark ? v.marked : kept), `flows ${s.sort} ${s.offset}`);
  const shown = range || [0, data.axis.bins];
  lazy("ahead", () => ({n: ahead(v.time.n, ...shown), ...(data.mark ? {m: ahead(v.time.m, ...shown)} : {})}));
  return v;
}

// series is the bins of time.
function series(c) {
  const b = data.axis.bins, {bin, nowhere} = c, [of] = c.sides, t = tally(c, coded(c, "bin", nowhere + 1, bin), bitTime);
  const out = {n: [...t.n.subarray(0, b)], m: [...t.m.subarray(0, b)]};
  for (const [name, key] of [["out", "bytes out"], ["in", "bytes in"]]) {
    const k = numAt(key);
    if (k < 0) continue;
    const values = bytes(c, k), all = "sums" + k;
    if (alone(c, bitTime)) {
      if (!c.places[all]) { const sum = c.places[all] = new Float64Array(nowhere + 1); for (let i = 0; i < c.own; i++) sum[bin[i]] += values[i]; }
      out[name] = [...c.places[all].subarray(0, b)];
      continue;
    }
    const sum = new Float64Array(nowhere + 1), {kept, n} = of, more = only(c, of, bitTime);
    for (let j = 0; j < n; j++) sum[bin[kept[j]]] += values[kept[j]];
    for (let j = 0; j < more.length; j++) sum[bin[more[j]]] += values[more[j]];
    out[name] = [...sum.subarray(0, b)];
  }
  if (data.profile && data.profile.days) out.p = zeros(b).map((_, k) => t.p[slot(k)] / data.profile.days);
  return out;
}

function signs(c) {
  const out = data.signs.map(name => ({name, n: 0, m: 0, p: 0}));
  if (!out.length) return out;
  const of = tally(c, coded(c, "sign", 256, c.sign), bitSign);
  for (let code = 1; code < 256; code++) out.forEach((o, k) => {
    if (code >> k & 1) { o.n += of.n[code]; o.m += of.m[code]; o.p += of.p[code]; }
  });
  return out;
}

// crossed codes flows by two bins, those that have no place as the last.
function crossed(c, name, size, of) {
  if (!c.coded[name]) {
    const cells = new Uint16Array(c.n).fill(size);
    for (let i = 0; i < c.own; i++) cells[i] = of(i);
    coded(c, name, size + 1, cells);
  }
  const t = tally(c, c.coded[name]);
  return {n: [...t.n.subarray(0, -1)], m: [...t.m.subarray(0, -1)]};
}

function statusOf(c, dim) {
  const {bin} = c, b = data.axis.bins, wide = Math.min(sizes.blocks, b), codes = c.dims[dim];
  let names = data.dims[dim].levels;
  if (names.length > sizes.rows) names = [...names.slice(0, sizes.rows), "(others)"];
  const last = names.length - 1, size = names.length * wide;
  return {rows: names, wide, ...crossed(c, "status", size, i => bin[i] === c.nowhere ? size : Math.min(codes[i], last) * wide + Math.floor(bin[i] * wide / b))};
}

function scatterOf(c, s, x, y) {
  const px = places(c, sizes.x), py = places(c, sizes.y), cx = c.nums[x], cy = c.nums[y], size = sizes.x * sizes.y;
  return {x: s.x, y: s.y, wide: sizes.x,
    ...crossed(c, `scatter ${x} ${y}`, size, i => cx[i] === NONE || cy[i] === NONE ? size : py[cy[i]] * sizes.x + px[cx[i]])};
}

// places is the bin of each code, of n bins; n of a missing one.
function places(c, n) {
  const name = "of " + n;
  if (!c.places[name]) {
    const out = c.places[name] = new Uint8Array(NONE + 1).fill(n);
    for (let code = 0; code < NONE; code++) out[code] = Math.floor(code * n / NONE);
  }
  return c.places[name];
}

// binned is counts without those of the missing, which come last.
const binned = t => ({n: [...t.n.subarray(0, -1)], m: [...t.m.subarray(0, -1)], p: [...t.p.subarray(0, -1)]});
