"""Reading a JSON Schema: what a part of it says, and a value that it would take."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sagelet.web.forms.learning import Schema

_DEEPEST = 16
_COMPACT = (",", ":")
_ZEROS: Mapping[str, Any] = {
    "string": "",
    "integer": 0,
    "number": 0,
    "boolean": False,
    "null": None,
}


class SchemaReader:
    """Follows references inside one document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Read parts of a document, whose root is `#`."""
        self._document = document

    def resolved(self, schema: object) -> tuple[Schema, bool]:
        """Return what a part says, its references followed, and whether it may be null, too."""
        found = self._followed(schema, 0)
        kinds = found.get("type")
        if isinstance(kinds, list):
            others = [kind for kind in kinds if kind != "null"]
            if len(others) == 1:
                return {**found, "type": others[0]}, len(others) < len(kinds)
            return {name: value for name, value in found.items() if name != "type"}, False
        for key in ("anyOf", "oneOf"):
            choices = found.get(key)
            if isinstance(choices, list):
                some = [each for each in choices if not _is_null(each)]
                if len(some) == 1 and len(some) < len(choices):
                    rest = {name: value for name, value in found.items() if name != key}
                    inner, _ = self.resolved(some[0])
                    return {**inner, **rest}, True
        return found, False

    def value(self, schema: object, depth: int = 0) -> Any:  # noqa: ANN401  any value
        """Return a value that a part of the schema would take, the one it names where it does."""
        found, may_be_null = self.resolved(schema)
        named, value = _named(found)
        if named:
            return value
        if may_be_null or depth > _DEEPEST:
            return None
        match found.get("type", "object" if "properties" in found else None):
            case "object":
                return {
                    name: self.value(each, depth + 1)
                    for name, each in _mapping(found.get("properties")).items()
                }
            case "array":
                return self._items(found, depth)
            case str(kind) if kind in _ZEROS:
                return found.get("minimum", _ZEROS[kind]) if kind != "string" else ""
            case _:
                return None

    def _items(self, found: Schema, depth: int) -> list[Any]:
        prefix = found.get("prefixItems")
        if isinstance(prefix, list):
            return [self.value(each, depth + 1) for each in prefix]
        if not isinstance(found.get("items"), Mapping):
            return []
        least = found.get("minItems")
        items, _ = self.resolved(found["items"])
        if least is None and items.get("type") in ("string", "number", "integer"):
            return []
        count = min(least, 64) if isinstance(least, int) and least > 0 else 1
        return [self.value(found["items"], depth + 1) for _ in range(count)]

    def _followed(self, schema: object, depth: int) -> Schema:
        found = dict(_mapping(schema))
        merged = found.pop("allOf", None)
        if isinstance(merged, list) and depth < _DEEPEST:
            for each in merged:
                found = _joined(self._followed(each, depth + 1), found)
        reference = found.pop("$ref", None)
        if isinstance(reference, str) and depth < _DEEPEST:
            return {**self._followed(self._at(reference), depth + 1), **found}
        return found

    def _at(self, reference: str) -> object:
        if not reference.startswith("#"):
            return {}  # another document: it is not fetched
        found: object = self._document
        for step in reference[1:].lstrip("/").split("/") if reference != "#" else ():
            name = step.replace("~1", "/").replace("~0", "~")
            found = _mapping(found).get(name, {})
        return found


def as_text(value: object) -> str:
    """Return a value as compact JSON.

    Raises:
        ValueError: it holds what JSON has not, such as NaN.
    """
    return json.dumps(value, ensure_ascii=False, separators=_COMPACT, allow_nan=False)


def names_a_value(schema: Schema) -> bool:
    """Tell whether a schema says itself what to begin with."""
    return "const" in schema or "default" in schema


def _named(schema: Schema) -> tuple[bool, Any]:
    for key in ("const", "default"):
        if key in schema:
            return True, schema[key]
    for key in ("examples", "enum"):
        if isinstance(schema.get(key), list) and schema[key]:
            return True, schema[key][0]
    return False, None


def _joined(one: Schema, other: Schema) -> Schema:
    joined = {**one, **other}
    if "properties" in one and "properties" in other:
        joined["properties"] = {**_mapping(one["properties"]), **_mapping(other["properties"])}
        joined["required"] = [*one.get("required", []), *other.get("required", [])]
    return joined


def _is_null(schema: object) -> bool:
    return isinstance(schema, Mapping) and schema.get("type") == "null"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
