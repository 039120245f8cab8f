"""The hosts of a job: their ranks, how they ended, and what they use while they run.

What AWS's operations do not tell is read from the job's folder, and of the machine's processes.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psutil

from sagelet.domain.distribution import PROCESSES_PER_HOST, Distribution, distribution_of
from sagelet.journal.events import EventLog
from sagelet.supervision.process import ProcessId
from sagelet.training.layout import HostFolder
from sagelet.training.order import JobPaths
from sagelet.training.records import History, HostStarted, read_history
from sagelet.web.backend import Backend
from sagelet.web.timeline import ENDED
from sagelet.worker.spec import HostExit, exit_from_json


@dataclass(frozen=True, slots=True)
class Used:
    """What a host's processes use: of one core, in percent, and of the memory."""

    processes: int
    cpu_percent: float
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class HostRow:
    """A host. `status` is one of `running`, `ended`, `failed`, `waiting`."""

    name: str
    ranks: str
    status: str
    ended: str = ""
    used: Used | None = None
    exit: HostExit | None = None


def host_names(job: Mapping[str, Any]) -> list[str]:
    """Return the names of a job's hosts."""
    resources = job["ResourceConfig"]
    groups = resources.get("InstanceGroups", [])
    count = sum(group["InstanceCount"] for group in groups) or resources.get("InstanceCount", 1)
    return [f"algo-{number}" for number in range(1, count + 1)]


class JobHosts:
    """Tells about hosts. It blocks; what a host has used is counted from one look to the next."""

    def __init__(self, backend: Backend) -> None:
        """Read the daemon's own folders."""
        self._backend = backend
        self._seen: dict[ProcessId, tuple[float, float]] = {}

    def rows(self, job: Mapping[str, Any]) -> list[HostRow]:
        """Return the hosts of a job as DescribeTrainingJob shows it."""
        names = host_names(job)
        ranks = ranks_of(job, len(names))
        with self._backend.store.reading() as snapshot:
            known = snapshot.training_jobs.find(job["TrainingJobName"])
        if known is None:
            return [HostRow(name, ranks[name], "waiting") for name in names]
        paths = JobPaths(self._backend.home.job(known.ulid))
        history = read_history(EventLog(paths.events))
        has_ended = job["TrainingJobStatus"] in ENDED
        return [self._row(name, ranks[name], paths, history, has_ended=has_ended) for name in names]

    def _row(
        self, name: str, ranks: str, paths: JobPaths, history: History, *, has_ended: bool
    ) -> HostRow:
        started = history.hosts.get(name)
        ended = _exit_of(paths, name)
        if started is None:
            return HostRow(name, ranks, "ended" if has_ended else "waiting")
        if ended is None and not has_ended:
            return HostRow(name, ranks, "running", used=self._used(started))
        is_bad = history.failed is not None and history.failed.host == name
        is_bad = is_bad or (ended is not None and ended.exit_code != 0 and not ended.stopped)
        return HostRow(name, ranks, "failed" if is_bad else "ended", _how(ended), exit=ended)

    def _used(self, started: HostStarted) -> Used | None:
        process = ProcessId(started.pid, started.started_at)
        if not process.is_running:
            return None
        count, cpu_s, memory_bytes = _count(started.pid)
        now = time.monotonic()
        before_at, before_s = self._seen.get(process, (now, cpu_s))
        if len(self._seen) > 1000:
            self._seen.clear()
        self._seen[process] = (now, cpu_s)
        took_s = now - before_at
        percent = 100 * max(0.0, cpu_s - before_s) / took_s if took_s else 0.0
        return Used(count, percent, memory_bytes)


def ranks_of(job: Mapping[str, Any], hosts: int) -> dict[str, str]:
    """Return which ranks each host has, as far as the hyperparameters tell."""
    parameters = job.get("HyperParameters", {})
    distribution = distribution_of(parameters)
    text = str(parameters.get(PROCESSES_PER_HOST, "1")).strip('"')
    each = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 1
    names = sorted(f"algo-{number}" for number in range(1, hosts + 1))
    if distribution is Distribution.NONE:
        return dict.fromkeys(names, "")
    return {
        name: str(node) if each == 1 else f"{node * each} to {node * each + each - 1}"
        for node, name in enumerate(names)
    }


def first_failure(rows: Sequence[HostRow]) -> HostRow | None:
    """Return the host that failed first, if one has said what went wrong."""
    failed = [row for row in rows if row.status == "failed" and row.exit is not None]
    return min(failed, key=_failed_at, default=None)


def _failed_at(row: HostRow) -> float:
    return (row.exit.failed_at or row.exit.ended_at) if row.exit else 0.0


def _how(ended: HostExit | None) -> str:
    if ended is None:
        return ""
    if ended.exit_code < 0:
        return f"signal {-ended.exit_code}"
    rank = "" if ended.rank is None or ended.exit_code == 0 else f", rank {ended.rank}"
    return f"exit {ended.exit_code}{rank}"


def _exit_of(paths: JobPaths, host: str) -> HostExit | None:
    try:
        text = HostFolder(paths.host(host)).exit_file.read_text(encoding="utf-8")
        return exit_from_json(text)
    except (OSError, ValueError, TypeError):
        return None  # it has not ended, or the file is not what a supervisor writes


def _count(pid: int) -> tuple[int, float, int]:
    """Return how many processes a supervisor has below it, their time, and their memory."""
    count, cpu_s, memory_bytes = 0, 0.0, 0
    try:
        children = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return 0, 0.0, 0
    for child in children:
        try:
            with child.oneshot():
                times = child.cpu_times()
                cpu_s += times.user + times.system
                memory_bytes += child.memory_info().rss
                count += 1
        except psutil.Error:
            continue  # it has ended meanwhile
    return count, cpu_s, memory_bytes
