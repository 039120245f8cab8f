"""`GET /api/v1/logs`: the lines of a log, of all its streams together, a page at a time.

    ?group=/aws/sagemaker/TrainingJobs&prefix=my-job/     which log; `stream` for one of its streams
    &q=TEXT&start=MS&end=MS&limit=N                       which lines
    &before=MS | &after=MS                                the last before, or the first from a time
    &styled=1                                             with `spans`: [[text, CSS classes], …]

`older` and `newer` of the answer are what to ask for next as `before` and `after`. To follow a log,
listen to the topic `log:GROUP:PREFIX` of `/api/v1/events`, and ask for what is `after` the last.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sagelet.web.access.guard import require_owner
from sagelet.web.faults import Refused
from sagelet.web.log_pages import read_lines
from sagelet.web.log_view import query_of
from sagelet.web.site import Site


class LogsApi:
    """`/api/v1/logs`."""

    def __init__(self, site: Site) -> None:
        """Stand on the site's parts."""
        self._site = site

    def routes(self) -> Sequence[BaseRoute]:
        """Return where they are."""
        return [Route("/api/v1/logs", self._lines, methods=["GET"])]

    async def _lines(self, request: Request) -> Response:
        require_owner(request)
        asked = request.query_params
        group = asked.get("group", "")
        if not group:
            raise Refused(400, "name the log: ?group=/aws/sagemaker/Endpoints/NAME")
        query = query_of(asked, group=group, prefix=asked.get("prefix", ""))
        page = await read_lines(self._site.backend, query)
        return JSONResponse(page.document(is_styled=asked.get("styled") == "1"))
