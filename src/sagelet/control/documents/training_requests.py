"""CreateTrainingJob requests, and the other requests that name a job."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime
from typing import Any

from ulid import ULID

from sagelet import __version__
from sagelet.control.context import Document
from sagelet.domain.account import Account
from sagelet.domain.training import (
    Channel,
    Cluster,
    MetricDefinition,
    ToolkitProgram,
    TrainingJob,
)
from sagelet.errors import InvalidRequest, NotSupported

_DEFAULT_MAX_RUNTIME_S = 86400


def name_of(document: Document) -> str:
    """Read which job is meant."""
    name: str = document["TrainingJobName"]
    return name


def asks_for_what_no_job_has(document: Document) -> bool:
    """Return whether a ListTrainingJobs request filters by a warm pool or a training plan."""
    return bool(document.get("WarmPoolStatusEquals") or document.get("TrainingPlanArnEquals"))


def read_training_job(document: Document, *, account: Account, at: datetime) -> TrainingJob:
    """Read a CreateTrainingJob request, as a job without a transition yet.

    Raises:
        InvalidRequest: a part that AWS needs is missing, or makes no sense.
        NotSupported: it is a job that this release does not run.
    """
    name = name_of(document)
    algorithm = document.get("AlgorithmSpecification") or {}
    if not algorithm.get("TrainingImage"):
        raise InvalidRequest(message="A training job needs AlgorithmSpecification.TrainingImage.")
    return TrainingJob(
        name=name,
        ulid=str(ULID.from_datetime(at)),
        arn=account.arn("training-job", name),
        image=algorithm["TrainingImage"],
        program=_program(document),
        hyperparameters=dict(document.get("HyperParameters") or {}),
        channels=_channels(document),
        cluster=_cluster(document),
        environment=dict(document.get("Environment") or {}),
        output_uri=document["OutputDataConfig"]["S3OutputPath"],
        max_runtime_s=stopping_condition(document)["MaxRuntimeInSeconds"],
        metrics=_metrics(algorithm),
        submitted=deepcopy(document),
        created_at=at,
    )


def stopping_condition(document: Document) -> Document:
    """Return when a job is to be stopped, with AWS's default."""
    return {
        "MaxRuntimeInSeconds": _DEFAULT_MAX_RUNTIME_S,
        **(document.get("StoppingCondition") or {}),
    }


def _program(document: Document) -> ToolkitProgram:
    parameters = document.get("HyperParameters") or {}
    environment = document.get("Environment") or {}
    entry_point = _decoded(
        parameters.get("sagemaker_program") or environment.get("SAGEMAKER_PROGRAM")
    )
    source = _decoded(
        parameters.get("sagemaker_submit_directory")
        or environment.get("SAGEMAKER_SUBMIT_DIRECTORY")
    )
    if not entry_point or not source:
        raise NotSupported(
            message="The job names no script, so that its image would have to run, and sagelet "
            f"{__version__} runs no images. Give the hyperparameters sagemaker_program (the "
            "script) and sagemaker_submit_directory (an s3:// or file:// URL of its source), as "
            "SageMaker SDK v2's estimators do."
        )
    return ToolkitProgram(entry_point, source)


def _decoded(value: str | None) -> str:
    """Return a hyperparameter's text: SDK v2 encodes it as JSON, a person may not."""
    if not value:
        return ""
    try:
        decoded = json.loads(value)
    except ValueError:
        return value
    return decoded if isinstance(decoded, str) else value


def _channels(document: Document) -> tuple[Channel, ...]:
    channels = tuple(_channel(channel) for channel in document.get("InputDataConfig") or ())
    names = [channel.name for channel in channels]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidRequest(message=f"Two input channels are named {twice!r}.")
    return channels


def _channel(channel: Mapping[str, Any]) -> Channel:
    name = channel["ChannelName"]
    source = channel["DataSource"].get("S3DataSource")
    if not source:
        raise InvalidRequest(message=f"Input channel {name} needs an S3DataSource.")
    return Channel(name=name, uri=source["S3Uri"], content_type=channel.get("ContentType"))


def _cluster(document: Document) -> Cluster:
    resources = document.get("ResourceConfig") or {}
    count, instance_type = resources.get("InstanceCount"), resources.get("InstanceType")
    if not count or not instance_type:
        raise InvalidRequest(
            message="A training job needs ResourceConfig.InstanceType and InstanceCount."
        )
    if count > 1:
        raise NotSupported(
            message=f"CreateTrainingJob: ResourceConfig.InstanceCount {count} is not served by "
            f"sagelet {__version__}: a job runs on one host; use InstanceCount 1."
        )
    return Cluster.of(count, instance_type)


def _metrics(algorithm: Mapping[str, Any]) -> tuple[MetricDefinition, ...]:
    definitions = tuple(
        MetricDefinition(definition["Name"], definition["Regex"])
        for definition in algorithm.get("MetricDefinitions") or ()
    )
    for definition in definitions:
        try:
            re.compile(definition.regex)
        except re.error as error:
            raise InvalidRequest(
                message=f"The regex of metric {definition.name!r} is not one: {error}."
            ) from error
    return definitions
