"""What a page needs of a form besides its fields: groups, rows, pictures, the template."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sagelet.web.forms.fields import FILES, Field, Kind, Values
from sagelet.web.forms.shapes import Constant, Container, Hole, Part, Rows, Shape

if TYPE_CHECKING:
    from sagelet.web.forms.form import Form

MORE = "+"
"""After a column's key: cells of the empty rows that a page without scripts offers."""
EXAMPLES_OWN = "@"
"""After a file field's key: the example whose file is sent while none is chosen."""

_LARGEST_PICTURE = 256 * 1024
_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"})
_SOUNDS = frozenset({"audio/wav", "audio/mpeg", "audio/flac", "audio/ogg"})


def groups_of(fields: Sequence[Field]) -> Iterator[tuple[str, list[Field]]]:
    """Yield fields that stand together, with the name of their group, which may be empty."""
    for group, members in itertools.groupby(fields, key=lambda field: field.group):
        yield group, list(members)


def rows_of(field: Field, values: Values) -> list[list[str]]:
    """Return a table's cells, row by row, and then those of the spare rows that were used."""
    return [*_cells(field, values, ""), *filter(any, _cells(field, values, MORE))]


def preview_of(form: Form, field: Field, values: Values) -> str:
    """Return the picture or the sound that a file input begins with, as a data URL; or nothing."""
    chosen = [each for each in values.get(field.key + EXAMPLES_OWN, ()) if isinstance(each, str)]
    if not chosen or field.kind not in FILES:
        return ""
    if field.original:
        text = str(json.loads(field.original[0]))
        url = text if field.is_data_url else _url(base64.b64decode(text), form.content_type)
    else:
        example = form.example(chosen[0])
        url = "" if example is None else _url(example.body, example.content_type)
    kind = url.removeprefix("data:").partition(";")[0]
    return url if kind in _PICTURES | _SOUNDS and len(url) <= 2 * _LARGEST_PICTURE else ""


def for_browser(form: Form) -> dict[str, Any]:
    """Return what the page's script needs to show the bytes that are sent."""
    return {
        "encoding": str(form.encoding),
        "before": form.before,
        "after": form.after,
        "isAscii": form.is_ascii,
        "dtype": form.dtype,
        "shape": _shape(form.template),
        "fields": [_field(field) for field in form.fields],
    }


def _cells(field: Field, values: Values, suffix: str) -> list[list[str]]:
    columns = [
        [each for each in values.get(column.key + suffix, ()) if isinstance(each, str)]
        for column in field.columns
    ]
    rows = itertools.zip_longest(*columns, fillvalue="")
    return [list(row) for row in rows]


def _field(field: Field) -> dict[str, Any]:
    return {
        "key": field.key,
        "kind": str(field.kind),
        "default": list(field.default),
        "original": [] if field.kind in FILES else list(field.original),
        "unset": str(field.unset),
        "options": {option.value: option.token for option in field.options},
        "minimum": field.minimum,
        "maximum": field.maximum,
        "isSecret": field.kind is Kind.SECRET,
        "columns": [_field(column) for column in field.columns],
    }


def _shape(shape: Shape) -> dict[str, Any]:
    match shape:
        case Constant(text):
            return {"is": "constant", "text": text}
        case Hole(key):
            return {"is": "hole", "field": key}
        case Container(parts, is_array, end):
            kind = "array" if is_array else "object"
            return {"is": kind, "parts": [_part(part) for part in parts], "end": end}
        case Rows(key, items, end, head):
            rows = [_part(part) for part in items]
            return {"is": "rows", "field": key, "parts": rows, "end": end, "head": head}


def _part(part: Part) -> dict[str, Any]:
    return {
        "head": part.head,
        "tail": part.tail,
        "key": part.key,
        "field": part.field,
        "value": _shape(part.value),
    }


def _url(body: bytes, content_type: str) -> str:
    if content_type not in _PICTURES | _SOUNDS or len(body) > _LARGEST_PICTURE:
        content_type = _magic(body)
    if len(body) > _LARGEST_PICTURE or not content_type:
        return ""
    return f"data:{content_type};base64,{base64.b64encode(body).decode()}"


def _magic(body: bytes) -> str:
    return next((kind for begin, kind in MAGIC if body.startswith(begin)), "")


MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
    (b"RIFF", "audio/wav"),
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
    (b"%PDF-", "application/pdf"),
)
"""How files begin, and what they are."""
