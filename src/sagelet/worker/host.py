"""A training host: a small supervisor, and the script that it forks.

    daemon ── zygote ── supervisor (own session, adopts orphans) ── script (own session)
                             │  drains stdout and stderr ──> the journal
                             └  waits, cleans up ──────────> exit_file

The supervisor outlives the daemon and the zygote; the script does not outlive the supervisor.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from sagelet.worker import entry, fresh, libc, placing, processes, script
from sagelet.worker.entry import Start
from sagelet.worker.lines import LineSplitter
from sagelet.worker.recording import FIRST_SIGNAL_STATUS, Journal, signal_of, write_exit
from sagelet.worker.spec import HostExit, HostOrder
from sagelet.worker.waking import Wake, wide_pipe

LEFTOVERS_GRACE_S = 1.0
"""How long what a script left behind has to end by itself, after its SIGTERM."""

_KILLED_WITHIN_S = 5.0
_DRAINED_WITHIN_S = 2.0
_UPDATE_TICK_S = 0.1
_READ_BYTES = 2**20
_HELD = (signal.SIGTERM, signal.SIGCHLD, signal.SIGINT, signal.SIGHUP)


def run_host(order: HostOrder, set_by_imports: Mapping[str, str] = MappingProxyType({})) -> int:
    """Run an order's script to its end, and record that end in the order's exit file.

    Returns the exit code for this process: the script's, or 128 and the number of the signal that
    ended it. In the process that is forked for the script, this does not return.
    """
    supervisor = os.getpid()
    try:
        ended = _Supervisor.started(order, set_by_imports).supervise()
    except Exception as error:  # noqa: BLE001 - whatever it is, the job has to hear of it
        if os.getpid() != supervisor:
            entry.fail(error, _report(order))
        ended = HostExit(1, time.time(), error=f"{type(error).__name__}: {error}")
    write_exit(order.exit_file, ended)
    code = ended.exit_code
    return code if code >= 0 else FIRST_SIGNAL_STATUS - code


def _report(order: HostOrder) -> str:
    return f"{order.exit_file}.error"


class _Supervisor:
    """Watches one script from its start to the end of all that it left behind."""

    def __init__(
        self, order: HostOrder, start: Start, pid: int, journal: Journal, wake: Wake
    ) -> None:
        self._order = order
        self._start = start
        self._pid = pid
        self._journal = journal
        self._wake = wake
        pipes = [end for end in start.closed if end not in wake.ends]
        self._splitters = {pipe: LineSplitter() for pipe in pipes}
        self._selector = selectors.DefaultSelector()
        for descriptor in (*pipes, wake.fileno()):
            self._selector.register(descriptor, selectors.EVENT_READ)
        self._status: int | None = None
        self._stop_asked = False
        self._stopping_until: float | None = None
        self._notes: list[str] = []

    @classmethod
    def started(cls, order: HostOrder, set_by_imports: Mapping[str, str]) -> _Supervisor:
        """Open the journal, take the place that the order gives, and fork the script."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
        journal = Journal(order.log)
        placed, why_not = placing.place(order)
        if why_not:
            journal.append([placing.ELSEWHERE.format(why_not)])
        os.chdir(placed.cwd)
        fresh.variables(placed.environment, set_by_imports)
        fresh.module_path(placed.environment)
        libc.adopt_orphans()
        out, err, wake = wide_pipe(), wide_pipe(), Wake()
        start = Start(
            argv=placed.argv,
            environment=placed.environment,
            threads=placed.threads,
            supervisor=os.getpid(),
            report=_report(order),
            stdout=out[1],
            stderr=err[1],
            closed=(out[0], err[0], *wake.ends),
        )
        pid = os.fork()
        if pid == 0:
            journal.close()
            entry.begin(start)
        os.close(out[1])
        os.close(err[1])
        supervisor = cls(order, start, pid, journal, wake)
        supervisor.listen()
        return supervisor

    def listen(self) -> None:
        """Be woken by what happens; the terminal's signals are not for us."""
        self._wake.listen(self._ask_to_stop)
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD)

    def _ask_to_stop(self) -> None:
        """Note that a SIGTERM came; the loop passes it on."""
        self._stop_asked = True

    def supervise(self) -> HostExit:
        """Drain and wait until the script has ended and nothing of it is left."""
        self._pump(lambda: self._status is not None, None)
        ended_at = time.time()
        self._end_leftovers()
        self._pump(lambda: not self._splitters, time.monotonic() + _DRAINED_WITHIN_S)
        for splitter in self._splitters.values():
            self._journal.append(splitter.finish())
        self._journal.close()
        return self._exit(ended_at)

    def _exit(self, ended_at: float) -> HostExit:
        code = os.waitstatus_to_exitcode(self._status or 0)
        notes = [*self._notes, self._journal.problem] if self._journal.problem else self._notes
        ended = HostExit(code, ended_at, stopped=self._stop_asked, notes=tuple(notes))
        failure = script.read_report(self._start.report, self._pid)
        if code == 0:
            return ended
        if failure is not None and code > 0:
            return replace(
                ended, error=failure.error, where=failure.where, traceback=failure.traceback
            )
        by_signal = code < 0 or not self._start.is_python
        return replace(ended, error=signal_of(code) if by_signal else "")

    def _pump(self, done: Callable[[], bool], until: float | None) -> None:
        """Do what there is to do, until something is so or (monotonic) time is up."""
        while True:
            self._reap()
            self._pass_on_the_stop()
            now = time.monotonic()
            if done() or (until is not None and now >= until):
                return
            for key, _ in self._selector.select(self._timeout(now, until)):
                if key.fd == self._wake.fileno():
                    self._wake.clear()
                else:
                    self._read(key.fd)
            for splitter in self._splitters.values():
                self._journal.append(splitter.updates(time.monotonic()))

    def _timeout(self, now: float, until: float | None) -> float | None:
        limits = [limit - now for limit in (until, self._stopping_until) if limit is not None]
        if any(splitter.is_updating for splitter in self._splitters.values()):
            limits.append(_UPDATE_TICK_S)
        return max(0.0, min(limits)) if limits else None

    def _read(self, pipe: int) -> None:
        data = os.read(pipe, _READ_BYTES)
        splitter = self._splitters[pipe]
        if data:
            self._journal.append(splitter.feed(data, time.monotonic()))
            return
        self._journal.append(splitter.finish())
        del self._splitters[pipe]
        self._selector.unregister(pipe)
        os.close(pipe)

    def _reap(self) -> None:
        """Collect the exits of the script and of all that it orphaned."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self._pid:
                    self._status = status

    def _pass_on_the_stop(self) -> None:
        """Send SIGTERM to the script's group, once; SIGKILL to all of it when the grace is over."""
        if not self._stop_asked or self._status is not None:
            return
        if self._stopping_until is None:
            self._stopping_until = time.monotonic() + self._order.grace_s
            self._signal_group(signal.SIGTERM)
        elif time.monotonic() >= self._stopping_until:
            self._stopping_until = time.monotonic() + _KILLED_WITHIN_S
            self._notes.append(f"SIGKILL was sent {self._order.grace_s:g} s after SIGTERM")
            self._signal_all(signal.SIGKILL)

    def _end_leftovers(self) -> None:
        """End what the script started and did not wait for: SIGTERM, a moment, SIGKILL."""
        self._stopping_until = None
        if not self._anything_left():
            return
        self._signal_all(signal.SIGTERM)
        self._pump(lambda: not self._anything_left(), time.monotonic() + LEFTOVERS_GRACE_S)
        until = time.monotonic() + _KILLED_WITHIN_S
        while self._anything_left() and time.monotonic() < until:
            self._signal_all(signal.SIGKILL)
            # What is killed leaves its own children to us; they are seen on the next round.
            self._pump(lambda: not self._anything_left(), time.monotonic() + _UPDATE_TICK_S)

    def _anything_left(self) -> bool:
        """Whether a process of the script's lives: an orphan that came to us, or its group."""
        if processes.descendants(os.getpid()):
            return True
        try:
            os.killpg(self._pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:  # macOS says so of a group of zombies
            return False
        return True

    def _signal_all(self, number: int) -> None:
        self._signal_group(number)
        for pid in processes.descendants(os.getpid()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _signal_group(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, number)
            return
        if self._status is None:  # it has not yet made its group
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, number)
