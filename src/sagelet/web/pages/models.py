"""Models: what each is made of, what a check finds in it, and which endpoints serve it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sagelet.artifacts.files import Uri
from sagelet.artifacts.uris import parse_uri
from sagelet.control.context import Document
from sagelet.errors import InvalidRequest, KeyNotFound, ModelDataMissing
from sagelet.web.faults import Refused
from sagelet.web.job_view import masked
from sagelet.web.model_checks import ModelChecks
from sagelet.web.names import visible
from sagelet.web.pages.endpoint_models import models_of
from sagelet.web.rendering import FRAGMENT
from sagelet.web.site import Site
from sagelet.web.trees import Trees

A_PAGE = 25
_ENDPOINTS_A_CALL = 100
_ENDPOINTS_AT_MOST = 1000
_LONGEST_NAME = 63


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model in the list, and the endpoints that serve it."""

    name: str
    created_at: Any
    endpoints: Sequence[str]


class ModelsPages:
    """`/models` and `/models/{name}`, with `?file=NAME` for one of its files."""

    def __init__(self, site: Site) -> None:
        """Stand on the site's parts."""
        self._site = site
        self._trees = Trees(site.backend.artifacts)
        self._checks = ModelChecks(site.backend.artifacts, site.backend.home.root)

    def routes(self) -> Sequence[BaseRoute]:
        """Return where they are."""
        return [
            Route("/models", self._list, methods=["GET"]),
            Route("/models/{name}", self._show, methods=["GET"]),
        ]

    async def _list(self, request: Request) -> Response:
        wanted = request.query_params.get("q", "").strip()[:_LONGEST_NAME]
        asked: dict[str, Any] = {"MaxResults": A_PAGE}
        asked |= {"NameContains": wanted} if wanted else {}
        token = request.query_params.get("after")
        asked |= {"NextToken": token} if token else {}
        page, serving = await asyncio.gather(
            self._site.backend.call("sagemaker", "ListModels", **asked), self._serving()
        )
        following = page.get("NextToken")
        return self._site.rendering.page(
            request,
            "models.html.j2",
            wanted=wanted,
            models=[
                ModelRow(
                    each["ModelName"], each["CreationTime"], serving.get(each["ModelName"], [])
                )
                for each in page["Models"]
            ],
            next=f"/models?{urlencode({'q': wanted, 'after': following})}" if following else None,
        )

    async def _show(self, request: Request) -> Response:
        name = request.path_params["name"]
        model = await self._site.backend.call("sagemaker", "DescribeModel", ModelName=name)
        containers: Sequence[Document] = model.get("Containers", ())
        container: Document = model.get("PrimaryContainer") or next(iter(containers), {})
        context: dict[str, Any] = {
            "model": model,
            "container": container,
            "environment": masked(container.get("Environment", {})),
        }
        uri = _uri_of(container)
        wanted = request.headers.get(FRAGMENT)
        if wanted in (None, "model_check"):
            context |= await self._checked(uri, container)
        if wanted in (None, "model_endpoints"):
            context["endpoints"] = (await self._serving()).get(model["ModelName"], [])
        if wanted is None:
            context |= await self._contents(request, uri)
        return self._site.rendering.page(request, "model.html.j2", **context)

    async def _contents(self, request: Request, uri: Uri | None) -> dict[str, Any]:
        if uri is None:
            return {"listing": None, "preview": None}
        file = request.query_params.get("file", "")
        try:
            listing = await asyncio.to_thread(self._trees.listing, uri)
            preview = await asyncio.to_thread(self._trees.preview, uri, file) if file else None
        except ModelDataMissing:
            return {"listing": None, "preview": None}
        except KeyNotFound as error:
            raise Refused(404, f"the model has no readable file {visible(file)}") from error
        return {"listing": listing, "preview": preview}

    async def _checked(self, uri: Uri | None, container: Mapping[str, Any]) -> dict[str, Any]:
        program = container.get("Environment", {}).get("SAGEMAKER_PROGRAM", "")
        if uri is None:
            return {"report": None, "is_checking": False}
        try:
            report = await self._checks.report(uri, program)
        except ModelDataMissing:
            return {"report": None, "is_checking": False}
        return {"report": report, "is_checking": report is None}

    async def _serving(self) -> dict[str, list[str]]:
        """Return the endpoints that serve each model."""
        names = await self._endpoints()
        found: dict[str, list[str]] = defaultdict(list)
        for name, models in zip(
            names,
            await asyncio.gather(*(models_of(self._site.backend, name) for name in names)),
            strict=True,
        ):
            for model in models:
                found[model].append(name)
        return found

    async def _endpoints(self) -> Sequence[str]:
        names: list[str] = []
        asked: dict[str, Any] = {"MaxResults": _ENDPOINTS_A_CALL}
        while len(names) < _ENDPOINTS_AT_MOST:
            page = await self._site.backend.call("sagemaker", "ListEndpoints", **asked)
            names += [each["EndpointName"] for each in page["Endpoints"]]
            if "NextToken" not in page:
                break
            asked["NextToken"] = page["NextToken"]
        return names


def _uri_of(container: Mapping[str, Any]) -> Uri | None:
    text = container.get("ModelDataUrl")
    if not text:
        return None
    try:
        return parse_uri(text)
    except InvalidRequest:
        return None
