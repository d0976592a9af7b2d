"""Writes svm.json: margins of scikit-learn 1.2.1 (libsvm) on rows that the test makes again. Run with it."""
import json

import numpy as np
import sklearn
from sklearn.svm import SVC


def uniform(n, d, seed):
    """n×d numbers from 0 to 1 by a multiplicative hash of row, column and seed, in float32."""
    i = np.arange(n, dtype=np.uint64)[:, None]
    j = np.arange(d, dtype=np.uint64)[None, :]
    h = (i * np.uint64(2654435761) + j * np.uint64(40503) + np.uint64(seed)) & np.uint64(0xFFFFFFFF)
    for m in (0x45D9F3B, 0x45D9F3B):
        h = ((h ^ (h >> np.uint64(16))) * np.uint64(m)) & np.uint64(0xFFFFFFFF)
    return (h >> np.uint64(8)).astype(np.float32) / np.float32(1 << 24)


def rings(x):
    """Classes 0, 1, 2 by the distance from the middle, in three columns of many."""
    r = ((x[:, :3].astype(float) - 0.5) ** 2).sum(1)
    return np.where(r < 0.12, 0, np.where(r < 0.3, 1, 2))


n, d = 6000, 5
x, t = uniform(n, d, 1), uniform(200, d, 2)
y = rings(x)
flip = uniform(n, 1, 3)[:, 0] < 0.05  # noise: multipliers at their bounds
y = np.where(flip, (y + 1) % 3, y)
two = (y > 0).astype(int)
out = {"version": sklearn.__version__, "n": n, "d": d, "y": y.tolist()}
settings = {
    "two": dict(C=1.0, gamma="scale"),
    "balanced": dict(C=5.0, gamma=2.0, class_weight="balanced"),
    "narrow": dict(C=10.0, gamma=200.0),
}
for name, s in settings.items():
    m = SVC(tol=1e-6, cache_size=500, **s).fit(x.astype(float), two)
    out[name] = {"margins": m.decision_function(t.astype(float)).tolist(), "vectors": m.n_support_.tolist()}
out["rest"] = []  # one against the others
for k in range(3):
    m = SVC(tol=1e-6, cache_size=500, C=1.0, gamma="scale").fit(x.astype(float), (y == k).astype(int))
    out["rest"].append(m.decision_function(t.astype(float)).tolist())
json.dump(out, open("svm.json", "w"))
