"""Waiting for a process that need not be ours, and SIGTERM as a request to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from sagelet.supervision.process import ProcessId, started_at
from sagelet.training.waiting import HEARD, ProcessWatch, Signals, StopAsked

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]


@pytest.fixture
def signals() -> Iterator[Signals]:
    before = {number: signal.getsignal(number) for number in (*HEARD, *Signals.IGNORED)}
    signals = Signals()
    yield signals
    signals.close()
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(SLEEP, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        yield child
        child.kill()


def watch_of(pid: int) -> ProcessWatch:
    started = started_at(pid)
    assert started is not None
    return ProcessWatch(ProcessId(pid, started))


def test_the_end_of_a_process_is_seen(signals: Signals, sleeper: subprocess.Popen[bytes]) -> None:
    watch = watch_of(sleeper.pid)
    assert not watch.wait(signals, 0.01)
    watch.signal(signal.SIGKILL)
    before = time.monotonic()
    while not watch.wait(signals, 10):
        pass
    assert time.monotonic() - before < 5
    watch.close()


def test_another_process_of_the_same_number_counts_as_ended(
    signals: Signals, sleeper: subprocess.Popen[bytes]
) -> None:
    watch = ProcessWatch(ProcessId(sleeper.pid, 1.0))
    assert watch.has_ended
    assert watch.wait(signals, 10)
    watch.signal(signal.SIGKILL)
    assert sleeper.poll() is None
    watch.close()


def test_a_sigterm_ends_the_waiting_and_is_remembered(
    signals: Signals, sleeper: subprocess.Popen[bytes]
) -> None:
    watch = watch_of(sleeper.pid)
    os.kill(os.getpid(), signal.SIGTERM)
    assert not watch.wait(signals, 10)
    assert signals.stop_asked
    watch.close()


def test_a_sigterm_interrupts_only_what_may_be_interrupted(signals: Signals) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    assert signals.stop_asked
    with pytest.raises(StopAsked), signals.interrupting():
        pytest.fail("the stop was asked for before")


def test_a_sigterm_interrupts_at_once(signals: Signals) -> None:
    def copy_without_end() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        while True:
            os.getpid()

    with pytest.raises(StopAsked), signals.interrupting():
        copy_without_end()
