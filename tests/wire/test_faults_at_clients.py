"""Errors as boto3 meets them: the modelled exception classes, their codes and members."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagelet.wire.documents import Value
from sagelet.wire.faults import Fault
from sagelet.wire.routing import Protocol
from sagelet.wire.serializing import serialize_fault
from tests.wire.loopback import Client, Loopback

TEXT = 'Could not find model "arn:aws:…:model/<m>".'
INVOCATION = {"EndpointName": "e", "Body": b"{}"}


def refused(service: str, method: str, fault: Fault, **asked: Value) -> tuple[Client, ClientError]:
    client = Loopback(fault).client(service)
    with pytest.raises(ClientError) as caught:
        getattr(client, method)(**asked)
    return client, caught.value


@pytest.mark.parametrize(
    ("service", "method", "asked", "code", "status"),
    [
        ("sagemaker", "describe_model", {"ModelName": "m"}, "ResourceNotFound", 400),
        ("sagemaker", "stop_training_job", {"TrainingJobName": "j"}, "ResourceInUse", 400),
        ("sagemaker", "delete_model", {"ModelName": "m"}, "ResourceLimitExceeded", 400),
        ("logs", "create_log_group", {"logGroupName": "g"}, "ResourceAlreadyExistsException", 400),
        ("logs", "delete_log_group", {"logGroupName": "g"}, "ResourceNotFoundException", 400),
        ("logs", "delete_log_group", {"logGroupName": "g"}, "InvalidParameterException", 400),
        ("sagemaker-runtime", "invoke_endpoint", INVOCATION, "ValidationError", 400),
        ("sagemaker-runtime", "invoke_endpoint", INVOCATION, "InternalFailure", 500),
        ("sagemaker-runtime", "invoke_endpoint", INVOCATION, "ServiceUnavailable", 503),
        ("iam", "get_role", {"RoleName": "r"}, "NoSuchEntityException", 404),
        ("s3", "get_object", {"Bucket": "bkt", "Key": "k"}, "NoSuchKey", 404),
        ("s3", "list_objects", {"Bucket": "bkt"}, "NoSuchBucket", 404),
        ("s3", "create_bucket", {"Bucket": "bkt"}, "BucketAlreadyOwnedByYou", 409),
    ],
)
def test_a_modelled_error_is_raised_as_its_class(
    service: str, method: str, asked: dict[str, Any], code: str, status: int
) -> None:
    client, error = refused(service, method, Fault(code, status, TEXT), **asked)
    assert isinstance(error, getattr(client.exceptions, code))
    assert error.response["Error"]["Message"] == TEXT
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert error.response["ResponseMetadata"]["RequestId"] == "rid-1"


@pytest.mark.parametrize(
    ("service", "method", "asked"),
    [
        ("sagemaker", "describe_model", {"ModelName": "m"}),
        ("logs", "describe_log_groups", {}),
        ("sagemaker-runtime", "invoke_endpoint", INVOCATION),
        ("sts", "get_caller_identity", {}),
        ("s3", "list_buckets", {}),
    ],
)
def test_an_error_that_no_model_has_keeps_its_code_and_words(
    service: str, method: str, asked: dict[str, Any]
) -> None:
    _, error = refused(service, method, Fault("SomethingException", 400, TEXT), **asked)
    assert error.response["Error"]["Code"] == "SomethingException"
    assert error.response["Error"]["Message"] == TEXT


def test_a_model_error_carries_what_the_container_said() -> None:
    fault = Fault(
        "ModelError",
        424,
        "Received server error (500) from primary",
        {"OriginalStatusCode": 500, "OriginalMessage": "boom ü", "LogStreamArn": "arn:x"},
    )
    client, error = refused("sagemaker-runtime", "invoke_endpoint", fault, **INVOCATION)
    assert isinstance(error, client.exceptions.ModelError)
    assert error.response["OriginalStatusCode"] == 500
    assert error.response["OriginalMessage"] == "boom ü"
    assert error.response["LogStreamArn"] == "arn:x"


def test_a_fault_may_have_headers_of_its_own() -> None:
    fault = Fault("ModelError", 424, TEXT, headers={"x-sagelet-reload-error": "SyntaxError"})
    _, error = refused("sagemaker-runtime", "invoke_endpoint", fault, **INVOCATION)
    headers = error.response["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-sagelet-reload-error"] == "SyntaxError"


def test_a_role_that_is_not_there_has_the_code_without_exception() -> None:
    _, error = refused("iam", "get_role", Fault("NoSuchEntity", 404, TEXT), RoleName="r")
    assert error.response["Error"]["Code"] == "NoSuchEntity"
    assert dict(error.response["Error"])["Type"] == "Sender"


@pytest.mark.parametrize("method", ["head_object", "head_bucket"])
def test_head_is_answered_by_a_status_without_a_body(method: str) -> None:
    asked = {"Bucket": "bkt", "Key": "k"} if method == "head_object" else {"Bucket": "bkt"}
    _, error = refused("s3", method, Fault("NoSuchKey", 404, TEXT), **asked)
    assert error.response["Error"]["Code"] == "404"
    assert error.response["Error"]["Message"] == "Not Found"


def test_s3_names_the_resource_and_further_facts() -> None:
    fault = Fault("NoSuchKey", 404, "gone & <away>", {"Key": "k"})
    answer = serialize_fault("s3", fault, request_id="rid", resource="/b/k")
    assert answer.body.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        "<Error><Code>NoSuchKey</Code><Message>gone &amp; &lt;away&gt;</Message><Key>k</Key>"
        "<Resource>/b/k</Resource><RequestId>rid</RequestId><HostId>rid</HostId></Error>"
    )
    assert serialize_fault("s3", fault, request_id="rid", method="HEAD").body == b""


@pytest.mark.parametrize(
    ("about", "name"),
    [("sagemaker", "x-amzn-errortype"), ("sagemaker-runtime", "x-amzn-ErrorType")],
)
def test_an_error_before_routing_names_its_type_and_request(about: str, name: str) -> None:
    answer = serialize_fault(about, Fault("ValidationException", 413, "big"), request_id="rid")
    assert answer.status == 413
    assert dict(answer.headers)[name] == "ValidationException"
    assert dict(answer.headers)["x-amzn-RequestId"] == "rid"
    assert b'"message":"big"' in answer.body


def test_a_protocol_alone_is_enough_to_answer() -> None:
    for protocol in Protocol:
        answer = serialize_fault(protocol, Fault("Oops", 400, "why"), request_id="rid")
        assert b"why" in answer.body
