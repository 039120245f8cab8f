"""An event log: one JSON object a line, written by one process and followed by another."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sagelet.journal.appending import append_lines


class EventLog:
    """The events of one running thing, oldest first."""

    def __init__(self, path: Path) -> None:
        """Name the file; the first event makes it."""
        self._path = path

    def append(self, event: Mapping[str, Any]) -> None:
        """Write an event down.

        Raises:
            DiskFull: no space is left.
            StateError: the file cannot be written.
        """
        line = json.dumps(event, separators=(",", ":"))
        append_lines(self._path, line.encode("ascii") + b"\n")

    def read_from(self, offset: int) -> tuple[list[dict[str, Any]], int]:
        """Return the events from a byte offset on, and the offset after them.

        A line that is still being written waits for the next call; one that its writer never
        finished is passed over. A file that is shorter than the offset is another one: it is read
        from its beginning.
        """
        try:
            with self._path.open("rb") as file:
                size = file.seek(0, 2)
                offset = offset if offset <= size else 0
                file.seek(offset)
                raw = file.read()
        except FileNotFoundError:
            return [], 0
        whole = raw[: raw.rfind(b"\n") + 1]
        events = [event for line in whole.splitlines() if (event := _event(line)) is not None]
        return events, offset + len(whole)


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line.decode("utf-8", "replace"))
    except ValueError:
        return None
    return event if isinstance(event, dict) else None
