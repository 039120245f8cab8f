"""A CloudWatch in memory: the metrics of jobs as GetMetricData tells them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sagelet.cli.jobs.points import Curve, Point

BEGUN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def at(second: float) -> datetime:
    """A moment after the job's begin."""
    return BEGUN + timedelta(seconds=second)


def a_point(second: float, value: float) -> Point:
    """A period with one value."""
    return Point(at(second), value, value, value, 1.0)


def a_curve(*values: float, job: str = "j", host: str = "algo-1", metric: str = "loss") -> Curve:
    """A curve with a point a second."""
    points = tuple(a_point(second, value) for second, value in enumerate(values))
    return Curve(job, host, metric, points)


def a_description(
    job: str = "j",
    *names: str,
    hosts: int = 1,
    status: str = "Completed",
    **members: Any,  # noqa: ANN401  AWS's own
) -> dict[str, Any]:
    """What DescribeTrainingJob says, of what is read of it."""
    definitions = [{"Name": name, "Regex": "x"} for name in names]
    return {
        "TrainingJobName": job,
        "TrainingJobStatus": status,
        "AlgorithmSpecification": {"MetricDefinitions": definitions} if names else {},
        "ResourceConfig": {"InstanceCount": hosts},
        "CreationTime": BEGUN,
        "TrainingStartTime": BEGUN,
        **members,
    }


class ScriptedCloudWatch:
    """Answers GetMetricData, at most `page` points of each metric at a time."""

    def __init__(self, page: int = 1000) -> None:
        self.points: dict[tuple[str, str], list[tuple[datetime, float]]] = {}
        self.asked: list[dict[str, Any]] = []
        self._page = page

    def add(self, dimension: str, name: str, *values: float, second: float = 0) -> None:
        """Add a point a second to a metric of a host, or of a job."""
        series = self.points.setdefault((dimension, name), [])
        series += [(at(second + number), value) for number, value in enumerate(values)]

    def __call__(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401  AWS's own
        assert (service, operation) == ("cloudwatch", "GetMetricData")
        self.asked.append(parameters)
        skipped = int(parameters.get("NextToken", 0))
        results, more = [], False
        for query in parameters["MetricDataQueries"]:
            stat = query["MetricStat"]
            (dimension,) = stat["Metric"]["Dimensions"]
            series = [
                (when, value)
                for when, value in self.points.get(
                    (dimension["Value"], stat["Metric"]["MetricName"]), []
                )
                if parameters["StartTime"] <= when < parameters["EndTime"]
            ]
            page = series[skipped : skipped + self._page]
            more = more or len(series) > skipped + self._page
            results.append(
                {
                    "Id": query["Id"],
                    "Timestamps": [when for when, _ in page],
                    "Values": [1.0 if stat["Stat"] == "SampleCount" else v for _, v in page],
                }
            )
        token = {"NextToken": str(skipped + self._page)} if more else {}
        return {"MetricDataResults": results, **token}
