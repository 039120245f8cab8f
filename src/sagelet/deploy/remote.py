"""What a deployment asks of an API, as values and one Protocol; `aws.py` implements it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from sagelet.domain.distribution import Distribution

Tags = Mapping[str, str]

IN_SERVICE = "InService"
FAILED = "Failed"
_IN_PROGRESS = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose credentials sign the calls."""

    account: str
    arn: str


@dataclass(frozen=True, slots=True)
class EndpointSeen:
    """An endpoint as the API describes it."""

    name: str
    status: str
    config_name: str
    last_modified_at: datetime
    failure_reason: str | None = None

    @property
    def is_in_progress(self) -> bool:
        """Whether something is being done to it."""
        return self.status in _IN_PROGRESS


@dataclass(frozen=True, slots=True)
class WantedModel:
    """A model to exist. `role` is an ARN, or a bare name that the client expands."""

    name: str
    image: str
    data_url: str
    role: str
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class WantedEndpointConfig:
    """An endpoint configuration to exist: one variant with all the traffic."""

    name: str
    model_name: str
    instance_type: str
    instance_count: int = 1


@dataclass(frozen=True, slots=True)
class WantedJob:
    """A training job to run. `channels` are names and S3 or file URLs.

    `hyperparameters` are the script's own, before they are encoded; `processes` run on each host,
    where None leaves it to the container. With `interrupt_after_s` it is a spot job, whose
    instances are taken away once, in a local environment.
    """

    name: str
    image: str
    role: str
    program: str
    source_url: str
    output_url: str
    region: str
    instance_type: str
    hosts: int
    hyperparameters: Mapping[str, object]
    channels: Mapping[str, str]
    metrics: Mapping[str, str]
    environment: Mapping[str, str] = field(default_factory=dict)
    max_runtime_s: int = 24 * 60 * 60
    volume_gb: int = 30
    checkpoints_url: str | None = None
    interrupt_after_s: int | None = None
    distribution: Distribution = Distribution.NONE
    processes: int | None = None


def ignored(_size_bytes: int) -> None:
    """Hear of bytes that went, and do nothing."""


class Remote(Protocol):
    """The calls of SageMaker, S3 and STS that a deployment makes.

    Every method may raise RemoteRefused, RemoteUnreachable or NoCredentials.
    """

    @property
    def region(self) -> str:
        """The region of the calls."""
        ...

    @property
    def address(self) -> str:
        """Where the SageMaker calls go."""
        ...

    def identity(self) -> Identity:
        """Return whose credentials sign."""
        ...

    def bucket_exists(self, bucket: str) -> bool:
        """Tell whether a bucket is there; one of another account is a refusal."""
        ...

    def create_bucket(self, bucket: str) -> None:
        """Make a bucket in the region."""
        ...

    def object_version(self, bucket: str, key: str) -> str | None:
        """Return an object's ETag, or None where there is no such object or bucket."""
        ...

    def object_sizes(self, bucket: str, prefix: str) -> Mapping[str, int]:
        """Return the size in bytes of each object below a prefix, by key."""
        ...

    def upload(
        self, file: Path, bucket: str, key: str, *, on_bytes: Callable[[int], None] = ignored
    ) -> None:
        """Upload a file; the object appears whole or not at all.

        `on_bytes` hears, from any thread, of each further number of bytes that went.
        """
        ...

    def download(self, bucket: str, key: str, file: Path) -> None:
        """Download an object to a file; ModelDataMissing where there is none."""
        ...

    def artifact_of(self, job: str) -> str | None:
        """Return the S3 URL of what a training job made; None for no job, or nothing made."""
        ...

    def latest_job(self, prefix: str) -> str | None:
        """Return the completed job that was made last, of those whose names begin so."""
        ...

    def model_exists(self, name: str) -> bool:
        """Tell whether a model is there."""
        ...

    def create_model(self, model: WantedModel, tags: Tags) -> None:
        """Make a model."""
        ...

    def endpoint_config_exists(self, name: str) -> bool:
        """Tell whether an endpoint configuration is there."""
        ...

    def create_endpoint_config(self, config: WantedEndpointConfig, tags: Tags) -> None:
        """Make an endpoint configuration."""
        ...

    def find_endpoint(self, name: str, *, held: bool = False) -> EndpointSeen | None:
        """Return an endpoint, or None.

        With `held`, the local server may keep the call until the endpoint changes (up to 20 s); AWS
        answers at once.
        """
        ...

    def create_endpoint(self, name: str, config_name: str, tags: Tags) -> None:
        """Make an endpoint."""
        ...

    def update_endpoint(self, name: str, config_name: str) -> None:
        """Bring an endpoint to another configuration, while the old one serves."""
        ...

    def delete_endpoint(self, name: str) -> None:
        """Delete an endpoint."""
        ...

    def create_training_job(self, job: WantedJob, tags: Tags) -> None:
        """Start a training job."""
        ...
