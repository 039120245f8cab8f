"""What the ends of several hosts make of their job."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sagelet.domain.training import Cluster, LiteralProgram, SecondaryStatus
from sagelet.journal.streams import LogStreams
from sagelet.training.host_group import HostGroup
from sagelet.training.hostlog import GROUP
from sagelet.training.launching import DaemonLink
from sagelet.training.order import JobPaths
from sagelet.training.outcome import Outcome
from sagelet.training.ports import DRIVERS_PORT, PortLock
from sagelet.training.records import (
    Event,
    History,
    HostFailed,
    HostStarted,
    StatusReached,
    StopSent,
)
from sagelet.training.waiting import Signals
from sagelet.worker.spec import HostExit, to_json
from tests.training_builders import an_order

LOST = "RuntimeError: [gloo/transport/tcp/pair.cc:553] Connection closed by peer [127.0.0.2]:4711"
STARTED = tuple(
    HostStarted(1.0, f"algo-{number}", 10 + number, 1.0, warm=True, log_offset=0)
    for number in (1, 2, 3)
)


@pytest.fixture
def signals() -> Iterator[Signals]:
    signals = Signals()
    yield signals
    signals.close()


class Group:
    """A job of hosts that have ended."""

    def __init__(self, root: Path, signals: Signals, ends: Sequence[HostExit | None]) -> None:
        self.noted: list[Event] = []
        order = an_order(root, cluster=Cluster.of(len(ends), "local"))
        logs = LogStreams(Path(order.places.logs))
        for stream in order.log_streams.values():
            logs.create_stream(GROUP, stream)
        self.group = HostGroup(
            order,
            JobPaths(root / "job"),
            link=DaemonLink(None),
            signals=signals,
            note=self.noted.append,
        )
        for host, ended in zip(self.group.hosts, ends, strict=True):
            host.folder.tree.output.mkdir(parents=True)
            if ended is not None:
                host.folder.exit_file.write_text(to_json(ended))
        self._started = STARTED[: len(ends)]

    def judge(self, *events: Event) -> Outcome:
        return self.group.judge(History.of([*self._started, *events]))


def an_end(code: int = 0, **changes: Any) -> HostExit:  # noqa: ANN401  any field
    """How a host ended, at 20 s unless a test says so."""
    return replace(HostExit(code, 20.0), **changes)


DONE = an_end()


@pytest.fixture(autouse=True)
def _logs(tmp_path: Path) -> None:
    LogStreams(tmp_path / "logs").create_group(GROUP)


def test_a_job_is_complete_when_all_hosts_are(tmp_path: Path, signals: Signals) -> None:
    judged = Group(tmp_path, signals, [DONE, DONE]).judge()
    assert (judged.status, judged.exit_code) == (SecondaryStatus.COMPLETED, 0)


def test_the_failed_host_is_named_with_its_code_and_place(tmp_path: Path, signals: Signals) -> None:
    error = "ValueError: no label"
    failed = an_end(1, failed_at=19.0, error=error, where="/opt/ml/code/train.py:7")
    ended = an_end(-15, stopped=True, failed_at=19.5, error="killed by SIGTERM")
    judged = Group(tmp_path, signals, [ended, failed]).judge(HostFailed(19.2, "algo-2"))
    assert judged.status is SecondaryStatus.FAILED
    assert judged.failure_reason is not None
    assert f'ErrorMessage "{error}"' in judged.failure_reason
    assert 'ExtraInfo "algo-2; raised at train.py:7"' in judged.failure_reason


def test_a_killed_rank_is_named_with_its_host_and_signal(tmp_path: Path, signals: Signals) -> None:
    killed = an_end(-9, failed_at=19.0, error="killed by SIGKILL", rank=3)
    lost = an_end(1, failed_at=19.01, error=LOST, rank=0)
    judged = Group(tmp_path, signals, [lost, killed]).judge(HostFailed(19.02, "algo-1"))
    assert judged.exit_code == -9
    assert judged.failure_reason is not None
    assert "rank 3 on algo-2; Process killed by SIGKILL (signal 9)" in judged.failure_reason


def test_who_lost_a_connection_before_is_not_blamed(tmp_path: Path, signals: Signals) -> None:
    """A process lets go of its connections before its supervisor sees its end."""
    lost = an_end(1, failed_at=18.9, error=LOST)
    crashed = an_end(-6, failed_at=19.0, error="killed by SIGABRT")
    judged = Group(tmp_path, signals, [lost, crashed]).judge(HostFailed(19.1, "algo-1"))
    assert judged.failure_reason is not None
    assert "algo-2; Process killed by SIGABRT" in judged.failure_reason


def test_a_failure_that_was_told_late_is_still_the_first(tmp_path: Path, signals: Signals) -> None:
    """Its supervisor was still ending its other processes when it was asked to end."""
    lost = an_end(1, failed_at=19.1, error=LOST)
    first = an_end(3, failed_at=19.0, stopped=True, rank=2, error="SystemExit: 3")
    judged = Group(tmp_path, signals, [lost, first]).judge(HostFailed(19.2, "algo-1"))
    assert judged.exit_code == 3


def test_a_host_that_was_ended_for_another_is_no_cause(tmp_path: Path, signals: Signals) -> None:
    untold, failed = None, an_end(4, failed_at=19.0)
    judged = Group(tmp_path, signals, [untold, failed, DONE]).judge(HostFailed(19.1, "algo-2"))
    assert judged.exit_code == 4


def test_a_supervisor_that_was_killed_fails_the_job(tmp_path: Path, signals: Signals) -> None:
    lost = an_end(1, failed_at=19.1, error=LOST)
    judged = Group(tmp_path, signals, [lost, None]).judge(HostFailed(19.0, "algo-2"))
    assert judged.failure_reason is not None
    assert "InternalServerError: the supervisor of algo-2 was killed" in judged.failure_reason


def test_a_stop_makes_the_job_stopped_though_one_host_was_done(
    tmp_path: Path, signals: Signals
) -> None:
    stopped = an_end(-15, stopped=True, failed_at=19.5)
    judged = Group(tmp_path, signals, [DONE, stopped]).judge(StopSent(19.0, out_of_time=False))
    assert (judged.status, judged.exit_code) == (SecondaryStatus.STOPPED, -15)


def test_what_time_ended_is_max_runtime_exceeded(tmp_path: Path, signals: Signals) -> None:
    stopped = an_end(-15, stopped=True, failed_at=19.5)
    judged = Group(tmp_path, signals, [stopped, stopped]).judge(StopSent(19.0, out_of_time=True))
    assert judged.status is SecondaryStatus.MAX_RUNTIME_EXCEEDED


def test_a_host_that_failed_before_the_stop_fails_the_job(tmp_path: Path, signals: Signals) -> None:
    stopped = an_end(-15, stopped=True, failed_at=19.5)
    failed = an_end(5, stopped=True, failed_at=18.0)
    judged = Group(tmp_path, signals, [stopped, failed]).judge(StopSent(19.0, out_of_time=False))
    assert (judged.status, judged.exit_code) == (SecondaryStatus.FAILED, 5)


def test_only_drivers_on_several_hosts_queue(tmp_path: Path, signals: Signals) -> None:
    places = replace(an_order(tmp_path).places, ports=str(tmp_path / "ports"))
    driver = LiteralProgram(("/bin/bash",))
    ahead = PortLock(tmp_path / "ports", DRIVERS_PORT)
    assert ahead.try_take("other")
    for cluster, program in (
        (Cluster.of(1, "local"), driver),
        (Cluster.of(2, "local"), an_order().program),
    ):
        order = an_order(tmp_path, cluster=cluster, program=program, places=places)
        noted: list[Event] = []
        group = HostGroup(
            order,
            JobPaths(tmp_path / "job"),
            link=DaemonLink(None),
            signals=signals,
            note=noted.append,
        )
        group.take_turn()
        assert [event for event in noted if isinstance(event, StatusReached)] == []
    ahead.close()
