"""Every operation of every service, both ways, against botocore's serializers and parsers."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.model import Shape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sagelet.wire.models import service_model
from sagelet.wire.parsing import parse
from sagelet.wire.rest import is_streamed, payload_of
from sagelet.wire.routing import Route, protocol_of, route
from sagelet.wire.serializing import serialize
from tests.wire.documents import documents_of
from tests.wire.samples import a_sample, read_by_botocore, sent_by_botocore, without_empty

SERVICES = ("sagemaker", "sagemaker-runtime", "logs", "cloudwatch", "sts", "iam", "s3")

# Two names for one request: the older is deprecated, or is served at another host.
SECOND_NAMES = {
    "GetBucketLifecycle": "GetBucketLifecycleConfiguration",
    "GetBucketNotification": "GetBucketNotificationConfiguration",
    "PutBucketLifecycle": "PutBucketLifecycleConfiguration",
    "PutBucketNotification": "PutBucketNotificationConfiguration",
    "ListDirectoryBuckets": "ListBuckets",
}
ELSEWHERE = {"WriteGetObjectResponse"}


def operations(service: str) -> list[str]:
    names = service_model(service).operation_names
    return [name for name in names if name not in SECOND_NAMES and name not in ELSEWHERE]


def without_stream(document: dict[str, Any], shape: Shape | None) -> dict[str, Any]:
    payload = payload_of(shape)
    if payload is None or not is_streamed(payload[1]):
        return document
    return {name: value for name, value in document.items() if name != payload[0]}


@pytest.mark.parametrize("service", SERVICES)
def test_a_request_of_every_operation_is_routed_and_read_as_it_was_meant(service: str) -> None:
    for name in operations(service):
        operation = service_model(service).operation_model(name)
        meant = a_sample(operation.input_shape)
        head, body = sent_by_botocore(service, operation, meant)
        chosen = route(head, body)
        assert chosen.operation.name == name
        assert chosen.service == service
        read = parse(chosen, head, body)
        meant = without_stream(meant, operation.input_shape)
        assert without_empty(read) == without_empty(meant), name


@pytest.mark.parametrize("service", SERVICES)
def test_an_answer_of_every_operation_reaches_botocore_as_it_was_meant(service: str) -> None:
    for name in operations(service):
        operation = service_model(service).operation_model(name)
        if operation.has_event_stream_output or name == "GetBucketLocation":
            continue
        meant = a_sample(operation.output_shape)
        response = serialize(
            Route(service, protocol_of(service), operation), meant, request_id="rid"
        )
        read = without_stream(
            read_by_botocore(service, operation, response), operation.output_shape
        )
        meant = without_stream(meant, operation.output_shape)
        assert without_empty(read) == without_empty(meant), name


@pytest.mark.parametrize("name", sorted(SECOND_NAMES))
def test_of_two_names_for_one_request_the_present_one_is_chosen(name: str) -> None:
    operation = service_model("s3").operation_model(name)
    head, body = sent_by_botocore("s3", operation, a_sample(operation.input_shape))
    assert route(head, body).operation.name == SECOND_NAMES[name]


def test_an_operation_without_members_is_read_from_an_empty_body() -> None:
    operation = service_model("sagemaker").operation_model("ListModels")
    head, _ = sent_by_botocore("sagemaker", operation, {})
    assert parse(route(head), head, b"") == {}
    assert parse(route(head), head, b"  ") == {}


JSON_OPERATIONS = [
    ("sagemaker", "CreateTrainingJob"),
    ("sagemaker", "CreateEndpointConfig"),
    ("sagemaker", "DescribeEndpoint"),
    ("sagemaker", "Search"),
    ("logs", "PutLogEvents"),
    ("logs", "FilterLogEvents"),
]


@pytest.mark.parametrize(("service", "name"), JSON_OPERATIONS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_document_survives_json_both_ways(service: str, name: str, data: st.DataObject) -> None:
    operation = service_model(service).operation_model(name)
    asked = data.draw(documents_of(operation.input_shape))
    head, body = sent_by_botocore(service, operation, asked)
    assert parse(route(head, body), head, body) == asked
    answered = data.draw(documents_of(operation.output_shape))
    response = serialize(Route(service, protocol_of(service), operation), answered, request_id="r")
    assert read_by_botocore(service, operation, response) == answered


@pytest.mark.parametrize(
    ("service", "name"),
    [("sts", "AssumeRole"), ("iam", "GetRole"), ("iam", "SimulatePrincipalPolicy")],
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_document_survives_forms_and_xml(service: str, name: str, data: st.DataObject) -> None:
    operation = service_model(service).operation_model(name)
    asked = without_empty(data.draw(documents_of(operation.input_shape, xml=True)))
    head, body = sent_by_botocore(service, operation, asked)
    assert without_empty(parse(route(head, body), head, body)) == asked
    answered = data.draw(documents_of(operation.output_shape, xml=True))
    response = serialize(Route(service, protocol_of(service), operation), answered, request_id="r")
    read = read_by_botocore(service, operation, response)
    assert without_empty(read) == without_empty(answered)


@pytest.mark.parametrize("name", ["ListObjectsV2", "ListBuckets", "ListParts", "DeleteObjects"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_listing_survives_xml(name: str, data: st.DataObject) -> None:
    operation = service_model("s3").operation_model(name)
    shape = operation.output_shape
    assert shape is not None
    in_body = {
        key for key, member in shape.members.items() if not member.serialization.get("location")
    }
    drawn = data.draw(documents_of(shape, xml=True))
    answered = {key: value for key, value in drawn.items() if key in in_body}
    response = serialize(Route("s3", protocol_of("s3"), operation), answered, request_id="r")
    assert without_empty(read_by_botocore("s3", operation, response)) == without_empty(answered)
