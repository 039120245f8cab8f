"""Arrays that get a row of inputs for each item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sagelet.web.forms.fields import Field, Kind, Unset
from sagelet.web.forms.json_text import Node, item_head, member_head, parse
from sagelet.web.forms.learning import Schema
from sagelet.web.forms.leaves import cell
from sagelet.web.forms.schemas import SchemaReader, as_text
from sagelet.web.forms.shapes import Container, Hole, Part, Rows, Shape

_MOST_ROWS = 500
_MOST_COLUMNS = 40


@dataclass(frozen=True, slots=True)
class Table:
    """A field with columns, and the array that it fills."""

    field: Field
    shape: Rows


@dataclass(frozen=True, slots=True)
class _Column:
    """One column before its cells are looked at. An `index` tells the place in a row's array."""

    name: str
    schema: Schema
    may_go: bool = False
    may_be_null: bool = False
    index: int | None = None


def table(reader: SchemaReader, schema: Schema, node: Node, key: str) -> Table | None:
    """Return a table for an array of rows of single values; None if it is none.

    An array that is empty begins with one row.
    """
    rows = [part.value for part in node.parts]
    if not rows:
        example = parse(as_text([reader.value(schema.get("items"))]))
        node, rows = example.root, [part.value for part in example.root.parts]
    columns = _columns(reader, schema, rows)
    if columns is None or not 0 < len(columns) <= _MOST_COLUMNS or len(rows) > _MOST_ROWS:
        return None
    keys = {column.name: f"{key}[].{column.name}" for column in columns}
    fields: list[Field] = []
    for column in columns:
        found = cell(column.schema, [_value(row, column) for row in rows])
        if found is None:
            return None
        fields.append(_named(found, column, keys[column.name], is_only=len(columns) == 1))
    shape = _rows(node, rows, columns, keys, key)
    field = Field("", Kind.ROWS, key, _title(schema), columns=tuple(fields), help=_help(schema))
    return Table(field, shape)


def _columns(reader: SchemaReader, schema: Schema, rows: list[Node]) -> list[_Column] | None:
    kinds = {row.kind for row in rows}
    if len(kinds) != 1:
        return None
    items, _ = reader.resolved(schema.get("items"))
    match kinds.pop():
        case "object":
            return _members(reader, items, rows)
        case "array":
            return _places(reader, items, rows)
        case "string":
            return [_Column("text", items or {"type": "string"})]
        case _:
            return None


def _members(reader: SchemaReader, items: Schema, rows: list[Node]) -> list[_Column] | None:
    properties = items.get("properties")
    if not isinstance(properties, Mapping) or any(row.has_twins for row in rows):
        return None
    required = items.get("required", [])
    columns = []
    for name, schema in properties.items():
        found, may_be_null = reader.resolved(schema)
        if may_be_null and name not in required:
            return None  # an empty cell cannot tell which of both it stands for
        columns.append(_Column(name, found, name not in required, may_be_null))
    known = {column.name for column in columns}
    if any(part.key not in known for row in rows for part in row.parts):
        return None
    return columns


def _places(reader: SchemaReader, items: Schema, rows: list[Node]) -> list[_Column] | None:
    width = len(rows[0].parts)
    if any(len(row.parts) != width for row in rows):
        return None
    prefix = items.get("prefixItems")
    schemas = prefix if isinstance(prefix, list) else [items.get("items")] * width
    if len(schemas) != width:
        return None
    columns = []
    for at, schema in enumerate(schemas):
        found, may_be_null = reader.resolved(schema)
        is_text = width == 1 and found.get("type") == "string"
        name = "text" if is_text else f"column {at + 1}"
        columns.append(_Column(name, found, may_be_null=may_be_null, index=at))
    return columns


def _value(row: Node, column: _Column) -> Node | None:
    """Return a row's value in a column; None where it is left out, or null."""
    if column.index is not None:
        found: Node | None = row.parts[column.index].value
    elif row.kind == "object":
        found = row.member(column.name)
    else:
        found = row
    return None if found is not None and found.kind == "null" and column.may_be_null else found


def _named(field: Field, column: _Column, key: str, *, is_only: bool) -> Field:
    unset = Unset.NULL if column.may_be_null else Unset.OMIT if column.may_go else Unset.KEEP
    pointer = f"/{column.index}" if column.index is not None else f"/{column.name}"
    return replace(
        field,
        name=column.name,
        key=key,
        label=field.label or ("text" if is_only and field.kind is Kind.TEXT else column.name),
        pointer=pointer,
        unset=unset,
    )


def _rows(
    node: Node, rows: list[Node], columns: list[_Column], keys: Mapping[str, str], key: str
) -> Rows:
    items = tuple(
        Part(part.head, _row(row, columns, keys), part.tail)
        for part, row in zip(node.parts, rows, strict=True)
    )
    return Rows(key, items, node.end, item_head(node))


def _row(row: Node, columns: list[_Column], keys: Mapping[str, str]) -> Shape:
    if row.kind not in ("object", "array"):
        return Hole(keys[columns[0].name])
    if row.kind == "array":
        parts = [
            Part(part.head, Hole(keys[column.name]), part.tail)
            for part, column in zip(row.parts, columns, strict=True)
        ]
        return Container(tuple(parts), is_array=True, end=row.end)
    by_name = {column.name: column for column in columns}
    parts = [
        Part(
            part.head,
            Hole(keys[part.key]),
            part.tail,
            _may_go(by_name[part.key], keys),
            part.key,
        )
        for part in row.parts
    ]
    there = {part.key for part in row.parts}
    parts += [
        Part(
            member_head(row, column.name),
            Hole(keys[column.name]),
            "",
            _may_go(column, keys),
            column.name,
        )
        for column in columns
        if column.name not in there
    ]
    return Container(tuple(parts), is_array=False, end=row.end)


def _may_go(column: _Column, keys: Mapping[str, str]) -> str:
    return keys[column.name] if column.may_go else ""


def _title(schema: Schema) -> str:
    title: Any = schema.get("title")
    return title if isinstance(title, str) else ""


def _help(schema: Schema) -> str:
    text: Any = schema.get("description")
    return text if isinstance(text, str) else ""
