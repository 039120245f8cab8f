"""Waiting for hosts to end, for a signal, or for the time to be up; and what signals do meanwhile.

A host is not this process's child, so its end is seen through a pidfd, or where the system has
none by looking again and again.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Iterator
from types import FrameType

from sagelet.supervision.process import ProcessId
from sagelet.training.records import History

LOOK_AGAIN_S = 0.05
KILLED_WITHIN_S = 5.0


class StopAsked(BaseException):  # it must pass the `except Exception` of whoever copies files
    """A stop was asked for in the midst of work that may be left half-done."""


KILL_SIGNAL = signal.SIGUSR1
"""What asks a runner to end its hosts without their grace; SIGTERM has to come first."""

HEARD = frozenset({signal.SIGTERM, KILL_SIGNAL})


class Signals:
    """SIGTERM as a request to stop: remembered, and felt at once where it may interrupt."""

    IGNORED = (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE)

    def __init__(self) -> None:
        """Take the process's signals over."""
        self.stop_asked = False
        self.kill_asked = False
        self._may_interrupt = False
        self._woken, waker = socket.socketpair()
        self._woken.settimeout(0)
        waker.settimeout(0)
        self._waker = waker
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._on_sigterm)
        signal.signal(KILL_SIGNAL, self._on_kill)
        for number in self.IGNORED:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HEARD)

    def fileno(self) -> int:
        """The descriptor that is readable once a signal came."""
        return self._woken.fileno()

    def drain(self) -> None:
        """Read what woke the descriptor."""
        with contextlib.suppress(BlockingIOError):
            while self._woken.recv(64):
                pass

    def close(self) -> None:
        """Give the descriptors back."""
        signal.set_wakeup_fd(-1)
        self._woken.close()
        self._waker.close()

    @contextlib.contextmanager
    def interrupting(self) -> Iterator[None]:
        """Raise StopAsked in the body as soon as a stop is asked for."""
        self._may_interrupt = True
        try:
            if self.stop_asked:
                raise StopAsked
            yield
        finally:
            self._may_interrupt = False

    def _on_sigterm(self, _number: int, _frame: FrameType | None) -> None:
        self.stop_asked = True
        if self._may_interrupt:
            self._may_interrupt = False
            raise StopAsked

    def _on_kill(self, _number: int, _frame: FrameType | None) -> None:
        self.kill_asked = True


class ProcessWatch:
    """Tells the end of a process that need not be a child of ours."""

    def __init__(self, process: ProcessId) -> None:
        """Begin to watch; a process that is already gone counts as ended."""
        self.process = process
        self._pidfd = _open_pidfd(process.pid)
        if self._pidfd is not None and not process.is_running:
            os.close(self._pidfd)
            self._pidfd = None

    @property
    def descriptor(self) -> int | None:
        """What becomes readable when the process ends; None where nothing tells."""
        return self._pidfd

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone."""
        _reap(self.process.pid)
        return not self.process.is_running

    def signal(self, number: int) -> None:
        """Send a signal, to this process and to no other that took its number."""
        with contextlib.suppress(ProcessLookupError):
            if self._pidfd is not None:
                _send(self._pidfd, number)
            elif not self.has_ended:
                os.kill(self.process.pid, number)

    def wait(self, signals: Signals, timeout_s: float | None) -> bool:
        """Wait for the end, a signal or the time; return whether the process has ended."""
        with selectors.DefaultSelector() as selector:
            selector.register(signals, selectors.EVENT_READ)
            if self._pidfd is not None:
                selector.register(self._pidfd, selectors.EVENT_READ)
            elif not self.has_ended:
                timeout_s = LOOK_AGAIN_S if timeout_s is None else min(timeout_s, LOOK_AGAIN_S)
            else:
                return True
            selector.select(timeout_s)
        signals.drain()
        return self.has_ended

    def close(self) -> None:
        """Give the descriptor back."""
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None


def end_hosts(history: History) -> None:
    """Kill the supervisors of a history's hosts, whose scripts end with them; wait for that."""
    deadline = time.monotonic() + KILLED_WITHIN_S
    for host in history.hosts.values():
        watch = ProcessWatch(ProcessId(host.pid, host.started_at))
        watch.signal(signal.SIGKILL)
        while not watch.has_ended and time.monotonic() < deadline:
            time.sleep(LOOK_AGAIN_S)
        watch.close()


def _open_pidfd(pid: int) -> int | None:
    """Return a descriptor of a process, or None where it is gone or the system has none."""
    if sys.platform != "linux":
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None


def _send(pidfd: int, number: int) -> None:
    """Send a signal through a pidfd, which cannot reach another process."""
    if sys.platform == "linux":
        signal.pidfd_send_signal(pidfd, number)


def _reap(pid: int) -> None:
    """Collect a cold host of ours, which would else stay as a zombie."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
