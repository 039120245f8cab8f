"""From a document to an answer, and from a fault to an error, in the form of each protocol."""

from __future__ import annotations

import json
from collections.abc import Mapping

from botocore.model import NoShapeFoundError, Shape, StructureShape

from sagelet.wire import cbor, rest, s3_names
from sagelet.wire.cbor_body import write_cbor
from sagelet.wire.documents import Document, Value
from sagelet.wire.faults import Fault
from sagelet.wire.json_body import write_json
from sagelet.wire.messages import Response
from sagelet.wire.models import service_model
from sagelet.wire.routing import Protocol, Route, protocol_of
from sagelet.wire.xml_body import write_element, write_members
from sagelet.wire.xml_text import attribute, document, element, escape

_JSON = "application/x-amz-json-"
_CBOR = [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")]
_XML = "text/xml"
_FIRST_SERVER_ERROR = 500

Fields = list[tuple[str, str]]


def serialize(route: Route, document: Mapping[str, Value], *, request_id: str) -> Response:
    """Return the answer that a document makes.

    Members that are None are omitted, and so is what the output's shape does not have: a Describe
    may echo what was submitted. A streamed body is left out, and comes from who streams it.
    """
    operation = route.operation
    headers, body = _answer(route, document, request_id)
    if operation.http.get("method") == "HEAD":
        body = b""
    status = int(operation.http.get("responseCode", 200))
    return Response(status, (*_request_ids(route.protocol, request_id), *headers), body)


def _answer(route: Route, values: Mapping[str, Value], request_id: str) -> tuple[Fields, bytes]:
    shape = route.operation.output_shape
    match route.protocol:
        case Protocol.JSON:
            return _json_headers(route), write_json(_members(shape), values)
        case Protocol.CBOR:
            return list(_CBOR), write_cbor(_members(shape), values)
        case Protocol.QUERY:
            return [("Content-Type", _XML)], _query_answer(route, values, request_id)
        case Protocol.REST_JSON | Protocol.REST_XML:
            headers = list(rest.write_headers(shape, values))
            body, media_type = _rest_body(route, values)
            if media_type and not any(name.lower() == "content-type" for name, _ in headers):
                headers.append(("Content-Type", media_type))
            return headers, body


def _query_answer(route: Route, values: Mapping[str, Value], request_id: str) -> bytes:
    operation = route.operation
    shape = operation.output_shape
    inner = write_members(_members(shape), values)
    wrapper = shape.serialization.get("resultWrapper") if shape is not None else None
    metadata = element("ResponseMetadata", element("RequestId", escape(request_id)))
    return document(
        element(
            f"{operation.name}Response",
            (element(wrapper, inner) if wrapper else inner) + metadata,
            attribute("xmlns", operation.metadata["xmlNamespace"]),
        )
    )


def _rest_body(route: Route, values: Mapping[str, Value]) -> tuple[bytes, str]:
    """Return the body and the media type that it has by itself."""
    shape = route.operation.output_shape
    payload = rest.payload_of(shape)
    if payload is not None:
        return _payload(route, *payload, values)
    members = rest.body_members(shape)
    if route.protocol is Protocol.REST_JSON:
        return write_json(members, values), "application/json"
    if not members:
        return b"", ""
    return _xml_answer(route, members, values), "application/xml"


def _payload(
    route: Route, name: str, member: Shape, values: Mapping[str, Value]
) -> tuple[bytes, str]:
    value = values.get(name)
    if value is None or rest.is_streamed(member):
        return b"", ""
    if isinstance(value, bytes | bytearray):
        return bytes(value), ""
    if isinstance(value, str):
        return value.encode("utf-8", "replace"), ""
    if route.protocol is Protocol.REST_JSON:
        return write_json(_members(member), value), "application/json"
    root = s3_names.ROOTS.get(route.operation.name, member.serialization.get("name", member.name))
    return document(write_element(member, root, value)), "application/xml"


def _xml_answer(route: Route, members: Mapping[str, Shape], values: Mapping[str, Value]) -> bytes:
    operation = route.operation.name
    if operation in s3_names.UNWRAPPED:
        inner = "".join(escape(str(values.get(name) or "")) for name in members)
    else:
        inner = write_members(members, values)
    root = s3_names.ROOTS.get(operation, f"{operation}Result")
    return document(element(root, inner, attribute("xmlns", s3_names.NAMESPACE)))


def serialize_fault(
    about: Route | Protocol | str,
    fault: Fault,
    *,
    request_id: str,
    resource: str = "",
    method: str = "POST",
) -> Response:
    """Return the error answer of a fault.

    `about` is what is known of the request: its route, else its service's name or protocol. HEAD is
    answered without a body, by a route's own method or by `method`. `resource` is S3's.
    """
    protocol = about if isinstance(about, Protocol) else _protocol_of(about)
    headers, body = _error(about, protocol, fault, request_id, resource)
    if isinstance(about, Route):
        method = str(about.operation.http.get("method", method))
    return Response(
        fault.status,
        (*_request_ids(protocol, request_id), *headers, *fault.headers.items()),
        b"" if method == "HEAD" else body,
    )


def _error(
    about: Route | Protocol | str, protocol: Protocol, fault: Fault, request_id: str, resource: str
) -> tuple[Fields, bytes]:
    shape = _error_shape(about, fault)
    code = _wire_code(shape, fault)
    match protocol:
        case Protocol.CBOR:
            headers = [*_CBOR, _query_code(code, fault)]
            return headers, cbor.encode(_error_members({"__type": fault.code}, fault, shape))
        case Protocol.JSON if _speaks_query(about):
            headers = [*_json_headers(about), _query_code(code, fault)]
            return headers, _json_error({"__type": fault.code}, fault, shape)
        case Protocol.JSON:
            headers = [*_json_headers(about), ("x-amzn-errortype", code)]
            return headers, _json_error({"__type": code}, fault, shape)
        case Protocol.REST_JSON:
            headers = [("Content-Type", "application/json"), ("x-amzn-ErrorType", code)]
            return headers, _json_error({}, fault, shape)
        case Protocol.QUERY:
            return [("Content-Type", _XML)], _query_error(about, code, fault, request_id)
        case Protocol.REST_XML:
            return [("Content-Type", "application/xml")], _s3_error(
                code, fault, request_id, resource
            )


def _json_headers(about: Route | Protocol | str) -> Fields:
    version = "1.1"
    if isinstance(about, Route):
        version = str(about.operation.metadata.get("jsonVersion", version))
    return [("Content-Type", f"{_JSON}{version}")]


def _speaks_query(about: Route | Protocol | str) -> bool:
    """Say whether a service has come from the query protocol, and its errors' codes with it."""
    return isinstance(about, Route) and "awsQueryCompatible" in about.operation.metadata


def _query_code(code: str, fault: Fault) -> tuple[str, str]:
    """Return the header with an error's code in the query protocol, which boto3 goes by."""
    sender = fault.status < _FIRST_SERVER_ERROR
    return "x-amzn-query-error", f"{code};{'Sender' if sender else 'Receiver'}"


def _json_error(known: Document, fault: Fault, error: StructureShape | None) -> bytes:
    return json.dumps(_error_members(known, fault, error), separators=(",", ":")).encode()


def _error_members(known: Document, fault: Fault, error: StructureShape | None) -> Document:
    known["message"] = fault.message
    # SageMaker's shapes spell it Message; boto3 fills the exception's members by the shape.
    if error is not None and "Message" in error.members:
        known["Message"] = fault.message
    known |= {name: value for name, value in fault.fields.items() if value is not None}
    return known


def _query_error(about: Route | Protocol | str, code: str, fault: Fault, request_id: str) -> bytes:
    sender = fault.status < _FIRST_SERVER_ERROR
    inner = element("Type", "Sender" if sender else "Receiver")
    inner += _texts({"Code": code, "Message": fault.message} | dict(fault.fields))
    service = about.service if isinstance(about, Route) else about
    space = service_model(service).metadata["xmlNamespace"] if isinstance(service, str) else ""
    return document(
        element(
            "ErrorResponse",
            element("Error", inner) + element("RequestId", escape(request_id)),
            attribute("xmlns", space) if space else "",
        )
    )


def _s3_error(code: str, fault: Fault, request_id: str, resource: str) -> bytes:
    known = {"Code": code, "Message": fault.message} | dict(fault.fields)
    known |= {"Resource": resource or None, "RequestId": request_id, "HostId": request_id}
    return document(element("Error", _texts(known)))


def _texts(values: Mapping[str, Value]) -> str:
    return "".join(
        element(name, escape(str(value))) for name, value in values.items() if value is not None
    )


def _request_ids(protocol: Protocol, request_id: str) -> Fields:
    if protocol is Protocol.REST_XML:
        return [("x-amz-request-id", request_id), ("x-amz-id-2", request_id)]
    return [("x-amzn-RequestId", request_id)]


def _protocol_of(about: Route | str) -> Protocol:
    return about.protocol if isinstance(about, Route) else protocol_of(about)


def _error_shape(about: Route | Protocol | str, fault: Fault) -> StructureShape | None:
    if not isinstance(about, Route):
        return None
    try:
        shape = about.operation.service_model.shape_for(fault.code)
    except NoShapeFoundError:
        return None
    return shape if isinstance(shape, StructureShape) and shape.error_code else None


def _wire_code(error: StructureShape | None, fault: Fault) -> str:
    """Return the code as the wire has it: IAM's NoSuchEntityException goes by NoSuchEntity."""
    return str(error.error_code) if error is not None else fault.code


def _members(shape: Shape | None) -> Mapping[str, Shape]:
    return shape.members if isinstance(shape, StructureShape) else {}
