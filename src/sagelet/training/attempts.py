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
    if order.is_spot and order.max_wait_s is not None and history.began_at is not None:
        dues.append(Due(history.began_at + order.max_wait_s, Why.WAIT))
    if order.is_spot and order.interrupt_after_s is not None and history.attempt == 1:
        dues.append(Due(training_at + order.interrupt_after_s, Why.INTERRUPTION))
    return min(dues, key=lambda due: due.at)


def ended_by(order: JobOrder, history: History) -> Why | None:
    """Return why the hosts were ended, once they were; None where it was not by their time."""
    if history.stop is None or not history.stop.out_of_time:
        return None
    return next_due(order, history).why
