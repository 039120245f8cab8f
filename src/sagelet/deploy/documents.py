"""Wanted values as the documents of AWS's API: PascalCase begins and ends here."""

from __future__ import annotations

import json
from typing import Any

from sagelet.deploy.remote import Tags, WantedEndpointConfig, WantedJob, WantedModel
from sagelet.domain.distribution import flags_for
from sagelet.domain.variables import INTERRUPT_AFTER

VARIANT = "AllTraffic"
_CONTAINER_LOG_LEVEL = 20


def tag_list(tags: Tags) -> list[dict[str, str]]:
    """Return tags as AWS lists them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def create_model(model: WantedModel, tags: Tags) -> dict[str, Any]:
    """Return CreateModel's parameters."""
    return {
        "ModelName": model.name,
        "ExecutionRoleArn": model.role,
        "PrimaryContainer": {
            "Image": model.image,
            "ModelDataUrl": model.data_url,
            "Environment": dict(model.environment),
        },
        "Tags": tag_list(tags),
    }


def create_endpoint_config(config: WantedEndpointConfig, tags: Tags) -> dict[str, Any]:
    """Return CreateEndpointConfig's parameters."""
    variant = {
        "VariantName": VARIANT,
        "ModelName": config.model_name,
        "InstanceType": config.instance_type,
        "InitialInstanceCount": config.instance_count,
        "InitialVariantWeight": 1.0,
    }
    return {
        "EndpointConfigName": config.name,
        "ProductionVariants": [variant],
        "Tags": tag_list(tags),
    }


def create_training_job(job: WantedJob, tags: Tags) -> dict[str, Any]:
    """Return CreateTrainingJob's parameters, as the SageMaker SDK's estimator makes them."""
    document: dict[str, Any] = {
        "TrainingJobName": job.name,
        "RoleArn": job.role,
        "AlgorithmSpecification": {
            "TrainingImage": job.image,
            "TrainingInputMode": "File",
            "EnableSageMakerMetricsTimeSeries": True,
            "MetricDefinitions": [
                {"Name": name, "Regex": regex} for name, regex in job.metrics.items()
            ],
        },
        "HyperParameters": hyperparameters(job),
        "InputDataConfig": [_channel(name, url) for name, url in job.channels.items()],
        "OutputDataConfig": {"S3OutputPath": job.output_url},
        "ResourceConfig": {
            "InstanceCount": job.hosts,
            "InstanceType": job.instance_type,
            "VolumeSizeInGB": job.volume_gb,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": job.max_runtime_s},
        "Environment": dict(job.environment),
        "Tags": tag_list(tags),
    }
    if not job.channels:
        del document["InputDataConfig"]
    if job.checkpoints_url is not None:
        document["CheckpointConfig"] = {"S3Uri": job.checkpoints_url}
    if job.interrupt_after_s is not None:
        document["EnableManagedSpotTraining"] = True
        document["StoppingCondition"]["MaxWaitTimeInSeconds"] = job.max_runtime_s
        document["Environment"][INTERRUPT_AFTER] = str(job.interrupt_after_s)
    return document


def hyperparameters(job: WantedJob) -> dict[str, str]:
    """Return the hyperparameters that the training toolkit reads: each value as JSON."""
    values: dict[str, object] = {
        **job.hyperparameters,
        **flags_for(job.distribution, processes=job.processes, instance_type=job.instance_type),
        "sagemaker_program": job.program,
        "sagemaker_submit_directory": job.source_url,
        "sagemaker_container_log_level": _CONTAINER_LOG_LEVEL,
        "sagemaker_job_name": job.name,
        "sagemaker_region": job.region,
    }
    return {name: json.dumps(value) for name, value in values.items()}


def _channel(name: str, url: str) -> dict[str, Any]:
    source = {
        "S3DataType": "S3Prefix",
        "S3Uri": url,
        "S3DataDistributionType": "FullyReplicated",
    }
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}
