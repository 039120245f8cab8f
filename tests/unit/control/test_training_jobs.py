from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sagelet.domain.training import (
    MetricDefinition,
    SecondaryStatus,
    ToolkitProgram,
    TrainingJobStatus,
)
from sagelet.errors import AlreadyExists, InvalidRequest, NotSupported, TrainingJobNotFound
from tests.builders import a_training_document
from tests.control_bench import Bench

ARN = "arn:aws:sagemaker:us-east-1:000000000000:training-job/train-1"
WHOLE_WAY = (
    SecondaryStatus.DOWNLOADING,
    SecondaryStatus.TRAINING,
    SecondaryStatus.UPLOADING,
    SecondaryStatus.COMPLETED,
)


def _changed(path: str, value: object) -> dict[str, Any]:
    """Return a training document with one member, named by its path, replaced."""
    document = a_training_document()
    at: Any = document
    *way, last = path.split(".")
    for step in way:
        at = at[0] if isinstance(at, list) else at
        at = at.setdefault(step, {})
    at = at[0] if isinstance(at, list) else at
    at[last] = value
    return document


async def test_a_job_is_recorded_and_handed_to_the_runner(bench: Bench) -> None:
    bench.put_object("data", "train/part-0.csv")

    answer = await bench.ask("CreateTrainingJob", **a_training_document())

    assert answer == {"TrainingJobArn": ARN}
    (job,) = bench.runner.started
    with bench.store.reading() as snapshot:
        assert job == snapshot.training_jobs.get("train-1")
    assert job.program == ToolkitProgram("train.py", "s3://code/train-1/sourcedir.tar.gz")
    assert job.hyperparameters["epochs"] == "3"
    assert [(channel.name, channel.uri) for channel in job.channels] == [
        ("training", "s3://data/train")
    ]
    assert (job.cluster.host_count, job.max_runtime_s, job.output_uri) == (
        1,
        86400,
        "s3://artifacts/",
    )
    assert (job.status, job.secondary_status) == (
        TrainingJobStatus.IN_PROGRESS,
        SecondaryStatus.STARTING,
    )


async def test_a_job_that_begins_is_described_with_all_that_clients_read(bench: Bench) -> None:
    await bench.create_job()

    shown = await bench.ask("DescribeTrainingJob", TrainingJobName="train-1")

    now = bench.clock.now()
    document = a_training_document()
    source = {**document["InputDataConfig"][0]["DataSource"]["S3DataSource"]}
    assert shown == {
        **document,
        "TrainingJobArn": ARN,
        "TrainingJobStatus": "InProgress",
        "SecondaryStatus": "Starting",
        "SecondaryStatusTransitions": [
            {
                "Status": "Starting",
                "StartTime": now,
                "StatusMessage": "Starting the training job",
            }
        ],
        "CreationTime": now,
        "LastModifiedTime": now,
        "ModelArtifacts": {"S3ModelArtifacts": "s3://artifacts/train-1/output/model.tar.gz"},
        "OutputDataConfig": {
            "S3OutputPath": "s3://artifacts/",
            "KmsKeyId": "",
            "CompressionType": "GZIP",
        },
        "InputDataConfig": [
            {
                "ChannelName": "training",
                "CompressionType": "None",
                "RecordWrapperType": "None",
                "DataSource": {
                    "S3DataSource": {"S3DataDistributionType": "FullyReplicated", **source}
                },
            }
        ],
        "EnableInterContainerTrafficEncryption": False,
        "EnableManagedSpotTraining": False,
        "EnableNetworkIsolation": False,
    }


async def test_a_job_that_ended_is_described_with_its_times_and_its_course(bench: Bench) -> None:
    await bench.create_job()
    bench.move_job("train-1", *WHOLE_WAY)
    ended_at = bench.clock.now()
    with bench.store.writing() as tx:
        job = tx.training_jobs.get("train-1")
        tx.training_jobs.put(
            replace(
                job,
                artifact_uri="s3://artifacts/train-1/output/model.tar.gz",
                final_metrics=(("loss", 0.5, ended_at),),
            )
        )

    shown = await bench.ask("DescribeTrainingJob", TrainingJobName="train-1")

    assert (shown["TrainingJobStatus"], shown["SecondaryStatus"]) == ("Completed", "Completed")
    assert (shown["TrainingTimeInSeconds"], shown["BillableTimeInSeconds"]) == (30, 30)
    assert (ended_at - shown["TrainingStartTime"]).total_seconds() == 30
    assert shown["TrainingEndTime"] == ended_at
    assert shown["FinalMetricDataList"] == [
        {"MetricName": "loss", "Value": 0.5, "Timestamp": ended_at}
    ]
    assert [step["Status"] for step in shown["SecondaryStatusTransitions"]] == [
        "Starting",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    ]
    assert all(
        step["EndTime"] and step["StatusMessage"] for step in shown["SecondaryStatusTransitions"]
    )
    assert "FailureReason" not in shown


async def test_a_failure_shows_the_first_1024_characters_of_its_reason(bench: Bench) -> None:
    await bench.create_job()
    bench.move_job("train-1", SecondaryStatus.FAILED, reason="AlgorithmError: " + "x" * 2000)

    shown = await bench.ask("DescribeTrainingJob", TrainingJobName="train-1")

    assert len(shown["FailureReason"]) == 1024
    assert "TrainingTimeInSeconds" not in shown


async def test_a_name_can_be_taken_once(bench: Bench) -> None:
    await bench.create_job()
    bench.move_job("train-1", SecondaryStatus.FAILED, reason="x")

    with pytest.raises(AlreadyExists) as caught:
        await bench.create_job("Train-1")

    assert (caught.value.kind, caught.value.name) == ("training job", ARN)
    assert len(bench.runner.started) == 1


async def test_of_many_concurrent_jobs_of_a_name_one_wins(bench: Bench) -> None:
    bench.put_object("data", "train/part-0.csv")

    answers = await asyncio.gather(
        *(bench.ask("CreateTrainingJob", **a_training_document()) for _ in range(20)),
        return_exceptions=True,
    )

    assert sum(isinstance(answer, AlreadyExists) for answer in answers) == 19
    assert len(bench.runner.started) == 1


async def test_a_channel_without_data_is_refused_in_awss_words(bench: Bench) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await bench.ask("CreateTrainingJob", **a_training_document())

    assert str(caught.value) == (
        'No S3 objects found under S3 URL "s3://data/train" given in input data source. Please '
        "ensure that the bucket exists in the selected region (us-east-1), that objects exist "
        'under that S3 prefix, and that the role "arn:aws:iam::000000000000:role/'
        'AmazonSageMakerFullAccess" has "s3:ListBucket" permissions on bucket "data".'
    )
    assert bench.runner.started == []
    with pytest.raises(TrainingJobNotFound):
        await bench.ask("DescribeTrainingJob", TrainingJobName="train-1")


async def test_a_channel_may_be_a_prefix_that_is_no_folder(bench: Bench) -> None:
    bench.put_object("data", "train-0.csv")

    await bench.ask("CreateTrainingJob", **a_training_document())


async def test_a_channel_may_be_a_folder_of_this_machine(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "data here"
    path = "InputDataConfig.DataSource.S3DataSource.S3Uri"
    with pytest.raises(InvalidRequest, match="No files found under"):
        await bench.ask("CreateTrainingJob", **_changed(path, folder.as_uri()))
    folder.mkdir()
    (folder / "x.csv").write_text("x")

    await bench.ask("CreateTrainingJob", **_changed(path, folder.as_uri()))

    assert bench.runner.started[0].channels[0].uri == folder.as_uri()


async def test_a_job_may_have_no_channel_and_no_stopping_condition(bench: Bench) -> None:
    document = a_training_document()
    del document["InputDataConfig"], document["StoppingCondition"]
    await bench.ask("CreateTrainingJob", **document)

    shown = await bench.ask("DescribeTrainingJob", TrainingJobName="train-1")

    assert "InputDataConfig" not in shown
    assert shown["StoppingCondition"] == {"MaxRuntimeInSeconds": 86400}


async def test_a_program_may_be_named_as_it_is_or_in_the_environment(bench: Bench) -> None:
    bench.put_object("data", "train/x")
    raw = {"sagemaker_program": "train.py", "sagemaker_submit_directory": "file:///src"}
    await bench.ask("CreateTrainingJob", **a_training_document("raw", HyperParameters=raw))
    await bench.ask(
        "CreateTrainingJob",
        **a_training_document(
            "env",
            HyperParameters={},
            Environment={
                "SAGEMAKER_PROGRAM": "run.sh",
                "SAGEMAKER_SUBMIT_DIRECTORY": "s3://code/x.tar.gz",
            },
        ),
    )

    assert [job.program for job in bench.runner.started] == [
        ToolkitProgram("train.py", "file:///src"),
        ToolkitProgram("run.sh", "s3://code/x.tar.gz"),
    ]


@pytest.mark.parametrize(
    "hyperparameters", [{}, {"epochs": "3"}, {"sagemaker_program": '"train.py"'}]
)
async def test_a_job_without_a_script_is_told_what_would_run_it(
    bench: Bench, hyperparameters: dict[str, str]
) -> None:
    with pytest.raises(NotSupported) as caught:
        await bench.ask("CreateTrainingJob", **_changed("HyperParameters", hyperparameters))

    assert "sagelet 0.1.0 runs no images" in str(caught.value)
    assert "sagemaker_program" in str(caught.value)
    assert "sagemaker_submit_directory" in str(caught.value)


SOURCE = "InputDataConfig.DataSource.S3DataSource"


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("AlgorithmSpecification.TrainingInputMode", "Pipe", "TrainingInputMode Pipe"),
        ("InputDataConfig.InputMode", "Pipe", "InputMode Pipe"),
        ("InputDataConfig.RecordWrapperType", "RecordIO", "RecordWrapperType RecordIO"),
        (f"{SOURCE}.S3DataType", "AugmentedManifestFile", "S3DataType AugmentedManifestFile"),
    ],
)
async def test_what_is_not_served_is_named_with_the_release(
    bench: Bench, path: str, value: object, named: str
) -> None:
    bench.put_object("data", "train/x")

    with pytest.raises(NotSupported) as caught:
        await bench.ask("CreateTrainingJob", **_changed(path, value))

    assert named in str(caught.value)
    assert "is not served by sagelet 0.1.0" in str(caught.value)
    assert bench.runner.started == []


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("AlgorithmSpecification.TrainingImage", "", "TrainingImage"),
        ("ResourceConfig", {}, "InstanceType and InstanceCount"),
        ("OutputDataConfig.S3OutputPath", "file://relative/path", "relative"),
        ("OutputDataConfig.S3OutputPath", "https://bucket/x", "neither an s3://"),
        (
            "AlgorithmSpecification.MetricDefinitions",
            [{"Name": "loss", "Regex": "loss=(["}],
            "The regex of metric 'loss' is not one",
        ),
        (
            "InputDataConfig",
            [
                {"ChannelName": "a", "DataSource": {"S3DataSource": source}}
                for source in [{"S3DataType": "S3Prefix", "S3Uri": "s3://data/train"}] * 2
            ],
            "Two input channels are named 'a'",
        ),
        ("InputDataConfig.DataSource", {}, "needs an S3DataSource"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    bench: Bench, path: str, value: object, said: str
) -> None:
    bench.put_object("data", "train/x")

    with pytest.raises(InvalidRequest, match=said):
        await bench.ask("CreateTrainingJob", **_changed(path, value))

    assert bench.runner.started == []


async def test_what_has_no_effect_here_is_accepted_and_echoed(bench: Bench) -> None:
    """What SDK v2's estimators send along."""
    extra = {
        "DebugHookConfig": {"S3OutputPath": "s3://artifacts/", "CollectionConfigurations": []},
        "ProfilerConfig": {"S3OutputPath": "s3://artifacts/", "DisableProfiler": False},
        "RetryStrategy": {"MaximumRetryAttempts": 2},
    }

    await bench.create_job(**extra)

    shown = await bench.ask("DescribeTrainingJob", TrainingJobName="train-1")
    assert {name: shown[name] for name in extra} == extra


async def test_metrics_and_environment_reach_the_runner(bench: Bench) -> None:
    definitions = [{"Name": "loss", "Regex": "loss: ([0-9.]+)"}]
    document = _changed("AlgorithmSpecification.MetricDefinitions", definitions)
    bench.put_object("data", "train/x")

    await bench.ask("CreateTrainingJob", **document, Environment={"A": "b"})

    (job,) = bench.runner.started
    assert job.metrics == (MetricDefinition("loss", "loss: ([0-9.]+)"),)
    assert job.environment == {"A": "b"}


async def test_a_job_is_stopped_once(bench: Bench) -> None:
    await bench.create_job()

    await bench.ask("StopTrainingJob", TrainingJobName="train-1")
    await bench.ask("StopTrainingJob", TrainingJobName="train-1")

    (stopped,) = bench.runner.stopped
    assert stopped.status is TrainingJobStatus.STOPPING
    shown = await bench.ask("DescribeTrainingJob", TrainingJobName="train-1")
    assert (shown["TrainingJobStatus"], shown["SecondaryStatus"]) == ("Stopping", "Stopping")


@pytest.mark.parametrize(
    "status", [SecondaryStatus.COMPLETED, SecondaryStatus.FAILED, SecondaryStatus.STOPPED]
)
async def test_a_job_that_ended_cannot_be_stopped(bench: Bench, status: SecondaryStatus) -> None:
    await bench.create_job()
    bench.move_job("train-1", status)

    with pytest.raises(InvalidRequest) as caught:
        await bench.ask("StopTrainingJob", TrainingJobName="train-1")

    assert str(caught.value) == (
        f"The request was rejected because the training job is in status {status}."
    )
    assert bench.runner.stopped == []


async def test_a_job_that_ended_is_deleted_with_its_log_and_its_name_is_free(bench: Bench) -> None:
    await bench.create_job()
    bench.move_job("train-1", SecondaryStatus.FAILED)
    with bench.store.reading() as snapshot:
        job = snapshot.training_jobs.get("train-1")
    group, stream = "/aws/sagemaker/TrainingJobs", job.log_stream(job.cluster.hosts[0])
    bench.logs.append(group, stream, [(0, "a line")])

    await bench.ask("DeleteTrainingJob", TrainingJobName="train-1")

    assert [forgotten.name for forgotten in bench.runner.forgotten] == ["train-1"]
    assert not bench.logs.has_stream(group, stream)
    with pytest.raises(TrainingJobNotFound):
        await bench.ask("DescribeTrainingJob", TrainingJobName="train-1")
    await bench.create_job()


async def test_the_bucket_of_the_output_must_be_there(bench: Bench) -> None:
    bench.put_object("data", "train/x")

    with pytest.raises(InvalidRequest, match=r"""bucket "nobucket" of S3OutputPath .* not exist"""):
        await bench.ask(
            "CreateTrainingJob",
            **a_training_document(OutputDataConfig={"S3OutputPath": "s3://nobucket/x"}),
        )

    assert bench.runner.started == []


async def test_a_job_that_runs_cannot_be_deleted(bench: Bench) -> None:
    await bench.create_job()

    with pytest.raises(InvalidRequest, match="the training job is in status InProgress"):
        await bench.ask("DeleteTrainingJob", TrainingJobName="train-1")

    assert bench.runner.forgotten == []


async def test_jobs_are_listed_oldest_first_by_status_and_name(bench: Bench) -> None:
    for name in ("train-a", "train-b", "other"):
        bench.clock.move(1)
        await bench.create_job(name)
    bench.move_job("train-b", SecondaryStatus.COMPLETED)

    async def names(**asked: Any) -> list[str]:  # noqa: ANN401  AWS's members
        shown = await bench.ask("ListTrainingJobs", **asked)
        return [job["TrainingJobName"] for job in shown["TrainingJobSummaries"]]

    assert await names() == ["train-a", "train-b", "other"]
    assert await names(StatusEquals="Completed") == ["train-b"]
    assert await names(NameContains="train", SortBy="Name", SortOrder="Descending") == [
        "train-b",
        "train-a",
    ]
    assert await names(WarmPoolStatusEquals="InUse") == []


async def test_a_listed_job_that_ended_shows_when(bench: Bench) -> None:
    await bench.create_job()
    bench.move_job("train-1", SecondaryStatus.COMPLETED)

    (shown,) = (await bench.ask("ListTrainingJobs"))["TrainingJobSummaries"]

    assert shown["TrainingEndTime"] == bench.clock.now()
    assert (shown["TrainingJobStatus"], shown["SecondaryStatus"]) == ("Completed", "Completed")
