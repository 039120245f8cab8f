"""A home, whatever daemon runs on it, and its clients: our program, boto3, any other program."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import boto3
import psutil
from botocore.config import Config

from sagelet.domain.home import Home
from sagelet.environments import credentials, daemon
from tests.end_to_end.documents import a_model, a_training_job, an_endpoint_config

REPOSITORY = Path(__file__).parents[2]
REGION = "us-east-1"
PATIENCE_S = 30.0

T = TypeVar("T")

_LISTS = {
    "models": ("list_models", "Models", "ModelName", ""),
    "configs": ("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName", ""),
    "endpoints": ("list_endpoints", "Endpoints", "EndpointName", "EndpointStatus"),
    "jobs": ("list_training_jobs", "TrainingJobSummaries", "TrainingJobName", "TrainingJobStatus"),
}
_CLEARED = ("AWS_", "SAGELET_", "SAGEMAKER_", "SM_")


@dataclass(frozen=True)
class LocalAws:
    """A home and whatever daemon runs on it, with some `variables` in its environment."""

    home: Home
    variables: Mapping[str, str] = field(default_factory=dict)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """A clean environment for a program that is to find this home."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(_CLEARED) and name != "DEPLOY_ENV"
        }
        return kept | {
            "SAGELET_HOME": str(self.home.root),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            **self.variables,
        }

    def sagelet(
        self, *arguments: str, cwd: Path | None = None, code: int = 0, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run our own program, which must end with `code`."""
        done = subprocess.run(
            [sys.executable, "-m", "sagelet", *arguments],
            cwd=cwd or self.home.root.parent,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done

    def run(self, *argv: str | Path, cwd: Path, **variables: str) -> str:
        """Run another program, with this home in its environment; return what it printed."""
        done = subprocess.run(
            argv,
            cwd=cwd,
            env=self.environment | variables,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{argv}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    @contextmanager
    def foreground(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Run a daemon as a child of the test, from when it answers."""
        self.home.root.parent.mkdir(parents=True, exist_ok=True)
        with subprocess.Popen(
            [sys.executable, "-m", "sagelet", "up", "--foreground", "--port", "0", *arguments],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                eventually(lambda: daemon.read(self.home), "the daemon announces itself")
                yield process
            finally:
                process.kill()

    @property
    def info(self) -> daemon.DaemonInfo:
        """The daemon; it must run."""
        info = daemon.read(self.home)
        assert info is not None
        return info

    @property
    def place(self) -> tuple[str, int]:
        """The daemon's host and port."""
        at = urlsplit(self.info.address)
        assert at.hostname is not None
        assert at.port is not None
        return at.hostname, at.port

    def client(self, service: str) -> Any:  # noqa: ANN401  any of boto3's clients
        """A boto3 client, made as a user would make it, that tries once."""
        address = self.info.address
        if (service, address) not in self._clients:
            key = credentials.load_or_create(self.home)
            make: Any = boto3.client
            self._clients[service, address] = make(
                service,
                endpoint_url=address,
                aws_access_key_id=key.access_key_id,
                aws_secret_access_key=key.secret_access_key,
                region_name=REGION,
                config=Config(retries={"total_max_attempts": 1}),
            )
        return self._clients[service, address]

    @property
    def sagemaker(self) -> Any:  # noqa: ANN401  boto3's
        """The client of the API."""
        return self.client("sagemaker")

    def deploy(
        self, name: str, model_data: Path | str, *, environment: Mapping[str, str] | None = None
    ) -> None:
        """Create a model, a configuration and an endpoint, all of this name; do not wait."""
        self.deploy_model(name, model_data, environment=environment)
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)

    def deploy_model(
        self, name: str, model_data: Path | str, *, environment: Mapping[str, str] | None = None
    ) -> None:
        """Create a model and a configuration of this name."""
        self.sagemaker.create_model(**a_model(name, model_data, environment or {}))
        self.sagemaker.create_endpoint_config(**an_endpoint_config(name))

    def wait_in_service(self, name: str) -> None:
        """Wait with boto3's own waiter."""
        self.sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name)

    def wait_settled(self, name: str) -> dict[str, Any]:
        """Wait until an endpoint neither comes nor goes; return its description."""

        def settled() -> dict[str, Any] | None:
            seen: dict[str, Any] = self.sagemaker.describe_endpoint(EndpointName=name)
            return None if seen["EndpointStatus"] in ("Creating", "Updating") else seen

        return eventually(settled, f"endpoint {name} settles")

    @contextmanager
    def deployed(
        self, name: str, model_data: Path | str, *, environment: Mapping[str, str] | None = None
    ) -> Iterator[dict[str, Any]]:
        """Deploy, wait until it serves or has failed, and remove everything in the end."""
        self.deploy(name, model_data, environment=environment)
        try:
            yield self.wait_settled(name)
        finally:
            self.remove_endpoint(name)

    def remove_endpoint(self, name: str) -> None:
        """Delete an endpoint, and its configuration and model of the same name."""
        self.sagemaker.delete_endpoint(EndpointName=name)
        self.sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name)
        self.sagemaker.delete_endpoint_config(EndpointConfigName=name)
        self.sagemaker.delete_model(ModelName=name)

    def invoke(self, name: str, body: bytes | str = b"{}", **members: Any) -> str:  # noqa: ANN401
        """Invoke an endpoint and return its answer."""
        answer = self.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=name, Body=body, **{"ContentType": "application/json", **members}
        )
        text: str = answer["Body"].read().decode()
        return text

    def train(self, name: str, source: Path, **members: Any) -> None:  # noqa: ANN401  AWS's own
        """Create a job that runs a folder's `train.py`; `members` replace top-level ones."""
        self.sagemaker.create_training_job(**a_training_job(name, source, **members))

    def wait_ended(self, name: str) -> dict[str, Any]:
        """Wait with boto3's own waiter; return the job's description, however it ended."""

        def ended() -> dict[str, Any] | None:
            seen: dict[str, Any] = self.sagemaker.describe_training_job(TrainingJobName=name)
            over = seen["TrainingJobStatus"] in ("Completed", "Failed", "Stopped")
            return seen if over else None

        return eventually(ended, f"job {name} ends", within_s=60)

    def names(self, kind: str) -> list[str]:
        """The names of all endpoints, jobs, models or configurations, each with its status."""
        operation, items, name, status = _LISTS[kind]
        pages = self.sagemaker.get_paginator(operation).paginate()
        return [
            " ".join(str(each[key]) for key in (name, status) if key in each)
            for page in pages
            for each in page[items]
        ]

    def state(self) -> dict[str, Any]:
        """What there is: every resource with its status, every bucket with its keys."""
        s3 = self.client("s3")
        buckets = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
        listed = {bucket: s3.list_objects_v2(Bucket=bucket) for bucket in buckets}
        return {kind: self.names(kind) for kind in _LISTS} | {
            "objects": {
                bucket: [each["Key"] for each in page.get("Contents", ())]
                for bucket, page in listed.items()
            }
        }

    def log(self, group: str, prefix: str = "") -> list[str]:
        """The lines of a log group's streams, in the order in which CloudWatch tells them."""
        logs = self.client("logs")
        pages = logs.get_paginator("filter_log_events")
        narrowed = {"logStreamNamePrefix": prefix} if prefix else {}
        found = pages.paginate(logGroupName=group, **narrowed)
        try:
            return [event["message"] for page in found for event in page["events"]]
        except logs.exceptions.ResourceNotFoundException:
            return []  # nothing has been written yet

    def job_log(self, name: str) -> list[str]:
        """The lines that a training job has written."""
        return self.log("/aws/sagemaker/TrainingJobs", f"{name}/")

    def endpoint_log(self, name: str) -> list[str]:
        """The lines that an endpoint has written."""
        return self.log(f"/aws/sagemaker/Endpoints/{name}")

    def processes(self, folder: Path | None = None) -> list[psutil.Process]:
        """The processes of this home (daemon, zygotes, runners, scripts…), or of a folder in it."""
        ours = psutil.Process()
        spared = {ours.pid, *(parent.pid for parent in ours.parents())}
        root = str(folder or self.home.root)
        return [p for p in psutil.process_iter() if p.pid not in spared and knows_of(p, root)]


def knows_of(process: psutil.Process, folder: str) -> bool:
    """Whether a process that lives has to do with a folder."""
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        seen = [*process.cmdline(), process.cwd(), *process.environ().values()]
    except psutil.Error:
        return False
    return any(folder in text for text in seen)


def eventually(condition: Callable[[], T | None], what: str, *, within_s: float = PATIENCE_S) -> T:
    """Return what the condition returns once that is true."""
    deadline = time.monotonic() + within_s
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}"
        time.sleep(0.02)
