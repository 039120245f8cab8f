"""Who a process is: a pid alone may be somebody else's by now."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from sagelet.worker import processes


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process for good: its pid, and when it started."""

    pid: int
    started_at: float

    @property
    def is_running(self) -> bool:
        """Whether this very process still runs."""
        return is_same_process(self.pid, self.started_at)


def started_at(pid: int) -> float | None:
    """Return when a running process started, or None where none runs (a zombie does not).

    The number is for comparing with an earlier one only. On Linux it counts seconds since the
    machine started, so that no jump of the clock makes a stranger of a process.
    """
    if sys.platform != "linux":
        return _created_at(pid)
    stat = processes.read_stat(pid)
    return None if stat is None or stat.is_dead else stat.started_s


def boot_id() -> str:
    """Return what tells this start of the machine from any other; empty where nothing does."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def is_same_process(pid: int, started: float) -> bool:
    """Say whether the process that started at that time (as `started_at` told) still runs."""
    return started_at(pid) == started


def _created_at(pid: int) -> float | None:
    import psutil  # noqa: PLC0415 - 8 ms that a job's runner need not spend where there is a /proc

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None
