"""`POST /api/v1/jobs/{name}/kill`: end a training job without its grace."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sagelet.web.access.guard import require_owner
from sagelet.web.site import Site


class JobsApi:
    """`/api/v1/jobs`."""

    def __init__(self, site: Site) -> None:
        """Stand on the site's parts."""
        self._site = site

    def routes(self) -> Sequence[BaseRoute]:
        """Return where they are."""
        return [Route("/api/v1/jobs/{name}/kill", self._kill, methods=["POST"])]

    async def _kill(self, request: Request) -> Response:
        require_owner(request)
        await self._site.backend.kill_job(request.path_params["name"])
        return JSONResponse({})
