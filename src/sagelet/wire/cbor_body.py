"""CBOR bodies: the members of a document by the model, as `smithy-rpc-v2-cbor` has them."""

from __future__ import annotations

from collections.abc import Mapping

from botocore.model import ListShape, MapShape, Shape, StructureShape

from sagelet.wire import cbor
from sagelet.wire.documents import Document, Value
from sagelet.wire.json_body import read_members


def read_cbor(members: Mapping[str, Shape], body: bytes) -> Document:
    """Return the document of a body; members that the model does not know are left out.

    Raises:
        Unreadable: the body is not CBOR, or not of the members' shapes.
    """
    return read_members(members, cbor.decode(body) if body else {})


def write_cbor(members: Mapping[str, Shape], document: Mapping[str, Value]) -> bytes:
    """Return the body of a document; what is None, and what the model does not know, is omitted."""
    return cbor.encode(_members(members, document))


def _members(members: Mapping[str, Shape], document: Mapping[str, Value]) -> Document:
    return {
        name: _shaped(member, document[name])
        for name, member in members.items()
        if document.get(name) is not None
    }


def _shaped(shape: Shape, value: Value) -> Value:
    match shape:
        case StructureShape():
            return _members(shape.members, value)
        case ListShape():
            return [_shaped(shape.member, item) for item in value if item is not None]
        case MapShape():
            pairs = value.items()
            return {str(key): _shaped(shape.value, item) for key, item in pairs if item is not None}
        case _:
            return float(value) if shape.type_name in ("float", "double") else value
