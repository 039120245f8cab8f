"""The lines that an endpoint writes, as they come."""

from __future__ import annotations

import time

from sagelet.cli.commands.logs import ENDPOINT_GROUP
from sagelet.cli.context import App
from sagelet.cli.jobs.log_lines import recorded


class LogTail:
    """Returns what came since it was last asked."""

    def __init__(self, app: App, endpoint: str) -> None:
        """Begin with what comes from now on."""
        self._app = app
        self._parameters = {"logGroupName": ENDPOINT_GROUP + endpoint}
        self._since_ms = int(time.time() * 1000)
        self._seen: set[str] = set()

    def __call__(self) -> list[str]:
        """Return the new lines, oldest first."""
        events = list(recorded(self._app.call, {**self._parameters, "startTime": self._since_ms}))
        fresh = [event for event in events if event["eventId"] not in self._seen]
        if fresh:
            self._since_ms = max(int(event["timestamp"]) for event in events)
            # More may come with the same millisecond, and no earlier ones.
            self._seen = {e["eventId"] for e in events if e["timestamp"] == self._since_ms}
        return [str(event["message"]) for event in fresh]
