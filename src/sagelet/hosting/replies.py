"""Answers of a pool: what a worker said, or what is said for a worker that did not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from sagelet.domain.facts import EditProblem
from sagelet.domain.invocation import Answer, Invocation, Timing
from sagelet.errors import ModelStreamBroken
from sagelet.hosting import failures
from sagelet.hosting.death import Death
from sagelet.hosting.metering import Meter
from sagelet.hosting.recording import Recorder
from sagelet.worker.frames import Frame

_TIMED_OUT_STATUS = 0
"""An Answer of this status tells that the container did not answer in time."""

_STREAM_BROKEN = "StreamBroken"
_STREAM_TOO_LONG = "ModelInvocationTimeExceeded"


@dataclass(frozen=True, slots=True)
class Notice:
    """Headers for the answers of a generation and of those before it, and what is wrong."""

    generation: int
    headers: Mapping[str, str]
    problem: EditProblem


class Replies:
    """Makes the answers of one variant and counts them; `notice` goes along where there is one."""

    def __init__(self, variant: str, meter: Meter, recorder: Recorder) -> None:
        """Begin without a notice."""
        self.notice: Notice | None = None
        self.recorder = recorder
        self.variant = variant
        self.meter = meter

    def of_frame(self, frame: Frame, generation: int, queue_ms: float, total_ms: float) -> Answer:
        """Return what a worker answered."""
        said, body = frame
        headers = said["headers"]
        status = said["status"]
        timing = Timing(queue_ms, said.get("phases_ms") or {}, total_ms)
        differs = tuple(said["differs"]) if "differs" in said else ()
        self.meter.count(status, timing, differs)
        return Answer(
            status,
            body,
            said["content_type"],
            self.variant,
            generation,
            headers if self.notice is None else self.with_notice(headers, generation),
            timing,
            differs,
            said.get("handler") or "",
            said.get("where") or "",
        )

    def record(self, invocation: Invocation, answer: Answer, now: float) -> None:
        """Tell the history of an answer, if it is due."""
        meter = self.meter
        if now >= meter.due:
            next_due = self.recorder.take(invocation, answer, now)
            meter.was_recorded(answer.status, next_due)

    def timed_out(self, generation: int, timing: Timing) -> Answer:
        """Return the answer to a request that took too long."""
        body = failures.TIMED_OUT.encode()
        return self._own(_TIMED_OUT_STATUS, body, None, generation, timing)

    def endless(self, limit: int, generation: int, timing: Timing) -> Answer:
        """Return the answer to a request whose parts are too many to be joined."""
        status = HTTPStatus.INTERNAL_SERVER_ERROR.value
        text = (
            f"The answer came in parts of more than {limit} bytes together. "
            "InvokeEndpointWithResponseStream passes them on as they come."
        )
        body = failures.server_error(status, text)
        return self._own(status, body, "application/json", generation, timing)

    def of_death(self, death: Death, generation: int, timing: Timing) -> Answer:
        """Return the answer to a request whose worker died."""
        body = failures.server_error(death.status, death.text)
        return self._own(death.status, body, "application/json", generation, timing)

    def unreachable(self, why: str, generation: int, timing: Timing) -> Answer:
        """Return the answer to a request that there is no worker for."""
        text = f"No worker is available to serve request: {why}"
        status = HTTPStatus.SERVICE_UNAVAILABLE.value
        body = failures.server_error(status, text, "ServiceUnavailableException")
        return self._own(status, body, "application/json", generation, timing)

    def with_notice(self, headers: Mapping[str, str], generation: int) -> Mapping[str, str]:
        """Return the headers of an answer, with the notice's where it has to do with it."""
        if self.notice is None or generation > self.notice.generation:
            return headers
        return {**headers, **self.notice.headers}

    def _own(
        self, status: int, body: bytes, content_type: str | None, generation: int, timing: Timing
    ) -> Answer:
        self.meter.count(status, timing)
        headers = self.with_notice({}, generation)
        return Answer(status, body, content_type, self.variant, generation, headers, timing)


def stream_failed(said: Mapping[str, Any], body: bytes) -> ModelStreamBroken:
    """Return what ends a stream whose handler failed half-way: its error, then the traceback."""
    text = body.decode("utf-8", "replace") or str(said.get("error", ""))
    return ModelStreamBroken(code=_STREAM_BROKEN, message=text)


def stream_cut(death: Death) -> ModelStreamBroken:
    """Return what ends a stream whose worker died half-way."""
    return ModelStreamBroken(code=_STREAM_BROKEN, message=death.text)


def stream_too_long(limit_s: float) -> ModelStreamBroken:
    """Return what ends a stream that takes longer than it may."""
    return ModelStreamBroken(
        code=_STREAM_TOO_LONG, message=f"The model's answer took longer than {limit_s:g} s."
    )
