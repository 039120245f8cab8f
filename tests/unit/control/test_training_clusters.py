"""The hosts that a job asks for, and what of them is refused."""

from __future__ import annotations

from typing import Any

import pytest

from sagelet.control.documents.training_clusters import MOST_HOSTS
from sagelet.domain.training import Cluster
from sagelet.errors import InvalidRequest, NotSupported, TooManyHosts
from tests.builders import a_training_document
from tests.control_bench import Bench

CPU = {"InstanceGroupName": "cpu", "InstanceType": "ml.c5.xlarge", "InstanceCount": 1}
GPU = {"InstanceGroupName": "gpu", "InstanceType": "ml.p3.2xlarge", "InstanceCount": 2}


def _resources(**resources: object) -> dict[str, Any]:
    return a_training_document(ResourceConfig={"VolumeSizeInGB": 1, **resources})


def _channel(name: str, *groups: str) -> dict[str, Any]:
    source: dict[str, Any] = {"S3DataType": "S3Prefix", "S3Uri": "s3://data/train"}
    if groups:
        source["InstanceGroupNames"] = list(groups)
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


async def test_a_job_has_as_many_hosts_as_it_asks_for(bench: Bench) -> None:
    bench.put_object("data", "train/x")
    asked = _resources(InstanceCount=3, InstanceType="ml.m5.xlarge")

    await bench.ask("CreateTrainingJob", **asked)

    assert bench.runner.started[0].cluster == Cluster.of(3, "ml.m5.xlarge")
    shown = await bench.ask("DescribeTrainingJob", TrainingJobName="train-1")
    assert shown["ResourceConfig"] == asked["ResourceConfig"]


async def test_instance_groups_are_numbered_through_and_echoed(bench: Bench) -> None:
    bench.put_object("data", "train/x")
    asked = _resources(InstanceGroups=[CPU, GPU])

    await bench.ask("CreateTrainingJob", **asked)

    hosts = bench.runner.started[0].cluster.hosts
    assert [(host.name, host.group, host.instance_type) for host in hosts] == [
        ("algo-1", "cpu", "ml.c5.xlarge"),
        ("algo-2", "gpu", "ml.p3.2xlarge"),
        ("algo-3", "gpu", "ml.p3.2xlarge"),
    ]
    shown = await bench.ask("DescribeTrainingJob", TrainingJobName="train-1")
    assert shown["ResourceConfig"] == asked["ResourceConfig"]


@pytest.mark.parametrize(
    ("resources", "said"),
    [
        ({}, "needs ResourceConfig.InstanceType and InstanceCount, or InstanceGroups"),
        ({"InstanceCount": 0, "InstanceType": "ml.m5.large"}, "InstanceType and InstanceCount"),
        (
            {"InstanceCount": 1, "InstanceGroups": [CPU]},
            "^InstanceType or InstanceCount cannot be specified with InstanceGroups$",
        ),
        ({"InstanceGroups": [CPU, GPU, CPU]}, "Two instance groups are named 'cpu'"),
        (
            {"InstanceGroups": [CPU | {"InstanceCount": 0}]},
            "group 'cpu' needs an InstanceCount above 0",
        ),
    ],
)
async def test_hosts_that_make_no_sense_are_refused(
    bench: Bench, resources: dict[str, Any], said: str
) -> None:
    bench.put_object("data", "train/x")

    with pytest.raises(InvalidRequest, match=said):
        await bench.ask("CreateTrainingJob", **_resources(**resources))

    assert bench.runner.started == []


@pytest.mark.parametrize(
    "resources",
    [
        {"InstanceCount": MOST_HOSTS + 1, "InstanceType": "local"},
        {"InstanceGroups": [CPU, GPU | {"InstanceCount": MOST_HOSTS}]},
    ],
)
async def test_more_hosts_than_a_machine_is_made_for_are_refused(
    bench: Bench, resources: dict[str, Any]
) -> None:
    bench.put_object("data", "train/x")

    with pytest.raises(TooManyHosts, match=f"{MOST_HOSTS + 1} hosts, .* at most {MOST_HOSTS}"):
        await bench.ask("CreateTrainingJob", **_resources(**resources))


async def test_all_channels_name_their_groups_or_none_does(bench: Bench) -> None:
    bench.put_object("data", "train/x")
    channels = [_channel("a", "cpu"), _channel("b"), _channel("c", "gpu", "cpu")]
    asked = _resources(InstanceGroups=[CPU, GPU]) | {"InputDataConfig": channels}

    with pytest.raises(
        InvalidRequest,
        match=r"^Some channels have assigned instance groups: \[a, c\] while others not: \[b\]$",
    ):
        await bench.ask("CreateTrainingJob", **asked)


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"sagemaker_distributed_dataparallel_enabled": "true"}, "smdistributed.dataparallel"),
        (
            {"sagemaker_mpi_enabled": "true", "mp_parameters": '{"partitions": 2}'},
            "smdistributed.modelparallel",
        ),
        ({"sagemaker_pytorch_xla_multi_worker_enabled": "true"}, "pytorchxla"),
    ],
)
async def test_a_distribution_that_needs_other_hardware_is_refused_with_another(
    bench: Bench, parameters: dict[str, str], named: str
) -> None:
    bench.put_object("data", "train/x")
    document = a_training_document()
    document["HyperParameters"] |= parameters

    with pytest.raises(NotSupported, match=named) as caught:
        await bench.ask("CreateTrainingJob", **document)

    assert "use torch_distributed" in str(caught.value)
    assert bench.runner.started == []


@pytest.mark.parametrize(
    "parameters",
    [
        {"sagemaker_torch_distributed_enabled": "true"},
        {"sagemaker_pytorch_ddp_enabled": "true"},
        {"sagemaker_mpi_enabled": "true", "mp_parameters": "{}"},
        {"sagemaker_distributed_dataparallel_enabled": "false"},
        {
            "sagemaker_torch_distributed_enabled": "true",
            "sagemaker_distributed_dataparallel_enabled": "true",
        },
    ],
)
async def test_any_other_distribution_is_taken(bench: Bench, parameters: dict[str, str]) -> None:
    bench.put_object("data", "train/x")
    document = a_training_document()
    document["HyperParameters"] |= parameters

    await bench.ask("CreateTrainingJob", **document)

    assert len(bench.runner.started) == 1
