"""Bodies that are no JSON: CSV, NumPy's files, plain text."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from typing import TypeAlias

from sagelet.web.forms import npy
from sagelet.web.forms.fields import Field, Kind
from sagelet.web.forms.form import BadInput, Encoding, Form
from sagelet.web.forms.tokens import Unfit, cells, grid, number, unix

Typed: TypeAlias = Mapping[str, str]


def body_of(form: Form, typed: Typed) -> bytes:
    """Return the body of what is typed, by the fields' keys.

    Raises:
        BadInput: it does not fit.
    """
    field = form.fields[0]
    text = typed.get(field.key, "")
    is_untouched = len(form.fields) == 1 and unix(text) == unix("".join(field.default))
    if is_untouched and field.original:
        return field.original[0].encode()
    return _ENCODERS[form.encoding](form, typed)


def _csv(form: Form, typed: Typed) -> bytes:
    if len(form.fields) == 1 and form.fields[0].kind is Kind.GRID:
        field = form.fields[0]
        return _lines(_checked(field, typed)).encode()
    if len(form.fields) == 1:
        return _text(form, typed)
    written = io.StringIO()
    row = [_cell(field, typed.get(field.key, "")) for field in form.fields]
    csv.writer(written, lineterminator="\n").writerow(row)
    return _utf8(form.fields[0], written.getvalue())


def _npy(form: Form, typed: Typed) -> bytes:
    field = form.fields[0]
    is_flat = field.kind is Kind.NUMBERS
    rows = [cells(typed[field.key])] if is_flat else _checked(field, typed)
    try:
        checked = [[number(each) for each in row] for row in rows]
        if not checked[0]:
            raise Unfit("there are no numbers")
        return npy.write(checked, form.dtype, is_flat=is_flat)
    except (Unfit, npy.NotSimple) as error:
        raise BadInput(field.key, str(error)) from error


def _text(form: Form, typed: Typed) -> bytes:
    field = form.fields[0]
    return _utf8(field, typed.get(field.key, ""))


def _checked(field: Field, typed: Typed) -> list[list[str]]:
    try:
        return [[number(each) for each in row] for row in grid(typed.get(field.key, ""))]
    except Unfit as error:
        raise BadInput(field.key, str(error)) from error


def _lines(rows: list[list[str]]) -> str:
    return "".join(f"{','.join(row)}\n" for row in rows)


def _cell(field: Field, text: str) -> str:
    if field.kind not in (Kind.NUMBER, Kind.INTEGER, Kind.SLIDER):
        return text
    try:
        return number(text, field, is_whole=field.kind is Kind.INTEGER)
    except Unfit as error:
        raise BadInput(field.key, str(error)) from error


def _utf8(field: Field, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        problem = "it holds a broken character, which cannot be sent as UTF-8"
        raise BadInput(field.key, problem) from error


_ENCODERS: Mapping[Encoding, Callable[[Form, Typed], bytes]] = {
    Encoding.CSV: _csv,
    Encoding.NPY: _npy,
    Encoding.TEXT: _text,
}
