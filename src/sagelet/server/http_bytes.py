"""Answers as bytes on a connection, as uvicorn writes those that come by way of ASGI."""

from __future__ import annotations

from collections.abc import Iterable

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from sagelet.wire.messages import Response

Fields = Iterable[tuple[bytes, bytes]]


def raw_fields(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Return header fields as ASGI has them."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def joined(fields: Fields) -> bytes:
    """Return header fields as lines; uvicorn lower-cases their names."""
    return b"".join(
        [part for name, value in fields for part in (name.lower(), b": ", value, b"\r\n")]
    )


def ending(body: bytes, *, keep_alive: bool) -> bytes:
    """Return what comes between an answer's own header fields and its body."""
    close = b"" if keep_alive else b"connection: close\r\n"
    return b"content-length: %d\r\n%b\r\n" % (len(body), close)


def whole(response: Response, server_fields: Fields, *, keep_alive: bool) -> bytes:
    """Return an answer that is in memory, with uvicorn's own fields (Date) before its own."""
    return b"".join(
        (
            STATUS_LINE[response.status],
            joined(server_fields),
            joined(raw_fields(response.headers)),
            ending(response.body, keep_alive=keep_alive),
            response.body,
        )
    )
