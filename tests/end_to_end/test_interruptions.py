"""A spot job loses its instances once and goes on; an ended one is resumed under another name."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.local_aws import LocalAws

COUNTS = """
import os
import pathlib
import sys
import time

folder = pathlib.Path("/opt/ml/checkpoints")
done = sorted(int(file.name) for file in folder.iterdir())
print("begins after", done, flush=True)
epochs = int(sys.argv[sys.argv.index("--epochs") + 1])
for epoch in range(len(done), epochs):
    (folder / str(epoch)).write_text("weights")
    if epoch == 1 and not done:
        time.sleep(60)
pathlib.Path(os.environ["SM_MODEL_DIR"], "model").write_text(str(epochs))
"""
CONFIGURATION = """
environments: {local: {model_name: counts}}
train: {entry_point: train.py, hyperparameters: {epochs: 3}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text(COUNTS)
    (tmp_path / "sagelet.yml").write_text(CONFIGURATION)
    return tmp_path


def said_of(local: LocalAws, job: str) -> list[str]:
    return [line for line in local.job_log(job) if line.startswith("begins")]


def described(local: LocalAws, job: str) -> dict[str, Any]:
    seen: dict[str, Any] = local.sagemaker.describe_training_job(TrainingJobName=job)
    return seen


def test_an_interrupted_job_goes_on_and_a_resumed_one_goes_on_from_it(
    local: LocalAws, project: Path
) -> None:
    ran = local.sagelet("train", "--name", "counts-1", "--simulate-interruption", "1s", cwd=project)
    place = "s3://sagelet-us-east-1-000000000000/counts/checkpoints/counts-1"
    assert f"checkpoints are kept at {place}" in ran.stderr
    assert said_of(local, "counts-1") == ["begins after []", "begins after [0, 1]"]
    job = described(local, "counts-1")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert [each["Status"] for each in job["SecondaryStatusTransitions"]] == [
        *("Starting", "Downloading", "Training", "Interrupted"),
        *("Starting", "Downloading", "Training", "Uploading", "Completed"),
    ]
    assert job["EnableManagedSpotTraining"] is True
    assert job["CheckpointConfig"] == {"S3Uri": place}
    assert job["BillableTimeInSeconds"] <= job["TrainingTimeInSeconds"]

    ran = local.sagelet(
        "train", "--resume", "counts-1", "--name", "counts-2", "-p", "epochs=5", cwd=project
    )
    assert f"counts-2 goes on from {place}" in ran.stderr
    assert said_of(local, "counts-2") == ["begins after [0, 1, 2]"]
    url = described(local, "counts-2")["ModelArtifacts"]["S3ModelArtifacts"]
    with tarfile.open(local.home.buckets / url.removeprefix("s3://")) as archive:
        assert archive.getnames() == ["model"]
    keys = local.client("s3").list_objects_v2(
        Bucket="sagelet-us-east-1-000000000000", Prefix="counts/checkpoints/"
    )["Contents"]
    assert [key["Key"].rpartition("/")[2] for key in keys] == ["0", "1", "2", "3", "4"]


def test_a_job_without_checkpoints_cannot_be_resumed(local: LocalAws, project: Path) -> None:
    (project / "train.py").write_text("")
    local.train("plain", project)
    local.wait_ended("plain")
    refused = local.sagelet("train", "--resume", "plain", cwd=project, code=2)
    assert "plain kept no checkpoints" in refused.stderr
    refused = local.sagelet("train", "--resume", "plain", "--hosts", "2", cwd=project, code=2)
    assert "--resume takes the older job's settings" in refused.stderr
