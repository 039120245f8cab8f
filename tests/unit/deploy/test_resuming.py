"""A job that goes on from an older one's checkpoints."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sagelet.deploy.resuming import resumed
from sagelet.errors import Busy, InvalidRequest

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OLDER: dict[str, Any] = {
    "TrainingJobName": "digits-20260101-000000-abcd",
    "TrainingJobArn": "arn:aws:sagemaker:us-east-1:000000000000:training-job/digits",
    "TrainingJobStatus": "Failed",
    "FailureReason": "InternalServerError: the machine stopped",
    "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
    "RoleArn": "arn:aws:iam::000000000000:role/sagelet",
    "HyperParameters": {"epochs": "10", "sagemaker_job_name": '"digits-20260101-000000-abcd"'},
    "Environment": {"DEPLOY_ENV": "local", "SAGELET_SIMULATE_INTERRUPTION_S": "30"},
    "EnableManagedSpotTraining": True,
    "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60},
    "ResourceConfig": {"InstanceCount": 2, "InstanceType": "local", "VolumeSizeInGB": 30},
    "OutputDataConfig": {"S3OutputPath": "s3://b/out", "KmsKeyId": ""},
    "CheckpointConfig": {"S3Uri": "s3://b/ckpt"},
    "ModelArtifacts": {"S3ModelArtifacts": "s3://b/out/model.tar.gz"},
}


def test_a_resumed_job_has_the_same_settings_and_another_name() -> None:
    document = resumed(OLDER, at=AT)
    name = document["TrainingJobName"]
    assert name.startswith("digits-20260102-030405-")
    assert document["HyperParameters"] == {"epochs": "10", "sagemaker_job_name": f'"{name}"'}
    assert document["CheckpointConfig"] == {"S3Uri": "s3://b/ckpt"}
    assert document["ResourceConfig"] == OLDER["ResourceConfig"]
    assert document["OutputDataConfig"] == {"S3OutputPath": "s3://b/out"}
    assert not {"FailureReason", "ModelArtifacts", "TrainingJobStatus"} & document.keys()


def test_it_is_not_interrupted_again() -> None:
    assert resumed(OLDER, at=AT)["Environment"] == {"DEPLOY_ENV": "local"}


def test_its_name_and_hyperparameters_may_be_chosen() -> None:
    document = resumed(OLDER, at=AT, name="again", hyperparameters={"epochs": 20, "note": "b"})
    assert document["TrainingJobName"] == "again"
    assert document["HyperParameters"]["epochs"] == "20"
    assert document["HyperParameters"]["note"] == '"b"'


@pytest.mark.parametrize("status", ["InProgress", "Stopping"])
def test_a_job_that_runs_is_not_resumed(status: str) -> None:
    with pytest.raises(Busy, match="digits-20260101"):
        resumed({**OLDER, "TrainingJobStatus": status}, at=AT)


def test_a_job_without_checkpoints_is_not_resumed() -> None:
    without = {key: value for key, value in OLDER.items() if key != "CheckpointConfig"}
    with pytest.raises(InvalidRequest, match="kept no checkpoints"):
        resumed(without, at=AT)
