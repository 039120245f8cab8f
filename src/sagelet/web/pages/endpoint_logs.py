"""The Logs tab of an endpoint: what the workers of all its variants printed."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sagelet.web.log_view import ENDPOINT_GROUP, download_of, log_view
from sagelet.web.pages.endpoint_frame import endpoint_page
from sagelet.web.site import Site


class EndpointLogsPages:
    """`/endpoints/{name}/logs` and `/endpoints/{name}/log.txt`."""

    def __init__(self, site: Site) -> None:
        """Stand on the site's parts."""
        self._site = site

    def routes(self) -> Sequence[BaseRoute]:
        """Return where they are."""
        return [
            Route("/endpoints/{name}/logs", self._show, methods=["GET"]),
            Route("/endpoints/{name}/log.txt", self._download, methods=["GET"]),
        ]

    async def _show(self, request: Request) -> Response:
        name = await self._site.backend.endpoint_named(request.path_params["name"])
        view = await log_view(
            self._site.backend,
            request,
            group=ENDPOINT_GROUP + name,
            download=f"/endpoints/{name}/log.txt",
        )
        return await endpoint_page(self._site, request, "endpoint/logs.html.j2", log=view)

    async def _download(self, request: Request) -> Response:
        name = await self._site.backend.endpoint_named(request.path_params["name"])
        return download_of(self._site.backend, name, group=ENDPOINT_GROUP + name)
