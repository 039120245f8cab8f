"""Phrases in the text that was sent: found whatever preprocessing made of them, or listed."""

from __future__ import annotations

import pytest

from sagelet.web.results.chain import view_of
from sagelet.web.results.grams import Grams
from sagelet.web.results.grams import grams as marked
from sagelet.web.results.inputs import sent_rows
from sagelet.web.results.rows import Rows

TEXT = "The Wimbledon tennis tournament starts next week!"


def covered(found: Grams) -> list[tuple[str, tuple[str, ...]]]:
    """Return the parts of the text that phrases cover."""
    return [(piece.text, piece.sizes) for piece in found.pieces if piece.sizes]


def test_phrases_are_underlined_whatever_their_case_and_the_text_is_whole() -> None:
    found = marked(TEXT, [("2", "STARTS NEXT"), ("3", "wimbledon, tennis: tournament")], ["2", "3"])
    assert covered(found) == [("Wimbledon tennis tournament", ("3",)), ("starts next", ("2",))]
    assert "".join(piece.text for piece in found.pieces) == TEXT
    assert found.missing == ()


def test_phrases_that_overlap_are_stacked() -> None:
    found = marked("one two three", [("2", "one two"), ("3", "one two three")], ["2", "3"])
    assert covered(found) == [("one two", ("2", "3")), (" three", ("3",))]


def test_every_place_of_a_phrase_is_marked() -> None:
    assert len(covered(marked("go on, go on", [("2", "go on")], ["2"]))) == 2


@pytest.mark.parametrize(
    ("text", "phrase", "part"),
    [
        ("I don't know", "do n't know", "don't know"),
        ("Ein Café, bitte", "cafe bitte", "Café, bitte"),
        ("Cafe\u0301 noir", "café noir", "Cafe\u0301 noir"),
        ("GROẞE Straße", "grosse strasse", "GROẞE Straße"),
        ("我喜欢网球比赛", "网球", "网球"),
        ("שלום עולם", "שלום עולם", "שלום עולם"),
        ("a\u00a0b  c", "a b c", "a\u00a0b  c"),
    ],
)
def test_a_phrase_is_found_as_preprocessing_left_it(text: str, phrase: str, part: str) -> None:
    assert [piece for piece, _ in covered(marked(text, [("2", phrase)], ["2"]))] == [part]


@pytest.mark.parametrize("phrase", ["imbledon", "next wee", "week the", "…", "not there"])
def test_a_phrase_that_is_not_in_the_text_is_listed(phrase: str) -> None:
    found = marked(TEXT, [("2", phrase)], ["2"])
    assert covered(found) == []
    assert [each.text for each in found.missing] == [phrase]


def test_each_result_is_marked_in_its_own_input() -> None:
    answer = [{"top_n_grams": {"2": "first text"}}, {"top_n_grams": {"2": "second text"}}]
    sent = sent_rows(b'[["My first text"], ["My second text"]]', "application/json")
    view = view_of(answer, sent)
    assert isinstance(view, Rows)
    assert [card.sent.shown for card in view.cards if card.sent] == [
        "My first text",
        "My second text",
    ]


def test_without_a_text_the_phrases_are_still_told() -> None:
    view = view_of({"top_n_grams": {"2": "starts next", "3": ""}})
    grams = view.sections[0].view  # type: ignore[attr-defined]  # a view with sections
    assert isinstance(grams, Grams)
    assert (grams.pieces, [each.text for each in grams.phrases]) == ((), ["starts next"])
