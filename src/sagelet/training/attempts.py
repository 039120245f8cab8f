"""When a job's hosts are to be ended, and why: its time is up, or its spot instances are taken.

All of it follows from the order and the journal, so that a runner that takes over from a dead one
decides as that one did.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import Enum

from sagelet.domain.training import SecondaryStatus
from sagelet.training.order import JobOrder
from sagelet.training.records import History


class Why(Enum):
    """Why hosts are ended that nobody asked to stop."""

    RUNTIME = "MaxRuntimeInSeconds"
    WAIT = "MaxWaitTimeInSeconds"
    INTERRUPTION = "interruption"


@dataclass(frozen=True, slots=True)
class Due:
    """When the hosts are ended at the latest, in seconds since the epoch."""

    at: float
    why: Why

    @property
    def left_s(self) -> float:
        """How much time there is until then."""
        return self.at - time.time()


def next_due(order: JobOrder, history: History) -> Due:
    """Return what ends the present attempt, if its scripts do not.

    MaxRuntimeInSeconds bounds the training of all attempts together, MaxWaitTimeInSeconds a spot
    job from its beginning.
    """
    training_at = history.statuses.get(SecondaryStatus.TRAINING, time.time())
    dues = [Due(training_at + order.max_runtime_s - history.trained_s, Why.RUNTIME)]
    wait = _longest_wait(order, history)
    if wait is not None:
        dues.append(wait)
    if order.is_spot and order.interrupt_after_s is not None and history.attempt == 1:
        dues.append(Due(training_at + order.interrupt_after_s, Why.INTERRUPTION))
    return min(dues, key=lambda due: due.at)


def has_waited_too_long(order: JobOrder, history: History) -> bool:
    """Whether a spot job's time is over before its hosts begin."""
    wait = _longest_wait(order, history)
    return wait is not None and wait.left_s <= 0


def _longest_wait(order: JobOrder, history: History) -> Due | None:
    """When a spot job ends at the latest; None for any other."""
    if not order.is_spot or order.max_wait_s is None or history.began_at is None:
        return None
    return Due(history.began_at + order.max_wait_s, Why.WAIT)


def ended_by(order: JobOrder, history: History) -> Why | None:
    """Return why the hosts were ended, once they were; None where it was not by their time."""
    if history.stop is None or not history.stop.out_of_time:
        return None
    return next_due(order, history).why
