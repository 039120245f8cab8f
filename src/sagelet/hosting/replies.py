"""Answers of a pool: what a worker said, or what is said for a worker that did not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from sagelet.domain.invocation import Answer
from sagelet.hosting import failures
from sagelet.worker.frames import Frame

TIMED_OUT = Frame({"op": "timed_out"})
"""Stands for the reply of a worker that took too long."""

_TIMED_OUT_STATUS = 0
"""An Answer of this status tells that the container did not answer in time."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Headers for the answers of a generation and of those before it."""

    generation: int
    headers: Mapping[str, str]


class Replies:
    """Makes the answers of one variant; `notice` goes along where there is one."""

    def __init__(self, variant: str) -> None:
        """Begin without a notice."""
        self.notice: Notice | None = None
        self._variant = variant

    def of_frame(self, frame: Frame, generation: int) -> Answer:
        """Return what a worker answered."""
        said = frame.header
        if frame is TIMED_OUT:
            return self.timed_out(generation)
        return Answer(
            status=said["status"],
            body=frame.body,
            content_type=said["content_type"],
            variant=self._variant,
            generation=generation,
            headers=self._with_notice(said["headers"], generation),
        )

    def timed_out(self, generation: int) -> Answer:
        """Return the answer to a request that took too long."""
        return self._own(_TIMED_OUT_STATUS, failures.TIMED_OUT.encode(), None, generation)

    def of_death(self, exit_code: int, generation: int) -> Answer:
        """Return the answer to a request whose worker died."""
        status = failures.status_of_death(exit_code)
        body = failures.server_error(status, "Worker died.")
        return self._own(status, body, "application/json", generation)

    def unreachable(self, why: str, generation: int) -> Answer:
        """Return the answer to a request that there is no worker for."""
        text = f"No worker is available to serve request: {why}"
        status = HTTPStatus.SERVICE_UNAVAILABLE.value
        body = failures.server_error(status, text, "ServiceUnavailableException")
        return self._own(status, body, "application/json", generation)

    def _own(self, status: int, body: bytes, content_type: str | None, generation: int) -> Answer:
        headers = self._with_notice({}, generation)
        return Answer(status, body, content_type, self._variant, generation, headers)

    def _with_notice(self, headers: Mapping[str, str], generation: int) -> Mapping[str, str]:
        if self.notice is None or generation > self.notice.generation:
            return headers
        return {**headers, **self.notice.headers}
