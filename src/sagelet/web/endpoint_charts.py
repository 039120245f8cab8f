"""An endpoint's metrics over a range of time, as CloudWatch tells them, made into charts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sagelet.web.backend import Backend
from sagelet.web.charts import Chart, Line, Marker, Row, chart_of, number

_MARKER_CHARACTERS = 120
_US_A_MS = 1000


@dataclass(frozen=True, slots=True)
class Range:
    """A range of time that a page shows, up to now, and how long each of its points is."""

    key: str
    title: str
    seconds: int
    period_s: int


RANGES = (
    Range("5m", "5 minutes", 300, 10),
    Range("1h", "1 hour", 3600, 30),
    Range("24h", "24 hours", 86_400, 300),
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """One line of a chart: a metric and its statistic; `per` is what its unit is divided by."""

    label: str
    namespace: str
    metric: str
    statistic: str
    per: float = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """A chart to be made. `is_count`: where nothing was measured, nothing happened."""

    key: str
    title: str
    unit: str
    lines: tuple[Drawn, ...]
    is_count: bool = False


_INVOCATIONS = "AWS/SageMaker"
_INSTANCES = "/aws/sagemaker/Endpoints"


def _latency(key: str, title: str, metric: str) -> Plan:
    percentiles = ("p50", "p90", "p99")
    lines = tuple(Drawn(p, _INVOCATIONS, metric, p, _US_A_MS) for p in percentiles)
    return Plan(key, title, "ms", lines)


PLANS = (
    Plan(
        "invocations",
        "Invocations",
        "",
        (Drawn("answered", _INVOCATIONS, "Invocations", "Sum"),),
        is_count=True,
    ),
    Plan(
        "errors",
        "Errors",
        "",
        (
            Drawn("4XX", _INVOCATIONS, "Invocation4XXErrors", "Sum"),
            Drawn("5XX", _INVOCATIONS, "Invocation5XXErrors", "Sum"),
            Drawn("all", _INVOCATIONS, "InvocationModelErrors", "Sum"),
        ),
        is_count=True,
    ),
    _latency("model-latency", "Model latency", "ModelLatency"),
    _latency("overhead-latency", "Time in the queue", "OverheadLatency"),
    Plan(
        "cpu",
        "CPU of the workers, of one core",
        "%",
        (Drawn("average", _INSTANCES, "CPUUtilization", "Average"),),
    ),
    Plan(
        "memory",
        "Memory of the workers, of the machine's",
        "%",
        (Drawn("average", _INSTANCES, "MemoryUtilization", "Average"),),
    ),
)


@dataclass(frozen=True, slots=True)
class Series:
    """One line's points, and whose they are."""

    variant: str
    plan: Plan
    drawn: Drawn
    points: tuple[tuple[datetime, float], ...]


def range_of(key: str | None) -> Range:
    """Return the range of a key; the shortest for anything else."""
    return next((each for each in RANGES if each.key == key), RANGES[0])


async def series_of(
    backend: Backend, endpoint: str, variants: Sequence[str], shown: Range
) -> list[Series]:
    """Return every line of every chart, up to now."""
    wanted = [(v, plan, drawn) for v in variants for plan in PLANS for drawn in plan.lines]
    if not wanted:
        return []
    end = backend.clock.now()
    start = end - timedelta(seconds=shown.seconds)
    answer = await backend.call(
        "cloudwatch",
        "GetMetricData",
        MetricDataQueries=[
            _query(f"q{place}", endpoint, variant, drawn, shown.period_s)
            for place, (variant, _, drawn) in enumerate(wanted)
        ],
        StartTime=start,
        EndTime=end + timedelta(seconds=1),
        ScanBy="TimestampAscending",
    )
    found = []
    for (variant, plan, drawn), result in zip(wanted, answer["MetricDataResults"], strict=True):
        values = [value / drawn.per for value in result["Values"]]
        points = tuple(zip(result["Timestamps"], values, strict=True))
        if plan.is_count and points:
            points = tuple(_filled(points, start, end, shown.period_s))
        found.append(Series(variant, plan, drawn, points))
    return found


def charts_of(
    series: Sequence[Series], shown: Range, markers: Sequence[Marker], now: datetime
) -> list[Chart]:
    """Return the charts of some lines, up to now."""
    ends = (now - timedelta(seconds=shown.seconds), now)
    return [
        _chart(plan, [each for each in series if each.plan is plan], shown, markers, ends)
        for plan in PLANS
    ]


def markers_of(backend: Backend, endpoint: str, shown: Range) -> list[Marker]:
    """Return what happened to an endpoint in a range of time: reloads, and what went wrong."""
    since = backend.clock.now() - timedelta(seconds=shown.seconds)
    return [
        Marker(note.at, note.text.splitlines()[0][:_MARKER_CHARACTERS] if note.text else "")
        for note in backend.host.notes.after(endpoint=endpoint)
        if note.endpoint == endpoint and note.at >= since
    ]


def csv_lines(series: Sequence[Series]) -> Iterator[str]:
    """Yield the points as CSV, a line each."""
    yield "time,variant,metric,statistic,unit,value\r\n"
    for each in series:
        unit = each.plan.unit or "count"
        for at, value in each.points:
            about = f"{each.variant},{each.drawn.metric},{each.drawn.statistic},{unit}"
            yield f"{at.isoformat()},{about},{value!r}\r\n"


def _chart(
    plan: Plan,
    series: Sequence[Series],
    shown: Range,
    markers: Sequence[Marker],
    ends: Sequence[datetime],
) -> Chart:
    has_several = len({each.variant for each in series}) > 1
    lines = [
        Line(f"{each.variant} {each.drawn.label}" if has_several else each.drawn.label, each.points)
        for each in series
    ]
    chart = chart_of(plan.title, lines, key=plan.key, unit=plan.unit, markers=markers)
    if plan.is_count:
        return replace(chart, summary=_total(plan, series, shown))
    return replace(chart, summary=_extent(plan, lines, shown), rows=_between(chart.rows, ends))


def _between(rows: Sequence[Row], ends: Sequence[datetime]) -> tuple[Row, ...]:
    """Return rows with empty ones at both ends, so that all charts are of the same time."""
    if not rows:
        return ()
    nothing = (None,) * len(rows[0].values)
    first, last = ends
    before = (Row(first, nothing),) if first < rows[0].at else ()
    after = (Row(last, nothing),) if last > rows[-1].at else ()
    return (*before, *rows, *after)


def _extent(plan: Plan, lines: Sequence[Line], shown: Range) -> str:
    """Return between which values some lines lay."""
    parts = []
    for line in lines:
        values = [value for _, value in line.points]
        if values:
            least, most = _short(min(values)), _short(max(values))
            lay = most if least == most else f"from {least} to {most}"
            parts.append(f"{line.label} {lay} {plan.unit}")
    return f"{', '.join(parts)} in the last {shown.title}." if parts else "No values yet."


def _short(value: float) -> str:
    return number(float(f"{value:.3g}"))


def _total(plan: Plan, series: Sequence[Series], shown: Range) -> str:
    """Return what some counts came to."""
    if plan.key == "errors":
        series = [each for each in series if each.drawn.label == "all"]
    values = [value for each in series for _, value in each.points]
    total = sum(values)
    if not total:
        return f"None in the last {shown.title}."
    most = f"at most {number(max(values))} in {shown.period_s} s"
    return f"{total:,.0f} in the last {shown.title}, {most}."


def _filled(
    points: Sequence[tuple[datetime, float]], start: datetime, end: datetime, period_s: int
) -> Iterator[tuple[datetime, float]]:
    """Yield points with those between and around them that are 0."""
    known = dict(points)
    first = datetime.fromtimestamp(start.timestamp() // period_s * period_s, tz=start.tzinfo)
    count = int((end - first).total_seconds() // period_s) + 1
    grid = [first + timedelta(seconds=period_s * step) for step in range(count)]
    yield from ((at, known.get(at, 0.0)) for at in sorted({*grid, *known}))


def _query(
    number_: str, endpoint: str, variant: str, drawn: Drawn, period_s: int
) -> Mapping[str, Any]:
    dimensions = [
        {"Name": "EndpointName", "Value": endpoint},
        {"Name": "VariantName", "Value": variant},
    ]
    metric = {
        "Namespace": drawn.namespace,
        "MetricName": drawn.metric,
        "Dimensions": dimensions,
    }
    return {
        "Id": number_,
        "MetricStat": {"Metric": metric, "Period": period_s, "Stat": drawn.statistic},
    }
