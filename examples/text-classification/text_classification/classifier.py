"""A trained model and all that it needs to read a text: loaded from and saved to one folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

import torch

from text_classification.model import NO_WINDOW, SIZES, Shape, TextCNN
from text_classification.preprocess import preprocess
from text_classification.vocabulary import Vocabulary

WEIGHTS = "weights.pt"
DESCRIPTION = "model.json"
SHOWN_SIZES = (2, 3, 4)
_MOST_WORDS = 1000  # of a longer text the rest is not read
_BATCH = 64


class Prediction(TypedDict):
    """An answer; the classes are sorted, the most probable one first.

    An n-gram is "" if the text has fewer than n words.
    """

    raw_input: str
    preprocessed_input: str
    probabilities: dict[str, float]
    top_n_grams: dict[str, str]


class TextClassifier:
    """Tells of which class a text is, and by which phrases."""

    def __init__(self, model: TextCNN, vocabulary: Vocabulary, labels: Sequence[str]) -> None:
        self.model = model
        self.vocabulary = vocabulary
        self.labels = list(labels)
        self.device = next(model.parameters()).device

    @classmethod
    def load(cls, folder: Path) -> TextClassifier:
        """Return the classifier that `save` put into a folder."""
        description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        vocabulary = Vocabulary(description["words"], group_rows=description["group_rows"])
        labels = description["labels"]
        model = TextCNN(len(vocabulary), len(labels), Shape(**description["shape"]))
        weights = torch.load(folder / WEIGHTS, map_location="cpu", weights_only=True)
        model.load_state_dict(weights)
        return cls(model.to(best_device()).eval(), vocabulary, labels)

    def save(self, folder: Path) -> None:
        """Write the classifier into a folder, in formats that run no code when they are read."""
        weights = {name: tensor.cpu() for name, tensor in self.model.state_dict().items()}
        torch.save(weights, folder / WEIGHTS)
        description = {
            "labels": self.labels,
            "shape": self.model.shape._asdict(),
            "group_rows": self.vocabulary.group_rows,
            "words": self.vocabulary.words,
        }
        (folder / DESCRIPTION).write_text(json.dumps(description), encoding="utf-8")

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Return an answer for each text; one text's answer does not depend on the others."""
        answers: list[Prediction] = []
        for start in range(0, len(texts), _BATCH):
            answers += self._predict_batch(texts[start : start + _BATCH])
        return answers

    @torch.inference_mode()
    def _predict_batch(self, texts: Sequence[str]) -> list[Prediction]:
        preprocessed = [preprocess(text) for text in texts]
        words = [text.split()[:_MOST_WORDS] for text in preprocessed]
        batch = self.vocabulary.batch(words, min_length=max(SIZES))
        scores, windows = self.model.explain(batch.to(self.device))
        return [
            Prediction(
                raw_input=texts[row],
                preprocessed_input=preprocessed[row],
                probabilities=self._by_label(probabilities),
                top_n_grams={
                    str(size): _n_gram(words[row], windows[size][row], size) for size in SHOWN_SIZES
                },
            )
            for row, probabilities in enumerate(scores.softmax(1).tolist())
        ]

    def _by_label(self, probabilities: list[float]) -> dict[str, float]:
        pairs = zip(self.labels, probabilities, strict=True)
        return dict(sorted(pairs, key=lambda pair: pair[1], reverse=True))


def best_device() -> torch.device:
    """Return the GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _n_gram(words: Sequence[str], window: int, size: int) -> str:
    return "" if window == NO_WINDOW else " ".join(words[window : window + size])
