"""From a request to a document: a dict with the model's member names.

Timestamps become aware datetimes, blobs bytes. What the model does not know is left out, and so is
the body of an operation that takes a stream.
"""

from __future__ import annotations

from collections.abc import Mapping

from botocore.model import Shape, StructureShape

from sagelet.wire import rest
from sagelet.wire.cbor_body import read_cbor
from sagelet.wire.documents import Document
from sagelet.wire.faults import Fault, Unreadable
from sagelet.wire.form_body import form_fields, read_form
from sagelet.wire.json_body import read_json
from sagelet.wire.messages import RequestHead
from sagelet.wire.routing import Protocol, Route
from sagelet.wire.xml_body import read_members
from sagelet.wire.xml_text import read_xml

_NOT_XML = (
    "The XML you provided was not well-formed or did not validate against our published schema"
)


def parse(route: Route, head: RequestHead, body: bytes) -> Document:
    """Return the document that a request carries.

    Raises:
        Fault: it is not of the form that its operation has, in the words of the service.
    """
    protocol = route.protocol
    bound: Document = {}
    try:
        if protocol in (Protocol.REST_JSON, Protocol.REST_XML):
            bound = rest.read_bindings(route.operation, head)
    except Unreadable as refused:
        raise _fault(protocol, refused) from refused
    try:
        return bound | _read_body(route, head, body)
    except Unreadable as refused:
        raise _fault(protocol, refused, in_body=True) from refused


def _read_body(route: Route, head: RequestHead, body: bytes) -> Document:
    shape = route.operation.input_shape
    match route.protocol:
        case Protocol.JSON:
            return read_json(_members(shape), body)
        case Protocol.CBOR:
            return read_cbor(_members(shape), body)
        case Protocol.QUERY:
            return read_form(_members(shape), head.query + form_fields(body))
        case Protocol.REST_JSON | Protocol.REST_XML:
            return _read_rest(route.protocol, shape, body)


def _read_rest(protocol: Protocol, shape: Shape | None, body: bytes) -> Document:
    payload = rest.payload_of(shape)
    if payload is None:
        members = rest.body_members(shape)
        return _read_members(protocol, members, body) if members and body else {}
    name, member = payload
    if rest.is_streamed(member):
        return {}
    if member.type_name == "blob":
        return {name: bytes(body)}
    if not body:
        return {}
    if isinstance(member, StructureShape):
        return {name: _read_members(protocol, member.members, body)}
    try:
        return {name: body.decode()}
    except UnicodeDecodeError as error:
        raise Unreadable("the body is not UTF-8") from error


def _read_members(protocol: Protocol, members: Mapping[str, Shape], body: bytes) -> Document:
    if protocol is Protocol.REST_JSON:
        return read_json(members, body)
    return read_members(members, read_xml(body))


def _members(shape: Shape | None) -> Mapping[str, Shape]:
    return shape.members if isinstance(shape, StructureShape) else {}


def _fault(protocol: Protocol, refused: Unreadable, *, in_body: bool = False) -> Fault:
    match protocol:
        case Protocol.JSON | Protocol.REST_JSON | Protocol.CBOR:
            return Fault("SerializationException", 400, str(refused))
        case Protocol.QUERY:
            return Fault("MalformedInput", 400, str(refused))
        case Protocol.REST_XML if in_body:
            return Fault("MalformedXML", 400, f"{_NOT_XML}: {refused}")
        case Protocol.REST_XML:
            return Fault("InvalidArgument", 400, str(refused), {"ArgumentName": refused.where})
