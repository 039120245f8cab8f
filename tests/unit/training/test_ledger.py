"""Events into the store, by the table of legal moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sagelet.domain.account import Account
from sagelet.domain.training import SecondaryStatus, TrainingJob, TrainingJobStatus
from sagelet.store.store import Store
from sagelet.training.ledger import Ledger
from sagelet.training.records import Event, JobEnded, RunnerStarted, StatusReached
from tests.fakes import HeldClock
from tests.training_builders import STARTED, a_job

BEGAN = STARTED.timestamp()
DOWNLOADING = StatusReached(BEGAN + 1, SecondaryStatus.DOWNLOADING)
TRAINING = StatusReached(BEGAN + 2, SecondaryStatus.TRAINING)
COMPLETED = JobEnded(
    BEGAN + 9,
    SecondaryStatus.COMPLETED,
    message="Training job completed",
    exit_code=0,
    artifact_uri="s3://bucket/out/digits/output/model.tar.gz",
    final_metrics=(("loss", 0.5, 1767323046500),),
)
STOPPED = JobEnded(BEGAN + 9, SecondaryStatus.STOPPED, message="Training job stopped")


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store(None, Account("us-east-1"))
    with store.writing() as tx:
        tx.training_jobs.add(a_job())
    yield store
    store.close()


@pytest.fixture
def ledger(store: Store) -> Ledger:
    return Ledger(store, HeldClock(STARTED))


def job_of(ledger: Ledger) -> TrainingJob:
    job = ledger.find("digits")
    assert job is not None
    return job


def test_events_move_a_job_on_and_keep_their_times(ledger: Ledger) -> None:
    ledger.apply("digits", [RunnerStarted(BEGAN, 1, 1.0), DOWNLOADING, TRAINING])
    job = job_of(ledger)
    assert [transition.status for transition in job.transitions] == [
        SecondaryStatus.STARTING,
        SecondaryStatus.DOWNLOADING,
        SecondaryStatus.TRAINING,
    ]
    assert job.started_at == datetime.fromtimestamp(BEGAN + 2, UTC)
    assert job.transitions[1].message == "Downloading input data"
    assert job.transitions[1].ended_at == job.transitions[2].started_at


def test_an_end_brings_everything_that_describe_shows(ledger: Ledger) -> None:
    ledger.apply("digits", [DOWNLOADING, TRAINING, COMPLETED])
    job = job_of(ledger)
    assert job.status is TrainingJobStatus.COMPLETED
    assert job.exit_code == 0
    assert job.artifact_uri == "s3://bucket/out/digits/output/model.tar.gz"
    assert job.final_metrics == (("loss", 0.5, datetime(2026, 1, 2, 3, 4, 6, 500000, UTC)),)
    assert job.transitions[-1].message == "Training job completed"
    assert ledger.running() == ()


def test_events_that_were_told_before_change_nothing(ledger: Ledger) -> None:
    ledger.apply("digits", [DOWNLOADING, TRAINING])
    before = job_of(ledger)
    ledger.apply("digits", [DOWNLOADING, TRAINING])
    assert job_of(ledger) == before
    ledger.apply("digits", [COMPLETED])
    ended = job_of(ledger)
    ledger.apply("digits", [DOWNLOADING, TRAINING, STOPPED])
    assert job_of(ledger) == ended


def test_a_job_that_is_being_stopped_only_ends(store: Store, ledger: Ledger) -> None:
    with store.writing() as tx:
        stopping = a_job().moved_to(SecondaryStatus.STOPPING, at=STARTED, message="Stopping")
        tx.training_jobs.put(stopping)
    ledger.apply("digits", [TRAINING])
    assert job_of(ledger).status is TrainingJobStatus.STOPPING
    ledger.apply("digits", [STOPPED])
    assert job_of(ledger).status is TrainingJobStatus.STOPPED


def test_statuses_recur_in_a_second_attempt_and_not_by_being_told_twice(ledger: Ledger) -> None:
    events: list[Event] = [
        DOWNLOADING,
        TRAINING,
        StatusReached(BEGAN + 3, SecondaryStatus.INTERRUPTED),
        StatusReached(BEGAN + 4, SecondaryStatus.STARTING),
        StatusReached(BEGAN + 5, SecondaryStatus.DOWNLOADING),
        StatusReached(BEGAN + 6, SecondaryStatus.TRAINING),
    ]
    ledger.apply("digits", events)
    ledger.apply("digits", events)
    statuses = [transition.status for transition in job_of(ledger).transitions]
    assert statuses == [
        SecondaryStatus.STARTING,
        *(event.status for event in events if isinstance(event, StatusReached)),
    ]


def test_a_job_whose_time_is_up_is_being_stopped_before_it_is(ledger: Ledger) -> None:
    stopping = StatusReached(BEGAN + 3, SecondaryStatus.STOPPING)
    ended = replace(STOPPED, status=SecondaryStatus.MAX_WAIT_TIME_EXCEEDED)
    ledger.apply("digits", [DOWNLOADING, TRAINING, stopping])
    assert job_of(ledger).status is TrainingJobStatus.STOPPING
    ledger.apply("digits", [ended])
    job = job_of(ledger)
    assert job.status is TrainingJobStatus.STOPPED
    assert job.secondary_status is SecondaryStatus.MAX_WAIT_TIME_EXCEEDED


def test_a_lost_job_fails_with_a_reason(ledger: Ledger) -> None:
    ledger.fail("digits", "InternalServerError: lost")
    job = job_of(ledger)
    assert job.status is TrainingJobStatus.FAILED
    assert job.failure_reason == "InternalServerError: lost"
    assert job.ended_at == STARTED


def test_a_job_that_was_stopped_before_it_began_is_stopped(ledger: Ledger) -> None:
    ledger.stop("digits")
    assert job_of(ledger).status is TrainingJobStatus.STOPPED
    assert job_of(ledger).failure_reason is None


def test_a_job_that_was_removed_is_passed_over(ledger: Ledger) -> None:
    ledger.apply("other", [DOWNLOADING])
    assert ledger.find("other") is None


def test_a_change_wakes_those_who_wait_and_nothing_new_does_not(
    store: Store, ledger: Ledger
) -> None:
    arn = a_job().arn
    ledger.apply("digits", [DOWNLOADING])
    version = store.changes.version(arn)
    ledger.apply("digits", [DOWNLOADING])
    assert store.changes.version(arn) == version
    ledger.log_has_grown(arn)
    assert store.changes.version(arn) > version
