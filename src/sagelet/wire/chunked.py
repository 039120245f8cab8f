"""Bodies in S3's `aws-chunked` encoding, taken apart while they arrive.

    400;chunk-signature=…\\r\\n <1024 bytes> \\r\\n
    0;chunk-signature=…\\r\\n x-amz-checksum-crc32:…\\r\\n \\r\\n

Chunk signatures are read over and not verified: the head's signature covers the declared length and
the names of the trailers, and on loopback nobody stands between. The checksum in the trailer is
what tells a damaged body; whoever stores it compares.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from sagelet.wire.faults import Fault
from sagelet.wire.messages import Headers, RequestHead

_ENCODING = "aws-chunked"
_SIZE = re.compile(rb"([0-9a-fA-F]{1,12})(;[^\r\n]*)?")
_LINE_AT_MOST = 4096
_TRAILERS_AT_MOST = 16


def is_aws_chunked(head: RequestHead) -> bool:
    """Say whether a request's body is in this encoding."""
    if head.headers.get("x-amz-content-sha256", "").startswith("STREAMING-"):
        return True
    return _ENCODING in _encodings(head.headers.get("content-encoding", ""))


def stored_encoding(content_encoding: str | None) -> str | None:
    """Return a Content-Encoding without ours, which is the transport's and not the object's."""
    rest = [one for one in _encodings(content_encoding or "") if one != _ENCODING]
    return ",".join(rest) or None


def decoded_length(head: RequestHead) -> int | None:
    """Return the length that the decoded body will have, where the request says so.

    Raises:
        Fault: it is not a number.
    """
    text = head.headers.get("x-amz-decoded-content-length")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise Fault("InvalidArgument", 400, "x-amz-decoded-content-length must be a number")
    return int(text)


def _encodings(value: str) -> list[str]:
    return [one.strip() for one in value.split(",") if one.strip()]


class ChunkedBody:
    """Decodes a body. Iterate over it once; `trailers` are there when it has ended.

    Iteration raises Fault: IncompleteBody where the body ends early or has another length than was
    declared, InvalidRequest where it is not in the encoding.
    """

    def __init__(self, source: AsyncIterator[bytes], *, length: int | None = None) -> None:
        """Decode `source`; `length` is what `decoded_length` says."""
        self.trailers = Headers()
        self._source = source
        self._length = length
        self._buffer = bytearray()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the decoded bytes, in pieces as they come."""
        total = 0
        while size := self._size_in(await self._line()):
            total += size
            if self._length is not None and total > self._length:
                raise _incomplete(f"it has more than the {self._length} bytes declared")
            async for piece in self._exactly(size):
                yield piece
            if await self._line():
                raise _invalid("a chunk is longer than its size says")
        if self._length is not None and total != self._length:
            raise _incomplete(f"it has {total} of the {self._length} bytes declared")
        self.trailers = await self._read_trailers()

    @staticmethod
    def _size_in(line: bytes) -> int:
        found = _SIZE.fullmatch(line)
        if found is None:
            raise _invalid(f"{line[:40]!r} is not the size of a chunk")
        return int(found[1], 16)

    async def _read_trailers(self) -> Headers:
        found: list[tuple[str, str]] = []
        while line := await self._line():
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon or len(found) == _TRAILERS_AT_MOST:
                raise _invalid("its trailers are not header fields")
            found.append((name.strip(), value.strip()))
        if self._buffer or await self._fill():
            raise _invalid("something follows its end")
        return Headers(found)

    async def _line(self) -> bytes:
        """Return the bytes up to the next line's end, without it."""
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > _LINE_AT_MOST:
                raise _invalid("a line is too long")
            if not await self._fill():
                raise _incomplete("it ends within a line")
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    async def _exactly(self, size: int) -> AsyncIterator[bytes]:
        while size:
            if not self._buffer and not await self._fill():
                raise _incomplete("it ends within a chunk")
            piece = bytes(self._buffer[:size])
            del self._buffer[:size]
            size -= len(piece)
            yield piece

    async def _fill(self) -> bool:
        """Take what comes next into the buffer; say whether anything came."""
        while (piece := await anext(self._source, None)) is not None:
            if piece:
                self._buffer += piece
                return True
        return False


def _invalid(why: str) -> Fault:
    return Fault("InvalidRequest", 400, f"The body is not aws-chunked: {why}.")


def _incomplete(why: str) -> Fault:
    return Fault(
        "IncompleteBody",
        400,
        "You did not provide the number of bytes specified by the Content-Length HTTP header: "
        f"{why}.",
    )
