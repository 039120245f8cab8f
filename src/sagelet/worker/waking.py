"""Pipes between a supervisor and what it watches, and signals that wake a select."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
from collections.abc import Callable

_PIPE_BYTES = 2**20
_F_SETPIPE_SZ = 1031  # Python 3.9's fcntl lacks the name


class Wake:
    """A pipe that signals write to, so that a select sees them."""

    def __init__(self) -> None:
        """Make the pipe; nothing is written to it before `listen`."""
        self.ends = os.pipe()
        for end in self.ends:
            os.set_blocking(end, False)

    def fileno(self) -> int:
        """Return the end to wait on."""
        return self.ends[0]

    def listen(self, on_stop: Callable[[], None] | None = None) -> None:
        """From now on wake for SIGCHLD, and for SIGTERM where there is something to call."""
        signal.set_wakeup_fd(self.ends[1], warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        if on_stop is not None:
            signal.signal(signal.SIGTERM, lambda _number, _frame: on_stop())

    def clear(self) -> None:
        """Forget what woke us."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self.ends[0], select.PIPE_BUF):
                pass

    def close(self) -> None:
        """Close both ends, in a fork that is to wake for nothing."""
        signal.set_wakeup_fd(-1)
        for end in self.ends:
            os.close(end)


def wide_pipe() -> tuple[int, int]:
    """Return a pipe with room enough that a script does not wait for its log."""
    ends = os.pipe()
    if sys.platform.startswith("linux"):
        import fcntl

        with contextlib.suppress(OSError):  # over the user's limit: the usual 64 KiB then
            fcntl.fcntl(ends[1], _F_SETPIPE_SZ, _PIPE_BYTES)
    return ends
