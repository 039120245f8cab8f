"""The public API: a prediction, and what a program needs to know to ask for one.

POST /api/v1/predict/{endpoint}
GET  /api/v1/endpoints/{endpoint}/schema, /examples, /openapi.json

`{endpoint}` is a slug, or the endpoint's name. Nothing is told of what is not public.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from ulid import ULID

from sagelet.domain.publications import Publication, Terms
from sagelet.web.access.guard import principal
from sagelet.web.access.principals import KeyHolder, Visitor
from sagelet.web.api.endpoint_forms import examples_shown, schema_shown
from sagelet.web.api.openapi import openapi_of
from sagelet.web.api.predict import REQUEST_ID, answer_of, payload_of
from sagelet.web.api.sse import unless_gone
from sagelet.web.faults import Refused
from sagelet.web.forms import Form, form_of
from sagelet.web.json_answers import JsonAnswer
from sagelet.web.public.admission import Guest
from sagelet.web.public.identity import BASE
from sagelet.web.runs import run
from sagelet.web.site import Site

_NOT_TOLD = ("x-model-version", "server-timing")


class PublicApi:
    """The public listener's part of `/api/v1`."""

    def __init__(self, site: Site) -> None:
        """Stand on the site's parts."""
        self._site = site

    def routes(self) -> Sequence[BaseRoute]:
        """Return where they are."""
        base = "/api/v1/endpoints/{name}"
        return [
            Route("/api/v1/predict/{name}", self._predict, methods=["POST"]),
            Route(f"{base}/schema", self._schema, methods=["GET"]),
            Route(f"{base}/examples", self._examples, methods=["GET"]),
            Route(f"{base}/openapi.json", self._openapi, methods=["GET"]),
        ]

    async def _predict(self, request: Request) -> Response:
        request.scope["state"][REQUEST_ID] = str(ULID())
        publication = self._admitted(request)
        # A variant and a model of several are for the owner to choose.
        payload = replace(
            payload_of(request, await request.body()), target_variant=None, target_model=None
        )
        asked = run(self._site.backend, publication.endpoint, payload, source="public")
        return answer_of(await unless_gone(request, asked), _guest(request), is_public=True)

    async def _schema(self, request: Request) -> Response:
        publication, form = await self._form(request)
        shown = schema_shown(form) | {"endpoint": publication.slug}
        return JsonAnswer({name: value for name, value in shown.items() if name != "source"})

    async def _examples(self, request: Request) -> Response:
        publication, form = await self._form(request)
        return JsonAnswer(examples_shown(form) | {"endpoint": publication.slug})

    async def _openapi(self, request: Request) -> Response:
        publication, form = await self._form(request)
        document = openapi_of(
            replace(form, endpoint=publication.slug),
            address=getattr(request.state, BASE),
            title=form.title or publication.slug,
            variants=(),
        )
        return JsonAnswer(_for_strangers(document, publication))

    def _admitted(self, request: Request) -> Publication:
        """Return what a request asks, for those who may ask it.

        Raises:
            Refused: 404 where nothing is public by that name, else as `Admission.admit`.
        """
        publication = self._site.sharing.named(request.path_params["name"])
        if publication is None:
            raise Refused(404, "there is no such model")
        self._site.public.admission.admit(publication, _guest(request))
        return publication

    async def _form(self, request: Request) -> tuple[Publication, Form]:
        publication = self._admitted(request)
        self._site.backend.host.facts(publication.endpoint)
        form = await form_of(self._site.backend, publication.endpoint, with_calls=False)
        return publication, form


def _guest(request: Request) -> Guest:
    who = principal(request)
    assert isinstance(who, KeyHolder | Visitor)
    return who


def _for_strangers(document: dict[str, Any], publication: Publication) -> dict[str, Any]:
    """Return an OpenAPI document without what only its owner is told."""
    document["info"] |= {"version": "1", "description": "Predictions of a model."}
    if publication.terms is Terms.OPEN:
        del document["security"], document["components"]["securitySchemes"]
    [path] = document["paths"].values()
    for answer in path["post"]["responses"].values():
        for name in _NOT_TOLD:
            answer.get("headers", {}).pop(name, None)
    problem = document["components"]["schemas"]["Problem"]
    known = problem["properties"].items()
    told = {name: value for name, value in known if name not in ("handler", "where")}
    document["components"]["schemas"]["Problem"] = {**problem, "properties": told}
    return document
