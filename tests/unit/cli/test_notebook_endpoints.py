"""A prediction as notebooks show it."""

from __future__ import annotations

import json

import pytest

from sagelet.cli.calls import Reply
from sagelet.cli.notebook_endpoints import Prediction, _body_of
from sagelet.cli.payloads import Payload

SENT = Payload(b'[["a"]]', "application/json")


def a_prediction(value: object, content_type: str = "application/json") -> Prediction:
    body = value.encode() if isinstance(value, str) else json.dumps(value).encode()
    return Prediction(Reply(body, 1.5, content_type=content_type), SENT)


def test_probabilities_are_bars_with_the_whole_answer_folded_below() -> None:
    html = a_prediction([{"probabilities": {"World": 0.25, "Sports": 0.75}}])._repr_html_()
    assert html.index("Sports") < html.index("World")
    assert 'value="75' in html
    assert "<details>" in html


def test_what_is_no_probability_is_text() -> None:
    shown = a_prediction({"a": "b"})
    assert "<meter" not in shown._repr_html_()
    assert repr(shown) == '{\n  "a": "b"\n}\n(1.5 ms)'
    assert set(shown._repr_mimebundle_()) == {"text/plain", "text/html"}


def test_an_answer_is_no_markup() -> None:
    hostile = "<script>alert(1)</script>"
    for value in ({hostile: 0.5, "b": 0.5}, {"a": hostile}, f"{hostile}\x1b]8;;x"):
        html = a_prediction(value, "text/plain" if isinstance(value, str) else "application/json")
        assert "<script" not in html._repr_html_()
        assert "\x1b" not in repr(html)


def test_texts_and_bytes_are_sent_as_they_are_and_values_as_json() -> None:
    assert _body_of(b"\x00\xff") == b"\x00\xff"
    assert _body_of("1,2\n") == b"1,2\n"
    assert _body_of([["é", 1]]) == '[["é", 1]]'.encode()
    with pytest.raises(ValueError, match="not JSON compliant"):
        _body_of([float("nan")])
