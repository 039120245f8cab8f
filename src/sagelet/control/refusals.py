"""What AWS serves and this release refuses, as a table that the documentation prints."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refused:
    """A member that AWS serves and this release does not; `values` are those that it refuses."""

    operation: str
    member: str
    why: str
    values: frozenset[str] | None = None


_ONE_CONTAINER = "an endpoint runs one model in one container; inference pipelines are not served"
_NO_PACKAGES = "there is no model registry; give Image and ModelDataUrl instead"
_NO_COMPONENTS = "inference components are not served; name the endpoint only"
_FILE_MODE = "channels are copied before the start; use File mode"
_ONE_HOST = "a job runs on one host; use InstanceCount 1"

REFUSED: tuple[Refused, ...] = (
    Refused("CreateModel", "Containers", _ONE_CONTAINER),
    Refused("CreateModel", "InferenceExecutionConfig", _ONE_CONTAINER),
    Refused("CreateModel", "PrimaryContainer.ModelPackageName", _NO_PACKAGES),
    Refused("CreateModel", "PrimaryContainer.InferenceSpecificationName", _NO_PACKAGES),
    Refused(
        "CreateModel",
        "PrimaryContainer.AdditionalModelDataSources",
        "a model has one archive or folder; put everything into it",
    ),
    Refused(
        "CreateEndpointConfig",
        "AsyncInferenceConfig",
        "asynchronous endpoints are not served; leave it out and call InvokeEndpoint",
    ),
    Refused("CreateEndpointConfig", "ExplainerConfig", "Clarify does not run here"),
    Refused("CreateEndpointConfig", "ShadowProductionVariants", "no traffic is copied to shadows"),
    Refused(
        "CreateEndpointConfig",
        "ProductionVariants.ServerlessConfig",
        "serverless variants are not served; give InstanceType and InitialInstanceCount",
    ),
    Refused(
        "UpdateEndpointWeightsAndCapacities",
        "DesiredWeightsAndCapacities.ServerlessUpdateConfig",
        "serverless variants are not served",
    ),
    Refused(
        "CreateTrainingJob",
        "AlgorithmSpecification.AlgorithmName",
        "algorithm resources are not served; give TrainingImage",
    ),
    Refused(
        "CreateTrainingJob",
        "AlgorithmSpecification.ContainerEntrypoint",
        "jobs run a Python script under the training toolkit's contract; give the hyperparameters "
        "sagemaker_program and sagemaker_submit_directory, as SageMaker SDK v2's estimators do",
    ),
    Refused(
        "CreateTrainingJob",
        "AlgorithmSpecification.ContainerArguments",
        "they belong to ContainerEntrypoint",
    ),
    Refused(
        "CreateTrainingJob",
        "AlgorithmSpecification.TrainingInputMode",
        _FILE_MODE,
        frozenset({"Pipe", "FastFile"}),
    ),
    Refused(
        "CreateTrainingJob",
        "InputDataConfig.InputMode",
        _FILE_MODE,
        frozenset({"Pipe", "FastFile"}),
    ),
    Refused(
        "CreateTrainingJob",
        "InputDataConfig.CompressionType",
        "data is not decompressed on its way to the script",
        frozenset({"Gzip"}),
    ),
    Refused(
        "CreateTrainingJob",
        "InputDataConfig.RecordWrapperType",
        "files are copied as they are",
        frozenset({"RecordIO"}),
    ),
    Refused(
        "CreateTrainingJob",
        "InputDataConfig.DataSource.FileSystemDataSource",
        "there is no EFS or FSx here; give an S3DataSource, whose S3Uri may be a file:// URL",
    ),
    Refused(
        "CreateTrainingJob",
        "InputDataConfig.DataSource.DatasetSource",
        "there is no dataset registry; give an S3DataSource",
    ),
    Refused(
        "CreateTrainingJob",
        "InputDataConfig.DataSource.S3DataSource.S3DataType",
        "manifests are not read; give an S3Prefix",
        frozenset({"ManifestFile", "AugmentedManifestFile", "Converse"}),
    ),
    Refused(
        "CreateTrainingJob",
        "InputDataConfig.DataSource.S3DataSource.S3DataDistributionType",
        _ONE_HOST,
        frozenset({"ShardedByS3Key"}),
    ),
    Refused(
        "CreateTrainingJob",
        "InputDataConfig.DataSource.S3DataSource.InstanceGroupNames",
        _ONE_HOST,
    ),
    Refused(
        "CreateTrainingJob",
        "InputDataConfig.DataSource.S3DataSource.HubAccessConfig",
        "there is no model hub here",
    ),
    Refused("CreateTrainingJob", "ResourceConfig.InstanceGroups", _ONE_HOST),
    Refused(
        "CreateTrainingJob", "ResourceConfig.InstancePreferences", "give one InstanceType instead"
    ),
    Refused(
        "CreateTrainingJob",
        "CheckpointConfig",
        "checkpoints are not synchronised; write them to /opt/ml/model, which is stored at the end",
    ),
    Refused("CreateTrainingJob", "ServerlessJobConfig", "there is no model hub here"),
    Refused("CreateTrainingJob", "ModelPackageConfig", "there is no model registry"),
    Refused(
        "CreateLogGroup",
        "deletionProtectionEnabled",
        "a group can always be deleted",
        frozenset({"True"}),
    ),
    Refused(
        "FilterLogEvents",
        "startFromHead",
        "events are given from the oldest on",
        frozenset({"False"}),
    ),
    Refused("InvokeEndpoint", "TargetContainerHostname", _ONE_CONTAINER),
    Refused(
        "InvokeEndpoint",
        "InferenceComponentName",
        _NO_COMPONENTS,
    ),
    Refused("InvokeEndpointWithResponseStream", "TargetContainerHostname", _ONE_CONTAINER),
    Refused("InvokeEndpointWithResponseStream", "InferenceComponentName", _NO_COMPONENTS),
)
