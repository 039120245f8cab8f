"""Checkpoints that are kept while a job runs, and spot jobs that go on from them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from sagelet.artifacts.uris import S3Uri
from sagelet.domain.training import (
    Checkpoints,
    SecondaryStatus,
    TrainingJob,
)
from tests.training_machine import PATIENCE_S, TrainingMachine

AT = Checkpoints("s3://bucket/ckpt")
ONE_ATTEMPT = [
    SecondaryStatus.STARTING,
    SecondaryStatus.DOWNLOADING,
    SecondaryStatus.TRAINING,
]
SPOT = {"is_spot": True, "max_wait_s": 86400}

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
    async with TrainingMachine(home_path, variables=variables) as machine:
        yield machine


@pytest.fixture
async def plain(home_path: Path) -> AsyncIterator[TrainingMachine]:
    async with TrainingMachine(home_path) as machine:
        yield machine


def stored(machine: TrainingMachine, key: str) -> str | None:
    """The text of a checkpoint in the bucket."""
    if not machine.artifacts.holds(S3Uri("bucket", f"ckpt/{key}")):
        return None
    return machine.artifacts.local_path(S3Uri("bucket", f"ckpt/{key}")).read_text()


def store(machine: TrainingMachine, key: str, text: str) -> None:
    """Put a checkpoint into the bucket."""
    machine.put(f"ckpt/{key}", machine.folder("given", {"file": text}) / "file")


def eventually(what: str, condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


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
