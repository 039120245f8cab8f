from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagelet.wire.messages import Headers, RequestHead, as_header, as_text


def test_a_field_is_found_whatever_its_case() -> None:
    headers = Headers([("Content-Type", "a"), ("x-many", "1"), ("X-Many", "2")])
    assert headers["content-TYPE"] == "a"
    assert headers.get("X-MANY") == "1"
    assert headers.get_all("x-many") == ["1", "2"]
    assert headers.get("absent") is None
    assert headers.get("absent", "default") == "default"
    assert headers.get_all("absent") == []
    assert "CONTENT-type" in headers
    assert 1 not in headers
    assert len(headers) == 3
    assert headers.names() == ["content-type", "x-many"]
    with pytest.raises(KeyError):
        headers["absent"]


def test_fields_are_yielded_as_they_came_and_compared_without_case() -> None:
    pairs = [("Host", "h"), ("ACCEPT", "*/*")]
    headers = Headers(pairs)
    assert list(headers) == pairs
    assert headers == Headers([("host", "h"), ("accept", "*/*")])
    assert hash(headers) == hash(Headers([("host", "h"), ("accept", "*/*")]))
    assert headers != Headers(pairs[:1])
    assert headers != pairs


def test_values_do_not_show_where_headers_are_printed() -> None:
    assert "secret" not in repr(Headers([("Authorization", "secret")]))


def test_a_path_is_decoded_once_and_a_query_too() -> None:
    head = RequestHead("GET", "/b/%2541%20%2F+%C3%BC", "a=1&flag&b=%2B+x&a=2", Headers())
    assert head.path == "/b/%41 /+ü"
    assert head.query == [("a", "1"), ("flag", ""), ("b", "+ x"), ("a", "2")]


def test_a_path_that_is_not_utf_8_is_shown_as_far_as_it_goes() -> None:
    assert RequestHead("GET", "/%FF", "", Headers()).path == "/\ufffd"


@given(st.text())
def test_a_header_value_stays_in_its_line_and_says_what_was_meant(text: str) -> None:
    value = as_header(text)
    assert not {"\r", "\n", "\0"} & set(value)
    value.encode("latin-1")
    if text.isprintable():
        assert as_text(value) == text


def test_latin_1_that_is_not_utf_8_is_left_as_it_is() -> None:
    assert as_text("caf\xe9") == "café"
    assert as_text("caf\xc3\xa9") == "café"
    assert as_text("日本") == "日本"
