"""Parameters of the API's calls, as a person would write them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROLE = "arn:aws:iam::000000000000:role/AmazonSageMakerFullAccess"


def a_model(name: str, model_data: Path | str, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the parameters of CreateModel. One worker serves it, unless told."""
    url = model_data.as_uri() if isinstance(model_data, Path) else model_data
    return {
        "ModelName": name,
        "ExecutionRoleArn": ROLE,
        "PrimaryContainer": {
            "Image": "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.6.0-cpu",
            "ModelDataUrl": url,
            "Environment": {"SAGEMAKER_MODEL_SERVER_WORKERS": "1", **environment},
        },
    }


def an_endpoint_config(name: str, model: str | None = None) -> dict[str, Any]:
    """Return the parameters of CreateEndpointConfig, of one variant."""
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": model or name,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    return {"EndpointConfigName": name, "ProductionVariants": [variant]}


def a_training_job(name: str, source: Path, **members: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return the parameters of CreateTrainingJob; `members` replace top-level ones.

    Hyperparameters are added to those that say which script runs.
    """
    program = {"sagemaker_program": "train.py", "sagemaker_submit_directory": source.as_uri()}
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.6.0",
            "TrainingInputMode": "File",
        },
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": (source.parent / f"{name}-output").as_uri()},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 1,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 120},
        **members,
        "HyperParameters": {**program, **members.get("HyperParameters", {})},
    }
