"""JSON bodies: json-1.1, and the body part of rest-json.

Texts of refusals are those of the AWS services' own JSON reader, with the member's path after them.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Mapping
from datetime import datetime

from botocore.model import ListShape, MapShape, Shape, StructureShape

from sagelet.wire.documents import Document, Value
from sagelet.wire.faults import Unreadable
from sagelet.wire.scalars import fitting, read_blob
from sagelet.wire.timestamps import read_timestamp, write_epoch, write_text

_Reader = Callable[[Shape, Value, int], Value]

DEPTH_AT_MOST = 64
"""How deep a document may nest; the deepest that SageMaker's model asks for is below 20."""


def read_json(members: Mapping[str, Shape], body: bytes) -> Document:
    """Return the document of a body; members that the model does not know are left out.

    Raises:
        Unreadable: the body is not JSON, or not of the members' shapes.
    """
    return read_members(members, _decode(body) if body.strip() else {})


def read_members(members: Mapping[str, Shape], value: Value) -> Document:
    """Return the document of a decoded body; CBOR has times and bytes of its own.

    Raises:
        Unreadable: it is not of the members' shapes.
    """
    if not isinstance(value, dict):
        raise Unreadable(f"{_token(value)} found where a structure was expected")
    return _members(members, value, 0)


def _decode(body: bytes) -> Value:
    try:
        return json.loads(body.decode(), parse_float=_finite, parse_constant=_refuse_constant)
    except Unreadable:
        raise
    except UnicodeDecodeError as error:
        raise Unreadable("the body is not UTF-8") from error
    except RecursionError as error:
        raise Unreadable("the body is nested too deeply") from error
    except ValueError as error:
        # A syntax error, or a number of more digits than Python converts.
        raise Unreadable(f"Could not parse the request body as JSON: {error}") from error


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise Unreadable("a number is out of range for Double")
    return number


def _refuse_constant(name: str) -> float:
    raise Unreadable(f"Unexpected token {name}: JSON has no such number")


def _read(shape: Shape, value: Value, depth: int) -> Value:
    if depth > DEPTH_AT_MOST:
        raise Unreadable("the body is nested too deeply")
    read: _Reader = _READERS.get(shape.type_name, _string)
    return read(shape, value, depth)


def _structure(shape: Shape, value: Value, depth: int) -> Document:
    if not isinstance(value, dict):
        raise Unreadable(f"{_token(value)} found where a structure was expected")
    assert isinstance(shape, StructureShape)
    return value if shape.is_document_type else _members(shape.members, value, depth)


def _members(members: Mapping[str, Shape], value: Document, depth: int) -> Document:
    found: Document = {}
    for name, member in members.items():
        given = value.get(member.serialization.get("name", name))
        if given is None:
            continue
        try:
            found[name] = _read(member, given, depth + 1)
        except Unreadable as refused:
            raise refused.under(_camel(name)) from refused.__cause__
    return found


def _list(shape: Shape, value: Value, depth: int) -> list[Value]:
    assert isinstance(shape, ListShape)
    if not isinstance(value, list):
        raise Unreadable("Expected list or null")
    found = []
    for number, item in enumerate(value, start=1):
        try:
            found.append(_read(shape.member, item, depth + 1))
        except Unreadable as refused:
            raise refused.under(f"{number}.member") from refused.__cause__
    return found


def _map(shape: Shape, value: Value, depth: int) -> Document:
    assert isinstance(shape, MapShape)
    if not isinstance(value, dict):
        raise Unreadable("Expected map or null")
    found: Document = {}
    for key, item in value.items():
        try:
            found[_string(shape.key, key, depth)] = _read(shape.value, item, depth + 1)
        except Unreadable as refused:
            raise refused.under(key[:64]) from refused.__cause__
    return found


def _string(_: Shape, value: Value, __: int) -> str:
    if not isinstance(value, str):
        raise Unreadable(f"{_token(value)} can not be converted to a String")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise Unreadable("a lone surrogate is not text") from error
    return value


def _whole(shape: Shape, value: Value, _: int) -> int:
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not whole:
        name = "Long" if shape.type_name == "long" else "Integer"
        raise Unreadable(f"{_token(value)} can not be converted to {_article(name)}")
    return fitting(int(value), shape.type_name)


def _float(shape: Shape, value: Value, _: int) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unreadable(
            f"{_token(value)} can not be converted to a {shape.type_name.capitalize()}"
        )
    try:
        return value if isinstance(value, float) else float(value)
    except OverflowError as error:
        raise Unreadable("a number is out of range for Double") from error


def _boolean(_: Shape, value: Value, __: int) -> bool:
    if not isinstance(value, bool):
        raise Unreadable(f"{_token(value)} can not be converted to a Boolean")
    return value


def _timestamp(_: Shape, value: Value, __: int) -> datetime:
    return value if isinstance(value, datetime) else read_timestamp(value)


def _blob(_: Shape, value: Value, __: int) -> bytes:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise Unreadable(f"{_token(value)} can not be converted to a Blob")
    return read_blob(value)


_READERS: dict[str, _Reader] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "integer": _whole,
    "long": _whole,
    "float": _float,
    "double": _float,
    "boolean": _boolean,
    "timestamp": _timestamp,
    "blob": _blob,
}


def _token(value: Value) -> str:
    """Name a JSON value as the services' reader does."""
    match value:
        case None:
            return "NULL_VALUE"
        case bool():
            return "TRUE_VALUE" if value else "FALSE_VALUE"
        case str():
            return "STRING_VALUE"
        case int():
            return "NUMBER_VALUE"
        case float():
            return "DECIMAL_VALUE"
        case list():
            return "START_ARRAY"
        case _:
            return "START_OBJECT"


def _article(name: str) -> str:
    return f"an {name}" if name[0] in "AEIOU" else f"a {name}"


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]


def write_json(members: Mapping[str, Shape], document: Mapping[str, Value]) -> bytes:
    """Return the body of a document; what is None, and what the model does not know, is omitted."""
    value = _write_members(members, document)
    # A log line may hold what is not UTF-8; the answer must be, whatever it costs that line.
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "replace")


def _write_members(members: Mapping[str, Shape], document: Mapping[str, Value]) -> Document:
    return {
        member.serialization.get("name", name): _write(member, document[name])
        for name, member in members.items()
        if document.get(name) is not None
    }


def _write(shape: Shape, value: Value) -> Value:
    match shape:
        case StructureShape() if not shape.is_document_type:
            return _write_members(shape.members, value)
        case ListShape():
            return [_write(shape.member, item) for item in value if item is not None]
        case MapShape():
            pairs = value.items()
            return {str(key): _write(shape.value, item) for key, item in pairs if item is not None}
        case _:
            return _write_scalar(shape, value)


def _write_scalar(shape: Shape, value: Value) -> Value:
    match value:
        case datetime():
            form = shape.serialization.get("timestampFormat", "unixTimestamp")
            return write_epoch(value) if form == "unixTimestamp" else write_text(value, form)
        case bytes() | bytearray():
            return base64.b64encode(value).decode()
        case float() if not math.isfinite(value):
            return str(value)
        case _:
            return value
