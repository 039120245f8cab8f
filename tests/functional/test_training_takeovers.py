"""Runners of jobs on two hosts are killed in every phase; stops come in every phase, too."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sagelet.artifacts.uris import S3Uri
from sagelet.domain.training import (
    Checkpoints,
    Cluster,
    LiteralProgram,
    SecondaryStatus,
    ToolkitProgram,
    TrainingJob,
    TrainingJobStatus,
)
from sagelet.journal.events import EventLog
from sagelet.supervision.process import ProcessId, boot_id, started_at
from sagelet.training.order import write_order
from sagelet.training.ports import DRIVERS_PORT, PortLock
from sagelet.training.records import (
    Event,
    History,
    HostStarted,
    RunnerStarted,
    StatusReached,
    read_history,
    to_document,
)
from tests.training_builders import an_order
from tests.training_machine import PATIENCE_S, TrainingMachine

TWO: dict[str, Any] = {"cluster": Cluster.of(2, "ml.m5.xlarge")}
AT = Checkpoints("s3://bucket/ckpt")
READY = """
import os, pathlib, signal, sys, time
host = os.environ["SM_CURRENT_HOST"]
pathlib.Path(os.environ["SM_MODEL_DIR"], host).write_text("trained")
"""
WAITS = (
    READY
    + """
print("ready", flush=True)
while not pathlib.Path({go!r}).exists():
    time.sleep(0.01)
print("went on", flush=True)
"""
)
SLEEPS = READY + "print('ready', flush=True)\ntime.sleep(60)\n"


@pytest.fixture
async def machine(home_path: Path) -> AsyncIterator[TrainingMachine]:
    async with TrainingMachine(home_path) as machine:
        yield machine


def history_of(machine: TrainingMachine, job: TrainingJob) -> History:
    return read_history(EventLog(machine.paths(job).events))


def runner_of(machine: TrainingMachine, job: TrainingJob) -> ProcessId:
    runner = history_of(machine, job).runner
    assert runner is not None
    return ProcessId(runner.pid, runner.started_at)


async def eventually(what: str, condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.02)


async def said(machine: TrainingMachine, job: TrainingJob, line: str) -> None:
    """Wait until every host has said a line."""
    hosts = range(job.cluster.host_count)
    await eventually(line, lambda: all(line in machine.lines(job, host) for host in hosts))


@contextmanager
def bucket_locked(machine: TrainingMachine) -> Iterator[None]:
    """Let nothing be stored in the bucket."""
    lock = machine.home.buckets / ".meta" / "locks" / "bucket"
    with lock.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def stored(machine: TrainingMachine, job: TrainingJob) -> list[str]:
    """The names of a job's artifacts."""
    found = machine.artifacts.named_by(S3Uri("bucket", f"out/{job.name}/output/"))
    return [name for name, _ in found]


def left_behind(
    home: Path,
    script: str,
    events: list[Event],
    **changes: Any,  # noqa: ANN401  any field
) -> None:
    """Lay down a job of two hosts whose runner, and whose daemon, were killed after some events."""
    machine = TrainingMachine(home)
    source = machine.folder("source", {"train.py": script})
    job = machine.job(name="lost", **TWO)
    machine.record(job)
    order = an_order(
        home, name="lost", **TWO, program=ToolkitProgram("train.py", source.as_uri()), **changes
    )
    write_order(order, machine.paths(job))
    for event in events:
        EventLog(machine.paths(job).events).append(to_document(event))
    machine.store.close()


DIED = RunnerStarted(1.0, os.getpid(), 1.0, boot_id())


@pytest.mark.parametrize(
    "events",
    [[DIED], [DIED, StatusReached(2.0, SecondaryStatus.DOWNLOADING)]],
    ids=["starting", "downloading"],
)
async def test_a_runner_that_died_before_the_hosts_began_is_replaced(
    home_path: Path, events: list[Event]
) -> None:
    left_behind(home_path, READY, events)
    async with TrainingMachine(home_path) as machine:
        job = await machine.ended("lost")
        assert job.failure_reason is None
        assert machine.members(job, "model.tar.gz") == ["algo-1", "algo-2"]
        assert history_of(machine, job).runners == 2


async def test_a_host_that_was_started_alone_is_ended_and_both_start_anew(home_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as alone:
        began = started_at(alone.pid)
        assert began is not None
        left_behind(
            home_path,
            READY,
            [
                DIED,
                StatusReached(2.0, SecondaryStatus.TRAINING),
                HostStarted(3.0, "algo-1", alone.pid, began, warm=False, log_offset=0),
            ],
        )
        async with TrainingMachine(home_path) as machine:
            job = await machine.ended("lost")
            assert job.failure_reason is None
            assert machine.members(job, "model.tar.gz") == ["algo-1", "algo-2"]
        assert alone.wait(PATIENCE_S) == -signal.SIGKILL


async def test_a_runner_that_dies_while_two_hosts_train_is_replaced(
    machine: TrainingMachine,
) -> None:
    go = machine.root / "go"
    job = await machine.begin(WAITS.format(go=str(go)), **TWO)
    await said(machine, job, "ready")
    os.kill(runner_of(machine, job).pid, signal.SIGKILL)
    go.touch()
    ended = await machine.ended(job.name)
    assert ended.failure_reason is None
    assert machine.members(job, "model.tar.gz") == ["algo-1", "algo-2"]
    for host in (0, 1):
        assert machine.lines(job, host).count("went on") == 1


async def test_a_runner_that_dies_while_it_uploads_is_replaced_and_nothing_is_half_stored(
    machine: TrainingMachine,
) -> None:
    with bucket_locked(machine):
        job = await machine.begin(READY, **TWO)
        await eventually(
            "it uploads",
            lambda: machine.find(job.name).secondary_status is SecondaryStatus.UPLOADING,
        )
        first = runner_of(machine, job)
        os.kill(first.pid, signal.SIGKILL)
        await eventually("another runner has it", lambda: history_of(machine, job).runners == 2)
        assert stored(machine, job) == []
    ended = await machine.ended(job.name)
    assert ended.failure_reason is None
    assert sorted(stored(machine, job)) == ["model.tar.gz", "output.tar.gz"]
    assert machine.members(job, "model.tar.gz") == ["algo-1", "algo-2"]
    machine.buckets.sweep()
    assert not any((machine.home.buckets / ".meta" / "drafts").iterdir())


async def test_a_stop_that_comes_during_the_upload_lets_it_end(machine: TrainingMachine) -> None:
    with bucket_locked(machine):
        job = await machine.begin(READY)
        await eventually(
            "it uploads",
            lambda: machine.find(job.name).secondary_status is SecondaryStatus.UPLOADING,
        )
        machine.stop(job.name)
    ended = await machine.ended(job.name)
    assert ended.status is TrainingJobStatus.COMPLETED
    assert ended.transitions[-2].status is SecondaryStatus.STOPPING
    assert machine.members(job, "model.tar.gz") == ["algo-1"]


async def test_a_job_that_waits_for_its_turn_says_so_and_can_be_stopped(
    machine: TrainingMachine,
) -> None:
    turn = PortLock(machine.home.ports, DRIVERS_PORT)
    assert turn.try_take("the-other")
    job = machine.job(program=LiteralProgram(("/bin/true",)), **TWO)
    machine.record(job)
    machine.runner.start(job)
    await eventually(
        "it waits", lambda: machine.find(job.name).secondary_status is SecondaryStatus.PENDING
    )
    assert "Waiting for training job the-other" in machine.find(job.name).transitions[-1].message
    machine.stop(job.name)
    ended = await machine.ended(job.name)
    assert [transition.status for transition in ended.transitions] == [
        SecondaryStatus.STARTING,
        SecondaryStatus.PENDING,
        SecondaryStatus.STOPPING,
        SecondaryStatus.STOPPED,
    ]
    turn.close()


async def test_a_stop_reaches_every_host_and_what_each_saved_is_kept(
    machine: TrainingMachine,
) -> None:
    job = await machine.begin(
        READY
        + """
def save(*_):
    pathlib.Path(os.environ["SM_MODEL_DIR"], f"{host}-saved").touch()
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
print("ready", flush=True)
time.sleep(60)
""",
        **TWO,
    )
    await said(machine, job, "ready")
    machine.stop(job.name)
    ended = await machine.ended(job.name)
    assert ended.status is TrainingJobStatus.STOPPED
    assert machine.members(job, "model.tar.gz") == [
        *("algo-1", "algo-1-saved", "algo-2", "algo-2-saved"),
    ]


async def test_a_killed_job_ends_at_once_and_keeps_its_artifacts(machine: TrainingMachine) -> None:
    job = await machine.begin(
        READY.replace("host =", "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nhost =")
        + "print('ready', flush=True)\ntime.sleep(60)\n",
        environment={"SAGELET_STOP_GRACE_S": "120"},
        **TWO,
    )
    await said(machine, job, "ready")
    machine.stop(job.name)
    machine.runner.kill(machine.find(job.name))
    ended = await machine.ended(job.name)
    assert (ended.status, ended.exit_code) == (TrainingJobStatus.STOPPED, -signal.SIGKILL)
    assert machine.members(job, "model.tar.gz") == ["algo-1", "algo-2"]


async def test_under_the_strict_contract_no_stop_reaches_the_script(
    machine: TrainingMachine,
) -> None:
    job = await machine.begin(
        """
        import signal, time
        signal.signal(signal.SIGTERM, lambda *_: print("heard of it", flush=True))
        print("ready", flush=True)
        time.sleep(60)
        """,
        environment={"SAGELET_CONTRACT": "strict"},
    )
    await machine.said(job, "ready")
    machine.stop(job.name)
    ended = await machine.ended(job.name)
    assert (ended.status, ended.exit_code) == (TrainingJobStatus.STOPPED, -signal.SIGKILL)
    lines = machine.lines(job)
    assert "heard of it" not in lines
    assert any(line.startswith("WARNING: contract strict: no stop reaches") for line in lines)


async def test_what_a_restarted_machine_left_is_stored_and_the_job_fails(home_path: Path) -> None:
    async with TrainingMachine(home_path) as machine:
        job = await machine.begin(
            SLEEPS.replace("print(", "pathlib.Path('/opt/ml/checkpoints/1').touch()\nprint("),
            checkpoints=AT,
        )
        await said(machine, job, "ready")
        host = history_of(machine, job).hosts["algo-1"]
        journal = machine.paths(job).events
        journal.write_text(journal.read_text().replace(boot_id(), "an-earlier-boot"))
        for pid in (runner_of(machine, job).pid, host.pid):
            os.kill(pid, signal.SIGKILL)
        ended = await machine.ended(job.name)
    assert ended.status is TrainingJobStatus.FAILED
    assert ended.failure_reason == (
        "InternalServerError: the machine stopped, or was restarted, while the job ran; "
        "`sagelet train --resume digits` goes on from its checkpoints"
    )
    assert machine.artifacts.holds(S3Uri("bucket", "ckpt/1"))
    assert "output.tar.gz" in stored(machine, job)
