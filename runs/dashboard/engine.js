// Counting in the browser what View counts in Go: the same numbers for the same flows and filters.

const NONE = 65535, NOWHERE = 0xffffffff, bitTime = 1, bitScore = 2, bitMark = 4, bitSign = 8, firstDim = 4;
const sizes = {score: 64, blocks: 24, x: 48, y: 32, levels: 12, hosts: 8, rows: 8, shifts: 15, page: 50};
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
  for (let i = 0; i < n; i++) c.bin[i] = c.at[i] === NOWHERE ? NONE : i < c.own ? Math.floor(c.at[i] / step) : c.at[i];
  c.values = data.nums.map(d => {
    const out = new Float64Array(NONE + 1);
    for (let k = 0; k < NONE; k++) out[k] = valueOf(d.scale, k);
    return out;
  });
  c.miss = new Uint32Array(n);
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
    for (let i = 0; i < own; i++) if (c.bin[i] === NONE || c.bin[i] < a || c.bin[i] >= b) miss[i] |= bitTime;
    if (data.profile && data.profile.days) {
      const open = new Uint8Array(NONE + 1);
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

// tally counts codes of the flows that pass all filters but one's own.
function tally(c, codes, size, but) {
  const {miss, flag, own, n} = c, out = {n: new Int32Array(size), m: new Int32Array(size), p: new Int32Array(size)};
  for (let i = 0; i < own; i++) if (!(miss[i] & ~but)) { out.n[codes[i]]++; out.m[codes[i]] += flag[i] & 1; }
  for (let i = own; i < n; i++) if (!(miss[i] & ~but)) out.p[codes[i]]++;
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
  const names = data.dims[k].levels, codes = c.dims[k], t = tally(c, codes, names.length, 0), at = [];
  for (let i = 0; i < names.length; i++) if (t.n[i]) at.push(i);
  at.sort(compares((a, b) => t.m[b] - t.m[a], (a, b) => t.n[b] - t.n[a], (a, b) => a - b));
  const rank = new Int8Array(names.length).fill(-1), out = at.slice(0, sizes.hosts).map((i, r) => {
    rank[i] = r;
    return {name: names[i], n: t.n[i], m: t.m[i], p: 0, peers: 0, services: 0, out: 0, in: 0};
  });
  const seen = dim => out.map(() => dim < 0 ? null : new Uint8Array(data.dims[dim].levels.length));
  const p = dimAt(peer), s = dimAt("service"), peers = seen(p), services = seen(s), up = numAt("bytes out"), down = numAt("bytes in");
  for (let i = 0; i < c.own; i++) {
    const r = c.miss[i] ? -1 : rank[codes[i]];
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
  const cols = data.nums.map((d, i) => c.nums[i]), keys = data.nums.map(d => d.title);
  if (data.score) { cols.push(c.score); keys.push("score"); }
  const k = cols.length;
  if (k < 2) return null;
  const sums = new Float64Array(k), products = new Float64Array(k * k), v = new Float64Array(k);
  let n = 0;
  next: for (let i = 0; i < c.own; i++) {
    if (c.miss[i]) continue;
    for (let j = 0; j < k; j++) { if (cols[j][i] === NONE) continue next; v[j] = cols[j][i] / NONE; }
    n++;
    for (let a = 0; a < k; a++) { sums[a] += v[a]; for (let b = a; b < k; b++) products[a * k + b] += v[a] * v[b]; }
  }
  const r = [], cov = (a, b) => products[a * k + b] - sums[a] * sums[b] / n;
  for (let i = 0; i < k; i++) for (let j = 0; j < k; j++) {
    const va = cov(i, i), vb = cov(j, j);
    r.push(va > 1e-9 * n && vb > 1e-9 * n ? cov(Math.min(i, j), Math.max(i, j)) / Math.sqrt(va * vb) : -2);
  }
  return {keys, n, r};
}

// list is a page of the marked flows that are kept, of all kept ones where nothing is ever marked.
function list(c, s) {
  const wanted = i => !c.miss[i] && (!data.mark || c.flag[i] & 1), from = s.offset || 0, found = [];
  let total = 0;
  if (s.sort === "time" || !data.score) {
    for (let i = c.own - 1; i >= 0; i--) if (wanted(i)) { if (total >= from && found.length < sizes.page) found.push(i); total++; }
    return {total, rows: found.map(i => record(c, i))};
  }
  const rank = i => c.score[i] === NONE ? 0 : c.score[i] + 1, count = new Int32Array(NONE + 1);
  for (let i = 0; i < c.own; i++) if (wanted(i)) { count[rank(i)]++; total++; }
  let limit = NONE, above = 0;
  for (; limit > 0 && above + count[limit] < from + sizes.page; limit--) above += count[limit];
  for (let i = 0; i < c.own; i++) if (wanted(i) && rank(i) >= limit) found.push(i);
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

// count is the view of a state.
function count(c, s) {
  misses(c, s);
  const {miss, own, n, flag} = c, b = data.axis.bins;
  const v = {kept: 0, of: own, marked: 0, attacks: 0, hits: 0, profile: 0, dims: {}, signs: [], ahead: {}};
  for (let i = 0; i < own; i++) if (!miss[i]) {
    v.kept++;
    v.marked += flag[i] & 1;
    if (flag[i] & 2) { v.attacks++; v.hits += flag[i] & 1; }
  }
  for (let i = own; i < n; i++) if (!miss[i]) v.profile++;
  const t = tally(c, c.bin, NONE + 1, bitTime);
  v.time = {n: [...t.n.subarray(0, b)], m: [...t.m.subarray(0, b)]};
  for (const [name, key] of [["out", "bytes out"], ["in", "bytes in"]]) {
    const k = numAt(key);
    if (k < 0) continue;
    const sum = new Float64Array(NONE + 1);
    for (let i = 0; i < own; i++) if (!(miss[i] & ~bitTime)) sum[c.bin[i]] += c.values[k][c.nums[k][i]];
    v.time[name] = [...sum.subarray(0, b)];
  }
  if (data.profile && data.profile.days) v.time.p = zeros(b).map((_, k) => t.p[slot(k)] / data.profile.days);
  const tallies = data.dims.map((d, k) => tally(c, c.dims[k], d.levels.length, 1 << firstDim + k));
  data.dims.forEach((d, k) => { v.dims[d.key] = facet(d, tallies[k], s); });
  if (data.score) {
    v.score = {n: zeros(sizes.score), m: zeros(sizes.score), p: zeros(sizes.score)};
    for (let i = 0; i < n; i++) if (!(miss[i] & ~bitScore) && c.score[i] !== NONE) {
      const k = Math.floor(c.score[i] * sizes.score / NONE);
      if (i < own) { v.score.n[k]++; v.score.m[k] += flag[i] & 1; } else v.score.p[k]++;
    }
  }
  v.signs = data.signs.map(name => ({name, n: 0, m: 0, p: 0}));
  if (data.signs.length) for (let i = 0; i < n; i++) if (c.sign[i] && !(miss[i] & ~bitSign)) {
    for (let k = 0; k < data.signs.length; k++) if (c.sign[i] >> k & 1) {
      if (i < own) { v.signs[k].n++; v.signs[k].m += flag[i] & 1; } else v.signs[k].p++;
    }
  }
  const st = ["state", "proto", "service", "class"].map(dimAt).find(k => k >= 0);
  if (st !== undefined) {
    let rows = data.dims[st].levels;
    if (rows.length > sizes.rows) rows = [...rows.slice(0, sizes.rows), "(others)"];
    const wide = Math.min(sizes.blocks, b), h = {rows, wide, n: zeros(rows.length * wide), m: zeros(rows.length * wide)}, codes = c.dims[st];
    for (let i = 0; i < own; i++) if (!miss[i] && c.bin[i] !== NONE) {
      const at = Math.min(codes[i], rows.length - 1) * wide + Math.floor(c.bin[i] * wide / b);
      h.n[at]++;
      h.m[at] += flag[i] & 1;
    }
    v.status = h;
  }
  const x = numAt(s.x), y = numAt(s.y);
  if (x >= 0 && y >= 0) {
    const h = {x: s.x, y: s.y, wide: sizes.x, n: zeros(sizes.x * sizes.y), m: zeros(sizes.x * sizes.y)}, cx = c.nums[x], cy = c.nums[y];
    for (let i = 0; i < own; i++) if (!miss[i] && cx[i] !== NONE && cy[i] !== NONE) {
      const at = Math.floor(cy[i] * sizes.y / NONE) * sizes.x + Math.floor(cx[i] * sizes.x / NONE);
      h.n[at]++;
      h.m[at] += flag[i] & 1;
    }
    v.scatter = h;
  }
  v.numbers = correlations(c);
  v.from = hosts(c, "src", "dst");
  v.to = hosts(c, "dst", "src");
  v.shift = data.profile ? shifts(tallies) : null;
  v.flows = list(c, s);
  const range = bins(s) || [0, b];
  v.ahead.n = ahead(v.time.n, ...range);
  if (data.mark) v.ahead.m = ahead(v.time.m, ...range);
  return v;
}
