"""The hosts of a job, together: prepared, started, waited for, and judged."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

from sagelet.artifacts.files import Artifacts
from sagelet.domain.training import SecondaryStatus
from sagelet.errors import ChildFailed
from sagelet.journal.streams import LogStreams
from sagelet.supervision.process import ProcessId
from sagelet.training import outcome
from sagelet.training.hostlog import HostLog
from sagelet.training.hosts import JobHost
from sagelet.training.launching import DaemonLink, Launched, start_cold
from sagelet.training.layout import address_of
from sagelet.training.machine import free_port
from sagelet.training.order import JobOrder, JobPaths
from sagelet.training.outcome import Outcome
from sagelet.training.records import Event, History, HostStarted, StopSent
from sagelet.training.variables import Rendezvous
from sagelet.training.waiting import ProcessWatch, Signals

OVERDUE_S = 30.0
"""How long after the grace a supervisor may take to end before it is killed itself."""


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
        logs = LogStreams(Path(order.places.logs))
        self.hosts = [
            JobHost(order, host, paths, HostLog(logs, order.log_streams[host.name]))
            for host in order.cluster.hosts
        ]

    def prepare(self, artifacts: Artifacts) -> Outcome | None:
        """Lay out each host and fetch its data; return the job's end where that failed.

        A stop interrupts it: StopAsked.
        """
        with self._signals.interrupting():
            for host in self.hosts:
                failed = host.prepare(artifacts)
                if failed is not None:
                    host.log.say(failed.message)
                    return failed
        return None

    def launch(self) -> Outcome | None:
        """Start the hosts; return the job's end where that failed."""
        rendezvous = Rendezvous(
            address_of(1) if self._order.no_namespace else self.hosts[0].name, free_port()
        )
        for host in self.hosts:
            host.announce()
            log_offset = host.log.size_bytes()
            try:
                launched = self._launched(host, rendezvous)
            except ChildFailed as error:
                return Outcome(SecondaryStatus.FAILED, outcome.client_error(str(error)))
            self._note(
                HostStarted(
                    at=time.time(),
                    host=host.name,
                    pid=launched.process.pid,
                    started_at=launched.process.started_at,
                    warm=launched.warm,
                    log_offset=log_offset,
                )
            )
        return None

    def _launched(self, host: JobHost, rendezvous: Rendezvous) -> Launched:
        """Start a host by the daemon, or here where there is none."""
        host_order = host.order(rendezvous)
        return self._link.launch(host_order) or start_cold(host_order, self._order.places)

    def wait(self, history: History, deadline: float) -> None:
        """Wait until every host's supervisor has ended; at a (monotonic) deadline, end them."""
        for host in history.hosts.values():
            watch = ProcessWatch(ProcessId(host.pid, host.started_at))
            try:
                self._wait_for(watch, deadline, already_asked=history.stop is not None)
            finally:
                watch.close()

    def _wait_for(self, watch: ProcessWatch, deadline: float, *, already_asked: bool) -> None:
        """Wait for one supervisor; on a stop or at the deadline, ask it to end its script."""
        asked = False
        while not watch.has_ended:
            now = time.monotonic()
            if not asked and (self._signals.stop_asked or already_asked or now >= deadline):
                if not already_asked:
                    self._note(StopSent(time.time(), out_of_time=not self._signals.stop_asked))
                watch.signal(signal.SIGTERM)
                asked = True
                deadline = now + self._order.grace_s + OVERDUE_S
            elif asked and now >= deadline:
                watch.signal(signal.SIGKILL)
                deadline = now + OVERDUE_S
            watch.wait(self._signals, max(0.0, deadline - time.monotonic()))

    def judge(self, history: History) -> Outcome:
        """Return what the hosts' ends make of the job: the first that failed, else the first."""
        ends = [
            host.judge(log_offset=history.hosts[host.name].log_offset, stop=history.stop)
            for host in self.hosts
        ]
        failed = [ended for ended in ends if ended.status is SecondaryStatus.FAILED]
        return (failed or ends)[0]
