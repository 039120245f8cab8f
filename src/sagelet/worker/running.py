"""One of a host's processes, as its supervisor sees it: its pipes, its lines, and its end."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable, Mapping

from sagelet.worker import entry, naming, reporting, stacks
from sagelet.worker.entry import Start
from sagelet.worker.lines import LineSplitter
from sagelet.worker.recording import Journal
from sagelet.worker.reporting import Report
from sagelet.worker.spec import HostOrder, Rank
from sagelet.worker.waking import wide_pipe


class Running:
    """A process that was forked for a host; `rank` is None where the host has only this one."""

    def __init__(self, start: Start, pid: int, rank: Rank | None, *, prefix: str) -> None:
        """Take a process that has just been forked, and the ends of its pipes that are ours."""
        self.pid = pid
        self.rank = None if rank is None else rank.number
        self.is_python = start.order.is_python
        self.status: int | None = None
        self.ended_at = 0.0
        self.was_signalled_at: float | None = None
        self._start = start
        self._error_file = start.environment.get(reporting.ERROR_FILE, "")
        self._prefix = prefix
        self._tells_its_stacks = False
        self._splitters: dict[int, LineSplitter] = {}
        self._report: Report | None = None

    @classmethod
    def forked(
        cls,
        order: HostOrder,
        rank: Rank | None,
        set_by_imports: Mapping[str, str],
        journal: Journal,
        ours: Iterable[int],
    ) -> Running:
        """Fork the process; `ours` are the supervisor's descriptors, which it is not to have."""
        out, err = wide_pipe(), wide_pipe()
        suffix = "" if rank is None else f".{rank.number}"
        report = f"{order.exit_file}{suffix}.error"
        environment = dict(order.environment)
        if rank is not None:
            environment[reporting.ERROR_FILE] = f"{report}.json"
            environment.update(rank.environment)
        environment = naming.with_addresses(environment, order.names)
        start = Start(
            order=order,
            environment=environment,
            set_by_imports=set_by_imports,
            supervisor=os.getpid(),
            report=report,
            recorded_before=reporting.changed_at(environment.get(reporting.ERROR_FILE, "")),
            stdout=out[1],
            stderr=err[1],
            closed=(out[0], err[0], *ours),
        )
        pid = os.fork()
        if pid == 0:
            journal.close()
            entry.begin(start)
        for descriptor in (out[1], err[1]):
            os.close(descriptor)
        prefix = f"[rank {rank.number}] " if rank is not None and rank != order.ranks[0] else ""
        running = cls(start, pid, rank, prefix=prefix)
        running._splitters = {out[0]: LineSplitter(), err[0]: LineSplitter()}
        return running

    @property
    def pipes(self) -> list[int]:
        """The descriptors that its output still comes from."""
        return list(self._splitters)

    @property
    def is_updating(self) -> bool:
        """Whether `updates` may have news."""
        return any(splitter.is_updating for splitter in self._splitters.values())

    def read(self, pipe: int, data: bytes) -> list[str]:
        """Take what was read from a pipe, nothing at its end; return the lines that it ends."""
        splitter = self._splitters[pipe]
        if data:
            return self._marked(splitter.feed(data, time.monotonic()))
        del self._splitters[pipe]
        os.close(pipe)
        return self._marked(splitter.finish())

    def updates(self) -> list[str]:
        """Return how the lines stand that are being overwritten."""
        now = time.monotonic()
        return self._marked(line for s in self._splitters.values() for line in s.updates(now))

    def rest(self) -> list[str]:
        """Return the last lines, where nothing ended them."""
        return self._marked(line for s in self._splitters.values() for line in s.finish())

    def _marked(self, lines: Iterable[str]) -> list[str]:
        if self._tells_its_stacks:
            lines = stacks.without_ours(lines)
        if not self._prefix:
            return list(lines)
        # A line that is being overwritten begins with a carriage return, and goes on doing so.
        return [
            "\r" + self._prefix + line[1:] if line.startswith("\r") else self._prefix + line
            for line in lines
        ]

    def signal(self, number: int) -> None:
        """Send a signal to its group; where it has not made one yet, to itself."""
        if self.was_signalled_at is None:
            self.was_signalled_at = time.time()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)
            return
        if self.status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def tell_stacks(self) -> None:
        """Have it write where it is, if it is a Python of ours."""
        if self._start.order.is_python:
            self._tells_its_stacks = True
            stacks.ask(self.pid)

    @property
    def has_group(self) -> bool:
        """Whether a process of its group lives."""
        try:
            os.killpg(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:  # macOS says so of a group of zombies
            return False
        return True

    def end(self, status: int) -> None:
        """Note that it has ended, with a wait status; read what it left of its error."""
        self.status = status
        self.ended_at = time.time()
        start = self._start
        self._report = reporting.read_report(start.report, self.pid)
        recorded = reporting.read_error_file(self._error_file, start.recorded_before)
        if self._error_file == f"{start.report}.json":
            reporting.remove(self._error_file)
        if recorded is not None and status != 0:
            self._report = _completed(self._report, recorded)

    @property
    def report(self) -> Report | None:
        """The error that it told of, where it ended by that."""
        return self._report if self.exit_code > 0 else None

    @property
    def exit_code(self) -> int:
        """Its exit code, negative for a signal; what it meant to exit with where we cut it off."""
        code = os.waitstatus_to_exitcode(self.status or 0)
        report, signalled_at = self._report, self.was_signalled_at
        is_cut_off = code in (-signal.SIGTERM, -signal.SIGKILL) and signalled_at is not None
        if report is not None and is_cut_off and report.at <= (signalled_at or 0.0):
            return report.code
        return code

    @property
    def was_ended(self) -> bool:
        """Whether it failed because we ended it."""
        signalled_at = self.was_signalled_at
        return signalled_at is not None and self.failed_at > signalled_at

    @property
    def failed_at(self) -> float:
        """When it failed: when its error was told, or else when it ended."""
        return self.ended_at if self._report is None else min(self._report.at, self.ended_at)


def _completed(own: Report | None, recorded: Report) -> Report:
    """Prefer the error that `@record` wrote; where and how it came are ours where known."""
    if own is None or not own.error:
        return recorded
    return Report(own.pid, own.at, own.code, recorded.error, own.where, own.traceback)
