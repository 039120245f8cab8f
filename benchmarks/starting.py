"""How long things take from nothing, and what the daemon holds: the command line, a deploy."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime

import boto3

from benchmarks.machine import memory, resident_mb
from benchmarks.material import Material
from benchmarks.measuring import Bench, seconds
from benchmarks.ours import Ours
from benchmarks.servers import ask, first_answer
from benchmarks.signing import signed
from sagelet.environments import credentials

HELPS = 15
IMPORTS = 3
DEPLOYS = 5
ROLE = "arn:aws:iam::000000000000:role/bench"
IMAGE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.6.0-cpu-py312"


@dataclass(frozen=True)
class Starts:
    """Times in seconds, medians. `in_service_s` is CreateEndpoint to InService; `deploy_s` is three
    API calls to the first 200, `command_s` is `sagelet deploy` to its end; all with a warm daemon.
    """

    help_s: float
    import_torch_s: float
    in_service_s: float
    deploy_s: float
    command_s: float
    daemon_mb: float


def measure(bench: Bench) -> Starts:
    """Measure on a daemon whose zygote is warm, that has had a few calls and serves nothing."""
    bench.sagelet("ls")
    daemon_mb = resident_mb(bench.info.pid)
    _lay_out(bench)
    deploys = [_deploy_by_command(bench) for _ in range(DEPLOYS)]
    return Starts(
        help_s=_median_of([sys.executable, "-m", "sagelet", "--help"], HELPS),
        import_torch_s=_median_of([sys.executable, "-c", "import torch"], IMPORTS),
        in_service_s=statistics.median(in_service for in_service, _ in deploys),
        deploy_s=statistics.median(_deploy_by_api(bench, number) for number in range(DEPLOYS)),
        command_s=statistics.median(whole for _, whole in deploys),
        daemon_mb=daemon_mb,
    )


def second_worker_mb(material: Material) -> float:
    """Return what a second worker adds to the PSS of everything that runs."""
    held = []
    for workers in (1, 2):
        with Ours("ours", workers=workers).run(material) as running:
            for _ in range(100):
                ask(running.url, running.headers())
            held.append(memory(running.root_pid).pss_mb)
    return held[1] - held[0]


def _median_of(argv: list[str], times: int) -> float:
    return statistics.median(
        seconds(lambda: subprocess.run(argv, capture_output=True, check=True)) for _ in range(times)
    )


def _deploy_by_command(bench: Bench) -> tuple[float, float]:
    """Return CreateEndpoint to InService, as DescribeEndpoint's own times tell, and the command."""
    whole = seconds(lambda: bench.sagelet("deploy", "-q"))
    described = json.loads(bench.sagelet("describe", "endpoint/bench", "--json"))
    in_service = _moment(described["LastModifiedTime"]) - _moment(described["CreationTime"])
    bench.sagelet("rm", "endpoint/bench", "-y", "-q")
    return in_service, whole


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _lay_out(bench: Bench) -> None:
    """Lay the model out as a model.tar.gz holds it."""
    code = bench.project / "served" / "code"
    code.mkdir(parents=True)
    shutil.copy(bench.project / "serve.py", code)
    shutil.copy(bench.project / "model" / "model.pth", code.parent)


def _deploy_by_api(bench: Bench, number: int) -> float:
    """Create a model, a configuration and an endpoint, and ask until the first 200."""
    key = credentials.load_or_create(bench.home)
    client = boto3.client(
        "sagemaker",
        endpoint_url=bench.info.address,
        region_name="us-east-1",
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
    )
    name = f"api-{number}"
    url = f"{bench.info.address}/endpoints/{name}/invocations"
    begun = time.perf_counter()
    client.create_model(
        ModelName=name,
        ExecutionRoleArn=ROLE,
        PrimaryContainer={
            "Image": IMAGE,
            "ModelDataUrl": (bench.project / "served").as_uri(),
            "Environment": {"SAGEMAKER_PROGRAM": "serve.py"},
        },
    )
    client.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[
            {
                "VariantName": "AllTraffic",
                "ModelName": name,
                "InitialInstanceCount": 1,
                "InstanceType": "ml.m5.large",
            }
        ],
    )
    client.create_endpoint(EndpointName=name, EndpointConfigName=name)
    first_answer(url, lambda: signed(url, key), has_ended=lambda: False, log=bench.home.daemon_log)
    took = time.perf_counter() - begun
    client.delete_endpoint(EndpointName=name)
    return took
