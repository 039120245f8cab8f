"""What the classifier answers, and that it answers each text for itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from text_classification.classifier import TextClassifier
from text_classification.model import NO_WINDOW, SIZES, Pooled, Shape, TextCNN
from text_classification.preprocess import preprocess
from text_classification.vocabulary import Vocabulary

TEXTS = [
    "The tennis match.",
    "",
    "law",
    "The president of the parliament signed the new treaty on the last day of a war in this year",
    "match!",
    "Ein Spiel in Köln, 東京の試合, матч",
    "next week the coach",
]


@pytest.fixture(scope="module")
def classifier(model_dir: Path) -> TextClassifier:
    return TextClassifier.load(model_dir)


def test_a_text_gets_the_same_answer_alone_and_in_company(classifier: TextClassifier) -> None:
    together = classifier.predict(TEXTS)
    for text, found in zip(TEXTS, together, strict=True):
        (alone,) = classifier.predict([text])
        assert found["probabilities"] == pytest.approx(alone["probabilities"], abs=1e-6)
        assert found["top_n_grams"] == alone["top_n_grams"]


def test_the_answers_of_many_texts_come_in_their_order(classifier: TextClassifier) -> None:
    texts = [f"text number {number}" for number in range(200)]
    assert [found["raw_input"] for found in classifier.predict(texts)] == texts


def test_no_texts_get_no_answers(classifier: TextClassifier) -> None:
    assert classifier.predict([]) == []


def test_n_grams_are_phrases_of_their_length_from_the_text(classifier: TextClassifier) -> None:
    for found in classifier.predict(TEXTS):
        length = len(found["preprocessed_input"].split())
        for size, n_gram in found["top_n_grams"].items():
            assert len(n_gram.split()) == (int(size) if length >= int(size) else 0)
            assert f" {n_gram} " in f" {found['preprocessed_input']} " or not n_gram


def test_probabilities_are_sorted_and_add_up_to_one(classifier: TextClassifier) -> None:
    for found in classifier.predict(TEXTS):
        values = list(found["probabilities"].values())
        assert values == sorted(values, reverse=True)
        assert sum(values) == pytest.approx(1, abs=1e-5)
        assert set(found["probabilities"]) == {"Sports", "World"}


def test_it_has_learned_the_classes(classifier: TextClassifier) -> None:
    sports, world = classifier.predict(["A tennis tournament!", "The minister signed a treaty."])
    assert next(iter(sports["probabilities"])) == "Sports"
    assert next(iter(world["probabilities"])) == "World"


def test_a_word_that_was_never_seen_is_read_by_its_letters(classifier: TextClassifier) -> None:
    (found,) = classifier.predict(["tournaments"])
    assert next(iter(found["probabilities"])) == "Sports"


@pytest.mark.parametrize("text", ["a" * 100_000, "tennis " * 20_000, "\ud800 \x00 \u0301", "🎾🎾"])
def test_odd_texts_are_answered(classifier: TextClassifier, text: str) -> None:
    (found,) = classifier.predict([text])
    assert found["raw_input"] == text
    assert sum(found["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_a_saved_classifier_is_loaded_as_it_was(classifier: TextClassifier, tmp_path: Path) -> None:
    classifier.save(tmp_path)
    assert TextClassifier.load(tmp_path).predict(TEXTS) == classifier.predict(TEXTS)


@torch.no_grad()
def test_the_named_window_is_the_one_that_adds_most_to_the_score() -> None:
    torch.manual_seed(3)
    vocabulary = Vocabulary(["a", "b", "c", "d", "e", "f"], group_rows=64)
    model = TextCNN(len(vocabulary), 3, Shape(dimensions=8, filters=6)).eval()
    words = ["a", "b", "c", "d", "e", "f", "a", "c"]
    batch = vocabulary.batch([words, ["a", "b"]], min_length=max(SIZES))
    scores, windows = model.explain(batch)
    pooled = model.pool(batch)
    label = int(scores[0].argmax())
    weights = model.linear.weight[label].chunk(len(SIZES))
    for size, found, weight in zip(SIZES, pooled, weights, strict=True):
        shares = _shares(found, weight)
        assert windows[size][0] == max(shares, key=shares.__getitem__)
    everything = sum(sum(_shares(f, w).values()) for f, w in zip(pooled, weights, strict=True))
    assert everything + float(model.linear.bias[label]) == pytest.approx(float(scores[0, label]))
    assert (windows[3][1], windows[4][1]) == (NO_WINDOW, NO_WINDOW)


def _shares(pooled: Pooled, weight: torch.Tensor) -> dict[int, float]:
    """Each window's share in the first text's score, one filter after the other."""
    shares = dict.fromkeys(range(int(pooled.valid[0].sum())), 0.0)
    for value, window, factor in zip(pooled.values[0], pooled.windows[0], weight, strict=True):
        shares[int(window)] += float(value * factor)
    return shares


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "The Wimbledon tennis tournament starts next week!",
            "the wimbledon tennis tournament starts next week",
        ),
        ("  It\u2019s GREAT --\n\tisn't it? ", "it\u2019s great isn't it"),
        ("Köln's \uff26\uff35\uff2c\uff2c_width 3.5", "köln's full width 3 5"),
        (":-)", ""),
    ],
)
def test_a_text_becomes_its_words_in_lower_case(text: str, words: str) -> None:
    assert preprocess(text) == words


def test_preprocessing_twice_changes_nothing() -> None:
    for text in TEXTS:
        assert preprocess(preprocess(text)) == preprocess(text)
        assert re.fullmatch(r"\S+( \S+)*|", preprocess(text))
