"""Builders of training jobs and orders for tests: whole values, of which a test names a part."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sagelet.domain.account import Account
from sagelet.domain.training import (
    Channel,
    Cluster,
    MetricDefinition,
    SecondaryStatus,
    ToolkitProgram,
    TrainingJob,
)
from sagelet.training.order import JobOrder, Places

PYTORCH_IMAGE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.3.0-cpu-py311"
ACCOUNT = Account("us-east-1")
STARTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def a_job(name: str = "digits", **changes: Any) -> TrainingJob:  # noqa: ANN401  any field
    """A job that the store has just recorded as Starting."""
    job = TrainingJob(
        name=name,
        ulid=f"01J0000000{name.upper():0>16}"[:26],
        arn=f"arn:aws:sagemaker:us-east-1:000000000000:training-job/{name}",
        image=PYTORCH_IMAGE,
        program=ToolkitProgram("train.py", "s3://bucket/digits/source/sourcedir.tar.gz"),
        hyperparameters={},
        channels=(),
        cluster=Cluster.of(1, "ml.m5.xlarge"),
        environment={},
        output_uri="s3://bucket/out",
        max_runtime_s=86400,
        metrics=(),
        submitted={"RoleArn": "arn:aws:iam::000000000000:role/sagelet"},
        created_at=STARTED,
    )
    started = job.moved_to(
        SecondaryStatus.STARTING, at=STARTED, message="Starting the training job"
    )
    return replace(started, **changes)


def an_order(root: Path = Path("/nowhere"), **changes: Any) -> JobOrder:  # noqa: ANN401  any field
    """A runner's order for that job."""
    places = Places(
        buckets=str(root / "buckets"),
        logs=str(root / "logs"),
        python=sys.executable,
        package_path=str(root / "pythonpath"),
    )
    job_changes = {key: changes.pop(key) for key in tuple(changes) if key in _OF_THE_JOB}
    order = JobOrder.of(
        a_job(**job_changes),
        account=ACCOUNT,
        places=places,
        inherited={"PATH": "/usr/bin:/bin"},
        grace_s=2.0,
    )
    return replace(order, **changes)


_OF_THE_JOB = frozenset({"cluster", "name", "submitted", "created_at"})


def a_channel(name: str = "training", **changes: Any) -> Channel:  # noqa: ANN401  any field
    """A channel."""
    return replace(Channel(name=name, uri=f"s3://bucket/{name}"), **changes)


def a_metric(name: str = "accuracy", regex: str = r"accuracy=([0-9.]+);") -> MetricDefinition:
    """A metric definition."""
    return MetricDefinition(name, regex)
