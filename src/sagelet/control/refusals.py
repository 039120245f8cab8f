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
_FILE_MODE = "channels are folders here, and no pipes; use File, or FastFile to only read"
_NO_METRIC_MATH = "there are no metric math and no Metrics Insights; give a MetricStat"

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
        "AlgorithmSpecification.TrainingInputMode",
        _FILE_MODE,
        frozenset({"Pipe"}),
    ),
    Refused(
        "CreateTrainingJob",
        "InputDataConfig.InputMode",
        _FILE_MODE,
        frozenset({"Pipe"}),
    ),
    Refused(
        "CreateTrainingJob",
        "InputDataConfig.RecordWrapperType",
        "records are wrapped for Pipe mode only; leave it out and use File mode",
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
        "its lines are for Pipe mode only; give a ManifestFile or an S3Prefix, and read the lines "
        "in the script",
        frozenset({"AugmentedManifestFile", "Converse"}),
    ),
    Refused(
        "CreateTrainingJob",
        "InputDataConfig.DataSource.S3DataSource.HubAccessConfig",
        "there is no model hub here",
    ),
    Refused(
        "CreateTrainingJob", "ResourceConfig.InstancePreferences", "give one InstanceType instead"
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
    Refused("GetMetricData", "MetricDataQueries.Expression", _NO_METRIC_MATH),
    Refused("GetMetricData", "MetricDataQueries.Period", _NO_METRIC_MATH),
    Refused(
        "PutMetricData",
        "EntityMetricData",
        "metrics are kept without the entity that sent them; give MetricData",
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
