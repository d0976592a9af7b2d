// Counting in the browser what View counts in Go: the same numbers for the same flows and filters.

const NONE = 65535, NOWHERE = 0xffffffff, bitTime = 1, bitScore = 2, bitMark = 4, bitSign = 8, firstDim = 4;
const sizes = {score: 64, blocks: 24, x: 48, y: 32, spread: 32, levels: 12, hosts: 8, rows: 8, shifts: 15, page: 30};
let columns = null;

// unzip is the bytes of a block.
async function unzip(text) {
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
}

// column puts the planes of bytes of n numbers together.
function column(bytes, from, n, width) {
  if (width === 1) return bytes.subarray(from, from + n);
  const out = width === 2 ? new Uint16Array(n) : new Uint32Array(n);
  for (let k = 0; k < width; k++) {
    const at = from + k * n, shift = 8 * k;
    for (let i = 0; i < n; i++) out[i] |= bytes[at + i] << shift;
  }
  return out;
}

const signedLog = v => Math.sign(v) * Math.log1p(Math.abs(v));
const codeOf = (s, v) => Math.min(NONE - 1, Math.max(0, Math.round((signedLog(v) - s.low) / (s.high - s.low) * (NONE - 1))));
function valueOf(s, code) {
  if (code === NONE) return null;
  const t = s.low + code / (NONE - 1) * (s.high - s.low);
  return Math.sign(t) * Math.expm1(Math.abs(t));
}

// load decodes the flows.
async function load() {
  if (columns) return columns;
  const bytes = await unzip(data.block), n = data.rows, c = {n, own: n - (data.profile ? data.profile.n : 0), dims: [], nums: []};
  let at = 0;
  for (const [name, width] of data.layout) {
    const v = column(bytes, at, n, width);
    at += n * width;
    if (name === "dim" || name === "num") c[name + "s"].push(v);
    else c[name] = v;
  }
  for (let i = 1; i < n; i++) c.at[i] = c.at[i] + c.at[i - 1];
  c.bin = new Uint16Array(n);
  const step = data.axis.step / data.unit;
  c.nowhere = Math.max(data.axis.bins, day());
  for (let i = 0; i < n; i++) c.bin[i] = c.at[i] === NOWHERE ? c.nowhere : i < c.own ? Math.floor(c.at[i] / step) : c.at[i];
  c.values = data.nums.map(d => {
    const out = new Float64Array(NONE + 1);
    for (let k = 0; k < NONE; k++) out[k] = valueOf(d.scale, k);
    return out;
  });
  c.miss = new Uint32Array(n);
  c.room = new Int32Array(n);
  c.scratch = [];
  c.mark = c.flag.map(f => f & 1);
  c.places = Object.fromEntries(["x", "y", "score", "spread"].map(name => [name, places(sizes[name])]));
  c.open = c.nums.length + (data.score ? 1 : 0) > 1 ? new Uint8Array(c.own).fill(1) : null; // of flows with all numbers
  for (const v of [...c.nums, ...(data.score ? [c.score] : [])]) if (c.open) for (let i = 0; i < c.own; i++) if (v[i] === NONE) c.open[i] = 0;
  return columns = c;
}

const dimAt = key => data.dims.findIndex(d => d.key === key);
const numAt = key => data.nums.findIndex(d => d.key === key);
const edge = bin => data.axis.start + bin * data.axis.step;
const binAt = at => Math.floor((at - data.axis.start) / data.axis.step);
const day = () => data.axis.rows || 86400000 % data.axis.step ? 0 : 86400000 / data.axis.step;
const slot = bin => ((Math.floor(edge(bin) / data.axis.step) % day()) + day()) % day();
const compares = (...keys) => (a, b) => { for (const k of keys) { const d = k(a, b); if (d) return d; } return 0; };
const zeros = n => new Array(n).fill(0);

// bins is the filter of time in bins, or null.
function bins(s) {
  if (!s.time) return null;
  const last = edge(data.axis.bins);
  return [binAt(Math.min(Math.max(s.time[0], data.axis.start), last - 1)), binAt(Math.min(Math.max(s.time[1], data.axis.start + 1), last) - 1) + 1];
}

// misses marks for each flow the filters that it does not pass.
function misses(c, s) {
  const miss = c.miss.fill(0), {n, own} = c, range = bins(s);
  if (range) {
    const [a, b] = range;
    for (let i = 0; i < own; i++) if (c.bin[i] < a || c.bin[i] >= b) miss[i] |= bitTime;
    if (data.profile && data.profile.days) {
      const open = new Uint8Array(c.nowhere + 1);
      for (let k = a; k < b; k++) open[slot(k)] = 1;
      for (let i = own; i < n; i++) if (!open[c.bin[i]]) miss[i] |= bitTime;
    }
  }
  if (s.score && data.score) {
    const low = s.score[0] == null ? 0 : codeOf(data.score.scale, s.score[0]);
    const high = s.score[1] == null ? NONE : codeOf(data.score.scale, s.score[1]);
    for (let i = 0; i < n; i++) {
      const v = c.score[i];
      if (v < low || v > high || v === NONE && (low > 0 || high < NONE)) miss[i] |= bitScore;
    }
  }
  if (s.mark) {
    const want = s.mark === "yes" ? 1 : 0;
    for (let i = 0; i < own; i++) if ((c.flag[i] & 1) !== want) miss[i] |= bitMark;
  }
  const sign = data.signs.indexOf(s.sign);
  if (sign >= 0) for (let i = 0; i < n; i++) if (!(c.sign[i] >> sign & 1)) miss[i] |= bitSign;
  data.dims.forEach((d, k) => {
    const want = s.levels[d.key];
    if (!want) return;
    const open = new Uint8Array(d.levels.length), codes = c.dims[k], bit = 1 << firstDim + k;
    d.levels.forEach((text, i) => { if (want.includes(text)) open[i] = 1; });
    for (let i = 0; i < n; i++) if (!open[codes[i]]) miss[i] |= bit;
  });
  return miss;
}

// passing is the places of the flows that pass all filters, and how many of them are no profile's.
function passing(c) {
  const {miss, own, n, room} = c;
  let k = 0;
  for (let i = 0; i < own; i++) if (!miss[i]) room[k++] = i;
  c.kept = k;
  for (let i = own; i < n; i++) if (!miss[i]) room[k++] = i;
  c.rows = room.subarray(0, k);
}

// tally counts codes of the flows that pass all filters but one's own, which is on where it has a filter. lut says which
// bin a code is in.
function tally(c, codes, size, but, on, lut) {
  const {miss, mark, own, n, rows, kept} = c, two = new Int32Array(2 * size), p = new Int32Array(size);
  if (on) {
    for (let i = 0; i < own; i++) if (!(miss[i] & ~but)) two[2 * (lut ? lut[codes[i]] : codes[i]) + mark[i]]++;
    for (let i = own; i < n; i++) if (!(miss[i] & ~but)) p[lut ? lut[codes[i]] : codes[i]]++;
  } else if (lut) {
    for (let k = 0; k < kept; k++) { const i = rows[k]; two[2 * lut[codes[i]] + mark[i]]++; }
    for (let k = kept; k < rows.length; k++) p[lut[codes[rows[k]]]]++;
  } else {
    for (let k = 0; k < kept; k++) { const i = rows[k]; two[2 * codes[i] + mark[i]]++; }
    for (let k = kept; k < rows.length; k++) p[codes[rows[k]]]++;
  }
  const out = {n: new Int32Array(size), m: new Int32Array(size), p};
  for (let v = 0; v < size; v++) { out.n[v] = two[2 * v] + two[2 * v + 1]; out.m[v] = two[2 * v + 1]; }
  return out;
}

function facet(d, t, s) {
  const out = {levels: 0, n: 0, p: 0, top: []}, at = [], hosts = ["src", "dst", "country"].includes(d.key);
  for (let i = 0; i < d.levels.length; i++) {
    if (t.n[i]) { out.levels++; at.push(i); }
    out.n += t.n[i];
    out.p += t.p[i];
  }
  at.sort(compares((a, b) => hosts ? t.m[b] - t.m[a] : 0, (a, b) => t.n[b] - t.n[a], (a, b) => a - b));
  const top = at.slice(0, d.key === "country" ? at.length : sizes.levels);
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
    if (d.key === "class") return;
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

// hosts are those with the most marked flows and then the most flows, and what they did.
function hosts(c, key, peer) {
  const k = dimAt(key);
  if (k < 0) return [];
  const names = data.dims[k].levels, codes = c.dims[k], t = tally(c, codes, names.length, 0, false), at = [];
  for (let i = 0; i < names.length; i++) if (t.n[i]) at.push(i);
  at.sort(compares((a, b) => t.m[b] - t.m[a], (a, b) => t.n[b] - t.n[a], (a, b) => a - b));
  const rank = new Int8Array(names.length).fill(-1), out = at.slice(0, sizes.hosts).map((i, r) => {
    rank[i] = r;
    return {name: names[i], n: t.n[i], m: t.m[i], p: 0, peers: 0, services: 0, out: 0, in: 0};
  });
  const seen = dim => out.map(() => dim < 0 ? null : new Uint8Array(data.dims[dim].levels.length));
  const p = dimAt(peer), s = dimAt("service"), peers = seen(p), services = seen(s), up = numAt("bytes out"), down = numAt("bytes in");
  for (let j = 0; j < c.kept; j++) {
    const i = c.rows[j], r = rank[codes[i]];
    if (r < 0) continue;
    const h = out[r];
    if (p >= 0 && !peers[r][c.dims[p][i]]) { peers[r][c.dims[p][i]] = 1; h.peers++; }
    if (s >= 0 && !services[r][c.dims[s][i]]) { services[r][c.dims[s][i]] = 1; h.services++; }
    if (up >= 0) h.out += c.values[up][c.nums[up][i]];
    if (down >= 0) h.in += c.values[down][c.nums[down][i]];
  }
  return out;
}

function correlations(c) {
  const cols = [...c.nums], keys = data.nums.map(d => d.title);
  if (data.score) { cols.push(c.score); keys.push("score"); }
  const k = cols.length;
  if (k < 2) return null;
  const sums = new Float64Array(k), products = new Float64Array(k * k), {rows, kept, open} = c, whole = c.whole || (c.whole = new Int32Array(c.own + 1));
  let n = 0;
  for (let j = 0; j < kept; j++) { whole[n] = rows[j]; n += open[rows[j]]; }
  const values = cols.map((v, q) => {
    const out = c.scratch[q] || (c.scratch[q] = new Float64Array(c.own));
    let sum = 0;
    for (let j = 0; j < n; j++) { const x = v[whole[j]]; sum += x; out[j] = x; }
    sums[q] = sum;
    return out;
  });
  for (let a = 0; a < k; a++) for (let b = a; b < k; b++) {
    const x = values[a], y = values[b];
    let sum = 0;
    for (let i = 0; i < n; i++) sum += x[i] * y[i];
    products[a * k + b] = sum;
  }
  const r = [], cov = (a, b) => products[a * k + b] - sums[a] * sums[b] / n;
  for (let i = 0; i < k; i++) for (let j = 0; j < k; j++) {
    const va = cov(i, i), vb = cov(j, j);
    r.push(va > n && vb > n ? cov(Math.min(i, j), Math.max(i, j)) / Math.sqrt(va * vb) : -2);
  }
  return {keys, n, r};
}

// list is a page of the marked flows that are kept, of all kept ones where nothing is ever marked.
function list(c, s) {
  const wanted = i => !data.mark || c.flag[i] & 1, from = s.offset || 0, found = [];
  let total = 0;
  if (s.sort === "time" || !data.score) {
    for (let j = c.kept - 1; j >= 0; j--) if (wanted(c.rows[j])) { const i = c.rows[j]; if (total >= from && found.length < sizes.page) found.push(i); total++; }
    return {total, rows: found.map(i => record(c, i))};
  }
  const rank = i => c.score[i] === NONE ? 0 : c.score[i] + 1, count = new Int32Array(NONE + 1);
  for (let j = 0; j < c.kept; j++) { const i = c.rows[j]; if (wanted(i)) { count[rank(i)]++; total++; } }
  let limit = NONE, above = 0;
  for (; limit > 0 && above + count[limit] < from + sizes.page; limit--) above += count[limit];
  for (let j = 0; j < c.kept; j++) { const i = c.rows[j]; if (wanted(i) && rank(i) >= limit) found.push(i); }
  found.sort((a, b) => rank(b) - rank(a) || a - b);
  return {total, rows: found.slice(from, from + sizes.page).map(i => record(c, i))};
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

// count is the view of a state. What is not asked for is not counted; what is, while the state is the last one.
function count(c, s) {
  misses(c, s);
  passing(c);
  c.state = s;
  const v = {}, lazy = (name, make) => Object.defineProperty(v, name, {enumerable: true, configurable: true, get() {
    if (c.state !== s) { misses(c, s); passing(c); c.state = s; }
    const value = make();
    Object.defineProperty(v, name, {enumerable: true, value});
    return value;
  }});
  const {own, flag, rows, kept} = c, range = bins(s);
  Object.assign(v, {kept, of: own, marked: 0, attacks: 0, hits: 0, profile: rows.length - kept});
  for (let k = 0; k < kept; k++) {
    const f = flag[rows[k]];
    v.marked += f & 1;
    if (f & 2) { v.attacks++; v.hits += f & 1; }
  }
  let tallies = null;
  const each = () => tallies || (tallies = data.dims.map((d, k) => tally(c, c.dims[k], d.levels.length, 1 << firstDim + k, s.levels[d.key])));
  v.time = series(c, range);
  lazy("dims", () => Object.fromEntries(data.dims.map((d, k) => [d.key, facet(d, each()[k], s)])));
  if (data.score) lazy("score", () => binned(tally(c, c.score, sizes.score + 1, bitScore, s.score, c.places.score)));
  lazy("signs", () => signs(c, s));
  const st = ["state", "proto", "service", "class"].map(dimAt).find(k => k >= 0);
  if (st !== undefined) lazy("status", () => statusOf(c, st));
  const x = numAt(s.x), y = numAt(s.y);
  if (x >= 0 && y >= 0) lazy("scatter", () => scatterOf(c, s, c.nums[x], c.nums[y]));
  lazy("numbers", () => correlations(c));
  lazy("spread", () => c.nums.map(codes => binned(tally(c, codes, sizes.spread + 1, 0, false, c.places.spread))));
  lazy("from", () => hosts(c, "src", "dst"));
  lazy("to", () => hosts(c, "dst", "src"));
  lazy("shift", () => data.profile ? shifts(each()) : null);
  lazy("flows", () => list(c, s));
  const shown = range || [0, data.axis.bins];
  lazy("ahead", () => ({n: ahead(v.time.n, ...shown), ...(data.mark ? {m: ahead(v.time.m, ...shown)} : {})}));
  return v;
}

// series is the bins of time.
function series(c, range) {
  const {miss, own, rows, kept} = c, b = data.axis.bins, t = tally(c, c.bin, c.nowhere + 1, bitTime, range);
  const out = {n: [...t.n.subarray(0, b)], m: [...t.m.subarray(0, b)]};
  for (const [name, key] of [["out", "bytes out"], ["in", "bytes in"]]) {
    const k = numAt(key);
    if (k < 0) continue;
    const sum = new Float64Array(c.nowhere + 1), codes = c.nums[k], values = c.values[k];
    if (range) { for (let i = 0; i < own; i++) if (!(miss[i] & ~bitTime)) sum[c.bin[i]] += values[codes[i]]; }
    else for (let j = 0; j < kept; j++) sum[c.bin[rows[j]]] += values[codes[rows[j]]];
    out[name] = [...sum.subarray(0, b)];
  }
  if (data.profile && data.profile.days) out.p = zeros(b).map((_, k) => t.p[slot(k)] / data.profile.days);
  return out;
}

function signs(c, s) {
  const out = data.signs.map(name => ({name, n: 0, m: 0, p: 0}));
  if (!out.length) return out;
  const of = tally(c, c.sign, 256, bitSign, s.sign);
  for (let code = 1; code < 256; code++) out.forEach((o, k) => {
    if (code >> k & 1) { o.n += of.n[code]; o.m += of.m[code]; o.p += of.p[code]; }
  });
  return out;
}

function statusOf(c, dim) {
  const {mark, rows, kept, bin} = c, b = data.axis.bins, wide = Math.min(sizes.blocks, b), codes = c.dims[dim], at = new Uint8Array(c.nowhere + 1);
  let names = data.dims[dim].levels;
  if (names.length > sizes.rows) names = [...names.slice(0, sizes.rows), "(others)"];
  const last = names.length - 1, h = grid(names.length * wide);
  for (let k = 0; k < b; k++) at[k] = Math.floor(k * wide / b);
  for (let j = 0; j < kept; j++) {
    const i = rows[j];
    if (bin[i] !== c.nowhere) { const k = Math.min(codes[i], last) * wide + at[bin[i]]; h.n[k]++; h.m[k] += mark[i]; }
  }
  return {rows: names, wide, n: [...h.n], m: [...h.m]};
}

function scatterOf(c, s, cx, cy) {
  const {mark, rows, kept} = c, h = grid(sizes.x * sizes.y), {x: px, y: py} = c.places;
  for (let j = 0; j < kept; j++) {
    const i = rows[j], a = cx[i], d = cy[i];
    if (a !== NONE && d !== NONE) { const k = py[d] * sizes.x + px[a]; h.n[k]++; h.m[k] += mark[i]; }
  }
  return {x: s.x, y: s.y, wide: sizes.x, n: [...h.n], m: [...h.m]};
}

const grid = n => ({n: new Int32Array(n), m: new Int32Array(n)});

// places is the bin of each code, of n bins; n of a missing one.
function places(n) {
  const out = new Uint8Array(NONE + 1).fill(n);
  for (let code = 0; code < NONE; code++) out[code] = Math.floor(code * n / NONE);
  return out;
}

// binned is counts without those of the missing, which come last.
const binned = t => ({n: [...t.n.subarray(0, -1)], m: [...t.m.subarray(0, -1)], p: [...t.p.subarray(0, -1)]});
