"""The line format of a log stream on disk: written here, read in `journal`.

    [1732240000123,"the message"]

One JSON array a line: milliseconds since the epoch, and the message without its newline. A process
that dies in mid-write leaves a last line that does not parse; readers pass over it.
"""

from __future__ import annotations

import json

Record = tuple[int, str]


def encode_record(ms: int, message: str) -> bytes:
    """Return a record as a line, newline included."""
    return (json.dumps([ms, message], ensure_ascii=False, separators=(",", ":")) + "\n").encode(
        "utf-8", "surrogateescape"
    )


def decode_record(line: bytes) -> Record | None:
    """Return (milliseconds, message), or None for a line that was not written whole."""
    try:
        ms, message = json.loads(line.decode("utf-8", "replace"))
    except ValueError:
        return None
    return (ms, message) if isinstance(ms, int) and isinstance(message, str) else None
