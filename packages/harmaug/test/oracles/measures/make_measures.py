"""Writes measures.json: self-BLEU by nltk and clusters by scikit-learn, of mild texts and random vectors.

    python make_measures.py        # needs nltk, scikit-learn, numpy
"""
import json
import random
from pathlib import Path

import nltk
import numpy as np
import sklearn
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from sklearn.cluster import DBSCAN

rng = random.Random(7)
WORDS = 'how do i prank my the a sister teacher with duck hat tea garden song quickly today please tell me'.split()


def sentence():
    return [rng.choice(WORDS) for _ in range(rng.randint(1, 14))]


def vary(words):
    words = list(words)
    for _ in range(rng.randint(0, 3)):
        words[rng.randrange(len(words))] = rng.choice(WORDS)
    return words


def self_bleu(texts):
    smoothing = SmoothingFunction().method1
    scores = [sentence_bleu(texts[:i] + texts[i + 1 :], text, smoothing_function=smoothing) for i, text in enumerate(texts)]
    return sum(scores) / len(scores)


random_texts = [sentence() for _ in range(25)]
texts = {
    'random': random_texts,
    'varied': [vary(rng.choice(random_texts[:5])) for _ in range(40)],
    'all the same': [['tell', 'me', 'a', 'song', 'please']] * 4,
    'nothing in common': [['duck', 'hat'], ['tea'], ['garden', 'song', 'today']],
    'short': [['tea'], ['tea'], ['hat', 'tea']],
}
bleu = [{'name': name, 'texts': [' '.join(t) for t in ts], 'selfBleu': self_bleu(ts)} for name, ts in texts.items()]

generator = np.random.default_rng(3)
clusters = []
for count, size, spread, epsilon, min_samples in [(120, 6, 0.15, 0.05, 4), (80, 4, 0.4, 0.1, 3), (60, 5, 1.0, 0.2, 2), (30, 3, 0.05, 0.01, 5), (20, 4, 1.0, 0.001, 2)]:
    centres = generator.normal(size=(6, size))
    rows = centres[generator.integers(0, 6, count)] + spread * generator.normal(size=(count, size))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    rows = np.round(rows.astype(np.float64), 4)
    labels = DBSCAN(eps=epsilon, min_samples=min_samples, metric='cosine').fit(rows).labels_
    clusters.append({'epsilon': epsilon, 'minSamples': min_samples, 'vectors': rows.tolist(), 'labels': labels.tolist()})

versions = {'nltk': nltk.__version__, 'scikit-learn': sklearn.__version__, 'numpy': np.__version__}
out = Path(__file__).parent / 'measures.json'
out.write_text(json.dumps({'versions': versions, 'selfBleu': bleu, 'dbscan': clusters}, separators=(',', ':')) + '\n')
print(versions, [round(b['selfBleu'], 4) for b in bleu], [max(c['labels']) + 1 for c in clusters])
