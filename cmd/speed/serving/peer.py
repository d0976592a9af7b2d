"""The peer of the service's load measurements: Flask with scikit-learn's isolation forest on NSL-KDD's 41 columns.

    gunicorn -w 2 --preload -b 127.0.0.1:8650 'peer:make("KDDTrain+.txt", "columns.json")'

columns.json is the list of the names of the 41 columns.
"""
import json

import numpy as np
from flask import Flask, jsonify, request
from sklearn.ensemble import IsolationForest

TEXT = (1, 2, 3)


def make(train, columns):
    names = json.load(open(columns))
    seen = {k: {} for k in TEXT}
    rows = []
    for line in open(train):
        row = line.strip().split(",")
        for k in TEXT:
            seen[k].setdefault(row[k], len(seen[k]))
        if row[41] == "normal" and len(rows) < 20000:
            rows.append(row)
    numbers = [i for i in range(41) if i not in TEXT]
    begin, width = {}, len(numbers)
    for k in TEXT:
        begin[k], width = width, width + len(seen[k])

    def vector(row):
        x = np.zeros(width, np.float32)
        for j, i in enumerate(numbers):
            x[j] = float(row[i])
        for k in TEXT:
            if row[k] in seen[k]:
                x[begin[k] + seen[k][row[k]]] = 1
        return x

    x = np.array([vector(r) for r in rows])
    low, span = x.min(0), x.max(0) - x.min(0)
    span[span == 0] = 1
    model = IsolationForest(n_estimators=100, max_samples=256, random_state=1).fit((x - low) / span)
    limit = np.quantile(-model.score_samples((x - low) / span), 0.99)
    app = Flask(__name__)

    @app.post("/predict")
    def predict():
        records = request.get_json()["records"]
        x = np.array([vector([r[n] for n in names]) for r in records])
        scores = -model.score_samples((x - low) / span)
        return jsonify(predictions=[{"score": float(v), "anomaly": bool(v > limit)} for v in scores])

    return app
