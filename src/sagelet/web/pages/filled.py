"""What is filled in: from a form's values to a payload, and from a payload to values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sagelet.domain.calls import Call
from sagelet.web.forms import (
    ACCEPT,
    CONTENT_TYPE,
    BadInput,
    Form,
    Upload,
    fill,
    uploaded_type,
    values_of,
)
from sagelet.web.runs import Payload

VARIANT = "target_variant"
MODEL = "target_model"

_NO_SUCH_EXAMPLE = "There is no example {!r}: the form is filled in as usual."
_NO_SUCH_CALL = "This call is no longer in the history: the form is filled in as usual."
_BODY_GONE = "The payload of this call was not kept, for it was too large."
_REDACTED = "Values that are named like secrets were taken out of this call: put them in again."

Values: TypeAlias = dict[str, list[str | Upload]]


@dataclass(frozen=True, slots=True)
class Filled:
    """What the form shows, and what is to be said about it."""

    values: Values
    note: str = ""


def payload_of(form: Form, values: Values) -> Payload:
    """Return what a form's values send to the model.

    Raises:
        BadInput: a value does not fit its field.
    """
    return Payload(
        body=fill(form, values),
        content_type=uploaded_type(form, values)
        or one_line(values, CONTENT_TYPE)
        or form.content_type
        or None,
        accept=one_line(values, ACCEPT) or form.accept or None,
        target_variant=one_line(values, VARIANT) or None,
        target_model=one_line(values, MODEL) or None,
    )


def filled_with(
    form: Form,
    body: bytes,
    content_type: str | None,
    accept: str | None = None,
    variant: str | None = None,
    model: str | None = None,
) -> Values:
    """Return the values that show a payload."""
    told = {CONTENT_TYPE: content_type, ACCEPT: accept, VARIANT: variant, MODEL: model}
    return {**values_of(form, body), **{key: [text] for key, text in told.items() if text}}


def filled_by_example(form: Form, name: str) -> Filled:
    """Return what the form shows of one of its examples."""
    example = form.example(name)
    if example is None:
        return Filled(values_of(form), _NO_SUCH_EXAMPLE.format(name[:100]))
    return Filled(filled_with(form, example.body, example.content_type))


def filled_by_call(form: Form, call: Call | None) -> Filled:
    """Return what the form shows of a call of the history, as far as it was kept."""
    if call is None or call.body is None:
        return Filled(values_of(form), _NO_SUCH_CALL if call is None else _BODY_GONE)
    values = filled_with(
        form,
        call.body,
        call.content_type,
        call.accept,
        call.target_variant,
        call.target_model,
    )
    return Filled(values, _REDACTED if call.is_redacted else "")


def mistakes_of(form: Form | None, errors: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what is to be mended, each with its field's label."""
    fields = form.fields if form is not None else ()
    known = [*fields, *(column for each in fields for column in each.columns)]
    labels = {each.key: each.label or each.name for each in known}
    return [(labels.get(key, ""), message) for key, message in errors.items()]


def one_line(values: Values, name: str) -> str:
    """Return a field's text on one line, which a header field can carry.

    Raises:
        BadInput: it is none.
    """
    held = values.get(name) or [""]
    text = held[0] if isinstance(held[0], str) else ""
    if text and not (text.isascii() and text.isprintable()):
        raise BadInput(name, f"{name.replace('_', ' ')} is one line of ASCII")
    return text.strip()
