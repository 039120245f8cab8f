"""CloudWatch in each of the protocols that its clients speak, newer and older ones."""

from __future__ import annotations

import gzip
from typing import cast

import pytest
from botocore.model import OperationModel, Shape
from botocore.parsers import create_parser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sagelet.wire.compressed import plain_body
from sagelet.wire.faults import Fault
from sagelet.wire.messages import Headers, RequestHead
from sagelet.wire.models import service_model
from sagelet.wire.parsing import parse
from sagelet.wire.routing import Protocol, Route, presumed_protocol, presumed_service, route
from sagelet.wire.serializing import serialize, serialize_fault
from tests.wire.documents import documents_of
from tests.wire.samples import a_sample, read_by_botocore, sent_by_botocore, without_empty

PROTOCOLS = ("smithy-rpc-v2-cbor", "json", "query")
OPERATIONS = ("GetMetricData", "GetMetricStatistics", "ListMetrics", "PutMetricData")


def operation(name: str) -> OperationModel:
    return service_model("cloudwatch").operation_model(name)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_request_is_read_as_it_was_meant(protocol: str, name: str) -> None:
    meant = a_sample(operation(name).input_shape)
    head, body = sent_by_botocore("cloudwatch", operation(name), meant, protocol)
    chosen = route(head, body)
    assert (chosen.service, chosen.operation.name) == ("cloudwatch", name)
    assert chosen.protocol is Protocol(protocol)
    assert without_empty(parse(chosen, head, body)) == without_empty(meant)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_answer_is_understood(protocol: str, name: str) -> None:
    meant = a_sample(operation(name).output_shape)
    chosen = Route("cloudwatch", Protocol(protocol), operation(name))
    response = serialize(chosen, meant, request_id="rid")
    assert read_by_botocore("cloudwatch", operation(name), response, protocol) == meant


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_document_survives_cbor_both_ways(data: st.DataObject) -> None:
    protocol = "smithy-rpc-v2-cbor"
    asked = data.draw(documents_of(operation("PutMetricData").input_shape))
    head, body = sent_by_botocore("cloudwatch", operation("PutMetricData"), asked, protocol)
    assert parse(route(head, body), head, body) == asked
    model = operation("GetMetricData")
    answered = data.draw(documents_of(model.output_shape))
    response = serialize(Route("cloudwatch", Protocol.CBOR, model), answered, request_id="r")
    assert read_by_botocore("cloudwatch", model, response, protocol) == answered


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("InvalidParameterValueException", "InvalidParameterValue"),
        ("ValidationException", "ValidationError"),
        ("UnknownOperationException", "UnknownOperationException"),
    ],
)
def test_an_error_has_the_code_of_the_query_protocol(protocol: str, code: str, told: str) -> None:
    chosen = Route("cloudwatch", Protocol(protocol), operation("GetMetricData"))
    response = serialize_fault(chosen, Fault(code, 400, "no <good> ü"), request_id="rid")
    parsed = create_parser(protocol).parse(
        {
            "status_code": response.status,
            "headers": {name.lower(): value for name, value in response.headers},
            "body": response.body,
            "context": {"operation_name": "GetMetricData"},
        },
        cast("Shape", operation("GetMetricData").output_shape),
    )
    assert parsed["Error"]["Code"] == told
    assert parsed["Error"]["Message"] == "no <good> ü"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_unsigned_request_is_still_known_by_its_form(protocol: str) -> None:
    head, _ = sent_by_botocore("cloudwatch", operation("ListMetrics"), {}, protocol)
    fields = [(name, value) for name, value in head.headers if name != "Authorization"]
    bare = RequestHead(head.method, head.raw_path, head.raw_query, Headers(fields))
    if protocol != "query":  # whose operation may be of any service that has a form
        assert presumed_service(bare) == "cloudwatch"
        assert presumed_protocol(bare) is Protocol(protocol)


def test_an_rpc_of_another_kind_is_told_by_name() -> None:
    head, body = sent_by_botocore("cloudwatch", operation("ListMetrics"), {}, "smithy-rpc-v2-cbor")
    elsewhere = RequestHead(
        "POST", head.raw_path.replace("ListMetrics", "Nothing"), "", head.headers
    )
    with pytest.raises(Fault, match="cloudwatch has no operation 'Nothing'"):
        route(elsewhere, body)
    with pytest.raises(Fault, match="names no operation of cloudwatch"):
        route(RequestHead("POST", "/", "", head.headers), body)


def gzipped(body: bytes, coding: str = "gzip") -> RequestHead:
    return RequestHead("POST", "/", "", Headers([("Content-Encoding", coding)]))


def test_a_compressed_body_is_read_as_it_was() -> None:
    body = b"x" * 20_000
    assert plain_body(gzipped(body), gzip.compress(body), at_most_bytes=20_000) == body
    assert plain_body(gzipped(body, "identity"), body, at_most_bytes=1) == body


@pytest.mark.parametrize(
    ("body", "coding", "status"),
    [
        (gzip.compress(bytes(30_000)), "gzip", 413),
        (gzip.compress(b"cut off")[:-5], "gzip", 413),
        (b"plain", "gzip", 400),
        (b"", "br", 415),
    ],
)
def test_a_body_that_is_not_what_it_says_is_refused(body: bytes, coding: str, status: int) -> None:
    with pytest.raises(Fault) as refused:
        plain_body(gzipped(body, coding), body, at_most_bytes=20_000)
    assert refused.value.status == status
