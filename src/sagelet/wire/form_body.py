"""Form bodies of the query protocol: `Foo.member.1.Bar=x` is a member of an item of a list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from botocore.model import ListShape, MapShape, Shape, StructureShape

from sagelet.wire.documents import Document, Value
from sagelet.wire.faults import Unreadable
from sagelet.wire.scalars import read_scalar

_FIELDS_AT_MOST = 10_000
_DEPTH_AT_MOST = 32


@dataclass(slots=True)
class _Node:
    """The fields that share the beginning of a name."""

    value: str | None = None
    children: dict[str, _Node] = field(default_factory=dict)


def form_fields(body: bytes) -> list[tuple[str, str]]:
    """Return the (name, value) pairs of a form, decoded.

    Raises:
        Unreadable: it is not UTF-8, or has too many fields.
    """
    try:
        return parse_qsl(
            body.decode(),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_FIELDS_AT_MOST,
        )
    except ValueError as error:
        raise Unreadable("the form can not be decoded") from error


def read_form(members: Mapping[str, Shape], fields: Iterable[tuple[str, str]]) -> Document:
    """Return the document of a form's fields; those that the model does not know are left out.

    Raises:
        Unreadable: a field is not of its member's shape.
    """
    return _members(members, _tree(fields))


def _tree(fields: Iterable[tuple[str, str]]) -> _Node:
    root = _Node()
    for name, value in fields:
        if name.count(".") > _DEPTH_AT_MOST:
            raise Unreadable("the form is nested too deeply")
        node = root
        for part in name.split("."):
            node = node.children.setdefault(part, _Node())
        node.value = value
    return root


def _members(members: Mapping[str, Shape], node: _Node) -> Document:
    found: Document = {}
    for name, member in members.items():
        child = node.children.get(_name_of(member, name))
        if child is None:
            continue
        try:
            found[name] = _read(member, child)
        except Unreadable as refused:
            raise refused.under(name) from refused.__cause__
    return found


def _name_of(shape: Shape, name: str) -> str:
    wire_name: str = shape.serialization.get("name", name)
    if isinstance(shape, ListShape) and shape.serialization.get("flattened"):
        wire_name = shape.member.serialization.get("name", wire_name)
    return wire_name


def _read(shape: Shape, node: _Node) -> Value:
    match shape:
        case StructureShape():
            return _members(shape.members, node)
        case ListShape():
            return [_read(shape.member, item) for item in _items(shape, node)]
        case MapShape():
            return _map(shape, node)
        case _:
            if node.value is None:
                raise Unreadable("a value was expected")
            return read_scalar(shape, node.value)


def _items(shape: ListShape, node: _Node) -> list[_Node]:
    if not shape.serialization.get("flattened"):
        wrapper = shape.member.serialization.get("name", "member")
        node = node.children.get(wrapper, _Node())
    return _numbered(node)


def _map(shape: MapShape, node: _Node) -> Document:
    if not shape.serialization.get("flattened"):
        node = node.children.get("entry", _Node())
    key_name = shape.key.serialization.get("name", "key")
    value_name = shape.value.serialization.get("name", "value")
    found: Document = {}
    for entry in _numbered(node):
        key, value = entry.children.get(key_name), entry.children.get(value_name)
        if key is None or key.value is None or value is None:
            raise Unreadable("an entry needs a key and a value")
        found[key.value] = _read(shape.value, value)
    return found


def _numbered(node: _Node) -> list[_Node]:
    """Return the children whose names are numbers, in their order."""
    numbered = [
        (int(name), child)
        for name, child in node.children.items()
        if name.isascii() and name.isdigit() and len(name) < 10
    ]
    return [child for _, child in sorted(numbered, key=lambda pair: pair[0])]
