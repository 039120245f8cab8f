"""Where a form's fields come from: the sources, one after the other, until one has an answer."""

from __future__ import annotations

from sagelet.domain.media import JSON
from sagelet.web.backend import Backend
from sagelet.web.forms.form import Encoding, Form, InferenceSource, SourceKind
from sagelet.web.forms.shapes import Constant


async def form_of(backend: Backend, endpoint: str) -> Form:  # noqa: ARG001  sources come next
    """Return the form of an endpoint, from the first source that knows what its model takes."""
    source = InferenceSource(SourceKind.FREE, "a free one: nothing says what the model takes")
    return Form(endpoint, (), Constant(""), Encoding.TEXT, JSON, JSON, source)
