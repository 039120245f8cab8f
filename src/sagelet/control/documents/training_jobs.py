"""Training jobs in responses."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from datetime import timedelta
from typing import Any

from sagelet.artifacts.uris import S3Uri, parse_uri
from sagelet.control.context import Document
from sagelet.control.documents.training_limits import stopping_condition
from sagelet.domain.account import Account
from sagelet.domain.training import SecondaryStatus, TrainingJob

_REASON_CHARACTERS = 1024


def role_of(job: TrainingJob, *, account: Account) -> str:
    """Return the ARN of the role that a job was submitted with."""
    return account.role_arn(job.submitted["RoleArn"])


def show_arn(job: TrainingJob) -> Document:
    """Return the answer to CreateTrainingJob."""
    return {"TrainingJobArn": job.arn}


def show_training_job(job: TrainingJob, *, account: Account) -> Document:
    """Return a job as DescribeTrainingJob does: as submitted, with AWS's defaults, and its course.

    `ModelArtifacts` says from the start where the model will be, as AWS does.
    """
    submitted = deepcopy(dict(job.submitted))
    for member in ("Tags", "SessionChainingConfig"):
        submitted.pop(member, None)
    shown: Document = {
        "EnableInterContainerTrafficEncryption": False,
        "EnableManagedSpotTraining": False,
        "EnableNetworkIsolation": False,
        **submitted,
        **summarize(job),
        "SecondaryStatus": str(job.secondary_status),
        "SecondaryStatusTransitions": [_transition(job, n) for n in range(len(job.transitions))],
        "ModelArtifacts": {"S3ModelArtifacts": job.artifact_uri or _artifact_uri(job)},
        # SDK v2's attach() reads KmsKeyId without asking whether it is there.
        "OutputDataConfig": {
            "KmsKeyId": "",
            "CompressionType": "GZIP",
            **submitted["OutputDataConfig"],
        },
        "StoppingCondition": stopping_condition(submitted),
        "RoleArn": role_of(job, account=account),
        **_times(job),
    }
    if job.channels:
        shown["InputDataConfig"] = [_shown_channel(c) for c in submitted["InputDataConfig"]]
    if job.failure_reason:
        shown["FailureReason"] = job.failure_reason[:_REASON_CHARACTERS]
    if job.final_metrics:
        shown["FinalMetricDataList"] = [
            {"MetricName": name, "Value": value, "Timestamp": at}
            for name, value, at in job.final_metrics
        ]
    return {name: member for name, member in shown.items() if member not in (None, {}, [])}


def show_none() -> Document:
    """Return a page of jobs that has none."""
    return {"TrainingJobSummaries": []}


def summarize(job: TrainingJob) -> Document:
    """Return a job as ListTrainingJobs does."""
    shown: Document = {
        "TrainingJobName": job.name,
        "TrainingJobArn": job.arn,
        "CreationTime": job.created_at,
        "LastModifiedTime": job.last_modified_at,
        "TrainingJobStatus": str(job.status),
        "SecondaryStatus": str(job.secondary_status),
    }
    if job.ended_at is not None:
        shown["TrainingEndTime"] = job.ended_at
    return shown


def _artifact_uri(job: TrainingJob) -> str:
    uri = parse_uri(job.output_uri)
    is_archive = job.submitted["OutputDataConfig"].get("CompressionType") != "NONE"
    parts = (job.name, "output", "model.tar.gz" if is_archive else "model/")
    if isinstance(uri, S3Uri):
        return str(uri.child(*parts))
    return str(type(uri)(uri.path.joinpath(*parts)))


def _shown_channel(channel: Mapping[str, Any]) -> Document:
    source = {
        "S3DataDistributionType": "FullyReplicated",
        **channel["DataSource"]["S3DataSource"],
    }
    return {
        "CompressionType": "None",
        "RecordWrapperType": "None",
        **channel,
        "DataSource": {"S3DataSource": source},
    }


def _transition(job: TrainingJob, number: int) -> Document:
    transition = job.transitions[number]
    shown: Document = {
        "Status": str(transition.status),
        "StartTime": transition.started_at,
        "StatusMessage": transition.message,
    }
    if transition.ended_at is not None:
        shown["EndTime"] = transition.ended_at
    return shown


# What instances are paid for: not for the time in which a spot job waits for new ones.
_WORKING = frozenset(
    {
        SecondaryStatus.DOWNLOADING,
        SecondaryStatus.TRAINING,
        SecondaryStatus.UPLOADING,
        SecondaryStatus.STOPPING,
    }
)


def _times(job: TrainingJob) -> Document:
    """Return when instances worked for the job, and for how long: data and model count, too."""
    began = next(
        (
            transition.started_at
            for transition in job.transitions
            if transition.status in (SecondaryStatus.DOWNLOADING, SecondaryStatus.TRAINING)
        ),
        None,
    )
    if began is None:
        return {}
    if job.ended_at is None:
        return {"TrainingStartTime": began}
    worked = sum(
        (
            transition.ended_at - transition.started_at
            for transition in job.transitions
            if transition.status in _WORKING and transition.ended_at is not None
        ),
        timedelta(),
    )
    return {
        "TrainingStartTime": began,
        "TrainingTimeInSeconds": _whole_seconds(job.ended_at - began),
        "BillableTimeInSeconds": _whole_seconds(worked),
    }


def _whole_seconds(time: timedelta) -> int:
    return max(1, round(time.total_seconds()))
