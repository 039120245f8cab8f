"""Writes into the store what becomes of jobs, as their journals tell it.

Events may be told twice: a daemon that comes back reads a journal from its start.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from sagelet.domain.clock import Clock
from sagelet.domain.training import SecondaryStatus, TrainingJob, TrainingJobStatus
from sagelet.store.changes import News
from sagelet.store.store import Store
from sagelet.training.outcome import MESSAGES
from sagelet.training.records import Event, JobEnded, StatusReached


class Ledger:
    """The store, as far as training jobs are concerned. Every method may come from any thread."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Take the store."""
        self._store = store
        self._clock = clock

    def running(self) -> tuple[TrainingJob, ...]:
        """Return the jobs that have not ended."""
        with self._store.reading() as snapshot:
            return snapshot.training_jobs.running()

    def find(self, name: str) -> TrainingJob | None:
        """Return a job as it stands."""
        with self._store.reading() as snapshot:
            return snapshot.training_jobs.find(name)

    def apply(self, name: str, events: list[Event]) -> None:
        """Move a job on, by what its journal says."""
        if not any(isinstance(event, StatusReached | JobEnded) for event in events):
            return
        with self._store.writing() as tx:
            job = tx.training_jobs.find(name)
            if job is None:
                return
            moved = job
            for event in events:
                moved = _moved(moved, event)
            if moved is not job:
                tx.training_jobs.put(moved)

    def fail(self, name: str, reason: str) -> None:
        """End a job that its runner could not end."""
        self._end(name, SecondaryStatus.FAILED, reason)

    def stop(self, name: str) -> None:
        """End a job that was stopped before it began."""
        self._end(name, SecondaryStatus.STOPPED, None)

    def _end(self, name: str, status: SecondaryStatus, reason: str | None) -> None:
        at = self._clock.now().timestamp()
        message = reason or MESSAGES[status]
        self.apply(name, [JobEnded(at, status, message=message, failure_reason=reason)])

    def log_has_grown(self, arn: str) -> None:
        """Tell those who wait for a job that its log has grown."""
        self._store.changes.publish(arn, News.LOG)


def _moved(job: TrainingJob, event: Event) -> TrainingJob:
    """Return a job after an event; unchanged where it knows of it, or where it tells no status."""
    if job.status.is_terminal:
        return job
    if isinstance(event, JobEnded):
        return _ended(job, event)
    if not isinstance(event, StatusReached) or job.status is TrainingJobStatus.STOPPING:
        return job
    message = event.message or MESSAGES[event.status]
    if event.message and job.secondary_status is event.status:
        return _saying(job, message)
    if _is_known(job, event):
        return job
    return job.moved_to(event.status, at=_utc(event.at), message=message)


def _saying(job: TrainingJob, message: str) -> TrainingJob:
    """Return a job whose present status has another message."""
    *before, last = job.transitions
    return replace(job, transitions=(*before, replace(last, message=message)))


def _is_known(job: TrainingJob, event: StatusReached) -> bool:
    """Whether a job is where an event leads, or was there before; statuses recur by attempts."""
    at = _utc(event.at)
    return job.secondary_status is event.status or any(
        transition.status is event.status and transition.started_at == at
        for transition in job.transitions
    )


def _ended(job: TrainingJob, event: JobEnded) -> TrainingJob:
    """Return a job with all that its end tells."""
    moved = job.moved_to(
        event.status,
        at=_utc(event.at),
        message=event.message,
        failure_reason=event.failure_reason,
    )
    metrics = tuple((name, value, _utc(ms / 1000)) for name, value, ms in event.final_metrics)
    return replace(
        moved,
        exit_code=event.exit_code,
        artifact_uri=event.artifact_uri,
        final_metrics=metrics,
    )


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
