"""What is known of endpoints: those there are, and how each of them serves.

GET /api/v1/endpoints?limit=N&next=TOKEN
GET /api/v1/endpoints/{name}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sagelet.domain.facts import EndpointFacts
from sagelet.errors import EndpointNotInService
from sagelet.web.access.guard import require_owner
from sagelet.web.api.asked import page_of
from sagelet.web.api.documents import plain
from sagelet.web.json_answers import JsonAnswer
from sagelet.web.site import Site


class EndpointsApi:
    """`/api/v1/endpoints`."""

    def __init__(self, site: Site) -> None:
        """Stand on the site's parts."""
        self._site = site

    def routes(self) -> Sequence[BaseRoute]:
        """Return where they are."""
        return [
            Route("/api/v1/endpoints", self._list, methods=["GET"]),
            Route("/api/v1/endpoints/{name}", self._facts, methods=["GET"]),
        ]

    async def _list(self, request: Request) -> Response:
        require_owner(request)
        page = await self._site.backend.call("sagemaker", "ListEndpoints", **page_of(request))
        endpoints = [self._shown(each) for each in page["Endpoints"]]
        return JsonAnswer({"endpoints": endpoints, "next": page.get("NextToken")})

    async def _facts(self, request: Request) -> Response:
        require_owner(request)
        return JsonAnswer(plain(self._site.backend.host.facts(request.path_params["name"])))

    def _shown(self, summary: Mapping[str, Any]) -> dict[str, Any]:
        name = summary["EndpointName"]
        address = self._site.backend.address
        return {
            "name": name,
            "status": summary["EndpointStatus"],
            "created_at": plain(summary["CreationTime"]),
            "changed_at": plain(summary["LastModifiedTime"]),
            "predict_url": f"{address}/api/v1/predict/{quote(name)}",
            "page_url": f"{address}/endpoints/{quote(name)}",
            "facts": plain(self._known(name)),
        }

    def _known(self, name: str) -> EndpointFacts | None:
        try:
            return self._site.backend.host.facts(name)
        except EndpointNotInService:
            return None
