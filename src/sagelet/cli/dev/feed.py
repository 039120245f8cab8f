"""What happens to an endpoint, fetched from the daemon by a thread and put into the queue.

The daemon writes its notes into the endpoint's log as well. A log line that is a note's is left
out; so that the note is known by then, notes are fetched after the lines that may repeat them.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from sagelet.cli.dev.messages import Counted, Happened, Logged, Lost, Messages
from sagelet.errors import SageletError

_HELD_S = 0.5
_COUNTED_EVERY = 3
_REMEMBERED_LINES = 2_000


class LocalEvents(Protocol):
    """What is asked of the daemon's own API."""

    def endpoint(self, name: str) -> Mapping[str, Any] | None:
        """Return an endpoint's facts."""
        ...

    def events(
        self, after: int, *, endpoint: str | None = None, wait_s: float = 0
    ) -> Mapping[str, Any]:
        """Return what happened after a number, waiting so long for the first of it."""
        ...


class Feed:
    """Follows one endpoint until it is stopped."""

    def __init__(
        self,
        api: LocalEvents,
        endpoint: str,
        messages: Messages,
        log_lines: Callable[[], Sequence[str]],
    ) -> None:
        """`log_lines` returns the lines that came since it was last asked."""
        self._api = api
        self._endpoint = endpoint
        self._messages = messages
        self._log_lines = log_lines
        self._after = int(api.events(0, endpoint=endpoint)["last"])
        self._told: deque[str] = deque(maxlen=_REMEMBERED_LINES)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Follow no more."""
        self._stopped.set()

    def look(self, *, wait_s: float = 0.0) -> None:
        """Fetch what is new, once."""
        self._fetch_notes(wait_s)
        lines = self._log_lines()
        if lines:
            self._fetch_notes(0)
        for line in lines:
            if line in self._told:
                self._told.remove(line)
            else:
                self._messages.put(Logged(line))

    def count(self) -> None:
        """Fetch the endpoint's facts."""
        facts = self._api.endpoint(self._endpoint)
        if facts is not None:
            self._messages.put(Counted(facts))

    def _run(self) -> None:
        rounds = 0
        try:
            while not self._stopped.is_set():
                self.look(wait_s=_HELD_S)
                if rounds % _COUNTED_EVERY == 0:
                    self.count()
                rounds += 1
        except SageletError as error:
            if not self._stopped.is_set():
                self._messages.put(Lost(error))

    def _fetch_notes(self, wait_s: float) -> None:
        page = self._api.events(self._after, endpoint=self._endpoint, wait_s=wait_s)
        self._after = max(self._after, int(page["last"]))
        for event in page["events"]:
            self._told.extend(str(event["text"]).splitlines())
            self._messages.put(
                Happened(str(event["at"]), str(event["text"]), bool(event["is_problem"]))
            )
