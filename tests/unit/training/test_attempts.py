"""When hosts are ended, and why."""

from __future__ import annotations

import pytest

from sagelet.domain.training import SecondaryStatus
from sagelet.training.attempts import Due, Why, ended_by, next_due
from sagelet.training.order import JobOrder
from sagelet.training.records import Event, History, RunnerStarted, StatusReached, StopSent
from tests.training_builders import an_order

BEGAN = RunnerStarted(100.0, 1, 1.0)
TRAINING = StatusReached(110.0, SecondaryStatus.TRAINING)
INTERRUPTED = StatusReached(150.0, SecondaryStatus.INTERRUPTED)
AGAIN = StatusReached(200.0, SecondaryStatus.TRAINING)


def spot(*, max_wait_s: int = 2000, interrupt_after_s: int | None = None) -> JobOrder:
    return an_order(
        is_spot=True,
        max_runtime_s=1000,
        max_wait_s=max_wait_s,
        interrupt_after_s=interrupt_after_s,
    )


@pytest.mark.parametrize(
    ("order", "events", "due"),
    [
        (an_order(max_runtime_s=60), [TRAINING], Due(170.0, Why.RUNTIME)),
        (an_order(max_runtime_s=60, interrupt_after_s=1), [TRAINING], Due(170.0, Why.RUNTIME)),
        (spot(), [TRAINING], Due(1110.0, Why.RUNTIME)),
        (spot(max_wait_s=1000), [TRAINING], Due(1100.0, Why.WAIT)),
        (spot(interrupt_after_s=30), [TRAINING], Due(140.0, Why.INTERRUPTION)),
        (spot(interrupt_after_s=3000), [TRAINING], Due(1110.0, Why.RUNTIME)),
        # Once only; and what the first attempt trained for counts.
        (
            spot(interrupt_after_s=30),
            [TRAINING, INTERRUPTED, AGAIN],
            Due(200.0 + 1000 - 40, Why.RUNTIME),
        ),
    ],
)
def test_the_next_of_its_limits_ends_an_attempt(
    order: JobOrder, events: list[Event], due: Due
) -> None:
    assert next_due(order, History.of([BEGAN, *events])) == due


def test_who_sent_the_stop_is_known_from_the_journal() -> None:
    order = spot(interrupt_after_s=30)

    def why(*events: Event) -> Why | None:
        return ended_by(order, History.of([BEGAN, TRAINING, *events]))

    assert why() is None
    assert why(StopSent(130.0, out_of_time=False)) is None
    stopped = StopSent(140.0, out_of_time=True)
    assert why(stopped) is Why.INTERRUPTION
    assert why(stopped, INTERRUPTED, AGAIN) is None
    assert why(stopped, INTERRUPTED, AGAIN, StopSent(1.0, out_of_time=True)) is Why.RUNTIME
