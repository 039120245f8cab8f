"""REST bindings: which members of a document travel in the path, the query, headers or the body."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import cast

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from sagelet.wire.documents import Document, Value
from sagelet.wire.faults import Unreadable
from sagelet.wire.matching import path_labels
from sagelet.wire.messages import RequestHead, as_header, as_text
from sagelet.wire.scalars import read_scalar, write_scalar

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def read_bindings(operation: OperationModel, head: RequestHead) -> Document:
    """Return the members that are in a request's path, query and headers.

    Raises:
        Unreadable: one is not of its member's shape.
    """
    found: Document = {}
    labels = path_labels(operation, head)
    for name, member in _members(operation.input_shape).items():
        try:
            value = _read_binding(member, head, labels)
        except Unreadable as refused:
            raise refused.under(name) from refused.__cause__
        if value is not None:
            found[name] = value
    return found


def _read_binding(member: Shape, head: RequestHead, labels: Mapping[str, str]) -> Value:
    wire_name: str = member.serialization.get("name", "")
    match member.serialization.get("location"):
        case "uri":
            text = labels.get(wire_name)
            return None if text is None else read_scalar(member, text)
        case "querystring":
            return _read_query(member, wire_name, head)
        case "header":
            return _read_header(member, head.headers.get_all(wire_name))
        case "headers":
            return _read_prefixed(wire_name, head)
        case _:
            return None


def _read_query(member: Shape, wire_name: str, head: RequestHead) -> Value:
    if isinstance(member, MapShape):
        return dict(head.query) or None
    values = [value for name, value in head.query if name == wire_name]
    if not values:
        return None
    if isinstance(member, ListShape):
        return [read_scalar(member.member, value) for value in values]
    return read_scalar(member, values[0])


def _read_header(member: Shape, values: list[str]) -> Value:
    if not values:
        return None
    if isinstance(member, ListShape):
        items = (item.strip() for value in values for item in value.split(","))
        return [read_scalar(member.member, as_text(item)) for item in items]
    return read_scalar(member, as_text(", ".join(values)))


def _read_prefixed(prefix: str, head: RequestHead) -> dict[str, str] | None:
    found = {
        name[len(prefix) :]: as_text(",".join(head.headers.get_all(name)))
        for name in head.headers.names()
        if name.startswith(prefix.lower())
    }
    return found or None


def payload_of(shape: Shape | None) -> tuple[str, Shape] | None:
    """Return the member that is the whole body, where a shape has one."""
    name = shape.serialization.get("payload") if shape is not None else None
    return (name, _members(shape)[name]) if name else None


def is_streamed(shape: Shape) -> bool:
    """Say whether a payload is a stream of bytes, which never becomes part of a document."""
    return bool(shape.serialization.get("streaming") or shape.serialization.get("eventstream"))


def body_members(shape: Shape | None) -> dict[str, Shape]:
    """Return the members that are neither in the path, nor in the query, nor in headers."""
    members = _members(shape).items()
    return {name: member for name, member in members if "location" not in member.serialization}


def write_headers(shape: Shape | None, document: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    """Yield the header fields that a document makes; what is None is omitted."""
    for name, member in _members(shape).items():
        value = document.get(name)
        location = member.serialization.get("location")
        if value is None or location not in ("header", "headers"):
            continue
        wire_name = member.serialization.get("name", name)
        if location == "header":
            yield wire_name, _write_header(member, value)
        else:
            for key, item in value.items():
                if _TOKEN.fullmatch(key):
                    yield wire_name + key, as_header(str(item))


def _write_header(member: Shape, value: Value) -> str:
    if isinstance(member, ListShape):
        return as_header(",".join(write_scalar(item, "rfc822") for item in value))
    return as_header(write_scalar(value, member.serialization.get("timestampFormat", "rfc822")))


def _members(shape: Shape | None) -> Mapping[str, Shape]:
    return shape.members if isinstance(shape, StructureShape) else cast("dict[str, Shape]", {})
