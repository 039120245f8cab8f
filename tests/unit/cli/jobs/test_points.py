"""Curves of jobs, by GetMetricData alone."""

from __future__ import annotations

from datetime import timedelta

from sagelet.cli.jobs.points import MetricsReader, hosts_of
from tests.job_metrics import BEGUN, ScriptedCloudWatch, a_description, a_point, at


def test_each_metric_of_each_host_that_has_points_is_a_curve() -> None:
    watch = ScriptedCloudWatch()
    watch.add("j/algo-1", "loss", 3.0, 1.0, 2.0)
    watch.add("j/algo-2", "f1", 0.5)
    curves = MetricsReader(watch, period_s=1).curves(a_description("j", "loss", "f1", hosts=2))
    assert [(curve.host, curve.metric) for curve in curves] == [
        ("algo-1", "loss"),
        ("algo-2", "f1"),
    ]
    loss = curves[0]
    assert (loss.last, loss.least, loss.greatest, loss.count) == (2.0, 1.0, 3.0, 3)
    assert loss.points == (a_point(0, 3.0), a_point(1, 1.0), a_point(2, 2.0))


def test_only_the_metrics_that_are_named_are_asked_for() -> None:
    watch = ScriptedCloudWatch()
    watch.add("j/algo-1", "loss", 1.0)
    watch.add("j/algo-1", "f1", 1.0)
    curves = MetricsReader(watch, period_s=60).curves(a_description("j", "loss", "f1"), ["f1"])
    assert [curve.metric for curve in curves] == ["f1"]
    (asked,) = watch.asked
    assert {query["MetricStat"]["Period"] for query in asked["MetricDataQueries"]} == {60}


def test_every_page_is_read() -> None:
    watch = ScriptedCloudWatch(page=2)
    watch.add("j/algo-1", "loss", *range(5))
    (curve,) = MetricsReader(watch, period_s=1).curves(a_description("j", "loss"))
    assert [point.value for point in curve.points] == [0, 1, 2, 3, 4]
    assert len(watch.asked) == 3


def test_metrics_that_are_published_for_the_whole_job_are_found() -> None:
    watch = ScriptedCloudWatch()
    reader = MetricsReader(watch, period_s=60)
    watch.add("j", "loss", 1.0, 2.0)
    (curve,) = reader.curves(a_description("j", "loss"))
    assert (curve.host, curve.last) == ("", 2.0)
    (later,) = reader.curves(a_description("j", "loss"), since=at(1))
    assert [point.at for point in later.points] == [at(1)]


def test_a_job_without_metrics_is_not_asked_for() -> None:
    watch = ScriptedCloudWatch()
    assert MetricsReader(watch, period_s=1).curves(a_description("j")) == []
    assert watch.asked == []


def test_a_request_has_as_many_queries_as_aws_takes() -> None:
    watch = ScriptedCloudWatch()
    names = [f"m{number}" for number in range(40)]
    for name in names:
        watch.add("j/algo-4", name, 1.0)
    curves = MetricsReader(watch, period_s=1).curves(a_description("j", *names, hosts=4))
    assert len(curves) == 40
    assert [len(asked["MetricDataQueries"]) for asked in watch.asked] == [500, 140]


def test_the_window_is_the_jobs_time_and_a_minute_around_it() -> None:
    watch = ScriptedCloudWatch()
    ended = BEGUN + timedelta(hours=1)
    MetricsReader(watch, period_s=1).curves(a_description("j", "loss", TrainingEndTime=ended))
    minute = timedelta(minutes=1)
    assert (watch.asked[0]["StartTime"], watch.asked[0]["EndTime"]) == (
        BEGUN - minute,
        ended + minute,
    )


def test_hosts_of_instance_groups_are_counted_together() -> None:
    groups = [{"InstanceCount": 2}, {"InstanceCount": 1}]
    description = a_description(ResourceConfig={"InstanceGroups": groups})
    assert hosts_of(description) == ["algo-1", "algo-2", "algo-3"]
