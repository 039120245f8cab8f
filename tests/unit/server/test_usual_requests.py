from __future__ import annotations

import random

import httptools
import pytest

from sagelet.server.usual_requests import read_usual

PATH = b"/endpoints/sentiment/invocations"
BODY = b'{"text": "a fine film"}'
FIELDS = (
    b"Host: 127.0.0.1:7543\r\nContent-Type: application/json\r\nX-Amz-Date: 20260102T030405Z\r\n"
    b"Authorization: AWS4-HMAC-SHA256 Credential=K/20260102/us-east-1/sagemaker/aws4_request, "
    b"SignedHeaders=host;x-amz-date, Signature=00ff\r\n"
)
USUAL = b"POST %b HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b" % (PATH, FIELDS, len(BODY), BODY)


class Heard:
    """What httptools makes of the same bytes."""

    def __init__(self, data: bytes) -> None:
        self.url = self.body = b""
        self.fields: list[tuple[bytes, bytes]] = []
        self.begun = self.complete = 0
        self.parser = httptools.HttpRequestParser(self)
        self.parser.feed_data(data)

    def on_message_begin(self) -> None:
        self.begun += 1

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.complete += 1
        assert self.parser.get_method() == b"POST"
        assert self.parser.get_http_version() == "1.1"
        assert self.parser.should_keep_alive()
        assert not self.parser.should_upgrade()


def bent(dice: random.Random) -> bytes:
    """Return the usual request with a few bytes changed, left out, or put in."""
    data = bytearray(USUAL)
    pieces = (
        b"\r\n",
        b"\n",
        b" ",
        b"\t",
        b":",
        b"\0",
        b"\xff",
        b"0",
        b"A: b\r\n",
        b"a",
        b"%",
        b"?",
    )
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(data))
        data[at : at + dice.choice((0, 1, 1, 2))] = dice.choice(pieces)
    return bytes(data)


def test_a_usual_request_is_read() -> None:
    path, headers, body = read_usual(USUAL) or pytest.fail("it was not read")
    assert (path, body) == (PATH, BODY)
    assert list(headers) == [
        b"host", b"content-type", b"x-amz-date", b"authorization", b"content-length"
    ]  # fmt: skip
    assert headers[b"content-type"] == b"application/json"


def test_the_body_may_be_yet_to_come() -> None:
    path, headers, body = read_usual(USUAL[: -len(BODY)]) or pytest.fail("it was not read")
    assert (path, headers[b"content-length"], body) == (PATH, b"%d" % len(BODY), b"")


def test_what_is_read_httptools_reads_alike() -> None:
    dice = random.Random(7)
    read = 0
    for _ in range(20_000):
        data = bent(dice)
        usual = read_usual(data)
        if usual is None:
            continue
        read += 1
        heard = Heard(data)
        path, headers, body = usual
        is_whole = bool(body) or int(headers[b"content-length"]) == 0
        assert (heard.begun, heard.complete) == (1, int(is_whole)), data
        assert (heard.url, heard.body) == (path, body), data
        assert heard.fields == list(headers.items()), data
    assert read > 1000


@pytest.mark.parametrize(
    ("was", "is_now"),
    [
        (BODY, BODY[:-1]),
        (BODY, BODY + b"P"),
        (b"Host:", b"Connection: close\r\nHost:"),
        (b"Host:", b"Connection: keep-alive\r\nHost:"),
        (b"Host:", b"Expect: 100-continue\r\nHost:"),
        (b"Host:", b"Transfer-Encoding: chunked\r\nHost:"),
        (b"Host:", b"Upgrade: h2c\r\nHost:"),
        (b"Host:", b"HOST: twice\r\nHost:"),
        (b"Host: ", b"Host:"),
        (b"Host: ", b"Host:  "),
        (b"Host: ", b"Host : "),
        (b"Host: ", b" Host: "),
        (b":7543\r", b":7543 \r"),
        (b":7543\r", b":7543\r\n folded\r"),
        (b":7543\r\n", b":7543\n"),
        (b"application/json", b"caf\xe9"),
        (b"application/json", b"a\tb"),
        (b"application/json", b""),
        (b"Content-Length: ", b"Content-Length: +"),
        (b"Content-Length: ", b"Content-Length: 000000000000"),
        (b"Content-Length", b"Content-Size"),
        (b"HTTP/1.1", b"HTTP/1.0"),
        (b"POST", b"PUT"),
        (b"POST", b"\r\nPOST"),
        (PATH, PATH + b"?a=1"),
        (PATH, b"http://127.0.0.1" + PATH),
        (PATH, b"/ping"),
    ],
)
def test_whatever_is_uncommon_is_left_to_httptools(was: bytes, is_now: bytes) -> None:
    assert USUAL.count(was) == 1
    assert read_usual(USUAL.replace(was, is_now)) is None
