"""The usual invocation, read in one look: its head in one piece, and nothing about it uncommon.

httptools reads anything, and calls back for each header field. Most invocations are small requests
that arrive whole, or (boto3's) the head first and then the body, for which one regular expression
is enough. It accepts less than httptools does; what it does not, goes there from its first byte.
"""

from __future__ import annotations

import re
from collections.abc import Collection

# A value is ASCII, begins and ends with something to see, and stands after one space.
_LINE = rb"[A-Za-z0-9-]+: [!-~](?:[ -~]*[!-~])?"
_FIELD = re.compile(_LINE)
_HEAD = re.compile(
    rb"POST (/endpoints/[A-Za-z0-9-]+/invocations) HTTP/1\.1\r\n((?:%b\r\n)+)\r\n" % _LINE
)
_END, _BLANK = b"\r\n", b"\r\n\r\n"
_LENGTH_DIGITS = 12
_UNVERIFIED = frozenset((b"amz-sdk-invocation-id", b"amz-sdk-request"))
CHANGING = _UNVERIFIED | {b"authorization", b"content-length", b"x-amz-date"}
"""The fields that differ from one request of a client to its next; what is signed must not."""
# They tell how a connection is to be read or kept, and that is httptools' business.
_OF_THE_CONNECTION = frozenset(
    (b"connection", b"expect", b"proxy-connection", b"transfer-encoding", b"upgrade")
)


def read_usual(data: bytes) -> tuple[bytes, dict[bytes, bytes], bytes] | None:
    """Return the path, the header fields and the body of what is exactly one usual request.

    It keeps its connection, and has one field of each name; the names are lower-cased. The body is
    there as a whole, or is yet to come as a whole.
    """
    head = _HEAD.match(data)
    if head is None:
        return None
    path, lines = head.groups()
    fields = lines[:-2].split(_END)
    headers = {}
    for field in fields:
        name, _, value = field.partition(b": ")
        headers[name.lower()] = value
    if len(headers) != len(fields) or not _OF_THE_CONNECTION.isdisjoint(headers):
        return None
    body = data[head.end() :]
    return (path, headers, body) if _is_length(headers.get(b"content-length", b""), body) else None


class Lines:
    """The lines of a usual request's head, of which a few change when its client asks again.

    Those tell the time, the signature, the body's length, and which try of which call it is.
    """

    __slots__ = ("_changing", "_same")

    def __init__(self, data: bytes, may_change: Collection[bytes]) -> None:
        """Take the lines of a request that `read_usual` has read, and the names of those fields."""
        self._same = data[: data.index(_BLANK)].split(_END)
        self._changing: list[tuple[int, bytes, bytes]] = []
        # From the last one on, so that a place is right when those after it are gone.
        for place in reversed(range(len(self._same))):
            name, colon, _ = self._same[place].partition(b": ")
            if name.lower() in may_change:
                self._changing.append((place, name + colon, name.lower()))
                del self._same[place]

    def again(self, data: bytes) -> tuple[dict[bytes, bytes], bytes] | None:
        """Return the fields that change, and the body, if a piece is such a request again.

        The body may be yet to come, as with `read_usual`.
        Signature and time may be anything yet: whoever verifies them compares every byte.
        """
        head, _, body = data.partition(_BLANK)
        lines = head.split(_END)
        if len(lines) != len(self._same) + len(self._changing):
            return None
        changed = {}
        for place, beginning, name in self._changing:
            line = lines.pop(place)
            if not line.startswith(beginning):
                return None
            if name in _UNVERIFIED and not _FIELD.fullmatch(line):
                return None
            changed[name] = line[len(beginning) :]
        if lines != self._same or not _is_length(changed.get(b"content-length", b""), body):
            return None
        return changed, body


def _is_length(given: bytes, body: bytes) -> bool:
    if len(given) > _LENGTH_DIGITS or not given.isdigit():
        return False
    return not body or int(given) == len(body)
