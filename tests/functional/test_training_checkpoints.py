"""Checkpoints that are kept while a job runs, and spot jobs that go on from them."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sagelet.artifacts.uris import S3Uri
from sagelet.domain.training import (
    Checkpoints,
    Cluster,
    SecondaryStatus,
    ToolkitProgram,
    TrainingJob,
    TrainingJobStatus,
)
from sagelet.journal.events import EventLog
from sagelet.supervision.process import boot_id
from sagelet.training.order import write_order
from sagelet.training.records import RunnerStarted, read_history, to_document
from tests.training_builders import an_order
from tests.training_machine import PATIENCE_S, TrainingMachine

AT = Checkpoints("s3://bucket/ckpt")
ONE_ATTEMPT = [
    SecondaryStatus.STARTING,
    SecondaryStatus.DOWNLOADING,
    SecondaryStatus.TRAINING,
]
SPOT: dict[str, Any] = {"is_spot": True, "max_wait_s": 86400}

# Counts up from its checkpoint, and ends once it has one: so only its second attempt ends.
COUNTS = """
import json, os, pathlib, time
said = pathlib.Path(os.environ["SM_INPUT_CONFIG_DIR"], "checkpointconfig.json").read_text()
file = pathlib.Path(json.loads(said)["LocalPath"], "deep", "count")
file.parent.mkdir(exist_ok=True)
before = int(file.read_text()) if file.exists() else 0
print("begins at", before, flush=True)
pathlib.Path(os.environ["SM_MODEL_DIR"], f"attempt-{before}").touch()
file.write_text(str(before + 1))
if before == 0:
    time.sleep(60)
"""


@pytest.fixture(params=["", "off"], ids=["namespace", "folder"])
async def machine(
    request: pytest.FixtureRequest, home_path: Path
) -> AsyncIterator[TrainingMachine]:
    variables = {"SAGELET_NAMESPACE": request.param}
    async with TrainingMachine(home_path, variables=variables, warm=True) as machine:
        await machine.launchers.for_python(None).start()  # a script begins well within a second
        yield machine


@pytest.fixture
async def plain(home_path: Path) -> AsyncIterator[TrainingMachine]:
    async with TrainingMachine(home_path, warm=True) as machine:
        await machine.launchers.for_python(None).start()
        yield machine


def stored(machine: TrainingMachine, key: str) -> str | None:
    """The text of a checkpoint in the bucket."""
    if not machine.artifacts.holds(S3Uri("bucket", f"ckpt/{key}")):
        return None
    return machine.artifacts.local_path(S3Uri("bucket", f"ckpt/{key}")).read_text()


def store(machine: TrainingMachine, key: str, text: str) -> None:
    """Put a checkpoint into the bucket."""
    machine.put(f"ckpt/{key}", machine.folder("given", {"file": text}) / "file")


async def eventually(what: str, condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.02)


def statuses(job: TrainingJob) -> list[SecondaryStatus]:
    return [transition.status for transition in job.transitions]


async def test_an_interrupted_job_goes_on_from_its_checkpoint(machine: TrainingMachine) -> None:
    job = await machine.run(
        COUNTS,
        checkpoints=AT,
        environment={"SAGELET_SIMULATE_INTERRUPTION_S": "1"},
        **SPOT,
    )
    assert job.failure_reason is None
    assert statuses(job) == [
        *ONE_ATTEMPT,
        SecondaryStatus.INTERRUPTED,
        *ONE_ATTEMPT,
        SecondaryStatus.UPLOADING,
        SecondaryStatus.COMPLETED,
    ]
    lines = machine.lines(job)
    assert lines.index("begins at 0") < lines.index("begins at 1")
    assert any("taken away after 1 s" in line for line in lines)
    assert any(line.startswith("Checkpoints: 1 files of s3://bucket/ckpt;") for line in lines)
    assert stored(machine, "deep/count") == "2"
    assert machine.members(job, "model.tar.gz") == ["attempt-1"]  # the first one's tree is gone


async def test_without_checkpoints_it_starts_from_scratch_and_says_so(
    plain: TrainingMachine,
) -> None:
    place = plain.root / "began"
    job = await plain.run(
        f"""
        import os, pathlib, time
        place = pathlib.Path({str(place)!r})
        again = place.exists()
        place.touch()
        print("there is", os.listdir("/opt/ml/checkpoints"), flush=True)
        pathlib.Path("/opt/ml/checkpoints/lost").touch()
        if not again:
            time.sleep(60)
        """,
        environment={"SAGELET_SIMULATE_INTERRUPTION_S": "1"},
        **SPOT,
    )
    assert job.status is TrainingJobStatus.COMPLETED
    lines = plain.lines(job)
    assert lines.count("there is []") == 2
    assert "WARNING: the job has no CheckpointConfig: it starts from scratch" in lines


async def test_a_script_that_fails_by_its_interruption_goes_on_and_another_does_not(
    plain: TrainingMachine,
) -> None:
    script = """
    import pathlib, signal, sys, time
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
    begun = pathlib.Path("/opt/ml/checkpoints/begun")
    if {condition}:
        sys.exit(4)
    begun.touch()
    time.sleep(60)
    """
    environment = {"SAGELET_SIMULATE_INTERRUPTION_S": "1"}
    job = await plain.run(
        script.format(condition="begun.exists()"),
        checkpoints=AT,
        environment=environment,
        **SPOT,
    )
    assert SecondaryStatus.INTERRUPTED in statuses(job)
    assert (job.status, job.exit_code) == (TrainingJobStatus.FAILED, 4)
    job = await plain.run(
        script.format(condition="True"), name="other", environment=environment, **SPOT
    )
    assert SecondaryStatus.INTERRUPTED not in statuses(job)
    assert (job.status, job.exit_code) == (TrainingJobStatus.FAILED, 4)


async def test_an_interruption_reaches_all_hosts_and_all_start_again(
    plain: TrainingMachine,
) -> None:
    job = await plain.run(
        """
        import os, pathlib, time
        mine = pathlib.Path("/opt/ml/checkpoints", os.environ["SM_CURRENT_HOST"])
        print("restored", sorted(os.listdir(mine.parent)), flush=True)
        again = mine.exists()
        mine.touch()
        if not again:
            time.sleep(60)
        """,
        cluster=Cluster.of(2, "ml.m5.xlarge"),
        checkpoints=AT,
        environment={"SAGELET_SIMULATE_INTERRUPTION_S": "1"},
        **SPOT,
    )
    assert job.failure_reason is None
    for host in (0, 1):
        lines = plain.lines(job, host)
        assert lines.index("restored []") < lines.index("restored ['algo-1', 'algo-2']")
        assert any("as a simulated interruption" in line for line in lines)


async def test_checkpoints_are_stored_while_the_script_runs_and_removed_with_their_files(
    plain: TrainingMachine,
) -> None:
    store(plain, "given", "before")
    go = plain.root / "go"
    job = await plain.begin(
        f"""
        import pathlib, time
        folder = pathlib.Path("/opt/ml/checkpoints")
        (folder / "epoch-1").write_text((folder / "given").read_text())
        (folder / "given").unlink()
        while not pathlib.Path({str(go)!r}).exists():
            time.sleep(0.01)
        (folder / "last").write_text("at the end")
        """,
        checkpoints=AT,
    )
    await eventually("it is stored", lambda: stored(plain, "epoch-1") == "before")
    await eventually("it is removed", lambda: stored(plain, "given") is None)
    assert stored(plain, "last") is None
    go.touch()
    assert (await plain.ended(job.name)).status is TrainingJobStatus.COMPLETED
    assert stored(plain, "last") == "at the end"


async def test_checkpoints_of_failed_and_stopped_jobs_are_kept(plain: TrainingMachine) -> None:
    script = """
    import pathlib, time
    pathlib.Path("/opt/ml/checkpoints/{name}").write_text("kept")
    print("ready", flush=True)
    {then}
    """
    job = await plain.run(
        script.format(name="failed", then="raise ValueError"), name="one", checkpoints=AT
    )
    assert job.status is TrainingJobStatus.FAILED
    job = await plain.begin(
        script.format(name="stopped", then="time.sleep(60)"), name="two", checkpoints=AT
    )
    await plain.said(job, "ready")
    plain.stop(job.name)
    assert (await plain.ended(job.name)).status is TrainingJobStatus.STOPPED
    assert (stored(plain, "failed"), stored(plain, "stopped")) == ("kept", "kept")


async def test_checkpoints_that_cannot_be_kept_at_the_end_fail_the_job(
    plain: TrainingMachine,
) -> None:
    go = plain.root / "go"
    job = await plain.begin(
        f"""
        import pathlib, time
        print("ready", flush=True)
        while not pathlib.Path({str(go)!r}).exists():
            time.sleep(0.01)
        pathlib.Path("/opt/ml/checkpoints/last").write_text("last")
        """,
        checkpoints=Checkpoints("s3://gone/ckpt"),
    )
    await plain.said(job, "ready")
    go.touch()
    job = await plain.ended(job.name)
    assert job.status is TrainingJobStatus.FAILED
    assert job.failure_reason is not None
    assert job.failure_reason.startswith("ClientError: Artifact upload failed: ")
    assert job.artifact_uri is not None  # the model is there nevertheless


async def test_max_wait_bounds_the_whole_of_a_spot_job(plain: TrainingMachine) -> None:
    job = await plain.run("import time\ntime.sleep(60)\n", is_spot=True, max_wait_s=1)
    assert job.status is TrainingJobStatus.STOPPED
    assert statuses(job)[-2:] == [
        SecondaryStatus.STOPPING,
        SecondaryStatus.MAX_WAIT_TIME_EXCEEDED,
    ]


async def test_a_spot_job_whose_wait_is_over_does_not_begin(home_path: Path) -> None:
    machine = TrainingMachine(home_path)
    source = machine.folder("source", {"train.py": "print('never')"})
    job = machine.job(program=ToolkitProgram("train.py", source.as_uri()), is_spot=True)
    machine.record(job)
    order = an_order(home_path, program=job.program, is_spot=True, max_wait_s=1)
    write_order(
        replace(order, log_streams={"algo-1": job.log_stream(job.cluster.hosts[0])}),
        machine.paths(job),
    )
    died = RunnerStarted(time.time() - 2, os.getpid(), 1.0, boot_id())
    EventLog(machine.paths(job).events).append(to_document(died))
    machine.store.close()
    async with TrainingMachine(home_path) as machine:
        job = await machine.ended(job.name)
        assert statuses(job) == [
            SecondaryStatus.STARTING,
            SecondaryStatus.DOWNLOADING,
            SecondaryStatus.STOPPING,
            SecondaryStatus.MAX_WAIT_TIME_EXCEEDED,
        ]
        assert "never" not in machine.lines(job)


async def test_a_stop_of_the_second_attempt_stops_the_job(plain: TrainingMachine) -> None:
    job = await plain.begin(
        """
        import pathlib, time
        begun = pathlib.Path("/opt/ml/checkpoints/begun")
        print("again" if begun.exists() else "first", flush=True)
        begun.touch()
        time.sleep(60)
        """,
        checkpoints=AT,
        environment={"SAGELET_SIMULATE_INTERRUPTION_S": "1"},
        **SPOT,
    )
    await plain.said(job, "again")
    plain.stop(job.name)
    job = await plain.ended(job.name)
    assert statuses(job)[-2:] == [SecondaryStatus.STOPPING, SecondaryStatus.STOPPED]


async def test_a_spot_job_that_nobody_interrupts_just_runs(plain: TrainingMachine) -> None:
    job = await plain.run("print('done')", **SPOT)
    assert job.status is TrainingJobStatus.COMPLETED
    assert SecondaryStatus.INTERRUPTED not in statuses(job)


async def test_a_runner_that_dies_in_the_second_attempt_is_replaced_there(
    plain: TrainingMachine,
) -> None:
    go = plain.root / "go"
    job = await plain.begin(
        f"""
        import pathlib, time
        begun = pathlib.Path("/opt/ml/checkpoints/begun")
        again = begun.exists()
        print("again" if again else "first", flush=True)
        begun.touch()
        while not (again and pathlib.Path({str(go)!r}).exists()):
            time.sleep(0.01)
        pathlib.Path("/opt/ml/checkpoints/last").write_text("last")
        """,
        checkpoints=AT,
        environment={"SAGELET_SIMULATE_INTERRUPTION_S": "1"},
        **SPOT,
    )
    await plain.said(job, "again")
    events = EventLog(plain.paths(job).events)
    runner = read_history(events).runner
    assert runner is not None
    os.kill(runner.pid, signal.SIGKILL)
    await eventually("another runner has it", lambda: read_history(events).runners == 2)
    go.touch()
    job = await plain.ended(job.name)
    assert job.failure_reason is None
    assert statuses(job).count(SecondaryStatus.INTERRUPTED) == 1
    assert stored(plain, "last") == "last"
