"""What a browser is told of a file that it is to keep, never to show."""

from __future__ import annotations

import re
from urllib.parse import quote

_UNSAFE = re.compile(r"[^A-Za-z0-9._ -]")
_LONGEST = 120


def attachment(name: str) -> dict[str, str]:
    """Return the header fields of a download of that name (RFC 6266)."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2][-_LONGEST:].lstrip(". ")
    plain = _UNSAFE.sub("_", last) or "download"
    exact = quote(last.encode("utf-8", "replace") or b"download", safe="")
    return {"content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}"}
