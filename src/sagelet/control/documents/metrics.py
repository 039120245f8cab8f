"""Requests and answers of CloudWatch metrics."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sagelet.control.context import Document
from sagelet.errors import InvalidRequest, NotSupported
from sagelet.journal.metric_store import Metric
from sagelet.journal.series import Sample
from sagelet.journal.spreads import Spread
from sagelet.journal.tokens import pack_place, read_place
from sagelet.wire.faults import Fault

STATISTICS = ("Average", "Maximum", "Minimum", "SampleCount", "Sum")
NO_UNIT = "None"
PERCENTILE = re.compile(r"p(100|\d{1,2}(\.\d{1,10})?)")

_SHORT_PERIODS_S = frozenset({1, 5, 10, 20, 30})
_POINTS_AT_MOST = 1440
_DATA_AT_MOST = 100_800


@dataclass(frozen=True, slots=True)
class Window:
    """From when, with the whole first period, and up to when; milliseconds since the epoch."""

    start_ms: int
    end_ms: int
    period_ms: int


@dataclass(frozen=True, slots=True)
class StatisticsQuery:
    """A GetMetricStatistics request."""

    metric: Metric
    unit: str | None
    window: Window
    statistics: tuple[str, ...]
    percentiles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """One query of a GetMetricData request."""

    id: str
    label: str
    metric: Metric
    unit: str | None
    window: Window
    statistic: str
    is_shown: bool


@dataclass(frozen=True, slots=True)
class DataQuery:
    """A GetMetricData request; `skipped` is how many points earlier pages have had."""

    wanted: tuple[Wanted, ...]
    descending: bool
    limit: int
    skipped: int


@dataclass(frozen=True, slots=True)
class ListQuery:
    """A ListMetrics request. A dimension of any value has None."""

    namespace: str | None
    name: str | None
    dimensions: Mapping[str, str | None]
    skipped: int

    def fits(self, metric: Metric) -> bool:
        """Say whether a metric is asked for."""
        has = dict(metric.dimensions)
        return (
            self.namespace in (None, metric.namespace)
            and self.name in (None, metric.name)
            and all(
                name in has and value in (None, has[name])
                for name, value in self.dimensions.items()
            )
        )


def read_statistics(document: Document) -> StatisticsQuery:
    """Read a GetMetricStatistics request.

    Raises:
        Fault: its period, its times or its statistics are none, or it asks for too many points.
        NotSupported: it asks for another extended statistic than percentiles.
    """
    code = "InvalidParameterValueException"
    window = _window(document, document["Period"], code)
    points = (window.end_ms - window.start_ms) // window.period_ms
    if points > _POINTS_AT_MOST:
        raise invalid_combination(
            f"You have requested up to {points:,} datapoints, which exceeds the limit of "
            f"{_POINTS_AT_MOST:,}. You may reduce the datapoints requested by increasing Period, "
            "or decreasing the time range."
        )
    simple, extended = document.get("Statistics") or (), document.get("ExtendedStatistics") or ()
    if not simple and not extended:
        raise invalid_combination("Must specify either Statistics or ExtendedStatistics")
    for statistic in extended:
        if PERCENTILE.fullmatch(statistic) is None:
            raise _not_served("GetMetricStatistics", statistic)
    return StatisticsQuery(
        metric=read_metric(document["Namespace"], document),
        unit=document.get("Unit"),
        window=window,
        statistics=tuple(simple),
        percentiles=tuple(extended),
    )


def read_data(document: Document) -> DataQuery:
    """Read a GetMetricData request.

    Raises:
        Fault: a period or the times are none, two queries have one Id, or the token is none.
        NotSupported: a statistic is neither one of the five simple ones nor a percentile.
    """
    queries = document["MetricDataQueries"]
    if len({query["Id"] for query in queries}) < len(queries):
        raise _invalid("The value of MetricDataQueries is invalid: every Id must be unique.")
    return DataQuery(
        wanted=tuple(_wanted(query, document) for query in queries),
        descending=document.get("ScanBy", "TimestampDescending") == "TimestampDescending",
        limit=document.get("MaxDatapoints", _DATA_AT_MOST),
        skipped=_read_token(document),
    )


def _wanted(query: Document, document: Document) -> Wanted:
    stat = query.get("MetricStat")
    if stat is None:
        raise _invalid(f"The query {query['Id']} needs a MetricStat.")
    if stat["Stat"] not in STATISTICS and PERCENTILE.fullmatch(stat["Stat"]) is None:
        raise _not_served("GetMetricData", stat["Stat"])
    metric = read_metric(stat["Metric"].get("Namespace", ""), stat["Metric"])
    return Wanted(
        id=query["Id"],
        label=query.get("Label") or metric.name,
        metric=metric,
        unit=stat.get("Unit"),
        window=_window(document, stat["Period"], "ValidationException"),
        statistic=stat["Stat"],
        is_shown=query.get("ReturnData", True),
    )


def read_list(document: Document) -> ListQuery:
    """Read a ListMetrics request.

    Raises:
        Fault: the token is none.
    """
    return ListQuery(
        namespace=document.get("Namespace"),
        name=document.get("MetricName"),
        dimensions={
            dimension["Name"]: dimension.get("Value")
            for dimension in document.get("Dimensions") or ()
        },
        skipped=_read_token(document),
    )


def show_statistics(query: StatisticsQuery, points: Iterable[tuple[str, Sample]]) -> Document:
    """Return the answer of GetMetricStatistics; each sample is a period's, with its unit.

    Raises:
        NotSupported: it asks for percentiles of what has none.
    """
    return {
        "Label": query.metric.name,
        "Datapoints": [_point(query, unit, sample) for unit, sample in points],
    }


def _point(query: StatisticsQuery, unit: str, sample: Sample) -> Document:
    simple = {statistic: value_of(sample, statistic) for statistic in query.statistics}
    point = {"Timestamp": _when(sample.ms), "Unit": unit, **simple}
    if query.percentiles:
        extended = {statistic: value_of(sample, statistic) for statistic in query.percentiles}
        point["ExtendedStatistics"] = extended
    return point


def show_result(wanted: Wanted, points: Sequence[Sample], *, is_complete: bool) -> dict[str, Any]:
    """Return one query's part of an answer of GetMetricData."""
    return {
        "Id": wanted.id,
        "Label": wanted.label,
        "Timestamps": [_when(sample.ms) for sample in points],
        "Values": [value_of(sample, wanted.statistic) for sample in points],
        "StatusCode": "Complete" if is_complete else "PartialData",
    }


def show_metric(metric: Metric) -> Document:
    """Return a metric as ListMetrics shows it."""
    return {
        "Namespace": metric.namespace,
        "MetricName": metric.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
    }


def show_token(skipped: int) -> str:
    """Return the token of the page that comes after so many."""
    return pack_place(skipped, "")


def value_of(sample: Sample, statistic: str) -> float:
    """Return one statistic of a sample.

    Raises:
        NotSupported: it is a percentile, and nothing is known of how the values are spread.
    """
    match statistic:
        case "Average":
            return sample.average
        case "Maximum":
            return sample.greatest
        case "Minimum":
            return sample.least
        case "SampleCount":
            return sample.count
        case "Sum":
            return sample.total
        case _ if isinstance(sample, Spread):
            return sample.percentile(float(statistic[1:]))
        case _:
            raise NotSupported(
                message=f"The statistic {statistic} is served of the latencies of endpoints only; "
                f"of all metrics: {', '.join(STATISTICS)}."
            )


def _not_served(operation: str, statistic: str) -> NotSupported:
    return NotSupported(
        message=f"{operation}: the statistic {statistic} is not served; those that are: "
        f"{', '.join(STATISTICS)}, and percentiles such as p99."
    )


def read_metric(namespace: str, document: Document) -> Metric:
    """Read which metric a document names."""
    dimensions = {one["Name"]: one["Value"] for one in document.get("Dimensions") or ()}
    return Metric.of(namespace, document.get("MetricName", ""), dimensions)


def _window(document: Document, period_s: int, code: str) -> Window:
    if period_s not in _SHORT_PERIODS_S and (period_s % 60 or period_s <= 0):
        raise Fault(code, 400, "The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.")
    start_ms, end_ms = milliseconds(document["StartTime"]), milliseconds(document["EndTime"])
    if start_ms >= end_ms:
        raise Fault(code, 400, "The parameter StartTime must be less than the parameter EndTime.")
    period_ms = 1000 * period_s
    return Window(start_ms - start_ms % period_ms, end_ms, period_ms)


def _read_token(document: Document) -> int:
    token = document.get("NextToken")
    if not token:
        return 0
    try:
        return read_place(token)[0]
    except InvalidRequest as error:
        raise Fault("InvalidNextToken", 400, "The specified NextToken is invalid.") from error


def milliseconds(when: datetime) -> int:
    """Return a moment since the epoch."""
    return round(when.timestamp() * 1000)


def _when(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def invalid_value(message: str) -> Fault:
    """Return the fault of a member's value."""
    return Fault("InvalidParameterValueException", 400, message)


def invalid_combination(message: str) -> Fault:
    """Return the fault of members that do not go together."""
    return Fault("InvalidParameterCombinationException", 400, message)


def _invalid(message: str) -> Fault:
    return Fault("ValidationException", 400, message)
