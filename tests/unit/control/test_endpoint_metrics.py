"""What CloudWatch tells of endpoints: AWS's names, units and dimensions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sagelet.domain.invocation import Timing
from sagelet.errors import NotSupported
from sagelet.hosting.metering import Meter
from sagelet.journal.series import Sample
from tests.control_bench import Bench, a_bench

INVOCATIONS = "AWS/SageMaker"
INSTANCES = "/aws/sagemaker/Endpoints"
DIMENSIONS = [
    {"Name": "VariantName", "Value": "AllTraffic"},
    {"Name": "EndpointName", "Value": "sentiment"},
]
NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
NOW_MS = round(NOW.timestamp() * 1000)


class Desk:
    """A bench whose endpoint is measured; `meter` counts its answers."""

    def __init__(self, root: Path) -> None:
        self.bench: Bench = a_bench(root)
        self.metrics = self.bench.metrics.endpoints
        self.metrics.open("sentiment", root / "endpoints" / "1")
        self.variant = self.metrics.of("sentiment", "AllTraffic")
        self.meter = Meter(self.variant)

    def answered(self, *answers: tuple[int, float, float], after_s: float = 0.0) -> None:
        """Count answers: a status, and milliseconds in the line and in all."""
        for status, wait_ms, total_ms in answers:
            self.meter.count(status, Timing(wait_ms, {}, total_ms))
        self.meter.fold(NOW_MS + round(1000 * after_s))

    async def statistics(self, name: str, **more: Any) -> list[dict[str, Any]]:  # noqa: ANN401  AWS's members
        asked = {
            "Namespace": INVOCATIONS,
            "Dimensions": DIMENSIONS,
            "StartTime": NOW,
            "EndTime": NOW + timedelta(minutes=10),
            "Period": 60,
            "Statistics": ["Sum"],
        }
        ask = self.bench.ask_service
        shown = await ask("cloudwatch", "GetMetricStatistics", MetricName=name, **(asked | more))
        points: list[dict[str, Any]] = shown["Datapoints"]
        return points


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.bench.store.close()


async def test_invocations_and_their_errors_are_counted(desk: Desk) -> None:
    desk.answered((200, 0, 1), (400, 0, 1), (503, 0, 1), (0, 0, 1))
    desk.answered((200, 0, 1), after_s=60)
    counted = {}
    for name in ("Invocations", "Invocation4XXErrors", "Invocation5XXErrors",
                 "InvocationModelErrors"):  # fmt: skip
        counted[name] = [point["Sum"] for point in await desk.statistics(name)]
    assert counted == {
        "Invocations": [4, 1],
        "Invocation4XXErrors": [1, 0],
        "Invocation5XXErrors": [1, 0],
        "InvocationModelErrors": [3, 0],
    }


async def test_an_errors_average_is_its_rate(desk: Desk) -> None:
    desk.answered((200, 0, 1), (200, 0, 1), (500, 0, 1), (200, 0, 1))
    (point,) = await desk.statistics("Invocation5XXErrors", Statistics=["Average", "SampleCount"])
    assert (point["Average"], point["SampleCount"]) == (0.25, 4)


async def test_latencies_are_microseconds_of_the_model_and_of_the_line(desk: Desk) -> None:
    desk.answered((200, 0.5, 2.5), (200, 1.5, 5.5))
    every = {"Statistics": ["Average", "Minimum", "Maximum"]}
    (model,) = await desk.statistics("ModelLatency", **every)
    (overhead,) = await desk.statistics("OverheadLatency", **every)
    assert model["Unit"] == overhead["Unit"] == "Microseconds"
    assert (model["Average"], model["Minimum"], model["Maximum"]) == (3000, 2000, 4000)
    assert (overhead["Average"], overhead["Minimum"], overhead["Maximum"]) == (1000, 500, 1500)


async def test_percentiles_are_extended_statistics(desk: Desk) -> None:
    desk.answered(*((200, 0.0, float(ms)) for ms in range(1, 101)))
    (point,) = await desk.statistics("ModelLatency", ExtendedStatistics=["p50", "p99", "p99.9"])
    found = point["ExtendedStatistics"]
    assert found["p50"] == pytest.approx(50_000, rel=0.05)
    assert found["p99"] == pytest.approx(99_000, rel=0.05)
    assert found["p99.9"] == pytest.approx(100_000, rel=0.05)


async def test_percentiles_of_a_period_are_of_all_its_answers(desk: Desk) -> None:
    desk.answered(*((200, 0.0, 1.0) for _ in range(98)))
    desk.answered((200, 0.0, 500.0), (200, 0.0, 500.0), after_s=30)
    points = await desk.statistics("ModelLatency", Period=300, ExtendedStatistics=["p50", "p99"])
    (found,) = [point["ExtendedStatistics"] for point in points]
    assert found["p50"] == pytest.approx(1_000, rel=0.05)
    assert found["p99"] == pytest.approx(500_000, rel=0.05)


async def test_data_may_be_asked_for_by_percentile(desk: Desk) -> None:
    desk.answered((200, 0.0, 3.0))
    metric = {"Namespace": INVOCATIONS, "MetricName": "ModelLatency", "Dimensions": DIMENSIONS}
    shown = await desk.bench.ask_service(
        "cloudwatch",
        "GetMetricData",
        MetricDataQueries=[
            {"Id": "m", "MetricStat": {"Metric": metric, "Period": 10, "Stat": "p90"}}
        ],
        StartTime=NOW,
        EndTime=NOW + timedelta(minutes=1),
    )
    (result,) = shown["MetricDataResults"]
    assert result["Values"] == pytest.approx([3000], rel=0.05)
    assert result["Timestamps"] == [NOW]


async def test_percentiles_of_other_metrics_are_refused(desk: Desk) -> None:
    desk.answered((200, 0, 1))
    with pytest.raises(NotSupported, match="latencies of endpoints only"):
        await desk.statistics("Invocations", ExtendedStatistics=["p50"])


async def test_other_extended_statistics_are_refused(desk: Desk) -> None:
    with pytest.raises(NotSupported, match="tm90 is not served"):
        await desk.statistics("ModelLatency", ExtendedStatistics=["tm90"])


async def test_what_instances_use_is_in_a_namespace_of_its_own(desk: Desk) -> None:
    desk.variant.add(NOW_MS, {"CPUUtilization": Sample.of(NOW_MS, 150.0)})
    asked = {"Namespace": INSTANCES, "Statistics": ["Average"]}
    (point,) = await desk.statistics("CPUUtilization", **asked)
    assert (point["Average"], point["Unit"]) == (150.0, "Percent")
    assert await desk.statistics("CPUUtilization") == []


async def test_metrics_of_endpoints_are_listed(desk: Desk) -> None:
    desk.answered((200, 0, 1))
    shown = await desk.bench.ask_service("cloudwatch", "ListMetrics", Namespace=INVOCATIONS)
    assert {metric["MetricName"] for metric in shown["Metrics"]} == {
        "Invocations", "Invocation4XXErrors", "Invocation5XXErrors", "InvocationModelErrors",
        "ModelLatency", "OverheadLatency",
    }  # fmt: skip
    named = [{"Name": "EndpointName", "Value": "another"}]
    shown = await desk.bench.ask_service("cloudwatch", "ListMetrics", Dimensions=named)
    assert shown["Metrics"] == []


async def test_what_was_just_counted_is_told_at_once(desk: Desk) -> None:
    desk.metrics.gather = lambda: desk.meter.fold(NOW_MS)
    desk.meter.count(200, Timing(0, {}, 1))
    assert [point["Sum"] for point in await desk.statistics("Invocations")] == [1]
