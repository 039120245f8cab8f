"""From examples to a JSON Schema: what all of them have in common."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, TypeAlias

from sagelet.web.forms.json_text import Node

Schema: TypeAlias = dict[str, Any]

_LOOKED_AT = 2000
"""So many items of arrays are compared, together."""
_LONGEST_ROW = 16
_TYPES = {"object": "object", "array": "array", "string": "string", "boolean": "boolean"}


def learned(nodes: Sequence[Node], *, is_row: bool = False) -> Schema:
    """Return the schema that all nodes fulfil; nothing is said where they differ too much.

    `is_row`: they are the items of one array, so that their length is part of what they are.
    """
    kinds = {node.kind for node in nodes}
    some = [node for node in nodes if node.kind != "null"]
    may_be_null = len(some) < len(nodes)
    kinds.discard("null")
    if len(kinds) != 1:
        return {"type": "null"} if not kinds and nodes else {}
    (kind,) = kinds
    schema: Schema
    match kind:
        case "object":
            schema = _object(some)
        case "array":
            schema = _array(some, is_row=is_row)
        case "number":
            schema = {"type": "integer" if all(map(is_integer, some)) else "number"}
        case _:
            schema = {"type": _TYPES[kind]}
    if may_be_null:
        schema["type"] = [schema["type"], "null"]
    return schema


def is_integer(node: Node) -> bool:
    """Tell whether a number is written as an integer."""
    return node.text.lstrip("-").isdigit()


def _object(nodes: Sequence[Node]) -> Schema:
    if any(node.has_twins for node in nodes):
        return {"type": "object"}
    members: dict[str, list[Node]] = {}
    for node in nodes:
        for part in node.parts:
            members.setdefault(part.key, []).append(part.value)
    return {
        "type": "object",
        "properties": {name: learned(values) for name, values in members.items()},
        "required": [name for name, values in members.items() if len(values) == len(nodes)],
    }


def _array(nodes: Sequence[Node], *, is_row: bool) -> Schema:
    items = itertools.chain.from_iterable(node.parts for node in nodes)
    looked_at = [part.value for part in itertools.islice(items, _LOOKED_AT)]
    if not looked_at:
        return {"type": "array"}
    schema: Schema = {"type": "array"}
    lengths = {len(node.parts) for node in nodes}
    if is_row and len(lengths) == 1 and max(lengths) <= _LONGEST_ROW:
        (length,) = lengths
        schema |= {"minItems": length, "maxItems": length}
        columns = [
            learned([node.parts[at].value for node in nodes[:_LOOKED_AT]]) for at in range(length)
        ]
        if any(column != columns[0] for column in columns) and not _all_numbers(columns):
            return {**schema, "prefixItems": columns}
    return {**schema, "items": learned(looked_at, is_row=True)}


def _all_numbers(schemas: Sequence[Schema]) -> bool:
    return all(each.get("type") in ("integer", "number") for each in schemas)
