"""Documents made from a shape alone, and botocore's serializers and parsers without a client."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from functools import cache
from typing import cast

from botocore.awsrequest import HeadersDict
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.parsers import ResponseParser, create_parser
from botocore.serialize import create_serializer
from botocore.utils import percent_encode_sequence

from sagelet.wire.documents import Document, Value
from sagelet.wire.messages import Headers, RequestHead, Response
from sagelet.wire.models import service_model

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LEVELS = 4

_SCALARS: dict[str, Value] = {
    "string": "text",
    "integer": 7,
    "long": 8_589_934_592,
    "float": 0.5,
    "double": 0.25,
    "boolean": True,
    "timestamp": WHEN,
    "blob": b"\x00\xffbytes",
}


def a_sample(shape: Shape | None, levels: int = LEVELS) -> Value:
    """A value with every member set, down to a number of levels."""
    match shape:
        case None:
            return {}
        case StructureShape() if shape.is_tagged_union:
            name, member = next(iter(shape.members.items()))
            return {name: a_sample(member, levels - 1)}
        case StructureShape():
            return {
                name: a_sample(member, levels - 1)
                for name, member in shape.members.items()
                if not member.serialization.get("eventstream")
                and (levels > 0 or _is_scalar(member))
            }
        case ListShape():
            return [a_sample(shape.member, levels - 1)] if levels > 0 else []
        case MapShape():
            return {"key": a_sample(shape.value, levels - 1)} if levels > 0 else {}
        case _:
            return _SCALARS[shape.type_name]


def _is_scalar(shape: Shape) -> bool:
    return not isinstance(shape, StructureShape | ListShape | MapShape)


def without_empty(value: Value) -> Value:
    """A document without empty lists and dicts: XML, forms and headers cannot say them."""
    match value:
        case dict():
            cleaned = {key: without_empty(item) for key, item in value.items()}
            return {key: item for key, item in cleaned.items() if item not in ({}, [], None)}
        case list():
            return [kept for item in value if (kept := without_empty(item)) not in ({}, [])]
        case _:
            return value


def sent_by_botocore(
    service: str, operation: OperationModel, document: Document, protocol: str = ""
) -> tuple[RequestHead, bytes]:
    """The request that botocore's serializer makes of a document, in the protocol it prefers."""
    protocol = protocol or service_model(service).resolved_protocol
    made = create_serializer(protocol, include_validation=False).serialize_to_request(
        document, operation
    )
    query = made["query_string"]
    if not isinstance(query, str):
        query = percent_encode_sequence(query)
    path, _, literal = made["url_path"].partition("?")
    body = made["body"]
    if isinstance(body, dict):
        body = percent_encode_sequence(body)
        made["headers"].setdefault("Content-Type", "application/x-www-form-urlencoded")
    if isinstance(body, str):
        body = body.encode()
    if hasattr(body, "read"):
        body = body.read()
    scope = service_model(service).signing_name
    signed = (
        "AWS4-HMAC-SHA256 "
        f"Credential=K/20260102/us-east-1/{scope}/aws4_request, SignedHeaders=host, Signature=0"
    )
    headers = [(name, str(value)) for name, value in made["headers"].items()]
    return (
        RequestHead(
            made["method"],
            path,
            "&".join(part for part in (literal, query) if part),
            Headers([*headers, ("Authorization", signed), ("Host", "127.0.0.1")]),
        ),
        body or b"",
    )


@cache
def _parser(protocol: str) -> ResponseParser:
    return create_parser(protocol)


def read_by_botocore(
    service: str, operation: OperationModel, response: Response, protocol: str = ""
) -> Document:
    """The document that botocore's parser makes of our answer, its metadata aside."""
    # botocore hands a blob's body on as a stream; everything else is whole.
    streamed = operation.has_streaming_output
    found: Document = _parser(protocol or service_model(service).resolved_protocol).parse(
        {
            "status_code": response.status,
            "headers": HeadersDict(dict(response.headers)),
            "body": io.BytesIO(response.body) if streamed else response.body,
            "context": {"operation_name": operation.name},
        },
        cast("Shape", operation.output_shape),  # The stubs do not know that there may be none.
    )
    found.pop("ResponseMetadata")
    return {
        name: value.read() if isinstance(value, io.BytesIO) else value
        for name, value in found.items()
    }
