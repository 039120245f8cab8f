"""An endpoint's API tab: where it is asked, with what key, and the very call to paste.

GET  /endpoints/{name}/api            for the form's own body; `?ex=NAME` for an example's
POST /endpoints/{name}/api            for the body that is filled in
GET  /endpoints/{name}/api/example    an example's body, as a file
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sagelet.domain.media import JSON, OCTETS
from sagelet.web.access.guard import checked_form
from sagelet.web.api.statuses import ERRORS
from sagelet.web.downloads import attachment
from sagelet.web.faults import Refused
from sagelet.web.forms import BadInput, Example, Form, fill, form_of, values_of
from sagelet.web.pages.endpoint_frame import endpoint_page, facts_of
from sagelet.web.site import Site
from sagelet.web.snippets import KEY_VARIABLE, Called, snippets_of

FIELDS = ("content_type", "accept", "target_variant", "target_model")
_LONGEST = 255


@dataclass(frozen=True, slots=True)
class Filled:
    """What the tab's form holds; `example` is one whose body is no text that could be edited."""

    body: bytes
    content_type: str
    accept: str = ""
    target_variant: str = ""
    target_model: str = ""
    example: str = ""

    @property
    def text(self) -> str | None:
        """The body as it can be edited."""
        try:
            return None if self.example else self.body.decode("utf-8")
        except UnicodeDecodeError:
            return None


class EndpointApiPages:
    """`/endpoints/{name}/api`."""

    def __init__(self, site: Site) -> None:
        """Stand on the site's parts."""
        self._site = site

    def routes(self) -> Sequence[BaseRoute]:
        """Return where they are."""
        base = "/endpoints/{name}/api"
        return [
            Route(base, self._show, methods=["GET"]),
            Route(base, self._fill, methods=["POST"]),
            Route(f"{base}/example", self._example, methods=["GET"]),
        ]

    async def _show(self, request: Request) -> Response:
        form = await self._form(request)
        wanted = request.query_params.get("ex")
        if wanted is None:
            return await self._page(request, form, _usual(form))
        example = _found(form, wanted)
        return await self._page(request, form, _of_example(form, example))

    async def _fill(self, request: Request) -> Response:
        data = await checked_form(request, max_field_bytes=self._site.backend.max_body_bytes)
        form = await self._form(request)
        given = {name: _line(data.get(name)) for name in FIELDS}
        wanted = data.get("ex")
        body, example = data.get("body"), ""
        if isinstance(wanted, str) and wanted:
            found = _found(form, wanted)
            content, example = found.body, found.name
        else:
            # A browser sends each end of a line as CR LF, whatever was typed or pasted.
            text = body if isinstance(body, str) else ""
            content = text.replace("\r\n", "\n").encode("utf-8", "replace")
        given["content_type"] = given["content_type"] or form.content_type or OCTETS
        return await self._page(request, form, Filled(content, **given, example=example))

    async def _example(self, request: Request) -> Response:
        example = _found(await self._form(request), request.query_params.get("ex", ""))
        called = Called("", "", example.body, example.content_type)
        return Response(example.body, headers=attachment(called.file), media_type=OCTETS)

    async def _form(self, request: Request) -> Form:
        return await form_of(self._site.backend, request.path_params["name"])

    async def _page(self, request: Request, form: Form, filled: Filled) -> Response:
        facts = facts_of(self._site, form.endpoint)
        called = Called(
            address=self._site.backend.address,
            endpoint=form.endpoint,
            body=filled.body,
            content_type=filled.content_type,
            accept=filled.accept,
            variant=filled.target_variant,
            model=filled.target_model,
        )
        return await endpoint_page(
            self._site,
            request,
            "endpoint/api.html.j2",
            form=form,
            filled=filled,
            example=filled.example or request.query_params.get("ex", ""),
            called=called,
            snippets=snippets_of(called),
            variants=[each.variant for each in facts.variants] if facts is not None else [],
            errors=ERRORS,
            key_variable=KEY_VARIABLE,
        )


def _usual(form: Form) -> Filled:
    """Return what the form sends if nobody touches it."""
    try:
        body = fill(form, values_of(form))
    except BadInput:
        # Something has to be filled in first: an example shows best what it may be.
        if form.examples:
            return _of_example(form, form.examples[0])
        body = b""
    accept = "" if form.accept == JSON else form.accept
    filled = Filled(body, form.content_type or OCTETS, accept)
    if filled.text is None and form.examples:
        return _of_example(form, form.examples[0])
    return filled


def _of_example(form: Form, example: Example) -> Filled:
    accept = "" if form.accept == JSON else form.accept
    filled = Filled(example.body, example.content_type, accept)
    if filled.text is not None:
        return filled
    return Filled(example.body, example.content_type, accept, example=example.name)


def _found(form: Form, name: str) -> Example:
    example = form.example(name)
    if example is None:
        raise Refused(404, f"{form.endpoint} has no example {name[:100]!r}")
    return example


def _line(value: object) -> str:
    """Return what was filled in as one line that a header field can carry."""
    text = value.strip() if isinstance(value, str) else ""
    if len(text) > _LONGEST or not (text.isascii() and (text.isprintable() or not text)):
        raise Refused(400, f"a type, a variant or a model is one line of ASCII, not {text[:40]!r}")
    return text
