"""A person stops a training job: the script hears of it, saves what it has, or is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.local_aws import LocalAws, eventually

SAVES = """
import os
import pathlib
import signal
import sys
import time

import torch

model = torch.nn.Linear(1, 1)


def save(number, frame):
    print("saving", flush=True)
    torch.save(model.state_dict(), pathlib.Path(os.environ["SM_MODEL_DIR"], "model.pth"))
    sys.exit(0)


signal.signal(signal.SIGTERM, save)
print("training", flush=True)
while True:
    time.sleep(0.01)
"""
IGNORES = """
import os
import pathlib
import signal
import subprocess
import sys
import time

signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
pathlib.Path(os.environ["SM_MODEL_DIR"], "checkpoint").write_text("half")
pathlib.Path(os.environ["PIDS"]).write_text(f"{os.getpid()} {child.pid}")
print("training", flush=True)
time.sleep(300)
"""
GRACE_S = 1


def running(
    local: LocalAws, name: str, folder: Path, script: str, *, grace_s: int = GRACE_S
) -> None:
    """Start a job, and return once its script is at work."""
    source = folder / "source"
    source.mkdir()
    (source / "train.py").write_text(script)
    variables = {"SAGELET_STOP_GRACE_S": str(grace_s), "PIDS": str(folder / "pids")}
    local.train(name, source, Environment=variables)
    eventually(lambda: "training" in local.job_log(name), "the script is at work")


def artifact_of(job: dict[str, Any], local: LocalAws) -> Path:
    """The archive of a job's model."""
    url: str = job["ModelArtifacts"]["S3ModelArtifacts"]
    if url.startswith("s3://"):
        return local.home.buckets / url.removeprefix("s3://")
    return Path(url.removeprefix("file://"))


def test_a_script_that_is_told_to_stop_saves_and_its_model_is_kept(
    local: LocalAws, tmp_path: Path
) -> None:
    running(local, "saves", tmp_path, SAVES)
    local.sagemaker.stop_training_job(TrainingJobName="saves")
    local.sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName="saves")

    job = local.sagemaker.describe_training_job(TrainingJobName="saves")
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Stopped"
    assert "FailureReason" not in job
    statuses = [each["Status"] for each in job["SecondaryStatusTransitions"]]
    assert statuses == ["Starting", "Downloading", "Training", "Stopping", "Stopped"]
    assert "saving" in local.job_log("saves")
    with tarfile.open(artifact_of(job, local)) as archive:
        assert archive.getnames() == ["model.pth"]


def test_a_script_that_does_not_listen_is_killed_with_all_that_it_started(
    local: LocalAws, tmp_path: Path
) -> None:
    running(local, "ignores", tmp_path, IGNORES)
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    started = time.monotonic()
    local.sagemaker.stop_training_job(TrainingJobName="ignores")
    seen = local.sagemaker.describe_training_job(TrainingJobName="ignores")
    assert seen["TrainingJobStatus"] == "Stopping"
    job = local.wait_ended("ignores")
    assert job["TrainingJobStatus"] == "Stopped"
    assert GRACE_S <= time.monotonic() - started < GRACE_S + 5
    assert artifact_of(job, local).is_file()
    assert not any(Path("/proc", str(pid)).exists() for pid in pids)


def test_a_job_that_takes_too_long_is_stopped_and_says_so(local: LocalAws, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "train.py").write_text(SAVES)
    local.train("too-long", source, StoppingCondition={"MaxRuntimeInSeconds": 1})
    job = local.wait_ended("too-long")
    assert job["TrainingJobStatus"] == "Stopped"
    assert job["SecondaryStatus"] == "MaxRuntimeExceeded"
    assert artifact_of(job, local).is_file()


def test_ctrl_c_on_the_program_stops_the_job_and_ends_it_with_130(
    local: LocalAws, tmp_path: Path
) -> None:
    (tmp_path / "train.py").write_text(SAVES)
    (tmp_path / "sagelet.yml").write_text(
        "environments: {local: {model_name: interrupted}}\ntrain: {entry_point: train.py}\n"
    )
    with subprocess.Popen(
        [sys.executable, "-m", "sagelet", "train", "--name", "interrupted"],
        cwd=tmp_path,
        env=local.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        lines = iter(program.stdout.readline, "")
        assert "algo-1 | training\n" in lines  # reads up to it
        program.send_signal(signal.SIGINT)
        said = "".join(lines)
        assert program.wait(30) == 130
    assert "saving" in said
    assert local.wait_ended("interrupted")["TrainingJobStatus"] == "Stopped"


def test_ctrl_c_twice_kills_the_job_without_its_grace(local: LocalAws, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(IGNORES.replace('os.environ["PIDS"]', f"'{tmp_path}/pids'"))
    (tmp_path / "sagelet.yml").write_text(
        "environments: {local: {model_name: killed}}\ntrain: {entry_point: train.py}\n"
    )
    with subprocess.Popen(
        [sys.executable, "-m", "sagelet", "train", "--name", "killed"],
        cwd=tmp_path,
        env=local.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        assert "algo-1 | training\n" in iter(program.stdout.readline, "")
        said = iter(program.stderr.readline, "")
        program.send_signal(signal.SIGINT)
        assert "stopping killed; Ctrl-C again kills it\n" in said
        program.send_signal(signal.SIGINT)
        assert "killing killed\n" in said
        assert program.wait(30) == 130  # its grace is two minutes
    job = local.wait_ended("killed")
    assert job["TrainingJobStatus"] == "Stopped"
    assert artifact_of(job, local).is_file()
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert not any(Path("/proc", str(pid)).exists() for pid in pids)


def test_a_stop_by_force_waits_for_no_grace(local: LocalAws, tmp_path: Path) -> None:
    running(local, "forced", tmp_path, IGNORES, grace_s=120)
    local.sagelet("stop", "forced", "--force")
    assert local.wait_ended("forced")["TrainingJobStatus"] == "Stopped"
    assert "in status Stopped" in local.sagelet("stop", "forced", "--force", code=9).stderr


def test_a_job_that_has_ended_cannot_be_stopped(local: LocalAws, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("print('done')\n")
    local.train("ended", tmp_path)
    local.wait_ended("ended")
    with pytest.raises(local.sagemaker.exceptions.ClientError) as caught:
        local.sagemaker.stop_training_job(TrainingJobName="ended")
    assert caught.value.response["Error"] == {
        "Code": "ValidationException",
        "Message": "The request was rejected because the training job is in status Completed.",
    }
