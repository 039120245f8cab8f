"""What the machine spent on a tree of processes, and on everything else meanwhile."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Spent:
    """One window: its length, and the CPU time used in it, all in seconds.

    `root_s` is the tree's first process alone; `own_s` is this program's and the load generator's;
    `foreign_s` is everybody else's.
    """

    wall_s: float
    tree_s: float
    root_s: float
    own_s: float
    foreign_s: float

    @property
    def foreign_cores(self) -> float:
        """How many cores others kept busy."""
        return max(0.0, self.foreign_s) / self.wall_s


class Meter:
    """Counts from where it is made to `read`."""

    def __init__(self, root_pid: int) -> None:
        """Start counting the processes at and below a root."""
        self._root = root_pid
        self._tree = _tree_cpu_s(root_pid)
        self._own = _own_cpu_s()
        self._machine = _machine_cpu_s()
        self._started = time.perf_counter()

    def read(self) -> Spent:
        """Return what was used since the meter was made.

        What a process used that ended meanwhile counts as foreign.
        """
        tree = _tree_cpu_s(self._root)
        used = {pid: spent - self._tree.get(pid, 0.0) for pid, spent in tree.items()}
        tree_s = sum(used.values())
        own_s = _own_cpu_s() - self._own
        machine_s = _machine_cpu_s() - self._machine
        wall_s = time.perf_counter() - self._started
        root_s = used.get(self._root, 0.0)
        return Spent(wall_s, tree_s, root_s, own_s, machine_s - tree_s - own_s)


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of a tree of processes, in MB; a shared page counts whole in RSS, once in PSS.

    `root_mb` is the RSS of its first process alone.
    """

    rss_mb: float
    pss_mb: float
    root_mb: float


def memory(root_pid: int) -> Memory:
    """Return what a tree of processes holds."""
    rss = pss = 0
    for process in _tree(root_pid):
        with suppress(psutil.NoSuchProcess):
            found = process.memory_full_info()
            rss, pss = rss + found.rss, pss + found.pss
    return Memory(rss / 2**20, pss / 2**20, resident_mb(root_pid))


def resident_mb(pid: int) -> float:
    """Return what one process holds."""
    return float(psutil.Process(pid).memory_info().rss) / 2**20


def _tree(root_pid: int) -> Iterator[psutil.Process]:
    """Yield a process, those below it, and those of its session whose own parents have ended."""
    root = psutil.Process(root_pid)
    below = {process.pid: process for process in (root, *root.children(recursive=True))}
    session = [process for process in psutil.process_iter() if _session(process.pid) == root_pid]
    yield from {process.pid: process for process in session if process.pid not in below}.values()
    yield from below.values()


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return 0


def _tree_cpu_s(root_pid: int) -> Mapping[int, float]:
    found = {}
    for process in _tree(root_pid):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            found[process.pid] = times.user + times.system
    return found


def _own_cpu_s() -> float:
    """Return what this program used, and the load generators it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in used)


def _machine_cpu_s() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + getattr(times, "steal", 0.0))
