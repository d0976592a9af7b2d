"""Writes classification.json: what scikit-learn 1.2.1 says of class probabilities. Run with scikit-learn 1.2.1."""
import json

import numpy as np
import sklearn
from sklearn.metrics import balanced_accuracy_score, brier_score_loss, confusion_matrix, log_loss
from sklearn.metrics import precision_recall_fscore_support

rng = np.random.default_rng(7)
cases = []


def case(name, known, n, weights, sharp, ties=False):
    """n units of classes drawn by weights over known and further classes, with probabilities over the known ones."""
    classes = known + [f"new{i}" for i in range(len(weights) - len(known))]
    y = rng.choice(len(classes), n, p=weights)
    logits = rng.normal(size=(n, len(known)))
    for i, c in enumerate(y):
        if c < len(known):
            logits[i, c] += sharp
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    if ties:
        p = np.round(p * 4) / 4
        p[p.sum(1) == 0] = 1 / len(known)
        p /= p.sum(1, keepdims=True)
    called = np.argmax(p, 1)
    full = np.hstack([p, np.zeros((n, len(classes) - len(known)))])
    labels = list(range(len(classes)))
    attack = p[:, 1:].sum(1)
    # scikit-learn keeps probabilities eps of their type away from 0 and 1 when eps="auto"
    averages = {}
    for how in ("macro", "micro"):
        averages[how] = list(precision_recall_fscore_support(y, called, average=how, zero_division=0)[:3])
    per = precision_recall_fscore_support(y, called, labels=labels, zero_division=0)
    clipped = np.clip(attack, 0, 1)
    cases.append({
        "name": name, "known": known, "classes": classes, "y": y.tolist(), "p": p.tolist(),
        "confusion": confusion_matrix(y, called, labels=labels).tolist(),
        "precision": per[0].tolist(), "recall": per[1].tolist(), "f1": per[2].tolist(), "support": per[3].tolist(),
        "macro": averages["macro"], "micro": averages["micro"],
        "balanced_accuracy": balanced_accuracy_score(y, called),
        "brier": brier_score_loss(y > 0, clipped), "log_loss": log_loss(y > 0, clipped, labels=[0, 1], eps="auto"),
        "class_log_loss": log_loss(y, full, labels=labels, eps="auto"),
        "class_brier": float(np.mean(((full - np.eye(len(classes))[y]) ** 2).sum(1))),
    })


case("binary", ["benign", "attack"], 200, [0.6, 0.4], 1.0)
case("binary with ties", ["benign", "attack"], 120, [0.5, 0.5], 0.5, ties=True)
case("families", ["benign", "dos", "probe", "r2l"], 300, [0.5, 0.3, 0.15, 0.05], 1.5)
case("an unknown family", ["benign", "dos", "probe"], 150, [0.5, 0.2, 0.2, 0.1], 1.5)
case("an absent family", ["benign", "dos", "probe", "u2r"], 90, [0.6, 0.2, 0.2, 0.0], 0.8)
case("ties", ["benign", "dos", "probe", "u2r"], 90, [0.4, 0.2, 0.2, 0.2], 0.8, ties=True)
json.dump({"version": sklearn.__version__, "cases": cases}, open("classification.json", "w"))
