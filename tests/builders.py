"""Values for tests: each builder gives a whole, plausible one; name only what the test is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sagelet.domain.account import Account
from sagelet.domain.hosting import (
    Endpoint,
    EndpointConfig,
    EndpointStatus,
    Model,
    Serving,
    Variant,
)
from sagelet.domain.training import (
    Channel,
    Cluster,
    MetricDefinition,
    SecondaryStatus,
    ToolkitProgram,
    TrainingJob,
    TrainingJobStatus,
    Transition,
)
from sagelet.store.store import Store

ACCOUNT = Account("us-east-1")
BEGINNING = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PROGRAM = ToolkitProgram("train.py", "s3://code/train-1/sourcedir.tar.gz")

_WAYS: Mapping[TrainingJobStatus, tuple[SecondaryStatus, ...]] = {
    TrainingJobStatus.IN_PROGRESS: (SecondaryStatus.STARTING,),
    TrainingJobStatus.STOPPING: (SecondaryStatus.STARTING, SecondaryStatus.STOPPING),
    TrainingJobStatus.COMPLETED: (
        SecondaryStatus.STARTING,
        SecondaryStatus.DOWNLOADING,
        SecondaryStatus.TRAINING,
        SecondaryStatus.UPLOADING,
        SecondaryStatus.COMPLETED,
    ),
    TrainingJobStatus.FAILED: (
        SecondaryStatus.STARTING,
        SecondaryStatus.DOWNLOADING,
        SecondaryStatus.TRAINING,
        SecondaryStatus.FAILED,
    ),
    TrainingJobStatus.STOPPED: (
        SecondaryStatus.STARTING,
        SecondaryStatus.TRAINING,
        SecondaryStatus.STOPPING,
        SecondaryStatus.STOPPED,
    ),
}


def a_store() -> Store:
    """Return an empty store in memory."""
    return Store(None, ACCOUNT)


def a_model(
    name: str = "sentiment",
    *,
    image: str | None = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.3.0-cpu",
    data_url: str | None = "s3://models/sentiment/model.tar.gz",
    environment: Mapping[str, str] | None = None,
    created_at: datetime = BEGINNING,
) -> Model:
    """Return a model of one container."""
    variables = dict(environment or {})
    container = {"Image": image, "ModelDataUrl": data_url, "Environment": variables}
    return Model(
        name=name,
        arn=ACCOUNT.arn("model", name),
        image=image,
        data_url=data_url,
        environment=variables,
        submitted={
            "ModelName": name,
            "PrimaryContainer": {key: value for key, value in container.items() if value},
            "ExecutionRoleArn": ACCOUNT.role_arn("AmazonSageMakerFullAccess"),
        },
        created_at=created_at,
    )


def an_endpoint_config(
    name: str = "sentiment-1",
    *,
    variants: tuple[Variant, ...] = (Variant("AllTraffic", "sentiment", "ml.m5.large"),),
    created_at: datetime = BEGINNING,
) -> EndpointConfig:
    """Return an endpoint configuration, of one variant unless told."""
    return EndpointConfig(
        name=name,
        arn=ACCOUNT.arn("endpoint-config", name),
        variants=variants,
        submitted={
            "EndpointConfigName": name,
            "ProductionVariants": [
                {
                    "VariantName": variant.name,
                    "ModelName": variant.model_name,
                    "InstanceType": variant.instance_type,
                    "InitialInstanceCount": variant.instance_count,
                    "InitialVariantWeight": variant.weight,
                }
                for variant in variants
            ],
        },
        created_at=created_at,
    )


def a_serving(
    config: EndpointConfig | None = None, models: tuple[Model, ...] = (a_model(),)
) -> Serving:
    """Return a configuration and its models, as an endpoint keeps them."""
    return Serving(
        config=config or an_endpoint_config(), models={model.name: model for model in models}
    )


def an_endpoint(
    name: str = "sentiment",
    *,
    status: EndpointStatus = EndpointStatus.IN_SERVICE,
    wanted: Serving | None = None,
    serving: Serving | None = None,
    failure_reason: str | None = None,
    created_at: datetime = BEGINNING,
) -> Endpoint:
    """Return an endpoint; one that is past its creation serves what it wants."""
    wanted = wanted or a_serving()
    never_served = status in (EndpointStatus.CREATING, EndpointStatus.FAILED)
    return Endpoint(
        name=name,
        ulid="01JGH4VTB8ZC9N5YX2M7Q3W6RE",
        arn=ACCOUNT.arn("endpoint", name),
        status=status,
        wanted=wanted,
        serving=serving or (None if never_served else wanted),
        submitted={"EndpointName": name, "EndpointConfigName": wanted.config.name},
        created_at=created_at,
        last_modified_at=created_at,
        failure_reason=failure_reason,
    )


def a_job(
    name: str = "train-1",
    *,
    status: TrainingJobStatus = TrainingJobStatus.IN_PROGRESS,
    hyperparameters: Mapping[str, str] | None = None,
    channels: tuple[Channel, ...] = (Channel("training", "s3://data/train"),),
    program: ToolkitProgram = PROGRAM,
    cluster: Cluster | None = None,
    environment: Mapping[str, str] | None = None,
    output_uri: str = "s3://artifacts/",
    max_runtime_s: int = 86400,
    metrics: tuple[MetricDefinition, ...] = (),
    failure_reason: str | None = None,
    created_at: datetime = BEGINNING,
) -> TrainingJob:
    """Return a training job that went the usual way to its status, ten seconds a step."""
    return TrainingJob(
        name=name,
        ulid="01JGH4VTB8ZC9N5YX2M7Q3W6RF",
        arn=ACCOUNT.arn("training-job", name),
        image="763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.3.0-cpu-py311",
        program=program,
        hyperparameters=dict(hyperparameters or {}),
        channels=channels,
        cluster=cluster or Cluster.of(1, "ml.m5.xlarge"),
        environment=dict(environment or {}),
        output_uri=output_uri,
        max_runtime_s=max_runtime_s,
        metrics=metrics,
        submitted=a_training_document(name),
        created_at=created_at,
        transitions=_way_to(status, created_at),
        failure_reason=failure_reason,
    )


def a_training_document(name: str = "train-1", **members: Any) -> dict[str, Any]:  # noqa: ANN401  AWS's members
    """Return a CreateTrainingJob document as SDK v2 sends it; `members` replace top-level ones."""
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": "763104351884.dkr.ecr.us-east-1.amazonaws.com"
            "/pytorch-training:2.3.0-cpu-py311",
            "TrainingInputMode": "File",
        },
        "HyperParameters": {
            "sagemaker_program": '"train.py"',
            "sagemaker_submit_directory": '"s3://code/train-1/sourcedir.tar.gz"',
            "epochs": "3",
        },
        "InputDataConfig": [
            {
                "ChannelName": "training",
                "DataSource": {
                    "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://data/train"}
                },
            }
        ],
        "OutputDataConfig": {"S3OutputPath": "s3://artifacts/"},
        "ResourceConfig": {
            "InstanceCount": 1,
            "InstanceType": "ml.m5.xlarge",
            "VolumeSizeInGB": 30,
        },
        "RoleArn": ACCOUNT.role_arn("AmazonSageMakerFullAccess"),
        "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
        **members,
    }


def _way_to(status: TrainingJobStatus, created_at: datetime) -> tuple[Transition, ...]:
    steps = _WAYS[status]
    starts = [created_at + timedelta(seconds=10 * number) for number in range(len(steps))]
    ends = [*starts[1:], starts[-1] if status.is_terminal else None]
    return tuple(
        Transition(step, start, f"{step}.", end)
        for step, start, end in zip(steps, starts, ends, strict=True)
    )
