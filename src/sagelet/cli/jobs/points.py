"""The metrics of training jobs, through CloudWatch's GetMetricData: here, and at AWS alike.

This machine's points are a second apart at the finest, AWS's a minute.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

NAMESPACE = "/aws/sagemaker/TrainingJobs"
_LOCAL_PERIOD_S = 1
_AWS_PERIOD_S = 60

_STATISTICS = ("Average", "Minimum", "Maximum", "SampleCount")
_QUERIES_AT_MOST = 500
_ENDED = ("Completed", "Failed", "Stopped")


class Ask(Protocol):
    """Makes a call of the API, with errors of ours."""

    def __call__(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401  the API's own
        """Return what the operation answers."""


@dataclass(frozen=True, slots=True)
class Point:
    """What a metric was within one period: the mean, the extremes, and how many values."""

    at: datetime
    value: float
    least: float
    greatest: float
    count: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A metric of one host of a job; without a host it is of all."""

    job: str
    host: str
    metric: str
    points: tuple[Point, ...]

    @property
    def last(self) -> float:
        """The newest value."""
        return self.points[-1].value

    @property
    def least(self) -> float:
        """The smallest value."""
        return min(point.least for point in self.points)

    @property
    def greatest(self) -> float:
        """The largest value."""
        return max(point.greatest for point in self.points)

    @property
    def count(self) -> int:
        """How many values there were."""
        return round(sum(point.count for point in self.points))


def names_of(description: Mapping[str, Any]) -> list[str]:
    """Return the names of the metrics that a job defines."""
    definitions = description["AlgorithmSpecification"].get("MetricDefinitions", [])
    return list(dict.fromkeys(definition["Name"] for definition in definitions))


def hosts_of(description: Mapping[str, Any]) -> list[str]:
    """Return the names of a job's hosts."""
    resources = description["ResourceConfig"]
    groups = resources.get("InstanceGroups", [])
    count = sum(group["InstanceCount"] for group in groups) or resources.get("InstanceCount", 1)
    return [f"algo-{number}" for number in range(1, count + 1)]


def has_ended(description: Mapping[str, Any]) -> bool:
    """Say whether a job has reached its end."""
    return description["TrainingJobStatus"] in _ENDED


class MetricsReader:
    """Reads the metrics of jobs of one environment."""

    def __init__(self, ask: Ask, *, period_s: int) -> None:
        """Take what makes the calls, and how far points are apart."""
        self._ask = ask
        self.period_s = period_s
        self._without_hosts: set[str] = set()

    def curves(
        self,
        description: Mapping[str, Any],
        names: Sequence[str] = (),
        *,
        since: datetime | None = None,
    ) -> list[Curve]:
        """Return the metrics of a job that have points, of each host; some `names`, or all."""
        wanted = list(names) or names_of(description)
        job = description["TrainingJobName"]
        window = self._window(description, since)
        found = []
        if job not in self._without_hosts:
            hosts = {host: ("Host", f"{job}/{host}") for host in hosts_of(description)}
            found = self._read(job, wanted, hosts, window)
        if not found and (since is None or job in self._without_hosts):
            # Where they are published for the job as a whole only.
            found = self._read(job, wanted, {"": ("TrainingJobName", job)}, window)
            if found:
                self._without_hosts.add(job)
        return found

    def _window(
        self, description: Mapping[str, Any], since: datetime | None
    ) -> tuple[datetime, datetime]:
        """From when to when a job may have points; CloudWatch drops seconds."""
        begun = description.get("TrainingStartTime") or description["CreationTime"]
        ended = description.get("TrainingEndTime") or datetime.now(UTC)
        slack = timedelta(minutes=1)
        return since or begun - slack, max(ended, begun) + slack

    def _read(
        self,
        job: str,
        names: Sequence[str],
        hosts: Mapping[str, tuple[str, str]],
        window: tuple[datetime, datetime],
    ) -> list[Curve]:
        places = [(name, host) for name in names for host in hosts]
        queries = [
            self._query(f"m{number}s{index}", name, hosts[host], statistic)
            for number, (name, host) in enumerate(places)
            for index, statistic in enumerate(_STATISTICS)
        ]
        values = self._values(queries, window)
        curves = []
        for number, (name, host) in enumerate(places):
            columns = [values[f"m{number}s{index}"] for index in range(len(_STATISTICS))]
            points = tuple(
                Point(at, *(column.get(at, 0.0) for column in columns)) for at in sorted(columns[0])
            )
            if points:
                curves.append(Curve(job, host, name, points))
        return curves

    def _query(
        self, identifier: str, name: str, dimension: tuple[str, str], statistic: str
    ) -> dict[str, Any]:
        return {
            "Id": identifier,
            "MetricStat": {
                "Metric": {
                    "Namespace": NAMESPACE,
                    "MetricName": name,
                    "Dimensions": [{"Name": dimension[0], "Value": dimension[1]}],
                },
                "Period": self.period_s,
                "Stat": statistic,
            },
        }

    def _values(
        self, queries: Sequence[dict[str, Any]], window: tuple[datetime, datetime]
    ) -> dict[str, dict[datetime, float]]:
        """Return what each query found, by its Id and the time."""
        found: dict[str, dict[datetime, float]] = defaultdict(dict)
        for some in batches(queries):
            for result in self._results(some, window):
                times = zip(result["Timestamps"], result["Values"], strict=True)
                found[result["Id"]].update(times)
        return found

    def _results(
        self, queries: Sequence[dict[str, Any]], window: tuple[datetime, datetime]
    ) -> Iterator[dict[str, Any]]:
        asked: dict[str, Any] = {
            "MetricDataQueries": list(queries),
            "StartTime": window[0],
            "EndTime": window[1],
            "ScanBy": "TimestampAscending",
        }
        while True:
            page = self._ask("cloudwatch", "GetMetricData", **asked)
            yield from page["MetricDataResults"]
            if not page.get("NextToken"):
                return
            asked["NextToken"] = page["NextToken"]


def reader_of(ask: Ask, *, is_local: bool) -> MetricsReader:
    """Return a reader of the finest points that there are."""
    return MetricsReader(ask, period_s=_LOCAL_PERIOD_S if is_local else _AWS_PERIOD_S)


def batches(queries: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    """Cut queries into as many as one request may have."""
    for start in range(0, len(queries), _QUERIES_AT_MOST):
        yield queries[start : start + _QUERIES_AT_MOST]
