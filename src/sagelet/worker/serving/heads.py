"""The headers of answers as JSON: most are alike, and those are put together from kept pieces."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_to_json = json.JSONEncoder(separators=(",", ":")).encode
_USUAL_FIELDS = 6  # op, id, status, content_type, headers, phases_ms
_USUAL = b'{"op":"answer","id":%d,"status":%d,"content_type":%b,"headers":{},"phases_ms":{%b}}'


def head_of(header: Mapping[str, Any]) -> bytes:
    """Return a frame's header as JSON."""
    if len(header) != _USUAL_FIELDS or header["op"] != "answer" or header["headers"]:
        return _to_json(header).encode()
    phases = ",".join(['"%s":%r' % phase for phase in header["phases_ms"].items()])  # noqa: UP031 - half the time
    return _USUAL % (
        header["id"],
        header["status"],
        _quoted(header["content_type"]),
        phases.encode(),
    )


@lru_cache(maxsize=256)
def _quoted(content_type: str | None) -> bytes:
    return _to_json(content_type).encode()
