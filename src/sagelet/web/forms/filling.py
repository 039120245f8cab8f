"""From what is filled in to the bytes that are sent."""

from __future__ import annotations

from starlette.datastructures import FormData, UploadFile

from sagelet.web.forms.form import CONTENT_TYPE, MODE, RAW_TEXT, Form, Upload, Values


def fill(form: Form, data: Values | FormData) -> bytes:  # noqa: ARG001  the fields come next
    """Return the body that a form's values make.

    Raises:
        BadInput: a value does not fit its field; it names the field.
    """
    text = (submitted(data).get(RAW_TEXT) or [""])[0]
    return text.body if isinstance(text, Upload) else text.encode()


def submitted(data: Values | FormData) -> dict[str, list[str | Upload]]:
    """Return what a browser has submitted as values, files read."""
    if not isinstance(data, FormData):
        return {name: list(held) for name, held in data.items()}
    values: dict[str, list[str | Upload]] = {}
    for name, held in data.multi_items():
        values.setdefault(name, []).append(_upload(held) if isinstance(held, UploadFile) else held)
    return values


def values_of(form: Form, body: bytes | None = None) -> dict[str, list[str | Upload]]:
    """Return what a form shows: a body, as raw text where it does not fit; or the defaults."""
    text = (body or b"").decode(errors="replace")
    return {MODE: ["raw"], RAW_TEXT: [text], CONTENT_TYPE: [form.content_type]}


def _upload(file: UploadFile) -> Upload:
    return Upload(file.filename or "", file.file.read(), file.content_type or "")
