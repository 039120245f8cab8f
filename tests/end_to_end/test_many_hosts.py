"""A job on many hosts, as people ask for it: with our program and with boto3."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.end_to_end.local_aws import LocalAws

# Without torch, so that no test waits for its import; what meets is shown with it elsewhere.
TRAIN = """
import json, os, pathlib, socket
rank = os.environ.get("RANK", "none")
told = {"rank": rank, "world": os.environ.get("WORLD_SIZE"), "host": os.environ["SM_CURRENT_HOST"],
        "group": os.environ["SM_CURRENT_INSTANCE_GROUP"]}
pathlib.Path(os.environ["SM_MODEL_DIR"], f"{told['host']}-{rank}.json").write_text(json.dumps(told))
place = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
first = rank == "0" or (rank == "none" and told["host"] == json.loads(os.environ["SM_HOSTS"])[0])
if first:
    server = socket.create_server(("", place[1]))
    others = int(told["world"] or len(json.loads(os.environ["SM_HOSTS"]))) - 1
    met = [server.accept()[0].makefile().readline().strip() for _ in range(others)]
    print("met", sorted(met), flush=True)
else:
    while True:
        try:
            with socket.create_connection(place) as connection:
                connection.sendall(f"{told['host']}-{rank}\\n".encode())
            break
        except ConnectionRefusedError:
            pass
"""
CONFIG = """
environments: {local: {model_name: many}}
train: {source: ., entry_point: train.py, hosts: 2}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "train.py").write_text(TRAIN)
    (folder / "sagelet.yml").write_text(CONFIG)
    return folder


def _lines(local: LocalAws, job: str, host: str) -> list[str]:
    """What a host has logged."""
    logs, group = local.client("logs"), "/aws/sagemaker/TrainingJobs"
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/{host}-")[
        "logStreams"
    ]
    assert len(streams) == 1
    events = logs.get_log_events(
        logGroupName=group, logStreamName=streams[0]["logStreamName"], startFromHead=True
    )["events"]
    return [event["message"] for event in events]


def test_sagelet_train_runs_two_hosts_with_two_processes_each(
    local: LocalAws, project: Path
) -> None:
    done = local.sagelet("train", "--processes", "2", "--json", cwd=project)
    job: dict[str, Any] = json.loads(done.stdout)

    assert job["TrainingJobStatus"] == "Completed"
    assert job["ResourceConfig"]["InstanceCount"] == 2
    assert job["HyperParameters"]["sagemaker_torch_distributed_enabled"] == "true"
    assert job["HyperParameters"]["sagemaker_mpi_num_of_processes_per_host"] == "2"
    lines = _lines(local, job["TrainingJobName"], "algo-1")
    assert "met ['algo-1-1', 'algo-2-2', 'algo-2-3']" in lines
    assert any(line.startswith("torchrun --nnodes 2 --nproc_per_node 2 ") for line in lines)
    described = local.sagelet("describe", f"job/{job['TrainingJobName']}", cwd=project).stdout
    assert "host  algo-1  local  homogeneousCluster" in described
    assert "host  algo-2  local  homogeneousCluster" in described


def test_without_a_distribution_hosts_find_each_other_by_their_names(
    local: LocalAws, project: Path
) -> None:
    done = local.sagelet("train", "--distribution", "none", "--hosts", "3", "--json", cwd=project)
    job: dict[str, Any] = json.loads(done.stdout)

    assert job["TrainingJobStatus"] == "Completed"
    assert "sagemaker_torch_distributed_enabled" not in job["HyperParameters"]
    lines = _lines(local, job["TrainingJobName"], "algo-1")
    assert "met ['algo-2-none', 'algo-3-none']" in lines


def test_boto3_asks_for_instance_groups_one_of_which_trains(local: LocalAws, project: Path) -> None:
    (project / "train.py").write_text(
        f"import os, sys\nif os.environ['SM_CURRENT_INSTANCE_GROUP'] == 'data':\n"
        f"    sys.exit(print('no rank' if 'RANK' not in os.environ else 'rank'))\n{TRAIN}"
    )
    groups = [
        {"InstanceGroupName": "data", "InstanceType": "ml.c5.xlarge", "InstanceCount": 1},
        {"InstanceGroupName": "train", "InstanceType": "local", "InstanceCount": 2},
    ]
    local.train(
        "grouped",
        project,
        ResourceConfig={"InstanceGroups": groups, "VolumeSizeInGB": 1},
        HyperParameters={
            "sagemaker_torch_distributed_enabled": "true",
            "sagemaker_distribution_instance_groups": '["train"]',
        },
    )
    described = local.wait_ended("grouped")

    assert described["TrainingJobStatus"] == "Completed", described.get("FailureReason")
    assert described["ResourceConfig"]["InstanceGroups"] == groups
    assert "no rank" in _lines(local, "grouped", "algo-1")
    assert "met ['algo-3-1']" in _lines(local, "grouped", "algo-2")


def test_too_many_hosts_and_a_distribution_of_aws_hardware_are_refused(
    local: LocalAws, project: Path
) -> None:
    with pytest.raises(ClientError) as refused:
        local.train(
            "huge",
            project,
            ResourceConfig={"InstanceCount": 65, "InstanceType": "local", "VolumeSizeInGB": 1},
        )
    assert refused.value.response["Error"]["Code"] == "ResourceLimitExceeded"
    assert "65 hosts, and one machine runs at most 64" in str(refused.value)

    with pytest.raises(ClientError, match="use torch_distributed"):
        local.train(
            "smddp",
            project,
            HyperParameters={"sagemaker_distributed_dataparallel_enabled": "true"},
        )
