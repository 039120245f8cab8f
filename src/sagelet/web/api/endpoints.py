"""What is known of endpoints: those there are, and how each of them serves."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sagelet.web.access.guard import require_owner
from sagelet.web.api.documents import plain
from sagelet.web.site import Site


class EndpointsApi:
    """`/api/v1/endpoints`."""

    def __init__(self, site: Site) -> None:
        """Stand on the site's parts."""
        self._site = site

    def routes(self) -> Sequence[BaseRoute]:
        """Return where they are."""
        return [Route("/api/v1/endpoints/{name}", self._facts, methods=["GET"])]

    async def _facts(self, request: Request) -> Response:
        require_owner(request)
        return JSONResponse(plain(self._site.backend.host.facts(request.path_params["name"])))
