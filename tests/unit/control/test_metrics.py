"""CloudWatch's metrics: those of training jobs, and those that are put."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sagelet.domain.home import Home
from sagelet.errors import NotSupported
from sagelet.journal.job_metrics import JobMetrics
from sagelet.journal.metric_store import METRICS_AT_MOST, MetricStore
from sagelet.journal.series import Sample
from sagelet.wire.faults import Fault
from tests.control_bench import Bench, a_bench

JOBS = "/aws/sagemaker/TrainingJobs"
DEFINITIONS = {"MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*)"}]}


class Desk:
    """A bench, and the moments around its clock's."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.bench: Bench = a_bench(root)
        self.now = self.bench.clock.now().replace(second=0, microsecond=0)

    async def ask(self, operation: str, **document: Any) -> dict[str, Any]:  # noqa: ANN401  AWS's members
        return await self.bench.ask_service("cloudwatch", operation, **document)

    async def put(self, *data: dict[str, Any], namespace: str = "mine") -> None:
        await self.ask("PutMetricData", Namespace=namespace, MetricData=list(data))

    async def statistics(self, name: str = "loss", **more: Any) -> dict[str, Any]:  # noqa: ANN401  AWS's members
        asked = {
            "Namespace": "mine",
            "StartTime": self.now,
            "EndTime": self.now + timedelta(minutes=10),
            "Period": 60,
            "Statistics": ["Average"],
        }
        return await self.ask("GetMetricStatistics", MetricName=name, **(asked | more))

    async def data(self, *queries: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401  AWS's members
        asked = {"StartTime": self.now, "EndTime": self.now + timedelta(minutes=10)}
        return await self.ask("GetMetricData", MetricDataQueries=list(queries), **(asked | more))

    async def job(self, name: str, points: dict[str, Sequence[tuple[float, float]]]) -> None:
        """A job whose runner found points, by host: seconds from now, and the value."""
        specification = {"TrainingImage": "img", "TrainingInputMode": "File", **DEFINITIONS}
        await self.bench.create_job(name, AlgorithmSpecification=specification)
        with self.bench.store.reading() as snapshot:
            ulid = snapshot.training_jobs.get(name).ulid
        journal = JobMetrics(Home(self.root).job(ulid) / "metrics")
        journal.name(["loss"])
        for host, samples in points.items():
            journal.series(host, 0).append(
                Sample.of(round(1000 * (self.now.timestamp() + after)), value)
                for after, value in samples
            )

    def after(self, seconds: float) -> datetime:
        return self.now + timedelta(seconds=seconds)


def stat(
    ident: str = "m",
    dimensions: Sequence[tuple[str, str]] = (),
    **changes: Any,  # noqa: ANN401  AWS's members
) -> dict[str, Any]:
    named = [{"Name": name, "Value": value} for name, value in dimensions]
    metric: dict[str, Any] = {"Namespace": "mine", "MetricName": "loss"}
    if named:
        metric |= {"Namespace": JOBS, "Dimensions": named}
    return {
        "Id": ident,
        "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Average"} | changes,
    }


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.bench.store.close()


async def test_what_was_put_is_told_by_period(desk: Desk) -> None:
    for second, value in ((1, 1.0), (59, 3.0), (61, 8.0)):
        await desk.put({"MetricName": "loss", "Value": value, "Timestamp": desk.after(second)})
    every = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"]
    shown = await desk.statistics(Statistics=every)
    assert shown["Label"] == "loss"
    first, second_point = shown["Datapoints"]
    assert first == {
        "Timestamp": desk.now,
        "Unit": "None",
        "SampleCount": 2.0,
        "Average": 2.0,
        "Sum": 4.0,
        "Minimum": 1.0,
        "Maximum": 3.0,
    }
    assert second_point["Timestamp"] == desk.after(60)


async def test_a_period_of_one_second_is_as_fine_as_it_gets(desk: Desk) -> None:
    for second in (1, 2):
        await desk.put({"MetricName": "loss", "Value": second, "Timestamp": desk.after(second)})
    shown = await desk.statistics(Period=1)
    assert [point["Timestamp"] for point in shown["Datapoints"]] == [desk.after(1), desk.after(2)]


async def test_values_may_come_with_counts_or_as_statistics(desk: Desk) -> None:
    known = {"SampleCount": 4, "Sum": 8, "Minimum": 1, "Maximum": 5}
    await desk.put(
        {"MetricName": "loss", "Values": [1.0, 2.0], "Counts": [3.0, 1.0]},
        {"MetricName": "loss", "Values": [9.0]},
        {"MetricName": "loss", "StatisticValues": known},
    )
    shown = await desk.statistics(Statistics=["Sum", "SampleCount", "Maximum"])
    assert shown["Datapoints"][0]["Sum"] == 3 + 2 + 9 + 8
    assert shown["Datapoints"][0]["SampleCount"] == 4 + 1 + 4
    assert shown["Datapoints"][0]["Maximum"] == 9


async def test_dimensions_and_units_keep_metrics_apart(desk: Desk) -> None:
    size = [{"Name": "size", "Value": "s"}, {"Name": "color", "Value": "c"}]
    await desk.put(
        {"MetricName": "loss", "Value": 1, "Unit": "Seconds"},
        {"MetricName": "loss", "Value": 2, "Unit": "Bytes"},
        {"MetricName": "loss", "Value": 3, "Dimensions": size},
    )
    units = [point["Unit"] for point in (await desk.statistics())["Datapoints"]]
    assert sorted(units) == ["Bytes", "Seconds"]
    only = await desk.statistics(Unit="Bytes")
    assert [point["Average"] for point in only["Datapoints"]] == [2]
    other = await desk.statistics(Dimensions=size[::-1])
    assert [point["Average"] for point in other["Datapoints"]] == [3]


async def test_metrics_are_there_after_a_restart(desk: Desk, tmp_path: Path) -> None:
    await desk.put({"MetricName": "loss", "Value": 1}, namespace="ünï/code: x")
    (found,) = MetricStore(Home(tmp_path)).measured()
    assert (found.metric.namespace, found.metric.name, found.unit) == (
        "ünï/code: x",
        "loss",
        "None",
    )


async def test_a_host_of_a_job_has_points_of_its_own_and_the_job_has_all(desk: Desk) -> None:
    await desk.job("train-1", {"algo-1": [(0, 1.0), (70, 5.0)], "algo-2": [(1, 3.0)]})
    shown = await desk.data(
        stat("one", [("Host", "train-1/algo-1")]),
        stat("two", [("Host", "train-1/algo-2")]),
        stat("all", [("TrainingJobName", "train-1")]),
        stat("none", [("TrainingJobName", "other")]),
        ScanBy="TimestampAscending",
    )
    values = {result["Id"]: result["Values"] for result in shown["MetricDataResults"]}
    assert values == {"one": [1.0, 5.0], "two": [3.0], "all": [2.0, 5.0], "none": []}
    assert "NextToken" not in shown
    first = shown["MetricDataResults"][0]
    assert first["Timestamps"] == [desk.now, desk.after(60)]
    assert (first["Label"], first["StatusCode"]) == ("loss", "Complete")


async def test_points_come_newest_first_unless_asked_otherwise(desk: Desk) -> None:
    await desk.job("train-1", {"algo-1": [(0, 1.0), (70, 5.0)]})
    shown = await desk.data(stat("m", [("Host", "train-1/algo-1")]))
    assert shown["MetricDataResults"][0]["Values"] == [5.0, 1.0]


async def test_data_come_page_by_page(desk: Desk) -> None:
    await desk.job("train-1", {"algo-1": [(s, float(s)) for s in range(5)], "algo-2": [(0, 9.0)]})
    queries = [
        stat("a", [("Host", "train-1/algo-1")], Period=1),
        stat("b", [("Host", "train-1/algo-2")], Period=1),
    ]
    pages: list[dict[str, Any]] = []
    more: dict[str, Any] = {}
    while not pages or "NextToken" in pages[-1]:
        pages.append(
            await desk.data(*queries, MaxDatapoints=2, ScanBy="TimestampAscending", **more)
        )
        more = {"NextToken": pages[-1].get("NextToken")}
    found = [[result["Values"] for result in page["MetricDataResults"]] for page in pages]
    assert found == [[[0.0, 1.0], []], [[2.0, 3.0], []], [[4.0], [9.0]]]
    codes = [[result["StatusCode"] for result in page["MetricDataResults"]] for page in pages]
    assert codes == [["PartialData"] * 2, ["PartialData"] * 2, ["Complete"] * 2]


async def test_what_is_not_to_be_returned_is_left_out(desk: Desk) -> None:
    shown = await desk.data(stat("a") | {"ReturnData": False}, stat("b") | {"Label": "Verlust"})
    assert [(one["Id"], one["Label"]) for one in shown["MetricDataResults"]] == [("b", "Verlust")]


async def test_metrics_with_points_are_listed_by_what_they_are(desk: Desk) -> None:
    await desk.put({"MetricName": "mine", "Value": 1})
    await desk.job("train-1", {"algo-1": [(0, 1.0)], "algo-2": []})
    await desk.job("train-2", {"algo-1": [(0, 1.0)]})
    everything = (await desk.ask("ListMetrics"))["Metrics"]
    assert len(everything) == 5
    hosts = await desk.ask("ListMetrics", Namespace=JOBS, Dimensions=[{"Name": "Host"}])
    assert [one["Dimensions"][0]["Value"] for one in hosts["Metrics"]] == [
        "train-2/algo-1",
        "train-1/algo-1",
    ]
    of_one = [{"Name": "TrainingJobName", "Value": "train-1"}]
    one = await desk.ask("ListMetrics", MetricName="loss", Dimensions=of_one)
    assert one["Metrics"] == [{"Namespace": JOBS, "MetricName": "loss", "Dimensions": of_one}]


async def test_many_metrics_are_listed_page_by_page_and_there_is_a_limit(desk: Desk) -> None:
    for start in range(0, METRICS_AT_MOST, 250):
        names = (f"m{number:04}" for number in range(start, start + 250))
        await desk.put(*({"MetricName": name, "Value": 1} for name in names))
    first = await desk.ask("ListMetrics", Namespace="mine")
    second = await desk.ask("ListMetrics", Namespace="mine", NextToken=first["NextToken"])
    assert len(first["Metrics"]) == len(second["Metrics"]) == 500
    assert "NextToken" not in second
    with pytest.raises(Fault, match="1000 metrics are kept") as refused:
        await desk.put({"MetricName": "one more", "Value": 1})
    assert refused.value.code == "LimitExceededFault"
    await desk.put({"MetricName": "m0000", "Value": 1})


@pytest.mark.parametrize(
    ("datum", "words"),
    [
        ({}, "At least one of the parameters must be specified"),
        ({"Value": 1, "Values": [1.0]}, "mutually exclusive"),
        ({"Value": float("nan")}, "not a finite number"),
        ({"Values": [1.0], "Counts": [1.0, 2.0]}, "same length"),
        (
            {"StatisticValues": {"SampleCount": 0, "Sum": 0, "Minimum": 0, "Maximum": 0}},
            "must be above 0",
        ),
        ({"Value": 1, "Timestamp": datetime.fromisoformat("2020-01-01T00:00Z")}, "two weeks"),
    ],
)
async def test_a_datum_that_is_none_is_refused(
    desk: Desk, datum: dict[str, Any], words: str
) -> None:
    with pytest.raises(Fault, match=words):
        await desk.put({"MetricName": "loss", **datum})


async def test_the_namespaces_of_aws_are_its_own(desk: Desk) -> None:
    with pytest.raises(Fault, match="The value AWS/EC2 for parameter Namespace is invalid"):
        await desk.put({"MetricName": "loss", "Value": 1}, namespace="AWS/EC2")


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"Period": 7}, "InvalidParameterValueException", "multiple of 60"),
        ({"Statistics": None}, "InvalidParameterCombinationException", "Must specify either"),
        ({"Days": 2, "Period": 1}, "InvalidParameterCombinationException", "up to 172,800"),
        ({"Days": -1}, "InvalidParameterValueException", "StartTime must be less"),
    ],
)
async def test_statistics_that_make_no_sense_are_refused(
    desk: Desk, changes: dict[str, Any], code: str, words: str
) -> None:
    if "Days" in changes:
        changes = {**changes, "EndTime": desk.now + timedelta(days=changes["Days"])}
        del changes["Days"]
    with pytest.raises(Fault, match=words) as refused:
        await desk.statistics(**changes)
    assert refused.value.code == code


async def test_data_that_make_no_sense_are_refused(desk: Desk) -> None:
    with pytest.raises(NotSupported, match="the statistic tm99 is not served"):
        await desk.data(stat(Stat="tm99"))
    with pytest.raises(NotSupported, match="Metrics Insights"):
        await desk.data({"Id": "m", "Expression": "SUM(METRICS())"})
    with pytest.raises(Fault, match="every Id must be unique"):
        await desk.data(stat("a"), stat("a"))
    with pytest.raises(Fault, match="needs a MetricStat"):
        await desk.data({"Id": "m"})
    with pytest.raises(Fault, match="NextToken is invalid"):
        await desk.data(stat(), NextToken="nonsense")
