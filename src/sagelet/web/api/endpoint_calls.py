"""What an endpoint was asked, and how it did: the history of its calls, and its metrics.

GET /api/v1/endpoints/{name}/history?limit=N&before=ID
GET /api/v1/endpoints/{name}/history/{id}
GET /api/v1/endpoints/{name}/metrics?minutes=N
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sagelet.domain.facts import VariantFacts
from sagelet.errors import EndpointNotInService
from sagelet.web.access.guard import require_owner
from sagelet.web.api.asked import limit_of, whole_number
from sagelet.web.api.documents import plain, shown_call
from sagelet.web.faults import Refused
from sagelet.web.json_answers import JsonAnswer
from sagelet.web.site import Site

_CALLS_AT_MOST = 500
_MINUTES_AT_MOST = 24 * 60
_POINTS = 120
_COUNTS = (
    ("invocations", "Invocations"),
    ("errors_4xx", "Invocation4XXErrors"),
    ("errors_5xx", "Invocation5XXErrors"),
    ("model_errors", "InvocationModelErrors"),
)
_LATENCIES = (("model_latency_ms", "ModelLatency"), ("overhead_latency_ms", "OverheadLatency"))
_PERCENTILES = ("p50", "p90", "p99")
_US_A_MS = 1000


class EndpointCallsApi:
    """`/api/v1/endpoints/{name}/history` and `/metrics`."""

    def __init__(self, site: Site) -> None:
        """Stand on the site's parts."""
        self._site = site

    def routes(self) -> Sequence[BaseRoute]:
        """Return where they are."""
        base = "/api/v1/endpoints/{name}"
        return [
            Route(f"{base}/history", self._history, methods=["GET"]),
            Route(f"{base}/history/{{id}}", self._call, methods=["GET"]),
            Route(f"{base}/metrics", self._metrics, methods=["GET"]),
        ]

    async def _history(self, request: Request) -> Response:
        require_owner(request)
        name = await self._name(request)
        history = self._site.backend.history
        limit = limit_of(request, usual=50, at_most=_CALLS_AT_MOST)
        before = request.query_params.get("before")
        calls = await asyncio.to_thread(history.recent, name, limit=limit, before=before)
        return JsonAnswer(
            {
                "endpoint": name,
                "is_on": history.is_on,
                "kept": history.kept,
                "calls": [plain(call) for call in calls],
                "next": calls[-1].id if len(calls) == limit else None,
            }
        )

    async def _call(self, request: Request) -> Response:
        require_owner(request)
        name, number = await self._name(request), request.path_params["id"]
        call = await asyncio.to_thread(self._site.backend.history.get, name, number)
        if call is None:
            raise Refused(404, f"there is no call {number[:40]} of {name} in the history")
        return JsonAnswer(shown_call(call))

    async def _metrics(self, request: Request) -> Response:
        require_owner(request)
        name = await self._name(request)
        minutes = whole_number("minutes", request.query_params.get("minutes", "60"))
        if not 1 <= minutes <= _MINUTES_AT_MOST:
            raise Refused(400, f"minutes are from 1 to {_MINUTES_AT_MOST}, not {minutes}")
        period_s = max(60, -(-minutes * 60 // _POINTS // 60) * 60)
        end = self._site.backend.clock.now()
        start = end - timedelta(minutes=minutes)
        variants = self._variants(name)
        series = await self._series([v.variant for v in variants], name, start, end, period_s)
        return JsonAnswer(
            {
                "endpoint": name,
                "start": start.isoformat(),
                "end": end.isoformat(),
                "period_s": period_s,
                "variants": [
                    {**_counted(each), "series": series.get(each.variant, {})} for each in variants
                ],
            }
        )

    async def _name(self, request: Request) -> str:
        return await self._site.backend.endpoint_named(request.path_params["name"])

    def _variants(self, name: str) -> Sequence[VariantFacts]:
        try:
            return self._site.backend.host.facts(name).variants
        except EndpointNotInService:
            return ()

    async def _series(
        self, variants: Sequence[str], endpoint: str, start: datetime, end: datetime, period_s: int
    ) -> dict[str, dict[str, Any]]:
        """Return points `[time, value]` by variant and name; latencies by percentile, too."""
        wanted = [(v, *each) for v in variants for each in _wanted()]
        if not wanted:
            return {}
        queries = [
            _query(f"q{i}", endpoint, variant, metric, stat, period_s)
            for i, (variant, _, metric, stat) in enumerate(wanted)
        ]
        answer = await self._site.backend.call(
            "cloudwatch",
            "GetMetricData",
            StartTime=start,
            EndTime=end,
            MetricDataQueries=queries,
            ScanBy="TimestampAscending",
        )
        found: dict[str, dict[str, Any]] = {}
        for result in answer["MetricDataResults"]:
            variant, shown, _, stat = wanted[int(result["Id"][1:])]
            scale = 1 if stat == "Sum" else _US_A_MS
            points = [
                [at.isoformat(), value / scale]
                for at, value in zip(result["Timestamps"], result["Values"], strict=True)
            ]
            series = found.setdefault(variant, {})
            if stat == "Sum":
                series[shown] = points
            else:
                series.setdefault(shown, {})[stat] = points
        return found


def _wanted() -> list[tuple[str, str, str]]:
    counts = [(shown, metric, "Sum") for shown, metric in _COUNTS]
    return counts + [(shown, m, stat) for shown, m in _LATENCIES for stat in _PERCENTILES]


def _query(
    number: str, endpoint: str, variant: str, metric: str, stat: str, period_s: int
) -> dict[str, Any]:
    dimensions = [
        {"Name": "EndpointName", "Value": endpoint},
        {"Name": "VariantName", "Value": variant},
    ]
    return {
        "Id": number,
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/SageMaker",
                "MetricName": metric,
                "Dimensions": dimensions,
            },
            "Period": period_s,
            "Stat": stat,
        },
    }


def _counted(facts: VariantFacts) -> Mapping[str, Any]:
    """Return what has been counted of a variant since it came up."""
    shown = ("variant", "generation", "requests", "errors", "waiting", "latency_ms", "phases_ms")
    return {name: plain(getattr(facts, name)) for name in shown}
