"""What handlers count and time, as lines of the log."""

from __future__ import annotations

import enum
from types import SimpleNamespace

import pytest

from sagelet.worker.serving.context import Context
from sagelet.worker.serving.metrics import Metrics


@pytest.fixture
def metrics() -> Metrics:
    return Context("/m").metrics


def logged(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_each_call_is_a_line_in_the_model_servers_form(capsys: pytest.CaptureFixture[str]) -> None:
    context = Context("/m")
    context.metrics.add_time("Tokenise", 1.5)
    (line,) = logged(capsys)
    begin, _, rest = line.partition("|#hostname:")
    assert begin == ("[METRICS]Tokenise.Milliseconds:1.5|#ModelName:model,Level:Model|#type:GAUGE")
    assert rest.split(",")[2] == context.get_request_id(0)


def test_units_are_spelled_out(metrics: Metrics, capsys: pytest.CaptureFixture[str]) -> None:
    metrics.add_counter("Tokens", 3)
    metrics.add_time("Wait", 2, unit="s")
    metrics.add_size("Batch", 2, unit="kB")
    metrics.add_percent("Full", 50)
    metrics.add_metric("Any", 1, "furlongs")
    metrics.add_error("Oops", "text")
    assert [line.partition("|")[0] for line in logged(capsys)] == [
        "[METRICS]Tokens.Count:3",
        "[METRICS]Wait.Seconds:2",
        "[METRICS]Batch.Kilobytes:2",
        "[METRICS]Full.Percent:50",
        "[METRICS]Any.furlongs:1",
        "[METRICS]Oops.unit:text",
    ]


def test_dimensions_come_before_the_models_own(
    metrics: Metrics, capsys: pytest.CaptureFixture[str]
) -> None:
    kind = enum.Enum("kind", "HISTOGRAM")
    dimensions = [SimpleNamespace(name="Language", value="de")]
    metrics.add_metric("Words", 7, "count", 0, dimensions, kind.HISTOGRAM)
    metrics.add_error("Oops", 1, dimensions)
    first, second = logged(capsys)
    assert "|#Language:de,ModelName:model,Level:Model|#type:HISTOGRAM|" in first
    assert "|#Language:de,Level:Error|#type:COUNTER|" in second


def test_a_metric_that_was_named_once_is_written_often(
    metrics: Metrics, capsys: pytest.CaptureFixture[str]
) -> None:
    metrics.add_metric_to_cache("Hits", "count", ["Kind"])
    metrics.get_metric("Hits").add_or_update(2, ["new"], "an-id")
    (line,) = logged(capsys)
    assert line.startswith("[METRICS]Hits.Count:2|#Kind:new|#type:COUNTER|#hostname:")
    assert line.endswith(",an-id")
    with pytest.raises(KeyError):
        metrics.get_metric("Misses")


def test_a_negative_count_is_an_errors_line(
    metrics: Metrics, capsys: pytest.CaptureFixture[str]
) -> None:
    metrics.add_counter("Tokens", -1)
    (line,) = logged(capsys)
    assert line.startswith("[METRICS]Failed to update metric with name:Tokens")


def test_other_units_are_refused(metrics: Metrics) -> None:
    with pytest.raises(ValueError, match="timed metric should be one of"):
        metrics.add_time("Wait", 1, unit="min")
    with pytest.raises(ValueError, match="size based metric is one of"):
        metrics.add_size("Batch", 1, unit="TB")
