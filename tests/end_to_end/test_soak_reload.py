"""A hundred edits, a fifth of them broken, under constant load: no request fails, none is mixed.

It takes SAGELET_SOAK_S seconds (600 unless told) in `make full`, and twenty in every run.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.end_to_end.local_aws import LocalAws, eventually
from tests.end_to_end.visitors import Load

EDITS = 100
WORKERS = 2
MORE_MB = 12
"""How much more memory a process may have after the edits: room for the allocator, for no leak."""
DURATION = float(os.environ.get("SAGELET_SOAK_S", "600"))

HANDLERS = """
import torch

VERSION = {version}


def model_fn(model_dir):
    return torch.nn.Linear(2, {width})


def input_fn(body, content_type):
    return torch.ones(1, 2), VERSION


def predict_fn(data, model):
    inputs, version = data
    with torch.no_grad():
        return model(inputs).shape[1], version


def output_fn(prediction, accept):
    width, version = prediction
    return f"{{version}} {{VERSION}} {{width}}", "text/plain"
"""
BROKEN = (
    ("return torch.nn", "return torch.nn)"),
    ("VERSION = ", "VERSION = nobody_knows_this + "),
    ("return torch.nn.Linear(", "raise RuntimeError("),
    (
        "def input_fn",
        "def transform_fn(model, data, kind, accept):\n    return data\n\n\ndef input_fn",
    ),
)


def soak(local: LocalAws, folder: Path, duration_s: float) -> None:
    """Edit a served folder evenly over some seconds, and check every answer."""
    file = folder / "inference.py"
    begun = time.monotonic()
    with Load(local, "soak") as load:
        load.is_heard()
        broken = itertools.cycle(BROKEN)
        width, before = 1, _sizes(local)
        for number in range(1, EDITS + 1):
            width += number % 10 == 0  # every tenth edit is one of the model, too
            good = HANDLERS.format(version=number, width=width)
            if number % 5 == 3:
                old, new = next(broken)
                assert old in good
                file.write_text(good.replace(old, new))
                load.hears_of_an_error()
            else:
                file.write_text(good)
                load.hears(f"{number} {number} {width}")
            if number == EDITS // 4:
                before = _sizes(local)
            while time.monotonic() - begun < duration_s * number / EDITS:
                assert load.failures == []
                time.sleep(0.01)
        after = _sizes(local)
    for answers in load.heard:
        assert {heard.status for heard in answers} == {200}
        assert all(heard.text.split()[0] == heard.text.split()[1] for heard in answers)
        generations = [heard.generation for heard in answers]
        assert generations == sorted(generations)
    assert after.descriptors <= before.descriptors + 4
    assert after.workers == before.workers
    assert after.daemon_mb <= before.daemon_mb + MORE_MB
    assert after.largest_worker_mb <= before.largest_worker_mb + MORE_MB


@dataclass(frozen=True)
class Sizes:
    """What the processes of a home take."""

    descriptors: int
    workers: int
    daemon_mb: float
    largest_worker_mb: float


def _sizes(local: LocalAws) -> Sizes:
    """Measure once the workers of replaced versions have gone."""
    daemon = psutil.Process(local.info.pid)

    def workers() -> list[psutil.Process] | None:
        (zygote,) = daemon.children()
        found = zygote.children()
        return found if len(found) == WORKERS else None

    found = eventually(workers, "the old workers have gone")
    return Sizes(
        descriptors=daemon.num_fds() + sum(worker.num_fds() for worker in found),
        workers=len(found),
        daemon_mb=daemon.memory_info().rss / 2**20,
        largest_worker_mb=max(worker.memory_full_info().uss for worker in found) / 2**20,
    )


@pytest.fixture
def served(own_daemon: LocalAws, tmp_path: Path) -> Iterator[Path]:
    """A folder that is served as the endpoint `soak`, and nothing else is."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "inference.py").write_text(HANDLERS.format(version=0, width=1))
    environment = {"SAGEMAKER_MODEL_SERVER_WORKERS": str(WORKERS)}
    with own_daemon.deployed("soak", folder, environment=environment) as endpoint:
        assert endpoint["EndpointStatus"] == "InService", endpoint.get("FailureReason")
        yield folder


def test_a_hundred_edits_under_load_fail_no_request(own_daemon: LocalAws, served: Path) -> None:
    soak(own_daemon, served, 20)


@pytest.mark.full
def test_a_hundred_edits_over_a_long_time_fail_no_request(
    own_daemon: LocalAws, served: Path
) -> None:
    soak(own_daemon, served, DURATION)
