"""The steps by which hosts are ended, in time."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from sagelet.training import supervisors
from sagelet.training.supervisors import Step, Steps


class Time:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Time:
    clock = Time()
    monkeypatch.setattr(supervisors, "time", clock)
    return clock


def _course(clock: Time, begin: Callable[[Steps], None], until_s: float) -> list[tuple[float, str]]:
    """Return which steps were taken when."""
    steps = Steps()
    begin(steps)
    taken = []
    while clock.now < 100.0 + until_s:
        taken += [(round(clock.now - 100.0, 1), step.name) for step in steps.due()]
        following = steps.next_at
        assert following is not None
        clock.now = following
    return taken


def test_a_stop_asks_at_once_and_leaves_the_grace_to_the_supervisors(clock: Time) -> None:
    taken = _course(clock, lambda steps: steps.stop(120.0), 200.0)
    assert taken == [(0.0, "ASK"), (150.0, "END"), (180.0, "END")]


def test_when_time_is_up_the_stacks_come_first(clock: Time) -> None:
    taken = _course(clock, lambda steps: steps.out_of_time(10.0), 60.0)
    assert taken == [(0.0, "LOOK"), (0.3, "ASK"), (40.3, "END")]


@pytest.mark.parametrize("explained", [True, False])
@pytest.mark.parametrize("timed_out", [True, False])
def test_a_failure_ends_the_others_within_ten_seconds(
    clock: Time, *, explained: bool, timed_out: bool
) -> None:
    taken = _course(
        clock, lambda steps: steps.failure(explained=explained, timed_out=timed_out), 10.0
    )
    names = [name for _, name in taken]
    assert names == [*(["LOOK"] if timed_out else []), "ASK", "LOOK", "KILL", "END"]
    assert taken[-1][0] < 10.0
    first_at = taken[0][0]
    assert first_at == (0.0 if explained else 0.5)


def test_nothing_is_due_before_there_is_a_reason() -> None:
    steps = Steps()
    assert (steps.is_begun, steps.next_at, steps.due()) == (False, None, [])
    before = time.monotonic()
    steps.stop(1.0)
    assert steps.next_at is not None
    assert steps.next_at >= before
    assert steps.due() == [Step.ASK]
