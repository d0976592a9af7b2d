// Holt–Winters and the seasonal naive forecast as package forecast has them.

const normal95 = 1.959963984540054;

// smooth runs a model over counts, until its squared errors are above a limit.
function smooth(m, y, limit) {
  const {season, alpha, beta, gamma} = m, p = season.length;
  let {level, trend, at, squares} = m;
  for (let i = 0; i < y.length && squares <= limit; i++) {
    const e = y[i] - (level + trend + (p ? season[at] : 0));
    level += trend + alpha * e;
    trend += alpha * beta * e;
    if (p) { season[at] += gamma * e; if (++at === p) at = 0; }
    squares += e * e;
  }
  return Object.assign(m, {level, trend, at, squares, variance: squares / y.length});
}

const band = (mean, variance, z, f) => { const half = z * Math.sqrt(variance); f.mean.push(mean); f.low.push(mean - half); f.high.push(mean + half); };

function continued(m, h, z) {
  const f = {mean: [], low: [], high: []}, p = m.season.length;
  let sum = 1;
  for (let k = 1; k <= h; k++) {
    band(m.level + k * m.trend + (p ? m.season[(m.at + k - 1) % p] : 0), m.variance * sum, z, f);
    let c = m.alpha * (1 + m.beta * k);
    if (p && k % p === 0) c += m.gamma;
    sum += c * c;
  }
  return f;
}

function beginning(y, p, trend) {
  const m = {level: y[0], trend: 0, season: [], at: 0, squares: 0};
  if (p < 2) {
    if (trend) { m.trend = y[1] - y[0]; m.level -= m.trend; }
    return m;
  }
  let first = 0, second = 0;
  for (let i = 0; i < p; i++) { first += y[i] / p; second += y[i + p] / p; }
  m.level = first;
  if (trend) m.trend = (second - first) / p;
  for (let i = 0; i < p; i++) m.season.push(y[i] - first);
  return m;
}

function fitted(y, p) {
  if (y.length < Math.max(4, 2 * p + 2)) return null;
  const grid = [0.05, 0.2, 0.4, 0.6, 0.8];
  let out = null;
  for (const trend of [false, true]) {
    const free = [true, trend, p >= 2], values = k => free[k] ? grid : [0];
    const begun = beginning(y, p, trend);
    let best = null, at = null;
    const attempt = ([alpha, beta, gamma]) => smooth({...begun, season: begun.season.slice(), alpha, beta, gamma}, y, best ? best.squares : Infinity);
    for (const a of values(0)) for (const b of values(1)) for (const g of values(2)) {
      const m = attempt([a, b, g]);
      if (!best || m.squares < best.squares) { best = m; at = [a, b, g]; }
    }
    for (let step = 0.1; step > 0.001;) {
      let moved = false;
      for (let k = 0; k < 3; k++) for (const d of [-step, step]) {
        const q = [...at];
        q[k] = Math.min(1, Math.max(0, q[k] + d));
        if (!free[k] || q[k] === at[k]) continue;
        const m = attempt(q);
        if (m.squares < best.squares * (1 - 1e-9)) { best = m; at = q; moved = true; }
      }
      if (!moved) step /= 2;
    }
    if (!out || best.squares < out.squares * (1 - 1e-9)) out = best;
  }
  return out;
}

function naive(y, p, h, z) {
  if (y.length < p + 1) return null;
  let variance = 0;
  for (let i = p; i < y.length; i++) variance += (y[i] - y[i - p]) ** 2 / (y.length - p);
  const f = {mean: [], low: [], high: []};
  for (let k = 0; k < h; k++) band(y[y.length - p + k % p], variance * (Math.floor(k / p) + 1), z, f);
  return f;
}

function errors(f, actual) {
  const e = {mae: 0, rmse: 0, coverage: 0}, n = actual.length;
  actual.forEach((v, i) => {
    const d = v - f.mean[i];
    e.mae += Math.abs(d) / n;
    e.rmse += d * d / n;
    if (v >= f.low[i] && v <= f.high[i]) e.coverage += 1 / n;
  });
  e.rmse = Math.sqrt(e.rmse);
  return e;
}

function autocorrelation(y, lag) {
  const mean = y.reduce((a, v) => a + v / y.length, 0);
  let top = 0, below = 0;
  y.forEach((v, i) => { below += (v - mean) ** 2; if (i >= lag) top += (v - mean) * (y[i - lag] - mean); });
  return top / below;
}

function period(y) {
  if (data.axis.rows) return 1;
  for (const length of [7 * 86400000, 86400000, 3600000]) {
    const p = length / data.axis.step;
    if (p % 1 || p < 2 || p * 3 + 2 > y.length) continue;
    if (autocorrelation(y, p) > 0.2) return p;
  }
  return 1;
}

// ahead continues counts of bins.
function ahead(counts, from, to) {
  const n = to - from, y = counts.slice(from, to);
  if (n < 16) return null;
  const p = period(y), h = p < 2 ? Math.min(24, Math.max(4, Math.floor(n / 8))) : p, known = y.slice(0, n - h), held = y.slice(n - h);
  const tried = fitted(known, p), before = naive(known, p, h, normal95);
  if (!tried || !before) return null;
  const m = fitted(y, p);
  return {from, to, period: p, alpha: m.alpha, beta: m.beta, gamma: m.gamma, smooth: continued(m, h, normal95),
    naive: naive(y, p, h, normal95), held: h, level: 0.95,
    error: {smooth: errors(continued(tried, h, normal95), held), naive: errors(before, held)}};
}
