"""The operations that are served, as boto3 calls them: signed, sent, read, answered, understood."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.wire.loopback import KEY, Loopback

ARN = "arn:aws:sagemaker:us-east-1:000000000000"
ROLE = "arn:aws:iam::000000000000:role/local"
WHEN = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)

VARIANT = {
    "VariantName": "AllTraffic",
    "ModelName": "m",
    "InitialInstanceCount": 1,
    "InstanceType": "ml.m5.large",
    "InitialVariantWeight": 0.5,
}
JOB = {
    "TrainingJobName": "job-1",
    "HyperParameters": {"epochs": "3", "sagemaker_program": '"train.py"', "ünï": "é"},
    "AlgorithmSpecification": {
        "TrainingImage": "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.3.0",
        "TrainingInputMode": "File",
        "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
    },
    "RoleArn": ROLE,
    "InputDataConfig": [
        {
            "ChannelName": "training",
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3Uri": "s3://bucket/data",
                    "S3DataDistributionType": "FullyReplicated",
                }
            },
        }
    ],
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
    "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
    "Environment": {"A": "1"},
    "Tags": [{"Key": "k", "Value": "v"}],
}

Case = tuple[str, str, dict[str, Any], dict[str, Any]]

SAGEMAKER: list[Case] = [
    (
        "sagemaker",
        "create_model",
        {
            "ModelName": "m",
            "PrimaryContainer": {
                "Image": "img",
                "ModelDataUrl": "s3://b/model.tar.gz",
                "Environment": {"X": "y"},
            },
            "ExecutionRoleArn": ROLE,
        },
        {"ModelArn": f"{ARN}:model/m"},
    ),
    (
        "sagemaker",
        "describe_model",
        {"ModelName": "m"},
        {
            "ModelName": "m",
            "ModelArn": f"{ARN}:model/m",
            "PrimaryContainer": {"Image": "img"},
            "CreationTime": WHEN,
            "EnableNetworkIsolation": False,
        },
    ),
    ("sagemaker", "delete_model", {"ModelName": "m"}, {}),
    (
        "sagemaker",
        "list_models",
        {"NameContains": "m", "MaxResults": 5, "SortBy": "Name", "CreationTimeAfter": WHEN},
        {
            "Models": [{"ModelName": "m", "ModelArn": f"{ARN}:model/m", "CreationTime": WHEN}],
            "NextToken": "tok",
        },
    ),
    (
        "sagemaker",
        "create_endpoint_config",
        {"EndpointConfigName": "c", "ProductionVariants": [VARIANT]},
        {"EndpointConfigArn": f"{ARN}:endpoint-config/c"},
    ),
    (
        "sagemaker",
        "describe_endpoint_config",
        {"EndpointConfigName": "c"},
        {
            "EndpointConfigName": "c",
            "EndpointConfigArn": f"{ARN}:endpoint-config/c",
            "ProductionVariants": [VARIANT],
            "CreationTime": WHEN,
        },
    ),
    ("sagemaker", "delete_endpoint_config", {"EndpointConfigName": "c"}, {}),
    ("sagemaker", "list_endpoint_configs", {"SortOrder": "Ascending"}, {"EndpointConfigs": []}),
    (
        "sagemaker",
        "create_endpoint",
        {"EndpointName": "e", "EndpointConfigName": "c", "Tags": []},
        {"EndpointArn": f"{ARN}:endpoint/e"},
    ),
    (
        "sagemaker",
        "describe_endpoint",
        {"EndpointName": "e"},
        {
            "EndpointName": "e",
            "EndpointArn": f"{ARN}:endpoint/e",
            "EndpointConfigName": "c",
            "ProductionVariants": [{"VariantName": "AllTraffic", "CurrentWeight": 1.0}],
            "EndpointStatus": "InService",
            "CreationTime": WHEN,
            "LastModifiedTime": WHEN,
        },
    ),
    (
        "sagemaker",
        "update_endpoint",
        {"EndpointName": "e", "EndpointConfigName": "d", "RetainAllVariantProperties": False},
        {"EndpointArn": f"{ARN}:endpoint/e"},
    ),
    ("sagemaker", "delete_endpoint", {"EndpointName": "e"}, {}),
    (
        "sagemaker",
        "list_endpoints",
        {"StatusEquals": "InService"},
        {
            "Endpoints": [
                {
                    "EndpointName": "e",
                    "EndpointArn": f"{ARN}:endpoint/e",
                    "CreationTime": WHEN,
                    "LastModifiedTime": WHEN,
                    "EndpointStatus": "InService",
                }
            ]
        },
    ),
    ("sagemaker", "create_training_job", JOB, {"TrainingJobArn": f"{ARN}:training-job/job-1"}),
    (
        "sagemaker",
        "describe_training_job",
        {"TrainingJobName": "job-1"},
        {
            "TrainingJobName": "job-1",
            "TrainingJobArn": f"{ARN}:training-job/job-1",
            "ModelArtifacts": {"S3ModelArtifacts": "s3://bucket/out/job-1/output/model.tar.gz"},
            "TrainingJobStatus": "Completed",
            "SecondaryStatus": "Completed",
            "HyperParameters": JOB["HyperParameters"],
            "AlgorithmSpecification": JOB["AlgorithmSpecification"],
            "ResourceConfig": JOB["ResourceConfig"],
            "StoppingCondition": JOB["StoppingCondition"],
            "OutputDataConfig": {"S3OutputPath": "s3://bucket/out", "KmsKeyId": ""},
            "CreationTime": WHEN,
            "SecondaryStatusTransitions": [
                {"Status": "Starting", "StartTime": WHEN, "EndTime": WHEN, "StatusMessage": "…"}
            ],
            "FinalMetricDataList": [{"MetricName": "loss", "Value": 0.25, "Timestamp": WHEN}],
            "TrainingTimeInSeconds": 3,
        },
    ),
    ("sagemaker", "stop_training_job", {"TrainingJobName": "job-1"}, {}),
    (
        "sagemaker",
        "list_training_jobs",
        {"StatusEquals": "InProgress", "LastModifiedTimeBefore": WHEN},
        {"TrainingJobSummaries": []},
    ),
    (
        "sagemaker",
        "add_tags",
        {"ResourceArn": f"{ARN}:model/m", "Tags": [{"Key": "a", "Value": ""}]},
        {"Tags": [{"Key": "a", "Value": ""}]},
    ),
    (
        "sagemaker",
        "list_tags",
        {"ResourceArn": f"{ARN}:model/m", "MaxResults": 50},
        {"Tags": [{"Key": "a", "Value": "b"}]},
    ),
    ("sagemaker", "delete_tags", {"ResourceArn": f"{ARN}:model/m", "TagKeys": ["a"]}, {}),
]

GROUP = "/aws/sagemaker/TrainingJobs"
LOGS: list[Case] = [
    ("logs", "create_log_group", {"logGroupName": GROUP, "tags": {"a": "b"}}, {}),
    ("logs", "delete_log_group", {"logGroupName": GROUP}, {}),
    ("logs", "create_log_stream", {"logGroupName": GROUP, "logStreamName": "job/algo-1-1"}, {}),
    ("logs", "delete_log_stream", {"logGroupName": GROUP, "logStreamName": "job/algo-1-1"}, {}),
    (
        "logs",
        "put_log_events",
        {
            "logGroupName": GROUP,
            "logStreamName": "job/algo-1-1",
            "logEvents": [{"timestamp": 1_700_000_000_000, "message": "héllo\n\x1b[31m"}],
        },
        {"nextSequenceToken": "1"},
    ),
    (
        "logs",
        "describe_log_groups",
        {"logGroupNamePrefix": "/aws", "limit": 10},
        {"logGroups": [{"logGroupName": GROUP, "creationTime": 1, "storedBytes": 2**33}]},
    ),
    (
        "logs",
        "describe_log_streams",
        {
            "logGroupName": GROUP,
            "logStreamNamePrefix": "job/",
            "orderBy": "LogStreamName",
            "descending": False,
            "limit": 1,
        },
        {"logStreams": [{"logStreamName": "job/algo-1-1", "lastEventTimestamp": 5}]},
    ),
    (
        "logs",
        "get_log_events",
        {
            "logGroupName": GROUP,
            "logStreamName": "job/algo-1-1",
            "startTime": 0,
            "startFromHead": True,
            "nextToken": "f/1",
        },
        {
            "events": [{"timestamp": 1, "message": "a", "ingestionTime": 2}],
            "nextForwardToken": "f/2",
            "nextBackwardToken": "b/1",
        },
    ),
    (
        "logs",
        "filter_log_events",
        {"logGroupName": GROUP, "logStreamNamePrefix": "job/", "filterPattern": '"x y"'},
        {"events": [{"logStreamName": "job/algo-1-1", "timestamp": 1, "message": "x y"}]},
    ),
]

ACCESS: list[Case] = [
    (
        "sts",
        "get_caller_identity",
        {},
        {"UserId": "local", "Account": "000000000000", "Arn": "arn:aws:iam::000000000000:root"},
    ),
    (
        "sts",
        "assume_role",
        {
            "RoleArn": ROLE,
            "RoleSessionName": "session",
            "PolicyArns": [
                {"arn": "arn:aws:iam::aws:policy/A"},
                {"arn": "arn:aws:iam::aws:policy/B"},
            ],
            "DurationSeconds": 900,
            "Tags": [{"Key": "k=&+ü", "Value": "v"}],
        },
        {
            "Credentials": {
                "AccessKeyId": "A",
                "SecretAccessKey": "B<&>",
                "SessionToken": "C",
                "Expiration": WHEN,
            }
        },
    ),
    (
        "iam",
        "get_role",
        {"RoleName": "local"},
        {
            "Role": {
                "Path": "/",
                "RoleName": "local",
                "RoleId": "AROA",
                "Arn": ROLE,
                "CreateDate": WHEN,
                "Tags": [{"Key": "a", "Value": "<b>"}],
            }
        },
    ),
    (
        "iam",
        "simulate_principal_policy",
        {"PolicySourceArn": ROLE, "ActionNames": ["s3:GetObject", "s3:PutObject"]},
        {
            "EvaluationResults": [
                {"EvalActionName": "s3:GetObject", "EvalDecision": "allowed"},
                {"EvalActionName": "s3:PutObject", "EvalDecision": "allowed"},
            ],
            "IsTruncated": False,
        },
    ),
]


@pytest.mark.parametrize(
    "case", [*SAGEMAKER, *LOGS, *ACCESS], ids=lambda case: f"{case[0]}-{case[1]}"
)
def test_a_call_is_understood_and_its_answer_too(case: Case) -> None:
    service, method, asked, answered = case
    loopback = Loopback(answered)
    result = getattr(loopback.client(service), method)(**asked)
    assert loopback.last.document == asked
    assert loopback.last.signature.access_key_id == KEY
    metadata = result.pop("ResponseMetadata")
    assert metadata["RequestId"] == "rid-1"
    assert metadata["HTTPStatusCode"] == 200
    assert result == answered


def test_members_that_are_none_or_unknown_are_not_in_an_answer() -> None:
    loopback = Loopback({"ModelName": "m", "PrimaryContainer": None, "Tags": [{"Key": "a"}]})
    result = loopback.client("sagemaker").describe_model(ModelName="m")
    result.pop("ResponseMetadata")
    assert result == {"ModelName": "m"}


def test_an_invocation_carries_bytes_and_headers_both_ways() -> None:
    body = bytes(range(256))
    loopback = Loopback(
        {
            "Body": body[::-1],
            "ContentType": "application/x-npy",
            "InvokedProductionVariant": "AllTraffic",
            "CustomAttributes": "trace=1",
        }
    )
    result = loopback.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="my-endpoint",
        Body=body,
        ContentType="application/x-npy",
        Accept="application/json",
        CustomAttributes="a=b",
        TargetVariant="AllTraffic",
        InferenceId="id 1",
    )
    assert loopback.last.document == {
        "EndpointName": "my-endpoint",
        "Body": body,
        "ContentType": "application/x-npy",
        "Accept": "application/json",
        "CustomAttributes": "a=b",
        "TargetVariant": "AllTraffic",
        "InferenceId": "id 1",
    }
    assert result["Body"].read() == body[::-1]
    assert result["ContentType"] == "application/x-npy"
    assert result["InvokedProductionVariant"] == "AllTraffic"
    assert result["CustomAttributes"] == "trace=1"


def test_an_invocation_over_sagemakers_own_limit_is_left_to_the_servers_limit() -> None:
    loopback = Loopback({"Body": b""})
    loopback.client("sagemaker-runtime").invoke_endpoint(EndpointName="e", Body=b"x" * 6_291_457)
    assert len(loopback.last.document["Body"]) == 6_291_457


def test_an_asynchronous_invocation_is_bound_by_the_model() -> None:
    loopback = Loopback({"InferenceId": "i", "OutputLocation": "s3://b/o"})
    result = loopback.client("sagemaker-runtime").invoke_endpoint_async(
        EndpointName="e", InputLocation="s3://b/in", RequestTTLSeconds=60, ContentType="text/csv"
    )
    # An absent body and an empty one look alike on the wire.
    assert loopback.last.document == {
        "EndpointName": "e",
        "InputLocation": "s3://b/in",
        "RequestTTLSeconds": 60,
        "ContentType": "text/csv",
        "Body": b"",
    }
    assert result["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert result["InferenceId"] == "i"
    assert result["OutputLocation"] == "s3://b/o"


@pytest.mark.parametrize("name", ["e", "a" * 63, "has space", "sl/ash", "per%41cent", "ünï", "a+b"])
def test_an_endpoints_name_is_decoded_once(name: str) -> None:
    loopback = Loopback({"Body": b""}, validated=False)
    loopback.client("sagemaker-runtime").invoke_endpoint(EndpointName=name, Body=b"{}")
    assert loopback.last.document["EndpointName"] == name
