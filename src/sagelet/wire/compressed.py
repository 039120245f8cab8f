"""Request bodies that a client has compressed, as botocore does above 10 kB for PutMetricData."""

from __future__ import annotations

import zlib

from sagelet.wire.faults import Fault
from sagelet.wire.messages import RequestHead

_GZIP = 16 + zlib.MAX_WBITS


def plain_body(head: RequestHead, body: bytes, *, at_most_bytes: int) -> bytes:
    """Return a body as it was before it was compressed.

    Raises:
        Fault: it is not what its Content-Encoding says, or is more than `at_most_bytes`.
    """
    coding = head.headers.get("content-encoding", "").strip().lower()
    if coding in ("", "identity"):
        return body
    if coding != "gzip":
        raise Fault(
            "SerializationException", 415, f"the Content-Encoding {coding[:40]!r} is not read"
        )
    unpacking = zlib.decompressobj(_GZIP)
    try:
        plain = unpacking.decompress(body, at_most_bytes)
    except zlib.error as error:
        raise Fault("SerializationException", 400, f"the body is not gzip: {error}") from error
    if not unpacking.eof:
        raise Fault(
            "RequestEntityTooLarge", 413, f"the body is cut off, or more than {at_most_bytes} bytes"
        )
    return plain
