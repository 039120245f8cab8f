"""A job's journal: events written and read back, and what they add up to."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagelet.domain.training import SecondaryStatus
from sagelet.journal.events import EventLog
from sagelet.training.records import (
    Event,
    History,
    HostStarted,
    JobEnded,
    RunnerStarted,
    StatusReached,
    StopSent,
    from_document,
    read_events,
    read_history,
    to_document,
)

HOST = HostStarted(at=3.0, host="algo-1", pid=12, started_at=4.5, warm=True, log_offset=100)
END = JobEnded(
    at=9.0,
    status=SecondaryStatus.FAILED,
    message="AlgorithmError: x",
    failure_reason="AlgorithmError: x",
    exit_code=3,
    artifact_uri=None,
    final_metrics=(("loss", 0.5, 1000),),
)
EVENTS: list[Event] = [
    RunnerStarted(1.0, 10, 2.5),
    StatusReached(2.0, SecondaryStatus.DOWNLOADING),
    HOST,
    StopSent(4.0, out_of_time=True),
    END,
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_is_read_back_as_it_was_written(event: Event, tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    log.append(to_document(event))
    assert read_events(log)[0] == [event]


def test_an_event_of_a_later_release_is_passed_over() -> None:
    assert from_document({"event": "resized", "at": 1.0}) is None


def test_events_are_read_on_from_where_the_last_reading_ended(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    log.append(to_document(EVENTS[0]))
    _, offset = read_events(log)
    log.append(to_document(EVENTS[1]))
    assert read_events(log, offset)[0] == [EVENTS[1]]


def test_a_history_adds_up_what_happened() -> None:
    again = RunnerStarted(5.0, 11, 6.5)
    history = History.of([*EVENTS[:4], again])
    assert history.runner == again
    assert history.runners == 2
    assert history.statuses == {SecondaryStatus.DOWNLOADING: 2.0}
    assert history.hosts == {"algo-1": HOST}
    assert history.stop == StopSent(4.0, out_of_time=True)
    assert history.end is None
    assert History.of(EVENTS).end == END


def test_a_job_without_a_journal_has_no_history(tmp_path: Path) -> None:
    assert read_history(EventLog(tmp_path / "none.jsonl")) == History()


def test_what_follows_an_interruption_is_another_attempt() -> None:
    second = HostStarted(at=30.0, host="algo-1", pid=13, started_at=5.5, warm=False, log_offset=9)
    events: list[Event] = [
        *EVENTS[:2],
        StatusReached(5.0, SecondaryStatus.TRAINING),
        *EVENTS[2:4],
        StatusReached(15.0, SecondaryStatus.INTERRUPTED),
    ]
    between = History.of(events)
    assert (between.attempt, between.began_at, between.trained_s) == (2, 1.0, 10.0)
    assert (between.hosts, between.stop, between.statuses) == ({}, None, {})
    assert between.runners == 1
    history = History.of([*events, StatusReached(20.0, SecondaryStatus.TRAINING), second])
    assert history.hosts == {"algo-1": second}
    assert history.statuses == {SecondaryStatus.TRAINING: 20.0}


def test_a_journal_of_an_earlier_release_is_read() -> None:
    older = {"event": "runner", "at": 1.0, "pid": 10, "started_at": 2.5}
    assert from_document(older) == RunnerStarted(1.0, 10, 2.5)
