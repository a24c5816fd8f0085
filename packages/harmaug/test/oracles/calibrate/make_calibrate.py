"""Writes calibrate.json: temperatures by SciPy, thresholds by scikit-learn, Wilson's intervals by statsmodels' formula in SciPy.

    python make_calibrate.py        # needs scipy, scikit-learn, numpy
"""
import json
from pathlib import Path

import numpy as np
import scipy
import sklearn
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest
from sklearn.metrics import roc_curve

rng = np.random.default_rng(5)
temperatures = []
for count, scale, noise in [(300, 3.0, 1.0), (200, 0.2, 1.0), (500, 6.0, 3.0), (40, 1.0, 0.5), (100, 2.0, 10.0)]:
    truth = rng.normal(size=count)
    labels = (truth + noise * 0.3 * rng.normal(size=count) > 0.3).astype(int)
    margins = np.round(scale * truth + 0.2, 6)
    nll = lambda log_t: np.mean(np.logaddexp(0, margins / np.exp(log_t)) - labels * margins / np.exp(log_t))  # noqa: E731
    found = minimize_scalar(nll, bounds=(np.log(1e-3), np.log(1e3)), method='bounded', options={'xatol': 1e-12})
    temperatures.append({'margins': margins.tolist(), 'labels': labels.tolist(), 'temperature': float(np.exp(found.x))})

thresholds = []
for count, decimals, wanted in [(200, 3, 0.05), (200, 1, 0.1), (1000, 4, 0.01), (50, 2, 0.5), (30, 2, 0.0)]:
    labels = rng.integers(0, 2, count)
    scores = np.round(np.clip(0.5 + 0.25 * (labels - 0.5) + 0.25 * rng.normal(size=count), 0, 1), decimals)
    fpr, tpr, at = roc_curve(labels, scores, drop_intermediate=False)
    best = np.flatnonzero(fpr <= wanted + 1e-12)[-1]
    interval = binomtest(int(round(fpr[best] * (labels == 0).sum())), int((labels == 0).sum())).proportion_ci(method='wilson')
    row = {'fpr': fpr[best], 'recall': tpr[best], 'low': interval.low, 'high': interval.high, 'lowest': min(float(at[best]), 2.0)}
    thresholds.append({'wanted': wanted, 'scores': scores.tolist(), 'labels': labels.tolist(), **{k: float(v) for k, v in row.items()}})

versions = {'scipy': scipy.__version__, 'scikit-learn': sklearn.__version__, 'numpy': np.__version__}
out = Path(__file__).parent / 'calibrate.json'
out.write_text(json.dumps({'versions': versions, 'temperatures': temperatures, 'thresholds': thresholds}, separators=(',', ':')) + '\n')
print(versions, [round(t['temperature'], 4) for t in temperatures], [(t['wanted'], round(t['fpr'], 4), t['lowest']) for t in thresholds])
