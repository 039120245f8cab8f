"""The headers of frames that carry requests: JSON, of which most is the same each time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sagelet.domain.invocation import Invocation

_to_json = json.JSONEncoder(separators=(",", ":")).encode
_KNOWN_LIMIT = 256


class Heads:
    """Writes the headers of requests. What a content type and an accept lead to is kept."""

    def __init__(self) -> None:
        """Know none yet."""
        self._known: dict[tuple[str | None, str | None], bytes] = {}

    @property
    def kept(self) -> int:
        """How many are kept."""
        return len(self._known)

    def invoke(self, number: int, invocation: Invocation) -> bytes:
        """Return the header of a frame that carries one request."""
        return b'{"op":"invoke","id":%d,%b' % (number, self._rest(invocation))

    def invoke_traced(self, number: int, invocation: Invocation, token: str) -> bytes:
        """Return the same for a request at whose ends the worker is to write a token."""
        head = b'{"op":"invoke_traced","token":"%b","id":%d,%b'
        return head % (token.encode("ascii"), number, self._rest(invocation))

    def invoke_batch(self, requests: Sequence[tuple[int, Invocation]]) -> bytes:
        """Return the header of a frame that carries several, their bodies one after the other."""
        each = (
            b'{"id":%d,"size":%d,%b' % (number, len(invocation.body), self._rest(invocation))
            for number, invocation in requests
        )
        return b'{"op":"invoke_batch","requests":[%b]}' % b",".join(each)

    def _rest(self, invocation: Invocation) -> bytes:
        """Return an object without its beginning."""
        if invocation.headers:
            return _rest({**_formats(invocation), "headers": dict(invocation.headers)})
        key = (invocation.content_type, invocation.accept)
        known = self._known.get(key)
        if known is None:
            known = _rest({**_formats(invocation), "headers": {}})
            if len(self._known) < _KNOWN_LIMIT:
                self._known[key] = known
        return known


def _formats(invocation: Invocation) -> dict[str, Any]:
    return {"content_type": invocation.content_type, "accept": invocation.accept}


def _rest(header: dict[str, Any]) -> bytes:
    return _to_json(header)[1:].encode()
