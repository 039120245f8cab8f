"""The usual invocation, read in one look: all of it in one piece, and nothing about it uncommon.

httptools reads anything, and calls back for each header field. Most invocations are small requests
that arrive whole, for which one regular expression is enough. It accepts less than httptools does;
what it does not, goes to httptools from its first byte.
"""

from __future__ import annotations

import re

_HEAD = re.compile(
    rb"POST (/endpoints/[A-Za-z0-9-]+/invocations) HTTP/1\.1\r\n"
    # A value is ASCII, begins and ends with something to see, and stands after one space.
    rb"((?:[A-Za-z0-9-]+: [!-~](?:[ -~]*[!-~])?\r\n)+)\r\n"
)
_LENGTH_DIGITS = 12
# They tell how a connection is to be read or kept, and that is httptools' business.
_OF_THE_CONNECTION = frozenset(
    (b"connection", b"expect", b"proxy-connection", b"transfer-encoding", b"upgrade")
)


def read_usual(data: bytes) -> tuple[bytes, dict[bytes, bytes], bytes] | None:
    """Return the path, the header fields and the body of what is exactly one usual request.

    It keeps its connection, and has one field of each name; the names are lower-cased.
    """
    head = _HEAD.match(data)
    if head is None:
        return None
    path, lines = head.groups()
    fields = lines[:-2].split(b"\r\n")
    headers = {}
    for field in fields:
        name, _, value = field.partition(b": ")
        headers[name.lower()] = value
    if len(headers) != len(fields) or not _OF_THE_CONNECTION.isdisjoint(headers):
        return None
    length = headers.get(b"content-length", b"")
    body = data[head.end() :]
    if len(length) > _LENGTH_DIGITS or not length.isdigit() or int(length) != len(body):
        return None
    return path, headers, body
