"""What endpoints did over time: ten seconds each, then minutes, and what a restart keeps."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from sagelet.journal.endpoint_metrics import EndpointMetrics, Values, VariantMetrics
from sagelet.journal.series import Sample, folded
from sagelet.journal.spreads import Spread

MINUTE = 60_000
HOUR = 60 * MINUTE


def values(ms: int, *latencies: float) -> Values:
    return {"ModelLatency": Spread.of_values(ms, latencies or (1.0,))}


def a_variant() -> VariantMetrics:
    return VariantMetrics("v", lambda _variant, _ms, _values: None)


def counts(metrics: VariantMetrics, start_ms: int = 0) -> list[tuple[int, float]]:
    return [(sample.ms, sample.count) for sample in metrics.samples("ModelLatency", start_ms)]


def test_what_is_measured_within_ten_seconds_is_one_sample() -> None:
    metrics = a_variant()
    for ms in (3, 9_999, 10_000):
        metrics.add(HOUR + ms, values(HOUR + ms))
    assert counts(metrics) == [(HOUR, 2), (HOUR + 10_000, 1)]


def test_after_an_hour_only_minutes_are_left() -> None:
    metrics = a_variant()
    for ms in (HOUR, HOUR + 30_000, HOUR + MINUTE, 2 * HOUR + MINUTE):
        metrics.add(ms, values(ms))
    assert counts(metrics) == [(HOUR, 2), (HOUR + MINUTE, 1), (2 * HOUR + MINUTE, 1)]


def test_nothing_is_counted_twice_while_it_is_in_both() -> None:
    metrics = a_variant()
    for ms in range(HOUR, HOUR + 10 * MINUTE, 10_000):
        metrics.add(ms, values(ms))
    assert sum(count for _, count in counts(metrics)) == 60


def test_a_day_is_kept() -> None:
    metrics = a_variant()
    for minute in range(2 * 24 * 60):
        metrics.add(minute * MINUTE, values(minute * MINUTE))
    kept = counts(metrics)
    assert len(kept) <= 24 * 60 + 1
    assert kept[0][0] >= (24 * 60 - 1) * MINUTE


def test_a_window_of_time_can_be_asked_for() -> None:
    metrics = a_variant()
    for ms in (HOUR, HOUR + 10_000, HOUR + 20_000):
        metrics.add(ms, values(ms))
    found = metrics.samples("ModelLatency", HOUR + 10_000, HOUR + 20_000)
    assert [sample.ms for sample in found] == [HOUR + 10_000]
    assert metrics.names() == {"ModelLatency"}


def test_a_restart_keeps_the_minutes(tmp_path: Path) -> None:
    now = int(time.time() * 1000)
    now -= now % MINUTE
    tmp_path.joinpath("1").mkdir()
    first = EndpointMetrics()
    first.open("sentiment", tmp_path / "1")
    before = first.of("sentiment", "v")
    before.add(now - MINUTE, values(now, 100.0, 200.0, 900.0))
    before.add(now, {**values(now, 5.0), "CPUUtilization": Sample.of(now, 50.0)})
    series = first.find("sentiment")
    assert series is not None
    series.end_minutes(None)
    series.write()
    second = EndpointMetrics()
    second.open("sentiment", tmp_path / "1")
    after = second.of("sentiment", "v")
    after.add(now + 10_000, values(now, 7.0))
    assert counts(after) == [(now - MINUTE, 3), (now, 1), (now + 10_000, 1)]
    whole = folded(after.samples("ModelLatency"), HOUR * 24 * 365 * 100)[0]
    assert isinstance(whole, Spread)
    assert whole.percentile(100) == 900
    assert whole.percentile(60) == pytest.approx(100, rel=0.05)
    assert [sample.average for sample in after.samples("CPUUtilization")] == [50]


def test_what_is_older_than_a_day_is_not_read_back(tmp_path: Path) -> None:
    metrics = EndpointMetrics()
    metrics.open("sentiment", tmp_path)
    metrics.of("sentiment", "v").add(HOUR, values(HOUR))
    series = metrics.find("sentiment")
    assert series is not None
    series.end_minutes(None)
    series.write()
    again = EndpointMetrics()
    again.open("sentiment", tmp_path)
    assert counts(again.of("sentiment", "v")) == []


def test_a_line_that_was_not_written_whole_is_passed_over(tmp_path: Path) -> None:
    now = int(time.time() * 1000)
    line = json.dumps({"t": now, "v": "v", "m": {"Invocations": [1, 1, 1, 1]}}) + "\n"
    tmp_path.joinpath("metrics.jsonl").write_text(line + line[:20] + "\n[]\nnull\n" + line)
    metrics = EndpointMetrics()
    metrics.open("sentiment", tmp_path)
    assert len(list(metrics.of("sentiment", "v").samples("Invocations"))) == 2


def test_an_endpoint_that_is_deleted_leaves_nothing(tmp_path: Path) -> None:
    metrics = EndpointMetrics()
    metrics.open("sentiment", tmp_path / "gone")
    metrics.of("sentiment", "v").add(HOUR, values(HOUR))
    series = metrics.find("sentiment")
    assert series is not None
    metrics.forget("sentiment")
    series.end_minutes(None)
    series.write()
    assert metrics.find("sentiment") is None
    assert not list(tmp_path.iterdir())


def test_a_percentile_is_right_to_five_per_cent() -> None:
    numbers = [1.17**step for step in range(100)]
    spread = Spread.of_values(0, numbers)
    for percent in (0.1, 10, 50, 90, 99, 100):
        exact = sorted(numbers)[max(0, -(-len(numbers) * percent // 100).__trunc__() - 1)]
        assert spread.percentile(percent) == pytest.approx(exact, rel=0.06)


def test_one_value_is_every_percentile_and_exact() -> None:
    spread = Spread.of_values(0, [0.0])
    assert spread.percentile(1) == spread.percentile(99.9) == 0.0
    assert Spread.of_values(0, [1234.5]).percentile(50) == 1234.5
