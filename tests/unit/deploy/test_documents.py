"""The documents pass botocore's own validation, which knows AWS's members and types."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from sagelet.deploy import documents
from sagelet.deploy.remote import WantedEndpointConfig, WantedJob, WantedModel

ROLE = "arn:aws:iam::123456789012:role/Role"
TAGS = {"sagelet:project": "p"}
JOB = WantedJob(
    name="clf-job",
    image="image",
    role=ROLE,
    program="train.py",
    source_url="s3://b/source/sourcedir.tar.gz",
    output_url="s3://b/clf/jobs",
    region="eu-west-1",
    instance_type="ml.m5.xlarge",
    hosts=2,
    hyperparameters={"epochs": 10, "name": "resnet", "flag": True, "none": None, "l": [1, 2]},
    channels={"training": "s3://b/data/"},
    metrics={"loss": "loss: ([0-9.]+)"},
)

MODEL = ServiceModel(Loader().load_service_model("sagemaker", "service-2"))


def is_valid(operation: str, document: dict[str, Any]) -> bool:
    shape = MODEL.operation_model(operation).input_shape
    assert shape is not None
    report = ParamValidator().validate(document, shape)
    assert not report.has_errors(), report.generate_report()
    return True


def test_a_model_is_valid() -> None:
    model = WantedModel("clf-1", "image", "s3://b/k", ROLE, {"A": "b"})
    document = documents.create_model(model, TAGS)
    assert is_valid("CreateModel", document)
    assert document["PrimaryContainer"]["Environment"] == {"A": "b"}
    assert document["Tags"] == [{"Key": "sagelet:project", "Value": "p"}]


def test_an_endpoint_configuration_is_valid() -> None:
    config = WantedEndpointConfig("clf-2", "clf-1", "ml.m5.large", 2)
    assert is_valid("CreateEndpointConfig", documents.create_endpoint_config(config, TAGS))


def test_a_training_job_is_valid() -> None:
    assert is_valid("CreateTrainingJob", documents.create_training_job(JOB, TAGS))


def test_hyperparameters_are_encoded_as_the_sdk_encodes_them() -> None:
    assert documents.hyperparameters(JOB) == {
        "epochs": "10",
        "name": '"resnet"',
        "flag": "true",
        "none": "null",
        "l": "[1, 2]",
        "sagemaker_program": '"train.py"',
        "sagemaker_submit_directory": '"s3://b/source/sourcedir.tar.gz"',
        "sagemaker_container_log_level": "20",
        "sagemaker_job_name": '"clf-job"',
        "sagemaker_region": '"eu-west-1"',
    }


def test_an_interrupted_job_is_a_spot_job_with_checkpoints() -> None:
    job = replace(JOB, checkpoints_url="s3://b/ckpt", interrupt_after_s=30)
    document = documents.create_training_job(job, TAGS)
    assert is_valid("CreateTrainingJob", document)
    assert document["EnableManagedSpotTraining"] is True
    assert document["CheckpointConfig"] == {"S3Uri": "s3://b/ckpt"}
    assert document["StoppingCondition"] == {
        "MaxRuntimeInSeconds": job.max_runtime_s,
        "MaxWaitTimeInSeconds": job.max_runtime_s,
    }
    assert document["Environment"]["SAGELET_SIMULATE_INTERRUPTION_S"] == "30"
    assert "CheckpointConfig" not in documents.create_training_job(JOB, TAGS)
