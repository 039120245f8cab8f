"""The Metrics tab of an endpoint: how much it was asked, how it answered, and what it used."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sagelet.control.context import Document
from sagelet.web.downloads import attachment
from sagelet.web.endpoint_charts import (
    RANGES,
    Range,
    Series,
    charts_of,
    csv_lines,
    markers_of,
    range_of,
    series_of,
)
from sagelet.web.pages.endpoint_frame import endpoint_page
from sagelet.web.site import Site


class EndpointMetricsPages:
    """`/endpoints/{name}/metrics` and `/endpoints/{name}/metrics.csv`, with `?range=5m|1h|24h`."""

    def __init__(self, site: Site) -> None:
        """Stand on the site's parts."""
        self._site = site

    def routes(self) -> Sequence[BaseRoute]:
        """Return where they are."""
        return [
            Route("/endpoints/{name}/metrics", self._show, methods=["GET"]),
            Route("/endpoints/{name}/metrics.csv", self._download, methods=["GET"]),
        ]

    async def _show(self, request: Request) -> Response:
        endpoint, shown = await self._endpoint(request), _range(request)
        name = endpoint["EndpointName"]
        series = await self._series(endpoint, shown)
        markers = markers_of(self._site.backend, name, shown)
        return await endpoint_page(
            self._site,
            request,
            "endpoint/metrics.html.j2",
            ranges=RANGES,
            shown=shown,
            charts=charts_of(series, shown, markers, self._site.backend.clock.now()),
            markers=markers,
            has_points=any(each.points for each in series),
        )

    async def _download(self, request: Request) -> Response:
        endpoint, shown = await self._endpoint(request), _range(request)
        text = "".join(csv_lines(await self._series(endpoint, shown)))
        file = f"{endpoint['EndpointName']}-metrics-{shown.key}.csv"
        return Response(text, media_type="text/csv", headers=attachment(file))

    async def _series(self, endpoint: Document, shown: Range) -> list[Series]:
        variants = [each["VariantName"] for each in endpoint.get("ProductionVariants") or ()]
        return await series_of(self._site.backend, endpoint["EndpointName"], variants, shown)

    async def _endpoint(self, request: Request) -> Document:
        """Return the endpoint as DescribeEndpoint shows it.

        Raises:
            EndpointNotFound: there is none of that name.
        """
        asked = request.path_params["name"]
        return await self._site.backend.call("sagemaker", "DescribeEndpoint", EndpointName=asked)


def _range(request: Request) -> Range:
    return range_of(request.query_params.get("range"))
