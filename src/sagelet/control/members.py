"""Every member of a request is read, ignored by the table of deviations, or refused by a table.

`READ` names what operations read, as paths of members without the numbers of lists; all that lies
below a path is read with it. A member of a newer AWS that is in no table is refused by its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sagelet import __version__
from sagelet.control.context import Document
from sagelet.control.deviations import IGNORED
from sagelet.control.refusals import REFUSED, Refused
from sagelet.errors import NotSupported

READ: Mapping[str, frozenset[str]] = {
    "CreateModel": frozenset(
        {
            "ModelName",
            "PrimaryContainer.Environment",
            "PrimaryContainer.Image",
            "PrimaryContainer.Mode",
            "PrimaryContainer.ModelDataSource.S3DataSource.CompressionType",
            "PrimaryContainer.ModelDataSource.S3DataSource.S3DataType",
            "PrimaryContainer.ModelDataSource.S3DataSource.S3Uri",
            "PrimaryContainer.ModelDataUrl",
            "Tags",
        }
    ),
    "CreateEndpointConfig": frozenset(
        {
            "EndpointConfigName",
            "ProductionVariants.InitialInstanceCount",
            "ProductionVariants.InitialVariantWeight",
            "ProductionVariants.InstanceType",
            "ProductionVariants.ModelName",
            "ProductionVariants.VariantName",
            "Tags",
        }
    ),
    "CreateEndpoint": frozenset({"EndpointConfigName", "EndpointName", "Tags"}),
    "UpdateEndpoint": frozenset(
        {
            "EndpointConfigName",
            "EndpointName",
            "ExcludeRetainedVariantProperties.VariantPropertyType",
            "RetainAllVariantProperties",
        }
    ),
    "UpdateEndpointWeightsAndCapacities": frozenset(
        {
            "DesiredWeightsAndCapacities.DesiredInstanceCount",
            "DesiredWeightsAndCapacities.DesiredWeight",
            "DesiredWeightsAndCapacities.VariantName",
            "EndpointName",
        }
    ),
    "CreateTrainingJob": frozenset(
        {
            "AlgorithmSpecification.MetricDefinitions",
            "AlgorithmSpecification.ContainerArguments",
            "AlgorithmSpecification.ContainerEntrypoint",
            "AlgorithmSpecification.TrainingImage",
            "CheckpointConfig.LocalPath",
            "CheckpointConfig.S3Uri",
            "EnableManagedSpotTraining",
            "Environment",
            "HyperParameters",
            "InputDataConfig.ChannelName",
            "InputDataConfig.CompressionType",
            "InputDataConfig.ContentType",
            "InputDataConfig.DataSource.S3DataSource.InstanceGroupNames",
            "InputDataConfig.DataSource.S3DataSource.S3DataDistributionType",
            "InputDataConfig.DataSource.S3DataSource.S3Uri",
            "OutputDataConfig.CompressionType",
            "OutputDataConfig.S3OutputPath",
            "ResourceConfig.InstanceCount",
            "ResourceConfig.InstanceGroups.InstanceCount",
            "ResourceConfig.InstanceGroups.InstanceGroupName",
            "ResourceConfig.InstanceGroups.InstanceType",
            "ResourceConfig.InstanceType",
            "RoleArn",
            "StoppingCondition.MaxRuntimeInSeconds",
            "StoppingCondition.MaxWaitTimeInSeconds",
            "Tags",
            "TrainingJobName",
        }
    ),
    "CreateLogGroup": frozenset({"logGroupName"}),
    "PutLogEvents": frozenset({"logEvents", "logGroupName", "logStreamName"}),
    "DescribeLogGroups": frozenset(
        {"limit", "logGroupIdentifiers", "logGroupNamePattern", "logGroupNamePrefix", "nextToken"}
    ),
    "GetLogEvents": frozenset(
        {
            "endTime",
            "limit",
            "logGroupIdentifier",
            "logGroupName",
            "logStreamName",
            "nextToken",
            "startFromHead",
            "startTime",
        }
    ),
    "FilterLogEvents": frozenset(
        {
            "endTime",
            "filterPattern",
            "limit",
            "logGroupIdentifier",
            "logGroupName",
            "logStreamNamePrefix",
            "logStreamNames",
            "nextToken",
            "startTime",
        }
    ),
    "GetMetricData": frozenset(
        {
            "EndTime",
            "MaxDatapoints",
            "MetricDataQueries.Id",
            "MetricDataQueries.Label",
            "MetricDataQueries.MetricStat",
            "MetricDataQueries.ReturnData",
            "NextToken",
            "ScanBy",
            "StartTime",
        }
    ),
    "GetMetricStatistics": frozenset(
        {
            "Dimensions",
            "EndTime",
            "ExtendedStatistics",
            "MetricName",
            "Namespace",
            "Period",
            "StartTime",
            "Statistics",
            "Unit",
        }
    ),
    "ListMetrics": frozenset({"Dimensions", "MetricName", "Namespace", "NextToken"}),
    "PutMetricData": frozenset(
        {
            "MetricData.Counts",
            "MetricData.Dimensions",
            "MetricData.MetricName",
            "MetricData.StatisticValues",
            "MetricData.Timestamp",
            "MetricData.Unit",
            "MetricData.Value",
            "MetricData.Values",
            "Namespace",
        }
    ),
    "InvokeEndpoint": frozenset(
        {
            "Accept",
            "Body",
            "ContentType",
            "CustomAttributes",
            "EnableExplanations",
            "EndpointName",
            "InferenceId",
            "PrefixAwareId",
            "SessionId",
            "TargetModel",
            "TargetVariant",
        }
    ),
    "InvokeEndpointWithResponseStream": frozenset(
        {
            "Accept",
            "Body",
            "ContentType",
            "CustomAttributes",
            "EndpointName",
            "InferenceId",
            "PrefixAwareId",
            "SessionId",
            "TargetVariant",
        }
    ),
}


class _Rules:
    """What is known of one operation's members."""

    def __init__(self, operation: str) -> None:
        self.refused = {row.member: row for row in REFUSED if row.operation == operation}
        ignored = {row.member for row in IGNORED if row.operation == operation}
        self.ends = READ[operation] | ignored | self.refused.keys()
        self.ways = {
            path[:at] for path in self.ends for at, letter in enumerate(path) if letter == "."
        }


_RULES: Mapping[str, _Rules] = {operation: _Rules(operation) for operation in READ}


def check_members(operation: str, document: Document) -> None:
    """Refuse what a request asks for and this release does not do.

    Raises:
        NotSupported: a member, or its value, is not served; the message says why.
    """
    rules = _RULES.get(operation)
    if rules is None:
        return
    for path, value in _ends(document, "", rules):
        row = rules.refused.get(path)
        if row is not None and (row.values is None or str(value) in row.values):
            raise _refusal(row, value)
        if path not in rules.ends:
            raise NotSupported(
                message=f"{operation}: {path} is not known to sagelet {__version__}, and would "
                "have no effect."
            )


def _ends(value: Mapping[str, Any], at: str, rules: _Rules) -> Iterator[tuple[str, Any]]:
    """Find the members that are in a table, or in none; those that ask for nothing are left out."""
    for name, member in value.items():
        path = f"{at}.{name}" if at else name
        if member is None or member in ("", [], {}):
            continue
        if path not in rules.ways:
            yield path, member
            continue
        for item in member if isinstance(member, list) else [member]:
            yield from _ends(item, path, rules)


def _refusal(row: Refused, value: object) -> NotSupported:
    shown = f" {value}" if row.values is not None else ""
    return NotSupported(
        message=f"{row.operation}: {row.member}{shown} is not served by sagelet {__version__}: "
        f"{row.why}."
    )
