"""Forms as the container's model server takes them apart."""

from __future__ import annotations

import pytest

from sagelet.worker.serving.forms import body_field, is_form

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = 'multipart/form-data; boundary="limit"'
PARTS = (
    b'--limit\r\nContent-Disposition: form-data; name="title"\r\n\r\nno\r\n'
    b'--limit\r\nContent-Disposition: form-data; name="body"; filename="a.bin"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n\x00\xff\r\n--limit--\r\n"
)


@pytest.mark.parametrize(
    ("content_type", "yes"),
    [(URLENCODED, True), (MULTIPART, True), ("text/plain", False), (None, False)],
)
def test_forms_are_known_by_their_types(content_type: str | None, yes: bool) -> None:
    assert is_form(content_type) is yes


@pytest.mark.parametrize(
    ("content_type", "body", "field"),
    [
        (URLENCODED, b"body=a%20b&x=1", b"a b"),
        (URLENCODED, b"body=first&body=last", b"last"),
        (URLENCODED, b"body=%C3%A4", "ä".encode()),
        (URLENCODED, b"text=a", None),
        (URLENCODED, b"", None),
        (MULTIPART, PARTS, b"\x00\xff"),
        (MULTIPART, PARTS.replace(b'"body"', b'"file"'), None),
        ("multipart/form-data", b"no boundary", None),
    ],
)
def test_handlers_get_the_field_body_or_nothing(
    content_type: str, body: bytes, field: bytes | None
) -> None:
    assert body_field(body, content_type) == field
