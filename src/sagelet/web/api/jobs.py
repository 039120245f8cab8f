"""Training jobs.

GET  /api/v1/jobs?limit=N&next=TOKEN
GET  /api/v1/jobs/{name}
POST /api/v1/jobs/{name}/kill           without its grace
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sagelet.web.access.guard import require_owner
from sagelet.web.api.asked import page_of
from sagelet.web.api.documents import plain
from sagelet.web.json_answers import JsonAnswer
from sagelet.web.site import Site

_LOG_GROUP = "/aws/sagemaker/TrainingJobs"


class JobsApi:
    """`/api/v1/jobs`."""

    def __init__(self, site: Site) -> None:
        """Stand on the site's parts."""
        self._site = site

    def routes(self) -> Sequence[BaseRoute]:
        """Return where they are."""
        return [
            Route("/api/v1/jobs", self._list, methods=["GET"]),
            Route("/api/v1/jobs/{name}", self._job, methods=["GET"]),
            Route("/api/v1/jobs/{name}/kill", self._kill, methods=["POST"]),
        ]

    async def _list(self, request: Request) -> Response:
        require_owner(request)
        page = await self._site.backend.call("sagemaker", "ListTrainingJobs", **page_of(request))
        jobs = [self._shown(each) for each in page["TrainingJobSummaries"]]
        return JsonAnswer({"jobs": jobs, "next": page.get("NextToken")})

    async def _job(self, request: Request) -> Response:
        require_owner(request)
        name = request.path_params["name"]
        described = await self._site.backend.call(
            "sagemaker", "DescribeTrainingJob", TrainingJobName=name
        )
        own = described["TrainingJobName"]
        return JsonAnswer(
            {
                **self._shown(described),
                "secondary_status": described["SecondaryStatus"],
                "failure_reason": described.get("FailureReason"),
                "log": {"group": _LOG_GROUP, "prefix": f"{own}/"},
                "document": plain(described),
            }
        )

    async def _kill(self, request: Request) -> Response:
        require_owner(request)
        await self._site.backend.kill_job(request.path_params["name"])
        return JsonAnswer({})

    def _shown(self, summary: Mapping[str, Any]) -> dict[str, Any]:
        name = summary["TrainingJobName"]
        return {
            "name": name,
            "status": summary["TrainingJobStatus"],
            "created_at": plain(summary["CreationTime"]),
            "ended_at": plain(summary.get("TrainingEndTime")),
            "page_url": f"{self._site.backend.address}/jobs/{quote(name)}",
        }
