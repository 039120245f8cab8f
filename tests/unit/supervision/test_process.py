"""Who a process is."""

from __future__ import annotations

import os

from sagelet.supervision.exits import ended
from sagelet.supervision.process import ProcessId, is_same_process, started_at


def test_this_process_is_itself() -> None:
    started = started_at(os.getpid())
    assert started is not None
    assert is_same_process(os.getpid(), started)
    assert ProcessId(os.getpid(), started).is_running


def test_a_process_with_the_pid_of_another_is_not_that_one() -> None:
    started = started_at(os.getpid())
    assert started is not None
    assert not is_same_process(os.getpid(), started - 60)


def test_a_pid_that_nobody_has_is_not_running() -> None:
    assert started_at(2**30) is None
    assert not is_same_process(2**30, 0.0)


async def test_the_end_of_a_process_that_has_gone_is_noticed_at_once() -> None:
    await ended(ProcessId(2**30, 1.0))
    await ended(ProcessId(os.getpid(), 1.0))
