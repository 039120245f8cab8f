"""What stands in a job's journal: written by its runner, read by whoever wants to know.

The journal is the truth about a job that no daemon watched: a daemon that comes later reads it
from the start, and a runner that takes over from a dead one goes on where it ends.

A job whose spot instances are taken away makes another attempt: `Interrupted` ends the one, and
what is written after it belongs to the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sagelet.domain.training import SecondaryStatus
from sagelet.journal.events import EventLog


@dataclass(frozen=True, slots=True)
class RunnerStarted:
    """A runner took the job. `at` here and below is in seconds since the epoch.

    `boot` tells one start of the machine from another; it is empty where the system does not say.
    """

    at: float
    pid: int
    started_at: float
    boot: str = ""


@dataclass(frozen=True, slots=True)
class StatusReached:
    """The job moved on; or, with a `message` of its own, it says what it does in this status."""

    at: float
    status: SecondaryStatus
    message: str = ""


@dataclass(frozen=True, slots=True)
class HostStarted:
    """A host runs: the process of its supervisor, and where its script's log begins."""

    at: float
    host: str
    pid: int
    started_at: float
    warm: bool
    log_offset: int


@dataclass(frozen=True, slots=True)
class StopSent:
    """The hosts were asked to stop, by a person or because the job's time was up."""

    at: float
    out_of_time: bool


@dataclass(frozen=True, slots=True)
class HostFailed:
    """A host failed while others ran, which are ended for it."""

    at: float
    host: str


@dataclass(frozen=True, slots=True)
class JobEnded:
    """The job's end. A final metric is (name, value, milliseconds since the epoch)."""

    at: float
    status: SecondaryStatus
    message: str
    failure_reason: str | None = None
    exit_code: int | None = None
    artifact_uri: str | None = None
    final_metrics: tuple[tuple[str, float, int], ...] = ()


Event = RunnerStarted | StatusReached | HostStarted | StopSent | HostFailed | JobEnded

_KINDS: Mapping[str, type[Event]] = {
    "runner": RunnerStarted,
    "status": StatusReached,
    "host": HostStarted,
    "stop": StopSent,
    "failed": HostFailed,
    "end": JobEnded,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def to_document(event: Event) -> dict[str, Any]:
    """Return an event as a line of the journal says it."""
    return {"event": _NAMES[type(event)], **asdict(event)}


def from_document(document: Mapping[str, Any]) -> Event | None:
    """Read an event back; None for one of a later release."""
    fields = dict(document)
    kind = _KINDS.get(fields.pop("event", ""))
    if kind is None:
        return None
    if "status" in fields:
        fields["status"] = SecondaryStatus(fields["status"])
    if "final_metrics" in fields:
        fields["final_metrics"] = tuple(tuple(metric) for metric in fields["final_metrics"])
    return kind(**fields)


@dataclass(frozen=True, slots=True)
class History:
    """What a journal says of a job so far.

    `statuses`, `hosts`, `stop` and `failed` are the present attempt's alone; `trained_s` is how
    long the earlier ones trained, and `began_at` when the first runner took the job.
    """

    runner: RunnerStarted | None = None
    runners: int = 0
    began_at: float | None = None
    attempt: int = 1
    trained_s: float = 0.0
    statuses: Mapping[SecondaryStatus, float] = field(default_factory=dict)
    hosts: Mapping[str, HostStarted] = field(default_factory=dict)
    stop: StopSent | None = None
    failed: HostFailed | None = None
    end: JobEnded | None = None

    @classmethod
    def of(cls, events: Iterable[Event]) -> History:
        """Add events up."""
        *earlier, seen = _attempts(events)
        before = [event for attempt in earlier for event in attempt]
        runners = [event for event in (*before, *seen) if isinstance(event, RunnerStarted)]
        return cls(
            runner=runners[-1] if runners else None,
            runners=len(runners),
            began_at=runners[0].at if runners else None,
            attempt=len(earlier) + 1,
            trained_s=sum(_trained_s(attempt) for attempt in earlier),
            statuses=_statuses(seen),
            hosts={event.host: event for event in seen if isinstance(event, HostStarted)},
            stop=next((event for event in seen if isinstance(event, StopSent)), None),
            failed=next((event for event in seen if isinstance(event, HostFailed)), None),
            end=next((event for event in seen if isinstance(event, JobEnded)), None),
        )


def _attempts(events: Iterable[Event]) -> list[list[Event]]:
    """Divide events after each interruption."""
    attempts: list[list[Event]] = [[]]
    for event in events:
        attempts[-1].append(event)
        if isinstance(event, StatusReached) and event.status is SecondaryStatus.INTERRUPTED:
            attempts.append([])
    return attempts


def _statuses(events: Iterable[Event]) -> dict[SecondaryStatus, float]:
    """When each status was last reached."""
    return {event.status: event.at for event in events if isinstance(event, StatusReached)}


def _trained_s(attempt: Iterable[Event]) -> float:
    """How long an attempt trained before it was interrupted."""
    reached = _statuses(attempt)
    interrupted_at = reached[SecondaryStatus.INTERRUPTED]
    return interrupted_at - reached.get(SecondaryStatus.TRAINING, interrupted_at)


def read_events(log: EventLog, offset: int = 0) -> tuple[list[Event], int]:
    """Return the events from an offset on, and the offset after them."""
    documents, after = log.read_from(offset)
    events = (from_document(document) for document in documents)
    return [event for event in events if event is not None], after


def read_history(log: EventLog) -> History:
    """Return what a journal says."""
    return History.of(read_events(log)[0])
