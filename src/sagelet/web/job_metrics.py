"""The metrics of a job as charts, by GetMetricData, as `sagelet metrics` reads them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sagelet.web.backend import Backend
from sagelet.web.charts import LINES_AT_MOST, Chart, Line, chart_of
from sagelet.web.timeline import ENDED

NAMESPACE = "/aws/sagemaker/TrainingJobs"
POINTS_AT_MOST = 240
"""More points of a line than this are told apart by nobody."""

_POINTS_AT_LEAST = 30
_VALUES_AT_MOST = 20_000
_PERIODS_S = (1, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400)
_QUERIES_AT_MOST = 500
_SLACK = timedelta(minutes=1)
_UNMATCHED = "No values: its expression matched no line of the log."


async def metric_charts(
    backend: Backend, job: Mapping[str, Any], hosts: Sequence[str]
) -> list[Chart]:
    """Return a chart of each metric that a job defines, with a line for each host."""
    names = metric_names(job)
    if not names:
        return []
    begun = job.get("TrainingStartTime") or job["CreationTime"]
    end = max(job.get("TrainingEndTime") or backend.clock.now(), begun)
    shown = hosts[:LINES_AT_MOST]
    places = [(name, host) for name in names for host in shown]
    period_s = period_of(end - begun, len(places))
    queries = [
        _query(f"m{number}", name, f"{job['TrainingJobName']}/{host}", period_s)
        for number, (name, host) in enumerate(places)
    ]
    points = await _points(backend, queries, begun - _SLACK, end + _SLACK)
    lines: dict[str, list[Line]] = defaultdict(list)
    for number, (name, host) in enumerate(places):
        label = host if len(hosts) > 1 else ""
        lines[name].append(Line(label, sorted(points[f"m{number}"].items())))
    note = f"Each is the mean of {period_s} s."
    charts = [
        chart_of(name, lines[name], key=f"chart-{n}", note=note) for n, name in enumerate(names)
    ]
    if job["TrainingJobStatus"] not in ENDED:
        return charts
    return [each if each.rows else replace(each, summary=_UNMATCHED) for each in charts]


def metric_names(job: Mapping[str, Any]) -> list[str]:
    """Return the names of the metrics that a job defines, each once."""
    definitions = job["AlgorithmSpecification"].get("MetricDefinitions", [])
    return list(dict.fromkeys(definition["Name"] for definition in definitions))


def period_of(lasting: timedelta, lines: int) -> int:
    """Return the seconds from point to point, so that a page bears the points of all lines."""
    most = max(_POINTS_AT_LEAST, min(POINTS_AT_MOST, _VALUES_AT_MOST // lines))
    fits = (s for s in _PERIODS_S if lasting.total_seconds() / s <= most)
    return next(fits, _PERIODS_S[-1])


def _query(identifier: str, name: str, host: str, period_s: int) -> dict[str, Any]:
    metric = {
        "Namespace": NAMESPACE,
        "MetricName": name,
        "Dimensions": [{"Name": "Host", "Value": host}],
    }
    return {
        "Id": identifier,
        "MetricStat": {"Metric": metric, "Period": period_s, "Stat": "Average"},
    }


async def _points(
    backend: Backend, queries: Sequence[dict[str, Any]], start: datetime, end: datetime
) -> Mapping[str, Mapping[datetime, float]]:
    found: dict[str, dict[datetime, float]] = defaultdict(dict)
    for some in _batches(queries):
        asked: dict[str, Any] = {
            "MetricDataQueries": some,
            "StartTime": start,
            "EndTime": end,
            "ScanBy": "TimestampAscending",
        }
        while True:
            page = await backend.call("cloudwatch", "GetMetricData", **asked)
            for result in page["MetricDataResults"]:
                times = zip(result["Timestamps"], result["Values"], strict=True)
                found[result["Id"]].update(times)
            if not page.get("NextToken"):
                break
            asked["NextToken"] = page["NextToken"]
    return found


def _batches(queries: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(queries), _QUERIES_AT_MOST):
        yield list(queries[start : start + _QUERIES_AT_MOST])
