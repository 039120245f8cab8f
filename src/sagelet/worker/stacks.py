"""Where a host's processes are: at a signal each writes the stacks of its threads to the log.

The signal is one that user code does not use. It can come before a process listens, or to a
program that took its place: it is ignored there.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
from collections.abc import Iterable

_REAL_TIME = getattr(signal, "SIGRTMAX", None)
SIGNAL = int(signal.SIGURG if _REAL_TIME is None else _REAL_TIME - 3)
"""Asks one process for its stacks."""

_STDERR = 2
_OURS = (f'  File "{os.path.dirname(os.path.abspath(__file__))}', '  File "<frozen runpy>"')  # noqa: PTH100, PTH120 - as in the frames


def ignore() -> None:
    """Have the processes that are forked from here on ignore the signal until they `listen`."""
    signal.signal(SIGNAL, signal.SIG_IGN)


def listen() -> None:
    """From now on write the stacks of this process to standard error when the signal comes.

    It is written from C, so that a process which hangs in a library writes it, too. So it does when
    it crashes, which would else leave no line of the user's.
    """
    faulthandler.enable(file=_STDERR)
    faulthandler.register(SIGNAL, file=_STDERR, all_threads=True, chain=False)


def without_ours(lines: Iterable[str]) -> list[str]:
    """Leave out the frames below the user's, which are the same in every process."""
    return [line for line in lines if not line.startswith(_OURS)]


def ask(pid: int) -> None:
    """Send the signal to a process that runs our entry point."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, SIGNAL)
