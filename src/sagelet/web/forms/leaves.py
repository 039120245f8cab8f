"""Which input a single value gets, and how the value is shown in it."""

from __future__ import annotations

import base64
import datetime
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sagelet.web.forms.fields import Field, Kind, Option
from sagelet.web.forms.json_text import Node, NotJson, loads
from sagelet.web.forms.learning import Schema, is_integer
from sagelet.web.forms.schemas import as_text
from sagelet.web.forms.showing import MAGIC

LONG_TEXT = 60
OWN = "own"
"""What a file input holds that still has the example's own file."""
RADIOS = 4
_MOST_OPTIONS = 1000
_SHORTEST_BASE64 = 64
_UNSHOWABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+);base64,")


class Media(NamedTuple):
    """What a text in base64 holds, and whether a data URL says so."""

    media_type: str
    is_data_url: bool


def is_plain(text: str) -> bool:
    """Tell whether a browser's text input gives a text back as it was."""
    return _UNSHOWABLE.search(text) is None


def leaf(schema: Schema, node: Node) -> Field:
    """Return a field, yet without a name, for a single value; one for JSON where nothing fits."""
    field = _by_schema(schema, node)
    shown = None if field is None else shown_as(field, node)
    if field is None or shown is None:
        return json_field(schema, node)
    return _with_words(field, schema, default=(shown,), original=(node.text,))


def json_field(schema: Schema, node: Node) -> Field:
    """Return a field that takes any JSON."""
    return _with_words(Field("", Kind.JSON), schema, default=(node.text,), original=(node.text,))


def cell(schema: Schema, nodes: Sequence[Node | None]) -> Field | None:
    """Return a column of a table, which holds a value, or none, in each row; None if it cannot."""
    first = next((node for node in nodes if node is not None), None)
    field = None if first is None else _by_schema(schema, first)
    if field is None or field.kind not in _IN_CELLS:
        return None
    if field.kind is Kind.RADIO:
        field = replace(field, kind=Kind.SELECT)
    texts = [None if node is None else shown_as(field, node) for node in nodes]
    if any(text is None for text, node in zip(texts, nodes, strict=True) if node is not None):
        return None
    if field.kind is Kind.TEXT and any(_is_long(text or "") for text in texts):
        field = replace(field, kind=Kind.TEXTAREA)
    return _with_words(
        field,
        schema,
        default=tuple(text or "" for text in texts),
        original=tuple("" if node is None else node.text for node in nodes),
    )


_IN_CELLS = frozenset(
    {Kind.TEXT, Kind.TEXTAREA, Kind.NUMBER, Kind.INTEGER, Kind.SWITCH, Kind.SELECT, Kind.RADIO}
    | {Kind.DATE}
)


def shown_as(field: Field, node: Node) -> str | None:
    """Return how an input shows a value; None if it cannot show it."""
    match field.kind:
        case Kind.SELECT | Kind.RADIO:
            return next((each.value for each in field.options if same(each.token, node.text)), None)
        case Kind.NUMBER | Kind.INTEGER | Kind.SLIDER:
            fits = node.kind == "number" and (field.kind is not Kind.INTEGER or is_integer(node))
            return node.text if fits else None
        case Kind.SWITCH:
            return node.text if node.kind == "boolean" else None
        case Kind.IMAGE | Kind.AUDIO | Kind.FILE:
            return OWN if node.kind == "string" else None
        case Kind.JSON:
            return node.text
        case _:
            return _shown_text(field, node)


def options_of(values: Sequence[object]) -> tuple[Option, ...]:
    """Return what there is to choose, values that read the same told apart."""
    options: list[Option] = []
    taken: set[str] = set()
    for value in values[:_MOST_OPTIONS]:
        token = as_text(value)
        label = value if isinstance(value, str) else token
        key = label if label not in taken and is_plain(label) else json.dumps(value)
        if key in taken:
            continue  # it stands there twice
        taken.add(key)
        options.append(Option(key, label, token))
    return tuple(options)


def same(one: str, other: str) -> bool:
    """Tell whether two texts are the same JSON; 1 and 1.0 are not, nor are 1 and true."""
    if one == other:
        return True
    try:
        left, right = loads(one), loads(other)
    except NotJson:
        return False
    return type(left) is type(right) and bool(left == right) and as_text(left) == as_text(right)


def media_of(text: str) -> Media | None:
    """Return what a text holds in base64, if it is long enough to tell."""
    if len(text) < _SHORTEST_BASE64:
        return None
    found = _DATA_URL.match(text)
    if found is not None:
        return Media(found[1], is_data_url=True)
    try:
        begin = base64.b64decode(text[:64], validate=True)
    except ValueError:
        return None
    return next(
        (Media(kind, is_data_url=False) for magic, kind in MAGIC if begin.startswith(magic)), None
    )


def kind_of_media(media_type: str) -> Kind:
    """Return the input for files of a media type."""
    top = media_type.partition("/")[0]
    return {"image": Kind.IMAGE, "audio": Kind.AUDIO}.get(top, Kind.FILE)


def _shown_text(field: Field, node: Node) -> str | None:
    if node.kind != "string":
        return None
    text = json.loads(node.text)
    if not is_plain(text) or ("\n" in text and field.kind is not Kind.TEXTAREA):
        return None
    if field.kind is Kind.DATE and text and not _is_date(text):
        return None
    return str(text)


def _by_schema(schema: Schema, node: Node) -> Field | None:
    values = schema.get("enum")
    if isinstance(values, list) and values and not any(_is_nested(each) for each in values):
        options = options_of(values)
        return Field("", Kind.RADIO if len(options) <= RADIOS else Kind.SELECT, options=options)
    match schema.get("type"):
        case "boolean":
            return Field("", Kind.SWITCH)
        case "integer" | "number" as kind:
            return _number(schema, Kind(kind))
        case "string":
            return _string(schema, node)
        case _:
            return None


def _number(schema: Schema, kind: Kind) -> Field:
    return Field(
        "",
        kind,
        minimum=_bound(schema.get("minimum", schema.get("exclusiveMinimum"))),
        maximum=_bound(schema.get("maximum", schema.get("exclusiveMaximum"))),
        step=_bound(schema.get("multipleOf")),
    )


def _bound(value: object) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return as_text(value) if is_number else ""


def _string(schema: Schema, node: Node) -> Field:
    text = json.loads(node.text) if node.kind == "string" else ""
    media = media_of(text)
    if media is None and schema.get("contentEncoding") == "base64":
        media = Media(
            str(schema.get("contentMediaType", "application/octet-stream")), is_data_url=False
        )
    if media is not None:
        kind = kind_of_media(media.media_type)
        return Field("", kind, accept=_accept(kind), is_data_url=media.is_data_url)
    if schema.get("format") == "date" or (schema.keys() <= {"type"} and _is_date(text)):
        return Field("", Kind.DATE)
    return Field("", Kind.TEXTAREA if _is_long(text) else Kind.TEXT)


def _accept(kind: Kind) -> str:
    return {Kind.IMAGE: "image/*", Kind.AUDIO: "audio/*"}.get(kind, "")


def _is_long(text: str) -> bool:
    return len(text) > LONG_TEXT or "\n" in text


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_nested(value: object) -> bool:
    return isinstance(value, Mapping | list)


def _with_words(field: Field, schema: Schema, **changes: Any) -> Field:  # noqa: ANN401  a field's
    title, text = schema.get("title"), schema.get("description")
    return replace(
        field,
        label=title if isinstance(title, str) else "",
        help=text if isinstance(text, str) else "",
        **changes,
    )
