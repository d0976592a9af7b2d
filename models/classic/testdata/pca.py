"""Writes pca.json: squared residuals of the rows below from the right singular vectors of the training rows.

python3 pca.py > pca.json (Python 3.11.2, numpy 1.24.2). The vectors come from a singular value decomposition of the
rows, and the residuals from a least-squares fit of each row: no covariance is made, and no eigenvalue is sought.
"""
import json

import numpy as np

D = 12


def row(i, odd):
    """Three hidden numbers, spread over the columns, and a little of its own for each column."""
    hidden = [((i * (2 * k + 3) * 37 + 11 * k) % 101) / 101 for k in range(3)]
    out = []
    for j in range(D):
        v = ((i * 31 + j * 17 + i * j) % 29) / 58 * (j + 1) / 6
        for k in range(3):
            v += hidden[k] * ((j * (k + 5)) % 7 - 3)
        if odd and i % 3 == j % 3:
            v = 2 * v + 1
        out.append(v)
    return out


train = np.array([row(i, False) for i in range(300)], dtype=np.float32).astype(np.float64)
test = np.array([row(i, True) for i in range(300, 340)], dtype=np.float32).astype(np.float64)
mean = train.mean(axis=0)
_, s, vt = np.linalg.svd(train - mean, full_matrices=False)
share = np.cumsum(s**2) / np.sum(s**2)
out = {}
for name, k in [("0.9", 1 + int(np.argmax(share > 0.9))), ("0.95", 1 + int(np.argmax(share > 0.95))),
                ("0.999", 1 + int(np.argmax(share > 0.999))), ("1", 1), ("5", 5), ("11", 11)]:
    v = vt[:k].T
    z = (test - mean).T
    rest = z - v @ np.linalg.lstsq(v, z, rcond=None)[0]
    out[name] = {"k": k, "scores": [float("%.14g" % x) for x in (rest**2).sum(axis=0)]}
print(json.dumps(out))
