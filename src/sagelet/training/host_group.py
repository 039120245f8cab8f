"""The hosts of a job, together: prepared, started, waited for, and judged."""

from __future__ import annotations

import re
import select
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from sagelet.artifacts.files import Artifacts
from sagelet.domain.training import LiteralProgram, SecondaryStatus
from sagelet.errors import ChildFailed, PortTaken
from sagelet.journal.streams import LogStreams
from sagelet.training import outcome
from sagelet.training.attempts import Why, next_due
from sagelet.training.distributions import Launch
from sagelet.training.hostlog import HostLog
from sagelet.training.hosts import JobHost
from sagelet.training.launching import DaemonLink, Launched, start
from sagelet.training.layout import addresses
from sagelet.training.machine import look_around
from sagelet.training.order import JobOrder, JobPaths
from sagelet.training.outcome import Outcome
from sagelet.training.ports import DRIVERS_PORT, PortLock, reserve
from sagelet.training.records import (
    Event,
    History,
    HostFailed,
    HostStarted,
    StatusReached,
    StopSent,
)
from sagelet.training.rendezvous import Rendezvous
from sagelet.training.supervisors import Steps, Supervisors
from sagelet.training.waiting import Signals
from sagelet.worker import reporting
from sagelet.worker.spec import HostExit

TICK_S = 1.0
ASK_AGAIN_S = 0.2

_TIMEOUT = re.compile(r"time(?:d[ -]?)?[ -]?out", re.IGNORECASE)


class HostGroup:
    """All hosts of one job. `note` writes an event into the job's journal."""

    def __init__(
        self,
        order: JobOrder,
        paths: JobPaths,
        *,
        link: DaemonLink,
        signals: Signals,
        note: Callable[[Event], None],
    ) -> None:
        """Name the hosts; nothing is made or started."""
        self._order = order
        self._link = link
        self._signals = signals
        self._note = note
        self._ports = Path(order.places.ports or paths.root / "ports")
        self._held = ExitStack()
        self._turn: PortLock | None = None
        logs = LogStreams(Path(order.places.logs))
        launch = Launch.of(order, look_around(Path(order.places.python)))
        self.hosts = [
            JobHost(order, host, paths, HostLog(logs, order.log_streams[host.name]), launch)
            for host in order.cluster.hosts
        ]

    def take_turn(self) -> None:
        """Wait until no other job uses the port that this one's program cannot choose.

        A stop interrupts it: StopAsked.
        """
        if self._turn is not None or (turn := self._turn_lock()) is None:
            return
        ahead = ""
        with self._signals.interrupting():
            while not turn.try_take(self._order.name):
                if turn.holder != ahead:
                    ahead = turn.holder
                    self._tell_turn(ahead)
                select.select([self._signals], [], [], ASK_AGAIN_S)
                self._signals.drain()
        self._turn = turn

    def _tell_turn(self, ahead: str) -> None:
        """Say in Describe, and in the log, which job this one waits for."""
        message = (
            f"Waiting for training job {ahead} to end: the hosts of both meet on port "
            f"{DRIVERS_PORT}, as the SDK's drivers have it"
        )
        self._note(StatusReached(time.time(), SecondaryStatus.PENDING, message))
        self.hosts[0].log.say(message)

    def _turn_lock(self) -> PortLock | None:
        """The lock of the drivers' port, for a job whose hosts meet there."""
        is_literal = isinstance(self._order.program, LiteralProgram)
        if not is_literal or self._order.cluster.host_count == 1:
            return None
        return PortLock(self._ports, DRIVERS_PORT)

    def prepare(self, artifacts: Artifacts) -> Outcome | None:
        """Lay out each host and fetch its data; return the job's end where that failed.

        A stop interrupts it: StopAsked.
        """
        with self._signals.interrupting():
            for host in self.hosts:
                failed = host.prepare(artifacts, self._tell)
                if failed is not None:
                    host.log.say(failed.message)
                    return failed
        return None

    def _tell(self, message: str) -> None:
        """Have Describe say what is being done before the start."""
        self._note(StatusReached(time.time(), SecondaryStatus.DOWNLOADING, message))

    def launch(self) -> Outcome | None:
        """Start the hosts at once, first those that others meet on; return a failure as an end."""
        try:
            meetings = self._meetings()
        except PortTaken as error:
            return Outcome(SecondaryStatus.FAILED, outcome.client_error(str(error)))
        hosts = sorted(self.hosts, key=lambda host: host.name not in meetings)
        offsets = []
        for host in hosts:
            host.announce()
            offsets.append(host.log.size_bytes())
        orders = [host.order(meetings[host.master]) for host in hosts]
        started = start(orders, self._link, self._order.places)
        for host, offset, launched in zip(hosts, offsets, started, strict=True):
            if isinstance(launched, Launched):
                self._note(_started(host, launched, offset))
        failed = next((each for each in started if isinstance(each, ChildFailed)), None)
        if failed is None:
            return None
        return Outcome(SecondaryStatus.FAILED, outcome.client_error(str(failed)))

    def _meetings(self) -> dict[str, Rendezvous]:
        """Reserve a port on each host that others meet on, for as long as this process runs."""
        self._held.close()
        meetings = {}
        known = addresses(self._order.cluster)
        for name in dict.fromkeys(host.master for host in self.hosts):
            reserved = reserve(self._ports, self._order.name)
            self._held.callback(reserved.close)
            address = known[name] if self._order.no_namespace else name
            meetings[name] = Rendezvous(address, reserved.port)
        return meetings

    def wait(self, history: History, deadline: float, tick: Callable[[], None]) -> None:
        """Wait until every host's supervisor has ended; end them at a stop or a deadline.

        When one host fails the others are ended, too. The deadline is monotonic; `tick` is called
        about once a second.
        """
        if self._turn is None and (turn := self._turn_lock()) is not None:
            turn.try_take(self._order.name)  # for the runner that died with it
            self._turn = turn
        steps = Steps()
        if history.stop is not None:
            steps.stop(self._order.grace_s)
        with Supervisors(history.hosts, self._signals) as supervisors:
            while True:
                ended = supervisors.take_ended()
                if not supervisors.are_running:
                    return
                if not steps.is_begun:
                    self._begin(steps, ended, deadline, history)
                if steps.is_begun and self._signals.kill_asked:
                    steps.at_once()
                for step in steps.due():
                    supervisors.take(step)
                limit = steps.next_at if steps.is_begun else deadline
                left_s = TICK_S if limit is None else limit - time.monotonic()
                supervisors.wait(min(left_s, TICK_S))
                tick()

    def _begin(self, steps: Steps, ended: list[str], deadline: float, history: History) -> None:
        """Begin to end the hosts where there is a reason to."""
        failed = next((host for host in self.hosts if host.name in ended and host.has_failed), None)
        if self._signals.stop_asked:
            self._note(StopSent(time.time(), out_of_time=False))
            steps.stop(self._order.grace_s)
        elif failed is not None:
            self._end_others(steps, failed)
        elif time.monotonic() >= deadline:
            self._note(StopSent(time.time(), out_of_time=True))
            if self._is_alone or next_due(self._order, history).why is Why.INTERRUPTION:
                steps.stop(self._order.grace_s)
            else:
                steps.out_of_time(self._order.grace_s)

    @property
    def _is_alone(self) -> bool:
        """Whether the job is one process, which waits for no other."""
        return len(self.hosts) == 1 and not self.hosts[0].has_ranks

    def _end_others(self, steps: Steps, failed: JobHost) -> None:
        """End what is left of the job after one host failed."""
        self._note(HostFailed(time.time(), failed.name))
        said = (failed.read_exit() or HostExit(1, 0.0)).error
        steps.failure(
            explained=not reporting.is_consequence(said), timed_out=bool(_TIMEOUT.search(said))
        )
        for host in self.hosts:
            if host is not failed and host.read_exit() is None:
                host.log.say(f"{failed.name} has failed; {host.name} is ended, too")

    def judge(self, history: History) -> Outcome:
        """Return what the hosts' ends make of the job.

        A job that failed did so by its first failure: what the others did after it, or what they
        say of their connection to it, is no cause.
        """
        ends = {host.name: host.read_exit() for host in self.hosts}
        causes = [host for host in self.hosts if _is_cause(host.name, ends[host.name], history)]
        if causes:
            cause = min(causes, key=lambda host: _turn(ends[host.name], history))
            ended = ends[cause.name]
            unstopped = None if ended is None else replace(ended, stopped=False)
            return self._judged(cause, unstopped, history)
        judged = [self._judged(host, ends[host.name], history) for host in self.hosts]
        return next(
            (each for each in judged if each.status is not SecondaryStatus.COMPLETED), judged[0]
        )

    def _judged(self, host: JobHost, ended: HostExit | None, history: History) -> Outcome:
        started = history.hosts[host.name]
        return host.judge(ended, log_offset=started.log_offset, stop=history.stop)


def _started(host: JobHost, launched: Launched, log_offset: int) -> HostStarted:
    return HostStarted(
        at=time.time(),
        host=host.name,
        pid=launched.process.pid,
        started_at=launched.process.started_at,
        warm=launched.warm,
        log_offset=log_offset,
    )


def _is_cause(name: str, ended: HostExit | None, history: History) -> bool:
    """Whether a host failed by itself, and not since it was ended."""
    if ended is None:
        by_itself = history.failed is None or history.failed.host == name
        return by_itself and history.stop is None
    if ended.exit_code == 0:
        return False
    asked = [event.at for event in (history.stop, history.failed) if event is not None]
    return not ended.stopped or (bool(asked) and 0.0 < ended.failed_at <= min(asked))


def _turn(ended: HostExit | None, history: History) -> tuple[bool, float]:
    """By what failures are sorted: those that only tell of another's come last."""
    if ended is None:
        return False, history.failed.at if history.failed else 0.0
    return reporting.is_consequence(ended.error), ended.failed_at or ended.ended_at
