"""The course of a job in phases."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sagelet.web.timeline import duration, phases

BEGUN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def a_transition(status: str, from_s: float, to_s: float | None = None) -> dict[str, Any]:
    shown = {"Status": status, "StatusMessage": f"{status}.", "StartTime": at(from_s)}
    return shown if to_s is None else shown | {"EndTime": at(to_s)}


def at(seconds: float) -> datetime:
    return BEGUN + timedelta(seconds=seconds)


def test_a_running_job_is_in_its_last_phase() -> None:
    shown = phases([a_transition("Starting", 0, 5), a_transition("Training", 5)], now=at(20))
    assert [(phase.status, phase.took, phase.share) for phase in shown] == [
        ("Starting", "5.0 s", 25.0),
        ("Training", "15 s", 75.0),
    ]
    assert [phase.is_now for phase in shown] == [False, True]


def test_an_end_takes_no_time() -> None:
    shown = phases([a_transition("Training", 0, 5), a_transition("Completed", 5)], now=at(500))
    assert (shown[1].took, shown[1].share, shown[1].is_now, shown[1].is_end) == ("", 0, False, True)
    assert shown[0].share == 100.0


def test_a_clock_that_went_back_makes_no_negative_time() -> None:
    (shown,) = phases([a_transition("Training", 10)], now=at(0))
    assert (shown.took, shown.share) == ("0.0 s", 0.0)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.44, "0.4 s"), (12.4, "12 s"), (185, "3 min 5 s"), (7440, "2 h 4 min")],
)
def test_a_time_is_told_as_it_is_read(seconds: float, said: str) -> None:
    assert duration(seconds) == said
