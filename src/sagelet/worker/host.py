"""A training host: a small supervisor, and the processes that it forks.

    daemon ── zygote ── supervisor (own session, adopts orphans) ─┬─ rank 0 (own session)
                             │                                    └─ rank 1 (own session)
                             │  drains stdout and stderr ──> the journal
                             └  waits, cleans up ──────────> exit_file

The supervisor outlives the daemon and the zygote; its processes do not outlive the supervisor.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from sagelet.worker import ending, libc, placing, processes, stacks
from sagelet.worker.ladder import Ladder, Step
from sagelet.worker.recording import FIRST_SIGNAL_STATUS, Journal, write_exit
from sagelet.worker.running import Running
from sagelet.worker.spec import HostExit, HostOrder, Rank
from sagelet.worker.waking import Wake

LEFTOVERS_GRACE_S = 1.0
"""How long what a script left behind has to end by itself, after its SIGTERM."""

OTHERS_GRACE_S = 3.0
"""How long the other processes of a host have when one of them has failed."""

_EXPLAINED_WITHIN_S = 0.5  # by whom the failed one lost its connection with
_KILLED_WITHIN_S = 5.0
_DRAINED_WITHIN_S = 2.0
_UPDATE_TICK_S = 0.1
_READ_BYTES = 2**20
_HELD = (signal.SIGTERM, signal.SIGCHLD, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)


def run_host(order: HostOrder, set_by_imports: Mapping[str, str] = MappingProxyType({})) -> int:
    """Run an order's processes to their end, and record that end in the order's exit file.

    Returns the exit code for this process: the script's, or 128 and the number of the signal that
    ended it. In the processes that are forked for the script, this does not return.
    """
    try:
        ended = _Supervisor.started(order, set_by_imports).supervise()
    except Exception as error:  # noqa: BLE001 - whatever it is, the job has to hear of it
        ended = HostExit(1, time.time(), error=f"{type(error).__name__}: {error}")
    write_exit(order.exit_file, ended)
    code = ended.exit_code
    return code if code >= 0 else FIRST_SIGNAL_STATUS - code


class _Supervisor:
    """Watches a host's processes from their start to the end of all that they left behind."""

    def __init__(
        self, order: HostOrder, running: Sequence[Running], journal: Journal, wake: Wake
    ) -> None:
        self._order = order
        self._running = running
        self._journal = journal
        self._wake = wake
        self._pipes = {pipe: process for process in running for pipe in process.pipes}
        self._selector = selectors.DefaultSelector()
        for descriptor in (*self._pipes, wake.fileno()):
            self._selector.register(descriptor, selectors.EVENT_READ)
        self._stop_asked = False
        self._stacks_asked = False
        self._ladder = Ladder()
        self._notes: list[str] = []

    @classmethod
    def started(cls, order: HostOrder, set_by_imports: Mapping[str, str]) -> _Supervisor:
        """Open the journal, take the place that the order gives, and fork the processes."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
        journal = Journal(order.log)
        placed, why_not = placing.place(order, lambda line: journal.append([line]))
        if why_not:
            journal.append([placing.ELSEWHERE.format(why_not)])
        os.chdir(placed.cwd)
        libc.adopt_orphans()
        stacks.ignore()
        wake = Wake()
        running: list[Running] = []
        ranks: Sequence[Rank | None] = placed.ranks or (None,)
        for rank in ranks:
            pipes = [pipe for process in running for pipe in process.pipes]
            ours = (*wake.ends, *pipes)
            running.append(Running.forked(placed, rank, set_by_imports, journal, ours))
        supervisor = cls(placed, running, journal, wake)
        supervisor.listen()
        return supervisor

    def listen(self) -> None:
        """Be woken by what happens; the terminal's signals are not for us."""
        self._wake.listen(self._ask_to_stop)
        signal.signal(signal.SIGUSR1, self._ask_for_stacks)
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD)

    def _ask_to_stop(self) -> None:
        """Note that a SIGTERM came; the loop passes it on."""
        self._stop_asked = True

    def _ask_for_stacks(self, _number: int, _frame: object) -> None:
        """Note that a SIGUSR1 came."""
        self._stacks_asked = True

    def supervise(self) -> HostExit:
        """Drain and wait until all processes have ended and nothing of them is left."""
        self._pump(lambda: not self._alive(), None)
        ended_at = time.time()
        self._end_leftovers()
        self._pump(lambda: not self._pipes, time.monotonic() + _DRAINED_WITHIN_S)
        for process in self._running:
            self._journal.append(process.rest())
        self._journal.close()
        if self._journal.problem:
            self._notes.append(self._journal.problem)
        notes = tuple(self._notes)
        return ending.exit_of(self._running, ended_at, stopped=self._stop_asked, notes=notes)

    def _alive(self) -> list[Running]:
        return [process for process in self._running if process.status is None]

    def _pump(self, done: Callable[[], bool], until: float | None) -> None:
        """Do what there is to do, until something is so or (monotonic) time is up."""
        while True:
            self._reap()
            self._end_in_time()
            self._tell_stacks()
            now = time.monotonic()
            if done() or (until is not None and now >= until):
                return
            for key, _ in self._selector.select(self._timeout(now, until)):
                if key.fd == self._wake.fileno():
                    self._wake.clear()
                else:
                    self._read(key.fd)
            for process in self._running:
                self._journal.append(process.updates())

    def _timeout(self, now: float, until: float | None) -> float | None:
        limits = [limit - now for limit in (until, self._ladder.until) if limit is not None]
        if any(process.is_updating for process in self._running):
            limits.append(_UPDATE_TICK_S)
        return max(0.0, min(limits)) if limits else None

    def _read(self, pipe: int) -> None:
        data = os.read(pipe, _READ_BYTES)
        if not data:
            self._selector.unregister(pipe)
        process = self._pipes[pipe] if data else self._pipes.pop(pipe)
        self._journal.append(process.read(pipe, data))

    def _reap(self) -> None:
        """Collect the exits of the processes and of all that they orphaned."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                for process in self._running:
                    if process.pid == pid:
                        process.end(status)

    def _end_in_time(self) -> None:
        """Take the steps that a stop, or the failure of one process, calls for."""
        alive, now, ladder = self._alive(), time.monotonic(), self._ladder
        if not alive:
            ladder.until = None
            return
        if not ladder.is_begun:
            self._begin_to_end(alive, now)
        step = ladder.due(now)
        if step is Step.ASK:
            if self._stop_asked and not self._order.forwards_stop:
                return
            for process in alive:
                process.signal(signal.SIGTERM)
        elif step is Step.LOOK:
            self._stacks_asked = True
        elif step is Step.KILL:
            note = f"SIGKILL was sent {ladder.grace_s:g} s after SIGTERM"
            self._notes = [*(each for each in self._notes if each != note), note]
            self._signal_all(signal.SIGKILL)

    def _begin_to_end(self, alive: Sequence[Running], now: float) -> None:
        """Begin where there was a stop or a failure; the others of a failed one are told why."""
        if self._stop_asked:
            self._ladder.begin(now, self._order.grace_s)
            return
        failed = ending.first_failed(self._running)
        if failed is None:
            return
        explained = ending.explains_itself(failed)
        self._ladder.begin(now + (0 if explained else _EXPLAINED_WITHIN_S), OTHERS_GRACE_S)
        names = ", ".join(str(process.rank) for process in alive)
        self._journal.append(
            [f"rank {failed.rank} {ending.in_words(failed)}; ending what still runs: rank {names}"]
        )

    def _tell_stacks(self) -> None:
        """Have the processes write where they are, if somebody asked for it."""
        if not self._stacks_asked:
            return
        self._stacks_asked = False
        alive = [process for process in self._alive() if process.is_python]
        if alive:
            self._journal.append(["Where this host's processes are, innermost call first:"])
        for process in alive:
            process.tell_stacks()

    def _end_leftovers(self) -> None:
        """End what the script started and did not wait for: SIGTERM, a moment, SIGKILL."""
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
        return any(process.has_group for process in self._running)

    def _signal_all(self, number: int) -> None:
        for process in self._running:
            process.signal(number)
        for pid in processes.descendants(os.getpid()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
