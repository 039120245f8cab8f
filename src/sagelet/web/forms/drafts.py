"""A form's body before anything else is known of it: from a schema, or from payloads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sagelet.domain.media import CSV, JSON, essence
from sagelet.web.forms import npy
from sagelet.web.forms.building import KEY, built
from sagelet.web.forms.fields import Field, Kind
from sagelet.web.forms.form import Encoding, Example
from sagelet.web.forms.json_text import JsonText, NotJson, parse
from sagelet.web.forms.learning import Schema, learned
from sagelet.web.forms.leaves import kind_of_media
from sagelet.web.forms.shapes import Constant, Shape
from sagelet.web.forms.tokens import Unfit, grid, number

NPY = "application/x-npy"
BODY = f"{KEY}.body"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_LARGEST_SHOWN = 256 * 1024
_MOST_NUMBERS = 20_000
_ESCAPE = re.compile(r"\\u[0-9a-fA-F]{4}")


@dataclass(frozen=True, slots=True)
class Draft:
    """Fields and the body that they make."""

    fields: tuple[Field, ...]
    shape: Shape
    encoding: Encoding
    content_type: str
    schema: Schema = field(default_factory=dict)
    before: str = ""
    after: str = ""
    is_ascii: bool = False
    dtype: str = "<f4"


def by_schema(schema: Schema, example: str | None = None, content_type: str = JSON) -> Draft:
    """Return the draft of a JSON body; it begins as the example, if that is JSON.

    Raises:
        ValueError: the schema's defaults are no JSON.
    """
    text = _parsed(example) if example is not None else None
    made = built(schema, text)
    return Draft(
        made.fields,
        made.shape,
        Encoding.JSON,
        content_type,
        {"$schema": DIALECT, **schema},
        made.before,
        made.after,
        example is not None and example.isascii() and _ESCAPE.search(example) is not None,
    )


def by_payloads(payloads: Sequence[Example]) -> tuple[Draft | None, tuple[str, ...]]:
    """Return the draft that most payloads of one kind agree on, and what was of no use."""
    problems: list[str] = []
    kinds: dict[str, list[Example]] = {}
    for payload in payloads:
        kinds.setdefault(essence(payload.content_type), []).append(payload)
    for content_type in sorted(kinds, key=lambda kind: -len(kinds[kind])):
        draft = _of_kind(content_type, kinds[content_type], problems)
        if draft is not None:
            return draft, tuple(problems)
    return None, tuple(problems)


def file_draft(content_type: str, example: str = "", accept: str = "") -> Draft:
    """Return the draft of a body that is a file; `example` is the one to begin with."""
    kind = kind_of_media(content_type)
    default = (example,) if example else ()
    shown = accept or {Kind.IMAGE: "image/*", Kind.AUDIO: "audio/*"}.get(kind, "")
    only = Field(kind.value, kind, BODY, kind.value, default=default, accept=shown)
    return Draft((only,), Constant(""), Encoding.FILE, content_type, _binary(content_type))


def text_draft(content_type: str, text: str = "", kind: Kind = Kind.TEXTAREA) -> Draft:
    """Return the draft of a body that is a text."""
    name = "csv" if kind is Kind.CSV else "text"
    only = Field(name, kind, BODY, name, default=(text,), original=(text,) if text else ())
    schema: Schema = {"$schema": DIALECT, "type": "string"}
    return Draft((only,), Constant(""), Encoding.TEXT, content_type, schema)


def _of_kind(content_type: str, payloads: list[Example], problems: list[str]) -> Draft | None:
    first = payloads[0]
    if content_type == JSON or content_type.endswith("+json"):
        return _json(content_type, payloads, problems)
    if content_type == CSV:
        return _csv(content_type, first)
    if content_type == NPY:
        return _npy(first)
    text = _text(first.body)
    if content_type.startswith("text/") and text is not None:
        return text_draft(content_type, text)
    return file_draft(content_type, first.name)


def _json(content_type: str, payloads: list[Example], problems: list[str]) -> Draft | None:
    texts: list[JsonText] = []
    first = ""
    for payload in payloads:
        text = _text(payload.body)
        try:
            if text is None:
                raise NotJson("it is too long for a form, or not UTF-8", 1, 1)
            texts.append(parse(text))
            first = first or text
        except NotJson as error:
            problems.append(f"{payload.path or payload.name} is not used: {error}")
    if not texts:
        return None
    return by_schema(learned([each.root for each in texts]), first, content_type)


def _csv(content_type: str, payload: Example) -> Draft:
    text = _text(payload.body)
    if text is None:
        return file_draft(content_type, payload.name, ".csv,text/csv")
    if not _are_numbers(text):
        return text_draft(content_type, text, Kind.CSV)
    only = Field("rows", Kind.GRID, BODY, "rows", default=(text,), original=(text,))
    schema: Schema = {"$schema": DIALECT, "type": "string"}
    return Draft((only,), Constant(""), Encoding.CSV, content_type, schema)


def _npy(payload: Example) -> Draft:
    try:
        array = npy.read(payload.body, _MOST_NUMBERS)
    except npy.NotSimple:
        return file_draft(NPY, payload.name, ".npy")
    kind = Kind.NUMBERS if array.is_flat else Kind.GRID
    text = "\n".join(", ".join(row) for row in array.rows)
    only = Field("array", kind, BODY, "array", default=(text,))
    return Draft((only,), Constant(""), Encoding.NPY, NPY, _binary(NPY), dtype=array.dtype)


def _are_numbers(text: str) -> bool:
    try:
        for row in grid(text):
            for each in row:
                number(each)
    except Unfit:
        return False
    return True


def _binary(content_type: str) -> Schema:
    return {"$schema": DIALECT, "type": "string", "contentMediaType": content_type}


def _text(body: bytes) -> str | None:
    if len(body) > _LARGEST_SHOWN:
        return None
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _parsed(text: str) -> JsonText | None:
    try:
        return parse(text)
    except NotJson:
        return None


def names_of(examples: Iterable[Example]) -> str:
    """Return the files, or the names, of a few examples."""
    names = [each.path or each.name for each in examples]
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
