"""Counting answers and their times."""

from __future__ import annotations

import pytest

from sagelet.domain.invocation import Timing
from sagelet.hosting.metering import Meter
from sagelet.journal.endpoint_metrics import VariantMetrics


def test_percentiles_are_of_the_last_thousand() -> None:
    meter = Meter()
    for number in range(3000):
        meter.count(200, Timing(0.5, {"predict_fn": 2.0}, number))
    assert meter.requests == 3000
    assert meter.latency_ms() == {"p50": 2499, "p90": 2899, "p99": 2989}
    assert meter.phases_ms() == {"queue": 0.5, "predict_fn": 2.0}


def test_one_answer_is_every_percentile() -> None:
    meter = Meter()
    meter.count(200, Timing(0, {}, 7.0))
    assert meter.latency_ms() == {"p50": 7.0, "p90": 7.0, "p99": 7.0}


def test_before_the_first_there_are_none() -> None:
    assert Meter().latency_ms() == Meter().phases_ms() == {}


@pytest.mark.parametrize(("status", "errors"), [(200, 0), (302, 0), (400, 1), (500, 1), (0, 1)])
def test_what_is_an_error_is_what_is_a_model_error(status: int, errors: int) -> None:
    meter = Meter()
    meter.count(status, Timing())
    assert meter.errors == errors


def test_differences_are_counted_by_their_ids() -> None:
    meter = Meter()
    meter.count(200, Timing(), ("media-type-case", "scalar-body"))
    meter.count(200, Timing(), ("media-type-case",))
    assert meter.differs == {"media-type-case": 2, "scalar-body": 1}


def test_nothing_is_taken_for_quick_before_it_was_seen_to_be() -> None:
    meter = Meter()
    for _ in range(20):
        meter.pace(0.2)
    assert meter.pace_ms > 5
    for _ in range(80):
        meter.pace(0.2)
    assert meter.pace_ms < 1
    meter.pace(1000)
    assert meter.pace_ms > 5


def a_metered_variant() -> tuple[Meter, VariantMetrics]:
    metrics = VariantMetrics("v", lambda _variant, _ms, _values: None)
    return Meter(metrics, due=0.0), metrics


def test_what_is_counted_is_measured_once_and_all_of_it() -> None:
    meter, metrics = a_metered_variant()
    for _ in range(2500):
        meter.count(200, Timing(1.0, {}, 3.0))
    meter.fold()
    meter.fold()
    samples = list(metrics.samples("ModelLatency"))
    assert sum(sample.count for sample in samples) == 2500
    assert {sample.average for sample in samples} == {2000.0}


def test_a_failure_has_an_allowance_of_its_own() -> None:
    meter, _ = a_metered_variant()
    meter.was_recorded(200, next_due=50.0)
    assert meter.due == 50.0
    meter.count(500, Timing())
    assert meter.due == 0.0
    meter.was_recorded(500, next_due=49.0)
    assert meter.due == 50.0
