from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from sagelet.wire.faults import Fault, Unreadable
from sagelet.wire.messages import Response
from sagelet.wire.models import service_model
from sagelet.wire.routing import Route, protocol_of
from sagelet.wire.serializing import serialize, serialize_fault
from sagelet.wire.xml_text import document, element, escape, read_xml

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def a_route(service: str, operation: str) -> Route:
    return Route(service, protocol_of(service), service_model(service).operation_model(operation))


def answer(service: str, operation: str, found: dict[str, Any]) -> Response:
    return serialize(a_route(service, operation), found, request_id="rid")


def test_json_has_epoch_seconds_and_its_media_type() -> None:
    response = answer("sagemaker", "DescribeModel", {"ModelName": "ü", "CreationTime": WHEN})
    assert response.status == 200
    assert json.loads(response.body) == {"ModelName": "ü", "CreationTime": 1767323045.0}
    assert dict(response.headers) == {
        "x-amzn-RequestId": "rid",
        "Content-Type": "application/x-amz-json-1.1",
    }


def test_an_operation_without_an_output_answers_an_empty_object() -> None:
    assert answer("sagemaker", "DeleteModel", {}).body == b"{}"


def test_a_log_line_that_is_not_text_spoils_only_itself() -> None:
    found = {"events": [{"message": "ok \udcff", "timestamp": 1}], "nextForwardToken": None}
    assert json.loads(answer("logs", "GetLogEvents", found).body) == {
        "events": [{"timestamp": 1, "message": "ok ?"}]
    }


def test_query_answers_are_wrapped() -> None:
    response = answer("sts", "GetCallerIdentity", {"Account": "0", "Arn": "a<b", "UserId": None})
    assert response.body.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
        "<GetCallerIdentityResult><Account>0</Account><Arn>a&lt;b</Arn></GetCallerIdentityResult>"
        "<ResponseMetadata><RequestId>rid</RequestId></ResponseMetadata>"
        "</GetCallerIdentityResponse>"
    )


def test_s3_names_its_roots_as_s3_does() -> None:
    body = answer("s3", "ListBuckets", {"Buckets": [{"Name": "b", "CreationDate": WHEN}]}).body
    assert body.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Buckets><Bucket>'
        "<Name>b</Name><CreationDate>2026-01-02T03:04:05.000Z</CreationDate>"
        "</Bucket></Buckets></ListAllMyBucketsResult>"
    )
    location = answer("s3", "GetBucketLocation", {"LocationConstraint": "eu-west-1"}).body
    assert location.decode().endswith(
        '<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">eu-west-1'
        "</LocationConstraint>"
    )


@pytest.mark.parametrize(
    ("operation", "status"), [("DeleteObject", 204), ("PutObject", 200), ("HeadObject", 200)]
)
def test_an_answer_of_headers_alone_has_no_body(operation: str, status: int) -> None:
    response = answer("s3", operation, {"ETag": '"e"', "DeleteMarker": False})
    assert (response.status, response.body) == (status, b"")
    assert "Content-Type" not in dict(response.headers)


def test_a_header_of_the_document_is_not_doubled() -> None:
    response = answer("sagemaker-runtime", "InvokeEndpoint", {"Body": b"x", "ContentType": "a/b"})
    assert [value for name, value in response.headers if name.lower() == "content-type"] == ["a/b"]


def test_no_value_breaks_out_of_its_header() -> None:
    found = {
        "Body": b"",
        "CustomAttributes": "a\r\nSet-Cookie: x=1",
        "ContentType": "text/plain; charset=\u65e5\n",
    }
    for name, value in answer("sagemaker-runtime", "InvokeEndpoint", found).headers:
        assert "\r" not in value
        assert "\n" not in value
        assert name != "Set-Cookie"
        value.encode("latin-1")
    metadata = {"Metadata": {"ok": "1", "bad name\r\n": "2", "": "3"}}
    names = [name for name, _ in answer("s3", "HeadObject", metadata).headers]
    assert "x-amz-meta-ok" in names
    assert not any("bad" in name for name in names)


def test_a_fault_names_its_code_in_body_and_header() -> None:
    fault = Fault("ResourceInUse", 400, "taken")
    response = serialize_fault(a_route("sagemaker", "CreateModel"), fault, request_id="rid")
    assert json.loads(response.body) == {
        "__type": "ResourceInUse",
        "message": "taken",
        "Message": "taken",
    }
    assert dict(response.headers)["x-amzn-errortype"] == "ResourceInUse"


def test_a_fault_prints_its_message_or_its_code() -> None:
    assert str(Fault("Code", 400, "words")) == "words"
    assert str(Fault("Code")) == "Code"
    assert str(Unreadable("why").under("b").under("a")) == "why (at 'a.b')"


def test_the_server_is_to_blame_for_its_own_faults() -> None:
    for status, kind in ((400, "Sender"), (500, "Receiver")):
        body = serialize_fault("sts", Fault("X", status, "m"), request_id="rid").body
        assert f"<Type>{kind}</Type>".encode() in body


def test_xml_is_written_so_that_it_is_read_back() -> None:
    text = "<a> & \"b\" 'c' \r\n\t ü 😀"
    root = read_xml(document(element("Root", escape(text))))
    assert (root.name, root.text) == ("Root", text)
    assert escape("\x01") == "&#1;"
