"""Visitors of an endpoint: each asks over one connection, again and again, and remembers."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.end_to_end.local_aws import LocalAws, eventually
from tests.end_to_end.signing import Signer

CONNECTIONS = 4
PAUSE_S = 0.005
SIGNED_FOR_S = 60.0


@dataclass(frozen=True)
class Heard:
    """An answer: its status, its text, the generation that gave it, and the error of an edit."""

    status: int
    text: str
    generation: int
    reload_error: str | None


class Visitor(threading.Thread):
    """Invokes an endpoint over one connection, again and again."""

    def __init__(self, local: LocalAws, name: str) -> None:
        super().__init__()
        self._connection = http.client.HTTPConnection(*local.place, timeout=30)
        self._signer = Signer(local)
        self._path = f"/endpoints/{name}/invocations"
        self._over = threading.Event()
        self.heard: list[Heard] = []
        self.failures: list[str] = []

    def run(self) -> None:
        signed_at, headers = 0.0, {}
        while not self._over.is_set():
            if time.monotonic() - signed_at > SIGNED_FOR_S:
                signed_at = time.monotonic()
                headers = self._signer.headers("POST", self._path, b"x")
            try:
                self.heard.append(self._ask(headers))
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.failures.append(repr(error))
                return
            self._over.wait(PAUSE_S)

    def leave(self) -> None:
        self._over.set()
        self.join()
        self._connection.close()

    def _ask(self, headers: dict[str, str]) -> Heard:
        self._connection.request("POST", self._path, b"x", headers)
        answer = self._connection.getresponse()
        return Heard(
            answer.status,
            answer.read().decode(),
            int(answer.headers["x-sagelet-generation"]),
            answer.headers["x-sagelet-reload-error"],
        )


class Load:
    """The visitors of an endpoint."""

    def __init__(self, local: LocalAws, name: str) -> None:
        self._visitors = [Visitor(local, name) for _ in range(CONNECTIONS)]

    def __enter__(self) -> Load:
        for visitor in self._visitors:
            visitor.start()
        return self

    def __exit__(self, *_: object) -> None:
        for visitor in self._visitors:
            visitor.leave()

    @property
    def latest(self) -> list[Heard]:
        """The last answer to each visitor."""
        return [visitor.heard[-1] for visitor in self._visitors if visitor.heard]

    @property
    def failures(self) -> list[str]:
        return [failure for visitor in self._visitors for failure in visitor.failures]

    @property
    def heard(self) -> Sequence[Sequence[Heard]]:
        """All answers, by visitor."""
        return [visitor.heard for visitor in self._visitors]

    def is_heard(self) -> None:
        """Wait until each visitor has been answered."""
        eventually(lambda: len(self.latest) == CONNECTIONS, "the first answers")

    def hears(self, text: str) -> None:
        """Wait until every visitor hears this, and of no broken edit."""
        eventually(
            lambda: all(h.text == text and h.reload_error is None for h in self._full()),
            f"the answer {text!r}",
        )

    def hears_of_an_error(self) -> None:
        """Wait until every visitor hears of a broken edit."""
        eventually(lambda: all(h.reload_error for h in self._full()), "a broken edit is told")

    def _full(self) -> list[Heard]:
        assert self.failures == []
        latest = self.latest
        assert len(latest) == CONNECTIONS
        return latest
