from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagelet.wire.chunked import ChunkedBody, decoded_length, is_aws_chunked, stored_encoding
from sagelet.wire.faults import Fault
from sagelet.wire.messages import Headers, RequestHead

SIGNED = (
    b"10000;chunk-signature=" + b"a" * 64 + b"\r\n" + b"x" * 65536 + b"\r\n"
    b"5;chunk-signature=" + b"b" * 64 + b"\r\nhello\r\n"
    b"0;chunk-signature=" + b"c" * 64 + b"\r\n"
    b"x-amz-checksum-crc32c:sOO8/Q==\r\n"
    b"x-amz-trailer-signature:" + b"d" * 64 + b"\r\n\r\n"
)


async def pieces_of(body: bytes, size: int) -> AsyncIterator[bytes]:
    yield b""
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def decoded(
    body: bytes, *, size: int = 7, length: int | None = None
) -> tuple[bytes, Headers]:
    chunked = ChunkedBody(pieces_of(body, size), length=length)
    data = b"".join([piece async for piece in chunked])
    return data, chunked.trailers


@pytest.mark.parametrize("size", [1, 2, 7, 1000, 10**6])
async def test_chunks_are_joined_and_trailers_kept_however_they_arrive(size: int) -> None:
    data, trailers = await decoded(SIGNED, size=size, length=65541)
    assert data == b"x" * 65536 + b"hello"
    assert trailers["X-Amz-Checksum-Crc32c"] == "sOO8/Q=="
    assert "x-amz-trailer-signature" in trailers


async def test_an_empty_body_is_one_empty_chunk() -> None:
    assert await decoded(b"0\r\n\r\n", length=0) == (b"", Headers())


@pytest.mark.parametrize(
    ("body", "length", "code"),
    [
        (b"", None, "IncompleteBody"),
        (b"5", None, "IncompleteBody"),
        (b"5\r\nhel", None, "IncompleteBody"),
        (b"5\r\nhello", None, "IncompleteBody"),
        (b"5\r\nhello\r\n", None, "IncompleteBody"),
        (b"5\r\nhello\r\n0\r\n", None, "IncompleteBody"),
        (b"5\r\nhello\r\n0\r\nx-a:b\r\n", None, "IncompleteBody"),
        (b"5\r\nhello\r\n0\r\n\r\n", 6, "IncompleteBody"),
        (b"5\r\nhello\r\n0\r\n\r\n", 4, "IncompleteBody"),
        (b"5\r\nhello!\r\n0\r\n\r\n", None, "InvalidRequest"),
        (b"5\r\nhello\r\n0\r\n\r\nmore", None, "InvalidRequest"),
        (b"-5\r\nhello\r\n0\r\n\r\n", None, "InvalidRequest"),
        (b"0x5\r\nhello\r\n0\r\n\r\n", None, "InvalidRequest"),
        (b"\r\n", None, "InvalidRequest"),
        (b"f" * 20 + b"\r\n", None, "InvalidRequest"),
        (b"5" * 10_000, None, "InvalidRequest"),
        (b"0\r\nno colon\r\n\r\n", None, "InvalidRequest"),
        (b"0\r\n" + b"a:b\r\n" * 100 + b"\r\n", None, "InvalidRequest"),
    ],
    ids=lambda value: str(value)[:24],
)
async def test_a_damaged_body_is_refused(body: bytes, length: int | None, code: str) -> None:
    for size in (1, 7, 10**6):
        with pytest.raises(Fault) as caught:
            await decoded(body, size=size, length=length)
        assert (caught.value.code, caught.value.status) == (code, 400)


@settings(max_examples=100, deadline=None)
@given(chunks=st.lists(st.binary(min_size=1, max_size=300)), size=st.integers(1, 100))
async def test_what_was_encoded_is_decoded(chunks: list[bytes], size: int) -> None:
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    data, _ = await decoded(body, size=size, length=sum(map(len, chunks)))
    assert data == b"".join(chunks)


def a_head(**headers: str) -> RequestHead:
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return RequestHead("PUT", "/b/k", "", Headers(pairs))


def test_a_body_is_chunked_where_its_hash_or_its_encoding_says_so() -> None:
    assert is_aws_chunked(a_head(x_amz_content_sha256="STREAMING-UNSIGNED-PAYLOAD-TRAILER"))
    assert is_aws_chunked(a_head(content_encoding="gzip, aws-chunked"))
    assert not is_aws_chunked(a_head(x_amz_content_sha256="UNSIGNED-PAYLOAD"))
    assert not is_aws_chunked(a_head(content_encoding="gzip"))


@pytest.mark.parametrize(
    ("given", "stored"),
    [(None, None), ("", None), ("aws-chunked", None), ("gzip,aws-chunked", "gzip"), ("br", "br")],
)
def test_an_object_is_not_stored_as_chunked(given: str | None, stored: str | None) -> None:
    assert stored_encoding(given) == stored


def test_the_decoded_length_must_be_a_number() -> None:
    assert decoded_length(a_head()) is None
    assert decoded_length(a_head(x_amz_decoded_content_length="12")) == 12
    for text in ("", "-1", "1e3", "9" * 30, "\u0661"):
        with pytest.raises(Fault) as caught:
            decoded_length(a_head(x_amz_decoded_content_length=text))
        assert caught.value.code == "InvalidArgument"
