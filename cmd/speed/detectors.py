#!/usr/bin/python3
"""Time a scikit-learn estimator on one workload of the speed command; prints seconds by the clock for fit and score,
CPU seconds of all threads for both, the largest resident memory in MB and the AUROC.

usage: detectors.py DIR '{"name": ..., "model": ..., "d": ..., "labels": ...}'

OpenBLAS 0.3.21 takes newer CPUs for a Prescott (SSE3 kernels): OPENBLAS_CORETYPE is set from the CPU's flags. Waiting
threads sleep and do not spin, so that CPU time is work.
"""
import json
import os
import resource
import sys
import time

env = {"OMP_WAIT_POLICY": "PASSIVE"}
flags = open("/proc/cpuinfo").read()
if "avx512vl" in flags:
    env["OPENBLAS_CORETYPE"] = "SkylakeX"
elif "avx2" in flags:
    env["OPENBLAS_CORETYPE"] = "Haswell"
os.environ.update(env)

import numpy as np  # noqa: E402
from sklearn.metrics import roc_auc_score  # noqa: E402

folder, w = sys.argv[1], json.loads(sys.argv[2])
jobs = os.cpu_count()


def rows(part):
    x = np.fromfile(f"{folder}/{w['name']}_{part}.f32", dtype="<f4").astype(np.float64).reshape(-1, w["d"])
    return x, np.fromfile(f"{folder}/{w['name']}_{part}.u8", dtype="u1")


def decision(m, x):
    return -m.decision_function(x)


def probability(m, x):
    return m.predict_proba(x)[:, 1]


def estimator(model):
    """an unfitted estimator and what scores rows by it"""
    if model == "ocsvm":
        from sklearn.svm import OneClassSVM
        # scale_std, of scikit-learn 0.20.0 to 0.20.2
        gamma = 1 / (w["d"] * x.std()) if "narrow" in w["name"] else "scale"
        return OneClassSVM(nu=0.1, gamma=gamma), decision
    if model == "iforest":
        from sklearn.ensemble import IsolationForest
        return IsolationForest(contamination=0.01, random_state=1, n_jobs=jobs), decision
    if model == "lof":
        from sklearn.neighbors import LocalOutlierFactor
        return LocalOutlierFactor(n_neighbors=20, novelty=True, n_jobs=jobs), decision
    if model == "kde":
        from sklearn.neighbors import KernelDensity
        return KernelDensity(bandwidth=1.0), lambda m, x: -m.score_samples(x)
    if model == "kmeans":
        from sklearn.cluster import KMeans
        return KMeans(n_clusters=8, n_init=10, random_state=1), lambda m, x: m.transform(x).min(1)
    if model == "dbscan":
        from sklearn.cluster import DBSCAN
        return DBSCAN(eps=1.0, min_samples=5, n_jobs=jobs), None
    if model == "pca":
        from sklearn.decomposition import PCA

        def residual(m, x):
            return ((x - m.inverse_transform(m.transform(x))) ** 2).sum(1)

        return PCA(n_components=0.95, svd_solver="full"), residual
    if model == "mahalanobis":
        from sklearn.covariance import EmpiricalCovariance
        return EmpiricalCovariance(), lambda m, x: m.mahalanobis(x)
    if model == "random_forest":
        from sklearn.ensemble import RandomForestClassifier
        return RandomForestClassifier(100, random_state=1, n_jobs=jobs), probability
    if model == "boosting":
        from sklearn.ensemble import HistGradientBoostingClassifier
        return HistGradientBoostingClassifier(early_stopping=False), probability
    if model == "mlp":
        from sklearn.neural_network import MLPClassifier
        return MLPClassifier((64, 32), alpha=0, batch_size=200, max_iter=20, tol=0, n_iter_no_change=20,
                             random_state=1), probability
    if model == "svm":
        from sklearn.svm import SVC
        return SVC(), lambda m, x: m.decision_function(x)
    raise SystemExit("no peer for " + model)


x, y = rows("train")
z, attack = rows("test")
m, judge = estimator(w["model"])
wall, cpu, area = [], [], float("nan")
t, c = time.perf_counter(), time.process_time()
m = m.fit(x, y) if w["labels"] else m.fit(x)
wall.append(time.perf_counter() - t)
cpu.append(time.process_time() - c)
if judge is None:
    wall.append(float("nan"))
    cpu.append(float("nan"))
else:
    t, c = time.perf_counter(), time.process_time()
    scores = judge(m, z)
    wall.append(time.perf_counter() - t)
    cpu.append(time.process_time() - c)
    area = roc_auc_score(attack, scores)
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
print(*["%.6f" % v for v in wall + cpu], "%.1f" % memory, "%.6f" % area)
