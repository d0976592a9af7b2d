"""Writes tsne.json: a table, and the divergence that scikit-learn 1.2.1's TSNE reaches on it."""
import json

import numpy as np
import sklearn
from sklearn.manifold import TSNE

r = np.random.default_rng(3)
centres = r.normal(size=(5, 6)) * 4
x = np.float32(np.round(np.concatenate([c + r.normal(size=(40, 6)) * s for c, s in zip(centres, [0.5, 1, 1, 1.5, 2])]), 3))
kl = {}
for perplexity in (10, 30):
    t = TSNE(perplexity=perplexity, init="pca", learning_rate="auto", method="exact", random_state=0).fit(x.astype(float))
    b = TSNE(perplexity=perplexity, init="pca", learning_rate="auto", random_state=0).fit(x.astype(float))
    kl[str(perplexity)] = {"exact": float(t.kl_divergence_), "barnes_hut": float(b.kl_divergence_)}
json.dump({"version": sklearn.__version__, "x": x.ravel().tolist(), "kl": kl}, open("tsne.json", "w"))
print(kl)
