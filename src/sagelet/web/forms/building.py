"""From a JSON Schema and a value to fields, and to the value with holes in it.

object                            a field for each member; two levels of groups, then JSON
array of numbers                  a row of numbers        [1, 2, 3]
array of arrays of numbers        a grid                  [[1, 2], [3, 4]]
array of short texts              one a line              ["red", "green"]
array of texts, of flat objects,  a table with a row for  [["a text"]]  [{"age": 3}]
  of equal rows of single values  each of them
anything else                     an editor for JSON
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sagelet.web.forms.fields import Field, Unset
from sagelet.web.forms.json_text import JsonText, Node, NodePart, member_head, parse
from sagelet.web.forms.learning import Schema
from sagelet.web.forms.leaves import json_field, leaf
from sagelet.web.forms.lists import list_field
from sagelet.web.forms.schemas import SchemaReader, as_text, names_a_value
from sagelet.web.forms.shapes import Constant, Container, Hole, Part, Shape
from sagelet.web.forms.tables import table

KEY = "f"
_DEEPEST_GROUP = 2
_MOST_FIELDS = 200


@dataclass(frozen=True, slots=True)
class Built:
    """Fields, and the body that they are holes of; white space stands before and after it."""

    fields: tuple[Field, ...]
    shape: Shape
    before: str = ""
    after: str = ""


def built(schema: Schema, text: JsonText | None = None, *, name: str = "inputs") -> Built:
    """Return the fields for a body; it begins as `text`, or as a value that the schema would take.

    `name` is that of the body where it is a single field.

    Raises:
        ValueError: the schema's own defaults are no JSON.
    """
    builder = _Builder(SchemaReader(schema), is_example=text is not None)
    whole = text if text is not None else parse(builder.example(schema))
    shape = builder.shape(schema, whole.root, _Place(name=name))
    if not 0 < len(builder.fields) <= _MOST_FIELDS:
        builder = _Builder(SchemaReader({}), is_example=True)
        shape = builder.shape({}, whole.root, _Place(name=name))
    return Built(tuple(builder.fields), shape, whole.before, whole.after)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the body a value stands."""

    name: str
    path: tuple[str, ...] = ()
    group: str = ""
    unset: Unset = Unset.KEEP
    is_set: bool = True

    @property
    def pointer(self) -> str:
        return "".join(f"/{each.replace('~', '~0').replace('/', '~1')}" for each in self.path)

    def member(self, name: str) -> _Place:
        group = ".".join(self.path)
        return _Place(name, (*self.path, name), group)


class _Builder:
    def __init__(self, reader: SchemaReader, *, is_example: bool) -> None:
        self._reader = reader
        self._is_example = is_example
        self._keys: set[str] = set()
        self.fields: list[Field] = []

    def example(self, schema: Schema) -> str:
        return as_text(self._reader.value(schema))

    def shape(self, schema: object, node: Node, place: _Place) -> Shape:
        found, may_be_null = self._reader.resolved(schema)
        if may_be_null and place.unset is Unset.KEEP:
            place = replace(place, unset=Unset.NULL, is_set=node.kind != "null")
        if (
            may_be_null
            and node.kind == "null"
            and (place.unset is Unset.NULL or not self._is_example)
        ):
            node = parse(self.example(found)).root
            place = replace(place, is_set=False)
        properties = found.get("properties")
        if node.kind == "object" and isinstance(properties, dict) and not node.has_twins:
            if len(place.path) < _DEEPEST_GROUP and place.unset is Unset.KEEP:
                return self._object(found, properties, node, place)
        elif node.kind == "array":
            return self._array(found, node, place)
        return self._hole(leaf(found, node), place)

    def _object(
        self, schema: Schema, properties: dict[str, Any], node: Node, place: _Place
    ) -> Shape:
        required = schema.get("required", [])
        parts: list[Part] = []
        for part in (*node.parts, *self._missing(properties, node)):
            if part.key not in properties:
                parts.append(Part(part.head, Constant(part.value.text), part.tail, key=part.key))
                continue
            inner = place.member(part.key)
            if part.key not in required:
                is_set = self._is_set(part.key, properties[part.key], node)
                inner = replace(inner, unset=Unset.OMIT, is_set=is_set)
            at = len(self.fields)
            value = self.shape(properties[part.key], part.value, inner)
            may_go = inner.unset is Unset.OMIT and len(self.fields) == at + 1
            leaves_out = self.fields[at].key if may_go else ""
            parts.append(Part(part.head, value, part.tail, leaves_out, part.key))
        return Container(tuple(parts), is_array=False, end=node.end)

    def _array(self, schema: Schema, node: Node, place: _Place) -> Shape:
        field = list_field(schema, node)
        if field is not None:
            return self._hole(field, place)
        if place.unset is Unset.KEEP:
            made = table(self._reader, schema, node, self._key(place))
            if made is not None:
                self._add(made.field, place)
                return made.shape
        return self._hole(json_field(schema, node), place)

    def _hole(self, field: Field, place: _Place) -> Shape:
        return Hole(self._add(field, place))

    def _add(self, field: Field, place: _Place) -> str:
        key = field.key or self._key(place)
        self._keys.add(key)
        self.fields.append(
            replace(
                field,
                name=place.name,
                key=key,
                label=field.label or place.name,
                pointer=place.pointer,
                group=place.group,
                unset=place.unset,
                default=field.default if place.is_set else (),
            )
        )
        return key

    def _key(self, place: _Place) -> str:
        key = ".".join((KEY, *(place.path or (place.name,))))
        while key in self._keys:
            key += "_"
        return key

    def _is_set(self, name: str, schema: object, node: Node) -> bool:
        if self._is_example:
            return node.member(name) is not None
        return names_a_value(self._reader.resolved(schema)[0])

    def _missing(self, properties: dict[str, Any], node: Node) -> list[NodePart]:
        """Return the members that the schema knows and the value has not."""
        there = {part.key for part in node.parts}
        return [
            NodePart(name, member_head(node, name), parse(self.example(schema)).root, "")
            for name, schema in properties.items()
            if name not in there
        ]
