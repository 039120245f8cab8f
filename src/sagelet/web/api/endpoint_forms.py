"""What an endpoint takes, for programs: schema, examples, openapi.json, and calls to paste.

GET  /api/v1/endpoints/{name}/schema
GET  /api/v1/endpoints/{name}/examples
GET  /api/v1/endpoints/{name}/openapi.json
POST /api/v1/endpoints/{name}/snippets?accept=&variant=&model=      the body is the call's

An API key that is good for the endpoint may read the first three.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sagelet.domain.media import OCTETS
from sagelet.web.access.guard import may_predict, require_owner
from sagelet.web.access.principals import Owner
from sagelet.web.api.documents import bytes_shown, plain
from sagelet.web.json_answers import JsonAnswer
from sagelet.web.site import Site
from sagelet.web.snippets import Called, snippets_of

if TYPE_CHECKING:
    from sagelet.web.forms import Form


class EndpointFormsApi:
    """`/api/v1/endpoints/{name}/…`."""

    def __init__(self, site: Site) -> None:
        """Stand on the site's parts."""
        self._site = site

    def routes(self) -> Sequence[BaseRoute]:
        """Return where they are."""
        base = "/api/v1/endpoints/{name}"
        return [
            Route(f"{base}/schema", self._schema, methods=["GET"]),
            Route(f"{base}/examples", self._examples, methods=["GET"]),
            Route(f"{base}/openapi.json", self._openapi, methods=["GET"]),
            Route(f"{base}/snippets", self._snippets, methods=["POST"]),
        ]

    async def _schema(self, request: Request) -> Response:
        return JsonAnswer(schema_shown(await self._form(request)))

    async def _examples(self, request: Request) -> Response:
        return JsonAnswer(examples_shown(await self._form(request)))

    async def _openapi(self, request: Request) -> Response:
        from sagelet.web.api.openapi import openapi_of  # noqa: PLC0415  it needs the forms

        form = await self._form(request)
        facts = self._site.backend.host.facts(form.endpoint)
        document = openapi_of(
            form,
            address=self._site.backend.address,
            title=form.title or form.endpoint,
            variants=[each.variant for each in facts.variants],
        )
        return JsonAnswer(plain(document))

    async def _snippets(self, request: Request) -> Response:
        require_owner(request)
        asked = request.query_params
        called = Called(
            address=self._site.backend.address,
            endpoint=await self._site.backend.endpoint_named(request.path_params["name"]),
            body=await request.body(),
            content_type=request.headers.get("content-type", OCTETS),
            accept=asked.get("accept", ""),
            variant=asked.get("variant", ""),
            model=asked.get("model", ""),
        )
        return JsonAnswer(
            {
                "file": called.file if called.text is None else None,
                "snippets": plain(snippets_of(called)),
            }
        )

    async def _form(self, request: Request) -> Form:
        """Return the form of the endpoint that is asked for, for those who may ask it.

        Raises:
            Refused: they may not.
            EndpointNotInService: there is none, or it does not serve (yet).
        """
        name = request.path_params["name"]
        who = may_predict(request, name)
        # Forms need libraries that a daemon which nobody looks at does without.
        from sagelet.web.forms import form_of  # noqa: PLC0415

        self._site.backend.host.facts(name)
        form = await form_of(self._site.backend, name)
        if form.source.kind == "traffic" and not isinstance(who, Owner):
            # What others have sent is nobody's business but the owner's.
            return replace(form, examples=(), schema={})
        return form


def schema_shown(form: Form) -> dict[str, Any]:
    """Return what an endpoint takes."""
    return {
        "endpoint": form.endpoint,
        "content_type": form.content_type,
        "content_types": list(form.content_types),
        "accept": form.accept,
        "source": {"kind": form.source.kind, "text": form.source.text},
        "schema": plain(form.schema),
    }


def examples_shown(form: Form) -> dict[str, Any]:
    """Return the payloads that came with an endpoint's model."""
    examples = [
        {
            "name": each.name,
            "title": each.title,
            "content_type": each.content_type,
            "body": bytes_shown(each.body),
        }
        for each in form.examples
    ]
    return {"endpoint": form.endpoint, "examples": examples}
