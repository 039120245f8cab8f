"""The form that a configuration file describes: `ui.fields`, put into `ui.body`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sagelet.domain.media import CSV, JSON, essence
from sagelet.environments.ui_settings import HOLE, UiField, UiSettings
from sagelet.web.forms.building import KEY, built
from sagelet.web.forms.drafts import BODY, DIALECT, NPY, Draft
from sagelet.web.forms.fields import FILES, Field, Kind
from sagelet.web.forms.form import Encoding
from sagelet.web.forms.json_text import Node, parse
from sagelet.web.forms.learning import Schema, learned
from sagelet.web.forms.leaves import LONG_TEXT, OWN, RADIOS, options_of
from sagelet.web.forms.schemas import as_text
from sagelet.web.forms.shapes import Constant, Container, Hole, Part, Rows, Shape

_OF_FILES: Mapping[Kind, tuple[str, str]] = {
    Kind.IMAGE: ("image/*", "image/png"),
    Kind.AUDIO: ("audio/*", "audio/wav"),
    Kind.FILE: ("", "application/octet-stream"),
}
_TYPES: Mapping[Kind, Schema] = {
    Kind.NUMBER: {"type": "number"},
    Kind.SLIDER: {"type": "number"},
    Kind.INTEGER: {"type": "integer"},
    Kind.SWITCH: {"type": "boolean"},
    Kind.JSON: {},
    Kind.TAGS: {"type": "array", "items": {"type": "string"}},
    Kind.DATE: {"type": "string", "format": "date"},
}


@dataclass(frozen=True, slots=True)
class _Input:
    """A field, what of the body it fills, and what that may be."""

    field: Field
    shape: Shape
    schema: Schema


def ui_draft(ui: UiSettings) -> Draft:
    """Return the draft of a form with fields of its own."""
    inputs = {each.name: _input(each) for each in ui.fields}
    content_type = ui.content_type or ""
    only = next(iter(inputs.values())).field if len(inputs) == 1 else None
    if ui.body is None and only is not None and only.kind in FILES:
        shown = content_type or _OF_FILES[only.kind][1]
        schema = {"$schema": DIALECT, "type": "string", "contentMediaType": shown}
        whole = replace(only, key=BODY, default=())
        return Draft((whole,), Constant(""), Encoding.FILE, shown, schema)
    encoding = _encoding(essence(content_type), only)
    if encoding is not Encoding.JSON:
        fields = tuple(replace(each.field, original=()) for each in inputs.values())
        schema = {"$schema": DIALECT, "type": "string"}
        return Draft(fields, Constant(""), encoding, content_type, schema)
    return _json(ui, inputs, content_type or JSON)


def _json(ui: UiSettings, inputs: Mapping[str, _Input], content_type: str) -> Draft:
    body = ui.body
    if body is None:
        body = {name: f"{{{name}}}" for name in inputs}
    is_text = isinstance(body, str) and HOLE.fullmatch(body.strip()) is None
    text = parse(body if is_text else as_text(body))
    assembly = _Assembly(inputs)
    shape, schema = assembly.part(text.root, "")
    fields = tuple(assembly.placed[name] for name in inputs)
    whole = {"$schema": DIALECT, **schema}
    return Draft(fields, shape, Encoding.JSON, content_type, whole, text.before, text.after)


class _Assembly:
    """Puts inputs into a body, at the texts that are their names in braces."""

    def __init__(self, inputs: Mapping[str, _Input]) -> None:
        self._inputs = inputs
        self.placed: dict[str, Field] = {}

    def part(self, node: Node, pointer: str) -> tuple[Shape, Schema]:
        if node.kind == "string":
            hole = HOLE.fullmatch(str(node.value()).strip())
            found = self._inputs.get(hole[1]) if hole is not None else None
            if found is not None:
                self.placed[found.field.name] = replace(found.field, pointer=pointer)
                return found.shape, found.schema
        if node.kind not in ("object", "array"):
            return Constant(node.text), {"const": node.value()}
        parts: list[Part] = []
        schemas: list[Schema] = []
        for at, each in enumerate(node.parts):
            step = each.key if node.kind == "object" else str(at)
            place = f"{pointer}/{step.replace('~', '~0').replace('/', '~1')}"
            shape, schema = self.part(each.value, place)
            parts.append(Part(each.head, shape, each.tail, key=each.key))
            schemas.append(schema)
        is_array = node.kind == "array"
        whole = Container(tuple(parts), is_array=is_array, end=node.end)
        return whole, _schema_of(node, schemas)


def _schema_of(node: Node, schemas: list[Schema]) -> Schema:
    if node.kind == "array":
        count = len(schemas)
        return {"type": "array", "prefixItems": schemas, "minItems": count, "maxItems": count}
    names = [part.key for part in node.parts]
    properties = dict(zip(names, schemas, strict=True))
    return {"type": "object", "properties": properties, "required": names}


def _encoding(content_type: str, only: Field | None) -> Encoding:
    if content_type == CSV:
        return Encoding.CSV
    if content_type == NPY and only is not None and only.kind in (Kind.GRID, Kind.NUMBERS):
        return Encoding.NPY
    is_text = content_type and content_type != JSON and not content_type.endswith("+json")
    return Encoding.TEXT if is_text and only is not None else Encoding.JSON


def _input(setting: UiField) -> _Input:
    kind = _kind(setting)
    if kind in (Kind.NUMBERS, Kind.GRID, Kind.ROWS):
        return _list(setting)
    field = Field(
        setting.name,
        kind,
        f"{KEY}.{setting.name}",
        setting.label or setting.name,
        default=_default(setting, kind),
        options=options_of(setting.options or ()),
        minimum=_number(setting.min),
        maximum=_number(setting.max),
        step=_number(setting.step),
        help=setting.help,
        placeholder=setting.placeholder,
        accept=_OF_FILES[kind][0] if kind in FILES else "",
    )
    if setting.default is not None and kind not in FILES:
        field = replace(field, original=(as_text(setting.default),))
    return _Input(field, Hole(field.key), _schema(setting, kind))


def _list(setting: UiField) -> _Input:
    """Return a field for a list of anything: what its default is like, it is like."""
    text = parse(as_text(setting.default))
    schema = learned([text.root])
    made = built(schema, text, name=setting.name)
    if len(made.fields) == 1 and isinstance(made.shape, Hole | Rows):
        label = setting.label or setting.name
        only = replace(made.fields[0], label=label, help=setting.help)
        return _Input(only, made.shape, schema)
    field = Field(setting.name, Kind.JSON, f"{KEY}.{setting.name}", setting.label or setting.name)
    token = as_text(setting.default)
    field = replace(field, default=(token,), original=(token,), help=setting.help)
    return _Input(field, Hole(field.key), schema)


def _kind(setting: UiField) -> Kind:
    if setting.secret:
        return Kind.SECRET
    if setting.type is not None:
        return Kind(setting.type)
    if setting.options is not None:
        if setting.multiple or isinstance(setting.default, list):
            return Kind.CHECKBOXES
        return Kind.RADIO if len(setting.options) <= RADIOS else Kind.SELECT
    return _kind_of_default(setting.default)


def _kind_of_default(value: object) -> Kind:
    match value:
        case bool():
            return Kind.SWITCH
        case int() | float():
            return Kind.NUMBER
        case list() if all(isinstance(each, str) for each in value):
            return Kind.TAGS
        case list():
            return Kind.ROWS
        case dict():
            return Kind.JSON
        case str() if len(value) > LONG_TEXT or "\n" in value:
            return Kind.TEXTAREA
        case _:
            return Kind.TEXT


def _default(setting: UiField, kind: Kind) -> tuple[str, ...]:
    value = setting.default
    if kind is Kind.CHECKBOXES:
        chosen = value if isinstance(value, list) else [] if value is None else [value]
        return tuple(
            option.value
            for option in options_of(setting.options or ())
            if option.token in [as_text(each) for each in chosen]
        )
    if kind in (Kind.SELECT, Kind.RADIO):
        options = options_of(setting.options or ())
        token = as_text(value)
        first = next((each.value for each in options if each.token == token), options[0].value)
        return (first,)
    if kind is Kind.TAGS:
        return ("\n".join(str(each) for each in value or ()),)
    return (_shown(value, kind),)


def _shown(value: Any, kind: Kind) -> str:  # noqa: ANN401  a default
    if kind in FILES:
        return OWN if value is not None else ""
    if value is None:
        return {Kind.SWITCH: "false", Kind.JSON: "null"}.get(kind, "")
    return value if isinstance(value, str) and kind is not Kind.JSON else as_text(value)


def _schema(setting: UiField, kind: Kind) -> Schema:
    schema = dict(_TYPES.get(kind, {"type": "string"}))
    if kind in (Kind.SELECT, Kind.RADIO):
        schema = {"enum": list(setting.options or ())}
    if kind is Kind.CHECKBOXES:
        schema = {"type": "array", "items": {"enum": list(setting.options or ())}}
    for name, value in (
        ("minimum", setting.min),
        ("maximum", setting.max),
        ("title", setting.label or None),
        ("description", setting.help or None),
        ("default", None if kind is Kind.SECRET else setting.default),
    ):
        if value is not None:
            schema[name] = value
    if kind in FILES:
        schema["contentEncoding"] = "base64"
    return schema


def _number(value: float | None) -> str:
    return "" if value is None else as_text(value)
