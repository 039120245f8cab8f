"""The dashboard: what serves, what trains, what happened, and what is left of the machine."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psutil
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sagelet.domain.seams import HostNote
from sagelet.web.pages.dashboard_rows import (
    SPARK_MINUTES,
    EndpointRow,
    JobRow,
    Trend,
    endpoint_row,
    job_row,
)
from sagelet.web.pages.endpoint_frame import facts_of
from sagelet.web.pages.endpoint_models import models_of
from sagelet.web.site import Site
from sagelet.web.timeline import duration

ENDPOINTS_A_PAGE = 50
JOBS_SHOWN = 10
NOTES_SHOWN = 20
_MINUTE_S = 60
_REMEMBERED = 1000
_ENDED = frozenset({"Completed", "Failed", "Stopped"})


@dataclass(frozen=True, slots=True)
class Gauge:
    """Something limited, in bytes."""

    name: str
    used: int
    total: int


class DashboardPages:
    """`/`."""

    def __init__(self, site: Site) -> None:
        """Stand on the site's parts."""
        self._site = site
        # By name and time of change, so that a page asks only for what has changed since the last.
        self._models: dict[tuple[str, Any], tuple[str, ...]] = {}
        self._jobs: dict[tuple[str, Any], JobRow] = {}

    def routes(self) -> Sequence[BaseRoute]:
        """Return where they are."""
        return [Route("/", self._show, methods=["GET"])]

    async def _show(self, request: Request) -> Response:
        after = request.query_params.get("after")
        asked = {"NextToken": after} if after else {}
        backend = self._site.backend
        endpoints, jobs = await asyncio.gather(
            backend.call(
                "sagemaker",
                "ListEndpoints",
                MaxResults=ENDPOINTS_A_PAGE,
                SortBy="Name",
                SortOrder="Ascending",
                **asked,
            ),
            backend.call(
                "sagemaker",
                "ListTrainingJobs",
                MaxResults=JOBS_SHOWN,
                SortBy="CreationTime",
                SortOrder="Descending",
            ),
        )
        notes = backend.host.notes.after()
        return self._site.rendering.page(
            request,
            "dashboard.html.j2",
            endpoints=await self._endpoint_rows(endpoints["Endpoints"], notes),
            next_endpoints=endpoints.get("NextToken"),
            jobs=await asyncio.gather(*map(self._job_row, jobs["TrainingJobSummaries"])),
            notes=notes[: -NOTES_SHOWN - 1 : -1],
            gauges=gauges(str(backend.home.root)),
            spark_minutes=SPARK_MINUTES,
            duration=duration,
        )

    async def _endpoint_rows(
        self, summaries: Sequence[Mapping[str, Any]], notes: Sequence[HostNote]
    ) -> list[EndpointRow]:
        facts = {
            each["EndpointName"]: facts_of(self._site, each["EndpointName"]) for each in summaries
        }
        variants = [(n, v.variant) for n, f in facts.items() if f for v in f.variants]
        trends, models = await asyncio.gather(
            self._trends(variants), asyncio.gather(*map(self._models_of, summaries))
        )
        problems = {note.endpoint: note for note in notes if note.is_problem}
        return [
            endpoint_row(
                each,
                facts[each["EndpointName"]],
                models=served,
                trend=trends.get(each["EndpointName"], Trend(())),
                problem=problems.get(each["EndpointName"]),
            )
            for each, served in zip(summaries, models, strict=True)
        ]

    async def _models_of(self, summary: Mapping[str, Any]) -> tuple[str, ...]:
        name = summary["EndpointName"]
        known = (name, summary["LastModifiedTime"])
        if known not in self._models:
            models = await models_of(self._site.backend, name)
            if not models:
                return ()  # what was deleted under it may be there again
            _remember(self._models, known, models)
        return self._models[known]

    async def _job_row(self, summary: Mapping[str, Any]) -> JobRow:
        name = summary["TrainingJobName"]
        known = (name, summary["LastModifiedTime"])
        if known in self._jobs:
            return self._jobs[known]
        described = await self._site.backend.call(
            "sagemaker", "DescribeTrainingJob", TrainingJobName=name
        )
        row = job_row(summary, described)
        if row.status in _ENDED:
            _remember(self._jobs, known, row)
        return row

    async def _trends(self, variants: Sequence[tuple[str, str]]) -> dict[str, Trend]:
        """Return each endpoint's requests a minute; the last one is not over."""
        if not variants:
            return {}
        this_minute = self._site.backend.clock.now().replace(second=0, microsecond=0)
        end = this_minute + timedelta(minutes=1)
        start = end - timedelta(minutes=SPARK_MINUTES)
        answer = await self._site.backend.call(
            "cloudwatch",
            "GetMetricData",
            StartTime=start,
            EndTime=end,
            MetricDataQueries=[_invocations(i, *each) for i, each in enumerate(variants)],
        )
        counts = {name: [0.0] * SPARK_MINUTES for name, _ in variants}
        for result in answer["MetricDataResults"]:
            name, _ = variants[int(result["Id"][1:])]
            for at, value in zip(result["Timestamps"], result["Values"], strict=True):
                minute = int((at - start).total_seconds() // _MINUTE_S)
                if 0 <= minute < SPARK_MINUTES:
                    counts[name][minute] += value
        return {name: Trend(values) for name, values in counts.items()}


def _invocations(number: int, endpoint: str, variant: str) -> dict[str, Any]:
    dimensions = [
        {"Name": "EndpointName", "Value": endpoint},
        {"Name": "VariantName", "Value": variant},
    ]
    metric = {"Namespace": "AWS/SageMaker", "MetricName": "Invocations", "Dimensions": dimensions}
    return {
        "Id": f"e{number}",
        "MetricStat": {"Metric": metric, "Period": _MINUTE_S, "Stat": "Sum"},
    }


def _remember(memory: dict[tuple[str, Any], Any], key: tuple[str, Any], value: object) -> None:
    if len(memory) >= _REMEMBERED:
        memory.clear()
    memory[key] = value


def gauges(home: str) -> tuple[Gauge, ...]:
    """Return what is used of the machine's memory, and of the disk that the home is on."""
    memory, disk = psutil.virtual_memory(), psutil.disk_usage(home)
    return (
        Gauge("Memory", memory.total - memory.available, memory.total),
        Gauge("Disk", disk.used, disk.used + disk.free),
    )
