"""Arrays that one input holds: numbers, grids of them, short texts, choices."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sagelet.web.forms.fields import Field, Kind, Option
from sagelet.web.forms.json_text import Node
from sagelet.web.forms.learning import Schema
from sagelet.web.forms.leaves import is_plain, options_of, same, shown_as

_LONGEST_TAG = 20
_MOST_CELLS = 20_000


def list_field(schema: Schema, node: Node) -> Field | None:
    """Return a field, yet without a name, for a whole array; None if no input can hold it."""
    items = schema.get("items")
    inner = items if isinstance(items, dict) else {}
    if isinstance(inner.get("enum"), list):
        return _choices(schema, inner["enum"], node)
    if not node.parts:
        kind = _EMPTY.get(str(inner.get("type")))
        return None if kind is None else _filled(kind, schema, node, "")
    for kind in (Kind.NUMBERS, Kind.GRID, Kind.TAGS):
        shown = _shown(kind, node)
        if shown is not None and not (kind is Kind.TAGS and _are_long(shown)):
            return _filled(kind, schema, node, shown)
    return None


def shown_list(field: Field, node: Node) -> list[str] | None:
    """Return how any field's input shows a value; None if it cannot."""
    if field.kind not in _LISTS:
        shown = shown_as(field, node)
    elif node.kind != "array":
        return None
    elif field.kind is Kind.CHECKBOXES:
        return _chosen(field.options, node)
    else:
        shown = _shown(field.kind, node) if node.parts else ""
    return None if shown is None else [shown]


_EMPTY: Mapping[str, Kind] = {
    "number": Kind.NUMBERS,
    "integer": Kind.NUMBERS,
    "string": Kind.TAGS,
}
_LISTS = frozenset({Kind.NUMBERS, Kind.GRID, Kind.TAGS, Kind.CHECKBOXES})


def _shown(kind: Kind, node: Node) -> str | None:
    values = [part.value for part in node.parts]
    if kind is Kind.NUMBERS:
        is_one = len(values) <= _MOST_CELLS and all(value.kind == "number" for value in values)
        return _line(node) if is_one else None
    if kind is Kind.GRID:
        return "\n".join(_line(row) for row in values) if _is_grid(values) else None
    if any(value.kind != "string" for value in values):
        return None
    texts = [json.loads(value.text) for value in values]
    if any(not text.strip() or not is_plain(text) or "\n" in text for text in texts):
        return None
    return "\n".join(texts)


def _are_long(shown: str) -> bool:
    """Tell texts from words: they get a row each (see `tables`)."""
    return any(len(line) > _LONGEST_TAG or "," in line for line in shown.split("\n"))


def _choices(schema: Schema, values: list[object], node: Node) -> Field | None:
    options = options_of(values)
    chosen = _chosen(options, node)
    if chosen is None:
        return None
    field = _filled(Kind.CHECKBOXES, schema, node, "")
    return replace(field, options=options, default=tuple(chosen))


def _chosen(options: Sequence[Option], node: Node) -> list[str] | None:
    """Return the boxes to tick, in the options' order; None if there is no box for something."""
    there = [part.value.text for part in node.parts]
    chosen = [each.value for each in options if any(same(each.token, text) for text in there)]
    return chosen if len(chosen) == len(there) else None


def _is_grid(rows: list[Node]) -> bool:
    if any(row.kind != "array" or not row.parts for row in rows):
        return False
    width = len(rows[0].parts)
    return (
        width * len(rows) <= _MOST_CELLS
        and all(len(row.parts) == width for row in rows)
        and all(part.value.kind == "number" for row in rows for part in row.parts)
    )


def _line(node: Node) -> str:
    return ", ".join(part.value.text for part in node.parts)


def _filled(kind: Kind, schema: Schema, node: Node, shown: str) -> Field:
    title, text = schema.get("title"), schema.get("description")
    return Field(
        "",
        kind,
        label=title if isinstance(title, str) else "",
        help=text if isinstance(text, str) else "",
        default=(shown,),
        original=(node.text,),
    )
