"""The verdicts follow from the figures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.aims import FRESH, SWAPPED, Aim, aims, at_least, below, times
from benchmarks.results import Results
from benchmarks.training import Race
from tests.benchmark_figures import a_sample, an_edit, edited, some_results

FASTAPI, OTHER = a_sample(1000, p99_ms=10.0), a_sample(2000, p99_ms=20.0)


def line(results: Results, start: str) -> Aim:
    return next(aim for aim in aims(results) if aim.what.startswith(start))


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (2.0, "reached"),
        (1.5, "reached"),
        (1.2, "must reached, aim not"),
        (1.0, "**missed**"),
        (None, "not measured"),
    ],
)
def test_a_figure_that_is_to_be_high_is_judged_by_must_and_aim(
    value: float | None, verdict: str
) -> None:
    assert at_least("it", value, 1.1, 1.5, times).verdict == verdict


@pytest.mark.parametrize(
    ("value", "verdict"),
    [(0.7, "reached"), (0.8, "must reached, aim not"), (1.0, "**missed**")],
)
def test_a_figure_that_is_to_be_low_is_judged_by_must_and_aim(value: float, verdict: str) -> None:
    assert below("it", value, 1.0, 0.8, times).verdict == verdict


def test_where_nothing_is_asked_but_an_aim_only_that_is_judged() -> None:
    assert at_least("it", 0.5, None, 0.6, times).verdict == "not the aim"
    assert at_least("it", 0.7, None, 0.6, times).verdict == "reached"


def test_throughput_is_compared_with_the_peer_that_answers_most() -> None:
    results = some_results(a_sample(3000), a_sample(), {"FastAPI": FASTAPI, "Other": OTHER})

    found = line(results, "c=8, one call a request: requests a second")

    assert found.what.endswith("over the best peer's (Other)")
    assert (found.measured, found.verdict) == ("1.50 x", "reached")


def test_a_peer_that_did_not_run_is_no_rival() -> None:
    results = some_results(a_sample(1500), a_sample(), {"FastAPI": FASTAPI, "Other": OTHER})
    results.figures["Other"].windows.clear()

    assert line(results, "c=64, one call a request: requests").measured == "1.50 x"


def test_what_the_cores_can_do_follows_from_handlers_http_and_load_generator() -> None:
    results = some_results(a_sample(12_000), a_sample(30_000), {"FastAPI": FASTAPI})

    one, many = line(results, "c=8, one call a request: share"), line(results, "c=8, coalesced: sh")

    assert one.what.endswith("(20,000)")
    assert (one.measured, one.verdict) == ("60 %", "reached")
    assert many.what.endswith("(50,000)")


def test_one_failed_request_during_an_edit_is_one_too_many() -> None:
    results = some_results(a_sample(), a_sample(), {"FastAPI": FASTAPI})
    results.edits = [edited(SWAPPED, an_edit(0.007)), edited(FRESH, an_edit(0.06, failed=1))]

    assert line(results, "handlers edited").verdict == "reached"
    assert line(results, "model code edited").verdict == "must reached, aim not"
    failed = line(results, "failed requests in 2 edits, 200 requests")
    assert (failed.measured, failed.verdict) == ("1", "**missed**")


def test_a_cold_start_is_judged_by_this_machines_import_of_torch() -> None:
    results = some_results(a_sample(), a_sample(), {"FastAPI": FASTAPI})

    found = line(results, "`sagelet deploy` with nothing running")

    assert (found.must, found.aim) == ("below 2.50 s", "below 1.90 s")
    assert (found.measured, found.verdict) == ("1.50 s", "reached")


def test_a_run_that_measured_nothing_still_has_every_line() -> None:
    empty = aims(Results(peers=("FastAPI",)))

    assert {aim.verdict for aim in empty} == {"not measured"}
    assert len(empty) == len(aims(some_results(a_sample(), a_sample(), {"FastAPI": FASTAPI})))


def test_how_many_times_faster_is_judged() -> None:
    results = some_results(a_sample(3000), a_sample(9000), {"FastAPI": a_sample(2000)})
    assert results.training is not None
    training = replace(results.training, first_line=Race(0.5, 3.0, 1 / 6))
    found = line(
        replace(results, training=training), "an accepted job to the user's first line, ag"
    )
    assert (found.measured, found.verdict) == ("6.0 x as fast", "**missed**")
