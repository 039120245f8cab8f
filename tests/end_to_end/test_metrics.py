"""A script prints metrics: CloudWatch's clients, our program and the SDK's analytics see them."""

from __future__ import annotations

import csv
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import botocore.loaders
import botocore.session
import pytest

from sagelet.environments import credentials
from tests.end_to_end.documents import a_training_job
from tests.end_to_end.local_aws import REPOSITORY, LocalAws, eventually

JOBS = "/aws/sagemaker/TrainingJobs"
AWS = REPOSITORY / ".venv-aws" / "bin" / "aws"
TRAIN = """
import os, pathlib, time
import boto3
for step in range(3):
    print(f"step={step} loss={1 / (1 + step)}; evil " + "a" * 60 + "!", flush=True)
boto3.client("cloudwatch").put_metric_data(
    Namespace="mine", MetricData=[{"MetricName": "speed", "Value": 7.5}]
)
while not pathlib.Path(os.environ["GO"]).exists():
    time.sleep(0.01)
print("loss=0.125;", flush=True)
"""
METRICS = [
    {"Name": "loss", "Regex": "loss=(.*?);"},
    {"Name": "evil", "Regex": "evil (a+)+$"},
    {"Name": "never", "Regex": "f1=(.*)"},
]


@pytest.fixture(scope="module")
def job(local: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A job that was looked at while it ran, and has ended."""
    source = tmp_path_factory.mktemp("metrics") / "source"
    source.mkdir()
    (source / "train.py").write_text(TRAIN)
    go = source.parent / "go"
    parameters = a_training_job("curves", source, Environment={"GO": str(go)})
    parameters["AlgorithmSpecification"]["MetricDefinitions"] = METRICS
    local.sagemaker.create_training_job(**parameters)
    eventually(lambda: len(values(local)) >= 1, "the metrics are there while the job runs")
    go.touch()
    return local.wait_ended("curves")


def statistics(local: LocalAws, **changes: Any) -> list[dict[str, Any]]:  # noqa: ANN401  AWS's own
    now = datetime.now(UTC)
    asked = {
        "Namespace": JOBS,
        "MetricName": "loss",
        "Dimensions": [{"Name": "Host", "Value": "curves/algo-1"}],
        "StartTime": now - timedelta(minutes=10),
        "EndTime": now + timedelta(minutes=1),
        "Period": 60,
        "Statistics": ["SampleCount", "Minimum", "Maximum"],
    }
    answer = local.client("cloudwatch").get_metric_statistics(**(asked | changes))
    points: list[dict[str, Any]] = answer["Datapoints"]
    return points


def values(local: LocalAws) -> list[float]:
    now = datetime.now(UTC)
    metric = {
        "Namespace": JOBS,
        "MetricName": "loss",
        "Dimensions": [{"Name": "Host", "Value": "curves/algo-1"}],
    }
    stat = {"Metric": metric, "Period": 1, "Stat": "Average"}
    pages = (
        local.client("cloudwatch")
        .get_paginator("get_metric_data")
        .paginate(
            MetricDataQueries=[{"Id": "m", "MetricStat": stat}],
            StartTime=now - timedelta(minutes=10),
            EndTime=now + timedelta(minutes=1),
        )
    )
    return [value for page in pages for one in page["MetricDataResults"] for value in one["Values"]]


def test_the_last_values_are_in_the_jobs_description(job: dict[str, Any]) -> None:
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    final = {one["MetricName"]: one["Value"] for one in job["FinalMetricDataList"]}
    assert final == {"loss": 0.125}


def test_the_log_says_which_expression_was_switched_off_and_which_never_matched(
    local: LocalAws, job: dict[str, Any]
) -> None:
    log = local.job_log("curves")
    assert [line for line in log if "metric evil" in line and "switched off" in line]
    assert "WARNING: metric never: no line matched f1=(.*)" in log


def test_boto3_gets_statistics_of_a_host_and_of_the_job(
    local: LocalAws, job: dict[str, Any]
) -> None:
    for dimension in (("Host", "curves/algo-1"), ("TrainingJobName", "curves")):
        named = [{"Name": dimension[0], "Value": dimension[1]}]
        points = statistics(local, Dimensions=named)
        assert sum(point["SampleCount"] for point in points) == 4
        assert min(point["Minimum"] for point in points) == 0.125
        assert max(point["Maximum"] for point in points) == 1.0


def test_a_script_puts_metrics_of_its_own(local: LocalAws, job: dict[str, Any]) -> None:
    points = statistics(local, Namespace="mine", MetricName="speed", Dimensions=[])
    assert [point["Maximum"] for point in points] == [7.5]
    listed = local.client("cloudwatch").list_metrics(Namespace="mine")["Metrics"]
    assert [one["MetricName"] for one in listed] == ["speed"]


def test_a_large_put_comes_compressed_and_is_read(local: LocalAws, job: dict[str, Any]) -> None:
    watch = local.client("cloudwatch")
    names = [{"Name": f"dimension{n}", "Value": "x" * 200} for n in range(10)]
    data = [{"MetricName": "big", "Value": n, "Dimensions": names} for n in range(20)]
    watch.put_metric_data(Namespace="compressed", MetricData=data)
    (point,) = statistics(local, Namespace="compressed", MetricName="big", Dimensions=names)
    assert (point["SampleCount"], point["Maximum"]) == (20, 19)


@pytest.mark.parametrize("protocol", ["smithy-rpc-v2-cbor", "json", "query"])
def test_clients_of_every_age_are_understood(
    local: LocalAws, tmp_path: Path, protocol: str
) -> None:
    watch = speaking(local, protocol, tmp_path)
    assert watch.meta.service_model.resolved_protocol == protocol
    name = [{"Name": "protocol", "Value": protocol}]
    # More than 10 kB, which botocore compresses.
    data = [{"MetricName": "m", "Value": n / 2, "Dimensions": name} for n in range(200)]
    watch.put_metric_data(Namespace="spoken", MetricData=data)
    metric = {"Namespace": "spoken", "MetricName": "m", "Dimensions": name}
    now = datetime.now(UTC)
    answer = watch.get_metric_data(
        MetricDataQueries=[
            {"Id": "m", "MetricStat": {"Metric": metric, "Period": 3600, "Stat": "Maximum"}}
        ],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
    )
    assert answer["MetricDataResults"][0]["Values"] == [99.5]
    assert answer["MetricDataResults"][0]["Timestamps"][0].minute == 0
    assert watch.list_metrics(Namespace="spoken", Dimensions=name)["Metrics"] == [metric]
    with pytest.raises(watch.exceptions.InvalidParameterValueException):
        watch.put_metric_data(Namespace="AWS/spoken", MetricData=data[:1])


def speaking(local: LocalAws, protocol: str, folder: Path) -> Any:  # noqa: ANN401  botocore's
    """A client whose model knows one protocol only, as an older or newer botocore's."""
    session: Any = botocore.session.Session()
    loader = session.get_component("data_loader")
    model = loader.load_service_model("cloudwatch", "service-2")
    model["metadata"] |= {"protocol": protocol, "protocols": [protocol]}
    place = folder / "cloudwatch" / model["metadata"]["apiVersion"] / "service-2.json"
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps(model))
    loader = botocore.loaders.create_loader(str(folder))
    session.register_component("data_loader", loader)
    key = credentials.load_or_create(local.home)
    return session.create_client(
        "cloudwatch",
        region_name="us-east-1",
        endpoint_url=local.info.address,
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
    )


def test_what_is_refused_is_raised_as_awss_own_error(local: LocalAws) -> None:
    watch = local.client("cloudwatch")
    with pytest.raises(watch.exceptions.InvalidParameterValueException) as refused:
        statistics(local, Period=7)
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValue"
    with pytest.raises(watch.exceptions.ClientError, match="not served by sagelet"):
        watch.describe_alarms()


@pytest.mark.skipif(not AWS.exists(), reason="made by `make .venv-aws/ready`")
def test_the_aws_command_line_gets_the_same(local: LocalAws, job: dict[str, Any]) -> None:
    variables = json.loads(local.sagelet("env", "--format", "json").stdout)
    now = datetime.now(UTC)
    printed = local.run(
        AWS, "cloudwatch", "get-metric-statistics", "--namespace", JOBS, "--metric-name", "loss",
        "--dimensions", "Name=Host,Value=curves/algo-1", "--period", "60",
        "--start-time", (now - timedelta(minutes=10)).isoformat(),
        "--end-time", (now + timedelta(minutes=1)).isoformat(),
        "--statistics", "SampleCount", cwd=local.home.root.parent, **variables,
    )  # fmt: skip
    assert sum(point["SampleCount"] for point in json.loads(printed)["Datapoints"]) == 4


def test_our_program_shows_a_table_and_every_point(local: LocalAws, job: dict[str, Any]) -> None:
    table = local.sagelet("metrics", "curves").stdout.splitlines()
    assert table[0].split() == ["METRIC", "LAST", "MIN", "MAX", "POINTS"]
    assert [line.split()[0] for line in table[1:]] == ["loss"]
    assert table[1].split()[-1] == "4"
    (summary,) = json.loads(local.sagelet("metrics", "curves", "--json").stdout)
    assert (summary["job"], summary["host"], summary["points"]) == ("curves", "algo-1", 4)
    assert (summary["min"], summary["max"]) == (0.125, 1.0)
    rows = list(csv.DictReader(local.sagelet("metrics", "curves", "--csv").stdout.splitlines()))
    assert sum(int(row["count"]) for row in rows) == 4
    lines = local.sagelet("metrics", "curves", "--jsonl", "--follow").stdout.splitlines()
    assert [json.loads(line)["value"] for line in lines] == [float(row["value"]) for row in rows]


def test_our_program_draws_files(local: LocalAws, job: dict[str, Any], tmp_path: Path) -> None:
    plot = tmp_path / "curves.svg"
    local.sagelet("metrics", "curves", "--plot", str(plot), "--metric", "loss")
    assert ElementTree.parse(plot).getroot().tag.endswith("svg")
    local.sagelet("metrics", "curves", "curves", "--plot", str(tmp_path / "two.png"))
    assert (tmp_path / "two.png").read_bytes().startswith(b"\x89PNG")
    assert "a plot is a .png or .svg" in local.sagelet(
        "metrics", "curves", "--plot", "curves.pdf", code=2
    ).stderr  # fmt: skip


def test_a_metric_that_is_not_there_is_told(local: LocalAws, job: dict[str, Any]) -> None:
    told = local.sagelet("metrics", "curves", "--metric", "lossy")
    assert told.stdout == ""
    assert "no such metric; there are loss, evil, never" in told.stderr
    local.sagelet("metrics", "nobody", code=4)


def test_where_matplotlib_is_missing_the_extra_is_named(
    local: LocalAws, job: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "matplotlib.py").write_text("raise ModuleNotFoundError('no')")
    hidden = LocalAws(local.home, {"PYTHONPATH": os.fspath(tmp_path)})
    told = hidden.sagelet("metrics", "curves", "--plot", str(tmp_path / "p.png"), code=2)
    assert "pip install 'sagelet[plot]'" in told.stderr
