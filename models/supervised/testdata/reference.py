"""Writes reference.json: what scikit-learn gives on the rows of fixtures.json. Run with scikit-learn 1.2.1."""
import json

import numpy as np
import sklearn
from sklearn.calibration import _SigmoidCalibration
from sklearn.ensemble import AdaBoostClassifier
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

f = json.load(open("fixtures.json"))
x, t = np.float32(f["train"]).astype(float), np.float32(f["test"]).astype(float)
y = np.array(f["logreg"]["y"])
y3 = np.where(y == 0, 0, 1 + (np.arange(len(y)) % 2))  # benign and two classes of attacks
w = np.where(y == 0, len(y) / (2 * (y == 0).sum()), len(y) / (2 * (y == 1).sum()))
out = {"version": sklearn.__version__, "y3": y3.tolist()}
out["softmax"] = LogisticRegression(C=0.7, tol=1e-12, max_iter=10000, solver="newton-cg").fit(x, y3).predict_proba(t).tolist()
out["balanced_logistic"] = LogisticRegression(C=2.0, class_weight="balanced", tol=1e-12, solver="newton-cholesky").fit(x, y).predict_proba(t)[:, 1].tolist()
out["bayes"] = GaussianNB().fit(x, y3).predict_proba(t).tolist()
stump = DecisionTreeClassifier(max_depth=1)
ada = AdaBoostClassifier(estimator=stump, n_estimators=20, learning_rate=0.5, algorithm="SAMME").fit(x, y3)
out["adaboost"] = ada.predict_proba(t).tolist()
# of depth 3 no two columns tie, whose order is drawn
trees = [DecisionTreeClassifier(criterion="entropy", min_samples_leaf=3, max_depth=3, random_state=s).fit(x, y3).predict_proba(t) for s in range(20)]
assert all((p == trees[0]).all() for p in trees)
out["tree_entropy"] = trees[0].tolist()
from sklearn.ensemble import HistGradientBoostingClassifier

hist = dict(max_iter=12, max_leaf_nodes=6, min_samples_leaf=4, learning_rate=0.3, l2_regularization=0.5, early_stopping=False)
out["boosting"] = HistGradientBoostingClassifier(**hist).fit(x, y).predict_proba(t)[:, 1].tolist()
hist.update(max_iter=8, min_samples_leaf=9, l2_regularization=0, max_leaf_nodes=3)  # larger trees have ties
out["boosting3"] = HistGradientBoostingClassifier(**hist).fit(x, y3).predict_proba(t).tolist()
s = np.linspace(0, 1, len(y)) ** 2
p = _SigmoidCalibration().fit(s, y, w)
out["platt"] = [p.a_, p.b_]
iso = IsotonicRegression(out_of_bounds="clip", y_min=0, y_max=1).fit(s, y, w)
out["isotonic_at"] = np.linspace(-0.1, 1.1, 25).tolist()
out["isotonic"] = iso.predict(out["isotonic_at"]).tolist()
json.dump(out, open("reference.json", "w"))
