"""From what is filled in to the bytes that are sent, and from bytes to what is shown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from starlette.datastructures import FormData, UploadFile

from sagelet.web.forms.encodings import body_of
from sagelet.web.forms.fields import FILES, Field, Kind, Unset, Upload, Values
from sagelet.web.forms.form import CONTENT_TYPE, MODE, RAW_FILE, RAW_TEXT, BadInput, Encoding, Form
from sagelet.web.forms.shapes import Constant, Container, Hole, Part, Rows, Shape
from sagelet.web.forms.showing import EXAMPLES_OWN, rows_of
from sagelet.web.forms.tokens import Unfit, base64_of, chosen, token_of, unix

RAW = "raw"
_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)
UNSET = "!"
"""After a field's key: whether it is left out (or null)."""


def fill(form: Form, data: Values | FormData) -> bytes:
    """Return the body that a form's values make.

    Raises:
        BadInput: a value does not fit its field, which is named.
    """
    values = submitted(data)
    if not form.fields or values.get(MODE) == [RAW]:
        return _raw(form, values)
    filled = _Filled(form, values)
    match form.encoding:
        case Encoding.FILE:
            body = filled.file(form.fields[0])
        case Encoding.JSON:
            body = (form.before + (filled.json(form.template) or "") + form.after).encode()
        case _:
            body = filled.text()
    if filled.errors:
        (key, message), *_ = filled.errors.items()
        raise BadInput(key, message, filled.errors)
    return body


def uploaded_type(form: Form, values: Values) -> str:
    """Return the media type of the file that is the body, unless somebody has said another."""
    said = [each for each in values.get(CONTENT_TYPE, ()) if isinstance(each, str)]
    if form.encoding is not Encoding.FILE or values.get(MODE) == [RAW]:
        return ""
    if said and said[0].strip() not in ("", form.content_type):
        return ""
    for each in values.get(form.fields[0].key, ()):
        if isinstance(each, Upload) and each.name and _MEDIA_TYPE.fullmatch(each.content_type):
            return each.content_type
    return ""


def submitted(data: Values | FormData) -> dict[str, list[str | Upload]]:
    """Return what a browser has submitted as values: files read, lines ended as Unix does."""
    values: dict[str, list[str | Upload]] = {}
    if isinstance(data, FormData):
        for name, held in data.multi_items():
            value = _upload(held) if isinstance(held, UploadFile) else unix(held)
            values.setdefault(name, []).append(value)
        return values
    return {name: list(held) for name, held in data.items()}


def _raw(form: Form, values: Mapping[str, Sequence[str | Upload]]) -> bytes:
    for each in (*values.get(RAW_FILE, ()), *values.get(RAW_TEXT, ())):
        if not isinstance(each, Upload):
            return _raw_text(form, each)
        if each.body or each.name:
            return each.body
    return b""


def _raw_text(form: Form, typed: str) -> bytes:
    """Return the raw editor's text, or an example's bytes if it is that example untouched."""
    for example in form.examples:
        if (shown := shown_raw(example.body)) is not None and unix(shown) == typed:
            return example.body
    try:
        return typed.encode()
    except UnicodeEncodeError as error:
        problem = "it holds a broken character, which cannot be sent as UTF-8"
        raise BadInput(RAW_TEXT, problem) from error


def shown_raw(body: bytes) -> str | None:
    """Return a body as the raw editor shows it; None if it cannot."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


class _Filled:
    """The values of a form as they become JSON; mistakes are gathered, by field."""

    def __init__(self, form: Form, values: Mapping[str, Sequence[str | Upload]]) -> None:
        self._form = form
        self._values = values
        self._fields = {field.key: field for field in form.fields}
        self._columns = {column.key: column for field in form.fields for column in field.columns}
        self._table: list[dict[str, str]] = []
        self.errors: dict[str, str] = {}

    def json(self, shape: Shape, row: int = 0) -> str | None:
        """Return the JSON of a part of the template; None where a field leaves it out."""
        match shape:
            case Constant(text):
                return text
            case Hole(key) if key in self._columns:
                return self._cell(self._columns[key], row)
            case Hole(key):
                return self._token(self._fields[key])
            case Container(parts, is_array, end):
                return _bracketed(
                    [(part, self.json(part.value, row)) for part in parts], end, is_array=is_array
                )
            case Rows():
                return self._rows(shape)

    def file(self, field: Field) -> bytes:
        """Return the file that is chosen, or the example's."""
        upload = self._upload(field)
        if upload is not None:
            return upload.body
        (name,) = self._texts(field.key + EXAMPLES_OWN)[:1] or [""]
        example = self._form.example(name) if name else None
        if example is None:
            self.errors[field.key] = "choose a file"
            return b""
        return example.body

    def text(self) -> bytes:
        """Return a body that is no JSON."""
        typed = {field.key: "\n".join(self._texts(field.key)) for field in self._form.fields}
        try:
            return body_of(self._form, typed)
        except BadInput as error:
            self.errors.update(error.errors)
            return b""

    def _token(self, field: Field) -> str | None:
        typed = self._texts(field.key)
        if field.kind in FILES:
            return self._file_token(field)
        if field.kind is not Kind.CHECKBOXES and not typed:
            typed = ["false"] if field.kind is Kind.SWITCH else [""]
        if self._is_unset(field, typed):
            return None if field.unset is Unset.OMIT else "null"
        if field.original and _is_same(typed, field):
            return field.original[0]
        try:
            if field.kind is Kind.CHECKBOXES:
                return chosen(field, typed)
            return token_of(field, typed[-1], is_ascii=self._form.is_ascii)
        except Unfit as error:
            self.errors[field.key] = str(error)
            return "null"

    def _is_unset(self, field: Field, typed: Sequence[str]) -> bool:
        if field.unset is Unset.KEEP:
            return False
        return bool(self._texts(field.key + UNSET)) or (
            field.kind not in (Kind.TEXT, Kind.TEXTAREA, Kind.CHECKBOXES, Kind.TAGS)
            and not any(each.strip() for each in typed)
        )

    def _file_token(self, field: Field) -> str | None:
        upload = self._upload(field)
        if upload is not None:
            return base64_of(field, upload)
        if field.unset is not Unset.KEEP and self._texts(field.key + UNSET):
            return None if field.unset is Unset.OMIT else "null"
        if field.original and self._texts(field.key + EXAMPLES_OWN):
            return field.original[0]
        if field.unset is not Unset.KEEP:
            return None if field.unset is Unset.OMIT else "null"
        self.errors[field.key] = "choose a file"
        return "null"

    def _rows(self, rows: Rows) -> str:
        field = self._fields[rows.field]
        keys = [column.key for column in field.columns]
        cells = rows_of(field, self._values)
        self._table = [dict(zip(keys, row, strict=True)) for row in cells]
        written = []
        for at in range(len(cells)):
            part = rows.items[min(at, len(rows.items) - 1)]
            head = part.head if at < len(rows.items) else rows.head
            written.append((Part(head, part.value, part.tail), self.json(part.value, at)))
        return _bracketed(written, rows.end, is_array=True) or "[]"

    def _cell(self, column: Field, row: int) -> str | None:
        value = self._table[row][column.key]
        if row < len(column.default) and value == column.default[row] and column.original[row]:
            return column.original[row]
        if not value and column.unset is not Unset.KEEP:
            return None if column.unset is Unset.OMIT else "null"
        try:
            return token_of(column, value, is_ascii=self._form.is_ascii)
        except Unfit as error:
            self.errors.setdefault(column.key, f"row {row + 1}: {error}")
            return "null"

    def _texts(self, key: str) -> list[str]:
        return [each for each in self._values.get(key, ()) if isinstance(each, str)]

    def _upload(self, field: Field) -> Upload | None:
        files = [each for each in self._values.get(field.key, ()) if isinstance(each, Upload)]
        return next((each for each in files if each.name or each.body), None)


def _bracketed(written: Sequence[tuple[Part, str | None]], end: str, *, is_array: bool) -> str:
    inner = ",".join(part.head + text + part.tail for part, text in written if text is not None)
    return f"[{inner}{end}]" if is_array else f"{{{inner}{end}}}"


def _is_same(typed: Sequence[str], field: Field) -> bool:
    return [unix(each) for each in typed] == [unix(each) for each in field.default]


def _upload(file: UploadFile) -> Upload:
    file.file.seek(0)  # whoever looked at it before may have left it at its end
    return Upload(file.filename or "", file.file.read(), file.content_type or "")
