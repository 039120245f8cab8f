"""The log of a training job: every host's lines, in the order of their times.

events of CloudWatch Logs ──> Line: which host, when, what, and whether it will be overwritten
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sagelet.cli.jobs.points import Ask
from sagelet.errors import RemoteRefused
from sagelet.journal.overwritten import Kind, last_state, read_message

GROUP = "/aws/sagemaker/TrainingJobs"
_LOCAL_LATE_S = 0.05
_AWS_LATE_S = 2.0
"""How long after its time a host's line may come, while another's are read already."""

_NOTHING_YET = "ResourceNotFoundException"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a host's log. `ms` is since the epoch; `place` tells overwritten lines apart."""

    host: str
    ms: int
    text: str
    kind: Kind = Kind.WHOLE
    place: str = ""
    event: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """What CloudWatch said."""


def line_of(event: Mapping[str, Any], *, is_local: bool = True) -> Line:
    """Return what an event says; only this machine's say of lines how they stand."""
    message: str = event["message"]
    ms: int = event["timestamp"]
    host = host_of(event["logStreamName"])
    if not is_local:
        return Line(host, ms, last_state(message), event=event)
    kind, text, begun = read_message(message)
    place = f"{host}/{begun}" if kind is Kind.STATE else ""
    return Line(host, ms, text, kind, place, event)


def host_of(stream: str) -> str:
    """Return the host that a log stream is of: `job/algo-1-1732240000` is algo-1's."""
    return stream.rpartition("/")[2].rsplit("-", 1)[0]


def recorded(ask: Ask, parameters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the events that FilterLogEvents finds by now, oldest first."""
    asked = dict(parameters)
    while True:
        try:
            page = ask("logs", "FilterLogEvents", **asked)
        except RemoteRefused as refused:
            if refused.code == _NOTHING_YET:
                return  # nothing has been written yet
            raise
        yield from page["events"]
        if "nextToken" not in page:
            return
        asked["nextToken"] = page["nextToken"]


class JobLog:
    """Follows the log of one job: each look returns what is new."""

    def __init__(
        self,
        ask: Ask,
        job: str,
        *,
        start_ms: int = 0,
        is_local: bool = True,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Name the job; `start_ms` leaves out what is older."""
        self._ask = ask
        self._job = job
        self._start_ms = start_ms
        self._is_local = is_local
        self._late_s = _LOCAL_LATE_S if is_local else _AWS_LATE_S
        self._now = now
        self._tokens: dict[str, str] = {}
        self._held: list[Line] = []

    def look(self, *, is_last: bool = False) -> list[Line]:
        """Return the lines that are new, in order of time.

        Of several hosts' the newest are held back until the next look: the others may yet have
        older ones.
        """
        before_ms = round(1000 * (self._now() - self._late_s))
        streams = self._streams()
        lines = self._held + [line for stream in streams for line in self._new_lines(stream)]
        lines.sort(key=lambda line: line.ms)  # stable: a stream keeps its order
        if is_last or len(streams) < 2:
            self._held = []
            return lines
        self._held = [line for line in lines if line.ms >= before_ms]
        return [line for line in lines if line.ms < before_ms]

    def _streams(self) -> list[str]:
        asked = {"logGroupName": GROUP, "logStreamNamePrefix": f"{self._job}/"}
        streams: list[str] = []
        while True:
            try:
                page = self._ask("logs", "DescribeLogStreams", **asked)
            except RemoteRefused as refused:
                if refused.code == _NOTHING_YET:
                    return streams
                raise
            streams += [stream["logStreamName"] for stream in page["logStreams"]]
            if "nextToken" not in page:
                return streams
            asked["nextToken"] = page["nextToken"]

    def _new_lines(self, stream: str) -> Iterator[Line]:
        asked: dict[str, Any] = {
            "logGroupName": GROUP,
            "logStreamName": stream,
            "startFromHead": True,
        }
        if self._start_ms:
            asked["startTime"] = self._start_ms
        while True:
            token = self._tokens.get(stream)
            try:
                page = self._ask(
                    "logs", "GetLogEvents", **asked, **({"nextToken": token} if token else {})
                )
            except RemoteRefused as refused:
                if refused.code == _NOTHING_YET:
                    return  # it was removed
                raise
            for event in page["events"]:
                yield line_of({**event, "logStreamName": stream}, is_local=self._is_local)
            self._tokens[stream] = page["nextForwardToken"]
            # AWS gives empty pages on the way; the end has the token that was asked with.
            if page["nextForwardToken"] == token:
                return


def without_states(lines: Iterable[Line]) -> Iterator[Line]:
    """Leave out the states of lines that were overwritten: their ends are there, too."""
    return (line for line in lines if line.kind is not Kind.STATE)
