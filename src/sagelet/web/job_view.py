"""A job as its page shows it: what was asked for, what became of it, what it left."""

from __future__ import annotations

import json
import pprint
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sagelet.artifacts.uris import parse_uri
from sagelet.control.context import Document
from sagelet.web.backend import Backend
from sagelet.web.job_hosts import HostRow, first_failure, host_names
from sagelet.web.results.failure import Frames, folded
from sagelet.wire.models import service_model

_SECRET = re.compile(r"pass(?:word|wd)?|secret|token|credential|(?:^|_)key(?:$|_)", re.IGNORECASE)
_PLATFORM = ("sagemaker_", "_tuning_objective_metric", "default_user_module_name")
MASKED = "••••••"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job failed: the user's own frames first, then all that SageMaker says."""

    error: str
    where: str
    host: str
    frames: tuple[Frames, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Artifact:
    """What a job left under a name; nothing may be there."""

    title: str
    file: str
    uri: str
    is_there: bool = False
    is_folder: bool = False
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Channel:
    """Data that a job read."""

    name: str
    uri: str
    mode: str
    shared_out: str


@dataclass(frozen=True, slots=True)
class Parameters:
    """A job's hyperparameters: its own, and the platform's."""

    own: Mapping[str, str] = field(default_factory=dict)
    platform: Mapping[str, str] = field(default_factory=dict)


def failure_of(job: Mapping[str, Any], rows: list[HostRow]) -> Failure | None:
    """Return why a job failed, if it did."""
    reason = job.get("FailureReason", "")
    if job["TrainingJobStatus"] != "Failed":
        return None
    first = first_failure(rows)
    ended = first.exit if first else None
    return Failure(
        error=ended.error if ended else "",
        where=ended.where if ended else "",
        host=first.name if first and len(rows) > 1 else "",
        frames=tuple(folded(ended.traceback)) if ended and ended.traceback else (),
        reason=reason,
    )


def parameters_of(job: Mapping[str, Any]) -> Parameters:
    """Return a job's hyperparameters, each as it was sent."""
    found = sorted(job.get("HyperParameters", {}).items())
    return Parameters(
        own={name: _shown(name, v) for name, v in found if not name.startswith(_PLATFORM)},
        platform={name: _shown(name, v) for name, v in found if name.startswith(_PLATFORM)},
    )


def channels_of(job: Mapping[str, Any]) -> list[Channel]:
    """Return the channels of a job."""
    mode = job["AlgorithmSpecification"].get("TrainingInputMode", "")
    return [
        Channel(
            name=each["ChannelName"],
            uri=each["DataSource"].get("S3DataSource", {}).get("S3Uri", ""),
            mode=each.get("InputMode", mode),
            shared_out=each["DataSource"].get("S3DataSource", {}).get("S3DataDistributionType", ""),
        )
        for each in job.get("InputDataConfig", [])
    ]


def artifacts_of(backend: Backend, job: Mapping[str, Any]) -> list[Artifact]:
    """Return what a job may leave; it blocks."""
    model: str = job["ModelArtifacts"]["S3ModelArtifacts"]
    base = model.rstrip("/").rpartition("/")[0]
    output = "output.tar.gz" if model.endswith(".tar.gz") else "output/"
    return [
        _artifact(backend, "Model", "model.tar.gz", model),
        _artifact(backend, "Output", "output.tar.gz", f"{base}/{output}"),
    ]


def artifact_of(backend: Backend, job: Mapping[str, Any], file: str) -> Artifact | None:
    """Return one of them by its file's name, if it is there; it blocks."""
    found = artifacts_of(backend, job)
    return next((each for each in found if each.file == file and each.is_there), None)


def _artifact(backend: Backend, title: str, file: str, text: str) -> Artifact:
    uri = parse_uri(text)
    artifacts = backend.artifacts
    if text.endswith("/"):
        return Artifact(title, file, text, is_there=artifacts.holds(uri), is_folder=True)
    if not artifacts.has(uri):
        return Artifact(title, file, text)
    size_bytes = artifacts.local_path(uri).stat().st_size
    return Artifact(title, file, text, is_there=True, size_bytes=size_bytes)


def again(job: Mapping[str, Any]) -> str:
    """Return the command that trains with the same settings, in the project's folder."""
    words = ["sagelet", "train"]
    hosts = len(host_names(job))
    if hosts > 1:
        words += ["--hosts", str(hosts)]
    for name, value in parameters_of(job).own.items():
        words += ["-p", f"{name}={_plain(value)}"]
    return shlex.join(words)


def again_by_boto3(job: Mapping[str, Any]) -> str:
    """Return a program that creates the same job under a new name."""
    shape = service_model("sagemaker").operation_model("CreateTrainingJob").input_shape
    members = shape.members if shape is not None else {}
    document: Document = {name: job[name] for name in members if name in job}
    document["TrainingJobName"] = f"{job['TrainingJobName'][:56]}-again"
    for names in ("Environment", "HyperParameters"):
        if names in document:
            document[names] = masked(document[names])
    body = pprint.pformat(document, width=96, sort_dicts=False)
    return f'import boto3\n\nboto3.client("sagemaker").create_training_job(\n    **{body}\n)\n'


def masked(values: Mapping[str, str]) -> dict[str, str]:
    """Return variables or parameters without the values of those that are named like secrets."""
    return {name: _shown(name, value) for name, value in values.items()}


def _shown(name: str, value: str) -> str:
    return MASKED if _SECRET.search(name) and value else value


def _plain(value: str) -> str:
    """Return a hyperparameter as one types it: the SDKs send JSON."""
    try:
        read = json.loads(value)
    except ValueError:
        return value
    return read if isinstance(read, str) else value
