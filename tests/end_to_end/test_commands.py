"""A job that is a command, created with boto3 as SageMaker SDK v3 creates it."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.end_to_end.documents import a_training_job
from tests.end_to_end.local_aws import LocalAws

pytestmark = pytest.mark.usefixtures("nothing_lost")


def test_a_command_runs_and_its_failure_has_the_users_line(local: LocalAws, tmp_path: Path) -> None:
    source = tmp_path / "code"
    source.mkdir()
    (source / "train.py").write_text("import sys\nprint('begun', flush=True)\n{}['label']\n")
    asked = a_training_job("command", source)
    algorithm = asked["AlgorithmSpecification"] | {
        "ContainerEntrypoint": ["/bin/sh"],
        "ContainerArguments": ["-c", "cd /opt/ml/input/data/code && python3 train.py; exit 3"],
    }
    channel = {
        "ChannelName": "code",
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": source.as_uri()}},
    }
    local.sagemaker.create_training_job(
        **{
            **asked,
            "AlgorithmSpecification": algorithm,
            "InputDataConfig": [channel],
            "HyperParameters": {},
        }
    )
    job = local.wait_ended("command")
    assert job["AlgorithmSpecification"] == algorithm
    assert job["FailureReason"] == (
        "AlgorithmError: KeyError: 'label' (raised at train.py:3), exit code: 3"
    )
    assert "begun" in local.job_log("command")
    local.sagemaker.delete_training_job(TrainingJobName="command")


def test_a_job_whose_image_would_have_to_run_is_told_what_runs(
    local: LocalAws, tmp_path: Path
) -> None:
    asked = a_training_job("image", tmp_path)
    del asked["HyperParameters"]
    with pytest.raises(ClientError, match="runs no images") as refused:
        local.sagemaker.create_training_job(**asked)
    assert "ContainerEntrypoint" in str(refused.value)
