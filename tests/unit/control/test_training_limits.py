"""Spot jobs, their limits and their checkpoints, as they are asked for and described."""

from __future__ import annotations

from typing import Any

import pytest

from sagelet.domain.training import Checkpoints, SecondaryStatus
from sagelet.errors import InvalidRequest
from tests.control_bench import Bench

SPOT: dict[str, Any] = {
    "EnableManagedSpotTraining": True,
    "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 90},
}
INTERRUPTED = {"SAGELET_SIMULATE_INTERRUPTION_S": "30"}


async def test_a_spot_job_reaches_the_runner_with_its_limits(bench: Bench) -> None:
    await bench.create_job(**SPOT, Environment=INTERRUPTED)
    (job,) = bench.runner.started
    assert (job.is_spot, job.max_runtime_s, job.max_wait_s) == (True, 60, 90)
    shown = await bench.ask("DescribeTrainingJob", TrainingJobName="train-1")
    assert {name: shown[name] for name in SPOT} == SPOT


async def test_checkpoints_reach_the_runner_and_are_described_as_asked(bench: Bench) -> None:
    asked = {"S3Uri": "s3://artifacts/ckpt"}
    await bench.create_job(CheckpointConfig=asked)
    await bench.create_job("train-2", CheckpointConfig={**asked, "LocalPath": "/opt/ml/model/c/"})
    jobs = bench.runner.started
    assert jobs[0].checkpoints == Checkpoints("s3://artifacts/ckpt", "/opt/ml/checkpoints")
    assert jobs[1].checkpoints == Checkpoints("s3://artifacts/ckpt", "/opt/ml/model/c")
    shown = await bench.ask("DescribeTrainingJob", TrainingJobName="train-1")
    assert shown["CheckpointConfig"] == asked


async def test_checkpoints_may_lie_in_a_folder_of_this_machine(bench: Bench) -> None:
    await bench.create_job(CheckpointConfig={"S3Uri": "file:///there/ckpt"})
    assert bench.runner.started[0].checkpoints == Checkpoints("file:///there/ckpt")


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (
            {"EnableManagedSpotTraining": True},
            "It must be present and be greater than or equal to MaxRuntimeInSeconds",
        ),
        (
            {**SPOT, "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 59}},
            "It must be present and be greater than or equal to MaxRuntimeInSeconds",
        ),
        (
            {"StoppingCondition": SPOT["StoppingCondition"]},
            "It is only supported when EnableManagedSpotTraining is set to true",
        ),
        ({"Environment": INTERRUPTED}, "only the instances of a spot job are taken away"),
        (
            {**SPOT, "Environment": {"SAGELET_SIMULATE_INTERRUPTION_S": "30s"}},
            "'30s', and has to be a whole number of seconds",
        ),
        ({"CheckpointConfig": {"S3Uri": "s3://nowhere/c"}}, "CheckpointConfig.S3Uri"),
        (
            {"CheckpointConfig": {"S3Uri": "s3://artifacts/c", "LocalPath": "/tmp/c"}},
            "'/tmp/c' is not below /opt/ml",
        ),
        (
            {"CheckpointConfig": {"S3Uri": "s3://artifacts/c", "LocalPath": "/opt/ml"}},
            "is not below /opt/ml",
        ),
        (
            {"CheckpointConfig": {"S3Uri": "s3://artifacts/c", "LocalPath": "/opt/ml/../c"}},
            "is not below /opt/ml",
        ),
        (
            {"CheckpointConfig": {"S3Uri": "s3://artifacts/c", "LocalPath": "/opt/ml/input/c"}},
            "lies in /opt/ml/input, which the platform fills",
        ),
    ],
)
async def test_what_does_not_fit_is_refused_with_its_reason(
    bench: Bench, members: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await bench.create_job(**members)
    assert message in str(refused.value)
    assert bench.runner.started == []


async def test_time_between_two_attempts_is_training_time_and_not_paid_for(bench: Bench) -> None:
    await bench.create_job(**SPOT)
    attempt = (SecondaryStatus.DOWNLOADING, SecondaryStatus.TRAINING)
    again = (SecondaryStatus.INTERRUPTED, SecondaryStatus.STARTING)  # 10 s each
    end = (SecondaryStatus.UPLOADING, SecondaryStatus.COMPLETED)
    bench.move_job("train-1", *attempt, *again, *attempt, *end)
    shown = await bench.ask("DescribeTrainingJob", TrainingJobName="train-1")
    assert shown["TrainingTimeInSeconds"] == 70
    assert shown["BillableTimeInSeconds"] == 50
    statuses = [each["Status"] for each in shown["SecondaryStatusTransitions"]]
    assert statuses.count("Training") == statuses.count("Downloading") == 2


async def test_an_uncompressed_model_is_said_to_lie_in_a_folder(bench: Bench) -> None:
    output = {"S3OutputPath": "s3://artifacts/out", "CompressionType": "NONE"}
    await bench.create_job(OutputDataConfig=output)
    shown = await bench.ask("DescribeTrainingJob", TrainingJobName="train-1")
    url = shown["ModelArtifacts"]["S3ModelArtifacts"]
    assert url == "s3://artifacts/out/train-1/output/model/"
