"""Where we are not AWS, as tables: what has no effect here, and what only we accept.

The documentation prints them and tests read them. What AWS serves and we refuse is in `refusals`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sagelet.wire.validation import Deviation


@dataclass(frozen=True, slots=True)
class Ignored:
    """A member, with all below it, that is accepted, echoed, and has no effect here."""

    operation: str
    member: str
    why: str


_NO_NETWORK = "there is no VPC on a laptop, and what runs here is not cut off from its network"
_NO_KEYS = "nothing is encrypted with KMS: the state directory is its owner's alone"
_NO_ROLES = "what runs here acts as the person who started the daemon, not as a role"
_NO_HARDWARE = "this machine is all the hardware there is"
_NO_REGISTRY = "no image is pulled: a framework image stands for the project's own interpreter"
_SAME_METRICS = "every endpoint has the same metrics, every ten seconds"
_NO_SHELL = "there is no other machine to log in to"
_NO_TIMEOUTS = "loading is local: an endpoint fails as soon as its model does"
_NO_DEBUGGER = "Debugger, Profiler and TensorBoard do not run here"
_NO_TRACKING = "no experiment tracking service runs here"
_NO_SPOT = "this machine is always there, so there is nothing to wait for or to retry"
_ONE_WAY = "new workers always come up beside the old ones, which serve until the swap"
_NO_DIFFERENCE = "it makes no difference to the answer"
_ONE_ACCOUNT = "there is one account"

_IGNORED: Mapping[str, Mapping[str, str]] = {
    "CreateModel": {
        "EnableNetworkIsolation": _NO_NETWORK,
        "ExecutionRoleArn": _NO_ROLES,
        "PrimaryContainer.ContainerHostname": "there is one container, and nobody calls it by name",
        "PrimaryContainer.ContainerMetricsConfig": _SAME_METRICS,
        "PrimaryContainer.ImageConfig": _NO_REGISTRY,
        "PrimaryContainer.ModelDataSource.S3DataSource.ModelAccessConfig": _NO_DIFFERENCE,
        "PrimaryContainer.MultiModelConfig": "models are kept in memory while there is room",
        "VpcConfig": _NO_NETWORK,
    },
    "CreateEndpointConfig": {
        "CrossRegionTrafficConfig": "there is one region, and it is this machine",
        "DataCaptureConfig": "requests and answers are not captured in S3",
        "EnableNetworkIsolation": _NO_NETWORK,
        "ExecutionRoleArn": _NO_ROLES,
        "KmsKeyId": _NO_KEYS,
        "MetricsConfig": _SAME_METRICS,
        "ProductionVariants.AcceleratorPartitionLayouts": _NO_HARDWARE,
        "ProductionVariants.AcceleratorType": _NO_HARDWARE,
        "ProductionVariants.CapacityReservationConfig": _NO_HARDWARE,
        "ProductionVariants.ContainerStartupHealthCheckTimeoutInSeconds": _NO_TIMEOUTS,
        "ProductionVariants.CoreDumpConfig": _NO_SHELL,
        "ProductionVariants.EnableSSMAccess": _NO_SHELL,
        "ProductionVariants.InferenceAmiVersion": _NO_HARDWARE,
        "ProductionVariants.InstancePools": _NO_HARDWARE,
        "ProductionVariants.ManagedInstanceScaling": "the number of workers is a setting",
        "ProductionVariants.ModelDataDownloadTimeoutInSeconds": _NO_TIMEOUTS,
        "ProductionVariants.RoutingConfig": "a request goes to a worker that is free",
        "ProductionVariants.VariantInstanceProvisionTimeoutInSeconds": _NO_HARDWARE,
        "ProductionVariants.VolumeSizeInGB": _NO_HARDWARE,
        "VpcConfig": _NO_NETWORK,
    },
    "CreateEndpoint": {"DeploymentConfig": _ONE_WAY},
    "UpdateEndpoint": {"DeploymentConfig": _ONE_WAY, "RetainDeploymentConfig": _ONE_WAY},
    "CreateTrainingJob": {
        "AlgorithmSpecification.EnableSageMakerMetricsTimeSeries": (
            "every point of a metric is kept, and CloudWatch's operations give them"
        ),
        "AlgorithmSpecification.TrainingImageConfig": _NO_REGISTRY,
        "DebugHookConfig": _NO_DEBUGGER,
        "DebugRuleConfigurations": _NO_DEBUGGER,
        "EnableInterContainerTrafficEncryption": "traffic between hosts stays on loopback",
        "EnableNetworkIsolation": _NO_NETWORK,
        "ExperimentConfig": _NO_TRACKING,
        "InfraCheckConfig": _NO_HARDWARE,
        "InputDataConfig.DataSource.S3DataSource.AttributeNames": "they belong to a manifest",
        "InputDataConfig.DataSource.S3DataSource.ModelAccessConfig": _NO_DIFFERENCE,
        "InputDataConfig.ShuffleConfig": "the order of keys matters in Pipe mode only",
        "MlflowConfig": _NO_TRACKING,
        "OutputDataConfig.KmsKeyId": _NO_KEYS,
        "ProfilerConfig": _NO_DEBUGGER,
        "ProfilerRuleConfigurations": _NO_DEBUGGER,
        "RemoteDebugConfig": _NO_SHELL,
        "ResourceConfig.InstancePlacementConfig": _NO_HARDWARE,
        "ResourceConfig.KeepAlivePeriodInSeconds": "interpreters are kept warm anyway",
        "ResourceConfig.TrainingPlanArn": _NO_HARDWARE,
        "ResourceConfig.VolumeKmsKeyId": _NO_KEYS,
        "ResourceConfig.VolumeSizeInGB": _NO_HARDWARE,
        "RetryStrategy": _NO_SPOT,
        "SessionChainingConfig": _NO_ROLES,
        "StoppingCondition.MaxPendingTimeInSeconds": _NO_SPOT,
        "TensorBoardOutputConfig": _NO_DEBUGGER,
        "VpcConfig": _NO_NETWORK,
    },
    "CreateLogGroup": {
        "kmsKeyId": _NO_KEYS,
        "logGroupClass": "every group is kept in the same way",
        "tags": "log groups keep no tags here",
    },
    "PutLogEvents": {
        "entity": "events are kept without the entity that sent them",
        "sequenceToken": "AWS passes it over, too",
    },
    "GetMetricData": {
        "LabelOptions": "a label is given back as it was sent",
        "MetricDataQueries.AccountId": _ONE_ACCOUNT,
    },
    "ListMetrics": {
        "IncludeLinkedAccounts": _ONE_ACCOUNT,
        "OwningAccount": _ONE_ACCOUNT,
        "RecentlyActive": "every metric that has points is listed",
    },
    "PutMetricData": {
        "MetricData.StorageResolution": "every metric is kept with its points' own times",
        "StrictEntityValidation": "metrics are kept without the entity that sent them",
    },
    "DescribeLogGroups": {
        "accountIdentifiers": _ONE_ACCOUNT,
        "includeLinkedAccounts": _ONE_ACCOUNT,
        "logGroupClass": "every group is kept in the same way",
    },
    "GetLogEvents": {"unmask": "nothing is masked"},
    "FilterLogEvents": {"interleaved": "AWS passes it over, too", "unmask": "nothing is masked"},
}

IGNORED: tuple[Ignored, ...] = tuple(
    Ignored(operation, member, why)
    for operation, members in _IGNORED.items()
    for member, why in members.items()
)

_FILE_URL = re.compile(r"file://.+")
_LOCAL_TYPES = re.compile(r"local(_gpu)?")
_ROLE_NAME = re.compile(r"[\w+=,.@/-]{1,512}")

_FILES = "a file or a folder of this machine; hot reload watches a folder"
_TYPES = "this machine, as the SageMaker SDK's local mode calls it"
_ROLES = "a role's name; for AWS, IAM expands it to an ARN"

_WIDENED: Mapping[str, tuple[re.Pattern[str], str]] = {
    "CreateModel.ExecutionRoleArn": (_ROLE_NAME, _ROLES),
    "CreateModel.PrimaryContainer.ModelDataUrl": (_FILE_URL, _FILES),
    "CreateModel.PrimaryContainer.ModelDataSource.S3DataSource.S3Uri": (_FILE_URL, _FILES),
    "CreateEndpointConfig.ExecutionRoleArn": (_ROLE_NAME, _ROLES),
    "CreateEndpointConfig.ProductionVariants.InstanceType": (_LOCAL_TYPES, _TYPES),
    "CreateTrainingJob.RoleArn": (_ROLE_NAME, _ROLES),
    "CreateTrainingJob.ResourceConfig.InstanceGroups.InstanceType": (_LOCAL_TYPES, _TYPES),
    "CreateTrainingJob.ResourceConfig.InstanceType": (_LOCAL_TYPES, _TYPES),
    "CreateTrainingJob.InputDataConfig.DataSource.S3DataSource.S3Uri": (_FILE_URL, _FILES),
    "CreateTrainingJob.OutputDataConfig.S3OutputPath": (_FILE_URL, _FILES),
    "CreateTrainingJob.CheckpointConfig.S3Uri": (_FILE_URL, _FILES),
    "CreateTrainingJob.DebugHookConfig.S3OutputPath": (_FILE_URL, _FILES),
    "CreateTrainingJob.ProfilerConfig.S3OutputPath": (_FILE_URL, _FILES),
    "CreateTrainingJob.TensorBoardOutputConfig.S3OutputPath": (_FILE_URL, _FILES),
}

WIDENED: tuple[Deviation, ...] = tuple(
    Deviation(service="sagemaker", path=path, accepts=accepts, why=why)
    for path, (accepts, why) in _WIDENED.items()
)
