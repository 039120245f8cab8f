"""Channels as scripts see them: shown without a copy where that is safe, and never the original."""

from __future__ import annotations

import io
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sagelet.domain.training import (
    Channel,
    Cluster,
    ToolkitProgram,
    TrainingJob,
    TrainingJobStatus,
)
from sagelet.journal.events import EventLog
from sagelet.training.records import read_history
from sagelet.worker import namespace
from tests.host_orders import eventually
from tests.training_builders import a_channel
from tests.training_machine import TrainingMachine

OVERLAY = {"SAGELET_NAMESPACE": ""}
COPIES = {"SAGELET_NAMESPACE": "off"}

FILES = {"truncated": "1", "appended": "2", "renamed": "3", "closed": "4", "deleted/by/all": "5"}

# What a script may do to what it was given.
VANDAL = """
import os, pathlib, shutil
for name in ("STORED", "FOLDER"):
    data = pathlib.Path(os.environ["SM_CHANNEL_" + name])
    assert (data / "truncated").read_text() == "1"
    (data / "truncated").open("w").close()
    with (data / "appended").open("a") as file:
        file.write("more")
    (data / "renamed").rename(data / "moved")
    (data / "closed").chmod(0o400)
    os.utime(data / "closed", (1, 1))
    shutil.rmtree(data / "deleted")
    (data / "made").mkdir()
    data.chmod(0o500)
    assert sorted(path.name for path in data.iterdir()) == [
        "appended", "closed", "made", "moved", "truncated"
    ]
    assert (data / "appended").read_text() == "2more"
"""
LOOK = """
import json, os, pathlib
data = pathlib.Path(os.environ["SM_CHANNEL_TRAINING"])
files = [path for path in data.rglob("*") if path.is_file()]
seen = {path.relative_to(data).as_posix(): path.read_text() for path in files}
config = json.loads(
    pathlib.Path(os.environ["SM_INPUT_CONFIG_DIR"], "inputdataconfig.json").read_text()
)
try:
    (data / "written").write_text("1")
    writes = "yes"
except OSError as error:
    writes = error.strerror
pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], os.environ["SM_CURRENT_HOST"]).write_text(
    json.dumps({
        "seen": seen,
        "config": config,
        "writes": writes,
        "is_overlay": f"overlay {data} overlay" in pathlib.Path("/proc/self/mounts").read_text(),
    })
)
"""


@pytest.fixture(params=[OVERLAY, COPIES], ids=["overlay", "copies"])
async def machine(
    request: pytest.FixtureRequest, home_path: Path
) -> AsyncIterator[TrainingMachine]:
    home_path.mkdir(parents=True, exist_ok=True)
    if request.param is OVERLAY and (why := namespace.probe_overlay(str(home_path))):
        pytest.fail(f"this machine has no overlays: {why}")
    async with TrainingMachine(home_path, variables=request.param) as machine:
        yield machine


@pytest.fixture
async def plain(home_path: Path) -> AsyncIterator[TrainingMachine]:
    async with TrainingMachine(home_path, variables=OVERLAY) as machine:
        yield machine


def store(machine: TrainingMachine, prefix: str, **files: str) -> str:
    for name, text in files.items():
        machine.buckets.put("bucket", f"{prefix}/{name}", io.BytesIO(text.encode()))
    return f"s3://bucket/{prefix}/"


def picture(folder: Path) -> dict[str, tuple[object, ...]]:
    """All that can be told of a tree, but for its files' link counts and change times."""
    return {
        str(path.relative_to(folder)): (
            (stat := path.lstat()).st_ino,
            stat.st_mode,
            stat.st_uid,
            stat.st_size,
            stat.st_mtime_ns,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in (folder, *folder.rglob("*"))
    }


def report(machine: TrainingMachine, job: TrainingJob, host: str = "algo-1") -> dict[str, Any]:
    said: dict[str, Any] = json.loads(machine.member(job, "output.tar.gz", host))
    return said


def wait_for(file: Path) -> str:
    """The beginning of a script that goes on when a file is there."""
    return (
        "import pathlib, time\nprint('ready', flush=True)\n"
        f"while not pathlib.Path({str(file)!r}).exists(): time.sleep(0.01)\n"
    )


def left_of_inputs(machine: TrainingMachine, job: TrainingJob) -> list[Path]:
    root = machine.paths(job).root
    folders = (root / "views", *root.glob("hosts/*/overlays"), *root.glob("hosts/*/ml/input/data"))
    return [folder for folder in folders if folder.exists()]


async def gone(machine: TrainingMachine, job: TrainingJob) -> None:
    """Wait until the job's runner has tidied up: it says how the job ended first."""
    await eventually(lambda: not left_of_inputs(machine, job))


async def test_whatever_a_script_does_to_its_channels_the_originals_stay_as_they_were(
    machine: TrainingMachine,
) -> None:
    uri = store(machine, "data", **FILES)
    folder = machine.folder("mine", FILES)
    (folder / "truncated").chmod(0o640)
    stored = machine.home.buckets / "bucket" / "data"
    before = picture(stored), picture(folder)
    job = await machine.run(
        VANDAL, channels=(a_channel("stored", uri=uri), a_channel("folder", uri=folder.as_uri()))
    )
    assert job.failure_reason is None
    assert (picture(stored), picture(folder)) == before
    await gone(machine, job)


async def test_a_fast_file_channel_is_only_read(plain: TrainingMachine) -> None:
    uri = store(plain, "data", a="1")
    job = await plain.run(LOOK, channels=(a_channel(uri=uri, input_mode="FastFile"),))
    assert job.failure_reason is None
    said = report(plain, job)
    assert said["seen"] == {"a": "1"}
    assert said["writes"] == "Read-only file system"
    assert said["config"]["training"]["TrainingInputMode"] == "FastFile"


async def test_what_is_stored_while_a_job_runs_is_not_seen(plain: TrainingMachine) -> None:
    uri = store(plain, "data", a="1", b="2")
    job = await plain.begin(
        wait_for(plain.root / "go") + LOOK,
        channels=(a_channel(uri=uri),),
    )
    await plain.said(job, "ready")
    store(plain, "data", a="changed", c="3")
    plain.buckets.delete("bucket", "data/b")
    (plain.root / "go").touch()
    job = await plain.ended(job.name)
    assert job.failure_reason is None
    assert report(plain, job)["seen"] == {"a": "1", "b": "2"}


async def test_each_host_has_its_share_and_its_own_folder_to_write_to(
    machine: TrainingMachine,
) -> None:
    uri = store(machine, "data", a="1", b="2", c="3")
    job = await machine.run(
        LOOK,
        channels=(a_channel(uri=uri, distribution="ShardedByS3Key"),),
        cluster=Cluster.of(2, "ml.m5.xlarge"),
    )
    assert job.failure_reason is None
    shares = [report(machine, job, host) for host in ("algo-1", "algo-2")]
    assert [share["seen"] for share in shares] == [{"a": "1", "c": "3"}, {"b": "2"}]
    assert [share["writes"] for share in shares] == ["yes", "yes"]
    assert {share["is_overlay"] for share in shares} == {machine.has_namespace}
    assert shares[0]["config"]["training"]["S3DistributionType"] == "ShardedByS3Key"


@pytest.mark.parametrize("script", ["raise SystemExit(3)", VANDAL])
async def test_nothing_is_left_of_the_inputs_of_a_job_that_failed(
    plain: TrainingMachine, script: str
) -> None:
    uri = store(plain, "data", a="1")
    job = await plain.run(script, channels=(a_channel("stored", uri=uri),))
    assert job.status is TrainingJobStatus.FAILED
    await gone(plain, job)


async def test_nothing_is_left_of_the_inputs_of_a_job_whose_runner_was_killed(
    plain: TrainingMachine,
) -> None:
    uri = store(plain, "data", a="1")
    go = plain.root / "go"
    job = await plain.begin(
        wait_for(go) + LOOK,
        channels=(a_channel(uri=uri),),
    )
    await plain.said(job, "ready")
    runner = read_history(EventLog(plain.paths(job).events)).runner
    assert runner is not None
    os.kill(runner.pid, signal.SIGKILL)
    go.touch()
    job = await plain.ended(job.name)
    assert job.failure_reason is None
    assert report(plain, job)["seen"] == {"a": "1"}
    await gone(plain, job)


async def test_nothing_is_left_of_a_job_whose_runner_was_killed_before_the_start(
    plain: TrainingMachine,
) -> None:
    uri = store(plain, "data", a="1")
    source = plain.root / "train.py"
    os.mkfifo(source)  # which nobody writes to: the runner waits
    program = ToolkitProgram("train.py", source.as_uri())
    job = plain.job(program=program, channels=(a_channel(uri=uri),))
    plain.record(job)
    plain.runner.start(job)
    views = plain.paths(job).root / "views" / "0-training" / "all"
    await eventually(views.is_dir)
    runner = read_history(EventLog(plain.paths(job).events)).runner
    assert runner is not None
    source.unlink()  # else the next runner would wait, too
    os.kill(runner.pid, signal.SIGKILL)
    job = await plain.ended(job.name)
    assert job.status is TrainingJobStatus.FAILED
    await gone(plain, job)


async def test_the_next_daemon_tidies_what_a_killed_runner_left(home_path: Path) -> None:
    async with TrainingMachine(home_path, variables=OVERLAY) as machine:
        uri = store(machine, "data", a="1")
        job = await machine.run("", channels=(a_channel(uri=uri),))
        await gone(machine, job)
        root = machine.paths(job).root
        closed = root / "hosts" / "algo-1" / "overlays" / "training" / "work" / "work"
        closed.mkdir(parents=True)
        closed.chmod(0)
        (root / "views").mkdir()
    async with TrainingMachine(home_path, variables=OVERLAY) as machine:
        await gone(machine, job)


async def test_an_object_that_is_no_good_gzip_fails_the_job_with_its_name(
    plain: TrainingMachine,
) -> None:
    plain.buckets.put("bucket", "data/rows.csv.gz", io.BytesIO(b"\x1f\x8b rubbish"))
    channel: Channel = a_channel(uri="s3://bucket/data/", compression="Gzip")
    job = await plain.run(LOOK, channels=(channel,))
    assert job.status is TrainingJobStatus.FAILED
    assert job.failure_reason is not None
    assert job.failure_reason.startswith(
        "ClientError: Data download failed: channel training: rows.csv.gz was refused: corrupt"
    )
