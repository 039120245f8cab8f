"""What a plain method reaches on the same rows: TF-IDF and logistic regression."""

from __future__ import annotations

import time
from collections.abc import Sequence

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from text_classification import data
from text_classification.preprocess import preprocess
from text_classification.training import log


def main() -> None:
    """Fit the baseline and print its accuracies."""
    started = time.monotonic()
    parts = data.split(data.load())
    model = make_pipeline(
        TfidfVectorizer(
            ngram_range=(1, 2), sublinear_tf=True, tokenizer=str.split, token_pattern=None
        ),
        LogisticRegression(C=30, max_iter=1000),
    )
    model.fit(*_texts_and_labels(parts.train))
    log(
        val_accuracy=model.score(*_texts_and_labels(parts.validation)),
        test_accuracy=model.score(*_texts_and_labels(parts.test)),
        seconds=time.monotonic() - started,
    )


def _texts_and_labels(rows: Sequence[data.Row]) -> tuple[list[str], list[str]]:
    return [preprocess(row.text) for row in rows], [row.label for row in rows]


if __name__ == "__main__":
    main()
