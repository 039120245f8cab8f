"""The dashboard: what serves, what trains, what happened."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sagelet.web.site import Site


class DashboardPages:
    """`/`."""

    def __init__(self, site: Site) -> None:
        """Stand on the site's parts."""
        self._site = site

    def routes(self) -> Sequence[BaseRoute]:
        """Return where they are."""
        return [Route("/", self._show, methods=["GET"])]

    async def _show(self, request: Request) -> Response:
        call = self._site.backend.call
        endpoints = await call("sagemaker", "ListEndpoints", MaxResults=100)
        jobs = await call("sagemaker", "ListTrainingJobs", MaxResults=10)
        return self._site.rendering.page(
            request,
            "dashboard.html.j2",
            endpoints=endpoints["Endpoints"],
            jobs=jobs["TrainingJobSummaries"],
        )
