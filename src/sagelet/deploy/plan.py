"""From what is wanted and what is seen to a list of steps. Nothing is done here.

The steps are a closed set: an executor that forgets one does not pass the type checker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from sagelet.deploy.observe import JobSeen, Seen
from sagelet.deploy.remote import FAILED, Tags, WantedEndpointConfig, WantedJob, WantedModel
from sagelet.deploy.wanted import Staging, Upload, Wanted
from sagelet.domain.distribution import Distribution
from sagelet.errors import Busy


@dataclass(frozen=True, slots=True)
class CreateBucket:
    """Make the bucket that uploads go to."""

    bucket: str


@dataclass(frozen=True, slots=True)
class UploadArchive:
    """Upload a file that is not in the bucket yet."""

    upload: Upload


@dataclass(frozen=True, slots=True)
class UploadFolder:
    """Upload those files of a channel that are not in the bucket yet, by their keys."""

    url: str
    bucket: str
    files: Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class StageModel:
    """Bring the folder of links that a local endpoint serves to what the project has."""

    staging: Staging


@dataclass(frozen=True, slots=True)
class CreateModel:
    """Make the model."""

    model: WantedModel
    tags: Tags


@dataclass(frozen=True, slots=True)
class CreateEndpointConfig:
    """Make the endpoint configuration."""

    config: WantedEndpointConfig
    tags: Tags


@dataclass(frozen=True, slots=True)
class DeleteFailedEndpoint:
    """Delete an endpoint that never came up: AWS allows nothing else with it."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class CreateEndpoint:
    """Make the endpoint."""

    name: str
    config_name: str
    tags: Tags


@dataclass(frozen=True, slots=True)
class UpdateEndpoint:
    """Bring the endpoint to the new configuration while the old one serves."""

    name: str
    config_name: str
    replaces: str


@dataclass(frozen=True, slots=True)
class StartTrainingJob:
    """Start the training job."""

    job: WantedJob
    tags: Tags


@dataclass(frozen=True, slots=True)
class KeepAsIs:
    """Something that is there already, and as it is wanted."""

    kind: str
    name: str


Step = (
    CreateBucket
    | UploadArchive
    | UploadFolder
    | StageModel
    | CreateModel
    | CreateEndpointConfig
    | DeleteFailedEndpoint
    | CreateEndpoint
    | UpdateEndpoint
    | StartTrainingJob
    | KeepAsIs
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps, in the order in which they are taken."""

    steps: tuple[Step, ...]

    @property
    def changes(self) -> tuple[Step, ...]:
        """The steps that do something."""
        return tuple(step for step in self.steps if not isinstance(step, KeepAsIs))


def make_plan(wanted: Wanted, seen: Seen) -> Plan:
    """Return the steps from what is seen to what is wanted.

    Raises:
        Busy: the endpoint is being changed; wait until it has settled.
    """
    return Plan(
        (
            *_source_steps(wanted, seen),
            KeepAsIs("model", wanted.model.name)
            if seen.model_exists
            else CreateModel(wanted.model, wanted.tags),
            KeepAsIs("endpoint configuration", wanted.config.name)
            if seen.config_exists
            else CreateEndpointConfig(wanted.config, wanted.tags),
            *_endpoint_steps(wanted, seen),
        )
    )


def make_training_plan(
    job: WantedJob,
    source: Upload,
    channels: tuple[UploadFolder, ...],
    seen: JobSeen,
    tags: Tags,
) -> Plan:
    """Return the steps that start a training job, uploading only what is not there yet."""
    return Plan(
        (
            *(() if seen.bucket_exists else (CreateBucket(source.bucket),)),
            KeepAsIs("archive", source.url) if seen.source_exists else UploadArchive(source),
            *(
                channel if channel.files else KeepAsIs("channel", channel.url)
                for channel in channels
            ),
            StartTrainingJob(job, tags),
        )
    )


def sentence(step: Step) -> str:
    """Return a step in words."""
    match step:
        case CreateBucket(bucket):
            return f"create bucket {bucket}"
        case UploadArchive(upload):
            return f"upload {upload.file.name} ({_size(upload.size_bytes)}) to {upload.url}"
        case UploadFolder(url, _, files):
            return f"upload {len(files)} files to {url}"
        case StageModel(staging):
            return f"link {len(staging.package.members)} files into {staging.folder}"
        case _:
            return _resource_sentence(step)


def _resource_sentence(
    step: CreateModel
    | CreateEndpointConfig
    | DeleteFailedEndpoint
    | CreateEndpoint
    | UpdateEndpoint
    | StartTrainingJob
    | KeepAsIs,
) -> str:
    match step:
        case CreateModel(model):
            return f"create model {model.name} from {model.data_url}"
        case CreateEndpointConfig(config):
            return (
                f"create endpoint configuration {config.name} "
                f"({config.instance_count} x {config.instance_type})"
            )
        case DeleteFailedEndpoint(name, reason):
            return f"delete endpoint {name}, which failed: {reason}"
        case CreateEndpoint(name):
            return f"create endpoint {name}"
        case UpdateEndpoint(name, config_name, replaces):
            return f"update endpoint {name} from {replaces} to {config_name}"
        case StartTrainingJob(job):
            return f"start training job {job.name} ({_cluster(job)})"
        case KeepAsIs(kind, name):
            return f"keep {kind} {name}"
        case _:
            assert_never(step)


def _source_steps(wanted: Wanted, seen: Seen) -> tuple[Step, ...]:
    match wanted.source:
        case None:
            return ()
        case Staging() as staging:
            if seen.source_exists:
                return (KeepAsIs("folder", str(staging.folder)),)
            return (StageModel(staging),)
        case Upload() as upload:
            if seen.source_exists:
                return (KeepAsIs("archive", upload.url),)
            bucket = () if seen.bucket_exists else (CreateBucket(upload.bucket),)
            return (*bucket, UploadArchive(upload))
        case _:
            assert_never(wanted.source)


def _endpoint_steps(wanted: Wanted, seen: Seen) -> tuple[Step, ...]:
    name, endpoint = wanted.endpoint, seen.endpoint
    create = CreateEndpoint(name, wanted.config.name, wanted.tags)
    if endpoint is None:
        return (create,)
    if endpoint.is_in_progress:
        raise Busy(kind="endpoint", name=name)
    if endpoint.status == FAILED:
        reason = endpoint.failure_reason or "no reason was given"
        return (DeleteFailedEndpoint(name, reason), create)
    if endpoint.config_name == wanted.config.name:
        return (KeepAsIs("endpoint", name),)
    return (UpdateEndpoint(name, wanted.config.name, replaces=endpoint.config_name),)


def _size(size_bytes: int) -> str:
    if size_bytes < 2**20:
        return f"{max(1, size_bytes // 2**10)} kB"
    return f"{size_bytes / 2**20:.1f} MB"


def _cluster(job: WantedJob) -> str:
    """Say what a job runs on, and how its processes are started where something does."""
    processes = f"{job.processes} processes each" if job.processes is not None else ""
    started = "" if job.distribution is Distribution.NONE else str(job.distribution)
    return ", ".join(filter(None, (f"{job.hosts} x {job.instance_type}", processes, started)))
