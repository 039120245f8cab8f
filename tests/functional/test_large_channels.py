"""How long a job waits for large channels: docs/reference/training.md has the figures."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.host_orders import eventually
from tests.training_builders import a_channel
from tests.training_machine import TrainingMachine

SCRIPT = """
import os, pathlib, time
pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "began").write_text(str(time.time()))
data = pathlib.Path(os.environ["SM_CHANNEL_TRAINING"])
print(sum(1 for _ in data.iterdir()))
"""


@pytest.fixture
async def machine(home_path: Path) -> AsyncIterator[TrainingMachine]:
    async with TrainingMachine(home_path, warm=True) as machine:
        await machine.launchers.for_python(None).start()
        await machine.run("", name="first")  # after which a runner is kept ready
        yield machine


def fill(folder: Path, count: int, size_bytes: int) -> None:
    """Make files with holes for content, which takes no time and no disk."""
    folder.mkdir()
    for number in range(count):
        with (folder / f"{number:06}").open("wb") as file:
            file.truncate(size_bytes)


@pytest.mark.full
@pytest.mark.parametrize("is_stored", [True, False], ids=["s3", "file"])
@pytest.mark.parametrize(
    ("count", "size_bytes", "within_s"),
    [(1, 2 * 2**30, 0.5), (1000, 2 * 2**20, 0.5), (100_000, 100, 5.0)],
    ids=["1", "1000", "100000"],
)
async def test_a_job_starts_at_once_however_large_its_channel_is(
    machine: TrainingMachine, is_stored: bool, count: int, size_bytes: int, within_s: float
) -> None:
    folder = machine.home.buckets / "bucket" / "data" if is_stored else machine.root / "data"
    fill(folder, count, size_bytes)
    uri = "s3://bucket/data/" if is_stored else folder.as_uri()
    took_s = []
    for attempt in range(3):
        asked_at = time.time()
        job = await machine.run(SCRIPT, name=f"try-{attempt}", channels=(a_channel(uri=uri),))
        assert job.failure_reason is None
        assert str(count) in machine.lines(job)
        took_s.append(float(machine.member(job, "output.tar.gz", "began")) - asked_at)
        await eventually(lambda: not (machine.paths(job).root / "views").exists())  # noqa: B023
    print(f"{count} files of {size_bytes} bytes: {min(took_s):.3f} s")
    assert min(took_s) < within_s
