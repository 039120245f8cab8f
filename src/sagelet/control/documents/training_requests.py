"""CreateTrainingJob requests, and the other requests that name a job."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime
from typing import Any

from ulid import ULID

from sagelet.control.context import Document
from sagelet.control.documents.channels import read_channels
from sagelet.control.documents.training_clusters import (
    check_distribution,
    check_groups,
    read_cluster,
)
from sagelet.control.documents.training_limits import read_checkpoints, read_limits
from sagelet.control.documents.training_programs import read_program
from sagelet.domain.account import Account
from sagelet.domain.training import (
    MetricDefinition,
    TrainingJob,
)
from sagelet.errors import InvalidRequest


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
    cluster = read_cluster(document)
    channels = read_channels(document, cluster)
    check_groups(channels)
    check_distribution(document)
    algorithm = document.get("AlgorithmSpecification") or {}
    if not algorithm.get("TrainingImage"):
        raise InvalidRequest(message="A training job needs AlgorithmSpecification.TrainingImage.")
    limits = read_limits(document)
    return TrainingJob(
        name=name,
        ulid=str(ULID.from_datetime(at)),
        arn=account.arn("training-job", name),
        image=algorithm["TrainingImage"],
        program=read_program(document),
        hyperparameters=dict(document.get("HyperParameters") or {}),
        channels=channels,
        cluster=cluster,
        environment=dict(document.get("Environment") or {}),
        output_uri=document["OutputDataConfig"]["S3OutputPath"],
        max_runtime_s=limits.max_runtime_s,
        metrics=_metrics(algorithm),
        submitted=deepcopy(document),
        created_at=at,
        checkpoints=read_checkpoints(document),
        is_spot=limits.is_spot,
        max_wait_s=limits.max_wait_s,
    )


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
