"""A limit on how long the user's code may hold this thread up, kept by the kernel's timer."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TookTooLong(BaseException):
    """The time is over. Not an Exception, so that code which catches those does not catch it."""


@contextmanager
def seconds(limit_s: float) -> Iterator[None]:
    """Raise TookTooLong in what runs inside after so long; only the main thread can be limited.

    Code that waits in a library without coming back to Python is interrupted when it does.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise TookTooLong(f"it took longer than {limit_s:g} s")

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
