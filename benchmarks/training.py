"""A short script alone, as a job, and under AWS's own toolkit; two hosts beside torchrun."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import boto3

from benchmarks import toolkit
from benchmarks.measuring import Bench, paired, seconds, wait_until
from benchmarks.servers import DidNotRun, free_port
from sagelet.environments import credentials

ROUNDS = 5
IMAGE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.8.0-cpu-py312"
ROLE = "arn:aws:iam::000000000000:role/bench"
_AT = re.compile(r" at (\d+\.\d+)")
_numbers = itertools.count()


@dataclass(frozen=True)
class Race:
    """Ours and theirs, medians in seconds, and the median of ours over theirs, round by round."""

    ours_s: float
    theirs_s: float
    ratio: float

    @property
    def times_faster(self) -> float:
        """How many times faster ours is."""
        return 1 / self.ratio


@dataclass(frozen=True)
class TrainingTimes:
    """What was measured; a race that could not be run is None.

    `job` is CreateTrainingJob to Completed, over `python train.py`; `command` is `sagelet train` to
    its end, over the same and over the toolkit's `train`; `first_line` is the accepted job to the
    script's first line, over the toolkit's start to it; `two_hosts` is the accepted job to the
    first DistributedDataParallel step, over torchrun's.
    """

    job: Race
    command: Race
    command_beside_toolkit: Race | None = None
    first_line: Race | None = None
    two_hosts: Race | None = None
    versions: str = ""


def measure(bench: Bench) -> TrainingTimes:
    """Measure each pair in turn, on a daemon that is warm."""
    bench.sagelet("train", "-q")  # a second runner is ready from now on
    found = TrainingTimes(
        job=Race(*paired(lambda: _job(bench), lambda: _alone(bench), ROUNDS)),
        command=Race(*paired(lambda: _command(bench), lambda: _alone(bench), ROUNDS)),
    )
    return replace(
        found,
        command_beside_toolkit=Race(
            *paired(lambda: _command(bench), lambda: _by_toolkit(bench), ROUNDS)
        ),
        first_line=Race(
            *paired(lambda: _until(bench, "first_line.py"), lambda: _toolkits_line(bench), ROUNDS)
        ),
        two_hosts=Race(
            *paired(lambda: _until(bench, "ddp_step.py", hosts=2), lambda: _torchrun(bench), ROUNDS)
        ),
        versions=toolkit.version(),
    )


def _job(bench: Bench) -> float:
    described = json.loads(bench.sagelet("train", "--json", "-q"))
    ends = [datetime.fromisoformat(described[name]) for name in ("CreationTime", "TrainingEndTime")]
    return (ends[1] - ends[0]).total_seconds()


def _command(bench: Bench) -> float:
    return seconds(lambda: bench.sagelet("train", "-q"))


def _alone(bench: Bench) -> float:
    return seconds(
        lambda: subprocess.run(
            [sys.executable, "train.py"], cwd=bench.project, check=True, capture_output=True
        )
    )


def _by_toolkit(bench: Bench) -> float:
    return seconds(lambda: toolkit.run(bench.project, "train.py"))


def _toolkits_line(bench: Bench) -> float:
    began, printed = toolkit.run(bench.project, "first_line.py")
    return _last_time([printed]) - began


def _until(bench: Bench, script: str, hosts: int = 1) -> float:
    """Return the seconds from an accepted CreateTrainingJob to what the script's hosts tell."""
    name = f"{Path(script).stem.replace('_', '-')}-{next(_numbers)}"
    client = _client(bench, "sagemaker")
    client.create_training_job(**_job_document(bench, name, script, hosts))
    accepted = time.time()
    wait_until(lambda: _has_ended(client.describe_training_job(TrainingJobName=name)))
    described = client.describe_training_job(TrainingJobName=name)
    if described["TrainingJobStatus"] != "Completed":
        raise DidNotRun(f"{script}: {described.get('FailureReason')}")
    events = _client(bench, "logs").filter_log_events(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{name}/"
    )["events"]
    return _last_time(event["message"] for event in events) - accepted


def _torchrun(bench: Bench) -> float:
    """Return the seconds from the start of two agents to the same step."""
    port, began = str(free_port()), time.time()
    agents = [
        subprocess.Popen(
            [
                *(sys.executable, "-m", "torch.distributed.run", "--nnodes", "2"),
                *("--nproc_per_node", "1", "--node_rank", str(rank)),
                *("--master_addr", "127.0.0.1", "--master_port", port, "ddp_step.py"),
            ],
            cwd=bench.project,
            env=bench.environment | {"GLOO_SOCKET_IFNAME": "lo"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    printed = [agent.communicate(timeout=toolkit.TRAIN_S) for agent in agents]
    if any(agent.returncode for agent in agents):
        raise DidNotRun(f"torchrun failed: {printed[0][1][-500:]}")
    return _last_time(out for out, _ in printed) - began


def _last_time(texts: Iterator[str] | list[str]) -> float:
    """Return the latest of the times that scripts told."""
    return max(float(told) for text in texts for told in _AT.findall(text))


def _has_ended(described: dict[str, object]) -> bool:
    return described["TrainingJobStatus"] in ("Completed", "Failed", "Stopped")


def _client(bench: Bench, service: str) -> Any:  # noqa: ANN401  any of boto3's
    key, make = credentials.load_or_create(bench.home), cast("Any", boto3.client)
    return make(
        service,
        endpoint_url=bench.info.address,
        region_name="us-east-1",
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
    )


def _job_document(bench: Bench, name: str, script: str, hosts: int) -> dict[str, object]:
    return {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "HyperParameters": {
            "sagemaker_program": script,
            "sagemaker_submit_directory": (bench.project / script).as_uri(),
        },
        "OutputDataConfig": {"S3OutputPath": (bench.project / "output").as_uri()},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": hosts,
            "VolumeSizeInGB": 1,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 120},
    }
