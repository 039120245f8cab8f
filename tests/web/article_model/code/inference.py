"""Handlers as the first article has them, on a model of a few words."""

import json
import math
from pathlib import Path


def model_fn(model_dir):
    print("loading the words")
    return json.loads(Path(model_dir, "words.json").read_text())


def input_fn(body, content_type):
    if content_type != "application/json":
        raise ValueError(f"this model reads application/json, not {content_type}")
    return [features[0] for features in json.loads(body)]


def predict_fn(texts, model):
    print(f"classifying {len(texts)} texts")
    return [classify(text, model) for text in texts]


def output_fn(predictions, accept):
    return json.dumps(predictions)


def classify(text, model):
    words = "".join(c if c.isalnum() else " " for c in text.lower()).split()
    weights = {label: 1.0 + sum(known.get(w, 0.0) for w in words) for label, known in model.items()}
    total = sum(math.exp(weight) for weight in weights.values())
    probabilities = {label: math.exp(weight) / total for label, weight in weights.items()}
    best = model[max(probabilities, key=probabilities.get)]
    return {
        "probabilities": probabilities,
        "top_n_grams": {str(n): strongest(words, n, best) for n in (2, 3, 4)},
    }


def strongest(words, n, known):
    windows = [words[i : i + n] for i in range(len(words) - n + 1)]
    return " ".join(max(windows, key=lambda ws: sum(known.get(w, 0.0) for w in ws), default=[]))
