"""How busy workers' processes are, and how much memory they have."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Vitals:
    """One process: per cent of one core since it was looked at last, and resident memory."""

    cpu_percent: float | None
    memory_bytes: int


@dataclass(slots=True)
class _Watched:
    process: psutil.Process
    at: float
    cpu_s: float
    vitals: Vitals


class VitalSigns:
    """Looks at processes, and remembers when it did."""

    def __init__(self, *, fresh_s: float = 1.0) -> None:
        """Know none yet. What is known for less than `fresh_s` is not looked at again."""
        self._fresh_s = fresh_s
        self._watched: dict[int, _Watched] = {}

    def of(self, pid: int) -> Vitals | None:
        """Return what is known of a process; None where there is none."""
        now = time.monotonic()
        known = self._watched.get(pid)
        if known is not None and now - known.at < self._fresh_s:
            return known.vitals
        try:
            process = psutil.Process(pid) if known is None else known.process
            with process.oneshot():
                cpu = process.cpu_times()
                memory = process.memory_info().rss
        except psutil.Error:
            self._watched.pop(pid, None)
            return None
        cpu_s = cpu.user + cpu.system
        percent = None
        if known is not None:
            percent = max(0.0, 100 * (cpu_s - known.cpu_s) / (now - known.at))
        vitals = Vitals(percent, memory)
        self._watched[pid] = _Watched(process, now, cpu_s, vitals)
        return vitals

    def forget_others(self, pids: Iterable[int]) -> None:
        """Forget the processes that are none of these."""
        living = set(pids)
        for pid in self._watched.keys() - living:
            del self._watched[pid]


def memory_of_machine() -> int:
    """Return how much memory this machine has, in bytes."""
    return int(psutil.virtual_memory().total)
