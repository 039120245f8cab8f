"""A job that goes on where another one ended: same settings, same checkpoints, a new name."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sagelet.deploy import names
from sagelet.domain.variables import INTERRUPT_AFTER
from sagelet.errors import Busy, InvalidRequest

# What DescribeTrainingJob tells and CreateTrainingJob takes, but for what is made anew.
_KEPT = (
    "AlgorithmSpecification",
    "CheckpointConfig",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "EnableNetworkIsolation",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "RetryStrategy",
    "RoleArn",
    "StoppingCondition",
    "VpcConfig",
)
_OF_A_NAME = re.compile(r"-\d{8}-\d{6}-[0-9a-f]{4}$")


def resumed(
    description: Mapping[str, Any],
    *,
    at: datetime,
    name: str | None = None,
    hyperparameters: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    """Return CreateTrainingJob's parameters, from the older job's description.

    Raises:
        Busy: the older job has not ended.
        InvalidRequest: it keeps no checkpoints.
    """
    old = description["TrainingJobName"]
    if description["TrainingJobStatus"] in ("InProgress", "Stopping"):
        raise Busy(kind="training job", name=old, doing="resume")
    if not description.get("CheckpointConfig"):
        raise InvalidRequest(
            f"Training job {old} kept no checkpoints, so there is nothing to resume it from: give "
            "`train:` a place for `checkpoints:`, or the job a CheckpointConfig."
        )
    new = name or names.job_name(_OF_A_NAME.sub("", old), at)
    environment = dict(description.get("Environment", {}))
    environment.pop(INTERRUPT_AFTER, None)
    document: dict[str, Any] = {
        **{member: description[member] for member in _KEPT if member in description},
        "TrainingJobName": new,
        "HyperParameters": {
            **description.get("HyperParameters", {}),
            **{key: json.dumps(value) for key, value in (hyperparameters or {}).items()},
            "sagemaker_job_name": json.dumps(new),
        },
        "Environment": environment,
    }
    # Describe says that there is no key with an empty one, which Create does not take.
    output = {key: value for key, value in document["OutputDataConfig"].items() if value}
    document["OutputDataConfig"] = output
    return document
