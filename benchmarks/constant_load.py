"""A few clients that each ask, wait a little and ask again, whatever happens to the server."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from benchmarks.material import BODY

CLIENTS = 4
PAUSE_S = 0.005
_TIMEOUT_S = 30.0
_SIGN_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """A request: when it was begun and over, and the answer's body; None if it failed."""

    begun: float
    ended: float
    body: bytes | None


class ConstantLoad:
    """The clients and what has come of their requests so far."""

    def __init__(self, url: str, headers: Callable[[], Mapping[str, str]]) -> None:
        """Remember whom to ask."""
        self._at = urlsplit(url)
        self._headers = headers
        self._changed = threading.Condition()
        self._outcomes: list[Outcome] = []
        self._stopping = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Keep the clients asking meanwhile."""
        clients = [threading.Thread(target=self._ask_on) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        try:
            yield
        finally:
            self._stopping.set()
            for client in clients:
                client.join()

    def since(self, moment: float) -> list[Outcome]:
        """Return the requests that were over after a moment, in the order of their ends."""
        with self._changed:
            return [outcome for outcome in self._outcomes if outcome.ended > moment]

    def first(
        self, wanted: Callable[[bytes], bool], *, after: float, within_s: float
    ) -> Outcome | None:
        """Wait for an answer that is wanted; None if none comes in time."""
        seen = 0
        deadline = time.perf_counter() + within_s
        with self._changed:
            while True:
                for outcome in self._outcomes[seen:]:
                    if outcome.ended > after and outcome.body is not None and wanted(outcome.body):
                        return outcome
                seen = len(self._outcomes)
                if not self._changed.wait(deadline - time.perf_counter()):
                    return None

    def _ask_on(self) -> None:
        connection = self._connection()
        headers, signed_at = dict(self._headers()), time.monotonic()
        while not self._stopping.is_set():
            if time.monotonic() - signed_at > _SIGN_EVERY_S:
                headers, signed_at = dict(self._headers()), time.monotonic()
            begun = time.perf_counter()
            try:
                connection.request("POST", self._at.path, BODY, headers)
                answer = connection.getresponse()
                body = answer.read()
                self._note(begun, body if answer.status == 200 else None)
            except (OSError, http.client.HTTPException):
                connection.close()
                connection = self._connection()
                self._note(begun, None)
            self._stopping.wait(PAUSE_S)
        connection.close()

    def _note(self, begun: float, body: bytes | None) -> None:
        with self._changed:
            self._outcomes.append(Outcome(begun, time.perf_counter(), body))
            self._changed.notify_all()

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(
            self._at.hostname or "", self._at.port, timeout=_TIMEOUT_S
        )
