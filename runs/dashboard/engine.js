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
  c.mark = c.flag.map(f => f & 1);
  c.miss = new Uint16Array(n); // a bit for each filter that a flow does not pass
  c.set = {}; // what the filters of these bits say
  c.sides = [side(0, c.own), side(c.own, n)]; // the flows, and those of the profile
  c.coded = {};
  c.places = {};
  c.measured = [...c.nums, ...(data.score ? [c.score] : [])];
  c.whole = new Uint8Array(c.own).fill(1); // of flows with all numbers
  for (const v of c.measured) for (let i = 0; i < c.own; i++) if (v[i] === NONE) c.whole[i] = 0;
  for (const value of Object.values(count(c, fresh()))) void value; // so that a filter finds the sums of all flows there
  return columns = c;
}

const dimAt = key => data.dims.findIndex(d => d.key === key);
const numAt = key => data.nums.findIndex(d => d.key === key);
const edge = bin => data.axis.start + bin * data.axis.step;
const binAt = at => Math.floor((at - data.axis.start) / data.axis.step);
const day = () => data.axis.rows || 86400000 % data.axis.step ? 0 : 86400000 / data.axis.step;
const slot = bin => ((Math.floor(edge(bin) / data.axis.step) % day()) + day()) % day();
const zeros = n => new Array(n).fill(0);

// bins is the filter of time in bins, or null.
function bins(s) {
  if (!s.time) return null;
  const last = edge(data.axis.bins);
  return [binAt(Math.min(Math.max(s.time[0], data.axis.start), last - 1)), binAt(Math.min(Math.max(s.time[1], data.axis.start + 1), last) - 1) + 1];
}

// side is some of the flows: the places of those that pass all filters, n of them, and of the others.
const side = (from, to) => ({from, to, kept: new Int32Array(to - from), lost: new Int32Array(to - from), n: 0, only: {}});

// filters are what a state asks of flows, by their bits: a text that says what, and what marks the flows that fail.
function filters(c, s) {
  const out = {}, {miss, bin, flag, sign, score, own, n} = c, range = bins(s), at = data.signs.indexOf(s.sign);
  if (range) {
    const [a, b] = range, open = new Uint8Array(c.nowhere + 1), days = data.profile && data.profile.days;
    for (let k = a; k < b; k++) open[k] = 1;
    const slots = new Uint8Array(c.nowhere + 1);
    if (days) for (let k = a; k < b; k++) slots[slot(k)] = 1;
    out[bitTime] = [a + "," + b, bit => {
      for (let i = 0; i < own; i++) if (!open[bin[i]]) miss[i] |= bit;
      if (days) for (let i = own; i < n; i++) if (!slots[bin[i]]) miss[i] |= bit;
    }];
  }
  if (s.score && data.score) {
    const low = s.score[0] == null ? 0 : codeOf(data.score.scale, s.score[0]), missing = low > 0 || s.score[1] != null;
    const high = s.score[1] == null ? NONE - 1 : Math.min(NONE - 1, codeOf(data.score.scale, s.score[1]));
    out[bitScore] = [low + "," + high + missing, bit => {
      for (let i = 0; i < n; i++) { const v = score[i]; if (v < low || v > high && (missing || v !== NONE)) miss[i] |= bit; }
    }];
  }
  if (s.mark) {
    const want = s.mark === "yes" ? 1 : 0;
    out[bitMark] = [s.mark, bit => { for (let i = 0; i < own; i++) if ((flag[i] & 1) !== want) miss[i] |= bit; }];
  }
  if (at >= 0) out[bitSign] = [s.sign, bit => { for (let i = 0; i < n; i++) if (!(sign[i] >> at & 1)) miss[i] |= bit; }];
  data.dims.forEach((d, k) => {
    const want = s.levels[d.key], codes = c.dims[k];
    if (!want) return;
    const open = new Uint8Array(d.levels.length);
    d.levels.forEach((text, i) => { if (want.includes(text)) open[i] = 1; });
    out[1 << firstDim + k] = [JSON.stringify(want), bit => { for (let i = 0; i < n; i++) if (!open[codes[i]]) miss[i] |= bit; }];
  });
  return out;
}

// filter finds the flows that pass the filters of a state. Only filters that are new or say something else are tried.
function filter(c, s) {
  const wanted = filters(c, s), {miss} = c;
  let fresh = !c.done;
  for (const bit of new Set([...Object.keys(c.set), ...Object.keys(wanted)])) {
    const [says, fails] = wanted[bit] || [];
    if (c.set[bit] === says) continue;
    fresh = true;
    const rest = ~bit;
    if (c.set[bit] !== undefined) for (let i = 0; i < miss.length; i++) miss[i] &= rest;
    c.set[bit] = says;
    if (fails) fails(+bit);
    else delete c.set[bit];
  }
  if (!fresh) return;
  c.done = {}; // what was counted of these filters
  for (const of of c.sides) {
    const {from, to, kept, lost} = of;
    let k = 0;
    for (let i = from, j = 0; i < to; i++, j++) {
      kept[k] = i;
      lost[j - k] = i;
      k += miss[i] - 1 >>> 31; // 1 where no bit is set
    }
    of.n = k;
    of.only = {};
  }
}

// alone says that there are no filters but one, which may be missing too.
const alone = (c, bit) => Object.keys(c.set).every(set => +set === bit);

// only is the flows of a side that fail one filter and pass the others.
function only(c, of, bit) {
  if (!of.only[bit]) {
    const {lost, from, to, n} = of, {miss} = c, m = c.set[bit] === undefined ? 0 : to - from - n, out = new Int32Array(m);
    let k = 0;
    for (let j = 0; j < m; j++) if (miss[lost[j]] === bit) out[k++] = lost[j];
    of.only[bit] = out.subarray(0, k);
  }
  return of.only[bit];
}

// coded is what a chart counts: of each flow twice its bin, and one more where it is marked.
function coded(c, name, size, codes, bin) {
  if (!c.coded[name]) {
    const {n, mark} = c, out = new (size > 32768 ? Uint32Array : size > 128 ? Uint16Array : Uint8Array)(n);
    if (bin) for (let i = 0; i < n; i++) out[i] = 2 * bin[codes[i]] + mark[i];
    else for (let i = 0; i < n; i++) out[i] = 2 * codes[i] + mark[i];
    c.coded[name] = {codes: out, size, all: []};
  }
  return c.coded[name];
}

// counted is how many flows of a side have which code: of those that pass all filters but the chart's own. Where most
// pass, the others are taken away from the counts of all.
function counted(c, k, it, own) {
  const {codes, all, size} = it, of = c.sides[k], {kept, lost, from, to, n} = of, m = to - from - n, less = alone(c, own) || m < n;
  if (less && !all[k]) { all[k] = new Int32Array(2 * size); for (let i = from; i < to; i++) all[k][codes[i]]++; }
  const out = less ? all[k].slice() : new Int32Array(2 * size);
  if (alone(c, own)) return out;
  if (less) for (let j = 0; j < m; j++) out[codes[lost[j]]]--;
  else for (let j = 0; j < n; j++) out[codes[kept[j]]]++;
  const more = own ? only(c, of, own) : [];
  for (let j = 0; j < more.length; j++) out[codes[more[j]]]++;
  return out;
}

// tally is the counts of a chart: of flows, of marked ones among them and of the profile's.
function tally(c, it, own) {
  const {size} = it, two = counted(c, 0, it, own), old = c.own < c.n ? counted(c, 1, it, own) : null;
  const out = {n: new Int32Array(size), m: new Int32Array(size), p: new Int32Array(size)};
  for (let v = 0; v < size; v++) {
    out.n[v] = two[2 * v] + two[2 * v + 1];
    out.m[v] = two[2 * v + 1];
    if (old) out.p[v] = old[2 * v] + old[2 * v + 1];
  }
  return out;
}
