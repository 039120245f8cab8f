"""The job as the runner's order: all that a runner needs, so that it needs no database.

JOB_DIR/order.json           this order, written before the runner starts
JOB_DIR/journal/events.jsonl what became of the job, one event a line
JOB_DIR/runner.lock          held by the one runner that works on the job
JOB_DIR/runner.log           the runner's own words, where it has any
JOB_DIR/hosts/algo-1/        a host: see `layout`
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sagelet.artifacts.access import S3Access
from sagelet.domain.account import Account
from sagelet.domain.training import (
    Channel,
    Checkpoints,
    Cluster,
    Host,
    LiteralProgram,
    MetricDefinition,
    Program,
    ToolkitProgram,
    TrainingJob,
)
from sagelet.training.settings import JobSettings


@dataclass(frozen=True, slots=True)
class JobPaths:
    """The files of a job's folder."""

    root: Path

    @property
    def order(self) -> Path:
        """The order."""
        return self.root / "order.json"

    @property
    def events(self) -> Path:
        """The journal."""
        return self.root / "journal" / "events.jsonl"

    @property
    def lock(self) -> Path:
        """What a runner holds while it works on the job."""
        return self.root / "runner.lock"

    @property
    def runner_log(self) -> Path:
        """The runner's standard output and error."""
        return self.root / "runner.log"

    def host(self, name: str) -> Path:
        """The folder of a host."""
        return self.root / "hosts" / name

    @property
    def ballast(self) -> Path:
        """Space that is given up when the disk is full, so that the job's end can be told."""
        return self.root / "ballast"

    @property
    def metrics(self) -> Path:
        """The points of the job's metrics."""
        return self.root / "metrics"

    @property
    def checkpoints(self) -> Path:
        """Which checkpoints were stored."""
        return self.root / "checkpoints.json"

    @property
    def packing(self) -> Path:
        """Where archives are made before they are uploaded."""
        return self.root / "packing"


@dataclass(frozen=True, slots=True)
class Places:
    """Where a runner finds the rest: folders of the state directory, and interpreters.

    `python` runs the script; `package_path` is a folder that holds only our package, for it;
    `packages` is where requirements are installed, once for all jobs; `ports` is where jobs agree
    on the ports that they use; `downloads` keeps what came from AWS.
    """

    buckets: str
    logs: str
    python: str
    package_path: str
    packages: str = ""
    ports: str = ""
    downloads: str = ""


@dataclass(frozen=True, slots=True)
class JobOrder:
    """A training job as a runner is told it.

    `environment` is the user's, `inherited` what a script may see of the machine's own;
    `credentials` are the variables that hold the script's keys; `log_streams` maps a host's name to
    the name of its stream; `grace_s` is the time between SIGTERM and SIGKILL; `no_namespace` says
    why a host cannot have a /opt/ml of its own, and `no_overlay` why a channel has to be copied:
    each is empty where it can.
    """

    name: str
    arn: str
    region: str
    role: str
    image: str
    program: Program
    hyperparameters: Mapping[str, str]
    channels: tuple[Channel, ...]
    cluster: Cluster
    environment: Mapping[str, str]
    inherited: Mapping[str, str]
    output_uri: str
    is_compressed: bool
    max_runtime_s: int
    grace_s: float
    metrics: tuple[MetricDefinition, ...]
    log_streams: Mapping[str, str]
    places: Places
    no_namespace: str = ""
    no_overlay: str = ""
    threads: int | None = None
    is_legacy: bool = False
    is_strict: bool = False
    checkpoints: Checkpoints | None = None
    is_spot: bool = False
    max_wait_s: int | None = None
    interrupt_after_s: int | None = None
    s3: S3Access = field(default_factory=S3Access)
    credentials: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        job: TrainingJob,
        *,
        account: Account,
        places: Places,
        inherited: Mapping[str, str],
        grace_s: float,
        no_namespace: str = "",
        no_overlay: str = "",
        credentials: Mapping[str, str] | None = None,
    ) -> JobOrder:
        """Return the order for a job; its Environment may say another `grace_s`."""
        settings = JobSettings.of(job.environment)
        return cls(
            name=job.name,
            arn=job.arn,
            region=account.region,
            role=account.role_arn(job.submitted["RoleArn"]),
            image=job.image,
            program=job.program,
            hyperparameters=dict(job.hyperparameters),
            channels=job.channels,
            cluster=job.cluster,
            environment=dict(job.environment),
            inherited=dict(inherited),
            output_uri=job.output_uri,
            is_compressed=_compression(job.submitted) != "NONE",
            max_runtime_s=job.max_runtime_s,
            grace_s=settings.stop_grace_s or grace_s,
            metrics=job.metrics,
            log_streams={host.name: job.log_stream(host) for host in job.cluster.hosts},
            places=places,
            no_namespace=no_namespace,
            no_overlay=no_overlay or no_namespace,
            threads=settings.threads,
            is_legacy=settings.is_legacy,
            is_strict=settings.is_strict,
            checkpoints=job.checkpoints,
            is_spot=job.is_spot,
            max_wait_s=job.max_wait_s,
            interrupt_after_s=settings.interrupt_after_s,
            s3=settings.s3,
            credentials=dict(credentials or {}),
        )

    def channels_of(self, host: Host) -> tuple[Channel, ...]:
        """Return the channels that a host sees."""
        return tuple(channel for channel in self.channels if channel.reaches(host))


def _compression(submitted: Mapping[str, Any]) -> str:
    """OutputDataConfig.CompressionType, which has no typed field: GZIP unless it was given."""
    return str(submitted.get("OutputDataConfig", {}).get("CompressionType", "GZIP"))


def write_order(order: JobOrder, paths: JobPaths) -> None:
    """Write an order, whole; only its owner may read it."""
    paths.events.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = paths.order.with_suffix(".tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(order), file)
    temporary.replace(paths.order)


def read_order(paths: JobPaths) -> JobOrder:
    """Read an order back.

    Raises:
        OSError: there is none.
        ValueError: it is not one of ours.
    """
    raw: dict[str, Any] = json.loads(paths.order.read_text(encoding="utf-8"))
    raw["program"] = _program(raw["program"])
    raw["channels"] = tuple(_channel(channel) for channel in raw["channels"])
    raw["cluster"] = Cluster(tuple(Host(**host) for host in raw["cluster"]["hosts"]))
    raw["metrics"] = tuple(MetricDefinition(**metric) for metric in raw["metrics"])
    raw["places"] = Places(**raw["places"])
    raw["checkpoints"] = Checkpoints(**raw["checkpoints"]) if raw.get("checkpoints") else None
    raw["s3"] = S3Access(**raw.get("s3", {}))
    return JobOrder(**raw)


def _program(raw: dict[str, Any]) -> Program:
    if "entrypoint" in raw:
        return LiteralProgram(tuple(raw["entrypoint"]), tuple(raw["arguments"]))
    return ToolkitProgram(**raw)


def _channel(raw: dict[str, Any]) -> Channel:
    lists = {name: tuple(raw.get(name, ())) for name in ("attributes", "groups")}
    return Channel(**{**raw, **lists})
