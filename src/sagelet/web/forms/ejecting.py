"""A form as `ui:` of a configuration file, so that what was found out can be changed by hand."""

from __future__ import annotations

import json
from typing import Any

import yaml

from sagelet.domain.media import JSON
from sagelet.web.forms.fields import FILES, Field, Kind
from sagelet.web.forms.filling import fill
from sagelet.web.forms.form import BadInput, Encoding, Form
from sagelet.web.forms.json_text import JsonText, NotJson, loads, parse
from sagelet.web.forms.reading import values_of
from sagelet.web.forms.shapes import Constant, Container, Hole, Rows, Shape
from sagelet.web.forms.tokens import grid, number

_LARGEST = 8 * 1024


def ejected(form: Form) -> str:
    """Return the YAML of `ui:` that makes a form; nothing where it would be long."""
    names = _names(form.fields)
    text = _begins_as(form)
    document: dict[str, Any] = {
        "fields": [_field(field, names[field.key], text) for field in form.fields]
    }
    if form.encoding is Encoding.JSON:
        document["body"] = _body(form.template, names)
    if form.encoding is not Encoding.JSON or form.content_type != JSON:
        document["content_type"] = form.content_type
    written = yaml.safe_dump({"ui": document}, sort_keys=False, allow_unicode=True, width=100)
    return written if len(written) <= _LARGEST else ""


def _names(fields: tuple[Field, ...]) -> dict[str, str]:
    """Return a name for each field, by its key: members of groups may share theirs."""
    names: dict[str, str] = {}
    for field in fields:
        name = field.name.translate({ord("{"): "(", ord("}"): ")"}) or "value"
        if name in names.values():
            name = field.key.partition(".")[2]
        while name in names.values():
            name += "_"
        names[field.key] = name
    return names


def _field(field: Field, name: str, text: JsonText | None) -> dict[str, Any]:
    document: dict[str, Any] = {"name": name, "type": str(field.kind)}
    if field.kind not in FILES:
        document["default"] = _default(field, text)
    if field.options:
        document["options"] = [json.loads(option.token) for option in field.options]
    for key, value in (("min", field.minimum), ("max", field.maximum), ("step", field.step)):
        if value:
            document[key] = json.loads(value)
    if field.label not in ("", field.name):
        document["label"] = field.label
    if field.help:
        document["help"] = field.help
    return document


def _default(field: Field, text: JsonText | None) -> Any:  # noqa: ANN401  any JSON
    if field.kind is Kind.ROWS and text is not None:
        return _at(text, field.pointer)
    if field.kind in (Kind.GRID, Kind.NUMBERS) and (not field.original or field.pointer == ""):
        typed = field.default[0] if field.default and field.default[0].strip() else "0"
        rows = [[json.loads(number(each)) for each in row] for row in grid(typed)]
        return rows if field.kind is Kind.GRID else rows[0]
    if field.original:
        try:
            return loads(field.original[0])
        except NotJson:
            return field.original[0]  # the text of a body that is no JSON
    return field.default[0] if field.default else None


def _at(text: JsonText, pointer: str) -> Any:  # noqa: ANN401  any JSON
    value: Any = text.root.value()
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        value = value[int(name) if isinstance(value, list) else name]
    return value


def _body(shape: Shape, names: dict[str, str]) -> Any:  # noqa: ANN401  any JSON
    match shape:
        case Constant(text):
            return loads(text)
        case Hole(key) | Rows(key):
            return f"{{{names[key]}}}"
        case Container(parts, True):
            return [_body(part.value, names) for part in parts]
        case Container(parts):
            return {part.key: _body(part.value, names) for part in parts}


def _begins_as(form: Form) -> JsonText | None:
    """Return the body that the form makes while nobody changes it."""
    if form.encoding is not Encoding.JSON:
        return None
    try:
        return parse(fill(form, values_of(form)).decode())
    except (BadInput, NotJson):
        return None  # something has to be filled in first
