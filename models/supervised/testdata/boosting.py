"""Writes boosting.json: HistGradientBoostingClassifier of scikit-learn 1.2.1 on rows that lack values and have
categories."""
import json

import numpy as np
import sklearn
from sklearn.ensemble import HistGradientBoostingClassifier

r = np.random.default_rng(5)


def rows(n):
    a = np.round(r.normal(size=n), 3)
    b = np.round(r.exponential(size=n), 3)
    c = r.choice(14, size=n, p=np.array([8, 7, 6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 1, 0.5]) / 56.5).astype(float)
    d = r.integers(0, 5, size=n).astype(float)
    z = a + np.where(np.isin(c, [1, 4, 7, 11]), 1.5, -0.7) + np.where(d == 2, 1.2, 0) - 0.4 * b + r.normal(size=n) * 0.7
    b[r.random(n) < 0.15] = np.nan  # says nothing
    gone = (z > 0.8) & (r.random(n) < 0.4)
    a[gone] = np.nan  # says much
    d[(z < -1) & (r.random(n) < 0.3)] = np.nan
    return np.float32(np.c_[a, b, c, d]).astype(float), np.where(z > 1, 2, np.where(z > 0, 1, 0))


x, y3 = rows(700)
t, _ = rows(120)
x[x[:, 2] == 12, 2] = 13  # training does not have the category 12
y = (y3 > 0).astype(int)
full = ~np.isnan(x).any(axis=1)  # training without missing values, scored with them
how = dict(max_iter=15, max_leaf_nodes=8, min_samples_leaf=8, learning_rate=0.2, early_stopping=False)
fit = lambda categories, x, y: HistGradientBoostingClassifier(categorical_features=categories, **how).fit(x, y)
out = {
    "version": sklearn.__version__,
    "train": x.ravel().tolist(), "test": t.ravel().tolist(), "y": y3.tolist(),
    "numbers": fit(None, x, y).predict_proba(t)[:, 1].tolist(),
    "categories": fit([2, 3], x, y).predict_proba(t)[:, 1].tolist(),
    "full": fit([2, 3], x[full], y[full]).predict_proba(t)[:, 1].tolist(),
    "classes": fit([2, 3], x, y3).predict_proba(t).tolist(),
    "bins": HistGradientBoostingClassifier(categorical_features=[2, 3], max_bins=20, **how).fit(x, y).predict_proba(t)[:, 1].tolist(),
}
text = json.dumps(out).replace("NaN", "null")
open("boosting.json", "w").write(text)
