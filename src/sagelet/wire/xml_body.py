"""XML bodies by the model: the bodies of rest-xml, and the answers of the query protocol."""

from __future__ import annotations

from collections.abc import Mapping

from botocore.model import ListShape, MapShape, Shape, StructureShape

from sagelet.wire.documents import Document, Value
from sagelet.wire.faults import Unreadable
from sagelet.wire.scalars import read_scalar, write_scalar
from sagelet.wire.xml_text import Element, attribute, element, escape


def read_members(members: Mapping[str, Shape], root: Element) -> Document:
    """Return the document of an element; children that the model does not know are left out.

    Raises:
        Unreadable: a child is not of its member's shape.
    """
    found: Document = {}
    for name, member in members.items():
        try:
            value = _member(member, _wire_name(member, name), root)
        except Unreadable as refused:
            raise refused.under(name) from refused.__cause__
        if value is not None:
            found[name] = value
    return found


def _member(shape: Shape, name: str, parent: Element) -> Value:
    if shape.serialization.get("xmlAttribute"):
        text = parent.attributes.get(name)
        return None if text is None else read_scalar(shape, text)
    elements = parent.named(name)
    if not elements:
        return None
    if shape.serialization.get("flattened"):
        return _read_flattened(shape, elements)
    return _read(shape, elements[-1])


def _read_flattened(shape: Shape, elements: list[Element]) -> Value:
    if isinstance(shape, ListShape):
        return [_read(shape.member, item) for item in elements]
    assert isinstance(shape, MapShape)
    return dict(_entry(shape, item) for item in elements)


def _read(shape: Shape, node: Element) -> Value:
    match shape:
        case StructureShape():
            return read_members(shape.members, node)
        case ListShape():
            return [_read(shape.member, item) for item in node.named(_item_name(shape))]
        case MapShape():
            return dict(_entry(shape, item) for item in node.named("entry"))
        case _:
            return read_scalar(shape, node.text)


def _entry(shape: MapShape, node: Element) -> tuple[str, Value]:
    key_name, value_name = _entry_names(shape)
    keys, values = node.named(key_name), node.named(value_name)
    if not keys or not values:
        raise Unreadable("an entry needs a key and a value")
    return keys[0].text, _read(shape.value, values[0])


def write_members(members: Mapping[str, Shape], document: Mapping[str, Value]) -> str:
    """Return the children that a document makes, as text; what is None is omitted."""
    return "".join(
        _write_member(member, _wire_name(member, name), document[name])
        for name, member in members.items()
        if document.get(name) is not None and not member.serialization.get("xmlAttribute")
    )


def write_element(shape: Shape, name: str, value: Value) -> str:
    """Return one element of a shape."""
    match shape:
        case StructureShape():
            inner = write_members(shape.members, value)
            return element(name, inner, _namespace(shape) + _attributes(shape, value))
        case ListShape():
            items = (write_element(shape.member, _item_name(shape), item) for item in value)
            return element(name, "".join(items))
        case MapShape():
            entries = (_write_entry(shape, "entry", *pair) for pair in value.items())
            return element(name, "".join(entries))
        case _:
            form = shape.serialization.get("timestampFormat", "iso8601")
            return element(name, escape(write_scalar(value, form)))


def _write_member(shape: Shape, name: str, value: Value) -> str:
    if not shape.serialization.get("flattened"):
        return write_element(shape, name, value)
    if isinstance(shape, ListShape):
        return "".join(write_element(shape.member, name, item) for item in value)
    assert isinstance(shape, MapShape)
    return "".join(_write_entry(shape, name, key, item) for key, item in value.items())


def _write_entry(shape: MapShape, name: str, key: Value, value: Value) -> str:
    key_name, value_name = _entry_names(shape)
    return element(
        name,
        write_element(shape.key, key_name, key) + write_element(shape.value, value_name, value),
    )


def _attributes(shape: StructureShape, value: Mapping[str, Value]) -> str:
    return "".join(
        attribute(_wire_name(member, name), str(value[name]))
        for name, member in shape.members.items()
        if member.serialization.get("xmlAttribute") and value.get(name) is not None
    )


def _namespace(shape: Shape) -> str:
    space = shape.serialization.get("xmlNamespace")
    if not space:
        return ""
    prefix = f":{space['prefix']}" if space.get("prefix") else ""
    return attribute(f"xmlns{prefix}", space["uri"])


def _wire_name(shape: Shape, name: str) -> str:
    """Return the name of the element that a member is, or that its items are."""
    wire_name: str = shape.serialization.get("name", name)
    if isinstance(shape, ListShape) and shape.serialization.get("flattened"):
        wire_name = shape.member.serialization.get("name", wire_name)
    return wire_name


def _item_name(shape: ListShape) -> str:
    name: str = shape.member.serialization.get("name", "member")
    return name


def _entry_names(shape: MapShape) -> tuple[str, str]:
    key: str = shape.key.serialization.get("name", "key")
    value: str = shape.value.serialization.get("name", "value")
    return key, value
