"""Writes neighbours.json: k nearest neighbours of scikit-learn 1.2.1 on the rows of fixtures.json. Run with it."""
import json

import numpy as np
import sklearn
from sklearn.neighbors import KNeighborsClassifier

f = json.load(open("fixtures.json"))
x, t = np.float32(f["train"]).astype(float), np.float32(f["test"]).astype(float)
t = np.vstack([t, x[:3]])  # three rows that are training rows
y = np.array(f["logreg"]["y"])
y3 = np.where(y == 0, 0, 1 + (np.arange(len(y)) % 2))
out = {"version": sklearn.__version__}
for how in ("uniform", "distance"):
    m = KNeighborsClassifier(7, weights=how, algorithm="brute").fit(x, y3)
    out[how] = m.predict_proba(t).tolist()
json.dump(out, open("neighbours.json", "w"))
