"""Labels with numbers: what is a probability, how it is written, and what is left alone."""

from __future__ import annotations

import math

import pytest

from sagelet.web.results.bars import Bars, percent
from sagelet.web.results.chain import view_of
from sagelet.web.results.inputs import sent_rows


def bars_of(value: object) -> Bars:
    view = view_of(value)
    assert isinstance(view, Bars), view
    return view


@pytest.mark.parametrize(
    "value",
    [
        {"Sports": 0.2, "World": 0.8},
        [{"label": "Sports", "score": 0.2}, {"label": "World", "score": 0.8}],
        [{"class": "Sports", "probability": 0.2, "id": 3}, {"class": "World", "probability": 0.8}],
        {"labels": ["Sports", "World"], "scores": [0.2, 0.8]},
        {"classes": ["Sports", "World"], "probabilities": [0.2, 0.8]},
    ],
)
def test_labels_with_shares_are_bars_and_the_largest_is_first(value: object) -> None:
    shown = bars_of(value).shown
    assert [(each.label, each.share, each.is_top) for each in shown] == [
        ("World", "80 %", True),
        ("Sports", "20 %", False),
    ]
    assert [(each.width, each.exact) for each in shown] == [(80.0, "0.8"), (20.0, "0.2")]


def test_a_list_that_sums_to_one_is_bars_by_position() -> None:
    assert [each.label for each in bars_of([0.1, 0.7, 0.2]).shown] == ["1", "2", "0"]


def test_a_number_for_each_text_is_no_distribution() -> None:
    view = view_of([0.25, 0.75], sent_rows(b'["a", "b"]', "application/json"))
    assert not isinstance(view, Bars)


def test_equal_shares_keep_their_order() -> None:
    assert [b.label for b in bars_of({"b": 0.3, "a": 0.3, "c": 0.4}).shown] == ["c", "b", "a"]


def test_two_hundred_labels_are_all_in_the_page_and_ten_of_them_open() -> None:
    bars = bars_of({f"label {n}": n / 19900 for n in range(200)})
    assert (len(bars.shown), len(bars.rest), bars.count, bars.more) == (10, 190, 200, 0)


def test_more_than_a_page_bears_are_counted() -> None:
    bars = bars_of({str(n): 0.5 for n in range(5000)})
    assert bars.count == 5000
    assert bars.more == 4000


def test_shares_that_do_not_sum_to_one_are_told() -> None:
    assert bars_of({"a": 0.9, "b": 0.8}).total == "1.7"
    assert bars_of({"a": 0.5001, "b": 0.5}).total == ""


def test_scores_that_may_be_logits_are_never_turned_into_shares_by_themselves() -> None:
    bars = bars_of({"logits": [2.0, 0.0], "labels": ["a", "b"]})
    assert [each.share for each in bars.shown] == ["2", "0"]
    assert not any(each.is_top for each in bars.shown)
    assert [each.share for each in bars.softmax] == ["88 %", "12 %"]


@pytest.mark.parametrize(
    "value",
    [
        {"x": 0.1, "y": 0.2, "width": 0.5, "height": 0.5},
        {"price": 3, "rooms": 4},
        {"a": 1, "b": 1},
        {"a": True, "b": False},
        {"a": math.nan, "b": 0.5},
        {"a": 0.5, "b": "0.5"},
        {"threshold": 0.5},
        [{"label": "a", "score": 0.5, "text": "long"}],
        {},
        [],
    ],
)
def test_other_numbers_are_left_alone(value: object) -> None:
    assert not isinstance(view_of(value), Bars)


def test_one_share_under_its_name_is_a_bar() -> None:
    assert [each.label for each in bars_of({"label": "spam", "score": 0.75}).shown] == ["spam"]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.934, "93 %"),
        (0.0123, "1.2 %"),
        (0.000456, "0.046 %"),
        (0.0000012, "0.00012 %"),
        (1e-9, "< 0.0001 %"),
        (0, "0 %"),
        (0.0, "0 %"),
        (-0.0, "0 %"),
        (1, "100 %"),
        (1.0000001, "100 %"),
        (0.996, "99.6 %"),
        (0.9996, "99.96 %"),
        (0.999999, "> 99.99 %"),
    ],
)
def test_a_share_has_two_significant_places_and_only_one_is_all(number: float, text: str) -> None:
    assert percent(number) == text
