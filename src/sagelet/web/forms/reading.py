"""From a body to what a form's inputs hold: the way back of filling it in."""

from __future__ import annotations

import csv
import io

from sagelet.web.forms import npy
from sagelet.web.forms.fields import FILES, Field, Kind, Unset, Upload
from sagelet.web.forms.filling import RAW, UNSET, fill, shown_raw
from sagelet.web.forms.form import ACCEPT, CONTENT_TYPE, MODE, RAW_TEXT, BadInput, Encoding, Form
from sagelet.web.forms.json_text import Node, NotJson, loads, parse
from sagelet.web.forms.leaves import OWN, same, shown_as
from sagelet.web.forms.lists import shown_list
from sagelet.web.forms.shapes import Constant, Container, Hole, Rows, Shape
from sagelet.web.forms.showing import EXAMPLES_OWN

_MOST_CELLS = 20_000
Shown = dict[str, list[str | Upload]]


class _Unlike(Exception):
    """A body that does not have the form's shape."""


def values_of(form: Form, body: bytes | None = None) -> Shown:
    """Return what a form's inputs hold for a body; without one, what they begin with.

    A body of another shape is in the raw editor, and the raw editor is what counts. What a secret
    field held is not shown again.
    """
    values: Shown = {MODE: ["form"], CONTENT_TYPE: [form.content_type], ACCEPT: [form.accept]}
    if not form.fields:
        return {**values, MODE: [RAW], RAW_TEXT: [shown_raw(body or b"") or ""]}
    own = _defaults(form)
    if body is None or _makes(form, own, body):
        return {**values, **own, RAW_TEXT: [_text_of(form, own)]}
    try:
        found = _read(form, body)
    except (_Unlike, NotJson, npy.NotSimple, UnicodeDecodeError, BadInput):
        return {**values, **own, MODE: [RAW], RAW_TEXT: [shown_raw(body) or ""]}
    secrets = [field.key for field in form.fields if field.kind is Kind.SECRET]
    if secrets:
        found |= {key: [""] for key in secrets}
        return {**values, **found, RAW_TEXT: [_text_of(form, found)]}
    return {**values, **found, RAW_TEXT: [shown_raw(body) or ""]}


def _makes(form: Form, values: Shown, body: bytes) -> bool:
    try:
        return fill(form, values) == body
    except BadInput:
        return False


def _text_of(form: Form, values: Shown) -> str:
    try:
        return shown_raw(fill(form, values)) or ""
    except BadInput:
        return ""  # something has to be filled in first


def _defaults(form: Form) -> Shown:
    values: Shown = {}
    for field in form.fields:
        _begin(values, field)
        for column in field.columns:
            values[column.key] = list(column.default)
    return values


def _begin(values: Shown, field: Field) -> None:
    if field.kind in FILES:
        if field.default:
            values[field.key + EXAMPLES_OWN] = list(field.default)
    elif field.kind is not Kind.ROWS:
        values[field.key] = list(field.default)
    if field.unset is not Unset.KEEP and not field.default:
        values[field.key + UNSET] = ["on"]


def _read(form: Form, body: bytes) -> Shown:
    match form.encoding:
        case Encoding.JSON:
            reader = _Reader(form)
            reader.read(form.template, parse(body.decode()).root)
            if not _is_same_value(fill(form, reader.values), body):
                raise _Unlike
            return reader.values
        case Encoding.FILE:
            name = next((each.name for each in form.examples if each.body == body), None)
            if name is None:
                raise _Unlike
            return {form.fields[0].key + EXAMPLES_OWN: [name]}
        case Encoding.NPY:
            array = npy.read(body, _MOST_CELLS)
            if array.is_flat != (form.fields[0].kind is Kind.NUMBERS) or array.dtype != form.dtype:
                raise _Unlike
            return {form.fields[0].key: ["\n".join(", ".join(row) for row in array.rows)]}
        case Encoding.CSV if len(form.fields) > 1:
            return _cells(form, body.decode())
        case Encoding.CSV | Encoding.TEXT:
            values: Shown = {form.fields[0].key: [body.decode()]}
            if not _makes(form, values, body):
                raise _Unlike
            return values


def _cells(form: Form, text: str) -> Shown:
    rows = list(csv.reader(io.StringIO(text)))
    if len(rows) != 1 or len(rows[0]) != len(form.fields):
        raise _Unlike
    return {field.key: [cell] for field, cell in zip(form.fields, rows[0], strict=True)}


def _is_same_value(one: bytes, other: bytes) -> bool:
    left, right = loads(one.decode()), loads(other.decode())
    return bool(left == right)


class _Reader:
    """Walks a body beside the template, and notes what each input would have to hold."""

    def __init__(self, form: Form) -> None:
        self.values: Shown = {}
        self._fields = {field.key: field for field in form.fields}
        self._columns = {column.key: column for field in form.fields for column in field.columns}

    def read(self, shape: Shape, node: Node) -> None:
        match shape:
            case Constant(text):
                if not same(text, node.text):
                    raise _Unlike
            case Hole(key) if key in self._columns:
                self._cell(self._columns[key], node)
            case Hole(key):
                self._field(self._fields[key], node)
            case Container(is_array=True):
                self._array(shape, node)
            case Container():
                self._object(shape, node)
            case Rows():
                self._rows(shape, node)

    def _array(self, shape: Container, node: Node) -> None:
        if node.kind != "array" or len(node.parts) != len(shape.parts):
            raise _Unlike
        for part, item in zip(shape.parts, node.parts, strict=True):
            self.read(part.value, item.value)

    def _object(self, shape: Container, node: Node) -> None:
        known = {part.key for part in shape.parts}
        if node.kind != "object" or node.has_twins or any(p.key not in known for p in node.parts):
            raise _Unlike
        for part in shape.parts:
            found = node.member(part.key)
            if found is not None:
                self.read(part.value, found)
            elif part.field in self._columns:
                self.values.setdefault(part.field, []).append("")
            elif part.field:
                self.values[part.field + UNSET] = ["on"]
            else:
                raise _Unlike

    def _rows(self, rows: Rows, node: Node) -> None:
        if node.kind != "array":
            raise _Unlike
        for column in self._fields[rows.field].columns:
            self.values[column.key] = []
        for item in node.parts:
            self.read(rows.items[-1].value, item.value)

    def _cell(self, column: Field, node: Node) -> None:
        is_null = node.kind == "null" and column.unset is Unset.NULL
        shown = "" if is_null else shown_as(column, node)
        if shown is None:
            raise _Unlike
        self.values.setdefault(column.key, []).append(shown)

    def _field(self, field: Field, node: Node) -> None:
        if node.kind == "null" and field.unset is Unset.NULL:
            self.values[field.key + UNSET] = ["on"]
            return
        if field.kind in FILES:
            if not field.original or not same(field.original[0], node.text):
                raise _Unlike
            self.values[field.key + EXAMPLES_OWN] = [OWN]
            return
        shown = shown_list(field, node)
        if shown is None:
            raise _Unlike
        self.values[field.key] = [*shown]
