#!/usr/bin/env python3
"""Writes reference.json: what other implementations say of the cases of reference_test.go.

Debian 12: NumPy 1.24.2, SciPy 1.10.1, scikit-learn 1.2.1, statsmodels 0.13.5, R 4.2.2 with pROC 1.18.0.
Run in this folder: python3 reference.py > reference.json
"""
import itertools, json, subprocess
import numpy as np, scipy.stats as st
from sklearn import metrics as sk
from statsmodels.stats.multitest import multipletests

rng = np.random.default_rng(20261127)

def normal(n, share, shift, digits):
    y = (rng.random(n) < share).astype(int)
    y[:2] = 1, 0
    return np.round(rng.normal(size=n) + shift * y, digits), y

def ranking(name, s, y):
    fpr, tpr, at = sk.roc_curve(y, s, drop_intermediate=False)
    prec, rec, pat = sk.precision_recall_curve(y, s)
    out = dict(name=name, score=s.tolist(), attack=[bool(v) for v in y], auroc=sk.roc_auc_score(y, s),
               ap=sk.average_precision_score(y, s), trapezoid=sk.auc(rec, prec),
               fpr=fpr.tolist()[1:], tpr=tpr.tolist()[1:], roc_at=at.tolist()[1:],
               precision=prec.tolist(), recall=rec.tolist(), pr_at=pat.tolist(),
               fpr_at_95tpr=float(fpr[np.argmax(tpr >= 0.95)]),
               tpr_at={str(f): float(tpr[fpr <= f].max()) for f in (0.001, 0.01, 0.1, 0.3)},
               partial={})
    for f in (0.01, 0.1, 0.3):  # undo McClish's rescaling
        mc = sk.roc_auc_score(y, s, max_fpr=f)
        low = f * f / 2
        out["partial"][str(f)] = float(((2 * mc - 1) * (f - low) + low) / f)
    with np.errstate(invalid="ignore"):
        f1 = np.nan_to_num(2 * prec * rec / (prec + rec))
    out["oracle_f1"] = float(f1.max())
    t = float(np.quantile(s, 0.6))
    flag = (s > t).astype(int)
    tn, fp, fn, tp = sk.confusion_matrix(y, flag).ravel()
    out["threshold"] = dict(at=t, confusion=[int(v) for v in (tp, fp, tn, fn)], accuracy=sk.accuracy_score(y, flag),
                            balanced=sk.balanced_accuracy_score(y, flag), precision=sk.precision_score(y, flag),
                            recall=sk.recall_score(y, flag), f1=sk.f1_score(y, flag), mcc=sk.matthews_corrcoef(y, flag))
    p = 1 / (1 + np.exp(-s))
    out["brier"], out["log_loss"] = sk.brier_score_loss(y, p), sk.log_loss(y, p)
    return out

rankings = [ranking("continuous", *normal(60, 0.4, 1, 6)), ranking("ties", *normal(90, 0.5, 1, 0)),
            ranking("rare", *normal(400, 0.02, 2, 2)), ranking("common", *normal(120, 0.9, 0.5, 1)),
            ranking("inverted", *normal(50, 0.5, -2, 3))]
y = np.array([0] * 10 + [1] * 10)
rankings.append(ranking("separated", np.arange(20.0), y))

def r(code):
    return subprocess.run(["Rscript", "-e", code], capture_output=True, text=True, check=True).stdout.split()

def delong(name, a, b, y):
    v = lambda x: "c(" + ",".join(repr(float(e)) for e in x) + ")"
    out = r(f"""suppressMessages(library(pROC)); y <- {v(y)}
a <- roc(y, {v(a)}, levels=c(0,1), direction="<"); b <- roc(y, {v(b)}, levels=c(0,1), direction="<")
t <- roc.test(a, b, method="delong", paired=TRUE)
cat(sprintf("%.17g ", c(auc(a), auc(b), t$p.value, t$conf.int[1:2], sqrt(var(a, method="delong")), sqrt(var(b, method="delong")))))""")
    k = [float(v) for v in out]
    return dict(name=name, a=[float(v) for v in a], b=[float(v) for v in b], attack=[bool(v) for v in y],
                auroc=k[:2], p=k[2], interval=k[3:5], se=k[5:7])

def pair(n, share, digits):
    y = (rng.random(n) < share).astype(int)
    y[:4] = 1, 1, 0, 0
    common = rng.normal(size=n)
    a = np.round(common + rng.normal(size=n) * 0.7 + 1.2 * y, digits)
    return a, np.round(common + rng.normal(size=n) * 0.9 + 0.8 * y, digits), y

delongs = [delong("continuous", *pair(70, 0.4, 9)), delong("ties", *pair(120, 0.3, 0)), delong("rare", *pair(300, 0.02, 2))]

def wilcoxon(name, a, b, **how):
    t = st.wilcoxon(a, b, **how)
    return dict(name=name, a=a.tolist(), b=b.tolist(), statistic=float(t.statistic), p=float(t.pvalue))

def wilcoxon_ties(a, b):  # all signs of the differences that are not 0
    d = a - b
    d = d[d != 0]
    rank = st.rankdata(abs(d))
    smaller = lambda sign: min(rank[sign > 0].sum(), rank[sign < 0].sum())
    w = smaller(np.sign(d))
    all_of = [smaller(np.array(s)) for s in itertools.product((-1, 1), repeat=len(d))]
    return dict(name="exact, ties and zeros", a=a.tolist(), b=b.tolist(), statistic=w,
                p=float(np.mean(np.array(all_of) <= w + 1e-9)))

x = lambda n: rng.random(n).round(6)
tied = lambda n: rng.integers(0, 6, n) / 4
wilcoxons = [wilcoxon("exact, 6", x(6) + 0.4, x(6), method="exact"), wilcoxon("exact, 21", x(21) + 0.1, x(21), method="exact"),
             wilcoxon("exact, 48", x(48), x(48) + 0.06, method="exact"), wilcoxon_ties(tied(13) + 0.5, tied(13)),
             wilcoxon("normal, 75", x(75) + 0.1, x(75), method="approx", correction=False),
             wilcoxon("normal, ties and zeros", tied(140) + 0.25, tied(140), method="approx", correction=False)]

holms = []
for n in (1, 4, 15):
    p = rng.random(n) ** 3
    p[n // 2] = p[0]
    holms.append(dict(p=p.tolist(), adjusted=multipletests(p, method="holm")[1].tolist()))

def friedman(name, value):
    chi, p = st.friedmanchisquare(*value.T)
    n, k = value.shape
    f = (n - 1) * chi / (n * (k - 1) - chi)
    mean = np.mean([st.rankdata(-row) for row in value], axis=0)
    return dict(name=name, value=value.tolist(), mean=mean.tolist(), chi=float(chi), p=float(p), f=float(f),
                f_p=float(st.f.sf(f, k - 1, (k - 1) * (n - 1))),
                cd=float(st.studentized_range.ppf(0.95, k, np.inf) / np.sqrt(2) * np.sqrt(k * (k + 1) / (6 * n))))

friedmans = [friedman("continuous", rng.random((14, 4)) + [0, 0.2, 0.1, 0.3]),
             friedman("ties", (rng.random((20, 6)) + np.arange(6) / 6).round(1)), friedman("three", rng.random((12, 3)).round(3))]

pots = []
for shape, n, q in ((0.3, 4000, 0.001), (0.0, 3000, 0.002), (-0.2, 5000, 0.0005)):
    s = np.sort(st.genpareto.rvs(shape, scale=2, size=n, random_state=rng).round(5))
    t = np.quantile(s, 0.98)
    y = (s[s > t] - t)
    best = None
    for start in (-0.3, -0.1, 0.1, 0.4):
        c, _, scale = st.genpareto.fit(y, start, floc=0)
        nll = -st.genpareto.logpdf(y, c, 0, scale).sum()
        if np.isfinite(nll) and (best is None or nll < best[0]):
            best = nll, c, scale
    nll, c, scale = best
    pots.append(dict(n=n, q=q, largest=s[s > t].tolist(), level=float(t), shape=float(c), scale=float(scale), nll=float(nll),
                     threshold=float(t + st.genpareto.isf(q * n / len(y), c, scale=scale))))

rule = rng.gamma(2, 1, 37).round(4)
rules = dict(score=rule.tolist(), mean_sd_2=float(rule.mean() + 2 * rule.std(ddof=1)),
             mad_3=float(np.median(rule) + 3 * 1.4826 * st.median_abs_deviation(rule)),
             iqr_15=float(np.quantile(rule, 0.75) + 1.5 * st.iqr(rule)), quantile_9=float(np.quantile(rule, 0.9)),
             gaussian_01=float(st.norm.isf(0.01, rule.mean(), rule.std(ddof=1))))

def resample(s, y, k=40000):
    pos, neg = s[y == 1], s[y == 0]
    roc, ap = [], []
    lab = np.r_[np.ones(len(pos)), np.zeros(len(neg))]
    for _ in range(k):
        v = np.r_[rng.choice(pos, len(pos)), rng.choice(neg, len(neg))]
        roc.append((st.rankdata(v)[:len(pos)].sum() - len(pos) * (len(pos) + 1) / 2) / len(pos) / len(neg))
        if len(ap) < 8000:
            ap.append(sk.average_precision_score(lab, v))
    return dict(score=s.tolist(), attack=[bool(v) for v in y], auroc=np.quantile(roc, (0.025, 0.975)).tolist(),
                ap=np.quantile(ap, (0.025, 0.975)).tolist(), auroc_se=float(np.std(roc)), ap_se=float(np.std(ap)))

s, y = normal(300, 0.3, 1, 2)
bootstrap = resample(s, y)

repeats = []
for v in ([0.91, 0.93, 0.905, 0.96], [0.475, 0.637], [0.999, 0.9985, 0.9999, 0.9971, 0.9992]):
    n, m, se = len(v), np.mean(v), st.sem(v)
    plain = st.t.interval(0.95, n - 1, loc=m, scale=se)
    logit = st.t.interval(0.95, n - 1, loc=np.log(m / (1 - m)), scale=se / m / (1 - m))
    log = st.t.interval(0.95, n - 1, loc=np.log(m), scale=se / m)
    repeats.append(dict(value=v, mean=m, sd=float(np.std(v, ddof=1)), plain=list(plain), share=[float(1 / (1 + np.exp(-z))) for z in logit],
                        positive=[float(np.exp(z)) for z in log]))

rng = np.random.default_rng(20261128)
s, y = normal(200, 0.4, 1, 1)
kind = np.where(y == 1, rng.integers(1, 4, 200), 0)  # three attack classes, class 0 is benign
part = rng.integers(0, 3, 200)
part[(part == 2) & (y == 0)] = 0  # the last cluster holds attacks alone
at = 1.0
classes = [dict(samples=int((kind == k).sum()), recall=float((s[kind == k] > at).mean()),
                auroc=sk.roc_auc_score(y[(y == 0) | (kind == k)], s[(y == 0) | (kind == k)])) for k in (1, 2, 3)]
both = [0, 1]
size = np.array([(part == k).sum() for k in both])
roc = np.array([sk.roc_auc_score(y[part == k], s[part == k]) for k in both])
ap = np.array([sk.average_precision_score(y[part == k], s[part == k]) for k in both])
groups = dict(score=s.tolist(), attack=[bool(v) for v in y], kind=kind.tolist(), part=part.tolist(), at=at, classes=classes,
              roc=roc.tolist(), ap=ap.tolist(), weighted_roc=float(np.average(roc, weights=size)),
              weighted_ap=float(np.average(ap, weights=size)), zero_filled=float((roc * size).sum() / 200))

json.dump(dict(groups=groups, rankings=rankings, delong=delongs, wilcoxon=wilcoxons, holm=holms, friedman=friedmans, pot=pots, rules=rules,
               bootstrap=bootstrap, repeats=repeats), __import__("sys").stdout)
