"""The training jobs: a list to filter and to sort."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sagelet.errors import TrainingJobNotFound
from sagelet.web.pages.dashboard_rows import JobRow, job_row
from sagelet.web.site import Site
from sagelet.web.timeline import duration

A_PAGE = 25
STATUSES = ("InProgress", "Completed", "Failed", "Stopping", "Stopped")
SORTS: Mapping[str, tuple[str, str, str]] = {
    "newest": ("Newest first", "CreationTime", "Descending"),
    "oldest": ("Oldest first", "CreationTime", "Ascending"),
    "name": ("By name", "Name", "Ascending"),
    "status": ("By status", "Status", "Ascending"),
}
_LONGEST_NAME = 63
_FIELDS = ("q", "status", "sort")


class JobsPages:
    """`/jobs`, with `?q=NAME&status=STATUS&sort=ORDER&after=TOKEN`."""

    def __init__(self, site: Site) -> None:
        """Stand on the site's parts."""
        self._site = site

    def routes(self) -> Sequence[BaseRoute]:
        """Return where they are."""
        return [Route("/jobs", self._show, methods=["GET"])]

    async def _show(self, request: Request) -> Response:
        asked = {name: request.query_params.get(name, "").strip() for name in _FIELDS}
        asked["sort"] = asked["sort"] if asked["sort"] in SORTS else "newest"
        page = await self._site.backend.call(
            "sagemaker", "ListTrainingJobs", **_query(asked, request.query_params.get("after", ""))
        )
        rows = await asyncio.gather(*map(self._row, page["TrainingJobSummaries"]))
        token = page.get("NextToken")
        return self._site.rendering.page(
            request,
            "jobs.html.j2",
            asked=asked,
            jobs=[row for row in rows if row is not None],
            statuses=STATUSES,
            duration=duration,
            sorts={key: title for key, (title, _, _) in SORTS.items()},
            next=f"/jobs?{urlencode({**asked, 'after': token})}" if token else None,
        )

    async def _row(self, summary: Mapping[str, Any]) -> JobRow | None:
        name = summary["TrainingJobName"]
        try:
            described = await self._site.backend.call(
                "sagemaker", "DescribeTrainingJob", TrainingJobName=name
            )
        except TrainingJobNotFound:
            return None  # it has been deleted meanwhile
        return job_row(summary, described)


def _query(asked: Mapping[str, str], token: str) -> dict[str, Any]:
    _, sort_by, order = SORTS[asked["sort"]]
    query: dict[str, Any] = {"MaxResults": A_PAGE, "SortBy": sort_by, "SortOrder": order}
    if asked["q"]:
        query["NameContains"] = asked["q"][:_LONGEST_NAME]
    if asked["status"] in STATUSES:
        query["StatusEquals"] = asked["status"]
    if token:
        query["NextToken"] = token
    return query
